"""Methods that compute their result once per key."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from functools import wraps
from typing import Any, Protocol, TypeVar

__all__ = ["Answers", "once"]

# The results that one object remembers: method name to key to result.
Answers = defaultdict[str, dict[Any, Any]]


class _Remembering(Protocol):
    answers: Answers


S = TypeVar("S", bound=_Remembering)
K = TypeVar("K")
T = TypeVar("T")


def once(method: Callable[[S, K], T]) -> Callable[[S, K], T]:
    """Return a method that remembers its result for each key; an error is not remembered."""
    name = method.__name__

    @wraps(method)
    def answer(self: S, key: K) -> T:
        known = self.answers[name]
        if key not in known:
            known[key] = method(self, key)
        found: T = known[key]
        return found

    return answer
