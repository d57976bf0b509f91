"""Words in messages: counts, suggestions, and text that is safe to show on a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = [
    "at_line",
    "closest",
    "count",
    "nearest",
    "one_line",
    "position",
    "printable",
    "share",
    "shortened",
]

# Characters that control a terminal: C0 except tab and newline, DEL, C1, the separators that
# some programs take for newlines, and those that change the direction of text. Lone
# surrogates, by which Python writes undecodable bytes of file names, can't be encoded.
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
    Return a number with its noun, in the plural unless it is 1.

    >>> count(19802, "record"), count(1, "layer")
    ('19,802 records', '1 layer')
    """
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def share(number: int, whole: int, what: str) -> str:
    """
    Write how many of a number of things something is said of.

    >>> share(19802, 200002, "record"), share(1, 1, "record")
    ('19,802 of 200,002 records', '1 of 1 record')
    """
    return f"{number:,} of {count(whole, what)}"


def nearest(word: object, words: Iterable[str]) -> str:
    """
    Return a hint at the nearest of *words*, or '' if none is near.

    >>> nearest("base46", ["base64", "json"])
    "; did you mean 'base64'?"
    """
    found = closest(word, words)
    return f"; did you mean {' or '.join(map(repr, found))}?" if found else ""


def closest(word: object, words: Iterable[str]) -> list[str]:
    """
    Return which of *words* were probably meant, the nearest first.

    >>> closest("querys", ["queries", "numbers"])
    ['queries']
    """
    import difflib  # late: only errors need it

    if not isinstance(word, str):
        return []
    words = list(words)
    folded = word.casefold().replace("_", "-")
    same = [known for known in words if known.casefold().replace("_", "-") == folded]
    if same:
        return same
    found = difflib.get_close_matches(word, words, n=3, cutoff=0.6)
    likeness = [difflib.SequenceMatcher(None, known, word).ratio() for known in found]
    return [
        known for known, ratio in zip(found, likeness, strict=True) if ratio > likeness[0] - 0.1
    ]


def position(char: int, line: int, column: int) -> str:
    """
    Return the position of a character in a text, by its line too if the text has several.

    The numbers belong to the text, which may be a layer, not to the lines of the file.

    >>> position(19, 1, 20), position(40, 3, 2)
    ('char 19', 'char 40 (column 2 of its line 3)')
    """
    return f"char {char}" if line == 1 else f"char {char} (column {column} of its line {line})"


def printable(text: str) -> str:
    r"""
    Return a text with the characters that control a terminal as escapes; newlines stay.

    >>> printable("one\ntwo\x1b[2J")
    'one\ntwo\\u001b[2J'
    """
    return re.sub(f"[{_OBEYED}]", _escaped, text)


def one_line(text: str) -> str:
    r"""
    Return a text as one line: newlines, tabs and terminal controls as escapes.

    >>> one_line("one\ntwo\x1b[2J")
    'one\\ntwo\\u001b[2J'
    """
    return re.sub(f"[\t\n{_OBEYED}]", _escaped, text)


def shortened(text: str, most: int = 200) -> str:
    """
    Return a text without its middle if it is longer than *most* characters.

    >>> shortened("/data/" + "k" * 1000 + "/id", 16)
    '/data/kk...kkkkk/id'
    """
    half = most // 2
    return text if len(text) <= most else f"{text[:half]}...{text[-half:]}"


def _escaped(found: re.Match[str]) -> str:
    return _SHORT.get(found[0]) or f"\\u{ord(found[0]):04x}"
