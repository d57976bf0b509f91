"""The Decoder and its compiled queries: built once, used for many documents."""

from __future__ import annotations

import functools
import io
import itertools
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.asking import Asker, check_expression
from nestdecode.engine import Engine, check_function, check_word
from nestdecode.errors import DecodeError, Policy, Undeclared
from nestdecode.given import check_lines
from nestdecode.stream import DeadLetter, Record, as_bytes, expand_records, of_lines
from nestdecode.text.joined import joined
from nestdecode.text.reader import Duplicates, Limits, Numbers
from nestdecode.text.write import dump

if TYPE_CHECKING:
    from nestdecode.document.document import Document
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Spec

__all__ = ["Decoder", "Query"]


class Decoder:
    r"""
    Expand, query and re-close JSON documents, by one spec and one set of limits.

    Building a decoder compiles its spec, so build it once and use it for many documents.
    A decoder is thread-safe, and can be pickled if its arguments can.

    >>> decoder = Decoder("aws/sqs-sns")    # a spec that ships with the package
    >>> event = b'{"Records": [{"body": "{\\"Message\\": \\"{\\\\\\"order\\\\\\":7}\\"}"}]}'
    >>> decoder.expand(event)
    {'Records': [{'body': {'Message': {'order': 7}}}]}
    >>> orders = decoder.compile("Records[].body.Message.order")
    >>> orders(event)
    [7]

    ``expand`` returns a plain tree, ``query`` and ``compile`` answer JMESPath over it,
    ``expand_lines`` reads NDJSON, ``open`` keeps the original text so that a changed
    document can be put back byte for byte, and ``collapse`` encodes a tree without it.
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        on_error: Policy | None = None,
        on_problem: Callable[[DecodeError], None] | None = None,
        undeclared: Undeclared | None = None,
        numbers: Numbers | None = None,
        duplicates: Duplicates | None = None,
        max_layers: int | None = None,
        max_depth: int | None = None,
        max_bytes: int | None = None,
        max_record_bytes: int | None = None,
    ) -> None:
        """
        Build a decoder. An argument other than None overrides what the spec says.

        Args:
            spec: Where the layers are: a Spec, the name of a shipped spec or the path of a
                spec file; None to detect the layers.
            on_error: What becomes of a layer that does not open, where the layer itself
                names no policy: ``keep`` the string (the default), ``null``, ``drop`` the
                member, or ``fail``: raise.
            on_problem: Called, in the calling thread, with a DecodeError for each problem:
                a declared layer that does not open, or any layer that a limit keeps shut.
            undeclared: ``open``: layers are also detected where the spec declares nothing;
                ``keep`` (the default): those strings stay.
            numbers: ``double`` (the default): integers are exact, other numbers are
                floats; ``exact``: a number whose text a float would change is a Number.
            duplicates: Repeated names in one object (RFC 8259 section 4): ``last`` (the
                default) keeps the last member; ``error`` refuses the record or the layer.
            max_layers: Layers inside one another; 32 by default, 0 to 254.
            max_depth: Arrays and objects inside one another, counted across layers; 200
                by default, 1 to 254.
            max_bytes: Bytes that the encoded (base64, gzip and so on) layers of one record
                decode to, added up; 16 MiB by default.
            max_record_bytes: Bytes of one record's text, in UTF-8; 64 MiB by default.

        Raises:
            SpecError: If the spec can't be found or read, is wrong, or rules out an
                argument.
            TypeError: If *spec* or *on_problem* is of another type.
            ValueError: If another argument is out of range.
        """
        self.engine: Engine = Engine(
            spec=spec,
            on_error=on_error,
            on_problem=on_problem,
            undeclared=undeclared,
            numbers=numbers,
            duplicates=duplicates,
            max_layers=max_layers,
            max_depth=max_depth,
            max_bytes=max_bytes,
            max_record_bytes=max_record_bytes,
        )
        self.asker: Asker = Asker(self.engine)
        self._many = None
        if type(self).expand is Decoder.expand:
            self._many = self.engine.expand_many
            # Bound to the compiled function, which saves a call per document.
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
        r"""
        Return one document with every layer opened.

        >>> Decoder().expand(b'{"id": "123", "body": "{\\"a\\": [1, 2]}"}')
        {'id': '123', 'body': {'a': [1, 2]}}

        Args:
            document: One JSON text (RFC 8259) as bytes, bytearray, memoryview or str;
                bytes are fastest. Anything else is taken as already parsed: it is not
                changed, and objects in it that JSON does not know are passed through.

        Returns:
            The tree, each layer's string replaced by the value that it encodes. It shares
            no dict or list with *document*.

        Raises:
            DecodeError: If *document* is not JSON or is beyond a limit (LimitError), or if
                a layer whose policy is ``fail`` does not open.
            TypeError: If *document* is a path or an open file: pass its content.
        """
        return self.engine.expand(document)

    def open(self, document: Any) -> Document:
        r"""
        Return one document with its original text, to change it and put it back.

        >>> document = Decoder().open(b'{"body": "{\\"a\\": 1.0, \\"b\\": 2}"}')
        >>> document.set("/body/b", 3)
        1
        >>> document.collapse()
        b'{"body": "{\\"a\\": 1.0, \\"b\\": 3}"}'

        Args:
            document: As for ``expand``. An already parsed document is first written as
                compact JSON, which then is the original text.

        Returns:
            The Document: its tree, its layers and problems, ``set`` and ``collapse``.

        Raises:
            DecodeError: As for ``expand``, or if a parsed document can't be written as
                JSON.
            TypeError: As for ``expand``.
        """
        from nestdecode.document.document import (  # late: expanding needs no way back
            Document,
            text_of,
        )

        raw = document if document.__class__ is bytes else text_of(self.engine, document)
        return Document(self.asker, raw, self.expand(raw))

    def collapse(self, tree: Any) -> bytes:
        r"""
        Return a tree as JSON text, its declared layers encoded as strings again.

        For a tree whose original text is not at hand; with the text, use ``open``.

        >>> Decoder("aws/sqs-sns").collapse({"Records": [{"body": {"Message": "up"}}]})
        b'{"Records":[{"body":"{\\"Message\\":\\"up\\"}"}]}'

        A value at the place of a layer is encoded if the layer admits its type: objects
        and arrays, and the types that the content's schema names. Other values are
        written as they are. Without a spec no layer is declared, so none is encoded.

        Args:
            tree: An expanded tree. It is not changed.

        Returns:
            Compact JSON in UTF-8. Layers are compact too, unless the spec names a style
            for them.

        Raises:
            DecodeError: If the tree holds a value that JSON does not know, such as NaN.
            LimitError: If it has more than 254 arrays and objects inside one another.
        """
        from nestdecode.document.closing import closed
        from nestdecode.document.parts import check_tree

        plan = self.engine.plan
        check_tree(tree)
        return dump(tree if plan is None else closed(tree, plan.shapes))

    def query(self, expression: str, document: Any) -> Any:
        r"""
        Return the answer of a query of one expanded document.

        >>> Decoder().query("body.a[1]", b'{"body": "{\\"a\\": [1, 2]}"}')
        2

        Args:
            expression: A JMESPath expression, or ``:name`` for a query that the spec names.
            document: As for ``expand``.

        Raises:
            QueryError: If the expression is wrong, or if a function in it refuses a value
                of the document.
            DecodeError: As for ``expand``.
            TypeError: As for ``expand``, or if *expression* is not a str.
        """
        return Query(self, expression)(document)

    def compile(self, expression: str, *, start: Start | None = None) -> Query:
        """
        Return a compiled query: a function from a document to the answer.

        >>> urls = Decoder("repair-results").compile(":urls")
        >>> urls(b'{"data": {"taskResult": []}}')
        []

        Args:
            expression: A JMESPath expression, or ``:name`` for a query that the spec names.
            start: Where it starts, ``root`` or ``focus``. None lets the spec decide: at its
                focus, unless the leading names of the expression belong to the root.

        Raises:
            QueryError: If the expression is wrong.
            TypeError: If *expression* is not a str.
            ValueError: If *start* is another word.
        """
        return Query(self, expression, start)

    def expand_lines(
        self,
        lines: Iterable[bytes | str],
        *,
        on_dead_letter: Callable[[DeadLetter], None] | None = None,
    ) -> Iterator[Any]:
        r"""
        Return an iterator over the expanded records of NDJSON, in order.

        Blank lines are passed over. A file or a list is read in batches of about 16 KiB;
        of any other iterable, each line is expanded before the next one is taken.

        >>> letters = []
        >>> lines = [b'{"a": "[1]"}\n', b'{"a": \n', b'{"a": 2}\n']
        >>> list(Decoder().expand_lines(lines, on_dead_letter=letters.append))
        [{'a': [1]}, {'a': 2}]
        >>> letters[0].line, letters[0].raw
        (2, b'{"a": ')

        Args:
            lines: Lines as bytes or str, one record in each. Pass a file opened in binary
                mode: it splits at newlines only. str.splitlines() also splits at U+2028,
                which JSON allows inside a string.
            on_dead_letter: Called with each record that fails, which is then left out.
                Without it the first record that fails raises.

        Raises:
            DecodeError: As for ``expand``, from the iterator.
            TypeError: If *lines* is one text or a path; from the iterator, if a line is
                neither bytes nor str.
        """
        check_lines(lines)
        check_function("on_dead_letter", on_dead_letter)
        if self._many is None or not _needs_no_waiting(lines):
            return self._one_by_one(of_lines(lines), on_dead_letter)
        # Iterated in C: a generator would cost a step of Python for each record.
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
        """Yield the trees of lines that need no waiting for, batch by batch."""
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
            except (TypeError, UnicodeEncodeError):  # not all of them are bytes, or UTF-8
                trees, size = None, sum(len(as_bytes(line)) for line in batch)
            else:
                trees, size = self._many(joint), joint.size
            if trees is None:
                each = _Watched(self._one_by_one(of_lines(batch, first, offset), on_dead_letter))
                yield each
                # An iterator that raised is finished: the caller's next() must not go on.
                if not each.ended:
                    return
            else:
                yield trees
            first += len(batch)
            offset += size
            # The number of lines of this size that fit a batch.
            number = max(1, BATCH * number // (size + 1))

    @property
    def spec(self) -> Spec | None:
        """The spec, loaded; None if layers are detected."""
        return self.engine.spec

    @property
    def limits(self) -> Limits:
        """The limits of a record, those of the spec and defaults included."""
        return self.engine.limits

    @property
    def source(self) -> str:
        """The Python source compiled from the spec, for a reader; empty without a spec."""
        return "" if self.engine.source is None else self.engine.source.text


class Query:
    """
    A compiled query: a function from a document to the answer.

    Made by ``Decoder.compile``. Thread-safe; can be pickled if its decoder can.

    >>> query = Decoder().compile("length(a)")
    >>> query(b'{"a": "[1, 2]"}'), query({"a": [1]})
    (2, 1)

    Attributes:
        decoder: The decoder that opens the documents.
        expression: The expression as it was given.
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
        Return the answer for one document.

        Args:
            document: As for ``Decoder.expand``.

        Raises:
            QueryError: If a function in the expression refuses a value of the document.
            DecodeError: As for ``Decoder.expand``.
            TypeError: As for ``Decoder.expand``.
        """
        try:
            return self._answer(document)
        except self._refusals as error:
            refusal = self._compiled.refusal(error)
        # Outside the handler: the error as __context__ would keep the document's data alive.
        self.decoder.engine.check(document)
        raise refusal

    @functools.cached_property
    def many(self) -> Callable[..., list[Any] | None]:
        """The function that answers joined records; it returns None if they need one call each."""
        return self.decoder.asker.answer_many(self._compiled)

    @property
    def start(self) -> Start:
        """Where the query starts: ``root`` or ``focus``."""
        return self._compiled.start

    def ask(self, tree: Any, document: Any) -> Any:
        """
        Return the answer for a tree, which *document* expanded to.

        The answer may share dicts and lists with the tree. The document is used only to
        find the error to raise: one that makes ``Decoder.expand`` fail comes first.
        """
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


# Bytes of lines that are expanded at once: few enough for the processor's cache, and for the
# trees to be freed before the garbage collector looks at them.
BATCH = 1 << 14


class _Watched:
    """
    An iterable over other values.

    Attributes:
        ended: Whether an iteration came to its end, and did not raise.
    """

    def __init__(self, values: Iterator[Any]) -> None:
        self._values = values
        self.ended = False

    def __iter__(self) -> Iterator[Any]:
        yield from self._values
        self.ended = True


def _needs_no_waiting(lines: Iterable[Any]) -> bool:
    """Return whether all lines can be had at once: those of a list or of a regular file."""
    if isinstance(lines, (list, tuple)):
        return True
    try:
        return isinstance(lines, io.IOBase) and stat.S_ISREG(os.fstat(lines.fileno()).st_mode)
    except (OSError, ValueError):
        return False
