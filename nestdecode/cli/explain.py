"""``nestdecode explain``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import click

from nestdecode.cli import options
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.decoder import Decoder
from nestdecode.document import Document
from nestdecode.jsontext import dump
from nestdecode.words import one_line

__all__ = ["command"]

Format = Literal["tree", "table", "json"]


@click.command("explain", short_help="Show where the layers are, and what they cost.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option(
    "--format",
    "form",
    type=click.Choice(["tree", "table", "json"]),
    help="How it is shown; json is one object a document. [default: tree]",
)
@click.option("--json", "form", flag_value="json", default=None, help="The same as --format json.")
@options.decoding
@options.framing
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    form: Format | None,
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
    session.run(_opener(decoder), output, decoder.limits.max_record_bytes)
    return session.code


def _opener(decoder: Decoder) -> Any:
    return lambda raw: decoder.open(raw)


def _facts(document: Document) -> dict[str, Any]:
    lost = sum(layer.escaped_size - layer.size for layer in document.layers)
    return {
        "size": len(document.raw),
        "lost_to_escaping": lost,
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


def _json(document: Document) -> bytes:
    return dump(_facts(document))


def _tree(document: Document) -> bytes:
    facts = _facts(document)
    layers = facts["layers"]
    deepest = max((layer["depth"] for layer in layers), default=0)
    escaping = f"{facts['lost_to_escaping']:,} of them ({_share(facts)}) are escaping"
    lines = [
        f"{_count(len(layers), 'layer')}, {deepest} deep, in {facts['size']:,} bytes; {escaping}"
    ]
    rows = [
        (
            "  " * layer["depth"] + layer["pointer"],
            " | ".join(layer["codecs"]),
            f"{layer['size']:,} bytes",
            "" if layer["decoded_size"] == layer["size"] else f"opens to {layer['decoded_size']:,}",
        )
        for layer in layers
    ]
    lines += _columns(rows)
    for title, names in (
        ("did not open:", [(p["pointer"], p["reason"]) for p in facts["problems"]]),
        (
            "no layers, though they look it:",
            [(k["pointer"], k["reason"]) for k in facts["lookalikes"]],
        ),
    ):
        if names:
            lines += [
                title,
                *_columns([(f"  {pointer or '(root)'}", reason) for pointer, reason in names]),
            ]
    return "\n".join(lines).encode()


def _table(document: Document) -> bytes:
    facts = _facts(document)
    rows = [("POINTER", "CODECS", "DEPTH", "SIZE", "ESCAPED", "DECODED", "STATE")]
    rows += [
        (
            layer["pointer"],
            " | ".join(layer["codecs"]),
            str(layer["depth"]),
            str(layer["size"]),
            str(layer["escaped_size"]),
            str(layer["decoded_size"]),
            "open",
        )
        for layer in facts["layers"]
    ]
    rows += [
        (p["pointer"], p["codec"] or "", "", "", "", "", f"shut: {p['reason']}")
        for p in facts["problems"]
    ]
    rows += [
        (k["pointer"], "", "", str(k["size"]), "", "", f"no layer: {k['reason']}")
        for k in facts["lookalikes"]
    ]
    return "\n".join(_columns(rows)).encode()


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    cells = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]


def _share(facts: dict[str, Any]) -> str:
    return f"{100 * facts['lost_to_escaping'] / max(1, facts['size']):.0f}%"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
