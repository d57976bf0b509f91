"""
Finding layers without a spec.

A string value is a layer if its whole text, JSON white space trimmed, is one JSON
text that holds an object or an array, or is a JSON string that is itself such a layer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stringzilla import contains, count_byteset

from nestdecode.errors import LimitError
from nestdecode.plan.careful import CONTAINERS, Finder
from nestdecode.plan.run import DROP, CrowdedError, Opening, Run
from nestdecode.text.reader import MALFORMED, WHITESPACE, Reader
from nestdecode.text.scan import BRACKETS, ESCAPE, hides

__all__ = [
    "CLOSERS",
    "FINDER",
    "OPENERS",
    "Loads",
    "encoded",
    "find",
    "guarded",
    "read_layer",
    "sweep",
]

Loads = Callable[[bytes | str], Any]

_ENDS = {"{": "}", "[": "]", '"': '"'}


def find(value: Any, depth: int, layers: int, run: Run) -> Any:
    """
    Open every layer in *value*, in place, and return it, or what replaces it.

    Args:
        value: A tree.
        depth: Containers around it.
        layers: Layers around it.
        run: The record's pass; it is told of layers that a limit keeps shut.
    """
    kind = type(value)
    if kind is str:
        value, layers = _open(value, depth, layers, run)
        kind = type(value)
    if kind is dict or kind is list:
        _walk(value, depth + 1, layers, run)
    return value


def _walk(container: Any, depth: int, layers: int, run: Run) -> None:
    is_object = type(container) is dict
    dropped = []
    for key, child in container.items() if is_object else enumerate(container):
        kind = type(child)
        inside = layers
        if kind is str:
            if len(child) < 2:
                continue
            run.path.append(key)
            opened, inside = _open(child, depth, layers, run)
            run.path.pop()
            if opened is child:
                continue
            if opened is DROP:
                # Only a member can go; an element stays what it is.
                dropped += [key] if is_object else []
                continue
            container[key] = child = opened
            kind = type(child)
        if kind is dict or kind is list:
            run.path.append(key)
            _walk(child, depth + 1, inside, run)
            run.path.pop()
    for key in dropped:
        del container[key]


def _open(text: str, depth: int, layers: int, run: Run) -> tuple[Any, int]:
    """
    Return what a string holds, and the layers now around it.

    That is the string itself if it is no layer, or what the policy makes of it if a limit
    keeps it shut.
    """
    try:
        value, texts = _read(text, depth, layers, run.reader)
    except LimitError as error:
        problem = run.here(LimitError(error.reason, "", "json"))
    else:
        if texts and run.openings is not None:
            opened = tuple((("json",), text) for text in texts)
            run.openings.append(Opening(run.address(), layers, opened, CONTAINERS, None))
        return value, layers + len(texts)
    return run.settle(problem, text, run.on_error), layers


FINDER = Finder(find, _open)


def _read(text: str, depth: int, layers: int, reader: Reader) -> tuple[Any, Sequence[str]]:
    """
    Return what a string holds, and the texts of the layers that it is; none if it is none.

    Raises:
        LimitError: If it may be a layer, and a limit keeps it shut.
    """
    value: Any = text
    texts: list[str] = []
    most = reader.limits.max_layers
    while type(value) is str:
        inner = value.strip(WHITESPACE)
        if len(inner) < 2 or _ENDS.get(inner[0]) != inner[-1]:
            return text, ()
        if layers + len(texts) > most:
            break
        texts.append(value)
        value = reader.attempt(inner, depth)
        if value is MALFORMED:
            return text, ()
    if layers + len(texts) > most:
        raise LimitError(f"more than max_layers={most} layers")
    return value, texts


OPENERS = '{["\t\n\r '
CLOSERS = '}]"\t\n\r '


def sweep(
    tree: Any,
    reader: Reader,
    loads: Loads,
    shut: list[tuple[Any, Any, tuple[()], int]] | None = None,
    children: Iterable[tuple[Any, Any]] | None = None,
) -> None:
    """
    Open every layer in a tree whose limits are proven to hold, in place.

    Twice as fast as ``find``: nothing is counted, and no place is known.

    Args:
        tree: A dict or a list that *loads* read.
        reader: What it comes from.
        loads: What reads the layers.
        shut: Takes each layer that a limit keeps shut: its container, its key, what is
            declared of it (nothing), and 0.
        children: Those of the tree's children, with their keys, that are to be opened, or
            None for all.

    Raises:
        LimitError: If a limit keeps a layer shut, and that is not taken. The tree is of
            no use then.
    """
    refused = reader.refused
    waiting = [tree]
    pop, push = waiting.pop, waiting.append
    while waiting:
        container = pop()
        if children is None:
            children = container.items() if container.__class__ is dict else enumerate(container)
        for key, child in children:
            kind = child.__class__
            if kind is str:
                if child and child[0] in OPENERS and child[-1] in CLOSERS:
                    try:
                        value = loads(child)
                    except refused as error:
                        if reader.is_malformed(error, child):
                            continue
                        value = None
                    kind = value.__class__
                    if kind is not dict and kind is not list:
                        try:
                            value = read_layer(child, reader)
                        except LimitError:
                            if shut is None:
                                raise
                            shut.append((container, key, (), 0))
                            continue
                        if value is child:
                            continue
                    container[key] = value
                    push(value)
            elif kind is dict or kind is list:
                push(child)
        children = None


def encoded(document: Any) -> bytes | None:
    """Return the bytes of JSON text, or None if it is not text, or is not Unicode."""
    if isinstance(document, str):
        try:
            return document.encode()
        except UnicodeEncodeError:
            return None
    return bytes(document) if isinstance(document, (bytes, bytearray, memoryview)) else None


def guarded(reader: Reader, most: int, longest: int, *, all_texts: bool) -> Loads:
    """
    Return what reads the layers of a document that has no text of its own.

    It raises CrowdedError for a text that may meet a limit.

    Args:
        reader: Reads texts.
        most: Containers inside one another that a text may have.
        longest: How many bytes a text may have.
        all_texts: Whether short texts are looked at, too: layers may be hidden in them.
    """
    loads = reader.loads

    def read(text: bytes | str) -> Any:
        if text.__class__ is str and (all_texts or len(text) > 2 * most):
            raw = text.encode()
            if (
                len(raw) > longest
                or (contains(raw, ESCAPE) and hides(raw))
                or (len(raw) > most and count_byteset(raw, BRACKETS) > most)
            ):
                raise CrowdedError
        return loads(text)

    return read


def read_layer(text: str, reader: Reader) -> Any:
    """Return what a string holds by the whole rule, in a tree whose limits are proven to hold."""
    return _read(text, 0, 0, reader)[0]
