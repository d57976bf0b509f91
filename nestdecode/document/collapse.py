"""
Collapse: the changes of a tree written into the text that the tree came from.

The old and the new tree are compared, and each difference becomes an edit of the innermost
text that holds it. Each character of a layer's text is one unit (a character or an escape)
of the string token around it, so an edit of the text is an edit of the token: units that
stay are copied, new ones are escaped like their neighbours. This is repeated from layer to
layer outward, whatever style each producer had. Changes wait on a stack; only the writing
of new values recurses, and their depth is limited.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from nestdecode.document.arrays import change_array
from nestdecode.document.change import Change, Changes
from nestdecode.document.closing import admits, closed, closed_inside
from nestdecode.document.draft import Draft, LayerDraft
from nestdecode.document.objects import change_object
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Opening, Trace
from nestdecode.text.tokens import COMPACT, Layout, difference, read_string, written

__all__ = ["collapse"]


def collapse(text: str, trace: Trace, tree: Any, *, by_value: bool = False) -> str:
    """
    Return the text of a record with the changes of a tree put back.

    Args:
        text: The original text, without a byte order mark.
        trace: The trace of the record, with the old tree.
        tree: The new tree. It is not changed.
        by_value: Whether numbers are compared by value alone.

    Raises:
        DecodeError: If *tree* can't be written as JSON.
    """
    root, old = Draft(text), trace.tree
    openings = {opening.address: opening for opening in trace.openings}
    changes = Changes(root, _at_or_above(trace.problems), by_value=by_value)
    changes.parts.add(old)
    changes.parts.add(tree)
    if not changes.parts.same(old, tree):
        changes.waiting.append(Change(root, *root.root, None, ROOT, old, tree, trace.shapes))
    while changes.waiting:
        change = changes.waiting.pop()
        _make(change, openings.get(change.address), changes)
    for draft in reversed(changes.drafts):
        draft.finish()
    return root.result


def _at_or_above(addresses: Iterable[Address]) -> set[Address]:
    found: set[Address] = set()
    for below in addresses:
        address: Address | None = below
        while address is not None and address not in found:
            found.add(address)
            address = address.around
    return found


def _make(change: Change, opening: Opening | None, changes: Changes) -> None:
    """Write a change into its text, or add the changes of its members or elements."""
    entered = opening is not None and admits(opening, change.new)
    if opening is not None and entered:
        change = _enter(change, opening, changes.drafts)
        if opening.layers[-1][0][-1] != "json":
            change.draft.change(*difference(change.old, change.new))
            return
    draft, start, end = change.draft, change.start, change.end
    opener = draft.text[start]
    if opener == "{" and type(change.new) is dict:
        change_object(change, changes)
    elif opener == "[" and type(change.new) is list:
        change_array(change, changes)
    else:
        # Only a string or null becomes a layer: "n" begins null.
        close = closed if opener in '"n' and not entered else closed_inside
        value = close(change.new, change.shapes, change.address)
        if opener == '"' and type(value) is str:
            draft.change_string(start, end, [difference(read_string(draft.text, start), value)])
        else:
            draft.change(start, end, written(value, _layout(change), draft.style))


def _enter(change: Change, opening: Opening, drafts: list[Draft]) -> Change:
    """Return a change moved into the innermost layer of its place; add the layers' drafts."""
    draft, start, end = change.draft, change.start, change.end
    for codecs, text in opening.layers:
        draft = LayerDraft(draft, start, end, codecs, text, change.address)
        drafts.append(draft)
        start, end = draft.root
    shapes = () if opening.content is None else (opening.content,)
    return Change(draft, start, end, None, change.address, change.old, change.new, shapes)


def _layout(change: Change) -> Layout:
    """Return the layout for a new container in place of a value."""
    if change.draft.text[change.start] in "{[":
        return change.draft.layout(change.start, change.around)
    if change.around is None:
        return COMPACT
    return change.draft.layout(change.around, None).nested()
