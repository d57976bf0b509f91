"""Whether an answer can grow, by its syntax tree: a wrong guess is always on the safe side."""

import json
from typing import Any

import pytest
from hypothesis import given
from jmespath import parser

from nestdecode import Decoder
from nestdecode.queries.growth import may_multiply, may_share
from tests import strategies
from tests.query_oracle import ask
from tests.test_late import queries
from tests.test_queries import containers


def parsed(query: str) -> Any:
    return parser.Parser().parse(query).parsed


@pytest.mark.parametrize(
    ("query", "shares"),
    [
        pytest.param("a", False, id="field"),
        pytest.param("a[*].b[].c | [0]", False, id="path"),
        pytest.param("[a, b]", False, id="two members"),
        pytest.param("[a.x, a.y]", False, id="two members of one member"),
        pytest.param("[a[0], a[1]]", False, id="two elements"),
        pytest.param("[a[*].x, b]", False, id="a projection and another member"),
        pytest.param("items[].{id: id, n: length(@), big: n > `1`}", False, id="texts and numbers"),
        pytest.param("[a || b, c]", False, id="one of two and a third"),
        pytest.param("merge(a, b)", False, id="members merged"),
        pytest.param("[a, `[]`, 'a', type(a)]", False, id="what is not of the document"),
        pytest.param("[a, a]", True, id="one member twice"),
        pytest.param("[a, a.b]", True, id="a part and the whole"),
        pytest.param("[a.b, a]", True, id="the whole and a part"),
        pytest.param("[a, @]", True, id="all and a member"),
        pytest.param("[a[0], a[-1]]", True, id="elements that may be one"),
        pytest.param("[a[*], a[1]]", True, id="a projection and an element"),
        pytest.param("[a[:1], a[0]]", True, id="a slice and an element"),
        pytest.param("[a || b, b]", True, id="one of two and the other"),
        pytest.param("[a[0].x, a[].y]", True, id="an element and all"),
        pytest.param("merge(@, a)", True, id="merged with a part"),
        pytest.param("{x: a, y: [a]}", True, id="in an object"),
        pytest.param("items[].[@, @]", True, id="in a projection"),
        pytest.param("map(&[@, @], a)", True, id="in a reference"),
        pytest.param("[not_null(a, b), b]", True, id="through a function"),
        pytest.param("[(a | @), a]", True, id="through a pipe"),
        pytest.param("[[a, b][0], a]", True, id="through a list"),
        pytest.param(f"[{'||'.join(f'a{n}' for n in range(99))}, z]", True, id="too many to tell"),
    ],
)
def test_an_expression_tells_whether_it_shares(query, shares):
    assert may_share(parsed(query)) == shares


@pytest.mark.parametrize(
    ("query", "multiplies"),
    [
        pytest.param("a[?b == 'x'].c", False, id="path"),
        pytest.param("[?contains(`[1]`, a)]", False, id="a list that is looked at"),
        pytest.param("[?a == `[1]`]", False, id="a list that is compared"),
        pytest.param("a || `[]`", False, id="an empty default"),
        pytest.param("sort_by(a, &b)", False, id="sorted"),
        pytest.param("`[1]`[*].a", True, id="a loop over a literal"),
        pytest.param("a[].[`[1]`]", True, id="a literal for each element"),
        pytest.param("join('', a)", True, id="join"),
        pytest.param("a[].to_string(@)", True, id="to_string"),
        pytest.param("[@, @][]", True, id="sharing"),
    ],
)
def test_an_expression_tells_whether_it_multiplies(query, multiplies):
    assert may_multiply(parsed(query)) == multiplies


@given(queries(), strategies.trees)
def test_what_does_not_multiply_is_bounded_by_query_and_document(query, tree):
    answer, refused = ask(query, tree)
    node = parsed(query)
    if not refused and not may_share(node):
        found = list(containers(answer))
        # jmespath.py gives its own literals, and gives them twice.
        assert "`" in query or len(found) == len(set(found))
    if not refused and not may_multiply(node):
        size = len(json.dumps(tree)) + 10
        assert len(json.dumps(answer)) <= size * (len(query) + 2)


@pytest.mark.parametrize("levels", [3, 12, 15, 16, 20, 25])
@pytest.mark.parametrize("parts", [1, 10])
def test_lists_in_lists_of_one_value_are_gone_through_once(levels, parts):
    decoder = Decoder("aws/sqs-sns")
    document = b'{"Records":[{"body":"{\\"Message\\":\\"[1]\\"}"}]}'
    every = "[" + ",".join(["@"] * parts) + "]"
    query = decoder.compile("Records|" + "|".join([every] * levels) + "|[0]" * levels)

    assert query(document) == [{"body": {"Message": [1]}}]
