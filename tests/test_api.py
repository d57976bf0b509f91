"""The public names: typed, imported on first use, with a repr, strict about wrong arguments."""

import array
import doctest
import inspect
import io
import json
import mmap
import pickle
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

import nestdecode
from nestdecode import DecodeError, Decoder, LimitError, Number, Spec
from tests import oracle, strategies

ROOT = Path(nestdecode.__file__).parent.parent
SPEC = Spec.parse({"nestdecode": 1, "layers": {"a": "json"}}, "my.yaml")

# Every name is used as what it is.
TYPED = """\
import nestdecode
from nestdecode import (
    DeadLetter, DecodeError, Decoder, Document, Duplicates, Framing, Layer, LimitError, Limits,
    Lookalike, NestdecodeError, Number, Numbers, OpenLayer, Policy, Query, QueryError, Report,
    Spec, SpecError, Start, Undeclared, dumps, expand, expand_file, query,
)

def wrapped(
    spec: Spec | str | None, on_error: Policy | None, numbers: Numbers, duplicates: Duplicates
) -> Decoder:
    return Decoder(spec, on_error=on_error, numbers=numbers, duplicates=duplicates)

def opened_elsewhere(undeclared: Undeclared) -> Decoder:
    return Decoder("aws/sqs-sns", undeclared=undeclared)

def asked(decoder: Decoder, text: str, start: Start | None) -> Query:
    return decoder.compile(text, start=start)

def copied(source: str, target: str, framing: Framing | None) -> Report:
    return expand_file(source, target, framing=framing)

decoder = wrapped(Spec.load("aws/sqs-sns"), "null", "exact", "last")
document: Document = decoder.open(b"{}")
layers: list[OpenLayer] = document.layers
lookalikes: list[Lookalike] = document.lookalikes
declared: tuple[Layer, ...] = Spec.load("aws/sqs-sns").layers
limits: Limits = decoder.limits
text: bytes = dumps(expand(b"{}"))
version: str = nestdecode.__version__
number: float = Number("1.10")
answer = query("a", b"{}")
errors: list[type[NestdecodeError]] = [DecodeError, LimitError, QueryError, SpecError]
letters: list[DeadLetter] = []
trees = list(decoder.expand_lines([b"{}"], on_dead_letter=letters.append))
"""
WRONG = """\
import nestdecode
from nestdecode import Decodr
nestdecode.expandd(b"{}")
nestdecode.Decoder(on_error="kep")
nestdecode.Decoder().compile("a", start="middle")
"""


@pytest.mark.once
@pytest.mark.slow
def test_a_type_checker_knows_every_name_and_no_other(tmp_path):
    pytest.importorskip("mypy")
    (tmp_path / "typed.py").write_text(TYPED)
    (tmp_path / "wrong.py").write_text(WRONG)
    found = {}
    for name in ("typed.py", "wrong.py"):
        done = subprocess.run(
            [sys.executable, "-m", "mypy", "--strict", "--no-incremental", "--config-file=", name],
            capture_output=True,
            cwd=tmp_path,
            env={"MYPYPATH": str(ROOT), "PATH": ""},
        )
        lines = done.stdout.decode().splitlines()
        found[name] = [line.split(":")[1] for line in lines if line.startswith(name)]

    assert set(nestdecode.__all__) <= {*TYPED.replace(",", " ").replace("\n", " ").split()}
    assert found == {"typed.py": [], "wrong.py": ["2", "3", "4", "5"]}


def test_what_comes_late_is_there_and_nothing_else():
    code = (
        "import sys, nestdecode\n"
        "before = set(sys.modules)\n"
        "assert set(nestdecode.__all__) <= set(dir(nestdecode))\n"
        "assert before == set(sys.modules)\n"
        "print(*(m for m in before if m.startswith('nestdecode.spec') or m == 'jmespath'))\n"
        "for name in nestdecode.__all__: getattr(nestdecode, name)\n"
        "assert 'Spec' in vars(nestdecode)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert done.stdout == b"\n"
    with pytest.raises(AttributeError, match="module 'nestdecode' has no attribute 'expandd'"):
        nestdecode.expandd  # type: ignore[attr-defined] # noqa: B018


def functions():
    """Yield every public function and every public method of the classes that have any."""
    for name in nestdecode.__all__:
        if inspect.isfunction(value := getattr(nestdecode, name)):
            yield pytest.param(value, id=name)
    for kind in (Decoder, Spec):
        for name, value in inspect.getmembers(kind):
            if not name.startswith("_") and (inspect.isfunction(value) or inspect.ismethod(value)):
                yield pytest.param(value, id=f"{kind.__name__}.{name}")


@pytest.mark.parametrize("function", list(functions()))
def test_a_public_function_has_an_example_that_calls_it(function):
    examples = doctest.DocTestParser().get_examples(inspect.getdoc(function) or "")

    assert [e for e in examples if f"{function.__name__}(" in e.source]


def test_the_version_is_that_of_the_project():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    done = subprocess.run(
        [sys.executable, "-m", "nestdecode", "--version"], capture_output=True, check=True
    )

    assert nestdecode.__version__ == project["version"]
    assert done.stdout.decode() == f"nestdecode {nestdecode.__version__}\n"


def problem_of(text: bytes) -> DecodeError:
    problems: list[DecodeError] = []
    Decoder(SPEC, on_problem=problems.append).expand(text)
    return problems[0]


def letter_of(text: bytes) -> nestdecode.DeadLetter:
    letters: list[nestdecode.DeadLetter] = []
    list(Decoder().expand_lines([b"[]\n", text], on_dead_letter=letters.append))
    return letters[0]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (Decoder(), "Decoder()"),
        (
            Decoder("aws/sqs-sns", on_error="null", max_layers=3),
            "Decoder('aws/sqs-sns', on_error='null', max_layers=3)",
        ),
        (Decoder(SPEC), "Decoder(<Spec my.yaml: 1 layer>)"),
        (Spec.load("aws/sqs-sns"), "<Spec aws/sqs-sns: 2 layers>"),
        (Spec.parse("{nestdecode: 1}"), "<Spec: 0 layers>"),
        (Decoder().compile("a.b"), "<Query 'a.b' from the root by Decoder()>"),
        (
            Decoder("repair-results").compile("structData"),
            "<Query 'structData' from the focus by Decoder('repair-results')>",
        ),
        (Decoder().open(b'{"a":"secret"}'), "<Document: 14 bytes>"),
        (
            problem_of(b'{"a":"secret"}'),
            (
                "DecodeError('invalid JSON: unexpected character, expected a JSON value: "
                "char 0', '/a', 'json')"
            ),
        ),
        (LimitError("too long"), "LimitError('too long', '', None)"),
        (
            letter_of(b"{secret"),
            (
                "<DeadLetter: line 2, 7 bytes: invalid JSON: unexpected character, expected a "
                "string key: char 1 - at document root>"
            ),
        ),
        (
            nestdecode.Report(),
            "<Report: 0 records, 0 written, 0 failed, 0 skipped, 0 problems>",
        ),
        (Number("1.10"), "Number('1.10')"),
    ],
    ids=[
        *("a decoder", "its arguments", "its spec", "a spec", "no name", "a query", "a focus"),
        *("a document", "a problem", "a limit", "a letter", "a report", "a number"),
    ],
)
def test_a_repr_says_what_something_is_and_quotes_no_document(value, shown):
    assert repr(value) == shown


