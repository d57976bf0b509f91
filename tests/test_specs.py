"""The shipped specs, each with its samples; repair-results most of all."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from nestdecode import DecodeError, Decoder, Spec, expand
from nestdecode.queries.expression import lender
from tests import oracle

FOLDER = Path(__file__).parent.parent / "specs"
README = (FOLDER / "README.md").read_text()
NAMES = [
    path.relative_to(FOLDER).with_suffix("").as_posix()
    for path in sorted(FOLDER.rglob("*.yaml"))
    if "samples" not in path.parts
]
SAMPLES = {
    path.relative_to(FOLDER / "samples").with_suffix("").as_posix(): path
    for path in sorted((FOLDER / "samples").rglob("*.json"))
}
assert NAMES
assert SAMPLES
REPAIR_RESULTS = Spec.load("repair-results")


def _spec_of(sample: str) -> str:
    """Return the spec that a sample is for: its name, or the beginning of it."""
    return max((n for n in NAMES if sample == n or sample.startswith(n + "-")), key=len)


PAIRS = [pytest.param(_spec_of(sample), path, id=sample) for sample, path in SAMPLES.items()]


def _row(name: str) -> str:
    """Return a spec's row of the table in the README."""
    return next(row for row in README.splitlines() if row.startswith(f"| [{name}.yaml]"))


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_spec_loads_by_name_and_by_path(name):
    spec = Spec.load(name)

    assert spec.name == name
    assert spec.title
    assert spec.layers
    assert Spec.load(FOLDER / f"{name}.yaml").layers == spec.layers


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_spec_is_listed_with_its_queries_and_samples(name):
    row = _row(name)
    samples = [sample for sample in SAMPLES if _spec_of(sample) == name]

    assert f"({name}.yaml)" in row
    assert re.findall(r"`(:\w+)`", row) == [f":{query}" for query in Spec.load(name).queries]
    assert samples
    assert re.findall(r"\(samples/(.+?)\.json\)", row) == sorted(samples, key=row.index)


def test_the_readme_lists_nothing_else():
    assert sorted(re.findall(r"^\| \[(.+?)\.yaml\]", README, re.MULTILINE)) == sorted(NAMES)


@pytest.mark.parametrize(("name", "path"), PAIRS)
def test_a_shipped_spec_opens_its_sample_and_leaves_no_layer(name, path):
    problems: list[DecodeError] = []
    tree = Decoder(name, on_problem=problems.append).expand(path.read_bytes())

    assert problems == []
    assert tree != json.loads(path.read_bytes())
    assert expand(tree) == tree


@pytest.mark.parametrize(("name", "path"), PAIRS)
def test_an_expanded_sample_is_valid_and_a_closed_one_is_not(name, path):
    validator = Draft202012Validator(Spec.load(name).expanded_schema)

    assert [e.message for e in validator.iter_errors(expand(path.read_bytes(), name))] == []
    if not all(layer.optional for layer in Spec.load(name).layers):
        assert not validator.is_valid(json.loads(path.read_bytes()))


@pytest.mark.parametrize(("name", "path"), PAIRS)
def test_every_query_answers_for_its_sample(name, path):
    decoder = Decoder(name)

    for query in Spec.load(name).queries:
        assert decoder.query(f":{query}", path.read_bytes()) not in (None, [], {}), query


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("record", ["{}", "[]", "null", '"x"', "5", '{"data": 5, "Records": "x"}'])
def test_no_query_refuses_a_record_of_another_kind(name, record):
    decoder = Decoder(name)

    for query in Spec.load(name).queries:
        assert not _holds_something(decoder.query(f":{query}", record)), query


def _holds_something(answer: Any) -> bool:
    if isinstance(answer, dict):
        return any(map(_holds_something, answer.values()))
    if isinstance(answer, list):
        return any(map(_holds_something, answer))
    return answer is not None


# repair-results

DOCUMENT = yaml.safe_load((FOLDER / "repair-results.yaml").read_text())
OPERATIONS = DOCUMENT["paths"]["/ai/hand-foot/repair-results"]

# The API reference's tables: place, field, type.
TABLES = {
    "": {"code": "string", "request_id": "string", "_trace_id_": "string", "data": "object"},
    "data": {
        "usage": "number",
        "taskId": "string",
        "taskStatus": "string",
        "taskResult": "array",
    },
    "data taskResult []": {
        "usage": "number",
        "requestBizId": "string",
        "taskStatus": "string",
        "taskResult": "string",
        "usageMap": "string",
    },
    "data taskResult [] taskResult": {"data": "object", "requestId": "string"},
    "data taskResult [] taskResult data": {
        "message": "array",
        "usageMap": "string",
        "structData": "object",
        "success": "boolean",
    },
    "data taskResult [] taskResult data structData": {
        "code": "string",
        "data": "array",
        "message": "string",
        "usageMap": "string",
    },
}
FIELDS = [
    pytest.param(place.split(), field, kind, id=f"{place} {field}".strip())
    for place, fields in TABLES.items()
    for field, kind in fields.items()
]


