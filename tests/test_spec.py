"""Specs read: schemas, OpenAPI and the short form, and the errors for each mistake."""

import json
import pickle
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from nestdecode import DecodeError, Decoder, LimitError, QueryError, Spec, SpecError
from nestdecode.spec import catalog
from tests.test_cases import GROUPS
from tests.together import together

JSON = {"type": "string", "contentMediaType": "application/json"}
SPECS = [pytest.param(group, id=key) for key, group in GROUPS.items() if group["spec"]]
SHIPPED = [pytest.param(name, id=name) for name in catalog.shipped()]

assert SPECS
assert SHIPPED


def _short(*lines: str) -> str:
    return "\n".join(["nestdecode: 1", *lines, ""])


def _layers(*lines: str) -> str:
    return _short("layers:", *(f"  {line}" for line in lines))


def _member(**schema: Any) -> str:
    return json.dumps({"properties": {"a": schema}})


def _openapi(
    version: str = "3.1.0", *, schemas: Any = None, more: Any = None, **statuses: Any
) -> str:
    """Write an OpenAPI document; each status has one JSON schema."""
    responses = {
        status.removeprefix("_"): {"description": "", "content": {"application/json": content}}
        for status, content in statuses.items()
    }
    document = {
        "openapi": version,
        "info": {"title": "Orders", "version": "1"},
        "paths": {"/orders": {"get": {"responses": responses}}},
        "components": {"schemas": schemas or {}},
    }
    return json.dumps(document | (more or {}))


# id, spec, pointer, what the reason says
SHORT_ERRORS: list[tuple[Any, ...]] = [
    ("a codec that is nearly one", _layers("a: base46"), "/layers/a", "'base46'", "'base64'"),
    ("a codec in a list", _layers("a: [json, gunzip]"), "/layers/a", "'gunzip'", "'gzip'"),
    ("a codec in a chain", _layers("a: base64 | jsn"), "/layers/a", "'jsn'", "'json'"),
    ("a codec that is missing", _layers("a: base64 |"), "/layers/a", "missing", "'base64 |'"),
    ("the ? inside of a chain", _layers("a: json? | json"), "/layers/a", "at the end"),
    ("a path of JSONPath", _layers("$.a[*].b: json"), "/layers/$.a[*].b", "no $", ": a[*].b"),
    ("a pointer", _layers("/a/b: json"), "/layers/~1a~1b", "pointer", "a.b"),
    ("a filter", _layers("a[?b]: json"), "/layers/a[?b]", "filters are for queries"),
    ("a dot too many", _layers("a..b: json"), "/layers/a..b", "'.' (character 3)"),
    ("no codec at all", _layers("a:"), "/layers/a", "codecs"),
    ("an empty list of chains", _layers("a: []"), "/layers/a", "at least one"),
    ("codecs that are a number", _layers("a: 5"), "/layers/a", "codecs"),
    ("a policy and no codecs", _layers("a: {on-error: fail}"), "/layers/a", "codecs"),
    ("gzip of a string", _layers("a: gzip | json"), "/layers/a", "gzip", "base64"),
    ("gzip of what json gives", _layers("a: json | gzip"), "/layers/a", "gzip", "base64"),
    ("a path through text", _layers("a: base64", "a.b: json"), "/layers/a", "json"),
    ("a key that is nearly one", _short("layer: {}"), "/layer", "'layer'", "'layers'"),
    ("a key of a layer", _layers("a: {codec: json}"), "/layers/a/codec", "'codecs'"),
    (
        "a key of a layer, with _ for -",
        _layers("a: {codecs: json, on_error: keep}"),
        "/layers/a/on_error",
        "'on-error'",
    ),
    ("redact", _short("redact: {}"), "/redact", "reserved"),
    ("a filter in a path", _layers("a[?b]: json"), "/layers/a[?b]", "'a[?b]'", "[]"),
    ("a slice in a path", _layers("a[0:2]: json"), "/layers/a[0:2]", "'a[0:2]'"),
    ("a negative index", _layers("a[-1]: json"), "/layers/a[-1]", "'a[-1]'"),
    ("an index out of reach", _layers("a[1001]: json"), "/layers/a[1001]", "1001", "1000"),
    ("a pipe in a path", _layers("a | b: json"), "/layers/a | b", "'a | b'"),
    ("a function in a path", _layers("keys(a): json"), "/layers/keys(a)", "'keys(a)'"),
    ("a multi-select in a path", _layers("a.[b]: json"), "/layers/a.[b]", "'a.[b]'"),
    ("an incomplete path", _layers("a..b: json"), "/layers/a..b", "'a..b'"),
    ("an empty path", _layers("'': json"), "/layers/", "''"),
    ("a literal for a path", _layers("'`1`': json"), "/layers/`1`", "'`1`'"),
    ("a name that needs quotes", _layers("a-b: json"), "/layers/a-b", "'\"a-b\"'"),
    ("one place, [] and [*]", _layers("a[]: json", "a[*]: json"), "/layers/a[*]", "'a[]'"),
    ("one place, quoted and not", _layers("a: json", "'\"a\"': json"), '/layers/"a"', "'a'"),
    ("unknown undeclared", _short("undeclared: opne"), "/undeclared", "'opne'", "'open'"),
    ("undeclared is no boolean", _short("undeclared: yes"), "/undeclared", "'yes'", "open"),
    ("an unknown policy", _short("on-error: kepe"), "/on-error", "'kepe'", "'keep'"),
    ("a policy that is a list", _short("on-error: [keep]"), "/on-error", "keep, null, drop, fail"),
    (
        "an unknown policy of a layer",
        _layers("a: {codecs: json, on-error: kepe}"),
        "/layers/a/on-error",
        "'kepe'",
        "'keep'",
    ),
    (
        "drop on elements",
        _layers("a[]: {codecs: json, on-error: drop}"),
        "/layers/a[]",
        "drop",
        "member",
    ),
    (
        "drop on an element",
        _layers("a[0]: {codecs: json, on-error: drop}"),
        "/layers/a[0]",
        "drop",
        "member",
    ),
    (
        "drop on the root",
        _layers("'@': {codecs: json, on-error: drop}"),
        "/layers/@",
        "drop",
        "member",
    ),
    ("an unknown limit", _short("limits: {max_layer: 3}"), "/limits/max_layer", "'max_layers'"),
    ("a limit too high", _short("limits: {max_depth: 255}"), "/limits/max_depth", "254"),
    ("a limit too low", _short("limits: {max_depth: 0}"), "/limits/max_depth", "1"),
    ("a limit in quotes", _short("limits: {max_depth: '9'}"), "/limits/max_depth", "integer"),
    ("a limit that is true", _short("limits: {max_layers: true}"), "/limits/max_layers", "integer"),
    ("numbers that are no word", _short("numbers: exakt"), "/numbers", "double", "'exact'"),
    ("numbers that are null", _short("numbers: "), "/numbers", "double or exact"),
    ("numbers in an array", _short("numbers: [exact]"), "/numbers", "double or exact"),
    ("duplicates", _short("duplicates: errors"), "/duplicates", "last", "'error'"),
    ("limits that are a number", _short("limits: 5"), "/limits", "object"),
    ("a focus that is no JMESPath", _short("focus: a["), "/focus", "JMESPath", "column 3"),
    ("a focus that is a number", _short("focus: 5"), "/focus", "string"),
    ("a match that is cut short", _short("match: a =="), "/match", "JMESPath"),
    ("a query that is no JMESPath", _short("queries: {q: 'a['}"), "/queries/q", "JMESPath"),
    ("a query without expression", _short("queries: {q: }"), "/queries/q", "null"),
    ("a query's name", _short("queries: {'a b': c}"), "/queries", "'a b'"),
    ("queries that are a list", _short("queries: [a]"), "/queries", "object"),
    (
        "match beside base64",
        _short("match: a", "layers: {a: json, b: base64 | json}"),
        "/match",
        "json layers only",
        "base64 | json",
    ),
    ("another version", "nestdecode: 2\n", "/nestdecode", "1", "2"),
    ("a version in quotes", "nestdecode: '1'\n", "/nestdecode", "'1'"),
    ("a short form without its first line", "layers: {a: json}\n", "/layers", "nestdecode: 1"),
    ("layers that are a list", _short("layers: [a]"), "/layers", "object"),
]

