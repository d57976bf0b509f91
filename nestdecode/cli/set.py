"""``nestdecode set``."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import nullcontext
from functools import partial
from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, write_out
from nestdecode.cli.inplace import InPlace
from nestdecode.cli.output import RefusedError
from nestdecode.decoder import Decoder
from nestdecode.document.document import Document
from nestdecode.errors import DecodeError, LimitError, SpecError
from nestdecode.paths import parse_path, split_pointer

__all__ = ["command"]

Change = Callable[[Document], None]


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
    _check_spec(decoding["spec"])
    *pairs, file = words or ("",)
    if not file or (not pairs and not deletions):
        raise click.UsageError("wanted PATH=VALUE... FILE, or --delete PATH FILE")
    if "=" in file and not os.path.lexists(file):
        # Not named: it is a value that was meant for a place.
        raise click.UsageError("wanted FILE behind the last PATH=VALUE; no file has that name")
    if in_place and file == "-":
        raise click.UsageError("--in-place needs a FILE to replace")
    for place in deletions:
        _check_place(place)
    decoder = options.decoder_from(decoding)
    changes = _Changes([_setting(pair, decoder) for pair in pairs], deletions, record)
    with InPlace(file) if in_place else nullcontext() as where:
        original = Original(file, decoder, framing)
        text = original.changed(changes.make)
        changes.check(file)
        if where is None:
            write_out(text)
        elif text != original.text:
            original.check_replaceable()
            where.put(text, original.text)
    return 0


def _check_spec(spec: str | None) -> None:
    """Raise UsageError if a PATH that begins with -s was taken for an option."""
    if spec is not None and "=" in spec and not os.path.lexists(spec.partition("#")[0]):
        # Not named: there is a value in it.
        raise click.UsageError(
            "what follows -s is no spec; a PATH that begins with - is quoted: '\"-name\"=VALUE'"
        )


def _check_utf8(text: str, reason: str) -> None:
    """Raise UsageError if bytes of an argument are no text: a document can't hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return
    raise click.UsageError(reason)


class _Changes:
    """
    Changes, each of which is made in every record that has its place.

    Args:
        settings: Each puts a value at a place.
        deletions: Places that go.
        record: The one record that is changed, from 1; None for all.
    """

    def __init__(
        self, settings: list[Change], deletions: tuple[str, ...], record: int | None
    ) -> None:
        self._changes = settings + [partial(_delete, place) for place in deletions]
        # Why each could not be made; None once it was.
        self._reasons: list[str | None] = ["there is no document"] * len(self._changes)
        self._record = record
        self._count = 0

    def make(self, document: Document) -> None:
        """Change the next record."""
        self._count += 1
        if self._record not in (None, self._count):
            return
        for index, change in enumerate(self._changes):
            try:
                change(document)
            except SpecError as error:
                raise click.UsageError(str(error)) from None
            except DecodeError as error:
                if self._reasons[index] is not None:
                    self._reasons[index] = error.reason if not error.pointer else str(error)
            else:
                self._reasons[index] = None

    def check(self, file: str) -> None:
        """Raise RefusedError if there was no place for one of them."""
        if self._record is not None and self._record > self._count:
            raise RefusedError(file, f"no record {self._record}: there are {self._count}")
        for reason in self._reasons:
            if reason is not None:
                raise RefusedError(file, reason)


def _delete(place: str, document: Document) -> None:
    document.delete(place)


def _set(place: str, value: Any, document: Document) -> None:
    document.set(place, value)


def _setting(pair: str, decoder: Decoder) -> Change:
    """
    Split PATH=VALUE where what is before the sign is a path; return what puts it there.

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
            _check_place(place)
            return partial(_set, place, _value(pair[at + 1 :], decoder))
    if pair.startswith("="):
        reason = "one has no PATH"
    raise click.UsageError(f"wanted PATH=VALUE: {reason}")


def _check_place(place: str) -> None:
    _check_utf8(place, f"a PATH is not UTF-8: {place!r}")


def _value(text: str, decoder: Decoder) -> Any:
    _check_utf8(text, "a VALUE is not UTF-8")
    try:
        return decoder.engine.reader.parse(text)
    except LimitError as error:
        reason = f"a VALUE is refused: {error.reason}"
    except DecodeError:
        return text
    raise click.UsageError(reason)
