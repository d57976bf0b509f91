"""``nestdecode spec``: look at specs, check them, convert them."""

from __future__ import annotations

from typing import Any

import click

from nestdecode.cli.files import records_of
from nestdecode.cli.options import complete_spec
from nestdecode.cli.output import Output, print_lines, say
from nestdecode.cli.sources import is_file
from nestdecode.errors import DecodeError, SpecError
from nestdecode.paths import split_pointer
from nestdecode.queries import expression
from nestdecode.sample import Sample
from nestdecode.spec import Spec, catalog, mistakes_in
from nestdecode.spec.lint import lint
from nestdecode.spec.text import read
from nestdecode.stream.answering import SHOWN
from nestdecode.text.reader import Limits
from nestdecode.words import count

__all__ = ["command"]

# Keys that say that a JSON object is a spec.
_KEYS = ("nestdecode", "x-nestdecode", "$schema", "openapi", "swagger")

_name = click.argument("name", metavar="NAME|PATH", shell_complete=complete_spec)


@click.group("spec")
def command() -> None:
    """
    Look at specs, check them, convert them.

    \b
    nestdecode spec list                      those that have a name
    nestdecode spec show repair-results       layers, focus, queries of one
    nestdecode spec lint my.yaml events.json  what is wrong, what looks wrong
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


@command.command("lint", short_help="Check specs, and hold them against samples.")
@click.argument(
    "names",
    metavar="NAME|PATH... [SAMPLE]...",
    nargs=-1,
    required=True,
    shell_complete=complete_spec,
)
def lint_(names: tuple[str, ...]) -> int:
    """
    Check specs: what is wrong (exit code 3), and what looks wrong (a warning).

    \b
    nestdecode spec lint my.yaml
    nestdecode spec lint my.yaml events.ndjson    which layers are not in a sample

    The first argument is a spec. Each other is one if it is a name, ends in .yaml or .yml, or
    is JSON with a key of a spec; any other file is a sample of documents, and so is -. A
    layer that is declared and nowhere in a sample is a warning, with the nearest path that is
    there.
    """  # fmt: skip
    files = [name for name in names[1:] if _is_sample(name)]
    specs = [_Linted(name) for name in names if name not in files]
    bad = sum(_add(file, specs) for file in files)
    for spec in specs:
        spec.report(has_sample=bool(files))
    return 3 if any(spec.mistakes for spec in specs) else 5 if bad else 0


class _Linted:
    """
    A spec that is checked.

    Args:
        name: Its name or path.

    Attributes:
        mistakes: What is wrong with it.
        sample: What of it is in the samples.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes = mistakes_in(name)
        self._spec = None if self.mistakes else Spec.load(name)
        self.sample = Sample(self._spec)

    def report(self, *, has_sample: bool) -> None:
        """Say what is wrong, or what looks wrong."""
        for mistake in self.mistakes:
            say(f"{mistake}{_spelling(mistake, self.sample)}")
        if self._spec is None:
            return
        warnings = lint(self._spec) + expression.lint(self._spec)
        missing = self.sample.missing() if has_sample else ()
        warnings += [f"nothing is at {path} in the sample{hint}" for path, hint in missing]
        print_lines(
            *(f"{self.name}: warning: {warning}" for warning in warnings),
            f"{self.name}: {count(len(self._spec.layers), 'layer')}, "
            f"{len(warnings) or 'no'} warning{'' if len(warnings) == 1 else 's'}",
        )


def _add(file: str, specs: list[_Linted]) -> int:
    """Add the records of a file to the samples of specs; return how many are refused."""
    records = bad = 0
    name = "stdin" if file == "-" else file
    for record, where in records_of(file, None, Limits().max_record_bytes):
        records += 1
        try:
            for spec in specs:
                spec.sample.add(record.raw)
        except DecodeError as error:
            bad += 1
            if bad <= SHOWN:
                say(f"{name}: {where}: {error}")
    if bad:
        say(f"{name}: {count(bad, 'record')} of {records:,} can't be read")
    return bad


def _spelling(mistake: SpecError, sample: Sample) -> str:
    """Say how the path of a layer is spelled in a sample."""
    if mistake.pointer is None or not mistake.pointer.startswith("/layers/"):
        return ""
    spelled = sample.spelled(split_pointer(mistake.pointer)[1])
    return "" if spelled is None else f"; in the sample it is {spelled}"


def _is_sample(name: str) -> bool:
    if name == "-":
        return True
    if not is_file(name) or name.endswith((".yaml", ".yml")):
        return False
    try:
        text, _, _ = catalog.fetch(name)
        value = read(text, name).value
    except SpecError:
        return True
    return not (isinstance(value, dict) and any(key in value for key in _KEYS))
