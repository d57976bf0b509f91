"""``nestdecode replay``."""

from __future__ import annotations

from functools import partial

import click

from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.records import RunOptions, Session
from nestdecode.stream import DeadLetter, original
from nestdecode.text.reader import RANGES, Limits

__all__ = ["command"]


@click.command(
    "replay", cls=Command, short_help="Write the records that were kept as dead letters."
)
@options.files
@options.limit(
    "max_record_bytes",
    "At most N bytes in one record.",
    click.IntRange(*RANGES["max_record_bytes"]),
)
@options.target
def command(files: tuple[str, ...], max_record_bytes: int | None, target: str | None) -> int:
    """
    Write the records that are kept as dead letters in FILE (default: standard input).

    \b
    nestdecode expand --dead-letters dead.ndjson events.ndjson > good.ndjson
    nestdecode replay dead.ndjson                   each record as it came
    nestdecode replay dead.ndjson | nestdecode expand --on-error keep

    A record that was too long to be kept is reported on stderr, and the exit code is 5.
    """
    most = max_record_bytes or Limits().max_record_bytes
    session = Session(RunOptions(files, framing="lines", jobs=1, progress=False), hints=False)
    with options.output_to(target, files) as output:
        output.text = output.as_it_is
        session.run(
            partial(original, max_record_bytes=most),
            output,
            DeadLetter.most_bytes(most),
            too_long=f"longer than a dead letter under --max-record-bytes={most}",
        )
    return session.code
