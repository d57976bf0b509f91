"""Options of other programs, and what does the same here."""

from __future__ import annotations

import click

__all__ = ["usage_error"]

# Of jq, and those that many commands have.
_HERE = {
    **dict.fromkeys(("-V", "--version"), "nestdecode --version shows the version"),
    **dict.fromkeys(("-n", "--null-input"), "input is always read"),
    **dict.fromkeys(("-a", "--ascii-output"), "output is UTF-8"),
    **dict.fromkeys(("-i", "--in-place"), "nestdecode set -i changes a file in place"),
    **dict.fromkeys(("-f", "--from-file"), 'a query in a file is written "$(cat FILE)"'),
    **dict.fromkeys(
        ("--arg", "--argjson", "--args", "--rawfile", "--slurpfile"),
        "a query has no variables: let the shell write its values",
    ),
    "--slurp": "nestdecode expand FILE | jq -s . makes one array of all records",
    "--raw-input": "--malformed wrap writes each line that is not JSON as a record",
    "--raw-output": "query has -r",
    "--join-output": "query has -r, which writes a line each",
    "--compact-output": "here it is --compact",
    "--color-output": "here it is -C",
    "--monochrome-output": "here it is -M",
    "--stream": "records are read one by one in any case",
}


def usage_error(error: click.NoSuchOption) -> click.UsageError:
    """Return the error for an option that a command does not have, with what does the same."""
    hint = _HERE.get(error.option_name)
    if hint is None:
        return error
    return click.UsageError(f"No such option '{error.option_name}'; {hint}", error.ctx)
