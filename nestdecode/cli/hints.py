"""Words that name the option which would help."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.choosing import Asked
from nestdecode.text.joined import Joined

__all__ = ["FILTER", "FILTERED_RECORDS", "FILTERED_WHERE", "Hinting"]

# What a query begins with that filters an array: it is null for everything else.
FILTER = "[?"
FILTERED_RECORDS = "[?...] filters an array inside a record: --where EXPR chooses records"
FILTERED_WHERE = "--where [?...] filters an array inside a record: EXPR alone chooses records"


class Hinting:
    """
    A query that gives a hint when its answer is null.

    Args:
        query: Answers.
        hint: Called then.
    """

    def __init__(self, query: Asked, hint: Callable[[], None]) -> None:
        self._query = query
        self._hint = hint

    def __call__(self, document: Any) -> Any:
        """Answer for one document."""
        answer = self._query(document)
        if answer is None:
            self._hint()
        return answer

    def many(self, joined: Joined) -> list[Any] | None:
        """Answer for joined records, or give None if each has to be for itself."""
        answers = self._query.many(joined)
        if answers is not None and None in answers:
            self._hint()
        return answers
