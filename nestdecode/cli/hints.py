"""Words that name the option which would help, or what a query probably means."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nestdecode.errors import QueryError
from nestdecode.words import shortened

if TYPE_CHECKING:
    from nestdecode.choosing import Asked
    from nestdecode.text.joined import Joined

__all__ = ["FILTER", "FILTERED_RECORDS", "FILTERED_WHERE", "Hinting", "is_null", "misquotation"]

# What a query begins with that filters an array: it is null for everything else.
FILTER = "[?"
FILTERED_RECORDS = "[?...] filters an array inside a record: --where EXPR chooses records"
FILTERED_WHERE = "--where [?...] filters an array inside a record: EXPR alone chooses records"


def misquotation(expression: str) -> str | None:
    """Say what is probably wrong with a query if its answers are empty."""
    if expression.startswith(":"):
        return None
    from nestdecode.queries.parsing import misquoted  # late: most queries are never empty

    name = misquoted(expression)
    if name is None:
        return None
    field = shortened(json.dumps(name, ensure_ascii=False), 60)
    return f"{field} names a field; a string is written {shortened(_quoted(name), 60)}"


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def is_null(answer: Any) -> bool:
    """Tell whether an answer is null."""
    return answer is None


class Hinting:
    """
    A query that gives a hint when its answer is empty, or refused.

    Args:
        query: Answers.
        hint: Called then.
        is_empty: Tells whether an answer is empty.
    """

    def __init__(
        self, query: Asked, hint: Callable[[], None], is_empty: Callable[[Any], bool] = is_null
    ) -> None:
        self._query = query
        self._hint = hint
        self._is_empty = is_empty

    def __call__(self, document: Any) -> Any:
        """Answer for one document."""
        try:
            answer = self._query(document)
        except QueryError:
            self._hint()
            raise
        if self._is_empty(answer):
            self._hint()
        return answer

    def many(self, joined: Joined) -> list[Any] | None:
        """Answer for joined records, or give None if each has to be for itself."""
        answers = self._query.many(joined)
        if answers is not None and any(map(self._is_empty, answers)):
            self._hint()
        return answers
