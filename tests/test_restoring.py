"""Edited records put back: some removed, added or moved, some that only look changed."""

import json
import random
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests import oracle, setting
from tests.strategies import EFFORT
from tests.test_cli_back import editor, run


def test_what_stays_of_a_stream_is_what_it_was(tmp_path):
    """Random streams: some records go, change, come or move."""
    chance = random.Random(3)
    path = tmp_path / "o.ndjson"
    for _ in range(round(120 * EFFORT)):
        lines = [line_of(chance, number) for number in range(chance.randint(1, 8))]
        mark = chance.choice(["", "\ufeff"])
        end = chance.choice(["", "\n", "\n\n"])
        path.write_text(mark + "\n".join(lines) + end)
        kept = [number for number in range(len(lines)) if chance.random() < 0.7]
        if chance.random() < 0.3:
            chance.shuffle(kept)
        trees = [oracle.expand(oracle.decode(lines[number].encode())) for number in kept]
        changed = [chance.random() < 0.2 for _ in kept]
        for tree, is_changed in zip(trees, changed, strict=True):
            if is_changed:
                tree["new"] = chance.choice([1, "x", {"y": []}])
        edited = "".join(json.dumps(tree) + "\n" for tree in trees).encode()
        key = ["--key", "id"] if chance.random() < 0.5 else []
        code, out, _ = setting.run(["collapse", "--like", str(path), *key], edited)

        assert code == 0
        if not kept:
            assert out == b""
            continue
        text = out.decode()
        assert text.startswith(mark + "{")
        assert re.search(r"\}[ \r]?" + end + r"\Z", text)
        got = text.removeprefix(mark).split("\n")[: len(kept)]
        for line, number, tree, is_changed in zip(got, kept, trees, changed, strict=True):
            assert oracle.same(oracle.expand(oracle.decode(line.encode())), tree)
            if not is_changed:
                assert line == lines[number]
            elif key:
                # Its own style and layers, whatever became of its neighbours.
                assert line.startswith(lines[number].rstrip("} \r"))


def line_of(chance: random.Random, number: int) -> str:
    layer = json.dumps({"n": chance.randint(0, 2), "f": 1.5}, separators=(",", ":"))
    value = chance.choice([layer, {"n": 1}, "plain", [layer, layer]])
    return json.dumps({"id": number, chance.choice("ab"): value}) + chance.choice(["", " ", "\r"])


ORIGINAL = (
    b'{"id":1,"b":"{\\"n\\": 1E5, \\"x\\":\\"one\\"}"}\n'
    b'{"id":2,"b":"{\\"n\\": 2.0}"}\n\n'
    b'{"id":3, "c":[1.10,2] }\n{"id":4,"b":"plain"}\n'
)
LINES = ORIGINAL.split(b"\n")


@pytest.fixture
def original(tmp_path):
    path = tmp_path / "o.ndjson"
    path.write_bytes(ORIGINAL)
    return path


def edited(change: Any = lambda records: records) -> bytes:
    records = [oracle.expand(json.loads(line)) for line in LINES if line]
    return b"".join(json.dumps(record).encode() + b"\n" for record in change(records))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("command", ["collapse", "edit"])
@pytest.mark.parametrize("numbers", ["double", "exact"])
def test_another_spelling_of_a_number_is_a_change_under_exact_only(
    original, tmp_path, command, numbers
):
    text = edited().replace(b"100000.0", b"100000").replace(b"2.0", b"2")
    if command == "collapse":
        result = run("collapse", "--like", str(original), "--numbers", numbers, stdin=text)
        out = result.stdout
    else:
        environment = editor(tmp_path, f"open(PATH, 'wb').write({text!r})")
        result = run("edit", str(original), "--numbers", numbers, env=environment)
        out = original.read_bytes()

    assert result.returncode == 0
    if numbers == "double":
        assert out == ORIGINAL
    else:
        assert out == ORIGINAL.replace(b"1E5", b"100000").replace(b"2.0", b"2").replace(
            b"1.10", b"1.1"
        )


