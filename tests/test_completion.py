"""Completion, typed into real shells, and by what they are answered."""

import contextlib
import fcntl
import os
import pty
import re
import select
import shutil
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

from tests import command

SPEC = "nestdecode: 1\ntitle: Mine\nlayers: {a: json}\nqueries: {first: a, firm: a, 'last': a}\n"
SECONDS = 60


@pytest.fixture
def folder(tmp_path):
    """A working directory with specs, and the user's folder of specs."""
    here = tmp_path / "here"
    for name in ("my.yaml", "my other.json", "sub/deep.yml", "sub/notes.txt", "events.ndjson"):
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(SPEC)
    own = tmp_path / "own" / "team"
    own.mkdir(parents=True)
    (own / "orders.yaml").write_text(SPEC)
    return here


def surroundings(folder, **more):
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("NESTDECODE_")},
        "NESTDECODE_SPECS": str(folder.parent / "own"),
        "HOME": str(folder.parent),
        "TERM": "dumb",
        **more,
    }


def asked(folder, shell, line, **more):
    """Ask as a shell does; return the lines of the answer."""
    env = surroundings(folder, _NESTDECODE_COMPLETE=f"{shell}_complete", COMP_LINE=line, **more)
    done = command.run(cwd=folder, env=env)
    assert (done.stderr, done.returncode) == (b"", 0)
    return [line for line in done.stdout.decode().splitlines() if line]


NAMES = ["aws/cloudwatch-logs", "aws/sqs-sns", "repair-results", "team/orders"]


@pytest.mark.parametrize(
    ("line", "values"),
    [
        pytest.param("nestdecode expa", ["expand"], id="a command"),
        pytest.param("nestdecode spec li", ["list", "lint"], id="a command of a group"),
        pytest.param("nestdecode query --on", ["--on-error"], id="an option"),
        pytest.param("nestdecode expand --on-error n", ["null"], id="a choice"),
        pytest.param("nestdecode expand --on-error=n", ["--on-error=null"], id="a choice after ="),
        pytest.param("nestdecode expand -s aws/s", ["aws/sqs-sns"], id="a name"),
        pytest.param("nestdecode expand -s t", ["team/orders"], id="a name of the user's"),
        pytest.param("nestdecode expand --spec=re", ["--spec=repair-results"], id="a name after ="),
        pytest.param("nestdecode expand -s no", ["none"], id="none"),
        pytest.param("nestdecode spec show no", [], id="none, which is not a spec"),
        pytest.param(
            "nestdecode expand -s ",
            [*NAMES[:2], "none", *NAMES[2:], "my other.json", "my.yaml", "sub/"],
            id="names, spec files, folders",
        ),
        pytest.param("nestdecode expand -s ./", ["./my other.json", "./my.yaml", "./sub/"], id="."),
        pytest.param("nestdecode expand -s sub/", ["sub/deep.yml"], id="in a folder"),
        pytest.param("nestdecode expand --spec=./s", ["--spec=./sub/"], id="a folder after ="),
        pytest.param("nestdecode spec cat ~/here/my.", ["~/here/my.yaml"], id="at home"),
        pytest.param("nestdecode spec lint my.yaml e", ["events.ndjson"], id="a sample"),
        pytest.param("nestdecode query -s my.yaml :fi", [":first", ":firm"], id="a query"),
        pytest.param("nestdecode query --spec=team/orders :la", [":last"], id="the user's query"),
        pytest.param("nestdecode query -s none :", [], id="no query"),
        pytest.param("nestdecode query -s nope.yaml :", [], id="a query of no spec"),
        pytest.param("nestdecode query :ur", [":urls"], id="a query of a shipped spec"),
        pytest.param("nestdecode query ':ur", [":urls"], id="in quotes"),
        pytest.param("nestdecode completion z", ["zsh"], id="a shell"),
        pytest.param("nestdecode expand 'my o", ["my other.json"], id="a file"),
        pytest.param("nestdecode expand -s nowhere/", [], id="a folder that is none"),
    ],
)
def test_a_word_is_completed(folder, line, values):
    answers = asked(folder, "fish", line)

    assert [answer.split("\t")[0] for answer in answers] == values


def test_an_answer_says_what_a_query_is(folder):
    assert asked(folder, "zsh", "nestdecode query :last") == [":last\tof team/orders"]
    assert asked(folder, "zsh", "nestdecode query -s my.yaml :last") == [":last\ta"]


