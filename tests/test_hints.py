"""Messages beside the answer: hints, suggestions, counts, and specs checked against samples."""

import json
import os
import pty
import re
from pathlib import Path

import pytest

import nestdecode
from nestdecode.cli.hints import Matching
from nestdecode.queries.parsing import misquoted
from nestdecode.spec import mistakes_in
from tests import command


def run(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> tuple[str, str, int]:
    done = command.run(*arguments, stdin=stdin, cwd=cwd)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


# Commands


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("expnad", "No such command 'expnad'; did you mean 'expand'?"),
        ("qeury", "No such command 'qeury'; did you mean 'query'?"),
        ("zzz", "No such command 'zzz'"),
        ("x.json", "No such command 'x.json'; for that file write nestdecode expand x.json"),
        (
            "--spec x.json",
            "No such option '--spec'; it follows a command, as in nestdecode expand --spec",
        ),
        ("spec lnit", "No such command 'lnit'; did you mean 'list' or 'lint'?"),
        (
            "spec x.json",
            "No such command 'x.json'; for that file write nestdecode spec show x.json",
        ),
        (
            "query x.json",
            "'x.json' is a file: the query comes first, as in nestdecode query EXPR x.json",
        ),
        (
            "query x.json a.b",
            "'x.json' is a file: the query comes first, as in nestdecode query 'a.b' x.json",
        ),
    ],
)
def test_a_word_that_is_no_command_gets_a_suggestion(word, hint, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    out, err, code = run(*word.split(), cwd=tmp_path)

    assert (out, code) == ("", 2)
    assert err.splitlines()[-1] == f"Error: {hint}"


def commands() -> list[list[str]]:
    return [["expand"], ["explain"], ["collapse", "--spec", "aws/sqs-sns"], ["replay"]]


@pytest.mark.sampled(2)
@pytest.mark.parametrize("arguments", commands(), ids=lambda words: words[0])
def test_short_help_ends_where_a_paragraph_does(arguments):
    ours, theirs = pty.openpty()
    done = command.run(*arguments, stdin=theirs)
    os.close(theirs)
    os.close(ours)
    whole, _, _ = run(arguments[0], "--help")
    shown = done.stderr.decode().split("\n\n")

    assert done.returncode == 2
    # Usage, the first paragraphs as the long help has them, and where that is.
    paragraphs = [re.sub(r"\s+", " ", text).strip() for text in whole.split("\n\n")]
    for text in shown[1:-1]:
        assert re.sub(r"\s+", " ", text).strip() in paragraphs
    assert f"nestdecode {arguments[0]} " in shown[-2]
    assert shown[-1].startswith("Try ")


# Queries


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ('[?name=="web"]', ("web", "'web'")),
        ('[?a.b != "x y" && c]', ("x y", "'x y'")),
        ('contains(name, "we\'b")', ("we'b", "'we\\'b'")),
        ('join(", ", a)', None),
        ("[?name=='web']", None),
        ("[?\"my key\"=='web']", None),
        ("[?done==true]", ("true", "`true`")),
        ("[?done != null && a]", ("null", "`null`")),
        ("[?true==a]", None),
        ("[?a==true.b]", None),
        ("[?a==trues]", None),
        ('[?a=="b c".d]', None),
        ('[?a=="b c"[0]]', None),
        ('[a, "b c"]', None),
        ('{a: "b c"}', None),
        ('{"a b": c}', None),
        ("a[", None),
        ("'", None),
        (":urls", None),
        ("", None),
    ],
)
def test_a_name_that_may_be_meant_as_a_value_is_found(query, name):
    assert misquoted(query) == name


DOCUMENTS = b'{"items":[{"name":"web"}],"name":"web"}\n' * 3


@pytest.mark.sampled(2)
@pytest.mark.parametrize("options", [[], ["--each"], ["-j2"], ["--spec", "none"]])
def test_a_string_in_double_quotes_gets_one_hint(options):
    out, err, code = run("query", *options, 'items[?name=="web"]', stdin=DOCUMENTS)

    assert out.replace("[]\n", "") == ""
    assert (err, code) == ("nestdecode: \"web\" names a field; a string is written 'web'\n", 0)


def test_a_function_that_refuses_such_a_name_gets_the_hint_too():
    _, err, code = run("query", 'contains(name, "w\'b")', stdin=DOCUMENTS)

    assert code == 5
    assert err.count("\"w'b\" names a field; a string is written 'w\\'b'") == 1


def test_an_answer_that_holds_something_gets_no_hint():
    document = b'{"web":"web","items":[{"name":"web","web":"web"}]}'

    assert run("query", 'items[?name=="web"].name', stdin=document) == ('["web"]\n', "", 0)


