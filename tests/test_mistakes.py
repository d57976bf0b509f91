"""Mistakes of the first hour: each message, whole, says what to do instead."""

import io
import json
import os
import sys
from pathlib import Path

import pytest

import nestdecode
from nestdecode.cli import main

DOCUMENT = rb'{"request-id":1,"body":"{\"n\":1.1,\"tags\":[1]}","done":true}'


@pytest.fixture
def run(capsysbinary, monkeypatch, tmp_path):
    """A function that runs a command in this process: (stdout, stderr, exit code)."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.json").write_bytes(DOCUMENT)

    def run(*arguments, stdin=b""):
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as caught:
            main(list(arguments))
        out, err = capsysbinary.readouterr()
        return out.decode(), err.decode(), caught.value.code

    return run


def usage(command: str, words: str, message: str) -> str:
    return (
        f"Usage: nestdecode {command} [OPTIONS] {words}\n"
        f"Try 'nestdecode {command} --help' for help.\n\nError: {message}\n"
    )


def said(*messages: str) -> str:
    return "".join(f"nestdecode: {message}\n" for message in messages)


UNMATCHED = said("no record has a layer of aws/sqs-sns: is this the right spec?")


# Queries


@pytest.mark.parametrize(
    ("query", "reason", "column"),
    [
        pytest.param(
            "request-id",
            'unexpected character; a name with such a character is quoted: "request-id"',
            8,
            id="a dash",
        ),
        pytest.param(
            "a.x/y.b",
            'unexpected character; a name with such a character is quoted: "x/y"',
            4,
            id="a slash",
        ),
        pytest.param(
            "$.body",
            "unexpected character; a path begins with a name, and @ is the root",
            1,
            id="JSONPath",
        ),
        pytest.param(
            ".body.n", "unexpected '.'; a path begins with a name, without a dot", 1, id="jq"
        ),
        pytest.param(
            "[?n==1.1]",
            "unexpected 1; a number is written in backquotes: `1.1`",
            6,
            id="a number",
        ),
        pytest.param(
            "[?n > -2]",
            "unexpected -2; a number is written in backquotes: `-2`",
            7,
            id="a negative number",
        ),
        pytest.param("[?n=`1`]", "unexpected character; equality is written ==", 4, id="one sign"),
        pytest.param("a == b and c", "unexpected 'and'; and is written &&", 8, id="and"),
        pytest.param("a or c", "unexpected 'or'; or is written ||", 3, id="or"),
        pytest.param("a.b.", "unexpected end", 5, id="the end"),
        pytest.param("a[", "incomplete expression", 3, id="a bracket"),
        pytest.param("a b", "unexpected 'b'", 3, id="nothing known"),
    ],
)
def test_a_query_in_another_language_is_led_to_jmespath(run, query, reason, column):
    message = f"{reason} - at column {column} of\n  {query}\n  {' ' * (column - 1)}^"

    assert run("query", query, "d.json") == ("", said(message), 3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param([""], "empty expression: @ is the whole document", id="empty"),
        pytest.param(
            [":"], "wanted the name of a query after the colon - in query :", id="a colon alone"
        ),
        pytest.param(
            [":urls"],
            "a named query needs a spec: repair-results has this one - in query :urls",
            id="no spec",
        ),
        pytest.param([":zzz"], "a named query needs a spec - in query :zzz", id="of no spec"),
        pytest.param(
            [":urls", "-s", "aws/sqs-sns"],
            "unknown query ':urls'; repair-results has it - in query :urls",
            id="of another spec",
        ),
        pytest.param(
            [":url", "-s", "repair-results"],
            "unknown query ':url'; did you mean ':urls'? - in query :url",
            id="mistyped",
        ),
        pytest.param(
            [":zzz", "-s", "aws/sqs-sns"],
            "unknown query ':zzz'; known are: :messages, :ids, :topics, :text - in query :zzz",
            id="of none",
        ),
        pytest.param(
            ["[code, success]", "-s", "repair-results"],
            "code is declared at the root, success at the focus: choose one (--root or --focus), "
            "or write two queries - in query [code, success]",
            id="both starts",
        ),
        pytest.param(
            ["--focus", "a"], "no focus: wanted a spec that has one - in query a", id="no focus"
        ),
    ],
)
def test_a_query_that_can_not_start_says_what_it_needs(run, arguments, message):
    assert run("query", *arguments, "d.json") == ("", said(message), 3)


def test_true_in_a_comparison_is_a_name(run):
    hint = said('"true" names a field; the value is written `true`')

    assert run("query", "done == true", "d.json") == ("false\n", hint, 0)
    assert run("query", "done == `true`", "d.json") == ("true\n", "", 0)


# Options and files


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--indent", "x"], "--indent is an integer from 0 to 16"),
        (["--indent", "99"], "--indent is an integer from 0 to 16"),
        (["--jobs", "0"], "--jobs is an integer from 1 to 256"),
        (["-j", "all"], "--jobs is an integer from 1 to 256"),
        (["--max-depth", "x"], "--max-depth is an integer"),
        (
            ["--max-depth", "1000"],
            "--max-depth is an integer from 1 to 254, got 1000; nothing deeper can be written back",
        ),
        (
            ["--max-layers", "999"],
            "--max-layers is an integer from 0 to 254, got 999",
        ),
    ],
    ids=" ".join,
)
def test_a_number_out_of_range_is_refused_with_the_range(run, arguments, message):
    assert run("expand", *arguments, "d.json") == ("", usage("expand", "[FILE]...", message), 2)


DEEP = b'{"a":[[]]}'
PACKED = b'{"awslogs":{"data":"H4sIAAAAAAAA/6uuBQBDv6ajAgAAAA=="}}'


@pytest.mark.parametrize(
    ("options", "stdin", "message"),
    [
        pytest.param(
            ["--max-depth", "2"],
            DEEP,
            "stdin: line 1: deeper than --max-depth 2 - at document root",
            id="depth",
        ),
        pytest.param(
            ["--max-record-bytes", "5"],
            DEEP,
            "stdin: line 1: longer than --max-record-bytes 5 - at document root",
            id="record",
        ),
        pytest.param(
            ["--max-layers", "0", "-s", "aws/cloudwatch-logs", "--on-error", "fail"],
            PACKED,
            "stdin: line 1: more than --max-layers 0 layers - at /awslogs/data (base64)",
            id="layers",
        ),
        pytest.param(
            ["--max-bytes", "1", "-s", "aws/cloudwatch-logs", "--on-error", "fail"],
            PACKED,
            "stdin: line 1: grew past --max-bytes 1 - at /awslogs/data (base64)",
            id="bytes",
        ),
        pytest.param(
            [],
            b'{"a":1e400}',
            "stdin: line 1: number too large for a double: --numbers exact keeps it "
            "- at document root",
            id="number",
        ),
        pytest.param(
            ["--numbers", "exact"],
            b'{"a":' + b"1" * 4301 + b"}",
            "stdin: line 1: integer too large: wanted at most 4300 digits - at document root",
            id="integer",
        ),
    ],
)
def test_a_limit_is_called_by_its_option(run, options, stdin, message):
    assert run("expand", *options, stdin=stdin) == ("", said(message), 5)


def test_the_library_calls_a_limit_by_its_argument():
    with pytest.raises(
        nestdecode.LimitError, match=r"^deeper than max_depth=2 - at document root$"
    ):
        nestdecode.Decoder(max_depth=2).expand(DEEP)


def test_minus_zero_is_zero_unless_exact(run):
    assert run("expand", stdin=b"[-0, -0.0]") == ("[0,-0.0]\n", "", 0)
    assert run("expand", "--numbers", "exact", stdin=b"[-0, -0.0]") == ("[-0,-0.0]\n", "", 0)


@pytest.mark.parametrize(
    ("arguments", "stderr"),
    [
        pytest.param(
            ["edit", "-"],
            usage("edit", "FILE", "edit wants a FILE: standard input can't be replaced"),
            id="edit",
        ),
        pytest.param(
            ["expand", ""], said("'': can't be read: No such file or directory"), id="no name"
        ),
        pytest.param(
            ["diff", "", "d.json"],
            said("'': can't be read: No such file or directory"),
            id="no name, compared",
        ),
        pytest.param(
            ["expand", "--dead-letters", "-", "d.json"],
            said(
                "-: can't write: standard output is for records: "
                "write /dev/stderr, or ./- for a file of that name"
            ),
            id="letters",
        ),
    ],
)
def test_a_file_that_can_not_be_meant_is_refused(run, arguments, stderr):
    assert run(*arguments) == ("", stderr, 2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_a_spec_by_its_path(run):
    os.mkfifo("spec")
    message = said("unknown spec 'spec'; for the file of that name write ./spec")

    assert run("expand", "-s", "spec", "d.json") == ("", message, 3)


@pytest.mark.parametrize("name", ["my", "team/my"])
@pytest.mark.parametrize("suffix", [".yaml", ".yml", ".json"])
def test_a_spec_that_is_a_file_here_is_suggested(run, name, suffix):
    Path("team").mkdir()
    Path(f"{name}{suffix}").write_text('{"nestdecode": 1, "layers": {"body": "json"}}')
    message = said(f"unknown spec {name!r}; for the file in this folder write {name}{suffix}")

    assert run("query", "-s", name, "body", "d.json") == ("", message, 3)
    assert run("query", "-s", f"{name}{suffix}", "body.n", "d.json") == ("1.1\n", "", 0)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["d.json"], "filter reads standard input and takes no FILE: nestdecode filter < d.json"),
        (
            ["a b.json"],
            "filter reads standard input and takes no FILE: nestdecode filter < 'a b.json'",
        ),
        (["nosuch"], "filter reads standard input and takes no FILE"),
    ],
    ids=["a file", "a name to quote", "no file"],
)
def test_a_file_for_filter_is_a_redirection(run, words, message):
    Path("a b.json").write_bytes(DOCUMENT)

    assert run("filter", *words)[1:] == (
        usage("filter", "", message).replace("[OPTIONS] ", "[OPTIONS]"),
        2,
    )


@pytest.mark.parametrize(
    ("command", "option", "hint"),
    [
        ("query", "-n", "input is always read"),
        ("expand", "--slurp", "nestdecode expand FILE | jq -s . makes one array of all records"),
        ("expand", "--raw-output", "query -r writes strings without quotes"),
        ("query", "--compact-output", "write --compact"),
        ("query", "--arg", "a query has no variables: write the value into the query"),
        ("expand", "-V", "nestdecode --version shows the version"),
        ("expand", "-i", "nestdecode set -i changes a file in place"),
        ("expand", "--csv", "query has it"),
        ("expand", "-r", "query has it"),
        ("query", "--malformed", "expand has it"),
        ("set", "--key", "collapse and diff have it"),
        ("replay", "--where", "expand and query have it"),
    ],
)
def test_an_option_of_another_program_has_a_counterpart(run, command, option, hint):
    _, stderr, code = run(command, option, "d.json")

    assert stderr.splitlines()[-1] == f"Error: No such option '{option}'; {hint}"
    assert code == 2


def test_the_version_has_a_short_option(run):
    assert run("-V") == run("--version") == (f"nestdecode {nestdecode.__version__}\n", "", 0)
    assert run("-n")[1].endswith("Error: No such option '-n'; input is always read\n")


@pytest.mark.parametrize(
    ("name", "got"), [("", "the name of a file, got ''"), ("new/", "a file, got the folder new/")]
)
@pytest.mark.parametrize("command", ["expand", "query", "set", "diff", "collapse", "explain"])
def test_output_to_what_can_not_be_a_file_is_refused(run, command, name, got):
    words = {"query": ["@"], "set": ["done=false"], "diff": ["d.json"], "collapse": ["-s", "x"]}
    _, stderr, code = run(command, *words.get(command, []), "d.json", "-o", name)

    assert (stderr.splitlines()[-1], code) == (f"Error: -o wants {got}", 2)
    assert [str(path) for path in Path().iterdir()] == ["d.json"]


def test_a_key_that_no_record_has_is_said(run):
    Path("e.json").write_bytes(DOCUMENT.replace(b"true", b"false"))
    note = said("--key is null for every record that differs: they are paired by their content")

    assert run("diff", "--key", "nope", "d.json", "e.json")[1:] == (note, 1)
    assert run("diff", "--key", "body.n", "d.json", "e.json")[1:] == ("", 1)
    assert run("diff", "--key", "nope", "d.json", "d.json") == ("", "", 0)


def test_a_spec_for_collapse_that_fits_no_record_is_said(run):
    out, stderr, code = run("collapse", "-s", "aws/sqs-sns", stdin=b'{"a":{}}\n{"a":1}\n')

    assert (out, stderr, code) == ('{"a":{}}\n{"a":1}\n', UNMATCHED, 0)
    assert run("collapse", "-s", "aws/sqs-sns", stdin=b'{"Records":[{"body":{}}]}')[1] == ""


def test_a_spec_that_can_not_be_read_is_a_wrong_spec(run):
    message = said("nosuch.yaml: can't be read: No such file or directory")

    assert run("expand", "-s", "nosuch.yaml", "d.json") == ("", message, 3)
    assert run("spec", "show", "nosuch.yaml") == ("", message, 3)


# A spec that fits nothing


@pytest.mark.parametrize(
    "arguments",
    [["expand"], ["query", "body"], ["explain"], ["explain", "--trees"], ["expand", "--lines"]],
    ids=" ".join,
)
@pytest.mark.parametrize("count", [1, 3, 100])
def test_a_spec_without_a_layer_in_any_record_is_said_once(run, arguments, count):
    _, stderr, code = run(*arguments, "-s", "aws/sqs-sns", stdin=DOCUMENT + b"\n" + b"{}\n" * count)

    assert (stderr, code) == (UNMATCHED, 0)


@pytest.mark.parametrize(
    "stdin",
    [
        pytest.param(b'{"Records":[{"body":"{}"}]}', id="a layer"),
        pytest.param(b'{"Records":[{"body":{}}]}', id="one that is open"),
        pytest.param(b'{"Records":[{"body":""}]}', id="a blank one"),
        pytest.param(b'{}\n{"Records":[{"body":"{}"}]}', id="in the second record"),
        pytest.param(b"", id="no record"),
    ],
)
@pytest.mark.parametrize("arguments", [["expand"], ["query", "@"], ["explain"]], ids=" ".join)
def test_nothing_is_said_if_a_record_has_one(run, arguments, stdin):
    _, stderr, code = run(*arguments, "-s", "aws/sqs-sns", stdin=stdin)

    assert (stderr, code) == ("", 0)


def test_nothing_is_said_of_records_that_were_not_asked(run):
    stdin = b'{"a":1}\n{"Records":[{"body":"{}"}]}\n'
    arguments = ("expand", "-s", "aws/sqs-sns", "--where")

    assert run(*arguments, "Records", stdin=stdin)[1:] == ("", 0)
    assert run(*arguments, "a", stdin=stdin)[1:] == (UNMATCHED, 0)
    assert run(*arguments, "z", stdin=stdin)[1:] == (said("--where: no record has z"), 0)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_in_a_long_stream_it_is_said_after_a_thousand(run, jobs):
    message = "1,000 records in a row have no layer of aws/sqs-sns: is it right?"
    records = b'{"a":1}\n' * 30_000 + b'{"Records":[{"body":"{}"}]}\n'

    assert run("expand", "-j", jobs, "-s", "aws/sqs-sns", stdin=records)[1:] == (said(message), 0)


# Changing


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["zz.y=1"],
            "no such place: zz.y; only the last step can be new, and zz does not exist",
        ),
        (["body.tags[1]=1"], "no such place: body.tags[1]; to append, write /body/tags/-"),
        (["/body/tags/7=1"], "no such place; to append, write /body/tags/- - at /body/tags/7"),
        (
            ["/zz/y=1"],
            "no such place; only the last step can be new, and /zz does not exist - at /zz/y",
        ),
        (["body.n.x=1"], "no such place: body.n.x"),
        (["--delete", "zz"], "no such place: zz"),
        (
            ["-s", "repair-results", "structData.code=1"],
            (
                "no such place: structData.code; only the last step can be new, and structData does "
                "not exist; a path starts at the root, not at the focus of repair-results"
            ),
        ),
    ],
    ids=lambda words: " ".join(words) if isinstance(words, list) else "",
)
def test_a_place_that_is_not_there_says_how_to_make_it(run, arguments, message):
    assert run("set", *arguments, "d.json") == ("", said(f"d.json: {message}"), 2)


TWO = b'{"id":1,"log":"{\\"level\\":\\"up\\",\\"tags\\":[{\\"a\\":1}]}"}\n' * 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["log.levels=5"], "no record has log.levels; did you mean 'level'?"),
        (["level=5"], "no record has level; did you mean 'log.level'?"),
        (
            ["log.tags.a=5"],
            "no record has log.tags.a: log.tags is an array, so write log.tags[].a",
        ),
        (["--delete", "logg.level"], "no such place: logg.level; did you mean 'log'?"),
        (
            ["--where", "level=='up'", "id=2"],
            "--where holds for no record: no record has level; did you mean 'log.level'?",
        ),
        (["--where", "log.level=='down'", "id=2"], "--where holds for no record"),
        (
            ["log.xyz=5"],
            "no record has log.xyz; --record N or --where EXPR chooses the records to add it to",
        ),
    ],
)
def test_a_place_that_no_record_has_gets_the_nearest_name(run, arguments, message):
    assert run("set", *arguments, stdin=TWO) == ("", said(f"stdin: {message}"), 2)


def test_what_is_written_to_append_appends(run):
    out, _, code = run("set", "/body/tags/-=2", "d.json")

    assert (json.loads(json.loads(out)["body"])["tags"], code) == ([1, 2], 0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            "done=[1",
            (
                "done: VALUE begins like JSON, but is invalid JSON: unexpected end of data: char 2; "
                "to set a text, write a JSON string"
            ),
        ),
        (
            "done:=yes",
            "done: VALUE is invalid JSON: unexpected character, expected a JSON value: char 0; := takes JSON only",
        ),
    ],
)
def test_a_value_that_is_not_json_says_how_it_is_written(run, change, message):
    stderr = usage("set", "PATH=VALUE... [FILE]", message)

    assert run("set", change, "d.json") == ("", stderr, 2)


def test_layers_that_the_spec_does_not_open_are_not_left_open_in_silence(run, tmp_path):
    original = rb'{"Records":[{"body":"{\"a\":\"[1]\"}","x":"[1]"}]}'
    (tmp_path / "original").write_bytes(original)
    expanded, _, _ = run("expand", "original")
    back = ("collapse", "--like", "original")

    assert run(*back, stdin=expanded.encode()) == (original.decode(), "", 0)
    out, stderr, code = run(*back, "-s", "aws/sqs-sns", stdin=expanded.encode())
    assert (json.loads(out)["Records"][0]["x"], code) == ([1], 0)
    assert stderr == said(
        "original: 2 layers left open: not in the spec; leave out --spec if expand had none"
    )


# Looking


def test_the_root_has_a_name_where_layers_are_listed(run):
    root = b'"[1]"'

    assert run("explain", stdin=root)[0] == (
        "1 layer, 1 deep, in 5 bytes; 2 of them (40%) are escaping\n  (root)  json  3 bytes\n"
    )
    assert run("explain", "--format", "table", stdin=root)[0].split("\n")[1].split()[0] == "(root)"


# The library


def test_a_line_that_is_refused_says_which_and_how_to_go_on():
    with pytest.raises(nestdecode.DecodeError) as caught:
        list(nestdecode.Decoder().expand_lines([b"{}\n", b"{\n"]))

    note = "line 2; pass on_dead_letter to set such records aside and go on"
    assert caught.value.__notes__ == [note]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: nestdecode.Number(5),  # type: ignore[arg-type]
            "a Number is made of a text, got int",
            id="a number",
        ),
        pytest.param(
            lambda: nestdecode.Decoder(on_problem=5),  # type: ignore[arg-type]
            "on_problem is a function or None, got int",
            id="on_problem",
        ),
        pytest.param(
            lambda: nestdecode.Decoder().expand_lines([], on_dead_letter="dead.ndjson"),  # type: ignore[arg-type]
            "on_dead_letter is a function or None, got str",
            id="on_dead_letter",
        ),
        pytest.param(
            lambda: nestdecode.expand_file("d", "e", on_dead_letter="dead.ndjson"),  # type: ignore[arg-type]
            "on_dead_letter is a function or None, got str",
            id="of a file",
        ),
    ],
)
def test_an_argument_of_another_type_is_refused_at_once(call, message):
    with pytest.raises(TypeError) as caught:
        call()

    assert str(caught.value) == message


# Files that hold no JSON

OTHERS = {
    b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\n\xff\n\n": "a PNG image",
    b"\xff\xd8\xff\xe0\0\x10JFIF\n": "a JPEG image",
    b"%PDF-1.7\n%\xe2\xe3\n1 0 obj\n": "a PDF document",
    b"PK\x03\x04\n\0\n\n": "a ZIP archive: unpack it first",
    b"PAR1\x15\n\n": "a Parquet file",
    b"\0" * 257 + b"ustar\0\n" + b"\0" * 300: "a tar archive: unpack it first",
}


@pytest.mark.parametrize(("content", "what"), OTHERS.items(), ids=OTHERS.values())
def test_a_file_that_holds_no_json_gets_one_message(run, content, what):
    Path("x").write_bytes(content * 100)
    message = said(f"x: can't be read: it is {what}")

    for arguments in (["expand"], ["query", "@"], ["explain"], ["set", "a=1"], ["edit"]):
        assert run(*arguments, "x") == ("", message, 2)
    assert run("diff", "d.json", "x") == ("", message, 2)
    # Other files are read, and a log processor gets each line back.
    assert run("expand", "x", "d.json")[2] == 2
    assert run("expand", "x", "d.json")[0].count("\n") == 1
    assert run("filter", stdin=b"%PDF-1.7\n") == ("%PDF-1.7\n", "", 0)


def test_a_log_that_begins_with_nul_bytes_is_read(run):
    out, stderr, code = run("expand", "--lines", stdin=b"\0" * 600 + b"\n" + DOCUMENT + b"\n")

    assert (out.count("\n"), code) == (1, 5)
    assert "1 of 2 records failed" in stderr
