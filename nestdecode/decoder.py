"""The two ways in: one-shot functions, and a Decoder to build once and use often."""

from __future__ import annotations

import functools
import io
import itertools
import os
import stat
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.asking import Asker, check_expression
from nestdecode.engine import Engine, check_function, check_word
from nestdecode.errors import DecodeError, Policy
from nestdecode.given import check_lines
from nestdecode.stream import DeadLetter, Record, as_bytes, expand_records, of_lines
from nestdecode.text.joined import joined
from nestdecode.text.reader import Duplicates, Limits, Numbers
from nestdecode.text.write import dump

if TYPE_CHECKING:
    from nestdecode.document.document import Document
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Spec

__all__ = ["Decoder", "Query", "expand", "query"]


def expand(document: Any, spec: Spec | str | os.PathLike[str] | None = None) -> Any:
    """
    Open every layer of one document.

    >>> expand(b'{"id": "123", "body": "{\\\\"a\\\\": [1, 2]}"}')
    {'id': '123', 'body': {'a': [1, 2]}}

    Args:
        document: One JSON text as bytes or str, or what such a text holds.
        spec: Where the layers are: a Spec, a name or a path; None to find them.

    Returns:
        The tree. It shares no container with the document.

    Raises:
        DecodeError: If the document is refused, or a layer whose policy is ``fail``
            does not open.
        SpecError: If the spec is wrong.
    """
    return _decoder(spec).expand(document)


def query(expression: str, document: Any, spec: Spec | str | os.PathLike[str] | None = None) -> Any:
    """
    Ask an expanded document.

    >>> query("body.a[1]", b'{"id": "123", "body": "{\\\\"a\\\\": [1, 2]}"}')
    2

    Args:
        expression: JMESPath, or ``:name`` for a named query of the spec. With a spec
            it starts at the focus, unless its names say otherwise.
        document: As for ``expand``.
        spec: As for ``expand``.

    Raises:
        QueryError: If the expression is wrong, or refuses the document.
        DecodeError: As for ``expand``.
        SpecError: If the spec is wrong.
    """
    return _decoder(spec).query(expression, document)


def _decoder(spec: Spec | str | os.PathLike[str] | None) -> Decoder:
    version = _version(spec) if isinstance(spec, (str, os.PathLike)) else ()
    if version is None or not isinstance(spec, Hashable):
        return Decoder(spec)
    return _kept_decoder(spec, version)


@functools.lru_cache(maxsize=32)
def _kept_decoder(spec: Spec | str | os.PathLike[str] | None, _version: tuple[int, ...]) -> Decoder:
    return Decoder(spec)


# A file that was changed this short a time ago may change again, and its times may not.
FRESH = 2_000_000_000


def _version(spec: str | os.PathLike[str]) -> tuple[int, ...] | None:
    """Return what differs if the file of a spec is another; () for a name, None if unknown."""
    from nestdecode.spec import catalog

    path = catalog.file_of(spec)
    if path is None:
        return ()
    try:
        found = path.expanduser().stat()
    except (OSError, ValueError, RuntimeError):
        return None
    if not stat.S_ISREG(found.st_mode) or time.time_ns() - found.st_ctime_ns < FRESH:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


