"""Whole files that are opened, changed and put back."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from nestdecode.cli.hints import misquotation
from nestdecode.cli.output import RefusedError, note
from nestdecode.cli.progress import progress, watched
from nestdecode.cli.sources import opened
from nestdecode.decoder import Decoder
from nestdecode.errors import DecodeError, QueryError
from nestdecode.stream import Framing, Record, framing_of, is_blank, read_batches
from nestdecode.stream.encoded import SEQUENCE
from nestdecode.stream.sources import Read, UnreadableError
from nestdecode.text.write import dump
from nestdecode.words import at_line

__all__ = [
    "MOST_WHOLE",
    "Found",
    "Key",
    "Original",
    "Pieces",
    "check_size",
    "records_in",
    "records_of",
    "tried",
]

# What a file may hold, decompressed, that is kept whole while it is changed.
MOST_WHOLE = 256 << 20

T = TypeVar("T")
R = TypeVar("R")
# A record, and how it is called in messages.
Found = tuple[Record, str]


def check_size(name: str, size: int) -> None:
    """Raise RefusedError if it is more than what is kept of a file."""
    if size > MOST_WHOLE:
        most = f"{MOST_WHOLE >> 20} MiB"
        raise RefusedError(name, f"larger than {most}, decompressed: split it to change it", 2)


def _read_file(name: str) -> bytes:
    """
    Read a file, or standard input if its name is ``-``, decompressed.

    Raises:
        RefusedError: If it can't be read, or holds too much.
    """
    pieces = []
    size = 0
    try:
        with opened(name) as source:
            while piece := source.read(1 << 20):
                pieces.append(piece)
                size += len(piece)
                check_size(name, size)
    except UnreadableError as error:
        reason = str(error)
    else:
        return b"".join(pieces)
    raise RefusedError(name, reason, 2)


def records_of(name: str, framing: Framing | None, most: int) -> Iterator[Found]:
    """
    Read the records of a file, or of standard input if its name is ``-``, one by one.

    Args:
        name: The file's name.
        framing: Given, or None to detect it in the text.
        most: The size of a record in bytes.

    Raises:
        RefusedError: If it can't be read, or a record is too long.
    """
    try:
        with opened(name) as source, progress(name, source.total) as advance:
            if source.encoding == SEQUENCE:
                framing = "lines"
            for found in _records(name, source.read, framing, most):
                advance(source.done)
                yield found
    except UnreadableError as error:
        reason = str(error)
    else:
        return
    raise RefusedError(name, reason, 2)


def records_in(name: str, text: bytes, framing: Framing | None, most: int) -> Iterator[Found]:
    """Go through the records of a text, as ``records_of`` does for a file."""
    return _records(name, io.BytesIO(text).read, framing, most)


def _records(name: str, read: Read, framing: Framing | None, most: int) -> Iterator[Found]:
    start = b""
    if framing is None:
        framing, start = framing_of(read, most)
    for batch in read_batches(read, most, framing, start):
        for index, raw in enumerate(batch.raws):
            if batch.skipped or not is_blank(raw):
                record = batch.record(index)
                where = at_line(record.line, whole=record.whole_line)
                if record.skipped:
                    raise RefusedError(name, f"{where}: longer than max_record_bytes={most}")
                yield record, where


def tried(name: str, where: str, do: Callable[[T], R], what: T) -> R:
    """Do something with a record; raise RefusedError with its place if that fails."""
    try:
        return do(what)
    except DecodeError as error:
        reason = str(error)
    raise RefusedError(name, f"{where}: {reason}")


class Key:
    """
    What pairs a record with another: a query, asked of their trees.

    Args:
        decoder: Opens them.
        expression: The query, from the root.
    """

    def __init__(self, decoder: Decoder, expression: str) -> None:
        from nestdecode.queries.functions import is_false  # late: most need no queries

        self._is_empty = is_false
        self._query = decoder.compile(expression, start="root")
        self._hint = misquotation(expression)

    def of(self, name: str, where: str, tree: Any) -> bytes:
        """Ask a record's tree; raise RefusedError, with its place, if that fails."""
        try:
            found = self._query.ask(tree, tree)
        except (QueryError, DecodeError) as error:
            reason = error.reason
        else:
            if self._hint is not None and self._is_empty(found):
                note(self._hint)
                self._hint = None
            # Other programs write 1 for 1.0.
            return dump(int(found) if type(found) is float and found.is_integer() else found)
        raise RefusedError(name, f"{where}: --key: {reason}")


class Original:
    """
    A file that is changed as a whole. Of its records one at a time is opened.

    Args:
        name: The file's name; ``-`` is standard input.
        decoder: Opens the records.
        framing: Given, or None to detect it in the text.

    Attributes:
        name: The file's name.
        text: What the file holds.

    Raises:
        RefusedError: If the file can't be read, or holds too much.
    """

    def __init__(self, name: str, decoder: Decoder, framing: Framing | None = None) -> None:
        self.name = name
        self.text: bytes = _read_file(name)
        self._decoder = decoder
        self._framing = framing

    def check_replaceable(self) -> None:
        """Raise RefusedError if the file is compressed, not in UTF-8, or a sequence."""
        with opened(self.name) as source:
            if source.packed is not None:
                raise RefusedError(
                    self.name, "can't be replaced: it is compressed; decompress it first", 2
                )
            if source.encoding is not None:
                how = f"iconv -f {source.encoding[:-2]} -t UTF-8 converts it"
                if source.encoding == SEQUENCE:
                    how = "tr -d '\\036' makes lines of it"
                reason = f"can't be replaced: it is in {source.encoding}; {how}"
                raise RefusedError(self.name, reason, 2)

    def shown(self) -> bytes:
        """
        Return the records opened and indented, one after another.

        Raises:
            RefusedError: If a record can't be read, or this is too much.
        """
        text = bytearray()
        for record, where in self.records():
            tree = tried(self.name, where, self._decoder.expand, record.raw)
            text += dump(tree, indent=2) + b"\n"
            check_size(self.name, len(text))
        return bytes(text)

    def changed(self, change: Callable[[Record, str], bytes]) -> bytes:
        """
        Change every record where it is; all between them stays.

        Args:
            change: Called with each record, in order, and how it is called in messages;
                returns what is to be there instead.

        Returns:
            What the file is to hold.

        Raises:
            RefusedError: If this is too much.
        """
        text = Pieces(self.name)
        end = 0
        for record, where in self.records():
            text.add(change(record, where), self.text[end : record.offset])
            end = record.offset + len(record.raw)
        return text.end(self.text[end:])

    def records(self) -> Iterator[Found]:
        """Go through the records, each with how it is called in messages."""
        most = self._decoder.limits.max_record_bytes
        records = records_in(self.name, self.text, self._framing, most)
        return watched(self.name, records, len(self.text))


class Pieces:
    """
    The text of a file that is put together from records and what is between them.

    Args:
        name: The file's name.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._text = bytearray()
        self._count = 0

    def add(self, record: bytes, before: bytes) -> None:
        """
        Add a record.

        Args:
            record: Its text.
            before: What is before it: what separates it from another, if there is one.

        Raises:
            RefusedError: If the text is too long.
        """
        touch = self._count and not before
        # Only brackets end a record without a blank.
        if touch and not (self._text.endswith((b"}", b"]")) and record.startswith((b"{", b"["))):
            before = b"\n"
        self._text += before
        self._text += record
        self._count += 1
        check_size(self._name, len(self._text))

    def end(self, after: bytes) -> bytes:
        """Return the text, with what is after the last record."""
        self._text += after
        return bytes(self._text)
