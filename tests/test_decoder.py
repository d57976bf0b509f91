"""Decoders and one-shot functions: what they cache and free, and the arguments they refuse."""

import array
import gc
import inspect
import io
import json
import linecache
import mmap
import multiprocessing
import os
import pickle
import time
from pathlib import Path

import pytest

import nestdecode
from nestdecode import DecodeError, Decoder, Spec, engine, oneshot
from nestdecode.plan.source import PythonSource
from nestdecode.spec import Shape

SPEC = "nestdecode: 1\nlayers: {a: json}\n"
OTHER = "nestdecode: 1\nlayers: {b: json}\n"
DOCUMENT = b'{"a":"[1]","b":"[2]"}'


def sources():
    """Count the sources that are kept for tracebacks."""
    gc.collect()
    return sum(bool(linecache.getlines(name)) for name in entries())


def entries():
    return {name for name in linecache.cache if name.startswith("<nestdecode")}


def test_the_source_of_a_function_goes_with_it():
    source = PythonSource()
    source.line("def f():")
    source.line("    return 1 // 0")
    before = sources()
    function = source.build("f", "test")
    file = function.__code__.co_filename

    assert linecache.getline(file, 2) == "    return 1 // 0\n"
    with pytest.raises(ZeroDivisionError) as caught:
        function()
    del function
    gc.disable()
    try:
        assert linecache.getline(file, 2), "a traceback shows it"
        caught.value.__traceback__ = None
        del caught
    finally:
        gc.enable()
    assert sources() == before


def test_no_entry_of_a_source_goes_while_others_may_read_the_entries():
    # pdb and doctest call linecache.checkcache, which fails if the collector removes one.
    others = entries()
    decoder = Decoder(Spec.parse(SPEC))
    files = entries() - others
    assert files
    assert all(map(linecache.getlines, files))

    del decoder
    gc.collect()
    assert files <= entries()
    assert not any(map(linecache.getlines, files))

    Decoder(Spec.parse(OTHER))
    assert not files & entries()


def test_decoders_and_queries_leave_no_source_behind():
    before = sources()
    for number in range(30):
        spec = Spec.parse(SPEC)
        decoder = Decoder(spec)
        decoder.expand(DOCUMENT)
        decoder.query(f"[a[?@ == `{number}`], b, sort_by(a, &@)]", DOCUMENT)
        Decoder().query(f"a[{number}]", DOCUMENT)
    del decoder, spec

    # The parser of jmespath.py keeps trees, and no function.
    assert sources() <= before


def test_a_decoder_keeps_a_bounded_number_of_queries():
    decoder = Decoder(Spec.parse(SPEC))
    before = sources()
    for number in range(400):
        decoder.query(f"a[{number}]", DOCUMENT)

    assert sources() - before <= 3 * 256


@pytest.fixture
def file(tmp_path):
    """A spec in a file that was not changed of late."""
    path = tmp_path / "s.yaml"
    path.write_text(SPEC)
    return path


@pytest.mark.parametrize("kind", [str, type(None)], ids=["str", "Path"])
def test_a_decoder_of_a_file_is_kept_while_the_file_is_the_same(file, kind, monkeypatch):
    monkeypatch.setattr(oneshot, "FRESH", 0)
    spec = str(file) if kind is str else file
    built = []

    def loaded(spec):
        built.append(spec)
        return Spec.load(spec)

    monkeypatch.setattr(engine, "_loaded", loaded)
    for _ in range(5):
        assert nestdecode.expand(DOCUMENT, spec) == {"a": [1], "b": "[2]"}
    assert len(built) == 1

    file.write_text(OTHER)  # of the same length
    os.utime(file, ns=(time.time_ns(), time.time_ns() + 10**9))
    assert nestdecode.expand(DOCUMENT, spec) == {"a": "[1]", "b": [2]}
    file.unlink()
    with pytest.raises(nestdecode.SpecError):
        nestdecode.expand(DOCUMENT, spec)


def test_a_file_that_was_just_changed_is_read_again(file):
    # Within one tick of the clock a file may change, and its times not.
    times = file.stat()
    assert nestdecode.expand(DOCUMENT, file) == {"a": [1], "b": "[2]"}
    with file.open("r+") as stream:
        stream.write(OTHER)
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))

    assert nestdecode.expand(DOCUMENT, file) == {"a": "[1]", "b": [2]}


