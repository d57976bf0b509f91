"""The exact path: JSON read by the standard library, slowly, where fast parsers refuse."""

from __future__ import annotations

import functools
import json
import math
from typing import Any, NoReturn

from nestdecode.errors import DecodeError, LimitError
from nestdecode.text.number import Number
from nestdecode.words import position

__all__ = ["decoder_of", "is_json", "parse_exactly"]


class _NotReadError(ValueError):
    """The text is JSON, but holds something that is refused: the reason."""


class _NotJsonError(ValueError):
    """The text holds NaN, Infinity or -Infinity, which are not JSON."""


def _not_json(_constant: str) -> NoReturn:
    raise _NotJsonError


def _integer(digits: str) -> int:
    try:
        return int(digits)
    except ValueError:  # sys.set_int_max_str_digits
        raise _NotReadError("integer too large: wanted at most 4300 digits") from None


def _double(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise _NotReadError("number too large for a double: numbers=exact keeps it")
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
        raise _NotReadError("duplicate name: wanted each name of an object once")
    return result


@functools.cache
def decoder_of(numbers: str, duplicates: str) -> json.JSONDecoder:
    """
    Return the decoder for two settings of a Reader.

    Args:
        numbers: ``double`` or ``exact``.
        duplicates: ``last`` or ``error``.
    """
    exact = numbers == "exact"
    return json.JSONDecoder(
        object_pairs_hook=_unique if duplicates == "error" else None,
        parse_int=_kept_integer if exact else _integer,
        parse_float=_kept_float if exact else _double,
        parse_constant=_not_json,
    )


# Checks the grammar alone; numbers and repeated names are not refused.
_GRAMMAR = json.JSONDecoder(parse_int=len, parse_float=len, parse_constant=_not_json)


def parse_exactly(text: str, decoder: json.JSONDecoder) -> Any:
    """
    Return the value of one JSON text.

    Raises:
        DecodeError: If it is not JSON.
        LimitError: If it is JSON, but too deep, or holds a number or a repeated name that is
            refused.
    """
    if text.startswith("\ufeff"):
        raise DecodeError("invalid JSON: unexpected byte order mark: char 0")
    refusal = ""
    try:
        try:
            return decoder.decode(text)
        except _NotReadError as error:
            refusal = str(error)
        # A text that is not JSON further on is malformed, rather than refused.
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
    """Return whether a text is JSON by its grammar, even if something in it is refused."""
    try:
        _GRAMMAR.decode(raw.decode("utf-8", "surrogatepass"))
    except ValueError:
        return False
    return True
