"""Decode JSON whose strings hold more JSON, by a declarative spec or by itself."""

from typing import TYPE_CHECKING

from nestdecode.decoder import Decoder, Query, expand, query
from nestdecode.errors import (
    DecodeError,
    LimitError,
    NestdecodeError,
    Policy,
    QueryError,
    SpecError,
    Undeclared,
)
from nestdecode.stream import DeadLetter, Framing
from nestdecode.text.reader import Duplicates, Limits, Numbers

if TYPE_CHECKING:
    from nestdecode.document.document import Document
    from nestdecode.document.looking import Lookalike, OpenLayer
    from nestdecode.document.parts import dumps
    from nestdecode.files import Report, expand_file
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Layer, Spec
    from nestdecode.text.number import Number

__all__ = [
    "DeadLetter",
    "DecodeError",
    "Decoder",
    "Document",
    "Duplicates",
    "Framing",
    "Layer",
    "LimitError",
    "Limits",
    "Lookalike",
    "NestdecodeError",
    "Number",
    "Numbers",
    "OpenLayer",
    "Policy",
    "Query",
    "QueryError",
    "Report",
    "Spec",
    "SpecError",
    "Start",
    "Undeclared",
    "dumps",
    "expand",
    "expand_file",
    "query",
]

__version__ = "0.1.0"

# Imported when they are asked for: who lets layers be found needs no specs, and reading
# them costs start-up. Hidden from type checkers, which know them from above: they would
# take any name for one of these.
if not TYPE_CHECKING:
    _LATE = {
        "Document": "nestdecode.document.document",
        "Layer": "nestdecode.spec",
        "Lookalike": "nestdecode.document.looking",
        "Number": "nestdecode.text.number",
        "OpenLayer": "nestdecode.document.looking",
        "Report": "nestdecode.files",
        "Spec": "nestdecode.spec",
        "Start": "nestdecode.queries.focus",
        "dumps": "nestdecode.document.parts",
        "expand_file": "nestdecode.files",
    }

    def __getattr__(name):
        if name not in _LATE:
            raise AttributeError(f"module 'nestdecode' has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LATE[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
