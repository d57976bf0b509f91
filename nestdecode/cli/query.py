"""``nestdecode query``."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from nestdecode.choosing import Asked
from nestdecode.cli import options
from nestdecode.cli.hints import FILTER, FILTERED_RECORDS, Hinting
from nestdecode.cli.output import Output
from nestdecode.cli.records import Session, need_input
from nestdecode.cli.sources import is_file
from nestdecode.decoder import Decoder, Query
from nestdecode.lending import LendingQuery
from nestdecode.queries.focus import Start
from nestdecode.queries.parsing import misquoted
from nestdecode.spec import Spec
from nestdecode.words import shortened

__all__ = ["command"]


@click.command("query", short_help="Query each document, its layers opened.")
@click.argument("expression", metavar="EXPR|:NAME")
@click.argument("files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]...")
@click.option("-r", "--raw", is_flag=True, help="Write strings without quotes.")
@click.option(
    "--each", is_flag=True, help="Write one line per element of the answer, and nothing for null."
)
@click.option(
    "-e",
    "--exit-status",
    is_flag=True,
    help="Exit with 1 if the last value is null or false, with 4 if there is none.",
)
@click.option(
    "--root",
    "start",
    flag_value="root",
    default=None,
    help="Start the query at the root of the document.",
)
@click.option(
    "--focus",
    "start",
    flag_value="focus",
    default=None,
    help="Start the query at the focus of the spec.",
)
@options.choosing
@options.decoding
@options.framing
@options.output
@options.running
@click.pass_context
def command(
    ctx: click.Context,
    /,
    expression: str,
    files: tuple[str, ...],
    raw: bool,
    each: bool,
    exit_status: bool,
    start: Start | None,
    where: str | None,
    framing: Any,
    compact: bool,
    indent: int | None,
    color: Any,
    jobs: int | None,
    progress: bool | None,
    dead_letters: str | None,
    fail_fast: bool,
    summary: Any,
    **decoding: Any,
) -> int:
    """
    Query each document in FILE (default: standard input), its layers opened.

    EXPR is JMESPath; :NAME is a query that the spec names.

    \b
    nestdecode query --where "level == 'error'" @ app.log  all errors
    nestdecode query 'structData.data[]' response.json     with a matching spec
    nestdecode query -r --each ':urls' response.json       one URL per line
    nestdecode query -s my.yaml 'Records[].body' e.json    with your own spec
    nestdecode query --root 'keys(@)' response.json        from the root

    With --spec, a query starts at the focus of the spec, or at the root if the spec declares
    its names there. Without --spec, a shipped spec that matches the document opens it and
    lends its focus and queries, and stderr says so; --spec none turns that off.
    """  # fmt: skip
    if not files and is_file(expression):
        raise click.UsageError(
            f"'{expression}' is a file: the query comes first, as in "
            f"nestdecode query EXPR {expression}"
        )
    need_input(ctx, files)
    session = Session(
        files,
        framing,
        jobs,
        progress,
        dead_letters=dead_letters,
        fail_fast=fail_fast,
        summary=summary,
    )
    decoder = options.decoder_from(decoding, session.problem)
    output = Output(indent=0 if compact else indent, color=color, raw=raw)
    lend = session.note if decoding["spec"] is None else None
    answer = _hinting(_answer(decoder, expression, start, lend), session.hint)
    most = decoder.limits.max_record_bytes
    chosen = options.where_from(where, decoder, session.note, lent=lend is not None)
    session.run(
        answer,
        output,
        most,
        each=each,
        note_last=exit_status,
        many=answer.many,
        where=chosen,
        if_empty=_hint(expression),
        decoder=decoder,
    )
    if session.code or not exit_status:
        return session.code
    return 4 if session.last is None else 0 if session.last else 1


def _answer(
    decoder: Decoder, expression: str, start: Start | None, lend: Callable[[str], None] | None
) -> Query | LendingQuery:
    if lend is None:
        return decoder.compile(expression, start=start)

    def tell(spec: Spec) -> None:
        lend(f"input matches {spec.name}: using its focus and queries (--spec none turns this off)")

    return LendingQuery(decoder, expression, start, tell)


def _hinting(query: Query | LendingQuery, hint: Callable[[str], None]) -> Asked:
    """Have a hint given where a filter of records was meant, and an array is filtered."""
    at_focus = isinstance(query, Query) and query.start == "focus"
    if at_focus or not query.expression.lstrip().startswith(FILTER):
        return query
    return Hinting(query, lambda: hint(FILTERED_RECORDS))


def _hint(expression: str) -> str | None:
    """Say what is probably wrong with a query if its answers are empty."""
    found = None if expression.startswith(":") else misquoted(expression)
    if found is None:
        return None
    name, written = found
    field = shortened(json.dumps(name, ensure_ascii=False), 60)
    kind = "the value" if written.startswith("`") else "a string"
    return f"{field} names a field; {kind} is written {shortened(written, 60)}"
