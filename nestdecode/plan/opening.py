"""
A spec's plan written out as one Python function.

The function opens what opens at once: any chain of codecs, in a document that is given in
any form. Whatever does not is noted. One walk through the tree finds where the noted
places are, in document order, and lets the plan decide each: that is the careful way, and
what the function is tested against. A document that has to be refused, or that may meet a
limit, is read again and goes the careful way as a whole.

What a record's bytes prove holds for the texts that they hold as they are. Layers in
base64 or gzip, and those of documents that were parsed before, are looked at one by one.
"""

from __future__ import annotations

import binascii
import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from stringzilla import contains, count_byteset

from nestdecode.codecs import CODECS
from nestdecode.errors import LimitError
from nestdecode.plan.careful import CLOSERS, CONTAINERS, OPENERS, Plan
from nestdecode.plan.detect import Loads, encoded, guarded, sweep
from nestdecode.plan.facts import layers_inside, may_exceed_layers, opened_on_the_spot, policies_of
from nestdecode.plan.run import DROP, CrowdedError, Run
from nestdecode.plan.source import Source
from nestdecode.spec.shape import Alternative, Shape, live_shapes, walk
from nestdecode.text.depth import brackets, is_deeper
from nestdecode.text.number import Number
from nestdecode.text.reader import Budget, Reader
from nestdecode.text.scan import BRACKETS, ESCAPE, hides

__all__ = ["Opener", "Shut", "source_of"]

# A container, the key or index of a string or container in it, what is declared of that,
# and the layers around it.
Shut = tuple[Any, Any, tuple[Shape, ...], int]

MAX_PLACES = 400
MAX_LOOPS = 12
MAX_LEVEL = 50
# Elements known by their index, and patterns, that are written out.
MAX_BRANCHES = 8
# Names of which is remembered what is declared of them, and how long they may be.
MOST_NAMES = 1000
LONGEST_NAME = 100
# Of so short a text half may be brackets: counting them would cost more.
FEW = 32


class _Outcome:
    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


# What becomes of a string that is not opened: it may stay, or the careful way decides.
STAYS = _Outcome("STAYS")
UNSURE = _Outcome("UNSURE")


class Spending(Budget):
    """
    What one record spends on the texts that its base64 and gzip layers give.

    Args:
        max_bytes: As for Budget; but who takes more is crowded.
        brackets: How many more in such texts prove that no limit on depth is met.
        longest: How long a text may be.
    """

    __slots__ = ("_longest", "_most", "brackets")

    def __init__(self, max_bytes: int, brackets: int, longest: int) -> None:
        super().__init__(max_bytes)
        self.brackets = self._most = brackets
        self._longest = longest

    def take(self, size: int) -> None:
        """Spend *size* bytes, or raise CrowdedError."""
        self.left -= size
        if self.left < 0:
            raise CrowdedError

    def look(self, text: bytes) -> None:
        """Raise CrowdedError if a text may be too deep, or hides what is in it."""
        size = len(text)
        found = size // 2 if size < FEW else count_byteset(text, BRACKETS)
        self.brackets -= found
        if size > self._longest or found > self._most or (contains(text, ESCAPE) and hides(text)):
            raise CrowdedError


class _Names:
    """
    Which of a shape's patterns match a name.

    Attributes:
        known: For names that were met: the index of the one pattern that matches, -1 if
            none does, -2 if several do. Names of documents, so it is bounded.
    """

    def __init__(self, shape: Shape) -> None:
        self._patterns = [pattern for pattern, _ in shape.patterns]
        self.known: dict[Any, int] = {}

    def find(self, name: Any) -> int:
        """Return what ``known`` is to hold for a name."""
        matching = []
        if isinstance(name, str):  # parsed documents may have keys that JSON does not know
            matching = [i for i, p in enumerate(self._patterns) if p.search(name)]
        found = -1 if not matching else matching[0] if len(matching) == 1 else -2
        if len(self.known) < MOST_NAMES and isinstance(name, str) and len(name) <= LONGEST_NAME:
            self.known[name] = found
        return found


