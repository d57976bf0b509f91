"""Whole lines of which it is not settled yet what is a record, and what was found in them."""

from __future__ import annotations

import re
from bisect import bisect_left

from stringzilla import count

from nestdecode.stream.records import BLANKS
from nestdecode.stream.scanner import Text, not_utf8

__all__ = ["LF", "SPACE", "SPACE_IN_LINE", "Held", "after"]

LF = ord("\n")
# Patterns are compiled when they are needed. Possessive: each byte is looked at once.
SPACE = rb"[ \t\r\n]*+"
SPACE_IN_LINE = rb"[ \t\r]*+"
_LINE_THAT_OPENS = rb"\n[{\[]"
_LINE_THAT_OPENS_INSIDE = rb"\n[ \t\r]*+[{\[]"


def after(pattern: bytes, text: Text, at: int) -> int:
    """Return the position after what a pattern matches at *at*, which may be nothing."""
    match = re.compile(pattern).match(text, at)
    return match.end() if match else at


class Held:
    """
    The input from the first line on that is not settled. Positions are those in ``text``.

    Args:
        offset: The byte at which input begins.

    Attributes:
        text: Whole lines; the last one is cut where a document ends in it.
        base: The byte of input at which the text begins.
        on_line: Whether a line begins where the text begins.
        whole: The positions of lines that are whole objects or arrays, in a document that
            goes on over them.
        known_to: The position up to which ``Scanner.ends`` has the end of each bracket that
            begins a line.
    """

    def __init__(self, offset: int) -> None:
        self.text: Text = b""
        self.base: int = offset
        self.on_line: bool = True
        self.whole: list[int] = []
        self.known_to: int = 0
        self._line = 1
        self._counted = 0  # the position up to which lines are counted
        # For each pattern the next line, and its bracket.
        self._ahead: dict[bytes, tuple[int, int]] = {}
        self._not_utf8: list[int] = []  # the first such byte of each line
        self._checked = 0  # the position up to which lines were searched for these

    @property
    def line(self) -> int:
        """The number of the line up to which lines are counted, from 1."""
        return self._line

    def begin(self, text: bytes) -> None:
        """Hold a text that follows the one that was dropped."""
        self.text = text
        self._forget()

    def skip(self, lines: int, size: int) -> None:
        """Count lines of input, and their bytes, that are not held."""
        self._line += lines
        self.base += size

    def count(self, at: int) -> int:
        """Count lines up to a position, and return the number of the line that holds it."""
        text = self.text
        whole = self._counted == 0 and at == len(text)
        # Where nothing has to be followed, this is most of the work.
        self._line += count(text, b"\n") if whole else text.count(b"\n", self._counted, at)
        self._counted = at
        return self._line

    def next_that_opens(self, at: int, *, any_line: bool = False) -> tuple[int, int]:
        """
        Return the position of the next line that begins with an opening bracket, and that of
        the bracket: the size of the text and -1 if there is none.

        Args:
            at: Only lines after this position count.
            any_line: Whether only lines with the bracket in column 0 count. Else lines that
                begin with blanks count too, if ``whole`` has any.
        """
        pattern = _LINE_THAT_OPENS_INSIDE if self.whole and not any_line else _LINE_THAT_OPENS
        size = len(self.text)
        line, bracket = self._ahead.get(pattern, (0, -1))
        if line <= at or (bracket < 0 and line < size):
            match = re.compile(pattern).search(self.text, max(0, at, line - 1))
            line, bracket = (match.start() + 1, match.end() - 1) if match else (size, -1)
            self._ahead[pattern] = line, bracket
        return line, bracket

    def next_not_utf8(self, at: int) -> int:
        """Return the position of the next byte that is not UTF-8, or the size of the text."""
        if self._checked < len(self.text):
            self._check(bytes(self.text[self._checked :]))
        index = bisect_left(self._not_utf8, at)
        return self._not_utf8[index] if index < len(self._not_utf8) else len(self.text)

    def _check(self, text: bytes) -> None:
        if not_utf8(text) is not None:
            start = self._checked
            for line in text.split(b"\n"):
                at = not_utf8(line)
                if at is not None:
                    self._not_utf8.append(start + at)
                start += len(line) + 1
        self._checked += len(text)

    def solid_end(self, start: int, end: int) -> int:
        """Return the end of the last line between two positions that is not blank, or 0."""
        while end > start:
            line = max(start, self.text.rfind(b"\n", start, end - 1) + 1)
            if self.text[line:end].strip(BLANKS):
                return end - 1 if self.text[end - 1] == LF else end
            end = line
        return 0

    def know(self, at: int) -> None:
        """Note that ``Scanner.ends`` is complete up to a position, where a text failed."""
        self.known_to = max(self.known_to, at)
        self._ahead.clear()

    def drop(self, size: int, *, goes_on: bool) -> bool:
        """
        Count the lines of what is settled, and drop it.

        Args:
            size: The bytes that are settled, from the start of the text.
            goes_on: Whether the rest of the text is kept, because it is followed further.

        Returns:
            Whether the caller has to move all positions by *size*.
        """
        self.count(size)
        moves = goes_on and (size > 0 or isinstance(self.text, bytes))
        if self.text:
            self.on_line = self.text[-1] == LF
        if not goes_on:
            self.text = b""
        elif moves:
            self.text = bytearray(memoryview(self.text)[size:])
        self.base += size
        self._counted = 0
        return moves

    def move(self, size: int) -> None:
        """Subtract *size*, the bytes that were dropped, from all positions."""
        self.whole = [at - size for at in self.whole]
        self._not_utf8 = [at - size for at in self._not_utf8]
        self._checked = max(0, self._checked - size)
        self.known_to = 0
        self._ahead.clear()

    def let_go(self) -> None:
        """Count the lines of the whole text, and drop it."""
        self.count(len(self.text))
        self.base += len(self.text)
        self.text = bytearray()
        self._forget()

    def _forget(self) -> None:
        """Drop the positions of the text before."""
        self._counted = self._checked = self.known_to = 0
        self._not_utf8.clear()
        self.whole.clear()
        self._ahead.clear()
