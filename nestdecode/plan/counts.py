"""Written code that counts the strings that it decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nestdecode.plan.source import PythonSource, UnwritableError

__all__ = ["Counts"]

# Loops inside one another. Python takes 20 blocks.
MOST_LOOPS = 12


class Counts:
    """
    Writes the counting of decided strings, one addition for each block of code.

    Args:
        source: The code that is being written.
        counted: Whether anything is counted.
    """

    def __init__(self, source: PythonSource, *, counted: bool) -> None:
        self._source = source
        self._counted = counted
        # Strings decided in each block that is being written, from the outermost on.
        self._counts = [0]
        self._loops = 0

    def found(self) -> None:
        """Count one string of the innermost block."""
        self._counts[-1] += 1

    def end(self, times: str = "") -> None:
        """
        End the innermost block, and write its addition.

        Args:
            times: A container; the block is run once for each of its children. Empty: once.
        """
        found = self._counts.pop()
        if found and self._counted:
            self._source.line(f"n += {found}" + (f" * len({times})" if times else ""))

    @contextmanager
    def branch(self, head: str) -> Iterator[None]:
        """Write a block that is run for some documents, and ends with its addition."""
        with self._source.block(head):
            self._counts.append(0)
            yield
            self.end()

    @contextmanager
    def loop(self, head: str, container: str) -> Iterator[None]:
        """
        Write a loop over the children of a container, and one addition for all of them.

        Raises:
            UnwritableError: If too many loops are inside one another.
        """
        self._loops += 1
        if self._loops > MOST_LOOPS:
            raise UnwritableError
        self._counts.append(0)
        with self._source.block(head):
            yield
        self.end(container)
        self._loops -= 1
