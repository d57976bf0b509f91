"""Every spec is read in little time, or refused with the place that takes too long.

A megabyte is to take a second. No test asserts that, since machines differ: at_most() ends what takes
far longer, such as what is endless.
"""

import gc
import json
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from nestdecode import Decoder, Spec, SpecError
from nestdecode.paths import parse_path
from nestdecode.queries import expression
from nestdecode.spec import mistakes_in
from nestdecode.spec.lint import lint

MEGABYTE = 1_000_000
JSON = {"type": "string", "contentMediaType": "application/json"}
D1, D2, D3 = ({"$ref": f"#/$defs/D{number}"} for number in (1, 2, 3))


def holds(content: Any) -> dict[str, Any]:
    return JSON | {"contentSchema": content}


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Fail after that much time of this process, rather than hang."""

    def stop(*_: Any) -> None:
        raise AssertionError(f"took more than {seconds} s")

    before = signal.signal(signal.SIGPROF, stop)
    gc.disable()  # it looks through what all tests before have left
    # Measuring coverage takes several times as long.
    signal.setitimer(signal.ITIMER_PROF, seconds if sys.gettrace() is None else 5 * seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
        gc.enable()


def parsed(text: str) -> Spec | SpecError:
    """Read a spec, or get what it is refused with."""
    with at_most(10):
        try:
            return Spec.parse(text)
        except SpecError as error:
            return error


RECURSIVE = {
    "718 bytes": {
        "D1": {"if": D1, "then": holds(D2), "else": holds(D1)},
        "D2": {"allOf": [{"allOf": [D3, D2]}, {"unevaluatedItems": D3, "prefixItems": [D3]}]},
        "D3": {
            "if": {"if": D2, "then": D1, "else": D2},
            "then": {"items": D2},
            "else": holds(D1),
        },
    },
    "conditions": {
        "D1": {"if": D3, "then": {"properties": {"c": D2}, "additionalProperties": D3}},
        "D2": {"items": {"items": D1}},
        "D3": {"prefixItems": [D3], "items": D1},
    },
    "layers in layers": {
        "D1": {"oneOf": [holds(D2), {"items": D3}]},
        "D2": D1,
        "D3": holds({"if": D2, "then": D1, "else": D3}),
    },
    "three kinds of lists": {
        "D1": {"items": {"if": D2, "then": D2, "else": D3}},
        "D2": {
            "prefixItems": [D2, holds(D3)],
            "items": {"if": D1, "then": D3, "else": D1},
        },
        "D3": {"items": {"items": D1}},
    },
}


@pytest.mark.parametrize("definitions", RECURSIVE.values(), ids=RECURSIVE)
def test_small_recursive_schemas_are_read_at_once(definitions):
    result = parsed(json.dumps(D1 | {"$defs": definitions}))

    if isinstance(result, SpecError):
        assert result.reason == "takes too much work to read: simplify it, or split it"
        assert result.pointer is not None
        assert result.pointer.startswith("/$defs/D")


def node(chance: random.Random, depth: int) -> dict[str, Any]:
    """Write a schema that may be recursive in every way."""
    kind = chance.random()

    def inner() -> dict[str, Any]:
        return node(chance, depth - 1)

    if depth == 0 or kind < 0.35:
        return chance.choice([D1, D2, D3])
    if kind < 0.5:
        return holds(inner())
    if kind < 0.6:
        return {"items": inner()}
    if kind < 0.66:
        return {"prefixItems": [inner() for _ in range(chance.randrange(1, 3))], "items": inner()}
    if kind < 0.72:
        return {"unevaluatedItems": inner(), "prefixItems": [inner()]}
    if kind < 0.8:
        names = chance.sample("abc", chance.randrange(1, 3))
        return {"properties": {name: inner() for name in names}, "additionalProperties": inner()}
    if kind < 0.9:
        return {chance.choice(["anyOf", "allOf", "oneOf"]): [inner(), inner()]}
    return {"if": inner(), "then": inner(), "else": inner()}


@pytest.mark.slow
def test_random_recursive_schemas_are_read_at_once():
    chance = random.Random(7)
    refused = 0
    for _ in range(150):
        definitions = {name: node(chance, 2) for name in ("D1", "D2", "D3")}
        result = parsed(json.dumps(D1 | {"$defs": definitions}))
        if isinstance(result, SpecError):
            refused += 1
            assert result.reason.startswith("takes too much work to read")
        else:
            with at_most(10):
                assert len(result.layers) <= 10_000
                lint(result)
                Decoder(result)

    assert refused < 4


def text_of(write: Any, around: str = "{%s}", size: int = MEGABYTE) -> str:
    """Fill a text with what *write* gives for each number."""
    pieces: list[str] = []
    length = 0
    while length < size:
        pieces.append(write(len(pieces)))
        length += len(pieces[-1]) + 1
    return around.replace("%s", ",".join(pieces))


LAYER = json.dumps(JSON)
LARGE = {
    "properties": lambda: text_of(lambda n: f'"p{n}":{LAYER}', '{"properties":{%s}}'),
    "empty schemas": lambda: text_of(lambda n: f'"{n}":{{}}', '{"properties":{%s}}'),
    "elements": lambda: text_of(lambda _: "{}", '{"prefixItems":[%s]}'),
    "an enum": lambda: text_of(lambda n: f'"{n}"', '{"properties":{"a":{"enum":[%s]}}}'),
    "anyOf": lambda: text_of(lambda n: f'{{"properties":{{"p{n}":{LAYER}}}}}', '{"anyOf":[%s]}'),
    "anyOf, closed": lambda: text_of(
        lambda n: f'{{"properties":{{"p{n % 7}":{{}}}},"additionalProperties":false}}',
        '{"anyOf":[%s]}',
    ),
    "conditions": lambda: text_of(
        lambda n: (
            f'{{"if":{{"properties":{{"t":{{"const":"{n}"}}}}}},'
            f'"then":{{"properties":{{"p{n}":{LAYER}}}}}}}'
        ),
        '{"allOf":[%s]}',
    ),
    "a chain of references": lambda: text_of(
        lambda n: (
            f'"{n}":{{"contentMediaType":"application/json",'
            f'"contentSchema":{{"$ref":"#/$defs/{n + 1}"}}}}'
        ),
        '{"$ref":"#/$defs/0","$defs":{%s,"x":{}}}',
    ).replace(',"x"', ',"19998":{},"x"'),
    "circles": lambda: text_of(
        lambda n: f'"{n}":{{"anyOf":[{{"$ref":"#/$defs/{n * 7 % 999}"}},{{"$ref":"#/$defs/0"}}]}}',
        '{"$ref":"#/$defs/0","$defs":{%s}}',
    ),
    "patterns": lambda: text_of(lambda n: f'"^p{n}":{LAYER}', '{"patternProperties":{%s}}'),
    "patterns of their own": lambda: text_of(
        lambda n: f'"p{n}":{{"patternProperties":{{"{n}x-.{{9}}":{LAYER}}}}}',
        '{"properties":{%s}}',
    ),
    "names and patterns": lambda: text_of(
        lambda n: f'"{n}":{{}}',
        '{"patternProperties":{"x":{},"y":{}},"properties":{%s}}',
    ),
    "long keys": lambda: text_of(
        lambda n: f'"{n}":{{}}',
        '{"properties":{"' + "k" * (MEGABYTE // 2) + '":{"properties":{%s}}}}',
        MEGABYTE // 2,
    ),
    "anchors": lambda: text_of(lambda n: f'"{n}":{{"$anchor":"x"}}', '{"$ref":"#x","$defs":{%s}}'),
    "responses": lambda: text_of(
        lambda n: (
            f'"/{n}":{{"get":{{"responses":{{"200":{{"content":{{"application/json":'
            '{"schema":{"$ref":"#/components/schemas/B"}}}}}}}'
        ),
        '{"openapi":"3.1.0","paths":{%s},"components":{"schemas":{"B":{"enum":['
        + "1," * (MEGABYTE // 4)
        + "1]}}}}",
        MEGABYTE // 2,
    ),
    "layers": lambda: text_of(lambda n: f'"a{n}":"json"', '{"nestdecode":1,"layers":{%s}}'),
    "alternatives": lambda: text_of(
        lambda n: json.dumps(" | ".join(["json"] * (1 + n % 31))),
        '{"nestdecode":1,"layers":{"a":[%s],"a.b":"json"}}',
    ),
    "queries": lambda: text_of(lambda n: f'"q{n}":"a[].b"', '{"nestdecode":1,"queries":{%s}}'),
    "one query": lambda: '{"nestdecode":1,"focus":"' + "a." * (MEGABYTE // 2) + 'b"}',
    "one path": lambda: '{"nestdecode":1,"layers":{"' + "a." * (MEGABYTE // 2) + 'b":"json"}}',
    "brackets in a path": lambda: (
        '{"nestdecode":1,"layers":{"' + "a[" * (MEGABYTE // 2) + '":"json"}}'
    ),
    "one chain": lambda: (
        '{"nestdecode":1,"layers":{"a":"' + "json | " * (MEGABYTE // 7) + 'json"}}'
    ),
    "YAML": lambda: "a: [" + "1," * (MEGABYTE // 2) + "1]",
    "layers in YAML": lambda: (
        "nestdecode: 1\nlayers:\n" + text_of(lambda n: f"  a.b{n}: json", "%s").replace(",", "\n")
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("build", LARGE.values(), ids=LARGE)
def test_a_megabyte_is_read_or_refused_within_the_guard(build):
    text = build()
    result = parsed(text)

    assert 0.9 < len(text) / MEGABYTE < 1.2
    if isinstance(result, SpecError):
        assert (result.pointer, result.line) != (None, None)


def strings_in_strings(count: int, *types: str) -> dict[str, Any]:
    """Declare strings that hold, by as many chains of codecs, each of all others."""
    codecs = ["json", "base64 | json", "base64url | json", "base32 | json", "base16 | json"]
    codecs += [f"base64 | {inner}" for inner in codecs[1:]]
    codecs += [f"base32 | {inner}" for inner in codecs[1:5]]
    names = [f"S{number}" for number in range(count)]
    references = {name: {"$ref": f"#/$defs/{name}"} for name in names}
    definitions = {
        name: {
            "type": ["string", *types],
            "x-nestdecode": {
                "codecs": chain,
                "contentSchema": {"anyOf": [r for n, r in references.items() if n != name]},
            },
        }
        for name, chain in zip(names, codecs, strict=False)
    }
    return {"properties": {"a": {"anyOf": list(references.values())}}, "$defs": definitions}


@pytest.mark.sampled(2)
@pytest.mark.parametrize("types", [("object",), ()], ids=["some end", "none ends"])
@pytest.mark.parametrize("count", [8, 13])
def test_layers_of_layers_are_listed_at_once(count, types):
    with at_most(20):
        spec = Spec.parse(strings_in_strings(count, *types))

        assert len(spec.layers) == (10_000 if types else 0)
        lint(spec)
        Decoder(spec)


def test_a_match_with_layers_of_layers_is_judged_at_once():
    schema = strings_in_strings(13) | {"x-nestdecode": {"match": "a"}}
    result = parsed(json.dumps(schema))

    assert isinstance(result, SpecError)
    assert "json layers only" in result.reason


def test_what_takes_too_long_to_write_out_is_refused():
    spec = Spec.parse(strings_in_strings(13, "object"))
    with at_most(20):
        assert len(spec.schema["$defs"]) == 13
        with pytest.raises(SpecError, match="too much work"):
            _ = spec.expanded_schema


def test_definitions_of_one_name_are_numbered():
    groups = {f"G{n}": {"items": JSON | {"title": str(n)}} for n in range(2_000)}
    schema = {"properties": {name: {"$ref": f"#/$defs/{name}/items"} for name in groups}}
    with at_most(15):
        written = Spec.parse(schema | {"$defs": groups}).schema

    assert list(written["$defs"]) == ["items", *(f"items-{n}" for n in range(2, 2_001))]


BROKEN = {
    "layers": "nestdecode: 1\nlayers:\n" + "".join(f"  a{n}.b: json\n" for n in range(50_000)),
    "queries": "nestdecode: 1\nqueries:\n" + "".join(f"  q{n}: a{n}.b\n" for n in range(50_000)),
    "unknown keys": "nestdecode: 1\n" + "".join(f"x{n}: 1\n" for n in range(50_000)),
    "keys in layers": "nestdecode: 1\nlayers:\n"
    + "".join(f"  a{n}: {{codec: json}}\n" for n in range(30_000)),
    "tabs": "nestdecode: 1\nlayers:\n" + "".join(f"\ta{n}: json\n" for n in range(50_000)),
    "prose": "lorem ipsum: dolor\n" * 50_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_all_mistakes_of_a_megabyte_are_listed_soon(text, tmp_path):
    path = tmp_path / "my.yaml"
    path.write_text(text)
    with at_most(60):
        found = mistakes_in(path)

    assert 0 < len(found) <= 10
    # What is too much work is not begun again.
    assert sum("too much work" in error.reason for error in found) <= 1


def test_of_many_warnings_the_first_suggest_a_name(monkeypatch):
    layers = {f"layer_name{n}": "json" for n in range(100)}
    queries = {f"q{n}": f"layer_nome{n}x.b" for n in range(100)}
    spec = Spec.parse({"nestdecode": 1, "layers": layers, "queries": queries})
    found = expression.lint(spec)

    assert len(found) == 100
    assert [n for n, one in enumerate(found) if "did you mean" in one.reason] == list(range(10))


def test_a_warning_finds_its_layer_without_reading_all_paths_again(monkeypatch):
    layers = {f"a{n}": {"codecs": "json?", "on-error": "null"} for n in range(100)}
    spec = Spec.parse({"nestdecode": 1, "layers": layers})
    read: list[str] = []

    def counted(path: str) -> Any:
        read.append(path)
        return parse_path(path)

    monkeypatch.setattr("nestdecode.spec.lint.parse_path", counted)
    assert [warning.pointer for warning in lint(spec)] == [f"/layers/a{n}" for n in range(100)]
    assert len(read) == 200