SCHEMA_ERRORS: list[tuple[Any, ...]] = [
    ("a codec on a node", _member(**{"x-nestdecode": {"codecs": "jsn"}}), "codecs", "'json'"),
    ("a key on a node", _member(**{"x-nestdecode": {"codec": "json"}}), "codec", "'codecs'"),
    ("redact on a node", _member(**{"x-nestdecode": {"redact": True}}), "redact", "reserved"),
    ("a document's key on a node", _member(**{"x-nestdecode": {"focus": "a"}}), "focus", "'focus'"),
    (
        "codecs beside contentMediaType",
        _member(**JSON, **{"x-nestdecode": {"codecs": "json"}}),
        "",
        "beside contentMediaType",
    ),
    (
        "codecs beside contentEncoding",
        _member(contentEncoding="base64", **{"x-nestdecode": {"codecs": "base64"}}),
        "",
        "beside contentEncoding",
    ),
    (
        "codecs beside contentSchema",
        _member(contentSchema={}, **{"x-nestdecode": {"codecs": "json"}}),
        "",
        "beside contentSchema",
    ),
    (
        "contentSchema in the wrong place",
        _member(**JSON, **{"x-nestdecode": {"contentSchema": {}}}),
        "contentSchema",
        "beside contentMediaType",
    ),
    (
        "gzip of a string",
        _member(**{"x-nestdecode": {"codecs": "gzip | json"}}),
        "codecs",
        "gzip",
        "base64",
    ),
    (
        "a policy on a node",
        _member(**JSON, **{"x-nestdecode": {"on-error": "skip"}}),
        "on-error",
        "'skip'",
        "keep, null, drop, fail",
    ),
    ("x-nestdecode that is a number", _member(**{"x-nestdecode": 5}), "", "object"),
]
SCHEMA_ERRORS = [
    (name, text, "/properties/a/x-nestdecode" + (key and f"/{key}"), *said)
    for name, text, key, *said in SCHEMA_ERRORS
]
SCHEMA_ERRORS += [
    (
        "another charset",
        _member(contentMediaType="application/json; charset=latin1"),
        "/properties/a/contentMediaType",
        "charset",
        "latin1",
        "utf-8",
    ),
    (
        "an unknown encoding",
        _member(contentMediaType="application/json", contentEncoding="base46"),
        "/properties/a/contentEncoding",
        "'base46'",
        "'base64'",
    ),
    (
        "gzip without base64",
        _member(contentMediaType="application/json+gzip"),
        "/properties/a/contentMediaType",
        "contentEncoding: base64",
    ),
    ("a media type that is a number", _member(contentMediaType=5), None, "string"),
    ("$dynamicRef", _member(**{"$dynamicRef": "#x"}), None, "$dynamicRef", "$ref"),
    ("a foreign $id", _member(**{"$id": "https://example.com/x"}), None, "$id"),
    ("$ref to http", _member(**{"$ref": "http://127.0.0.1/x"}), None, "'http://127.0.0.1/x'"),
    ("$ref to a file", _member(**{"$ref": "file:///x.json"}), None, "'file:///x.json'"),
    ("$ref to a relative file", _member(**{"$ref": "x.yaml#/a"}), None, "'x.yaml#/a'"),
    ("$ref to nothing", _member(**{"$ref": "#/$defs/Nope"}), None, "'#/$defs/Nope'"),
    ("$ref to no anchor", _member(**{"$ref": "#nope"}), None, "'#nope'"),
    ("$ref into a string", _member(**{"$ref": "#/properties/a/$ref/0"}), None, "nothing"),
    ("$ref that is a number", _member(**{"$ref": 5}), None, "string"),
    ("$ref to what is no schema", _member(enum=[5], allOf=[{"$ref": "#/properties/a/enum"}]), None),
    ("an unknown type", _member(type="strnig"), "/properties/a/type", "'strnig'", "'string'"),
    ("an unknown type in a list", _member(type=["string", "int"]), "/properties/a/type", "'int'"),
    ("a type that is an object", _member(type={}), "/properties/a/type", "type"),
    ("a type that is a list in a list", _member(type=[["string"]]), "/properties/a/type", "type"),
    ("a schema that is a number", '{"properties": {"a": 5}}', "/properties/a", "integer"),
    ("properties that are a list", '{"properties": []}', "/properties", "object", "array"),
    ("items that are a list", '{"items": [{}]}', "/items", "prefixItems"),
    ("allOf that is an object", '{"allOf": {}}', "/allOf", "array", "object"),
    ("a pattern", '{"patternProperties": {"(": {}}}', "/patternProperties/(", "pattern"),
    (
        "a pattern that repeats too often",
        '{"patternProperties": {"a{99999999999}": {}}}',
        "/patternProperties/a{99999999999}",
        "pattern",
    ),
    (
        "a pattern that is nested too deep",
        json.dumps({"patternProperties": {"(" * 500 + ")" * 500: {}}}),
        None,
        "pattern",
    ),
    (
        "drop on items",
        json.dumps({"items": JSON | {"x-nestdecode": {"on-error": "drop"}}}),
        "/items",
        "drop",
        "member",
    ),
    (
        "drop on items, by the string inside",
        json.dumps(
            {"items": JSON | {"contentSchema": JSON | {"x-nestdecode": {"on-error": "drop"}}}}
        ),
        None,
        "drop",
        "member",
    ),
    (
        "drop on prefixItems, by what a text holds",
        json.dumps(
            {
                "prefixItems": [
                    {
                        "x-nestdecode": {
                            "codecs": "base64",
                            "contentSchema": {"x-nestdecode": {"on-error": "drop"}},
                        }
                    }
                ]
            }
        ),
        None,
        "",
    ),
    (
        "two policies for one place",
        json.dumps(
            {
                "allOf": [
                    {"properties": {"a": JSON | {"x-nestdecode": {"on-error": "null"}}}},
                    {"properties": {"a": JSON | {"x-nestdecode": {"on-error": "fail"}}}},
                ]
            }
        ),
        "/allOf/1/properties/a/x-nestdecode/on-error",
        "null",
        "fail",
    ),
    ("redact", '{"x-nestdecode": {"redact": []}}', "/x-nestdecode/redact", "reserved"),
    ("a key", '{"x-nestdecode": {"focsu": "a"}}', "/x-nestdecode/focsu", "'focus'"),
    ("a policy", '{"x-nestdecode": {"on-error": "kepe"}}', "/x-nestdecode/on-error", "'keep'"),
    ("x-nestdecode that is a list", '{"x-nestdecode": []}', "/x-nestdecode", "object"),
    (
        "a schema that is not there",
        '{"x-nestdecode": {"schema": "#/$defs/X"}}',
        "/x-nestdecode/schema",
        "'#/$defs/X'",
    ),
    (
        "match beside base64",
        json.dumps(
            {
                "x-nestdecode": {"match": "a"},
                "properties": {"a": JSON | {"contentEncoding": "base64"}},
            }
        ),
        "/x-nestdecode/match",
        "json layers only",
    ),
]

