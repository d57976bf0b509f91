"""The census of records: what they hold at each path, counted; no value of theirs is kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nestdecode.document.looking import lookalikes_of, size
from nestdecode.paths import ROOT, Address, Wild, format_path
from nestdecode.plan.run import Trace
from nestdecode.tally import Spot, Tallies, Tally, earlier
from nestdecode.text.reader import Reader

__all__ = ["Census"]


class Census:
    """
    The layers of many records, counted at each path; array indices are ``[]`` in the paths.

    The order in which batches are added makes no difference. Where more than 1,000 members
    of an object have layers one place stands for all members, ``*`` in the path.

    Attributes:
        records: Records that were counted.
        tallies: What was counted, by path.
    """

    def __init__(self) -> None:
        self.records: int = 0
        self.tallies: Tallies = Tallies()

    def count(self, trace: Trace, reader: Reader, line: int) -> None:
        """
        Count one record.

        Args:
            trace: What it holds.
            reader: What has read it.
            line: Where it begins.
        """
        self.records += 1
        spot, known = Spot(0, "", line), {ROOT: self.tallies.root}

        def met(address: Address) -> Tally:
            return self.tallies.at(address, known).meet(self.records, spot)

        for opening in trace.openings:
            found = met(opening.address)
            chain = tuple(codec for codecs, _ in opening.layers for codec in codecs)
            found.opened[chain] = found.opened.get(chain, 0) + 1
            found.layers += len(opening.layers)
            found.size += sum(size(text) for _, text in opening.layers)
        for address, problem in trace.problems.items():
            found = met(address)
            found.problems += 1
            found.problem = earlier(found.problem, (spot, problem.codec, problem.reason))
        for look in lookalikes_of(trace, reader):
            found = met(look.address)
            found.lookalikes += 1
            found.lookalike = earlier(found.lookalike, (spot, look.reason))
        self.tallies.settle()

    def add(self, part: Census, source: str, lines: int, rank: int = 0) -> None:
        """
        Add the census of a batch. The batch must not be used afterwards.

        Args:
            part: The census of the batch.
            source: The name of its file or stream.
            lines: Lines of that source before the batch.
            rank: The number of that source.
        """

        def moved(spot: Spot) -> Spot:
            return Spot(rank, source, spot.line + lines)

        for _, place in part.tallies.places():
            if place.first is not None:
                place.first = moved(place.first)
            if place.problem is not None:
                place.problem = (moved(place.problem[0]), *place.problem[1:])
            if place.lookalike is not None:
                place.lookalike = (moved(place.lookalike[0]), place.lookalike[1])
        self.records += part.records
        self.tallies.take(part.tallies)

    def rows(self) -> Iterator[tuple[str, int | None, Tally]]:
        """
        Yield what has layers or looks as if it had, in the order of paths.

        Yields:
            The path; the number of records that have it, None below ``*``, where a record
            can have several; and the place.
        """
        for steps, place in self.tallies.places():
            if place.first is not None:
                records = None if Wild.MEMBERS in steps else place.records
                yield format_path(steps), records, place

    def __getstate__(self) -> Any:
        # Flat: pickle would recurse once per step of a path.
        return self.records, self.tallies.state()

    def __setstate__(self, state: Any) -> None:
        self.records, places = state
        self.tallies = Tallies()
        self.tallies.set_state(places)
