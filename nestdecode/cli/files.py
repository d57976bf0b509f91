"""Whole files that are opened, changed and put back."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from nestdecode.cli.output import Output, RefusedError
from nestdecode.cli.sources import UnreadableError, opened
from nestdecode.decoder import Decoder
from nestdecode.document import Document
from nestdecode.errors import DecodeError, LimitError, NestdecodeError
from nestdecode.stream import Framing, Record, framing_of, is_blank, read_batches

__all__ = ["Original", "put_trees", "read_file", "write_out"]


def read_file(name: str) -> bytes:
    """
    Read a file, or standard input if its name is ``-``, decompressed.

    Raises:
        RefusedError: If it can't be read.
    """
    pieces = []
    try:
        with opened(name) as source:
            while piece := source.read(1 << 20):
                pieces.append(piece)
    except UnreadableError as error:
        reason = str(error)
    else:
        return b"".join(pieces)
    raise RefusedError(name, reason, 2)


def _records_of(
    name: str, text: bytes, framing: Framing | None, most: int
) -> Iterator[tuple[Record, str]]:
    """
    Cut the text of a file into records, each with how it is called in messages.

    Raises:
        RefusedError: If one is too long.
    """
    left = memoryview(text)

    def read(size: int) -> bytes:
        nonlocal left
        piece, left = bytes(left[:size]), left[size:]
        return piece

    start = b""
    if framing is None:
        framing, start = framing_of(read, most)
    for batch in read_batches(read, most, framing, start):
        for index, raw in enumerate(batch.raws):
            if batch.skipped or not is_blank(raw):
                record = batch.record(index)
                where = f"{'line' if record.whole_line else 'document at line'} {record.line}"
                if record.skipped:
                    raise RefusedError(name, f"{where}: longer than max_record_bytes={most}")
                yield record, where


class Original:
    """
    A file, its records opened.

    Args:
        name: The file's name; ``-`` is standard input.
        decoder: Opens the records.
        framing: Given, or None to tell it from the text.

    Attributes:
        text: What the file holds.
        documents: The records, to be changed.
        wheres: How each is called in messages.

    Raises:
        RefusedError: If the file, or a record of it, can't be read.
    """

    def __init__(self, name: str, decoder: Decoder, framing: Framing | None = None) -> None:
        self.name = name
        self.text = read_file(name)
        self.documents: list[Document] = []
        self.wheres: list[str] = []
        self._offsets: list[int] = []
        most = decoder.limits.max_record_bytes
        for record, where in _records_of(name, self.text, framing, most):
            try:
                document = decoder.open(record.raw)
            except DecodeError as error:
                reason = str(error)
            else:
                self.documents.append(document)
                self.wheres.append(where)
                self._offsets.append(record.offset)
                continue
            raise RefusedError(name, f"{where}: {reason}")

    def check_replaceable(self) -> None:
        """Raise RefusedError if the file is compressed."""
        with opened(self.name) as source:
            if source.total is not None and source.size is None:
                raise RefusedError(self.name, "can't be replaced: it is compressed", 2)

    def collapse(self) -> bytes:
        """
        Put every record back where it was; all between them stays.

        Raises:
            RefusedError: If a tree holds what JSON does not know.
        """
        pieces, end = [], 0
        for document, where, offset in zip(self.documents, self.wheres, self._offsets, strict=True):
            try:
                changed = document.collapse()
            except (DecodeError, LimitError) as error:
                reason = str(error)
            else:
                pieces += [self.text[end:offset], changed]
                end = offset + len(document.raw)
                continue
            raise RefusedError(self.name, f"{where}: {reason}")
        return b"".join([*pieces, self.text[end:]])


def write_out(text: bytes) -> None:
    """Write bytes to standard output as they are; control characters shown on a terminal."""
    output = Output()
    output.write_text(output.as_it_is(text))


def _parsed(name: str, where: str, decoder: Decoder, raw: bytes) -> Any:
    """
    Read a record without opening anything in it.

    Raises:
        RefusedError: If it is no JSON.
    """
    try:
        return decoder._read(raw)
    except NestdecodeError as error:
        reason = str(error)
    raise RefusedError(name, f"{where}: {reason}")


def put_trees(original: Original, name: str, text: bytes, decoder: Decoder) -> None:
    """
    Put edited trees in the place of those that were opened.

    Raises:
        RefusedError: If they are not as many, or one can't be read.
    """
    most = sys.maxsize  # what was opened may be longer than it was
    trees = [
        _parsed(name, where, decoder, record.raw)
        for record, where in _records_of(name, text, None, most)
    ]
    if len(trees) != len(original.documents):
        raise RefusedError(
            name, f"{len(trees)} documents, where {original.name} has {len(original.documents)}"
        )
    for document, tree in zip(original.documents, trees, strict=True):
        document.tree = tree
