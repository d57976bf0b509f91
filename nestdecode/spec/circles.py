"""Groups of schemas that lead to one another in place, such as by ``$ref`` and ``allOf``."""

from __future__ import annotations

from collections.abc import Callable

from nestdecode.spec.text import SpecText

__all__ = ["Circles"]

MAX_NESTING = 100


class Circles:
    """
    The groups of schemas that lead to one another in place.

    Args:
        source: The document.
        subschemas: Returns the pointers of the schemas that one applies in place.
    """

    def __init__(self, source: SpecText, subschemas: Callable[[str], list[str]]) -> None:
        self._source = source
        self._subschemas = subschemas
        self._numbers: dict[str, int] = {}

    def number(self, pointer: str) -> int:
        """
        Return the number of a schema's group.

        Raises:
            SpecError: If more than 100 schemas are applied inside one another.
        """
        if pointer not in self._numbers:
            self._find(pointer)
        return self._numbers[pointer]

    def _find(self, start: str) -> None:
        # Tarjan's strongly connected components, by the least number that each leads back to.
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