def test_types_that_are_no_numbers_still_differ(tmp_path):
    (tmp_path / "o").write_bytes(b'[1, 0, "1", null]')
    result = run("collapse", "--like", str(tmp_path / "o"), stdin=b"[true, false, 1, 0]")

    assert result.stdout == b"[true, false, 1, 0]"


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("words", "change", "out", "said"),
    [
        pytest.param(
            [], lambda r: [r[0], *r[2:]], [0, 2, 3], "1 record left out", id="one is left out"
        ),
        pytest.param([], lambda r: [], None, "4 records left out", id="all are left out"),
        pytest.param([], lambda r: [r[3], r[0]], [3, 0], "2 records left out", id="moved"),
        pytest.param(
            [],
            lambda r: [{**r[1], "b": {"n": 7}}, r[2], r[3]],
            [b'{"id":2,"b":"{\\"n\\": 7}"}', 2, 3],
            "1 record left out, 1 changed, and paired with the most similar record",
            id="the nearest is the most alike",
        ),
        pytest.param(
            ["--key", "id"],
            lambda r: [{"id": 4, "b": {"n": 7}}, {"id": 2, "b": {"n": 7}}],
            [b'{"id":4,"b":{"n":7}}', b'{"id":2,"b":"{\\"n\\": 7}"}'],
            "2 records left out",
            id="by a key",
        ),
        pytest.param(
            [],
            lambda r: [*r[:2], {"id": 9, "b": {"n": 9}}, *r[2:]],
            [0, 1, b'{"id":9,"b":"{\\"n\\": 9}"}', 2, 3],
            "1 record added",
            id="an added one is like the one before it",
        ),
    ],
)
def test_records_are_paired_with_those_that_they_come_from(original, words, change, out, said):
    result = run("collapse", "--like", str(original), *words, stdin=edited(change))

    rows = [line for line in LINES if line]
    wanted = [rows[row] if isinstance(row, int) else row for row in out or []]
    assert [line for line in result.stdout.split(b"\n") if line] == wanted
    assert result.stderr.decode() == f"nestdecode: {original}: {said}\n"
    assert result.returncode == 0


@pytest.mark.skipif(not shutil.which("jq"), reason="needs jq")
@pytest.mark.parametrize("key", ["", "--key id"])
def test_what_jq_selects_is_put_back(original, key):
    program = f"{sys.executable} -m nestdecode"
    line = (
        f"set -o pipefail; {program} expand {original} | jq -c 'select(.id != 2)' "
        f"| {program} collapse {key} --like {original}"
    )
    result = subprocess.run(["bash", "-c", line], capture_output=True, check=True)

    assert result.stdout == ORIGINAL.replace(LINES[1] + b"\n\n", b"")


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (
            ["--key", "nope"],
            b"--key is null for every record: wanted a value that differs by record",
        ),
        (["--key", "length(id)"], b"line 1: --key: length() wants"),
    ],
)
def test_a_key_that_is_none_is_refused(original, words, reason):
    result = run("collapse", "--like", str(original), *words, stdin=edited())

    assert result.stdout == b""
    assert result.returncode in (2, 5)
    assert reason in result.stderr
    assert b"Traceback" not in result.stderr


def test_collapse_is_told_how(original):
    for words in ([], ["--key", "id"], ["--spec", "none"]):
        assert run("collapse", *words, str(original)).returncode == 2
    text = run("collapse", "--help").stdout.decode()
    assert "Give --like, --spec, or both." in text
    assert "the spec, or none" not in " ".join(text.split())


