"""
JSON Schema 2020-12 to shapes.

A place is described by any number of schemas at once: what ``$ref`` points to, the
branches of ``anyOf``, the members of ``allOf``. So a shape is built from a *state*, a
tree of ``any`` and ``all`` over pointers to schemas, as a subset construction builds a
deterministic automaton from one that is not. Equal states are one shape; that is what
makes recursive schemas finite. Validators leave content keywords to the application
(2020-12 validation, section 8); this is the application.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal, cast
from urllib.parse import unquote

from nestdecode.codecs import CODECS, ENCODINGS
from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.shape import POLICIES, Alternative, Policy, Shape
from nestdecode.spec.text import Source
from nestdecode.spec.words import nearest

__all__ = ["NODE_KEYS", "Schemas", "media_codecs"]

NODE_KEYS = ("on-error", "codecs", "contentSchema")
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
CONTAINERS = frozenset({"object", "array"})
MAX_WORK = 200_000

# Keywords that say nothing about a value.
ANNOTATIONS = frozenset(
    "title description $comment default examples example deprecated readOnly writeOnly "
    "$id $schema $anchor $dynamicAnchor $defs definitions $vocabulary externalDocs xml".split()
)


@dataclass(frozen=True, slots=True)
class Either:
    """One of several schemas holds."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Several schemas hold together."""

    parts: tuple[State, ...]


@dataclass(frozen=True, slots=True)
class Own:
    """A schema's own keywords, without those that apply other schemas in place."""

    pointer: str


class Free:
    """Nothing is asked: the branch of a condition that was not written."""


# A pointer stands for a whole schema, not yet looked into.
State = str | Either | All | Own | type[Free]


