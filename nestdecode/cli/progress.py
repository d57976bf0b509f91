"""A progress bar on stderr, which gives way to messages."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from nestdecode.cli import output

__all__ = ["progress_bar"]

# Seconds: until the bar is shown, and between two looks of it.
_PATIENCE = 1.0
_PAUSE = 0.1
_WIDTH = 20


@contextlib.contextmanager
def progress_bar(name: str, total: int | None, *, at_once: bool) -> Iterator[Callable[[int], None]]:
    """
    Show how far reading is, and take the bar away at the end.

    Args:
        name: Of what is read.
        total: Its bytes, or None if nobody knows.
        at_once: Whether the bar is shown at once, and not after a second.

    Yields:
        A function that takes how many bytes have been read.
    """
    started = time.monotonic()
    due = started if at_once else started + _PATIENCE
    shown = False

    def clear() -> None:
        nonlocal shown
        if shown:
            shown = False
            output.draw("")

    def advance(done: int) -> None:
        nonlocal due, shown
        now = time.monotonic()
        if now >= due:
            due = now + _PAUSE
            shown = True
            output.draw(_look(name, done, total, now - started))

    output.before_text = clear
    try:
        yield advance
    finally:
        clear()
        output.before_text = None


def _look(name: str, done: int, total: int | None, seconds: float) -> str:
    rate = done / seconds if seconds > 0 else 0.0
    figures = f"{_bytes(done)}  {_bytes(rate)}/s"
    if not total:
        return f"{name}  {figures}"
    part = min(1.0, done / total)
    bar = ("#" * int(part * _WIDTH)).ljust(_WIDTH, "-")
    left = (total - done) / rate if rate > 0 and done < total else 0
    return f"{name}  [{bar}] {part:4.0%}  {figures}  ETA {int(left) // 60}:{int(left) % 60:02}"


def _bytes(number: float) -> str:
    for unit in ("B", "kB", "MB"):
        if number < 1000:
            return f"{number:.0f} {unit}" if unit == "B" else f"{number:.1f} {unit}"
        number /= 1000
    return f"{number:.1f} GB"
