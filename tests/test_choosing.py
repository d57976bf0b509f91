"""--where, --original and --malformed: records chosen, written as they came, or wrapped."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import command

SAMPLES = Path(__file__).parent.parent / "specs" / "samples"
LOG = (
    b'{"level":"error","m":"[1]"}\n{"level":"info","m":"[2]"}\r\nBanner: x\n'
    b' {"m": "{\\"level\\": \\"error\\"}", "level":"error"}\r\n\xff\n{"level":"err'
)
FILTER_HINT = "nestdecode: [?...] filters an array inside a record: --where EXPR chooses records\n"
WHERE_HINT = (
    "nestdecode: --where [?...] filters an array inside a record: EXPR alone chooses records\n"
)
DOCUMENTS_HINT = "nestdecode: --documents reads records that take several lines, or share one\n"
jobs = pytest.mark.parametrize("jobs", ["1", "2"])


def run(*arguments: str | Path, stdin: bytes = b"") -> tuple[bytes, str, int]:
    child = command.run(*arguments, stdin=stdin)
    return child.stdout, child.stderr.decode(), child.returncode


def summary(stderr: str) -> dict[str, int]:
    """Return the counts, after checking that every record is in one of them."""
    counts: dict[str, int] = json.loads(stderr.splitlines()[-1])
    assert counts["in"] == counts["out"] + counts["dead"] + counts["skipped"]
    assert counts["malformed"] <= counts["out"]
    return counts


def pieces(*counts: int) -> dict[str, int]:
    return dict(zip(("in", "out", "dead", "skipped", "malformed"), counts, strict=True))


# --where


def log_of(size: int) -> list[tuple[bytes, Any]]:
    """Return lines of a log, each with its opened value; None for a line that is not JSON."""
    chance = random.Random(size)
    lines: list[tuple[bytes, Any]] = []
    for number in range(size):
        inner = {"id": number, "level": chance.choice(["info", "error"])}
        tree = {"n": chance.choice([0, number]), "m": inner, "s": chance.choice(["", "x"])}
        shut = tree | {"m": json.dumps(inner)}
        lines.append((json.dumps(shut).encode(), tree))
        if number % 97 == 0:
            lines.append((b"not JSON", None))
    return lines


WHERES: dict[str, Any] = {
    "m.level == 'error'": lambda tree: tree["m"]["level"] == "error",
    "n": lambda tree: True,  # 0 is a value as any other
    "s": lambda tree: tree["s"] != "",
    "nothing": lambda tree: False,
}


@pytest.mark.sampled(2)
@jobs
@pytest.mark.parametrize("where", WHERES)
@pytest.mark.parametrize("command", ["expand", "query", "explain", "expand --original"])
def test_records_for_which_it_holds_are_answered(tmp_path, command, where, jobs):
    lines = log_of(3000)
    (tmp_path / "log").write_bytes(b"\n".join(raw for raw, _ in lines))
    chosen = [(raw, tree) for raw, tree in lines if tree and WHERES[where](tree)]
    words = ["query", "m.id"] if command == "query" else command.split()
    words += ["--trees", "--json"] if command == "explain" else []

    out, err, _ = run(*words, "--where", where, "-j", jobs, "--summary=json", tmp_path / "log")
    written = out.splitlines()

    assert summary(err).items() >= pieces(3031, len(chosen), 31, 3000 - len(chosen), 0).items()
    if command == "expand":
        assert list(map(json.loads, written)) == [tree for _, tree in chosen]
    elif command == "query":
        assert list(map(json.loads, written)) == [tree["m"]["id"] for _, tree in chosen]
    elif command == "explain":
        assert [json.loads(line)["size"] for line in written] == [len(raw) for raw, _ in chosen]
    else:
        assert written == [raw for raw, _ in chosen]


@jobs
def test_an_error_in_it_is_a_dead_letter(tmp_path, jobs):
    text = b'{"a":[1]}\n{"a":"x"}\n{"a":3}\n'
    dead = tmp_path / "dead"

    out, err, code = run(
        *("expand", "--where", "keys(a) || length(a) == `1`", "--dead-letters", dead, "-j", jobs),
        stdin=text,
    )
    letters = [json.loads(line) for line in dead.read_bytes().splitlines()]

    assert (out, code) == (b"", 5)
    assert {letter["code"] for letter in letters} == {"query"}
    assert err.count("keys() wants object") == 3
    assert run("replay", dead) == (text, "", 0)


@pytest.mark.parametrize("command", [["expand"], ["query", "@"], ["explain"]], ids=lambda c: c[0])
def test_what_is_wrong_with_it_is_said_before_anything_is_read(command):
    out, err, code = run(*command, "--where", "a ==", stdin=b"{}\n")

    assert (out, code) == (b"", 3)
    assert "a ==" in err


def test_only_layers_of_chosen_records_are_told_and_each_once(tmp_path):
    (tmp_path / "s.yaml").write_text("nestdecode: 1\nlayers: {a: json}\n")
    text = b'{"n":1,"a":"{oops"}\n{"n":2,"a":"{oops"}\n'

    _, err, code = run("expand", "-s", tmp_path / "s.yaml", "--where", "n == `2` && a", stdin=text)

    assert code == 0
    assert err.count("line 2") == 1
    assert "line 1:" not in err
    assert "1 layer stayed shut in 1 of 2 records" in err


@jobs
def test_a_spec_that_matches_lends_to_it_what_it_lends_to_the_query(jobs):
    line = (SAMPLES / "repair-results.json").read_bytes().replace(b"\n", b"") + b"\n"
    # Only the spec knows what :urls is.
    other = b'{"data":{"taskId":"t","taskStatus":"pending","taskResult":[]},"code":"0"}\n'

    out, err, code = run(
        *("query", "--where", ":urls", "--root", "-j", jobs),
        *("data.taskStatus", "--summary=json"),
        stdin=(line + other) * 3,
    )

    assert (out, code) == (b'"finished"\n' * 3, 0)
    assert summary(err)["skipped"] == 3


def test_a_named_query_of_the_spec_chooses(tmp_path):
    spec = "nestdecode: 1\nlayers: {a: json}\nfocus: a\nqueries: {big: 'a.n > `1`'}\n"
    (tmp_path / "s.yaml").write_text(spec)
    text = b'{"a":"{\\"n\\":1}"}\n{"a":"{\\"n\\":2}"}\n'

    # From the root, though there is a focus.
    for where in (":big", "a.n == `2`"):
        found = run("query", "-s", tmp_path / "s.yaml", "--where", where, "n", stdin=text)
        assert found == (b"2\n", "", 0)


@pytest.mark.parametrize(("where", "code"), [("a", 0), ("b", 4)])
def test_what_is_left_out_is_no_last_value(where, code):
    found = run("query", "-e", "--where", where, "a", stdin=b'{"a":1}\n{"c":2}\n')

    assert found == (b"1\n" if where == "a" else b"", "", code)


# --original


@jobs
def test_chosen_records_are_written_as_they_came(tmp_path, jobs):
    dead = tmp_path / "dead"

    out, _, code = run(
        *("expand", "--original", "--where", "level == 'error'", "-j", jobs),
        *("--dead-letters", dead),
        stdin=LOG,
    )

    lines = LOG.split(b"\n")
    assert (out, code) == (b"\n".join([lines[0], lines[3], b""]), 5)
    assert run("replay", dead)[0] == b"\n".join([lines[2], *lines[4:], b""])


def test_documents_are_written_as_they_came():
    text = b'{\n  "a":  1.0\n}\n[ "\\u0041" ] {}\n'

    assert run("expand", "--original", stdin=text)[0] == b'{\n  "a":  1.0\n}\n[ "\\u0041" ]\n{}\n'
    assert run("expand", "--original", "--where", "a", stdin=text)[0] == b'{\n  "a":  1.0\n}\n'


# --malformed


@pytest.mark.sampled(2)
@jobs
@pytest.mark.parametrize("malformed", ["keep", "wrap"])
def test_what_is_no_json_is_written_in_its_place(malformed, jobs):
    out, err, code = run("expand", "--malformed", malformed, "-j", jobs, stdin=LOG)
    keep = [b"Banner: x", b"\xff", b'{"level":"err']
    wrap = [
        b'{"message":"Banner: x"}',
        b'{"message_base64":"/w=="}',
        b'{"message":"{\\"level\\":\\"err"}',
    ]
    a, b, c = keep if malformed == "keep" else wrap
    words = "kept as they came" if malformed == "keep" else "wrapped"

    assert code == 0
    assert err == f"nestdecode: 3 of 6 records {words} (not JSON)\n"
    assert out.split(b"\n") == [
        b'{"level":"error","m":[1]}',
        b'{"level":"info","m":[2]}',
        a,
        b'{"m":{"level":"error"},"level":"error"}',
        b,
        c,
        b"",
    ]


@pytest.mark.sampled(2)
@jobs
@pytest.mark.parametrize("malformed", ["keep", "wrap"])
def test_for_no_other_reason(tmp_path, malformed, jobs):
    deep = b"[" * 300 + b"]" * 300
    long = b'"' + b"x" * 5000 + b'"'
    limits = ("--max-record-bytes", "4000", "--dead-letters", tmp_path / "dead")
    text = b"\n".join([b"text", deep, long, b"t" * 5000, b'{"a":1}', b""])

    out, err, code = run(
        *("expand", "--malformed", malformed, "--where", "length(a)", "--summary=json"),
        *(*limits, "-j", jobs),
        stdin=text,
    )

    reasons = [json.loads(line)["code"] for line in (tmp_path / "dead").read_bytes().splitlines()]
    assert (out, code) == (b"text\n" if malformed == "keep" else b'{"message":"text"}\n', 5)
    assert reasons == ["limit", "limit", "limit", "query"]
    assert summary(err).items() >= pieces(5, 1, 4, 0, 1).items()


def test_a_text_over_several_lines_is_one(tmp_path):
    text = b'{\n"a":1}\n one\n\n  two [3]\n{\n"b":2}\n'

    assert run("expand", "--malformed", "keep", stdin=text)[0] == (
        b'{"a":1}\n one\n\n  two [3]\n{"b":2}\n'
    )
    assert run("expand", "--malformed", "wrap", stdin=text)[0] == (
        b'{"a":1}\n{"message":" one\\n\\n  two [3]"}\n{"b":2}\n'
    )


def test_a_query_knows_no_other_way_than_dead():
    assert run("query", "--malformed", "keep", "@", stdin=b"{}")[2] == 2


@pytest.mark.skipif(shutil.which("git") is None, reason="git shows it")
def test_git_shows_a_bad_line_as_it_came(tmp_path):
    def git(*words: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=x", "-c", "user.email=x@x", *words],
            cwd=tmp_path,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    file = tmp_path / "a.ndjson"
    git("init", "-q")
    textconv = f"'{sys.executable}' -m nestdecode expand --malformed keep"
    git("config", "diff.layers.textconv", textconv)
    (tmp_path / ".gitattributes").write_text("*.ndjson diff=layers\n")
    file.write_text('oops\n{"a":"[1]"}\n')
    git("add", ".")
    file.write_text('oops\n{"a":"[2]"}\n')

    assert git("diff").splitlines()[-3:] == [" oops", '-{"a":[1]}', '+{"a":[2]}']


# Hints


@pytest.mark.sampled(2)
@jobs
@pytest.mark.parametrize("count", [1, 2, 3000])
def test_a_filter_of_records_names_the_option(count, jobs):
    out, err, code = run(
        "query", "[?level=='error']", "-j", jobs, stdin=b'{"level":"error"}\n' * count
    )

    assert (out, code) == (b"null\n" * count, 0)
    assert err == (FILTER_HINT if count > 1 else "")


@pytest.mark.parametrize("text", [b"[1]\n[2]\n", b'[{"a":1}]\n' * 2000], ids=["none", "all"])
def test_a_filter_of_arrays_names_none(text):
    assert FILTER_HINT not in run("query", "[?a]", stdin=text)[1]


@pytest.mark.parametrize("command", [["expand"], ["query", "@"], ["explain"]], ids=lambda c: c[0])
def test_a_filter_that_chooses_none_is_told_too(command):
    written = b"50 records; 0 layers\n" if command == ["explain"] else b""

    assert run(*command, "--where", " [?a]", stdin=b'{"a":1}\n' * 50) == (written, WHERE_HINT, 0)


@pytest.mark.sampled(2)
@jobs
@pytest.mark.parametrize(
    ("framing", "text", "told"),
    [
        ("--lines", b'{\n"a":1\n}\n', True),
        ("--lines", b"{}{}\n", True),
        ("--lines", b'1 2\n"a" {}\n' * 200, True),
        ("--lines", b'{"a":1,\n{"a":1}\n', False),
        ("--lines", b'{"a":"x\n{"a":1}\n', False),
        ("--lines", b"text\n[10] bottles\n1,2\n\xff 1\n", False),
        ("--lines", b'{"a":\n', False),
        ("-c", b"1 2 3\n", True),
        ("-c", b'"a" ["\xff"]\n', False),
        ("-c", b'{"a":1} {"b":\n{}\n', False),
        ("--documents", b"{\n}\n1 2 x\n", False),
    ],
)
def test_a_line_that_fails_names_the_framing_that_reads_it(framing, text, told, jobs):
    _, err, code = run("expand", framing, "-j", jobs, stdin=text)
    read = run("expand", "--documents", stdin=text)

    assert (err.count(DOCUMENTS_HINT), err.count("--documents")) == (told, told)
    assert code == (0 if framing == "--documents" and read[2] == 0 else 5)
    assert not told or read[2] == 0


def test_replay_names_no_option_that_it_lacks(tmp_path):
    _, err, code = run("replay", stdin=b"{} {}\n{\n}\n")

    assert code == 5
    assert "--documents" not in err


@pytest.mark.parametrize("command", ["expand", "query"])
def test_the_first_examples_choose_records_of_a_log(command):
    help_text = run(command, "--help")[0].decode()
    examples = [
        line for line in help_text.splitlines() if line.startswith(f"  nestdecode {command}")
    ]

    assert any("--where" in example and "log" in example for example in examples[:2])
