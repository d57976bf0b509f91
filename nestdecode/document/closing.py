"""Declared layers encoded from values: how a tree is put back without its original text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nestdecode.codecs import redo
from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.careful import type_name
from nestdecode.plan.run import Opening
from nestdecode.text.tokens import Layout, Style, named, written

if TYPE_CHECKING:
    from nestdecode.spec import Alternative, Shape

__all__ = ["Shapes", "admits", "closed", "closed_inside", "elements_of", "members_of", "redone"]

Shapes = tuple["Shape", ...]


def closed(value: Any, shapes: Shapes, address: Address = ROOT) -> Any:
    """
    Return a value with its declared layers as strings.

    A value becomes a layer if the declared layer admits it; any other value stays as it is.

    Args:
        value: A tree of at most 254 containers inside one another. It is not changed, and
            the result may share parts with it.
        shapes: The shapes that are declared for it.
        address: Its address, for errors.

    Raises:
        DecodeError: If a codec can't encode it.
    """
    for shape in shapes:
        for alternative in shape.alternatives:
            text = _encoded(alternative, value, address, named(shape.style or "compact"))
            if text is not None:
                return text
    return closed_inside(value, shapes, address)


def closed_inside(value: Any, shapes: Shapes, address: Address) -> Any:
    """Return a value with the declared layers below it as strings, but not the value itself."""
    if not shapes:
        return value
    if type(value) is dict:
        return {k: closed(v, members_of(shapes, k), Address(address, k)) for k, v in value.items()}
    if type(value) is list:
        return [closed(v, elements_of(shapes, i), Address(address, i)) for i, v in enumerate(value)]
    return value


def _encoded(
    alternative: Alternative,
    value: Any,
    address: Address,
    style: tuple[Layout, Style],
    seen: tuple[Alternative, ...] = (),
) -> str | None:
    """Return the string that an alternative opens to *value*, or None if it can't."""
    codecs, content = alternative.codecs, alternative.content
    if codecs[-1] != "json":
        return redone(codecs, value, "", address) if type(value) is str else None
    if admits(alternative, value):
        value = closed_inside(value, () if content is None else (content,), address)
        return redo(codecs[:-1], written(value, *style))
    if content is None or "string" not in alternative.admits or alternative in seen:
        return None
    for inner in content.alternatives:
        text = _encoded(inner, value, address, style, (*seen, alternative))
        if text is not None:
            return redo(codecs[:-1], written(text, *style))
    return None


def redone(codecs: tuple[str, ...], text: str, like: str, address: Address) -> str:
    """Return a text encoded as ``codecs.redo`` does; an error has the address."""
    try:
        return redo(codecs, text, like)
    except DecodeError as error:
        reason, codec = error.reason, error.codec
    raise DecodeError(reason, address, codec)


def admits(layer: Alternative | Opening, value: Any) -> bool:
    """Return whether a layer may hold a value: by its type, and a string as a plain one."""
    if type_name(value) not in layer.admits:
        return False
    content = layer.content
    opens = type(value) is str and content is not None and bool(content.alternatives)
    return not opens or (content is not None and content.admits_plain(value))


def members_of(shapes: Shapes, name: str) -> Shapes:
    """Return the shapes that are declared for a member."""
    return tuple(child for shape in shapes for child in shape.members(name))


def elements_of(shapes: Shapes, index: int) -> Shapes:
    """Return the shapes that are declared for an element."""
    return tuple(child for shape in shapes if (child := shape.element(index)) is not None)
