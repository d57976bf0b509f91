"""One input, decompressed and in UTF-8, in the pieces in which it comes."""

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
    """An input can't be read; the message ends in the system's reason."""


class Source:
    """
    One input.

    Args:
        file: A binary file, of any kind.
        wait: Waits until one of several descriptors can be read, and returns those that can;
            none if the caller has to look at something else first. None for ``wait_for``.
        as_it_is: Whether nothing is decompressed or converted to UTF-8.

    Attributes:
        descriptor: Its file descriptor; -1 without one.
        start: The byte of the file at which reading starts.
        size: Bytes of a regular file that is neither compressed nor converted; else None.
        total: Bytes of a regular file from the start on; else None.
        done: Bytes that have been read, before they are decompressed.
        head: The first of them, up to 512 of those that came at once.
        packed: ``gzip``, ``bzip2``, ``xz`` or ``zstd``; None if it is not compressed.
        encoding: ``UTF-16LE`` or another name, by its byte order mark; ``json-seq``, if it
            begins with a record separator; else None.
        read: Returns at most the given number of bytes, decompressed and in UTF-8, as soon
            as some have come, and none at the end.

    Raises:
        UnreadableError: If its first bytes can't be read. So does ``read``, for later ones.
    """

    def __init__(self, file: Any, wait: Wait | None = None, *, as_it_is: bool = False) -> None:
        self._file = file
        self._wait = wait or wait_for
        self.descriptor: int = descriptor_of(file)
        self.start: int = 0
        self.done: int = 0
        self.head: bytes = b""
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
        if as_it_is:
            self.read: Read = _checked(self._counting())
            return
        try:
            inner, self.packed = decompressed(self._counting())
            inner, self.encoding = as_utf8(inner)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            if self.packed or self.encoding:
                self.size = None
            self.read = _checked(inner)
            return
        raise UnreadableError(f"can't be read: {reason}")

    def ready(self, other: int) -> bool:
        """Wait for input or for another descriptor; return whether there is input."""
        if self.descriptor < 0:
            return True
        while not (readable := self._wait(self.descriptor, other)):
            pass
        return self.descriptor in readable

    def leave_at_end(self) -> None:
        """Move the file's position to its end, for the process that reads it next."""
        os.lseek(self.descriptor, 0, os.SEEK_END)

    def _counting(self) -> Read:
        read = _raw_reader(self._file, self.descriptor, self._wait if self._can_wait else None)

        def counted(size: int) -> bytes:
            data = read(size)
            if not self.done:
                self.head = data[:512]
            self.done += len(data)
            return data

        return counted


def _raw_reader(file: Any, descriptor: int, wait: Wait | None) -> Read:
    """Return a function that reads as soon as bytes have come, below the buffers of a file."""
    if descriptor < 0:
        read: Read = getattr(file, "read1", file.read)
        return read

    # Below all buffers: select does not see what is in one.
    def read_descriptor(size: int) -> bytes:
        while True:
            if wait is not None and not wait(descriptor):
                continue
            try:
                return os.read(descriptor, size)
            except BlockingIOError:  # another process was faster, or made it non-blocking
                pass

    return read_descriptor


def _checked(read: Read) -> Read:
    """Return a function like *read* that raises UnreadableError instead of OSError."""

    def read_or_raise(size: int) -> bytes:
        try:
            return read(size)
        except OSError as error:
            reason = error.strerror or str(error)
        raise UnreadableError(f"can't be read: {reason}")

    return read_or_raise


def wait_for(*descriptors: int) -> list[int]:
    """Wait until some descriptors can be read or have ended, and return these."""
    import select

    if not hasattr(select, "poll"):
        return select.select(descriptors, [], [])[0]
    # Not select.select: it refuses descriptors above 1023.
    polled = select.poll()
    for descriptor in descriptors:
        polled.register(descriptor, select.POLLIN | select.POLLPRI)
    return [descriptor for descriptor, _ in polled.poll()]


def descriptor_of(file: Any) -> int:
    """Return a file's descriptor; -1 without one."""
    try:
        descriptor: int = file.fileno()
    except (AttributeError, OSError):
        return -1
    return descriptor
