"""``nestdecode query``."""

from __future__ import annotations

import json
from collections.abc import Callable

import click

from nestdecode.choosing import Asked
from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.hints import FILTER, FILTERED_RECORDS, Hinting
from nestdecode.cli.options import DecodingOptions, WritingOptions
from nestdecode.cli.records import RunOptions, Session
from nestdecode.cli.sources import is_file
from nestdecode.decoder import Decoder, Query
from nestdecode.lending import LendingQuery
from nestdecode.queries.focus import Start
from nestdecode.queries.parsing import misquoted
from nestdecode.spec import Spec
from nestdecode.words import shortened

__all__ = ["command"]


@click.command("query", cls=Command, short_help="Ask each document, its layers opened.")
@click.argument("expression", metavar="EXPR|:NAME")
@click.option("-r", "--raw", is_flag=True, help="Write strings without quotes.")
@click.option("--each", is_flag=True, help="One element of the answer a line; nothing for null.")
@click.option(
    "-e",
    "--exit-status",
    is_flag=True,
    help="Exit with 1 if the last value was null or false, 4 if there was none.",
)
@options.flag("--root", short_for=("start", "root"), help="Start at the root of the document.")
@options.flag("--focus", short_for=("start", "focus"), help="Start at the focus of the spec.")
@options.choosing
@options.decoding
@options.writing
@options.running
def command(
    expression: str,
    raw: bool,
    each: bool,
    exit_status: bool,
    start: Start | None,
    where: str | None,
    decoding: DecodingOptions,
    writing: WritingOptions,
    running: RunOptions,
) -> int:
    """
    Ask each document in FILE (default: standard input), its layers opened.

    EXPR is JMESPath; :NAME is a query that the spec names.

    \b
    nestdecode query --where "level == 'error'" @ app.log  the records that are errors
    nestdecode query 'structData.data[]' response.json    by the spec that matches
    nestdecode query -r --each ':urls' response.json      one address a line
    nestdecode query -s my.yaml 'Records[].body' e.json   by a spec of your own
    nestdecode query --root 'keys(@)' response.json       from the very top

    With a spec, a query starts at its focus, unless its names are those of the root.
    Without one, a shipped spec that matches the document opens it, and lends its focus
    and queries; --spec none keeps that from happening.
    """  # fmt: skip
    _check_order(expression, running.files)
    session = Session(running)
    decoder = decoding.decoder(session.problem)
    lend = session.note if decoding.spec is None else None
    answer = _hinting(_answer(decoder, expression, start, lend), session.hint)
    chosen = options.where_from(where, decoder, session.note, lent=lend is not None)
    with writing.output(running.files, raw=raw) as output:
        session.run(
            answer,
            output,
            decoder.limits.max_record_bytes,
            each=each,
            note_last=exit_status,
            many=answer.many,
            where=chosen,
            if_empty=_hint(expression),
        )
    if session.code or not exit_status:
        return session.code
    return 4 if session.last is None else 0 if session.last else 1


def _check_order(expression: str, files: tuple[str, ...]) -> None:
    """Raise UsageError if a file was given in the place of the query."""
    if not files and is_file(expression):
        raise click.UsageError(
            f"'{expression}' is a file: the query comes first, as in "
            f"nestdecode query EXPR {expression}"
        )


def _answer(
    decoder: Decoder, expression: str, start: Start | None, lend: Callable[[str], None] | None
) -> Query | LendingQuery:
    if lend is None:
        return decoder.compile(expression, start=start)

    def tell(spec: Spec) -> None:
        lend(f"this is {spec.name}: using its focus and queries (--spec none turns this off)")

    return LendingQuery(decoder, expression, start, tell)


def _hinting(query: Query | LendingQuery, hint: Callable[[str], None]) -> Asked:
    """Have a hint given where a filter of records was meant, and an array is filtered."""
    at_focus = isinstance(query, Query) and query.start == "focus"
    if at_focus or not query.expression.lstrip().startswith(FILTER):
        return query
    return Hinting(query, lambda: hint(FILTERED_RECORDS))


def _hint(expression: str) -> str | None:
    """Say what is probably wrong with a query if its answers are empty."""
    name = None if expression.startswith(":") else misquoted(expression)
    if name is None:
        return None
    field = shortened(json.dumps(name, ensure_ascii=False), 60)
    return f"{field} names a field; a string is written {shortened(_quoted(name), 60)}"


def _quoted(text: str) -> str:
    text = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"
