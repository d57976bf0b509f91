"""
The command line: whole outputs, messages and exit codes.

Tests of arguments and formats run in this process; tests of pipes, terminals and signals
run the command in a process of its own.
"""

import contextlib
import errno
import io
import json
import os
import pty
import re
import select
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import pytest

import nestdecode
from nestdecode.cli import cli, main
from tests import command, oracle

SAMPLES = Path(__file__).parent.parent / "specs" / "samples"
SAMPLE = SAMPLES / "repair-results.json"
DOCUMENTED = SAMPLES / "repair-results-documented.json"
SQS = SAMPLES / "aws" / "sqs-sns.json"
CLOUDWATCH = SAMPLES / "aws" / "cloudwatch-logs.json"

Result = tuple[str, str, int]

NESTDECODE = [sys.executable, "-m", "nestdecode"]
ANSI = re.compile(r"\x1b\[[0-9;]*m")
SECONDS = 30
MISSING = f"can't be read: {os.strerror(errno.ENOENT)}"
LENT = "input matches repair-results: using its focus and queries (--spec none turns this off)"
SPEC = """\
nestdecode: 1
layers:
  a: json
  c[].d: json
queries: {first: a}
"""


def said(*messages: str) -> str:
    """Write messages as stderr holds them."""
    return "".join(f"nestdecode: {message}\n" for message in messages)


def line(value: Any) -> str:
    """Write a value as one line of output."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n"


def refusal(record: bytes) -> str:
    """Say why a record is refused, in the library's words."""
    with pytest.raises(nestdecode.DecodeError) as caught:
        nestdecode.expand(record)
    return str(caught.value)


def urls(sample: Path, wrapped: bool = True) -> Any:
    """Take the addresses out of a sample by hand."""
    item = json.loads(sample.read_bytes())["data"]["taskResult"][0]
    result = json.loads(item["taskResult"])
    if wrapped:
        result = json.loads(result["result"])
    return result["data"]["structData"]["data"]


@pytest.fixture
def run(capsysbinary, monkeypatch):
    """A function that runs a command in this process: (stdout, stderr, exit code)."""

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main([str(argument) for argument in arguments])
        out, err = capsysbinary.readouterr()
        return out.decode(), err.decode(), caught.value.code

    return run


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty working directory, except for a spec."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text(SPEC)
    return tmp_path


