"""
What applies at a place: schemas joined by ``$ref``, ``allOf``, ``anyOf`` and conditions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from nestdecode.spec.circles import Circles
from nestdecode.spec.once import Answers, once
from nestdecode.spec.references import NEVER, References
from nestdecode.spec.state import FREE, All, Asked, Either, Free, Own, State, States

__all__ = ["Applied"]


class Applied:
    """
    What applies in place of the schemas of one document.

    Args:
        references: Where the schemas are.

    Attributes:
        states: How they are joined.
    """

    def __init__(self, references: References) -> None:
        self.answers: Answers = defaultdict(dict)
        self._references = references
        self._schema = references.schema
        self.states: States = States(references.source.spend)
        self._circles = Circles(references.source, self._subschemas)

    @once
    def whole(self, pointer: str) -> State:
        """Return the state of a schema that has not been looked into."""
        return self.states.schema(pointer, never=self._schema(pointer) == NEVER)

    def look_into(self, state: State | None) -> State | None:
        """Replace the whole schemas of *state* by what applies in place, ``$ref`` followed."""
        return None if state is None else self._looked_into(state)

    @once
    def _looked_into(self, state: State) -> State | None:
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._looked_into, state.parts))
        if isinstance(state, Asked):
            inner = self._looked_into(state.part)
            return inner and self.states.asked(inner)
        return state if isinstance(state, (Own, Free)) else self._applied(state.pointer)

    def places(self, pointer: str) -> tuple[str, ...]:
        """Return the pointers of the schemas that apply in place of one."""
        return self.states.owns(self._applied(pointer))

    @once
    def _applied(self, pointer: str) -> State | None:
        """
        Return what applies in place of a whole schema.

        A schema that leads back to itself in place, which JSON Schema leaves undefined
        (core, section 9.4.1), says nothing more there. Schemas that lead to one another
        are gone through once for each of them, not once for each way between them.
        """
        home = self._circles.number(pointer)
        known: dict[str, State | None] = {}

        def applied(pointer: str) -> State | None:
            if self._circles.number(pointer) != home:
                return self._applied(pointer)
            if pointer not in known:
                known[pointer] = None  # while it is looked into
                known[pointer] = self._joined(pointer, applied)
            return known[pointer]

        return applied(pointer)

    def _subschemas(self, pointer: str) -> list[str]:
        found: list[str] = []
        self._joined(pointer, found.append)
        return found

    def _joined(self, pointer: str, applied: Callable[[str], State | None]) -> State | None:
        """Join a schema's own keywords with what *applied* says of its subschemas."""
        schema, combine = self._schema(pointer), self.states.combine
        references = self._references
        if "$ref" in schema and references.version == "3.0":
            # A Reference Object has no other members.
            return applied(references.resolve(schema["$ref"], pointer))
        self.states.place = pointer
        own = self.states.own(pointer, never=schema == NEVER)
        parts: list[State | None] = [own]
        if "$ref" in schema:
            parts.append(applied(references.resolve(schema["$ref"], pointer)))

        def branches(key: str) -> list[State | None]:
            return [applied(branch) for branch in references.listed(pointer, key)]

        parts += branches("allOf")
        parts.append(combine(Either, branches("anyOf")))
        parts.append(combine(Either, branches("oneOf")))
        if "if" in schema:
            asked = applied(f"{pointer}/if")
            then = applied(f"{pointer}/then") if "then" in schema else None
            other = applied(f"{pointer}/else") if "else" in schema else None
            parts.append(asked and self.states.asked(asked))
            parts.append(combine(Either, [then or FREE, other or FREE]))
        for child in references.named(pointer, "dependentSchemas").values():
            parts.append(combine(Either, [applied(child), FREE]))
        return combine(All, parts)

    @once
    def bounded(self, state: State) -> State:
        """Return the state that stands for *state*: of two with one shape, the same."""
        return self.states.bounded(self._followed(state), self._references.position, self.whole)

    @once
    def _followed(self, state: State) -> State:
        """Replace schemas that only refer by what they refer to."""
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._followed, state.parts)) or FREE
        if isinstance(state, Asked):
            return self.states.asked(self._followed(state.part))
        if isinstance(state, (Own, Free)):
            return state
        return self.whole(self._references.followed(state.pointer))
