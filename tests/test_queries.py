"""
Queries: where they start, how they join the focus, what they answer and refuse.

The JMESPath compliance suite is not part of this repository: NESTDECODE_CORPUS names the
folder that holds it.
"""

import copy
import json
import os
import pickle
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

import nestdecode
from nestdecode import Decoder, QueryError, Spec
from nestdecode.queries.expression import compile_expression
from tests import oracle, strategies
from tests.together import together

CORPUS = os.environ.get("NESTDECODE_CORPUS")
SAMPLES = Path(__file__).parent.parent / "specs" / "samples"
SAMPLE = (SAMPLES / "repair-results.json").read_bytes()
DOCUMENTED = (SAMPLES / "repair-results-documented.json").read_bytes()


def decoder_with(focus: str) -> Decoder:
    """Build a decoder that finds all layers, as without a spec, but has a focus."""
    extension = {"focus": focus, "undeclared": "open"}
    return Decoder(Spec.parse(json.dumps({"x-nestdecode": extension})))


def containers(value: Any) -> Iterator[int]:
    """Go through the identities of a tree's containers."""
    if isinstance(value, dict | list):
        yield id(value)
        for child in value.values() if isinstance(value, dict) else value:
            yield from containers(child)


def refusal(expression: str, document: Any = None) -> QueryError:
    """Return the error that a query ends in."""
    with pytest.raises(QueryError) as caught:
        nestdecode.query(expression, document)
    return caught.value


ITEMS: Any = {
    "items": [
        {"kind": "x", "body": {"n": 1, "tags": ["a", "b"], "at": {"x": 1}}},
        {"kind": "y", "body": None},
        {"kind": "y"},
        {"kind": "x", "body": {"n": 2, "tags": ["c"]}},
    ],
    "by": {"one": {"body": {"n": 1}}, "two": {"body": None}, "three": {"body": {"n": 3}}},
    "one": {"n": 1, "tags": ["a"]},
}


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param("n", [1, 2], id="a member at each focus"),
        pytest.param("missing", [], id="null is left out"),
        pytest.param("tags", [["a", "b"], ["c"]], id="a list at each focus"),
        pytest.param("tags[]", ["a", "b", "c"], id="[] across foci"),
        pytest.param("tags[*]", [["a", "b"], ["c"]], id="[*] at each focus"),
        pytest.param("tags[?@ == 'a']", [["a"], []], id="a filter at each focus"),
        pytest.param("tags[0]", ["a", "c"], id="an index at each focus"),
        pytest.param("tags[:1]", [["a"], ["c"]], id="a slice at each focus"),
        pytest.param("tags[].length(@)", [1, 1, 1], id="the right side of [] at each element"),
        pytest.param("length(tags)", [2, 1], id="a function at each focus"),
        pytest.param("length(tags[])", [2, 1], id="[] in a function at each focus"),
        pytest.param("tags[] || n", [["a", "b"], ["c"]], id="[] in an or at each focus"),
        pytest.param("tags | [0]", ["a", "b"], id="| across foci"),
        pytest.param("tags[] | length(@)", 3, id="[] and | across foci"),
        pytest.param("tags | [] | [-1]", "c", id="| twice"),
        pytest.param("@ | [1].n", 2, id="a pipe from the foci"),
        pytest.param("@", [ITEMS["items"][0]["body"], ITEMS["items"][3]["body"]], id="the foci"),
        pytest.param("[]", [ITEMS["items"][0]["body"], ITEMS["items"][3]["body"]], id="[] alone"),
        pytest.param("[0]", [], id="an index of a focus that is an object"),
        pytest.param("[n, at.x]", [[1, 1], [2, None]], id="a list"),
        pytest.param("[n, at.x][]", [1, 1, 2], id="a list, flattened"),
        pytest.param("{a: n, b: at}", [{"a": 1, "b": {"x": 1}}, {"a": 2, "b": None}], id="object"),
        pytest.param("at.*", [[1]], id="values"),
        pytest.param("at.*[]", [1], id="values, flattened"),
        pytest.param("n == `1`", [True, False], id="a comparison"),
        pytest.param("!at", [False, True], id="a negation"),
        pytest.param("`0`", [0, 0], id="a literal at each focus"),
        pytest.param("not_null(at, `0`)", [{"x": 1}, 0], id="a default"),
        pytest.param("type(@)", ["object", "object"], id="not evaluated where the focus is null"),
    ],
)
def test_a_query_is_evaluated_at_each_focus(query, answer):
    decoder = decoder_with("items[].body")

    assert oracle.same(decoder.query(query, ITEMS), answer)