def spawn(*arguments: str | Path, **options: Any) -> Any:
    """Start a command as a process of its own; its streams are pipes by default."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    return subprocess.Popen([*NESTDECODE, *map(str, arguments)], bufsize=0, **streams | options)


def finish(child: Any, stdin: bytes | None = b"") -> Result:
    """Feed a process and wait for it: (stdout, stderr, exit code)."""
    with child:
        try:
            out, err = child.communicate(stdin, SECONDS)
        finally:
            child.kill()
    return (out or b"").decode(), (err or b"").decode(), child.returncode


def on_terminal(*arguments: str, stdin: bytes = b"", **environment: str) -> Result:
    """Run a process whose standard output is a terminal: (stdout, stderr, exit code)."""
    ours, theirs = pty.openpty()
    surroundings = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    child = spawn(*arguments, stdout=theirs, env=surroundings | {"TERM": "xterm"} | environment)
    os.close(theirs)
    _, err, code = finish(child, stdin)
    shown = b""
    # Linux ends a terminal with EIO, others with an empty read.
    with contextlib.suppress(OSError):
        while piece := os.read(ours, 1 << 16):
            shown += piece
    os.close(ours)
    return shown.decode().replace("\r\n", "\n"), err, code


@pytest.mark.parametrize(
    "sample",
    [
        pytest.param(SAMPLE, id="repair-results"),
        pytest.param(DOCUMENTED, id="repair-results-documented"),
        pytest.param(SQS, id="sqs-sns"),
        pytest.param(CLOUDWATCH, id="cloudwatch-logs"),
    ],
)
def test_expand_opens_every_layer_of_a_sample(run, sample):
    expected = line(oracle.expand(json.loads(sample.read_bytes())))

    assert run("expand", sample) == (expected, "", 0)


def test_expand_with_a_spec_opens_what_it_names(run):
    layers = [
        ("awslogs.data", ("base64", "gzip", "json"), False),
        ("awslogs.data.logEvents[].message", ("json",), True),
    ]
    expected = line(oracle.expand_declared(json.loads(CLOUDWATCH.read_bytes()), layers))

    assert run("expand", "-s", "aws/cloudwatch-logs", CLOUDWATCH) == (expected, "", 0)


@pytest.mark.parametrize(
    ("options", "stderr"),
    [
        pytest.param([], said(LENT), id="a matching spec lends its focus"),
        pytest.param(["-s", "repair-results"], "", id="the spec is given"),
    ],
)
@pytest.mark.parametrize(
    ("sample", "wrapped"),
    [pytest.param(SAMPLE, True, id="sample"), pytest.param(DOCUMENTED, False, id="documented")],
)
def test_the_addresses_come_one_a_line(run, options, stderr, sample, wrapped):
    expected = "".join(f"{url}\n" for url in urls(sample, wrapped))

    assert expected.count("\n") == 4
    assert run("query", "-r", "--each", *options, "structData.data[]", sample) == (
        expected,
        stderr,
        0,
    )


def test_the_full_path_from_the_root_needs_no_focus(run):
    path = "data.taskResult[].taskResult.result.data.structData.data[]"

    assert run("query", path, SAMPLE) == (line(urls(SAMPLE)), "", 0)


@pytest.mark.parametrize(
    ("spec", "query", "sample", "expected"),
    [
        pytest.param("repair-results", ":urls", SAMPLE, urls(SAMPLE), id="urls"),
        pytest.param(
            "repair-results",
            ":usage",
            DOCUMENTED,
            [{"taskResult": 4, "data": 4, "structData": 4}],
            id="usage",
        ),
        pytest.param(
            "aws/sqs-sns",
            ":text",
            SQS,
            ["[INFO] queue orders: smoke test, please ignore"],
            id="text",
        ),
        pytest.param(
            "aws/cloudwatch-logs",
            ":source",
            CLOUDWATCH,
            {
                "account": "123456789012",
                "group": "/aws/lambda/orders",
                "stream": "2025/10/10/[$LATEST]0f6c2b7a9d3e4c518a7b6d5e4f3c2b1a",
                "type": "DATA_MESSAGE",
                "filters": ["orders-to-archive"],
            },
            id="source",
        ),
    ],
)
def test_a_named_query_answers(run, spec, query, sample, expected):
    assert run("query", "--spec", spec, query, sample) == (line(expected), "", 0)


def test_a_matching_spec_lends_its_named_queries(run):
    assert run("query", ":urls", SAMPLE) == (line(urls(SAMPLE)), said(LENT), 0)


def test_lending_is_told_once(run):
    answer = '["200"]\n'

    assert run("query", "structData.code", SAMPLE, DOCUMENTED) == (2 * answer, said(LENT), 0)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_name_that_a_matching_spec_does_not_know_fails_each_record(tmp_path, jobs):
    record = json.dumps(json.loads(SAMPLE.read_bytes())) + "\n"
    (tmp_path / "in").write_text(record * 40)
    words = ["query", ":nosuch", "--summary=json", "--jobs", jobs, str(tmp_path / "in")]
    result = command.run(*words)

    assert result.returncode == 3
    assert b"Traceback" not in result.stderr
    assert json.loads(result.stderr.splitlines()[-1])["dead"] == 40


@pytest.mark.sampled(1)
@pytest.mark.parametrize("neighbours", [0, 1, 40])
def test_a_query_tells_of_what_it_sees_whatever_comes_with_it(tmp_path, neighbours):
    lines = '{"a":1,"b":"[1e400]"}\n' * (1 + neighbours) + "{" * bool(neighbours)
    for query, told in (("a", 0), ("[a, b]", 1)):
        result = command.run("query", "--lines", "--summary=json", query, stdin=lines.encode())
        figures = json.loads(result.stderr.splitlines()[-1])

        assert figures["out"] == 1 + neighbours
        assert figures["problems"] == told * (1 + neighbours)


def test_lending_is_decided_for_each_record(run):
    stdin = line(json.loads(SAMPLE.read_bytes())).encode() + b'{"structData": {"code": 1}}\n'

    assert run("query", "structData.code", stdin=stdin) == ('["200"]\n1\n', said(LENT), 0)


def test_a_record_that_a_spec_matches_is_opened_by_it_and_by_detection(run):
    record = json.loads(SAMPLE.read_bytes())
    record["data"]["taskResult"][0]["taskResult"] = '{"cut'
    record["more"] = "[1]"
    stdin = line(record).encode()
    stdout, stderr, code = run("query", "[data.taskResult[0].taskResult, more]", stdin=stdin)

    assert (stdout, code) == ('["{\\"cut",[1]]\n', 0)
    assert stderr.startswith("nestdecode: stdin: line 1: invalid JSON: ")
    assert " - at /data/taskResult/0/taskResult (json)\n" in stderr
    assert run("query", "more", stdin=stdin) == ("[1]\n", "", 0)
    assert run("query", "--spec", "none", "more", stdin=stdin) == ("[1]\n", "", 0)


def test_spec_none_lends_nothing(run):
    out, err, code = run("query", "--spec", "none", "structData.data[]", SAMPLE)

    assert (out, code) == ("null\n", 0)
    assert "repair-results" not in err


def test_root_and_focus_force_where_a_query_starts(run):
    spec = ("-s", "repair-results")

    assert run("query", *spec, "--root", "type(@)", SAMPLE) == ('"object"\n', "", 0)
    assert run("query", *spec, "--focus", "type(@)", SAMPLE) == ('["object"]\n', "", 0)
    assert run("query", "--focus", "type(@)", SAMPLE) == ('["object"]\n', said(LENT), 0)


@pytest.mark.parametrize(
    ("options", "stdout"),
    [
        pytest.param([], '{"a":[1,"é"]}\n', id="one line"),
        pytest.param(["-c"], '{"a":[1,"é"]}\n', id="compact"),
        pytest.param(["--indent", "0"], '{"a":[1,"é"]}\n', id="indent 0"),
        pytest.param(["--indent", "2"], '{\n  "a": [\n    1,\n    "é"\n  ]\n}\n', id="indent 2"),
        pytest.param(
            ["--indent", "3"], '{\n   "a": [\n      1,\n      "é"\n   ]\n}\n', id="indent 3"
        ),
        pytest.param(["--color", "never"], '{"a":[1,"é"]}\n', id="never coloured"),
        pytest.param(["--color", "auto"], '{"a":[1,"é"]}\n', id="no terminal, no colour"),
    ],
)
def test_a_pipe_gets_what_the_options_say(run, options, stdout):
    stdin = '{ "a": "[1, \\"é\\"]" }'.encode()

    assert run("expand", *options, stdin=stdin) == (stdout, "", 0)


def test_colours_change_nothing_but_colours(run):
    value = {'k"e:y': ['a"b: 1', -1.5e300, True, None, {}, []], "n": 10}
    out, err, code = run("expand", "--color", "always", stdin=line(value).encode())

    assert ANSI.search(out)
    assert (json.loads(ANSI.sub("", out)), err, code) == (value, "", 0)


@pytest.mark.parametrize(
    ("options", "stdin", "stdout"),
    [
        pytest.param([], '{"a": "x\\ny"}', '"x\\ny"\n', id="quotes without -r"),
        pytest.param(["-r"], '{"a": "x\\ny"}', "x\ny\n", id="no quotes with -r"),
        pytest.param(["-r"], '{"a": ["x"]}', '["x"]\n', id="-r leaves arrays"),
        pytest.param(["-r", "--each"], '{"a": ["x", 1]}', "x\n1\n", id="-r --each"),
        pytest.param(["--each"], '{"a": [1, null, [2]]}', "1\nnull\n[2]\n", id="elements"),
        pytest.param(["--each"], '{"a": null}', "", id="nothing for null"),
        pytest.param(["--each"], '{"a": []}', "", id="nothing for no elements"),
        pytest.param(["--each"], '{"a": {"b": 1}}', '{"b":1}\n', id="an object as itself"),
        pytest.param(["--each"], '{"a": false}', "false\n", id="a scalar as itself"),
        pytest.param(["-r"], '{"a": "\\ud800"}', "\\ud800\n", id="-r, a lone surrogate"),
    ],
)
def test_answers_are_written_as_the_options_say(run, options, stdin, stdout):
    assert run("query", *options, "a", stdin=stdin.encode()) == (stdout, "", 0)


@pytest.mark.parametrize(
    ("options", "stdin", "stdout", "code"),
    [
        pytest.param([], '{"a":1}', "1\n", 0, id="a value"),
        pytest.param([], '{"a":""}', '""\n', 0, id="an empty string"),
        pytest.param([], '{"a":0}', "0\n", 0, id="zero"),
        pytest.param([], '{"a":false}', "false\n", 1, id="false"),
        pytest.param([], "{}", "null\n", 1, id="null"),
        pytest.param([], '{"a":1}\n{}', "1\nnull\n", 1, id="null last"),
        pytest.param([], '{}\n{"a":1}', "null\n1\n", 0, id="null first"),
        pytest.param([], "", "", 4, id="no record"),
        pytest.param(["--each"], '{"a":[]}', "", 4, id="no element"),
        pytest.param(["--each"], '{"a":null}', "", 4, id="null is no element"),
        pytest.param(["--each"], '{"a":[1,null]}', "1\nnull\n", 1, id="null as last element"),
    ],
)
def test_the_exit_status_tells_the_last_output(run, options, stdin, stdout, code):
    assert run("query", "-e", *options, "a", stdin=stdin.encode()) == (stdout, "", code)


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        pytest.param([], {"NO_COLOR": "1"}, id="NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, id="dumb terminal"),
        pytest.param(["--color", "never"], {}, id="--color never"),
    ],
)
def test_a_terminal_gets_indented_output(options, environment):
    shown = on_terminal("expand", *options, stdin=b'{"a":"[1]"}', **environment)

    assert shown == ('{\n  "a": [\n    1\n  ]\n}\n', "", 0)


def test_a_terminal_gets_colours():
    out, err, code = on_terminal("expand", stdin=b'{"a":"[1]"}')

    assert ANSI.search(out)
    assert (ANSI.sub("", out), err, code) == ('{\n  "a": [\n    1\n  ]\n}\n', "", 0)


def test_a_terminal_gets_one_line_if_told_so():
    shown = on_terminal("expand", "-c", "--color", "never", stdin=b'{"a":"[1]"}')

    assert shown == ('{"a":[1]}\n', "", 0)


@pytest.mark.parametrize(
    ("arguments", "stdout"),
    [
        pytest.param(["expand", "-c"], '["\\u001b[2J\\u009b\\u202e\\u007f"]\n', id="JSON"),
        pytest.param(["query", "-r", "[0]"], "\\u001b[2J\\u009b\\u202e\\u007f\n", id="raw strings"),
    ],
)
def test_data_does_not_steer_a_terminal(arguments, stdout):
    stdin = b'["\\u001b[2J\\u009b\\u202e\\u007f"]'

    assert on_terminal(*arguments, "--color", "never", stdin=stdin) == (stdout, "", 0)


@pytest.mark.parametrize(
    ("stdin", "stdout"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b" \n\r\n\t\n", "", id="blank lines only"),
        pytest.param(b'\n{"a":1}\n\n \r\n{"a":2}\n\n', '{"a":1}\n{"a":2}\n', id="blank lines"),
        pytest.param(b'{"a":1}', '{"a":1}\n', id="no final newline"),
        pytest.param(b'{"a":1}\n{"a":2}', '{"a":1}\n{"a":2}\n', id="no final newline after two"),
        pytest.param(b'{"a":1}\r\n{"a":2}\r\n', '{"a":1}\n{"a":2}\n', id="CRLF"),
        pytest.param(b'{\r\n"a":1}\r\n[\r\n]\r\n', '{"a":1}\n[]\n', id="CRLF in documents"),
        pytest.param(
            b'["\xe2\x80\xa8\xc2\x85"]\n[1]\n', '["\u2028\u0085"]\n[1]\n', id="U+2028 in a string"
        ),
        pytest.param(b"\xef\xbb\xbf", "", id="BOM, nothing"),
        pytest.param(b"\xef\xbb\xbf\n", "", id="BOM, a blank line"),
        pytest.param(b'\xef\xbb\xbf{"a":1}\n{"a":2}\n', '{"a":1}\n{"a":2}\n', id="BOM, lines"),
        pytest.param(b'\xef\xbb\xbf{\n"a":1}\n[2]\n', '{"a":1}\n[2]\n', id="BOM, documents"),
        pytest.param(b'1\n"x"\nnull\n[]\n', '1\n"x"\nnull\n[]\n', id="lines of scalars"),
        pytest.param(b'{\n  "a": [\n    1\n  ]\n}\n', '{"a":[1]}\n', id="one indented document"),
        pytest.param(
            b'{\n"a":1}\n{\n"a":2}[3]4 "5"\n', '{"a":1}\n{"a":2}\n[3]\n4\n"5"\n', id="documents"
        ),
        pytest.param(
            b'[\n1]{"a":"}{\\"]["}[]', '[1]\n{"a":"}{\\"]["}\n[]\n', id="no space between"
        ),
        pytest.param(b'\n\n{\n"a":1}\n', '{"a":1}\n', id="blank lines, then a document"),
        pytest.param(b'"{\\"a\\":1}"\n', '{"a":1}\n', id="a record that is a layer"),
    ],
)
def test_lines_and_documents_are_told_apart(run, stdin, stdout):
    assert run("expand", stdin=stdin) == (stdout, "", 0)


def test_documents_on_one_line_can_be_forced(run):
    assert run("expand", "--documents", stdin=b'{"a":1}{"a":2} 3') == (
        '{"a":1}\n{"a":2}\n3\n',
        "",
        0,
    )


def test_lines_can_be_forced(run):
    stderr = said(
        f"stdin: line 1: {refusal(b'[')}",
        "--documents reads records that take several lines, or share one",
        f"stdin: line 3: {refusal(b']')}",
        "2 of 3 records failed",
    )

    assert run("expand", "--lines", stdin=b"[\n1\n]\n") == ("1\n", stderr, 5)


@pytest.mark.parametrize(
    ("stdin", "bad", "where", "stdout"),
    [
        pytest.param(b'{oops\n{"a":1}\n{"a":2}\n', b"{oops", 1, '{"a":1}\n{"a":2}\n', id="first"),
        pytest.param(b'{"a":1}\n{"a":\n{"a":2}\n', b'{"a":', 2, '{"a":1}\n{"a":2}\n', id="middle"),
        pytest.param(b'{"a":1}\n{"a":2}\n{"a"', b'{"a"', 3, '{"a":1}\n{"a":2}\n', id="cut last"),
        pytest.param(b'{"a":1}\n{"a":2}\n\xff\n', b"\xff", 3, '{"a":1}\n{"a":2}\n', id="no UTF-8"),
        pytest.param(
            b'{"a":0}\x0c\n{"a":1}\n{"a":2}\n',
            b'{"a":0}\x0c',
            1,
            '{"a":1}\n{"a":2}\n',
            id="a form feed is no JSON white space",
        ),
    ],
)
def test_a_broken_line_leaves_the_others_in_order(run, stdin, bad, where, stdout):
    stderr = said(f"stdin: line {where}: {refusal(bad)}", "1 of 3 records failed")

    assert run("expand", stdin=stdin) == (stdout, stderr, 5)


@pytest.mark.parametrize(
    ("stdin", "cut", "where", "stdout"),
    [
        pytest.param(
            b'{\n"a":1}\n{"b":1,\n\n{"c":\n3}\n',
            b'{"b":1,',
            3,
            '{"a":1}\n{"c":3}\n',
            id="after a comma",
        ),
        pytest.param(
            b'{\n"a":1}\n{"b":\n"x\n{"c":3}\n',
            b'{"b":\n"x',
            3,
            '{"a":1}\n{"c":3}\n',
            id="in a string",
        ),
        pytest.param(b'[\n1\n[\n2]\n{"c":3}\n', b"[\n1", 1, '[2]\n{"c":3}\n', id="the first"),
        pytest.param(b'{\n"a":1}\n[]\n{"b":', b'{"b":', 4, '{"a":1}\n[]\n', id="the last"),
        pytest.param(
            b"[\n1]\n[1,,\n" + b"5,\n" * 600_000 + b"5]\n[2]\n",
            b"[1,,\n" + b"5,\n" * 600_000 + b"5]",
            3,
            "[1]\n[2]\n",
            id="longer than what is read at once",
        ),
    ],
)
def test_a_document_cut_in_the_middle_is_one_dead_letter(run, stdin, cut, where, stdout):
    stderr = said(f"stdin: document at line {where}: {refusal(cut)}", "1 of 3 records failed")
    out, err, code = run("expand", stdin=stdin)

    assert (out, err[:1000], code) == (stdout, stderr, 5)


@pytest.mark.parametrize(
    "long",
    [
        pytest.param(b"[%b]" % b",\n".join(b"%d" % n for n in range(200_000)), id="lines"),
        pytest.param(b'{"a":"%b"}' % (b"x" * 1_500_000), id="one line"),
        pytest.param(b'"%b"' % (b"x y " * 400_000), id="a string"),
    ],
)
def test_a_document_that_is_too_long_is_one_dead_letter(run, long):
    stdin = b"[\n1]\n%b\n[2]\n" % long
    out, err, code = run("expand", "--max-record-bytes", "1000", stdin=stdin)
    reason = "longer than --max-record-bytes 1000 - at document root"
    stderr = said(f"stdin: document at line 3: {reason}", "1 of 3 records failed")

    assert (out, err[:1000], code) == ("[1]\n[2]\n", stderr, 5)


def test_files_are_read_in_order(run, folder):
    (folder / "lines.ndjson").write_text('{"a":1}\n{"a":2}\n')
    (folder / "document.json").write_text('{\n"a": 3\n}\n')

    assert run("expand", "lines.ndjson", "-", "document.json", stdin=b"[]") == (
        '{"a":1}\n{"a":2}\n[]\n{"a":3}\n',
        "",
        0,
    )


def test_a_file_is_named_in_messages(run, folder):
    (folder / "in.ndjson").write_text('{"a":1}\nx\n')
    stderr = said(f"in.ndjson: line 2: {refusal(b'x')}", "1 of 2 records failed")

    assert run("expand", "in.ndjson") == ('{"a":1}\n', stderr, 5)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        pytest.param("none.json", MISSING, id="missing"),
        pytest.param("dir", f"can't be read: {os.strerror(errno.EISDIR)}", id="a directory"),
    ],
)
def test_a_file_that_cannot_be_read_leaves_the_others(run, folder, name, reason):
    (folder / "dir").mkdir()
    (folder / "good.json").write_text("[1]")

    assert run("expand", name, "good.json", name) == (
        "[1]\n",
        said(*[f"{name}: {reason}"] * 2),
        2,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expnd"], id="command"),
        pytest.param(["--nope"], id="option of the program"),
        pytest.param(["expand", "--nope"], id="option of a command"),
        pytest.param(["query"], id="no query"),
        pytest.param(["spec", "nope"], id="command of a group"),
        pytest.param(["spec", "show"], id="no spec"),
        pytest.param(["completion", "tcsh"], id="shell"),
        pytest.param(["expand", "--indent", "x"], id="indent"),
        pytest.param(["expand", "--indent", "-1"], id="negative indent"),
        pytest.param(["expand", "--color", "red"], id="color"),
        pytest.param(["expand", "--on-error", "skip"], id="policy"),
        pytest.param(["expand", "--max-layers", "255"], id="limit out of range"),
        pytest.param(["expand", "--max-depth", "0"], id="limit of nothing"),
        pytest.param(["expand", "--max-bytes", "1k"], id="limit that is no number"),
    ],
)
def test_wrong_usage_exits_with_2(run, arguments):
    out, err, code = run(*arguments, stdin=b"[1]")

    assert (out, code) == ("", 2)
    assert err.startswith("Usage: nestdecode")


@pytest.mark.parametrize(
    "arguments", [pytest.param([], id="program"), pytest.param(["spec"], id="group")]
)
def test_no_command_shows_help_and_exits_with_2(run, arguments):
    out, err, code = run(*arguments)

    assert (out, err, code) == ("", run(*arguments, "--help")[0], 2)


@pytest.mark.parametrize(
    ("query", "reason", "column"),
    [
        pytest.param("a.b[", "incomplete expression", 5, id="incomplete"),
        pytest.param("a..b", "unexpected '.'", 3, id="unexpected"),
        pytest.param(
            "a = b", "unexpected character; equality is written ==", 3, id="unknown character"
        ),
        pytest.param(
            "a.lenght(@)", "unknown function lenght(); did you mean 'length'?", 3, id="function"
        ),
    ],
)
def test_a_bad_query_is_shown_with_a_caret(run, query, reason, column):
    stderr = said(f"{reason} - at column {column} of\n  {query}\n  {' ' * (column - 1)}^")

    assert run("query", query, stdin=b"{}") == ("", stderr, 3)
    assert run("query", "-s", "repair-results", query, stdin=b"{}") == ("", stderr, 3)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        pytest.param(["query", "-s", "repair-results", ":url"], [":url", "urls"], id="nearest"),
        pytest.param(["query", "-s", "./spec.yaml", ":zzz"], [":zzz", ":first"], id="known ones"),
        pytest.param(["query", "-s", "none", ":urls"], [":urls"], id="no spec"),
        pytest.param(["query", ":urls"], [":urls"], id="no spec that matches"),
        pytest.param(["query", "--focus", "a"], ["focus"], id="no focus"),
        pytest.param(
            ["query", "-s", "repair-results", "[code, success]"], ["code", "success"], id="mixed"
        ),
        pytest.param(["expand", "-s", "sqs-sns"], ["'aws/sqs-sns'"], id="spec by its last part"),
        pytest.param(["expand", "-s", "repair-result"], ["'repair-results'"], id="nearest spec"),
        pytest.param(["spec", "show", "zzz"], ["aws/sqs-sns", "repair-results"], id="known specs"),
        pytest.param(["expand", "-s", "spec"], ["'spec'", "spec.yaml"], id="no suffix"),
        pytest.param(["expand", "-s", "./none.yaml"], ["./none.yaml", MISSING], id="no such file"),
    ],
)
def test_a_wrong_name_exits_with_3_and_names_the_right_one(run, folder, arguments, words):
    out, err, code = run(*arguments, stdin=b'{"a":1}')

    assert (out, code) == ("", 3)
    assert [word for word in words if word not in err] == []
    assert err.startswith("nestdecode: ")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "nestdecode: 1\nlayers:\n  a: jsn\n",
            "bad.yaml:3: unknown codec 'jsn'; did you mean 'json'? - at /layers/a",
            id="codec",
        ),
        pytest.param(
            "nestdecode: 1\nlayer:\n  a: json\n",
            "bad.yaml:2: unknown key 'layer'; did you mean 'layers'? - at /layer",
            id="key",
        ),
        pytest.param(
            "nestdecode: 1\nlayers:\n  *.value: json\n",
            "bad.yaml:3: YAML takes *.value for an alias: write '*.value': json",
            id="a path that YAML eats",
        ),
    ],
)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand", "--spec"], id="expand"),
        pytest.param(["query", "a", "--spec"], id="query"),
        pytest.param(["spec", "lint"], id="lint"),
    ],
)
def test_a_bad_spec_is_told_with_its_place(run, folder, arguments, text, message):
    (folder / "bad.yaml").write_text(text)

    assert run(*arguments, "bad.yaml", stdin=b"{}") == ("", said(message), 3)


def test_a_file_in_place_of_the_query_is_told(run, folder):
    (folder / "response.json").write_text("{}")
    out, err, code = run("query", "response.json", stdin=b"{}")

    assert (out, code) == ("", 2)
    assert "nestdecode query EXPR response.json" in err


def test_a_query_may_be_named_like_a_file(run, folder):
    (folder / "a").write_text("")

    assert run("query", "a", "-", stdin=b'{"a":1}') == ("1\n", "", 0)


def test_a_query_that_refuses_one_record_answers_the_others(run):
    stderr = said(
        "stdin: line 2: abs() wants number, got string - at column 1 of\n  abs(a)\n  ^",
        "1 of 3 records failed",
    )

    assert run("query", "abs(a)", stdin=b'{"a":-1}\n{"a":"x"}\n{"a":2}\n') == (
        "1\n2\n",
        stderr,
        5,
    )


BROKEN = '{"a":"true","c":[{"d":"[1]"},{"d":"null"}],"z":"{}"}'
PROBLEMS = (
    "stdin: line 1: expected an object or an array, got boolean - at /a (json)",
    "stdin: line 1: expected an object or an array, got null - at /c/1/d (json)",
    "2 layers stayed shut",
)


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        pytest.param("keep", {"a": "true", "c": [{"d": [1]}, {"d": "null"}], "z": "{}"}, id="keep"),
        pytest.param("null", {"a": None, "c": [{"d": [1]}, {"d": None}], "z": "{}"}, id="null"),
        pytest.param("drop", {"c": [{"d": [1]}, {}], "z": "{}"}, id="drop"),
    ],
)
def test_on_error_decides_what_becomes_of_a_layer(run, folder, policy, expected):
    result = run("expand", "-s", "spec.yaml", "--on-error", policy, stdin=BROKEN.encode())

    assert result == (line(expected), said(*PROBLEMS), 0)


def test_on_error_fail_refuses_the_record(run, folder):
    stdin = f'{BROKEN}\n{{"a":"[]"}}\n'.encode()
    stderr = said(PROBLEMS[0], "1 of 2 records failed")

    assert run("expand", "-s", "spec.yaml", "--on-error", "fail", stdin=stdin) == (
        '{"a":[]}\n',
        stderr,
        5,
    )


def test_problems_are_summed_up(run, folder):
    stdin = b'{"a":"1"}\n{"a":"[]"}\n' * 12
    reason = "expected an object or an array, got integer - at /a (json)"
    shown = [f"stdin: line {number}: {reason}" for number in range(1, 20, 2)]
    stderr = said(*shown, "12 layers stayed shut in 12 of 24 records (10 reported)")

    assert run("expand", "-s", "spec.yaml", stdin=stdin) == (
        '{"a":"1"}\n{"a":[]}\n' * 12,
        stderr,
        0,
    )


TEXTS = [b"2026-11-28 up", b"[INFO] up", b'{"a": "cu', b"5 up", b"{oops", b'{"a":1,', b'{"a": "\\"']


@pytest.mark.parametrize("line", TEXTS, ids=repr)
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_records_that_are_text_are_counted_and_the_first_ten_shown(run, line, jobs):
    good = b'{"a":"[1]"}\n'
    _, alone, _ = run("expand", "--lines", stdin=line + b"\n")
    reason = alone.removeprefix("nestdecode: stdin: line 1: ").removesuffix("\n")
    shown = [f"stdin: line {2 * number}: {reason}" for number in range(1, 11)]
    summary = "3,000 of 6,000 records failed (10 reported, --dead-letters FILE keeps all)"
    stdin = (good + line + b"\n") * 3000

    assert run("expand", "--lines", "-j", jobs, stdin=stdin) == (
        '{"a":[1]}\n' * 3000,
        said(*shown, summary),
        5,
    )


@pytest.mark.parametrize("line", TEXTS, ids=repr)
@pytest.mark.parametrize("framing", [(), ("--lines",)], ids=["mixed", "lines"])
def test_each_record_that_is_text_is_kept_or_set_aside(run, folder, line, framing):
    stdin = b'{"a":"[1]"}\n' + (line + b"\n{}\n") * 50

    out, err, code = run("expand", *framing, "--malformed", "keep", stdin=stdin)
    assert (out, code) == ('{"a":[1]}\n' + (line.decode() + "\n{}\n") * 50, 0)
    assert err == said("50 of 101 records kept as they came (not JSON)")
    out, err, code = run("expand", *framing, "--dead-letters", "dead", stdin=stdin)
    letters = [json.loads(letter) for letter in (folder / "dead").read_bytes().splitlines()]
    assert [letter["line"] for letter in letters] == list(range(2, 102, 2))
    assert {letter["raw"] for letter in letters} == {line.decode()}


def nested(layers: int) -> Any:
    """Write an object with so many layers in it."""
    value: Any = {}
    for _ in range(layers):
        value = {"a": json.dumps(value)}
    return value


@pytest.mark.parametrize(
    ("most", "layers", "pointer"),
    [
        pytest.param(0, 1, "/a", id="none"),
        pytest.param(1, 2, "/a/a", id="one"),
        pytest.param(3, 4, "/a/a/a/a", id="three"),
    ],
)
def test_max_layers_keeps_deeper_ones_shut(run, most, layers, pointer):
    expected = "{}"
    for _ in range(most):
        expected = f'{{"a":{expected}}}'
    expected = expected.replace("{}", '{"a":"{}"}')
    stderr = said(
        f"stdin: line 1: more than --max-layers {most} layers - at {pointer} (json)",
        "1 layer stayed shut",
    )

    stdin = line(nested(layers)).encode()

    assert run("expand", "--max-layers", most, stdin=stdin) == (f"{expected}\n", stderr, 0)


@pytest.mark.parametrize(
    ("option", "stdin", "reason"),
    [
        pytest.param("--max-depth", b"[[[]]]\n[[]]\n", "deeper than --max-depth 2", id="depth"),
        pytest.param(
            "--max-record-bytes",
            b"[1]\n[]\n",
            "longer than --max-record-bytes 2",
            id="record bytes",
        ),
    ],
)
def test_a_record_beyond_a_limit_is_refused(run, option, stdin, reason):
    out, err, code = run("expand", option, "2", stdin=stdin)
    stderr = said(f"stdin: line 1: {reason} - at document root", "1 of 2 records failed")

    assert (err, code) == (stderr, 5)
    assert out.encode() == stdin.split(b"\n", 1)[1]


CANARY = "canary-8675309"
LAYERS = "nestdecode: 1\nlayers:\n  a: json\n  b: base64\n  c: base64 | gzip | json\n"


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        pytest.param(["expand"], f'{{"a":"{CANARY}', id="cut"),
        pytest.param(["expand"], CANARY, id="no JSON"),
        pytest.param(["expand"], f'{{"{CANARY}":tru}}', id="beside a bad literal"),
        pytest.param(["expand"], f'["{CANARY}\\x"]', id="bad escape"),
        pytest.param(["expand"], f'["{CANARY}\\ud800\\x"]', id="bad escape, exact path"),
        pytest.param(["expand"], f'["{CANARY}\udcff"]', id="no UTF-8"),
        pytest.param(["expand"], f'{{"a":1}}\n{{"a":"{CANARY}"}}{CANARY}\n', id="after its end"),
        pytest.param(["expand"], f"[{'8675309' * 700}]", id="number too large"),
        pytest.param(["expand"], f"[8675309e8675309, NaN{CANARY}]", id="constant"),
        pytest.param(["expand", "--max-depth", "1"], f'[["{CANARY}"]]', id="too deep"),
        pytest.param(["expand", "--max-record-bytes", "9"], f'["{CANARY}"]', id="too long"),
        pytest.param(["expand", "-s", "layers.yaml"], f'{{"a":"{CANARY}"}}', id="json layer"),
        pytest.param(["expand", "-s", "layers.yaml"], f'{{"b":"{CANARY}"}}', id="base64 layer"),
        pytest.param(["expand", "-s", "layers.yaml"], '{"c":"Y2FuYXJ5LTg2"}', id="gzip layer"),
        pytest.param(
            ["expand", "-s", "layers.yaml", "--on-error", "fail"],
            f'{{"a":"[\\"{CANARY}\\""}}',
            id="failing layer",
        ),
        pytest.param(["query", "abs(a)"], f'{{"a":"{CANARY}"}}', id="argument"),
        pytest.param(["query", "sum(@)"], f'["{CANARY}"]', id="element"),
        pytest.param(["query", "sort(@)"], f'[1,"{CANARY}"]', id="mixed elements"),
        pytest.param(["query", "max_by(@, &a)"], f'[{{"a":1}},{{"a":"{CANARY}"}}]', id="by"),
        pytest.param(["query", "sum(@)"], f"[{'8675309' * 90}, 1.5]", id="overflow"),
        pytest.param(["query", ":urls"], f'{{"a":"{CANARY}"}}', id="query without a spec"),
    ],
)
def test_no_message_holds_data(run, folder, arguments, stdin):
    (folder / "layers.yaml").write_text(LAYERS)
    _, err, _ = run(*arguments, stdin=stdin.encode("utf-8", "surrogateescape"))

    assert err.startswith("nestdecode: ")
    assert [word for word in (CANARY, "canary", "8675309") if word in err] == []


def test_a_key_in_a_message_does_not_steer_a_terminal(run, folder):
    (folder / "any.yaml").write_text("nestdecode: 1\nlayers:\n  '*': json\n")
    stdin = b'{"\\u001b[2J\\n\\r\\t\\u009b\\u202e\\u2028":"1"}'
    out, err, code = run("expand", "-s", "any.yaml", stdin=stdin)
    pointer = r"/\u001b[2J\n\r\t\u009b\u202e\u2028"

    assert code == 0
    assert json.loads(out) == json.loads(stdin)
    assert err == said(
        f"stdin: line 1: expected an object or an array, got integer - at {pointer} (json)",
        "1 layer stayed shut",
    )


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        pytest.param(["expand", "none", "-"], b"x", 2, id="2 before 5"),
        pytest.param(["query", ":a", "-", "none"], b"{}", 2, id="2 before 3"),
        pytest.param(["query", ":a"], b"{}\nx", 3, id="3 before 5"),
        pytest.param(["query", "-e", "a"], b"{}\nx\n{}", 5, id="5 before 1"),
        pytest.param(["query", "-e", "--each", "a"], b"{}\nx\n{}", 5, id="5 before 4"),
        pytest.param(["query", "-e", "a", "none"], b"", 2, id="2 before 4"),
        pytest.param(["query", "-e", "a", "-", "none"], b"{}", 2, id="2 before 1"),
        pytest.param(["query", "-e", ":a"], b"{}", 3, id="3 before 4"),
        pytest.param(["query", "a[", "none"], b"", 3, id="a bad query before any file"),
        pytest.param(["query", "-s", "zzz", "a["], b"", 3, id="a bad spec and a bad query"),
    ],
)
def test_the_worst_failure_decides_the_exit_code(run, folder, arguments, stdin, code):
    assert run(*arguments, stdin=stdin)[2] == code


def test_spec_list_names_what_ships(run):
    out, err, code = run("spec", "list")
    shipped = [row.split("  ")[0] for row in out.splitlines()]

    assert (shipped, err, code) == (["aws/cloudwatch-logs", "aws/sqs-sns", "repair-results"], "", 0)


def test_spec_show_shows_layers_and_queries(run, folder):
    stdout = "name: spec.yaml\nlayers:\n  a      json\n  c[].d  json\nqueries:\n  :first  a\n"

    assert run("spec", "show", "spec.yaml") == (stdout, "", 0)


@pytest.mark.parametrize(
    "options", [pytest.param([], id="JSON"), pytest.param(["--yaml"], id="YAML")]
)
def test_spec_convert_writes_a_spec_that_opens_the_same(run, folder, options):
    out, err, code = run("spec", "convert", "spec.yaml", *options)
    (folder / "converted.yaml").write_text(out)
    stdin = b'{"a":"[1]","c":[{"d":"{}"}],"z":"{}"}'

    assert (err, code) == ("", 0)
    assert run("expand", "-s", "converted.yaml", stdin=stdin) == (
        '{"a":[1],"c":[{"d":{}}],"z":"{}"}\n',
        "",
        0,
    )


def test_spec_lint_finds_nothing_in_a_good_spec(run, folder):
    assert run("spec", "lint", "spec.yaml") == ("spec.yaml: 2 layers, no warnings\n", "", 0)


def test_what_may_be_no_spec_at_all_is_asked_about(run, folder):
    stray = "is this a spec? It declares no layer and has no key of nestdecode: nothing will be"
    (folder / "package.json").write_text('{"name": "x", "dependencies": {"a": "1"}}')
    (folder / "none.yaml").write_text("nestdecode: 1\nqueries: {a: a}")
    (folder / "open.json").write_text('{"x-nestdecode": {"undeclared": "open"}}')
    told = f"nestdecode: ./package.json: warning: {stray} opened\n"
    for words in (["expand"], ["query", "@"], ["collapse"]):
        stdout, stderr, code = run(*words, "-s", "./package.json", stdin=b'{"a":"[1]"}\n')

        assert (stdout, stderr, code) == ('{"a":"[1]"}\n', told, 0), words
    assert run("spec", "lint", "package.json") == (
        f"package.json: warning: {stray} opened\npackage.json: 0 layers, 1 warning\n",
        "",
        0,
    )
    for spec in ("none.yaml", "open.json"):
        _, stderr, code = run("expand", "-s", spec, stdin=b'{"x":"[1]"}\n')

        assert (stderr, code) == ("", 0), spec


def test_spec_lint_names_what_has_no_effect(run, folder):
    schema = {
        "properties": {
            "a": {"x-nestdecode": {"on-error": "drop"}},
            "b": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"type": "string", "x-nestdecode": {"on-error": "fail"}},
            },
        }
    }
    (folder / "schema.json").write_text(json.dumps(schema))
    warning = "schema.json:1: warning: on-error has no effect: no layer is declared here - at "

    assert run("spec", "lint", "schema.json") == (
        (
            f"{warning}/properties/a\n{warning}/properties/b/contentSchema\n"
            "schema.json: 1 layer, 2 warnings\n"
        ),
        "",
        0,
    )


def commands(
    command: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Go through every command with the words that lead to it."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from commands(child, (*path, name))


COMMANDS = [pytest.param(path, c, id=" ".join(("nestdecode", *path))) for path, c in commands()]


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_command_has_help_with_an_example(run, path, command):
    out, err, code = run(*path, "--help")

    assert (err, code) == ("", 0)
    assert out.startswith(f"Usage: {' '.join(('nestdecode', *path))} ")
    assert re.search(rf"^  (.*\| )?{' '.join(('nestdecode', *path))}", out, re.MULTILINE)
    assert run(*path, "-h") == (out, err, code)


@pytest.mark.parametrize(("path", "command"), COMMANDS)
def test_every_option_has_help(path, command):
    options = [p for p in command.params if isinstance(p, click.Option)]

    assert [option.name for option in options if not option.help] == []


def test_the_version_is_that_of_the_package(run):
    assert run("--version") == (f"nestdecode {version('nestdecode')}\n", "", 0)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run, shell):
    out, err, code = run("completion", shell)

    assert (err, code) == ("", 0)
    assert f"_NESTDECODE_COMPLETE={shell}_complete" in out


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
def test_the_script_for_bash_is_valid(run):
    script = run("completion", "bash")[0]
    checked = subprocess.run(
        ["bash", "-n"], input=script.encode(), capture_output=True, timeout=SECONDS, check=False
    )

    assert (checked.stdout, checked.stderr, checked.returncode) == (b"", b"", 0)


def test_a_process_reads_standard_input_and_writes_standard_output():
    assert finish(spawn("expand"), b'{"a":"[1]"}\nx') == (
        '{"a":[1]}\n',
        said(f"stdin: line 2: {refusal(b'x')}", "1 of 2 records failed"),
        5,
    )


@pytest.mark.parametrize(
    "surroundings",
    [
        pytest.param({"LC_ALL": "C", "PYTHONUTF8": "0"}, id="C"),
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="ASCII"),
        pytest.param({"PYTHONUNBUFFERED": "1"}, id="unbuffered"),
    ],
)
def test_the_locale_changes_no_byte(surroundings):
    stdin = '{"é": "[\\"\u2028😀\\"]"}\n'.encode()

    assert finish(spawn("expand", env=os.environ | surroundings), stdin) == (
        '{"é":["\u2028😀"]}\n',
        "",
        0,
    )


@pytest.mark.parametrize(
    ("arguments", "records", "lines"),
    [
        pytest.param(
            ["expand"], [b'{"a":1}\n', b'{"a":2}\n'], [b'{"a":1}\n', b'{"a":2}\n'], id="lines"
        ),
        pytest.param(
            ["expand"], [b'{\n"a":1}', b'{\n"a":2}'], [b'{"a":1}\n', b'{"a":2}\n'], id="documents"
        ),
        pytest.param(
            ["query", "--each", "a"],
            [b'{"a":[1,2]}\n', b'{"a":[3]}\n'],
            [b"1\n2\n", b"3\n"],
            id="query",
        ),
    ],
)
def test_a_record_comes_out_before_the_next_goes_in(arguments, records, lines):
    got = []
    with spawn(*arguments) as child:
        # The first waits for the interpreter, too.
        for record, seconds in zip(records, (SECONDS, 2), strict=True):
            child.stdin.write(record)
            readable, _, _ = select.select([child.stdout], [], [], seconds)
            got.append(os.read(child.stdout.fileno(), 1 << 16) if readable else b"nothing came")
        child.stdin.close()

    assert (got, child.returncode) == (lines, 0)


@pytest.mark.parametrize("arguments", [["expand"], ["query", "a"]], ids=["expand", "query"])
def test_a_terminal_as_input_gets_short_help(arguments):
    ours, theirs = pty.openpty()
    out, err, code = finish(spawn(*arguments, stdin=theirs), None)
    os.close(theirs)
    os.close(ours)
    examples = re.findall(r"^( *)nestdecode ", err, re.MULTILINE)

    assert (out, code) == ("", 2)
    assert err.startswith(f"Usage: nestdecode {arguments[0]} [OPTIONS]")
    assert f"Try 'nestdecode {arguments[0]} --help'" in err
    assert 5 <= len(err.splitlines()) <= 15
    assert len(examples) >= 3
    assert len(set(examples)) == 1, "examples begin at different columns"


def test_a_reader_that_leaves_ends_it_quietly(tmp_path):
    big = tmp_path / "big.ndjson"
    big.write_text('{"a":"[1]"}\n' * 100_000)
    with spawn("expand", big) as child:
        first = child.stdout.readline()
        child.stdout.close()
        err = child.stderr.read()
        code = child.wait(SECONDS)

    assert (first, err, code) == (b'{"a":[1]}\n', b"", 141)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand"], id="expand"),
        pytest.param(["query", "a"], id="query"),
        pytest.param(["spec", "list"], id="spec list"),
        pytest.param(["--help"], id="help"),
    ],
)
def test_a_pipe_that_nobody_reads_ends_it_quietly(arguments):
    ours, theirs = os.pipe()
    os.close(ours)
    child = spawn(*arguments, stdout=theirs)
    os.close(theirs)

    assert finish(child, b'{"a":1}\n') == ("", "", 141)


@pytest.mark.sampled(2)
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand"], id="expand"),
        pytest.param(["query", "a"], id="query"),
        pytest.param(["spec", "convert", "repair-results"], id="spec convert"),
        pytest.param(["completion", "zsh"], id="completion"),
    ],
)
def test_a_full_disk_is_told(arguments):
    with Path("/dev/full").open("wb") as full:
        child = spawn(*arguments, stdout=full)
    stderr = said(f"can't write: {os.strerror(errno.ENOSPC)}")

    assert finish(child, b'{"a":1}\n') == ("", stderr, 2)


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("redirection", "expected"),
    [
        pytest.param("<&-", ("", said("stdin: standard input is closed"), 2), id="stdin closed"),
        pytest.param(
            ">&-", ("", said("can't write: standard output is closed"), 2), id="stdout closed"
        ),
        pytest.param("2>&-", ("1\n2\n", "", 5), id="stderr closed"),
        pytest.param("2>/dev/full", ("1\n2\n", "", 5), id="stderr full"),
    ],
)
def test_a_missing_stream_is_no_crash(redirection, expected):
    command = f"{shlex.join([*NESTDECODE, 'expand'])} {redirection}"
    child = subprocess.Popen(
        ["sh", "-c", command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )

    assert finish(child, b"1\nx\n2\n") == expected


def test_a_leaving_reader_of_messages_stops_nothing():
    ours, theirs = os.pipe()
    os.close(ours)
    child = spawn("expand", stderr=theirs)
    os.close(theirs)

    assert finish(child, b"1\nx\n2\n") == ("1\n2\n", "", 5)


@pytest.mark.parametrize(
    ("number", "codes"),
    [
        pytest.param(signal.SIGINT, {130}, id="SIGINT"),
        # What a signal kills outright, a shell reports as 128 and its number.
        pytest.param(signal.SIGTERM, {143, -signal.SIGTERM}, id="SIGTERM"),
    ],
)
def test_a_signal_ends_it_quietly(number, codes):
    # A background shell ignores SIGINT, and so would the child.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        child = spawn("expand")
    finally:
        signal.signal(signal.SIGINT, before)
    with child:
        child.stdin.write(b"[1]\n")
        first = child.stdout.readline()
        child.send_signal(number)
        err = child.stderr.read()
        code = child.wait(SECONDS)

    assert (first, err.strip()) == (b"[1]\n", b"")
    assert code in codes


def test_a_signal_that_comes_just_before_a_wait_ends_it():
    # A system call that is about to be made is not interrupted: it took such a signal to
    # its end, and that of input may never come.
    script = """
import os, signal
from nestdecode.cli import signals
signals.listen()
signal.signal(signal.SIGTERM, lambda *_: None)
ours, theirs = os.pipe()
os.kill(os.getpid(), signal.SIGTERM)
print(signals.wait(ours))
os.write(theirs, b"x")
print(signals.wait(ours) == [ours])
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, timeout=SECONDS)

    assert (done.stdout, done.stderr) == (b"[]\nTrue\n", b"")
