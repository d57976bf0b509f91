"""The commands that put layers back or compare them: collapse, set, edit, explain, diff."""

import json
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given

from nestdecode import Decoder
from nestdecode.document.comparing import NOTHING, Difference, Tree, differences
from tests import command

from . import strategies

ROOT = Path(__file__).parent.parent
SAMPLE = (ROOT / "specs/samples/repair-results.json").read_bytes()
RECORDS = (
    b'\xef\xbb\xbf{"a": "{\\"n\\":  1.10, \\"m\\": \\"[1, 2]\\"}"}\r\n\n'
    rb' {"a" : "{\u0022n\u0022:1}"}' + b"\n"
    b'{"b": "plain", "a": {"n": 3}}'
)


def run(*arguments: str, stdin: bytes = b"", **more: Any) -> subprocess.CompletedProcess[bytes]:
    return command.run(*arguments, stdin=stdin, **more)


@pytest.fixture
def records(tmp_path):
    path = tmp_path / "records.ndjson"
    path.write_bytes(RECORDS)
    path.chmod(0o640)
    return path


@pytest.mark.sampled(2)
@pytest.mark.parametrize("text", [SAMPLE, RECORDS], ids=["sample", "records"])
@pytest.mark.parametrize("options", [[], ["--numbers", "exact"]], ids=["double", "exact"])
def test_what_was_not_edited_is_what_it_was(tmp_path, text, options):
    (tmp_path / "a").write_bytes(text)
    for indent in ("0", "2"):
        expanded = run("expand", "--indent", indent, *options, str(tmp_path / "a")).stdout
        result = run("collapse", *options, "--like", str(tmp_path / "a"), stdin=expanded)

        assert (result.returncode, result.stderr) == (0, b"")
        assert result.stdout == text


def test_an_edit_collapses_as_the_library_says(tmp_path):
    (tmp_path / "a.json").write_bytes(SAMPLE)
    tree = json.loads(run("expand", str(tmp_path / "a.json")).stdout)
    tree["data"]["taskResult"][0]["taskResult"]["result"]["data"]["usageMap"] = {"x": [None]}
    tree["new"] = "é"
    (tmp_path / "b.json").write_text(json.dumps(tree, indent=1))

    result = run("collapse", "--like", str(tmp_path / "a.json"), str(tmp_path / "b.json"))

    document = Decoder().open(SAMPLE)
    document.tree = tree
    assert result.stdout == document.collapse()
    assert result.stdout != SAMPLE


def test_an_edited_record_that_is_no_json_is_refused(records):
    result = run("collapse", "--like", str(records), stdin=b"{}\n{}\n{")

    assert (result.returncode, result.stdout) == (5, b"")
    assert b"line 3: invalid JSON" in result.stderr
    assert b"Traceback" not in result.stderr


def test_collapse_by_a_spec_streams():
    lines = b'{"awslogs":{"data":{"a":1}}}\n\n{"awslogs":{"data":null}}\n{\n'
    result = run("collapse", "--spec", "aws/cloudwatch-logs", stdin=lines)

    assert result.returncode == 5
    assert b"line 4" in result.stderr
    back = run("expand", "--spec", "aws/cloudwatch-logs", stdin=result.stdout)
    assert back.stdout.splitlines() == lines.splitlines()[::2][:2]


def test_collapse_wants_to_know_how(records):
    result = run("collapse", str(records))

    assert result.returncode == 2
    assert b"--like" in result.stderr


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("arguments", "old", "new"),
    [
        (["a.n=2"], None, None),
        (["--record", "1", "a.n=2"], b"1.10", b"2"),
        (["--record", "1", "/a/m/1=x"], b"[1, 2]", b'[1, \\\\\\"x\\\\\\"]'),
        (["--record", "2", "a.n=[true]"], rb"n\u0022:1}", rb"n\u0022:[true]}"),
        (["b=1=2"], b'"plain"', b'"1=2"'),
        (["--delete", "b"], b'"b": "plain", ', b""),
        (["--record", "3", '"a".n="3"'], b'{"n": 3}', b'{"n": "3"}'),
        (["--where", "b", 'a.n:="3"'], b'{"n": 3}', b'{"n": "3"}'),
        (["--numbers=exact", "--record", "3", "a.n=1.10"], b'{"n": 3}', b'{"n": 1.10}'),
    ],
)
def test_set_changes_that_and_nothing_else(records, arguments, old, new):
    result = run("set", *arguments, str(records))

    count = b"3 places in 3" if old is None else b"1 place in 1"
    said = f"nestdecode: {records}: changed ".encode() + count + b" of 3 records\n"
    assert (result.returncode, result.stderr) == (0, said)
    if old is None:
        assert result.stdout == (
            RECORDS.replace(b"1.10", b"2")
            .replace(rb"n\u0022:1}", rb"n\u0022:2}")
            .replace(b'"n": 3', b'"n": 2')
        )
    elif arguments[0] == "b=1=2":
        assert old not in result.stdout
        assert json.loads(result.stdout.splitlines()[-1])["b"] == "1=2"
    else:
        assert result.stdout == RECORDS.replace(old, new)
    assert records.read_bytes() == RECORDS


