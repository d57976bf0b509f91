"""The compiled form of a schema: which places hold layers, as a graph."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast

from nestdecode.errors import POLICIES, Policy
from nestdecode.paths import Step, Wild, format_path
from nestdecode.spec.pattern import Pattern
from nestdecode.spec.text import SpecText
from nestdecode.text.depth import DEEPEST
from nestdecode.text.tokens import named
from nestdecode.words import nearest

__all__ = [
    "Alternative",
    "Layer",
    "Shape",
    "layers_of",
    "live_shapes",
    "outside_objects",
    "read_policy",
    "read_style",
    "walk",
]


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
        style: How the layers here are written if there is nothing to go by, or None.
    """

    places: tuple[str, ...]
    names: dict[str, Shape]
    patterns: tuple[tuple[Pattern, Shape], ...]
    rest: Shape | None
    prefix: tuple[Shape | None, ...]
    items: Shape | None
    alternatives: tuple[Alternative, ...]
    plain: Literal[True] | frozenset[str]
    on_error: Policy | None
    declared: bool
    style: str | None = None

    def admits_plain(self, text: str) -> bool:
        """Tell whether *text* may stay the string that it is."""
        return self.plain is True or text in self.plain

    def members(self, name: str) -> tuple[Shape, ...]:
        """Return what is declared for the member *name*: none, one or several."""
        known = self.names.get(name)
        if known is not None:
            return (known,)
        if not isinstance(name, str):
            return ()  # parsed documents may have keys that JSON does not know
        matched = tuple(shape for pattern, shape in self.patterns if pattern.search(name))
        return matched or (() if self.rest is None else (self.rest,))

    def element(self, index: int) -> Shape | None:
        """Return what is declared for the element at *index*, from 0."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def children(self) -> Iterator[tuple[Step, Shape]]:
        """Go through the declared children, in the order of the spec."""
        yield from self.names.items()
        for pattern, shape in self.patterns:
            yield f"/{pattern.text}/", shape
        if self.rest is not None:
            yield Wild.MEMBERS, self.rest
        for index, element in enumerate(self.prefix):
            if element is not None:
                yield index, element
        if self.items is not None:
            yield Wild.ELEMENTS, self.items


def walk(root: Shape) -> Iterator[tuple[Shape, tuple[Step, ...]]]:
    """Go through a shape and all below it, each with the shortest path that leads to it."""
    seen = {root}
    waiting: deque[tuple[Shape, tuple[Step, ...]]] = deque([(root, ())])
    while waiting:
        shape, steps = waiting.popleft()
        yield shape, steps
        below = [(child, (*steps, step)) for step, child in shape.children()]
        below += [(a.content, steps) for a in shape.alternatives if a.content is not None]
        for child, path in below:
            if child not in seen:
                seen.add(child)
                waiting.append((child, path))


def outside_objects(root: Shape) -> Iterator[tuple[Shape, bool, tuple[Step, ...]]]:
    """
    Go through the shapes of places that are not members of an object and cannot be dropped.

    Yields:
        The shape; whether it is that of a layer's content; the shortest path to the place.
    """
    seen: set[tuple[Shape, str]] = set()
    waiting: deque[tuple[Shape, str, tuple[Step, ...]]] = deque()

    def enter(shape: Shape, kind: str, steps: tuple[Step, ...]) -> None:
        if (shape, kind) not in seen:
            seen.add((shape, kind))
            waiting.append((shape, kind, steps))

    enter(root, "record", ())
    while waiting:
        shape, kind, steps = waiting.popleft()
        if kind != "member":
            yield shape, kind == "content", steps
        for step, child in shape.children():
            is_element = isinstance(step, int) or step is Wild.ELEMENTS
            enter(child, "element" if is_element else "member", (*steps, step))
        for alternative in shape.alternatives:
            if alternative.content is not None:
                enter(alternative.content, "content", steps)


def live_shapes(root: Shape) -> set[Shape]:
    """Return the shapes at or below which a layer is declared."""
    parents: dict[Shape, list[Shape]] = {}
    waiting, alive = [root], []
    parents[root] = []
    while waiting:
        shape = waiting.pop()
        if shape.alternatives:
            alive.append(shape)
        below = [child for _, child in shape.children()]
        below += [a.content for a in shape.alternatives if a.content is not None]
        for child in below:
            if child not in parents:
                parents[child] = []
                waiting.append(child)
            parents[child].append(shape)
    live: set[Shape] = set()
    while alive:
        shape = alive.pop()
        if shape not in live:
            live.add(shape)
            alive += parents[shape]
    return live


def read_policy(value: Any, source: SpecText, pointer: str) -> Policy:
    """
    Read an on-error policy; a present null means ``null``.

    Raises:
        SpecError: If it is none.
    """
    name = "null" if value is None else value
    if name not in POLICIES:
        raise source.error(
            f"unknown policy {value!r}: wanted one of {', '.join(POLICIES)}"
            f"{nearest(value, POLICIES)}",
            pointer,
        )
    return cast(Policy, name)


def read_style(value: Any, source: SpecText, pointer: str) -> str:
    """
    Read the name of a style.

    Raises:
        SpecError: If there is none of that name.
    """
    try:
        named(value)
    except (TypeError, ValueError):
        pass
    else:
        return cast(str, value)
    wanted = "compact, spaced or indent-1 to indent-8, ascii, or one of them and ascii"
    raise source.error(f"unknown style {value!r}: wanted {wanted}", pointer)


def layers_of(root: Shape, most: int = 10_000) -> tuple[Layer, ...]:
    """
    List the layers that a shape declares, in the order of the spec.

    Recursion is followed once: a place inside itself is not listed again.

    Args:
        root: Shape of the record.
        most: Where to stop; shared schemas can have very many places. The search stops
            at some number of places without a layer, too.
    """
    found: list[Layer] = []
    live = live_shapes(root)
    visits = 0

    def is_enough() -> bool:
        nonlocal visits
        visits += 1
        return visits > 20 * most or len(found) >= most

    def chains(shape: Shape, seen: tuple[Shape, ...]) -> Iterator[tuple[str, ...]]:
        """Spell out alternatives whose content may be a string that is opened in turn."""
        for alternative in shape.alternatives:
            content = alternative.content
            is_end = (
                content is None or not content.alternatives or "string" not in alternative.admits
            )
            if is_end or alternative.admits != {"string"}:
                yield alternative.codecs
            if content is None or is_end or content in seen or len(seen) >= DEEPEST:
                continue
            for rest in chains(content, (*seen, content)):
                yield alternative.codecs + rest
            if is_enough():
                return

    def visit(shape: Shape, steps: tuple[Step, ...], active: tuple[Shape, ...]) -> None:
        # No document has more containers inside one another than may be written.
        if is_enough() or shape in active or shape not in live or len(steps) > DEEPEST:
            return
        listed: set[tuple[str, ...]] = set()
        for codecs in chains(shape, ()):
            if codecs not in listed:
                listed.add(codecs)
                optional = shape.plain is True
                found.append(Layer(format_path(steps), codecs, optional, shape.on_error))
            if is_enough():
                return
        for step, child in shape.children():
            visit(child, (*steps, step), (*active, shape))

    visit(root, (), ())
    return tuple(found)
