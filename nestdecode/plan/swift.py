"""
Code that takes for granted what documents have in common, and proves that it may.

A *place* is a position in documents where strings are decided (``place.SeenPlace``); a *miss* is
a document that differs from those before. Numbered claims are those of ``text.scan``.

**Claim.** The code returns what the tolerant way returns, or calls that way. It may take for
granted only what raises an error where it is wrong, or what the record's bytes prove:

1. *Members and kinds.* A subscript proves a member and its object; a method, a loop or a
   test of the class proves the kind of a value. What differs raises one of MISSES, and the
   document is read again: its tree is thrown away, half opened.
2. *That no other string is a layer.* Either all layers are declared, and each place of the
   spec is in the code; or the strings are *counted*, as in ``learnt``: their number must
   equal V. Quotes that are written as escapes are counted too, if the places of the code
   allow at most ``max_layers`` layers inside one another, as claim 4 does not bound them
   then; ``hides_more`` finds what else is hidden.
3. *Integers.* orjson turns an integer that does not fit into 64 bits into a float, so no
   text that it reads may hold one. Such an integer takes 20 characters (claim 5), and is
   followed by a comma, a closing bracket or a blank, or by the backslash of an escape of one
   of these. LONG and LONG_IN_LAYER look for that in the raw bytes, for all layers at once.
   A string of 20 digits in a layer matches too: it costs a second reading, never a number.
4. *Depth.* As for ``learnt`` (claim 4); a short text fits on any stack.

*Classes of bytes.* One ``translate`` serves all of these: 1 for digits and the minus, 2 for
what follows an integer, 3 for quotes, 4 for a space or a backslash, which can be either and
can begin a layer's text after a quote, 255 for opening brackets, 0 for the rest. So the sum
of the bytes bounds the brackets. Where nothing is counted, 3 and 4 are not needed.

*Tests*, in ``test_habits.py``: ``test_every_character_after_an_integer_is_needed``,
``test_every_digit_is_needed`` and ``test_every_pattern_is_needed`` blind the code to one
character or pattern at a time, and show a wrong answer; ``test_depth_is_bounded_at_its_border``;
``test_quotes_as_escapes_are_counted``; ``test_what_was_seen_changes_no_answer`` is random.
"""

from __future__ import annotations

from stringzilla import bytesum, contains, count, count_byteset, translate

from nestdecode.plan.counts import Counts
from nestdecode.plan.detect import CLOSERS, OPENERS, encoded
from nestdecode.plan.place import SHALLOW, SeenPlace
from nestdecode.plan.source import PythonSource, UnwritableError
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

__all__ = ["OddError", "Writer"]

INTEGERS = {b"0123456789-": 1, b",}] \t\r\n\\": 2, b"{[": 255}
# Where quotes are counted. A raw tab, return or newline never follows an opening quote.
QUOTES = {b"0123456789-": 1, b",}]\t\r\n": 2, b'"': 3, b" \\": 4, b"{[": 255}


def table(classes: dict[bytes, int]) -> bytes:
    """Return a table for ``translate``: each byte's class, or 0."""
    table = bytearray(256)
    for characters, number in classes.items():
        for character in characters:
            table[character] = number
    return bytes(table)


# Searched for in the classes; ESCAPE and ESCAPED in the raw bytes.
PATTERNS = {
    "LONG": b"\1" * 20 + b"\2",
    "LONG_IN_LAYER": b"\1" * 20 + b"\4",
    "OPENS": b"\3\xff",
    "MAY_OPEN": b"\3\4",
    "ESCAPE": ESCAPE,
    "ESCAPED": b"u0022",
}

MOST_PLACES, MOST_LEVEL = 200, 50


class OddError(Exception):
    """A document differs from those before in what the code takes for granted."""


MISSES = (KeyError, TypeError, AttributeError, IndexError, OddError)


