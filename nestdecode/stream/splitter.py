"""
Input split into records: lines, documents, and texts that are neither.

Nothing is invented: of a text that is no JSON no part comes out as a record, but for
lines that are whole objects or arrays for themselves.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from typing import Literal

from stringzilla import count

from nestdecode.stream.lines import CHUNK, KEPT, LineCutter, Lines
from nestdecode.stream.records import BLANKS, Batch, Record, is_blank
from nestdecode.stream.scanner import Followed, Scanner, Text, after_scalar, not_utf8

__all__ = ["FRAMINGS", "Framing", "Splitter", "framing_of", "read_batches"]

Framing = Literal["lines", "mixed", "documents"]
# Those that can be asked for.
FRAMINGS: tuple[Framing, ...] = ("lines", "documents")

# After a line that was given back as many are followed here first, at most.
_MOST_FOLLOWED = 64
# Input that begins with more blanks than this is not kept until it shows what it is.
_BLANK_ENOUGH = 1 << 20
# What is followed again and again of a line that has not been read whole, at first.
_CREDIT = 1 << 16
_BOM = b"\xef\xbb\xbf"
_LF = ord("\n")
_BRACKETS = b"{["
# Patterns, compiled when they are needed. Possessive: each byte is looked at once.
_SPACE = rb"[ \t\r\n]*+"
_SPACE_IN_LINE = rb"[ \t\r]*+"
_LINE_THAT_OPENS = rb"\n[{\[]"
_LINE_THAT_OPENS_INSIDE = rb"\n[ \t\r]*+[{\[]"


def framing_of(read: Callable[[int], bytes], max_record_bytes: int) -> tuple[Framing, bytes]:
    """
    Tell lines from documents.

    Returns:
        ``documents`` if the first line that is not blank is the beginning of a document
        that can go on in the next line, else ``mixed``; and what had to be read to know.
    """
    start = bytearray()
    while True:
        chunk = read(CHUNK)
        start += chunk
        if chunk and b"\n" not in chunk and len(start) <= max_record_bytes:
            continue
        read_so_far = bytes(start)
        line, newline, _ = read_so_far.removeprefix(_BOM).lstrip(BLANKS).partition(b"\n")
        if newline or not chunk or len(line) > max_record_bytes:
            return ("documents" if _goes_on(line + newline) else "mixed"), read_so_far
        if not line and len(start) > _BLANK_ENOUGH:
            return "mixed", read_so_far


def _goes_on(line: bytes) -> bool:
    """Tell whether a line is the beginning of a document."""
    if line[:1] not in (b"{", b"[") or not_utf8(line) is not None:
        return False
    scanner = Scanner()
    scanner.begin(line[0])
    return scanner.follow(line, 1, len(line)).outcome == "goes on"


def _after(pattern: bytes, text: Text, at: int) -> int:
    """Return where ends what a pattern matches, which may match nothing."""
    match = re.compile(pattern).match(text, at)
    return match.end() if match else at


def read_batches(
    read: Callable[[int], bytes],
    max_record_bytes: int,
    framing: Framing,
    start: bytes = b"",
    *,
    answered: bool = False,
) -> Iterator[Batch]:
    """
    Read records, a batch for each piece of input that is there at once.

    So whoever writes after each batch never keeps a record back while input idles.

    Args:
        read: Returns at most so many bytes, as soon as some are there, and none at the
            end: ``read1`` of a buffered file.
        max_record_bytes: Longer records are cut, and told to be.
        framing: What ``framing_of`` found, or what is forced.
        start: What has been read already.
        answered: As for ``Splitter``.
    """
    splitter = Splitter(framing, max_record_bytes, answered=answered)
    chunk = start or read(CHUNK)
    del start
    while chunk:
        yield from splitter.feed(chunk)
        chunk = read(CHUNK)
    yield from splitter.finish()


class _Unsettled:
    """
    A text of which is not known yet whether it is records.

    Positions are those of the splitter's text.

    Attributes:
        start: Where it begins.
        at: How far it has been followed.
        first_end: Where its first line ends, less than 0 if that has been let go.
        line_end: Where the line ends up to which its values are whole.
        on_line: Whether it begins where a line does.
        values: Its values that are whole, each from its beginning to its end.
        opened: Where the value begins that is followed.
        failed: Whether it is no JSON; ``at`` is where that shows then, or later.
        head: The beginning of what has been let go, because it is too long.
        gone: Bytes that have been let go.
        solid: Bytes of those up to the end of the last line that is not blank.
        place: Line and offset of the beginning of what has been let go.
    """

    __slots__ = (
        "at",
        "failed",
        "first_end",
        "gone",
        "head",
        "line_end",
        "on_line",
        "opened",
        "place",
        "solid",
        "start",
        "values",
    )

    def __init__(self, start: int, at: int, first_end: int, *, on_line: bool) -> None:
        self.start = start
        self.at = self.opened = at
        self.first_end = self.line_end = first_end
        self.on_line = on_line
        self.values: list[tuple[int, int]] = []
        self.failed = False
        self.head = b""
        self.gone = self.solid = 0
        self.place = 1, 0

    def move(self, size: int) -> None:
        """Count positions from *size* on."""
        self.start -= size
        self.at -= size
        self.opened -= size
        self.first_end -= size
        self.line_end -= size
        self.values = [(start - size, end - size) for start, end in self.values]


class Splitter:
    """
    Splits input into records, and into texts that are none.

    What is followed token by token is followed once. When a document fails after lines
    that are records for themselves, reading goes on there, and where the containers end
    that begin lines after it is known by then.

    Args:
        framing: ``lines``: each is a record. ``mixed``: a line is one record, or several
            objects and arrays, or the beginning of a document that goes on. ``documents``:
            they follow one another over any number of lines.
        max_record_bytes: Of longer records the beginning is kept.
        answered: Whether whoever takes the batches answers one before taking the next, and
            gives back the line that can't be read of a batch that is not ``settled``.
        offset: Where input begins, in bytes.
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
        self._line = 1
        self._framing = framing
        self._most = max_record_bytes
        self._answered = answered and framing == "mixed"
        self._first = first
        # A document may end in a line that is too long, where its beginning is not.
        kept = KEPT + (max_record_bytes if framing == "documents" else 0)
        self._cutter = LineCutter(max_record_bytes, offset, kept)
        # Whole lines, from the first on that is not settled.
        self._text: Text = b""
        self._base = offset
        self._counted = 0  # lines are counted up to here
        self._at = 0  # all before it is settled
        self._on_line = True  # whether a line begins where the text does
        self._unsettled: _Unsettled | None = None
        self._doubt = False  # whether a text came before that is no JSON
        self._records: list[Record] = []
        self._lines: Batch | None = None
        self._scanner = Scanner()
        # Lines that are records for themselves though a document goes on over them.
        self._whole: list[int] = []
        # Up to where it is known of brackets that begin lines where their ends are.
        self._known_to = 0
        # For each pattern the next line and bracket.
        self._ahead: dict[bytes, tuple[int, int]] = {}
        self._not_utf8: list[int] = []  # the first such byte of each line
        self._checked = 0  # lines have been looked at up to here
        self._credit = _CREDIT
        self._followed = self._to_follow = 0

    @property
    def settled(self) -> tuple[int, int | None]:
        """How many lines are settled; where what is not begins, None if all whole lines are."""
        text = self._unsettled
        if text is None or not text.gone:
            return self._line - 1, None if text is None else self._base + text.start
        line, offset = text.place
        return line - 1, offset

    def feed(self, chunk: bytes) -> Iterator[Batch]:
        """Take a piece of input; return the records that are now whole."""
        for lines in self._cutter.feed(chunk):
            yield from self.take(lines)
        if self._framing == "documents":
            self._credit += 2 * len(chunk)
            yield from self._look_ahead(chunk)

    def finish(self) -> Iterator[Batch]:
        """Return the records that are left; what is cut short is one of them."""
        for lines in self._cutter.finish():
            yield from self.take(lines)
        if self._unsettled is not None:
            yield from self._cut(final=True)

    def take(self, lines: Lines) -> Iterator[Batch]:
        """Take lines that have been cut."""
        if lines.is_too_long:
            yield from self._take_long(lines)
        elif self._framing == "lines":
            yield self._as_batch(lines.text)
            self._base += len(lines.text)
        else:
            if self._unsettled is None:
                self._text = lines.text
                self._forget()
            else:
                self._text += lines.text
            yield from self._cut()

    def _as_batch(self, text: bytes) -> Batch:
        if self._first:
            # A line that holds nothing but a byte order mark is a blank one.
            self._first = False
            end = text.find(b"\n")
            if is_blank(text[:end].removeprefix(_BOM)):
                text = b" " * end + text[end:]
        settled = self._framing == "lines"
        batch = Batch(text, self._line, self._base + self._at, settled=settled)
        if settled:
            self._line += text.count(b"\n")
        return batch

    def _take_long(self, lines: Lines) -> Iterator[Batch]:
        """Take a line that is too long: a record, or more of a text that fails there."""
        if self._may_end_early():
            beginning = lines.text[: self._most]
            end = self._end_in(beginning)
            if end:
                self._text += beginning[:end]
                yield from self._cut()
                lines = Lines(lines.text[end:], lines.offset + end, lines.skipped)
        size = len(lines.text) + lines.skipped
        text = self._unsettled
        if text is None and self._framing != "documents":
            yield Batch([lines.text], self._line, lines.offset, skipped=lines.skipped)
        else:
            if text is None:
                text = self._unsettled = _Unsettled(0, 0, 0, on_line=self._on_line)
            self._let_go(text)
            text.head = (text.head + lines.text[:KEPT] + b"\n")[:KEPT]
            text.solid = text.gone + size
            text.gone += size + 1
            text.first_end -= size + 1
            text.failed = True
        self._line += 1
        self._base += size + 1
        self._first, self._on_line = False, True

    def _look_ahead(self, chunk: bytes) -> Iterator[Batch]:
        """
        End a document that ends in a line of which the end has not been read.

        What that takes is bounded by what is read, in whatever pieces it comes.
        """
        pending = self._cutter.size - self._cutter.given
        cost = pending + self._scanner.depth
        if cost > self._credit or not self._may_end_early():
            return
        is_whole = pending > 0 and self._cutter.size <= self._most
        if is_whole and chunk.rstrip(BLANKS).endswith((b"}", b"]")):
            self._credit -= cost
            end = self._end_in(self._cutter.unfinished())
            if end:
                self._text += self._cutter.give(end)
                yield from self._cut()

    def _may_end_early(self) -> bool:
        """Tell whether a document may end in a line before the end of that has been read."""
        text = self._unsettled
        return not (
            self._framing != "documents" or text is None or text.failed or text.gone or self._doubt
        )

    def _end_in(self, line: bytes) -> int:
        """Return where a document ends in the beginning of its next line, or 0."""
        outcome, at = self._scanner.copy().follow(line, 0, len(line))
        return at if outcome == "ends" and not_utf8(line[:at]) is None else 0

    def _cut(self, *, final: bool = False) -> Iterator[Batch]:
        """Settle what can be settled."""
        while True:
            if self._unsettled is not None:
                if not self._go_on(self._unsettled, final=final):
                    break
            elif self._at >= len(self._text):
                break
            else:
                if self._to_follow:
                    self._to_follow -= 1
                elif self._answered and self._at >= self._known_to:
                    yield from self._settled()
                    yield from self._by_lines()
                self._begin()
        yield from self._settled()
        self._shorten()

    def _settled(self) -> Iterator[Batch]:
        records, self._records = self._records, []
        return _batches(records)

    def _by_lines(self) -> Iterator[Batch]:
        """Have lines answered, up to one that is given back."""
        self._count(self._at)
        batch = self._lines
        if batch is None:
            batch = self._lines = self._as_batch(bytes(self._text[self._at :]))
        start = batch.start = self._line - batch.line
        batch.refused = None
        if self._at < len(self._text):
            yield batch
        if batch.refused is None:
            self._at = len(self._text)
            self._followed = 0
            return
        self._at = batch.record(batch.refused).offset - self._base
        # Where few lines can be read it is quicker not to have each tried first.
        few = batch.refused == start
        self._followed = min(2 * self._followed + 1, _MOST_FOLLOWED) if few else 0
        self._to_follow = self._followed

    def _begin(self) -> None:
        """Begin with what comes next, if it is not blank."""
        text, at = self._text, self._at
        begin = _after(_SPACE, text, at)
        line = text.rfind(b"\n", at, begin) + 1
        on_line = line > 0 or (text[at - 1] == _LF if at else self._on_line)
        start = (line or at) if on_line else begin
        if begin == start and text.startswith(_BOM, begin):
            begin = _after(_SPACE_IN_LINE, text, begin + len(_BOM))
            if text[begin] == _LF:
                self._at = begin + 1
                return
        if begin >= len(text):
            self._at = begin
            return
        self._scanner.leave()
        if begin >= self._known_to:
            self._whole.clear()
            self._scanner.ends.clear()
        first_end = text.find(b"\n", begin) + 1
        self._unsettled = _Unsettled(start, begin, first_end, on_line=on_line)

    def _go_on(self, text: _Unsettled, *, final: bool) -> bool:
        """Follow a text on; tell whether it is settled what it is, or that it fails."""
        if text.failed:
            return self._pass_over(text, final=final)
        while True:
            if self._scanner.depth:
                outcome, text.at = self._follow(text)
                if outcome == "goes on" and not (final or (text.values and self._mixed)):
                    return False
                if outcome != "ends":
                    text.at -= outcome == "goes on" and bool(text.values)  # on its line
                    return self._fail(text)
                text.values.append((text.opened, text.at))
                if self._ends_early(text):
                    return True
            at = text.at = _after(_SPACE_IN_LINE, self._text, text.at)
            byte = self._text[at]
            if byte == _LF:
                return self._succeed(text, at + 1)
            if byte not in _BRACKETS:
                end = (
                    after_scalar(self._text, at, len(self._text))
                    if self._may_be_scalar(text)
                    else -1
                )
                if end < 0 or self._next_not_utf8(at) < end:
                    return self._fail(text)
                text.values.append((at, end))
                text.at = end
            elif self._mixed and text.values and self._text[text.values[0][0]] not in _BRACKETS:
                return self._fail(text)
            elif at >= self._known_to:
                self._scanner.begin(byte)
                text.opened, text.at = at, at + 1
            elif at in self._scanner.ends:
                text.at = self._scanner.ends[at]
                text.values.append((at, text.at))
            else:
                text.at = self._known_to
                return self._fail(text)

    @property
    def _mixed(self) -> bool:
        return self._framing == "mixed"

    def _may_be_scalar(self, text: _Unsettled) -> bool:
        return not (self._mixed and text.values)

    def _follow(self, text: _Unsettled) -> Followed:
        """Follow a container, and note what is a record for itself if it does not end well."""
        size = limit = len(self._text)
        if self._mixed and (text.values or text.at < text.first_end):
            # Several are on one line; and one that fails there is a line that fails.
            limit = text.line_end
        at, bracket, line = text.at, -1, -1
        while True:
            next_line, next_bracket = self._next_that_opens(at - (line != at))
            stop = min(next_line, limit)
            if bracket >= 0 and not self._whole:
                # If this line is the first that is whole, brackets after it matter.
                stop = min(stop, (self._text.find(b"\n", at) + 1) or size)
            end = min(stop, self._next_not_utf8(at))
            followed = self._scanner.follow(self._text, at, end)
            at = followed.at
            self._note(line, bracket)
            if followed.outcome != "goes on":
                return followed
            if end < stop:
                return Followed("fails", end)
            if stop < min(next_line, limit):
                bracket, line = -1, -1
            elif stop == limit:
                if limit == size or text.values:
                    return followed
                limit, bracket, line = size, -1, -1
            else:
                line, bracket = next_line, next_bracket
                self._scanner.watched.append((self._scanner.depth, bracket))

    def _next_that_opens(self, at: int, *, any_line: bool = False) -> tuple[int, int]:
        """
        Return where the next line is that begins with a bracket, and that.

        Of those that begin with blanks only what comes after a record matters.
        """
        pattern = _LINE_THAT_OPENS_INSIDE if self._whole and not any_line else _LINE_THAT_OPENS
        size = len(self._text)
        line, bracket = self._ahead.get(pattern, (0, -1))
        if line <= at or (bracket < 0 and line < size):
            match = re.compile(pattern).search(self._text, max(0, at, line - 1))
            line, bracket = (match.start() + 1, match.end() - 1) if match else (size, -1)
            self._ahead[pattern] = line, bracket
        return line, bracket

    def _note(self, line: int, bracket: int) -> None:
        """
        Note of a line that has been followed whether it is a record for itself.

        From the first one on it is noted of every bracket that begins a line where its end is.
        """
        ends = self._scanner.ends
        end = ends.get(bracket, -1)
        if line == bracket >= 0 and end >= 0:
            line_end = _after(_SPACE_IN_LINE, self._text, end)
            if self._text[line_end] == _LF and self._text.find(b"\n", line, end) < 0:
                self._whole.append(line)
        if not self._whole:
            ends.clear()
            self._scanner.watched.clear()

    def _next_not_utf8(self, at: int) -> int:
        """Return where the next byte is that is not UTF-8, if any is before the end."""
        if self._checked < len(self._text):
            self._check(bytes(self._text[self._checked :]))
        index = bisect_left(self._not_utf8, at)
        return self._not_utf8[index] if index < len(self._not_utf8) else len(self._text)

    def _check(self, text: bytes) -> None:
        if not_utf8(text) is not None:
            start = self._checked
            for line in text.split(b"\n"):
                at = not_utf8(line)
                if at is not None:
                    self._not_utf8.append(start + at)
                start += len(line) + 1
        self._checked += len(text)

    def _ends_early(self, text: _Unsettled) -> bool:
        """Settle what needs no more of the line: a document over several, or too long a one."""
        if text.gone or text.at - text.start > self._most:
            if self._mixed:
                text.at = self._text.find(b"\n", text.at) + 1
            self._add_long(text, text.gone + text.at)
        elif self._mixed or self._doubt or self._text.find(b"\n", text.opened, text.at) < 0:
            if text.at > text.line_end:
                text.line_end = self._text.find(b"\n", text.at) + 1
            return False
        else:
            self._add_values(text)
        self._settle(text.at)
        self._doubt = False
        return True

    def _succeed(self, text: _Unsettled, end: int) -> bool:
        """Settle that a text is records, up to the end of a line."""
        if self._mixed and len(text.values) == 1 and end == text.first_end:
            self._add(text.start, end - 1, whole_line=True)
        else:
            self._add_values(text)
        self._settle(end)
        self._doubt = False
        return True

    def _fail(self, text: _Unsettled) -> bool:
        """Settle where a text ends that is no JSON, or wait for that."""
        at = text.at
        if self._mixed and at < text.first_end:
            self._add(text.start, text.first_end - 1, whole_line=True)
            self._settle(text.first_end)
            return True
        self._doubt |= text.on_line
        if not text.gone and at - text.start <= self._most:
            index = bisect_right(self._whole, text.start)
            if index < len(self._whole) and self._whole[index] < at:
                # It was JSON up to here, and what begins in it ends where it did, or fails here.
                self._known_to = max(self._known_to, at)
                self._ahead.clear()
                self._add_text(text, self._whole[index])
                return True
        text.failed = True
        return True

    def _pass_over(self, text: _Unsettled, *, final: bool) -> bool:
        """Settle that a text is no JSON if its end has been read."""
        size, end = len(self._text), text.at
        begins_line = self._text[end - 1] == _LF if end else text.gone
        if not (begins_line and end < size and self._text[end] in _BRACKETS):
            end, _ = self._next_that_opens(end, any_line=True)
        if end == size and not final:
            text.at = size
            return False
        self._add_text(text, end)
        return True

    def _settle(self, at: int) -> None:
        self._at = at
        self._unsettled = None

    def _add_values(self, text: _Unsettled) -> None:
        for start, end in text.values:
            self._add(start, end)

    def _add_text(self, text: _Unsettled, end: int) -> None:
        """Add a text that is no JSON, without blank lines after it."""
        solid = self._solid_end(text.start, end)
        if text.gone:
            size = text.gone + solid if solid else text.solid
            one_line = self._mixed and size <= text.gone + text.first_end
            self._add_long(text, size, whole_line=one_line)
        else:
            self._add(text.start, solid)
        self._settle(end)

    def _add(self, start: int, end: int, *, whole_line: bool = False) -> None:
        raw = bytes(self._text[start : min(end, start + KEPT) if end - start > self._most else end])
        if self._mixed and not whole_line:
            whole_line = self._text.find(b"\n", start, end) < 0
        place = self._count(start), self._base + start
        self._records.append(Record(raw, *place, end - start - len(raw), whole_line))

    def _add_long(self, text: _Unsettled, size: int, *, whole_line: bool = False) -> None:
        """Add the beginning of a text that is too long."""
        head = (text.head + self._text[text.start : text.start + KEPT])[:KEPT]
        place = text.place if text.gone else (self._count(text.start), self._base + text.start)
        size -= 0 if text.gone else text.start
        self._records.append(Record(head[:size], *place, max(0, size - len(head)), whole_line))

    def _solid_end(self, start: int, end: int) -> int:
        """Return where the last line ends that is not blank; 0 if all are."""
        while end > start:
            line = max(start, self._text.rfind(b"\n", start, end - 1) + 1)
            if self._text[line:end].strip(BLANKS):
                return end - 1 if self._text[end - 1] == _LF else end
            end = line
        return 0

    def _count(self, at: int) -> int:
        """Count lines on; return the number of the one that holds the position."""
        text = self._text
        whole = self._counted == 0 and at == len(text)
        # Where nothing has to be followed, this is most of what is done here.
        self._line += count(text, b"\n") if whole else text.count(b"\n", self._counted, at)
        self._counted = at
        return self._line

    def _forget(self) -> None:
        """Forget what was found in the text before."""
        self._counted = self._at = self._checked = self._known_to = 0
        self._not_utf8.clear()
        self._whole.clear()
        self._ahead.clear()
        self._lines = None

    def _shorten(self) -> None:
        """Drop what is settled, and let go of what is too long."""
        text, size = self._unsettled, len(self._text)
        settled = size if text is None else text.start
        self._count(settled)
        if size:
            self._on_line = self._text[-1] == _LF
        if text is None:
            self._text = b""
        elif settled or isinstance(self._text, bytes):
            self._text = bytearray(memoryview(self._text)[settled:])
            self._move(text, settled)
        self._base += settled
        self._counted = self._at = 0
        if text is not None and text.gone + len(self._text) > self._most:
            self._let_go(text)

    def _move(self, text: _Unsettled, size: int) -> None:
        """Count all positions from *size* on."""
        text.move(size)
        scanner = self._scanner
        scanner.watched = [(depth, at - size) for depth, at in scanner.watched]
        scanner.ends = {at - size: end - size for at, end in scanner.ends.items()}
        self._whole = [at - size for at in self._whole]
        self._not_utf8 = [at - size for at in self._not_utf8]
        self._checked = max(0, self._checked - size)
        self._known_to = 0
        self._ahead.clear()
        self._lines = None

    def _let_go(self, text: _Unsettled) -> None:
        """Forget what has been read of a text that is too long."""
        if not text.gone:
            text.place = self._line, self._base
        text.head += bytes(self._text[: KEPT - len(text.head)])
        solid = self._solid_end(0, len(self._text))
        text.solid = text.gone + solid if solid else text.solid
        text.gone += len(self._text)
        text.first_end -= len(self._text)
        self._count(len(self._text))
        self._base += len(self._text)
        self._text = bytearray()
        self._forget()
        text.values.clear()
        text.start = text.at = text.opened = text.line_end = 0
        self._scanner.watched.clear()
        self._scanner.ends.clear()


def _batches(records: list[Record]) -> Iterator[Batch]:
    """Put records together, each one that was cut by itself."""
    for too_long, group in itertools.groupby(records, lambda record: record.skipped > 0):
        for some in [[record] for record in group] if too_long else [list(group)]:
            raws = [record.raw for record in some]
            yield Batch(raws, some[0].line, some[0].offset, some, some[0].skipped)
