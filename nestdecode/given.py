"""Arguments that are documents or lines: wrong types refused, parsed documents copied."""

from __future__ import annotations

import os
import sys
from typing import Any

from nestdecode.errors import DecodeError, LimitError
from nestdecode.text.reader import Limits

__all__ = ["check_document", "check_lines", "copied", "note_cause"]

# (module, type) of buffers. The modules are looked up, not imported: a value of such a type
# exists only if its module is loaded.
_BUFFERS = (("mmap", "mmap"), ("array", "array"))


def _is_buffer(value: Any) -> bool:
    """Return whether a value is a buffer that is not accepted as a text: an mmap or an array."""
    modules = [(sys.modules.get(module), name) for module, name in _BUFFERS]
    return any(module and isinstance(value, getattr(module, name)) for module, name in modules)


def check_document(document: Any) -> None:
    """Raise TypeError for a path, a buffer or an open file given in place of a document."""
    if isinstance(document, (dict, list)):
        return
    if isinstance(document, os.PathLike):
        hint = "its text, path.read_bytes()"
    elif _is_buffer(document):
        hint = "bytes(...) of it"
    elif hasattr(document, "read"):
        hint = "its text, file.read(), or the file to expand_lines"
    else:
        return
    kind = type(document).__name__
    raise TypeError(f"a document is JSON text or its parsed value, got {kind}; pass {hint}")


# A text that is not JSON, and is more likely the name of a file.
_NAME = rb"[^\s{}\[\]\"]{0,250}\.(?:json|ndjson|jsonl|log|txt|gz|bz2|xz|zst)"


# Why a text is refused that is a document, and goes on.
_MORE = ("invalid JSON: unexpected content after document", "invalid JSON: extra data")


def note_cause(error: DecodeError, document: str | bytes | bytearray | memoryview) -> None:
    """Add a note to the error of a text that may be the name of a file, or several documents."""
    if error.reason.startswith(_MORE):
        error.add_note(
            "if these are several documents: expand_lines reads one per line, expand_file a file"
        )
    elif len(document) < 300:
        import re  # late: most documents are JSON

        text = document.encode("utf-8", "replace") if isinstance(document, str) else document
        if re.fullmatch(_NAME, text, re.IGNORECASE):
            # Without the name: an error holds nothing of a document.
            error.add_note(
                "this looks like the name of a file: pass pathlib.Path(name).read_bytes()"
            )


def check_lines(lines: Any) -> None:
    """Raise TypeError for an iterable whose items are not lines: a text, a path or a dict."""
    if isinstance(lines, str):
        hint = "io.StringIO(text)"
    elif isinstance(lines, (bytes, bytearray, memoryview)):
        hint = "io.BytesIO(data)"
    elif isinstance(lines, os.PathLike) or _is_buffer(lines):
        hint = "the file, opened in binary mode"
    elif isinstance(lines, dict):
        hint = "it to expand: it is parsed already"
    else:
        return
    kind = type(lines).__name__
    raise TypeError(f"lines are a file or other iterable of lines, got {kind}; pass {hint}")


def copied(value: Any, limits: Limits, *, no_bytes: bool = False) -> tuple[Any, int]:
    """
    Return a copy of an already parsed document, in exact dicts and lists, and its depth.

    A container that is there at several places is copied for each. Shared containers inside
    one another would multiply, so the number of such copies is limited.

    Args:
        value: The document. It is not changed; other objects in it are shared.
        limits: Bounds of depth and of repeated copies.
        no_bytes: Whether bytes in it raise, instead of being kept.

    Returns:
        The copy, and how many containers are inside one another.

    Raises:
        LimitError: If the document is deeper than ``max_depth``, as a cycle is; if shared
            containers are copied too often; or for bytes.
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
        if copied > _MOST_UNSEEN:
            see(value)
        left -= 1
        if isinstance(value, dict):
            # Copied whole first, in C: most members are not containers.
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
                raise LimitError(f"with its shared parts written out it is longer than {limit}")
        seen.add(id(value))

    if not isinstance(value, (dict, list)):
        return value, 0
    return copy(value, most - 1), most - deepest


_SCALARS = frozenset({str, int, float, bool, type(None)})
# Containers that are copied before it is checked whether they were met before: ids cost time.
_MOST_UNSEEN = 100_000