def _views(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Go through a schema and those that apply in its place."""
    yield node
    for key in ("anyOf", "oneOf", "allOf"):
        for branch in node.get(key, ()):
            yield from _views(branch)
    if "$ref" in node:
        target: Any = DOCUMENT
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        yield from _views(target)


def _inside(schemas: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Go through schemas and what their strings hold."""
    for view in (view for schema in schemas for view in _views(schema)):
        yield view
        if "contentSchema" in view:
            yield from _inside([view["contentSchema"]])


def _at(steps: list[str]) -> list[dict[str, Any]]:
    """Return the schemas of one place of the record, before its string is opened."""
    found: list[dict[str, Any]] = [{"$ref": DOCUMENT["x-nestdecode"]["schema"]}]
    for step in steps:
        views = list(_inside(found))
        if step == "[]":
            found = [view["items"] for view in views if "items" in view]
        else:
            found = [v["properties"][step] for v in views if step in v.get("properties", {})]
    return found


def test_repair_results_is_openapi():
    import openapi_spec_validator  # late: it takes a second, in each worker

    openapi_spec_validator.validate(DOCUMENT)


@pytest.mark.parametrize(("place", "field", "kind"), FIELDS)
def test_repair_results_describes_every_field_of_the_tables(place, field, kind):
    schemas = _at([*place, field])

    assert schemas
    assert all(schema.get("description", "").strip() for schema in schemas)
    assert kind in {view.get("type") for schema in schemas for view in _views(schema)}


@pytest.mark.parametrize("field", ["data", "success", "requestId"])
def test_repair_results_describes_the_wrapper_of_the_sample(field):
    schemas = _at(["data", "taskResult", "[]", "taskResult", "result", field])

    assert schemas
    assert all(schema.get("description", "").strip() for schema in schemas)


def test_repair_results_needs_a_task_id_for_both_methods():
    [parameter] = [p for p in OPERATIONS["get"]["parameters"] if p["name"] == "taskId"]
    body = OPERATIONS["post"]["requestBody"]
    schema = body["content"]["application/json"]["schema"]

    assert list(OPERATIONS) == ["get", "post"]
    assert parameter["required"] is True
    assert parameter["schema"]["type"] == "string"
    assert parameter["description"]
    assert body["required"] is True
    assert schema["required"] == ["taskId"]
    assert schema["properties"]["taskId"]["type"] == "string"
    assert schema["properties"]["taskId"]["description"]


def test_repair_results_requires_nothing_of_a_response_but_what_tells_its_shapes():
    schemas = DOCUMENT["components"]["schemas"]

    assert {name: s["required"] for name, s in schemas.items() if "required" in s} == {
        "WrappedTaskResult": ["result"],
        "TaskResultContent": ["data"],
    }


SAMPLE = json.loads(SAMPLES["repair-results"].read_bytes())
DOCUMENTED = json.loads(SAMPLES["repair-results-documented"].read_bytes())
WRAPPED = SAMPLE["data"]["taskResult"][0]
BARE = DOCUMENTED["data"]["taskResult"][0]


def _task(result: Any) -> dict[str, Any]:
    return {**SAMPLE, "data": {**SAMPLE["data"], "taskResult": result}}


def _item(result: Any) -> dict[str, Any]:
    return {**WRAPPED, "taskResult": result}


ABSENT = _task(None)
del ABSENT["data"]["taskResult"]

# id, document, addresses in it, problems in it
SHAPES = [
    pytest.param(SAMPLE, 4, 0, id="sample"),
    pytest.param(_task([WRAPPED, WRAPPED]), 8, 0, id="two results"),
    pytest.param(DOCUMENTED, 4, 0, id="documented"),
    pytest.param(_task([WRAPPED, BARE]), 8, 0, id="both shapes"),
    pytest.param(_task([BARE, WRAPPED]), 8, 0, id="both shapes, the other way round"),
    pytest.param(_task(None), 0, 0, id="pending, null"),
    pytest.param(_task(""), 0, 0, id="pending, empty text"),
    pytest.param(_task([]), 0, 0, id="pending, empty array"),
    pytest.param(ABSENT, 0, 0, id="pending, absent"),
    pytest.param(_task([_item(None)]), 0, 0, id="pending item, null"),
    pytest.param(_task([_item("")]), 0, 0, id="pending item, empty text"),
    pytest.param(_task([_item("in progress")]), 0, 1, id="pending item, plain text"),
    pytest.param(
        _task([_item(None), WRAPPED, _item("soon"), BARE, _item("")]), 8, 1, id="all of these"
    ),
]


OTHERS = [
    pytest.param(json.loads(path.read_bytes()), id=sample)
    for sample, path in SAMPLES.items()
    if _spec_of(sample) != "repair-results"
]
assert OTHERS


def test_the_sample_has_five_layers_three_deep():
    layers = oracle.layers(SAMPLE)
    problems: list[DecodeError] = []
    shallow = Decoder("repair-results", max_layers=2, on_problem=problems.append)
    shallow.expand(SAMPLE)

    assert len(layers) == 5
    assert max(depth for _, depth, _ in layers) == 3
    assert expand(SAMPLE, "repair-results") == oracle.expand(SAMPLE)
    assert [problem.pointer for problem in problems] == [
        pointer for pointer, depth, _ in layers if depth == 3
    ]


@pytest.mark.parametrize(("document", "addresses", "problems"), SHAPES)
def test_repair_results_opens_every_shape(document, addresses, problems):
    found: list[DecodeError] = []
    tree = Decoder("repair-results", on_problem=found.append).expand(json.dumps(document).encode())

    assert len(found) == problems
    assert oracle.same(tree, oracle.expand(document))


@pytest.mark.parametrize(("document", "addresses", "problems"), SHAPES)
def test_the_focus_holds_for_every_shape(document, addresses, problems):
    decoder = Decoder("repair-results")
    text = json.dumps(document).encode()
    urls = decoder.query("structData.data[]", text) or []

    assert len(urls) == addresses
    assert all(url.startswith("https://") for url in urls)
    assert decoder.query("structData.code", text) in (
        [["200"] * (addresses // 4)] + [None] * (not urls)
    )
    assert decoder.query(":urls", text) == urls


def test_the_focus_gives_what_it_is_asked_for():
    decoder = Decoder("repair-results")

    assert decoder.query("structData.code", SAMPLE) == ["200"]
    assert decoder.query("length(structData.data)", SAMPLE) == [4]
    assert decoder.query("structData.data[] | length(@)", SAMPLE) == 4
    assert decoder.query("structData.data[] | length(@)", _task([WRAPPED, BARE])) == 8
    assert decoder.query("data.taskStatus", SAMPLE) == "finished"
    assert decoder.compile("structData.data[]")(SAMPLE) == decoder.query(":urls", SAMPLE)


@pytest.mark.parametrize(("document", "addresses", "problems"), SHAPES)
def test_the_named_queries_answer_for_every_shape(document, addresses, problems):
    decoder = Decoder("repair-results")
    results = document["data"].get("taskResult") or []
    usage, status, ids = (decoder.query(q, document) for q in (":usage", ":status", ":request_ids"))
    finished = [item for item in usage if item["structData"] is not None]

    assert len(usage) == len(status["results"]) == len(results)
    assert finished == [{"taskResult": 4, "data": 4, "structData": 4}] * (addresses // 4)
    assert (status["taskId"], status["taskStatus"], status["code"]) == (
        document["data"]["taskId"],
        "finished",
        "0",
    )
    assert [r["success"] for r in status["results"] if r["code"]] == [True] * (addresses // 4)
    assert ids[:2] == [document["request_id"], document["_trace_id_"]]
    assert len(ids) == 2 + addresses // 4
    assert all(identifier and isinstance(identifier, str) for identifier in ids)


@pytest.mark.parametrize(("document", "addresses", "problems"), SHAPES)
@pytest.mark.parametrize(
    "query", ["structData.data[]", ":urls", ":usage", ":status", ":request_ids"]
)
def test_a_query_reports_a_problem_once(query, document, addresses, problems):
    found: list[DecodeError] = []
    Decoder(REPAIR_RESULTS, on_problem=found.append).query(query, json.dumps(document).encode())

    assert len(found) == problems


@pytest.mark.parametrize(("document", "addresses", "problems"), SHAPES)
def test_match_recognises_every_shape(document, addresses, problems):
    found = lender(json.loads(json.dumps(document)))

    assert found is not None
    assert found.name == "repair-results"


@pytest.mark.parametrize(
    "record",
    [
        *OTHERS,
        *(
            pytest.param(json.loads(text), id=text)
            for text in ("null", "5", '"x"', "[]", "{}", "[{}]")
        ),
        pytest.param({"data": {}}, id="no task"),
        pytest.param({"data": [SAMPLE["data"]]}, id="a list of tasks"),
        pytest.param({"data": {"taskId": 5, "taskStatus": "x", "taskResult": []}}, id="a number"),
        pytest.param({"data": {"taskId": "1", "taskStatus": "x"}}, id="neither result nor trace"),
        pytest.param(
            _task({"a": 1}),
            id="a result that is an object",
        ),
        pytest.param(json.dumps(SAMPLE), id="the sample in a string"),
    ],
)
def test_match_recognises_nothing_else(record):
    assert lender(record) is None
