"""``nestdecode edit``."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from typing import Any

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, put_trees, read_file, replace
from nestdecode.cli.output import RefusedError, say
from nestdecode.decoder import Decoder
from nestdecode.jsontext import dump

__all__ = ["command"]


@click.command("edit", short_help="Edit a file with its layers opened.")
@click.argument("file", type=click.Path())
@options.decoding
@options.framing
def command(file: str, framing: Any, **decoding: Any) -> int:
    """
    Edit FILE with its layers opened, in $VISUAL or $EDITOR.

    \b
    nestdecode edit dashboard.json
    EDITOR='code --wait' nestdecode edit export.ndjson

    What is saved is put back into FILE, whole or not at all; every byte outside of what
    was changed stays. What is no JSON any more is refused, and kept to be edited on.
    """
    decoder = options.decoder_from(decoding)
    original = Original(file, decoder, framing)
    original.check_replaceable()
    shown = b"".join(dump(d.tree, indent=2) + b"\n" for d in original.documents)
    base = os.path.basename(file)  # noqa: PTH119 - pathlib adds nothing
    # mkdtemp: for its owner only, and an editor may leave files beside the one it edits.
    folder = tempfile.mkdtemp(prefix="nestdecode-")
    path = os.path.join(folder, base if base.endswith(".json") else f"{base}.json")  # noqa: PTH118
    with open(path, "xb") as copy:  # noqa: PTH123 - pathlib adds nothing
        copy.write(shown)
    try:
        text = _edited(path, shown, original, decoder)
        if text is not None and read_file(file) != original.text:
            raise RefusedError(file, "was changed meanwhile", 2)
        if text is not None and text != original.text:
            replace(file, text)
    except RefusedError as error:
        if read_file(path) != shown:
            error.reason += f"; what you wrote is in {path}"
            raise
        _remove(folder)
        raise
    _remove(folder)
    return 0


def _edited(path: str, shown: bytes, original: Original, decoder: Decoder) -> bytes | None:
    """Let it be edited until it can be put back; return the file's new text, or None."""
    while True:
        _run_editor(path)
        text = read_file(path)
        if text == shown:
            return None
        try:
            put_trees(original, path, text, decoder)
            return original.collapse()
        except RefusedError as error:
            if not (sys.stdin is not None and sys.stdin.isatty()):
                raise
            say(error.reason)
            if not click.confirm("Edit it again?", default=True, err=True):
                raise


def _run_editor(path: str) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    try:
        code = subprocess.run([*shlex.split(editor), path], check=False).returncode
        reason = f"exited with {code}"
    except (OSError, ValueError) as error:
        code, reason = -1, f"can't be run: {getattr(error, 'strerror', None) or error}"
    if code:
        raise RefusedError(editor, reason, 2)


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
