"""
Detection: finding layers where no spec declares them.

A string value is a layer if its whole text, JSON white space trimmed, is one JSON text
(RFC 8259) that holds an object or an array, or is a JSON string that is itself such a layer.
Names of members are never layers, and scalars in strings stay strings: ``"123"``, ``"true"``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from stringzilla import contains, count_byteset

from nestdecode.errors import LimitError
from nestdecode.plan.careful import CONTAINERS, Finder
from nestdecode.plan.run import DROP, CrowdedError, Opening, Run
from nestdecode.text.reader import MALFORMED, READERS, WHITESPACE, Reader
from nestdecode.text.scan import BRACKETS, ESCAPE, hides

__all__ = [
    "CLOSERS",
    "FINDER",
    "OPENERS",
    "Loads",
    "encoded",
    "find",
    "guarded",
    "read_layer",
    "sweep",
]

Loads = Callable[[bytes | str], Any]

_ENDS = {"{": "}", "[": "]", '"': '"'}
# How a container begins. Many a text that is none shows it here: "[INFO] done [2]".
_BEGINNINGS = frozenset(
    [f"{{{second}" for second in '"} \t\r\n']
    + [f"[{second}" for second in '[{"]-0123456789tfn \t\r\n']
)


def find(value: Any, depth: int, layers: int, run: Run) -> Any:
    """
    Open every layer in *value* in place, and return it, or what replaces it.

    Args:
        value: A tree, or a string.
        depth: Containers around it.
        layers: Layers around it.
        run: The state of the record. Layers that a limit keeps shut are reported to it.

    Raises:
        DecodeError: If a limit keeps a layer shut, and the policy is ``fail``.
    """
    kind = type(value)
    if kind is str:
        value, layers = _open(value, depth, layers, run)
        kind = type(value)
    if kind is dict or kind is list:
        _walk(value, depth + 1, layers, run)
    return value


def _walk(container: Any, depth: int, layers: int, run: Run) -> None:
    is_object = type(container) is dict
    dropped = []
    for key, child in container.items() if is_object else enumerate(container):
        kind = type(child)
        inside = layers
        if kind is str:
            if len(child) < 2:
                continue
            run.path.append(key)
            opened, inside = _open(child, depth, layers, run)
            run.path.pop()
            if opened is child:
                continue
            if opened is DROP:
                # Only a member can be dropped; an element stays.
                dropped += [key] if is_object else []
                continue
            container[key] = child = opened
            kind = type(child)
        if kind is dict or kind is list:
            run.path.append(key)
            _walk(child, depth + 1, inside, run)
            run.path.pop()
    for key in dropped:
        del container[key]


def _open(text: str, depth: int, layers: int, run: Run) -> tuple[Any, int]:
    """
    Return the value of a string, and the layers around what is in it.

    The value is the string itself if it is not a layer, and what the policy puts in its
    place if a limit keeps it shut.
    """
    try:
        value, texts = _read(text, depth, layers, run.reader)
    except LimitError as error:
        problem = run.here(LimitError(error.reason, "", "json"))
    else:
        if texts and run.openings is not None:
            opened = tuple((("json",), text) for text in texts)
            run.openings.append(Opening(run.address(), layers, opened, CONTAINERS, None))
        return value, layers + len(texts)
    return run.settle(problem, text, run.on_error), layers


FINDER = Finder(find, _open)


def _read(text: str, depth: int, layers: int, reader: Reader) -> tuple[Any, Sequence[str]]:
    """
    Return the value of a string, and the text of each layer that it is, outermost first.

    If it is not a layer: the string itself, and no texts.

    Raises:
        LimitError: If it may be a layer, and a limit keeps it shut.
    """
    value: Any = text
    texts: list[str] = []
    most = reader.limits.max_layers
    while type(value) is str:
        inner = value.strip(WHITESPACE)
        if len(inner) < 2 or _ENDS.get(inner[0]) != inner[-1]:
            return text, ()
        if inner[0] != '"' and inner[:2] not in _BEGINNINGS:
            return text, ()
        if layers + len(texts) > most:
            break
        texts.append(value)
        value = reader.attempt(inner, depth)
        if value is MALFORMED:
            return text, ()
    if layers + len(texts) > most:
        raise LimitError(f"more than max_layers={most} layers")
    return value, texts


# What a layer's text begins and ends with. (Those of ``careful`` hold no quote.)
OPENERS = '{["\t\n\r '
CLOSERS = '}]"\t\n\r '


def sweep(
    tree: Any,
    reader: Reader,
    loads: Loads,
    shut: list[tuple[Any, Any, tuple[()], int]] | None = None,
    children: Iterable[tuple[Any, Any]] | None = None,
) -> None:
    """
    Open every layer in a tree in place, if its limits are proven to hold: the walk.

    Twice as fast as ``find``: it counts neither depth nor layers, and knows no addresses.

    Args:
        tree: A dict or a list.
        reader: Decides what *loads* refuses.
        loads: Reads the texts of layers.
        shut: Takes the place of each layer that stays shut, as ``settling.Shut``; None to
            raise an error instead.
        children: The children of the tree that are to be opened, with their names or
            indexes; None for all.

    Raises:
        LimitError: If a layer stays shut and *shut* is None. The tree is half opened then.
    """
    refused, beginnings = reader.refused, _BEGINNINGS
    waiting = [tree]
    pop, push = waiting.pop, waiting.append
    while waiting:
        container = pop()
        if children is None:
            children = container.items() if container.__class__ is dict else enumerate(container)
        for key, child in children:
            kind = child.__class__
            if kind is str:
                if child and child[0] in OPENERS and child[-1] in CLOSERS:
                    if child[:2] not in beginnings and child[0] in "{[":
                        continue
                    try:
                        value = loads(child)
                    except refused as error:
                        if reader.is_malformed(error, child):
                            continue
                        if loads is READERS["orjson"]:
                            # Where one is refused there may be many: it takes longer to say so.
                            loads = reader.loads_counting
                        value = None
                    kind = value.__class__
                    if kind is not dict and kind is not list:
                        try:
                            value = read_layer(child, reader)
                        except LimitError:
                            if shut is None:
                                raise
                            shut.append((container, key, (), 0))
                            continue
                        if value is child:
                            continue
                    container[key] = value
                    push(value)
            elif kind is dict or kind is list:
                push(child)
        children = None


def encoded(document: Any) -> bytes | None:
    """Return the bytes of a JSON text; None if it is not text, or holds a lone surrogate."""
    if isinstance(document, str):
        try:
            return document.encode()
        except UnicodeEncodeError:
            return None
    return bytes(document) if isinstance(document, (bytes, bytearray, memoryview)) else None


def guarded(reader: Reader, most: int, longest: int, *, all_texts: bool) -> Loads:
    """
    Return a function that reads the texts of layers in a document that was parsed before.

    No bytes prove its limits, so each text is looked at. The function raises CrowdedError for
    a text that may meet a limit.

    Args:
        reader: Reads the texts.
        most: Containers inside one another that a text may hold.
        longest: Bytes of a text.
        all_texts: Whether to look at short texts too: they may hide layers that are found.
    """
    loads = reader.loads

    def read(text: bytes | str) -> Any:
        if text.__class__ is str and (all_texts or len(text) > 2 * most):
            raw = text.encode()
            if (
                len(raw) > longest
                or (contains(raw, ESCAPE) and hides(raw))
                or (len(raw) > most and count_byteset(raw, BRACKETS) > most)
            ):
                raise CrowdedError
        return loads(text)

    return read


def read_layer(text: str, reader: Reader) -> Any:
    """
    Return the value of a string by the whole rule of detection, or the string.

    Its depth and layers are counted from 0: the caller has proven that limits hold.

    Raises:
        LimitError: If it may be a layer, and a limit keeps it shut.
    """
    return _read(text, 0, 0, reader)[0]