def source_of(
    plan: Plan,
    reader: Reader,
    start: Callable[[], Run],
    carefully: Callable[[Any], Any],
    copied: Callable[[Any], tuple[Any, int]],
    *,
    quiet: bool,
) -> Source:
    """
    Return the source of ``expand(document)``, which does what ``carefully`` does.

    Args:
        plan: Where layers are.
        reader: Reads records and what their layers hold.
        start: Makes the Run of a record that needs one.
        carefully: Expands any document.
        copied: Copies a document that was parsed before: (tree, its depth). Raises
            LimitError if it is too deep.
        quiet: Whether nobody is told of layers that stay shut.
    """
    opener = Opener(Source(), plan, reader, copied, quiet=quiet)
    opener.source.names |= {
        "carefully": carefully,
        "settle": functools.partial(opener.settle, start, carefully),
    }
    opener.write_expand()
    return opener.source


class Opener:
    """
    Writes code that opens layers.

    The code has the names ``read``, for what reads layers, ``shut``, for a list of what is
    left to the careful way, and ``spent``, for a Spending, if ``decodes``.

    Args:
        source: Where it is written.
        plan: Where layers are.
        reader: Reads records and what their layers hold.
        copied: Copies a document that was parsed before.
        quiet: Whether nobody is told of layers that stay shut.

    Attributes:
        decodes: Whether there are layers in base64 or gzip.
    """

    def __init__(
        self,
        source: Source,
        plan: Plan,
        reader: Reader,
        copied: Callable[[Any], tuple[Any, int]],
        *,
        quiet: bool,
    ) -> None:
        self.plan = plan
        # What surely does not open may stay then, whatever the spec says of it.
        self.quiet = quiet and policies_of(plan) == {"keep"}
        self.reader = reader
        self.limits = limits = reader.limits
        self.copied = copied
        self.finds = plan.undeclared is not None
        (self.shape,) = plan.shapes
        self.live = live_shapes(self.shape)
        self.dynamic = may_exceed_layers(plan, limits)
        self.decodes = _decodes(self.shape)
        # Depth has three sources: the record or what was copied of it, its layers, and
        # the texts that these give.
        self.share = limits.max_depth // 3
        # Where layers are found, k of them take 2**k bytes, unless escapes hide that.
        layers = max(limits.max_layers - layers_inside(plan, limits), 0)
        self.longest = min(limits.max_record_bytes, 1 << layers) if self.finds else 1 << 62
        self._reads = guarded(reader, self.share, self.longest, all_texts=self.finds)
        self.functions: dict[tuple[str, Shape], str] = {}
        self.waiting: list[tuple[str, Shape]] = []
        self.active: list[Shape] = []
        self.places = self.loops = 0
        self.source = source
        source.names |= reader.checks | {
            "CrowdedError": CrowdedError,
            "Number": Number,
            "STAYS": STAYS,
            "UNSURE": UNSURE,
            "Spending": Spending,
            "a2b_base64": binascii.a2b_base64,
            "encoded": encoded,
            "is_too_deep": _is_too_deep,
            "is_malformed": reader.is_malformed,
            "loads_counting": reader.loads_counting,
            "loads_for": reader.loads_for,
            "parsed": self._parsed,
            "reader": reader,
            "sweep": sweep,
        }

    def write_expand(self) -> None:
        """Write ``expand(document)``; the names ``carefully`` and ``settle`` are the caller's."""
        source = self.source
        with source.block("def expand(document):"):
            self.write_read()
            source.line("crowded = False")
            with source.block("try:"):
                self._below(self.shape, "tree", "0")
                source.line("pass")
            with source.block("except CrowdedError:"):
                source.line("crowded = True")
            # Not in the handler: what it handles would be the context of what is raised.
            source.line(f"if crowded or ({self.is_too_deep}):")
            source.line("    return carefully(document)")
            with source.block("if shut:"):
                source.line(f"return settle(document, tree, shut{self._spent})")
            source.line("return tree")
        self.write_functions()

    def write_functions(self) -> None:
        """Write the functions that were called so far."""
        while self.waiting:
            kind, shape = self.waiting.pop()
            self.active = []
            name = self.functions[kind, shape]
            with self.source.block(f"def {name}(value, read, shut, layers{self._spent}):"):
                if kind == "visit":
                    self._containers(shape, "value", "layers")
                else:
                    self._ways(kind, shape)

    @property
    def _spent(self) -> str:
        return ", spent" if self.decodes else ""

    @property
    def is_too_deep(self) -> str:
        """An expression that tells whether the tree, opened, is deeper than is allowed."""
        deep = "(deep or spent.brackets < 0)" if self.decodes else "deep"
        return f"{deep} and is_deeper(tree, {self.limits.max_depth})"

    # Reading

    def write_read(self) -> None:
        """Write how *document* is read into *tree*, its layers shut; *raw* is its text, if any."""
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
            # n containers take 2n characters.
            source.line(f"deep = len(raw) > {2 * most} and (")
            source.line(f"    count_byteset(raw, BRACKETS) > {most}")
            source.line("    or (contains(raw, ESCAPE) and hides(raw))")
            source.line(")")
            # What the record's bytes prove of numbers does not hold in base64.
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

    def _parsed(self, document: Any) -> tuple[Any, bool, Loads]:
        """Return a copy of a document, whether it is deep, and what reads its layers."""
        try:
            tree, depth = self.copied(document)
        except LimitError:
            tree, depth = None, 0
        return tree, depth > self.share, self._reads

    # Places

    def _needs(self, shape: Shape | None) -> bool:
        """Tell whether anything is to be opened at or below a place."""
        return self.finds or shape in self.live

    def _is_bare(self, shape: Shape | None) -> bool:
        """Tell whether nothing is declared at and below a place, and all is to be found."""
        return self.finds and (
            shape is None
            or not (shape.declared or shape.alternatives or any(True for _ in shape.children()))
        )

    def _place(self, shape: Shape, value: str, container: str, key: str, layers: str) -> None:
        """Write what is done with the value in a variable, which is container[key]."""
        self.places += 1
        source = self.source
        if shape.alternatives:
            with source.block(f"if {value}.__class__ is str:"):
                kinds = opened_on_the_spot(shape)
                if kinds and not self.dynamic and not self.finds:
                    slot = f"{container}[{key}]"
                    note = functools.partial(self._note, shape, container, key, layers)
                    self.write_parse(shape, kinds, value, slot, note)
                else:
                    self._open(shape, value, container, key, layers)
        elif self.finds and not shape.declared:
            with source.block(f"if {value}.__class__ is str:"):
                source.line(f"sweep({container}, reader, read, shut, (({key}, {value}),))")
        self._below(shape, value, layers)

    def _note(self, shape: Shape, container: str, key: str, layers: str) -> None:
        shapes = self.source.constant((shape,), "SHAPES")
        self.source.line(f"shut.append(({container}, {key}, {shapes}, {layers}))")

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
            shape: What is declared of it.
            kinds: The Python types that it may open to, as ``opened_on_the_spot`` says.
            value: The variable that it is in.
            slot: Where it was read from, and is replaced.
            otherwise: Writes what is done if it does not open, and may not surely stay.
            room: Containers that it may hold inside one another, if it is not put where it
                was read from: then it is not met again, and its depth is looked at here.
        """
        source = self.source
        new = source.fresh("new")
        guard = _may_be_container(value, source) if shape.plain is True else ""
        with source.block(f"if {guard}:") if guard else nullcontext():
            source.line("try:")
            source.line(f"    {new} = read({value})")
            source.line("except REFUSED as refusal:")
            if shape.plain or self.quiet:
                source.line(f"    {new} = None if is_malformed(refusal, {value}) else UNSURE")
            else:
                source.line(f"    {new} = None")
            source.line(f"if {_is_one_of(new, kinds)}:")
            if room is None:
                source.line(f"    {slot} = {value} = {new}")
            else:
                self.write_taken(value, new, room)
            head = "else:"
            if shape.plain is True or self.quiet:
                head = f"elif {new} is UNSURE:"
            elif shape.plain:
                plain = source.constant(shape.plain, "PLAIN")
                head = f"elif {new} is UNSURE or {value} not in {plain}:"
            with source.block(head):
                otherwise()

    def write_taken(self, value: str, new: str, room: int) -> None:
        """Write how a string is replaced by what it holds, if that is not too deep."""
        # n containers take 2n characters; and of all layers together they may be few.
        long = f"{'' if self.decodes else 'deep and '}len({value}) > {2 * room}"
        self.source.line(f"    if {long} and is_too_deep({value}, {new}, {room}):")
        self.source.line("        return carefully(document)")
        self.source.line(f"    {value} = {new}")

    def _open(self, shape: Shape, value: str, container: str, key: str, layers: str) -> None:
        """Write how a string is opened, and all that is in it, by a function of its own."""
        source = self.source
        new = source.fresh("new")
        source.line(f"{new} = {self.call('open', shape, value, layers)}")
        with source.block(f"if {new} is UNSURE:"):
            self._note(shape, container, key, layers)
        with source.block(f"elif {new} is not STAYS:"):
            source.line(f"{container}[{key}] = {new}")

    def call(self, kind: str, shape: Shape, value: str, layers: str) -> str:
        """
        Return the call of a function that does something with a value.

        ``visit`` opens what is in a container; ``open`` opens a string, and what is in it;
        ``peel`` opens a string alone. The last two return what it holds, STAYS or UNSURE.
        """
        name = self.functions.get((kind, shape))
        if name is None:
            name = self.functions[kind, shape] = self.source.fresh(kind)
            self.waiting.append((kind, shape))
        return f"{name}({value}, read, shut, {layers}{self._spent})"

    # Strings

    def _ways(self, kind: str, shape: Shape) -> None:
        """Write how the string in *value* is opened: return what it holds, or an outcome."""
        source = self.source
        if self.dynamic:
            source.line(f"if layers >= {self.limits.max_layers}:")
            source.line("    return UNSURE")
        for alternative in shape.alternatives:
            self._way(kind, alternative)
        if shape.plain is True or self.quiet:
            source.line("return STAYS")
        elif shape.plain:
            plain = source.constant(shape.plain, "PLAIN")
            source.line(f"return STAYS if value in {plain} else UNSURE")
        else:
            source.line("return UNSURE")

    def _way(self, kind: str, alternative: Alternative) -> None:
        """Write one alternative: it returns what it opened, or it surely does not open."""
        source = self.source
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
                    # Text, whatever it is: nothing is declared of what is in it.
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
            # What the record's bytes prove of integers is proven for those in containers.
            loads = "loads_counting" if alternative.admits & _NUMERIC else "read"
            source.line("try:")
            source.line(f"    found = {loads}({text})")
            source.line("except REFUSED as refusal:")
            source.line(f"    if not is_malformed(refusal, {text}):")
            source.line("        return UNSURE")
            with source.block("else:"):
                self._admit(kind, alternative)

    def _decode(self, codec: str, given: str) -> None:
        source = self.source
        if codec == "base64":
            source.line(f"if len({given}) % 4:")
            source.line("    raise ValueError")
            source.line(f"data = a2b_base64({given}, strict_mode=True)")
            source.line("spent.take(len(data))")
        else:
            source.line(f"data = {source.constant(CODECS[codec].open, codec)}({given}, spent)")

    def _admit(self, kind: str, alternative: Alternative) -> None:
        """Write what is done with what was read: return it if its type is admitted."""
        source, admits, content = self.source, alternative.admits, alternative.content
        if not self.reader.plain:
            source.line("if found.__class__ is Number:")
            source.line("    return UNSURE")
        kinds = [kind for kind, name in (("dict", "object"), ("list", "array")) if name in admits]
        if kinds:
            with source.block(f"if {_is_one_of('found', kinds)}:"):
                if kind == "peel":
                    pass
                elif self._is_bare(content):
                    source.line("sweep(found, reader, read, shut)")
                elif content is not None:
                    self._below(content, "found", _more("layers"))
                source.line("return found")
        if "string" in admits:
            with source.block("if found.__class__ is str:"):
                self._string(kind, content)
        for name, test in _TESTS.items():
            if name in admits:
                source.line(f"if {test}:")
                source.line("    return found")

    def _string(self, kind: str, content: Shape | None) -> None:
        """Write what is done with a string that was read from one."""
        source = self.source
        if content is None or not content.alternatives:
            source.line("return found")
            return
        inner = source.fresh("inner")
        source.line(f"{inner} = {self.call(kind, content, 'found', _more('layers'))}")
        source.line(f"if {inner} is not STAYS:")
        source.line(f"    return {inner}")
        # A chain opens whole or not at all, unless a string may be at its end.
        if content.plain is True:
            source.line("return found")
        elif content.plain:
            source.line(f"if found in {source.constant(content.plain, 'PLAIN')}:")
            source.line("    return found")

    # Containers

    def _below(self, shape: Shape, value: str, layers: str) -> None:
        """Write what is done with what is in a value, if it holds anything."""
        if self._is_bare(shape):
            with self.source.block(f"if {_is_one_of(value, ['dict', 'list'])}:"):
                self.source.line(f"sweep({value}, reader, read, shut)")
            return
        if not self._has_below(shape):
            return
        crowded = self.loops > MAX_LOOPS or self.source.level > MAX_LEVEL
        if shape in self.active or self.places > MAX_PLACES or crowded:
            self.source.line(self.call("visit", shape, value, layers))
            return
        self.active.append(shape)
        self._containers(shape, value, layers)
        self.active.pop()

    def _has_below(self, shape: Shape) -> bool:
        return self.finds or any(child in self.live for _, child in shape.children())

    def _containers(self, shape: Shape, value: str, layers: str) -> None:
        with self.source.block(f"if {value}.__class__ is dict:"):
            self._members(shape, value, layers)
        with self.source.block(f"elif {value}.__class__ is list:"):
            self._elements(shape, value, layers)

    def _members(self, shape: Shape, value: str, layers: str) -> None:
        source = self.source
        for name, child in shape.names.items():
            if self._needs(child):
                member = source.fresh("v")
                source.line(f"{member} = {value}.get({name!r})")
                self._place(child, member, value, repr(name), layers)
        others = [child for _, child in shape.patterns] + [shape.rest]
        if not any(self._needs(child) for child in others):
            return
        if not shape.patterns and self._is_bare(shape.rest) and not shape.names:
            source.line(f"sweep({value}, reader, read, shut)")
            return
        found = ""
        if self._is_bare(shape.rest):
            found = source.fresh("found")
            source.line(f"{found} = []")
        key, member = source.fresh("key"), source.fresh("v")
        with self._looping(f"for {key}, {member} in {value}.items():"):
            if shape.names:
                known = source.constant(frozenset(shape.names), "NAMES")
                source.line(f"if {key} in {known}:")
                source.line("    continue")
            if shape.patterns:
                self._matching(shape, key, member, value, layers, found)
            else:
                self._other(shape, key, member, value, layers, found)
        if found:
            source.line(f"sweep({value}, reader, read, shut, {found})")

    def _matching(
        self, shape: Shape, key: str, member: str, value: str, layers: str, found: str
    ) -> None:
        """Write what is done with a member by the patterns that match its name."""
        source = self.source
        names = source.constant(_Names(shape), "names")
        which = source.fresh("which")
        source.line(f"{which} = {names}.known.get({key})")
        source.line(f"if {which} is None:")
        source.line(f"    {which} = {names}.find({key})")
        several = f"{which} == -2"
        branches = shape.patterns[:MAX_BRANCHES]
        if len(branches) < len(shape.patterns):
            several += f" or {which} >= {MAX_BRANCHES}"
        with source.block(f"if {several}:"):
            shapes = f"{source.constant(shape, 'shape')}.members({key})"
            source.line(f"shut.append(({value}, {key}, {shapes}, {layers}))")
        for index, (_, child) in enumerate(branches):
            with source.block(f"elif {which} == {index}:"):
                if self._needs(child):
                    self._place(child, member, value, key, layers)
        with source.block("else:"):
            self._other(shape, key, member, value, layers, found)

    def _other(
        self, shape: Shape, key: str, member: str, value: str, layers: str, found: str
    ) -> None:
        if found:
            self.source.line(f"{found}.append(({key}, {member}))")
        elif shape.rest is not None and self._needs(shape.rest):
            self._place(shape.rest, member, value, key, layers)

    def _elements(self, shape: Shape, value: str, layers: str) -> None:
        source, items = self.source, shape.items
        prefix = shape.prefix if any(self._needs(child) for child in shape.prefix) else ()
        if not prefix and not self._needs(items):
            return
        if not shape.prefix and self._is_bare(items):
            source.line(f"sweep({value}, reader, read, shut)")
            return
        element, index = source.fresh("v"), source.fresh("i")
        if not shape.prefix and items is not None and not items.alternatives and not self.finds:
            with self._looping(f"for {element} in {value}:"):
                self._place(items, element, value, "", layers)
            return
        with self._looping(f"for {index}, {element} in enumerate({value}):"):
            head = "if"
            for at, child in enumerate(shape.prefix[:MAX_BRANCHES]):
                with source.block(f"{head} {index} == {at}:"):
                    self._element(child, element, value, index, layers)
                head = "elif"
            if len(shape.prefix) > MAX_BRANCHES:
                with source.block(f"elif {index} < {len(shape.prefix)}:"):
                    children = source.constant(shape.prefix, "PREFIX")
                    source.line(f"shapes = {children}[{index}]")
                    source.line("shapes = () if shapes is None else (shapes,)")
                    source.line(f"shut.append(({value}, {index}, shapes, {layers}))")
            with source.block("else:") if shape.prefix else nullcontext():
                self._element(items, element, value, index, layers)

    def _element(
        self, child: Shape | None, element: str, value: str, index: str, layers: str
    ) -> None:
        if not self._needs(child):
            return
        if child is None:
            self.source.line(f"sweep({value}, reader, read, shut, (({index}, {element}),))")
        else:
            self._place(child, element, value, index, layers)

    @contextmanager
    def _looping(self, head: str) -> Iterator[None]:
        self.loops += 1
        with self.source.block(head):
            yield
        self.loops -= 1

    # What does not open at once

    def settle(
        self,
        start: Callable[[], Run],
        carefully: Callable[[Any], Any],
        document: Any,
        tree: Any,
        shut: list[Shut],
        spent: Spending | None = None,
    ) -> Any:
        """Let the plan decide each place of a record that was left to it."""
        run = start().hold()
        run.budget = spent or run.budget
        try:
            self.settle_in(tree, shut, run)
        except CrowdedError:
            pass
        else:
            run.release()
            return tree
        return carefully(document)

    def settle_in(self, tree: Any, shut: list[Shut], run: Run) -> None:
        """
        Let the plan decide each place in a tree that was left to it, in document order.

        Args:
            tree: The record's, or a part of it, at ``run.path``.
            shut: Places in it.
            run: The record's pass.
        """
        noted: dict[int, dict[Any, tuple[tuple[Shape, ...], int]]] = {}
        for container, key, shapes, layers in shut:
            noted.setdefault(id(container), {})[key] = shapes, layers
        path, visit = run.path, self.plan.visit
        dropped = []
        nowhere: dict[Any, tuple[tuple[Shape, ...], int]] = {}
        walk = [(tree, _children(tree), noted.pop(id(tree), nowhere))]
        while walk:
            container, children, places = walk[-1]
            for key, child in children:
                if key in places:
                    if run.is_settled(container, key):
                        continue
                    shapes, layers = places[key]
                    path.append(key)
                    new = visit(shapes, child, len(path), layers, run)
                    path.pop()
                    if new is not DROP:
                        container[key] = new
                    elif container.__class__ is dict:  # an element stays
                        dropped.append((container, key))
                elif child.__class__ is dict or child.__class__ is list:
                    path.append(key)
                    walk.append((child, _children(child), noted.pop(id(child), nowhere)))
                    break
            else:
                walk.pop()
                if not noted and not any(places for _, _, places in walk):
                    break
                if walk:
                    path.pop()
        for container, key in dropped:
            del container[key]


_NUMERIC = frozenset({"number", "integer"})
# Of scalars that a layer may hold. 1.0 is an integer to JSON Schema.
_TESTS = {
    "number": "found.__class__ is int or found.__class__ is float",
    "integer": "found.__class__ is int or (found.__class__ is float and found.is_integer())",
    "boolean": "found.__class__ is bool",
    "null": "found is None",
}


def _is_too_deep(text: str, value: Any, room: int) -> bool:
    """Tell whether what a text holds has more than *room* containers inside one another."""
    return brackets(text) > room and is_deeper(value, room)


def _children(container: Any) -> Iterator[tuple[Any, Any]]:
    return iter(container.items()) if container.__class__ is dict else enumerate(container)


def _may_be_container(value: str, source: Source) -> str:
    openers, closers = source.constant(OPENERS, "OPENERS"), source.constant(CLOSERS, "CLOSERS")
    return f"{value}[:1] in {openers} and {value}[-1:] in {closers}"


def _is_one_of(value: str, kinds: list[str]) -> str:
    return " or ".join(f"{value}.__class__ is {kind}" for kind in kinds)


def _more(layers: str) -> str:
    return str(int(layers) + 1) if layers.isdigit() else f"{layers} + 1"


def _decodes(shape: Shape) -> bool:
    return any(
        codec != "json"
        for below, _ in walk(shape)
        for alternative in below.alternatives
        for codec in alternative.codecs
    )
