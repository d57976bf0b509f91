"""Specs written as JSON Schemas: the spec itself in one piece, and that of the expanded tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.schema import Schemas

__all__ = ["bundled", "expanded"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TYPES = ("object", "array", "string", "number", "integer", "boolean", "null")
# Keywords whose values are schemas, arrays of schemas, or objects of schemas.
_ONE = (
    "additionalProperties unevaluatedProperties propertyNames items unevaluatedItems contains "
    "not if then else contentSchema x-jsonschema-contentSchema"
).split()
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_MAPS = ("properties", "patternProperties", "dependentSchemas")
# Keywords about the string itself; they do not hold for the content that replaces it.
_OF_STRINGS = frozenset(
    "type const enum minLength maxLength pattern format contentEncoding contentMediaType "
    "contentSchema x-nestdecode x-jsonschema-contentEncoding x-jsonschema-contentMediaType "
    "x-jsonschema-contentSchema default examples example nullable".split()
)


def bundled(
    schemas: Schemas, root: str, extension: dict[str, Any], title: str, description: str
) -> dict[str, Any]:
    """Return the schema at *root* in one piece: ``$defs`` holds every schema it refers to."""
    body = _Copy(schemas, opened=False).document(root)
    head = _head(title, description)
    # If *root* is the document's root, the copy has the document's x-nestdecode already.
    own = body.pop("x-nestdecode", {})
    joined = {k: v for k, v in (extension | own).items() if k != "schema"}
    if joined:
        head["x-nestdecode"] = joined
    return head | {k: v for k, v in body.items() if k not in head}


def expanded(schemas: Schemas, root: str, title: str, description: str) -> dict[str, Any]:
    """Return the schema of the expanded tree: each content string replaced by its content."""
    body = _Copy(schemas, opened=True).document(root)
    head = _head(title, description)
    return head | {k: v for k, v in body.items() if k not in head}


def _head(title: str, description: str) -> dict[str, Any]:
    head = {"$schema": _DIALECT, "title": title, "description": description}
    return {key: value for key, value in head.items() if value}


class _Copy:
    """
    A copy of schemas, with references into one ``$defs``.

    Args:
        schemas: The schemas of the document.
        opened: Whether content strings are replaced by their content.
    """

    def __init__(self, schemas: Schemas, *, opened: bool) -> None:
        self.schemas = schemas
        self.opened = opened
        self.root = ""
        self.definitions: dict[str, str] = {}
        self.names: dict[str, int] = {}
        self.waiting: list[str] = []
        self.active: list[str] = []

    def document(self, root: str) -> dict[str, Any]:
        """Return a copy of the schema at *root*, with every schema it refers to."""
        self.root = root
        body = self.copy(root)
        if not isinstance(body, dict):
            body = {} if body else {"not": {}}
        body.pop("$defs", None)
        definitions: dict[str, Any] = {}
        while self.waiting:
            pointer = self.waiting.pop(0)
            definitions[self.definitions[pointer]] = self.copy(pointer)
        if definitions:
            body["$defs"] = definitions
        return body

    def reference(self, target: str) -> str:
        """Return the ``$ref`` in the copy for a schema of the document."""
        if target == self.root:
            return "#"
        if target not in self.definitions:
            base = (split_pointer(target) or ("root",))[-1]
            name, number = base, self.names.get(base, 1)
            while name in self.names:
                number += 1
                name = f"{base}-{number}"
            self.names[base] = number
            self.names.setdefault(name, 1)
            self.definitions[target] = name
            self.waiting.append(target)
        return "#/$defs" + quote(join_pointer([self.definitions[target]]), safe="/~")

    def copy(self, pointer: str, *, joined: bool = False) -> Any:
        """
        Return a copy of one schema.

        Args:
            pointer: The pointer of the schema.
            joined: Whether a schema beside it declares a layer: then its keywords about
                the string do not hold for the content.
        """
        value = self.schemas.references.value(pointer)
        if not isinstance(value, dict):
            return value
        self.schemas.source.spend(5 + len(value), pointer)
        if not self.opened:
            return self.keywords(pointer, value, lambda _key: True, joined=False)
        chain = self.schemas.chains.chain(pointer)
        if chain is not None:
            return self.content(pointer, value, *chain)
        joined = joined or any(
            self.schemas.chains.chain(place) is not None
            for place in self.schemas.applied.places(pointer)
        )
        dropped = _OF_STRINGS if joined else {"x-nestdecode"}
        return self.keywords(pointer, value, lambda key: key not in dropped, joined=joined)

    def keywords(
        self,
        pointer: str,
        schema: dict[str, Any],
        wanted: Callable[[str], bool],
        *,
        joined: bool,
    ) -> dict[str, Any]:
        """Return a copy of a schema with the keywords that are wanted."""
        result: dict[str, Any] = {}
        hides_siblings = self.schemas.version == "3.0" and "$ref" in schema
        for key, value in schema.items():
            here = pointer + join_pointer([key])
            if not wanted(key) or (hides_siblings and key != "$ref"):
                continue
            if key == "$ref":
                target = self.schemas.references.resolve(value, pointer)
                if joined and target not in self.active:
                    # Written out here: other places may need its keywords about strings.
                    self.active.append(target)
                    result.setdefault("allOf", []).append(self.copy(target, joined=True))
                    self.active.pop()
                else:
                    result[key] = self.reference(target)
            elif key == "allOf" and isinstance(value, list):
                copies = [self.copy(f"{here}/{i}", joined=joined) for i in range(len(value))]
                result[key] = [*result.get(key, []), *copies]
            elif key in ("$defs", "definitions", "$schema", "$id", "$anchor"):
                continue  # definitions are copied where something refers to them
            elif key in _ONE:
                result[key] = self.copy(here)
            elif key in _LISTS and isinstance(value, list):
                result[key] = [self.copy(f"{here}/{i}") for i in range(len(value))]
            elif key in _MAPS and isinstance(value, dict):
                result[key] = {k: self.copy(here + join_pointer([k])) for k in value}
            elif key == "x-nestdecode" and isinstance(value, dict) and "contentSchema" in value:
                result[key] = value | {"contentSchema": self.copy(f"{here}/contentSchema")}
            elif key == "nullable" and self.schemas.version == "3.0":
                continue  # becomes a type below
            elif key in ("exclusiveMinimum", "exclusiveMaximum") and isinstance(value, bool):
                continue  # OpenAPI 3.0: becomes a number below
            else:
                result[key] = value
        if self.schemas.version == "3.0":
            for bound in ("Minimum", "Maximum"):
                if schema.get(f"exclusive{bound}") is True and bound.lower() in result:
                    result[f"exclusive{bound}"] = result.pop(bound.lower())
            if schema.get("nullable") is True and isinstance(result.get("type"), str):
                result["type"] = [result["type"], "null"]
            for key in [key for key in result if key.startswith("x-jsonschema-")]:
                result[key.removeprefix("x-jsonschema-")] = result.pop(key)
        return result

    def content(
        self,
        pointer: str,
        schema: dict[str, Any],
        codecs: tuple[str, ...],
        inner: str | None,
    ) -> Any:
        """Return the schema of a content string's content, joined with its other keywords."""
        beside = self.keywords(pointer, schema, lambda key: key not in _OF_STRINGS, joined=True)
        if codecs[-1] != "json":
            inside: Any = {"type": "string"}
        elif inner is None:
            inside = {}
        else:
            inside = self.copy(inner)
        if inside is True:
            inside = {}
        if not isinstance(inside, dict):
            return inside
        if "type" not in inside and codecs[-1] == "json":
            # A layer admits scalars only if a schema names them.
            admitted = self.schemas.types.of_content(inner)
            inside["type"] = [name for name in _TYPES if name in admitted]
        if "null" in self.schemas.types.own(pointer) and "type" in schema:
            inside = {"anyOf": [inside, {"type": "null"}]}
        if set(beside) & set(inside):
            annotations = (
                "title",
                "description",
                "$comment",
                "deprecated",
                "readOnly",
                "writeOnly",
            )
            if set(beside) <= set(annotations):
                return inside | beside
            return beside | {"allOf": [*beside.get("allOf", []), inside]}
        return beside | inside
