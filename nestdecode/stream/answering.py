"""Records answered: by this process or by several, without a word on a terminal."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, Self, TypeVar

from nestdecode.errors import DecodeError, LimitError, QueryError, UncompiledError
from nestdecode.stream.letters import DeadLetter
from nestdecode.stream.lines import CUT
from nestdecode.stream.records import Batch, Record, is_blank
from nestdecode.stream.scanner import follow_values, not_utf8
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.stream.splitter import Framing, framing_of, read_batches
from nestdecode.text.joined import Joined, joined_lines

__all__ = [
    "ENOUGH_BYTES",
    "ENOUGH_MESSAGES",
    "MALFORMED",
    "SHOWN",
    "Answer",
    "Answering",
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

SHOWN = 10
# Output and messages are let go when they are this many.
ENOUGH_BYTES = 2 << 20
ENOUGH_MESSAGES = 1000
# From this size on, a file is worth more than one process.
_LARGE = 32 << 20
_DOCUMENTS = "--documents reads records that take several lines, or share one"
# So much is read and written at once: its trees fit a cache.
_GROUP = 1 << 14

P = TypeVar("P", bound="Part")
Answer = Callable[[bytes], Any]
# Answers several at once, or gives None if each has to be answered for itself.
Many = Callable[[Joined], "list[Any] | None"]
Render = Callable[[Any], "bytes | None"]
# Renders several, each with a newline at its end.
RenderMany = Callable[[list[Any]], bytes]
# What becomes of a record that is no JSON: set aside, written as it came, or wrapped.
Malformed = Literal["dead", "keep", "wrap"]
MALFORMED: tuple[Malformed, ...] = ("dead", "keep", "wrap")
# Writes what has become of some records, and tells what is to be told.
Put = Callable[["bytes | memoryview", "Report"], None]


class Part(Protocol):
    """What was counted in some records; their lines count from where their source begins."""

    def add(self, part: Self, source: str, lines: int) -> None:
        """Add what was counted in the records that follow."""


class Report:
    """
    What came of some records, but for their output.

    Attributes:
        records: How many there were: those written, those failed and those skipped.
        written: How many of them are in the output, by their answer or as ``malformed`` says.
        malformed: How many of those written are no JSON: kept as they came, or wrapped.
        failed: How many of them were refused.
        skipped: How many of them were left out: by ``where``, or because ``--each`` has no
            line for their answer.
        problems: Layers that stayed shut.
        with_problems: Records that they are in.
        messages: In order: what kind, the line, whether the record is that line, and the
            text: an error's, which has newlines only where an excerpt of a query follows.
        letters: The records that were refused, if they are kept.
        lines: How many lines they took, if their lines count from 1.
        last: Whether the last value written was neither null nor false; None if nothing
            was written.
        part: What was counted in them, if they are counted and not written.
        unreadable: Why input ends here, if it does not end well.
        unsettled: Where what follows begins, in bytes, if it needs more to be answered.
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
        """Add what came of the records that follow, but for messages and letters."""
        self.records += other.records
        self.written += other.written
        self.malformed += other.malformed
        self.failed += other.failed
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
    Answers batches, in this process or in a worker: writes nothing, tells nobody.

    Attributes:
        answer: From a record's text to its value.
        many: Answers several records at once, if they allow it: it may leave some out.
        render: From a value to what is written for it; None leaves it out.
        render_many: Renders several at once, if that can be done.
        malformed: Renders a record that is no JSON; None refuses it.
        most: The size of a record in bytes.
        too_long: What is said of longer ones.
        framing: How the records of the input are told apart.
        encoding: What a dead letter says of that of its source.
        keeps_letters: Whether records that fail are kept.
        hints: Whether options are named that would help.
        fail_fast: Whether the first one that fails is the last one.
        stopped: Whether that has come.
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
        self.stopped: bool = False
        self._report = Report()
        self._batch = Batch([], 1, 0)
        self._index = 0
        self._at_problem = -1
        # Records of reports that were given away; how many of the input's, if it is one's own.
        self._before = 0
        self._counts = False
        self._hint = ""

    def begin(self) -> None:
        """Number records from 1 again: another input begins."""
        self._before = 0

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
        many, text, start = self.many, batch.text, batch.start
        if many is None or not text:
            yield from self._one_by_one(batch, len(batch.raws))
            return
        line, at = batch.together
        if start > line:
            line, at = start, batch.record(start).offset - batch.offset
        # What is left of a group of which a line was given back is not good for it.
        if start < line:
            yield from self._one_by_one(batch, line)
        written: list[bytes] = []
        while at < len(text) and not self.stopped and batch.refused is None:
            end = text.rfind(b"\n", at, at + _GROUP) + 1 or text.find(b"\n", at + _GROUP) + 1
            group = joined_lines(text[at:end])
            trees = many(group)
            line, at = line + group.records, end
            if trees is not None:
                batch.start = line
                self._report.records += group.records
                self._report.skipped += group.records - len(trees)
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
        """Return what is written for trees, and forget them."""
        report = self._report
        if self.render_many is not None:
            report.written += len(trees)
            written = self.render_many(trees)
            trees.clear()
            return written
        size = len(trees)
        # Each tree is let go once it is written.
        trees.reverse()
        texts = [text for _ in range(size) if (text := self.render(trees.pop())) is not None]
        report.written += len(texts)
        report.skipped += size - len(texts)
        return _lines(texts)

    def _one_by_one(self, batch: Batch, end: int) -> Iterator[tuple[bytes, Report]]:
        """Answer records from the start of a batch on."""
        answer, render, raws = self.answer, self.render, batch.raws
        texts: list[bytes] = []
        size, start, batch.start = 0, batch.start, end
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
                text = self._failed(error, raw)
                if self.stopped:
                    break
            else:
                if text is None:
                    self._report.skipped += 1
            if text is not None:
                self._report.written += 1
                if self._counts:
                    continue
                texts.append(text)
                size += len(text)
            if size >= ENOUGH_BYTES or len(self._report.messages) >= ENOUGH_MESSAGES:
                yield _lines(texts), self._reported()
                size = 0
        if texts:
            yield _lines(texts), self._reported()

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

    def noting_empty(self, render: Render, hint: str) -> Render:
        """Return a function like *render* that tells *hint* if an answer is empty, or refused."""
        self._hint = hint

        def render_and_tell(value: Any) -> bytes | None:
            if value is None or value is False or value == []:
                self._tell_hint()
            return render(value)

        return render_and_tell

    def _tell_hint(self) -> None:
        if self._hint:
            self.tell("once", self._hint)
            self._hint = ""

    def placing(self, render: Callable[[Any, int, Record], bytes | None]) -> Render:
        """Return what renders a value with its record's number and place, in one process."""
        return lambda value: render(value, self._number, self._batch.record(self._index))

    def counting(self, begin: Callable[[], P], count: Callable[[P, Any, Record], None]) -> Render:
        """Return what counts values, and writes nothing, in parts that the reports carry."""
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

    def _failed(self, error: DecodeError | QueryError, raw: bytes) -> bytes | None:
        """Return what is written of a record that fails; None if it is refused."""
        if self.malformed is None or error.code != "malformed":
            self._refuse(error)
            return None
        self._report.malformed += 1
        return self.malformed(raw)

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
            self._tell_hint()
        if self.hints and error.code == "malformed" and self._reads_as_documents():
            self.tell("once", _DOCUMENTS)

    def _reads_as_documents(self) -> bool:
        """Tell whether a record is a line, and ``--documents`` would read it."""
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
        """Count a layer that stays shut; keep the first few for telling."""
        report = self._report
        report.problems += 1
        if self._at_problem != self._index:
            self._at_problem = self._index
            report.with_problems += 1
        if report.problems <= SHOWN:
            self.tell("problem", str(error))

    def tell(self, kind: str, text: str) -> None:
        """Keep a message: an error's code, ``problem``, ``uncompiled`` or ``once``."""
        record = self._batch.record(self._index)
        self._report.messages.append((kind, record.line, record.whole_line, text))