OPENAPI_ERRORS: list[tuple[Any, ...]] = [
    ("no response", _openapi(), "/paths", "2xx", "x-nestdecode.schema"),
    ("no 2xx response", _openapi(_404={"schema": {}}, default={"schema": {}}), "/paths", "2xx"),
    ("no paths", '{"openapi": "3.1.0", "info": {}}', "/paths", "2xx"),
    (
        "several responses",
        _openapi(_200={"schema": {"type": "object"}}, _202={"schema": {"type": "array"}}),
        "/paths",
        "x-nestdecode.schema",
        "/paths/~1orders/get/responses/200/content/application~1json/schema",
        "/paths/~1orders/get/responses/202/content/application~1json/schema",
    ),
    (
        "several responses by $ref",
        _openapi(
            schemas={"A": {"type": "object"}, "B": {"type": "array"}},
            _200={"schema": {"$ref": "#/components/schemas/A"}},
            _201={"schema": {"$ref": "#/components/schemas/B"}},
        ),
        "/paths",
        "/components/schemas/A, /components/schemas/B",
    ),
    (
        "a record's schema that is not there",
        _openapi(more={"x-nestdecode": {"schema": "#/components/schemas/Nope"}}),
        "/x-nestdecode/schema",
        "'#/components/schemas/Nope'",
    ),
    (
        "a record's schema that is no pointer",
        _openapi(more={"x-nestdecode": {"schema": 5}}),
        "/x-nestdecode/schema",
        "string",
    ),
    ("another OpenAPI", _openapi("4.0.0"), "/openapi", "3.0, 3.1 or 3.2", "'4.0.0'"),
    ("Swagger 2.0", '{"swagger": "2.0"}', "/swagger", "3.0, 3.1 or 3.2", "'2.0'"),
    (
        "paths that lead round in a circle",
        '{"openapi": "3.1.0", "paths": {"/x": {"$ref": "#/paths/~1x"}}}',
        "/paths/~1x",
        "back to itself",
    ),
]

