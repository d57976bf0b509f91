"""Hostile documents: deep, wide, with many layers, nearly valid. No crash and no hang."""

import base64
import contextlib
import gc
import gzip
import json
import os
import subprocess
import sys
import threading
import time
import zlib
from typing import Any

import orjson
import pytest

from nestdecode import DecodeError, Decoder, LimitError, Number, Spec
from nestdecode.text.depth import is_deeper
from nestdecode.text.reader import Limits, Reader

# Run in a process of its own: what is tested for is that it survives.
DEEP = """
import json, sys, threading
from nestdecode import Decoder, DecodeError, Spec
spec = Spec.parse('{{"type": "object", "properties": {{"a": {{"type": "string", '
                  '"contentMediaType": "application/json"}}}}}}')
def documents(n):
    for opening, closing in (("[", "]"), ('{{"a":', "}}"), ("[{{}},", "]")):
        whole = opening * n + "1" + closing * n
        yield whole
        yield opening * n
        yield json.dumps({{"a": whole}})
        yield json.dumps({{"a": opening * n}})
        yield json.dumps({{"a": json.dumps(whole)}})
        yield json.dumps([whole, "\\ud800"])
        yield json.dumps([18446744073709551616, whole, "[1]"])
        yield '["\\\\u007b' + whole[1:] + '"]'
def attempt(n):
    for numbers in ("double", "exact"):
        decoders = [Decoder(numbers=numbers), Decoder(spec, numbers=numbers),
                    Decoder(numbers=numbers, duplicates="error")]
        for decoder in decoders:
            ask = [decoder.compile("a"), decoder.compile("a[0] | [@]")]
            for text in documents(n):
                for function in (decoder.expand, *ask):
                    for document in (text, text.encode()):
                        try:
                            function(document)
                        except DecodeError:
                            pass
def main():
    for n in {sizes}:
        attempt(n)
    print("survived")
if {stack}:
    threading.stack_size({stack})
    thread = threading.Thread(target=main)
    thread.start()
    thread.join()
else:
    main()
"""


@pytest.mark.slow
@pytest.mark.parametrize("sizes", [(199, 200, 201, 254, 255), (1023, 1024, 1025), (10_000,)])
@pytest.mark.parametrize("stack", [0, 256 << 10, 128 << 10])
def test_depth_uses_up_no_stack(sizes, stack):
    run = subprocess.run(
        [sys.executable, "-c", DEEP.format(sizes=sizes, stack=stack)],
        capture_output=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr[-300:]
    assert run.stdout == b"survived\n"


# Arrays nested in arrays, with numbers after the inner one: some writers of JSON take too
# little memory for them. In processes of their own, where each block has guarded edges.

NESTED = """
import json, sys

def nested(depth, beside):
    value = 1
    for _ in range(depth):
        value = [value, *beside]
    return value

SHAPES = [
    *(nested(depth, [number] * count)
      for depth, count in ((6, 50), (7, 25), (8, 20), (35, 5), (63, 3), (190, 3))
      for number in (-2**63, -1.7976931348623157e+308)),
    nested(63, [2**64] * 3),
    nested(63, ["\\ud800"] * 3),
    [nested(190, [-2**63] * 3), [[]] * 20],
    json.loads("[{}," * 190 + "1" + "]" * 190),
]
# Beside texts of many lengths, for the buffer to end in many places.
DOCUMENTS = [["p" * pad, shape] for shape in SHAPES for pad in range(0, 1100, 367)]
DOCUMENTS += [{"a": json.dumps(shape), "b": shape} for shape in SHAPES]
"""

ENTRIES = {
    "expand": "expand(text.encode())",
    "expand text": "expand(text)",
    "expand what is parsed": "expand(document)",
    "query": "ask(text.encode())",
    "open and collapse": "decoder.open(text).collapse()",
    "change": "opened = decoder.open(text); opened.set('/1/1', [0]); opened.collapse()",
    "collapse": "decoder.collapse(expand(text))",
}


def guarded(*arguments: str, **keywords: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **keywords.pop("env", {}), "PYTHONMALLOC": "debug"}
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, check=False, env=environment, **keywords
    )


