"""Code that relies on earlier documents: never a wrong answer, and used where it can be."""

import gc
import json
import linecache
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nestdecode import DecodeError, Decoder, Spec
from nestdecode.plan import habits, place
from nestdecode.plan import swift as swift_code
from nestdecode.plan.place import SeenPlace
from nestdecode.text import scan
from tests import herd, oracle
from tests.strategies import EFFORT

LAYER = {"type": "string", "contentMediaType": "application/json", "contentSchema": {}}
SPEC = {"properties": {"a": LAYER, "b": {"items": {"properties": {"c": LAYER}}}}}
USUAL = '{"a":"{\\"x\\":[1,\\"\\"]}","b":[{"c":"[1]","pad":"' + "x" * 400 + '"}],"n":[0]}'


@pytest.fixture(autouse=True)
def in_a_hurry(monkeypatch):
    for module, names in herd.HURRY.items():
        for name, value in names.items():
            monkeypatch.setattr(module, name, value)
    # orjson, which turns long integers into floats, reads what no reader is the faster at.
    monkeypatch.setattr(place, "perf_counter", lambda: 0.0)


def taught(spec=None, usual=USUAL):
    """Return a decoder that has seen documents like *usual*, and whether it relies on that."""
    decoder = Decoder(None if spec is None else Spec.parse(json.dumps(spec)))
    for _ in range(40):
        assert oracle.same(decoder.expand(usual.encode()), oracle.expand(oracle.loads(usual)))
    return decoder


def swift_of(decoder):
    for cell in decoder.engine.method.__closure__ or ():
        if isinstance(cell.cell_contents, habits.Habits):
            return cell.cell_contents.swift
    return None


@given(st.integers(0, 2**64))
@settings(max_examples=int(150 * EFFORT))
def test_what_was_seen_changes_no_answer(seed):
    herd.compare(random.Random(seed))


# One layer is declared, the others are found.
SOME = {"properties": {"a": LAYER}, "x-nestdecode": {"undeclared": "open"}}


@pytest.mark.parametrize("spec", [None, SPEC, SOME])
def test_documents_that_look_alike_are_expanded_by_what_they_have_in_common(spec):
    decoder = taught(spec)
    swift = swift_of(decoder)

    assert swift is not None
    assert swift(USUAL.encode()) == oracle.expand(oracle.loads(USUAL))


@pytest.mark.parametrize("text", ["1.5", '"x"', '"{}"', "null", "[]", '"[1'])
def test_a_record_may_be_no_container(text):
    decoder = Decoder(Spec.parse(json.dumps(SOME)))
    for _ in range(40):
        assert outcome_of(decoder.expand, text) == outcome_of(decoder.engine.carefully, text)


def outcome_of(function, text):
    try:
        return function(text.encode())
    except DecodeError as error:
        return str(error)


@pytest.mark.parametrize("spec", [None, SPEC, SOME])
def test_a_shape_that_never_comes_back_is_given_up_and_another_learnt(spec):
    decoder = taught(spec)
    other = '{"a":"[1]","b":[{"c":"{}","pad":"' + "x" * 500 + '"},{}],"e":null}'
    for _ in range(60):
        assert decoder.expand(other.encode()) == oracle.expand(oracle.loads(other))

    assert swift_of(decoder) is not None


FOLLOWERS = [",", "}", "]", " ", "\t", "\r", "\n", "\\"]


def with_integer(follower, digits):
    """Return a document with an integer before a character, in the record or in its layer."""
    if follower in ",}]":
        inside = {",": f"[{digits},1]", "}": f'{{"n":{digits}}}', "]": f"[{digits}]"}[follower]
        return USUAL.replace("[0]", inside)
    if follower == "\\":
        return USUAL.replace("[1,", f"[{digits}\\n,")
    return USUAL.replace("[0]", f"[{digits}{follower}]")


@pytest.mark.parametrize("spec", [None, SPEC, SOME])
@pytest.mark.parametrize("digits", ["18446744073709551616", "-9223372036854775809", "9" * 21])
@pytest.mark.parametrize("follower", FOLLOWERS, ids=repr)
def test_every_character_after_an_integer_is_needed(monkeypatch, follower, digits, spec):
    text = with_integer(follower, digits)
    expected = oracle.expand(oracle.loads(text))

    assert oracle.same(taught(spec).expand(text.encode()), expected)

    def without(classes):
        return table_of(classes, follower)

    table_of = blinded(swift_code.table)
    monkeypatch.setattr(swift_code, "table", without)

    assert not oracle.same(taught(spec).expand(text.encode()), expected)


