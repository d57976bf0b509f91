"""No error holds a value of the document, in any attribute, message or cause."""

import json
import pickle
import random
import subprocess
import sys
import traceback
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from nestdecode import DecodeError, Decoder, NestdecodeError, Spec
from tests.strategies import EFFORT

NESTDECODE = [sys.executable, "-m", "nestdecode"]
CANARY = "canary8675309"
SPEC = Spec.parse(
    """
nestdecode: 1
on-error: fail
layers:
  a: json
  b: base64 | gzip | json
  c[]: json
  d.*: base64 | json
"""
)
# A valid document: values hold the canary at every layer; names and numbers do not.
INNER = json.dumps({"x": CANARY, "y": [1, CANARY, json.dumps([CANARY])]})
WHOLE = json.dumps({"a": INNER, "b": CANARY, "c": [INNER, CANARY], "d": {"e": CANARY}, "n": [1, 2]})
PIECES = ['"', "\\", "{", "}", "[", "]", ",", ":", "\\u12", "\\ud800", "\x01", "nul", "1e999", "é"]
QUESTIONS = [
    "abs(b)", "sum(c)", "avg(c)", "max(n[].b)", "sort(c[]) | abs(@[0])", "join(@, b)", "ceil(a)",
    "map(&abs(@), c)", "sort_by(c, &@) | length(n[0])", "to_number(b) | abs(@)", "keys(b)",
    "values(c)", "length(n[0])", "merge(a, b)", "starts_with(b, n)", "reverse(n[0])", "floor(b)",
]  # fmt: skip


@cache
def failures() -> list[tuple[NestdecodeError, bytes]]:
    """Break the document in very many ways; return the errors, and what they are about."""
    chance = random.Random(8675309)
    found: list[tuple[NestdecodeError, bytes]] = []
    problems: list[DecodeError] = []
    decoders = [
        Decoder(),
        Decoder(numbers="exact"),
        Decoder(duplicates="error"),
        Decoder(SPEC),
        Decoder(SPEC, on_error="keep", on_problem=problems.append),
        Decoder(max_depth=2),
        Decoder(max_record_bytes=100),
    ]
    questions: list[Callable[[Any], Any]] = [
        decoder.compile(text) for decoder in decoders for text in QUESTIONS
    ]
    for round_ in range(round(400 * EFFORT)):
        text = WHOLE
        for _ in range(chance.randrange(1, 4) if round_ else 0):
            at = chance.randrange(len(text))
            text = text[:at] + chance.choice([*PIECES, ""]) + text[at + chance.randrange(3) :]
        raw = text.encode("utf-8", "surrogatepass")
        if chance.random() < 0.1:
            raw = raw[: chance.randrange(len(raw))] + b"\xff" + raw[-5:]
        functions: list[Callable[[Any], Any]] = [decoder.expand for decoder in decoders]
        for function in [*functions, *chance.sample(questions, 6)]:
            for document in (raw, text):
                try:
                    function(document)
                except NestdecodeError as error:
                    found.append((error, raw))
        found += [(problem, raw) for problem in problems]
        problems.clear()
    return found


def test_there_are_many_failures_of_many_kinds():
    found = failures()

    assert len(found) >= 500
    assert {type(error).__name__ for error, _ in found} == {
        "DecodeError",
        "LimitError",
        "QueryError",
    }
    assert sum(CANARY.encode() in raw for _, raw in found) > 500


@pytest.mark.once
@pytest.mark.slow
def test_no_error_holds_a_value():
    for error, _ in failures():
        told = [
            str(error),
            repr(error),
            repr(vars(error)),
            pickle.dumps(error).decode("latin-1"),
            "".join(traceback.format_exception(error)).replace(__file__, ""),
        ]
        for text in told:
            assert "8675309" not in text


def test_no_error_leads_to_another_that_does():
    for error, _ in failures():
        assert error.__cause__ is None
        assert error.__context__ is None, repr(error.__context__)


@pytest.mark.slow
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_no_value_is_told_on_stderr(tmp_path, jobs):
    lines = [raw.replace(b"\n", b" ") for _, raw in failures()[::10]]
    (tmp_path / "in").write_bytes(b"\n".join(lines) + b"\n")
    for command in (["expand"], ["query", "abs(b)"], ["query", "--spec", "none", "sum(c)"]):
        result = subprocess.run(
            [*NESTDECODE, *command, "-j", jobs, "--lines", "--dead-letters", "dead", "in"],
            capture_output=True,
            cwd=tmp_path,
            check=False,
        )

        assert result.returncode == 5
        assert b"8675309" not in result.stderr
    for line in (tmp_path / "dead").read_bytes().splitlines():
        letter = json.loads(line)
        letter.pop("raw", None), letter.pop("raw_base64", None)
        assert "8675309" not in json.dumps(letter)