@pytest.mark.parametrize(
    ("line", "breaks", "answer"),
    [
        ("nestdecode expand --spec=re", "=:", ["repair-results"]),
        ("nestdecode expand --spec=re", "", ["--spec=repair-results"]),
        ("nestdecode query :ur", "=:", ["urls"]),
        ("nestdecode query :ur", "=", [":urls"]),
        ("nestdecode query ':ur", "=:", [":urls"]),
        ("nestdecode expand -s my\\ o", "=:", ["my\\ other.json"]),
        ("nestdecode expand -s 'my o", "=:", ["my other.json"]),
        ('nestdecode expand --spec="my o', "=:", ["my other.json"]),
        ("nestdecode expand my", "=:", []),
    ],
)
def test_bash_is_answered_with_what_it_takes_for_its_last_word(folder, line, breaks, answer):
    assert asked(folder, "bash", line, COMP_WORDBREAKS=breaks) == answer


START = {
    "bash": (
        ["--norc", "--noprofile", "-i"],
        "bind 'set enable-bracketed-paste off'; source {script}",
    ),
    "zsh": (["-f", "-i"], "unsetopt zle_bracketed_paste; autoload -U compinit; compinit -u; source {script}"),
    "fish": (["--private", "-i"], "source {script}"),
}  # fmt: skip


def typed(shell, folder, line):
    """Type a line and TAB into a real shell; return the words that it made of it."""
    program = shutil.which(shell)
    wrapper = folder.parent / "bin" / "nestdecode"
    wrapper.parent.mkdir(exist_ok=True)
    wrapper.write_text(f'#!/bin/sh\nexec {sys.executable} -m nestdecode "$@"\n')
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}:{os.environ['PATH']}"
    env = surroundings(folder, PATH=path, PYTHONPATH=str(Path(__file__).parent.parent))
    script = folder.parent / "script"
    made = subprocess.run(
        [str(wrapper), "completion", shell], capture_output=True, env=env, check=True
    )
    script.write_bytes(made.stdout)
    options, start = START[shell]
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [program, *options], stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, env=env,
        start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    ) as child:  # fmt: skip
        os.close(theirs)
        try:
            os.write(ours, f"{start.format(script=script)}; printf '%s%s\\n' REA DY\n".encode())
            shown_until(ours, b"READY")
            # Back to the beginning of the line, to have its words printed.
            os.write(ours, f"{line}\t".encode())
            os.write(ours, b"\x01printf '<%s>' \n")
            os.write(ours, b"printf '%s%s\\n' EN D\n")
            shown = shown_until(ours, b"END")
        finally:
            child.kill()
            os.close(ours)
    return re.findall(r"<([^>%]*)>", shown.decode())[1:]


def shown_until(descriptor, mark):
    shown = b""
    end = time.monotonic() + SECONDS
    while not re.search(rb"\n[^\n']*" + mark, shown) and time.monotonic() < end:
        if select.select([descriptor], [], [], 1)[0]:
            with contextlib.suppress(OSError):
                shown += os.read(descriptor, 1 << 16)
    return shown


@pytest.mark.slow
@pytest.mark.parametrize(
    ("line", "words"),
    [
        pytest.param("nestdecode expa", ["expand"], id="a command"),
        pytest.param("nestdecode expand -s aws/s", ["expand", "-s", "aws/sqs-sns"], id="a name"),
        pytest.param("nestdecode expand --spec=rep", ["expand", "--spec=repair-results"], id="="),
        pytest.param("nestdecode query -s my.yaml :la", ["query", "-s", "my.yaml", ":last"], id=":"),
        pytest.param("nestdecode query --on", ["query", "--on-error"], id="an option"),
        pytest.param("nestdecode expand -s my\\ o", ["expand", "-s", "my other.json"], id="a blank"),
        pytest.param("nestdecode expand -s ./su", ["expand", "-s", "./sub/"], id="a folder"),
        pytest.param("nestdecode expand eve", ["expand", "events.ndjson"], id="a file"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("shell", list(START))
def test_a_real_shell_completes(shell, folder, line, words):
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")

    assert typed(shell, folder, line) == words


def test_odd_names_in_a_folder_keep_no_other_from_being_completed(folder):
    (folder / "loop.yaml").symlink_to("loop.yaml")
    (folder / "two\nlines.yaml").write_text(SPEC)
    with open(os.fsencode(folder) + b"/\xff.yaml", "wb") as odd:  # noqa: PTH123 - no Path holds it
        odd.write(SPEC.encode())

    found = asked(folder, "bash", "nestdecode expand --spec=./")

    assert "--spec=./my.yaml" in found
    assert not any("loop" in name or "lines" in name for name in found)
