"""What is to see on terminals of some width: help, tables, differences."""

import json
from pathlib import Path

import click
import pytest

from nestdecode.cli import cli
from nestdecode.cli.help import HelpFormatter
from nestdecode.cli.tables import aligned, fitted, width_of, wrapped
from tests.screen import left_of, on_screen


def every_command(command=cli, words=()):
    """Go through the groups and commands: words, and what they are."""
    context = click.Context(command)
    yield words, command
    for name in command.list_commands(context) if isinstance(command, click.Group) else ():
        yield from every_command(command.get_command(context, name), (*words, name))


COMMANDS = [pytest.param(command, id=" ".join(words)) for words, command in every_command()]
assert len(COMMANDS) > 12


@pytest.mark.parametrize("columns", [60, 80, 140])
@pytest.mark.parametrize("command", COMMANDS)
def test_help_fits_the_terminal(command, columns):
    context = command.context_class(
        command, info_name="nestdecode", terminal_width=columns - 2, **cli.context_settings
    )
    lines = command.get_help(context).split("\n")
    listed = lines[lines.index("Commands:") :] if "Commands:" in lines else []

    assert max(map(len, lines)) < columns
    # Nothing is cut, and no option is broken.
    assert columns < 80 or [line for line in listed if line.endswith("...")] == []
    assert [line for line in lines if line.endswith("-")] == []


HELP = """
Do it with --dead-letters and --no-such-thing.

\b
do one thing                        alone
do another thing                    together with a third
cat a.ndjson | do --this-and-that 'a | b' | do nothing
do what is wrong 'a | b | c | d' > /tmp/here

Read also --max-record-bytes.
"""


def test_help_is_broken_where_people_would():
    formatter = HelpFormatter(width=44)
    with formatter.indentation():
        formatter.write_text(HELP.strip())
    formatter.write_dl([("--dead-letters F", "Keep what failed; see --malformed too.")])

    assert formatter.getvalue().splitlines() == [
        "  Do it with --dead-letters and",
        "  --no-such-thing.",
        "",
        "  do one thing                        alone",
        "  do another thing",
        "      together with a third",
        "  cat a.ndjson |",
        "      do --this-and-that 'a | b' |",
        "      do nothing",
        "  do what is wrong 'a | b | c | d' > \\",
        "      /tmp/here",
        "",
        "  Read also --max-record-bytes.",
        "--dead-letters F  Keep what failed; see",
        "                  --malformed too.",
    ]


ROWS = [
    ["PATH", "CODECS", "LAYERS", "FIRST", ""],
    ["a[].b", "json", "1,200", "line 1", ""],
    ["\u30d1\u30b9.e\u0301", "base64 | json", "7", "line 3", "one is not JSON: char 3"],
    ["data.taskResult[].taskResult.result.data.usageMap", "json", "12", "line 1", ""],
]


@pytest.mark.parametrize(
    ("width", "lines"),
    [
        pytest.param(
            None,
            [
                "PATH                                               CODECS         LAYERS  FIRST",
                "a[].b                                              json            1,200  line 1",
                f"\u30d1\u30b9.e\u0301{'':45}base64 | json       7  line 3  one is not JSON: char 3",
                "data.taskResult[].taskResult.result.data.usageMap  json               12  line 1",
            ],
            id="a pipe",
        ),
        pytest.param(
            60,
            [
                "PATH                           CODECS         LAYERS  FIRST",
                "a[].b                          json            1,200  line 1",
                "\u30d1\u30b9.e\u0301                         base64 | json       7  line 3",
                "    one is not JSON: char 3",
                "data.taskResu...data.usageMap  json               12  line 1",
            ],
            id="a narrow terminal",
        ),
        pytest.param(
            30,
            [
                "PATH              CODECS         LAYERS  FIRST",
                "a[].b             json            1,200  line 1",
                "\u30d1\u30b9.e\u0301            base64 | json       7  line 3",
                "    one is not JSON: char 3",
                "data.t...sageMap  json               12  line 1",
            ],
            id="the narrowest",
        ),
    ],
)
def test_a_table_is_aligned_by_what_is_seen(width, lines):
    assert aligned(ROWS, numbers=(2,), notes=True, width=width) == lines


def test_one_long_cell_pads_no_other_row():
    lines = aligned([["k" * 100_000, "x"], ["a", "y"]])

    assert lines == ["k" * 100_000 + "  x", f"{'a':<100}  y"]


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [
        ("short", 5, "short"),
        ("0123456789abcdef", 11, "0123...cdef"),
        ("    0123456789abcdefghij", 17, "    01234...fghij"),
        ("    0123456789abcdefghij", 10, "012...ghij"),
        ("\u30d1" * 20, 12, "\u30d1\u30d1...\u30d1\u30d1"),
        ("e\u0301" * 20, 10, "e\u0301" * 3 + "..." + "e\u0301" * 4),
    ],
    ids=["short", "long", "indented", "no room to indent", "wide", "combining"],
)
def test_the_middle_of_what_is_too_wide_is_left_out(text, width, shown):
    assert fitted(text, width) == shown
    assert width_of(shown) <= width


def test_notes_are_broken_between_words():
    assert list(wrapped("one two three", 8, indent=2)) == ["  one", "  two", "  three"]
    assert list(wrapped("one two three", 9, indent=2)) == ["  one two", "  three"]


