"""Words that name the option which would help, or what a query or a spec probably means."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nestdecode.errors import DecodeError, QueryError
from nestdecode.words import shortened

if TYPE_CHECKING:
    from nestdecode.choosing import Asked
    from nestdecode.decoder import Decoder
    from nestdecode.text.joined import Joined

__all__ = [
    "FILTER",
    "FILTERED_RECORDS",
    "FILTERED_WHERE",
    "Hinting",
    "Matching",
    "misquotation",
]

# What a query begins with that filters an array: it is null for everything else.
FILTER = "[?"
FILTERED_RECORDS = "[?...] filters an array inside a record: --where EXPR chooses records"
FILTERED_WHERE = "--where [?...] filters an array inside a record: EXPR alone chooses records"
# Records that are held against a spec before it is called the wrong one.
MANY = 1000


def misquotation(expression: str) -> str | None:
    """Say what is probably wrong with a query if its answers are empty."""
    if expression.startswith(":"):
        return None
    from nestdecode.queries.parsing import misquoted  # late: most queries are never empty

    found = misquoted(expression)
    if found is None:
        return None
    name, written = found
    field = shortened(json.dumps(name, ensure_ascii=False), 60)
    kind = "the value" if written.startswith("`") else "a string"
    return f"{field} names a field; {kind} is written {shortened(written, 60)}"


def _is_null(answer: Any) -> bool:
    """Return whether an answer is null."""
    return answer is None


class Matching:
    """
    Answers records as before, and notes whether one of the first has a layer of the spec.

    Args:
        answer: Answers a record.
        many: Answers joined records; returns None if each has to be answered alone.
        decoder: Its spec declares the layers.
        note: Called if many records in a row have none.
    """

    def __init__(
        self,
        answer: Callable[[bytes], Any],
        many: Callable[[Joined], list[Any] | None] | None,
        decoder: Decoder,
        note: Callable[[str], None],
    ) -> None:
        self._answer = answer
        self._many = many
        self._engine = decoder.engine
        self._note = note
        # How many records had none, until one has.
        self._without = 0
        self._is_over = False

    def __call__(self, raw: bytes) -> Any:
        """Answer for one record."""
        if not self._is_over:
            self._look(raw)
        return self._answer(raw)

    def many(self, joined: Joined) -> list[Any] | None:
        """Answer joined records; None if each has to be answered alone."""
        answers = None if self._many is None else self._many(joined)
        if answers is not None and not self._is_over:
            for raw in joined.records:
                self._look(raw)
                if self._is_over:
                    break
        return answers

    def hint(self, written: int) -> str:
        """Say that no record had a layer; nothing if one had, or fewer were seen than written."""
        if self._is_over or self._without < max(1, written):
            return ""
        return f"no record has a layer of {self._name}: is this the right spec?"

    @property
    def _name(self) -> str:
        spec = self._engine.spec
        return "the spec" if spec is None or spec.name is None else spec.name

    def _look(self, raw: bytes) -> None:
        with contextlib.suppress(DecodeError):
            if self._has_layer(raw):
                self._is_over = True
                return
            self._without += 1
        if self._without >= MANY:
            self._is_over = True
            self._note(f"{MANY:,} records in a row have no layer of {self._name}: is it right?")

    def _has_layer(self, raw: bytes) -> bool:
        """Return whether a value is at the place of a layer, open or blank ones included."""
        from nestdecode.spec.shape import met_in  # late: detection needs no specs

        # A layer in a layer is there only if the outer one is.
        plan = self._engine.plan
        if plan is None:
            return False
        places = met_in(self._engine.read(raw), plan.shapes)
        return any(shape.alternatives for shapes in places for shape in shapes)


class Hinting:
    """
    A query that gives a hint when its answer is empty, or refused.

    Args:
        query: Answers.
        hint: Called then.
        is_empty: Returns whether an answer is empty.
    """

    def __init__(
        self, query: Asked, hint: Callable[[], None], is_empty: Callable[[Any], bool] = _is_null
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
        """Answer joined records; None if each has to be answered alone."""
        answers = self._query.many(joined)
        if answers is not None and any(map(self._is_empty, answers)):
            self._hint()
        return answers
