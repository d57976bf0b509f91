"""Edited records paired with their originals, when some were changed, removed or added."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from nestdecode.document.parts import paired_alike, stayed

__all__ = ["Pairing", "Traits", "digest", "paired", "traits"]

Traits = Callable[[int], set[Any]]


class Pairing(NamedTuple):
    """
    The original of each new record.

    Attributes:
        sources: For each new record the index of the old one, or None if it was added.
        guesses: The number of pairs that may be wrong: the two records differ, and others
            were added or removed next to them.
    """

    sources: list[int | None]
    guesses: int


def digest(tree: Any) -> int:
    """
    Return a hash of a tree, the same for equal trees within one process.

    Numbers are equal by value, objects in any order of members. Different trees can have
    the same hash, so records that are paired by it must still be compared.
    """
    kind = type(tree)
    if kind is dict:
        return hash(frozenset([(name, digest(child)) for name, child in tree.items()]))
    if kind is list:
        return hash(tuple([digest(child) for child in tree]))
    return hash(tree)


def traits(tree: Any) -> set[Any]:
    """Return the traits of a record, for likeness: its first 64 members, and their kinds."""
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
    """Return a key that is equal for values of the same kinds, whatever they are."""
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
    Return the pairing of new records with old ones of the same key.

    Equal records are paired first, in order as far as possible. Those between them are
    paired by position if they are as many on both sides, else by likeness if they are few.
    Takes n log n.

    Args:
        old: (key, digest) of each old record; keys are hashable.
        new: (key, digest) of each new record.
        old_traits: Returns the traits of an old record, by its index.
        new_traits: Returns the traits of a new record, by its index.
        moves: Whether an equal record may have moved past others.
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
    """Return the index pairs of equal digests, and the gaps between them with both sides."""
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
    """Return the index pairs of equal records that are not in *still*: they moved."""
    kept, taken = {i for i, _ in still}, {j for _, j in still}
    places: dict[int, list[int]] = {}
    for i in reversed(ours):
        if i not in kept:
            places.setdefault(old[i], []).append(i)
    return [(places[new[j]].pop(), j) for j in theirs if j not in taken and places.get(new[j])]
