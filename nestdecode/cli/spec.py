"""``nestdecode spec``: look at specs, check them, convert them."""

from __future__ import annotations

import sys
from typing import Any

import click

from nestdecode import queries
from nestdecode.cli.options import _complete_spec
from nestdecode.cli.output import Output, printable
from nestdecode.spec import Spec, catalog
from nestdecode.spec.lint import lint

__all__ = ["command"]

_name = click.argument("name", metavar="NAME|PATH", shell_complete=_complete_spec)


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
    for name, title in rows:
        click.echo(f"{name:<{width}}  {title}".rstrip())


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
    rows = [("name", spec.name or ""), ("title", spec.title)]
    rows += [("focus", spec.focus or ""), ("match", spec.match or "")]
    # Shown if they are not the default.
    usual = {"undeclared": "keep", "numbers": "double", "duplicates": "last"}
    rows += [(key, getattr(spec, key)) for key in usual if getattr(spec, key) != usual[key]]
    if spec.on_error:
        rows.append(("on-error", spec.on_error))
    rows += [(f"limit {key}", str(value)) for key, value in spec.limits.items()]
    click.echo("\n".join(f"{key}: {printable(text)}" for key, text in rows if text))
    if spec.layers:
        click.echo("layers:")
        width = max(len(layer.path) for layer in spec.layers)
        for layer in spec.layers:
            codecs = " | ".join(layer.codecs) + ("?" if layer.optional else "")
            policy = f"  on-error: {layer.on_error}" if layer.on_error else ""
            click.echo(printable(f"  {layer.path:<{width}}  {codecs}{policy}"))
    if spec.queries:
        click.echo("queries:")
        for query, text in spec.queries.items():
            click.echo(printable(f"  :{query}  {' '.join(text.split())}"))


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
    click.echo(printable(source) if source else "# undeclared: open is interpreted", nl=not source)


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
    if as_yaml:
        import yaml

        text = yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)
        click.echo(text, nl=False)
        return
    output = Output(indent=2)
    output.write([output.encode(schema)])


@command.command("lint")
@click.argument(
    "names",
    metavar="NAME|PATH...",
    nargs=-1,
    required=True,
    shell_complete=_complete_spec,
)
def lint_(names: tuple[str, ...]) -> int:
    """
    Check specs: what is wrong (exit code 3), and what looks wrong (a warning).

    \b
    nestdecode spec lint my.yaml
    """  # fmt: skip
    from nestdecode.cli.output import say
    from nestdecode.errors import SpecError

    code = 0
    for name in names:
        try:
            spec = Spec.load(name)
        except SpecError as error:
            code = 3
            say(str(error))
            continue
        warnings = lint(spec) + queries.lint(spec)
        for warning in warnings:
            click.echo(printable(f"{name}: warning: {warning}"))
        layers = len(spec.layers)
        click.echo(
            f"{name}: {layers} layer{'' if layers == 1 else 's'}, "
            f"{len(warnings) or 'no'} warning{'' if len(warnings) == 1 else 's'}"
        )
        sys.stdout.flush()
    return code
