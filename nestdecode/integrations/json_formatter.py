"""
Formatters of python-json-logger.

https://nhairs.github.io/python-json-logger/latest/
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener, several
from nestdecode.stream import DeadLetter

try:
    from pythonjsonlogger.core import BaseJsonFormatter
    from pythonjsonlogger.json import JsonFormatter
except ImportError as _error:
    raise ImportError(
        "python-json-logger 3.1 or newer is missing: pip install 'nestdecode[json-logger]'"
    ) from _error

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["OpeningFormatter", "OpeningJsonFormatter"]


class OpeningFormatter(BaseJsonFormatter):
    """
    Makes a formatter open the members of what it writes. It comes before the formatter's class.

    >>> from pythonjsonlogger.msgspec import MsgspecFormatter
    >>> class OpeningMsgspecFormatter(OpeningFormatter, MsgspecFormatter): ...

    The record is not changed: other handlers see it as it was.

    Args:
        args: Of the formatter.
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        fields: Names of the members to be opened; None for all, the message too.
        int64: As for ``Opener``. False leaves integers exact, which OrjsonFormatter can't write.
        on_dead_letter: As for ``Opener``.
        options: Of the formatter.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.
    """

    def __init__(
        self,
        *args: Any,
        spec: Spec | str | os.PathLike[str] | None = None,
        fields: Iterable[str] | str | None = None,
        int64: bool = True,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(*args, **options)
        self.opener: Opener = Opener(spec, int64=int64, on_dead_letter=on_dead_letter)
        self._fields = several(fields)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        """Open the members, which are the formatter's own dict, in place."""
        log_data.update(self.opener.members(log_data, self._fields))
        done: dict[str, Any] = super().process_log_record(log_data)
        return done


class OpeningJsonFormatter(OpeningFormatter, JsonFormatter):
    """A JsonFormatter whose members are opened."""
