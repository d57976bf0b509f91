"""Changed objects: members that were added, removed, renamed or changed."""

from __future__ import annotations

from typing import Any

from nestdecode.document.change import GONE, Change, Changes, Slots, arrange
from nestdecode.document.closing import closed, members_of
from nestdecode.document.draft import Draft
from nestdecode.document.parts import Parts, stayed
from nestdecode.paths import Address
from nestdecode.text.tokens import Item, difference, written

__all__ = ["change_object"]


def change_object(change: Change, changes: Changes) -> None:
    """
    Write the change of an object into its text.

    Args:
        change: The change of the object.
        changes: Takes the changes of members whose value changed.
    """
    draft, old, new = change.draft, change.old, change.new
    items = draft.items(change.start)
    # Of members with the same name the last one counts.
    last = {item.name: index for index, item in enumerate(items)}
    slots = _slots(change, changes.parts, items, last)
    moved = {}
    for index, name in slots:
        if index is None:
            continue
        item = items[index]
        was = item.name
        assert was is not None
        if name is GONE:
            if index == last[was]:
                moved[_member(change, changes.parts, old, was)] = item
        elif was != name:
            draft.change_string(item.start, item.name_end, [difference(was, name)])
        elif index == last[was] and was in new and not _stays(changes.parts, old, new, was):
            shapes = members_of(change.shapes, was)
            changes.waiting.append(change.inside(item, was, old.get(was), new[was], shapes))

    def render(name: str, near: int | None) -> list[str | Draft]:
        layout = draft.layout(change.start, change.around)
        colon = layout.colon
        if near is not None:
            colon = draft.text[items[near].name_end : items[near].value]
        item = moved.get(_member(change, changes.parts, new, name))
        if item is not None:
            value = draft.text[item.value : item.end]
        else:
            value = closed(
                new[name], members_of(change.shapes, name), Address(change.address, name)
            )
            value = written(value, layout.nested(), draft.style)
        return [draft.style.quote(name), colon, value]

    arrange(change, slots, render)


def _stays(parts: Parts, old: dict[str, Any], new: dict[str, Any], name: str) -> bool:
    return name in old and parts.same(old[name], new[name])


def _member(change: Change, parts: Parts, members: dict[str, Any], name: str) -> Any:
    """Return a key that is equal for members with equal values and the same declared layers."""
    return parts.of(members[name]), members_of(change.shapes, name)


def _slots(change: Change, parts: Parts, items: list[Item], last: dict[str | None, int]) -> Slots:
    """Return old and new members in one order: each new one after the one it follows."""
    old, new = change.old, change.new
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
    slots: Slots = []
    gone: list[int] = []
    came = added.get(-1, [])
    for index, item in enumerate(items):
        # A member that a policy dropped is not in the old tree, and stays.
        if item.name in old and item.name not in new:
            gone.append(index)
            continue
        slots += _renamed(change, parts, items, last, gone, came)
        slots.append((index, item.name))
        gone, came = [], added.get(index, [])
    return slots + _renamed(change, parts, items, last, gone, came)


def _renamed(
    change: Change,
    parts: Parts,
    items: list[Item],
    last: dict[str | None, int],
    gone: list[int],
    came: list[str],
) -> Slots:
    """Return slots for members between two that stayed; an equal value is a renamed member."""
    if not gone and not came:
        return []
    olds = [
        _member(change, parts, change.old, name)
        if (name := items[index].name) is not None and last[name] == index
        else index
        for index in gone
    ]
    news = [_member(change, parts, change.new, name) for name in came]
    ends = len(gone), len(came)
    slots: Slots = []
    i = j = 0
    for next_i, next_j in [*stayed(olds, news, 0, ends), ends]:
        slots += [(index, GONE) for index in gone[i:next_i]]
        slots += [(None, name) for name in came[j:next_j]]
        slots += zip(gone[next_i : next_i + 1], came[next_j : next_j + 1], strict=True)
        i, j = next_i + 1, next_j + 1
    return slots
