"""Decode JSON whose strings hold more JSON, by a declarative spec or by itself."""

from nestdecode.decoder import Decoder, Query, expand, query
from nestdecode.errors import (
    DecodeError,
    LimitError,
    NestdecodeError,
    QueryError,
    SpecError,
)
from nestdecode.spec import Layer, Spec
from nestdecode.stream import DeadLetter

__all__ = [
    "DeadLetter",
    "DecodeError",
    "Decoder",
    "Layer",
    "LimitError",
    "NestdecodeError",
    "Query",
    "QueryError",
    "Spec",
    "SpecError",
    "expand",
    "query",
]
