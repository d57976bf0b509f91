"""
Layers that do not open at once while compiled code answers a query: the plan opens them.

Their addresses are looked up by identity in the tree. That is rare, and so the code does not
have to keep them.
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
    The functions that compiled queries call for layers that do not open at once. Thread-safe.

    The query keeps the state of a record, *seen*, while it answers. Its keys: ``run``, the
    Run; ``report`` and ``problems``, where problems go and those so far, by address; ``spent``,
    a Spending, if there is one; and the ids of containers all of whose layers are open.

    Args:
        plan: Opens the layers.
        start: Makes the Run of a record that needs one.
    """

    def __init__(self, plan: Plan, start: Callable[[], Run]) -> None:
        self._plan = plan
        self._start = start

    def unlock(
        self, tree: Any, container: Any, key: Any, shape: Shape, seen: dict[Any, Any]
    ) -> Any:
        """
        Open a string in place, once, and return its value, or the string if it stays shut.

        Args:
            tree: The record's tree.
            container: A container in it.
            key: The name or index of the string.
            shape: What is declared of the string.
            seen: The state of the record.
        """
        run = self._run_of(seen)
        if container.__class__ is list:
            key %= len(container)  # one place, one index: -1 and the last are the same
        if run.is_settled(container, key):
            return container[key]
        run.path = [*address_of(container, tree, run), key]
        container[key], _, _ = self._plan.open((shape,), container[key], len(run.path), 0, run)
        return container[key]

    def report(self, tree: Any, seen: dict[Any, Any]) -> None:
        """Report the problems of the record in document order."""
        for problem in in_document_order(tree, seen["problems"], {}):
            seen["report"](problem)

    def settle(self, tree: Any, shut: list[Shut], seen: dict[Any, Any]) -> None:
        """Open or settle the places in *shut*, and empty that list."""
        run = self._run_of(seen)
        run.path = []
        settle_in(self._plan, tree, shut, run)
        shut.clear()

    def finish(self, tree: Any, value: Any, known: Known, seen: dict[Any, Any]) -> Any:
        """Open every layer in a value in place, and return the value."""
        if (value.__class__ is not dict and value.__class__ is not list) or id(value) in seen:
            return value
        # One container may be in many places. It is kept, so that its id is not reused.
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
        """Return the Run of the record; there is one, so that there is one budget."""
        known: Run | None = seen.get("run")
        if known is not None:
            return known
        run: Run = self._start()
        run.budget = seen.get("spent", run.budget)
        problems: dict[Address, DecodeError] = {}
        seen |= {"run": run, "report": run.report, "problems": problems}
        run.settled = set()
        # Reported after the answer, in document order.
        run.report = lambda problem: problems.update({run.address(): problem})
        return run
