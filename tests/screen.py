"""Commands on a terminal of some width, and what is left to see there."""

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO

from tests import command


def on_screen(
    *arguments: str,
    columns: int,
    cwd: Path,
    stdout: BinaryIO | None = None,
    program: Sequence[str] = (),
    **more: str,
) -> tuple[str, int]:
    """
    Run a command on a terminal: (every byte that the terminal gets, exit code).

    Args:
        arguments: Its words.
        columns: How wide the terminal is.
        cwd: The folder it runs in.
        stdout: Where its standard output goes instead.
        program: What runs in the place of the command.
        more: Variables of its environment.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    environment = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "NO_COLOR")}
    environment |= {"TERM": "xterm"} | more
    streams = (theirs, theirs if stdout is None else stdout.fileno(), theirs)
    child: Any
    if program:
        stdin, out, err = streams
        child = subprocess.Popen(
            [*program, *arguments], stdin=stdin, stdout=out, stderr=err, cwd=cwd, env=environment
        )
    else:
        child = command.start(*arguments, streams=streams, cwd=cwd, env=environment)
    os.close(theirs)
    shown = b""
    # Linux ends a terminal with EIO, others with an empty read.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), child.wait()


def left_of(shown: str) -> str:
    """Return what is to see in the end, where lines were drawn over others; colours left out."""
    lines = []
    for line in re.sub(r"\x1b\[[0-9;]*m", "", shown).split("\n"):
        cells = ""
        for drawn in line.split("\r"):
            text, erased, rest = drawn.partition("\x1b[K")
            cells = text + rest if erased else text + cells[len(text) :]
        lines.append(cells)
    return "\n".join(lines)