def test_what_a_policy_took_away_is_not_lent_to_an_added_record(tmp_path):
    (tmp_path / "s.yaml").write_text(
        "nestdecode: 1\nlayers: {a: {codecs: json, on-error: drop}, b: json}"
    )
    (tmp_path / "o").write_bytes(b'{"id":1,"a":"{secret"}\n')
    result = run(
        "collapse", "-s", str(tmp_path / "s.yaml"), "--like", str(tmp_path / "o"),
        stdin=b'{"id":1}\n{"id":2,"b":[1]}\n',
    )  # fmt: skip

    assert result.stdout == b'{"id":1,"a":"{secret"}\n{"id":2,"b":"[1]"}\n'


def test_documents_that_touched_are_told_apart(tmp_path):
    (tmp_path / "o").write_bytes(b"{}[1]{}[2]")
    result = run(
        "collapse", "--documents", "--like", str(tmp_path / "o"), stdin=b"{}\n[2]\n7\n[3]\n"
    )

    assert oracle_documents(result.stdout) == [{}, [2], 7, [3]]


def oracle_documents(text: bytes) -> list[Any]:
    found, at, decoder = [], 0, json.JSONDecoder()
    left = text.decode()
    while left[at:].strip():
        at += len(left[at:]) - len(left[at:].lstrip())
        value, at = decoder.raw_decode(left, at)
        found.append(value)
    return found


@pytest.mark.sampled(2)
@pytest.mark.parametrize(
    ("code", "wanted", "said"),
    [
        pytest.param("del r[1]", [0, 2, 3], "1 record left out", id="removed"),
        pytest.param(
            "r.insert(1, {**r[0], 'id': 9})",
            [0, LINES[0].replace(b'"id":1', b'"id":9'), 1, 2, 3],
            "1 record added",
            id="added",
        ),
        pytest.param("r.reverse()", [3, 2, 1, 0], "", id="moved"),
        pytest.param(
            "r[2]['c'] = 5; del r[0]", [1, b'{"id":3, "c":5 }', 3], "1 record left out",
            id="removed, and one changed",
        ),
    ],
)  # fmt: skip
def test_edit_adds_and_removes_records(original, tmp_path, code, wanted, said):
    script = (
        "import json; text = open(PATH).read(); d = json.JSONDecoder(); r = []\n"
        "while text.strip():\n"
        "  value, end = d.raw_decode(text.lstrip()); r.append(value)\n"
        "  text = text.lstrip()[end:]\n"
        f"{code}\n"
        "open(PATH, 'w').write(''.join(json.dumps(x, indent=2) + chr(10) for x in r))"
    )
    result = run("edit", str(original), env=editor(tmp_path, script))

    rows = [line for line in LINES if line]
    assert [line for line in original.read_bytes().split(b"\n") if line] == [
        rows[row] if isinstance(row, int) else row for row in wanted
    ]
    assert result.returncode == 0
    assert result.stderr.decode() == (f"nestdecode: {original}: {said}\n" if said else "")


def test_an_edited_file_without_records_is_not_put_back(original, tmp_path):
    result = run("edit", str(original), env=editor(tmp_path, "open(PATH, 'w').write('\\n')"))

    assert result.returncode == 5
    assert b"no record is left in it: keep at least one" in result.stderr
    assert original.read_bytes() == ORIGINAL


@pytest.mark.slow
@pytest.mark.parametrize("key", [[], ["--key", "id"]], ids=["content", "key"])
def test_pairing_takes_linear_time(tmp_path, key):
    took = []
    for count in (2_000, 8_000):
        path: Path = tmp_path / "o.ndjson"
        rows = [json.dumps({"id": n, "same": n % 3}) for n in range(count)]
        path.write_text("\n".join(rows) + "\n")
        # Every other one goes, every seventh changes, and the rest is turned around.
        left = [row.replace('"same"', '"new"') if n % 7 else row for n, row in enumerate(rows[::2])]
        began = time.perf_counter()
        result = run("collapse", "--like", str(path), *key, stdin="\n".join(left[::-1]).encode())
        took.append(time.perf_counter() - began)

        assert result.stdout.count(b"\n") == len(left)
    assert took[1] < 4 * 2 * took[0]
