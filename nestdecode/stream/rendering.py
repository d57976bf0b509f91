"""Functions that turn a value into its output, and note something of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from nestdecode.stream.progress import Progress
from nestdecode.stream.records import Record
from nestdecode.stream.report import Part

__all__ = ["Render", "counting", "noting_empty", "noting_last", "placing"]

P = TypeVar("P", bound=Part)
# From a value to its output without a newline; None leaves it out.
Render = Callable[[Any], "bytes | None"]


def noting_last(now: Progress, render: Render, *, each: bool) -> Render:
    """
    Return a function like *render* that also notes ``Report.last``.

    Args:
        now: Where the answering is.
        render: From a value to its output.
        each: Whether the output of an array is that of its elements.
    """

    def render_and_note(value: Any) -> bytes | None:
        text = render(value)
        if text is not None:
            last = value[-1] if each and type(value) is list else value
            now.report.last = last is not None and last is not False
        return text

    return render_and_note


def noting_empty(render: Render, hint: Callable[[], None]) -> Render:
    """
    Return a function like *render* that also gives a hint.

    Args:
        render: From a value to its output.
        hint: Called for each answer that is null, false or an empty array.
    """

    def render_and_hint(value: Any) -> bytes | None:
        if value is None or value is False or value == []:
            hint()
        return render(value)

    return render_and_hint


def placing(now: Progress, render: Callable[[Any, int, Record], bytes | None]) -> Render:
    """
    Return a Render of a function that also takes the record's number and place.

    The number is that in the input, so it is right in one process only.
    """
    return lambda value: render(value, now.number, now.record)


def counting(
    now: Progress, begin: Callable[[], P], count: Callable[[P, Any, Record], None]
) -> Render:
    """
    Return a Render that counts values instead of writing them.

    Args:
        now: Where the answering is.
        begin: Returns an empty count.
        count: Adds a value, with its record, to a count, which is ``Report.part``.
    """
    now.counts = True

    def render(value: Any) -> bytes:
        if now.report.part is None:
            now.report.part = begin()
        count(now.report.part, value, now.record)
        return b""

    return render
