"""A progress bar on stderr, if that is a terminal; it gives way to messages."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Callable, Iterator

from nestdecode.cli import output
from nestdecode.cli.tables import fitted, width_of
from nestdecode.stream import Record
from nestdecode.words import one_line

__all__ = ["progress", "watched"]

# Seconds: until a bar is shown, and between two looks of it.
_PATIENCE = 1.0
_PAUSE = 0.1
_WIDTH = 10
# Columns that a name keeps, however narrow the terminal is.
_NAME = 12


@contextlib.contextmanager
def progress(
    name: str, total: int | None, *, wanted: bool | None = None, shares: bool = False
) -> Iterator[Callable[[int], None]]:
    """
    Show how far a file has been read, and take the bar away at the end.

    Args:
        name: What is read.
        total: Its bytes, or None if that is unknown.
        wanted: True to show a bar at once, and False for none; None shows one after a
            second, if *total* is known.
        shares: Whether output is written to the terminal meanwhile: no bar is shown then.

    Yields:
        A function that takes how many bytes have been read.
    """
    if not _is_welcome(total, wanted, shares=shares):
        yield lambda _done: None
        return
    bar = _Bar(output.called(name), total, 0.0 if wanted else _PATIENCE)
    try:
        yield bar.advance
    finally:
        bar.end()


def _is_welcome(total: int | None, wanted: bool | None, *, shares: bool) -> bool:
    if wanted is False or not output.is_terminal(sys.stderr) or os.environ.get("TERM") == "dumb":
        return False
    return wanted is True or (total is not None and not shares)


def watched(
    name: str, found: Iterator[tuple[Record, str]], total: int
) -> Iterator[tuple[Record, str]]:
    """Go through records with a bar; *total* is the size of the text that they are in."""
    with progress(name, total) as advance:
        for one in found:
            advance(one[0].offset)
            yield one


class _Bar:
    """
    A bar. Of several at a time one is shown, until it ends.

    Args:
        name: What is read.
        total: Its bytes, or None if that is unknown.
        patience: Seconds until it is shown.
    """

    _shown: _Bar | None = None

    def __init__(self, name: str, total: int | None, patience: float) -> None:
        self._name = name
        self._total = total
        self._due = time.monotonic() + patience
        # Since when it can be shown, and what had been read then.
        self._since: tuple[float, int] | None = None
        self._is_drawn = False

    def advance(self, done: int) -> None:
        """Show how far it is, if it is time for that."""
        if _Bar._shown not in (None, self):
            self._since = None
            return
        now = time.monotonic()
        if self._since is None:
            self._since = now, 0 if now < self._due else done
        if now < self._due:
            return
        self._due = now + _PAUSE
        self._is_drawn, _Bar._shown = True, self
        output.before_text = self.clear
        began, before = self._since
        rate = (done - before) / (now - began) if now > began else 0.0
        output.draw(_look(self._name, done, self._total, rate, output.columns_of(sys.stderr)))

    def clear(self) -> None:
        """Take it away until it is drawn again."""
        if self._is_drawn:
            self._is_drawn = False
            output.draw("")

    def end(self) -> None:
        """Take it away."""
        self.clear()
        if _Bar._shown is self:
            _Bar._shown = None
            output.before_text = None


def _look(name: str, done: int, total: int | None, rate: float, columns: int) -> str:
    """Return a bar that is narrower than the terminal: one that wraps can't be taken away."""
    name = one_line(name)
    speed = f"{_bytes(rate)}/s" if rate > 0 else ""
    figures = {"size": f"{_bytes(done):>8}", "rate": f"{speed:>10}"}
    if total:
        part = min(1.0, done / total)
        left = f"{_time(max(0, total - done) / rate)} left" if rate > 0 else ""
        figures = {
            "bar": f"[{('#' * int(part * _WIDTH)).ljust(_WIDTH, '-')}]",
            "part": f"{part:4.0%}",
            "size": f"{figures['size']} of {_bytes(total)}",
            "rate": figures["rate"],
            "left": f"{left:<12}",
        }
    # Every figure has its columns, so that nothing moves while it grows.
    room = columns - 3 - min(_NAME, width_of(name))
    for least in ("bar", "rate", "size", "left"):
        if len("  ".join(figures.values())) <= room:
            break
        figures.pop(least, None)
    rest = "  ".join(figures.values())
    name = fitted(name, max(4, columns - 3 - len(rest)))
    return fitted(f"{name}  {rest}".rstrip(), max(4, columns - 1))


def _time(seconds: float) -> str:
    whole = int(seconds)
    if whole >= 3600:
        return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"
    return f"{whole // 60}:{whole % 60:02}"


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
