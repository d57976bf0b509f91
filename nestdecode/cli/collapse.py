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


@click.command("collapse", cls=Command, short_help="Put the layers of expanded documents back.")
@options.flag(
    "--like",
    type=click.Path(),
    metavar="ORIGINAL",
    excludes=["head", "jobs", "progress", "dead_letters", "fail_fast", "summary"],
    help="The file that was expanded: all that was not changed is as it is there.",
)
@click.option(
    "--key",
    metavar="EXPR",
    help="With --like: records are the same if EXPR gives the same value. [default: their content]",
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
    Put the layers of expanded documents in FILE (default: standard input) back.

    \b
    nestdecode expand a.json > b.json; vi b.json
    nestdecode collapse --like a.json b.json       a.json, changed where b.json is
    nestdecode collapse --spec aws/sqs-sns b.json  what the spec declares, compactly
    nestdecode expand a.ndjson | jq -c 'select(.id > 7)' | nestdecode collapse --like a.ndjson

    It needs --like, --spec, or both. With --like, every byte outside of what was changed
    stays as it was, and --spec is the one that expanded ORIGINAL, if any. With --spec
    alone, the layers that it declares are written.

    With --like, records may be left out, added and moved. They are paired with those of
    ORIGINAL by --key, or those with the same content first, and the others by their order.
    A number that is equal to the old one (100000 for 1E5) is no change, except with
    --numbers exact.
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
        session.run(collapsed, output, decoder.limits.max_record_bytes)
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
