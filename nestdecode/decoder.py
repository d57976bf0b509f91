"""The two ways in: one-shot functions, and a Decoder to build once and use often."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
import stat
import sys
import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from nestdecode import discover
from nestdecode.emit import Source
from nestdecode.errors import (
    POLICIES,
    DecodeError,
    LimitError,
    Policy,
    QueryError,
    SpecError,
    UncompiledError,
)
from nestdecode.jsontext import (
    DUPLICATES,
    NUMBERS,
    RANGES,
    Duplicates,
    Limits,
    Numbers,
    Reader,
    dump,
)
from nestdecode.learnt import Learner
from nestdecode.paths import Address, format_path
from nestdecode.plan import DROP, Plan, Run, policies_of
from nestdecode.stream import DeadLetter, Record, as_bytes, expand_records, of_lines
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.collapse import Trace
    from nestdecode.document import Document
    from nestdecode.queries import Expression, Start
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
            TypeError: If the spec is of another type.
            ValueError: If an argument is out of range.
        """
        given = {
            "max_layers": max_layers,
            "max_depth": max_depth,
            "max_bytes": max_bytes,
            "max_record_bytes": max_record_bytes,
        }
        self._arguments = {
            "spec": spec,
            "on_error": on_error,
            "on_problem": on_problem,
            "numbers": numbers,
            "duplicates": duplicates,
            **given,
        }
        _check_word("on_error", on_error, POLICIES)
        _check_word("numbers", numbers, NUMBERS)
        _check_word("duplicates", duplicates, DUPLICATES)
        self.spec = _loaded(spec)
        self.limits = _limits(given, self.spec)
        self._on_problem = on_problem
        self._policy: Policy = on_error or (self.spec.on_error if self.spec else None) or "keep"
        self._numbers = numbers or (self.spec.numbers if self.spec else NUMBERS[0])
        self._duplicates = duplicates or (self.spec.duplicates if self.spec else DUPLICATES[0])
        self._reader = Reader(
            self.limits,
            self._numbers,
            self._duplicates,
            silent=on_problem is None and self._policy == "keep" and self.spec is None,
        )
        self._plan = None if self.spec is None else _plan(self.spec, self._policy)
        self._queries: dict[tuple[Any, ...], Expression] = {}
        self._answerers: dict[tuple[Any, ...], tuple[Callable[[Any], Any], Expression]] = {}
        self._source: Source | None = None
        self._expand_many: Callable[[list[bytes]], list[Any] | None] | None = None
        self._expand = self._compiled()
        # A plain function in the method's place saves a call per record.
        vars(self)["expand"] = self._expand

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._arguments,)

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
        return self._expand(document)

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
        from nestdecode.document import Document  # late: expanding needs no way back

        raw = document if document.__class__ is bytes else self._text(document)
        return Document(self, raw, self._expand(raw))

    def _shut(self, document: Any) -> Any:
        """Return what ``_read`` does, sooner if nothing needs care."""
        reader, most = self._reader, self.limits.max_record_bytes
        is_plain = document.__class__ is bytes and len(document) <= most
        if is_plain and not reader.may_be_deep(document):
            with contextlib.suppress(*reader.refused):
                return reader.loads(document)
        return self._read(document)

    def _with_spec(self, spec: Spec) -> Decoder:
        """Return a decoder like this for a spec that lends: where it is silent, layers are found."""
        lent = dataclasses.replace(spec, undeclared="open")
        return _rebuild({**self._arguments, "spec": lent})

    def _text(self, document: Any) -> bytes:
        """Return the text of a document."""
        from nestdecode.collapse import Parts

        if isinstance(document, (bytes, bytearray, memoryview)):
            return bytes(document)
        if not isinstance(document, str):
            tree = self._read(document)
            Parts().add(tree)
            return dump(tree)
        try:
            return document.encode()
        except UnicodeEncodeError:
            pass
        # Only now that it is known to be JSON: after a backslash, an escape would make it so.
        self._read(document)
        return document.encode("utf-8", "backslashreplace")

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
        from nestdecode.collapse import Parts, closed

        Parts().add(tree)
        return dump(tree if self._plan is None else closed(tree, self._plan.shapes))

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
        _check_lines(lines)
        if self._expand_many is None or not _is_there(lines):
            return self._one_by_one(of_lines(lines), on_dead_letter)
        return self._in_batches(lines, on_dead_letter)

    def _one_by_one(
        self,
        records: Iterable[tuple[Record, bytes | str]],
        on_dead_letter: Callable[[DeadLetter], None] | None,
    ) -> Iterator[Any]:
        return expand_records(records, self.expand, on_dead_letter)

    def _in_batches(
        self, lines: Iterable[bytes | str], on_dead_letter: Callable[[DeadLetter], None] | None
    ) -> Iterator[Any]:
        """Expand lines of which none need be waited for, as many at once as fit a cache."""
        assert self._expand_many is not None
        first, offset = 1, 0
        for batch, size in _batches(lines):
            trees = self._expand_many(batch)
            if trees is None:
                yield from self._one_by_one(of_lines(batch, first, offset), on_dead_letter)
                size = sum(len(as_bytes(line)) for line in batch)
            else:
                yield from trees
            first += len(batch)
            offset += size

    @property
    def source(self) -> str:
        """The Python that expands a document by the spec; empty if it is interpreted."""
        return "" if self._source is None else self._source.text

    def _compiled(self) -> Callable[[Any], Any]:
        """Return the fastest function that expands."""
        if self._plan is None:
            learner = Learner(self._reader, self._expand_carefully, self._copied)
            self._expand_many = learner.expand_many
            return learner.function()
        from nestdecode import expected, habits, opening  # late: detection needs no specs

        self._source = opening.source_of(
            self._plan,
            self._reader,
            self._start,
            self._expand_carefully,
            self._copied,
            quiet=self._on_problem is None,
        )
        tolerant: Callable[[Any], Any] = self._source.build("expand", "plan")
        place = expected.place_of(self._plan, self.limits) if self._reader.plain else None
        if place is None:
            return tolerant
        longest = self.limits.max_record_bytes
        return habits.Habits(place, self._reader, tolerant, longest).function()

    def _expand_carefully(self, document: Any) -> Any:
        return self._open(self._read(document))

    def _start(self) -> Run:
        return Run(self._reader, self._policy, self._on_problem or _ignore)

    def _read(self, document: Any) -> Any:
        """Return the tree with its layers closed; it is ours to change."""
        if isinstance(document, (bytes, str, bytearray, memoryview)):
            return self._reader.parse_record(document)
        return self._copied(document)[0]

    def _copied(self, document: Any) -> tuple[Any, int]:
        _check_document(document)
        return _copy(document, self.limits)

    def _check(self, document: Any) -> None:
        """Raise the error of a document that is refused, whatever is asked of it."""
        self._open(self._read(document), Run(self._reader, self._policy, _ignore))

    def _trace(self, raw: bytes) -> Trace:
        """Expand one document again, and note all that is opened, and all that is not."""
        from nestdecode.collapse import Trace

        problems: dict[Address, DecodeError] = {}
        reader = Reader(self.limits, self._numbers, self._duplicates)
        run = Run(reader, self._policy, lambda problem: problems.update({run.address(): problem}))
        run.openings = []
        tree = self._open(self._reader.parse_record(raw), run)
        shapes = () if self._plan is None else self._plan.shapes
        return Trace(tree, run.openings, problems, shapes)

    def _search(self, expression: str, tree: Any) -> Any:
        """Ask a tree; the answer shares nothing with it."""
        from nestdecode.queries import REFUSALS, apart

        _check_expression(expression)
        compiled = self._expression(expression, None)
        try:
            return apart(compiled.search(tree))
        except REFUSALS as error:
            refusal = compiled.refusal(error)
        # Not in the handler: the cause holds data of the document.
        raise refusal

    def _open(self, tree: Any, run: Run | None = None) -> Any:
        run = run or self._start()
        plan = self._plan
        opened = discover.find(tree, 0, 0, run) if plan is None else plan.run(tree, run)
        # Only a member can go; the record stays what it is.
        return tree if opened is DROP else opened

    def _answerer(self, text: str, start: Start | None) -> tuple[Callable[[Any], Any], Expression]:
        """Return the function that answers a query for a document, and the query."""
        known = self._answerers.get((text, start))
        if known is None:
            expression = self._expression(text, start)
            known = self._late(expression) or self._early(expression), expression
            if len(self._answerers) >= 256:
                self._answerers.clear()
            self._answerers[text, start] = known
        return known

    def _late(self, expression: Expression) -> Callable[[Any], Any] | None:
        if self._plan is None:
            return None
        early = self._early(expression)
        return expression.late(self._plan, self._reader, self._start, early, self._copied)

    def _early(self, expression: Expression) -> Callable[[Any], Any]:
        """
        Return a function that expands a document and asks it.

        Of a document in which a layer stays shut it must be known whether the query sees
        that layer: it is asked again, step by step.
        """
        search = expression.search
        if self._on_problem is None:
            expand = self._expand
            return lambda document: search(expand(document))
        watched, plan = self._watched, self._plan
        if plan is None:
            plan = Plan(None, self._policy, discover.FINDER)

        def answer(document: Any) -> Any:
            try:
                return search(watched(document))
            except TroubledError:
                pass
            if "fail" in policies_of(plan):
                # Such a layer fails the record, seen or not.
                plan.run(self._read(document), Run(self._reader, self._policy, _ignore))
            return expression.walk(self._read(document), plan, self._start())

        return answer

    @functools.cached_property
    def _watched(self) -> Callable[[Any], Any]:
        """Expand a document, or raise TroubledError if a layer stays shut."""

        def start() -> Run:
            return Run(self._reader, self._policy, _give_up)

        def carefully(document: Any) -> Any:
            return self._open(self._read(document), start())

        if self._plan is None:
            return Learner(self._reader, carefully, self._copied).function()
        from nestdecode import opening

        source = opening.source_of(
            self._plan, self._reader, start, carefully, self._copied, quiet=False
        )
        expand: Callable[[Any], Any] = source.build("expand", "plan")
        return expand

    def _expression(self, text: str, start: Start | None, lent: Spec | None = None) -> Expression:
        from nestdecode.queries import compile_expression  # late: expanding needs no grammar

        key = (text, start, None if lent is None else lent.name)
        known = self._queries.get(key)
        if known is None:
            # Without a spec of its own a query starts at the root.
            default: Start = "root" if self.spec is None else "focus"
            known = compile_expression(text, self.spec or lent, start=start, default=default)
            if len(self._queries) >= 256:
                self._queries.clear()
            self._queries[key] = known
        return known


