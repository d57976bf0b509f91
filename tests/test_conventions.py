"""What people know from jq, Miller and ripgrep: flags, variables, and where output goes."""

import errno
import io
import json
import os
import pty
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import nestdecode
from nestdecode.cli import cli, main
from nestdecode.cli.flags import Flag
from nestdecode.stream.encoded import as_utf8
from nestdecode.text.write import dump
from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
SECONDS = 60
RECORD = '{"b":"{\\"z\\":1.10,\\"a\\":{\\"é\\":2,\\"d\\":[]}}","a":18446744073709551617}\n'
LINES = '{"a":"{\\"x\\":1}"}\n{oops\n{"a":"[2]"}\n'
OPENED = '{"a":{"x":1}}\n{"a":[2]}\n'
REFUSED = (
    "nestdecode: l.ndjson: line 2: invalid JSON: unexpected character, "
    "expected a string key: char 1 - at document root\n"
)
FAILED = "nestdecode: 1 of 3 records failed\n"
NOT_WHOLE = "nestdecode: out: not written: the output is incomplete\n"
OURS = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("NESTDECODE_") and name not in ("NO_COLOR", "FORCE_COLOR")
} | {"TERM": "xterm"}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A working directory with a record and some lines."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "s.json").write_text(RECORD)
    (tmp_path / "l.ndjson").write_text(LINES)
    return tmp_path


@pytest.fixture
def run(capsysbinary, monkeypatch):
    """A function that runs a command in this process: (stdout, stderr, exit code)."""

    def run(*arguments, stdin=b"", **environment):
        with monkeypatch.context() as context:
            for name in os.environ.keys() - OURS.keys():
                context.delenv(name)
            for name, value in environment.items():
                context.setenv(name, value)
            context.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            with pytest.raises(SystemExit) as caught:
                main(arguments)
        out, err = capsysbinary.readouterr()
        return out.decode(), err.decode(), caught.value.code

    return run


def spawned(*arguments: str, stdin: bytes = b"", **environment: str) -> tuple[str, str, int]:
    """Run a command in a process of its own: (stdout, stderr, exit code)."""
    done = command.run(*arguments, stdin=stdin, env=OURS | environment)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def on_terminal(*arguments: str, **environment: str) -> str:
    """Return what a command shows on a terminal."""
    ours, theirs = pty.openpty()
    with Path(os.devnull).open() as nothing:
        streams = (nothing.fileno(), theirs, 2)
        child = command.start(*arguments, streams=streams, env=OURS | environment)
    os.close(theirs)
    shown = b""
    try:
        while piece := os.read(ours, 1 << 16):
            shown += piece
    except OSError as error:
        assert error.errno == errno.EIO
    child.wait()
    os.close(ours)
    return shown.decode().replace("\r\n", "\n")


def left_in(folder: Path) -> list[str]:
    """List what is in a folder beside what was there at first."""
    return sorted({path.name for path in folder.iterdir()} - {"s.json", "l.ndjson"})


# How values are written

TREE: Any = {"b": [{"y": 1, "x": "  s\n "}, [], {}], "a": {"é": 2, "\U0001f600": 1, "\uffff": 3}}


@pytest.mark.parametrize("sort_keys", [False, True], ids=["as it came", "sorted"])
@pytest.mark.parametrize("indent", [None, 3, "\t"], ids=["compact", "spaces", "tab"])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param({}, id="what msgspec writes"),
        pytest.param({"n": 2**70, "m": -0.0}, id="a large integer"),
        pytest.param({"s": " \ud800", "\udfff": "", "aa": 2**70}, id="lone surrogates"),
    ],
)
def test_keys_are_sorted_and_tabs_indent_as_in_the_standard_library(more, indent, sort_keys):
    expected = json.dumps(
        TREE | more,
        indent=indent,
        sort_keys=sort_keys,
        ensure_ascii=False,
        separators=(",", ":") if indent is None else None,
    )
    written = nestdecode.dumps(TREE | more, indent=indent, sort_keys=sort_keys)

    assert written == expected.encode("utf-8", "backslashreplace")


def test_exact_numbers_are_sorted_and_indented_as_others_are():
    tree = nestdecode.Decoder(numbers="exact").expand(b'{"b":[1E9,{"d":1.10,"c":-0}],"a":1e400}')

    assert dump(tree, sort_keys=True) == b'{"a":1e400,"b":[1E9,{"c":-0,"d":1.10}]}'
    assert dump(tree, sort_keys=True, indent="\t") == (
        b'{\n\t"a": 1e400,\n\t"b": [\n\t\t1E9,\n\t\t{\n\t\t\t"c": -0,\n\t\t\t"d": 1.10\n\t\t}\n\t]\n}'
    )
    tree["b"].append("\ud800")

    assert dump(tree, sort_keys=True) == b'{"a":1e400,"b":[1E9,{"c":-0,"d":1.10},"\\ud800"]}'


