"""Values to stdout, messages to stderr."""

from __future__ import annotations

import errno
import os
import re
import stat
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, BinaryIO, Literal

from nestdecode.cli.signals import undisturbed
from nestdecode.stream.sources import descriptor_of
from nestdecode.text.write import dump
from nestdecode.words import one_line, printable

__all__ = [
    "Color",
    "Letters",
    "Output",
    "RefusedError",
    "discard",
    "draw",
    "identity_of",
    "print_lines",
    "say",
    "shown_name",
]

Color = Literal["auto", "always", "never"]

# What a progress bar does before a terminal gets other text.
before_text: Callable[[], None] | None = None


def say(*lines: str, prefix: str = "nestdecode: ") -> None:
    """
    Write a message to stderr. Every message goes this way.

    Args:
        lines: The message. Each stays one line and steers no terminal, whatever the
            names in it hold.
        prefix: What the first line begins with.
    """
    if before_text is not None:
        before_text()
    _to_stderr(prefix + "".join(f"{_with_flags(one_line(line))}\n" for line in lines))


# Arguments of the library, as its errors name them: max_depth=200, numbers=exact.
_ARGUMENT = r"\b(max_(?:layers|depth|bytes|record_bytes)|numbers)(?:=(\w+)| is\b)"


def _with_flags(line: str) -> str:
    """
    Return a message with the options of the command line for the arguments of the library.

    >>> _with_flags("deeper than max_depth=200 - at /a")
    'deeper than --max-depth 200 - at /a'
    """

    def flag(found: re.Match[str]) -> str:
        return f"--{found[1].replace('_', '-')} {found[2] or 'is'}"

    return re.sub(_ARGUMENT, flag, line)


def draw(line: str) -> None:
    """Write a line to stderr, a terminal, in the place of the one drawn before; or none."""
    _to_stderr(f"\r\x1b[K{one_line(line)}")


def _to_stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(2)  # nobody reads this, and that stops nothing


def print_lines(*lines: str) -> None:
    """Write text for people to stdout. Each line stays one, and steers no terminal."""
    Output().write(f"{one_line(line)}\n".encode() for line in lines)


def shown_name(file: str) -> str:
    """Return how a file is called in messages."""
    return "stdin" if file == "-" else file or "''"


class RefusedError(Exception):
    """
    What can't be done for a file.

    Attributes:
        reason: Why, in one line that names the file.
        code: The exit code.
    """

    def __init__(self, file: str, reason: str, code: int = 5) -> None:
        super().__init__(file, reason, code)
        self.reason: str = f"{shown_name(file)}: {reason}"
        self.code = code


def discard(descriptor: int) -> None:
    """Send what is still buffered nowhere, so that exit does not fail on it again."""
    try:
        null = os.open(os.devnull, os.O_WRONLY)
        os.dup2(null, descriptor)
        os.close(null)
    except OSError:
        pass


class Output:
    """
    Where answers go: one line each in a pipe, indented and coloured on a terminal.

    Args:
        indent: Spaces a level; 0 is one line a value; None decides by the terminal.
        color: Whether colours are used; ``auto`` decides by the terminal and NO_COLOR.
        raw: Whether strings are written as they are, without quotes.

    Attributes:
        text: From a value to what is written for it, without a newline at its end.
    """

    def __init__(
        self, *, indent: int | None = None, color: Color = "auto", raw: bool = False
    ) -> None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        sys.stdout.flush()
        self._out: BinaryIO = sys.stdout.buffer
        self._descriptor = descriptor_of(self._out)
        self.is_terminal: bool = sys.stdout.isatty()
        if indent is None:
            indent = 2 if self.is_terminal else 0
        dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        colors = color == "always" or (color == "auto" and self.is_terminal and not dumb)
        self._colors = colors
        self.text: Callable[[Any], bytes] = _writer(
            indent or None, raw=raw, safe=self.is_terminal, colors=colors
        )

    @property
    def identity(self) -> tuple[int, int] | None:
        """What tells the file that is written from every other; None if it is none."""
        return None if self._descriptor < 0 else identity_of(self._descriptor)

    def is_at(self, descriptor: int) -> bool:
        """Tell whether it is the file that a descriptor is open for."""
        return descriptor >= 0 and self.identity == identity_of(descriptor)

    def encode(self, value: Any) -> bytes:
        """Return what is written for one value, newline included."""
        return self.text(value) + b"\n"

    def as_it_is(self, text: bytes | memoryview) -> bytes:
        """Return a text as it is; what steers a terminal as escapes, if that gets it."""
        if not self.is_terminal:
            return bytes(text)
        return printable(bytes(text).decode("utf-8", "backslashreplace")).encode()

    def marked(self, line: str, color: int) -> bytes:
        """Return a line for people, in a colour of ECMA-48 if there are colours."""
        text = self.as_it_is(line.encode()).decode()
        return (f"\x1b[{color}m{text}\x1b[0m\n" if self._colors else f"{text}\n").encode()

    def write(self, lines: Iterable[bytes]) -> None:
        """Write whole lines, at once, and let them go."""
        self.write_text(b"".join(lines))

    def write_text(self, text: bytes | memoryview) -> None:
        """Write whole lines as they are, and let them go."""
        if self.is_terminal and before_text is not None:
            before_text()
        if self._descriptor < 0:
            self._out.write(text)
            self._out.flush()
            return
        with undisturbed:
            _write_lines(self._descriptor, text)


