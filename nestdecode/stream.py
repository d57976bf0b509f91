"""
Records in: lines or concatenated documents, told apart; dead letters out.

Input is bytes throughout. Lines end at LF alone: str.splitlines() would also cut a JSON
string at U+2028.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import is_cut_short, malformed_at

__all__ = ["DeadLetter", "Framing", "Record", "expand_records", "read_records"]

Framing = Literal["lines", "documents"]

CHUNK = 1 << 20
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Record:
    """
    One record's text, as it stood in its source.

    Attributes:
        raw: Its bytes, without the line's LF.
        line: Where it begins, from 1.
        offset: Where it begins, in bytes from 0.
        skipped: Bytes after ``raw`` that were not kept because it is too long.
        whole_line: Whether it is a line, and not a document over any number of them.
    """

    raw: bytes
    line: int
    offset: int
    skipped: int = 0
    whole_line: bool = True


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A record set aside, with the reason.

    Attributes:
        line: Where it begins in its source, from 1.
        offset: Where it begins, in bytes from 0.
        raw: Its bytes.
        error: Why. Its pointer is empty if the record itself can't be read.
    """

    line: int
    offset: int
    raw: bytes
    error: DecodeError


def expand_records(
    records: Iterable[Record],
    expand: Callable[[bytes], Any],
    on_dead_letter: Callable[[DeadLetter], None] | None,
    max_record_bytes: int,
) -> Iterator[Any]:
    """Expand each record, in order. A bad one raises, unless *on_dead_letter* takes it."""
    for record in records:
        try:
            if record.skipped:
                raise LimitError(f"longer than max_record_bytes={max_record_bytes}")
            tree = expand(record.raw)
        except DecodeError as error:
            if on_dead_letter is None:
                raise
            on_dead_letter(DeadLetter(record.line, record.offset, record.raw, error))
        else:
            yield tree


def of_lines(lines: Iterable[bytes | str]) -> Iterator[Record]:
    """Number lines that somebody else has split. Blank ones are no records."""
    offset = 0
    for number, line in enumerate(lines, 1):
        raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
        if raw.strip(_BLANKS):
            yield Record(raw.removesuffix(b"\n"), number, offset)
        offset += len(raw)


def read_records(
    read: Callable[[int], bytes], max_record_bytes: int, framing: Framing | None = None
) -> Iterator[list[Record]]:
    """
    Read records, one list for each piece of input that is there at once.

    So whoever writes after each list never keeps a record back while input idles.

    Args:
        read: Returns at most so many bytes, as soon as some are there, and none at the
            end: ``read1`` of a buffered file.
        max_record_bytes: Longer records are cut, and say how much is missing.
        framing: ``lines`` or ``documents``; by default lines, if the first line that
            is not blank is a whole JSON text or fails before its end.
    """
    start = bytearray()
    while framing is None:
        chunk = read(CHUNK)
        start += chunk
        if chunk and b"\n" not in chunk and len(start) <= max_record_bytes:
            continue
        line, newline, _ = bytes(start).removeprefix(_BOM).lstrip(_BLANKS).partition(b"\n")
        if newline or not chunk or len(line) > max_record_bytes:
            framing = "documents" if line and is_cut_short(line) else "lines"
    splitter = (_Lines if framing == "lines" else _Documents)(max_record_bytes)
    chunk = bytes(start) or read(CHUNK)
    del start
    while chunk:
        if records := splitter.feed(chunk):
            yield records
        chunk = read(CHUNK)
    if records := splitter.finish():
        yield records


class _Lines:
    """Cuts input at LF."""

    def __init__(self, max_record_bytes: int) -> None:
        self.most = max_record_bytes
        self.pending: list[bytes] = []
        self.size = 0
        self.skipped = 0
        self.line = 1
        self.offset = 0

    def feed(self, chunk: bytes) -> list[Record]:
        """Take a piece of input; return the records that are now whole."""
        *lines, rest = chunk.split(b"\n")
        records = []
        for raw in lines:
            self._add(raw)
            records += self._end(1)
        self._add(rest)
        return records

    def finish(self) -> list[Record]:
        """Return the last record, if input did not end in LF."""
        return self._end(0)

    def _add(self, piece: bytes) -> None:
        if self.size + len(piece) > self.most + 1:  # +1: a CR before the LF
            keep = max(0, self.most + 1 - self.size)
            self.skipped += len(piece) - keep
            piece = piece[:keep]
        self.size += len(piece)
        self.pending.append(piece)

    def _end(self, newline: int) -> list[Record]:
        raw = self.pending[0] if len(self.pending) == 1 else b"".join(self.pending)
        record = Record(raw, self.line, self.offset, self.skipped)
        self.offset += len(raw) + self.skipped + newline
        self.line += newline
        self.pending.clear()
        self.size = self.skipped = 0
        text = raw if record.line > 1 else raw.removeprefix(_BOM)
        return [record] if text.strip(_BLANKS) or record.skipped else []


_BLANKS = b" \t\r\n"
# Possessive: each byte is looked at once. A string without an end matches nothing.
_INSIDE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb'[^ \t\r\n"\[\]{}]+')
_STARTS_DOCUMENT = re.compile(rb"\n(?=[\[{])")
# How much is kept of a record that is too long to be one.
_KEPT = 1024


