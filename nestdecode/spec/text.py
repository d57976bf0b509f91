"""
Spec files read: JSON, or YAML with JSON's types only.

YAML is read event by event and never composed: aliases and tags are refused, and nesting is
not recursed into, so that the cost of a hostile file grows with its length only.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NoReturn

from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.jsonlines import lines_of, mistake_in
from nestdecode.spec.slips import Slip, eaten, forbidden, slip_in
from nestdecode.text.depth import is_deeper

__all__ = ["SpecText", "read"]

MAX_BYTES = 16 << 20
MAX_DEPTH = 200
# How long JSON is at most whose lines are counted: that takes a second.
MAX_NUMBERED = 1 << 20
# Slips of one text that are explained.
MOST_SLIPS = 10
# A second at most, whatever the work.
MAX_WORK = 400_000
TOO_MUCH_WORK = "takes too much work to read: simplify it, or split it"

_KINDS = ("nestdecode", "openapi", "swagger")
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?\Z")
_WORDS = {"": None, "null": None, "true": True, "false": False}


@dataclass(slots=True, eq=False)
class SpecText:
    """
    A spec's document, where each piece of it stood, and the work it may still take.

    Attributes:
        value: The document, exact builtins.
        name: File or catalog name for messages, or None.
        lines: Lines of members and elements, from 1, by the id of the container and the
            key; those of JSON when the first error is built.
        quoted: Members whose keys were in YAML's double quotes, in the same way.
        work: What may still be spent, in steps of about a microsecond.
        json: The text whose lines are not known yet, or None.
        mended: Pointers of mistakes that were put right so that the rest can be checked.
    """

    value: Any
    name: str | None
    lines: dict[tuple[int, str | int], int] = field(default_factory=dict)
    quoted: set[tuple[int, str | int]] = field(default_factory=set)
    work: int = MAX_WORK
    json: str | None = None
    mended: set[str] = field(default_factory=set)

    def error(self, reason: str, pointer: str) -> SpecError:
        """Return the error for *pointer*, with the line of the nearest place that has one."""
        return SpecError(reason, pointer, self.name, self._line(pointer))

    def spend(self, work: int, pointer: str) -> None:
        """
        Count work before it is done.

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
        """Reset the count of work: for questions about a spec that has been read."""
        self.work = MAX_WORK

    def move(self, names: Iterable[str], key: str) -> None:
        """Mend what is beside a member and belongs into it: move it there, lines and all."""
        target: dict[str, Any] = {}
        for name in names:
            self._move(self.value, name, target, name)
        self.value[key] = target
        self.mended.add(f"/{key}")

    def rename(self, container: dict[str, Any], name: str, right: str, pointer: str) -> None:
        """Mend the name of a member, so that what it holds can be checked."""
        if right not in container:
            self._move(container, name, container, right)
            self.mended.add(pointer)

    def _move(
        self, container: dict[str, Any], name: str, target: dict[str, Any], right: str
    ) -> None:
        self._know_lines()
        old, new = (id(container), name), (id(target), right)
        target[right] = container.pop(name)
        if old in self.lines:
            self.lines[new] = self.lines[old]
        if old in self.quoted:
            self.quoted.add(new)

    def take_away(self, pointer: str) -> bool:
        """
        Take a member away, or what an element holds; return whether that could be done.

        What says of which kind the document is stays, and what was mended.
        """
        if pointer in self.mended:
            self.mended.remove(pointer)
            return True
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

    def _know_lines(self) -> None:
        if self.json is not None:
            text, self.json = self.json, None
            self.lines.update(lines_of(text, self.value))

    def _line(self, pointer: str) -> int | None:
        self._know_lines()
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


