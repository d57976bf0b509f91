"""The set command: types of values, places, records, and its messages."""

import json
import random
import re
import time
from pathlib import Path

import pytest

from tests import setting
from tests.strategies import EFFORT

SPEC = "{nestdecode: 1, layers: {p: json, q: json?, t: base64, o: json, o.s: json}}"


def run(*arguments: str, stdin: bytes = b"") -> tuple[str, str, int]:
    code, out, said = setting.run(["set", *arguments], stdin)
    return out.decode(), said, code


def error(said: str) -> str:
    return said.splitlines()[-1].removeprefix("Error: ").removeprefix("nestdecode: ")


@pytest.mark.parametrize("seed", range(4))
def test_set_means_what_its_model_says(seed):
    setting.many(round(250 * EFFORT), seed)


@pytest.mark.parametrize(
    ("old", "value", "new"),
    [
        pytest.param('"01234"', "=90210", '"90210"', id="a string stays a string"),
        pytest.param('"01234"', ":=90210", "90210", id="JSON on demand"),
        pytest.param('"x"', '="90210"', '"90210"', id="a literal is unquoted"),
        pytest.param('"x"', r':="\"y\""', r'"\"y\""', id="quotes on demand"),
        pytest.param('"x"', '="y" z', r'"\"y\" z"', id="no literal"),
        pytest.param('"x"', '={"a":1', r'"{\"a\":1"', id="a string may begin as JSON does"),
        pytest.param("1", "=word", '"word"', id="a word for a number"),
        pytest.param("1", "=2", "2", id="a number for a number"),
        pytest.param("null", "=01", '"01"', id="what is no number"),
        pytest.param("[]", "=[1]", "[1]", id="an array for an array"),
        pytest.param('"{}"', "=[1]", '"[1]"', id="in a layer"),
    ],
)
def test_the_type_of_a_string_is_kept(old, value, new):
    out, said, code = run(f"a{value}", stdin=f'{{"a" : {old}}}'.encode())

    assert (out, code) == (f'{{"a" : {new}}}', 0)
    assert ("a: VALUE is a JSON string" in said) == (value == '="90210"')


@pytest.mark.parametrize("value", ['={"a":1', "=[1", '="x', "= {", ':={"a":1', ":=word", ":="])
def test_what_begins_as_json_is_json_or_an_error(tmp_path, value):
    path = tmp_path / "f.json"
    path.write_bytes(b'{"a": {"b": 1}}')
    out, said, code = run("-i", f"a{value}", str(path))

    assert (out, code) == ("", 2)
    assert re.match("a: VALUE (begins like JSON, but )?is invalid JSON: ", error(said))
    assert path.read_bytes() == b'{"a": {"b": 1}}'


@pytest.mark.parametrize(
    ("old", "assignment", "new"),
    [
        pytest.param('{"p":"{oops"}', 'p={"a":1}', r'{"p":"{\"a\":1}"}', id="shut"),
        pytest.param('{"p":"{oops"}', "p=word", '{"p":"word"}', id="shut, and a word"),
        pytest.param('{"p":"{oops"}', 'p={"a":1', None, id="shut, and no JSON"),
        pytest.param('{"p":""}', "p=[1]", '{"p":"[1]"}', id="blank"),
        pytest.param('{"q":"word"}', "q=[1]", '{"q":"[1]"}', id="optional"),
        pytest.param('{"x":"word"}', "x=[1]", '{"x":"[1]"}', id="not declared"),
        pytest.param('{"x":"word"}', "x=5", '{"x":"5"}', id="not declared, a string"),
        pytest.param('{"p":"{\\"a\\":\\"1\\"}"}', "p.a=2", r'{"p":"{\"a\":\"2\"}"}', id="inside"),
        pytest.param('{"t":"MQ=="}', "t=2", '{"t":"Mg=="}', id="a text that opened"),
        pytest.param(
            r'{"o":"{\"s\":\"x\"}"}', "o.s=[1]", r'{"o":"{\"s\":\"[1]\"}"}', id="shut in an open one"
        ),
        pytest.param('{"o":{"s":"x"}}', "o.s=[1]", '{"o":{"s":"[1]"}}', id="shut in an object"),
    ],
)  # fmt: skip
def test_a_declared_layer_that_stayed_shut_takes_json(tmp_path, old, assignment, new):
    (tmp_path / "s.yaml").write_text(SPEC)
    out, _, code = run("-s", str(tmp_path / "s.yaml"), assignment, stdin=old.encode())

    assert (out, code) == ((new or ""), 0 if new else 2)


