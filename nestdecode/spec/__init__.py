"""
Specs: declarations of where the layers are.

A spec is a JSON Schema 2020-12, bare or in an OpenAPI 3.0, 3.1 or 3.2 document, or the
short form, which is defined as the schema that it expands to. All three give one model.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

from nestdecode.errors import UNDECLARED, Policy, SpecError, Undeclared
from nestdecode.paths import format_path
from nestdecode.spec import catalog, openapi
from nestdecode.spec.build import shape_of
from nestdecode.spec.chains import NODE_KEYS
from nestdecode.spec.convert import bundled, expanded
from nestdecode.spec.schema import Schemas
from nestdecode.spec.shape import (
    Alternative,
    Layer,
    Shape,
    layers_of,
    outside_objects,
    read_policy,
    walk,
)
from nestdecode.spec.short import DOCUMENT_KEYS, expand_short
from nestdecode.spec.text import TOO_MUCH_WORK, SpecText, read
from nestdecode.text.reader import DUPLICATES, NUMBERS, RANGES, Duplicates, Numbers
from nestdecode.words import count, nearest

__all__ = ["MOST_MISTAKES", "Alternative", "Layer", "Shape", "Spec", "mistakes_in"]
MAX_EXPRESSION = 64 << 10


@dataclass(frozen=True, eq=False, repr=False)
class Spec:
    """
    A spec, read and checked. Make one with ``Spec.load`` or ``Spec.parse``.

    Immutable, thread-safe, and can be pickled. Two specs are equal only if they are one
    object.

    >>> spec = Spec.load("aws/sqs-sns")
    >>> [layer.path for layer in spec.layers]
    ['Records[].body', 'Records[].body.Message']
    >>> sorted(spec.queries)
    ['ids', 'messages', 'text', 'topics']

    Attributes:
        name: The catalog name or the file, for messages, or None.
        title: The title, one line, or empty.
        description: The description, which can have several lines, or empty.
        shape: The layers and children that are declared for the root of the record.
        focus: The JMESPath expression of the places where queries start, or None.
        queries: JMESPath expressions by name; the names are without the colon.
        match: The JMESPath expression that is true for this spec's records, or None.
        undeclared: ``open`` if layers are detected where nothing is declared, else ``keep``.
        on_error: The policy of layers that name none, or None.
        limits: The limits that the spec sets, by the names of ``Limits``.
        numbers: ``exact`` if the text of numbers is kept, else ``double``.
        duplicates: ``error`` if repeated names are refused, else ``last``.
        is_marked: Whether the document has a key of ours, so that it was written as a spec.
        schemas: Its schemas; those that it means, if it is a short form.
        written: The document as it was written.
    """

    name: str | None
    title: str
    description: str
    shape: Shape
    focus: str | None
    queries: Mapping[str, str]
    match: str | None
    undeclared: Undeclared
    on_error: Policy | None
    limits: Mapping[str, int]
    numbers: Numbers
    duplicates: Duplicates
    is_marked: bool
    schemas: Schemas
    written: SpecText
    _root: str
    _source: tuple[str, str | None, str | None]

    def __reduce__(self) -> tuple[Any, ...]:
        return _parse, self._source

    def __repr__(self) -> str:
        named = f" {self.name}" if self.name else ""
        return f"<Spec{named}: {count(len(self.layers), 'layer')}>"

    @classmethod
    def load(
        cls,
        name_or_path: str | os.PathLike[str],
        *,
        folders: Iterable[str | os.PathLike[str]] = (),
    ) -> Spec:
        """
        Return the spec of a name, or of a file.

        A string is a path if it ends in .yaml, .yml or .json, or starts with ``.``, ``/``
        or ``~``; otherwise it is a name. ``#/pointer`` after either selects the schema of
        the document that describes the record.

        >>> Spec.load("repair-results").layers[0].path
        'data.taskResult[].taskResult'

        Args:
            name_or_path: The spec.
            folders: Folders of specs, whose names are looked up before those of the catalog:
                ``team/orders`` is the file team/orders.yaml of the first folder that has it.

        Raises:
            SpecError: If there is no such spec, or it is wrong.
        """
        text, name, pointer = catalog.fetch(name_or_path, folders)
        return _parse(text, name, pointer)

    @classmethod
    def parse(
        cls,
        text: str | bytes | Mapping[str, Any],
        name: str | None = None,
        *,
        schema: str | None = None,
    ) -> Spec:
        """
        Return the spec of a YAML or JSON text, or of an already parsed document.

        >>> Spec.parse("{nestdecode: 1, layers: {'Records[].body': json?}}").layers
        (Layer(path='Records[].body', codecs=('json',), optional=True, on_error=None),)

        Args:
            text: The document as str, as bytes in UTF-8, or as a mapping such as pydantic's
                ``model_json_schema()``.
            name: A name for messages.
            schema: A pointer to the schema of the document that describes the record.

        Raises:
            SpecError: If the spec is wrong.
            TypeError: If *text* is of another type.
        """
        if isinstance(text, Mapping):
            try:
                text = json.dumps(dict(text), allow_nan=False)
            except (TypeError, ValueError, RecursionError):
                raise SpecError("expected a mapping that JSON can hold", source=name) from None
        elif isinstance(text, bytes):
            try:
                text = text.decode()
            except UnicodeDecodeError as error:
                reason = f"not UTF-8: byte {error.start}"
            else:
                return _parse(text, name, schema)
            raise SpecError(reason, source=name)
        elif not isinstance(text, str):
            kind = type(text).__name__
            hint = "; Spec.load reads a file" if isinstance(text, os.PathLike) else ""
            raise TypeError(f"a spec is parsed from str, bytes or a mapping, got {kind}{hint}")
        return _parse(text, name, schema)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """The declared layers in the order of the spec; a recursive one is listed once."""
        return layers_of(self.shape)

    @cached_property
    def schema(self) -> dict[str, Any]:
        """The spec as one JSON Schema 2020-12, with every schema it refers to in ``$defs``."""
        extension = {k: v for k, v in _extension_of(self.schemas.source).items() if k != "schema"}
        self.schemas.source.renew()
        return bundled(self.schemas, self._root, extension, self.title, self.description)

    @cached_property
    def expanded_schema(self) -> dict[str, Any]:
        """
        The schema of the expanded tree: each content string replaced by its content.

        Expanded documents are validated against it, and code generators read it.

        Raises:
            SpecError: If it takes too much work: schemas beside a layer are written out
                for it, references included.
        """
        self.schemas.source.renew()
        return expanded(self.schemas, self._root, self.title, self.description)


def _parse(text: str, name: str | None = None, pointer: str | None = None) -> Spec:
    try:
        return _checked(read(text, name), text, pointer)
    except RecursionError:
        raise SpecError("nested too deep", source=name) from None


# Mistakes of one spec that are listed.
MOST_MISTAKES = 10


def mistakes_in(
    name_or_path: str | os.PathLike[str], folders: Iterable[str | os.PathLike[str]] = ()
) -> list[SpecError]:
    """
    List what is wrong with a spec: all mistakes, up to ten, that do not hide one another.

    What is wrong is taken away or put right, and the rest is read again. The list is empty
    if ``Spec.load`` loads the spec.

    Returns:
        The mistakes, those with a line first, in the order of their lines.
    """
    found: list[SpecError] = []
    try:
        text, name, pointer = catalog.fetch(name_or_path, folders)
        source = read(text, name, forgiven=found)
        while len(found) < MOST_MISTAKES:
            source.renew()
            try:
                _checked(source, text, pointer)
            except SpecError as error:
                found.append(error)
                is_over = error.reason == TOO_MUCH_WORK or error.pointer is None
                if is_over or not source.take_away(str(error.pointer)):
                    break
            else:
                break
    except SpecError as error:
        found.append(error)
    except RecursionError:
        found.append(SpecError("nested too deep", source=os.fspath(name_or_path)))
    # A line may be left out or put right, and be found again.
    unique = {(error.line, error.pointer, error.reason): error for error in found}
    by_line = sorted(unique.values(), key=lambda error: (error.line is None, error.line or 0))
    return by_line[:MOST_MISTAKES]


def _checked(source: SpecText, text: str, pointer: str | None) -> Spec:
    name = source.name
    if not isinstance(source.value, dict):
        empty = ", got nothing" if source.value is None else ""
        wanted = f"expected an object: a schema, OpenAPI or 'nestdecode: 1'{empty}"
        raise SpecError(wanted, source=name)
    version: Literal["3.0"] | None = None
    root = pointer or ""
    if "nestdecode" in source.value:
        if pointer:
            raise source.error("a short form has no schemas to choose from", pointer)
        # An error with a pointer into the expansion would not help the author of a short
        # form, but everything that can be wrong is found while it is expanded.
        expansion = expand_short(source)
        schemas = Schemas(SpecText(expansion, name, work=source.work))
        kind = ("/", source)
    elif "openapi" in source.value or "swagger" in source.value:
        version = openapi.version_of(source)
        schemas = Schemas(source, version)
        kind = ("/x-nestdecode", source)
        root = openapi.record_schema(schemas.references, pointer)
    else:
        if "layers" in source.value and "properties" not in source.value:
            # What follows is checked as what it is meant to be.
            for key in [key for key in source.value if key.casefold() == "nestdecode"]:
                del source.value[key]
            source.value["nestdecode"] = 1
            source.mended.add("/layers")
            reason = "a short form begins with 'nestdecode: 1': write that line first"
            raise source.error(reason, "/layers")
        schemas = Schemas(source)
        kind = ("/x-nestdecode", source)
        chosen = pointer or _extension_of(source).get("schema")
        if chosen:
            root = schemas.references.resolve(
                "#" + str(chosen).lstrip("#"), "/x-nestdecode", "schema"
            )
    return _build(schemas, root, *kind, (text, name, pointer))


def _extension_of(source: SpecText) -> dict[str, Any]:
    extension = source.value.get("x-nestdecode", {})
    if not isinstance(extension, dict):
        raise source.error("expected an object", "/x-nestdecode")
    return extension


def _build(
    schemas: Schemas,
    root: str,
    prefix: str,
    source: SpecText,
    origin: tuple[str, str | None, str | None],
) -> Spec:
    extension = _extension_of(schemas.source)
    prefix = prefix.rstrip("/")
    known = (*DOCUMENT_KEYS, "schema", *(NODE_KEYS if root == "" else ()))

    def wrong(key: str, reason: str) -> SpecError:
        return source.error(reason, f"{prefix}/{key}")

    for key in extension:
        if key == "redact":
            raise wrong(key, "redact is reserved: this version does not redact")
        if key not in known:
            raise wrong(key, f"unknown key {key!r}{nearest(key, known)}")
    shape = shape_of(schemas, root)

    def expression(value: Any, key: str) -> str | None:
        if isinstance(value, str):
            source.spend(20 + 2 * len(value), f"{prefix}/{key}")
        return _expression(value, key, wrong)

    focus = expression(extension.get("focus"), "focus")
    match = expression(extension.get("match"), "match")
    queries = extension.get("queries", {})
    if not isinstance(queries, dict):
        raise wrong("queries", "expected an object: name to expression")
    for name, text in queries.items():
        if not name.replace("-", "_").isidentifier():
            raise wrong("queries", f"a query's name is letters, digits, _ and -, got {name!r}")
        if expression(text, f"queries/{name}") is None:
            raise wrong(f"queries/{name}", "expected an expression, got null")

    def word(key: str, words: tuple[Any, ...]) -> Any:
        found = extension.get(key, words[0])
        if found not in words:
            hint = nearest(found, words)
            raise wrong(key, f"wanted {' or '.join(words)}, got {found!r}{hint}")
        return found

    on_error = None
    if "on-error" in extension:
        on_error = read_policy(extension["on-error"], source, f"{prefix}/on-error")
    title, description = _titles(schemas)
    for place, is_content, _ in outside_objects(shape):
        if place.on_error == "drop":
            instead = (
                "write it beside the keywords of the layer that this is in"
                if is_content
                else "keep, null or fail are for any place"
            )
            pointer = next(p for p in place.places if schemas.chains.names_policy(p))
            reason = f"on-error: drop is for members of objects: {instead}"
            raise schemas.source.error(reason, pointer)
    spec = Spec(
        name=schemas.source.name,
        title=title,
        description=description,
        shape=shape,
        focus=focus,
        queries=MappingProxyType(queries),
        match=match,
        undeclared=word("undeclared", UNDECLARED),
        on_error=on_error,
        limits=MappingProxyType(_limits(extension.get("limits", {}), wrong)),
        numbers=word("numbers", NUMBERS),
        duplicates=word("duplicates", DUPLICATES),
        is_marked=prefix == "" or "x-nestdecode" in schemas.source.value,
        schemas=schemas,
        written=source,
        _root=root,
        _source=origin,
    )
    if match is not None:
        for node, steps in walk(shape):
            for alternative in node.alternatives:
                if alternative.codecs != ("json",):
                    raise wrong(
                        "match",
                        "a spec with match has json layers only (its records are expanded "
                        f"without it), got {' | '.join(alternative.codecs)} "
                        f"at {format_path(steps)}",
                    )
    return spec


def _expression(value: Any, key: str, wrong: Any) -> str | None:
    """Return an expression, or None for an absent one; raise if it is not JMESPath."""
    if value is None:
        return None
    if not isinstance(value, str):
        quote = "; YAML takes what begins with [ or { for something else: quote it"
        hint = quote if isinstance(value, (list, dict)) else ""
        raise wrong(key, f"expected a JMESPath expression, a string{hint}")
    if len(value) > MAX_EXPRESSION:
        raise wrong(key, f"longer than {MAX_EXPRESSION} characters")
    from jmespath import exceptions, parser

    try:
        parser.Parser().parse(value)
    except exceptions.ParseError as error:
        position = error.lex_position
        reason = f"not JMESPath: {value!r} fails at column {position + 1}"
    except (exceptions.JMESPathError, ValueError, RecursionError):
        reason = f"not JMESPath: {value!r}"
    else:
        return value
    raise wrong(key, reason)


def _limits(limits: Any, wrong: Any) -> dict[str, int]:
    if not isinstance(limits, dict):
        raise wrong("limits", "expected an object: limit to number")
    found: dict[str, int] = {}
    for key, value in limits.items():
        name = key.replace("-", "_")
        if name not in RANGES:
            raise wrong(f"limits/{key}", f"unknown limit {key!r}{nearest(key, RANGES)}")
        least, most = RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise wrong(f"limits/{key}", f"wanted an integer from {least} to {most}")
        found[name] = value
    return found


def _titles(schemas: Schemas) -> tuple[str, str]:
    value = schemas.source.value
    info = value.get("info") if isinstance(value.get("info"), dict) else value
    title, description = (info.get(key) for key in ("title", "description"))
    return (
        title if isinstance(title, str) else "",
        description if isinstance(description, str) else "",
    )
