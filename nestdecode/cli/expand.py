"""``nestdecode expand``."""

from __future__ import annotations

import click

from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.options import DecodingOptions, WritingOptions
from nestdecode.cli.records import RunOptions, Session
from nestdecode.stream.malformed import MALFORMED, Malformed

__all__ = ["command"]


@click.command("expand", cls=Command, short_help="Open every layer of each document.")
@options.choosing
@options.flag(
    "--original",
    is_flag=True,
    excludes=["compact", "indent", "tab", "sort_keys"],
    help="Write each record as it came, byte for byte.",
)
@click.option(
    "--malformed",
    type=click.Choice(MALFORMED),
    default="dead",
    show_default=True,
    help="For a record that is not JSON. dead: it is set aside; keep: it is written as it came; "
    'wrap: it is written as {"message": text} (message_base64 if it is not UTF-8).',
)
@options.decoding
@options.writing
@options.running
def command(
    where: str | None,
    original: bool,
    malformed: Malformed,
    decoding: DecodingOptions,
    writing: WritingOptions,
    running: RunOptions,
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
    session = Session(running, malformed=malformed)
    # What is written as it came has no layers that could stay shut.
    decoder = decoding.decoder(None if original else session.problem)
    chosen = options.where_from(where, decoder, session)
    with writing.output(running.files) as output:
        session.run(
            decoder.expand,
            output,
            decoder.limits.max_record_bytes,
            many=decoder.engine.expand_many,
            where=chosen,
            original=original,
            decoder=decoder,
        )
    return session.code
