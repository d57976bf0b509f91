"""Layers that a spec declares, opened on access; ``shut`` opens what does not open at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from nestdecode.plan.facts import can_be_late, opened_on_the_spot, opens_to_same_children
from nestdecode.plan.opening import LayerWriter
from nestdecode.plan.source import PythonSource
from nestdecode.queries.layers import (
    BARE,
    Known,
    Late,
    Layers,
    ListOf,
    Looping,
    NotWrittenError,
    holds_none,
)
from nestdecode.queries.shut import LeftShut
from nestdecode.spec.shape import Shape, live_shapes, walk

__all__ = ["declared_layers"]


def declared_layers(source: PythonSource, late: Late, looping: Looping) -> Layers:
    """
    Return the Layers that writes how declared layers are opened.

    Args:
        source: The code that is being written.
        late: What layers are opened with.
        looping: Writes the head of a loop, and indents what is written in the context.

    Raises:
        NotWrittenError: If the plan's layers may not be opened on access (``can_be_late``),
            or if the record itself is a layer.
    """
    return _DeclaredLayers(source, late, looping)


class _DeclaredLayers(Layers):
    opener: LayerWriter

    def __init__(self, source: PythonSource, late: Late, looping: Looping) -> None:
        super().__init__(source)
        if not can_be_late(late.plan, late.reader.limits):
            raise NotWrittenError
        self._looping = looping
        self.opener = LayerWriter(source, late.plan, late.reader, late.copied, quiet=False)
        (self.root,) = late.plan.shapes
        self._live = live_shapes(self.root)
        self._texts: dict[Shape, bool] = {}
        if self.root.alternatives:
            raise NotWrittenError
        shut = LeftShut(late.plan, late.start)
        source.names |= {
            "carefully": late.carefully,
            "unlock": shut.unlock,
            "finish": shut.finish,
            "report": shut.report,
            "rest": shut.settle,
        }

    def settled(self, known: Known) -> Known:
        if isinstance(known, Shape):
            return known if known in self._live else None
        if isinstance(known, ListOf):
            elements = self.settled(known.elements)
            return None if elements is None or elements is BARE else ListOf(elements)
        return known

    def _step(self, known: Known, step: Callable[[Shape], tuple[Shape, ...]]) -> Known:
        """
        Return what is known of a value one step further.

        Raises:
            NotWrittenError: If several shapes declare it.
        """
        if not isinstance(known, Shape):
            return BARE if known is BARE else None
        found = step(known)
        if len(found) > 1:
            raise NotWrittenError
        return self.settled(found[0]) if found else None

    def member(self, known: Known, name: str) -> Known:
        return self._step(known, lambda shape: shape.members(name))

    def elements(self, known: Known) -> Known:
        if isinstance(known, ListOf):
            return known.elements

        def items(shape: Shape) -> tuple[Shape, ...]:
            # The elements differ in what is declared of them.
            if shape.prefix and self._are_live((*shape.prefix, shape.items)):
                raise NotWrittenError
            return () if shape.items is None else (shape.items,)

        return self._step(known, items)

    def all_members(self, known: Known) -> Known:
        def members(shape: Shape) -> tuple[Shape, ...]:
            if (shape.names or shape.patterns) and self._are_live(_members_of(shape)):
                raise NotWrittenError
            return () if shape.rest is None else (shape.rest,)

        return self._step(known, members)

    def _are_live(self, children: Iterable[Shape | None]) -> bool:
        """Return whether some of several shapes may hold layers."""
        return any(child in self._live for child in children)

    def _opens_to_text(self, shape: Shape) -> bool:
        """Return whether a layer at or below a place may open to a string."""
        known = self._texts.get(shape)
        if known is None:
            known = self._texts[shape] = any(
                alternative.codecs[-1] != "json" or "string" in alternative.admits
                for below, _ in walk(shape)
                for alternative in below.alternatives
            )
        return known

    def opens(self, known: Known, around: Known) -> bool:
        # A list that the query makes holds values that were opened when they were read.
        return isinstance(known, Shape) and bool(known.alternatives) and isinstance(around, Shape)

    def open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        if not self.opens(known, around):
            return
        assert isinstance(known, Shape)
        shape = known
        if not opens_to_same_children(shape):
            raise NotWrittenError
        source = self.source
        with source.block(f"if {value}.__class__ is str:"):
            name = source.constant(shape, "shape")
            unlock = f"{value} = unlock(tree, {container}, {key}, {name}, seen)"
            kinds = opened_on_the_spot(shape)
            if kinds:
                slot = f"{container}[{key}]"
                # The value is kept in the tree if it may hold layers that do not open at
                # once: their addresses are looked up there.
                holds = self._are_live(child for _, child in shape.children())
                room = None if holds else self.room
                self.opener.strings.write_parse(
                    shape, kinds, value, slot, lambda: source.line(unlock), room
                )
                return
            if self._opens_to_text(shape):
                # The plan notes that the place is settled: its value may be a string, which
                # must not be opened again.
                source.line(unlock)
                return
            new = source.fresh("new")
            source.line(f"{new} = {self.opener.call('peel', shape, value, '0')}")
            with source.block(f"if {new} is UNSURE:"):
                source.line(unlock)
            with source.block(f"elif {new} is not STAYS:"):
                source.line(f"{container}[{key}] = {value} = {new}")

    def merging(self, value: str, known: Known) -> bool:
        inner = self.elements(known)
        if self.opens(inner, known):
            raise NotWrittenError
        if not isinstance(known, Shape):
            return True
        if not holds_none(inner):
            if self._are_live(_members_of(known)):
                raise NotWrittenError
            with self.source.block(f"if {value}.__class__ is dict:"):
                self.source.line("return carefully(document)")
            return True
        # Nothing is declared of elements here. A list is not what the spec expects.
        with self.source.block(f"if {value}.__class__ is list:"):
            self.source.line("return carefully(document)")
        return False

    def finished(self, value: str, known: Known) -> str:
        known = self.settled(known)
        if known is None or known is BARE:
            return value
        if isinstance(known, Shape) and not self._are_live(c for _, c in known.children()):
            return value  # it was opened when it was read, and holds no further layer
        inside: Known = known
        while isinstance(inside, ListOf):
            inside = inside.elements
        if not isinstance(inside, Shape) or self._opens_to_text(inside):
            return f"finish(tree, {value}, {self.source.constant(known, 'KNOWN')}, seen)"
        found = self.source.named(value)
        self._finish_at_once(found, known)
        self.source.line("if shut:")
        self.source.line("    rest(tree, shut, seen)")
        return found

    def _finish_at_once(self, value: str, known: Known) -> None:
        """Write how every layer in a value is opened; none of them can open to a string."""
        source, opener = self.source, self.opener
        if isinstance(known, ListOf):
            element = source.fresh("v")
            # It may be the false value before `&&`, though a list is known behind it.
            with source.block(f"if {value}.__class__ is list and id({value}) not in seen:"):
                source.line(f"seen[id({value})] = {value}")
                with self._looping(f"for {element} in {value}:"):
                    self._finish_at_once(element, known.elements)
            return
        assert isinstance(known, Shape)
        is_container = f"{value}.__class__ is dict or {value}.__class__ is list"
        with source.block(f"if ({is_container}) and id({value}) not in seen:"):
            # One container may be in many places. It is kept, so that its id is not reused.
            source.line(f"seen[id({value})] = {value}")
            source.line(opener.call("visit", known, value, "0"))


def _members_of(shape: Shape) -> tuple[Shape | None, ...]:
    """Return the shapes of all members: by name, by pattern, and of the rest."""
    return (*shape.names.values(), *(child for _, child in shape.patterns), shape.rest)
