"""
Documents opened, changed and collapsed: only the bytes of changed values differ.

The results are compared with the bytes that came in, with the producer's own writing of the
changed value, and with the oracle's reading of the result. NESTDECODE_EXAMPLES=10 draws ten
times as many examples; ``python -m tests.soak`` draws any number.
"""

import base64
import copy
import decimal
import enum
import gc
import gzip
import json
import pickle
import random
import time
import zlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nestdecode
from tests import oracle, soak, strategies
from tests.strategies import EFFORT
from tests.test_properties import damaged, noisy_bytes

DECODER = nestdecode.Decoder()


def spec(**layers: Any) -> nestdecode.Decoder:
    return nestdecode.Decoder(nestdecode.Spec.parse({"nestdecode": 1, "layers": layers}))


# Unchanged


@given(strategies.documents, st.sampled_from([b"", b"\xef\xbb\xbf"]))
def test_what_is_not_changed_comes_back_as_it_came(text, mark):
    raw = mark + text.encode()
    document = DECODER.open(raw)

    assert document.collapse() == raw
    assert oracle.same(document.tree, oracle.expand(oracle.decode(raw)))

    document.tree = soak.turned(document.tree)

    assert document.collapse() == raw


@given(damaged(strategies.documents.map(str.encode), noisy_bytes | st.binary(max_size=2)))
def test_what_parses_comes_back_and_all_else_is_refused(raw):
    try:
        oracle.decode(raw)
    except ValueError:
        with pytest.raises(nestdecode.DecodeError):
            DECODER.open(raw)
    else:
        document = DECODER.open(raw)
        document.tree = soak.turned(document.tree)

        assert document.collapse() == raw


@pytest.mark.parametrize(
    "form", [bytearray, memoryview, bytes.decode], ids=lambda form: form.__name__
)
def test_text_in_any_form_comes_back_as_bytes(form):
    raw = '\ufeff {"é": "{\\"a\\" : 1.10}" }\r\n'.encode()

    assert DECODER.open(form(raw)).collapse() == raw


def test_a_lone_surrogate_in_a_str_comes_back_as_its_escape():
    document = DECODER.open('["\ud800", "[\\"\udc00\\"]"]')

    assert document.tree == ["\ud800", ["\udc00"]]
    assert document.collapse() == b'["\\ud800", "[\\"\\udc00\\"]"]'
    with pytest.raises(nestdecode.DecodeError):
        DECODER.open('["\\\ud800"]')  # with the escape it would be JSON


def test_what_was_parsed_comes_back_compactly_and_its_layers_as_they_are():
    document = DECODER.open({"a": ' {"b" : 1.10} ', "c": [1.0, None]})

    assert document.tree == {"a": {"b": 1.1}, "c": [1.0, None]}
    assert document.collapse() == b'{"a":" {\\"b\\" : 1.10} ","c":[1.0,null]}'


@pytest.mark.parametrize(
    "tree",
    [{"a": 1.0}, {"a": True}, {"a": -0.0, "b": 0}, {"a": "1"}, {"a": [1]}, {"a": None}],
    ids=str,
)
def test_another_type_is_a_change(tree):
    document = DECODER.open(b'{"a": 1}')
    document.tree = tree

    assert oracle.same(oracle.decode(document.collapse()), tree)


@pytest.mark.parametrize(("zero", "raw"), [(0.0, b"[-0.0]"), (-0.0, b"[0.0]")])
def test_zero_has_a_sign(zero, raw):
    document = DECODER.open(raw)
    document.tree[0] = zero

    assert oracle.same(oracle.decode(document.collapse()), [zero])


# Changed, on random documents


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("check", soak.CHECKS)
def test_some_of_the_soak(check):
    # Other documents if there are to be many.
    first = 10_000_000 if EFFORT > 1 else 0

    for seed in range(first, first + int(300 * EFFORT)):
        soak.CHECKS[check](seed)


@given(st.data(), strategies.declared())
def test_declared_layers_come_back_and_an_edit_means_what_it_says(data, declared):
    value, layers = declared
    decoder = nestdecode.Decoder(nestdecode.Spec.parse(strategies.short_form(layers)))
    raw = data.draw(strategies.texts_of(st.just(value)), label="raw").encode()
    document = decoder.open(raw)
    document.tree = soak.turned(document.tree)

    assert document.collapse() == raw

    rng = random.Random(data.draw(st.integers(0, 2**32)))
    for _ in range(rng.randrange(1, 4)):
        document.tree = soak.edit(rng, document.tree, moves=False)
    # A string stays a string, so it is a layer where one is declared that it opens.
    wanted = oracle.expand_declared(
        copy.deepcopy(document.tree), [layer for layer in layers if layer[1][-1] == "json"]
    )
    try:
        raw = document.collapse()
    except nestdecode.DecodeError as error:
        # Bytes hold no lone surrogate.
        assert error.codec == "base64"
        assert "\ud800" in at(document.tree, error.pointer)
    else:
        assert oracle.same(soak.unordered(decoder.expand(raw)), soak.unordered(wanted))


