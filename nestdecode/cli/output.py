"""Values to stdout, messages to stderr."""

from __future__ import annotations

import os
import re
import stat
import sys
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, BinaryIO, Literal, TextIO

from nestdecode.cli.flags import is_quiet
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.target import Target, identity_of
from nestdecode.stream.sources import descriptor_of
from nestdecode.text.write import dump
from nestdecode.words import one_line, printable

__all__ = [
    "COLORS",
    "Color",
    "Output",
    "RefusedError",
    "about",
    "called",
    "columns_of",
    "discard",
    "draw",
    "identity_of_messages",
    "is_terminal",
    "note",
    "print_lines",
    "report_on",
    "say",
    "write_lines",
    "write_out",
]

Color = Literal["auto", "always", "never"]
COLORS: tuple[Color, ...] = ("auto", "always", "never")

# Of a terminal that does not say how many it has.
_COLUMNS = 80

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


# Arguments of the library, where its errors name them. Whole phrases: names in queries, files,
# pointers and paths stay as they are.
_ARGUMENT = re.compile(
    r"\b(?:(?<=deeper than )|(?<=longer than )|(?<=grew past )|(?<=more than ))"
    r"(max_(?:layers|depth|bytes|record_bytes))=(\d+)"
    r"|(numbers)=(exact)(?= keeps it\b)|(?<=Error: )(undeclared)='(keep)'(?= is for a spec)"
    r"|(?<=Error: )(max_\w+)(?= is an integer from )|(on_error)(?=: drop is for members of )"
)


def _with_flags(line: str) -> str:
    """
    Return a message with the options of the command line for the arguments of the library.

    >>> _with_flags("deeper than max_depth=200 - at /a")
    'deeper than --max-depth 200 - at /a'
    >>> _with_flags("on_error: drop is for members of objects - at /numbers=1")
    '--on-error: drop is for members of objects - at /numbers=1'
    >>> _with_flags("max_depth=3.json: line 1: deeper than max_depth=200 - at /a/max_depth=1")
    'max_depth=3.json: line 1: deeper than --max-depth 200 - at /a/max_depth=1'
    """

    def flag(found: re.Match[str]) -> str:
        name, *value = filter(None, found.groups())
        return " ".join([f"--{name.replace('_', '-')}", *value])

    return _ARGUMENT.sub(flag, line)


def note(*lines: str) -> None:
    """Say what changes nothing: no record fails, and the exit code is the same."""
    if not is_quiet():
        say(*lines)


def called(file: str) -> str:
    """Return how a file is called in messages; ``-`` is standard input."""
    return "stdin" if file == "-" else file or "''"


def about(file: str, what: str, where: str = "") -> str:
    """
    Write what is wrong with a file, or holds for it.

    Args:
        file: Its name.
        what: In words.
        where: The place in the file.
    """
    return ": ".join(part for part in (called(file), where, what) if part)


def report_on(file: str, what: str, where: str = "") -> None:
    """Say what ``about`` writes; where *what* has more lines, an excerpt of a query follows."""
    first, *excerpt = what.split("\n")
    say(about(file, first, where), *excerpt)


def draw(line: str) -> None:
    """Write a line to stderr, a terminal, in the place of the one drawn before; or none."""
    # What was there is written over, and not taken away before: it would flicker.
    _to_stderr(f"\r{one_line(line)}\x1b[K")


def is_terminal(stream: Any) -> bool:
    """Return whether a standard stream, None if it is closed, is a terminal."""
    return stream is not None and bool(stream.isatty())