def read(
    text: str, name: str | None = None, *, forgiven: list[SpecError] | None = None
) -> SpecText:
    """
    Read a spec file. JSON if it is JSON or its name says so, else YAML.

    Args:
        text: What the file holds.
        name: Its name, for messages.
        forgiven: Gets the mistakes that do not keep the rest from being read. Without it
            they are raised.

    Raises:
        SpecError: If it is neither, too large or too deep, or repeats a key.
    """
    if len(text) > MAX_BYTES:
        raise SpecError(f"longer than {MAX_BYTES} characters", source=name)
    text = text.removeprefix("\ufeff")
    is_json = name is not None and name.lower().endswith(".json")
    if is_json or text.lstrip().startswith("{"):
        try:
            return _read_json(text, name, forgiven)
        except json.JSONDecodeError as error:
            if is_json:
                at, reason = mistake_in(text, error.pos)
                line = text.count("\n", 0, at) + 1
                raise SpecError(reason, source=name, line=line) from None
        except SpecError:
            raise
        except (RecursionError, ValueError):
            reason = "invalid JSON: too deep, or a number that JSON does not have"
            raise SpecError(reason, source=name) from None
    return _read_yaml(text, name, forgiven)


def _read_json(text: str, name: str | None, forgiven: list[SpecError] | None) -> SpecText:
    repeated: list[str] = []

    def members_of(members: list[tuple[str, Any]]) -> dict[str, Any]:
        result = dict(members)
        if len(result) != len(members):
            counts = Counter(name for name, _ in members)
            repeated.append(max(counts, key=counts.__getitem__))
        return result

    decoder = json.JSONDecoder(
        object_pairs_hook=members_of, parse_float=_number, parse_constant=_number
    )
    value = decoder.decode(text)
    if is_deeper(value, MAX_DEPTH):
        raise SpecError(f"deeper than {MAX_DEPTH} levels", source=name)
    is_small = len(text) <= MAX_NUMBERED
    if repeated:
        mistakes: list[SpecError] = []

        def twice(key: str, line: int | None = None) -> None:
            mistakes.append(SpecError(f"key {key!r} is written twice", source=name, line=line))

        if is_small:
            lines_of(text, value, twice)
        else:
            twice(repeated[0])
        if forgiven is None:
            raise mistakes[0]
        forgiven += mistakes
    return SpecText(value, name, json=text if is_small else None)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError
    return value


class _SlipError(Exception):
    """A text is not YAML."""

    def __init__(self, slip: Slip) -> None:
        self.slip = slip


def _read_yaml(text: str, name: str | None, forgiven: list[SpecError] | None) -> SpecText:
    """Read YAML; if mistakes are forgiven, once more without each slip that is explained."""
    slips: list[SpecError] = []
    while True:
        reader = _YamlReader(text, name, None if forgiven is None else [])
        try:
            source = reader.read()
        except _SlipError as error:
            slip = error.slip
        except SpecError:
            if forgiven is not None:
                forgiven += slips + (reader.forgiven or [])
            raise
        else:
            if forgiven is not None:
                forgiven += slips + (reader.forgiven or [])
            return source
        mistake = SpecError(slip.reason, source=name, line=slip.line + 1)
        if forgiven is None:
            raise mistake
        if slip.text in (None, text) or len(slips) >= MOST_SLIPS:
            # What is not explained may come of what was.
            forgiven += slips[:-1] + (reader.forgiven or [])
            raise slips[-1] if slips else mistake
        slips.append(mistake)
        text = slip.text


@dataclass(slots=True)
class _OpenNode:
    """A container whose end has not been read yet."""

    value: Any
    step: str | int
    key: str | None = None


