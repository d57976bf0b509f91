"""
Layers that are found, opened on access: the strings that a query meets on its way.

The careful way, which expands the whole record, answers for a record with a string on the way
that does not open at once, and for an answer that may hold layers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.plan.careful import Plan
from nestdecode.plan.opening import LayerWriter
from nestdecode.plan.source import PythonSource
from nestdecode.queries.layers import (
    BARE,
    FOUND,
    Known,
    Late,
    Layers,
    ListOf,
    Looping,
    NotWrittenError,
    holds_none,
)
from nestdecode.spec.shape import Shape

__all__ = ["found_layers", "may_hold_layers"]


def found_layers(source: PythonSource, late: Late, looping: Looping) -> Layers:
    """
    Return the Layers that writes how layers are found.

    Args:
        source: The code that is being written.
        late: What layers are opened with.
        looping: Writes the head of a loop, and indents what is written in the context.

    Raises:
        NotWrittenError: If a layer that is not seen may refuse the record (``fail``) or go
            (``drop``).
    """
    return _FoundLayers(source, late, looping)


# What the text of a layer begins and ends with: a blank, a bracket, or the quote of a string
# that is a layer itself.
_STARTS = frozenset('{[" \t\r\n')
_ENDS = frozenset('}]" \t\r\n')
# Values of an answer that are searched for layers; a larger one may hold some.
_FEW = 64


def may_hold_layers(value: Any) -> bool:
    """Return whether an object or array may hold a layer; True if it is too large to search."""
    waiting, left = [value], _FEW
    while waiting:
        container = waiting.pop()
        left -= len(container)
        if left < 0:
            return True
        for child in container.values() if container.__class__ is dict else container:
            if child.__class__ is str:
                if child[:1] in _STARTS and child[-1:] in _ENDS:
                    return True
            elif child.__class__ is dict or child.__class__ is list:
                waiting.append(child)
    return False


# The shape of a record of which nothing is declared.
_NOTHING = Shape((), {}, (), None, (), None, (), frozenset(), None, declared=False)
# Documents that go the careful way at once, at most, after some that had to.
_LONGEST_REST = 64


class _Turns:
    """
    Decides whether to open layers on access, or to take the careful way at once.

    A query that has to go the careful way for most documents would do its work twice.

    Attributes:
        left: Documents that still go the careful way at once.
        asked: Documents tried on access since the last one that had to go the careful way.
    """

    __slots__ = ("_carefully", "_rest", "asked", "left")

    def __init__(self, carefully: Callable[[Any], Any]) -> None:
        self._carefully = carefully
        self._rest = self.left = self.asked = 0

    def carefully(self, document: Any) -> Any:
        """Answer for a document that could not be answered on access."""
        self._rest = min(2 * self._rest + 1, _LONGEST_REST) if self.asked <= 2 else 0
        self.left, self.asked = self._rest, 0
        return self._carefully(document)


class _FoundLayers(Layers):
    opener: LayerWriter
    root = FOUND

    def __init__(self, source: PythonSource, late: Late, looping: Looping) -> None:
        super().__init__(source)
        if late.plan.on_error in ("drop", "fail"):
            raise NotWrittenError
        self._looping = looping
        self._layers = late.reader.limits.max_layers
        plan = Plan(_NOTHING, late.plan.on_error, None)
        self.opener = LayerWriter(source, plan, late.reader, late.copied, quiet=False)
        turns = _Turns(late.carefully)
        source.names |= {
            "early": late.carefully,
            "carefully": turns.carefully,
            "turns": turns,
            "ENDS": _ENDS,
            "STARTS": _STARTS,
            "may_hold_layers": may_hold_layers,
        }

    def begin(self) -> None:
        with self.source.block("if turns.left:"):
            self.source.line("turns.left -= 1")
            self.source.line("return early(document)")
        self.source.line("turns.asked += 1")

    def member(self, known: Known, _name: str) -> Known:
        return known if known is FOUND or known is BARE else None

    def elements(self, known: Known) -> Known:
        return known.elements if isinstance(known, ListOf) else self.all_members(known)

    def all_members(self, known: Known) -> Known:
        return known if known is FOUND or known is BARE else None

    def opens(self, known: Known, around: Known) -> bool:
        return known is FOUND and around is FOUND

    def open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        if not self.opens(known, around):
            return
        # No way through the code opens more layers than there are places that open one.
        self._layers -= 1
        if self._layers < 0:
            raise NotWrittenError
        source = self.source
        new = source.fresh("new")
        with source.block(f"if {value}.__class__ is str and {value}[:1] in STARTS:"):
            source.line("try:")
            source.line(f"    {new} = read({value})")
            source.line("except REFUSED as refusal:")
            may_be = f"{value}[-1:] in ENDS and not is_malformed(refusal, {value})"
            source.line(f"    {new} = UNSURE if {may_be} else None")
            source.line(f"if {new}.__class__ is dict or {new}.__class__ is list:")
            if self.room is None:
                source.line(f"    {container}[{key}] = {value} = {new}")
            else:
                self.opener.strings.write_taken(value, new, self.room)
            source.line(f"elif {new} is UNSURE or {new}.__class__ is str:")
            source.line("    return carefully(document)")

    def merging(self, value: str, known: Known) -> bool:
        inner = self.elements(known)
        if self.opens(inner, known):
            index, element = self.source.fresh("i"), self.source.fresh("v")
            loop = self._looping(f"for {index}, {element} in enumerate({value}):")
            keeps, self.keeps = self.keeps, True
            with self.source.block(f"if {value}.__class__ is list:"), loop:
                self.open(inner, element, known, value, index)
            self.keeps = keeps
        return True

    def finished(self, value: str, known: Known) -> str:
        known = self.settled(known)
        if holds_none(known):
            return value
        found = self.source.named(value)
        self._look_through(found, known)
        return found

    def _look_through(self, value: str, known: Known) -> None:
        """Write that the careful way answers if a value may hold layers."""
        is_list = f"{value}.__class__ is list"
        if isinstance(known, ListOf):
            element = self.source.fresh("v")
            loop = self._looping(f"for {element} in {value}:")
            with self.source.block(f"if {is_list}:"), loop:
                self._look_through(element, known.elements)
        else:
            is_container = f"({is_list} or {value}.__class__ is dict)"
            with self.source.block(f"if {is_container} and may_hold_layers({value}):"):
                self.source.line("return carefully(document)")
