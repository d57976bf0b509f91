"""``nestdecode completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

__all__ = ["command"]


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def command(shell: str) -> None:
    """
    Print the completion script for SHELL.

    \b
    nestdecode completion bash > ~/.local/share/bash-completion/completions/nestdecode
    nestdecode completion zsh > "${fpath[1]}/_nestdecode"
    nestdecode completion fish > ~/.config/fish/completions/nestdecode.fish
    """
    from nestdecode.cli import cli

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"no completion for {shell}")
    click.echo(completion(cli, {}, "nestdecode", "_NESTDECODE_COMPLETE").source())
