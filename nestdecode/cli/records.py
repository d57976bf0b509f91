"""The loop of every command that reads records."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import click

from nestdecode.cli.output import Letters, Output, identity_of, say
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.sources import Source, UnreadableError, opened
from nestdecode.errors import DecodeError, LimitError, QueryError, UncompiledError
from nestdecode.jsontext import dump
from nestdecode.stream import (
    CUT,
    Batch,
    DeadLetter,
    Framing,
    framing_of,
    is_blank,
    read_batches,
)
from nestdecode.words import one_line

__all__ = [
    "ENOUGH_BYTES",
    "ENOUGH_MESSAGES",
    "Answering",
    "Put",
    "Report",
    "Session",
    "need_input",
]

SHOWN = 10
# Output and messages are let go when they are this many.
ENOUGH_BYTES = 2 << 20
ENOUGH_MESSAGES = 1000
# From this size on, a file is worth more than one process.
_LARGE = 32 << 20
# Records that are checked at once.
_GROUP = 32

Answer = Callable[[bytes], Any]
# Answers several at once, or gives None if each has to be answered for itself.
Many = Callable[[list[bytes]], "list[Any] | None"]
Render = Callable[[Any], "bytes | None"]
# Writes what has become of some records, and tells what is to be told.
Put = Callable[["bytes | memoryview", "Report"], None]


class Report:
    """
    What came of some records, but for their output.

    Attributes:
        records: How many there were: those written, those failed and those skipped.
        written: How many of them have their answer in the output.
        failed: How many of them were refused.
        skipped: How many of them have an answer that is not written, as ``--each`` says.
        problems: Layers that stayed shut.
        with_problems: Records that they are in.
        messages: In order: what kind, the line, whether the record is that line, and the
            text: an error's, which has newlines only where an excerpt of a query follows.
        letters: The records that were refused, if they are kept.
        lines: How many lines they took, if their lines count from 1.
        last: Whether the last value written was neither null nor false; None if nothing
            was written.
        unreadable: Why input ends here, if it does not end well.
        unsettled: Where what follows begins, in bytes, if it needs more to be answered.
    """

    __slots__ = (
        "failed",
        "last",
        "letters",
        "lines",
        "messages",
        "problems",
        "records",
        "skipped",
        "unreadable",
        "unsettled",
        "with_problems",
        "written",
    )

    def __init__(self) -> None:
        self.records = 0
        self.written = 0
        self.failed = 0
        self.skipped = 0
        self.problems = 0
        self.with_problems = 0
        self.messages: list[tuple[str, int, bool, str]] = []
        self.letters: list[DeadLetter] = []
        self.lines = 0
        self.last: bool | None = None
        self.unreadable: str | None = None
        self.unsettled: int | None = None

    def add(self, other: Report) -> None:
        """Add what came of the records that follow, but for messages and letters."""
        self.records += other.records
        self.written += other.written
        self.failed += other.failed
        self.skipped += other.skipped
        self.problems += other.problems
        self.with_problems += other.with_problems
        self.lines += other.lines
        self.last = self.last if other.last is None else other.last
        self.unreadable = self.unreadable or other.unreadable
        self.unsettled = self.unsettled if other.unsettled is None else other.unsettled


class Answering:
    """Answers batches, in this process or in a worker: writes nothing, tells nobody."""

    def __init__(self) -> None:
        self.answer: Answer
        self.many: Many | None = None
        self.render: Render
        self.most = 0
        self.too_long = ""
        self.keeps_letters = self.fail_fast = self.stopped = False
        self._report = Report()
        self._batch = Batch([], 1, 0)
        self._index = 0
        self._at_problem = -1

    def results(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        """
        Yield what is written for a batch, in whole records, and what is to be told.

        A line of a batch that is not settled is given back if it can't be read.
        """
        self._batch, self._index, self._at_problem = batch, 0, -1
        if batch.skipped:
            self._report.records += 1
            self._refuse(LimitError(self.too_long))
        else:
            yield from self._answered(batch)
        yield b"", self._reported()
        # The collector is off: what errors left in cycles goes now, when no tree is alive.
        gc.collect(0)

    def _answered(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        many, raws = self.many, batch.raws
        if many is None or len(raws) < _GROUP:
            yield from self._one_by_one(raws, batch.start, len(raws))
            return
        for start in range(batch.start - batch.start % _GROUP, len(raws), _GROUP):
            group = raws[start : start + _GROUP]
            # What is left of a group of which a line was given back is not good for it.
            trees = many(group) if start >= batch.start else None
            if trees is None:
                yield from self._one_by_one(raws, max(start, batch.start), start + len(group))
                if self.stopped or batch.refused is not None:
                    return
            else:
                # Each tree is let go once it is written.
                trees.reverse()
                texts = [text for _ in group if (text := self.render(trees.pop())) is not None]
                report = self._report
                report.records += len(group)
                report.written += len(texts)
                report.skipped += len(group) - len(texts)
                if texts:
                    yield _joined(texts), self._reported()

    def _one_by_one(
        self, raws: list[bytes], start: int, end: int
    ) -> Iterator[tuple[bytes, Report]]:
        answer, render = self.answer, self.render
        texts: list[bytes] = []
        size = 0
        for self._index in range(start, end):
            raw = raws[self._index]
            if is_blank(raw):
                continue
            self._report.records += 1
            try:
                # Not by way of a name, which would keep each tree until the next is there.
                text = render(answer(raw))
            except (DecodeError, QueryError) as error:
                if self._gives_back(error):
                    break
                self._refuse(error)
                if self.stopped:
                    break
                if len(self._report.messages) < ENOUGH_MESSAGES:
                    continue
            else:
                if text is None:
                    self._report.skipped += 1
                    continue
                self._report.written += 1
                texts.append(text)
                size += len(text)
                if size < ENOUGH_BYTES:
                    continue
            yield _joined(texts), self._reported()
            size = 0
        if texts:
            yield _joined(texts), self._reported()

    def _gives_back(self, error: DecodeError | QueryError) -> bool:
        """Give a line back that can't be read, if it may be no record, or more than one."""
        if (
            self._batch.settled
            or not isinstance(error, DecodeError)
            or error.pointer
            or error.codec
        ):
            return False
        self._batch.refused = self._index
        self._report.records -= 1
        return True

    def noting_last(self, render: Render, *, each: bool) -> Render:
        """Return a function like *render* that also notes what became the last value."""

        def render_and_note(value: Any) -> bytes | None:
            text = render(value)
            if text is not None:
                last = value[-1] if each and type(value) is list else value
                self._report.last = last is not None and last is not False
            return text

        return render_and_note

    def _reported(self) -> Report:
        report, self._report = self._report, Report()
        return report

    def _refuse(self, error: DecodeError | QueryError) -> None:
        self._report.failed += 1
        self.stopped = self.fail_fast
        if self.keeps_letters:
            record = self._batch.record(self._index)
            self._report.letters.append(
                DeadLetter(record.line, record.offset, record.raw, error, record.skipped)
            )
        if isinstance(error, UncompiledError):
            self.tell("uncompiled", str(error))
        else:
            self.tell("record", str(error))

    def problem(self, error: DecodeError) -> None:
        """Count a layer that stays shut; keep the first few for telling."""
        report = self._report
        report.problems += 1
        if self._at_problem != self._index:
            self._at_problem = self._index
            report.with_problems += 1
        if report.problems <= SHOWN:
            self.tell("problem", str(error))

    def tell(self, kind: str, text: str) -> None:
        """Keep a message: ``record``, ``problem``, ``uncompiled`` or ``once``."""
        record = self._batch.record(self._index)
        self._report.messages.append((kind, record.line, record.whole_line, text))


