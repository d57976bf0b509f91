"""Decode JSON whose strings hold more JSON, by a declarative spec or by itself."""

from typing import TYPE_CHECKING, Any

from nestdecode.decoder import Decoder, Query, expand, query
from nestdecode.errors import (
    DecodeError,
    LimitError,
    NestdecodeError,
    QueryError,
    SpecError,
)
from nestdecode.stream import DeadLetter

if TYPE_CHECKING:
    from nestdecode.document.document import Document
    from nestdecode.document.looking import Lookalike, OpenLayer
    from nestdecode.files import Report, expand_file
    from nestdecode.spec import Layer, Spec
    from nestdecode.text.number import Number

__all__ = [
    "DeadLetter",
    "DecodeError",
    "Decoder",
    "Document",
    "Layer",
    "LimitError",
    "Lookalike",
    "NestdecodeError",
    "Number",
    "OpenLayer",
    "Query",
    "QueryError",
    "Report",
    "Spec",
    "SpecError",
    "expand",
    "expand_file",
    "query",
]


def __getattr__(name: str) -> Any:
    # Late: whoever lets layers be found needs no specs, and reading them costs start-up.
    if name in ("Layer", "Spec"):
        from nestdecode import spec

        return getattr(spec, name)
    if name == "Document":
        from nestdecode.document.document import Document

        return Document
    if name in ("Lookalike", "OpenLayer"):
        from nestdecode.document import looking

        return getattr(looking, name)
    if name == "Number":
        from nestdecode.text.number import Number

        return Number
    if name in ("Report", "expand_file"):
        from nestdecode import files

        return getattr(files, name)
    raise AttributeError(f"module 'nestdecode' has no attribute {name!r}")
