"""
JMESPath over expanded trees: the focus, where a query starts, named queries.

The grammar is jmespath.py's own parser. Its evaluator is used with these changes,
all of them the specification's word where jmespath.py has another or lets a Python
error out:

======================================  ===========================================
expression                              here
======================================  ===========================================
``'x' < `1` ``, ``[?a < b]`` mixed      null, as for every pair that has no order
``to_number('1_000')``, ``' 1'``, nan   null: the text of a JSON number or nothing
``contains('abc', `1`)``                QueryError, no TypeError
sums that no double holds               QueryError, no infinity
``[::0]``                               QueryError, when it is compiled
unknown function, wrong number of       QueryError, when it is compiled
arguments
``&a`` that is no argument              QueryError, when it is compiled
``[true] == [1]``                       false: true is no number, at any depth
======================================  ===========================================

One departure is kept: strings compare with ``<`` among themselves, as in jmespath.py,
because everybody filters time stamps that way.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Callable, Iterator, Set
from dataclasses import dataclass
from typing import Any, Literal

from jmespath import exceptions, functions, parser

from nestdecode.errors import QueryError
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import Run
from nestdecode.queries import code, interpreter
from nestdecode.queries.interpreter import REFUSALS, Node
from nestdecode.spec import Shape, Spec
from nestdecode.text.reader import Reader
from nestdecode.words import nearest

__all__ = [
    "REFUSALS",
    "STARTS",
    "Expression",
    "Start",
    "apart",
    "compile_expression",
    "lender",
    "lint",
    "may_lend",
]

MAX_LENGTH = 64 << 10

Start = Literal["root", "focus"]
STARTS: tuple[Start, ...] = ("root", "focus")


@dataclass(frozen=True, slots=True)
class Expression:
    """
    A query, ready to be asked. Immutable, and safe to share between threads.

    Attributes:
        text: The query as it was given.
        start: Where it starts.
        node: Its syntax tree, composed with the focus; read only.
        search: Function from an expanded tree to the answer, which may share containers
            with the tree, but has each in one place. It raises what ``refusal`` turns
            into a QueryError.
    """

    text: str
    start: Start
    node: Node
    search: Callable[[Any], Any]

    def late(
        self,
        plan: Plan,
        reader: Reader,
        begin: Callable[[], Run],
        carefully: Callable[[Any], Any],
        copied: Callable[[Any], tuple[Any, int]],
    ) -> Callable[[Any], Any] | None:
        """
        Return a function from a document to the answer that opens layers as it meets them.

        None if this query or this plan is not for that.

        Args:
            plan: What opens layers.
            reader: Reads records and what their layers hold.
            begin: Makes the Run of a record that needs one.
            carefully: Answers for any document.
            copied: Copies a document that was parsed before.
        """
        late = code.Late(plan, reader, begin, carefully, copied)
        try:
            answer: Callable[[Any], Any] = code.source_of(self.node, late).build("answer", "query")
        except code.OddError:
            return None
        return answer

    def walk(self, tree: Any, plan: Plan, run: Run) -> Any:
        """
        Answer for a record whose layers are shut, and open what is seen, step by step.

        Reports in *run* what stays shut of what was seen, and nothing else.
        """
        return interpreter.search_late(self.node, tree, plan, run)

    def refusal(self, error: Exception) -> QueryError:
        """Return the QueryError for what ``search`` raised, without data."""
        name: str | None = None
        if isinstance(error, exceptions.JMESPathTypeError):
            wanted = [interpreter.type_name(name) for name in error.expected_types]
            name = error.function_name
            got = interpreter.type_name(error.actual_type)
            reason = f"{name}() wants {' or '.join(map(str, wanted))}, got {got}"
        elif isinstance(error, interpreter.RefusedError):
            reason, name = error.args
        else:
            reason = "nested too deep"
        return QueryError(reason, self.text, _offset_of(name, self.text))


def _expression(text: str, start: Start, node: Node) -> Expression:
    try:
        search = code.source_of(node).build("answer", "query")
    except (code.OddError, RecursionError):
        search = functools.partial(interpreter.search, node)
    return Expression(text, start, node, search)


def apart(answer: Any) -> Any:
    """Copy an answer, its containers each in one place."""
    return interpreter.Work().apart(answer)


def compile_expression(
    text: str,
    spec: Spec | None = None,
    *,
    start: Start | None = None,
    default: Start = "root",
) -> Expression:
    """
    Compile a query.

    Args:
        text: JMESPath, or ``:name`` for a named query of the spec.
        spec: Whose focus and names count, or None.
        start: Where the query starts, if its names are not to decide.
        default: Where it starts if its names do not decide.

    Raises:
        QueryError: If it is not JMESPath, or asks what no document can answer.
    """
    try:
        return _compiled(text, spec, start, default)
    except RecursionError:
        pass
    raise QueryError("nested too deep", text)


def _compiled(text: str, spec: Spec | None, start: Start | None, default: Start) -> Expression:
    if text.startswith(":"):
        return _named(text, spec)
    node = _parse(text)
    for offender, reason in _offences(node):
        raise QueryError(reason, text, _offset_of(offender, text))
    focus = None if spec is None else spec.focus
    if start is None:
        start = default if spec is None or focus is None else _start(text, node, spec, default)
    if start == "root":
        return _expression(text, "root", node)
    if focus is None:
        if spec is None:
            raise QueryError("no focus: there is no spec that has one", text)
        return _expression(text, "focus", node)
    return _expression(text, "focus", _graft(_parse(focus), node))


def _named(text: str, spec: Spec | None) -> Expression:
    name = text[1:]
    if spec is None:
        raise QueryError("named queries come with a spec, and there is none", text)
    if name not in spec.queries:
        known = ", ".join(f":{known}" for known in spec.queries) or "none"
        hint = nearest(name, spec.queries) or f"; known are: {known}"
        raise QueryError(f"unknown query {text!r}{hint}", text)
    expression = compile_expression(spec.queries[name], start="root")
    return Expression(text, "root", expression.node, expression.search)


def _parse(text: str) -> Node:
    if len(text) > MAX_LENGTH:
        raise QueryError(f"longer than {MAX_LENGTH} characters", f"{text[:60]}...")
    offset: int | None = None
    try:
        # The parser caches its trees: they are read, and never changed, from here on.
        parsed: Node = parser.Parser().parse(text).parsed
        return parsed
    except exceptions.EmptyExpressionError:
        reason = "empty expression"
    except exceptions.LexerError as error:
        reason, offset = "unexpected character", error.lexer_position
        if "Unclosed" in error.message or "Unknown token" not in error.message:
            reason = error.message[:1].lower() + error.message[1:].split(":")[0]
    except exceptions.IncompleteExpressionError:
        reason, offset = "incomplete expression", len(text)
    except exceptions.ParseError as error:
        reason, offset = f"unexpected {error.token_value!r}", error.lex_position
    except (exceptions.JMESPathError, ValueError):
        reason = "not JMESPath"
    except RecursionError:
        reason = "nested too deep"
    if offset is not None:
        offset = max(0, min(offset, len(text)))
    raise QueryError(reason, text, offset)


def _offset_of(name: str | None, text: str) -> int | None:
    """Find where a function is called; the syntax tree does not tell."""
    if not name:
        return None
    found = [m.start() for m in re.finditer(rf"(?<!\w){re.escape(name)}(?=\s*\()", text)]
    # One of several calls, or a string that looks like one: say nothing.
    return found[0] if len(found) == 1 else None


def _offences(node: Node, parent: str = "") -> Iterator[tuple[str | None, str]]:
    """Find what no document can make right: (function or None, reason)."""
    kind = node["type"]
    if kind == "function_expression":
        name = node["value"]
        known = functions.Functions.FUNCTION_TABLE.get(name)
        if known is None:
            hint = nearest(name, functions.Functions.FUNCTION_TABLE)
            yield name, f"unknown function {name}(){hint}"
            return
        signature, given = known["signature"], len(node["children"])
        variadic = bool(signature) and signature[-1].get("variadic", False)
        if given < len(signature) or (given > len(signature) and not variadic):
            least = "at least " if variadic else ""
            plural = "" if len(signature) == 1 else "s"
            yield (
                name,
                f"{name}() takes {least}{len(signature)} argument{plural}, got {given}",
            )
        for index, child in enumerate(node["children"]):
            # Of the wrong type; where any type will do, jmespath.py lets it into the answer.
            wanted = signature[min(index, len(signature) - 1)]["types"] if signature else ["none"]
            if child["type"] == "expref" and not wanted:
                yield name, f"{name}() takes no expression reference as argument {index + 1}"
    elif kind == "literal" and not _is_finite(node["value"]):
        yield None, "NaN and Infinity are not JSON"
    elif kind == "slice" and node["children"][2] == 0:
        yield None, "a slice has no step of 0"
    elif kind == "expref" and parent != "function_expression":
        yield None, "an expression reference is an argument of a function, nothing else"
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from _offences(child, kind)


def _is_finite(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


# The focus


def _graft(focus: Node, query: Node) -> Node:
    """
    Compose a query with a focus, so that its own ``[]`` and ``|`` work across foci.

    All nodes on the way are new; the parser's cached ones stay as they are.
    """
    kind, children = query["type"], query["children"]
    if kind == "pipe":
        return {**query, "children": [_graft(focus, children[0]), *children[1:]]}
    if kind == "projection" and children[0]["type"] == "flatten":
        flatten = children[0]
        inner = {**flatten, "children": [_graft(focus, flatten["children"][0])]}
        return {**query, "children": [inner, children[1]]}
    return _hang(focus, query)


def _hang(focus: Node, query: Node) -> Node:
    """Put a query at the end of a focus's right side, not evaluated where that is null."""
    kind, children = focus["type"], focus["children"]
    if kind in ("projection", "value_projection", "filter_projection", "pipe"):
        return {
            **focus,
            "children": [children[0], _hang(children[1], query), *children[2:]],
        }
    if kind == "subexpression":
        # The parser writes a.b[*].c as a, and a projection of b behind it.
        return {**focus, "children": [*children[:-1], _hang(children[-1], query)]}
    return {"type": "guarded", "children": [focus, query]}


