"""
Several records read at once, told apart by a secret.

Between records stands a string that nobody outside of this process can know: random, made
when it starts, never shown and never pickled. A text that is read has it as each second of
its elements, once for each place where two records meet, only if each record is one JSON
text: one that holds two, or a part of one, moves the secrets or loses one, and no record
can make up for that.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from stringzilla import bytesum, count_byteset, translate

from nestdecode.text.scan import BRACKETS

__all__ = ["JOINING", "Admits", "Joined", "Together", "apart", "crowded", "joined", "joined_lines"]

# Of 64 random bits.
_SECRET = os.urandom(8).hex()
_SEPARATOR = f',"{_SECRET}",'
_SEPARATOR_BYTES = _SEPARATOR.encode()
# Tells whether a record, its layers shut, is one for what is to be done.
Admits = Callable[[Any], bool]
# What is looked at at once; a record of no more is in two of them at most.
_WINDOW = 1 << 12
# Everything but openers counts little.
_OPENERS = bytes(255 if byte in BRACKETS else 0 for byte in range(256))


class Joined(NamedTuple):
    """
    Several records as one text.

    Attributes:
        text: An array of the records and of what stands between them.
        records: How many they are.
        given: They themselves: a list of them, or lines.
    """

    text: bytes
    records: int
    given: list[bytes] | list[str] | bytes

    @property
    def size(self) -> int:
        """How many bytes the records have together, without newlines between lines."""
        return len(self.text) - 2 - (self.records - 1) * len(_SEPARATOR)

    @property
    def longest(self) -> int:
        """How many bytes each record has at most."""
        given = self.given
        longest = max(map(len, given.split(b"\n") if isinstance(given, bytes) else given))
        return longest if given.__class__ is bytes or isinstance(given[0], bytes) else 4 * longest

    def is_longer(self, size: int) -> bool:
        """Tell whether a record may have more than *size* bytes."""
        return len(self.text) > size and self.longest > size


def joined(records: list[bytes] | list[str]) -> Joined:
    """
    Join records, at least one.

    Raises:
        TypeError: If they are neither all bytes nor all str.
        UnicodeEncodeError: If one holds a lone surrogate.
    """
    if set(map(type, records)) == {bytes}:
        text = b"[" + _SEPARATOR_BYTES.join(records) + b"]"  # type: ignore[arg-type]
    else:
        text = f"[{_SEPARATOR.join(records)}]".encode()  # type: ignore[arg-type]
    return Joined(text, len(records), records)


def joined_lines(lines: bytes) -> Joined:
    """Join whole lines, at least one."""
    text = b"[" + lines[:-1].replace(b"\n", _SEPARATOR_BYTES) + b"]"
    # Each newline has become so much longer.
    number = (len(text) - len(lines) - 1) // (len(_SEPARATOR) - 1) + 1
    return Joined(text, number, lines)


def apart(values: Any, joined: Joined, admits: Admits | None = None) -> list[Any]:
    """
    Return the values of joined records, given that of their text.

    Raises:
        ValueError: If one of the records is no JSON text for itself, or not admitted.
    """
    meetings = joined.records - 1
    if len(values) != 2 * meetings + 1 or values[1::2].count(_SECRET) != meetings:
        raise ValueError("a record is not a JSON text")
    trees: list[Any] = values[::2]
    if admits is not None and not all(map(admits, trees)):
        raise ValueError("a record is not admitted")
    return trees


def crowded(joined: Joined, most: int, classes: bytes | None = None) -> bool:
    """
    Tell whether a record may hold more than *most* containers, its layers included.

    Args:
        joined: Records, with nothing in them that is hidden from their bytes.
        most: How many containers each may have.
        classes: As many bytes as their text has: 255 where a container may begin.
    """
    text = joined.text
    if classes is None:
        classes = translate(text, _OPENERS)
    if bytesum(classes) <= 255 * most:
        return False
    longest = joined.longest
    # n containers take 2n characters.
    if longest <= 2 * most:
        return False
    size, half = max(longest, _WINDOW), most // 2
    return any(
        bytesum(classes[at : at + size]) > 255 * half
        and count_byteset(text[at : at + size], BRACKETS) > half
        for at in range(0, len(text), size)
    )


# Batches that are done one by one, at most, after one that could not be done at once.
LONGEST_APART = 1024


class Together:
    """
    Does something with several records at once, but not for every batch of those that refuse.

    Safe to share between threads: what they count together may be a little off.

    Args:
        many: Returns what it makes of each of several records, or None if it can't tell.
    """

    def __init__(self, many: Callable[..., list[Any] | None]) -> None:
        self._many = many
        self._rest = self._left = 0

    def __call__(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """
        Return what becomes of each record, or None if each has to be for itself.

        Args:
            joined: The records.
            admits: Tells whether a record, its layers shut, is for this.
        """
        if self._left:
            self._left -= 1
            return None
        found = self._many(joined, admits)
        if found is None:
            # They are all read again: the more often, the more are left alone.
            self._rest = self._left = min(4 * self._rest + 1, LONGEST_APART)
        else:
            self._rest //= 2
        return found


# The names that generated code reads several records with.
JOINING: dict[str, Callable[..., Any]] = {"apart": apart, "crowded": crowded}
