"""
Bytes cut into records: lines or concatenated documents, told apart.

Input is bytes throughout. Lines end at LF alone: str.splitlines() would also cut a JSON
string at U+2028.
"""

from __future__ import annotations

import errno
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, NamedTuple

from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import is_cut_short, malformed_at
from nestdecode.stream.letters import DeadLetter

__all__ = [
    "CUT",
    "Batch",
    "Framing",
    "Record",
    "expand_records",
    "framing_of",
    "is_blank",
    "lines_of_range",
    "of_lines",
    "read_batches",
]

Framing = Literal["lines", "documents"]

# What stays in a processor's cache while it is cut, read and written.
CHUNK = 1 << 18
# Input that begins with more blanks than this is not kept until it shows what it is.
_BLANK_ENOUGH = 1 << 20
# Why a file can't be read that is shorter than it was at first.
CUT = "it was cut meanwhile"
_BOM = b"\xef\xbb\xbf"


class Record(NamedTuple):
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
            on_dead_letter(
                DeadLetter(record.line, record.offset, record.raw, error, record.skipped)
            )
        else:
            yield tree


def of_lines(lines: Iterable[bytes | str], first: int = 1, offset: int = 0) -> Iterator[Record]:
    """
    Number lines that somebody else has split. Blank ones are no records.

    Args:
        lines: With their newlines or without.
        first: Number of the first one.
        offset: Where it begins, in bytes.
    """
    for number, line in enumerate(lines, first):
        raw = line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
        if raw.strip(_BLANKS):
            yield Record(raw.removesuffix(b"\n"), number, offset)
        offset += len(raw)


class Batch:
    """
    Records that were there at once: lines, or documents that know their places.

    Attributes:
        raws: Their bytes. Of lines some may be blank, which are no records.
        line: Where the first begins, from 1.
        offset: Where the first begins, in bytes from 0.
        places: Each document's place; None for lines, whose places are counted if asked for.
        skipped: Bytes that were not kept of the one record that this is, if it is too long.
    """

    __slots__ = ("line", "offset", "places", "raws", "skipped")

    def __init__(
        self,
        raws: list[bytes],
        line: int,
        offset: int,
        places: list[Record] | None = None,
        skipped: int = 0,
    ) -> None:
        self.raws = raws
        self.line = line
        self.offset = offset
        self.places = places
        self.skipped = skipped

    def record(self, index: int) -> Record:
        """Return a record with its place."""
        if self.places is None:
            sizes = (len(raw) + 1 for raw in self.raws)
            self.places = [
                Record(raw, line, offset, self.skipped)
                for line, (raw, offset) in enumerate(
                    zip(self.raws, itertools.accumulate(sizes, initial=self.offset), strict=False),
                    self.line,
                )
            ]
        return self.places[index]


def is_blank(line: bytes) -> bool:
    """Tell whether a line is no record."""
    # bytes.isspace() knows more blanks than JSON does, and is fast at telling there is none.
    return not line or (line.isspace() and not line.strip(_BLANKS))


def framing_of(read: Callable[[int], bytes], max_record_bytes: int) -> tuple[Framing, bytes]:
    """
    Tell lines from documents.

    Returns:
        ``lines`` if the first line that is not blank is a whole JSON text or fails
        before its end, or no such line comes soon; and what had to be read to know.
    """
    start = bytearray()
    while True:
        chunk = read(CHUNK)
        start += chunk
        if chunk and b"\n" not in chunk and len(start) <= max_record_bytes:
            continue
        read_so_far = bytes(start)
        line, newline, _ = read_so_far.removeprefix(_BOM).lstrip(_BLANKS).partition(b"\n")
        if newline or not chunk or len(line) > max_record_bytes:
            return ("documents" if line and is_cut_short(line) else "lines"), read_so_far
        if not line and len(start) > _BLANK_ENOUGH:
            return "lines", read_so_far


def read_batches(
    read: Callable[[int], bytes], max_record_bytes: int, framing: Framing, start: bytes = b""
) -> Iterator[Batch]:
    """
    Read records, a batch for each piece of input that is there at once.

    So whoever writes after each batch never keeps a record back while input idles.

    Args:
        read: Returns at most so many bytes, as soon as some are there, and none at the
            end: ``read1`` of a buffered file.
        max_record_bytes: Longer records are cut, and told to be.
        framing: What ``framing_of`` found.
        start: What has been read already.
    """
    splitter = (_Lines if framing == "lines" else _Documents)(max_record_bytes)
    chunk = start or read(CHUNK)
    del start
    while chunk:
        yield from splitter.feed(chunk)
        chunk = read(CHUNK)
    yield from splitter.finish()


def lines_of_range(
    descriptor: int, start: int, end: int | None, max_record_bytes: int, *, first: bool
) -> Iterator[Batch]:
    """
    Read the lines that begin in a range of a regular file, whatever its position is.

    Args:
        descriptor: Of the file.
        start: Where the range begins.
        end: Where it ends; None is the end of the file.
        max_record_bytes: As for ``read_batches``.
        first: Whether a line begins at *start*; if not, the byte before *start* tells.

    Returns:
        Batches whose line numbers count from 1.

    Raises:
        OSError: If the file can't be read, or ends before the range.
    """
    position = start if first else _after_newline(descriptor, start - 1, end)
    splitter = _Lines(max_record_bytes, position, first=first)
    while end is None or position < end:
        chunk = os.pread(descriptor, CHUNK if end is None else min(CHUNK, end - position), position)
        if not chunk:
            if end is not None:
                raise OSError(errno.ENODATA, CUT)
            break
        position += len(chunk)
        yield from splitter.feed(chunk)
    while splitter.pending and (chunk := os.pread(descriptor, 1 << 16, position)):
        position += len(chunk)
        yield from splitter.feed(chunk[: chunk.find(b"\n") + 1] or chunk)
    yield from splitter.finish()


def _after_newline(descriptor: int, position: int, end: int | None) -> int:
    """Return where the first line begins, no less than *end* if none does before it."""
    while end is None or position < end:
        chunk = os.pread(descriptor, 1 << 16, position)
        if not chunk:
            return position if end is None else max(position, end)
        found = chunk.find(b"\n")
        if found >= 0:
            return position + found + 1
        position += len(chunk)
    return position


