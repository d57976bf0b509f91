"""The documentation does what it says: its commands run, and have the options that it shows."""

import json
import re
from pathlib import Path
from typing import Any

import click
import pytest

from nestdecode import Spec
from tests.readmes import ROOT, blocks, clone, outcome

DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in (".", ".github", "benchmarks", "nestdecode/integrations", "specs", "tests")
    for path in (ROOT / folder).glob("*.md")
)
assert "README.md" in DOCUMENTS, "no README.md: is this a checkout?"


def text_of(document: str) -> str:
    return (ROOT / document).read_text()


README = text_of("README.md")
NOWHERE = click.Context(click.Command("nestdecode"))


def prose(document: str) -> str:
    """Return a document without its blocks, and without what HTML comments hold."""
    return re.sub(r"^```.*?^```|<!--.*?-->", "", text_of(document), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.slow
@pytest.mark.parametrize(
    "document", ["README.md", "nestdecode/integrations/README.md", "specs/README.md"]
)
def test_blocks_print_what_they_show(document, tmp_path):
    folder = clone(tmp_path)
    names: dict[str, Any] = {}
    missing = []
    for block in blocks(text_of(document)):
        if needed := block.needs():
            missing.append(needed)
            continue
        given, shown = outcome(block, folder, names)

        assert given == shown, f"{document}:{block.line}"
    if missing:
        pytest.skip(f"all blocks but those that need {missing[0]}")


@pytest.mark.parametrize("document", DOCUMENTS)
def test_languages_say_what_is_run(document):
    ran = {"console", "sh", "python", "yaml", "text"}

    assert {block.language for block in blocks(text_of(document))} <= ran


def test_the_first_screen_is_a_screen():
    screen, *_ = README.split("\n## ")

    assert screen.count("\n") < 30
    assert [block.language for block in blocks(screen)] == ["sh", "console", "python"]


def test_nothing_printed_is_cut():
    shown = [block.text for block in blocks(README) if block.language == "console"]

    assert [text for text in shown if re.search(r"\b(cut|head|tail) -", text)] == []


SPECS = [
    pytest.param(block, id=f"line-{block.line}")
    for block in blocks(text_of("specs/README.md"))
    if block.language == "yaml"
]


@pytest.mark.parametrize("block", SPECS)
def test_a_yaml_block_is_a_spec_or_a_part_of_one(block):
    whole = re.search(r"^(nestdecode|\$schema|openapi):", block.text, re.MULTILINE)

    assert Spec.parse(block.text if whole else f"nestdecode: 1\n{block.text}")


def test_every_command_is_in_the_readme():
    from nestdecode.cli import cli

    names = cli.list_commands(click.Context(cli))

    assert [name for name in names if f"nestdecode {name}" not in README] == []


def commands(document: str) -> list[str]:
    """Return the commands of nestdecode that a document shows, in blocks and in sentences."""
    shown = [
        line.removeprefix("$ ")
        for block in blocks(text_of(document))
        if block.language in {"console", "sh", "text"}
        for line in block.text.splitlines()
    ]
    shown += re.findall(r"`(nestdecode [^`]+)`", prose(document))
    # A sign that the shell knows ends a command, and so does a word of the shell.
    parts = [part for line in shown for part in re.split(r"[|;><#]|\$\(|'(?=nest)", line)]
    return [part.strip() for part in parts if part.strip().startswith("nestdecode ")]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_commands_have_the_options_that_are_shown(document):
    from nestdecode.cli import cli

    unknown = []
    for shown in commands(document):
        command: click.Command = cli
        for word in shown.split()[1:]:
            if isinstance(command, click.Group) and (found := command.get_command(NOWHERE, word)):
                command = found
            options = {name for parameter in command.params for name in parameter.opts}
            options |= {name for one in command.params for name in one.secondary_opts}
            if re.fullmatch(r"--?[a-zA-Z][\w-]*", word) and word not in options | {"--help"}:
                unknown.append((shown, word))

    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_modules_of_tests_have_the_options_that_are_shown(document):
    unknown = []
    for module, rest in re.findall(r"python -m tests\.(\w+)([^`\n]*)", text_of(document)):
        source = (ROOT / "tests" / f"{module}.py").read_text()
        unknown += [name for name in re.findall(r"--\w+", rest) if f'"{name}"' not in source]

    assert unknown == []


def counted(names: list[str]) -> int:
    """Count the test functions of files, and the vectors of cases."""
    return sum(
        len(re.findall(r"^def test_", (ROOT / "tests" / name).read_text(), re.MULTILINE))
        if name.endswith(".py")
        else vectors(ROOT / "tests" / name)
        for name in names
    )


def vectors(folder: Path) -> int:
    groups = (group for path in folder.glob("*.json") for group in json.loads(path.read_text()))
    return sum(len(group["tests"]) for group in groups)


GUARANTEES = re.findall(r"^\| (.*?) \| over (\d+): (.*) \|$", README, re.MULTILINE)
assert GUARANTEES, "README.md has no table of guarantees"


@pytest.mark.parametrize(
    ("number", "files"),
    [pytest.param(int(number), files, id=text[:40]) for text, number, files in GUARANTEES],
)
def test_as_many_tests_are_behind_a_guarantee_as_it_says(number, files):
    names = re.findall(r"`([\w.]+\.py|cases/)`", files)

    assert counted(names) > number
