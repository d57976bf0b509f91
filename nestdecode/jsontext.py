"""
JSON text to values and back: RFC 8259, UTF-8, exact integers.

msgspec reads: as fast as orjson, and exact, where orjson turns integers beyond 64 bits
into floats in silence. What it refuses although it is JSON (lone surrogates) takes the
exact path through the standard library, and so does everything if the text of numbers
is to be kept, or repeated names are to be refused. orjson says what is wrong with a text,
and where. msgspec writes: ``orjson.dumps`` writes past its buffer for arrays nested in
arrays, so nothing that a stranger can shape goes through it. No other module imports
either.
"""

from __future__ import annotations

import functools
import gc
import itertools
import json
import marshal
import math
import operator
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, Context, Decimal
from typing import Any, Literal, NamedTuple, NoReturn, get_args

import msgspec
import orjson
from stringzilla import contains, count, count_byteset, translate

from nestdecode.errors import DecodeError, LimitError

__all__ = [
    "DEEPEST",
    "DUPLICATES",
    "NUMBERS",
    "RANGES",
    "Budget",
    "Duplicates",
    "Limits",
    "Number",
    "Numbers",
    "Reader",
    "dump",
    "encode",
    "is_cut_short",
    "is_deeper",
    "malformed_at",
    "pack",
]

# What becomes of numbers, and of members with the same name; the first is the default.
Numbers = Literal["double", "exact"]
Duplicates = Literal["last", "error"]
NUMBERS: tuple[Numbers, ...] = get_args(Numbers)
DUPLICATES: tuple[Duplicates, ...] = get_args(Duplicates)

# Containers inside one another that fit on any stack, both ways.
DEEPEST = 254
# What it calls malformed although it is not the text's fault.
_NO_MEMORY = "Not enough memory"
# As many digits as Python reads; msgspec counts the minus too.
_LONGEST_INTEGER = 4300
WHITESPACE = " \t\n\r"


class Limits(NamedTuple):
    """
    What one record may cost.

    Attributes:
        max_layers: Layers inside one another.
        max_depth: Containers inside one another, counted across layers. At most
            254, the depth to which a tree is written again.
        max_bytes: What all base64 and gzip layers of a record decode to, together.
        max_record_bytes: Size of a record's text.
    """

    max_layers: int = 32
    max_depth: int = 200
    max_bytes: int = 16 << 20
    max_record_bytes: int = 64 << 20


# What a limit may be set to, both ends included.
RANGES = {
    "max_layers": (0, 254),
    "max_depth": (1, 254),
    "max_bytes": (0, 1 << 40),
    "max_record_bytes": (1, 1 << 40),
}


class Budget:
    """
    The bytes that the base64 and gzip layers of one record may still decode to.

    Not thread-safe: one per record.
    """

    __slots__ = ("left", "total")

    def __init__(self, max_bytes: int) -> None:
        self.total = self.left = max_bytes

    def take(self, size: int) -> None:
        """Spend *size* bytes, or raise LimitError and spend nothing."""
        if size > self.left:
            raise LimitError(f"grew past max_bytes={self.total}")
        self.left -= size


# Patterns are compiled when they are first needed: start-up would pay for all of them.
_JSON_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"


def _compared(compare: Callable[[Any, Any], bool]) -> Callable[[float, object], Any]:
    def method(self: float, other: object) -> Any:
        if not isinstance(other, (int, float)):
            return NotImplemented
        if isinstance(other, float) and math.isnan(other):
            return compare(0.0, other)
        return compare(_decimal_of(self), _decimal_of(other))

    return method