class Query:
    """
    A compiled query: a function from a document to the answer.

    Made by ``Decoder.compile``; thread-safe, and can be pickled.

    Attributes:
        expression: The query as it was given.
    """

    def __init__(self, decoder: Decoder, expression: str, start: Start | None = None) -> None:
        from nestdecode.queries import REFUSALS, STARTS

        _check_expression(expression)
        _check_word("start", start, STARTS)
        self.decoder = decoder
        self.expression = expression
        self._start = start
        self._refusals = REFUSALS
        self._answer, self._compiled = decoder._answerer(expression, start)

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
        self.decoder._check(document)
        raise refusal

    def _ask(self, tree: Any, document: Any) -> Any:
        """Answer the query for the tree of a document; the answer may share containers with it."""
        try:
            return self._compiled.search(tree)
        except self._refusals as error:
            refusal = self._compiled.refusal(error)
        self.decoder._check(document)
        raise refusal

    def __reduce__(self) -> tuple[Any, ...]:
        return Query, (self.decoder, self.expression, self._start)


class LendingQuery:
    """
    A query that borrows layers, focus and names, per record, from the shipped spec that matches.

    Where the spec says nothing, layers are found. This is the command line's convenience.

    Args:
        decoder: One without a spec.
        expression: JMESPath, or ``:name``.
        start: As for ``Decoder.compile``.
        on_lent: Called with each spec the first time it lends.
    """

    def __init__(
        self,
        decoder: Decoder,
        expression: str,
        start: Start | None,
        on_lent: Callable[[Spec], None],
    ) -> None:
        self.decoder = decoder
        self.expression = expression
        self._start = start
        self._on_lent = on_lent
        self._lent: dict[str | None, Query] = {}
        self._told: set[str | None] = set()
        # Whether the record before was one that a spec matched: then this may be, too.
        self._matched = False
        self._plain: Query | None = None
        if not expression.startswith(":") and start != "focus":
            self._plain = Query(decoder, expression, "root")  # what is wrong stays wrong

    def __call__(self, document: Any) -> Any:
        """Answer for one document, as ``Query`` does."""
        from nestdecode.queries import may_lend

        plain = self._plain
        if plain is None or self._matched:
            return self._borrowing(document)
        tree = self.decoder.expand(document)
        # Its members are the same when it is opened.
        return self._borrowing(document, tree) if may_lend(tree) else plain._ask(tree, document)

    def _borrowing(self, document: Any, tree: Any = None) -> Any:
        """Answer for a document, whose *tree* is known or None, with the spec that matches."""
        from nestdecode.queries import lender

        spec = lender(self.decoder._shut(document))
        self._matched = spec is not None
        if spec is None:
            query = self._plain or self._borrowed(None)
            return query(document) if tree is None else query._ask(tree, document)
        query = self._borrowed(spec)
        needed = self.expression.startswith(":") or query._compiled.start == "focus"
        if needed and spec.name not in self._told:
            self._told.add(spec.name)
            self._on_lent(spec)
        return query(document)

    def _borrowed(self, spec: Spec | None) -> Query:
        """Return the query as it is with the spec that lends, or what is wrong with it."""
        name = None if spec is None else spec.name
        query = self._lent.get(name)
        if query is None:
            try:
                start = self.decoder._expression(self.expression, self._start, spec).start
            except QueryError as error:
                raise UncompiledError(*error.args) from None
            decoder = self.decoder if spec is None else self.decoder._with_spec(spec)
            named = self.expression.startswith(":")
            query = self._lent[name] = Query(decoder, self.expression, None if named else start)
        return query


