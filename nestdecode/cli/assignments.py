"""PATH=VALUE: where the path ends, and what is put at each of its places."""

from __future__ import annotations

import re
from typing import Any

import click

from nestdecode.document.document import Document
from nestdecode.document.places import Place, splits
from nestdecode.errors import DecodeError, LimitError, SpecError
from nestdecode.paths import mistake_in, parse_path
from nestdecode.text.reader import WHITESPACE, Reader
from nestdecode.words import shortened

__all__ = ["Assignment", "PathError", "check_path"]

# Up to the first sign outside of quotes: a path holds none elsewhere.
_PATH = r'(?:[^"=]|"(?:[^"\\]|\\.)*+")*+'


class PathError(Exception):
    """
    A text that was meant to be a path.

    Attributes:
        path: The text.
        reason: What is wrong with it.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason


def check_path(path: str) -> None:
    """
    Check a place: a pointer, or a path.

    Raises:
        PathError: If it is not a path.
        click.UsageError: If it is not UTF-8.
    """
    _check_utf8(path, f"PATH is not UTF-8: {path!r}")
    if path.startswith("/"):
        return
    try:
        parse_path(path)
    except SpecError:
        pass
    else:
        return
    raise PathError(path, mistake_in(path))


def _check_utf8(text: str, reason: str) -> None:
    """Raise UsageError if bytes of an argument are not text: a document can't hold them."""
    try:
        text.encode()
    except UnicodeEncodeError:
        pass
    else:
        return
    raise click.UsageError(reason)


class Assignment:
    """
    One PATH=VALUE or PATH:=VALUE.

    Args:
        text: As it was given.
        reader: Reads the value.

    Attributes:
        path: What is before the sign.
        value: What is behind it.
        is_open: Whether the path may end at several signs, as a pointer with two may: names
            hold such signs.
        is_first: Whether it ends at the first of several, since none was seen that is there.

    Raises:
        PathError: If the text before the sign is not a path.
        click.UsageError: If there is no sign, no path, or an argument is not UTF-8.
    """

    def __init__(self, text: str, reader: Reader) -> None:
        self._text = text
        self._reader = reader
        self._found: dict[int, int] = {}
        self.is_first: bool = False
        sign = _sign(text)
        self.is_open: bool = text.startswith("/") and (text.count("=") > 1 or sign[1] - sign[0] > 1)
        self._split(*sign)

    def _split(self, end: int, start: int) -> None:
        self.path: str = self._text[:end]
        check_path(self.path)
        is_json = start - end > 1
        self.value: _Value = _Value(self._text[start:], self.path, self._reader, is_json=is_json)

    def look(self, tree: Any) -> None:
        """Note where the path may end because a tree has the place."""
        self._found.update(splits(tree, self._text))

    def settle(self) -> None:
        """
        End the path where a place was seen, or else at the first sign.

        Raises:
            click.UsageError: If several were seen.
        """
        ends = sorted(self._found)
        if len(ends) > 1:
            both = " and ".join(self._text[:end] for end in ends[:2])
            raise click.UsageError(
                f"{both} both exist: write the one that you mean as a path, with its names in quotes, "
                'as in a."b=c"'
            )
        self.is_first = not ends and self._text.count("=") > 1
        if ends:
            self._split(ends[0], self._found[ends[0]])


def _sign(text: str) -> tuple[int, int]:
    """Return where the first sign begins and ends: of a path the one outside of quotes."""
    path = re.match(r"[^=]*+" if text.startswith("/") else _PATH, text, re.DOTALL)
    end = path.end() if path else 0
    if not text.startswith("=", end):
        # Before the first sign there is no part of the value.
        if "=" in text:
            left = text.partition("=")[0]
            raise PathError(left, mistake_in(left))
        raise click.UsageError(
            "wanted PATH=VALUE, got an argument without =; write it as one word in quotes: 'a.b=5'"
        )
    start = end + 1
    end -= text.endswith(":", 0, end)
    if not end:
        raise click.UsageError("wanted PATH=VALUE, got an argument that begins with =")
    return end, start


class _Value:
    """
    What a VALUE comes to, which depends on what it replaces.

    Args:
        text: As it was given.
        path: Where it goes, for errors.
        reader: Reads it as JSON.
        is_json: Whether it is JSON whatever it replaces.

    Attributes:
        was_quoted: Whether a JSON string was taken for what it says.
    """

    def __init__(self, text: str, path: str, reader: Reader, *, is_json: bool) -> None:
        _check_utf8(text, "VALUE is not UTF-8")
        self._text = text
        self._path = shortened(path)
        self._reader = reader
        self._is_json = is_json
        self._parsed: Any = None
        self._reason: str | None = None
        self._is_parsed = False
        self.was_quoted: bool = False

    def at(self, place: Place, document: Document) -> Any:
        """
        Return what is put at a place.

        Raises:
            click.UsageError: If it is to be JSON and is none.
        """
        is_string = not place.is_new and type(place.value) is str
        if self._is_json or not is_string or document.is_shut(place.address):
            return self._as_json()
        return self._as_string()

    def _as_string(self) -> str:
        if re.fullmatch(r'".*"', self._text, re.DOTALL):
            self._parse()
            if type(self._parsed) is str:
                self.was_quoted = True
                return self._parsed
        return self._text

    def _as_json(self) -> Any:
        self._parse()
        if self._reason is None:
            return self._parsed
        if self._is_json:
            raise click.UsageError(f"{self._path}: VALUE is {self._reason}; := takes JSON only")
        if self._text.lstrip(WHITESPACE).startswith(("{", "[", '"')):
            reason = (
                f"VALUE begins like JSON, but is {self._reason}; to set a text, write a JSON string"
            )
            raise click.UsageError(f"{self._path}: {reason}")
        return self._text

    def _parse(self) -> None:
        """
        Read it as JSON, once.

        Raises:
            click.UsageError: If it is JSON that is beyond a limit.
        """
        if self._is_parsed:
            return
        self._is_parsed = True
        try:
            self._parsed = self._reader.parse(self._text)
        except LimitError as error:
            limit = error.reason
        except DecodeError as error:
            self._reason = error.reason
            return
        else:
            return
        raise click.UsageError(f"{self._path}: VALUE is refused: {limit}")
