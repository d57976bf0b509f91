"""
Compressed input, recognised by its first bytes.

Read piece by piece, so memory is bounded whatever comes out. Everything that was whole
before the damage comes out before damage is told.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["decompressed", "rejoined"]

Read = Callable[[int], bytes]

CHUNK = 1 << 18
# What a decompressor is asked for at a time. A piece that turns out to be damaged is
# lost whole, so it is small.
PIECE = 1 << 14

_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    # Frames that are passed over.
    *((b"%c\x2a\x4d\x18" % byte, "zstd") for byte in range(0x50, 0x60)),
    *((b"BZh%d1AY&SY" % level, "bzip2") for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, "bzip2") for level in range(1, 10)),  # nothing in it
)
# An xz file says how much memory it takes to read; the xz command's own presets say 65 MiB.
_MEMORY = 256 << 20
# What a reader does not go beyond; of zstd that is its own bound.
_MOST = {"xz": f"more than {_MEMORY >> 20} MiB", "zstd": "a window of more than 128 MiB"}


def decompressed(read: Read) -> tuple[Read, str | None]:
    """
    Look at the first bytes, and decompress if they are those of a compressed file.

    Args:
        read: Returns at most so many bytes, as soon as some are there, and none at the
            end.

    Returns:
        A function like *read* for what is inside, and ``gzip``, ``bzip2``, ``xz``,
        ``zstd`` or None. That function raises OSError if the data is damaged or cut
        short, after it has returned all that comes before.

    Raises:
        OSError: If it is zstd and nothing that reads zstd is installed.
    """
    start = b""
    while any(magic.startswith(start) and magic != start for magic, _ in _MAGIC):
        piece = read(CHUNK)
        if not piece:
            break
        start += piece
    for magic, name in _MAGIC:
        if start.startswith(magic):
            return _Decompressing(rejoined(start, read), name).read, name
    return rejoined(start, read), None


def rejoined(start: bytes, read: Read) -> Read:
    """Return a function that reads what has been read already first."""

    def read_on(size: int) -> bytes:
        nonlocal start
        if not start:
            return read(size)
        piece, start = start[:size], start[size:]
        return piece

    return read_on


class _Decompressor(Protocol):
    """What bz2, lzma and zstd have in common; one for each member of a file."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor in the clothes of the others."""

    def __init__(self) -> None:
        import zlib

        self._zlib = zlib.decompressobj(wbits=31)
        self._error = zlib.error
        self._left = b""
        self._full = False
        self._found: Exception | None = None

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def needs_input(self) -> bool:
        return not (self._left or self._full or self._found or self._zlib.eof)

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    def decompress(self, data: bytes, max_length: int, /) -> bytes:
        if self._found:
            raise self._found
        before = self._zlib.copy()
        data = self._left + data
        try:
            found = self._zlib.decompress(data, max_length)
        except self._error as error:
            self._found = error
            return self._rescued(before, data)
        self._left = self._zlib.unconsumed_tail
        self._full = len(found) == max_length  # there may be more without more input
        return found

    def _rescued(self, before: Any, data: bytes) -> bytes:
        """Return what comes before the damage: a checksum at the end damages nothing."""
        rescued = b""
        least, most = 0, len(data)
        while least < most:
            middle = (least + most + 1) // 2
            try:
                rescued = before.copy().decompress(data[:middle], PIECE)
            except self._error:
                most = middle - 1
            else:
                least = middle
        return rescued


class _Decompressing:
    """Reads compressed data, one member after another."""

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._new, self._errors = _format(name)
        self._member = self._new()
        self._pending_error: OSError | None = None
        self._given = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return at most so many bytes, as soon as some are there."""
        if self._pending_error:
            raise self._pending_error
        pieces: list[bytes] = []
        got = 0
        while got < size:
            try:
                piece = self._step(min(PIECE, size - got), wait=not pieces)
            except OSError as error:
                if not pieces:
                    raise
                self._pending_error = error
                break
            if piece is None:
                break
            if piece:
                pieces.append(piece)
                got += len(piece)
        return b"".join(pieces)

    def _step(self, size: int, *, wait: bool) -> bytes | None:
        """Return what one step yields; None at the end, or if it had to wait for input."""
        data = b""
        if self._member.eof:
            if not self._next_member(wait=wait):
                return None
            data = self._take()
        elif self._member.needs_input:
            if not self._fill(wait=wait):
                if wait:
                    raise OSError(f"{self._name} data is cut short")
                return None
            data = self._take()
        try:
            return self._member.decompress(data, size)
        except self._errors as error:
            # There is nothing else by which they tell it.
            too_much = self._name in _MOST and "memory" in str(error).lower()
        if too_much:
            raise OSError(
                f"{self._name} data takes too much memory to be read: {_MOST[self._name]}"
            )
        raise OSError(f"{self._name} data is damaged")

    def _fill(self, *, wait: bool) -> bool:
        if self._at >= len(self._given) and wait:
            self._given, self._at = self._read(CHUNK), 0
        return self._at < len(self._given)

    def _take(self) -> bytes:
        """Take a little of what was read: less is lost if it is damaged."""
        piece = self._given[self._at : self._at + PIECE]
        self._at += len(piece)
        return piece

    def _next_member(self, *, wait: bool) -> bool:
        self._given = self._member.unused_data + self._given[self._at :]
        self._at = 0
        while True:
            # Zeros fill up what tape drives and xz write.
            self._given = self._given.lstrip(b"\0")
            if self._given:
                self._member = self._new()
                return True
            if not self._fill(wait=wait):
                return False


def _format(name: str) -> tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]:
    """Return what makes a decompressor for a member, and the errors that it raises."""
    if name == "gzip":
        import zlib

        return _Gzip, (zlib.error,)
    if name == "bzip2":
        import bz2

        return bz2.BZ2Decompressor, (OSError, ValueError)
    if name == "xz":
        import lzma

        def new() -> _Decompressor:
            return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_MEMORY)

        return new, (lzma.LZMAError,)
    return _zstd()


def _zstd() -> tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]:
    import importlib

    # In the standard library from 3.14 on.
    for name in ("compression.zstd", "backports.zstd"):
        try:
            zstd = importlib.import_module(name)
        except ImportError:
            continue
        return zstd.ZstdDecompressor, (zstd.ZstdError,)
    raise OSError("zstd needs an extra: pip install 'nestdecode[zstd]'")
