"""The loop of every command that reads records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, Literal, Protocol

import click

from nestdecode.cli.output import Letters, Output, identity_of, say, shown_name
from nestdecode.cli.signals import undisturbed
from nestdecode.cli.sources import opened
from nestdecode.errors import DecodeError
from nestdecode.stream import Framing, Record
from nestdecode.stream.answering import (
    SHOWN,
    Answer,
    Answering,
    Malformed,
    Many,
    Render,
    Report,
    answer_all,
    collector_off,
    in_place_of_malformed,
)
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.text.write import dump, dump_lines
from nestdecode.words import count, one_line

if TYPE_CHECKING:
    from nestdecode.choosing import Asked
    from nestdecode.cli.hints import Matching
    from nestdecode.decoder import Decoder

__all__ = ["Counter", "Session", "need_input"]


class Counter(Protocol):
    """What counts records in place of writing them, in this process or in several."""

    def begin(self) -> Any:
        """Return a part that counts nothing yet."""

    def count(self, part: Any, value: Any, record: Record, /) -> None:
        """Count the answer for a record in a part."""

    def take(self, part: Any, source: str, lines: int) -> None:
        """Take a part, in the order of the records; so many lines of its source are before it."""


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
        malformed: What becomes of a record that is no JSON.
        fail_fast: Whether the first record that fails is the last one.
        hints: Whether a record that fails has options named that would help.
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
        malformed: Malformed = "dead",
        fail_fast: bool = False,
        hints: bool = True,
        summary: Literal["text", "json"] = "text",
    ) -> None:
        self._files = files or ("-",)
        self._framing = framing
        self._jobs = jobs
        self._progress = progress
        self._letters = dead_letters
        self._kept: Letters | None = None
        self._malformed = malformed
        self._fail_fast = fail_fast
        self._summary = summary
        self._answering = Answering()
        self._answering.hints = hints
        self._total = Report()
        self._name = ""
        self._lines = 0
        self._counter: Counter | None = None
        self._matching: Matching | None = None
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
        self._answering.problem(error)

    def note(self, message: str) -> None:
        """Tell something once, however many records say it."""
        self._answering.tell("once", one_line(message))

    def hint(self, message: str) -> None:
        """Tell something once that helps with several records."""
        self._answering.tell("hint", one_line(message))

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
        if decoder is not None and decoder.spec is not None and decoder.spec.layers:
            from nestdecode.cli.hints import Matching  # late: most need no spec

            self._matching = Matching(answer, many, decoder, self.note)
            answer, many = self._matching, self._matching.many
        render: Render = _each(output.text) if each else output.text
        if placed is not None:
            write = placed
            render = self._answering.placing(
                lambda value, number, record: write(value, self._name, number, record)
            )
        if counter is not None:
            render = self._answering.counting(counter.begin, counter.count)
        self._counter = counter
        if note_last:
            render = self._answering.noting_last(render, each=each)
        if if_empty is not None:
            render = self._answering.noting_empty(render, one_line(if_empty))
        answering = self._answering
        answering.answer, answering.many = answer, many
        answering.render, answering.render_many = render, dump_lines if render is dump else None
        answering.malformed = in_place_of_malformed(self._malformed, output.text, output.as_it_is)
        answering.most = max_record_bytes
        answering.too_long = too_long or f"longer than max_record_bytes={max_record_bytes}"
        answering.keeps_letters = self._letters is not None
        answering.fail_fast = self._fail_fast
        if original or where is not None:
            from nestdecode import choosing  # late: most need no queries

            if original:
                choosing.as_they_came(answering, output.as_it_is, judged=where is not None)
            if where is not None:
                choosing.choose(answering, where)
        try:
            with self._keeping_letters(output), collector_off():
                for name in self._files:
                    self._name = shown_name(name)
                    self._lines = 0
                    self._answering.begin()
                    with self._telling_file_errors(), opened(name) as source:
                        if source.total is not None and output.is_at(source.descriptor):
                            raise UnreadableError("it is the output too: write to another file")
                        self._read(source, output)
                    if self._fail_fast and self._total.failed:
                        break
        finally:
            # A signal that comes only now must not take the summary with it.
            with undisturbed:
                self._summarise()

    def _read(self, source: Source, output: Output) -> None:
        with self._bar(source) as advance:

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
                if report.failed and self._fail_fast:
                    raise _EnoughError

            answer_all(source, self._answering, self._framing, self._jobs, put)

    def _bar(self, source: Source) -> Any:
        if self._progress is False:
            return nullcontext()
        if self._progress is None and (
            source.total is None or not _is_terminal(sys.stderr) or _is_terminal(sys.stdout)
        ):
            return nullcontext()
        from nestdecode.cli.progress import progress_bar

        return progress_bar(self._name, source.total, at_once=bool(self._progress))

    def _tell(self, report: Report) -> None:
        """Keep the records that failed, and tell what is to be told."""
        if self._kept is not None:
            for letter in report.letters:
                letter.line += self._lines
            self._kept.write(letter.encode(self._name) for letter in report.letters)
        for kind, line, whole, text in report.messages:
            if kind in ("uncompiled", "once", "hint"):
                self._uncompiled |= kind == "uncompiled"
                alone = kind == "hint" and self._total.records + report.records == 1
                if text not in self._told and not alone:
                    self._told.add(text)
                    say(*text.split("\n"))
                continue
            # They are counted at the end.
            self._shown[kind] = self._shown.get(kind, 0) + 1
            if self._shown[kind] > SHOWN:
                self._hidden += kind != "problem"
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
        if sys.stderr is not None:
            taken[identity_of(2)] = "stderr"
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
                "malformed": total.malformed,
                "problems": total.problems,
                "records_with_problems": total.with_problems,
            }
            say(dump(figures).decode(), prefix="")
            return
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            return
        if self._matching is not None:
            hint = self._matching.hint(total.written)
            if hint:
                say(hint)
        if total.problems:
            more = f" ({SHOWN} shown)" if total.problems > SHOWN else ""
            say(
                f"{count(total.problems, 'layer')} stayed shut in "
                f"{count(total.with_problems, 'record')} of {total.records:,}{more}"
            )
        if total.malformed:
            how = "wrapped" if self._malformed == "wrap" else "kept"
            say(f"{count(total.malformed, 'record')} of {total.records:,} {how}: not JSON")
        if total.failed and total.records > 1:
            notes = [f"{total.failed - self._hidden:,} shown"] if self._hidden else []
            if self._kept is not None:
                notes.append(f"all in {self._letters}")
            elif notes:
                notes.append("--dead-letters FILE keeps all")
            told = f" ({', '.join(notes)})" if notes else ""
            skipped = f"; {count(total.skipped, 'record')} skipped" if total.skipped else ""
            say(f"{count(total.failed, 'record')} of {total.records:,} failed{told}{skipped}")


def _each(text: Callable[[Any], bytes]) -> Render:
    def render(value: Any) -> bytes | None:
        if value is None or value == []:
            return None
        return b"\n".join(map(text, value)) if type(value) is list else text(value)

    return render


def _is_terminal(stream: Any) -> bool:
    return stream is not None and bool(stream.isatty())


def need_input(ctx: click.Context, files: tuple[str, ...]) -> None:
    """Show short help and exit with 2, rather than wait for somebody to type JSON."""
    if not files and sys.stdin is not None and sys.stdin.isatty():
        usage = ctx.command.get_usage(ctx)
        import inspect

        # Whole paragraphs, to the examples.
        first, _, rest = inspect.cleandoc(ctx.command.help or "").partition("\b\n")
        lines = (first + rest.partition("\n\n")[0]).splitlines()
        hint = f"Try '{ctx.command_path} --help' for all options."
        say(*usage.split("\n"), "", *lines, "", hint, prefix="")
        ctx.exit(2)
