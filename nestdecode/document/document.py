"""A document that was opened, and can be put back: the tree, and beside it where it came from."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from functools import cached_property
from hashlib import sha256
from typing import Any, NamedTuple

from nestdecode.asking import Asker
from nestdecode.codecs import undo
from nestdecode.document.closing import Shapes, elements_of, members_of
from nestdecode.document.collapse import collapse
from nestdecode.document.parts import Parts
from nestdecode.document.places import Place, places
from nestdecode.engine import Engine
from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Opening, Trace
from nestdecode.text.reader import WHITESPACE, Reader
from nestdecode.text.tokens import Text
from nestdecode.text.write import dump, pack

__all__ = ["Document", "Lookalike", "OpenLayer"]

BOM = b"\xef\xbb\xbf"


class OpenLayer(NamedTuple):
    """
    One layer that was opened. A string that is encoded twice is two.

    Sizes are in bytes of UTF-8.

    Attributes:
        address: Its place; many share what is around them, however long their names are.
        codecs: In the order in which they were undone.
        depth: Layers around it, and itself: 1 in the record's own text.
        text: The original text, as the string says it.
        size: Of the text.
        escaped_size: Of the string token, quotes and escapes included, in the text around
            it. What all layers of a record lose to escaping is the sum of the differences
            to their sizes.
        decoded_size: Of what the text decodes to: for json alone, of the text.
    """

    address: Address
    codecs: tuple[str, ...]
    depth: int
    text: str
    size: int
    escaped_size: int
    decoded_size: int

    @property
    def pointer(self) -> str:
        """RFC 6901, over the expanded tree; made each time it is asked for."""
        return str(self.address)


class Lookalike(NamedTuple):
    """
    A string that looks like a layer and is none.

    Attributes:
        address: Its place, as of a layer.
        reason: What is wrong with it as JSON, or that it is not declared.
        size: Of the string, in bytes of UTF-8.
    """

    address: Address
    reason: str
    size: int

    @property
    def pointer(self) -> str:
        """RFC 6901, over the expanded tree; made each time it is asked for."""
        return str(self.address)


class Document:
    """
    An expanded document that can be changed and put back. Made by ``Decoder.open``.

    >>> import nestdecode
    >>> raw = b'{"id": 7,  "body": "{\\\\"a\\\\": 1.0, \\\\"b\\\\": 2}"}'
    >>> document = nestdecode.Decoder().open(raw)
    >>> document.tree["body"]["b"] = [3]
    >>> print(document.collapse().decode())
    {"id": 7,  "body": "{\\"a\\": 1.0, \\"b\\": [3]}"}

    The tree is plain data, and may be changed in place or replaced. What is to become of
    the layers is kept beside it, as the original text. Not safe to change from several
    threads.

    Attributes:
        raw: The original text.
    """

    def __init__(self, asker: Asker, raw: bytes, tree: Any) -> None:
        self.raw = raw
        self._root = [tree]
        self._asker = asker
        self._engine = asker.engine
        self._fingerprint = _fingerprint(tree)

    @property
    def tree(self) -> Any:
        """The expanded tree."""
        return self._root[0]

    @tree.setter
    def tree(self, tree: Any) -> None:
        self._root[0] = tree

    @cached_property
    def layers(self) -> list[OpenLayer]:
        """The layers that were opened, in document order. Found when they are asked for."""
        return list(_layers(_text(self.raw), self._trace.openings))

    @cached_property
    def problems(self) -> list[DecodeError]:
        """The layers that stayed shut, in the order in which they were tried."""
        return list(self._trace.problems.values())

    @cached_property
    def lookalikes(self) -> list[Lookalike]:
        """
        The strings that look like layers and are none, in document order.

        They begin with a bracket, after blanks or a byte order mark, or are JSON strings
        that do. What is among the problems is not here.
        """
        trace = self._trace
        return [
            look
            for address, text in _strings(trace.tree)
            if (look := _lookalike(address, text, self._engine.reader))
            and address not in trace.problems
        ]

    @property
    def _trace(self) -> Trace:
        # Made again each time: its tree is as large as the one that we have.
        return self._engine.trace(self.raw)

    def query(self, expression: str) -> Any:
        """
        Ask the tree as it is now.

        Args:
            expression: JMESPath, or ``:name`` for a named query of the spec.

        Returns:
            The answer; it shares no container with the tree.

        Raises:
            QueryError: If the expression is wrong, or refuses the tree.
        """
        return self._asker.search(expression, self.tree)

    def set(self, place: str, value: Any) -> int:
        """
        Put a value at a place, or a copy of it at each of several places.

        Args:
            place: A pointer (empty, or beginning with a slash), or a path (``a.b[].c``,
                ``@`` for the root). The last step may be a member that is not there yet;
                in a pointer ``-`` is the end of an array.
            value: What a tree may hold. A string stays a string, whatever is in it.

        Returns:
            How many places there were.

        Raises:
            DecodeError: If there is no such place, or the value is none that JSON knows.
            SpecError: If it is neither a pointer nor a path.
            TypeError: If it is not a str.
        """
        Parts().add(value)
        found = self.places(place, new=True)
        for each in found:
            each.put(deepcopy(value))
        return len(found)

    def delete(self, place: str) -> int:
        """
        Take a member or an element away, or several.

        Args:
            place: A pointer or a path, as for ``set``.

        Returns:
            How many there were.

        Raises:
            DecodeError: If there is no such place, or it is the root.
            SpecError: If it is neither a pointer nor a path.
        """
        found = self.places(place)
        # Elements from the last on, so that the others stay where they are.
        for each in reversed(found):
            each.take()
        return len(found)

    def places(self, place: str, *, new: bool = False) -> list[Place]:
        """
        List the places that a pointer or a path names, in document order.

        They hold until the tree is changed otherwise than by ``put``.

        Args:
            place: As for ``set``.
            new: Whether the last step may be a member that is not there yet; in a pointer
                ``-`` is the end of an array then.

        Raises:
            DecodeError: If there is none.
            SpecError: If it is neither a pointer nor a path.
        """
        return places(self._root, place, new=new)

    def is_shut(self, address: Address) -> bool:
        """Tell whether a layer that holds JSON is declared at an address, but was not opened."""
        if self._engine.plan is None:
            return False
        shapes, contents = self._declared
        here = ROOT
        for step in address.steps():
            shapes = contents.get(here, shapes)
            if isinstance(step, str):
                shapes = members_of(shapes, step)
            else:
                shapes = elements_of(shapes, step)
            here = Address(here, step)
        is_json = any(a.codecs[-1] == "json" for shape in shapes for a in shape.alternatives)
        return is_json and address not in contents

    @cached_property
    def _declared(self) -> tuple[Shapes, dict[Address, Shapes]]:
        """What is declared of the root, and of what is in each layer that was opened."""
        trace = self._trace
        return trace.shapes, {
            opening.address: () if opening.content is None else (opening.content,)
            for opening in trace.openings
        }

    def collapse(self, *, by_value: bool = False) -> bytes:
        """
        Put every layer back.

        Args:
            by_value: Whether numbers that are equal are the same, whatever their type:
                100000 in the place of 1E5 is no change then. For trees that another
                program wrote.

        Of a tree that was not changed these are the bytes that were opened. Otherwise all
        bytes stay but those of what was changed, at every layer, and what is new is
        written as its neighbours are. Changed means different by type and value; the
        order of an object's members does not count, and a new member goes after the one
        that it follows in the tree.

        - A layer stays one as long as its value is one that the layer admits: any object
          or array where layers are found. Any other value takes the string's place.
        - A new value is written as it is, a string as a string, but where a layer is
          declared and there was a string, null or nothing: there it becomes a layer.
        - A new element of an array is written as the element before it: what is a layer
          in that one is a layer in the new one too. A member under another name, and an
          element in another place, are written as they were.
        - What a policy made null or took away comes back, unless it was changed.
        - A base64 or gzip layer that was changed is encoded anew, always in the same way.

        Raises:
            DecodeError: If the tree holds what JSON does not know.
        """
        if self._fingerprint is not None and _fingerprint(self.tree) == self._fingerprint:
            return self.raw
        changed = collapse(_text(self.raw), self._trace, self.tree, by_value=by_value).encode()
        return BOM + changed if self.raw.startswith(BOM) else changed


def text_of(engine: Engine, document: Any) -> bytes:
    """Return the text of a document; of what such a text holds, the compact one."""
    if isinstance(document, (bytes, bytearray, memoryview)):
        return bytes(document)
    if not isinstance(document, str):
        tree = engine.read(document)
        Parts().add(tree)
        return dump(tree)
    try:
        return document.encode()
    except UnicodeEncodeError:
        pass
    # Only now that it is known to be JSON: after a backslash, an escape would make it so.
    engine.read(document)
    return document.encode("utf-8", "backslashreplace")


def _fingerprint(tree: Any) -> bytes | None:
    """Return what is the same for the same tree, in bounded space; None if it can't be told."""
    packed = pack(tree)
    # A digest takes as long as all of the rest where trees are small.
    return packed if packed is None or len(packed) <= 4096 else sha256(packed).digest()