# What fits a cache, and is let go before the collector looks at it.
BATCH = 1 << 14


def _batches(lines: Iterable[Any]) -> Iterator[tuple[list[Any], int]]:
    batch: list[Any] = []
    size = 0
    for line in lines:
        batch.append(line)
        try:
            size += len(line)
        except TypeError:
            as_bytes(line)  # says what a line is
            raise
        if size >= BATCH:
            yield batch, size
            batch, size = [], 0
    if batch:
        yield batch, size


def _is_there(lines: Iterable[Any]) -> bool:
    """Tell whether lines come without waiting: from a list, or from a regular file."""
    if isinstance(lines, (list, tuple)):
        return True
    try:
        return stat.S_ISREG(os.fstat(lines.fileno()).st_mode)  # type: ignore[attr-defined]
    except (AttributeError, OSError, ValueError):
        return False


# Types that hold a text, and where they are defined: not imported, only to know them.
_BUFFERS = (("mmap", "mmap"), ("array", "array"))


def _is_buffer(value: Any) -> bool:
    """Tell whether a value holds the bytes of a text and is none of the types for that."""
    modules = [(sys.modules.get(module), name) for module, name in _BUFFERS]
    return any(module and isinstance(value, getattr(module, name)) for module, name in modules)


def _check_document(document: Any) -> None:
    """Raise TypeError for what is neither a text nor what one holds, but holds a text itself."""
    if isinstance(document, (dict, list)):
        return
    if isinstance(document, os.PathLike):
        hint = "its text, path.read_bytes()"
    elif _is_buffer(document):
        hint = "bytes(...) of it"
    elif hasattr(document, "read"):
        hint = "its text, file.read(), or the file to expand_lines"
    else:
        return
    kind = type(document).__name__
    raise TypeError(f"a document is JSON text, or what that holds, got {kind}; pass {hint}")


