"""Options of other programs and other commands, and what does the same here."""

from __future__ import annotations

import click

__all__ = ["usage_error"]

# Of jq, and those that many commands have.
_HERE = {
    **dict.fromkeys(("-V", "--version"), "nestdecode --version shows the version"),
    **dict.fromkeys(("-n", "--null-input"), "input is always read"),
    **dict.fromkeys(("-a", "--ascii-output"), "output is UTF-8"),
    **dict.fromkeys(("-i", "--in-place"), "nestdecode set -i changes a file in place"),
    **dict.fromkeys(("-f", "--from-file"), 'for a query in a file, write "$(cat FILE)"'),
    **dict.fromkeys(
        ("--arg", "--argjson", "--args", "--rawfile", "--slurpfile"),
        "a query has no variables: write the value into the query",
    ),
    "--slurp": "nestdecode expand FILE | jq -s . makes one array of all records",
    "--raw-input": "--malformed wrap writes each line that is not JSON as a record",
    "--raw-output": "query -r writes strings without quotes",
    "--join-output": "query -r writes strings without quotes, one per line",
    "--compact-output": "write --compact",
    "--color-output": "write -C",
    "--monochrome-output": "write -M",
    "--stream": "records are always read one by one",
}


def usage_error(error: click.NoSuchOption) -> click.UsageError:
    """Return the error for an option that a command does not have, with what does the same."""
    hint = _HERE.get(error.option_name) or _owners(error)
    if not hint:
        return error
    return click.UsageError(f"No such option '{error.option_name}'; {hint}", error.ctx)


def _owners(error: click.NoSuchOption) -> str:
    """Say which commands have an option, the first of them if they are many."""
    if error.ctx is None:
        return ""
    root = error.ctx.find_root()
    assert isinstance(root.command, click.Group)
    commands = [(n, root.command.get_command(root, n)) for n in root.command.list_commands(root)]
    names = [
        name
        for name, command in commands
        if command and any(error.option_name in option.opts for option in command.params)
    ]
    return f"{' and '.join(names[:2])} {'has' if len(names) == 1 else 'have'} it" if names else ""
