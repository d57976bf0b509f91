"""Values to stdout, messages to stderr."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO, Literal

from nestdecode.jsontext import dump

__all__ = ["Color", "Output", "printable", "say"]

Color = Literal["auto", "always", "never"]

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
    # Nobody may read this, and that stops nothing.
    with contextlib.suppress(OSError):
        print(f"nestdecode: {printable(message)}", file=sys.stderr, flush=True)  # noqa: T201


class Output:
    """
    Where answers go: one line each in a pipe, indented and coloured on a terminal.

    Args:
        indent: Spaces a level; 0 is one line a value; None decides by the terminal.
        color: Whether colours are used; ``auto`` decides by the terminal and NO_COLOR.
        raw: Whether strings are written as they are, without quotes.
    """

    def __init__(
        self, *, indent: int | None = None, color: Color = "auto", raw: bool = False
    ) -> None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        self._out: BinaryIO = sys.stdout.buffer
        terminal = sys.stdout.isatty()
        self._safe = terminal
        self._raw = raw
        if indent is None:
            indent = 2 if terminal else 0
        self._indent = indent or None
        dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        self._color = color == "always" or (color == "auto" and terminal and not dumb)

    def encode(self, value: Any) -> bytes:
        """Return what is written for one value, newline included."""
        if self._raw and isinstance(value, str):
            text = printable(value) if self._safe else value
            return text.encode("utf-8", "backslashreplace") + b"\n"
        line = dump(value, indent=self._indent)
        if self._safe or self._color:
            text = line.decode()
            text = printable(text) if self._safe else text
            text = _colored(text) if self._color else text
            line = text.encode()
        return line + b"\n"

    def write(self, lines: Iterable[bytes]) -> None:
        """Write whole lines, at once, and let them go."""
        left = memoryview(b"".join(lines))
        while left:
            # Unbuffered output may take less than it is given.
            left = left[self._out.write(left) :]
        self._out.flush()


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
