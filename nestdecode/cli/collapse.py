"""``nestdecode collapse``."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, records_of, write_out
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.cli.restoring import Restoring
from nestdecode.decoder import Decoder

__all__ = ["command"]


@click.command("collapse", short_help="Put the layers of expanded documents back.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option(
    "--like",
    "like",
    type=click.Path(),
    metavar="ORIGINAL",
    help="The file that was expanded; what was not changed is written as it is there.",
)
@click.option(
    "--key",
    metavar="EXPR",
    help="With --like: pair records for which this JMESPath gives the same value. "
    "[default: pair by content]",
)
@options.decoding
@options.framing
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    files: tuple[str, ...],
    like: str | None,
    key: str | None,
    framing: Any,
    jobs: int | None,
    progress: bool | None,
    dead_letters: str | None,
    fail_fast: bool,
    summary: Any,
    **decoding: Any,
) -> int:
    """
    Put the layers of the expanded documents in FILE (default: standard input) back.

    \b
    nestdecode expand a.json > b.json; vi b.json
    nestdecode collapse --like a.json b.json       a.json, changed where b.json is
    nestdecode collapse --spec aws/sqs-sns b.json  the layers of a spec, compact
    nestdecode expand a.ndjson | jq -c 'select(.id > 7)' |
      nestdecode collapse --like a.ndjson      records left out

    Give --like, --spec, or both. With --like, every byte outside of the changes stays as it
    is in ORIGINAL; add --spec if ORIGINAL was expanded with one. With --spec alone, the
    layers that the spec names are written in compact form.

    With --like, records may be removed, added and moved. They are paired with the records of
    ORIGINAL by --key; without it, equal ones first and the others in order. A number equal
    to the old one (100000 for 1E5) is not a change, except with --numbers exact. If a record
    fails, nothing is written, and the exit code is 5.
    """
    need_input(ctx, files)
    decoder = options.decoder_from(decoding)
    if like is not None:
        _restore(files, like, key, decoder, framing)
        return 0
    if key is not None:
        raise click.UsageError("--key needs --like ORIGINAL")
    if decoder.spec is None:
        raise click.UsageError("collapse needs --like ORIGINAL or --spec NAME")
    session = Session(
        files,
        framing,
        jobs,
        progress,
        dead_letters=dead_letters,
        fail_fast=fail_fast,
        summary=summary,
    )
    output = Output(indent=0)

    def collapsed(raw: bytes) -> Any:
        return decoder.collapse(decoder.engine.read(raw))

    output.text = output.as_it_is
    session.run(collapsed, output, decoder.limits.max_record_bytes)
    return session.code


def _restore(
    files: tuple[str, ...], like: str, key: str | None, decoder: Decoder, framing: Any
) -> None:
    """Write the original with what was edited."""
    if len(files) > 1:
        raise click.UsageError("--like takes one FILE")
    edited = files[0] if files else "-"
    if like == edited == "-":
        raise click.UsageError("standard input can be ORIGINAL or FILE, not both")
    restoring = Restoring(Original(like, decoder, framing), decoder, key)
    most = decoder.limits.max_record_bytes
    write_out(restoring.text(edited, records_of(edited, None, most)))
    restoring.say()