def _check_lines(lines: Any) -> None:
    """Raise TypeError for what can be iterated over, but not by lines."""
    if isinstance(lines, str):
        hint = "io.StringIO(text)"
    elif isinstance(lines, (bytes, bytearray, memoryview)):
        hint = "io.BytesIO(data)"
    elif isinstance(lines, os.PathLike) or _is_buffer(lines):
        hint = "the file, opened in binary mode"
    elif isinstance(lines, dict):
        hint = "it to expand: it has been parsed"
    else:
        return
    kind = type(lines).__name__
    raise TypeError(f"lines are a file or other iterable of lines, got {kind}; pass {hint}")


def _loaded(spec: Spec | str | os.PathLike[str] | None) -> Spec | None:
    if spec is None:
        return None
    from nestdecode.spec import Spec  # late: detection needs no specs

    if isinstance(spec, (str, os.PathLike)):
        return Spec.load(spec)
    if not isinstance(spec, Spec):
        wanted = "a Spec, a name, a path or None"
        hint = "; Spec.parse makes a Spec of it" if isinstance(spec, (dict, bytes)) else ""
        raise TypeError(f"spec is {wanted}, got {type(spec).__name__}{hint}")
    return spec


def _rebuild(arguments: dict[str, Any]) -> Decoder:
    return Decoder(**arguments)


