"""
JSON text from values.

msgspec writes. ``orjson.dumps`` writes past its buffer for some arrays in arrays, so nothing
that a stranger can shape goes through it.
"""

from __future__ import annotations

import itertools
import marshal
import re
from typing import TYPE_CHECKING, Any

import msgspec

from nestdecode.errors import DecodeError

if TYPE_CHECKING:
    from json import JSONEncoder

__all__ = ["dump", "dump_lines", "encode", "pack"]


def dump(value: Any, *, indent: int | str | None = None, sort_keys: bool = False) -> bytes:
    """
    Return *value* as UTF-8 JSON text, without a newline at its end.

    Integers of any size are written exactly, lone surrogates as ``\\ud800``.

    Args:
        value: A tree. The caller checks its types: other values of Python may be written as
            a similar one, NaN as null.
        indent: Spaces a level, or a tab for one tab a level; None for the compact form.
        sort_keys: Whether the members of an object are in the order of their names, by code
            points, and not in their own.

    Raises:
        DecodeError: If the tree holds a value that JSON can't write.
    """
    try:
        text = _write_sorted(value) if sort_keys else _write(value)
        return text if indent is None else _indented(text, indent)
    except _REFUSED_TO_WRITE:
        pass  # mostly a lone surrogate, which the standard library writes
    from json import JSONEncoder

    separators = (",", ":") if indent is None else None
    encoder = JSONEncoder(
        ensure_ascii=False,
        allow_nan=False,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )
    try:
        exact = encode(value, encoder)
    except (TypeError, ValueError, RecursionError):
        pass
    else:
        # A lone surrogate has no UTF-8; Python's escape of it is JSON's.
        return exact.encode("utf-8", "backslashreplace")
    raise DecodeError("not JSON: the tree holds a value that JSON can't write")


def _indented(text: bytes, indent: int | str) -> bytes:
    if isinstance(indent, int):
        return msgspec.json.format(text, indent=indent)
    # No string holds a newline: what a line begins with is its indentation.
    spaced = msgspec.json.format(text, indent=1)
    return re.sub(rb"(?<=\n) +", lambda found: indent.encode() * len(found[0]), spaced)


def dump_lines(values: list[Any]) -> bytes:
    """Return values as lines: the JSON text of each, and LF."""
    try:
        return _write_lines(values)
    except _REFUSED_TO_WRITE:
        pass
    return b"".join([dump(value) + b"\n" for value in values])


def _text_of(value: Any) -> msgspec.Raw:
    from nestdecode.text.number import Number  # late: seldom needed, and slow to import

    if type(value) is Number:
        return msgspec.Raw(value.text.encode())
    raise TypeError


_encoder = msgspec.json.Encoder(enc_hook=_text_of)
_write, _write_lines = _encoder.encode, _encoder.encode_lines
_write_sorted = msgspec.json.Encoder(enc_hook=_text_of, order="sorted").encode
# Integers beyond 64 bits are an OverflowError in msgspec before 0.20.
_REFUSED_TO_WRITE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.DecodeError)


def encode(value: Any, encoder: JSONEncoder) -> str:
    """
    Return *value* as *encoder* writes it, except that each Number is written as its text.

    Raises:
        TypeError, ValueError, RecursionError: As the encoder does.
    """
    if not _holds_number(value):
        return encoder.encode(value)
    newline, step = "", ""
    if encoder.indent is not None:
        indent = encoder.indent
        newline, step = "\n", indent if isinstance(indent, str) else " " * indent
    return _encode(value, encoder, newline, step)


def _holds_number(value: Any) -> bool:
    from nestdecode.text.number import Number

    level = [value]
    while level:
        if Number in map(type, level):
            return True
        containers = [c for c in level if (type(c) is dict or type(c) is list) and c]
        children = [c.values() if type(c) is dict else c for c in containers]
        level = list(itertools.chain.from_iterable(children))
    return False


def _encode(value: Any, encoder: JSONEncoder, newline: str, step: str) -> str:
    from nestdecode.text.number import Number

    kind = type(value)
    if kind is Number or kind is int:
        return str(value)
    if (kind is not dict and kind is not list) or not value:
        return encoder.encode(value)
    inside = newline + step
    if kind is dict and not all(isinstance(name, str) for name in value):
        raise TypeError("a name is a string")
    if kind is list:
        parts = [_encode(child, encoder, inside, step) for child in value]
        begin, end = "[]"
    else:
        colon = encoder.key_separator
        parts = [
            f"{encoder.encode(name)}{colon}{_encode(child, encoder, inside, step)}"
            for name, child in (sorted(value.items()) if encoder.sort_keys else value.items())
        ]
        begin, end = "{}"
    return begin + inside + (encoder.item_separator + inside).join(parts) + newline + end


def pack(value: Any) -> bytes | None:
    """
    Return bytes that are equal for equal trees: by type, value and order of members.

    They are for comparison within one process. None if the tree holds itself, or a value of
    a type that JSON does not know.
    """
    try:
        # Not a JSON writer: it takes a tuple for a list, an Enum for its value. Version 2,
        # because the bytes of later ones depend on reference counts.
        return marshal.dumps(value, 2)
    except ValueError:
        return None
