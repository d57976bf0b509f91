"""OpenAPI 3.0, 3.1 and 3.2: which schema describes the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer
from nestdecode.spec.chains import media_codecs
from nestdecode.spec.references import References
from nestdecode.spec.text import Source

__all__ = ["record_schema", "version_of"]

_METHODS = (
    "get",
    "put",
    "post",
    "delete",
    "options",
    "head",
    "patch",
    "trace",
    "query",
)
# Streams of JSON texts, which OpenAPI 3.2 describes by itemSchema.
_SEQUENCES = {
    "application/jsonl",
    "application/x-ndjson",
    "application/ndjson",
    "application/json-seq",
}


def version_of(source: Source) -> Literal["3.0"] | None:
    """
    Return ``3.0`` for a document whose schemas are not JSON Schema 2020-12.

    Raises:
        SpecError: If it is not OpenAPI 3.0, 3.1 or 3.2.
    """
    version = source.value.get("openapi")
    if not isinstance(version, str) or not re.match(r"3\.[012](\.|\Z)", version):
        found = version if version is not None else source.value.get("swagger")
        where = "/openapi" if version is not None else "/swagger"
        raise source.error(f"wanted OpenAPI 3.0, 3.1 or 3.2, got {found!r}", where)
    return "3.0" if version.startswith("3.0") else None


def record_schema(references: References, pointer: str | None) -> str:
    """
    Return the pointer of the schema that describes the record.

    That is *pointer*; else ``x-nestdecode.schema``; else the one distinct schema of
    JSON responses with a 2xx status.

    Raises:
        SpecError: If there is none, or more than one.
    """
    source = references.source
    extension = source.value.get("x-nestdecode", {})
    written = pointer or (extension.get("schema") if isinstance(extension, dict) else None)
    if written is not None:
        if not isinstance(written, str):
            raise source.error("expected a pointer, a string", "/x-nestdecode/schema")
        return references.resolve("#" + written.lstrip("#"), "/x-nestdecode", "schema")
    candidates = _distinct(references, _response_schemas(references))
    if len(candidates) == 1:
        return candidates[0]
    if not candidates:
        raise source.error(
            "no JSON response with a 2xx status: name the record's schema in x-nestdecode.schema",
            "/paths",
        )
    shown = ", ".join(candidates[:10]) + (", ..." if len(candidates) > 10 else "")
    raise source.error(
        f"{len(candidates)} schemas describe responses: name one in x-nestdecode.schema, "
        f"of {shown}",
        "/paths",
    )


def _distinct(references: References, pointers: Iterator[str]) -> list[str]:
    """Keep one of those that are the same schema, by reference or to the letter."""
    found: dict[str, str] = {}
    met: set[str] = set()
    for pointer in pointers:
        seen = {pointer}
        value = references.value(pointer)
        # A schema that only refers is what it refers to.
        while isinstance(value, dict) and set(value) == {"$ref"}:
            pointer = references.resolve(value["$ref"], pointer)
            if pointer in seen:
                break
            seen.add(pointer)
            value = references.value(pointer)
        if pointer not in met:
            met.add(pointer)
            text = json.dumps(value, sort_keys=True)
            references.source.spend(10 + len(text) // 50, pointer)
            found.setdefault(text, pointer)
    return list(found.values())


def _follow(references: References, pointer: str) -> tuple[str, dict[str, Any]]:
    """Return an object of the document, and where it is after following $ref."""
    for _ in range(20):
        value = references.value(pointer)
        if not isinstance(value, dict):
            return pointer, {}
        if "$ref" not in value:
            return pointer, value
        pointer = references.resolve(value["$ref"], pointer)
    raise references.source.error("$ref leads back to itself", pointer)


def _response_schemas(references: References) -> Iterator[str]:
    paths = references.source.value.get("paths", {})
    for path in paths if isinstance(paths, dict) else {}:
        item_at, item = _follow(references, "/paths" + join_pointer([path]))
        for method in _METHODS:
            if not isinstance(item.get(method), dict):
                continue
            responses = item[method].get("responses", {})
            for status in responses if isinstance(responses, dict) else {}:
                if re.fullmatch(r"2(\d\d|XX)", str(status), re.IGNORECASE):
                    where = f"{item_at}/{method}/responses{join_pointer([status])}"
                    yield from _content_schemas(references, where)


def _content_schemas(references: References, response: str) -> Iterator[str]:
    at, value = _follow(references, response)
    content = value.get("content", {})
    for media_type in content if isinstance(content, dict) else {}:
        essence = media_type.partition(";")[0].strip().lower()
        try:
            is_json = media_codecs(essence) == ("json",) or essence in _SEQUENCES
        except SpecError:
            continue
        if is_json:
            media_at, media = _follow(references, f"{at}/content{join_pointer([media_type])}")
            key = "itemSchema" if "itemSchema" in media else "schema"
            if key in media:
                yield f"{media_at}/{key}"
