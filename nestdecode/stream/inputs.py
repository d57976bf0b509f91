"""Whole inputs answered, by this process or by several; nothing is written to a terminal."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from nestdecode.stream.answering import Answering
from nestdecode.stream.encoded import SEQUENCE
from nestdecode.stream.lines import CUT
from nestdecode.stream.report import Put, Report
from nestdecode.stream.sources import Source, UnreadableError
from nestdecode.stream.splitter import Framing, framing_of, read_batches

__all__ = ["EnoughError", "answer_all", "collector_off"]

# Bytes from which on a file is read by several processes.
_LARGE = 32 << 20


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
    answering.refusing.encoding = source.encoding
    start = b""
    if source.encoding == SEQUENCE:
        framing = "lines"
    elif framing is None:
        framing, start = framing_of(source.read, answering.most)
    answering.refusing.framing = framing
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
