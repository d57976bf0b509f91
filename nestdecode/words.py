"""Words in messages: the nearest valid one, and those that must not steer a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["at_line", "count", "nearest", "one_line", "position", "printable", "shortened"]

# What a terminal obeys instead of showing: C0 except tab and newline, DEL, C1, the
# separators that some take for newlines, and what turns the direction of text. Lone
# surrogates, which stand for bytes of file names, can't be encoded.
_OBEYED = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff"
)
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def at_line(line: int, *, whole: bool) -> str:
    """
    Say where in its file a record is.

    >>> at_line(7, whole=True), at_line(7, whole=False)
    ('line 7', 'document at line 7')

    Args:
        line: Where it begins, from 1.
        whole: Whether it is that line, and not a document over any number of them.
    """
    return f"{'line' if whole else 'document at line'} {line}"


def count(number: int, what: str) -> str:
    """
    Write how many there are of something.

    >>> count(19802, "record"), count(1, "layer")
    ('19,802 records', '1 layer')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def nearest(word: object, words: Iterable[str]) -> str:
    """
    Say which of *words* was probably meant, or nothing.

    >>> nearest("base46", ["base64", "json"])
    "; did you mean 'base64'?"
    """
    import difflib  # late: errors only

    if not isinstance(word, str):
        return ""
    found = difflib.get_close_matches(word, list(words), n=3, cutoff=0.6)
    if not found:
        folded = word.casefold().replace("_", "-")
        found = [w for w in words if w.casefold().replace("_", "-") == folded]
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def position(char: int, line: int, column: int) -> str:
    """
    Say where in a text something is: what has the text may have lines of its own.

    >>> position(19, 1, 20), position(40, 3, 2)
    ('char 19', 'char 40 (column 2 of its line 3)')
    """
    return f"char {char}" if line == 1 else f"char {char} (column {column} of its line {line})"


def printable(text: str) -> str:
    r"""
    Write everything in a text that steers a terminal as an escape.

    >>> printable("one\ntwo\x1b[2J")
    'one\ntwo\\u001b[2J'
    """
    return re.sub(f"[{_OBEYED}]", _escaped, text)


def one_line(text: str) -> str:
    r"""
    Write what steers a terminal, newlines and tabs as escapes: the text stays one line.

    >>> one_line("one\ntwo\x1b[2J")
    'one\\ntwo\\u001b[2J'
    """
    return re.sub(f"[\t\n{_OBEYED}]", _escaped, text)


def shortened(text: str, most: int = 200) -> str:
    """
    Leave out the middle of a long text, such as an address made of names in a document.

    >>> shortened("/data/" + "k" * 1000 + "/id", 16)
    '/data/kk...kkkkk/id'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def _escaped(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"