@given(strategies.declared())
def test_an_expanded_tree_collapses_to_what_expands_to_it(declared):
    value, layers = declared
    decoder = nestdecode.Decoder(nestdecode.Spec.parse(strategies.short_form(layers)))
    tree = decoder.expand(json.dumps(value))
    before = copy.deepcopy(tree)
    try:
        raw = decoder.collapse(tree)
    except nestdecode.DecodeError as error:
        assert error.codec == "base64"
        assert "surrogate" in error.reason
    else:
        assert oracle.same(decoder.expand(raw), before)
    assert oracle.same(tree, before)


# Everything that a string may hold, twice, so that each text shows how it is written.
SHOWN = ["".join(map(chr, range(128))) + "é\U0001f600\ud800"] * 2


def produced(style: strategies.Style, layers: int, value: Any) -> str:
    """Write a value behind layers that are all written in one style."""
    pair = {"x": [[1, 2], [1, 2]], "y": {"p": {"q": 1, "r": 2}, "s": 2}}
    text = style.write({"shown": SHOWN, "v": value, "pair": pair})
    for _ in range(layers):
        text = style.write({"b": text, "shown": SHOWN})
    return text


@pytest.mark.parametrize("layout", soak.LAYOUTS[:6], ids=str)
@pytest.mark.parametrize("layers", [0, 1, 2])
def test_an_edit_is_written_as_its_producer_would_have_written_it(layers, layout):
    for seed in range(int(60 * EFFORT)):
        rng = random.Random(seed)
        style = strategies.Style(
            **layout,
            ascii=rng.random() < 0.4,
            uppercase=rng.random() < 0.3,
            slash=rng.choice(["/", "\\/"]),
            escaped=frozenset(rng.choice(soak.ESCAPED[:-1])),
        )
        value = {"v": soak.value(rng, 3)}
        document = DECODER.open(produced(style, layers, value))
        edited = soak.edit(rng, copy.deepcopy(value), moves=False)
        document.set("/b" * layers + "/v", edited)

        assert document.collapse().decode() == produced(style, layers, edited), seed


# Changed, one kind of edit after the other


LINES = """{
  "version": "8.0",
  "attributes": {
    "title": "Sales",
    "searchSourceJSON": "{\\"query\\":{\\"language\\":\\"kuery\\",\\"query\\":\\"\\"},\\"filter\\":[]}"
  },
  "references": []
}
"""


def test_one_changed_layer_is_one_changed_line():
    document = DECODER.open(LINES)
    document.tree["attributes"]["searchSourceJSON"]["query"]["query"] = 'a: "b"'
    lines = zip(LINES.splitlines(), document.collapse().decode().splitlines(), strict=True)

    assert [new for old, new in lines if old != new] == [
        r'    "searchSourceJSON": "{\"query\":{\"language\":\"kuery\",\"query\":\"a: \\\"b\\\"\"},\"filter\":[]}"'
    ]


