"""Files and standard input, opened."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nestdecode.cli.signals import wait
from nestdecode.stream.sources import Source, UnreadableError

__all__ = ["is_file", "opened"]


def is_file(name: str) -> bool:
    """Return whether there is a regular file of that name."""
    try:
        return os.path.isfile(name)  # noqa: PTH113 - pathlib takes 5 ms
    except (OSError, ValueError):
        return False


@contextmanager
def opened(name: str, *, as_it_is: bool = False) -> Iterator[Source]:
    """Open a file, or standard input if its name is ``-``; see ``Source``."""
    if name == "-":
        if sys.stdin is None:
            raise UnreadableError("standard input is closed")
        yield Source(sys.stdin.buffer, wait, as_it_is=as_it_is)
        return
    try:
        file = open(name, "rb", buffering=0)  # noqa: PTH123, SIM115 - errors of opening only; pathlib takes 5 ms
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "a NUL in its name"
    else:
        with file:
            yield Source(file, wait, as_it_is=as_it_is)
        return
    raise UnreadableError(f"can't be read: {reason}")
