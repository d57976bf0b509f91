"""Help, fitted to the terminal: no option is broken at its hyphens, no example in a word."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

import click

__all__ = ["HelpFormatter"]

# Stands for a hyphen while lines are broken: there they are not.
_HYPHEN = "\ue000"
_INDENT = "    "


class HelpFormatter(click.HelpFormatter):
    """A formatter that knows examples: a command and, behind two spaces, what it does."""

    def write_text(self, text: str) -> None:
        """Write paragraphs; in those that begin with ``\\b`` each line is an example."""
        width = max(self.width - self.current_indent, 11)
        paragraphs = [
            "\n".join(line for example in text.split("\n") for line in _fitted(example, width))
            if text.startswith("\b\n")
            else _kept(text)
            for text in text.split("\n\n")
        ]
        super().write_text("\n\n".join(paragraphs))

    def write_dl(
        self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2
    ) -> None:
        """Write names and what they mean in two columns."""
        super().write_dl([(name, _kept(text)) for name, text in rows], col_max, col_spacing)

    def getvalue(self) -> str:
        """Return what was written."""
        return super().getvalue().replace(_HYPHEN, "-")


def _kept(text: str) -> str:
    return text.replace("-", _HYPHEN)


def _fitted(example: str, width: int) -> Iterator[str]:
    """Yield an example in lines that are no wider, if it has places to be broken at."""
    if len(example) <= width:
        yield example
        return
    command, _, note = (*re.split("( {2,})", example, maxsplit=1), "", "")[:3]
    while len(command) > width and (at := _break_in(command, width)):
        line = command[:at].rstrip()
        # A shell goes on with the next line behind a bar, and behind a backslash.
        yield line if line.endswith("|") else f"{line} \\"
        command = _INDENT + command[at:].lstrip()
    yield command
    if note:
        yield f"{_INDENT}{note}"


def _break_in(command: str, width: int) -> int:
    """Return where a command that is too long goes on in the next line, or 0."""
    # Not in what is quoted, nor where it is indented.
    text = re.sub("'[^']*'|\"[^\"]*\"", lambda found: "x" * len(found[0]), command)
    spaces = [at for at in range(len(_INDENT) + 1, width - 1) if text[at] == " "]
    bars = [at for at in spaces if text[at - 1] == "|"]
    return max(bars or spaces, default=0)
