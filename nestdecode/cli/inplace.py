"""Files replaced whole or not at all, and never over what another process has just written."""

from __future__ import annotations

import contextlib
import os
import stat
import time
from types import TracebackType

from nestdecode.cli.output import RefusedError, note
from nestdecode.cli.signals import undisturbed

__all__ = ["InPlace", "lock"]

# Seconds that a lock is waited for without a word, and between two tries.
_PATIENCE = 1.0
_PAUSE = 0.02
_PIECE = 1 << 20
# They speak of the old contents.
_OF_CONTENTS = frozenset({"security.capability", "security.evm", "security.ima"})


class InPlace:
    """
    A file that is going to be replaced: a context that keeps others from replacing it too.

    Of processes that replace a file by this class one waits for the other, where the file
    system has locks. Whatever else changes the file before it is replaced is noticed, and
    then it is not replaced. What is written to the old file by a process that still has
    it open is lost afterwards: a file that is being appended to is none to be replaced.

    A link stays, and what it leads to is replaced. Owner, group, mode and extended
    attributes (on Linux; access lists are among them) stay, or the file is not replaced.

    Args:
        name: The file's name.

    Raises:
        RefusedError: If it is not a regular file, can't be written to, or has several
            names (hard links): all but this one would keep the old text.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._path = os.path.realpath(name)
        self._descriptor = -1

    def __enter__(self) -> InPlace:
        try:
            self._open()
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def put(self, text: bytes, old: bytes) -> None:
        """
        Put a text in the place of the file.

        Args:
            text: What the file holds from now on.
            old: What it held when it was read.

        Raises:
            RefusedError: If it holds something else by now, or can't be replaced; the
                file is as it was then.
        """
        temporary = ""
        try:
            with undisturbed:
                self._check_text(old)
                temporary = self._written(text)
                self._check_unchanged()
                os.replace(temporary, self._path)  # noqa: PTH105 - pathlib adds nothing
                temporary = ""
                self._sync_folder()
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            return
        finally:
            if temporary:
                with contextlib.suppress(OSError):
                    os.unlink(temporary)  # noqa: PTH108 - pathlib adds nothing
        raise self._refusal(reason)

    def _open(self) -> None:
        while True:
            self._close()
            try:
                # What it is first: opening a device may be an order to it.
                self._check(os.stat(self._path))  # noqa: PTH116 - pathlib adds nothing
                flags = os.O_RDWR | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
                self._descriptor = os.open(self._path, flags)
                lock(self._descriptor, self._name)
                self._about = os.fstat(self._descriptor)
                self._check(self._about)
                # Who waits for a lock may get that of a file that was replaced meanwhile.
                now = os.stat(self._path)  # noqa: PTH116 - pathlib adds nothing
            except OSError as error:
                reason = error.strerror or str(error)
            except ValueError:
                reason = "a NUL in its name"
            else:
                if os.path.samestat(now, self._about):
                    return
                continue
            raise self._refusal(reason)

    def _close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def _check(self, about: os.stat_result) -> None:
        if stat.S_ISDIR(about.st_mode):
            raise self._refusal("it is a directory")
        if not stat.S_ISREG(about.st_mode):
            raise self._refusal("it is not a regular file")
        if about.st_nlink > 1:
            raise self._refusal(
                f"it has {about.st_nlink} names (hard links), and the others would keep "
                "the old text"
            )
        # Root may write to it, which is not what the mode says.
        if not about.st_mode & 0o222:
            raise self._refusal("it is read-only; chmod u+w makes it writable")

    def _check_text(self, old: bytes) -> None:
        """Raise RefusedError unless the file holds this text."""
        left = memoryview(old)
        os.lseek(self._descriptor, 0, os.SEEK_SET)
        while piece := os.read(self._descriptor, _PIECE):
            if left[: len(piece)] != piece:
                raise self._changed()
            left = left[len(piece) :]
        if left:
            raise self._changed()

    def _check_unchanged(self) -> None:
        """Raise RefusedError if the file is another one, or was written to."""
        now = os.stat(self._path)  # noqa: PTH116 - pathlib adds nothing
        if _identity(now) != _identity(self._about):
            raise self._changed()

    def _written(self, text: bytes) -> str:
        """Write a text to a new file beside the old one, which is like it; return its name."""
        import tempfile

        folder = os.path.dirname(self._path)  # noqa: PTH120 - pathlib adds nothing
        # Not with the file's own name in it, which may be as long as a name can be.
        descriptor, temporary = tempfile.mkstemp(prefix=".nestdecode-", dir=folder)
        try:
            with open(descriptor, "wb") as file:  # noqa: PTH123 - a descriptor
                self._liken(descriptor)
                file.write(text)
                file.flush()
                os.fsync(descriptor)
        except BaseException:
            os.unlink(temporary)  # noqa: PTH108 - pathlib adds nothing
            raise
        return temporary

    def _liken(self, descriptor: int) -> None:
        """Give a new file the owner, attributes and mode of the old one, in this order."""
        if not hasattr(os, "fchown"):  # Windows
            return
        about = self._about
        new = os.fstat(descriptor)
        if (new.st_uid, new.st_gid) != (about.st_uid, about.st_gid):
            try:
                os.fchown(descriptor, about.st_uid, about.st_gid)
            except OSError as error:
                reason = f"its owner and group can't be kept: {error.strerror}"
            else:
                reason = ""
            if reason:
                raise self._refusal(reason)
        if hasattr(os, "listxattr"):
            self._copy_attributes(descriptor)
        os.fchmod(descriptor, stat.S_IMODE(about.st_mode))

    def _copy_attributes(self, descriptor: int) -> None:
        old, new = _attributes(self._descriptor), _attributes(descriptor)
        # The folder may have given it an access list that the old one does not have.
        for name in new.keys() - old.keys():
            if not name.startswith("security."):
                os.removexattr(descriptor, name)
        for name, value in old.items():
            if new.get(name) == value:
                continue
            try:
                os.setxattr(descriptor, name, value)
            except OSError as error:
                reason = f"its attribute {name} can't be kept: {error.strerror}"
            else:
                continue
            raise self._refusal(reason)

    def _sync_folder(self) -> None:
        """Have the new name outlive the machine, where folders can be synchronised."""
        with contextlib.suppress(OSError):
            folder = os.open(os.path.dirname(self._path), os.O_RDONLY)  # noqa: PTH120
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    def _changed(self) -> RefusedError:
        return RefusedError(
            self._name, "another process has changed it since it was read: run the command again", 2
        )

    def _refusal(self, reason: str) -> RefusedError:
        return RefusedError(self._name, f"can't be replaced: {reason}", 2)


def lock(descriptor: int, name: str) -> None:
    """
    Wait until no other process has locked a file, and lock it until it is closed.

    Where the system or the file system has no locks, nothing happens.

    Args:
        descriptor: Of the file, open for writing.
        name: The file's name, for the message to a user who has to wait.
    """
    try:
        import fcntl
    except ImportError:  # Windows
        return
    end = time.monotonic() + _PATIENCE
    with contextlib.suppress(OSError):
        while time.monotonic() < end:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(_PAUSE)
            else:
                return
        note(f"{name}: waiting for another process, which has locked it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)


def _identity(about: os.stat_result) -> tuple[int, ...]:
    return about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns


def _attributes(descriptor: int) -> dict[str, bytes]:
    """Return the extended attributes of a file; none where there are none."""
    try:
        names = os.listxattr(descriptor)
    except OSError:
        return {}
    return {name: os.getxattr(descriptor, name) for name in names if name not in _OF_CONTENTS}
