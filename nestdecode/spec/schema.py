"""
JSON Schema 2020-12 to shapes.

A place is described by any number of schemas at once: what ``$ref`` points to, the
branches of ``anyOf``, the members of ``allOf``. So a shape is built from a *state*, a
graph of ``any`` and ``all`` over pointers to schemas, as a subset construction builds a
deterministic automaton from one that is not. Equal states are one shape; that is what
makes recursive schemas finite. A subset construction can explode, so all work is counted,
and a spec that takes too much is an error at the schema that was at work. Validators
leave content keywords to the application (2020-12 validation, section 8); this is the
application.
"""

from __future__ import annotations

import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from functools import wraps
from typing import Any, Literal, TypeVar
from urllib.parse import unquote

from nestdecode.codecs import CODECS, ENCODINGS
from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.pattern import Pattern
from nestdecode.spec.regular import PatternError
from nestdecode.spec.shape import Alternative, Shape, read_policy, read_style
from nestdecode.spec.state import FREE, All, Asked, Children, Either, Free, Own, State, States
from nestdecode.spec.text import Source
from nestdecode.words import nearest

__all__ = ["NODE_KEYS", "Schemas", "media_codecs"]

NODE_KEYS = ("on-error", "style", "codecs", "contentSchema")
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
CONTAINERS = frozenset({"object", "array"})
MAX_NESTING = 100
MAX_PATTERNS = 32

# Keywords that say nothing about a value.
ANNOTATIONS = frozenset(
    "title description $comment default examples example deprecated readOnly writeOnly "
    "$id $schema $anchor $dynamicAnchor $defs definitions $vocabulary externalDocs xml".split()
)


def media_codecs(media_type: str) -> tuple[str, ...] | None:
    """
    Return the codecs of a media type after any encoding, or None if it is not JSON.

    Raises:
        SpecError: If it names a charset other than UTF-8.
    """
    essence, *parameters = (part.strip().lower() for part in media_type.split(";"))
    codecs: tuple[str, ...] = ("json",)
    if essence.endswith("+gzip"):
        essence, codecs = essence.removesuffix("+gzip"), ("gzip", "json")
    if essence != "application/json" and not re.fullmatch(r"[^/\s]+/[^/\s]+\+json", essence):
        return None
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "charset" and value.strip(" \"'") not in ("utf-8", "utf8"):
            raise SpecError(f"charset must be utf-8, got {media_type!r}")
    return codecs


_OF_CHILDREN = frozenset(
    "properties patternProperties additionalProperties unevaluatedProperties "
    "items prefixItems contains unevaluatedItems".split()
)

# What ``false`` stands for.
_NEVER: dict[str, Any] = {"not": {}}

T = TypeVar("T")
K = TypeVar("K")


def _once(method: Callable[[Schemas, K], T]) -> Callable[[Schemas, K], T]:
    """Make a method of Schemas remember its answers, for each pointer or state."""
    name = method.__name__

    @wraps(method)
    def answer(self: Schemas, key: K) -> T:
        known = self._answers[name]
        if key not in known:
            known[key] = method(self, key)
        found: T = known[key]
        return found

    return answer


def _type_of(value: Any) -> str:
    if value is None:
        return "null"
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        list: "array",
    }
    return names.get(type(value), "object")


