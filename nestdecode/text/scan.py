"""
What a record's raw bytes prove of the layers in it, however deep they are.

Why, and of what, is told in ``learnt``.
"""

from __future__ import annotations

import re

from stringzilla import contains, count, find, translate

__all__ = [
    "ACCOUNTED",
    "BRACKETS",
    "ESCAPE",
    "account",
    "all_benign",
    "closes",
    "hides",
    "hides_more",
    "is_flat",
    "may_hold_long_integer",
    "visible",
]

BRACKETS = b"{["
ESCAPE = b"\\u00"
# Escapes that can stand for brackets, quotes, blanks, digits and the minus, and those that
# such an escape, its hex digits included, can be written with one layer further in.
_HIDING = rb"\\u00(?:09|0[aAdD]|2[02]|2[dD]|3[0-9]|4[1-6]|5[bBcC]|6[1-6]|6[eE]|7[245]|7[bB])"
HARMLESS = (b"\\u00e", b"\\u0026", b"\\u003c", b"\\u003e", b"\\u0027")
# Digits and the minus as 0; as colons what stands before a number: escaped blanks too, and
# the last of what a comma or a colon may be escaped as.
_NUMBERS = bytes(
    ord("0") if byte in b"0123456789-" else ord(":") if byte in b":,[ \t\r\ntnraAcC" else ord("x")
    for byte in range(256)
)
# Blanks and brackets as (, quotes and backslashes as they are.
CLASSES = bytes(
    ord("(") if byte in b" \t\r\n[{" else byte if byte in b'"\\' else ord("x")
    for byte in range(256)
)
# A backslash is a ( too: a blank may be an escape.
FLAT_CLASSES = CLASSES.replace(b"\\", b"(")
_BACKSLASH = ord("\\")
# Quotes before backslashes that are looked at one by one.
FEW = 16


def may_hold_long_integer(raw: bytes) -> bool:
    """Return whether *raw* may hold an integer of 20 characters or more, at any layer."""
    # All of fewer fit into 64 bits: those of 19 digits, or of a minus and 18.
    return hides(raw) or bool(contains(translate(raw, _NUMBERS), b":" + b"0" * 20))


def hides(raw: bytes) -> bool:
    """
    Return whether *raw* may hide from its bytes what is in its layers.

    Take the first text, from the outside, in which such an escape occurs: its characters
    are literal in all texts around it, so the raw bytes hold it literally. If they hold
    none, the brackets and quotes of every layer are seen in them.
    """
    if not contains(raw, ESCAPE):
        return False
    left = count(raw, ESCAPE)
    for escape in HARMLESS:
        left -= count(raw, escape)
        if not left:
            return False
    return re.search(_HIDING, raw) is not None


def visible(raw: bytes, *, quoted: bool = False) -> int:
    """
    Return V: at least the number of places where a layer can begin, at any depth.

    -1 if one may be hidden from the count.

    Args:
        raw: A record.
        quoted: Whether quotes may be escapes: they are counted then. Layers are not bound
            by the size of a record any more, so who asks has to know how many there are.
    """
    found: int = count(raw, b'"{') + count(raw, b'"[')
    if contains(raw, ESCAPE) and hides(raw):
        if not quoted or hides_more(raw):
            return -1
        found += count(raw, b"u0022{") + count(raw, b"u0022[")
    if contains(raw, b'" '):
        for pattern in (b'" {', b'" [', b'"  ', b'" \\'):
            found += count(raw, pattern, allowoverlap=True)
    after = count(raw, b'"\\')
    if after and after != _benign(raw):
        run = b"\\"
        while contains(raw, b'"' + run):
            for blank in (b"n", b"r", b"t"):
                found += count(raw, b'"' + run + blank) - count(raw, run + b'"' + run + blank)
            run += run
    return found


def _benign(raw: bytes) -> int:
    """Count quotes with k backslashes before and 1 to k after: they open nothing."""
    found, size = 0, 1
    while contains(raw, b"\\" * (2 * size - 1) + b'"' + b"\\" * size):
        before = b"\\" * (2 * size - 1) + b'"'
        found += count(raw, before + b"\\" * size, allowoverlap=True)
        found -= count(raw, before + b"\\" * (2 * size), allowoverlap=True)
        size *= 2
    return found


def all_benign(raw: bytes) -> bool:
    """Return whether every quote before a backslash has as many before it as after it."""
    quotes: int = count(raw, b'"\\')
    if quotes > FEW:
        return _benign(raw) == quotes
    at = -1
    for _ in range(quotes):
        at = find(raw, b'"\\', at + 1)
        if raw[at + 2] != _BACKSLASH and at and raw[at - 1] == _BACKSLASH:
            continue
        before, after = raw[max(0, at - 64) : at], raw[at + 1 : at + 65]
        behind = len(after) - len(after.lstrip(b"\\"))
        if behind > len(before) - len(before.rstrip(b"\\")) or behind == len(after):
            return False
    return True


def is_flat(raw: bytes) -> bool:
    """
    Return whether no string of the outer text can be a layer: then none is anywhere.

    A quote after a backslash is inside of a text, and opens none of the outermost.
    """
    return all(
        not contains(raw, b'"' + after) or count(raw, b'"' + after) == count(raw, b'\\"' + after)
        for after in (b"{", b"[", b" ", b"\\")
    )


def account(text: str) -> int:
    """Return how many places of V a string has that stays shut, or fewer."""
    inside = text.count('"{') + text.count('"[') if '"' in text else 0
    first = text[:1]
    if first and first in ACCOUNTED:
        return inside + 1
    # What is escaped for certain: other characters are escaped as the producer likes.
    return inside + (first == " " and text[1:2] in _AFTER_A_SPACE)


# What a layer can begin with: a bracket, or an escape.
ACCOUNTED = "{[\n\r\t"
_AFTER_A_SPACE = frozenset(' {[\n\r\t"\\')


def closes(raw: bytes, quotes: int) -> bool:
    """
    Return whether so many quotes before a blank or a backslash all close a text.

    They do if all have one backslash before and one after, or at least three before and
    two or three after, as quotes of indented layers and of empty strings have.
    """
    found: int = count(raw, b'\\"\\')
    if found >= quotes:
        more = count(raw, b'\\"\\\\')
        if more:
            found += count(raw, b'\\\\\\"\\\\') - more - count(raw, b'\\\\\\"\\\\\\\\')
    return found == quotes


def hides_more(raw: bytes) -> bool:
    """
    Return whether *raw* may hide more from its bytes than ``visible`` counts when told so.

    An escape in the place of a quote is no more than that, unless a blank or an escape of
    one follows, that is not a quote itself.
    """
    left = count(raw, ESCAPE) - count(raw, _QUOTE)
    for escape in HARMLESS:
        if not left:
            break
        left -= count(raw, escape)
    if (left and hides(raw.replace(_QUOTE, b""))) or contains(raw, b"u0022 "):
        return True
    # An escaped blank has a power of two backslashes.
    run = b"u0022\\"
    while contains(raw, run):
        if any(contains(raw, run + blank) for blank in (b"n", b"r", b"t")):
            return True
        run += run[5:]
    return False


_QUOTE = b"\\u0022"
