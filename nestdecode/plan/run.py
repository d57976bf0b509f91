"""One record on its way: where we are in it, what it may cost, what is told of it."""

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
    """What stands for a member that is to go."""


DROP = _Drop()


class Opening(NamedTuple):
    """
    One string that was opened.

    Attributes:
        address: Its place in the expanded tree.
        around: Layers around it.
        layers: Codecs and text of each layer that it is, from the outermost on.
        admits: JSON Schema types of what may be in the innermost.
        content: Shape of what is in the innermost, or None if nothing is known of it.
    """

    address: Address
    around: int
    layers: tuple[tuple[tuple[str, ...], str], ...]
    admits: frozenset[str]
    content: Shape | None


class Trace(NamedTuple):
    """
    A record, expanded with a note of everything.

    Attributes:
        tree: The expanded tree.
        openings: What was opened, in document order.
        problems: The layers that stayed shut, by their places.
        shapes: What is declared of the root: nothing, or one shape.
    """

    tree: Any
    openings: list[Opening]
    problems: dict[Address, DecodeError]
    shapes: tuple[Shape, ...]


class Run:
    """
    One record on its way: what it may still cost, and where we are in it.

    Attributes:
        openings: What was opened, in document order, if that is to be known; else None.
        settled: Strings that were opened, or stay shut, as (id of the container, key), if
            places may be visited twice: what is there now is not opened again. Else None.
    """

    __slots__ = (
        "_addresses",
        "_tell",
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
        self._tell = report
        # Of the places on the way to the one that an address was made for last.
        self._addresses: list[Address] = []
        self.looks: int = 0

    def is_settled(self, container: Any, key: Any) -> bool:
        """Return whether a string was met before, and note that it is met now."""
        if self.settled is None:
            return False
        place = id(container), key
        if place in self.settled:
            return True
        self.settled.add(place)
        return False

    def look(self) -> None:
        """Count a search through the record; raise CrowdedError if there were too many."""
        self.looks += 1
        if self.looks > MOST_LOOKS:
            raise CrowdedError

    def hold(self) -> Run:
        """Keep problems back until they are released, or the run is given up."""
        self.held = []
        self.report = self.held.append
        return self

    def release(self) -> None:
        """Tell of the problems that were kept back."""
        for problem in self.held or ():
            self._tell(problem)
        self.held, self.report = None, self._tell

    def here(self, error: DecodeError) -> DecodeError:
        """Return *error* with the address of the place we are at."""
        return type(error)(error.reason, self.address(), error.codec)

    def address(self) -> Address:
        """Return the address of the place we are at; neighbours share what is around them."""
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
        """Return what a policy makes of a string that stays shut, and tell of it."""
        if policy == "fail":
            self.release()
            raise problem
        self.report(problem)
        return text if policy == "keep" else None if policy == "null" else DROP


# How often a record is searched for the place of a layer.
MOST_LOOKS = 16


class CrowdedError(Exception):
    """So much is looked up in a record that another way is the better one."""


def address_of(container: Any, tree: Any, run: Run) -> list[Any]:
    """
    Find a container in a tree by identity.

    Raises:
        CrowdedError: If that happens too often in the run.
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
    Sort the problems of a tree as a walk through the document would meet them.

    Args:
        tree: The tree, its containers those that the addresses lead through.
        problems: The problems by their places.
        orders: The numbers of the members of some objects, by the object's id: of those
            that have lost some. Others are added.
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
