"""Several records parsed at once: the answers of one by one, and used where it can be."""

import json
import random
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import DecodeError, Decoder, Spec
from nestdecode.stream.answering import Answering
from nestdecode.stream.malformed import in_place_of_malformed
from nestdecode.stream.splitter import read_batches
from nestdecode.text import joined as together
from nestdecode.text.joined import Together, crowded, joined, joined_lines
from nestdecode.text.scan import hides, is_flat, visible
from nestdecode.text.write import dump, dump_lines
from tests import herd

LAYER = {"type": "string", "contentMediaType": "application/json", "contentSchema": {}}
SPEC = {"properties": {"a": LAYER, "b": {"items": {"properties": {"c": LAYER}}}}}
USUAL = b'{"a":"{\\"x\\":[1,\\"\\"]}","b":[{"c":"[1]","pad":"' + b"x" * 100 + b'"}],"n":[0]}'
UNUSUAL = [
    *(b"{}", b"[]", b"0", b'"{}"', b"null", b" ", b"", b"\xef\xbb\xbf{}", b'{"a":"{}"}', b'{"a":"["}'),
    *(b'{"a":"no"}{"a":"[]"}', b"{} {}", b'{"n":"[[1]]"}', b'{"a":[12345678901234567890123]}', b'{"b":'),
    b"[" * 201 + b"]" * 201,
]  # fmt: skip
PIECES = [*USUAL.split(b","), b",", b'"', b"[", b"]", b"{", b"}", b"\\", b'\\"', b"1", b"{}", b" "]


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    for module, names in herd.HURRY.items():
        for name, value in names.items():
            monkeypatch.setattr(module, name, value)


def taught(spec=None, **options):
    decoder = Decoder(spec and Spec.parse(json.dumps(spec)), **options)
    for _ in range(40):
        decoder.expand(USUAL)
    return decoder


def refused(decoder, record):
    try:
        decoder.expand(record)
    except DecodeError:
        return True
    return False


@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=6).map(b"".join), min_size=1))
def test_records_are_proven_together_as_each_is(records):
    lines = joined(records)

    assert hides(lines.text) == any(map(hides, records))
    assert visible(lines.text) == sum(map(visible, records))
    assert is_flat(lines.text) == all(map(is_flat, records))


def test_lines_are_what_a_list_of_them_is():
    lines = [b"{}", b'{"a":1}', b"[1,2]"]

    assert joined_lines(b"\n".join(lines) + b"\n").records == joined(lines).records
    assert joined([line.decode() for line in lines]).text == joined(lines).text
    assert joined(lines).size == sum(map(len, lines))
    assert joined(lines).longest == 7


def test_what_is_no_text_is_not_joined():
    mixed: list[list[Any]] = [[b"{}", "{}"], [b"{}", 1]]
    for records in mixed:
        with pytest.raises(TypeError):
            joined(records)
    with pytest.raises(UnicodeEncodeError):
        joined(["{}", '"\ud800"'])


def test_a_text_of_another_kind_is_not_joined_either():
    deep = b"[" * 304 + b"]" * 304
    lines: list[Any] = [b"{}", memoryview(array("Q", deep))]

    with pytest.raises(DecodeError, match="max_depth"):
        list(Decoder().expand_lines(lines))


def test_a_line_that_is_no_utf8_is_as_long_without_its_newline():
    line = '{"a":"\udcff"}'

    assert list(Decoder(max_record_bytes=13).expand_lines([line + "\n"])) == [{"a": "\udcff"}]


@given(st.integers(1, 400), st.integers(0, 9000), st.integers(1, 30), st.integers(0, 2**32))
def test_no_deep_record_is_missed(depth, pad, records, seed):
    chance = random.Random(seed)
    deep = b"[" * depth + b"1" * chance.randrange(pad + 1) + b"]" * depth
    some = [b'{"p":"' + b"y" * chance.randrange(pad + 1) + b'"}' for _ in range(records)]
    some.insert(chance.randrange(records + 1), deep)

    for text in (joined(some), joined_lines(b"\n".join(some) + b"\n")):
        assert crowded(text, 200) or depth <= 200


def test_records_like_those_before_are_expanded_at_once():
    for decoder in (
        taught(),
        taught(SPEC),
        taught(SPEC | {"x-nestdecode": {"undeclared": "open"}}),
    ):
        expected = decoder.engine.carefully(USUAL)

        assert decoder.engine.expand_many(joined([USUAL] * 5)) == [expected] * 5
        assert decoder.engine.expand_many(joined_lines(USUAL + b"\n")) == [expected]


