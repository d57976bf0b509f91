"""
A query as a function: of an expanded tree, of a document, or of several records.

NotWrittenError is raised for a query that is not compiled, because of the query or because of
what a spec declares at the places that it passes: the interpreter answers it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from nestdecode.errors import DecodeError
from nestdecode.plan.careful import Plan
from nestdecode.plan.opening import LayerWriter
from nestdecode.plan.run import CrowdedError, Run
from nestdecode.plan.source import PythonSource
from nestdecode.queries.code import Emitter
from nestdecode.queries.declared import declared_layers
from nestdecode.queries.found import found_layers
from nestdecode.queries.functions import REFUSALS
from nestdecode.queries.interpreter import Node
from nestdecode.queries.layers import Late, NotWrittenError
from nestdecode.queries.nodes import computes, meets_once
from nestdecode.text.joined import JOINING
from nestdecode.text.reader import INEXACT, Reader

__all__ = ["source_of", "source_of_many"]


def source_of(node: Node, late: Late | None = None) -> PythonSource:
    """
    Return the source of ``answer``, a function of one argument.

    Args:
        node: The query.
        late: How layers are opened on access: ``answer`` takes a document. None: it takes
            an expanded tree.

    Raises:
        NotWrittenError: If the query is not compiled.
    """
    emitter = Emitter(node)
    source = emitter.source
    if late is None:
        with source.block("def answer(tree):"):
            emitter.body(node)
        return source
    opener = _open_late(emitter, node, late)
    with source.block("def answer(document):"):
        emitter.layers.begin()
        opener.write_read()
        with source.block("try:"):
            emitter.body(node)
        with source.block("except CrowdedError:"):
            source.line("pass")
        # Outside the handler: an error raised in it would carry another as its context.
        source.line("return carefully(document)")
    opener.write_functions()
    return source


def source_of_many(
    node: Node,
    plan: Plan,
    reader: Reader,
    start: Callable[[], Run],
    copied: Callable[[Any], tuple[Any, int]],
) -> PythonSource:
    """
    Return the source of ``answer_many(joined, admits)``.

    That returns the answer for each of several joined records, or None if a layer that the
    query sees stays shut in one of them, or if one of them has to go the careful way.

    Args:
        node: The query.
        plan: Opens layers.
        reader: Reads records and the texts of layers.
        start: Makes the Run of a record that needs one.
        copied: Copies a document that was parsed before.

    Raises:
        NotWrittenError: If the query is not compiled for several records.
    """
    emitter = Emitter(node)
    source, late = emitter.source, Late(plan, reader, start, _give_up, copied)
    opener = _open_late(emitter, node, late)
    if opener.decodes or not reader.plain:
        raise NotWrittenError
    source.names |= JOINING | dict.fromkeys(("carefully", "unlock", "rest"), _give_up)
    source.names |= {"report": _give_up_if_reported, "GIVEN_UP": (*_GIVEN_UP, *reader.refused)}
    with source.block("def answer_many(joined, admits):"):
        source.line("text = joined.text")
        source.line(f"if joined.is_longer({opener.limits.max_record_bytes}) or (")
        source.line("    contains(text, ESCAPE) and hides(text)")
        source.line(f") or crowded(joined, {opener.limits.max_depth}):")
        source.line("    return None")
        if emitter.looked_at:
            source.line("if may_hold_long_integer(text):")
            source.line("    return None")
            emitter.looked_at = False
        source.line("read, deep, document, answers = loads, False, None, []")
        with source.block("try:"):
            source.line("for tree in read_each(read, joined, admits):")
            source.line("    answers.append(answer(tree, read, deep, document))")
        source.line("except GIVEN_UP:")
        source.line("    return None")
        source.line("return answers")
    with source.block("def answer(tree, read, deep, document):"):
        source.line("if tree.__class__ is not dict and tree.__class__ is not list:")
        source.line("    return carefully(document)")
        source.line("shut = []")
        emitter.body(node)
    opener.write_functions()
    return source


def _open_late(emitter: Emitter, node: Node, late: Late) -> LayerWriter:
    """Set the emitter to open layers on access; return what writes how a document is read."""
    layers_for = declared_layers if late.plan.shapes else found_layers
    emitter.layers = layers_for(emitter.source, late, emitter.looping)
    opener = emitter.layers.opener
    assert opener is not None
    emitter.layers.keeps = not meets_once(node)
    if late.reader.plain and not opener.decodes and not computes(node):
        # Nothing is compared or computed, so an integer that orjson made a float can only
        # show in the answer, which is looked at.
        emitter.source.names |= INEXACT
        emitter.looked_at = True
    return opener


class _GivenUpError(Exception):
    """One of several records has to be answered alone."""


_GIVEN_UP = (_GivenUpError, DecodeError, CrowdedError, *REFUSALS)


def _give_up(*_arguments: Any) -> NoReturn:
    raise _GivenUpError


def _give_up_if_reported(_tree: Any, seen: dict[Any, Any]) -> None:
    if seen["problems"]:
        raise _GivenUpError
