"""OpenAPI 3.0, 3.1 and 3.2: the schema of a document that describes the record."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Literal

from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer
from nestdecode.spec.chains import media_codecs
from nestdecode.spec.references import References
from nestdecode.spec.text import SpecText

__all__ = ["operations", "record_schema", "version_of"]

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
# Media types of streams of JSON texts, which OpenAPI 3.2 describes by itemSchema.
_SEQUENCES = {
    "application/jsonl",
    "application/x-ndjson",
    "application/ndjson",
    "application/json-seq",
}


def version_of(source: SpecText) -> Literal["3.0"] | None:
    """
    Return ``3.0`` for an OpenAPI 3.0 document, whose schemas are not JSON Schema 2020-12.

    Returns:
        None for 3.1 and 3.2.

    Raises:
        SpecError: If it is another version.
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

    This is *pointer*, if given; else ``x-nestdecode.schema``; else the single distinct
    schema of the JSON responses with a 2xx status.

    Raises:
        SpecError: If there is no such schema, or more than one.
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


def operations(references: References) -> Iterator[dict[str, Any]]:
    """
    Go through the operations of a document, each as what JSON can hold.

    Yields:
        ``method``, ``path``, ``summary`` and ``parameters``, each of these with ``name``,
        ``in``, ``required``, ``type``, ``values`` (those of an enum) and ``description``.
    """
    for path, item_at, item in _path_items(references):
        for method in _METHODS:
            operation = item.get(method)
            if not isinstance(operation, dict):
                continue
            shared = _parameters(references, item_at)
            own = _parameters(references, f"{item_at}/{method}")
            summary = operation.get("summary") or operation.get("description")
            yield {
                "method": method.upper(),
                "path": path,
                "summary": summary if isinstance(summary, str) else "",
                "parameters": list((shared | own).values()),
            }


def _parameters(references: References, pointer: str) -> dict[tuple[str, str], dict[str, Any]]:
    """Return the parameters that an operation or a path item lists, by place and name."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    listed = references.value(pointer).get("parameters", [])
    for index in range(len(listed)) if isinstance(listed, list) else ():
        at, value = _follow(references, f"{pointer}/parameters/{index}")
        _, schema = _follow(references, f"{at}/schema") if "schema" in value else (at, {})
        types = schema.get("type", [])
        name, place = str(value.get("name", "")), str(value.get("in", ""))
        found[place, name] = {
            "name": name,
            "in": place,
            "required": value.get("required") is True,
            "type": " or ".join(map(str, types if isinstance(types, list) else [types])),
            "values": schema["enum"] if isinstance(schema.get("enum"), list) else [],
            "description": str(value.get("description") or schema.get("description") or ""),
        }
    return found


def _path_items(references: References) -> Iterator[tuple[str, str, dict[str, Any]]]:
    paths = references.source.value.get("paths", {})
    for path in paths if isinstance(paths, dict) else {}:
        yield path, *_follow(references, "/paths" + join_pointer([path]))


def _distinct(references: References, pointers: Iterator[str]) -> list[str]:
    """Return the pointers without those of schemas that are equal, by reference or as text."""
    found: dict[str, str] = {}
    met: set[str] = set()
    for pointer in pointers:
        seen = {pointer}
        value = references.value(pointer)
        # A schema that is only a $ref stands for its target.
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
    """Return an object of the document and its pointer, after following each ``$ref``."""
    for _ in range(20):
        value = references.value(pointer)
        if not isinstance(value, dict):
            return pointer, {}
        if "$ref" not in value:
            return pointer, value
        pointer = references.resolve(value["$ref"], pointer)
    raise references.source.error("$ref leads back to itself", pointer)


def _response_schemas(references: References) -> Iterator[str]:
    for _, item_at, item in _path_items(references):
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
