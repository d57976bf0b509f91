"""Input, decompressed and in UTF-8, as it comes."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Sequence
from typing import Any

from nestdecode.stream.compressed import decompressed
from nestdecode.stream.encoded import as_utf8

__all__ = ["Read", "Source", "UnreadableError", "descriptor_of", "wait_for"]

Read = Callable[[int], bytes]
Wait = Callable[..., Sequence[int]]


class UnreadableError(Exception):
    """An input that can't be read, in the system's words."""


class Source:
    """
    One input.

    Args:
        file: It is binary.
        wait: Waits until one of several descriptors can be read, and returns those that can;
            none if something else is to be looked at first.

    Attributes:
        descriptor: Its file descriptor, or -1.
        start: Where in it reading starts, in bytes.
        size: Its size, if it is a regular file that is read as it is; else None.
        total: Bytes from start to end, if it is a regular file; else None.
        done: Bytes of it that have been read.
        packed: ``gzip`` or another name, if it is compressed; else None.
        encoding: ``UTF-16LE`` or another name, if it has the byte order mark; else None.
        read: Returns at most so many bytes, decompressed and in UTF-8, as soon as some are
            there, and none at the end.
    """

    def __init__(self, file: Any, wait: Wait | None = None) -> None:
        self._file = file
        self._wait = wait or wait_for
        self.descriptor: int = descriptor_of(file)
        self.start: int = 0
        self.done: int = 0
        self.size: int | None = None
        self.total: int | None = None
        self.packed: str | None = None
        self.encoding: str | None = None
        about = None if self.descriptor < 0 else os.fstat(self.descriptor)
        regular = about is not None and stat.S_ISREG(about.st_mode)
        if about is not None and regular:
            self.start = os.lseek(self.descriptor, 0, os.SEEK_CUR)
            self.size = about.st_size
            self.total = self.size - self.start
        self._can_wait = about is not None and not regular and os.name != "nt"
        try:
            inner, self.packed = decompressed(self._counting())
            inner, self.encoding = as_utf8(inner)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            if self.packed or self.encoding:
                self.size = None
            self.read: Read = _telling(inner)
            return
        raise UnreadableError(f"can't be read: {reason}")

    def ready(self, other: int) -> bool:
        """Wait; tell whether there is input before there is any from *other*."""
        if self.descriptor < 0:
            return True
        while not (readable := self._wait(self.descriptor, other)):
            pass
        return self.descriptor in readable

    def leave_at_end(self) -> None:
        """Have whoever reads the same file next find it read."""
        os.lseek(self.descriptor, 0, os.SEEK_END)

    def _counting(self) -> Read:
        read = _raw_reader(self._file, self.descriptor, self._wait if self._can_wait else None)

        def counted(size: int) -> bytes:
            data = read(size)
            self.done += len(data)
            return data

        return counted


def _raw_reader(file: Any, descriptor: int, wait: Wait | None) -> Read:
    """Return a function that reads what is there, whatever the file is wrapped in."""
    if descriptor < 0:
        read: Read = getattr(file, "read1", file.read)
        return read

    # Below all buffers: under PYTHONUNBUFFERED there is none, and what is in one is not
    # seen by select.
    def read_descriptor(size: int) -> bytes:
        while True:
            if wait is not None and not wait(descriptor):
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


def wait_for(*descriptors: int) -> list[int]:
    """Wait until one of several descriptors can be read, or has ended; return those."""
    import select

    if not hasattr(select, "poll"):
        return select.select(descriptors, [], [])[0]
    # select takes no descriptor beyond 1023.
    polled = select.poll()
    for descriptor in descriptors:
        polled.register(descriptor, select.POLLIN | select.POLLPRI)
    return [descriptor for descriptor, _ in polled.poll()]


def descriptor_of(file: Any) -> int:
    """Return a file's descriptor, or -1."""
    try:
        descriptor: int = file.fileno()
    except (AttributeError, OSError):
        return -1
    return descriptor
