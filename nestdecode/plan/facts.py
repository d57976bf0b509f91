"""What a plan and its limits say of every document, before one is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nestdecode.errors import Policy
from nestdecode.plan.careful import CONTAINERS, Plan
from nestdecode.text.reader import Limits

if TYPE_CHECKING:
    from nestdecode.spec import Shape

__all__ = [
    "can_be_late",
    "layers_inside",
    "may_exceed_layers",
    "opened_on_the_spot",
    "opens_to_same_children",
    "policies_of",
]


def opened_on_the_spot(shape: Shape) -> list[str]:
    """
    Return the Python types that a string of a shape opens to, if one parse decides that.

    Empty if it takes more: alternatives, codecs other than one json, scalars that are
    admitted, or children that the content and the place do not share.
    """
    if len(shape.alternatives) != 1 or shape.alternatives[0].codecs != ("json",):
        return []
    only = shape.alternatives[0]
    content = only.content
    if not only.admits or only.admits - CONTAINERS:
        return []
    if not _same_children(content, shape) or (content is not None and content.alternatives):
        return []
    return [kind for kind, name in (("dict", "object"), ("list", "array")) if name in only.admits]


def opens_to_same_children(shape: Shape) -> bool:
    """Return whether a string's value has the shape's children, however it is opened."""
    waiting = list(shape.alternatives)
    seen: list[Shape | None] = []
    while waiting:
        content = waiting.pop().content
        if content in seen:
            continue
        seen.append(content)
        if not _same_children(content, shape):
            return False
        waiting += () if content is None else content.alternatives
    return True


def can_be_late(plan: Plan, limits: Limits) -> bool:
    """
    Return whether a query may open the layers that it sees, and no others.

    False if a layer that is not seen may change its object (``drop``) or refuse the record
    (``fail``); if ``max_layers`` can be exceeded, as queries do not count the layers around
    one; or if other layers than the declared ones are to be found.
    """
    return (
        plan.undeclared is None
        and not policies_of(plan) & {"drop", "fail"}
        and not may_exceed_layers(plan, limits)
    )


def policies_of(plan: Plan) -> set[Policy]:
    """Return every policy that applies to some layer of a plan."""
    from nestdecode.spec.shape import live_shapes  # late: detection needs no specs

    shapes = [live for shape in plan.shapes for live in live_shapes(shape)]
    named = {s.on_error for s in shapes if s.alternatives and s.on_error is not None}
    return {plan.on_error, *named}


def may_exceed_layers(plan: Plan, limits: Limits) -> bool:
    """Return whether more than ``max_layers`` declared layers can be inside one another."""
    return layers_inside(plan, limits) > limits.max_layers


def _same_children(content: Shape | None, shape: Shape) -> bool:
    inside = () if content is None else content.children()
    return list(inside) == list(shape.children())


def layers_inside(plan: Plan, limits: Limits) -> int:
    """Count the declared layers that can be inside one another, up to ``max_layers`` + 1."""
    most = limits.max_layers
    deepest: dict[Shape, int] = {}
    waiting = [(root, 0) for root in plan.shapes]
    while waiting:
        shape, layers = waiting.pop()
        if deepest.get(shape, -1) >= layers or layers > most:
            continue
        deepest[shape] = layers
        waiting += [(child, layers + bool(shape.alternatives)) for _, child in shape.children()]
        waiting += [(a.content, layers + 1) for a in shape.alternatives if a.content is not None]
        if layers + bool(shape.alternatives) > most:
            return most + 1
    return max((n + bool(s.alternatives) for s, n in deepest.items()), default=0)
