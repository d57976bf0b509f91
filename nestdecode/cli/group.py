"""Groups of commands that say which command was probably meant."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli.sources import is_file
from nestdecode.words import nearest

__all__ = ["ASKED", "Group"]

# The variable by which a shell asks for completions.
ASKED = "_NESTDECODE_COMPLETE"


class Group(click.Group):
    """
    A group that helps if a command is mistyped or left out.

    Args:
        for_files: The command for a file that stands where a command should.
        arguments: Those of a group of click.
    """

    def __init__(self, *arguments: Any, for_files: str, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        self._for_files = for_files

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of the commands, in their own order."""
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Take the options that are before a command."""
        try:
            return super().parse_args(ctx, args)
        except click.NoSuchOption as error:
            name = error.option_name
            usual = self.get_command(ctx, self._for_files.split()[-1])
            if usual is None or not any(name in option.opts for option in usual.params):
                from nestdecode.cli.elsewhere import usage_error  # late: most options are ours

                raise usage_error(error) from None
        hint = f"it follows a command, as in nestdecode {self._for_files} {name}"
        raise click.UsageError(f"No such option '{name}'; {hint}", ctx)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that the first word names."""
        word = args[0]
        commands = self.list_commands(ctx)
        if word in commands or word.startswith("-") or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        hint = nearest(word, commands)
        if is_file(word):
            hint = f"; for that file write nestdecode {self._for_files} {word}"
        raise click.UsageError(f"No such command '{word}'{hint}", ctx)
