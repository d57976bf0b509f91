"""
The tokens of a JSON text, and the style in which it is written: spacing and escapes.

Nothing here validates: the texts are known to be JSON. A string token is a sequence of
*units*, one for each character of its string: the character itself, or an escape.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache, cached_property
from itertools import accumulate
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NamedTuple

from nestdecode.text.write import dump

__all__ = [
    "COMPACT",
    "Edit",
    "Item",
    "Layout",
    "Style",
    "Text",
    "Token",
    "difference",
    "named",
    "read_string",
    "spliced",
    "written",
]

# Possessive: each pattern costs one pass over any text.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"', re.DOTALL)
_SCALAR = re.compile(r"[^ \t\r\n,\]}]++")
_BLANKS = re.compile(r"[ \t\r\n]*+")
_COLON = re.compile(r"[ \t\r\n]*+:[ \t\r\n]*+")
_COMMA = re.compile(r"[ \t\r\n]*+,?+[ \t\r\n]*+")
_TO_BRACKET = re.compile(r'(?:[^"{}\[\]]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_TO_COMMA = re.compile(r'(?:[^",]++|"(?:[^"\\]++|\\.)*+")*+', re.DOTALL)
_ESCAPE = re.compile(
    # A pair of surrogates is one character.
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|.)"
)

# Start, end, and the text that replaces what is between them.
Edit = tuple[int, int, str]


class Layout(NamedTuple):
    """
    The spacing of one container.

    Attributes:
        first: The text between the opening bracket and the first item.
        comma: The text between two items, with the comma.
        colon: The text between a name and its value, with the colon.
        last: The text between the last item and the closing bracket.
    """

    first: str
    comma: str
    colon: str
    last: str

    def nested(self) -> Layout:
        """Return the layout of a container that is an item of this one."""
        if "\n" not in self.first or not self.first.startswith(self.last):
            return self
        step = self.first[len(self.last) :]
        comma = self.comma + step if self.comma.endswith(self.first) else self.comma
        return Layout(self.first + step, comma, self.colon, self.first)


COMPACT = Layout("", ",", ":", "")


class Item(NamedTuple):
    """
    One item of a container: a member or an element. Positions are in characters.

    Attributes:
        start: Where it begins; a member begins with its name.
        name_end: Where a member's name ends; for an element, *start*.
        value: Where its value begins.
        end: Where its value ends.
        name: A member's name; None for an element.
    """

    start: int
    name_end: int
    value: int
    end: int
    name: str | None


class Text:
    """
    One JSON text, and the positions of its items. Positions are in characters.

    Positions that were looked up are kept, so that all look-ups cost a pass or two.

    Args:
        text: The text.
        around: The text in which a string holds this one, or None.
    """

    def __init__(self, text: str, around: Text | None = None) -> None:
        self.text = text
        self._around = around
        self._items: dict[int, list[Item]] = {}
        self._names: dict[int, dict[str | None, int]] = {}

    @property
    def root(self) -> tuple[int, int]:
        """The positions at which the value of the text begins and ends."""
        return _end_of(_BLANKS, self.text, 0), len(self.text.rstrip(" \t\r\n"))

    @cached_property
    def style(self) -> Style:
        """The style of the text's strings."""
        beyond = None if self._around is None else self._around.style
        return Style("".join(_STRING.findall(self.text)), beyond=beyond)

    def items(self, start: int) -> list[Item]:
        """Return the items of the container that begins at *start*, in order of the text."""
        found = self._items.get(start)
        if found is None:
            found = self._items[start] = self._scan(start)
        return found

    def value_of(self, start: int, key: str | int) -> int:
        """Return where the value of an item begins; of members with one name, the last."""
        items = self.items(start)
        if isinstance(key, int):
            return items[key].value
        names = self._names.get(start)
        if names is None:
            names = self._names[start] = {item.name: item.value for item in items}
        return names[key]

    def token(self, start: int) -> str:
        """Return the text of the scalar or container that begins at *start*."""
        return self.text[start : self._end_of_value(start)]

    def layout(self, start: int, around: int | None) -> Layout:
        """
        Return the spacing of a container.

        Args:
            start: Where it begins.
            around: Where the container around it begins, whose spacing is used if this
                one is empty; None if there is none.
        """
        items = self.items(start)
        if not items:
            return COMPACT if around is None else self.layout(around, None).nested()
        text = self.text
        first = text[start + 1 : items[0].start]
        last = text[items[-1].end : _end_of(_BLANKS, text, items[-1].end)]
        if items[0].name is not None:
            colon = text[items[0].name_end : items[0].value]
        else:
            colon = self.colon or (": " if self.comma[-1:].isspace() else ":")
        if len(items) > 1:
            comma = text[items[0].end : items[1].start]
        elif self.comma and ("\n" in first) == ("\n" in self.comma):
            # The text's first comma, with this container's indentation in place of its own.
            line, comma = self.comma.rfind("\n") + 1, self.comma
            if line:
                comma = comma[:line] + first[first.rfind("\n") + 1 :] + comma[line:].lstrip(" \t\r")
        else:
            comma = "," + (first if "\n" in first else " " * colon.endswith(" "))
        return Layout(first, comma, colon, last)

    def _scan(self, start: int) -> list[Item]:
        text, found = self.text, []
        position = _end_of(_BLANKS, text, start + 1)
        named = text[start] == "{"
        while text[position] not in "]}":
            begin = name_end = position
            name = None
            if named:
                name, name_end = scanstring(text, begin + 1)
                position = _end_of(_COLON, text, name_end)
            end = self._end_of_value(position)
            found.append(Item(begin, name_end, position, end, name))
            position = _end_of(_COMMA, text, end)
        return found

    def _end_of_value(self, start: int) -> int:
        opener = self.text[start]
        if opener in "{[":
            return self._ends[start]
        return _end_of(_STRING if opener == '"' else _SCALAR, self.text, start)

    @cached_property
    def _ends(self) -> dict[int, int]:
        """The position at which each container ends, by that at which it begins."""
        text, ends, opened = self.text, {}, []
        position = _end_of(_TO_BRACKET, text, 0)
        while position < len(text):
            if text[position] in "{[":
                opened.append(position)
            else:
                ends[opened.pop()] = position + 1
            position = _end_of(_TO_BRACKET, text, position + 1)
        return ends

    @cached_property
    def comma(self) -> str:
        """The first comma of the text, with the blanks around it; empty if there is none."""
        end = _end_of(_TO_COMMA, self.text, 0)
        if end == len(self.text):
            return ""
        start = len(self.text[:end].rstrip(" \t\r\n"))
        return self.text[start : _end_of(_COMMA, self.text, start)]

    @cached_property
    def colon(self) -> str:
        """The first colon of the text, with the blanks around it; empty if there is none."""
        for string in _STRING.finditer(self.text):
            colon = _COLON.match(self.text, string.end())
            if colon is not None:
                return colon[0]
        return ""


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    assert match is not None, "not the JSON text that it was taken for"
    return match.end()


