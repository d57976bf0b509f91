"""
A spec's shape run over a tree: each declared layer is opened, nothing else is.

Also the state of one record's pass (``Run``), which detection without a spec shares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nestdecode.errors import DecodeError, LimitError, Policy
from nestdecode.paths import ROOT, Address
from nestdecode.text.reader import MALFORMED, Budget, Limits, Reader

if TYPE_CHECKING:
    from nestdecode.spec import Alternative, Shape

__all__ = [
    "CLOSERS",
    "CONTAINERS",
    "DROP",
    "OPENERS",
    "CrowdedError",
    "Finder",
    "Opening",
    "Plan",
    "Run",
    "address_of",
    "can_be_late",
    "has_one_inside",
    "in_document_order",
    "layers_inside",
    "may_exceed_layers",
    "opened_on_the_spot",
    "policies_of",
    "type_name",
]

Report = Callable[[DecodeError], None]


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

    def __init__(self, reader: Reader, on_error: Policy, report: Report) -> None:
        self.reader = reader
        self.limits = reader.limits
        self.on_error = on_error
        self.budget = Budget(self.limits.max_bytes)
        self.path: list[str | int] = []
        self.report = report
        self.held: list[DecodeError] | None = None
        self.openings: list[Opening] | None = None
        self.settled: set[tuple[int, Any]] | None = None
        self._tell = report
        # Of the places on the way to the one that an address was made for last.
        self._addresses: list[Address] = []
        self.looks = 0

    def is_settled(self, container: Any, key: Any) -> bool:
        """Tell whether a string was met before, and note that it is met now."""
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

    def settle(self, problem: DecodeError, text: str, policy: Policy) -> Any:
        """Return what a policy makes of a string that stays shut, and tell of it."""
        if policy == "fail":
            self.release()
            raise problem
        self.report(problem)
        return text if policy == "keep" else None if policy == "null" else DROP


class Finder(NamedTuple):
    """
    What opens layers where nothing is declared.

    Attributes:
        find: Opens all in a value: (value, containers around it, layers around it, run).
        open: Opens one string, and nothing that is in it; the same arguments. Returns
            what is there then, and the layers around that.
    """

    find: Callable[[Any, int, int, Run], Any]
    open: Callable[[str, int, int, Run], tuple[Any, int]]


class Plan:
    """
    A spec, ready to run. Immutable, so that threads may share it.

    Args:
        shape: What is declared, or None if nothing is.
        on_error: Policy for layers that name none.
        undeclared: What opens layers where nothing is declared, or None if nothing may.
    """

    def __init__(self, shape: Shape | None, on_error: Policy, undeclared: Finder | None) -> None:
        self.shapes: tuple[Shape, ...] = () if shape is None else (shape,)
        self.on_error = on_error
        self.undeclared = undeclared

    def run(self, tree: Any, run: Run) -> Any:
        """
        Open the layers of *tree* in place, and return it, or what replaces it.

        Raises:
            DecodeError: If a layer whose policy is ``fail`` does not open.
        """
        return self.visit(self.shapes, tree, 0, 0, run)

    def open(
        self, shapes: tuple[Shape, ...], text: str, depth: int, layers: int, run: Run
    ) -> tuple[Any, tuple[Shape, ...], int]:
        """
        Open one string, and nothing that is in it.

        Returns:
            What is there then, the shapes of what is in that, and the layers around it.
        """
        alternatives = tuple(a for shape in shapes for a in shape.alternatives)
        if not alternatives:
            # Nothing is said of this place ({} or true), or it is a plain string.
            if self.undeclared is None or any(shape.declared for shape in shapes):
                return text, (), layers
            value, inside = self.undeclared.open(text, depth, layers, run)
            return value, (), inside
        optional = all(shape.admits_plain(text) for shape in shapes)
        opened = _open(alternatives, text, depth, layers, run, optional=optional)
        if isinstance(opened, _Shut):
            if not optional:
                problem = opened.problem(run.address())
                return run.settle(problem, text, self.policy(shapes)), (), layers
            if opened.is_limited:
                run.report(opened.problem(run.address()))
            return text, (), layers
        value, chain = opened
        last, _ = chain[-1]
        if run.openings is not None:
            noted = tuple((alternative.codecs, text) for alternative, text in chain)
            noting = Opening(run.address(), layers, noted, last.admits, last.content)
            run.openings.append(noting)
        content = () if last.content is None else (last.content,)
        return value, content, layers + len(chain)

    def visit(
        self, shapes: tuple[Shape, ...], value: Any, depth: int, layers: int, run: Run
    ) -> Any:
        """
        Open the layers of *value* in place, and return it, or what replaces it.

        Args:
            shapes: What is declared of the value.
            value: Any value of a tree.
            depth: Containers around it.
            layers: Layers around it.
            run: The record's pass, at the value's place.
        """
        kind = type(value)
        if not shapes:
            if self.undeclared is None:
                return value
            return self.undeclared.find(value, depth, layers, run)
        if kind is str:
            value, inside, layers = self.open(shapes, value, depth, layers, run)
            # What was read from a text, and is a string, is no layer.
            if type(value) is dict or type(value) is list:
                self.visit(inside, value, depth, layers, run)
            return value
        if kind is dict:
            self._visit_object(shapes, value, depth + 1, layers, run)
        elif kind is list:
            self._visit_array(shapes, value, depth + 1, layers, run)
        return value

    def _visit_object(
        self,
        shapes: tuple[Shape, ...],
        value: dict[str, Any],
        depth: int,
        layers: int,
        run: Run,
    ) -> None:
        names: Any = value
        # Problems are reported in the order of the document, not in that of the spec.
        if self.undeclared is None and not any(s.patterns or s.rest for s in shapes):
            declared = {name for shape in shapes for name in shape.names}
            names = [name for name in value if name in declared]
        dropped = []
        for name in names:
            run.path.append(name)
            children = tuple(child for shape in shapes for child in shape.members(name))
            new = old = value[name]
            if type(old) is not str or not run.is_settled(value, name):
                new = self.visit(children, old, depth, layers, run)
            run.path.pop()
            if new is DROP:
                dropped.append(name)
            elif new is not old:
                value[name] = new
        for name in dropped:
            del value[name]

    def _visit_array(
        self,
        shapes: tuple[Shape, ...],
        value: list[Any],
        depth: int,
        layers: int,
        run: Run,
    ) -> None:
        if self.undeclared is None and not any(s.prefix or s.items for s in shapes):
            return
        for index, old in enumerate(value):
            children = tuple(s for shape in shapes if (s := shape.element(index)) is not None)
            run.path.append(index)
            new = old
            if type(old) is not str or not run.is_settled(value, index):
                new = self.visit(children, old, depth, layers, run)
            run.path.pop()
            # Only a member can go; an element stays what it is.
            if new is not old and new is not DROP:
                value[index] = new

    def policy(self, shapes: tuple[Shape, ...]) -> Policy:
        """Return what is done with a string of these shapes that does not open."""
        waiting = list(shapes)
        seen: list[Shape] = []
        # A chain's outermost layer decides; one further in, if that one is silent.
        while waiting:
            shape = waiting.pop(0)
            if shape.on_error is not None:
                return shape.on_error
            seen.append(shape)
            waiting += [
                a.content
                for a in shape.alternatives
                if a.content is not None
                and a.content.alternatives
                and "string" in a.admits
                and a.content not in seen
            ]
        return self.on_error


# The alternative that opened each layer of a string, and the layer's text.
_Chain = tuple[tuple["Alternative", str], ...]


class _Shut(NamedTuple):
    """Why a string does not open. Not an exception: a record may hold very many."""

    reason: str
    codec: str | None
    is_limited: bool = False

    def problem(self, address: Address) -> DecodeError:
        """Return the error of a place."""
        kind = LimitError if self.is_limited else DecodeError
        return kind(self.reason, address, self.codec)


def _open(
    alternatives: tuple[Alternative, ...],
    text: str,
    depth: int,
    layers: int,
    run: Run,
    *,
    optional: bool,
) -> tuple[Any, _Chain] | _Shut:
    """
    Open a string by the first alternative that opens it.

    Args:
        alternatives: One or several.
        text: The string.
        depth: Containers around it.
        layers: Layers around it.
        run: The record's pass.
        optional: Whether it may stay a string: then only a limit is a reason, and only
            for what may be a layer.

    Returns:
        The value, and the layers that it was in, from the outermost on.
    """
    failures: list[_Shut] = []
    for alternative in alternatives:
        opened = _undo(alternative, text, depth, layers, run, optional=optional)
        if not isinstance(opened, _Shut):
            return opened
        failures.append(opened)
    if optional:
        return next((shut for shut in failures if shut.is_limited), failures[0])
    if len(failures) == 1:
        return failures[0]
    reasons = "; ".join(
        f"{' | '.join(a.codecs)}: {shut.reason}"
        for a, shut in zip(alternatives, failures, strict=True)
    )
    is_limited = any(shut.is_limited for shut in failures)
    return _Shut(f"no alternative opens it: {reasons}", None, is_limited)


def _undo(
    alternative: Alternative, text: str, depth: int, layers: int, run: Run, *, optional: bool
) -> tuple[Any, _Chain] | _Shut:
    from nestdecode.codecs import CODECS  # late: detection needs none

    codecs, is_too_far = alternative.codecs, layers >= run.limits.max_layers
    if is_too_far and not optional:
        return _too_far(run.limits, codecs[0])
    if optional and codecs == ("json",) and not alternative.admits - CONTAINERS:
        # A limit is no reason for what is plainly a text.
        ends = text[:1] in OPENERS and text[-1:] in CLOSERS
        if not ends:
            return _Shut("invalid JSON", "json")
    value: Any = text
    codec = ""
    try:
        for codec in codecs:
            step = CODECS[codec].open
            if step:
                value = step(value, run.budget)
            else:
                value = run.reader.attempt(value, depth, why=not optional)
        if isinstance(value, bytes):
            value, found = _decode(value), ""
        elif value is MALFORMED:
            return _Shut("invalid JSON", codec)
        else:
            found = type_name(value)
    except DecodeError as error:
        return _Shut(error.reason, codec, isinstance(error, LimitError))
    if found and found not in alternative.admits:
        hint = (
            "; a text that is encoded twice is written json | json"
            if found == "string" and codecs[-1] == "json"
            else ""
        )
        return _Shut(f"expected {_wanted(alternative.admits)}, got {found}{hint}", codec)
    if is_too_far:
        return _too_far(run.limits, codecs[0])
    chain: _Chain = ((alternative, text),)
    content = alternative.content
    if found == "string" and content is not None and content.alternatives:
        plain = content.admits_plain(value)
        inner = _open(
            content.alternatives, value, depth, layers + 1, run, optional=optional or plain
        )
        if not isinstance(inner, _Shut):
            value, rest = inner
            chain += rest
        elif inner.is_limited or not plain:
            return inner
    return value, chain


def _too_far(limits: Limits, codec: str) -> _Shut:
    return _Shut(f"more than max_layers={limits.max_layers} layers", codec, is_limited=True)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    raise DecodeError(f"not UTF-8: byte {start}", "")


# JSON Schema types that every layer may hold, unless the content's types exclude them.
CONTAINERS = frozenset({"object", "array"})
_NAMES = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean"}


def type_name(value: Any) -> str:
    """Return the narrowest JSON Schema type of a value."""
    if isinstance(value, float):
        # 1.0 is an integer to JSON Schema (2020-12 validation, section 6.1.1).
        return "integer" if value.is_integer() else "number"
    return "null" if value is None else _NAMES[type(value)]


def _wanted(admits: frozenset[str]) -> str:
    order = ("object", "array", "string", "number", "integer", "boolean", "null")
    names = [n for n in order if n in admits and not (n == "integer" and "number" in admits)]
    named = [n if n == "null" else f"an {n}" if n[0] in "aeiou" else f"a {n}" for n in names]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) or "nothing"


# How often a record is searched for the place of a layer.
MOST_LOOKS = 16


def opened_on_the_spot(shape: Shape) -> list[str]:
    """
    Return the Python types that a string may open to, if one parse and a look will do.

    None if there are alternatives, other codecs than json, scalars to admit, or children
    that the content and the place do not share: those are left to the plan.
    """
    if len(shape.alternatives) != 1 or shape.alternatives[0].codecs != ("json",):
        return []
    only = shape.alternatives[0]
    content = only.content
    if not only.admits or only.admits - CONTAINERS:
        return []
    if not _same_children(content, shape) or (content is not None and content.alternatives):
        return []
    return [kind for kind, name in (("dict", "object"), ("list", "array")) if name in only.admits]


def has_one_inside(shape: Shape) -> bool:
    """Tell whether the same is declared inside a string, whichever way it is opened."""
    waiting = list(shape.alternatives)
    seen: list[Shape | None] = []
    while waiting:
        content = waiting.pop().content
        if content in seen:
            continue
        seen.append(content)
        if not _same_children(content, shape):
            return False
        waiting += () if content is None else content.alternatives
    return True


def can_be_late(plan: Plan, limits: Limits) -> bool:
    """
    Tell whether layers may be opened when they are seen, or not at all.

    Not if a layer that nobody looks at may change what is around it, or fail the record;
    nor if a limit on layers can be met, since what is around a layer is not counted.
    """
    return (
        plan.undeclared is None
        and not policies_of(plan) & {"drop", "fail"}
        and not may_exceed_layers(plan, limits)
    )


def policies_of(plan: Plan) -> set[Policy]:
    """Return every policy that a layer may have."""
    from nestdecode.spec.shape import live_shapes  # late: detection needs no specs

    shapes = [live for shape in plan.shapes for live in live_shapes(shape)]
    named = {s.on_error for s in shapes if s.alternatives and s.on_error is not None}
    return {plan.on_error, *named}


def may_exceed_layers(plan: Plan, limits: Limits) -> bool:
    """Tell whether more layers can be inside one another than are allowed."""
    return layers_inside(plan, limits) > limits.max_layers


OPENERS = frozenset("{[ \t\r\n")
CLOSERS = frozenset("}] \t\r\n")


def _same_children(content: Shape | None, shape: Shape) -> bool:
    inside = () if content is None else content.children()
    return list(inside) == list(shape.children())


def layers_inside(plan: Plan, limits: Limits) -> int:
    """Count the declared layers that can be inside one another, to one more than allowed."""
    most = limits.max_layers
    deepest: dict[Shape, int] = {}
    waiting = [(root, 0) for root in plan.shapes]
    while waiting:
        shape, layers = waiting.pop()
        if deepest.get(shape, -1) >= layers or layers > most:
            continue
        deepest[shape] = layers
        waiting += [(child, layers + bool(shape.alternatives)) for _, child in shape.children()]
        waiting += [(a.content, layers + 1) for a in shape.alternatives if a.content is not None]
        if layers + bool(shape.alternatives) > most:
            return most + 1
    return max((n + bool(s.alternatives) for s, n in deepest.items()), default=0)


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
