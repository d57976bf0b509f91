"""Faults of the environment: real processes, pipes, signals, disks and limits."""

import base64
import errno
import fcntl
import itertools
import json
import os
import pty
import random
import re
import resource
import shlex
import shutil
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nestdecode import DecodeError, Decoder
from nestdecode.stream import DeadLetter, original
from tests.command import run as forked
from tests.strategies import EFFORT

NESTDECODE = [sys.executable, "-m", "nestdecode"]
RECORD = {"id": 7, "body": json.dumps({"items": [json.dumps({"n": 1}), "plain"]})}
OPENED = b'{"id":7,"body":{"items":[{"n":1},"plain"]}}'
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc or /dev/full")


def run(*arguments: str, stdin: bytes = b"", **more: Any) -> subprocess.CompletedProcess[bytes]:
    return forked(*arguments, stdin=stdin, **more)


def run_whole(
    *arguments: str, stdin: bytes = b"", **more: Any
) -> subprocess.CompletedProcess[bytes]:
    """Run a command in a process that starts Python too."""
    return subprocess.run(
        [*NESTDECODE, *arguments], input=stdin, capture_output=True, check=False, **more
    )


def figures(stderr: bytes) -> dict[str, int]:
    """Return the summary, after checking that nothing is missing from it."""
    summary: dict[str, int] = json.loads(stderr.splitlines()[-1])
    assert summary["in"] == summary["out"] + summary["dead"] + summary["skipped"]
    return summary


# Dead letters


@pytest.fixture(scope="module")
def broken_lines():
    """20,000 lines, 37 of them broken in several ways, and which."""
    chance = random.Random(37)
    lines = [
        json.dumps({**RECORD, "id": number}, separators=chance.choice([None, (",", ":")])).encode()
        for number in range(20_000)
    ]
    broken = sorted(chance.sample(range(20_000), 37))
    for number, how in zip(broken, itertools.cycle(range(6)), strict=False):
        lines[number] = [
            lines[number][:-3],
            lines[number] + b"}",
            b"\xff\xfe" + lines[number],
            lines[number].replace(b"body", b"\x00"),
            b'{"id": 1e999}',
            b"not json at all \xe2\x80\xa8\r",
        ][how]
    return lines, broken


@pytest.mark.sampled(2)
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("command", [["expand"], ["query", "--root", "@"]])
def test_broken_records_are_set_aside_and_come_back(broken_lines, tmp_path, jobs, command):
    lines, broken = broken_lines
    source, dead = tmp_path / "lines", tmp_path / "dead"
    source.write_bytes(b"\n".join(lines) + b"\n")

    result = run(
        *command, f"--dead-letters={dead}", "--summary=json", "-j", jobs, "--lines", str(source)
    )

    assert result.returncode == 5
    written = [json.loads(line)["id"] for line in result.stdout.splitlines()]
    assert written == [number for number in range(20_000) if number not in set(broken)]
    expected = {"in": 20_000, "out": 19_963, "dead": 37, "skipped": 0}
    assert expected.items() <= figures(result.stderr).items()
    letters = [json.loads(line) for line in dead.read_bytes().splitlines()]
    assert [letter["line"] for letter in letters] == [number + 1 for number in broken]
    assert {letter["source"] for letter in letters} == {str(source)}
    assert {letter["code"] for letter in letters} == {"malformed", "limit"}
    text = source.read_bytes()
    for letter, number in zip(letters, broken, strict=True):
        assert text[letter["offset"] :].startswith(lines[number] + b"\n")
    assert stat.S_IMODE(dead.stat().st_mode) == 0o600

    replayed = run("replay", str(dead))

    assert replayed.returncode == 0
    assert replayed.stdout == b"".join(lines[number] + b"\n" for number in broken)
    assert replayed.stderr == b""


def test_one_bad_record_changes_no_other(broken_lines):
    lines, broken = broken_lines
    good = [line for number, line in enumerate(lines) if number not in set(broken)]

    assert (
        run("expand", stdin=b"\n".join(lines)).stdout
        == run("expand", stdin=b"\n".join(good)).stdout
    )


