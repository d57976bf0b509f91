"""``nestdecode filter``."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

import click

from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.output import Output, report_on, say
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.sources import is_file, opened
from nestdecode.decoder import Decoder
from nestdecode.errors import DecodeError
from nestdecode.paths import join_pointer
from nestdecode.stream.filtering import Filter, Filtered
from nestdecode.stream.inputs import collector_off
from nestdecode.stream.malformed import is_malformed
from nestdecode.stream.report import SHOWN
from nestdecode.stream.sources import UnreadableError
from nestdecode.text.joined import Joined
from nestdecode.text.write import dump, dump_lines
from nestdecode.words import at_line, count

__all__ = ["command"]

# How JSON begins that holds more than a number, a word or a string.
_BEGINS = re.compile(r"[ \t\r\n]*+[\[{]")
_TEXT = DecodeError("invalid JSON")

Host = Literal["rsyslog", "rsyslog-fulljson"]


@click.command(
    "filter",
    cls=Command,
    short_help="Answer each line by one line, whatever comes.",
    context_settings={"allow_extra_args": True},  # refused with more words than click has
)
@options.decoding
@click.option(
    "--field",
    "fields",
    multiple=True,
    metavar="NAME",
    help="Open only this member of each record, by the spec if there is one. Repeatable.",
)
@click.option(
    "--for",
    "host",
    type=click.Choice(["rsyslog", "rsyslog-fulljson"]),
    help="Speak the protocol of rsyslog's mmexternal, with interface.input msg or fulljson.",
)
@click.option(
    "--under",
    metavar="NAME",
    help="With --for: set the property $!NAME. [default: each member of an object under $!]",
)
@options.flag(
    "-v",
    "--verbose",
    is_flag=True,
    excludes=["quiet"],
    help="Report lines that are not opened on stderr.",
)
@options.flag(
    "--summary",
    type=click.Choice(["text", "json"]),
    help="Format of a summary on stderr at the end. [default: no summary]",
)
def command(
    fields: tuple[str, ...],
    host: Host | None,
    under: str | None,
    verbose: bool,
    summary: str | None,
    decoding: DecodingOptions,
) -> int:
    """
    Answer each line of standard input by one line, in order: opened, or as it came.

    \b
    tail -F app.log | nestdecode filter | next-program
    nestdecode filter --field log                       open one member of each record
    nestdecode filter --for rsyslog                     as a program of mmexternal

    For log processors, which wait for an answer to each line. Lines that are not JSON, blank
    ones, and records that are refused are written as they came. Answers are written as soon
    as no further line is waiting. Nothing is written to stderr unless you ask for it, and the
    exit code is 0 whatever the lines are.
    """
    _refuse(click.get_current_context().args)
    if under is not None and host is None:
        raise click.UsageError("--under needs --for")
    if fields and host is not None:
        raise click.UsageError("--field can't be used with --for: $! takes whole messages")
    if host is not None and (verbose or summary):
        raise click.UsageError(
            "with --for, nothing can go to stderr: rsyslog would take it for a reply"
        )
    decoder = decoding.decoder(warns=verbose)
    lines = _filter(decoder, fields, host, under, verbose=verbose)
    try:
        _run(lines)
    except UnreadableError as error:
        report_on("-", str(error))
        return 2
    finally:
        with undisturbed:
            _summarise(lines.counts, summary)
    return 0


def _refuse(words: list[str]) -> None:
    """Raise UsageError if there are arguments; of a file say how its lines come in."""
    if not words:
        return
    import shlex

    hint = f": nestdecode filter < {shlex.quote(words[0])}" if is_file(words[0]) else ""
    raise click.UsageError(f"filter reads standard input and takes no FILE{hint}")


def _filter(
    decoder: Decoder,
    fields: tuple[str, ...],
    host: Host | None,
    under: str | None,
    *,
    verbose: bool,
) -> Filter:
    longest, on_error = decoder.limits.max_record_bytes, _reporter() if verbose else None
    if host is not None:
        from nestdecode.integrations import rsyslog

        interface: rsyslog.Interface = "msg" if host == "rsyslog" else "fulljson"
        replies = rsyslog.replies(decoder, interface, under)
        return Filter(replies, None, longest, rsyslog.NOTHING, on_error)
    answer = _members(decoder, fields) if fields else _opener(decoder)
    many = None if fields else decoder.engine.expand_many

    def answered(line: bytes) -> bytes | None:
        # A line that is plainly text needs no reason if none is wanted.
        if not (line.startswith(b"{") and line.endswith(b"}")) and is_malformed(line):
            raise _TEXT.with_traceback(None)
        return answer(line)

    def answered_together(lines: Joined) -> bytes | None:
        trees = None if many is None else many(lines)
        return None if trees is None else dump_lines(trees)

    return Filter(answer if verbose else answered, answered_together, longest, on_error=on_error)


def _opener(decoder: Decoder) -> Callable[[bytes], bytes]:
    expand = decoder.expand
    return lambda line: dump(expand(line))


def _members(decoder: Decoder, names: tuple[str, ...]) -> Callable[[bytes], bytes | None]:
    """Return a function that opens members of a record; None where none of them opens."""
    parse = decoder.engine.reader.parse_record

    def answer(line: bytes) -> bytes | None:
        record = parse(line)
        refusal, is_open = None, False
        for name in names if type(record) is dict else ():
            value = record.get(name)
            if type(value) in (dict, list) or (type(value) is str and _BEGINS.match(value)):
                try:
                    tree = decoder.expand(value)
                except DecodeError as error:
                    place = join_pointer([name]) + error.pointer
                    refusal = type(error)(error.reason, place, error.codec)
                    continue
                if type(tree) in (dict, list):
                    record[name], is_open = tree, True
        if refusal is not None and not is_open:
            raise refusal
        return dump(record) if is_open else None

    return answer


def _reporter() -> Callable[[int, DecodeError], None]:
    """Return what reports the first lines of each kind that could not be answered."""
    shown: dict[str, int] = {}

    def report(line: int, error: DecodeError) -> None:
        shown[error.code] = shown.get(error.code, 0) + 1
        if shown[error.code] <= SHOWN:
            report_on("-", str(error), at_line(line, whole=True))

    return report


def _run(lines: Filter) -> None:
    output = Output(indent=0, color="never")
    with opened("-", as_it_is=True) as source, collector_off():
        lines.run(source.read, output.write_text)


def _summarise(counts: Filtered, how: str | None) -> None:
    if how == "json":
        figures = {"in": counts.lines, "out": counts.lines}
        figures |= {"opened": counts.opened, "failed": counts.failed}
        say(dump(figures).decode(), prefix="")
    elif how == "text":
        kept = counts.lines - counts.opened
        failed = f" ({counts.failed:,} failed)" if counts.failed else ""
        say(
            f"{count(counts.lines, 'line')}: {counts.opened:,} opened, {kept:,} as they came{failed}"
        )
