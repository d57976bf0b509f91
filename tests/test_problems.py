"""Layers that do not open: their values, the problems reported, and the order of these."""

import gc
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import assume, example, given

from nestdecode import DecodeError, Decoder, LimitError, Spec, SpecError
from tests.strategies import records, schemas
from tests.test_properties import BUILTINS, nodes

JSON = {"type": "string", "contentMediaType": "application/json"}
DROP = {"x-nestdecode": {"on-error": "drop"}}


def outcome(
    expand: Callable[[Any], Any], problems: list[DecodeError], document: Any
) -> tuple[Any, list[Any]]:
    """Expand a document: (the tree, or where it is refused), (the problems, in order)."""
    problems.clear()
    try:
        tree = expand(document)
    except DecodeError as error:
        tree = {"refused": [error.reason, error.pointer, error.codec]}
    return tree, [(problem.pointer, problem.codec, problem.reason) for problem in problems]


@given(schemas(), records())
@example({"properties": {"c": JSON | {"contentSchema": {"type": "string"} | DROP}}}, {"c": "{}"})
@example({"properties": {"c": JSON}, "x-nestdecode": {"on-error": "drop"}}, {"c": "{}}"})
def test_a_tree_holds_exact_builtins_only_whatever_a_spec_says(schema, record):
    problems: list[DecodeError] = []
    try:
        decoder = Decoder(Spec.parse(schema), on_problem=problems.append)
    except SpecError:
        assume(False)
    for document in (json.dumps(record).encode(), json.dumps(record), record):
        tree, _ = outcome(decoder.expand, problems, document)

        assert {type(node) for node in nodes(tree)} <= BUILTINS


@pytest.mark.parametrize(
    ("schema", "pointer", "instead"),
    [
        pytest.param(
            {"properties": {"c": JSON | {"contentSchema": {"type": "string"} | DROP}}},
            "/properties/c/contentSchema",
            "the layer that this is in",
            id="a string in a layer",
        ),
        pytest.param(
            {"properties": {"c": JSON | {"contentSchema": JSON | DROP}}},
            "/properties/c/contentSchema",
            "the layer that this is in",
            id="a layer in a layer",
        ),
        pytest.param(
            {"properties": {"c": JSON | {"contentSchema": {"type": "object"} | DROP}}},
            "/properties/c/contentSchema",
            "the layer that this is in",
            id="an object in a layer",
        ),
        pytest.param(
            {"properties": {"c": JSON | {"contentSchema": {"$ref": "#/properties/d"}}, "d": DROP}},
            "/properties/d",
            "the layer that this is in",
            id="a member that is what a layer holds, too",
        ),
        pytest.param({"items": JSON | DROP}, "/items", "null", id="elements"),
        pytest.param({"prefixItems": [JSON | DROP]}, "/prefixItems/0", "null", id="an element"),
        pytest.param({"allOf": [JSON | DROP]}, "/allOf/0", "null", id="the record"),
    ],
)
def test_only_a_member_can_be_dropped(schema, pointer, instead):
    with pytest.raises(SpecError, match=instead) as caught:
        Spec.parse(schema)

    assert caught.value.pointer == pointer


def test_the_policy_of_what_is_no_layer_decides_nothing():
    content = {"type": "string", "x-nestdecode": {"on-error": "fail"}}
    spec = Spec.parse({"properties": {"c": JSON | {"contentSchema": content}}})

    assert Decoder(spec).expand(b'{"c":"{}"}') == {"c": "{}"}


def test_drop_as_the_default_is_not_for_elements_however_deep_they_are():
    # The elements are what is around them, so they are no layer of their own in a list.
    loop = {"$defs": {"L": JSON | {"contentSchema": {"items": {"$ref": "#/$defs/L"}}}}}
    spec = Spec.parse(loop | {"properties": {"a": {"$ref": "#/$defs/L"}}})

    with pytest.raises(SpecError, match=r"not for a\[\]"):
        Decoder(spec, on_error="drop")


@pytest.mark.parametrize("document", [{"c": ["x"], "b": "y"}, {"b": {"z": "y", "a": "x"}}])
def test_problems_are_reported_in_the_order_of_the_document(document):
    problems: list[DecodeError] = []
    layers = {"b": "json", "b.a": "json", "b.z": "json", "c[]": "json"}
    decoder = Decoder(
        Spec.parse({"nestdecode": 1, "layers": layers}), on_problem=problems.append, max_layers=3
    )
    found = {}
    for way in (decoder.expand, decoder.engine.carefully, decoder.compile("@")):
        problems.clear()
        way(document)
        found[way] = [problem.pointer for problem in problems]

    wanted = ["/c/0", "/b"] if "c" in document else ["/b/z", "/b/a"]
    assert list(found.values()) == [wanted] * 3


