"""
Compressed input, recognised by its first bytes, and decompressed piece by piece.

Memory is bounded, however much comes out. If data is damaged, everything before the damage is
returned before the error is raised.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["decompressed", "rejoined"]

Read = Callable[[int], bytes]

# Bytes read at a time.
CHUNK = 1 << 18
# Bytes that a decompressor takes and returns at a time: small, as a damaged piece is lost.
PIECE = 1 << 14

_MAGIC = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
    # Skippable frames.
    *((b"%c\x2a\x4d\x18" % byte, "zstd") for byte in range(0x50, 0x60)),
    *((b"BZh%d1AY&SY" % level, "bzip2") for level in range(1, 10)),
    *((b"BZh%d\x17rE8P\x90" % level, "bzip2") for level in range(1, 10)),  # an empty file
)
# Bytes of memory to read an xz file, which names what it needs; xz's own presets need 65 MiB.
_MEMORY = 256 << 20
# What a reader refuses; the bound of zstd is its library's own.
_MOST = {"xz": f"more than {_MEMORY >> 20} MiB", "zstd": "a window of more than 128 MiB"}


def decompressed(read: Read) -> tuple[Read, str | None]:
    """
    Read the first bytes, and decompress if they are those of a compressed file.

    Args:
        read: Returns at most the given number of bytes, as soon as some have come, and
            none at the end of input.

    Returns:
        A function like *read* for the content, and ``gzip``, ``bzip2``, ``xz``, ``zstd`` or
        None. That function raises OSError if the data is damaged or cut short, after it has
        returned everything before.

    Raises:
        OSError: If it is zstd, and no module that reads zstd is installed.
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
    """Return a function like *read* that returns *start* first, which has been read already."""

    def read_on(size: int) -> bytes:
        nonlocal start
        if not start:
            return read(size)
        piece, start = start[:size], start[size:]
        return piece

    return read_on


class _Decompressor(Protocol):
    """The interface that bz2, lzma and zstd share; one object for each member of a file."""

    @property
    def eof(self) -> bool: ...

    @property
    def needs_input(self) -> bool: ...

    @property
    def unused_data(self) -> bytes: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class _Gzip:
    """zlib's decompressor with the interface of the others."""

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
        self._full = len(found) == max_length  # more may come out without more input
        return found

    def _rescued(self, before: Any, data: bytes) -> bytes:
        """Return what comes before the damage; all, if only a checksum at the end is wrong."""
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
    """Reads compressed data, member after member."""

    def __init__(self, read: Read, name: str) -> None:
        self._read = read
        self._name = name
        self._new, self._errors = _format(name)
        self._member = self._new()
        self._pending_error: OSError | None = None
        self._given = b""
        self._at = 0

    def read(self, size: int) -> bytes:
        """Return at most *size* bytes, as soon as some have come; none at the end."""
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
        """Return the output of one step; None at the end, or if it would wait and may not."""
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
            # The message is the only mark of this error.
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
        """Return the next piece of what was read: small, so that damage costs little."""
        piece = self._given[self._at : self._at + PIECE]
        self._at += len(piece)
        return piece

    def _next_member(self, *, wait: bool) -> bool:
        self._given = self._member.unused_data + self._given[self._at :]
        self._at = 0
        while True:
            # Tape drives and xz pad with zeros.
            self._given = self._given.lstrip(b"\0")
            if self._given:
                self._member = self._new()
                return True
            if not self._fill(wait=wait):
                return False


def _format(name: str) -> tuple[Callable[[], _Decompressor], tuple[type[Exception], ...]]:
    """Return the function that makes a decompressor for a member, and the errors it raises."""
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
