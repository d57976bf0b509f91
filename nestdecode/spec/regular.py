"""Patterns parsed to syntax trees: the regular part of ECMA-262's syntax."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

__all__ = [
    "LAST",
    "MAX_SIZE",
    "WORD",
    "Char",
    "Choice",
    "Edge",
    "Node",
    "PatternError",
    "Ranges",
    "Repeat",
    "Sequence",
    "joined",
    "others",
    "syntax_of",
]

MAX_NESTING = 50
MAX_SIZE = 4000
# A set of characters: (first, last) code points, sorted, with a gap between any two ranges.
Ranges = tuple[tuple[int, int], ...]
LAST = 0x10FFFF


class PatternError(ValueError):
    """A pattern is wrong, not regular, or too large."""


@dataclass(frozen=True, slots=True)
class Char:
    """One character out of a set."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Edge:
    """An edge between characters: ``^``, ``$``, ``\\b`` or ``\\B``."""

    kind: str


@dataclass(frozen=True, slots=True)
class Sequence:
    """Parts that match one after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """Parts of which one matches."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """A part that matches *least* to *most* times; *most* is None for no bound."""

    part: Node
    least: int
    most: int | None


Node = Char | Edge | Sequence | Choice | Repeat


def joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Return ranges sorted, those that overlap or touch joined into one."""
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def others(ranges: Ranges) -> Ranges:
    """Return the set of all characters that are not in *ranges*."""
    starts = [0, *(high + 1 for _, high in ranges)]
    ends = [*(low - 1 for low, _ in ranges), LAST]
    return tuple((low, high) for low, high in zip(starts, ends, strict=True) if low <= high)


def _of(text: str) -> Ranges:
    return joined((ord(char), ord(char)) for char in text)


