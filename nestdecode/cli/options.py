"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

from nestdecode.cli import specs
from nestdecode.cli.output import say
from nestdecode.decoder import Decoder
from nestdecode.errors import POLICIES, NestdecodeError
from nestdecode.stream import FRAMINGS
from nestdecode.text.reader import DUPLICATES, NUMBERS, RANGES, Limits

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from nestdecode.choosing import Asked
    from nestdecode.spec import Spec

__all__ = ["choosing", "decoder_from", "decoding", "framing", "output", "running", "where_from"]

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULTS = Limits()


def complete_spec(_context: Any, parameter: Any, incomplete: str) -> list[CompletionItem[str]]:
    """Complete a spec."""
    from nestdecode.cli import completing  # late: a shell asks for it

    return completing.specs(parameter, incomplete)


def _limit(name: str, what: str) -> _Options:
    return click.option(
        f"--{name.replace('_', '-')}",
        type=click.INT,
        metavar="N",
        help=f"{what} [default: {getattr(_DEFAULTS, name)}]",
    )


class _Options(Protocol):
    """What adds options to a command."""

    def __call__(self, command: F, /) -> F: ...


def _all(*options: _Options) -> _Options:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


decoding: _Options = _all(
    click.option(
        "-s", "--spec", metavar="NAME|PATH|none", shell_complete=complete_spec,
        help="Open what this spec names. Without it every layer is found.",
    ),
    click.option(
        "--on-error", type=click.Choice(POLICIES),
        help="What becomes of a layer that does not open, where the spec does not say: "
        "the string stays, becomes null, goes, or its record fails. [default: keep]",
    ),
    click.option(
        "--numbers", type=click.Choice(NUMBERS),
        help="double: integers are exact, other numbers doubles; exact: 1.10, 1E9 and 1e400 "
        "are written as they came. [default: double]",
    ),
    click.option(
        "--duplicates", type=click.Choice(DUPLICATES),
        help="Of members with the same name the last one counts, or they are refused. "
        "[default: last]",
    ),
    _limit("max_layers", "Layers inside one another."),
    _limit("max_depth", "Containers inside one another, across layers."),
    _limit("max_bytes", "What base64 and gzip layers of a record decode to."),
    _limit("max_record_bytes", "Size of one record."),
)  # fmt: skip

framing: _Options = _all(
    click.option(
        "--framing", type=click.Choice(FRAMINGS),
        help="lines: each line is one document, or none; documents: they follow one another "
        "over any number of lines. [default: told from the input]",
    ),
    click.option(
        "--lines", "framing", flag_value="lines", default=None,
        help="The same as --framing lines.",
    ),
    click.option(
        "--documents", "framing", flag_value="documents", default=None,
        help="The same as --framing documents.",
    ),
)  # fmt: skip

choosing: _Options = _all(
    click.option(
        "--where", metavar="EXPR",
        help="Only records for which this JMESPath holds, asked from the root of the opened "
        "record: it is neither null, false nor empty.",
    ),
)  # fmt: skip

color: _Options = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    show_default=True, help="Colours; auto asks the terminal and NO_COLOR.",
)  # fmt: skip

output: _Options = _all(
    click.option("-c", "--compact", is_flag=True, help="One line a value, on a terminal too."),
    click.option(
        "--indent", type=click.IntRange(0, 16), metavar="N",
        help="Spaces a level, in a pipe too; 0 is one line a value.",
    ),
    color,
)  # fmt: skip


running: _Options = _all(
    click.option(
        "-j", "--jobs", type=click.IntRange(1, 256), metavar="N",
        help="Processes that answer. [default: one a core for NDJSON files from 32 MB on, else 1]",
    ),
    click.option(
        "--progress/--no-progress", default=None,
        help="A progress bar on stderr. [default: on a terminal, when a file takes a while]",
    ),
    click.option(
        "--dead-letters", type=click.Path(dir_okay=False, readable=False), metavar="FILE",
        help="Append records that failed to FILE, with reason and place; see replay. "
        "Only you can read FILE, and it is no link.",
    ),
    click.option("--fail-fast", is_flag=True, help="Stop at the first record that fails."),
    click.option(
        "--summary", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="How stderr is told what came of the records; json is one line, and always told.",
    ),
)  # fmt: skip


def decoder_from(
    options: dict[str, Any], on_problem: Callable[[Any], None] | None = None
) -> Decoder:
    """Build the decoder that the options of ``decoding`` describe."""
    spec = options["spec"]
    try:
        decoder = Decoder(
            None if spec in (None, "none") else specs.load(spec),
            on_error=options["on_error"],
            on_problem=on_problem,
            numbers=options["numbers"],
            duplicates=options["duplicates"],
            **{name: options[name] for name in RANGES},
        )
    except NestdecodeError:
        raise
    except ValueError as error:
        reason = str(error)
    else:
        if decoder.spec is not None:
            _warn(decoder.spec)
        return decoder
    raise click.UsageError(reason)


def where_from(
    expression: str | None, decoder: Decoder, note: Callable[[str], None], *, lent: bool = False
) -> Asked | None:
    """Compile what ``choosing`` takes, as ``choosing.where`` does; tell what it may lack."""
    if expression is None:
        return None
    from nestdecode import choosing  # late: most need no queries
    from nestdecode.cli import hints
    from nestdecode.queries.functions import is_false

    query: Asked = choosing.where(decoder, expression, lent=lent)
    if expression.lstrip().startswith(hints.FILTER):
        query = hints.Hinting(query, lambda: note(hints.FILTERED_WHERE))
    hint = hints.misquotation(expression)
    return query if hint is None else hints.Hinting(query, lambda: note(hint), is_false)


def _warn(spec: Spec) -> None:
    from nestdecode.spec.lint import STRAY, is_stray

    if is_stray(spec):
        say(f"{spec.name}: warning: {STRAY}")
