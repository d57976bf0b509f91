"""Number, which keeps its text: how it compares, is written, and behaves in queries."""

import copy
import json
import math
import operator
import pickle
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nestdecode import DecodeError, Decoder, Number, QueryError
from nestdecode.text.write import dump
from tests import oracle, strategies
from tests.test_exact import DECLARED, nested
from tests.test_queries import SUITE, needs_corpus
from tests.together import together


def value_of(number: Any) -> Fraction:
    """Say what a number is worth: a double its shortest text, or the integer that it is."""
    if isinstance(number, Number):
        return Fraction(number.text)
    if isinstance(number, float) and not number.is_integer():
        return Fraction(repr(number))
    return Fraction(number)


texts_of_numbers = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,2})?", fullmatch=True),
    st.integers(-(10**30), 10**30).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.sampled_from(["1.10", "1.1", "-0", "0.0", "1e23", "1E23", "1e400", "9007199254740993.0"]),
)
any_numbers = st.one_of(
    texts_of_numbers.map(Number),
    st.integers(-(10**30), 10**30),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.1, 1.1, 1e23, 10**23, 2**53 + 1, 10**9, 1e9, -0.0, 10**400, True]),
)
ORDERS = [operator.eq, operator.ne, operator.lt, operator.le, operator.gt, operator.ge]


@given(texts_of_numbers.map(Number), any_numbers)
def test_a_number_is_compared_as_a_decimal(number, other):
    for order in ORDERS:
        assert order(number, other) is order(value_of(number), value_of(other))
        assert order(other, number) is order(value_of(other), value_of(number))


@given(st.lists(any_numbers, min_size=2, max_size=6))
def test_equal_numbers_hash_alike_and_sorting_orders_them(numbers):
    for one in numbers:
        for other in numbers:
            assert one != other or hash(one) == hash(other)
    # Doubles among themselves and integers are ordered by Python: the same order.
    assert [*map(value_of, sorted(numbers))] == sorted(map(value_of, numbers))
    assert value_of(max(numbers)) == max(map(value_of, numbers))


@pytest.mark.parametrize(
    ("text", "other"),
    [
        *(("1.10", 1.1), ("11e-1", 1.1), ("-0", 0), ("-0", -0.0), ("1E9", 10**9), ("1E9", 1e9)),
        *(("1e23", 10**23), ("1e400", 10**400), ("9007199254740993.0", 2**53 + 1), ("1.0", True)),
        *(("5.0e-324", 5e-324), ("1e-99999999999999999999", 0)),
    ],
)
def test_what_equals_a_number_is_the_same_key(text, other):
    assert {Number(text): "x"}[other] == "x"
    assert {other: "x"}[Number(text)] == "x"
    assert {Number(text), Number(text), other} == {other}


@given(texts_of_numbers)
def test_the_respelling_of_a_number_is_equal_to_it(text):
    number = Number(text)
    mantissa, _, exponent = text.lower().partition("e")
    if "." in mantissa:
        respelled = f"{mantissa}00e{exponent or 0}"
    else:
        respelled = f"{mantissa}.0E{exponent or 0}"

    assert number == Number(respelled)
    assert hash(number) == hash(Number(respelled))
    assert number.is_integer() is (Fraction(text).denominator == 1)


@given(texts_of_numbers.map(Number), any_numbers)
def test_arithmetic_with_a_number_is_that_of_its_double(number, other):
    plain = float(number)
    assert type(plain) is float
    assert plain == float(number.text)
    for work in (operator.add, operator.sub, operator.mul, operator.truediv):
        try:
            expected = work(plain, float(other))
        except (OverflowError, ZeroDivisionError):
            continue
        result = work(number, other)
        assert type(result) is float
        assert result == expected or math.isnan(expected)
    assert {type(abs(number)), type(-number), type(+number)} == {float}
    assert bool(number) is bool(plain)


@given(texts_of_numbers.map(Number))
def test_a_number_survives_copying(number):
    for again in (
        *(pickle.loads(pickle.dumps(number, protocol)) for protocol in range(6)),
        *(copy.copy(number), copy.deepcopy([number])[0], eval(repr(number))),
    ):
        assert type(again) is Number
        assert again.text == number.text
    assert str(number) == f"{number}" == number.text
    assert f"{number:.3e}" == f"{float(number):.3e}"


