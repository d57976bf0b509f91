r"""
Find, open, query and re-close JSON inside JSON strings.

A string that holds another JSON document, as it is or encoded, is a *layer*. ``expand``
opens every layer of a document and ``query`` answers JMESPath over the opened tree; the
layers are detected, or declared by a spec (a JSON Schema, an OpenAPI document or a short
list of paths). ``Decoder`` does both for many documents, with policies and limits, and
its ``open`` keeps the original text, so that a changed document can be put back with
every other byte as it was.

>>> import nestdecode
>>> event = b'{"id": 1.0,  "body": "{\\"order\\": {\\"total\\": 5}}"}'
>>> nestdecode.expand(event)
{'id': 1.0, 'body': {'order': {'total': 5}}}
>>> nestdecode.query("body.order.total", event)
5
>>> document = nestdecode.Decoder().open(event)
>>> document.set("body.order.total", 6)
1
>>> document.collapse()
b'{"id": 1.0,  "body": "{\\"order\\": {\\"total\\": 6}}"}'

Wrong input raises a NestdecodeError. A DecodeError has the place as a JSON Pointer (RFC
6901), and quotes no value of the document. ``expand_file`` expands whole files, on all
cores if they are large. The same from a shell: ``nestdecode --help``.
"""

from typing import TYPE_CHECKING

from nestdecode.decoder import Decoder, Query
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
    from nestdecode.oneshot import expand, query
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

# Imported on first use, to keep start-up short: a program that lets layers be detected needs
# no specs. Hidden from type checkers, which see the imports above: a module __getattr__ would
# make them accept any name.
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
        "expand": "nestdecode.oneshot",
        "expand_file": "nestdecode.files",
        "query": "nestdecode.oneshot",
    }

    def __getattr__(name):
        if name not in _LATE:
            raise AttributeError(f"module 'nestdecode' has no attribute {name!r}")
        from importlib import import_module

        value = globals()[name] = getattr(import_module(_LATE[name]), name)
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
