"""Slips in YAML, explained: which line, what is wrong, and how it should be written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from nestdecode.words import count

__all__ = ["Slip", "eaten", "forbidden", "slip_in"]


class Slip(NamedTuple):
    """
    One slip.

    Attributes:
        line: Where it is, from 0.
        reason: What is wrong, and what to write.
        text: The whole text without it, or None if that is not known.
    """

    line: int
    reason: str
    text: str | None = None


# How long a text and a line of it are at most that are explained.
LARGEST, LONGEST = 1 << 20, 1000
# What can't begin a plain scalar, and what YAML takes it for.
_RESERVED = {"@": "a reserved character", "`": "a reserved character", "%": "a directive"}
_EATEN = re.compile(r"(\s*(?:- )?)([*\[@][^\s:]*)\s*:(?:\s+(.*))?$")
_MEMBER = re.compile(r"""(\s*(?:- )?(?:"[^"]*"|'[^']*'|[^\s"'#:{}][^:#{}]*?)\s*:)\s+(\S.*?)\s*$""")
_NO_BLANK = re.compile(r"""(\s*(?:- )?[^\s"'#:{}\[]?[^\s"'#:{}]*):([^\s:/].*)$""")
_QUOTED = re.compile(r"""(\s*(?:- )?)(["'])(.*)\2\s*:\s+(\S.*)$""")
_FORBIDDEN = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def eaten(text: str, line: int) -> Slip | None:
    """Explain a path that YAML takes for an alias, a list or a reserved character."""
    lines = text.split("\n")
    for number in (line, line - 1):
        if 0 <= number < len(lines) and (match := _EATEN.match(lines[number].rstrip())):
            right = f"'{match[2]}': {match[3] or ''}".rstrip()
            what = {"*": "an alias", "[": "a list", "@": "a reserved character"}[match[2][0]]
            reason = f"YAML takes {match[2]} for {what}: write {right}"
            return Slip(number, reason, _with(lines, number, match[1] + right))
    return None


def forbidden(text: str) -> Slip:
    """Find a character that YAML does not admit."""
    found = _FORBIDDEN.search(text)
    if found is None:
        return Slip(0, "invalid YAML: a character is not admitted")
    reason = f"invalid YAML: the character U+{ord(found[0]):04X} is not admitted"
    return Slip(text.count("\n", 0, found.start()), reason, _FORBIDDEN.sub(" ", text))


def slip_in(text: str, line: int, opened: tuple[int, int] | None) -> Slip:
    """
    Explain why a text is not YAML.

    Args:
        text: The whole text.
        line: Where reading it stopped, from 0.
        opened: Line and column, from 0, of what was being read then, if that is known.
    """
    unknown = "invalid YAML: this does not fit what is before it"
    if len(text) > LARGEST:
        return Slip(line, unknown)
    lines = text.split("\n")
    known = _tabs(lines) or eaten(text, line)
    if known is not None:
        return known
    # What is wrong may be seen only when the next line begins.
    near = [number for number in (line, _before(lines, line)) if 0 <= number < len(lines)]
    for number in near:
        for slip in _in_line(lines, number, is_last=number == line):
            return slip
    if opened is not None and (known := _opened(lines, *opened)):
        return known
    for number in near:
        if re.match(r"\s*[^\s:#-][^:#]*$", lines[number]):
            return Slip(number, "a colon is missing: a line is KEY: VALUE")
    return _unbalanced(lines, line) or Slip(min(line, len(lines) - 1), unknown)


def _opened(lines: list[str], line: int, column: int) -> Slip | None:
    """Explain what was begun at a place and has no end."""
    character = "".join(lines[line : line + 1])[column : column + 1]
    if character in ("{", "["):
        return _not_closed(line, character)
    if character in ('"', "'"):
        return Slip(line, f"the {character} of this line is not closed")
    return None


def _unbalanced(lines: list[str], line: int) -> Slip | None:
    """Find the last line that opens more than it closes."""
    for number in range(min(line, len(lines) - 1), -1, -1):
        for first, last in ("[]", "{}"):
            if lines[number].count(first) > lines[number].count(last):
                return _not_closed(number, first)
    return None


def _not_closed(line: int, bracket: str) -> Slip:
    reason = f"the {bracket} of this line is not closed, or a comma is missing after it"
    return Slip(line, reason)


def _with(lines: list[str], number: int, right: str) -> str:
    return "\n".join([*lines[:number], right, *lines[number + 1 :]])


def _before(lines: list[str], line: int) -> int:
    """Return the last line before one that is neither blank nor a comment; -1 if none is."""
    for number in range(min(line, len(lines)) - 1, -1, -1):
        if lines[number].strip() and not lines[number].lstrip().startswith("#"):
            return number
    return -1


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def _tabs(lines: list[str]) -> Slip | None:
    tabbed = [number for number, line in enumerate(lines) if "\t" in _indent(line)]
    if not tabbed:
        return None
    more = f", like {count(len(tabbed) - 1, 'other line')}" if len(tabbed) > 1 else ""
    right = [_indent(line).expandtabs(2) + line.lstrip(" \t") for line in lines]
    reason = f"indented by a tab{more}: YAML indents by spaces only"
    return Slip(tabbed[0], reason, "\n".join(right))


def _in_line(lines: list[str], number: int, *, is_last: bool) -> Iterator[Slip]:
    """
    Go through what may be wrong with one line.

    Args:
        lines: All of them.
        number: Which line.
        is_last: Whether reading stopped in it, not in the next.
    """
    line = lines[number].rstrip()
    if len(line) > LONGEST:
        return
    quoted = _QUOTED.match(line)
    if quoted and quoted[2] in quoted[3]:
        right = "'" + quoted[3].replace("'", "''") + "'"
        reason = f"YAML ends the key at its second {quoted[2]}: write {right}: {quoted[4]}"
        yield Slip(number, reason, _with(lines, number, f"{quoted[1]}{right}: {quoted[4]}"))
    member = _MEMBER.match(line)
    if member and is_last and (what := _needs_quotes(member[2])):
        right = "'" + member[2].replace("'", "''") + "'"
        written = f"{member[1].strip()} {right}"
        reason = f"{what}: write {written}"
        yield Slip(number, reason, _with(lines, number, f"{member[1]} {right}"))
    glued = None if member else _NO_BLANK.match(line)
    if glued:
        right = f"{glued[1]}: {glued[2]}"
        reason = f"a space is missing after the colon: write {right.strip()}"
        yield Slip(number, reason, _with(lines, number, right))
    if slip := _indented(lines, number):
        yield slip


def _needs_quotes(value: str) -> str | None:
    """Say what YAML makes of a value that begins or goes on as none may, or return None."""
    first = value[0]
    if first in _RESERVED:
        return f"YAML takes {first} for {_RESERVED[first]}"
    if first in "\"'":
        end = value.find(first, 1)
        after = value[end + 1 :].strip() if end > 0 else ""
        return f"YAML ends the value at its second {first}" if after[:1] not in ("", "#") else None
    if first in "[{":
        what, close = {"[": ("a list", "]"), "{": ("an object", "}")}[first]
        is_whole = value.count(first) == value.count(close) > 0
        is_query = first == "[" or re.search(r"[\[(`]", value)
        return f"YAML takes what begins with {first} for {what}" if is_whole and is_query else None
    if first in "|>" and value[1:].strip(" +-0123456789"):
        return f"YAML takes {first} for the beginning of a block"
    if ": " in value and not re.match(r"[^{(\[]*: ", value):
        return "YAML takes ': ' for the end of a key"
    return None


def _indented(lines: list[str], number: int) -> Slip | None:
    """Explain a line that is indented as no line around it is."""
    width = len(_indent(lines[number]))
    above = _before(lines, number)
    if above < 0 or not lines[number].strip():
        return None
    over = len(_indent(lines[above]))
    member = _MEMBER.match(lines[above].rstrip())
    if width > over and member and member[2][0] not in "|>{[":
        right = " " * over + lines[number].strip()
        reason = (
            f"indented by {width} spaces, deeper than the line above, which has a value: "
            f"indent by {over}"
        )
        return Slip(number, reason, _with(lines, number, right))
    levels = _levels(lines, number)
    if width < over and width not in levels:
        nearest = min(levels, key=lambda level: (abs(level - width), -level))
        right = " " * nearest + lines[number].strip()
        spaces = count(width, "space")
        wanted = " or ".join(map(str, levels))
        reason = f"indented by {spaces}, and the lines above by {wanted}"
        return Slip(number, reason, _with(lines, number, right))
    return None


def _levels(lines: list[str], number: int) -> list[int]:
    """Return how far the blocks are indented that are open before a line, outermost first."""
    levels: list[int] = []
    for line in lines[:number]:
        if line.strip() and not line.lstrip().startswith("#"):
            width = len(_indent(line))
            while levels and levels[-1] > width:
                levels.pop()
            if not levels or levels[-1] < width:
                levels.append(width)
    return levels