def read_string(text: str, start: int) -> str:
    """Return the string of the token that begins at *start*."""
    value: str = scanstring(text, start + 1)[0]
    return value


class Token:
    """
    The units of one string token.

    Args:
        text: The text that holds it.
        start: Where it begins, at its quote.
        end: Where it ends, after its quote.
    """

    def __init__(self, text: str, start: int, end: int) -> None:
        self._start = start + 1
        escapes = [match.span() for match in _ESCAPE.finditer(text, start + 1, end - 1)]
        # Characters by which the token is longer than its string, after each escape.
        self._longer = [0, *accumulate(e - s - 1 for s, e in escapes)]
        self._escaped = [
            s - self._start - longer for (s, _), longer in zip(escapes, self._longer, strict=False)
        ]

    def position(self, index: int) -> int:
        """Return where in the text the unit of the string's character *index* begins."""
        return self._start + index + self._longer[bisect_left(self._escaped, index)]


_SHORT = dict(zip('"\\\b\f\n\r\t', ('\\"', "\\\\", "\\b", "\\f", "\\n", "\\r", "\\t"), strict=True))
_ALIKE = tuple(
    map(re.compile, ("[\b\f\n\r\t]", "[<>&]", "[0-9A-Za-z]", "[^\x00-\x7f\ud800-\udfff]"))
)