def blinded(table):
    def made(classes, character):
        found = bytearray(table(classes))
        found[ord(character)] = 0
        return bytes(found)

    return made


@pytest.mark.parametrize("digit", "0123456789-")
def test_every_digit_is_needed(monkeypatch, digit):
    number = "-9223372036854775809" if digit == "-" else "1" + digit * 20
    text = USUAL.replace("[0]", f"[{number}]")
    expected = oracle.expand(oracle.loads(text))

    assert oracle.same(taught(SPEC).expand(text.encode()), expected)

    made = blinded(swift_code.table)
    monkeypatch.setattr(swift_code, "table", lambda classes: made(classes, digit))

    assert not oracle.same(taught(SPEC).expand(text.encode()), expected)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("LONG", USUAL.replace("[0]", "[18446744073709551616]")),
        ("LONG_IN_LAYER", USUAL.replace("[1,", "[18446744073709551616\\n,")),
        ("OPENS", USUAL.replace('"n":[0]', '"n":"[0]"')),
        ("MAY_OPEN", USUAL.replace('"n":[0]', '"n":" [0]"')),
        ("MAY_OPEN", USUAL.replace('"n":[0]', '"n":"\\n[0]"')),
        ("ESCAPE", USUAL.replace("[1,", "[1,\\u0022[2]\\u0022,")),
        ("ESCAPE", USUAL.replace("[1,", "[1844674407370955161\\u0036,")),
    ],
)
def test_every_pattern_is_needed(monkeypatch, name, text):
    expected = oracle.expand(oracle.loads(text))

    assert oracle.same(taught().expand(text.encode()), expected)

    # Never found; what opens is counted as in what was usual.
    count = swift_code.__dict__["count"]
    if name == "OPENS":
        usual = scan.visible(USUAL.encode())
        monkeypatch.setattr(
            swift_code, "count", lambda raw, what: usual if what == b"\3\xff" else count(raw, what)
        )
    else:
        monkeypatch.setitem(swift_code.PATTERNS, name, b"\7\7\7\7")

    assert not oracle.same(taught().expand(text.encode()), expected)


@pytest.mark.parametrize("spec", [None, SPEC])
@pytest.mark.parametrize("depth", [198, 199, 200, 201, 300, 2000])
@pytest.mark.parametrize("where", ["in the record", "in the layer", "across"])
def test_depth_is_bounded_at_its_border(spec, depth, where):
    deep = "[" * (depth - 1) + "]" * (depth - 1)
    if where == "in the layer":
        deep = json.dumps(deep)
    elif where == "across":
        deep = '"' + "[" * 100 + deep[100:-100] + "]" * 100 + '"'
    name = '"n":[0]' if where == "in the record" else '"a":"{\\"x\\":[1,\\"\\"]}"'
    text = USUAL.replace(name, name[:4] + deep)
    decoder, careful = taught(spec), Decoder(spec and Spec.parse(json.dumps(spec)))

    assert herd.same(
        herd.outcome(decoder.expand, text.encode()),
        herd.outcome(careful.engine.carefully, text.encode()),
    )


def test_quotes_as_escapes_are_counted():
    quoted = USUAL.replace('\\"', "\\u0022")
    decoder = taught(usual=quoted)
    assert swift_of(decoder) is not None
    hidden = quoted.replace('"n":[0]', '"n":"{\\u0022a\\u0022:\\u0022[1]\\u0022}"')

    for text in (
        quoted,
        hidden,
        quoted.replace("\\u0022{", "\\u0022 {"),
        quoted.replace("u0022x", "u0022[1]x"),
    ):
        expected = oracle.expand(oracle.loads(text))
        assert oracle.same(decoder.expand(text.encode()), expected)


def learnt_sources():
    """How many generated sources of learnt plans are kept, those of garbage left out."""
    gc.collect()
    return len([name for name in linecache.cache if "learnt" in name and linecache.getlines(name)])


def test_memory_does_not_grow_with_what_is_rewritten():
    decoder = taught(SPEC)
    before = learnt_sources()
    for number in range(300):
        text = json.dumps({"a": "[1]" if number % 7 else 1, "b": [{"c": "{}"}] * (number % 3)})
        assert decoder.expand(text.encode()) == Decoder().engine.carefully(text.encode())

    assert learnt_sources() - before < 20


