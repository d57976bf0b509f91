"""The file that dead letters are kept in."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterable, Mapping

from nestdecode.cli.output import note, write_lines
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.target import beyond_standard, is_lent
from nestdecode.words import printable

__all__ = ["Letters"]


class Letters:
    """
    Dead letters, appended to a file that only its owner can read, or sent to a pipe.

    In a file each is there whole or not at all, whatever else happens to this process. A
    file that is there already has to be ours and have no other name; if others could read
    it, they can't any more. A pipe or a device, a terminal too, is written to as it is.
    A symbolic link is not followed, except those of the system in /dev and /proc: another
    user who can write to the folder could send letters anywhere by one.

    Args:
        path: The file; it is made if there is none.
        taken: The files that are read or written meanwhile, and what each is.

    Raises:
        OSError: If it can't be written, is taken, or another process writes to it.
    """

    def __init__(self, path: str, taken: Mapping[tuple[int, int], str]) -> None:
        self._path = path
        self._taken = taken
        self._descriptor = -1
        try:
            self._open()
        except OSError as error:
            error.filename = path
            self._leave()
            raise
        except BaseException:
            self._leave()
            raise

    def _open(self) -> None:
        if self._path == "-":
            raise OSError(
                0,
                "standard output is for records: write /dev/stderr, or ./- for a file of that name",
            )
        flags = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        # /dev/stdout, /dev/fd/3 and >(...) are links. /dev/shm/x is anybody's.
        if not is_lent(self._path):
            flags |= getattr(os, "O_NOFOLLOW", 0)
            if os.path.islink(self._path):  # noqa: PTH114 - pathlib adds nothing
                raise OSError(0, "it is a symbolic link: name the file that it leads to")
        # Not open for reading, a pipe tells that its reader left.
        try:
            is_regular = stat.S_ISREG(os.stat(self._path).st_mode)  # noqa: PTH116 - pathlib adds nothing
        except FileNotFoundError:
            is_regular = True
        flags |= os.O_RDWR if is_regular else os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
        self._descriptor = beyond_standard(os.open(self._path, flags, 0o600))
        about = os.fstat(self._descriptor)
        self._is_terminal = os.isatty(self._descriptor)
        if stat.S_ISREG(about.st_mode) != is_regular:
            raise OSError(0, "it was replaced while it was opened: run the command again")
        if is_regular:
            what = self._taken.get((about.st_dev, about.st_ino))
            if what is not None:
                raise OSError(0, f"it is {what} too: name another file")
            self._lock()
            self._make_ours(about)
            size = os.fstat(self._descriptor).st_size
            # Half a line, left by a machine that died, does not run into the next one.
            if size and os.pread(self._descriptor, 1, size - 1) != b"\n":
                self.write([b""])
        elif not stat.S_ISFIFO(about.st_mode) and not stat.S_ISCHR(about.st_mode):
            raise OSError(0, "it is neither a file nor a pipe: name another file")

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # Windows
            return
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            reason = "another process writes to it: give each process its own file"
        except OSError:  # no locks on this file system
            return
        else:
            return
        raise OSError(0, reason)

    def _make_ours(self, about: os.stat_result) -> None:
        """Close a file to others."""
        if not hasattr(os, "fchmod") or not hasattr(os, "geteuid"):  # Windows
            return
        if about.st_uid != os.geteuid():
            raise OSError(0, "it belongs to another user: name another file")
        if about.st_nlink != 1:
            raise OSError(0, "it has other names (hard links): name another file")
        mode = stat.S_IMODE(about.st_mode)
        if not mode & 0o077:
            return
        os.fchmod(self._descriptor, mode & 0o700)
        if os.fstat(self._descriptor).st_mode & 0o077:
            raise OSError(
                0, "others can read it, which this file system can't change: name another file"
            )
        note(f"{self._path}: only you can read it now (its mode was {mode:04o})")

    def write(self, letters: Iterable[bytes]) -> None:
        """Write letters, one a line."""
        try:
            for letter in letters:
                line = letter + b"\n"
                if self._is_terminal:
                    line = printable(line.decode()).encode()
                with undisturbed:
                    write_lines(self._descriptor, line)
        except OSError as error:
            error.filename = self._path
            raise

    def close(self) -> None:
        """Have the letters outlive the machine, and close the file."""
        try:
            os.fsync(self._descriptor)
        except OSError as error:
            if error.errno not in (errno.EINVAL, errno.ENOTSUP, errno.EROFS):  # a pipe
                error.filename = self._path
                raise
        finally:
            self._leave()

    def _leave(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)
