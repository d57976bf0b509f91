"""``nestdecode diff``."""

from __future__ import annotations

import tempfile
from array import array
from collections.abc import Iterator
from contextlib import ExitStack
from typing import IO, Any, NamedTuple

import click

from nestdecode.cli import options
from nestdecode.cli.files import Key, records_of, tried
from nestdecode.cli.flags import Command
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.output import Color, Output, RefusedError, note
from nestdecode.cli.progress import progress
from nestdecode.decoder import Decoder
from nestdecode.document.comparing import NOTHING, Difference, Tree, differences, tree_of
from nestdecode.document.pairing import digest, paired, traits
from nestdecode.paths import join_pointer
from nestdecode.stream import Framing
from nestdecode.text.write import dump
from nestdecode.words import one_line

__all__ = ["command"]


@click.command("diff", cls=Command, short_help="Compare two files through their layers.")
@click.argument("one", type=click.Path(allow_dash=True), metavar="A")
@click.argument("other", type=click.Path(allow_dash=True), metavar="B")
@click.option(
    "--key",
    metavar="EXPR",
    help="Pair records for which this JMESPath gives the same value. "
    "[default: pair equal records, and those between them by position]",
)
@click.option(
    "--ignore-layers", is_flag=True, help="Treat a layer and the value that it holds as equal."
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object per difference.")
@options.color
@options.target
@options.decoding
@options.framing
def command(
    one: str,
    other: str,
    key: str | None,
    ignore_layers: bool,
    as_json: bool,
    color: Color,
    target: str | None,
    framing: Framing | None,
    decoding: DecodingOptions,
) -> int:
    """
    Compare A and B through their layers, value by value.

    \b
    nestdecode diff before.json after.json
    nestdecode diff --key id before.ndjson after.ndjson
    nestdecode diff --json before.ndjson after.ndjson | jq -r .pointer

    White space, escapes and the order of members do not count. 1, 1.0 and true differ, and
    so do a layer and the value itself. A record that only one file has is one difference.
    Exit codes: 0 the files are equal, 1 they differ, 2 one of them can't be compared.
    """
    if one == other == "-":
        raise click.UsageError("standard input can be A or B, not both")
    decoder = decoding.decoder()
    pairing = None if key is None else Key(decoder, key)
    code = 0
    try:
        with ExitStack() as stack:
            output = stack.enter_context(options.output_to(target, (one, other), color=color))
            shown = _Shown(output, as_json=as_json)
            sides = [
                _Compared(
                    name, decoder, framing, pairing, stack.enter_context(tempfile.TemporaryFile())
                )
                for name in (one, other)
            ]
            for ours, theirs in _pairs(
                *sides, keyed=pairing is not None, shares=output.is_terminal
            ):
                for change in _changes(decoder, ours, theirs, ignore_layers=ignore_layers):
                    code = 1
                    shown.write(change, ours, theirs, several=any(side.count > 1 for side in sides))
    except RefusedError as error:
        error.code = 2
        raise
    return code


class _Found(NamedTuple):
    """
    A record of one file.

    Attributes:
        number: From 1.
        line: Where it begins, from 1.
        raw: Its text.
    """

    number: int
    line: int
    raw: bytes


class _Compared:
    """
    The records of one file.

    Args:
        name: The file's.
        decoder: Opens them.
        framing: Given, or None to detect it in the text.
        key: What pairs them, or None.
        store: A file for those that are kept until all have been read.

    Attributes:
        count: How many have been read.
        pairing: Key and digest of each that is kept.
    """

    def __init__(
        self,
        name: str,
        decoder: Decoder,
        framing: Framing | None,
        key: Key | None,
        store: IO[bytes],
    ) -> None:
        self.count = 0
        self.pairing: list[tuple[Any, int]] = []
        self._name = name
        self._decoder = decoder
        self._key = key
        self._store = store
        self._records = records_of(name, framing, decoder.limits.max_record_bytes)
        self._where = ""
        # Of each that is kept, where it begins in the store; and its number and line.
        self._starts, self._places = array("q", [0]), array("q")

    def next(self) -> _Found | None:
        """Return the next record, if there is one."""
        found = next(self._records, None)
        if found is None:
            return None
        self.count += 1
        record, self._where = found
        return _Found(self.count, record.line, record.raw)

    def keep(self, found: _Found | None) -> None:
        """Keep the record that was the last, and all that follow."""
        while found is not None:
            tree = tried(self._name, self._where, self._decoder.expand, found.raw)
            key = self._key and self._key.of(self._name, self._where, tree)
            self.pairing.append((key, digest(tree)))
            self._store.write(found.raw)
            self._starts.append(self._starts[-1] + len(found.raw))
            self._places.extend((found.number, found.line))
            found = self.next()

    def behind(self, index: int) -> int:
        """Return how many bytes those that were kept have, up to one and with it."""
        return self._starts[index + 1]

    def __getitem__(self, index: int) -> _Found:
        """Return one of those that were kept."""
        start = self._starts[index]
        self._store.seek(start)
        raw = self._store.read(self._starts[index + 1] - start)
        number, line = self._places[2 * index : 2 * index + 2]
        return _Found(number, line, raw)

    def traits(self, index: int) -> set[Any]:
        """Return what one that was kept has in common with those that are like it."""
        return traits(self._decoder.expand(self[index].raw))


def _pairs(
    one: _Compared, other: _Compared, *, keyed: bool, shares: bool
) -> Iterator[tuple[_Found | None, _Found | None]]:
    """Pair the records of two files, but those at the beginning that are the same text."""
    ours, theirs = one.next(), other.next()
    while ours is not None and theirs is not None and ours.raw == theirs.raw:
        ours, theirs = one.next(), other.next()
    one.keep(ours)
    other.keep(theirs)
    keys = [key for side in (one, other) for key, _ in side.pairing]
    if keyed and keys and all(key == b"null" for key in keys):
        note("--key is null for every record that differs: they are paired by their content")
    # Without a key their order is what they have.
    pairing = paired(one.pairing, other.pairing, one.traits, other.traits, moves=keyed)
    sources = pairing.sources
    found = set(sources)
    gone = (i for i in range(len(one.pairing)) if i not in found)
    next_gone = next(gone, None)
    total = other.behind(len(sources) - 1)
    with progress("comparing", total, shares=shares) as advance:
        for j, i in enumerate(sources):
            while i is not None and next_gone is not None and next_gone < i:
                yield one[next_gone], None
                next_gone = next(gone, None)
            yield None if i is None else one[i], other[j]
            advance(other.behind(j))
    while next_gone is not None:
        yield one[next_gone], None
        next_gone = next(gone, None)


def _changes(
    decoder: Decoder, one: _Found | None, other: _Found | None, *, ignore_layers: bool
) -> Iterator[Difference]:
    """List what differs between two records, of which one may not be there."""
    if one is not None and other is not None and one.raw == other.raw:
        return iter(())
    trees = [
        Tree(NOTHING, {})
        if found is None
        else Tree(decoder.expand(found.raw), {})
        if ignore_layers
        else tree_of(decoder.engine.trace(found.raw))
        for found in (one, other)
    ]
    return differences(*trees)


class _Shown:
    """
    Writes differences.

    Args:
        output: Where to.
        as_json: Whether one is an object.
    """

    def __init__(self, output: Output, *, as_json: bool) -> None:
        self._output = output
        self._as_json = as_json

    def write(
        self, change: Difference, one: _Found | None, other: _Found | None, *, several: bool
    ) -> None:
        """Write what differs between two records; they have numbers if there are several."""
        sides = [
            (sign, name, value, found if several else None)
            for sign, name, value, found in (
                ("-", "a", change.old, one),
                ("+", "b", change.new, other),
            )
            if value is not NOTHING
        ]
        pointer = join_pointer(change.path)
        if self._as_json:
            facts: dict[str, Any] = {
                name: {"record": found.number, "line": found.line}
                for name, found in (("a", one), ("b", other))
                if found is not None and several
            }
            facts |= {"pointer": pointer}
            facts |= {"old" if sign == "-" else "new": value for sign, _, value, _ in sides}
            self._output.write_text(self._output.as_it_is(dump(facts) + b"\n"))
            return
        for sign, _, value, found in sides:
            words = [] if found is None else [f"record {found.number}"]
            # A record that is there in one file only is one difference, wherever it was.
            if not words or pointer or (one and other):
                words.append(pointer or "(root)")
            line = f"{sign} {one_line(' '.join(words))}: {dump(value).decode()}"
            self._output.write_text(self._output.marked(line, _COLORS[sign]))


# Of a difference, by its sign.
_COLORS = {"-": 31, "+": 32}
