"""
Pointers into a spec: the schemas there, those that their keywords list, targets of ``$ref``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import unquote

from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.once import Answers, once
from nestdecode.spec.text import SpecText

__all__ = ["ANNOTATIONS", "NEVER", "References", "type_of"]

# Keywords that say nothing about a value.
ANNOTATIONS = frozenset(
    "title description $comment default examples example deprecated readOnly writeOnly "
    "$id $schema $anchor $dynamicAnchor $defs definitions $vocabulary externalDocs xml".split()
)

# The schema that ``false`` stands for.
NEVER: dict[str, Any] = {"not": {}}


def type_of(value: Any) -> str:
    """Return the JSON Schema type of a value; ``integer`` for an int."""
    if value is None:
        return "null"
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
    }
    return names.get(type(value), "object")


class References:
    """
    The pointers of one document, resolved.

    Args:
        source: The document.
        version: ``3.0`` for OpenAPI 3.0, where a ``$ref`` hides its siblings; else None.
    """

    def __init__(self, source: SpecText, version: Literal["3.0"] | None = None) -> None:
        self.answers: Answers = defaultdict(dict)
        self.source = source
        self.version = version
        # By the id of an object of the document: its members' positions.
        self._order: dict[int, dict[str, int]] = {}

    def value(self, pointer: str) -> Any:
        """Return the value at *pointer*; raise KeyError if there is none."""
        value = self.source.value
        for token in split_pointer(pointer):
            if isinstance(value, list):
                if not re.fullmatch(r"0|[1-9][0-9]{0,8}", token) or int(token) >= len(value):
                    raise KeyError(token)
                value = value[int(token)]
            elif isinstance(value, dict):
                value = value[token]
            else:
                raise KeyError(token)
        return value

    @once
    def schema(self, pointer: str) -> dict[str, Any]:
        """
        Return the schema at *pointer*; ``true`` as ``{}``, ``false`` as ``{"not": {}}``.

        Raises:
            SpecError: If the value is not a schema, or refers by ``$dynamicRef`` or a
                nested ``$id``.
        """
        self.source.spend(5 + len(pointer) // 64, pointer)
        value = self.value(pointer)
        if value is True:
            return {}
        if value is False:
            return NEVER
        if not isinstance(value, dict):
            found = type_of(value)
            raise self.source.error(f"expected a schema (object or boolean), got {found}", pointer)
        if "$dynamicRef" in value or "$recursiveRef" in value:
            raise self.source.error("$dynamicRef is not read: use $ref", pointer)
        if pointer and not str(value.get("$id", "#")).startswith("#"):
            raise self.source.error(
                "a nested $id names another document: use #/$defs and $ref", pointer
            )
        return value

    def listed(self, pointer: str, key: str) -> list[str]:
        """
        Return the pointers of the schemas in a keyword's array; none without the keyword.

        Raises:
            SpecError: If its value is not an array.
        """
        value = self.schema(pointer).get(key, [])
        here = f"{pointer}/{key}"
        if not isinstance(value, list):
            raise self.source.error(f"expected an array, got {type_of(value)}", here)
        return [f"{here}/{index}" for index in range(len(value))]

    def named(self, pointer: str, key: str) -> dict[str, str]:
        """
        Return the pointers of the schemas in a keyword's object, by name; none without it.

        Raises:
            SpecError: If its value is not an object.
        """
        return self._members(f"{pointer}/{key}") if key in self.schema(pointer) else {}

    @once
    def _members(self, pointer: str) -> dict[str, str]:
        value = self.value(pointer)
        if not isinstance(value, dict):
            raise self.source.error(f"expected an object, got {type_of(value)}", pointer)
        self.source.spend(len(value) * (1 + len(pointer) // 64), pointer)
        return {name: pointer + join_pointer([name]) for name in value}

    def resolve(self, reference: Any, pointer: str, key: str = "$ref") -> str:
        """
        Return the pointer of the target of a reference.

        Args:
            reference: The value of the keyword: a pointer or anchor after ``#``.
            pointer: The schema that holds it, for errors.
            key: The keyword, for errors.

        Raises:
            SpecError: If the target is outside the document, or there is none.
        """
        here = f"{pointer}/{key}"
        if not isinstance(reference, str):
            raise self.source.error(f"expected a string, got {type_of(reference)}", here)
        self.source.spend(5 + len(reference) // 64, here)
        document, _, fragment = reference.partition("#")
        own = self.source.value.get("$id") if isinstance(self.source.value, dict) else None
        if document and document != (own.rstrip("#") if isinstance(own, str) else None):
            raise self.source.error(
                f"{key} leads outside the document: {reference!r}; nothing is fetched",
                here,
            )
        target = self._target(unquote(fragment))
        if target is None:
            raise self.source.error(f"{key} leads to nothing: {reference!r}", here)
        return target

    def _target(self, fragment: str) -> str | None:
        if fragment and not fragment.startswith("/"):
            return self._anchors("").get(fragment)
        target = join_pointer(split_pointer(fragment))
        try:
            self.value(target)
        except KeyError:
            return None
        return target

    @once
    def _anchors(self, pointer: str) -> dict[str, str]:
        """Return the pointers of the anchors at and below a pointer, by name."""
        found: dict[str, str] = {}
        path: list[str] = []

        def visit(value: Any) -> None:
            self.source.spend(1, pointer)
            if isinstance(value, dict):
                for key in ("$anchor", "$dynamicAnchor"):
                    if isinstance(value.get(key), str):
                        self.source.spend(len(path), pointer)
                        found[value[key]] = pointer + join_pointer(path)
            for step, child in _children_of(value):
                if isinstance(child, (dict, list)):
                    path.append(step)
                    visit(child)
                    path.pop()

        visit(self.value(pointer))
        return found

    @once
    def followed(self, pointer: str) -> str:
        """Return the target of a schema that is only a ``$ref``, or else its own pointer."""
        seen = {pointer}
        while True:
            schema = self.schema(pointer)
            if "$ref" not in schema or (
                self.version != "3.0" and set(schema) - ANNOTATIONS > {"$ref"}
            ):
                return pointer
            pointer = self.resolve(schema["$ref"], pointer)
            if pointer in seen:
                return pointer
            seen.add(pointer)

    @once
    def position(self, pointer: str) -> tuple[int, ...]:
        """Return a sort key: the position of a schema in the document."""
        value, position = self.source.value, []
        for token in split_pointer(pointer):
            self.source.spend(1, pointer)
            if isinstance(value, list):
                position.append(int(token))
                value = value[int(token)]
            else:
                order = self._order.get(id(value))
                if order is None:
                    order = self._order[id(value)] = {key: n for n, key in enumerate(value)}
                position.append(order[token])
                value = value[token]
        return tuple(position)


def _children_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Yield the members or elements of a value, each with its reference token."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(index), child) for index, child in enumerate(value))
