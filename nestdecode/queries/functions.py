"""JMESPath's functions and comparisons, as its specification defines them."""

from __future__ import annotations

import functools
import json
import math
import operator
import re
from collections.abc import Iterable
from typing import Any

from jmespath import exceptions, functions

from nestdecode.text.write import encode

__all__ = [
    "REFUSALS",
    "UnansweredError",
    "call",
    "compare",
    "copied",
    "equals",
    "is_false",
    "type_name",
]

_TYPE_NAMES = {
    "NoneType": "null",
    "Number": "number",
    "_Expression": "expression reference",
    "bool": "boolean",
    "dict": "object",
    "float": "number",
    "int": "number",
    "list": "array",
    "str": "string",
}
# The least integer with more digits than Python writes.
_TOO_LONG = 10**4300
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class UnansweredError(Exception):
    """A function refused its arguments, or an answer is too large: (reason, function or None)."""


# The errors that a search may raise.
REFUSALS = (exceptions.JMESPathTypeError, UnansweredError, RecursionError)


def type_name(python: str) -> str:
    """Return JSON's name of a type, given Python's, which jmespath.py uses."""
    return _TYPE_NAMES.get(python, python)


_stringify = json.JSONEncoder(separators=(",", ":"), default=str)


@functools.cache
def _admitted(types: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the names of the Python types that a signature admits, and of their elements."""
    own, elements = functions.Functions()._get_allowed_pytypes(types)
    return _with_number(own), tuple(map(_with_number, elements))


def _with_number(names: Iterable[str]) -> tuple[str, ...]:
    return (*names, *(["Number"] if "float" in names else []))


class _Functions(functions.Functions):  # type: ignore[misc]
    def _get_allowed_pytypes(self, types: list[str]) -> Any:
        return _admitted(tuple(types))

    def _convert_to_jmespath_type(self, pyobject: str) -> Any:
        return super()._convert_to_jmespath_type("float" if pyobject == "Number" else pyobject)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else encode(arg, _stringify)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, bool) or not isinstance(arg, (str, int, float)):
            return None
        if not isinstance(arg, str):
            return arg
        if not _JSON_NUMBER.fullmatch(arg):
            return None
        try:
            number = json.loads(arg)
        except ValueError:  # sys.set_int_max_str_digits
            return None
        return None if number in (float("inf"), float("-inf")) else number

    @functions.signature({"types": ["array", "string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            return search in subject
        return any(equals(element, search) for element in subject)


_functions = _Functions()


def call(name: str, arguments: list[Any]) -> Any:
    """
    Return the value of a function.

    Args:
        name: The function.
        arguments: Its arguments, with all their layers open. They are not changed.

    Raises:
        JMESPathTypeError, UnansweredError: If the function does not take these arguments.
    """
    try:
        answer = _functions.call_function(name, arguments)
        kind = type(answer)
        if kind is int and not -_TOO_LONG < answer < _TOO_LONG:
            pass  # a sum: Python writes no integer as long
        elif kind is not float or math.isfinite(answer):
            return answer
    except exceptions.JMESPathTypeError:
        raise
    except (exceptions.JMESPathError, TypeError, ValueError, OverflowError):
        pass
    raise UnansweredError(f"{name}() can't take these arguments", name)


def equals(left: Any, right: Any) -> bool:
    """Return whether two values are equal as JSON: ``true`` is not 1, at any depth; 1 is 1.0."""
    if type(left) is bool or type(right) is bool:
        return left is right
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(equals, left, right))
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(
            equals(value, right[key]) for key, value in left.items()
        )
    return bool(left == right)


_ORDERS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def compare(name: str, left: Any, right: Any) -> bool | None:
    """Return whether two numbers, or two strings, are in an order; None for other values."""
    ordered = (_is_number(left) and _is_number(right)) or (
        isinstance(left, str) and isinstance(right, str)
    )
    return bool(_ORDERS[name](left, right)) if ordered else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_false(value: Any) -> bool:
    """Return whether a value is false in JMESPath's sense: null, false or empty, but not 0."""
    return not value and not _is_number(value)


def copied(value: Any) -> Any:
    """Return a value with its containers copied."""
    if type(value) is dict:
        return {key: copied(child) for key, child in value.items()}
    return [copied(child) for child in value] if type(value) is list else value