LOGS = b'{"awslogs":{"data":"oops"}}'


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("arguments", "text", "reason", "pointer"),
    [
        (["expand"], b'{"a":', "malformed", ""),
        (["expand", "--max-depth=3"], b'[[["[1]"]]]', "limit", None),
        (["expand", "--max-depth=3", "--on-error=fail"], b'[[["[1]"]]]', "limit", "/0/0/0"),
        (["expand", "-saws/cloudwatch-logs", "--on-error=fail"], LOGS, "layer", "/awslogs/data"),
        (["expand", "--max-record-bytes=9"], b'{"a":"[12345]"}', "limit", ""),
        (["query", "abs(a)"], b'{"a":"x"}', "query", ""),
        (["expand", "--duplicates=error"], b'{"a":1,"a":2}', "limit", ""),
    ],
)
def test_dead_letters_tell_the_kind_of_error(tmp_path, arguments, text, reason, pointer):
    dead = tmp_path / "dead"

    result = run(*arguments, f"--dead-letters={dead}", "--lines", stdin=text + b'\n{"a":1}\n')

    if reason == "limit" and pointer is None:  # a layer that stays shut sets no record aside
        assert (result.returncode, dead.read_bytes()) == (0, b"")
        return
    letter = json.loads(dead.read_bytes())
    assert result.returncode == 5
    assert letter["code"] == reason
    assert letter["raw"].encode() == text
    assert pointer is None or letter["pointer"] == pointer


@pytest.mark.parametrize("framing", ["--lines", "--documents"])
def test_places_count_bytes_whatever_the_framing(tmp_path, framing):
    dead = tmp_path / "dead"
    text = b'\xef\xbb\xbf\r\n{"a": "\xc3\xa9"}\n\n  \n{"b": oops}\r\n[1]\n{"c" 1}'

    run("expand", f"--dead-letters={dead}", framing, stdin=text)

    letters = [json.loads(line) for line in dead.read_bytes().splitlines()]
    assert [letter["line"] for letter in letters] == [5, 7]
    for letter in letters:
        assert text[letter["offset"] :].startswith(letter["raw"].encode())


@pytest.mark.parametrize("framing", ["--lines", "--documents"])
def test_of_a_long_record_the_beginning_is_kept(tmp_path, framing):
    dead = tmp_path / "dead"
    long = b'{"a":"' + b"x" * 1_000_000 + b'"}'
    text = b"[1]\n" + long + b"\n[2]\n"

    result = run("expand", f"--dead-letters={dead}", "--max-record-bytes=5000", framing, stdin=text)

    assert result.stdout == b"[1]\n[2]\n"
    letter = json.loads(dead.read_bytes())
    assert letter["offset"] == 4
    assert letter["raw"].encode() == long[:1024]
    assert letter["skipped"] == len(long) - 1024

    replayed = run("replay", str(dead))

    assert (replayed.returncode, replayed.stdout) == (5, b"")
    assert b"line 1: too long to be kept" in replayed.stderr


def test_letters_are_appended_and_a_cut_one_harms_no_other(tmp_path):
    dead = tmp_path / "dead"
    run("expand", f"--dead-letters={dead}", "--lines", stdin=b"{1\n")
    dead.write_bytes(dead.read_bytes() + b'{"source":"x","ra')
    run("expand", f"--dead-letters={dead}", "--lines", stdin=b"{2\n")

    replayed = run("replay", str(dead))

    assert (replayed.returncode, replayed.stdout) == (5, b"{1\n{2\n")
    assert b"line 2: not a dead letter" in replayed.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "letter",
    [
        b"{}", b"1", b'"raw"', b'{"raw":1}', b'{"raw_base64":"*"}', b"[[", b"\xff",
        b'{"skipped":true,"raw":"x"}', b'{"skipped":-5,"raw":"x"}', b'{"skipped":"\\u001b[31m"}',
    ],
)  # fmt: skip
def test_replay_refuses_what_is_no_letter(letter):
    result = run("replay", stdin=letter)

    assert (result.returncode, result.stdout) == (5, b"")
    assert result.stderr.startswith(b"nestdecode: stdin: line 1: not a dead letter")


