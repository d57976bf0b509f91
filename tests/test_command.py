"""A command that is forked does what it does in a process that starts Python too."""

import subprocess
import sys

import click
import pytest

from nestdecode.cli import cli
from tests import command

RECORD = b'{"a": "[1]", "b": "{oops"}\n'
# One call of each command, with nothing imported before it; most end well.
CALLS = {
    "expand": ["expand"],
    "query": ["query", "a[0]"],
    "explain": ["explain", "--json"],
    "collapse": ["collapse", "--spec", "s.yaml"],
    "set": ["set", "a[0]=2"],
    "edit": ["edit", "one.json"],
    "diff": ["diff", "two.json", "-"],
    "replay": ["replay"],
    "filter": ["filter"],
    "spec": ["spec", "show", "s.yaml"],
    "completion": ["completion", "bash"],
    "no command": ["expnad"],
}


def test_each_command_is_called():
    assert set(CALLS) - {"no command"} == set(cli.list_commands(click.Context(cli)))


@pytest.mark.slow
@pytest.mark.parametrize("words", CALLS.values(), ids=CALLS)
def test_a_forked_command_is_what_it_is_as_a_whole(words, tmp_path, monkeypatch):
    monkeypatch.setenv("EDITOR", "true")
    (tmp_path / "one.json").write_bytes(RECORD)
    (tmp_path / "two.json").write_bytes(RECORD.replace(b"1", b"2"))
    (tmp_path / "s.yaml").write_text("nestdecode: 1\nlayers: {a: json}\n")
    whole = subprocess.run(
        [sys.executable, "-m", "nestdecode", *words],
        input=RECORD,
        capture_output=True,
        cwd=tmp_path,
    )
    forked = command.run(*words, stdin=RECORD, cwd=tmp_path)

    assert whole.stdout or whole.stderr
    assert (forked.stdout, forked.stderr) == (whole.stdout, whole.stderr)
    assert forked.returncode == whole.returncode
