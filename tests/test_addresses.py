"""Addresses: many take little memory, however long their names, and their pointers are exact."""

import json
import pickle
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import DecodeError, Decoder
from nestdecode.paths import ROOT, Address, join_pointer, split_pointer
from nestdecode.plan.run import Run
from nestdecode.text.reader import Limits, Reader
from nestdecode.words import shortened
from tests import strategies
from tests.test_whole import MEBI, measured

steps = st.lists(strategies.keys | st.integers(0, 1000), max_size=6)


@given(steps, steps)
def test_an_address_is_its_steps(one, other):
    address = Address.of(one)

    assert address.steps() == one
    assert str(address) == join_pointer(one)
    assert split_pointer(str(address)) == tuple(map(str, one))
    assert (address == Address.of(other)) == (one == other)
    assert len({address, Address.of(list(one)), Address(address, "x")}) == 2
    assert pickle.loads(pickle.dumps(address)) == address


long_names = st.sampled_from([n * m for n in ("k", "/", "~x") for m in (1, 66, 99, 100, 101, 201)])


@given(st.lists(long_names | st.integers(0, 1000), max_size=4))
def test_a_brief_address_is_its_pointer_shortened(one):
    assert Address.of(one).brief == shortened(join_pointer(one))
    assert str(DecodeError("no", Address.of(one))) == str(DecodeError("no", join_pointer(one)))


def test_an_address_is_nothing_else():
    assert Address(ROOT, 0) != Address(ROOT, "0")
    assert Address(ROOT, "") != ROOT
    assert Address(ROOT, "a") != "/a"
    assert repr(Address(ROOT, "a")) == "Address('/a')"
    assert len(repr(Address(ROOT, "a" * 10_000))) < 250


@given(st.lists(steps, max_size=8))
def test_a_run_knows_where_it_is(paths):
    run = Run(Reader(Limits(), "double", "last"), "keep", lambda _: None)
    for path in paths:
        run.path = path

        assert run.address() == Address.of(path)


def test_neighbours_share_what_is_around_them():
    decoder = Decoder(max_depth=200)
    one, other = decoder.open('{"a":' * 150 + '["[1]", "[2]"]' + "}" * 150).layers

    assert one.address.around is other.address.around


def test_an_error_with_an_address_can_be_pickled():
    deep = Address.of(["k", 0] * 120)
    again = pickle.loads(pickle.dumps(DecodeError("no", deep, "json")))

    assert (again.reason, again.pointer, again.codec) == ("no", "/k/0" * 120, "json")


# In processes of their own, whose memory is measured: a document in which everything is far
# below a long name, or below many.
DOCUMENTS = {
    "a long name": 'json.dumps({"k" * 500_000: {f"a{i}": TEXT for i in range(8000)}})',
    "long names in layers": (
        'json.dumps({"k" * 200_000: json.dumps({"/" * 100_000: [TEXT for _ in range(8000)]})})'
    ),
    "many names": """('{"%s":' % ("a" * 50)) * 50 + json.dumps([TEXT] * 30_000) + "}" * 50""",
}
BELOW = {
    "a long name": {"*.*": "json"},
    "long names in layers": {"*": "json", "*.*[]": "json"},
    "many names": {".".join(["a" * 50] * 50) + "[]": "json"},
}
# The text in all places, and what is asked of the document.
ASKED = {
    "layers": ("[1]", "document.layers"),
    "lookalikes": ("[1", "document.lookalikes"),
    "problems": ("[1", "document.problems"),
    "collapse": ("[1]", "edited(document).collapse()"),
    "collapse around problems": ("[1", "edited(document).collapse()"),
}
ATTACK = """
import json, resource
from nestdecode import Decoder, Spec

TEXT = {text!r}

def edited(document):
    values = [document.tree]
    while values:
        value = values.pop()
        if isinstance(value, list) and len(value) > 100:
            del value[::2]
            value.append(7)
        else:
            values += value.values() if isinstance(value, dict) else ()
            if len(value) > 100:
                value["new"] = value.pop("a7")
    return document

raw = ({document}).encode()
spec = Spec.parse({{"nestdecode": 1, "layers": {below!r}}}) if {declared} else None
document = Decoder(spec, max_depth=250).open(raw)
found = {asked}
print(len(raw), len(found), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10)
"""


def printed(code: str) -> tuple[int, ...]:
    # Started by something small: a process begins with the memory of what forked it.
    start = "import subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode)"
    result = subprocess.run(
        [sys.executable, "-c", start, sys.executable, "-c", code],
        capture_output=True,
        check=True,
        timeout=60,
    )
    return tuple(map(int, result.stdout.split()))


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere rusage counts otherwise")
@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("name", DOCUMENTS)
def test_addresses_take_little_memory(name, asked):
    text, expression = ASKED[asked]
    # Only what is declared can be a problem.
    declared = text == "[1" and asked != "lookalikes"
    code = ATTACK.format(
        text=text,
        document=DOCUMENTS[name],
        below=BELOW[name],
        declared=declared,
        asked=expression,
    )
    size, found, memory = printed(code)

    assert found >= 8000
    assert memory < 45 * size + 64 * MEBI


@pytest.mark.sampled(1)
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere rusage counts otherwise")
@pytest.mark.parametrize("form", ["tree", "table", "json"])
def test_explain_takes_little_memory(form, tmp_path):
    texts = {f"a{i}": "[1]" if i % 2 else "[1" for i in range(8000)}
    document = json.dumps({"k" * 500_000: texts})
    (tmp_path / "x.json").write_text(document)
    code, out, messages, memory = measured("explain", "--format", form, "x.json", cwd=tmp_path)

    assert memory < 45 * len(document) + 64 * MEBI
    if form == "json":
        assert (code, out) == (5, b"")
        assert b"too long to be listed" in messages
    else:
        assert (code, messages) == (0, b"")
        assert out.count(b"k...k") == 8000
        assert max(map(len, out.splitlines())) < 400


def test_explain_aligns_no_column_to_a_long_pointer(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({"a": "[1]", "k" * 5000: "[1]"}))
    _, out, _, _ = measured("explain", "x.json", cwd=tmp_path)
    _, short, long = out.decode().splitlines()

    assert short == f"{'  /a':<100}  json  3 bytes"
    assert long == f"  /{'k' * 99}...{'k' * 100}  json  3 bytes"
