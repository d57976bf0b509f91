"""What a spec says, for people."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nestdecode.cli.tables import aligned
from nestdecode.spec import Spec
from nestdecode.spec.openapi import operations

__all__ = ["described", "lines_of"]

# Left out where a spec says what it would do anyway.
_USUAL = {"undeclared": "keep", "numbers": "double", "duplicates": "last"}


def described(spec: Spec, file: Path) -> dict[str, Any]:
    """Return what a spec says, as what JSON can hold."""
    value = spec.written.value
    version = value.get("openapi")
    form = "JSON Schema" if version is None else f"OpenAPI {version}"
    return {
        "name": spec.name,
        "file": str(file),
        "form": "short" if "nestdecode" in value else form,
        "title": spec.title,
        "description": spec.description,
        "focus": spec.focus,
        "match": spec.match,
        **{key: getattr(spec, key) for key in _USUAL},
        "on-error": spec.on_error,
        "limits": dict(spec.limits),
        "layers": [
            {
                "path": layer.path,
                "codecs": list(layer.codecs),
                "optional": layer.optional,
                "on-error": layer.on_error,
            }
            for layer in spec.layers
        ],
        "queries": dict(spec.queries),
        "operations": [] if version is None else list(operations(spec.schemas.references)),
    }


def lines_of(about: dict[str, Any], width: int | None) -> list[str]:
    """
    Write what a spec says as lines.

    Args:
        about: What ``described`` returned.
        width: How wide they are at most; None for any width.
    """
    lines: list[str] = []

    def add(text: str, indent: int) -> None:
        text = " ".join(text.split())
        if width is None:
            lines.append(text)
        else:
            lines.extend(
                textwrap.wrap(
                    text,
                    max(width, 40),
                    subsequent_indent=" " * indent,
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )

    # A name is shown as it is, blanks and all; what it says already is left out.
    known = {"name": about["name"], "file": about["file"], "form": about["form"]}
    known |= {"file": None} if about["file"] == about["name"] else {}
    known |= {"form": None} if about["form"] == "short" else {}
    lines += [f"{key}: {value}" for key, value in known.items() if value]
    for key in ("title", "description", "focus", "match"):
        if about[key]:
            add(f"{key}: {about[key]}", 2)
    for key in (*_USUAL, "on-error"):
        if about[key] not in (None, _USUAL.get(key)):
            add(f"{key}: {about[key]}", 2)
    for key, most in about["limits"].items():
        add(f"limit {key}: {most}", 2)
    for heading, rows in (
        ("layers", _layers(about["layers"])),
        ("queries", _queries(about["queries"])),
        ("operations", _operations(about["operations"])),
    ):
        lines += _section(heading, list(rows), width)
    return lines


def _layers(layers: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for layer in layers:
        codecs = " | ".join(layer["codecs"]) + ("?" if layer["optional"] else "")
        policy = f"  on-error: {layer['on-error']}" if layer["on-error"] else ""
        yield f"  {layer['path']}", codecs + policy


def _queries(queries: dict[str, str]) -> Iterator[tuple[str, str]]:
    for name, text in queries.items():
        yield f"  :{name}", text


def _operations(found: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for operation in found:
        yield f"  {operation['method']} {operation['path']}", operation["summary"]
        for parameter in operation["parameters"]:
            values = " or ".join(map(str, parameter["values"]))
            about = (
                parameter["in"],
                values or parameter["type"],
                "required" if parameter["required"] else "optional",
            )
            text = f"({', '.join(filter(None, about))}) {parameter['description']}"
            yield f"    {parameter['name']}", text


def _section(heading: str, rows: list[tuple[str, str]], width: int | None) -> list[str]:
    """Write rows of a name and a text."""
    rows = [(name, " ".join(text.split())) for name, text in rows]
    return [f"{heading}:", *aligned(rows, notes=True, width=width)] if rows else []
