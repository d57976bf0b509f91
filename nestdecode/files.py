"""Whole files: ``nestdecode expand`` as a function, which neither prints nor exits."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from nestdecode.decoder import Decoder
from nestdecode.engine import check_function, check_word
from nestdecode.stream import FRAMINGS, DeadLetter, Framing
from nestdecode.stream.answering import Answering
from nestdecode.stream.inputs import answer_all, collector_off
from nestdecode.stream.malformed import MALFORMED, Malformed, in_place_of_malformed
from nestdecode.stream.report import Report
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.text.write import dump, dump_lines

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["Report", "expand_file"]


class Readable(Protocol):
    """A blocking binary file, open for reading."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """A binary file, open for writing."""

    def write(self, text: memoryview, /) -> int | None: ...


def expand_file(
    source: str | os.PathLike[str] | Readable,
    target: str | os.PathLike[str] | Writable,
    spec: Spec | str | os.PathLike[str] | None = None,
    *,
    framing: Framing | None = None,
    jobs: int | None = None,
    on_dead_letter: Callable[[DeadLetter], None] | None = None,
    malformed: Malformed = "dead",
    where: str | None = None,
    original: bool = False,
    head: int | None = None,
    **options: Any,
) -> Report:
    r"""
    Expand every record of one file into another, and return the counts.

    The output is NDJSON: one compact record per line, in the order of the input. A record
    that fails is counted and left out of the output; the others are written all the same.

    >>> import io
    >>> source = io.BytesIO(b'{"a": "[1]"}\nnot JSON\n')
    >>> target = io.BytesIO()
    >>> report = expand_file(source, target)
    >>> target.getvalue()
    b'{"a":[1]}\n'
    >>> report.records, report.written, report.failed
    (2, 1, 1)

    Args:
        source: A path, or a file open for reading in binary mode. Input that is compressed
            by gzip, bzip2, xz or zstd is recognized by its content; zstd needs the extra
            ``nestdecode[zstd]`` before Python 3.14.
        target: A path, or a file open for writing in binary mode. A path is created or
            emptied; it can't be the source.
        spec: As for ``Decoder``.
        framing: How records are found: ``lines``: each line is one record; ``documents``:
            one JSON text after another, over any number of lines; None detects it.
        jobs: Worker processes; None uses one per core if the file is large, and one
            otherwise. Workers are forked, so a process that has threads uses one.
        on_dead_letter: Called in this process, in order, with each record that fails.
        malformed: What becomes of a record that is not JSON: ``dead`` (the default): it
            fails; ``keep``: it is written as it came; ``wrap``: it is written as
            ``{"message": text}``, or with ``message_base64`` if it is not UTF-8.
        where: A JMESPath expression that starts at the root of the expanded record. A
            record for which the answer is null, false or empty is left out and counted as
            skipped.
        original: Whether records are written as they came, not expanded. Layers that stay
            shut are then not counted.
        head: How many records are written at most: what follows the last of them is not
            read, and not counted. None for all.
        options: The other keyword arguments of ``Decoder``, except ``on_problem``:
            problems are counted.

    Returns:
        The Report: ``records``, and of these ``written``, ``failed`` and ``skipped``.

    Raises:
        OSError: If a file can't be opened, read or written, or *target* is *source*. If
            *source* can't be read to its end, the records before that have been written.
        SpecError: If the spec can't be found or read, or is wrong.
        QueryError: If *where* is wrong.
        ValueError: If an argument is out of range.
        TypeError: If an argument is unknown or of a wrong type.
    """
    check_word("framing", framing, FRAMINGS)
    check_word("malformed", malformed, MALFORMED)
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise ValueError(f"jobs is an integer from 1, got {jobs!r}")
    if head is not None and (type(head) is not int or head < 0):
        raise ValueError(f"head is an integer from 0, got {head!r}")
    check_function("on_dead_letter", on_dead_letter)
    if "on_problem" in options:
        raise TypeError("expand_file takes no on_problem: its report counts problems")
    answering = Answering()
    decoder = Decoder(spec, on_problem=None if original else answering.now.problem, **options)
    answering.refusing.keeps_letters = on_dead_letter is not None
    answering.left = head
    answering.refusing.malformed = in_place_of_malformed(malformed, dump, bytes)
    _set_up(answering, decoder, where, original=original)
    total = Report()

    def put(text: bytes | memoryview, report: Report) -> None:
        for letter in report.letters:
            letter.line += total.lines
            if on_dead_letter is not None:
                on_dead_letter(letter)
        _write(output, text)
        total.add(report)
        if report.unreadable is not None:
            raise UnreadableError(report.unreadable)

    with _opened(source, "rb") as file, _emptied(target, file) as output, collector_off():
        try:
            # A file that the caller opened may hold bytes in its buffer, or decode them:
            # reading from its descriptor would miss both.
            whole = Source(file if file is not source else _WithoutDescriptor(file))
            if head != 0:
                answer_all(whole, answering, framing, jobs, put)
        except UnreadableError as error:
            reason = str(error)
        else:
            return total
    raise OSError(f"{_name(source)}: {reason}")


def _set_up(answering: Answering, decoder: Decoder, where: str | None, *, original: bool) -> None:
    """Set what is done with each record: chosen by *where*, then expanded or copied."""
    most = decoder.limits.max_record_bytes
    answering.most, answering.too_long = most, f"longer than max_record_bytes={most}"
    answering.answer, answering.many = decoder.expand, decoder.engine.expand_many
    answering.render, answering.render_many = dump, dump_lines
    if original or where is not None:
        from nestdecode import choosing  # late: most calls need no queries

        if original:
            choosing.as_they_came(answering, bytes, judged=where is not None)
        if where is not None:
            choosing.choose(answering, choosing.where(decoder, where))


class _WithoutDescriptor:
    """The reading side of an open file, without ``fileno``."""

    def __init__(self, file: Any) -> None:
        self.read = getattr(file, "read1", file.read)


@contextlib.contextmanager
def _opened(file: Any, mode: str) -> Iterator[Any]:
    if isinstance(file, (str, os.PathLike)):
        # Unbuffered: the source is read by its descriptor, and the target is written in
        # large pieces.
        with open(file, mode, buffering=0) as opened:  # noqa: PTH123 - any path
            yield opened
    elif hasattr(file, "read" if mode == "rb" else "write") and not hasattr(file, "encoding"):
        yield file
    else:
        what = "source" if mode == "rb" else "target"
        raise TypeError(f"{what} is a path or a binary file, got {type(file).__name__}")


@contextlib.contextmanager
def _emptied(target: Any, source: Any) -> Iterator[Any]:
    # Opened for appending: it must not be emptied before it is known not to be the source.
    with _opened(target, "ab") as file:
        if file is not target:
            if _is_one(file, source):
                raise OSError(f"{_name(target)}: it is the source too")
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                file.truncate(0)
        yield file


def _is_one(file: Any, other: Any) -> bool:
    try:
        return os.path.sameopenfile(file.fileno(), other.fileno())
    except (AttributeError, OSError):
        return False


def _name(file: Any) -> str:
    return str(file) if isinstance(file, (str, os.PathLike)) else "source"


def _write(file: Writable, text: bytes | memoryview) -> None:
    """Write all of *text*: an unbuffered file may take only a part of it in one call."""
    rest = memoryview(text)
    while rest:
        written = file.write(rest)
        rest = rest[len(rest) if written is None else written :]
