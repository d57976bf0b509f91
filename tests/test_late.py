"""
Queries that open layers on access: the answers are those of expanding first.

The expected trees come from ``Decoder.expand`` and the expected answers from jmespath.py;
the compiled and the careful way of this project are both compared with them.
"""

import base64
import json
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import DecodeError, Decoder, QueryError, Spec
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import Run
from nestdecode.queries.functions import REFUSALS
from tests import oracle, strategies
from tests.query_oracle import ATOMS, FORMS, ask
from tests.test_queries import containers, scribble

# Specs and documents


class Place(NamedTuple):
    """
    What a spec declares of a place.

    Attributes:
        kind: leaf, object, array, or how a layer is written.
        names: Members, or elements by their index.
        rest: Every other member or element, or what is in a layer.
        policy: What is done with a layer that does not open, if that is said.
        optional: Whether that may stay a string.
    """

    kind: str
    names: dict[Any, "Place"]
    rest: Any = None
    policy: str | None = None
    optional: bool = False


LEAF = Place("leaf", {})
LAYERS = ["json", "strings", "scalars", "twice", "base64", "text", "either"]
NAMES = ["a", "b", "c"]
TEXTS = [
    "abc",
    "YWJj",
    "WVdKag==",
    "hello world",
    "",
    '{"a":1}',
    '"x"',
    "[1]",
    '"[1]"',
    "{bad",
    " ",
]
LEAVES: list[Any] = [None, True, False, 0, 1, 2.5, 10**20, [], {}, *TEXTS]


@st.composite
def places(draw, depth=4, parent="object"):
    kinds = ["leaf", "object", "array", "array", *LAYERS, "text", "strings"]
    kinds = kinds if depth else ["leaf", "text", "strings", "json"]
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        return LEAF
    if kind == "object":
        names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
        rest = draw(st.none() | places(depth - 1)) if draw(st.booleans()) else None
        return Place(kind, {name: draw(places(depth - 1)) for name in names}, rest)
    if kind == "array":
        prefix = range(draw(st.sampled_from([0, 0, 0, 1])))
        names = {index: draw(places(depth - 1, "array")) for index in prefix}
        return Place(kind, names, draw(places(depth - 1, "array")))
    policies = [*[None] * 6, *["keep", "null"] * 2]
    policies += ["drop", "fail"] if parent == "object" else []
    inside = None
    if kind not in ("text", "strings", "scalars") and depth:
        inside = draw(places(depth - 1, kind))
        inside = inside if inside.kind in ("object", "array") else None
    policy = draw(st.sampled_from(policies))
    return Place(kind, {}, inside, policy, draw(st.sampled_from([False, False, True])))


def schema_of(place: Place) -> Any:
    """Write a place as JSON Schema."""
    if place.kind == "leaf":
        return {}
    if place.kind == "object":
        schema = {"properties": {n: schema_of(p) for n, p in place.names.items()}}
        return schema | ({"additionalProperties": schema_of(place.rest)} if place.rest else {})
    if place.kind == "array":
        schema = {"items": schema_of(place.rest)}
        return schema | (
            {"prefixItems": [schema_of(p) for p in place.names.values()]} if place.names else {}
        )
    content: Any = {} if place.rest is None else schema_of(place.rest)
    return strategies.layer_schema(place.kind, content, place.policy, optional=place.optional)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def value_of(draw: st.DrawFn, place: Place) -> Any:
    """Draw a value for a place."""
    if place.kind == "leaf":
        return draw(st.sampled_from(LEAVES))
    if place.kind == "object":
        names = draw(st.permutations([*place.names, *(["d", "e"] if place.rest else [])]))
        names = [name for name in names if draw(st.integers(0, 7))]
        return {name: value_of(draw, place.names.get(name, place.rest)) for name in names}
    if place.kind == "array":
        number = draw(st.integers(0, 3))
        return [value_of(draw, place.names.get(i, place.rest)) for i in range(number)]
    fate = draw(st.sampled_from(["opens"] * 5 + ["again", "again", "broken", "open"]))
    inside: Any = (
        value_of(draw, place.rest) if place.rest else draw(st.sampled_from([{"a": 1}, [1, "x"]]))
    )
    if fate == "broken":
        return draw(st.sampled_from(LEAVES))
    if fate == "open":
        return inside
    if place.kind in ("text", "strings"):
        inside = draw(st.sampled_from(TEXTS))
    elif place.kind == "scalars":
        inside = draw(st.sampled_from([1, True, None, 2.5]))
    text: Any = inside if place.kind == "text" else json.dumps(inside)
    if place.kind == "twice":
        text = json.dumps(text)
    encoded = place.kind in ("base64", "text") or (place.kind == "either" and draw(st.booleans()))
    text = b64(text) if encoded else text
    if fate == "again":
        text = b64(text) if encoded else json.dumps(text)
    return text