def in_place_of_malformed(
    word: Malformed, text: Callable[[Any], bytes], as_it_is: Render
) -> Render | None:
    """
    Return what is written of a record that is no JSON, as a word says; None to refuse it.

    Args:
        word: ``dead``, ``keep`` or ``wrap``.
        text: From a value to what is written for it.
        as_it_is: The same for the bytes of a record.
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


def answer_all(
    source: Source, answering: Answering, framing: Framing | None, jobs: int | None, put: Put
) -> None:
    """
    Answer every record of an input, in order.

    Args:
        source: The input.
        answering: Answers it.
        framing: How records are told apart; None to tell it from the input.
        jobs: Processes that answer; None decides by the size of the input.
        put: Takes what is to be written and what came of it. It may raise to end it all.

    Raises:
        UnreadableError: If the input can't be read to its end; what was read is answered.
    """
    answering.encoding = source.encoding
    start = b""
    if framing is None:
        framing, start = framing_of(source.read, answering.most)
    answering.framing = framing
    jobs = _jobs_for(jobs, source, framing)
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
    Keep the cyclic collector from walking every tree over and over.

    Trees hold no cycles, yet each of their containers counts towards the next collection:
    it takes up to three quarters of the time of a large document. What is alive now
    stays; frozen, it costs the collections between batches nothing, and worker
    processes share its pages. What somebody else has frozen stays frozen.
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
    """Return texts as lines, and forget them."""
    if texts:
        texts.append(b"")
    text = b"\n".join(texts)
    texts.clear()
    return text
