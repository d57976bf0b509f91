"""``nestdecode collapse``."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, records_of
from nestdecode.cli.flags import Command
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.records import RunOptions, Session, need_input
from nestdecode.cli.restoring import Restoring
from nestdecode.decoder import Decoder
from nestdecode.stream import Framing

__all__ = ["command"]


@click.command("collapse", cls=Command, short_help="Put back the layers of expanded documents.")
@options.flag(
    "--like",
    type=click.Path(),
    metavar="ORIGINAL",
    excludes=["head", "jobs", "progress", "dead_letters", "fail_fast", "summary"],
    help="The file that was expanded; what was not changed is written as it is there.",
)
@click.option(
    "--key",
    metavar="EXPR",
    help="With --like: pair records for which this JMESPath gives the same value. "
    "[default: pair by content]",
)
@options.decoding
@options.target
@options.running
def command(
    like: str | None,
    key: str | None,
    decoding: DecodingOptions,
    target: str | None,
    running: RunOptions,
) -> int:
    """
    Put back the layers of the expanded documents in FILE (default: standard input).

    \b
    nestdecode expand a.json > b.json; vi b.json
    nestdecode collapse --like a.json b.json       a.json, changed where b.json is
    nestdecode collapse --spec aws/sqs-sns b.json  the layers of a spec, compact
    nestdecode expand a.ndjson | jq -c 'select(.id > 7)' |
      nestdecode collapse --like a.ndjson      some records removed

    Give --like, --spec, or both. With --like, every byte outside of the changes stays as it
    is in ORIGINAL; add --spec if ORIGINAL was expanded with one. With --spec alone, the
    layers that the spec names are written in compact form.

    With --like, records may be removed, added and moved. They are paired with the records of
    ORIGINAL by --key; without it, equal ones first and the others in order. A number equal
    to the old one (100000 for 1E5) is not a change, except with --numbers exact. If a record
    fails, nothing is written, and the exit code is 5.
    """
    need_input(running.files)
    decoder = decoding.decoder()
    if like is not None:
        _restore(running.files, like, key, decoder, running.framing, target)
        return 0
    if key is not None:
        raise click.UsageError("--key needs --like ORIGINAL")
    if decoder.spec is None:
        raise click.UsageError("collapse needs --like ORIGINAL or --spec NAME")
    session = Session(running)

    def collapsed(raw: bytes) -> Any:
        return decoder.collapse(decoder.engine.read(raw))

    with options.output_to(target, running.files) as output:
        output.text = output.as_it_is
        session.run(collapsed, output, decoder.limits.max_record_bytes, decoder=decoder)
    return session.code


def _restore(
    files: tuple[str, ...],
    like: str,
    key: str | None,
    decoder: Decoder,
    framing: Framing | None,
    target: str | None,
) -> None:
    """Write the original with what was edited."""
    if len(files) > 1:
        raise click.UsageError("--like takes one FILE")
    edited = files[0] if files else "-"
    if like == edited == "-":
        raise click.UsageError("standard input can be ORIGINAL or FILE, not both")
    restoring = Restoring(Original(like, decoder, framing), decoder, key)
    most = decoder.limits.max_record_bytes
    with options.output_to(target, (like, edited)) as output:
        output.write_text(output.as_it_is(restoring.text(edited, records_of(edited, None, most))))
    restoring.say()
