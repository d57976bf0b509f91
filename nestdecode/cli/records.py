"""The loop of every command that reads records."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

import click

from nestdecode.cli.output import Output, say
from nestdecode.decoder import UncompiledError
from nestdecode.errors import DecodeError, LimitError, QueryError
from nestdecode.stream import Framing, Record, read_records

__all__ = ["Session"]

SHOWN = 10


class Session:
    """
    One run over some files: reads, answers, writes, and counts what went wrong.

    Attributes:
        code: Exit code so far: 0, 2 (a file), 3 (a query) or 5 (a record).
        last: The last value written, or ``...`` if there was none.
    """

    def __init__(self, files: tuple[str, ...], framing: Framing | None, most: int) -> None:
        self._files = files or ("-",)
        self._framing = framing
        self._most = most
        self._source = ""
        self._record = Record(b"", 1, 0)
        self._records = self._failed = self._with_problems = self._problems = 0
        self._at_problem = -1
        self._uncompiled: set[str] = set()
        self._file_failed = False
        self.last: Any = ...

    @property
    def code(self) -> int:
        """The exit code: files come before queries, and queries before records."""
        return 2 if self._file_failed else 3 if self._uncompiled else 5 if self._failed else 0

    def problem(self, error: DecodeError) -> None:
        """Count a layer that stays shut; tell the first few."""
        self._problems += 1
        if self._at_problem != self._records:
            self._at_problem = self._records
            self._with_problems += 1
        if self._problems <= SHOWN:
            say(f"{self._where()}: {_one_line(error)}")

    def run(
        self,
        answer: Callable[[bytes], Any],
        split: Callable[[Any], Iterable[Any]],
        output: Output,
    ) -> None:
        """Answer every record of every file, and write what *split* makes of each answer."""
        for name in self._files:
            self._source = name
            with self._telling_file_errors(name), _opened(name) as read:
                for batch in read_records(read, self._most, self._framing):
                    output.write(self._lines(batch, answer, split, output))
        self._summarise()

    def _lines(
        self,
        batch: list[Record],
        answer: Callable[[bytes], Any],
        split: Callable[[Any], Iterable[Any]],
        output: Output,
    ) -> Iterator[bytes]:
        for record in batch:
            self._record = record
            self._records += 1
            try:
                if record.skipped:
                    raise LimitError(f"longer than max_record_bytes={self._most}")
                value = answer(record.raw)
                # All of a record's lines or none.
                lines = []
                for part in split(value):
                    lines.append(output.encode(part))
                    last = part
            except UncompiledError as error:
                self._failed += 1
                if str(error) not in self._uncompiled:
                    self._uncompiled.add(str(error))
                    say(str(error))
                continue
            except (DecodeError, QueryError) as error:
                self._failed += 1
                say(f"{self._where()}: {_one_line(error)}")
                continue
            if lines:
                self.last = last
            yield from lines

    def _where(self) -> str:
        name = "stdin" if self._source == "-" else self._source
        what = "line" if self._record.whole_line else "document at line"
        return f"{name}: {what} {self._record.line}"

    @contextmanager
    def _telling_file_errors(self, name: str) -> Iterator[None]:
        try:
            yield
        except _UnreadableError as error:
            self._file_failed = True
            say(f"{'stdin' if name == '-' else name}: {error}")

    def _summarise(self) -> None:
        if self._problems:
            more = f" ({SHOWN} shown)" if self._problems > SHOWN else ""
            say(
                f"{_count(self._problems, 'layer')} stayed shut in "
                f"{_count(self._with_problems, 'record')} of {self._records}{more}"
            )
        if self._failed and self._records > 1:
            say(f"{_count(self._failed, 'record')} of {self._records} failed")


class _UnreadableError(Exception):
    """A file that can't be read, in the system's words."""


def _one_line(error: Exception) -> str:
    text = str(error)
    if isinstance(error, QueryError):
        return text
    # A key of the document may hold newlines; a message is one line.
    return text.replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _reader(file: BinaryIO) -> Callable[[int], bytes]:
    """Return a function that reads, whose errors are not mistaken for those of writing."""
    # Standard input is raw under PYTHONUNBUFFERED; raw files have no read1.
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)

    def read_or_tell(size: int) -> bytes:
        try:
            return read(size)
        except OSError as error:
            reason = error.strerror or str(error)
        raise _UnreadableError(f"can't be read: {reason}")

    return read_or_tell


@contextmanager
def _opened(name: str) -> Iterator[Callable[[int], bytes]]:
    if name == "-":
        if sys.stdin is None:
            raise _UnreadableError("standard input is closed")
        yield _reader(sys.stdin.buffer)
        return
    try:
        file = Path(name).open("rb")  # noqa: SIM115 - its errors are told apart from those of its user
    except OSError as error:
        reason = error.strerror or str(error)
    except ValueError:
        reason = "a NUL in its name"
    else:
        with file:
            yield _reader(file)
        return
    raise _UnreadableError(f"can't be read: {reason}")


def need_input(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Show short help and exit with 2, rather than wait for somebody to type JSON."""
    if not files and sys.stdin is not None and sys.stdin.isatty():
        usage = ctx.command.get_usage(ctx)
        lines = inspect.cleandoc(ctx.command.help or "").replace("\b\n", "").splitlines()
        click.echo("\n".join([usage, "", *lines[:9]]), err=True)
        click.echo(f"Try '{ctx.command_path} --help' for all options.", err=True)
        ctx.exit(2)
