"""Queries as Python: projections, which become loops inside one another."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import Consumer, Known, ListOf, one_of
from nestdecode.queries.nodes import is_true
from nestdecode.queries.work import A_LIST

if TYPE_CHECKING:
    from nestdecode.queries.code import Emitter

__all__ = ["LOOPS"]


def _projection(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    out = emitter.source.fresh("out")
    emitter.source.line(f"{out} = None")
    inside: list[Known] = []

    def begin() -> None:
        emitter.source.line(f"{out} = []")
        emitter.take(f"{A_LIST}")

    def each(found: str, declared: Known) -> None:
        inside.append(emitter.layers.settled(declared))
        found = emitter.source.named(found)
        with emitter.source.block(f"if {found} is not None:"):
            emitter.source.line(f"{out}.append({found})")

    _each(emitter, node, value, known, begin, each)
    with emitter.source.block(f"if {out} is not None:"):
        then(out, ListOf(one_of(inside, None)))


def _each(
    emitter: Emitter,
    node: Node,
    value: str,
    known: Known,
    begin: Callable[[], None],
    each: Consumer,
) -> None:
    """
    Write a loop over the elements of a projection, null included.

    Args:
        emitter: Writes the expressions in it.
        node: The projection.
        value: The variable of the value that it is evaluated on.
        known: What is known of that.
        begin: Writes what is done once, if there is a list, before its elements.
        each: Writes what is done with each element.
    """
    kind, children = node["type"], node["children"]
    right = children[1]

    def ask(found: str, declared: Known) -> None:
        emitter.emit(right, found, declared, each)

    if kind == "value_projection":
        emitter.emit(
            children[0], value, known, lambda v, k: _loop_members(emitter, v, k, begin, ask)
        )
    elif kind == "filter_projection":

        def filtered(found: str, declared: Known) -> None:
            test, _ = emitter.value(children[2], found, declared)
            with emitter.source.block(f"if {is_true(emitter.source.named(test))}:"):
                ask(found, declared)

        emitter.emit(children[0], value, known, lambda v, k: _loop(emitter, v, k, begin, filtered))
    elif children[0]["type"] == "flatten":
        _each_flattened(emitter, children[0]["children"][0], value, known, begin, ask)
    else:
        emitter.emit(children[0], value, known, lambda v, k: _loop(emitter, v, k, begin, ask))


def _each_flattened(
    emitter: Emitter,
    node: Node,
    value: str,
    known: Known,
    begin: Callable[[], None],
    each: Consumer,
) -> None:
    """Write a loop over the elements of a list, with those that are lists merged into it."""

    def merge(found: str, declared: Known) -> None:
        found, declared = emitter.source.named(found), emitter.layers.settled(declared)
        inner = emitter.layers.elements(declared)
        if not emitter.layers.merging(found, declared):
            each(found, declared)
            return
        # What is known of the elements of a list holds for all of them.
        is_list = f"{found}.__class__ is list"
        merged = emitter.source.fresh("v")
        emitter.take(f"len({found}) if {is_list} else 1")
        with emitter.looping(f"for {merged} in ({found} if {is_list} else ({found},)):"):
            each(merged, inner)

    def merge_kept(found: str, declared: Known) -> None:
        # A projection leaves null out.
        found = emitter.source.named(found)
        with emitter.source.block(f"if {found} is not None:"):
            merge(found, declared)

    if node["type"] in ("projection", "value_projection", "filter_projection"):
        _each(emitter, node, value, known, begin, merge_kept)
    else:
        emitter.emit(node, value, known, lambda v, k: _loop(emitter, v, k, begin, merge))


def _loop(
    emitter: Emitter, value: str, known: Known, begin: Callable[[], None], each: Consumer
) -> None:
    known = emitter.layers.settled(known)
    elements = emitter.layers.elements(known)
    value = emitter.source.named(value)
    found = emitter.source.fresh("v")
    with emitter.source.block(f"if {value}.__class__ is list:"):
        begin()
        emitter.take(f"len({value})")
        if emitter.layers.opens(elements, known):
            index = emitter.source.fresh("i")
            with emitter.looping(f"for {index}, {found} in enumerate({value}):"):
                emitter.layers.open(elements, found, known, value, index)
                each(found, elements)
        else:
            with emitter.looping(f"for {found} in {value}:"):
                each(found, elements)


def _loop_members(
    emitter: Emitter, value: str, known: Known, begin: Callable[[], None], each: Consumer
) -> None:
    known = emitter.layers.settled(known)
    members = emitter.layers.all_members(known)
    value = emitter.source.named(value)
    found = emitter.source.fresh("v")
    with emitter.source.block(f"if {value}.__class__ is dict:"):
        begin()
        emitter.take(f"len({value})")
        if emitter.layers.opens(members, known):
            key = emitter.source.fresh("key")
            with emitter.looping(f"for {key}, {found} in list({value}.items()):"):
                emitter.layers.open(members, found, known, value, key)
                each(found, members)
        else:
            with emitter.looping(f"for {found} in {value}.values():"):
                each(found, members)


# The functions that write a node, by its kind.
LOOPS: dict[str, Callable[[Emitter, Node, str, Known, Consumer], None]] = {
    "filter_projection": _projection,
    "projection": _projection,
    "value_projection": _projection,
}
