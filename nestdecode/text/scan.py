r"""
What the raw bytes of a record prove about its layers, at every depth.

A *text* is the record, or what a string of a text says. The record is at depth 0, the text
of a string of the record at depth 1, and so on. Everything here holds for bytes that the
parser has accepted. ``plan.learnt`` and ``plan.swift`` build on these five claims.

**1. Nothing is hidden.** If ``hides(raw)`` is false, then in no text, at any depth, one of
these characters is written as a ``\u00XX`` escape: bracket ``{ [``, quote, backslash,
blank, digit, minus, hex letter, and the letters ``n r t u``. *Argument:* Take the outermost
text that holds such an escape. The text around it holds none, so it writes the escape's
backslash as two backslashes, and ``u``, the zeros and the two hex digits as themselves: all
of these are in the class. So the text around it holds the characters ``\u00XX`` too, after
one more backslash, and so does each text further out. The raw bytes hold them, and there
the pattern is searched for, whatever number of backslashes stands before it.
*Tests:* ``test_every_group_of_refused_escapes_is_needed`` takes one group of the class out
at a time; ``test_what_stands_before_an_integer_may_be_escaped`` shows the minus.

**2. Each layer has a place of its own.** A *place* is a quote in the raw bytes, followed by
blanks or nothing, and a bracket. A layer's text begins with blanks or nothing and a bracket
(one that is stringified several times: the innermost). By claim 1 the opening quote and the
bracket are themselves, and each blank is a space, or a run of backslashes and ``n``, ``r``
or ``t``: no string holds a raw control character. Two layers have two opening quotes.
``visible`` returns V: the number of places, or more.

**3. What a quote can open.** By claim 1, the quote that opens a string at depth d has
2**d - 1 backslashes before it, and an escape at the start of that string begins with 2**d.
So a quote with k backslashes before it and 1 to k after it opens no string that begins with
an escape.

**4. Sizes.** By claim 3, k layers inside one another take at least 2**k bytes. By claim 1,
as many brackets open in the raw bytes as in all texts together, or more; and n containers
inside one another take 2n bytes.

**5. Integers.** An integer that does not fit into 64 bits takes 20 characters or more, its
minus included: 19 digits always fit, and so do a minus and 18. By claim 1 its characters
stand in the raw bytes, whatever its depth.
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
# Claim 1: tab, newline and return; space and quote; minus; digits; A to F; [ and backslash;
# a to f; n; r, t and u; {. Closing brackets are not counted, and may be escaped.
_HIDING = rb"\\u00(?:09|0[aAdD]|2[02]|2[dD]|3[0-9]|4[1-6]|5[bBcC]|6[1-6]|6[eE]|7[245]|7[bB])"
# Frequent ones outside the class: Latin letters, and & < > ' as Go and .NET write them.
HARMLESS = (b"\\u00e", b"\\u0026", b"\\u003c", b"\\u003e", b"\\u0027")
# Digits and the minus as 0; as colons what can stand before a number: : , [ and blanks, the
# t, n or r of an escaped blank, and the last digit of \u003a and \u002c.
_NUMBERS = bytes(
    ord("0") if byte in b"0123456789-" else ord(":") if byte in b":,[ \t\r\ntnraAcC" else ord("x")
    for byte in range(256)
)
# Blanks and opening brackets as (, quotes and backslashes as themselves.
CLASSES = bytes(
    ord("(") if byte in b" \t\r\n[{" else byte if byte in b'"\\' else ord("x")
    for byte in range(256)
)
# A backslash is a ( too: it may begin an escaped blank.
FLAT_CLASSES = CLASSES.replace(b"\\", b"(")
_BACKSLASH = ord("\\")
# Up to so many quotes before backslashes are looked at one by one.
FEW = 16


def may_hold_long_integer(raw: bytes) -> bool:
    """Return whether *raw* may hold an integer of 20 characters or more, at any depth."""
    # Shorter ones fit into 64 bits: claim 5.
    return hides(raw) or bool(contains(translate(raw, _NUMBERS), b":" + b"0" * 20))


def hides(raw: bytes) -> bool:
    """
    Return whether a text in *raw* may write as an escape what is counted in the raw bytes.

    If not, the brackets, quotes, blanks and digits of every layer stand in them: claim 1.
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
    Return V, an upper bound of the number of places where a layer begins, at any depth.

    Args:
        raw: A record that the parser has accepted.
        quoted: Whether to count quotes that are written as escapes, instead of refusing
            them. Claim 4 does not bound the number of layers then: the caller has to.

    Returns:
        V, or -1 if a layer may be hidden from the count.
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
    """Count the quotes with k backslashes before and 1 to k after: claim 3."""
    found, size = 0, 1
    while contains(raw, b"\\" * (2 * size - 1) + b'"' + b"\\" * size):
        before = b"\\" * (2 * size - 1) + b'"'
        found += count(raw, before + b"\\" * size, allowoverlap=True)
        found -= count(raw, before + b"\\" * (2 * size), allowoverlap=True)
        size *= 2
    return found


def all_benign(raw: bytes) -> bool:
    """Return whether no quote before a backslash has fewer before it than after it: claim 3."""
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
    Return whether no string of the record can be a layer: then there is none at any depth.

    A string of the record begins at a quote without a backslash before it.
    """
    return all(
        not contains(raw, b'"' + after) or count(raw, b'"' + after) == count(raw, b'\\"' + after)
        for after in (b"{", b"[", b" ", b"\\")
    )


def account(text: str) -> int:
    """
    Return how many places ``visible`` counts in a string that stays shut, or fewer.

    Args:
        text: What the string says.
    """
    inside = text.count('"{') + text.count('"[') if '"' in text else 0
    first = text[:1]
    if first and first in ACCOUNTED:
        return inside + 1
    # Only characters that every producer escapes: of others the raw bytes are not known.
    return inside + (first == " " and text[1:2] in _AFTER_A_SPACE)


# What a string begins with whose quote V counts: a bracket, or a blank that is escaped.
ACCOUNTED = "{[\n\r\t"
_AFTER_A_SPACE = frozenset(' {[\n\r\t"\\')


def closes(raw: bytes, quotes: int) -> bool:
    """
    Return whether no layer begins at any of the quotes before a space or a backslash.

    True if each has at least one backslash before it and exactly one after it, or at least
    three before it and two or three after it (claim 3). The quotes of indented layers and of
    empty strings in layers are of these kinds.

    Args:
        raw: A record.
        quotes: How many quotes stand before a space or a backslash.
    """
    found: int = count(raw, b'\\"\\')
    if found >= quotes:
        more = count(raw, b'\\"\\\\')
        if more:
            found += count(raw, b'\\\\\\"\\\\') - more - count(raw, b'\\\\\\"\\\\\\\\')
    return found == quotes


def hides_more(raw: bytes) -> bool:
    """
    Return whether *raw* may hide a layer from ``visible(raw, quoted=True)``.

    That counts ``u0022`` before a bracket as it counts a quote. True if there is any other
    escape of claim 1, or a ``u0022`` before a blank.
    """
    left = count(raw, ESCAPE) - count(raw, _QUOTE)
    for escape in HARMLESS:
        if not left:
            break
        left -= count(raw, escape)
    if (left and hides(raw.replace(_QUOTE, b""))) or contains(raw, b"u0022 "):
        return True
    # An escaped blank begins with 2**d backslashes: claim 3.
    run = b"u0022\\"
    while contains(raw, run):
        if any(contains(raw, run + blank) for blank in (b"n", b"r", b"t")):
            return True
        run += run[5:]
    return False


_QUOTE = b"\\u0022"
