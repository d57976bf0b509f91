"""
JSON Schema 2020-12: the schemas of one document, by what they are asked.

A place is described by any number of schemas at once: what ``$ref`` points to, the
branches of ``anyOf``, the members of ``allOf``. So a shape is built from a *state*, a
graph of ``any`` and ``all`` over pointers to schemas, as a subset construction builds a
deterministic automaton from one that is not. Equal states are one shape; that is what
makes recursive schemas finite. A subset construction can explode, so all work is counted,
and a spec that takes too much is an error at the schema that was at work. Validators
leave content keywords to the application (2020-12 validation, section 8); this is the
application.

From below: ``references`` says what is at a pointer, ``state`` how schemas are joined,
``applied`` which are, ``types`` and ``chains`` what they say of a value and of a string,
``strings`` and ``children`` what that makes of a place, and ``build`` makes the shapes.
"""

from __future__ import annotations

from typing import Literal

from nestdecode.spec.applied import Applied
from nestdecode.spec.chains import Chains
from nestdecode.spec.references import References
from nestdecode.spec.text import Source
from nestdecode.spec.types import Types

__all__ = ["Schemas"]


class Schemas:
    """
    The schemas of one document.

    Args:
        source: The document.
        version: OpenAPI's minor version for a 3.0 document (where a ``$ref``
            hides its siblings and ``nullable`` adds a type), else None.

    Attributes:
        references: What is at a pointer.
        applied: What applies in place of a schema.
        chains: What schemas say of the content of strings.
        types: Which types they allow.
    """

    def __init__(self, source: Source, version: Literal["3.0"] | None = None) -> None:
        self.source = source
        self.version = version
        self.references: References = References(source, version)
        self.applied: Applied = Applied(self.references)
        self.chains: Chains = Chains(self.references)
        self.types: Types = Types(self.references, self.applied)