@pytest.mark.parametrize(
    ("focus", "query", "answer"),
    [
        pytest.param("items[].body", "n", [1, 2], id="flatten"),
        pytest.param("items[*].body", "n", [1, 2], id="list projection"),
        pytest.param("items[1:].body", "n", [2], id="slice"),
        pytest.param("items[?kind == 'x'].body", "n", [1, 2], id="filter projection"),
        pytest.param("items[?kind == 'x'].body", "tags[]", ["a", "b", "c"], id="filter, []"),
        pytest.param("by.*.body", "n", [1, 3], id="value projection"),
        pytest.param("by.*.body", "[n][]", [1, 3], id="value projection, []"),
        pytest.param("[@][*].by.*.body", "n", [[1, 3]], id="value projection in a projection"),
        pytest.param("items[] | [].body", "tags[]", ["a", "b", "c"], id="pipe to a projection"),
        pytest.param("items | [3].body", "tags", ["c"], id="pipe to one value"),
        pytest.param("items[0].body", "length(tags)", 2, id="index: one answer, no list"),
        pytest.param("one", "tags[] | length(@)", 1, id="field: one answer, no list"),
        pytest.param("@", "one.n", 1, id="the root"),
        pytest.param("[one, items[0].body][]", "n", [1, 1], id="multi-select, flattened"),
        pytest.param("items[].[body.at || body][]", "[n, x][]", [1, 2], id="or in a projection"),
        pytest.param("one || items", "n", 1, id="or"),
        pytest.param("items[*].body.tags[*]", "length(@)", [[1, 1], [1]], id="nested projections"),
        pytest.param("items[*].body.tags[*]", "[@][]", [["a"], ["b"], ["c"]], id="nested, []"),
        pytest.param("{a: one}", "a.n", 1, id="multi-select hash"),
        pytest.param("merge(one, `{}`)", "n", 1, id="function"),
    ],
)
def test_every_kind_of_focus_composes(focus, query, answer):
    assert oracle.same(decoder_with(focus).query(query, ITEMS), answer)


@pytest.mark.parametrize(
    "query",
    ["n", "at.x", "tags[]", "tags[*]", "tags[0]", "tags[] | [0]", "[n, at.x]", "at.*", "tags[?@]"],
)
@pytest.mark.parametrize(
    "focus",
    [
        "items[].body",
        "items[*].body",
        "items[?kind].body",
        "items[::2].body",
        "one",
        "items[0].body",
        "in.items[].body",
        "in.items[*].body",
        "in.items[1:].body",
        "in.items[?body].body",
        "in.items[0].body",
        "in.in.items[*].body",
        "items[].[body][]",
        "items | [].body",
        "lists[][].body",
        "lists[*][*].body",
        "lists[*][0].body",
        "deep[*].in.items[*].body",
        "deep[*].in.items[].body",
        "deep[].in.items[?kind == 'x'].body",
        "deep[].in.items[1:].body",
        "deep | [*].in.items[*].body",
        "deep[*].in.items[0].body",
    ],
)
def test_a_path_at_the_focus_is_the_path_behind_it(focus, query):
    lists = [ITEMS["items"][:2], ITEMS["items"][2:]]
    inner = ITEMS | {"in": ITEMS}
    document = inner | {"lists": lists, "deep": [inner, {}], "in": inner}

    assert oracle.same(
        decoder_with(focus).compile(query, start="focus")(document),
        jmespath.search(f"{focus}.{query}", document),
    )


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("length(@)", id="a function that refuses null"),
        pytest.param("`1`", id="a literal"),
        pytest.param("!n", id="a negation"),
        pytest.param("[n]", id="a list"),
        pytest.param("tags[]", id="[]"),
    ],
)
@pytest.mark.parametrize("focus", ["none", "one.none", "items[9].body", "items | [9]"])
def test_a_query_is_not_evaluated_where_the_focus_is_null(focus, query):
    assert decoder_with(focus).query(query, ITEMS) is None


PENDING = b'{"data": {"taskId": "1", "taskStatus": "running", "taskResult": null}}'


def mixed() -> Any:
    """Make a response with results in both shapes, one pending and one in plain text."""
    document = json.loads(SAMPLE)
    others = [{"taskResult": None}, {}, {"taskResult": "plain text"}]
    document["data"]["taskResult"] += others + json.loads(DOCUMENTED)["data"]["taskResult"]
    return document


@pytest.mark.parametrize(
    ("document", "count", "codes"),
    [
        pytest.param(SAMPLE, 4, ["200"], id="sample"),
        pytest.param(DOCUMENTED, 4, ["200"], id="documented"),
        pytest.param(mixed(), 8, ["200", "200"], id="mixed"),
        pytest.param(b'{"data": {"taskResult": []}}', 0, [], id="no results"),
    ],
)
def test_the_focus_of_repair_results_holds_for_every_shape(document, count, codes):
    decoder = Decoder("repair-results")
    each = [4] * len(codes)

    assert len(decoder.query("structData.data[]", document)) == count
    assert decoder.query("structData.data[] | length(@)", document) == count
    assert decoder.query("length(structData.data)", document) == each
    assert decoder.query("structData.code", document) == codes


def test_a_pending_response_has_no_answer():
    decoder = Decoder("repair-results")

    assert decoder.query("structData.data[]", PENDING) is None
    assert decoder.query(":urls", PENDING) == []
    assert decoder.query("data.taskStatus", PENDING) == "running"


def test_composing_changes_nothing_that_the_parser_keeps():
    focus, queries = "items[?kind == 'x'].[body][]", ["tags[] | [0]", "[n, tags[]][]", "length(n)"]
    parsed = [jmespath.compile(text).parsed for text in (focus, *queries)]
    before = copy.deepcopy(parsed)
    decoder = decoder_with(focus)
    for query in queries:
        decoder.compile(query)

    assert [jmespath.compile(text).parsed for text in (focus, *queries)] == before
    assert parsed == before


START = Spec.parse(
    json.dumps(
        {
            "properties": {
                "code": {"type": "string"},
                "both": {"type": "string"},
                "dotted.key": {"type": "string"},
                "item": {
                    "type": "string",
                    "contentMediaType": "application/json",
                    "contentSchema": {"properties": {"value": {}, "both": {}, "list": {}}},
                },
            },
            "x-nestdecode": {"focus": "item", "queries": {"q": "item.value", "c": "code"}},
        }
    )
)


