"""The interpreter over a record whose layers are shut: it opens the layers that it sees."""

from __future__ import annotations

from typing import Any, NamedTuple

from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import policies_of
from nestdecode.plan.run import DROP, Run, in_document_order
from nestdecode.queries.growth import may_share
from nestdecode.queries.interpreter import Interpreter, Node, work_for
from nestdecode.queries.work import Work
from nestdecode.spec import Shape

__all__ = ["search_late"]


class _LatePlace(NamedTuple):
    """
    A container of the record that may hold layers.

    Attributes:
        container: The container, kept so that its id is not reused.
        shapes: What is declared of it.
        address: Where it is in the expanded tree.
        layers: Layers around it.
    """

    container: Any
    shapes: tuple[Shape, ...]
    address: Address
    layers: int


class LateInterpreter(Interpreter):
    """
    Evaluates an expression on one record whose layers are shut, and opens those that it sees.

    A string is opened once, when it is read from its container. Strings in containers that
    the expression makes are never opened.

    Args:
        plan: Opens layers.
        run: The state of the record.
        work: The budget of the answer.
    """

    def __init__(self, plan: Plan, run: Run, work: Work) -> None:
        super().__init__(work)
        self._plan = plan
        self._run = run
        run.settled = set()
        self._report = run.report
        run.report = self._note
        self._problems: dict[Address, DecodeError] = {}
        self._places: dict[int, _LatePlace] = {}
        self._finished: dict[int, Any] = {}
        self._drops = "drop" in policies_of(plan)
        self._orders: dict[int, dict[Any, int]] = {}

    def answer(self, node: Node, tree: Any) -> Any:
        """
        Return the answer for a record.

        Layers that the answer sees and that stay shut are reported, in document order.
        """
        root = self._enter(tree, self._plan.shapes, ROOT, 0)
        if root is DROP:
            root = tree
        answer = self.finish(self.visit(node, root))
        for problem in in_document_order(root, self._problems, self._orders):
            self._report(problem)
        return answer

    def _note(self, problem: DecodeError) -> None:
        self._problems.setdefault(self._run.address(), problem)

    def child(self, container: Any, key: Any) -> Any:
        """Return a member or an element, opened in place if it is a layer."""
        value = container[key]
        place = self._places.get(id(container))
        if place is None or id(value) in self._places:
            return value
        if isinstance(value, (str, bytes)):
            if self._run.is_settled(container, key):
                return value
        elif type(value) is not dict and type(value) is not list:
            return value
        shapes = _children(place.shapes, container, key)
        new = self._enter(value, shapes, Address(place.address, key), place.layers)
        if new is DROP:
            # Only a member can be dropped; an element stays.
            if type(container) is list:
                return value
            del container[key]
            return None
        if new is not value:
            container[key] = new
        return new

    def _enter(self, value: Any, shapes: tuple[Shape, ...], address: Address, layers: int) -> Any:
        """Open a value that was read from its place, and keep what is declared of its children."""
        if isinstance(value, (str, bytes)):
            self._run.path = path = address.steps()
            value, shapes, layers = self._plan.open(shapes, value, len(path), layers, self._run)
        if (type(value) is dict or type(value) is list) and (shapes or self._plan.undeclared):
            self._places[id(value)] = _LatePlace(value, shapes, address, layers)
            if self._drops and type(value) is dict:
                self._drop_members(value, shapes)
        return value

    def _drop_members(self, value: dict[str, Any], shapes: tuple[Shape, ...]) -> None:
        """Open the members that may be dropped, so that an object is never seen with them."""
        self._orders[id(value)] = {key: number for number, key in enumerate(value)}
        for key, member in list(value.items()):
            if isinstance(member, (str, bytes)):
                children = _children(shapes, value, key)
                if self._plan.policy(children) == "drop":
                    self.child(value, key)

    def finish(self, value: Any) -> Any:
        """Open every layer in a value in place, and return the value."""
        if (type(value) is not dict and type(value) is not list) or id(value) in self._finished:
            return value
        self._finished[id(value)] = value
        for key in list(value) if type(value) is dict else range(len(value)):
            if key in value or type(value) is list:
                self.finish(self.child(value, key))
        return value


def _children(shapes: tuple[Shape, ...], container: Any, key: Any) -> tuple[Shape, ...]:
    if type(container) is dict:
        return tuple(child for shape in shapes for child in shape.members(key))
    return tuple(child for shape in shapes if (child := shape.element(key)) is not None)


def search_late(node: Node, tree: Any, plan: Plan, run: Run) -> Any:
    """
    Return the answer of an expression for a record, and open the layers that it sees.

    Args:
        node: The expression.
        tree: The record with its layers shut; they are opened in place.
        plan: Opens layers.
        run: The state of the record; problems are reported to it.
    """
    work = work_for(node)
    answer = LateInterpreter(plan, run, work).answer(node, tree)
    return work.apart(answer) if may_share(node) else answer
