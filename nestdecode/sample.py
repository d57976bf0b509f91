"""A sample of documents, held against a spec: what the spec names and the sample lacks."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from nestdecode.decoder import Decoder
from nestdecode.errors import DecodeError, Policy, QueryError, SpecError
from nestdecode.paths import Step, Wild, format_path, join_pointer, split_pointer
from nestdecode.plan import detect
from nestdecode.plan.run import Run
from nestdecode.queries.expression import Expression, compile_expression
from nestdecode.queries.functions import REFUSALS
from nestdecode.queries.interpreter import Node
from nestdecode.spec import Shape, Spec
from nestdecode.spec.lint import document_key, place_of
from nestdecode.spec.shape import met_in, walk
from nestdecode.words import nearest

__all__ = ["Sample"]

# Paths of a sample that are kept, and characters of each.
MOST_PATHS, LONGEST = 2000, 300
# Missing layers that are listed.
MOST_MISSING = 20


class _Keeping(Run):
    """A Run under which every string that does not open stays, whatever its policy."""

    __slots__ = ()

    def settle(self, problem: DecodeError, text: str | bytes, policy: Policy) -> Any:
        """Report the problem and return the string."""
        self.report(problem)
        return text


class Sample:
    """
    The paths of sample documents, and the declared layers that occur in them.

    Args:
        spec: The spec that is checked; None if it can't be read. Then only ``spelled`` has
            a use.
    """

    def __init__(self, spec: Spec | None) -> None:
        self._engine = Decoder(spec).engine
        self._spec = spec
        self._met: set[Shape] = set()
        self._is_empty = True
        # What has not answered for any document yet, by its pointer in the spec.
        self._silent = {} if spec is None else dict(_expressions(spec))
        # Paths, and their names without quotes, in small letters.
        self._paths: dict[str, str] = {}
        self._names: set[str] = set()
        # Paths of strings that hold JSON and are not declared.
        self._undeclared: set[str] = set()
        # How many strings at a path do not open, and the first of them.
        self._shut: dict[str, tuple[int, DecodeError]] = {}

    def add(self, raw: bytes) -> None:
        """
        Add one document.

        Raises:
            DecodeError: If it is not JSON, or is beyond a limit.
        """
        run = _Keeping(self._engine.reader, "keep", self._note)
        plan = self._engine.plan
        tree = self._engine.read(raw)
        self._is_empty = False
        self._ask(tree, is_open=False)
        if plan is not None:
            tree = plan.run(tree, run)
            self._meet(plan.shapes, tree)
        self._ask(tree, is_open=True)
        run.openings = []
        self._learn(detect.find(tree, 0, 0, run))
        self._undeclared |= {_path_of(found.address.steps()) for found in run.openings}

    def _note(self, problem: DecodeError) -> None:
        """Note a string that a declared layer does not open."""
        steps = [
            int(token) if token.isdecimal() else token for token in split_pointer(problem.pointer)
        ]
        path = _path_of(steps)
        number, first = self._shut.get(path, (0, problem))
        if number or len(self._shut) < MOST_MISSING:
            self._shut[path] = number + 1, first

    def _ask(self, tree: Any, *, is_open: bool) -> None:
        """Note which expressions answer: a match for the record as it came, others later."""
        for place, expression in list(self._silent.items()):
            is_match = place.endswith("/match")
            if is_match is is_open:
                continue
            try:
                answer = expression.search(tree)
            except REFUSALS:
                continue
            # A filter may well leave nothing.
            silent: tuple[Any, ...] = (None,) if _filters(expression.node) else (None, [])
            if answer is True if is_match else answer not in silent:
                del self._silent[place]

    def _meet(self, shapes: tuple[Shape, ...], tree: Any) -> None:
        """Note the shapes for which the tree has a value."""
        for met in met_in(tree, shapes):
            self._met.update(met)

    def _learn(self, tree: Any) -> None:
        """Note the paths of the tree."""
        waiting: list[tuple[tuple[Step, ...], Any]] = [((), tree)]
        while waiting and len(self._paths) < MOST_PATHS:
            steps, value = waiting.pop()
            path = format_path(steps)
            if len(path) > LONGEST:
                continue
            self._paths.setdefault(path, _key(steps))
            if type(value) is dict:
                self._names.update(value)
                waiting += reversed([((*steps, name), child) for name, child in value.items()])
            elif type(value) is list:
                # Elements are mostly alike: the first 50 show how their members are spelled.
                waiting += [((*steps, Wild.ELEMENTS), child) for child in reversed(value[:50])]

    def warnings(self) -> list[SpecError]:
        """
        List what the spec names and the sample lacks: layers, and answers of its queries.

        A layer comes with the nearest path that is there. What is inside it is not listed
        too, nor is a query, if a layer is missing.
        """
        spec = self._spec
        if spec is None or self._is_empty:
            return []
        found = []
        for shape, steps in self._missing():
            reason = f"nothing is at {format_path(steps)} in the sample{self._hint(steps)}"
            found.append((place_of(spec, shape, steps), reason))
        if len(found) > 1 and not self._met.intersection(_layered(spec)):
            none = f"none of the {len(found)} layers is in the sample"
            is_helped = any("; " in reason for _, reason in found)
            found = found if is_helped else [(place_of(spec, spec.shape, ()), none)]
        found += self._problems(spec)
        if not found:
            found = [(place, self._silence(place, e.node)) for place, e in self._silent.items()]
        return [spec.written.error(reason, place) for place, reason in found]

    def _problems(self, spec: Spec) -> Iterator[tuple[str, str]]:
        """Go through the declared layers with strings that do not open."""
        declared = {format_path(steps): (shape, steps) for shape, steps in walk(spec.shape)}
        for path, (number, first) in self._shut.items():
            shape, steps = declared.get(path, (spec.shape, ()))
            strings = "a string" if number == 1 else f"{number:,} strings"
            reason = f"{strings} of the sample can't be opened: {first.reason} ({first.codec})"
            yield place_of(spec, shape, steps), f"{reason}, at {first.brief}"

    def _silence(self, place: str, node: Node) -> str:
        """Say what an expression that gives nothing may lack."""
        if place.endswith("/match"):
            return "holds for no record of the sample"
        unknown = [name for name in _fields(node) if name not in self._names]
        hints = [f"{name!r}{nearest(name, self._names)}" for name in dict.fromkeys(unknown)]
        missing = f"; it has no {hints[0]}" if hints else ""
        return f"gives nothing for the whole sample{missing}"

    def _missing(self) -> Iterator[tuple[Shape, tuple[Step, ...]]]:
        """Go through the outermost layers that are declared and not there."""
        assert self._spec is not None
        seen = {self._spec.shape}
        waiting: deque[tuple[Shape, tuple[Step, ...]]] = deque([(self._spec.shape, ())])
        found = 0
        while waiting and found < MOST_MISSING:
            shape, steps = waiting.popleft()
            if shape.alternatives and shape not in self._met:
                found += 1
                yield shape, steps
                continue
            for step, child in shape.children():
                if child not in seen:
                    seen.add(child)
                    waiting.append((child, (*steps, step)))

    def spelled(self, text: str) -> str | None:
        """Return the sample's path with the same names as *text*, quotes and case aside."""
        wanted = text.replace('"', "").replace("[*]", "[]").casefold()
        return next((path for path, key in self._paths.items() if key == wanted), None)

    def _hint(self, steps: tuple[Step, ...]) -> str:
        if format_path(steps) in self._paths:
            around = (format_path(steps[:end]) for end in range(len(steps)))
            shut = next((path for path in around if path in self._undeclared), None)
            inside = "a string that no layer opens" if shut is None else f"the string at {shut}"
            return f"; it is inside {inside}: declare that layer, too"
        key = _key(steps)
        same = [known for known, other in self._paths.items() if other == key]
        if not same:
            keys = {other: known for known, other in self._paths.items()}
            same = [keys[near] for near in difflib.get_close_matches(key, keys, n=1, cutoff=0.6)]
        if not same and steps and isinstance(steps[-1], str):
            end = "." + steps[-1].casefold()
            same = [known for known, other in self._paths.items() if other.endswith(end)]
        return f"; did you mean {same[0]!r}?" if same else ""


