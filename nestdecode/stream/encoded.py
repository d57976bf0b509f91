"""
Input that is converted to lines of UTF-8: UTF-16, UTF-32, and JSON text sequences.

UTF-16 and UTF-32 are recognised by their byte order mark, a sequence (RFC 7464) by the
record separator that it begins with: such a separator begins a line.

A lone surrogate becomes the three bytes that UTF-8 would have for it. They are not UTF-8, so
the record that holds them is refused, and no other. Nothing is replaced.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable

from nestdecode.stream.compressed import rejoined

__all__ = ["SEQUENCE", "as_utf8"]

# What input is called that begins with a record separator.
SEQUENCE = "json-seq"
_SEPARATOR = b"\x1e"

Read = Callable[[int], bytes]
Decode = Callable[[bytes, str, bool], tuple[str, int]]

# The longer marks first: that of UTF-32LE begins like that of UTF-16LE.
_MARKS: tuple[tuple[bytes, str, Decode], ...] = (
    (codecs.BOM_UTF32_LE, "UTF-32LE", codecs.utf_32_le_decode),
    (codecs.BOM_UTF32_BE, "UTF-32BE", codecs.utf_32_be_decode),
    (codecs.BOM_UTF16_LE, "UTF-16LE", codecs.utf_16_le_decode),
    (codecs.BOM_UTF16_BE, "UTF-16BE", codecs.utf_16_be_decode),
)
# Two bytes of UTF-16 become at most three, so n/2 bytes of input give at most n of output.
_GROWTH = 2


def as_utf8(read: Read) -> tuple[Read, str | None]:
    """
    Read the first bytes, and decode if they are a byte order mark or a record separator.

    Args:
        read: Returns at most the given number of bytes, as soon as some have come, and
            none at the end of input.

    Returns:
        A function like *read* for the text in UTF-8, without the mark, and ``UTF-16LE``,
        ``UTF-16BE``, ``UTF-32LE``, ``UTF-32BE``, ``json-seq`` or None. That function raises
        OSError if the input is cut inside a character, or holds what is not a character,
        after it has returned everything before.
    """
    start = b""
    while any(mark.startswith(start) and mark != start for mark, _, _ in _MARKS):
        piece = read(1 << 18)
        if not piece:
            break
        start += piece
    for mark, name, decode in _MARKS:
        if start.startswith(mark):
            return _Decoding(rejoined(start[len(mark) :], read), mark, name, decode).read, name
    if start.startswith(_SEPARATOR):
        return _Separated(rejoined(start, read)).read, SEQUENCE
    return rejoined(start, read), None


class _Separated:
    """Reads a JSON text sequence as lines: a separator is where one begins."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._last = b"\n"

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, as soon as some are there."""
        while piece := self._read(size):
            # A text that was cut short ends where the next one begins.
            lines = re.sub(rb"\n?\x1e+", b"\n", self._last + piece)[1:]
            if lines:
                self._last = lines[-1:]
                return lines
        return b""


class _Decoding:
    """Reads and converts the text after a byte order mark."""

    def __init__(self, read: Read, mark: bytes, name: str, decode: Decode) -> None:
        self._read = read
        self._decode = decode
        self._name = name
        self._offset = len(mark)  # of what is pending, in the input
        self._pending = b""  # the beginning of a character
        self._pending_error: OSError | None = None

    def read(self, size: int) -> bytes:
        """Return bytes of UTF-8, about *size* at most, as soon as some have come."""
        while self._pending_error is None:
            piece = self._read(max(size // _GROWTH, 4))
            text = self._decoded(self._pending + piece, final=not piece)
            if text or not (piece or self._pending_error):
                return text.encode("utf-8", "surrogatepass")
        raise self._pending_error

    def _decoded(self, data: bytes, *, final: bool) -> str:
        try:
            text, used = self._decode(data, "surrogatepass", final)
        except UnicodeDecodeError as error:
            at = error.start
        else:
            self._pending = data[used:]
            self._offset += used
            return text
        self._pending_error = OSError(f"not {self._name}: byte {self._offset + at}")
        return self._decode(data[:at], "surrogatepass", True)[0]
