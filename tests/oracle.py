"""
The oracle: the expanded tree of a document, by the standard library alone.

Slow, recursive, without limits, and written from the rules, not from the library: an error
that both share is unlikely.
"""

import base64
import json
import math
import re
import zlib
from collections.abc import Callable, Sequence
from typing import Any

Layer = tuple[str, int, int]  # pointer, depth, length of the text
Declared = tuple[str, tuple[str, ...], bool]  # path, codecs, optional
Step = str | tuple[str | int]
Route = tuple[list[Step], tuple[str, ...]]

BLANKS = " \t\n\r"
# Before a number's text, where it is kept: a string that is no string of any document.
NUMERAL = "\ue000numeral:"
Loads = Callable[[str], Any]
STEP = re.compile(
    r"""
    \.? (?:
        ( "(?:[^"\\]|\\.)*" ) | ( [A-Za-z_][A-Za-z0-9_]* )  # a field
        | \[ (\d+) \]                                       # one element
        | ( \* | \[\*?\] )                                   # all others
    )
    """,
    re.VERBOSE,
)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        raise ValueError("a double cannot hold it")
    return number


def loads(text: str) -> Any:
    """Return the value of one JSON text, read strictly; ValueError if it is not JSON."""
    return json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)


def loads_kept(text: str, hook: Any = None) -> Any:
    """Return the value as ``loads`` does, with each number as NUMERAL and its text."""
    keep = NUMERAL.__add__

    def keep_integer(digits: str) -> str:
        if len(digits.lstrip("-")) > 4300:
            raise ValueError("no int holds it")
        return keep(digits)

    return json.loads(
        text,
        parse_constant=_refuse_constant,
        parse_float=keep,
        parse_int=keep_integer,
        object_pairs_hook=hook,
    )


def _refuse_repeated(members: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in members}) < len(members):
        raise ValueError("a key is there twice")
    return dict(members)


def loads_unique(text: str) -> Any:
    """Return the value as ``loads`` does; ValueError for an object with a repeated name."""
    return json.loads(
        text,
        parse_constant=_refuse_constant,
        parse_float=_finite,
        object_pairs_hook=_refuse_repeated,
    )


def loads_kept_unique(text: str) -> Any:
    """Return the value as ``loads_kept`` and ``loads_unique`` do."""
    return loads_kept(text, _refuse_repeated)


def decode(raw: bytes, loads: Loads = loads) -> Any:
    """Return the value of one JSON text in bytes; ValueError if it is not JSON."""
    return loads(raw.decode().removeprefix("\ufeff"))


def copied(value: Any) -> Any:
    """Return a copy of a parsed document of any depth."""
    whole = [value]
    waiting: list[Any] = [whole]
    while waiting:
        container = waiting.pop()
        for key in container if isinstance(container, dict) else range(len(container)):
            if type(container[key]) in (dict, list):
                container[key] = container[key].copy()
                waiting.append(container[key])
    return whole[0]


def same(a: Any, b: Any) -> bool:
    """Return whether two trees are equal by type, value and order of names."""
    # With a stack of its own: trees can be deeper than the interpreter's.
    waiting = [(a, b)]
    while waiting:
        a, b = waiting.pop()
        if type(a) is not type(b):
            return False
        if type(a) is dict:
            if list(a) != list(b):
                return False
            waiting += zip(a.values(), b.values(), strict=True)
        elif type(a) is list:
            if len(a) != len(b):
                return False
            waiting += zip(a, b, strict=True)
        elif type(a) is float:
            if a.hex() != b.hex():  # 0.0 and -0.0 differ
                return False
        elif a != b:
            return False
    return True


def _open(text: str, loads: Loads) -> tuple[Any, list[int]] | None:
    """Return the container that a text holds and the lengths of its layers, or None."""
    trimmed = text.strip(BLANKS)
    if trimmed[:1] not in ("{", "[", '"'):
        return None
    try:
        value = loads(trimmed)
    except ValueError:
        return None
    if type(value) is not str:
        return value, [len(text)]
    inner = _open(value, loads)
    return inner and (inner[0], [len(text), *inner[1]])


