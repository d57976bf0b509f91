"""Answers as rows of CSV or TSV, record by record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any, Literal

from nestdecode.choosing import Asked
from nestdecode.errors import QueryError
from nestdecode.paths import join_pointer
from nestdecode.text.joined import Joined
from nestdecode.text.write import dump
from nestdecode.words import shortened

__all__ = ["Rows", "Table"]

Table = Literal["csv", "tsv"]

# What spreadsheets take for a formula; the last four are forms of the first four.
_FORMULA = "\\A[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]"
# What they take for a number, and may.
_NUMBER = r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?"
_QUOTED = '[",\r\n]'
_ESCAPED = "[\\\\\t\r\n]"
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"}

# What helps.
_AS_TEXT = "; to_string() makes text of it"
_COLUMNS = "; {a: a, b: b.c} chooses columns"


class _NestedError(Exception):
    """A cell is an array or an object."""


class Rows:
    """
    A query whose answers are rows, as text.

    Of an array of arrays or objects each element is a row; any other array is one row, and
    so is an object; anything else is a row of one cell. null, [] and {} are no rows.
    If the first row is an object, its names are the header, and the others have no other
    names; what they lack is empty.

    Args:
        query: Answers.
        expression: The query, for messages.
        form: How rows are written.
        each: Whether each element is a row whatever the array holds.
        guard: Whether text that a spreadsheet takes for a formula gets an apostrophe.

    Attributes:
        last: Whether the last answer, or its last element if *each*, is neither null nor
            false; None if there was none, empty arrays and objects aside.
    """

    def __init__(
        self, query: Asked, expression: str, form: Table, *, each: bool, guard: bool
    ) -> None:
        self._query = query
        self._expression = expression
        self._each = each
        self._guard = guard
        self._comma = "," if form == "csv" else "\t"
        self._text: Callable[[str], str] = _csv if form == "csv" else _tsv
        self._odd = re.compile(f"{_FORMULA}|{_QUOTED if form == 'csv' else _ESCAPED}").search
        self._kinds: dict[type, Callable[[Any], str]] = {
            str: self._cell,
            int: str,
            bool: lambda cell: "true" if cell else "false",
            type(None): lambda cell: "",
            list: _refuse,
            dict: _refuse,
        }
        self.last: bool | None = None
        # What is written for an only cell that is empty: a reader skips empty lines.
        self._empty = '""' if form == "csv" else ""
        # Names of the first row; none if it is not an object, and None if there was no row.
        self._names: dict[str, None] | None = None

    def __call__(self, document: Any) -> bytes | None:
        """Return the rows of one document's answer, or None if it has none."""
        return self._rows(self._query(document))

    def many(self, joined: Joined) -> list[bytes | None] | None:
        """Return the rows of joined records; None if each has to be answered alone."""
        answers = self._query.many(joined)
        if answers is None:
            return None
        names = self._names
        try:
            return [self._rows(answer) for answer in answers]
        except QueryError:
            # One by one, those before the one that fails are written.
            self._names = names
            return None

    def _rows(self, answer: Any) -> bytes | None:
        """Return an answer's rows; raise QueryError, and take none of them, if one is not flat."""
        names = self._names
        try:
            lines = [self._row(row, path) for row, path in self._found(answer)]
        except QueryError:
            self._names = names
            raise
        if answer != [] and answer != {}:
            last = answer[-1] if self._each and type(answer) is list else answer
            self.last = last is not None and last is not False
        # A lone surrogate can't be encoded.
        return "\n".join(lines).encode("utf-8", "backslashreplace") if lines else None

    def _found(self, answer: Any) -> list[tuple[Any, tuple[int, ...]]]:
        """List the rows of an answer, each with its place there."""
        if type(answer) is list and (self._each or _holds_rows(answer)):
            return [(row, (index,)) for index, row in enumerate(answer) if not _is_none(row)]
        return [] if _is_none(answer) else [(answer, ())]

    def _row(self, row: Any, at: tuple[int, ...]) -> str:
        """Return one row, after the header if it is the first."""
        names, head = self._names, ""
        if names is None:
            names = self._names = dict.fromkeys(row) if type(row) is dict else {}
            head = f"{self._line(names, at, names)}\n" if names else ""
        if (type(row) is dict) != bool(names):
            ours, first = ("not an object", "one") if names else ("an object", "not")
            raise self._refused(f"a row is {ours}, and the first row is {first}", at)
        if names:
            if not row.keys() <= names.keys():
                other = next(name for name in row if name not in names)
                raise self._refused("the header has no such name", (*at, other), _COLUMNS)
            return head + self._line([row.get(name) for name in names], at, names)
        cells = row if type(row) is list else [row]
        return self._line(cells, at, range(len(cells)))

    def _line(self, cells: Collection[Any], at: tuple[int, ...], steps: Iterable[int | str]) -> str:
        """Return cells as a line; *steps* lead to each from the row at a place of the answer."""
        text_of = self._kinds.get
        try:
            return self._comma.join([text_of(type(c), _number)(c) for c in cells]) or self._empty
        except _NestedError:
            nested = next(both for both in zip(cells, steps, strict=True) if _is_nested(both[0]))
        what = "an array" if type(nested[0]) is list else "an object"
        raise self._refused(f"a cell can't be {what}", (*at, nested[1]), _AS_TEXT)

    def _cell(self, text: str) -> str:
        if text and not self._odd(text):
            return text
        if self._guard and re.match(_FORMULA, text) and not re.fullmatch(_NUMBER, text, re.ASCII):
            text = f"'{text}"
        return self._text(text)

    def _refused(self, reason: str, path: tuple[int | str, ...], hint: str = "") -> QueryError:
        where = shortened(join_pointer(path)) or "the root"
        return QueryError(f"{reason}: at {where} of the answer{hint}", self._expression)


def _is_none(row: Any) -> bool:
    return row is None or (not row and _is_nested(row))


def _holds_rows(array: list[Any]) -> bool:
    """Return whether an array holds arrays and objects only, nulls aside."""
    kinds = set(map(type, array)) - {type(None)}
    return bool(kinds) and kinds <= {list, dict}


def _is_nested(value: Any) -> bool:
    return type(value) is list or type(value) is dict


def _refuse(_cell: Any) -> str:
    raise _NestedError


def _number(cell: Any) -> str:
    return dump(cell).decode()


def _csv(text: str) -> str:
    if text and not re.search(_QUOTED, text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _tsv(text: str) -> str:
    return re.sub(_ESCAPED, lambda found: _ESCAPES[found[0]], text)
