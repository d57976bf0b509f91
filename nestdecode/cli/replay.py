"""``nestdecode replay``."""

from __future__ import annotations

from functools import partial

import click

from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.stream import DeadLetter, original
from nestdecode.text.reader import RANGES, Limits

__all__ = ["command"]


@click.command("replay", short_help="Write the records that dead letters hold.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option(
    "--max-record-bytes",
    "most",
    type=click.IntRange(*RANGES["max_record_bytes"]),
    default=Limits().max_record_bytes,
    metavar="N",
    help=f"Most bytes of one record. [default: {Limits().max_record_bytes}]",
)
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...], most: int) -> int:
    """
    Write the records that the dead letters in FILE (default: standard input) hold.

    \b
    nestdecode expand --dead-letters dead.ndjson events.ndjson > good.ndjson
    nestdecode replay dead.ndjson                   each record as it came
    nestdecode replay dead.ndjson | nestdecode expand --on-error keep

    A record that was too long to be kept is reported on stderr, and the exit code is 5.
    """
    need_input(ctx, files)
    session = Session(files, "lines", jobs=1, progress=False, hints=False)
    output = Output()
    output.text = output.as_it_is
    session.run(
        partial(original, max_record_bytes=most),
        output,
        DeadLetter.most_bytes(most),
        too_long=f"longer than a dead letter under --max-record-bytes={most}",
    )
    return session.code
