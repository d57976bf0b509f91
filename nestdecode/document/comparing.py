"""The differences of two trees, in which a layer and the plain value differ."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.document.parts import Parts
from nestdecode.plan.run import Trace

__all__ = ["NOTHING", "Difference", "Tree", "differences", "tree_of"]


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


# The value of a place that one of the trees does not have.
NOTHING = _Nothing()
Path = tuple[str | int, ...]
# The id of a container, and a name or index in it.
Position = tuple[int, str | int]


class Difference(NamedTuple):
    """
    One place where two trees differ.

    Attributes:
        path: The steps from the root: in the first tree, or in the second if only that has
            the place.
        old: The value in the first tree, or NOTHING. A layer where the second tree has
            none is its text.
        new: The value in the second tree, likewise.
    """

    path: Path
    old: Any
    new: Any


class Tree(NamedTuple):
    """
    An expanded tree and the texts of its layers.

    Attributes:
        value: The tree.
        layers: The text of each layer, by position; the container of the root has the id 0.
    """

    value: Any
    layers: dict[Position, str]


def tree_of(trace: Trace) -> Tree:
    """Return the tree of a record with the texts of its layers."""
    layers: dict[Position, str] = {}
    for opening in trace.openings:
        container: Any = None
        *around, last = opening.address.steps() or [""]
        value = trace.tree
        for step in around:
            value = value[step]
        container = value if opening.address.around is not None else None
        layers[0 if container is None else id(container), last] = opening.layers[0][1]
    return Tree(trace.tree, layers)


def differences(one: Tree, other: Tree) -> Iterator[Difference]:
    """
    Yield the differences of two trees, in the order of the first.

    Two objects are compared by member, two arrays by position between the elements at both
    ends that are equal; any other two values are one difference.
    """
    layers = one.layers | other.layers
    parts = Parts(apart=layers)
    for tree in (one, other):
        if tree.value is not NOTHING:
            parts.add(tree.value)
    root: Position = 0, ""
    waiting: list[tuple[Path, _Side, _Side]] = [
        ((), _Side(one.value, one.layers.get(root)), _Side(other.value, other.layers.get(root)))
    ]
    while waiting:
        path, old, new = waiting.pop()
        if old.value is NOTHING or new.value is NOTHING:
            yield Difference(path, old.value, new.value)
        elif (old.text is None) != (new.text is None):
            yield Difference(path, old.shown, new.shown)
        elif parts.same(old.value, new.value):
            continue
        elif type(old.value) is dict and type(new.value) is dict:
            names = [*old.value, *(name for name in new.value if name not in old.value)]
            waiting += [
                ((*path, name), _side(old.value, name, layers), _side(new.value, name, layers))
                for name in reversed(names)
            ]
        elif type(old.value) is list and type(new.value) is list:
            waiting += reversed(list(_elements(path, old.value, new.value, parts, layers)))
        else:
            yield Difference(path, old.value, new.value)


class _Side(NamedTuple):
    """A value of one tree, and the text of its layer, or None."""

    value: Any
    text: str | None

    @property
    def shown(self) -> Any:
        return self.value if self.text is None else self.text


def _side(container: Any, key: Any, layers: dict[Position, str]) -> _Side:
    is_there = key in container if type(container) is dict else key < len(container)
    if not is_there:
        return _Side(NOTHING, None)
    return _Side(container[key], layers.get((id(container), key)))


def _elements(
    path: Path, old: list[Any], new: list[Any], parts: Parts, layers: dict[Position, str]
) -> Iterator[tuple[Path, _Side, _Side]]:
    def same(i: int, j: int) -> bool:
        ours, theirs = (id(old), i) in layers, (id(new), j) in layers
        return ours == theirs and parts.same(old[i], new[j])

    start, most = 0, min(len(old), len(new))
    while start < most and same(start, start):
        start += 1
    end = 0
    while end < most - start and same(len(old) - 1 - end, len(new) - 1 - end):
        end += 1
    for index in range(start, max(len(old), len(new)) - end):
        ours, theirs = (
            _side(side, index, layers) if index < len(side) - end else _Side(NOTHING, None)
            for side in (old, new)
        )
        yield (*path, index), ours, theirs
