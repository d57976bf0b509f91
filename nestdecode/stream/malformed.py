"""Malformed records: what is done with them, and how they are recognised in many lines at once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nestdecode.stream.records import is_blank
from nestdecode.stream.rendering import Render
from nestdecode.text.verdict import glance, judge

__all__ = ["MALFORMED", "Kind", "Malformed", "in_place_of_malformed", "is_malformed", "kinds_of"]

# What is done with a malformed record: set it aside, write it as it came, or wrapped.
Malformed = Literal["dead", "keep", "wrap"]
MALFORMED: tuple[Malformed, ...] = ("dead", "keep", "wrap")
# What a line is: a record that can be read, one that is malformed, or goes on in it, or none.
Kind = Literal["read", "malformed", "more of it", "blank"]


def is_malformed(line: bytes) -> bool:
    """
    Return whether one look shows that a line, without its LF, is malformed by itself.

    Most lines that are malformed show it so; False decides nothing.

    >>> [is_malformed(line) for line in (b"2026-11-28 up", b"[INFO] up", b'{"a": "cu')]
    [True, True, True]
    >>> [is_malformed(line) for line in (b"5", b'{"a": [1, ', b"{} {}")]
    [False, False, False]
    """
    return glance(line + b"\n") in ("fails", "text follows")


def kinds_of(lines: list[bytes], most: int, *, settled: bool) -> list[Kind]:
    """
    Return what each line is, up to the first that needs a closer look.

    Args:
        lines: Lines, without their LF.
        most: Bytes that a record may have.
        settled: Whether each line is a record. Else one may go on in the next.
    """
    kinds: list[Kind] = []
    while (at := len(kinds)) < len(lines):
        line = lines[at]
        verdict = glance(line + b"\n")
        if verdict == "ends":
            kinds.append("read")
        elif verdict is not None:
            kinds.append("malformed")
        elif is_blank(line):
            kinds.append("blank")
        elif not settled:
            found = _of_text(lines[at : at + 3], most)
            if not found:
                break
            kinds += found
        elif judge(line + b"\n") == "goes on":
            kinds.append("malformed")
        else:
            break
    return kinds


def _of_text(lines: list[bytes], most: int) -> list[Kind]:
    """
    Return what a line is that seems to go on, and the next one if that is settled with it.

    The next two lines open in column 0. There a text fails, or in the line before.
    """
    first, second, third = (*lines, b"", b"")[:3]
    if second[:1] not in (b"{", b"["):
        return []
    if glance(first + b"\n" + second[:1]) == "fails":
        return ["malformed"]
    both = b"%b\n%b\n" % (first, second)
    if third[:1] not in (b"{", b"[") or len(both) > most or judge(first + b"\n") != "goes on":
        return []
    if judge(second) == "ends":
        # A line that is whole is a record, if the text around it fails.
        return ["malformed", "read"] if glance(both + third[:1]) == "fails" else []
    fails = glance(both) == "fails" and glance(second) != "ends"
    return ["malformed", "more of it"] if fails else []


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
