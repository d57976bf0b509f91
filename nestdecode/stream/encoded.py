"""
Input that is converted to lines of UTF-8: UTF-16, UTF-32, and JSON text sequences.

UTF-16 and UTF-32 are recognised by their byte order mark, a sequence (RFC 7464) by the
record separator that it begins with: each of its texts becomes a line.

A lone surrogate becomes the three bytes that UTF-8 would have for it. They are not UTF-8, so
the record that holds them is refused, and no other. Nothing is replaced.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable

from nestdecode.stream.compressed import rejoined
from nestdecode.stream.scanner import follow_values

__all__ = ["SEQUENCE", "as_utf8"]

# What input is called that begins with a record separator.
SEQUENCE = "json-seq"
_SEPARATOR = b"\x1e"
# A text of a sequence that is longer is not looked at again and again.
_SHORT = 1 << 16

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
    """
    Reads a JSON text sequence as lines: each of its texts becomes one.

    A text that was cut short must not go on in the next one, so a line ends at a separator
    only. A newline in a text becomes a blank: it stands between tokens, or the text is not
    JSON. The last text is a line as soon as it is whole, so that it is not held back.
    """

    def __init__(self, read: Read) -> None:
        self._read = read
        self._begun = True
        self._text: bytes | None = b""  # what has come of the last one; None if it is long

    def read(self, size: int) -> bytes:
        """Return at most the given number of bytes, as soon as some have come."""
        while piece := self._read(size):
            lines = piece.replace(b"\n", b" ").replace(_SEPARATOR, b"\n")
            if self._begun and lines.startswith(b"\n"):
                lines = lines[1:]
            self._begun = False
            _, separator, last = lines.rpartition(b"\n")
            text = last if separator else None if self._text is None else self._text + last
            self._text = text if text is not None and len(text) <= _SHORT else None
            if piece.endswith(b"\n") and self._text and _is_whole(self._text):
                lines = lines[:-1] + b"\n"
                self._text, self._begun = b"", True
            if lines:
                return lines
        return b""


def _is_whole(text: bytes) -> bool:
    return text[-1:] == b" " and bool(text.strip()) and follow_values(text) == "ends"


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
