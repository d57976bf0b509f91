"""
Nothing is lost: numbers, strings and names come out as they came in.

At the top of a record and in layers one to three deep; detected, declared, learnt and
queried; by the library and by the command, from bytes to bytes.
"""

import base64
import io
import json
import pickle
import re
import sys
import threading
from typing import Any

import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

import nestdecode
from nestdecode import DecodeError, Decoder, LimitError, Number, QueryError, Spec
from nestdecode.cli import main
from nestdecode.queries.functions import REFUSALS
from nestdecode.text.reader import is_cut_short, malformed_at
from nestdecode.text.write import dump
from tests import oracle, strategies
from tests.test_properties import damaged, noisy_bytes

LAYERS = range(4)
DECLARED = Spec.parse("nestdecode: 1\nlayers: {v: json, v.v: json, v.v.v: json}")
BASE64 = Spec.parse(
    "nestdecode: 1\nlayers: {v: base64 | json, v.v: base64 | json, v.v.v: base64 | json}"
)


def nested(text: str, layers: int, encode: Any = json.dumps) -> str:
    """Put a JSON text into so many layers, each the member v of an object."""
    for _ in range(layers):
        text = f'{{"v":{encode(text)}}}'
    return text


def opened(text: str, layers: int) -> str:
    """Write what ``nested`` expands to."""
    return '{"v":' * layers + text + "}" * layers


def asked_for(layers: int) -> str:
    """Write the query that leads to the innermost text."""
    return ".".join(["v"] * layers) or "@"


# Written by nestdecode as they stand here, however numbers are read.
PLAIN = [
    *(
        pytest.param(f"[{number}]", id=f"integer {name}")
        for name, number in {
            "2^53+1": 2**53 + 1,
            "2^63-1": 2**63 - 1,
            "2^63": 2**63,
            "2^64-1": 2**64 - 1,
            "2^64": 2**64,
            "-2^63": -(2**63),
            "-2^63-1": -(2**63) - 1,
            "of 19 digits": 10**18,
            "of 30 digits": 10**29 + 123456789,
            "of 400 digits": -(10**399) - 7,
            "of 4300 digits": int("9" * 4300),
            "of 4300 digits, less than 0": -(10**4299),
        }.items()
    ),
    pytest.param("[1.1,-0.0,0.5,0.0001,123456789012345.6]", id="doubles"),
    pytest.param(r'["\ud800","\udc00","\udc00\ud800","x\udfffy"]', id="lone surrogates"),
    pytest.param(r'{"\ud800":1,"\udbff":[]}', id="lone surrogates in names"),
    pytest.param('["\U0001f600","\U00010000"]', id="pairs of surrogates"),
    pytest.param('["\ufeff","\ufeff[1]","x\ufeff"]', id="a byte order mark in a string"),
    pytest.param('{"\ufeff":1}', id="a byte order mark in a name"),
    pytest.param(r'["\u0000","a\u0000b",{"\u0000":"\u0000{}"}]', id="NUL"),
    pytest.param('["\u2028\u2029\u0085\x7f",{"\u2028":1}]', id="U+2028"),
    pytest.param('{"b":1,"a":2,"":3,"10":4,"9":5,"é":6,"B":7}', id="the order of names"),
]
# Written as they stand here under numbers: exact alone.
KEPT = [
    *("1.10", "1E9", "1e9", "1e+9", "-0", "-0.00", "0e0", "1e16", "1e+16", "1E-7", "1e-07"),
    *("1e400", "-1e400", "1e-400", "1e99999999999999999999", "0e99999999999999999999"),
    *("0.1000", "100.0", "1.0", "0.30000000000000004441", "9007199254740993.0", "0." + "1" * 5000),
    *("123456789012345678901234567890.5", "-" + "9" * 310 + ".0", "0.00001"),
]
DOUBLES = dict.fromkeys(["100.0", "1.0"])


