"""Records with their places, and batches of them."""

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
    records: Iterable[tuple[Record, bytes | str]],
    expand: Callable[[bytes | str], Any],
    on_dead_letter: Callable[[DeadLetter], None] | None,
) -> Iterator[Any]:
    """Expand each record, in order. A bad one raises, unless *on_dead_letter* takes it."""
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
    Number lines that somebody else has split. Blank ones are no records.

    Args:
        lines: With their newlines or without.
        first: Number of the first one.
        offset: Where it begins, in bytes.

    Returns:
        Records, each with what is to be expanded: its bytes, or a str that is not UTF-8
        because of lone surrogates.

    Raises:
        TypeError: If one is neither bytes nor a str.
    """
    for number, line in enumerate(lines, first):
        raw = as_bytes(line)
        if raw.strip(BLANKS):
            record = Record(raw.removesuffix(b"\n"), number, offset)
            yield record, _text_of(line, record.raw)
        offset += len(raw)


def as_bytes(line: bytes | str) -> bytes:
    """
    Return a line as the bytes that it takes in UTF-8; lone surrogates take three.

    Raises:
        TypeError: If it is neither bytes nor a str.
    """
    if isinstance(line, str):
        return line.encode("utf-8", "surrogatepass")
    if isinstance(line, (bytes, bytearray, memoryview)):
        return bytes(line)
    raise TypeError(f"a line is bytes or str, got {type(line).__name__}")


def _text_of(line: bytes | str, raw: bytes) -> bytes | str:
    """Return a record's bytes, or the str that it is if that is not UTF-8."""
    if isinstance(line, str) and not line.isascii():
        try:
            line.encode()
        except UnicodeEncodeError:
            return line.removesuffix("\n")
    return raw


class Batch:
    """
    Records that were there at once: lines, or records that know their places.

    Attributes:
        text: Whole lines; empty if these are records that know their places.
        line: Where the first begins, from 1.
        offset: Where the first begins, in bytes from 0.
        places: Each record's place; None for lines, whose places are counted if asked for.
        skipped: Bytes that were not kept of the one record that this is, if it is too long.
        settled: Whether each is a record. Else they are lines, and one that can't be read
            is given back: it may be several records, or the beginning of one.
        start: The first of them that is to be answered.
        together: The first line from which on several may be answered at once, and where it
            begins in the text.
        refused: The line that is given back, by whoever answers.
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
        """The bytes of each. Of lines some may be blank, which are no records."""
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
    """Tell whether a line is no record."""
    # bytes.isspace() knows more blanks than JSON does, and is fast at telling there is none.
    return not line or (line.isspace() and not line.strip(BLANKS))
