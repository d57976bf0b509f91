"""Whole files: what ``nestdecode expand`` does, for callers that have no terminal."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Protocol

from nestdecode.decoder import Decoder
from nestdecode.engine import check_function, check_word
from nestdecode.stream import FRAMINGS, DeadLetter, Framing
from nestdecode.stream.answering import (
    MALFORMED,
    Answering,
    Malformed,
    Report,
    answer_all,
    collector_off,
    in_place_of_malformed,
)
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.text.write import dump, dump_lines

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["Report", "expand_file"]


class Readable(Protocol):
    """A binary file, for reading; blocking."""

    def read(self, size: int, /) -> bytes: ...


class Writable(Protocol):
    """A binary file, for writing."""

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
    **options: Any,
) -> Report:
    """
    Expand every record of a file into another, as ``nestdecode expand`` does.

    The output is NDJSON, in the order of the input. Records that are refused are left out
    of it and counted; no record that is refused harms another.

    Args:
        source: A file or what it is open as, in binary; gzip, bzip2, xz and zstd are known
            by their content.
        target: Likewise. A file is made, or emptied; it can't be the source.
        spec: As for ``Decoder``.
        framing: ``lines``: each line is a record; ``documents``: records may stand
            anywhere; None to tell it from the input.
        jobs: Processes that expand; None takes more than one if the file is large. More are
            forked, so it stays one where that is not safe: in a process with threads.
        on_dead_letter: Takes each record that is refused, in this process, in order.
        malformed: What becomes of a record that is no JSON: ``dead`` (the default): it is
            refused; ``keep``: it is written as it came; ``wrap``: it is written as
            ``{"message": text}``, or ``message_base64`` if it is not UTF-8.
        where: JMESPath: a record for which the answer is null, false or empty is left out.
            It starts at the root.
        original: Whether records are written as they came, and not expanded. What of their
            layers stays shut is not counted then.
        options: Other arguments of ``Decoder``, but ``on_problem``: problems are counted.

    Returns:
        How many records there were, and what became of them.

    Raises:
        OSError: If a file can't be opened, read or written, or both are one. What was read
            before is expanded.
        SpecError: If the spec is wrong.
        QueryError: If *where* is wrong.
        ValueError: If an argument is out of range.
        TypeError: If there is no such argument.
    """
    check_word("framing", framing, FRAMINGS)
    check_word("malformed", malformed, MALFORMED)
    if jobs is not None and (type(jobs) is not int or jobs < 1):
        raise ValueError(f"jobs is an integer from 1, got {jobs!r}")
    check_function("on_dead_letter", on_dead_letter)
    if "on_problem" in options:
        raise TypeError("expand_file takes no on_problem: its report counts problems")
    answering = Answering()
    decoder = Decoder(spec, on_problem=None if original else answering.problem, **options)
    answering.keeps_letters = on_dead_letter is not None
    answering.malformed = in_place_of_malformed(malformed, dump, bytes)
    _have_expanded(answering, decoder, where, original=original)
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
            # What somebody else has opened may keep a part of it in a buffer, or decode it.
            whole = Source(file if file is not source else _Unnumbered(file))
            answer_all(whole, answering, framing, jobs, put)
        except UnreadableError as error:
            reason = str(error)
        else:
            return total
    raise OSError(f"{_name(source)}: {reason}")


def _have_expanded(
    answering: Answering, decoder: Decoder, where: str | None, *, original: bool
) -> None:
    """Have records expanded, of which *where* chooses some, or written as they came."""
    most = decoder.limits.max_record_bytes
    answering.most, answering.too_long = most, f"longer than max_record_bytes={most}"
    answering.answer, answering.many = decoder.expand, decoder.engine.expand_many
    answering.render, answering.render_many = dump, dump_lines
    if original or where is not None:
        from nestdecode import choosing  # late: most need no queries

        if original:
            choosing.as_they_came(answering, bytes, judged=where is not None)
        if where is not None:
            choosing.choose(answering, choosing.where(decoder, where))


class _Unnumbered:
    """A file of which nobody knows the descriptor."""

    def __init__(self, file: Any) -> None:
        self.read = getattr(file, "read1", file.read)


@contextlib.contextmanager
def _opened(file: Any, mode: str) -> Iterator[Any]:
    if isinstance(file, (str, os.PathLike)):
        # Unbuffered: the source is read below all buffers, and the target in large pieces.
        with open(file, mode, buffering=0) as opened:  # noqa: PTH123 - any path
            yield opened
    elif hasattr(file, "read" if mode == "rb" else "write") and not hasattr(file, "encoding"):
        yield file
    else:
        what = "source" if mode == "rb" else "target"
        raise TypeError(f"{what} is a path or a binary file, got {type(file).__name__}")


@contextlib.contextmanager
def _emptied(target: Any, source: Any) -> Iterator[Any]:
    # Not emptied before it is known not to be the source.
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
    """Write all of a text: what has no buffer may take a part of it at a time."""
    rest = memoryview(text)
    while rest:
        written = file.write(rest)
        rest = rest[len(rest) if written is None else written :]
