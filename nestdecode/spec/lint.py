"""Warnings about specs: declarations that are valid, but probably not meant."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from nestdecode.errors import SpecError
from nestdecode.paths import Step, Wild, format_path, join_pointer, parse_path
from nestdecode.spec.chains import media_codecs
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import Shape, live_shapes, walk
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["STRAY", "document_key", "is_stray", "lint", "place_of"]

STRAY = "is this a spec? It declares no layer and has no key of nestdecode: nothing will be opened"

_CONTENT = ("contentMediaType", "contentEncoding", "contentSchema")
_BELOW = (
    "properties patternProperties additionalProperties items prefixItems unevaluatedItems "
    "unevaluatedProperties"
).split()


def lint(spec: Spec) -> list[SpecError]:
    """Return warnings, each at its place in the spec as it is written; none is best."""
    schemas, shape = spec.schemas, spec.shape
    schemas.source.renew()
    places = dict.fromkeys(place for below, _ in walk(shape) for place in below.places)
    found = [warning for place in places for warning in _node(schemas, place)]
    if is_stray(spec):
        found.append(("", STRAY))
    elif not spec.layers and spec.undeclared == "keep":
        key = document_key(spec, "layers") if _is_short(spec) else ""
        found.append((key, "no layer is declared: nothing will be opened"))
    found += [
        (place, "on-error has no effect: no layer is declared here")
        for below, _ in walk(shape)
        if not below.alternatives
        for place in below.places
        if schemas.chains.names_policy(place)
    ]
    found += [
        (place_of(spec, below, steps), "on-error has no effect on an optional layer")
        for below, steps in walk(shape)
        if below.alternatives and below.plain is True and below.on_error
    ]
    found += _short(spec)
    return [spec.written.error(reason, place) for place, reason in dict.fromkeys(found)]


def is_stray(spec: Spec) -> bool:
    """Return whether a spec may be any other JSON object: no layer, no key of ours."""
    return not (spec.is_marked or live_shapes(spec.shape))


def document_key(spec: Spec, key: str) -> str:
    """Return the pointer of a key of the document, such as ``focus``."""
    return f"{'' if _is_short(spec) else '/x-nestdecode'}/{key}"


def place_of(spec: Spec, shape: Shape, steps: tuple[Step, ...]) -> str:
    """
    Return the pointer of what declares a layer, in the spec as it is written.

    Args:
        spec: The spec.
        shape: Of the layer's place.
        steps: The path to that place.
    """
    if _is_short(spec):
        path = _written(spec).get(format_path(steps), "")
        return join_pointer(["layers", path] if path else ["layers"])
    return shape.places[0] if shape.places else ""


@functools.lru_cache(maxsize=1)
def _written(spec: Spec) -> dict[str, str]:
    """Return the paths of a short form, as they are written, by how ``format_path`` does."""
    paths = spec.written.value.get("layers") or {}
    return {format_path(parse_path(path)): path for path in reversed(list(paths))}


def _is_short(spec: Spec) -> bool:
    return "nestdecode" in spec.written.value


def _short(spec: Spec) -> Iterator[tuple[str, str]]:
    """Go through what may not be meant by a short form's paths and chains."""
    layers = (spec.written.value.get("layers") or {}) if _is_short(spec) else {}
    for path, written in layers.items():
        place = join_pointer(["layers", path])
        steps = parse_path(path)
        if any(isinstance(step, int) for step in steps):
            every = format_path(Wild.ELEMENTS if isinstance(step, int) else step for step in steps)
            if every not in layers:
                yield place, f"[n] is one element only; for every element write {every}"
        codecs = written["codecs"] if isinstance(written, dict) else written
        for chain in codecs if isinstance(codecs, list) else [codecs]:
            names = [name.strip() for name in chain.strip().removesuffix("?").split("|")]
            after = names[names.index("json") + 1 :] if "json" in names else []
            if after and set(after) != {"json"}:
                reason = (
                    f"{' | '.join(names)} opens JSON first, whose string holds {after[0]}; "
                    f"JSON in {after[0]} is {' | '.join([*after, 'json'])}"
                )
                yield place, reason
        if isinstance(codecs, list):
            firm = [chain.strip().endswith("?") for chain in codecs]
            if any(firm) and not all(firm):
                yield place, "? makes the whole layer optional, its other chains too"


def _node(schemas: Schemas, pointer: str) -> Iterator[tuple[str, str]]:
    schema: dict[str, Any] = schemas.references.schema(pointer)
    for key in schema:
        if key not in _CONTENT and key.lower() in {word.lower() for word in _CONTENT}:
            yield pointer + join_pointer([key]), f"unknown keyword {key!r}{nearest(key, _CONTENT)}"
    prefix = "x-jsonschema-" if schemas.version == "3.0" else ""
    for key in _CONTENT:
        if prefix and key in schema:
            yield f"{pointer}/{key}", f"OpenAPI 3.0 has no {key}: write {prefix}{key}"
    chain = schemas.chains.chain(pointer)
    if chain is not None and "string" not in schemas.types.own(pointer):
        yield pointer, "only strings have content, and the type here is not string"
    if chain is None:
        media = schema.get("contentMediaType", schema.get("x-jsonschema-contentMediaType"))
        if isinstance(media, str) and media_codecs(media) is None:
            yield pointer, f"opens nothing: {media!r} is not JSON"
        elif media is None and ("contentEncoding" in schema or "contentSchema" in schema):
            yield pointer, "opens nothing: contentMediaType is missing"
    if schemas.types.own(pointer) == {"string"} and any(key in schema for key in _BELOW):
        yield pointer, "the path leads through a string that no layer opens"