@pytest.mark.parametrize("indent", [-1, 17, "  ", 2.5], ids=repr)
def test_an_indent_is_spaces_or_a_tab(indent):
    with pytest.raises(ValueError, match=r"^indent is an integer from 0 to 16, or "):
        nestdecode.dumps({}, indent=indent)


@pytest.mark.parametrize(
    ("arguments", "stdout"),
    [
        pytest.param(
            ["expand", "-S"],
            '{"a":18446744073709551617,"b":{"a":{"d":[],"é":2},"z":1.1}}\n',
            id="sorted, through layers",
        ),
        pytest.param(
            ["expand", "--tab", "--numbers", "exact"],
            '{\n\t"b": {\n\t\t"z": 1.10,\n\t\t"a": {\n\t\t\t"é": 2,\n\t\t\t"d": []\n\t\t}\n\t},\n'
            '\t"a": 18446744073709551617\n}\n',
            id="tabs, exact numbers",
        ),
        pytest.param(
            ["query", "-S", "--tab", "b.a"], '{\n\t"d": [],\n\t"é": 2\n}\n', id="an answer"
        ),
        pytest.param(
            ["query", "--seq", "--each", "[a, b.z]"],
            "\x1e18446744073709551617\n\x1e1.1\n",
            id="a sequence of elements",
        ),
        pytest.param(
            ["expand", "--seq", "--original"], f"\x1e{RECORD}", id="a sequence, as it came"
        ),
    ],
)
def test_values_are_written_as_flags_say(run, folder, arguments, stdout):
    assert run(*arguments, "s.json") == (stdout, "", 0)


def test_a_sequence_holds_what_is_kept_and_wrapped(run, folder):
    stderr = "nestdecode: 1 of 3 records kept as it came (not JSON)\n"
    kept = '\x1e{"a":{"x":1}}\n\x1e{oops\n\x1e{"a":[2]}\n'

    assert run("expand", "--seq", "--malformed", "keep", "l.ndjson") == (kept, stderr, 0)


@pytest.mark.parametrize("command", [["expand"], ["query", "@"]], ids=lambda words: words[0])
def test_flags_hold_with_workers_too(tmp_path, command):
    records = [{"n": n, "b": json.dumps({"y": n, "a": "é"})} for n in range(3000)]
    (tmp_path / "in").write_text("".join(json.dumps(record) + "\n" for record in records))
    expected = "".join(
        "\x1e" + json.dumps(opened, indent="\t", sort_keys=True, ensure_ascii=False) + "\n"
        for opened in ({"n": n, "b": {"y": n, "a": "é"}} for n in range(3000))
    )

    flags = ("-S", "--tab", "--seq", "--jobs", "2", str(tmp_path / "in"))
    assert spawned(*command, *flags) == (expected, "", 0)


SEQUENCE = b'\x1e{"a":"[1]"}\n\x1e{"a":1\x1e\x1e{\n "a":\n2}\n\x1e\n\x1e[3]\n\x1e'
AS_LINES = [b'{"a":"[1]"}', b'{"a":1', b'{  "a": 2}', b"[3]"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1 << 18])
def test_each_text_of_a_sequence_is_a_line_however_input_comes(size):
    file = io.BytesIO(SEQUENCE)
    read, name = as_utf8(lambda most: file.read(min(size, most)))
    pieces = list(iter(lambda: read(1 << 16), b""))

    assert name == "json-seq"
    lines = [line.strip() for line in b"".join(pieces).split(b"\n")]
    assert [line for line in lines if line] == AS_LINES


def test_what_does_not_begin_with_a_separator_is_no_sequence():
    text = b' \x1e{"a":1}\n\x1e[2]\n'
    read, name = as_utf8(io.BytesIO(text).read)

    assert (read(100), name) == (text, None)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_sequence_is_read(folder, jobs):
    (folder / "in").write_bytes(SEQUENCE)
    stdout, stderr, code = spawned("expand", "--jobs", jobs, "--dead-letters", "dead", "in")
    letter = json.loads((folder / "dead").read_bytes())

    assert (stdout, code) == ('{"a":[1]}\n{"a":2}\n[3]\n', 5)
    assert stderr.endswith("nestdecode: 1 of 4 records failed (kept in dead)\n")
    assert (letter["raw"], letter["line"], letter["encoding"]) == ('{"a":1', 2, "json-seq")


