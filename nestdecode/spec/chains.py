"""Chains of codecs: those that content keywords and ``x-nestdecode`` declare for a string."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from nestdecode.codecs import CODECS, ENCODINGS
from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer
from nestdecode.spec.once import Answers, once
from nestdecode.spec.references import References, type_of
from nestdecode.words import nearest

__all__ = ["NODE_KEYS", "Chains", "media_codecs", "no_bytes", "unknown_codec"]

NODE_KEYS = ("on-error", "style", "codecs", "contentSchema")
_CONTENT_KEYS = ("contentMediaType", "contentEncoding", "contentSchema")


def media_codecs(media_type: str) -> tuple[str, ...] | None:
    """
    Return the codecs of a media type, without an encoding; None if it is not JSON.

    >>> media_codecs("application/problem+json"), media_codecs("application/json+gzip")
    (('json',), ('gzip', 'json'))

    Raises:
        SpecError: If it names a charset other than UTF-8.
    """
    essence, *parameters = (part.strip().lower() for part in media_type.split(";"))
    codecs: tuple[str, ...] = ("json",)
    if essence.endswith("+gzip"):
        essence, codecs = essence.removesuffix("+gzip"), ("gzip", "json")
    if essence != "application/json" and not re.fullmatch(r"[^/\s]+/[^/\s]+\+json", essence):
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(" \"'") not in ("utf-8", "utf8"):
            raise SpecError(f"charset must be utf-8, got {media_type!r}")
    return codecs


def unknown_codec(name: str, chain: str) -> str:
    """Say what is wrong with a name in a chain that is not that of a codec."""
    if not name:
        if not chain.strip():
            return "expected codecs, as in base64 | gzip | json, got nothing"
        return f"a codec is missing beside | in {chain.strip()!r}"
    if name.endswith("?") and name[:-1].strip() in CODECS:
        return f"? is for the whole chain: write it at the end, got {chain.strip()!r}"
    parts = [part for part in re.split(r"[^\w-]+", name.casefold()) if part]
    if len(parts) > 1 and all(part in CODECS for part in parts):
        return f"codecs have | between them: write {' | '.join(parts)}, got {name!r}"
    if name.casefold().startswith("application/"):
        return f"unknown codec {name!r}: media types are for the schema form; did you mean 'json'?"
    hint = nearest(name, CODECS) or f"; known are: {', '.join(CODECS)}"
    return f"unknown codec {name!r}{hint}"


def no_bytes(name: str, names: Sequence[str]) -> str:
    """Say what is wrong with a codec that gets text where it opens bytes."""
    reason = f"{name} opens bytes, which a string can't hold: base64 goes before it"
    if any(other not in CODECS for other in names):
        return reason
    # Text that encodes bytes, what compresses them, what is in them.
    right = sorted(names, key=lambda other: (other == "json", CODECS[other].takes == "bytes"))
    if CODECS[right[0]].takes == "bytes" or right[0] == "json":
        right.insert(0, "base64")
    return f"{reason}, in the order of opening: {' | '.join(right)}"


class Chains:
    """
    The chains of codecs that schemas declare, and the rest of their ``x-nestdecode``.

    Args:
        references: Resolves pointers to schemas.
    """

    def __init__(self, references: References) -> None:
        self.answers: Answers = defaultdict(dict)
        self._schema = references.schema
        self._source = references.source

    def extension(self, pointer: str) -> dict[str, Any]:
        """
        Return a schema's ``x-nestdecode``; that of the root holds the document's keys too.

        Raises:
            SpecError: If it is not an object, or has an unknown key.
        """
        extension = self._schema(pointer).get("x-nestdecode", {})
        here = f"{pointer}/x-nestdecode"
        if not isinstance(extension, dict):
            raise self._source.error(f"expected an object, got {type_of(extension)}", here)
        if pointer != "":
            for key in extension:
                if key == "redact":
                    reason = "redact is reserved: this version does not redact"
                    raise self._source.error(reason, f"{here}/redact")
                if key not in NODE_KEYS:
                    raise self._source.error(
                        f"unknown key {key!r}{nearest(key, NODE_KEYS)}",
                        here + join_pointer([key]),
                    )
        return extension

    def names_policy(self, pointer: str) -> bool:
        """Return whether a schema names a policy; the one at the root is the document's."""
        return pointer != "" and "on-error" in self.extension(pointer)

    @once
    def chain(self, pointer: str) -> tuple[tuple[str, ...], str | None] | None:
        """
        Return the chain of a schema's own keywords and the pointer of its content schema.

        Returns:
            (codecs, pointer or None), or None if the keywords declare no chain.

        Raises:
            SpecError: If the codecs can't follow one another.
        """
        schema = self._schema(pointer)
        extension = self.extension(pointer)
        content = {
            key: name
            for key in _CONTENT_KEYS
            for name in (f"x-jsonschema-{key}", key)
            if name in schema
        }
        if "codecs" in extension:
            return self._written(extension, content, f"{pointer}/x-nestdecode")
        if "contentSchema" in extension:
            raise self._source.error(
                "contentSchema here belongs to codecs; write it beside contentMediaType",
                f"{pointer}/x-nestdecode/contentSchema",
            )
        codecs = self._of_media_type(content, pointer)
        if codecs is None:
            return None
        inner = content.get("contentSchema")
        return codecs, None if inner is None else f"{pointer}/{inner}"

    def _written(
        self, extension: dict[str, Any], content: dict[str, str], here: str
    ) -> tuple[tuple[str, ...], str | None]:
        """Return what ``chain`` does, for an ``x-nestdecode`` with ``codecs``."""
        if content:
            beside = next(iter(content.values()))
            raise self._source.error(f"codecs beside {beside}: write one of them", here)
        codecs = self._codecs(extension["codecs"], f"{here}/codecs")
        inner = f"{here}/contentSchema" if "contentSchema" in extension else None
        if inner is not None and codecs[-1] != "json":
            reason = "the chain ends in text, which has no schema: end it in json"
            raise self._source.error(reason, inner)
        return codecs, inner

    def _codecs(self, written: Any, pointer: str) -> tuple[str, ...]:
        """Return the names of written codecs, such as ``base64 | gzip | json``; json ends them."""
        if not isinstance(written, str):
            raise self._source.error(
                f"expected codecs, as in 'base64 | json', got {type_of(written)}",
                pointer,
            )
        names = tuple(part.strip() for part in written.split("|"))
        for index, name in enumerate(names):
            if name not in CODECS:
                raise self._source.error(unknown_codec(name, written), pointer)
            if CODECS[name].takes == "bytes" and index == 0:
                raise self._source.error(no_bytes(name, names), pointer)
            if name == "json" and index < len(names) - 1:
                raise self._source.error(
                    "json is the end of a chain here: describe what follows in contentSchema",
                    pointer,
                )
        return names

    def _of_media_type(self, content: dict[str, str], pointer: str) -> tuple[str, ...] | None:
        """Return the codecs of the content keywords, or None if the media type is not JSON."""
        if "contentMediaType" not in content:
            return None
        schema = self._schema(pointer)
        media = content["contentMediaType"]
        if not isinstance(schema[media], str):
            found = type_of(schema[media])
            raise self._source.error(f"expected a string, got {found}", f"{pointer}/{media}")
        try:
            codecs = media_codecs(schema[media])
        except SpecError as error:
            raise self._source.error(error.reason, f"{pointer}/{media}") from None
        if codecs is None:
            return None
        if "contentEncoding" in content:
            key = content["contentEncoding"]
            encoding = self._encoding(schema[key], f"{pointer}/{key}")
            codecs = codecs if encoding is None else (encoding, *codecs)
        if codecs[0] == "gzip":
            raise self._source.error(
                "gzip gives bytes, which a string can't hold: add contentEncoding: base64",
                f"{pointer}/{media}",
            )
        return codecs

    def _encoding(self, name: Any, here: str) -> str | None:
        """Return the codec of a contentEncoding, or None if it leaves the text as it is."""
        if not isinstance(name, str) or name.lower() not in ENCODINGS:
            raise self._source.error(f"unknown encoding {name!r}{nearest(name, ENCODINGS)}", here)
        return ENCODINGS[name.lower()]
