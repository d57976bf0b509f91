"""
States: which schemas describe one place, and how they are joined.

A tree of ``Either`` and ``All`` over pointers to schemas. A pointer stands for a whole
schema that has not been looked into; ``Own`` for a schema's own keywords, without those
that apply other schemas in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = [
    "All",
    "Asked",
    "Either",
    "Free",
    "Own",
    "State",
    "bounded",
    "combine",
    "owns",
    "project",
]

# A state with more parts than this forgets how they are joined, so that states of
# recursive schemas are finite.
MOST_PARTS = 16


@dataclass(frozen=True, slots=True)
class Either:
    """One of several schemas holds."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Several schemas hold together."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition: it is followed, but it holds nothing and excludes nothing."""

    part: State


@dataclass(frozen=True, slots=True)
class Own:
    """A schema's own keywords."""

    pointer: str


class Free:
    """Nothing is asked: the branch of a condition that was not written."""


State = str | Either | All | Asked | Own | type[Free]


def combine(kind: type[Either] | type[All], parts: Iterable[State | None]) -> State | None:
    """Join states; None says nothing, and is nothing."""
    flat: dict[State, None] = {}
    for part in parts:
        if isinstance(part, kind):
            flat.update(dict.fromkeys(part.parts))
        elif part is not None:
            flat[part] = None
    if kind is All:
        # What holds anyway need not be held again under a condition.
        flat = {
            p: None
            for p in flat
            if not (
                isinstance(p, Either) and Free in p.parts and set(p.parts) - {Free} <= set(flat)
            )
        }
    if len(flat) < 2:
        return next(iter(flat), None)
    return kind(tuple(flat))


def owns(state: State | None) -> list[str]:
    """Return the pointers in a state, each once, in order."""
    if isinstance(state, (Either, All)):
        return list(dict.fromkeys(pointer for part in state.parts for pointer in owns(part)))
    if isinstance(state, Asked):
        return owns(state.part)
    if isinstance(state, Own):
        return [state.pointer]
    return [state] if isinstance(state, str) else []


def bounded(state: State, position: Callable[[str], int]) -> State:
    """
    Return the state, or one with the same schemas that has forgotten how they are joined.

    Then they are in the order of the document, which *position* tells.
    """
    flat = isinstance(state, (Either, All)) and all(isinstance(p, str) for p in state.parts)
    if flat or _size(state) <= MOST_PARTS:
        return state
    pointers: list[str] = sorted(owns(state), key=position)
    return Either(tuple(pointers))


def _size(state: State) -> int:
    if isinstance(state, (Either, All)):
        return sum(map(_size, state.parts))
    return _size(state.part) if isinstance(state, Asked) else 1


def project(state: State | None, child: Callable[[str], State | None]) -> State | None:
    """Map each schema's own keywords to a state for a child place."""
    if isinstance(state, (Either, All)):
        return combine(type(state), [project(part, child) for part in state.parts])
    if isinstance(state, Asked):
        inner = project(state.part, child)
        return None if inner is None else Asked(inner)
    return child(state.pointer) if isinstance(state, Own) else state
