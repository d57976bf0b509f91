"""
JSON Schema 2020-12: the schemas of one document.

A place is described by any number of schemas at once: the target of a ``$ref``, the
branches of ``anyOf``, the members of ``allOf``. Therefore a shape is built from a *state*,
a graph of "either" and "all" over schemas, as the subset construction builds a
deterministic automaton from a nondeterministic one. Equal states share one shape, which
makes recursive schemas finite. A subset construction can explode, so all work is counted,
and a spec that takes too much is an error at the schema that was being worked on.
Validators leave the content keywords to the application (2020-12 validation, section 8);
nestdecode is that application.

The modules, from the bottom: ``references`` resolves pointers and ``$ref``; ``state`` joins
schemas; ``applied`` finds those that apply in place; ``types`` and ``chains`` read the types
and codecs that they declare; ``strings`` and ``children`` fill in the shape of a place; and
``build`` builds all shapes.
"""

from __future__ import annotations

from typing import Literal

from nestdecode.spec.applied import Applied
from nestdecode.spec.chains import Chains
from nestdecode.spec.references import References
from nestdecode.spec.text import SpecText
from nestdecode.spec.types import Types

__all__ = ["Schemas"]


class Schemas:
    """
    The schemas of one document.

    Args:
        source: The document.
        version: ``3.0`` for OpenAPI 3.0, where a ``$ref`` hides its siblings and
            ``nullable`` adds a type; else None.

    Attributes:
        references: Resolves pointers and ``$ref``.
        applied: Finds the schemas that apply in place of one.
        chains: Reads the codecs that schemas declare for strings.
        types: Reads the types that schemas allow.
    """

    def __init__(self, source: SpecText, version: Literal["3.0"] | None = None) -> None:
        self.source = source
        self.version = version
        self.references: References = References(source, version)
        self.applied: Applied = Applied(self.references)
        self.chains: Chains = Chains(self.references)
        self.types: Types = Types(self.references, self.applied)
