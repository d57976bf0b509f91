"""
Finding layers without a spec.

A string value is a layer if its whole text, JSON white space trimmed, is one JSON
text that holds an object or an array, or is a JSON string that is itself such a layer.
"""

from __future__ import annotations

from typing import Any

from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import WHITESPACE, parse
from nestdecode.plan import Run

__all__ = ["find"]

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
        opened, layers = _open(value, depth, layers, run)
        if opened is None:
            return value
        value, kind = opened, type(opened)
    if kind is dict or kind is list:
        _walk(value, depth + 1, layers, run)
    return value


def _walk(container: Any, depth: int, layers: int, run: Run) -> None:
    children = container.items() if type(container) is dict else enumerate(container)
    for key, child in children:
        kind = type(child)
        if kind is str:
            if len(child) < 2:
                continue
            run.path.append(key)
            opened, inside = _open(child, depth, layers, run)
            if opened is not None:
                container[key] = opened
                _walk(opened, depth + 1, inside, run)
            run.path.pop()
        elif kind is dict or kind is list:
            run.path.append(key)
            _walk(child, depth + 1, layers, run)
            run.path.pop()


def _open(text: str, depth: int, layers: int, run: Run) -> tuple[Any, int]:
    """Return what a string holds and the layers now around it, or None if it is no layer."""
    try:
        while True:
            text = text.strip(WHITESPACE)
            if len(text) < 2 or _ENDS.get(text[0]) != text[-1]:
                return None, layers
            value = parse(text, run.limits, depth)
            layers += 1
            if layers > run.limits.max_layers:
                raise LimitError(f"more than max_layers={run.limits.max_layers} layers")
            if type(value) is not str:
                return value, layers
            text = value
    except LimitError as error:
        problem = error
    except DecodeError:
        return None, layers
    run.report(run.here(LimitError(problem.reason, "", "json")))
    return None, layers