@pytest.mark.parametrize(
    ("query", "start"),
    [
        pytest.param("code", "root", id="a name of the root"),
        pytest.param("value", "focus", id="a name of the focus"),
        pytest.param("item.value", "root", id="the full path"),
        pytest.param('"dotted.key"', "root", id="a quoted name"),
        pytest.param("@.code", "root", id="@ is no name"),
        pytest.param("@ | code", "root", id="@ before a pipe"),
        pytest.param("code | value", "root", id="the leading name before a pipe"),
        pytest.param("value.code", "focus", id="the leading name of a path"),
        pytest.param("list[].code", "focus", id="the leading name of a projection"),
        pytest.param("list[?code]", "focus", id="no name of a filter"),
        pytest.param("value == 'code'", "focus", id="no string"),
        pytest.param("sort_by(list, &code)", "focus", id="no expression reference"),
        pytest.param("[code, item]", "root", id="each name of a list"),
        pytest.param("{code: value}", "focus", id="no key of a hash"),
        pytest.param("{value: code}", "root", id="each value of a hash"),
        pytest.param("not_null(code, `1`)", "root", id="arguments"),
        pytest.param("code && item || !code", "root", id="operators"),
        pytest.param("code < '1'", "root", id="comparison"),
        pytest.param("both", None, id="names of both"),
        pytest.param("other", None, id="names of neither"),
        pytest.param("@", None, id="no name"),
        pytest.param("length(@)", None, id="no name in a function"),
        pytest.param("`1`", None, id="a literal"),
        pytest.param("[?code]", None, id="a filter of what is there"),
    ],
)
def test_names_decide_where_a_query_starts(query, start):
    with_spec = compile_expression(query, START, default="focus")
    lent = compile_expression(query, START, default="root")

    assert (with_spec.start, lent.start) == (start or "focus", start or "root")


@pytest.mark.parametrize(
    "focus",
    [
        "data.list[]",
        "data.list[*]",
        "data.list[0]",
        "data.list[1:]",
        "data.list[?value]",
        "data.by.*",
        "data.by.one",
        "data | list[]",
        "data.list | [0]",
        "data.list[0] || data.list[1]",
        "[data][].list[]",
        "data.[list[0], list[1]][]",
        "data.[other.value || list[0]][]",
    ],
)
def test_names_are_known_at_every_kind_of_focus(focus):
    layer: dict[str, Any] = {"type": "string", "contentMediaType": "application/json"}
    layer |= {"contentSchema": {"properties": {"value": {}}}}
    members: dict[str, Any] = {"list": {"items": layer}, "by": {"additionalProperties": layer}}
    members["by"]["properties"] = {"one": layer}
    schema = {"properties": {"data": {"properties": members}}, "x-nestdecode": {"focus": focus}}

    assert compile_expression("value", Spec.parse(json.dumps(schema))).start == "focus"


@pytest.mark.parametrize("query", ["[code, value]", "code || value", "{a: value, b: item.value}"])
def test_names_of_the_root_and_of_the_focus_are_an_error(query):
    with pytest.raises(QueryError, match=r"root.*focus"):
        Decoder(START).compile(query)


@pytest.mark.parametrize(
    ("query", "start", "answer"),
    [
        pytest.param("both", None, "inside", id="the focus by default"),
        pytest.param("both", "root", "outside", id="the root"),
        pytest.param("both", "focus", "inside", id="the focus"),
        pytest.param("code", "focus", None, id="a name of the root at the focus"),
        pytest.param("value", "root", None, id="a name of the focus at the root"),
        pytest.param("[code, value]", "root", ["0", None], id="both at the root"),
        pytest.param("[code, value]", "focus", [None, 1], id="both at the focus"),
    ],
)
def test_start_forces_where_a_query_starts(query, start, answer):
    document = {"code": "0", "both": "outside", "item": '{"value": 1, "both": "inside"}'}

    assert Decoder(START).compile(query, start=start)(document) == answer


def test_without_a_spec_a_query_starts_at_the_root():
    assert nestdecode.query("structData.data", SAMPLE) is None
    assert nestdecode.query("data.taskStatus", SAMPLE) == "finished"


def test_without_a_spec_there_is_no_focus():
    with pytest.raises(QueryError):
        Decoder().compile("a", start="focus")


def test_a_named_query_starts_at_the_root():
    document = {"code": "0", "item": '{"value": 1}'}
    decoder = Decoder(START)

    assert decoder.query(":q", document) == 1
    assert decoder.compile(":c")(document) == "0"
    assert nestdecode.query(":c", document, START) == "0"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        pytest.param(START, ":x", id="unknown"),
        pytest.param(START, ":", id="no name"),
        pytest.param(START, ":q | @", id="no part of an expression"),
        pytest.param(None, ":q", id="no spec"),
    ],
)
def test_an_unknown_named_query_is_an_error(spec, name):
    with pytest.raises(QueryError) as caught:
        Decoder(spec).compile(name)

    assert caught.value.expression == name


def test_a_named_query_that_refuses_a_document_is_called_by_its_name():
    spec = Spec.parse('nestdecode: 1\nlayers: {a: json}\nqueries: {size: "length(a)"}\n')
    with pytest.raises(QueryError) as caught:
        nestdecode.query(":size", {"a": 1}, spec)

    assert caught.value.expression == ":size"


def test_a_layer_that_a_query_never_enters_reports_no_problem():
    problems: list[nestdecode.DecodeError] = []
    spec = Spec.parse("nestdecode: 1\nlayers: {a: json, b: json}\n")
    decoder = Decoder(spec, on_problem=problems.append)

    assert decoder.query("a.x", {"a": '{"x": 1}', "b": "broken"}) == 1
    assert problems == []


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param('`"{}"`', "{}", id="literal"),
        pytest.param("'[1]'", "[1]", id="raw string"),
        pytest.param("join('', ['[', '1', ']'])", "[1]", id="function result"),
        pytest.param("to_string(a)", '{"b":1}', id="to_string"),
    ],
)
def test_literals_and_results_are_no_layers(query, answer):
    assert nestdecode.query(query, {"a": '{"b": 1}'}) == answer