# Where a query starts


def _start(text: str, node: Node, spec: Spec, default: Start) -> Start:
    root = (spec.shape,)
    focus = _end(_parse(spec.focus or "@"), root)
    at_root, at_focus = [], []
    for name in dict.fromkeys(_leading(node)):
        in_root, in_focus = _declares(root, name), _declares(focus, name)
        if in_root and not in_focus:
            at_root.append(name)
        elif in_focus and not in_root:
            at_focus.append(name)
    if at_root and at_focus:
        raise QueryError(
            f"{at_root[0]} starts at the root, {at_focus[0]} at the focus: say which "
            "(--root, --focus), or ask twice",
            text,
        )
    return "root" if at_root else "focus" if at_focus else default


def _leading(node: Node) -> Iterator[str]:
    """Go through the names that an expression looks up in what it starts with."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in ("subexpression", "index_expression", "pipe"):
        for child in children:
            yield from _leading(child)
            if child["type"] not in ("current", "identity"):
                break
    elif kind in ("projection", "value_projection", "filter_projection", "flatten"):
        yield from _leading(children[0])
    elif kind not in ("expref", "literal", "index", "slice"):
        for child in children:
            yield from _leading(child)


@dataclass(frozen=True)
class _ListOf:
    """A list that a query makes, of things whose shapes are known."""

    elements: tuple[_Known, ...]


_Known = Shape | _ListOf


def _declares(known: tuple[_Known, ...], name: str) -> bool:
    return any(
        isinstance(shape, Shape)
        and (name in shape.names or any(p.search(name) for p, _ in shape.patterns))
        for shape in known
    )


def _elements(known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    found: list[_Known] = []
    for shape in known:
        if isinstance(shape, _ListOf):
            found += shape.elements
        else:
            found += [e for e in (*shape.prefix, shape.items) if e is not None]
    return tuple(dict.fromkeys(found))


def _end(focus: Node, known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    """Return the shapes of the single foci: what lies at the end of the right side."""
    kind, children = focus["type"], focus["children"]
    if kind == "pipe":
        return _end(children[1], _after(children[0], known))
    if kind in ("projection", "filter_projection"):
        return _end(children[1], _elements(_after(children[0], known)))
    if kind == "value_projection":
        return _end(children[1], _members(_after(children[0], known)))
    if kind == "subexpression":
        for child in children[:-1]:
            known = _after(child, known)
        return _end(children[-1], known)
    return _after(focus, known)


def _members(known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    found: list[_Known] = []
    for shape in known:
        if isinstance(shape, Shape):
            found += [*shape.names.values(), *(s for _, s in shape.patterns)]
            found += [shape.rest] if shape.rest is not None else []
    return tuple(dict.fromkeys(found))


def _after(node: Node, known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    """Return the shapes of what an expression gives for values of known shapes."""
    kind, children = node["type"], node["children"]
    if kind in ("current", "identity"):
        return known
    if kind == "field":
        name = node["value"]
        found = [m for s in known if isinstance(s, Shape) for m in s.members(name)]
        return tuple(dict.fromkeys(found))
    if kind in ("subexpression", "pipe", "index_expression"):
        for child in children:
            known = _after(child, known)
        return known
    if kind == "index":
        return _elements(known)
    if kind == "slice":
        return (_ListOf(_elements(known)),)
    if kind in ("projection", "filter_projection", "value_projection"):
        return (_ListOf(_end(node, known)),)
    if kind == "flatten":
        elements = _elements(_after(children[0], known))
        return (_ListOf(tuple(dict.fromkeys((*elements, *_elements(elements))))),)
    if kind in ("or_expression", "and_expression"):
        both = (*_after(children[0], known), *_after(children[1], known))
        return tuple(dict.fromkeys(both))
    if kind == "multi_select_list":
        return (_ListOf(tuple(s for child in children for s in _after(child, known))),)
    return ()


def lint(spec: Spec) -> list[str]:
    """Return warnings about a spec's own expressions, each one line."""
    warnings = []
    written = {f"/queries/{name}": text for name, text in spec.queries.items()}
    for key, text in (("/focus", spec.focus), ("/match", spec.match)):
        written |= {key: text} if text is not None else {}
    root = (spec.shape,)
    for key, text in written.items():
        try:
            node = compile_expression(text, start="root").node
        except QueryError as error:
            warnings.append(f"{error.reason}: {text} - at {key}")
            continue
        unknown = [n for n in dict.fromkeys(_leading(node)) if not _declares(root, n)]
        if unknown and spec.shape.names and key != "/match":
            warnings.append(f"nothing is declared under {', '.join(unknown)} - at {key}")
    return warnings


