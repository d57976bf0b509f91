"""Trees compared: which values are the same, and which elements of an array stayed."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Container, Sequence
from itertools import islice
from typing import Any

from nestdecode.errors import DecodeError, LimitError
from nestdecode.paths import join_pointer
from nestdecode.text.depth import DEEPEST
from nestdecode.text.number import Number
from nestdecode.text.write import dump

__all__ = ["Pairs", "Parts", "aligned", "check_tree", "dumps", "paired_alike", "same", "stayed"]

_NUMBERS = {int, float, Number}
_NEVER_WRONG = {str, int, bool, type(None), Number}


def dumps(tree: Any, *, indent: int | str | None = None, sort_keys: bool = False) -> bytes:
    r"""
    Return a tree as JSON text, in UTF-8, without a newline at its end.

    >>> import nestdecode
    >>> nestdecode.dumps({"id": 2**70, "name": "é", "sizes": [1.0]})
    b'{"id":1180591620717411303424,"name":"\xc3\xa9","sizes":[1.0]}'

    The commands write their output in this way. Integers are exact, a Number keeps its
    text, and a lone surrogate is written as an escape, so that expanding the result gives
    an equal tree. Layers stay open; ``Decoder.collapse`` puts them back. Thread-safe.

    Args:
        tree: An answer of ``expand`` or of a query: exact dicts, lists, strs, ints, floats,
            bools, None and Numbers. It is not changed.
        indent: Spaces a level, up to 16, or "\t" for one tab a level; 0 and None are the
            compact form.
        sort_keys: Whether the members of an object are in the order of their names, by code
            points, and not in their own.

    Raises:
        DecodeError: If it holds something else, NaN or an infinity.
        LimitError: If it has more than 254 arrays and objects inside one another.
        ValueError: If *indent* is something else.
    """
    if indent not in (None, "\t", *range(17)):
        raise ValueError(f'indent is an integer from 0 to 16, or "\\t", got {indent!r}')
    check_tree(tree)
    return dump(tree, indent=indent or None, sort_keys=sort_keys)


def check_tree(tree: Any) -> None:
    """
    Check that a value can be written as JSON.

    Raises:
        DecodeError: If it holds a value that JSON does not know.
        LimitError: If it has more than 254 containers inside one another.
    """
    Parts().add(tree)


class Parts:
    """
    The containers of trees, numbered so that equal numbers mean equal values.

    Equal means equal by type and value: 1, 1.0 and true differ, and so do 0.0 and -0.0.
    The order of members does not count. The comparison is exact, and each tree is passed
    through once. Trees that are added must stay alive and unchanged: ids are remembered.

    Args:
        by_value: Whether numbers are compared by value alone.
        apart: Members and elements, as (id of the container, name or index), that equal
            others only if those are in this set too.
    """

    def __init__(
        self, *, by_value: bool = False, apart: Container[tuple[int, str | int]] = ()
    ) -> None:
        self._by_value = by_value
        self._apart = apart
        self._known: dict[Any, int] = {}
        self._numbers: dict[int, int] = {}
        self._heights: dict[int, int] = {}

    def add(self, tree: Any) -> None:
        """
        Number the containers of a tree.

        Raises:
            DecodeError: If it holds a value that JSON does not know.
            LimitError: If it has more than 254 containers inside one another, as a cycle
                has.
        """
        waiting: list[tuple[Any, Any, bool]] = [(tree, None, False)]
        # From the id of each container around to its name or index in the next outer one.
        around: dict[int, Any] = {}
        # The height, so far, of each of them.
        inside = [0]
        while waiting:
            value, key, is_done = waiting.pop()
            kind, me = type(value), id(value)
            if is_done:
                del around[me]
                self._numbers[me] = self._known.setdefault(self._key(value), len(self._known))
                height = self._heights[me] = inside.pop() + 1
                inside[-1] = max(inside[-1], height)
            elif kind is dict or kind is list:
                height = self._heights.get(me, 1)
                if me in around or len(around) + height > DEEPEST:
                    raise LimitError(f"deeper than {DEEPEST} containers", _pointer(around, key))
                if me in self._numbers:
                    inside[-1] = max(inside[-1], height)
                    continue
                around[me] = key
                inside.append(0)
                waiting.append((value, key, True))
                for name, child in value.items() if kind is dict else enumerate(value):
                    if type(child) not in _NEVER_WRONG:
                        waiting.append((child, name, False))
                if kind is dict and not all(type(name) is str for name in value):
                    raise DecodeError(
                        "not JSON: a name of an object is not a string", _pointer(around)
                    )
            elif kind is float:
                if not math.isfinite(value):
                    raise DecodeError("not JSON: NaN or Infinity", _pointer(around, key))
            elif kind not in _NEVER_WRONG:
                reason = f"not JSON: a value of type {kind.__name__}"
                raise DecodeError(reason, _pointer(around, key))

    def of(self, value: Any) -> Any:
        """Return a key that is equal for equal values and no others."""
        kind = type(value)
        if kind is dict or kind is list:
            return self._numbers[id(value)]
        if self._by_value and kind in _NUMBERS:
            return "number", value
        if kind is Number:
            return kind, value.text
        return (kind, value.hex()) if kind is float else (kind, value)

    def same(self, one: Any, other: Any) -> bool:
        """Return whether two values of added trees are equal."""
        return bool(self.of(one) == self.of(other))

    def first_items(self, value: Any) -> set[Any]:
        """Return keys of the first 64 members or elements, equal for equal ones."""
        if type(value) is dict:
            return {(name, self.of(child)) for name, child in islice(value.items(), 64)}
        return {self.of(child) for child in value[:64]} if type(value) is list else set()

    def _key(self, value: Any) -> Any:
        me, apart = id(value), self._apart
        if type(value) is dict:
            members = [(name, self.of(child)) for name, child in value.items()]
            return frozenset([(*m, True) if (me, m[0]) in apart else m for m in members])
        items = [self.of(child) for child in value]
        if apart:
            items = [(item, True) if (me, n) in apart else item for n, item in enumerate(items)]
        return tuple(items)


def same(one: Any, other: Any) -> bool:
    """Return whether two trees are equal, as ``Parts`` compares them."""
    if type(one) is not type(other):
        return False
    parts = Parts()
    if type(one) is dict or type(one) is list:
        parts.add(one)
        parts.add(other)
    return parts.same(one, other)


def _pointer(around: dict[int, Any], *more: Any) -> str:
    return join_pointer([*list(around.values())[1:], *(more if around else ())])


# Pairs of indexes in an old and a new sequence, in order; None on the side that lacks it.
Pairs = list[tuple[int | None, int | None]]
_MOST_COMPARED = 400


def aligned(old: Sequence[Any], new: Sequence[Any], parts: Parts) -> Pairs:
    """Return the pairs of elements of two arrays: equal ones in order, then those alike."""
    ours, theirs = [parts.of(value) for value in old], [parts.of(value) for value in new]
    head = tail = 0
    most = min(len(old), len(new))
    while head < most and ours[head] == theirs[head]:
        head += 1
    while tail < most - head and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    ends = len(old) - tail, len(new) - tail
    pairs: Pairs = [(index, index) for index in range(head)]
    i = j = head
    for next_i, next_j in [*stayed(ours, theirs, head, ends), ends]:
        if i < next_i or j < next_j:
            pairs += paired_alike(
                range(i, next_i),
                range(j, next_j),
                lambda index: parts.first_items(old[index]),
                lambda index: parts.first_items(new[index]),
            )
        if next_i < ends[0]:
            pairs.append((next_i, next_j))
        i, j = next_i + 1, next_j + 1
    return pairs + [(ends[0] + k, ends[1] + k) for k in range(tail)]


def stayed(
    old: Sequence[Any], new: Sequence[Any], start: int, ends: tuple[int, int]
) -> list[tuple[int, int]]:
    """Return the pairs of equal values that did not move: as many as can be without crossing."""
    places: dict[Any, list[int]] = {}
    for i in reversed(range(start, ends[0])):
        places.setdefault(old[i], []).append(i)
    found = [(places[new[j]].pop(), j) for j in range(start, ends[1]) if places.get(new[j])]
    # The longest increasing subsequence, by patience sorting.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for n, (i, _) in enumerate(found):
        pile = bisect_left(tops, i)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [i]
        piles[pile : pile + 1] = [n]
    longest = []
    at = piles[-1] if piles else -1
    while at >= 0:
        longest.append(found[at])
        at = before[at]
    return longest[::-1]


def paired_alike(
    ours: Sequence[int],
    theirs: Sequence[int],
    our_traits: Callable[[int], set[Any]],
    their_traits: Callable[[int], set[Any]],
) -> Pairs:
    """
    Return the pairs of what changed between two items that stayed.

    As many on both sides are paired one by one. Otherwise the pairs are those with the
    most traits in common, without crossing; beyond 400 combinations, those by position.

    Args:
        ours: Old indexes, in order.
        theirs: New indexes, in order.
        our_traits: Returns the traits of an old item: values that items alike share.
        their_traits: Returns the traits of a new item.
    """
    many = len(ours) * len(theirs)
    if len(ours) == len(theirs) or not 0 < many <= _MOST_COMPARED:
        both = min(len(ours), len(theirs))
        return [
            *zip(ours, theirs, strict=False),
            *((i, None) for i in ours[both:]),
            *((None, j) for j in theirs[both:]),
        ]
    features = [their_traits(j) for j in theirs]
    alike = [[1 + len(one & other) for other in features] for one in map(our_traits, ours)]
    # best[a][b] is the best sum for ours[a:] and theirs[b:].
    best = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    for a in reversed(range(len(ours))):
        for b in reversed(range(len(theirs))):
            paired = alike[a][b] + best[a + 1][b + 1]
            best[a][b] = max(paired, best[a + 1][b], best[a][b + 1])
    pairs: Pairs = []
    a = b = 0
    while a < len(ours) and b < len(theirs):
        if best[a][b] == alike[a][b] + best[a + 1][b + 1]:
            pairs.append((ours[a], theirs[b]))
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            pairs.append((ours[a], None))
            a += 1
        else:
            pairs.append((None, theirs[b]))
            b += 1
    pairs += [(i, None) for i in ours[a:]]
    return pairs + [(None, j) for j in theirs[b:]]