class Schemas:
    """
    The schemas of one document, and the shapes built from them.

    Args:
        source: The document.
        version: OpenAPI's minor version for a 3.0 document (where a ``$ref``
            hides its siblings and ``nullable`` adds a type), else None.
    """

    def __init__(self, source: Source, version: Literal["3.0"] | None = None) -> None:
        self.source = source
        self.version = version
        self.states: States = States(lambda work: source.spend(work, self._place))
        self._answers: defaultdict[str, dict[Any, Any]] = defaultdict(dict)
        self._shapes: dict[State, Shape] = {}
        self._unfilled: deque[tuple[Shape, State]] = deque()
        # The members of an object of the document, by its id: their places among them.
        self._order: dict[int, dict[str, int]] = {}
        # The schema that is at work, for the error if it is too much.
        self._place = ""

    # What is at a pointer

    def value(self, pointer: str) -> Any:
        """Return the value at *pointer* in the document, or raise KeyError."""
        value = self.source.value
        for token in split_pointer(pointer):
            if isinstance(value, list):
                if not re.fullmatch(r"0|[1-9][0-9]{0,8}", token) or int(token) >= len(value):
                    raise KeyError(token)
                value = value[int(token)]
            elif isinstance(value, dict):
                value = value[token]
            else:
                raise KeyError(token)
        return value

    @_once
    def schema(self, pointer: str) -> dict[str, Any]:
        """
        Return the schema at *pointer*; ``true`` as ``{}``, ``false`` as ``{"not": {}}``.

        Raises:
            SpecError: If no schema is there, or one that leaves the document.
        """
        self.source.spend(5 + len(pointer) // 64, pointer)
        value = self.value(pointer)
        if value is True:
            return {}
        if value is False:
            return _NEVER
        if not isinstance(value, dict):
            found = _type_of(value)
            raise self.source.error(f"expected a schema (object or boolean), got {found}", pointer)
        if "$dynamicRef" in value or "$recursiveRef" in value:
            raise self.source.error("$dynamicRef is not read: use $ref", pointer)
        if pointer and not str(value.get("$id", "#")).startswith("#"):
            raise self.source.error(
                "a nested $id names another document: use #/$defs and $ref", pointer
            )
        return value

    def resolve(self, reference: Any, pointer: str, key: str = "$ref") -> str:
        """
        Return the pointer that a ``$ref``, or another *key*, at *pointer* means.

        Raises:
            SpecError: If it leads outside the document, or to nothing.
        """
        here = f"{pointer}/{key}"
        if not isinstance(reference, str):
            raise self.source.error(f"expected a string, got {_type_of(reference)}", here)
        self.source.spend(5 + len(reference) // 64, here)
        document, _, fragment = reference.partition("#")
        own = self.source.value.get("$id") if isinstance(self.source.value, dict) else None
        if document and document != (own.rstrip("#") if isinstance(own, str) else None):
            raise self.source.error(
                f"{key} leads outside the document: {reference!r}; nothing is fetched",
                here,
            )
        fragment = unquote(fragment)
        if fragment and not fragment.startswith("/"):
            target = self._anchor(fragment)
        else:
            target = join_pointer(split_pointer(fragment))
            try:
                self.value(target)
            except KeyError:
                target = None
        if target is None:
            raise self.source.error(f"{key} leads to nothing: {reference!r}", here)
        return target

    def _anchor(self, name: str) -> str | None:
        return self._anchors("").get(name)

    @_once
    def _anchors(self, pointer: str) -> dict[str, str]:
        """Return the pointers of the anchors at and below a pointer."""
        found: dict[str, str] = {}
        path: list[str] = []

        def visit(value: Any) -> None:
            self.source.spend(1, pointer)
            if isinstance(value, dict):
                for key in ("$anchor", "$dynamicAnchor"):
                    if isinstance(value.get(key), str):
                        self.source.spend(len(path), pointer)
                        found[value[key]] = pointer + join_pointer(path)
            for step, child in _members_of(value):
                if isinstance(child, (dict, list)):
                    path.append(step)
                    visit(child)
                    path.pop()

        visit(self.value(pointer))
        return found

    # What applies at a place

    @_once
    def _whole(self, pointer: str) -> State:
        return self.states.schema(pointer, never=self.schema(pointer) == _NEVER)

    def look_into(self, state: State | None) -> State | None:
        """Replace the whole schemas of *state* by what applies in place, ``$ref`` followed."""
        return None if state is None else self._looked_into(state)

    @_once
    def _looked_into(self, state: State) -> State | None:
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._looked_into, state.parts))
        if isinstance(state, Asked):
            inner = self._looked_into(state.part)
            return inner and self.states.asked(inner)
        return state if isinstance(state, (Own, Free)) else self._applied(state.pointer)

    def applied(self, pointer: str) -> tuple[str, ...]:
        """Return the pointers of the schemas that apply in place of one."""
        return self.states.owns(self._applied(pointer))

    @_once
    def _applied(self, pointer: str) -> State | None:
        """
        Return what applies in place of a whole schema.

        A schema that leads back to itself in place, which JSON Schema leaves undefined
        (core, section 9.4.1), says nothing more there. Schemas that lead to one another
        are gone through once for each of them, not once for each way between them.
        """
        home = self._circle(pointer)
        known: dict[str, State | None] = {}

        def applied(pointer: str) -> State | None:
            if self._circle(pointer) != home:
                return self._applied(pointer)
            if pointer not in known:
                known[pointer] = None  # while it is looked into
                known[pointer] = self._joined(pointer, applied)
            return known[pointer]

        return applied(pointer)

    def _joined(self, pointer: str, applied: Callable[[str], State | None]) -> State | None:
        """Join a schema's own keywords with what *applied* says of its subschemas."""
        schema, combine = self.schema(pointer), self.states.combine
        if "$ref" in schema and self.version == "3.0":
            # A Reference Object has no other members.
            return applied(self.resolve(schema["$ref"], pointer))
        self._place = pointer
        own = self.states.own(pointer, never=schema == _NEVER)
        parts: list[State | None] = [own]
        if "$ref" in schema:
            parts.append(applied(self.resolve(schema["$ref"], pointer)))

        def branches(key: str) -> list[State | None]:
            return [applied(branch) for branch in self._list(schema, key, pointer)]

        parts += branches("allOf")
        parts.append(combine(Either, branches("anyOf")))
        parts.append(combine(Either, branches("oneOf")))
        if "if" in schema:
            asked = applied(f"{pointer}/if")
            then = applied(f"{pointer}/then") if "then" in schema else None
            other = applied(f"{pointer}/else") if "else" in schema else None
            parts.append(asked and self.states.asked(asked))
            parts.append(combine(Either, [then or FREE, other or FREE]))
        for child in self._map(schema, "dependentSchemas", pointer).values():
            parts.append(combine(Either, [applied(child), FREE]))
        return combine(All, parts)

    def _circle(self, pointer: str) -> int:
        """Return a number that those schemas share that lead to one another in place."""
        circles: dict[str, int] = self._answers["_circle"]
        if pointer not in circles:
            self._find_circles(pointer, circles)
        return circles[pointer]

    def _find_circles(self, pointer: str, circles: dict[str, int]) -> None:
        # Tarjan's algorithm: the least number that a schema leads back to.
        numbers: dict[str, int] = {}
        path: list[str] = []

        def visit(pointer: str, depth: int) -> int:
            if depth > MAX_NESTING:
                raise self.source.error("$ref and allOf are nested too deep", pointer)
            number = least = numbers[pointer] = len(circles) + len(path)
            path.append(pointer)
            subschemas: list[str] = []
            self._joined(pointer, subschemas.append)
            self.source.spend(1 + len(subschemas), pointer)
            for child in subschemas:
                if child in circles:
                    continue
                if child not in numbers:
                    least = min(least, visit(child, depth + 1))
                else:
                    least = min(least, numbers[child])
            if least == number:
                while True:
                    last = path.pop()
                    circles[last] = number
                    if last == pointer:
                        break
            return least

        visit(pointer, 0)

    def _list(self, schema: dict[str, Any], key: str, pointer: str) -> list[str]:
        value = schema.get(key, [])
        here = f"{pointer}/{key}"
        if not isinstance(value, list):
            hint = ": a schema for each index is prefixItems" if key == "items" else ""
            raise self.source.error(f"expected an array, got {_type_of(value)}{hint}", here)
        return [f"{here}/{index}" for index in range(len(value))]

    def _map(self, schema: dict[str, Any], key: str, pointer: str) -> dict[str, str]:
        return self._pointers(f"{pointer}/{key}") if key in schema else {}

    @_once
    def _pointers(self, pointer: str) -> dict[str, str]:
        """Return the pointers of an object's members, by name."""
        value = self.value(pointer)
        if not isinstance(value, dict):
            raise self.source.error(f"expected an object, got {_type_of(value)}", pointer)
        self.source.spend(len(value) * (1 + len(pointer) // 64), pointer)
        return {name: pointer + join_pointer([name]) for name in value}

    # What a schema's own keywords say

    @_once
    def types(self, pointer: str) -> frozenset[str]:
        """Return the types that a schema's own keywords allow."""
        schema = self.schema(pointer)
        if schema.get("not") in ({}, True):
            return frozenset()
        allowed = TYPES
        if "type" in schema:
            allowed &= self._named_types(schema, pointer)
        if "const" in schema:
            allowed &= _widened({_type_of(schema["const"])})
        if isinstance(schema.get("enum"), list):
            self.source.spend(len(schema["enum"]), pointer)
            allowed &= _widened({_type_of(value) for value in schema["enum"]})
        return allowed

    def _named_types(self, schema: dict[str, Any], pointer: str) -> frozenset[str]:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        for name in names:
            if not isinstance(name, str) or name not in TYPES:
                raise self.source.error(
                    f"unknown type {name!r}{nearest(name, TYPES)}", f"{pointer}/type"
                )
        if self.version == "3.0" and schema.get("nullable") is True:
            names = [*names, "null"]
        return _widened(names)

    @_once
    def _allowed(self, state: State | None) -> frozenset[str]:
        """Return the types that a state, looked into, does not exclude."""
        if isinstance(state, Either):
            return frozenset().union(*map(self._allowed, state.parts))
        if isinstance(state, All):
            return TYPES.intersection(*map(self._allowed, state.parts))
        return self.types(state.pointer) if isinstance(state, Own) else TYPES

    @_once
    def _named(self, state: State | None) -> frozenset[str]:
        if isinstance(state, (Either, All)):
            return frozenset().union(*map(self._named, state.parts))
        if not isinstance(state, Own):
            return frozenset()
        schema = self.schema(state.pointer)
        said = any(key in schema for key in ("type", "const", "enum"))
        return self.types(state.pointer) if said else frozenset()

    def admits(self, content: str | None) -> frozenset[str]:
        """Return the types that the value of a content schema may have, if there is one."""
        return self._admits(FREE if content is None else self._whole(content))

    def _admits(self, content: State) -> frozenset[str]:
        # Scalars only if they are named.
        inside = self.look_into(content)
        allowed = self._allowed(inside)
        return (allowed & CONTAINERS) | (allowed & self._named(inside))

    @_once
    def chain(self, pointer: str) -> tuple[tuple[str, ...], str | None] | None:
        """
        Return the codecs that a schema's own keywords declare, and its content schema.

        Raises:
            SpecError: If they can't be a chain.
        """
        schema = self.schema(pointer)
        extension = self.extension(schema, pointer)
        keys = ("contentMediaType", "contentEncoding", "contentSchema")
        content = {
            key: name for key in keys for name in (f"x-jsonschema-{key}", key) if name in schema
        }
        if "codecs" in extension:
            here = f"{pointer}/x-nestdecode"
            if content:
                beside = next(iter(content.values()))
                raise self.source.error(f"codecs beside {beside}: write one of them", here)
            codecs = self.check_chain(extension["codecs"], f"{here}/codecs")
            inner = f"{here}/contentSchema" if "contentSchema" in extension else None
            if inner is not None and codecs[-1] != "json":
                reason = "the chain ends in text, which has no schema: end it in json"
                raise self.source.error(reason, inner)
            return codecs, inner
        if "contentSchema" in extension:
            raise self.source.error(
                "contentSchema here belongs to codecs; write it beside contentMediaType",
                f"{pointer}/x-nestdecode/contentSchema",
            )
        if "contentMediaType" not in content:
            return None
        media = content["contentMediaType"]
        if not isinstance(schema[media], str):
            found = _type_of(schema[media])
            raise self.source.error(f"expected a string, got {found}", f"{pointer}/{media}")
        try:
            codecs_after = media_codecs(schema[media])
        except SpecError as error:
            raise self.source.error(error.reason, f"{pointer}/{media}") from None
        if codecs_after is None:
            return None
        codecs = codecs_after
        if "contentEncoding" in content:
            here = f"{pointer}/{content['contentEncoding']}"
            name = schema[content["contentEncoding"]]
            if not isinstance(name, str) or name.lower() not in ENCODINGS:
                raise self.source.error(
                    f"unknown encoding {name!r}{nearest(name, ENCODINGS)}", here
                )
            encoding = ENCODINGS[name.lower()]
            codecs = codecs if encoding is None else (encoding, *codecs)
        if codecs[0] == "gzip":
            raise self.source.error(
                "gzip gives bytes, which a string can't hold: add contentEncoding: base64",
                f"{pointer}/{media}",
            )
        inner = f"{pointer}/{content['contentSchema']}" if "contentSchema" in content else None
        return codecs, inner

    def check_chain(self, written: Any, pointer: str) -> tuple[str, ...]:
        """
        Read a chain of codecs, ``base64 | gzip | json``; json may only be its end.

        Raises:
            SpecError: If it names no codec, or one that can't follow another.
        """
        if not isinstance(written, str):
            raise self.source.error(
                f"expected codecs, as in 'base64 | json', got {_type_of(written)}",
                pointer,
            )
        names = tuple(part.strip() for part in written.split("|"))
        for index, name in enumerate(names):
            if name not in CODECS:
                raise self.source.error(f"unknown codec {name!r}{nearest(name, CODECS)}", pointer)
            if CODECS[name].takes == "bytes" and index == 0:
                raise self.source.error(
                    f"{name} opens bytes, which a string can't hold: begin with base64",
                    pointer,
                )
            if name == "json" and index < len(names) - 1:
                raise self.source.error(
                    "json is the end of a chain here: describe what follows in contentSchema",
                    pointer,
                )
        return names

    def extension(self, schema: dict[str, Any], pointer: str) -> dict[str, Any]:
        """Return a node's ``x-nestdecode``, checked. The root's holds document keys too."""
        extension = schema.get("x-nestdecode", {})
        here = f"{pointer}/x-nestdecode"
        if not isinstance(extension, dict):
            raise self.source.error(f"expected an object, got {_type_of(extension)}", here)
        if pointer != "":
            for key in extension:
                if key == "redact":
                    reason = "redact is reserved: this version does not redact"
                    raise self.source.error(reason, f"{here}/redact")
                if key not in NODE_KEYS:
                    raise self.source.error(
                        f"unknown key {key!r}{nearest(key, NODE_KEYS)}",
                        here + join_pointer([key]),
                    )
        return extension

    def names_policy(self, pointer: str) -> bool:
        """Tell whether a node names a policy; that of the root is the document's."""
        return pointer != "" and "on-error" in self.extension(self.schema(pointer), pointer)

    # Shapes

    def shape(self, pointer: str) -> Shape:
        """Build the shape of what the schema at *pointer* describes."""
        root = self._shape(self._whole(pointer))
        # One after the other: schemas may be nested deeper than Python calls.
        while self._unfilled:
            shape, state = self._unfilled.popleft()
            own = self.look_into(state)
            shape.places = self.states.owns(own)
            self._place = next(iter(shape.places), pointer)
            self.source.spend(40 + 4 * len(shape.places), self._place)
            self._fill_string(shape, own)
            self._fill_children(shape, own)
            shape.declared = any(map(self._says_something, shape.places))
        return root

    def _shape(self, state: State) -> Shape:
        state = self._bounded(state)
        shape = self._shapes.get(state)
        if shape is None:
            shape = self._shapes[state] = Shape((), {}, (), None, (), None, (), True, None, False)
            self._unfilled.append((shape, state))
        return shape

    @_once
    def _bounded(self, state: State) -> State:
        return self.states.bounded(self._settled(state), self._position, self._whole)

    @_once
    def _position(self, pointer: str) -> tuple[int, ...]:
        """Return where a schema stands in the document, to sort by."""
        value, position = self.source.value, []
        for token in split_pointer(pointer):
            self.source.spend(1, pointer)
            if isinstance(value, list):
                position.append(int(token))
                value = value[int(token)]
            else:
                order = self._order.get(id(value))
                if order is None:
                    order = self._order[id(value)] = {key: n for n, key in enumerate(value)}
                position.append(order[token])
                value = value[token]
        return tuple(position)

    @_once
    def _settled(self, state: State) -> State:
        """Replace schemas that only refer by what they refer to."""
        if isinstance(state, (Either, All)):
            return self.states.combine(type(state), map(self._settled, state.parts)) or FREE
        if isinstance(state, Asked):
            return self.states.asked(self._settled(state.part))
        return state if isinstance(state, (Own, Free)) else self._whole(self._target(state.pointer))

    @_once
    def _target(self, pointer: str) -> str:
        """Return the pointer of the schema that one refers to, if it does nothing else."""
        seen = {pointer}
        while True:
            schema = self.schema(pointer)
            if "$ref" not in schema or (
                self.version != "3.0" and set(schema) - ANNOTATIONS > {"$ref"}
            ):
                return pointer
            pointer = self.resolve(schema["$ref"], pointer)
            if pointer in seen:
                return pointer
            seen.add(pointer)

    def _optional(self, state: State | None) -> Shape | None:
        return self._shape(state) if state is not None and self.states.owns(state) else None

    @_once
    def _says_something(self, pointer: str) -> bool:
        schema = self.schema(pointer)
        if pointer == "" and "codecs" not in self.extension(schema, pointer):
            schema = {key: value for key, value in schema.items() if key != "x-nestdecode"}
        return any(
            key not in ANNOTATIONS
            and (not key.startswith("x-") or key.startswith(("x-nestdecode", "x-jsonschema-")))
            for key in schema
        )

    def _fill_string(self, shape: Shape, own: State | None) -> None:
        shape.plain = self._plain(own)
        shape.alternatives = tuple(
            Alternative(
                codecs,
                self._admits(content) if codecs[-1] == "json" else frozenset({"string"}),
                self._optional(content),
            )
            for codecs, content in self._contents(own).items()
        )
        for pointer in shape.places:
            extension = self.extension(self.schema(pointer), pointer)
            if "style" in extension:
                here = f"{pointer}/x-nestdecode/style"
                style = read_style(extension["style"], self.source, here)
                if shape.style not in (None, style):
                    reason = f"style is {shape.style} and {style} for the same place"
                    raise self.source.error(reason, here)
                shape.style = style
            if self.names_policy(pointer):
                here = f"{pointer}/x-nestdecode/on-error"
                policy = read_policy(extension["on-error"], self.source, here)
                if shape.on_error not in (None, policy):
                    raise self.source.error(
                        f"on-error is {shape.on_error} and {policy} for the same place", here
                    )
                shape.on_error = policy

    @_once
    def _contents(self, state: State | None) -> dict[tuple[str, ...], State]:
        """Return the chains that a state declares, in order, with what each decodes to."""
        if isinstance(state, Asked):
            return self._contents(state.part)
        if isinstance(state, Own):
            chain = self.chain(state.pointer)
            if chain is None:
                return {}
            return {chain[0]: FREE if chain[1] is None else self._whole(chain[1])}
        found: dict[tuple[str, ...], list[State]] = {}
        held: set[tuple[str, ...]] = set()
        for part in state.parts if isinstance(state, (Either, All)) else ():
            for codecs, content in self._contents(part).items():
                found.setdefault(codecs, []).append(content)
                if isinstance(state, All) and not isinstance(part, Asked):
                    held.add(codecs)
        self.source.spend(len(found), self._place)
        return {
            codecs: self.states.combine(All if codecs in held else Either, contents) or FREE
            for codecs, contents in found.items()
        }

    @_once
    def _plain(self, state: State | None) -> Literal[True] | frozenset[str]:
        """Return the strings that may stay: all, or those that a schema lists."""
        if isinstance(state, All):
            result: Literal[True] | frozenset[str] = True
            for plain in map(self._plain, state.parts):
                if plain is not True:
                    result = plain if result is True else result & plain
            return result
        if isinstance(state, Either):
            listed: set[str] = set()
            for plain in map(self._plain, state.parts):
                if plain is True:
                    return True
                listed |= plain
            self.source.spend(len(listed), self._place)
            return frozenset(listed)
        if not isinstance(state, Own):
            return True  # a condition keeps nothing out
        schema = self.schema(state.pointer)
        if self.chain(state.pointer) is not None or "string" not in self.types(state.pointer):
            return frozenset()
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            return frozenset(value for value in values if isinstance(value, str))
        return frozenset({""}) if schema.get("maxLength") == 0 else True

    def _fill_children(self, shape: Shape, own: State | None) -> None:
        views = self._views(own)
        if not any(self._has_children(pointer) for v in views for pointer in self.states.owns(v)):
            return
        places = [pointer for view in views for pointer in self.states.owns(view)]
        names: dict[str, None] = {}
        patterns: dict[str, Pattern] = {}
        prefix = 0
        self.source.spend(len(places), self._place)
        for pointer in places:
            schema = self.schema(pointer)
            names.update(dict.fromkeys(self._map(schema, "properties", pointer)))
            for pattern, where in self._map(schema, "patternProperties", pointer).items():
                patterns.setdefault(pattern, self._pattern(where))
                if len(patterns) > MAX_PATTERNS:
                    raise self.source.error(
                        f"more than {MAX_PATTERNS} patterns for the names of one object", where
                    )
            prefix = max(prefix, len(self._list(schema, "prefixItems", pointer)))

        def members(pointer: str) -> Children[str]:
            return self._members(pointer, names, patterns)

        member = self._child(views, members, "unevaluatedProperties")
        shape.names = {name: found for name in names if (found := member(name))}
        shape.rest = member(None)
        if patterns:
            matching = self._child(views, self._matching, "unevaluatedProperties")
            shape.patterns = tuple(
                (pattern, found) for key, pattern in patterns.items() if (found := matching(key))
            )
        element = self._child(views, self._elements, "unevaluatedItems")
        shape.prefix = tuple(map(element, range(prefix)))
        shape.items = element(None)

    def _child(
        self, views: list[State], of: Callable[[str], Children[K]], unevaluated: str
    ) -> Callable[[K | None], Shape | None]:
        """
        Return what gives the shape of a child by its key, and of every other one by None.

        Args:
            views: What describes the place of the children.
            of: Returns what a schema's own keywords say of the children.
            unevaluated: The keyword for children of which nothing in place says anything.
        """
        combine, owns = self.states.combine, self.states.owns
        found = [self.states.children(view, of) for view in views]

        def left_over(pointer: str) -> Children[K]:
            here = f"{pointer}/{unevaluated}"
            return {}, self._whole(here) if unevaluated in self.schema(pointer) else None

        left = combine(Either, [self.states.children(view, left_over)[1] for view in views])

        def child(key: K | None) -> Shape | None:
            state = combine(
                Either, [rest if key is None else named.get(key, rest) for named, rest in found]
            )
            return self._optional(state if owns(state) else left)

        return child

    def _views(self, own: State | None) -> list[State]:
        """Return a state, and the states of what its strings decode to, and so on."""
        views: dict[State, None] = {}
        waiting = [own]
        while waiting:
            view = waiting.pop(0)
            if view is None or view in views:
                continue
            views[view] = None
            contents = map(self._bounded, self._contents(view).values())
            waiting += map(self.look_into, contents)
        self.source.spend(len(views), self._place)
        return list(views)

    @_once
    def _has_children(self, pointer: str) -> bool:
        return not _OF_CHILDREN.isdisjoint(self.schema(pointer))

    @_once
    def _pattern(self, pointer: str) -> Pattern:
        """Compile the pattern that is the last token of a pointer."""
        text = split_pointer(pointer)[-1]
        try:
            return Pattern(text, lambda work: self.source.spend(work, pointer))
        except PatternError as error:
            reason = f"pattern does not compile: {error}"
        raise self.source.error(reason, pointer)

    def _members(
        self, pointer: str, names: Iterable[str], patterns: dict[str, Pattern]
    ) -> Children[str]:
        """Return what own keywords say of members: of these *names*, and of all others."""
        known = self._map(self.schema(pointer), "patternProperties", pointer)
        if not known:
            return self._properties(pointer)
        properties, rest = self._properties(pointer)
        named: dict[str, State | None] = {}
        for name in names:
            self.source.spend(len(known) * (1 + len(name) // 16), pointer)
            parts = [properties[name]] if name in properties else []
            parts += [self._whole(at) for key, at in known.items() if patterns[key].search(name)]
            if parts:
                named[name] = self.states.combine(All, parts)
        return named, rest

    @_once
    def _properties(self, pointer: str) -> Children[str]:
        schema = self.schema(pointer)
        properties = self._map(schema, "properties", pointer)
        self.source.spend(4 * len(properties), pointer)
        return {name: self._whole(at) for name, at in properties.items()}, self._rest(pointer)

    @_once
    def _matching(self, pointer: str) -> Children[str]:
        """Return what own keywords say of members that match a pattern."""
        patterns = self._map(self.schema(pointer), "patternProperties", pointer)
        return {key: self._whole(at) for key, at in patterns.items()}, self._rest(pointer)

    def _rest(self, pointer: str) -> State | None:
        given = "additionalProperties" in self.schema(pointer)
        return self._whole(f"{pointer}/additionalProperties") if given else None

    @_once
    def _elements(self, pointer: str) -> Children[int]:
        """Return what own keywords say of elements."""
        schema = self.schema(pointer)
        prefix = self._list(schema, "prefixItems", pointer)
        if isinstance(schema.get("items"), list):
            raise self.source.error(
                "expected a schema, got array: a schema for each index is prefixItems",
                f"{pointer}/items",
            )
        parts = [self._whole(f"{pointer}/items")] if "items" in schema else []
        if "contains" in schema:
            contained = self.states.combine(Either, [self._whole(f"{pointer}/contains"), FREE])
            parts += [contained] if contained else []
        self.source.spend(4 * len(prefix), pointer)
        return dict(enumerate(map(self._whole, prefix))), self.states.combine(All, parts)


def _members_of(value: Any) -> Iterator[tuple[str, Any]]:
    """Go through what a value of the document holds, with the last tokens of pointers."""
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from ((str(index), child) for index, child in enumerate(value))


def _widened(names: Iterable[str]) -> frozenset[str]:
    # Every integer is a number (2020-12 validation, section 6.1.1).
    found = frozenset(names)
    return found | {"integer"} if "number" in found else found