class _Documents:
    """
    Cuts input where a JSON text ends: by its brackets, its quotes, or white space.

    Three states: between documents; inside one, scanning for its end; and after a text
    that can't become one, waiting for the next line that starts a document.
    """

    def __init__(self, max_record_bytes: int) -> None:
        self.most = max_record_bytes
        self.buffer = bytearray()
        self.scanned = 0  # within a document: where the scan goes on
        self.depth = 0
        self.checked = 1 << 16  # the size at which a long document is looked at early
        self.dropped = b""  # the beginning of a record that is too long, or malformed
        self.gone = 0  # bytes of it that are no longer in the buffer
        self.broken = False
        self.line = self.start_line = 1
        self.offset = self.start_offset = 0
        self.begun = False

    def feed(self, chunk: bytes) -> list[Record]:
        """Take a piece of input; return the records that are now whole."""
        if not self.begun:
            self.begun = True
            if chunk.startswith(_BOM):
                self.offset, chunk = len(_BOM), chunk[len(_BOM) :]
        self.buffer += chunk
        return self._cut(final=False)

    def finish(self) -> list[Record]:
        """Return the records that are left; what is cut short is one of them."""
        return self._cut(final=True)

    def _cut(self, *, final: bool) -> list[Record]:
        records: list[Record] = []
        while True:
            if self.broken:
                found = self._resume(records, final)
            elif self.depth or self.gone:
                found = self._go_on(records, final)
            else:
                found = self._begin(records, final)
            if not found:
                return records

    def _consume(self, size: int) -> bytes:
        taken = bytes(self.buffer[:size])
        del self.buffer[:size]
        self.line += taken.count(b"\n")
        self.offset += size
        return taken

    def _emit(self, records: list[Record], size: int) -> None:
        """End the record *size* bytes into the buffer, and begin anew."""
        raw = self._consume(size)
        if self.gone:
            self.gone += len(raw)
            raw, skipped = self.dropped, self.gone - len(self.dropped)
        else:
            raw, skipped = raw.rstrip(_BLANKS), 0
            if len(raw) > self.most:
                raw, skipped = raw[:_KEPT], len(raw) - _KEPT
        if raw:
            records.append(
                Record(raw, self.start_line, self.start_offset, skipped, whole_line=False)
            )
        self.scanned = self.depth = self.gone = 0
        self.dropped, self.broken, self.checked = b"", False, 1 << 16

    def _let_go(self, size: int) -> None:
        """Forget the first *size* bytes of the buffer, which belong to a lost record."""
        taken = self._consume(size)
        if len(self.dropped) < _KEPT:
            self.dropped += taken[: _KEPT - len(self.dropped)]
        self.gone += size
        self.scanned = max(0, self.scanned - size)

    def _begin(self, records: list[Record], final: bool) -> bool:
        """Find where the next document starts, and whether it ends where it starts."""
        blank = _BLANK.match(self.buffer)
        self._consume(blank.end() if blank else 0)
        self.start_line, self.start_offset = self.line, self.offset
        if not self.buffer:
            return False
        first = self.buffer[0]
        if first in b"{[":
            self.depth, self.scanned = 1, 1
            return True
        if first in b"]}":
            self.broken = True
            return True
        pattern = _INSIDE if first in b'"' else _SCALAR
        match = pattern.match(self.buffer)
        end = match.end() if match else 1
        whole = first in b'"' and end > 1
        del match
        if whole or final or (first not in b'"' and end < len(self.buffer)):
            if first in b'"' and not whole:
                end = len(self.buffer)
            self._emit(records, end)
            return True
        if len(self.buffer) > self.most:
            self.broken = True
            return True
        return False

    def _go_on(self, records: list[Record], final: bool) -> bool:
        """Scan on for the end of a container."""
        end = self._container_end()
        if end:
            self._emit(records, end)
            return True
        if final or (not self.gone and len(self.buffer) > self.checked):
            # What was cut in the middle would swallow all that follows.
            at = None if self.gone else malformed_at(bytes(self.buffer))
            if at is not None:
                # All before the line of the error belongs to the malformed record.
                self.broken, self.scanned = True, max(0, self.buffer.rfind(b"\n", 0, at + 1))
                return True
            if final:
                self._emit(records, len(self.buffer))
                return bool(self.buffer)
            self.checked = 2 * len(self.buffer)
        if self.gone + len(self.buffer) > self.most:
            self._let_go(self.scanned)
        return False

    def _resume(self, records: list[Record], final: bool) -> bool:
        """Wait for the next line that starts a document."""
        match = _STARTS_DOCUMENT.search(self.buffer, self.scanned)
        if match:
            end = match.end()
            del match
            self._emit(records, end)
            return True
        if final:
            self._emit(records, len(self.buffer))
            return False
        # The last byte may be the newline before a document.
        self.scanned = max(0, len(self.buffer) - 1)
        if self.gone + len(self.buffer) > self.most:
            self._let_go(self.scanned)
        return False

    def _container_end(self) -> int:
        """Scan on; return where the container ends, or 0 if that has not been read yet."""
        depth, scanned = self.depth, len(self.buffer)
        for match in _INSIDE.finditer(self.buffer, self.scanned):
            token = match[0]
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return match.end()
            elif token == b'"':  # its end has not been read yet
                scanned = match.start()
                break
        self.depth, self.scanned = depth, scanned
        return 0