@pytest.mark.parametrize("options", [[], ["--spec", "none"]])
def test_a_named_query_without_a_spec_names_the_specs_that_have_it(options):
    out, err, code = run("query", *options, ":messages", stdin=b'{"a":1}\n{"a":2}\n')

    assert (out, code) == ("", 3)
    assert err.splitlines()[0] == (
        "nestdecode: a named query needs a spec: "
        "aws/cloudwatch-logs or aws/sqs-sns has this one - in query :messages"
    )
    for name in ("aws/cloudwatch-logs", "aws/sqs-sns"):
        assert "messages" in nestdecode.Spec.load(name).queries


# Counts


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_failures_of_a_kind_are_shown_ten_times_and_counted(jobs):
    lines = [b'{"a":\n'] * 1500 + [b'{"a":"[2]"}\n'] * 10 + [b"[" * 300 + b"]" * 300 + b"\n"] * 12
    out, err, code = run("expand", "--lines", "-j", jobs, stdin=b"".join(lines))
    *shown, total = err.splitlines()

    assert (out.count("\n"), code) == (10, 5)
    assert [line for line in shown if "invalid JSON" in line] == [
        f"nestdecode: stdin: line {n}: invalid JSON: unexpected end of data: char 5"
        " - at document root"
        for n in range(1, 11)
    ]
    assert [line for line in shown if "--max-depth" in line] == [
        f"nestdecode: stdin: line {n}: deeper than --max-depth 200 - at document root"
        for n in range(1511, 1521)
    ]
    assert total == (
        "nestdecode: 1,512 of 1,522 records failed (20 reported, --dead-letters FILE keeps all)"
    )


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (b'{"a":', "char 5"),
        (b'{"a":1,\n"b":2,\n "c" 3}', "char 20 (column 6 of its line 3)"),
        ('{"é":1,\n"b" 2}'.encode(), "char 12 (column 5 of its line 2)"),
    ],
)
def test_a_message_has_one_line_number_or_says_whose_it_is(text, where):
    with pytest.raises(nestdecode.DecodeError) as caught:
        nestdecode.expand(text)

    assert caught.value.reason.endswith(f": {where}")
    _, err, _ = run("expand", "--documents", stdin=b"[]\n" + text)
    assert err.startswith("nestdecode: stdin: document at line 2: invalid JSON: ")
    assert f": {where} - at document root\n" in err


# Specs and samples

SAMPLE = {
    "Records": [
        {"body": '{"Message": "{}"}', "attributes": {"Sent.At": "{}"}},
        {"body": "{}"},
    ],
    "kubectl.kubernetes.io/last": "{}",
    "opaque": '{"inner": "[1]"}',
}


@pytest.mark.sampled(3)
@pytest.mark.parametrize(
    ("path", "warning"),
    [
        ("Records[].body", None),
        ("Records[0].body", "[n] is one element only; for every element write Records[].body"),
        ("Records[].*", None),
        ("records[].body", "nothing is at records[].body in the sample; did you mean"),
        ("Records[].Body", "Records[].body"),
        ("Records.body", "Records[].body"),
        ("Records[2].body", "Records[].body"),
        ("Records[].attributes.Sent.At", 'Records[].attributes."Sent.At"'),
        ("Opaque", "opaque"),
        ("opaque.inner", "it is inside the string at opaque: declare that layer, too"),
        ("nothing.of.this.kind", "nothing is at nothing.of.this.kind in the sample"),
    ],
)
def test_a_layer_that_is_nowhere_in_a_sample_is_a_warning(path, warning, tmp_path):
    (tmp_path / "my.yaml").write_text(
        json.dumps({"nestdecode": 1, "layers": {path: {"codecs": "json"}}})
    )
    (tmp_path / "sample.json").write_text(json.dumps(SAMPLE))
    out, err, code = run("spec", "lint", "my.yaml", "sample.json", cwd=tmp_path)
    *warnings, total = out.splitlines()

    assert (err, code) == ("", 0)
    if warning is None:
        assert warnings == []
    else:
        (line,) = warnings
        assert line.startswith("my.yaml:1: warning: ")
        assert f"nothing is at {path} in the sample" in line or path == "Records[0].body"
        assert warning in line
        assert line.endswith(f" - at /layers/{path}")
    assert total == f"my.yaml: 1 layer, {'no warnings' if warning is None else '1 warning'}"


