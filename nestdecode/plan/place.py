"""Places of documents, and what was seen there: what habits are made of."""

from __future__ import annotations

from time import perf_counter
from typing import Any

from stringzilla import count_byteset

from nestdecode.text.reader import READERS, REFUSED
from nestdecode.text.scan import BRACKETS

__all__ = ["SHALLOW", "SeenPlace"]

# Containers that are inside one another on any stack; n of them take 2n characters.
SHALLOW = 200
# Longer texts are not read several times to see who is faster.
_TIMED = 1 << 16
# Elements and members that are looked at of one container.
_FEW = 16


class SeenPlace:
    """
    A place at or below which strings are decided, and what was seen there.

    Attributes:
        members: By name.
        rest: All members, in the place of ``members``, or None.
        items: All elements, or None.
        declared: Whether a spec says so, and strings that do not open are problems.
        opened: Whether strings are opened here.
        shut: Whether any string may stay shut here.
        plain: Strings that may stay shut here.
        kinds: The Python types that a string may open to.
        objects, arrays, nulls, others: How many of them were seen here, layers opened.
        there: In how many of the objects around it there was something here.
        longest: Characters in the longest text here.
        gain: Seconds that msgspec saved on the texts here, compared to orjson.
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
        """Note what is in a value here, its layers shut; they are opened."""
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
        """Whether all that was seen here are objects, and members of them matter."""
        return bool(self.objects and (self.members or self.rest)) and not self._is_mixed(
            self.arrays
        )

    @property
    def is_array(self) -> bool:
        """Whether all that was seen here are arrays, and elements of them matter."""
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
        """How many layers are inside one another, from here on."""
        children = [*self.members.values(), self.rest, self.items]
        return self.opened + max((c.layers for c in children if c is not None), default=0)

    def _timed(self, text: str | bytes) -> Any:
        """Read a text, if it can be read, and note who is the faster."""
        best = []
        value: Any = text
        self.longest = max(self.longest, len(text))
        if len(text) > _TIMED:
            # It would cost more than it can save, and be there twice.
            try:
                return READERS["orjson"](text)
            except REFUSED:
                return text
        for name, loads in READERS.items():
            if name == "msgspec" and len(text) > SHALLOW:
                raw = text if isinstance(text, bytes) else text.encode()
                if count_byteset(raw, BRACKETS) > SHALLOW:
                    # It would take much of the stack.
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
        """Note what is in a record."""
        self.watch(self._timed(raw))
