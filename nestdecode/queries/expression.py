"""
Queries: JMESPath over expanded trees, with a spec's focus and named queries.

The grammar is that of jmespath.py, by its own parser. Evaluation follows the JMESPath
specification where jmespath.py departs from it or raises an error of Python:

======================================  ===========================================
expression                              here
======================================  ===========================================
``'x' < `1` ``, ``[?a < b]`` mixed      null, as for every pair that has no order
``to_number('1_000')``, ``' 1'``, nan   null: the text of a JSON number or nothing
``contains('abc', `1`)``                QueryError, not TypeError
sums that no double holds               QueryError, not infinity
sums of more than 4,300 digits          QueryError
``[::0]``                               QueryError, when it is compiled
unknown function, wrong number of       QueryError, when it is compiled
arguments
``&a`` that is not an argument          QueryError, when it is compiled
``[true] == [1]``                       false: true is not a number, at any depth
======================================  ===========================================

One departure of jmespath.py is kept: two strings are compared by ``<``, because time stamps
are filtered in that way.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Set
from dataclasses import dataclass
from typing import Any

from jmespath import exceptions

from nestdecode.errors import QueryError, SpecError
from nestdecode.paths import join_pointer
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import Run
from nestdecode.queries import compiled, interpreter
from nestdecode.queries.focus import Start, declares, graft, leading, start_of
from nestdecode.queries.functions import REFUSALS, UnansweredError, type_name
from nestdecode.queries.interpreter import Node
from nestdecode.queries.late import search_late
from nestdecode.queries.layers import Late, NotWrittenError
from nestdecode.queries.parsing import offences, offset_of, parsed
from nestdecode.queries.work import Work
from nestdecode.spec import Spec, catalog
from nestdecode.text.joined import Together
from nestdecode.text.reader import Reader
from nestdecode.words import nearest

__all__ = ["Expression", "apart", "compile_expression", "lender", "lint", "may_lend"]

# Warnings of a spec that suggest a name.
MOST_HINTS = 10


@dataclass(frozen=True, slots=True)
class Expression:
    """
    A query that is ready to be asked. Immutable and thread-safe.

    Attributes:
        text: The query as it was given.
        start: Where it starts.
        node: Its syntax tree, composed with the focus; read only.
        search: From an expanded tree to the answer. The answer may share containers with
            the tree, but holds each of them in one place only. Raises ``functions.REFUSALS``,
            which ``refusal`` turns into a QueryError.
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
        Return a function from a document to the answer that opens only the layers it sees.

        None if this query, or a query over this plan, is not compiled in that way.

        Args:
            plan: Opens layers.
            reader: Reads records and the texts of layers.
            begin: Makes the Run of a record that needs one.
            carefully: Answers for any document.
            copied: Copies a document that was parsed before: (tree, its depth).
        """
        late = Late(plan, reader, begin, carefully, copied)
        try:
            answer: Callable[[Any], Any] = compiled.source_of(self.node, late).build(
                "answer", "query"
            )
        except NotWrittenError:
            return None
        return answer

    def late_many(
        self,
        plan: Plan,
        reader: Reader,
        begin: Callable[[], Run],
        copied: Callable[[Any], tuple[Any, int]],
    ) -> Together | None:
        """
        Return what answers for several records at once, as ``late`` does for one.

        It returns None for a batch in which a layer that is seen stays shut. The arguments
        are those of ``late``. The result is None where that of ``late`` is, for layers in
        other codecs than json, and if the reader is not ``plain``.
        """
        try:
            source = compiled.source_of_many(self.node, plan, reader, begin, copied)
        except NotWrittenError:
            return None
        return Together(source.build("answer_many", "query"))

    def walk(self, tree: Any, plan: Plan, run: Run) -> Any:
        """
        Return the answer for a record, step by step, and open the layers that it sees.

        Args:
            tree: The record with its layers shut; they are opened in place.
            plan: Opens layers.
            run: The state of the record. Of the layers that stay shut, only those that the
                query sees are reported to it.
        """
        return search_late(self.node, tree, plan, run)

    def refusal(self, error: Exception) -> QueryError:
        """Return the QueryError for an error of ``search``; it holds no value of a document."""
        name: str | None = None
        if isinstance(error, exceptions.JMESPathTypeError):
            wanted = [type_name(name) for name in error.expected_types]
            name = error.function_name
            got = type_name(error.actual_type)
            reason = f"{name}() wants {' or '.join(map(str, wanted))}, got {got}"
        elif isinstance(error, UnansweredError):
            reason, name = error.args
        else:
            reason = "nested too deep"
        return QueryError(reason, self.text, offset_of(name, self.text))


def _expression(text: str, start: Start, node: Node) -> Expression:
    try:
        search = compiled.source_of(node).build("answer", "query")
    except (NotWrittenError, RecursionError):
        search = functools.partial(interpreter.search, node)
    return Expression(text, start, node, search)


def apart(answer: Any) -> Any:
    """Return a copy of an answer that shares no container with it."""
    return Work().apart(answer)


def compile_expression(
    text: str,
    spec: Spec | None = None,
    *,
    start: Start | None = None,
    default: Start = "root",
) -> Expression:
    """
    Return a query, compiled.

    Args:
        text: JMESPath, or ``:name`` for a named query of the spec.
        spec: The spec whose focus and named queries apply; None without one.
        start: Where the query starts; None to let its names decide.
        default: Where it starts if its names do not decide.

    Raises:
        QueryError: If it is not JMESPath, if no document can answer it, or if its names are
            declared in part at the root and in part at the focus.
    """
    try:
        return _compiled(text, spec, start, default)
    except RecursionError:
        pass
    raise QueryError("nested too deep", text)


def _compiled(text: str, spec: Spec | None, start: Start | None, default: Start) -> Expression:
    if text.startswith(":"):
        return _named(text, spec)
    node = parsed(text)
    for offender, reason in offences(node):
        raise QueryError(reason, text, offset_of(offender, text))
    focus = None if spec is None else spec.focus
    if start is None:
        start = default if spec is None or focus is None else start_of(text, node, spec, default)
    if start == "root":
        return _expression(text, "root", node)
    if focus is None:
        if spec is None:
            raise QueryError("no focus: wanted a spec that has one", text)
        return _expression(text, "focus", node)
    return _expression(text, "focus", graft(parsed(focus), node))


def _named(text: str, spec: Spec | None) -> Expression:
    name = text[1:]
    if not name:
        raise QueryError("wanted the name of a query after the colon", text)
    if spec is None or name not in spec.queries:
        raise QueryError(_unnamed(name, spec), text)
    expression = compile_expression(spec.queries[name], start="root")
    return Expression(text, "root", expression.node, expression.search)


def _unnamed(name: str, spec: Spec | None) -> str:
    """Say what is wrong with the name of a query that a spec does not have."""
    others = " or ".join(_with_query().get(name, ()))
    if spec is None:
        return f"a named query needs a spec{f': {others} has this one' if others else ''}"
    known = [f":{known}" for known in spec.queries]
    hint = nearest(f":{name}", known) or (f"; {others} has it" if others else "")
    hint = hint or (f"; known are: {', '.join(known)}" if known else "; this spec has none")
    return f"unknown query ':{name}'{hint}"


@functools.cache
def _with_query() -> dict[str, list[str]]:
    """Return the names of specs by the names of their queries."""
    found: dict[str, list[str]] = {}
    for name in catalog.names():
        with contextlib.suppress(SpecError):  # a broken spec of another package
            for query in Spec.load(name).queries:
                found.setdefault(query, []).append(name)
    return found


def lint(spec: Spec) -> list[SpecError]:
    """Return warnings about a spec's own expressions, each at its place."""
    from nestdecode.spec.lint import document_key  # late: only the linter needs it

    warnings = []
    written = {join_pointer(["queries", name]): text for name, text in spec.queries.items()}
    for key, text in (("/focus", spec.focus), ("/match", spec.match)):
        written |= {key: text} if text is not None else {}
    root = (spec.shape,)
    for key, text in written.items():
        place = document_key(spec, key[1:])
        try:
            node = compile_expression(text, start="root").node
        except QueryError as error:
            warnings.append(spec.written.error(f"{error.reason}: {text}", place))
            continue
        unknown = [n for n in dict.fromkeys(leading(node)) if not declares(root, n)]
        if unknown and spec.shape.names and key != "/match":
            # Of many, the first have one: each is as much work as there are names.
            near = unknown[:1] if len(warnings) < MOST_HINTS else []
            hints = "".join(nearest(name, spec.shape.names) for name in near)
            reason = f"nothing is declared under {', '.join(unknown)}{hints}"
            warnings.append(spec.written.error(reason, place))
    return warnings