@pytest.mark.slow
@pytest.mark.parametrize("entry", ENTRIES.values(), ids=ENTRIES)
@pytest.mark.parametrize("spec", ["None", "Spec.parse({'nestdecode': 1, 'layers': {'a': 'json'}})"])
@pytest.mark.parametrize("numbers", ["double", "exact"])
def test_nested_arrays_harm_no_memory(entry, spec, numbers):
    code = f"""{NESTED}
from nestdecode import Decoder, DecodeError, Spec
decoder = Decoder({spec}, numbers={numbers!r})
expand, ask = decoder.expand, decoder.compile("@")
for _ in range(3):
    for document in DOCUMENTS:
        text = json.dumps(document)
        try:
            {entry}
        except DecodeError:
            pass
print("survived")
"""
    run = guarded("-c", code)

    assert (run.returncode, run.stdout) == (0, b"survived\n"), run.stderr[-300:]


COMMANDS = {
    "expand": ("expand", "x.ndjson"),
    "expand with workers": ("expand", "-j", "2", "--lines", "x.ndjson"),
    "expand as documents": ("expand", "--documents", "x.ndjson"),
    "expand, indented": ("expand", "--indent", "2", "x.ndjson"),
    "expand, exact": ("expand", "--numbers", "exact", "x.ndjson"),
    "query": ("query", "@", "x.ndjson"),
    "query, by a spec": ("query", "-q", "@", "x.ndjson", "--spec", "./s.yaml"),
    "explain": ("explain", "--json", "x.ndjson"),
    "set": ("set", "--where", "@", "/added=1", "x.ndjson"),
    "collapse": ("collapse", "-q", "--spec", "./s.yaml", "x.ndjson"),
    "collapse --like": ("collapse", "--like", "x.ndjson", "x.ndjson"),
    "diff": ("diff", "x.ndjson", "y.ndjson"),
    "edit": ("edit", "x.ndjson"),
}


@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS.values(), ids=COMMANDS)
def test_one_record_of_nested_arrays_loses_no_other(command, tmp_path):
    (tmp_path / "s.yaml").write_text("nestdecode: 1\nlayers: {a: json}\n")
    code = f"""{NESTED}
documents = [{{"x": document}} for document in DOCUMENTS]
for name, number in (("x.ndjson", 1), ("y.ndjson", 2)):
    with open(name, "w") as file:
        for document in (*[{{"n": number}}] * 1000, *documents, *[{{"n": number}}] * 1000):
            file.write(json.dumps(document, separators=(",", ":")) + "\\n")
print(len(documents))
"""
    made = guarded("-c", code, cwd=tmp_path)
    editor = {"EDITOR": f"{sys.executable} -c 'import sys; print(open(sys.argv[1]).read())'"}
    run = guarded("-m", "nestdecode", *command, cwd=tmp_path, env=editor)

    said = b"nestdecode: x.ndjson: nothing was changed\n" if command[0] == "edit" else b""
    if command[0] == "set":
        count = f"{2000 + int(made.stdout):,}"
        said = (
            f"nestdecode: x.ndjson: changed {count} places ({count} of them new) "
            f"in {count} of {count} records\n"
        ).encode()
    assert (run.returncode, run.stderr) == (command[0] == "diff", said)
    if command[0] in ("expand", "query", "set", "collapse") and "--indent" not in command:
        assert run.stdout.count(b"\n") == 2000 + int(made.stdout)


@pytest.mark.parametrize("deep", [200, 201])
@pytest.mark.parametrize("numbers", ["double", "exact"])
def test_depth_counts_across_layers(deep, numbers):
    decoder = Decoder(numbers=numbers)
    for outer in (1, 100, deep - 1):
        inner = "[" * (deep - outer) + "]" * (deep - outer)
        text = ("[" * outer + json.dumps(inner) + "]" * outer).encode()
        tree = decoder.expand(text)
        for _ in range(outer):
            tree = tree[0]

        assert (tree == inner) is (deep > 200)


@pytest.fixture
def only_new_objects_collected():
    """Leave what the other tests hold out of the collections, which then take no time."""
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.mark.parametrize(
    "reader", [orjson.loads, json.loads, Reader(Limits()).parse], ids=["orjson", "json", "ours"]
)
@pytest.mark.parametrize(
    "inmost", ["{}", "[]", '{"a":1}', "[1]", '{"a":1.50}', '{"a":{}}', '[{},{"b":"x"}]']
)
@pytest.mark.parametrize("around", ["[%s]", '{"b":%s}', '[1,{"c":"d"},%s]', '{"a":{},"b":%s}'])
def test_depth_is_counted_to_the_level(reader, inmost, around, only_new_objects_collected):
    text, deep = inmost, 1 + (inmost in ('{"a":{}}', '[{},{"b":"x"}]'))
    for _ in range(5):
        text, deep = around % text, deep + 1
        value = reader(text)
        gc.collect()  # it ceases to track some containers

        assert not is_deeper(value, deep)
        assert is_deeper(value, deep - 1)


