"""Layers that do not open: what becomes of them, what is reported, and in which order."""

import json
from typing import Any

import pytest
from hypothesis import assume, example, given

from nestdecode import DecodeError, Decoder, Spec, SpecError
from tests.strategies import records, schemas
from tests.test_properties import BUILTINS, nodes

JSON = {"type": "string", "contentMediaType": "application/json"}
DROP = {"x-nestdecode": {"on-error": "drop"}}


def outcome(decoder: Decoder, problems: list[DecodeError], document: Any) -> tuple[Any, list[Any]]:
    """Expand a document: (the tree, or where it is refused), (the problems, in order)."""
    problems.clear()
    try:
        tree = decoder.expand(document)
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
        tree, _ = outcome(decoder, problems, document)

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


@pytest.mark.parametrize("place", [["[1]"], "[1]"], ids=["element", "record"])
@pytest.mark.parametrize("layers", ["{}", "{x: json}"], ids=["found", "undeclared"])
def test_what_is_no_member_stays_under_drop(place, layers):
    spec = None if layers == "{}" else Spec.parse("nestdecode: 1\nundeclared: open")
    decoder = Decoder(spec, on_error="drop", max_layers=0)
    for document in (json.dumps(place).encode(), json.dumps(place)):
        assert decoder.expand(document) == place
        assert decoder.query("@", document) == place
