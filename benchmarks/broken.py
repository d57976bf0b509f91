"""Broken text: kinds of what arrives where JSON was meant, each beside good text of its size."""

import io
import zlib
from collections.abc import Callable
from itertools import cycle

import orjson
from documents import flat_line, lines_of

__all__ = ["BROKEN", "broken", "good"]

Change = Callable[[bytes], bytes]


def _indented(line: bytes) -> bytes:
    return orjson.dumps(orjson.loads(line), option=orjson.OPT_INDENT_2)


def _cut(line: bytes) -> bytes:
    return line[: len(line) * (30 + zlib.crc32(line) % 60) // 100]


def _text(line: bytes) -> bytes:
    return b"2026-11-29 12:00:00 INFO " + line.translate(None, b'{}":,')


def _as_it_is(line: bytes) -> bytes:
    return line


# For each kind: how good text is written, how every so many-th document is broken.
BROKEN: dict[str, tuple[Change, Change, int]] = {
    "text": (_as_it_is, _text, 1),
    "text, one line in ten": (_as_it_is, _text, 10),
    "lines that are cut": (_as_it_is, _cut, 1),
    "lines that are cut, one in two": (_as_it_is, _cut, 2),
    "lines that are cut, one in ten": (_as_it_is, _cut, 10),
    "a comma before the end": (_as_it_is, lambda line: line[:-1] + b",}", 1),
    "`NaN`, one line in ten": (_as_it_is, lambda line: line[:-1] + b',"x":NaN}', 10),
    "text after a document": (_as_it_is, lambda line: line + b" # so", 1),
    "`{\"a\":1,` and no end": (lambda _: b'{"a":\n1}', lambda _: b'{"a":1,', 1),
    "indented documents that are cut, one in two": (_indented, lambda line: _cut(_indented(line)), 2),
}  # fmt: skip


def good(name: str, size: int) -> bytes:
    """Return good text of a size, at least, as the kind has it."""
    return _joined(BROKEN[name][0], BROKEN[name][0], 1, size)


def broken(name: str, size: int) -> bytes:
    """Return broken text of a size, at least."""
    return _joined(*BROKEN[name], size)


def _joined(write: Change, breaks: Change, every: int, size: int) -> bytes:
    text = io.BytesIO()
    lines = cycle([line.rstrip() for line in lines_of(flat_line, 1000)])
    for number, line in enumerate(lines):
        if text.tell() >= size:
            break
        # The first line is good: input that begins with one that goes on is taken for documents.
        text.write((write if number == 0 or number % every else breaks)(line) + b"\n")
    return text.getvalue()
