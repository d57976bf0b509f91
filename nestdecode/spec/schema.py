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
from functools import partial
from typing import Any, Literal
from urllib.parse import unquote

from nestdecode.codecs import CODECS, ENCODINGS
from nestdecode.errors import SpecError
from nestdecode.paths import join_pointer, split_pointer
from nestdecode.spec.shape import Alternative, Shape, read_policy, read_style
from nestdecode.spec.state import (
    All,
    Asked,
    Either,
    Free,
    Own,
    State,
    bounded,
    combine,
    owns,
    project,
)
from nestdecode.spec.text import Source
from nestdecode.words import nearest

__all__ = ["NODE_KEYS", "Schemas", "media_codecs"]

NODE_KEYS = ("on-error", "style", "codecs", "contentSchema")
TYPES = frozenset({"object", "array", "string", "number", "integer", "boolean", "null"})
CONTAINERS = frozenset({"object", "array"})
MAX_WORK = 100_000
MAX_SHAPES = 20_000

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
        self._maps: dict[str, dict[str, str]] = {}
        self._known: dict[str, dict[str, Any]] = {}
        self._looked_into: dict[str, State | None] = {}
        self._unfilled: list[tuple[Shape, State]] = []
        self._positions: dict[str, int] = {}
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
        known = self._known.get(pointer)
        if known is None:
            known = self._known[pointer] = self._schema(pointer)
        return known

    def _schema(self, pointer: str) -> dict[str, Any]:
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

    def resolve(self, reference: Any, pointer: str, key: str = "$ref") -> str:
        """
        Return the pointer that a ``$ref``, or another *key*, at *pointer* means.

        Raises:
            SpecError: If it leads outside the document, or to nothing.
        """
        here = f"{pointer}/{key}"
        if not isinstance(reference, str):
            raise self.source.error(f"expected a string, got {_type_of(reference)}", here)
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
        if isinstance(state, (Either, All)):
            return combine(type(state), map(self.look_into, state.parts))
        if not isinstance(state, str):
            return self._look_into(state, frozenset())
        if state not in self._looked_into:
            self._looked_into[state] = self._look_into(state, frozenset())
        return self._looked_into[state]

    def _look_into(self, state: State | None, active: frozenset[str]) -> State | None:
        if isinstance(state, (Either, All)):
            kind = type(state)
            return combine(kind, [self._look_into(part, active) for part in state.parts])
        if isinstance(state, Asked):
            inner = self._look_into(state.part, active)
            return None if inner is None else Asked(inner)
        if not isinstance(state, str):
            return state
        if state in active:
            return None  # a $ref that leads back to itself in place says nothing more
        pointer, active = state, active | {state}
        self._work += 1
        if len(active) > 100 or self._work > MAX_WORK:
            raise self.source.error("$ref and allOf are nested too deep, or too often", pointer)
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
        parts.append(combine(Either, branches("anyOf")))
        parts.append(combine(Either, branches("oneOf")))
        if "if" in schema:
            asked = self._look_into(f"{pointer}/if", active)
            then = self._look_into(f"{pointer}/then", active) if "then" in schema else None
            other = self._look_into(f"{pointer}/else", active) if "else" in schema else None
            parts.append(None if asked is None else Asked(asked))
            parts.append(combine(Either, [then or Free, other or Free]))
        for child in self._map(schema, "dependentSchemas", pointer).values():
            parts.append(combine(Either, [self._look_into(child, active), Free]))
        return combine(All, parts)

    def _list(self, schema: dict[str, Any], key: str, pointer: str) -> list[str]:
        value = schema.get(key, [])
        here = f"{pointer}/{key}"
        if not isinstance(value, list):
            hint = ": a schema for each index is prefixItems" if key == "items" else ""
            raise self.source.error(f"expected an array, got {_type_of(value)}{hint}", here)
        return [f"{here}/{index}" for index in range(len(value))]

    def _map(self, schema: dict[str, Any], key: str, pointer: str) -> dict[str, str]:
        if key not in schema:
            return {}
        here = f"{pointer}/{key}"
        known = self._maps.get(here)
        if known is None:
            value = schema[key]
            if not isinstance(value, dict):
                raise self.source.error(f"expected an object, got {_type_of(value)}", here)
            known = self._maps[here] = {name: here + join_pointer([name]) for name in value}
        return known

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
            if not isinstance(name, str) or name not in TYPES:
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

    def admits(self, content: State) -> frozenset[str]:
        """Return the types that a decoded value may have; scalars only if named."""
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

    # Shapes

    def shape(self, pointer: str) -> Shape:
        """Build the shape of what the schema at *pointer* describes."""
        root = self._shape(pointer)
        # One after the other: schemas may be nested deeper than Python calls.
        while self._unfilled:
            shape, state = self._unfilled.pop(0)
            own = self.look_into(state)
            shape.places = tuple(owns(own))
            self._fill_string(shape, own)
            self._fill_children(shape, own)
            shape.declared = any(map(self._says_something, shape.places))
        return root

    def _shape(self, state: State) -> Shape:
        state = bounded(self._settled(state), self._position)
        shape = self._shapes.get(state)
        if shape is None:
            if len(self._shapes) > MAX_SHAPES:
                raise self.source.error("too many combinations of schemas", "")
            shape = self._shapes[state] = Shape((), {}, (), None, (), None, (), True, None, False)
            self._unfilled.append((shape, state))
        return shape

    def _position(self, pointer: str) -> int:
        """Return where a schema stands in the document."""
        if not self._positions:
            waiting: list[tuple[str, Any]] = [("", self.source.value)]
            while waiting:
                place, value = waiting.pop()
                self._positions[place] = len(self._positions)
                if isinstance(value, dict):
                    below = [(place + join_pointer([k]), v) for k, v in value.items()]
                elif isinstance(value, list):
                    below = [(f"{place}/{i}", v) for i, v in enumerate(value)]
                else:
                    below = []
                waiting += reversed(below)
        return self._positions.get(pointer, 0)

    def _settled(self, state: State) -> State:
        """Replace pointers to schemas that only refer by what they refer to."""
        if isinstance(state, (Either, All)):
            settled = combine(type(state), map(self._settled, state.parts))
            return Free if settled is None else settled
        if isinstance(state, Asked):
            return Asked(self._settled(state.part))
        if not isinstance(state, str):
            return state
        seen = {state}
        while True:
            schema = self.schema(state)
            if "$ref" not in schema or (
                self.version != "3.0" and set(schema) - ANNOTATIONS > {"$ref"}
            ):
                return state
            state = self.resolve(schema["$ref"], state)
            if state in seen:
                return state
            seen.add(state)

    def _optional(self, state: State | None) -> Shape | None:
        return self._shape(state) if state is not None and owns(state) else None

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
                self.admits(content) if codecs[-1] == "json" else frozenset({"string"}),
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
            # At the root of the document it is that of all layers.
            if "on-error" in extension and pointer != "":
                here = f"{pointer}/x-nestdecode/on-error"
                policy = read_policy(extension["on-error"], self.source, here)
                if shape.on_error not in (None, policy):
                    raise self.source.error(
                        f"on-error is {shape.on_error} and {policy} for the same place", here
                    )
                shape.on_error = policy

    def _contents(self, state: State | None) -> dict[tuple[str, ...], State]:
        """Return the chains that a state declares, in order, with what each decodes to."""
        if isinstance(state, Asked):
            return self._contents(state.part)
        if isinstance(state, Own):
            chain = self.chain(state.pointer)
            return {} if chain is None else {chain[0]: Free if chain[1] is None else chain[1]}
        found: dict[tuple[str, ...], list[State]] = {}
        for part in state.parts if isinstance(state, (Either, All)) else ():
            for codecs, content in self._contents(part).items():
                found.setdefault(codecs, []).append(content)
        kind = Either if isinstance(state, Either) else All
        return {codecs: combine(kind, contents) or Free for codecs, contents in found.items()}

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
        places = [pointer for view in views for pointer in owns(view)]
        names: dict[str, None] = {}
        patterns: dict[str, re.Pattern[str]] = {}
        prefix = 0
        for pointer in places:
            schema = self.schema(pointer)
            names.update(dict.fromkeys(self._map(schema, "properties", pointer)))
            for pattern, where in self._map(schema, "patternProperties", pointer).items():
                patterns.setdefault(pattern, self._regex(pattern, where))
            prefix = max(prefix, len(self._list(schema, "prefixItems", pointer)))

        def child(of: Callable[[str], State | None], unevaluated: str) -> Shape | None:
            def rest(pointer: str) -> State | None:
                return f"{pointer}/{unevaluated}" if unevaluated in self.schema(pointer) else None

            # What nothing in place evaluates is left to the unevaluated* keywords.
            state = combine(Either, [project(view, of) for view in views])
            if not owns(state):
                state = combine(Either, [project(view, rest) for view in views])
            return self._optional(state)

        for name in names:
            member = child(partial(self._member, name, patterns), "unevaluatedProperties")
            if member is not None:
                shape.names[name] = member
        found = [
            (regex, child(partial(self._pattern, key), "unevaluatedProperties"))
            for key, regex in patterns.items()
        ]
        shape.patterns = tuple((regex, member) for regex, member in found if member)
        shape.rest = child(self._rest, "unevaluatedProperties")
        shape.prefix = tuple(
            child(partial(self._element, index), "unevaluatedItems") for index in range(prefix)
        )
        shape.items = child(partial(self._element, None), "unevaluatedItems")

    def _views(self, own: State | None) -> list[State]:
        """Return a state, and the states of what its strings decode to, and so on."""
        views: dict[State, None] = {}
        waiting = [own]
        while waiting:
            view = waiting.pop(0)
            if view is None or view in views:
                continue
            views[view] = None
            waiting += map(self.look_into, self._contents(view).values())
        return list(views)

    def _regex(self, pattern: str, pointer: str) -> re.Pattern[str]:
        if len(pattern) > 1024:
            raise self.source.error("pattern longer than 1024 characters", pointer)
        try:
            return re.compile(pattern)
        except re.error as error:
            reason = f"pattern does not compile: {error.msg}"
        except (OverflowError, RecursionError):
            reason = "pattern does not compile: too large or too deep"
        raise self.source.error(reason, pointer)

    def _member(
        self, name: str, patterns: dict[str, re.Pattern[str]], pointer: str
    ) -> State | None:
        schema = self.schema(pointer)
        parts: list[State | None] = []
        if name in self._map(schema, "properties", pointer):
            parts.append(f"{pointer}/properties{join_pointer([name])}")
        for pattern, where in self._map(schema, "patternProperties", pointer).items():
            if patterns[pattern].search(name):
                parts.append(where)
        return combine(All, parts) or self._rest(pointer)

    def _pattern(self, pattern: str, pointer: str) -> State | None:
        schema = self.schema(pointer)
        where = self._map(schema, "patternProperties", pointer).get(pattern)
        return where if where is not None else self._rest(pointer)

    def _rest(self, pointer: str) -> State | None:
        schema = self.schema(pointer)
        return f"{pointer}/additionalProperties" if "additionalProperties" in schema else None

    def _element(self, index: int | None, pointer: str) -> State | None:
        schema = self.schema(pointer)
        prefix = self._list(schema, "prefixItems", pointer)
        if index is not None and index < len(prefix):
            return prefix[index]
        if isinstance(schema.get("items"), list):
            raise self.source.error(
                "expected a schema, got array: a schema for each index is prefixItems",
                f"{pointer}/items",
            )
        parts: list[State | None] = [f"{pointer}/items"] if "items" in schema else []
        if "contains" in schema:
            parts.append(combine(Either, [f"{pointer}/contains", Free]))
        return combine(All, parts)


def _widened(names: Iterable[str]) -> frozenset[str]:
    # Every integer is a number (2020-12 validation, section 6.1.1).
    found = frozenset(names)
    return found | {"integer"} if "number" in found else found
