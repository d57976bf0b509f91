"""
Finding layers without a spec.

A string value is a layer if its whole text, JSON white space trimmed, is one JSON
text that holds an object or an array, or is a JSON string that is itself such a layer.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import WHITESPACE, Reader
from nestdecode.plan import DROP, Opening, Run, address_of

__all__ = ["CLOSERS", "OPENERS", "find", "odd", "sweep"]

_ENDS = {"{": "}", "[": "]", '"': '"'}
_CONTAINERS = frozenset({"object", "array"})


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
            run.openings.append(Opening(tuple(run.path), layers, opened, _CONTAINERS, None))
        return value, layers + len(texts)
    return run.settle(problem, text, run.on_error), layers


def _read(text: str, depth: int, layers: int, reader: Reader) -> tuple[Any, list[str]]:
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
            return text, []
        if layers + len(texts) > most:
            break
        texts.append(value)
        try:
            value = reader.parse(inner, depth)
        except LimitError:
            raise
        except DecodeError:
            return text, []
    if layers + len(texts) > most:
        raise LimitError(f"more than max_layers={most} layers")
    return value, texts


OPENERS = '{["\t\n\r '
CLOSERS = '}]"\t\n\r '


def sweep(tree: Any, reader: Reader, start: Callable[[], Run]) -> Any:
    """
    Open every layer in a tree whose limits are proven to hold, in place, and return it.

    Twice as fast as ``find``: nothing is counted, and where a layer is gets looked up
    only if something is wrong with it.

    Args:
        tree: A dict or a list that *reader* read.
        reader: Reads what the layers hold.
        start: Makes the Run, should one be needed.
    """
    loads, refused = reader.loads, reader.refused
    waiting = [tree]
    pop, push = waiting.pop, waiting.append
    dropped: list[tuple[Any, Any]] = []
    while waiting:
        container = pop()
        children = container.items() if container.__class__ is dict else enumerate(container)
        for key, child in children:
            kind = child.__class__
            if kind is str:
                if child and child[0] in OPENERS and child[-1] in CLOSERS:
                    try:
                        value = loads(child)
                    except refused:
                        value = None
                    if value.__class__ is dict or value.__class__ is list:
                        container[key] = value
                        push(value)
                    else:
                        value = odd(tree, container, key, child, start)
                        if value is DROP:
                            dropped.append((container, key))
                        elif value is not child:
                            container[key] = value
                            if value.__class__ is dict or value.__class__ is list:
                                push(value)
            elif kind is dict or kind is list:
                push(child)
    for container, key in dropped:
        if container.__class__ is dict:
            del container[key]
    return tree


def odd(tree: Any, container: Any, key: Any, text: str, start: Callable[[], Run]) -> Any:
    """Decide a string by the whole rule, in a tree whose limits are proven to hold."""
    inner = text.strip(WHITESPACE)
    if len(inner) < 2 or _ENDS.get(inner[0]) != inner[-1]:
        return text
    run = start()
    try:
        return _read(text, 0, 0, run.reader)[0]
    except LimitError:
        pass
    # Looked up only now: it is a walk of its own.
    run.path = [*address_of(container, tree), key]
    return _open(text, len(run.path), 0, run)[0]