@functools.cache
def _lenders() -> tuple[tuple[Spec, Expression, frozenset[str]], ...]:
    specs = [Spec.load(name) for name in catalog.shipped()]
    matches = [(s, compile_expression(s.match)) for s in specs if s.match is not None]
    return tuple((spec, match, _needed(match.node)) for spec, match in matches)


def may_lend(record: Any) -> bool:
    """
    Return whether a shipped spec may match a record, by the names of its members.

    Args:
        record: A tree; its layers may be open.
    """
    names = _names(record)
    return any(needed <= names for _, _, needed in _lenders())


def _names(record: Any) -> Set[str]:
    return record.keys() if type(record) is dict else frozenset()


def lender(record: Any) -> Spec | None:
    """
    Return the one shipped spec whose ``match`` holds for a record, or None.

    Args:
        record: A tree whose layers are shut.
    """
    names = _names(record)
    found = []
    for spec, match, needed in _lenders():
        try:
            if needed <= names and match.search(record) is True:
                found.append(spec)
        except REFUSALS:
            continue  # a match that refuses the record does not hold for it
    return found[0] if len(found) == 1 else None


def _needed(node: Node) -> frozenset[str]:
    """Return names of members without which an expression is not true for a record."""
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
    """Return names of members without which an expression is null for a record."""
    if node["type"] in ("subexpression", "index_expression", "pipe"):
        return _looked_up(node["children"][0])
    return frozenset({node["value"]}) if node["type"] == "field" else frozenset()
