"""What is counted at the paths of many records, as a tree that can be joined with others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from nestdecode.paths import Address, Step, Wild

__all__ = ["Spot", "Tallies", "Tally", "earlier"]

_Chain = tuple[str, ...]


class Spot(NamedTuple):
    """
    The place where a record begins. Of two, that of the earlier record is smaller.

    Attributes:
        rank: The number of its file or stream, from 0.
        source: The name of that; empty while a batch is counted.
        line: The line, from 1.
    """

    rank: int
    source: str
    line: int


class Tally:
    """
    What records hold at one path, with their layers open.

    Attributes:
        opened: How many strings were opened, by the chain of codecs. A string that is
            encoded twice has both in its chain.
        layers: Layers that were opened: of a string that is encoded twice, two.
        size: Bytes of their texts, in UTF-8.
        problems: Layers that stayed shut.
        lookalikes: Strings that look like layers and were not opened.
        records: Records that have an open layer, a shut layer or a lookalike here. Below a
            place of all members a record is counted once for each of its members.
        first: The first of those records, or None.
        problem: Record, codec and reason of the first layer that stayed shut, or None.
        lookalike: Record and reason of the first lookalike, or None.
        members: The places of members, by name.
        rest: The place of all members, instead of ``members``; or None.
        items: The place of all elements, or None.
    """

    __slots__ = (
        "_record",
        "first",
        "items",
        "layers",
        "lookalike",
        "lookalikes",
        "members",
        "opened",
        "problem",
        "problems",
        "records",
        "rest",
        "size",
    )

    def __init__(self) -> None:
        self.opened: dict[_Chain, int] = {}
        self.layers: int = 0
        self.size: int = 0
        self.problems: int = 0
        self.lookalikes: int = 0
        self.records: int = 0
        self.first: Spot | None = None
        self.problem: tuple[Spot, str | None, str] | None = None
        self.lookalike: tuple[Spot, str] | None = None
        self.members: dict[str, Tally] = {}
        self.rest: Tally | None = None
        self.items: Tally | None = None
        self._record = 0

    def meet(self, record: int, spot: Spot) -> Tally:
        """Count a record once, by its number; return this place."""
        if self._record != record:
            self._record = record
            self.records += 1
            self.first = self.first or spot
        return self

    def add(self, other: Tally) -> None:
        """Add the counts of other records at the same path; not those of the places below."""
        for chain, number in other.opened.items():
            self.opened[chain] = self.opened.get(chain, 0) + number
        for name in NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in FIRSTS:
            setattr(self, name, earlier(getattr(self, name), getattr(other, name)))

    def children(self) -> Iterator[tuple[Step, Tally]]:
        """Yield the places one step below, each with its step, in the order of names."""
        yield from sorted(self.members.items())
        if self.rest is not None:
            yield Wild.MEMBERS, self.rest
        if self.items is not None:
            yield Wild.ELEMENTS, self.items

    def fold(self) -> list[tuple[Tally, Tally]]:
        """Have one place stand for all members; return it with each, which is to be added."""
        rest = self.rest = self.rest or Tally()
        members, self.members = list(self.members.values()), {}
        return [(rest, member) for member in members]


NUMBERS = ("records", "layers", "size", "problems", "lookalikes")
FIRSTS = ("first", "problem", "lookalike")
COUNTS = ("opened", *NUMBERS, *FIRSTS)


def earlier(one: Any, other: Any) -> Any:
    """Return what has the earlier spot."""
    if one is None or other is None:
        return other if one is None else one
    # None does not compare with a codec.
    return min(one, other, key=lambda found: ["" if part is None else part for part in found])


# Names that one place has members by, before one place stands for all of them; places of one
# tree, and characters of their names, before that is so for all that are new.
MOST_MEMBERS, MOST_PLACES, MOST_NAMES = 1000, 100_000, 1 << 22


class Tallies:
    """
    The places of one census as a tree, which does not grow without bound.

    Attributes:
        root: The place of the records themselves.
    """

    def __init__(self) -> None:
        self.root: Tally = Tally()
        self._places_left, self._names_left = MOST_PLACES, MOST_NAMES
        # What is deeper than a place that could not be made is counted there.
        self._beyond = Tally()
        # Places that got more members than they may have: for the first of them each has
        # places of their own, and one for the others, until ``settle``.
        self._crowded: list[Tally] = []

    def at(self, address: Address, known: dict[Address, Tally]) -> Tally:
        """Return the place of an address; *known* has that of the root, and gets others."""
        below = []
        while address not in known:
            below.append(address)
            assert address.around is not None
            address = address.around
        place = known[address]
        for address in reversed(below):
            step = address.step
            place = self.items(place) if type(step) is int else self.member(place, str(step))
            known[address] = place
        return place

    def member(self, place: Tally, name: str) -> Tally:
        """Return the place of a member."""
        found = place.members.get(name)
        if found is None and place.rest is None and place is not self._beyond:
            if len(place.members) < MOST_MEMBERS and self._has_room(len(name)):
                found = place.members[name] = Tally()
            elif place.members or self._has_room(0, spare=MOST_PLACES):
                place.rest = Tally()
                self._crowded.append(place)
        return found or place.rest or self._beyond

    def items(self, place: Tally) -> Tally:
        """Return the place of all elements."""
        if place.items is None:
            if place is self._beyond or not self._has_room(0, spare=MOST_PLACES):
                return self._beyond
            place.items = Tally()
        return place.items

    def _has_room(self, name: int, spare: int = 0) -> bool:
        """Return whether another place may be made, and count it; *name* is how long its is."""
        if self._places_left + spare <= 0 or name > self._names_left:
            return False
        self._places_left -= 1
        self._names_left -= name
        return True

    def settle(self) -> None:
        """Fold the places that a record has crowded; no place is kept by the caller."""
        while self._crowded:
            self._merge(self._crowded.pop().fold())

    def take(self, other: Tallies) -> None:
        """Add another tree, which must not be used afterwards."""
        self._places_left -= MOST_PLACES - other._places_left
        self._names_left -= MOST_NAMES - other._names_left
        self._merge([(self.root, other.root)])

    def _merge(self, waiting: list[tuple[Tally, Tally]]) -> None:
        """Add the second place of each pair, with all below it, to the first."""
        while waiting:
            # Last in, first out: all below one pair is done before the next pair of its place.
            place, other = waiting.pop()
            place.add(other)
            self._places_left += 1
            if other.items is not None:
                if place.items is None:
                    place.items = other.items
                else:
                    waiting.append((place.items, other.items))
            names = place.members.keys() | other.members.keys()
            is_full = self._places_left < 0 and len(names) > len(place.members)
            if place.rest is None and (
                other.rest is not None or is_full or len(names) > MOST_MEMBERS
            ):
                waiting += place.fold()
            if place.rest is not None:
                waiting += [(place.rest, member) for member in other.members.values()]
                if other.rest is not None:
                    waiting.append((place.rest, other.rest))
            else:
                for name, member in other.members.items():
                    mine = place.members.setdefault(name, member)
                    if mine is not member:
                        waiting.append((mine, member))
            # What was below it is elsewhere now: if it was crowded, there is nothing to fold.
            other.members, other.rest, other.items = {}, None, None

    def places(self) -> Iterator[tuple[list[Step], Tally]]:
        """Yield each place with its steps, parents before children, in the order of names."""
        waiting: list[tuple[int, Step | None, Tally]] = [(0, None, self.root)]
        steps: list[Step] = []
        while waiting:
            depth, step, place = waiting.pop()
            if step is not None:
                steps[depth - 1 :] = [step]
            yield steps[:depth], place
            below = [(depth + 1, step, child) for step, child in place.children()]
            waiting += below[::-1]

    def state(self) -> list[Any]:
        """
        Return each place with the index of the one around it, its step, and its counts.

        Flat however deep the tree is, and equal for equal counts.
        """
        listed: list[Any] = []
        waiting: list[tuple[int, Step | None, Tally, bool]] = [(0, None, self.root, False)]
        while waiting:
            around, step, place, is_several = waiting.pop()
            waiting += [
                (len(listed), step, child, is_several or step is Wild.MEMBERS)
                for step, child in reversed(list(place.children()))
            ]
            counts = {name: getattr(place, name) for name in COUNTS}
            if is_several:
                del counts["records"]  # one that has several such members is counted for each
            listed.append((around, step, counts))
        return listed

    def set_state(self, state: list[Any]) -> None:
        """Take what ``state`` has returned."""
        places: list[Tally] = []
        for around, step, counts in state:
            place = self._below(places[around], step) if places else self.root
            places.append(place)
            for name, found in counts.items():
                setattr(place, name, found)

    def _below(self, place: Tally, step: Step) -> Tally:
        if step is Wild.ELEMENTS:
            return self.items(place)
        if step is not Wild.MEMBERS:
            return self.member(place, str(step))
        place.rest = place.rest or Tally()
        return place.rest
