"""The census that explain shows of a stream, compared with counts of document by document."""

import json
import os
import pickle
import random
import re
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

import nestdecode
from nestdecode import census, tally
from nestdecode.document.looking import lookalikes_of
from nestdecode.paths import Wild, format_path
from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
SPEC = {"nestdecode": 1, "layers": {"a": "json", "b[].c": "base64 | json", "d.e": "json?"}}
KINDS = [
    '{"a":"[%d]","b":[{"c":"eyJhIjoxfQ=="},{"c":"oops"}]}',
    '{"a":"{\\"x\\":\\"[%d]\\"}","d":{"e":"word"}}',
    '{"a":"{\\"x\\":%d","d":{"e":"[1]"}}',
    '{"a":"\\"[%d]\\"","b":[{"c":null},{"c":"e30="}]}',
    '{"odd name":{"a.b":"[%d]"},"a":""}',
    '{"a":"[%d',
    "",
    '{"n":%d}',
    '"{\\"a\\":[%d]}"',
]


def lines(seed: int, number: int = 400) -> list[str]:
    chance = random.Random(seed)
    kinds = [chance.choice(KINDS) for _ in range(number)]
    return [kind % n if "%" in kind else kind for n, kind in enumerate(kinds)]


def run(*arguments: str, stdin: bytes = b"", cwd: Path | None = None) -> tuple[str, str, int]:
    done = command.run(*arguments, stdin=stdin, cwd=cwd)
    return done.stdout.decode(), done.stderr.decode(), done.returncode


def path_of(pointer: str, tree: object) -> str:
    steps: list[Any] = []
    for token in pointer.split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(tree, list):
            steps.append(Wild.ELEMENTS)
            tree = tree[int(name)]
        else:
            assert isinstance(tree, dict)
            steps.append(name)
            tree = tree[name]
    return format_path(steps)


def counted(
    texts: list[str], decoder: nestdecode.Decoder
) -> tuple[int, int, dict[str, dict[str, Any]]]:
    """Count by hand: documents one by one, and what each is said to hold."""
    rows: dict[str, dict[str, Any]] = defaultdict(
        lambda: {"records": set(), "layers": 0, "size": 0, "problems": 0, "lookalikes": 0}
    )
    records = failed = 0
    for number, text in enumerate(texts, 1):
        if not text.strip():
            continue
        records += 1
        try:
            document = decoder.open(text)
        except nestdecode.DecodeError:
            failed += 1
            continue
        found: list[tuple[str, Any]] = [("layers", one) for one in document.layers]
        found += [("problems", one) for one in document.problems]
        found += [("lookalikes", one) for one in document.lookalikes]
        for what, one in found:
            row = rows[path_of(one.pointer, document.tree)]
            row["records"].add(number)
            row[what] += 1
            row["size"] += one.size if what == "layers" else 0
    return records, failed, rows


@pytest.mark.sampled(2)
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", ["file", "pipe"])
@pytest.mark.parametrize("spec", [None, SPEC], ids=["found", "declared"])
def test_a_census_counts_what_the_documents_hold(spec, how, jobs, tmp_path):
    texts = lines(1 if spec else 2)
    (tmp_path / "x.ndjson").write_text("\n".join(texts) + "\n")
    (tmp_path / "spec.json").write_text(json.dumps(spec))
    options = ["--json", "--lines", "-j", jobs, *(["-s", "./spec.json"] if spec else [])]
    stdin = (tmp_path / "x.ndjson").read_bytes() if how == "pipe" else b""
    names = ["x.ndjson"] if how == "file" else []
    out, _, code = run("explain", *options, *names, stdin=stdin, cwd=tmp_path)
    rows = [json.loads(line) for line in out.splitlines()]
    parsed = None if spec is None else nestdecode.Spec.parse(spec)
    records, failed, wanted = counted(texts, nestdecode.Decoder(parsed))

    assert code == 5
    root = rows[0]
    assert (root["path"], root["records"], root["failed"]) == ("@", records, failed)
    assert {row["path"] for row in rows[1:]} == wanted.keys() - {"@"}
    for row in rows:
        hand = wanted.get(row["path"])
        if hand is None:
            continue
        assert row["records"] == (records if row["path"] == "@" else len(hand["records"]))
        counts = ("layers", "size", "problems", "lookalikes")
        assert {name: row[name] for name in counts} == {name: hand[name] for name in counts}
        source = "stdin" if how == "pipe" else "x.ndjson"
        assert row["first"] == {"source": source, "line": min(hand["records"])}
        assert (row["first_problem"] is None) == (row["problems"] == 0)


