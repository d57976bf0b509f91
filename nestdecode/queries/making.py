"""Queries as Python: expressions that make a value: lists, objects, comparisons, functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import BARE, Consumer, Known, ListOf
from nestdecode.queries.nodes import constant_of, is_true
from nestdecode.queries.work import A_LIST, A_MEMBER, AN_OBJECT

if TYPE_CHECKING:
    from nestdecode.queries.code import Emitter

__all__ = ["MAKING"]


def _multi_select_list(
    emitter: Emitter, node: Node, value: str, known: Known, then: Consumer
) -> None:
    value = emitter.source.named(value)
    with emitter.source.block(f"if {value} is not None:"):
        emitter.take(f"{A_LIST + len(node['children'])}")
        parts = [emitter.value(child, value, known) for child in node["children"]]
        declared = {emitter.layers.settled(k) for _, k in parts}
        if len(declared) > 1:
            # Different things are known of them: each is opened now, and holds none later.
            parts = [(emitter.layers.finished(v, k), None) for v, k in parts]
            declared = {None}
        found = emitter.source.fresh("v")
        emitter.source.line(f"{found} = [{', '.join(v for v, _ in parts)}]")
        then(found, ListOf(declared.pop()))


def _multi_select_dict(
    emitter: Emitter, node: Node, value: str, known: Known, then: Consumer
) -> None:
    value = emitter.source.named(value)
    with emitter.source.block(f"if {value} is not None:"):
        emitter.take(f"{AN_OBJECT + A_MEMBER * len(node['children'])}")
        members = []
        for child in node["children"]:
            part, declared = emitter.value(child["children"][0], value, known)
            members.append(f"{child['value']!r}: {emitter.layers.finished(part, declared)}")
        found = emitter.source.fresh("v")
        emitter.source.line(f"{found} = {{{', '.join(members)}}}")
        then(found, None)


def _or_expression(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    found = emitter.source.fresh("v")
    one, declared = emitter.value(node["children"][0], value, known)
    emitter.source.line(f"{found} = {one}")
    with emitter.source.block(f"if not {is_true(found)}:"):
        other, also = emitter.value(node["children"][1], value, known)
        emitter.source.line(f"{found} = {other}")
        both = {emitter.layers.settled(declared), emitter.layers.settled(also)} - {BARE}
        if len(both) > 1:
            # Different things are known of both: the chosen one is opened now.
            emitter.source.line(f"{found} = {emitter.layers.finished(found, also)}")
    if len(both) > 1:
        with emitter.source.block("else:"):
            emitter.source.line(f"{found} = {emitter.layers.finished(found, declared)}")
        both = {None}
    then(found, both.pop() if both else BARE)


def _and_expression(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    found = emitter.source.fresh("v")
    one, _ = emitter.value(node["children"][0], value, known)
    emitter.source.line(f"{found} = {one}")
    with emitter.source.block(f"if {is_true(found)}:"):
        other, declared = emitter.value(node["children"][1], value, known)
        emitter.source.line(f"{found} = {other}")
    # The first one is the value only if it is false, and then it holds nothing.
    then(found, declared)


def _not_expression(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    one, _ = emitter.value(node["children"][0], value, known)
    then(f"(not {is_true(emitter.source.named(one))})", None)


def _comparator(emitter: Emitter, node: Node, value: str, known: Known, then: Consumer) -> None:
    left, right = (
        emitter.layers.finished(*emitter.value(child, value, known)) for child in node["children"]
    )
    operator = node["value"]
    # Python's == is enough where one side is a string.
    with_text = any(type(constant_of(child)) is str for child in node["children"])
    same = f"({left} == {right})" if with_text else f"equals({left}, {right})"
    if operator == "eq":
        then(same, None)
    elif operator == "ne":
        then(f"(not {same})", None)
    else:
        then(f"compare({operator!r}, {left}, {right})", None)


def _function_expression(
    emitter: Emitter, node: Node, value: str, known: Known, then: Consumer
) -> None:
    arguments = []
    for child in node["children"]:
        if child["type"] == "expref":
            reference = emitter.source.constant(child["children"][0], "reference")
            work = ", work" if emitter.counted else ""
            arguments.append(f"refer({reference}{work})")
        else:
            arguments.append(emitter.layers.finished(*emitter.value(child, value, known)))
    found = emitter.source.fresh("v")
    called = f"call({node['value']!r}, [{', '.join(arguments)}])"
    if not emitter.counted:
        called = _at_once(node, arguments, called)
    emitter.source.line(f"{found} = {called}")
    then(found, None)


def _at_once(node: Node, arguments: list[str], called: str) -> str:
    """Return an expression with the value of a call that calls nothing in the usual case."""
    name, subject = node["value"], arguments[0] if arguments else ""
    if name == "type":
        return f"TYPES.get({subject}.__class__) or {called}"
    if name == "keys":
        return f"list({subject}) if {subject}.__class__ is dict else {called}"
    if name == "contains" and isinstance(constant_of(node["children"][1]), str):
        is_one = f"{subject}.__class__ is list or {subject}.__class__ is str"
        return f"({arguments[1]} in {subject}) if {is_one} else {called}"
    return called


# The functions that write a node, by its kind.
MAKING: dict[str, Callable[[Emitter, Node, str, Known, Consumer], None]] = {
    "and_expression": _and_expression,
    "comparator": _comparator,
    "function_expression": _function_expression,
    "multi_select_dict": _multi_select_dict,
    "multi_select_list": _multi_select_list,
    "not_expression": _not_expression,
    "or_expression": _or_expression,
}
