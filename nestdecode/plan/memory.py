"""The places where strings of the documents before were decided: what plans are made from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nestdecode.plan.detect import CLOSERS, OPENERS, Loads, read_layer, sweep
from nestdecode.plan.place import SeenPlace
from nestdecode.plan.run import Trace
from nestdecode.text.reader import Reader
from nestdecode.text.scan import account

if TYPE_CHECKING:
    from nestdecode.spec import Shape

__all__ = ["Memory"]

# Bounds of what is remembered: places, named members of one place, steps from the root.
MOST_PLACES, MOST_MEMBERS, MOST_DEPTH = 200, 8, 12
# Characters in the name of a member.
LONGEST_NAME = 100
# Children that are looked at in one document.
MOST_NOTES = 10_000


class Memory:
    """
    Places where strings were decided: opened, or surely not layers. Bounded in size.

    Args:
        reader: Reads the texts of layers.
        root: The place of a record, if a spec declares something at it or below; else None.

    Attributes:
        root: The place of a record; the others are below it.
    """

    def __init__(self, reader: Reader, root: SeenPlace | None = None) -> None:
        self._reader = reader
        self.root: SeenPlace = root or SeenPlace()
        self._declared = root is not None
        self._places = 1

    def remember(self, tree: Any, read: Loads) -> None:
        """
        Open every layer of a tree in place, as ``sweep`` does, and note the places.

        Raises:
            LimitError: If a limit keeps a layer shut.
        """
        left = MOST_NOTES
        waiting: list[tuple[Any, tuple[Any, ...]]] = [(tree, ())]
        while waiting:
            container, path = waiting.pop()
            is_object = container.__class__ is dict
            left -= len(container)
            if left < 0:
                # The rest of so large a document is like the part seen, or not worth noting.
                sweep(container, self._reader, read)
                continue
            for key, child in container.items() if is_object else enumerate(container):
                here = (*path, key if is_object else None)
                if child.__class__ is str:
                    if child and child[0] in OPENERS and child[-1] in CLOSERS:
                        value = read_layer(child, self._reader)
                    else:
                        value = child
                    if value is child:
                        if account(child):
                            self._note(here, "shut")
                        else:
                            self._note_plain(here)
                        continue
                    container[key] = value
                    # No plan opens what was stringified twice: the walk does.
                    if child[0] != '"':
                        self._note(here, "opened")
                    child = value
                if child.__class__ is dict or child.__class__ is list:
                    waiting.append((child, here))

    def note(self, trace: Trace) -> None:
        """Note where detection decided strings of a record that a spec expanded."""
        for opening in trace.openings:
            path = tuple(s if isinstance(s, str) else None for s in opening.address.steps())
            if len(opening.layers) == 1 and _is_found(trace.shapes, path):
                self._note(path, "opened")
        left = MOST_NOTES
        waiting: list[tuple[Any, tuple[Any, ...]]] = []
        if trace.tree.__class__ is dict or trace.tree.__class__ is list:
            waiting.append((trace.tree, ()))
        while waiting and left > 0:
            container, path = waiting.pop()
            is_object = container.__class__ is dict
            left -= len(container)
            for key, child in container.items() if is_object else enumerate(container):
                here = (*path, key if is_object else None)
                if child.__class__ is str:
                    if account(child) and _is_found(trace.shapes, here):
                        self._note(here, "shut")
                elif child.__class__ is dict or child.__class__ is list:
                    waiting.append((child, here))

    def _note(self, path: tuple[Any, ...], what: str) -> None:
        if len(path) > MOST_DEPTH:
            return
        place = self.root
        for step in path:
            child = self._child(place, step)
            if child is None:
                return
            place = child
        setattr(place, what, True)

    def _note_plain(self, path: tuple[Any, ...]) -> None:
        """Note that a place where layers were has text too."""
        place: SeenPlace | None = self.root
        for step in path:
            if place is None:
                return
            if step is None:
                place = place.items
            else:
                place = place.rest if place.rest is not None else place.members.get(step)
        if place is not None and place.opened:
            place.shut = True

    def _child(self, place: SeenPlace, step: Any) -> SeenPlace | None:
        """
        Return the place one step below another, or None if it is not remembered.

        Args:
            place: The place above.
            step: The name of a member, or None for all elements.
        """
        if step is None:
            if place.items is None:
                place.items = self._new()
            return place.items
        if place.rest is not None:
            return place.rest
        known = place.members.get(step)
        if known is not None:
            return known
        if len(place.members) < MOST_MEMBERS:
            # A name can be as long as a record, and would be kept.
            known = self._new() if len(step) <= LONGEST_NAME else None
            if known is not None:
                place.members[step] = known
            return known
        if self._declared:
            return None
        # Ids as names. The wildcard replaces the members: with both, a plan would meet a
        # string twice, and count it twice.
        place.rest = SeenPlace()
        for member in place.members.values():
            _merge(place.rest, member)
        place.members = {}
        return place.rest

    def _new(self) -> SeenPlace | None:
        if self._places >= MOST_PLACES:
            return None
        self._places += 1
        return SeenPlace()


def _is_found(shapes: tuple[Shape, ...], path: tuple[Any, ...]) -> bool:
    """
    Return whether the spec leaves a place to detection.

    False, too, if the spec distinguishes members by pattern or elements by index on the
    way there: a ``SeenPlace`` does not.
    """
    for step in path:
        if any(shape.patterns or shape.prefix for shape in shapes):
            return False
        if step is None:
            shapes = tuple(shape.items for shape in shapes if shape.items is not None)
        else:
            shapes = tuple(child for shape in shapes for child in shape.members(step))
    return not any(shape.declared or shape.alternatives for shape in shapes)


def _merge(into: SeenPlace, other: SeenPlace) -> None:
    into.opened |= other.opened
    into.shut |= other.shut
    if other.items is not None:
        into.items = into.items or SeenPlace()
        _merge(into.items, other.items)
    if other.rest is not None:
        into.rest = into.rest or SeenPlace()
        _merge(into.rest, other.rest)
    for name, member in other.members.items():
        if into.rest is not None:
            _merge(into.rest, member)
        else:
            _merge(into.members.setdefault(name, SeenPlace()), member)