def _text(raw: bytes) -> str:
    return raw.removeprefix(BOM).decode()


def _size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def _layers(text: str, openings: list[Opening]) -> Iterator[OpenLayer]:
    """List the layers, looking for the token of each."""
    # Where containers are, those around a layer before those in it. The text of a layer is
    # looked through only if there is another in it: most hold none.
    known: dict[Address, tuple[Text, int]] = {}
    texts = {ROOT: text}
    for opening in openings:
        depth = opening.around
        below, address = [], opening.address
        while address not in known and address not in texts and address.around is not None:
            below.append(address)
            address = address.around
        if address in texts:
            entered = Text(texts.pop(address))
            known[address] = entered, entered.root[0]
        around, start = known[address]
        for address in reversed(below):
            start = around.value_of(start, address.step)
            known[address] = around, start
        for codecs, string in opening.layers:
            depth += 1
            escaped = _size(around.token(start))
            names = codecs[:-1] if codecs[-1] == "json" else codecs
            inside = undo(names, string)[-1].decode() if names else string
            sizes = _size(string), escaped, _size(inside)
            yield OpenLayer(opening.address, codecs, depth, string, *sizes)
            around = Text(inside)
            start = around.root[0]
        # In place of where the token is.
        known.pop(opening.address, None)
        texts[opening.address] = around.text


def _strings(tree: Any) -> Iterator[tuple[Address, str]]:
    """List the strings of a tree with their places, in document order."""
    waiting: list[tuple[Address, Any]] = [(ROOT, tree)]
    while waiting:
        address, value = waiting.pop()
        if type(value) is str:
            yield address, value
        elif type(value) is dict:
            waiting += reversed([(Address(address, k), child) for k, child in value.items()])
        elif type(value) is list:
            waiting += reversed([(Address(address, i), child) for i, child in enumerate(value)])


def _lookalike(address: Address, string: str, reader: Reader) -> Lookalike | None:
    value: Any = string
    reason = "not declared"
    while type(value) is str:
        first = value.lstrip(WHITESPACE + "\ufeff")[:1]
        if not first or first not in '{["':
            return None
        try:
            value = reader.parse(value.strip(WHITESPACE))
        except DecodeError as error:
            if first == '"':
                return None
            reason = error.reason
            break
    return Lookalike(address, reason, _size(string))