def test_a_sequence_that_is_written_is_read_again(run, folder):
    written, _, _ = run("expand", "--seq", "--tab", "s.json", "s.json")

    assert written.count("\x1e") == 2
    assert run("expand", "--seq", "--tab", stdin=written.encode()) == (written, "", 0)


def test_a_sequence_is_not_replaced_by_lines(run, folder):
    (folder / "in").write_bytes(b"\x1e[1]\n")
    said = "nestdecode: in: can't be replaced: it is in json-seq; tr -d '\\036' makes lines of it\n"

    assert run("set", "-i", "[0]=2", "in") == ("", said, 2)
    assert run("set", "-q", "[0]=2", "in") == ("[2]\n", "", 0)
    assert (folder / "in").read_bytes() == b"\x1e[1]\n"


# Colours

COLORED = '{\x1b[34;1m"a"\x1b[0m:[\x1b[36m1\x1b[0m]}\n'
PLAIN = '{"a":[1]}\n'


@pytest.mark.parametrize(
    ("flags", "environment", "shown"),
    [
        pytest.param([], {}, COLORED, id="a terminal"),
        pytest.param(["-M"], {}, PLAIN, id="-M"),
        pytest.param([], {"NO_COLOR": "1"}, PLAIN, id="NO_COLOR"),
        pytest.param([], {"NO_COLOR": ""}, COLORED, id="NO_COLOR empty"),
        pytest.param(["-C"], {"NO_COLOR": "1"}, COLORED, id="-C before NO_COLOR"),
        pytest.param([], {"TERM": "dumb"}, PLAIN, id="a dumb terminal"),
        pytest.param([], {"TERM": "dumb", "FORCE_COLOR": "1"}, COLORED, id="FORCE_COLOR"),
        pytest.param([], {"TERM": "dumb", "FORCE_COLOR": "0"}, PLAIN, id="FORCE_COLOR=0"),
        pytest.param([], {"FORCE_COLOR": "1", "NO_COLOR": "1"}, PLAIN, id="NO_COLOR first"),
        pytest.param([], {"NESTDECODE_COLOR": "never"}, PLAIN, id="our own variable"),
        pytest.param(["-C"], {"NESTDECODE_COLOR": "never"}, COLORED, id="a flag before it"),
    ],
)
def test_a_terminal_has_colours_as_flags_and_variables_say(folder, flags, environment, shown):
    (folder / "one.json").write_text('{"a":"[1]"}')

    assert on_terminal("expand", "-c", *flags, "one.json", **environment) == shown


@pytest.mark.parametrize(
    ("flags", "environment", "stdout"),
    [
        pytest.param([], {"FORCE_COLOR": "1"}, PLAIN, id="FORCE_COLOR leaves data alone"),
        pytest.param([], {"NESTDECODE_COLOR": "always"}, COLORED, id="our own variable"),
        pytest.param(["-C"], {}, COLORED, id="-C"),
        pytest.param(["-M"], {"NESTDECODE_COLOR": "always"}, PLAIN, id="-M before the variable"),
    ],
)
def test_a_pipe_has_colours_if_they_are_asked_for(run, flags, environment, stdout):
    assert run("expand", *flags, stdin=b'{"a":"[1]"}', **environment) == (stdout, "", 0)


def test_force_color_colours_what_people_read(run, folder):
    (folder / "one").write_text("[1]")
    (folder / "two").write_text("[2]")
    shown = "\x1b[31m- /0: 1\x1b[0m\n\x1b[32m+ /0: 2\x1b[0m\n"

    assert run("diff", "one", "two", FORCE_COLOR="1") == (shown, "", 1)


# Variables, and flags that contradict each other


def flags_of(name: str) -> dict[str, Flag]:
    command = cli.commands.get(name) or cli.get_command(None, name)  # type: ignore[arg-type]
    assert command is not None
    return {str(flag.name): flag for flag in command.params if isinstance(flag, Flag)}


COMMANDS = ("expand", "query", "explain", "collapse", "set", "edit", "diff", "replay")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_variable_says_how_and_never_what(name):
    """What is read, chosen, replaced or left out is for the command line alone."""
    flags = flags_of(name)
    variables = {flag.envvar for flag in flags.values() if flag.envvar is not None}

    assert variables >= {"NESTDECODE_QUIET", "NESTDECODE_MAX_RECORD_BYTES"}
    assert variables == {
        f"NESTDECODE_{flag.upper()}" for flag in flags if f"NESTDECODE_{flag.upper()}" in variables
    }
    never = {"target", "in_place", "where", "head", "fail_fast", "original", "like", "record"}
    assert {flag for flag in never & set(flags) if flags[flag].envvar is not None} == set()


