"""What of a spec can be taken for granted, and left to ``habits``."""

from __future__ import annotations

import json
from collections.abc import Set

from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import may_exceed_layers, opened_on_the_spot
from nestdecode.plan.place import SeenPlace
from nestdecode.spec.shape import Shape, live_shapes
from nestdecode.text.reader import Limits

__all__ = ["place_of"]

_DEEPEST = 50


class _TooMuchError(Exception):
    """A spec says more than can be taken for granted."""


def place_of(plan: Plan, limits: Limits) -> SeenPlace | None:
    """
    Return where a spec's layers are, each with what may be taken for granted.

    None if it says more than can be: other codecs than json, scalars, patterns, the same
    inside itself. Layers that are to be found are nowhere in it.
    """
    (shape,) = plan.shapes
    if may_exceed_layers(plan, limits):
        return None
    try:
        return _place_of(shape, live_shapes(shape), ())
    except _TooMuchError:
        return None


def _opens(text: str) -> bool:
    """Tell whether a string that may stay is opened all the same: what opens is tried first."""
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _place_of(shape: Shape, live: Set[Shape], around: tuple[Shape, ...]) -> SeenPlace:
    members = {name: child for name, child in shape.names.items() if child in live}
    rest = shape.rest if shape.rest in live else None
    if (
        shape in around
        or len(around) > _DEEPEST
        or any(child in live for _, child in shape.patterns)
        or any(child in live for child in shape.prefix)
        or (rest is not None and (shape.names or shape.patterns))
        or (shape.items in live and shape.prefix)
    ):
        raise _TooMuchError
    around += (shape,)
    place = SeenPlace()
    if shape.alternatives:
        place.kinds = opened_on_the_spot(shape)
        place.declared, place.opened, place.shut = True, True, shape.plain is True
        if shape.plain is not True:
            place.plain = shape.plain
        if not place.kinds or any(map(_opens, place.plain)):
            raise _TooMuchError
    place.members = {name: _place_of(child, live, around) for name, child in members.items()}
    place.rest = None if rest is None else _place_of(rest, live, around)
    if shape.items is not None and shape.items in live:
        place.items = _place_of(shape.items, live, around)
    return place
