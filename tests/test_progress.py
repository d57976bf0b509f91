"""The progress bar: on a terminal only, never wider than it, gone before anything else is said."""

import json
import re
import sys

import pytest

from nestdecode.cli import progress
from nestdecode.cli.tables import width_of
from tests import command
from tests.screen import left_of, on_screen

BAR = re.compile(
    r"\r(?P<name>\S+)  (?:\[#*-*\] +)? *\d+%  +[\d.]+ [kMG]?B of [\d.]+ [kMG]?B"
    r"(?: +[\d.]+ [kMG]?B/s)?(?: +\d+:\d\d left)?\x1b\[K"
)
# Bars are shown at once in these processes, and every time that they may be.
HURRIED = [
    *(sys.executable, "-c"),
    "import nestdecode.cli.progress as p, nestdecode.cli as c; p._PATIENCE = p._PAUSE = 0; c.main()",
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("progress")
    lines = [json.dumps({"id": n, "a": json.dumps([n])}) for n in range(3000)]
    (folder / "a.ndjson").write_text("\n".join(lines) + "\n")
    (folder / "b.ndjson").write_text("\n".join(reversed(lines)) + "\n")
    (folder / "bad.ndjson").write_text("\n".join([*lines, "{", *lines]) + "\n")
    return folder


@pytest.mark.sampled(1)
@pytest.mark.parametrize(
    ("arguments", "names", "left"),
    [
        pytest.param(
            ["expand", "bad.ndjson"],
            {"bad.ndjson"},
            "nestdecode: bad.ndjson: line 3001: invalid JSON: unexpected end of data: char 1"
            " - at document root\nnestdecode: 1 of 6,001 records failed\n",
            id="expand",
        ),
        pytest.param(["explain", "a.ndjson"], {"a.ndjson"}, "", id="explain"),
        pytest.param(
            ["set", "id=1", "a.ndjson"],
            {"a.ndjson"},
            "nestdecode: a.ndjson: changed 2,999 places in 2,999 of 3,000 records\n",
            id="set",
        ),
        pytest.param(
            ["diff", "--key", "id", "a.ndjson", "b.ndjson"],
            {"a.ndjson", "b.ndjson", "comparing"},
            "",
            id="diff",
        ),
        pytest.param(
            ["collapse", "--like", "a.ndjson", "b.ndjson"],
            {"a.ndjson", "b.ndjson", "back"},
            "",
            id="collapse",
        ),
    ],
)
def test_a_bar_is_shown_and_taken_away(folder, arguments, names, left):
    with (folder / "out").open("wb") as out:
        shown, _ = on_screen(*arguments, columns=100, cwd=folder, stdout=out, program=HURRIED)
    bars = list(BAR.finditer(shown.replace("putting back", "putting_back")))

    assert {bar["name"].removeprefix("putting_") for bar in bars} == names
    assert max(len(bar[0]) for bar in bars) < 100 + len("\r\x1b[K")
    assert left_of(shown) == left


def test_a_census_on_the_terminal_has_a_bar_and_records_there_have_none(folder):
    census, _ = on_screen("explain", "a.ndjson", columns=80, cwd=folder, program=HURRIED)
    records, _ = on_screen("expand", "-c", "a.ndjson", columns=80, cwd=folder, program=HURRIED)

    assert BAR.search(census)
    assert left_of(census).splitlines() == [
        "3,000 records; 3,000 layers",
        "PATH  CODECS  RECORDS  LAYERS   BYTES  SHUT  FIRST",
        "a     json      3,000   3,000  16,890     0  line 1",
    ]
    assert not BAR.search(records)


@pytest.mark.parametrize(
    ("options", "terminal"),
    [(["--progress"], "dumb"), (["--no-progress"], "xterm"), ([], "xterm")],
    ids=["no terminal to draw on", "off", "too short"],
)
def test_no_bar_is_shown(folder, options, terminal):
    with (folder / "out").open("wb") as out:
        shown = on_screen(
            "expand", *options, "a.ndjson", columns=80, cwd=folder, stdout=out, TERM=terminal
        )

    assert shown == ("", 0)


def test_no_bar_goes_into_a_pipe(folder):
    done = command.run("expand", "--progress", "a.ndjson", cwd=folder)

    assert done.stderr == b""


@pytest.mark.parametrize(
    ("name", "done", "total", "rate", "columns", "look"),
    [
        (
            *("a.ndjson", 5 * 10**8, 10**9, 10**8, 80),
            "a.ndjson  [#####-----]   50%  500.0 MB of 1.0 GB  100.0 MB/s  0:05 left",
        ),
        (
            *("a.ndjson", 10**9, 10**9, 10**6, 80),
            "a.ndjson  [##########]  100%    1.0 GB of 1.0 GB    1.0 MB/s  0:00 left",
        ),
        (
            *("a.ndjson", 5, 10**9, 10**5, 70),
            "a.ndjson    0%       5 B of 1.0 GB  100.0 kB/s  2:46:39 left",
        ),
        ("a.ndjson", 5, 10**9, 0.0, 80, "a.ndjson  [----------]    0%       5 B of 1.0 GB"),
        ("a.ndjson", 7, None, 0.0, 80, "a.ndjson       7 B"),
        ("a.ndjson", 7000, None, 70.0, 80, "a.ndjson    7.0 kB      70 B/s"),
        ("a" * 40, 0, 10, 0.0, 40, f"{'a' * 8}...{'a' * 8}    0%"),
        ("\u30d1" * 9, 5, 10, 1.0, 36, "\u30d1\u30d1\u30d1...\u30d1\u30d1\u30d1   50%  0:05 left"),
        ("a.ndjson", 5, 10, 1.0, 10, "a.....50%"),
    ],
    ids=[
        *("wide", "all of it", "no room", "no rate", "no total", "no total, a rate"),
        *("a long name", "wide letters", "tiny"),
    ],
)
def test_a_bar_is_narrower_than_the_terminal(name, done, total, rate, columns, look):
    assert progress._look(name, done, total, rate, columns) == look
    assert width_of(look) < columns