class Letters:
    """
    Dead letters, appended to a file that only its owner can read, or sent to a pipe.

    In a file each is there whole or not at all, whatever else happens to this process. A
    file that is there already has to be ours and have no other name; if others could read
    it, they can't any more. A pipe or a device, a terminal too, is written to as it is.
    A symbolic link is not followed, but for those that the system has in /dev and /proc:
    whoever can write to the folder could have letters end up anywhere by one.

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
        folder = os.path.realpath(os.path.dirname(self._path))  # noqa: PTH120 - pathlib adds nothing
        flags = os.O_APPEND | os.O_CREAT | getattr(os, "O_CLOEXEC", 0)
        # /dev/stdout, /dev/fd/3 and >(...) are links. /dev/shm/x is anybody's.
        if not folder.startswith("/proc/") and folder not in ("/dev", "/dev/fd"):
            flags |= getattr(os, "O_NOFOLLOW", 0)
            if os.path.islink(self._path):  # noqa: PTH114 - pathlib adds nothing
                raise OSError(0, "it is a symbolic link: name the file that it leads to")
        # Not open for reading, a pipe tells that its reader left.
        try:
            is_regular = stat.S_ISREG(os.stat(self._path).st_mode)  # noqa: PTH116 - pathlib adds nothing
        except FileNotFoundError:
            is_regular = True
        flags |= os.O_RDWR if is_regular else os.O_WRONLY | getattr(os, "O_NOCTTY", 0)
        self._descriptor = _beyond_standard(os.open(self._path, flags, 0o600))
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
            # What a machine that died has left is told apart from what follows.
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
        say(f"{self._path}: only you can read it now (its mode was {mode:04o})")

    def write(self, letters: Iterable[bytes]) -> None:
        """Write letters, one a line."""
        try:
            for letter in letters:
                line = letter + b"\n"
                if self._is_terminal:
                    line = printable(line.decode()).encode()
                with undisturbed:
                    _write_lines(self._descriptor, line)
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


def _beyond_standard(descriptor: int) -> int:
    """Keep a file from taking the place of a standard stream that is closed."""
    if descriptor > 2:
        return descriptor
    try:
        return _beyond_standard(os.dup(descriptor))
    finally:
        os.close(descriptor)


def identity_of(file: int | str) -> tuple[int, int] | None:
    """Return what tells a file from every other, or None if there is none."""
    try:
        about = os.stat(file)  # noqa: PTH116 - a descriptor too
    except (OSError, ValueError):
        return None
    return about.st_dev, about.st_ino


def _write_lines(descriptor: int, text: bytes | memoryview) -> None:
    """Write all of a text that begins a line; of what can't be written, whole lines."""
    left = memoryview(text)
    try:
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:  # somebody else made the pipe so
                import select

                select.select([], [descriptor], [])
    except OSError:
        _take_back(descriptor, bytes(text[: len(text) - len(left)]))
        raise


def _take_back(descriptor: int, written: bytes) -> None:
    """Have a regular file end where the last whole line ends."""
    cut = len(written) - written.rfind(b"\n") - 1
    try:
        about = os.fstat(descriptor)
        if not cut or not stat.S_ISREG(about.st_mode):
            return
        # Not if somebody else wrote behind it.
        if os.lseek(descriptor, 0, os.SEEK_CUR) == about.st_size:
            os.lseek(descriptor, -cut, os.SEEK_CUR)
            os.ftruncate(descriptor, about.st_size - cut)
    except OSError:
        pass  # the error at hand says more


def _writer(indent: int | None, *, raw: bool, safe: bool, colors: bool) -> Callable[[Any], bytes]:
    """Return the function that writes a value as the options say."""
    write: Callable[[Any], bytes] = dump if indent is None else partial(dump, indent=indent)
    if safe or colors:
        write = _for_terminals(write, safe=safe, colors=colors)
    return _with_raw_strings(write, safe=safe) if raw else write


def _for_terminals(
    write: Callable[[Any], bytes], *, safe: bool, colors: bool
) -> Callable[[Any], bytes]:
    def write_text(value: Any) -> bytes:
        text = write(value).decode()
        text = printable(text) if safe else text
        return (_colored(text) if colors else text).encode()

    return write_text


def _with_raw_strings(write: Callable[[Any], bytes], *, safe: bool) -> Callable[[Any], bytes]:
    def write_raw(value: Any) -> bytes:
        if not isinstance(value, str):
            return write(value)
        text = printable(value) if safe else value
        return text.encode("utf-8", "backslashreplace")

    return write_raw


_TOKEN = (
    r'(?P<key>"(?:[^"\\]|\\.)*"(?=:))|(?P<string>"(?:[^"\\]|\\.)*")'
    r"|(?P<literal>true|false|null)|(?P<number>-?[0-9][0-9.eE+-]*)"
)
_COLORS = {"key": "34;1", "string": "32", "literal": "35", "number": "36"}


def _colored(text: str) -> str:
    return re.sub(
        _TOKEN,
        lambda found: f"\x1b[{_COLORS[found.lastgroup or 'key']}m{found[0]}\x1b[0m",
        text,
    )