def test_what_a_flag_excludes_is_an_option():
    flags = [flag for name in COMMANDS for flag in flags_of(name).values()]

    assert {name for flag in flags for name in flag.excludes} <= {flag.sets for flag in flags}


@pytest.mark.parametrize(
    ("arguments", "environment", "stdout"),
    [
        pytest.param(
            ["expand"], {"NESTDECODE_INDENT": "1"}, '{\n "a": [\n  1\n ]\n}\n', id="indent"
        ),
        pytest.param(["expand", "-c"], {"NESTDECODE_INDENT": "1"}, PLAIN, id="a flag goes first"),
        pytest.param(
            ["expand", "-q"], {"NESTDECODE_SPEC": "aws/sqs-sns"}, '{"a":"[1]"}\n', id="spec"
        ),
        pytest.param(
            ["expand", "-s", "none"], {"NESTDECODE_SPEC": "aws/sqs-sns"}, PLAIN, id="another spec"
        ),
        pytest.param(
            ["expand"],
            {"NESTDECODE_SPEC": "aws/sqs-sns", "NESTDECODE_UNDECLARED": "open"},
            PLAIN,
            id="undeclared",
        ),
        pytest.param(["expand"], {"NESTDECODE_TAB": "0"}, PLAIN, id="a flag turned off"),
        pytest.param(["expand"], {"NESTDECODE_ORIGINAL": "1"}, PLAIN, id="not for every option"),
    ],
)
def test_a_variable_sets_what_is_not_given(run, arguments, environment, stdout):
    assert run(*arguments, stdin=b'{"a":"[1]"}', **environment) == (stdout, "", 0)


INTEGER = "an integer from"
NOT_A_FLAG = "'much' is not 1 or 0"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        pytest.param("NESTDECODE_INDENT", f"NESTDECODE_INDENT is {INTEGER} 0 to 16", id="a range"),
        pytest.param("NESTDECODE_JOBS", f"NESTDECODE_JOBS is {INTEGER} 1 to 256", id="from 1"),
        pytest.param(
            "NESTDECODE_TAB", f"Invalid value for NESTDECODE_TAB: {NOT_A_FLAG}", id="a flag"
        ),
        pytest.param(
            "NESTDECODE_PROGRESS",
            f"Invalid value for NESTDECODE_PROGRESS: {NOT_A_FLAG}",
            id="a flag with no",
        ),
        pytest.param("NESTDECODE_MAX_DEPTH", "NESTDECODE_MAX_DEPTH is an integer", id="a limit"),
    ],
)
def test_what_is_wrong_in_a_variable_names_it(run, name, said):
    stdout, stderr, code = run("expand", **{name: "much"})

    assert (stdout, code) == ("", 2)
    # Newer versions of click list the words that there are.
    assert f"\nError: {said}" in stderr


@pytest.mark.parametrize(
    ("name", "value", "said", "status"),
    [
        ("MAX_DEPTH", "0", "Error: NESTDECODE_MAX_DEPTH is an integer from 1 to 254, got 0", 2),
        ("UNDECLARED", "keep", "Error: NESTDECODE_UNDECLARED='keep' is for a spec", 2),
        ("SPEC", "nosuch", "nestdecode: NESTDECODE_SPEC: unknown spec 'nosuch'; known are", 3),
        ("SPEC", "no.yaml", "nestdecode: NESTDECODE_SPEC: no.yaml: can't be read: No such", 3),
    ],
)
def test_what_only_a_decoder_refuses_names_the_variable_too(run, name, value, said, status):
    stdout, stderr, code = run("expand", **{f"NESTDECODE_{name}": value})

    assert (stdout, code) == ("", status)
    assert said in stderr


