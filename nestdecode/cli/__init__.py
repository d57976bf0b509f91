"""The command line: click, thin. Every flag is one argument of the library."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from nestdecode import __version__
from nestdecode.cli.group import ASKED, Group
from nestdecode.cli.output import RefusedError, discard, say
from nestdecode.cli.signals import Stopped, listen
from nestdecode.errors import NestdecodeError, QueryError, SpecError, WorkerError

__all__ = ["cli", "main"]

_COMMANDS = (
    "expand", "query", "explain", "collapse", "set", "edit", "diff", "replay", "filter", "spec",
    "completion",
)  # fmt: skip


# Columns of help on a wide terminal: longer lines are hard to read.
_WIDEST = 100


class _Context(click.Context):
    """A context whose help fits the terminal."""

    def make_formatter(self) -> click.HelpFormatter:
        from nestdecode.cli.help import HelpFormatter  # late: most need no help

        return HelpFormatter(width=self.terminal_width, max_width=_WIDEST)


class _LazyGroup(Group):
    """A group whose commands are imported when they are asked for."""

    context_class: type[click.Context] = _Context

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = importlib.import_module(f"nestdecode.cli.{cmd_name}")
        command: click.Command = module.command
        for each in (command, *getattr(command, "commands", {}).values()):
            each.context_class = _Context
        return command


def _version(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    if value and not ctx.resilient_parsing:
        click.echo(f"nestdecode {__version__}")
        ctx.exit()


@click.group(
    cls=_LazyGroup,
    for_files="expand",
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.option(
    "-V", "--version", is_flag=True, callback=_version, expose_value=False, is_eager=True,
    help="Show the version and exit.",
)  # fmt: skip
def cli() -> None:
    """
    Open the JSON inside JSON strings, query it, change it, and put it back.

    \b
    nestdecode expand response.json                      open every layer of a file
    nestdecode query 'structData.data[]' response.json   query a file, its layers opened
    tail -f app.log | nestdecode expand                  process a log, one record per line
    nestdecode set -i data.retry=true response.json      change one value, and nothing else

    A layer is a string that holds another JSON document. Without --spec, every layer is
    found and opened; with it, exactly the layers that the spec names (spec list shows those
    that are shipped). The input may be one document, one document per line (NDJSON), or
    several in a row: nestdecode detects which.

    Exit codes: 0 done; 1 and 4 are explained by query and diff; 2 wrong usage, or a file that
    can't be read or written; 3 a spec or a query that is wrong or can't be read; 5 a record
    failed; 129, 130, 143 stopped by SIGHUP, SIGINT, SIGTERM; 141 the reader of the output
    closed it.

    An option that several commands share can also be set by a variable: NESTDECODE_SPEC,
    NESTDECODE_COLOR, NESTDECODE_JOBS and so on. An option that is given goes
    before its variable.
    """


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit."""
    try:
        listen()
        code = _run(arguments)
    except BrokenPipeError:
        discard(1)
        code = 141
    except KeyboardInterrupt:
        discard(1)
        code = 130
    except Stopped as stopped:
        discard(1)
        code = 128 + stopped.number
    sys.exit(code)


def _say_usage(error: click.ClickException) -> None:
    """Say what is wrong with the words of a command, as click lays it out."""
    lines = []
    if isinstance(error, click.UsageError) and error.ctx is not None:
        lines += error.ctx.get_usage().split("\n")
        lines += [f"Try '{error.ctx.command_path} --help' for help.", ""]
    message = error.format_message()
    if isinstance(error, click.BadParameter) and error.param is not None:
        message = _wanted(error.param, error.ctx) or message
    if isinstance(error, click.MissingParameter):
        # What is missing holds no newlines; the choices are listed one a line.
        message = " ".join(message.split())
    say(*lines, f"Error: {message}", prefix="")


def _wanted(parameter: click.Parameter, context: click.Context | None) -> str:
    """Say which integers an option takes, or its variable; nothing of another option."""
    name = parameter.get_error_hint(context)
    if name != parameter.envvar:
        name = parameter.opts[-1]
    if isinstance(parameter.type, click.IntRange):
        least, most = parameter.type.min, parameter.type.max
        return f"{name} is an integer from {least}" + ("" if most is None else f" to {most}")
    return f"{name} is an integer" if parameter.type is click.INT else ""


def _run(arguments: Sequence[str] | None) -> int:
    try:
        if ASKED in os.environ:
            from nestdecode.cli import completing  # late: a shell asks for it

            return completing.answer(cli)
        # Not cli.main(): it takes a closed pipe for an error of its own.
        words = list(sys.argv[1:] if arguments is None else arguments)
        with cli.make_context("nestdecode", words) as context:
            result = cli.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()
    except click.exceptions.NoArgsIsHelpError as error:
        say(*error.format_message().split("\n"), prefix="")
    except click.exceptions.Exit as exit_:
        if sys.stdout is not None:
            sys.stdout.flush()
        return exit_.exit_code
    except click.ClickException as error:
        _say_usage(error)
        return error.exit_code
    except click.Abort:
        raise KeyboardInterrupt from None
    except (SpecError, QueryError) as error:
        say(*str(error).split("\n"))
        return 3
    except RefusedError as error:
        say(error.reason)
        return error.code
    except WorkerError as error:
        say(str(error))
        return 2
    except NestdecodeError as error:
        say(str(error))
        return 5
    except OSError as error:
        if isinstance(error, BrokenPipeError) and error.filename is None:
            raise
        # Errors of input files are reported by the loop over records: this one is of output.
        what = f"{error.filename}: " if error.filename else ""
        say(f"{what}can't write: {error.strerror or error}")
        discard(1)
        return 2
    except (MemoryError, SystemError):  # orjson raises the latter
        say("out of memory")
        discard(1)
        return 2
    else:
        return result if isinstance(result, int) else 0
    return 2
