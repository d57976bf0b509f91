"""
Queries answered step by step: the values, the functions, and what an answer may cost.

This is the careful way. What ``code`` writes out calls the same functions, and is
tested against this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from jmespath import visitor

from nestdecode.queries.functions import compare, is_false
from nestdecode.queries.growth import may_multiply, may_share
from nestdecode.queries.work import A_LIST, A_MEMBER, A_STEP, AN_OBJECT, Work

__all__ = ["Interpreter", "Node", "search", "work_for"]

Node = dict[str, Any]


class Interpreter:
    """
    Evaluates expressions on expanded trees.

    Args:
        work: What the answer may cost.
    """

    def __init__(self, work: Work) -> None:
        self.work = work

    def visit(self, node: Node, value: Any) -> Any:
        """Evaluate one expression."""
        self.work.take(A_STEP)
        return _VISITS[node["type"]](self, node, value)

    def child(self, container: Any, key: Any) -> Any:
        """Return a member or an element."""
        return container[key]

    def finish(self, value: Any) -> Any:
        """Return a value that is about to be seen whole."""
        return value

    def elements(self, value: list[Any]) -> Iterator[Any]:
        """Go through the elements of a list."""
        self.work.take(len(value))
        for index in range(len(value)):
            yield self.child(value, index)

    # Steps

    def _current(self, _node: Node, value: Any) -> Any:
        return value

    def _literal(self, node: Node, _value: Any) -> Any:
        # The cached syntax tree is everybody's: nobody may get its containers.
        return self.work.copy(node["value"])

    def _field(self, node: Node, value: Any) -> Any:
        name = node["value"]
        return self.child(value, name) if isinstance(value, dict) and name in value else None

    def _index(self, node: Node, value: Any) -> Any:
        at = node["value"]
        if not isinstance(value, list) or not -len(value) <= at < len(value):
            return None
        return self.child(value, at % len(value))

    def _slice(self, node: Node, value: Any) -> Any:
        if not isinstance(value, list):
            return None
        chosen = range(len(value))[slice(*node["children"])]
        self.work.take(A_LIST + len(chosen))
        return [self.child(value, index) for index in chosen]

    def _chain(self, node: Node, value: Any) -> Any:
        for child in node["children"]:
            value = self.visit(child, value)
        return value

    def _guarded(self, node: Node, value: Any) -> Any:
        focus = self.visit(node["children"][0], value)
        return None if focus is None else self.visit(node["children"][1], focus)

    # Projections

    def _projected(self, right: Node, elements: Iterable[Any]) -> list[Any]:
        self.work.take(A_LIST)
        found = (self.visit(right, element) for element in elements)
        return [value for value in found if value is not None]

    def _projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return self._projected(node["children"][1], self.elements(base))

    def _value_projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, dict):
            return None
        self.work.take(len(base))
        # A copy of the keys: a member may be opened on the way.
        members = (self.child(base, key) for key in list(base))
        return self._projected(node["children"][1], members)

    def _filter_projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        test = node["children"][2]
        chosen = (e for e in self.elements(base) if not is_false(self.visit(test, e)))
        return self._projected(node["children"][1], chosen)

    def _flatten(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self.work.take(A_LIST)
        merged: list[Any] = []
        for element in self.elements(base):
            if isinstance(element, list):
                merged.extend(self.elements(element))
            else:
                merged.append(element)
        return merged

    # What is made

    def _multi_select_list(self, node: Node, value: Any) -> Any:
        if value is None:
            return None
        self.work.take(A_LIST + len(node["children"]))
        return [self.visit(child, value) for child in node["children"]]

    def _multi_select_dict(self, node: Node, value: Any) -> Any:
        if value is None:
            return None
        self.work.take(AN_OBJECT + A_MEMBER * len(node["children"]))
        return {
            child["value"]: self.visit(child["children"][0], value) for child in node["children"]
        }

    def _or_expression(self, node: Node, value: Any) -> Any:
        first = self.visit(node["children"][0], value)
        return self.visit(node["children"][1], value) if is_false(first) else first

    def _and_expression(self, node: Node, value: Any) -> Any:
        first = self.visit(node["children"][0], value)
        return first if is_false(first) else self.visit(node["children"][1], value)

    def _not_expression(self, node: Node, value: Any) -> Any:
        return is_false(self.visit(node["children"][0], value))

    def _comparator(self, node: Node, value: Any) -> Any:
        left, right = (self.finish(self.visit(child, value)) for child in node["children"])
        if node["value"] in ("eq", "ne"):
            return self.work.equals(left, right) is (node["value"] == "eq")
        return compare(node["value"], left, right)

    def _expref(self, node: Node, _value: Any) -> Any:
        return visitor._Expression(node["children"][0], self)

    def _function_expression(self, node: Node, value: Any) -> Any:
        arguments = [self.finish(self.visit(child, value)) for child in node["children"]]
        return self.work.call(node["value"], arguments)


_VISITS: dict[str, Callable[[Any, Node, Any], Any]] = {
    "and_expression": Interpreter._and_expression,
    "comparator": Interpreter._comparator,
    "current": Interpreter._current,
    "expref": Interpreter._expref,
    "field": Interpreter._field,
    "filter_projection": Interpreter._filter_projection,
    "flatten": Interpreter._flatten,
    "function_expression": Interpreter._function_expression,
    "guarded": Interpreter._guarded,
    "identity": Interpreter._current,
    "index": Interpreter._index,
    "index_expression": Interpreter._chain,
    "literal": Interpreter._literal,
    "multi_select_dict": Interpreter._multi_select_dict,
    "multi_select_list": Interpreter._multi_select_list,
    "not_expression": Interpreter._not_expression,
    "or_expression": Interpreter._or_expression,
    "pipe": Interpreter._chain,
    "projection": Interpreter._projection,
    "slice": Interpreter._slice,
    "subexpression": Interpreter._chain,
    "value_projection": Interpreter._value_projection,
}


def search(node: Node, tree: Any) -> Any:
    """Evaluate an expression on an expanded tree; the answer has each container once."""
    work = work_for(node)
    answer = Interpreter(work).visit(node, tree)
    return work.apart(answer) if may_share(node) else answer


def work_for(node: Node) -> Work:
    """Return what counts the work on a query, if that can be much."""
    return Work() if may_multiply(node) else Work(math.inf)