def test_a_folder_of_specs_that_is_not_there_names_its_variable(run):
    _, stderr, code = run("expand", "-s", "nosuch", NESTDECODE_SPECS="/nowhere/at/all")

    assert stderr.endswith("; NESTDECODE_SPECS: no such folder: /nowhere/at/all\n")
    assert code == 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        pytest.param(["expand", "-c", "--indent", "2"], "--compact and --indent", id="-c --indent"),
        pytest.param(["expand", "-c", "--tab"], "--compact and --tab", id="-c --tab"),
        pytest.param(["expand", "--tab", "--indent=2"], "--indent and --tab", id="--tab --indent"),
        pytest.param(["expand", "-C", "-M"], "-C and -M", id="-C -M"),
        pytest.param(["expand", "-C", "--color", "never"], "--color and -C", id="-C --color"),
        pytest.param(["expand", "--lines", "--documents"], "--lines and --documents", id="framing"),
        pytest.param(
            ["expand", "--lines", "--framing=documents"], "--framing and --lines", id="--framing"
        ),
        pytest.param(
            ["expand", "-q", "--summary=json"], "--summary and --quiet", id="-q --summary"
        ),
        pytest.param(["expand", "--original", "-S"], "--original and --sort-keys", id="--original"),
        pytest.param(["query", "--focus", "--root", "a"], "--root and --focus", id="start"),
        pytest.param(
            ["explain", "--json", "--format", "table"], "--format and --json", id="--json --format"
        ),
        pytest.param(["explain", "--census", "--trees"], "--census and --trees", id="--trees"),
        pytest.param(["collapse", "--like=s.json", "-j2"], "--like and --jobs", id="--like --jobs"),
        pytest.param(["collapse", "--like=s.json", "--head=1"], "--like and --head", id="--like"),
        pytest.param(["set", "-io", "x", "a=1", "s.json"], "--in-place and --output", id="-i -o"),
    ],
)
def test_flags_that_contradict_each_other_are_refused(run, folder, arguments, said):
    stdout, stderr, code = run(*arguments, "s.json")

    assert (stdout, code) == ("", 2)
    assert stderr.endswith(f"\nError: {said} can't be used together\n")
    assert left_in(folder) == []


def test_variables_that_contradict_each_other_are_refused(run):
    stdout, stderr, code = run("expand", NESTDECODE_INDENT="2", NESTDECODE_TAB="1")

    assert (stdout, code) == ("", 2)
    assert stderr.endswith("\nError: NESTDECODE_INDENT and NESTDECODE_TAB can't be used together\n")


def test_a_variable_gives_way_to_a_flag_that_contradicts_it(run, folder):
    expected = RECORD, "", 0

    assert run("collapse", "--like", "s.json", "s.json", NESTDECODE_JOBS="2") == expected


# Messages


def test_quiet_leaves_errors_and_exit_codes(run, folder):
    assert run("expand", "l.ndjson") == (OPENED, REFUSED + FAILED, 5)
    assert run("expand", "-q", "l.ndjson") == (OPENED, REFUSED, 5)
    assert run("expand", "l.ndjson", NESTDECODE_QUIET="1") == (OPENED, REFUSED, 5)


@pytest.mark.parametrize(
    ("arguments", "stdout"),
    [
        pytest.param(["query", "structData.code", "r.json"], '["200"]\n', id="a spec lends"),
        pytest.param(["set", "a=1", "one.json"], '{"a":1}', id="how much was changed"),
        pytest.param(["query", 'a=="web"', "one.json"], "false\n", id="a hint"),
        pytest.param(["expand", "-s", "spec.yaml", "one.json"], '{"a":"{"}\n', id="a problem"),
        pytest.param(["expand", "--malformed=keep", "--lines", "bad"], "}\n", id="a summary"),
    ],
)
def test_quiet_takes_notes_away(run, folder, arguments, stdout):
    sample = Path(__file__).parent.parent / "specs/samples/repair-results.json"
    (folder / "r.json").write_bytes(sample.read_bytes())
    (folder / "one.json").write_text('{"a":"{"}' if "spec.yaml" in arguments else '{"a":2}')
    (folder / "spec.yaml").write_text("nestdecode: 1\nlayers: {a: json}\n")
    (folder / "bad").write_text("}\n")
    out, err, code = run(*arguments)

    assert err
    assert run(*arguments, "-q") == (out, "", code)
    assert out == stdout


def test_what_is_said_of_several_inputs_names_each(run, folder):
    (folder / "m.ndjson").write_text('{"a":1}\n{"a":\n')
    stdout, stderr, code = run("expand", "--dead-letters", "dead", "l.ndjson", "m.ndjson", "no")
    letters = [json.loads(letter) for letter in (folder / "dead").read_bytes().splitlines()]

    assert (stdout, code) == (OPENED + '{"a":1}\n', 2)
    assert stderr.splitlines() == [
        REFUSED[:-1],
        "nestdecode: m.ndjson: line 2: invalid JSON: unexpected end of data: char 5 - at document root",
        f"nestdecode: no: can't be read: {os.strerror(errno.ENOENT)}",
        "nestdecode: 2 of 5 records failed (all kept in dead)",
    ]
    assert [(letter["source"], letter["line"]) for letter in letters] == [
        ("l.ndjson", 2),
        ("m.ndjson", 2),
    ]


# Output to a file