EDITS = [
    pytest.param("[1.10, 2]", [3, 1.1, 2], "[3, 1.10, 2]", id="an element before"),
    pytest.param("[1.10, 2.0,\n3]", [1.1, 3], "[1.10,\n3]", id="an element out of the middle"),
    pytest.param("[1E1, 2, 3]", [3, 10.0], "[3, 1E1]", id="an element that moved"),
    pytest.param("[ [1] , [2] ]", [], "[]", id="all elements"),
    pytest.param(
        r'["{\"n\": 1.0}"]', [{"n": 1.0}, {"n": 2}], r'["{\"n\": 1.0}","{\"n\": 2}"]',
        id="an element like one that is a layer",
    ),
    pytest.param(
        r'[{"id": 1, "b": "{\"n\":1}"}]',
        [{"id": 1, "b": {"n": 1}}, {"id": 2, "b": {"n": [2]}, "c": None}],
        r'[{"id": 1, "b": "{\"n\":1}"}, {"id": 2, "b": "{\"n\":[2]}", "c": null}]',
        id="a record like those that hold layers",
    ),
    pytest.param(
        r'[{"a": "{}", "n": 1.0}, {"a": "[ ]", "n": 2e0}]',
        [{"a": [], "n": 2.0}, {"a": {}, "n": 1.0}],
        r'[{"a": "[ ]", "n": 2e0}, {"a": "{}", "n": 1.0}]',
        id="records in another order",
    ),
    pytest.param(
        r'[{"n": 1.0, "m": 1}, {"n": 2.0, "m": 2}, 3]',
        [{"n": 2.0, "m": 5}, 3],
        r'[{"n": 2.0, "m": 5}, 3]',
        id="one element gone and the next one changed",
    ),
    pytest.param(r'{"a": "{\"x\": 1.0}"}', {"b": {"x": 1.0}}, r'{"b": "{\"x\": 1.0}"}', id="a name"),
    pytest.param(
        r'{"a": "{\"x\": 1.0}", "z": 0}', {"z": 0, "b": {"x": 1.0}},
        r'{"z": 0, "b": "{\"x\": 1.0}"}', id="a name, at the end",
    ),
    pytest.param(
        r'{"a": "{\"x\":1}", "z": 0}', {"z": 0, "b": {"x": 2}}, r'{"z": 0, "b": {"x": 2}}',
        id="a layer gone and a member new",
    ),
    pytest.param('{"a": 1, "b": 2, "a" : 3}', {"a": 4, "b": 2}, '{"a": 1, "b": 2, "a" : 4}', id="the last of two"),
    pytest.param('{"a": 1, "b": 2, "a" : 3}', {"b": 2}, '{"b": 2}', id="both of two"),
    pytest.param(
        '{\n  "a": [\n    1\n  ]\n, "b": 0}', {"a": [1, 2], "b": 0},
        '{\n  "a": [\n    1\n    , 2\n  ]\n, "b": 0}', id="an element, where commas begin lines",
    ),
    pytest.param(
        '[{\r\n\t"a":1}\r\n,\t0]', [{"a": 1, "b": 2}, 0],
        '[{\r\n\t"a":1\r\n\t,\t"b":2}\r\n,\t0]', id="a member, where commas begin lines",
    ),
    pytest.param('{"b":2, "a":1}', {"a": 1, "new": 0, "b": 2}, '{"b":2, "a":1, "new":0}', id="a member after another"),
    pytest.param("{ }", {"a": [1]}, '{"a":[1]}', id="into nothing"),
    pytest.param('{\n\t"a": {}\n}', {"a": {"b": [1]}}, '{\n\t"a": {\n\t\t"b": [\n\t\t\t1\n\t\t]\n\t}\n}', id="into nothing, deeper"),
    pytest.param(r'{"a": "{\"x\":1}"}', {"a": "é"}, '{"a": "é"}', id="a string for a layer"),
    pytest.param(r'{"a": "{\"x\":1}"}', {"a": None}, '{"a": null}', id="null for a layer"),
    pytest.param(r'{"a": " [1, 2]\n"}', {"a": {"x": 1}}, r'{"a": " {\"x\": 1}\n"}', id="an object for an array"),
    pytest.param('{"a": "text", "b": [ 1 ]}', {"a": {"x": [1]}, "b": {}}, '{"a": {"x": [1]}, "b": {}}', id="a container for a plain value"),
    pytest.param('{"a": 1}', {"a": '{"x": 1}'}, r'{"a": "{\"x\": 1}"}', id="a string that is a layer by now"),
    pytest.param(r'["\u00E9x", "\u00e9y\/"]', ["Éx", "Éy/z"], r'["\u00C9x", "\u00c9y\/z"]', id="escapes of each string"),
    pytest.param(r'"\"{\\\"a\\\" : 1}\" "', {"a": 2}, r'"\"{\\\"a\\\" : 2}\" "', id="the root, stringified twice"),
    pytest.param(' [1]\n', True, " true\n", id="the root, plain"),
    pytest.param("[18446744073709551616, 1e22]", [18446744073709551617, 1e22], "[18446744073709551617, 1e22]", id="a big integer"),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "tree", "wanted"), EDITS)
def test_an_edit(raw, tree, wanted):
    document = DECODER.open("\ufeff" + raw)
    document.tree = tree

    assert document.collapse().decode() == "\ufeff" + wanted


def test_an_edit_may_be_followed_by_another_and_taken_back():
    raw = rb'{"a": "{\"x\": 1.0}"}'
    document = DECODER.open(raw)
    document.tree["a"]["x"] = 2

    assert document.collapse() == raw.replace(b"1.0", b"2")

    document.tree["a"]["x"] = 1.0

    assert document.collapse() == raw


def test_the_tree_that_is_put_back_is_not_changed():
    document = DECODER.open(r'[{"a": "[1]"}]')
    document.tree = tree = [{"a": [2]}, {"a": [3]}]
    document.collapse()

    assert tree == [{"a": [2]}, {"a": [3]}]


# Declared layers

INSIDE = b'{"a": 1.10, "b": "\\u00e9"}'
ENCODED = [
    pytest.param("base64", base64.b64encode(INSIDE), id="base64"),
    pytest.param("base64url", base64.urlsafe_b64encode(INSIDE + b"\n\n"), id="base64url"),
    pytest.param("base64url", base64.urlsafe_b64encode(INSIDE + b"\n").rstrip(b"="), id="unpadded"),
    pytest.param("base32", base64.b32encode(INSIDE), id="base32"),
    pytest.param("base32hex", base64.b32hexencode(INSIDE), id="base32hex"),
    pytest.param("base16", base64.b16encode(INSIDE), id="base16"),
    pytest.param("base16", base64.b16encode(INSIDE).lower(), id="lower"),
]


