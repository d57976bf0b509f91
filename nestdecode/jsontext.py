"""
JSON text to values and back: RFC 8259, UTF-8, exact integers.

msgspec reads: as fast as orjson, and exact, where orjson turns integers beyond 64 bits
into floats in silence. What it refuses although it is JSON (lone surrogates) takes the
exact path through the standard library. orjson writes, and says what is wrong with a
text, and where. No other module imports either.
"""

from __future__ import annotations

import json
import marshal
import re
from dataclasses import dataclass
from typing import Any, ClassVar, NoReturn

import msgspec
import orjson
from stringzilla import contains, count, count_byteset, translate

from nestdecode.errors import DecodeError, LimitError

__all__ = [
    "Limits",
    "depth_of",
    "dump",
    "is_cut_short",
    "malformed_at",
    "pack",
    "parse",
    "parse_record",
]

# What the hot paths call, and what that raises for text that it does not read.
loads = msgspec.json.Decoder().decode
REFUSED = (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError)

# What orjson writes inside one another.
_DEEPEST = 254
WHITESPACE = " \t\n\r"


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What one record may cost.

    Attributes:
        max_layers: Layers inside one another.
        max_depth: Containers inside one another, counted across layers. At most
            254, the depth to which a tree can be written again.
        max_bytes: What all base64 and gzip layers of a record decode to, together.
        max_record_bytes: Size of a record's text.
    """

    max_layers: int = 32
    max_depth: int = 200
    max_bytes: int = 16 << 20
    max_record_bytes: int = 64 << 20

    # What a limit may be set to, both ends included.
    RANGES: ClassVar[dict[str, tuple[int, int]]] = {
        "max_layers": (0, 254),
        "max_depth": (1, 254),
        "max_bytes": (0, 1 << 40),
        "max_record_bytes": (1, 1 << 40),
    }


# What orjson refuses although it is, or may be, RFC 8259 text: \ud800 and 1e400.
_NEEDS_EXACT = re.compile(rb"\\u[dD][89a-fA-F]|[0-9][eE]|[0-9]{300}")


def parse_record(document: bytes | bytearray | memoryview | str, limits: Limits) -> Any:
    """
    Read the text of one record. A leading byte order mark is dropped.

    Raises:
        DecodeError: If it is not one JSON text.
        LimitError: If it is too large, too deep, or holds an unholdable number.
    """
    if isinstance(document, (bytearray, memoryview)):
        # Copied: what is checked must be what is parsed.
        document = bytes(document)
    if isinstance(document, str):
        size = len(document)
        if size <= limits.max_record_bytes < size * 4:
            size = len(document.encode("utf-8", "surrogatepass"))
    else:
        size = len(document)
    if size > limits.max_record_bytes:
        raise LimitError(f"longer than max_record_bytes={limits.max_record_bytes}")
    if isinstance(document, str):
        document = document.removeprefix("\ufeff")
    else:
        document = document.removeprefix(b"\xef\xbb\xbf")
    return parse(document, limits)


# What the checks of the hot paths are made of.
BRACKETS = b"{["
ESCAPE = b"\\u00"
# Escapes that can stand for brackets, quotes and blanks, and those that such an escape,
# its hex digits included, can be written with one layer further in.
_HIDING = re.compile(rb"\\u00(?:09|0[aAdD]|2[02]|3[0-9]|4[1-6]|5[bBcC]|6[1-6]|6[eE]|7[245]|7[bB])")
_HARMLESS = (b"\\u00e", b"\\u0026", b"\\u003c", b"\\u003e", b"\\u0027")


# Digits and the minus as 0; as colons what stands before a number, escaped blanks too.
_NUMBERS = bytes(
    ord("0") if byte in b"0123456789-" else ord(":") if byte in b":,[ \t\r\ntnr" else ord("x")
    for byte in range(256)
)


def may_hold_long_integer(raw: bytes) -> bool:
    """Tell whether *raw* may hold an integer of 19 digits or more, at any layer."""
    return hides(raw) or bool(contains(translate(raw, _NUMBERS), b":" + b"0" * 19))


def hides(raw: bytes) -> bool:
    """
    Tell whether *raw* may hide from its bytes what is in its layers.

    Take the first text, from the outside, in which such an escape occurs: its characters
    are literal in all texts around it, so the raw bytes hold it literally. If they hold
    none, the brackets and quotes of every layer are seen in them.
    """
    if not contains(raw, ESCAPE):
        return False
    harmless = sum(count(raw, escape) for escape in _HARMLESS)
    return bool(harmless != count(raw, ESCAPE)) and _HIDING.search(raw) is not None


def parse(text: bytes | str, limits: Limits, depth: int = 0) -> Any:
    """
    Read one JSON text: RFC 8259, no byte order mark, last of duplicate keys.

    Args:
        text: UTF-8 bytes, or a string.
        limits: ``max_depth`` of them counts here.
        depth: How many containers are around the text already.

    Raises:
        DecodeError: If it is not JSON.
        LimitError: If it is too deep, or holds a number that can't be held.
    """
    try:
        value = loads(text)
    except REFUSED:
        pass
    else:
        _check_depth(text, value, limits, depth)
        return value
    reason: str | None
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        # Only the facts leave this block: the error itself keeps the whole input.
        reason, line, column, pos = error.msg, error.lineno, error.colno, error.pos
    else:
        # The stack is nearly used up, or a number is too long: the exact path decides.
        reason, line, column, pos = None, 0, 0, 0
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if _nesting(raw, limits.max_depth - depth) > limits.max_depth - depth:
        # orjson's own limit is deeper than ours, so its word is not needed.
        raise LimitError(f"deeper than max_depth={limits.max_depth}")
    if isinstance(text, bytes):
        _check_utf8(text)
    if reason is not None and not _NEEDS_EXACT.search(raw) and raw.isascii():
        raise DecodeError(f"invalid JSON: {reason}: line {line} column {column} (char {pos})")
    value = _parse_exactly(text)
    _check_depth(text, value, limits, depth)
    return value


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    else:
        return
    raise DecodeError(f"invalid JSON: not UTF-8: byte {start}")


def _not_json(_constant: str) -> NoReturn:
    raise _NotJsonError


def _exact_integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # sys.set_int_max_str_digits
        raise _UnholdableNumberError from None


def _exact_float(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise _UnholdableNumberError
    return value


class _UnholdableNumberError(Exception):
    """A number that no int and no double holds."""


class _NotJsonError(Exception):
    """NaN, Infinity or -Infinity."""


_exact = json.JSONDecoder(
    parse_int=_exact_integer, parse_float=_exact_float, parse_constant=_not_json
)


def _parse_exactly(text: bytes | str) -> Any:
    if isinstance(text, bytes):
        text = text.decode()
    if text.startswith("\ufeff"):
        raise DecodeError("invalid JSON: unexpected byte order mark: line 1 column 1")
    try:
        return _exact.decode(text)
    except json.JSONDecodeError as error:
        reason = (
            f"invalid JSON: {error.msg[0].lower()}{error.msg[1:]}: "
            f"line {error.lineno} column {error.colno} (char {error.pos})"
        )
    except _NotJsonError:
        reason = "invalid JSON: NaN and Infinity are not JSON"
    except _UnholdableNumberError:
        raise LimitError(
            "number too large: wanted at most 4300 digits, or a finite double"
        ) from None
    except RecursionError:
        raise LimitError("too deep to be read") from None
    raise DecodeError(reason)


def is_deeper(value: Any, max_depth: int) -> bool:
    """Tell whether more than *max_depth* containers (at most 254) are inside one another."""
    wrapped = value
    for _ in range(_DEEPEST - max_depth):
        wrapped = [wrapped]
    try:
        # orjson refuses what is deeper than it writes, and is the fastest to find out.
        orjson.dumps(wrapped)
    except TypeError:
        # Or a big integer, or a lone surrogate.
        return depth_of(value) > max_depth
    return False


def depth_of(value: Any) -> int:
    """Count the containers inside one another, 0 for a scalar. Level by level."""
    depth = 0
    level = [value] if type(value) is dict or type(value) is list else []
    while level:
        depth += 1
        below: list[Any] = []
        for container in level:
            children = container.values() if type(container) is dict else container
            below.extend(child for child in children if type(child) is dict or type(child) is list)
        level = below
    return depth


def _check_depth(text: bytes | str, value: Any, limits: Limits, depth: int) -> None:
    left = limits.max_depth - depth
    # A container takes two characters, so a short text is proof enough; so are
    # few brackets, wherever they stand.
    if len(text) < 2 * left + 2:
        return
    if isinstance(text, bytes):
        brackets = text.count(b"{") + text.count(b"[")
    else:
        brackets = text.count("{") + text.count("[")
    if brackets > left and (left < 0 or is_deeper(value, left)):
        raise LimitError(f"deeper than max_depth={limits.max_depth}")


# Possessive, so that a string without an end costs one pass.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)


def _nesting(raw: bytes, max_depth: int) -> int:
    """Count how deep the brackets outside strings go, in text that did not parse."""
    if raw.count(b"{") + raw.count(b"[") <= max_depth:
        return 0
    depth = deepest = 0
    for match in _TOKEN.finditer(raw):
        token = raw[match.start()]
        if token in b"[{":
            depth += 1
            if depth > deepest:
                deepest = depth
        elif token in b"]}":
            depth -= 1
            if depth < 0:
                break
    return deepest


_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F][0-9a-fA-F]{2}")


def malformed_at(text: bytes) -> int | None:
    """
    Return the byte at which *text* stops being the beginning of a JSON text.

    None if it is a JSON text, or only cut short: then more may make it one.
    """
    text = text.rstrip(b" \t\r\n")
    try:
        decoded = text.decode()
    except UnicodeDecodeError as error:
        if error.end < len(text) or error.reason != "unexpected end of data":
            return error.start
        text = text[: error.start]
        decoded = text.decode()
    # A lone surrogate is no reason: the exact path reads it.
    text = _SURROGATE.sub(rb"\\u0020", text)
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.pos < len(decoded):
            return len(decoded[: error.pos].encode())
    return None


def is_cut_short(text: bytes) -> bool:
    """Tell whether *text* is no JSON text, but fails only at its very end."""
    if malformed_at(text) is not None:
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return True
    return False


_PLAIN = (
    orjson.OPT_PASSTHROUGH_SUBCLASS
    | orjson.OPT_PASSTHROUGH_DATACLASS
    | orjson.OPT_PASSTHROUGH_DATETIME
)
_PRETTY = _PLAIN | orjson.OPT_INDENT_2


def dump(value: Any, *, indent: int | None = None) -> bytes:
    """
    Write *value* as UTF-8 JSON, without a newline at its end.

    Integers of any size are written exactly, lone surrogates as ``\\ud800``.

    Args:
        value: A tree.
        indent: Spaces a level, or None for the compact form.

    Raises:
        DecodeError: If the tree holds something that JSON does not know.
    """
    option = _PLAIN if indent is None else _PRETTY if indent == 2 else None
    if option is not None:
        try:
            return orjson.dumps(value, None, option)
        except TypeError:
            pass  # a big integer or a lone surrogate: the exact path knows both
    try:
        text = json.dumps(
            value,
            ensure_ascii=False,
            allow_nan=False,
            indent=indent,
            separators=(",", ":") if indent is None else None,
        )
    except (TypeError, ValueError, RecursionError):
        pass
    else:
        # A lone surrogate can't be encoded; its Python escape is its JSON escape.
        return text.encode("utf-8", "backslashreplace")
    raise DecodeError("not JSON: the tree holds a value that JSON can't write")


_packed = msgspec.msgpack.Encoder().encode


def pack(value: Any) -> bytes | None:
    """
    Return bytes that are the same for the same tree: by type, value and order of members.

    They are for comparison within one process. None if it can't be told, as for a tree
    that holds itself.
    """
    try:
        return _packed(value)
    except (TypeError, ValueError, OverflowError, RecursionError):
        pass  # a big integer or a lone surrogate
    try:
        # Later versions depend on reference counts.
        return marshal.dumps(value, 2)
    except ValueError:
        return None


# The names that generated code reads and checks with.
CHECKS: dict[str, Any] = {
    "BRACKETS": BRACKETS,
    "ESCAPE": ESCAPE,
    "REFUSED": REFUSED,
    "contains": contains,
    "count_byteset": count_byteset,
    "hides": hides,
    "is_deeper": is_deeper,
    "loads": loads,
    "may_hold_long_integer": may_hold_long_integer,
}
# For who looks at what was read: faster where texts are long, and integers beyond 64 bits
# are floats, unless may_hold_long_integer says that there are none.
CHECKS_INEXACT = CHECKS | {"REFUSED": (ValueError,), "loads": orjson.loads}
