"""The census of a stream: its tree of places, with counts of what was found at each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.document.looking import lookalikes_of, size
from nestdecode.paths import Address, Step, Wild, format_path
from nestdecode.plan.run import Trace
from nestdecode.text.reader import Reader

__all__ = ["Census", "Row", "Spot"]

# How many paths are told apart, and how many characters their names may take together.
MOST_PATHS, MOST_NAMES = 1000, 1 << 22


class Spot(NamedTuple):
    """
    Where a record begins.

    Attributes:
        source: The file or stream it is in; empty in a part, which is of one.
        line: From 1.
    """

    source: str
    line: int


class Row:
    """
    What was found at one path, or at several.

    Attributes:
        codecs: The chains that opened layers there, in the order in which they were met.
        records: How many records have something there: a layer, open or shut, or what looks
            like one.
        layers: How many layers were opened. A string that is encoded twice is two.
        size: Of their texts, in bytes of UTF-8.
        problems: How many layers stayed shut.
        lookalikes: How many strings look like layers, and were not opened.
        first: The first of those records; None if there is none.
        problem: Codec, reason and record of the first that stayed shut, or None.
        lookalike: Reason and record of the first that looks like a layer, or None.
    """

    __slots__ = (
        "_record",
        "codecs",
        "first",
        "layers",
        "lookalike",
        "lookalikes",
        "problem",
        "problems",
        "records",
        "size",
    )

    def __init__(self, first: Spot | None) -> None:
        self.codecs: dict[tuple[str, ...], None] = {}
        self.records: int = 0
        self.layers: int = 0
        self.size: int = 0
        self.problems: int = 0
        self.lookalikes: int = 0
        self.first = first
        self.problem: tuple[str | None, str, Spot] | None = None
        self.lookalike: tuple[str, Spot] | None = None
        self._record = 0

    def meet(self, record: int) -> Row:
        """Count a record, by its number, unless it was counted before."""
        if self._record != record:
            self._record = record
            self.records += 1
        return self

    def add(self, other: Row) -> None:
        """Add what was found in records that follow."""
        self.codecs |= other.codecs
        self.records += other.records
        self.layers += other.layers
        self.size += other.size
        self.problems += other.problems
        self.lookalikes += other.lookalikes
        self.problem = self.problem or other.problem
        self.lookalike = self.lookalike or other.lookalike

    def move(self, source: str, lines: int) -> None:
        """Say where the records are, that were counted as if their source began there."""

        def moved(spot: Spot) -> Spot:
            return Spot(source, spot.line + lines)

        if self.first is not None:
            self.first = moved(self.first)
        if self.problem is not None:
            codec, reason, spot = self.problem
            self.problem = codec, reason, moved(spot)
        if self.lookalike is not None:
            reason, spot = self.lookalike
            self.lookalike = reason, moved(spot)


class Census:
    """
    What is found at each path of many records. Array indices are ``[]`` in it.

    Args:
        is_part: Whether this counts records of one batch, to be added to another: then
            every path is told apart. Else the first of them are, and the rest is one row.

    Attributes:
        records: How many records were counted.
        others: What was found at paths that are not told apart, or None. How many records
            that were is not known.
    """

    def __init__(self, *, is_part: bool = False) -> None:
        self.records: int = 0
        self.others: Row | None = None
        self._is_part = is_part
        self._left = MOST_NAMES
        # Each place as the number of the one around it and a step, and its number; and
        # how long its path is. Flat, since pickle recurses.
        self._numbers: dict[tuple[int, Step], int] = {}
        self._lengths = [0]
        self._rows: dict[int, Row] = {}

    def count(self, trace: Trace, reader: Reader, line: int) -> None:
        """Count a record that was expanded with a note of everything, and begins at a line."""
        self.records += 1
        spot = Spot("", line)
        known: dict[Address, int] = {}

        def row(address: Address) -> Row:
            number = self._place(address, known)
            found = self._rows.get(number)
            if found is None:
                found = self._rows[number] = Row(spot)
            return found.meet(self.records)

        for opening in trace.openings:
            found = row(opening.address)
            codecs = tuple(codec for chain, _ in opening.layers for codec in chain)
            found.codecs[codecs] = None
            found.layers += len(opening.layers)
            found.size += sum(size(text) for _, text in opening.layers)
        for address, problem in trace.problems.items():
            found = row(address)
            found.problems += 1
            found.problem = found.problem or (problem.codec, problem.reason, spot)
        for look in lookalikes_of(trace, reader):
            found = row(look.address)
            found.lookalikes += 1
            found.lookalike = found.lookalike or (look.reason, spot)

    def _place(self, address: Address, known: dict[Address, int]) -> int:
        """Return the number of the place that an address is at; new ones are numbered."""
        below = []
        while address.around is not None and address not in known:
            below.append(address)
            address = address.around
        number = 0 if address.around is None else known[address]
        for address in reversed(below):
            step = Wild.ELEMENTS if type(address.step) is int else address.step
            known[address] = number = self._step(number, step)
        return number

    def _step(self, number: int, step: Step) -> int:
        key = number, step
        found = self._numbers.get(key)
        if found is None:
            found = self._numbers[key] = len(self._lengths)
            self._lengths.append(self._lengths[number] + 2 + len(str(step)))
        return found

    def add(self, part: Census, source: str, lines: int) -> None:
        """
        Add a part: what was counted in the records that follow.

        Args:
            part: It is of no use afterwards.
            source: The name of what its records are in.
            lines: How many lines of that were before those that the part has counted.
        """
        self.records += part.records
        places = list(part._numbers)
        # Numbers of places here by those of the part.
        known = {0: 0}
        for number, row in part._rows.items():
            row.move(source, lines)
            here = self._known(number, places, known)
            mine = None if here is None else self._rows.get(here)
            if mine is not None:
                mine.add(row)
            elif self._has_room(part._lengths[number]):
                self._rows[self._made(number, places, known)] = row
            elif self.others is None:
                self.others = row
            else:
                self.others.add(row)

    def _has_room(self, length: int) -> bool:
        if self._is_part:
            return True
        if len(self._rows) >= MOST_PATHS or length > self._left:
            return False
        self._left -= length
        return True

    def _known(
        self, number: int, places: list[tuple[int, Step]], known: dict[int, int]
    ) -> int | None:
        """Return the number here of a place of a part, or None if it is not known here."""
        below = []
        while number not in known:
            below.append(number)
            number = places[number - 1][0]
        here = known[number]
        for number in reversed(below):
            found = self._numbers.get((here, places[number - 1][1]))
            if found is None:
                return None
            known[number] = here = found
        return here

    def _made(self, number: int, places: list[tuple[int, Step]], known: dict[int, int]) -> int:
        below = []
        while number not in known:
            below.append(number)
            number = places[number - 1][0]
        here = known[number]
        for number in reversed(below):
            known[number] = here = self._step(here, places[number - 1][1])
        return here

    def rows(self) -> Iterator[tuple[str, Row]]:
        """List paths and what was found there, as a walk through the documents meets them."""
        places = [(0, None), *self._numbers]
        below: dict[int, list[int]] = {}
        for number, (around, _) in enumerate(places[1:], 1):
            below.setdefault(around, []).append(number)
        waiting: list[tuple[int, Any]] = [(0, None)]
        steps: list[Step] = []
        while waiting:
            number, depth = waiting.pop()
            if number:
                step: Any = places[number][1]
                steps[depth:] = [step]
            if number in self._rows:
                yield format_path(steps), self._rows[number]
            inside = 0 if depth is None else depth + 1
            waiting += [(child, inside) for child in reversed(below.get(number, ()))]
