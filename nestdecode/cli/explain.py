"""``nestdecode explain``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Literal

import click

from nestdecode.census import Census
from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.output import Color, Output
from nestdecode.cli.records import RunOptions, Session
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.tables import aligned
from nestdecode.decoder import Decoder
from nestdecode.document.looking import LOOKS_LIKE, Look, look_at
from nestdecode.errors import LimitError
from nestdecode.plan.run import Trace
from nestdecode.stream import Record
from nestdecode.stream.report import Report
from nestdecode.tally import Spot, Tally
from nestdecode.text.write import dump
from nestdecode.words import count, one_line, shortened

__all__ = ["command"]

Format = Literal["tree", "table", "json"]

# SGR of ECMA-48.
_BOLD = 1
# The root, whose pointer is empty, in texts for people.
_ROOT = "(root)"
# Characters of all pointers in one JSON object, beside ten times the document's size.
MOST_POINTERS = 1 << 24


@click.command("explain", cls=Command, short_help="Show where the layers are, and what they cost.")
@options.flag(
    "--format",
    "form",
    type=click.Choice(["tree", "table", "json"]),
    help="Output format: tree for each record, a table, or json with one object per line. "
    "[default: tree for one document, table for a census]",
)
@options.flag("--json", short_for=("form", "json"), help="Same as --format json.")
@options.flag(
    "--census",
    "rows",
    short_for=("census", True),
    help="One row per path, counted over all records. [default: if there are several records]",
)
@options.flag(
    "--trees",
    short_for=("census", False),
    help="Each record, with its number. [default: if there is one record]",
)
@options.choosing
@options.decoding
@options.color
@options.target
@options.running
def command(
    form: Format | None,
    census: bool | None,
    where: str | None,
    decoding: DecodingOptions,
    color: Color,
    target: str | None,
    running: RunOptions,
) -> int:
    """
    Show where the layers are in the documents of FILE (default: standard input).

    \b
    nestdecode explain response.json                  one: a tree of layers
    nestdecode explain --format table response.json
    nestdecode explain events.ndjson                  several: a row per path
    nestdecode explain --json events.ndjson | jq 'select(.problems > 0)'
    nestdecode explain --trees --json e.ndjson | jq 'select(.problems != []).line'

    For each layer of a document: its codecs, its size, and how much of the document is
    escaping. Layers that did not open are listed with the reason, and so are strings that look
    like layers but were not opened. Long pointers are cut in the middle, except in JSON.

    A census counts for each path: records, layers, bytes of their texts, layers that stayed
    shut, and strings that look like layers; and gives the line of the first such record. With
    --json, the first row is the root: the number of all records, and of those that failed.
    Where more than 1,000 members of an object have layers, all share a row, with * for the name.
    """  # fmt: skip
    if census and form == "tree":
        raise click.UsageError("a census is a table or JSON; --trees shows each record")
    by_record = form == "tree" if census is None else not census
    # The number of a record is known to who reads all that is before it.
    session = Session(running, alone=by_record)
    decoder = decoding.decoder()
    chosen = options.where_from(where, decoder, session)
    with options.output_to(target, running.files, color=color) as output:
        trees = _Trees(decoder, form or "tree", output)
        most = decoder.limits.max_record_bytes
        run = partial(session.run, decoder.engine.trace, output, most, decoder=decoder)
        if by_record:
            output.text = output.as_it_is
            run(where=chosen, placed=trees.placed)
            return session.code
        counting = _Counting(decoder, trees, is_census=census is True)
        try:
            run(where=chosen, counter=counting)
        finally:
            # Of a stream that a signal ends, too.
            with undisturbed:
                counting.write(output, session.total, form or "table")
    return session.code


class _Trees:
    """
    What each record holds, as text.

    Args:
        decoder: What has opened it.
        form: How it is shown.
        output: Where it is shown.
    """

    def __init__(self, decoder: Decoder, form: Format, output: Output) -> None:
        self._reader = decoder.engine.reader
        self._form = form
        self._output = output

    def text(self, trace: Trace, record: Record) -> bytes:
        """Show one record."""
        look = look_at(record.raw, trace, self._reader)
        if self._form == "json":
            return self._output.as_it_is(_json(look))
        show = _tree if self._form == "tree" else _table
        return "\n".join(show(look, self._output)).encode()

    def headed(self, text: bytes, source: str, number: int, line: int) -> bytes:
        """Say which record a text shows."""
        if self._form == "json":
            place = self._output.as_it_is(dump({"record": number, "line": line, "source": source}))
            return place[:-1] + b"," + text[1:]
        where = "" if source == "stdin" else f" of {one_line(source)}"
        return f"record {number}, line {line}{where}:\n".encode() + text

    def placed(self, trace: Trace, source: str, number: int, record: Record) -> bytes:
        """Show one record of several."""
        return self.headed(self.text(trace, record), source, number, record.line)


class _CensusPart:
    """
    A part of a census, and the text of its record, if that may be the only one.

    Attributes:
        census: Of a batch of records.
        only: The line of that record and its text, or what is wrong with it; or None.
    """

    def __init__(self) -> None:
        self.census: Census = Census()
        self.only: tuple[int, bytes | LimitError] | None = None

    def add(self, part: _CensusPart, source: str, lines: int) -> None:
        """Add the part of the records that follow."""
        self.census.add(part.census, source, lines)


class _Counting:
    """
    A census, or of one record alone what it holds.

    Args:
        decoder: What has opened the records.
        trees: Shows what one record holds.
        is_census: Whether it is one for a record alone, too.
    """

    def __init__(self, decoder: Decoder, trees: _Trees, *, is_census: bool) -> None:
        self._reader = decoder.engine.reader
        self._trees = trees
        # A process that has counted a record will not meet the only one.
        self._is_first = not is_census
        self._census = Census()
        self._ranks: dict[str, int] = {}
        self._only: tuple[str, int, bytes | LimitError] | None = None

    def begin(self) -> _CensusPart:
        """Return a part that counts nothing yet."""
        return _CensusPart()

    def count(self, part: _CensusPart, trace: Trace, record: Record, /) -> None:
        """Count what a record holds."""
        if self._is_first:
            self._is_first = False
            try:
                part.only = record.line, self._trees.text(trace, record)
            except LimitError as error:
                part.only = record.line, error
        part.census.count(trace, self._reader, record.line)

    def take(self, part: _CensusPart, source: str, lines: int) -> None:
        """Take a part, in the order of the records; so many lines of its source are before it."""
        if part.only is not None and not self._census.records:
            line, text = part.only
            self._only = source, lines + line, text
        rank = self._ranks.setdefault(source, len(self._ranks))
        self._census.add(part.census, source, lines, rank)

    def write(self, output: Output, total: Report, form: Format) -> None:
        """
        Write it.

        Raises:
            LimitError: If the one record can't be shown.
        """
        if not total.records or isinstance(sys.exc_info()[1], BrokenPipeError):
            return
        if self._only is not None and total.records == 1:
            source, line, text = self._only
            if isinstance(text, LimitError):
                raise text
            if form == "json":
                text = self._trees.headed(text, source, 1, line)
        else:
            if form == "json":
                text = output.as_it_is(b"\n".join(_census_json(self._census, total)))
            else:
                text = "\n".join(_census_table(self._census, total, output)).encode()
        output.write([text + b"\n"] if text else [])


def _census_json(census: Census, total: Report) -> Iterator[bytes]:
    root = {"path": "@", "records": total.records, "failed": total.failed}
    yield dump(root | _facts(census.tallies.root))
    for path, records, place in census.rows():
        if place is not census.tallies.root:
            yield dump({"path": path, "records": records} | _facts(place))


def _facts(row: Tally) -> dict[str, Any]:
    problem = look = None
    if row.problem is not None:
        spot, codec, reason = row.problem
        problem = {"codec": codec, "reason": reason} | _spot(spot)
    if row.lookalike is not None:
        spot, reason = row.lookalike
        look = {"reason": reason} | _spot(spot)
    return {
        "codecs": [list(codecs) for codecs in sorted(row.opened)],
        "layers": row.layers,
        "size": row.size,
        "problems": row.problems,
        "lookalikes": row.lookalikes,
        "first": None if row.first is None else _spot(row.first),
        "first_problem": problem,
        "first_lookalike": look,
    }


def _spot(spot: Spot) -> dict[str, Any]:
    return {"source": spot.source, "line": spot.line}


def _census_table(census: Census, total: Report, output: Output) -> Iterator[str]:
    rows = [
        (shortened(path), "" if records is None else f"{records:,}", row)
        for path, records, row in census.rows()
    ]
    failed = f", {total.failed:,} of them failed" if total.failed else ""
    layers = sum(row.layers for _, _, row in rows)
    yield f"{count(total.records, 'record')}{failed}; {count(layers, 'layer')}"
    if not rows:
        return
    sources = {row.first.source for _, _, row in rows if row.first is not None}

    def where(spot: Spot | None) -> str:
        if spot is None:
            return ""
        return f"{f'{spot.source}: ' if len(sources) > 1 else ''}line {spot.line}"

    cells: list[tuple[str, ...]] = [
        ("PATH", "CODECS", "RECORDS", "LAYERS", "BYTES", "SHUT", "FIRST", "")
    ]
    cells += [
        (
            path,
            ", ".join(" | ".join(codecs) for codecs in sorted(row.opened)),
            records,
            *(f"{number:,}" for number in (row.layers, row.size, row.problems)),
            where(row.first),
            "; ".join(_notes(row, where)),
        )
        for path, records, row in rows
    ]
    yield from _headed(cells, (2, 3, 4, 5), output)


def _headed(rows: list[tuple[str, ...]], numbers: tuple[int, ...], output: Output) -> Iterator[str]:
    """Yield rows as lines; the first are their headings, and the last cells are notes."""
    head, *lines = aligned(rows, numbers=numbers, notes=True, width=output.width)
    yield output.painted(head, _BOLD)
    yield from lines


def _notes(row: Tally, where: Callable[[Spot], str]) -> Iterator[str]:
    if row.problem is not None:
        spot, _, reason = row.problem
        yield f"{'' if spot == row.first else where(spot) + ': '}{reason}"
    if row.lookalike is not None:
        _, reason = row.lookalike
        what = reason.removeprefix(LOOKS_LIKE) if reason.startswith(LOOKS_LIKE) else "layers"
        why = "" if reason.startswith(LOOKS_LIKE) else f": {reason}"
        verb = "looks" if row.lookalikes == 1 else "look"
        yield f"{row.lookalikes:,} {verb} like {what}{why}"


def _lost(look: Look) -> int:
    return sum(layer.escaped_size - layer.size for layer in look.layers)


def _json(look: Look) -> bytes:
    # One name can be part of the pointers of thousands of layers.
    left = MOST_POINTERS + 10 * len(look.raw)
    for kind in (look.layers, look.problems, look.lookalikes):
        for found in kind:
            left -= len(found.pointer)
            if left < 0:
                raise LimitError("the pointers to its layers are too long to be listed as JSON")
    facts = {
        "size": len(look.raw),
        "lost_to_escaping": _lost(look),
        "layers": [
            {
                "pointer": layer.pointer,
                "codecs": list(layer.codecs),
                "depth": layer.depth,
                "size": layer.size,
                "escaped_size": layer.escaped_size,
                "decoded_size": layer.decoded_size,
            }
            for layer in look.layers
        ],
        "problems": [
            {"pointer": problem.pointer, "codec": problem.codec, "reason": problem.reason}
            for problem in look.problems
        ],
        "lookalikes": [
            {"pointer": alike.pointer, "reason": alike.reason, "size": alike.size}
            for alike in look.lookalikes
        ],
    }
    return dump(facts)


def _tree(look: Look, output: Output) -> Iterator[str]:
    layers = look.layers
    deepest = max((layer.depth for layer in layers), default=0)
    size, lost = len(look.raw), _lost(look)
    escaping = f"{lost:,} of them ({100 * lost / max(1, size):.0f}%) are escaping"
    yield f"{count(len(layers), 'layer')}, {deepest} deep, in {size:,} bytes; {escaping}"
    rows = [
        (
            "  " * layer.depth + (layer.address.brief or _ROOT),
            " | ".join(layer.codecs),
            f"{layer.size:,} bytes",
            "" if layer.decoded_size == layer.size else f"opens to {layer.decoded_size:,}",
        )
        for layer in layers
    ]
    yield from aligned(rows, numbers=(2, 3), width=output.width)
    for title, found in (
        ("did not open:", [(one.brief, one.reason) for one in look.problems]),
        (
            "look like layers, and were not opened:",
            [(one.address.brief, one.reason) for one in look.lookalikes],
        ),
    ):
        if found:
            yield title
            shut = [(f"  {brief or _ROOT}", reason) for brief, reason in found]
            yield from aligned(shut, notes=True, width=output.width)


def _table(look: Look, output: Output) -> Iterator[str]:
    rows: list[tuple[str, ...]] = [
        ("POINTER", "CODECS", "DEPTH", "SIZE", "ESCAPED", "DECODED", "STATE", "")
    ]
    rows += [
        (
            layer.address.brief or _ROOT,
            " | ".join(layer.codecs),
            *(f"{n:,}" for n in (layer.depth, layer.size, layer.escaped_size, layer.decoded_size)),
            "open",
            "",
        )
        for layer in look.layers
    ]
    rows += [
        (p.brief or _ROOT, p.codec or "", "", "", "", "", "shut", p.reason) for p in look.problems
    ]
    rows += [
        (k.address.brief or _ROOT, "", "", f"{k.size:,}", "", "", "not opened", k.reason)
        for k in look.lookalikes
    ]
    yield from _headed(rows, (2, 3, 4, 5), output)
