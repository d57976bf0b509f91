"""Python source made for one purpose, readable, and shown by tracebacks."""

from __future__ import annotations

import itertools
import linecache
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["PythonSource"]

_numbers = itertools.count(1)


class PythonSource:
    """
    Lines of Python, and the objects that they name.

    Text of a document or a spec goes into the source through ``repr`` alone.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._level = 0
        self._counts: dict[str, int] = {}
        self._constants: dict[int, str] = {}
        self.names: dict[str, Any] = {}

    @property
    def level(self) -> int:
        """How deep the next line is indented. Python takes 100 levels."""
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
        """Add a line that ends in a colon, and indent what follows."""
        self.line(head)
        self._level += 1
        start = len(self._lines)
        yield
        if len(self._lines) == start:
            self.line("pass")
        self._level -= 1

    def fresh(self, hint: str) -> str:
        """Return a variable name that is not in use."""
        number = self._counts[hint] = self._counts.get(hint, 0) + 1
        return f"{hint}{number}"

    def named(self, value: str) -> str:
        """Return a variable for what may be an expression."""
        if value.isidentifier():
            return value
        name = self.fresh("v")
        self.line(f"{name} = {value}")
        return name

    def constant(self, value: Any, hint: str) -> str:
        """Return the name of an object, the same for the same object."""
        name = self._constants.get(id(value))
        if name is None:
            name = self._constants[id(value)] = self.fresh(hint)
            self.names[name] = value  # also keeps it alive, so that its id stays its own
        return name

    def build(self, function: str, title: str) -> Any:
        """
        Compile the source and return the function of that name.

        Tracebacks show the source as long as the function, or a traceback through it, lives.
        """
        file = f"<nestdecode {title} {next(_numbers)}>"
        names = dict(self.names)
        exec(compile(self.text, file, "exec"), names)
        # A function in its own globals would wait for the cyclic collector.
        built = names.pop(function)
        # Without a modification time, linecache never looks for a file.
        linecache.cache[file] = (len(self.text), None, self.text.splitlines(True), file)
        weakref.finalize(built.__code__, linecache.cache.pop, file, None).atexit = False
        return built
