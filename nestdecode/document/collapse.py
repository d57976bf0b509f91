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

from collections.abc import Callable
from typing import Any, NamedTuple

from nestdecode.document.closing import (
    Shapes,
    admits,
    closed,
    closed_inside,
    elements_of,
    members_of,
)
from nestdecode.document.draft import Draft, LayerDraft
from nestdecode.document.parts import Parts, aligned, stayed
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Opening, Trace
from nestdecode.text.tokens import (
    COMPACT,
    Item,
    Layout,
    difference,
    read_string,
    written,
)

__all__ = ["collapse"]


def collapse(text: str, trace: Trace, tree: Any, *, by_value: bool = False) -> str:
    """
    Put a changed tree back into the text of its record.

    Args:
        text: The record, without a byte order mark.
        trace: What it expands to.
        tree: What is to be there instead; it is not changed.
        by_value: Whether numbers that are equal are the same, whatever their type.

    Raises:
        DecodeError: If the tree can't be written as JSON.
    """
    return _Collapse(text, trace, tree, by_value=by_value).run()


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

    draft: Draft
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

    def __init__(self, text: str, trace: Trace, tree: Any, *, by_value: bool) -> None:
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
        self._parts = Parts(by_value=by_value)
        self._root = Draft(text)
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
        entered = opening is not None and admits(opening, place.new)
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
            close = closed if opener in '"n' and not entered else closed_inside
            value = close(place.new, place.shapes, place.address)
            if opener == '"' and type(value) is str:
                draft.change_string(start, end, [difference(read_string(draft.text, start), value)])
            else:
                draft.change(start, end, written(value, self._layout(place), draft.style))

    def _enter(self, place: _Place, opening: Opening) -> _Place:
        """Go through the layers of a place."""
        draft, start, end = place.draft, place.start, place.end
        for codecs, text in opening.layers:
            draft = LayerDraft(draft, start, end, codecs, text, place.address)
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
                shapes = members_of(place.shapes, was)
                self._wait(place, item, was, old.get(was), new[was], shapes)

        def render(name: str, near: int | None) -> list[str | Draft]:
            layout = draft.layout(place.start, place.around)
            colon = layout.colon
            if near is not None:
                colon = draft.text[items[near].name_end : items[near].value]
            item = moved.get(self._member(place, new, name))
            if item is not None:
                value = draft.text[item.value : item.end]
            else:
                value = closed(
                    new[name], members_of(place.shapes, name), Address(place.address, name)
                )
                value = written(value, layout.nested(), draft.style)
            return [draft.style.quote(name), colon, value]

        self._arrange(place, slots, render)

    def _stays(self, old: dict[str, Any], new: dict[str, Any], name: str) -> bool:
        return name in old and self._parts.same(old[name], new[name])

    def _member(self, place: _Place, members: dict[str, Any], name: str) -> Any:
        """Return what is equal for members that are the same but for their names."""
        return self._parts.of(members[name]), members_of(place.shapes, name)

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
        if not gone and not came:
            return []
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
        for next_i, next_j in [*stayed(olds, news, 0, ends), ends]:
            slots += [(index, _GONE) for index in gone[i:next_i]]
            slots += [(None, name) for name in came[j:next_j]]
            slots += zip(gone[next_i : next_i + 1], came[next_j : next_j + 1], strict=True)
            i, j = next_i + 1, next_j + 1
        return slots

    # Arrays

    def _change_array(self, place: _Place) -> None:
        draft, old, new = place.draft, place.old, place.new
        items = draft.items(place.start)
        pairs = aligned(old, new, self._parts)
        for i, j in pairs:
            if i is None or j is None:
                continue
            shapes = elements_of(place.shapes, j)
            if i != j and shapes != elements_of(place.shapes, i):
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

        def render(index: int, near: int | None) -> list[str | Draft]:
            twin = twins.get(self._element(place, new, index))
            if twin is not None:
                return [draft.text[items[twin].value : items[twin].end]]
            if near is not None and self._is_model(place, near, index):
                return [self._copied(place, items[near], near, index)]
            shapes = elements_of(place.shapes, index)
            value = closed(new[index], shapes, Address(place.address, index))
            layout = draft.layout(place.start, place.around).nested()
            return [written(value, layout, draft.style)]

        self._arrange(place, [(i, _GONE if j is None else j) for i, j in pairs], render)

    def _element(self, place: _Place, elements: list[Any], index: int) -> Any:
        return self._parts.of(elements[index]), elements_of(place.shapes, index)

    def _is_model(self, place: _Place, index: int, new_index: int) -> bool:
        """Tell whether a new element is to be written as an old one was."""
        old, new = place.old[index], place.new[new_index]
        return (
            type(old) is type(new)
            and type(new) in (dict, list)
            and bool(old)
            and elements_of(place.shapes, index) == elements_of(place.shapes, new_index)
            and not self._is_broken(place, index)
        )

    def _is_broken(self, place: _Place, index: int) -> bool:
        """Tell whether a layer stayed shut here: its text may move, but not be copied."""
        return bool(self._broken) and Address(place.address, index) in self._broken

    def _copied(self, place: _Place, item: Item, old: int, new: int) -> Draft:
        """Copy an element, to be changed into another one: layers, spacing and all."""
        around = place.draft
        draft = Draft(around.text[item.value : item.end])
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
                elements_of(place.shapes, new),
            )
        )
        return draft

    def _arrange(
        self,
        place: _Place,
        slots: _Slots,
        render: Callable[[Any, int | None], list[str | Draft]],
    ) -> None:
        """Take out the items that are gone, and put in those that came."""
        draft, start, end = place.draft, place.start, place.end
        items = draft.items(start)
        stay = [i for i, new in slots if i is not None and new is not _GONE]
        if len(stay) == len(slots):
            return
        layout = draft.layout(start, place.around)
        if not stay:
            parts: list[str | Draft] = []
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
