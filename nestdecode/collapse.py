"""
The way back: what was changed in a tree, put into the text that the tree came from.

The old tree and the new one are walked side by side, but only where they differ, and each
difference becomes an edit of the innermost text that holds it. An edit of a layer's text
is an edit of the string token around it, since each character of the text is one unit of
the token: units that stay are copied, new ones are written like those around them. So
from layer to layer outward, whatever styles the producers had. Edits wait in lists, so
nothing recurses but what writes new values, and those have a greatest depth.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from nestdecode.codecs import redo, undo
from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import DEEPEST, Number
from nestdecode.paths import ROOT, Address, join_pointer
from nestdecode.plan import Opening, type_name
from nestdecode.tokens import (
    COMPACT,
    Edit,
    Item,
    Layout,
    Style,
    Text,
    Token,
    difference,
    named,
    read_string,
    spliced,
    written,
)

if TYPE_CHECKING:
    from nestdecode.spec import Alternative, Shape

__all__ = ["Parts", "Trace", "closed", "collapse"]

Shapes = tuple["Shape", ...]

_NEVER_WRONG = {str, int, bool, type(None), Number}


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
    shapes: Shapes


def collapse(text: str, trace: Trace, tree: Any) -> str:
    """
    Put a changed tree back into the text of its record.

    Args:
        text: The record, without a byte order mark.
        trace: What it expands to.
        tree: What is to be there instead; it is not changed.

    Raises:
        DecodeError: If the tree can't be written as JSON.
    """
    return _Collapse(text, trace, tree).run()


class Parts:
    """
    The containers of trees, numbered: the same number is the same value.

    The same by type and value: 1, 1.0 and true differ, and so do 0.0 and -0.0; the order
    of members does not matter. One pass, and exact. Trees that are added have to stay
    alive, and as they are.
    """

    def __init__(self) -> None:
        self._known: dict[Any, int] = {}
        self._numbers: dict[int, int] = {}
        self._heights: dict[int, int] = {}

    def add(self, tree: Any) -> None:
        """
        Number the containers of a tree.

        Raises:
            DecodeError: If it holds what JSON does not know.
            LimitError: If it has more than 254 containers inside one another, as one
                that holds itself has.
        """
        waiting: list[tuple[Any, Any, bool]] = [(tree, None, False)]
        # The containers around, and where each is in the one around it.
        around: dict[int, Any] = {}
        # How many containers are inside one another in what was done of each of them.
        inside = [0]
        while waiting:
            value, key, is_done = waiting.pop()
            kind, me = type(value), id(value)
            if is_done:
                del around[me]
                self._numbers[me] = self._known.setdefault(self._key(value), len(self._known))
                height = self._heights[me] = inside.pop() + 1
                inside[-1] = max(inside[-1], height)
            elif kind is dict or kind is list:
                height = self._heights.get(me, 1)
                if me in around or len(around) + height > DEEPEST:
                    raise LimitError(f"deeper than {DEEPEST} containers", _pointer(around, key))
                if me in self._numbers:
                    inside[-1] = max(inside[-1], height)
                    continue
                around[me] = key
                inside.append(0)
                waiting.append((value, key, True))
                for name, child in value.items() if kind is dict else enumerate(value):
                    if type(child) not in _NEVER_WRONG:
                        waiting.append((child, name, False))
                if kind is dict and not all(type(name) is str for name in value):
                    raise DecodeError("not JSON: a name that is no str", _pointer(around))
            elif kind is float:
                if not math.isfinite(value):
                    raise DecodeError("not JSON: NaN or Infinity", _pointer(around, key))
            elif kind not in _NEVER_WRONG:
                reason = f"not JSON: a value of type {kind.__name__}"
                raise DecodeError(reason, _pointer(around, key))

    def of(self, value: Any) -> Any:
        """Return what is equal for the same values only."""
        kind = type(value)
        if kind is dict or kind is list:
            return self._numbers[id(value)]
        if kind is Number:
            return kind, value.text
        return (kind, value.hex()) if kind is float else (kind, value)

    def same(self, one: Any, other: Any) -> bool:
        """Tell whether two values are the same."""
        return bool(self.of(one) == self.of(other))

    def first_items(self, value: Any) -> set[Any]:
        """Return what is equal for equal members or elements, of the first few."""
        if type(value) is dict:
            return {(name, self.of(child)) for name, child in islice(value.items(), 64)}
        return {self.of(child) for child in value[:64]} if type(value) is list else set()

    def _key(self, value: Any) -> Any:
        if type(value) is dict:
            return frozenset([(name, self.of(child)) for name, child in value.items()])
        return tuple([self.of(child) for child in value])


def _pointer(around: dict[int, Any], *more: Any) -> str:
    return join_pointer([*list(around.values())[1:], *(more if around else ())])


# Pairs of what was there and what is to be there, in order; None on one side if it came
# or went.
_Pairs = list[tuple[int | None, int | None]]
_MOST_COMPARED = 400


def _align(old: Sequence[Any], new: Sequence[Any], parts: Parts) -> _Pairs:
    """Pair the elements of two arrays by their indexes: what stayed first."""
    ours, theirs = [parts.of(value) for value in old], [parts.of(value) for value in new]
    head = tail = 0
    most = min(len(old), len(new))
    while head < most and ours[head] == theirs[head]:
        head += 1
    while tail < most - head and ours[-1 - tail] == theirs[-1 - tail]:
        tail += 1
    ends = len(old) - tail, len(new) - tail
    pairs: _Pairs = [(index, index) for index in range(head)]
    i = j = head
    for next_i, next_j in [*_stayed(ours, theirs, head, ends), ends]:
        if i < next_i or j < next_j:
            pairs += _pair(old, new, range(i, next_i), range(j, next_j), parts)
        if next_i < ends[0]:
            pairs.append((next_i, next_j))
        i, j = next_i + 1, next_j + 1
    return pairs + [(ends[0] + k, ends[1] + k) for k in range(tail)]


def _stayed(
    old: Sequence[Any], new: Sequence[Any], start: int, ends: tuple[int, int]
) -> list[tuple[int, int]]:
    """Pair equal values, as many as can be without crossing: those that did not move."""
    places: dict[Any, list[int]] = {}
    for i in reversed(range(start, ends[0])):
        places.setdefault(old[i], []).append(i)
    found = [(places[new[j]].pop(), j) for j in range(start, ends[1]) if places.get(new[j])]
    # The longest increasing subsequence, by patience.
    tops: list[int] = []
    piles: list[int] = []
    before: list[int] = []
    for n, (i, _) in enumerate(found):
        pile = bisect_left(tops, i)
        before.append(piles[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [i]
        piles[pile : pile + 1] = [n]
    longest = []
    at = piles[-1] if piles else -1
    while at >= 0:
        longest.append(found[at])
        at = before[at]
    return longest[::-1]


def _pair(
    old: Sequence[Any], new: Sequence[Any], ours: range, theirs: range, parts: Parts
) -> _Pairs:
    """Pair what changed: one by one if they are as many, else those that are most alike."""
    many = len(ours) * len(theirs)
    if len(ours) == len(theirs) or not 0 < many <= _MOST_COMPARED:
        both = min(len(ours), len(theirs))
        return [
            *zip(ours, theirs, strict=False),
            *((i, None) for i in ours[both:]),
            *((None, j) for j in theirs[both:]),
        ]
    # best[a][b]: of what is left of both from a and b on.
    best = [[0] * (len(theirs) + 1) for _ in range(len(ours) + 1)]
    features = [
        [parts.first_items(new[j]) for j in theirs],
        [parts.first_items(old[i]) for i in ours],
    ]
    alike = [[1 + len(one & other) for other in features[0]] for one in features[1]]
    for a in reversed(range(len(ours))):
        for b in reversed(range(len(theirs))):
            paired = alike[a][b] + best[a + 1][b + 1]
            best[a][b] = max(paired, best[a + 1][b], best[a][b + 1])
    pairs: _Pairs = []
    a = b = 0
    while a < len(ours) and b < len(theirs):
        if best[a][b] == alike[a][b] + best[a + 1][b + 1]:
            pairs.append((ours[a], theirs[b]))
            a, b = a + 1, b + 1
        elif best[a][b] == best[a + 1][b]:
            pairs.append((ours[a], None))
            a += 1
        else:
            pairs.append((None, theirs[b]))
            b += 1
    pairs += [(i, None) for i in ours[a:]]
    return pairs + [(None, j) for j in theirs[b:]]


class _Draft(Text):
    """
    A text that is being changed.

    Attributes:
        result: The changed text, once it is finished.
    """

    def __init__(self, text: str, around: Text | None = None) -> None:
        super().__init__(text, around)
        self.result = text
        self._changes: list[tuple[int, int, tuple[str | _Draft, ...]]] = []

    def change(self, start: int, end: int, *parts: str | _Draft) -> None:
        """Put something else in place of a stretch; changes do not overlap."""
        self._changes.append((start, end, parts))

    def change_string(self, start: int, end: int, edits: list[Edit]) -> None:
        """Change what the string token from *start* to *end* says."""
        token = Token(self.text, start, end)
        style = Style(self.text[start + 1 : end - 1], self.style)
        for first, last, replacement in edits:
            units = replacement.translate(style)
            self.change(token.position(first), token.position(last), units)

    def edits(self) -> list[Edit]:
        """Return the changes in order; the drafts that are part of them are finished."""
        # Stable: what is put in at the same place stays in its order.
        return [
            (start, end, "".join(p if type(p) is str else p.result for p in parts))  # type: ignore[union-attr]
            for start, end, parts in sorted(self._changes, key=itemgetter(0, 1))
        ]

    def finish(self) -> None:
        """Make the changes; those of drafts inside of this one are made."""
        self.result = spliced(self.text, self.edits())


class _Layer(_Draft):
    """
    The text of a layer, whose changes are changes of the string around it.

    Args:
        around: The text with the string.
        start: Where the string token begins in it.
        end: Where it ends.
        codecs: Those of the layer.
        string: What the token says.
        address: Where the layer is, for errors.
    """

    def __init__(
        self,
        around: _Draft,
        start: int,
        end: int,
        codecs: tuple[str, ...],
        string: str,
        address: Address,
    ) -> None:
        self._codecs = codecs[:-1] if codecs[-1] == "json" else codecs
        text = undo(self._codecs, string)[-1].decode() if self._codecs else string
        super().__init__(text, around)
        self._outer = around
        self._token = start, end
        self._string = string
        self._address = address

    def finish(self) -> None:
        edits = self.edits()
        if self._codecs:
            text = spliced(self.text, edits)
            string = _redone(self._codecs, text, self._string, self._address)
            edits = [difference(self._string, string)]
        self._outer.change_string(*self._token, edits)


class _Place(NamedTuple):
    """
    A value that changed, and where it is.

    Attributes:
        draft: The text that it is in.
        start: Where it begins there.
        end: Where it ends.
        around: Where the container around it begins in the same text, or None.
        address: Its place in the old tree.
        old: What it was, if it was not null or taken away by a policy.
        new: What it is to be.
        shapes: What is declared of it.
    """

    draft: _Draft
    start: int
    end: int
    around: int | None
    address: Address
    old: Any
    new: Any
    shapes: Shapes


# What is in a container, in order: items that were there and things that are to be there.
_Slots = list[tuple[int | None, Any]]
_GONE = object()


class _Collapse:
    """One tree on its way back."""

    def __init__(self, text: str, trace: Trace, tree: Any) -> None:
        self._trace = trace
        self._tree = tree
        self._openings = {opening.address: opening for opening in trace.openings}
        # Places at or above one where a layer stayed shut.
        self._broken: set[Address] = set()
        address: Address | None
        for address in trace.problems:
            while address is not None and address not in self._broken:
                self._broken.add(address)
                address = address.around
        self._parts = Parts()
        self._root = _Draft(text)
        # Drafts before those that are inside of them.
        self._drafts = [self._root]
        self._waiting: list[_Place] = []

    def run(self) -> str:
        """Return the changed text."""
        old, new = self._trace.tree, self._tree
        self._parts.add(old)
        self._parts.add(new)
        if not self._parts.same(old, new):
            self._waiting.append(
                _Place(self._root, *self._root.root, None, ROOT, old, new, self._trace.shapes)
            )
        while self._waiting:
            self._visit(self._waiting.pop())
        for draft in reversed(self._drafts):
            draft.finish()
        return self._root.result

    def _visit(self, place: _Place) -> None:
        opening = self._openings.get(place.address)
        entered = opening is not None and _admits(opening, place.new)
        if opening is not None and entered:
            place = self._enter(place, opening)
            if opening.layers[-1][0][-1] != "json":
                place.draft.change(*difference(place.old, place.new))
                return
        draft, start, end = place.draft, place.start, place.end
        opener = draft.text[start]
        if opener == "{" and type(place.new) is dict:
            self._change_object(place)
        elif opener == "[" and type(place.new) is list:
            self._change_array(place)
        else:
            # A plain value that is neither null nor a string stays plain.
            close = closed if opener in '"n' and not entered else _closed_inside
            value = close(place.new, place.shapes, place.address)
            if opener == '"' and type(value) is str:
                draft.change_string(start, end, [difference(read_string(draft.text, start), value)])
            else:
                draft.change(start, end, written(value, self._layout(place), draft.style))

    def _enter(self, place: _Place, opening: Opening) -> _Place:
        """Go through the layers of a place."""
        draft, start, end = place.draft, place.start, place.end
        for codecs, text in opening.layers:
            draft = _Layer(draft, start, end, codecs, text, place.address)
            self._drafts.append(draft)
            start, end = draft.root
        shapes = () if opening.content is None else (opening.content,)
        return _Place(draft, start, end, None, place.address, place.old, place.new, shapes)

    def _layout(self, place: _Place) -> Layout:
        """Return the layout of a container that replaces what is at a place."""
        if place.draft.text[place.start] in "{[":
            return place.draft.layout(place.start, place.around)
        if place.around is None:
            return COMPACT
        return place.draft.layout(place.around, None).nested()

    def _wait(
        self, around: _Place, item: Item, key: str | int, old: Any, new: Any, shapes: Shapes
    ) -> None:
        address = Address(around.address, key)
        place = _Place(around.draft, item.value, item.end, around.start, address, old, new, shapes)
        self._waiting.append(place)

    # Objects

    def _change_object(self, place: _Place) -> None:
        draft, old, new = place.draft, place.old, place.new
        items = draft.items(place.start)
        # Of members with the same name the last one counts.
        last = {item.name: index for index, item in enumerate(items)}
        slots = self._members(place, items, last)
        moved = {}
        for index, name in slots:
            if index is None:
                continue
            item = items[index]
            was = item.name
            assert was is not None
            if name is _GONE:
                if index == last[was]:
                    moved[self._member(place, old, was)] = item
            elif was != name:
                draft.change_string(item.start, item.name_end, [difference(was, name)])
            elif index == last[was] and was in new and not self._stays(old, new, was):
                shapes = _members(place.shapes, was)
                self._wait(place, item, was, old.get(was), new[was], shapes)

        def render(name: str, near: int | None) -> list[str | _Draft]:
            layout = draft.layout(place.start, place.around)
            colon = layout.colon
            if near is not None:
                colon = draft.text[items[near].name_end : items[near].value]
            item = moved.get(self._member(place, new, name))
            if item is not None:
                value = draft.text[item.value : item.end]
            else:
                value = closed(
                    new[name], _members(place.shapes, name), Address(place.address, name)
                )
                value = written(value, layout.nested(), draft.style)
            return [draft.style.quote(name), colon, value]

        self._arrange(place, slots, render)

    def _stays(self, old: dict[str, Any], new: dict[str, Any], name: str) -> bool:
        return name in old and self._parts.same(old[name], new[name])

    def _member(self, place: _Place, members: dict[str, Any], name: str) -> Any:
        """Return what is equal for members that are the same but for their names."""
        return self._parts.of(members[name]), _members(place.shapes, name)

    def _members(self, place: _Place, items: list[Item], last: dict[str | None, int]) -> _Slots:
        """Bring the members that are there and those that are to be there into one order."""
        old, new = place.old, place.new
        first: dict[str | None, int] = {}
        for index, item in enumerate(items):
            first.setdefault(item.name, index)
        added: dict[int, list[str]] = {}
        after = -1
        for name in new:
            if name in first:
                after = first[name]
            else:
                added.setdefault(after, []).append(name)
        slots: _Slots = []
        gone: list[int] = []
        came = added.get(-1, [])
        for index, item in enumerate(items):
            # What a policy took away is not in the old tree, and stays.
            if item.name in old and item.name not in new:
                gone.append(index)
                continue
            slots += self._renamed(place, items, last, gone, came)
            slots.append((index, item.name))
            gone, came = [], added.get(index, [])
        return slots + self._renamed(place, items, last, gone, came)

    def _renamed(
        self,
        place: _Place,
        items: list[Item],
        last: dict[str | None, int],
        gone: list[int],
        came: list[str],
    ) -> _Slots:
        """Pair members between two that stayed: another name for the same value."""
        olds = [
            self._member(place, place.old, name)
            if (name := items[index].name) is not None and last[name] == index
            else index
            for index in gone
        ]
        news = [self._member(place, place.new, name) for name in came]
        ends = len(gone), len(came)
        slots: _Slots = []
        i = j = 0
        for next_i, next_j in [*_stayed(olds, news, 0, ends), ends]:
            slots += [(index, _GONE) for index in gone[i:next_i]]
            slots += [(None, name) for name in came[j:next_j]]
            slots += zip(gone[next_i : next_i + 1], came[next_j : next_j + 1], strict=True)
            i, j = next_i + 1, next_j + 1
        return slots

    # Arrays

    def _change_array(self, place: _Place) -> None:
        draft, old, new = place.draft, place.old, place.new
        items = draft.items(place.start)
        pairs = _align(old, new, self._parts)
        for i, j in pairs:
            if i is None or j is None:
                continue
            shapes = _elements(place.shapes, j)
            if i != j and shapes != _elements(place.shapes, i):
                # It went to where something else is declared.
                value = closed(new[j], shapes, Address(place.address, j))
                layout = draft.layout(place.start, place.around).nested()
                draft.change(items[i].value, items[i].end, written(value, layout, draft.style))
            elif not self._parts.same(old[i], new[j]):
                self._wait(place, items[i], i, old[i], new[j], shapes)

        twins: dict[Any, int] = {}
        if any(i is None for i, _ in pairs):
            gone = [i for i, j in pairs if i is not None and j is None]
            whole = [i for i in range(len(old)) if not self._is_broken(place, i)]
            twins = {self._element(place, old, index): index for index in whole + gone}

        def render(index: int, near: int | None) -> list[str | _Draft]:
            twin = twins.get(self._element(place, new, index))
            if twin is not None:
                return [draft.text[items[twin].value : items[twin].end]]
            if near is not None and self._is_model(place, near, index):
                return [self._copied(place, items[near], near, index)]
            shapes = _elements(place.shapes, index)
            value = closed(new[index], shapes, Address(place.address, index))
            layout = draft.layout(place.start, place.around).nested()
            return [written(value, layout, draft.style)]

        self._arrange(place, [(i, _GONE if j is None else j) for i, j in pairs], render)

    def _element(self, place: _Place, elements: list[Any], index: int) -> Any:
        return self._parts.of(elements[index]), _elements(place.shapes, index)

    def _is_model(self, place: _Place, index: int, new_index: int) -> bool:
        """Tell whether a new element is to be written as an old one was."""
        old, new = place.old[index], place.new[new_index]
        return (
            type(old) is type(new)
            and type(new) in (dict, list)
            and bool(old)
            and _elements(place.shapes, index) == _elements(place.shapes, new_index)
            and not self._is_broken(place, index)
        )

    def _is_broken(self, place: _Place, index: int) -> bool:
        """Tell whether a layer stayed shut here: its text may move, but not be copied."""
        return bool(self._broken) and Address(place.address, index) in self._broken

    def _copied(self, place: _Place, item: Item, old: int, new: int) -> _Draft:
        """Copy an element, to be changed into another one: layers, spacing and all."""
        around = place.draft
        draft = _Draft(around.text[item.value : item.end])
        # What is new in it is written as it would be there.
        draft.style, draft.comma, draft.colon = around.style, around.comma, around.colon
        self._drafts.append(draft)
        self._waiting.append(
            _Place(
                draft,
                0,
                len(draft.text),
                None,
                Address(place.address, old),
                place.old[old],
                place.new[new],
                _elements(place.shapes, new),
            )
        )
        return draft

    def _arrange(
        self,
        place: _Place,
        slots: _Slots,
        render: Callable[[Any, int | None], list[str | _Draft]],
    ) -> None:
        """Take out the items that are gone, and put in those that came."""
        draft, start, end = place.draft, place.start, place.end
        items = draft.items(start)
        stay = [i for i, new in slots if i is not None and new is not _GONE]
        if len(stay) == len(slots):
            return
        layout = draft.layout(start, place.around)
        if not stay:
            parts: list[str | _Draft] = []
            for i, new in slots:
                if i is None:
                    parts += [layout.comma if parts else layout.first, *render(new, None)]
            draft.change(start + 1, end - 1, *parts, *([layout.last] if parts else []))
            return

        def comma(index: int) -> str:
            if len(items) == 1:
                return layout.comma
            left = min(index, len(items) - 2)
            return draft.text[items[left].end : items[left + 1].start]

        before: int | None = None
        for i, new in slots:
            if i is None and before is None:
                begin = items[stay[0]].start
                draft.change(begin, begin, *render(new, stay[0]), comma(stay[0]))
            elif i is None and before is not None:
                begin = items[before].end
                draft.change(begin, begin, comma(before), *render(new, before))
            elif i is not None and new is _GONE:
                if before is None:
                    draft.change(items[i].start, items[i + 1].start)
                else:
                    draft.change(items[i - 1].end, items[i].end)
            else:
                before = i


# Declared layers, written anew


def closed(value: Any, shapes: Shapes, address: Address = ROOT) -> Any:
    """
    Return a value with its declared layers as strings; it shares parts with the old one.

    A value that a layer admits is put into it, whatever it is; others stay.

    Args:
        value: A tree of at most 254 containers inside one another.
        shapes: What is declared of it.
        address: Where it is, for errors.

    Raises:
        DecodeError: If it holds what can't be written.
    """
    for shape in shapes:
        for alternative in shape.alternatives:
            text = _encoded(alternative, value, address, named(shape.style or "compact"))
            if text is not None:
                return text
    return _closed_inside(value, shapes, address)


def _closed_inside(value: Any, shapes: Shapes, address: Address) -> Any:
    if not shapes:
        return value
    if type(value) is dict:
        return {k: closed(v, _members(shapes, k), Address(address, k)) for k, v in value.items()}
    if type(value) is list:
        return [closed(v, _elements(shapes, i), Address(address, i)) for i, v in enumerate(value)]
    return value


def _encoded(
    alternative: Alternative,
    value: Any,
    address: Address,
    style: tuple[Layout, Style],
    seen: tuple[Alternative, ...] = (),
) -> str | None:
    """Return the string that an alternative opens to *value*, or None if it can't."""
    codecs, content = alternative.codecs, alternative.content
    if codecs[-1] != "json":
        return _redone(codecs, value, "", address) if type(value) is str else None
    if _admits(alternative, value):
        value = _closed_inside(value, () if content is None else (content,), address)
        return redo(codecs[:-1], written(value, *style))
    if content is None or "string" not in alternative.admits or alternative in seen:
        return None
    for inner in content.alternatives:
        text = _encoded(inner, value, address, style, (*seen, alternative))
        if text is not None:
            return redo(codecs[:-1], written(text, *style))
    return None


def _redone(codecs: tuple[str, ...], text: str, like: str, address: Address) -> str:
    try:
        return redo(codecs, text, like)
    except DecodeError as error:
        reason, codec = error.reason, error.codec
    raise DecodeError(reason, address, codec)


def _admits(layer: Alternative | Opening, value: Any) -> bool:
    """Tell whether a value may be in a layer."""
    if type_name(value) not in layer.admits:
        return False
    content = layer.content
    opens = type(value) is str and content is not None and bool(content.alternatives)
    return not opens or (content is not None and content.admits_plain(value))


def _members(shapes: Shapes, name: str) -> Shapes:
    return tuple(child for shape in shapes for child in shape.members(name))


def _elements(shapes: Shapes, index: int) -> Shapes:
    return tuple(child for shape in shapes if (child := shape.element(index)) is not None)
