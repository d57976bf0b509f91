"""Answers as rows of CSV or TSV, record by record."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
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
_FORMULA = re.compile("[=+\\-@\t\r\n\uff1d\uff0b\uff0d\uff20]")
# What they take for a number, and may.
_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?", re.ASCII)
_QUOTED = re.compile('[",\r\n]')
_ESCAPED = re.compile("[\\\\\t\r\n]")
_ESCAPES = {"\\": "\\\\", "\t": "\\t", "\r": "\\r", "\n": "\\n"}


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
        # What is written for an only cell that is empty: a reader skips empty lines.
        self._empty = '""' if form == "csv" else ""
        # Names of the first row; none if it is no object, and None if there was no row.
        self._names: dict[str, None] | None = None

    def __call__(self, document: Any) -> bytes | None:
        """Return the rows of one document's answer, or None if it has none."""
        return self._rows(self._query(document))

    def many(self, joined: Joined) -> list[bytes | None] | None:
        """Return the rows of joined records, or None if each has to be for itself."""
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
        # A lone surrogate can't be encoded.
        return "\n".join(lines).encode("utf-8", "backslashreplace") if lines else None

    def _found(self, answer: Any) -> list[tuple[Any, tuple[int, ...]]]:
        """List the rows of an answer, each with its place there."""
        rows: list[tuple[Any, tuple[int, ...]]] = [(answer, ())]
        if type(answer) is list and (self._each or _holds_rows(answer)):
            rows = [(row, (index,)) for index, row in enumerate(answer)]
        return [(row, at) for row, at in rows if row is not None and row != [] and row != {}]

    def _row(self, row: Any, at: tuple[int, ...]) -> str:
        """Return one row, after the header if it is the first."""
        names, head = self._names, ""
        if names is None:
            names = self._names = dict.fromkeys(row) if type(row) is dict else {}
            head = f"{self._line(names, at, names)}\n" if names else ""
        if (type(row) is dict) != bool(names):
            wanted = "an object" if names else "not an object"
            raise self._refused(f"as the first row, a row is {wanted}", at)
        if names:
            if not row.keys() <= names.keys():
                other = next(name for name in row if name not in names)
                raise self._refused("the first row has no such name", (*at, other))
            return head + self._line([row.get(name) for name in names], at, names)
        cells = row if type(row) is list else [row]
        return self._line(cells, at, range(len(cells)))

    def _line(self, cells: Iterable[Any], at: tuple[int, ...], steps: Iterable[int | str]) -> str:
        """Return cells as a line; *steps* lead to each from the row at a place of the answer."""
        texts = []
        for cell, step in zip(cells, steps, strict=True):
            if type(cell) is str:
                texts.append(self._cell(cell))
            elif _is_nested(cell):
                what = "an array" if type(cell) is list else "an object"
                raise self._refused(f"a cell is not {what}", (*at, step))
            else:
                texts.append("" if cell is None else dump(cell).decode())
        return self._comma.join(texts) or self._empty

    def _cell(self, text: str) -> str:
        if self._guard and _FORMULA.match(text) and not _NUMBER.fullmatch(text):
            text = f"'{text}"
        return self._text(text)

    def _refused(self, reason: str, path: tuple[int | str, ...]) -> QueryError:
        where = shortened(join_pointer(path)) or "the root"
        return QueryError(f"{reason}: {where} of the answer", self._expression)


def _holds_rows(array: list[Any]) -> bool:
    """Tell whether an array's elements are arrays and objects, as far as there are any."""
    kinds = set(map(type, array)) - {type(None)}
    return bool(kinds) and kinds <= {list, dict}


def _is_nested(value: Any) -> bool:
    return type(value) is list or type(value) is dict


def _csv(text: str) -> str:
    if text and not _QUOTED.search(text):
        return text
    return '"' + text.replace('"', '""') + '"'


def _tsv(text: str) -> str:
    return _ESCAPED.sub(lambda found: _ESCAPES[found[0]], text)
