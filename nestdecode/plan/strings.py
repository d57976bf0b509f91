"""Written code that opens strings: by one parse, or by chains of codecs and alternatives."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from nestdecode.codecs import CODECS
from nestdecode.plan.careful import CLOSERS, CONTAINERS, OPENERS
from nestdecode.plan.source import PythonSource
from nestdecode.spec.shape import Alternative, Shape
from nestdecode.text.depth import brackets, is_deeper

if TYPE_CHECKING:
    from nestdecode.plan.opening import LayerWriter

__all__ = ["Strings", "is_one_of", "is_too_deep"]

_NUMERIC = frozenset({"number", "integer"})
# Tests for the scalars that a layer may hold. 1.0 is an integer (JSON Schema 2020-12).
_TESTS = {
    "number": "found.__class__ is int or found.__class__ is float",
    "integer": "found.__class__ is int or (found.__class__ is float and found.is_integer())",
    "boolean": "found.__class__ is bool",
    "null": "found is None",
}


class Strings:
    """
    Writes how strings are opened.

    Args:
        opener: Writes how the layers in them are opened.
    """

    def __init__(self, opener: LayerWriter) -> None:
        self._opener = opener
        self._source = opener.source

    def write_parse(
        self,
        shape: Shape,
        kinds: list[str],
        value: str,
        slot: str,
        otherwise: Callable[[], None],
        room: int | None = None,
    ) -> None:
        """
        Write how a string is opened by one parse.

        Args:
            shape: What is declared of the string.
            kinds: The Python types that it may open to, as ``opened_on_the_spot`` returns.
            value: The variable that holds it, and then its value.
            slot: The expression that it was read from, to which its value is assigned.
            otherwise: Writes what is done with a string that does not open, unless it
                surely stays.
            room: Containers inside one another that it may hold. Given if its value is not
                assigned to the slot: then the depth of the tree does not show its own.
        """
        source = self._source
        new = source.fresh("new")
        guard = _may_be_container(value, source) if shape.plain is True else ""
        with source.block(f"if {guard}:") if guard else nullcontext():
            source.line("try:")
            source.line(f"    {new} = read({value})")
            source.line("except REFUSED as refusal:")
            if shape.plain or self._opener.quiet:
                source.line(f"    {new} = None if is_malformed(refusal, {value}) else UNSURE")
            else:
                source.line(f"    {new} = None")
            source.line(f"if {is_one_of(new, kinds)}:")
            if room is None:
                source.line(f"    {slot} = {value} = {new}")
            else:
                self.write_taken(value, new, room)
            # A blank stays.
            head = f"elif not is_blank({value}):"
            if shape.plain is True or self._opener.quiet:
                head = f"elif {new} is UNSURE:"
            elif shape.plain:
                plain = source.constant(shape.plain, "PLAIN")
                head = f"elif {new} is UNSURE or not ({value} in {plain} or is_blank({value})):"
            with source.block(head):
                otherwise()

    def write_taken(self, value: str, new: str, room: int) -> None:
        """Write how a variable takes the value of its string, if that is not too deep."""
        # n containers take 2n characters.
        long = f"{'' if self._opener.decodes else 'deep and '}len({value}) > {2 * room}"
        self._source.line(f"    if {long} and is_too_deep({value}, {new}, {room}):")
        self._source.line("        return carefully(document)")
        self._source.line(f"    {value} = {new}")

    def write_ways(self, kind: str, shape: Shape) -> None:
        """Write a function's body: it returns the value of the string ``value``, or an outcome."""
        source = self._source
        if self._opener.dynamic:
            source.line(f"if layers >= {self._opener.limits.max_layers}:")
            source.line("    return UNSURE")
        for alternative in shape.alternatives:
            self._way(kind, alternative)
        if shape.plain is True or self._opener.quiet:
            source.line("return STAYS")
        elif shape.plain:
            plain = source.constant(shape.plain, "PLAIN")
            source.line(f"return STAYS if value in {plain} or is_blank(value) else UNSURE")
        else:
            # So does a blank that a chain gives: the caller decides what becomes of it.
            source.line("return STAYS if is_blank(value) else UNSURE")

    def _way(self, kind: str, alternative: Alternative) -> None:
        """Write one alternative: it returns what it opens; code after it is run if it does not."""
        source = self._source
        *encodings, last = alternative.codecs
        reads = last == "json"
        if not reads:
            encodings.append(last)
        text = "value"
        if encodings:
            text = "data"
            with source.block("try:"):
                given = "value"
                for codec in encodings:
                    self._decode(codec, given)
                    given = "data"
                if not reads:
                    # A chain that ends in text: no layer is declared in it.
                    source.line("return data.decode()")
                source.line("spent.look(data)")
            source.line("except ValueError:")
            source.line("    pass")
            if not reads:
                return
        guard = ""
        if not encodings and not alternative.admits - CONTAINERS:
            guard = f"if value[:1] in {source.constant(OPENERS, 'OPENERS')}:"
        with source.block("else:" if encodings else guard) if encodings or guard else nullcontext():
            # What the record's bytes prove of integers does not hold for a text that is one.
            loads = "loads_counting" if alternative.admits & _NUMERIC else "read"
            source.line("try:")
            source.line(f"    found = {loads}({text})")
            source.line("except REFUSED as refusal:")
            source.line(f"    if not is_malformed(refusal, {text}):")
            source.line("        return UNSURE")
            with source.block("else:"):
                self._admit(kind, alternative)

    def _decode(self, codec: str, given: str) -> None:
        source = self._source
        if codec == "base64":
            source.line(f"if len({given}) % 4:")
            source.line("    raise ValueError")
            source.line(f"data = a2b_base64({given}, strict_mode=True)")
            source.line("spent.take(len(data))")
        else:
            source.line(f"data = {source.constant(CODECS[codec].open, codec)}({given}, spent)")

    def _admit(self, kind: str, alternative: Alternative) -> None:
        """Write what is done with the value that was read: it is returned if admitted."""
        source, admits, content = self._source, alternative.admits, alternative.content
        if not self._opener.reader.plain:
            source.line("if found.__class__ is Number:")
            source.line("    return UNSURE")
        kinds = [kind for kind, name in (("dict", "object"), ("list", "array")) if name in admits]
        if kinds:
            with source.block(f"if {is_one_of('found', kinds)}:"):
                if kind == "peel":
                    pass
                elif self._opener.is_bare(content):
                    source.line("sweep(found, reader, read, shut)")
                elif content is not None:
                    self._opener.below(content, "found", more("layers"))
                source.line("return found")
        if "string" in admits:
            with source.block("if found.__class__ is str:"):
                self._string(kind, content)
        for name, test in _TESTS.items():
            if name in admits:
                source.line(f"if {test}:")
                source.line("    return found")

    def _string(self, kind: str, content: Shape | None) -> None:
        """Write what is done with a string that was read from a string."""
        source = self._source
        if content is None or not content.alternatives:
            source.line("return found")
            return
        inner = source.fresh("inner")
        source.line(f"{inner} = {self._opener.call(kind, content, 'found', more('layers'))}")
        source.line(f"if {inner} is not STAYS:")
        source.line(f"    return {inner}")
        # A chain opens whole or not at all, unless a string may stay at its end.
        if content.plain is True:
            source.line("return found")
        elif content.plain:
            source.line(f"if found in {source.constant(content.plain, 'PLAIN')}:")
            source.line("    return found")


def is_too_deep(text: str, value: Any, room: int) -> bool:
    """Return whether the value of a text has more than *room* containers inside one another."""
    return brackets(text) > room and is_deeper(value, room)


def _may_be_container(value: str, source: PythonSource) -> str:
    openers, closers = source.constant(OPENERS, "OPENERS"), source.constant(CLOSERS, "CLOSERS")
    return f"{value}[:1] in {openers} and {value}[-1:] in {closers}"


def is_one_of(value: str, kinds: list[str]) -> str:
    """Return the expression for whether a value is of one of some Python types."""
    return " or ".join(f"{value}.__class__ is {kind}" for kind in kinds)


def more(layers: str) -> str:
    """Return the expression for one layer more."""
    return str(int(layers) + 1) if layers.isdigit() else f"{layers} + 1"
