"""Commands that read whole files: their memory is bounded, and no more is kept than needed."""

import gzip
import json
import os
import resource
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import DecodeError, LimitError, Spec, SpecError
from nestdecode.stream import DeadLetter, original
from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
SPEC = "{nestdecode: 1, layers: {a: json}}"
PATIENCE = 60
MEBI = 1 << 20

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes and rusage")


def run(*arguments: str | bytes, **more: Any) -> subprocess.CompletedProcess[bytes]:
    return command.run(*arguments, **more)


def measured(*arguments: str, **more: Any) -> tuple[int, bytes, bytes, int]:
    """Run a command: (exit code, output, messages, bytes of memory at most)."""
    # Started by something small: a process begins with the memory of what forked it.
    measure = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", measure, *NESTDECODE, *arguments],
        capture_output=True,
        check=True,
        timeout=PATIENCE,
        **more,
    )
    *messages, figures = result.stderr.splitlines(keepends=True)
    code, kilobytes = map(int, figures.split())
    # macOS counts bytes.
    size = kilobytes if sys.platform == "darwin" else kilobytes << 10
    return code, result.stdout, b"".join(messages), size


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with files that are larger than they look."""
    path: Path = tmp_path_factory.mktemp("whole")
    (path / "small.json").write_bytes(b'{"a":1}')
    blanks = gzip.compress(b" " * MEBI)
    (path / "bomb.gz").write_bytes(gzip.compress(b'{"a":1}\n') + blanks * 700)
    # Each tree takes 25 times as much as its text.
    record = b'{"a":"[' + b"{}," * 60_000 + b'0]"}\n'
    (path / "few.ndjson").write_bytes(record * 2)
    (path / "many.ndjson").write_bytes(record * 12)
    return path


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "code", "reason", "most"),
    [
        pytest.param(["set", "a=2", "bomb.gz"], 2, "", 400, id="set"),
        pytest.param(["collapse", "--like", "bomb.gz", "small.json"], 2, "", 400, id="collapse"),
        pytest.param(
            ["collapse", "--like", "small.json", "bomb.gz"],
            5,
            "line 2: longer than --max-record-bytes 67108864",
            250,
            id="collapse, edited",
        ),
        pytest.param(
            ["diff", "small.json", "bomb.gz"],
            2,
            "line 2: longer than --max-record-bytes 67108864",
            250,
            id="diff",
        ),
        pytest.param(
            ["replay", "bomb.gz"],
            5,
            "line 2: longer than a dead letter under --max-record-bytes=67108864",
            350,
            id="replay",
        ),
        pytest.param(
            ["replay", "--max-record-bytes=1000", "bomb.gz"],
            5,
            "line 2: longer than a dead letter under --max-record-bytes=1000",
            100,
            id="replay, less",
        ),
    ],
)
def test_what_a_small_file_unpacks_to_is_bounded(folder, arguments, code, reason, most):
    got, out, messages, memory = measured(*arguments, cwd=folder)

    reason = reason or "larger than 256 MiB, decompressed: split it to change it"
    assert (got, out) == (code, b"")
    assert f"nestdecode: bomb.gz: {reason}" in messages.decode()
    assert memory < most * MEBI


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["set", "a[0]=1", "{}"], id="set"),
        pytest.param(["diff", "{}", "{}"], id="diff"),
        pytest.param(["collapse", "--like", "{}", "{}"], id="collapse"),
        pytest.param(["edit", "{}"], id="edit"),
    ],
)
def test_one_tree_is_held_at_a_time(folder, arguments):
    environment = {**os.environ, "VISUAL": "", "EDITOR": "true"}
    memory = {}
    for name in ("few.ndjson", "many.ndjson"):
        words = [word.format(name) for word in arguments]
        code, _, _, memory[name] = measured(*words, cwd=folder, env=environment)
        assert code == 0

    # The text of ten more, in a few copies; the trees of ten would be 45.
    assert memory["many.ndjson"] - memory["few.ndjson"] < 20 * MEBI


@pytest.mark.slow
def test_what_is_shown_and_what_is_saved_is_bounded_too(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a":' + b"[" * 150 + b"0," * 99 + b"0" + b"]" * 150 + b"}")
    script = tmp_path / "editor.py"
    script.write_text("import sys; open(sys.argv[1], 'a').write(' ' * 100_000)")

    def bounded(most: int, *arguments: str) -> tuple[int, str]:
        code = f"from nestdecode.cli import files, main; files.MOST_WHOLE = {most}; main()"
        environment = {
            **os.environ, "VISUAL": "", "EDITOR": f"{sys.executable} {script}",
            "TMPDIR": str(tmp_path),
        }  # fmt: skip
        result = subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, env=environment
        )
        return result.returncode, result.stderr.decode()

    # The text itself fits; indented it is longer; and what is saved longer still.
    assert bounded(1 << 15, "edit", str(path))[0] == 2
    assert "decompressed: split it to change it" in bounded(1 << 15, "edit", str(path))[1]
    assert not list(tmp_path.glob("nestdecode-*"))
    assert bounded(1 << 17, "edit", str(path))[0] == 2
    assert list(tmp_path.glob("nestdecode-*"))
    assert bounded(1 << 10, "set", "b=" + "x" * 999, str(path))[0] == 2
    assert bounded(1 << 11, "set", "b=" + "x" * 999, str(path))[0] == 0


def test_each_change_needs_a_record_that_has_its_place(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b'{"a":{}}\n{"b":{}}\n')

    both = run("set", "--where", "@", "a.x=1", "b.x=2", str(path))
    assert both.stdout == b'{"a":{"x":1}}\n{"b":{"x":2}}\n'
    for record in ("1", "2"):
        assert run("set", "--record", record, "a.x=1", "b.x=2", str(path)).returncode == 2
    assert run("set", "a=1", "--delete", "c", str(path)).returncode == 2
    assert b"no record 3: the input has 2" in run("set", "--record=3", "a.x=1", str(path)).stderr


def test_diff_reads_both_files_before_it_tells(tmp_path):
    (tmp_path / "a").write_bytes(b"1\n2\n{")
    (tmp_path / "b").write_bytes(b"1\n3\n4\n")
    result = run("diff", "a", "b", cwd=tmp_path)

    assert result.returncode == 2
    assert result.stdout == b""
    assert b"a: line 3: invalid JSON" in result.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("one", "other", "text"),
    [
        (b"", b"", ""),
        (b"1", b"2", "- (root): 1\n+ (root): 2\n"),
        (b"1", b"", "- (root): 1\n"),
        (b"1\n2", b"1", "- record 2: 2\n"),
        (b"1", b"1\n2\n3", "+ record 2: 2\n+ record 3: 3\n"),
    ],
)
def test_records_have_numbers_if_there_are_several(tmp_path, one, other, text):
    (tmp_path / "a").write_bytes(one)
    result = run("diff", str(tmp_path / "a"), "-", stdin=other)

    assert (result.stdout.decode(), result.returncode) == (text, 1 if text else 0)


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param(["diff", "-", "-"], "A or B", id="diff"),
        pytest.param(["collapse", "--like", "-"], "ORIGINAL or FILE", id="collapse"),
        pytest.param(["collapse", "--like", "-", "-"], "ORIGINAL or FILE", id="collapse, named"),
    ],
)
def test_standard_input_is_one_of_two_files_only(words, reason):
    result = run(*words, stdin=b"")

    assert result.returncode == 2
    assert f"Error: standard input can be {reason}, not both\n" in result.stderr.decode()


def test_standard_input_has_a_name_in_messages(document):
    result = run("collapse", "--like", "-", str(document), stdin=b"1\n2\n")

    assert (result.returncode, result.stdout) == (0, document.read_bytes() + b"\n")
    assert result.stderr.startswith(b"nestdecode: stdin: 1 record left out")


# Dead letters


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "replace")))
def test_a_letter_is_at_most_three_times_its_record(raw):
    letter = DeadLetter(1, 0, raw, DecodeError("x")).encode("-")
    empty = DeadLetter(1, 0, b"", DecodeError("x")).encode("-")

    assert original(letter, len(raw)) == raw
    assert len(letter) <= 3 * len(raw) + len(empty) + len("_base64") + 4
    assert len(letter) <= DeadLetter.most_bytes(len(raw))


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        pytest.param(b"\0" * 100, "raw_base64", id="a hole in a file"),
        pytest.param(b'{"a":\n\t"\\u0000"', "raw", id="newlines and tabs"),
        pytest.param(b"text\0", "raw", id="text with a NUL"),
        pytest.param(b"\xff", "raw_base64", id="not UTF-8"),
    ],
)
def test_what_is_mostly_control_characters_is_kept_as_bytes(raw, name):
    letter = DeadLetter(1, 0, raw, DecodeError("x")).encode("-")

    assert name in json.loads(letter)
    assert original(letter) == raw


def test_a_letter_may_hold_a_record_of_the_limit_and_no_longer_one():
    letter = DeadLetter(1, 0, b"{" * 100, DecodeError("x")).encode("-")

    assert original(letter, 100) == b"{" * 100
    with pytest.raises(LimitError, match="longer than max_record_bytes=99"):
        original(letter, 99)


def test_replay_passes_over_what_is_too_long(tmp_path):
    source, dead = tmp_path / "in", tmp_path / "dead"
    source.write_bytes(b'{"a\n' + b"{" * 3000 + b"\n{b\n")
    run("expand", "--lines", "--dead-letters", str(dead), str(source))

    assert run("replay", str(dead)).stdout == source.read_bytes()
    result = run("replay", "--max-record-bytes", "2999", str(dead))
    assert (result.returncode, result.stdout) == (5, b'{"a\n{b\n')
    assert b"line 2: longer than --max-record-bytes 2999" in result.stderr


# Specs


@pytest.fixture
def document(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b'{"a":"[1]","b":"[1]"}')
    return path


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        pytest.param("/dev/zero", "it is neither a file nor a pipe", id="a device"),
        pytest.param("/dev/null", "it is neither a file nor a pipe", id="an empty device"),
        pytest.param("./pipe", "no process writes to this pipe", id="a pipe without a writer"),
        pytest.param("./long.yaml", "a spec is at most 16 MiB long", id="too long"),
        pytest.param("./folder.yaml", "it is a directory", id="a directory"),
    ],
)
def test_a_spec_that_has_no_end_is_refused(document, tmp_path, spec, reason):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder.yaml").mkdir()
    with (tmp_path / "long.yaml").open("wb") as file:
        file.truncate(1 << 33)
    code, out, messages, memory = measured("expand", "-s", spec, document.name, cwd=tmp_path)

    assert (code, out) == (3, b"")
    assert messages.decode() == f"nestdecode: {spec}: can't be read: {reason}\n"
    assert memory < 120 * MEBI


@pytest.mark.slow
@pytest.mark.parametrize(
    ("before", "command"),
    [
        pytest.param("", '<(printf %s "$SPEC")', id="at once"),
        pytest.param("", '<(sleep 3; printf %s "$SPEC")', id="a slow writer"),
        pytest.param(
            "", "<(printf '{nestdecode: 1,'; sleep 1; echo ' layers: {a: json}}')", id="in pieces"
        ),
        pytest.param(
            '(sleep 1; printf %s "$SPEC" > pipe) &', "./pipe", id="a writer that comes later"
        ),
        pytest.param('printf %s "$SPEC" |', "/dev/stdin", id="standard input"),
        pytest.param("", '/dev/stdin <<< "$SPEC"', id="here"),
    ],
)
def test_a_spec_may_come_from_a_pipe(document, tmp_path, before, command):
    os.mkfifo(tmp_path / "pipe")
    line = f"{before} exec {sys.executable} -m nestdecode expand {document} -s {command}"
    result = subprocess.run(
        ["bash", "-c", line],
        cwd=tmp_path, capture_output=True, timeout=PATIENCE, env={**os.environ, "SPEC": SPEC},
    )  # fmt: skip

    assert (result.stdout, result.stderr) == (b'{"a":[1],"b":"[1]"}\n', b"")


def test_what_writes_a_spec_without_end_is_refused(document, tmp_path):
    with subprocess.Popen(["yes"], stdout=subprocess.PIPE) as writer:
        arguments = ("expand", "-s", "/dev/stdin", str(document))
        code, _, messages, memory = measured(*arguments, stdin=writer.stdout)

    assert code == 3
    assert b"a spec is at most 16 MiB long" in messages
    assert memory < 120 * MEBI


def test_the_library_reads_specs_within_the_same_bounds():
    with pytest.raises(
        SpecError, match="/dev/zero: can't be read: it is neither a file nor a pipe"
    ):
        Spec.load("/dev/zero")


# Options


@pytest.mark.parametrize(
    "words", [["-secret=canary"], ["-secret=canary", "a=1"], ["-s", "a=canary"]]
)
def test_a_path_that_looks_like_an_option_is_told_without_its_value(document, words):
    result = run("set", *words, str(document))

    assert result.returncode == 2
    assert result.stderr.splitlines()[-1].decode() == (
        "Error: -s wants a spec, got PATH=VALUE; a PATH that begins with - is quoted: '\"-name\"=VALUE'"
    )


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("words", "reason"),
    [
        pytest.param([b'a="\xffcanary"'], "VALUE is not UTF-8", id="string"),
        pytest.param([b"a=canary\xff"], "VALUE is not UTF-8", id="text"),
        pytest.param([b"/\xff=canary"], r"PATH is not UTF-8: '/\udcff'", id="name"),
        pytest.param(["--delete", b"/\xff"], r"PATH is not UTF-8: '/\udcff'", id="deletion"),
        pytest.param(
            ["a=[1e999]"],
            "a: VALUE is refused: number too large for a double: --numbers exact keeps it",
            id="number",
        ),
    ],
)
def test_what_no_document_may_hold_is_refused_without_the_value(document, words, reason):
    result = run("set", *words, str(document))

    assert (result.stdout, result.returncode) == (b"", 2)
    assert result.stderr.splitlines()[-1].decode() == f"Error: {reason}"


def test_a_value_may_have_lone_surrogates_as_json_writes_them(document):
    result = run("set", 'b="\\ud800"', str(document))

    assert result.stdout == b'{"a":"[1]","b":"\\ud800"}'


def test_a_path_that_begins_with_a_dash_is_quoted(document):
    result = run("set", '"-secret"=1', str(document))

    assert result.stdout == b'{"a":"[1]","b":"[1]","-secret":1}'


def test_a_spec_may_have_a_sign_of_equality_in_its_name(document, tmp_path):
    (tmp_path / "x=1.yaml").write_text(SPEC)
    result = run("set", "a[0]=2", "-sx=1.yaml", document.name, cwd=tmp_path)

    assert result.stdout == b'{"a":"[2]","b":"[1]"}'


# Workers


@pytest.mark.parametrize(
    ("limit", "most", "reason"),
    [
        pytest.param(resource.RLIMIT_NOFILE, 8, "no pipes: Too many open files", id="descriptors"),
        pytest.param(
            resource.RLIMIT_NOFILE, 11, "no pipes: Too many open files", id="a second one"
        ),
    ],
)
def test_a_worker_that_cannot_be_set_up_is_told_with_the_reason(tmp_path, limit, most, reason):
    path = tmp_path / "in"
    path.write_bytes(b"[1]\n" * 100_000)
    result = subprocess.run(
        [*NESTDECODE, "expand", "-j2", "--lines", str(path)],
        capture_output=True,
        preexec_fn=lambda: resource.setrlimit(limit, (most, most)),
    )

    assert result.returncode == 2
    assert result.stderr.decode() == f"nestdecode: no worker can be started: {reason}\n"