@pytest.mark.parametrize(
    ("old", "assignment", "new"),
    [
        pytest.param(
            r'{"t":{"application/json; charset=utf-8":"{\"statusCode\": 200}"}}',
            "/t/application~1json; charset=utf-8/statusCode=204",
            r'{"t":{"application/json; charset=utf-8":"{\"statusCode\": 204}"}}',
            id="a sign in a name",
        ),
        pytest.param('{"a":{"b=c":1}}', "/a/b=c=2", '{"a":{"b=c":2}}', id="the longer one"),
        pytest.param('{"a":{"b":1}}', "/a/b=c=2", '{"a":{"b":"c=2"}}', id="the shorter one"),
        pytest.param('{"a":{}}', "/a/b=c=2", '{"a":{"b":"c=2"}}', id="a new one"),
        pytest.param('{"a":{"b:":1}}', "/a/b:=2", '{"a":{"b:":2}}', id="a colon in a name"),
        pytest.param('{"a":["b"]}', "/a/-=c=d", '{"a":["b","c=d"]}', id="the end of an array"),
        pytest.param('{"a":["b"]}', "/a/0=c=d", '{"a":["c=d"]}', id="an element"),
        pytest.param('{"m~n":{"x/y=":1}}', "/m~0n/x~1y==2", '{"m~n":{"x/y=":2}}', id="escapes"),
        pytest.param('{"a":{"b":1,"b=c":1}}', "/a/b=c=2", None, id="two of them"),
        pytest.param('{"a":{"b":1,"b:":1}}', "/a/b:=2", None, id="two of them, by a colon"),
        pytest.param('{"a=b":{"c":"x"}}', '"a=b"."c"==2', '{"a=b":{"c":"=2"}}', id="a path"),
    ],
)
def test_a_pointer_ends_where_there_is_a_place(old, assignment, new):
    out, said, code = run(assignment, stdin=old.encode())

    assert (out, code) == ((new or ""), 0 if new else 2)
    assert ("both exist" in said) == (new is None)


def test_a_value_with_very_many_signs_is_split_in_linear_time():
    took = []
    for count in (20_000, 80_000):
        names = json.dumps({"a": {"=" * 1000: 1, "b": 2}}).encode()
        began = time.perf_counter()
        _, _, code = run("/a/b=" + "=/" * (count // 2), stdin=names)
        took.append(time.perf_counter() - began)
        assert code == 0

    assert took[1] < 3 * took[0] + 1


RECORDS = b'{"id":"1", "a":[1]}\r\n\n{"count":1}\n {"id":2}'


@pytest.mark.parametrize(
    ("words", "out", "count"),
    [
        (["id=5"], b'{"id":"5", "a":[1]}\r\n\n{"count":1}\n {"id":5}', "2 places in 2 of 3 records"),
        (["/a/0=2"], RECORDS.replace(b"[1]", b"[2]"), "1 place in 1 of 3 records"),
        (["--where", "count", "id=5"], RECORDS.replace(b'"count":1', b'"count":1,"id":5'),
         "1 place (1 of them new) in 1 of 3 records"),
        (["--where", "a", "/a/-=2"], RECORDS.replace(b"[1]", b"[1, 2]"),
         "1 place (1 of them new) in 1 of 3 records"),
        (["--record", "2", "x=5"], RECORDS.replace(b'"count":1', b'"count":1,"x":5'),
         "1 place (1 of them new) in 1 of 3 records"),
        (["--record", "3", "--where", "id", "id=5"], RECORDS.replace(b'"id":2', b'"id":5'),
         "1 place in 1 of 3 records"),
        (["id=2", "--record=3"], RECORDS, "0 places in 0 of 3 records"),
        (["--delete", "id"], b'{"a":[1]}\r\n\n{"count":1}\n {}', "2 places in 2 of 3 records"),
    ],
)  # fmt: skip
def test_in_a_stream_those_records_change_that_have_the_place_or_are_chosen(words, out, count):
    got, said, code = run(*words, stdin=RECORDS)

    assert (got.encode(), said, code) == (out, f"nestdecode: stdin: changed {count}\n", 0)


def test_a_record_that_cannot_be_asked_fails_and_stays(tmp_path):
    path = tmp_path / "f.ndjson"
    path.write_bytes(b'{"a":[1]}\n{"a": 5}\n{"a":[]}\n{"a":[2]}\n')
    out, said, code = run("-i", "--where", "length(a) > `0`", "b=1", str(path))

    assert (out, code) == ("", 5)
    assert path.read_bytes() == b'{"a":[1],"b":1}\n{"a": 5}\n{"a":[]}\n{"a":[2],"b":1}\n'
    assert said.startswith(f"nestdecode: {path}: line 2: length() wants ")
    assert said.endswith(
        f"{path}: changed 2 places (2 of them new) in 2 of 4 records; 1 of 4 records failed\n"
    )


def test_where_starts_at_the_root_and_may_be_a_named_query(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "nestdecode: 1\nlayers: {a: json}\nfocus: a\nqueries: {odd: 'a.n == `1`'}"
    )
    text = b'{"a":"{\\"n\\":1}"}\n{"a":"{\\"n\\":2}"}\n'
    for where in ("a.n == `1`", ":odd"):
        out, _, _ = run("-s", str(tmp_path / "s.yaml"), "--where", where, "b=1", stdin=text)

        assert out == '{"a":"{\\"n\\":1}","b":1}\n{"a":"{\\"n\\":2}"}\n'


MANIFEST = json.dumps(
    {
        "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration":
            json.dumps({"spec": {"replicas": 3, "c": [{"x-y": 1}]}})}},
        "tags.all": {"x": [1, 2]},
    }
).encode()  # fmt: skip
PLACE = "metadata.annotations.kubectl.kubernetes.io/last-applied-configuration"
QUOTED = 'metadata.annotations."kubectl.kubernetes.io/last-applied-configuration"'
OTHERS = '; quote such a name, as in a."b/c", or write a pointer, as in /a/b~1c'


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            [f"{PLACE}.spec.replicas=4"],
            (
                f"not a path: {PLACE}.spec.replicas: '/' (character 43) is not part of a path; "
                f"write {QUOTED}.spec.replicas or /metadata/annotations/"
                "kubectl.kubernetes.io~1last-applied-configuration/spec/replicas"
            ),
        ),
        (
            [f"{PLACE}.spec.c[].x-y=4"],
            (
                f"not a path: {PLACE}.spec.c[].x-y: '/' (character 43) is not part of a path; "
                f'write {QUOTED}.spec.c[]."x-y"'
            ),
        ),
        (
            ["--delete", "metadata.an-x"],
            f"not a path: metadata.an-x: '-' (character 12) is not part of a path{OTHERS}",
        ),
        (["a.=1"], f"not a path: a.: it ends too early{OTHERS}"),
        (['"a=1'], f"not a path: \"a: '\"' (character 1) is not closed{OTHERS}"),
        (
            ["tags.all.x[1]=4"],
            ('stdin: no such place: tags.all.x[1]; write "tags.all".x[1] or /tags.all/x/1'),
        ),
        (
            ["tags.any.x=4"],
            (
                "stdin: no such place: tags.any.x; only the last step can be new, "
                "and tags does not exist; did you mean '\"tags.all\"'?"
            ),
        ),
        (
            ["/tags/x=4"],
            (
                "stdin: no such place; only the last step can be new, "
                "and /tags does not exist - at /tags/x"
            ),
        ),
    ],
)
def test_what_is_suggested_is_there(words, message):
    out, said, code = run(*words, stdin=MANIFEST)

    assert (out, error(said), code) == ("", message, 2)
    if "; write " in message:
        written = message.partition("; write ")[2].split(" or ")
        assert [run(f"{place}=4", stdin=MANIFEST)[2] for place in written] == [0] * len(written)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["new=1"],
            "no record has new; --record N or --where EXPR chooses the records to add it to",
        ),
        (
            ["/a/-=1"],
            "no record has /a/-; --record N or --where EXPR chooses the records to add it to",
        ),
        (["--where", "nope", "id=1"], "--where holds for no record: no record has nope"),
        (["--record", "4", "id=1"], "no record 4: the input has 3"),
        (["--delete", "nope"], "no such place: nope"),
    ],
)
def test_a_change_without_a_place_is_refused(words, message):
    assert run(*words, stdin=RECORDS) == ("", f"nestdecode: stdin: {message}\n", 2)


