"""
What is at a pointer of a document: schemas, what their keywords list, where ``$ref`` leads.
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

# What ``false`` stands for.
NEVER: dict[str, Any] = {"not": {}}


def type_of(value: Any) -> str:
    """Return the name of a value's type in JSON Schema; ``integer`` for an int."""
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
    The pointers of one document.

    Args:
        source: The document.
        version: OpenAPI's minor version for a 3.0 document (where a ``$ref``
            hides its siblings), else None.
    """

    def __init__(self, source: SpecText, version: Literal["3.0"] | None = None) -> None:
        self.answers: Answers = defaultdict(dict)
        self.source = source
        self.version = version
        # The members of an object of the document, by its id: their places among them.
        self._order: dict[int, dict[str, int]] = {}

    def value(self, pointer: str) -> Any:
        """Return the value at *pointer* in the document, or raise KeyError."""
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
            SpecError: If no schema is there, or one that leaves the document.
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
        Return the pointers of the schemas that a keyword of a schema lists, if it is there.

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
        Return the pointers of the schemas that a keyword names, by name, if it is there.

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
        Return the pointer that a ``$ref``, or another *key*, at *pointer* means.

        Raises:
            SpecError: If it leads outside the document, or to nothing.
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
        """Return the pointers of the anchors at and below a pointer."""
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
        """Return the pointer of the schema that one refers to, if it does nothing else."""
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
        """Return where a schema stands in the document, to sort by."""
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
    """Go through what a value of the document holds, with the last tokens of pointers."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(index), child) for index, child in enumerate(value))
