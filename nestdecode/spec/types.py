"""The types that schemas allow, and those that the content of a layer may have."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from nestdecode.spec.applied import Applied
from nestdecode.spec.once import Answers, once
from nestdecode.spec.references import References, type_of
from nestdecode.spec.state import FREE, All, Either, Own, State
from nestdecode.words import nearest

__all__ = ["Types"]

_TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
_CONTAINERS = frozenset({"object", "array"})


class Types:
    """
    The types that schemas allow.

    Args:
        references: Resolves pointers to schemas. In OpenAPI 3.0 ``nullable`` adds a type.
        applied: Finds the schemas that apply in place of one.
    """

    def __init__(self, references: References, applied: Applied) -> None:
        self.answers: Answers = defaultdict(dict)
        self._references = references
        self._source = references.source
        self._applied = applied

    @once
    def own(self, pointer: str) -> frozenset[str]:
        """Return the types that a schema's own keywords allow."""
        schema = self._references.schema(pointer)
        if schema.get("not") in ({}, True):
            return frozenset()
        allowed = _TYPES
        if "type" in schema:
            allowed &= self._of_names(schema, pointer)
        if "const" in schema:
            allowed &= _widened({type_of(schema["const"])})
        if isinstance(schema.get("enum"), list):
            self._source.spend(len(schema["enum"]), pointer)
            allowed &= _widened({type_of(value) for value in schema["enum"]})
        return allowed

    def _of_names(self, schema: dict[str, Any], pointer: str) -> frozenset[str]:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        for name in names:
            if not isinstance(name, str) or name not in _TYPES:
                raise self._source.error(
                    f"unknown type {name!r}{nearest(name, _TYPES)}", f"{pointer}/type"
                )
        if self._references.version == "3.0" and schema.get("nullable") is True:
            names = [*names, "null"]
        return _widened(names)

    def of_content(self, pointer: str | None) -> frozenset[str]:
        """Return the types that a layer's value may have, given its content schema or None."""
        return self.admitted(FREE if pointer is None else self._applied.whole(pointer))

    def admitted(self, content: State) -> frozenset[str]:
        """Return the types that a layer's value may have: scalars only if a schema names them."""
        inside = self._applied.look_into(content)
        allowed = self._allowed(inside)
        return (allowed & _CONTAINERS) | (allowed & self._named(inside))

    @once
    def _allowed(self, state: State | None) -> frozenset[str]:
        """Return the types that a state, without whole schemas, does not exclude."""
        if isinstance(state, Either):
            return frozenset().union(*map(self._allowed, state.parts))
        if isinstance(state, All):
            return _TYPES.intersection(*map(self._allowed, state.parts))
        return self.own(state.pointer) if isinstance(state, Own) else _TYPES

    @once
    def _named(self, state: State | None) -> frozenset[str]:
        """Return the types that a state, without whole schemas, names."""
        if isinstance(state, (Either, All)):
            return frozenset().union(*map(self._named, state.parts))
        if not isinstance(state, Own):
            return frozenset()
        schema = self._references.schema(state.pointer)
        said = any(key in schema for key in ("type", "const", "enum"))
        return self.own(state.pointer) if said else frozenset()


def _widened(names: Iterable[str]) -> frozenset[str]:
    # Every integer is a number (2020-12 validation, section 6.1.1).
    found = frozenset(names)
    return found | {"integer"} if "number" in found else found
