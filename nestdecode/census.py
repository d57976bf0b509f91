"""The census of a stream: one row per path, with counts of layers, problems and lookalikes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.document.looking import lookalikes_of, size
from nestdecode.paths import Address, Step, Wild, format_path
from nestdecode.plan.run import Trace
from nestdecode.text.reader import Reader

__all__ = ["Census", "Row", "Spot"]

# Paths that have a row of their own, and characters that their names may take together: a
# stream whose keys are data would fill memory.
MOST_PATHS, MOST_NAMES = 1000, 1 << 22


class Spot(NamedTuple):
    """
    The place where a record begins.

    Attributes:
        source: The name of the file or stream; empty while a batch is counted.
        line: The line, from 1.
    """

    source: str
    line: int


class Row:
    """
    The counts for one path, or for all paths without a row of their own.

    Attributes:
        codecs: The chains that opened layers, in the order of their first use.
        records: Records that have an open layer, a shut layer or a lookalike here.
        layers: Layers that were opened. A string that is encoded twice holds two.
        size: Bytes of their texts, in UTF-8.
        problems: Layers that stayed shut.
        lookalikes: Strings that look like layers and were not opened.
        first: The first of those records, or None.
        problem: Codec, reason and record of the first layer that stayed shut, or None.
        lookalike: Reason and record of the first lookalike, or None.
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
        """Count a record once, by its number; return this row."""
        if self._record != record:
            self._record = record
            self.records += 1
        return self

    def add(self, other: Row) -> None:
        """Add the counts of records that follow those of this row."""
        self.codecs |= other.codecs
        self.records += other.records
        self.layers += other.layers
        self.size += other.size
        self.problems += other.problems
        self.lookalikes += other.lookalikes
        self.problem = self.problem or other.problem
        self.lookalike = self.lookalike or other.lookalike

    def move(self, source: str, lines: int) -> None:
        """Set the source, and shift lines that were counted from the start of a batch."""

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
    The rows of many records, by path; array indices are ``[]`` in the paths.

    Args:
        is_part: Whether this counts one batch, to be added to another census. Then every
            path has a row; otherwise the first MOST_PATHS have, and the rest share one.

    Attributes:
        records: Records that were counted.
        others: The row of all paths without one of their own, or None. Its ``records`` is
            not the number of records, since one can be counted for several paths.
    """

    def __init__(self, *, is_part: bool = False) -> None:
        self.records: int = 0
        self.others: Row | None = None
        self._is_part = is_part
        self._left = MOST_NAMES
        # From (number of the place around, step) to the number of a place, and the length of
        # each path by number. Flat dicts, since workers send them by pickle, which recurses.
        self._numbers: dict[tuple[int, Step], int] = {}
        self._lengths = [0]
        self._rows: dict[int, Row] = {}

    def count(self, trace: Trace, reader: Reader, line: int) -> None:
        """Count one record by its trace; *line* is where it begins."""
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
        """Return the number of an address's place; a new place gets the next number."""
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
        Add the census of a batch that follows. The batch must not be used afterwards.

        Args:
            part: The census of the batch.
            source: The name of its file or stream.
            lines: Lines of that source before the batch.
        """
        self.records += part.records
        places = list(part._numbers)
        # From numbers of places in the part to numbers in this census.
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
        """Return the number in this census of a place of a part, or None if it has none."""
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
        """Yield each path and its row, parents before children, in the order of first use."""
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
