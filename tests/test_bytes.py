"""In already parsed input, bytes at a declared layer are read as its text."""

import json
from typing import Any

import pytest

from nestdecode import DecodeError, Decoder, Spec
from nestdecode.paths import split_pointer
from tests.test_cases import DECLARED
from tests.together import together

SPEC = Spec.parse(
    {
        "nestdecode": 1,
        "layers": {"a": "json", "b[].c": "base64 | json", "may": "json?", "a.inner": "json"},
    }
)


def place(tree: Any, pointer: str) -> tuple[Any, Any]:
    """Return the container and the key that a pointer leads to, or None twice."""
    container: Any = None
    key: Any = None
    for token in split_pointer(pointer):
        container = tree if container is None else container[key]
        key = int(token) if type(container) is list else token
        if type(container) is not list and (type(container) is not dict or key not in container):
            return None, None
    return container, key


def ask_for_all(decoder: Decoder, document: Any) -> Any:
    return decoder.compile("@", start="root")(document)


@pytest.mark.sampled(6)
@pytest.mark.parametrize("expand", [Decoder.expand, ask_for_all], ids=["expand", "query"])
@pytest.mark.parametrize("notes", [True, False], ids=["noted", "not noted"])
@together(("group", "test"), DECLARED, 20)
def test_bytes_open_as_their_text_does_and_stay_bytes_if_they_stay_shut(group, test, notes, expand):
    if "error" in test or type(test["document"]) is str or "\\ud" in json.dumps(test["document"]):
        pytest.skip("no tree, a text, or no UTF-8")
    spec = Spec.parse(json.dumps(group["spec"]))
    if spec.undeclared == "open":
        pytest.skip("it would have to be known which of its layers are declared")
    arguments = group.get("arguments", {})
    document, wanted = test["document"], json.loads(json.dumps(test["expected"]))
    opened = Decoder(spec, **arguments).open(document)
    problems: list[DecodeError] = []
    decoder = Decoder(spec, on_problem=problems.append if notes else None, **arguments)
    given = json.loads(json.dumps(document))
    changed = 0
    both: list[Any] = [*opened.layers, *opened.problems]
    for found in both:
        container, key = place(given, found.pointer)
        if container is None or type(container[key]) is not str:
            continue
        text = container[key]
        container[key] = text.encode()
        changed += 1
        around, name = place(wanted, found.pointer)
        if isinstance(found, DecodeError) and around is not None and around[name] == text:
            around[name] = text.encode()
    if not changed:
        pytest.skip("nothing is declared at a string")
    before = repr(given)

    assert repr(expand(decoder, given)) == repr(wanted)
    assert repr(given) == before
    if notes:
        assert [p.pointer for p in problems] == [p["pointer"] for p in test.get("problems", [])]


def test_bytes_that_are_no_utf_8_are_a_problem_and_stay():
    problems: list[DecodeError] = []
    decoder = Decoder(SPEC, on_problem=problems.append)
    document = {"a": b"\xff{}", "b": [{"c": b"e30="}, {"c": b"\x80"}], "may": b"\xfe"}

    assert decoder.expand(document) == {
        "a": b"\xff{}",
        "b": [{"c": {}}, {"c": b"\x80"}],
        "may": b"\xfe",
    }
    assert [(p.pointer, p.codec, p.reason) for p in problems] == [
        ("/a", "json", "not UTF-8: byte 0"),
        ("/b/1/c", "base64", "not UTF-8: byte 0"),
        ("/may", "json", "not UTF-8: byte 0"),
    ]


@pytest.mark.parametrize("policy", ["null", "drop", "fail"])
def test_bytes_meet_policies(policy):
    decoder = Decoder(SPEC, on_error=policy)
    if policy == "fail":
        with pytest.raises(DecodeError):
            decoder.expand({"a": b"oops"})
    else:
        assert decoder.expand({"a": b"oops"}) == ({"a": None} if policy == "null" else {})


def test_blank_bytes_stay_and_so_do_bytes_that_nobody_declares():
    problems: list[DecodeError] = []
    document = {"a": b" ", "b": [{"c": b""}], "other": b"[1]"}

    assert Decoder(SPEC, on_problem=problems.append).expand(document) == document
    assert Decoder().expand(document) == document
    assert problems == []


def test_bytes_are_put_back_as_text():
    document = Decoder(SPEC).open({"a": b'{"n": 1}', "b": [{"c": b"e30="}, {"c": b"oops"}]})

    assert document.tree == {"a": {"n": 1}, "b": [{"c": {}}, {"c": "oops"}]}
    assert json.loads(document.collapse()) == {"a": '{"n": 1}', "b": [{"c": "e30="}, {"c": "oops"}]}
    document.tree["a"]["n"] = 2
    assert json.loads(document.collapse())["a"] == '{"n": 2}'
    with pytest.raises(DecodeError) as caught:
        Decoder(SPEC).open({"b": [{"d": b"{}"}]})
    assert caught.value.pointer == "/b/0/d"


@pytest.mark.parametrize("expression", ["a.inner[0]", "length(b)", "b[].c", "a", "may", "b[0].c"])
def test_a_query_sees_of_bytes_what_it_sees_of_their_text(expression):
    answers = []
    for kind in (str, str.encode):
        problems: list[DecodeError] = []
        decoder = Decoder(SPEC, on_problem=problems.append)
        document = {"a": kind('{"n": 1, "inner": "[5]"}'), "b": [{"c": kind("x")}], "may": 1}
        text = repr(decoder.query(expression, document)).replace("b'x'", "'x'")
        answers.append((text, [(p.pointer, p.codec, p.reason) for p in problems]))

    assert answers[0] == answers[1]
