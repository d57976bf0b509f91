"""The queries of a Decoder: compiled once for its engine, then asked of documents and trees."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.engine import Engine, Many
from nestdecode.errors import DecodeError
from nestdecode.plan import detect
from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import policies_of
from nestdecode.plan.run import Run

if TYPE_CHECKING:
    from nestdecode.queries.expression import Expression
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Spec
    from nestdecode.text.joined import Admits, Joined

__all__ = ["Asker", "check_expression"]


class Asker:
    """
    The compiled queries of one engine, at most 256 of them. Thread-safe.

    Attributes:
        engine: Opens the documents.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._queries: dict[tuple[Any, ...], Expression] = {}
        self._answerers: dict[tuple[Any, ...], tuple[Callable[[Any], Any], Expression]] = {}

    def answerer(self, text: str, start: Start | None) -> tuple[Callable[[Any], Any], Expression]:
        """Return the function from a document to a query's answer, and the compiled query."""
        known = self._answerers.get((text, start))
        if known is None:
            expression = self.expression(text, start)
            known = self._late(expression) or self._early(expression), expression
            if len(self._answerers) >= 256:
                self._answerers.clear()
            self._answerers[text, start] = known
        return known

    def answer_many(self, expression: Expression) -> Many:
        """Return the function that answers a query for joined records, as ``Many`` says."""
        from nestdecode.queries.functions import REFUSALS

        engine = self.engine
        late = expression.late_many(self._plan, engine.reader, engine.start, engine.copied_for_code)
        expand_many = engine.expand_many if engine.on_problem is None else self._watched[1]
        search = expression.search

        def answer_many(joined: Joined, admits: Admits | None = None) -> list[Any] | None:
            answers = None if late is None else late(joined, admits)
            if answers is not None or expand_many is None:
                return answers
            trees = expand_many(joined, admits)
            if trees is None:
                return None
            try:
                return [search(tree) for tree in trees]
            except REFUSALS:
                return None

        return answer_many

    @property
    def _plan(self) -> Plan:
        """The plan that opens layers: the spec's, or one that detects them."""
        return self.engine.plan or Plan(None, self.engine.policy, detect.FINDER)

    def _late(self, expression: Expression) -> Callable[[Any], Any] | None:
        engine, early = self.engine, self._early(expression)
        return expression.late(
            self._plan, engine.reader, engine.start, early, engine.copied_for_code
        )

    def _early(self, expression: Expression) -> Callable[[Any], Any]:
        """
        Return a function that expands a document and then answers a query for its tree.

        If a layer stays shut, it is reported only if the query sees it. The tree does not
        say that, so such a document is asked again step by step, opening on the way.
        """
        engine, search = self.engine, expression.search
        if engine.on_problem is None:
            expand = engine.expand
            return lambda document: search(expand(document))
        watched, plan = self._watched[0], self._plan

        def answer(document: Any) -> Any:
            try:
                return search(watched(document))
            except ShutLayerError:
                pass
            if "fail" in policies_of(plan):
                # Under policy fail a layer fails the record, whether the query sees it or not.
                engine.check(document)
            return expression.walk(engine.read(document), plan, engine.start())

        return answer

    @cached_property
    def _watched(self) -> tuple[Callable[[Any], Any], Many | None]:
        """Expand one document, and joined ones; raise ShutLayerError if a layer stays shut."""
        engine = self.engine

        def start() -> Run:
            return Run(engine.reader, engine.policy, _give_up)

        def carefully(document: Any) -> Any:
            return engine.opened(engine.read(document), start())

        method, many, _ = engine.compiled(start, carefully, quiet=False)
        return MethodType(method, engine), many

    def expression(self, text: str, start: Start | None, lent: Spec | None = None) -> Expression:
        """
        Return a query, compiled.

        Args:
            text: JMESPath, or ``:name``.
            start: ``root``, ``focus``, or None for the default.
            lent: A spec whose focus and named queries it may use, if the engine has none.

        Raises:
            QueryError: If the expression is wrong.
        """
        from nestdecode.queries.expression import (
            compile_expression,  # late: expanding needs no grammar
        )

        key = (text, start, None if lent is None else lent.name)
        known = self._queries.get(key)
        if known is None:
            # Without a spec of its own a query starts at the root.
            default: Start = "root" if self.engine.spec is None else "focus"
            known = compile_expression(text, self.engine.spec or lent, start=start, default=default)
            if len(self._queries) >= 256:
                self._queries.clear()
            self._queries[key] = known
        return known

    def search(self, expression: str, tree: Any) -> Any:
        """
        Return the answer of a query of a tree; it shares no dict or list with the tree.

        Raises:
            QueryError: If the expression is wrong, or a function in it refuses a value.
            TypeError: If *expression* is not a str.
        """
        from nestdecode.queries.expression import apart
        from nestdecode.queries.functions import REFUSALS

        check_expression(expression)
        compiled = self.expression(expression, None)
        try:
            return apart(compiled.search(tree))
        except REFUSALS as error:
            refusal = compiled.refusal(error)
        # Outside the handler: the error as __context__ would keep the tree's data alive.
        raise refusal


class ShutLayerError(Exception):
    """A layer stays shut; raised and caught in this module."""


def _give_up(_problem: DecodeError) -> None:
    raise ShutLayerError


def check_expression(expression: Any) -> None:
    """Raise TypeError if *expression* is not a str."""
    if not isinstance(expression, str):
        kind = type(expression).__name__
        raise TypeError(f"an expression is a str, got {kind}; query takes it before the document")