def test_letters_hold_any_bytes():
    for raw in [b"", b"\x00", bytes(range(256)), b"\xed\xa0\x80", "\u2028\x85\ufeff".encode()]:
        letter = DeadLetter(3, 14, raw, DecodeError("why", "/a~1b"))
        line = letter.encode("s\udcff")

        assert b"\n" not in line
        assert original(line) == raw


def test_the_library_hands_out_the_same_letters(tmp_path):
    dead: list[DeadLetter] = []
    lines = [b"[1]", b"{", b"\xff"]
    list(Decoder().expand_lines(lines, on_dead_letter=dead.append))

    assert [original(letter.encode("x")) for letter in dead] == lines[1:]
    assert json.loads(dead[1].encode("x"))["raw_base64"] == base64.b64encode(b"\xff").decode()


def test_two_processes_do_not_share_a_file_of_letters(tmp_path):
    dead = tmp_path / "dead"
    with dead.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        result = run("expand", f"--dead-letters={dead}", stdin=b"1")

    assert result.returncode == 2
    assert b"another process writes to it: give each process its own file" in result.stderr


def test_letters_are_closed_to_others_and_that_is_told(tmp_path):
    dead = tmp_path / "dead"
    dead.write_bytes(b"")
    dead.chmod(0o2754)
    result = run("expand", f"--dead-letters={dead}", "--lines", stdin=b"{1\n")

    assert stat.S_IMODE(dead.stat().st_mode) == 0o700
    assert result.stderr.splitlines()[0] == (
        f"nestdecode: {dead}: only you can read it now (its mode was 2754)".encode()
    )
    assert run("replay", str(dead)).stdout == b"{1\n"

    result = run("expand", f"--dead-letters={dead}", "--lines", stdin=b"{2\n")

    assert b"others" not in result.stderr
    assert run("replay", str(dead)).stdout == b"{1\n{2\n"


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("link", "it is a symbolic link: name the file that it leads to"),
        ("link to nothing", "it is a symbolic link: name the file that it leads to"),
        ("link in /dev/shm", "it is a symbolic link: name the file that it leads to"),
        ("hard link", "it has other names (hard links): name another file"),
        ("of another user", "it belongs to another user: name another file"),
        ("socket", None),
    ],
)
@LINUX
def test_letters_go_to_no_file_that_somebody_else_has_prepared(tmp_path, kind, reason):
    victim, dead = tmp_path / "victim", tmp_path / "dead"
    victim.write_bytes(b"victim\n")
    victim.chmod(0o644)
    if kind == "link in /dev/shm":
        dead = Path(f"/dev/shm/nestdecode-{os.getpid()}")
    if kind == "hard link":
        dead.hardlink_to(victim)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as other:
            other.bind(os.path.relpath(dead))
    elif kind == "of another user":
        if os.geteuid():
            pytest.skip("needs root")
        dead.write_bytes(b"victim\n")
        os.chown(dead, 1234, 1234)
    else:
        dead.symlink_to(tmp_path / "new" if kind == "link to nothing" else victim)
    try:
        result = run("expand", f"--dead-letters={dead}", "--lines", stdin=b"{1\n")
    finally:
        if kind == "link in /dev/shm":
            dead.unlink()

    assert (result.returncode, result.stdout) == (2, b"")
    assert result.stderr.startswith(f"nestdecode: {dead}: can't write: {reason or ''}".encode())
    assert (victim.read_bytes(), stat.S_IMODE(victim.stat().st_mode)) == (b"victim\n", 0o644)
    assert not (tmp_path / "new").exists()
    assert kind != "of another user" or dead.read_bytes() == b"victim\n"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", ["FIFO", "process substitution"])
