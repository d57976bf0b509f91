"""
Queries as Python functions: JMESPath's semantics, layers opened on access.

A null skips what is left of an expression, projections become nested loops, and nothing
is built that is not asked for. How layers are opened on the way is written by ``layers``.

``OddError`` says that an expression, or what a spec says of the places it passes, is
not written out here: then it is answered in another way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from nestdecode.plan.source import Source
from nestdecode.queries import functions
from nestdecode.queries.growth import may_multiply, may_share
from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import BARE, Known, Layers, ListOf, OddError, one_of
from nestdecode.queries.nodes import (
    TYPES,
    constant_of,
    is_true,
    refer,
    skips_null,
)
from nestdecode.queries.work import A_LIST, A_MEMBER, AN_OBJECT, Work
from nestdecode.text.number import Number

__all__ = ["Emitter"]

Consumer = Callable[[str, "Known"], None]
MAX_LEVEL = 60
MAX_INDENT = 80
MAX_LOOPS = 16


def _at_once(node: Node, arguments: list[str], called: str) -> str:
    """Return what does the same as a call, without one in the usual case."""
    name, subject = node["value"], arguments[0] if arguments else ""
    if name == "type":
        return f"TYPES.get({subject}.__class__) or {called}"
    if name == "keys":
        return f"list({subject}) if {subject}.__class__ is dict else {called}"
    if name == "contains" and isinstance(constant_of(node["children"][1]), str):
        is_one = f"{subject}.__class__ is list or {subject}.__class__ is str"
        return f"({arguments[1]} in {subject}) if {is_one} else {called}"
    return called


class Emitter:
    """
    Writes an expression.

    Args:
        node: It; how it is written depends on all of it.

    Attributes:
        source: Where it is written.
        layers: Writes how layers are opened.
        looked_at: Whether it is looked for integers in the answer that may be wrong.
    """

    def __init__(self, node: Node) -> None:
        self.source: Source = Source()
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
        result, inside = self._value(node, "tree", self.layers.settled(self.layers.root))
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

    def _take(self, units: str) -> None:
        """Write that something is about to be built, if that is counted."""
        if self.counted:
            self.source.line(f"take({units})")

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
            inside.append(self.layers.settled(declared))
            self.source.line(f"{result} = {found}")

        self._emit(node, value, known, keep)
        return result, one_of(inside, BARE)

    def _emit(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        """Write an expression, and *then* for its value, where that may be no null."""
        self.level += 1
        self.layers.level = self.level
        if self.level > MAX_LEVEL or self.source.level > MAX_INDENT:
            raise OddError
        write = getattr(self, f"_emit_{node['type']}", None)
        if write is None:
            # A flatten alone, too: a projection that changes nothing but keeps null.
            raise OddError
        write(node, value, known, then)
        self.level -= 1

    def _emit_identity(self, _node: Node, value: str, known: Known, then: Consumer) -> None:
        then(value, known)

    _emit_current = _emit_identity

    def _emit_literal(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        then(*self._value(node, value, known))

    def _emit_field(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        key, found = repr(node["value"]), self.source.fresh("v")
        value = self.source.named(value)
        declared = self.layers.member(known, node["value"])
        with self.source.block(f"if {value}.__class__ is dict:"):
            self.source.line(f"{found} = {value}.get({key})")
            self.layers.open(declared, found, known, value, key)
            then(found, declared)

    def _emit_index(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        index, found = node["value"], self.source.fresh("v")
        value = self.source.named(value)
        declared = self.layers.elements(known)
        enough = f"len({value}) > {index}" if index >= 0 else f"len({value}) >= {-index}"
        with self.source.block(f"if {value}.__class__ is list and {enough}:"):
            self.source.line(f"{found} = {value}[{index}]")
            self.layers.open(declared, found, known, value, str(index))
            then(found, declared)

    def _emit_slice(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        elements = self.layers.elements(known)
        if self.layers.opens(elements, known):
            raise OddError
        start, stop, step = ("" if part is None else str(part) for part in node["children"])
        value, found = self.source.named(value), self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            self.source.line(f"{found} = {value}[{start}:{stop}:{step}]")
            self._take(f"{A_LIST} + len({found})")
            then(found, ListOf(elements))

    def _emit_subexpression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        self._chain(node["children"], value, known, then)

    _emit_index_expression = _emit_subexpression
    _emit_pipe = _emit_subexpression

    def _chain(self, nodes: list[Node], value: str, known: Known, then: Consumer) -> None:
        first, *rest = nodes
        if not rest:
            self._emit(first, value, known, then)
        elif all(skips_null(node) for node in rest):
            self._emit(first, value, known, lambda v, k: self._chain(rest, v, k, then))
        else:
            # What follows says something of null too.
            self._chain(rest, *self._value(first, value, known), then)

    def _emit_guarded(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        focus, query = node["children"]

        def ask(found: str, declared: Known) -> None:
            found = self.source.named(found)
            with self.source.block(f"if {found} is not None:"):
                self._emit(query, found, declared, then)

        self._emit(focus, value, known, ask)

    def _emit_multi_select_list(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        value = self.source.named(value)
        with self.source.block(f"if {value} is not None:"):
            self._take(f"{A_LIST + len(node['children'])}")
            parts = [self._value(child, value, known) for child in node["children"]]
            declared = {self.layers.settled(k) for _, k in parts}
            if len(declared) > 1:
                # Elements of several kinds: open each now, none is looked into later.
                parts = [(self.layers.finished(v, k), None) for v, k in parts]
                declared = {None}
            found = self.source.fresh("v")
            self.source.line(f"{found} = [{', '.join(v for v, _ in parts)}]")
            then(found, ListOf(declared.pop()))

    def _emit_multi_select_dict(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        value = self.source.named(value)
        with self.source.block(f"if {value} is not None:"):
            self._take(f"{AN_OBJECT + A_MEMBER * len(node['children'])}")
            members = []
            for child in node["children"]:
                part, declared = self._value(child["children"][0], value, known)
                members.append(f"{child['value']!r}: {self.layers.finished(part, declared)}")
            found = self.source.fresh("v")
            self.source.line(f"{found} = {{{', '.join(members)}}}")
            then(found, None)

    def _emit_or_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, declared = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if not {is_true(found)}:"):
            other, also = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
            both = {self.layers.settled(declared), self.layers.settled(also)} - {BARE}
            if len(both) > 1:
                # Of several kinds: what is chosen is opened now, and not looked into later.
                self.source.line(f"{found} = {self.layers.finished(found, also)}")
        if len(both) > 1:
            with self.source.block("else:"):
                self.source.line(f"{found} = {self.layers.finished(found, declared)}")
            both = {None}
        then(found, both.pop() if both else BARE)

    def _emit_and_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, _ = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if {is_true(found)}:"):
            other, declared = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
        # In what is false there is nothing.
        then(found, declared)

    def _emit_not_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        one, _ = self._value(node["children"][0], value, known)
        then(f"(not {is_true(self.source.named(one))})", None)

    def _emit_comparator(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        left, right = (
            self.layers.finished(*self._value(child, value, known)) for child in node["children"]
        )
        operator = node["value"]
        # A text equals the same text only, as in Python.
        with_text = any(type(constant_of(child)) is str for child in node["children"])
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
                arguments.append(self.layers.finished(*self._value(child, value, known)))
        found = self.source.fresh("v")
        called = f"call({node['value']!r}, [{', '.join(arguments)}])"
        if not self.counted:
            called = _at_once(node, arguments, called)
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
            inside.append(self.layers.settled(declared))
            found = self.source.named(found)
            with self.source.block(f"if {found} is not None:"):
                self.source.line(f"{out}.append({found})")

        self._each(node, value, known, begin, each)
        with self.source.block(f"if {out} is not None:"):
            then(out, ListOf(one_of(inside, None)))

    _emit_filter_projection = _emit_projection
    _emit_value_projection = _emit_projection

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
                with self.source.block(f"if {is_true(self.source.named(test))}:"):
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
            found, declared = self.source.named(found), self.layers.settled(declared)
            inner = self.layers.elements(declared)
            if not self.layers.merging(found, declared):
                each(found, declared)
                return
            # All elements of a list that a query made are of one kind.
            is_list = f"{found}.__class__ is list"
            merged = self.source.fresh("v")
            self._take(f"len({found}) if {is_list} else 1")
            with self.looping(f"for {merged} in ({found} if {is_list} else ({found},)):"):
                each(merged, inner)

        def merge_kept(found: str, declared: Known) -> None:
            # A projection keeps no null.
            found = self.source.named(found)
            with self.source.block(f"if {found} is not None:"):
                merge(found, declared)

        if node["type"] in ("projection", "value_projection", "filter_projection"):
            self._each(node, value, known, begin, merge_kept)
        else:
            self._emit(node, value, known, lambda v, k: self._loop(v, k, begin, merge))

    @contextmanager
    def looping(self, head: str) -> Iterator[None]:
        """Write the head of a loop, and indent what follows."""
        self.loops += 1
        if self.loops > MAX_LOOPS:
            raise OddError
        with self.source.block(head):
            yield
        self.loops -= 1

    def _loop(self, value: str, known: Known, begin: Callable[[], None], each: Consumer) -> None:
        known = self.layers.settled(known)
        elements = self.layers.elements(known)
        value = self.source.named(value)
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            begin()
            self._take(f"len({value})")
            if self.layers.opens(elements, known):
                index = self.source.fresh("i")
                with self.looping(f"for {index}, {found} in enumerate({value}):"):
                    self.layers.open(elements, found, known, value, index)
                    each(found, elements)
            else:
                with self.looping(f"for {found} in {value}:"):
                    each(found, elements)

    def _loop_members(
        self, value: str, known: Known, begin: Callable[[], None], each: Consumer
    ) -> None:
        known = self.layers.settled(known)
        members = self.layers.all_members(known)
        value = self.source.named(value)
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is dict:"):
            begin()
            self._take(f"len({value})")
            if self.layers.opens(members, known):
                key = self.source.fresh("key")
                with self.looping(f"for {key}, {found} in list({value}.items()):"):
                    self.layers.open(members, found, known, value, key)
                    each(found, members)
            else:
                with self.looping(f"for {found} in {value}.values():"):
                    each(found, members)