YAML_ERRORS: list[tuple[Any, ...]] = [
    (
        "a dotted name in double quotes",
        _layers('"a.b": json'),
        3,
        "'\"a.b\"'",
        "a.b without quotes",
    ),
    (
        "a dotted name in double quotes, on one line",
        _short('layers: {"a.b": json}'),
        2,
        "'\"a.b\"'",
    ),
    ("a name with a hyphen in double quotes", _layers('"a-b": json'), 3, "'\"a-b\"'"),
    ("a name with a blank in double quotes", _layers('"a b": json'), 3, "'\"a b\"'"),
    ("a path that begins with *", _layers("a: json", "*.value: json"), 4, "'*.value': json"),
    ("* alone", _layers("*: json?"), 3, "'*': json?"),
    ("a path that begins with * and a long form", _layers("*.b: {codecs: json}"), 3, "'*.b': {"),
    ("a path that begins with []", _layers("[].a: json"), 3, "'[].a': json"),
    ("[] alone", _layers("a: json", "[]: json"), 4, "'[]': json"),
    ("a path that begins with [*]", _layers("[*].a: json"), 3, "'[*].a': json"),
    ("a path that begins with an index", _layers("[0].a: json"), 3, "'[0].a': json"),
    ("@ alone", _layers("@: json"), 3, "'@': json"),
    ("a key that is there twice", _layers("a: json", "b: json", "a: json"), 5, "'a'", "twice"),
    ("a key of the document that is there twice", _short("layers: {}", "layers: {}"), 3, "twice"),
    ("an anchor", _layers("a: &x json"), 3, "anchors", "$ref"),
    ("an alias", _layers("a: json", "b: *x"), 4, "aliases", "$ref"),
    ("a merge key", _layers("<<: {a: json}"), 3, "merge keys", "$ref"),
    ("a tag", _layers("a: !!str json"), 3, "tags"),
    ("a tag of a key", _layers("!!str a: json"), 3, "tags"),
    ("a tag that would run code", _layers("a: !!python/object:os.system {}"), 3, "tags"),
    ("two documents", _short("---", "nestdecode: 1"), 2, "one document"),
    ("a key that is a list", _layers("? [a]", ": json"), 3, "key"),
    ("a line less indented than its like", _layers("a: json") + " b: json\n", 4, "0 or 2"),
    ("a line more indented than its like", _layers("a: json", "  b: json"), 4, "indent by 2"),
    ("a tab", "nestdecode: 1\nlayers:\n\ta: json\n", 3, "a tab", "spaces"),
    ("a bracket that is never closed", _short("layers: {a: json"), 2, "the { ", "not closed"),
    ("a quote that is never closed", _layers("'a: json", "b: json"), 3, "the ' ", "not closed"),
    ("a blank that is missing", _layers("a:json", "b: json"), 3, "space", "a: json"),
    ("a colon that is missing", _layers("a json", "b: json"), 3, "colon"),
    ("a query with ': '", _short("queries:", "  a: b.{c: d}"), 3, "a: 'b.{c: d}'"),
    ("a query that goes on behind its quotes", _short('focus: "a" || b'), 2, """ '"a" || b'"""),
    ("a query that begins with a list", _short("focus: a ", "match: [?a].b"), 3, "'[?a].b'"),
    ("a query that begins with @", _short("match: '@'", "focus: @ | a"), 3, "'@ | a'"),
    ("a query that begins with a pipe", _short("focus: | a"), 2, "'| a'"),
    ("a character that YAML forbids", _short("title: a\x07b"), 2, "U+0007"),
    ("what is no YAML at all", "a: b\n- c\n", 2, "does not fit"),
    ("a list that is nested too deep", "a:\n  " + "[" * 200, 2, "deep"),
]


def _table(rows: Sequence[tuple[Any, ...]]) -> list[Any]:
    return [pytest.param(*row[1:3], row[3:], id=row[0]) for row in rows]


@pytest.mark.parametrize(("text", "pointer", "said"), _table(SHORT_ERRORS) + _table(OPENAPI_ERRORS))
def test_a_wrong_document_names_place_and_wanted(text, pointer, said):
    with pytest.raises(SpecError) as caught:
        Spec.parse(text, "orders.yaml")

    assert [part for part in said if part not in caught.value.reason] == [], caught.value
    assert (caught.value.source, caught.value.pointer) == ("orders.yaml", pointer)


@pytest.mark.parametrize(("text", "pointer", "said"), _table(SCHEMA_ERRORS))
def test_a_wrong_schema_names_place_and_wanted(text, pointer, said):
    with pytest.raises(SpecError) as caught:
        Spec.parse(text)

    assert [part for part in said if part not in caught.value.reason] == [], caught.value
    if pointer is None:
        assert str(caught.value.pointer).startswith(
            ("/properties/a", "/items", "/patternProperties", "/prefixItems")
        )
    else:
        assert caught.value.pointer == pointer


@pytest.mark.parametrize(("text", "line", "said"), _table(YAML_ERRORS))
def test_what_yaml_makes_of_it_names_line_and_wanted(text, line, said):
    with pytest.raises(SpecError) as caught:
        Spec.parse(text, "orders.yaml")

    assert [part for part in said if part not in caught.value.reason] == [], caught.value
    assert (caught.value.source, caught.value.line) == ("orders.yaml", line)


def test_a_wrong_short_form_names_its_line():
    with pytest.raises(SpecError) as caught:
        Spec.parse(_layers("a: json", "b: base46"), "orders.yaml")

    assert str(caught.value).startswith("orders.yaml:4: unknown codec 'base46'")
    assert str(caught.value).endswith(" - at /layers/b")


