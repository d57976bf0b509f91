"""``nestdecode set``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext, suppress
from functools import partial

import click

from nestdecode.cli import options
from nestdecode.cli.assignments import Assignment, PathError, check_path
from nestdecode.cli.changing import Change, Changing, Chosen, Deletion, suggestion
from nestdecode.cli.files import Original
from nestdecode.cli.flags import Command
from nestdecode.cli.inplace import InPlace
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.output import RefusedError
from nestdecode.cli.records import need_input
from nestdecode.decoder import Decoder
from nestdecode.stream import Framing
from nestdecode.words import shortened

__all__ = ["command"]


@click.command(
    "set", cls=Command, short_help="Change values, through all layers, and nothing else."
)
@click.argument("words", nargs=-1, metavar="PATH=VALUE... [FILE]")
@click.option(
    "--delete",
    "deletions",
    multiple=True,
    metavar="PATH",
    help="Delete this place; can be repeated.",
)
@options.flag(
    "-i",
    "--in-place",
    is_flag=True,
    excludes=["target"],
    help="Replace FILE, whole or not at all.",
)
@click.option(
    "--where",
    metavar="EXPR",
    help="Change only records for which this JMESPath, from the root, is not null, false or empty.",
)
@click.option(
    "--record",
    type=click.IntRange(1),
    metavar="N",
    help="Change only record N, counted from 1.",
)
@options.decoding
@options.framing
@options.target
def command(
    words: tuple[str, ...],
    deletions: tuple[str, ...],
    in_place: bool,
    where: str | None,
    record: int | None,
    framing: Framing | None,
    target: str | None,
    decoding: DecodingOptions,
) -> int:
    """
    Change values in FILE (default: standard input), through all layers, and nothing else.

    \b
    nestdecode set data.retry=true response.json
    nestdecode set -i /panels/0/options/size=12 dashboard.json
    nestdecode set --where "level=='error'" seen:=true log.ndjson
    nestdecode set note=12 --delete a.b response.json

    PATH is a path (a.b[].c) or a pointer (/a/b/0/c), from the root of the opened document.
    With PATH=VALUE, a string stays a string: VALUE is its new text. For any other value,
    VALUE is JSON if it parses, else a string; it is an error if it begins with {, [ or " and
    does not parse. With PATH:=VALUE, VALUE is always JSON.

    In a stream, the records that have PATH are changed. In a single record, and in the
    records that --where or --record choose, the last step of PATH may be new, and a pointer
    that ends in /- appends to an array. All other records are written as they came.

    If a record can't be read, nothing is written, and the exit code is 5. A record for which
    --where fails is written as it came, and the exit code is 5 too.

    With -i, FILE keeps its owner, mode and attributes. It is not replaced if that can't be
    done, if it has hard links, or if another process changes it at the same time.
    """
    _check_spec(decoding.spec)
    pairs, names = _arguments(words, has_others=bool(deletions))
    if in_place and names in ((), ("-",)):
        raise click.UsageError("--in-place needs a FILE to replace")
    need_input(names)
    file = names[0] if names else "-"
    decoder = decoding.decoder()
    chosen = Chosen(decoder, where, record)
    changes = _changes(pairs, deletions, decoder, partial(Original, file, decoder, framing))
    with InPlace(file) if in_place else nullcontext() as place:
        original = Original(file, decoder, framing)
        changing = Changing(original, decoder, changes, chosen)
        text = changing.text()
        if place is None:
            with options.output_to(target, names) as output:
                output.write_text(output.as_it_is(text))
        elif text != original.text:
            original.check_replaceable()
            place.put(text, original.text)
    changing.say()
    return 5 if changing.failed else 0


def _check_spec(spec: str | None) -> None:
    """Raise UsageError if a PATH that begins with -s was taken for an option."""
    if spec is not None and "=" in spec and not os.path.lexists(spec.partition("#")[0]):
        # Not named: there is a value in it.
        raise click.UsageError(
            "-s wants a spec, got PATH=VALUE; a PATH that begins with - is quoted: '\"-name\"=VALUE'"
        )


def _arguments(words: tuple[str, ...], *, has_others: bool) -> tuple[list[str], tuple[str, ...]]:
    """Tell the changes from the FILE, which is the last word if it is there."""
    *pairs, last = words or ("-",)
    if pairs or has_others:
        # A sign may be in the name of a file.
        if "=" not in last or os.path.lexists(last):
            return pairs, (last,) if words else ()
        return [*pairs, last], ()
    if "=" not in last:
        raise click.UsageError("wanted PATH=VALUE... [FILE], or --delete PATH [FILE]")
    return [last], ()


def _changes(
    pairs: list[str],
    deletions: tuple[str, ...],
    decoder: Decoder,
    read: Callable[[], Original],
) -> list[Change]:
    """
    Return the changes that are asked for.

    Args:
        pairs: Each PATH=VALUE.
        deletions: Each PATH that goes.
        decoder: Opens the records.
        read: Reads the file, to suggest a path for a text that is not one.

    Raises:
        click.UsageError: If a path or a value is none.
    """
    try:
        for path in deletions:
            check_path(path)
        reader = decoder.engine.reader
        settings: list[Change] = [Assignment(pair, reader) for pair in pairs]
        return settings + [Deletion(path) for path in deletions]
    except PathError as error:
        path, reason = error.path, error.reason
    hint = ""
    with suppress(RefusedError):
        hint = suggestion(path, read(), decoder)
    hint = hint or '; quote such a name, as in a."b/c", or write a pointer, as in /a/b~1c'
    raise click.UsageError(f"not a path: {shortened(path)}: {reason}{hint}")