def test_set_in_place_keeps_mode_and_link(records, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(records)
    result = run("set", "-i", "--record", "1", "a.n=2", str(link))

    assert (result.returncode, result.stdout) == (0, b"")
    assert result.stderr == f"nestdecode: {link}: changed 1 place in 1 of 3 records\n".encode()
    assert link.is_symlink()
    assert records.read_bytes() == RECORDS.replace(b"1.10", b"2")
    assert stat.S_IMODE(records.stat().st_mode) == 0o640
    assert {path.name for path in tmp_path.iterdir()} == {"link", "records.ndjson"}


@pytest.mark.skipif(os.geteuid() == 0 and not shutil.which("setpriv"), reason="root writes all")
def test_what_cannot_be_replaced_stays(records, tmp_path):
    shutil.copy(records, tmp_path / "x")
    subprocess.run(["gzip", "x"], cwd=tmp_path, check=True)
    before = (tmp_path / "x.gz").read_bytes()
    result = run("set", "-i", "a.n=2", str(tmp_path / "x.gz"))

    assert result.returncode == 2
    assert b"compressed" in result.stderr
    assert (tmp_path / "x.gz").read_bytes() == before


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nope.x=1"], 2),
        (["new=1"], 2),
        (["--where", "nope", "a=1"], 2),
        (["--where", "a[", "a=1"], 3),
        (["--record", "9", "a=1"], 2),
        (["a"], 2),
        (["=1"], 2),
        (["a=1e400"], 2),
        (["a[?x]=1"], 2),
        (["/zz/0=1"], 2),
        (["--delete", "nope"], 2),
        ([], 2),
    ],
)
def test_set_says_what_is_wrong(records, arguments, code):
    result = run("set", *arguments, str(records))

    assert (result.returncode, result.stdout) == (code, b"")
    assert result.stderr
    assert b"Traceback" not in result.stderr


def editor(tmp_path: Path, code: str) -> dict[str, str]:
    """Return an environment whose editor is a script that gets the file as PATH."""
    script = tmp_path / "editor.py"
    script.write_text(f"import sys; PATH = sys.argv[1]\n{code}")
    return {**os.environ, "EDITOR": f"{sys.executable} {script}", "VISUAL": ""}


def test_edit_puts_back_what_was_saved(records, tmp_path):
    code = (
        "import os; assert os.stat(os.path.dirname(PATH)).st_mode & 0o77 == 0\n"
        "text = open(PATH).read(); open(PATH, 'w').write(text.replace('1.1,', '7,'))"
    )
    result = run("edit", str(records), env=editor(tmp_path, code))

    assert (result.returncode, result.stderr) == (0, b"")
    assert records.read_bytes() == RECORDS.replace(b"1.10", b"7")


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "exit_code", "is_kept"),
    [
        ("", 0, False),
        ("sys.exit(3)", 2, False),
        ("open(PATH, 'a').write('{')", 5, True),
        ("open(PATH, 'w')", 5, True),
        (
            "open(WHERE, 'w').write('{}'); open(PATH, 'w').write('[1]\\n[2]\\n[3]\\n')",
            2,
            True,
        ),
    ],
    ids=["nothing changed", "editor fails", "no JSON", "emptied", "changed meanwhile"],
)
def test_edit_refuses_and_loses_nothing(records, tmp_path, code, exit_code, is_kept):
    environment = editor(tmp_path, f"WHERE = {str(records)!r}\n{code}")
    result = run("edit", str(records), env={**environment, "TMPDIR": str(tmp_path)})

    assert result.returncode == exit_code
    assert records.read_bytes() == (b"{}" if "WHERE" in code else RECORDS)
    kept = list(tmp_path.glob("nestdecode-*/*"))
    assert bool(kept) is is_kept
    if is_kept:
        assert str(kept[0]).encode() in result.stderr


def test_explain_is_what_the_library_says(records):
    document = Decoder().open(SAMPLE)
    (facts,) = map(json.loads, run("explain", "--json", stdin=SAMPLE).stdout.splitlines())

    assert [tuple(layer.values()) for layer in facts["layers"]] == [
        (x.pointer, list(x.codecs), x.depth, x.size, x.escaped_size, x.decoded_size)
        for x in document.layers
    ]
    for form in ("tree", "table"):
        text = run("explain", "--format", form, stdin=SAMPLE).stdout.decode()
        assert all(layer.pointer in text for layer in document.layers)
    assert len(run("explain", "--trees", "--json", str(records)).stdout.splitlines()) == 3


