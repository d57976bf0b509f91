"""
Input split into records: lines, documents, and texts that are malformed.

Nothing is invented: no part of a malformed text becomes a record, except lines that are whole
objects or arrays.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Literal

from nestdecode.stream.following import BOM, Follower
from nestdecode.stream.held import Held
from nestdecode.stream.lines import CHUNK, KEPT, LineCutter, Lines
from nestdecode.stream.records import BLANKS, Batch, Record, is_blank
from nestdecode.stream.scanner import Scanner, not_utf8

__all__ = ["FRAMINGS", "Framing", "Splitter", "framing_of", "read_batches"]

# What each word means is said at ``Splitter``. ``mixed`` is what is detected for lines.
Framing = Literal["lines", "mixed", "documents"]
# Those that a user can ask for.
FRAMINGS: tuple[Framing, ...] = ("lines", "documents")

# Lines that are followed token by token, at most, after one that was given back.
_MOST_FOLLOWED = 64
# Blank bytes at the start of input after which it is taken for lines.
_BLANK_ENOUGH = 1 << 20
# Bytes of unfinished lines that may be looked at more than once, at first.
_CREDIT = 1 << 16


def framing_of(read: Callable[[int], bytes], max_record_bytes: int) -> tuple[Framing, bytes]:
    """
    Return the framing of an input, and what had to be read to detect it.

    That is ``documents`` if the first line that is not blank is the beginning of a document
    that can go on in the next line, else ``mixed``.

    Args:
        read: As for ``read_batches``.
        max_record_bytes: Bytes of a first line after which reading stops.
    """
    start = bytearray()
    while True:
        chunk = read(CHUNK)
        start += chunk
        if chunk and b"\n" not in chunk and len(start) <= max_record_bytes:
            continue
        read_so_far = bytes(start)
        line, newline, _ = read_so_far.removeprefix(BOM).lstrip(BLANKS).partition(b"\n")
        if newline or not chunk or len(line) > max_record_bytes:
            return ("documents" if _goes_on(line + newline) else "mixed"), read_so_far
        if not line and len(start) > _BLANK_ENOUGH:
            return "mixed", read_so_far


def _goes_on(line: bytes) -> bool:
    """Return whether a line is the beginning of an object or array that can go on."""
    if line[:1] not in (b"{", b"[") or not_utf8(line) is not None:
        return False
    scanner = Scanner()
    scanner.begin(line[0])
    return scanner.follow(line, 1, len(line)).outcome == "goes on"


def read_batches(
    read: Callable[[int], bytes],
    max_record_bytes: int,
    framing: Framing,
    start: bytes = b"",
    *,
    answered: bool = False,
) -> Iterator[Batch]:
    """
    Yield the records of an input, in a batch for each piece that comes at once.

    A caller that writes after each batch holds no record back while input idles.

    Args:
        read: Returns at most the given number of bytes, as soon as some have come, and none
            at the end of input: ``read1`` of a buffered file.
        max_record_bytes: Longer records are cut, and say how many bytes are missing.
        framing: The framing that ``framing_of`` returned, or that a user asked for.
        start: What has been read of the input already.
        answered: As for ``Splitter``.
    """
    splitter = Splitter(framing, max_record_bytes, answered=answered)
    chunk = start or read(CHUNK)
    del start
    while chunk:
        yield from splitter.feed(chunk)
        chunk = read(CHUNK)
    yield from splitter.finish()


class Splitter:
    """
    Splits input into records, malformed texts included.

    Args:
        framing: ``lines``: each line is a record. ``mixed``: a line is one record, or
            several objects and arrays, or the beginning of a document that goes on.
            ``documents``: one after another, over any number of lines.
        max_record_bytes: Only the beginning of longer records is kept.
        answered: Whether the caller answers each batch before it takes the next, and gives
            back the malformed line of a batch that is not ``settled``.
        offset: The byte at which input begins.
        first: Whether a byte order mark may stand there.
    """

    def __init__(
        self,
        framing: Framing,
        max_record_bytes: int,
        *,
        answered: bool = False,
        offset: int = 0,
        first: bool = True,
    ) -> None:
        self._framing = framing
        self._most = max_record_bytes
        self._answered = answered and framing == "mixed"
        self._first = first
        # A document may end in a line that is too long, where its beginning is not.
        kept = KEPT + (max_record_bytes if framing == "documents" else 0)
        self._cutter = LineCutter(max_record_bytes, offset, kept)
        self._held = Held(offset)
        self._follower = Follower(self._held, max_record_bytes, mixed=framing == "mixed")
        self._lines: Batch | None = None
        self._credit = _CREDIT
        self._followed = self._to_follow = 0
        self._failed = False

    @property
    def settled(self) -> tuple[int, int | None]:
        """
        The number of lines that are settled, and the offset of the text that is not.

        The offset is None if all whole lines are settled.
        """
        text = self._follower.text
        if text is None or not text.gone:
            return self._held.line - 1, None if text is None else self._held.base + text.start
        line, offset = text.place
        return line - 1, offset

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Take a piece of input, and yield the records that are now whole."""
        for lines in self._cutter.feed(chunk):
            yield from self.take(lines)
        if self._framing == "documents":
            self._credit += 2 * len(chunk)
            yield from self._look_ahead(chunk)

    def finish(self) -> Iterator[Batch]:
        """Yield the records that are left at the end of input, a text that is cut short too."""
        for lines in self._cutter.finish():
            yield from self.take(lines)
        if self._follower.text is not None:
            yield from self._cut(final=True)

    def take(self, lines: Lines) -> Iterator[Batch]:
        """Take lines that have been cut, and yield the records that are now whole."""
        held = self._held
        if lines.is_too_long:
            yield from self._take_long(lines)
        elif self._framing == "lines":
            yield self._as_batch(lines.text)
            held.base += len(lines.text)
        else:
            if self._follower.text is None:
                held.begin(lines.text)
                self._follower.at = 0
            else:
                held.text += lines.text
            self._lines = None
            yield from self._cut()

    def _as_batch(self, text: bytes) -> Batch:
        if self._first:
            # A line that holds only a byte order mark is blank.
            self._first = False
            end = text.find(b"\n")
            if is_blank(text[:end].removeprefix(BOM)):
                text = b" " * end + text[end:]
        settled = self._framing == "lines"
        batch = Batch(text, self._held.line, self._held.base + self._follower.at, settled=settled)
        if settled:
            self._held.skip(text.count(b"\n"), 0)
        return batch

    def _take_long(self, lines: Lines) -> Iterator[Batch]:
        """Take a line that is too long: a record, or the line at which a text fails."""
        if self._may_end_early():
            beginning = lines.text[: self._most]
            end = self._end_in(beginning)
            if end:
                self._held.text += beginning[:end]
                yield from self._cut()
                lines = Lines(lines.text[end:], lines.offset + end, lines.skipped)
        if self._follower.text is None and self._framing != "documents":
            yield Batch([lines.text], self._held.line, lines.offset, skipped=lines.skipped)
        else:
            self._follower.fail_in(lines)
            self._lines = None
        self._held.skip(1, len(lines.text) + lines.skipped + 1)
        self._first, self._held.on_line = False, True

    def _look_ahead(self, chunk: bytes) -> Iterator[Batch]:
        """
        End a document that ends in a line whose end has not been read.

        The work is bounded by the bytes that were read, in whatever pieces they came.
        """
        pending = self._cutter.size - self._cutter.given
        cost = pending + self._follower.scanner.depth
        if cost > self._credit or not self._may_end_early():
            return
        is_whole = pending > 0 and self._cutter.size <= self._most
        if is_whole and chunk.rstrip(BLANKS).endswith((b"}", b"]")):
            self._credit -= cost
            end = self._end_in(self._cutter.unfinished())
            if end:
                self._held.text += self._cutter.give(end)
                yield from self._cut()

    def _may_end_early(self) -> bool:
        """Return whether a document may end in a line whose end has not been read."""
        text = self._follower.text
        return not (
            self._framing != "documents"
            or text is None
            or text.failed
            or text.gone
            or self._follower.doubt
        )

    def _end_in(self, line: bytes) -> int:
        """Return the position at which a document ends in the beginning of a line, or 0."""
        outcome, at = self._follower.scanner.copy().follow(line, 0, len(line))
        return at if outcome == "ends" and not_utf8(line[:at]) is None else 0

    def _cut(self, *, final: bool = False) -> Iterator[Batch]:
        """Settle the held text as far as it can be, and yield the records."""
        while True:
            if self._follower.text is not None:
                if not self._follower.go_on(self._follower.text, final=final):
                    break
            elif self._follower.at >= len(self._held.text):
                break
            else:
                if self._to_follow:
                    self._to_follow -= 1
                elif self._answered and self._follower.at >= self._held.known_to:
                    yield from self._settled()
                    yield from self._by_lines()
                self._follower.begin()
        yield from self._settled()
        self._shorten()

    def _settled(self) -> Iterator[Batch]:
        settled = self._follower.settled
        records, settled.records = settled.records, []
        if records:
            self._failed = records[-1].fails
        return _batches(records)

    def _by_lines(self) -> Iterator[Batch]:
        """Yield lines to be answered; go on at the one that is given back, if any."""
        self._held.count(self._follower.at)
        batch = self._lines
        if batch is None:
            batch = self._lines = self._as_batch(bytes(self._held.text[self._follower.at :]))
        start = batch.start = self._held.line - batch.line
        batch.refused = None
        if self._follower.at < len(self._held.text):
            yield batch
        if batch.refused is None:
            self._follower.at = len(self._held.text)
            self._followed = 0
            return
        self._follower.at = batch.record(batch.refused).offset - self._held.base
        # Documents over several lines are followed at once, without trying their first lines.
        more = batch.refused == start and not self._failed
        self._followed = min(2 * self._followed + 1, _MOST_FOLLOWED) if more else 0
        self._to_follow = self._followed

    def _shorten(self) -> None:
        """Drop the text that is settled, and of a record that is too long all but its head."""
        follower, held = self._follower, self._held
        text = follower.text
        settled = len(held.text) if text is None else text.start
        if held.drop(settled, goes_on=text is not None) and text is not None:
            follower.move(text, settled)
            self._lines = None
        follower.at = 0
        if text is not None and text.gone + len(held.text) > self._most:
            follower.let_go(text)
            self._lines = None


def _batches(records: list[Record]) -> Iterator[Batch]:
    """Yield records in batches; each record that was cut is a batch of its own."""
    for too_long, group in itertools.groupby(records, lambda record: record.skipped > 0):
        for some in [[record] for record in group] if too_long else [list(group)]:
            raws = [record.raw for record in some]
            yield Batch(raws, some[0].line, some[0].offset, some, some[0].skipped)
