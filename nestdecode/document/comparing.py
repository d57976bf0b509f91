"""What differs between two trees, layers told from the values that they hold."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.document.parts import Parts
from nestdecode.plan.run import Trace

__all__ = ["NOTHING", "Difference", "Tree", "differences", "tree_of"]


class _Nothing:
    def __repr__(self) -> str:
        return "NOTHING"


# What is not there, on one side.
NOTHING = _Nothing()
Path = tuple[str | int, ...]
# The id of a container, and a key or an index in it.
Place = tuple[int, str | int]


class Difference(NamedTuple):
    """
    One place where two trees differ.

    Attributes:
        path: Steps from the root on: in the first tree, or in the second if it is only there.
        old: What is in the first tree; a layer that meets none is its text; or NOTHING.
        new: The same of the second.
    """

    path: Path
    old: Any
    new: Any


class Tree(NamedTuple):
    """
    A tree, and which of its values were layers.

    Attributes:
        value: The tree.
        layers: The text of each layer, by its place; that of the root has the id 0.
    """

    value: Any
    layers: dict[Place, str]


def tree_of(trace: Trace) -> Tree:
    """Return what a record holds, its layers marked."""
    layers: dict[Place, str] = {}
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
    List what differs between two trees, in the order of the first one.

    Each place is listed once: where containers of one kind meet, what is in them is
    compared, elements by position between those at both ends that are the same.
    """
    layers = one.layers | other.layers
    parts = Parts(apart=layers)
    for tree in (one, other):
        if tree.value is not NOTHING:
            parts.add(tree.value)
    root: Place = 0, ""
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
    """A value of one tree, and the text of the layer that it was, if it was one."""

    value: Any
    text: str | None

    @property
    def shown(self) -> Any:
        return self.value if self.text is None else self.text


def _side(container: Any, key: Any, layers: dict[Place, str]) -> _Side:
    is_there = key in container if type(container) is dict else key < len(container)
    if not is_there:
        return _Side(NOTHING, None)
    return _Side(container[key], layers.get((id(container), key)))


def _elements(
    path: Path, old: list[Any], new: list[Any], parts: Parts, layers: dict[Place, str]
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