@pytest.mark.sampled(2)
@pytest.mark.parametrize("form", ["json", "table"])
@pytest.mark.parametrize("arguments", [["x", "y"], ["y", "x"], ["--documents", "x"]])
def test_a_census_is_the_same_however_many_count(form, arguments, tmp_path):
    (tmp_path / "x").write_text("\n".join(lines(3, 3000)))
    (tmp_path / "y").write_text("\n".join(lines(4, 10)) + '\n{"a":\n"[1]"}\n{"a": [\n{}\n')
    one, two = (
        run("explain", "--format", form, "-j", jobs, *arguments, cwd=tmp_path)
        for jobs in ("1", "2")
    )

    assert one[0].count("\n") > 5
    assert two == one


def test_one_document_alone_is_a_tree():
    text = b'\n {"a":\n"{\\"b\\":\\"[1]\\"}"}\n\n'
    one = run("explain", stdin=text)
    two = run("explain", "-j2", stdin=text)
    facts = json.loads(run("explain", "--json", stdin=text)[0])

    assert one[0].splitlines() == [
        "2 layers, 2 deep, in 24 bytes; 8 of them (33%) are escaping",
        "  /a      json  11 bytes",
        "    /a/b  json   3 bytes",
    ]
    assert one[1:] == ("", 0)
    assert two == one
    assert [layer["pointer"] for layer in facts["layers"]] == ["/a", "/a/b"]
    assert (facts["record"], facts["line"], facts["source"]) == (1, 2, "stdin")
    assert run("explain", "--census", stdin=text)[0].startswith("1 record; 2 layers\nPATH")


def test_the_table_of_a_census():
    texts = [
        '{"a":"[1]"}',
        '{"a":"[2"}',
        '{"a":"{\\"b\\":\\"[1,\\"}"}',
        "{",
        '{"a":"eyJhIjoxfQ=="}',
    ]
    out, err, code = run("explain", "--lines", stdin="\n".join(texts).encode())
    note = "2 look like layers: invalid JSON: unexpected end of data: char 2"
    other = "1 looks like layers: invalid JSON: unexpected end of data: char 3"

    assert out.splitlines() == [
        "5 records, 1 of them failed; 2 layers",
        "PATH  CODECS  RECORDS  LAYERS  BYTES  SHUT  FIRST",
        f"a     json          4       2     14     0  line 1  {note}",
        f"a.b                 1       0      0     0  line 3  {other}",
    ]
    assert (err.count("\n"), code) == (2, 5)


def test_the_first_that_stays_shut_is_named_with_its_line(tmp_path):
    (tmp_path / "s.yaml").write_text("{nestdecode: 1, layers: {a: json}}")
    texts = "\n".join(['{"a":"[1]"}'] * 1500 + ['{"a":"{oops"}', '{"a":"oops"}'])
    out, _, _ = run("explain", "-s", "./s.yaml", stdin=texts.encode(), cwd=tmp_path)

    (row,) = out.splitlines()[2:]
    assert re.split("  +", row) == [
        *("a", "json", "1,502", "1,500", "4,500", "2", "line 1"),
        "line 1501: invalid JSON: unexpected character, expected a string key: char 1",
    ]


@pytest.mark.parametrize("jobs", [[], ["-j", "2"]])
def test_trees_have_the_numbers_and_lines_of_their_records(jobs, tmp_path):
    (tmp_path / "x").write_text('\n{"a":"[1]"}\n{oops\n\n{"a":"[2]"}\n')
    out, _, code = run("explain", "--trees", "--json", *jobs, "x", "x", cwd=tmp_path)
    facts = [json.loads(line) for line in out.splitlines()]
    text = run("explain", "--format", "tree", *jobs, "x", cwd=tmp_path)[0]

    places = [(fact["source"], fact["record"], fact["line"]) for fact in facts]
    assert places == [("x", 1, 2), ("x", 3, 5)] * 2
    assert code == 5
    assert [line for line in text.splitlines() if line.startswith("record")] == [
        "record 1, line 2 of x:",
        "record 3, line 5 of x:",
    ]


