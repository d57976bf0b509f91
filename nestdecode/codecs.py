"""
Codecs: name to the functions that undo one encoding, and redo it.

Binary encodings are RFC 4648 and strict: no white space, no other alphabet, full
padding (base64url may lack it). Compressed data must end where its last stream ends.
"""

from __future__ import annotations

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from nestdecode.errors import DecodeError
from nestdecode.text.reader import Budget

__all__ = ["CODECS", "ENCODINGS", "Codec", "redo", "undo"]


class Codec(NamedTuple):
    """
    One named encoding.

    Attributes:
        name: As specs write it.
        takes: ``text`` (a string, or bytes that are one) or ``bytes``.
        gives: ``bytes``, or ``value`` for a JSON value.
        open: Undoes the encoding within a budget; None for json, which
            text/reader.py reads.
        close: Redoes it, for the same bytes always the same way: alphabet and padding
            as in the second argument, an encoding of other bytes that may be empty.
            None for json.
    """

    name: str
    takes: Literal["text", "bytes"]
    gives: Literal["bytes", "value"]
    open: Callable[[bytes | str, Budget], bytes] | None
    close: Callable[[bytes, bytes], bytes] | None


def _ascii(data: bytes | str) -> bytes:
    if isinstance(data, bytes):
        return data
    try:
        return data.encode("ascii")
    except UnicodeEncodeError as error:
        start = error.start
    raise DecodeError(f"not in the alphabet: char {start}")


def _open_base64(data: bytes | str, budget: Budget) -> bytes:
    raw = _ascii(data)
    if len(raw) % 4:
        raise DecodeError("invalid base64: incorrect padding")
    try:
        decoded = binascii.a2b_base64(raw, strict_mode=True)
    except binascii.Error as error:
        # binascii's messages name lengths and padding, never the data.
        reason = str(error)
    else:
        budget.take(len(decoded))
        return decoded
    raise DecodeError(f"invalid base64: {reason[:1].lower()}{reason[1:]}")


_NOT_URLSAFE = re.compile(rb"[^A-Za-z0-9_=-]")
_TO_STANDARD = bytes.maketrans(b"-_", b"+/")


def _open_base64url(data: bytes | str, budget: Budget) -> bytes:
    raw = _ascii(data)
    if stray := _NOT_URLSAFE.search(raw):
        raise DecodeError(f"invalid base64url: not in the alphabet: char {stray.start()}")
    if b"=" not in raw:
        raw += b"=" * (-len(raw) % 4)
    return _open_base64(raw.translate(_TO_STANDARD), budget)


def _open_base32(data: bytes | str, budget: Budget) -> bytes:
    raw = _ascii(data)
    try:
        decoded = base64.b32decode(raw)
    except binascii.Error:
        pass
    else:
        budget.take(len(decoded))
        return decoded
    raise DecodeError("invalid base32: wrong alphabet or padding")


def _open_base32hex(data: bytes | str, budget: Budget) -> bytes:
    raw = _ascii(data)
    try:
        decoded = base64.b32hexdecode(raw)
    except binascii.Error:
        pass
    else:
        budget.take(len(decoded))
        return decoded
    raise DecodeError("invalid base32hex: wrong alphabet or padding")


def _open_base16(data: bytes | str, budget: Budget) -> bytes:
    raw = _ascii(data)
    try:
        # RFC 4648 section 8 writes capitals; so many producers do not that both pass.
        decoded = base64.b16decode(raw, casefold=True)
    except binascii.Error:
        pass
    else:
        budget.take(len(decoded))
        return decoded
    raise DecodeError("invalid base16: wanted an even number of hex digits")