@pytest.mark.parametrize(("codec", "text"), ENCODED)
def test_an_encoded_layer_keeps_its_alphabet_and_its_padding(codec, text):
    decoder = spec(x=f"{codec} | json")
    raw = b'{ "x":"' + text + b'", "y": 1.0}'
    document = decoder.open(raw)
    document.tree["x"]["a"] = 1.25
    new = document.collapse()
    document.tree["x"]["a"] = 1.1
    document.tree["z"] = 0

    # As many characters as there were, of the same kinds.
    assert len(new) == len(raw)
    assert (b"=" in new, new.lower() == new) == (b"=" in raw, raw.lower() == raw)
    assert decoder.open(new).layers[0].decoded_size == decoder.open(raw).layers[0].decoded_size
    assert decoder.expand(new) == {"x": {"a": 1.25, "b": "é"}, "y": 1.0}
    assert document.collapse() == raw[:-1] + b', "z": 0}'


@pytest.mark.parametrize(("codec", "pack"), [("gzip", gzip.compress), ("zlib", zlib.compress)])
def test_a_compressed_layer_is_written_the_same_way_each_time(codec, pack):
    decoder = spec(x=f"base64 | {codec} | json", y=f"base64 | {codec}")
    texts = [base64.b64encode(pack(text)).decode() for text in (INSIDE, b"text")]
    document = decoder.open(json.dumps({"x": texts[0], "y": texts[1]}, indent=1))
    document.tree["x"]["a"] = document.tree["y"] = "new"
    first = document.collapse()

    assert first == document.collapse()
    # No time and no name in it.
    assert codec == "zlib" or base64.b64decode(json.loads(first)["x"])[3:8] == bytes(5)
    assert decoder.expand(first) == {"x": {"a": "new", "b": "é"}, "y": "new"}
    assert decoder.open(first).layers[0].decoded_size == len(INSIDE) + 1


def test_inside_an_encoded_layer_all_else_stays():
    decoder = spec(x="base64 | json", **{"x.y": "json"})
    inside = rb' {"a" : 1.10,"y":"{\u0022n\u0022: \u00221\/2\u0022}"}'
    document = decoder.open(b'{"x":"' + base64.b64encode(inside) + b'"}')
    document.tree["x"]["y"]["n"] = "1/3"

    wanted = base64.b64encode(inside.replace(b"2\\u0022}", b"3\\u0022}"))

    assert document.collapse() == b'{"x":"' + wanted + b'"}'


DECLARED = [
    pytest.param({"x": None}, {"x": {"a": 1}}, {"x": '{"a":1}'}, id="null"),
    pytest.param({}, {"x": {"a": 1}}, {"x": '{"a":1}'}, id="nothing"),
    pytest.param({"x": "shut"}, {"x": {"a": 1}}, {"x": '{"a":1}'}, id="a string that stayed shut"),
    pytest.param({"x": [1]}, {"x": {"a": 1}}, {"x": {"a": 1}}, id="a plain container"),
    pytest.param({"x": "{}"}, {"x": "shut"}, {"x": "shut"}, id="a layer, and now a string"),
    pytest.param(
        {}, {"y": [{"z": [1]}, "s"]}, {"y": [{"z": "[1]"}, "s"]}, id="inside of what is new"
    ),
    pytest.param({"w": 1}, {"w": {"a": 1}}, {"w": {"a": 1}}, id="not declared"),
    pytest.param({"t": "aGk="}, {"t": "ho"}, {"t": "aG8="}, id="text"),
    pytest.param({"t": "?"}, {"t": "ho"}, {"t": "aG8="}, id="text that stayed shut"),
    pytest.param({"u": '"[1]"'}, {"u": [2]}, {"u": '"[2]"'}, id="two layers"),
    pytest.param({}, {"u": [2]}, {"u": '"[2]"'}, id="two layers, new"),
]


@pytest.mark.parametrize(("value", "tree", "wanted"), DECLARED)
def test_a_declared_layer_is_put_back_where_a_string_or_nothing_was(value, tree, wanted):
    decoder = spec(x="json", **{"y[].z": "json"}, t="base64", u="json | json")
    document = decoder.open(json.dumps(value))
    document.tree = tree

    assert json.loads(document.collapse()) == wanted
    assert decoder.expand(document.collapse()) == tree


@pytest.mark.parametrize("policy", ["null", "drop", "keep"])
def test_what_a_policy_took_away_comes_back_unless_it_was_changed(policy):
    decoder = spec(x={"codecs": "json", "on-error": policy}, y="json")
    raw = b'{"x": "{oops", "y": "{\\"n\\":1}"}'
    document = decoder.open(raw)
    document.tree["y"]["n"] = 2

    assert [problem.pointer for problem in document.problems] == ["/x"]
    assert document.collapse() == raw.replace(b"1", b"2")

    document.tree["x"] = {"a": 1}

    assert document.collapse() == b'{"x": "{\\"a\\":1}", "y": "{\\"n\\":2}"}'


def test_what_a_policy_took_away_is_not_copied_to_a_new_element():
    decoder = spec(**{"[].x": {"codecs": "json", "on-error": "drop"}})
    document = decoder.open('[{"id": 1, "x": "{secret"}]')
    document.tree.append({"id": 2})

    assert document.collapse() == b'[{"id": 1, "x": "{secret"}, {"id": 2}]'

    document.tree = [{"id": 0}, {"id": 1}, {"id": 1}]

    assert document.collapse() == b'[{"id": 0}, {"id": 1}, {"id": 1, "x": "{secret"}]'