def decoders(**arguments: Any) -> list[Any]:
    """Build each kind of decoder; one that finds layers is taught by strangers first."""
    taught = Decoder(**arguments)
    for number in range(80):
        taught.expand(nested(f'{{"w":{number}}}', number % 4).encode())
    return [Decoder(**arguments), taught, Decoder(DECLARED, **arguments)]


def b64(text: str) -> str:
    return json.dumps(strategies.b64(text.encode()))


@pytest.mark.sampled(60)
@pytest.mark.parametrize("numbers", ["double", "exact"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", PLAIN)
def test_what_json_holds_comes_out_of_expand_as_it_came_in(text, layers, numbers):
    raw = nested(text, layers).encode()

    for decoder in decoders(numbers=numbers):
        for document in (raw, raw.decode(), bytearray(raw), b"\xef\xbb\xbf" + raw, raw):
            assert dump(decoder.expand(document)).decode() == opened(text, layers)
    assert (
        dump(Decoder(BASE64, numbers=numbers).expand(nested(text, layers, b64))).decode()
        == opened(text, layers)
    )  # fmt: skip


@pytest.mark.sampled(30)
@pytest.mark.parametrize("numbers", ["double", "exact"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", PLAIN)
def test_what_json_holds_comes_out_of_a_query_as_it_came_in(text, layers, numbers):
    raw = nested(text, layers).encode()
    inner = asked_for(layers)
    questions = [
        (inner, text),
        (f"[{inner}]", f"[{text}]"),
        (f"{{x: {inner}}}", f'{{"x":{text}}}'),
        (f"not_null({inner})", text),
        (f"{inner} | [@][0]", text),
    ]
    if text.startswith("["):
        first = dump(json.loads(text)[0]).decode()
        questions += [
            (f"{inner}[0]" if layers else "[0]", first),
            (f"{inner}[0] | to_array(@) | [0]" if layers else "[0]", first),
        ]

    for decoder in decoders(numbers=numbers):
        for question, answer in questions:
            assert dump(decoder.query(question, raw)).decode() == answer
    coded = nested(text, layers, b64)
    assert dump(Decoder(BASE64, numbers=numbers).query(inner, coded)).decode() == text


def command(monkeypatch: Any, stdin: bytes, *arguments: str) -> tuple[bytes, str, int]:
    """Run a command in this process: (stdout, stderr, exit code)."""
    out, err = io.TextIOWrapper(io.BytesIO()), io.StringIO()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        patch.setattr(sys, "stdout", out)
        patch.setattr(sys, "stderr", err)
        with pytest.raises(SystemExit) as caught:
            main(arguments)
    out.flush()
    assert isinstance(out.buffer, io.BytesIO)
    assert isinstance(caught.value.code, int)
    return out.buffer.getvalue(), err.getvalue(), caught.value.code


@pytest.fixture
def run(monkeypatch):
    def run_command(stdin, *arguments):
        return command(monkeypatch, stdin, *arguments)

    return run_command


@pytest.mark.sampled(40)
@pytest.mark.parametrize("numbers", ["double", "exact"])
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", PLAIN)
def test_what_json_holds_comes_out_of_the_command_as_it_came_in(run, text, layers, numbers):
    raw = nested(text, layers).encode()
    tree, inner = opened(text, layers).encode() + b"\n", text.encode() + b"\n"
    options = ("--numbers", numbers)

    assert run(raw * 3, "expand", "--documents", *options) == (tree * 3, "", 0)
    assert run(b"\n".join([raw] * 60), "expand", *options) == (tree * 60, "", 0)
    assert run(raw, "query", asked_for(layers), *options) == (inner, "", 0)


@pytest.mark.sampled(40)
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", KEPT)
def test_exact_keeps_the_text_of_a_number(text, layers):
    array = f"[{text}]"
    raw = nested(array, layers).encode()
    inner = asked_for(layers)

    for decoder in decoders(numbers="exact"):
        tree = decoder.expand(raw)
        leaf = decoder.query(f"{inner} | [0]", raw)

        assert dump(tree).decode() == opened(array, layers)
        assert dump(leaf).decode() == text
        assert dump(decoder.query(inner, raw)).decode() == array
        assert decoder.query(f"{inner} | [0] | type(@)", raw) == "number"
        assert decoder.query(f"{inner} | to_string(@)", raw) == array
        assert decoder.query(f"{inner} | [0] | to_string(@)", raw) == text
        if text in DOUBLES:
            assert type(leaf) is float
        else:
            assert type(leaf) is Number
            assert leaf.text == text
            assert float(leaf) == float(text)
    coded = Decoder(BASE64, numbers="exact")
    assert dump(coded.expand(nested(array, layers, b64))).decode() == opened(array, layers)


@pytest.mark.sampled(30)
@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", KEPT)
def test_the_command_writes_the_text_of_a_number(run, text, layers):
    array = f'[{text},"{text}",{{"{text}":{text}}}]'
    raw = nested(array, layers).encode()
    inner, options = asked_for(layers), ("--numbers", "exact")
    pieces = [text, f'"{text}"', f'{{"{text}":{text}}}']
    lines = "".join(f"{piece}\n" for piece in pieces)

    assert run(raw, "expand", *options) == (f"{opened(array, layers)}\n".encode(), "", 0)
    assert run(raw, "query", inner, *options) == (f"{array}\n".encode(), "", 0)
    assert run(raw, "query", "--each", inner, *options) == (lines.encode(), "", 0)
    raw_lines = lines.replace(f'"{text}"\n', f"{text}\n")
    assert run(raw, "query", "-r", "--each", inner, *options) == (raw_lines.encode(), "", 0)
    for indent in (1, 2, 4):
        step = " " * indent
        shown = f'[\n{step}{text},\n{step}"{text}",\n{step}{{\n{step * 2}"{text}": {text}\n{step}}}\n]\n'
        arguments = ("query", "--indent", str(indent), inner, *options)

        assert run(raw, *arguments) == (shown.encode(), "", 0)
        colored = run(raw, *arguments, "--color", "always")[0].decode()
        assert re.sub(r"\x1b\[[0-9;]*m", "", colored) == shown
        assert colored.count(f"\x1b[36m{text}\x1b[0m") == 2


@pytest.mark.parametrize("spec", [[], ["-s", "spec.yaml"]], ids=["found", "declared"])
def test_records_shared_out_to_workers_keep_the_text_of_numbers(run, tmp_path, monkeypatch, spec):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "spec.yaml").write_text("nestdecode: 1\nlayers: {v: json}\n")
    texts = [f'[{n}.50,{n}e400,-0,"x"]' for n in range(5000)]
    records = [(nested(text, 1), opened(text, 1)) for text in texts]
    # Lines that are read in groups are flat, or have their layers where all others do.
    records += [(text, text) for text in (f'{{"n":[{n}.50,-0]}}' for n in range(5000))]
    (tmp_path / "in.ndjson").write_text("".join(f"{record}\n" for record, _ in records))
    expected = "".join(f"{tree}\n" for _, tree in records).encode()

    assert run(b"", "expand", "-j", "2", "--numbers", "exact", *spec, "in.ndjson") == (
        expected,
        "",
        0,
    )


def test_parsed_documents_keep_the_numbers_that_they_hold():
    number = Number("1.10")
    document = {"a": 1.10, "b": number, "c": "[1.10]"}
    tree = Decoder(numbers="exact").expand(document)

    assert type(tree["a"]) is float
    assert tree["b"] is number
    assert dump(tree) == b'{"a":1.1,"b":1.10,"c":[1.10]}'


TOO_LARGE = "number too large for a double: numbers=exact keeps it"
TOO_LONG = "integer too large: wanted at most 4300 digits"


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        pytest.param(f"[{'9' * 4301}]", "double", id="4301 digits"),
        pytest.param(f"[-{'9' * 4301}]", "double", id="minus 4301 digits"),
        pytest.param("[1e400]", "double", id="1e400"),
        pytest.param(f"[{'9' * 309}.0]", "double", id="a long double"),
        pytest.param(f"[{'9' * 4301}]", "exact", id="4301 digits, exact"),
    ],
)
@pytest.mark.parametrize("policy", ["keep", "null", "drop", "fail"])
def test_a_number_that_nothing_holds_keeps_its_layer_shut(text, numbers, policy, run):
    reason = TOO_LONG if text.strip("[-]").isdigit() else TOO_LARGE
    for layers in LAYERS:
        pointer = "/v" * layers
        problems: list[DecodeError] = []
        arguments: dict[str, Any] = {"numbers": numbers, "on_problem": problems.append}
        settled = {"keep": opened(f'{{"v":{json.dumps(text)}}}', layers - 1)}
        settled |= {"null": opened('{"v":null}', layers - 1), "drop": opened("{}", layers - 1)}
        raw = nested(text, layers).encode()
        for decoder in decoders(**arguments, on_error=policy):
            for ask in (decoder.expand, decoder.compile("@", start="root")):
                problems.clear()
                if policy == "fail" or not layers:
                    with pytest.raises(LimitError) as caught:
                        ask(raw)
                    told = caught.value
                else:
                    assert dump(ask(raw)).decode() == settled[policy]
                    (told,) = problems  # type: ignore[assignment]

                assert (told.reason, told.pointer) == (reason, pointer)
                assert told.codec == ("json" if layers else None)
        stdout, stderr, code = run(raw, "expand", "--numbers", numbers, "--on-error", policy)
        shown = reason.replace("numbers=exact", "--numbers exact")
        refused = policy == "fail" or not layers
        assert stdout.decode() == ("" if refused else f"{settled[policy]}\n")
        assert stderr.startswith(f"nestdecode: stdin: line 1: {shown} - at {pointer or 'doc'}")
        assert code == (5 if refused else 0)


@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("mark", ["\ufeff", "\ufeff ", " \ufeff"])
@pytest.mark.parametrize("text", ["[1]", '{"a":2}', '["\ufeff"]'])
def test_a_byte_order_mark_before_a_layer_keeps_it_a_string(run, text, mark, layers):
    raw = nested(mark + text, layers).encode()
    kept = opened(f'{{"v":{json.dumps(mark + text, ensure_ascii=False)}}}', layers - 1)

    for numbers in ("double", "exact"):
        for decoder in decoders(numbers=numbers):
            assert dump(decoder.expand(raw)).decode() == kept
            assert dump(decoder.query("@", b"\xef\xbb\xbf" + raw)).decode() == kept
    assert run(b"\xef\xbb\xbf" + raw, "expand") == (f"{kept}\n".encode(), "", 0)


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize("text", ['["\x00"]', "[1]\x00", "\x00[1]", '{"a\x00":1}'])
def test_a_raw_nul_is_no_json(run, text, layers):
    raw = nested(text, layers).encode()

    for numbers in ("double", "exact"):
        decoder = Decoder(numbers=numbers)
        if layers:
            kept = opened(f'{{"v":{json.dumps(text)}}}', layers - 1)

            assert dump(decoder.expand(raw)).decode() == kept
            assert run(raw, "expand") == (f"{kept}\n".encode(), "", 0)
        else:
            with pytest.raises(DecodeError):
                decoder.expand(raw)
            assert run(raw, "expand")[::2] == (b"", 5)


@pytest.mark.parametrize("layers", LAYERS)
@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param('{"a":1,"a":2}', '{"a":2}', id="the last wins"),
        pytest.param('{"a":1,"b":2,"a":3}', '{"a":3,"b":2}', id="in the place of the first"),
        pytest.param('{"a":[1],"a":"x"}', '{"a":"x"}', id="of another type"),
        pytest.param(r'{"a":1,"\u0061":2}', '{"a":2}', id="written as an escape"),
        pytest.param('[{"":1,"":2}]', '[{"":2}]', id="an empty name"),
        pytest.param(r'{"\ud800":1,"\ud800":2}', r'{"\ud800":2}', id="a lone surrogate"),
        pytest.param('{"a":"[1]","a":"[2]"}', '{"a":[2]}', id="layers"),
    ],
)
def test_of_members_with_the_same_name_the_last_wins_or_all_are_refused(run, text, read, layers):
    raw = nested(text, layers).encode()
    reason = "duplicate name: wanted each name of an object once"
    kept = opened(f'{{"v":{json.dumps(text)}}}', layers - 1)
    told: list[DecodeError] = []

    for decoder in decoders():
        if decoder.spec is None:
            assert dump(decoder.expand(raw)).decode() == opened(read, layers)
            assert dump(decoder.query(asked_for(layers), raw)).decode() == read
    assert run(raw, "expand", "--duplicates", "last") == (
        f"{opened(read, layers)}\n".encode(),
        "",
        0,
    )
    for decoder in decoders(duplicates="error", on_problem=told.append):
        for ask in (decoder.expand, decoder.compile("@", start="root")):
            told.clear()
            if layers:
                assert dump(ask(raw)).decode() == kept
                (problem,) = told
            else:
                with pytest.raises(LimitError) as caught:
                    ask(raw)
                problem = caught.value
            assert (problem.reason, problem.pointer) == (reason, "/v" * layers)
    stdout, stderr, code = run(raw, "expand", "--duplicates", "error")
    assert stdout.decode() == (f"{kept}\n" if layers else "")
    assert stderr.splitlines()[0] == (
        f"nestdecode: stdin: line 1: {reason} - at "
        + ("/v" * layers + " (json)" if layers else "document root")
    )
    assert code == (0 if layers else 5)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a":1,"a":2} tail', id="text after it"),
        pytest.param('[{"a":1,"a":2},]', id="a comma"),
        pytest.param('[{"é":1,"é":2},NaN]', id="NaN"),
        pytest.param('[1e400,"é]', id="a string without an end"),
        pytest.param(f'[{"9" * 4301},"\\ud800",01]', id="a leading zero"),
    ],
)
@pytest.mark.parametrize("numbers", ["double", "exact"])
def test_what_is_no_json_further_on_is_no_layer_rather_than_refused(text, numbers):
    told: list[DecodeError] = []
    decoder = Decoder(numbers=numbers, duplicates="error", on_problem=told.append)

    for _ in range(20):
        assert decoder.expand(nested(text, 1).encode()) == {"v": text}
    assert told == []
    with pytest.raises(DecodeError, match=r"^invalid JSON") as caught:
        decoder.expand(text.encode())
    assert not isinstance(caught.value, LimitError)


