"""``nestdecode query``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from nestdecode.choosing import Asked
from nestdecode.cli import options
from nestdecode.cli.flags import Command
from nestdecode.cli.hints import FILTER, FILTERED_RECORDS, Hinting, misquotation
from nestdecode.cli.options import DecodingOptions, WritingOptions
from nestdecode.cli.records import RunOptions, Session
from nestdecode.cli.rows import Rows, Table
from nestdecode.cli.sources import is_file
from nestdecode.cli.unanswered import Unanswered
from nestdecode.decoder import Decoder, Query
from nestdecode.lending import LendingQuery
from nestdecode.queries.focus import Start
from nestdecode.spec import Spec

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["command"]


# The exit code by the last answer: whether it is neither null nor false, None if there is none.
# A script that wants it expects that there may be none, and gets no hint.
_STATUS = {True: 0, False: 1, None: 4}
# What says how JSON looks says nothing of rows.
_STYLES = ("raw", "compact", "indent", "tab", "sort_keys", "seq")


def _complete(context: Any, _parameter: Any, incomplete: str) -> list[CompletionItem[str]]:
    from nestdecode.cli import completing  # late: a shell asks for it

    return completing.queries(context, incomplete)


@click.command("query", cls=Command, short_help="Query each document, its layers opened.")
@click.argument("expression", metavar="EXPR|:NAME", shell_complete=_complete)
@options.flag("-r", "--raw", is_flag=True, help="Write strings without quotes.")
@click.option(
    "--each", is_flag=True, help="Write one line per element of the answer, and nothing for null."
)
@options.flag(
    "--csv",
    short_for=("table", "csv"),
    excludes=_STYLES,
    help="Write answers as rows of CSV: arrays and objects of strings, numbers and the like.",
)
@options.flag(
    "--tsv",
    short_for=("table", "tsv"),
    excludes=_STYLES,
    help="Write answers as rows of TSV.",
)
@click.option(
    "--guard/--no-guard",
    default=True,
    help="In CSV and TSV, write ' before text that a spreadsheet takes for a formula: what "
    "begins with = + - @ tab or CR and is not a number. [default: guard]",
)
@click.option(
    "-e",
    "--exit-status",
    is_flag=True,
    help="Exit with 1 if the last value is null or false, with 4 if there is none.",
)
@options.flag(
    "--root", short_for=("start", "root"), help="Start the query at the root of the document."
)
@options.flag(
    "--focus", short_for=("start", "focus"), help="Start the query at the focus of the spec."
)
@options.choosing
@options.decoding
@options.writing
@options.running
def command(
    expression: str,
    raw: bool,
    each: bool,
    table: Table | None,
    guard: bool,
    exit_status: bool,
    start: Start | None,
    where: str | None,
    decoding: DecodingOptions,
    writing: WritingOptions,
    running: RunOptions,
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
    its names there. Without --spec, a shipped spec that matches the document is
    used: its layers, focus and queries. stderr says so, and --spec none turns that off.
    """  # fmt: skip
    _check_order(expression, running.files)
    session = Session(running, alone=table is not None)  # rows have one header
    decoder = decoding.decoder(session.problem)
    lend = session.note if decoding.spec is None else None
    query = _answer(decoder, expression, start, lend)
    misquoted = misquotation(expression)
    unanswered = Unanswered(_hinting(query, session), query, session.tell)
    unanswered.is_chosen, unanswered.is_over = where is not None, bool(misquoted)
    chosen = options.where_from(where, decoder, session, lent=lend is not None)
    session.unanswered = [] if exit_status else [*session.unanswered, unanswered]
    rows = Rows(unanswered, expression, table, each=each, guard=guard) if table else None
    with writing.output(running.files, raw=raw) as output:
        output.text = output.as_it_is if table else output.text
        session.run(
            rows or unanswered,
            output,
            decoder.limits.max_record_bytes,
            each=each or table is not None,
            note_last=exit_status,
            many=(rows or unanswered).many,
            where=chosen,
            if_empty=misquoted,
            decoder=decoder,
        )
    return session.code or (_STATUS[(rows or session).last] if exit_status else 0)


def _check_order(expression: str, files: tuple[str, ...]) -> None:
    """Raise UsageError if a file was given in the place of the query."""
    if is_file(expression) and not any(file == "-" or is_file(file) for file in files):
        query = f"'{files[0]}'" if files else "EXPR"
        raise click.UsageError(
            f"'{expression}' is a file: the query comes first, as in "
            f"nestdecode query {query} {expression}"
        )


def _answer(
    decoder: Decoder, expression: str, start: Start | None, lend: Callable[[str], None] | None
) -> Query | LendingQuery:
    if lend is None:
        return decoder.compile(expression, start=start)

    def tell(spec: Spec) -> None:
        lend(f"input matches {spec.name}: using its focus and queries (--spec none turns this off)")

    return LendingQuery(decoder, expression, start, tell)


def _hinting(query: Query | LendingQuery, session: Session) -> Asked:
    """Have a hint given where a filter of records was meant, and an array is filtered."""
    at_focus = isinstance(query, Query) and query.start == "focus"
    if at_focus or not query.expression.lstrip().startswith(FILTER):
        return query
    return Hinting(query, lambda: session.tell("hint", FILTERED_RECORDS))
