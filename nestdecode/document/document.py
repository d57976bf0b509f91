"""A document that was opened, and can be put back: the tree, and beside it where it came from."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from hashlib import sha256
from typing import Any

from nestdecode.asking import Asker
from nestdecode.document.closing import Shapes, elements_of, members_of
from nestdecode.document.collapse import collapse
from nestdecode.document.looking import BOM, Lookalike, OpenLayer, layers_of, lookalikes_of
from nestdecode.document.parts import Parts
from nestdecode.document.places import Place, places
from nestdecode.engine import Engine
from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Trace
from nestdecode.text.write import dump, pack
from nestdecode.words import count

__all__ = ["Document", "text_of"]


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

    def __repr__(self) -> str:
        return f"<Document: {count(len(self.raw), 'byte')}>"

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
        return list(layers_of(self.raw, self._trace.openings))

    @cached_property
    def problems(self) -> list[DecodeError]:
        """The layers that stayed shut, in the order in which they were tried."""
        return list(self._trace.problems.values())

    @cached_property
    def lookalikes(self) -> list[Lookalike]:
        """
        The strings that look like layers and were not opened, in document order.

        They begin as JSON does, after blanks or a byte order mark, or once base64, gzip or
        escapes are undone; or they are JSON strings that do. What is among the problems is
        not here.
        """
        return list(lookalikes_of(self._trace, self._engine.reader))

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
        tree = tree if engine.plan is None else engine.plan.with_texts(tree)
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