@pytest.mark.parametrize("place", [["[1]"], "[1]"], ids=["element", "record"])
@pytest.mark.parametrize("layers", ["{}", "{x: json}"], ids=["found", "undeclared"])
def test_what_is_no_member_stays_under_drop(place, layers):
    spec = None if layers == "{}" else Spec.parse("nestdecode: 1\nundeclared: open")
    decoder = Decoder(spec, on_error="drop", max_layers=0)
    for document in (json.dumps(place).encode(), json.dumps(place)):
        assert decoder.expand(document) == place
        assert decoder.query("@", document) == place


@given(schemas(), records())
def test_the_careful_way_reports_what_the_compiled_one_does_up_to_a_fail(schema, record):
    problems: list[DecodeError] = []
    try:
        decoder = Decoder(Spec.parse(schema), on_problem=problems.append)
    except SpecError:
        assume(False)
    document = json.dumps(record).encode()

    compiled = outcome(decoder.expand, problems, document)

    assert outcome(decoder.engine.carefully, problems, document) == compiled


def test_problems_before_a_fail_are_reported_in_the_order_of_the_document():
    spec = "nestdecode: 1\nlayers: {a: json, b: {codecs: json, on-error: fail}, c: json}"
    problems: list[DecodeError] = []
    decoder = Decoder(Spec.parse(spec), on_problem=problems.append)
    for expand in (decoder.expand, decoder.engine.carefully):
        problems.clear()
        with pytest.raises(DecodeError) as caught:
            expand(b'{"c": "x", "b": "x", "a": "x"}')

        assert [p.pointer for p in [*problems, caught.value]] == ["/c", "/b"]


DEEP = "[" * 9 + "]" * 9


@pytest.mark.parametrize("policy", ["keep", "null", "drop", "fail"])
@pytest.mark.parametrize(
    ("layer", "text", "limits", "reported"),
    [
        pytest.param("json?", DEEP, {"max_depth": 5}, True, id="too deep"),
        pytest.param("json?", "[1e400]", {}, True, id="a number that can't be held"),
        pytest.param("json?", '{"x":1,"x":1}', {"duplicates": "error"}, True, id="a name twice"),
        pytest.param("json?", "[1]", {"max_layers": 0}, True, id="too many layers"),
        pytest.param("json | json?", '"[1]"', {"max_layers": 1}, True, id="inside another"),
        pytest.param("base64 | json?", "W10=", {"max_bytes": 1}, True, id="too many bytes"),
        pytest.param("json?", "[" * 300 + "}", {}, True, id="too deep to tell"),
        pytest.param("json?", "[[[[[[1}", {"max_depth": 5}, False, id="malformed, and deep"),
        pytest.param("json?", DEEP[:9] + '"\\u', {"max_depth": 5}, False, id="cut short"),
        pytest.param("json?", "[[1}]", {"max_depth": 5}, False, id="malformed"),
        pytest.param("base64 | json?", "W1s=", {}, False, id="malformed bytes"),
        pytest.param("json?", "text", {"max_layers": 0}, False, id="text among layers"),
        pytest.param(
            "base64 | json?", "W1s=", {"max_depth": 1}, False, id="malformed bytes, and deep"
        ),
        pytest.param("base64 | json?", "W10=", {"max_layers": 0}, True, id="encoded"),
    ],
)
def test_only_a_limit_makes_a_problem_of_an_optional_layer(layer, text, limits, reported, policy):
    problems: list[DecodeError] = []
    spec = Spec.parse({"nestdecode": 1, "layers": {"a": layer}})
    decoder = Decoder(spec, on_error=policy, on_problem=problems.append, **limits)
    record = {"a": text}
    for expand in (decoder.expand, decoder.engine.carefully, decoder.compile("@")):
        problems.clear()

        assert expand(json.dumps(record).encode()) == record
        assert [(p.pointer, type(p)) for p in problems] == [("/a", LimitError)] * reported


