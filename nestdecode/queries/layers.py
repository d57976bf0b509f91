"""
How compiled queries open layers on access: declared ones, found ones, or none.

What is known of a value is carried through the expression, so that only those places are
tested for strings where there may be layers, and an answer is expanded only if a layer can
lie in it. A string is opened as it is read from the record, and never again: of what an
expression makes, nothing is. A layer that does not open at once is handed to the plan, with
its address looked up by identity in the tree: that is rare, and the way there costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from nestdecode.plan.careful import Plan
from nestdecode.plan.opening import Opener
from nestdecode.plan.run import Run
from nestdecode.plan.source import PythonSource
from nestdecode.spec.shape import Shape
from nestdecode.text.reader import Reader

__all__ = [
    "BARE",
    "FOUND",
    "Consumer",
    "Known",
    "Late",
    "Layers",
    "ListOf",
    "Looping",
    "NotWrittenError",
    "holds_none",
    "one_of",
]

# Writes the head of a loop, and indents what follows.
Looping = Callable[[str], AbstractContextManager[None]]


class NotWrittenError(Exception):
    """Not written out: answer in another way."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """A list that a query makes, of values that were read."""

    elements: Known


@dataclass(frozen=True, slots=True)
class _Bare:
    """A value in which there is nothing: an empty list, a number."""


@dataclass(frozen=True, slots=True)
class _Anywhere:
    """A value in which any string may be a layer."""


# What is known of a value that was read, so that it is open: in it there may be layers as
# its shape says, anywhere, or none (None).
Known = Shape | ListOf | _Bare | _Anywhere | None
# Writes what is done with the value of an expression, given what is known of it.
Consumer = Callable[[str, Known], None]
BARE = _Bare()
FOUND = _Anywhere()


def holds_none(known: Known) -> bool:
    """Tell whether there is no layer in a value."""
    return known is None or known is BARE


def one_of(found: list[Known], default: Known) -> Known:
    """Return what is declared of a value that is given in several places of the code."""
    several = set(found) - {BARE}
    if len(several) > 1:
        raise NotWrittenError
    return several.pop() if several else BARE if found else default


@dataclass(frozen=True, slots=True)
class Late:
    """
    How layers are opened on access.

    Attributes:
        plan: What opens them.
        reader: Reads records and what their layers hold.
        start: Makes the Run of a record that needs one.
        carefully: Answers for a document that this can't.
        copied: Copies a document that was parsed before.
    """

    plan: Plan
    reader: Reader
    start: Callable[[], Run]
    carefully: Callable[[Any], Any]
    copied: Callable[[Any], tuple[Any, int]]


class Layers:
    """
    Writes how layers are opened. These are none: the tree that is asked is expanded.

    Args:
        source: Where it is written.

    Attributes:
        root: What is known of the record.
        level: At least half as many as there are containers around what is read now.
        keeps: Whether what is opened is put where it was read from, to be met again.
        opener: Writes how it is read, if layers are opened on access.
    """

    root: Known = None
    opener: Opener | None = None
    level = 0
    keeps = True

    def __init__(self, source: PythonSource) -> None:
        self.source = source

    def begin(self) -> None:
        """Write what is done before a document is read."""

    @property
    def room(self) -> int | None:
        """Containers that what is opened here may hold, if it is not kept; None if it is."""
        if self.keeps or self.opener is None:
            return None
        room = self.opener.limits.max_depth - 2 * self.level
        return room if room > 0 else None

    def settled(self, known: Known) -> Known:
        """Return what matters: a shape without a layer is as good as none."""
        if isinstance(known, ListOf):
            elements = self.settled(known.elements)
            return None if elements is None or elements is BARE else ListOf(elements)
        return known

    def member(self, _known: Known, _name: str) -> Known:
        """Return what is known of a member."""
        return None

    def elements(self, known: Known) -> Known:
        """Return what is known of the elements of a list."""
        return known.elements if isinstance(known, ListOf) else None

    def all_members(self, _known: Known) -> Known:
        """Return what is known of every member of an object."""
        return None

    def opens(self, _known: Known, _around: Known) -> bool:
        """Tell whether a string that is read from *around* may be a layer."""
        return False

    def open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        """Write how a value that was just read from container[key] is opened."""

    def merging(self, _value: str, _known: Known) -> bool:
        """
        Write what is looked at before a value, if it is a list, is merged with others.

        Returns:
            Whether its elements are merged; else it surely is no list.
        """
        return True

    def finished(self, value: str, _known: Known) -> str:
        """Write how every layer in a value is opened; return the expression for it."""
        return value