def test_a_reader_of_letters_that_leaves_is_told(tmp_path, how, jobs):
    (tmp_path / "in").write_bytes(b'{"n":"%s"\n' % (b"x" * 50) * 20_000)
    command = f"{' '.join(NESTDECODE)} expand --lines -j{jobs} in --dead-letters"
    if how == "FIFO":
        os.mkfifo(tmp_path / "dead")
        script = f"head -c 10 dead > /dev/null & {command} dead"
    else:
        script = f"{command} >(head -c 10 > /dev/null)"
    result = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False, timeout=60
    )

    assert (result.returncode, result.stdout) == (2, b"")
    assert b": can't write: Broken pipe\n" in result.stderr
    assert b"Traceback" not in result.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize("target", [">(cat > dead)", "/dev/fd/3", "/dev/stdout", "FIFO"])
@LINUX
def test_letters_go_to_pipes_and_to_what_the_shell_opened(tmp_path, target):
    os.mkfifo(tmp_path / "FIFO")
    command = f"{' '.join(NESTDECODE)} expand --lines --dead-letters {target} 3>>dead"
    if target == "/dev/stdout":
        command += " | cat > dead"
    elif target == "FIFO":
        command = f"cat FIFO > dead & {command}; wait"
    result = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, input=b"{1\n{2\n", capture_output=True, check=False
    )
    end = time.monotonic() + 10
    while (tmp_path / "dead").read_bytes().count(b"\n") < 2 and time.monotonic() < end:
        time.sleep(0.01)

    assert b"can't write" not in result.stderr
    assert run("replay", str(tmp_path / "dead")).stdout == b"{1\n{2\n"


def test_a_terminal_obeys_nothing_of_a_letter(tmp_path):
    parent, child = pty.openpty()
    record = '{"\u202e\x7f\x9b'.encode()
    name = os.ttyname(child)
    result = run("expand", f"--dead-letters={name}", "--lines", stdin=record)
    os.close(child)
    shown = os.read(parent, 1000)
    os.close(parent)

    assert result.returncode == 5
    assert json.loads(shown)["raw"].encode() == record
    assert rb'"raw":"{\"\u202e\u007f\u009b"' in shown


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("command", "what"),
    [
        ("expand --dead-letters in in", "an input"),
        ("expand --dead-letters ./in in", "an input"),
        ("expand --dead-letters in < in", "an input"),
        ("expand --dead-letters in - < in >> out", "an input"),
        ("expand --dead-letters out in >> out", "the output"),
        ("expand --dead-letters out - < in >> out", "the output"),
        (
            "expand --dead-letters /dev/stderr in 2>> out; code=$?; cat out >&2; exit $code",
            "stderr",
        ),
    ],
)
def test_letters_change_nothing_in_a_file_that_is_taken(tmp_path, command, what):
    for name in ("in", "out"):
        (tmp_path / name).write_text("{1")
        (tmp_path / name).chmod(0o644)
    result = subprocess.run(
        ["sh", "-c", f"{shlex.join(NESTDECODE)} {command}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )

    assert result.returncode == 2
    said = result.stderr.decode().removeprefix("{1")
    assert re.fullmatch(
        rf"nestdecode: \S+: can't write: it is {what} too: name another file\n", said
    )
    for name in ("in", "out"):
        assert (tmp_path / name).read_text().removesuffix(said) == "{1"
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o644


@pytest.mark.parametrize("path", ["no/such/folder/dead", "/dev/full"])
@LINUX
def test_letters_that_cannot_be_kept_stop_everything(path):
    result = run("expand", f"--dead-letters={path}", "--lines", stdin=b"[1]\n{\n[2]\n")

    assert result.returncode == 2
    assert result.stderr.startswith(f"nestdecode: {path}: can't write: ".encode())
    assert b"Traceback" not in result.stderr


def test_a_full_disk_leaves_whole_letters(tmp_path):
    dead = tmp_path / "dead"
    lines = [b'{"n":%d,' % number + b"x" * 300 for number in range(20)]

    result = run_whole(
        "expand",
        f"--dead-letters={dead}",
        "--lines",
        stdin=b"\n".join(lines),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4000, 4000)),
    )

    assert result.returncode == 2
    assert os.strerror(errno.EFBIG).encode() in result.stderr
    kept = dead.read_bytes()
    assert kept.endswith(b"\n")
    assert [original(line) for line in kept.splitlines()] == lines[: kept.count(b"\n")]
    assert kept.count(b"\n") > 3