def _inflate(data: bytes | str, budget: Budget, wbits: int, name: str) -> bytes:
    raw = data if isinstance(data, bytes) else data.encode()
    parts: list[bytes] = []
    while True:
        stream = zlib.decompressobj(wbits)
        try:
            # One byte past the budget is enough to know that it is not enough.
            part = stream.decompress(raw, budget.left + 1)
        except zlib.error:
            raise DecodeError(f"invalid {name}: corrupt data") from None
        budget.take(len(part))
        parts.append(part)
        if not stream.eof:
            raise DecodeError(f"invalid {name}: unexpected end of data")
        raw = stream.unused_data
        if not raw:
            return b"".join(parts)
        if name != "gzip":  # RFC 1952 2.2: only gzip files may have further members
            raise DecodeError(f"invalid {name}: data after its end")


def _open_gzip(data: bytes | str, budget: Budget) -> bytes:
    return _inflate(data, budget, 31, "gzip")


def _open_zlib(data: bytes | str, budget: Budget) -> bytes:
    return _inflate(data, budget, 15, "zlib")


def _close_base64(data: bytes, _like: bytes) -> bytes:
    return base64.b64encode(data)


def _close_base64url(data: bytes, like: bytes) -> bytes:
    encoded = base64.urlsafe_b64encode(data)
    return encoded.rstrip(b"=") if len(like) % 4 else encoded


def _close_base32(data: bytes, _like: bytes) -> bytes:
    return base64.b32encode(data)


def _close_base32hex(data: bytes, _like: bytes) -> bytes:
    return base64.b32hexencode(data)


def _close_base16(data: bytes, like: bytes) -> bytes:
    encoded = base64.b16encode(data)
    return encoded if like == like.upper() else encoded.lower()


def _close_gzip(data: bytes, _like: bytes) -> bytes:
    # Its header has no name and no time, so it says nothing of who wrote it, and when.
    return zlib.compress(data, wbits=31)


def _close_zlib(data: bytes, _like: bytes) -> bytes:
    return zlib.compress(data)


CODECS = {
    codec.name: codec
    for codec in (
        Codec("json", "text", "value", None, None),
        Codec("base64", "text", "bytes", _open_base64, _close_base64),
        Codec("base64url", "text", "bytes", _open_base64url, _close_base64url),
        Codec("base32", "text", "bytes", _open_base32, _close_base32),
        Codec("base32hex", "text", "bytes", _open_base32hex, _close_base32hex),
        Codec("base16", "text", "bytes", _open_base16, _close_base16),
        Codec("gzip", "bytes", "bytes", _open_gzip, _close_gzip),
        Codec("zlib", "bytes", "bytes", _open_zlib, _close_zlib),
    )
}

# contentEncoding, as JSON Schema 2020-12 section 8.3 names them: those of RFC 4648,
# and those of RFC 2045 that leave the text as it is.
ENCODINGS: dict[str, str | None] = {
    "base64": "base64",
    "base64url": "base64url",
    "base32": "base32",
    "base32hex": "base32hex",
    "base16": "base16",
    "7bit": None,
    "8bit": None,
    "binary": None,
}


def undo(names: Sequence[str], text: str) -> list[bytes]:
    """
    Return what each codec of a chain takes, and what the last one gives.

    Args:
        names: A chain without json.
        text: One that is known to open.
    """
    stages = [text.encode("utf-8", "surrogatepass")]
    for name in names:
        step = CODECS[name].open
        assert step is not None
        stages.append(step(stages[-1], Budget(1 << 62)))
    return stages


def redo(names: Sequence[str], text: str, like: str = "") -> str:
    """
    Return the text from which a chain of codecs gives *text*.

    Args:
        names: A chain without json.
        text: What is to be encoded, as UTF-8.
        like: One that is known to open, whose alphabet and padding are wanted; or empty.

    Raises:
        DecodeError: If *text* is not Unicode: it has a lone surrogate.
    """
    if not names:
        return text
    stages = undo(names, like) if like else [b""] * len(names)
    try:
        data = text.encode()
    except UnicodeEncodeError:
        data = None
    if data is None:
        raise DecodeError("a lone surrogate can't be encoded", "", names[-1])
    for name, stage in zip(reversed(names), reversed(stages[: len(names)]), strict=True):
        step = CODECS[name].close
        assert step is not None
        data = step(data, stage)
    return data.decode()
