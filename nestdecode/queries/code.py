"""
Queries as Python functions: JMESPath's semantics, with layers opened on access.

A null skips the rest of an expression, projections become loops inside one another, and no
value is built that the answer does not need. ``steps``, ``making`` and ``loops`` write each
kind of node; ``layers`` writes how layers are opened on the way.

NotWrittenError is raised for an expression that is not compiled, because of the expression or
because of what a spec declares at the places that it passes: the interpreter answers it.
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

# Expressions inside one another; levels of indentation, of which Python takes 100; and loops
# inside one another: Python takes 20 blocks.
MAX_LEVEL = 60
MAX_INDENT = 80
MAX_LOOPS = 16

_WRITERS = STEPS | MAKING | LOOPS


class Emitter:
    """
    Writes an expression.

    Args:
        node: The whole expression, which decides whether work is counted.

    Attributes:
        source: The code that is being written.
        layers: Writes how layers are opened.
        level: Expressions around the one that is being written.
        loops: Loops around it.
        counted: Whether what the answer builds is counted.
        shared: Whether an answer may have one container in two places.
        looked_at: Whether the answer is searched for integers that orjson made floats.
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
        """Write the body of a function that answers for the variable ``tree``."""
        source, opener = self.source, self.layers.opener
        if self.counted:
            source.line("work = Work()")
            source.line("call, copy, equals, take = work.call, work.copy, work.equals, work.take")
        # The state of layers that do not open at once, if there are any: see ``shut``.
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
        """
        Write the counting of what is about to be built, if it is counted.

        Args:
            units: An expression, in the units of ``work``.
        """
        if self.counted:
            self.source.line(f"take({units})")

    def value(self, node: Node, value: str, known: Known) -> tuple[str, Known]:
        """
        Write an expression whose value may be null.

        Args:
            node: The expression.
            value: The variable of the value that it is evaluated on.
            known: What is known of that.

        Returns:
            The variable of its value, and what is known of the value.
        """
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
        """
        Write an expression, and what is done with its value.

        Args:
            node: The expression.
            value: The variable of the value that it is evaluated on.
            known: What is known of that.
            then: Writes what is done. That code may be skipped if the value is null.
        """
        self.level += 1
        self.layers.level = self.level
        if self.level > MAX_LEVEL or self.source.level > MAX_INDENT:
            raise NotWrittenError
        write = _WRITERS.get(node["type"])
        if write is None:
            # A flatten outside a projection is one of these: it keeps null.
            raise NotWrittenError
        write(self, node, value, known, then)
        self.level -= 1

    @contextmanager
    def looping(self, head: str) -> Iterator[None]:
        """Write the head of a loop, and indent what is written in the context."""
        self.loops += 1
        if self.loops > MAX_LOOPS:
            raise NotWrittenError
        with self.source.block(head):
            yield
        self.loops -= 1