@st.composite
def records(draw: st.DrawFn) -> tuple[dict[str, Any], Any]:
    """Draw a spec, and a document that it fits more or less."""
    root = draw(st.sampled_from(["object", "object", "object", "array"]))
    names = {name: draw(places(3)) for name in NAMES} if root == "object" else {}
    rest = draw(places(3, "array")) if root == "array" else None
    place = Place(root, names, rest)
    return schema_of(place), value_of(draw, place)


@st.composite
def queries(draw, depth=3):
    if not depth or draw(st.integers(0, 5)) == 0:
        return draw(st.sampled_from(ATOMS))
    one = draw(queries(depth - 1))
    other = draw(queries(depth - 1)) if draw(st.booleans()) else draw(st.sampled_from(ATOMS[:6]))
    return draw(st.sampled_from(FORMS)).format(one, other)


SHAPES = [
    *("X", "[X]", "[X][0]", "[X][-1]", "[X][*]", "[X][]", "[X][?@]", "[X, X][0]", "[X, X][1]"),
    *("[X] | [0]", "[X].[@[0]]", "[[X]][0][0]", "[[X]][][]", "[[X], X][0]", "{k: X}.k", "{k: X}.*"),
    *(
        "[X || Y]",
        "[X && Y]",
        "[X || Y] | [0]",
        "[X && Y][0]",
        "(X || Y)",
        "(X && Y)",
        "[Y || X][]",
    ),
    *(
        "[X, Y]",
        "[X, Y][0]",
        "[X, Y][1]",
        "[X, Y][]",
        "[X, Y] | [*] | [0]",
        "[X, `1`][0]",
        "[X, 'x']",
    ),
    *("[X || `{}`]", "[X || `[]`]", "[`[]` || X][0]", "[X || 'x'][0]", "[!X || X][0]", "X == Y"),
    *(
        "[X][?@ == 'YWJj']",
        "[X] | [?@ == 'x'] | [0]",
        "[X, @][0]",
        "[@, X][1]",
        "[to_string(@), X]",
    ),
    *("[X, to_string(@)]", "[X, @] | [1]", "not_null(X, Y)", "to_array(X) | [0]", "[X][0:1] | [0]"),
    *("[X][::-1][0]", "map(&@, [X])", "[X] | [*] | [*]", "[X].[@[0], @[0]]", "{k: X, l: [X]}.l[0]"),
    *("@ | [X] | [0]", "[X | @][0]", "[[X, Y], [Y, X]][][]", "[[X, Y], [Y, X]][*][0]"),
]
PLACES = ["a", "b[0]", "b[-1]", "b[*] | [0]", "b[*] | [-1]", "b[] | [0]", "(b[])[0]", "b[?@] | [0]"]
PLACES += ["c.k", "c.* | [0]", "(c.*)[0]", "b[*] | [*] | [0]", "b", "c", "b[0:1] | [0]", "b[*]"]


def fill(shape: str, place: str, other: str = "a") -> str:
    """Put places into one of the shapes."""
    return shape.replace("X", f"({place})").replace("Y", other)


shaped = st.builds(fill, st.sampled_from(SHAPES), st.sampled_from(PLACES), st.sampled_from(NAMES))


def pointers(problems: list[DecodeError]) -> list[str]:
    return [problem.pointer for problem in problems]


def walked(decoder: Decoder, query: str, document: Any) -> tuple[Any, list[str]]:
    """Answer the careful way: (answer or QueryError, pointers of problems)."""
    problems: list[DecodeError] = []
    expression = decoder.asker.expression(query, "root")
    plan = decoder.engine.plan
    assert isinstance(plan, Plan)
    run = Run(decoder.engine.reader, decoder.engine.policy, problems.append)
    try:
        return expression.walk(decoder.engine.read(document), plan, run), pointers(problems)
    except REFUSALS as error:
        return expression.refusal(error), pointers(problems)


def in_order(tree: Any) -> list[str]:
    """List the pointers of a tree as a walk through it meets them."""
    found = []

    def walk(value: Any, pointer: str) -> None:
        found.append(pointer)
        if isinstance(value, dict | list):
            for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                walk(child, f"{pointer}/{key}")

    walk(tree, "")
    return found


def is_among(some: list[str], more: list[str]) -> bool:
    """Return whether all values of one list are in another, each once and in order."""
    rest = iter(more)
    return all(pointer in rest for pointer in some)


