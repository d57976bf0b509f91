"""The Document: an expanded tree and its original text, so that changes can be put back."""

from __future__ import annotations

from copy import deepcopy
from functools import cached_property
from hashlib import sha256
from typing import Any

from nestdecode.asking import Asker
from nestdecode.document.closing import Shapes, elements_of, members_of
from nestdecode.document.collapse import collapse
from nestdecode.document.looking import BOM, Lookalike, OpenLayer, layers_of, lookalikes_of
from nestdecode.document.parts import check_tree
from nestdecode.document.places import Place, places
from nestdecode.engine import Engine
from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Trace
from nestdecode.text.write import dump, pack
from nestdecode.words import count

__all__ = ["Document", "text_of"]


class Document:
    r"""
    An expanded document with its original text. Made by ``Decoder.open``.

    ``tree`` is plain data, to be changed in place or replaced; ``collapse`` puts it back
    into the original text, layers included.

    >>> import nestdecode
    >>> raw = b'{"id": 7,  "body": "{\\"a\\": 1.0, \\"b\\": 2}"}'
    >>> document = nestdecode.Decoder().open(raw)
    >>> document.tree["body"]["b"] = [3]
    >>> document.collapse()
    b'{"id": 7,  "body": "{\\"a\\": 1.0, \\"b\\": [3]}"}'

    ``layers``, ``problems`` and ``lookalikes`` describe the original text, whatever became
    of the tree; each costs another expansion, on first use. Not thread-safe.

    Attributes:
        raw: The original text, in UTF-8.
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
        """The expanded tree; change it in place, or assign another."""
        return self._root[0]

    @tree.setter
    def tree(self, tree: Any) -> None:
        self._root[0] = tree

    @cached_property
    def layers(self) -> list[OpenLayer]:
        """The layers that were opened, in document order."""
        return list(layers_of(self.raw, self._trace.openings))

    @cached_property
    def problems(self) -> list[DecodeError]:
        """The problems: a DecodeError for each layer that stayed shut, in the order of trying."""
        return list(self._trace.problems.values())

    @cached_property
    def lookalikes(self) -> list[Lookalike]:
        """
        The strings that look like layers and were not opened, in document order.

        Such a string begins like a JSON object or array: as it is, after blanks or a byte
        order mark, as a JSON string of such a text, or once base64, gzip or escapes are
        undone. Strings that are among the problems are left out.
        """
        return list(lookalikes_of(self._trace, self._engine.reader))

    @property
    def _trace(self) -> Trace:
        # Not cached: its tree is as large as the one that the document holds already.
        return self._engine.trace(self.raw)

    def query(self, expression: str) -> Any:
        """
        Return the answer of a query of the tree as it is now.

        >>> import nestdecode
        >>> nestdecode.Decoder().open('{"a": "[1, 2]"}').query("sum(a)")
        3

        Args:
            expression: A JMESPath expression, or ``:name`` for a query that the spec names.

        Returns:
            The answer. It shares no dict or list with the tree.

        Raises:
            QueryError: If the expression is wrong, or if a function in it refuses a value
                of the tree.
            TypeError: If *expression* is not a str.
        """
        return self._asker.search(expression, self.tree)

    def set(self, place: str, value: Any) -> int:
        """
        Set every place that a pointer or a path names to a copy of a value.

        >>> import nestdecode
        >>> document = nestdecode.Decoder().open('{"users": [{"age": 1}, {"age": 2}]}')
        >>> document.set("users[].age", 3), document.set("/users/-", {"age": 4})
        (2, 1)
        >>> document.tree
        {'users': [{'age': 3}, {'age': 3}, {'age': 4}]}

        Args:
            place: A pointer (RFC 6901: empty, or starting with a slash), or a path
                (``a.b[].c``; ``@`` is the root). Its last step may be a member that does not
                exist yet; in a pointer, ``-`` is the place after the last element.
            value: A tree. A string stays a string, even if it holds JSON.

        Returns:
            The number of places that were set.

        Raises:
            DecodeError: If there is no such place, or *value* is not JSON.
            SpecError: If *place* is neither a pointer nor a path.
            TypeError: If *place* is not a str.
        """
        found = self.places(place, new=True)
        try:
            check_tree(value)
        except DecodeError as error:
            mistake = type(error)(error.reason, f"{found[0].address}{error.pointer}")
        else:
            for each in found:
                each.put(deepcopy(value))
            return len(found)
        # Outside the handler: an error has no context.
        raise mistake

    def delete(self, place: str) -> int:
        """
        Remove every member and element that a pointer or a path names.

        >>> import nestdecode
        >>> document = nestdecode.Decoder().open('{"users": [{"id": 1, "age": 2}, {"age": 3}]}')
        >>> document.delete("users[].age"), document.tree
        (2, {'users': [{'id': 1}, {}]})

        Args:
            place: As for ``set``; it must exist.

        Returns:
            The number of places that were removed.

        Raises:
            DecodeError: If there is no such place, or it is the root.
            SpecError: If *place* is neither a pointer nor a path.
            TypeError: If *place* is not a str.
        """
        found = self.places(place)
        # From the last to the first, so that indexes of those that are left stay right.
        for each in reversed(found):
            each.take()
        return len(found)

    def places(self, place: str, *, new: bool = False) -> list[Place]:
        """
        Return the places that a pointer or a path names, in document order.

        >>> import nestdecode
        >>> document = nestdecode.Decoder().open('{"users": [{"age": 2}, {"age": 3}]}')
        >>> [(str(place.address), place.value) for place in document.places("users[].age")]
        [('/users/0/age', 2), ('/users/1/age', 3)]

        Each has ``value``, ``address``, ``put(value)`` and ``take()``. They are valid until
        the tree is changed by anything except their own ``put``.

        Args:
            place: As for ``set``.
            new: Whether the last step may be a member that does not exist yet, or ``-`` in
                a pointer, as for ``set``.

        Raises:
            DecodeError: If there is no such place.
            SpecError: If *place* is neither a pointer nor a path.
            TypeError: If *place* is not a str.
        """
        return places(self._root, place, new=new)

    def is_shut(self, address: Address) -> bool:
        """Return whether a layer of JSON is declared at an address and was not opened."""
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
        """The shapes of the root, and of the content of each layer that was opened."""
        trace = self._trace
        return trace.shapes, {
            opening.address: () if opening.content is None else (opening.content,)
            for opening in trace.openings
        }

    def collapse(self, *, by_value: bool = False) -> bytes:
        """
        Return the text of the document with every layer put back.

        If the tree was not changed, this is ``raw``. Otherwise only the bytes of changed
        values differ from it, in every layer; new values are spaced and escaped like their
        neighbours. A value is changed if its type or value differs; the order of an
        object's members does not count.

        - A layer whose value is changed stays a layer if it admits the new value: where
          layers are detected, any object or array. Another value takes the string's place.
        - A new value becomes a layer where one is declared and there was a string, null or
          nothing. Elsewhere it is written as it is, and a string as a string.
        - A new member follows the member before it in the tree. A new element is written
          like the element before it: the layers of that one are layers in it too. A
          renamed member and a moved element keep their text.
        - A layer that a policy made null or dropped comes back, unless it was changed.
        - A changed base64 or gzip layer is encoded again, with the same alphabet and
          padding; equal input gives equal bytes.

        Args:
            by_value: Whether numbers that are equal in value are unchanged, whatever their
                type, such as 100000 for 1E5: for trees that another program wrote.

        Raises:
            DecodeError: If the tree holds a value that JSON does not know, such as NaN.
            LimitError: If it has more than 254 arrays and objects inside one another.
        """
        if self._fingerprint is not None and _fingerprint(self.tree) == self._fingerprint:
            return self.raw
        changed = collapse(_text(self.raw), self._trace, self.tree, by_value=by_value).encode()
        return BOM + changed if self.raw.startswith(BOM) else changed


def text_of(engine: Engine, document: Any) -> bytes:
    """Return the text of a document in UTF-8; of an already parsed one, compact JSON."""
    if isinstance(document, (bytes, bytearray, memoryview)):
        return bytes(document)
    if not isinstance(document, str):
        tree = engine.read(document)
        tree = tree if engine.plan is None else engine.plan.with_texts(tree)
        check_tree(tree)
        return dump(tree)
    try:
        return document.encode()
    except UnicodeEncodeError:
        pass
    # Refuse what is not JSON before escaping: a lone surrogate after a backslash would turn
    # into the valid escape of a backslash.
    engine.read(document)
    return document.encode("utf-8", "backslashreplace")


def _fingerprint(tree: Any) -> bytes | None:
    """Return bytes that are equal for equal trees, 4 KiB at most; None if it can't be packed."""
    packed = pack(tree)
    # For small trees a digest would double the time.
    return packed if packed is None or len(packed) <= 4096 else sha256(packed).digest()


def _text(raw: bytes) -> str:
    return raw.removeprefix(BOM).decode()
