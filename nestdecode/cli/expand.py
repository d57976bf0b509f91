"""``nestdecode expand``."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input

__all__ = ["command"]


@click.command("expand", short_help="Open every layer of each document.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@options.decoding
@options.framing
@options.output
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    framing: Any,
    compact: bool,
    indent: int | None,
    color: Any,
    jobs: int | None,
    progress: bool | None,
    dead_letters: str | None,
    fail_fast: bool,
    summary: Any,
    **decoding: Any,
) -> int:
    """
    Open every layer of each document in FILE (default: standard input).

    \b
    nestdecode expand response.json                  indented on a terminal
    nestdecode expand events.ndjson | jq .detail     one line a record in a pipe
    nestdecode expand --spec aws/sqs-sns event.json  only what the spec names
    kubectl logs -f pod | nestdecode expand --lines

    A layer that a spec declares and that does not open stays a string and is told on
    stderr. A record that is no JSON is told too, and kept with --dead-letters; all others
    are written, and the exit code is 5.
    """
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
    decoder = options.decoder_from(decoding, session.problem)
    output = Output(indent=0 if compact else indent, color=color)
    session.run(
        decoder.expand, output, decoder.limits.max_record_bytes, many=decoder.engine.expand_many
    )
    return session.code
