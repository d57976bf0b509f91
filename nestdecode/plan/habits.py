"""
Code that takes for granted what the documents so far had in common.

Documents of a stream look alike: the same members are there, and the same strings hold
layers. Code that relies on that needs no tests: a subscript proves a member, what is
asked of a layer's value proves its kind. Where a document is otherwise, something raises
one of MISSES, and the document is read again the tolerant way; nothing else is ever
decided here.

orjson reads what it reads faster than msgspec, as measured on a few texts of each place.
It turns integers that do not fit into 64 bits into floats, so no text may have one: such
an integer takes twenty characters, minus included (one of nineteen digits fits), all of
them digits, and is followed by a comma, a closing bracket or white space, which in a
layer may be an escape. Escapes that stand for a digit or a minus are refused (``scan.hides``),
so the record's bytes prove it for every layer. A string of twenty digits is followed by
a quote or its backslash; the latter costs a second reading, never an integer.

One ``translate`` serves all counts: openers are 255 there, everything else is 4 at most,
so that the sum of all bytes proves that there are few openers.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import perf_counter
from typing import Any

from stringzilla import bytesum, contains, count, count_byteset, translate

from nestdecode.plan.detect import CLOSERS, OPENERS, encoded
from nestdecode.plan.source import Source
from nestdecode.text.depth import is_deeper
from nestdecode.text.reader import READERS, REFUSED, Reader
from nestdecode.text.scan import (
    ACCOUNTED,
    BRACKETS,
    ESCAPE,
    account,
    closes,
    hides,
    hides_more,
    visible,
)

__all__ = ["Habits", "Place"]

# Digits and the minus, and what follows an integer.
INTEGERS = {b"0123456789-": 1, b",}] \t\r\n\\": 2, b"{[": 255}
# The same where quotes are counted: a raw tab or newline is in no string.
QUOTES = {b"0123456789-": 1, b",}]\t\r\n": 2, b'"': 3, b" \\": 4, b"{[": 255}


def table(classes: dict[bytes, int]) -> bytes:
    table = bytearray(256)
    for characters, number in classes.items():
        for character in characters:
            table[character] = number
    return bytes(table)


# What is looked for: in the classes, and, if it is text, in the record.
PATTERNS = {
    "LONG": b"\1" * 20 + b"\2",
    "LONG_IN_LAYER": b"\1" * 20 + b"\4",
    "OPENS": b"\3\xff",
    "MAY_OPEN": b"\3\4",
    "ESCAPE": ESCAPE,
    "ESCAPED": b"u0022",
}

_MOST_PLACES, _MOST_LOOPS, _MOST_LEVEL = 200, 12, 50
# Documents that are watched first, and that prove what was written; misses that are
# watched before it is written anew; documents that are left in peace if it is no use.
WATCHED, PROVING, MISSES, SHORTEST_REST, LONGEST_REST = 8, 32, 32, 64, 8192
# Containers that are inside one another on any stack; n of them take 2n characters.
# Longer texts are not read several times to see who is faster.
_TIMED = 1 << 16
_SHALLOW = 200
# Elements and members that are looked at of one container.
_FEW = 16


class Place:
    """
    A place at or below which strings are decided, and what was seen there.

    Attributes:
        members: By name.
        rest: All members, in the place of ``members``, or None.
        items: All elements, or None.
        opened: Whether strings are opened here.
        shut: Whether any string may stay shut here.
        plain: Strings that may stay shut here.
        kinds: The Python types that a string may open to.
        closed: Whether nobody notices if a string here is passed over.
        objects, arrays, nulls, others: How many of them were seen here, layers opened.
        there: In how many of the objects around it there was something here.
        longest: Characters in the longest text here.
        gain: Seconds that msgspec saved on the texts here, compared to orjson.
    """

    __slots__ = (
        "arrays",
        "closed",
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
        self.members: dict[str, Place] = {}
        self.rest: Place | None = None
        self.items: Place | None = None
        self.opened = self.shut = self.closed = False
        self.kinds = ["dict", "list"]
        self.plain: frozenset[str] = frozenset()
        self.objects = self.arrays = self.nulls = self.others = self.there = 0
        self.longest = 0
        self.gain = 0.0

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
            if name == "msgspec" and len(text) > _SHALLOW:
                raw = text if isinstance(text, bytes) else text.encode()
                if count_byteset(raw, BRACKETS) > _SHALLOW:
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


class _UnwritableError(Exception):
    """There is more than can be written out."""


class OddError(Exception):
    """A document is not like those before."""


_MISSES = (KeyError, TypeError, AttributeError, IndexError, OddError)

_alive: weakref.WeakSet[Habits] = weakref.WeakSet()


def _after_fork() -> None:
    # The thread that held a lock is not in this process: it will never give it back.
    for habits in _alive:
        habits.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Habits:
    """
    Writes such code, proves it on some documents, and gives it up if it does not help.

    Safe to share between threads.

    Args:
        root: Where strings are decided. Whatever is not opened there is shut for good.
        reader: Reads records and what their layers hold; it is plain.
        tolerant: Expands any document.
        longest: How many bytes a record may have.
        unproven: Finishes a tree, given the record, the tree, how many strings were
            decided in it, and whether it may be deep. None if ``root`` has all places of
            layers, so that their count needs no proof.

    Attributes:
        swift: The function that expands, or None as long as there is none.
    """

    def __init__(
        self,
        root: Place,
        reader: Reader,
        tolerant: Callable[[Any], Any],
        longest: int,
        unproven: Callable[[bytes, Any, int, bool], Any] | None = None,
    ) -> None:
        self._root = root
        self._reader = reader
        self._tolerant = tolerant
        self._longest = longest
        self._unproven = unproven
        self._lock = threading.Lock()
        self.swift: Callable[[Any], Any] | None = None
        self._candidate: Callable[[Any], Any] | None = None
        self._text = ""
        self._watching, self._proving, self._resting = WATCHED, 0, 0
        self._misses = 0
        self._rest = SHORTEST_REST
        _alive.add(self)

    def restart(self, root: Place | None = None) -> None:
        """Forget what was written, and watch documents anew."""
        self.swift = self._candidate = None
        self._root = root or self._root
        self._root.forget()
        self._text = ""
        self._watching, self._proving, self._resting, self._misses = WATCHED, 0, 0, 0

    def renew_lock(self) -> None:
        """Forget that another thread was busy when this process was forked."""
        self._lock = threading.Lock()

    def method(self) -> Callable[[Any, Any], Any]:
        """Return what expands a document the fastest way that there is, as a method of anything."""

        def expand(_owner: Any, document: Any) -> Any:
            swift = self.swift
            return self.expand(document) if swift is None else swift(document)

        return expand

    def expand(self, document: Any) -> Any:
        """Expand a document as long as there is nothing swift."""
        if self._resting:
            self._resting -= 1
            if not self._resting:
                self._watching = WATCHED
        elif self._proving and self._candidate is not None:
            self._proving -= 1
            tree = self._candidate(document)
            if not self._proving:
                self._judge()
            return tree
        elif self._watching:
            self._watching -= 1
            self._watch(document)
            if not self._watching:
                self._write()
        return self._tolerant(document)

    def _judge(self) -> None:
        if self._misses * 8 > PROVING:
            self._give_up()
        else:
            self.swift, self._misses, self._rest = self._candidate, 0, SHORTEST_REST

    def _give_up(self) -> None:
        self.swift = self._candidate = None
        self._text = ""  # the same may be written again, and tried
        self._proving, self._resting = 0, self._rest
        self._rest = min(2 * self._rest, LONGEST_REST)

    def missed(self, document: Any) -> Any:
        """Expand a document that is not like those before."""
        self._misses += 1
        if self._misses <= MISSES:
            self._watch(document)
        if self._misses >= MISSES and self.swift is not None:
            self.swift = None
            self._write()
        return self._tolerant(document)

    def _watch(self, document: Any) -> None:
        raw = encoded(document)
        if raw is None or len(raw) > self._longest:
            return
        lock = self._lock  # a fork may change it meanwhile
        if lock.acquire(blocking=False):
            try:
                with suppress(RecursionError):  # the caller has used up the stack
                    self._root.watch_record(raw)
            finally:
                lock.release()

    def _write(self) -> None:
        """Write what was seen, and begin to prove it."""
        lock = self._lock
        if not lock.acquire(blocking=False):
            self._watching = 1
            return
        try:
            written = _Writer(self._root, self._reader, counted=self._unproven is not None)
            try:
                source = written.expand(self._longest)
            except (_UnwritableError, RecursionError):
                self._resting = LONGEST_REST
                return
            if source.text != self._text:
                self._text = source.text
                source.names |= {
                    "missed": self.missed,
                    "tolerant": self._tolerant,
                    "unproven": self._unproven,
                }
                self._candidate = source.build("expand", "plan that was learnt")
            self._proving, self._misses = PROVING, 0
        finally:
            lock.release()


class _Writer:
    """
    Writes a function that expands documents like those that were seen.

    Args:
        root: Where strings are decided.
        reader: Its limits are kept.
        counted: Whether decided strings are counted.
    """

    def __init__(self, root: Place, reader: Reader, *, counted: bool) -> None:
        self._root = root
        self._limits = reader.limits
        self._counted = counted
        # Of each block being written, how many strings are surely decided in it.
        self._counts = [0]
        self._loops = self._places = 0
        self._source = Source()
        self._source.names |= {
            "ACCOUNTED": ACCOUNTED,
            "BRACKETS": BRACKETS,
            "CLASSES": table(QUOTES if counted else INTEGERS),
            "CLOSERS": CLOSERS,
            "MISSES": (*_MISSES, *REFUSED),
            "OPENERS": frozenset(OPENERS),
            "OddError": OddError,
            "REFUSED": REFUSED,
            "account": account,
            "bytesum": bytesum,
            "contains": contains,
            "count": count,
            "count_byteset": count_byteset,
            "encoded": encoded,
            "closes": closes,
            "hides": hides_more if counted and root.layers <= reader.limits.max_layers else hides,
            "visible": visible,
            "is_deeper": is_deeper,
            "translate": translate,
            **{f"{name}_loads": loads for name, loads in READERS.items()},
            **PATTERNS,
        }

    def expand(self, longest: int) -> Source:
        """Return the source of ``expand(document)``."""
        source = self._source
        # n containers take 2n characters.
        shallow = 2 * min(_SHALLOW, self._limits.max_depth)
        small = self._root.longest <= shallow
        most = min(longest, shallow) if small else longest
        with source.block("def expand(document):"):
            source.line("raw = document if document.__class__ is bytes else encoded(document)")
            source.line(f"if raw is None or len(raw) > {most}:")
            source.line("    return tolerant(document)")
            if small:
                # It is shallow, and msgspec is exact.
                self._how = "small"
                source.line("escaped = contains(raw, ESCAPE)")
                self._body()
                source.line("classes = translate(raw, CLASSES)")
            else:
                self._how = "shallow"
                self._proofs()
                self._body()
            self._end()
        if not small:
            self._how = "deep"
            with source.block("def expand_deep(document, raw, classes, escaped):"):
                self._body()
                self._end()
        return source

    def _end(self) -> None:
        """Write what has to be proven of the tree."""
        source = self._source
        deep = self._how == "deep"
        if self._counted:
            source.line("found = count(classes, OPENS)")
            with source.block("if escaped:"):
                if self._how == "small":
                    source.line("if hides(raw):")
                    source.line("    return tolerant(document)")
                source.line('found += count(raw, ESCAPED + b"{") + count(raw, ESCAPED + b"[")')
            source.line("if n != found or (")
            source.line("    contains(classes, MAY_OPEN)")
            source.line("    and not closes(raw, count(classes, MAY_OPEN))")
            source.line("    and visible(raw, quoted=True) != n")
            source.line("):")
            source.line(f"    return unproven(raw, tree, n, {deep})")
        if deep:
            source.line(f"if is_deeper(tree, {self._limits.max_depth}):")
            source.line("    return tolerant(document)")
        source.line("return tree")

    def _proofs(self) -> None:
        """Write what the record's bytes have to prove before it is read."""
        source, most = self._source, self._limits.max_depth
        source.line("classes = translate(raw, CLASSES)")
        source.line("escaped = contains(raw, ESCAPE)")
        source.line("if contains(classes, LONG) or (escaped and hides(raw)):")
        source.line("    return tolerant(document)")
        if self._counted:
            source.line("if contains(classes, LONG_IN_LAYER):")
            source.line("    return tolerant(document)")
        # n containers take 2n characters.
        source.line(f"if len(raw) > {2 * most} and bytesum(classes) > {255 * most} and (")
        source.line(f"    count_byteset(raw, BRACKETS) > {most}")
        source.line("):")
        source.line("    return expand_deep(document, raw, classes, escaped)")

    def _body(self) -> None:
        """Write how a record is read, and opened."""
        source = self._source
        self._counts, self._loops, self._places = [0], 0, 0
        with source.block("try:"):
            source.line(f"tree = {self._read(self._root, 'raw')}")
            if self._counted:
                source.line("n = 0")
            self._opened(self._root, "tree")
            self._add(self._counts[0])
        source.line("except MISSES:")
        source.line("    tree = None")
        # Not in the handler: what it handles would be the context of what is raised.
        source.line("if tree is None:")
        source.line("    return missed(document)")

    def _read(self, place: Place, text: str) -> str:
        """Return the expression that reads a text."""
        if self._how == "small" or (self._how == "shallow" and place.gain > 0):
            return f"msgspec_loads({text})"
        if place.gain <= 0 or place.longest > _SHALLOW:
            # On any stack: it refuses what is very deep.
            return f"orjson_loads({text})"
        # So short that they are shallow, if they are as short as those before.
        return f"(msgspec_loads if len({text}) <= {2 * _SHALLOW} else orjson_loads)({text})"

    def _add(self, found: int, times: str = "") -> None:
        if found and self._counted:
            self._source.line(f"n += {found}" + (f" * len({times})" if times else ""))

    @contextmanager
    def _branch(self, head: str) -> Iterator[None]:
        """Write what is done in some documents, and counted in them."""
        with self._source.block(head):
            self._counts.append(0)
            yield
            self._add(self._counts.pop())

    @contextmanager
    def _loop(self, head: str, container: str) -> Iterator[None]:
        """Write what is done with each child, and counted for all of them."""
        self._loops += 1
        if self._loops > _MOST_LOOPS:
            raise _UnwritableError
        self._counts.append(0)
        with self._source.block(head):
            yield
        self._add(self._counts.pop(), container)
        self._loops -= 1

    def _opened(self, place: Place, value: str) -> None:
        """Write what is done with what a text held: it has to be a container."""
        proves = (place.is_object and "dict" in place.kinds) or (
            place.is_array and "list" in place.kinds
        )
        if not proves:
            test = " and ".join(f"{value}.__class__ is not {kind}" for kind in place.kinds)
            self._source.line(f"if {test}:")
            self._source.line("    raise OddError")
        self._inside(place, value)

    def _inside(self, place: Place, value: str) -> None:
        self._places += 1
        if self._places > _MOST_PLACES or self._source.level > _MOST_LEVEL:
            raise _UnwritableError
        if place.is_object:
            self._members(place, value, proven=True)
        elif place.is_array:
            self._source.line(f"if {value}.__class__ is not list:")
            self._source.line("    raise OddError")
            self._elements(place, value)
        else:
            head = "if"
            if place.members or place.rest:
                with self._branch(f"if {value}.__class__ is dict:"):
                    self._members(place, value, proven=False)
                head = "elif"
            if place.items:
                with self._branch(f"{head} {value}.__class__ is list:"):
                    self._elements(place, value)

    def _members(self, place: Place, value: str, *, proven: bool) -> None:
        source = self._source
        if place.rest is not None:
            key, child = source.fresh("key"), source.fresh("v")
            with self._loop(f"for {key}, {child} in {value}.items():", value):
                self._value(place.rest, child, f"{value}[{key}]")
            return
        # Copied at once: another thread may learn of a member meanwhile.
        members = place.members.copy()
        always = []
        if proven:
            # What was always there comes first: it proves the object.
            always = [n for n, m in members.items() if m.there >= place.objects]
        for name in always:
            child = source.fresh("v")
            slot = f"{value}[{name!r}]"
            self._value(members[name], child, slot, slot)
        if proven and not always:
            source.line(f"if {value}.__class__ is not dict:")
            source.line("    raise OddError")
        for name, member in members.items():
            if name in always:
                continue
            if proven and not member.there and not self._counted:
                source.line(f"if {name!r} in {value}:")
                source.line("    raise OddError")
                continue
            child = source.fresh("v")
            source.line(f"{child} = {value}.get({name!r})")
            with self._branch(f"if {child} is not None:"):
                self._value(member, child, f"{value}[{name!r}]")

    def _elements(self, place: Place, value: str) -> None:
        source, items = self._source, place.items
        assert items is not None
        child = source.fresh("v")
        head, slot = f"for {child} in {value}:", ""
        if items.opened or items.shut:
            index = source.fresh("i")
            head, slot = f"for {index}, {child} in enumerate({value}):", f"{value}[{index}]"
        with self._loop(head, value):
            self._value(items, child, slot)

    def _value(self, place: Place, value: str, slot: str, given: str = "") -> None:
        """
        Write what is done with a value.

        Args:
            place: Where it is.
            value: The variable that it is in.
            slot: What it is replaced in.
            given: Where it still has to be taken from.
        """
        source = self._source
        if place.opened and not place.shut and not place.nulls and not place.others:
            if given and self._read(place, "")[0] == "(":
                source.line(f"{value} = {given}")
                given = ""
            source.line(f"{value} = {slot} = {self._read(place, given or value)}")
            self._counts[-1] += 1
            self._opened(place, value)
            return
        if given:
            source.line(f"{value} = {given}")
        if place.nulls and not (place.shut or place.others):
            with self._branch(f"if {value} is not None:"):
                if place.opened:
                    source.line(f"{value} = {slot} = {self._read(place, value)}")
                    self._counts[-1] += 1
                    self._opened(place, value)
                else:
                    self._inside(place, value)
            return
        if self._counted and (place.opened or place.shut):
            self._decide(place, value, slot)
        elif place.opened:
            head = f"if {value}.__class__ is str"
            if place.plain:
                head += f" and {value} not in {source.constant(place.plain, 'PLAIN')}"
            if place.shut:
                head += f" and {value}[:1] in OPENERS and {value}[-1:] in CLOSERS"
            with self._branch(head + ":"):
                source.line(f"{value} = {slot} = {self._read(place, value)}")
                test = " and ".join(f"{value}.__class__ is not {kind}" for kind in place.kinds)
                source.line(f"if {test}:")
                source.line("    raise OddError")
        self._inside(place, value)

    def _decide(self, place: Place, value: str, slot: str) -> None:
        """Write how a string that may be a layer is counted, opened or not."""
        source = self._source
        new = source.fresh("new")
        with source.block(f"if {value}.__class__ is str and {value}:"):
            with source.block(f"if {value}[0] in OPENERS and {value}[-1] in CLOSERS:"):
                source.line("try:")
                source.line(f"    {new} = {self._read(place, value)}")
                source.line("except REFUSED:")
                source.line(f"    {new} = None")
                # A string in a string, or what needs the careful parser, is undecided.
                with source.block(f"if {new}.__class__ is dict or {new}.__class__ is list:"):
                    source.line(f"{slot} = {value} = {new}")
                    source.line("n += 1")
            with source.block(f"elif '\"' in {value}:"):
                source.line(f"n += account({value})")
            with source.block(f"elif {value}[0] in ACCOUNTED:"):
                source.line("n += 1")