def test_a_scalar_that_a_layer_admits_stays_in_it():
    schema = {
        "properties": {
            "n": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"type": "integer"},
            }
        }
    }
    document = nestdecode.Decoder(nestdecode.Spec.parse(schema)).open('{"n": " 5 "}')
    document.tree["n"] = 6

    assert document.collapse() == b'{"n": " 6 "}'

    document.tree["n"] = "six"

    assert document.collapse() == b'{"n": "six"}'


@pytest.mark.parametrize(
    ("style", "wanted"),
    [
        ("compact", '{"a":[1,"é"]}'),
        ("spaced", '{"a": [1, "é"]}'),
        ("ascii", '{"a":[1,"\\u00e9"]}'),
        ("spaced ascii", '{"a": [1, "\\u00e9"]}'),
        ("indent-2", '{\n  "a": [\n    1,\n    "é"\n  ]\n}'),
    ],
)
@pytest.mark.parametrize("form", ["short", "schema"])
def test_a_layer_is_written_in_the_style_that_its_spec_names(style, wanted, form):
    short = nestdecode.Spec.parse(
        {"nestdecode": 1, "layers": {"x": {"codecs": "json?", "style": style}}}
    )
    chosen = short if form == "short" else nestdecode.Spec.parse(short.schema)
    decoder = nestdecode.Decoder(chosen)
    tree = {"x": {"a": [1, "é"]}}

    assert json.loads(decoder.collapse(tree)) == {"x": wanted}


@pytest.mark.parametrize("style", ["", "indent-9", "ascii ascii", "wide", 2])
def test_a_style_that_is_none_is_refused(style):
    for text in (
        {"nestdecode": 1, "layers": {"x": {"codecs": "json", "style": style}}},
        {"properties": {"x": {"x-nestdecode": {"codecs": "json", "style": style}}}},
    ):
        with pytest.raises(nestdecode.SpecError, match="style") as error:
            nestdecode.Spec.parse(text)

        assert error.value.pointer is not None
        assert error.value.pointer.endswith("/style")


def test_without_a_spec_no_layer_is_declared():
    assert DECODER.collapse({"a": {"b": [1.0, "é"]}}) == '{"a":{"b":[1.0,"é"]}}'.encode()


# Provenance


@given(strategies.documents)
def test_layers_are_those_that_the_oracle_finds(text):
    value = oracle.loads(text)
    layers = DECODER.open(text).layers

    assert [(la.pointer, la.depth, len(la.text)) for la in layers] == oracle.layers(value)
    assert {layer.codecs for layer in layers} <= {("json",)}
    assert all(layer.size == layer.decoded_size < layer.escaped_size for layer in layers)


@given(st.data(), strategies.styles())
def test_escaped_is_the_size_of_what_the_producer_wrote(data, style):
    value: Any = data.draw(st.dictionaries(strategies.keys, st.integers()))
    for _ in range(3):
        text = style.write(value)
        value = [1, text if len(text) < strategies.MAX_TEXT else 2]
    layers = DECODER.open(style.write(value)).layers

    assert [la.escaped_size for la in layers] == [
        len(style.quote(la.text).encode()) for la in layers
    ]


def test_layers_are_in_document_order_whatever_the_order_of_the_spec():
    decoder = spec(b="base64 | gzip | json", **{"b.c": "json | json"}, a="json?")
    inside = json.dumps({"c": json.dumps(json.dumps([1]))}).encode()
    packed = base64.b64encode(gzip.compress(inside)).decode()
    layers = decoder.open(json.dumps({"a": "[]", "b": packed, "z": "[]"})).layers

    assert [(layer.pointer, layer.codecs, layer.depth) for layer in layers] == [
        ("/a", ("json",), 1),
        ("/b", ("base64", "gzip", "json"), 1),
        ("/b/c", ("json",), 2),
        ("/b/c", ("json",), 3),
    ]
    assert [layer.text for layer in layers] == ["[]", packed, '"[1]"', "[1]"]
    assert [layer.escaped_size for layer in layers] == [4, len(packed) + 2, 9, 5]
    assert layers[1].decoded_size == len(inside)


def test_problems_are_told_once_and_kept():
    told: list[nestdecode.DecodeError] = []
    decoder = nestdecode.Decoder(
        nestdecode.Spec.parse({"nestdecode": 1, "layers": {"a[]": "json"}}), on_problem=told.append
    )
    document = decoder.open('{"a": ["{", "[1]", "1"]}')

    assert [(p.pointer, p.codec) for p in document.problems] == [("/a/0", "json"), ("/a/2", "json")]
    assert [str(problem) for problem in told] == [str(problem) for problem in document.problems]


# They begin with a bracket, and not as JSON does.
OTHERS = {
    *("{", "[", "{]", "[}", "{0}{1}", "[INFO] started [ok]", "{Resource}", "[APN/1.0]", "['']"),
    *("{'a': 1}", "{a: 1}", "{1: 2}", "[+1]", "[.5]", "[NaN]", "[-Infinity]", "[tRUE]"),
    "[\u00a01]",
}


