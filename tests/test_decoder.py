"""The two ways in: what they keep, what they let go of, and what they refuse."""

import gc
import json
import linecache
import os
import time

import pytest

import nestdecode
from nestdecode import Decoder, Spec
from nestdecode import decoder as module
from nestdecode.emit import Source

SPEC = "nestdecode: 1\nlayers: {a: json}\n"
OTHER = "nestdecode: 1\nlayers: {b: json}\n"
DOCUMENT = b'{"a":"[1]","b":"[2]"}'


def sources():
    """Count the sources that are kept for tracebacks."""
    gc.collect()
    return sum(name.startswith("<nestdecode") for name in linecache.cache)


def test_the_source_of_a_function_goes_with_it():
    source = Source()
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
    monkeypatch.setattr(module, "FRESH", 0)
    spec = str(file) if kind is str else file
    built = []

    def loaded(spec):
        built.append(spec)
        return Spec.load(spec)

    monkeypatch.setattr(module, "_loaded", loaded)
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
    monkeypatch.setattr(module, "FRESH", 0)
    for number in range(40):
        path = tmp_path / f"{number}.yaml"
        path.write_text(SPEC)
        nestdecode.expand(DOCUMENT, path)

    assert module._kept_decoder.cache_info().currsize <= 32


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