DOCUMENT = {"a": {"b": [1, {"c": []}]}, "list": [[1], [2]], "text": '{"d": [[3]]}'}


@pytest.mark.parametrize(
    "query",
    [
        "@", "a", "a.b", "list[]", "list[*]", "[a, list]", "{x: a}", "a || list", "not_null(a)",
        "to_array(a)", "values(a)", "merge(a, {z: list})", "text.d", "sort_by(list, &[0])",
        "`{\"x\": [[1]]}`", "[`[[]]`, a]", "none || `[]`", "`[[1], [2]]`[]", "`{\"x\": []}`.x",
        "merge(`{\"x\": []}`, a)", "map(&`[]`, list)", "map(&@, list)", "reverse(list)",
        "max_by(list, &[0])", "`[[1]]`[0]", "list[?@ == `[1]`]",
        "[a, a]", "{x: a, y: a}", "[@, a]", "[a, a.b]", "[a.b, a][1:]", "[list[0], list[-1]]",
        "[a, a] | [@[0], @[1]]", "map(&[@, @], list)", "list[*].[@, @]", "list[*].{x: @, y: @}",
        "merge(@, a)", "merge(a, {z: a})", "[a || list, a]", "[list[], list]", "[text, text.d]",
        "[list[:1], list[0]]", "[not_null(a, list), a]", "[[a], [a]]", "[[a, list], a][0]",
        "[`[[1]]`, `[[1]]`]", "list[*].[`[[1]]`]", "[a, to_array(a)]", "[reverse(list), list]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("focus", [None, "@"], ids=["root", "focus"])
def test_an_answer_shares_no_container_with_input_or_cache(query, focus):
    document = copy.deepcopy(DOCUMENT)
    decoder = Decoder() if focus is None else decoder_with(focus)
    compiled = decoder.compile(query)
    answers = [compiled(document), compiled(document), decoder.query(query, document)]
    shared = [set(containers(answer)) for answer in (*answers, document)]
    before = copy.deepcopy(answers[0])
    scribble(answers)

    assert len(set().union(*shared)) == sum(map(len, shared))
    assert document == DOCUMENT
    assert oracle.same(compiled(document), before)
    assert oracle.same(jmespath.search(query, oracle.expand(DOCUMENT)), before)


def scribble(value: Any) -> None:
    """Change every container of a tree."""
    if isinstance(value, dict | list):
        for child in list(value.values()) if isinstance(value, dict) else list(value):
            scribble(child)
        if isinstance(value, dict):
            value["scribble"] = 1
        else:
            value.append("scribble")


CANARY = "canary-8675309"


@pytest.mark.parametrize(
    ("query", "document"),
    [
        pytest.param("abs(@)", [CANARY], id="argument"),
        pytest.param("abs(a)", {"a": CANARY}, id="string"),
        pytest.param("sum(@)", [CANARY], id="element"),
        pytest.param("sort(@)", [1, CANARY], id="mixed elements"),
        pytest.param("max(@)", [CANARY, 1], id="mixed elements of max"),
        pytest.param("sort_by(@, &a)", [{"a": 1}, {"a": CANARY}], id="mixed keys"),
        pytest.param("max_by(@, &a)", [{"a": 1}, {"a": CANARY}], id="mixed keys of max_by"),
        pytest.param("min_by(@, &a)", [{"a": [CANARY]}], id="keys that have no order"),
        pytest.param("join(@, ['a'])", [CANARY], id="separator"),
        pytest.param("join('', @)", [CANARY, 1], id="joined"),
        pytest.param("merge(@)", CANARY.split("-"), id="merge"),
        pytest.param("contains(a, `1`)", {"a": CANARY}, id="contains"),
        pytest.param("keys(a)", {"a": f'["{CANARY}"]'}, id="a layer"),
        pytest.param("avg(@)", [8675309**60, 1.5], id="overflow"),
        pytest.param("items[].abs(@)", {"items": [CANARY]}, id="projection"),
    ],
)
def test_a_query_error_holds_no_data(query, document):
    error = refusal(query, document)
    texts = [str(error), repr(error), str(error.args), str(vars(error)), str(pickle.dumps(error))]

    assert [text for text in texts if CANARY in text or "8675309" in text] == []
    assert (error.__cause__, error.__context__) == (None, None)


def test_a_query_error_survives_pickling():
    error = refusal("a.lenght(b)")
    again = pickle.loads(pickle.dumps(error))

    assert (type(again), vars(again), str(again)) == (type(error), vars(error), str(error))


@pytest.mark.parametrize(
    ("query", "document"),
    [
        pytest.param("sum(@)", ["x"], id="string in sum"),
        pytest.param("join('', @)", [1], id="integer in join"),
        pytest.param("join('', @)", [None], id="null in join"),
        pytest.param("join('', @)", [{}], id="object in join"),
        pytest.param("sort(@)", [True], id="boolean in sort"),
        pytest.param("max(@)", [[1]], id="array in max"),
        pytest.param("abs(@)", [], id="array for a number"),
        pytest.param("keys(a)", {}, id="null for an object"),
        pytest.param("sort_by(@, &a)", [{"a": {}}], id="object as a key"),
    ],
)
def test_a_query_error_speaks_of_the_types_of_json(query, document):
    reason = refusal(query, document).reason

    assert re.findall(r"\b(str|int|float|bool|dict|list|None\w*|unknown)\b", reason) == []


@pytest.mark.parametrize(
    ("query", "column"),
    [
        pytest.param("a[", 3, id="the end"),
        pytest.param("a.", 3, id="the end after a dot"),
        pytest.param("a b", 3, id="unexpected name"),
        pytest.param("a..b", 3, id="unexpected dot"),
        pytest.param("  @@", 4, id="after spaces"),
        pytest.param("'é' = a", 5, id="after a letter that is no ASCII"),
        pytest.param("a.#", 3, id="unknown character"),
        pytest.param("a.'b", 3, id="open string"),
        pytest.param("foo(a)", 1, id="unknown function"),
        pytest.param("a[?b].foo (a)", 7, id="unknown function in a projection"),
        pytest.param("[a, length()]", 5, id="number of arguments"),
        pytest.param("length(a) || xlength(a)", 14, id="no part of another name"),
        pytest.param("a ||\n  b c", 5, id="in its line"),
        pytest.param("foo(a)\n || b", 1, id="in the first line"),
    ],
)
def test_a_caret_points_at_the_column(query, column):
    error = refusal(query)
    assert error.offset is not None
    line = query[: error.offset].rpartition("\n")[2]
    shown = str(error).split("\n")

    assert len(line) + 1 == column
    assert f"column {column} of" in shown[0]
    assert shown[2] == f"  {' ' * (column - 1)}^"
    assert shown[1].strip() in query


def test_a_long_line_is_cut_around_the_caret():
    query = f"{'a.' * 200}#{'.a' * 200}"
    _, line, caret = str(refusal(query)).split("\n")

    assert len(line) < 110
    assert line[caret.index("^")] == "#"


@pytest.mark.parametrize(
    ("query", "document", "offset"),
    [
        pytest.param("[length(a), length(b)]", {"a": [], "b": 1}, 12, id="another call"),
        pytest.param("'length(' == length(b)", {"b": 1}, 13, id="a string"),
        pytest.param('"length(" == length(b)', {"b": 1}, 13, id="a quoted name"),
    ],
)
def test_a_caret_points_at_the_call_or_nowhere(query, document, offset):
    assert refusal(query, document).offset in (None, offset)


@pytest.mark.parametrize(
    ("query", "document"),
    [
        pytest.param("foo(a)", None, id="unknown function"),
        pytest.param("length(a, b)", None, id="too many arguments"),
        pytest.param("not_null()", None, id="too few arguments"),
        pytest.param("a[::0]", None, id="step of 0"),
        pytest.param("&a", None, id="reference alone"),
        pytest.param("[&a]", None, id="reference in a list"),
        pytest.param("a[?&b]", None, id="reference in a filter"),
        pytest.param("", None, id="empty"),
        pytest.param("   ", None, id="blank"),
    ],
)
def test_what_no_document_can_answer_does_not_compile(query, document):
    with pytest.raises(QueryError):
        Decoder().compile(query)


@pytest.mark.parametrize(
    ("query", "document", "answer"),
    [
        pytest.param("'x' < `1`", None, None, id="string and number have no order"),
        pytest.param("`1` >= 'x'", None, None, id="number and string have no order"),
        pytest.param("`true` < `2`", None, None, id="booleans have no order"),
        pytest.param("a < b", {"a": [1], "b": [2]}, None, id="arrays have no order"),
        pytest.param(
            "[?a < b]", [{"a": 1, "b": "2"}, {"a": 1, "b": 2}], [{"a": 1, "b": 2}], id="filter"
        ),
        pytest.param("[?t > 'a']", [{"t": "b"}, {"t": 1}, {}], [{"t": "b"}], id="strings compare"),
        pytest.param("'2024-01-01' < '2024-02-01'", None, True, id="time stamps"),
        pytest.param("`1` < `1.5`", None, True, id="integers and doubles"),
        pytest.param("to_number('1_000')", None, None, id="underscores"),
        pytest.param("to_number(' 1')", None, None, id="blanks"),
        pytest.param("to_number('nan')", None, None, id="nan"),
        pytest.param("to_number('Infinity')", None, None, id="infinity"),
        pytest.param("to_number('1e400')", None, None, id="beyond a double"),
        pytest.param("to_number('0x10')", None, None, id="hexadecimal"),
        pytest.param("to_number('٣')", None, None, id="other digits"),
        pytest.param("to_number('')", None, None, id="empty"),
        pytest.param("to_number('-1.5e3')", None, -1500.0, id="a number"),
        pytest.param("to_number('18446744073709551616')", None, 2**64, id="a big integer"),
        pytest.param("to_number(`true`)", None, None, id="a boolean is no number"),
        pytest.param("!a.b", {"a": {"b": False}}, None, id="! binds closer than ."),
        pytest.param("!(a.b)", {"a": {"b": False}}, True, id="parentheses"),
        pytest.param("`1` == `true`", None, False, id="numbers are no booleans"),
        pytest.param("`[1]` == `[true]`", None, False, id="nor in arrays"),
        pytest.param('`{"a": 0}` == `{"a": false}`', None, False, id="nor in objects"),
        pytest.param("contains(`[1]`, `true`)", None, False, id="nor in contains()"),
        pytest.param("`1` == `1.0`", None, True, id="numbers are equal by value"),
    ],
)
def test_the_specification_decides_where_jmespath_py_departs(query, document, answer):
    assert oracle.same(nestdecode.query(query, document), answer)


@pytest.mark.parametrize(
    ("query", "document"),
    [
        pytest.param("contains(a, `1`)", {"a": "abc"}, id="contains"),
        pytest.param("max_by(@, &a)", [{"a": 1}, {"a": "x"}], id="max_by"),
        pytest.param("sum(@)", [10**400, 1.5], id="sum of what no double holds"),
        pytest.param("avg(@)", [10**400, 1], id="avg of what no double holds"),
        pytest.param("ceil(a)", {"a": float("inf")}, id="ceil of infinity"),
        pytest.param("to_string(sum(@))", [10**4300 - 1, 1], id="more digits than Python writes"),
        pytest.param("to_string(@)", {("tuple",): 1}, id="keys that JSON does not know"),
    ],
)
def test_a_function_that_refuses_its_arguments_is_a_query_error(query, document):
    assert isinstance(refusal(query, document), QueryError)


@pytest.mark.parametrize(
    ("query", "document"),
    [
        pytest.param("sum(@)", [1e308, 1e308], id="sum"),
        pytest.param("avg(@)", [1e308, 1e308], id="avg"),
        pytest.param("sum([sum(a), sum(b)])", {"a": [1e308] * 2, "b": [-1e308] * 2}, id="nan"),
        pytest.param("`NaN`", None, id="NaN literal"),
        pytest.param("`1e999`", None, id="literal beyond a double"),
        pytest.param("`[-Infinity]`", None, id="-Infinity literal"),
    ],
)
def test_no_answer_holds_what_json_cannot_write(query, document):
    try:
        answer = nestdecode.query(query, document)
    except QueryError:
        answer = None

    assert answer is None


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("||".join(["a"] * 5000), id="or"),
        pytest.param("|".join(["a"] * 5000), id="pipe"),
        pytest.param("==".join(["a"] * 5000), id="comparison"),
        pytest.param("a" + "[]" * 5000, id="flatten"),
        pytest.param("a" + "[*]" * 5000, id="projection"),
        pytest.param("(" * 5000 + "a" + ")" * 5000, id="parentheses"),
        pytest.param("[" * 5000 + "a" + "]" * 5000, id="lists"),
        pytest.param("!" * 5000 + "a", id="not"),
        pytest.param("`" + "[" * 5000 + "]" * 5000 + "`", id="literal"),
        pytest.param("a" * (1 << 17), id="long"),
    ],
)
@pytest.mark.parametrize("decoder", [Decoder(), decoder_with("a[]")], ids=["root", "focus"])
def test_a_query_too_large_is_a_query_error(decoder, query):
    with pytest.raises(QueryError):
        decoder.query(query, {"a": []})