def test_decoders_of_files_are_kept_in_a_bounded_number(tmp_path, monkeypatch):
    monkeypatch.setattr(oneshot, "FRESH", 0)
    for number in range(40):
        path = tmp_path / f"{number}.yaml"
        path.write_text(SPEC)
        nestdecode.expand(DOCUMENT, path)

    assert oneshot._cached_decoder.cache_info().currsize <= 32


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        pytest.param({"nestdecode": 1, "layers": {"a": "json"}}, "dict", id="parsed"),
        pytest.param(SPEC.encode(), "bytes", id="bytes"),
        pytest.param(1, "int", id="number"),
        pytest.param([SPEC], "list", id="list"),
    ],
)
def test_a_spec_of_another_type_is_a_type_error(spec, name):
    wanted = f"spec is a Spec, a name, a path or None, got {name}"
    calls = [Decoder, lambda s: nestdecode.expand(b"{}", s), lambda s: nestdecode.query("a", {}, s)]
    for call in calls:
        with pytest.raises(TypeError, match=wanted):
            call(spec)


@pytest.mark.parametrize(
    "spec", [None, Spec.parse(SPEC), "repair-results"], ids=["none", "spec", "name"]
)
def test_a_query_starts_at_the_root_or_at_the_focus_and_nowhere_else(spec):
    with pytest.raises(ValueError, match="start is one of root, focus, got 'bogus'"):
        Decoder(spec).compile("a", start="bogus")  # type: ignore[arg-type]


def test_a_spec_that_is_already_parsed_is_parsed_by_spec():
    parsed = {"nestdecode": 1, "layers": {"a": "json"}}

    assert nestdecode.expand(DOCUMENT, Spec.parse(json.dumps(parsed))) == {"a": [1], "b": "[2]"}


# Lines

GOOD = '{"é":"' + "é😀" * 3000 + '"}\n'
STARTS = [
    pytest.param([GOOD] * 20 + ["{bad\n"], id="a batch for each"),
    pytest.param(['{"a":"é"}\n'] * 20 + ["{bad\n"], id="one batch"),
    pytest.param(['{"a":"\ud800"}\n', "{bad\n"], id="lone surrogates"),
    pytest.param(["\u2028\n", "\n", "{bad\n"], id="what is none"),
    pytest.param(['{"a":1}\r\n', "{bad\r\n"], id="CRLF"),
    pytest.param(['{"a":"é"}\n'.encode(), GOOD, bytearray(b"[1]\n"), "{bad\n"], id="mixed"),
]


@pytest.mark.parametrize("lines", STARTS)
@pytest.mark.parametrize("kind", [list, iter], ids=["list", "iterator"])
def test_offsets_are_in_bytes_whatever_lines_are(lines, kind):
    raws = [line.encode("utf-8", "surrogatepass") if isinstance(line, str) else bytes(line)
            for line in lines]  # fmt: skip
    dead: list[nestdecode.DeadLetter] = []
    list(Decoder().expand_lines(kind(lines), on_dead_letter=dead.append))

    assert (dead[-1].line, dead[-1].offset) == (len(lines), sum(map(len, raws[:-1])))
    assert dead[-1].raw == raws[-1].removesuffix(b"\n")


@pytest.mark.parametrize("kind", [list, iter], ids=["list", "iterator"])
@pytest.mark.parametrize("spec", [None, Spec.parse(SPEC)], ids=["found", "declared"])
def test_lines_may_hold_the_lone_surrogates_that_documents_may(kind, spec):
    decoder = Decoder(spec)
    lines = ['{"a":"\ud800"}', '{"a":"[\\"\udfff\\"]","b":"é"}\n', '{"c":1}']

    assert list(decoder.expand_lines(kind(lines))) == [decoder.expand(line) for line in lines]


def test_a_lone_surrogate_makes_no_line_valid():
    dead: list[nestdecode.DeadLetter] = []
    lines = ['"\\\ud800"\n', "[1]\n"]  # after a backslash

    assert list(Decoder().expand_lines(lines, on_dead_letter=dead.append)) == [[1]]
    assert [letter.raw for letter in dead] == [b'"\\\xed\xa0\x80"']


@pytest.fixture
def ndjson(tmp_path):
    path: Path = tmp_path / "a.ndjson"
    path.write_bytes(b'{"a":"[1]"}\n[2]\n')
    return path


def mapped(path):
    with path.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


