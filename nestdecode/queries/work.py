"""The budget of one answer: what it may build, and how that is counted."""

from __future__ import annotations

from typing import Any

from nestdecode.queries.functions import UnansweredError, call, equals

__all__ = ["AN_OBJECT", "A_LIST", "A_MEMBER", "A_STEP", "MOST_BUILT", "Work"]

# What one answer may build, in units of about 16 bytes: 256 MiB, or a second or two.
MOST_BUILT = 1 << 24
# Costs in these units: a list, an object, one of its members, a step of the interpreter.
A_LIST, AN_OBJECT, A_MEMBER, A_STEP = 8, 16, 3, 8
# Characters from which on a text that is in an answer twice is counted again.
LONG_TEXT = 16
# Functions whose time or result grows with their arguments.
_LINEAR = frozenset(
    {"avg", "contains", "join", "keys", "map", "max", "max_by", "merge", "min", "min_by"}
    | {"reverse", "sort", "sort_by", "sum", "to_string", "values"}
)


class Work:
    """
    The budget of one answer. Not thread-safe.

    Counted is what a query builds and goes through, as a tree: a part that is in an answer
    twice is counted twice.

    Args:
        most: What may be built, in units of about 16 bytes.

    Attributes:
        left: What is left of it.
    """

    __slots__ = ("left",)

    def __init__(self, most: float = MOST_BUILT) -> None:
        self.left: float = most

    def take(self, units: float) -> None:
        """
        Count what is about to be built.

        Raises:
            UnansweredError: If it is more than is left.
        """
        self.left -= units
        if self.left < 0:
            raise UnansweredError("its answer grew past 256 MiB", None)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Return the value of a function, as ``functions.call`` does, and count the work."""
        self.take(A_LIST)
        if name in _LINEAR:
            for argument in arguments:
                if isinstance(argument, str):
                    self.take(len(argument) >> 6)
                elif isinstance(argument, (list, dict)):
                    self.take(A_LIST * len(argument))
            if name == "join":
                self._take_joined(arguments)
            elif name == "to_string":
                self._take_whole(arguments[0])
            elif name == "contains" and isinstance(arguments[0], list):
                return any(self.equals(element, arguments[1]) for element in arguments[0])
        answer = call(name, arguments)
        if isinstance(answer, str):
            self.take(_size_of(answer))
        return answer

    def _take_joined(self, arguments: list[Any]) -> None:
        glue, parts = arguments
        if isinstance(glue, str) and isinstance(parts, list) and parts:
            self.take(_size_of(glue) * (len(parts) - 1) + (len(glue) * len(parts) >> 4))
            self.take(sum(_size_of(part) for part in parts if isinstance(part, str)))

    def _take_whole(self, value: Any) -> None:
        """Count every part of a value, in each place where it is."""
        if isinstance(value, str):
            # Its JSON text may be several times as long.
            self.take(1 + (len(value) >> 3))
        elif isinstance(value, (list, dict)):
            self.take(A_LIST + len(value))
            for child in value.values() if isinstance(value, dict) else value:
                if isinstance(child, (str, list, dict)):
                    self._take_whole(child)

    def equals(self, left: Any, right: Any) -> bool:
        """Return whether two values are equal, as ``functions.equals`` does, and count the work."""
        if type(left) is list and type(right) is list:
            self.take(A_LIST + len(left))
            return len(left) == len(right) and all(map(self.equals, left, right))
        if type(left) is dict and type(right) is dict:
            self.take(A_LIST + len(left))
            return left.keys() == right.keys() and all(
                self.equals(value, right[key]) for key, value in left.items()
            )
        return equals(left, right)

    def copy(self, value: Any) -> Any:
        """Return a value with its containers copied, and count them."""
        if type(value) is dict:
            self.take(AN_OBJECT + A_MEMBER * len(value))
            return {key: self.copy(child) for key, child in value.items()}
        if type(value) is list:
            self.take(A_LIST + len(value))
            return [self.copy(child) for child in value]
        return value

    def apart(self, answer: Any) -> Any:
        """Return a copy of an answer with each container in one place; count repeated parts."""
        return self._apart(answer, set())

    def _apart(self, value: Any, seen: set[int]) -> Any:
        if isinstance(value, str):
            # A text may be shared, as it cannot be changed. It is counted, as it is written
            # in each place.
            if len(value) >= LONG_TEXT:
                self._take_again(value, _size_of(value), seen)
            return value
        if isinstance(value, dict):
            self._take_again(value, AN_OBJECT + A_MEMBER * len(value), seen)
            return {key: self._apart(child, seen) for key, child in value.items()}
        if isinstance(value, list):
            self._take_again(value, A_LIST + len(value), seen)
            return [self._apart(child, seen) for child in value]
        return value

    def _take_again(self, value: Any, units: int, seen: set[int]) -> None:
        if id(value) in seen:
            self.take(units)
        else:
            seen.add(id(value))


def _size_of(text: str) -> int:
    return 1 + (len(text) >> 4 if text.isascii() else len(text) >> 2)
