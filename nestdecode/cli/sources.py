"""Files and standard input, opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nestdecode.cli.signals import wait
from nestdecode.stream.sources import Source, UnreadableError

__all__ = ["is_file", "opened"]

# What files begin with that hold no JSON, and what they are.
_OTHERS = (
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF-", "a PDF document"),
    (b"PK\x03\x04", "a ZIP archive: unpack it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it first"),
    (b"\x1f\x9d", "compressed by compress: decompress it first"),
    (b"\x04\x22\x4d\x18", "compressed by lz4: decompress it first"),
    (b"\xff\x06\x00\x00sNaPpY", "compressed by snappy: decompress it first"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "a database of SQLite"),
    (b"PAR1", "a Parquet file"),
    (b"Obj\x01", "an Avro file"),
    (b"ARROW1\x00", "an Arrow file"),
)
# A tar archive has its mark at this offset.
_TAR = slice(257, 262)


def _refuse_others(head: bytes) -> None:
    """Raise UnreadableError if the first bytes of a file are those of something that is not text."""
    what = next((what for magic, what in _OTHERS if head.startswith(magic)), None)
    if head[_TAR] == b"ustar":
        what = "a tar archive: unpack it first"
    if what is not None:
        raise UnreadableError(f"can't be read: it is {what}")


def is_file(name: str) -> bool:
    """Return whether there is a regular file of that name."""
    try:
        return os.path.isfile(name)  # noqa: PTH113 - pathlib takes 5 ms
    except (OSError, ValueError):
        return False


@contextmanager
def opened(name: str, *, as_it_is: bool = False) -> Iterator[Source]:
    """
    Open a file, or standard input if its name is ``-``; see ``Source``.

    Raises:
        UnreadableError: If it can't be read, or is of a kind that holds no JSON.
    """
    if name == "-":
        if sys.stdin is None:
            raise UnreadableError("standard input is closed")
        source = Source(sys.stdin.buffer, wait, as_it_is=as_it_is)
        _refuse_others(source.head)
        yield source
        return
    try:
        file = open(name, "rb", buffering=0)  # noqa: PTH123, SIM115 - errors of opening only; pathlib takes 5 ms
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "a NUL in its name"
    else:
        with file:
            source = Source(file, wait, as_it_is=as_it_is)
            _refuse_others(source.head)
            yield source
        return
    raise UnreadableError(f"can't be read: {reason}")