class Style(dict[int, str]):
    """
    How the characters of strings are written: a table for ``str.translate``.

    A character is written as in the example, escaped if the example has it both ways. One
    that is not in the example is written as others of its kind are: control characters;
    ``<``, ``>`` and ``&``; letters and digits; all that is not ASCII.

    Args:
        example: String tokens, or the inside of one.
        wider: The style of the text around the example, used where that shows nothing.
        beyond: The style of the text around that text, used where both show nothing.
    """

    def __init__(
        self, example: str, wider: Style | None = None, beyond: Style | None = None
    ) -> None:
        super().__init__()
        units = dict.fromkeys(_ESCAPE.findall(example))
        self._example = example
        self._escaped: dict[str, str] = {_said(unit): unit for unit in units}
        self._wider = wider
        self._beyond: Style | None = beyond if wider is None else wider._beyond

    def quote(self, text: str) -> str:
        """Return the token of a string."""
        return f'"{text.translate(self)}"'

    def __missing__(self, code: int) -> str:
        character = chr(code)
        must = character < " " or character in '"\\' or "\ud800" <= character <= "\udfff"
        styles = (self,) if self._wider is None else (self, self._wider)
        shown = [style._seen(character, must) for style in styles]
        shown += [style._seen_alike(character, must) for style in styles if not any(shown)]
        unit = next(filter(None, shown), "")
        if not unit and self._beyond is not None:
            unit = self._beyond[code]
        elif not unit:
            unit = _SHORT.get(character) or (_hex(character, False) if must else character)
        self[code] = unit
        return unit

    @cached_property
    def _bare(self) -> frozenset[str]:
        """The characters that are written as themselves."""
        return frozenset(_ESCAPE.sub("", self._example))

    def _seen(self, character: str, must: bool) -> str:
        """Return the unit of a character in the example; empty if it has none."""
        unit = self._escaped.get(character, "")
        return unit or (character if not must and character in self._bare else "")

    def _seen_alike(self, character: str, must: bool) -> str:
        """Return the unit of a character as others of its kind have it; empty if none has."""
        kind = next((kind for kind, alike in enumerate(_ALIKE) if alike.match(character)), None)
        if kind is None:
            return ""
        is_bare, unit = self._alike[kind]
        if is_bare and not must:
            return character
        if not unit:
            return ""
        return _hex(character, self._upper) if unit[1] == "u" else _SHORT[character]

    @cached_property
    def _alike(self) -> list[tuple[bool, str]]:
        """For each kind of ``_ALIKE``: whether any is written as itself, and the last escape."""
        last_first = [*reversed(self._escaped.items())]
        return [
            (
                any(map(alike.match, self._bare)),
                next((unit for character, unit in last_first if alike.match(character)), ""),
            )
            for alike in _ALIKE
        ]

    @cached_property
    def _upper(self) -> bool:
        """Whether the hex digits of escapes are capitals."""
        digits = "".join(unit[2:] for unit in self._escaped.values() if unit[1] == "u")
        return digits != digits.lower()


def _said(unit: str) -> str:
    said: str = scanstring(unit + '"', 0)[0]
    return said


def _hex(character: str, upper: bool) -> str:
    digits = character.encode("utf-16-be", "surrogatepass").hex()
    digits = digits.upper() if upper else digits
    return "".join("\\u" + digits[i : i + 4] for i in range(0, len(digits), 4))


_NAMED = re.compile(r"(?:compact|(spaced)|indent-([1-8]))?(?:(?:\A| )(ascii))?")


@cache
def named(style: str) -> tuple[Layout, Style]:
    """
    Return the layout and the style of a name in a spec: ``spaced``, ``indent-2 ascii``.

    Raises:
        ValueError: If no style has this name.
    """
    match = _NAMED.fullmatch(style)
    if not match or not style:
        raise ValueError(style)
    spaced, indent, ascii_only = match.groups()
    layout = Layout("", ", ", ": ", "") if spaced else COMPACT
    if indent:
        line = "\n" + " " * int(indent)
        layout = Layout(line, "," + line, ": ", "\n")
    return layout, Style("\\u00e9" if ascii_only else "")


def written(value: Any, layout: Layout, style: Style) -> str:
    """
    Return a value as JSON text.

    Args:
        value: A tree of at most 254 containers inside one another.
        layout: The spacing of its items, if it is a container.
        style: The style of its strings.

    Raises:
        DecodeError: If it holds a value that JSON can't write.
    """
    kind = type(value)
    if kind is str:
        return style.quote(value)
    if kind is dict:
        inner = layout.nested()
        items = [
            style.quote(name) + layout.colon + written(child, inner, style)
            for name, child in value.items()
        ]
        brackets = "{}"
    elif kind is list:
        inner = layout.nested()
        items = [written(child, inner, style) for child in value]
        brackets = "[]"
    else:
        return dump(value).decode()
    if not items:
        return brackets
    return brackets[0] + layout.first + layout.comma.join(items) + layout.last + brackets[1]


def difference(old: str, new: str) -> Edit:
    """Return the shortest single edit that turns *old* into *new*."""
    most = min(len(old), len(new))
    head = _shared(old, new, most)
    tail = _shared(old[::-1], new[::-1], most - head)
    return head, len(old) - tail, new[head : len(new) - tail]


def _shared(one: str, other: str, most: int) -> int:
    """Count the characters, *most* at most, with which two texts begin alike."""
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def spliced(text: str, edits: Iterable[Edit]) -> str:
    """Return a text with edits applied; they are in order, and do not overlap."""
    parts, position = [], 0
    for start, end, replacement in edits:
        parts += [text[position:start], replacement]
        position = end
    parts.append(text[position:])
    return "".join(parts)
