"""Tables for people: columns aligned, and fitted to a terminal where there is one."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from nestdecode.words import one_line

__all__ = ["aligned", "fitted", "width_of", "wrapped"]

# To so many columns cells are padded in a pipe: one long cell pads no other rows.
WIDEST = 100
# What a column keeps, however narrow the terminal is.
NARROWEST = 16
_GAP = "  "
_DOTS = "..."


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    numbers: Collection[int] = (),
    notes: bool = False,
    width: int | None = None,
) -> list[str]:
    """
    Return rows as lines whose columns are aligned.

    In a pipe each row is one line, and nothing is cut. On a terminal the widest columns
    lose the middle of their longest cells until the rows fit.

    Args:
        rows: As many cells in each.
        numbers: The columns that are aligned to the right.
        notes: Whether the last column is text that goes below its row if it does not fit.
        width: That of the terminal, or None if there is none.
    """
    cells = [[one_line(cell) for cell in row] for row in rows]
    if not cells:
        return []
    noted = [row.pop() if notes else "" for row in cells]
    most = width or WIDEST
    widths = [min(most, max(map(width_of, column))) for column in zip(*cells, strict=True)]
    if width is not None:
        _narrow(widths, width, numbers)
        cells = [
            [
                cell if index in numbers else fitted(cell, widths[index])
                for index, cell in enumerate(row)
            ]
            for row in cells
        ]
    lines: list[str] = []
    for row, note in zip(cells, noted, strict=True):
        padded = (
            _padded(cell, widths[index], right=index in numbers) for index, cell in enumerate(row)
        )
        lines += _noted(_GAP.join(padded), note, width)
    return lines


def _narrow(widths: list[int], width: int, numbers: Collection[int]) -> None:
    """Make the widest columns narrower until a row fits, or none can be."""
    while (excess := sum(widths) + len(_GAP) * (len(widths) - 1) - width) > 0:
        texts = sorted((w, index) for index, w in enumerate(widths) if index not in numbers)
        if not texts or texts[-1][0] <= NARROWEST:
            return
        # To the next one's width first, so that two long ones share what there is.
        widest, index = texts[-1]
        next_one = texts[-2][0] if len(texts) > 1 else 0
        least = max(NARROWEST, next_one if next_one < widest else widest - 1)
        widths[index] = max(least, widest - excess)


def _padded(cell: str, width: int, *, right: bool) -> str:
    padding = " " * (width - width_of(cell))
    return padding + cell if right else cell + padding


def _noted(line: str, note: str, width: int | None) -> Iterator[str]:
    """Yield a line with its note: beside it, or below it if that does not fit a terminal."""
    if not note:
        yield line.rstrip()
    elif width is None or width_of(line) + len(_GAP) + width_of(note) <= width:
        yield f"{line}{_GAP}{note}"
    else:
        yield line.rstrip()
        # Further to the right than its row, and than a row that belongs to that one.
        yield from wrapped(note, width, indent=len(line) - len(line.lstrip(" ")) + 4)


def wrapped(text: str, width: int, *, indent: int = 0) -> Iterator[str]:
    """Yield a text in lines of whole words, each indented; a longer word has a line of its own."""
    margin = " " * indent
    line = ""
    for word in text.split(" "):
        if line and indent + width_of(line) + 1 + width_of(word) > width:
            yield margin + line
            line = word
        else:
            line = f"{line} {word}" if line else word
    if line:
        yield margin + line


def fitted(text: str, width: int) -> str:
    """
    Leave out the middle of a text that is wider; what indents it stays if there is room.

    >>> fitted("  /Records/0/body/Message/order", 20)
    '  /Record...ge/order'
    """
    if width_of(text) <= width:
        return text
    rest = text.lstrip(" ")
    indent = text[: len(text) - len(rest)]
    left = width - len(indent) - len(_DOTS)
    if left < NARROWEST // 2:
        indent, left = "", max(2, width - len(_DOTS))
    if width_of(rest) <= width - len(indent):
        return indent + rest
    head = _taken(rest, left // 2)
    tail = _taken(rest[::-1], left - left // 2)[::-1]
    while tail and not width_of(tail[0]):  # its letter was left out
        tail = tail[1:]
    return f"{indent}{head}{_DOTS}{tail}"


def _taken(text: str, width: int) -> str:
    """Return as much of a text's beginning as fits."""
    if text[:width].isascii():
        return text[:width]
    for end, character in enumerate(text):
        width -= width_of(character)
        if width < 0:
            return text[:end]
    return text


def width_of(text: str) -> int:
    """
    Return how many columns of a terminal a text takes.

    >>> width_of("path"), width_of("\u30d1\u30b9"), width_of("e\u0301")
    (4, 4, 1)
    """
    if text.isascii():
        return len(text)
    import unicodedata  # late: most names are ASCII

    return sum(
        0
        if unicodedata.category(character) in ("Mn", "Me", "Cf")
        else 2
        if unicodedata.east_asian_width(character) in "WF"
        else 1
        for character in text
    )
