"""
Queries answered step by step: the values, the functions, and what an answer may cost.

This is the careful way. What ``code`` writes out calls the same functions, and is
tested against this.
"""

from __future__ import annotations

import functools
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from jmespath import exceptions, functions, visitor

from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import policies_of
from nestdecode.plan.run import DROP, Run, in_document_order
from nestdecode.queries.growth import may_multiply, may_share
from nestdecode.spec import Shape
from nestdecode.text.write import encode

__all__ = [
    "AN_OBJECT",
    "A_LIST",
    "A_MEMBER",
    "MOST_BUILT",
    "REFUSALS",
    "Interpreter",
    "Node",
    "RefusedError",
    "Work",
    "call",
    "compare",
    "copied",
    "equals",
    "search",
    "search_late",
    "type_name",
]

Node = dict[str, Any]

# What one answer may build, in units of about 16 bytes: 256 MiB, or a second or two.
MOST_BUILT = 1 << 24
# Costs in these units: a list, an object, one of its members, a step of the interpreter.
A_LIST, AN_OBJECT, A_MEMBER, A_STEP = 8, 16, 3, 8
LONG_TEXT = 16

_TYPE_NAMES = {
    "NoneType": "null",
    "Number": "number",
    "_Expression": "expression reference",
    "bool": "boolean",
    "dict": "object",
    "float": "number",
    "int": "number",
    "list": "array",
    "str": "string",
}
_JSON_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")


class RefusedError(Exception):
    """A function refused its arguments, or an answer its size: (reason, function or None)."""


# What a search may raise.
REFUSALS = (exceptions.JMESPathTypeError, RefusedError, RecursionError)


def type_name(python: str) -> str:
    """Return JSON's name of a type that jmespath.py calls by Python's."""
    return _TYPE_NAMES.get(python, python)


# Functions

_stringify = json.JSONEncoder(separators=(",", ":"), default=str)