def test_a_repr_of_what_is_derived_names_its_class():
    class Mine(Decoder):
        pass

    assert repr(Mine(max_depth=9)) == "Mine(max_depth=9)"
    assert repr(pickle.loads(pickle.dumps(Decoder(max_depth=9)))) == "Decoder(max_depth=9)"


# What is no document


def files(tmp_path: Path) -> list[object]:
    path = tmp_path / "x.json"
    path.write_bytes(b'{"a": "[1]"}')
    file = path.open("rb")
    return [
        file,
        path,
        mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ),
        array.array("b", b"{}"),
        io.StringIO("{}"),
        path.open(),
    ]


@pytest.mark.parametrize("spec", [None, SPEC], ids=["found", "declared"])
def test_what_holds_a_text_and_is_none_is_refused_by_every_way_in(spec, tmp_path):
    decoder = Decoder(spec)
    ways: list[Any] = [
        decoder.expand,
        decoder.open,
        decoder.compile("@"),
        decoder.compile("a"),
        lambda document: decoder.query("@", document),
        lambda document: nestdecode.expand(document, spec),
        lambda document: nestdecode.query("a", document, spec),
    ]
    for document in files(tmp_path):
        for way in ways:
            with pytest.raises(TypeError, match=r"^a document is JSON text or its parsed value"):
                way(document)
        if isinstance(document, (io.IOBase, mmap.mmap)):
            document.close()


@pytest.mark.parametrize(
    "lines",
    ["{}", b"{}", bytearray(b"{}"), Path("x"), {"a": 1}, array.array("b", b"{}"), 1, None, [1]],
    ids=lambda lines: type(lines).__name__,
)
def test_what_is_no_lines_is_refused(lines):
    with pytest.raises(TypeError):
        list(Decoder().expand_lines(lines))


# Writing


@given(strategies.trees)
def test_dumps_writes_what_expand_reads(tree):
    text = nestdecode.dumps(tree)

    assert oracle.same(nestdecode.expand(text, Spec.parse("{nestdecode: 1}")), tree)
    assert b"\n" not in text
    # Compact: as the standard library writes it, but for the spelling of doubles.
    assert oracle.same(json.loads(text), tree)


def test_dumps_is_exact():
    tree = {
        "big": -(10**4299),
        "kept": [Number("1.10"), Number("1E400"), Number("-0")],
        "lone": "\ud800",
        "text": '"é\u2028',
    }
    text = nestdecode.dumps(tree)

    assert text == (
        b'{"big":-1' + b"0" * 4299 + b',"kept":[1.10,1E400,-0],"lone":"\\ud800",'
        b'"text":"\\"' + "é\u2028".encode() + b'"}'
    )
    again = Decoder(numbers="exact").expand(text)
    assert again == tree
    assert nestdecode.dumps(again) == text


@pytest.mark.parametrize(
    ("tree", "pointer"),
    [
        ({"a": [float("nan")]}, "/a/0"),
        ([float("inf")], "/0"),
        ({"a": b"x"}, "/a"),
        ([(1,)], "/0"),
        ({1: 2}, ""),
        ({"a": {1, 2}}, "/a"),
        pytest.param(object(), "", id="object"),
    ],
    ids=str,
)
def test_dumps_refuses_what_json_does_not_know(tree, pointer):
    with pytest.raises(DecodeError) as caught:
        nestdecode.dumps(tree)

    assert caught.value.pointer == pointer


def test_dumps_ends_where_a_tree_does_not():
    tree: list[object] = []
    tree.append(tree)

    with pytest.raises(LimitError):
        nestdecode.dumps(tree)
