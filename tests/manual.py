"""
The manual page, made from the help of the commands.

    python -m tests.manual

writes nestdecode/nestdecode.1; ``test_manual.py`` fails if it is not what would be written.
"""

import textwrap
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path

import click

import nestdecode
from nestdecode.cli import cli

PAGE = Path(nestdecode.__file__).parent / "nestdecode.1"

FOOT = r""".SH ENVIRONMENT
.TP
.B NESTDECODE_SPECS
Folders of specs, separated as in PATH. Their specs have names, and go before shipped ones
of the same name. Without it, the folder
.I nestdecode/specs
in the folder for configuration is used, if it is there.
.TP
.B XDG_CONFIG_HOME
The folder for configuration, if it is an absolute path; without it,
.IR ~/.config .
.TP
.BR VISUAL ", " EDITOR
The command by which
.B nestdecode edit
opens a file, with its options: the first of the two that is set and not empty, or vi.
.TP
.B NO_COLOR
If it is set and not empty, there are no colours, unless
.B \-\-color always
is given.
.TP
.B FORCE_COLOR
If it is set and neither empty nor 0, what is written for people, as the output of
.B nestdecode diff
is, has colours in a pipe too. JSON in a pipe has them by
.B \-C
alone. NO_COLOR goes before it.
.TP
.B COLUMNS
The width of help, and on a terminal of tables and progress bars; without it, the width of
the terminal.
.SH FILES
.TP
.I ~/.config/nestdecode/specs
Specs of your own:
.I team/orders.yaml
has the name
.BR team/orders .
.SH SEE ALSO
.BR jq (1)
"""


def page() -> str:
    """Return the page, in the macros of man(7)."""
    summary, *paragraphs = _paragraphs(cli)
    exits = [text for text in paragraphs if text.startswith("Exit codes: ")]
    about = [text for text in paragraphs if text not in exits]
    parts = [
        f'.TH NESTDECODE 1 "" "nestdecode {nestdecode.__version__}" "User commands"',
        ".SH NAME",
        rf"nestdecode \- {_line(summary[0].lower() + summary[1:].strip().rstrip('.'))}",
        ".SH SYNOPSIS",
        ".B nestdecode",
        r".RI [ options ]",
        r".I command",
        r".RI [ arguments ]",
        ".SH DESCRIPTION",
        *_body(about),
        ".SH OPTIONS",
        *_options(cli),
        ".SH COMMANDS",
        *(line for path, command in _commands(cli, ()) for line in _described(path, command)),
        ".SH EXIT STATUS",
        *_body([text.removeprefix("Exit codes: ") for text in exits]),
        FOOT,
    ]
    return "\n".join(parts)


def _commands(
    group: click.Group, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield (*path, name), command
        if isinstance(command, click.Group):
            yield from _commands(command, (*path, name))


def _described(path: tuple[str, ...], command: click.Command) -> Iterator[str]:
    arguments = [p.metavar or "" for p in command.params if isinstance(p, click.Argument)]
    if isinstance(command, click.Group):
        arguments = ["command"]
    words = [a for a in arguments if a] or (["SHELL"] if path == ("completion",) else [])
    yield f".SS {_line(' '.join(('nestdecode', *path, *words)))}"
    yield from _body(_paragraphs(command))
    yield from _options(command)


def _paragraphs(command: click.Command) -> list[str]:
    return [text for text in cleandoc(command.help or "").split("\n\n") if text.strip()]


def _body(paragraphs: list[str]) -> Iterator[str]:
    """Write paragraphs; those that begin with a backspace keep their lines."""
    for number, text in enumerate(paragraphs):
        if number:
            yield ".PP"
        if text.startswith("\b\n"):
            yield from (".nf", ".RS 4")
            yield from map(_line, text[2:].split("\n"))
            yield from (".RE", ".fi")
        else:
            yield from _text(text)


def _options(command: click.Command) -> Iterator[str]:
    for option in command.params:
        if isinstance(option, click.Option) and not option.hidden:
            names = ", ".join([*option.opts, *option.secondary_opts])
            value = "" if option.is_flag else _value(option)
            yield ".TP"
            yield f".B {_line(names)}{value}"
            usual = f" [default: {option.default}]" if option.show_default else ""
            yield from _text((option.help or "") + usual)


def _value(option: click.Option) -> str:
    if option.metavar:
        return f" {_line(option.metavar)}"
    assert isinstance(option.type, click.Choice)
    return f" {_line('|'.join(map(str, option.type.choices)))}"


def _text(text: str) -> list[str]:
    lines = textwrap.wrap(
        text, 78, break_long_words=False, break_on_hyphens=False, fix_sentence_endings=False
    )
    return [_line(line) for line in lines]


def _line(text: str) -> str:
    for character, name in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga")):
        text = text.replace(character, name)
    text = text.replace("^", "\\(ha").replace("~", "\\(ti")
    return f"\\&{text}" if text.startswith(".") else text


if __name__ == "__main__":
    PAGE.write_text(page())