# Stopping at the first failure, and counting


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_fail_fast_writes_what_came_before(tmp_path, jobs):
    source, dead = tmp_path / "lines", tmp_path / "dead"
    lines = [b"[%d]" % number for number in range(50_000)]
    lines[31_000] = lines[31_001] = b"["
    source.write_bytes(b"\n".join(lines))

    result = run(
        "expand", "--fail-fast", f"--dead-letters={dead}", "--summary=json", "-j", jobs, str(source)
    )

    assert result.returncode == 5
    assert result.stdout == b"".join(line + b"\n" for line in lines[:31_000])
    assert json.loads(dead.read_bytes())["line"] == 31_001
    counted = figures(result.stderr)
    assert (counted["in"], counted["out"], counted["dead"]) == (31_001, 31_000, 1)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_summary_counts_every_record(tmp_path, jobs):
    text = b'{"a":[1]}\n\n{"a":null}\nnope\n{"a":[]}\n   \n{"a":2}'

    result = run("query", "--each", "a", "--summary=json", "--lines", "-j", jobs, stdin=text)

    assert result.stdout == b"1\n2\n"
    counted = figures(result.stderr)
    assert [counted[name] for name in ("in", "out", "dead", "skipped")] == [5, 2, 1, 2]


def test_with_letters_only_some_failures_are_told(tmp_path):
    result = run("expand", f"--dead-letters={tmp_path / 'd'}", "--lines", stdin=b"{\n" * 1000)

    lines = result.stderr.decode().splitlines()
    assert len(lines) == 11
    assert lines[-1] == (
        f"nestdecode: 1,000 of 1,000 records failed (10 reported, all kept in {tmp_path / 'd'})"
    )
    assert (tmp_path / "d").read_bytes().count(b"\n") == 1000


# Pipes, disks and descriptors


@pytest.fixture(scope="module")
def big(tmp_path_factory):
    """A file of 40,000 records, 9 MB."""
    path = tmp_path_factory.mktemp("big") / "big.ndjson"
    record = {**RECORD, "pad": "x" * 150}
    path.write_text("".join(json.dumps({**record, "id": n}) + "\n" for n in range(40_000)))
    return path


UNBUFFERED = pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
JOBS = pytest.mark.parametrize("jobs", ["1", "2"])


@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash for pipefail")
@JOBS
def test_a_closed_pipe_is_no_error_of_ours(big, jobs):
    command = f"set -o pipefail; {' '.join(NESTDECODE)} expand -j {jobs} {big} | head -n 1"
    result = subprocess.run(["bash", "-c", command], capture_output=True, check=False)

    assert result.returncode == 141
    assert result.stderr == b""
    assert json.loads(result.stdout)["id"] == 0


@LINUX
@pytest.mark.parametrize("text", [b"[1]", b"[1]\n" * 100_000], ids=["short", "long"])
def test_a_full_disk_is_told(text):
    with Path("/dev/full").open("wb") as full:
        result = subprocess.run(
            [*NESTDECODE, "expand"], input=text, stdout=full, stderr=subprocess.PIPE, check=False
        )

    assert result.returncode == 2
    assert result.stderr == b"nestdecode: can't write: No space left on device\n"


@pytest.mark.sampled(2)
@UNBUFFERED
@JOBS
@pytest.mark.parametrize("how", ["wb", "ab"])
def test_what_fits_on_a_disk_ends_on_a_whole_line(big, tmp_path, unbuffered, jobs, how):
    path = tmp_path / "out"
    with path.open(how) as out:
        result = subprocess.run(
            [*NESTDECODE, "expand", "-j", jobs, str(big)],
            stdout=out,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000)),
            check=False,
        )

    assert result.returncode == 2
    text = path.read_bytes()
    assert 999_000 < len(text) <= 1_000_000
    assert text.endswith(b"}\n")
    assert [json.loads(line)["id"] for line in text.splitlines()] == list(range(text.count(b"\n")))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("closed", range(1, 8))