def _ignore(_problem: DecodeError) -> None:
    """Do what is done with problems if nobody asks for them."""


class TroubledError(Exception):
    """A layer stays shut."""


def _give_up(_problem: DecodeError) -> None:
    raise TroubledError


def _check_expression(expression: Any) -> None:
    if not isinstance(expression, str):
        raise TypeError(f"an expression is a str, got {type(expression).__name__}")


def _check_word(name: str, word: str | None, words: tuple[str, ...]) -> None:
    if word is not None and word not in words:
        raise ValueError(f"{name} is one of {', '.join(words)}, got {word!r}{nearest(word, words)}")


def _limits(given: dict[str, int | None], spec: Spec | None) -> Limits:
    chosen: dict[str, int] = dict(spec.limits) if spec else {}
    for name, value in given.items():
        if value is None:
            continue
        least, most = RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name} is an integer from {least} to {most}, got {value!r}")
        chosen[name] = value
    return Limits(**chosen)


def _plan(spec: Spec, policy: Policy) -> Plan:
    from nestdecode.spec.shape import outside_objects  # late: detection needs no specs

    plan = Plan(spec.shape, policy, discover.FINDER if spec.undeclared == "open" else None)
    for shape, is_content, steps in outside_objects(spec.shape) if policy == "drop" else ():
        if is_content or not shape.alternatives or shape.plain is True:
            continue
        if plan.policy((shape,)) == "drop":
            raise SpecError(
                f"on_error: drop is for members of objects, not for {format_path(steps)}; "
                "give that layer an on-error of its own",
                source=spec.name,
            )
    return plan


def _copy(value: Any, limits: Limits) -> tuple[Any, int]:
    """
    Copy the containers of an already parsed document as exact dicts and lists.

    A cycle is too deep. What is there at several places is copied for each: of containers
    inside one another that would be no end of them, so that is limited too.

    Returns:
        The copy, and how many containers are inside one another.
    """
    most, deepest = limits.max_depth, limits.max_depth
    copied = 0

    def copy(value: Any, left: int) -> Any:
        nonlocal copied, deepest
        copied += 1
        if left < deepest:
            deepest = left
            if left < 0:
                raise LimitError(f"deeper than max_depth={most}")
        if copied > MOST_UNSEEN:
            see(value)
        left -= 1
        if isinstance(value, dict):
            return {
                key: child if child.__class__ in _SCALARS else copy(child, left)
                for key, child in value.items()
            }
        if isinstance(value, list):
            return [child if child.__class__ in _SCALARS else copy(child, left) for child in value]
        return value

    seen: set[int] = set()
    again = limits.max_record_bytes // 64

    def see(value: Any) -> None:
        nonlocal again
        if id(value) in seen:
            again -= 1
            if again < 0:
                limit = f"max_record_bytes={limits.max_record_bytes}"
                raise LimitError(f"the same parts over and over: beyond {limit}")
        seen.add(id(value))

    if not isinstance(value, (dict, list)):
        return value, 0
    return copy(value, most - 1), most - deepest


_SCALARS = frozenset({str, int, float, bool, type(None)})
# Containers that are copied before it is asked whether they were met before.
MOST_UNSEEN = 100_000
