"""Numbers that keep their text."""

from __future__ import annotations

import functools
import math
import operator
import re
from collections.abc import Callable
from decimal import MAX_EMAX, MIN_EMIN, ROUND_DOWN, Context, Decimal
from typing import Any

__all__ = ["Number"]

# Patterns are compiled when they are first needed: start-up would pay for all of them.
_JSON_NUMBER = r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"


def _compared(one: float, other: object, compare: Callable[[Any, Any], bool]) -> bool:
    if not isinstance(other, (int, float)):
        return NotImplemented  # type: ignore[no-any-return]
    if isinstance(other, float) and math.isnan(other):
        return compare(0.0, other)
    return compare(_decimal_of(one), _decimal_of(other))


class Number(float):
    """
    A JSON number that keeps its text, because Python would write another: 1.10, 1E9, 1e400, -0.

    It is compared as a decimal of up to 4,300 digits. A plain double is compared as the
    decimal of its shortest text, or as the integer that it is. Arithmetic uses the nearest
    double and gives plain numbers.

    >>> Number("1.10").text, Number("1.10") == 1.1, Number("1.10") + 1
    ('1.10', True, 2.1)

    Attributes:
        text: The number as it was written (RFC 8259, section 6); read only.
    """

    __slots__ = ("_decimal", "text")
    text: str
    _decimal: Decimal | None

    def __new__(cls, text: str) -> Number:
        """
        Make a number of its text.

        Raises:
            ValueError: If it is not that of a JSON number.
            TypeError: If it is not a str.
        """
        if not isinstance(text, str):
            raise TypeError(f"a Number is made of a text, got {type(text).__name__}")
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
        # A number that equals a plain double has its hash: 1.10 that of 1.1.
        return hash(plain if value == _decimal_of(plain) else value)

    def __eq__(self, other: object) -> bool:
        return _compared(self, other, operator.eq)

    def __ne__(self, other: object) -> bool:
        return _compared(self, other, operator.ne)

    def __lt__(self, other: float) -> bool:
        return _compared(self, other, operator.lt)

    def __le__(self, other: float) -> bool:
        return _compared(self, other, operator.le)

    def __gt__(self, other: float) -> bool:
        return _compared(self, other, operator.gt)

    def __ge__(self, other: float) -> bool:
        return _compared(self, other, operator.ge)

    def is_integer(self) -> bool:
        """Return whether the value is an integer; that of 1e400 is."""
        value = _decimal_of(self)
        return value == value.to_integral_value()


# As many digits as an integer may have. Beyond the exponents: the largest decimal, or 0.
_DECIMALS = Context(4300, ROUND_DOWN, MIN_EMIN, MAX_EMAX, traps=[])


def _decimal_of(number: float) -> Decimal:
    """
    Return the decimal as which a number is compared.

    Ints and doubles keep the order that Python gives them, and 1.10 equals 1.1.
    """
    if type(number) is Number:
        if number._decimal is None:
            number._decimal = _DECIMALS.create_decimal(number.text)
        return number._decimal
    if not isinstance(number, float):
        return _decimal_of_integer(number)
    # The shortest text of a large double can be another integer than its value: 1e23.
    exact = math.isinf(number) or number.is_integer()
    return Decimal.from_float(number) if exact else Decimal(repr(number))


# For 4,300 digits it takes as long as reading 100 KB.
_decimal_of_integer = functools.lru_cache(maxsize=256)(Decimal)
