"""Expanded records that were edited, put in the place of those that they come from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from nestdecode.cli.files import Found, Key, Original, Pieces, check_size, tried
from nestdecode.cli.output import RefusedError, about, note
from nestdecode.cli.progress import progress
from nestdecode.decoder import Decoder
from nestdecode.document.looking import BOM
from nestdecode.document.pairing import Pairing, digest, paired, traits
from nestdecode.errors import DecodeError
from nestdecode.words import count

__all__ = ["Restoring"]


class Restoring:
    """
    Edited records on their way back into the file that was expanded.

    Some may have been changed, removed, added or put into another order. Those that are the
    same are written as they were, byte for byte; an added one is written like the record
    before it.

    Args:
        original: The file that was expanded.
        decoder: The one that expanded it.
        key: What pairs records, asked of their trees; without it their content does.
    """

    def __init__(self, original: Original, decoder: Decoder, key: str | None = None) -> None:
        self._original = original
        self._decoder = decoder
        self._key = None if key is None else Key(decoder, key)
        self._by_value = decoder.engine.numbers == "double"
        # Where the original's records are.
        self._spans: list[tuple[int, int]] = []
        # The edited records, and how they are called in messages.
        self._raws: list[tuple[bytes, str]] = []
        self._name = ""
        self._pairing = Pairing([], 0)
        # Strings of the original whose values were written in their place, as they opened.
        self._left_open = 0

    def text(self, name: str, edited: Iterator[Found]) -> bytes:
        """
        Return what the file is to hold.

        Args:
            name: How the edited file is called in messages.
            edited: Its records.

        Raises:
            RefusedError: If a record can't be read, or this is too much.
        """
        self._name = name
        old, new = list(self._known()), list(self._edited(edited))
        if self._key is not None and new and all(key == b"null" for key, _ in old + new):
            raise RefusedError(
                name, "--key is null for every record: wanted a value that differs by record", 2
            )
        self._pairing = paired(
            old, new, lambda i: traits(self._old(i)), lambda j: traits(self._new(*self._raws[j]))
        )
        return self._put(self._pairing.sources)

    def say(self) -> None:
        """Say what was left out, added, and left open, if anything was."""
        added = self._pairing.sources.count(None)
        removed = len(self._spans) - (len(self._pairing.sources) - added)
        facts = [
            f"{count(number, 'record')} {what}"
            for number, what in ((removed, "left out"), (added, "added"))
            if number
        ]
        if self._pairing.guesses:
            facts.append(
                f"{self._pairing.guesses:,} changed, and paired with the most similar record"
            )
        if facts:
            note(about(self._original.name, ", ".join(facts)))
        if self._left_open:
            layers = f"{count(self._left_open, 'layer')} left open: not in the spec"
            note(about(self._original.name, f"{layers}; leave out --spec if expand had none"))

    def _known(self) -> Iterator[tuple[Any, int]]:
        """Go through keys and digests of the original's records, noting where these are."""
        name = self._original.name
        for record, where in self._original.records():
            end = record.offset + len(record.raw)
            # The mark stays where it is, whichever record is the first one.
            start = record.offset + (len(BOM) if record.raw.startswith(BOM) else 0)
            self._spans.append((start, end))
            tree = tried(name, where, self._decoder.expand, record.raw)
            yield self._key and self._key.of(name, where, tree), digest(tree)

    def _edited(self, edited: Iterator[Found]) -> Iterator[tuple[Any, int]]:
        """Go through keys and digests of the edited records, noting these."""
        size = 0
        for record, where in edited:
            size += len(record.raw)
            check_size(self._name, size)
            self._raws.append((record.raw, where))
            tree = self._new(record.raw, where)
            yield self._key and self._key.of(self._name, where, tree), digest(tree)

    def _old(self, index: int) -> Any:
        start, end = self._spans[index]
        return self._decoder.expand(self._original.text[start:end])

    def _new(self, raw: bytes, where: str) -> Any:
        return tried(self._name, where, self._decoder.engine.read, raw)

    def _put(self, sources: list[int | None]) -> bytes:
        """Return the text of the edited records, with what was between those of the original."""
        if not sources:
            return b""
        text, spans = self._original.text, self._spans
        pieces = Pieces(self._original.name)
        before, follows = None, False
        model = next((i for i in sources if i is not None), 0 if spans else None)
        gap = text[: spans[0][0]] if spans else b""
        for (raw, where), source in zip(self._passing(), sources, strict=True):
            if follows and source is not None and before == source - 1:
                gap = text[spans[before][1] : spans[source][0]]
            pieces.add(self._written(raw, where, source, model), gap)
            follows = source is not None
            if source is not None:
                before = model = source
            gap = self._gap_after(before)
        return pieces.end(text[spans[-1][1] :] if spans else b"\n")

    def _passing(self) -> Iterator[tuple[bytes, str]]:
        """Go through the edited records with a bar."""
        done = 0
        with progress("putting back", sum(len(raw) for raw, _ in self._raws)) as advance:
            for raw, where in self._raws:
                yield raw, where
                done += len(raw)
                advance(done)

    def _gap_after(self, index: int | None) -> bytes:
        """Return what separates a record of the original from one that did not follow it."""
        if index is None or index + 1 == len(self._spans):
            return b"\n"
        return self._original.text[self._spans[index][1] : self._spans[index + 1][0]] or b"\n"

    def _written(self, raw: bytes, where: str, source: int | None, model: int | None) -> bytes:
        """Return the text of an edited record."""
        tree = self._new(raw, where)
        return tried(self._name, where, lambda new: self._collapsed(new, source, model), tree)

    def _collapsed(self, tree: Any, source: int | None, model: int | None) -> bytes:
        index = model if source is None else source
        if index is not None:
            start, end = self._spans[index]
            document = self._decoder.open(self._original.text[start:end])
            # What a policy took away from a model is not part of what is like it.
            if source is not None or not document.problems:
                if self._decoder.spec is not None:
                    self._left_open += _left_open(document.tree, tree)
                document.tree = tree
                return document.collapse(by_value=self._by_value and source is not None)
        return self._decoder.collapse(tree)


def _left_open(old: Any, new: Any) -> int:
    """Count the strings of a tree that another has as the values that they open to."""
    found = 0
    waiting = [(old, new)]
    while waiting:
        old, new = waiting.pop()
        if type(old) is str and type(new) in (dict, list):
            with suppress(DecodeError):
                found += _FINDER.expand([old]) == [new]
        elif type(old) is dict and type(new) is dict:
            waiting += [(old[name], new[name]) for name in old.keys() & new.keys()]
        elif type(old) is list and type(new) is list:
            waiting += zip(old, new, strict=False)
    return found


_FINDER = Decoder()
