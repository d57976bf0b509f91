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
from nestdecode.paths import join_pointer, split_pointer
from nestdecode.text.depth import is_deeper

__all__ = ["Source", "read"]

MAX_BYTES = 16 << 20
MAX_DEPTH = 200
# A second at most, whatever the work.
MAX_WORK = 400_000
TOO_MUCH_WORK = "takes too much work to read: simplify it, or split it"

_KINDS = ("nestdecode", "openapi", "swagger")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_WORDS = {"": None, "null": None, "true": True, "false": False}


@dataclass(slots=True, eq=False)
class Source:
    """
    A spec's document, where each piece of it stood, and the work it may still take.

    Attributes:
        value: The document, exact builtins.
        name: File or catalog name for messages, or None.
        lines: Lines of members and elements, from 1, by the id of the container and the
            key; empty for JSON.
        quoted: Members whose keys were in YAML's double quotes, in the same way.
        work: What may still be spent, in steps of about a microsecond.
    """

    value: Any
    name: str | None
    lines: dict[tuple[int, str | int], int] = field(default_factory=dict)
    quoted: set[tuple[int, str | int]] = field(default_factory=set)
    work: int = MAX_WORK

    def error(self, reason: str, pointer: str) -> SpecError:
        """Build the error for the value at *pointer*, with the line of the nearest that has one."""
        return SpecError(reason, pointer, self.name, self._line(pointer))

    def spend(self, work: int, pointer: str) -> None:
        """
        Count work, before it is done.

        Args:
            work: Steps of about a microsecond.
            pointer: The place it is done for.

        Raises:
            SpecError: If it was too much.
        """
        self.work -= work
        if self.work < 0:
            raise self.error(TOO_MUCH_WORK, pointer)

    def renew(self) -> None:
        """Begin to count anew: for what is asked of a spec that has been read."""
        self.work = MAX_WORK

    def take_away(self, pointer: str) -> bool:
        """
        Take a member away, or what an element holds; tell whether that could be done.

        What says of which kind the document is stays.
        """
        *around, last = split_pointer(pointer) or ("",)
        value = self.value
        for token in around:
            if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
                value = value[int(token)]
            elif isinstance(value, dict) and token in value:
                value = value[token]
            else:
                return False
        if isinstance(value, list) and last.isdecimal() and int(last) < len(value):
            if value[int(last)] == {}:
                return False
            value[int(last)] = {}
            return True
        if not isinstance(value, dict) or last not in value or (not around and last in _KINDS):
            return False
        del value[last]
        return True

    def _line(self, pointer: str) -> int | None:
        line, value = None, self.value
        for token in split_pointer(pointer):
            key: str | int = token
            if isinstance(value, list) and token.isdecimal() and int(token) < len(value):
                key = int(token)
            elif not isinstance(value, dict) or token not in value:
                break
            line = self.lines.get((id(value), key), line)
            value = value[key]
        return line


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
            raise SpecError(f"key {error.key!r} is written twice", source=name) from None
        except SpecError:
            raise
        except (RecursionError, ValueError):
            raise SpecError(
                "invalid JSON: too deep, or a number that JSON does not have", source=name
            ) from None
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
    step: str | int
    key: str | None = None


def _read_yaml(text: str, name: str | None) -> Source:
    import yaml  # late: built-in commands on JSON input never need it

    source = Source(None, name)
    stack: list[_Open] = []
    documents = 0

    def line_of(event: Any) -> int:
        line: int = event.start_mark.line
        return line

    def fail(reason: str, event: Any) -> NoReturn:
        raise SpecError(
            reason,
            join_pointer(container.step for container in stack[1:]) if stack else None,
            name,
            line_of(event) + 1,
        )

    def place(value: Any, event: Any) -> str | int:
        """Put a finished scalar or a new container where it belongs; return its key there."""
        if not stack:
            source.value = value
            return ""
        top = stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            index = len(top.value) - 1
            source.lines[id(top.value), index] = line_of(event) + 1
            return index
        if top.key is None:
            _explain_yaml(text, name, line_of(event))
            fail("a key is a string, got an object or an array", event)
        key, top.key = top.key, None
        top.value[key] = value
        return key

    def scalar(event: Any) -> None:
        top = stack[-1] if stack else None
        if top is not None and isinstance(top.value, dict) and top.key is None:
            key = event.value
            if not event.style and key == "<<":
                fail("merge keys are not read: use $ref", event)
            if key in top.value:
                fail(f"key {key!r} is written twice", event)
            if event.style == '"':
                source.quoted.add((id(top.value), key))
            source.lines[id(top.value), key] = line_of(event) + 1
            top.key = key
        else:
            place(event.value if event.style else _plain(event.value), event)

    try:
        for event in yaml.parse(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
            source.work -= 1
            if source.work < 0:
                fail(TOO_MUCH_WORK, event)
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