@pytest.mark.parametrize(
    ("arguments", "code", "text"),
    [
        pytest.param(["expand", "l.ndjson"], 5, OPENED, id="a record failed, all others are there"),
        pytest.param(["expand", "-S", "s.json"], 0, None, id="expand"),
        pytest.param(["query", "-e", "nope", "s.json"], 1, "null\n", id="the answer is null"),
        pytest.param(["query", "-e", "--each", "nope", "s.json"], 4, "", id="no answer"),
        pytest.param(["explain", "s.json"], 0, None, id="explain"),
        pytest.param(["explain", "--census", "--json", "l.ndjson"], 5, None, id="a census"),
        pytest.param(["collapse", "--like", "s.json", "s.json"], 0, RECORD, id="collapse --like"),
        pytest.param(["collapse", "-s", "aws/sqs-sns", "s.json"], 0, RECORD, id="collapse"),
        pytest.param(["set", "a=1", "s.json"], 0, None, id="set"),
        pytest.param(["diff", "s.json", "l.ndjson"], 2, None, id="diff, in trouble"),
        pytest.param(["diff", "s.json", "other"], 1, None, id="diff"),
        pytest.param(["replay", "dead"], 0, '{"a": \n', id="replay"),
    ],
)
def test_a_file_gets_what_standard_output_would(run, folder, arguments, code, text):
    (folder / "other").write_text("[]")
    run("expand", "--dead-letters", "dead", stdin=b'{"a": \n')
    stdout, stderr, plain = run(*arguments)
    (folder / "out").write_text("old")
    result = run(*arguments, "--output", "out")

    assert plain == code
    assert result == ("", stderr, code)
    assert (folder / "out").read_text() == ("old" if code == 2 else stdout)
    assert text is None or stdout == text
    assert left_in(folder) == ["dead", "other", "out"]


@pytest.mark.parametrize(
    ("arguments", "stderr", "code"),
    [
        pytest.param(
            ["expand", "l.ndjson", "no"],
            f"{REFUSED}nestdecode: no: can't be read: {os.strerror(errno.ENOENT)}\n{FAILED}{NOT_WHOLE}",
            2,
            id="an input is missing",
        ),
        pytest.param(
            ["expand", "--fail-fast", "l.ndjson"],
            f"{REFUSED}nestdecode: 1 of 2 records failed\n{NOT_WHOLE}",
            5,
            id="it ended early",
        ),
        pytest.param(
            ["query", ":no", "s.json", "-s", "repair-results"], None, 3, id="a query is wrong"
        ),
    ],
)
def test_a_file_stays_as_it_was_if_output_is_not_whole(run, folder, arguments, stderr, code):
    for there in (False, True):
        if there:
            (folder / "out").write_text("old")
        stdout, said, its_code = run(*arguments, "-o", "out")

        assert (stdout, its_code) == ("", code)
        assert stderr is None or said == stderr
        assert left_in(folder) == (["out"] if there else [])
    assert (folder / "out").read_text() == "old"


