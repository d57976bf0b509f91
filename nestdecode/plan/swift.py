"""
Code that takes for granted what documents have in common.

A subscript proves a member, what is asked of a layer's value proves its kind: such code
needs few tests. Where a document is otherwise, something raises one of MISSES, and the
document is read again the tolerant way. Nothing is taken for granted of what could be
missed in silence: where strings are decided is proven by counting them in the record's
bytes, or they are all declared.

orjson reads what it reads faster than msgspec, as measured on a few texts of each place.
It turns integers that do not fit into 64 bits into floats, so no text may have one. Such
an integer takes twenty characters, its minus included (of nineteen digits and no minus
all fit), and is followed by a comma, a closing bracket or white space, or, in a layer, by
the backslash of an escaped one. In a record without the escapes that ``scan.hides`` knows,
a digit or a minus of any layer is itself in the record's bytes, so these prove it for all
layers at once. A text of twenty digits is followed by a quote or its backslash; the latter
costs a second reading, never an integer.

One ``translate`` serves all counts: openers are 255 there, everything else is 4 at most,
so that the sum of all bytes proves that there are few openers.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from stringzilla import bytesum, contains, count, count_byteset, translate

from nestdecode.plan.detect import CLOSERS, OPENERS, encoded
from nestdecode.plan.place import SHALLOW, SeenPlace
from nestdecode.plan.source import PythonSource
from nestdecode.text.depth import is_deeper
from nestdecode.text.joined import JOINING
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

__all__ = ["OddError", "UnwritableError", "Writer"]

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

MOST_PLACES, MOST_LOOPS, MOST_LEVEL = 200, 12, 50


class UnwritableError(Exception):
    """There is more than can be written out."""


class OddError(Exception):
    """A document is not like those before."""


MISSES = (KeyError, TypeError, AttributeError, IndexError, OddError)


class Writer:
    """
    Writes a function that expands documents like those that were seen.

    Args:
        root: Where strings are decided.
        reader: Its limits are kept.
        counted: Whether decided strings are counted.
    """

    def __init__(self, root: SeenPlace, reader: Reader, *, counted: bool) -> None:
        self._root = root
        self._limits = reader.limits
        self._counted = counted
        self._places = 0
        self._source = PythonSource()
        self._counts = _Counts(self._source, counted=counted)
        self._source.names |= JOINING | {
            "ACCOUNTED": ACCOUNTED,
            "BRACKETS": BRACKETS,
            "CLASSES": table(QUOTES if counted else INTEGERS),
            "CLOSERS": CLOSERS,
            "MISSES": (*MISSES, *REFUSED),
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

    def expand(self, longest: int) -> PythonSource:
        """Return the source of ``expand(document)``."""
        source = self._source
        # n containers take 2n characters.
        shallow = 2 * min(SHALLOW, self._limits.max_depth)
        small = self._root.longest <= shallow
        most = min(longest, shallow) if small else longest
        with source.block("def expand(document):"):
            source.line("raw = document if document.__class__ is bytes else encoded(document)")
            source.line(f"if raw is None or len(raw) > {most}:")
            if most < longest:
                source.line(f"    if raw is not None and len(raw) <= {longest}:")
                source.line("        return missed(document)")
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

    def expand_many(self) -> PythonSource:
        """
        Return the source of ``expand_many(joined, admits)``.

        It returns the trees of joined records, or None if not all are like those before,
        or not all admitted with their layers shut.
        """
        source = self._source
        self._how = "many"
        with source.block("def expand_many(joined, admits):"):
            source.line("text = joined.text")
            source.line("classes = translate(text, CLASSES)")
            source.line("escaped = contains(text, ESCAPE)")
            source.line("if contains(classes, LONG) or (escaped and hides(text)):")
            source.line("    return None")
            if self._counted:
                source.line("if contains(classes, LONG_IN_LAYER):")
                source.line("    return None")
            source.line(f"if crowded(joined, {self._limits.max_depth}, classes):")
            source.line("    return None")
            with source.block("try:"):
                source.line(f"trees = apart({self._read(self._root, 'text')}, joined, admits)")
                if self._counted:
                    source.line("n = 0")
                with self._counts.loop("for tree in trees:", "trees"):
                    self._opened(self._root, "tree")
            source.line("except MISSES:")
            source.line("    return None")
            if self._counted:
                self._count("text")
                source.line("    return None")
            source.line("return trees")
        return source

    def _end(self) -> None:
        """Write what has to be proven of the tree."""
        source = self._source
        deep = self._how == "deep"
        if self._counted:
            if self._how == "small":
                source.line("if escaped and hides(raw):")
                source.line("    return tolerant(document)")
            self._count("raw")
            source.line(f"    return unproven(raw, tree, n, {deep})")
        if deep:
            source.line(f"if is_deeper(tree, {self._limits.max_depth}):")
            source.line("    return tolerant(document)")
        source.line("return tree")

    def _count(self, text: str) -> None:
        """Write the head of what is done if not every place in a text was decided."""
        source = self._source
        source.line("found = count(classes, OPENS)")
        source.line("if escaped:")
        source.line(f'    found += count({text}, ESCAPED + b"{{") + count({text}, ESCAPED + b"[")')
        source.line("if n != found or (")
        source.line("    contains(classes, MAY_OPEN)")
        source.line(f"    and not closes({text}, count(classes, MAY_OPEN))")
        source.line(f"    and visible({text}, quoted=True) != n")
        source.line("):")

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
        self._counts, self._places = _Counts(self._source, counted=self._counted), 0
        with source.block("try:"):
            source.line(f"tree = {self._read(self._root, 'raw')}")
            if self._counted:
                source.line("n = 0")
            self._opened(self._root, "tree")
            self._counts.end()
        source.line("except MISSES:")
        source.line("    tree = None")
        # Not in the handler: what it handles would be the context of what is raised.
        source.line("if tree is None:")
        source.line("    return missed(document)")

    def _read(self, place: SeenPlace, text: str) -> str:
        """Return the expression that reads a text."""
        if self._how == "small" or (self._how != "deep" and place.gain > 0):
            return f"msgspec_loads({text})"
        if place.gain <= 0 or place.longest > SHALLOW:
            # On any stack: it refuses what is very deep.
            return f"orjson_loads({text})"
        # So short that they are shallow, if they are as short as those before.
        return f"(msgspec_loads if len({text}) <= {2 * SHALLOW} else orjson_loads)({text})"

    def _opened(self, place: SeenPlace, value: str) -> None:
        """Write what is done with what a text held: it has to be a container."""
        proves = (place.is_object and "dict" in place.kinds) or (
            place.is_array and "list" in place.kinds
        )
        if not proves:
            test = " and ".join(f"{value}.__class__ is not {kind}" for kind in place.kinds)
            self._source.line(f"if {test}:")
            self._source.line("    raise OddError")
        self._inside(place, value)

    def _inside(self, place: SeenPlace, value: str) -> None:
        self._places += 1
        if self._places > MOST_PLACES or self._source.level > MOST_LEVEL:
            raise UnwritableError
        if place.is_object:
            self._members(place, value, proven=True)
        elif place.is_array:
            self._source.line(f"if {value}.__class__ is not list:")
            self._source.line("    raise OddError")
            self._elements(place, value)
        else:
            head = "if"
            if place.members or place.rest:
                with self._counts.branch(f"if {value}.__class__ is dict:"):
                    self._members(place, value, proven=False)
                head = "elif"
            if place.items:
                with self._counts.branch(f"{head} {value}.__class__ is list:"):
                    self._elements(place, value)

    def _members(self, place: SeenPlace, value: str, *, proven: bool) -> None:
        source = self._source
        if place.rest is not None:
            key, child = source.fresh("key"), source.fresh("v")
            with self._counts.loop(f"for {key}, {child} in {value}.items():", value):
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
            with self._counts.branch(f"if {child} is not None:"):
                self._value(member, child, f"{value}[{name!r}]")

    def _elements(self, place: SeenPlace, value: str) -> None:
        source, items = self._source, place.items
        assert items is not None
        child = source.fresh("v")
        head, slot = f"for {child} in {value}:", ""
        if items.opened or items.shut:
            index = source.fresh("i")
            head, slot = f"for {index}, {child} in enumerate({value}):", f"{value}[{index}]"
        with self._counts.loop(head, value):
            self._value(items, child, slot)

    def _value(self, place: SeenPlace, value: str, slot: str, given: str = "") -> None:
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
            self._counts.found()
            self._opened(place, value)
            return
        if given:
            source.line(f"{value} = {given}")
        if place.nulls and not (place.shut or place.others):
            with self._counts.branch(f"if {value} is not None:"):
                if place.opened:
                    source.line(f"{value} = {slot} = {self._read(place, value)}")
                    self._counts.found()
                    self._opened(place, value)
                else:
                    self._inside(place, value)
            return
        if self._counted and not place.declared and (place.opened or place.shut):
            self._decide(place, value, slot)
        elif place.opened:
            head = f"if {value}.__class__ is str"
            if place.plain:
                head += f" and {value} not in {source.constant(place.plain, 'PLAIN')}"
            if place.shut:
                head += f" and {value}[:1] in OPENERS and {value}[-1:] in CLOSERS"
            with self._counts.branch(head + ":"):
                source.line(f"{value} = {slot} = {self._read(place, value)}")
                test = " and ".join(f"{value}.__class__ is not {kind}" for kind in place.kinds)
                source.line(f"if {test}:")
                source.line("    raise OddError")
                self._counts.found()
        self._inside(place, value)

    def _decide(self, place: SeenPlace, value: str, slot: str) -> None:
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


class _Counts:
    """
    Writes how strings that are surely decided are counted, block by block.

    Args:
        source: Where it is written.
        counted: Whether they are.
    """

    def __init__(self, source: PythonSource, *, counted: bool) -> None:
        self._source = source
        self._counted = counted
        # Of each block being written.
        self._counts = [0]
        self._loops = 0

    def found(self) -> None:
        """Count a string of the block that is being written."""
        self._counts[-1] += 1

    def end(self, times: str = "") -> None:
        """Write what was counted in the innermost block, so many times."""
        found = self._counts.pop()
        if found and self._counted:
            self._source.line(f"n += {found}" + (f" * len({times})" if times else ""))

    @contextmanager
    def branch(self, head: str) -> Iterator[None]:
        """Write what is done in some documents, and counted in them."""
        with self._source.block(head):
            self._counts.append(0)
            yield
            self.end()

    @contextmanager
    def loop(self, head: str, container: str) -> Iterator[None]:
        """Write what is done with each child, and counted for all of them."""
        self._loops += 1
        if self._loops > MOST_LOOPS:
            raise UnwritableError
        self._counts.append(0)
        with self._source.block(head):
            yield
        self.end(container)
        self._loops -= 1