def test_what_is_declared_beside_a_string_is_not_declared_inside_it():
    place = {"anyOf": [JSON, {"type": "array", "items": JSON}]}
    decoder = Decoder(Spec.parse({"properties": {"a": place}}))
    shut, open_ = b'{"a":"[\\"[1]\\"]"}', b'{"a":["[1]"]}'
    for expand in (decoder.expand, decoder.engine.carefully, decoder.compile("@")):
        assert expand(shut) == {"a": ["[1]"]}
        assert expand(open_) == {"a": [[1]]}
    assert decoder.query("a[0]", shut) == "[1]"
    assert decoder.query("a[0]", open_) == [1]


@pytest.mark.slow
@pytest.mark.parametrize("text", ['{"a":1', "[1e400]", '["\\ud800",]', "_"])
@pytest.mark.parametrize(
    "codecs",
    [
        pytest.param("json", id="json"),
        pytest.param("json?", id="optional"),
        pytest.param("base64 | json", id="base64"),
        pytest.param(["json", "base64 | json"], id="alternatives"),
    ],
)
def test_a_layer_that_does_not_open_leaves_nothing_to_collect(codecs, text):
    # The command runs without the collector: a cycle would keep the payload for good.
    spec = Spec.parse({"nestdecode": 1, "layers": {"[].a": codecs}})
    decoder = Decoder(spec, on_problem=lambda problem: None)
    document = json.dumps([{"a": text}] * 300).encode()
    for read in (decoder.expand, decoder.engine.carefully):
        read(document)
        gc.collect()
        gc.freeze()  # what the other tests hold takes long to look through
        gc.disable()
        try:
            read(document)
            left = gc.collect()
        finally:
            gc.enable()
            gc.unfreeze()

        assert left < 300


def test_a_string_that_may_stay_is_opened_if_it_opens_by_the_exact_path():
    """The fast parser refuses an escaped lone surrogate; the careful way reads it."""
    text = r'["\\ud800"]'.replace("\\\\", "\\")
    schema = {
        "properties": {
            "a": {
                "anyOf": [
                    {"type": "string", "contentMediaType": "application/json"},
                    {"enum": [text]},
                ]
            }
        }
    }
    decoder = Decoder(Spec.parse(json.dumps(schema)))

    assert decoder.expand(json.dumps({"a": text})) == {"a": ["\ud800"]}
    assert decoder.query("a", json.dumps({"a": text})) == ["\ud800"]


def test_an_integer_that_is_all_of_a_layer_is_exact_in_a_query():
    schema = {
        "properties": {
            "c": {
                "type": "string",
                "contentMediaType": "application/json",
                "contentSchema": {"type": "number"},
            }
        }
    }
    decoder = Decoder(Spec.parse(json.dumps(schema)))
    raw = json.dumps({"c": str(-(10**30)), "rest": [[]] * 300}).encode()

    assert decoder.query("[`[]`, @]", raw)[1]["c"] == -(10**30)
    assert type(decoder.query("c", raw)) is int
    assert type(decoder.expand(raw)["c"]) is int


def test_what_is_not_json_is_no_layer_however_deep_it_looks():
    problems: list[DecodeError] = []
    for spec in (None, Spec.parse("{nestdecode: 1, undeclared: open, layers: {x: json}}")):
        decoder = Decoder(spec, max_depth=3, on_problem=problems.append)

        assert decoder.expand('{"c":[["[APN/1.0]"]]}') == {"c": [["[APN/1.0]"]]}
    assert not problems


@pytest.mark.parametrize("codec", ["base64", "base64url", "base32", "base32hex", "base16"])
def test_what_is_not_encoded_meets_no_limit_however_long_it_is(codec):
    problems: list[DecodeError] = []
    spec = Spec.parse({"nestdecode": 1, "layers": {"a": f"{codec}?"}})
    decoder = Decoder(spec, max_bytes=3, on_problem=problems.append)

    assert decoder.expand({"a": "no {code} " * 8}) == {"a": "no {code} " * 8}
    assert not problems


@given(schemas(["keep"]), records())
def test_whether_anybody_listens_changes_no_tree(schema, record):
    try:
        spec = Spec.parse(json.dumps(schema))
    except SpecError:
        assume(False)
    for document in (json.dumps(record), record):
        trees = []
        for listener in (None, lambda problem: None):
            try:
                trees.append(Decoder(spec, on_problem=listener).expand(document))
            except DecodeError as error:
                trees.append(str(error))

        assert trees[0] == trees[1]
