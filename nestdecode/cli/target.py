"""The file that output goes to in the place of standard output: whole or not at all."""

from __future__ import annotations

import contextlib
import os
import stat

from nestdecode.cli.signals import undisturbed

__all__ = ["Target", "beyond_standard", "identity_of", "is_lent"]


class Target:
    """
    A file that is written beside the one whose place it takes at the end.

    A link stays, and what it leads to is replaced; the mode of what is replaced stays. A pipe
    or a device, ``/dev/stdout`` too, is written to as it is.

    Args:
        name: The file's name.
        inputs: Names of the files that are read; ``-`` is standard input.

    Attributes:
        name: The file's name.
        path: What it leads to.
        descriptor: To be written to.
        identity: What tells the file that is replaced from every other; None if there is none.

    Raises:
        OSError: If the file can't be written, or is an input.
    """

    def __init__(self, name: str, inputs: tuple[str, ...]) -> None:
        self.name: str = name
        self.path: str = os.path.realpath(name)
        self.descriptor: int = -1
        self._beside = ""
        self.identity: tuple[int, int] | None = identity_of(name)
        try:
            self._open(inputs)
        except OSError as error:
            error.filename, error.filename2 = name, None
            raise
        except ValueError:
            reason = "a NUL in its name"
        else:
            return
        raise OSError(0, reason, name)

    def _open(self, inputs: tuple[str, ...]) -> None:
        try:
            about = os.stat(self.name)  # noqa: PTH116 - pathlib adds nothing
        except FileNotFoundError:
            about = None
        if about is not None and (is_lent(self.name) or not stat.S_ISREG(about.st_mode)):
            # A terminal that is written to does not become ours.
            flags = os.O_WRONLY | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
            flags |= os.O_APPEND
            self.descriptor = beyond_standard(os.open(self.name, flags))
            return
        for one in inputs if about is not None else ():
            if identity_of(0 if one == "-" else one) == self.identity:
                raise OSError(0, "it is an input too: name another file")
        if about is not None and not os.access(self.name, os.W_OK):
            raise PermissionError(13, os.strerror(13))
        self._make_beside(0o666 if about is None else stat.S_IMODE(about.st_mode), about is None)

    def _make_beside(self, mode: int, is_new: bool) -> None:
        """Make the file that is written, with the mode that what it replaces has."""
        folder = os.path.dirname(self.path)  # noqa: PTH120 - pathlib adds nothing
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)
        flags |= getattr(os, "O_BINARY", 0)
        # Not with the file's own name in it, which may be as long as a name can be.
        beside = os.path.join(folder, f".nestdecode-{os.urandom(8).hex()}")  # noqa: PTH118
        with undisturbed:
            # The mask of the process counts for a new file.
            self.descriptor = beyond_standard(os.open(beside, flags, mode if is_new else 0o600))
            self._beside = beside
            if not is_new and hasattr(os, "fchmod"):
                os.fchmod(self.descriptor, mode)

    @property
    def is_replaced(self) -> bool:
        """Whether it is a file that is replaced, and not a pipe or a device."""
        return bool(self._beside)

    def close(self, *, is_whole: bool) -> None:
        """
        Put what was written in the place of the file, if it is whole; else leave that alone.

        Raises:
            OSError: If that can't be done: the file is as it was then.
        """
        beside, self._beside = self._beside, ""
        try:
            with undisturbed:
                if is_whole and beside:
                    os.fsync(self.descriptor)
                os.close(self.descriptor)
                if is_whole and beside:
                    os.replace(beside, self.path)  # noqa: PTH105 - pathlib adds nothing
                    beside = ""
        except OSError as error:
            error.filename, error.filename2 = self.name, None
            raise
        finally:
            if beside:
                with contextlib.suppress(OSError):
                    os.unlink(beside)  # noqa: PTH108 - pathlib adds nothing


def is_lent(name: str) -> bool:
    """Return whether a name is one of the system's for an open file: /dev/stdout, /dev/fd/3."""
    folder = os.path.realpath(os.path.dirname(name))  # noqa: PTH120 - pathlib adds nothing
    return folder.startswith("/proc/") or folder in ("/dev", "/dev/fd")


def beyond_standard(descriptor: int) -> int:
    """Keep a file from taking the place of a standard stream that is closed."""
    if descriptor > 2:
        return descriptor
    try:
        return beyond_standard(os.dup(descriptor))
    finally:
        os.close(descriptor)


def identity_of(file: int | str) -> tuple[int, int] | None:
    """Return what tells a file from every other, or None if there is none."""
    try:
        about = os.stat(file)  # noqa: PTH116 - a descriptor too
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino
