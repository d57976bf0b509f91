"""
A deserializer of values for consumers of Kafka.

It is what confluent-kafka calls with a value and its context, and aiokafka with a value alone,
and needs neither to be imported.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from nestdecode.integrations.opener import Opener

if TYPE_CHECKING:
    from nestdecode.spec import Spec
    from nestdecode.stream import DeadLetter

__all__ = ["OpeningDeserializer"]


class OpeningDeserializer:
    """
    Opens the values of messages, and never raises because of one.

    A value that is JSON becomes its tree, with all layers open. One that is not, or that is
    refused, stays bytes, which no tree is. None stays None: it marks a key as deleted.

    Args:
        spec: As for ``Decoder``; it describes a value. None finds all layers.
        on_dead_letter: Takes each value that stays bytes; what it raises is ignored.
        options: Other arguments of ``Opener`` and ``Decoder``.

    Attributes:
        opener: Has the counts, ``opened`` and ``failed``.

    Raises:
        SpecError: If the spec is wrong.
        ValueError: If an argument is out of range.

    >>> deserialize = OpeningDeserializer()
    >>> [deserialize(value) for value in (b'{"a": "[1]"}', b"plain", None)]
    [{'a': [1]}, b'plain', None]
    """

    def __init__(
        self,
        spec: Spec | str | os.PathLike[str] | None = None,
        *,
        on_dead_letter: Callable[[DeadLetter], object] | None = None,
        **options: Any,
    ) -> None:
        self.opener: Opener = Opener(spec, on_dead_letter=on_dead_letter, **options)

    def __call__(self, value: bytes | None, ctx: object = None) -> Any:
        """
        Return what a value holds.

        Args:
            value: Of a message, as the broker has it.
            ctx: confluent-kafka's SerializationContext; it is not looked at.
        """
        return None if value is None else self.opener.record(value)
