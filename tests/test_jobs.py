"""Worker processes: output, messages and counts are those of one process."""

import contextlib
import os
import pty
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from nestdecode.errors import WorkerError
from nestdecode.stream import framing_of, lines_of_range, workers
from tests.command import run as forked

NESTDECODE = [sys.executable, "-m", "nestdecode"]
SECONDS = 30
SPEC = "nestdecode: 1\nlayers:\n  a: json\n  c[].d: json?\n"

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")


def mixed_lines() -> bytes:
    """Write lines good and bad, short and long, with what lines may begin and end with."""
    chance = random.Random(5)
    kinds = [
        b'{"a":"[%d]","c":[{"d":"no"}]}\n',
        b'{"a":"{\\"b\\":[%d]}"}\r\n',
        b'{"a":"[%d"}\n',
        b"not JSON %d\xff\n",
        b'"%d' + b"x" * 90_000 + b'"\n',
        b'{"a":null,"b":%d}\n',
    ]
    weights = [60, 30, 3, 2, 0.2, 5]
    lines = [
        chance.choices(kinds, weights)[0] % number if number % 50 else b" \n"
        for number in range(9000)
    ]
    return b"\xef\xbb\xbf\n" + b"".join(lines) + b'{"a":"[\\"the end\\"]"}'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a spec and lines."""
    path: Path = tmp_path_factory.mktemp("jobs")
    (path / "spec.yaml").write_text(SPEC)
    (path / "mixed.ndjson").write_bytes(mixed_lines())
    return path


def run(*arguments: str, **options: Any) -> tuple[bytes, bytes, int]:
    done = forked(*arguments, **options)
    return done.stdout, done.stderr, done.returncode


def spawn(*arguments: str, **options: Any) -> Any:
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*NESTDECODE, *arguments], bufsize=0, **streams | options)


def finish(child: Any, stdin: bytes | None = None) -> tuple[bytes, bytes, int]:
    with child:
        try:
            out, err = child.communicate(stdin, SECONDS)
        finally:
            child.kill()
    return out, err, child.returncode


def outcomes(
    folder: Path, how: str, jobs: int, arguments: list[str]
) -> tuple[tuple[bytes, bytes, int], bytes]:
    letters = folder / "dead.ndjson"
    letters.unlink(missing_ok=True)
    said = spoken(folder, how, [*arguments, "--jobs", str(jobs), "--dead-letters", "dead.ndjson"])
    return said, letters.read_bytes()


def spoken(folder: Path, how: str, command: list[str]) -> tuple[bytes, bytes, int]:
    if how == "file":
        return run(*command, "mixed.ndjson", "mixed.ndjson", cwd=folder)
    if how == "pipe":
        return run(*command, cwd=folder, stdin=(folder / "mixed.ndjson").read_bytes())
    with (folder / "mixed.ndjson").open("rb") as file:
        os.lseek(file.fileno(), 1000, os.SEEK_SET)
        return run(*command, cwd=folder, stdin=file.fileno())


@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "redirected", "pipe"])
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand"], id="expand"),
        pytest.param(["expand", "-s", "./spec.yaml"], id="with problems"),
        pytest.param(["expand", "--max-record-bytes", "50000"], id="with records too long"),
        pytest.param(["query", "-e", "--each", "a[0]"], id="query"),
        pytest.param(["query", "keys(a)"], id="a query that refuses"),
        pytest.param(["expand", "--on-error", "fail", "-s", "./spec.yaml"], id="with failures"),
    ],
)
def test_two_jobs_do_what_one_does(folder, how, arguments):
    one = outcomes(folder, how, 1, arguments)
    (out, err, _), letters = one

    assert out.count(b"\n") > 2000
    assert 10 < err.count(b"\n") < 60
    assert letters.count(b"\n") > 100
    assert outcomes(folder, how, 2, arguments) == one


def test_documents_are_shared_out_too(folder):
    documents = b'{\n"a":\n"[1]"}\n' * 2000 + b"{]\n" + b"[\n2]" * 50
    one, two = (run("expand", "--jobs", jobs, stdin=documents) for jobs in ("1", "2"))

    assert one == two
    assert (one[0].count(b"\n"), one[2]) == (2050, 5)


def test_malformed_records_have_messages_after_results_that_were_dropped(tmp_path):
    """A document goes over the border of two tasks: what a worker says of the second is dropped."""
    task = 1 << 16
    good = b'{"k":"%b"}\n' % (b"y" * 90)
    text = b'{"k":1}\n' + good * ((task - 2000) // len(good))
    text += b"{\n" + b'"a": 1,\n' * 1000 + b'"z": 1\n}\n'
    text += good * ((3 * task + 100 - len(text)) // len(good) + 1) + b"bad\n" * 5
    (tmp_path / "x").write_bytes(text + good * 600)

    one, two = (run("expand", f"-j{jobs}", "x", cwd=tmp_path) for jobs in (1, 2))

    assert one == two
    assert one[1].count(b"invalid JSON") == 5


def test_what_a_spec_lends_is_told_once_by_all(tmp_path):
    sample = Path(__file__).parent.parent / "specs" / "samples" / "repair-results.json"
    line = sample.read_bytes().replace(b"\n", b"") + b"\n"
    (tmp_path / "big.ndjson").write_bytes(line * 400)
    one, two = (
        run("query", "structData.data[0]", "-j", jobs, "big.ndjson", cwd=tmp_path)
        for jobs in ("1", "2")
    )

    assert two == one
    assert one[1].count(b"\n") == 1


@pytest.mark.parametrize("size", [1, 2, 3, 5, 7, 64, 10_000])
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"\n", id="newline"),
        pytest.param(b"ab\ncde\n\nf\n", id="lines"),
        pytest.param(b"ab\ncde\r\nlong long long\nf", id="unfinished"),
        pytest.param(b"\xef\xbb\xbf\nab\n\n\n\nc", id="byte order mark"),
    ],
)
def test_ranges_hold_each_line_once(tmp_path, text, size):
    path = tmp_path / "lines"
    path.write_bytes(text)
    found = []
    with path.open("rb") as file:
        for start in range(0, max(1, len(text)), size):
            end = start + size if start + size < len(text) else None
            begin, pieces = lines_of_range(file.fileno(), start, end, first=start == 0)
            lines = b"".join(pieces)
            assert text[begin : begin + len(lines)] == lines
            assert lines == b"" or begin == 0 or text[begin - 1 : begin] == b"\n"
            found.append(lines)

    assert b"".join(found) == text


def test_the_framing_is_told_from_what_was_read():
    pieces = iter([b'{"a"', b":1", b"}\n{", b"never read"])

    assert framing_of(lambda _: next(pieces), 100) == ("mixed", b'{"a":1}\n{')


def test_a_record_comes_out_before_the_next_goes_in():
    with spawn("expand", "--jobs", "2") as child:
        got = []
        for number in range(5):
            child.stdin.write(b'{"a":"[%d]"}\n' % number)
            got.append(child.stdout.readline())
        child.stdin.close()

    assert got == [b'{"a":[%d]}\n' % number for number in range(5)]
    assert child.returncode == 0


def children_of(pid: int) -> list[int]:
    path = Path(f"/proc/{pid}/task/{pid}/children")
    if not path.exists():
        listed = subprocess.run(["pgrep", "-P", str(pid)], stdout=subprocess.PIPE)
        return [int(word) for word in listed.stdout.split()]
    return [int(word) for word in path.read_text().split()]


def gone(pids: list[int]) -> bool:
    """Return whether processes have ended, or end soon."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        left = []
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                left.append(pid)
        if not left:
            return True
        time.sleep(0.02)
    return False


