"""``nestdecode completion``."""

from __future__ import annotations

import click

from nestdecode.cli.completing import source
from nestdecode.cli.output import write_out

__all__ = ["command"]


@click.command("completion", short_help="Print the completion script of a shell.")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """
    Print the script by which SHELL completes commands, options, files, specs and :names.

    \b
    nestdecode completion bash > ~/.local/share/bash-completion/completions/nestdecode
    nestdecode completion zsh > "${fpath[1]}/_nestdecode"
    nestdecode completion fish > ~/.config/fish/completions/nestdecode.fish
    """
    from nestdecode.cli import cli

    write_out(source(cli, shell).encode())
