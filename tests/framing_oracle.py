"""
The oracle of framing: the rules of splitting input into records, written plainly.

Slow: it has the whole text, and parses from each position anew, character by character.
"""

import re

BLANKS = b" \t\r\n"
WORD = re.compile(
    rb'(-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null)(?![^\s"\[\]{},:])'
)
BOM = b"\xef\xbb\xbf"


class FailsError(Exception):
    """A text is not JSON, from this position at the latest."""


class GoesOnError(Exception):
    """A text is the beginning of JSON, cut short."""


def blanks(text, at):
    while at < len(text) and text[at] in BLANKS:
        at += 1
    return at


def value(text, at):
    """Return the end of the JSON value that begins at a position."""
    if at == len(text):
        raise GoesOnError
    if text[at] in b"{[":
        return container(text, at)
    if text[at] == ord('"'):
        return string(text, at)
    match = WORD.match(text, at)
    if not match:
        raise FailsError(at)
    return match.end()


def string(text, at):
    end = at + 1
    while text[end : end + 1] != b'"':
        character = text[end : end + 1]
        if character < b" ":
            raise FailsError(at)
        escape = re.compile(rb'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})').match(text, end)
        if character == b"\\":
            if not escape:
                raise FailsError(at)
            end = escape.end()
        else:
            end += 1
    try:
        text[at:end].decode()
    except UnicodeDecodeError:
        raise FailsError(at) from None
    return end + 1


def container(text, at):
    closer = b"}" if text[at] == ord("{") else b"]"
    at = blanks(text, at + 1)
    if text[at : at + 1] == closer:
        return at + 1
    while True:
        if closer == b"}":
            at = blanks(text, at)
            if at == len(text):
                raise GoesOnError
            if text[at] != ord('"'):
                raise FailsError(at)
            at = expect(text, blanks(text, string(text, at)), b":")
        at = value(text, blanks(text, at))
        at = blanks(text, at)
        if text[at : at + 1] == closer:
            return at + 1
        at = expect(text, at, b",")


def expect(text, at, character):
    if at == len(text):
        raise GoesOnError
    if text[at : at + 1] != character:
        raise FailsError(at)
    return at + 1


def is_whole(line):
    """Return whether a line is exactly one object or array."""
    try:
        return line[:1] in (b"{", b"[") and not line[value(line, 0) :].strip(BLANKS)
    except (FailsError, GoesOnError):
        return False


def split(text, framing):
    """
    Return the parts of a text, split by the rules.

    Returns:
        For each record, and each text that is not one: where it begins, its bytes, and whether
        it is JSON.
    """
    missing = b"" if text.endswith(b"\n") else b"\n"
    pieces = (lines_alone if framing == "lines" else told_apart)(text + missing, framing)
    return [(start, text[start:end], good) for start, end, good in pieces]


def lines_alone(text, _framing):
    start = 0
    for line in text.split(b"\n")[:-1]:
        content = line[len(BOM) :] if line.startswith(BOM) else line
        if line.strip(BLANKS) and not (start == 0 and not content.strip(BLANKS)):
            yield start, start + len(line), is_json(content)
        start += len(line) + 1


def is_json(text):
    at = blanks(text, 0)
    try:
        return not text[value(text, at) :].strip(BLANKS)
    except (FailsError, GoesOnError):
        return False


def told_apart(text, framing):
    at, doubt = 0, False
    while (begin := blanks(text, at)) < len(text):
        start = text.rfind(b"\n", 0, begin) + 1
        on_line = not text[start:begin].strip(BLANKS) and start >= at
        start = start if on_line else begin
        if begin == start and text.startswith(BOM, begin):
            begin = blanks_in_line(text, begin + len(BOM))
            if text[begin] == ord("\n"):
                at = begin
                continue
        line_end = text.index(b"\n", begin)
        try:
            values, at = one_text(text, begin, framing, doubt)
        except FailsError as error:
            (failed,) = error.args
            if framing == "mixed" and failed <= line_end:
                at = line_end + 1
            else:
                at = end_of_failed(text, start, failed)
                doubt = doubt or on_line
            yield start, solid(text, start, at), False
        else:
            doubt = False
            if framing == "mixed" and len(values) == 1 and at == line_end + 1:
                values = [(start, line_end)]
            yield from ((*found, True) for found in values)


def blanks_in_line(text, at):
    while text[at] in b" \t\r":
        at += 1
    return at


def one_text(text, begin, framing, doubt):
    """
    Return the values from a position to the end of the line, and where to go on.

    A document over several lines needs no more of its last line, unless there is doubt.
    """
    values: list[tuple[int, int]] = []
    at = begin
    while True:
        at = blanks_in_line(text, at)
        if text[at] == ord("\n"):
            return values, at + 1
        whole = text
        if framing == "mixed" and values:
            if text[at] not in b"{[" or text[values[0][0]] not in b"{[":
                raise FailsError(at)
            whole = text[: text.index(b"\n", at)]
        try:
            end = value(whole, at)
        except GoesOnError:
            raise FailsError(len(whole)) from None
        several = b"\n" in text[at:end]
        values.append((at, end))
        at = end
        if several and framing == "documents" and not doubt:
            return values, at


def end_of_failed(text, start, failed):
    at = text.find(b"\n", start) + 1
    while at < len(text):
        line = text[at : text.index(b"\n", at)]
        if is_whole(line) or (at >= failed and line[:1] in (b"{", b"[")):
            return at
        at += len(line) + 1
    return len(text)


def solid(text, start, end):
    """Return the end of a stretch of text without its final newline and blank lines."""
    lines = text[start:end].split(b"\n")
    while not lines[-1].strip(BLANKS):
        lines.pop()
    return start + len(b"\n".join(lines))