def test_a_suggestion_is_a_path_that_opens_what_is_there(tmp_path):
    (tmp_path / "sample.json").write_text(json.dumps(SAMPLE))
    for path in ("records[].Body", "OPAQUE", "records[].attributes.sent.at"):
        (tmp_path / "my.yaml").write_text(json.dumps({"nestdecode": 1, "layers": {path: "json"}}))
        out, _, _ = run("spec", "lint", "my.yaml", "sample.json", cwd=tmp_path)
        found = re.search("did you mean '(.*)'[?]", out)

        assert found
        spec = nestdecode.Spec.parse({"nestdecode": 1, "layers": {found[1]: "json"}})
        assert nestdecode.Decoder(spec).open(json.dumps(SAMPLE)).layers != []


def test_a_layer_below_one_that_is_missing_is_not_listed_too(tmp_path):
    layers = {"Opaque": "json", "Opaque.inner": "json", "opaque.x": "json"}
    (tmp_path / "my.json").write_text(json.dumps({"nestdecode": 1, "layers": layers}))
    out, _, _ = run("spec", "lint", "my.json", "-", stdin=json.dumps(SAMPLE).encode(), cwd=tmp_path)

    assert [line.split(" in the sample")[0] for line in out.splitlines()[:-1]] == [
        "my.json:1: warning: nothing is at Opaque",
        "my.json:1: warning: nothing is at opaque.x",
    ]


@pytest.mark.parametrize("policy", ["drop", "null", "fail", "keep"])
def test_a_layer_that_does_not_open_is_there_all_the_same(policy, tmp_path):
    layers = {"a": {"codecs": "json", "on-error": policy}, "b": "json"}
    (tmp_path / "my.json").write_text(json.dumps({"nestdecode": 1, "layers": layers}))
    (tmp_path / "x.ndjson").write_text('{"a": "{oops"}\n{"b": null}\n')

    shut = "a string of the sample can't be opened: invalid JSON: unexpected character, expected"
    stdout = (
        f"my.json:1: warning: {shut} a string key: char 1 (json), at /a - at /layers/a\n"
        "my.json: 2 layers, 1 warning\n"
    )
    assert run("spec", "lint", "my.json", "x.ndjson", cwd=tmp_path) == (stdout, "", 0)


def test_a_sample_that_can_not_be_read_is_named(tmp_path):
    (tmp_path / "my.yaml").write_text("{nestdecode: 1, layers: {a: json}}")
    (tmp_path / "x.ndjson").write_text('{"a": "{}"}\n{"a"\n' * 30)
    out, err, code = run("spec", "lint", "my.yaml", "x.ndjson", cwd=tmp_path)

    assert (out, code) == ("my.yaml: 1 layer, no warnings\n", 5)
    assert err.splitlines()[-1] == "nestdecode: x.ndjson: 30 of 60 records can't be read"
    assert len(err.splitlines()) == 11


def test_each_file_is_a_spec_or_a_sample(tmp_path):
    (tmp_path / "a.yaml").write_text("{nestdecode: 1, layers: {a: json}}")
    (tmp_path / "b.json").write_text('{"nestdecode": 1, "layers": {"b": "json"}}')
    (tmp_path / "x.json").write_text('{"a": "{}", "properties": 3}')
    (tmp_path / "y").write_text('{"b": "{}"}')
    out, err, code = run("spec", "lint", "a.yaml", "b.json", "x.json", "y", cwd=tmp_path)

    assert out == "a.yaml: 1 layer, no warnings\nb.json: 1 layer, no warnings\n"
    assert (err, code) == ("", 0)
    assert "a.yaml: 1 layer, no" in run("spec", "lint", "a.yaml", "aws/sqs-sns", cwd=tmp_path)[0]


MISTAKES = """\
nestdecode: 1
layers:
  a: jsom
  b: json
  c..: json
  d: {codecs: json, on-eror: keep}
focuss: a
queries: {x: "a[", y: b}
limits: {max-layers: no}
"""


def test_all_mistakes_of_a_spec_are_listed_with_their_lines(tmp_path):
    (tmp_path / "my.yaml").write_text(MISTAKES)
    found = mistakes_in(tmp_path / "my.yaml")

    assert sorted((error.line, error.pointer) for error in found) == [
        (3, "/layers/a"),
        (5, "/layers/c.."),
        (6, "/layers/d/on-eror"),
        (7, "/focuss"),
        (8, "/queries/x"),
        (9, "/limits/max-layers"),
    ]
    out, err, code = run("spec", "lint", "my.yaml", cwd=tmp_path)
    assert (out, code) == ("", 3)
    assert err == "".join(f"nestdecode: {error}\n" for error in found).replace(f"{tmp_path}/", "")