class Number(float):
    """
    A number that keeps its text, because Python would write another: 1.10, 1E9, 1e400, -0.

    It is compared as a decimal, to 4,300 digits; a plain double then counts as its
    shortest text, or as the integer that it is. Arithmetic takes the nearest double, and
    gives plain numbers.

    >>> Number("1.10").text, Number("1.10") == 1.1, Number("1.10") + 1
    ('1.10', True, 2.1)

    Attributes:
        text: As it was written; read only.
    """

    __slots__ = ("_decimal", "text")
    text: str
    _decimal: Decimal | None

    def __new__(cls, text: str) -> Number:
        """
        Keep a text.

        Raises:
            ValueError: If it is not that of a JSON number.
        """
        if not re.fullmatch(_JSON_NUMBER, text):
            raise ValueError("not the text of a JSON number")
        self = super().__new__(cls, text)
        self.text = text
        self._decimal = None
        return self

    def __repr__(self) -> str:
        return f"Number({self.text!r})"

    def __str__(self) -> str:
        return self.text

    def __reduce__(self) -> tuple[Any, ...]:
        return Number, (self.text,)

    def __hash__(self) -> int:
        value, plain = _decimal_of(self), float(self)
        # What equals a plain double hashes as it does: 1.10 as 1.1.
        return hash(plain if value == _decimal_of(plain) else value)

    __eq__ = _compared(operator.eq)
    __ne__ = _compared(operator.ne)
    __lt__ = _compared(operator.lt)
    __le__ = _compared(operator.le)
    __gt__ = _compared(operator.gt)
    __ge__ = _compared(operator.ge)

    def is_integer(self) -> bool:
        """Tell whether its value is an integer, as that of 1e400 is."""
        value = _decimal_of(self)
        return value == value.to_integral_value()


# As many digits as an integer may have; what is beyond all exponents is the largest, or 0.
_DECIMALS = Context(4300, ROUND_DOWN, MIN_EMIN, MAX_EMAX, traps=[])


def _decimal_of(number: float) -> Decimal:
    """
    Return the value that a number is compared by.

    It orders ints, doubles and Numbers as Python orders ints and doubles, and 1.10 is
    equal to 1.1.
    """
    if type(number) is Number:
        if number._decimal is None:
            number._decimal = _DECIMALS.create_decimal(number.text)
        return number._decimal
    if not isinstance(number, float):
        return _decimal_of_integer(number)
    # The shortest text of a large one is that of another integer than it is: 1e23.
    exact = math.isinf(number) or number.is_integer()
    return Decimal.from_float(number) if exact else Decimal(repr(number))


# Of 4,300 digits it takes as long as reading 100 KB.
_decimal_of_integer = functools.lru_cache(maxsize=256)(Decimal)


# What orjson refuses although it is, or may be, RFC 8259 text: \ud800 and 1e400.
_NEEDS_EXACT = rb"\\u[dD][89a-fA-F]|[0-9][eE]|[0-9]{300}"


_loads = msgspec.json.Decoder().decode
# Readers of plain JSON, for code that takes the faster one of each text. orjson turns
# integers beyond 64 bits into floats, and uses the stack to a level of 1,024 at most.
READERS: dict[str, Callable[[bytes | str], Any]] = {"orjson": orjson.loads, "msgspec": _loads}
# What they raise for text that they do not read.
REFUSED = (msgspec.DecodeError, ValueError, RecursionError)


class _Malformed:
    def __repr__(self) -> str:
        return "MALFORMED"


# What ``attempt`` returns for what is not JSON.
MALFORMED = _Malformed()


