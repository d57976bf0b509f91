"""Dead letters: records set aside as lines of JSON, from which their bytes can be restored."""

from __future__ import annotations

import json
from typing import Any

from nestdecode.errors import DecodeError, LimitError, QueryError
from nestdecode.text.reader import Limits
from nestdecode.text.write import dump
from nestdecode.words import count

__all__ = ["DeadLetter", "original"]

# Control characters that JSON writes as six bytes each.
_CONTROLS = bytes(set(range(32)) - set(b"\b\t\n\f\r"))
# Bytes of a letter without its record, at most.
_BESIDES = 1 << 20


class DeadLetter:
    """
    A record set aside, with the reason.

    Attributes:
        line: The line at which it begins in its source, from 1.
        offset: The byte at which it begins, from 0, after decompression. For lines that are
            str, and for input in UTF-16 or UTF-32, bytes of UTF-8 are counted.
        raw: Its bytes, without the line's LF; the beginning of them if it is too long.
        error: The reason. Its pointer is empty if the record itself could not be read.
        skipped: Bytes after ``raw`` that were not kept.
        encoding: The encoding of its source, ``UTF-16LE``, ``json-seq`` or another name; None
            for lines of UTF-8.
            ``raw`` is UTF-8 all the same.
    """

    __slots__ = ("encoding", "error", "line", "offset", "raw", "skipped")

    def __init__(
        self,
        line: int,
        offset: int,
        raw: bytes,
        error: DecodeError | QueryError,
        skipped: int = 0,
        encoding: str | None = None,
    ) -> None:
        self.line: int = line
        self.offset: int = offset
        self.raw: bytes = raw
        self.error: DecodeError | QueryError = error
        self.skipped: int = skipped
        self.encoding: str | None = encoding

    def __repr__(self) -> str:
        size = count(len(self.raw) + self.skipped, "byte")
        return f"<DeadLetter: line {self.line}, {size}: {self.error}>"

    def encode(self, source: str) -> bytes:
        """
        Return it as one line of JSON, without the LF.

        Its members are ``source``, ``line``, ``offset``, ``code``, ``reason`` and ``pointer``
        of the error, and ``raw`` if the bytes are UTF-8 and no more than a
        quarter of them control characters, else ``raw_base64``; ``skipped`` if some were
        not kept; and ``encoding`` if the source was not in UTF-8. Nothing but ``raw`` and
        the names in ``pointer`` comes from the record.

        Args:
            source: The name of the file or stream that the record came from.
        """
        letter: dict[str, Any] = {
            "source": source,
            "line": self.line,
            "offset": self.offset,
            "code": self.error.code,
            "reason": self.error.reason,
            "pointer": getattr(self.error, "pointer", ""),
        }
        text = self._text()
        if text is None:
            import binascii

            letter["raw_base64"] = binascii.b2a_base64(self.raw, newline=False).decode()
        else:
            letter["raw"] = text
        if self.skipped:
            letter["skipped"] = self.skipped
        if self.encoding is not None:
            letter["encoding"] = self.encoding
        return dump(letter)

    def _text(self) -> str | None:
        """Return the record as text; None if it is not UTF-8, or mostly control characters."""
        controls = len(self.raw) - len(self.raw.translate(None, _CONTROLS))
        if controls > len(self.raw) // 4:
            return None
        try:
            return self.raw.decode()
        except UnicodeDecodeError:
            return None

    @staticmethod
    def most_bytes(max_record_bytes: int) -> int:
        """Return the bytes of the longest letter for records of at most *max_record_bytes*."""
        # At worst a quarter of the record takes six times its size, and the rest twice.
        return 3 * max_record_bytes + _BESIDES


def original(line: bytes, max_record_bytes: int = Limits().max_record_bytes) -> bytes:
    """
    Return the bytes of a record from a line that ``DeadLetter.encode`` wrote.

    Args:
        line: The line, with or without its newline.
        max_record_bytes: Bytes that a record may have.

    Raises:
        DecodeError: If the line is not a dead letter, or if bytes of the record were not
            kept.
        LimitError: If the record is too long.
    """
    raw = _raw(line)
    if len(raw) > max_record_bytes:
        raise LimitError(f"longer than max_record_bytes={max_record_bytes}")
    return raw


def _raw(line: bytes) -> bytes:
    try:
        letter = json.loads(line)
        skipped = letter.get("skipped", 0)
        if type(skipped) is not int or skipped < 0:
            reason = "not a dead letter"
        elif skipped:
            reason = f"too long to be kept: {skipped:,} of its bytes were left out"
        elif "raw" in letter:
            return str.encode(letter["raw"])
        else:
            import binascii

            return binascii.a2b_base64(str.encode(letter["raw_base64"]), strict_mode=True)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError):
        reason = "not a dead letter"
    raise DecodeError(reason)
