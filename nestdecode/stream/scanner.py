"""
JSON text followed token by token: where a value ends, and where it is malformed.

No value is made and no text is kept, so a text of any size is followed piece by piece, and
each piece once. The grammar is that of RFC 8259; size and depth are not limited. Pieces end
where lines end: no token goes over a newline.
"""

from __future__ import annotations

import functools
import re
from typing import Literal, NamedTuple

__all__ = [
    "Followed",
    "Outcome",
    "Scanner",
    "after_scalar",
    "follow_values",
    "not_utf8",
]

Text = bytes | bytearray
Outcome = Literal["ends", "fails", "goes on"]


class Followed(NamedTuple):
    """
    How far a value was followed.

    Attributes:
        outcome: Whether the value ends, fails, or goes on.
        at: The position after its end, of its error, or of the end of the text.
    """

    outcome: Outcome
    at: int


# Possessive: each byte is looked at once.
_BLANKS = rb"[ \t\r\n]*+"
_PLAIN = rb'[^"\\\x00-\x1f]*+'
_ESCAPE = rb'\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})'
_STRING = rb'"%b(?:%b%b)*+"' % (_PLAIN, _ESCAPE, _PLAIN)
_NUMBER = rb"-?+(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?+(?:[eE][+-]?+[0-9]++)?+"
_SCALAR = rb"(?:%b|%b|true|false|null)" % (_STRING, _NUMBER)
_KEY = _BLANKS + _STRING + _BLANKS + b":" + _BLANKS
# Members or elements up to the next bracket. Groups: those before it (1); a bracket that opens
# a value (2), that ends the container after a value (3), or that ends it at once (4).
_MEMBERS = rb"((?:%b%b%b,)*+)(?:%b(?:([{\[])|%b%b(}))|%b(}))?" % (
    *(_KEY, _SCALAR, _BLANKS),
    *(_KEY, _SCALAR, _BLANKS, _BLANKS),
)
_ELEMENTS = rb"((?:%b%b%b,)*+)(?:%b(?:([{\[])|%b%b(\])|(\])))?" % (
    *(_BLANKS, _SCALAR, _BLANKS),
    *(_BLANKS, _SCALAR, _BLANKS),
)
# After a value: a comma and more of these, or the end of the container (5).
_MORE_MEMBERS = rb"%b(?:,%b|(}))" % (_BLANKS, _MEMBERS)
_MORE_ELEMENTS = rb"%b(?:,%b|(\]))" % (_BLANKS, _ELEMENTS)
_TOKEN = rb"%b(?:(%b)|(%b)|([{\[])|([}\]])|(,)|(:))" % (_BLANKS, _STRING, _SCALAR)
_TOKENS = ("", "string", "scalar", "open", "close", "comma", "colon")
# A string, or a scalar with what must follow it: only a string has an end of its own.
_STANDS_ALONE = rb'%b|%b(?=[ \t\r\n"{}\[\],:]|\Z)' % (_STRING, _SCALAR)

# What has to come next. "value": that of a member, or one after the comma of an array.
Expected = Literal["value", "first element", "first key", "key", "colon", "comma"]
_FIRST: dict[int, Expected] = {ord("{"): "first key", ord("["): "first element"}
_CLOSERS = {ord("{"): ord("}"), ord("["): ord("]")}
_BRACE = ord("}")


@functools.cache
def _compiled(pattern: bytes) -> re.Pattern[bytes]:
    return re.compile(pattern)


def after_scalar(text: Text, at: int, end: int) -> int:
    """Return the position after the scalar that begins at *at*; -1 if it is malformed."""
    match = _compiled(_STANDS_ALONE).match(text, at, end)
    return match.end() if match else -1


