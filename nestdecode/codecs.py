"""
The codecs: for each name, the function that undoes an encoding and the one that redoes it.

Base64, base32 and base16 follow RFC 4648 strictly: no white space, no other alphabet, full
padding (base64url may lack it, section 5; base16 may be in lower case). gzip is RFC 1952,
of one or more members, zlib RFC 1950; nothing may follow the compressed data.
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
        name: The name, as specs write it.
        takes: What it undoes: ``text`` (a string, or its bytes) or ``bytes``.
        gives: What it gives: ``bytes``, or ``value`` for a JSON value.
        open: Returns the decoded bytes, and takes their number from the budget; raises
            DecodeError. None for json, which ``text.reader`` reads.
        close: Returns the encoded bytes, always the same for the same arguments. Alphabet
            and padding are those of the second argument, the earlier encoded text, which
            may be empty. None for json.
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
        # binascii's messages name lengths and padding, and never quote the data.
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
        # RFC 4648 section 8 has capitals only; many producers write lower case.
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
            # One byte more than the budget shows that the data is beyond it.
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
    # zlib writes a header without name and time, so that equal data gives equal bytes.
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

# The values of contentEncoding, and the codec of each (JSON Schema 2020-12, Validation,
# section 8.3): those of RFC 4648, and those of RFC 2045 that leave the text as it is.
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
    Return the input of each codec of a chain, and the output of the last one.

    Args:
        names: A chain without json.
        text: A text that the chain is known to open: there is no limit here.
    """
    stages = [text.encode("utf-8", "surrogatepass")]
    for name in names:
        step = CODECS[name].open
        assert step is not None
        stages.append(step(stages[-1], Budget(1 << 62)))
    return stages


def redo(names: Sequence[str], text: str, like: str = "") -> str:
    """
    Return *text* encoded, so that a chain of codecs decodes it to *text* again.

    Args:
        names: A chain without json.
        text: The text to encode, as UTF-8.
        like: The earlier encoded text, whose alphabet and padding are kept; or empty.

    Raises:
        DecodeError: If *text* holds a lone surrogate, which UTF-8 can't encode.
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
