"""Values to stdout, messages to stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, BinaryIO, Literal

from nestdecode.jsontext import dump

__all__ = ["Color", "Output", "discard", "printable", "say"]

Color = Literal["auto", "always", "never"]

# What a progress bar does before a terminal gets other text.
before_text: Callable[[], None] | None = None

# What a terminal obeys instead of showing: C0 but tab and newline, DEL, C1, the
# separators that some take for newlines, and what turns the direction of text.
_OBEYED = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def printable(text: str) -> str:
    """Return text with everything that steers a terminal written as an escape."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def say(message: str) -> None:
    """Tell something on stderr, as one line unless the message is an excerpt."""
    if sys.stderr is None:
        return
    if before_text is not None:
        before_text()
    try:
        print(f"nestdecode: {printable(message)}", file=sys.stderr, flush=True)  # noqa: T201
    except OSError:
        discard(2)  # nobody reads this, and that stops nothing


def discard(descriptor: int) -> None:
    """Send what is still buffered nowhere, so that exit does not fail on it again."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
    except OSError:
        pass


class Output:
    """
    Where answers go: one line each in a pipe, indented and coloured on a terminal.

    Args:
        indent: Spaces a level; 0 is one line a value; None decides by the terminal.
        color: Whether colours are used; ``auto`` decides by the terminal and NO_COLOR.
        raw: Whether strings are written as they are, without quotes.

    Attributes:
        text: From a value to what is written for it, without a newline at its end.
    """

    def __init__(
        self, *, indent: int | None = None, color: Color = "auto", raw: bool = False
    ) -> None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        self._out: BinaryIO = sys.stdout.buffer
        self._terminal = sys.stdout.isatty()
        if indent is None:
            indent = 2 if self._terminal else 0
        dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        colors = color == "always" or (color == "auto" and self._terminal and not dumb)
        self.text = _writer(indent or None, raw=raw, safe=self._terminal, colors=colors)

    def encode(self, value: Any) -> bytes:
        """Return what is written for one value, newline included."""
        return self.text(value) + b"\n"

    def write(self, lines: Iterable[bytes]) -> None:
        """Write whole lines, at once, and let them go."""
        self.write_text(b"".join(lines))

    def write_text(self, text: bytes | memoryview) -> None:
        """Write text as it is, and let it go."""
        if self._terminal and before_text is not None:
            before_text()
        # Unbuffered output may take less than it is given.
        written = self._out.write(text)
        while written < len(text):
            text = memoryview(text)[written:]
            written = self._out.write(text)
        self._out.flush()


def _writer(indent: int | None, *, raw: bool, safe: bool, colors: bool) -> Callable[[Any], bytes]:
    """Return the function that writes a value as the options say."""
    write: Callable[[Any], bytes] = dump if indent is None else partial(dump, indent=indent)
    if safe or colors:
        write = _for_terminals(write, safe=safe, colors=colors)
    return _with_raw_strings(write, safe=safe) if raw else write


def _for_terminals(
    write: Callable[[Any], bytes], *, safe: bool, colors: bool
) -> Callable[[Any], bytes]:
    def write_text(value: Any) -> bytes:
        text = write(value).decode()
        text = printable(text) if safe else text
        return (_colored(text) if colors else text).encode()

    return write_text


def _with_raw_strings(write: Callable[[Any], bytes], *, safe: bool) -> Callable[[Any], bytes]:
    def write_raw(value: Any) -> bytes:
        if not isinstance(value, str):
            return write(value)
        text = printable(value) if safe else value
        return text.encode("utf-8", "backslashreplace")

    return write_raw


_TOKEN = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<literal>true|false|null)|(?P<number>-?[0-9][0-9.eE+-]*)"
)
_COLORS = {"key": "34;1", "string": "32", "literal": "35", "number": "36"}


def _colored(text: str) -> str:
    return _TOKEN.sub(
        lambda found: f"\x1b[{_COLORS[found.lastgroup or 'key']}m{found[0]}\x1b[0m",
        text,
    )
