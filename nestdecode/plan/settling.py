"""The careful way for single places of a tree, which written code has left to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from nestdecode.errors import DecodeError
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import DROP, CrowdedError, Run
from nestdecode.plan.spending import Spending

if TYPE_CHECKING:
    from nestdecode.spec import Shape

__all__ = ["Shut", "settle", "settle_in"]

# A place: a container, the name or index of a string or container in it, the shapes of
# that, and the layers around it.
Shut = tuple[Any, Any, tuple["Shape", ...], int]


def settle(
    plan: Plan,
    start: Callable[[], Run],
    carefully: Callable[[Any], Any],
    document: Any,
    tree: Any,
    shut: list[Shut],
    spent: Spending | None = None,
) -> Any:
    """
    Open or settle the places that were left shut, in document order, and return the tree.

    Args:
        plan: Opens each place.
        start: Makes the record's Run.
        carefully: Expands any document; called if a limit may be met.
        document: The record.
        tree: Its tree, changed in place; open except at those places.
        shut: The places.
        spent: The budget that the record has spent from, if any.
    """
    run = start().hold()
    run.budget = spent or run.budget
    try:
        settle_in(plan, tree, shut, run)
    except CrowdedError:
        pass
    else:
        run.release()
        return tree
    return carefully(document)


def settle_in(plan: Plan, tree: Any, shut: list[Shut], run: Run) -> None:
    """
    Open or settle places of a tree in place, in document order.

    Args:
        plan: Opens each place.
        tree: The record's tree, or the part of it at ``run.path``.
        shut: Places in it.
        run: The state of the record.
    """
    if len(shut) == 1 and shut[0][0] is tree:
        # The most frequent case, in half the time.
        ((_, key, shapes, layers),) = shut
        if not run.is_settled(tree, key) and _decide(plan, tree, key, shapes, layers, run) is DROP:
            _drop(tree, key)
        return
    noted: dict[int, dict[Any, tuple[tuple[Shape, ...], int]]] = {}
    for container, key, shapes, layers in shut:
        noted.setdefault(id(container), {})[key] = shapes, layers
    path = run.path
    dropped = []
    nowhere: dict[Any, tuple[tuple[Shape, ...], int]] = {}
    walk = [(tree, _children(tree), noted.pop(id(tree), nowhere))]
    while walk:
        container, children, places = walk[-1]
        for key, child in children:
            if key in places:
                if run.is_settled(container, key):
                    continue
                if _decide(plan, container, key, *places[key], run) is DROP:
                    dropped.append((container, key))
            elif child.__class__ is dict or child.__class__ is list:
                path.append(key)
                walk.append((child, _children(child), noted.pop(id(child), nowhere)))
                break
        else:
            walk.pop()
            if not noted and not any(places for _, _, places in walk):
                break
            if walk:
                path.pop()
    for container, key in dropped:
        _drop(container, key)


def _decide(
    plan: Plan, container: Any, key: Any, shapes: tuple[Shape, ...], layers: int, run: Run
) -> Any:
    """Open or settle one place, and return its new value, or DROP."""
    value, path = container[key], run.path
    path.append(key)
    mistake = ""
    if value.__class__ is str:
        mistake = plan.mistake(shapes, value, len(path), layers, run)
    if mistake:
        problem = DecodeError(mistake, run.address(), "json")
        value = run.settle(problem, value, plan.policy(shapes))
    else:
        value = plan.visit(shapes, value, len(path), layers, run)
    path.pop()
    if value is not DROP:
        container[key] = value
    return value


def _drop(container: Any, key: Any) -> None:
    if container.__class__ is dict:  # only a member can be dropped; an element stays
        del container[key]


def _children(container: Any) -> Iterator[tuple[Any, Any]]:
    return iter(container.items()) if container.__class__ is dict else enumerate(container)
