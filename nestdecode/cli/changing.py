"""Changes of a file: in which records they are made, and what came of them."""

from __future__ import annotations

from contextlib import suppress
from copy import deepcopy
from functools import partial
from itertools import islice
from typing import NamedTuple

from nestdecode.cli.assignments import Assignment
from nestdecode.cli.files import Original, tried
from nestdecode.cli.hints import misquotation
from nestdecode.cli.output import RefusedError, about, note, report_on
from nestdecode.cli.summary import reported
from nestdecode.decoder import Decoder
from nestdecode.document.document import Document
from nestdecode.document.parts import same
from nestdecode.document.places import spelled
from nestdecode.errors import DecodeError, QueryError
from nestdecode.paths import Wild, format_path, join_pointer
from nestdecode.stream import Record
from nestdecode.stream.report import SHOWN
from nestdecode.words import count, share, shortened

__all__ = ["Change", "Changing", "Chosen", "Deletion", "suggestion"]


class Deletion(NamedTuple):
    """A place that goes."""

    path: str


Change = Assignment | Deletion


class Chosen:
    """
    The records that may change.

    Args:
        decoder: Opens the records.
        where: An expression that has to hold for them, asked from the root.
        record: The number of the only one, from 1.

    Attributes:
        where: That expression.
        is_all: Whether all records are changed, because none was chosen.
        record: The number of the only one, from 1.
    """

    def __init__(self, decoder: Decoder, where: str | None, record: int | None) -> None:
        self.where: str | None = where
        self._where = None if where is None else decoder.compile(where, start="root")
        self._hint = None if where is None else misquotation(where)
        self.record = record
        self.is_all: bool = where is None and record is None

    def holds(self, number: int, raw: bytes) -> bool:
        """
        Return whether a record is one of them.

        Raises:
            DecodeError: If it can't be read.
            QueryError: If it can't be asked.
        """
        if self.record not in (None, number):
            return False
        if self._where is None:
            return True
        from nestdecode.queries.functions import is_false  # late: most need no queries

        try:
            is_chosen = not is_false(self._where(raw))
        except QueryError:
            self._tell_hint()
            raise
        if not is_chosen:
            self._tell_hint()
        return is_chosen

    def _tell_hint(self) -> None:
        hint, self._hint = self._hint, None
        if hint is not None:
            note(hint)