def test_a_refusal_of_repeated_names_holds_none():
    canary = "canary-8675309"
    text = f'{{"{canary}":1,"{canary}":2}}'
    decoder = Decoder(duplicates="error", on_error="fail")

    for raw in (text, nested(text, 1)):
        with pytest.raises(LimitError) as caught:
            decoder.expand(raw.encode())
        assert canary not in repr(caught.value) + str(caught.value)
        assert caught.value.__context__ is None


# Settings, and which of them wins


@pytest.mark.parametrize(
    ("spec", "argument", "flag", "exact"),
    [
        pytest.param(None, None, None, False, id="default"),
        pytest.param("exact", None, None, True, id="spec"),
        pytest.param("double", None, None, False, id="spec, the default"),
        pytest.param("exact", "double", None, False, id="argument over spec"),
        pytest.param("double", "exact", None, True, id="argument over spec, the other way"),
        pytest.param("exact", None, "double", False, id="flag over spec"),
        pytest.param("double", None, "exact", True, id="flag over spec, the other way"),
        pytest.param(None, None, "exact", True, id="flag"),
    ],
)
def test_a_flag_or_an_argument_wins_over_the_spec(run, tmp_path, spec, argument, flag, exact):
    written = f", numbers: {spec}" if spec else ""
    path = tmp_path / "spec.yaml"
    path.write_text(f"{{nestdecode: 1, layers: {{v: json}}{written}}}")
    raw, text = nested("[1.10]", 1).encode(), "[1.10]" if exact else "[1.1]"
    flags = ["--numbers", flag] if flag else []
    if not flag:
        decoder = Decoder(path, numbers=argument)
        for again in (decoder, pickle.loads(pickle.dumps(decoder))):
            assert dump(again.expand(raw)).decode() == opened(text, 1)
    if not argument:
        assert run(raw, "expand", "-s", str(path), *flags)[0].decode() == opened(text, 1) + "\n"


