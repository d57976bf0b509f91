"""
The interpreter: queries answered step by step, within the budget of ``work``.

This is the careful way. Compiled code calls the same functions, and is tested against this.
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
        work: The budget of the answer.
    """

    def __init__(self, work: Work) -> None:
        self.work = work

    def visit(self, node: Node, value: Any) -> Any:
        """Return the value of one expression for a value."""
        self.work.take(A_STEP)
        return _STEPS[node["type"]](self, node, value)

    def child(self, container: Any, key: Any) -> Any:
        """Return a member or an element."""
        return container[key]

    def finish(self, value: Any) -> Any:
        """Return a value that is about to be observed as a whole, with all layers open."""
        return value

    def elements(self, value: list[Any]) -> Iterator[Any]:
        """Yield the elements of a list."""
        self.work.take(len(value))
        for index in range(len(value)):
            yield self.child(value, index)


def _current(_interpreter: Interpreter, _node: Node, value: Any) -> Any:
    return value


def _literal(interpreter: Interpreter, node: Node, _value: Any) -> Any:
    # The syntax tree is cached and shared: its containers must not be in an answer.
    return interpreter.work.copy(node["value"])


def _field(interpreter: Interpreter, node: Node, value: Any) -> Any:
    name = node["value"]
    return interpreter.child(value, name) if isinstance(value, dict) and name in value else None


def _index(interpreter: Interpreter, node: Node, value: Any) -> Any:
    at = node["value"]
    if not isinstance(value, list) or not -len(value) <= at < len(value):
        return None
    return interpreter.child(value, at % len(value))


def _slice(interpreter: Interpreter, node: Node, value: Any) -> Any:
    if not isinstance(value, list):
        return None
    chosen = range(len(value))[slice(*node["children"])]
    interpreter.work.take(A_LIST + len(chosen))
    return [interpreter.child(value, index) for index in chosen]


def _chain(interpreter: Interpreter, node: Node, value: Any) -> Any:
    for child in node["children"]:
        value = interpreter.visit(child, value)
    return value


def _guarded(interpreter: Interpreter, node: Node, value: Any) -> Any:
    focus = interpreter.visit(node["children"][0], value)
    return None if focus is None else interpreter.visit(node["children"][1], focus)


def _projected(interpreter: Interpreter, right: Node, elements: Iterable[Any]) -> list[Any]:
    interpreter.work.take(A_LIST)
    found = (interpreter.visit(right, element) for element in elements)
    return [value for value in found if value is not None]


def _projection(interpreter: Interpreter, node: Node, value: Any) -> Any:
    base = interpreter.visit(node["children"][0], value)
    if not isinstance(base, list):
        return None
    return _projected(interpreter, node["children"][1], interpreter.elements(base))


def _value_projection(interpreter: Interpreter, node: Node, value: Any) -> Any:
    base = interpreter.visit(node["children"][0], value)
    if not isinstance(base, dict):
        return None
    interpreter.work.take(len(base))
    # A copy of the names: opening a member may remove it.
    members = (interpreter.child(base, key) for key in list(base))
    return _projected(interpreter, node["children"][1], members)


def _filter_projection(interpreter: Interpreter, node: Node, value: Any) -> Any:
    base = interpreter.visit(node["children"][0], value)
    if not isinstance(base, list):
        return None
    test = node["children"][2]
    chosen = (e for e in interpreter.elements(base) if not is_false(interpreter.visit(test, e)))
    return _projected(interpreter, node["children"][1], chosen)


def _flatten(interpreter: Interpreter, node: Node, value: Any) -> Any:
    base = interpreter.visit(node["children"][0], value)
    if not isinstance(base, list):
        return None
    interpreter.work.take(A_LIST)
    merged: list[Any] = []
    for element in interpreter.elements(base):
        if isinstance(element, list):
            merged.extend(interpreter.elements(element))
        else:
            merged.append(element)
    return merged


def _multi_select_list(interpreter: Interpreter, node: Node, value: Any) -> Any:
    if value is None:
        return None
    interpreter.work.take(A_LIST + len(node["children"]))
    return [interpreter.visit(child, value) for child in node["children"]]


def _multi_select_dict(interpreter: Interpreter, node: Node, value: Any) -> Any:
    if value is None:
        return None
    interpreter.work.take(AN_OBJECT + A_MEMBER * len(node["children"]))
    return {
        child["value"]: interpreter.visit(child["children"][0], value) for child in node["children"]
    }


def _or_expression(interpreter: Interpreter, node: Node, value: Any) -> Any:
    first = interpreter.visit(node["children"][0], value)
    return interpreter.visit(node["children"][1], value) if is_false(first) else first


def _and_expression(interpreter: Interpreter, node: Node, value: Any) -> Any:
    first = interpreter.visit(node["children"][0], value)
    return first if is_false(first) else interpreter.visit(node["children"][1], value)


def _not_expression(interpreter: Interpreter, node: Node, value: Any) -> Any:
    return is_false(interpreter.visit(node["children"][0], value))


def _comparator(interpreter: Interpreter, node: Node, value: Any) -> Any:
    left, right = (
        interpreter.finish(interpreter.visit(child, value)) for child in node["children"]
    )
    if node["value"] in ("eq", "ne"):
        return interpreter.work.equals(left, right) is (node["value"] == "eq")
    return compare(node["value"], left, right)


def _expref(interpreter: Interpreter, node: Node, _value: Any) -> Any:
    return visitor._Expression(node["children"][0], interpreter)


def _function_expression(interpreter: Interpreter, node: Node, value: Any) -> Any:
    arguments = [interpreter.finish(interpreter.visit(child, value)) for child in node["children"]]
    return interpreter.work.call(node["value"], arguments)


_STEPS: dict[str, Callable[[Interpreter, Node, Any], Any]] = {
    "and_expression": _and_expression,
    "comparator": _comparator,
    "current": _current,
    "expref": _expref,
    "field": _field,
    "filter_projection": _filter_projection,
    "flatten": _flatten,
    "function_expression": _function_expression,
    "guarded": _guarded,
    "identity": _current,
    "index": _index,
    "index_expression": _chain,
    "literal": _literal,
    "multi_select_dict": _multi_select_dict,
    "multi_select_list": _multi_select_list,
    "not_expression": _not_expression,
    "or_expression": _or_expression,
    "pipe": _chain,
    "projection": _projection,
    "slice": _slice,
    "subexpression": _chain,
    "value_projection": _value_projection,
}


def search(node: Node, tree: Any) -> Any:
    """
    Return the answer of an expression for an expanded tree.

    It may share containers with the tree, but holds each of them in one place only.
    """
    work = work_for(node)
    answer = Interpreter(work).visit(node, tree)
    return work.apart(answer) if may_share(node) else answer


def work_for(node: Node) -> Work:
    """Return the budget of an answer; without bound for a query that cannot multiply."""
    return Work() if may_multiply(node) else Work(math.inf)