def test_the_last_word_is_a_file_if_it_is_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x=1").write_bytes(b'{"a":1}')

    assert run("a=2", "x=1")[0] == '{"a":2}'
    assert run("a=2", "x=2", stdin=b"{}")[0] == '{"a":2,"x":2}'
    assert run("a=2", "-", stdin=b"{}")[0] == '{"a":2}'
    assert run("--delete", "a", stdin=b'{"a":1}')[0] == "{}"
    assert run("a")[2] == 2


@pytest.mark.parametrize("assignment", ["@=1", "@:=1"])
def test_documents_that_touch_do_not_become_one(assignment):
    out, _, _ = run("--documents", "--record=1", assignment, stdin=b'{"a":1}{"b":2}')

    assert out == '1\n{"b":2}'


@pytest.mark.slow
def test_a_stream_with_many_places_takes_linear_time(tmp_path):
    took = []
    for count in (500, 2_000):
        path: Path = tmp_path / "f.ndjson"
        line = json.dumps({"b": json.dumps({"i": [{"k": j} for j in range(20)]})}) + "\n"
        path.write_text(line * count)
        began = time.perf_counter()
        _, said, _ = run("b.i[].k=x", str(path))
        took.append(time.perf_counter() - began)

        assert f"changed {20 * count:,} places in {count:,} of {count:,} records" in said
    assert took[1] < 4 * 2 * took[0]


def test_random_cases_are_of_all_kinds():
    """The model is worth something only if cases succeed, are refused, and have signs in names."""
    chance = random.Random(1)
    kinds = {"refused": 0, "set": 0, "signs": 0}
    for _ in range(400):
        case = setting.case_of(chance)
        kinds["signs"] += case.path is None and case.argument.count("=") > 1
        try:
            setting.expected(case)
        except setting.RefusedError:
            kinds["refused"] += 1
        else:
            kinds["set"] += 1

    assert min(kinds.values()) > 20