@pytest.mark.parametrize(
    ("make", "name", "hint"),
    [
        pytest.param(lambda p: p, "PosixPath", "its text, path.read_bytes()", id="path"),
        pytest.param(mapped, "mmap", "bytes(...) of it", id="mmap"),
        pytest.param(lambda p: array.array("B", b"{}"), "array", "bytes(...) of it", id="array"),
        pytest.param(io.BytesIO, "BytesIO", None, id="binary file"),
        pytest.param(lambda p: io.StringIO("{}"), "StringIO", None, id="text file"),
    ],
)
@pytest.mark.parametrize("spec", [None, SPEC, SPEC + "undeclared: open\n"])
def test_what_only_leads_to_a_text_is_no_document(ndjson, make, name, hint, spec):
    decoder = Decoder(spec and Spec.parse(spec))
    hint = hint or "its text, file.read(), or the file to expand_lines"
    document = io.BytesIO() if make is io.BytesIO else make(ndjson)
    message = f"a document is JSON text or its parsed value, got {name}; pass {hint}"
    for call in (decoder.expand, decoder.open, decoder.compile("a"), decoder.compile("a[0]")):
        with pytest.raises(TypeError) as caught:
            call(document)

        assert str(caught.value) == message


SEVERAL = "if these are several documents: expand_lines reads one per line, expand_file a file"
NOTE = "this looks like the name of a file: pass pathlib.Path(name).read_bytes()"


@pytest.mark.parametrize(
    ("document", "notes"),
    [
        ("events.json", [NOTE]),
        ("/var/log/app.log.gz", [NOTE]),
        (b"C:/logs/A.NDJSON", [NOTE]),
        (bytearray(b"a.jsonl"), [NOTE]),
        ("{oops.json", []),
        ("see a.json", []),
        ("up", []),
        ("x" * 400 + ".json", []),
        ('{"a":1}\n{"a":2}\n', [SEVERAL]),
        ('{"a":1}\n{"ä":2}\n'.encode(), [SEVERAL]),
        (b"[1] x", [SEVERAL]),
        ("", []),
    ],
)
def test_the_name_of_a_file_in_place_of_its_text_gets_a_note(document, notes):
    for call in (nestdecode.expand, Decoder(Spec.parse(SPEC)).expand, Decoder().compile("a")):
        with pytest.raises(DecodeError) as caught:
            call(document)

        assert getattr(caught.value, "__notes__", []) == notes


def test_what_json_does_not_know_passes_through_inside_a_document(ndjson):
    document = {"a": "[1]", "path": ndjson, "file": io.BytesIO(b"[1]")}

    assert nestdecode.expand(document) == {**document, "a": [1]}
    assert nestdecode.expand(memoryview(mapped(ndjson))[:11]) == {"a": [1]}


@pytest.mark.parametrize(
    "value",
    [b"a", bytearray(b"a"), memoryview(b"a"), None, 1, ["a"], {"a": 1}, {"a"}, Path("a")],
    ids=lambda value: type(value).__name__,
)
def test_an_expression_and_a_place_are_str(value):
    name = type(value).__name__
    decoder = Decoder(Spec.parse(SPEC))
    document = decoder.open(DOCUMENT)
    before = document.collapse()
    asked = [decoder.compile, document.query, Decoder().compile, lambda v: decoder.query(v, b"{}")]
    for call in asked:
        with pytest.raises(TypeError, match=f"an expression is a str, got {name}"):
            call(value)
    for change in (document.delete, lambda v: document.set(v, 1)):
        with pytest.raises(TypeError, match=f"a place is a str, got {name}"):
            change(value)

    assert document.collapse() == before


