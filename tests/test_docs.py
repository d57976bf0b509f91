"""The documentation does what it says: every block of the README is run."""

import doctest
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
assert BLOCKS, "no blocks: is README.md missing from this checkout?"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with the sample as response.json, and the files that the README shows."""
    path = tmp_path_factory.mktemp("readme")
    shutil.copy(ROOT / "specs/samples/repair-results.json", path / "response.json")
    for language, text in BLOCKS:
        if language == "yaml":
            (path / text.split("\n")[0].removeprefix("# ")).write_text(text)
    return path


def test_every_block_of_the_readme_is_run():
    assert {language for language, _ in BLOCKS} == {"text", "yaml", "console", "python"}


def run_console(text, folder):
    """Run the commands of a block in one shell; return what it shows and what they print."""
    mark = "@" * 9
    script, shown = "", []
    for line in text.splitlines():
        if line.startswith("$ "):
            # A marker before each command, and $? what it was.
            script += f"code=$?; echo {mark}; (exit $code)\n{line[2:]}\n"
            shown.append(mark)
        else:
            shown.append(line)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    run = subprocess.run(
        [shutil.which("bash") or "sh", "-c", script],
        cwd=folder,
        # The commands are those of this environment, whatever else is installed.
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return shown, run.stdout.decode().splitlines()


def test_blocks_print_what_they_show(folder, monkeypatch):
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for language, text in BLOCKS:
        if language == "console":
            shown, printed = run_console(text, folder)

            assert printed == shown
        elif language == "python":
            test = doctest.DocTestParser().get_doctest(text, names, "README.md", None, 0)
            output: list[str] = []
            result = doctest.DocTestRunner(verbose=False).run(
                test, out=output.append, clear_globs=False
            )
            names = test.globs

            assert result.attempted > 0
            assert result.failed == 0, "".join(output)


def test_every_command_is_in_the_readme():
    from nestdecode.cli import cli

    names = cli.list_commands(click.Context(cli))

    assert [name for name in names if f"nestdecode {name}" not in README] == []
