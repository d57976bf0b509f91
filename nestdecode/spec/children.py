"""The part of a shape that is about children: the shapes of members and elements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TypeVar

from nestdecode.paths import split_pointer
from nestdecode.spec.applied import Applied
from nestdecode.spec.once import Answers, once
from nestdecode.spec.pattern import Pattern
from nestdecode.spec.references import References
from nestdecode.spec.regular import PatternError
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import Shape
from nestdecode.spec.state import FREE, All, Children, Either, State

__all__ = ["ChildShapes"]

MAX_PATTERNS = 32

_OF_CHILDREN = frozenset(
    "properties patternProperties additionalProperties unevaluatedProperties "
    "items prefixItems contains unevaluatedItems".split()
)

K = TypeVar("K")


class _OwnKeywords:
    """The states of members and elements by a schema's own keywords."""

    def __init__(self, references: References, applied: Applied) -> None:
        self.answers: Answers = defaultdict(dict)
        self._references = references
        self._source = references.source
        self._whole = applied.whole
        self._combine = applied.states.combine

    @once
    def are_there(self, pointer: str) -> bool:
        """Return whether a schema has a keyword about children."""
        return not _OF_CHILDREN.isdisjoint(self._references.schema(pointer))

    @once
    def pattern(self, pointer: str) -> Pattern:
        """Return the compiled pattern that is the last token of a pointer."""
        text = split_pointer(pointer)[-1]
        try:
            return Pattern(text, lambda work: self._source.spend(work, pointer))
        except PatternError as error:
            reason = f"pattern does not compile: {error}"
        raise self._source.error(reason, pointer)

    def members(
        self, pointer: str, names: Iterable[str], patterns: dict[str, Pattern]
    ) -> Children[str]:
        """Return the states of members: of these *names*, and of all others."""
        known = self._references.named(pointer, "patternProperties")
        if not known:
            return self._properties(pointer)
        properties, rest = self._properties(pointer)
        named: dict[str, State | None] = {}
        for name in names:
            self._source.spend(len(known) * (1 + len(name) // 16), pointer)
            parts = [properties[name]] if name in properties else []
            parts += [self._whole(at) for key, at in known.items() if patterns[key].search(name)]
            if parts:
                named[name] = self._combine(All, parts)
        return named, rest

    @once
    def _properties(self, pointer: str) -> Children[str]:
        properties = self._references.named(pointer, "properties")
        self._source.spend(4 * len(properties), pointer)
        return {name: self._whole(at) for name, at in properties.items()}, self._rest(pointer)

    @once
    def matching(self, pointer: str) -> Children[str]:
        """Return the states of members by the pattern that their names match."""
        patterns = self._references.named(pointer, "patternProperties")
        return {key: self._whole(at) for key, at in patterns.items()}, self._rest(pointer)

    def _rest(self, pointer: str) -> State | None:
        given = "additionalProperties" in self._references.schema(pointer)
        return self._whole(f"{pointer}/additionalProperties") if given else None

    @once
    def elements(self, pointer: str) -> Children[int]:
        """Return the states of elements: of those by index, and of all others."""
        schema = self._references.schema(pointer)
        prefix = self._references.listed(pointer, "prefixItems")
        if isinstance(schema.get("items"), list):
            raise self._source.error(
                "expected a schema, got array: a schema for each index is prefixItems",
                f"{pointer}/items",
            )
        parts = [self._whole(f"{pointer}/items")] if "items" in schema else []
        if "contains" in schema:
            contained = self._combine(Either, [self._whole(f"{pointer}/contains"), FREE])
            parts += [contained] if contained else []
        self._source.spend(4 * len(prefix), pointer)
        return dict(enumerate(map(self._whole, prefix))), self._combine(All, parts)

    def left_over(self, pointer: str, keyword: str) -> State | None:
        """Return the state of an ``unevaluated`` keyword, or None without it."""
        given = keyword in self._references.schema(pointer)
        return self._whole(f"{pointer}/{keyword}") if given else None


class ChildShapes:
    """
    Fills in what a shape says of the children of its place.

    Args:
        schemas: The schemas of the document.
        shape_of: Returns the shape of a state, or None for a state without schemas.
    """

    def __init__(self, schemas: Schemas, shape_of: Callable[[State], Shape | None]) -> None:
        self._references = schemas.references
        self._states = schemas.applied.states
        self._keywords = _OwnKeywords(schemas.references, schemas.applied)
        self._shape_of = shape_of

    def fill(self, shape: Shape, views: list[State]) -> None:
        """
        Set ``names``, ``patterns``, ``rest``, ``prefix`` and ``items`` of a shape.

        Args:
            shape: The shape of the place.
            views: The states of the place and of the content of its strings.
        """
        pointers, keywords = self._states.pointers, self._keywords
        if not any(keywords.are_there(pointer) for view in views for pointer in pointers(view)):
            return
        places = [pointer for view in views for pointer in pointers(view)]
        names: dict[str, None] = {}
        patterns: dict[str, Pattern] = {}
        prefix = 0
        self._states.spend(len(places))
        for pointer in places:
            names.update(dict.fromkeys(self._references.named(pointer, "properties")))
            self._add_patterns(patterns, pointer)
            prefix = max(prefix, len(self._references.listed(pointer, "prefixItems")))

        def members(pointer: str) -> Children[str]:
            return keywords.members(pointer, names, patterns)

        member = self._child(views, members, "unevaluatedProperties")
        shape.names = {name: found for name in names if (found := member(name))}
        shape.rest = member(None)
        if patterns:
            matching = self._child(views, keywords.matching, "unevaluatedProperties")
            shape.patterns = tuple(
                (pattern, found) for key, pattern in patterns.items() if (found := matching(key))
            )
        element = self._child(views, keywords.elements, "unevaluatedItems")
        shape.prefix = tuple(map(element, range(prefix)))
        shape.items = element(None)

    def _add_patterns(self, patterns: dict[str, Pattern], pointer: str) -> None:
        for pattern, where in self._references.named(pointer, "patternProperties").items():
            patterns.setdefault(pattern, self._keywords.pattern(where))
            if len(patterns) > MAX_PATTERNS:
                reason = f"more than {MAX_PATTERNS} patterns for the names of one object"
                raise self._references.source.error(reason, where)

    def _child(
        self, views: list[State], of: Callable[[str], Children[K]], unevaluated: str
    ) -> Callable[[K | None], Shape | None]:
        """
        Return the function from a child's name or index to its shape; None is every other child.

        Args:
            views: The states of the place of the children.
            of: Returns the states of the children by a schema's own keywords.
            unevaluated: The keyword for children that no other keyword describes.
        """
        combine, pointers = self._states.combine, self._states.pointers
        found = [self._states.children(view, of) for view in views]

        def left_over(pointer: str) -> Children[K]:
            return {}, self._keywords.left_over(pointer, unevaluated)

        left = combine(Either, [self._states.children(view, left_over)[1] for view in views])

        def child(key: K | None) -> Shape | None:
            state = combine(
                Either, [rest if key is None else named.get(key, rest) for named, rest in found]
            )
            state = state if pointers(state) else left
            return None if state is None else self._shape_of(state)

        return child