@pytest.mark.skipif(shutil.which("sh") is None, reason="needs a shell to close descriptors")
def test_closed_descriptors_are_told(tmp_path, closed):
    source, dead = tmp_path / "in", tmp_path / "dead"
    source.write_bytes(b"[1]\n[\n")
    redirections = "".join(
        f" {which}" for bit, which in enumerate(["<&-", ">&-", "2>&-"]) if closed >> bit & 1
    )
    command = f"{' '.join(NESTDECODE)} expand --dead-letters {dead} - {source} {redirections}"
    result = subprocess.run(["sh", "-c", command], input=b"[0]\n", capture_output=True, check=False)

    assert b"Traceback" not in result.stderr
    if closed & 2:
        assert result.returncode == 2
        assert not dead.exists()
        return
    assert result.returncode == (2 if closed & 1 else 5)
    assert result.stdout == (b"[1]\n" if closed & 1 else b"[0]\n[1]\n")
    assert original(dead.read_bytes()) == b"["


def test_a_pipe_that_does_not_block_gets_everything(big):
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    process = subprocess.Popen([*NESTDECODE, "expand", str(big)], stdout=writer)
    os.close(writer)
    with os.fdopen(reader, "rb") as file:
        time.sleep(0.5)
        text = file.read()

    assert process.wait() == 0
    assert text == run("expand", str(big)).stdout


