"""
Patterns of member names: ECMA-262 regular expressions, without what is not regular.

Python's own engine backtracks: a short pattern and a short name can keep it busy for years.
JSON Schema asks authors for a subset that needs no backtracking (2020-12 core, section
6.4), so each pattern is compiled to a deterministic automaton when the spec is read. A
search then costs one look-up per character of the name, whatever the pattern.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable

from nestdecode.spec.regular import (
    LAST,
    MAX_SIZE,
    WORD,
    Char,
    Choice,
    Edge,
    Node,
    PatternError,
    Ranges,
    Repeat,
    Sequence,
    syntax_of,
)

__all__ = ["Pattern"]

MAX_LENGTH = 1024
MAX_STATES = 2000


def _size(node: Node) -> int:
    """
    Return the number of states that a node takes.

    Raises:
        PatternError: If there are more than MAX_SIZE.
    """
    if isinstance(node, (Char, Edge)):
        return 1
    if isinstance(node, Repeat):
        copies = node.least + 1 if node.most is None else node.most
        size = copies * (_size(node.part) + 1)
    else:
        size = 1 + sum(map(_size, node.parts))
    if size > MAX_SIZE:
        raise PatternError(f"takes more than {MAX_SIZE} states: repeat less")
    return size


class _Program:
    """
    A nondeterministic automaton: each state consumes a character, passes an edge or forks.

    Attributes:
        states: By number: (ranges, next state), (edge, next state) or (None, next states).
        end: The number of the state that means a match.
    """

    def __init__(self, node: Node, spend: Callable[[int], None]) -> None:
        self.spend = spend
        self.states: list[tuple[Ranges | str | None, tuple[int, ...]]] = [(None, ())]
        self.end = 0
        self.start = self.add(node, self.end)

    def state(self, what: Ranges | str | None, *following: int) -> int:
        self.states.append((what, following))
        return len(self.states) - 1

    def add(self, node: Node, following: int) -> int:
        """Add states that match *node* and lead to *following*; return the first of them."""
        if isinstance(node, Char):
            return self.state(node.ranges, following)
        if isinstance(node, Edge):
            return self.state(node.kind, following)
        if isinstance(node, Sequence):
            for part in reversed(node.parts):
                following = self.add(part, following)
            return following
        if isinstance(node, Choice):
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
        """Return the states reached from *states* by forks, and by edges that *passes* accepts."""
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
    A compiled pattern. It is searched for in names: it need not match the whole name.

    >>> Pattern("^(user|id)_").search("user_1"), Pattern("^(user|id)_").search("a_user_1")
    (True, False)

    Attributes:
        text: The pattern as the spec writes it.
    """

    __slots__ = ("_ascii", "_ends", "_rows", "_starts", "text")

    def __init__(self, text: str, spend: Callable[[int], None] = lambda _: None) -> None:
        """
        Compile a pattern.

        Args:
            text: The pattern, in the syntax of ECMA-262.
            spend: Called before each piece of work, with its size.

        Raises:
            PatternError: If the pattern is wrong, not regular, or too large.
        """
        if len(text) > MAX_LENGTH:
            raise PatternError(f"longer than {MAX_LENGTH} characters")
        node = syntax_of(text)
        _size(node)
        program = _Program(node, spend)
        self.text: str = text
        used: set[Ranges] = {what for what, _ in program.states if isinstance(what, tuple)}
        # Characters that every state treats alike share a column. \b distinguishes the
        # characters of words.
        pairs = [pair for ranges in (*used, WORD) for pair in ranges]
        bounds = {0, *(low for low, _ in pairs), *(high + 1 for _, high in pairs)}
        self._starts = sorted(bounds - {LAST + 1})
        self._ascii = {chr(code): self._column(code) for code in range(128)}
        self._rows: list[list[int]] = []
        self._ends: list[bool] = []
        self._determine(program)
        self._bury()

    def search(self, name: str) -> bool:
        """Return whether the pattern matches anywhere in *name*."""
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
        """Build the rows: one for each set of the program's states that a name can lead to."""
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
        words = [bool(edges - {"^", "$"}) and _is_in(low, WORD) for low in self._starts]
        # A row is known by its set of states, and by whether a word character came before;
        # None at the start of the name.
        known: dict[tuple[frozenset[int], bool | None], int] = {}
        waiting: list[tuple[frozenset[int], bool | None]] = []

        def number_of(states: Iterable[int], before: bool | None) -> int:
            # The start state is always added: a match can begin at any character.
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
        """Mark the rows from which no match can be reached, so that a search ends there."""
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
    Return the function that says whether an edge holds between two characters.

    Args:
        before: Whether the character before is a word character; None at the start.
        after: Whether the character after is a word character; None at the end.
    """

    def passes(edge: str) -> bool:
        if edge == "^":
            return before is None
        if edge == "$":
            return after is None
        return (bool(before) is bool(after)) is (edge == "\\B")

    return passes
