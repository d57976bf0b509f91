"""Records with their places in a source, and batches of records."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from nestdecode.errors import DecodeError
from nestdecode.stream.letters import DeadLetter

__all__ = ["BLANKS", "Batch", "Record", "as_bytes", "expand_records", "is_blank", "of_lines"]

BLANKS = b" \t\r\n"


class Record(NamedTuple):
    """
    One record's text, and its place in the source.

    Attributes:
        raw: Its bytes, without the line's LF.
        line: The line at which it begins, from 1.
        offset: The byte at which it begins, from 0.
        skipped: Bytes after ``raw`` that were not kept because it is too long.
        whole_line: Whether it is a whole line. Else it is a document: a part of a line, or
            several of them.
        fails: Whether it is known not to be JSON.
    """

    raw: bytes
    line: int
    offset: int
    skipped: int = 0
    whole_line: bool = True
    fails: bool = False


def expand_records(
    records: Iterable[tuple[Record, bytes | str]],
    expand: Callable[[bytes | str], Any],
    on_dead_letter: Callable[[DeadLetter], None] | None,
) -> Iterator[Any]:
    """
    Yield the tree of each record, in order.

    Args:
        records: Records, each with the text that is expanded.
        expand: From a text to its tree.
        on_dead_letter: Takes each record that is refused; None to raise its error.

    Raises:
        DecodeError: If a record is refused, and *on_dead_letter* is None.
    """
    for record, document in records:
        try:
            tree = expand(document)
        except DecodeError as error:
            if on_dead_letter is None:
                error.add_note(
                    f"line {record.line}; pass on_dead_letter to set such records aside and go on"
                )
                raise
            on_dead_letter(DeadLetter(record.line, record.offset, record.raw, error))
        else:
            yield tree


def of_lines(
    lines: Iterable[bytes | str], first: int = 1, offset: int = 0
) -> Iterator[tuple[Record, bytes | str]]:
    """
    Yield the records of lines that the caller has split. Blank lines are left out.

    Args:
        lines: The lines, with or without their newlines.
        first: The number of the first line.
        offset: The byte at which it begins.

    Returns:
        Records, each with the text that is expanded: its bytes, or the str itself if lone
        surrogates keep it from being UTF-8.

    Raises:
        TypeError: If a line is neither bytes nor str.
    """
    for number, line in enumerate(lines, first):
        raw = as_bytes(line)
        if raw.strip(BLANKS):
            record = Record(raw.removesuffix(b"\n"), number, offset)
            yield record, _text_of(line, record.raw)
        offset += len(raw)


def as_bytes(line: bytes | str) -> bytes:
    """
    Return a line as UTF-8; a lone surrogate becomes three bytes.

    Raises:
        TypeError: If it is neither bytes nor str.
    """
    if isinstance(line, str):
        return line.encode("utf-8", "surrogatepass")
    if isinstance(line, (bytes, bytearray, memoryview)):
        return bytes(line)
    raise TypeError(f"a line is bytes or str, got {type(line).__name__}")


def _text_of(line: bytes | str, raw: bytes) -> bytes | str:
    """Return a record's bytes, or its str if that cannot be UTF-8."""
    if isinstance(line, str) and not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            return line.removesuffix("\n")
    return raw


class Batch:
    """
    Records that came in one piece of input: lines, or records with their places.

    Attributes:
        text: The lines, each with its LF; empty if records are given with their places.
        line: The line at which the first one begins, from 1.
        offset: The byte at which the first one begins, from 0.
        places: Each record's place; None for lines, until one is asked for.
        skipped: Bytes of a single record that were not kept because it is too long.
        settled: Whether each line is a record. If not, a malformed line is given back: it
            may be several records, or the beginning of one.
        start: The index of the first record that is to be answered.
        together: The first line from which on several may be answered at once, and the
            position in the text at which it begins.
        refused: The index of the line that the answerer has given back; None for none.
    """

    __slots__ = (
        "_raws",
        "line",
        "offset",
        "places",
        "refused",
        "settled",
        "skipped",
        "start",
        "text",
        "together",
    )

    def __init__(
        self,
        records: list[bytes] | bytes,
        line: int,
        offset: int,
        places: list[Record] | None = None,
        skipped: int = 0,
        *,
        settled: bool = True,
    ) -> None:
        self._raws: list[bytes] | None = None
        self.text: bytes = b""
        if isinstance(records, bytes):
            self.text = records
        else:
            self._raws = records
        self.line: int = line
        self.offset: int = offset
        self.places = places
        self.skipped: int = skipped
        self.settled: bool = settled
        self.start: int = 0
        self.together: tuple[int, int] = 0, 0
        self.refused: int | None = None

    @property
    def raws(self) -> list[bytes]:
        """The bytes of each record. Some lines may be blank: these are not records."""
        if self._raws is None:
            self._raws = self.text.split(b"\n")
            self._raws.pop()
        return self._raws

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
    """Return whether a line is empty or JSON white space only: it is not a record."""
    # bytes.isspace() admits more blanks than JSON does, but is fast if there is none.
    return not line or (line.isspace() and not line.strip(BLANKS))
