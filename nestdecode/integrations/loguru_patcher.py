"""
A patcher for loguru.

https://loguru.readthedocs.io/en/stable/api/logger.html#loguru._logger.Logger.configure
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener, several
from nestdecode.stream import DeadLetter

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["OpeningPatcher"]


class OpeningPatcher:
    """
    Opens the values of ``extra``, for ``logger.configure(patcher=...)`` or ``logger.patch``.

    The message stays text.

    >>> patcher = OpeningPatcher(message="body")
    >>> record = {"message": '{"a": "[1]"}', "extra": {"user": "{}", "id": 7}}
    >>> patcher(record)
    >>> record
    {'message': '{"a": "[1]"}', 'extra': {'user': {}, 'id': 7, 'body': {'a': [1]}}}

    Args:
        spec: As for ``Decoder``; it describes each value by itself. None finds all layers.
        fields: Names of the values in ``extra`` to be opened; None for all.
        message: The name in ``extra`` under which the message is put, opened; None leaves the
            message alone.
        int64: As for ``Opener``.
        on_dead_letter: As for ``Opener``.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        fields: Iterable[str] | str | None = None,
        message: str | None = None,
        int64: bool = True,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
    ) -> None:
        self.opener: Opener = Opener(spec, int64=int64, on_dead_letter=on_dead_letter)
        self._fields = several(fields)
        self._message = message

    def __call__(self, record: Any) -> None:
        """Open the values of a record in place: loguru makes an ``extra`` for each record."""
        opened = self.opener.members(record["extra"], self._fields)
        if self._message is not None:
            text = record["message"]
            tree = self.opener.value(text)
            if tree is not text:
                opened[self._message] = tree
        record["extra"].update(opened)
