"""
Input cut where lines end: at LF alone.

``str.splitlines`` would also cut a JSON string at U+2028.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from typing import NamedTuple

__all__ = ["CHUNK", "CUT", "GROUP", "KEPT", "LineCutter", "Lines", "lines_of_range"]

# Bytes read at a time: few enough to stay in a processor's cache until they are written.
CHUNK = 1 << 16
# Bytes of lines that are answered together: their trees fit a cache.
GROUP = 1 << 14
# Why a file can't be read that is shorter than it was at first.
CUT = "it was cut short while it was read"
# How much is kept of a record that is too long to be one.
KEPT = 1024


class Lines(NamedTuple):
    """
    Whole lines, or the beginning of one that is too long.

    Attributes:
        text: Their bytes, with the LF of each; that of a line which is too long is left out.
        offset: The byte at which they begin, from 0.
        skipped: Bytes of a line that is too long after ``text``, without its LF.
    """

    text: bytes
    offset: int
    skipped: int = 0

    @property
    def is_too_long(self) -> bool:
        """Whether this is the beginning of one line that is too long."""
        return not self.text.endswith(b"\n")


class LineCutter:
    """
    Cuts pieces of input where lines end, and keeps only the beginning of lines too long.

    The *pending* line is the one whose end has not been read.

    Args:
        max_record_bytes: Bytes of a line, without its LF; more are too long.
        offset: The byte at which input begins.
        kept: Bytes that are kept of a line that is too long.

    Attributes:
        offset: The byte at which ``pending`` begins.
        size: Bytes of the pending line so far.
        given: Bytes of it that ``give`` has returned.
        pending: What is kept of it after those, in pieces.
    """

    def __init__(self, max_record_bytes: int, offset: int = 0, kept: int = KEPT) -> None:
        self.most = max_record_bytes
        self.kept = kept
        self.offset: int = offset
        self.size: int = 0
        self.given: int = 0
        self.pending: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[Lines]:
        """Take a piece of input, and yield the lines that are now whole."""
        end = chunk.rfind(b"\n") + 1
        if end and self.size > self.most:
            first = chunk.find(b"\n")
            self.add(chunk[:first])
            yield self._too_long()
            chunk, end = chunk[first + 1 :], end - first - 1
        if end:
            text = chunk[:end]
            if self.pending:
                text = b"".join([*self.pending, text])
                self.pending.clear()
            yield from self._lines(text)
        self.add(chunk[end:])

    def finish(self) -> Iterator[Lines]:
        """Yield the last line, if input did not end in LF."""
        if self.size > self.most:
            yield self._too_long()
        elif self.pending:
            yield from self._lines(b"".join(self.pending) + b"\n")

    def add(self, piece: bytes) -> None:
        """Add a piece to the pending line."""
        if self.size > self.most:
            left = max(0, self.kept - (self.size - self.given))
            self.size += len(piece)
            piece = piece[:left]
        else:
            self.size += len(piece)
            if self.size > self.most:
                self.pending = [self._head()]
                piece = piece[: max(0, self.kept - len(self.pending[0]))]
        if piece:
            self.pending.append(piece)

    def unfinished(self) -> bytes:
        """Return the pending line."""
        self.pending = [b"".join(self.pending)]
        return self.pending[0]

    def give(self, size: int) -> bytes:
        """Return the first bytes of the pending line, and drop them."""
        text = self.unfinished()
        self.pending = [text[size:]] if text[size:] else []
        self.offset += size
        self.given += size
        return text[:size]

    def _lines(self, text: bytes) -> Iterator[Lines]:
        """Yield whole lines together, and each line that is too long separately."""
        given, self.given, self.size = self.given, 0, 0
        if given + len(text) <= self.most:
            yield Lines(text, self.offset)
            self.offset += len(text)
            return
        start = at = 0
        while at < len(text):
            end = text.find(b"\n", at) + 1
            if given + end - 1 - at > self.most:
                if at > start:
                    yield Lines(text[start:at], self.offset)
                    self.offset += at - start
                kept = text[at : min(end - 1, at + self.kept)]
                self.pending, self.size, self.given = [kept], given + end - 1 - at, given
                yield self._too_long()
                start = end
            at, given = end, 0
        if at > start:
            yield Lines(text[start:], self.offset)
            self.offset += at - start

    def _too_long(self) -> Lines:
        size = self.size - self.given
        text = b"".join(self.pending)[: self.kept]
        lines = Lines(text, self.offset, size - len(text))
        self.pending, self.size, self.given = [], 0, 0
        self.offset += size + 1
        return lines

    def _head(self) -> bytes:
        """Return what is kept of the pending line, without joining all of its pieces."""
        head: list[bytes] = []
        missing = self.kept
        for piece in self.pending:
            head.append(piece[:missing])
            missing -= len(head[-1])
            if not missing:
                break
        return b"".join(head)


def lines_of_range(
    descriptor: int, start: int, end: int | None, *, first: bool
) -> tuple[int, Iterator[bytes]]:
    """
    Read the lines that begin in a range of a regular file; its position is not used.

    Args:
        descriptor: The file's descriptor.
        start: The byte at which the range begins.
        end: The byte at which it ends; None for the end of the file.
        first: Whether a line is known to begin at *start*.

    Returns:
        The byte at which the first of them begins, and their text in pieces. The iterator
        raises OSError if the file is shorter than *end*.
    """
    begin = start if first else _after_newline(descriptor, start - 1, end)
    return begin, _pieces_of_lines(descriptor, begin, end)


def _pieces_of_lines(descriptor: int, position: int, end: int | None) -> Iterator[bytes]:
    chunk = b"\n"
    while end is None or position < end:
        chunk = os.pread(descriptor, CHUNK if end is None else min(CHUNK, end - position), position)
        if not chunk:
            if end is not None:
                raise OSError(errno.ENODATA, CUT)
            return
        position += len(chunk)
        yield chunk
    while not chunk.endswith(b"\n") and (chunk := os.pread(descriptor, 1 << 16, position)):
        position += len(chunk)
        chunk = chunk[: chunk.find(b"\n") + 1] or chunk
        yield chunk


def _after_newline(descriptor: int, position: int, end: int | None) -> int:
    """Return the byte at which the first line begins; *end* or more if none does in the range."""
    while end is None or position < end:
        chunk = os.pread(descriptor, 1 << 16, position)
        if not chunk:
            return position if end is None else max(position, end)
        found = chunk.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(chunk)
    return position
