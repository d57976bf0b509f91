"""Input shared among worker processes; the output is that of one process, in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple

from nestdecode.stream.answering import Answering
from nestdecode.stream.lines import LineCutter, Lines, lines_of_range
from nestdecode.stream.records import Batch
from nestdecode.stream.report import ENOUGH_BYTES, ENOUGH_MESSAGES, Put, Report
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.stream.splitter import Framing, Splitter, read_batches
from nestdecode.stream.workers import Workers

__all__ = ["share_documents", "share_lines"]

# Bytes of the largest and of the smallest range of a file that is a task.
_RANGE = 2 << 20
_SMALL_RANGE = 1 << 16
# Bytes read at a time.
_READ = 1 << 18


class _Range(NamedTuple):
    """
    A task: the lines that begin in a range of a file.

    Attributes:
        descriptor: The file's descriptor.
        origin: The byte of the file at which input begins.
        start: The byte at which the range begins.
        end: The byte at which it ends; None for the end of the file.
    """

    descriptor: int
    origin: int
    start: int
    end: int | None

    @property
    def first(self) -> bool:
        """Whether input begins with this range."""
        return self.start == self.origin

    def lines(self, most: int) -> Iterator[Lines]:
        """Yield the lines; those of more than *most* bytes are cut."""
        begin, pieces = lines_of_range(self.descriptor, self.start, self.end, first=self.first)
        cutter = LineCutter(most, begin - self.origin)
        for piece in pieces:
            yield from cutter.feed(piece)
        yield from cutter.finish()


class _Read(NamedTuple):
    """
    A task: lines that have been read.

    Attributes:
        read: The lines.
        first: Whether input begins with these lines.
    """

    read: Lines
    first: bool

    def lines(self, _most: int) -> Iterator[Lines]:
        """Yield the lines."""
        yield self.read


def share_documents(
    source: Source, answering: Answering, start: bytes, jobs: int, put: Put
) -> None:
    """
    Read documents here, and have workers answer them.

    Args:
        source: The input.
        answering: Answers batches, in the workers.
        start: What has been read of the input already.
        jobs: The number of workers.
        put: Takes output and reports, in order.

    Raises:
        UnreadableError: If the input can't be read to its end; what was read is answered.
    """
    with Workers(jobs, answering.results) as pool:

        def collect() -> None:
            for result in pool.collect():
                put(*result)

        read = _reading(source, pool, collect)
        unreadable = None
        try:
            for batch in read_batches(read, answering.most, "documents", start):
                if pool.full:
                    collect()
                pool.submit(batch)
        except UnreadableError as error:
            unreadable = error
        while pool.busy:
            collect()
    if unreadable is not None:
        raise unreadable


def share_lines(
    source: Source, answering: Answering, framing: Framing, start: bytes, jobs: int, put: Put
) -> None:
    """
    Have workers answer lines. Those of an uncompressed file are read by the workers too.

    The arguments and errors are those of ``share_documents``; *framing* is ``lines`` or
    ``mixed``.
    """
    shared = _SharedLines(answering, framing, put)
    ranges = source.size is not None
    with Workers(jobs, shared.work, ahead=2 if ranges else 1) as pool:

        def collect() -> None:
            shared.collect(pool.collect())
            if ranges:
                source.done += step

        tasks: Iterator[_Range | _Read]
        if source.size is not None:
            size = source.size - source.start
            step = min(_RANGE, max(_SMALL_RANGE, size // (jobs * 4)))
            tasks = _ranges(source, step)
        else:
            step = 0
            tasks = _pieces(_reading(source, pool, collect), start, answering.most)
        unreadable = None
        while True:
            try:
                task = next(tasks, None)
            except UnreadableError as error:
                # What was read before is answered all the same.
                unreadable = error
                break
            if task is None:
                break
            if pool.full:
                collect()
            pool.submit(task)
            shared.waiting.append(task)
        while pool.busy:
            collect()
    shared.finish()
    if ranges:
        source.leave_at_end()
    if unreadable is not None:
        raise unreadable


def _reading(source: Source, pool: Workers, collect: Callable[[], None]) -> Callable[[int], bytes]:
    """Return a function that reads, and collects results while it waits for input."""

    def read(size: int) -> bytes:
        while pool.busy and not source.ready(pool.next_answer):
            collect()
        return source.read(size)

    return read


def _ranges(source: Source, step: int) -> Iterator[_Range]:
    assert source.size is not None
    for at in range(source.start, source.size, step):
        # The last range goes on if the file has grown.
        end = at + step if at + step < source.size else None
        yield _Range(source.descriptor, source.start, at, end)


def _pieces(read: Callable[[int], bytes], start: bytes, most: int) -> Iterator[_Read]:
    cutter = LineCutter(most)
    first = True
    chunk = start or read(_READ)
    while chunk:
        for lines in cutter.feed(chunk):
            yield _Read(lines, first)
            first = False
        chunk = read(_READ)
    for lines in cutter.finish():
        yield _Read(lines, first)


class _SharedLines:
    """
    Tasks of lines, answered by workers, and here where a document crosses their border.

    A worker assumes that a record begins where its task begins. If a document goes on from
    one task into the next, the results of the next are dropped, and its lines are answered
    here, up to the end of a task at which no document is unfinished.

    Attributes:
        waiting: The tasks that have not been collected, in order.
    """

    def __init__(self, answering: Answering, framing: Framing, put: Put) -> None:
        self.waiting: deque[_Range | _Read] = deque()
        self._answering = answering
        self._framing = framing
        self._put = put
        self._most = answering.left
        self._here: Splitter | None = None

    def work(self, task: _Range | _Read) -> Iterator[tuple[bytes, Report]]:
        """Answer a task, in a worker."""
        # A worker whose turn has not come can hold only a few results, so they are joined.
        return _together(self._answered(task))

    def _answered(self, task: _Range | _Read) -> Iterator[tuple[bytes, Report]]:
        answering, ends = self._answering, Report()
        # No task writes more than all may.
        answering.left, answering.stopped = self._most, False
        # The results of this task may be dropped, and those of the next one kept.
        answering.refusing.begin_input()
        splitter = None
        try:
            for lines in task.lines(answering.most):
                if splitter is None:
                    splitter = self._splitter(lines.offset, first=task.first)
                for batch in splitter.take(lines):
                    yield from answering.results(batch)
                    if answering.stopped:
                        return
        except OSError as error:
            ends.unreadable = f"can't be read: {error.strerror or error}"
        if splitter is not None:
            ends.lines, ends.unsettled = splitter.settled
        yield b"", ends

    def _splitter(self, offset: int, *, first: bool = False) -> Splitter:
        most = self._answering.most
        return Splitter(self._framing, most, answered=True, offset=offset, first=first)

    def collect(self, results: Iterator[tuple[bytes | memoryview, Report]]) -> None:
        """Take the results of the oldest task, or answer it here."""
        task = self.waiting.popleft()
        lines = task.lines(self._answering.most)
        if self._here is None:
            unsettled = None
            taken = Report()
            for text, report in results:
                if not self._may_write(report):
                    self._answer_rest(task, taken)
                    return
                self._put(text, report)
                taken.add(report)
                unsettled = report.unsettled if unsettled is None else unsettled
            if unsettled is None:
                return
            self._here = self._splitter(unsettled)
            lines = _from(unsettled, lines)
        else:
            for _ in results:
                pass
        for some in _readable(lines):
            self._answer_here(self._here.take(some))
        read, unsettled = self._here.settled
        if unsettled is None:
            self._leave(read)

    def _may_write(self, report: Report) -> bool:
        """Return whether all of a report may be written, and count that off if so."""
        answering = self._answering
        if answering.left is None:
            return True
        # Of the records after the last one that is written, none is to be answered.
        is_end = report.written == answering.left and report.records > report.written
        if report.written > answering.left or is_end:
            return False
        answering.left -= report.written
        return True

    def _answer_rest(self, task: _Range | _Read, taken: Report) -> None:
        """Answer what may still be written of a task here, after what a worker has answered."""
        answering = self._answering
        answering.left = (answering.left or 0) + taken.written
        answering.singly, answering.many, before = True, None, taken.records
        splitter = None
        for lines in _readable(task.lines(answering.most)):
            splitter = splitter or self._splitter(lines.offset, first=task.first)
            for batch in splitter.take(lines):
                for text, report in answering.results(batch):
                    if before > 0:
                        before -= report.records
                    else:
                        self._put(text, report)

    def finish(self) -> None:
        """Answer the document that is unfinished at the end of input."""
        if self._here is not None:
            self._answer_here(self._here.finish())
            self._leave(self._here.settled[0])

    def _answer_here(self, batches: Iterator[Batch]) -> None:
        for batch in batches:
            for text, report in self._answering.results(batch):
                self._put(text, report)

    def _leave(self, lines: int) -> None:
        """Go on with the results of workers, after *lines* lines that were answered here."""
        report = Report()
        report.lines = lines
        self._here = None
        self._put(b"", report)


def _readable(several: Iterator[Lines]) -> Iterator[Lines]:
    """Yield lines; raise UnreadableError for an error of reading them."""
    try:
        yield from several
    except OSError as error:
        reason = error.strerror or str(error)
    else:
        return
    raise UnreadableError(f"can't be read: {reason}")


def _from(offset: int, several: Iterator[Lines]) -> Iterator[Lines]:
    """Yield lines from an offset on."""
    for lines in several:
        if lines.offset >= offset:
            yield lines
        elif offset - lines.offset < len(lines.text):
            yield Lines(lines.text[offset - lines.offset :], offset)


def _together(results: Iterator[tuple[bytes, Report]]) -> Iterator[tuple[bytes, Report]]:
    """Yield results, with small ones joined."""
    texts: list[bytes] = []
    size = 0
    report = Report()
    for text, one in results:
        if size + len(text) > 2 * ENOUGH_BYTES or len(report.messages) > ENOUGH_MESSAGES:
            yield b"".join(texts), report
            texts, size, report = [], 0, Report()
        texts.append(text)
        size += len(text) + sum(len(letter.raw) for letter in one.letters)
        report.add(one)
        report.messages += one.messages
        report.letters += one.letters
    yield b"".join(texts), report