@functools.cache
def _admitted(types: tuple[str, ...]) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Return the Python types of a signature, and of its elements: Number is a number."""
    own, elements = functions.Functions()._get_allowed_pytypes(types)
    return _with_number(own), tuple(map(_with_number, elements))


def _with_number(names: Iterable[str]) -> tuple[str, ...]:
    return (*names, *(["Number"] if "float" in names else []))


class _Functions(functions.Functions):  # type: ignore[misc]
    def _get_allowed_pytypes(self, types: list[str]) -> Any:
        return _admitted(tuple(types))

    def _convert_to_jmespath_type(self, pyobject: str) -> Any:
        return super()._convert_to_jmespath_type("float" if pyobject == "Number" else pyobject)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_string(self, arg: Any) -> str:
        return arg if isinstance(arg, str) else encode(arg, _stringify)

    @functions.signature({"types": []})  # type: ignore[untyped-decorator]
    def _func_to_number(self, arg: Any) -> Any:
        if isinstance(arg, bool) or not isinstance(arg, (str, int, float)):
            return None
        if not isinstance(arg, str):
            return arg
        if not _JSON_NUMBER.fullmatch(arg):
            return None
        try:
            number = json.loads(arg)
        except ValueError:  # sys.set_int_max_str_digits
            return None
        return None if number in (float("inf"), float("-inf")) else number

    @functions.signature({"types": ["array", "string"]}, {"types": []})  # type: ignore[untyped-decorator]
    def _func_contains(self, subject: Any, search: Any) -> bool:
        if isinstance(subject, str):
            return search in subject
        return any(equals(element, search) for element in subject)


_functions = _Functions()


def call(name: str, arguments: list[Any]) -> Any:
    """
    Apply a function.

    Raises:
        JMESPathTypeError, RefusedError: If it does not take these arguments.
    """
    try:
        answer = _functions.call_function(name, arguments)
        if type(answer) is not float or math.isfinite(answer):
            return answer
    except exceptions.JMESPathTypeError:
        raise
    except (exceptions.JMESPathError, TypeError, ValueError, OverflowError):
        pass
    raise RefusedError(f"{name}() can't take these arguments", name)


def equals(left: Any, right: Any) -> bool:
    """Compare as JSON: true is no 1, at any depth; 1 and 1.0 are the same number."""
    if type(left) is bool or type(right) is bool:
        return left is right
    if type(left) is list and type(right) is list:
        return len(left) == len(right) and all(map(equals, left, right))
    if type(left) is dict and type(right) is dict:
        return left.keys() == right.keys() and all(
            equals(value, right[key]) for key, value in left.items()
        )
    return bool(left == right)


_ORDERS = {"lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge}


def compare(name: str, left: Any, right: Any) -> bool | None:
    """Order two numbers, or two strings; null for all else."""
    ordered = (_is_number(left) and _is_number(right)) or (
        isinstance(left, str) and isinstance(right, str)
    )
    return bool(_ORDERS[name](left, right)) if ordered else None


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_false(value: Any) -> bool:
    """Tell whether a value is null, false, or empty; 0 is not false."""
    return not value and not _is_number(value)


def copied(value: Any) -> Any:
    """Copy the containers of a value."""
    if type(value) is dict:
        return {key: copied(child) for key, child in value.items()}
    return [copied(child) for child in value] if type(value) is list else value


# What an answer may cost

# Functions that take longer, or give more, the more they are given.
_LINEAR = frozenset(
    {"avg", "contains", "join", "keys", "map", "max", "max_by", "merge", "min", "min_by"}
    | {"reverse", "sort", "sort_by", "sum", "to_string", "values"}
)


class Work:
    """
    What one answer may still build.

    Counted is what a query makes and goes through, as a tree: a part that is in an answer
    twice counts twice.

    Args:
        most: Units of about 16 bytes.
    """

    __slots__ = ("left",)

    def __init__(self, most: float = MOST_BUILT) -> None:
        self.left = most

    def take(self, units: float) -> None:
        """
        Count what is about to be built.

        Raises:
            RefusedError: If that is too much.
        """
        self.left -= units
        if self.left < 0:
            raise RefusedError("builds more than one answer may, which is 256 MiB", None)

    def call(self, name: str, arguments: list[Any]) -> Any:
        """Apply a function, counted before and after."""
        self.take(A_LIST)
        if name in _LINEAR:
            for argument in arguments:
                if isinstance(argument, str):
                    self.take(len(argument) >> 6)
                elif isinstance(argument, (list, dict)):
                    self.take(A_LIST * len(argument))
            if name == "join":
                self._take_joined(arguments)
            elif name == "to_string":
                self._take_whole(arguments[0])
            elif name == "contains" and isinstance(arguments[0], list):
                return any(self.equals(element, arguments[1]) for element in arguments[0])
        answer = call(name, arguments)
        if isinstance(answer, str):
            self.take(_size_of(answer))
        return answer

    def _take_joined(self, arguments: list[Any]) -> None:
        glue, parts = arguments
        if isinstance(glue, str) and isinstance(parts, list) and parts:
            self.take(_size_of(glue) * (len(parts) - 1) + (len(glue) * len(parts) >> 4))
            self.take(sum(_size_of(part) for part in parts if isinstance(part, str)))

    def _take_whole(self, value: Any) -> None:
        """Count all that is in a value, as often as it is there."""
        if isinstance(value, str):
            # Escaped it may be several times as long.
            self.take(1 + (len(value) >> 3))
        elif isinstance(value, (list, dict)):
            self.take(A_LIST + len(value))
            for child in value.values() if isinstance(value, dict) else value:
                if isinstance(child, (str, list, dict)):
                    self._take_whole(child)

    def equals(self, left: Any, right: Any) -> bool:
        """Compare as ``equals`` does, counted."""
        if type(left) is list and type(right) is list:
            self.take(A_LIST + len(left))
            return len(left) == len(right) and all(map(self.equals, left, right))
        if type(left) is dict and type(right) is dict:
            self.take(A_LIST + len(left))
            return left.keys() == right.keys() and all(
                self.equals(value, right[key]) for key, value in left.items()
            )
        return equals(left, right)

    def copy(self, value: Any) -> Any:
        """Copy the containers of a value, counted."""
        if type(value) is dict:
            self.take(AN_OBJECT + A_MEMBER * len(value))
            return {key: self.copy(child) for key, child in value.items()}
        if type(value) is list:
            self.take(A_LIST + len(value))
            return [self.copy(child) for child in value]
        return value

    def apart(self, answer: Any) -> Any:
        """Copy an answer so that no container is in it twice; what was is counted."""
        return self._apart(answer, set())

    def _apart(self, value: Any, seen: set[int]) -> Any:
        if isinstance(value, str):
            # Text can't be changed, and is shared; it is counted since it may be written.
            if len(value) >= LONG_TEXT:
                self._take_again(value, _size_of(value), seen)
            return value
        if isinstance(value, dict):
            self._take_again(value, AN_OBJECT + A_MEMBER * len(value), seen)
            return {key: self._apart(child, seen) for key, child in value.items()}
        if isinstance(value, list):
            self._take_again(value, A_LIST + len(value), seen)
            return [self._apart(child, seen) for child in value]
        return value

    def _take_again(self, value: Any, units: int, seen: set[int]) -> None:
        if id(value) in seen:
            self.take(units)
        else:
            seen.add(id(value))


def _size_of(text: str) -> int:
    return 1 + (len(text) >> 4 if text.isascii() else len(text) >> 2)


# The careful way


class Interpreter:
    """
    Evaluates expressions on expanded trees.

    Args:
        work: What the answer may cost.
    """

    def __init__(self, work: Work) -> None:
        self.work = work

    def visit(self, node: Node, value: Any) -> Any:
        """Evaluate one expression."""
        self.work.take(A_STEP)
        return _VISITS[node["type"]](self, node, value)

    def child(self, container: Any, key: Any) -> Any:
        """Return a member or an element."""
        return container[key]

    def finish(self, value: Any) -> Any:
        """Return a value that is about to be seen whole."""
        return value

    def elements(self, value: list[Any]) -> Iterator[Any]:
        """Go through the elements of a list."""
        self.work.take(len(value))
        for index in range(len(value)):
            yield self.child(value, index)

    # Steps

    def _current(self, _node: Node, value: Any) -> Any:
        return value

    def _literal(self, node: Node, _value: Any) -> Any:
        # The cached syntax tree is everybody's: nobody may get its containers.
        return self.work.copy(node["value"])

    def _field(self, node: Node, value: Any) -> Any:
        name = node["value"]
        return self.child(value, name) if isinstance(value, dict) and name in value else None

    def _index(self, node: Node, value: Any) -> Any:
        at = node["value"]
        if not isinstance(value, list) or not -len(value) <= at < len(value):
            return None
        return self.child(value, at % len(value))

    def _slice(self, node: Node, value: Any) -> Any:
        if not isinstance(value, list):
            return None
        chosen = range(len(value))[slice(*node["children"])]
        self.work.take(A_LIST + len(chosen))
        return [self.child(value, index) for index in chosen]

    def _chain(self, node: Node, value: Any) -> Any:
        for child in node["children"]:
            value = self.visit(child, value)
        return value

    def _guarded(self, node: Node, value: Any) -> Any:
        focus = self.visit(node["children"][0], value)
        return None if focus is None else self.visit(node["children"][1], focus)

    # Projections

    def _projected(self, right: Node, elements: Iterable[Any]) -> list[Any]:
        self.work.take(A_LIST)
        found = (self.visit(right, element) for element in elements)
        return [value for value in found if value is not None]

    def _projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        return self._projected(node["children"][1], self.elements(base))

    def _value_projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, dict):
            return None
        self.work.take(len(base))
        # A copy of the keys: a member may be opened on the way.
        members = (self.child(base, key) for key in list(base))
        return self._projected(node["children"][1], members)

    def _filter_projection(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        test = node["children"][2]
        chosen = (e for e in self.elements(base) if not is_false(self.visit(test, e)))
        return self._projected(node["children"][1], chosen)

    def _flatten(self, node: Node, value: Any) -> Any:
        base = self.visit(node["children"][0], value)
        if not isinstance(base, list):
            return None
        self.work.take(A_LIST)
        merged: list[Any] = []
        for element in self.elements(base):
            if isinstance(element, list):
                merged.extend(self.elements(element))
            else:
                merged.append(element)
        return merged

    # What is made

    def _multi_select_list(self, node: Node, value: Any) -> Any:
        if value is None:
            return None
        self.work.take(A_LIST + len(node["children"]))
        return [self.visit(child, value) for child in node["children"]]

    def _multi_select_dict(self, node: Node, value: Any) -> Any:
        if value is None:
            return None
        self.work.take(AN_OBJECT + A_MEMBER * len(node["children"]))
        return {
            child["value"]: self.visit(child["children"][0], value) for child in node["children"]
        }

    def _or_expression(self, node: Node, value: Any) -> Any:
        first = self.visit(node["children"][0], value)
        return self.visit(node["children"][1], value) if is_false(first) else first

    def _and_expression(self, node: Node, value: Any) -> Any:
        first = self.visit(node["children"][0], value)
        return first if is_false(first) else self.visit(node["children"][1], value)

    def _not_expression(self, node: Node, value: Any) -> Any:
        return is_false(self.visit(node["children"][0], value))

    def _comparator(self, node: Node, value: Any) -> Any:
        left, right = (self.finish(self.visit(child, value)) for child in node["children"])
        if node["value"] in ("eq", "ne"):
            return self.work.equals(left, right) is (node["value"] == "eq")
        return compare(node["value"], left, right)

    def _expref(self, node: Node, _value: Any) -> Any:
        return visitor._Expression(node["children"][0], self)

    def _function_expression(self, node: Node, value: Any) -> Any:
        arguments = [self.finish(self.visit(child, value)) for child in node["children"]]
        return self.work.call(node["value"], arguments)


_VISITS: dict[str, Callable[[Any, Node, Any], Any]] = {
    "and_expression": Interpreter._and_expression,
    "comparator": Interpreter._comparator,
    "current": Interpreter._current,
    "expref": Interpreter._expref,
    "field": Interpreter._field,
    "filter_projection": Interpreter._filter_projection,
    "flatten": Interpreter._flatten,
    "function_expression": Interpreter._function_expression,
    "guarded": Interpreter._guarded,
    "identity": Interpreter._current,
    "index": Interpreter._index,
    "index_expression": Interpreter._chain,
    "literal": Interpreter._literal,
    "multi_select_dict": Interpreter._multi_select_dict,
    "multi_select_list": Interpreter._multi_select_list,
    "not_expression": Interpreter._not_expression,
    "or_expression": Interpreter._or_expression,
    "pipe": Interpreter._chain,
    "projection": Interpreter._projection,
    "slice": Interpreter._slice,
    "subexpression": Interpreter._chain,
    "value_projection": Interpreter._value_projection,
}


class _Place(NamedTuple):
    """
    A container of the record in which layers may be.

    Attributes:
        container: It; named so that its id stays its own.
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
    Evaluates an expression on one record whose layers are shut, and opens what it sees.

    A string is opened when it is read from its container, once. Of values that were read,
    and of containers that the expression makes, nothing is opened again.

    Args:
        plan: What opens layers.
        run: The record's pass.
        work: What the answer may cost.
    """

    def __init__(self, plan: Plan, run: Run, work: Work) -> None:
        super().__init__(work)
        self._plan = plan
        self._run = run
        run.settled = set()
        self._report = run.report
        run.report = self._note
        self._problems: dict[Address, DecodeError] = {}
        self._places: dict[int, _Place] = {}
        self._finished: dict[int, Any] = {}
        self._drops = "drop" in policies_of(plan)
        self._orders: dict[int, dict[Any, int]] = {}

    def answer(self, node: Node, tree: Any) -> Any:
        """Return the answer for a record, and report what stayed shut of what it saw."""
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
        """Return a member or an element, opened."""
        value = container[key]
        place = self._places.get(id(container))
        if place is None or id(value) in self._places:
            return value
        if isinstance(value, str):
            if self._run.is_settled(container, key):
                return value
        elif type(value) is not dict and type(value) is not list:
            return value
        shapes = _children(place.shapes, container, key)
        new = self._enter(value, shapes, Address(place.address, key), place.layers)
        if new is DROP:
            # Only a member can go; an element stays what it is.
            if type(container) is list:
                return value
            del container[key]
            return None
        if new is not value:
            container[key] = new
        return new

    def _enter(self, value: Any, shapes: tuple[Shape, ...], address: Address, layers: int) -> Any:
        """Open a value that was read from its place, and remember what may be in it."""
        if isinstance(value, str):
            self._run.path = path = address.steps()
            value, shapes, layers = self._plan.open(shapes, value, len(path), layers, self._run)
        if (type(value) is dict or type(value) is list) and (shapes or self._plan.undeclared):
            self._places[id(value)] = _Place(value, shapes, address, layers)
            if self._drops and type(value) is dict:
                self._drop_members(value, shapes)
        return value

    def _drop_members(self, value: dict[str, Any], shapes: tuple[Shape, ...]) -> None:
        """Open the members that may go: an object is not seen with them and then without."""
        self._orders[id(value)] = {key: number for number, key in enumerate(value)}
        for key, member in list(value.items()):
            if isinstance(member, str):
                children = _children(shapes, value, key)
                if self._plan.policy(children) == "drop":
                    self.child(value, key)

    def finish(self, value: Any) -> Any:
        """Open every layer in a value."""
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


def search(node: Node, tree: Any) -> Any:
    """Evaluate an expression on an expanded tree; the answer has each container once."""
    work = _work_for(node)
    answer = Interpreter(work).visit(node, tree)
    return work.apart(answer) if may_share(node) else answer


def search_late(node: Node, tree: Any, plan: Plan, run: Run) -> Any:
    """Evaluate an expression on a record whose layers are shut, and open what it sees."""
    work = _work_for(node)
    answer = LateInterpreter(plan, run, work).answer(node, tree)
    return work.apart(answer) if may_share(node) else answer


def _work_for(node: Node) -> Work:
    return Work() if may_multiply(node) else Work(math.inf)
