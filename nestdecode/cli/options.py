"""Options that several commands share, each group with the value that a command gets for it."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeVar

import click

from nestdecode.cli.flags import Flag, variable_of
from nestdecode.cli.output import COLORS, Color, Output, note
from nestdecode.cli.records import SUMMARIES, RunOptions, Session
from nestdecode.cli.target import Target
from nestdecode.decoder import Decoder
from nestdecode.errors import POLICIES, UNDECLARED, NestdecodeError, Policy, Undeclared
from nestdecode.stream import FRAMINGS
from nestdecode.text.reader import DUPLICATES, NUMBERS, Duplicates, Limits, Numbers

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from nestdecode.choosing import Asked
    from nestdecode.spec import Spec

__all__ = [
    "DecodingOptions",
    "WritingOptions",
    "choosing",
    "color",
    "complete_spec",
    "decoding",
    "files",
    "flag",
    "framing",
    "limit",
    "output_to",
    "running",
    "target",
    "where_from",
    "writing",
]

F = TypeVar("F", bound=Callable[..., Any])

_DEFAULTS = Limits()


class _Options(Protocol):
    """What adds options to a command."""

    def __call__(self, command: F, /) -> F: ...


flag: Callable[..., _Options] = functools.partial(click.option, cls=Flag)
# One that a variable sets if it is not given.
_setting = functools.partial(flag, is_setting=True)


def _all(*options: _Options) -> _Options:
    def add(command: F) -> F:
        for option in reversed(options):
            command = option(command)
        return command

    return add


def _together(name: str, kind: Any, *options: _Options) -> _Options:
    """Return what adds options to a command, which gets their values as one: a named tuple."""
    names = list(kind.__annotations__)

    def add(command: F) -> F:
        @functools.wraps(command)
        def gathering(*arguments: Any, **values: Any) -> Any:
            values[name] = kind(**{each: values.pop(each) for each in names})
            return command(*arguments, **values)

        added: F = _all(*options)(gathering)  # type: ignore[assignment]
        return added

    return add


def complete_spec(_context: Any, parameter: Any, incomplete: str) -> list[CompletionItem[str]]:
    """Complete a spec."""
    from nestdecode.cli import completing  # late: a shell asks for it

    return completing.specs(parameter, incomplete)


def _size(number: int) -> str:
    return f"{number >> 20} MiB" if number >= 1 << 20 else str(number)


def limit(name: str, what: str, kind: Any = click.INT) -> _Options:
    """
    Return what adds the option for a limit.

    Args:
        name: Of the limit.
        what: Its help.
        kind: Checks it, if no Decoder does.
    """
    return _setting(
        f"--{name.replace('_', '-')}",
        type=kind,
        metavar="N",
        help=f"{what} [default: {_size(getattr(_DEFAULTS, name))}]",
    )


files: _Options = click.argument(
    "files", nargs=-1, type=click.Path(allow_dash=True), metavar="[FILE]..."
)


class DecodingOptions(NamedTuple):
    """What the options of ``decoding`` say: arguments of Decoder."""

    spec: str | None
    on_error: Policy | None
    undeclared: Undeclared | None
    numbers: Numbers | None
    duplicates: Duplicates | None
    max_layers: int | None
    max_depth: int | None
    max_bytes: int | None
    max_record_bytes: int | None

    def decoder(
        self, on_problem: Callable[[Any], None] | None = None, *, warns: bool = True
    ) -> Decoder:
        """Build the decoder that they describe; *warns* if the spec may be no spec."""
        arguments: dict[str, Any] = dict(zip(DecodingOptions.__annotations__, self, strict=True))
        arguments["spec"] = None
        if self.spec not in (None, "none"):
            from nestdecode.cli import specs  # late: detection needs no specs

            arguments["spec"] = specs.load(str(self.spec), variable_of("spec"))
        try:
            decoder = Decoder(**arguments, on_problem=on_problem)
        except NestdecodeError:
            raise
        except ValueError as error:
            reason = str(error)
            name = re.split("[ =]", reason)[0]
            reason = (variable_of(name) or name) + reason.removeprefix(name)
        else:
            if warns and decoder.spec is not None:
                _warn(decoder.spec)
            return decoder
        raise click.UsageError(reason)


decoding: _Options = _together(
    "decoding", DecodingOptions,
    _setting(
        "-s", "--spec", metavar="NAME|PATH|none", shell_complete=complete_spec,
        help="Open the layers that this spec names, and no others: a name (see spec list) or a "
        "file. Without it, every layer is found.",
    ),
    _setting(
        "--on-error", type=click.Choice(POLICIES),
        help="For a layer that does not open, if the spec does not say: keep the string, write "
        "null, drop the member, or fail the record. [default: keep]",
    ),
    _setting(
        "--undeclared", type=click.Choice(UNDECLARED),
        help="For layers that the spec does not declare. open: they are found and opened; keep: "
        "they stay strings. [default: as the spec says, or keep]",
    ),
    _setting(
        "--numbers", type=click.Choice(NUMBERS),
        help="How numbers are read. double: integers are exact, all others become doubles; "
        "exact: 1.10, 1E9 and 1e400 too are written as they came. [default: double]",
    ),
    _setting(
        "--duplicates", type=click.Choice(DUPLICATES),
        help="If an object has a name twice: the last member wins, or it is an error. "
        "[default: last]",
    ),
    limit("max_layers", "At most N layers inside one another."),
    limit("max_depth", "At most N objects and arrays inside one another, across layers."),
    limit("max_bytes", "At most N bytes that all base64 and gzip layers of a record decode to."),
    limit("max_record_bytes", "At most N bytes in one record."),
)  # fmt: skip

framing: _Options = _all(
    _setting(
        "--framing", type=click.Choice(FRAMINGS),
        help="How records are separated. lines: one on each line; documents: one after another, "
        "each over any number of lines. [default: detected]",
    ),
    flag("--lines", short_for=("framing", "lines"), help="Same as --framing lines."),
    flag(
        "--documents", short_for=("framing", "documents"),
        help="Same as --framing documents.",
    ),
)  # fmt: skip

choosing: _Options = flag(
    "--where", metavar="EXPR",
    help="Only records for which this JMESPath, from the root of the opened record, is not "
    "null, false or empty.",
)  # fmt: skip

color: _Options = _all(
    _setting(
        "--color", type=click.Choice(COLORS), default="auto", show_default=True,
        help="Colour the output; auto: on a terminal, unless NO_COLOR is set. FORCE_COLOR "
        "colours text for people in a pipe too.",
    ),
    flag("-C", "always", short_for=("color", "always"), help="Same as --color always."),
    flag("-M", "never", short_for=("color", "never"), help="Same as --color never."),
)  # fmt: skip


def _named_file(_context: click.Context, _parameter: click.Parameter, name: Any) -> Any:
    """Check the name of a file that may be new; return it."""
    if name == "":
        raise click.UsageError("-o wants the name of a file, got ''")
    if name is not None and name.endswith(("/", os.sep)):
        raise click.UsageError(f"-o wants a file, got the folder {name}")
    return name


# Where a command writes: see ``output_to``.
target: _Options = flag(
    "-o", "--output", "target", metavar="FILE", type=click.Path(allow_dash=True),
    callback=_named_file,
    help="Write to FILE, whole or not at all: it stays as it was if input can't be read, a "
    "query is wrong, or a signal or --fail-fast ends the command. FILE can't be an input.",
)  # fmt: skip


def output_to(target: str | None, inputs: tuple[str, ...], **style: Any) -> Output:
    """
    Return what writes to standard output, or to the file of ``target``: a context.

    Args:
        target: That file; None or ``-`` is standard output.
        inputs: The files that are read; none is standard input.
        style: As for Output.
    """
    if target in (None, "-"):
        return Output(**style)
    return Output(Target(str(target), inputs or ("-",)), **style)


class WritingOptions(NamedTuple):
    """What the options of ``writing`` say: where values are written, and how."""

    compact: bool
    indent: int | None
    tab: bool
    sort_keys: bool
    seq: bool
    color: Color
    target: str | None

    def output(self, inputs: tuple[str, ...], *, raw: bool = False) -> Output:
        """
        Return what writes so: a context.

        Args:
            inputs: The files that are read.
            raw: Whether strings are written without quotes.
        """
        return output_to(
            self.target,
            inputs,
            indent="\t" if self.tab else 0 if self.compact else self.indent,
            color=self.color,
            raw=raw,
            sort_keys=self.sort_keys,
            seq=self.seq,
        )


writing: _Options = _together(
    "writing", WritingOptions,
    _setting(
        "-c", "--compact", is_flag=True, excludes=["indent", "tab"],
        help="Write one line per value, on a terminal too.",
    ),
    _setting(
        "--indent", type=click.IntRange(0, 16), metavar="N", excludes=["tab"],
        help="Spaces per level, in a pipe too; 0 writes one line per value.",
    ),
    _setting("--tab", is_flag=True, help="One tab per level, in a pipe too."),
    _setting(
        "-S", "--sort-keys", is_flag=True,
        help="Write members in the order of their names, by code points.",
    ),
    _setting(
        "--seq", is_flag=True,
        help="Write a record separator (hex 1E) before each value: a JSON text sequence (RFC 7464). "
        "Such input is detected.",
    ),
    color,
    target,
)  # fmt: skip


running: _Options = _together(
    "running", RunOptions,
    files,
    framing,
    flag(
        "--head", type=click.IntRange(0), metavar="N",
        help="Stop after N records in the output; what follows is not read.",
    ),
    _setting(
        "-j", "--jobs", type=click.IntRange(1, 256), metavar="N",
        help="Worker processes. [default: one per core for NDJSON files of 32 MB or more, else 1]",
    ),
    _setting(
        "--progress/--no-progress", default=None,
        help="Show a progress bar on stderr. [default: on a terminal, if a file takes over 1 s]",
    ),
    _setting(
        "--dead-letters", type=click.Path(dir_okay=False, readable=False), metavar="FILE",
        help="Append records that fail to FILE, with the reason and the place; replay writes "
        "them again. Only you can read FILE; links are refused.",
    ),
    flag("--fail-fast", is_flag=True, help="Stop at the first record that fails."),
    _setting(
        "--summary", type=click.Choice(SUMMARIES), default="text", show_default=True,
        help="Format of the summary on stderr; json is one line, and always written.",
    ),
)  # fmt: skip


def where_from(
    expression: str | None, decoder: Decoder, session: Session, *, lent: bool = False
) -> Asked | None:
    """Compile what ``choosing`` takes, as ``choosing.where`` does; note what it may lack."""
    if expression is None:
        return None
    from nestdecode import choosing  # late: most need no queries
    from nestdecode.cli import hints
    from nestdecode.cli.unanswered import Unanswered
    from nestdecode.queries.functions import is_false

    query = choosing.where(decoder, expression, lent=lent)
    asked: Asked = query
    if expression.lstrip().startswith(hints.FILTER):
        asked = hints.Hinting(query, lambda: session.note(hints.FILTERED_WHERE))
    hint = hints.misquotation(expression)
    if hint is not None:
        return hints.Hinting(asked, lambda: session.note(hint), is_false)
    if asked is query:
        asked = Unanswered(query, query, session.tell, is_false, "--where")
        session.unanswered.append(asked)
    return asked


def _warn(spec: Spec) -> None:
    from nestdecode.spec.lint import STRAY, is_stray

    if is_stray(spec):
        note(f"{spec.name}: warning: {STRAY}")
