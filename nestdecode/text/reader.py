"""
Values from JSON text: RFC 8259, UTF-8, exact integers.

msgspec reads: it is as fast as orjson, and exact, where orjson turns an integer beyond 64
bits into a float without an error. JSON that msgspec refuses (lone surrogates) is read on the
exact path, by the standard library; so is every text if numbers have to keep their text, or
repeated names are refused. orjson finds what is wrong with a malformed text, and where.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

import msgspec
import orjson
from stringzilla import contains, count_byteset

from nestdecode.errors import DecodeError, LimitError
from nestdecode.text.depth import DEEPEST, brackets, is_deeper, may_be_deep, nesting, refuse_deep
from nestdecode.text.scan import BRACKETS, ESCAPE, hides, may_hold_long_integer
from nestdecode.words import position

if TYPE_CHECKING:
    from json import JSONDecoder

__all__ = [
    "CHECKS",
    "DUPLICATES",
    "INEXACT",
    "MALFORMED",
    "NUMBERS",
    "RANGES",
    "READERS",
    "REFUSED",
    "WHITESPACE",
    "Budget",
    "Duplicates",
    "Limits",
    "Numbers",
    "Reader",
    "is_cut_short",
    "malformed_at",
]

# How numbers, and members with the same name, are read; the first word is the default.
Numbers = Literal["double", "exact"]
Duplicates = Literal["last", "error"]
NUMBERS: tuple[Numbers, ...] = get_args(Numbers)
DUPLICATES: tuple[Duplicates, ...] = get_args(Duplicates)

# orjson's message for a text that is not at fault.
_NO_MEMORY = "Not enough memory"
# Digits that Python reads; msgspec counts the minus too.
_LONGEST_INTEGER = 4300
WHITESPACE = " \t\n\r"


class Limits(NamedTuple):
    """
    What one record may cost.

    Attributes:
        max_layers: Layers inside one another.
        max_depth: Containers inside one another, counted across layers. At most 254, the
            depth that a written tree may have.
        max_bytes: Bytes that all base64 and gzip layers of a record decode to, together.
        max_record_bytes: Bytes of a record's text.
    """

    max_layers: int = 32
    max_depth: int = 200
    max_bytes: int = 16 << 20
    max_record_bytes: int = 64 << 20


# The lowest and the highest value of each limit.
RANGES = {
    "max_layers": (0, 254),
    "max_depth": (1, 254),
    "max_bytes": (0, 1 << 40),
    "max_record_bytes": (1, 1 << 40),
}


class Budget:
    """
    The bytes that the base64 and gzip layers of one record may still decode to.

    One for each record; not thread-safe. ``total`` are the bytes at first, ``left`` those left.
    """

    __slots__ = ("left", "total")

    def __init__(self, max_bytes: int) -> None:
        self.total: int = max_bytes
        self.left: int = max_bytes

    def take(self, size: int) -> None:
        """
        Spend *size* bytes.

        Raises:
            LimitError: If fewer are left; none are spent then.
        """
        if size > self.left:
            raise LimitError(f"grew past max_bytes={self.total}")
        self.left -= size


# What orjson refuses although it is, or may be, JSON (\ud800 and 1e400), and the bytes that
# stand at the position that it reports then.
_NEEDS_EXACT = rb"\\u[dD][89a-fA-F]|[0-9][eE]|[0-9]{300}"
_MAY_BE_JSON = (*(b"%d" % digit for digit in range(10)), b"-", b"\\", b"")
_loads = msgspec.json.Decoder().decode
# Fast parsers, for code that takes the faster one for each text. orjson turns integers beyond
# 64 bits into floats, and refuses more than 1,024 levels.
READERS: dict[str, Callable[[bytes | str], Any]] = {"orjson": orjson.loads, "msgspec": _loads}
# What they raise for a text that they do not read.
REFUSED = (msgspec.DecodeError, ValueError, RecursionError)


class _Malformed:
    def __repr__(self) -> str:
        return "MALFORMED"


# Returned by ``attempt`` for a text that is not JSON.
MALFORMED = _Malformed()


class Reader:
    """
    Reads JSON text (RFC 8259), with exact integers. Immutable and thread-safe.

    Args:
        limits: ``max_depth`` and ``max_record_bytes`` are checked here.
        numbers: ``double``: numbers other than integers are doubles. ``exact``: those that
            Python would write otherwise are Numbers.
        duplicates: ``last``: the last of several members with one name wins. ``error``:
            repeated names are refused.
        silent: Whether the reasons why layers stay shut are not reported.

    Attributes:
        limits: As given.
        plain: Whether fast parsers do what is asked: ``double`` and ``last``.
        loads: Reads a text on hot paths, and checks no limit. It uses the stack for each
            level; ``loads_for`` returns what reads deep texts.
        refused: The errors that ``loads`` raises for a text that it does not read.
        checks: The names by which generated code reads and checks.
    """

    __slots__ = ("_decoder", "_words", "checks", "limits", "loads", "plain", "refused", "silent")

    def __init__(
        self,
        limits: Limits,
        numbers: Numbers = "double",
        duplicates: Duplicates = "last",
        *,
        silent: bool = False,
    ) -> None:
        self.limits: Limits = limits
        self.silent: bool = silent
        self.plain: bool = (numbers, duplicates) == (NUMBERS[0], DUPLICATES[0])
        self._words = numbers, duplicates
        self._decoder: JSONDecoder | None = None
        self.loads: Callable[[bytes | str], Any] = _loads if self.plain else self._loads_slowly
        self.refused: tuple[type[Exception], ...] = REFUSED
        self.checks: dict[str, Any] = CHECKS | {"REFUSED": self.refused, "loads": self.loads}

    def loads_for(self, raw: bytes) -> Callable[[bytes | str], Any]:
        """
        Return the function that reads *raw* and its layers on any stack, instead of ``loads``.

        Args:
            raw: A record that may hold more than ``max_depth`` containers inside one
                another.
        """
        if not self.plain:
            return self.loads
        return self.loads_counting if may_hold_long_integer(raw) else orjson.loads

    def may_be_deep(self, raw: bytes) -> bool:
        """Return whether a record may be deeper than ``max_depth``, its layers included."""
        most = self.limits.max_depth
        # n containers take 2n bytes.
        return len(raw) > 2 * most and (
            count_byteset(raw, BRACKETS) > most or (contains(raw, ESCAPE) and hides(raw))
        )

    def loads_counting(self, text: bytes | str) -> Any:
        """Return the value of a text, on any stack; refuse a text that is too deep for that."""
        if self.plain:
            refuse_deep(text)
        return self.loads(text)

    def _loads_slowly(self, text: bytes | str) -> Any:
        refuse_deep(text)
        decoder = self._exactly()
        return decoder.decode(text if isinstance(text, str) else text.decode())

    def _exactly(self) -> JSONDecoder:
        if self._decoder is None:
            from nestdecode.text.exact import decoder_of  # late: seldom needed, and slow to import

            self._decoder = decoder_of(*self._words)
        return self._decoder

    def is_malformed(self, refusal: Exception, text: bytes | str) -> bool:
        """
        Return whether an error of ``loads`` proves that a text is not JSON.

        Args:
            refusal: The error.
            text: The text.
        """
        if refusal.__class__ is msgspec.DecodeError:
            # It calls an escaped lone surrogate malformed. Very deep texts are too deep first.
            has_escape = b"\\u" in text if isinstance(text, bytes) else "\\u" in text
            return not has_escape and not may_be_deep(text)
        # Or it is JSON with a number out of range: if reasons are not reported, the layer
        # stays shut in the same way.
        return (
            self.silent
            and refusal.__class__ is msgspec.ValidationError
            and len(text) < _LONGEST_INTEGER
        )

    def parse_record(self, document: bytes | bytearray | memoryview | str) -> Any:
        """
        Return the value of a record's text. A leading byte order mark is dropped.

        Raises:
            DecodeError: If it is not one JSON text.
            LimitError: If it is too large or too deep, or holds a number or a repeated name
                that is refused.
        """
        if isinstance(document, (bytearray, memoryview)):
            # Copied: the bytes that are checked must be those that are parsed.
            document = bytes(document)
        most = self.limits.max_record_bytes
        size = len(document)
        if isinstance(document, str) and size <= most < size * 4:
            size = len(document.encode("utf-8", "surrogatepass"))
        if size > most:
            raise LimitError(f"longer than max_record_bytes={most}")
        if isinstance(document, str):
            document = document.removeprefix("\ufeff")
        else:
            document = document.removeprefix(b"\xef\xbb\xbf")
        return self.parse(document)

    def parse(self, text: bytes | str, depth: int = 0) -> Any:
        """
        Return the value of one JSON text without a byte order mark.

        Args:
            text: UTF-8 bytes, or a string.
            depth: Containers around the text.

        Raises:
            DecodeError: If it is not JSON.
            LimitError: If it is too deep, or holds a number or a repeated name that is
                refused.
        """
        value = self.attempt(text, depth, why=True)
        assert value is not MALFORMED
        return value

    def attempt(self, text: bytes | str, depth: int = 0, *, why: bool = False) -> Any:
        """
        Return the value of one JSON text, or MALFORMED if it is not JSON.

        Args:
            text: As for ``parse``.
            depth: As for ``parse``.
            why: Whether to raise the reason instead of returning MALFORMED.

        Raises:
            DecodeError: If it is not JSON, and *why* is true.
            LimitError: As ``parse``.
        """
        left = self.limits.max_depth - depth
        # A container takes two characters, so a short text is surely shallow, as is one
        # with few brackets, wherever they stand.
        shallow = len(text) < 2 * left + 2 or brackets(text) <= left
        loads = self.loads
        if shallow and isinstance(text, str) and ("\\ud" in text or "\\uD" in text):
            # Mostly a lone surrogate, which only the standard library reads.
            value = self._attempt_exactly(text)
            if value is not MALFORMED:
                return value
        if not shallow:
            loads = self.loads_for(text if isinstance(text, bytes) else _encoded(text))
        refused_at_once = False
        try:
            value = loads(text)
        except self.refused as error:
            if not why:
                refused_at_once = self.is_malformed(error, text)
        else:
            if not shallow and (left < 0 or is_deeper(value, left)):
                raise LimitError(f"deeper than max_depth={self.limits.max_depth}")
            return value
        if refused_at_once:
            return MALFORMED
        return self._attempt_slowly(text, left, why=why)

    def _attempt_exactly(self, text: str) -> Any:
        """Return the value of a shallow text by the standard library, or MALFORMED."""
        try:
            value, end = self._exactly().raw_decode(text)
        except ValueError:
            return MALFORMED  # or blanks come first, or it is refused: the caller goes on
        return value if end == len(text) else MALFORMED

    def mistake(self, text: str, depth: int) -> str:
        """Return the reason that ``parse`` gives for a text; empty if one look finds none."""
        left = self.limits.max_depth - depth
        is_shallow = len(text) < 2 * left + 2 or brackets(text) <= left
        return _mistake(_encoded(text)) if is_shallow else ""

    def _attempt_slowly(self, text: bytes | str, left: int, *, why: bool) -> Any:
        """Return the value of a text that a fast parser refused, or raise or return why."""
        raw = _encoded(text) if isinstance(text, str) else text
        mistake = _mistake(raw)
        depth = nesting(raw, left)
        # Malformed, whatever its depth, unless it is too deep for any parser to decide.
        if mistake and depth <= DEEPEST:
            if why:
                raise DecodeError(mistake)
            return MALFORMED
        from nestdecode.text.exact import is_json, parse_exactly

        if depth > DEEPEST or (depth > left and is_json(raw)):
            raise LimitError(f"deeper than max_depth={self.limits.max_depth}")
        if isinstance(text, bytes):
            _check_utf8(text)
        try:
            return parse_exactly(text if isinstance(text, str) else text.decode(), self._exactly())
        except LimitError:
            raise
        except DecodeError:
            if why:
                raise
        return MALFORMED


def _mistake(raw: bytes) -> str:
    """Return what orjson finds wrong with a text; empty if the exact path has to decide."""
    if not raw.isascii():
        return ""
    try:
        orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        # Only these facts leave the block: the error keeps the whole input.
        reason, line, column, pos = error.msg, error.lineno, error.colno, error.pos
    else:
        return ""
    # orjson refuses some JSON, and reports the position where that begins.
    if raw[pos : pos + 1] in _MAY_BE_JSON and re.search(_NEEDS_EXACT, raw):
        return ""
    if reason.startswith(_NO_MEMORY):
        raise MemoryError
    reason = reason[:1].lower() + reason[1:]
    return f"invalid JSON: {reason}: {position(pos, line, column)}"


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    else:
        return
    raise DecodeError(f"invalid JSON: not UTF-8: byte {start}")


def malformed_at(text: bytes) -> int | None:
    """
    Return the offset of the byte at which *text* is no longer the beginning of a JSON text.

    None if it is a JSON text, or cut short: more bytes may make it one.
    """
    at = _fails_at(text)
    return None if at is None or at >= len(text.rstrip(_BLANKS)) else at


def is_cut_short(text: bytes) -> bool:
    """Return whether *text* is not a JSON text, and fails only at its end."""
    at = _fails_at(text)
    return at is not None and at >= len(text.rstrip(_BLANKS))


def _fails_at(text: bytes) -> int | None:
    """Return the offset of the byte at which *text* is not JSON; None if it is JSON."""
    text = text.rstrip(_BLANKS)
    end = len(text)
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        if error.end < end or error.reason != "unexpected end of data":
            return error.start
        text = text[: error.start]
        decoded = text.decode()
    try:
        orjson.loads(_with_stand_ins(text))
    except orjson.JSONDecodeError as error:
        return len(decoded[: error.pos].encode()) if error.pos < len(decoded) else end
    return None if len(text) == end else end


_BLANKS = WHITESPACE.encode()
_SURROGATE = rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}"
_EXPONENT = rb"([0-9][eE][+-]?)([0-9]+)"
_LONG = rb"(?<![.0-9])[1-9][0-9]{299,}(?:\.[0-9]+|\.\Z)?"


def _with_stand_ins(text: bytes) -> bytes:
    """Replace JSON that orjson refuses by JSON of the same length that it reads."""
    text = re.sub(_SURROGATE, rb"\\u0020", text)
    text = re.sub(_EXPONENT, lambda found: found[1] + b"0" * len(found[2]), text)
    return re.sub(_LONG, lambda found: b"0." + b"0" * (len(found[0]) - 2), text)


# The names by which generated code checks; a Reader adds those by which it reads.
CHECKS: dict[str, Any] = {
    "BRACKETS": BRACKETS,
    "ESCAPE": ESCAPE,
    "contains": contains,
    "count_byteset": count_byteset,
    "hides": hides,
    "is_deeper": is_deeper,
    "may_hold_long_integer": may_hold_long_integer,
}
# For code that looks at its answer: orjson is faster for long texts, and turns integers beyond
# 64 bits into floats. may_hold_long_integer returns whether there can be any.
INEXACT = {"loads": orjson.loads}
