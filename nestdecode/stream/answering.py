"""Records answered, by this process or by several; nothing is written to a terminal."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal, Protocol, Self, TypeVar

from nestdecode.errors import DecodeError, LimitError, QueryError, UncompiledError
from nestdecode.stream.encoded import SEQUENCE
from nestdecode.stream.letters import DeadLetter
from nestdecode.stream.lines import CUT, GROUP
from nestdecode.stream.records import Batch, Record, is_blank
from nestdecode.stream.scanner import follow_values, not_utf8, shows_no_json
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.stream.splitter import Framing, framing_of, read_batches
from nestdecode.text.depth import DEEPEST, brackets
from nestdecode.text.joined import Joined, joined_lines

__all__ = [
    "ENOUGH_BYTES",
    "ENOUGH_MESSAGES",
    "MALFORMED",
    "SHOWN",
    "Answer",
    "Answering",
    "EnoughError",
    "Malformed",
    "Many",
    "Part",
    "Put",
    "Render",
    "RenderMany",
    "Report",
    "answer_all",
    "collector_off",
    "in_place_of_malformed",
]

# Problems of one report that have a message.
SHOWN = 10
# Output in bytes, and messages, from which on a report is given away.
ENOUGH_BYTES = 2 << 20
ENOUGH_MESSAGES = 1000
# Bytes from which on a file is read by several processes.
_LARGE = 32 << 20
_DOCUMENTS = "--documents reads records that take several lines, or share one"

P = TypeVar("P", bound="Part")
Answer = Callable[[bytes], Any]
# From several records to the value of each; None if each has to be answered alone.
Many = Callable[[Joined], "list[Any] | None"]
# From a value to its output without a newline; None leaves it out.
Render = Callable[[Any], "bytes | None"]
# From several values to their output, each with a newline at its end.
RenderMany = Callable[[list[Any]], bytes]
# What is done with a malformed record: set it aside, write it as it came, or wrapped.
Malformed = Literal["dead", "keep", "wrap"]
MALFORMED: tuple[Malformed, ...] = ("dead", "keep", "wrap")
# Takes the output of some records, to write it, and their Report.
Put = Callable[["bytes | memoryview", "Report"], None]


class Part(Protocol):
    """A count over some records, which can be added to that of the records before."""

    def add(self, part: Self, source: str, lines: int) -> None:
        """
        Add the count of the records that follow.

        Args:
            part: That count.
            source: The name of its source; empty for the same one.
            lines: Lines before those records, to be added to their line numbers.
        """


class Report:
    """
    Counts and messages for a batch of records, without its output.

    Attributes:
        records: Records read: those written, failed and skipped.
        written: Records in the output: answered, or malformed and kept or wrapped.
        malformed: Records in the output that are malformed.
        failed: Records that were refused.
        skipped: Records left out of the output: ``where`` does not hold for them, or
            ``--each`` printed nothing.
        problems: Layers that stayed shut.
        with_problems: Records with such layers.
        messages: In order: the kind, the line, whether the record is that line, and the
            text. It has newlines only if an excerpt of a query follows.
        untold: Records that failed and have no message. Of those that are malformed, the
            first few of a batch have one.
        letters: The records that were refused, if they are kept.
        lines: Lines to be added to the line numbers in all reports that follow.
        last: Whether the last value written was neither null nor false; None if nothing
            was written.
        part: The count over these records, if they are counted instead of written.
        unreadable: Why the input could not be read further; None if it could.
        unsettled: The offset in bytes at which a text begins that goes on after these
            records; None if there is none.
    """

    __slots__ = (
        "failed",
        "last",
        "letters",
        "lines",
        "malformed",
        "messages",
        "part",
        "problems",
        "records",
        "skipped",
        "unreadable",
        "unsettled",
        "untold",
        "with_problems",
        "written",
    )

    def __init__(self) -> None:
        self.records: int = 0
        self.written: int = 0
        self.malformed: int = 0
        self.failed: int = 0
        self.skipped: int = 0
        self.problems: int = 0
        self.with_problems: int = 0
        self.messages: list[tuple[str, int, bool, str]] = []
        self.untold: int = 0
        self.letters: list[DeadLetter] = []
        self.lines: int = 0
        self.last: bool | None = None
        self.part: Any = None
        self.unreadable: str | None = None
        self.unsettled: int | None = None

    def __repr__(self) -> str:
        names = ("records", "written", "failed", "skipped", "problems")
        return f"<Report: {', '.join(f'{getattr(self, name):,} {name}' for name in names)}>"

    def add(self, other: Report) -> None:
        """Add the report of the records that follow, except its messages and letters."""
        self.records += other.records
        self.written += other.written
        self.malformed += other.malformed
        self.failed += other.failed
        self.untold += other.untold
        self.skipped += other.skipped
        self.problems += other.problems
        self.with_problems += other.with_problems
        self.lines += other.lines
        self.last = self.last if other.last is None else other.last
        if self.part is None:
            self.part = other.part
        elif other.part is not None:
            self.part.add(other.part, "", 0)
        self.unreadable = self.unreadable or other.unreadable
        self.unsettled = self.unsettled if other.unsettled is None else other.unsettled


class Answering:
    """
    Answers batches, in this process or in a worker. It writes nothing itself.

    Attributes:
        answer: From a record's text to its value. Raises DecodeError or QueryError.
        many: From several records to their values, which may be fewer, if some are left
            out; None if records are answered one by one.
        render: From a value to its output; None leaves the record out.
        render_many: From several values to their output; None to render them one by one.
        malformed: From the bytes of a malformed record to its output; None refuses it.
        most: Bytes that a record may have.
        too_long: The reason for which longer ones are refused.
        framing: How the input is cut into records.
        encoding: The encoding of the source, for dead letters; None for UTF-8.
        keeps_letters: Whether records that fail are kept.
        hints: Whether messages name options that would help.
        fail_fast: Whether to stop at the first record that fails.
        left: Records that may still be written; None for all.
        singly: Whether there is a report for each record.
        stopped: Whether the last one has come, by either.
    """

    def __init__(self) -> None:
        self.answer: Answer
        self.many: Many | None = None
        self.render: Render
        self.render_many: RenderMany | None = None
        self.malformed: Render | None = None
        self.most = 0
        self.too_long = ""
        self.framing: Framing = "mixed"
        self.encoding: str | None = None
        self.keeps_letters = self.hints = self.fail_fast = False
        self.left: int | None = None
        self.singly: bool = False
        self.stopped: bool = False
        self._report = Report()
        self._batch = Batch([], 1, 0)
        self._index = 0
        self._at_problem = -1
        # Of a batch: records refused as malformed, and whether more of them are only counted.
        self._refused = 0
        self._needs_no_reason = False
        # Records of the input in reports that were given away.
        self._before = 0
        self._counts = False
        self._hint = ""

    def begin(self) -> None:
        """Begin another input: records are numbered from 1."""
        self._before = 0

    def results(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        """
        Yield the output of a batch in pieces of whole records, each with its report.

        A malformed line of a batch that is not settled is given back: ``batch.refused``.
        """
        self._batch, self._index, self._at_problem = batch, 0, -1
        self._refused, self._needs_no_reason = 0, False
        if batch.skipped:
            self._report.records += 1
            self._refuse(LimitError(self.too_long))
        else:
            yield from self._answered(batch)
        yield b"", self._reported()
        # The collector is off. Cycles that errors left are freed now, while no tree is alive.
        gc.collect(0)

    def _answered(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        many, text, start = self.many, batch.text, batch.start
        if many is None or not text:
            yield from self._one_by_one(batch, len(batch.raws))
            return
        line, at = batch.together
        if start > line:
            line, at = start, batch.record(start).offset - batch.offset
        # The rest of a group in which a line was given back cannot be answered together.
        if start < line:
            yield from self._one_by_one(batch, line)
        written: list[bytes] = []
        while at < len(text) and not self.stopped and batch.refused is None:
            end = text.rfind(b"\n", at, at + GROUP) + 1 or text.find(b"\n", at + GROUP) + 1
            group = joined_lines(text[at:end])
            # Of more than may be written each is answered alone.
            trees = many(group) if self.left is None or len(group.records) <= self.left else None
            line, at = line + len(group.records), end
            if trees is not None:
                batch.start = line
                self._report.records += len(group.records)
                self._report.skipped += len(group.records) - len(trees)
                self._count_off(len(trees))
                written.append(self._rendered(trees))
                continue
            if written:
                yield b"".join(written), self._reported()
                written.clear()
            batch.together = line, at
            yield from self._one_by_one(batch, line)
        if written:
            yield b"".join(written), self._reported()

    def _rendered(self, trees: list[Any]) -> bytes:
        """Return the output of several values, and empty their list."""
        report = self._report
        if self.render_many is not None:
            report.written += len(trees)
            written = self.render_many(trees)
            trees.clear()
            return written
        size = len(trees)
        # Each tree is freed as soon as it is written.
        trees.reverse()
        texts = [text for _ in range(size) if (text := self.render(trees.pop())) is not None]
        report.written += len(texts)
        report.skipped += size - len(texts)
        return _lines(texts)

    def _one_by_one(self, batch: Batch, end: int) -> Iterator[tuple[bytes, Report]]:
        """Answer the records of a batch from ``batch.start`` to *end*."""
        answer, render, raws = self.answer, self.render, batch.raws
        texts: list[bytes] = []
        size, start, batch.start = 0, batch.start, end
        for self._index in range(start, end):
            raw = raws[self._index]
            if is_blank(raw):
                continue
            self._report.records += 1
            if self._needs_no_reason and (shows_no_json(raw) or self._fails(raw)):
                text = self._of_text(raw)
            else:
                try:
                    # Without a variable, which would keep each tree until the next one is read.
                    text = render(answer(raw))
                except (DecodeError, QueryError) as error:
                    if self._gives_back(error, raw):
                        break
                    if texts and self._refused < SHOWN:
                        # On a terminal its message comes after the records before it.
                        yield _lines(texts), self._reported()
                        size = 0
                    text = self._failed(error, raw)
                    if self.stopped:
                        break
                else:
                    self._report.skipped += text is None
            if text is not None:
                self._report.written += 1
                if not self._counts:
                    texts.append(text)
                    size += len(text)
                self._count_off(1)
                if self.stopped:
                    break
            if self.singly or size >= ENOUGH_BYTES or len(self._report.messages) >= ENOUGH_MESSAGES:
                yield _lines(texts), self._reported()
                size = 0
        if texts:
            yield _lines(texts), self._reported()

    def _count_off(self, records: int) -> None:
        """Have as many fewer left to be written."""
        if self.left is not None:
            self.left -= records
            self.stopped = self.stopped or not self.left

    def _gives_back(self, error: DecodeError | QueryError, raw: bytes) -> bool:
        """Give back a malformed line that may be part of a record, or several of them."""
        if (
            self._batch.settled
            or not isinstance(error, DecodeError)
            or error.pointer
            or error.codec
            or shows_no_json(raw)
        ):
            return False
        self._batch.refused = self._index
        self._report.records -= 1
        return True

    def noting_last(self, render: Render, *, each: bool) -> Render:
        """
        Return a function like *render* that also notes ``Report.last``.

        Args:
            render: From a value to its output.
            each: Whether the output of an array is that of its elements.
        """

        def render_and_note(value: Any) -> bytes | None:
            text = render(value)
            if text is not None:
                last = value[-1] if each and type(value) is list else value
                self._report.last = last is not None and last is not False
            return text

        return render_and_note

    def noting_empty(self, render: Render, hint: str) -> Render:
        """
        Return a function like *render* that also reports a hint, once.

        Args:
            render: From a value to its output.
            hint: Reported when an answer is null, false or an empty array, or a query fails.
        """
        self._hint = hint

        def render_and_hint(value: Any) -> bytes | None:
            if value is None or value is False or value == []:
                self._note_hint()
            return render(value)

        return render_and_hint

    def _note_hint(self) -> None:
        if self._hint:
            self.tell("once", self._hint)
            self._hint = ""

    def placing(self, render: Callable[[Any, int, Record], bytes | None]) -> Render:
        """
        Return a Render of a function that also takes the record's number and place.

        The number is that in the input, so it is right in one process only.
        """
        return lambda value: render(value, self._number, self._batch.record(self._index))

    def counting(self, begin: Callable[[], P], count: Callable[[P, Any, Record], None]) -> Render:
        """
        Return a Render that counts values instead of writing them.

        Args:
            begin: Returns an empty count.
            count: Adds a value, with its record, to a count, which is ``Report.part``.
        """
        self._counts = True

        def render(value: Any) -> bytes:
            if self._report.part is None:
                self._report.part = begin()
            count(self._report.part, value, self._batch.record(self._index))
            return b""

        return render

    @property
    def _number(self) -> int:
        return self._before + self._report.records

    def _reported(self) -> Report:
        report, self._report = self._report, Report()
        self._before += report.records
        return report

    def _fails(self, raw: bytes) -> bool:
        """Return whether a record is known not to be JSON since its input was split."""
        places = self._batch.places
        return places is not None and places[self._index].fails and brackets(raw) <= DEEPEST

    def _failed(self, error: DecodeError | QueryError, raw: bytes) -> bytes | None:
        """Return the output of a record that fails; None if it is refused."""
        if self.malformed is None or error.code != "malformed":
            self._refuse(error)
            return None
        self._needs_no_reason = True
        return self._of_text(raw)

    def _of_text(self, raw: bytes) -> bytes | None:
        """Count a record that is malformed, and return its output; None if it is refused."""
        if self.malformed is not None:
            self._report.malformed += 1
            return self.malformed(raw)
        self._report.failed += 1
        self._report.untold += 1
        return None

    def _refuse(self, error: DecodeError | QueryError) -> None:
        self._report.failed += 1
        self.stopped = self.fail_fast
        if self.keeps_letters:
            record = self._batch.record(self._index)
            place = record.line, record.offset
            self._report.letters.append(
                DeadLetter(*place, record.raw, error, record.skipped, self.encoding)
            )
        if isinstance(error, UncompiledError):
            self.tell("uncompiled", str(error))
            return
        self.tell(error.code, str(error))
        if isinstance(error, QueryError):
            self._note_hint()
        elif error.code == "malformed":
            self._refused += 1
            self._needs_no_reason = self._refused >= SHOWN and not (
                self.keeps_letters or self.fail_fast
            )
            if self.hints and self._reads_as_documents():
                self.tell("once", _DOCUMENTS)

    def _reads_as_documents(self) -> bool:
        """Return whether a malformed record is a line that ``--documents`` would read."""
        if self.framing == "documents":
            return False
        line, *more = self._batch.raws[self._index : self._index + 2]
        outcome = follow_values(line)
        if outcome == "goes on" and self.framing == "lines" and more:
            line = b"\n".join([line, *more])
            outcome = "fails" if follow_values(line) == "fails" else "ends"
        is_read = outcome == "ends" and not_utf8(line) is None
        return is_read and self._batch.record(self._index).whole_line

    def problem(self, error: DecodeError) -> None:
        """Count a problem, and keep a message for the first few."""
        report = self._report
        report.problems += 1
        if self._at_problem != self._index:
            self._at_problem = self._index
            report.with_problems += 1
        if report.problems <= SHOWN:
            self.tell("problem", str(error))

    def tell(self, kind: str, text: str) -> None:
        """
        Keep a message about the present record.

        Args:
            kind: An error's code, ``problem``, ``uncompiled``, ``once`` or ``hint``; or one
                that *put* knows, and does not show.
            text: The message.
        """
        record = self._batch.record(self._index)
        self._report.messages.append((kind, record.line, record.whole_line, text))


def in_place_of_malformed(
    word: Malformed, text: Callable[[Any], bytes], as_it_is: Render
) -> Render | None:
    """
    Return the function that gives the output of a malformed record; None to refuse it.

    Args:
        word: ``dead``, ``keep`` or ``wrap``.
        text: From a value to its output.
        as_it_is: From the bytes of a record to its output.
    """
    if word == "wrap":
        return lambda raw: text(_wrapped(raw))
    return as_it_is if word == "keep" else None


def _wrapped(raw: bytes) -> dict[str, str]:
    try:
        return {"message": raw.decode()}
    except UnicodeDecodeError:
        import binascii

        return {"message_base64": binascii.b2a_base64(raw, newline=False).decode()}


class EnoughError(Exception):
    """No other record is wanted."""


def answer_all(
    source: Source, answering: Answering, framing: Framing | None, jobs: int | None, put: Put
) -> None:
    """
    Answer every record of an input, in order.

    Args:
        source: The input.
        answering: Answers batches of its records.
        framing: How it is cut into records; None to detect that.
        jobs: Worker processes; None to decide by the size of the input.
        put: Takes each piece of output and its report, in order. An error that it raises
            ends the whole; EnoughError ends it well.

    Raises:
        UnreadableError: If the input can't be read to its end; what was read is answered.
        WorkerError: If a worker can't be started, or dies.
    """
    with suppress(EnoughError):
        _answer_all(source, answering, framing, jobs, _until_enough(answering, put))


def _until_enough(answering: Answering, put: Put) -> Put:
    """Return what does what *put* does, and ends it when all has been written that may be."""
    if answering.left is None:
        return put

    def put_some(text: bytes | memoryview, report: Report) -> None:
        put(text, report)
        if answering.left == 0:
            raise EnoughError

    return put_some


def _answer_all(
    source: Source, answering: Answering, framing: Framing | None, jobs: int | None, put: Put
) -> None:
    answering.encoding = source.encoding
    start = b""
    if source.encoding == SEQUENCE:
        framing = "lines"
    elif framing is None:
        framing, start = framing_of(source.read, answering.most)
    answering.framing = framing
    # Of documents that are counted off, none is answered ahead of those before it.
    one = framing == "documents" and answering.left is not None
    jobs = 1 if one else _jobs_for(jobs, source, framing)
    if jobs > 1:
        from nestdecode.stream import sharing

        if framing == "documents":
            sharing.share_documents(source, answering, start, jobs, put)
        else:
            sharing.share_lines(source, answering, framing, start, jobs, put)
        return
    for batch in read_batches(source.read, answering.most, framing, start, answered=True):
        for text, report in answering.results(batch):
            put(text, report)
    if source.total is not None and source.done < source.total:
        raise UnreadableError(f"can't be read: {CUT}")


def _jobs_for(jobs: int | None, source: Source, framing: Framing) -> int:
    if jobs == 1:
        return 1
    large = source.size is not None and source.size - source.start >= _LARGE
    if jobs is None and not (large and framing != "documents"):
        return 1
    from nestdecode.stream import workers

    return (jobs or workers.cores()) if workers.can_fork() else 1


@contextmanager
def collector_off() -> Iterator[None]:
    """
    Turn the cyclic collector off, and freeze the objects that are alive now.

    Trees hold no cycles, but each of their containers counts towards the next collection,
    and the collections take up to three quarters of the time of a large document. Frozen
    objects cost the collections between batches nothing, and worker processes share their
    pages. If objects are frozen already, they stay frozen.
    """
    was_on, ours = gc.isenabled(), gc.get_freeze_count() == 0
    gc.disable()
    if ours:
        gc.freeze()
    try:
        yield
    finally:
        if ours:
            gc.unfreeze()
        if was_on:
            gc.enable()


def _lines(texts: list[bytes]) -> bytes:
    """Return texts as lines, and empty their list."""
    if texts:
        texts.append(b"")
    text = b"\n".join(texts)
    texts.clear()
    return text
