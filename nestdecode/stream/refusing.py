"""Records that fail: refused, with a message or a letter, or written as they came."""

from __future__ import annotations

from nestdecode.errors import DecodeError, QueryError, UncompiledError
from nestdecode.stream.letters import DeadLetter
from nestdecode.stream.malformed import is_malformed
from nestdecode.stream.progress import Progress
from nestdecode.stream.rendering import Render
from nestdecode.stream.report import SHOWN
from nestdecode.stream.scanner import follow_values, not_utf8
from nestdecode.stream.splitter import Framing
from nestdecode.text.depth import may_be_deep
from nestdecode.text.verdict import judge

__all__ = ["Refusing"]

_DOCUMENTS = "--documents reads records that take several lines, or share one"


class Refusing:
    """
    What becomes of records that fail.

    Args:
        now: Where the answering is.

    Attributes:
        malformed: From the bytes of a malformed record to its output; None refuses it.
        framing: How the input is cut into records.
        encoding: The encoding of the source, for dead letters; None for UTF-8.
        keeps_letters: Whether records that fail are kept.
        hints: Whether messages name options that would help.
        fail_fast: Whether the first record that is refused is the last one.
        needs_no_reason: Whether more malformed records of the input are only counted.
    """

    def __init__(self, now: Progress) -> None:
        self._now = now
        self.malformed: Render | None = None
        self.framing: Framing = "mixed"
        self.encoding: str | None = None
        self.keeps_letters = self.hints = self.fail_fast = False
        self.needs_no_reason: bool = False
        self._refused = 0
        self._hint = ""

    def begin_input(self) -> None:
        """Begin another input, or a part of it: its first malformed records have messages."""
        self._refused, self.needs_no_reason = 0, False

    def hint_once(self, text: str) -> None:
        """Have ``hint`` give this text, once."""
        self._hint = text

    def hint(self) -> None:
        """Give the hint, if it was not given."""
        if self._hint:
            self._now.tell("once", self._hint)
            self._hint = ""

    @property
    def is_told(self) -> bool:
        """Whether the next malformed record has a message."""
        return self._refused < SHOWN

    def is_known(self, raw: bytes, most: int) -> bool:
        """
        Return whether a record is known to be malformed: one look, or splitting, showed it.

        One of more than *most* bytes is not: it is refused as too long.
        """
        return len(raw) <= most and (self._fails(raw) or is_malformed(raw))

    def _fails(self, raw: bytes) -> bool:
        places = self._now.batch.places
        return places is not None and places[self._now.index].fails and not may_be_deep(raw)

    def goes_on(self, raw: bytes) -> bool:
        """Return whether a line is known to be the beginning of a record; it is given back."""
        goes_on = not self._now.batch.settled and judge(raw + b"\n") == "goes on"
        if goes_on:
            self._now.give_back()
        return goes_on

    def gives_back(self, error: DecodeError | QueryError, raw: bytes) -> bool:
        """Give back a malformed line that may be part of a record, or several of them."""
        if (
            self._now.batch.settled
            or not isinstance(error, DecodeError)
            or error.pointer
            or error.codec
            or is_malformed(raw)
        ):
            return False
        self._now.give_back()
        return True

    def failed(self, error: DecodeError | QueryError, raw: bytes) -> bytes | None:
        """Return the output of a record that fails; None if it is refused."""
        if error.code == "malformed" and (self.needs_no_reason or self.malformed is not None):
            self.needs_no_reason = True
            return self.passed_over(raw)
        self.refuse(error)
        return None

    def passed_over(self, raw: bytes) -> bytes | None:
        """Count a record that is malformed, and return its output; None if it is refused."""
        report = self._now.report
        if self.malformed is not None:
            report.malformed += 1
            return self.malformed(raw)
        report.failed += 1
        report.untold += 1
        return None

    def refuse(self, error: DecodeError | QueryError) -> None:
        """Count a record that is refused, with a message, and a letter if these are kept."""
        now = self._now
        now.report.failed += 1
        if self.keeps_letters:
            record = now.record
            place = record.line, record.offset
            now.report.letters.append(
                DeadLetter(*place, record.raw, error, record.skipped, self.encoding)
            )
        if isinstance(error, UncompiledError):
            now.tell("uncompiled", str(error))
            return
        now.tell(error.code, str(error))
        if isinstance(error, QueryError):
            self.hint()
        elif error.code == "malformed":
            self._refused += 1
            self.needs_no_reason = not (self.is_told or self.keeps_letters or self.fail_fast)
            if self.hints and self._reads_as_documents():
                now.tell("once", _DOCUMENTS)

    def _reads_as_documents(self) -> bool:
        """Return whether a malformed record is a line that ``--documents`` would read."""
        if self.framing == "documents":
            return False
        line, *more = self._now.batch.raws[self._now.index : self._now.index + 2]
        outcome = follow_values(line)
        if outcome == "goes on" and self.framing == "lines" and more:
            line = b"\n".join([line, *more])
            outcome = "fails" if follow_values(line) == "fails" else "ends"
        is_read = outcome == "ends" and not_utf8(line) is None
        return is_read and self._now.record.whole_line
