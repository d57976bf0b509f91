"""
A plan written out as one Python function.

The function opens what opens at once: any chain of codecs, in a document of any form. It
notes the places that do not. ``settling`` finds their addresses in one walk through the tree,
in document order, and has the plan open or settle each of them. The plan (``careful``) is the
careful way; the function is tested against it. A document that is refused, or that may meet a
limit, is read again, and goes the careful way as a whole.

What the bytes of a record prove (``text.scan``) holds for the texts that stand in them. Texts
from base64 or gzip, and those in documents that were parsed before, are looked at one by one.
"""

from __future__ import annotations

import binascii
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from nestdecode.errors import LimitError
from nestdecode.plan.careful import Plan, is_blank
from nestdecode.plan.containers import Containers
from nestdecode.plan.detect import Loads, encoded, guarded, sweep
from nestdecode.plan.facts import layers_inside, may_exceed_layers, opened_on_the_spot, policies_of
from nestdecode.plan.run import CrowdedError, Run
from nestdecode.plan.settling import settle
from nestdecode.plan.source import PythonSource
from nestdecode.plan.spending import STAYS, UNSURE, Spending
from nestdecode.plan.strings import Strings, is_one_of, is_too_deep
from nestdecode.spec.shape import Shape, live_shapes, walk
from nestdecode.text.number import Number
from nestdecode.text.reader import Limits, Reader

__all__ = ["LayerWriter", "source_of"]
# Places that are written out before a function is called instead.
MAX_PLACES = 400
# Loops inside one another; Python takes 20 blocks. Levels of indentation; it takes 100.
MAX_LOOPS = 12
MAX_LEVEL = 50


def source_of(
    plan: Plan,
    reader: Reader,
    start: Callable[[], Run],
    carefully: Callable[[Any], Any],
    copied: Callable[[Any], tuple[Any, int]],
    *,
    quiet: bool,
) -> PythonSource:
    """
    Return the source of ``expand(document)``, which does what ``carefully`` does.

    Args:
        plan: Where layers are.
        reader: Reads records and the texts of layers.
        start: Makes the Run of a record that needs one.
        carefully: Expands any document.
        copied: Copies a document that was parsed before: (tree, its depth). Raises
            LimitError if it is too deep, or holds what only the careful way opens.
        quiet: Whether problems are not reported.
    """
    opener = LayerWriter(PythonSource(), plan, reader, copied, quiet=quiet)
    opener.source.names |= {
        "carefully": carefully,
        "settle": functools.partial(settle, plan, start, carefully),
    }
    opener.write_expand()
    return opener.source


