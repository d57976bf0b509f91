"""The places of a spec, if ``habits`` may take them for granted."""

from __future__ import annotations

import json
from collections.abc import Set

from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import may_exceed_layers, opened_on_the_spot
from nestdecode.plan.place import SeenPlace
from nestdecode.spec.shape import Shape, live_shapes
from nestdecode.text.reader import Limits

__all__ = ["place_of"]

# Shapes inside one another.
_DEEPEST = 50


class _TooMuchError(Exception):
    """A spec declares what a ``SeenPlace`` cannot express."""


def place_of(plan: Plan, limits: Limits) -> SeenPlace | None:
    """
    Return the place of a record, with the places below it where a spec declares layers.

    None if the spec declares what places cannot express: codecs other than json, scalars
    that are admitted, patterns, recursion; or if ``max_layers`` can be exceeded. Places
    where layers are to be found are not among them.
    """
    (shape,) = plan.shapes
    if may_exceed_layers(plan, limits):
        return None
    try:
        return _place_of(shape, live_shapes(shape), ())
    except _TooMuchError:
        return None


def _opens(text: str) -> bool:
    """Return whether a string that may stay is JSON: then it is opened, and does not stay."""
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
