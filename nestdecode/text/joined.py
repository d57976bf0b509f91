"""
Several records that are proven at once: what their bytes have to show is looked up in all of
them together. Each is read alone.

Between two records stands a newline. No pattern of ``scan`` and ``swift`` holds one, except
that it can follow an integer, as it does at the end of a record. So nothing is found across
two records that is in neither of them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from stringzilla import bytesum, count_byteset

from nestdecode.text.scan import BRACKETS

__all__ = [
    "JOINING",
    "Admits",
    "Joined",
    "Together",
    "crowded",
    "joined",
    "joined_lines",
    "read_each",
]

# Returns whether a record, its layers shut, is one that the caller can do.
Admits = Callable[[Any], bool]
# Bytes that are looked at together. No record that is as short lies in more than two windows.
_WINDOW = 1 << 12


class Joined(NamedTuple):
    """
    Several records, and one text of all of them.

    Attributes:
        text: The records in UTF-8, with a newline between two of them, or more.
        records: The text of each record.
    """

    text: bytes
    records: list[Any]

    @property
    def size(self) -> int:
        """The bytes of all records together, of a text that ``joined`` has made."""
        return len(self.text) - len(self.records) + 1

    @property
    def longest(self) -> int:
        """The bytes of the longest record, or more."""
        longest = max(map(len, self.records))
        return longest if isinstance(self.records[0], bytes) else 4 * longest

    def is_longer(self, size: int) -> bool:
        """Return whether a record may have more than *size* bytes."""
        return len(self.text) > size and self.longest > size


def joined(records: list[Any]) -> Joined:
    """
    Join records, at least one.

    Raises:
        TypeError: If they are neither all bytes nor all str.
        UnicodeEncodeError: If one of them holds a lone surrogate.
    """
    if set(map(type, records)) == {bytes}:
        return Joined(b"\n".join(records), records)
    return Joined("\n".join(records).encode(), records)


def joined_lines(lines: bytes) -> Joined:
    """Join whole lines, at least one."""
    return Joined(lines, lines[:-1].split(b"\n"))


def read_each(
    loads: Callable[[bytes | str], Any], joined: Joined, admits: Admits | None = None
) -> list[Any]:
    """
    Return the value of each record, in order.

    Args:
        loads: Reads a record.
        joined: The records.
        admits: Whether a record, its layers shut, is admitted; None admits all.

    Raises:
        ValueError: If a record is not admitted; and what *loads* raises.
    """
    trees = [*map(loads, joined.records)]
    if admits is not None and not all(map(admits, trees)):
        raise ValueError("a record is not admitted")
    return trees


def crowded(joined: Joined, most: int, classes: bytes | None = None) -> bool:
    """
    Return whether a record may hold more than *most* containers, those in layers included.

    Args:
        joined: The records; their text hides nothing (``scan.hides``).
        most: Containers that each record may hold.
        classes: A translation of their text with 255 for opening brackets, or None.
    """
    text = joined.text
    if classes is not None and bytesum(classes) <= 255 * most:
        return False
    longest = joined.longest
    # n containers take 2n bytes.
    if longest <= 2 * most:
        return False
    size, half = max(longest, _WINDOW), most // 2
    return any(
        (classes is None or bytesum(classes[at : at + size]) > 255 * half)
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
JOINING: dict[str, Callable[..., Any]] = {"read_each": read_each, "crowded": crowded}