@pytest.mark.parametrize(
    ("line", "text"),
    [
        pytest.param(4, _layers("a: json", "b: {codecs: json, on-error: kepe}"), id="policy"),
        pytest.param(4, _layers("a: json", "b[]: {codecs: json, on-error: drop}"), id="drop"),
        pytest.param(2, _short("on-error: kepe"), id="default policy"),
        pytest.param(3, "type: object\nproperties:\n  a: {type: strnig}\n", id="schema"),
        pytest.param(2, "openapi: 3.1.0\npaths: {}\n", id="OpenAPI"),
        pytest.param(1, "openapi: 2.0.0\npaths: {}\n", id="OpenAPI version"),
    ],
)
def test_an_error_in_yaml_has_a_line(line, text):
    with pytest.raises(SpecError) as caught:
        Spec.parse(text)

    assert caught.value.line == line


def test_broken_json_names_its_line():
    with pytest.raises(SpecError) as caught:
        Spec.parse('{"nestdecode": 1,\n "layers": }', "orders.json")

    assert (caught.value.line, caught.value.source) == (2, "orders.json")
    assert caught.value.reason.startswith("invalid JSON")


def test_a_key_that_is_there_twice_in_json_is_an_error():
    with pytest.raises(SpecError) as caught:
        Spec.parse('{"nestdecode": 1, "layers": {"a": "json", "a": "json?"}}', "orders.json")

    assert "'a' is written twice" in caught.value.reason


@pytest.mark.parametrize("text", ["", "# nothing", "[]", "5", "null", "just words"])
def test_a_document_that_is_no_object_is_an_error(text):
    with pytest.raises(SpecError, match="nestdecode: 1"):
        Spec.parse(text)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("repair-result", "'repair-results'"),
        ("sqs-sns", "'aws/sqs-sns'"),
        ("aws/sqs", "'aws/sqs-sns'"),
        ("AWS/SQS-SNS", "'aws/sqs-sns'"),
        ("zzz", "aws/sqs-sns"),
    ],
)
def test_an_unknown_name_names_the_nearest(name, nearest):
    with pytest.raises(SpecError) as caught:
        Spec.load(name)

    assert repr(name) in caught.value.reason
    assert nearest in caught.value.reason


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("./nope.yaml", id="no file"),
        pytest.param("nope.json", id="no file, by suffix"),
        pytest.param(".", id="a folder"),
        pytest.param("", id="empty"),
        pytest.param("x" * 5000, id="a long name"),
        pytest.param("./" + "x" * 5000, id="a long path"),
        pytest.param("a\0b", id="NUL in a name"),
        pytest.param("./a\0b", id="NUL in a path"),
        pytest.param("~no-such-user/x.yaml", id="no such user"),
        pytest.param("repair-results#/components/schemas/Nope", id="no such schema"),
        pytest.param("aws/sqs-sns#/properties", id="a pointer into a short form"),
    ],
)
def test_a_name_or_path_without_a_spec_is_a_spec_error(name):
    with pytest.raises(SpecError):
        Spec.load(name)


def test_a_file_is_loaded_by_its_path(tmp_path):
    path = tmp_path / "orders.yaml"
    path.write_bytes(b"\xef\xbb\xbfnestdecode: 1\r\nlayers:\r\n  a: json\r\n")

    assert (
        Spec.load(path).layers
        == Spec.load(str(path)).layers
        == Spec.parse(_layers("a: json")).layers
    )


def test_a_pointer_chooses_the_schema(tmp_path):
    path = tmp_path / "orders.json"
    path.write_text(json.dumps({"$defs": {"A": {"properties": {"a": JSON}}, "B": JSON}}))

    assert [layer.path for layer in Spec.load(f"{path}#/$defs/A").layers] == ["a"]
    assert [layer.path for layer in Spec.load(f"{path}#/$defs/B").layers] == ["@"]
    assert Spec.load(path).layers == ()


def test_a_pointer_overrides_the_document():
    text = _openapi(
        schemas={"A": {"properties": {"a": JSON}}, "B": {"properties": {"b": JSON}}},
        more={"x-nestdecode": {"schema": "#/components/schemas/A"}},
    )

    assert [layer.path for layer in Spec.parse(text).layers] == ["a"]
    chosen = Spec.parse(text, schema="/components/schemas/B")
    assert [layer.path for layer in chosen.layers] == ["b"]


def test_yaml_is_read_with_the_types_of_json():
    words = "no, on, Yes, 012, 0x1F, 0o17, 1_000, 1:30, 2024-01-01, ~, .5, +1, .inf, True, Null, 1."
    spec = Spec.parse(f"title: 2024-01-01\nenum: [{words}]\n")

    assert spec.title == "2024-01-01"
    assert spec.schema["enum"] == words.split(", ")


def test_yaml_has_json_s_numbers_and_literals():
    values = Spec.parse("enum: [1, -2, 0, 1.5, 1e3, true, false, null, '1', \"null\", ]").schema[
        "enum"
    ]

    assert json.dumps(values) == '[1, -2, 0, 1.5, 1000.0, true, false, null, "1", "null"]'


def test_yaml_keys_are_strings():
    spec = Spec.parse("properties: {1: {enum: [a]}, no: {}, null: {}, 2024-01-01: {}}")

    assert list(spec.schema["properties"]) == ["1", "no", "null", "2024-01-01"]


@pytest.mark.parametrize(
    "constant",
    [
        pytest.param('{"const": NaN}', id="JSON text"),
        pytest.param('{"const": 1e400}', id="a double too large"),
        pytest.param({"const": float("nan")}, id="mapping"),
    ],
)
def test_a_number_that_json_does_not_know_is_a_spec_error(constant):
    with pytest.raises(SpecError):
        Spec.parse(constant)


SHORT = """
nestdecode: 1
layers:
  records[].body: json
  records[].body.message: json?
  blob: base64 | gzip | json
  tags.*: {codecs: json, on-error: null}
  '"dotted.name"': [json, base64 | json]
  twice: json | json
  slots[1]: json
"""

