"""JSON by the standard library: slowly, with whatever others refuse."""

from __future__ import annotations

import functools
import json
import math
from typing import Any, NoReturn

from nestdecode.errors import DecodeError, LimitError
from nestdecode.text.number import Number
from nestdecode.words import position

__all__ = ["decoder_of", "is_json", "parse_exactly"]


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
        raise _RefusedError("integer too large: wanted at most 4300 digits") from None


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _RefusedError("number too large for a double: numbers=exact keeps it")
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
        raise _RefusedError("duplicate name: wanted each name of an object once")
    return result


@functools.cache
def decoder_of(numbers: str, duplicates: str) -> json.JSONDecoder:
    """Return what reads text with what a Reader is told of numbers and repeated names."""
    exact = numbers == "exact"
    return json.JSONDecoder(
        object_pairs_hook=_unique if duplicates == "error" else None,
        parse_int=_kept_integer if exact else _integer,
        parse_float=_kept_float if exact else _double,
        parse_constant=_not_json,
    )


# Reads the grammar alone: what is refused does not stop it.
_GRAMMAR = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_not_json)


def parse_exactly(text: str, decoder: json.JSONDecoder) -> Any:
    """
    Read one JSON text.

    Raises:
        DecodeError: If it is not JSON.
        LimitError: If it is refused.
    """
    if text.startswith("\ufeff"):
        raise DecodeError("invalid JSON: unexpected byte order mark: char 0")
    refusal = ""
    try:
        try:
            return decoder.decode(text)
        except _RefusedError as error:
            refusal = str(error)
        # What is no JSON further on is no JSON, rather than refused.
        _GRAMMAR.decode(text)
    except json.JSONDecodeError as error:
        where = position(error.pos, error.lineno, error.colno)
        reason = f"invalid JSON: {error.msg[0].lower()}{error.msg[1:]}: {where}"
    except _NotJsonError:
        reason = "invalid JSON: NaN and Infinity are not JSON"
    except RecursionError:
        raise LimitError("too deep to be read") from None
    else:
        raise LimitError(refusal)
    raise DecodeError(reason)


def is_json(raw: bytes) -> bool:
    """Tell whether a text is JSON, whatever is refused in it."""
    try:
        _GRAMMAR.decode(raw.decode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True
