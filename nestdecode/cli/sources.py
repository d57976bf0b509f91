"""Files and standard input, opened and decompressed."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nestdecode.cli.output import descriptor_of
from nestdecode.cli.signals import wait
from nestdecode.stream.compressed import decompressed

__all__ = ["Read", "Source", "UnreadableError", "opened"]

Read = Callable[[int], bytes]


class UnreadableError(Exception):
    """An input that can't be read, in the system's words."""


class Source:
    """
    One input.

    Attributes:
        descriptor: Its file descriptor, or -1.
        start: Where in it reading starts, in bytes.
        size: Its size, if it is a regular file and not compressed; else None.
        total: Bytes from start to end, if it is a regular file; else None.
        done: Bytes of it that have been read.
        read: Returns at most so many bytes, decompressed, as soon as some are there,
            and none at the end.
    """

    def __init__(self, file: Any) -> None:
        self._file = file
        self.descriptor = descriptor_of(file)
        self.start = self.done = 0
        self.size: int | None = None
        self.total: int | None = None
        about = None if self.descriptor < 0 else os.fstat(self.descriptor)
        regular = about is not None and stat.S_ISREG(about.st_mode)
        if about is not None and regular:
            self.start = os.lseek(self.descriptor, 0, os.SEEK_CUR)
            self.size = about.st_size
            self.total = self.size - self.start
        self._can_wait = about is not None and not regular and os.name != "nt"
        try:
            inner, packed = decompressed(self._counting())
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            if packed:
                self.size = None
            self.read = _telling(inner)
            return
        raise UnreadableError(f"can't be read: {reason}")

    def ready(self, other: int) -> bool:
        """Wait; tell whether there is input before there is any from *other*."""
        if self.descriptor < 0:
            return True
        while not (readable := wait(self.descriptor, other)):
            pass
        return self.descriptor in readable

    def leave_at_end(self) -> None:
        """Have whoever reads the same file next find it read."""
        os.lseek(self.descriptor, 0, os.SEEK_END)

    def _counting(self) -> Read:
        read = _raw_reader(self._file, self.descriptor, self._can_wait)

        def counted(size: int) -> bytes:
            data = read(size)
            self.done += len(data)
            return data

        return counted


def _raw_reader(file: Any, descriptor: int, can_wait: bool) -> Read:
    """Return a function that reads what is there, whatever the file is wrapped in."""
    if descriptor < 0:
        read: Read = getattr(file, "read1", file.read)
        return read

    # Below all buffers: under PYTHONUNBUFFERED there is none, and what is in one is not
    # seen by select.
    def read_descriptor(size: int) -> bytes:
        while True:
            if can_wait and not wait(descriptor):
                continue
            try:
                return os.read(descriptor, size)
            except BlockingIOError:  # somebody else has read it, or made a file so
                pass

    return read_descriptor


def _telling(read: Read) -> Read:
    """Return a function that reads, whose errors are not mistaken for those of writing."""

    def read_or_tell(size: int) -> bytes:
        try:
            return read(size)
        except OSError as error:
            reason = error.strerror or str(error)
        raise UnreadableError(f"can't be read: {reason}")

    return read_or_tell


@contextmanager
def opened(name: str) -> Iterator[Source]:
    """Open a file, or standard input if its name is ``-``."""
    if name == "-":
        if sys.stdin is None:
            raise UnreadableError("standard input is closed")
        yield Source(sys.stdin.buffer)
        return
    try:
        file = open(name, "rb", buffering=0)  # noqa: PTH123, SIM115 - errors are told apart; pathlib takes 5 ms
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "a NUL in its name"
    else:
        with file:
            yield Source(file)
        return
    raise UnreadableError(f"can't be read: {reason}")