class Decoder:
    """
    Expands and queries documents. Build it once; it is thread-safe and can be pickled.

    >>> decoder = Decoder("repair-results")
    >>> urls = decoder.compile("structData.data[]")
    >>> urls(b'{"data": {"taskResult": null}}') is None
    True
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        on_error: Policy | None = None,
        on_problem: Callable[[DecodeError], None] | None = None,
        numbers: Numbers | None = None,
        duplicates: Duplicates | None = None,
        max_layers: int | None = None,
        max_depth: int | None = None,
        max_bytes: int | None = None,
        max_record_bytes: int | None = None,
    ) -> None:
        """
        Build a decoder.

        Args:
            spec: Where the layers are: a Spec, a name or a path; None to find them.
            on_error: Policy for layers that name none: ``keep`` (the default), ``null``,
                ``drop`` or ``fail``.
            on_problem: Called, in the thread that expands, with each layer that stays
                shut: a DecodeError that is not raised.
            numbers: ``double`` (the default): integers exact, all others doubles; or
                ``exact``: what Python would write otherwise is a Number.
            duplicates: ``last`` (the default): of members with one name the last wins;
                or ``error``: such a record is refused, such a layer stays shut.
            max_layers: Layers inside one another, 32 by default.
            max_depth: Containers inside one another, counted across layers, 200 by default.
            max_bytes: What all base64 and gzip layers of a record decode to, 16 MiB by default.
            max_record_bytes: Size of a record's text, 64 MiB by default.

        Raises:
            SpecError: If the spec is wrong, or an argument is not for it.
            TypeError: If the spec or *on_problem* is of another type.
            ValueError: If an argument is out of range.
        """
        self.engine: Engine = Engine(
            spec=spec,
            on_error=on_error,
            on_problem=on_problem,
            numbers=numbers,
            duplicates=duplicates,
            max_layers=max_layers,
            max_depth=max_depth,
            max_bytes=max_bytes,
            max_record_bytes=max_record_bytes,
        )
        self.asker = Asker(self.engine)
        self._many = None
        if type(self).expand is Decoder.expand:
            self._many = self.engine.expand_many
            # The same without a call in between; it says what it is, and can be pickled.
            method = self.engine.method
            method.__doc__ = Decoder.expand.__doc__
            vars(self)["expand"] = MethodType(method, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return functools.partial(type(self), **self.engine.arguments), ()

    def __repr__(self) -> str:
        given = {k: v for k, v in self.engine.arguments.items() if v is not None}
        words = [repr(spec)] if (spec := given.pop("spec", None)) is not None else []
        words += [f"{name}={value!r}" for name, value in given.items()]
        return f"{type(self).__name__}({', '.join(words)})"

    def expand(self, document: Any) -> Any:
        """
        Open the layers of one document.

        Args:
            document: One JSON text as bytes, bytearray, memoryview or str (bytes are
                fastest), or what such a text holds. The latter is left unchanged, and
                objects in it that JSON does not know pass through untouched.

        Returns:
            The tree, each layer's string replaced by the value it encodes. It shares no
            container with the document.

        Raises:
            DecodeError: If the document is refused, or a layer whose policy is ``fail``
                does not open.
            TypeError: If it is a path, a file or the like: pass what that holds.
        """
        return self.engine.expand(document)

    def open(self, document: Any) -> Document:
        """
        Open one document to change it and put it back.

        Args:
            document: One JSON text, or what such a text holds. The latter is written
                compactly first: that is what is put back.

        Returns:
            The document: its tree, its layers, and ``collapse``.

        Raises:
            DecodeError: As for ``expand``, or if the document can't be written as JSON.
        """
        from nestdecode.document.document import (  # late: expanding needs no way back
            Document,
            text_of,
        )

        raw = document if document.__class__ is bytes else text_of(self.engine, document)
        return Document(self.asker, raw, self.expand(raw))

    def collapse(self, tree: Any) -> bytes:
        """
        Put the declared layers of a tree back, without the text that it came from.

        >>> Decoder("aws/cloudwatch-logs").collapse({"awslogs": None})
        b'{"awslogs":null}'

        A value at the place of a layer is encoded if the layer admits it: objects and
        arrays, and what the content's schema names. Without a spec no layer is declared.
        The tree is not changed.

        Args:
            tree: An expanded tree.

        Returns:
            Compact JSON; layers are compact too, if the spec names no style for them.

        Raises:
            DecodeError: If the tree holds what JSON does not know.
        """
        from nestdecode.document.closing import closed
        from nestdecode.document.parts import Parts

        plan = self.engine.plan
        Parts().add(tree)
        return dump(tree if plan is None else closed(tree, plan.shapes))

    def query(self, expression: str, document: Any) -> Any:
        """
        Ask an expanded document.

        Args:
            expression: JMESPath, or ``:name`` for a named query of the spec.
            document: As for ``expand``.

        Raises:
            QueryError: If the expression is wrong, or refuses the document.
            DecodeError: As for ``expand``.
        """
        return Query(self, expression)(document)

    def compile(self, expression: str, *, start: Start | None = None) -> Query:
        """
        Compile a query.

        Args:
            expression: JMESPath, or ``:name`` for a named query of the spec.
            start: ``root`` or ``focus``, if the names in it are not to decide.

        Returns:
            A function from a document to the answer.

        Raises:
            QueryError: If the expression is wrong.
            TypeError: If it is not a str.
            ValueError: If *start* is another word.
        """
        return Query(self, expression, start)

    def expand_lines(
        self,
        lines: Iterable[bytes | str],
        *,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> Iterator[Any]:
        """
        Expand each line, in order. Blank lines are passed over.

        Args:
            lines: NDJSON, as bytes or str. Pass a file opened in binary mode: it splits
                at newlines alone, where str.splitlines() would also cut a JSON string at
                U+2028.
            on_dead_letter: Takes each record that is refused; without it, the first
                such record raises. Its offset is in bytes, of str lines in UTF-8.

        Raises:
            DecodeError: As for ``expand``.
            TypeError: If *lines* is one text, a path or the like, or a line is no text.
        """
        check_lines(lines)
        check_function("on_dead_letter", on_dead_letter)
        if self._many is None or not _is_there(lines):
            return self._one_by_one(of_lines(lines), on_dead_letter)
        # Without a step of Python for each.
        return itertools.chain.from_iterable(self._in_batches(lines, on_dead_letter))

    def _one_by_one(
        self,
        records: Iterable[tuple[Record, bytes | str]],
        on_dead_letter: Callable[[DeadLetter], None] | None,
    ) -> Iterator[Any]:
        return expand_records(records, self.expand, on_dead_letter)

    def _in_batches(
        self, lines: Any, on_dead_letter: Callable[[DeadLetter], None] | None
    ) -> Iterator[Iterable[Any]]:
        """Expand lines of which none need be waited for, as many at once as fit a cache."""
        assert self._many is not None
        first, offset, number = 1, 0, 1
        is_file = isinstance(lines, io.IOBase)
        while True:
            at = first - 1
            batch = lines.readlines(BATCH) if is_file else list(lines[at : at + number])
            if not batch:
                return
            try:
                joint = joined(batch)
            except (TypeError, UnicodeEncodeError):  # they are not all bytes, or all UTF-8
                trees, size = None, sum(len(as_bytes(line)) for line in batch)
            else:
                trees, size = self._many(joint), joint.size
            if trees is None:
                each = _Whole(self._one_by_one(of_lines(batch, first, offset), on_dead_letter))
                yield each
                if not each.ended:
                    return
            else:
                yield trees
            first += len(batch)
            offset += size
            # As many as would have fit.
            number = max(1, BATCH * number // (size + 1))

    @property
    def spec(self) -> Spec | None:
        """Where the layers are; None if they are found."""
        return self.engine.spec

    @property
    def limits(self) -> Limits:
        """What a record may take."""
        return self.engine.limits

    @property
    def source(self) -> str:
        """The Python that expands a document by the spec; empty if it is interpreted."""
        return "" if self.engine.source is None else self.engine.source.text


class Query:
    """
    A compiled query: a function from a document to the answer.

    Made by ``Decoder.compile``; thread-safe, and can be pickled.

    Attributes:
        expression: The query as it was given.
    """

    def __init__(self, decoder: Decoder, expression: str, start: Start | None = None) -> None:
        from nestdecode.queries.focus import STARTS
        from nestdecode.queries.functions import REFUSALS

        check_expression(expression)
        check_word("start", start, STARTS)
        self.decoder = decoder
        self.expression = expression
        self._start = start
        self._refusals = REFUSALS
        self._answer, self._compiled = decoder.asker.answerer(expression, start)

    def __call__(self, document: Any) -> Any:
        """
        Answer the query for one document.

        Raises:
            QueryError: If a function in it refuses its arguments.
            DecodeError: As for ``Decoder.expand``.
        """
        try:
            return self._answer(document)
        except self._refusals as error:
            refusal = self._compiled.refusal(error)
        # Not in the handler: the cause holds data of the document.
        self.decoder.engine.check(document)
        raise refusal

    @functools.cached_property
    def many(self) -> Callable[..., list[Any] | None]:
        """Answers joined records, and gives None if each has to be for itself."""
        return self.decoder.asker.answer_many(self._compiled)

    @property
    def start(self) -> Start:
        """Where it starts: ``root`` or ``focus``."""
        return self._compiled.start

    def ask(self, tree: Any, document: Any) -> Any:
        """Answer the query for the tree of a document; the answer may share containers with it."""
        try:
            return self._compiled.search(tree)
        except self._refusals as error:
            refusal = self._compiled.refusal(error)
        self.decoder.engine.check(document)
        raise refusal

    def __reduce__(self) -> tuple[Any, ...]:
        return Query, (self.decoder, self.expression, self._start)

    def __repr__(self) -> str:
        return f"<Query {self.expression!r} from the {self.start} by {self.decoder!r}>"


# What fits a cache, and is let go before the collector looks at it.
BATCH = 1 << 14


class _Whole:
    """Something to iterate over, which tells whether that came to its end."""

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values
        self.ended = False

    def __iter__(self) -> Iterator[Any]:
        yield from self._values
        self.ended = True


def _is_there(lines: Iterable[Any]) -> bool:
    """Tell whether lines come without waiting: from a list, or from a regular file."""
    if isinstance(lines, (list, tuple)):
        return True
    try:
        return isinstance(lines, io.IOBase) and stat.S_ISREG(os.fstat(lines.fileno()).st_mode)
    except (OSError, ValueError):
        return False
