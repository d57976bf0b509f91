"""What came of some records: counts, messages, and the records that were refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, Self

from nestdecode.stream.letters import DeadLetter

__all__ = ["ENOUGH_BYTES", "ENOUGH_MESSAGES", "SHOWN", "Part", "Put", "Report"]

# Problems of one report that have a message.
SHOWN = 10
# Output in bytes, and messages, from which on a report is given away.
ENOUGH_BYTES = 2 << 20
ENOUGH_MESSAGES = 1000
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
            first few of an input have one.
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
