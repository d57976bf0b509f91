"""
Mutate texts at random, and compare the results with independent oracles.

    python -m tests.fuzz --seconds 60

Each target takes bytes. An exception other than the library's own, or a wrong answer, is a
finding: it is written to tests/cases/fuzz, and the files of that folder are the texts that
every run starts from.
"""

import argparse
import contextlib
import json
import random
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jmespath

import nestdecode
from nestdecode.stream import DeadLetter, framing_of, is_blank, original, read_batches
from tests import oracle

CORPUS = Path(__file__).parent / "cases" / "fuzz"
PIECES = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"\r", b"\t", b"\xff", b"\x00"),
    *(
        b"\\u0022",
        b"\\u005c",
        b"\\u007b",
        b"\\ud800",
        b"\\n",
        b'\\"',
        b"\\u003a",
        b"\\u002d",
        b"1e400",
        b"-0",
        b"1.10",
    ),
    *(b"18446744073709551616", b"null", b"[]", b"{}", b'"[]"', b"\xef\xbb\xbf", b"\xe2\x80\xa8"),
    *(b"eyJhIjoxfQ==", b"json", b"base64 | json", b"$ref", b"anyOf", b"#/", b"*", b"@", b"&"),
]
TAUGHT = nestdecode.Decoder()
EXACT = nestdecode.Decoder(numbers="exact")
SPEC = nestdecode.Decoder("repair-results")


def _expected(data: bytes) -> tuple[bool, Any]:
    try:
        return True, oracle.expand(oracle.decode(data))
    except (ValueError, RecursionError):
        return False, None


def fuzz_expand(data: bytes) -> None:
    """Expand: the oracle's tree or a refusal, whatever was learnt before."""
    is_json, expected = _expected(data)
    for decoder in (TAUGHT, nestdecode.Decoder()):
        try:
            tree = decoder.expand(data)
        except nestdecode.LimitError:
            continue
        except nestdecode.DecodeError:
            assert not is_json
        else:
            assert is_json
            assert oracle.same(tree, expected)
    for decoder in (EXACT, SPEC):
        with contextlib.suppress(nestdecode.DecodeError):
            decoder.expand(data)


def fuzz_collapse(data: bytes) -> None:
    """Collapse: the same bytes without a change, and after a change and its reverse."""
    try:
        document = TAUGHT.open(data)
    except nestdecode.DecodeError:
        return
    assert document.collapse() == data
    tree = document.tree
    if type(tree) is dict:
        tree["a new member"] = [1]
        changed = document.collapse()
        assert oracle.same(TAUGHT.expand(changed), tree)


def fuzz_query(data: bytes) -> None:
    """Query: the answer of jmespath.py, or an error of the library."""
    text = data.decode("utf-8", "replace")
    document = b'{"a": "[1, {\\"b\\": null}]", "b": {"c": "x"}, "json": [[2], "3"]}'
    try:
        answer = TAUGHT.query(text, document)
    except nestdecode.QueryError:
        return
    tree = oracle.expand(oracle.decode(document))
    try:
        expected = jmespath.search(text, tree)
    except Exception:  # noqa: BLE001 - where it lets raw errors out, or departs from the specification
        return
    assert json.dumps(answer, default=str) == json.dumps(expected, default=str)


def fuzz_spec(data: bytes) -> None:
    """Read a spec and use it, or get a SpecError."""
    begin = time.process_time()
    try:
        spec = nestdecode.Spec.parse(data)
    except nestdecode.SpecError:
        pass
    else:
        decoder = nestdecode.Decoder(spec)
        decoder.expand(b'{"a": "[1]", "b": ["{}"], "data": {"taskResult": "{}"}}')
        decoder.source  # noqa: B018 - built on the way
    assert time.process_time() - begin < 10


def fuzz_framing(data: bytes) -> None:
    """Split lines: the same in pieces of any size, and no byte is lost."""
    lines = [line for line in data.removeprefix(b"\xef\xbb\xbf").split(b"\n") if not is_blank(line)]
    found = []
    left = data
    sizes = random.Random(len(data))

    def read(_size: int) -> bytes:
        nonlocal left
        piece, left = left[: (size := sizes.randrange(1, 9))], left[size:]
        return piece

    for batch in read_batches(read, 1 << 20, "lines"):
        for index, raw in enumerate(batch.raws):
            record = batch.record(index)
            assert data[record.offset :].startswith(raw) or is_blank(raw)
            if not is_blank(raw):
                found.append(raw.removeprefix(b"\xef\xbb\xbf") if record.offset == 0 else raw)
    assert found == lines
    left = data
    framing, start = framing_of(read, 1 << 20)
    for batch in read_batches(read, 1 << 20, framing, start):
        for index in range(len(batch.raws)):
            record = batch.record(index)
            assert data[record.offset :].startswith(record.raw) or is_blank(record.raw)


def fuzz_letters(data: bytes) -> None:
    """Get a record back from its dead letter; other lines are refused."""
    letter = DeadLetter(1, 0, data, nestdecode.DecodeError("x"))
    assert original(letter.encode("x")) == data
    with contextlib.suppress(nestdecode.DecodeError):
        original(data)


TARGETS: list[Callable[[bytes], None]] = [
    fuzz_expand,
    fuzz_collapse,
    fuzz_query,
    fuzz_spec,
    fuzz_framing,
    fuzz_letters,
]


def broken(chance: random.Random, texts: list[bytes]) -> bytes:
    """Return one of the texts with a few places changed, or two of them joined."""
    text = chance.choice(texts)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(text) + 1)
        how = chance.randrange(5)
        if how == 0:
            other = chance.choice(texts)
            text = text[:at] + other[chance.randrange(len(other) + 1) :]
        elif how == 1:
            text = text[:at] + text[at + chance.randrange(1, 9) :]
        elif how == 2:
            text = json.dumps([text.decode("utf-8", "replace")]).encode()
        else:
            text = text[:at] + chance.choice(PIECES) + text[at + chance.randrange(3) :]
    return text[:4096]


def main() -> int:
    """Look for findings until the time is up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=None)
    options = parser.parse_args()
    seed = options.seed if options.seed is not None else time.time_ns()
    chance = random.Random(seed)
    texts = [path.read_bytes() for path in sorted(CORPUS.iterdir())]
    runs = findings = 0
    end = time.monotonic() + options.seconds
    while time.monotonic() < end:
        data = broken(chance, texts)
        for target in TARGETS:
            runs += 1
            try:
                target(data)
            except Exception as error:  # noqa: BLE001 - whatever it is
                findings += 1
                path = CORPUS / f"{target.__name__}-{abs(hash(data)):x}"
                path.write_bytes(data)
                sys.stderr.write(f"{target.__name__}: {type(error).__name__}: see {path}\n")
                if findings >= 10:
                    return 1
    sys.stdout.write(f"{runs:,} runs of {len(TARGETS)} targets, {findings} findings, seed {seed}\n")
    return bool(findings)


if __name__ == "__main__":
    sys.exit(main())