def _expressions(spec: Spec) -> Iterator[tuple[str, Expression]]:
    """Go through a spec's expressions, each with its pointer."""
    written = {join_pointer(["queries", name]): text for name, text in spec.queries.items()}
    written |= {} if spec.focus is None else {"/focus": spec.focus}
    written |= {} if spec.match is None else {"/match": spec.match}
    for key, text in written.items():
        try:
            expression = compile_expression(text, start="root")
        except QueryError:
            continue  # the linter says what is wrong with it
        yield document_key(spec, key[1:]), expression


def _nodes(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        node = waiting.pop()
        yield node
        waiting += [child for child in reversed(node["children"]) if isinstance(child, dict)]


def _filters(node: Node) -> bool:
    return any(below["type"] == "filter_projection" for below in _nodes(node))


def _fields(node: Node) -> list[str]:
    return [below["value"] for below in _nodes(node) if below["type"] == "field"]


def _path_of(steps: Iterable[str | int]) -> str:
    return format_path(Wild.ELEMENTS if isinstance(step, int) else step for step in steps)


def _layered(spec: Spec) -> Iterator[Shape]:
    return (shape for shape, _ in walk(spec.shape) if shape.alternatives)


def _key(steps: tuple[Step, ...]) -> str:
    """Return the names of a path, without quotes and in lower case."""
    text = ""
    for step in steps:
        if isinstance(step, int) or step is Wild.ELEMENTS:
            text += "[]"
        else:
            name = step.casefold() if isinstance(step, str) else "*"
            text += f".{name}" if text else name
    return text
