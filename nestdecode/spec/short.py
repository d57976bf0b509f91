"""The short form: paths and their codecs, defined by the JSON Schema that it expands to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from nestdecode.codecs import CODECS
from nestdecode.errors import SpecError
from nestdecode.paths import Step, Wild, join_pointer, parse_path
from nestdecode.spec.chains import no_bytes, unknown_codec
from nestdecode.spec.shape import read_policy, read_style
from nestdecode.spec.text import SpecText
from nestdecode.words import closest, count, nearest

__all__ = ["SHORT_KEYS", "expand_short"]

DOCUMENT_KEYS = (
    "focus",
    "queries",
    "match",
    "undeclared",
    "on-error",
    "limits",
    "numbers",
    "duplicates",
)
SHORT_KEYS = ("nestdecode", "title", "description", "layers", *DOCUMENT_KEYS)
LAYER_KEYS = ("codecs", "on-error", "style")
MOST_STEPS, MOST_ITEMS, MOST_CODECS = 60, 1000, 32

# The codecs that contentEncoding can name; the others are written as x-nestdecode.
_ENCODINGS = {"base64", "base64url", "base32", "base32hex", "base16"}
_DOTTED = re.compile(r"[A-Za-z_][\w-]*(?:\.[\w-]+)+\Z")


@dataclass(slots=True)
class _PathPlace:
    """One place that paths lead to or through."""

    members: dict[str, _PathPlace] = field(default_factory=dict)
    rest: _PathPlace | None = None
    prefix: dict[int, _PathPlace] = field(default_factory=dict)
    items: _PathPlace | None = None
    chains: tuple[tuple[str, ...], ...] = ()
    optional: bool = False
    on_error: Any = ...
    style: str | None = None
    named_at: str = ""

    def child(self, step: Step) -> _PathPlace:
        """Return the place one step further, made if it is new."""
        if step is Wild.MEMBERS:
            self.rest = self.rest or _PathPlace()
            return self.rest
        if step is Wild.ELEMENTS:
            self.items = self.items or _PathPlace()
            return self.items
        if isinstance(step, int):
            return self.prefix.setdefault(step, _PathPlace())
        return self.members.setdefault(step, _PathPlace())


def expand_short(source: SpecText) -> dict[str, Any]:
    """
    Return the JSON Schema that a short form expands to.

    Raises:
        SpecError: If a key, path or codec is wrong; it has the place.
    """
    document = source.value
    _check_keys(source)
    version = document["nestdecode"]
    if version != 1 or isinstance(version, bool):
        raise source.error(f"expected nestdecode: 1, got {version!r}", "/nestdecode")
    layers = document.get("layers", {})
    if not isinstance(layers, dict):
        raise source.error(_not_layers(layers), "/layers")
    root = _PathPlace()
    for path, written in layers.items():
        _add_layer(source, root, path, written)

    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    for key in ("title", "description"):
        if key in document:
            schema[key] = document[key]
    extension = {key: document[key] for key in DOCUMENT_KEYS if key in document}
    if extension:
        schema["x-nestdecode"] = extension
    body = _schema(root, source)
    # x-nestdecode at the root is the document's, so that of a layer at the root goes into an
    # allOf.
    return schema | ({"allOf": [body]} if "x-nestdecode" in body else body)


def _check_keys(source: SpecText) -> None:
    document = source.value
    unknown = [key for key in document if key not in SHORT_KEYS]
    outside = []
    if document.get("layers", ...) is None:
        outside = [key for key in unknown if not nearest(key, SHORT_KEYS) and key != "redact"]
    if outside:
        # What is there is checked where it belongs.
        more = f" and {count(len(outside) - 1, 'more line')}" if len(outside) > 1 else ""
        reason = f"nothing is indented below layers: indent {outside[0]!r}{more}"
        mistake = source.error(reason, "/layers")
        source.move(outside, "layers")
        raise mistake
    for key in unknown:
        if key == "redact":
            raise source.error("redact is reserved: this version does not redact", "/redact")
        if nearest(key, SHORT_KEYS):
            raise _unknown(source, document, key, SHORT_KEYS, "")
        is_layer = _is_chain(document[key])
        hint = "; a path and its codecs stand below layers, indented" if is_layer else ""
        raise source.error(f"unknown key {key!r}{hint}", join_pointer([key]))


def _unknown(
    source: SpecText, container: dict[str, Any], key: str, known: tuple[str, ...], around: str
) -> SpecError:
    """Build the error for a key that is not known, and mend it if it is clear what was meant."""
    pointer = around + join_pointer([key])
    mistake = source.error(f"unknown key {key!r}{nearest(key, known)}", pointer)
    for right in closest(key, known)[:1]:
        source.rename(container, key, right, pointer)
    return mistake


def _is_chain(written: Any) -> bool:
    """Return whether a value is probably meant as codecs."""
    return isinstance(written, str) and not {*re.split(r"[^a-z0-9]+", written)}.isdisjoint(CODECS)


def _not_layers(layers: Any) -> str:
    """Say how layers are written, to who wrote something else."""
    wanted = "expected an object: path to codecs"
    if layers is None:
        return f"{wanted}; nothing is indented below layers"
    if isinstance(layers, list):
        return f"{wanted}, got a list: leave out the dashes, as in Records[].body: json"
    if isinstance(layers, str) and ":" in layers:
        return f"{wanted}; a space is missing after a colon, as in Records[].body: json"
    return wanted


def _add_layer(source: SpecText, root: _PathPlace, path: str, written: Any) -> None:
    here = "/layers" + join_pointer([path])
    if (id(source.value["layers"]), path) in source.quoted and _DOTTED.match(path):
        # In JMESPath "a.b" is the member named a.b; YAML removes these quotes, which would
        # leave a path of two steps.
        raise source.error(
            f"YAML takes the quotes off: write '{json.dumps(path)}' for the member of that "
            f"name, or {path} without quotes for the path",
            here,
        )
    source.spend(20 + 2 * len(path), here)
    try:
        steps = parse_path(path)
    except SpecError as error:
        raise source.error(error.reason, here) from None
    if len(steps) > MOST_STEPS:
        raise source.error(f"more than {MOST_STEPS} steps", here)
    index = max((step for step in steps if isinstance(step, int)), default=0)
    if index > MOST_ITEMS:
        raise source.error(f"index {index} is past {MOST_ITEMS}", here)
    place = root
    for step in steps:
        place = place.child(step)
    if place.named_at:
        raise source.error(f"the same place as {place.named_at!r}: name it once", here)
    place.named_at = path
    codecs = written
    if isinstance(written, dict):
        for key in written:
            if key not in LAYER_KEYS:
                raise _unknown(source, written, key, LAYER_KEYS, here)
        if "codecs" not in written:
            raise source.error("expected codecs, as in {codecs: json}", here)
        codecs = written["codecs"]
        if "on-error" in written:
            place.on_error = read_policy(written["on-error"], source, f"{here}/on-error")
        if "style" in written:
            place.style = read_style(written["style"], source, f"{here}/style")
        if place.on_error == "drop" and not (
            steps and steps[-1] is not Wild.ELEMENTS and not isinstance(steps[-1], int)
        ):
            raise source.error(
                "on-error: drop is for members of objects: keep, null or fail are for any place",
                here,
            )
    choices = codecs if isinstance(codecs, list) else [codecs]
    if not choices:
        raise source.error("expected at least one chain of codecs", here)
    chains = []
    for choice in choices:
        if not isinstance(choice, str):
            empty = "; nothing is written here" if choice is None else ""
            raise source.error(f"expected codecs, as in base64 | gzip | json{empty}", here)
        text = choice.strip()
        place.optional = place.optional or text.endswith("?")
        chains.append(_chain(source, text.removesuffix("?"), here))
    place.chains = tuple(chains)


def _chain(source: SpecText, text: str, here: str) -> tuple[str, ...]:
    names = tuple(part.strip() for part in text.split("|"))
    if len(names) > MOST_CODECS:
        raise source.error(f"more than {MOST_CODECS} codecs", here)
    source.spend(10 + 4 * len(names), here)
    gives = "text"
    for name in names:
        if name not in CODECS:
            raise source.error(unknown_codec(name, text), here)
        codec = CODECS[name]
        if codec.takes == "bytes" and gives == "text":
            raise source.error(no_bytes(name, names), here)
        # What json gives is a string again, if anything is to follow.
        gives = "text" if codec.gives == "value" else "bytes"
    return names


def _schema(place: _PathPlace, source: SpecText) -> dict[str, Any]:
    inside = _containers(place, source)
    if not place.chains:
        return inside
    if inside and not any(chain[-1] == "json" for chain in place.chains):
        raise source.error(
            f"paths lead through {place.named_at}, which ends in text: end its chain in json",
            "/layers" + join_pointer([place.named_at]),
        )
    branches = [_opened_by(chain, inside if chain[-1] == "json" else {}) for chain in place.chains]
    if place.optional:
        branches.append({"type": "string"})
    schema: dict[str, Any] = branches[0] if len(branches) == 1 else {"anyOf": branches}
    extension: dict[str, Any] = {}
    if place.on_error is not ...:
        extension["on-error"] = place.on_error
    if place.style is not None:
        extension["style"] = place.style
    return (
        schema | {"x-nestdecode": extension | schema.get("x-nestdecode", {})}
        if extension
        else schema
    )


def _containers(place: _PathPlace, source: SpecText) -> dict[str, Any]:
    schema: dict[str, Any] = {}
    if place.members:
        schema["properties"] = {n: _schema(p, source) for n, p in place.members.items()}
    if place.rest is not None:
        schema["additionalProperties"] = _schema(place.rest, source)
    items = None if place.items is None else _schema(place.items, source)
    if place.prefix:
        # prefixItems has no gaps: an index without a path is declared as any other element.
        schema["prefixItems"] = [
            _schema(place.prefix[i], source) if i in place.prefix else (items or {})
            for i in range(max(place.prefix) + 1)
        ]
    if items is not None:
        schema["items"] = items
    return schema


def _opened_by(chain: tuple[str, ...], content: dict[str, Any]) -> dict[str, Any]:
    """Return a chain as content keywords, or as x-nestdecode where no keyword names it."""
    end = chain.index("json") + 1 if "json" in chain else len(chain)
    first, rest = chain[:end], chain[end:]
    if rest:
        content = _opened_by(rest, content)
    schema: dict[str, Any] = {"type": "string"}
    encoding = first[0] if first[0] in _ENCODINGS else None
    media = {
        ("json",): "application/json",
        ("gzip", "json"): "application/json+gzip",
    }.get(first[1:] if encoding else first)
    if media is None:
        schema["x-nestdecode"] = {"codecs": " | ".join(first)}
        if content:
            schema["x-nestdecode"]["contentSchema"] = content
        return schema
    if encoding:
        schema["contentEncoding"] = encoding
    schema["contentMediaType"] = media
    if content:
        schema["contentSchema"] = content
    return schema