class _EnoughError(Exception):
    """A record failed, and no other is wanted."""


class Session:
    """
    One run over some files: reads, answers, writes, and counts what went wrong.

    Args:
        files: Their names; ``-`` is standard input.
        framing: Given, or None to tell it from each input.
        jobs: Processes that answer; None decides by the size of each input.
        progress: Whether a bar is shown; None decides by the terminal and by time.
        dead_letters: The file to which records are appended that fail.
        fail_fast: Whether the first record that fails is the last one.
        summary: ``text``: what failed is told at the end; ``json``: all is, in one line.
    """

    def __init__(
        self,
        files: tuple[str, ...],
        framing: Framing | None,
        jobs: int | None = None,
        progress: bool | None = None,
        *,
        dead_letters: str | None = None,
        fail_fast: bool = False,
        summary: Literal["text", "json"] = "text",
    ) -> None:
        self._files = files or ("-",)
        self._framing = framing
        self._jobs = jobs
        self._progress = progress
        self._letters = dead_letters
        self._kept: Letters | None = None
        self._fail_fast = fail_fast
        self._summary = summary
        self._answering = Answering()
        self._total = Report()
        self._name = ""
        self._lines = 0
        self._told: set[str] = set()
        self._uncompiled = self._file_failed = False

    @property
    def last(self) -> bool | None:
        """
        Whether the last value written was neither null nor false; None if there was none.

        Known only if ``run`` was asked to note it.
        """
        return self._total.last

    @property
    def code(self) -> int:
        """The exit code: files come before queries, and queries before records."""
        return 2 if self._file_failed else 3 if self._uncompiled else 5 if self._total.failed else 0

    def problem(self, error: DecodeError) -> None:
        """Take a layer that stays shut."""
        self._answering.problem(error)

    def note(self, message: str) -> None:
        """Tell something once, however many records say it."""
        self._answering.tell("once", one_line(message))

    def run(
        self,
        answer: Answer,
        output: Output,
        max_record_bytes: int,
        *,
        each: bool = False,
        note_last: bool = False,
        many: Many | None = None,
        too_long: str | None = None,
    ) -> None:
        """
        Answer every record of every file, and write the answers.

        Args:
            answer: From a record's text to its value.
            output: Where values go.
            max_record_bytes: Longer records are refused.
            each: Whether an array's elements are written in its place.
            note_last: Whether ``last`` is wanted.
            many: Answers several records at once, if they allow it.
            too_long: What is said of longer records, if not that limit.
        """
        render: Render = _each(output.text) if each else output.text
        if note_last:
            render = self._answering.noting_last(render, each=each)
        self._answering.answer = answer
        self._answering.many = many
        self._answering.render = render
        self._answering.most = max_record_bytes
        self._answering.too_long = too_long or f"longer than max_record_bytes={max_record_bytes}"
        self._answering.keeps_letters = self._letters is not None
        self._answering.fail_fast = self._fail_fast
        try:
            with self._keeping_letters(output), _collector_off():
                for name in self._files:
                    self._name = "stdin" if name == "-" else name
                    self._lines = 0
                    with self._telling_file_errors(), opened(name) as source:
                        self._read(source, output)
                    if self._fail_fast and self._total.failed:
                        break
        finally:
            self._summarise()

    def _read(self, source: Source, output: Output) -> None:
        with self._bar(source) as advance:

            def put(text: bytes | memoryview, report: Report) -> None:
                with undisturbed:
                    self._tell(report)
                    if text:
                        output.write_text(text)
                    self._total.add(report)
                    self._lines += report.lines
                if advance is not None:
                    advance(source.done)
                if report.unreadable is not None:
                    raise UnreadableError(report.unreadable)
                if report.failed and self._fail_fast:
                    raise _EnoughError

            framing, start = self._framing, b""
            if framing is None:
                framing, start = framing_of(source.read, self._answering.most)
            jobs = self._jobs_for(source, framing)
            if jobs == 1:
                batches = read_batches(
                    source.read, self._answering.most, framing, start, answered=True
                )
                self._answer(batches, put)
                if source.total is not None and source.done < source.total:
                    raise UnreadableError(f"can't be read: {CUT}")
                return
            from nestdecode.cli import sharing

            if framing == "documents":
                sharing.share_documents(source, self._answering, start, jobs, put)
            else:
                sharing.share_lines(source, self._answering, framing, start, jobs, put)

    def _answer(self, batches: Iterator[Batch], put: Put) -> None:
        for batch in batches:
            for text, report in self._answering.results(batch):
                put(text, report)

    def _bar(self, source: Source) -> Any:
        if self._progress is False:
            return nullcontext()
        if self._progress is None and (
            source.total is None or not _is_terminal(sys.stderr) or _is_terminal(sys.stdout)
        ):
            return nullcontext()
        from nestdecode.cli.progress import progress_bar

        return progress_bar(self._name, source.total, at_once=bool(self._progress))

    def _jobs_for(self, source: Source, framing: Framing) -> int:
        if self._jobs == 1:
            return 1
        large = source.size is not None and source.size - source.start >= _LARGE
        if self._jobs is None and not (large and framing != "documents"):
            return 1
        from nestdecode.stream import workers

        return (self._jobs or workers.cores()) if workers.can_fork() else 1

    def _tell(self, report: Report) -> None:
        """Keep the records that failed, and tell what is to be told."""
        if self._kept is not None:
            for letter in report.letters:
                letter.line += self._lines
            self._kept.write(letter.encode(self._name) for letter in report.letters)
        shown = self._total.problems
        failed = self._total.failed
        for kind, line, whole, text in report.messages:
            if kind == "problem":
                shown += 1
                if shown > SHOWN:
                    continue
            elif kind == "record":
                failed += 1
                # Elsewhere they are told in full.
                if failed > SHOWN and self._kept is not None:
                    continue
            elif kind in ("uncompiled", "once"):
                self._uncompiled |= kind == "uncompiled"
                if text not in self._told:
                    self._told.add(text)
                    say(*text.split("\n"))
                continue
            what = "line" if whole else "document at line"
            first, *excerpt = text.split("\n")
            say(f"{self._name}: {what} {self._lines + line}: {first}", *excerpt)

    @contextmanager
    def _telling_file_errors(self) -> Iterator[None]:
        try:
            yield
        except UnreadableError as error:
            self._file_failed = True
            say(f"{self._name}: {error}")
        except _EnoughError:
            pass

    @contextmanager
    def _keeping_letters(self, output: Output) -> Iterator[None]:
        if self._letters is None:
            yield
            return
        taken = {identity_of(0 if name == "-" else name): "an input" for name in self._files}
        taken[output.identity] = "the output"
        self._kept = Letters(
            self._letters, {file: what for file, what in taken.items() if file is not None}
        )
        try:
            yield
        finally:
            self._kept.close()

    def _summarise(self) -> None:
        total = self._total
        if self._summary == "json":
            figures = {
                "in": total.records,
                "out": total.written,
                "dead": total.failed,
                "skipped": total.skipped,
                "problems": total.problems,
                "records_with_problems": total.with_problems,
            }
            say(dump(figures).decode(), prefix="")
            return
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            return
        if total.problems:
            more = f" ({SHOWN} shown)" if total.problems > SHOWN else ""
            say(
                f"{_count(total.problems, 'layer')} stayed shut in "
                f"{_count(total.with_problems, 'record')} of {total.records}{more}"
            )
        if total.failed and total.records > 1:
            where = ""
            if self._kept is not None:
                shown = f"{SHOWN} shown, " if total.failed > SHOWN else ""
                where = f" ({shown}all in {self._letters})"
            say(f"{_count(total.failed, 'record')} of {total.records} failed{where}")


