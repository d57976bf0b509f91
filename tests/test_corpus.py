"""
Documents and test suites written by others.

They are not part of this repository: NESTDECODE_CORPUS names their folder.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import nestdecode
from nestdecode.text.write import dump
from tests import oracle, soak
from tests.together import together

CORPUS = os.environ.get("NESTDECODE_CORPUS")
ROOT = Path(CORPUS or "")
REALWORLD = ROOT / "realworld"
SUITE = ROOT / "jsontestsuite" / "test_parsing"
# Deeper than max_depth: the one text that is refused for what no parser must refuse.
TOO_DEEP = "i_structure_500_nested_arrays"

pytestmark = pytest.mark.skipif(
    CORPUS is None, reason="NESTDECODE_CORPUS is unset: it names the corpus folder"
)


def _read_records(entry: dict[str, Any]) -> list[bytes]:
    raw = (REALWORLD / entry["path"]).read_bytes()
    if entry["format"] == "json":
        return [raw]
    return [line for line in raw.split(b"\n") if line.strip()]


def _read_realworld() -> list[tuple[str, bytes, dict[str, Any]]]:
    """Return (id, record, expectation) for each document; none without a corpus."""
    if CORPUS is None or not (REALWORLD / "manifest.json").exists():
        return []
    manifest = json.loads((REALWORLD / "manifest.json").read_bytes())
    expected = json.loads((REALWORLD / "expected.json").read_bytes())["files"]
    return [
        (f"{entry['path']}-{number}", record, expectation)
        for entry in manifest
        for number, (record, expectation) in enumerate(
            zip(_read_records(entry), expected[entry["path"]], strict=True)
        )
    ]


def _read_suite(prefix: str) -> list[Any]:
    if CORPUS is None:
        return []
    return [
        pytest.param(path.read_bytes(), id=path.stem)
        for path in sorted(SUITE.glob(f"{prefix}_*.json"))
    ]


def _read_nested(prefix: str) -> list[Any]:
    """List the suite's texts that a string can hold."""
    found = []
    for param in _read_suite(prefix):
        try:
            text = param.values[0].decode()
        except UnicodeDecodeError:
            continue
        found.append(pytest.param(text, id=param.id))
    return found


RECORDS = _read_realworld()
DOCUMENTS = [pytest.param(record, known, id=name) for name, record, known in RECORDS]
NEGATIVES = [
    pytest.param(record, id=name) for name, record, _ in RECORDS if name.startswith("negatives/")
]