def test_lookalikes_begin_as_json_does_and_are_none():
    texts = {text: f"/{number}" for number, text in enumerate(strategies.NEAR_MISSES)}
    document = DECODER.open(json.dumps([*texts, "{}", {"x": ' {"y": }'}]))
    wanted = [
        *(
            pointer
            for text, pointer in texts.items()
            if text.lstrip(" \t\r\n\ufeff")[:1] in ("{", "[") or text == '"\ufeff{}"'
            if text not in OTHERS
        ),
        f"/{len(texts) + 1}/x",
    ]
    problems = {problem.pointer for problem in document.problems}

    assert [look.pointer for look in document.lookalikes] == [
        p for p in wanted if p not in problems
    ]
    assert {problem.reason for problem in document.problems} == {
        "number too large for a double: numbers=exact keeps it",
        "integer too large: wanted at most 4300 digits",
    }
    assert document.lookalikes[-1].size == 8
    assert all(
        look.reason.startswith("invalid JSON") or look.reason == "looks like escaped JSON"
        for look in document.lookalikes
    )


def encoded(chain, text, end=""):
    """Encode a text by hand: codecs in the order in which they are undone."""
    steps = {
        "base16": base64.b16encode,
        "base32": base64.b32encode,
        "base64": base64.b64encode,
        "base64url": base64.urlsafe_b64encode,
        "gzip": lambda data: gzip.compress(data, mtime=0),
        "zlib": zlib.compress,
        "json": lambda data: data,
    }
    data = text.encode()
    for name in reversed(chain.split(" | ")):
        data = steps[name](data)
    return data.decode() + end


CHAINS = [
    f"{codec} | {rest}"
    for codec in ("base16", "base32", "base64", "base64url")
    for rest in ("json", "gzip | json", "zlib | json")
]


@pytest.mark.parametrize(
    "text",
    ['{"a": "???>>>"}', " [\n1, 22]", "\t{}      ", "\r\n[[1, 2]]", json.dumps([*range(1000)])],
)
@pytest.mark.parametrize("chain", CHAINS)
def test_what_is_encoded_is_named_by_its_codecs(chain, text):
    (look,) = DECODER.open(json.dumps({"a": encoded(chain, text)})).lookalikes
    named = look.reason.removeprefix("looks like ")

    assert look.pointer == "/a"
    # A text that has neither of the two characters that tell them apart is both.
    assert named in (chain, chain.replace("base64url", "base64"))
    opened = spec(a=named).expand({"a": encoded(chain, text)})
    assert opened == {"a": json.loads(text)}


@pytest.mark.parametrize("text", ["words", "[INFO] up", '"a"', "12345678", "\x00\x01{}", "{a}"])
@pytest.mark.parametrize("chain", CHAINS)
def test_what_holds_no_json_looks_like_nothing(chain, text):
    assert DECODER.open(json.dumps({"a": encoded(chain, text)})).lookalikes == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("%7B%22a%22%3A1%7D", "looks like percent-encoded JSON"),
        ("%5b1%5d", "looks like percent-encoded JSON"),
        ("%7Bname%7D", None),
        ('{\\"a\\":1}', "looks like escaped JSON"),
        (encoded("base64 | json", '{"a":1}', "\n"), None),
        (encoded("base64 | json", '{"a":1}', " and more"), None),
        ("eyJhbGciOiJub25lIn0.eyJhIjoxfQ.", None),
    ],
)
def test_escapes_are_named_and_the_whole_text_counts(text, reason):
    found = [look.reason for look in DECODER.open(json.dumps({"a": text})).lookalikes]

    assert found == ([] if reason is None else [reason])


def test_with_a_spec_what_would_open_and_is_not_declared_looks_like_a_layer():
    document = spec(a="json?", b="base64 | json").open('{"a": "[1,", "b": "[1]", "c": "[1]"}')

    assert [problem.pointer for problem in document.problems] == ["/b"]
    assert [(look.pointer, look.reason == "not declared") for look in document.lookalikes] == [
        ("/a", False),
        ("/c", True),
    ]


# Places

PLACES = {"a": [{"n": 1}, {"n": 2}, 3], "b/~": {"": 0}, "-": {}}
AT = [
    pytest.param("/a/0/n", ["/a/0/n"], id="a pointer"),
    pytest.param("/b~1~0/", ["/b~1~0/"], id="escapes in a pointer"),
    pytest.param("a[].n", ["/a/0/n", "/a/1/n"], id="each element"),
    pytest.param("a[1].n", ["/a/1/n"], id="one element"),
    pytest.param("a[*]", ["/a/0", "/a/1", "/a/2"], id="elements"),
    pytest.param("*", ["/a", "/b~1~0", "/-"], id="members"),
    pytest.param('"b/~".*', ["/b~1~0/"], id="quoted"),
]


def at(tree: Any, pointer: str) -> Any:
    for token in pointer.split("/")[1:]:
        token = token.replace("~1", "/").replace("~0", "~")
        tree = tree[int(token)] if isinstance(tree, list) else tree[token]
    return tree


