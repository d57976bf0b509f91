"""How diff pairs records, and the differences that it reports of a pair."""

import contextlib
import io
import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import Decoder
from nestdecode.cli import cli
from nestdecode.document.comparing import Tree, differences, tree_of

RECORDS = st.lists(
    st.sampled_from([{"id": n, "v": v} for n in range(4) for v in (0, "[1]")]), max_size=8
)


def lines(records: list[Any]) -> bytes:
    return b"".join(json.dumps(record).encode() + b"\n" for record in records)


def told(folder: Any, one: bytes, other: bytes, *options: str) -> tuple[int, list[Any]]:
    """Compare two files in this process; return the exit code and the differences."""
    (folder / "a").write_bytes(one)
    (folder / "b").write_bytes(other)
    text = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    words = ["diff", "--json", *options, str(folder / "a"), str(folder / "b")]
    with contextlib.redirect_stdout(text):
        code = cli.main(words, standalone_mode=False)
    text.flush()
    return code, [json.loads(line) for line in text.buffer.getvalue().splitlines()]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("diff")


def opened(records: list[Any]) -> list[Any]:
    return [Decoder().expand(json.dumps(record)) for record in records]


def numbers(found: list[Any], side: str) -> set[int]:
    return {change[side]["record"] for change in found if side in change}


def rebuilt(old: list[Any], found: list[Any]) -> list[Any]:
    """Make of the first file's records what the differences say that the second one has."""
    gone = numbers([c for c in found if "b" not in c], "a")
    changed: dict[int, Any] = {}
    added: dict[int, Any] = {}
    for change in found:
        if "a" not in change:
            added[change["b"]["record"]] = change["new"]
        elif "b" in change and not change["pointer"]:
            changed[change["a"]["record"]] = change["new"]
        elif "b" in change:
            number = change["a"]["record"]
            record = changed.setdefault(number, dict(old[number - 1]))
            record[change["pointer"][1:]] = change["new"]
    kept = [changed.get(n, r) for n, r in enumerate(old, 1) if n not in gone]
    for number in sorted(added):
        kept.insert(number - 1, added[number])
    return kept


@given(RECORDS, RECORDS)
def test_what_is_told_leads_from_one_file_to_the_other(folder, old, new):
    # Several at least: alone, a record has no number.
    old, new = [{"id": 9}, {"id": 9}, *old], [{"id": 8}, *new]
    code, found = told(folder, lines(old), lines(new), "--ignore-layers")

    assert code == 1
    assert rebuilt(opened(old), found) == opened(new)
    assert told(folder, lines(old), lines(old)) == (0, [])


@given(st.permutations(range(8)), st.integers(0, 7), st.data())
def test_with_a_key_the_order_makes_no_difference(folder, order, changed, data):
    old = [{"id": n, "v": "{}"} for n in range(8)]
    new = [dict(old[n]) for n in order]
    new[order.index(changed)]["v"] = "[]"
    code, found = told(folder, lines(old), lines(new), "--key", "id")

    assert code == 1
    assert [(c["a"]["record"], c["pointer"], c["new"]) for c in found] == [(changed + 1, "/v", [])]


def test_a_record_in_front_is_one_addition(folder):
    old = [{"id": n, "body": json.dumps({"n": n})} for n in range(50)]
    code, found = told(folder, lines(old), lines([{"id": -1}, *old]))

    assert code == 1
    assert found == [{"b": {"record": 1, "line": 1}, "pointer": "", "new": {"id": -1}}]


def test_records_of_one_key_are_paired_in_order_and_those_of_none_by_content(folder):
    old = [{"id": 1, "v": 1}, {"id": 1, "v": 2}, {"v": 3}, {"v": 4}]
    new = [{"v": 4}, {"id": 1, "v": 1}, {"id": 1, "v": 5}]
    _, found = told(folder, lines(old), lines(new), "--key", "id")

    assert [(c.get("a", {}).get("record"), c.get("new")) for c in found] == [(3, None), (2, 5)]


@pytest.mark.parametrize(
    ("one", "other", "changes"),
    [
        # Encoded once more, at any depth, in objects, arrays and as a whole.
        ('{"a": "{\\"x\\":1}"}', '{"a": {"x": 1}}', [("/a", '{"x":1}', {"x": 1})]),
        ('["[1]", 2]', "[[1], 2]", [("/0", "[1]", [1])]),
        ('{"a":{"b":["{}"]}}', '{"a":{"b":[{}]}}', [("/a/b/0", "{}", {})]),
        (
            json.dumps({"a": json.dumps({"b": json.dumps([1])})}),
            json.dumps({"a": json.dumps({"b": [1]})}),
            [("/a/b", "[1]", [1])],
        ),
        # The same value, spelled in another way.
        ('{"a": "{\\"x\\": 1, \\"y\\": 2}"}', '{"a": "{\\"y\\":2,\\"x\\":1}"}', []),
    ],
)
def test_a_layer_and_its_value_are_told_apart(folder, one, other, changes):
    _, found = told(folder, one.encode(), other.encode())

    assert [(c["pointer"], c["old"], c["new"]) for c in found] == changes
    assert told(folder, one.encode(), other.encode(), "--ignore-layers") == (0, [])


def test_what_is_the_same_but_for_a_layer_far_in_is_found():
    chance = random.Random(3)
    for _ in range(200):
        value: Any = chance.choice([[1], {"k": "v"}])
        steps = [chance.choice([0, "m"]) for _ in range(chance.randint(0, 6))]
        trees = []
        for is_layer in (True, False):
            tree: Any = json.dumps(value) if is_layer else value
            for step in steps:
                tree = {"m": tree, "n": [[1]]} if step == "m" else [tree, {"n": 1}]
            trees.append(tree_of(Decoder().engine.trace(json.dumps([tree]).encode())))
        found = list(differences(*trees))

        assert [change.path for change in found] == [(0, *reversed(steps))]
        assert [c.new for c in found] == [value]
        assert not list(differences(*(Tree(tree.value, {}) for tree in trees)))
