"""A query that borrows what a shipped spec says; the command line's convenience."""

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
    A query that borrows layers, focus and names, per record, from the shipped spec that matches.

    Where the spec says nothing, layers are found. This is the command line's convenience.

    Args:
        decoder: One without a spec.
        expression: JMESPath, or ``:name``.
        start: As for ``Decoder.compile``.
        on_lent: Called with each spec the first time it lends.
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
        self._told: set[str | None] = set()
        # The spec that matched the record before: this may be one of its, too.
        self._matched: Spec | None = None
        self._plain: Query | None = None
        if not expression.startswith(":") and start != "focus":
            self._plain = Query(decoder, expression, "root")  # what is wrong stays wrong

    def __call__(self, document: Any) -> Any:
        """Answer for one document, as ``Query`` does."""
        plain = self._plain
        if plain is None or self._matched or may_lend(self.decoder.engine.shut(document)):
            return self._borrowing(document)
        return plain(document)

    def many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """Answer for joined records, or give None if each has to be for itself."""
        plain, spec = self._plain, self._matched
        try:
            query = plain if spec is None else self._borrowed(spec)
        except UncompiledError:  # told of each record
            return None
        if query is None:
            return None
        if spec is None:
            return query.many(joined, lambda record: not may_lend(record))
        return query.many(joined, lambda record: lender(record) is spec)

    def _borrowing(self, document: Any) -> Any:
        """Answer for a document with the spec that matches it, or without one."""
        spec = lender(self.decoder.engine.shut(document))
        self._matched = spec
        if spec is None:
            return (self._plain or self._borrowed(None))(document)
        query = self._borrowed(spec)
        needed = self.expression.startswith(":") or query.start == "focus"
        if needed and spec.name not in self._told:
            self._told.add(spec.name)
            self._on_lent(spec)
        return query(document)

    def _borrowed(self, spec: Spec | None) -> Query:
        """Return the query as it is with the spec that lends, or what is wrong with it."""
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
    """Return a decoder like another for a spec that lends: where it is silent, layers are found."""
    lent = dataclasses.replace(spec, undeclared="open")
    arguments = {**decoder.engine.arguments, "spec": lent}
    return Decoder(**arguments)
