"""
Spec files as text: YAML with JSON's types only, or JSON.

YAML is read event by event, never composed: no alias is followed, no tag is obeyed,
no nesting is recursed into, so a hostile file costs what its length costs.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass, field
from typing import Any, NoReturn

from nestdecode.errors import SpecError
from nestdecode.jsontext import is_deeper
from nestdecode.paths import join_pointer

__all__ = ["Source", "read"]

MAX_BYTES = 16 << 20
MAX_DEPTH = 200

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_WORDS = {"": None, "null": None, "true": True, "false": False}


@dataclass(slots=True)
class Source:
    """
    A spec's document, and where each piece of it stood.

    Attributes:
        value: The document, exact builtins.
        name: File or catalog name for messages, or None.
        lines: Pointer of a value -> its line, from 1; empty for JSON.
        quoted: Pointers of the members whose keys were in YAML's double quotes.
    """

    value: Any
    name: str | None
    lines: dict[str, int] = field(default_factory=dict)
    quoted: frozenset[str] = frozenset()

    def error(self, reason: str, pointer: str) -> SpecError:
        """Build the error for the value at *pointer*, or its nearest known parent."""
        known = pointer
        while known and known not in self.lines:
            known = known.rpartition("/")[0]
        return SpecError(reason, pointer, self.name, self.lines.get(known))


def read(text: str, name: str | None = None) -> Source:
    """
    Read a spec file. JSON if it is JSON or its name says so, else YAML.

    Raises:
        SpecError: If it is neither, too large or too deep, or repeats a key.
    """
    if len(text) > MAX_BYTES:
        raise SpecError(f"longer than {MAX_BYTES} characters", source=name)
    text = text.removeprefix("\ufeff")
    is_json = name is not None and name.lower().endswith(".json")
    if is_json or text.lstrip().startswith("{"):
        try:
            value = _json_decoder.decode(text)
            if is_deeper(value, MAX_DEPTH):
                raise SpecError(f"deeper than {MAX_DEPTH} levels", source=name)
            return Source(value, name)
        except json.JSONDecodeError as error:
            if is_json:
                raise SpecError(
                    f"invalid JSON: {error.msg}: column {error.colno}",
                    source=name,
                    line=error.lineno,
                ) from None
        except _RepeatedKeyError as error:
            raise SpecError(f"key {error.key!r} is there twice", source=name) from None
        except SpecError:
            raise
        except (RecursionError, ValueError):
            raise SpecError("invalid JSON: too deep, or no number of JSON's", source=name) from None
    return _read_yaml(text, name)


class _RepeatedKeyError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _unique(members: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(members)
    if len(result) != len(members):
        seen: set[str] = set()
        for key, _ in members:
            if key in seen:
                raise _RepeatedKeyError(key)
            seen.add(key)
    return result


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


_json_decoder = json.JSONDecoder(
    object_pairs_hook=_unique, parse_float=_number, parse_constant=_number
)


@dataclass(slots=True)
class _Open:
    """A container whose end has not been read yet."""

    value: Any
    pointer: str
    key: str | None = None


def _read_yaml(text: str, name: str | None) -> Source:
    import yaml  # late: built-in commands on JSON input never need it

    source = Source(None, name)
    quoted: set[str] = set()
    stack: list[_Open] = []
    documents = 0

    def line_of(event: Any) -> int:
        line: int = event.start_mark.line
        return line

    def fail(reason: str, event: Any) -> NoReturn:
        raise SpecError(
            reason,
            stack[-1].pointer if stack else None,
            name,
            line_of(event) + 1,
        )

    def place(value: Any, event: Any) -> str:
        """Put a finished scalar or a new container where it belongs."""
        if not stack:
            source.value = value
            return ""
        top = stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            pointer = f"{top.pointer}/{len(top.value) - 1}"
            source.lines[pointer] = line_of(event) + 1
            return pointer
        if top.key is None:
            _explain_yaml(text, name, line_of(event))
            fail("a key is a string, got an object or an array", event)
        pointer = top.pointer + join_pointer([top.key])
        top.value[top.key] = value
        top.key = None
        return pointer

    def scalar(event: Any) -> None:
        top = stack[-1] if stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            key = event.value
            pointer = top.pointer + join_pointer([key])
            if not event.style and key == "<<":
                fail("merge keys are not read: use $ref", event)
            if key in top.value:
                fail(f"key {key!r} is there twice", event)
            if event.style == '"':
                quoted.add(pointer)
            source.lines[pointer] = line_of(event) + 1
            top.key = key
        else:
            place(event.value if event.style else _plain(event.value), event)

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
                _explain_yaml(text, name, line_of(event))
                fail("anchors and aliases are not read: use $ref", event)
            if getattr(event, "tag", None) and not _is_standard_tag(event):
                fail("tags are not read", event)
            if isinstance(event, yaml.ScalarEvent):
                scalar(event)
            elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
                if len(stack) >= MAX_DEPTH:
                    fail(f"deeper than {MAX_DEPTH} levels", event)
                value: Any = {} if isinstance(event, yaml.MappingStartEvent) else []
                stack.append(_Open(value, place(value, event)))
            elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
                stack.pop()
            elif isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    fail("one document only, got a second one", event)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        _explain_yaml(text, name, line)
        raise SpecError(
            f"invalid YAML: {error.problem or error.context}",
            source=name,
            line=line + 1,
        ) from None
    except (yaml.YAMLError, UnicodeEncodeError):
        raise SpecError("invalid YAML: a character that YAML forbids", source=name) from None
    source.quoted = frozenset(quoted)
    return source


def _is_standard_tag(event: Any) -> bool:
    # "!" alone means "not resolved": what every quoted scalar is anyway.
    return bool(event.tag == "!" and getattr(event, "style", None))


def _plain(text: str) -> Any:
    if text in _WORDS:
        return _WORDS[text]
    match = _NUMBER.match(text)
    if not match:
        return text
    if match[1] or match[2]:
        return float(text) if math.isfinite(float(text)) else text
    return int(text) if len(text) <= 100 else text


_EATEN = re.compile(r"(\s*(?:- )?)([*\[@][^\s:]*)\s*:(?:\s+(.*))?$")


def _explain_yaml(text: str, name: str | None, line: int) -> None:
    """Raise a better error if YAML stumbled over a path that it can't hold bare."""
    lines = text.split("\n")
    for number in (line, line - 1):
        if 0 <= number < len(lines) and (match := _EATEN.match(lines[number].rstrip())):
            right = f"'{match[2]}': {match[3] or ''}".rstrip()
            what = {"*": "an alias", "[": "a list", "@": "a reserved character"}[match[2][0]]
            raise SpecError(
                f"YAML takes {match[2]} for {what}: write {right}",
                source=name,
                line=number + 1,
            )
