"""
Patterns of member names: ECMA-262's regular expressions, as far as they are regular.

Python's own engine tries again: a short pattern and a short name can keep it busy for
years. JSON Schema asks authors for a subset that needs none of that (2020-12 core,
section 6.4), so a pattern becomes a deterministic automaton when the spec is read. A
name then takes one look-up a character, whatever the pattern and whatever the name.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass

__all__ = ["Pattern", "PatternError"]

MAX_LENGTH = 1024
MAX_NESTING = 50
MAX_SIZE = 4000
MAX_STATES = 2000

# A set of characters: ranges of code points, sorted, with gaps between them.
Ranges = tuple[tuple[int, int], ...]

_LAST = 0x10FFFF


class PatternError(ValueError):
    """A pattern that is wrong, or not regular, or too large."""


# The syntax tree


@dataclass(frozen=True, slots=True)
class _Char:
    ranges: Ranges


@dataclass(frozen=True, slots=True)
class _Edge:
    """``^``, ``$``, ``\\b`` or ``\\B``."""

    kind: str


@dataclass(frozen=True, slots=True)
class _Sequence:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Choice:
    parts: tuple[_Node, ...]


@dataclass(frozen=True, slots=True)
class _Repeat:
    part: _Node
    least: int
    most: int | None


_Node = _Char | _Edge | _Sequence | _Choice | _Repeat


def _joined(ranges: Iterable[tuple[int, int]]) -> Ranges:
    result: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if result and low <= result[-1][1] + 1:
            result[-1] = (result[-1][0], max(high, result[-1][1]))
        else:
            result.append((low, high))
    return tuple(result)


def _others(ranges: Ranges) -> Ranges:
    starts = [0, *(high + 1 for _, high in ranges)]
    ends = [*(low - 1 for low, _ in ranges), _LAST]
    return tuple((low, high) for low, high in zip(starts, ends, strict=True) if low <= high)


def _of(text: str) -> Ranges:
    return _joined((ord(char), ord(char)) for char in text)


_DIGIT: Ranges = ((0x30, 0x39),)
_WORD = _joined([*_DIGIT, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A)])
_SPACE = _joined(
    [*_of("\t\n\v\f\r \xa0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"), (0x2000, 0x200A)]
)
_SETS = {
    "d": _DIGIT,
    "D": _others(_DIGIT),
    "w": _WORD,
    "W": _others(_WORD),
    "s": _SPACE,
    "S": _others(_SPACE),
}
_ANY = _others(_of("\n\r\u2028\u2029"))
_CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}


class _Parser:
    """Reads one pattern, a code point at a time."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.nesting = 0

    def whole(self) -> _Node:
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

    def choice(self) -> _Node:
        parts = [self.sequence()]
        while self.take("|"):
            parts.append(self.sequence())
        return parts[0] if len(parts) == 1 else _Choice(tuple(parts))

    def sequence(self) -> _Node:
        parts: list[_Node] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.repeated())
        return parts[0] if len(parts) == 1 else _Sequence(tuple(parts))

    def repeated(self) -> _Node:
        if self.quantifier() is not None:
            raise PatternError("nothing to repeat")
        node = self.atom()
        times = self.quantifier()
        if times is None:
            return node
        if isinstance(node, _Edge):
            raise PatternError("nothing to repeat")
        self.take("?")  # a lazy one finds the same names
        if self.quantifier() is not None:
            raise PatternError("a repetition is repeated")
        least, most = times
        if most is not None and most < least:
            raise PatternError("a repetition's bounds are the wrong way round")
        return _Repeat(node, least, most)

    def quantifier(self) -> tuple[int, int | None] | None:
        for sign, times in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self.take(sign):
                return times
        end = self.text.find("}", self.at)
        if self.peek() != "{" or end < 0:
            return None
        least, comma, most = self.text[self.at + 1 : end].partition(",")
        if not _is_digits(least) or (most and not _is_digits(most)):
            return None  # what is no quantifier is text, as every engine reads it
        self.at = end + 1
        return int(least), int(most) if most else None if comma else int(least)

    def atom(self) -> _Node:
        char = self.peek()
        self.at += 1
        if char in "^$":
            return _Edge(char)
        if char == ".":
            return _Char(_ANY)
        if char == "[":
            return _Char(self.set())
        if char == "(":
            return self.group()
        if char == "\\":
            if self.peek() in ("b", "B"):
                self.at += 1
                return _Edge("\\" + self.text[self.at - 1])
            return _Char(self.escaped())
        return _Char(_of(char))

    def group(self) -> _Node:
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
        return _Sequence((node,))  # what is in a group may be repeated, edges too

    def set(self) -> Ranges:
        """Read a character class, after its bracket."""
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
        return _others(_joined(ranges)) if negated else _joined(ranges)

    def member(self) -> Ranges:
        char = self.peek()
        self.at += 1
        if not char:
            raise PatternError("a character class is not closed")
        if char != "\\":
            return _of(char)
        return _of("\b") if self.take("b") else self.escaped()

    def escaped(self) -> Ranges:
        """Read what follows a backslash."""
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
            code = int(digits, 16) if _is_hexadecimal(digits) else _LAST + 1
            if code > _LAST:
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