@pytest.mark.parametrize(
    "text",
    [
        r'{"a": "{\"v\"\u003a18446744073709551616}"}',
        r'{"a": "{\"v\": [1\u002c18446744073709551616]}"}',
        r'{"a": "{\"v\": [1\u002C18446744073709551616]}"}',
        r'{"a": "{\"v\": \u002d9223372036854775809}"}',
        r'{"a": "{\"v\": \u002D99999999999999999999}"}',
    ],
)
@pytest.mark.parametrize("spec", [None, {"nestdecode": 1, "layers": {"a": "json"}}])
def test_what_stands_before_an_integer_may_be_escaped(spec, text):
    usual = r'{"a": "{\"v\": [1]}"}'
    wanted = oracle.expand(oracle.loads(text))
    many = text[:-1] + ', "n": [' + "[]," * 300 + "0]}"

    for decoder in (Decoder(None if spec is None else Spec.parse(spec)), taught(spec, usual)):
        assert oracle.same(decoder.expand(text.encode()), wanted)
        assert oracle.same(decoder.query("a", text.encode()), wanted["a"])
        assert oracle.same(decoder.expand(many.encode())["a"], wanted["a"])


def test_a_listed_string_that_opens_is_opened_whatever_was_seen():
    layer = {"type": "string", "contentMediaType": "application/json"}
    spec = {"properties": {"b": {"anyOf": [{"enum": ["", "{}", "[]"]}, layer]}}}
    decoder = Decoder(Spec.parse(spec))

    for text in ['{"b": ""}', '{"b": "[1]"}'] * 100:
        decoder.expand(text)

    assert decoder.expand(b'{"b": "{}"}') == {"b": {}}


def test_an_empty_string_is_no_reason_to_give_up():
    layer = {"type": "string", "contentMediaType": "application/json"}
    spec = {"properties": {"a": layer, "b": {"anyOf": [layer, {"type": "string"}]}}}
    decoder = Decoder(Spec.parse(spec))

    for _ in range(100):
        assert decoder.expand(b'{"a": "{}", "b": ""}') == {"a": {}, "b": ""}

    assert swift_of(decoder) is not None


def test_what_was_given_up_is_tried_again():
    decoder = taught(SPEC)
    (given_up,) = (
        cell.cell_contents
        for cell in decoder.engine.method.__closure__ or ()
        if isinstance(cell.cell_contents, habits.Habits)
    )
    given_up._misses = habits.PROVING
    given_up._judge()
    assert swift_of(decoder) is None

    for _ in range(9000):
        decoder.expand(USUAL.encode())

    assert swift_of(decoder) is not None


def test_a_member_that_another_thread_learns_of_harms_no_writing(monkeypatch):
    decoder = taught()
    seen_here = SeenPlace()
    seen_here.members = {"a": SeenPlace(), "b": SeenPlace()}
    writer = swift_code.Writer
    seen = writer._value

    def meanwhile(self, place_of_it, value, slot, given=""):
        seen_here.members[f"new{len(seen_here.members)}"] = SeenPlace()
        return seen(self, place_of_it, value, slot, given)

    monkeypatch.setattr(writer, "_value", meanwhile)
    written = writer(seen_here, decoder.engine.reader, counted=True)

    assert "def expand(document):" in written.expand(1000).text


def test_a_lock_that_a_fork_renews_is_not_let_go_of_in_its_place(monkeypatch):
    decoder = Decoder(Spec.parse(SPEC) if isinstance(SPEC, dict) else None)
    watch = SeenPlace.watch_record

    def forking(self, raw):
        for cell in decoder.engine.method.__closure__ or ():
            if isinstance(cell.cell_contents, habits.Habits):
                cell.cell_contents.renew_lock()
        return watch(self, raw)

    monkeypatch.setattr(SeenPlace, "watch_record", forking)

    for _ in range(20):
        decoder.expand(USUAL.encode())


def test_what_was_short_at_first_may_be_long_later():
    decoder = taught(usual='{"a":"{\\"x\\":1}"}')
    short = swift_of(decoder)
    assert short is not None

    for _ in range(200):
        assert oracle.same(decoder.expand(USUAL.encode()), oracle.expand(oracle.loads(USUAL)))

    assert swift_of(decoder) not in (None, short)


def test_misses_that_teach_nothing_are_seldom_watched(monkeypatch):
    decoder = taught()
    watched = []
    watch = SeenPlace.watch_record

    def noted(self, raw):
        watched.append(raw)
        watch(self, raw)

    monkeypatch.setattr(SeenPlace, "watch_record", noted)
    odd = USUAL.replace("[1,", "[18446744073709551616,").replace('"n":[0]', '"n":"x"')
    other = '{"b":[]}'

    for number in range(4000):
        text = (odd if number % 200 else other) if number % 10 == 0 else USUAL
        decoder.expand(text.encode())

    assert len(watched) < 100
