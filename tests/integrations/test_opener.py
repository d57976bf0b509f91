"""What all adapters open by: right values, right counts, and no error that comes from data."""

import datetime
import decimal
import subprocess
import sys

import pytest

from nestdecode import DeadLetter, Spec
from nestdecode.integrations.opener import Opener

BIG = 2**64 + 1


class Hostile(dict):  # type: ignore[type-arg]
    def __iter__(self):
        raise RuntimeError("not yours")

    items = keys = get = __iter__  # type: ignore[assignment]


VALUES = [
    pytest.param('{"a":"[1]"}', {"a": [1]}, (1, 0), id="an object"),
    pytest.param(' [1, "{}"] ', [1, {}], (1, 0), id="an array in blanks"),
    pytest.param('"{\\"a\\":1}"', {"a": 1}, (1, 0), id="a string that holds one"),
    pytest.param(b'{"a":"[1]"}', {"a": [1]}, (1, 0), id="bytes"),
    pytest.param({"a": "[1]"}, {"a": [1]}, (1, 0), id="a dict"),
    pytest.param(["{}"], [{}], (1, 0), id="a list"),
    pytest.param('{"a":18446744073709551617}', {"a": BIG}, (1, 0), id="beyond 64 bits"),
    *(
        pytest.param(value, value, (0, 0), id=repr(value)[:20])
        for value in ("up", "", "123", '"text"', 7, None, 1.5, b"\xff", decimal.Decimal("1.10"),
                      datetime.date(2026, 1, 2), (1, "{}"), {"{}"})
    ),
    *(
        pytest.param(value, value, (0, 1), id=repr(value)[:20])
        for value in ("[INFO] up", '{"a":', b'{"\xff', "[" * 100_000, '{"a":"\ud800')
    ),
]  # fmt: skip


@pytest.mark.parametrize(("value", "wanted", "counts"), VALUES)
def test_a_value_is_opened_or_stays(value, wanted, counts):
    opener = Opener()

    assert opener.value(value) == wanted
    assert (opener.opened, opener.failed) == counts


def test_what_an_application_logs_raises_nothing():
    opener = Opener()
    value = Hostile(a="[1]")
    inside = [value]

    assert opener.value(value) is value
    opener.value(inside)
    circle: list[object] = []
    circle.append(circle)
    assert opener.value(circle) is circle
    assert opener.failed >= 1


def test_integers_beyond_64_bits_become_strings_where_a_host_has_none():
    opener = Opener(int64=True)

    assert opener.value('{"a":18446744073709551617,"b":"[-9223372036854775809]","c":1}') == {
        "a": "18446744073709551617",
        "b": ["-9223372036854775809"],
        "c": 1,
    }
    assert opener.value({"a": [2**63 - 1, 2**63]}) == {"a": [2**63 - 1, str(2**63)]}
    spec = Spec.parse("{nestdecode: 1, layers: {a: base64 | json}}")
    text = '{"a":"WzE4NDQ2NzQ0MDczNzA5NTUxNjE3XQ=="}'
    assert Opener(spec, int64=True).value(text) == {"a": ["18446744073709551617"]}


def test_dead_letters_say_which_value_it_was_and_why():
    letters: list[DeadLetter] = []
    opener = Opener(on_dead_letter=letters.append)
    for value in ("{}", "up", '{"a":', b"[1"):
        opener.value(value)

    assert [(letter.line, letter.raw) for letter in letters] == [(2, b'{"a":'), (3, b"[1")]


def test_an_error_of_who_takes_dead_letters_stays_there():
    def fail(_letter):
        raise RuntimeError

    assert Opener(on_dead_letter=fail).value("{") == "{"


def test_members_are_opened_by_name_or_all():
    event = {"a": '{"x":"[1]"}', "b": "[2]", "c": "up", "d": 1}

    assert Opener().members(event, None) == {"a": {"x": [1]}, "b": [2]}
    assert Opener().members(event, ["b", "c", "nothing"]) == {"b": [2]}
    assert event["a"] == '{"x":"[1]"}'


def test_importing_loads_no_adapter():
    code = "import sys, nestdecode; print([n for n in sys.modules if 'integrations' in n])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert run.stdout.decode().strip() == "[]"


ESCAPED = [
    pytest.param(r'{"a":"\ud800"}', {"a": r"\ud800"}, id="in the text"),
    pytest.param(r'{"a":"[\"\\udc00\"]"}', {"a": [r"\udc00"]}, id="in a layer"),
    pytest.param(r'{"a":"[\"\\u\u0064800\"]"}', {"a": [r"\ud800"]}, id="hidden"),
    pytest.param(r'{"\ud800":1}', {r"\ud800": 1}, id="in a name"),
    pytest.param('{"a":"\ud800"}', {"a": r"\ud800"}, id="as it is"),
    pytest.param({"a": '["\\ud800"]'}, {"a": [r"\ud800"]}, id="in a dict"),
    pytest.param(r'{"a":"\ud83d\ude00"}', {"a": "\U0001f600"}, id="one that has a partner"),
]


@pytest.mark.parametrize(("value", "wanted"), ESCAPED)
def test_lone_surrogates_become_escapes_where_a_host_has_none(value, wanted):
    assert Opener(int64=True).value(value) == wanted
