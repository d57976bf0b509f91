"""Values that applications log by mistake, and that attackers make them log."""

import datetime
import decimal
import json
import random


class Raising:
    """Raises whatever it is asked."""

    def __str__(self):
        raise RuntimeError("str")

    def __repr__(self):
        raise RuntimeError("repr")

    def __eq__(self, other):
        raise RuntimeError("eq")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self):
        raise RuntimeError("bool")

    def __len__(self):
        raise RuntimeError("len")

    def __iter__(self):
        raise RuntimeError("iter")

    def __getattr__(self, name):
        raise RuntimeError(name)


class RaisingDict(dict):  # type: ignore[type-arg]
    """A mapping that can't be gone through."""

    def __iter__(self):
        raise RuntimeError("iter")

    items = keys = values = get = __getitem__ = __iter__  # type: ignore[assignment]


class RaisingText(str):
    """A text that can't be searched."""

    __slots__ = ()

    def __str__(self):
        raise RuntimeError("str")

    strip = encode = isascii = __str__  # type: ignore[assignment]


def _circle():
    inside = {"text": "[1]"}
    inside["circle"] = [inside]  # type: ignore[assignment]
    return inside


def _layered(value, times):
    for _ in range(times):
        value = json.dumps({"layer": value})
    return value


def _nested(times):
    inside = "[1]"
    for _ in range(times):
        inside = {"n": inside}  # type: ignore[assignment]
    return inside


# Each makes a value, from a random number generator. These take long.
DEEP = [
    lambda _: _circle(),
    lambda r: _nested(r.choice([10, 31, 32, 150, 250])),
    lambda r: "[" * (n := r.choice([10, 31, 32, 33, 150, 199, 201, 5000])) + "]" * n,
    lambda r: '{"a":' * (n := r.choice([10, 30, 31, 32, 150, 199, 5000])) + "1" + "}" * n,
    lambda r: "[" * r.choice([1, 100, 10_000]),
    lambda r: _layered("[1]", r.choice([1, 3, 9])),
    lambda r: _layered("[" * 28 + "]" * 28, r.choice([1, 3, 9])),
]
KINDS = [
    lambda _: Raising(),
    lambda _: [Raising(), "{}"],
    lambda _: {"a": Raising(), "b": "[1]"},
    lambda _: RaisingDict(a="[1]"),
    lambda _: [RaisingDict(a="[1]")],
    lambda _: RaisingText('{"a":"[1]"}'),
    lambda r: f'{{"n":{r.choice([-1, 1]) * 2 ** r.choice([63, 64, 70, 500])}}}',
    lambda r: _layered(f'{{"n":{2 ** r.choice([63, 64, 70])}}}', 2),
    lambda _: '{"n":' + "1" * 5000 + "}",
    lambda _: {"n": 10**5000},
    lambda r: 2 ** r.choice([63, 64, 70]),
    lambda _: 10**5000,
    lambda _: '{"a":NaN,"b":Infinity}',
    lambda _: '{"n":1e400}',
    lambda _: float("nan"),
    lambda r: _layered(r.choice(['{"a":"\\ud800"}', '{"\\udc00":1}', '["\\ud83d\\ude00"]']), 1),
    lambda _: r'{"a":"{\"b\":\"\u005cud800\"}"}',
    lambda _: '{"a":"\ud800"}',
    lambda _: {"a": '["\\ud800"]'},
    lambda _: '{"":{"":[{"":1}]}}',
    lambda r: r.randbytes(20),
    lambda _: b'{"a":"\xff',
    lambda _: b'{"a":"[1]"}',
    lambda _: [None, True, 1, 1.5, "a", b"b", [None], {"a": None}],
    lambda _: (1, "{}", ()),
    lambda _: {1: "[1]", (2, 3): "{}"},
    lambda _: {"[1]"},
    lambda _: decimal.Decimal("1.10"),
    lambda _: datetime.datetime(2026, 1, 2),
    lambda _: ValueError('{"a":1}'),
    lambda _: Raising,
    lambda _: None,
    lambda r: "".join(r.choices('{}[]",:\\ux0123ae \t\n\0', k=r.randrange(30))),
    lambda r: r.choice(
        ["{", "[INFO] up", '{"a":}', "", " ", '"', "\\", "null", "{0}", "%d", "<red>"]
    ),
]


def hostile(number):
    """Return so many hostile values, always the same."""
    chance = random.Random(5)
    return [chance.choice(KINDS if i % 20 else DEEP)(chance) for i in range(number)]


def raised(function, *args, **kwargs):
    """Return the kind of error that a call raises, or None."""
    try:
        function(*args, **kwargs)
    except Exception as error:  # noqa: BLE001 - that of a host, whatever it is
        return type(error).__name__
    return None


def no_worse(values, without, within):
    """Assert that an adapter makes no call fail that passes without it."""
    plain = [raised(without, value) for value in values]
    opened = [raised(within, value) for value in values]

    # Something gets through, or this says nothing.
    assert plain.count(None) > len(values) // 2
    assert [(values[i], error) for i, error in enumerate(opened) if error and not plain[i]] == []