# The automaton that is not deterministic: what each of its states needs, and leads to.


def _size(node: _Node) -> int:
    """Count the states that a node takes; more than enough is too much."""
    if isinstance(node, (_Char, _Edge)):
        return 1
    if isinstance(node, _Repeat):
        copies = node.least + 1 if node.most is None else node.most
        size = copies * (_size(node.part) + 1)
    else:
        size = 1 + sum(map(_size, node.parts))
    if size > MAX_SIZE:
        raise PatternError(f"takes more than {MAX_SIZE} states: repeat less")
    return size


class _Program:
    """
    States by number: each eats a character, passes an edge, forks, or is the end.

    Attributes:
        states: Ranges and what follows; an edge and what follows; or where it forks to.
        end: The state that has found a match.
    """

    def __init__(self, node: _Node, spend: Callable[[int], None]) -> None:
        self.spend = spend
        self.states: list[tuple[Ranges | str | None, tuple[int, ...]]] = [(None, ())]
        self.end = 0
        self.start = self.add(node, self.end)

    def state(self, what: Ranges | str | None, *following: int) -> int:
        self.states.append((what, following))
        return len(self.states) - 1

    def add(self, node: _Node, following: int) -> int:
        """Add what finds *node* and goes on to *following*; return where it begins."""
        if isinstance(node, _Char):
            return self.state(node.ranges, following)
        if isinstance(node, _Edge):
            return self.state(node.kind, following)
        if isinstance(node, _Sequence):
            for part in reversed(node.parts):
                following = self.add(part, following)
            return following
        if isinstance(node, _Choice):
            return self.state(None, *(self.add(part, following) for part in node.parts))
        start = following
        if node.most is None:
            fork = self.state(None)
            body = self.add(node.part, fork)
            self.states[fork] = (None, (body, following))
            start = body if node.least else fork
        else:
            for _ in range(node.most - node.least):
                start = self.state(None, self.add(node.part, start), following)
        for _ in range(node.least - (node.most is None and node.least > 0)):
            start = self.add(node.part, start)
        return start

    def reached(self, states: Iterable[int], passes: Callable[[str], bool]) -> frozenset[int]:
        """Return where *states* lead to without a character, forks taken, edges if passed."""
        seen: set[int] = set()
        waiting = list(states)
        found = []
        while waiting:
            number = waiting.pop()
            if number in seen:
                continue
            seen.add(number)
            what, following = self.states[number]
            if isinstance(what, tuple) or number == self.end:
                found.append(number)
            elif what is None or passes(what):
                waiting += following
            else:
                found.append(number)
        self.spend(1 + len(seen) // 4)
        return frozenset(found)


_DEAD, _FOUND = -1, -2


class Pattern:
    """
    A pattern that is searched for in names, not matched whole.

    Attributes:
        text: As it is written in the spec.
    """

    __slots__ = ("_ascii", "_ends", "_rows", "_starts", "text")

    def __init__(self, text: str, spend: Callable[[int], None] = lambda _: None) -> None:
        """
        Compile a pattern.

        Args:
            text: The pattern, in ECMA-262's syntax.
            spend: Called with the work that is done, before it is.

        Raises:
            PatternError: If it is wrong, is not regular, or is too large.
        """
        if len(text) > MAX_LENGTH:
            raise PatternError(f"longer than {MAX_LENGTH} characters")
        node = _Parser(text).whole()
        _size(node)
        program = _Program(node, spend)
        self.text = text
        used: set[Ranges] = {what for what, _ in program.states if isinstance(what, tuple)}
        # Characters that no state tells apart are one column; \b tells words apart.
        pairs = [pair for ranges in (*used, _WORD) for pair in ranges]
        bounds = {0, *(low for low, _ in pairs), *(high + 1 for _, high in pairs)}
        self._starts = sorted(bounds - {_LAST + 1})
        self._ascii = {chr(code): self._column(code) for code in range(128)}
        self._rows: list[list[int]] = []
        self._ends: list[bool] = []
        self._determine(program)
        self._bury()

    def search(self, name: str) -> bool:
        """Tell whether *name* holds what the pattern describes."""
        rows, known = self._rows, self._ascii
        state = 0
        for char in name:
            column = known.get(char)
            if column is None:
                column = self._column(ord(char))
            state = rows[state][column]
            if state < 0:
                return state == _FOUND
        return self._ends[state]

    def _column(self, code: int) -> int:
        return bisect_right(self._starts, code) - 1

    def _determine(self, program: _Program) -> None:
        """Write a row for each set of the program's states that a name can lead to."""
        eaten: dict[int, list[int]] = {
            number: [
                column
                for low, high in what
                for column in range(self._column(low), self._column(high) + 1)
            ]
            for number, (what, _) in enumerate(program.states)
            if isinstance(what, tuple)
        }
        edges = {what for what, _ in program.states if isinstance(what, str)}
        words = [bool(edges - {"^", "$"}) and _is_in(low, _WORD) for low in self._starts]
        # A set of states, and whether a word's character is before it; None at the start.
        known: dict[tuple[frozenset[int], bool | None], int] = {}
        waiting: list[tuple[frozenset[int], bool | None]] = []

        def number_of(states: Iterable[int], before: bool | None) -> int:
            # A match may begin at every character.
            reached = program.reached((*states, program.start), lambda _: False)
            if program.end in reached:
                return _FOUND
            key = (reached, before)
            if key not in known:
                if len(known) >= MAX_STATES:
                    reason = f"takes more than {MAX_STATES} states: anchor it, or repeat less"
                    raise PatternError(reason)
                known[key] = len(known)
                waiting.append(key)
            return known[key]

        if number_of((), None) == _FOUND:
            self._rows, self._ends = [[_FOUND] * len(words)], [True]
        while waiting:
            states, before = waiting.pop(0)
            row = [_FOUND] * len(words)
            for word in dict.fromkeys(words):
                through = program.reached(states, _passes(before, word))
                if program.end in through:
                    continue
                targets: dict[int, list[int]] = {}
                for state in through & eaten.keys():
                    program.spend(1 + len(eaten[state]) // 4)
                    for column in eaten[state]:
                        targets.setdefault(column, []).append(program.states[state][1][0])
                nowhere = number_of((), word)
                for column, other in enumerate(words):
                    if other is word:
                        row[column] = nowhere
                for column, following in targets.items():
                    if words[column] is word:
                        row[column] = number_of(following, word)
            program.spend(1 + len(words) // 4)
            self._rows.append(row)
            at_end = program.reached(states, _passes(before, None))
            self._ends.append(program.end in at_end)

    def _bury(self) -> None:
        """Mark the states that no match follows, so that a search ends there."""
        before: dict[int, set[int]] = {}
        alive = [_FOUND, *(state for state, ends in enumerate(self._ends) if ends)]
        for state, row in enumerate(self._rows):
            for following in set(row):
                before.setdefault(following, set()).add(state)
        living: set[int] = set()
        while alive:
            state = alive.pop()
            if state not in living:
                living.add(state)
                alive += before.get(state, ())
        self._rows = [[to if to in living else _DEAD for to in row] for row in self._rows]


def _is_in(code: int, ranges: Ranges) -> bool:
    return any(low <= code <= high for low, high in ranges)


def _passes(before: bool | None, after: bool | None) -> Callable[[str], bool]:
    """
    Return what tells whether an edge is passed.

    Args:
        before: Whether the character before it is a word's; None at the start of the name.
        after: Whether the one after it is; None at the end.
    """

    def passes(edge: str) -> bool:
        if edge == "^":
            return before is None
        if edge == "$":
            return after is None
        return (bool(before) is bool(after)) is (edge == "\\B")

    return passes