def test_mistakes_end_where_nothing_can_be_told(tmp_path):
    (tmp_path / "a.yaml").write_text("{nestdecode: 2, layers: {a: jsom}}")
    (tmp_path / "b.yaml").write_text("a: [")
    (tmp_path / "c.json").write_text(
        json.dumps({"nestdecode": 1, **{f"x{n}": 1 for n in range(50)}})
    )

    assert [error.pointer for error in mistakes_in(tmp_path / "a.yaml")] == ["/nestdecode"]
    assert len(mistakes_in(tmp_path / "b.yaml")) == 1
    assert len(mistakes_in(tmp_path / "c.json")) == 10
    assert mistakes_in("aws/sqs-sns") == []


def test_a_path_that_is_none_is_spelled_as_the_sample_has_it(tmp_path):
    path = "kubectl.kubernetes.io/last"
    (tmp_path / "my.json").write_text(json.dumps({"nestdecode": 1, "layers": {path: "json"}}))
    (tmp_path / "x.json").write_text(json.dumps(SAMPLE))
    _, err, code = run("spec", "lint", "my.json", "x.json", cwd=tmp_path)

    assert code == 3
    assert err.endswith('; in the sample it is "kubectl.kubernetes.io/last"\n')


QUOTED = "nestdecode: \"web\" names a field; a string is written 'web'\n"


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["expand", "--where", 'name=="web"', "x"], id="expand"),
        pytest.param(["expand", "-j2", "--where", 'name=="web"', "x"], id="expand by two"),
        pytest.param(["expand", "--original", "--where", 'name=="web"', "x"], id="original"),
        pytest.param(["query", "--where", 'name=="web"', "@", "x"], id="query"),
        pytest.param(["explain", "--where", 'name=="web"', "x"], id="explain"),
        pytest.param(["set", "--where", 'name=="web"', "a=1", "x"], id="set"),
        pytest.param(["diff", "--key", '(name=="web" && @) || null', "x", "y"], id="diff"),
        pytest.param(["collapse", "--key", 'name=="web"', "--like", "x", "y"], id="collapse"),
    ],
)
def test_a_string_in_double_quotes_gets_one_hint_wherever_a_query_is(arguments, tmp_path):
    (tmp_path / "x").write_bytes(DOCUMENTS)
    (tmp_path / "y").write_bytes(DOCUMENTS.replace(b"items", b"item"))
    _, err, _ = run(*arguments, cwd=tmp_path)

    assert err.count(QUOTED) == 1
    assert "field" not in err.replace(QUOTED, "")


@pytest.mark.parametrize(
    ("where", "hinted"),
    [('contains(name, "web")', True), ("contains(name, 'web')", False), ('name=="name"', False)],
    ids=["refused", "a string", "it holds"],
)
def test_a_query_that_chooses_gets_the_hint_if_it_is_refused_or_empty(where, hinted):
    _, err, _ = run("expand", "--where", where, stdin=DOCUMENTS)
    _, said, _ = run("set", "--where", where, "a=1", stdin=DOCUMENTS)

    assert err.count(QUOTED) == said.count(QUOTED) == hinted


def test_records_are_held_against_a_spec_without_another_decoder(monkeypatch):
    decoder = nestdecode.Decoder("aws/sqs-sns")
    notes: list[str] = []
    matching = Matching(decoder.expand, None, decoder, notes.append)

    def build(*_arguments, **_options):
        raise AssertionError("built for each record")

    monkeypatch.setattr(nestdecode.Decoder, "__init__", build)
    for number in range(1500):
        assert matching(b'{"n":%d}' % number) == {"n": number}

    assert notes == ["1,000 records in a row have no layer of aws/sqs-sns: is it right?"]


@pytest.mark.parametrize("layer", ['"{}"', '""', '"text"', "{}"])
def test_one_record_with_the_place_of_a_layer_is_enough(layer):
    decoder = nestdecode.Decoder(nestdecode.Spec.parse("{nestdecode: 1, layers: {'a[].b': json}}"))
    matching = Matching(decoder.expand, None, decoder, lambda _note: None)

    for raw in (b"{}", b'{"a":[{"b":%b}]}' % layer.encode(), b"[]"):
        matching(raw)

    assert matching.hint(3) == ""


def test_names_that_look_like_arguments_stay_as_they_are(tmp_path):
    for name in ("numbers=1.json", "max_depth=3.json"):
        (tmp_path / name).write_text('{"a":"[[[1]]]"')
        _, err, _ = run("expand", "--dead-letters", "max_depth=7", name, cwd=tmp_path)
        assert err.startswith(f"nestdecode: {name}: document at line 1: invalid JSON: ")
    _, err, code = run("query", "max_depth=2", stdin=b"{}")
    assert "max_depth=2" in err
    assert code == 3
