"""Trees compared: which of their values are the same, and what stayed in an array."""

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

__all__ = ["Pairs", "Parts", "aligned", "dumps", "paired_alike", "same", "stayed"]

_NUMBERS = {int, float, Number}
_NEVER_WRONG = {str, int, bool, type(None), Number}


def dumps(tree: Any) -> bytes:
    """
    Write a tree as the commands do: compact JSON in UTF-8, without a newline at its end.

    >>> import nestdecode
    >>> nestdecode.dumps({"id": 2**70, "name": "é", "sizes": [1.0]})
    b'{"id":1180591620717411303424,"name":"\\xc3\\xa9","sizes":[1.0]}'

    Integers of any size are exact, a Number is its text, and a lone surrogate an escape: what
    ``expand`` reads from the result is the same tree, and what was JSON before stays JSON.
    Layers stay open; ``Decoder.collapse`` puts them back.

    Args:
        tree: What ``expand`` or a query returns: exact dicts, lists, strs, ints, floats,
            bools, None and Numbers.

    Raises:
        DecodeError: If it holds something else, NaN or an infinity.
        LimitError: If it has more than 254 containers inside one another.
    """
    Parts().add(tree)
    return dump(tree)


class Parts:
    """
    The containers of trees, numbered: the same number is the same value.

    The same by type and value: 1, 1.0 and true differ, and so do 0.0 and -0.0; the order
    of members does not matter. One pass, and exact. Trees that are added have to stay
    alive, and as they are.

    Args:
        by_value: Whether numbers that are equal are the same, whatever their type.
        apart: Members and elements that are the same as others only if those are among
            them too, as (id of the container, name or index).
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
            DecodeError: If it holds what JSON does not know.
            LimitError: If it has more than 254 containers inside one another, as one
                that holds itself has.
        """
        waiting: list[tuple[Any, Any, bool]] = [(tree, None, False)]
        # The containers around, and where each is in the one around it.
        around: dict[int, Any] = {}
        # How many containers are inside one another in what was done of each of them.
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
        """Return what is equal for the same values only."""
        kind = type(value)
        if kind is dict or kind is list:
            return self._numbers[id(value)]
        if self._by_value and kind in _NUMBERS:
            return "number", value
        if kind is Number:
            return kind, value.text
        return (kind, value.hex()) if kind is float else (kind, value)

    def same(self, one: Any, other: Any) -> bool:
        """Tell whether two values are the same."""
        return bool(self.of(one) == self.of(other))

    def first_items(self, value: Any) -> set[Any]:
        """Return what is equal for equal members or elements, of the first few."""
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
    """Tell whether two trees are the same, as Parts has it."""
    if type(one) is not type(other):
        return False
    parts = Parts()
    if type(one) is dict or type(one) is list:
        parts.add(one)
        parts.add(other)
    return parts.same(one, other)


def _pointer(around: dict[int, Any], *more: Any) -> str:
    return join_pointer([*list(around.values())[1:], *(more if around else ())])


# Pairs of what was there and what is to be there, in order; None on one side if it came
# or went.
Pairs = list[tuple[int | None, int | None]]
_MOST_COMPARED = 400


def aligned(old: Sequence[Any], new: Sequence[Any], parts: Parts) -> Pairs:
    """Pair the elements of two arrays by their indexes: what stayed first."""
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
    """Pair equal values, as many as can be without crossing: those that did not move."""
    places: dict[Any, list[int]] = {}
    for i in reversed(range(start, ends[0])):
        places.setdefault(old[i], []).append(i)
    found = [(places[new[j]].pop(), j) for j in range(start, ends[1]) if places.get(new[j])]
    # The longest increasing subsequence, by patience.
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
    Pair what changed: one by one if they are as many, else those that are most alike.

    Args:
        ours: Indexes of what was there, in order.
        theirs: Of what is there now.
        our_traits: From an index to what things that are alike have in common.
        their_traits: The same for what is there now. Asked for few only.
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
    # best[a][b]: of what is left of both from a and b on.
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
