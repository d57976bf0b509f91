"""
Queries as Python functions: JMESPath's semantics, layers opened on access.

A null skips what is left of an expression, projections become nested loops, and nothing
is built that is not asked for. What is declared is carried through the expression, so
that only declared places are tested for strings, and an answer is expanded only if a
layer can lie in it. A string is opened as it is read from the record, and never again: of
what an expression makes, nothing is. A layer that does not open at once is handed to the
plan, with its address looked up by identity in the tree: that is rare, and the way there
costs nothing.

``OddError`` says that an expression, or what a spec says of the places it passes, is
not written out here: then it is answered in another way.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from jmespath import visitor

from nestdecode.errors import DecodeError
from nestdecode.paths import Address
from nestdecode.plan.careful import (
    Plan,
    Run,
    address_of,
    can_be_late,
    has_one_inside,
    in_document_order,
    opened_on_the_spot,
)
from nestdecode.plan.opening import Opener, Shut
from nestdecode.plan.source import Source
from nestdecode.queries import interpreter
from nestdecode.queries.growth import may_multiply, may_share
from nestdecode.queries.interpreter import A_LIST, A_MEMBER, AN_OBJECT, Interpreter, Node, Work
from nestdecode.spec import Shape
from nestdecode.spec.shape import live_shapes, walk
from nestdecode.text.number import Number
from nestdecode.text.reader import INEXACT, Reader

__all__ = ["Late", "OddError", "source_of"]

Consumer = Callable[[str, "Known"], None]
MAX_LEVEL = 60
MAX_INDENT = 80
MAX_LOOPS = 16


class OddError(Exception):
    """Not written out: answer in another way."""


@dataclass(frozen=True, slots=True)
class _ListOf:
    """A list that a query makes, of values that were read."""

    elements: Known


@dataclass(frozen=True, slots=True)
class _Bare:
    """A value in which there is nothing: an empty list, a number."""


# What is declared of a value that was read, so that it is open: in it there may be layers
# as its shape says, or none (None).
Known = Shape | _ListOf | _Bare | None
BARE = _Bare()


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


def source_of(node: Node, late: Late | None = None) -> Source:
    """
    Return the source of ``answer``.

    With *late* it takes a document, and opens layers as they are seen; without, it takes
    a tree that is expanded.

    Raises:
        OddError: If the query is not for this.
    """
    if late is None:
        emitter = _Emitter(node, None)
        with emitter.source.block("def answer(tree):"):
            emitter.body(node, None)
        return emitter.source
    if not can_be_late(late.plan, late.reader.limits):
        raise OddError
    (shape,) = late.plan.shapes
    emitter = _Emitter(node, late)
    source, opener = emitter.source, emitter.opener
    assert opener is not None
    source.names |= {"start": late.start, "carefully": late.carefully}
    if late.reader.plain and not opener.decodes and not _computes(node):
        # A wrong integer could be seen in the answer alone, so that is looked at.
        source.names |= INEXACT
        emitter.looked_at = True
    with source.block("def answer(document):"):
        opener.write_read()
        with source.block("try:"):
            emitter.body(node, shape)
        with source.block("except CrowdedError:"):
            source.line("pass")
        # Not in the handler: what it handles would be the context of what is raised.
        source.line("return carefully(document)")
    opener.write_functions()
    return source


def _computes(node: Node) -> bool:
    """Tell whether an expression compares values, or hands them to a function."""
    if node["type"] in ("comparator", "function_expression"):
        return True
    return any(_computes(child) for child in node["children"] if isinstance(child, dict))


class _Emitter:
    def __init__(self, node: Node, late: Late | None) -> None:
        self.source = Source()
        self.plan = plan = None if late is None else late.plan
        self.opener: Opener | None = None
        if late is not None:
            self.opener = Opener(self.source, late.plan, late.reader, late.copied, quiet=False)
        self.live = live_shapes(plan.shapes[0]) if plan is not None else set()
        self.texts: dict[Shape, bool] = {}
        self.level = self.loops = 0
        self.looked_at = False
        self.counted = may_multiply(node)
        self.shared = may_share(node)
        self.source.names |= {
            "Work": Work,
            "call": interpreter.call,
            "copy": interpreter.copied,
            "equals": interpreter.equals,
            "compare": interpreter.compare,
            "refer": _refer,
            "unlock": self._unlock,
            "finish": self._finish,
            "report": self._report,
            "rest": self._rest,
            "NUMBERS": frozenset({int, float, Number}),
            "TYPES": TYPES,
        }

    def body(self, node: Node, known: Known) -> None:
        """Write the function's body, for a variable named tree."""
        if isinstance(known, Shape) and known.alternatives:
            raise OddError
        source = self.source
        if self.counted:
            source.line("work = Work()")
            source.line("call, copy, equals, take = work.call, work.copy, work.equals, work.take")
        # What was done with what can't be done at once, if anything.
        decodes = self.opener is not None and self.opener.decodes
        source.line("seen = {'spent': spent}" if decodes else "seen = {}")
        result, inside = self._value(node, "tree", self._settled(known))
        source.line(f"answer = {self._finished(result, inside)}")
        if self.shared:
            source.line("answer = work.apart(answer)")
        if self.looked_at:
            source.line("for part in answer if answer.__class__ is list else (answer,):")
            source.line("    if part.__class__ is not str and part is not None:")
            source.line("        if raw is not None and may_hold_long_integer(raw):")
            source.line("            return carefully(document)")
            source.line("        break")
        if self.opener is not None:
            source.line(f"if {self.opener.is_too_deep}:")
            source.line("    return carefully(document)")
            source.line("if 'run' in seen:")
            source.line("    report(tree, seen)")
        source.line("return answer")

    def _take(self, units: str) -> None:
        """Write that something is about to be built, if that is counted."""
        if self.counted:
            self.source.line(f"take({units})")

    # What is declared

    def _settled(self, known: Known) -> Known:
        """Return what matters: a shape without a layer is as good as none."""
        if isinstance(known, Shape):
            return known if known in self.live else None
        if isinstance(known, _ListOf):
            elements = self._settled(known.elements)
            return None if elements is None or elements is BARE else _ListOf(elements)
        return known

    def _step(self, known: Known, step: Callable[[Shape], tuple[Shape, ...]]) -> Known:
        """Return what is declared one step further; odd if several things are."""
        if not isinstance(known, Shape):
            return BARE if known is BARE else None
        found = step(known)
        if len(found) > 1:
            raise OddError
        return self._settled(found[0]) if found else None

    def _member(self, known: Known, name: str) -> Known:
        return self._step(known, lambda shape: shape.members(name))

    def _elements(self, known: Known) -> Known:
        if isinstance(known, _ListOf):
            return known.elements

        def items(shape: Shape) -> tuple[Shape, ...]:
            if shape.prefix and any(s in self.live for s in shape.prefix):
                raise OddError
            return () if shape.items is None else (shape.items,)

        return self._step(known, items)

    def _all_members(self, known: Known) -> Known:
        def members(shape: Shape) -> tuple[Shape, ...]:
            if any(
                s in self.live for s in (*shape.names.values(), *(s for _, s in shape.patterns))
            ):
                raise OddError
            return () if shape.rest is None else (shape.rest,)

        return self._step(known, members)

    def _all_members_known(self, shape: Shape) -> bool:
        members = (*shape.names.values(), *(s for _, s in shape.patterns), shape.rest)
        return any(member in self.live for member in members)

    def _opens_to_text(self, shape: Shape) -> bool:
        """Tell whether a layer at or below a place may hold a string, or be no JSON."""
        known = self.texts.get(shape)
        if known is None:
            known = self.texts[shape] = any(
                alternative.codecs[-1] != "json" or "string" in alternative.admits
                for below, _ in walk(shape)
                for alternative in below.alternatives
            )
        return known

    # Opening

    @staticmethod
    def _opens(known: Known, around: Known) -> Shape | None:
        """Return the shape whose strings are layers, if what is read from *around* may be one."""
        # In a list that the query makes all was read before.
        if isinstance(known, Shape) and known.alternatives and isinstance(around, Shape):
            return known
        return None

    def _open(self, known: Known, value: str, around: Known, container: str, key: str) -> None:
        """Write how a value that was just read from container[key] is opened."""
        shape = self._opens(known, around)
        if shape is None:
            return
        if not has_one_inside(shape):
            raise OddError
        source = self.source
        with source.block(f"if {value}.__class__ is str:"):
            name = source.constant(shape, "shape")
            unlock = f"{value} = unlock(tree, {container}, {key}, {name}, seen)"
            assert self.opener is not None
            kinds = opened_on_the_spot(shape)
            if kinds:
                slot = f"{container}[{key}]"
                self.opener.write_parse(shape, kinds, value, slot, lambda: source.line(unlock))
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

    def _unlock(
        self, tree: Any, container: Any, key: Any, shape: Shape, seen: dict[Any, Any]
    ) -> Any:
        """Let the plan open a string, once; return what is there now."""
        assert self.plan is not None
        run = self._run(seen)
        if container.__class__ is list:
            key %= len(container)  # a place has one name
        if run.is_settled(container, key):
            return container[key]
        run.path = [*address_of(container, tree, run), key]
        container[key], _, _ = self.plan.open((shape,), container[key], len(run.path), 0, run)
        return container[key]

    def _run(self, seen: dict[Any, Any]) -> Run:
        """Return the one Run of a document, so that its budget is one."""
        known: Run | None = seen.get("run")
        if known is not None:
            return known
        run: Run = self.source.names["start"]()
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
        assert self.opener is not None
        run = self._run(seen)
        run.path = []
        self.opener.settle_in(tree, shut, run)
        shut.clear()

    def _finish(self, tree: Any, value: Any, known: Known, seen: dict[Any, Any]) -> Any:
        """Open every layer that is still shut in a value that is about to be seen whole."""
        assert self.plan is not None
        if (value.__class__ is not dict and value.__class__ is not list) or id(value) in seen:
            return value
        # The same may be in many places. It is kept, so that its id stays its own.
        seen[id(value)] = value
        if isinstance(known, Shape):
            run = self._run(seen)
            run.path = address_of(value, tree, run)
            self.plan.visit((known,), value, len(run.path), 0, run)
        elif isinstance(known, _ListOf) and value.__class__ is list:
            for element in value:
                self._finish(tree, element, known.elements, seen)
        return value

    def _finished(self, value: str, known: Known) -> str:
        """Write how every layer in a value is opened; return the expression for it."""
        known = self._settled(known)
        if known is None or known is BARE:
            return value
        if isinstance(known, Shape) and not any(c in self.live for _, c in known.children()):
            return value  # it was opened when it was read, and holds no further layer
        inside: Known = known
        while isinstance(inside, _ListOf):
            inside = inside.elements
        if not isinstance(inside, Shape) or self._opens_to_text(inside):
            return f"finish(tree, {value}, {self.source.constant(known, 'KNOWN')}, seen)"
        found = self._named(value)
        self._finish_at_once(found, known)
        self.source.line("if shut:")
        self.source.line("    rest(tree, shut, seen)")
        return found

    def _finish_at_once(self, value: str, known: Known) -> None:
        """Write how every layer in a value is opened, if none can open to a string."""
        source, opener = self.source, self.opener
        assert opener is not None
        if isinstance(known, _ListOf):
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

    # Expressions

    def _value(self, node: Node, value: str, known: Known) -> tuple[str, Known]:
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
            inside.append(self._settled(declared))
            self.source.line(f"{result} = {found}")

        self._emit(node, value, known, keep)
        return result, _one_of(inside, BARE)

    def _emit(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        """Write an expression, and *then* for its value, where that may be no null."""
        self.level += 1
        if self.level > MAX_LEVEL or self.source.level > MAX_INDENT:
            raise OddError
        write = getattr(self, f"_emit_{node['type']}", None)
        if write is None:
            raise OddError
        write(node, value, known, then)
        self.level -= 1

    def _named(self, value: str) -> str:
        """Return a variable for what may be an expression of Python."""
        if value.isidentifier():
            return value
        name = self.source.fresh("v")
        self.source.line(f"{name} = {value}")
        return name

    def _emit_identity(self, _node: Node, value: str, known: Known, then: Consumer) -> None:
        then(value, known)

    _emit_current = _emit_identity

    def _emit_literal(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        then(*self._value(node, value, known))

    def _emit_field(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        key, found = repr(node["value"]), self.source.fresh("v")
        value = self._named(value)
        declared = self._member(known, node["value"])
        with self.source.block(f"if {value}.__class__ is dict:"):
            self.source.line(f"{found} = {value}.get({key})")
            self._open(declared, found, known, value, key)
            then(found, declared)

    def _emit_index(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        index, found = node["value"], self.source.fresh("v")
        value = self._named(value)
        declared = self._elements(known)
        enough = f"len({value}) > {index}" if index >= 0 else f"len({value}) >= {-index}"
        with self.source.block(f"if {value}.__class__ is list and {enough}:"):
            self.source.line(f"{found} = {value}[{index}]")
            self._open(declared, found, known, value, str(index))
            then(found, declared)

    def _emit_slice(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        elements = self._elements(known)
        if self._opens(elements, known):
            raise OddError
        start, stop, step = ("" if part is None else str(part) for part in node["children"])
        value, found = self._named(value), self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            self.source.line(f"{found} = {value}[{start}:{stop}:{step}]")
            self._take(f"{A_LIST} + len({found})")
            then(found, _ListOf(elements))

    def _emit_subexpression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        self._chain(node["children"], value, known, then)

    _emit_index_expression = _emit_subexpression
    _emit_pipe = _emit_subexpression

    def _chain(self, nodes: list[Node], value: str, known: Known, then: Consumer) -> None:
        first, *rest = nodes
        if not rest:
            self._emit(first, value, known, then)
        elif all(_skips_null(node) for node in rest):
            self._emit(first, value, known, lambda v, k: self._chain(rest, v, k, then))
        else:
            # What follows says something of null too.
            self._chain(rest, *self._value(first, value, known), then)

    def _emit_guarded(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        focus, query = node["children"]

        def ask(found: str, declared: Known) -> None:
            found = self._named(found)
            with self.source.block(f"if {found} is not None:"):
                self._emit(query, found, declared, then)

        self._emit(focus, value, known, ask)

    def _emit_multi_select_list(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        value = self._named(value)
        with self.source.block(f"if {value} is not None:"):
            self._take(f"{A_LIST + len(node['children'])}")
            parts = [self._value(child, value, known) for child in node["children"]]
            declared = {self._settled(k) for _, k in parts}
            if len(declared) > 1:
                # Elements of several kinds: open each now, none is looked into later.
                parts = [(self._finished(v, k), None) for v, k in parts]
                declared = {None}
            found = self.source.fresh("v")
            self.source.line(f"{found} = [{', '.join(v for v, _ in parts)}]")
            then(found, _ListOf(declared.pop()))

    def _emit_multi_select_dict(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        value = self._named(value)
        with self.source.block(f"if {value} is not None:"):
            self._take(f"{AN_OBJECT + A_MEMBER * len(node['children'])}")
            members = []
            for child in node["children"]:
                part, declared = self._value(child["children"][0], value, known)
                members.append(f"{child['value']!r}: {self._finished(part, declared)}")
            found = self.source.fresh("v")
            self.source.line(f"{found} = {{{', '.join(members)}}}")
            then(found, None)

    def _emit_or_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, declared = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if not {_is_true(found)}:"):
            other, also = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
            both = {self._settled(declared), self._settled(also)} - {BARE}
            if len(both) > 1:
                # Of several kinds: what is chosen is opened now, and not looked into later.
                self.source.line(f"{found} = {self._finished(found, also)}")
        if len(both) > 1:
            with self.source.block("else:"):
                self.source.line(f"{found} = {self._finished(found, declared)}")
            both = {None}
        then(found, both.pop() if both else BARE)

    def _emit_and_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, _ = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if {_is_true(found)}:"):
            other, declared = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
        # In what is false there is nothing.
        then(found, declared)

    def _emit_not_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        one, _ = self._value(node["children"][0], value, known)
        then(f"(not {_is_true(self._named(one))})", None)

    def _emit_comparator(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        left, right = (
            self._finished(*self._value(child, value, known)) for child in node["children"]
        )
        operator = node["value"]
        # A text equals the same text only, as in Python.
        with_text = any(type(_constant(child)) is str for child in node["children"])
        same = f"({left} == {right})" if with_text else f"equals({left}, {right})"
        if operator == "eq":
            then(same, None)
        elif operator == "ne":
            then(f"(not {same})", None)
        else:
            then(f"compare({operator!r}, {left}, {right})", None)

    def _emit_function_expression(
        self, node: Node, value: str, known: Known, then: Consumer
    ) -> None:
        arguments = []
        for child in node["children"]:
            if child["type"] == "expref":
                reference = self.source.constant(child["children"][0], "reference")
                work = ", work" if self.counted else ""
                arguments.append(f"refer({reference}{work})")
            else:
                arguments.append(self._finished(*self._value(child, value, known)))
        found = self.source.fresh("v")
        called = f"call({node['value']!r}, [{', '.join(arguments)}])"
        if node["value"] == "type" and not self.counted:
            called = f"TYPES.get({arguments[0]}.__class__) or {called}"
        self.source.line(f"{found} = {called}")
        then(found, None)

    # Projections

    def _emit_projection(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        out = self.source.fresh("out")
        self.source.line(f"{out} = None")
        inside: list[Known] = []

        def begin() -> None:
            self.source.line(f"{out} = []")
            self._take(f"{A_LIST}")

        def each(found: str, declared: Known) -> None:
            inside.append(self._settled(declared))
            found = self._named(found)
            with self.source.block(f"if {found} is not None:"):
                self.source.line(f"{out}.append({found})")

        self._each(node, value, known, begin, each)
        with self.source.block(f"if {out} is not None:"):
            then(out, _ListOf(_one_of(inside, None)))

    _emit_filter_projection = _emit_projection
    _emit_value_projection = _emit_projection

    def _emit_flatten(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        # Alone, it is a projection that changes nothing but keeps null.
        raise OddError

    def _each(
        self,
        node: Node,
        value: str,
        known: Known,
        begin: Callable[[], None],
        each: Consumer,
    ) -> None:
        """
        Write a loop over the elements of a projection, null or not.

        *begin* is written where it is known that there is a list, before its elements.
        """
        kind, children = node["type"], node["children"]
        right = children[1]

        def ask(found: str, declared: Known) -> None:
            self._emit(right, found, declared, each)

        if kind == "value_projection":
            self._emit(children[0], value, known, lambda v, k: self._loop_members(v, k, begin, ask))
        elif kind == "filter_projection":

            def filtered(found: str, declared: Known) -> None:
                test, _ = self._value(children[2], found, declared)
                with self.source.block(f"if {_is_true(self._named(test))}:"):
                    ask(found, declared)

            self._emit(children[0], value, known, lambda v, k: self._loop(v, k, begin, filtered))
        elif children[0]["type"] == "flatten":
            self._each_flattened(children[0]["children"][0], value, known, begin, ask)
        else:
            self._emit(children[0], value, known, lambda v, k: self._loop(v, k, begin, ask))

    def _each_flattened(
        self, node: Node, value: str, known: Known, begin: Callable[[], None], each: Consumer
    ) -> None:
        """Write a loop over the elements of a list, those that are lists merged."""

        def merge(found: str, declared: Known) -> None:
            found, declared = self._named(found), self._settled(declared)
            inner = self._elements(declared)
            if self._opens(inner, declared):
                raise OddError
            is_list = f"{found}.__class__ is list"
            if isinstance(declared, Shape) and not _holds_none(inner):
                if self._all_members_known(declared):
                    raise OddError
                with self.source.block(f"if {found}.__class__ is dict:"):
                    self.source.line("return carefully(document)")
            if not isinstance(declared, Shape) or not _holds_none(inner):
                # All elements of a list that a query made are of one kind.
                merged = self.source.fresh("v")
                self._take(f"len({found}) if {is_list} else 1")
                with self._looping(f"for {merged} in ({found} if {is_list} else ({found},)):"):
                    each(merged, inner)
            else:
                # What is in a list here is not declared; the spec says there is none.
                with self.source.block(f"if {is_list}:"):
                    self.source.line("return carefully(document)")
                each(found, declared)

        def merge_kept(found: str, declared: Known) -> None:
            # A projection keeps no null.
            found = self._named(found)
            with self.source.block(f"if {found} is not None:"):
                merge(found, declared)

        if node["type"] in ("projection", "value_projection", "filter_projection"):
            self._each(node, value, known, begin, merge_kept)
        else:
            self._emit(node, value, known, lambda v, k: self._loop(v, k, begin, merge))

    @contextmanager
    def _looping(self, head: str) -> Iterator[None]:
        self.loops += 1
        if self.loops > MAX_LOOPS:
            raise OddError
        with self.source.block(head):
            yield
        self.loops -= 1

    def _loop(self, value: str, known: Known, begin: Callable[[], None], each: Consumer) -> None:
        known = self._settled(known)
        elements = self._elements(known)
        value = self._named(value)
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            begin()
            self._take(f"len({value})")
            if self._opens(elements, known):
                index = self.source.fresh("i")
                with self._looping(f"for {index}, {found} in enumerate({value}):"):
                    self._open(elements, found, known, value, index)
                    each(found, elements)
            else:
                with self._looping(f"for {found} in {value}:"):
                    each(found, elements)

    def _loop_members(
        self, value: str, known: Known, begin: Callable[[], None], each: Consumer
    ) -> None:
        known = self._settled(known)
        members = self._all_members(known)
        value = self._named(value)
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is dict:"):
            begin()
            self._take(f"len({value})")
            if self._opens(members, known):
                key = self.source.fresh("key")
                with self._looping(f"for {key}, {found} in list({value}.items()):"):
                    self._open(members, found, known, value, key)
                    each(found, members)
            else:
                with self._looping(f"for {found} in {value}.values():"):
                    each(found, members)


_UNCOUNTED = Work(math.inf)


def _refer(node: Node, work: Work = _UNCOUNTED) -> Any:
    """Return the argument of a function that is an expression."""
    # What it is asked for is an argument too, and open by then.
    return visitor._Expression(node, Interpreter(work))


TYPES = {
    str: "string", int: "number", float: "number", bool: "boolean",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def _constant(node: Node) -> Any:
    return node["value"] if node["type"] == "literal" else None


def _holds_none(known: Known) -> bool:
    return known is None or known is BARE


def _one_of(found: list[Known], default: Known) -> Known:
    """Return what is declared of a value that is given in several places of the code."""
    several = set(found) - {BARE}
    if len(several) > 1:
        raise OddError
    return several.pop() if several else BARE if found else default


def _is_true(value: str) -> str:
    # False are null, false, "", [] and {}; 0 is not.
    return f"({value} or {value}.__class__ in NUMBERS)"


def _skips_null(node: Node) -> bool:
    """Tell whether an expression gives null for null, without an error."""
    kind, children = node["type"], node["children"]
    if kind in ("field", "index", "slice", "identity", "current"):
        return True
    if kind in ("multi_select_list", "multi_select_dict"):
        return True
    if kind in ("projection", "value_projection", "filter_projection", "and_expression"):
        return _skips_null(children[0])
    if kind in ("flatten", "guarded"):
        return _skips_null(children[0])
    if kind in ("subexpression", "index_expression", "pipe", "or_expression"):
        return all(_skips_null(child) for child in children)
    return False
