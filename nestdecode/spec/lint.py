"""What a spec says that is allowed, and probably not meant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nestdecode.spec.chains import media_codecs
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import live_shapes, walk
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["STRAY", "is_stray", "lint"]

STRAY = "is this a spec? It declares no layer and has no key of nestdecode: nothing will be opened"

_CONTENT = ("contentMediaType", "contentEncoding", "contentSchema")
_BELOW = (
    "properties patternProperties additionalProperties items prefixItems unevaluatedItems "
    "unevaluatedProperties"
).split()


def lint(spec: Spec) -> list[str]:
    """Return warnings, each one line with a pointer into the spec; none is best."""
    schemas, shape = spec.schemas, spec.shape
    schemas.source.renew()
    places = dict.fromkeys(place for below, _ in walk(shape) for place in below.places)
    warnings = [warning for place in places for warning in _node(schemas, place)]
    if is_stray(spec):
        warnings.append(STRAY)
    elif not spec.layers and spec.undeclared == "keep":
        warnings.append("no layer is declared: nothing will be opened")
    warnings += [
        f"on-error has no effect: no layer is declared here - at {place}"
        for below, _ in walk(shape)
        if not below.alternatives
        for place in below.places
        if schemas.chains.names_policy(place)
    ]
    if any(layer.optional and layer.on_error for layer in spec.layers):
        paths = ", ".join(la.path for la in spec.layers if la.optional and la.on_error)
        warnings.append(f"on-error has no effect on an optional layer: {paths}")
    return list(dict.fromkeys(warnings))


def is_stray(spec: Spec) -> bool:
    """Tell whether a spec may be any other JSON object: no layer, no key of ours."""
    return not (spec.is_marked or live_shapes(spec.shape))


def _node(schemas: Schemas, pointer: str) -> Iterator[str]:
    schema: dict[str, Any] = schemas.references.schema(pointer)
    where = f" - at {pointer or '/'}"
    for key in schema:
        if key not in _CONTENT and key.lower() in {word.lower() for word in _CONTENT}:
            yield f"unknown keyword {key!r}{nearest(key, _CONTENT)}{where}"
    prefix = "x-jsonschema-" if schemas.version == "3.0" else ""
    for key in _CONTENT:
        if prefix and key in schema:
            yield f"OpenAPI 3.0 has no {key}: write {prefix}{key}{where}"
    chain = schemas.chains.chain(pointer)
    if chain is not None and "string" not in schemas.types.own(pointer):
        yield f"only strings have content, and the type here is not string{where}"
    if chain is None:
        media = schema.get("contentMediaType", schema.get("x-jsonschema-contentMediaType"))
        if isinstance(media, str) and media_codecs(media) is None:
            yield f"opens nothing: {media!r} is not JSON{where}"
        elif media is None and ("contentEncoding" in schema or "contentSchema" in schema):
            yield f"opens nothing: contentMediaType is missing{where}"
    if schemas.types.own(pointer) == {"string"} and any(key in schema for key in _BELOW):
        yield f"the path leads through a string that no layer opens{where}"
