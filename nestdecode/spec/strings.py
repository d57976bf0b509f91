"""The part of a shape that is about strings: chains that may open one, plain strings, policy."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Literal

from nestdecode.spec.once import Answers, once
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import Alternative, Shape, read_policy, read_style
from nestdecode.spec.state import FREE, All, Conditional, Either, Own, State

__all__ = ["StringShapes"]


class StringShapes:
    """
    Fills in what a shape says of a string at its place.

    Args:
        schemas: The schemas of the document.
        shape_of: Returns the shape of a state, or None for a state without schemas.
    """

    def __init__(self, schemas: Schemas, shape_of: Callable[[State], Shape | None]) -> None:
        self.answers: Answers = defaultdict(dict)
        self._schemas = schemas
        self._states = schemas.applied.states
        self._shape_of = shape_of

    def fill(self, shape: Shape, own: State | None) -> None:
        """
        Set ``plain``, ``alternatives``, ``on_error`` and ``style`` of a shape.

        Args:
            shape: The shape; ``places`` must be set.
            own: Its state, without whole schemas.

        Raises:
            SpecError: If two schemas name different policies or styles.
        """
        shape.plain = self._plain(own)
        admitted = self._schemas.types.admitted
        shape.alternatives = tuple(
            Alternative(
                codecs,
                admitted(content) if codecs[-1] == "json" else frozenset({"string"}),
                self._shape_of(content),
            )
            for codecs, content in self._contents(own).items()
        )
        for pointer in shape.places:
            self._fill_named(shape, pointer)

    def _fill_named(self, shape: Shape, pointer: str) -> None:
        """Set the policy and the style that a schema names, if it does."""
        source, chains = self._schemas.source, self._schemas.chains
        extension = chains.extension(pointer)
        if "style" in extension:
            here = f"{pointer}/x-nestdecode/style"
            style = read_style(extension["style"], source, here)
            if shape.style not in (None, style):
                reason = f"style is {shape.style} and {style} for the same place"
                raise source.error(reason, here)
            shape.style = style
        if chains.names_policy(pointer):
            here = f"{pointer}/x-nestdecode/on-error"
            policy = read_policy(extension["on-error"], source, here)
            if shape.on_error not in (None, policy):
                reason = f"on-error is {shape.on_error} and {policy} for the same place"
                raise source.error(reason, here)
            shape.on_error = policy

    def views(self, own: State | None) -> list[State]:
        """Return a state and, repeatedly, the states of the content of its strings."""
        applied = self._schemas.applied
        views: dict[State, None] = {}
        waiting = [own]
        while waiting:
            view = waiting.pop(0)
            if view is None or view in views:
                continue
            views[view] = None
            contents = map(applied.bounded, self._contents(view).values())
            waiting += map(applied.look_into, contents)
        self._states.spend(len(views))
        return list(views)

    @once
    def _contents(self, state: State | None) -> dict[tuple[str, ...], State]:
        """Return the chains that a state declares, in order, and the content state of each."""
        if isinstance(state, Conditional):
            return self._contents(state.part)
        if isinstance(state, Own):
            chain = self._schemas.chains.chain(state.pointer)
            if chain is None:
                return {}
            return {chain[0]: FREE if chain[1] is None else self._schemas.applied.whole(chain[1])}
        found: dict[tuple[str, ...], list[State]] = {}
        held: set[tuple[str, ...]] = set()
        for part in state.parts if isinstance(state, (Either, All)) else ():
            for codecs, content in self._contents(part).items():
                found.setdefault(codecs, []).append(content)
                if isinstance(state, All) and not isinstance(part, Conditional):
                    held.add(codecs)
        self._states.spend(len(found))
        return {
            codecs: self._states.combine(All if codecs in held else Either, contents) or FREE
            for codecs, contents in found.items()
        }

    @once
    def _plain(self, state: State | None) -> Literal[True] | frozenset[str]:
        """Return the plain strings: True for all, or those that a schema lists."""
        if isinstance(state, All):
            result: Literal[True] | frozenset[str] = True
            for plain in map(self._plain, state.parts):
                if plain is not True:
                    result = plain if result is True else result & plain
            return result
        if isinstance(state, Either):
            listed: set[str] = set()
            for plain in map(self._plain, state.parts):
                if plain is True:
                    return True
                listed |= plain
            self._states.spend(len(listed))
            return frozenset(listed)
        # The schema of a condition excludes no string.
        return self._own_plain(state.pointer) if isinstance(state, Own) else True

    def _own_plain(self, pointer: str) -> Literal[True] | frozenset[str]:
        """Return the plain strings by a schema's own keywords."""
        schemas = self._schemas
        schema = schemas.references.schema(pointer)
        if schemas.chains.chain(pointer) is not None or "string" not in schemas.types.own(pointer):
            return frozenset()
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            return frozenset(value for value in values if isinstance(value, str))
        return frozenset({""}) if schema.get("maxLength") == 0 else True