@JOBS
def test_a_file_that_is_cut_while_it_is_read(big, tmp_path, jobs):
    path = tmp_path / "cut"
    shutil.copy(big, path)
    with subprocess.Popen(
        [*NESTDECODE, "expand", "-j", jobs, str(path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    ) as process:
        assert process.stdout is not None
        first = process.stdout.read(1000)
        os.truncate(path, 5_000_001)
        rest, told = process.communicate()

    assert process.returncode in (2, 5)  # 5: the line that was cut
    assert b"can't be read: it was cut short while it was read\n" in told
    assert run("expand", str(big)).stdout.startswith(first + rest)


@pytest.mark.parametrize("stop_at", ["read", "write"])
def test_errors_of_the_device_are_told(tmp_path, stop_at):
    if stop_at == "read":
        result = run("expand", str(tmp_path))  # a folder
        assert result.returncode == 2
        assert result.stderr.endswith(b"can't be read: Is a directory\n")
    else:
        with (tmp_path / "x").open("wb") as file:
            file.close()
            readable = os.open(tmp_path / "x", os.O_RDONLY)
            result = subprocess.run(
                [*NESTDECODE, "expand"], input=b"1", stdout=readable, stderr=-1, check=False
            )
        assert result.returncode == 2
        assert result.stderr == b"nestdecode: can't write: Bad file descriptor\n"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("locale", ["C", "POSIX", "C.UTF-8", "en_US.ISO-8859-1", "tr_TR.UTF-8"])
@pytest.mark.parametrize("encoding", ["ascii", "utf-16", None])
def test_no_locale_changes_a_byte(locale, encoding):
    text = '{"é\u2028": "{\\"\U0001f600\\": \\"\\ud800\\"}"}\n{"\u0130":'.encode()
    environment = {**os.environ, "LC_ALL": locale, "PYTHONUTF8": "0"}
    if encoding is not None:
        environment["PYTHONIOENCODING"] = encoding

    result = run_whole("expand", "--lines", stdin=text, env=environment)

    assert result.returncode == 5
    assert result.stdout == '{"é\u2028":{"\U0001f600":"\\ud800"}}\n'.encode()
    assert b"Traceback" not in result.stderr


# Signals


def stopped(
    command: list[str], number: int, wait: Callable[[Any], None], **more: Any
) -> tuple[int, bytes, bytes]:
    """Run a command, send it a signal at some moment, and return what it left."""

    def as_started_by_hand() -> None:
        # A shell's background job ignores it, and so would what is tested.
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=as_started_by_hand,
        **more,
    )
    assert process.stdout is not None
    got = bytearray()

    def drain() -> None:
        assert process.stdout is not None
        while chunk := process.stdout.read1(1 << 16):  # type: ignore[attr-defined]
            got.extend(chunk)

    thread = threading.Thread(target=drain)
    thread.start()
    wait(got)
    process.send_signal(number)
    begin = time.monotonic()
    thread.join(60)
    process.wait(60)
    assert time.monotonic() - begin < 20
    assert process.stderr is not None
    told = process.stderr.read()
    process.stderr.close()
    process.stdout.close()
    return process.returncode, bytes(got), told


@pytest.mark.slow
@UNBUFFERED
@JOBS
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_cuts_no_line(big, number, unbuffered, jobs):
    chance = random.Random(f"{number}{unbuffered}{jobs}")
    expected = run("expand", str(big)).stdout
    codes = []
    for _ in range(max(3, round(9 * EFFORT))):
        enough = chance.randrange(1, len(expected))

        def wait(got: bytearray, enough: int = enough) -> None:
            while len(got) < enough:
                time.sleep(0.0002)

        code, text, told = stopped(
            [*NESTDECODE, "expand", "--summary=json", "-j", jobs, str(big)],
            number,
            wait,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
        )
        codes.append(code)

        assert text.endswith(b"\n")
        assert expected.startswith(text)
        if code:
            assert figures(told)["out"] == text.count(b"\n")
            assert len(told.splitlines()) == 1
    assert set(codes) <= {128 + number, 0, -number}
    assert 128 + number in codes


@UNBUFFERED
def test_a_signal_in_the_middle_of_a_long_line(tmp_path, unbuffered):
    path = tmp_path / "long"
    long = json.dumps({"a": "x" * 3_000_000}, separators=(",", ":")).encode()
    path.write_bytes((long + b"\n") * 5)

    def wait(got: bytearray) -> None:
        while len(got) < 500_000:
            time.sleep(0.0001)

    code, text, told = stopped(
        [*NESTDECODE, "expand", "-j1", str(path)],
        signal.SIGTERM,
        wait,
        env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
    )

    assert code in (143, 0)
    assert set(text.split(b"\n")) == {long, b""}
    assert told == b""


def test_a_signal_while_input_idles_ends_at_once(tmp_path):
    reader, writer = os.pipe()
    os.write(writer, b'{"a":"[1]"}\n{"b"')

    def wait(got: bytearray) -> None:
        while not got:
            time.sleep(0.001)

    try:
        code, text, _ = stopped([*NESTDECODE, "expand"], signal.SIGTERM, wait, stdin=reader)
    finally:
        os.close(reader)
        os.close(writer)

    assert (code, text) == (143, b'{"a":[1]}\n')


def test_the_second_signal_ends_what_the_first_cannot(big):
    process = subprocess.Popen([*NESTDECODE, "expand", "-j1", str(big)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.read(1)
    time.sleep(0.2)  # blocked: nobody reads on
    process.terminate()
    time.sleep(0.2)
    assert process.poll() is None  # a line would be cut
    process.terminate()

    assert process.wait(10) == -signal.SIGTERM
    process.stdout.close()


def test_ignored_signals_stay_ignored(big):
    process = subprocess.Popen(
        [*NESTDECODE, "expand", str(big)],
        stdout=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    )
    assert process.stdout is not None
    process.stdout.read(1)
    process.send_signal(signal.SIGHUP)

    assert process.stdout.read().endswith(b"\n")
    assert process.wait() == 0
    process.stdout.close()


def children_of(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@LINUX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSEGV])
def test_a_killed_worker_is_an_error_that_names_it(big, number):
    process = subprocess.Popen(
        [*NESTDECODE, "expand", "-j2", str(big)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    workers = children_of(process.pid)
    os.kill(workers[-1], number)
    rest, told = process.communicate(timeout=30)

    assert process.returncode == 2
    assert f"(process {workers[-1]}) was killed by {number.name}".encode() in told
    text = first + rest
    assert text.endswith(b"\n")
    assert run("expand", str(big)).stdout.startswith(text)


@LINUX
def test_a_group_of_processes_that_is_stopped_leaves_whole_lines(big):
    process = subprocess.Popen(
        [*NESTDECODE, "expand", "-j2", str(big)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        start_new_session=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    workers = children_of(process.pid)
    os.killpg(process.pid, signal.SIGTERM)
    rest, told = process.communicate(timeout=30)

    assert process.returncode == 143
    assert told == b""
    assert (first + rest).endswith(b"\n")
    assert not any(Path(f"/proc/{worker}").exists() for worker in workers)


@LINUX
def test_workers_do_not_outlive_a_killed_parent(big):
    process = subprocess.Popen([*NESTDECODE, "expand", "-j2", str(big)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    workers = children_of(process.pid)
    process.kill()
    process.wait()
    process.stdout.close()

    def is_running(pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
        except OSError:
            return False

    end = time.monotonic() + 10
    while any(map(is_running, workers)):
        assert time.monotonic() < end
        time.sleep(0.01)


# Memory


@pytest.mark.slow
@LINUX
@pytest.mark.parametrize("framing", ["--lines", "--documents"])
def test_a_line_of_a_gigabyte_takes_no_memory(tmp_path, framing):
    source, dead = tmp_path / "in", tmp_path / "dead"
    with source.open("wb") as file:
        file.write(b'[1]\n{"a":"')
        file.seek(1 << 30)  # a hole: zeros
        file.write(b'"}\n[2]\n')

    # Started by something small: a process begins with the memory of what forked it.
    measure = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    command = [*NESTDECODE, "expand", "-j1", framing, f"--dead-letters={dead}", str(source)]
    result = subprocess.run(
        [sys.executable, "-c", measure, *command], capture_output=True, check=True
    )
    code, kilobytes = map(int, result.stderr.split()[-2:])

    assert code == 5
    assert result.stdout == b"[1]\n[2]\n"
    assert kilobytes < 300_000
    letter = json.loads(dead.read_bytes())
    assert letter["offset"] == 4
    assert letter["skipped"] + 1024 == (1 << 30) - 2


@pytest.mark.slow
@LINUX
@JOBS
def test_no_memory_is_no_malformed_record(tmp_path, jobs):
    source = tmp_path / "in"
    source.write_bytes(b"[1]\n[" + b"[]," * 20_000_000 + b"1]\n")

    result = run_whole(
        "expand",
        f"-j{jobs}",
        str(source),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (700 << 20, 700 << 20)),
    )

    assert result.returncode == 2
    assert b"out of memory" in result.stderr
    assert b"Traceback" not in result.stderr
    assert result.stdout in (b"", b"[1]\n")


# Terminals


def test_a_terminal_obeys_nothing_of_a_replayed_record(tmp_path):
    dead = tmp_path / "dead"
    dead.write_bytes(DeadLetter(1, 0, b"\x1b[31m\xff\xc2\x9b", DecodeError("x")).encode("s"))
    parent, child = pty.openpty()
    result = subprocess.run([*NESTDECODE, "replay", str(dead)], stdout=child, check=False)
    os.close(child)
    shown = os.read(parent, 1000)
    os.close(parent)

    assert result.returncode == 0
    assert shown == b"\\u001b[31m\\xff\\u009b\r\n"


@pytest.mark.sampled(2)
@pytest.mark.parametrize("words", ["in >> in", "- < in >> in", "in other >> in"])
@pytest.mark.parametrize("command", ["expand", "query @"])
def test_what_is_written_is_not_read_again(tmp_path, command, words):
    for name in ("in", "other"):
        (tmp_path / name).write_text("{}\n" * 100_000)
    result = subprocess.run(
        ["sh", "-c", f"{shlex.join(NESTDECODE)} {command} {words}"],
        cwd=tmp_path,
        capture_output=True,
        check=False,
        timeout=60,
    )
    written = 2 if "other" in words else 1

    assert result.returncode == 2
    assert result.stderr.endswith(b"it is the output too: write to another file\n")
    assert (tmp_path / "in").read_text() == "{}\n" * 100_000 * written
