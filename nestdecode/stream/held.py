"""Whole lines that are not settled yet, and what has been looked up in them."""

from __future__ import annotations

import re
from bisect import bisect_left

from stringzilla import count

from nestdecode.stream.records import BLANKS
from nestdecode.stream.scanner import Text, not_utf8

__all__ = ["LF", "SPACE", "SPACE_IN_LINE", "Held", "after"]

LF = ord("\n")
# Patterns, compiled when they are needed. Possessive: each byte is looked at once.
SPACE = rb"[ \t\r\n]*+"
SPACE_IN_LINE = rb"[ \t\r]*+"
_LINE_THAT_OPENS = rb"\n[{\[]"
_LINE_THAT_OPENS_INSIDE = rb"\n[ \t\r]*+[{\[]"


def after(pattern: bytes, text: Text, at: int) -> int:
    """Return where ends what a pattern matches, which may match nothing."""
    match = re.compile(pattern).match(text, at)
    return match.end() if match else at


class Held:
    """
    A text that is read on, from the first line on that is not settled.

    Args:
        offset: Where input begins, in bytes.

    Attributes:
        text: Whole lines. What ends early ends them.
        base: Where the text begins, in bytes of input.
        on_line: Whether a line begins where the text does.
        whole: Where lines begin that are records for themselves though a document goes
            on over them.
        known_to: Up to where it is known of brackets that begin lines where their ends are.
    """

    def __init__(self, offset: int) -> None:
        self.text: Text = b""
        self.base: int = offset
        self.on_line: bool = True
        self.whole: list[int] = []
        self.known_to: int = 0
        self._line = 1
        self._counted = 0  # lines are counted up to here
        # For each pattern the next line and bracket.
        self._ahead: dict[bytes, tuple[int, int]] = {}
        self._not_utf8: list[int] = []  # the first such byte of each line
        self._checked = 0  # lines have been looked at up to here

    @property
    def line(self) -> int:
        """The number of the line up to which lines were counted, from 1."""
        return self._line

    def begin(self, text: bytes) -> None:
        """Hold another text, which follows on what was dropped."""
        self.text = text
        self._forget()

    def skip(self, lines: int, size: int) -> None:
        """Count lines that are not held."""
        self._line += lines
        self.base += size

    def count(self, at: int) -> int:
        """Count lines on; return the number of the one that holds the position."""
        text = self.text
        whole = self._counted == 0 and at == len(text)
        # Where nothing has to be followed, this is most of what is done here.
        self._line += count(text, b"\n") if whole else text.count(b"\n", self._counted, at)
        self._counted = at
        return self._line

    def next_that_opens(self, at: int, *, any_line: bool = False) -> tuple[int, int]:
        """
        Return where the next line is that begins with a bracket, and that.

        Of those that begin with blanks only what comes after a record matters.
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
        """Return where the next byte is that is not UTF-8, if any is before the end."""
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
        """Return where the last line ends that is not blank; 0 if all are."""
        while end > start:
            line = max(start, self.text.rfind(b"\n", start, end - 1) + 1)
            if self.text[line:end].strip(BLANKS):
                return end - 1 if self.text[end - 1] == LF else end
            end = line
        return 0

    def know(self, at: int) -> None:
        """Note that what a text held up to a place is known, though that text is no JSON."""
        self.known_to = max(self.known_to, at)
        self._ahead.clear()

    def drop(self, size: int, *, goes_on: bool) -> bool:
        """
        Count what is settled, and drop it.

        Args:
            size: How much that is.
            goes_on: Whether there is something left, which is followed on.

        Returns:
            Whether all positions are to be moved.
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
        """Count all positions from *size* on, which was dropped."""
        self.whole = [at - size for at in self.whole]
        self._not_utf8 = [at - size for at in self._not_utf8]
        self._checked = max(0, self._checked - size)
        self.known_to = 0
        self._ahead.clear()

    def let_go(self) -> None:
        """Count the whole text, and forget it."""
        self.count(len(self.text))
        self.base += len(self.text)
        self.text = bytearray()
        self._forget()

    def _forget(self) -> None:
        """Forget what was found in the text before."""
        self._counted = self._checked = self.known_to = 0
        self._not_utf8.clear()
        self.whole.clear()
        self._ahead.clear()