def escape(key: str) -> str:
    """Return a reference token, escaped for a JSON Pointer."""
    return key.replace("~", "~0").replace("/", "~1")


def _walk(value: Any, pointer: str, depth: int, found: list[Layer], loads: Loads) -> Any:
    if type(value) is str and (opened := _open(value, loads)):
        value, lengths = opened
        for length in lengths:
            depth += 1
            found.append((pointer, depth, length))
    if type(value) is dict:
        return {
            key: _walk(child, f"{pointer}/{escape(key)}", depth, found, loads)
            for key, child in value.items()
        }
    if type(value) is list:
        return [
            _walk(child, f"{pointer}/{index}", depth, found, loads)
            for index, child in enumerate(value)
        ]
    return value


def expand(value: Any, loads: Loads = loads) -> Any:
    """Return a value with every layer opened that can be detected."""
    return _walk(value, "", 0, [], loads)


def layers(value: Any) -> list[Layer]:
    """Return (pointer, depth, length of the text) for every layer, in document order."""
    found: list[Layer] = []
    _walk(value, "", 0, found, loads)
    return found


def steps(path: str) -> list[Step]:
    """Return the steps of a path; names and indexes as one-tuples, to tell them from wildcards."""
    found: list[Step] = []
    position = len("@") if path == "@" else 0
    while position < len(path):
        match = STEP.match(path, position)
        if match is None:
            raise ValueError(f"not a path: {path}")
        quoted, name, index, wildcard = match.groups()
        if wildcard:
            found.append("*" if wildcard == "*" else "[]")
        else:
            found.append((json.loads(quoted) if quoted else name or int(index),))
        position = match.end()
    return found


def _gunzip(data: bytes) -> bytes:
    """Return the data of all gzip members; nothing may follow them, not even zeros."""
    opened = b""
    while data or not opened:
        member = zlib.decompressobj(wbits=31)
        try:
            opened += member.decompress(data)
        except zlib.error as error:
            raise ValueError(error) from None
        if not member.eof:
            raise ValueError("cut short")
        if not (data := member.unused_data):
            break
    return opened


def _undo(codec: str, value: Any) -> Any:
    if codec == "gzip":
        return _gunzip(value)
    text = value if type(value) is str else value.decode()
    if codec != "base64":
        return loads(text)
    if len(text) % 4:
        raise ValueError("RFC 4648 pads to fours")  # Python takes more padding than that
    return base64.b64decode(text, validate=True)


def _open_declared(text: str, codecs: Sequence[str]) -> Any:
    """Return the value that a chain of codecs opens a text to, or the text."""
    value: Any = text
    try:
        for codec in codecs:
            if type(value) not in (str, bytes):
                return text
            value = _undo(codec, value)
        if type(value) is bytes:
            return value.decode()
    except ValueError:
        return text
    return value if type(value) in (dict, list) else text


def _descend(value: Any, declared: list[Route]) -> Any:
    """Open a declared layer, then follow the paths that lead below it."""
    for steps, codecs in declared:
        if not steps and type(value) is str:
            value = _open_declared(value, codecs)
    if type(value) is dict:
        return {key: _descend(child, _below(declared, (key,), "*")) for key, child in value.items()}
    if type(value) is list:
        return [
            _descend(child, _below(declared, (index,), "[]")) for index, child in enumerate(value)
        ]
    return value


def _below(declared: list[Route], name: Step, wildcard: str) -> list[Route]:
    """Return the paths through one member: one that names it shadows the wildcards."""
    heads = {steps[0] for steps, _ in declared if steps}
    head: Step = name if name in heads else wildcard
    return [(steps[1:], codecs) for steps, codecs in declared if steps[:1] == [head]]


def expand_declared(value: Any, layers: Sequence[Declared]) -> Any:
    """
    Return a value with the declared layers opened, and no others.

    Args:
        value: The parsed document.
        layers: Triples of path, codecs and whether the layer is optional, which
            only decides whether a string that does not open is a problem: it stays.
    """
    declared = [(steps(path), codecs) for path, codecs, _optional in layers]
    return _descend(value, declared)
