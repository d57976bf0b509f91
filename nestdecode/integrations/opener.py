"""What all adapters have in common: values opened, counted, and never refused."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from nestdecode.decoder import Decoder
from nestdecode.errors import DecodeError
from nestdecode.stream import DeadLetter

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["Opener", "held", "held_of", "several"]

# How the text of a container begins; and that of a string that may hold one.
_BEGINS = re.compile(r"[ \t\r\n]*+[\[{\"]")
# As many digits as the longest integers of 64 bits have; surrogates, which UTF-8 has none of;
# escapes, which hide both.
_SUSPECT = re.compile(r"[0-9]{19}|[\ud800-\udfff]|\\u")
_SUSPECT_BYTES = re.compile(rb"[0-9]{19}|\\u")


class Opener:
    """
    Opens what a host hands over, and never raises because of it.

    A string whose text is a JSON object or array becomes that, its layers open; a mapping or a
    list is opened as a document that was parsed before. Everything else stays as it is.

    Safe to share between threads; then the counts may be a little low.

    Args:
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        on_dead_letter: Takes each text that begins as JSON and is refused; what it raises is
            ignored. Its ``line`` is the number of the value, from 1, its ``offset`` is 0.
        int64: Whether the host has signed integers of 64 bits and text in UTF-8, nothing more:
            integers beyond become strings, and surrogates that have no partner their escapes.
        options: Other arguments of ``Decoder``.

    Attributes:
        decoder: Opens the values.
        opened: How many values were opened.
        failed: How many begin as JSON and were refused; they stay as they came.

    Raises:
        SpecError: If the spec is wrong.
        ValueError: If an argument is out of range.

    >>> opener = Opener()
    >>> opener.value('{"a": "[1]"}'), opener.value("up"), opener.value("[INFO] up")
    ({'a': [1]}, 'up', '[INFO] up')
    >>> opener
    <Opener: 1 opened, 1 failed>
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
        int64: bool = False,
        **options: Any,
    ) -> None:
        self.decoder: Decoder = Decoder(spec, **options)
        self.opened: int = 0
        self.failed: int = 0
        self._on_dead_letter = on_dead_letter
        self._int64 = int64

    def __repr__(self) -> str:
        return f"<Opener: {self.opened:,} opened, {self.failed:,} failed>"

    def value(self, value: Any) -> Any:
        """
        Return what a value holds, or the value itself.

        Bytes are UTF-8 text. The result shares no container with what is given.
        """
        # Whatever it is that an application logs: nothing of it may come back as an error.
        try:
            return self._opened(value)
        except DecodeError as error:
            self._refuse(value, error)
        except Exception:  # noqa: BLE001 - see above
            self.failed += 1
        return value

    def record(self, record: bytes) -> Any:
        """
        Return the tree of a record, or the record itself.

        Its whole text is one JSON document, of any kind. All else is refused: bytes come
        back, which no tree is.
        """
        # As above: a callback of the application may raise anything.
        try:
            tree = self.decoder.expand(record)
            tree = held(tree) if self._int64 else tree
            self.opened += 1
        except DecodeError as error:
            self._refuse(record, error)
        except Exception:  # noqa: BLE001 - see above
            self.failed += 1
        else:
            return tree
        return record

    def members(self, event: Mapping[str, Any], names: Iterable[str] | None) -> dict[str, Any]:
        """
        Return the members of an event that can be opened, opened.

        Args:
            event: Is not changed.
            names: Of the members to be opened; None for all.
        """
        opened: dict[str, Any] = {}
        try:
            for name in list(event) if names is None else names:
                if name in event:
                    value = event[name]
                    tree = self.value(value)
                    if tree is not value:
                        opened[name] = tree
        except Exception:  # noqa: BLE001 - as above
            self.failed += 1
        return opened

    def _opened(self, value: Any) -> Any:
        kind = type(value)
        if kind is bytes:
            text = value.decode("utf-8", "replace")
        elif kind is str:
            text = value
        elif kind is dict or kind is list:
            tree = self.decoder.expand(value)
            tree = held(tree) if self._int64 else tree
            self.opened += 1
            return tree
        else:
            return value
        if not _BEGINS.match(text):
            return value
        tree = self.decoder.expand(value)
        if type(tree) is not dict and type(tree) is not list:
            return value
        if self._int64:
            tree = held_of(tree, text, self.decoder)
        self.opened += 1
        return tree

    def _refuse(self, value: Any, error: DecodeError) -> None:
        self.failed += 1
        if self._on_dead_letter is None or not isinstance(value, (str, bytes)):
            return
        raw = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
        letter = DeadLetter(self.opened + self.failed, 0, raw, error)
        # The application goes on, whatever becomes of it.
        with contextlib.suppress(Exception):
            self._on_dead_letter(letter)


def held(tree: Any) -> Any:
    """
    Return a tree that needs signed integers of 64 bits and UTF-8, nothing more.

    Integers beyond become strings, and surrogates that have no partner their escapes.

    >>> held({"n": [2**63, -(2**63)], "s": "a" + chr(0xD800)})
    {'n': ['9223372036854775808', -9223372036854775808], 's': 'a\\\\ud800'}
    """
    kind = type(tree)
    if kind is str:
        return tree if tree.isascii() else tree.encode("utf-8", "backslashreplace").decode()
    if kind is dict:
        return {held(name): held(value) for name, value in tree.items()}
    if kind is list:
        return [held(value) for value in tree]
    return str(tree) if kind is int and not -(1 << 63) <= tree < 1 << 63 else tree


def held_of(tree: Any, text: str | bytes, decoder: Decoder) -> Any:
    """
    Return ``held(tree)``, without a walk if the text shows that nothing would change.

    Args:
        tree: What is returned.
        text: What the tree was opened from.
        decoder: What has opened it.
    """
    # The text of a layer that is encoded shows no digits.
    if decoder.spec is None:
        found = _SUSPECT.search(text) if isinstance(text, str) else _SUSPECT_BYTES.search(text)
        if not found:
            return tree
    return held(tree)


def several(names: Iterable[str] | str | None) -> tuple[str, ...] | None:
    """Return names that may be one name, or None for all."""
    return (names,) if isinstance(names, str) else None if names is None else tuple(names)
