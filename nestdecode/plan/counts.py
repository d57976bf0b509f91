"""Written code that counts the strings that it surely decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nestdecode.plan.source import Source, UnwritableError

__all__ = ["Counts"]

MOST_LOOPS = 12


class Counts:
    """
    Writes how strings that are surely decided are counted, block by block.

    Args:
        source: Where it is written.
        counted: Whether they are.
    """

    def __init__(self, source: Source, *, counted: bool) -> None:
        self._source = source
        self._counted = counted
        # Of each block being written.
        self._counts = [0]
        self._loops = 0

    def found(self) -> None:
        """Count a string of the block that is being written."""
        self._counts[-1] += 1

    def end(self, times: str = "") -> None:
        """Write what was counted in the innermost block, so many times."""
        found = self._counts.pop()
        if found and self._counted:
            self._source.line(f"n += {found}" + (f" * len({times})" if times else ""))

    @contextmanager
    def branch(self, head: str) -> Iterator[None]:
        """Write what is done in some documents, and counted in them."""
        with self._source.block(head):
            self._counts.append(0)
            yield
            self.end()

    @contextmanager
    def loop(self, head: str, container: str) -> Iterator[None]:
        """Write what is done with each child, and counted for all of them."""
        self._loops += 1
        if self._loops > MOST_LOOPS:
            raise UnwritableError
        self._counts.append(0)
        with self._source.block(head):
            yield
        self.end(container)
        self._loops -= 1