class Changing:
    """
    The changes of one file, made in every chosen record that has their place.

    Args:
        original: The file.
        decoder: Opens its records.
        changes: In the order in which they are made.
        chosen: The records.

    Attributes:
        failed: How many records could not be asked whether they are chosen.
    """

    def __init__(
        self, original: Original, decoder: Decoder, changes: list[Change], chosen: Chosen
    ) -> None:
        self._original = original
        self._name = original.name
        self._decoder = decoder
        self._changes = changes
        self._chosen = chosen
        # Of several records, only those that were chosen get a new member.
        self._adds = not chosen.is_all or len(list(islice(original.records(), 2))) < 2
        # Why each could not be made; None once it was.
        self._reasons: list[str | None] = [""] * len(changes)
        self._count = self._met = self._records = self._places = self._new = 0
        self.failed: int = 0

    def text(self) -> bytes:
        """
        Return the file with its records changed.

        Raises:
            RefusedError: If a record can't be read, or there was no place for a change.
            click.UsageError: If a value is none that can be there.
        """
        self._settle()
        text = self._original.changed(self._changed)
        self._check()
        return text

    def say(self) -> None:
        """Say how much was changed."""
        for change in self._changes:
            if isinstance(change, Assignment):
                place = shortened(change.path)
                if change.is_first and self._new:
                    note(
                        f"{place}: added; VALUE is all after the first =: no existing pointer goes past that sign"
                    )
                if change.value.was_quoted:
                    note(f"{place}: VALUE is a JSON string: its text was set, without the quotes")
        text = f"changed {count(self._places, 'place')}"
        text += f" ({self._new:,} of them new)" if self._new else ""
        if self._count > 1:
            text += f" in {share(self._records, self._count, 'record')}"
        if self.failed:
            text += f"; {share(self.failed, self._count, 'record')} failed{reported(self.failed)}"
        note(about(self._name, text))

    def _settle(self) -> None:
        """Find where the paths end of which that is not known yet."""
        unsettled = [c for c in self._changes if isinstance(c, Assignment) and c.is_open]
        if not unsettled:
            return
        for number, (record, where) in enumerate(self._original.records(), 1):
            with suppress(QueryError):  # said when it is changed
                if tried(self._name, where, partial(self._chosen.holds, number), record.raw):
                    tree = tried(self._name, where, self._decoder.expand, record.raw)
                    for assignment in unsettled:
                        assignment.look(tree)
        for assignment in unsettled:
            assignment.settle()

    def _changed(self, record: Record, where: str) -> bytes:
        """Return the text of a record, changed if it is chosen."""
        self._count += 1
        try:
            holds = partial(self._chosen.holds, self._count)
            is_chosen = tried(self._name, where, holds, record.raw)
        except QueryError as error:
            self.failed += 1
            if self.failed <= SHOWN:
                report_on(self._name, str(error), where)
            is_chosen = False
        if not is_chosen:
            return record.raw
        self._met += 1
        document = tried(self._name, where, self._decoder.open, record.raw)
        before = self._places
        for index, change in enumerate(self._changes):
            try:
                self._make(change, document)
            except DecodeError as error:
                if self._reasons[index] is not None:
                    self._reasons[index] = error.reason if not error.pointer else str(error)
            else:
                self._reasons[index] = None
        if self._places == before:
            return record.raw
        self._records += 1
        return tried(self._name, where, Document.collapse, document)

    def _make(self, change: Change, document: Document) -> None:
        """Make one change in a document; raise DecodeError if it has no place there."""
        if isinstance(change, Deletion):
            self._places += document.delete(change.path)
            return
        for place in document.places(change.path, new=self._adds):
            value = change.value.at(place, document)
            if place.is_new:
                self._new += 1
            elif same(place.value, value):
                continue
            self._places += 1
            place.put(deepcopy(value))

    def _check(self) -> None:
        """Raise RefusedError if there was no place for one of the changes."""
        record = self._chosen.record
        if record is not None and record > self._count:
            raise RefusedError(self._name, f"no record {record}: the input has {self._count:,}", 2)
        if not self._met:
            reason = "--where holds for no record" if self._count else "no document in it"
            where = self._chosen.where
            missing, hint = ("", "") if where is None else self._lacking(where)
            if missing:
                reason += f": no record has {missing}{hint}"
            raise RefusedError(self._name, reason, 2)
        for change, why in zip(self._changes, self._reasons, strict=True):
            if why is None:
                continue
            reason = why
            hint = suggestion(change.path, self._original, self._decoder)
            if hint:
                reason = f"no such place: {shortened(change.path)}"
            if not (hint or change.path.startswith("/")):
                hint = self._lacking(change.path)[1]
            hint = hint or self._root_hint()
            if not self._adds and isinstance(change, Assignment):
                reason = f"no record has {shortened(change.path)}"
                hint = hint or "; --record N or --where EXPR chooses the records to add it to"
            raise RefusedError(self._name, f"{reason}{hint}", 2)

    def _lacking(self, expression: str) -> tuple[str, str]:
        """Return what ``missing_in`` does for the first records."""
        from nestdecode.cli.unanswered import MOST_RECORDS, missing_in  # late: mostly all is there
        from nestdecode.queries.parsing import parsed

        with suppress(DecodeError, QueryError, RecursionError):
            records = islice(self._original.records(), MOST_RECORDS)
            return missing_in(parsed(expression), [self._decoder.expand(r.raw) for r, _ in records])
        return "", ""

    def _root_hint(self) -> str:
        """Say where a path starts, to who may have taken it from a query at the focus."""
        spec = self._decoder.spec
        if spec is None:
            from nestdecode.queries.expression import lender  # late: only a query borrows

            record = next(self._original.records(), None)
            with suppress(DecodeError):
                if record is not None:
                    spec = lender(self._decoder.engine.shut(record[0].raw))
        if spec is None or spec.focus is None:
            return ""
        return f"; a path starts at the root, not at the focus of {spec.name or 'the spec'}"


def suggestion(path: str, original: Original, decoder: Decoder) -> str:
    """Say how the place is written that a path means, if one of the records has it."""
    if path.startswith("/"):
        return ""
    with suppress(DecodeError, RefusedError):
        for record, _ in original.records():
            steps = spelled(decoder.expand(record.raw), path)
            if steps is not None:
                written = shortened(format_path(steps), 1000)
                names = [step for step in steps if not isinstance(step, Wild)]
                if len(names) < len(steps):
                    return f"; write {written}"
                pointer = shortened(join_pointer(names), 1000)
                return f"; write {written} or {pointer}"
    return ""