# Shipped specs, lent by their match


@functools.cache
def _lenders() -> tuple[tuple[Spec, Expression, frozenset[str]], ...]:
    from nestdecode.spec import catalog

    specs = [Spec.load(name) for name in catalog.shipped()]
    matches = [(s, compile_expression(s.match)) for s in specs if s.match is not None]
    return tuple((spec, match, _needed(match.node)) for spec, match in matches)


def may_lend(record: Any) -> bool:
    """Tell whether a shipped spec may match a record, by its members: layers may be open."""
    names = _names(record)
    return any(needed <= names for _, _, needed in _lenders())


def _names(record: Any) -> Set[str]:
    return record.keys() if type(record) is dict else frozenset()


def lender(record: Any) -> Spec | None:
    """
    Return the one shipped spec whose ``match`` holds for a record, or None.

    Args:
        record: A tree whose layers are still closed.
    """
    names = _names(record)
    found = []
    for spec, match, needed in _lenders():
        try:
            if needed <= names and match.search(record) is True:
                found.append(spec)
        except REFUSALS:
            continue  # a function that refuses the record does not match it
    return found[0] if len(found) == 1 else None


def _needed(node: Node) -> frozenset[str]:
    """Return members that a record must have if an expression is to be true for it."""
    kind, children = node["type"], node["children"]
    if kind == "and_expression":
        return _needed(children[0]) | _needed(children[1])
    if kind == "or_expression":
        return _needed(children[0]) & _needed(children[1])
    if kind == "comparator" and node["value"] == "eq":
        for value, other in (children, children[::-1]):
            if other["type"] != "literal" or other["value"] in (None, "null"):
                continue
            if value["type"] == "function_expression" and value["value"] == "type":
                (value,) = value["children"]
            return _looked_up(value)
    return _looked_up(node)


def _looked_up(node: Node) -> frozenset[str]:
    """Return members without which an expression is null."""
    if node["type"] in ("subexpression", "index_expression", "pipe"):
        return _looked_up(node["children"][0])
    return frozenset({node["value"]}) if node["type"] == "field" else frozenset()
