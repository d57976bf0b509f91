"""
A processor for structlog.

https://www.structlog.org/en/stable/processors.html
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, MutableMapping
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener, several
from nestdecode.stream import DeadLetter

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["OpeningProcessor"]


class OpeningProcessor:
    """
    Opens the values of an event. It stands before the renderer.

    >>> processor = OpeningProcessor(fields=["payload"])
    >>> processor(None, "info", {"event": "received", "payload": '{"a": "[1]"}'})
    {'event': 'received', 'payload': {'a': [1]}}
    >>> processor.opener
    <Opener: 1 opened, 0 failed>

    Args:
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        fields: Names of the values to be opened; None for all, the event itself too.
        int64: As for ``Opener``. False leaves integers exact: orjson, as a serializer, then
            raises an error for those beyond 64 bits.
        on_dead_letter: As for ``Opener``.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        fields: Iterable[str] | str | None = None,
        int64: bool = True,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
    ) -> None:
        self.opener: Opener = Opener(spec, int64=int64, on_dead_letter=on_dead_letter)
        self._fields = several(fields)

    def __call__(
        self, logger: Any, method_name: str, event_dict: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Open the values of an event, which is the event's own dict, in place."""
        event_dict.update(self.opener.members(event_dict, self._fields))
        return event_dict
