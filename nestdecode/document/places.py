"""Places in a tree: those that a path or a pointer names, or was probably meant to name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.errors import DecodeError
from nestdecode.paths import (
    ROOT,
    Address,
    Step,
    Wild,
    format_path,
    join_pointer,
    parse_path,
    split_pointer,
)
from nestdecode.words import shortened

__all__ = ["Place", "places", "spelled", "splits"]


class Place(NamedTuple):
    """
    One place in a tree, which may be new: a missing member, or the one after the last element.

    Attributes:
        container: The dict or list it is in; the root is the only element of a list.
        key: Its name or index in the container.
        address: Its address; ``str`` gives the pointer.
    """

    container: Any
    key: Any
    address: Address

    @property
    def is_new(self) -> bool:
        """Whether the container has no such member or element yet."""
        if type(self.container) is list:
            return bool(self.key == len(self.container))
        return self.key not in self.container

    @property
    def value(self) -> Any:
        """The value there; KeyError or IndexError if the place is new."""
        return self.container[self.key]

    def put(self, value: Any) -> None:
        """Set the place to a value, which becomes part of the tree without being copied."""
        if type(self.container) is list and self.is_new:
            self.container.append(value)
        else:
            self.container[self.key] = value

    def take(self) -> None:
        """
        Remove the member or element.

        Raises:
            DecodeError: If the place is the root.
        """
        if self.address is ROOT:
            raise DecodeError("the root can be replaced, not deleted")
        del self.container[self.key]


def places(root: list[Any], place: str, *, new: bool = False) -> list[Place]:
    """
    Return the places that a pointer or a path names, in document order.

    >>> [str(place.address) for place in places([{"a": [{"b": 1}, {"c": 2}]}], "a[].b")]
    ['/a/0/b']

    Args:
        root: The tree, as the only element of a list.
        place: A pointer (RFC 6901: empty, or starting with a slash), or a path.
        new: Whether the last step may be a member that does not exist yet, or, in a
            pointer, ``-``: the place after the last element.

    Raises:
        DecodeError: If there is no such place.
        SpecError: If *place* is neither a pointer nor a path.
        TypeError: If *place* is not a str.
    """
    if not isinstance(place, str):
        raise TypeError(f"a place is a str, got {type(place).__name__}")
    is_pointer = not place or place.startswith("/")
    steps: tuple[Any, ...] = split_pointer(place) if is_pointer else parse_path(place)
    find = _pointed if is_pointer else _keys
    found = [Place(root, 0, ROOT)]
    for number, step in enumerate(steps, 1):
        may_be_new = new and number == len(steps)
        around = found
        found = [
            Place(value, key, Address(one.address, key))
            for one in around
            if type(value := one.value) is dict or type(value) is list
            for key in find(value, step, may_be_new)
        ]
        if not found:
            hint = _hint(around, steps, number, is_pointer=is_pointer) if new else ""
            if is_pointer:
                raise DecodeError(f"no such place{hint}", place)
            raise DecodeError(f"no such place: {shortened(place)}{hint}")
    return found


def _hint(around: list[Place], steps: tuple[Any, ...], number: int, *, is_pointer: bool) -> str:
    """Say how a place is made that has no place for one of the steps to it."""
    if number < len(steps):
        join = join_pointer if is_pointer else format_path
        return (
            f"; only the last step can be new, and {shortened(join(steps[:number]))} does not exist"
        )
    arrays = [one.address.brief for one in around if type(one.value) is list]
    is_index = re.fullmatch("[0-9]+", str(steps[-1]))
    return f"; to append, write {arrays[0]}/-" if arrays and is_index else ""


_INDEX = r"0|[1-9][0-9]{0,17}"


def _pointed(container: Any, token: Any, may_be_new: bool) -> list[Any]:
    if type(container) is dict:
        return [token] if may_be_new or token in container else []
    if token == "-":
        return [len(container)] if may_be_new else []
    is_index = re.fullmatch(_INDEX, token)
    return [int(token)] if is_index and int(token) < len(container) else []


def _keys(container: Any, step: Any, may_be_new: bool) -> list[Any]:
    if type(container) is dict:
        if step is Wild.MEMBERS:
            return list(container)
        return [step] if type(step) is str and (may_be_new or step in container) else []
    if step is Wild.ELEMENTS:
        return list(range(len(container)))
    return [step] if type(step) is int and step < len(container) else []


def splits(tree: Any, text: str) -> Iterator[tuple[int, int]]:
    """
    Yield the ways to split a pointer from a value at ``=`` or ``:=``, where names may hold both.

    >>> list(splits({"a=b": 1}, "/a=b=c"))
    [(4, 5)]

    Steps are compared with the names in the tree, so that the cost does not grow with the
    number of signs in the text.

    Args:
        tree: The tree, in which the pointer must lead to a place.
        text: A pointer that is not empty, a sign and a value.

    Yields:
        The end of the pointer, and the start of the value.
    """
    start, value = 1, tree
    while True:
        end = text.find("/", start)
        token = text[start:] if end < 0 else text[start:end]
        (name,) = split_pointer(f"/{token}")
        for length in _lengths(value, name):
            at = start + _written_length(token, length)
            if text.startswith("=", at):
                yield at, at + 1
            elif text.startswith(":=", at):
                yield at, at + 2
        keys = _pointed(value, name, may_be_new=False) if type(value) in (dict, list) else []
        if end < 0 or not keys:
            return
        value, start = value[keys[0]], end + 1


def _lengths(container: Any, text: str) -> Iterator[int]:
    """Yield the lengths of the names or indexes with which a text begins, before a sign."""
    if type(container) is dict:
        for name in container:
            if text.startswith(name) and text.startswith(("=", ":="), len(name)):
                yield len(name)
    elif type(container) is list:
        index = re.match(rf"({_INDEX}):?=", text)
        if index and int(index[1]) < len(container):
            yield len(index[1])


def _written_length(token: str, length: int) -> int:
    """Return the length in a token, with its escapes, of the first *length* characters."""
    end = 0
    for _ in range(length):
        end += 2 if token.startswith(("~0", "~1"), end) else 1
    return end


def spelled(tree: Any, text: str) -> list[Step] | None:
    """
    Return the steps that a path means if its names need no quotes, or None if it fits nowhere.

    >>> spelled({"a.b": {"c/d": 1}}, "a.b.c/d")
    ['a.b', 'c/d']

    Args:
        tree: The tree, in which the steps must lead to a place.
        text: A path whose names may hold dots and other characters without quotes.
    """
    waiting: list[tuple[Any, int, Any]] = [(tree, 0, None)]
    while waiting:
        value, at, steps = waiting.pop()
        if at == len(text):
            found = []
            while steps is not None:
                steps, step = steps
                found.append(step)
            return found[::-1]
        for child, end, step in reversed(list(_entered(value, text, at))):
            waiting.append((child, end, (steps, step)))
    return None


def _entered(value: Any, text: str, at: int) -> Iterator[tuple[Any, int, Step]]:
    """Yield each child that a text may name from *at* on, the end of its name, and the step."""
    if type(value) is list:
        bracket = re.compile(r"\[(\*?|[0-9]{1,18})\]").match(text, at)
        if bracket and bracket[1].isdigit():
            index = int(bracket[1])
            if index < len(value):
                yield value[index], bracket.end(), index
        elif bracket:
            for child in value:
                yield child, bracket.end(), Wild.ELEMENTS
    elif type(value) is dict and (not at or text.startswith(".", at)):
        at += bool(at)
        quoted = re.compile(r'"(?:[^"\\]|\\.)*+"').match(text, at)
        if quoted:
            name = _unquoted(quoted[0])
            if name in value:
                yield from _ended(value[name], text, quoted.end(), name)
        for name, child in value.items():
            if name and text.startswith(name, at):
                yield from _ended(child, text, at + len(name), name)
            if text.startswith("*", at):
                yield from _ended(child, text, at + 1, Wild.MEMBERS)


def _unquoted(token: str) -> str:
    """Return the name that a quoted token stands for; the token itself if it is not JSON."""
    try:
        return str(json.loads(token))
    except ValueError:
        return token


def _ended(value: Any, text: str, end: int, step: Step) -> Iterator[tuple[Any, int, Step]]:
    if end == len(text) or text[end] in ".[":
        yield value, end, step