@pytest.mark.parametrize(
    "query",
    [
        pytest.param("[" * 5000 + "a" + "]" * 5000, id="nested too deep"),
        pytest.param("a" * (1 << 17), id="too long"),
        pytest.param("a." * 5000 + "&b", id="wrong at its end"),
        pytest.param(f"a[::0].{'b' * 5000}", id="wrong without a place"),
    ],
)
def test_a_long_query_is_not_quoted_whole(query):
    assert len(str(refusal(query))) < 1000


def test_values_that_json_does_not_know_pass_through():
    value = object()

    assert nestdecode.query("a[0].b", {"a": [{"b": value}]}) is value


def read_suite() -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Go through the compliance suite: (id, given, case); nothing if there is none."""
    for path in sorted(Path(CORPUS or "").glob("jmespath/tests/*.json")) if CORPUS else ():
        for number, group in enumerate(json.loads(path.read_bytes())):
            for index, case in enumerate(group["cases"]):
                yield f"{path.stem}-{number}-{index}", group["given"], case


SUITE = list(read_suite())
needs_corpus = pytest.mark.skipif(
    CORPUS is None, reason="NESTDECODE_CORPUS is unset: it names the corpus folder"
)


@needs_corpus
def test_the_suite_is_whole_and_holds_no_layer():
    assert len(SUITE) >= 892, f"no suite in {CORPUS}: is NESTDECODE_CORPUS right?"
    assert all(oracle.same(oracle.expand(given), given) for _, given, _ in SUITE)
    assert not any(isinstance(given, str) for _, given, _ in SUITE)


# jmespath.py warns of literals that only it accepts.
@pytest.mark.filterwarnings("ignore:deprecated string literal syntax:PendingDeprecationWarning")
@needs_corpus
@together(("given_", "case"), [pytest.param(given, case, id=name) for name, given, case in SUITE])
@pytest.mark.parametrize(
    "decoder",
    [
        pytest.param(Decoder(None), id="root"),
        pytest.param(decoder_with("@"), marks=pytest.mark.slow, id="focus"),
    ],
)
def test_the_compliance_suite_passes(decoder, given_, case):
    if "bench" in case:
        # A benchmark asserts no answer.
        decoder.compile(case["expression"])
    elif "error" in case:
        with pytest.raises(QueryError):
            decoder.query(case["expression"], given_)
    else:
        assert oracle.same(decoder.query(case["expression"], given_), case["result"])


FIELDS = ["a", "b", '"0"', '"a/b"', '"{}"', "é".join('""'), "none"]
ATOMS = [
    *("@", "[0]", "[-1]", "[1:]", "[::-1]", "[]", "[*]", "*", "`0`", "`null`", "'x'", "`[[1]]`"),
    *("type(@)", "to_array(@)", "to_string(@)", "length(@)", "keys(@)", "values(@)", "not_null(a)"),
    *("[?a]", "[?a == 'x']", "[?!b]", "[?type(@) == 'object']", "map(&a, @)", "merge(@, @)"),
]


def expressions() -> st.SearchStrategy[str]:
    """Draw expressions on which jmespath.py and the specification agree."""
    atoms = st.sampled_from(FIELDS) | st.sampled_from(ATOMS)

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        pair = st.tuples(inner, inner)
        return st.one_of(
            st.tuples(inner, st.sampled_from(FIELDS)).map(".".join),
            st.tuples(inner, st.sampled_from(["[]", "[*]", "[0]", "[?a]", ".*"])).map("".join),
            *(pair.map(f" {operator} ".join) for operator in ("|", "||", "&&")),
            pair.map(lambda two: f"({two[0]}).[{two[1]}]"),
            pair.map(lambda two: f"{{x: {two[0]}, y: {two[1]}}}"),
            pair.map(lambda two: f"not_null({two[0]}, {two[1]})"),
            inner.map(lambda one: f"!({one})"),
            inner.map(lambda one: f"({one}) == 'x'"),
        )

    return st.recursive(atoms, larger, max_leaves=6)


def search(expression: str, tree: Any) -> tuple[Any, bool]:
    """Ask jmespath.py: (answer, whether it refuses)."""
    try:
        return jmespath.search(expression, tree), False
    except jmespath.exceptions.JMESPathError:
        return None, True


# In a list, because a string alone would be taken for a JSON text.
@given(expressions(), st.lists(strategies.wrapped(), max_size=3))
def test_answers_are_those_of_jmespath_py_on_the_expanded_tree(expression, document):
    answer, refused = search(expression, oracle.expand(document))

    if refused:
        with pytest.raises(QueryError):
            nestdecode.query(expression, document)
    else:
        assert oracle.same(nestdecode.query(expression, document), answer)


@given(expressions(), st.lists(strategies.wrapped(), max_size=3))
def test_a_focus_on_one_value_is_a_query_of_that_value(expression, document):
    value = oracle.expand(document)
    answer, refused = search(expression, value)
    decoder = decoder_with("item")

    if refused:
        with pytest.raises(QueryError):
            decoder.query(expression, {"item": value})
    else:
        assert oracle.same(decoder.query(expression, {"item": value}), answer)


def test_threads_share_a_decoder():
    decoder = Decoder("repair-results")
    tree = decoder.expand(SAMPLE)
    queries = [f"data.taskResult[0].taskResult.result.data.structData.data[{n}]" for n in range(10)]
    queries += [f"structData.data[] | [{n}]" for n in range(10)]
    queries += [f"[structData.code, `[{n}]`][]" for n in range(10)]
    queries += [f"data.taskResult[{n}:].taskStatus" for n in range(10)]
    queries += [f"length(structData.data[{n}:])" for n in range(10)]
    expected = [Decoder("repair-results").query(query, SAMPLE) for query in queries]
    barrier = threading.Barrier(8)

    def ask(first: int) -> list[Any]:
        barrier.wait(10)
        order = [*range(first, len(queries)), *range(first)]
        # Each thread starts elsewhere, so that all compile, and all find what others compiled.
        answers = {number: decoder.query(queries[number], SAMPLE) for number in order}
        return [answers[number] for number in range(len(queries))]

    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(ask, range(0, 48, 6)))

    assert results == [expected] * 8
    assert decoder.expand(SAMPLE) == tree


@pytest.mark.parametrize(
    "text",
    ["not_null(&a)", "not_null(a, &a)", "to_array(&a)", "type(&a)", "to_string(&a)",
     "contains(@, &a)", "to_number(&a)", "[to_array(&a)][0]", "map(&to_array(&a), @)"],
)  # fmt: skip
def test_an_expression_reference_is_no_value(text):
    with pytest.raises(QueryError, match=r"\(\) takes no expression reference as argument [12]"):
        Decoder().compile(text)


def test_the_answer_of_a_document_shares_no_container_with_its_tree():
    document = Decoder().open(json.dumps(DOCUMENT))
    answers = [document.query(query) for query in ("a", "[a, a]", "[@, text]", "merge(@, a)")]
    shared = [set(containers(answer)) for answer in (*answers, document.tree)]
    scribble(answers)

    assert len(set().union(*shared)) == sum(map(len, shared))
    assert document.tree == oracle.expand(DOCUMENT)


REPORTS = "nestdecode: 1\nlayers: {a: json, b: json, 'c[]': json, 'd.x': json}\n"


@pytest.mark.parametrize(
    ("query", "seen"),
    [
        pytest.param("e", [], id="none"),
        pytest.param("b", ["/b"], id="one"),
        pytest.param("a || b", [], id="an or that is decided"),
        pytest.param("a.x || b", [], id="an or of a member"),
        pytest.param("a.none || b", ["/b"], id="an or that is not"),
        pytest.param("none && b", [], id="an and that is decided"),
        pytest.param("a && b", ["/b"], id="an and that is not"),
        pytest.param("[b, a]", ["/b"], id="a list"),
        pytest.param("[c[0], a]", ["/c/0"], id="one element"),
        pytest.param("[c[-1], c[1]]", ["/c/1"], id="one element by two names"),
        pytest.param("c", ["/c/0", "/c/1"], id="all elements"),
        pytest.param("c[1:]", ["/c/1"], id="a slice"),
        pytest.param("d", ["/d/x"], id="all of an object"),
        pytest.param("length(d)", ["/d/x"], id="an argument"),
        pytest.param("d && e", [], id="an object that is true"),
        pytest.param("[d, c, b][]", ["/b", "/c/0", "/c/1", "/d/x"], id="in the document's order"),
        pytest.param("*", ["/b", "/c/0", "/c/1", "/d/x"], id="all members"),
        pytest.param("(a || d).y", [], id="a member of one of two"),
    ],
)
@pytest.mark.parametrize(
    "extra", ["", "undeclared: open\n", "limits: {max_layers: 1}\n"], ids=["", "open", "limits"]
)
def test_layers_that_a_query_does_not_see_report_nothing(query, seen, extra):
    problems: list[nestdecode.DecodeError] = []
    decoder = Decoder(Spec.parse(REPORTS + extra), on_problem=problems.append)
    document = {"b": "{", "a": '{"x": 1}', "c": ["{", "["], "d": {"y": 1, "x": "{"}, "e": 1}
    for form in (json.dumps(document).encode(), json.dumps(document), document):
        problems.clear()
        decoder.query(query, form)

        assert [problem.pointer for problem in problems] == seen


@pytest.mark.parametrize("policy", ["fail", "drop"])
def test_a_layer_that_fails_the_record_or_goes_is_opened_unseen(policy):
    problems: list[nestdecode.DecodeError] = []
    layers = f"{{a: json, b: {{codecs: json, on-error: {policy}}}, 'c.d': json}}"
    decoder = Decoder(Spec.parse(f"nestdecode: 1\nlayers: {layers}\n"), on_problem=problems.append)
    document = {"a": "{}", "b": "{", "c": {"d": "{"}}

    if policy == "fail":
        with pytest.raises(nestdecode.DecodeError):
            decoder.query("a", document)
    else:
        assert decoder.query("keys(@)", document) == ["a", "c"]
        assert [problem.pointer for problem in problems] == ["/b", "/c/d"]
        problems.clear()
        assert decoder.query("a", document) == {}
        assert [problem.pointer for problem in problems] == ["/b"]


LIST = "`[" + ",".join("1" * 3000) + "]`"
BOMBS = {
    "join": "'x'|" + "|".join(["join('',[@,@])"] * 40),
    "join of a document's texts": "join(to_string(@), [" + ",".join(["@.b"] * 3000) + "][])",
    "flatten": "@|" + "|".join(["[@,@][]"] * 30),
    "lists that share": "@|" + "|".join(["[@,@]"] * 60),
    "objects that share": "@|" + "|".join(["{a:@,b:@}"] * 60),
    "objects that share, merged": "@|" + "|".join(["{a:merge(@,@),b:@}"] * 60),
    "equality of what is shared": "[" + "[@,@]|" * 60 + "@][0] == [" + "[@,@]|" * 60 + "@][0]",
    "a search in what is shared": "@|" + "|".join(["[@,@]"] * 60) + "|contains([@], [@[0],@[0]])",
    "text of what is shared": "@|" + "|".join(["[@,@]"] * 60) + "|to_string(@)",
    "text in text": "to_string([" * 40 + "a" + "])" * 40,
    "one text in many places": "to_string(c)|" + "|".join(["[@,@][]"] * 22),
    "loops of literals": f"{LIST}[].map(&{LIST},{LIST})[]",
    "loops that find nothing": f"{LIST}[?{LIST}[?{LIST}[?@ == `2`]]]",
    "loops in references": f"sort_by({LIST}, &length({LIST}[?{LIST}[?@ == `2`]]))",
    "slices": "c|[@,@]|" + "|".join(["[@[0][:],@[0][:]]"] * 3000),
    "sort": "c|" + "|".join(["[@,@][]"] * 7) + "|" + "|".join(["sort(@)"] * 2000),
    "layers that are shared": "[a,b]|" + "|".join(["[@,@]"] * 60),
}
RUN_BOMB = """
import json, resource, sys
from nestdecode import Decoder, QueryError, Spec

