"""Input in UTF-16 and UTF-32: recognized by byte order mark, read in pieces of any size."""

import gzip
import io
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import nestdecode
from nestdecode.stream.encoded import as_utf8
from tests import command

NESTDECODE = [sys.executable, "-m", "nestdecode"]
MARKS = {
    "UTF-16LE": b"\xff\xfe",
    "UTF-16BE": b"\xfe\xff",
    "UTF-32LE": b"\xff\xfe\x00\x00",
    "UTF-32BE": b"\x00\x00\xfe\xff",
}
encodings = pytest.mark.parametrize("encoding", MARKS)
TEXT = '{"n":"[1]","s":"é€\U0001f600"}\r\n{"oops\n\n["\u2028"]\n'


def packed(text: str, encoding: str) -> bytes:
    return MARKS[encoding] + text.encode(encoding, "surrogatepass")


def run(*arguments: str | Path, stdin: bytes = b"", **environment: str) -> tuple[bytes, str, int]:
    child = command.run(*arguments, stdin=stdin, env=os.environ | environment)
    return child.stdout, child.stderr.decode(), child.returncode


def read_all(data: bytes, sizes: int = 0) -> tuple[bytes, str | None, str | None]:
    """Read all there is, in random pieces: (text, encoding, error)."""
    chance = random.Random(sizes)
    found = b""
    name = None

    def read(size: int) -> bytes:
        nonlocal data
        size = min(size, chance.choice([1, 2, 3, 5, 1 << 20]) if sizes else size)
        piece, data = data[:size], data[size:]
        return piece

    try:
        inner, name = as_utf8(read)
        while piece := inner(64):
            assert len(piece) <= 64
            found += piece
        assert inner(64) == b""
    except OSError as error:
        return found, name, str(error)
    return found, name, None


characters = st.sampled_from(
    'a{}[]"\n\r\0é\u07ff\u0800€\ufeff\ufffe\U00010000\U0010ffff\ud800\udfff'
)


@given(
    st.text(characters | st.characters(), max_size=40),
    st.sampled_from(list(MARKS)),
    st.integers(0, 9),
    st.integers(0, 3),
)
@example("\ud800", "UTF-16LE", 1, 1)
@example("\ud800", "UTF-32BE", 1, 3)
def test_all_is_read_up_to_where_it_is_cut(text, encoding, sizes, extra):
    if encoding == "UTF-16LE" and text.startswith("\0"):
        text = f"-{text}"  # else it is UTF-32
    extra %= int(encoding[4:6]) // 8
    data = packed(text, encoding)
    # Halves that meet are one character in UTF-16.
    wanted = data[len(MARKS[encoding]) :].decode(encoding, "surrogatepass")
    error = f"not {encoding}: byte {len(data)}" if extra else None

    found = read_all(data + b"x" * extra, sizes)

    assert found == (wanted.encode("utf-8", "surrogatepass"), encoding, error)


@given(st.binary(max_size=8), st.integers(0, 3))
def test_without_a_mark_nothing_is_changed(data, sizes):
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff", b"\x1e")):
        assert read_all(data, sizes) == (data, None, None)


@pytest.mark.parametrize("number", [0x110000, 0xFFFFFFFF])
@pytest.mark.parametrize("order", ["little", "big"])
def test_a_number_that_is_no_character_ends_what_can_be_read(number, order):
    encoding = "UTF-32LE" if order == "little" else "UTF-32BE"
    data = packed("[1]\n", encoding) + number.to_bytes(4, order) + packed("[2]\n", encoding)

    assert read_all(data, 3) == (b"[1]\n", encoding, f"not {encoding}: byte 20")


@pytest.mark.sampled(2)
@encodings
@pytest.mark.parametrize("jobs", ["1", "2"])
@pytest.mark.parametrize("how", ["file", "pipe", "gzip"])
def test_everything_is_that_of_the_text_in_utf8(tmp_path, encoding, jobs, how):
    text = TEXT * 500
    (tmp_path / "utf8").write_bytes(text.encode())
    data = packed(text, encoding)
    (tmp_path / "other").write_bytes(gzip.compress(data) if how == "gzip" else data)
    outcomes = []
    for name in ("utf8", "other"):
        stdin = (tmp_path / name).read_bytes() if how == "pipe" else b""
        file = [] if how == "pipe" else [tmp_path / name]
        dead = tmp_path / f"{name}.dead"
        out, _, code = run("expand", "-j", jobs, "--dead-letters", dead, *file, stdin=stdin)
        letters = [json.loads(line) for line in dead.read_text().splitlines()]
        for letter in letters:
            letter.pop("source")
        outcomes.append((out, code, letters, run("replay", dead)))
    utf8, other = outcomes

    assert all(letter.pop("encoding") == encoding for letter in other[2])
    assert other == utf8
    assert utf8[0].count(b"\n") == 1000
    assert utf8[3] == (b'{"oops\n' * 500, "", 0)


