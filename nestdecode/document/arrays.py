"""Changed arrays: elements that were added, removed, moved or changed."""

from __future__ import annotations

from typing import Any

from nestdecode.document.change import GONE, Change, Changes, arrange
from nestdecode.document.closing import closed, elements_of
from nestdecode.document.draft import Draft
from nestdecode.document.parts import Parts, aligned
from nestdecode.paths import Address
from nestdecode.text.tokens import Item, written

__all__ = ["change_array"]


def change_array(change: Change, changes: Changes) -> None:
    """
    Write the change of an array into its text.

    Args:
        change: The change of the array.
        changes: Takes the changes of elements whose value changed.
    """
    draft, old, new = change.draft, change.old, change.new
    items = draft.items(change.start)
    pairs = aligned(old, new, changes.parts)
    for i, j in pairs:
        if i is None or j is None:
            continue
        shapes = elements_of(change.shapes, j)
        if i != j and shapes != elements_of(change.shapes, i):
            # Other layers are declared at its new index, so it is encoded again.
            value = closed(new[j], shapes, Address(change.address, j))
            layout = draft.layout(change.start, change.around).nested()
            draft.change(items[i].value, items[i].end, written(value, layout, draft.style))
        elif not changes.parts.same(old[i], new[j]):
            changes.waiting.append(change.inside(items[i], i, old[i], new[j], shapes))

    twins: dict[Any, int] = {}
    if any(i is None for i, _ in pairs):
        gone = [i for i, j in pairs if i is not None and j is None]
        whole = [i for i in range(len(old)) if not changes.is_broken(change.address, i)]
        twins = {_element(change, changes.parts, old, index): index for index in whole + gone}

    def render(index: int, near: int | None) -> list[str | Draft]:
        twin = twins.get(_element(change, changes.parts, new, index))
        if twin is not None:
            return [draft.text[items[twin].value : items[twin].end]]
        if near is not None and _is_model(change, changes, near, index):
            return [_copied(change, changes, items[near], near, index)]
        shapes = elements_of(change.shapes, index)
        value = closed(new[index], shapes, Address(change.address, index))
        layout = draft.layout(change.start, change.around).nested()
        return [written(value, layout, draft.style)]

    arrange(change, [(i, GONE if j is None else j) for i, j in pairs], render)


def _element(change: Change, parts: Parts, elements: list[Any], index: int) -> Any:
    return parts.of(elements[index]), elements_of(change.shapes, index)


def _is_model(change: Change, changes: Changes, index: int, new_index: int) -> bool:
    """Return whether a new element is to be written like an old one, layers and all."""
    old, new = change.old[index], change.new[new_index]
    return (
        type(old) is type(new)
        and type(new) in (dict, list)
        and bool(old)
        and elements_of(change.shapes, index) == elements_of(change.shapes, new_index)
        and not changes.is_broken(change.address, index)
    )


def _copied(change: Change, changes: Changes, item: Item, old: int, new: int) -> Draft:
    """Return a copy of an element's text, with a change that turns it into the new element."""
    around = change.draft
    draft = Draft(around.text[item.value : item.end])
    # The copy takes its style from the text around the element, not from the copy alone.
    draft.style, draft.comma, draft.colon = around.style, around.comma, around.colon
    changes.drafts.append(draft)
    changes.waiting.append(
        Change(
            draft,
            0,
            len(draft.text),
            None,
            Address(change.address, old),
            change.old[old],
            change.new[new],
            elements_of(change.shapes, new),
        )
    )
    return draft
