"""Places of documents where strings are decided, and what was seen there."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from stringzilla import count_byteset

from nestdecode.text.reader import READERS, REFUSED
from nestdecode.text.scan import BRACKETS

__all__ = ["SHALLOW", "SeenPlace"]

# Containers inside one another for which any stack is enough; n of them take 2n characters.
SHALLOW = 200
# Characters of the longest text that is read several times, to find the faster reader.
_TIMED = 1 << 16
# Elements, or members of a wildcard, that are looked at in one container.
_FEW = 16


class SeenPlace:
    """
    A position in documents at or below which strings are decided, and what was seen there.

    Attributes:
        members: The places of members, by name.
        rest: The place of all members, instead of ``members``; or None.
        items: The place of all elements, or None.
        declared: Whether a spec declares layers here: a string that does not open is a
            problem then.
        opened: Whether strings are opened here.
        shut: Whether any string may stay shut here.
        plain: The only strings that may stay shut here.
        kinds: The Python types that a string may open to: ``dict``, ``list``.
        objects, arrays, nulls, others: Values seen here, counted with their layers open.
        there: Objects seen around this place that had the member.
        longest: Characters in the longest text here.
        gain: Seconds that msgspec took less than orjson for the texts here.
    """

    __slots__ = (
        "arrays",
        "declared",
        "gain",
        "items",
        "kinds",
        "longest",
        "members",
        "nulls",
        "objects",
        "opened",
        "others",
        "plain",
        "rest",
        "shut",
        "there",
    )

    def __init__(self) -> None:
        self.members: dict[str, SeenPlace] = {}
        self.rest: SeenPlace | None = None
        self.items: SeenPlace | None = None
        self.declared: bool = False
        self.opened: bool = False
        self.shut: bool = False
        self.kinds: list[str] = ["dict", "list"]
        self.plain: frozenset[str] = frozenset()
        self.objects: int = 0
        self.arrays: int = 0
        self.nulls: int = 0
        self.others: int = 0
        self.there: int = 0
        self.longest: int = 0
        self.gain: float = 0.0

    def watch(self, value: Any) -> None:
        """
        Note what a value at this place holds.

        Args:
            value: Its layers are shut. They are opened, but the value is not changed.
        """
        if self.opened and value.__class__ is str:
            value = self._timed(value)
        if value.__class__ is dict:
            self.objects += 1
            for name, member in list(self.members.items()):
                if name in value:
                    member.there += 1
                    member.watch(value[name])
            if self.rest is not None:
                for child in list(value.values())[:_FEW]:
                    self.rest.watch(child)
        elif value.__class__ is list:
            self.arrays += 1
            if self.items is not None:
                for child in value[:_FEW]:
                    self.items.watch(child)
        elif value is None:
            self.nulls += 1
        else:
            self.others += 1

    @property
    def is_object(self) -> bool:
        """Whether only objects were seen here, and strings are decided below."""
        return bool(self.objects and (self.members or self.rest)) and not self._is_mixed(
            self.arrays
        )

    @property
    def is_array(self) -> bool:
        """Whether only arrays were seen here, and strings are decided below."""
        return bool(self.arrays and self.items) and not self._is_mixed(self.objects)

    def _is_mixed(self, containers: int) -> bool:
        return bool(containers or self.others or self.shut)

    def forget(self) -> None:
        """Forget what was seen here and below."""
        self.objects = self.arrays = self.nulls = self.others = self.there = 0
        self.longest, self.gain = 0, 0.0
        for child in (*self.members.values(), self.rest, self.items):
            if child is not None:
                child.forget()

    @property
    def layers(self) -> int:
        """The number of layers that are opened inside one another, at this place and below."""
        children = [*self.members.values(), self.rest, self.items]
        return self.opened + max((c.layers for c in children if c is not None), default=0)

    def _timed(self, text: str | bytes) -> Any:
        """Return the value of a text, or the text if it is refused, and note the faster reader."""
        best = []
        value: Any = text
        self.longest = max(self.longest, len(text))
        if len(text) > _TIMED:
            # Timing would cost more than it saves, and hold two trees of a large text.
            try:
                return READERS["orjson"](text)
            except REFUSED:
                return text
        for name, loads in READERS.items():
            if name == "msgspec" and len(text) > SHALLOW:
                raw = text if isinstance(text, bytes) else text.encode()
                if count_byteset(raw, BRACKETS) > SHALLOW:
                    # msgspec would use much of the stack.
                    return value
            times = []
            for _ in range(3):
                begin = perf_counter()
                try:
                    value = loads(text)
                except REFUSED:
                    return text
                times.append(perf_counter() - begin)
            best.append(min(times))
        self.gain += best[0] - best[1]
        return value

    def watch_record(self, raw: bytes) -> None:
        """Note what a record holds."""
        self.watch(self._timed(raw))