if sys.platform == "linux":  # others have no such limit
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
spec = Spec.parse({"nestdecode": 1, "layers": {"a": "base64", "b[]": "json"}})
document = json.dumps({"a": "W1td", "b": ["[1,2,3]", "{}"], "c": [1] * 20_000})
try:
    Decoder(spec).query(sys.stdin.read(), document)
except QueryError as error:
    print(error.reason)
"""


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("query", BOMBS.values(), ids=BOMBS)
def test_no_answer_outgrows_its_bound(query):
    done = subprocess.run(
        [sys.executable, "-c", RUN_BOMB], input=query, capture_output=True, text=True, check=False
    )

    reasons = ("its answer grew past 256 MiB\n", "nested too deep\n")
    assert (done.stdout in reasons, done.stderr) == (True, "")


@pytest.mark.slow
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("[].id", id="members"),
        pytest.param("[].{id: id, item: @}", id="an element and a member of it"),
        pytest.param("[].to_string(@)", id="texts"),
        pytest.param("[].join('-', [kind, to_string(id)])", id="joined texts"),
        pytest.param("sort_by(@, &id)[].kind", id="sorted"),
        pytest.param('[?contains(`["a", "b"]`, kind)].id', id="a filter by a list"),
    ],
)
def test_what_is_asked_of_many_elements_is_answered(query):
    document = [{"id": number, "kind": "ab"[number % 2]} for number in range(100_000)]

    assert len(nestdecode.query(query, document)) == 100_000


LONG = int("9" * 4300)


def test_a_sum_that_nobody_can_write_is_a_query_error():
    total = Decoder().compile("sum(@)")

    assert total([LONG, -LONG, 1]) == 1
    assert total([LONG]) == LONG
    for numbers in ([LONG, 1], [-LONG, -1], [LONG, LONG]):
        with pytest.raises(QueryError):
            total(numbers)
