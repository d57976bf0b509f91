"""Written code that opens the layers in members and elements."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from nestdecode.spec.shape import Shape

if TYPE_CHECKING:
    from nestdecode.plan.opening import LayerWriter

__all__ = ["Containers"]

# Elements with an index of their own, and patterns, that have a branch in the code.
MAX_BRANCHES = 8
# Names for which the matching pattern is remembered, and characters in one.
MOST_NAMES = 1000
LONGEST_NAME = 100


class _Names:
    """
    Finds which of a shape's patterns match a name.

    Attributes:
        known: For each name met: the index of the one pattern that matches, -1 if none
            does, -2 if several do. Bounded, as the names come from documents.
    """

    def __init__(self, shape: Shape) -> None:
        self._patterns = [pattern for pattern, _ in shape.patterns]
        self.known: dict[Any, int] = {}

    def find(self, name: Any) -> int:
        """Return the number that ``known`` holds for a name, and remember it."""
        matching = []
        if isinstance(name, str):  # parsed documents may have names of other types
            matching = [i for i, p in enumerate(self._patterns) if p.search(name)]
        found = -1 if not matching else matching[0] if len(matching) == 1 else -2
        if len(self.known) < MOST_NAMES and isinstance(name, str) and len(name) <= LONGEST_NAME:
            self.known[name] = found
        return found


class Containers:
    """
    Writes what is done with the children of a container.

    Args:
        opener: Writes what is done with each of them.
    """

    def __init__(self, opener: LayerWriter) -> None:
        self._opener = opener
        self._source = opener.source

    def write_members(self, shape: Shape, value: str, layers: str) -> None:
        """Write what is done with the members of an object."""
        source = self._source
        for name, child in shape.names.items():
            if self._opener.needs(child):
                member = source.fresh("v")
                source.line(f"{member} = {value}.get({name!r})")
                self._opener.place(child, member, value, repr(name), layers)
        others = [child for _, child in shape.patterns] + [shape.rest]
        if not any(self._opener.needs(child) for child in others):
            return
        if not shape.patterns and self._opener.is_bare(shape.rest) and not shape.names:
            source.line(f"sweep({value}, reader, read, shut)")
            return
        found = ""
        if self._opener.is_bare(shape.rest):
            found = source.fresh("found")
            source.line(f"{found} = []")
        key, member = source.fresh("key"), source.fresh("v")
        with self._opener.looping(f"for {key}, {member} in {value}.items():"):
            if shape.names:
                known = source.constant(frozenset(shape.names), "NAMES")
                source.line(f"if {key} in {known}:")
                source.line("    continue")
            if shape.patterns:
                self._matching(shape, key, member, value, layers, found)
            else:
                self._other(shape, key, member, value, layers, found)
        if found:
            source.line(f"sweep({value}, reader, read, shut, {found})")

    def _matching(
        self, shape: Shape, key: str, member: str, value: str, layers: str, found: str
    ) -> None:
        """Write what is done with a member, by the pattern that matches its name."""
        source = self._source
        names = source.constant(_Names(shape), "names")
        which = source.fresh("which")
        source.line(f"{which} = {names}.known.get({key})")
        source.line(f"if {which} is None:")
        source.line(f"    {which} = {names}.find({key})")
        several = f"{which} == -2"
        branches = shape.patterns[:MAX_BRANCHES]
        if len(branches) < len(shape.patterns):
            several += f" or {which} >= {MAX_BRANCHES}"
        with source.block(f"if {several}:"):
            shapes = f"{source.constant(shape, 'shape')}.members({key})"
            source.line(f"shut.append(({value}, {key}, {shapes}, {layers}))")
        for index, (_, child) in enumerate(branches):
            with source.block(f"elif {which} == {index}:"):
                if self._opener.needs(child):
                    self._opener.place(child, member, value, key, layers)
        with source.block("else:"):
            self._other(shape, key, member, value, layers, found)

    def _other(
        self, shape: Shape, key: str, member: str, value: str, layers: str, found: str
    ) -> None:
        if found:
            self._source.line(f"{found}.append(({key}, {member}))")
        elif shape.rest is not None and self._opener.needs(shape.rest):
            self._opener.place(shape.rest, member, value, key, layers)

    def write_elements(self, shape: Shape, value: str, layers: str) -> None:
        """Write what is done with the elements of an array."""
        source, items = self._source, shape.items
        prefix = shape.prefix if any(self._opener.needs(child) for child in shape.prefix) else ()
        if not prefix and not self._opener.needs(items):
            return
        if not shape.prefix and self._opener.is_bare(items):
            source.line(f"sweep({value}, reader, read, shut)")
            return
        element, index = source.fresh("v"), source.fresh("i")
        if (
            not shape.prefix
            and items is not None
            and not items.alternatives
            and not self._opener.finds
        ):
            with self._opener.looping(f"for {element} in {value}:"):
                self._opener.place(items, element, value, "", layers)
            return
        with self._opener.looping(f"for {index}, {element} in enumerate({value}):"):
            head = "if"
            for at, child in enumerate(shape.prefix[:MAX_BRANCHES]):
                with source.block(f"{head} {index} == {at}:"):
                    self._element(child, element, value, index, layers)
                head = "elif"
            if len(shape.prefix) > MAX_BRANCHES:
                with source.block(f"elif {index} < {len(shape.prefix)}:"):
                    children = source.constant(shape.prefix, "PREFIX")
                    source.line(f"shapes = {children}[{index}]")
                    source.line("shapes = () if shapes is None else (shapes,)")
                    source.line(f"shut.append(({value}, {index}, shapes, {layers}))")
            with source.block("else:") if shape.prefix else nullcontext():
                self._element(items, element, value, index, layers)

    def _element(
        self, child: Shape | None, element: str, value: str, index: str, layers: str
    ) -> None:
        if not self._opener.needs(child):
            return
        if child is None:
            self._source.line(f"sweep({value}, reader, read, shut, (({index}, {element}),))")
        else:
            self._opener.place(child, element, value, index, layers)
