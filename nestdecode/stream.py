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
        if raw.strip():
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
    start = b""
    while framing is None:
        chunk = read(CHUNK)
        start += chunk
        line, newline, _ = start.removeprefix(_BOM).lstrip().partition(b"\n")
        if newline or not chunk or len(line) > max_record_bytes:
            framing = "documents" if line and is_cut_short(line) else "lines"
    splitter = (_Lines if framing == "lines" else _Documents)(max_record_bytes)
    chunk = start or read(CHUNK)
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
        return [record] if raw.strip() or record.skipped else []


# Possessive: each byte is looked at once. A string without an end matches nothing.
_INSIDE = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"', re.DOTALL)
_BLANK = re.compile(rb"[ \t\r\n]*")
_SCALAR = re.compile(rb'[^ \t\r\n"\[\]{}]+')
_STARTS_DOCUMENT = re.compile(rb"^[\[{]", re.MULTILINE)


class _Documents:
    """Cuts input where a JSON text ends: by its brackets, its quotes, or white space."""

    def __init__(self, max_record_bytes: int) -> None:
        self.most = max_record_bytes
        self.buffer = b""
        self.scanned = 0
        self.depth = 0
        self.checked = 1 << 16
        self.line = 1
        self.offset = 0

    def feed(self, chunk: bytes) -> list[Record]:
        """Take a piece of input; return the records that are now whole."""
        if self.offset == 0 and not self.buffer:
            bom = len(_BOM) if chunk.startswith(_BOM) else 0
            self.offset, chunk = bom, chunk[bom:]
        self.buffer += chunk
        records = self._cut(final=False)
        while len(self.buffer) > self.checked:
            # What was cut in the middle would swallow all that follows.
            broken = malformed_at(self.buffer)
            if broken is None and len(self.buffer) <= self.most:
                self.checked = 2 * len(self.buffer)
                break
            records += self._resume(broken or 0) + self._cut(final=False)
        return records

    def finish(self) -> list[Record]:
        """Return the records that are left; what is cut short is one of them."""
        records = self._cut(final=True)
        while self.buffer:
            broken = malformed_at(self.buffer)
            records += self._resume(len(self.buffer) if broken is None else broken)
            records += self._cut(final=True)
        return records

    def _take(self, size: int) -> list[Record]:
        taken, self.buffer = self.buffer[:size], self.buffer[size:]
        raw = taken.rstrip(b" \t\r\n")
        long = len(raw) > self.most
        record = Record(
            raw[: self.most] if long else raw,
            self.line,
            self.offset,
            len(raw) - self.most if long else 0,
            whole_line=False,
        )
        self.line += taken.count(b"\n")
        self.offset += size
        self.scanned = self.depth = 0
        self.checked = 1 << 16
        return [record] if raw else []

    def _resume(self, broken: int) -> list[Record]:
        """Set aside a malformed record, up to the next line that starts a document."""
        line = self.buffer.rfind(b"\n", 0, broken + 1) + 1
        found = _STARTS_DOCUMENT.search(self.buffer, max(line, 1))
        return self._take(found.start() if found else len(self.buffer))

    def _cut(self, *, final: bool) -> list[Record]:
        records: list[Record] = []
        position = 0  # records are cut off the buffer at the end, all at once
        buffer = self.buffer
        while True:
            if self.depth == 0:
                blank = _BLANK.match(buffer, position)
                start = blank.end() if blank else position
                self.line += buffer.count(b"\n", position, start)
                self.offset += start - position
                position = start
                end = self._scalar_end(buffer, start, final)
                if end is None:
                    break
                self.scanned = start
            else:
                start, end = position, 0
            if not end:
                end = self._container_end(buffer)
                if not end:
                    break
            raw = buffer[start:end]
            records.append(Record(raw, self.line, self.offset, whole_line=False))
            self.line += raw.count(b"\n")
            self.offset += end - start
            position = end
        self.buffer = buffer[position:]
        self.scanned = max(0, self.scanned - position) if self.depth else 0
        if records:
            self.checked = 1 << 16
        return records

    def _scalar_end(self, buffer: bytes, start: int, final: bool) -> int | None:
        """Return where a scalar at *start* ends, 0 for a container, None if it is not known."""
        if start >= len(buffer):
            return None
        if buffer[start] in b"{[":
            return 0
        if buffer[start] in b"]}":
            return start + 1
        match = (_INSIDE if buffer[start] in b'"' else _SCALAR).match(buffer, start)
        if match is None or (match[0] == b'"'):
            return None
        return match.end() if final or match.end() < len(buffer) or match[0][:1] == b'"' else None

    def _container_end(self, buffer: bytes) -> int:
        """Scan on; return where the container ends, or 0 if that has not been read yet."""
        depth = self.depth
        for match in _INSIDE.finditer(buffer, self.scanned):
            token = match[0]
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    self.depth = 0
                    return match.end()
            elif token == b'"':  # its end has not been read yet
                self.depth, self.scanned = depth, match.start()
                return 0
        self.depth, self.scanned = depth, len(buffer)
        return 0