def taken(texts: list[bytes], sizes: list[int]) -> census.Census:
    """Return the census of texts, counted in batches of these sizes, one after another."""
    engine = nestdecode.Decoder().engine
    whole, start = census.Census(), 0
    for size in sizes:
        part = census.Census()
        for number, raw in enumerate(texts[start : start + size], 1):
            part.count(engine.trace(raw), engine.reader, number)
        whole.add(part, "x", start)
        start += size
    return whole


def rows_of(whole: census.Census) -> dict[str, int]:
    return {path: place.layers for path, _, place in whole.rows()}


def test_members_beyond_the_bound_share_a_row(monkeypatch):
    records = [b'{"o":{"%d":"[1]","%d":{"a":"[1]"}}}' % (n % 30, n % 7) for n in range(60)]
    sizes = [9] * 7
    everything = rows_of(taken(records, sizes))
    monkeypatch.setattr(tally, "MOST_MEMBERS", 5)
    some = taken(records, sizes)

    assert len(everything) == 30 + 7
    assert rows_of(some) == {
        "o.*": sum(n for path, n in everything.items() if path.count(".") == 1),
        "o.*.a": sum(n for path, n in everything.items() if path.count(".") == 2),
    }
    assert some.tallies.root.members["o"].rest is not None
    assert [records for _, records, _ in some.rows()] == [None, None]


def test_names_of_paths_are_bounded_together(monkeypatch):
    monkeypatch.setattr(tally, "MOST_NAMES", 1000)
    raw = json.dumps({"k" * 400: {"a": "[1]"}, "l" * 700: {"a": "[1]"}, "d": "[1]"}).encode()

    assert rows_of(taken([raw], [1])) == {"*": 1, "*.a": 2}


def random_record(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.randrange(9 if depth < 5 else 5)
    if kind < 5:
        return chance.choice([None, True, 7, 1.5, "", " ", "word", "{oops", "[1", '{"a":'])
    if kind == 5:
        return json.dumps(random_record(chance, depth + 1))
    if kind == 6:
        return [random_record(chance, depth + 1) for _ in range(chance.randrange(4))]
    names = chance.sample("abcdefgh", chance.randrange(8))
    return {name: random_record(chance, depth + 1) for name in names}


@pytest.mark.sampled(6)
@pytest.mark.parametrize("most", [1000, 4, 2])
@pytest.mark.parametrize("seed", range(10))
def test_a_census_is_the_same_in_any_order_and_in_any_parts(seed, most, monkeypatch):
    monkeypatch.setattr(tally, "MOST_MEMBERS", most)
    chance = random.Random(seed)
    texts = [json.dumps(random_record(chance)).encode() for _ in range(60)]
    engine = nestdecode.Decoder().engine
    whole = taken(texts, [len(texts)])
    traces = [engine.trace(raw) for raw in texts]
    met = sum(len(opening.layers) for trace in traces for opening in trace.openings)
    met += sum(len([*lookalikes_of(trace, engine.reader)]) for trace in traces)
    once = whole.__getstate__()

    assert sum(place.layers + place.lookalikes for _, _, place in whole.rows()) == met
    numbered = list(enumerate(texts))
    for _ in range(3):
        chance.shuffle(numbered)
        whole = census.Census()
        for number, raw in numbered:
            part = census.Census()
            part.count(engine.trace(raw), engine.reader, 1)
            whole.add(pickle.loads(pickle.dumps(part)), "x", number)

        assert whole.__getstate__() == once


def test_a_census_of_deep_records_can_be_sent():
    raw = b'{"a":' * 190 + b"[]" + b"}" * 190
    once = taken([raw], [1])

    assert pickle.loads(pickle.dumps(once)).__getstate__() == once.__getstate__()


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
def test_a_stream_that_is_interrupted_is_counted_to_there():
    with subprocess.Popen(
        [*NESTDECODE, "explain", "--lines"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as child:
        assert child.stdin is not None
        assert child.stderr is not None
        # What is told of the last line says that the others were counted.
        child.stdin.write(b'{"a":"[1]"}\n{"a":"[2]"}\n{\n')
        child.stdin.flush()
        child.stderr.readline()
        child.send_signal(signal.SIGINT)
        out, _ = child.communicate(timeout=60)

    assert out.splitlines()[0] == b"3 records, 1 of them failed; 2 layers"
    assert child.returncode == 130


def test_a_census_of_nothing_is_nothing():
    assert run("explain", stdin=b"") == ("", "", 0)
    assert run("explain", "--json", stdin=b"\n\n") == ("", "", 0)
    assert run("explain", "--census", "--format", "tree", stdin=b"[]")[2] == 2
