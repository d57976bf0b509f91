"""Queries without a spec that use the shipped spec matching each record; for the command line."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nestdecode.decoder import Decoder, Query
from nestdecode.errors import QueryError, UncompiledError
from nestdecode.queries.expression import lender, may_lend

if TYPE_CHECKING:
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Spec
    from nestdecode.text.joined import Admits, Joined

__all__ = ["LendingQuery"]


class LendingQuery:
    """
    A query that takes layers, focus and names from the shipped spec that matches each record.

    Where that spec declares nothing, layers are detected. The library never matches specs by
    itself; only the command line uses this.

    Args:
        decoder: A decoder without a spec.
        expression: JMESPath, or ``:name``.
        start: As for ``Decoder.compile``.
        on_lent: Called with each spec whose focus or names are used, the first time.
    """

    def __init__(
        self,
        decoder: Decoder,
        expression: str,
        start: Start | None,
        on_lent: Callable[[Spec], None],
    ) -> None:
        self.decoder = decoder
        self.expression = expression
        self._start = start
        self._on_lent = on_lent
        self._lent: dict[str | None, Query] = {}
        self._announced: set[str | None] = set()
        # The spec that matched the last record: the next records are likely to match it too.
        self._matched: Spec | None = None
        self._plain: Query | None = None
        if not expression.startswith(":") and start != "focus":
            # Raises now if the expression is wrong: no spec can make it right.
            self._plain = Query(decoder, expression, "root")

    def __call__(self, document: Any) -> Any:
        """Return the answer for one document, as ``Query`` does."""
        plain = self._plain
        if plain is None or self._matched or may_lend(self.decoder.engine.shut(document)):
            return self._answer_by_match(document)
        return plain(document)

    def many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """Return the answers for joined records, or None if they need one call each."""
        plain, spec = self._plain, self._matched
        try:
            query = plain if spec is None else self._query_by(spec)
        except UncompiledError:  # reported by the call for each record
            return None
        if query is None:
            return None
        if spec is None:
            return query.many(joined, lambda record: not may_lend(record))
        return query.many(joined, lambda record: lender(record) is spec)

    def for_document(self, document: Any) -> Query:
        """Return the query that answers for a document: by the spec that matches it, if any."""
        spec = lender(self.decoder.engine.shut(document))
        return (self._plain if spec is None else None) or self._query_by(spec)

    def _answer_by_match(self, document: Any) -> Any:
        """Return the answer for a document by the spec that matches it, or without a spec."""
        spec = lender(self.decoder.engine.shut(document))
        self._matched = spec
        if spec is None:
            return (self._plain or self._query_by(None))(document)
        query = self._query_by(spec)
        needed = self.expression.startswith(":") or query.start == "focus"
        if needed and spec.name not in self._announced:
            self._announced.add(spec.name)
            self._on_lent(spec)
        return query(document)

    def _query_by(self, spec: Spec | None) -> Query:
        """
        Return the query compiled with a shipped spec, or without one.

        Raises:
            UncompiledError: If it does not compile with that spec.
        """
        name = None if spec is None else spec.name
        query = self._lent.get(name)
        if query is None:
            try:
                start = self.decoder.asker.expression(self.expression, self._start, spec).start
            except QueryError as error:
                raise UncompiledError(*error.args) from None
            decoder = self.decoder if spec is None else _with_spec(self.decoder, spec)
            named = self.expression.startswith(":")
            query = self._lent[name] = Query(decoder, self.expression, None if named else start)
        return query


def _with_spec(decoder: Decoder, spec: Spec) -> Decoder:
    """Return a decoder like another that has a spec, and detects layers where it is silent."""
    lent = dataclasses.replace(spec, undeclared="open")
    arguments = {**decoder.engine.arguments, "spec": lent}
    return Decoder(**arguments)
