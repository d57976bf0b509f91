"""Queries as Python: steps from a value to one that it holds, one after another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import Consumer, Known, ListOf, NotWrittenError
from nestdecode.queries.nodes import skips_null
from nestdecode.queries.work import A_LIST

if TYPE_CHECKING:
    from nestdecode.queries.code import Emitter

__all__ = ["STEPS"]


def _identity(emitter: Emitter, _node: Node, value: str, known: Known, then: Consumer) -> None:
    then(value, known)


def _literal(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    then(*emitter.value(node, value, known))


def _field(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    key, found = repr(node["value"]), emitter.source.fresh("v")
    value = emitter.source.named(value)
    declared = emitter.layers.member(known, node["value"])
    with emitter.source.block(f"if {value}.__class__ is dict:"):
        emitter.source.line(f"{found} = {value}.get({key})")
        emitter.layers.open(declared, found, known, value, key)
        then(found, declared)


def _index(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    index, found = node["value"], emitter.source.fresh("v")
    value = emitter.source.named(value)
    declared = emitter.layers.elements(known)
    enough = f"len({value}) > {index}" if index >= 0 else f"len({value}) >= {-index}"
    with emitter.source.block(f"if {value}.__class__ is list and {enough}:"):
        emitter.source.line(f"{found} = {value}[{index}]")
        emitter.layers.open(declared, found, known, value, str(index))
        then(found, declared)


def _slice(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    elements = emitter.layers.elements(known)
    if emitter.layers.opens(elements, known):
        raise NotWrittenError
    start, stop, step = ("" if part is None else str(part) for part in node["children"])
    value, found = emitter.source.named(value), emitter.source.fresh("v")
    with emitter.source.block(f"if {value}.__class__ is list:"):
        emitter.source.line(f"{found} = {value}[{start}:{stop}:{step}]")
        emitter.take(f"{A_LIST} + len({found})")
        then(found, ListOf(elements))


def _subexpression(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    _chain(emitter, node["children"], value, known, then)


def _chain(emitter: Emitter, nodes: list[Node], value: str, known: Known, then: Consumer) -> None:
    first, *rest = nodes
    if not rest:
        emitter.emit(first, value, known, then)
    elif all(skips_null(node) for node in rest):
        emitter.emit(first, value, known, lambda v, k: _chain(emitter, rest, v, k, then))
    else:
        # One of the rest has a value for null, so null may not skip it.
        _chain(emitter, rest, *emitter.value(first, value, known), then)


def _guarded(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    focus, query = node["children"]

    def ask(found: str, declared: Known) -> None:
        found = emitter.source.named(found)
        with emitter.source.block(f"if {found} is not None:"):
            emitter.emit(query, found, declared, then)

    emitter.emit(focus, value, known, ask)


# The functions that write a node, by its kind.
STEPS: dict[str, Callable[[Emitter, Node, str, Known, Consumer], None]] = {
    "current": _identity,
    "field": _field,
    "guarded": _guarded,
    "identity": _identity,
    "index": _index,
    "index_expression": _subexpression,
    "literal": _literal,
    "pipe": _subexpression,
    "slice": _slice,
    "subexpression": _subexpression,
}