class Scanner:
    """
    Follows one object or array.

    Attributes:
        watched: The depth and the position of open containers whose end is to be noted.
        ends: The position after each of these that has ended, by that at which it begins.
    """

    def __init__(self) -> None:
        self._closers = bytearray()
        self._expected: Expected = "value"
        self.watched: list[tuple[int, int]] = []
        self.ends: dict[int, int] = {}

    @property
    def depth(self) -> int:
        """The number of open containers; 0 before the value begins and after its end."""
        return len(self._closers)

    def copy(self) -> Scanner:
        """Return a scanner in the same state, which notes no ends."""
        other = Scanner()
        other._closers, other._expected = self._closers.copy(), self._expected
        return other

    def begin(self, bracket: int) -> None:
        """Begin to follow a container, after its bracket; the ends of others are kept."""
        self.leave()
        self._open(bracket)

    def leave(self) -> None:
        """Leave all containers; the ends of others are kept."""
        self._closers.clear()
        self.watched.clear()

    def follow(self, text: Text, at: int, end: int) -> Followed:
        """Follow *text* from *at* to *end*, neither of which is inside a token."""
        closers = self._closers
        members, more_members = _compiled(_MEMBERS).match, _compiled(_MORE_MEMBERS).match
        elements, more_elements = _compiled(_ELEMENTS).match, _compiled(_MORE_ELEMENTS).match
        while True:
            expected, in_object = self._expected, closers[-1] == _BRACE
            match = None
            if expected == "comma":
                match = (more_members if in_object else more_elements)(text, at, end)
            elif expected != "colon" and not (in_object and expected == "value"):
                match = (members if in_object else elements)(text, at, end)
            kind = 0 if match is None else match.lastindex or 0
            if match is None or kind == 1:
                if match is not None and (expected == "comma" or match.end() > at):
                    at, self._expected = match.end(), "key" if in_object else "value"
                stepped = self._step(text, at, end)
                if isinstance(stepped, Followed):
                    return stepped
                at = stepped
            elif kind == 2:
                at = match.end()
                self._open(text[at - 1])
                continue
            elif kind == 4 and (match.end(1) > at or not expected.startswith("first")):
                return Followed("fails", match.end() - 1)  # a comma before the bracket
            else:
                at = match.end()
                self._close(at)
            if not closers:
                return Followed("ends", at)

    def _open(self, bracket: int) -> None:
        self._closers.append(_CLOSERS[bracket])
        self._expected = _FIRST[bracket]

    def _close(self, at: int) -> None:
        self._closers.pop()
        self._expected = "comma"
        if self.watched and self.watched[-1][0] == len(self._closers):
            self.ends[self.watched.pop()[1]] = at

    def _step(self, text: Text, at: int, end: int) -> int | Followed:
        """Take one token; return the position after it, or where the value goes on or fails."""
        match = _compiled(_TOKEN).match(text, at, end)
        if match is None:
            blanks = _compiled(_BLANKS).match(text, at, end)
            at = blanks.end() if blanks else at
            return Followed("goes on" if at == end else "fails", at)
        kind, after = _TOKENS[match.lastindex or 0], match.end()
        expected, in_object = self._expected, self._closers[-1] == _BRACE
        if kind == "close":
            if text[after - 1] == self._closers[-1] and expected in (
                "comma", "first key", "first element",
            ):  # fmt: skip
                self._close(after)
                return after
        elif expected == "comma":
            if kind == "comma":
                self._expected = "key" if in_object else "value"
                return after
        elif expected == "colon":
            if kind == "colon":
                self._expected = "value"
                return after
        elif expected in ("first key", "key"):
            if kind == "string":
                self._expected = "colon"
                return after
        elif kind == "open":
            self._open(text[after - 1])
            return after
        elif kind in ("string", "scalar"):
            self._expected = "comma"
            return after
        return Followed("fails", match.start(match.lastindex or 0))


def follow_values(text: bytes) -> Outcome:
    """Return ``ends`` for whole values one after another, else the outcome of the first other."""
    scanner, at, size = Scanner(), 0, len(text)
    while True:
        blanks = _compiled(_BLANKS).match(text, at)
        at = blanks.end() if blanks else at
        if at == size:
            return "ends"
        if text[at] in _FIRST:
            scanner.begin(text[at])
            outcome, at = scanner.follow(text, at + 1, size)
            if outcome != "ends":
                return outcome
        else:
            at = after_scalar(text, at, size)
            if at < 0:
                return "fails"


def not_utf8(text: bytes) -> int | None:
    """Return the position of the first byte that is not UTF-8; None if all are."""
    if text.isascii():
        return None
    try:
        text.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None