@pytest.mark.parametrize(("place", "pointers"), AT)
def test_set_and_delete_change_each_place(place, pointers):
    document = DECODER.open(json.dumps(PLACES))
    value = [{"new": True}]

    assert document.set(place, value) == len(pointers)
    assert [at(document.tree, pointer) for pointer in pointers] == [value] * len(pointers)

    at(document.tree, pointers[0]).append(0)

    assert value == [{"new": True}]
    assert [at(document.tree, pointer) for pointer in pointers[1:]] == [value] * (len(pointers) - 1)

    document = DECODER.open(json.dumps(PLACES))
    left = copy.deepcopy(PLACES)
    for pointer in reversed(pointers):
        around, _, token = pointer.rpartition("/")
        container = at(left, around)
        del container[
            int(token)
            if isinstance(container, list)
            else token.replace("~1", "/").replace("~0", "~")
        ]

    assert document.delete(place) == len(pointers)
    assert document.tree == left


def test_the_last_step_of_set_may_be_new():
    document = DECODER.open('{"a": [1], "b": [{}, {"c": 1}]}')
    document.set("/a/-", 2)
    document.set("/x", 3)
    document.set("b[].d", 4)

    assert document.collapse() == b'{"a": [1, 2], "b": [{"d": 4}, {"c": 1, "d": 4}], "x": 3}'
    assert document.set("@", 5) == document.set("", 6) == 1
    assert document.collapse() == b"6"


@pytest.mark.parametrize(
    "place", ["/a/b/c", "/x/y", "/a/01", "/a/3", "/a/x", "x.y", "a[3]", "a.n", "/a/-/n"]
)
def test_a_place_that_is_not_there_is_refused(place):
    document = DECODER.open(json.dumps(PLACES))

    with pytest.raises(nestdecode.DecodeError):
        document.set(place, 1)
    with pytest.raises(nestdecode.DecodeError):
        document.delete(place)
    assert document.tree == PLACES


def test_what_is_no_place_is_refused():
    document = DECODER.open("{}")

    for place in ("a[?b]", "a ||", "a[-1]"):
        with pytest.raises(nestdecode.SpecError):
            document.set(place, 1)
    for place in ("", "@"):
        with pytest.raises(nestdecode.DecodeError):
            document.delete(place)


def test_a_query_sees_the_tree_as_it_is_and_its_answer_is_a_copy():
    document = DECODER.open('{"a": "{\\"b\\": [1]}"}')
    document.tree["a"]["b"].append(2)
    document.query("a.b").append(3)

    assert document.query("a.b") == [1, 2]
    with pytest.raises(nestdecode.QueryError):
        document.query("abs(a)")


# What can't be


class Text(str):
    pass


@pytest.mark.parametrize(
    ("value", "pointer"),
    [
        pytest.param(float("nan"), "/a/0", id="nan"),
        pytest.param(float("-inf"), "/a/0", id="infinity"),
        pytest.param((1,), "/a/0", id="tuple"),
        pytest.param({1}, "/a/0", id="set"),
        pytest.param(Text("x"), "/a/0", id="subclass"),
        pytest.param({"b": [b"x"]}, "/a/0/b/0", id="bytes"),
        pytest.param({"b": {1: 2}}, "/a/0/b", id="name"),
    ],
)
def test_what_json_does_not_know_is_refused_with_its_place(value, pointer):
    document = DECODER.open('{"a": [1]}')
    document.tree["a"][0] = value

    for collapse in (document.collapse, lambda: DECODER.collapse(document.tree)):
        with pytest.raises(nestdecode.DecodeError) as error:
            collapse()

        assert (error.value.pointer, error.value.__cause__) == (pointer, None)
    with pytest.raises(nestdecode.DecodeError):
        DECODER.open(document.tree)


class Whole(int):
    pass


class Members(dict):  # type: ignore[type-arg]
    pass


class Elements(list):  # type: ignore[type-arg]
    pass


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    ONE = 1


@pytest.mark.parametrize("numbers", ["double", "exact"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param([1], (1,), id="tuple"),
        pytest.param([1], Elements([1]), id="list of another type"),
        pytest.param({"x": 1}, Members(x=1), id="dict of another type"),
        pytest.param("1.5", decimal.Decimal("1.5"), id="decimal"),
        pytest.param("red", Color.RED, id="enum"),
        pytest.param(1, Level.ONE, id="enum of integers"),
        pytest.param("x", Text("x"), id="str of another type"),
        pytest.param(1, Whole(1), id="int of another type"),
    ],
)
def test_what_only_looks_like_the_old_value_is_refused_as_any_other(numbers, old, new):
    decoder = nestdecode.Decoder(numbers=numbers)
    document = decoder.open(json.dumps({"a": json.dumps({"b": old})}))
    document.tree["a"]["b"] = new

    with pytest.raises(nestdecode.DecodeError, match=f"a value of type {type(new).__name__}"):
        document.collapse()
    with pytest.raises(nestdecode.DecodeError):
        document.set("/a/b", new)