SCHEMA = """
type: object
properties:
  records:
    type: array
    items:
      type: object
      properties:
        body:
          type: string
          contentMediaType: application/json
          contentSchema:
            type: [object, array]
            properties:
              message:
                anyOf:
                  - {type: string, contentMediaType: application/json}
                  - {type: string}
  blob: {type: string, contentEncoding: base64, contentMediaType: application/json+gzip}
  tags:
    additionalProperties: {$ref: '#/$defs/Tag'}
  dotted.name:
    oneOf:
      - {type: string, contentMediaType: application/json}
      - {type: string, contentMediaType: application/json, contentEncoding: base64}
  twice:
    type: string
    contentMediaType: application/json
    contentSchema: {type: string, contentMediaType: application/json}
  slots:
    prefixItems: [true, {type: string, contentMediaType: application/json}]
$defs:
  Tag: {type: string, contentMediaType: application/json, x-nestdecode: {on-error: null}}
"""


def _as_openapi(version: str) -> Any:
    schema = yaml.safe_load(SCHEMA)
    text = json.dumps(schema).replace("#/$defs/", "#/components/schemas/")
    schemas = {"Order": json.loads(text), **schema["$defs"]}
    del schemas["Order"]["$defs"]
    if version.startswith("3.0"):
        del schemas["Order"]["properties"]["slots"]  # prefixItems came with 3.1
        schemas = json.loads(json.dumps(schemas).replace('"content', '"x-jsonschema-content'))
    return json.loads(
        _openapi(version, schemas=schemas, _200={"schema": {"$ref": "#/components/schemas/Order"}})
    )


def _as_yaml(document: Any) -> str:
    return yaml.safe_dump(document, sort_keys=False)


@pytest.mark.parametrize("write", [json.dumps, _as_yaml], ids=["JSON", "YAML"])
@pytest.mark.parametrize(
    "document",
    [
        pytest.param(yaml.safe_load(SHORT), id="short form"),
        pytest.param(yaml.safe_load(SCHEMA), id="bare schema"),
        pytest.param(_as_openapi("3.0.4"), id="OpenAPI 3.0"),
        pytest.param(_as_openapi("3.1.1"), id="OpenAPI 3.1"),
        pytest.param(_as_openapi("3.2.0"), id="OpenAPI 3.2"),
    ],
)
def test_every_spelling_of_a_spec_has_the_same_layers(document, write):
    expected = Spec.parse(SHORT).layers
    if str(document.get("openapi")).startswith("3.0"):
        expected = tuple(layer for layer in expected if layer.path != "slots[1]")

    assert Spec.parse(write(document)).layers == expected


def test_layers_say_what_the_spec_says():
    layers = Spec.parse(SHORT).layers

    assert [(la.path, " | ".join(la.codecs), la.optional, la.on_error) for la in layers] == [
        ("records[].body", "json", False, None),
        ("records[].body.message", "json", True, None),
        ("blob", "base64 | gzip | json", False, None),
        ("tags.*", "json", False, "null"),
        ('"dotted.name"', "json", False, None),
        ('"dotted.name"', "base64 | json", False, None),
        ("twice", "json | json", False, None),
        ("slots[1]", "json", False, None),
    ]


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_spec_is_its_schema(name):
    spec = Spec.load(name)
    again = Spec.parse(json.dumps(spec.schema))

    assert again.layers == spec.layers != ()
    assert (again.focus, again.queries, again.match) == (spec.focus, spec.queries, spec.match)


@together(["group"], SPECS)
def test_a_spec_of_the_vectors_is_its_schema(group):
    spec = Spec.parse(json.dumps(group["spec"]))
    again = Spec.parse(json.dumps(spec.schema))

    assert again.layers == spec.layers
    assert (again.undeclared, again.on_error, again.limits, again.title) == (
        spec.undeclared,
        spec.on_error,
        spec.limits,
        spec.title,
    )
    assert again.schema == spec.schema


def test_the_schema_is_a_new_object_each_time():
    text = json.dumps({"properties": {"a": JSON}})
    spec = Spec.parse(text)
    Spec.parse(text).schema["properties"].clear()
    Spec.parse(text).expanded_schema["properties"].clear()

    assert spec.schema["properties"] == {"a": JSON}
    assert list(Spec.parse(text).expanded_schema["properties"]) == ["a"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("a%41", id="per cent"),
        pytest.param("a/b~c", id="slash and tilde"),
        pytest.param("a b#c", id="blank and hash"),
        pytest.param("é", id="not ASCII"),
    ],
)
def test_a_definition_may_have_any_name(name):
    escaped = name.replace("~", "~0").replace("/", "~1").replace("%", "%25").replace("#", "%23")
    text = json.dumps({"properties": {"x": {"$ref": f"#/$defs/{escaped}"}}, "$defs": {name: JSON}})
    spec = Spec.parse(text)

    assert [layer.path for layer in spec.layers] == ["x"]
    assert Spec.parse(spec.schema).layers == spec.layers


def test_the_root_s_own_content_is_in_the_schema():
    document = {
        "x-nestdecode": {"codecs": "base64 | json", "contentSchema": {"$ref": "#x"}},
        "$defs": {"X": {"$anchor": "x", "properties": {"a": JSON}}},
    }
    spec = Spec.parse(json.dumps(document))

    assert [layer.path for layer in spec.layers] == ["@", "a"]
    assert Spec.parse(spec.schema).layers == spec.layers


@together(["group"], SPECS)
def test_the_schemas_of_a_spec_are_json_schema(group):
    spec = Spec.parse(json.dumps(group["spec"]))

    Draft202012Validator.check_schema(spec.schema)
    Draft202012Validator.check_schema(spec.expanded_schema)


