"""
A log record processor for the OpenTelemetry SDK.

https://opentelemetry.io/docs/specs/otel/logs/sdk/#logrecordprocessor
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener, held, several
from nestdecode.stream import DeadLetter

try:
    from opentelemetry.sdk._logs import LogRecordProcessor, ReadWriteLogRecord
except ImportError as _error:
    raise ImportError(
        "opentelemetry-sdk 1.39 or newer is missing: pip install 'nestdecode[otel]'"
    ) from _error

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["OpeningLogRecordProcessor"]

# Parsers of protobuf refuse more than 100 messages inside one another, and the whole batch with
# them. An attribute is inside five, and each object inside an object makes three more.
_DEPTH = 31


class OpeningLogRecordProcessor(LogRecordProcessor):
    """
    Opens the body and the attributes of log records. Add it before the one that exports.

    One value that OTLP has no place for loses the whole batch it is in. Therefore integers
    beyond 64 bits become strings, surrogates that have no partner their escapes, and what is
    deeper than 31 containers stays a string.

    Args:
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        body: Whether the body is opened.
        fields: Names of the attributes to be opened; None for all.
        on_dead_letter: As for ``Opener``.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        body: bool = True,
        fields: Iterable[str] | str | None = None,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
    ) -> None:
        self.opener: Opener = Opener(
            spec, int64=True, on_dead_letter=on_dead_letter, max_depth=_DEPTH
        )
        self._body = body
        self._fields = several(fields)

    def on_emit(self, log_record: ReadWriteLogRecord) -> None:
        """Open what a record holds, in place."""
        record = log_record.log_record
        # The SDK lets through to the application whatever is raised here.
        with contextlib.suppress(Exception):
            if self._body:
                tree = self.opener.value(record.body)
                record.body = held(tree) if isinstance(tree, (int, str)) else tree
        with contextlib.suppress(Exception):
            attributes: Any = record.attributes or {}
            for name, tree in self.opener.members(attributes, self._fields).items():
                given = attributes[name]
                attributes[name] = tree
                if not _holds(attributes[name], tree):
                    attributes[name] = given

    def shutdown(self) -> None:
        """Do nothing: nothing is kept."""

    def force_flush(self, timeout_millis: int = 30000) -> bool:
        """Do nothing: nothing is kept."""
        return True


def _holds(kept: Any, tree: Any) -> bool:
    """
    Return whether an attribute holds all of a tree.

    The SDK leaves out members whose name is empty. As late as 1.39 it put None in the place of
    an array whose elements are of several types.
    """
    if type(tree) is dict:
        return type(kept) is dict and all(
            name in kept and _holds(kept[name], tree[name]) for name in tree
        )
    if type(tree) is list:
        return type(kept) is tuple and all(map(_holds, kept, tree))
    return bool(kept == tree)
