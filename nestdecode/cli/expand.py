"""``nestdecode expand``."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.stream.answering import MALFORMED, Malformed

__all__ = ["command"]


@click.command("expand", short_help="Open every layer of each document.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@options.choosing
@click.option("--original", is_flag=True, help="Write each record as it came, byte for byte.")
@click.option(
    "--malformed",
    type=click.Choice(MALFORMED),
    default="dead",
    show_default=True,
    help="For a record that is not JSON: set it aside as dead, write it as it came, or write "
    '{"message": text} (message_base64 if it is not UTF-8).',
)
@options.decoding
@options.framing
@options.output
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    where: str | None,
    original: bool,
    malformed: Malformed,
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
    nestdecode expand --where "level == 'error'" app.log
    nestdecode expand events.ndjson | jq .detail     one line per record in a pipe
    nestdecode expand --spec aws/sqs-sns event.json  only the layers of a spec
    kubectl logs -f pod | nestdecode expand --malformed keep

    A layer that the spec names and that does not open stays a string, and is reported on
    stderr. A record that is not JSON is reported on stderr and left out of the output;
    --dead-letters keeps it. The other records are written, and the exit code is 5. With
    --malformed keep or wrap, a record that is not JSON is written in its place, even with
    --where, and the exit code is 0.
    """
    need_input(ctx, files)
    session = Session(
        files,
        framing,
        jobs,
        progress,
        dead_letters=dead_letters,
        malformed=malformed,
        fail_fast=fail_fast,
        summary=summary,
    )
    # What is written as it came has no layers that could stay shut.
    decoder = options.decoder_from(decoding, None if original else session.problem)
    output = Output(indent=0 if compact else indent, color=color)
    session.run(
        decoder.expand,
        output,
        decoder.limits.max_record_bytes,
        many=decoder.engine.expand_many,
        where=options.where_from(where, decoder, session.note),
        original=original,
        decoder=decoder,
    )
    return session.code