@pytest.mark.parametrize(
    "text",
    [
        *("", " 1", "1 ", "1\n", "+1", ".5", "1.", "01", "1_000", "nan", "Infinity", "0x1", "٣"),
        *("1e", "--1", "1e5.0", "null", '"1"', "1,2", "-"),
    ],
)
def test_a_number_has_the_text_of_a_json_number(text):
    with pytest.raises(ValueError, match=r"^not the text of a JSON number$"):
        Number(text)


@pytest.mark.parametrize(
    "other", ["1.10", None, [], {}, object(), 1j], ids=lambda o: type(o).__name__
)
def test_a_number_is_equal_to_numbers_only(other):
    assert Number("1.10") != other
    assert [Number("1.10")].count(other) == 0


def test_a_number_beside_what_json_does_not_hold():
    number = Number("1e400")

    assert number < float("inf")
    assert number > float("-inf")
    assert number != float("inf")
    assert not any(order(number, math.nan) for order in ORDERS if order is not operator.ne)


def test_exponents_beyond_all_bounds_have_an_order_all_the_same():
    large, small = "1e" + "9" * 5000, "1e-" + "9" * 5000
    texts = [f"-{large}", "-1e400", "-1", f"-{small}", small, "1e-400", "1", "1e400", large]
    numbers = [Number(text) for text in texts]
    shuffled = random.Random(1).sample(numbers, len(numbers))

    assert [*map(str, sorted(shuffled))][:3] == texts[:3]
    assert [*map(str, sorted(shuffled))][5:] == texts[5:]
    assert Number("0" + large[1:]) == 0 == Number(small)
    assert [number.is_integer() for number in map(Number, (large, "1e400", "1.5"))] == [
        *(True, True, False),
    ]


# Queries

NUMBERS = b"[1.10,1E9,-0,1e400,1.1000000000000000000001,7,2.5]"


@pytest.mark.parametrize(
    ("query", "answer"),
    [
        pytest.param("[0] == `1.1`", "true", id="equal to a literal"),
        pytest.param("[0] == [4]", "false", id="not equal, though the doubles are"),
        pytest.param("[0] < [4]", "true", id="order"),
        pytest.param("[1] == `1000000000`", "true", id="equal to an integer"),
        pytest.param("[2] == `0`", "true", id="minus zero"),
        pytest.param("[?@ > `1e308`]", "[1e400]", id="greater than all doubles"),
        pytest.param("[?@ == `1.1`]", "[1.10]", id="a filter"),
        pytest.param("[0] < 'x'", "null", id="no order with strings"),
        pytest.param("[2] && 'x'", '"x"', id="zero is true"),
        pytest.param("!([2])", "false", id="zero is true, negated"),
        pytest.param("[2] || 'x'", "-0", id="zero is true, or"),
        pytest.param("sort(@)", "[-0,1.10,1.1000000000000000000001,2.5,7,1E9,1e400]", id="sort"),
        pytest.param("max(@)", "1e400", id="max"),
        pytest.param("min(@)", "-0", id="min"),
        pytest.param("sort_by([].{n: @}, &n)[1]", '{"n":1.10}', id="sort_by"),
        pytest.param("max_by([].{n: @}, &n)", '{"n":1e400}', id="max_by"),
        pytest.param("min_by([].{n: @}, &n).n", "-0", id="min_by"),
        pytest.param("reverse(@)[0]", "2.5", id="reverse"),
        pytest.param("contains(@, `1.1`)", "true", id="contains"),
        pytest.param("map(&type(@), @) | [?@ != 'number']", "[]", id="type"),
        pytest.param("[].to_number(@) == @", "true", id="to_number"),
        pytest.param("to_number([0])", "1.10", id="to_number, one"),
        pytest.param("to_string([3])", '"1e400"', id="to_string"),
        pytest.param("to_string(@)", json.dumps(NUMBERS.decode()), id="to_string of an array"),
        pytest.param("to_array([0])", "[1.10]", id="to_array"),
        pytest.param("not_null([0])", "1.10", id="not_null"),
        pytest.param("merge({a: [0]}, {b: [1]})", '{"a":1.10,"b":1E9}', id="merge"),
        pytest.param("values({a: [0]})", "[1.10]", id="values"),
        pytest.param("sum([:2])", "1000000001.1", id="sum is plain"),
        pytest.param("avg([0:1])", "1.1", id="avg is plain"),
        pytest.param("abs([0])", "1.1", id="abs is plain"),
        pytest.param("[ceil([0]), floor([0])]", "[2,1]", id="ceil and floor are plain"),
        pytest.param("length(@)", "7", id="length"),
        pytest.param("`[1.10]`", "[1.1]", id="literals are plain"),
    ],
)
def test_a_number_is_a_number_to_every_function(query, answer):
    decoder = Decoder(numbers="exact")
    late = Decoder(DECLARED, numbers="exact")
    layer = nested(NUMBERS.decode(), 1).encode()

    assert dump(decoder.query(query, NUMBERS)).decode() == answer
    assert dump(late.query(f"v | {query}", layer)).decode() == answer