@pytest.mark.parametrize(
    ("make", "name", "hint"),
    [
        pytest.param(lambda p: p, "PosixPath", "; Spec.load reads a file", id="path"),
        pytest.param(mapped, "mmap", "", id="mmap"),
        pytest.param(lambda p: memoryview(b"{}"), "memoryview", "", id="memoryview"),
        pytest.param(lambda p: bytearray(b"{}"), "bytearray", "", id="bytearray"),
        pytest.param(lambda p: io.StringIO("{}"), "StringIO", "", id="file"),
        pytest.param(lambda p: [SPEC], "list", "", id="list"),
        pytest.param(lambda p: None, "NoneType", "", id="None"),
    ],
)
def test_what_a_spec_is_parsed_from(ndjson, make, name, hint):
    with pytest.raises(TypeError) as caught:
        Spec.parse(make(ndjson))

    message = f"a spec is parsed from str, bytes or a mapping, got {name}{hint}"
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("make", "name", "hint"),
    [
        pytest.param(Path.read_text, "str", "io.StringIO(text)", id="str"),
        pytest.param(Path.read_bytes, "bytes", "io.BytesIO(data)", id="bytes"),
        pytest.param(lambda p: bytearray(b"{}"), "bytearray", "io.BytesIO(data)", id="bytearray"),
        pytest.param(
            lambda p: memoryview(b"{}"), "memoryview", "io.BytesIO(data)", id="memoryview"
        ),
        pytest.param(lambda p: p, "PosixPath", "the file, opened in binary mode", id="path"),
        pytest.param(mapped, "mmap", "the file, opened in binary mode", id="mmap"),
        pytest.param(
            lambda p: array.array("B", b"{}"),
            "array",
            "the file, opened in binary mode",
            id="array",
        ),
        pytest.param(lambda p: {"a": 1}, "dict", "it to expand: it is parsed already", id="dict"),
    ],
)
def test_what_is_no_sequence_of_lines_is_a_type_error_that_says_what_is(ndjson, make, name, hint):
    message = f"lines are a file or other iterable of lines, got {name}; pass {hint}"
    for decoder in (Decoder(), Decoder(Spec.parse(SPEC))):
        with pytest.raises(TypeError) as caught:
            decoder.expand_lines(make(ndjson))

        assert str(caught.value) == message


def test_what_is_advised_works(ndjson):
    decoder = Decoder()
    wanted = [{"a": [1]}, [2]]

    assert list(decoder.expand_lines(io.StringIO(ndjson.read_text()))) == wanted
    assert list(decoder.expand_lines(io.BytesIO(ndjson.read_bytes()))) == wanted
    with ndjson.open("rb") as lines:
        assert list(decoder.expand_lines(lines)) == wanted
    assert decoder.expand(bytes(array.array("B", b'{"a":"[1]"}'))) == {"a": [1]}


@pytest.mark.parametrize("line", [1, None, {"a": 1}, [1]], ids=lambda line: type(line).__name__)
@pytest.mark.parametrize("kind", [list, iter], ids=["list", "iterator"])
def test_a_line_is_bytes_or_str(line, kind):
    wanted = f"a line is bytes or str, got {type(line).__name__}"
    for decoder in (Decoder(), Decoder(Spec.parse(SPEC))):
        with pytest.raises(TypeError, match=wanted):
            list(decoder.expand_lines(kind([b"[1]\n", line])))


def test_errors_of_whoever_gives_lines_stay_his():
    def lines():
        yield b"[1]\n"
        raise TypeError("of his")

    with pytest.raises(TypeError, match="of his"):
        list(Decoder().expand_lines(lines()))
    with pytest.raises(DecodeError):
        list(Decoder().expand_lines([b"{\n"]))


def test_a_spec_goes_with_its_decoder_and_queries():
    def shapes() -> int:
        gc.collect()
        return sum(type(thing) is Shape for thing in gc.get_objects())

    before = shapes()
    decoder = Decoder(Spec.parse('{nestdecode: 1, layers: {a: base64 | json, "b[]": json}}'))
    assert decoder.query("[a, b]", {"a": "W10=", "b": ["[1]"]}) == [[], [[1]]]
    assert shapes() > before
    del decoder

    assert shapes() == before


def test_expand_is_a_method_like_others():
    decoder = Decoder(max_layers=1)
    expand = pickle.loads(pickle.dumps(decoder.expand))

    assert expand(b'{"a": "[\\"[1]\\"]"}') == {"a": ["[1]"]}
    assert inspect.ismethod(decoder.expand)
    assert decoder.expand.__doc__ == Decoder.expand.__doc__


class Counting(Decoder):
    count = 0

    def expand(self, document):
        self.count += 1
        return super().expand(document)


def test_a_subclass_may_expand_in_its_own_way():
    decoder = Counting()

    assert list(decoder.expand_lines([b'"1"', b"[]"])) == ["1", []]
    assert decoder.expand(b'{"a": "[1]"}') == {"a": [1]}
    assert decoder.count == 3
    assert type(pickle.loads(pickle.dumps(decoder))) is Counting


def test_processes_share_work_by_the_method():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.map(Decoder().expand, [b'{"a": "[1]"}'] * 3) == [{"a": [1]}] * 3