class Writer:
    """
    Writes the functions that expand documents like those that were watched.

    The written code calls ``missed``, ``tolerant`` and ``unproven``; the caller names them.

    Args:
        root: The place of the record, with what was seen there and below.
        reader: Its limits are kept.
        counted: Whether decided strings are counted, because others may be layers.
    """

    def __init__(self, root: SeenPlace, reader: Reader, *, counted: bool) -> None:
        self._root = root
        self._limits = reader.limits
        self._counted = counted
        self._places = 0
        self._source = PythonSource()
        self._counts = Counts(self._source, counted=counted)
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
        """
        Return the source of ``expand(document)``.

        Args:
            longest: Bytes that a record may have; longer ones go the tolerant way.
        """
        source = self._source
        # n containers take 2n bytes.
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
                # Short records: surely shallow, and msgspec reads integers exactly.
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

        That returns the trees of joined records, or None if one of them is a miss, is not
        proven, or is not admitted as it is before its layers are opened.
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
                loads = "msgspec_loads" if self._root.gain > 0 else "orjson_loads"
                source.line(f"trees = read_each({loads}, joined, admits)")
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
        """Write what has to be proven after the layers are opened."""
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
        """Write the head of the block for a text in which not every place was decided."""
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
        """Write what the record's bytes have to prove before they are read."""
        source, most = self._source, self._limits.max_depth
        source.line("classes = translate(raw, CLASSES)")
        source.line("escaped = contains(raw, ESCAPE)")
        source.line("if contains(classes, LONG) or (escaped and hides(raw)):")
        source.line("    return tolerant(document)")
        if self._counted:
            source.line("if contains(classes, LONG_IN_LAYER):")
            source.line("    return tolerant(document)")
        # n containers take 2n bytes.
        source.line(f"if len(raw) > {2 * most} and bytesum(classes) > {255 * most} and (")
        source.line(f"    count_byteset(raw, BRACKETS) > {most}")
        source.line("):")
        source.line("    return expand_deep(document, raw, classes, escaped)")

    def _body(self) -> None:
        """Write how a record is read, and its layers opened."""
        source = self._source
        self._counts, self._places = Counts(self._source, counted=self._counted), 0
        with source.block("try:"):
            source.line(f"tree = {self._read(self._root, 'raw')}")
            if self._counted:
                source.line("n = 0")
            self._opened(self._root, "tree")
            self._counts.end()
        source.line("except MISSES:")
        source.line("    tree = None")
        # Outside the handler: an error raised in it would carry the miss as its context.
        source.line("if tree is None:")
        source.line("    return missed(document)")

    def _read(self, place: SeenPlace, text: str) -> str:
        """Return the expression that reads a text by the faster of two readers."""
        if self._how == "small" or (self._how != "deep" and place.gain > 0):
            return f"msgspec_loads({text})"
        if place.gain <= 0 or place.longest > SHALLOW:
            # orjson refuses what is very deep, and fits on any stack.
            return f"orjson_loads({text})"
        # msgspec uses the stack for each level, so it reads short texts only.
        return f"(msgspec_loads if len({text}) <= {2 * SHALLOW} else orjson_loads)({text})"

    def _opened(self, place: SeenPlace, value: str) -> None:
        """Write what is done with the value that a text held, which has to be a container."""
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
        # Copied in one step: another thread may add a member meanwhile.
        members = place.members.copy()
        always = []
        if proven:
            # Members that were always there come first: a subscript proves the object.
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
        Write what is done with a value at a place.

        Args:
            place: The place.
            value: The variable that holds the value, or will.
            slot: The expression to which an opened value is assigned.
            given: The expression that still has to be assigned to the variable, if any.
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
        """Write how a string that may be a layer is opened or not, and counted."""
        source = self._source
        new = source.fresh("new")
        with source.block(f"if {value}.__class__ is str and {value}:"):
            with source.block(f"if {value}[0] in OPENERS and {value}[-1] in CLOSERS:"):
                source.line("try:")
                source.line(f"    {new} = {self._read(place, value)}")
                source.line("except REFUSED:")
                source.line(f"    {new} = None")
                # A string in a string, or a text that the parser refuses, is not decided.
                with source.block(f"if {new}.__class__ is dict or {new}.__class__ is list:"):
                    source.line(f"{slot} = {value} = {new}")
                    source.line("n += 1")
            with source.block(f"elif '\"' in {value}:"):
                source.line(f"n += account({value})")
            with source.block(f"elif {value}[0] in ACCOUNTED:"):
                source.line("n += 1")
