"""JSON text of specs: on which line each piece is, and what is wrong with text that is not JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["lines_of", "mistake_in"]

_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"|[{}\[\],]|\n|[^\s{}\[\],:"]+', re.DOTALL)


@dataclass(slots=True)
class _OpenContainer:
    """A container of a JSON text whose end has not been found yet."""

    value: Any
    key: str | int | None
    names: set[str] = field(default_factory=set)

    def child(self) -> Any:
        """Return the value of the member or element that is next; None if it has none."""
        if isinstance(self.value, dict):
            return self.value.get(self.key)
        is_there = isinstance(self.value, list) and self.key in range(len(self.value))
        return self.value[self.key] if is_there else None


def lines_of(
    text: str, root: Any, twice: Callable[[str, int], None] | None = None
) -> dict[tuple[int, str | int], int]:
    """
    Return the lines of the members and elements of a JSON text.

    Args:
        text: It is JSON.
        root: What it holds; of members with one name, the last.
        twice: Called with a name that an object repeats, and its line.

    Returns:
        Lines, from 1, by the id of the container and the key.
    """
    lines: dict[tuple[int, str | int], int] = {}
    line = 1
    around = [root]
    stack = [_OpenContainer(around, 0)]
    for found in _TOKEN.finditer(text):
        token, top = found[0], stack[-1]
        if token == "\n":
            line += 1
        elif token in "}]":
            stack.pop()
        elif token == ",":
            top.key = top.key + 1 if isinstance(top.key, int) else None
        elif top.key is None:
            name: str = json.loads(token)
            if name in top.names and twice is not None:
                twice(name, line)
            top.names.add(name)
            top.key = name
            lines[id(top.value), name] = line
        else:
            if isinstance(top.key, int) and top.value is not around:
                lines[id(top.value), top.key] = line
            if token in "{[":
                stack.append(_OpenContainer(top.child(), 0 if token == "[" else None))
    return lines


def mistake_in(text: str, at: int) -> tuple[int, str]:
    """
    Say what is wrong with a text that is not JSON from a character on.

    >>> mistake_in('{"a": 1,}', 8)
    (7, 'invalid JSON: nothing follows this comma: column 8')

    Returns:
        The character that is meant, and what is wrong.
    """
    rest = text[at:].lstrip()
    before = text[:at].rstrip()
    # Versions of Python differ in which place they name.
    if rest[:1] == "," and rest[1:].lstrip()[:1] in ("}", "]"):
        before, rest = text[: text.index(",", at) + 1], rest[1:].lstrip()
    if not rest:
        return len(text.rstrip()), "invalid JSON: it ends too early"
    if rest[0] in "}]" and before.endswith(","):
        at, what = len(before) - 1, "nothing follows this comma"
    elif not before and rest[0] not in "{[":
        what = f"it begins with {rest[0]!r}; a spec in YAML is named .yaml"
    elif rest[0] == "'":
        what = "strings are in double quotes"
    elif rest[0] in "/#":
        what = "JSON has no comments"
    elif before and before[-1] not in "{[,:" and rest[0] not in "}]":
        what = f"a comma, a colon or an end is missing before {rest[0]!r}"
    else:
        what = f"{rest[0]!r} can't be here"
    return at, f"invalid JSON: {what}: column {at - text.rfind(chr(10), 0, at)}"
