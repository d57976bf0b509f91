"""Records paired with those that they come from, when some were changed, removed or added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from nestdecode.document.parts import paired_alike, stayed

__all__ = ["Pairing", "Traits", "digest", "paired", "traits"]

Traits = Callable[[int], set[Any]]


class Pairing(NamedTuple):
    """
    Where new records come from.

    Attributes:
        sources: For each new record the index of the old one; None if it was added.
        guesses: Pairs of records that differ, where others were added or removed beside
            them: they may be wrong.
    """

    sources: list[int | None]
    guesses: int


def digest(tree: Any) -> int:
    """
    Return a number that is the same for the same tree, within one process.

    Numbers count by their value, and members in any order. Other trees may have the same
    number: records paired by it are still to be compared.
    """
    kind = type(tree)
    if kind is dict:
        return hash(frozenset([(name, digest(child)) for name, child in tree.items()]))
    if kind is list:
        return hash(tuple([digest(child) for child in tree]))
    return hash(tree)


def traits(tree: Any) -> set[Any]:
    """Return what records that are alike have in common: equal members, and their kinds."""
    members: Any = [("", tree)]
    if type(tree) is dict:
        members = islice(tree.items(), 64)
    elif type(tree) is list:
        members = [("", child) for child in tree[:64]]
    return {
        trait
        for name, child in members
        for trait in ((name, digest(child)), (name, "kind", _kind(child)))
    }


def _kind(tree: Any) -> Any:
    """Return what is the same for values that hold the same kinds of values."""
    kind = type(tree)
    if kind is dict:
        return hash(frozenset([(name, _kind(child)) for name, child in tree.items()]))
    if kind is list:
        return hash(frozenset([_kind(child) for child in tree]))
    return "number" if kind in (int, float) else kind.__name__


def paired(
    old: Sequence[tuple[Any, int]],
    new: Sequence[tuple[Any, int]],
    old_traits: Traits,
    new_traits: Traits,
    *,
    moves: bool = True,
) -> Pairing:
    """
    Pair records that have the same key: equal ones first, in order as far as can be.

    What is left is paired by position between those; where these are few and not as many
    as those, by what is alike. Linear but for a logarithm.

    Args:
        old: Key and digest of each record that was there. Keys can be hashed.
        new: Of each record that is there now.
        old_traits: From the index of a record that was there to its traits.
        new_traits: The same for what is there now.
        moves: Whether an equal record may be in another place.
    """
    sources: list[int | None] = [None] * len(new)
    guesses = 0
    groups: dict[Any, tuple[list[int], list[int]]] = {}
    for side, records in enumerate((old, new)):
        for index, (key, _) in enumerate(records):
            groups.setdefault(key, ([], []))[side].append(index)
    for ours, theirs in groups.values():
        same, rest = _same([old[i][1] for i in ours], [new[j][1] for j in theirs], moves=moves)
        for i, j in same:
            sources[theirs[j]] = ours[i]
        for some, others in rest:
            left = [ours[i] for i in some], [theirs[j] for j in others]
            for left_i, left_j in paired_alike(*left, old_traits, new_traits):
                if left_i is not None and left_j is not None:
                    sources[left_j] = left_i
                    guesses += len(some) != len(others)
    return Pairing(sources, guesses)


_Gap = tuple[list[int], list[int]]


def _same(
    old: list[int], new: list[int], *, moves: bool
) -> tuple[list[tuple[int, int]], list[_Gap]]:
    """Pair by digests; return index pairs, and what is left on both sides between them."""
    head = tail = 0
    most = min(len(old), len(new))
    while head < most and old[head] == new[head]:
        head += 1
    while tail < most - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    ends = len(old) - tail, len(new) - tail
    still = stayed(old, new, head, ends)
    moved = []
    if moves:
        moved = _moved(old, new, still, range(head, ends[0]), range(head, ends[1]))
    gone, came = {i for i, _ in moved}, {j for _, j in moved}
    gaps: list[_Gap] = []
    i = j = head
    for next_i, next_j in [*still, ends]:
        ours = [index for index in range(i, next_i) if index not in gone]
        theirs = [index for index in range(j, next_j) if index not in came]
        gaps += [(ours, theirs)] if ours and theirs else []
        i, j = next_i + 1, next_j + 1
    ends_same = [(index, index) for index in range(head)]
    ends_same += [(ends[0] + index, ends[1] + index) for index in range(tail)]
    return ends_same + still + moved, gaps


def _moved(
    old: list[int], new: list[int], still: list[tuple[int, int]], ours: range, theirs: range
) -> list[tuple[int, int]]:
    """Pair equal records that are in another order now."""
    kept, taken = {i for i, _ in still}, {j for _, j in still}
    places: dict[int, list[int]] = {}
    for i in reversed(ours):
        if i not in kept:
            places.setdefault(old[i], []).append(i)
    return [(places[new[j]].pop(), j) for j in theirs if j not in taken and places.get(new[j])]
