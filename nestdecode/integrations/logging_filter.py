"""
A filter for the handlers of the standard library's logging.

https://docs.python.org/3/library/logging.html#filter-objects
"""

from __future__ import annotations

import copy
import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener, several
from nestdecode.stream import DeadLetter

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["OpeningFilter"]

# What every record has; the rest is what ``extra`` adds.
_ITS_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"asctime", "message"}
# A filter may hand on another record: https://docs.python.org/3/whatsnew/3.12.html#logging
_MAY_REPLACE = sys.version_info >= (3, 12)


class OpeningFilter(logging.Filter):
    """
    Opens what ``extra`` added to a record, and what its message holds. It stays on a handler.

    The handler gets a copy of the record. In Python 3.11 a filter can't hand on a copy: there
    the record is changed, so that handlers after this one see it opened, too. Add this one
    last if they should not. Text and arguments of the message are never changed.

    >>> handler = logging.StreamHandler()
    >>> handler.addFilter(OpeningFilter(fields=["payload"], message="body"))

    Args:
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        fields: Names of the attributes to be opened; None for all that ``extra`` added.
        message: The attribute that gets the message, opened; None leaves the message alone.
        int64: As for ``Opener``.
        on_dead_letter: As for ``Opener``.
        name: Of the logger whose records pass, as for ``logging.Filter``.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.

    Raises:
        ValueError: If ``message`` is an attribute that every record has.
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        fields: Iterable[str] | str | None = None,
        message: str | None = None,
        int64: bool = True,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
        name: str = "",
    ) -> None:
        super().__init__(name)
        if message in _ITS_OWN:
            raise ValueError(f"message: every record has an attribute {message!r}")
        self.opener: Opener = Opener(spec, int64=int64, on_dead_letter=on_dead_letter)
        self._fields = several(fields)
        self._message = message

    # In Python 3.11 the base says bool.
    def filter(self, record: logging.LogRecord) -> Any:
        """Let a record pass, opened."""
        if not super().filter(record):
            return False
        names = self._fields
        if names is None:
            names = tuple(name for name in vars(record) if name not in _ITS_OWN)
        opened = self.opener.members(vars(record), names)
        if self._message is not None:
            given = _message(record)
            tree = self.opener.value(given)
            if tree is not given:
                opened[self._message] = tree
        if opened and _MAY_REPLACE:
            record = copy.copy(record)
        vars(record).update(opened)
        return record if _MAY_REPLACE else True


def _message(record: logging.LogRecord) -> object:
    if type(record.msg) is not str and not record.args:
        return record.msg
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - the handler will report it, as it would without us
        return None