def test_explain_names_what_is_no_layer():
    text = rb'{"a": "{\"oops", "b": "[1] x", "c": "[1]", "d": "word", "e": "[INFO] x"}'
    facts = json.loads(run("explain", "--json", stdin=text).stdout)

    assert [look["pointer"] for look in facts["lookalikes"]] == ["/a", "/b"]
    assert b"oops" not in run("explain", stdin=text).stdout


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("one", "other", "code", "text"),
    [
        (b'{"a":"[1, 2]"}', b'{ "a" : "[1,2]" }', 0, ""),
        (b'{"a":"[1, 2]"}', b'{ "a" : [1,2] }', 1, '- /a: "[1, 2]"\n+ /a: [1,2]\n'),
        (b'{"a":1,"b":2}', b'{"b":2,"a":1}', 0, ""),
        (b'{"a":"[1]"}', b'{"a":"[1.0]"}', 1, "- /a/0: 1\n+ /a/0: 1.0\n"),
        (b"[0]", b"[false]", 1, "- /0: 0\n+ /0: false\n"),
        (b"[1,2,3]", b"[1,9,2,3]", 1, "+ /1: 9\n"),
        (b'{"a":1}', b"{}", 1, "- /a: 1\n"),
        (b"[]", b"{}", 1, "- (root): []\n+ (root): {}\n"),
        (
            b"1\n2\n",
            b"1\n3\n4\n",
            1,
            "- record 2 (root): 2\n+ record 2 (root): 3\n+ record 3: 4\n",
        ),
    ],
)
def test_diff_tells_what_differs(tmp_path, one, other, code, text):
    (tmp_path / "a").write_bytes(one)
    (tmp_path / "b").write_bytes(other)
    result = run("diff", str(tmp_path / "a"), str(tmp_path / "b"))

    assert (result.returncode, result.stdout.decode(), result.stderr) == (code, text, b"")


@pytest.mark.parametrize("other", [b"{", None])
def test_diff_in_trouble_exits_with_2(tmp_path, other):
    (tmp_path / "a").write_bytes(b"{}")
    if other is not None:
        (tmp_path / "b").write_bytes(other)
    result = run("diff", str(tmp_path / "a"), str(tmp_path / "b"))

    assert result.returncode == 2
    assert b"Traceback" not in result.stderr


def applied(tree: Any, changes: Sequence[Difference]) -> Any:
    """Make the changes that were found."""
    root = [json.loads(json.dumps(tree))]
    for path, _, new in reversed(changes):
        where: list[Any] = [0, *path]
        last = where.pop()
        container: Any = root
        for step in where:
            container = container[step]
        if new is NOTHING:
            del container[last]
        elif type(container) is list and last >= len(container):
            container.append(new)
        else:
            container[last] = new
    return root[0]


@given(strategies.trees, strategies.trees)
def test_what_differs_is_all_that_differs(one, other):
    changes = list(differences(Tree(one, {}), Tree(other, {})))

    assert list(differences(Tree(one, {}), Tree(one, {}))) == []
    additions = [c for c in changes if c[1] is NOTHING]
    rest = [c for c in changes if c[1] is not NOTHING]
    # Additions from the left, all others from the right: so positions stay what they were.
    tree = applied(one, rest)
    for path, _, new in additions:
        container: Any = tree
        for step in path[:-1]:
            container = container[step]
        if type(container) is list:
            container.insert(int(path[-1]), new)
        else:
            container[path[-1]] = new
    assert list(differences(Tree(tree, {}), Tree(other, {}))) == []


GIT = shutil.which("git")


@pytest.mark.skipif(GIT is None, reason="needs git")
def test_one_changed_query_of_an_export_is_one_line_of_a_diff(tmp_path):
    search = json.dumps({"query": {"query": "host:b", "language": "kuery"}, "filter": []})
    objects = [
        {"type": kind, "id": kind, "attributes": {"title": kind,
         "kibanaSavedObjectMeta": {"searchSourceJSON": search}}}
        for kind in ("search", "visualization", "dashboard")
    ]  # fmt: skip
    path = tmp_path / "export.ndjson"
    path.write_text("".join(json.dumps(o, separators=(",", ":")) + "\n" for o in objects))
    git = [GIT or "git", "-c", "user.name=x", "-c", "user.email=x@example.com"]
    for step in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*git, *step], cwd=tmp_path, check=True)
    place = "attributes.kibanaSavedObjectMeta.searchSourceJSON.query.query"

    assert run("set", "-i", "--record", "2", f"{place}=host:a", str(path)).returncode == 0

    diff = subprocess.run(
        [*git, "diff", "--numstat"], cwd=tmp_path, check=True, capture_output=True
    )
    assert diff.stdout.split() == [b"1", b"1", b"export.ndjson"]
    words = subprocess.run(
        [*git, "diff", "--word-diff=porcelain", "--word-diff-regex=."],
        cwd=tmp_path, check=True, capture_output=True,
    ).stdout.splitlines()  # fmt: skip
    assert [line for line in words if line[:1] in b"+-" and line[:3] not in (b"+++", b"---")] == [
        b"-b",
        b"+a",
    ]
