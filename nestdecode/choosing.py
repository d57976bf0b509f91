"""``--where`` and ``--original``: records chosen by a query, and records written as they came."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

from nestdecode.decoder import Decoder, Query
from nestdecode.lending import LendingQuery
from nestdecode.queries.functions import is_false
from nestdecode.stream.answering import Answering, Many
from nestdecode.stream.rendering import Render
from nestdecode.text.joined import Joined, joined

__all__ = ["Asked", "as_they_came", "choose", "where"]

# The answer for a record that is left out.
_LEFT_OUT = object()


class Asked(Protocol):
    """A query that chooses records: a Query or a LendingQuery."""

    def __call__(self, document: Any, /) -> Any:
        """Return the answer for one document."""

    @property
    def many(self) -> Many:
        """The function that answers joined records; it returns None if they need one call each."""


def where(decoder: Decoder, expression: str, *, lent: bool = False) -> Query | LendingQuery:
    """
    Return the query that chooses records. It starts at the root.

    It reports no problems: whatever opens a chosen record afterwards reports them once.

    Args:
        decoder: Opens the chosen records.
        expression: JMESPath, or ``:name``.
        lent: Whether records are opened by the shipped spec that matches them, as by
            ``LendingQuery``.

    Raises:
        QueryError: If the expression is wrong.
    """
    arguments = {**decoder.engine.arguments, "spec": decoder.spec, "on_problem": None}
    quiet = Decoder(**arguments)
    if lent:
        return LendingQuery(quiet, expression, "root", lambda _spec: None)
    return Query(quiet, expression, "root")


def choose(answering: Answering, query: Asked) -> None:
    """Change *answering* to leave out records for which a query is null, false or empty."""
    answer, many, render = answering.answer, answering.many, answering.render

    def answer_chosen(raw: bytes) -> Any:
        return _LEFT_OUT if is_false(query(raw)) else answer(raw)

    def render_chosen(value: Any) -> bytes | None:
        return None if value is _LEFT_OUT else render(value)

    def many_chosen(group: Joined) -> list[Any] | None:
        found = query.many(group)
        if found is None or many is None:
            return None
        chosen = [not is_false(value) for value in found]
        if all(chosen):
            return many(group)
        left = list(itertools.compress(group.records, chosen))
        return many(joined(left)) if left else []

    answering.answer, answering.render = answer_chosen, render_chosen
    answering.many = None if many is None else many_chosen


def as_they_came(answering: Answering, render: Render, *, judged: bool) -> None:
    """
    Change *answering* to write the text of each record instead of its answer.

    Args:
        answering: Answers records; a record that fails still fails.
        render: Turns the bytes of a record into the bytes that are written.
        judged: Whether ``choose`` is to follow, whose query fails for the same records:
            then this need not open them too.
    """
    answer, many = answering.answer, answering.many

    def answer_raw(raw: bytes) -> bytes:
        answer(raw)
        return raw

    def many_raw(group: Joined) -> list[Any] | None:
        return None if many is None or many(group) is None else lines_of(group)

    def lines_of(group: Joined) -> list[bytes]:
        return [*group.records]

    answering.answer = (lambda raw: raw) if judged else answer_raw
    answering.many = lines_of if judged else many_raw
    answering.render, answering.render_many = render, None
