"""The compiled form of a schema: which places hold layers, as a graph."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nestdecode.paths import Step, Wild, format_path

__all__ = ["POLICIES", "Alternative", "Layer", "Policy", "Shape", "layers_of"]

Policy = Literal["keep", "null", "drop", "fail"]
POLICIES: tuple[Policy, ...] = ("keep", "null", "drop", "fail")


@dataclass(frozen=True, slots=True)
class Layer:
    """
    One declared layer: a set of places, and how to open what is there.

    Alternatives are several layers with the same path, in the order they are tried.

    Attributes:
        path: Over the expanded tree, in JMESPath's spelling.
        codecs: In the order in which they are undone.
        optional: Whether a string that does not open is no problem.
        on_error: The policy that the spec names for it, or None.
    """

    path: str
    codecs: tuple[str, ...]
    optional: bool = False
    on_error: Policy | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Alternative:
    """
    One chain of codecs that may open a string.

    Attributes:
        codecs: In the order in which they are undone. ``json`` only as the last.
        admits: JSON Schema types that the decoded value may have.
        content: Shape of the decoded value, or None if nothing is known of it.
    """

    codecs: tuple[str, ...]
    admits: frozenset[str]
    content: Shape | None


@dataclass(slots=True, eq=False)
class Shape:
    """
    What a spec says of one place. Shapes of recursive schemas form cycles.

    Children are those of the expanded tree: a layer's content is described at the
    place of its string, so a document that is already open has the same shape.

    Attributes:
        places: Pointers in the spec of all that describes this place.
        names: Members known by name.
        patterns: Members known by a pattern (searched, not matched whole), for
            names that are not in ``names``; all that match apply.
        rest: Every other member, or None if undeclared.
        prefix: Elements known by index.
        items: Every other element, or None if undeclared.
        alternatives: The chains that may open a string here, in order.
        plain: Strings that may stay: all (True), or just these.
        on_error: The policy named for the layers here, or None.
        declared: Whether the schema says anything about the value here.
    """

    places: tuple[str, ...]
    names: dict[str, Shape]
    patterns: tuple[tuple[re.Pattern[str], Shape], ...]
    rest: Shape | None
    prefix: tuple[Shape | None, ...]
    items: Shape | None
    alternatives: tuple[Alternative, ...]
    plain: Literal[True] | frozenset[str]
    on_error: Policy | None
    declared: bool

    def admits_plain(self, text: str) -> bool:
        """Tell whether *text* may stay the string that it is."""
        return self.plain is True or text in self.plain

    def members(self, name: str) -> tuple[Shape, ...]:
        """Return what is declared for the member *name*: none, one or several."""
        known = self.names.get(name)
        if known is not None:
            return (known,)
        matched = tuple(shape for pattern, shape in self.patterns if pattern.search(name))
        return matched or (() if self.rest is None else (self.rest,))

    def element(self, index: int) -> Shape | None:
        """Return what is declared for the element at *index*, from 0."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def children(self) -> Iterator[tuple[Step, Shape]]:
        """Go through the declared children, in the order of the spec."""
        yield from self.names.items()
        for pattern, shape in self.patterns:
            yield f"/{pattern.pattern}/", shape
        if self.rest is not None:
            yield Wild.MEMBERS, self.rest
        for index, element in enumerate(self.prefix):
            if element is not None:
                yield index, element
        if self.items is not None:
            yield Wild.ELEMENTS, self.items


def _chains(
    alternatives: tuple[Alternative, ...], seen: tuple[Shape, ...] = ()
) -> Iterator[tuple[str, ...]]:
    """Spell out alternatives whose content may be a string that is opened in turn."""
    for alternative in alternatives:
        content = alternative.content
        if content is None or not content.alternatives or "string" not in alternative.admits:
            yield alternative.codecs
            continue
        if alternative.admits != {"string"}:
            yield alternative.codecs
        if content not in seen:
            for rest in _chains(content.alternatives, (*seen, content)):
                yield alternative.codecs + rest


def layers_of(root: Shape, most: int = 10_000) -> tuple[Layer, ...]:
    """
    List the layers that a shape declares, in the order of the spec.

    Recursion is followed once: a place inside itself is not listed again.

    Args:
        root: Shape of the record.
        most: Where to stop; shared schemas can have very many places.
    """
    found: list[Layer] = []

    def visit(shape: Shape, steps: tuple[Step, ...], active: tuple[Shape, ...]) -> None:
        if shape in active or len(found) >= most:
            return
        for codecs in dict.fromkeys(_chains(shape.alternatives)):
            optional = shape.plain is True
            found.append(Layer(format_path(steps), codecs, optional, shape.on_error))
        for step, child in shape.children():
            visit(child, (*steps, step), (*active, shape))

    visit(root, (), ())
    return tuple(found[:most])
