"""The loop of every command that reads records."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import click

from nestdecode.cli.flags import is_quiet
from nestdecode.cli.output import (
    Output,
    called,
    identity_of_messages,
    is_terminal,
    note,
    report_on,
    say,
)
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.sources import opened
from nestdecode.cli.target import identity_of
from nestdecode.errors import DecodeError
from nestdecode.stream import Framing, Record
from nestdecode.stream.answering import Answer, Answering, Many
from nestdecode.stream.inputs import EnoughError, answer_all, collector_off
from nestdecode.stream.malformed import Malformed, in_place_of_malformed
from nestdecode.stream.rendering import Render, counting, noting_empty, noting_last, placing
from nestdecode.stream.report import SHOWN, Report
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.text.write import dump, dump_lines
from nestdecode.words import at_line, one_line

if TYPE_CHECKING:
    from nestdecode.choosing import Asked
    from nestdecode.cli.hints import Matching
    from nestdecode.cli.letters import Letters
    from nestdecode.cli.unanswered import Unanswered
    from nestdecode.decoder import Decoder

__all__ = ["SUMMARIES", "Counter", "RunOptions", "Session", "Summary", "need_input"]

Summary = Literal["text", "json"]
SUMMARIES: tuple[Summary, ...] = ("text", "json")


class RunOptions(NamedTuple):
    """
    What options say of a run over some files.

    Attributes:
        files: Their names; ``-`` is standard input, and so is an empty list.
        framing: Given, or None to detect it in each input.
        head: How many records are written at most; None for all.
        jobs: Processes that answer; None decides by the size of each input.
        progress: Whether a bar is shown; None decides by the terminal and by time.
        dead_letters: The file to which records are appended that fail.
        fail_fast: Whether the first record that fails is the last one.
        summary: ``text`` reports failures at the end; ``json`` reports all counts, in one line.
    """

    files: tuple[str, ...]
    framing: Framing | None = None
    head: int | None = None
    jobs: int | None = None
    progress: bool | None = None
    dead_letters: str | None = None
    fail_fast: bool = False
    summary: Summary = "text"


class Counter(Protocol):
    """What counts records in place of writing them, in this process or in several."""

    def begin(self) -> Any:
        """Return a part that counts nothing yet."""

    def count(self, part: Any, value: Any, record: Record, /) -> None:
        """Count the answer for a record in a part."""

    def take(self, part: Any, source: str, lines: int) -> None:
        """Take a part, in the order of the records; so many lines of its source are before it."""


class Session:
    """
    One run over some files: reads, answers, writes, and counts what went wrong.

    Args:
        running: The files, and what options say of the run.
        malformed: How a record that is not JSON is handled.
        hints: Whether a record that fails has options named that would help.
        alone: Whether it is one process, whatever options say.

    Attributes:
        unanswered: Queries that say at the end which name is missing if they had no answer.
    """

    def __init__(
        self,
        running: RunOptions,
        *,
        malformed: Malformed = "dead",
        hints: bool = True,
        alone: bool = False,
    ) -> None:
        need_input(running.files)
        self._running = running
        self._jobs = 1 if alone else running.jobs
        self._files = running.files or ("-",)
        self._kept: Letters | None = None
        self._malformed = malformed
        self._answering = Answering()
        self._answering.refusing.hints = hints
        self._total = Report()
        self._name = ""
        self._lines = 0
        self._counter: Counter | None = None
        self._matching: Matching | None = None
        self.unanswered: list[Unanswered] = []
        self._told: set[str] = set()
        # Messages of each kind that were shown.
        self._shown: dict[str, int] = {}
        # Records that failed, and are only counted.
        self._hidden = 0
        self._uncompiled = self._file_failed = False

    @property
    def last(self) -> bool | None:
        """
        Whether the last value written was neither null nor false; None if there was none.

        Known only if ``run`` was asked to note it.
        """
        return self._total.last

    @property
    def total(self) -> Report:
        """What came of all records so far."""
        return self._total

    @property
    def code(self) -> int:
        """The exit code: files come before queries, and queries before records."""
        return 2 if self._file_failed else 3 if self._uncompiled else 5 if self._total.failed else 0

    def problem(self, error: DecodeError) -> None:
        """Take a layer that stays shut."""
        self._answering.now.problem(error)

    def note(self, message: str) -> None:
        """Tell something once, however many records say it."""
        self._answering.now.tell("once", one_line(message))

    def tell(self, kind: str, text: str) -> None:
        """Tell what ``Progress.tell`` takes, from whichever process it is."""
        self._answering.now.tell(kind, text)

    def run(
        self,
        answer: Answer,
        output: Output,
        max_record_bytes: int,
        *,
        each: bool = False,
        note_last: bool = False,
        if_empty: str | None = None,
        many: Many | None = None,
        where: Asked | None = None,
        original: bool = False,
        too_long: str | None = None,
        placed: Callable[[Any, str, int, Record], bytes | None] | None = None,
        counter: Counter | None = None,
        decoder: Decoder | None = None,
    ) -> None:
        """
        Answer every record of every file, and write or count the answers.

        Args:
            answer: From a record's text to its value.
            output: Where values go.
            max_record_bytes: Longer records are refused.
            each: Whether an array's elements are written in its place.
            note_last: Whether ``last`` is wanted.
            if_empty: What is said once if an answer is null, false or an empty array.
            many: Answers several records at once, if they allow it.
            where: Of which records there is an answer.
            original: Whether they are written as they came, instead of their answers.
            too_long: What is said of longer records, if not that limit.
            placed: Writes a value with its source, its number there, and its record, in place
                of ``output.text``; for one process.
            counter: Counts values; nothing is written for them.
            decoder: If it has a spec, stderr says that no record has a layer of it.
        """
        if decoder is not None and _has_place_for_layers(decoder):
            from nestdecode.cli.hints import Matching  # late: most need no spec

            self._matching = Matching(answer, many, decoder, self.note)
            answer, many = self._matching, self._matching.many
        answering = self._answering
        render: Render = _each(output.text) if each else output.text
        if placed is not None:
            write = placed
            render = placing(
                answering.now,
                lambda value, number, record: write(value, self._name, number, record),
            )
        if counter is not None:
            render = counting(answering.now, counter.begin, counter.count)
        self._counter = counter
        if note_last:
            render = noting_last(answering.now, render, each=each)
        if if_empty is not None:
            answering.refusing.hint_once(one_line(if_empty))
            render = noting_empty(render, answering.refusing.hint)
        answering.answer, answering.many = answer, many
        answering.render, answering.render_many = render, dump_lines if render is dump else None
        answering.refusing.malformed = in_place_of_malformed(
            self._malformed, output.text, output.record_as_it_is
        )
        answering.most = max_record_bytes
        answering.too_long = too_long or f"longer than max_record_bytes={max_record_bytes}"
        answering.refusing.keeps_letters = self._running.dead_letters is not None
        answering.refusing.fail_fast = self._running.fail_fast
        answering.left = self._running.head
        if original or where is not None:
            from nestdecode import choosing  # late: most need no queries

            if original:
                choosing.as_they_came(answering, output.record_as_it_is, judged=where is not None)
            if where is not None:
                choosing.choose(answering, where)
        self._answer_files(output)

    def _answer_files(self, output: Output) -> None:
        try:
            with self._keeping_letters(output), collector_off():
                for name in self._files:
                    if self._answering.left == 0:
                        break
                    self._name = called(name)
                    self._lines = 0
                    self._answering.begin()
                    with self._telling_file_errors(), opened(name) as source:
                        if source.total is not None and output.is_at(source.descriptor):
                            raise UnreadableError("it is the output too: write to another file")
                        self._read(source, output)
                    if self._running.fail_fast and self._total.failed:
                        break
        finally:
            stopped = self._running.fail_fast and self._total.failed > 0
            output.is_whole = self.code in (0, 5) and not stopped
            # A signal that comes only now must not take the summary with it.
            with undisturbed:
                self._summarise()

    def _read(self, source: Source, output: Output) -> None:
        with self._bar(source, output) as advance:

            def put(text: bytes | memoryview, report: Report) -> None:
                with undisturbed:
                    self._tell(report)
                    if text:
                        output.write_text(text)
                    if self._counter is not None and report.part is not None:
                        part, report.part = report.part, None
                        self._counter.take(part, self._name, self._lines)
                    self._total.add(report)
                    self._lines += report.lines
                if advance is not None:
                    advance(source.done)
                if report.unreadable is not None:
                    raise UnreadableError(report.unreadable)
                if report.failed and self._running.fail_fast:
                    raise EnoughError

            answer_all(source, self._answering, self._running.framing, self._jobs, put)

    def _bar(self, source: Source, output: Output) -> Any:
        wanted = self._running.progress
        if wanted is False or not is_terminal(sys.stderr):
            return nullcontext()
        from nestdecode.cli.progress import progress  # late: small files end before it shows

        shares = output.is_terminal and self._counter is None
        return progress(self._name, source.total, wanted=wanted, shares=shares)

    def _tell(self, report: Report) -> None:
        """Keep the records that failed, and write the messages of a report."""
        if self._kept is not None:
            for letter in report.letters:
                letter.line += self._lines
            self._kept.write(letter.encode(self._name) for letter in report.letters)
        self._hidden += report.untold
        for kind, line, whole, text in report.messages:
            if kind.endswith("answered"):
                for query in self.unanswered:
                    query.take(kind, text)
                continue
            if kind in ("uncompiled", "once", "hint"):
                self._uncompiled |= kind == "uncompiled"
                alone = kind == "hint" and self._total.records + report.records == 1
                if text not in self._told and not alone:
                    self._told.add(text)
                    (say if kind == "uncompiled" else note)(*text.split("\n"))
                continue
            if kind == "problem" and is_quiet():
                continue
            # They are counted at the end.
            self._shown[kind] = self._shown.get(kind, 0) + 1
            if self._shown[kind] > SHOWN:
                self._hidden += kind != "problem"
                continue
            report_on(self._name, text, at_line(self._lines + line, whole=whole))

    @contextmanager
    def _telling_file_errors(self) -> Iterator[None]:
        try:
            yield
        except UnreadableError as error:
            self._file_failed = True
            report_on(self._name, str(error))

    @contextmanager
    def _keeping_letters(self, output: Output) -> Iterator[None]:
        letters = self._running.dead_letters
        if letters is None:
            yield
            return
        if output.target is not None and os.path.realpath(letters) == output.target.path:
            raise OSError(0, "it is the output too: name another file", letters)
        taken = {identity_of(0 if name == "-" else name): "an input" for name in self._files}
        taken[output.identity] = "the output"
        taken[identity_of_messages()] = "stderr"
        from nestdecode.cli.letters import Letters  # late: most keep none

        self._kept = Letters(
            letters, {file: what for file, what in taken.items() if file is not None}
        )
        try:
            yield
        finally:
            self._kept.close()

    def _summarise(self) -> None:
        total = self._total
        if self._running.summary == "json":
            figures = {
                "in": total.records,
                "out": total.written,
                "dead": total.failed,
                "skipped": total.skipped,
                "malformed": total.malformed,
                "problems": total.problems,
                "records_with_problems": total.with_problems,
            }
            say(dump(figures).decode(), prefix="")
            return
        if isinstance(sys.exc_info()[1], BrokenPipeError) or is_quiet():
            return
        hint = "" if self._matching is None else self._matching.hint(total.written)
        for query in self.unanswered:
            hint = hint or query.hint()
        if hint:
            note(hint)
        if not (total.problems or total.malformed or total.failed):
            return
        from nestdecode.cli.summary import summary  # late: most records do not fail

        line = summary(
            total,
            hidden=self._hidden,
            letters=None if self._kept is None else self._running.dead_letters,
            malformed=self._malformed,
            hints=self._answering.refusing.hints,
        )
        if line:
            say(line)


def _has_place_for_layers(decoder: Decoder) -> bool:
    """Return whether layers are opened where a spec declares them, and nowhere else."""
    spec, plan = decoder.spec, decoder.engine.plan
    return spec is not None and plan is not None and plan.undeclared is None and bool(spec.layers)


def _each(text: Callable[[Any], bytes]) -> Render:
    def render(value: Any) -> bytes | None:
        if value is None or value == []:
            return None
        return b"\n".join(map(text, value)) if type(value) is list else text(value)

    return render


def need_input(files: tuple[str, ...]) -> None:
    """Show short help and exit with 2, rather than wait for JSON to be typed."""
    if not files and is_terminal(sys.stdin):
        ctx = click.get_current_context()
        usage = ctx.command.get_usage(ctx)
        import inspect

        # Whole paragraphs, and the examples.
        first, mark, rest = inspect.cleandoc(ctx.command.help or "").partition("\b\n")
        text = ctx.make_formatter()
        text.write_text(first + mark + rest.partition("\n\n")[0])
        hint = f"Try '{ctx.command_path} --help' for all options."
        say(*usage.split("\n"), "", *text.getvalue().rstrip("\n").split("\n"), "", hint, prefix="")
        ctx.exit(2)
