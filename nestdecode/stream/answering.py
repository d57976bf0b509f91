"""Records answered, batch by batch; nothing is written to a terminal."""

from __future__ import annotations

import gc
import itertools
from collections.abc import Callable, Iterator
from typing import Any

from nestdecode.errors import DecodeError, LimitError, QueryError
from nestdecode.stream.lines import GROUP
from nestdecode.stream.malformed import Kind, kinds_of
from nestdecode.stream.progress import Progress
from nestdecode.stream.records import Batch, is_blank
from nestdecode.stream.refusing import Refusing
from nestdecode.stream.rendering import Render
from nestdecode.stream.report import ENOUGH_BYTES, ENOUGH_MESSAGES, Report
from nestdecode.text.joined import Joined, joined, joined_lines

__all__ = ["Answer", "Answering", "Many", "RenderMany"]

Answer = Callable[[bytes], Any]
# From several records to the value of each; None if each has to be answered alone.
Many = Callable[[Joined], "list[Any] | None"]
# From several values to their output, each with a newline at its end.
RenderMany = Callable[[list[Any]], bytes]


class Answering:
    """
    Answers batches, in this process or in a worker. It writes nothing itself.

    Attributes:
        now: Where it is: the record at hand, and the Report that is being made.
        refusing: What becomes of records that fail.
        answer: From a record's text to its value. Raises DecodeError or QueryError.
        many: From several records to their values, which may be fewer, if some are left
            out; None if records are answered one by one.
        render: From a value to its output; None leaves the record out.
        render_many: From several values to their output; None to render them one by one.
        most: Bytes that a record may have.
        too_long: The reason for which longer ones are refused.
        left: Records that may still be written; None for all.
        singly: Whether there is a report for each record.
        stopped: Whether the last one has come: by ``left``, or by a record that fails.
    """

    def __init__(self) -> None:
        self.now: Progress = Progress()
        self.refusing: Refusing = Refusing(self.now)
        self.answer: Answer
        self.many: Many | None = None
        self.render: Render
        self.render_many: RenderMany | None = None
        self.most = 0
        self.too_long = ""
        self.left: int | None = None
        self.singly: bool = False
        self.stopped: bool = False
        # Whether the last group of lines held malformed ones.
        self._sorts = False

    def begin(self) -> None:
        """Begin another input."""
        self.now.begin_input()
        self.refusing.begin_input()

    def results(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        """
        Yield the output of a batch in pieces of whole records, each with its report.

        A malformed line of a batch that is not settled is given back: ``batch.refused``.
        """
        self.now.begin(batch)
        if batch.skipped:
            self.now.report.records += 1
            self.refusing.refuse(LimitError(self.too_long))
            self.stopped = self.stopped or self.refusing.fail_fast
        else:
            yield from self._answered(batch)
        yield b"", self.now.reported()
        # The collector is off. Cycles that errors left are freed now, while no tree is alive.
        gc.collect(0)

    def _answered(self, batch: Batch) -> Iterator[tuple[bytes, Report]]:
        text, start = batch.text, batch.start
        if self.many is None or not text:
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
            done, alone = 0, len(group.records)
            # Of more than may be written each is answered alone.
            if self.left is None or alone <= self.left:
                done, alone = self._at_once(group, written, settled=batch.settled)
            batch.start, line = line + done, line + done + alone
            at += sum(map(len, group.records[: done + alone])) + done + alone
            if alone:
                if written:
                    yield b"".join(written), self.now.reported()
                    written.clear()
                batch.together = line, at
                yield from self._one_by_one(batch, line)
        if written:
            yield b"".join(written), self.now.reported()

    def _at_once(self, group: Joined, written: list[bytes], *, settled: bool) -> tuple[int, int]:
        """
        Answer lines together, as many as that is possible for.

        Once the first malformed records of an input were reported, the others are left out.

        Returns:
            The number of lines that are answered, and of those that have to be answered alone.
        """
        lines = group.records
        if not (self._sorts and self.refusing.needs_no_reason):
            if self._read_together(group, written):
                return len(lines), 0
            if not self.refusing.needs_no_reason:
                return 0, len(lines)
        kinds = kinds_of(lines, self.most, settled=settled)
        self._sorts = "malformed" in kinds
        if self.refusing.malformed is None:
            good = [line for line, kind in zip(lines, kinds, strict=False) if kind == "read"]
            if good and not self._read_together(joined(good), written):
                return 0, len(lines)
            self._pass_over(lines, kinds, written)
            return len(kinds), len(lines[len(kinds) :][:1])
        done = 0
        for is_read, run in itertools.groupby(kinds, lambda kind: kind == "read"):
            end = done + len([*run])
            some = lines[done:end]
            if is_read:
                if not self._read_together(joined(some), written):
                    return done, len(lines) - done
            else:
                self._pass_over(some, kinds[done:end], written)
            done = end
        return done, len(lines[done:][:1])

    def _read_together(self, group: Joined, written: list[bytes]) -> bool:
        """Answer records together; return whether that is possible."""
        trees = None if self.many is None else self.many(group)
        if trees is None:
            return False
        report, size = self.now.report, len(group.records)
        report.records += size
        report.skipped += size - len(trees)
        self._count_off(len(trees))
        written.append(self._rendered(trees))
        return True

    def _pass_over(self, lines: list[bytes], kinds: list[Kind], written: list[bytes]) -> None:
        """Count the lines that are malformed, and write those that are not refused."""
        malformed: list[bytes] = []
        for line, kind in zip(lines, kinds, strict=False):
            if kind == "malformed":
                malformed.append(line)
            elif kind == "more of it":
                malformed[-1] += b"\n" + line
        self.now.report.records += len(malformed)
        texts = [text for raw in malformed if (text := self.refusing.passed_over(raw)) is not None]
        self.now.report.written += len(texts)
        self._count_off(len(texts))
        written.append(_lines(texts))

    def _rendered(self, trees: list[Any]) -> bytes:
        """Return the output of several values, and empty their list."""
        report = self.now.report
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
        now, refusing, raws = self.now, self.refusing, batch.raws
        texts: list[bytes] = []
        size, start, batch.start = 0, batch.start, end
        for index in range(start, end):
            now.index, raw = index, raws[index]
            if is_blank(raw):
                continue
            now.report.records += 1
            if refusing.needs_no_reason and refusing.is_known(raw, self.most):
                text = refusing.passed_over(raw)
            elif refusing.needs_no_reason and refusing.goes_on(raw):
                break
            else:
                try:
                    # Without a variable, which would keep each tree until the next one is read.
                    text = self.render(self.answer(raw))
                except (DecodeError, QueryError) as error:
                    if refusing.gives_back(error, raw):
                        break
                    if texts and refusing.is_told:
                        # On a terminal its message comes after the records before it.
                        yield _lines(texts), now.reported()
                        size = 0
                    failed = now.report.failed
                    text = refusing.failed(error, raw)
                    if refusing.fail_fast and now.report.failed > failed:
                        self.stopped = True
                        break
                else:
                    now.report.skipped += text is None
            if text is not None:
                now.report.written += 1
                if not now.counts:
                    texts.append(text)
                    size += len(text)
                self._count_off(1)
                if self.stopped:
                    break
            if self.singly or size >= ENOUGH_BYTES or len(now.report.messages) >= ENOUGH_MESSAGES:
                yield _lines(texts), now.reported()
                size = 0
        if texts:
            yield _lines(texts), now.reported()

    def _count_off(self, records: int) -> None:
        """Have as many fewer left to be written."""
        if self.left is not None:
            self.left -= records
            self.stopped = self.stopped or not self.left


def _lines(texts: list[bytes]) -> bytes:
    """Return texts as lines, and empty their list."""
    if texts:
        texts.append(b"")
    text = b"\n".join(texts)
    texts.clear()
    return text
