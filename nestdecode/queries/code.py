"""
Queries as Python functions: JMESPath's semantics, layers opened on access.

A null skips what is left of an expression, projections become nested loops, and nothing
is built that is not asked for. What is written for each kind of node is in ``steps``,
``making`` and ``loops``; how layers are opened on the way is written by ``layers``.

``NotWrittenError`` says that an expression, or what a spec says of the places it passes, is
not written out here: then it is answered in another way.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nestdecode.plan.source import PythonSource
from nestdecode.queries import functions
from nestdecode.queries.growth import may_multiply, may_share
from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import BARE, Consumer, Known, Layers, NotWrittenError, one_of
from nestdecode.queries.loops import LOOPS
from nestdecode.queries.making import MAKING
from nestdecode.queries.nodes import TYPES, refer
from nestdecode.queries.steps import STEPS
from nestdecode.queries.work import Work
from nestdecode.text.number import Number

__all__ = ["Emitter"]

MAX_LEVEL = 60
MAX_INDENT = 80
MAX_LOOPS = 16

_WRITERS = STEPS | MAKING | LOOPS


class Emitter:
    """
    Writes an expression.

    Args:
        node: It; how it is written depends on all of it.

    Attributes:
        source: Where it is written.
        layers: Writes how layers are opened.
        counted: Whether it is counted what is built.
        looked_at: Whether it is looked for integers in the answer that may be wrong.
    """

    def __init__(self, node: Node) -> None:
        self.source: PythonSource = PythonSource()
        self.layers: Layers = Layers(self.source)
        self.level: int = 0
        self.loops: int = 0
        self.looked_at = False
        self.counted: bool = may_multiply(node)
        self.shared: bool = may_share(node)
        self.source.names |= {
            "Work": Work,
            "call": functions.call,
            "copy": functions.copied,
            "equals": functions.equals,
            "compare": functions.compare,
            "refer": refer,
            "NUMBERS": frozenset({int, float, Number}),
            "TYPES": TYPES,
        }

    def body(self, node: Node) -> None:
        """Write the function's body, for a variable named tree."""
        source, opener = self.source, self.layers.opener
        if self.counted:
            source.line("work = Work()")
            source.line("call, copy, equals, take = work.call, work.copy, work.equals, work.take")
        # What was done with what can't be done at once, if anything.
        source.line("seen = {'spent': spent}" if opener and opener.decodes else "seen = {}")
        result, inside = self.value(node, "tree", self.layers.settled(self.layers.root))
        source.line(f"answer = {self.layers.finished(result, inside)}")
        if self.shared:
            source.line("answer = work.apart(answer)")
        if self.looked_at:
            source.line("for part in answer if answer.__class__ is list else (answer,):")
            source.line("    if part.__class__ is not str and part is not None:")
            source.line("        if raw is not None and may_hold_long_integer(raw):")
            source.line("            return carefully(document)")
            source.line("        break")
        if opener is not None:
            source.line(f"if {opener.is_too_deep}:")
            source.line("    return carefully(document)")
            source.line("if 'run' in seen:")
            source.line("    report(tree, seen)")
        source.line("return answer")

    def take(self, units: str) -> None:
        """Write that something is about to be built, if that is counted."""
        if self.counted:
            self.source.line(f"take({units})")

    def value(self, node: Node, value: str, known: Known) -> tuple[str, Known]:
        """Write an expression; return the variable of its value, null included."""
        kind = node["type"]
        if kind in ("current", "identity"):
            return value, known
        if kind == "literal":
            constant = node["value"]
            name = self.source.constant(constant, "literal")
            if isinstance(constant, (dict, list)):
                return f"copy({name})", None if constant else BARE
            return name, None if isinstance(constant, str) else BARE
        result = self.source.fresh("r")
        self.source.line(f"{result} = None")
        inside: list[Known] = []

        def keep(found: str, declared: Known) -> None:
            inside.append(self.layers.settled(declared))
            self.source.line(f"{result} = {found}")

        self.emit(node, value, known, keep)
        return result, one_of(inside, BARE)

    def emit(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        """Write an expression, and *then* for its value, where that may be no null."""
        self.level += 1
        self.layers.level = self.level
        if self.level > MAX_LEVEL or self.source.level > MAX_INDENT:
            raise NotWrittenError
        write = _WRITERS.get(node["type"])
        if write is None:
            # A flatten alone, too: a projection that changes nothing but keeps null.
            raise NotWrittenError
        write(self, node, value, known, then)
        self.level -= 1

    @contextmanager
    def looping(self, head: str) -> Iterator[None]:
        """Write the head of a loop, and indent what follows."""
        self.loops += 1
        if self.loops > MAX_LOOPS:
            raise NotWrittenError
        with self.source.block(head):
            yield
        self.loops -= 1
