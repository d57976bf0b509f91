"""``nestdecode replay``."""

from __future__ import annotations

import click

from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.stream import original

__all__ = ["command"]

# A letter is longer than its record, whose size was limited then.
_ANY_SIZE = 1 << 60


@click.command("replay", short_help="Write the records that dead letters hold.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.pass_context
def command(ctx: click.Context, /, files: tuple[str, ...]) -> int:
    """
    Write the records that the dead letters in FILE (default: standard input) hold.

    \b
    nestdecode expand --dead-letters dead.ndjson events.ndjson > good.ndjson
    nestdecode replay dead.ndjson                   each record as it came, one a line
    nestdecode replay dead.ndjson | nestdecode expand --on-error keep

    A record that was too long to be kept is told on stderr, and the exit code is 5.
    """
    need_input(ctx, files)
    session = Session(files, "lines", jobs=1, progress=False)
    output = Output()
    output.text = output.as_it_is
    session.run(original, output, _ANY_SIZE)
    return session.code
