"""``nestdecode collapse``."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, records_of, with_trees, write_out
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input

__all__ = ["command"]


@click.command("collapse", short_help="Put the layers of expanded documents back.")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option(
    "--like",
    "like",
    type=click.Path(),
    metavar="ORIGINAL",
    help="The file that was expanded: all that was not changed is as it is there.",
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
    framing: Any,
    jobs: int | None,
    progress: bool | None,
    dead_letters: str | None,
    fail_fast: bool,
    summary: Any,
    **decoding: Any,
) -> int:
    """
    Put the layers of expanded documents in FILE (default: standard input) back.

    \b
    nestdecode expand a.json > b.json; vi b.json
    nestdecode collapse --like a.json b.json       a.json, changed where b.json is
    nestdecode collapse --spec aws/sqs-sns b.json  what the spec declares, compactly

    With --like, every byte outside of what was changed stays as it was. Expand and
    collapse take the same --spec, or none.
    """
    need_input(ctx, files)
    decoder = options.decoder_from(decoding)
    if like is not None:
        if len(files) > 1:
            raise click.UsageError("--like takes one FILE")
        edited = files[0] if files else "-"
        if like == edited == "-":
            raise click.UsageError("standard input can be ORIGINAL or FILE, not both")
        original = Original(like, decoder, framing)
        records = records_of(edited, None, decoder.limits.max_record_bytes)
        write_out(with_trees(original, edited, records, decoder))
        return 0
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
