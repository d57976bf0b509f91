"""
States: the schemas that describe one place, and how they are combined.

A state is a graph of ``Either`` and ``All`` over schemas. ``Schema`` is a whole schema
whose keywords have not been read yet; ``Own`` is a schema's own keywords, without those
that apply other schemas in place (``$ref``, ``allOf`` and so on). Equal states are one
object, so that each is worked on once, however many states it is a part of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

__all__ = ["FREE", "All", "Conditional", "Either", "Free", "Own", "Schema", "State", "States"]

# A state with more parts than this is flattened to one ``Either``: recursive schemas would
# give states without end.
MOST_PARTS = 16


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """A whole schema; *never* says that nothing is valid against it."""

    pointer: str
    never: bool


@dataclass(frozen=True, slots=True, eq=False)
class Own:
    """A schema's own keywords; *never* says that nothing is valid against it."""

    pointer: str
    never: bool


@dataclass(frozen=True, slots=True, eq=False)
class Either:
    """States of which one or more hold."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True, eq=False)
class All:
    """States that all hold."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Conditional:
    """The schema of an ``if``: it may declare layers, but neither requires nor excludes a value."""

    part: Schema | Own


@dataclass(frozen=True, slots=True, eq=False)
class Free:
    """The state without any requirement, such as the missing branch of a condition."""


FREE = Free()

State = Schema | Own | Either | All | Conditional | Free
Key = TypeVar("Key")
# The states of children by name or index, and the state of all others; None: not declared.
Children = tuple[dict[Key, "State | None"], "State | None"]


