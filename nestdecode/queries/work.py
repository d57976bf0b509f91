"""What one answer may build, and how that is counted."""

from __future__ import annotations

from typing import Any

from nestdecode.queries.functions import RefusedError, call, equals

__all__ = ["AN_OBJECT", "A_LIST", "A_MEMBER", "A_STEP", "MOST_BUILT", "Work"]

# What one answer may build, in units of about 16 bytes: 256 MiB, or a second or two.
MOST_BUILT = 1 << 24


# Costs in these units: a list, an object, one of its members, a step of the interpreter.
A_LIST, AN_OBJECT, A_MEMBER, A_STEP = 8, 16, 3, 8


LONG_TEXT = 16
# Functions that take longer, or give more, the more they are given.
_LINEAR = frozenset(
    {"avg", "contains", "join", "keys", "map", "max", "max_by", "merge", "min", "min_by"}
    | {"reverse", "sort", "sort_by", "sum", "to_string", "values"}
)


class Work:
    """
    What one answer may still build.

    Counted is what a query makes and goes through, as a tree: a part that is in an answer
    twice counts twice.

    Args:
        most: Units of about 16 bytes.
    """

    __slots__ = ("left",)

    def __init__(self, most: float = MOST_BUILT) -> None:
        self.left: float = most

    def take(self, units: float) -> None:
        """
        Count what is about to be built.

        Raises:
            RefusedError: If that is too much.
        """
        self.left -= units
        if self.left < 0:
            raise RefusedError("its answer grew past 256 MiB", None)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Apply a function, counted before and after."""
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
        """Count all that is in a value, as often as it is there."""
        if isinstance(value, str):
            # Escaped it may be several times as long.
            self.take(1 + (len(value) >> 3))
        elif isinstance(value, (list, dict)):
            self.take(A_LIST + len(value))
            for child in value.values() if isinstance(value, dict) else value:
                if isinstance(child, (str, list, dict)):
                    self._take_whole(child)

    def equals(self, left: Any, right: Any) -> bool:
        """Compare as ``equals`` does, counted."""
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
        """Copy the containers of a value, counted."""
        if type(value) is dict:
            self.take(AN_OBJECT + A_MEMBER * len(value))
            return {key: self.copy(child) for key, child in value.items()}
        if type(value) is list:
            self.take(A_LIST + len(value))
            return [self.copy(child) for child in value]
        return value

    def apart(self, answer: Any) -> Any:
        """Copy an answer so that no container is in it twice; what was is counted."""
        return self._apart(answer, set())

    def _apart(self, value: Any, seen: set[int]) -> Any:
        if isinstance(value, str):
            # Text can't be changed, and is shared; it is counted since it may be written.
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


# The careful way