class LayerWriter:
    """
    Writes code that opens layers.

    The code uses these variables: ``read``, which reads the texts of layers; ``shut``, the
    list of places that are left to the careful way; and ``spent``, a Spending, if the plan
    has layers in other codecs than json.

    Args:
        source: The code that is being written.
        plan: Where layers are.
        reader: Reads records and the texts of layers.
        copied: Copies a document that was parsed before, as for ``source_of``.
        quiet: Whether problems are not reported.

    Attributes:
        quiet: Whether a string that does not open stays without a trace.
        finds: Whether layers are found where nothing is declared.
        live: The shapes at or below which layers are declared.
        dynamic: Whether the code counts layers, because ``max_layers`` can be exceeded.
        decodes: Whether the plan has layers in other codecs than json.
        share: Containers inside one another that each source of depth may have.
        longest: Bytes up to which the size of a text proves that ``max_layers`` is kept.
        functions: The names of written functions, by kind and shape.
        waiting: The functions that are called, and not written yet.
        active: The shapes around the place that is being written.
    """

    def __init__(
        self,
        source: PythonSource,
        plan: Plan,
        reader: Reader,
        copied: Callable[[Any], tuple[Any, int]],
        *,
        quiet: bool,
    ) -> None:
        self.plan = plan
        # Under ``keep`` alone, a problem that is not reported leaves the string as it is.
        self.quiet: bool = quiet and policies_of(plan) == {"keep"}
        self.reader = reader
        limits = reader.limits
        self.limits: Limits = limits
        self.finds: bool = plan.undeclared is not None
        self.shape: Shape = plan.shapes[0]
        self.live: set[Shape] = live_shapes(self.shape)
        self.dynamic: bool = may_exceed_layers(plan, limits)
        self.decodes: bool = _decodes(self.shape)
        # Depth has three sources: the record or its copy, the texts of its layers, and the
        # texts that these decode to.
        self.share: int = limits.max_depth // 3
        # Found layers: k inside one another take 2**k bytes (text.scan, claim 4).
        layers = max(limits.max_layers - layers_inside(plan, limits), 0)
        self.longest: int = min(limits.max_record_bytes, 1 << layers) if self.finds else 1 << 62
        reads = guarded(reader, self.share, self.longest, all_texts=self.finds)
        self.functions: dict[tuple[str, Shape], str] = {}
        self.waiting: list[tuple[str, Shape]] = []
        self.active: list[Shape] = []
        self.places: int = 0
        self.loops: int = 0
        self.source = source
        self.strings: Strings = Strings(self)
        self.containers: Containers = Containers(self)
        source.names |= reader.checks | {
            "CrowdedError": CrowdedError,
            "Number": Number,
            "STAYS": STAYS,
            "UNSURE": UNSURE,
            "Spending": Spending,
            "a2b_base64": binascii.a2b_base64,
            "encoded": encoded,
            "is_blank": is_blank,
            "is_too_deep": is_too_deep,
            "is_malformed": reader.is_malformed,
            "loads_counting": reader.loads_counting,
            "loads_for": reader.loads_for,
            "parsed": _parsed_by(copied, self.share, reads),
            "reader": reader,
            "sweep": sweep,
        }

    def write_expand(self) -> None:
        """Write ``expand(document)``; the caller names ``carefully`` and ``settle``."""
        source = self.source
        with source.block("def expand(document):"):
            self.write_read()
            source.line("crowded = False")
            with source.block("try:"):
                self.below(self.shape, "tree", "0")
                source.line("pass")
            with source.block("except CrowdedError:"):
                source.line("crowded = True")
            # Outside the handler: an error raised in it would carry another as its context.
            source.line(f"if crowded or ({self.is_too_deep}):")
            source.line("    return carefully(document)")
            with source.block("if shut:"):
                source.line(f"return settle(document, tree, shut{self.spent})")
            source.line("return tree")
        self.write_functions()

    def write_functions(self) -> None:
        """Write the functions that are called, and those that they call."""
        while self.waiting:
            kind, shape = self.waiting.pop()
            self.active = []
            name = self.functions[kind, shape]
            with self.source.block(f"def {name}(value, read, shut, layers{self.spent}):"):
                if kind == "visit":
                    self._containers(shape, "value", "layers")
                else:
                    self.strings.write_ways(kind, shape)

    @property
    def spent(self) -> str:
        """The last argument of written functions, with its comma; empty if not ``decodes``."""
        return ", spent" if self.decodes else ""

    @property
    def is_too_deep(self) -> str:
        """The expression for whether the opened tree is deeper than ``max_depth``."""
        deep = "(deep or spent.brackets < 0)" if self.decodes else "deep"
        return f"{deep} and is_deeper(tree, {self.limits.max_depth})"

    def write_read(self) -> None:
        """
        Write how ``document`` is read into ``tree``, with its layers shut.

        ``raw`` is the text of the document, or None if it was parsed before.
        """
        source, limits = self.source, self.limits
        source.line("raw = document if document.__class__ is bytes else encoded(document)")
        with source.block("if raw is None:"):
            source.line("tree, deep, read = parsed(document)")
        with source.block("else:"):
            guard = f"len(raw) > {min(limits.max_record_bytes, self.longest)}"
            if self.finds:
                guard += " or (contains(raw, ESCAPE) and hides(raw))"
            with source.block(f"if {guard}:"):
                source.line("return carefully(document)")
            most = limits.max_depth - (self.share if self.decodes else 0)
            # n containers take 2n bytes.
            source.line(f"deep = len(raw) > {2 * most} and (")
            source.line(f"    count_byteset(raw, BRACKETS) > {most}")
            source.line("    or (contains(raw, ESCAPE) and hides(raw))")
            source.line(")")
            # What the record's bytes prove of integers does not hold in base64.
            deeply = "loads_counting" if self.decodes else "loads_for(raw)"
            source.line(f"read = {deeply} if deep else loads")
            source.line("try:")
            source.line("    tree = read(raw)")
            source.line("except REFUSED:")
            source.line("    tree = None")
        with source.block("if tree.__class__ is not dict and tree.__class__ is not list:"):
            source.line("return carefully(document)")
        source.line("shut = []")
        if self.decodes:
            source.line(f"spent = Spending({limits.max_bytes}, {self.share}, {self.longest})")

    def needs(self, shape: Shape | None) -> bool:
        """Return whether there may be layers at or below a place."""
        return self.finds or shape in self.live

    def is_bare(self, shape: Shape | None) -> bool:
        """Return whether all layers at and below a place are to be found: none is declared."""
        return self.finds and (
            shape is None
            or not (shape.declared or shape.alternatives or any(True for _ in shape.children()))
        )

    def place(self, shape: Shape, value: str, container: str, key: str, layers: str) -> None:
        """
        Write how the layers at and below one place are opened.

        Args:
            shape: What is declared of the place.
            value: The variable that holds its value.
            container, key: Expressions: the value is ``container[key]``.
            layers: The expression for the layers around it.
        """
        self.places += 1
        source = self.source
        if shape.alternatives:
            with source.block(f"if {value}.__class__ is str:"):
                kinds = opened_on_the_spot(shape)
                if kinds and not self.dynamic and not self.finds:
                    slot = f"{container}[{key}]"
                    note = functools.partial(self.note, shape, container, key, layers)
                    self.strings.write_parse(shape, kinds, value, slot, note)
                else:
                    self._open(shape, value, container, key, layers)
        elif self.finds and not shape.declared:
            with source.block(f"if {value}.__class__ is str:"):
                source.line(f"sweep({container}, reader, read, shut, (({key}, {value}),))")
        self.below(shape, value, layers)

    def note(self, shape: Shape, container: str, key: str, layers: str) -> None:
        """Write that a place is left to the careful way."""
        shapes = self.source.constant((shape,), "SHAPES")
        self.source.line(f"shut.append(({container}, {key}, {shapes}, {layers}))")

    def _open(self, shape: Shape, value: str, container: str, key: str, layers: str) -> None:
        """Write how a string, and every layer in it, is opened by a function of its own."""
        source = self.source
        new = source.fresh("new")
        source.line(f"{new} = {self.call('open', shape, value, layers)}")
        with source.block(f"if {new} is UNSURE:"):
            self.note(shape, container, key, layers)
        with source.block(f"elif {new} is not STAYS:"):
            source.line(f"{container}[{key}] = {new}")

    def call(self, kind: str, shape: Shape, value: str, layers: str) -> str:
        """
        Return the expression that calls a written function for a value.

        Args:
            kind: ``visit`` opens the layers in a container. ``open`` opens a string and the
                layers in it, ``peel`` the string alone; both return its value, STAYS or
                UNSURE.
            shape: What is declared of the value.
            value: The expression for it.
            layers: The expression for the layers around it.
        """
        name = self.functions.get((kind, shape))
        if name is None:
            name = self.functions[kind, shape] = self.source.fresh(kind)
            self.waiting.append((kind, shape))
        return f"{name}({value}, read, shut, {layers}{self.spent})"

    def below(self, shape: Shape, value: str, layers: str) -> None:
        """Write how the layers in a value are opened, if it is a container."""
        if self.is_bare(shape):
            with self.source.block(f"if {is_one_of(value, ['dict', 'list'])}:"):
                self.source.line(f"sweep({value}, reader, read, shut)")
            return
        if not self.finds and not any(child in self.live for _, child in shape.children()):
            return
        crowded = self.loops > MAX_LOOPS or self.source.level > MAX_LEVEL
        if shape in self.active or self.places > MAX_PLACES or crowded:
            self.source.line(self.call("visit", shape, value, layers))
            return
        self.active.append(shape)
        self._containers(shape, value, layers)
        self.active.pop()

    def _containers(self, shape: Shape, value: str, layers: str) -> None:
        with self.source.block(f"if {value}.__class__ is dict:"):
            self.containers.write_members(shape, value, layers)
        with self.source.block(f"elif {value}.__class__ is list:"):
            self.containers.write_elements(shape, value, layers)

    @contextmanager
    def looping(self, head: str) -> Iterator[None]:
        """Write the head of a loop, and indent what is written in the context."""
        self.loops += 1
        with self.source.block(head):
            yield
        self.loops -= 1


def _parsed_by(
    copied: Callable[[Any], tuple[Any, int]], share: int, reads: Loads
) -> Callable[[Any], tuple[Any, bool, Loads]]:
    """Return a function that copies a document: (tree, whether it is deep, its ``read``)."""

    def parsed(document: Any) -> tuple[Any, bool, Loads]:
        try:
            tree, depth = copied(document)
        except LimitError:
            tree, depth = None, 0
        return tree, depth > share, reads

    return parsed


def _decodes(shape: Shape) -> bool:
    return any(
        codec != "json"
        for below, _ in walk(shape)
        for alternative in below.alternatives
        for codec in alternative.codecs
    )
