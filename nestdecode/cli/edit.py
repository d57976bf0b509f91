"""``nestdecode edit``."""

from __future__ import annotations

import os
import re
import shlex
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import click

from nestdecode.cli import options
from nestdecode.cli.files import Original, check_size, records_in
from nestdecode.cli.flags import Command
from nestdecode.cli.inplace import InPlace
from nestdecode.cli.options import DecodingOptions
from nestdecode.cli.output import RefusedError, about, is_terminal, note, say
from nestdecode.cli.restoring import Restoring
from nestdecode.cli.signals import Stopped, keys_are_for_others, undisturbed
from nestdecode.decoder import Decoder
from nestdecode.stream import Framing

__all__ = ["command"]

# Seconds that an editor has to end when a signal asks it to.
_PATIENCE = 2.0


@click.command("edit", cls=Command, short_help="Edit a file with its layers opened.")
@click.argument("file", type=click.Path())
@options.decoding
@options.framing
def command(file: str, framing: Framing | None, decoding: DecodingOptions) -> int:
    """
    Edit FILE with its layers opened, in $VISUAL or $EDITOR.

    \b
    nestdecode edit dashboard.json
    EDITOR='code --wait' nestdecode edit export.ndjson

    What you save is put back into FILE, whole or not at all; every byte outside of your
    changes stays. You can add records, which are written like the one before, and remove
    them, except all. A number equal to the old one is not a change, except with
    --numbers exact.

    If your text can't be put back, because it is not JSON or because another process has
    changed FILE, it is kept, and stderr says where.
    """
    if file == "-":
        raise click.UsageError("edit wants a FILE: standard input can't be replaced")
    decoder = decoding.decoder()
    with InPlace(file):
        original = Original(file, decoder, framing)
    original.check_replaceable()
    shown = original.shown()
    with _copy(file, shown) as path:
        restoring, text = _edited(path, shown, original, decoder)
        if text == original.text:
            note(about(file, "nothing was changed"))
        else:
            with InPlace(file) as place:
                place.put(text, original.text)
            restoring.say()
    return 0


@contextmanager
def _copy(file: str, shown: bytes) -> Iterator[str]:
    """
    Make a file to be edited, and take it away at the end.

    However that end comes, what was written there and not put back is kept, and stderr
    says where.
    """
    # Its end, which may tell an editor more than the beginning, and not more than fits.
    name = os.path.basename(file)[-60:]  # noqa: PTH119 - pathlib adds nothing
    folder = path = ""
    try:
        with undisturbed:
            # mkdtemp: for its owner only, and an editor may leave files beside this one.
            folder = tempfile.mkdtemp(prefix="nestdecode-")
            path = os.path.join(folder, name if name.endswith(".json") else f"{name}.json")  # noqa: PTH118
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as copy:  # noqa: PTH123 - a descriptor
                copy.write(shown)
        yield path
    except BaseException:
        if folder and not _is_untouched(folder, path, shown):
            say(f"what you wrote is kept in {path}")
        elif folder:
            _remove(folder)
        raise
    _remove(folder)


def _is_untouched(folder: str, path: str, shown: bytes) -> bool:
    """Return whether a folder holds nothing except, perhaps, the file that was made in it."""
    try:
        names = os.listdir(folder)  # noqa: PTH208 - pathlib adds nothing
        return not names or (names == [os.path.basename(path)] and _saved(path) == shown)  # noqa: PTH119
    except (OSError, RefusedError):
        return False


def _edited(
    path: str, shown: bytes, original: Original, decoder: Decoder
) -> tuple[Restoring, bytes]:
    """Let it be edited until it can be put back; return what does so, and the file's new text."""
    while True:
        restoring = Restoring(original, decoder)
        _run_editor(path)
        text = _saved(path)
        if text == shown:
            return restoring, original.text
        try:
            _check_left(path, shown, text)
            records = records_in(path, text, None, decoder.limits.max_record_bytes)
            return restoring, restoring.text(path, records)
        except RefusedError as error:
            error.reason = _by_line(error.reason)
            if not is_terminal(sys.stdin):
                raise
            say(error.reason)
            if not click.confirm("Edit it again?", default=True, err=True):
                raise


# Where a text is malformed: its record begins at a line, and the place is counted from there.
_PLACE = re.compile(
    r"(?:document at )?line (\d+): (.*): char (\d+)(?: \(column (\d+) of its line (\d+)\))?"
    r" - at document root\Z"
)


def _by_line(message: str) -> str:
    """
    Return a message with the place as an editor shows it.

    >>> _by_line("/tmp/a.json: document at line 3: invalid JSON: char 9 (column 4 of its line 2)"
    ...          " - at document root")
    '/tmp/a.json: line 4, column 4: invalid JSON'
    """

    def placed(found: re.Match[str]) -> str:
        begins, what, char, column, line = found.groups()
        if line is None:
            return f"line {begins}, column {int(char) + 1}: {what}"
        return f"line {int(begins) + int(line) - 1}, column {column}: {what}"

    return _PLACE.sub(placed, message)


def _check_left(path: str, shown: bytes, text: bytes) -> None:
    """Raise RefusedError if there were records, and none is left: an editor may have failed."""
    if shown.strip() and not text.strip():
        raise RefusedError(path, "no record is left in it: keep at least one")


def _saved(path: str) -> bytes:
    """
    Return what an editor saved.

    Raises:
        RefusedError: If it left no regular file, or too large a one; nothing else is
            opened, or waited for.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            with open(os.open(path, flags), "rb") as file:  # noqa: PTH123 - a descriptor
                check_size(path, os.fstat(file.fileno()).st_size)
                return file.read()
        reason = "the editor replaced it by something that is not a file"
    except FileNotFoundError:
        reason = "the editor removed it"
    except OSError as error:
        reason = f"can't be read: {error.strerror or error}"
    raise RefusedError(path, reason, 2)


def _run_editor(path: str) -> None:
    """
    Run the editor on a file.

    Raises:
        RefusedError: If it can't be run, or does not end well.
    """
    words = (os.environ.get("VISUAL", ""), os.environ.get("EDITOR", ""), "vi")
    editor = next(text for text in words if text.strip())
    try:
        # What is typed at the terminal is for the editor: it may do something else at Ctrl-C.
        with keys_are_for_others():
            code = _ended([*shlex.split(editor), path])
    except (OSError, ValueError) as error:
        reason = f"can't be run: {getattr(error, 'strerror', None) or error}; set VISUAL or EDITOR to an editor"
    else:
        if not code:
            return
        reason = f"exited with {code}" if code > 0 else f"was ended by signal {-code}"
    raise RefusedError(editor, reason, 2)


def _ended(words: list[str]) -> int:
    """Run an editor. It gets the signal that asks us to stop, and some time to save."""
    editor = None
    try:
        with undisturbed:
            editor = subprocess.Popen(words)
        return editor.wait()
    except Stopped as stopped:
        if editor is not None:
            editor.send_signal(stopped.number)
            with suppress(subprocess.TimeoutExpired):
                editor.wait(_PATIENCE)
        raise


def _remove(folder: str) -> None:
    import shutil

    shutil.rmtree(folder, ignore_errors=True)
