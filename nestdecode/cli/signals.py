"""
Signals that ask to stop: obeyed between writes, so that no line is cut.

The first one ends the command with its exit code, at once unless something is being
written: then when that is done. The second one ends the process, whatever it does.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

__all__ = ["Stopped", "keys_are_for_others", "listen", "undisturbed"]

_STOPPING = ("SIGINT", "SIGTERM", "SIGHUP")
# What keys of a terminal send to all who share it.
_TYPED = ("SIGINT", "SIGQUIT")


class Stopped(BaseException):
    """
    A signal asks to stop.

    Attributes:
        number: The signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


class _Undisturbed:
    """A context that a signal does not leave in the middle. Can be nested."""

    def __init__(self) -> None:
        self._depth = 0
        self._number = 0

    def __enter__(self) -> None:
        self._depth += 1

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | object) -> None:
        self._depth -= 1
        if self._number and not self._depth and kind is None:
            raise Stopped(self._number)

    def stop(self, number: int, _frame: Any) -> None:
        """Handle a signal."""
        for name in _listened:
            signal.signal(name, signal.SIG_DFL)
        self._number = number
        if not self._depth:
            raise Stopped(number)


undisturbed = _Undisturbed()
_listened: list[int] = []


def listen() -> None:
    """Obey signals from here on, but for those that whoever started this has turned off."""
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        try:
            signal.signal(number, undisturbed.stop)
        except ValueError:  # not the main thread: somebody else listens
            return
        _listened.append(number)


@contextmanager
def keys_are_for_others() -> Iterator[None]:
    """Leave the signals that are typed at a terminal to the program that was started there."""
    was = {}
    for name in _TYPED:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        # Not SIG_IGN: whoever is started would be born with it.
        with suppress(ValueError):  # not the main thread: somebody else listens
            was[number] = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in was.items():
            signal.signal(number, handler)