@pytest.mark.parametrize(
    ("spec", "argument", "refused"),
    [
        pytest.param(None, None, False, id="default"),
        pytest.param("error", None, True, id="spec"),
        pytest.param("error", "last", False, id="argument over spec"),
        pytest.param("last", "error", True, id="argument over spec, the other way"),
    ],
)
def test_so_it_is_for_duplicates(run, tmp_path, spec, argument, refused):
    written = f", duplicates: {spec}" if spec else ""
    path = tmp_path / "spec.yaml"
    path.write_text(f"{{nestdecode: 1{written}}}")
    flags = ["--duplicates", argument] if argument else []
    decoder = Decoder(path, duplicates=argument)
    if refused:
        with pytest.raises(LimitError):
            decoder.expand('{"a":1,"a":2}')
    else:
        assert decoder.expand('{"a":1,"a":2}') == {"a": 2}
    code = run(b'{"a":1,"a":2}', "expand", "-s", str(path), *flags)[2]
    assert code == (5 if refused else 0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"numbers": "exakt"},
            "numbers is one of double, exact, got 'exakt'; did you mean 'exact'?",
        ),
        ({"duplicates": "first"}, "duplicates is one of last, error, got 'first'"),
    ],
)
def test_a_wrong_word_is_a_value_error(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        Decoder(**arguments)


def test_both_forms_of_a_spec_carry_the_settings(run, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_text("nestdecode: 1\nlayers: {v: json}\nnumbers: exact\nduplicates: error\n")
    short = Spec.load(path)
    schema = Spec.parse(short.schema)

    assert short.schema["x-nestdecode"] == {"numbers": "exact", "duplicates": "error"}
    for spec in (short, schema, pickle.loads(pickle.dumps(short))):
        assert (spec.numbers, spec.duplicates) == ("exact", "error")
    shown = run(b"", "spec", "show", str(path))[0].decode().splitlines()
    assert {"numbers: exact", "duplicates: error"} < set(shown)
    assert run(b"", "spec", "lint", str(path)) == (
        f"{path}: 1 layer, no warnings\n".encode(),
        "",
        0,
    )
    converted = run(b"", "spec", "convert", str(path))[0]
    assert json.loads(converted)["x-nestdecode"] == {"numbers": "exact", "duplicates": "error"}


# Properties


def plain(value: Any) -> Any:
    """Take each Number for the int or float that Python reads."""
    if isinstance(value, dict):
        return {key: plain(child) for key, child in value.items()}
    if isinstance(value, list):
        return [*map(plain, value)]
    return json.loads(value.text) if type(value) is Number else value


def kept(tree: Any) -> Any:
    """Read a tree as the oracle does, from what is written of it."""
    return oracle.loads_kept(dump(tree).decode())


@given(strategies.documents)
def test_exact_trees_are_those_of_doubles_but_for_numbers(text):
    exact = plain(Decoder(numbers="exact").expand(text.encode()))
    try:
        json.dumps(exact, allow_nan=False)
    except ValueError:
        reject()  # a layer that holds 1e400 is opened by one of them alone

    assert oracle.same(exact, nestdecode.expand(text.encode()))


@given(strategies.spelled_documents)
def test_exact_keeps_every_number_as_the_oracle_does(text):
    expected = oracle.expand(oracle.loads_kept(text), oracle.loads_kept)

    for document in (text, text.encode()):
        assert oracle.same(kept(Decoder(numbers="exact").expand(document)), expected)


@given(st.lists(strategies.spelled_documents, min_size=1, max_size=4), st.randoms())
def test_what_was_seen_changes_no_number(texts, rng):
    decoder = Decoder(numbers="exact")
    for _ in range(rng.choice((6, 20, 90))):
        text = rng.choice(texts)
        expected = oracle.expand(oracle.loads_kept(text), oracle.loads_kept)

        assert oracle.same(kept(decoder.expand(text.encode())), expected)


@given(st.lists(strategies.repeating_documents, min_size=1, max_size=4), st.randoms())
def test_repeated_names_are_refused_as_the_oracle_refuses_them(texts, rng):
    told: list[DecodeError] = []
    decoder = Decoder(duplicates="error", on_problem=told.append)
    for _ in range(rng.choice((6, 20, 90))):
        raw = rng.choice(texts).encode()
        told.clear()
        try:
            expected = oracle.expand(oracle.decode(raw, oracle.loads_unique), oracle.loads_unique)
        except ValueError:
            with pytest.raises(DecodeError):
                decoder.expand(raw)
            continue
        assert oracle.same(decoder.expand(raw), expected)
        fresh: list[DecodeError] = []
        Decoder(duplicates="error", on_problem=fresh.append).expand(raw)
        assert sorted(map(str, told)) == sorted(map(str, fresh))


@given(strategies.documents)
def test_without_repeated_names_refusing_them_changes_nothing(text):
    try:
        oracle.expand(oracle.loads_unique(text), oracle.loads_unique)
    except ValueError:
        return
    if not oracle.same(
        oracle.expand(oracle.loads_unique(text), oracle.loads_unique),
        oracle.expand(oracle.loads(text)),
    ):
        return

    assert oracle.same(
        Decoder(duplicates="error").expand(text.encode()), nestdecode.expand(text.encode())
    )


ASKED = st.sampled_from(
    [
        *("a", "b", "a.b", "*", "[]", "[0]", "a[0]", "b[]", "*.a", "[*].a", "[?a]", "[?a == b]"),
        *("[a, b]", "{x: a, y: @}", "a || b", "a && b", "!a", "sort(a)", "max(b)", "type(a)"),
        *("to_string(@)", "to_number(a)", "a == b", "a < b", "[?@ > `1.5`]", "*[] | [?@ < `0`]"),
        *("sort_by(@, &a)", "max_by(b, &a)", "contains(@, `1`)", "not_null(a, b)", "to_array(a)"),
    ]
)


@given(strategies.declared(), ASKED, st.booleans())
def test_asking_late_is_asking_the_expanded_tree(declared, query, exact):
    value, layers = declared
    spec = Spec.parse(strategies.short_form(layers))
    raw = strategies.COMPACT.write(respelled(value)).encode()
    decoder = Decoder(spec, numbers="exact" if exact else "double")
    tree = decoder.expand(raw)
    search = decoder.asker.expression(query, "root").search
    try:
        expected = search(tree)
    except REFUSALS:
        with pytest.raises(QueryError):
            decoder.query(query, raw)
        return

    answer = decoder.query(query, raw)
    assert oracle.same(kept([answer]), kept([expected]))


def respelled(value: Any) -> Any:
    """Write the doubles of a document otherwise."""
    if isinstance(value, dict):
        return {key: respelled(child) for key, child in value.items()}
    if isinstance(value, list):
        return [*map(respelled, value)]
    if type(value) is float:
        return f"{oracle.NUMERAL}{value!r}{'0' if 'e' not in repr(value) else ''}"
    return value


@given(st.binary() | damaged(strategies.spelled_documents.map(str.encode), noisy_bytes))
def test_exact_refuses_what_doubles_refuse_for_the_same_reason(raw):
    exact, double = outcome(raw, "exact"), outcome(raw, "double")

    if TOO_LARGE not in double:
        assert exact == double


def outcome(raw: bytes, numbers: Any) -> str:
    try:
        Decoder(numbers=numbers).expand(raw)
    except DecodeError as error:
        return f"{type(error).__name__}: {error}"
    return ""


# Work and stack


@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{"numbers": "exact"}, {"duplicates": "error"}], ids=str)
@pytest.mark.parametrize(
    "text",
    ["[" * 201 + "]" * 201, "[" * 100_000 + "]" * 100_000, '{"a":' * 100_000 + "1" + "}" * 100_000],
    ids=["just", "arrays", "objects"],
)
def test_depth_is_limited_however_text_is_read(arguments, text):
    told: list[DecodeError] = []
    decoder = Decoder(**arguments, on_problem=told.append)

    for _ in range(8):
        with pytest.raises(LimitError, match="max_depth=200"):
            decoder.expand(text)
        with pytest.raises(LimitError, match="max_depth=200"):
            decoder.expand(text.encode())
    deepest = "[" * 200 + "1.10" + "]" * 200
    assert json.dumps(decoder.expand(deepest)).startswith("[" * 200)
    told.clear()
    assert decoder.expand(nested(text, 1)) == {"v": text}
    assert [problem.pointer for problem in told] == ["/v"]


