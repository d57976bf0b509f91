"""A query that has no answer for any record: the first name in it that no record has."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from nestdecode.decoder import Query
from nestdecode.errors import NestdecodeError, QueryError
from nestdecode.lending import LendingQuery
from nestdecode.paths import Step, Wild, format_path
from nestdecode.words import closest, count, shortened

if TYPE_CHECKING:
    from nestdecode.choosing import Asked
    from nestdecode.queries.interpreter import Node
    from nestdecode.text.joined import Joined

__all__ = ["MOST_RECORDS", "Unanswered", "missing_in"]

# Records that are looked at, and bytes of all of them.
MOST_RECORDS, MOST_BYTES = 100, 1 << 20
# Values at one place that are looked at, names among which a like one is looked for, and
# characters of a name that is suggested.
MOST_VALUES, MOST_NAMES, LONGEST = 10_000, 2000, 60


class Unanswered:
    """
    A query whose first records are kept until it has an answer for one.

    Args:
        answer: Answers.
        query: The query by which it does.
        tell: Takes ``answered`` with nothing as soon as there is an answer, and before that
            ``unanswered`` with the text of a record.
        is_empty: Returns whether an answer is none.
        option: That by which the query was given, if one was: it begins both words.

    Attributes:
        is_chosen: Whether only chosen records are asked.
        is_over: Whether no record is kept any more.
    """

    def __init__(
        self,
        answer: Asked,
        query: Query | LendingQuery,
        tell: Callable[[str, str], None],
        is_empty: Callable[[Any], bool] = lambda answer: answer is None or answer == [],
        option: str = "",
    ) -> None:
        self._answer = answer
        self._query = query
        self._tell = tell
        self._is_empty = is_empty
        self._option = option
        self.is_chosen: bool = False
        self.is_over: bool = False
        self._records, self._bytes = MOST_RECORDS + 1, MOST_BYTES
        self._kept: list[bytes] = []
        self._is_every = True
        self._is_answered = False

    def __call__(self, raw: bytes) -> Any:
        """Answer for one record."""
        try:
            answer = self._answer(raw)
        except QueryError:
            # Its function may have been given the null of a name that is missing.
            if not self.is_over:
                self._note(raw, None)
            raise
        if not self.is_over:
            self._note(raw, answer)
        return answer

    def many(self, joined: Joined) -> list[Any] | None:
        """Answer joined records; None if each has to be answered alone."""
        answers = self._answer.many(joined)
        if answers is not None and not self.is_over:
            for raw, answer in zip(joined.records, answers, strict=False):
                self._note(raw, answer)
                if self.is_over:
                    break
        return answers

    def _note(self, raw: bytes, answer: Any) -> None:
        if not self._is_empty(answer):
            self.is_over = True
            self._tell(f"{self._option}answered", "")
        elif self._records > 0:
            # One more than are kept says that there are more.
            self._records -= 1
            self._bytes -= len(raw)
            text = raw if self._bytes >= 0 else b""
            self._tell(f"{self._option}unanswered", text.decode("utf-8", "surrogateescape"))

    def take(self, kind: str, text: str) -> None:
        """Take what was given to *tell*, in whichever process."""
        if kind == f"{self._option}answered":
            self._is_answered = True
        elif kind == f"{self._option}unanswered":
            if text and len(self._kept) < MOST_RECORDS:
                self._kept.append(text.encode("utf-8", "surrogateescape"))
            else:
                self._is_every = False

    def hint(self) -> str:
        """Say which name no record has; nothing if there was an answer, or all names are there."""
        if self._is_answered or not self._kept:
            return ""
        found = ""
        # A record that fails as a whole has been reported.
        with contextlib.suppress(NestdecodeError, RecursionError):
            found = self._missing()
        if not found:
            return ""
        what = "chosen record" if self.is_chosen else "record"
        every = f"none of the first {count(len(self._kept), what)}"
        option = self._option and f"{self._option}: "
        return f"{option}{f'no {what}' if self._is_every else every} has {found}"

    def _missing(self) -> str:
        query = self._query
        if isinstance(query, LendingQuery):
            query = query.for_document(self._kept[0])
        node = query.decoder.asker.expression(query.expression, query.start).node
        trees = []
        for raw in self._kept:
            with contextlib.suppress(NestdecodeError):
                trees.append(query.decoder.engine.trace(raw).tree)
        return "".join(missing_in(node, trees))


def missing_in(node: Node, trees: list[Any]) -> tuple[str, str]:
    """
    Return the path of the first name of an expression that no tree has, and what may be meant.

    Both are empty if all names are there.
    """
    found = _walk(node, _Met(trees, ()))
    return found.missing, found.instead


class _Met(NamedTuple):
    """
    The values of all records at one place.

    Attributes:
        values: Some of them.
        steps: To the place, from the root.
        missing: The path of a name that none of them has; empty as long as all is there.
        instead: What may be meant by it.
        is_made: Whether they are lists that the query makes: their elements are at the place.
    """

    values: list[Any]
    steps: tuple[Step, ...]
    missing: str = ""
    instead: str = ""
    is_made: bool = False

    def elements(self) -> _Met:
        """Go to the elements of arrays."""
        found = [each for value in self.values if type(value) is list for each in value]
        steps = self.steps if self.is_made else (*self.steps, Wild.ELEMENTS)
        return _Met(found[:MOST_VALUES], steps)

    def members(self) -> _Met:
        """Go to the members of objects."""
        found = [each for value in self.values if type(value) is dict for each in value.values()]
        return _Met(found[:MOST_VALUES], (*self.steps, Wild.MEMBERS))

    def member(self, name: str) -> _Met:
        """Go to the member of this name; note it if nothing has it."""
        found = [value[name] for value in self.values if type(value) is dict and name in value]
        steps = (*self.steps, name)
        if found or not self.values or self.is_made:
            return _Met(found, steps)
        path = shortened(format_path(steps), 2 * LONGEST)
        return _Met([], steps, path, self._instead_of(name))

    def _instead_of(self, name: str) -> str:
        """Say what has it, or why nothing does: a name like it, or what the values are."""
        names = {each for value in self.values if type(value) is dict for each in value}
        if names:
            short = sorted(each for each in names if len(each) <= LONGEST)[:MOST_NAMES]
            near = [repr(format_path([each])) for each in closest(name, short)]
            return f"; did you mean {' or '.join(near)}?" if near else self._below(name)
        here = shortened(format_path(self.steps), LONGEST) if self.steps else "the record"
        if any(type(value) is list for value in self.values):
            right = shortened(format_path((*self.steps, Wild.ELEMENTS, name)), LONGEST)
            return f": {here} is an array, so write {right}"
        if any(type(value) is str for value in self.values):
            return f": {here} is a string"
        return f": {here} is null" if self.values == [None] * len(self.values) else ""

    def _below(self, name: str) -> str:
        """Say where else below these values an object has a member of this name, or like it."""
        found: dict[str, tuple[Step, ...]] = {}
        for steps, value in _within(self.values):
            for each in value:
                if each == name or (len(found) < MOST_NAMES and len(each) <= LONGEST):
                    found.setdefault(each, (*steps, each))
        near = [found[name]] if name in found else [found[each] for each in closest(name, found)]
        path = shortened(format_path(near[0]), 2 * LONGEST) if near else ""
        return f"; did you mean {path!r}?" if path else ""


def _within(values: list[Any]) -> Iterator[tuple[tuple[Step, ...], dict[str, Any]]]:
    """Go through the objects inside some values, the outermost first."""
    waiting: list[tuple[tuple[Step, ...], Any]]
    waiting = [((), value) for value in values if type(value) in (dict, list)]
    for steps, value in waiting:
        if type(value) is dict:
            yield steps, value
            below = [((*steps, name), each) for name, each in value.items() if len(name) <= LONGEST]
        else:
            below = [((*steps, Wild.ELEMENTS), each) for each in value]
        room = MOST_VALUES - len(waiting)
        waiting += [each for each in below[:room] if type(each[1]) in (dict, list)]


def _walk(node: Node, place: _Met) -> _Met:
    """Return where an expression leads from a place: nowhere if that is not a place."""
    kind, children = node["type"], node["children"]
    if kind in ("current", "identity"):
        return place
    if kind == "field":
        return place.member(node["value"])
    if kind in ("subexpression", "pipe", "index_expression", "guarded"):
        return _in_turn(children, place)
    if kind == "index":
        return place.elements()
    if kind == "flatten":
        return _flattened(_walk(children[0], place))
    if kind in ("projection", "filter_projection"):
        place = _walk(children[0], place)
        # The condition of a filter comes last, and is asked first.
        for child in () if place.missing else children[:1:-1]:
            unmet = _walk(child, place.elements())
            if unmet.missing:
                return unmet
        return place if place.missing else _listed(_walk(children[1], place.elements()))
    if kind == "value_projection":
        place = _walk(children[0], place)
        return place if place.missing else _listed(_walk(children[1], place.members()))
    if kind == "slice":
        return place
    if kind in ("or_expression", "multi_select_list"):
        ways = [_walk(child, place) for child in children]
        way = next((way for way in ways if not way.missing), ways[0])
        if kind == "or_expression" or way.missing:
            return way
        return _listed(way)
    return _anywhere(children if kind not in ("literal", "expref") else [], place)


def _in_turn(nodes: list[Node], place: _Met) -> _Met:
    for node in nodes:
        if place.missing:
            break
        place = _walk(node, place)
    return place


def _listed(place: _Met) -> _Met:
    """Return the list of the values, which the query makes."""
    return place if place.missing else _Met([place.values], place.steps, is_made=True)


def _flattened(place: _Met) -> _Met:
    """Merge the arrays in arrays."""
    if place.missing:
        return place
    values = [each for value in place.values if type(value) is list for each in value]
    inner = [each for each in values if type(each) is list]
    flat = [*(each for array in inner for each in array)]
    flat += [each for each in values if type(each) is not list]
    is_deeper = place.is_made and inner
    steps = (*place.steps, Wild.ELEMENTS) if is_deeper else place.steps
    return _Met([flat[:MOST_VALUES]], steps, is_made=place.is_made)


def _anywhere(nodes: list[Any], place: _Met) -> _Met:
    """Return where the first of several expressions leads that needs a name that is missing."""
    for node in nodes:
        if isinstance(node, dict):
            found = _walk(node, place)
            if found.missing:
                return found
    return _Met([], place.steps)
