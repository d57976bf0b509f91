"""
Whether an answer may outgrow its document, by the syntax tree of the query.

The answer of most expressions is not larger than the document. A few put a part of it in two
places, join texts, or go through lists that are written in the query. The work on these is
counted while they are answered.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

__all__ = ["may_multiply", "may_share"]

Node = dict[str, Any]


class _Origin(NamedTuple):
    """
    A part of a value from which the containers of an expression's answer come.

    Attributes:
        path: Steps to it: the containers are at or below this place.
        whole: Whether the answer is the value at this place itself.
    """

    path: tuple[str | int, ...]
    whole: bool


ANYWHERE = (_Origin((), False),)
# Parts of one expression; more are ANYWHERE.
MOST_PARTS = 64
# Functions whose answers are neither arrays nor objects.
_SCALAR = frozenset(
    {"abs", "avg", "ceil", "contains", "ends_with", "floor", "join", "length", "starts_with"}
    | {"sum", "to_number", "to_string", "type"}
)
_MAKE_TEXT = frozenset({"join", "to_string"})


def may_share(node: Node) -> bool:
    """Return whether an answer may have one container in two places."""
    kind, children = node["type"], _children(node)
    several = kind in ("multi_select_list", "multi_select_dict") or (
        kind == "function_expression" and node["value"] == "merge"
    )
    return (several and _overlap(children)) or any(map(may_share, children))


def may_multiply(node: Node) -> bool:
    """Return whether an answer, or the time that it takes, may outgrow the document."""
    return may_share(node) or _repeats(node)


def _repeats(node: Node) -> bool:
    """Return whether an expression makes texts, or uses arrays or objects written in it."""
    kind, children = node["type"], _children(node)
    is_call = kind == "function_expression"
    if is_call and node["value"] in _MAKE_TEXT:
        return True
    looked_at = kind == "comparator" or (is_call and node["value"] in _SCALAR)
    return (not looked_at and any(map(_is_filled, children))) or any(map(_repeats, children))


def _children(node: Node) -> list[Node]:
    return [child for child in node["children"] if isinstance(child, dict)]


def _is_filled(node: Node) -> bool:
    return (
        node["type"] == "literal"
        and isinstance(node["value"], (list, dict))
        and len(node["value"]) > 0
    )


def _overlap(nodes: list[Node]) -> bool:
    """Return whether two expressions may give one container, or a container and a part of it."""
    ends: set[tuple[str | int, ...]] = set()
    above: set[tuple[str | int, ...]] = set()
    for node in nodes:
        paths = {part.path for part in _parts(node)}
        for path in paths:
            if path in above or any(path[:end] in ends for end in range(len(path) + 1)):
                return True
        ends |= paths
        above |= {path[:end] for path in paths for end in range(len(path) + 1)}
    return False


def _parts(node: Node) -> tuple[_Origin, ...]:
    kind, children = node["type"], _children(node)
    if kind in ("current", "identity"):
        return (_Origin((), True),)
    if kind == "field" or (kind == "index" and node["value"] >= 0):
        return (_Origin((node["value"],), True),)
    if kind in ("literal", "comparator", "not_expression", "expref"):
        return ()
    if kind in ("subexpression", "index_expression", "pipe", "guarded"):
        return _chained(children)
    if kind in ("projection", "value_projection", "filter_projection", "flatten"):
        return _below(_parts(children[0]))
    if kind == "function_expression":
        if node["value"] in _SCALAR:
            return ()
        return _few(part for child in children for part in _below(_parts(child)))
    if kind in ("or_expression", "and_expression"):
        return _few(part for child in children for part in _parts(child))
    if kind in ("multi_select_list", "multi_select_dict", "key_val_pair"):
        return _few(part for child in children for part in _below(_parts(child)))
    return ANYWHERE  # an index from the end, or a slice, may be any element


def _chained(nodes: list[Node]) -> tuple[_Origin, ...]:
    parts = _parts(nodes[0])
    for node in nodes[1:]:
        then = _parts(node)
        parts = _few(
            _Origin(part.path + step.path, step.whole) if part.whole else part
            for part in parts
            for step in then
        )
    return parts


def _below(parts: tuple[_Origin, ...]) -> tuple[_Origin, ...]:
    return tuple(_Origin(part.path, False) for part in parts)


def _few(parts: Iterable[_Origin]) -> tuple[_Origin, ...]:
    """Return the different parts; ANYWHERE if there are too many."""
    found: dict[_Origin, None] = {}
    for part in parts:
        found[part] = None
        if len(found) > MOST_PARTS:
            return ANYWHERE
    return tuple(found)
