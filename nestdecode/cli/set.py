"""``nestdecode set``."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, write_out
from nestdecode.cli.inplace import InPlace
from nestdecode.cli.output import RefusedError
from nestdecode.decoder import Decoder
from nestdecode.document import Document
from nestdecode.errors import DecodeError, LimitError, SpecError
from nestdecode.paths import parse_path, split_pointer

__all__ = ["command"]


@click.command("set", short_help="Change values, through all layers, and nothing else.")
@click.argument("words", nargs=-1, metavar="PATH=VALUE... FILE")
@click.option("--delete", "deletions", multiple=True, metavar="PATH", help="Take this away.")
@click.option("-i", "--in-place", is_flag=True, help="Replace FILE, whole or not at all.")
@click.option(
    "--record",
    type=click.IntRange(1),
    metavar="N",
    help="Change this record only, counted from 1. [default: all that have the place]",
)
@options.decoding
@options.framing
def command(
    words: tuple[str, ...],
    deletions: tuple[str, ...],
    in_place: bool,
    record: int | None,
    framing: Any,
    **decoding: Any,
) -> int:
    """
    Change values in FILE (- is standard input), through all layers, and nothing else.

    \b
    nestdecode set 'data.retry=true' response.json
    nestdecode set -i /panels/0/options/size=12 dashboard.json
    nestdecode set 'note="12"' --delete a.b response.json

    PATH is a path (a.b[].c) or a pointer (/a/b/0/c) in the opened document. VALUE is
    JSON, or else a string as it stands. The last step of PATH may be a new member.

    With -i, FILE keeps its owner, mode and attributes, or it is not replaced; nor is it
    if it has hard links, or if another process changed it meanwhile.
    """
    *pairs, file = words or ("",)
    if not file or (not pairs and not deletions):
        raise click.UsageError("wanted PATH=VALUE... FILE, or --delete PATH FILE")
    if "=" in file and not os.path.lexists(file):
        # Not named: it is a value that was meant for a place.
        raise click.UsageError("wanted FILE behind the last PATH=VALUE; no file has that name")
    if in_place and file == "-":
        raise click.UsageError("--in-place needs a FILE to replace")
    decoder = options.decoder_from(decoding)
    changes = [_split(pair, decoder) for pair in pairs]
    with InPlace(file) if in_place else nullcontext() as place:
        original = Original(file, decoder, framing)
        _change(original, changes, deletions, record)
        text = original.collapse()
        if place is None:
            write_out(text)
        elif text != original.text:
            original.check_replaceable()
            place.put(text, original.text)
    return 0


def _change(
    original: Original,
    changes: list[tuple[str, Any]],
    deletions: tuple[str, ...],
    record: int | None,
) -> None:
    file, documents = original.name, original.documents
    if record is not None:
        if record > len(documents):
            raise RefusedError(file, f"no record {record}: there are {len(documents)}")
        documents = [documents[record - 1]]
    for place, value in changes:
        _everywhere(file, documents, lambda d, p=place, v=value: d.set(p, v))
    for place in deletions:
        _everywhere(file, documents, lambda d, p=place: d.delete(p))


def _everywhere(file: str, documents: list[Document], change: Any) -> None:
    """Change every document that has the place; refuse if none has."""
    reason = "there is no document"
    found = False
    for document in documents:
        try:
            change(document)
        except SpecError as error:
            raise click.UsageError(str(error)) from None
        except DecodeError as error:
            reason = error.reason if not error.pointer else str(error)
        else:
            found = True
    if not found:
        raise RefusedError(file, reason)


def _split(pair: str, decoder: Decoder) -> tuple[str, Any]:
    """
    Split PATH=VALUE where what is before the sign is a path.

    Raises:
        click.UsageError: If nothing is; it says what is wrong without the value.
    """
    reason = "one has no ="
    at = pair.find("=")
    while at > 0:
        place = pair[:at]
        try:
            split_pointer(place) if place.startswith("/") else parse_path(place)
        except SpecError as error:
            # Before the first sign there is no part of the value.
            reason = reason if "=" in place else error.reason
            at = pair.find("=", at + 1)
        else:
            return place, _value(pair[at + 1 :], decoder)
    if pair.startswith("="):
        reason = "one has no PATH"
    raise click.UsageError(f"wanted PATH=VALUE: {reason}")


def _value(text: str, decoder: Decoder) -> Any:
    try:
        return decoder._reader.parse(text)
    except LimitError as error:
        reason = f"the value is {error.reason}"
    except DecodeError:
        return text
    raise click.UsageError(reason)
