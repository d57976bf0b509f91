"""Malformed records: what is done with them, and how they are recognised in many lines at once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, Literal

from nestdecode.stream.records import is_blank
from nestdecode.stream.rendering import Render
from nestdecode.stream.scanner import shows_no_json
from nestdecode.text.verdict import glance, judge

__all__ = ["MALFORMED", "Kind", "Malformed", "in_place_of_malformed", "is_malformed", "kinds_of"]

# What is done with a malformed record: set it aside, write it as it came, or wrapped.
Malformed = Literal["dead", "keep", "wrap"]
MALFORMED: tuple[Malformed, ...] = ("dead", "keep", "wrap")
# What a line is: a record that can be read, one that is malformed, or none.
Kind = Literal["read", "malformed", "blank"]


def is_malformed(line: bytes) -> bool:
    """Return whether a line, without its LF, is malformed by itself; False decides nothing."""
    return shows_no_json(line) or judge(line + b"\n") in ("fails", "text follows")


def kinds_of(lines: list[bytes], *, settled: bool) -> list[Kind]:
    """
    Return what each line is, up to the first that needs a closer look.

    Args:
        lines: Lines, without their LF.
        settled: Whether each line is a record. Else one that goes on needs a closer look,
            unless it fails where the next line begins.
    """
    kinds: list[Kind] = []
    for line, after in itertools.zip_longest(lines, lines[1:], fillvalue=b""):
        verdict = glance(line + b"\n")
        if verdict == "ends":
            kinds.append("read")
        elif verdict is not None or _fails(line, after[:1], settled=settled):
            kinds.append("malformed")
        elif is_blank(line):
            kinds.append("blank")
        else:
            break
    return kinds


def _fails(line: bytes, after: bytes, *, settled: bool) -> bool:
    """Return whether a line that may go on fails: if it is settled, or where the next begins."""
    if after in (b"{", b"[") and glance(line + b"\n" + after) == "fails":
        return True
    return settled and judge(line + b"\n") == "goes on" and not is_blank(line)


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
