"""Changes that wait to be written: where a value changed, and how items are rearranged."""

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
    A value that changed, its position in the text, and its old and new value.

    Attributes:
        draft: The text that holds it.
        start: The start of the value in that text.
        end: The end of the value.
        around: The start of the container around it in the same text, or None.
        address: The address in the old tree.
        old: The old value; of no meaning if a policy made it null or dropped it.
        new: The new value.
        shapes: The shapes that are declared for it.
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
        """Return the change of a member or element of this container."""
        address = Address(self.address, key)
        return Change(self.draft, item.value, item.end, self.start, address, old, new, shapes)


class Changes:
    """
    The changes of one record that are still to be made.

    Args:
        root: The text of the record.
        broken: Addresses of layers that stayed shut, and all addresses above them.
        by_value: Whether numbers are compared by value alone.

    Attributes:
        parts: The old and the new tree, numbered for comparison.
        drafts: The texts that are changed, outer ones before those inside them.
        waiting: A stack of changes; the last is made next.
    """

    def __init__(self, root: Draft, broken: set[Address], *, by_value: bool) -> None:
        self._broken = broken
        self.parts: Parts = Parts(by_value=by_value)
        self.drafts: list[Draft] = [root]
        self.waiting: list[Change] = []

    def is_broken(self, around: Address, key: int) -> bool:
        """Return whether a layer at or below a place stayed shut: its text can't be a model."""
        return bool(self._broken) and Address(around, key) in self._broken


# The items of a container in their new order: (old index, new item). The index is None for
# an item that was added; the new item is GONE for one that is removed.
Slots = list[tuple[int | None, Any]]
GONE = object()


def arrange(
    change: Change,
    slots: Slots,
    render: Callable[[Any, int | None], list[str | Draft]],
) -> None:
    """
    Remove and add items of a container in its text, each with a comma.

    Args:
        change: The change of the container.
        slots: Its items in the new order; those that stay keep their order.
        render: Returns the text of a new item. It is given the index of an old item to
            write it like, or None.
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
