"""
Several records read at once, separated by a secret.

Records are joined to one array, with a secret string between each two of them. The secret is
random, made when the process starts, never shown and never pickled.

**Claim.** If the array of n records is read, has 2n - 1 elements, and each element at an odd
index is the secret, then each record is one JSON text. *Argument:* A record that holds two
texts adds an element, and one that holds a part of a text takes an element away. Both move a
secret to another index or into a record, and no other record can make up for that, because
it cannot hold the secret. *Tests:* ``test_each_record_is_one_text_or_none_is_read``,
``test_the_secret_is_another_one_in_each_process``.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from stringzilla import bytesum, count_byteset, translate

from nestdecode.text.scan import BRACKETS

__all__ = ["JOINING", "Admits", "Joined", "Together", "apart", "crowded", "joined", "joined_lines"]

# 64 random bits.
_SECRET = os.urandom(8).hex()
_SEPARATOR = f',"{_SECRET}",'
_SEPARATOR_BYTES = _SEPARATOR.encode()
# Returns whether a record, its layers shut, is one that the caller can do.
Admits = Callable[[Any], bool]
# Bytes that are looked at together. No record that is as short lies in more than two windows.
_WINDOW = 1 << 12
# 255 for opening brackets, 0 for all other bytes.
_OPENERS = bytes(255 if byte in BRACKETS else 0 for byte in range(256))


class Joined(NamedTuple):
    """
    Several records as one text.

    Attributes:
        text: An array of the records, with the secret between them.
        records: The number of records.
        given: The records as they came: a list, or whole lines.
    """

    text: bytes
    records: int
    given: list[bytes] | list[str] | bytes

    @property
    def size(self) -> int:
        """The bytes of all records together, without the newlines between lines."""
        return len(self.text) - 2 - (self.records - 1) * len(_SEPARATOR)

    @property
    def longest(self) -> int:
        """The bytes of the longest record, or more."""
        given = self.given
        longest = max(map(len, given.split(b"\n") if isinstance(given, bytes) else given))
        return longest if given.__class__ is bytes or isinstance(given[0], bytes) else 4 * longest

    def is_longer(self, size: int) -> bool:
        """Return whether a record may have more than *size* bytes."""
        return len(self.text) > size and self.longest > size


def joined(records: list[bytes] | list[str]) -> Joined:
    """
    Join records, at least one.

    Raises:
        TypeError: If they are neither all bytes nor all str.
        UnicodeEncodeError: If one of them holds a lone surrogate.
    """
    if set(map(type, records)) == {bytes}:
        text = b"[" + _SEPARATOR_BYTES.join(records) + b"]"  # type: ignore[arg-type]
    else:
        text = f"[{_SEPARATOR.join(records)}]".encode()  # type: ignore[arg-type]
    return Joined(text, len(records), records)


def joined_lines(lines: bytes) -> Joined:
    """Join whole lines, at least one."""
    text = b"[" + lines[:-1].replace(b"\n", _SEPARATOR_BYTES) + b"]"
    # Each newline has become a separator, which is longer by this number of bytes.
    number = (len(text) - len(lines) - 1) // (len(_SEPARATOR) - 1) + 1
    return Joined(text, number, lines)


def apart(values: Any, joined: Joined, admits: Admits | None = None) -> list[Any]:
    """
    Return the value of each record, in order.

    Args:
        values: The value of the joined text: an array.
        joined: The records.
        admits: Whether a record, its layers shut, is admitted; None admits all.

    Raises:
        ValueError: If a record is not one JSON text, or is not admitted.
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
    Return whether a record may hold more than *most* containers, those in layers included.

    Args:
        joined: The records; their text hides nothing (``scan.hides``).
        most: Containers that each record may hold.
        classes: A translation of their text with 255 for opening brackets; None to make it.
    """
    text = joined.text
    if classes is None:
        classes = translate(text, _OPENERS)
    if bytesum(classes) <= 255 * most:
        return False
    longest = joined.longest
    # n containers take 2n bytes.
    if longest <= 2 * most:
        return False
    size, half = max(longest, _WINDOW), most // 2
    return any(
        bytesum(classes[at : at + size]) > 255 * half
        and count_byteset(text[at : at + size], BRACKETS) > half
        for at in range(0, len(text), size)
    )


# Batches done record by record, at most, after one that could not be done at once.
LONGEST_APART = 1024


class Together:
    """
    Does a batch of records at once, and pauses after batches for which that fails.

    Thread-safe.

    Args:
        many: From joined records to a result for each, or None if it cannot do the batch.
    """

    def __init__(self, many: Callable[..., list[Any] | None]) -> None:
        self._many = many
        self._rest = self._left = 0

    def __call__(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """
        Return the result for each record, or None if each has to be done alone.

        Args:
            joined: The records.
            admits: Whether a record, its layers shut, is admitted; None admits all.
        """
        if self._left:
            self._left -= 1
            return None
        found = self._many(joined, admits)
        if found is None:
            # The whole batch is read again. The more often, the more batches are skipped.
            self._rest = self._left = min(4 * self._rest + 1, LONGEST_APART)
        else:
            self._rest //= 2
        return found


# The names by which generated code reads several records.
JOINING: dict[str, Callable[..., Any]] = {"apart": apart, "crowded": crowded}