def _fingerprint(tree: Any) -> str:
    text = json.dumps(
        tree, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def test_the_corpus_is_whole():
    layers = sum(len(oracle.layers(oracle.decode(record))) for _, record, _ in RECORDS)

    assert len(RECORDS) >= 173, f"no corpus in {CORPUS}: is NESTDECODE_CORPUS right?"
    assert len(NEGATIVES) >= 16
    assert layers >= 781
    assert [len(_read_suite(prefix)) for prefix in "yni"] == [95, 188, 35]
    assert [len(_read_nested(prefix)) for prefix in "yni"] == [95, 176, 22]


@together(("record", "known"), DOCUMENTS)
def test_the_oracle_finds_what_others_found(record, known):
    value = oracle.decode(record)

    assert [list(layer) for layer in oracle.layers(value)] == known["nested"]
    assert _fingerprint(oracle.expand(value)) == known["expanded_sha256"]


@together(("record", "known"), DOCUMENTS)
def test_a_real_document_expands_to_the_known_tree(record, known):
    tree = nestdecode.expand(record)

    assert _fingerprint(tree) == known["expanded_sha256"]
    assert oracle.same(tree, oracle.expand(oracle.decode(record)))


def test_a_decoder_that_has_seen_every_document_still_opens_every_layer():
    decoder = nestdecode.Decoder()

    for _ in range(3):
        trees = [decoder.expand(record) for _, record, _ in RECORDS]

        assert [_fingerprint(tree) for tree in trees] == [
            known["expanded_sha256"] for _, _, known in RECORDS
        ]


def test_a_stream_of_like_documents_expands_to_the_known_trees():
    decoder = nestdecode.Decoder()

    for name, record, known in RECORDS:
        trees = [decoder.expand(record) for _ in range(8)]

        assert {_fingerprint(tree) for tree in trees} == {known["expanded_sha256"]}, name


@pytest.mark.parametrize("record", NEGATIVES)
def test_a_document_without_layers_comes_back_as_it_was_parsed(record):
    tree = nestdecode.expand(record)

    assert oracle.same(tree, json.loads(record))


@together(["text"], _read_suite("y"))
def test_a_valid_text_is_accepted(text):
    tree = nestdecode.expand(text)

    assert oracle.same(tree, oracle.expand(oracle.decode(text)))


def _exact_or_refused(text: bytes) -> Any:
    """Expand under numbers: exact; return what is written, read back as the oracle reads."""
    try:
        tree = nestdecode.Decoder(numbers="exact").expand(text)
    except nestdecode.DecodeError:
        return "refused"
    return oracle.loads_kept(dump(tree).decode())


@pytest.mark.parametrize("text", [*_read_suite("y"), *_read_suite("i")])
def test_exact_keeps_the_numbers_of_the_suite(text, request):
    try:
        expected = oracle.decode(text, oracle.loads_kept)
    except ValueError:
        expected = "refused"
    if TOO_DEEP in request.node.name:
        expected = "refused"

    assert oracle.same(_exact_or_refused(text), expected)


@pytest.mark.parametrize("text", [*_read_nested("y"), *_read_nested("i")])
def test_exact_keeps_them_in_a_layer(text, request):
    document = {"a": text}
    kept = TOO_DEEP in request.node.name
    expected = document if kept else oracle.expand(document, oracle.loads_kept)

    assert oracle.same(_exact_or_refused(json.dumps(document).encode()), expected)


@together(("record", "known"), DOCUMENTS)
def test_exact_keeps_the_numbers_of_a_real_document(record, known):
    expected = oracle.expand(oracle.decode(record, oracle.loads_kept), oracle.loads_kept)

    assert oracle.same(_exact_or_refused(record), expected)


@pytest.mark.parametrize("arguments", [{}, {"numbers": "exact"}, {"duplicates": "error"}], ids=str)
@together(["text"], _read_suite("n"))
def test_an_invalid_text_is_refused(text, arguments):
    with pytest.raises(nestdecode.DecodeError, match=r"^(invalid JSON|deeper than)"):
        nestdecode.Decoder(**arguments).expand(text)


@pytest.mark.parametrize("text", _read_suite("i"))
def test_a_doubtful_text_is_read_as_the_oracle_reads_it_or_refused(text, request):
    try:
        expected = None if TOO_DEEP in request.node.name else oracle.decode(text)
    except ValueError:
        expected = None

    if expected is None:
        with pytest.raises(nestdecode.DecodeError):
            nestdecode.expand(text)
    else:
        assert oracle.same(nestdecode.expand(text), oracle.expand(expected))


@together(["text"], _read_nested("y"))
def test_a_valid_text_is_a_layer_if_it_holds_a_container(text):
    tree = nestdecode.expand(json.dumps({"a": text}))

    assert oracle.same(tree, oracle.expand({"a": text}))


@pytest.mark.parametrize("arguments", [{}, {"numbers": "exact"}, {"duplicates": "error"}], ids=str)
@together(["text"], _read_nested("n"))
def test_an_invalid_text_is_no_layer(text, arguments):
    tree = nestdecode.Decoder(**arguments).expand(json.dumps({"a": text}))

    assert oracle.same(tree, {"a": text})


@pytest.mark.parametrize("text", _read_nested("i"))
def test_a_doubtful_text_is_opened_as_the_oracle_opens_it_or_kept(text, request):
    tree = nestdecode.expand(json.dumps({"a": text}))
    kept = TOO_DEEP in request.node.name

    assert oracle.same(tree, {"a": text} if kept else oracle.expand({"a": text}))


@together(("record", "known"), DOCUMENTS)
def test_a_real_document_comes_back_byte_for_byte(record, known):
    document = nestdecode.Decoder().open(record)

    assert document.collapse() == record
    assert [[la.pointer, la.depth, len(la.text)] for la in document.layers] == known["nested"]

    # In another order the members have to be looked at, one by one.
    document.tree = soak.turned(document.tree)

    assert document.collapse() == record


def _words(tree: Any) -> Iterator[tuple[Any, Any, str]]:
    """List the strings of a tree that are written the same way everywhere."""
    for container, key in soak.places(tree):
        if isinstance(container[key], str) and re.fullmatch("[A-Za-z0-9]{4,}", container[key]):
            yield container, key, container[key]


@pytest.mark.slow
def test_one_changed_string_of_a_real_document_is_one_change_of_its_bytes():
    changed = 0
    for name, record, _ in RECORDS:
        document = nestdecode.Decoder().open(record)
        words = [found for found in _words([document.tree]) if record.count(found[2].encode()) == 1]
        for container, key, word in words:
            container[key] = "NEWVALUE"
            changed += 1

            assert document.collapse() == record.replace(word.encode(), b"NEWVALUE"), name

            container[key] = word

    assert changed > 300


@together(["text"], _read_suite("y"))
def test_a_valid_text_comes_back_byte_for_byte(text):
    document = nestdecode.Decoder().open(text)

    assert document.collapse() == text

    document.tree = soak.turned(document.tree)

    assert document.collapse() == text


@together(["text"], _read_nested("y"))
def test_beside_a_valid_text_in_a_string_all_stays(text):
    raw = json.dumps({"a": text, "b": "OLDVALUE"}).encode()
    document = nestdecode.Decoder().open(raw)
    document.tree["b"] = "NEWVALUE"

    assert document.collapse() == raw.replace(b"OLD", b"NEW")
