"""
The vectors of tests/cases: documents, their expanded trees, and problems.

They are data, so that an implementation in another language can run them too. For errors
and problems they pin the place and the codec, never the wording.
"""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nestdecode import DecodeError, Decoder, Spec
from tests.together import together

GROUPS: dict[str, dict[str, Any]] = {
    f"{path.stem}-{group['description']}": group
    for path in sorted(Path(__file__).parent.glob("cases/*.json"))
    for group in json.loads(path.read_bytes())
}
assert GROUPS, "no vectors: is tests/cases missing from this checkout?"

VECTORS = [
    pytest.param(group, test, id=f"{key}-{test['description']}")
    for key, group in GROUPS.items()
    for test in group["tests"]
]
DECLARED = [
    pytest.param(group, test, id=f"{key}-{test['description']}")
    for key, group in GROUPS.items()
    if group["spec"]
    for test in group["tests"]
]
FOUND = [
    pytest.param(test["expected"], id=f"{key}-{test['description']}")
    for key, group in GROUPS.items()
    if not group["spec"]
    for test in group["tests"]
    if not {"error", "problems"} & set(test)
]


def _spec_of(group: dict[str, Any]) -> Spec | None:
    return Spec.parse(json.dumps(group["spec"])) if group["spec"] else None


def _written(tree: Any) -> str:
    """Write a tree, so that 1, 1.0 and true differ, and so does the order of members."""
    return json.dumps(tree, indent=1)


def _place_of(error: DecodeError, expected: dict[str, Any]) -> dict[str, Any]:
    return {key: getattr(error, key) for key in expected}


def _check(
    spec: Spec | None,
    group: dict[str, Any],
    test: dict[str, Any],
    document: Any,
    expand: Callable[[Decoder, Any], Any] = Decoder.expand,
) -> None:
    problems: list[DecodeError] = []
    decoder = Decoder(spec, on_problem=problems.append, **group.get("arguments", {}))
    if "error" in test:
        with pytest.raises(DecodeError) as caught:
            expand(decoder, document)

        assert _place_of(caught.value, test["error"]) == test["error"]
        return
    tree = expand(decoder, document)
    expected = test.get("problems", [])

    assert _written(tree) == _written(test["expected"])
    assert len(problems) == len(expected), problems
    assert [*map(_place_of, problems, expected)] == expected


def test_descriptions_name_one_group_and_one_test():
    files = [json.loads(path.read_bytes()) for path in Path(__file__).parent.glob("cases/*.json")]

    assert sum(map(len, files)) == len(GROUPS)
    assert len({param.id for param in VECTORS}) == len(VECTORS)


@together(("group", "test"), VECTORS)
def test_vector(group, test):
    _check(_spec_of(group), group, test, json.dumps(test["document"]).encode())


@pytest.mark.sampled(4)
@together(("group", "test"), VECTORS, 20)
def test_a_parsed_document_gives_the_same(group, test):
    if test.get("error", {"codec": ""})["codec"] is None:
        pytest.skip("a parsed document has no text of its own to refuse")
    if type(test["document"]) is str:
        pytest.skip("a string is taken for a document's text")
    before = json.dumps(test["document"])
    _check(_spec_of(group), group, test, test["document"])

    assert json.dumps(test["document"]) == before


@pytest.mark.sampled(4)
@together(("group", "test"), DECLARED, 20)
def test_the_schema_that_a_spec_is_gives_the_same(group, test):
    spec = Spec.parse(json.dumps(group["spec"]))

    _check(Spec.parse(spec.schema), group, test, json.dumps(test["document"]))


def _ask_for_all(decoder: Decoder, document: Any) -> Any:
    return decoder.compile("@", start="root")(document)


@pytest.mark.sampled(4)
@together(("group", "test"), VECTORS, 20)
def test_asking_for_the_whole_record_gives_the_same(group, test):
    text = json.dumps(test["document"]).encode()

    _check(_spec_of(group), group, test, text, _ask_for_all)


@pytest.mark.parametrize("text", ["x", "[1e400]", "[" + "9" * 4301 + "]"], ids=["x", "1e400", "9"])
@pytest.mark.parametrize("expression", ["a", "@", "[a, a]", "[a, @]", "[b.c, b]", "{x: b, y: a}"])
def test_a_query_reports_a_problem_once(expression, text):
    places: list[str] = []
    spec = Spec.parse("nestdecode: 1\nlayers: {a: json, b.c: json}")
    decoder = Decoder(spec, on_problem=lambda problem: places.append(problem.pointer))
    document = json.dumps({"a": text, "b": {"c": text}}).encode()
    decoder.compile(expression, start="root")(document)

    assert places
    assert len(places) == len(set(places))


def _escaped(value: Any) -> str:
    """Write JSON with an escape for every character of its strings."""
    if isinstance(value, str):
        units = value.encode("utf-16-be", "surrogatepass").hex()
        return '"' + "".join(f"\\u{units[i : i + 4]}" for i in range(0, len(units), 4)) + '"'
    if isinstance(value, dict):
        return f"{{{','.join(f'{_escaped(k)}:{_escaped(v)}' for k, v in value.items())}}}"
    if isinstance(value, list):
        return f"[{','.join(map(_escaped, value))}]"
    return json.dumps(value)


@pytest.mark.sampled(4)
@together(("group", "test"), VECTORS, 20)
def test_a_document_written_in_escapes_gives_the_same(group, test):
    if "max_record_bytes" in group.get("arguments", {}):
        pytest.skip("its text is longer")

    _check(_spec_of(group), group, test, _escaped(test["document"]).encode())


@pytest.mark.sampled(2)
@pytest.mark.parametrize("write", [json.dumps, _escaped], ids=["plain", "escaped"])
@pytest.mark.parametrize("times", [1, 20])
def test_a_decoder_that_has_seen_other_documents_gives_the_same(write, times):
    problems: list[DecodeError] = []
    decoder = Decoder(on_problem=problems.append)
    for group in GROUPS.values():
        if group["spec"] or "arguments" in group:
            continue
        for test in group["tests"] * 2:
            for _ in range(times):
                problems.clear()
                tree = decoder.expand(write(test["document"]).encode())

                assert _written(tree) == _written(test["expected"]), test["description"]
                assert len(problems) == len(test.get("problems", [])), test["description"]


@together(["tree"], FOUND)
def test_expanding_again_changes_nothing(tree):
    _check(None, {}, {"expected": tree}, json.dumps(tree))
