"""``nestdecode spec``: look at specs, check them, convert them."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli import lint
from nestdecode.cli.group import Group
from nestdecode.cli.options import complete_spec
from nestdecode.cli.output import Output, note, print_lines, write_out
from nestdecode.cli.showing import described, lines_of
from nestdecode.cli.specs import folders, load
from nestdecode.cli.tables import aligned
from nestdecode.errors import SpecError
from nestdecode.spec import catalog

__all__ = ["command"]

_name = click.argument("name", metavar="NAME|PATH", shell_complete=complete_spec)


@click.group("spec", cls=Group, for_files="spec show")
def command() -> None:
    """
    Look at specs, check them, convert them.

    \b
    nestdecode spec list                       those that have a name
    nestdecode spec show repair-results        layers, focus, queries of one
    nestdecode spec cat aws/sqs-sns > my.yaml  the file of one, to begin with
    nestdecode spec lint my.yaml events.json   what is wrong, what looks wrong
    nestdecode spec convert my.yaml            as JSON Schema
    nestdecode spec plan my.yaml               as the Python it is compiled to

    A spec has a name if it is shipped, or is in one of your folders of specs, where
    team/orders.yaml is named team/orders. NESTDECODE_SPECS lists these folders, as PATH does;
    without it there is one, nestdecode/specs in the folder for configuration, such as
    ~/.config/nestdecode/specs. If yours has the name of a shipped one, yours is used.
    """


@command.command("list", short_help="List the specs that have a name.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object per spec.")
def list_(as_json: bool) -> None:
    """
    List the specs that have a name, with their titles; your own with their files.

    \b
    nestdecode spec list | grep aws
    """
    own, shipped = catalog.own(folders()), catalog.shipped()
    rows = []
    for name, path in sorted(catalog.names(folders()).items()):
        try:
            title = "too large to be listed" if catalog.is_large(path) else load(name).title
            title = " ".join(title.split())
        except SpecError:
            title = f"can't be loaded: nestdecode spec lint {name} says why"
        rows.append((name, title, str(path)))
    if len(own) >= catalog.MOST_SPECS:
        note(f"of each folder of specs, at most {catalog.MOST_SPECS:,} are listed")
    output = Output()
    if as_json:
        output.write(
            output.encode({"name": name, "title": title, "file": file, "own": name in own})
            for name, title, file in rows
        )
        return
    lines = []
    for name, title, file in rows:
        instead = ", instead of the shipped one" if name in shipped else ""
        where = f"  ({file}{instead})" if name in own else ""
        lines.append((name, (title + where).lstrip()))
    print_lines(*aligned(lines, notes=True, width=output.width))


@command.command("show", short_help="Show what a spec says.")
@_name
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def show(name: str, as_json: bool) -> None:
    """
    Show what a spec says: its layers, focus, queries and policies, an API's operations.

    \b
    nestdecode spec show repair-results
    nestdecode spec show --json my.yaml | jq .layers
    nestdecode spec show ./openapi.yaml#/components/schemas/Order
    """
    about = described(load(name), catalog.place(name, folders()))
    output = Output(indent=None if as_json else 2)
    if as_json:
        output.write([output.encode(about)])
    else:
        print_lines(*lines_of(about, output.width))


@command.command("cat")
@_name
def cat(name: str) -> None:
    """
    Write the file of a spec as it is.

    \b
    nestdecode spec cat aws/sqs-sns > my.yaml
    """
    write_out(catalog.fetch(name, folders())[0].encode())


command.add_command(lint.command)


@command.command("plan")
@_name
def plan(name: str) -> None:
    """
    Show the Python that a spec is compiled to.

    \b
    nestdecode spec plan repair-results | less
    """
    from nestdecode.decoder import Decoder

    source = Decoder(load(name)).source
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
    spec = load(name)
    schema: dict[str, Any] = spec.expanded_schema if expanded else spec.schema
    output = Output(indent=2)
    if as_yaml:
        import yaml

        text = yaml.safe_dump(schema, sort_keys=False, allow_unicode=True, width=100)
        output.write_text(output.as_it_is(text.encode()))
    else:
        output.write([output.encode(schema)])
