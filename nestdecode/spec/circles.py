"""Schemas that lead to one another in place."""

from __future__ import annotations

from collections.abc import Callable

from nestdecode.spec.text import SpecText

__all__ = ["Circles"]

MAX_NESTING = 100


class Circles:
    """
    Which schemas lead back to themselves in place, and which to one another.

    Args:
        source: The document.
        subschemas: Returns the pointers of what a schema applies in place.
    """

    def __init__(self, source: SpecText, subschemas: Callable[[str], list[str]]) -> None:
        self._source = source
        self._subschemas = subschemas
        self._numbers: dict[str, int] = {}

    def number(self, pointer: str) -> int:
        """
        Return a number that those schemas share that lead to one another.

        Raises:
            SpecError: If too many schemas are applied inside one another.
        """
        if pointer not in self._numbers:
            self._find(pointer)
        return self._numbers[pointer]

    def _find(self, start: str) -> None:
        # Tarjan's algorithm: the least number that a schema leads back to.
        found = self._numbers
        numbers: dict[str, int] = {}
        path: list[str] = []

        def visit(pointer: str, depth: int) -> int:
            if depth > MAX_NESTING:
                raise self._source.error("$ref and allOf are nested too deep", pointer)
            number = least = numbers[pointer] = len(found) + len(path)
            path.append(pointer)
            subschemas = self._subschemas(pointer)
            self._source.spend(1 + len(subschemas), pointer)
            for child in subschemas:
                if child in found:
                    continue
                if child not in numbers:
                    least = min(least, visit(child, depth + 1))
                else:
                    least = min(least, numbers[child])
            if least == number:
                while True:
                    last = path.pop()
                    found[last] = number
                    if last == pointer:
                        break
            return least

        visit(start, 0)
