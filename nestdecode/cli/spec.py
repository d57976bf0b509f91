"""``nestdecode spec``: look at specs, check them, convert them."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli.options import complete_spec
from nestdecode.cli.output import Output, print_lines, say
from nestdecode.errors import SpecError
from nestdecode.queries import expression
from nestdecode.spec import Spec, catalog
from nestdecode.spec.lint import lint

__all__ = ["command"]

_name = click.argument("name", metavar="NAME|PATH", shell_complete=complete_spec)


@click.group("spec")
def command() -> None:
    """
    Look at specs, check them, convert them.

    \b
    nestdecode spec list                      those that have a name
    nestdecode spec show repair-results       layers, focus, queries of one
    nestdecode spec lint my.yaml              what is wrong, what looks wrong
    nestdecode spec convert my.yaml           as JSON Schema
    nestdecode spec plan my.yaml              as the Python it is compiled to
    """


@command.command("list")
def list_() -> None:
    """
    List the specs that have a name, with their titles.

    \b
    nestdecode spec list | grep aws
    """
    rows = [(name, Spec.load(name).title) for name in catalog.names()]
    width = max((len(name) for name, _ in rows), default=0)
    print_lines(*(f"{name:<{width}}  {' '.join(title.split())}".rstrip() for name, title in rows))


@command.command("show")
@_name
def show(name: str) -> None:
    """
    Show what a spec says: its layers, focus, queries and policies.

    \b
    nestdecode spec show repair-results
    nestdecode spec show ./openapi.yaml#/components/schemas/Order
    """
    spec = Spec.load(name)
    rows = [("name", spec.name or "")]
    texts = (("title", spec.title), ("focus", spec.focus or ""), ("match", spec.match or ""))
    rows += [(key, " ".join(text.split())) for key, text in texts]
    # Shown if they are not the default.
    usual = {"undeclared": "keep", "numbers": "double", "duplicates": "last"}
    rows += [(key, getattr(spec, key)) for key in usual if getattr(spec, key) != usual[key]]
    if spec.on_error:
        rows.append(("on-error", spec.on_error))
    rows += [(f"limit {key}", str(value)) for key, value in spec.limits.items()]
    lines = [f"{key}: {text}" for key, text in rows if text]
    if spec.layers:
        lines.append("layers:")
        width = max(len(layer.path) for layer in spec.layers)
        for layer in spec.layers:
            codecs = " | ".join(layer.codecs) + ("?" if layer.optional else "")
            policy = f"  on-error: {layer.on_error}" if layer.on_error else ""
            lines.append(f"  {layer.path:<{width}}  {codecs}{policy}")
    if spec.queries:
        lines.append("queries:")
        lines += [f"  :{query}  {' '.join(text.split())}" for query, text in spec.queries.items()]
    print_lines(*lines)


@command.command("plan")
@_name
def plan(name: str) -> None:
    """
    Show the Python that a spec is compiled to.

    \b
    nestdecode spec plan repair-results | less
    """
    from nestdecode.decoder import Decoder

    source = Decoder(name).source
    print_lines(*(source or "# undeclared: open is interpreted").rstrip("\n").split("\n"))


@command.command("convert")
@_name
@click.option(
    "--expanded",
    is_flag=True,
    help="The schema of the expanded tree: each string replaced by its content.",
)
@click.option("--yaml", "as_yaml", is_flag=True, help="Write YAML instead of JSON.")
def convert(name: str, expanded: bool, as_yaml: bool) -> None:
    """
    Write a spec as one JSON Schema 2020-12 document.

    \b
    nestdecode spec convert my.yaml > my.schema.json
    nestdecode spec convert --expanded repair-results | datamodel-codegen

    The result is a spec too, and opens the same layers: this is what the short form
    means, and what an OpenAPI document says of its record.
    """  # fmt: skip
    spec = Spec.load(name)
    schema: dict[str, Any] = spec.expanded_schema if expanded else spec.schema
    output = Output(indent=2)
    if as_yaml:
        import yaml

        text = yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)
        output.write_text(output.as_it_is(text.encode()))
    else:
        output.write([output.encode(schema)])


@command.command("lint")
@click.argument(
    "names",
    metavar="NAME|PATH...",
    nargs=-1,
    required=True,
    shell_complete=complete_spec,
)
def lint_(names: tuple[str, ...]) -> int:
    """
    Check specs: what is wrong (exit code 3), and what looks wrong (a warning).

    \b
    nestdecode spec lint my.yaml
    """  # fmt: skip
    code = 0
    for name in names:
        try:
            spec = Spec.load(name)
        except SpecError as error:
            code = 3
            say(str(error))
            continue
        warnings = lint(spec) + expression.lint(spec)
        layers = len(spec.layers)
        print_lines(
            *(f"{name}: warning: {warning}" for warning in warnings),
            f"{name}: {layers} layer{'' if layers == 1 else 's'}, "
            f"{len(warnings) or 'no'} warning{'' if len(warnings) == 1 else 's'}",
        )
    return code