@pytest.mark.parametrize("query", ["sum(@)", "avg(@)", "abs([3])", "ceil([3])", "floor([3])"])
def test_arithmetic_that_no_double_holds_is_a_query_error(query):
    with pytest.raises(QueryError):
        Decoder(numbers="exact").query(query, NUMBERS)


@pytest.mark.parametrize(
    "query", ["join(',', @)", "length([0])", "keys([0])", "starts_with([0], 'x')"]
)
def test_what_wants_no_number_says_so(query):
    with pytest.raises(QueryError, match="got number"):
        Decoder(numbers="exact").query(query, NUMBERS)


def each_number(value: Any, work: Callable[[Any], Any]) -> Any:
    """Put something in the place of each number of a value."""
    if isinstance(value, dict):
        return {key: each_number(child, work) for key, child in value.items()}
    if isinstance(value, list):
        return [each_number(child, work) for child in value]
    return work(value) if type(value) in (int, float) else value


@pytest.mark.slow
@needs_corpus
@pytest.mark.filterwarnings("ignore:deprecated string literal syntax:PendingDeprecationWarning")
@together(
    ("document", "case"),
    [pytest.param(given_, case, id=name) for name, given_, case in SUITE if "bench" not in case],
)
def test_the_compliance_suite_passes_if_every_number_keeps_its_text(document, case):
    spelled = each_number(document, lambda number: f"{oracle.NUMERAL}{number}E0")
    decoder, raw = Decoder(numbers="exact"), strategies.COMPACT.write(spelled)
    if "error" in case:
        with pytest.raises(QueryError):
            decoder.query(case["expression"], raw)
    else:
        # to_string() gives the text too.
        answer = json.loads(dump(decoder.query(case["expression"], raw)).replace(b"E0", b""))
        assert oracle.same(each_number(answer, float), each_number(case["result"], float))


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"[9{'0' * 4299},{'1e400,' * 60_000}1]", id="a long integer"),
        pytest.param(f"[9.{'0' * 200_000}1,{'9E0,' * 60_000}1]", id="a long fraction"),
        pytest.param(f"[{'1.00,' * 60_000}{'1,' * 60_000}1.0]", id="equal ones"),
    ],
)
@pytest.mark.parametrize("query", ["max(@)", "sort(@)", "[?@ == `9`]", "contains(@, `8`)"])
@pytest.mark.timeout(5)
def test_no_number_makes_comparing_slow(text, query):
    Decoder(numbers="exact").query(query, text)


# Writing


def test_the_text_of_numbers_is_written_beside_what_only_the_exact_path_writes():
    number = Number("1.10")
    tree = {"a": [number, 2**64, "\ud800", [], {}, None], "\udfff": {"b": number}}

    assert (
        dump(tree) == rb'{"a":[1.10,18446744073709551616,"\ud800",[],{},null],"\udfff":{"b":1.10}}'
    )
    assert json.loads(dump(tree, indent=3)) == json.loads(dump(tree))
    assert dump(tree, indent=3) == json.dumps(tree, indent=3).replace("1.1", "1.10").encode()
    assert dump(tree, indent=2) == json.dumps(tree, indent=2).replace("1.1", "1.10").encode()


@pytest.mark.parametrize(
    "value", [{1: Number("1.10")}, [Number("1.10"), object()]], ids=["a name", "a value"]
)
def test_what_json_does_not_know_is_not_written_beside_a_number(value):
    with pytest.raises(DecodeError, match=r"^not JSON"):
        Decoder(numbers="exact").collapse(value)
