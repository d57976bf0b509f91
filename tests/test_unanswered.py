"""The hint at a query that has no answer: the first name that no record has."""

import contextlib
import json
from typing import Any

import pytest

from nestdecode import Decoder, QueryError
from nestdecode.cli.unanswered import Unanswered
from tests.command import run as forked

RECORD = {
    "log": json.dumps({"level": "error", "user": {"name": "ada"}}),
    "items": [{"name": "web", "state": "up", "tags": [["a"]]}],
    "by": {"one": {"size": 1}},
    "text": "up",
    "none": None,
    "quote-name": 1,
}


def run(*arguments: str, stdin: bytes) -> tuple[str, str, int]:
    done = forked("query", *arguments, stdin=stdin)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def hinted(query: str, record: Any = RECORD) -> str:
    """Return the hint for a query of one record, in this process."""
    compiled = Decoder().compile(query)
    told: list[tuple[str, str]] = []
    unanswered = Unanswered(compiled, compiled, lambda kind, text: told.append((kind, text)))
    with contextlib.suppress(QueryError):
        unanswered(json.dumps(record).encode())
    for kind, text in told:
        unanswered.take(kind, text)
    return unanswered.hint()


def said(*arguments: str, records: int = 3) -> str:
    text = json.dumps(RECORD).encode() + b"\n"
    _, err, _ = run(*arguments, stdin=text * records)
    return err.removeprefix("nestdecode: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("query", "hint"),
    [
        ("log.levels", "log.levels; did you mean 'level'?"),
        ("level", "level; did you mean 'log.level'?"),
        ("state", "state; did you mean 'items[].state'?"),
        ("nothing", "nothing"),
        ("levels", "levels; did you mean 'log.level'?"),
        ("log.user.nme.x", "log.user.nme; did you mean 'name'?"),
        ("log.level.x", "log.level.x: log.level is a string"),
        ("items.name", "items.name: items is an array, so write items[].name"),
        ("none.x", "none.x: none is null"),
        ("quote_name", "quote_name; did you mean '\"quote-name\"'?"),
        ("*.size", "*.size; did you mean 'one.size'?"),
        ("items[].nme", "items[].nme; did you mean 'name'?"),
        ("items[0].nme", "items[].nme; did you mean 'name'?"),
        ("items[:1].nme", "items[].nme; did you mean 'name'?"),
        ("items[].tags[][].x", "items[].tags[][].x: items[].tags[][] is a string"),
        ("items[?stat=='up'].name", "items[].stat; did you mean 'state'?"),
        ("by.*.sizes", "by.*.sizes; did you mean 'size'?"),
        ("itemz || tems", "itemz; did you mean 'items'?"),
        ("(nope || log).levels", "log.levels; did you mean 'level'?"),
        ("[log, nope][] | [].levels", "log.levels; did you mean 'level'?"),
        ("not_null(log.levels, b)", "log.levels; did you mean 'level'?"),
    ],
)
def test_the_first_name_that_no_record_has_is_named(query, hint):
    assert hinted(query) == f"no record has {hint}"


@pytest.mark.parametrize(
    "query",
    [
        "none",
        "`null`",
        "items[?state=='down']",
        "items[1]",
        "items[] | name",
        "log",
        "[nope, nor]",
    ],
)
def test_where_all_names_are_there_or_there_is_an_answer_nothing_is_said(query):
    assert hinted(query) == ""


def test_no_hint_holds_a_value():
    value = "canary8675309"
    record = {"a": value, "b": [value, {"x": value}, 8675309], "c": json.dumps({"d": [value]})}
    queries = "aa a.b b.x b[].y b[].x.y c.dd c.d.e d x c.d[].x length(zz) b[?y=='1'] *.q c.*.x"
    hints = [hinted(query, record) for query in queries.split()]

    assert all(hints)
    assert "8675309" not in "".join(hints)


def test_one_record_with_an_answer_is_enough():
    for jobs in ("-j1", "-j2"):
        text = b'{"a":1}\n' * 3000 + b'{"b":1}\n' + b'{"a":1}\n' * 10
        out, err, code = run(jobs, "b", stdin=text)
        assert (out.replace("null\n", ""), err, code) == ("1\n", "", 0)


@pytest.mark.parametrize("options", [[], ["-j2"], ["--each"], ["--csv"], ["--spec", "none"]])
def test_it_is_said_once_whatever_writes_or_answers(options):
    assert said(*options, "lg.level", records=2) == "no record has lg; did you mean 'log'?"


def test_of_many_records_the_first_are_looked_at():
    assert said("xyz", records=100) == "no record has xyz"
    assert said("xyz", records=101) == "none of the first 100 records has xyz"
    large = json.dumps({"a": "x" * 600_000}).encode() + b"\n"
    _, err, _ = run("b", stdin=large * 3)
    assert err == "nestdecode: none of the first 1 record has b\n"


def test_those_that_where_leaves_out_are_not_meant():
    text = b'{"a":1,"b":1}\n{"a":2}\n'
    _, err, _ = run("--where", "a==`2`", "b", stdin=text)
    assert err == "nestdecode: no chosen record has b\n"
    assert run("--where", "a==`3`", "b", stdin=text)[1] == ""


@pytest.mark.parametrize("options", [["-q"], ["-e"]])
def test_who_wants_no_words_gets_none(options):
    assert said(*options, "nope") == ""


def test_records_that_fail_are_not_looked_at():
    out, err, code = run("nope", stdin=b'{"a":1}\n{"a":\n')
    assert (out, code) == ("null\n", 5)
    assert err.splitlines()[1:] == [
        "nestdecode: no record has nope",
        "nestdecode: 1 of 2 records failed",
    ]


def test_a_function_that_is_given_null_for_a_missing_name_gets_the_hint():
    text = json.dumps(RECORD).encode() + b"\n"
    for options in ([], ["-j2"], ["--csv"]):
        _, err, code = run(*options, "keys(log.usr)", stdin=text * 2)
        assert code == 5
        assert err.count("keys() wants object, got null") == 2
        assert err.splitlines()[-2:] == [
            "nestdecode: no record has log.usr; did you mean 'user'?",
            "nestdecode: 2 of 2 records failed",
        ]
    assert "no record" not in run("keys(text)", stdin=text)[1]
    assert "no record" not in run(":urls", stdin=text)[1]


def test_the_focus_is_part_of_the_path(tmp_path):
    spec = tmp_path / "my.yaml"
    spec.write_text("{nestdecode: 1, layers: {'log': json}, focus: log.user}")
    assert said("--spec", str(spec), "nme") == "no record has log.user.nme; did you mean 'name'?"


@pytest.mark.parametrize("command", [["expand"], ["expand", "--original"], ["explain"]])
@pytest.mark.parametrize("jobs", ["-j1", "-j2"])
def test_a_name_by_which_records_are_chosen_is_named_too(command, jobs):
    text = json.dumps(RECORD).encode() + b"\n"
    said = {
        "level == 'error'": "--where: no record has level; did you mean 'log.level'?",
        "log.level == 'error' && leven": "--where: no record has leven; did you mean 'log.level'?",
        "log.level == 'info'": "",
        "log.level == 'error'": "",
        "!level": "",
    }
    for where, hint in said.items():
        done = forked(*command, jobs, "--where", where, stdin=text * 3)
        assert done.stderr.decode() == (f"nestdecode: {hint}\n" if hint else "")
        assert done.returncode == 0
