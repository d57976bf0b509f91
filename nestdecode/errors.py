"""The exceptions of the package: what is wrong, and at which pointer, line or column."""

from __future__ import annotations

from typing import Literal, Protocol

from nestdecode.words import one_line, shortened

__all__ = [
    "POLICIES",
    "UNDECLARED",
    "DecodeError",
    "LimitError",
    "NestdecodeError",
    "Policy",
    "QueryError",
    "SpecError",
    "UncompiledError",
    "Undeclared",
    "WorkerError",
]
# What becomes of a layer that does not open: the string stays, null takes its place, the
# member is removed, or the record is refused.
Policy = Literal["keep", "null", "drop", "fail"]
POLICIES: tuple[Policy, ...] = ("keep", "null", "drop", "fail")
# Whether layers are also found where a spec declares nothing.
Undeclared = Literal["keep", "open"]
UNDECLARED: tuple[Undeclared, ...] = ("keep", "open")


class _Located(Protocol):
    """A place that makes its pointer on demand; ``paths.Address`` is one."""

    @property
    def brief(self) -> str: ...


class NestdecodeError(Exception):
    """
    The base of the errors that nestdecode raises for wrong input.

    Arguments of a wrong type or out of range raise TypeError or ValueError instead.
    """


class DecodeError(NestdecodeError, ValueError):
    """
    A record is not valid JSON, or a layer does not hold what it should.

    Raised if the record fails; passed to ``on_problem`` if only a layer stays shut. The
    attributes are stable, the wording is not. Neither the message nor the cause quotes
    values of the document, which may be secrets: only names, as part of the pointer. The
    message is one line, and the middle of a long pointer is left out of it. Can be pickled.

    >>> import nestdecode
    >>> spec = nestdecode.Spec.parse({"nestdecode": 1, "layers": {"body": "json"}})
    >>> problems = []
    >>> nestdecode.Decoder(spec, on_problem=problems.append).expand({"body": "{oops"})
    {'body': '{oops'}
    >>> problems[0].pointer, problems[0].codec, problems[0].code
    ('/body', 'json', 'layer')

    Args:
        reason: What is wrong, in one line.
        pointer: The place, as a pointer or an object that makes one.
        codec: The codec that failed, or None.

    Attributes:
        reason: What is wrong, in one line.
        pointer: JSON Pointer (RFC 6901) into the expanded tree; empty for the whole record.
        codec: The codec that failed, or None.
        code: The kind of error in one word: ``malformed`` (the record is not valid JSON),
            ``layer`` (a layer does not open) or ``limit``.
    """

    def __init__(self, reason: str, pointer: str | _Located = "", codec: str | None = None) -> None:
        # args must be able to rebuild the error: worker processes pickle it.
        super().__init__(reason, pointer, codec)
        self.reason = reason
        self.codec = codec
        self._place = pointer

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.reason!r}, {self.brief!r}, {self.codec!r})"

    @property
    def pointer(self) -> str:
        """The place: RFC 6901, into the expanded tree; made on each access."""
        return str(self._place)

    @property
    def brief(self) -> str:
        """The pointer as the message shows it: without its middle if it is long."""
        return shortened(self._place) if isinstance(self._place, str) else self._place.brief

    @property
    def code(self) -> str:
        """The kind of error: ``malformed``, ``layer`` or ``limit``."""
        return "layer" if self.codec else "malformed"

    def __str__(self) -> str:
        message = f"{self.reason} - at {self.brief or 'document root'}"
        return one_line(f"{message} ({self.codec})" if self.codec else message)


class LimitError(DecodeError):
    """
    A record or a layer is beyond a limit.

    A limit is one of ``Limits``, the range of numbers (4,300 digits, or a finite double),
    or a repeated name under ``duplicates="error"``. Attributes as of DecodeError.
    """

    @property
    def code(self) -> str:
        """The kind of error: ``limit``."""
        return "limit"


class SpecError(NestdecodeError, ValueError):
    """
    A spec can't be found or read, or is wrong.

    The message quotes the spec, which is not secret. Can be pickled.

    Attributes:
        reason: What is wrong, with what was expected and the nearest valid word.
        pointer: The place in the spec, RFC 6901, or None.
        source: The file or name of the spec, or None.
        line: The line in the source, from 1, or None.
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
    A query does not compile, or a function in it refuses a value of the document.

    The message shows the expression, with a caret below the place if that is known, and
    no value of the document. Can be pickled.

    Attributes:
        reason: What is wrong, in one line.
        expression: The expression as it was given.
        offset: The place in the expression, in characters from 0, or None.
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
    """A worker process could not be started, or died."""


class UncompiledError(QueryError):
    """A query does not compile with the shipped spec that matches a record."""
