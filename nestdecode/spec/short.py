"""The short form: paths and codecs, defined as the JSON Schema that it expands to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from nestdecode.codecs import CODECS
from nestdecode.errors import SpecError
from nestdecode.paths import Step, Wild, join_pointer, parse_path
from nestdecode.spec.shape import read_policy, read_style
from nestdecode.spec.text import SpecText
from nestdecode.words import nearest

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

# As JSON Schema names them; codecs that only x-nestdecode can name are not here.
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
    Return the JSON Schema that a short form means.

    Raises:
        SpecError: At the key, path or codec that is wrong.
    """
    document = source.value
    for key in document:
        if key == "redact":
            raise source.error("redact is reserved: this version does not redact", "/redact")
        if key not in SHORT_KEYS:
            raise source.error(
                f"unknown key {key!r}{nearest(key, SHORT_KEYS)}", join_pointer([key])
            )
    version = document["nestdecode"]
    if version != 1 or isinstance(version, bool):
        raise source.error(f"expected nestdecode: 1, got {version!r}", "/nestdecode")
    layers = document.get("layers", {})
    if not isinstance(layers, dict):
        raise source.error("expected an object: path to codecs", "/layers")
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
    # The x-nestdecode of the root is the document's, not that of a layer at the root.
    return schema | ({"allOf": [body]} if "x-nestdecode" in body else body)


def _add_layer(source: SpecText, root: _PathPlace, path: str, written: Any) -> None:
    here = "/layers" + join_pointer([path])
    if (id(source.value["layers"]), path) in source.quoted and _DOTTED.match(path):
        # In JMESPath "a.b" is the member named a.b; YAML takes those quotes off.
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
                raise source.error(
                    f"unknown key {key!r}{nearest(key, LAYER_KEYS)}",
                    here + join_pointer([key]),
                )
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
            raise source.error("expected codecs, as in base64 | gzip | json", here)
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
            raise source.error(f"unknown codec {name!r}{nearest(name, CODECS)}", here)
        codec = CODECS[name]
        if codec.takes == "bytes" and gives == "text":
            raise source.error(
                f"{name} opens bytes, which a string can't hold: base64 goes before it",
                here,
            )
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
        # An index that no path names is like every other element.
        schema["prefixItems"] = [
            _schema(place.prefix[i], source) if i in place.prefix else (items or {})
            for i in range(max(place.prefix) + 1)
        ]
    if items is not None:
        schema["items"] = items
    return schema


def _opened_by(chain: tuple[str, ...], content: dict[str, Any]) -> dict[str, Any]:
    """Write a chain as content keywords, or as x-nestdecode where they have no words."""
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