def test_depth_looks_into_trees_only():
    value = {"n": Number("1.50"), "s": "x"}

    assert not is_deeper(value, 1)
    assert not is_deeper("x", 0)
    assert is_deeper(value, 0)


def test_a_thousand_brackets_beyond_the_limit_refuse_the_record_only():
    for n in (201, 1000, 100_000, 1_000_000):
        with pytest.raises(LimitError, match="max_depth=200"):
            Decoder().expand(b"[" * n + b"]" * n)


def nested(layers: int) -> str:
    text = "[1]"
    for _ in range(layers - 1):
        text = json.dumps([text])
    return text


def test_eighteen_layers_come_open():
    text = nested(18)
    tree = Decoder().expand(text.encode())
    for _ in range(17):
        assert type(tree) is list
        tree = tree[0]

    assert tree == [1]


# Work stays near-linear

MEGABYTE = 1_000_000


def filled(piece: str, size: int, end: str = "1]") -> bytes:
    return ("[" + piece * (size // len(piece)) + end).encode()


WIDE = {
    "empty objects": lambda n: filled("{},", n),
    "empty layers": lambda n: filled('"{}",', n),
    "near misses": lambda n: filled('"{x}",', n),
    "near misses of arrays": lambda n: filled('"[]x]",', n),
    "one near miss": lambda n: json.dumps(["[" + "{}," * (n // 3) + "x]"]).encode(),
    "one near miss of objects": lambda n: json.dumps(['{"a":[' + "1," * (n // 2) + "]}"]).encode(),
    "numbers that no double holds": lambda n: filled('"[1e400]",', n),
    "lone surrogates": lambda n: filled(r'"[\"\\ud800\"]",', n),
    "hidden brackets": lambda n: filled(r'"\u007b}",', n),
    "long integers": lambda n: filled("18446744073709551616,", n),
    "layers and a long integer": lambda n: filled('"[1]",', n, "18446744073709551616]"),
    "too deep": lambda n: b"[" * n,
    "deep layers": lambda n: filled('"' + "[" * 250 + "]" * 250 + '",', n),
    "backslashes": lambda n: filled('"' + "\\\\" * 50 + '",', n),
    "open strings": lambda n: filled('"[\\"",', n),
    "cut short": lambda n: filled("{},", n, ""),
    "not UTF-8": lambda n: filled("{},", n, "")[:-1] + b',"\xff"]',
}


def seconds(decoder: Decoder, document: bytes) -> float:
    """Measure without the cyclic collector, whose work grows faster than what there is."""
    gc.disable()
    best = 1e9
    for _ in range(2):
        begin = time.process_time()
        with contextlib.suppress(DecodeError):
            decoder.expand(document)
        best = min(best, time.process_time() - begin)
    gc.enable()
    return best


@pytest.mark.slow
@pytest.mark.parametrize("build", WIDE.values(), ids=WIDE)
@pytest.mark.parametrize("is_told", [False, True], ids=["silent", "told"])
def test_work_is_near_linear(build, is_told):
    """Sixteen times the size takes less than forty times the time."""
    small, large = build(MEGABYTE // 16), build(MEGABYTE)
    decoder = Decoder(on_problem=(lambda _: None) if is_told else None)
    for _ in range(6):
        decoder.expand(b'{"a":"[1]"}')

    assert seconds(decoder, large) < 40 * seconds(decoder, small) + 0.02


@pytest.mark.slow
@pytest.mark.parametrize("build", WIDE.values(), ids=WIDE)
def test_the_worst_megabyte_is_bounded(build):
    """Far from what is measured, and as far from what is quadratic."""
    flat = filled('"some text of a log line",12345,', MEGABYTE)
    begin = time.process_time()
    orjson.loads(flat)
    floor = time.process_time() - begin

    assert seconds(Decoder(), build(MEGABYTE)) < 500 * floor + 0.2


SPEC = """
nestdecode: 1
layers:
  a[*].b: json
  c[*]: json
"""


@pytest.mark.slow
def test_problems_by_the_thousand_are_told_where_they_are():
    problems: list[DecodeError] = []
    decoder = Decoder(spec_of(SPEC), on_problem=problems.append)
    for count in (3, 5_000):
        problems.clear()
        document = {"a": [{"b": "{oops"}] * count, "c": ["[oops"] * count}
        tree = decoder.expand(json.dumps(document).encode())

        assert tree == document
        expected = [f"/a/{n}/b" for n in range(count)] + [f"/c/{n}" for n in range(count)]
        assert [problem.pointer for problem in problems] == expected
        problems.clear()
        assert len(decoder.query("a[].b", json.dumps(document).encode())) == count
        # Where there are so many, all layers are opened, and told of.
        assert [p.pointer for p in problems][:count] == expected[:count]


def spec_of(text: str) -> Spec:
    return Spec.parse(text)


# Bombs


def test_what_gzip_grows_to_is_bounded():
    spec = spec_of("nestdecode: 1\nlayers:\n  a: base64 | gzip | gzip | json\n")
    twice = gzip.compress(gzip.compress(bytes(100 << 20), 9), 9)
    problems: list[DecodeError] = []
    document = {"a": base64.b64encode(twice).decode()}
    decoder = Decoder(spec, on_problem=problems.append)

    assert decoder.expand(json.dumps(document).encode()) == document
    assert "max_bytes" in problems[0].reason
    assert decoder.expand(b'{"a":null}') == {"a": None}


@pytest.mark.parametrize("codec", ["base64", "base64url", "base32", "base32hex", "base16"])
def test_what_an_encoding_decodes_to_is_counted_to_the_byte(codec):
    spec = spec_of(f"nestdecode: 1\nlayers:\n  a: {codec}\n")
    encode = {
        "base64url": base64.urlsafe_b64encode,
        "base32": base64.b32encode,
        "base32hex": base64.b32hexencode,
        "base16": base64.b16encode,
    }.get(codec, base64.b64encode)
    for size in range(1, 20):
        document = {"a": encode(b"x" * size).decode()}

        assert Decoder(spec, max_bytes=size).expand(document) == {"a": "x" * size}
        assert Decoder(spec, max_bytes=size - 1).expand(document) == document


EXPAND = [sys.executable, "-m", "nestdecode", "expand"]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere rusage counts otherwise")
def test_a_gzip_bomb_takes_little_memory(tmp_path):
    packer = zlib.compressobj(9, wbits=31)
    piece = bytes(1 << 20)
    packed = b"".join([*(packer.compress(piece) for _ in range(400)), packer.flush()])
    (tmp_path / "bomb").write_text(
        json.dumps({"a": base64.b64encode(packed).decode()}) + '\n{"a":null}\n'
    )
    (tmp_path / "spec.yaml").write_text("nestdecode: 1\nlayers:\n  a: base64 | gzip | json\n")
    measure = (
        "import resource, subprocess, sys; code = subprocess.run(sys.argv[1:]).returncode;"
        "print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)"
    )
    run = subprocess.run(
        [sys.executable, "-c", measure, *EXPAND, "--spec", "./spec.yaml", "bomb"],
        capture_output=True,
        cwd=tmp_path,
        check=True,
    )
    code, kilobytes = map(int, run.stderr.split()[-2:])

    assert (code, kilobytes < 300_000) == (0, True)
    assert run.stdout.endswith(b'\n{"a":null}\n')
    assert b"--max-bytes" in run.stderr


# Threads


def test_threads_share_a_decoder_and_a_query():
    decoder = Decoder()
    ask = decoder.compile("a[*].n")
    documents = [
        json.dumps({"a": [json.dumps({"n": i}) for i in range(size)]}).encode() for size in range(9)
    ]
    failed: list[object] = []

    def work() -> None:
        for _ in range(200):
            for size, document in enumerate(documents):
                if ask(document) != list(range(size)):
                    failed.append(document)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []


# Input that is parsed already


def test_parsed_input_ends():
    cycle: list[object] = []
    cycle.append({"a": cycle})
    shared: list[object] = []
    for _ in range(100):
        shared = [shared, shared]
    for value in (cycle, shared):
        with pytest.raises(LimitError):
            Decoder(max_record_bytes=1_000_000).expand(value)

    often = {"a": "[1]"}
    assert Decoder().expand([often] * 10_000) == [{"a": [1]}] * 10_000
    assert often == {"a": "[1]"}
