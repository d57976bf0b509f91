"""
Signals that ask to stop: obeyed between writes, so that no line is cut.

The first one ends the command with its exit code, at once unless something is being
written: then when that is done. The second one ends the process, whatever it does.

Python looks for signals before a system call, not in it: one that comes between the two is
seen when the call is over. So nothing that can take for ever is called before `wait`.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any

from nestdecode.stream.sources import wait_for

__all__ = ["Stopped", "keys_are_for_others", "listen", "undisturbed", "wait"]

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


undisturbed: _Undisturbed = _Undisturbed()
_listened: list[int] = []
# A descriptor that can be read as soon as a signal has come.
_come: list[int] = []


def wait(*descriptors: int) -> Sequence[int]:
    """
    Wait until one of several descriptors can be read, or a signal has come.

    Returns:
        Those that can be read: none if a signal has come whose handler lets one go on.
    """
    readable = wait_for(*descriptors, *_come)
    for descriptor in _come:
        if descriptor in readable:
            os.read(descriptor, 4096)
            readable.remove(descriptor)
    return readable


def listen() -> None:
    """Obey signals from here on, except those that the parent process has turned off."""
    _wake_on_signals()
    for name in _STOPPING:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        try:
            signal.signal(number, undisturbed.stop)
        except ValueError:  # not the main thread: that one listens
            return
        _listened.append(number)


def _wake_on_signals() -> None:
    """Have `wait` end when a signal comes, and when one has come."""
    if os.name == "nt" or _come:  # select knows sockets only, there
        return
    ours, theirs = os.pipe()
    os.set_blocking(ours, False)
    os.set_blocking(theirs, False)
    try:
        signal.set_wakeup_fd(theirs, warn_on_full_buffer=False)
    except ValueError:  # not the main thread
        os.close(ours)
        os.close(theirs)
        return
    _come.append(ours)


@contextmanager
def keys_are_for_others() -> Iterator[None]:
    """Leave the signals that are typed at a terminal to the program that was started there."""
    was = {}
    for name in _TYPED:
        number = getattr(signal, name, None)
        if number is None or signal.getsignal(number) == signal.SIG_IGN:
            continue
        # Not SIG_IGN: child processes would inherit it.
        with suppress(ValueError):  # not the main thread: that one listens
            was[number] = signal.signal(number, lambda *_: None)
    try:
        yield
    finally:
        for number, handler in was.items():
            signal.signal(number, handler)
