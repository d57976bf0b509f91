"""Values that changed: where they are, and how their members or elements are arranged."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from nestdecode.document.closing import Shapes
from nestdecode.document.draft import Draft
from nestdecode.document.parts import Parts
from nestdecode.paths import Address
from nestdecode.text.tokens import Item

__all__ = ["GONE", "Change", "Changes", "Slots", "arrange"]


class Change(NamedTuple):
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

    def inside(self, item: Item, key: str | int, old: Any, new: Any, shapes: Shapes) -> Change:
        """Return the change of a member or an element."""
        address = Address(self.address, key)
        return Change(self.draft, item.value, item.end, self.start, address, old, new, shapes)


class Changes:
    """
    Changes that are still to be made.

    Args:
        root: The text of the record.
        broken: Addresses at or above one where a layer stayed shut.
        by_value: Whether numbers that are equal are the same, whatever their type.

    Attributes:
        parts: Says which values are the same.
        drafts: The texts that are changed, those before others that are inside of them.
        waiting: What is to be changed, the next one last.
    """

    def __init__(self, root: Draft, broken: set[Address], *, by_value: bool) -> None:
        self._broken = broken
        self.parts: Parts = Parts(by_value=by_value)
        self.drafts: list[Draft] = [root]
        self.waiting: list[Change] = []

    def is_broken(self, around: Address, key: int) -> bool:
        """Tell whether a layer stayed shut at a place: its text may move, but not be copied."""
        return bool(self._broken) and Address(around, key) in self._broken


# What is in a container, in order: items that were there and things that are to be there.
Slots = list[tuple[int | None, Any]]
GONE = object()


def arrange(
    change: Change,
    slots: Slots,
    render: Callable[[Any, int | None], list[str | Draft]],
) -> None:
    """
    Take out the items of a container that are gone, and put in those that came.

    Args:
        change: That of the container.
        slots: Its items in order; those that stay are in the order that they are in.
        render: Writes what came, like the item whose index it is given, if there is one.
    """
    draft, start, end = change.draft, change.start, change.end
    items = draft.items(start)
    stay = [i for i, new in slots if i is not None and new is not GONE]
    if len(stay) == len(slots):
        return
    layout = draft.layout(start, change.around)
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
        elif i is not None and new is GONE:
            if before is None:
                draft.change(items[i].start, items[i + 1].start)
            else:
                draft.change(items[i - 1].end, items[i].end)
        else:
            before = i
