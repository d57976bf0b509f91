"""Dead letters: records set aside, as lines of JSON from which they can be had back."""

from __future__ import annotations

import json
from typing import Any

from nestdecode.errors import DecodeError, QueryError
from nestdecode.jsontext import dump

__all__ = ["DeadLetter", "original"]


class DeadLetter:
    """
    A record set aside, with the reason.

    Attributes:
        line: Where it begins in its source, from 1.
        offset: Where it begins, in bytes from 0, after decompression.
        raw: Its bytes, without the line's LF.
        error: Why. Its pointer is empty if the record itself can't be read.
        skipped: Bytes after ``raw`` that were not kept, because it is too long.
    """

    __slots__ = ("error", "line", "offset", "raw", "skipped")

    def __init__(
        self, line: int, offset: int, raw: bytes, error: DecodeError | QueryError, skipped: int = 0
    ) -> None:
        self.line = line
        self.offset = offset
        self.raw = raw
        self.error = error
        self.skipped = skipped

    def encode(self, source: str) -> bytes:
        """
        Return it as one line of JSON, without the LF.

        Its members are ``source``, ``line``, ``offset``, ``reason`` (the error's code),
        ``message``, ``pointer``, and ``raw`` if the bytes are UTF-8, else ``raw_base64``;
        and ``skipped`` if some were not kept. Nothing but ``raw`` and the names in
        ``pointer`` comes from the record.

        Args:
            source: The name of the file or stream that the record came from.
        """
        letter: dict[str, Any] = {
            "source": source,
            "line": self.line,
            "offset": self.offset,
            "reason": self.error.code,
            "message": self.error.reason,
            "pointer": getattr(self.error, "pointer", ""),
        }
        try:
            letter["raw"] = self.raw.decode()
        except UnicodeDecodeError:
            import binascii

            letter["raw_base64"] = binascii.b2a_base64(self.raw, newline=False).decode()
        if self.skipped:
            letter["skipped"] = self.skipped
        return dump(letter)


def original(line: bytes) -> bytes:
    """
    Return the bytes of a record from a line that ``DeadLetter.encode`` wrote.

    Raises:
        DecodeError: If it is no such line, or if some of the record was not kept.
    """
    try:
        letter = json.loads(line)
        skipped = letter.get("skipped", 0)
        if type(skipped) is not int or skipped < 0:
            reason = "not a dead letter"
        elif skipped:
            reason = f"too long to be kept: {skipped:,} of its bytes are not here"
        elif "raw" in letter:
            return str.encode(letter["raw"])
        else:
            import binascii

            return binascii.a2b_base64(str.encode(letter["raw_base64"]), strict_mode=True)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        reason = "not a dead letter"
    raise DecodeError(reason)
