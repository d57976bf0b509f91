"""
Paths, pointers and addresses: the three names of places in a tree.

A path is a set of places, in JMESPath's spelling. A pointer is one place, as RFC 6901
writes it. An address is one place as an object, which makes its pointer on demand.
"""

from __future__ import annotations

import enum
import json
import re
from collections.abc import Iterable
from typing import Any

from nestdecode.errors import SpecError
from nestdecode.words import shortened

__all__ = [
    "ROOT",
    "Address",
    "Step",
    "Wild",
    "format_path",
    "join_pointer",
    "mistake_in",
    "parse_path",
    "split_pointer",
]


class Wild(enum.Enum):
    """A step that leads to several places: every element, or every other member."""

    ELEMENTS = "[]"
    MEMBERS = "*"


# A member's name, an element's index, or a Wild.
Step = str | int | Wild

_BARE = r"[A-Za-z_][A-Za-z0-9_]*\Z"
MAX_PATH = 4096
_HINT = "a path holds fields, [], [n] and * only"


def parse_path(path: str) -> tuple[Step, ...]:
    """
    Return the steps of a path; ``@``, the root, has none.

    >>> parse_path('Records[].body')
    ('Records', <Wild.ELEMENTS: '[]'>, 'body')

    Raises:
        SpecError: If *path* is not a path, or longer than 4,096 characters.
    """
    from jmespath import exceptions, parser  # late: pointers need no grammar

    if len(path) > MAX_PATH:
        raise SpecError(f"a path is at most {MAX_PATH:,} characters, got {len(path):,}")
    try:
        # Parser().parse() caches its trees, so they must not be changed.
        tree = parser.Parser().parse(path).parsed
    except (exceptions.JMESPathError, ValueError, RecursionError):
        raise SpecError(f"{_HINT}, got {path!r}{_advice(path)}") from None
    if tree["type"] == "current":
        return ()
    return tuple(_steps(tree, path))


def mistake_in(text: str) -> str:
    """
    Return what is wrong with a text that is not a path.

    >>> mistake_in("a.b/c")
    "'/' (character 4) is not part of a path"
    """
    from jmespath import exceptions, parser

    if len(text) > MAX_PATH:
        return f"a path is at most {MAX_PATH:,} characters, got {len(text):,}"
    try:
        parser.Parser().parse(text)
    except exceptions.ParseError as error:
        at = error.lex_position
    except (exceptions.JMESPathError, ValueError, RecursionError):
        return _HINT
    else:
        return _HINT
    if at >= len(text):
        return "it ends too early"
    where = f"{text[at]!r} (character {at + 1})"
    return f"{where} is not closed" if text[at] in "\"'`" else f"{where} is not part of a path"


def _advice(path: str) -> str:
    """Say how a path is written whose names need quotes, or else what is wrong with it."""
    from jmespath import exceptions, parser

    if path[:2] in ("$.", "$["):
        return f"; a path has no $ before it: {path[1:].removeprefix('.')}"
    if path.startswith("/"):
        steps = ["[]" if step.isdecimal() else f".{step}" for step in path[1:].split("/")]
        return f"; this is a pointer: a path is {''.join(steps).removeprefix('.')}"
    parts = re.findall(r"([^.\[\]]++)((?:\[[^\]]*+\])*+)(?:\.|\Z)", path)
    names, between, is_any_odd = [], True, False
    for number, (part, brackets) in enumerate(parts, 1):
        is_odd = part != "*" and not re.match(_BARE, part)
        # A dot beside it may be part of the name.
        if is_odd and not (between and (brackets or number == len(parts))):
            return '; a name with other characters is quoted, dots and all: "a.b/c"'
        is_any_odd = is_any_odd or is_odd
        names.append(json.dumps(part) if is_odd else part)
        between = bool(brackets)
    if not is_any_odd:
        mistake = mistake_in(path)
        return "" if mistake == _HINT else f"; {mistake}"
    right = ".".join(name + brackets for name, (_, brackets) in zip(names, parts, strict=True))
    try:
        parser.Parser().parse(right)
    except (exceptions.JMESPathError, ValueError, RecursionError):
        return ""
    return f"; a name with other characters is quoted: '{right}'"