@pytest.mark.parametrize(
    ("value", "reason", "below"),
    [
        (float("nan"), "NaN or Infinity", ""),
        ([1, {"x": float("inf")}], "NaN or Infinity", "/1/x"),
        ({"y": {1: 2}}, "a name of an object is not a string", "/y"),
        ([[{3}]], "a value of type set", "/0/0"),
    ],
)
@pytest.mark.parametrize(
    ("place", "pointer"),
    [("a.b", "/a/b"), ("/c/-", "/c/2"), ("c[].z", "/c/0/z"), ("", "")],
)
def test_a_value_that_is_not_json_is_refused_with_its_pointer(value, reason, below, place, pointer):
    document = DECODER.open('{"a": "{\\"b\\": 1}", "c": [{}, {}]}')

    with pytest.raises(nestdecode.DecodeError) as caught:
        document.set(place, value)

    assert (caught.value.reason, caught.value.pointer) == (f"not JSON: {reason}", pointer + below)
    assert caught.value.__context__ is None
    assert document.collapse() == b'{"a": "{\\"b\\": 1}", "c": [{}, {}]}'


def test_a_name_that_only_looks_like_the_old_one_is_refused():
    document = DECODER.open('{"a": "{\\"b\\": 1}"}')
    document.tree["a"] = {Text("b"): 1}

    with pytest.raises(nestdecode.DecodeError):
        document.collapse()


def test_another_text_of_a_number_is_a_change():
    document = nestdecode.Decoder(numbers="exact").open('{"a": "[1.0]"}')
    document.tree["a"][0] = nestdecode.Number("1.00")

    assert document.collapse() == b'{"a": "[1.00]"}'


def test_new_characters_are_written_like_the_old_ones_in_linear_time():
    def seconds(size: int) -> float:
        document = DECODER.open(json.dumps({"a": "".join(map(chr, range(0x4E00, 0x4E00 + size)))}))
        document.tree["a"] = new = "".join(map(chr, range(0xAC00, 0xAC00 + size)))
        gc.collect()
        begin = time.process_time()
        written = document.collapse()
        took = time.process_time() - begin

        assert written == json.dumps({"a": new}).encode()
        return took

    assert seconds(8_000) < 30 * min(seconds(1_000), seconds(1_000)) + 0.02


def test_the_deepest_value_that_can_be_written_is_put_in():
    inside: Any = []
    for _ in range(126):
        inside = {"a": [inside]}
    decoder = nestdecode.Decoder(max_depth=254)
    document = decoder.open("[]")
    document.set("/-", inside)

    assert decoder.expand(document.collapse()) == [inside]

    assert json.loads(spec(**{"[].a": "json"}).collapse([inside]))[0].keys() == {"a"}
    with pytest.raises(nestdecode.LimitError):
        document.set("/0", [[inside]])


def test_a_tree_that_holds_a_part_at_two_depths_is_as_deep_as_it_is_written():
    shared: Any = [[[]]]
    deep: Any = shared
    for _ in range(251):
        deep = [deep]
    document = DECODER.open("[]")
    document.tree = [shared, deep[0]]

    assert oracle.decode(document.collapse()) == document.tree

    document.tree = [shared, deep]
    with pytest.raises(nestdecode.LimitError):
        document.collapse()


def test_a_tree_that_holds_itself_is_refused():
    document = DECODER.open("[[1]]")
    document.tree[0].append(document.tree)

    with pytest.raises(nestdecode.LimitError):
        document.collapse()


@pytest.mark.parametrize("closed", [False, True], ids=["plain", "layers"])
def test_the_deepest_tree_that_the_limits_allow_is_changed_at_its_end(closed):
    decoder = nestdecode.Decoder(max_depth=254, max_layers=254)
    inside: Any = ["OLDVALUE"]
    for depth in range(253):
        inside = [strategies.COMPACT.write(inside) if closed and depth % 25 == 24 else inside]
    raw = strategies.COMPACT.write(inside).encode()
    document = decoder.open(raw)
    tree = document.tree
    while isinstance(tree[0], list):
        tree = tree[0]
    tree[0] = "NEWVALUE"

    assert document.collapse() == raw.replace(b"OLD", b"NEW")

    tree[0] = {}
    with pytest.raises(nestdecode.LimitError):
        document.collapse()


def test_a_refused_document_is_not_opened():
    failing = spec(a={"codecs": "json", "on-error": "fail"})
    for decoder, text in ((DECODER, "{"), (failing, '{"a": "{"}'), (DECODER, "[1e400]")):
        with pytest.raises(nestdecode.DecodeError):
            decoder.open(text)


def test_a_document_can_be_pickled():
    document = nestdecode.Decoder("repair-results").open(b'{"data": {"taskResult": null} }')
    document.tree["data"]["taskStatus"] = "new"
    again = pickle.loads(pickle.dumps(document))

    assert (
        again.collapse()
        == document.collapse()
        == b'{"data": {"taskResult": null, "taskStatus": "new"} }'
    )