A_TEXT, A_STRING = b64(b64("abc")), json.dumps(json.dumps({"x": 1}))
RECORDS = [
    pytest.param("base64", A_TEXT, id="a text that is base64 again"),
    pytest.param("base64", b64("hello world"), id="a text that is not base64"),
    pytest.param(["json", "base64"], A_TEXT, id="alternatives"),
    pytest.param("json", '{"x": "[1]"}', id="an object that holds a text that is JSON"),
    pytest.param("json", "{broken", id="broken"),
    pytest.param("json?", "{broken", id="broken and optional"),
    pytest.param("strings", json.dumps("plain"), id="a string"),
    pytest.param("strings", A_STRING, id="a string that is JSON again"),
]


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("on_error", [None, "null"])
@pytest.mark.parametrize(("codecs", "text"), RECORDS)
def test_a_string_is_opened_once_wherever_it_is_passed(codecs, text, on_error):
    layers = dict.fromkeys(["a", "b[]", "c.*"], codecs)
    spec: Any = {"nestdecode": 1, "layers": layers}
    if codecs == "strings":
        layer = schema_of(Place("strings", {}))
        members = {"a": layer, "b": {"items": layer}, "c": {"additionalProperties": layer}}
        spec = {"properties": members}
    problems: list[DecodeError] = []
    decoder = Decoder(Spec.parse(json.dumps(spec)), on_error=on_error, on_problem=problems.append)
    raw = json.dumps({"c": {"k": text}, "a": text, "b": [text]}).encode()
    tree = decoder.expand(raw)
    told = set(pointers(problems))
    order = [pointer for pointer in in_order(tree) if pointer in told]
    for place in PLACES:
        for shape in SHAPES:
            query = fill(shape, place)
            problems.clear()
            answer, refused = ask(query, tree)
            assert not refused

            assert oracle.same(decoder.query(query, raw), answer), query
            assert is_among(pointers(problems), order), query


@pytest.mark.parametrize("on_error", [None, "null"])
@pytest.mark.parametrize("query", ["[!(b) && b[]]", "[!([b, to_string(b)]) && b[], @]"])
def test_what_is_a_list_or_else_no_container_is_finished(query, on_error):
    spec = {
        "properties": {
            "b": {
                "type": "array",
                "items": {"contentMediaType": "application/json", "contentSchema": {}},
            }
        }
    }
    decoder = Decoder(Spec.parse(spec), on_error=on_error)
    raw = b'{"b": ["[1]", "{}"]}'

    answer, _ = ask(query, decoder.expand(raw))

    assert decoder.query(query, raw) == answer


@pytest.mark.parametrize("query", ["abs('x')", "merge(a, `[]`)", "abs(a.b)"])
@pytest.mark.parametrize(
    ("raw", "limit"),
    [
        pytest.param(b'{"a": {}, "c": [[[1]]]}', {"max_depth": 3}, id="too deep"),
        pytest.param(b'{"a": {}, "c": "[[[1]]]', {}, id="cut short"),
        pytest.param(b'{"a": {}, "c": 1, "c": 2}', {"duplicates": "error"}, id="a name twice"),
    ],
)
def test_a_record_that_is_refused_is_refused_whatever_is_asked(query, raw, limit):
    decoder = Decoder(Spec.parse({"nestdecode": 1, "layers": {"a.b": "json"}}), **limit)

    with pytest.raises(DecodeError):
        decoder.query(query, raw)


@given(
    records(), st.lists(queries() | shaped, min_size=4, max_size=4), st.sampled_from([None, "null"])
)
def test_an_answer_is_that_of_expanding_first(record, texts, on_error):
    schema, document = record
    problems: list[DecodeError] = []
    spec = Spec.parse(json.dumps(schema))
    decoder = Decoder(spec, on_error=on_error, on_problem=problems.append)
    silent = Decoder(spec, on_error=on_error)
    raw = json.dumps(document).encode()
    try:
        tree = decoder.expand(raw)
    except DecodeError:
        for text in texts:
            with pytest.raises(DecodeError):
                decoder.query(text, raw)
            with pytest.raises(DecodeError):
                silent.query(text, raw)
        return
    told = pointers(problems)
    order = in_order(tree)
    problems.clear()

    assert oracle.same(decoder.query("@", raw), tree)
    assert sorted(pointers(problems)) == sorted(told)
    for text in texts:
        problems.clear()
        answer, refused = ask(text, decoder.expand(raw))
        if refused:
            with pytest.raises(QueryError):
                decoder.query(text, raw)
            continue
        problems.clear()
        given_ = decoder.query(text, raw)
        seen = pointers(problems)

        assert oracle.same(given_, answer), text
        assert len(set(seen)) == len(seen), text
        assert set(seen) <= set(told), text
        # A member that was dropped has no place in the tree.
        assert is_among([p for p in seen if p in order], order), text
        assert oracle.same(silent.query(text, raw), answer), text
        assert oracle.same(decoder.query(text, document), answer), text
        assert oracle.same(decoder.query(text, raw.decode()), answer), text
        careful, least = walked(decoder, text, raw)
        assert oracle.same(careful, answer), text
        assert set(least) <= set(seen), text
        assert len(list(containers(given_))) == len(set(containers(given_))), text
        scribble(given_)
        assert oracle.same(decoder.query(text, raw), answer), text