class _YamlReader:
    """
    YAML, read event by event.

    Args:
        text: What is read.
        name: Its name, for messages.
        forgiven: Gets mistakes that do not keep the rest from being read; None raises them.
    """

    def __init__(self, text: str, name: str | None, forgiven: list[SpecError] | None) -> None:
        self.forgiven = forgiven
        self._text = text
        self._source = SpecText(None, name)
        self._stack: list[_OpenNode] = []
        self._documents = 0

    def read(self) -> SpecText:
        """
        Read all of it.

        Raises:
            _SlipError: If it is not YAML.
            SpecError: If it is more than JSON's types, too deep, or too much work.
        """
        import yaml  # late: built-in commands on JSON input never need it

        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(self._text, Loader=loader):
                self._source.work -= 1
                if self._source.work < 0:
                    self._fail(TOO_MUCH_WORK, event)
                self._take(event, yaml)
        except yaml.MarkedYAMLError as error:
            opened = error.context_mark
            mark = error.problem_mark or opened
            begin = (opened.line, opened.column) if opened else None
            slip = slip_in(self._text, mark.line if mark else 0, begin)
        except (yaml.YAMLError, UnicodeEncodeError):
            slip = forbidden(self._text)
        else:
            return self._source
        raise _SlipError(slip)

    def _take(self, event: Any, yaml: Any) -> None:
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            self._explain(event)
            self._fail("anchors and aliases are not read: use $ref", event)
        if getattr(event, "tag", None) and not _is_standard_tag(event):
            self._mind("tags are not read: quote what begins with !", event)
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event)
        elif isinstance(event, (yaml.MappingStartEvent, yaml.SequenceStartEvent)):
            if len(self._stack) >= MAX_DEPTH:
                self._fail(f"deeper than {MAX_DEPTH} levels", event)
            value: Any = [] if isinstance(event, yaml.SequenceStartEvent) else self._again()
            self._stack.append(_OpenNode(value, self._place(value, event)))
        elif isinstance(event, (yaml.MappingEndEvent, yaml.SequenceEndEvent)):
            self._stack.pop()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                self._fail("one document only, got a second one", event)

    def _place(self, value: Any, event: Any) -> str | int:
        """Put a finished scalar or a new container where it belongs; return its key there."""
        if not self._stack:
            self._source.value = value
            return ""
        top = self._stack[-1]
        if isinstance(top.value, list):
            top.value.append(value)
            index = len(top.value) - 1
            self._source.lines[id(top.value), index] = _line_of(event)
            return index
        if top.key is None:
            self._explain(event)
            self._fail("a key is a string, got an object or an array", event)
        key, top.key = top.key, None
        # Of what is written twice, and was forgiven, the first is checked.
        top.value.setdefault(key, value)
        return key

    def _again(self) -> dict[str, Any]:
        """Return the object that goes on under a key that is written twice, or a new one."""
        top = self._stack[-1] if self._stack else None
        before = top.value.get(top.key) if top and isinstance(top.value, dict) else None
        return before if isinstance(before, dict) else {}

    def _scalar(self, event: Any) -> None:
        top = self._stack[-1] if self._stack else None
        if top is None or not isinstance(top.value, dict) or top.key is not None:
            self._place(event.value if event.style else _plain(event.value), event)
            return
        key = event.value
        if not event.style and key == "<<":
            self._fail("merge keys are not read: use $ref", event)
        place = (id(top.value), key)
        top.key = key
        if key in top.value:
            self._mind(f"key {key!r} is written twice: see line {self._source.lines[place]}", event)
            return
        if event.style == '"':
            self._source.quoted.add(place)
        self._source.lines[place] = _line_of(event)

    def _explain(self, event: Any) -> None:
        """Raise a better error if YAML stumbled over a path that it can't hold bare."""
        slip = eaten(self._text, _line_of(event) - 1)
        if slip is not None:
            raise _SlipError(slip)

    def _mind(self, reason: str, event: Any) -> None:
        """Note a mistake, or raise it."""
        if self.forgiven is None:
            self._fail(reason, event)
        self.forgiven.append(self._mistake(reason, event))

    def _fail(self, reason: str, event: Any) -> NoReturn:
        raise self._mistake(reason, event)

    def _mistake(self, reason: str, event: Any) -> SpecError:
        steps = (container.step for container in self._stack[1:])
        pointer = join_pointer(steps) if self._stack else None
        return SpecError(reason, pointer, self._source.name, _line_of(event))


def _line_of(event: Any) -> int:
    line: int = event.start_mark.line
    return line + 1


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
