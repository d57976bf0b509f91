"""``nestdecode explain``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import click

from nestdecode.cli import options
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.decoder import Decoder
from nestdecode.document.document import Document
from nestdecode.errors import LimitError
from nestdecode.text.write import dump
from nestdecode.words import one_line

__all__ = ["command"]

Format = Literal["tree", "table", "json"]

# Characters of a column that others are aligned to.
WIDEST = 100
# Characters of all pointers in one JSON object, beside ten times the document's size.
MOST_POINTERS = 1 << 24


@click.command("explain", short_help="Show where the layers are, and what they cost.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "table", "json"]),
    help="How it is shown; json is one object a document. [default: tree]",
)
@click.option("--json", "form", flag_value="json", default=None, help="The same as --format json.")
@options.choosing
@options.decoding
@options.framing
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    form: Format | None,
    where: str | None,
    framing: Any,
    jobs: int | None,
    progress: bool | None,
    dead_letters: str | None,
    fail_fast: bool,
    summary: Any,
    **decoding: Any,
) -> int:
    """
    Show where the layers of each document in FILE (default: standard input) are.

    \b
    nestdecode explain response.json                  a tree of layers
    nestdecode explain --format table response.json
    nestdecode explain --json events.ndjson | jq '.layers[].pointer'

    With each layer: its codecs, its size, and the share of it that is lost to escaping.
    What did not open, and what looks like a layer and is none, is named with the reason.
    Of a long pointer the middle is left out; in JSON it is whole.
    """  # fmt: skip
    need_input(ctx, files)
    session = Session(
        files,
        framing,
        jobs,
        progress,
        dead_letters=dead_letters,
        fail_fast=fail_fast,
        summary=summary,
    )
    decoder = options.decoder_from(decoding)
    output = Output(indent=0)
    show = {"tree": _tree, "table": _table, "json": _json}[form or "tree"]
    output.text = lambda document: output.as_it_is(show(document))
    session.run(
        _opener(decoder),
        output,
        decoder.limits.max_record_bytes,
        where=options.where_from(where, decoder, session.note),
    )
    return session.code


def _opener(decoder: Decoder) -> Any:
    return lambda raw: decoder.open(raw)


def _lost(document: Document) -> int:
    return sum(layer.escaped_size - layer.size for layer in document.layers)


def _json(document: Document) -> bytes:
    # One name can be part of the pointers of thousands of layers.
    left = MOST_POINTERS + 10 * len(document.raw)
    for kind in (document.layers, document.problems, document.lookalikes):
        for found in kind:
            left -= len(found.pointer)
            if left < 0:
                raise LimitError("the pointers to its layers are too long to be listed as JSON")
    facts = {
        "size": len(document.raw),
        "lost_to_escaping": _lost(document),
        "layers": [
            {
                "pointer": layer.pointer,
                "codecs": list(layer.codecs),
                "depth": layer.depth,
                "size": layer.size,
                "escaped_size": layer.escaped_size,
                "decoded_size": layer.decoded_size,
            }
            for layer in document.layers
        ],
        "problems": [
            {"pointer": problem.pointer, "codec": problem.codec, "reason": problem.reason}
            for problem in document.problems
        ],
        "lookalikes": [
            {"pointer": look.pointer, "reason": look.reason, "size": look.size}
            for look in document.lookalikes
        ],
    }
    return dump(facts)


def _tree(document: Document) -> bytes:
    layers = document.layers
    deepest = max((layer.depth for layer in layers), default=0)
    size, lost = len(document.raw), _lost(document)
    escaping = f"{lost:,} of them ({100 * lost / max(1, size):.0f}%) are escaping"
    lines = [f"{_count(len(layers), 'layer')}, {deepest} deep, in {size:,} bytes; {escaping}"]
    rows = [
        (
            "  " * layer.depth + layer.address.brief,
            " | ".join(layer.codecs),
            f"{layer.size:,} bytes",
            "" if layer.decoded_size == layer.size else f"opens to {layer.decoded_size:,}",
        )
        for layer in layers
    ]
    lines += _columns(rows)
    for title, found in (
        ("did not open:", [(one.brief, one.reason) for one in document.problems]),
        (
            "no layers, though they look it:",
            [(one.address.brief, one.reason) for one in document.lookalikes],
        ),
    ):
        if found:
            shut = [(f"  {brief or '(root)'}", reason) for brief, reason in found]
            lines += [title, *_columns(shut)]
    return "\n".join(lines).encode()


def _table(document: Document) -> bytes:
    rows = [("POINTER", "CODECS", "DEPTH", "SIZE", "ESCAPED", "DECODED", "STATE")]
    rows += [
        (
            layer.address.brief,
            " | ".join(layer.codecs),
            str(layer.depth),
            str(layer.size),
            str(layer.escaped_size),
            str(layer.decoded_size),
            "open",
        )
        for layer in document.layers
    ]
    rows += [
        (p.brief, p.codec or "", "", "", "", "", f"shut: {p.reason}") for p in document.problems
    ]
    rows += [
        (k.address.brief, "", "", str(k.size), "", "", f"no layer: {k.reason}")
        for k in document.lookalikes
    ]
    return "\n".join(_columns(rows)).encode()


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Align the cells of rows, but not beyond what is wide already."""
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [min(WIDEST, max(map(len, column))) for column in zip(*cells, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