@pytest.mark.parametrize(
    ("schema", "closed", "opened"),
    [
        pytest.param({**JSON}, "{}", {}, id="content"),
        pytest.param({**JSON, "contentSchema": {"type": "array"}}, "[]", [], id="contentSchema"),
        pytest.param({**JSON, "type": ["string", "null"]}, None, None, id="null stays"),
        pytest.param({**JSON, "minLength": 5, "pattern": "^.{5}"}, "[1, 2]", [1, 2], id="length"),
        pytest.param({"anyOf": [JSON, {"type": "string"}]}, "x", "x", id="optional"),
        pytest.param({"type": "string", "anyOf": [JSON, {"maxLength": 9}]}, "[]", [], id="beside"),
        pytest.param({"allOf": [{"type": "string"}, JSON]}, "[]", [], id="allOf"),
        pytest.param({"$ref": "#/$defs/Text", **JSON}, "[]", [], id="$ref"),
        pytest.param({"x-nestdecode": {"codecs": "base64"}}, "eA==", "x", id="text"),
    ],
)
def test_an_expanded_schema_admits_what_is_opened(schema, closed, opened):
    spec = Spec.parse(json.dumps({"items": schema, "$defs": {"Text": {"type": "string"}}}))
    tree = Decoder(spec).expand(json.dumps([closed]))
    errors = Draft202012Validator(spec.expanded_schema).iter_errors(tree)

    assert tree == [opened]
    assert [error.message for error in errors] == []


def test_an_expanded_schema_refuses_what_is_closed():
    spec = Spec.parse(json.dumps({"items": {**JSON, "contentSchema": {"type": "object"}}}))
    validator = Draft202012Validator(spec.expanded_schema)

    assert validator.is_valid([{}])
    assert not validator.is_valid(["{}"])
    assert not validator.is_valid([[]])


def test_an_expanded_schema_of_openapi_3_0_knows_null():
    content = {"x-jsonschema-contentMediaType": "application/json"}
    schema = {
        "type": "object",
        "properties": {
            "a": {"type": "string", "nullable": True, **content},
            "n": {"type": "integer", "minimum": 1, "exclusiveMinimum": True},
        },
    }
    spec = Spec.parse(_openapi("3.0.3", _200={"schema": schema}))
    Draft202012Validator.check_schema(spec.expanded_schema)
    validator = Draft202012Validator(spec.expanded_schema)

    assert validator.is_valid({"a": None})
    assert validator.is_valid({"a": {}, "n": 2})
    assert not validator.is_valid({"a": "{}"})
    assert not validator.is_valid({"n": 1})


PYDANTIC: dict[str, Any] = {
    "$defs": {
        "Item": {
            "properties": {"sku": {"title": "Sku", "type": "string"}},
            "required": ["sku"],
            "title": "Item",
            "type": "object",
        }
    },
    "properties": {
        "x": {
            "contentMediaType": "application/json",
            "contentSchema": {"$ref": "#/$defs/Item"},
            "title": "X",
            "type": "string",
        },
        "y": {
            "anyOf": [
                {
                    "contentMediaType": "application/json",
                    "contentSchema": {"items": {"type": "integer"}, "type": "array"},
                    "type": "string",
                },
                {"type": "null"},
            ],
            "default": None,
            "title": "Y",
        },
    },
    "required": ["x"],
    "title": "Order",
    "type": "object",
}


def test_a_mapping_as_pydantic_makes_it_is_a_spec():
    spec = Spec.parse(PYDANTIC)
    problems: list[DecodeError] = []
    decoder = Decoder(spec, on_problem=problems.append)

    assert [layer.path for layer in spec.layers] == ["x", "y"]
    assert spec.title == "Order"
    tree = decoder.expand({"x": '{"sku": "a"}', "y": "[1]"})
    assert tree == {"x": {"sku": "a"}, "y": [1]}
    assert decoder.expand({"x": "{}", "y": None}) == {"x": {}, "y": None}
    assert problems == []
    assert Draft202012Validator(spec.expanded_schema).is_valid(tree)


def test_a_mapping_may_change_afterwards():
    mapping = json.loads(json.dumps(PYDANTIC))
    spec = Spec.parse(mapping)
    mapping["properties"].clear()

    assert [layer.path for layer in spec.layers] == ["x", "y"]
    assert list(spec.schema["properties"]) == ["x", "y"]


@pytest.mark.parametrize(
    "mapping",
    [
        pytest.param({"enum": [object()]}, id="an object"),
        pytest.param({("a",): 1}, id="a key"),
        pytest.param({"enum": {1, 2}}, id="a set"),
    ],
)
def test_a_mapping_that_json_can_not_hold_is_a_spec_error(mapping):
    with pytest.raises(SpecError):
        Spec.parse(mapping)


def test_a_mapping_that_holds_itself_is_a_spec_error():
    mapping: dict[str, Any] = {}
    mapping["properties"] = {"a": mapping}

    with pytest.raises(SpecError):
        Spec.parse(mapping)


def test_bytes_are_utf_8():
    assert Spec.parse('{"title": "é"}'.encode()).title == "é"
    with pytest.raises(SpecError, match="UTF-8"):
        Spec.parse(b"title: \xff")


def _nested(wrap: Callable[[Any], Any], times: int) -> str:
    schema: Any = JSON
    for _ in range(times):
        schema = wrap(schema)
    return json.dumps(schema)


