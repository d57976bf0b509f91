"""
The schemas that apply in place of one: by ``$ref``, ``allOf``, ``anyOf`` and conditions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable

from nestdecode.spec.circles import Circles
from nestdecode.spec.once import Answers, once
from nestdecode.spec.references import NEVER, References
from nestdecode.spec.state import FREE, All, Conditional, Either, Free, Own, State, States

__all__ = ["Applied"]


class Applied:
    """
    The schemas of one document, with those that apply in place of each.

    Args:
        references: Resolves pointers to schemas.

    Attributes:
        states: The states of the document.
    """

    def __init__(self, references: References) -> None:
        self.answers: Answers = defaultdict(dict)
        self._references = references
        self._schema = references.schema
        self.states: States = States(references.source.spend)
        self._circles = Circles(references.source, self._subschemas)

    @once
    def whole(self, pointer: str) -> State:
        """Return the state of a whole schema."""
        return self.states.schema(pointer, never=self._schema(pointer) == NEVER)

    def look_into(self, state: State | None) -> State | None:
        """Return a state whose whole schemas are replaced by the ``Own`` of all that apply."""
        return None if state is None else self._looked_into(state)

    @once
    def _looked_into(self, state: State) -> State | None:
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._looked_into, state.parts))
        if isinstance(state, Conditional):
            inner = self._looked_into(state.part)
            return inner and self.states.asked(inner)
        return state if isinstance(state, (Own, Free)) else self._applied(state.pointer)

    def places(self, pointer: str) -> tuple[str, ...]:
        """Return the pointers of the schemas that apply in place of one, itself included."""
        return self.states.pointers(self._applied(pointer))

    @once
    def _applied(self, pointer: str) -> State | None:
        """
        Return the state of the schemas that apply in place of a whole schema.

        A schema that leads back to itself in place, which JSON Schema leaves undefined
        (core, section 9.4.1), adds nothing the second time. In a group of schemas that lead
        to one another, each is visited once, not once for each way to it.
        """
        home = self._circles.number(pointer)
        known: dict[str, State | None] = {}

        def applied(pointer: str) -> State | None:
            if self._circles.number(pointer) != home:
                return self._applied(pointer)
            if pointer not in known:
                known[pointer] = None  # what a way back to it adds
                known[pointer] = self._joined(pointer, applied)
            return known[pointer]

        return applied(pointer)

    def _subschemas(self, pointer: str) -> list[str]:
        found: list[str] = []
        self._joined(pointer, found.append)
        return found

    def _joined(self, pointer: str, applied: Callable[[str], State | None]) -> State | None:
        """Return the state of a schema, given *applied* for the states of its subschemas."""
        schema, combine = self._schema(pointer), self.states.combine
        references = self._references
        if "$ref" in schema and references.version == "3.0":
            # OpenAPI 3.0: the siblings of $ref in a Reference Object are ignored.
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
        """Return *state* with bare references followed, and bounded as ``States.bounded`` says."""
        return self.states.bounded(self._followed(state), self._references.position, self.whole)

    @once
    def _followed(self, state: State) -> State:
        """Return *state* with each schema that is only a ``$ref`` replaced by its target."""
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._followed, state.parts)) or FREE
        if isinstance(state, Conditional):
            return self.states.asked(self._followed(state.part))
        if isinstance(state, (Own, Free)):
            return state
        return self.whole(self._references.followed(state.pointer))
