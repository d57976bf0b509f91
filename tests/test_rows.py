"""What query --csv and --tsv write: rows that other readers read back as the same cells."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode.cli.rows import Rows, Table
from tests import command


def run(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> tuple[str, str, int]:
    done = command.run("query", "--spec", "none", *arguments, stdin=stdin, cwd=cwd)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


class Given:
    """A query that answers with what it is asked of."""

    def __call__(self, document: Any) -> Any:
        return document

    def many(self, joined: Any) -> list[Any]:
        return list(joined)


def written(*answers: Any, form: Table = "csv", each: bool = False, guard: bool = True) -> str:
    rows = Rows(Given(), "@", form, each=each, guard=guard)
    texts = [rows(answer) for answer in answers]
    return "".join(f"{text.decode()}\n" for text in texts if text is not None)


@pytest.mark.parametrize(
    ("answers", "lines"),
    [
        pytest.param([[1, "a", None, True]], ["1,a,,true"], id="an array of scalars"),
        pytest.param([[[1, 2], [3]], [[4]]], ["1,2", "3", "4"], id="an array of arrays"),
        pytest.param([[[1], None, [], [2]]], ["1", "2"], id="no rows among rows"),
        pytest.param([None, [], {}, [None, []]], [], id="no rows at all"),
        pytest.param([[None, None]], [","], id="an array of nulls"),
        pytest.param(["a", 2, False], ["a", "2", "false"], id="values of their own"),
        pytest.param([{"b": 1, "a": 2}, {"a": 3, "b": 4}], ["b,a", "1,2", "4,3"], id="objects"),
        pytest.param([[{"a": 1}, {}, {"a": 2}]], ["a", "1", "2"], id="an array of objects"),
        pytest.param([{"a": 1, "b": 2}, {"b": 3}], ["a,b", "1,2", ",3"], id="a name is missing"),
        pytest.param(["", [None], ["", None]], ['""', '""', '"",'], id="empty cells"),
        pytest.param([2**64, -(10**30)], [f"{2**64}", f"-1{'0' * 30}"], id="large integers"),
        pytest.param(["\ud800"], ["\\ud800"], id="a lone surrogate"),
        pytest.param(["a b", "é\u2028", " a "], ["a b", "é\u2028", " a "], id="no quotes needed"),
        pytest.param(
            ['a"b', "a,b", "a\nb", "a\r"], ['"a""b"', '"a,b"', '"a\nb"', '"a\r"'], id="quotes"
        ),
        pytest.param([{"=a,": "@"}], ['"\'=a,"', "'@"], id="a header is cells too"),
    ],
)
def test_an_answer_is_these_rows(answers, lines):
    assert written(*answers) == "".join(f"{line}\n" for line in lines)


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("=1+1", "'=1+1"),
        ("+1+1", "'+1+1"),
        ("-1+1", "'-1+1"),
        ("@a", "'@a"),
        ("\tx", "'\tx"),
        ("\rx", '"\'\rx"'),
        ("\uff1d1", "'\uff1d1"),
        ("-", "'-"),
        ("+49 176", "'+49 176"),
        ("-1.5e3", "-1.5e3"),
        ("+49176", "+49176"),
        ("-1\n", '"\'-1\n"'),
        ("-\u0661", "'-\u0661"),
        ("a=1", "a=1"),
        ("'=1", "'=1"),
        (" =1", " =1"),
    ],
)
def test_text_that_is_a_formula_is_guarded_and_a_number_is_not(text, cell):
    assert written(text) == f"{cell}\n"
    assert written(text, guard=False) == written(text).replace("'", "", text[0] != "'")
    assert written(-5, [-1.5, "-5"]) == "-5\n-1.5,-5\n"


def test_tsv_has_escapes_and_no_quotes():
    cells = ["a\tb", "c\nd", "e\r", "f\\n", 'g"', "h,i", None, "\tj"]

    assert written(cells, form="tsv") == "a\\tb\tc\\nd\te\\r\tf\\\\n\tg\"\th,i\t\t'\\tj\n"
    assert written({"a\t": 1}, form="tsv") == "a\\t\n1\n"


TEXTS = st.text(st.characters(codec="utf-8"))


@given(st.lists(st.lists(TEXTS, min_size=1), min_size=1))
def test_rows_are_read_back_as_the_cells_that_they_were(rows):
    text = written(rows, guard=False)
    unescaped = [
        [
            cell.encode().decode("unicode_escape").encode("latin-1").decode()
            for cell in line.replace("\\\\", "\\x5c").split("\t")
        ]
        for line in written(rows, form="tsv", guard=False).removesuffix("\n").split("\n")
    ]

    assert list(csv.reader(io.StringIO(text, newline=""), strict=True)) == rows
    assert unescaped == rows


@pytest.mark.parametrize(
    ("query", "documents", "out", "reason"),
    [
        pytest.param(
            "@",
            ['{"a":1}', '{"a":[1]}', '{"a":2}'],
            "a\n1\n2\n",
            "a cell can't be an array: at /a of the answer; to_string() makes text of it - in query @",
            id="a cell in a row",
        ),
        pytest.param(
            "[id, x]",
            ['{"id":1}', '{"id":2,"x":{"y":1}}', '{"id":3}'],
            "1,\n3,\n",
            "a cell can't be an object: at /1 of the answer; to_string() makes text of it"
            " - in query [id, x]",
            id="an object among cells",
        ),
        pytest.param(
            "r[].{a: b, c: c}",
            ['{"r":[{"b":1}]}', '{"r":[{"b":2},{"b":3,"c":"{}"}]}', '{"r":[{"c":4}]}'],
            "a,c\n1,\n,4\n",
            "a cell can't be an object: at /1/c of the answer; to_string() makes text of it"
            " - in query r[].{a: b, c: c}",
            id="all rows of an answer or none",
        ),
        pytest.param(
            "@",
            ['{"a":1}', '{"a":2,"b/":3}', '{"a":4}'],
            "a\n1\n4\n",
            "the header has no such name: at /b~1 of the answer; {a: a, b: b.c} chooses columns"
            " - in query @",
            id="another name",
        ),
        pytest.param(
            "@",
            ['{"a":1}', "[2]", '{"a":4}'],
            "a\n1\n4\n",
            "a row is not an object, and the first row is one: at the root of the answer - in query @",
            id="an array after an object",
        ),
        pytest.param(
            "@",
            ["[1]", '[{"a":2}]', "[3]"],
            "1\n3\n",
            "a row is an object, and the first row is not: at /0 of the answer - in query @",
            id="an object after an array",
        ),
    ],
)
def test_an_answer_that_is_not_flat_is_a_dead_letter(query, documents, out, reason, tmp_path):
    (tmp_path / "x").write_text("\n".join(documents))
    shown, err, code = run("--csv", "--dead-letters", "dead", query, "x", cwd=tmp_path)
    (letter,) = (tmp_path / "dead").read_text().splitlines()

    assert (shown, code) == (out, 5)
    assert err.splitlines()[0] == f"nestdecode: x: line 2: {reason}"
    assert json.loads(letter)["code"] == "query"
    assert json.loads(letter)["raw"] == documents[1]


def test_a_first_row_that_fails_is_not_the_header():
    documents = b'{"a":{}}\n{"b":1}\n'

    assert run("--csv", "@", stdin=documents)[0] == "b\n1\n"


def test_numbers_keep_their_text():
    document = b'{"n":[1.10,-0,1e400,123456789012345678901]}'

    assert run("--csv", "--numbers", "exact", "n", stdin=document) == (
        "1.10,-0,1e400,123456789012345678901\n",
        "",
        0,
    )


def test_each_makes_rows_of_elements():
    document = b'{"n":["a",null,2],"o":[{"x":1},{"x":2}]}'

    assert run("--tsv", "--each", "n", stdin=document)[0] == "a\n2\n"
    assert run("--tsv", "n", stdin=document)[0] == "a\t\t2\n"
    assert run("--tsv", "--each", "o", stdin=document) == run("--tsv", "o", stdin=document)


@pytest.mark.parametrize("jobs", [[], ["-j2"]])
def test_a_stream_has_one_header(jobs, tmp_path):
    lines = [json.dumps({"id": n, "body": json.dumps({"n": -n})}) for n in range(20_000)]
    (tmp_path / "x").write_text("\n".join(lines))
    out, err, code = run(
        "--csv", *jobs, "--where", "id != `7`", "{id: id, n: body.n}", "x", cwd=tmp_path
    )

    assert (err, code) == ("", 0)
    assert out == "id,n\n" + "".join(f"{n},{-n}\n" for n in range(20_000) if n != 7)


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["a"], 1),
        (["b"], 1),
        (["c"], 0),
        (["d"], 4),
        (["[a]"], 0),
        (["--each", "[c, a]"], 1),
        (["--each", "[a, c]"], 0),
        (["--where", "a", "c"], 4),
    ],
)
def test_the_exit_code_is_that_of_the_last_answer(options, code):
    record = b'{"a":false,"b":null,"c":0,"d":[]}\n'
    assert run("-e", "--csv", *options, stdin=record * 2)[2] == code
