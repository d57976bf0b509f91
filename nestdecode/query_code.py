"""
Queries as Python functions: JMESPath's semantics, layers opened on access.

A null skips what is left of an expression, projections become nested loops, and nothing
is built that is not asked for. What is declared is carried through the expression, so
that only declared places are tested for strings, and an answer is expanded only if a
layer can lie in it. A layer that does not open at once is handed to the plan, with its
address looked up by identity in the tree: that is rare, and the way there costs nothing.

``OddError`` says that an expression, or what a spec says of the places it passes, is
not written out here: then the document is expanded, and the expression is asked on that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

from nestdecode.emit import Source
from nestdecode.errors import DecodeError
from nestdecode.jsontext import INEXACT, Number, Reader
from nestdecode.plan import (
    CLOSERS,
    OPENERS,
    CrowdedError,
    Plan,
    Run,
    address_of,
    can_be_late,
    has_one_inside,
    opened_on_the_spot,
    write_fast_read,
)
from nestdecode.spec import Shape
from nestdecode.spec.shape import live_shapes

__all__ = ["Hooks", "OddError", "source_of"]

Node = dict[str, Any]
Consumer = Callable[[str, "Known"], None]
MAX_LEVEL = 60
MAX_INDENT = 80
MAX_LOOPS = 16


class OddError(Exception):
    """Not written out: expand first, then ask."""


@dataclass(frozen=True, slots=True)
class _ListOf:
    """A list that a query makes."""

    elements: Known


# What may be declared of a value: one of several shapes; None is "no layer below".
Known = tuple[Shape | _ListOf | None, ...]
DEAD: Known = (None,)
# Of an empty list or a number nothing need be known, whatever else a value may be.
NOTHING: Known = ()


@dataclass(frozen=True, slots=True)
class Hooks:
    """
    What generated code calls.

    Attributes:
        call: Applies a function: (name, arguments).
        expression: Makes the argument of ``&``, from its syntax tree.
        copy: Copies a literal.
        equals: Compares two values.
        compare: Orders two values: (operator, left, right) to true, false or null.
    """

    call: Callable[[str, list[Any]], Any]
    expression: Callable[[Node], Any]
    copy: Callable[[Any], Any]
    equals: Callable[[Any, Any], bool]
    compare: Callable[[str, Any, Any], bool | None]


@dataclass(frozen=True, slots=True)
class Late:
    """
    How layers are opened on access.

    Attributes:
        plan: What opens them.
        reader: Reads records and what their layers hold.
        start: Makes the Run of a record that needs one.
        carefully: Answers for a document that this can't.
        read: Reads any document, its layers shut. None for what the fast parser reads:
            all else is answered carefully.
    """

    plan: Plan
    reader: Reader
    start: Callable[[], Run]
    carefully: Callable[[Any], Any]
    read: Callable[[Any], Any] | None


def source_of(node: Node, hooks: Hooks, late: Late | None = None) -> Source:
    """
    Return the source of ``answer``.

    With *late* it takes a document, and opens layers as they are seen; without, it takes
    a tree that is expanded.

    Raises:
        OddError: If the query is not for this; then ask the expanded document.
    """
    if late is None:
        emitter = _Emitter(hooks, None)
        with emitter.source.block("def answer(tree):"):
            emitter.body(node, DEAD)
        return emitter.source
    if not can_be_late(late.plan, late.reader.limits):
        raise OddError
    emitter = _Emitter(hooks, late.plan)
    source = emitter.source
    source.names |= late.reader.checks
    source.names |= {"start": late.start, "carefully": late.carefully, "read": late.read}
    emitter.on_the_spot = late.read is None
    with source.block("def answer(document):"):
        if late.read is not None:
            source.line("tree = read(document)")
            with source.block("try:"):
                emitter.body(node, (late.plan.shape,))
            with source.block("except CrowdedError:"):
                source.line("return carefully(document)")
        else:
            source.line("read = loads")
            write_fast_read(source, late.reader, if_deep="return carefully(document)")
            if late.reader.plain and not _computes(node):
                # A wrong integer could be seen in the answer alone, so that is looked at.
                source.names |= INEXACT
                emitter.looked_at = True
            with source.block("try:"):
                emitter.body(node, (late.plan.shape,))
            with source.block("except CrowdedError:"):
                source.line("return carefully(document)")
    return source


def _computes(node: Node) -> bool:
    """Tell whether an expression compares values, or hands them to a function."""
    if node["type"] in ("comparator", "function_expression"):
        return True
    return any(_computes(child) for child in node["children"] if isinstance(child, dict))


class _Emitter:
    def __init__(self, hooks: Hooks, plan: Plan | None) -> None:
        self.source = Source()
        self.hooks = hooks
        self.plan = plan
        self.live = live_shapes(plan.shape) if plan is not None else set()
        self.level = self.loops = 0
        self.on_the_spot = True
        self.looked_at = False
        self.source.names |= {
            "call": hooks.call,
            "copy": hooks.copy,
            "equals": hooks.equals,
            "compare": hooks.compare,
            "unlock": self._unlock,
            "finish": self._finish,
            "tell": self._tell,
            "CrowdedError": CrowdedError,
            "NUMBERS": frozenset({int, float, Number}),
        }

    def body(self, node: Node, known: Known) -> None:
        """Write the function's body, for a variable named tree."""
        if any(isinstance(k, Shape) and k.alternatives for k in known):
            raise OddError
        source = self.source
        if self.plan is None:
            result, inside = self._value(node, "tree", DEAD)
            source.line(f"return {self._finished(result, inside)}")
            return
        # A place that stays shut is told of once, however often it is passed.
        source.line("seen = {}")
        result, inside = self._value(node, "tree", self._settled(known))
        source.line(f"answer = {self._finished(result, inside)}")
        if self.looked_at:
            source.line("for part in answer if answer.__class__ is list else (answer,):")
            source.line("    if part.__class__ is not str and part is not None:")
            source.line("        if may_hold_long_integer(document):")
            source.line("            return carefully(document)")
            source.line("        break")
        source.line("if seen:")
        source.line("    tell(seen)")
        source.line("return answer")

    # What is declared

    def _settled(self, known: Known) -> Known:
        """Drop what does not matter: shapes without a layer are as good as none."""
        kept: list[Shape | _ListOf | None] = []
        for shape in known:
            if isinstance(shape, Shape):
                kept.append(shape if shape in self.live else None)
            elif isinstance(shape, _ListOf):
                elements = self._settled(shape.elements)
                kept.append(None if _is_dead(elements) else _ListOf(elements))
            else:
                kept.append(None)
        return tuple(dict.fromkeys(kept))

    def _step(self, known: Known, step: Callable[[Shape], tuple[Shape, ...]]) -> Known:
        """Return what is declared one step further; odd if that depends on the origin."""
        ways = set()
        for shape in known:
            if isinstance(shape, Shape):
                found: Known = step(shape)
                if len(found) > 1:
                    raise OddError
                ways.add(self._settled(found or DEAD))
            else:
                ways.add(DEAD)
        if len(ways) > 1:
            raise OddError
        return ways.pop() if ways else NOTHING

    def _member(self, known: Known, name: str) -> Known:
        return self._step(known, lambda shape: shape.members(name))

    def _elements(self, known: Known) -> Known:
        lists = [shape for shape in known if isinstance(shape, _ListOf)]
        if lists:
            if len(known) > 1:
                raise OddError
            return lists[0].elements

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

    def _opens(self, known: Known) -> Shape | None:
        """Return the shape whose strings are layers, if a value may be one."""
        shapes = [shape for shape in known if isinstance(shape, Shape) and shape.alternatives]
        if not shapes:
            return None
        if len(known) > 1:
            raise OddError
        return shapes[0]

    # Opening

    def _open(self, known: Known, value: str, container: str, key: str) -> None:
        """Write how a value that was just read from container[key] is opened."""
        shape = self._opens(known)
        if shape is None:
            return
        if not has_one_inside(shape):
            raise OddError
        source = self.source
        with source.block(f"if {value}.__class__ is str:"):
            name = source.constant(shape, "shape")
            unlock = f"{value} = unlock(tree, {container}, {key}, {name}, seen)"
            kinds = opened_on_the_spot(shape) if self.on_the_spot else []
            if not kinds:
                source.line(unlock)
                return
            new = source.fresh("new")
            guard = ""
            if shape.plain is True:
                opener = source.constant(OPENERS, "OPENERS")
                closer = source.constant(CLOSERS, "CLOSERS")
                guard = f"if {value}[:1] in {opener} and {value}[-1:] in {closer}:"
            with source.block(guard) if guard else nullcontext():
                source.line("try:")
                source.line(f"    {new} = loads({value})")
                source.line("except REFUSED:")
                source.line(f"    {new} = None")
                test = " or ".join(f"{new}.__class__ is {kind}" for kind in kinds)
                with source.block(f"if {test}:"):
                    source.line(f"{container}[{key}] = {value} = {new}")
                head = "else:"
                if shape.plain and shape.plain is not True:
                    head = f"elif {value} not in {source.constant(shape.plain, 'PLAIN')}:"
                with source.block(head):
                    source.line(unlock)

    def _unlock(
        self, tree: Any, container: Any, key: Any, shape: Shape, seen: dict[Any, Any]
    ) -> Any:
        """Let the plan open a string, once; return what is there now."""
        assert self.plan is not None
        if (id(container), key) in seen:
            return container[key]
        seen[id(container), key] = True
        run = self._run(seen)
        run.path = [*address_of(container, tree, run), key]
        container[key] = self.plan.open(shape, container[key], len(run.path), run)
        return container[key]

    def _run(self, seen: dict[Any, Any]) -> Run:
        """Return the one Run of a document, so that its budget is one."""
        run: Run | None = seen.get("run")
        if run is None:
            run = seen["run"] = self.source.names["start"]()
            seen["report"] = run.report
            # Told when the answer is there, and each place once, however often it is passed.
            problems: dict[str, DecodeError] = {}
            seen["problems"] = problems
            run.report = lambda problem: problems.setdefault(problem.pointer, problem) and None
        return run

    def _tell(self, seen: dict[Any, Any]) -> None:
        for problem in seen["problems"].values():
            seen["report"](problem)

    def _finish(self, tree: Any, value: Any, known: Known, seen: dict[Any, Any]) -> Any:
        """Open every layer that is still shut in a value that is about to be seen whole."""
        assert self.plan is not None
        (shape,) = known
        if isinstance(shape, _ListOf):
            if type(value) is list:
                value[:] = [self._finish(tree, element, shape.elements, seen) for element in value]
        elif shape is not None and (type(value) is dict or type(value) is list):
            run = self._run(seen)
            run.path = address_of(value, tree, run)
            self.plan.visit(shape, value, len(run.path), 0, run)
        return value

    def _finished(self, value: str, known: Known) -> str:
        """Return the expression for a value in which every layer is open."""
        known = self._settled(known)
        if _is_dead(known):
            return value
        if len(known) > 1:
            raise OddError
        (shape,) = known
        if isinstance(shape, Shape) and not any(c in self.live for _, c in shape.children()):
            return value  # it was opened when it was read, and holds no further layer
        return f"finish(tree, {value}, {self.source.constant(known, 'KNOWN')}, seen)"

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
                return f"copy({name})", DEAD if constant else NOTHING
            return name, DEAD if isinstance(constant, str) else NOTHING
        result = self.source.fresh("r")
        self.source.line(f"{result} = None")
        inside: list[Known] = []

        def keep(found: str, declared: Known) -> None:
            inside.append(self._settled(declared))
            self.source.line(f"{result} = {found}")

        self._emit(node, value, known, keep)
        if len(set(inside)) > 1:
            raise OddError
        return result, inside[0] if inside else NOTHING

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

    def _emit_identity(self, _node: Node, value: str, known: Known, then: Consumer) -> None:
        then(value, known)

    _emit_current = _emit_identity

    def _emit_literal(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        then(*self._value(node, value, known))

    def _emit_field(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        key, found = repr(node["value"]), self.source.fresh("v")
        declared = self._member(known, node["value"])
        with self.source.block(f"if {value}.__class__ is dict:"):
            self.source.line(f"{found} = {value}.get({key})")
            self._open(declared, found, value, key)
            then(found, declared)

    def _emit_index(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        index, found = node["value"], self.source.fresh("v")
        declared = self._elements(known)
        enough = f"len({value}) > {index}" if index >= 0 else f"len({value}) >= {-index}"
        with self.source.block(f"if {value}.__class__ is list and {enough}:"):
            self.source.line(f"{found} = {value}[{index}]")
            self._open(declared, found, value, str(index))
            then(found, declared)

    def _emit_slice(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        elements = self._elements(known)
        if self._opens(elements):
            raise OddError
        start, stop, step = ("" if part is None else str(part) for part in node["children"])
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            self.source.line(f"{found} = {value}[{start}:{stop}:{step}]")
            then(found, (_ListOf(elements),))

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
            with self.source.block(f"if {found} is not None:"):
                self._emit(query, found, declared, then)

        self._emit(focus, value, known, ask)

    def _emit_multi_select_list(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        with self.source.block(f"if {value} is not None:"):
            parts = [self._value(child, value, known) for child in node["children"]]
            declared = {self._settled(k) for _, k in parts}
            if len(declared) > 1:
                # Elements of several kinds: open each now, none is looked into later.
                parts = [(self._finished(v, k), DEAD) for v, k in parts]
                declared = {DEAD}
            found = self.source.fresh("v")
            self.source.line(f"{found} = [{', '.join(v for v, _ in parts)}]")
            then(found, (_ListOf(declared.pop()),))

    def _emit_multi_select_dict(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        with self.source.block(f"if {value} is not None:"):
            members = []
            for child in node["children"]:
                part, declared = self._value(child["children"][0], value, known)
                members.append(f"{child['value']!r}: {self._finished(part, declared)}")
            found = self.source.fresh("v")
            self.source.line(f"{found} = {{{', '.join(members)}}}")
            then(found, DEAD)

    def _emit_or_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, declared = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if not {_is_true(found)}:"):
            other, also = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
        then(found, tuple(dict.fromkeys((*declared, *also))))

    def _emit_and_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        found = self.source.fresh("v")
        one, declared = self._value(node["children"][0], value, known)
        self.source.line(f"{found} = {one}")
        with self.source.block(f"if {_is_true(found)}:"):
            other, also = self._value(node["children"][1], value, known)
            self.source.line(f"{found} = {other}")
        then(found, tuple(dict.fromkeys((*declared, *also))))

    def _emit_not_expression(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        one, _ = self._value(node["children"][0], value, known)
        then(f"(not {_is_true(one)})", DEAD)

    def _emit_comparator(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        left, right = (
            self._finished(*self._value(child, value, known)) for child in node["children"]
        )
        operator = node["value"]
        if operator == "eq":
            then(f"equals({left}, {right})", DEAD)
        elif operator == "ne":
            then(f"(not equals({left}, {right}))", DEAD)
        else:
            then(f"compare({operator!r}, {left}, {right})", DEAD)

    def _emit_function_expression(
        self, node: Node, value: str, known: Known, then: Consumer
    ) -> None:
        arguments = []
        for child in node["children"]:
            if child["type"] == "expref":
                reference = self.hooks.expression(child["children"][0])
                arguments.append(self.source.constant(reference, "reference"))
            else:
                arguments.append(self._finished(*self._value(child, value, known)))
        found = self.source.fresh("v")
        self.source.line(f"{found} = call({node['value']!r}, [{', '.join(arguments)}])")
        then(found, DEAD)

    # Projections

    def _emit_projection(self, node: Node, value: str, known: Known, then: Consumer) -> None:
        out = self.source.fresh("out")
        self.source.line(f"{out} = None")
        inside: list[Known] = []

        def each(found: str, declared: Known) -> None:
            inside.append(self._settled(declared))
            if not found.isidentifier():
                name = self.source.fresh("v")
                self.source.line(f"{name} = {found}")
                found = name
            with self.source.block(f"if {found} is not None:"):
                self.source.line(f"{out}.append({found})")

        self._each(node, value, known, lambda: self.source.line(f"{out} = []"), each)
        if len(set(inside)) > 1:
            raise OddError
        with self.source.block(f"if {out} is not None:"):
            then(out, (_ListOf(inside[0] if inside else DEAD),))

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
                with self.source.block(f"if {_is_true(test)}:"):
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
            declared = self._settled(declared)
            if not found.isidentifier() or len(declared) > 1:
                raise OddError
            only = declared[0] if declared else None
            inner = DEAD if only is None else self._elements(declared)
            if self._opens(inner):
                raise OddError
            merged = self.source.fresh("v")
            is_list = f"{found}.__class__ is list"
            if only is None or isinstance(only, _ListOf):
                # All elements of a list that a query made are of one kind.
                with self._looping(f"for {merged} in ({found} if {is_list} else ({found},)):"):
                    each(merged, inner)
                return
            below = self._all_members_known(only)
            if below and not _is_dead(inner):
                raise OddError
            if not _is_dead(inner):
                with self.source.block(f"if {found}.__class__ is dict:"):
                    self.source.line("return carefully(document)")
                with self._looping(f"for {merged} in ({found} if {is_list} else ({found},)):"):
                    each(merged, inner)
            else:
                # What is in a list here is not declared; the spec says there is none.
                with self.source.block(f"if {is_list}:"):
                    self.source.line("return carefully(document)")
                each(found, declared)

        def merge_kept(found: str, declared: Known) -> None:
            # A projection keeps no null.
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
        elements = self._elements(self._settled(known))
        if not value.isidentifier():
            name = self.source.fresh("v")
            self.source.line(f"{name} = {value}")
            value = name
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is list:"):
            begin()
            if self._opens(elements):
                index = self.source.fresh("i")
                with self._looping(f"for {index}, {found} in enumerate({value}):"):
                    self._open(elements, found, value, index)
                    each(found, elements)
            else:
                with self._looping(f"for {found} in {value}:"):
                    each(found, elements)

    def _loop_members(
        self, value: str, known: Known, begin: Callable[[], None], each: Consumer
    ) -> None:
        members = self._all_members(self._settled(known))
        if not value.isidentifier():
            raise OddError
        found = self.source.fresh("v")
        with self.source.block(f"if {value}.__class__ is dict:"):
            begin()
            if self._opens(members):
                key = self.source.fresh("key")
                with self._looping(f"for {key}, {found} in list({value}.items()):"):
                    self._open(members, found, value, key)
                    each(found, members)
            else:
                with self._looping(f"for {found} in {value}.values():"):
                    each(found, members)


def _is_dead(known: Known) -> bool:
    return all(shape is None for shape in known)


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