@pytest.mark.parametrize("undeclared", ["ignore", "open"])
@given(st.lists(st.sampled_from([USUAL, *UNUSUAL]), min_size=1, max_size=8))
def test_what_a_spec_says_holds_for_several(undeclared, records):
    problems: list[DecodeError] = []
    spec = SPEC if undeclared == "ignore" else SPEC | {"x-nestdecode": {"undeclared": "open"}}
    decoder = taught(spec, on_problem=problems.append)
    trees = decoder.engine.expand_many(joined(records))

    assert not problems
    if trees is not None:
        assert trees == [decoder.engine.carefully(record) for record in records]
        assert not problems
    else:
        assert set(records) != {USUAL}


@pytest.mark.parametrize(
    "query", ["a.x", "b[].c", "b[0].pad", "@", "length(b)", "b[].c[]", "n", "{a: a, b: b}"]
)
@given(
    st.sampled_from([None, SPEC, SPEC | {"x-nestdecode": {"undeclared": "open"}}]),
    st.lists(st.sampled_from([USUAL, USUAL, *UNUSUAL]), min_size=1, max_size=5),
)
def test_several_are_asked_as_each_is(query, spec, records):
    asked = taught(spec).compile(query)
    answers = asked.many(joined(records))

    if answers is not None:
        assert answers == [asked(record) for record in records]
    else:
        assert set(records) != {USUAL}


def test_a_record_that_is_not_admitted_is_for_itself():
    decoder = taught(SPEC)
    other = USUAL.replace(b'"n":[0]', b'"n":[1]')

    def admits(record):
        assert type(record["a"]) is str  # its layers are shut
        return record["n"] == [0]

    for many in (decoder.engine.expand_many, decoder.compile("a").many):
        assert many(joined([USUAL]), admits) is not None
        assert many(joined([USUAL, other]), admits) is None


COUNTED = ("records", "written", "failed", "malformed", "untold")


def results(text, framing, many, malformed=None):
    """Return the output and the messages for a text; with *malformed*, no letters are kept."""
    decoder = taught()
    answering = Answering()
    answering.answer, answering.render, answering.most = decoder.expand, dump, 1 << 20
    answering.refusing.keeps_letters = malformed is None
    answering.refusing.malformed = in_place_of_malformed(malformed or "dead", dump, bytes)
    if many:
        answering.many, answering.render_many = decoder.engine.expand_many, dump_lines
    written, told, letters, counts = [], [], [], [0] * len(COUNTED)
    pieces = iter([text[at : at + 5000] for at in range(0, len(text), 5000)] + [b""])
    for batch in read_batches(lambda _: next(pieces), 1 << 20, framing, answered=True):
        for some, report in answering.results(batch):
            written.append(some)
            told += report.messages
            letters += [(letter.line, letter.offset, letter.raw) for letter in report.letters]
            for at, name in enumerate(COUNTED):
                counts[at] += getattr(report, name)
    return b"".join(written), told, letters, counts


@pytest.mark.parametrize("framing", ["mixed", "lines"])
@given(
    st.lists(
        st.sampled_from([USUAL] * 9 + UNUSUAL + PIECES + [USUAL[:90], USUAL[90:]]), max_size=200
    )
)
def test_a_stream_comes_out_as_it_does_record_by_record(framing, lines):
    text = b"".join(line + b"\n" for line in lines)

    assert results(text, framing, many=True) == results(text, framing, many=False)


CUT = [USUAL[: USUAL.index(b":", at) + 1] for at in range(0, 40, 13)]
BROKEN = [
    *CUT,
    USUAL[:90],
    USUAL[:-1] + b",}",
    USUAL + b" x",
    USUAL + b"{}",
    b"text",
    b"",
    b"  ",
    b'{"a":',
]


@pytest.mark.parametrize("malformed", ["dead", "keep", "wrap"])
@pytest.mark.parametrize("framing", ["mixed", "lines"])
@given(
    st.lists(st.sampled_from([USUAL] * 8 + UNUSUAL + PIECES + 3 * BROKEN), max_size=200),
    st.integers(0, 40),
)
def test_malformed_lines_come_out_as_they_do_one_by_one(malformed, framing, lines, first):
    text = b"".join(line + b"\n" for line in [*[b"text"] * first, *lines])

    assert results(text, framing, True, malformed) == results(text, framing, False, malformed)


def test_what_refuses_often_is_seldom_tried(monkeypatch):
    monkeypatch.setattr(together, "LONGEST_APART", 64)
    tried = []

    def refuse(records, _admits):
        tried.append(records)

    many = Together(refuse)
    for _ in range(1000):
        assert many(joined([b"1"])) is None
    assert 10 < len(tried) < 30

    many = Together(lambda records, _admits: [1])
    assert all(many(joined([b"1"])) for _ in range(100))
