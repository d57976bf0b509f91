"""Where an Answering is: the record at hand, and the Report of the records since the last one."""

from __future__ import annotations

from nestdecode.errors import DecodeError
from nestdecode.stream.records import Batch, Record
from nestdecode.stream.report import SHOWN, Report

__all__ = ["Progress"]


class Progress:
    """
    The record at hand, and what is reported of those before it.

    Attributes:
        report: The Report that is being made.
        batch: The batch that is being answered.
        index: The index of the record in it.
        counts: Whether values are counted instead of written.
    """

    def __init__(self) -> None:
        self.report: Report = Report()
        self.batch: Batch = Batch([], 1, 0)
        self.index: int = 0
        self.counts: bool = False
        self._at_problem = -1
        # Records of the input in reports that were given away.
        self._before = 0

    def begin_input(self) -> None:
        """Begin another input: records are numbered from 1."""
        self._before = 0

    def begin(self, batch: Batch) -> None:
        """Begin a batch."""
        self.batch, self.index, self._at_problem = batch, 0, -1

    @property
    def number(self) -> int:
        """The number of the record in the input, from 1."""
        return self._before + self.report.records

    @property
    def record(self) -> Record:
        """The record, with its place."""
        return self.batch.record(self.index)

    def reported(self) -> Report:
        """Return the Report, and begin another one."""
        report, self.report = self.report, Report()
        self._before += report.records
        return report

    def give_back(self) -> None:
        """Give the record back to the splitter: it may be a part of one, or several."""
        self.batch.refused = self.index
        self.report.records -= 1

    def problem(self, error: DecodeError) -> None:
        """Count a problem of the record, and keep a message for the first few."""
        report = self.report
        report.problems += 1
        if self._at_problem != self.index:
            self._at_problem = self.index
            report.with_problems += 1
        if report.problems <= SHOWN:
            self.tell("problem", str(error))

    def tell(self, kind: str, text: str) -> None:
        """
        Keep a message about the record.

        Args:
            kind: An error's code, ``problem``, ``uncompiled``, ``once`` or ``hint``; or one
                that ``Put`` knows, and does not show.
            text: The message.
        """
        record = self.record
        self.report.messages.append((kind, record.line, record.whole_line, text))