class _Lines:
    """Cuts input at LF."""

    def __init__(self, max_record_bytes: int, position: int = 0, *, first: bool = True) -> None:
        self.most = max_record_bytes
        self.pending: list[bytes] = []  # of the line whose end has not been read yet
        self.size = 0
        self.too_long = False
        self.line = 1
        self.offset = self.position = position  # of the pending line, and of what comes next
        self.first = first

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Take a piece of input; return the records that are now whole."""
        lines = chunk.split(b"\n")
        last = lines.pop()
        if lines:
            if self.pending:
                self._add(lines[0])
                if self.too_long:
                    yield self._end(self.position + len(lines[0]))
                    self.line += 1
                    self.offset = self.position + len(lines.pop(0)) + 1
                else:
                    lines[0] = b"".join(self.pending)
                    self._forget()
            if self.first:
                self._skip_mark(lines)
            yield Batch(lines, self.line, self.offset)
            self.line += len(lines)
            self.offset = self.position + len(chunk) - len(last)
        self.position += len(chunk)
        if last:
            self._add(last)

    def finish(self) -> Iterator[Batch]:
        """Return the last record, if input did not end in LF."""
        if self.pending:
            yield self._end(self.position)

    def _skip_mark(self, lines: list[bytes]) -> None:
        """Take a line that holds nothing but a byte order mark for a blank one."""
        self.first = False
        if lines and is_blank(lines[0].removeprefix(_BOM)):
            lines[0] = b" " * len(lines[0])

    def _add(self, piece: bytes) -> None:
        keep = self.most + 1 - self.size  # +1: a CR before the LF
        if len(piece) > keep:
            self.too_long = True
            piece = piece[:keep]
        self.size += len(piece)
        self.pending.append(piece)

    def _end(self, end: int) -> Batch:
        """Return the pending line, which ends at *end*; of a long one just its beginning."""
        lines = [b"".join(self.pending)]
        if self.first:
            self._skip_mark(lines)
        if self.too_long:
            lines[0] = lines[0][:_KEPT]
        skipped = end - self.offset - len(lines[0])
        batch = Batch(lines, self.line, self.offset, skipped=skipped)
        self._forget()
        return batch

    def _forget(self) -> None:
        self.pending.clear()
        self.size = 0
        self.too_long = False


_BLANKS = b" \t\r\n"
# Patterns, compiled when documents are cut. Possessive: each byte is looked at once. A string without an end matches nothing.
_INSIDE = rb'(?s)"(?:[^"\\]++|\\.)*+"|[\[\]{}]|"'
_REST = rb'(?s)(?:[^"\\]++|\\.)*+'
_BLANK = rb"[ \t\r\n]*"
_SCALAR = rb'[^ \t\r\n"\[\]{}]+'
_STARTS_DOCUMENT = rb"\n(?=[\[{])"
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
        self.in_string = False
        self.checked = 1 << 16  # the size at which a long document is looked at early
        self.dropped = b""  # the beginning of a record that is too long, or malformed
        self.gone = 0  # bytes of it that are no longer in the buffer
        self.broken = False
        self.line = self.start_line = 1
        self.offset = self.start_offset = 0
        self.begun = False

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Take a piece of input; return the records that are now whole."""
        if not self.begun:
            self.begun = True
            if chunk.startswith(_BOM):
                self.offset, chunk = len(_BOM), chunk[len(_BOM) :]
        self.buffer += chunk
        return _batches(self._cut(final=False))

    def finish(self) -> Iterator[Batch]:
        """Return the records that are left; what is cut short is one of them."""
        return _batches(self._cut(final=True))

    def _cut(self, *, final: bool) -> list[Record]:
        records: list[Record] = []
        while True:
            if self.broken:
                found = self._resume(records, final)
            elif self.depth or self.gone or self.in_string:
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
            self.gone += len(raw.rstrip(_BLANKS))
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
        self.in_string = False
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
        blank = re.compile(_BLANK).match(self.buffer)
        self._consume(blank.end() if blank else 0)
        self.start_line, self.start_offset = self.line, self.offset
        if not self.buffer:
            return False
        first = self.buffer[0]
        if first in b"{[":
            self.depth, self.scanned = 1, 1
            return True
        if first in b'"':
            self.in_string, self.scanned = True, 1
            return True
        if first in b"]}":
            self.broken = True
            return True
        match = re.compile(_SCALAR).match(self.buffer)
        end = match.end() if match else 1
        del match
        if final or end < len(self.buffer):
            self._emit(records, end)
            return True
        if len(self.buffer) > self.most:
            self.broken = True
            return True
        return False

    def _go_on(self, records: list[Record], final: bool) -> bool:
        """Scan on for the end of a container or a string."""
        end = self._end()
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
        match = re.compile(_STARTS_DOCUMENT).search(self.buffer, self.scanned)
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

    def _end(self) -> int:
        """Scan on; return where the document ends, or 0 if that has not been read yet."""
        if self.in_string and not self._leave_string():
            return 0
        if not self.depth:
            return self.scanned
        depth, scanned = self.depth, len(self.buffer)
        for match in re.compile(_INSIDE).finditer(self.buffer, self.scanned):
            token = match[0]
            if token in (b"{", b"["):
                depth += 1
            elif token in (b"}", b"]"):
                depth -= 1
                if depth == 0:
                    return match.end()
            elif token == b'"':  # its end has not been read yet
                self.in_string, scanned = True, match.end()
                break
        self.depth, self.scanned = depth, scanned
        if self.in_string:
            self._leave_string()
        return 0

    def _leave_string(self) -> bool:
        """Scan on to the end of a string; tell whether it has been read."""
        match = re.compile(_REST).match(self.buffer, self.scanned)
        self.scanned = match.end() if match else self.scanned
        if self.scanned == len(self.buffer) or self.buffer[self.scanned] not in b'"':
            return False
        self.in_string = False
        self.scanned += 1
        return True


def _batches(records: list[Record]) -> Iterator[Batch]:
    """Put records together, each one that was cut by itself."""
    for too_long, group in itertools.groupby(records, lambda record: record.skipped > 0):
        for some in [[record] for record in group] if too_long else [list(group)]:
            raws = [record.raw for record in some]
            yield Batch(raws, some[0].line, some[0].offset, some, some[0].skipped)
