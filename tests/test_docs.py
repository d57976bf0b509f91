"""The documentation does what it says: its commands run, and what it names is there."""

import ast
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
    for folder in (".", ".github", "benchmarks", "specs", "tests")
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


@pytest.mark.parametrize("document", ["README.md", "specs/README.md"])
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
            if re.fullmatch(r"--?[a-z][\w-]*", word) and word not in options | {"--help"}:
                unknown.append((shown, word))

    assert unknown == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_is_linked_is_there(document):
    links = re.findall(r"\]\((?!https?://)([^)#\s]*)(#[^)\s]*)?\)", text_of(document))
    folder = (ROOT / document).parent

    assert [path for path, _ in links if not (folder / path).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS)
def test_anchors_lead_to_headings(document):
    for path, anchor in re.findall(r"\]\((?!https?://)([^)#\s]*)#([^)\s]*)\)", text_of(document)):
        target = (ROOT / document).parent / path if path else ROOT / document
        headings = re.findall(r"^#+ (.*)", target.read_text(), re.MULTILINE)

        assert anchor in [re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_make_has_the_targets_that_are_named(document):
    targets = set(re.findall(r"^([\w-]+):", text_of("Makefile"), re.MULTILINE))
    # In code, as `make test` and in blocks, not as a verb.
    named = re.findall(r"(?:`|^)make ([a-z-]+)", text_of(document), re.MULTILINE)

    assert [name for name in named if name not in targets] == []


def functions(path: Path) -> set[str]:
    return {
        node.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
    }


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_file_of_tests_that_is_named_is_there(document):
    named = re.findall(r"`(?:tests/)?(cases/[\w/]*(?:\.json)?|\w+\.py)(?:::\w+)?`", prose(document))
    folders = [ROOT / "tests", ROOT / "benchmarks"]
    folders += [path.parent for path in (ROOT / "nestdecode").rglob("__init__.py")]

    assert [name for name in named if not any((at / name).exists() for at in folders)] == []


def test_every_test_that_is_named_is_there():
    file, missing = "", []
    for path, name in re.findall(
        r"`(?:tests/)?(?:(\w+\.py)::)?(test_\w+)`", prose("tests/README.md")
    ):
        # A name alone is of the file before it in its row.
        file = path or file
        if name not in functions(ROOT / "tests" / file):
            missing.append(f"{file}::{name}")

    assert missing == []


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
        sum(name.startswith("test_") for name in functions(ROOT / "tests" / name))
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
