"""
Layers that a spec declares, opened on access.

A layer that does not open at once is handed to the plan, with its address looked up by
identity in the tree: that is rare, and the way there costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.errors import DecodeError
from nestdecode.paths import Address
from nestdecode.plan.facts import can_be_late, has_one_inside, opened_on_the_spot
from nestdecode.plan.opening import Opener
from nestdecode.plan.run import Run, address_of, in_document_order
from nestdecode.plan.settling import Shut, settle_in
from nestdecode.plan.source import Source
from nestdecode.queries.layers import (
    BARE,
    Known,
    Late,
    Layers,
    ListOf,
    Looping,
    OddError,
    holds_none,
)
from nestdecode.spec.shape import Shape, live_shapes, walk

__all__ = ["declared_layers"]


def declared_layers(source: Source, late: Late, looping: Looping) -> Layers:
    """
    Return what writes how layers are opened that a spec declares.

    Args:
        source: Where it is written.
        late: How layers are opened.
        looping: Writes the head of a loop, and indents what follows.

    Raises:
        OddError: If the plan is not for that.
    """
    return _Declared(source, late, looping)


class _Declared(Layers):
    opener: Opener

    def __init__(self, source: Source, late: Late, looping: Looping) -> None:
        super().__init__(source)
        if not can_be_late(late.plan, late.reader.limits):
            raise OddError
        self._plan = late.plan
        self._looping = looping
        self._start = late.start
        self.opener = Opener(source, late.plan, late.reader, late.copied, quiet=False)
        (self.root,) = late.plan.shapes
        self._live = live_shapes(self.root)
        self._texts: dict[Shape, bool] = {}
        if self.root.alternatives:
            raise OddError
        source.names |= {
            "carefully": late.carefully,
            "unlock": self._unlock,
            "finish": self._finish,
            "report": self._report,
            "rest": self._rest,
        }

    def settled(self, known: Known) -> Known:
        """Return what matters: a shape without a layer is as good as none."""
        if isinstance(known, Shape):
            return known if known in self._live else None
        if isinstance(known, ListOf):
            elements = self.settled(known.elements)
            return None if elements is None or elements is BARE else ListOf(elements)
        return known

    def _step(self, known: Known, step: Callable[[Shape], tuple[Shape, ...]]) -> Known:
        """Return what is declared one step further; odd if several things are."""
        if not isinstance(known, Shape):
            return BARE if known is BARE else None
        found = step(known)
        if len(found) > 1:
            raise OddError
        return self.settled(found[0]) if found else None

    def member(self, known: Known, name: str) -> Known:
        return self._step(known, lambda shape: shape.members(name))

    def elements(self, known: Known) -> Known:
        if isinstance(known, ListOf):
            return known.elements

        def items(shape: Shape) -> tuple[Shape, ...]:
            # Of some elements something else is declared, or that there is no layer.
            if shape.prefix and self._says_more((*shape.prefix, shape.items)):
                raise OddError
            return () if shape.items is None else (shape.items,)

        return self._step(known, items)

    def all_members(self, known: Known) -> Known:
        def members(shape: Shape) -> tuple[Shape, ...]:
            others = (*shape.names.values(), *(s for _, s in shape.patterns))
            if others and self._says_more((*others, shape.rest)):
                raise OddError
            return () if shape.rest is None else (shape.rest,)

        return self._step(known, members)

    def _says_more(self, children: tuple[Shape | None, ...]) -> bool:
        """Tell whether there may be layers in some of a container's children."""
        return any(child in self._live for child in children)

    def _all_members_known(self, shape: Shape) -> bool:
        members = (*shape.names.values(), *(s for _, s in shape.patterns), shape.rest)
        return any(member in self._live for member in members)

    def _opens_to_text(self, shape: Shape) -> bool:
        """Tell whether a layer at or below a place may hold a string, or be no JSON."""
        known = self._texts.get(shape)
        if known is None:
            known = self._texts[shape] = any(
                alternative.codecs[-1] != "json" or "string" in alternative.admits
                for below, _ in walk(shape)
                for alternative in below.alternatives
            )
        return known

    def opens(self, known: Known, around: Known) -> bool:
        # In a list that the query makes all was read before.
        return isinstance(known, Shape) and bool(known.alternatives) and isinstance(around, Shape)

    def open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        """Write how a value that was just read from container[key] is opened."""
        if not self.opens(known, around):
            return
        assert isinstance(known, Shape)
        shape = known
        if not has_one_inside(shape):
            raise OddError
        source = self.source
        with source.block(f"if {value}.__class__ is str:"):
            name = source.constant(shape, "shape")
            unlock = f"{value} = unlock(tree, {container}, {key}, {name}, seen)"
            kinds = opened_on_the_spot(shape)
            if kinds:
                slot = f"{container}[{key}]"
                # What may hold layers that do not open is found again by its place.
                holds = any(child in self._live for _, child in shape.children())
                room = None if holds else self.room
                self.opener.strings.write_parse(
                    shape, kinds, value, slot, lambda: source.line(unlock), room
                )
                return
            if self._opens_to_text(shape):
                # It must be known what was opened: another string may be there now.
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
            raise OddError
        if not isinstance(known, Shape):
            return True
        if not holds_none(inner):
            if self._all_members_known(known):
                raise OddError
            with self.source.block(f"if {value}.__class__ is dict:"):
                self.source.line("return carefully(document)")
            return True
        # What is in a list here is not declared; the spec says there is none.
        with self.source.block(f"if {value}.__class__ is list:"):
            self.source.line("return carefully(document)")
        return False

    def _unlock(
        self, tree: Any, container: Any, key: Any, shape: Shape, seen: dict[Any, Any]
    ) -> Any:
        """Let the plan open a string, once; return what is there now."""
        run = self._run(seen)
        if container.__class__ is list:
            key %= len(container)  # a place has one name
        if run.is_settled(container, key):
            return container[key]
        run.path = [*address_of(container, tree, run), key]
        container[key], _, _ = self._plan.open((shape,), container[key], len(run.path), 0, run)
        return container[key]

    def _run(self, seen: dict[Any, Any]) -> Run:
        """Return the one Run of a document, so that its budget is one."""
        known: Run | None = seen.get("run")
        if known is not None:
            return known
        run: Run = self._start()
        run.budget = seen.get("spent", run.budget)
        problems: dict[Address, DecodeError] = {}
        seen |= {"run": run, "report": run.report, "problems": problems}
        run.settled = set()
        # Reported when the answer is there.
        run.report = lambda problem: problems.update({run.address(): problem})
        return run

    def _report(self, tree: Any, seen: dict[Any, Any]) -> None:
        for problem in in_document_order(tree, seen["problems"], {}):
            seen["report"](problem)

    def _rest(self, tree: Any, shut: list[Shut], seen: dict[Any, Any]) -> None:
        """Let the plan decide what was left to it, and forget that."""
        run = self._run(seen)
        run.path = []
        settle_in(self._plan, tree, shut, run)
        shut.clear()

    def _finish(self, tree: Any, value: Any, known: Known, seen: dict[Any, Any]) -> Any:
        """Open every layer that is still shut in a value that is about to be seen whole."""
        if (value.__class__ is not dict and value.__class__ is not list) or id(value) in seen:
            return value
        # The same may be in many places. It is kept, so that its id stays its own.
        seen[id(value)] = value
        if isinstance(known, Shape):
            run = self._run(seen)
            run.path = address_of(value, tree, run)
            self._plan.visit((known,), value, len(run.path), 0, run)
        elif isinstance(known, ListOf) and value.__class__ is list:
            for element in value:
                self._finish(tree, element, known.elements, seen)
        return value

    def finished(self, value: str, known: Known) -> str:
        """Write how every layer in a value is opened; return the expression for it."""
        known = self.settled(known)
        if known is None or known is BARE:
            return value
        if isinstance(known, Shape) and not any(c in self._live for _, c in known.children()):
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
        """Write how every layer in a value is opened, if none can open to a string."""
        source, opener = self.source, self.opener
        if isinstance(known, ListOf):
            element = source.fresh("v")
            # What is false stays itself before `&&`, whatever the list behind it.
            with source.block(f"if {value}.__class__ is list and id({value}) not in seen:"):
                source.line(f"seen[id({value})] = {value}")
                with self._looping(f"for {element} in {value}:"):
                    self._finish_at_once(element, known.elements)
            return
        assert isinstance(known, Shape)
        is_container = f"{value}.__class__ is dict or {value}.__class__ is list"
        with source.block(f"if ({is_container}) and id({value}) not in seen:"):
            # The same may be in many places. It is kept, so that its id stays its own.
            source.line(f"seen[id({value})] = {value}")
            source.line(opener.call("visit", known, value, "0"))