def test_depth_is_limited_in_a_thread_with_a_small_stack():
    answers: list[str] = []

    def read() -> None:
        answers.extend(outcome(text.encode(), "exact") for text in ("[" * 900, '{"a":' * 900))

    before = threading.stack_size(256 << 10)
    try:
        thread = threading.Thread(target=read)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)

    assert [answer.partition(":")[0] for answer in answers] == ["LimitError"] * 2


@pytest.mark.parametrize(
    ("line", "cut"),
    [
        *(
            ("[1e400,", True),
            (f"[{'1' * 400},", True),
            (f"[{'1' * 400}.", True),
            ('["\\ud800",', True),
        ),
        *(("[1e400]", False), (f"[-{'1' * 400}]", False), ('["\\ud800"]', False), ("1e400", False)),
        *(
            ("[1e400,}", False),
            (f"[{'1' * 400}x", False),
            (f"[0.{'1' * 400},", True),
            ("[1e", True),
        ),
    ],
)
def test_what_no_double_holds_is_a_beginning_like_any_other(line, cut):
    assert is_cut_short(line.encode()) is cut
    assert (malformed_at(line.encode()) is None) is (cut or line[-1] not in "}x")


@pytest.mark.parametrize("number", ["9" * 400, "1e400", "1.50"])
def test_a_document_over_several_lines_may_begin_with_any_number(run, number):
    raw = f'{{"a": {number},\n"b": "[{number}]"}}\n'.encode()

    assert run(raw, "expand", "--numbers", "exact") == (
        f'{{"a":{number},"b":[{number}]}}\n'.encode(),
        "",
        0,
    )


def test_integers_are_exact_in_base64_however_much_is_around_it():
    coded = base64.b64encode(b'{"b":"[18446744073709551616]"}').decode()
    raw = json.dumps({"a": coded, "rest": [[]] * 300}).encode()
    decoder = Decoder(Spec.parse("{nestdecode: 1, layers: {a: base64 | json, a.b: json}}"))

    for document in (raw, raw.decode(), json.loads(raw)):
        assert decoder.expand(document)["a"] == {"b": [2**64]}
        assert decoder.query("a.b[0]", document) == 2**64
        assert type(decoder.query("a.b[0]", document)) is int
        assert type(decoder.expand(document)["a"]["b"][0]) is int
