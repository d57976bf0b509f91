"""What is given as a document: what is taken for one or for lines, and how it is copied."""

from __future__ import annotations

import os
import sys
from typing import Any

from nestdecode.errors import LimitError
from nestdecode.text.reader import Limits

__all__ = ["MOST_UNSEEN", "check_document", "check_lines", "copied", "is_buffer"]

# Types that hold a text, and where they are defined: not imported, only to know them.
_BUFFERS = (("mmap", "mmap"), ("array", "array"))


def is_buffer(value: Any) -> bool:
    """Tell whether a value holds the bytes of a text and is none of the types for that."""
    modules = [(sys.modules.get(module), name) for module, name in _BUFFERS]
    return any(module and isinstance(value, getattr(module, name)) for module, name in modules)


def check_document(document: Any) -> None:
    """Raise TypeError for what is neither a text nor what one holds, but holds a text itself."""
    if isinstance(document, (dict, list)):
        return
    if isinstance(document, os.PathLike):
        hint = "its text, path.read_bytes()"
    elif is_buffer(document):
        hint = "bytes(...) of it"
    elif hasattr(document, "read"):
        hint = "its text, file.read(), or the file to expand_lines"
    else:
        return
    kind = type(document).__name__
    raise TypeError(f"a document is JSON text or its parsed value, got {kind}; pass {hint}")


def check_lines(lines: Any) -> None:
    """Raise TypeError for what can be iterated over, but not by lines."""
    if isinstance(lines, str):
        hint = "io.StringIO(text)"
    elif isinstance(lines, (bytes, bytearray, memoryview)):
        hint = "io.BytesIO(data)"
    elif isinstance(lines, os.PathLike) or is_buffer(lines):
        hint = "the file, opened in binary mode"
    elif isinstance(lines, dict):
        hint = "it to expand: it is parsed already"
    else:
        return
    kind = type(lines).__name__
    raise TypeError(f"lines are a file or other iterable of lines, got {kind}; pass {hint}")


def copied(value: Any, limits: Limits, *, no_bytes: bool = False) -> tuple[Any, int]:
    """
    Copy the containers of an already parsed document as exact dicts and lists.

    A cycle is too deep. What is there at several places is copied for each: of containers
    inside one another that would be no end of them, so that is limited too.

    Returns:
        The copy, and how many containers are inside one another.
    """
    most, deepest = limits.max_depth, limits.max_depth
    copied = 0

    def copy(value: Any, left: int) -> Any:
        nonlocal copied, deepest
        copied += 1
        if left < deepest:
            deepest = left
            if left < 0:
                raise LimitError(f"deeper than max_depth={most}")
        if copied > MOST_UNSEEN:
            see(value)
        left -= 1
        if isinstance(value, dict):
            # The C loop first: most of what is in it is no container.
            members = value.copy() if value.__class__ is dict else dict(value.items())
            for key, child in value.items():
                if child.__class__ not in _SCALARS:
                    members[key] = copy(child, left)
            return members
        if isinstance(value, list):
            if _SCALARS.issuperset(map(type, value)):
                return list(value)
            return [child if child.__class__ in _SCALARS else copy(child, left) for child in value]
        if no_bytes and value.__class__ is bytes:
            raise LimitError("it holds bytes")
        return value

    seen: set[int] = set()
    again = limits.max_record_bytes // 64

    def see(value: Any) -> None:
        nonlocal again
        if id(value) in seen:
            again -= 1
            if again < 0:
                limit = f"max_record_bytes={limits.max_record_bytes}"
                raise LimitError(f"its parts occur again and again: longer than {limit}")
        seen.add(id(value))

    if not isinstance(value, (dict, list)):
        return value, 0
    return copy(value, most - 1), most - deepest


_SCALARS = frozenset({str, int, float, bool, type(None)})
# Containers that are copied before it is asked whether they were met before.
MOST_UNSEEN = 100_000
