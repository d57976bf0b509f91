"""
Layers that did not open at once, while a query is answered: the plan opens them.

Their addresses are looked up by identity in the tree: that is rare, and the way there
costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.errors import DecodeError
from nestdecode.paths import Address
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import Run, address_of, in_document_order
from nestdecode.plan.settling import Shut, settle_in
from nestdecode.queries.layers import Known, ListOf
from nestdecode.spec.shape import Shape

__all__ = ["LeftShut"]


class LeftShut:
    """
    What compiled queries call for layers that did not open at once.

    Args:
        plan: What opens them.
        start: Makes the Run of a record that needs one.

    What was done for a record, *seen*, is kept by the query while it answers.
    """

    def __init__(self, plan: Plan, start: Callable[[], Run]) -> None:
        self._plan = plan
        self._start = start

    def unlock(
        self, tree: Any, container: Any, key: Any, shape: Shape, seen: dict[Any, Any]
    ) -> Any:
        """Let the plan open a string, once; return what is there now."""
        run = self._run_of(seen)
        if container.__class__ is list:
            key %= len(container)  # a place has one name
        if run.is_settled(container, key):
            return container[key]
        run.path = [*address_of(container, tree, run), key]
        container[key], _, _ = self._plan.open((shape,), container[key], len(run.path), 0, run)
        return container[key]

    def report(self, tree: Any, seen: dict[Any, Any]) -> None:
        """Report, in document order, what the plan did not open either."""
        for problem in in_document_order(tree, seen["problems"], {}):
            seen["report"](problem)

    def settle(self, tree: Any, shut: list[Shut], seen: dict[Any, Any]) -> None:
        """Let the plan decide what was left to it, and forget that."""
        run = self._run_of(seen)
        run.path = []
        settle_in(self._plan, tree, shut, run)
        shut.clear()

    def finish(self, tree: Any, value: Any, known: Known, seen: dict[Any, Any]) -> Any:
        """Open every layer that is still shut in a value that is about to be seen whole."""
        if (value.__class__ is not dict and value.__class__ is not list) or id(value) in seen:
            return value
        # The same may be in many places. It is kept, so that its id stays its own.
        seen[id(value)] = value
        if isinstance(known, Shape):
            run = self._run_of(seen)
            run.path = address_of(value, tree, run)
            self._plan.visit((known,), value, len(run.path), 0, run)
        elif isinstance(known, ListOf) and value.__class__ is list:
            for element in value:
                self.finish(tree, element, known.elements, seen)
        return value

    def _run_of(self, seen: dict[Any, Any]) -> Run:
        """Return the one Run of a document, so that its budget is one."""
        known: Run | None = seen.get("run")
        if known is not None:
            return known
        run: Run = self._start()
        run.budget = seen.get("spent", run.budget)
        problems: dict[Address, DecodeError] = {}
        seen |= {"run": run, "report": run.report, "problems": problems}
        run.settled = set()
        # Reported when the answer is there.
        run.report = lambda problem: problems.update({run.address(): problem})
        return run
