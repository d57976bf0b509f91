"""Python source that is written by the program: readable, and shown in tracebacks."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

__all__ = ["PythonSource", "UnwritableError"]

_numbers = itertools.count(1)
# The files of functions that no longer exist; the next build removes their entries.
_gone: list[str] = []


class UnwritableError(Exception):
    """The code would be too large."""


class PythonSource:
    """
    Lines of Python, and the objects that they name.

    Text of a document or a spec enters the source through ``repr`` alone.

    Attributes:
        names: The globals of the source: objects by name.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0
        self._counts: dict[str, int] = {}
        self._constants: dict[int, str] = {}
        self.names: dict[str, Any] = {}

    @property
    def level(self) -> int:
        """The indentation of the next line, in levels. Python takes 100."""
        return self._level

    @property
    def text(self) -> str:
        """The source so far."""
        return "\n".join(self._lines) + "\n"

    def line(self, text: str) -> None:
        """Add one line."""
        self._lines.append("    " * self._level + text)

    @contextmanager
    def block(self, head: str) -> Iterator[None]:
        """Add a line that ends in a colon, and indent the lines added in the context."""
        self.line(head)
        self._level += 1
        start = len(self._lines)
        yield
        if len(self._lines) == start:
            self.line("pass")
        self._level -= 1

    def fresh(self, hint: str) -> str:
        """Return a variable name that is not in use: the hint and a number."""
        number = self._counts[hint] = self._counts.get(hint, 0) + 1
        return f"{hint}{number}"

    def named(self, value: str) -> str:
        """Return a variable that holds the value of an expression; a variable is its own."""
        if value.isidentifier():
            return value
        name = self.fresh("v")
        self.line(f"{name} = {value}")
        return name

    def constant(self, value: Any, hint: str) -> str:
        """Return the global name of an object; one object has one name."""
        name = self._constants.get(id(value))
        if name is None:
            name = self._constants[id(value)] = self.fresh(hint)
            self.names[name] = value  # also keeps it alive, so that its id stays its own
        return name

    def build(self, function: str, title: str) -> Any:
        """
        Compile the source and return one of its functions.

        Tracebacks show the source while the function's code object lives.

        Args:
            function: Its name.
            title: What tracebacks give as the file: ``<nestdecode title number>``.
        """
        file = f"<nestdecode {title} {next(_numbers)}>"
        names = dict(self.names)
        exec(compile(self.text, file, "exec"), names)
        # A function in its own globals would wait for the cyclic collector.
        built = names.pop(function)
        _remove_gone()
        # Without a modification time, linecache never looks for a file.
        linecache.cache[file] = (len(self.text), None, self.text.splitlines(True), file)
        weakref.finalize(built.__code__, _empty, file).atexit = False
        return built


def _empty(file: str) -> None:
    # Emptied, not removed: the garbage collector can call this while linecache.checkcache()
    # goes through the entries, and it raises KeyError for one that is gone meanwhile.
    if file in linecache.cache:
        linecache.cache[file] = (0, None, [], file)
        _gone.append(file)


def _remove_gone() -> None:
    for _ in range(len(_gone)):
        with suppress(IndexError):  # another thread took the last one
            linecache.cache.pop(_gone.pop(), None)
