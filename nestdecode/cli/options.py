"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import click

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


def complete_spec(_ctx: Any, _param: Any, incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    from nestdecode.spec import catalog

    if incomplete.startswith((".", "/", "~")):
        return [CompletionItem(incomplete, type="file")]
    return [CompletionItem(n) for n in (*catalog.names(), "none") if n.startswith(incomplete)]


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
        help="Open the layers that this spec names, and no others: a name (see spec list) or a "
        "file. Without it, every layer is found.",
    ),
    click.option(
        "--on-error", type=click.Choice(POLICIES),
        help="For a layer that does not open, if the spec does not say: keep the string, write "
        "null, drop the member, or fail the record. [default: keep]",
    ),
    click.option(
        "--numbers", type=click.Choice(NUMBERS),
        help="How numbers are read. double: integers are exact, all others become doubles; "
        "exact: 1.10, 1E9 and 1e400 too are written as they came. [default: double]",
    ),
    click.option(
        "--duplicates", type=click.Choice(DUPLICATES),
        help="If an object has a name twice: the last member wins, or it is an error. "
        "[default: last]",
    ),
    _limit("max_layers", "Most layers inside one another."),
    _limit("max_depth", "Most objects and arrays inside one another, across layers."),
    _limit("max_bytes", "Most bytes that all base64 and gzip layers of a record decode to."),
    _limit("max_record_bytes", "Most bytes of one record."),
)  # fmt: skip

framing: _Options = _all(
    click.option(
        "--framing", type=click.Choice(FRAMINGS),
        help="How records are separated. lines: one on each line; documents: one after another, "
        "each over any number of lines. [default: detected]",
    ),
    click.option(
        "--lines", "framing", flag_value="lines", default=None,
        help="Same as --framing lines.",
    ),
    click.option(
        "--documents", "framing", flag_value="documents", default=None,
        help="Same as --framing documents.",
    ),
)  # fmt: skip

choosing: _Options = _all(
    click.option(
        "--where", metavar="EXPR",
        help="Only records for which this JMESPath, from the root of the opened record, is not "
        "null, false or empty.",
    ),
)  # fmt: skip

color: _Options = click.option(
    "--color", type=click.Choice(["auto", "always", "never"]), default="auto",
    show_default=True, help="Colour the output; auto: on a terminal, unless NO_COLOR is set.",
)  # fmt: skip

output: _Options = _all(
    click.option("-c", "--compact", is_flag=True, help="Write one line per value, on a terminal too."),
    click.option(
        "--indent", type=click.IntRange(0, 16), metavar="N",
        help="Spaces per level, in a pipe too; 0 writes one line per value.",
    ),
    color,
)  # fmt: skip


running: _Options = _all(
    click.option(
        "-j", "--jobs", type=click.IntRange(1, 256), metavar="N",
        help="Worker processes. [default: one per core for NDJSON files of 32 MB or more, else 1]",
    ),
    click.option(
        "--progress/--no-progress", default=None,
        help="Show a progress bar on stderr. [default: on a terminal, if a file takes over 1 s]",
    ),
    click.option(
        "--dead-letters", type=click.Path(dir_okay=False, readable=False), metavar="FILE",
        help="Append records that fail to FILE, with the reason and the place; replay writes "
        "them again. Only you can read FILE; links are refused.",
    ),
    click.option("--fail-fast", is_flag=True, help="Stop at the first record that fails."),
    click.option(
        "--summary", type=click.Choice(["text", "json"]), default="text", show_default=True,
        help="Format of the summary on stderr; json is one line, and always written.",
    ),
)  # fmt: skip


def decoder_from(
    options: dict[str, Any], on_problem: Callable[[Any], None] | None = None
) -> Decoder:
    """Build the decoder that the options of ``decoding`` describe."""
    spec = options["spec"]
    try:
        decoder = Decoder(
            None if spec == "none" else spec,
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

    query = choosing.where(decoder, expression, lent=lent)
    if expression.lstrip().startswith(hints.FILTER):
        return hints.Hinting(query, lambda: note(hints.FILTERED_WHERE))
    return query


def _warn(spec: Spec) -> None:
    from nestdecode.spec.lint import STRAY, is_stray

    if is_stray(spec):
        say(f"{spec.name}: warning: {STRAY}")