_DIGIT: Ranges = ((0x30, 0x39),)
WORD = joined([*_DIGIT, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_SPACE = joined(
    [*_of("\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"), (0x2000, 0x200A)]
)
_SETS = {
    "d": _DIGIT,
    "D": others(_DIGIT),
    "w": WORD,
    "W": others(WORD),
    "s": _SPACE,
    "S": others(_SPACE),
}
_ANY = others(_of("\n\r\u2028\u2029"))
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}


def syntax_of(text: str) -> Node:
    """
    Return the syntax tree of a pattern.

    Raises:
        PatternError: If the pattern is wrong or not regular.
    """
    return _PatternParser(text).whole()


class _PatternParser:
    """A parser of one pattern, by recursive descent."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def whole(self) -> Node:
        node = self.choice()
        if self.at < len(self.text):
            raise PatternError("unbalanced parenthesis")
        return node

    def peek(self, length: int = 1) -> str:
        return self.text[self.at : self.at + length]

    def take(self, text: str) -> bool:
        if not self.text.startswith(text, self.at):
            return False
        self.at += len(text)
        return True

    def choice(self) -> Node:
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else Choice(tuple(parts))

    def sequence(self) -> Node:
        parts: list[Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def repeated(self) -> Node:
        if self.quantifier() is not None:
            raise PatternError("nothing to repeat")
        node = self.atom()
        times = self.quantifier()
        if times is None:
            return node
        if isinstance(node, Edge):
            raise PatternError("nothing to repeat")
        self.take("?")  # a lazy quantifier matches in the same names
        if self.quantifier() is not None:
            raise PatternError("a repetition is repeated")
        least, most = times
        if most is not None and most < least:
            raise PatternError("a repetition's bounds are the wrong way round")
        return Repeat(node, least, most)

    def quantifier(self) -> tuple[int, int | None] | None:
        for sign, times in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return times
        end = self.text.find("}", self.at)
        if self.peek() != "{" or end < 0:
            return None
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if not _is_digits(least) or (most and not _is_digits(most)):
            return None  # a brace that begins no quantifier is text, as in every engine
        self.at = end + 1
        return int(least), int(most) if most else None if comma else int(least)

    def atom(self) -> Node:
        char = self.peek()
        self.at += 1
        if char in "^$":
            return Edge(char)
        if char == ".":
            return Char(_ANY)
        if char == "[":
            return Char(self.set())
        if char == "(":
            return self.group()
        if char == "\\":
            if self.peek() in ("b", "B"):
                self.at += 1
                return Edge("\\" + self.text[self.at - 1])
            return Char(self.escaped())
        return Char(_of(char))

    def group(self) -> Node:
        if self.take("?"):
            if self.peek() in ("=", "!") or self.peek(2) in ("<=", "<!"):
                raise PatternError("look-around is not supported")
            if self.take("<"):
                end = self.text.find(">", self.at)
                if not self.text[self.at : max(end, self.at)].isidentifier():
                    raise PatternError("a group's name is wrong")
                self.at = end + 1
            elif not self.take(":"):
                raise PatternError(f"unknown group '(?{self.peek()}'")
        self.nesting += 1
        if self.nesting > MAX_NESTING:
            raise PatternError(f"groups are nested deeper than {MAX_NESTING}")
        node = self.choice()
        self.nesting -= 1
        if not self.take(")"):
            raise PatternError("a parenthesis is not closed")
        return Sequence((node,))  # unlike an edge alone, a group of one may be repeated

    def set(self) -> Ranges:
        """Return the set of a character class, whose opening bracket has been read."""
        negated = self.take("^")
        ranges: list[tuple[int, int]] = []
        while not self.take("]"):
            first = self.member()
            if self.peek() == "-" and self.peek(2) not in ("-", "-]"):
                self.at += 1
                last = self.member()
                ends = (first[0][0], last[-1][1])
                if not (_is_one(first) and _is_one(last)) or ends[0] > ends[1]:
                    raise PatternError("a range in a character class is wrong")
                ranges.append(ends)
            else:
                ranges += first
        return others(joined(ranges)) if negated else joined(ranges)

    def member(self) -> Ranges:
        char = self.peek()
        self.at += 1
        if not char:
            raise PatternError("a character class is not closed")
        if char != "\\":
            return _of(char)
        return _of("\b") if self.take("b") else self.escaped()

    def escaped(self) -> Ranges:
        """Return the set of the escape whose backslash has been read."""
        char = self.peek()
        self.at += 1
        if char in _SETS:
            return _SETS[char]
        if char in _CONTROLS:
            return _of(_CONTROLS[char])
        if char == "0" and not self.peek().isdecimal():
            return _of("\0")
        if char == "c" and self.peek().isascii() and self.peek().isalpha():
            self.at += 1
            return _of(chr(ord(self.text[self.at - 1]) % 32))
        if char == "x":
            code = self.hexadecimal(2)
            return ((code, code),)
        if char == "u":
            code = self.code_point()
            return ((code, code),)
        if not char:
            raise PatternError("ends in a backslash")
        if char in "123456789k":
            raise PatternError("a back-reference is not supported")
        if char in "pP":
            raise PatternError("a class of Unicode (\\p) is not supported")
        if char in "AZz":
            raise PatternError(f"unknown escape '\\{char}': the ends of a name are ^ and $")
        if char.isascii() and char.isalnum():
            raise PatternError(f"unknown escape '\\{char}'")
        return _of(char)

    def code_point(self) -> int:
        if self.take("{"):
            end = self.text.find("}", self.at)
            digits = self.text[self.at : max(end, self.at)]
            code = int(digits, 16) if _is_hexadecimal(digits) else LAST + 1
            if code > LAST:
                raise PatternError("an escape is cut short, or no character")
            self.at = end + 1
            return code
        high = self.hexadecimal(4)
        at = self.at
        if 0xD800 <= high < 0xDC00 and self.take("\\u") and self.peek() != "{":
            low = self.hexadecimal(4)
            if 0xDC00 <= low < 0xE000:
                return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00)
        self.at = at
        return high

    def hexadecimal(self, length: int) -> int:
        digits = self.peek(length)
        if len(digits) < length or not _is_hexadecimal(digits):
            raise PatternError("an escape is cut short, or no character")
        self.at += length
        return int(digits, 16)


def _is_digits(text: str) -> bool:
    return text.isascii() and text.isdecimal()


def _is_hexadecimal(text: str) -> bool:
    return bool(text) and all(char in "0123456789abcdefABCDEF" for char in text)


def _is_one(ranges: Ranges) -> bool:
    return len(ranges) == 1 and ranges[0][0] == ranges[0][1]
