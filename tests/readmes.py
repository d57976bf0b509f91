"""
The blocks of a README, run as they are written, in a folder that holds a clone's files alone.

`python -m tests.readmes` shows the first screen of README.md with what its commands print now;
`--write FILE...` puts what commands print now into the files.

`console` blocks show commands, each after "$ ", and what they print; `sh` blocks are run and
print nothing; `python` blocks are doctests, those of a file one session; `yaml` and `text`
blocks are not run.
"""

import argparse
import contextlib
import doctest
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
FENCED = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
MARK = "@" * 9
# What a clone does not hold, where git can't be asked.
BUILT = shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "build", "dist")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text, and the line of the file where it begins."""

    language: str
    text: str
    line: int

    def needs(self) -> str | None:
        """Return the program that a block needs and that is not there."""
        used = re.search(r"^\$ (?:.*\| )?(jq) ", self.text, re.MULTILINE)
        return "jq" if used and not shutil.which("jq") else None


def blocks(text: str) -> list[Block]:
    """
    Return the blocks of a text, in order.

    >>> blocks("One:\\n```sh\\ntrue\\n```\\n")
    [Block(language='sh', text='true\\n', line=2)]
    """
    return [
        Block(found[1], found[2], text.count("\n", 0, found.start()) + 1)
        for found in FENCED.finditer(text)
    ]


def clone(folder: Path) -> Path:
    """Copy what a clone of this checkout would hold into *folder*."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, stdout=subprocess.PIPE, check=False
    )
    if listed.returncode:
        return Path(shutil.copytree(ROOT, folder, ignore=BUILT, dirs_exist_ok=True))
    for name in listed.stdout.decode().split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(ROOT / name, folder / name)
    return folder


def run(script: str, folder: Path) -> str:
    """Run a script in *folder*; return what it prints, on both streams."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [shutil.which("bash") or "sh", "-c", script],
        cwd=folder,
        # The commands are those of this environment, whatever else is installed.
        env={**os.environ, "PATH": path, "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    return done.stdout.decode()


def console(block: Block, folder: Path) -> str:
    """Run the commands of a block in one shell; return the block as it should be."""
    commands = [line[2:] for line in block.text.splitlines() if line.startswith("$ ")]
    # A marker before each command, and $? as it was.
    script = "".join(f"code=$?; echo {MARK}; (exit $code)\n{command}\n" for command in commands)
    before, *printed = run(script, folder).split(f"{MARK}\n")
    if before or len(printed) != len(commands):
        raise ValueError(f"line {block.line}: a command printed the marker, or ended the shell")
    return "".join(
        f"$ {command}\n{output}" for command, output in zip(commands, printed, strict=True)
    )


def session(block: Block, folder: Path, names: dict[str, Any]) -> str:
    """Run the examples of a block; return what differs from what it shows."""
    test = doctest.DocTestParser().get_doctest(block.text, names, "README", None, block.line)
    test.globs = names
    output: list[str] = []
    with contextlib.chdir(folder):
        done = doctest.DocTestRunner(verbose=False).run(test, out=output.append, clear_globs=False)
    return "".join(output) if done.attempted else "no examples"


def outcome(block: Block, folder: Path, names: dict[str, Any]) -> tuple[str, str]:
    """Run a block; return what it gives, and what it should."""
    if block.language == "console":
        return console(block, folder), block.text
    if block.language == "sh":
        return run(f"set -e\n{block.text}", folder), ""
    if block.language == "python":
        return session(block, folder, names), ""
    return "", ""


def rewritten(text: str, folder: Path) -> str:
    """Return a text whose console blocks show what their commands print now."""
    names: dict[str, Any] = {}
    for block in blocks(text):
        now, shown = outcome(block, folder, names)
        if now != shown and block.language == "console":
            text = text.replace(f"```console\n{shown}```", f"```console\n{now}```", 1)
        elif now != shown:
            raise SystemExit(f"line {block.line}: {now}")
    return text


def shown(text: str, folder: Path) -> str:
    """Return the blocks of a text, console blocks with what their commands print now."""
    return "\n".join(block.text for block in blocks(rewritten(text, folder)))


def main() -> None:
    """Show the first screen of README.md, or write what commands print now into files."""
    parser = argparse.ArgumentParser(description="Run the blocks of READMEs.")
    parser.add_argument("--write", nargs="+", type=Path, metavar="FILE", default=[])
    options = parser.parse_args()
    for path in options.write:
        with tempfile.TemporaryDirectory() as folder:
            path.write_text(rewritten(path.read_text(), clone(Path(folder))))
    if not options.write:
        first = (ROOT / "README.md").read_text().split("\n## ")[0]
        with tempfile.TemporaryDirectory() as folder:
            sys.stdout.write(shown(first, clone(Path(folder))))


if __name__ == "__main__":
    main()