def columns_of(terminal: BinaryIO | TextIO) -> int:
    """Return how many columns a terminal has, or COLUMNS says."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said[:6]):
        return int(said[:6])
    try:
        return os.get_terminal_size(terminal.fileno()).columns or _COLUMNS
    except (OSError, ValueError):
        return _COLUMNS


def _to_stderr(text: str) -> None:
    if sys.stderr is None:
        return
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        discard(2)  # stderr has no reader, and that stops nothing


def print_lines(*lines: str) -> None:
    """Write text for people to stdout. Each line stays one, and steers no terminal."""
    Output().write(f"{one_line(line)}\n".encode() for line in lines)


def write_out(text: bytes) -> None:
    """Write bytes to stdout as they are; what steers a terminal as escapes, if that gets it."""
    output = Output()
    output.write_text(output.as_it_is(text))


class RefusedError(Exception):
    """
    What can't be done for a file.

    Attributes:
        reason: Why, in one line that names the file.
        code: The exit code.
    """

    def __init__(self, file: str, reason: str, code: int = 5) -> None:
        super().__init__(file, reason, code)
        self.reason: str = about(file, reason)
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
        target: The file that it goes to in the place of standard output.
        indent: Spaces a level; 0 is one line a value; a tab is one a level; None decides by
            the terminal.
        color: Whether colours are used; ``auto`` decides by the terminal and NO_COLOR.
        raw: Whether strings are written as they are, without quotes.
        sort_keys: Whether members are in the order of their names.
        seq: Whether a record separator is before each value, as in RFC 7464.

    Attributes:
        text: From a value to what is written for it, without a newline at its end.
        target: The file that it goes to, if it is not standard output.
        is_whole: Whether all is in it that there should be: else the target stays as it was.
    """

    def __init__(
        self,
        target: Target | None = None,
        *,
        indent: int | str | None = None,
        color: Color = "auto",
        raw: bool = False,
        sort_keys: bool = False,
        seq: bool = False,
    ) -> None:
        self.target = target
        self.is_whole = True
        if target is not None:
            self._out: BinaryIO | None = None
            self._descriptor = target.descriptor
            self.is_terminal: bool = os.isatty(target.descriptor)
        elif sys.stdout is None:
            raise OSError("standard output is closed")
        else:
            sys.stdout.flush()
            self._out = sys.stdout.buffer
            self._descriptor = descriptor_of(self._out)
            self.is_terminal = sys.stdout.isatty()
        if indent is None:
            indent = 2 if self.is_terminal else 0
        colors = _has_colors(color, is_terminal=self.is_terminal)
        # JSON in a pipe is data: FORCE_COLOR is for what people read.
        self._colors = colors or (color == "auto" and _forced())
        self._before = b"\x1e" if seq else b""
        text = _writer(
            indent or None, sort_keys=sort_keys, raw=raw, safe=self.is_terminal, colors=colors
        )
        self.text: Callable[[Any], bytes] = text
        if seq:
            self.text = lambda value: b"\x1e" + text(value)

    def __enter__(self) -> Output:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if self.target is None:
            return
        if not self.is_whole and kind is None and self.target.is_replaced:
            say(about(self.target.name, "not written: the output is incomplete"))
        self.target.close(is_whole=self.is_whole and kind is None)

    @property
    def identity(self) -> tuple[int, int] | None:
        """What tells the file that is written from every other; None if it is none."""
        if self.target is not None:
            return self.target.identity
        return None if self._descriptor < 0 else identity_of(self._descriptor)

    def is_at(self, descriptor: int) -> bool:
        """Return whether it is the file that a descriptor is open for."""
        return descriptor >= 0 and self.identity == identity_of(descriptor)

    def encode(self, value: Any) -> bytes:
        """Return what is written for one value, newline included."""
        return self.text(value) + b"\n"

    def as_it_is(self, text: bytes | memoryview) -> bytes:
        """Return a text as it is; what steers a terminal as escapes, if that gets it."""
        if not self.is_terminal:
            return bytes(text)
        return printable(bytes(text).decode("utf-8", "backslashreplace")).encode()

    def record_as_it_is(self, raw: bytes) -> bytes:
        """Return what is written for a record that stays as it came."""
        return self._before + self.as_it_is(raw)

    def marked(self, line: str, color: int) -> bytes:
        """Return a line for people, in a colour of ECMA-48 if there are colours."""
        text = self.as_it_is(line.encode()).decode()
        return f"{self.painted(text, color)}\n".encode()

    def painted(self, text: str, color: int) -> str:
        """Return a text, which steers no terminal, in a colour of ECMA-48 if there are colours."""
        return f"\x1b[{color}m{text}\x1b[0m" if self._colors else text

    @property
    def width(self) -> int | None:
        """How many columns the terminal has; None if it is none."""
        return columns_of(sys.stdout) if self.is_terminal else None

    def write(self, lines: Iterable[bytes]) -> None:
        """Write whole lines, at once, and let them go."""
        self.write_text(b"".join(lines))

    def write_text(self, text: bytes | memoryview) -> None:
        """Write whole lines as they are, and let them go."""
        if self.is_terminal and before_text is not None:
            before_text()
        if self._out is not None and self._descriptor < 0:
            self._out.write(text)
            self._out.flush()
            return
        try:
            with undisturbed:
                write_lines(self._descriptor, text)
        except OSError as error:
            if self.target is not None:
                error.filename = self.target.name
            raise


def identity_of_messages() -> tuple[int, int] | None:
    """Return what tells the file that messages go to from every other; None if it is closed."""
    return None if sys.stderr is None else identity_of(2)


def write_lines(descriptor: int, text: bytes | memoryview) -> None:
    """Write all of a text that begins a line; of what can't be written, whole lines."""
    left = memoryview(text)
    try:
        while left:
            try:
                left = left[os.write(descriptor, left) :]
            except BlockingIOError:  # another process made the pipe so
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
        # Not if another process wrote behind it.
        if os.lseek(descriptor, 0, os.SEEK_CUR) == about.st_size:
            os.lseek(descriptor, -cut, os.SEEK_CUR)
            os.ftruncate(descriptor, about.st_size - cut)
    except OSError:
        pass  # the error at hand says more


def _has_colors(color: Color, *, is_terminal: bool) -> bool:
    if color != "auto":
        return color == "always"
    plain = os.environ.get("NO_COLOR") or (os.environ.get("TERM") == "dumb" and not _forced())
    return is_terminal and not plain


def _forced() -> bool:
    """Return whether the variables ask for colours without a terminal."""
    return os.environ.get("FORCE_COLOR", "0") not in ("", "0") and not os.environ.get("NO_COLOR")


def _writer(
    indent: int | str | None, *, sort_keys: bool, raw: bool, safe: bool, colors: bool
) -> Callable[[Any], bytes]:
    """Return the function that writes a value as the options say."""
    write: Callable[[Any], bytes] = dump
    if indent is not None or sort_keys:
        write = partial(dump, indent=indent, sort_keys=sort_keys)
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
_TOKEN_COLORS = {"key": "34;1", "string": "32", "literal": "35", "number": "36"}


def _colored(text: str) -> str:
    return re.sub(
        _TOKEN,
        lambda found: f"\x1b[{_TOKEN_COLORS[found.lastgroup or 'key']}m{found[0]}\x1b[0m",
        text,
    )
