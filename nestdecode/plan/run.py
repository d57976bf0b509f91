"""The state of one record while its layers are opened: position, budget, problems."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nestdecode.errors import DecodeError, Policy
from nestdecode.paths import ROOT, Address
from nestdecode.text.reader import Budget, Limits, Reader

if TYPE_CHECKING:
    from nestdecode.spec import Shape

__all__ = ["DROP", "CrowdedError", "Opening", "Run", "address_of", "in_document_order"]

_Report = Callable[[DecodeError], None]


class _Drop:
    """The type of DROP."""


# In the place of a value: the member is to be removed.
DROP = _Drop()


class Opening(NamedTuple):
    """
    One string that was opened.

    Attributes:
        address: Where it is in the expanded tree.
        around: Layers around it.
        layers: Codecs and text of each layer that it is, from the outermost on.
        admits: JSON Schema types that the innermost layer may hold.
        content: Shape of the innermost layer's value; None if nothing is declared of it.
    """

    address: Address
    around: int
    layers: tuple[tuple[tuple[str, ...], str], ...]
    admits: frozenset[str]
    content: Shape | None


class Trace(NamedTuple):
    """
    An expanded record, with all that was opened and all that stayed shut.

    Attributes:
        tree: The expanded tree.
        openings: The strings that were opened, in document order.
        problems: The layers that stayed shut, by address.
        shapes: The shape of the root; empty without a spec.
    """

    tree: Any
    openings: list[Opening]
    problems: dict[Address, DecodeError]
    shapes: tuple[Shape, ...]


class Run:
    """
    The state of one record while its layers are opened. Not thread-safe.

    Args:
        reader: Reads the texts of layers.
        on_error: Policy for layers that name none.
        report: Takes each problem.

    Attributes:
        limits: Of the reader.
        budget: Bytes that layers in base64 and gzip may still decode to.
        path: Steps from the root to the place that is visited: names and indexes.
        report: Takes each problem; while problems are held, it keeps them.
        held: The problems that are held, in order; None if they are not.
        openings: The strings that were opened, in document order; None to note none.
        settled: Strings that were opened or stay shut, as (id of the container, key): they
            are not opened again if their place is visited again. None if none is.
        looks: Searches for the address of a container so far.
    """

    __slots__ = (
        "_addresses",
        "_report_now",
        "budget",
        "held",
        "limits",
        "looks",
        "on_error",
        "openings",
        "path",
        "reader",
        "report",
        "settled",
    )

    def __init__(self, reader: Reader, on_error: Policy, report: _Report) -> None:
        self.reader: Reader = reader
        self.limits: Limits = reader.limits
        self.on_error = on_error
        self.budget: Budget = Budget(self.limits.max_bytes)
        self.path: list[str | int] = []
        self.report: _Report = report
        self.held: list[DecodeError] | None = None
        self.openings: list[Opening] | None = None
        self.settled: set[tuple[int, Any]] | None = None
        self._report_now = report
        # Those of the last place for which one was made, and of what is around it.
        self._addresses: list[Address] = []
        self.looks: int = 0

    def is_settled(self, container: Any, key: Any) -> bool:
        """Return whether a string was settled before, and note that it is now."""
        if self.settled is None:
            return False
        place = id(container), key
        if place in self.settled:
            return True
        self.settled.add(place)
        return False

    def look(self) -> None:
        """
        Count a search through the record.

        Raises:
            CrowdedError: If there were too many.
        """
        self.looks += 1
        if self.looks > MOST_LOOKS:
            raise CrowdedError

    def hold(self) -> Run:
        """Hold problems back until ``release``, and return the run."""
        self.held = []
        self.report = self.held.append
        return self

    def release(self) -> None:
        """Report the problems that were held back."""
        for problem in self.held or ():
            self._report_now(problem)
        self.held, self.report = None, self._report_now

    def here(self, error: DecodeError) -> DecodeError:
        """Return *error* with the address of the place that is visited."""
        return type(error)(error.reason, self.address(), error.codec)

    def address(self) -> Address:
        """Return the address of the place that is visited; it shares steps with neighbours."""
        made, shared = self._addresses, 0
        for address, step in zip(made, self.path, strict=False):
            if address.step is not step:
                break
            shared += 1
        del made[shared:]
        for step in self.path[shared:]:
            made.append(Address(made[-1] if made else ROOT, step))
        return made[-1] if made else ROOT

    def settle(self, problem: DecodeError, text: str | bytes, policy: Policy) -> Any:
        """
        Report a string that stays shut, and return what its policy puts in its place.

        Returns:
            The string, None or DROP.

        Raises:
            DecodeError: The problem, if the policy is ``fail``.
        """
        if policy == "fail":
            self.release()
            raise problem
        self.report(problem)
        return text if policy == "keep" else None if policy == "null" else DROP


# Searches through one record for the addresses of containers.
MOST_LOOKS = 16


class CrowdedError(Exception):
    """A limit may be met, or too much was searched: the record has to go the careful way."""


def address_of(container: Any, tree: Any, run: Run) -> list[Any]:
    """
    Return the steps from the root of a tree to a container, found by identity.

    Empty if the container is the root, or is not in the tree.

    Raises:
        CrowdedError: If the run has searched too often.
    """
    run.look()
    waiting: list[tuple[tuple[Any, ...], Any]] = [((), tree)]
    while waiting:
        path, value = waiting.pop()
        if value is container:
            return list(path)
        if type(value) is dict:
            waiting += [((*path, k), v) for k, v in value.items() if type(v) in (dict, list)]
        elif type(value) is list:
            waiting += [((*path, i), v) for i, v in enumerate(value) if type(v) in (dict, list)]
    return []


def in_document_order(
    tree: Any,
    problems: dict[Address, DecodeError],
    orders: dict[int, dict[Any, int]],
) -> list[DecodeError]:
    """
    Return the problems of a tree in document order.

    Args:
        tree: The tree that the addresses lead through.
        problems: The problems, by address.
        orders: For objects that have lost members, by id: the number of each member in the
            document. Those of other objects are added.
    """

    def place(address: Address) -> list[int]:
        numbers, value = [], tree
        for step in address.steps():
            if isinstance(value, dict):
                order = orders.get(id(value))
                if order is None:
                    order = orders[id(value)] = {key: n for n, key in enumerate(value)}
                numbers.append(order[step])
                value = value.get(step)
            else:
                numbers.append(int(step))
                value = value[step]
        return numbers

    if len(problems) < 2:
        return list(problems.values())
    return [problems[address] for address in sorted(problems, key=place)]
