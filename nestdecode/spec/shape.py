"""Shapes: the compiled form of a spec, a graph of places with the layers declared at each."""

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
    "met_in",
    "outside_objects",
    "read_policy",
    "read_style",
    "walk",
]


@dataclass(frozen=True, slots=True)
class Layer:
    """
    One declared layer: a path, and the codecs that open the strings there. Immutable.

    Alternatives at one path are several layers, in the order in which they are tried.

    >>> import nestdecode
    >>> nestdecode.Spec.load("aws/sqs-sns").layers[0]
    Layer(path='Records[].body', codecs=('json',), optional=True, on_error=None)

    Attributes:
        path: A path into the expanded tree, in JMESPath's spelling; ``[]`` is each element
            of an array, ``*`` each other member of an object.
        codecs: The codecs, in the order in which they are undone.
        optional: Whether a string that does not open is plain, not a problem.
        on_error: The policy that the spec names for this layer, or None.
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
        codecs: The codecs, in the order in which they are undone; only the last may be
            ``json``.
        admits: The JSON Schema types that the decoded value may have.
        content: The shape of the decoded value, or None if no schema describes it.
    """

    codecs: tuple[str, ...]
    admits: frozenset[str]
    content: Shape | None


@dataclass(slots=True, eq=False)
class Shape:
    """
    What a spec declares for one place. Shapes of recursive schemas form cycles.

    Children are those of the expanded tree: a layer's content is described at the place
    of its string, so that a document that is already expanded has the same shape.

    Attributes:
        places: The pointers, in the spec, of all schemas that describe this place.
        names: The shapes of members, by name.
        patterns: The shapes of members that are not in ``names``, by patterns that are
            searched for in the name; all that match apply.
        rest: The shape of every other member, or None if not declared.
        prefix: The shapes of elements, by index.
        items: The shape of every other element, or None if not declared.
        alternatives: The chains that may open a string here, in the order of trying.
        plain: The strings that may stay: True for all, else these.
        on_error: The policy that is named for the layers here, or None.
        declared: Whether a schema describes the value here.
        style: The style of layers here that are written anew, or None.
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
        """Return whether *text* may stay a string."""
        return self.plain is True or text in self.plain

    def members(self, name: str) -> tuple[Shape, ...]:
        """Return the shapes of the member *name*: none, one or several."""
        known = self.names.get(name)
        if known is not None:
            return (known,)
        if not isinstance(name, str):
            return ()  # a document that Python made can have keys that are not strings
        matched = tuple(shape for pattern, shape in self.patterns if pattern.search(name))
        return matched or (() if self.rest is None else (self.rest,))

    def element(self, index: int) -> Shape | None:
        """Return the shape of the element at *index*, from 0, or None."""
        return self.prefix[index] if index < len(self.prefix) else self.items

    def children(self) -> Iterator[tuple[Step, Shape]]:
        """Yield the declared children, in the order of the spec."""
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
    """Yield a shape and all shapes below it, once each, with the shortest path to it."""
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


def met_in(tree: Any, shapes: tuple[Shape, ...]) -> Iterator[tuple[Shape, ...]]:
    """
    Yield the shapes of each place of a tree, as long as there are any.

    Args:
        tree: A value. Its strings are not opened.
        shapes: Those of its root.
    """
    waiting = [(shapes, tree)]
    while waiting:
        shapes, value = waiting.pop()
        yield shapes
        if type(value) is dict:
            for name, child in value.items():
                below = tuple(s for shape in shapes for s in shape.members(name))
                waiting += [(below, child)] if below else []
        elif type(value) is list:
            for index, child in enumerate(value):
                below = tuple(s for shape in shapes if (s := shape.element(index)) is not None)
                waiting += [(below, child)] if below else []


def outside_objects(root: Shape) -> Iterator[tuple[Shape, bool, tuple[Step, ...]]]:
    """
    Yield the shapes of places that are not members of an object, and so can't be dropped.

    Yields:
        The shape, whether it is the content of a layer, and the shortest path to the place.
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
    Return the policy that an ``on-error`` names; YAML reads ``null`` as None.

    Raises:
        SpecError: If *value* is not a policy.
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
    Return the name of a style.

    Raises:
        SpecError: If there is no style of that name.
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
    Return the layers that a shape declares, in the order of the spec.

    Recursion is followed once: a place inside itself is not listed again.

    Args:
        root: The shape of the record.
        most: The number of layers after which to stop; shared schemas can have very many
            places. The search also stops after 20 times as many places.
    """
    found: list[Layer] = []
    live = live_shapes(root)
    visits = 0

    def is_enough() -> bool:
        nonlocal visits
        visits += 1
        return visits > 20 * most or len(found) >= most

    def chains(shape: Shape, seen: tuple[Shape, ...]) -> Iterator[tuple[str, ...]]:
        """Yield the chains of a shape, those joined whose content is a string to open again."""
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
        # No document is deeper than DEEPEST, so no path needs to be longer.
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