DOCUMENT = {
    "Records": [
        {
            "body": json.dumps({"Message": json.dumps({"order": [1] * 400})}),
            "messageAttributes": {"traceparent": json.dumps({"stringValue": "a" * 1200})},
            "broken": '{"oops',
        }
    ]
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("screens")
    (folder / "one.json").write_text(json.dumps(DOCUMENT))
    other = {"Records": [{**DOCUMENT["Records"][0], "id": 7}]}
    lines = [json.dumps(DOCUMENT)] * 1234 + [json.dumps(other)]
    (folder / "many.ndjson").write_text("\n".join(lines))
    (folder / "two.json").write_text(json.dumps(other))
    return folder


def seen(*arguments: str, columns: int, folder: Path) -> list[str]:
    shown, _ = on_screen(*arguments, columns=columns, cwd=folder)
    return left_of(shown).splitlines()


def test_a_tree_on_a_terminal(folder):
    head = "3 layers, 2 deep, in 2,549 bytes; 20 of them (1%) are escaping"

    assert seen("explain", "one.json", columns=80, folder=folder) == [
        head,
        "  /Records/0/body                           json  1,228 bytes",
        "    /Records/0/body/Message                 json  1,211 bytes",
        "  /Records/0/messageAttributes/traceparent  json  1,219 bytes",
        "look like layers, and were not opened:",
        "  /Records/0/broken  invalid JSON: unexpected end of data: char 6",
    ]
    assert seen("explain", "one.json", columns=56, folder=folder)[1:] == [
        "  /Records/0/body                    json  1,228 bytes",
        "    /Records/0/body/Message          json  1,211 bytes",
        "  /Records/0/mess...tes/traceparent  json  1,219 bytes",
        "look like layers, and were not opened:",
        "  /Records/0/broken",
        "      invalid JSON: unexpected end of data: char 6",
    ]


def test_a_census_on_a_terminal(folder):
    note = "1,235 look like layers: invalid JSON: unexpected end of data: char 6"

    assert seen("explain", "many.ndjson", columns=80, folder=folder) == [
        "1,235 records; 3,705 layers",
        "PATH                            CODECS  RECORDS  LAYERS      BYTES  SHUT  FIRST",
        "Records[].body                  json      1,235   1,235  1,516,580     0  line 1",
        "Records[].body.Message          json      1,235   1,235  1,495,585     0  line 1",
        "Records[].broken                          1,235       0          0     0  line 1",
        f"    {note}",
        "Records[].mes...es.traceparent  json      1,235   1,235  1,505,465     0  line 1",
    ]
    rows = [
        ("Records[].body", "json", "1,235", "1,516,580"),
        ("Records[].body.Message", "json", "1,235", "1,495,585"),
        ("Records[].broken", "", "0", "0"),
        ("Records[].messageAttributes.traceparent", "json", "1,235", "1,505,465"),
    ]
    assert seen("explain", "many.ndjson", columns=162, folder=folder)[2:] == [
        f"{path:<39}  {codecs:<6}    1,235  {layers:>6}  {size:>9}     0  line 1"
        + (f"  {note}" if not codecs else "")
        for path, codecs, layers, size in rows
    ]


def test_a_table_of_one_document_on_a_terminal(folder):
    assert seen("explain", "--format", "table", "one.json", columns=80, folder=folder) == [
        "POINTER                       CODECS  DEPTH   SIZE  ESCAPED  DECODED  STATE",
        "/Records/0/body               json        1  1,228    1,238    1,228  open",
        "/Records/0/body/Message       json        2  1,211    1,215    1,211  open",
        "/Records/0/m...s/traceparent  json        1  1,219    1,225    1,219  open",
        "/Records/0/broken                                6                    not opened",
        "    invalid JSON: unexpected end of data: char 6",
    ]


def test_no_name_steers_a_terminal_in_trees_as_json(tmp_path):
    (tmp_path / "x").write_text(json.dumps({"a\u009b2J\u202e": "[1]"}))
    shown, _ = on_screen("explain", "--trees", "--json", "x", columns=80, cwd=tmp_path)

    assert '"pointer":"/a\\u009b2J\\u202e"' in shown
    assert "\x9b" not in shown


def test_differences_on_a_terminal(folder):
    shown, _ = on_screen("diff", "one.json", "two.json", columns=80, cwd=folder)

    assert shown == "\x1b[32m+ /Records/0/id: 7\x1b[0m\n"


@pytest.mark.parametrize("columns", ["0", "-5", "x", "", "\u0661"])
def test_a_number_of_columns_that_is_none_is_passed_over(folder, columns):
    shown, _ = on_screen("explain", "one.json", columns=80, cwd=folder, COLUMNS=columns)
    usual, _ = on_screen("explain", "one.json", columns=80, cwd=folder)

    assert shown == usual


def test_a_spec_on_a_terminal(folder):
    spec = "nestdecode: 1\nlayers: {'a[].b': json?}\nqueries: {q: 'a[].b.some_name || a[].other'}\n"
    (folder / "spec.yaml").write_text(spec)

    assert seen("spec", "show", "spec.yaml", columns=30, folder=folder) == [
        "name: spec.yaml",
        "layers:",
        "  a[].b  json?",
        "queries:",
        "  :q",
        "      a[].b.some_name ||",
        "      a[].other",
    ]
