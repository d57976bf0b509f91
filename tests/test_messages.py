"""
Names in messages control no terminal and forge no line, whoever wrote them.

Each command runs as a process whose three streams are one terminal.
"""

import contextlib
import json
import os
import pty
import re
from pathlib import Path

import pytest

from nestdecode import DecodeError, LimitError, QueryError, SpecError
from nestdecode.cli.output import draw, print_lines, say
from tests import command

# A title for the window, C1, DEL, text turned around, newlines of all kinds, a byte that
# is not UTF-8, and a line of ours.
EVIL = (
    "\x1b]0;x\x07\x9b2J\x7f\u202e\u2067\u200f\u061c\u2028\x85\ufeff\udcff\r\t\nnestdecode: forged"
)
SHOWN = (
    r"\u001b]0;x\u0007\u009b2J\u007f\u202e\u2067\u200f\u061c\u2028\u0085\ufeff\udcff\r\t\n"
    "nestdecode: forged"
)
# As a key of JSON, which may hold anything that is escaped.
KEY = json.dumps(EVIL)
OBEYED = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def on_terminal(*arguments: str, cwd: Path, **environment: str) -> tuple[str, int]:
    """Run a process on a terminal: (what is shown there, exit code)."""
    ours, theirs = pty.openpty()
    env = os.environ | {"NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "200"} | environment
    child = command.start(*arguments, streams=(theirs, theirs, theirs), cwd=cwd, env=env)
    os.close(theirs)
    shown = b""
    # Linux ends a terminal with EIO, others with an empty read.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), child.wait()


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder whose files have evil names, and evil names in them."""
    folder = tmp_path_factory.mktemp("evil")
    (folder / EVIL).write_text(f'{{"a":"[1]",{KEY}:"{{\\"oops","b":{KEY}}}')
    (folder / f"other{EVIL}").write_text(f'{{"a":"[2]",{KEY}:{{{KEY}:"[2]"}}}}')
    (folder / f"bad{EVIL}").write_text(f"{{{KEY}:\n1\n{EVIL[:13]}\n")
    (folder / f"dir{EVIL}").mkdir()
    (folder / "good").write_text('{"a":"[1]"}')
    (folder / f"letters{EVIL}").write_text(json.dumps({"raw": EVIL.replace("\n", "")}))
    spec = {
        "nestdecode": 1,
        "title": EVIL,
        "focus": "a",
        "queries": {"evil": f"a.{KEY}"},
        "layers": {KEY: {"codecs": "json"}, f"b.{KEY}": "json"},
    }
    (folder / f"spec{EVIL}.json").write_text(json.dumps(spec))
    (folder / f"wrong{EVIL}.json").write_text(json.dumps(spec | {EVIL: 1}))
    (folder / f"wrong{EVIL}.yaml").write_text("a: [", errors="surrogateescape")
    return folder


COMMANDS = [
    ["expand", f"none{EVIL}"],
    ["expand", f"dir{EVIL}"],
    ["expand", f"bad{EVIL}"],
    ["expand", "-j2", "--lines", f"bad{EVIL}"],
    ["expand", "--fail-fast", "--summary=json", f"bad{EVIL}"],
    ["expand", f"spec{EVIL}.json", "--dead-letters", f"spec{EVIL}.json"],
    ["expand", "--dead-letters", f"dir{EVIL}", "good"],
    ["expand", "--dead-letters", f"none{EVIL}/x", "good"],
    ["expand", "--dead-letters", "/dev/null", EVIL],
    ["expand", "-s", f"spec{EVIL}.json", EVIL],
    ["expand", "-s", f"spec{EVIL}.json", "--on-error=fail", EVIL],
    ["expand", "-s", f"wrong{EVIL}.json", EVIL],
    ["expand", "-s", f"wrong{EVIL}.yaml", EVIL],
    ["expand", "-s", EVIL, EVIL],
    ["expand", "--jobs", EVIL],
    ["expand", "--max-bytes", EVIL],
    ["expand", f"--{EVIL}"],
    [EVIL],
    ["completion", EVIL],
    ["query", EVIL],
    ["query", f"a.{KEY}.{EVIL}", "good"],
    ["query", f"abs({KEY})", EVIL],
    ["query", f"abs({KEY}\n)", EVIL],
    ["query", f":{EVIL}", "good"],
    ["query", f":{EVIL}", "-s", f"spec{EVIL}.json", "good"],
    ["query", "@", EVIL],
    ["explain", EVIL],
    ["explain", "--format=table", EVIL],
    ["explain", "--json", EVIL],
    ["explain", "-s", f"spec{EVIL}.json", EVIL],
    ["explain", f"other{EVIL}"],
    ["collapse", EVIL, "--like", f"none{EVIL}"],
    ["collapse", f"bad{EVIL}", "--like", EVIL],
    ["collapse", EVIL, "--like", EVIL],
    ["collapse", f"other{EVIL}", "-s", f"spec{EVIL}.json"],
    ["set", "a=1", f"none{EVIL}"],
    ["set", "-i", "a=1", f"dir{EVIL}"],
    ["set", f"{EVIL}=1", EVIL],
    ["set", f"/{EVIL}/x=1", EVIL],
    ["set", "--delete", EVIL, "good"],
    ["set", "--record", EVIL, "good"],
    ["set", "b=1", EVIL],
    ["diff", EVIL, f"other{EVIL}"],
    ["diff", "--json", EVIL, f"other{EVIL}"],
    ["diff", EVIL, f"none{EVIL}"],
    ["diff", "a", "b", EVIL],
    ["edit", f"none{EVIL}"],
    ["edit", EVIL],
    ["edit", f"bad{EVIL}"],
    ["replay", f"letters{EVIL}"],
    ["replay", f"none{EVIL}"],
    ["spec", EVIL],
    ["spec", "show", EVIL],
    ["spec", "show", f"spec{EVIL}.json"],
    ["spec", "show", f"spec{EVIL}.json#/{EVIL}"],
    ["spec", "lint", f"spec{EVIL}.json", f"wrong{EVIL}.json", f"none{EVIL}.json"],
    ["spec", "plan", f"spec{EVIL}.json"],
    ["spec", "convert", f"spec{EVIL}.json"],
    ["spec", "convert", "--yaml", f"spec{EVIL}.json"],
]


def named(words: list[str]) -> str:
    return " ".join(words).replace(EVIL, "EVIL").replace(KEY, "KEY")


@pytest.mark.parametrize("arguments", COMMANDS, ids=named)
def test_no_name_steers_a_terminal_or_forges_a_line(folder, arguments):
    shown, _ = on_terminal(*arguments, cwd=folder, EDITOR=EVIL, VISUAL="")

    assert OBEYED.findall(shown) == []
    assert "Traceback" not in shown
    # What is not a number is not repeated.
    assert "forged" in shown or "is an integer" in shown
    assert [line for line in shown.split("\n") if line.startswith("nestdecode: forged")] == []


@pytest.mark.parametrize(
    ("arguments", "lines"),
    [
        pytest.param(
            ["expand", f"none{EVIL}"],
            [f"nestdecode: none{SHOWN}: can't be read: No such file or directory"],
            id="a file",
        ),
        pytest.param(
            ["diff", "a", "b", EVIL],
            [
                "Usage: nestdecode diff [OPTIONS] A B",
                "Try 'nestdecode diff --help' for help.",
                "",
                f"Error: Got unexpected extra argument ({SHOWN})",
            ],
            id="an argument too many",
        ),
        pytest.param(
            ["query", EVIL],
            [
                "Usage: nestdecode query [OPTIONS] EXPR|:NAME [FILE]...",
                "Try 'nestdecode query --help' for help.",
                "",
                (
                    f"Error: '{SHOWN}' is a file: the query comes first, as in "
                    f"nestdecode query EXPR {SHOWN}"
                ),
            ],
            id="a file in place of the query",
        ),
        pytest.param(
            ["explain", "-s", f"spec{EVIL}.json", EVIL],
            [
                "0 layers, 0 deep, in 235 bytes; 0 of them (0%) are escaping",
                "did not open:",
                f"  /{SHOWN}  invalid JSON: unexpected end of data: char 6",
                "look like layers, and were not opened:",
                "  /a  not declared",
            ],
            id="a layer that did not open",
        ),
        pytest.param(
            ["spec", "show", f"spec{EVIL}.json"],
            [
                f"name: spec{SHOWN}.json",
                f"title: {SHOWN}".replace(r"\u2028\u0085", " ").replace(r"\r\t\n", " "),
                "focus: a",
                "layers:",
                f"  {KEY}    json",
                f"  b.{KEY}  json",
                "queries:",
                f"  :evil  a.{KEY}",
            ],
            id="a spec",
        ),
        pytest.param(
            ["completion"],
            [
                "Usage: nestdecode completion [OPTIONS] {bash|zsh|fish}",
                "Try 'nestdecode completion --help' for help.",
                "",
                "Error: Missing argument '{bash|zsh|fish}'. Choose from: bash, zsh, fish",
            ],
            id="an argument that is missing",
        ),
    ],
)
def test_what_is_shown_of_a_name_is_all_of_it(folder, arguments, lines):
    assert on_terminal(*arguments, cwd=folder)[0] == "\n".join([*lines, ""])


def test_raw_strings_on_a_terminal_keep_their_lines_and_tabs(folder):
    shown = SHOWN.replace(r"\t", "\t").replace(r"\n", "\n")

    assert on_terminal("query", "-r", "b", EVIL, cwd=folder) == (f"{shown}\n", 0)


def test_a_progress_bar_is_one_line(folder):
    shown, code = on_terminal("expand", "--progress", f"bad{EVIL}", cwd=folder)
    bars = re.findall("\r([^\r]+)\x1b\\[K", shown)

    assert code == 5
    assert bars
    assert all(bar.startswith(f"bad{SHOWN}  [") for bar in bars)
    assert OBEYED.findall(shown.replace("\r", "").replace("\x1b[K", "")) == []


@pytest.mark.parametrize("query", ["a\t\x1b.b = c", f"{'a' * 200}\t\x9b = b", "a.\n\u202eb\t = c"])
def test_the_caret_is_where_the_character_is_shown(folder, query):
    message, line, caret, end = on_terminal("query", query, "good", cwd=folder)[0].split("\n")

    assert message.startswith("nestdecode: unexpected character - at column ")
    assert line[len(caret) - 1] in ("\\", "=")
    assert OBEYED.findall(line) == []
    assert end == ""


def test_every_way_out_writes_lines_as_lines(capsysbinary):
    say(EVIL, EVIL)
    draw(EVIL)
    print_lines(EVIL, "\xe9")
    out, err = capsysbinary.readouterr()

    assert err.decode() == f"nestdecode: {SHOWN}\n{SHOWN}\n\r{SHOWN}\x1b[K"
    assert out.decode() == f"{SHOWN}\n\xe9\n"


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (DecodeError("no", f"/{EVIL}", "json"), f"no - at /{SHOWN} (json)"),
        (LimitError("no", f"/{EVIL}"), f"no - at /{SHOWN}"),
        (SpecError(f"no {EVIL}", f"/{EVIL}", EVIL, 7), f"{SHOWN}:7: no {SHOWN} - at /{SHOWN}"),
        (
            DecodeError("no", f"/{'k' * 1000}/end", "json"),
            f"no - at /{'k' * 99}...{'k' * 96}/end (json)",
        ),
        (SpecError("no", f"/{'k' * 1000}/end"), f"no - at /{'k' * 99}...{'k' * 96}/end"),
        (QueryError("no", EVIL), f"no - in query {SHOWN}"),
        (QueryError("no", "a\n\tb\x1b=", 5), "no - at column 4 of\n  \\tb\\u001b=\n           ^"),
    ],
    ids=["a layer", "a limit", "a spec", "long", "a long spec", "a query", "an excerpt"],
)
def test_messages_of_errors_are_one_line_whatever_their_names_hold(error, message):
    assert str(error) == message