@contextmanager
def _collector_off() -> Iterator[None]:
    """
    Keep the cyclic collector from walking every tree over and over.

    Trees hold no cycles, yet each of their containers counts towards the next collection:
    it takes up to three quarters of the time of a large document. What is alive now
    stays; frozen, it costs the collections between batches nothing, and worker
    processes share its pages.
    """
    was_on = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_on:
            gc.enable()


def _joined(texts: list[bytes]) -> bytes:
    """Return texts as lines, and forget them."""
    if texts:
        texts.append(b"")
    text = b"\n".join(texts)
    texts.clear()
    return text


def _each(text: Callable[[Any], bytes]) -> Render:
    def render(value: Any) -> bytes | None:
        if value is None or value == []:
            return None
        return b"\n".join(map(text, value)) if type(value) is list else text(value)

    return render


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def need_input(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Show short help and exit with 2, rather than wait for somebody to type JSON."""
    if not files and sys.stdin is not None and sys.stdin.isatty():
        usage = ctx.command.get_usage(ctx)
        import inspect

        lines = inspect.cleandoc(ctx.command.help or "").replace("\b\n", "").splitlines()
        hint = f"Try '{ctx.command_path} --help' for all options."
        say(*usage.split("\n"), "", *lines[:9], hint, prefix="")
        ctx.exit(2)
