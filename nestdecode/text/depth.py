"""How deep containers are inside one another: in values, and in texts."""

from __future__ import annotations

import gc
import itertools
import re
from typing import Any

__all__ = ["DEEPEST", "brackets", "is_deeper", "nesting", "refuse_deep"]

# Containers inside one another that fit on any stack, both ways.
DEEPEST = 254


def is_deeper(value: Any, max_depth: int) -> bool:
    """
    Return whether more than *max_depth* containers are inside one another.

    Args:
        value: A tree.
        max_depth: From 0 on; a scalar is 0 deep.
    """
    level: list[Any] = [[value]]
    for _ in range(max_depth):
        # What the collector does not track holds no containers: only the last level needs
        # a look at all children.
        level = list(filter(gc.is_tracked, gc.get_referents(*level)))
        if not _CONTAINERS.issuperset(map(type, level)):
            level = [child for child in level if type(child) in _CONTAINERS]
        if not level:
            return False
    return not _CONTAINERS.isdisjoint(map(type, gc.get_referents(*level)))


_CONTAINERS = frozenset({dict, list})
# Possessive, so that a string without an end costs one pass.
_STRING = rb'(?s)"(?:[^"\\]++|\\.)*+"?'
# An opening bracket as 1, a closing one as -1, and nothing else.
_STEPS = bytes(1 if byte in b"[{" else 255 for byte in range(256))
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def nesting(raw: bytes, max_depth: int) -> int:
    """Count how deep the brackets outside strings go, in text that need not be JSON."""
    if raw.count(b"{") + raw.count(b"[") <= max_depth:
        return 0
    if b'"' in raw:
        raw = re.sub(_STRING, b"", raw)
    steps = memoryview(raw.translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(itertools.accumulate(steps), default=0)


def brackets(text: bytes | str) -> int:
    """Count the brackets that open, in strings too."""
    if isinstance(text, bytes):
        return text.count(b"{") + text.count(b"[")
    return text.count("{") + text.count("[")


def refuse_deep(text: bytes | str) -> None:
    """Raise RecursionError for what would take much of the stack."""
    if len(text) > DEEPEST and brackets(text) > DEEPEST:
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if nesting(raw, DEEPEST) > DEEPEST:
            raise RecursionError
