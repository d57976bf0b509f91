"""Texts that are followed token by token, until it is settled whether they are records."""

from __future__ import annotations

from bisect import bisect_right

from nestdecode.stream.held import LF, SPACE, SPACE_IN_LINE, Held, after
from nestdecode.stream.lines import KEPT, Lines
from nestdecode.stream.records import BLANKS, Record
from nestdecode.stream.scanner import Followed, Scanner, after_scalar
from nestdecode.text.verdict import Verdict, judge

__all__ = ["BOM", "Follower", "Unsettled"]

BOM = b"\xef\xbb\xbf"
_BRACKETS = b"{["


class Unsettled:
    """
    A text of which it is not settled yet whether it is records.

    Positions are those in the held text. What is *gone* is dropped, because it is too long.

    Attributes:
        start: The position at which the text begins.
        at: The position up to which it has been followed.
        first_end: The end of its first line; less than 0 if that is gone.
        line_end: The end of the line in which its last whole value ends.
        on_line: Whether it begins where a line begins.
        values: The start and the end of each whole value.
        opened: The start of the value that is being followed.
        failed: Whether it is malformed; ``at`` is at or after the error then.
        head: The beginning of what is gone.
        gone: Bytes that are gone.
        solid: Bytes of these, up to the end of the last line that is not blank.
        place: The line and the offset of the beginning of what is gone.
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
        self.start: int = start
        self.at: int = at
        self.opened: int = at
        self.first_end: int = first_end
        self.line_end: int = first_end
        self.on_line: bool = on_line
        self.values: list[tuple[int, int]] = []
        self.failed: bool = False
        self.head: bytes = b""
        self.gone: int = 0
        self.solid: int = 0
        self.place: tuple[int, int] = 1, 0

    def move(self, size: int) -> None:
        """Subtract *size* from all positions."""
        self.start -= size
        self.at -= size
        self.opened -= size
        self.first_end -= size
        self.line_end -= size
        self.values = [(start - size, end - size) for start, end in self.values]


class _Settled:
    """
    Collects the records of the held text that are settled.

    Args:
        held: The lines that are not settled.
        most: Bytes of a record; only the beginning of longer ones is kept.
        mixed: Whether the framing is ``mixed``; else it is ``documents``.

    Attributes:
        records: The records, in order.
    """

    def __init__(self, held: Held, most: int, *, mixed: bool) -> None:
        self._held = held
        self._most = most
        self._mixed = mixed
        self.records: list[Record] = []

    def add(self, start: int, end: int, *, whole_line: bool = False, fails: bool = False) -> None:
        """Add what is between two positions."""
        text, kept = self._held.text, start + KEPT
        raw = bytes(text[start : min(end, kept) if end - start > self._most else end])
        if self._mixed and not whole_line:
            whole_line = text.find(b"\n", start, end) < 0
        place = self._held.count(start), self._held.base + start
        self.records.append(Record(raw, *place, end - start - len(raw), whole_line, fails))

    def add_all(self, values: list[tuple[int, int]]) -> None:
        """Add values: the start and the end of each."""
        for start, end in values:
            self.add(start, end)

    def add_long(self, text: Unsettled, size: int, *, whole_line: bool = False) -> None:
        """Add the beginning of a text that is too long, of *size* bytes."""
        head = (text.head + self._held.text[text.start : text.start + KEPT])[:KEPT]
        place = (
            text.place
            if text.gone
            else (self._held.count(text.start), self._held.base + text.start)
        )
        size -= 0 if text.gone else text.start
        self.records.append(Record(head[:size], *place, max(0, size - len(head)), whole_line))


class Follower:
    """
    Follows a text from its beginning, and settles which parts of it are records.

    Each byte is followed once. If a document fails after lines in it that are whole objects
    or arrays, it ends before the first of these, and reading goes on there. The ends of the
    containers that begin these lines were noted on the way, so they are not followed again.

    Args:
        held: The lines that are not settled.
        most: Bytes of a record; only the beginning of longer ones is kept.
        mixed: Whether the framing is ``mixed``; else it is ``documents``.

    Attributes:
        at: The position in the held text up to which all is settled.
        text: The text that is followed, if any.
        doubt: Whether a malformed text that began a line came after the last document.
        settled: The records that are settled, malformed texts included.
        scanner: The open containers of the text that is followed.
    """

    def __init__(self, held: Held, most: int, *, mixed: bool) -> None:
        self._held = held
        self._most = most
        self._mixed = mixed
        self.at: int = 0
        self.text: Unsettled | None = None
        self.doubt: bool = False
        self.settled: _Settled = _Settled(held, most, mixed=mixed)
        self.scanner: Scanner = Scanner()

    def begin(self) -> None:
        """Begin the text at ``at``, after blanks; only settle these if nothing follows."""
        text, at = self._held.text, self.at
        begin = after(SPACE, text, at)
        line = text.rfind(b"\n", at, begin) + 1
        on_line = line > 0 or (text[at - 1] == LF if at else self._held.on_line)
        start = (line or at) if on_line else begin
        if begin == start and text.startswith(BOM, begin):
            begin = after(SPACE_IN_LINE, text, begin + len(BOM))
            if text[begin] == LF:
                self.at = begin + 1
                return
        if begin >= len(text):
            self.at = begin
            return
        self.scanner.leave()
        if begin >= self._held.known_to:
            self._held.whole.clear()
            self.scanner.ends.clear()
        first_end = text.find(b"\n", begin) + 1
        # Such lines are far apart, or each the end of the text before: no byte is judged twice.
        opens_line = on_line and begin == start and text[begin] in _BRACKETS
        if opens_line and begin >= self._held.known_to and self._settles(begin, first_end):
            return
        self.text = Unsettled(start, begin, first_end, on_line=on_line)

    def _settles(self, start: int, first_end: int) -> bool:
        """
        Settle the text from a line with a bracket in column 0 up to the next one, by a parse.

        Returns:
            Whether it is settled. If not, it has to be followed.
        """
        text = self._held.text
        end = first_end if self._mixed else self._held.next_that_opens(start, any_line=True)[0]
        if end - start > self._most or (end == len(text) and not self._mixed):
            return False
        raw = bytes(text[start:end])
        verdict = _judged(raw, bytes(text[end : end + 1]), may_fail=self.doubt)
        fails = verdict == "fails" or (verdict == "text follows" and self._mixed)
        if verdict != "ends" and not fails:
            return False
        self.doubt = fails
        if self._mixed:
            self.settled.add(start, first_end - 1, whole_line=True, fails=fails)
        elif fails:
            self.settled.add(start, self._held.solid_end(start, end), fails=True)
        else:
            self.settled.add(start, start + len(raw.rstrip(BLANKS)))
        self._settle(end)
        return True

    def go_on(self, text: Unsettled, *, final: bool) -> bool:
        """
        Follow a text as far as it has been read.

        Args:
            text: The text that is followed.
            final: Whether input has ended.

        Returns:
            Whether it is settled, or has failed: False if more input has to come.
        """
        if text.failed:
            return self._pass_over(text, final=final)
        while True:
            if self.scanner.depth:
                outcome, text.at = self._follow(text)
                if outcome == "goes on" and not (final or (text.values and self._mixed)):
                    return False
                if outcome != "ends":
                    text.at -= outcome == "goes on" and bool(text.values)  # on its line
                    return self._fail(text)
                text.values.append((text.opened, text.at))
                if self._ends_early(text):
                    return True
            at = text.at = after(SPACE_IN_LINE, self._held.text, text.at)
            byte = self._held.text[at]
            if byte == LF:
                return self._succeed(text, at + 1)
            if byte not in _BRACKETS:
                may_be_scalar = not (self._mixed and text.values)
                size = len(self._held.text)
                end = after_scalar(self._held.text, at, size) if may_be_scalar else -1
                if end < 0 or self._held.next_not_utf8(at) < end:
                    return self._fail(text)
                text.values.append((at, end))
                text.at = end
            elif (
                self._mixed and text.values and self._held.text[text.values[0][0]] not in _BRACKETS
            ):
                return self._fail(text)
            elif at >= self._held.known_to:
                self.scanner.begin(byte)
                text.opened, text.at = at, at + 1
            elif at in self.scanner.ends:
                text.at = self.scanner.ends[at]
                text.values.append((at, text.at))
            else:
                text.at = self._held.known_to
                return self._fail(text)

    def _follow(self, text: Unsettled) -> Followed:
        """Follow a container, and note the lines in it that are records if it fails."""
        size = limit = len(self._held.text)
        if self._mixed and (text.values or text.at < text.first_end):
            # Several values have to be on one line, and an error on the first line fails it.
            limit = text.line_end
        at, bracket, line = text.at, -1, -1
        while True:
            next_line, next_bracket = self._held.next_that_opens(at - (line != at))
            stop = min(next_line, limit)
            if bracket >= 0 and not self._held.whole:
                # If this line turns out to be whole, brackets after it have to be noted.
                stop = min(stop, (self._held.text.find(b"\n", at) + 1) or size)
            end = min(stop, self._held.next_not_utf8(at))
            followed = self.scanner.follow(self._held.text, at, end)
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
                self.scanner.watched.append((self.scanner.depth, bracket))

    def _note(self, line: int, bracket: int) -> None:
        """
        Note whether a line that has been followed is a whole object or array.

        From the first such line on, the end of each bracket that begins a line is noted.
        """
        ends = self.scanner.ends
        end = ends.get(bracket, -1)
        if line == bracket >= 0 and end >= 0:
            line_end = after(SPACE_IN_LINE, self._held.text, end)
            if self._held.text[line_end] == LF and self._held.text.find(b"\n", line, end) < 0:
                self._held.whole.append(line)
        if not self._held.whole:
            ends.clear()
            self.scanner.watched.clear()

    def _ends_early(self, text: Unsettled) -> bool:
        """
        Settle a text at the end of its value, if the rest of the line does not matter.

        So it is for a document over several lines, and for a text that is too long.

        Returns:
            Whether it is settled.
        """
        if text.gone or text.at - text.start > self._most:
            if self._mixed:
                text.at = self._held.text.find(b"\n", text.at) + 1
            self.settled.add_long(text, text.gone + text.at)
        elif self._mixed or self.doubt or self._held.text.find(b"\n", text.opened, text.at) < 0:
            if text.at > text.line_end:
                text.line_end = self._held.text.find(b"\n", text.at) + 1
            return False
        else:
            self.settled.add_all(text.values)
        self._settle(text.at)
        self.doubt = False
        return True

    def _succeed(self, text: Unsettled, end: int) -> bool:
        """Settle that a text is records; it ends at the end of a line."""
        if self._mixed and len(text.values) == 1 and end == text.first_end:
            self.settled.add(text.start, end - 1, whole_line=True)
        else:
            self.settled.add_all(text.values)
        self._settle(end)
        self.doubt = False
        return True

    def _fail(self, text: Unsettled) -> bool:
        """Settle a malformed text if its end is known, or note that it has failed."""
        at = text.at
        if self._mixed and at < text.first_end:
            self.settled.add(text.start, text.first_end - 1, whole_line=True, fails=True)
            self._settle(text.first_end)
            return True
        self.doubt |= text.on_line
        if not text.gone and at - text.start <= self._most:
            index = bisect_right(self._held.whole, text.start)
            if index < len(self._held.whole) and self._held.whole[index] < at:
                # All before the error was well formed: what begins in it ends where its end
                # was noted, or fails at this error too.
                self._held.know(at)
                self._add_text(text, self._held.whole[index])
                return True
        text.failed = True
        return True

    def _pass_over(self, text: Unsettled, *, final: bool) -> bool:
        """Settle a malformed text if its end has been read."""
        size, end = len(self._held.text), text.at
        begins_line = self._held.text[end - 1] == LF if end else text.gone
        if not (begins_line and end < size and self._held.text[end] in _BRACKETS):
            end, _ = self._held.next_that_opens(end, any_line=True)
        if end == size and not final:
            text.at = size
            return False
        self._add_text(text, end)
        return True

    def _settle(self, at: int) -> None:
        self.at = at
        self.text = None

    def _add_text(self, text: Unsettled, end: int) -> None:
        """Add a malformed text, without the blank lines after it, and settle it."""
        solid = self._held.solid_end(text.start, end)
        if text.gone:
            size = text.gone + solid if solid else text.solid
            one_line = self._mixed and size <= text.gone + text.first_end
            self.settled.add_long(text, size, whole_line=one_line)
        else:
            self.settled.add(text.start, solid, fails=not text.values)
        self._settle(end)

    def move(self, text: Unsettled, size: int) -> None:
        """Subtract *size*, the bytes that were dropped, from all positions."""
        text.move(size)
        scanner = self.scanner
        scanner.watched = [(depth, at - size) for depth, at in scanner.watched]
        scanner.ends = {at - size: end - size for at, end in scanner.ends.items()}
        self._held.move(size)

    def let_go(self, text: Unsettled) -> None:
        """Drop what has been read of a text that is too long, except its head."""
        held = self._held
        if not text.gone:
            text.place = held.line, held.base
        text.head += bytes(held.text[: KEPT - len(text.head)])
        solid = held.solid_end(0, len(held.text))
        text.solid = text.gone + solid if solid else text.solid
        text.gone += len(held.text)
        text.first_end -= len(held.text)
        held.let_go()
        text.values.clear()
        text.start = text.at = text.opened = text.line_end = self.at = 0
        self.scanner.watched.clear()
        self.scanner.ends.clear()

    def fail_in(self, lines: Lines) -> None:
        """Note that the text fails in a line that is too long; it begins there if there is none."""
        text = self.text
        if text is None:
            text = self.text = Unsettled(0, 0, 0, on_line=self._held.on_line)
        self.let_go(text)
        size = len(lines.text) + lines.skipped
        text.head = (text.head + lines.text[:KEPT] + b"\n")[:KEPT]
        text.solid = text.gone + size
        text.gone += size + 1
        text.first_end -= size + 1
        text.failed = True


def _judged(raw: bytes, follows: bytes, *, may_fail: bool) -> Verdict | None:
    """
    Return what a text is.

    Args:
        raw: The text.
        follows: The bracket that follows: what goes on may fail there.
        may_fail: Whether the text is likely to be malformed, and the bracket is looked at first.
    """
    opens = follows in (b"{", b"[")
    if may_fail and opens and judge(raw + follows) == "fails":
        return "fails"
    verdict = judge(raw)
    if verdict == "goes on" and opens and not may_fail and judge(raw + follows) == "fails":
        return "fails"
    return verdict
