"""Properties of syntax nodes that decide how they are written as code."""

from __future__ import annotations

import math
from typing import Any

from jmespath import visitor

from nestdecode.queries.interpreter import Interpreter, Node
from nestdecode.queries.work import Work

__all__ = ["TYPES", "computes", "constant_of", "is_true", "meets_once", "refer", "skips_null"]


def computes(node: Node) -> bool:
    """Return whether an expression compares values, or hands them to a function."""
    if node["type"] in ("comparator", "function_expression"):
        return True
    return any(computes(child) for child in node["children"] if isinstance(child, dict))


_ON_A_WAY = frozenset(
    "field index subexpression index_expression projection value_projection flatten pipe "
    "identity current guarded".split()
)


def meets_once(node: Node) -> bool:
    """Return whether an expression reads each place of a record at most once."""
    return node["type"] in _ON_A_WAY and all(map(meets_once, node["children"]))


_UNCOUNTED = Work(math.inf)


def refer(node: Node, work: Work = _UNCOUNTED) -> Any:
    """Return an expression reference: a function's argument that is an expression."""
    # It is evaluated on values from another argument, all of whose layers are open.
    return visitor._Expression(node, Interpreter(work))


TYPES: dict[type[Any], str] = {
    str: "string", int: "number", float: "number", bool: "boolean",
    list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def constant_of(node: Node) -> Any:
    """Return the value of a literal, or None for any other node."""
    return node["value"] if node["type"] == "literal" else None


def is_true(value: str) -> str:
    """Return the Python expression for whether a value is true in JMESPath's sense."""
    # null, false, "", [] and {} are false; 0 is true.
    return f"({value} or {value}.__class__ in NUMBERS)"


def skips_null(node: Node) -> bool:
    """Return whether the value of an expression is null for null, without an error."""
    kind, children = node["type"], node["children"]
    if kind in ("field", "index", "slice", "identity", "current"):
        return True
    if kind in ("multi_select_list", "multi_select_dict"):
        return True
    if kind in ("projection", "value_projection", "filter_projection", "and_expression"):
        return skips_null(children[0])
    if kind in ("flatten", "guarded"):
        return skips_null(children[0])
    if kind in ("subexpression", "index_expression", "pipe", "or_expression"):
        return all(skips_null(child) for child in children)
    return False
