"""One line out for each line in, whatever the line: what log processors ask of a filter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.errors import DecodeError
from nestdecode.stream.lines import CHUNK, GROUP
from nestdecode.stream.records import is_blank
from nestdecode.text.joined import Joined, joined_lines

__all__ = ["Filter", "Filtered"]


class Filtered:
    """
    Counts of lines.

    Attributes:
        lines: Lines read, each of which is written as one line.
        opened: Lines that were answered.
        failed: Lines that are too long, not JSON, or refused. They were written as they came.
    """

    __slots__ = ("failed", "lines", "opened")

    def __init__(self) -> None:
        self.lines: int = 0
        self.opened: int = 0
        self.failed: int = 0

    def __repr__(self) -> str:
        return f"<Filtered: {self.lines:,} lines, {self.opened:,} opened, {self.failed:,} failed>"


class Filter:
    """
    Answers each line by a line, in order.

    Nothing is held back: the whole lines of each piece that ``read`` returns are answered and
    written before it is called again. A line that is too long is written as it comes, piece
    by piece.

    Args:
        answer: From a line, without its newline, to the line that is written for it. Returns
            None if there is nothing to open in it, and raises DecodeError if it fails.
        many: From joined lines to as many lines, each with its newline; returns None if each
            has to be answered alone.
        longest: Bytes of a line; longer ones are not answered.
        instead: Written for a line that can't be answered; None for the line itself.
        on_error: Takes the number of a line that is not blank and can't be answered, from 1,
            and the reason.

    Attributes:
        counts: The counts of the lines so far.
    """

    def __init__(
        self,
        answer: Callable[[bytes], bytes | None],
        many: Callable[[Joined], bytes | None] | None,
        longest: int,
        instead: bytes | None = None,
        on_error: Callable[[int, DecodeError], None] | None = None,
    ) -> None:
        self._answer = answer
        self._many = many
        self._longest = longest
        self._instead = instead
        self._on_error = on_error
        self.counts: Filtered = Filtered()

    def run(self, read: Callable[[int], bytes], write: Callable[[bytes], Any]) -> None:
        """
        Answer all lines of an input.

        Args:
            read: Returns at most the given number of bytes, as soon as some have come, and
                none at the end of input.
            write: Takes whole lines, or a piece of a line that is too long, and writes all
                of it.
        """
        pending: list[bytes] = []
        size = 0  # of the line whose end has not been read
        while chunk := read(CHUNK):
            start = 0
            if size > self._longest:
                start = chunk.find(b"\n") + 1
                self._pass_on(chunk[:start] if start else chunk, write, ends=start > 0)
                if not start:
                    continue
                size = 0
            end = chunk.rfind(b"\n") + 1
            if end > start:
                write(self.lines(b"".join([*pending, chunk[start:end]])))
                pending.clear()
                size = 0
            rest = chunk[max(start, end) :]
            if rest:
                pending.append(rest)
                size += len(rest)
                if size > self._longest:
                    self._pass_on(b"".join(pending), write, ends=False)
                    pending.clear()
        if size > self._longest:
            self._pass_on(b"\n", write, ends=True)
        elif pending:
            write(self.lines(b"".join([*pending, b"\n"])))

    def _pass_on(self, piece: bytes, write: Callable[[bytes], Any], *, ends: bool) -> None:
        """Write a piece of a line that is too long; or at its end what is written instead."""
        if ends:
            self.counts.lines += 1
            self.counts.failed += 1
        if self._instead is None:
            write(piece)
        elif ends:
            write(self._instead + b"\n")

    def lines(self, text: bytes) -> bytes:
        """Return a line for each of several whole lines."""
        counts, many, at = self.counts, self._many, 0
        answers: list[bytes] = []
        while at < len(text):
            end = text.rfind(b"\n", at, at + GROUP) + 1 or text.find(b"\n", at + GROUP) + 1
            group, at = text[at:end], end
            if many is not None:
                joined = joined_lines(group)
                answered = many(joined)
                if answered is not None:
                    counts.lines += len(joined.records)
                    counts.opened += len(joined.records)
                    answers.append(answered)
                    continue
            answers += map(self._line, group[:-1].split(b"\n"))
        return b"".join(answers)

    def _line(self, line: bytes) -> bytes:
        counts, answer = self.counts, None
        counts.lines += 1
        if len(line) <= self._longest:
            try:
                answer = self._answer(line)
            except DecodeError as error:
                if not is_blank(line):
                    counts.failed += 1
                    if self._on_error is not None:
                        self._on_error(counts.lines, error)
        else:
            counts.failed += 1
        if answer is not None:
            counts.opened += 1
            return answer + b"\n"
        return (line if self._instead is None else self._instead) + b"\n"