class Reader:
    """
    Reads JSON text: RFC 8259, integers exact. Immutable, so that threads may share it.

    Args:
        limits: ``max_depth`` and ``max_record_bytes`` count here.
        numbers: What becomes of numbers that Python would write otherwise: doubles, or
            Numbers.
        duplicates: Whether the last of several members with one name wins, or all are
            refused.
        silent: Whether nobody is told why a layer stays shut.

    Attributes:
        limits: As given.
        plain: Whether nothing is asked for that only the standard library does.
        loads: What hot paths read with: a text to its value, no limit checked. It uses
            the stack for each level; ``loads_for`` says what to read deep texts with.
        refused: What ``loads`` raises for text that it does not read.
        checks: The names that generated code reads and checks with.
    """

    __slots__ = ("_decoder", "checks", "limits", "loads", "plain", "refused", "silent")

    def __init__(
        self,
        limits: Limits,
        numbers: Numbers = "double",
        duplicates: Duplicates = "last",
        *,
        silent: bool = False,
    ) -> None:
        self.limits = limits
        self.silent = silent
        self.plain = (numbers, duplicates) == (NUMBERS[0], DUPLICATES[0])
        self._decoder = _decoder(numbers, duplicates)
        self.loads: Callable[[bytes | str], Any] = _loads if self.plain else self._loads_slowly
        self.refused = REFUSED
        self.checks = CHECKS | {"REFUSED": self.refused, "loads": self.loads}

    def loads_for(self, raw: bytes) -> Callable[[bytes | str], Any]:
        """
        Return what reads *raw* and all its layers on any stack, in the place of ``loads``.

        The caller has seen that *raw* may hold more than ``max_depth`` containers inside
        one another.
        """
        if not self.plain:
            return self.loads
        return self.loads_counting if may_hold_long_integer(raw) else orjson.loads

    def may_be_deep(self, raw: bytes) -> bool:
        """Tell whether a record may be deeper than is allowed, its layers included."""
        most = self.limits.max_depth
        # n containers take 2n characters.
        return len(raw) > 2 * most and (
            count_byteset(raw, BRACKETS) > most or (contains(raw, ESCAPE) and hides(raw))
        )

    def loads_counting(self, text: bytes | str) -> Any:
        """Read any text on any stack: what is too deep for that is refused."""
        if self.plain:
            _refuse_deep(text)
        return self.loads(text)

    def _loads_slowly(self, text: bytes | str) -> Any:
        _refuse_deep(text)
        return self._decoder.decode(text if isinstance(text, str) else text.decode())

    def is_malformed(self, refusal: Exception, text: bytes | str) -> bool:
        """Tell whether what ``loads`` raised proves at once that *text* is not JSON."""
        if refusal.__class__ is msgspec.DecodeError:
            # It takes an escaped lone surrogate for a mistake; what is very deep may be one.
            has_escape = b"\\u" in text if isinstance(text, bytes) else "\\u" in text
            return not has_escape and (len(text) <= DEEPEST or _brackets(text) <= DEEPEST)
        # Or JSON with a number out of range, which comes to the same if nobody is told.
        return (
            self.silent
            and refusal.__class__ is msgspec.ValidationError
            and len(text) < _LONGEST_INTEGER
        )

    def parse_record(self, document: bytes | bytearray | memoryview | str) -> Any:
        """
        Read the text of one record. A leading byte order mark is dropped.

        Raises:
            DecodeError: If it is not one JSON text.
            LimitError: If it is too large, too deep, or holds what is refused: a number
                that can't be held, a name twice.
        """
        if isinstance(document, (bytearray, memoryview)):
            # Copied: what is checked must be what is parsed.
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
        Read one JSON text, with no byte order mark.

        Args:
            text: UTF-8 bytes, or a string.
            depth: How many containers are around the text already.

        Raises:
            DecodeError: If it is not JSON.
            LimitError: If it is too deep, or holds what is refused.
        """
        value = self.attempt(text, depth, why=True)
        assert value is not MALFORMED
        return value

    def attempt(self, text: bytes | str, depth: int = 0, *, why: bool = False) -> Any:
        """
        Do what ``parse`` does, but return MALFORMED for what is not JSON, unless *why*.

        Raises:
            DecodeError: If it is not JSON, and *why*; else only as LimitError.
        """
        left = self.limits.max_depth - depth
        # A container takes two characters, so a short text is proof enough; so are
        # few brackets, wherever they stand.
        shallow = len(text) < 2 * left + 2 or _brackets(text) <= left
        loads = self.loads
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

    def _attempt_slowly(self, text: bytes | str, left: int, *, why: bool) -> Any:
        """Find out what is wrong with a text, or read it in spite of that."""
        raw = _encoded(text) if isinstance(text, str) else text
        reason, line, column, pos = "", 0, 0, 0
        # Else the exact path decides: orjson refuses some of what is JSON.
        if raw.isascii() and not re.search(_NEEDS_EXACT, raw):
            try:
                orjson.loads(raw)
            except orjson.JSONDecodeError as error:
                # Only the facts leave this block: the error itself keeps the whole input.
                reason, line, column, pos = error.msg, error.lineno, error.colno, error.pos
        if reason.startswith(_NO_MEMORY):
            raise MemoryError
        nesting = _nesting(raw, left)
        # What is not JSON is nothing else, unless telling that takes too much of the stack.
        if nesting > DEEPEST or (nesting > left and not reason and _is_json(raw)):
            raise LimitError(f"deeper than max_depth={self.limits.max_depth}")
        if reason:
            if not why:
                return MALFORMED
            raise DecodeError(f"invalid JSON: {reason}: line {line} column {column} (char {pos})")
        if isinstance(text, bytes):
            _check_utf8(text)
        try:
            return _parse_exactly(text if isinstance(text, str) else text.decode(), self._decoder)
        except LimitError:
            raise
        except DecodeError:
            if why:
                raise
        return MALFORMED


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _brackets(text: bytes | str) -> int:
    if isinstance(text, bytes):
        return text.count(b"{") + text.count(b"[")
    return text.count("{") + text.count("[")


def _refuse_deep(text: bytes | str) -> None:
    """Raise RecursionError for what would take much of the stack."""
    if len(text) > DEEPEST and _brackets(text) > DEEPEST:
        raw = _encoded(text) if isinstance(text, str) else text
        if _nesting(raw, DEEPEST) > DEEPEST:
            raise RecursionError


# What the checks of the hot paths are made of.
BRACKETS = b"{["
ESCAPE = b"\\u00"
# Escapes that can stand for brackets, quotes, blanks, digits and the minus, and those that such an escape,
# its hex digits included, can be written with one layer further in.
_HIDING = rb"\\u00(?:09|0[aAdD]|2[02]|2[dD]|3[0-9]|4[1-6]|5[bBcC]|6[1-6]|6[eE]|7[245]|7[bB])"
HARMLESS = (b"\\u00e", b"\\u0026", b"\\u003c", b"\\u003e", b"\\u0027")


# Digits and the minus as 0; as colons what stands before a number: escaped blanks too, and
# the last of what a comma or a colon may be escaped as.
_NUMBERS = bytes(
    ord("0") if byte in b"0123456789-" else ord(":") if byte in b":,[ \t\r\ntnraAcC" else ord("x")
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
    left = count(raw, ESCAPE)
    for escape in HARMLESS:
        left -= count(raw, escape)
        if not left:
            return False
    return re.search(_HIDING, raw) is not None


def _is_json(raw: bytes) -> bool:
    try:
        _GRAMMAR.decode(raw.decode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True


def _check_utf8(raw: bytes) -> None:
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    else:
        return
    raise DecodeError(f"invalid JSON: not UTF-8: byte {start}")


class _RefusedError(ValueError):
    """What is JSON, but is not read: why."""


class _NotJsonError(ValueError):
    """NaN, Infinity or -Infinity."""


def _not_json(_constant: str) -> NoReturn:
    raise _NotJsonError


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # sys.set_int_max_str_digits
        raise _RefusedError(_TOO_LARGE) from None


_TOO_LARGE = "number too large: wanted at most 4300 digits, or a finite double"


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _RefusedError(_TOO_LARGE)
    return value


def _kept_integer(digits: str) -> float:
    return Number(digits) if digits == "-0" else _integer(digits)


def _kept_float(text: str) -> float:
    value = float(text)
    # Exponents are written in more ways than one: 1e+16 by Python, 1e16 by orjson.
    return value if repr(value) == text and "e" not in text else Number(text)


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) != len(members):
        # Not which one: names are data too.
        raise _RefusedError("duplicate name: wanted each member of an object once")
    return result


@functools.cache
def _decoder(numbers: Numbers, duplicates: Duplicates) -> json.JSONDecoder:
    exact = numbers == "exact"
    return json.JSONDecoder(
        object_pairs_hook=_unique if duplicates == "error" else None,
        parse_int=_kept_integer if exact else _integer,
        parse_float=_kept_float if exact else _double,
        parse_constant=_not_json,
    )


# Reads the grammar alone: what is refused does not stop it.
_GRAMMAR = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_not_json)


def _parse_exactly(text: str, decoder: json.JSONDecoder) -> Any:
    if text.startswith("\ufeff"):
        raise DecodeError("invalid JSON: unexpected byte order mark: line 1 column 1")
    refusal = ""
    try:
        try:
            return decoder.decode(text)
        except _RefusedError as error:
            refusal = str(error)
        # What is no JSON further on is no JSON, rather than refused.
        _GRAMMAR.decode(text)
    except json.JSONDecodeError as error:
        reason = (
            f"invalid JSON: {error.msg[0].lower()}{error.msg[1:]}: "
            f"line {error.lineno} column {error.colno} (char {error.pos})"
        )
    except _NotJsonError:
        reason = "invalid JSON: NaN and Infinity are not JSON"
    except RecursionError:
        raise LimitError("too deep to be read") from None
    else:
        raise LimitError(refusal)
    raise DecodeError(reason)


def is_deeper(value: Any, max_depth: int) -> bool:
    """
    Tell whether more than *max_depth* containers are inside one another.

    Args:
        value: A tree.
        max_depth: From 0 on; a scalar is 0 deep.
    """
    level: list[Any] = [[value]]
    for _ in range(max_depth):
        # What the collector does not track holds no containers: only the last level needs
        # a look at all children.
        level = list(filter(gc.is_tracked, gc.get_referents(*level)))
        if not _CONTAINERS.issuperset(map(type, level)):
            level = [child for child in level if type(child) in _CONTAINERS]
        if not level:
            return False
    return not _CONTAINERS.isdisjoint(map(type, gc.get_referents(*level)))


_CONTAINERS = frozenset({dict, list})


# Possessive, so that a string without an end costs one pass.
_STRING = rb'(?s)"(?:[^"\\]++|\\.)*+"?'
# An opening bracket as 1, a closing one as -1, and nothing else.
_STEPS = bytes(1 if byte in b"[{" else 255 for byte in range(256))
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")


def _nesting(raw: bytes, max_depth: int) -> int:
    """Count how deep the brackets outside strings go, in text that need not be JSON."""
    if raw.count(b"{") + raw.count(b"[") <= max_depth:
        return 0
    if b'"' in raw:
        raw = re.sub(_STRING, b"", raw)
    steps = memoryview(raw.translate(_STEPS, _NO_BRACKETS)).cast("b")
    return max(itertools.accumulate(steps), default=0)


def malformed_at(text: bytes) -> int | None:
    """
    Return the byte at which *text* stops being the beginning of a JSON text.

    None if it is a JSON text, or only cut short: then more may make it one.
    """
    at = _fails_at(text)
    return None if at is None or at >= len(text.rstrip(_BLANKS)) else at


def is_cut_short(text: bytes) -> bool:
    """Tell whether *text* is no JSON text, but fails only at its very end."""
    at = _fails_at(text)
    return at is not None and at >= len(text.rstrip(_BLANKS))


def _fails_at(text: bytes) -> int | None:
    """Return the byte at which *text* is no JSON; None if it is JSON."""
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
    """Put something as long in the place of what orjson does not hold, though it is JSON."""
    text = re.sub(_SURROGATE, rb"\\u0020", text)
    text = re.sub(_EXPONENT, lambda found: found[1] + b"0" * len(found[2]), text)
    return re.sub(_LONG, lambda found: b"0." + b"0" * (len(found[0]) - 2), text)


def dump(value: Any, *, indent: int | None = None) -> bytes:
    """
    Write *value* as UTF-8 JSON, without a newline at its end.

    Integers of any size are written exactly, lone surrogates as ``\\ud800``.

    Args:
        value: A tree. Its types are the caller's to check: what Python knows beside them
            is written as something alike, NaN as null.
        indent: Spaces a level, or None for the compact form.

    Raises:
        DecodeError: If the tree holds something that can't be written.
    """
    try:
        text = _write(value)
        return text if indent is None else msgspec.json.format(text, indent=indent)
    except _REFUSED_TO_WRITE:
        pass  # a lone surrogate, mostly: the exact path knows it
    separators = (",", ":") if indent is None else None
    encoder = json.JSONEncoder(
        ensure_ascii=False, allow_nan=False, indent=indent, separators=separators
    )
    try:
        exact = encode(value, encoder)
    except (TypeError, ValueError, RecursionError):
        pass
    else:
        # A lone surrogate can't be encoded; its Python escape is its JSON escape.
        return exact.encode("utf-8", "backslashreplace")
    raise DecodeError("not JSON: the tree holds a value that JSON can't write")


def _text_of(value: Any) -> msgspec.Raw:
    if type(value) is Number:
        return msgspec.Raw(value.text.encode())
    raise TypeError


_write = msgspec.json.Encoder(enc_hook=_text_of).encode
# Integers beyond 64 bits are an OverflowError in msgspec before 0.20.
_REFUSED_TO_WRITE = (TypeError, ValueError, OverflowError, RecursionError, msgspec.DecodeError)


def encode(value: Any, encoder: json.JSONEncoder) -> str:
    """
    Write *value* as *encoder* does, but each Number as its text.

    Raises:
        TypeError, ValueError, RecursionError: As the encoder does.
    """
    if not _holds_number(value):
        return encoder.encode(value)
    newline, step = "", ""
    if encoder.indent is not None:
        newline, step = "\n", " " * int(encoder.indent)
    return _encode(value, encoder, newline, step)


def _holds_number(value: Any) -> bool:
    level = [value]
    while level:
        if Number in map(type, level):
            return True
        containers = [c for c in level if (type(c) is dict or type(c) is list) and c]
        children = [c.values() if type(c) is dict else c for c in containers]
        level = list(itertools.chain.from_iterable(children))
    return False


def _encode(value: Any, encoder: json.JSONEncoder, newline: str, step: str) -> str:
    kind = type(value)
    if kind is Number or kind is int:
        return str(value)
    if (kind is not dict and kind is not list) or not value:
        return encoder.encode(value)
    inside = newline + step
    if kind is dict and not all(isinstance(name, str) for name in value):
        raise TypeError("a name is a string")
    if kind is list:
        parts = [_encode(child, encoder, inside, step) for child in value]
        begin, end = "[]"
    else:
        colon = encoder.key_separator
        parts = [
            f"{encoder.encode(name)}{colon}{_encode(child, encoder, inside, step)}"
            for name, child in value.items()
        ]
        begin, end = "{}"
    return begin + inside + (encoder.item_separator + inside).join(parts) + newline + end


def pack(value: Any) -> bytes | None:
    """
    Return bytes that are the same for the same tree: by type, value and order of members.

    They are for comparison within one process. None if it can't be told, as for a tree
    that holds itself, or a value of a type that JSON does not know.
    """
    try:
        # Exact types only: writers of JSON take a tuple for a list, an Enum for its value.
        # Later versions depend on reference counts.
        return marshal.dumps(value, 2)
    except ValueError:
        return None


# The names that generated code checks with; how it reads is a Reader's.
CHECKS: dict[str, Any] = {
    "BRACKETS": BRACKETS,
    "ESCAPE": ESCAPE,
    "contains": contains,
    "count_byteset": count_byteset,
    "hides": hides,
    "is_deeper": is_deeper,
    "may_hold_long_integer": may_hold_long_integer,
}
# For who looks at what was read: faster where texts are long, and integers beyond 64 bits
# are floats, unless may_hold_long_integer says that there are none.
INEXACT = {"loads": orjson.loads}
