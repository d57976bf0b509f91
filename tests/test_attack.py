"""A short attack, the same in each run; and that an attack finds the faults planted in it."""

import base64
import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import attack

HERE = Path(__file__).parents[1]
SEED = 11
CASES = 600


def ended(code: str, tmp_path: Path, **options: float) -> tuple[int, int, str]:
    """Return the cases and findings of processes that run *code*, and the findings' texts."""
    watch = attack.Watch([sys.executable, "-c", code], SEED, tmp_path / "found", **options)
    watch.watch(range(3, 9), until=time.monotonic() + 60)
    files = sorted((tmp_path / "found").glob("*"))
    return sum(watch.cases.values()), watch.found, "\n".join(f.read_text() for f in files)


# Does the cases that it is given, and the fourth its own way.
CHILD = """
import os, signal, sys, time
first, end = map(int, sys.argv[sys.argv.index("--cases") + 1].split(":"))
for number in range(first, end):
    os.write(1, b"%d road\\n" % number)
    if number == 4:
        {}
"""


@pytest.mark.once
@pytest.mark.slow
def test_a_short_attack_finds_nothing(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.attack",
            "--seed",
            str(SEED),
            "--cases",
            f"0:{CASES}",
            "--folder",
            str(tmp_path),
        ],
        capture_output=True,
        check=False,
        cwd=HERE,
        env=os.environ | {"PYTHONMALLOC": "debug"},
    )
    numbers = [int(line.split()[0]) for line in done.stdout.splitlines()]

    assert [path.read_text() for path in tmp_path.iterdir()] == []
    assert (numbers, done.returncode) == (list(range(CASES)), 0), done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("road", attack.ROADS)
def test_a_case_is_the_same_again(road):
    def notes(number):
        shown: list[str] = []
        case = attack.Case(SEED, number, shown.append)
        attack.ROADS[road][0](case)
        return shown

    assert notes(1) == notes(1) != notes(2)


def test_a_process_that_dies_is_found_and_the_others_go_on(tmp_path):
    cases, found, text = ended(CHILD.format("os.kill(os.getpid(), signal.SIGSEGV)"), tmp_path)

    assert (cases, found) == (6, 1)
    assert f"--seed {SEED} --cases 4\n" in text
    assert f"ended by {signal.SIGSEGV.name}" in text


def test_a_case_that_hangs_is_found(tmp_path):
    cases, found, text = ended(CHILD.format("time.sleep(600)"), tmp_path, patience=1)

    assert (cases, found) == (6, 1)
    assert "hung for 1 s" in text


def test_a_process_that_ends_early_is_found(tmp_path):
    cases, found, text = ended(CHILD.format("sys.exit(0)"), tmp_path)

    assert (cases, found) == (6, 1)
    assert "ended by exit 0" in text


def test_a_finding_keeps_what_is_in_it_when_its_case_is_done_again(tmp_path, monkeypatch, capfd):
    def road(case):
        case.note("raw", case.chance.random())
        case.hold(1, 1.0, "one and the other")

    monkeypatch.setattr(attack, "ROADS", {"road": (road, 1)})
    attack.attack(SEED, range(2), tmp_path)
    (file,) = tmp_path.glob("*-1.txt")
    before = [line for line in file.read_text().splitlines() if line.startswith("raw = ")]
    capfd.readouterr()
    attack.attack(SEED, range(1, 2), tmp_path)
    after = [line for line in file.read_text().splitlines() if line.startswith("raw = ")]

    assert len(before) == 1
    assert before == after
    assert before[0] in capfd.readouterr().out


@pytest.mark.parametrize("style", ["plain", "escaped"])
@pytest.mark.parametrize("layer", ["json", "base64", "gzip"])
def test_what_is_deep_is_seen_however_it_is_hidden(style, layer):
    inner = b"[" * 300 + b"]" * 300
    text = {
        "json": inner,
        "base64": base64.b64encode(inner),
        "gzip": base64.b64encode(gzip.compress(inner)),
    }[layer].decode()
    raw = json.dumps(text)
    if style == "escaped":
        raw = '"' + "".join(f"\\u{ord(c):04x}" for c in text) + '"'

    assert attack.may_be_deep(raw.encode())
    assert not attack.may_be_deep(b'{"a": "[[1]]", "b": [[[]]], "c": "W1tbXV1d"}')


def test_roads_that_disagree_are_found(tmp_path, monkeypatch, capfd):
    def road(case):
        case.note("raw", case.chance.random())
        case.hold(1, 1.0, "one and the other")

    monkeypatch.setattr(attack, "ROADS", {"road": (road, 1)})

    assert attack.attack(SEED, range(2), tmp_path) == 2
    assert capfd.readouterr().out == "0 road\n0 !\n1 road\n1 !\n"
    texts = [path.read_text() for path in sorted(tmp_path.iterdir())]
    assert all("one and the other" in text and "raw = 0." in text for text in texts)