def _combine(kind: type[Either] | type[All], parts: Iterable[State | None]) -> State | None:
    flat: dict[State, None] = {}
    for part in parts:
        if isinstance(part, kind):
            flat.update(dict.fromkeys(part.parts))
        elif part is not None:
            flat[part] = None
    if len(flat) < 2:
        return next(iter(flat), None)
    return kind(tuple(flat))


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
        self._shapes: dict[State, Shape] = {}
        self._anchors: dict[str, str] | None = None
        self._work = 0

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

    def schema(self, pointer: str) -> dict[str, Any]:
        """
        Return the schema at *pointer*; ``true`` as ``{}``, ``false`` as ``{"not": {}}``.

        Raises:
            SpecError: If no schema is there, or one that leaves the document.
        """
        self._work += 1
        if self._work > MAX_WORK:
            raise self.source.error("too many combinations of schemas", pointer)
        value = self.value(pointer)
        if value is True:
            return {}
        if value is False:
            return {"not": {}}
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

    def resolve(self, reference: Any, pointer: str) -> str:
        """
        Return the pointer that a ``$ref`` at *pointer* means.

        Raises:
            SpecError: If it leads outside the document, or to nothing.
        """
        here = f"{pointer}/$ref"
        if not isinstance(reference, str):
            raise self.source.error(f"expected a string, got {_type_of(reference)}", here)
        document, _, fragment = reference.partition("#")
        own = self.source.value.get("$id") if isinstance(self.source.value, dict) else None
        if document and document != (own.rstrip("#") if isinstance(own, str) else None):
            raise self.source.error(
                f"$ref leads outside the document: {reference!r}; nothing is fetched",
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
            raise self.source.error(f"$ref leads to nothing: {reference!r}", here)
        return target

    def _anchor(self, name: str) -> str | None:
        if self._anchors is None:
            self._anchors = {}
            stack: list[tuple[str, Any]] = [("", self.source.value)]
            while stack:
                pointer, value = stack.pop()
                if isinstance(value, dict):
                    for key in ("$anchor", "$dynamicAnchor"):
                        if isinstance(value.get(key), str):
                            self._anchors[value[key]] = pointer
                    stack += [(pointer + join_pointer([k]), v) for k, v in value.items()]
                elif isinstance(value, list):
                    stack += [(f"{pointer}/{i}", v) for i, v in enumerate(value)]
        return self._anchors.get(name)

    # What applies at a place

    def look_into(self, state: State | None) -> State | None:
        """Replace the pointers of *state* by what applies in place, ``$ref`` followed."""
        return self._look_into(state, frozenset())

    def _look_into(self, state: State | None, active: frozenset[str]) -> State | None:
        if isinstance(state, (Either, All)):
            kind = type(state)
            return _combine(kind, [self._look_into(part, active) for part in state.parts])
        if not isinstance(state, str):
            return state
        if state in active:
            return None  # a $ref that leads back to itself in place says nothing more
        pointer, active = state, active | {state}
        if len(active) > 200:
            raise self.source.error("$ref and allOf are nested too deep", pointer)
        schema = self.schema(pointer)
        parts: list[State | None] = [Own(pointer)]
        if "$ref" in schema:
            target = self.resolve(schema["$ref"], pointer)
            if self.version == "3.0":  # a Reference Object has no other members
                return self._look_into(target, active)
            parts.append(self._look_into(target, active))

        def branches(key: str) -> list[State | None]:
            return [self._look_into(p, active) for p in self._list(schema, key, pointer)]

        parts += branches("allOf")
        parts.append(_combine(Either, branches("anyOf")))
        parts.append(_combine(Either, branches("oneOf")))
        if "if" in schema:
            then = [
                self._look_into(f"{pointer}/{k}", active) for k in ("if", "then") if k in schema
            ]
            other = self._look_into(f"{pointer}/else", active) if "else" in schema else Free
            parts.append(_combine(Either, [_combine(All, then), other]))
        for child in self._map(schema, "dependentSchemas", pointer).values():
            parts.append(_combine(Either, [self._look_into(child, active), Free]))
        return _combine(All, parts)

    def _list(self, schema: dict[str, Any], key: str, pointer: str) -> list[str]:
        value = schema.get(key, [])
        here = f"{pointer}/{key}"
        if not isinstance(value, list):
            hint = ": a schema for each index is prefixItems" if key == "items" else ""
            raise self.source.error(f"expected an array, got {_type_of(value)}{hint}", here)
        return [f"{here}/{index}" for index in range(len(value))]

    def _map(self, schema: dict[str, Any], key: str, pointer: str) -> dict[str, str]:
        value = schema.get(key, {})
        here = f"{pointer}/{key}"
        if not isinstance(value, dict):
            raise self.source.error(f"expected an object, got {_type_of(value)}", here)
        return {name: here + join_pointer([name]) for name in value}

    def _project(self, state: State | None, child: Callable[[str], State | None]) -> State | None:
        """Map each schema's own keywords to a state for a child place."""
        if isinstance(state, (Either, All)):
            return _combine(type(state), [self._project(p, child) for p in state.parts])
        return child(state.pointer) if isinstance(state, Own) else state

    def _owns(self, state: State | None) -> list[str]:
        if isinstance(state, (Either, All)):
            found: dict[str, None] = {}
            for part in state.parts:
                found.update(dict.fromkeys(self._owns(part)))
            return list(found)
        return [state.pointer] if isinstance(state, Own) else []

    # What a schema's own keywords say

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
            allowed &= _widened({_type_of(value) for value in schema["enum"]})
        return allowed

    def _named_types(self, schema: dict[str, Any], pointer: str) -> frozenset[str]:
        names = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        for name in names:
            if name not in TYPES:
                raise self.source.error(
                    f"unknown type {name!r}{nearest(name, TYPES)}", f"{pointer}/type"
                )
        if self.version == "3.0" and schema.get("nullable") is True:
            names = [*names, "null"]
        return _widened(names)

    def allowed(self, state: State | None) -> frozenset[str]:
        """Return the types that a state, looked into, does not exclude."""
        if isinstance(state, Either):
            return frozenset().union(*map(self.allowed, state.parts))
        if isinstance(state, All):
            return TYPES.intersection(*map(self.allowed, state.parts))
        return self.types(state.pointer) if isinstance(state, Own) else TYPES

    def _named(self, state: State | None) -> frozenset[str]:
        if isinstance(state, (Either, All)):
            return frozenset().union(*map(self._named, state.parts))
        if not isinstance(state, Own):
            return frozenset()
        schema = self.schema(state.pointer)
        said = any(key in schema for key in ("type", "const", "enum"))
        return self.types(state.pointer) if said else frozenset()

    def admits(self, content: State | None) -> frozenset[str]:
        """Return the types that a decoded value may have; scalars only if named."""
        if content is None:
            return CONTAINERS
        inside = self.look_into(content)
        allowed = self.allowed(inside)
        return (allowed & CONTAINERS) | (allowed & self._named(inside))

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
                if key not in NODE_KEYS:
                    raise self.source.error(
                        f"unknown key {key!r}{nearest(key, NODE_KEYS)}",
                        here + join_pointer([key]),
                    )
        return extension

    def policy(self, value: Any, pointer: str) -> Policy:
        """Read an on-error policy; a present null means ``null``."""
        name = "null" if value is None else value
        if name not in POLICIES:
            raise self.source.error(
                f"unknown policy {value!r}: wanted one of {', '.join(POLICIES)}"
                f"{nearest(value, POLICIES)}",
                pointer,
            )
        return cast(Policy, name)

    # Shapes

    def shape(self, pointer: str) -> Shape:
        """Build the shape of what the schema at *pointer* describes."""
        return self._shape(pointer)

    def _shape(self, state: State) -> Shape:
        known = self._shapes.get(state)
        if known is not None:
            return known
        if len(self._shapes) > 20_000:
            raise self.source.error("too many combinations of schemas", "")
        own = self.look_into(state)
        owns = self._owns(own)
        shape = Shape(tuple(owns), {}, (), None, (), None, (), True, None, False)
        self._shapes[state] = shape  # before its children: they may lead back to it
        self._fill_string(shape, own, owns)
        self._fill_children(shape, own)
        shape.declared = any(self._says_something(p) for p in owns) or len(owns) > 1
        return shape

    def _optional(self, state: State | None) -> Shape | None:
        if state is None or not self._has_pointer(state):
            return None
        return self._shape(state)

    def _has_pointer(self, state: State) -> bool:
        if isinstance(state, (Either, All)):
            return any(map(self._has_pointer, state.parts))
        return isinstance(state, str)

    def _says_something(self, pointer: str) -> bool:
        return any(
            key not in ANNOTATIONS
            and (not key.startswith("x-") or key.startswith(("x-nestdecode", "x-jsonschema-")))
            for key in self.schema(pointer)
        )

    def _fill_string(self, shape: Shape, own: State | None, owns: list[str]) -> None:
        alternatives: dict[tuple[tuple[str, ...], str | None], Alternative] = {}
        for pointer in owns:
            schema = self.schema(pointer)
            chain = self.chain(pointer)
            if chain is not None and chain not in alternatives:
                codecs, content = chain
                ends_in_text = codecs[-1] != "json"
                alternatives[chain] = Alternative(
                    codecs,
                    frozenset({"string"}) if ends_in_text else self.admits(content),
                    None if content is None else self._shape(content),
                )
            extension = self.extension(schema, pointer)
            if "on-error" in extension and (pointer != "" or chain is not None):
                here = f"{pointer}/x-nestdecode/on-error"
                policy = self.policy(extension["on-error"], here)
                if shape.on_error not in (None, policy):
                    raise self.source.error(
                        f"on-error is {shape.on_error} and {policy} for the same place",
                        here,
                    )
                shape.on_error = policy
        shape.alternatives = tuple(alternatives.values())
        shape.plain = self._plain(own)

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
            return frozenset(listed)
        if not isinstance(state, Own):
            return True
        schema = self.schema(state.pointer)
        if self.chain(state.pointer) is not None or "string" not in self.types(state.pointer):
            return frozenset()
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if isinstance(values, list):
            return frozenset(value for value in values if isinstance(value, str))
        return frozenset({""}) if schema.get("maxLength") == 0 else True

    def _fill_children(self, shape: Shape, own: State | None) -> None:
        views = self._views(own)
        owns = [pointer for view in views for pointer in self._owns(view)]
        names: dict[str, None] = {}
        patterns: dict[str, re.Pattern[str]] = {}
        prefix = 0
        for pointer in owns:
            schema = self.schema(pointer)
            names.update(dict.fromkeys(self._map(schema, "properties", pointer)))
            for pattern, where in self._map(schema, "patternProperties", pointer).items():
                patterns.setdefault(pattern, self._regex(pattern, where))
            prefix = max(prefix, len(self._list(schema, "prefixItems", pointer)))

        def child(of: Callable[[str], State | None]) -> Shape | None:
            return self._optional(_combine(Either, [self._project(view, of) for view in views]))

        for name in names:
            member = child(lambda p, n=name: self._member(p, n, patterns))  # type: ignore[misc]
            if member is not None:
                shape.names[name] = member
        found = [
            (regex, child(lambda p, k=key: self._pattern(p, k)))  # type: ignore[misc]
            for key, regex in patterns.items()
        ]
        shape.patterns = tuple((regex, member) for regex, member in found if member)
        shape.rest = child(self._rest)
        shape.prefix = tuple(
            child(lambda p, i=index: self._element(p, i))  # type: ignore[misc]
            for index in range(prefix)
        )
        shape.items = child(lambda p: self._element(p, None))

    def _views(self, own: State | None) -> list[State]:
        """Return a state, and the states of what its strings decode to, and so on."""
        views: dict[State, None] = {}
        waiting = [own]
        while waiting:
            view = waiting.pop(0)
            if view is None or view in views:
                continue
            views[view] = None
            for pointer in self._owns(view):
                chain = self.chain(pointer)
                if chain is not None and chain[1] is not None:
                    waiting.append(self.look_into(chain[1]))
        return list(views)

    def _regex(self, pattern: str, pointer: str) -> re.Pattern[str]:
        if len(pattern) > 1024:
            raise self.source.error("pattern longer than 1024 characters", pointer)
        try:
            return re.compile(pattern)
        except re.error as error:
            reason = f"pattern does not compile: {error.msg}"
        raise self.source.error(reason, pointer)

    def _member(
        self, pointer: str, name: str, patterns: dict[str, re.Pattern[str]]
    ) -> State | None:
        schema = self.schema(pointer)
        parts: list[State | None] = []
        if name in self._map(schema, "properties", pointer):
            parts.append(f"{pointer}/properties{join_pointer([name])}")
        for pattern, where in self._map(schema, "patternProperties", pointer).items():
            if patterns[pattern].search(name):
                parts.append(where)
        return _combine(All, parts) or self._rest(pointer)

    def _pattern(self, pointer: str, pattern: str) -> State | None:
        schema = self.schema(pointer)
        where = self._map(schema, "patternProperties", pointer).get(pattern)
        return where if where is not None else self._rest(pointer)

    def _rest(self, pointer: str) -> State | None:
        schema = self.schema(pointer)
        for key in ("additionalProperties", "unevaluatedProperties"):
            if key in schema:
                return f"{pointer}/{key}"
        return None

    def _element(self, pointer: str, index: int | None) -> State | None:
        schema = self.schema(pointer)
        prefix = self._list(schema, "prefixItems", pointer)
        if index is not None and index < len(prefix):
            return prefix[index]
        if isinstance(schema.get("items"), list):
            raise self.source.error(
                "expected a schema, got array: a schema for each index is prefixItems",
                f"{pointer}/items",
            )
        parts: list[State | None] = []
        for key in ("items", "unevaluatedItems"):
            if key in schema and not parts:
                parts.append(f"{pointer}/{key}")
        if "contains" in schema:
            parts.append(_combine(Either, [f"{pointer}/contains", Free]))
        return _combine(All, parts)


def _widened(names: Iterable[str]) -> frozenset[str]:
    # Every integer is a number (2020-12 validation, section 6.1.1).
    found = frozenset(names)
    return found | {"integer"} if "number" in found else found
