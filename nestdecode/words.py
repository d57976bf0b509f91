"""The nearest valid word, for errors."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest"]


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
