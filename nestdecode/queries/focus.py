"""Where a query starts, and its composition with the focus, on syntax trees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from nestdecode.errors import QueryError
from nestdecode.queries.interpreter import Node
from nestdecode.queries.parsing import parsed
from nestdecode.spec import Shape, Spec

__all__ = ["STARTS", "Start", "declares", "graft", "leading", "start_of"]

Start = Literal["root", "focus"]
STARTS: tuple[Start, ...] = ("root", "focus")


def graft(focus: Node, query: Node) -> Node:
    """
    Return a query composed with a focus, so that the query's ``[]`` and ``|`` work across foci.

    The nodes that differ are new. The parser's cached nodes are not changed.
    """
    kind, children = query["type"], query["children"]
    if kind == "pipe":
        return {**query, "children": [graft(focus, children[0]), *children[1:]]}
    if kind == "projection" and children[0]["type"] == "flatten":
        flatten = children[0]
        inner = {**flatten, "children": [graft(focus, flatten["children"][0])]}
        return {**query, "children": [inner, children[1]]}
    return hang(focus, query)


def hang(focus: Node, query: Node) -> Node:
    """
    Return a focus with a query at the end of its right side.

    The query is not evaluated where the focus is null.
    """
    kind, children = focus["type"], focus["children"]
    if kind in ("projection", "value_projection", "filter_projection", "pipe"):
        return {
            **focus,
            "children": [children[0], hang(children[1], query), *children[2:]],
        }
    if kind == "subexpression":
        # The parser writes a.b[*].c as a, and a projection of b behind it.
        return {**focus, "children": [*children[:-1], hang(children[-1], query)]}
    return {"type": "guarded", "children": [focus, query]}


def start_of(text: str, node: Node, spec: Spec, default: Start) -> Start:
    """
    Return where a query starts, by its leading names.

    At the root if some of them are declared at the root alone and none at the focus alone;
    at the focus if it is the other way round; else at the default.

    Args:
        text: The query, for the error.
        node: Its syntax tree.
        spec: Declares names at the root and at the focus.
        default: Where it starts if its names do not decide.

    Raises:
        QueryError: If some names are declared at the root alone, and some at the focus alone.
    """
    root = (spec.shape,)
    focus = end_of(parsed(spec.focus or "@"), root)
    at_root, at_focus = [], []
    for name in dict.fromkeys(leading(node)):
        in_root, in_focus = declares(root, name), declares(focus, name)
        if in_root and not in_focus:
            at_root.append(name)
        elif in_focus and not in_root:
            at_focus.append(name)
    if at_root and at_focus:
        raise QueryError(
            f"{at_root[0]} is declared at the root, {at_focus[0]} at the focus: "
            "choose one (--root or --focus), or write two queries",
            text,
        )
    return "root" if at_root else "focus" if at_focus else default


def leading(node: Node) -> Iterator[str]:
    """Yield the names that an expression looks up in the value that it is evaluated on."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in ("subexpression", "index_expression", "pipe"):
        for child in children:
            yield from leading(child)
            if child["type"] not in ("current", "identity"):
                break
    elif kind in ("projection", "value_projection", "filter_projection", "flatten"):
        yield from leading(children[0])
    elif kind not in ("expref", "literal", "index", "slice"):
        for child in children:
            yield from leading(child)


@dataclass(frozen=True)
class _ShapedList:
    """A list that a query makes, with the shapes that its elements may have."""

    elements: tuple[_Known, ...]


_Known = Shape | _ShapedList


def declares(known: tuple[_Known, ...], name: str) -> bool:
    """Return whether one of several shapes declares a member, by name or by pattern."""
    return any(
        isinstance(shape, Shape)
        and (name in shape.names or any(p.search(name) for p, _ in shape.patterns))
        for shape in known
    )


def _elements(known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    found: list[_Known] = []
    for shape in known:
        if isinstance(shape, _ShapedList):
            found += shape.elements
        else:
            found += [e for e in (*shape.prefix, shape.items) if e is not None]
    return tuple(dict.fromkeys(found))


def end_of(focus: Node, known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    """Return the shapes that a single focus may have: those at the end of the right side."""
    kind, children = focus["type"], focus["children"]
    if kind == "pipe":
        return end_of(children[1], after(children[0], known))
    if kind in ("projection", "filter_projection"):
        return end_of(children[1], _elements(after(children[0], known)))
    if kind == "value_projection":
        return end_of(children[1], _members(after(children[0], known)))
    if kind == "subexpression":
        for child in children[:-1]:
            known = after(child, known)
        return end_of(children[-1], known)
    return after(focus, known)


def _members(known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    found: list[_Known] = []
    for shape in known:
        if isinstance(shape, Shape):
            found += [*shape.names.values(), *(s for _, s in shape.patterns)]
            found += [shape.rest] if shape.rest is not None else []
    return tuple(dict.fromkeys(found))


def after(node: Node, known: tuple[_Known, ...]) -> tuple[_Known, ...]:
    """Return the shapes that the value of an expression may have, for values of some shapes."""
    kind, children = node["type"], node["children"]
    if kind in ("current", "identity"):
        return known
    if kind == "field":
        name = node["value"]
        found = [m for s in known if isinstance(s, Shape) for m in s.members(name)]
        return tuple(dict.fromkeys(found))
    if kind in ("subexpression", "pipe", "index_expression"):
        for child in children:
            known = after(child, known)
        return known
    if kind == "index":
        return _elements(known)
    if kind == "slice":
        return (_ShapedList(_elements(known)),)
    if kind in ("projection", "filter_projection", "value_projection"):
        return (_ShapedList(end_of(node, known)),)
    if kind == "flatten":
        elements = _elements(after(children[0], known))
        return (_ShapedList(tuple(dict.fromkeys((*elements, *_elements(elements))))),)
    if kind in ("or_expression", "and_expression"):
        both = (*after(children[0], known), *after(children[1], known))
        return tuple(dict.fromkeys(both))
    if kind == "multi_select_list":
        return (_ShapedList(tuple(s for child in children for s in after(child, known))),)
    return ()