def _steps(node: dict[str, Any], path: str) -> Iterable[Step]:
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in ("subexpression", "index_expression"):
        for child in children:
            yield from _steps(child, path)
    elif kind in ("projection", "value_projection"):
        yield from _steps(children[0], path)
        # flatten has yielded its own step: a[] and a[*] mean the same place.
        if kind == "value_projection":
            yield Wild.MEMBERS
        elif children[0]["type"] != "flatten":
            yield Wild.ELEMENTS
        yield from _steps(children[1], path)
    elif kind == "flatten":
        yield from _steps(children[0], path)
        yield Wild.ELEMENTS
    elif kind == "index" and node["value"] >= 0:
        yield node["value"]
    elif kind != "identity":
        hint = "; filters are for queries: [] is every element" if "[?" in path else ""
        raise SpecError(f"{_HINT}, got {path!r}{hint}")


def format_path(steps: Iterable[Step]) -> str:
    """
    Return the path that has these steps.

    >>> format_path(parse_path('"a.b"[0].*.c'))
    '"a.b"[0].*.c'
    """
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step is Wild.ELEMENTS:
            text += "[]"
        else:
            name = "*" if isinstance(step, Wild) else step
            if not isinstance(step, Wild) and not re.match(_BARE, name):
                name = json.dumps(name, ensure_ascii=False)
            text += f".{name}" if text else name
    return text or "@"


class Address:
    """
    One place in a tree, as a step from the place around it; ``str`` gives its pointer.

    Immutable and hashable. Addresses below one place share it, so that many places with
    long names take little memory; the pointer is made on demand.

    >>> str(Address(Address(ROOT, "a/b"), 0))
    '/a~1b/0'

    Args:
        around: The address of the array or object around the place; None for the root.
        step: The member's name, or the element's index.
    """

    __slots__ = ("_hash", "around", "step")

    def __init__(self, around: Address | None, step: str | int) -> None:
        self.around: Address | None = around
        self.step: str | int = step
        self._hash: int = 0 if around is None else hash((around._hash, step))

    @classmethod
    def of(cls, steps: Iterable[str | int]) -> Address:
        """Return the address with these steps from the root."""
        address = ROOT
        for step in steps:
            address = cls(address, step)
        return address

    def steps(self) -> list[str | int]:
        """Return the steps from the root to this place."""
        steps = []
        address = self
        while address.around is not None:
            steps.append(address.step)
            address = address.around
        return steps[::-1]

    def __str__(self) -> str:
        return join_pointer(self.steps())

    @property
    def brief(self) -> str:
        """The pointer, without its middle if it is long."""
        # Names are shortened before they are joined: the whole pointer can be very long.
        short = (shortened(step) if isinstance(step, str) else step for step in self.steps())
        return shortened(join_pointer(short))

    def __repr__(self) -> str:
        return f"Address({self.brief!r})"

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Address):
            return NotImplemented
        one: Address | None = self
        another: Address | None = other
        while one is not another:
            if one is None or another is None or one._hash != another._hash:
                return False
            if one.step != another.step:
                return False
            one, another = one.around, another.around
        return True

    def __reduce__(self) -> tuple[Any, ...]:
        # As a flat tuple: pickle would recurse once per step.
        return Address.of, (tuple(self.steps()),)


ROOT = Address(None, "")


def join_pointer(tokens: Iterable[str | int]) -> str:
    """
    Return the pointer (RFC 6901) of unescaped reference tokens.

    >>> join_pointer(['Records', 0, 'a/b'])
    '/Records/0/a~1b'
    """
    # Order matters: "/" first would turn the "~" of "~1" into "~01".
    return "".join("/" + str(token).replace("~", "~0").replace("/", "~1") for token in tokens)


def split_pointer(pointer: str) -> tuple[str, ...]:
    """
    Return the unescaped reference tokens of a pointer (RFC 6901).

    >>> split_pointer("/Records/0/a~1b")
    ('Records', '0', 'a/b')

    Raises:
        SpecError: If *pointer* is not empty and does not start with a slash.
    """
    if not pointer:
        return ()
    if not pointer.startswith("/"):
        raise SpecError(f"a pointer is empty or starts with '/', got {pointer!r}")
    # Order matters: "~01" is "~1", not "/".
    return tuple(token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/"))
