"""The line at the end of a stream: what did not go well in it, if anything."""

from __future__ import annotations

from nestdecode.stream.malformed import Malformed
from nestdecode.stream.report import SHOWN, Report
from nestdecode.words import count, share

__all__ = ["reported", "summary"]


def summary(
    total: Report, *, hidden: int, letters: str | None, malformed: Malformed, hints: bool
) -> str:
    """
    Return the line, or nothing.

    Args:
        total: What came of all records.
        hidden: Records that failed and were counted, but not reported one by one.
        letters: The file that keeps all records that failed, if there is one.
        malformed: What became of records that are not JSON.
        hints: Whether options are named that would help.
    """
    parts: list[str] = []

    def records(number: int) -> str:
        # Of how many is said once.
        return count(number, "record") if parts else share(number, total.records, "record")

    if total.failed and total.records > 1:
        notes = [f"{total.failed - hidden:,} reported"] if hidden else []
        if letters is not None:
            notes.append(f"{'kept' if total.failed == 1 else 'all kept'} in {letters}")
        elif hidden and hints:
            notes.append("--dead-letters FILE keeps all")
        parts.append(f"{records(total.failed)} failed{_noted(notes)}")
        if total.skipped:
            parts.append(f"{total.skipped:,} skipped")
    if total.malformed:
        as_it_came = "as it came" if total.malformed == 1 else "as they came"
        how = "wrapped" if malformed == "wrap" else f"kept {as_it_came}"
        parts.append(f"{records(total.malformed)} {how} (not JSON)")
    if total.problems:
        where = f" in {records(total.with_problems)}" if total.records > 1 else ""
        shut = count(total.problems, "layer")
        parts.append(f"{shut} stayed shut{where}{reported(total.problems)}")
    return "; ".join(parts)


def reported(number: int) -> str:
    """
    Say how many of a kind of message were written, if not all.

    >>> reported(10), reported(1200)
    ('', ' (10 reported)')
    """
    return _noted([f"{SHOWN} reported"]) if number > SHOWN else ""


def _noted(notes: list[str]) -> str:
    return f" ({', '.join(notes)})" if notes else ""
