"""The depth of containers inside one another: in values, and in texts."""

from __future__ import annotations

import gc
import itertools
import re
from typing import Any

__all__ = ["DEEPEST", "brackets", "is_deeper", "may_be_deep", "nesting", "refuse_deep"]

# Containers inside one another that can be read and written on any stack.
DEEPEST = 254


def is_deeper(value: Any, max_depth: int) -> bool:
    """
    Return whether more than *max_depth* containers are inside one another.

    Args:
        value: A tree.
        max_depth: At least 0, the depth of a scalar.
    """
    level: list[Any] = [[value]]
    for _ in range(max_depth):
        # The collector does not track what holds no containers. Only the last level needs
        # a look at all children.
        level = list(filter(gc.is_tracked, gc.get_referents(*level)))
        if not _CONTAINERS.issuperset(map(type, level)):
            level = [child for child in level if type(child) in _CONTAINERS]
        if not level:
            return False
    return not _CONTAINERS.isdisjoint(map(type, gc.get_referents(*level)))


_CONTAINERS = frozenset({dict, list})
# Possessive: a string without an end costs one pass.
_STRING = rb'(?s)"(?:[^"\\]++|\\.)*+"?'
# An opening bracket as 1, a closing one as -1; all other bytes are deleted.
_STEPS = bytes(1 if byte in b"[{" else 255 for byte in range(256))
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def nesting(raw: bytes, max_depth: int) -> int:
    """
    Return the depth of the brackets outside strings, in text that need not be JSON.

    Args:
        raw: The text.
        max_depth: If the text holds no more opening brackets than this, the result is 0.
    """
    if raw.count(b"{") + raw.count(b"[") <= max_depth:
        return 0
    if b'"' in raw:
        raw = re.sub(_STRING, b"", raw)
    steps = memoryview(raw.translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(itertools.accumulate(steps), default=0)


def brackets(text: bytes | str) -> int:
    """Count the opening brackets of a text, those in strings included."""
    if isinstance(text, bytes):
        return text.count(b"{") + text.count(b"[")
    return text.count("{") + text.count("[")


def may_be_deep(text: bytes | str) -> bool:
    """Return whether a text may nest deeper than DEEPEST: it is to be refused as deep then."""
    return len(text) > DEEPEST and brackets(text) > DEEPEST


def refuse_deep(text: bytes | str) -> None:
    """Raise RecursionError for a text that would use much of the stack."""
    if may_be_deep(text):
        raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        if nesting(raw, DEEPEST) > DEEPEST:
            raise RecursionError
