"""``nestdecode spec lint``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from nestdecode.cli.files import records_of
from nestdecode.cli.output import print_lines, report_on, say
from nestdecode.cli.sources import is_file
from nestdecode.cli.specs import folders, load
from nestdecode.errors import DecodeError, SpecError
from nestdecode.paths import parse_path, split_pointer
from nestdecode.queries import expression
from nestdecode.sample import Sample
from nestdecode.spec import MOST_MISTAKES, catalog, mistakes_in
from nestdecode.spec.lint import lint
from nestdecode.spec.text import read
from nestdecode.stream.report import SHOWN
from nestdecode.text.reader import Limits
from nestdecode.words import count, share

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

__all__ = ["command"]

# Keys that say that a JSON object is a spec.
_KEYS = ("nestdecode", "x-nestdecode", "$schema", "openapi", "swagger")


def _complete(_context: Any, parameter: Any, incomplete: str) -> list[CompletionItem[str]]:
    from nestdecode.cli import completing  # late: a shell asks for it

    return completing.samples(parameter, incomplete)


@click.command("lint", short_help="Check specs, and compare them with samples.")
@click.argument(
    "names",
    metavar="NAME|PATH... [SAMPLE]...",
    nargs=-1,
    required=True,
    shell_complete=_complete,
)
def command(names: tuple[str, ...]) -> int:
    """
    Check specs: what is wrong (exit code 3), and what looks wrong (a warning).

    \b
    nestdecode spec lint my.yaml
    nestdecode spec lint my.yaml events.ndjson        which layers are not in a sample

    The first argument is a spec. Each other is one if it is a name, ends in .yaml or .yml, or
    is JSON with a key of a spec; any other file is a sample of documents, and so is -. All
    mistakes are listed, up to ten, each with its line. For a layer or an
    answer of a query that a sample lacks, a warning names the nearest path in the sample.
    """  # fmt: skip
    files = [name for name in names[1:] if _is_sample(name)]
    specs = [_Linted(name) for name in names if name not in files]
    bad = sum(_add(file, specs) for file in files)
    for spec in specs:
        spec.report()
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
        self.mistakes = mistakes_in(name, folders())
        self._spec = None if self.mistakes else load(name)
        self._warnings: list[SpecError] = []
        try:
            if self._spec is not None:
                self._warnings = lint(self._spec) + expression.lint(self._spec)
        except SpecError as error:
            # Of a schema that no document needs so far.
            self._spec, self.mistakes = None, [error]
        self.sample = Sample(self._spec)

    def report(self) -> None:
        """Say what is wrong, or what looks wrong."""
        for mistake in self.mistakes:
            say(f"{mistake}{_spelling(mistake, self.sample)}")
        if len(self.mistakes) == MOST_MISTAKES:
            report_on(self.name, f"there may be more mistakes than these {MOST_MISTAKES}")
        if self._spec is None:
            return
        found = self.sample.warnings()
        missing = {warning.pointer for warning in found}
        # What is nowhere in the sample is said once.
        warnings = [w for w in self._warnings if w.pointer not in missing] + found
        warnings.sort(key=lambda warning: warning.line or 0)
        print_lines(
            *map(_as_warning, warnings),
            f"{self.name}: {count(len(self._spec.layers), 'layer')}, "
            f"{count(len(warnings), 'warning') if warnings else 'no warnings'}",
        )


def _as_warning(found: SpecError) -> str:
    return str(SpecError(f"warning: {found.reason}", found.pointer, found.source, found.line))


def _add(file: str, specs: list[_Linted]) -> int:
    """Add the records of a file to the samples of specs; return how many are refused."""
    records = bad = 0
    for record, where in records_of(file, None, Limits().max_record_bytes):
        records += 1
        try:
            for spec in specs:
                spec.sample.add(record.raw)
        except DecodeError as error:
            bad += 1
            if bad <= SHOWN:
                report_on(file, str(error), where)
    if bad:
        report_on(file, f"{share(bad, records, 'record')} can't be read")
    return bad


def _spelling(mistake: SpecError, sample: Sample) -> str:
    """Say how the path of a layer is spelled in a sample."""
    if mistake.pointer is None or not mistake.pointer.startswith("/layers/"):
        return ""
    path = split_pointer(mistake.pointer)[1]
    try:
        parse_path(path)
    except SpecError:
        spelled = sample.spelled(path)
        return "" if spelled is None else f"; in the sample it is {spelled}"
    return ""


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
