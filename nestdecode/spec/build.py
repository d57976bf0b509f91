"""The shapes of a spec, built from its schemas."""

from __future__ import annotations

from collections import defaultdict, deque

from nestdecode.spec.children import ChildShapes
from nestdecode.spec.once import Answers, once
from nestdecode.spec.references import ANNOTATIONS
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import Shape
from nestdecode.spec.state import State
from nestdecode.spec.strings import StringShapes

__all__ = ["shape_of"]


def shape_of(schemas: Schemas, pointer: str) -> Shape:
    """
    Return the shape of the place that a schema describes.

    Args:
        schemas: The schemas of the document.
        pointer: The pointer of the schema.

    Raises:
        SpecError: If it is wrong, or a schema that it leads to is; or if they take too
            much work.
    """
    return _Shapes(schemas).build(pointer)


class _Shapes:
    """The shapes of one document, by state; each is filled in once."""

    def __init__(self, schemas: Schemas) -> None:
        self.answers: Answers = defaultdict(dict)
        self._schemas = schemas
        self._applied = schemas.applied
        self._known: dict[State, Shape] = {}
        self._unfilled: deque[tuple[Shape, State]] = deque()
        self._strings = StringShapes(schemas, self._of_schemas)
        self._children = ChildShapes(schemas, self._of_schemas)

    def build(self, pointer: str) -> Shape:
        """Return the shape of the schema at *pointer*, and all below it, filled in."""
        source, states = self._schemas.source, self._applied.states
        root = self._shape(self._applied.whole(pointer))
        # A queue, not recursion: schemas can be nested deeper than Python's stack.
        while self._unfilled:
            shape, state = self._unfilled.popleft()
            own = self._applied.look_into(state)
            shape.places = states.pointers(own)
            states.place = next(iter(shape.places), pointer)
            source.spend(40 + 4 * len(shape.places), states.place)
            self._strings.fill(shape, own)
            self._children.fill(shape, self._strings.views(own))
            shape.declared = any(map(self._says_something, shape.places))
        return root

    def _shape(self, state: State) -> Shape:
        state = self._applied.bounded(state)
        shape = self._known.get(state)
        if shape is None:
            shape = self._known[state] = Shape((), {}, (), None, (), None, (), True, None, False)
            self._unfilled.append((shape, state))
        return shape

    def _of_schemas(self, state: State) -> Shape | None:
        return self._shape(state) if self._applied.states.pointers(state) else None

    @once
    def _says_something(self, pointer: str) -> bool:
        """Return whether a schema has a keyword that is not an annotation."""
        schema = self._schemas.references.schema(pointer)
        if pointer == "" and "codecs" not in self._schemas.chains.extension(pointer):
            schema = {key: value for key, value in schema.items() if key != "x-nestdecode"}
        return any(
            key not in ANNOTATIONS
            and (not key.startswith("x-") or key.startswith(("x-nestdecode", "x-jsonschema-")))
            for key in schema
        )
