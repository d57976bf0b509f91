"""The census of records: what they hold at each path, counted; no value of theirs is kept."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from nestdecode.document.looking import LOOKS_LIKE, Lookalike, lookalikes_of, size
from nestdecode.engine import Engine
from nestdecode.errors import SpecError
from nestdecode.paths import ROOT, Address, Step, Wild, format_path
from nestdecode.plan.run import Trace
from nestdecode.tally import KINDS, STRING, Spot, Tallies, Tally, earlier
from nestdecode.text.reader import RANGES, WHITESPACE, Reader
from nestdecode.text.write import dump

__all__ = ["Census"]


class Census:
    """
    What many records hold at each path, counted; array indices are ``[]`` in the paths.

    Two can be joined by ``|``, in any order, with the same result. Of an object with more
    than 1,000 different names one place stands for all members, ``*`` in the path.

    Args:
        encodings: Whether strings that look encoded are tried: those that would open are
            counted for the chain that would open them.
        accepted: Paths whose strings are opened if they are encoded, though no spec says so.

    Attributes:
        records: Records that were counted.
        tallies: What was counted, by path.
    """

    def __init__(
        self, *, encodings: bool = False, accepted: Collection[tuple[Step, ...]] = ()
    ) -> None:
        self.records: int = 0
        self.tallies: Tallies = Tallies()
        self._encodings = encodings or bool(accepted)
        self._accepted = frozenset(accepted)
        # What opens strings by a chain, for each; None if specs do not know it.
        self._openers: dict[str, Engine | None] = {}

    def count(self, trace: Trace, reader: Reader, line: int) -> None:
        """
        Count one record.

        Args:
            trace: What it holds.
            reader: What has read it.
            line: Where it begins.
        """
        self.records += 1
        self._count(self.tallies.root, trace, reader, Spot(0, "", line))
        self.tallies.settle()

    def _count(self, root: Tally, trace: Trace, reader: Reader, spot: Spot) -> None:
        known = {ROOT: root}

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
        self._count_types(root, trace.tree)
        for look in lookalikes_of(trace, reader):
            found = self.tallies.at(look.address, known)
            if self._encodings and self._opens(found, look, trace, reader, spot):
                continue
            found.meet(self.records, spot)
            found.lookalikes += 1
            found.truncated += "unexpected end" in look.reason
            found.lookalike = earlier(found.lookalike, (spot, look.reason))

    def _opens(
        self, place: Tally, look: Lookalike, trace: Trace, reader: Reader, spot: Spot
    ) -> bool:
        """Try what looks encoded; return whether it is counted as a layer."""
        if not look.reason.startswith(LOOKS_LIKE):
            return False
        opener = self._opener(look.reason.removeprefix(LOOKS_LIKE), reader)
        if opener is None:
            return False
        inner = opener.trace(dump(look.address.value_in(trace.tree)))
        if not inner.openings or inner.openings[0].address is not ROOT:
            return False
        chain = inner.openings[0].layers[0][0]
        place.encoded[chain] = place.encoded.get(chain, 0) + 1
        steps = (Wild.ELEMENTS if type(step) is int else step for step in look.address.steps())
        if tuple(steps) not in self._accepted:
            return False
        place.types[STRING] -= 1
        self._count(place, inner, reader, spot)
        return True

    def _opener(self, chain: str, reader: Reader) -> Engine | None:
        """Return what opens a record that is a string by a chain, and all layers in it."""
        if chain not in self._openers:
            from nestdecode.spec import Spec  # late: only what looks encoded needs it

            limits: dict[str, Any] = dict(zip(RANGES, reader.limits, strict=True))
            document = {"nestdecode": 1, "layers": {"@": chain}, "undeclared": "open"}
            try:
                self._openers[chain] = Engine(spec=Spec.parse(document), **limits)
            except SpecError:
                self._openers[chain] = None
        return self._openers[chain]

    def _count_types(self, place: Tally, tree: Any) -> None:
        kinds = KINDS
        place.types[kinds[tree.__class__]] += 1
        waiting: list[tuple[Tally, Any]] = [(place, tree)] if kinds[tree.__class__] < STRING else []
        while waiting:
            place, value = waiting.pop()
            is_object = value.__class__ is dict
            members = place.members
            below = place if is_object else self.tallies.items(place)
            pairs: Any = value.items() if is_object else enumerate(value)
            for key, child in pairs:
                if is_object:
                    below = members.get(key) or self.tallies.member(place, key)
                kind = kinds[child.__class__]
                below.types[kind] += 1
                if kind == STRING:
                    if not child or (child[0] in WHITESPACE and not child.strip(WHITESPACE)):
                        below.blank += 1
                elif kind < STRING and child:
                    waiting.append((below, child))

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
        self._take(part)

    def _take(self, other: Census) -> None:
        self.records += other.records
        self.tallies.take(other.tallies)

    def __or__(self, other: Census) -> Census:
        joined = Census()
        for one in (self, other):
            joined._take(Census.of(one.state()))
        return joined

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Census):
            return NotImplemented
        return self.state() == other.state()

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

    def state(self) -> dict[str, Any]:
        """
        Return all that is counted as a value that JSON can hold; ``Census.of`` takes it back.

        Equal for equal counts. Names of members are in it, and no value of a document.
        """
        return {"census": 1, "records": self.records, "places": self.tallies.state()}

    @classmethod
    def of(cls, state: Any) -> Census:
        """
        Return the census that ``state`` has written.

        Raises:
            ValueError: If *state* is none.
        """
        made = cls()
        try:
            if state["census"] != 1:
                raise KeyError
            made.records = int(state["records"])
            made.tallies.set_state(state["places"])
        except (KeyError, TypeError, IndexError, ValueError):
            raise ValueError("not a census") from None
        return made

    def __reduce__(self) -> Any:
        # Flat: pickle would recurse once per step of a path.
        return Census.of, (self.state(),)
