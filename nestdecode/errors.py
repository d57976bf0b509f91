"""The error tree: what went wrong, and where."""

from __future__ import annotations

from typing import Literal, Protocol

from nestdecode.words import one_line, shortened

__all__ = [
    "POLICIES",
    "DecodeError",
    "LimitError",
    "NestdecodeError",
    "Policy",
    "QueryError",
    "SpecError",
    "UncompiledError",
    "WorkerError",
]
# What becomes of a layer that does not open.
Policy = Literal["keep", "null", "drop", "fail"]
POLICIES: tuple[Policy, ...] = ("keep", "null", "drop", "fail")


class _Address(Protocol):
    """A place whose pointer is made when it is asked for."""

    @property
    def brief(self) -> str: ...


class NestdecodeError(Exception):
    """Any error that nestdecode raises on purpose."""


class DecodeError(NestdecodeError, ValueError):
    """
    A record or a layer does not hold what it should.

    Raised when a record is refused; handed to ``on_problem`` when a layer stays
    shut and the record survives. Neither the message nor the cause quotes the
    payload: responses carry secrets, and errors end up in logs. Names in the message are
    written as one line, whatever they hold, and of a long address the middle is left out.

    Args:
        reason: What is wrong, one line.
        pointer: The place: a pointer, or an address.
        codec: The codec that refused, or None.

    Attributes:
        reason: What is wrong, one line.
        pointer: RFC 6901, over the expanded tree; empty for the whole record. It is as
            long as the names that it holds, and made each time it is asked for.
        codec: The codec that refused, or None.
        code: The kind of error in one word: ``malformed`` (a record's text), ``layer``
            (one that may not stay shut) or ``limit``.
    """

    def __init__(self, reason: str, pointer: str | _Address = "", codec: str | None = None) -> None:
        # args must be able to rebuild the error: worker processes pickle it.
        super().__init__(reason, pointer, codec)
        self.reason = reason
        self.codec = codec
        self._place = pointer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r}, {self.brief!r}, {self.codec!r})"

    @property
    def pointer(self) -> str:
        """RFC 6901, over the expanded tree; empty for the whole record."""
        return str(self._place)

    @property
    def brief(self) -> str:
        """The pointer as the message has it: the middle left out if it is long."""
        return shortened(self._place) if isinstance(self._place, str) else self._place.brief

    @property
    def code(self) -> str:
        """The kind of error, in one word."""
        return "layer" if self.codec else "malformed"

    def __str__(self) -> str:
        message = f"{self.reason} - at {self.brief or 'document root'}"
        return one_line(f"{message} ({self.codec})" if self.codec else message)


class LimitError(DecodeError):
    """A record or a layer is larger, deeper or more than a limit allows."""

    @property
    def code(self) -> str:
        """The kind of error, in one word."""
        return "limit"


class SpecError(NestdecodeError, ValueError):
    """
    A spec can't be found, read or compiled.

    Attributes:
        reason: What was found, what was wanted, the nearest valid word.
        pointer: Place in the spec, RFC 6901, or None.
        source: File or name of the spec, or None.
        line: Line in the source, from 1, or None.
    """

    def __init__(
        self,
        reason: str,
        pointer: str | None = None,
        source: str | None = None,
        line: int | None = None,
    ) -> None:
        super().__init__(reason, pointer, source, line)
        self.reason = reason
        self.pointer = pointer
        self.source = source
        self.line = line

    def __str__(self) -> str:
        where = self.source or ""
        if self.line is not None:
            where = f"{where or 'spec'}:{self.line}"
        message = f"{where}: {self.reason}" if where else self.reason
        return one_line(f"{message} - at {shortened(self.pointer)}" if self.pointer else message)


class QueryError(NestdecodeError, ValueError):
    """
    A query does not compile, or can't be answered for a document.

    Attributes:
        reason: What is wrong, one line, without data of the document.
        expression: The query as it was given.
        offset: Where in the expression, from 0, or None.
        code: ``query``.
    """

    code = "query"

    def __init__(self, reason: str, expression: str, offset: int | None = None) -> None:
        super().__init__(reason, expression, offset)
        self.reason = reason
        self.expression = expression
        self.offset = offset

    def __str__(self) -> str:
        if self.offset is None:
            text = self.expression
            shown = text if len(text) <= 100 else f"{text[:100]}..."
            return one_line(f"{self.reason} - in query {shown}" if text else self.reason)
        # The line that holds the offset; a long one is cut around the caret.
        start = self.expression.rfind("\n", 0, self.offset) + 1
        line = self.expression[start:].split("\n", 1)[0]
        column = self.offset - start
        if len(line) > 100:
            left = max(0, column - 50)
            line, column = line[left : left + 100], column - left
        reason = one_line(f"{self.reason} - at column {self.offset - start + 1} of")
        margin = " " * len(one_line(line[:column]))
        return f"{reason}\n  {one_line(line)}\n  {margin}^"


class WorkerError(NestdecodeError):
    """A worker process can't be started, or died."""


class UncompiledError(QueryError):
    """A query that does not compile with the spec that a record is lent."""