@pytest.mark.sampled(2)
@encodings
def test_half_a_pair_costs_its_record_only(encoding, tmp_path):
    dead = tmp_path / "dead"
    text = '{"a":1}\n{"b":"\ud800"}\n{"c":"\U0001f600"}\n'

    out, err, code = run("expand", "--dead-letters", dead, stdin=packed(text, encoding))
    letter = json.loads(dead.read_bytes())

    assert (out.decode(), code) == ('{"a":1}\n{"c":"\U0001f600"}\n', 5)
    assert "line 2: invalid JSON: not UTF-8" in err
    assert (letter["code"], letter["encoding"]) == ("malformed", encoding)
    assert run("replay", dead)[0] == '{"b":"\ud800"}\n'.encode("utf-8", "surrogatepass")


@pytest.mark.sampled(2)
@encodings
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_is_cut_is_told_after_what_was_whole(encoding, jobs):
    data = packed('{"a":"[1]"}\n[2]\n', encoding) + b"\n"

    assert run("expand", "-j", jobs, stdin=data) == (
        b'{"a":[1]}\n[2]\n',
        f"nestdecode: stdin: can't be read: not {encoding}: byte {len(data) - 1}\n",
        2,
    )


def test_a_line_comes_out_before_the_next_goes_in():
    pipe = subprocess.PIPE
    child: Any = subprocess.Popen([*NESTDECODE, "expand"], stdin=pipe, stdout=pipe, bufsize=0)
    with child:
        child.stdin.write(MARKS["UTF-16LE"])
        got = []
        for number in range(3):
            # The blank that begins the next line is cut in half.
            line = f'{{"n":"[{number}]"}}\n '.encode("utf-16-le")
            child.stdin.write(line[:-1])
            got.append(child.stdout.readline())
            child.stdin.write(line[-1:])
        child.stdin.close()

    assert (got, child.returncode) == ([b'{"n":[%d]}\n' % n for n in range(3)], 0)


@pytest.mark.sampled(2)
@encodings
@pytest.mark.parametrize("command", [("set", "-i", "n=2"), ("edit",)], ids=["set", "edit"])
def test_what_writes_in_place_says_how_to_convert(tmp_path, encoding, command):
    file = tmp_path / "file"
    file.write_bytes(packed('{"n":"[1]"}\n', encoding))
    before = file.read_bytes()
    short = encoding[:6]

    out, err, code = run(*command, file, EDITOR="sed -i s/1/2/")

    assert (out, code, file.read_bytes()) == (b"", 2, before)
    assert err == (
        f"nestdecode: {file}: can't be replaced: it is in {encoding}; "
        f"iconv -f {short} -t UTF-8 converts it\n"
    )


def test_other_commands_read_it_too(tmp_path):
    (tmp_path / "a").write_bytes(packed('{"n":"[1]"}\n', "UTF-16LE"))
    (tmp_path / "b").write_bytes(packed('{\n"n":"[1]"}\n', "UTF-32BE"))

    assert run("diff", tmp_path / "a", tmp_path / "b") == (b"", "", 0)
    assert run("query", "n", tmp_path / "b") == (b"[1]\n", "", 0)
    text, said, code = run("set", "n[0]=2", tmp_path / "a")

    assert (text, code) == (b'{"n":"[2]"}\n', 0)
    assert said.endswith(": changed 1 place\n")


SEQUENCES = [
    pytest.param(b'\x1e{"a":"[1]"}\n\x1e[2]\n', [{"a": [1]}, [2]], 0, id="one a line"),
    pytest.param(b'\x1e{\n"a":\n1}\n\x1e[\n2]\n', [{"a": 1}, [2]], 0, id="indented"),
    pytest.param(b'\x1e{"a":[\n\x1e[2]\n\x1e]}\n', [[2]], 2, id="cut short"),
    pytest.param(b"\x1e[1,\n\x1e2]\n", [], 2, id="cut short, then a number"),
    pytest.param(b"\x1e\x1e\n\x1e[1]", [[1]], 0, id="empty ones, and no newline at the end"),
    pytest.param(b'\x1e"text"\n\x1e12\n\x1enull\n', ["text", 12, None], 0, id="scalars"),
]


@pytest.mark.parametrize(("text", "trees", "failed"), SEQUENCES)
@pytest.mark.parametrize("framing", [None, "documents"])
def test_no_text_of_a_sequence_goes_on_in_the_next_one(text, trees, failed, framing):
    for size in (1, 2, 5, 1 << 16):
        target = io.BytesIO()
        source = Pieces(text, size)
        report = nestdecode.expand_file(source, target, framing=framing)
        assert [json.loads(line) for line in target.getvalue().splitlines()] == trees
        assert report.failed == failed


class Pieces:
    """A file that gives some bytes at a time."""

    def __init__(self, text: bytes, size: int) -> None:
        self._file = io.BytesIO(text)
        self._size = size

    def read(self, size: int, /) -> bytes:
        return self._file.read(min(size, self._size))
