"""expand_file: the expand command as a function, with its report and dead letters."""

import gzip
import io
import os
from pathlib import Path

import pytest

import nestdecode
from nestdecode import QueryError, SpecError, expand_file
from tests import command

LINES = b"".join(b'{"id": %d, "a": "{\\"b\\": [%d, 1.0]}"}\n' % (i, i) for i in range(5000))
BROKEN = b'{"a": "[1]"}\n{"a": \n\n{"a": "[2]"} x\n{"a": "{"}\n{"a": "[3]"}\n'
PRETTY = b'{\n "a": "[1]"\n}\n{\n "a": "[2]"}[]\n'
SPEC = "nestdecode: 1\nlayers: {a: json}\n"


def by_command(text, *arguments):
    return command.run("expand", *arguments, stdin=text).stdout


@pytest.mark.sampled(2)
@pytest.mark.parametrize("jobs", [None, 1, 2])
@pytest.mark.parametrize(
    "text",
    [LINES, BROKEN, PRETTY, gzip.compress(LINES), b""],
    ids=["lines", "broken", "pretty", "gzip", "nothing"],
)
def test_it_writes_what_the_command_writes(tmp_path, text, jobs):
    source, target = tmp_path / "in", tmp_path / "out"
    source.write_bytes(text)
    target.write_bytes(b"what was there")

    report = expand_file(source, target, jobs=jobs)

    assert target.read_bytes() == by_command(text)
    assert report.written == target.read_bytes().count(b"\n")
    assert report.records == report.written + report.failed


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_is_counted_and_handed_over(jobs):
    target = io.BytesIO()
    letters: list[nestdecode.DeadLetter] = []
    spec = nestdecode.Spec.parse(SPEC)

    report = expand_file(
        io.BytesIO(BROKEN), target, spec, framing="lines", jobs=jobs, on_dead_letter=letters.append
    )

    assert target.getvalue() == b'{"a":[1]}\n{"a":"{"}\n{"a":[3]}\n'
    assert (report.records, report.written, report.failed) == (5, 3, 2)
    assert (report.problems, report.with_problems) == (1, 1)
    assert [(letter.line, letter.raw) for letter in letters] == [
        (2, b'{"a": '),
        (4, b'{"a": "[2]"} x'),
    ]


def test_records_may_be_told_apart_by_the_caller():
    target = io.BytesIO()

    report = expand_file(io.BytesIO(b"[1]\n[2] [3]\n"), target, framing="documents")

    assert (target.getvalue(), report.written) == (b"[1]\n[2]\n[3]\n", 3)


def test_a_file_is_not_written_over_itself(tmp_path):
    file, link = tmp_path / "a", tmp_path / "b"
    file.write_bytes(LINES)
    link.symlink_to(file)

    for target in (file, link):
        with pytest.raises(OSError, match="it is the source too"):
            expand_file(file, target)

    assert file.read_bytes() == LINES


@pytest.mark.parametrize("opened", [open, gzip.open], ids=["plain", "gzip"])
def test_a_file_that_is_open_is_read_from_where_it_is(tmp_path, opened):
    target = io.BytesIO()
    with opened(tmp_path / "a", "wb") as file:
        file.write(b'heading\n{"a": "[1]"}\n')

    with opened(tmp_path / "a", "rb") as file:
        file.readline()
        expand_file(file, target)

    assert target.getvalue() == b'{"a":[1]}\n'


def test_numbers_may_be_exact():
    text = b'{"a": "[1.10, 123456789012345678901234567890.5]", "b": 1e400}\n'
    target = io.BytesIO()

    expand_file(io.BytesIO(text), target, numbers="exact")

    assert target.getvalue() == by_command(text, "--numbers", "exact")


class Short:
    """Takes three bytes at a time."""

    def __init__(self):
        self.taken = b""

    def write(self, text):
        self.taken += bytes(text[:3])
        return min(3, len(text))


def test_a_file_that_takes_little_at_a_time_gets_everything():
    target = Short()

    expand_file(io.BytesIO(b'{"a": "[1]"}\n[22]'), target)

    assert target.taken == b'{"a":[1]}\n[22]\n'


def test_an_input_that_ends_too_early_is_told_after_what_was_whole(tmp_path):
    cut = gzip.compress(LINES)[:-100]
    target = io.BytesIO()

    with pytest.raises(OSError, match="can't be read"):
        expand_file(io.BytesIO(cut), target)

    assert target.getvalue()[:30] == by_command(LINES)[:30]


@pytest.mark.parametrize(
    ("arguments", "error", "reason"),
    [
        ({"framing": "line"}, ValueError, "did you mean 'lines'"),
        ({"malformed": "wrapped"}, ValueError, "did you mean 'wrap'"),
        ({"where": "a ="}, QueryError, "column 3"),
        ({"where": 1}, TypeError, "an expression is a str"),
        ({"jobs": 0}, ValueError, "jobs is an integer from 1, got 0"),
        (
            {"on_problem": print},
            TypeError,
            "expand_file takes no on_problem: its report counts problems",
        ),
        ({"max_layers": -1}, ValueError, "max_layers"),
        ({"numbres": "exact"}, TypeError, "numbres"),
        ({"spec": "nope"}, SpecError, "unknown spec"),
        ({"source": io.StringIO("[]")}, TypeError, "binary file, got StringIO"),
        ({"target": io.StringIO()}, TypeError, "binary file, got StringIO"),
        ({"source": 1}, TypeError, "source is a path or a binary file, got int"),
        ({"target": None}, TypeError, "target is a path or a binary file, got NoneType"),
        ({"source": "/nowhere/at/all"}, OSError, "nowhere"),
    ],
)
def test_what_is_wrong_is_said(arguments, error, reason):
    given = {"source": io.BytesIO(b"[]"), "target": io.BytesIO()} | arguments

    with pytest.raises(error, match=reason):
        expand_file(**given)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
def test_a_target_may_be_a_device(tmp_path):
    (tmp_path / "in").write_text('{"a":"[1]"}\n')

    assert nestdecode.expand_file(tmp_path / "in", os.devnull).written == 1
    with pytest.raises(OSError, match="No space left"):
        nestdecode.expand_file(tmp_path / "in", "/dev/full")