@pytest.fixture
def busy():
    """A process with two workers, which waits for input, in a group of its own."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        child = spawn("expand", "--jobs", "2", start_new_session=True)
    finally:
        signal.signal(signal.SIGINT, before)
    with child:
        for _ in range(2):
            child.stdin.write(b"[1]\n")
            assert child.stdout.readline() == b"[1]\n"
        pids = children_of(child.pid)
        assert len(pids) == 2
        yield child, pids
        child.kill()


def test_a_worker_that_dies_is_named(busy):
    child, pids = busy
    os.kill(pids[0], signal.SIGKILL)
    child.stdin.write(b"[2]\n")
    out, err = child.communicate(timeout=SECONDS)

    assert (out, child.returncode) == (b"", 2)
    assert err.decode() == f"nestdecode: worker 1 (process {pids[0]}) was killed by SIGKILL\n"
    assert gone(pids[1:])


def test_an_interrupt_ends_all_quietly(busy):
    child, pids = busy
    os.killpg(child.pid, signal.SIGINT)
    out, err = child.communicate(timeout=SECONDS)

    assert (out, err, child.returncode) == (b"", b"", 130)
    assert gone(pids)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL], ids=["TERM", "KILL"])
def test_workers_do_not_outlive_their_parent(busy, number):
    child, pids = busy
    child.send_signal(number)
    _, err = child.communicate(timeout=SECONDS)

    assert err == b""
    assert gone(pids)


def test_a_reader_that_leaves_ends_all_quietly(tmp_path):
    (tmp_path / "big.ndjson").write_text('{"a":"[1]"}\n' * 200_000)
    with spawn("expand", "--jobs", "2", "big.ndjson", cwd=tmp_path) as child:
        first = child.stdout.readline()
        pids = children_of(child.pid)
        child.stdout.close()
        err = child.stderr.read()
        code = child.wait(SECONDS)

    assert (first, err, code) == (b'{"a":[1]}\n', b"", 141)
    assert gone(pids)


def work_badly(task):
    yield b"some", None
    raise ZeroDivisionError(task)


def test_a_bug_in_a_worker_is_shown_and_ends_it(capfd):
    with workers.Workers(1, work_badly) as pool:
        pool.submit("a task")
        with pytest.raises(WorkerError, match=r"worker 1 \(process \d+\) exited with 1"):
            list(pool.collect())

    assert "ZeroDivisionError: a task" in capfd.readouterr().err


def work_much(task):
    for number in range(task):
        yield bytes([number]) * (workers.SLOT + number - 2), number


def test_results_of_any_size_and_number_come_back():
    with workers.Workers(2, work_much, ahead=2) as pool:
        for task in (5, 1, 0, 6):
            pool.submit(task)
        got = [[(bytes(text[-1:]), len(text), r) for text, r in pool.collect()] for _ in range(4)]

    assert got == [
        [(bytes([n]), workers.SLOT + n - 2, n) for n in range(task)] for task in (5, 1, 0, 6)
    ]


def with_terminal(*arguments: str, cwd: Path, stdout: Any) -> tuple[str, int]:
    """Run a process whose standard error is a terminal: (stderr, exit code)."""
    ours, theirs = pty.openpty()
    with spawn(*arguments, cwd=cwd, stdin=None, stdout=stdout, stderr=theirs) as child:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # what Linux says when a terminal is left
            while piece := os.read(ours, 1 << 16):
                shown += piece
    os.close(ours)
    return shown.decode(), child.returncode


BAR = re.compile(
    r"\rmixed\.ndjson +(?:\[#*-*\] +)?\d+% +[\d.]+ [kMG]?B of [\d.]+ [kMG]?B"
    r"(?: +[\d.]+ [kMG]?B/s)?(?: +\d+:\d\d left)?\x1b\[K"
)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_progress_bar_gives_way_to_messages(folder, jobs):
    one = spoken(folder, "file", ["expand", "--jobs", "1"])
    with (folder / "out").open("wb") as out:
        arguments = ["expand", "-j", jobs, "--progress", "mixed.ndjson", "mixed.ndjson"]
        shown, code = with_terminal(*arguments, cwd=folder, stdout=out)
    bars = BAR.findall(shown)
    rest = BAR.sub("", shown).replace("\r\x1b[K", "").replace("\r\n", "\n")

    assert bars
    assert ((folder / "out").read_bytes(), rest.encode(), code) == one