class States:
    """
    The states of one document, each as one object.

    Args:
        spend: Called before each piece of work, with its size and the pointer of a schema.

    Attributes:
        place: The pointer of the schema that is worked on, for errors.
    """

    def __init__(self, spend: Callable[[int, str], None]) -> None:
        self._spend = spend
        self.place = ""
        self._known: dict[tuple[object, ...], State] = {}
        self._pointers: dict[State, tuple[str, ...]] = {}
        self._sizes: dict[State, int] = {}

    def spend(self, work: int) -> None:
        """Count work on the current schema before it is done."""
        self._spend(work, self.place)

    def schema(self, pointer: str, *, never: bool) -> State:
        """Return the state of a whole schema."""
        key = (Schema, pointer)
        return self._known.get(key) or self._known.setdefault(key, Schema(pointer, never))

    def own(self, pointer: str, *, never: bool) -> State:
        """Return the state of a schema's own keywords."""
        key = (Own, pointer)
        return self._known.get(key) or self._known.setdefault(key, Own(pointer, never))

    def asked(self, state: State) -> State:
        """Return the state of an ``if``: its schemas, all joined by ``All``."""
        if isinstance(state, (Either, All)):
            return self.combine(All, map(self.asked, state.parts)) or FREE
        if isinstance(state, (Conditional, Free)):
            return state
        key = (Conditional, state)
        return self._known.get(key) or self._known.setdefault(key, Conditional(state))

    def combine(
        self, kind: type[Either] | type[All], parts: Iterable[State | None]
    ) -> State | None:
        """Return states joined into one; None stands for the absence of a state, and drops out."""
        flat: dict[State, None] = {}
        for part in parts:
            if isinstance(part, kind):
                flat.update(dict.fromkeys(part.parts))
            elif part is not None:
                flat[part] = None
        self.spend(1 + len(flat))
        if kind is All:
            # A part that another part implies is left out.
            flat = {p: None for p in flat if not self._holds_anyway(p, flat)} or flat
        else:
            # An alternative against which nothing is valid is left out, unless all are such.
            flat = {p: None for p in flat if not _is_never(p)} or flat
        if len(flat) < 2:
            return next(iter(flat), None)
        key = (kind, *flat)
        return self._known.get(key) or self._known.setdefault(key, kind(tuple(flat)))

    def _holds_anyway(self, state: State, others: dict[State, None]) -> bool:
        if isinstance(state, Conditional):
            return state.part in others
        if not isinstance(state, Either) or FREE not in state.parts:
            return state is FREE
        self.spend(len(state.parts))
        return all(part is FREE or part in others for part in state.parts)

    def pointers(self, state: State | None) -> tuple[str, ...]:
        """Return the pointers of the schemas in a state, in order, without repeats."""
        if state is None or isinstance(state, Free):
            return ()
        if isinstance(state, (Schema, Own)):
            return (state.pointer,)
        known = self._pointers.get(state)
        if known is None:
            parts = (state.part,) if isinstance(state, Conditional) else state.parts
            found = dict.fromkeys(pointer for part in parts for pointer in self.pointers(part))
            self.spend(len(found))
            known = self._pointers[state] = tuple(found)
        return known

    def bounded(
        self,
        state: State,
        position: Callable[[str], tuple[int, ...]],
        whole: Callable[[str], State],
    ) -> State:
        """
        Return the state; if it has too many parts, one ``Either`` of the same schemas.

        Args:
            state: Any state.
            position: Returns a schema's position in the document, which is their new order.
            whole: Returns the state of a whole schema.
        """
        flat = isinstance(state, (Either, All)) and all(isinstance(p, Schema) for p in state.parts)
        if flat or self._size(state) <= MOST_PARTS:
            return state
        pointers = self.pointers(state)
        self.spend(4 * len(pointers))
        return self.combine(Either, map(whole, sorted(pointers, key=position))) or FREE

    def _size(self, state: State) -> int:
        """Return the number of parts of a state; any number above MOST_PARTS is too many."""
        if isinstance(state, Conditional):
            return self._size(state.part)
        if not isinstance(state, (Either, All)):
            return 1
        known = self._sizes.get(state)
        if known is None:
            known = 0
            for part in state.parts:
                known += self._size(part)
                if known > MOST_PARTS:
                    break
            self._sizes[state] = known
        return known

    def children(self, state: State | None, of: Callable[[str], Children[Key]]) -> Children[Key]:
        """
        Return the states of the children of a state's place.

        Args:
            state: A state without whole schemas, as ``Applied.look_into`` returns it.
            of: Returns the states of the children by a schema's own keywords.
        """
        known: dict[State, Children[Key]] = {}

        def children(state: State) -> Children[Key]:
            found = known.get(state)
            if found is None:
                found = known[state] = join(state)
            return found

        def join(state: State) -> Children[Key]:
            self.spend(3)
            if isinstance(state, Own):
                return of(state.pointer)
            if isinstance(state, Conditional):
                named, rest = children(state.part)
                self.spend(len(named))
                return {k: c and self.asked(c) for k, c in named.items()}, rest and self.asked(rest)
            if not isinstance(state, (Either, All)):
                return {}, FREE
            kind = type(state)
            parts = [children(part) for part in state.parts]
            # Most parts name few of the names, so only those that do are visited for each.
            rests = {index: rest for index, (_, rest) in enumerate(parts) if rest is not None}
            none: State | None = None
            if kind is Either:
                none = next(filter(_is_never, rests.values()), None)
                rests = {index: rest for index, rest in rests.items() if not _is_never(rest)}
            by_name: dict[Key, dict[int, State | None]] = {}
            for index, (named, _) in enumerate(parts):
                self.spend(len(named))
                for name, child in named.items():
                    by_name.setdefault(name, {})[index] = child
            joined: dict[Key, State | None] = {}
            for name, some in by_name.items():
                self.spend(len(rests))
                together = rests | some
                joined[name] = self.combine(kind, [together[i] for i in sorted(together)]) or none
            return joined, self.combine(kind, rests.values()) or none

        return ({}, None) if state is None else children(state)


def _is_never(state: State) -> bool:
    return isinstance(state, (Schema, Own)) and state.never
