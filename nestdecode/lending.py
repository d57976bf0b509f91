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
        if plain is None or self._matched is not None:
            return self._borrowing(document)
        tree = self.decoder.expand(document)
        # Its members are the same when it is opened.
        return self._borrowing(document, tree) if may_lend(tree) else plain.ask(tree, document)

    def many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """Answer for joined records, or give None if each has to be for itself."""
        plain, spec = self._plain, self._matched
        if spec is not None:
            return self._borrowed(spec).many(joined, lambda record: lender(record) is spec)
        if plain is None:
            return None
        return plain.many(joined, lambda record: not may_lend(record))

    def _borrowing(self, document: Any, tree: Any = None) -> Any:
        """Answer for a document, whose *tree* is known or None, with the spec that matches."""
        spec = lender(self.decoder.engine.shut(document))
        self._matched = spec
        if spec is None:
            query = self._plain or self._borrowed(None)
            return query(document) if tree is None else query.ask(tree, document)
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
