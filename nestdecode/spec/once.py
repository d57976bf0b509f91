"""Answers that are remembered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

__all__ = ["Answers", "once"]

# Those of an object, by the name of the method and by key.
Answers = defaultdict[str, dict[Any, Any]]


class _Remembering(Protocol):
    answers: Answers


S = TypeVar("S", bound=_Remembering)
K = TypeVar("K")
T = TypeVar("T")


def once(method: Callable[[S, K], T]) -> Callable[[S, K], T]:
    """Make a method remember its answers, one for each key; an error is not an answer."""
    name = method.__name__

    @wraps(method)
    def answer(self: S, key: K) -> T:
        known = self.answers[name]
        if key not in known:
            known[key] = method(self, key)
        found: T = known[key]
        return found

    return answer