def _chained(times: int, last: Any) -> str:
    nodes = {
        f"N{i}": {"properties": {k: {"$ref": f"#/$defs/N{i + 1}"} for k in ("a", "b")}}
        for i in range(times)
    }
    return json.dumps({"$ref": "#/$defs/N0", "$defs": nodes | {f"N{times}": last}})


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(_nested(lambda s: {"properties": {"a": s}}, 300), id="properties"),
        pytest.param(_nested(lambda s: {"items": s}, 450), id="items"),
        pytest.param(_nested(lambda s: {"allOf": [s]}, 450), id="allOf"),
        pytest.param(_nested(lambda s: JSON | {"contentSchema": s}, 200), id="contentSchema"),
        pytest.param(_nested(lambda s: {"anyOf": [{"allOf": [s]}, True]}, 200), id="anyOf allOf"),
        pytest.param(_chained(1000, JSON), id="$ref"),
        pytest.param('{"a": ' * 100_000, id="JSON brackets"),
        pytest.param("[" * 100_000, id="YAML brackets"),
        pytest.param(_layers(".".join("a" * 300) + ": json"), id="a path"),
        pytest.param(_layers(".".join("a" * 5000) + ": json"), id="a long path"),
        pytest.param(_layers("a: " + " | ".join(["json"] * 500)), id="a chain"),
        pytest.param(_short("focus: " + "!" * 5000 + "a"), id="a focus"),
        pytest.param("title: \ud800", id="a lone surrogate"),
        pytest.param("title: \0", id="NUL"),
    ],
)
def test_a_hostile_spec_is_read_or_a_spec_error(text):
    try:
        spec = Spec.parse(text)
    except SpecError:
        return
    Decoder(spec).expand("{}")
    again = Spec.parse(json.dumps(spec.schema))

    assert again.layers == spec.layers


def test_layers_of_shared_schemas_are_counted_not_walked_for_ever():
    assert Spec.parse(_chained(40, {"type": "string"})).layers == ()


def test_a_large_document_is_a_spec():
    kinds = {
        f"Kind{i}": {"type": "object", "properties": {f"p{i}x{j}": JSON for j in range(20)}}
        for i in range(100)
    }
    union = {"oneOf": [{"$ref": f"#/$defs/{kind}"} for kind in kinds], "$defs": kinds}
    spec = Spec.parse(json.dumps(union))

    assert len(spec.layers) == 2000


N = {"$ref": "#/$defs/N"}


@pytest.mark.parametrize(
    "node",
    [
        pytest.param({"items": N, "contains": N}, id="items and contains"),
        pytest.param({"additionalProperties": N, "if": {"additionalProperties": N}}, id="if"),
        pytest.param({"if": {"items": N}}, id="if alone"),
        pytest.param({"if": {"items": {"contains": N}}, "else": {"items": N}}, id="if and else"),
        pytest.param(
            {"anyOf": [{"items": N}, {"items": {"allOf": [N, {"items": N}]}}]}, id="anyOf and allOf"
        ),
        pytest.param(
            {"contentMediaType": "application/json", "contentSchema": {"items": N}, "items": N},
            id="content and items",
        ),
    ],
)
def test_recursion_by_two_ways_is_finite(node):
    schema = {"properties": {"n": N, "a": JSON}, "$defs": {"N": node}}
    spec = Spec.parse(json.dumps(schema))

    assert [layer.path for layer in spec.layers][-1] == "a"


@pytest.mark.parametrize("last", [pytest.param({}, id="no layer"), pytest.param(JSON, id="layer")])
def test_schemas_that_all_refer_to_all_have_a_list_of_layers(last):
    kinds = [f"K{i}" for i in range(15)]
    properties = {kind: {"$ref": f"#/$defs/{kind}"} for kind in kinds}
    nodes = {kind: {"properties": properties} for kind in kinds}
    schema = {"properties": properties, "$defs": nodes | {"K0": last}}

    assert len(Spec.parse(json.dumps(schema)).layers) <= 10_000


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(SpecError("what", "/a", "file.yaml", 3), id="SpecError"),
        pytest.param(SpecError("what"), id="SpecError, bare"),
        pytest.param(DecodeError("what", "/a", "json"), id="DecodeError"),
        pytest.param(LimitError("what", "/a", "gzip"), id="LimitError"),
        pytest.param(QueryError("what", "a.b", 2), id="QueryError"),
    ],
)
def test_an_error_survives_pickle(error):
    again = pickle.loads(pickle.dumps(error))

    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert str(again) == str(error)


def test_a_raised_spec_error_survives_pickle():
    with pytest.raises(SpecError) as caught:
        Spec.parse(_layers("a: base46"), "orders.yaml")

    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


@pytest.mark.parametrize(
    "spec",
    [
        pytest.param(Spec.load("repair-results"), id="by name"),
        pytest.param(Spec.load("repair-results#/components/schemas/Task"), id="with a pointer"),
        pytest.param(Spec.parse(SHORT, "orders"), id="from text"),
        pytest.param(Spec.parse(PYDANTIC), id="from a mapping"),
    ],
)
def test_a_spec_survives_pickle(spec):
    again = pickle.loads(pickle.dumps(spec))

    assert again.layers == spec.layers != ()
    assert (again.name, again.title, again.focus) == (spec.name, spec.title, spec.focus)
    assert again.schema == spec.schema


def test_a_spec_can_not_be_changed():
    spec = Spec.parse(SHORT)

    with pytest.raises(AttributeError):
        spec.focus = "a"  # type: ignore[misc]
    with pytest.raises(TypeError):
        spec.queries["a"] = "b"  # type: ignore[index]
    with pytest.raises(TypeError):
        spec.limits["max_layers"] = 1  # type: ignore[index]


def test_drop_as_the_default_needs_members():
    spec = Spec.parse(_short("on-error: drop", "layers: {a: json, 'b[]': json}"))

    with pytest.raises(SpecError, match=r"b\[\]"):
        Decoder(spec)


def test_drop_as_the_argument_needs_members():
    with pytest.raises(SpecError, match=r"b\[\]"):
        Decoder(Spec.parse(_layers("a: json", "b[]: json")), on_error="drop")


def test_an_optional_layer_of_elements_minds_no_drop():
    spec = Spec.parse(_layers("a: json", "b[]: json?"))

    assert Decoder(spec, on_error="drop").expand({"a": "x", "b": ["x"]}) == {"b": ["x"]}


def test_members_that_are_no_strings_are_passed_by():
    schema = {"patternProperties": {"^a": JSON}, "additionalProperties": JSON}
    tree = Decoder(Spec.parse(schema)).expand({1: "x", None: "y", "a": "[1]"})

    assert tree == {1: "x", None: "y", "a": [1]}
