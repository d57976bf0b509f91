"""
How compiled queries open layers on access: declared ones, found ones, or none.

While an expression is written, what is *known* of each value is carried along. So a place is
tested for a string only where there may be a layer, and an answer is expanded only if it may
hold one. A string is opened when it is read from the record. What an expression makes, a list
or a text, is never opened. A layer that does not open at once is left to the plan, and its
address is looked up by identity in the tree: that is rare, and costs nothing where it does not
happen.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from nestdecode.plan.careful import Plan
from nestdecode.plan.opening import LayerWriter
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
    """The query is not compiled: the interpreter has to answer it."""


@dataclass(frozen=True, slots=True)
class ListOf:
    """Known of a list that the query makes: what is known of its elements."""

    elements: Known


@dataclass(frozen=True, slots=True)
class _Bare:
    """Known of a value that holds nothing, an empty list or a number."""


@dataclass(frozen=True, slots=True)
class _Anywhere:
    """Known of a value in which any string may be a layer."""


# What is known of a value, which is open itself: there may be layers in it where its shape
# declares them (Shape), anywhere (_Anywhere), or nowhere (None).
Known = Shape | ListOf | _Bare | _Anywhere | None
# Writes what is done with the value of an expression: its variable, and what is known of it.
Consumer = Callable[[str, Known], None]
BARE = _Bare()
FOUND = _Anywhere()


def holds_none(known: Known) -> bool:
    """Return whether a value surely holds no layer."""
    return known is None or known is BARE


def one_of(found: list[Known], default: Known) -> Known:
    """
    Return what is known of a value that several places of the code give.

    Args:
        found: What is known of it at each of them.
        default: The result if there are none.

    Raises:
        NotWrittenError: If different things are known of it.
    """
    several = set(found) - {BARE}
    if len(several) > 1:
        raise NotWrittenError
    return several.pop() if several else BARE if found else default


@dataclass(frozen=True, slots=True)
class Late:
    """
    What compiled queries need to open layers on access.

    Attributes:
        plan: Opens the layers that do not open at once.
        reader: Reads records and the texts of layers.
        start: Makes the Run of a record that needs one.
        carefully: Answers the query for any document.
        copied: Copies a document that was parsed before: (tree, its depth).
    """

    plan: Plan
    reader: Reader
    start: Callable[[], Run]
    carefully: Callable[[Any], Any]
    copied: Callable[[Any], tuple[Any, int]]


class Layers:
    """
    Writes how layers are opened. This class opens none: the tree that is asked is expanded.

    Args:
        source: The code that is being written.

    Attributes:
        root: What is known of the record.
        level: At least half the number of containers around the value that is read.
        keeps: Whether the value of a layer is assigned to the place of its string, because
            the query may read that place again.
        opener: Writes how a document is read; None if ``answer`` takes a tree.
    """

    root: Known = None
    opener: LayerWriter | None = None
    level = 0
    keeps = True

    def __init__(self, source: PythonSource) -> None:
        self.source = source

    def begin(self) -> None:
        """Write what is done before the document is read."""

    @property
    def room(self) -> int | None:
        """Containers inside one another that a layer here may hold; None if it is kept."""
        if self.keeps or self.opener is None:
            return None
        room = self.opener.limits.max_depth - 2 * self.level
        return room if room > 0 else None

    def settled(self, known: Known) -> Known:
        """Return what is known of a value, or None if that means that it holds no layer."""
        if isinstance(known, ListOf):
            elements = self.settled(known.elements)
            return None if elements is None or elements is BARE else ListOf(elements)
        return known

    def member(self, _known: Known, _name: str) -> Known:
        """Return what is known of a member of a value."""
        return None

    def elements(self, known: Known) -> Known:
        """Return what is known of every element of a list."""
        return known.elements if isinstance(known, ListOf) else None

    def all_members(self, _known: Known) -> Known:
        """Return what is known of every member of an object."""
        return None

    def opens(self, _known: Known, _around: Known) -> bool:
        """Return whether a string may be a layer, given what is known of it and around it."""
        return False

    def open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        """
        Write how a value that was just read is opened, if it is a string.

        Args:
            known: What is known of the value, once it is open.
            value: The variable that holds it.
            around: What is known of its container.
            container, key: Expressions: it was read from ``container[key]``.
        """

    def merging(self, _value: str, _known: Known) -> bool:
        """
        Write what has to be tested before a value is merged with others, if it is a list.

        Returns:
            Whether it may be a list; False if it surely is not.
        """
        return True

    def finished(self, value: str, _known: Known) -> str:
        """Write how every layer in a value is opened, and return the expression for it."""
        return value