# Layers that are found


# What is on the way of a query, and what is beside it.
FOUND = [
    {"a": '{"b":[1,2]}', "c": "[1"},
    {"a": ' {"b":"[3]"}\n', "c": '"[1]"'},
    {"a": '"{\\"b\\":[4]}"'},
    {"a": '{"b":"[\\"{}\\",\\"x\\"]"}'},
    {"a": '{"b":12345678901234567890}'},
    {"a": '{"b":["[1e5]",18446744073709551616]}'},
    {"a": '["\\ud800",{"b":"[\\ud800"}]'},
    {"a": '{"b":{"c":"{}"}}', "c": "{}"},
    {"a": "[INFO] up [ok]", "c": "[]"},
    {"a": "\ufeff{}", "c": "[NaN]"},
    {"a": ["[1]", ["[2]", "[[3]]"], "x", '"[5]"', {"b": "[6]"}]},
    {"a": '[["[1]"],"[\\"[2]\\"]",{"b":"{\\"b\\":\\"[7]\\"}"}]'},
    {"a": "[" * 150 + "]" * 150, "c": "x"},
    {"a": json.dumps({"b": "[" * 120 + "1" + "]" * 120})},
    {"a": json.dumps({"b": json.dumps({"c": "[" * 198 + "]" * 198})})},
    {"a": None, "b": "[1]"},
]
ASKED = [
    *("a", "a.b", "a.b[]", "a[]", "a[].b", "a[].b[]", "a[][]", "*.b", "a.b.c", "@", "[a]", "[a.b, c]"),
    *("a.b || c", "a && c", "!a", "a == c", "a[?b].b", "length(a)", "keys(a)", "a[-1]", "a[1:]"),
    *("{x: a.b}", "a[*].b | [0]", "to_string(a)", "type(a)", "a | b", "c[0]", "a[].[b]"),
]  # fmt: skip


@pytest.mark.parametrize("asked", ASKED)
def test_layers_are_found_on_the_way_of_a_query(asked):
    expected = [ask(asked, oracle.copied(Decoder().expand(json.dumps(doc)))) for doc in FOUND]
    query = Decoder().compile(asked)

    for _ in range(3):
        for document, (answer, refused) in zip(FOUND, expected, strict=True):
            text = json.dumps(document, ensure_ascii=False)
            for entry in (text, text.encode("utf-8", "surrogatepass"), json.loads(text)):
                if refused:
                    with pytest.raises(QueryError):
                        query(entry)
                else:
                    assert oracle.same(query(entry), answer), (asked, text)


def test_what_is_beside_the_way_is_not_opened():
    problems: list[DecodeError] = []
    deep = "[" * 300 + "]" * 300
    decoder = Decoder(on_problem=problems.append)
    document = json.dumps({"a": '{"b":1}', "c": deep})

    assert decoder.query("a.b", document) == 1
    assert problems == []

    assert decoder.query("c", document) == deep
    assert [problem.pointer for problem in problems] == ["/c"]


@pytest.mark.parametrize("query", ["c.*", "c.* | [0]", "[c.*, c]"])
def test_a_name_that_is_declared_is_none_of_the_others(query):
    layer = {"type": "string", "contentMediaType": "application/json"}
    inside = {"properties": {"a": {}}, "additionalProperties": layer}
    decoder = Decoder(Spec.parse({"properties": {"c": inside}}))
    document = {"c": {"a": "[1]", "b": "[2]"}}

    assert decoder.query(query, document) == ask(query, decoder.expand(document))[0]
    assert decoder.query("c.*", document) == ["[1]", [2]]


@pytest.mark.parametrize("entry", [bytes, str])
def test_what_is_not_admitted_meets_no_limit(entry):
    layer = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"type": "string"},
    }
    spec = Spec.parse({"properties": {"a": {"anyOf": [layer, {"type": "string"}]}}})
    told: list[DecodeError] = []
    decoder = Decoder(spec, on_problem=told.append, max_depth=3)
    text = json.dumps({"a": "[[[[1]]]]"})

    for expand in (decoder.expand, decoder.engine.carefully):
        assert expand(text if entry is str else text.encode()) == {"a": "[[[[1]]]]"}
    assert told == []
