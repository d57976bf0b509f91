"""Records chosen by a query, and records that are written as they came."""

from __future__ import annotations

import itertools
from typing import Any, Protocol

from nestdecode.decoder import Decoder, Query
from nestdecode.lending import LendingQuery
from nestdecode.queries.functions import is_false
from nestdecode.stream.answering import Answering, Many, Render
from nestdecode.text.joined import Joined, joined_lines

__all__ = ["Asked", "as_they_came", "choose", "where"]

# What becomes of a record for which the query does not hold.
_LEFT_OUT = object()


class Asked(Protocol):
    """A query."""

    def __call__(self, document: Any, /) -> Any:
        """Answer for one document."""

    @property
    def many(self) -> Many:
        """Answers joined records, and gives None if each has to be for itself."""


def where(decoder: Decoder, expression: str, *, lent: bool = False) -> Asked:
    """
    Compile the query by which records are chosen.

    It starts at the root, and tells nobody of layers that stay shut: who opens a record
    that is chosen does.

    Args:
        decoder: Opens the records that are chosen.
        expression: JMESPath, or ``:name``.
        lent: Whether a shipped spec that matches opens a record, as in ``LendingQuery``.

    Raises:
        QueryError: If the expression is wrong.
    """
    arguments = {**decoder.engine.arguments, "spec": decoder.spec, "on_problem": None}
    quiet = Decoder(**arguments)
    if lent:
        return LendingQuery(quiet, expression, "root", lambda _spec: None)
    return Query(quiet, expression, "root")


def choose(answering: Answering, query: Asked) -> None:
    """Have records left out for which a query does not hold."""
    answer, many, render = answering.answer, answering.many, answering.render

    def answer_chosen(raw: bytes) -> Any:
        return _LEFT_OUT if is_false(query(raw)) else answer(raw)

    def render_chosen(value: Any) -> bytes | None:
        return None if value is _LEFT_OUT else render(value)

    def many_chosen(joined: Joined) -> list[Any] | None:
        found = query.many(joined)
        if found is None or many is None:
            return None
        chosen = [not is_false(value) for value in found]
        if all(chosen):
            return many(joined)
        lines = list(itertools.compress(_lines(joined), chosen))
        return many(joined_lines(b"\n".join([*lines, b""]))) if lines else []

    answering.answer, answering.render = answer_chosen, render_chosen
    answering.many = None if many is None else many_chosen


def as_they_came(answering: Answering, render: Render, *, judged: bool) -> None:
    """
    Have records written as they came, instead of their answers.

    Args:
        answering: Answers records; those that it refuses are still refused.
        render: From the bytes of a record to what is written for it.
        judged: Whether something else, as ``choose``, refuses the same records.
    """
    answer, many = answering.answer, answering.many

    def answer_raw(raw: bytes) -> bytes:
        answer(raw)
        return raw

    def many_raw(joined: Joined) -> list[Any] | None:
        if many is None or many(joined) is None:
            return None
        return _lines(joined)

    answering.answer = (lambda raw: raw) if judged else answer_raw
    answering.many = _lines if judged else many_raw
    answering.render, answering.render_many = render, None


def _lines(joined: Joined) -> list[bytes]:
    assert isinstance(joined.given, bytes)
    return joined.given[:-1].split(b"\n")