def test_a_signal_leaves_the_file_as_it_was(folder):
    (folder / "out").write_text("old")
    with subprocess.Popen(
        [*NESTDECODE, "expand", "-o", "out"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=OURS,
    ) as child:
        assert child.stdin is not None
        child.stdin.write(b'{"a":"[1]"}\n')
        child.stdin.flush()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end and not any(
            path.stat().st_size for path in folder.glob(".nestdecode-*")
        ):
            time.sleep(0.01)
        child.terminate()
        code = child.wait(SECONDS)

    assert code == 143
    assert (folder / "out").read_text() == "old"
    assert left_in(folder) == ["out"]


def test_a_file_keeps_its_mode_and_a_link_what_it_leads_to(run, folder):
    (folder / "out").write_text("old")
    (folder / "out").chmod(0o640)
    (folder / "link").symlink_to("out")

    assert run("query", "a", "-o", "link", "s.json") == ("", "", 0)
    assert (folder / "link").is_symlink()
    assert (folder / "out").read_text() == "18446744073709551617\n"
    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640


def test_a_new_file_has_the_mode_that_the_shell_would_give_it(run, folder):
    mask = os.umask(0o027)
    try:
        run("query", "a", "-o", "out", "s.json")
    finally:
        os.umask(mask)

    assert stat.S_IMODE((folder / "out").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("arguments", "stdin", "said"),
    [
        pytest.param(["-o", "s.json", "l.ndjson", "s.json"], b"", "s.json: can't write: it is an input too: name another file", id="an input"),
        pytest.param(["-o", "./link", "s.json"], b"", "./link: can't write: it is an input too: name another file", id="a link to one"),
        pytest.param(["-o", "no/x", "s.json"], b"", f"no/x: can't write: {os.strerror(errno.ENOENT)}", id="no folder"),
        pytest.param(["-o", ".", "s.json"], b"", f".: can't write: {os.strerror(errno.EISDIR)}", id="a folder"),
        pytest.param(["-o", "x", "--dead-letters", "./x", "s.json"], b"", "./x: can't write: it is the output too: name another file", id="the dead letters"),
        pytest.param(["-o", "/dev/full", "s.json"], b"", f"/dev/full: can't write: {os.strerror(errno.ENOSPC)}", id="a full device"),
    ],
)  # fmt: skip
def test_what_cannot_be_the_output_is_refused(folder, arguments, stdin, said):
    (folder / "link").symlink_to("s.json")

    assert spawned("expand", *arguments, stdin=stdin) == ("", f"nestdecode: {said}\n", 2)
    assert (folder / "s.json").read_text() == RECORD
    assert left_in(folder) == ["link"]


def test_standard_input_is_an_input(folder):
    with (folder / "s.json").open("rb") as file:
        done = subprocess.run(
            [*NESTDECODE, "expand", "-o", "s.json"], stdin=file, capture_output=True, check=False
        )

    assert (done.stderr, done.returncode) == (
        b"nestdecode: s.json: can't write: it is an input too: name another file\n",
        2,
    )
    assert (folder / "s.json").read_text() == RECORD


@pytest.mark.parametrize("name", ["/dev/stdout", "-"])
def test_standard_output_can_be_named(folder, name):
    with (folder / "log").open("ab") as log:
        log.write(b"before\n")
        log.flush()
        subprocess.run(
            [*NESTDECODE, "query", "a", "-o", name, "s.json"], stdout=log, env=OURS, check=True
        )

    assert (folder / "log").read_text() == "before\n18446744073709551617\n"
    assert left_in(folder) == ["log"]


def test_a_pipe_is_written_to_as_it_is(run, folder):
    os.mkfifo(folder / "pipe")
    got: list[str] = []
    reader = threading.Thread(target=lambda: got.append((folder / "pipe").read_text()))
    reader.start()

    assert run("query", "a", "-o", "pipe", "s.json") == ("", "", 0)
    reader.join(SECONDS)
    assert got == ["18446744073709551617\n"]
    assert stat.S_ISFIFO((folder / "pipe").stat().st_mode)


def test_a_file_needs_no_standard_output(folder):
    words = " ".join([*NESTDECODE, "query", "a", "-o", "out", "s.json"])
    done = subprocess.run(["sh", "-c", f"{words} >&-"], capture_output=True, env=OURS, check=False)

    assert (done.stderr, done.returncode) == (b"", 0)
    assert (folder / "out").read_text() == "18446744073709551617\n"


# The first records


def records_with_all_kinds() -> bytes:
    """Write lines that are records, that are none, and that are several, for several tasks."""
    lines = []
    for number in range(4000):
        body = json.dumps({"n": number, "text": "x" * (number % 90)})
        lines.append(json.dumps({"id": number, "body": body}))
        if number % 97 == 5:
            lines.append('{"broken": ')
        if number % 199 == 7:
            lines += ['{"a":', "1}", '{"b":2}{"c":"[3]"}']
        if number % 501 == 9:
            lines += ['{"open": [', "1,", "2"]
    return "\n".join(lines).encode() + b"\n"


@pytest.fixture(scope="module")
def mixed(tmp_path_factory):
    path: Path = tmp_path_factory.mktemp("head") / "mixed.ndjson"
    path.write_bytes(records_with_all_kinds())
    return path


@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("head", [0, 1, 7, 8, 1500, 2779, 9000])
def test_the_first_records_are_as_they_are_without_head(mixed, head, jobs):
    whole, said, _ = spawned("expand", "--jobs", "1", "--summary", "json", str(mixed))
    stdout, stderr, code = spawned(
        "expand", "--head", str(head), "--jobs", jobs, "--summary", "json", str(mixed)
    )
    figures = json.loads(stderr.splitlines()[-1])
    wanted = min(head, whole.count("\n"))

    assert stdout == "".join(whole.splitlines(keepends=True)[:wanted])
    assert figures["out"] == wanted
    assert figures["in"] == figures["out"] + figures["dead"]
    assert code == (5 if figures["dead"] else 0)
    assert head < 9000 or stderr == said
    report = nestdecode.expand_file(mixed, os.devnull, head=head, jobs=int(jobs))
    assert (report.records, report.written, report.failed) == (
        figures["in"],
        figures["out"],
        figures["dead"],
    )


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand", "--where", "id > `2000`", "--dead-letters", "dead"], id="chosen"),
        pytest.param(["query", "--each", "[id, body.n][?@]"], id="elements"),
        pytest.param(["expand", "--original"], id="as they came"),
        pytest.param(["explain", "--census", "--json"], id="a census"),
        pytest.param(["expand", "--documents"], id="documents"),
    ],
)
def test_the_first_records_are_the_same_with_workers(mixed, arguments, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    results = []
    for jobs in ("1", "3"):
        result = spawned(*arguments, "--head", "900", "--summary=json", "--jobs", jobs, str(mixed))
        dead = tmp_path / "dead"
        results.append((result, dead.read_bytes() if dead.exists() else b""))
        dead.unlink(missing_ok=True)

    assert results[0] == results[1]
    assert json.loads(results[0][0][1].splitlines()[-1])["out"] == 900


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_more_is_waited_for_than_the_first_records_need(jobs):
    with subprocess.Popen(
        [*NESTDECODE, "expand", "--head", "2", "--jobs", jobs],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=OURS,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(b'{"a":"[1]"}\n{"a":"[2]"}\n')
        child.stdin.flush()
        # The other end stays open.
        assert child.stdout.read() == b'{"a":[1]}\n{"a":[2]}\n'
        assert child.wait(SECONDS) == 0


def test_the_first_records_are_of_all_files(run, folder):
    expected = '{"a":{"x":1}}\n{"a":[2]}\n{"a":{"x":1}}\n', REFUSED, 5

    assert run("expand", "-q", "--head=3", "l.ndjson", "l.ndjson", "no") == expected


@pytest.mark.parametrize("head", [-1, "2", True], ids=repr)
def test_head_is_an_integer(head):
    with pytest.raises(ValueError, match=r"^head is an integer from 0, got"):
        nestdecode.expand_file(os.devnull, os.devnull, head=head)


# What a spec does not declare

EVENT = b'{"Records":[{"body":"{\\"a\\":1}","other":"[1]"}]}'


def test_undeclared_layers_are_opened_if_asked_for(run):
    opened = b'{"Records":[{"body":{"a":1},"other":[1]}]}'
    declared = b'{"Records":[{"body":{"a":1},"other":"[1]"}]}'

    def expanded(**options: Any) -> bytes:
        return nestdecode.dumps(nestdecode.Decoder("aws/sqs-sns", **options).expand(EVENT))

    assert expanded() == expanded(undeclared="keep") == declared
    assert expanded(undeclared="open") == opened
    words = ("-s", "aws/sqs-sns", "--undeclared")
    assert run("expand", *words, "open", stdin=EVENT) == (opened.decode() + "\n", "", 0)
    assert run("query", *words, "open", "Records[].other[]", stdin=EVENT) == ("[1]\n", "", 0)
    assert run("expand", *words, "keep", stdin=EVENT) == (declared.decode() + "\n", "", 0)


def test_undeclared_goes_before_what_the_spec_says():
    spec = nestdecode.Spec.parse("nestdecode: 1\nundeclared: open\nlayers: {a: json}\n")

    assert nestdecode.Decoder(spec, undeclared="keep").expand(b'{"b":"[1]"}') == {"b": "[1]"}
    assert nestdecode.Decoder(spec).expand(b'{"b":"[1]"}') == {"b": [1]}
    assert nestdecode.Decoder(undeclared="open").expand(b'{"b":"[1]"}') == {"b": [1]}


def test_without_a_spec_nothing_is_declared(run):
    reason = "--undeclared keep is for a spec: without one every layer is found"
    with pytest.raises(ValueError, match=r"^undeclared='keep' is for a spec"):
        nestdecode.Decoder(undeclared="keep")
    stdout, stderr, code = run("expand", "--undeclared", "keep")

    assert (stdout, code) == ("", 2)
    assert stderr.endswith(f"\nError: {reason}\n")


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_comes_after_the_first_records_is_not_answered(folder, jobs):
    good = b'{"a":"' + b"x" * 40 + b'"}\n'
    (folder / "in").write_bytes(good * 2000 + b"bad\n" * 3)

    stdout, stderr, code = spawned("expand", "-j", jobs, "--head", "2000", "in")

    assert (stdout, stderr, code) == ((good * 2000).decode(), "", 0)


def test_a_record_whose_answer_can_not_be_written_harms_no_other(folder):
    long = b"9" * 4300
    (folder / "in").write_bytes(b"[1,2]\n[%b,%b]\n[3]\n" % (long, long))

    for flags in ((), ("-j2",), ("--csv",)):
        stdout, stderr, code = spawned("query", *flags, "-q", "[sum(@)]", "in")
        assert code == 5
        assert stdout.split() == (["3", "3"] if flags == ("--csv",) else ["[3]", "[3]"])
        assert "in: line 2: " in stderr
