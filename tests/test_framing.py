"""Input split into records, and into texts that are not records."""

import base64
import io
import json
import random
import subprocess
import sys
import time
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nestdecode import DeadLetter, DecodeError, Decoder, expand_file
from nestdecode.stream import is_blank, original, read_batches
from nestdecode.stream.malformed import is_malformed
from nestdecode.stream.scanner import not_utf8
from nestdecode.text.verdict import glance, judge
from tests import framing_oracle as oracle
from tests.strategies import EFFORT

MANY = 1 << 30


def pieces_of(text, sizes):
    """Read a text in pieces of random sizes."""
    chance = random.Random(sizes)
    left = text

    def read(_size):
        nonlocal left
        size = chance.choice([1, 2, 3, 7, 64, 1 << 20]) if sizes else 1 << 20
        piece, left = left[:size], left[size:]
        return piece

    return read


def split(text, framing, sizes=0, most=MANY, *, answered=False):
    """Return the records of a text: each with its line and whether it can be read."""
    decoder = Decoder()
    found = []
    for batch in read_batches(pieces_of(text, sizes), most, framing, answered=answered):
        for index, raw in enumerate(batch.raws[batch.start :], batch.start):
            if is_blank(raw):
                continue
            record = batch.record(index)
            try:
                decoder.expand(raw)
                good = True
            except DecodeError:
                if not batch.settled:
                    batch.refused = index
                    break
                good = False
            assert text[: record.offset].count(b"\n") + 1 == record.line
            found.append((record.offset, record.raw, good))
    return found


LINES = [
    b"", b"  ", b"\t", b"{", b"[", b"}", b"]", b",", b"{}", b"[]", b'{"a":1}', b"[1]", b" {}",
    b" [", b"  {", b'{"a":', b'"a":1,', b'"a":[', b'{"a":1,', b'{"a":[{}', b"[{},", b"},", b"],",
    b"] , [", b"} {", b"]} {", b"{}{}", b'{"a":1} [2]', b"[1] {", b"{}[", b"1", b"2,", b'"x"', b'"x', b"1 2",
    b'4 "5"', b'"x"1', b'1"x"true', b"true", b"tru", b"text", b"a: {}", b"{} text", b"[10] bottles", b'{"a":"x', b"{oops", b"[1,]",
    b'{"a" 1}', b"{]", b"{] ", b"{]\r", b'["\\u00e9\\"]"]', b'["\xc3\xa9"]', b'["\xff"]', b"\xff", b"[\xff", b"\xef\xbb\xbf", b"\xef\xbb\xbf{}",
    b"\xef\xbb\xbf[", b"} \xef\xbb\xbf{}", b"]\xef\xbb\xbf", b"{}\x0c", b"[]\r", b"[\r", b"\r", b'["\\ud800"]', b'"\\q"', b"-", b"0.5", b"01", b"1e9", b":",
]  # fmt: skip
PARTS = [
    b"", b" ", b"[", b"[ ", b"{", b'"', b'\\"', b"\\", b"-", b"1", b"0", b"2026-11", b"10.0", b".", b"1e5", b"true", b"tru",
    b"false,", b"nul", b"null", b":", b",", b"]", b"}", b"text", b"\xef\xbb\xbf", b"\x1e", b"\xff", b"\xc3\xa9", b'"a":', b"{}", b"\\ud800", b"\\n",
]  # fmt: skip
texts = st.builds(
    lambda lines, end: b"\n".join(lines) + end,
    st.lists(st.sampled_from(LINES), max_size=12),
    st.sampled_from([b"", b"\n"]),
)
framings = st.sampled_from(["lines", "mixed", "documents"])


@given(texts, framings, st.integers(0, 9), st.booleans())
@settings(max_examples=int(1000 * EFFORT))
def test_input_is_split_as_the_rules_say(text, framing, sizes, answered):
    assert split(text, framing, sizes, answered=answered) == oracle.split(text, framing)


def records_of(text, framing, sizes, most):
    # How soon it is known that a record fails may depend on them.
    return [
        batch.record(index)._replace(fails=False)
        for batch in read_batches(pieces_of(text, sizes), most, framing)
        for index, raw in enumerate(batch.raws)
        if batch.skipped or not is_blank(raw)
    ]


@given(texts, framings, st.integers(1, 9), st.sampled_from([1, 2, 4, 8, 12, 20]))
@settings(max_examples=int(1000 * EFFORT))
@example(b"{\n}xxxxxxxxx\n", "documents", 1, 8)
@example(b"\xef\xbb\xbf[null\n{}\n", "mixed", 1, 8)
def test_the_pieces_of_input_make_no_difference(text, framing, sizes, most):
    assert records_of(text, framing, sizes, most) == records_of(text, framing, 0, most)


@given(texts, framings, st.integers(0, 9))
@settings(max_examples=int(1000 * EFFORT))
def test_what_is_known_to_fail_is_not_json(text, framing, sizes):
    for batch in read_batches(pieces_of(text, sizes), MANY, framing):
        for index, raw in enumerate(batch.raws):
            assert not (batch.record(index).fails and oracle.is_json(raw))


@given(
    st.one_of(
        st.sampled_from(LINES),
        st.lists(st.sampled_from(PARTS), max_size=8).map(b"".join),
        st.tuples(st.sampled_from(PARTS), st.binary(max_size=8)).map(b"".join),
    )
)
@settings(max_examples=int(3000 * EFFORT))
@example(b"[" * 300 + b'"')
@example(b"x" + b"[" * 255)
@example(b'["\\"]')
def test_a_line_that_is_malformed_is_a_dead_letter_of_its_own(line):
    line = line.replace(b"\n", b"")
    if not is_malformed(line):
        return
    after = b'{"a":1}\n{"b":\n2}\n'

    with pytest.raises(DecodeError) as caught:
        Decoder().expand(line)
    assert caught.value.code == "malformed"
    for framing in ("lines", "mixed"):
        assert split(line + b"\n" + after, framing)[0] == (0, line, False)
    assert oracle.split(line + b"\n" + after, "mixed") == [
        (0, line, False),
        *((len(line) + 1 + at, raw, good) for at, raw, good in oracle.split(after, "mixed")),
    ]


@pytest.mark.parametrize(
    "line", [b"2026-11-28 up", b"[INFO] up", b'{"a": "cu', b'{"\\"": "cu', b"10.0.0.1"]
)
def test_common_lines_of_text_show_that_they_are_malformed(line):
    assert is_malformed(line)


@given(
    st.one_of(texts, st.lists(st.sampled_from(PARTS + LINES), max_size=8).map(b"".join)),
    st.sampled_from([b"", b"\n", b"\n{", b"\n["]),
)
@settings(max_examples=int(3000 * EFFORT))
@example(b'{"a":"cu', b"\n")
@example(b'{"a":', b"\n{")
@example(b'{"a":1', b"\n{")
@example(b"{} x{", b"\n")
@example(b'{"a":1e400,}', b"")
@example(b"[" * 255 + b"]", b"")
def test_a_verdict_is_that_of_the_rules(start, end):
    text = start + end
    verdict: str | None
    try:
        at = oracle.blanks(text, oracle.value(text, oracle.blanks(text, 0)))
    except oracle.FailsError:
        verdict = "fails"
    except oracle.GoesOnError:
        verdict = "goes on"
    else:
        after = text[at : at + 1]
        verdict = "ends" if not after else None if after in b"{[" else "text follows"

    # What a text is that ends in a number or a word may depend on what follows: a line ends it.
    for found in (glance(text), judge(text)):
        # A text that follows no bracket is malformed too.
        utf8 = not_utf8(text) is None
        follows = found == "text follows" and not (utf8 and text[:1] in (b"{", b"["))
        assert (
            found in (verdict, None)
            or (verdict == "fails" and (follows or (found == "ends" and not utf8)))
            or (found == "goes on" and not end)
        )


@pytest.mark.parametrize(
    ("text", "first", "verdict"),
    [
        (b'{"a":1}\n', "ends", "ends"),
        (b'{"a":1,\n', None, "goes on"),
        (b'{"a":1,}\n', "fails", "fails"),
        (b'{"a":NaN}\n', "fails", "fails"),
        (b"{'a':1}\n", "fails", "fails"),
        (b'{"a":"cu\n', "fails", "fails"),
        (b'{"a":tru\n', "fails", "fails"),
        (b'{"a":01}\n', "fails", "fails"),
        (b'{"a":1\n{', "fails", "fails"),
        (b"2026-11-29 up\n", "text follows", "text follows"),
        (b'{"\xc3\xa9":1} x\n', "text follows", "text follows"),
        (b"\xef\xbb\xbf{}\n", None, None),
        (b"{}{}\n", None, None),
        (b'{"a":"\\ud800"}\n', None, None),
        (b'{"a":1e400}\n', "ends", None),
        (b'{"a":"\xff"}\n', "ends", None),
    ],
)
def test_a_parse_shows_what_most_lines_are(text, first, verdict):
    """Where it decides nothing, splitting a malformed input takes ten times as long."""
    assert (glance(text), judge(text)) == (first, verdict)


class Pieces:
    """A file that gives one piece for each call of ``read``."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = [*pieces]

    def read(self, _size: int = -1) -> bytes:
        return self.pieces.pop(0) if self.pieces else b""


LONG = b'{}\n{"a":1,\n' + b'"x":1,\n' * 60


@pytest.mark.parametrize(
    "pieces",
    [
        [LONG, b'[\n{"x":1}\n', b'bad\n{"c":1}\n{"d":2}\n'],
        [LONG, b'{"b":1,\n', b'{"c":1}\n{"d":2}\n'],
    ],
)
def test_no_line_is_lost_after_a_text_that_is_too_long(pieces):
    def expanded(pieces: list[bytes]) -> tuple[bytes, int]:
        out = io.BytesIO()
        report = expand_file(Pieces(pieces), out, max_record_bytes=100, jobs=1)
        return out.getvalue(), report.records

    written, records = expanded(pieces)

    assert (written, records) == expanded([b"".join(pieces)])
    assert written.endswith(b'{"c":1}\n{"d":2}\n')


@pytest.mark.parametrize("times", [1, 2, 20])
def test_a_malformed_text_that_is_too_long_is_never_kept(times):
    text = b"{}\n[,]\n" + b'[1,\n "b":2}\n' * times
    out = io.BytesIO()
    report = expand_file(io.BytesIO(text), out, malformed="keep", max_record_bytes=8, jobs=1)

    assert out.getvalue() == b"{}\n[,]\n"
    assert (report.written, report.failed, report.malformed) == (2, times, 1)


def test_a_document_ends_in_a_line_that_is_too_long():
    end = b"]" + b" x" * 2000
    text = b"[\n" + b"1" * 2000 + end + b"\n{}\n"

    found = [(r.raw[-3:], len(r.raw) + r.skipped) for r in records_of(text, "documents", 0, 3000)]

    assert found == [(b"11]", 2003), (b"x x", 4000), (b"{}", 2)]


# Streams of documents of which it is known which they are

BOM = "\ufeff"
# No line of them is a document, and none could be part of one.
TEXTS = [
    "WARNING: x", "2026-01-01 [10] bottles {x}", "[INFO] up, 3 of 4", "  two: [1] {}", "Done in 3.21 s",
    "{oops", '{"a": 1} and more', "é 1 2", "}", "],",
]  # fmt: skip


@st.composite
def documents(draw, compact):
    """Draw a document, and how it is written."""
    members = draw(st.dictionaries(st.sampled_from("abcé"), values, max_size=3))
    document = {"n": draw(st.integers(0, 1 << 70)), **members}
    shut = {name: layer(value) for name, value in document.items()}
    indent = None if compact else draw(st.sampled_from([None, None, 0, 1, 4]))
    return document, json.dumps(shut, indent=indent, ensure_ascii=draw(st.booleans()))


values: st.SearchStrategy[Any] = st.sampled_from(
    ["x", "{ [", 1.5, None, {"k": [1, {}]}, [], "\U0001f600\u20ac"]
)


def layer(value):
    return json.dumps(value) if isinstance(value, (dict, list)) else value


@st.composite
def streams(draw, compact):
    """
    Draw a stream, and the documents in it.

    Where a record is cut, none that follows could be the rest of it.
    """
    lines, wanted = [], []
    good = True
    for kind in draw(st.lists(st.sampled_from(["one", "one", "text", "cut", "blank"]), max_size=8)):
        document, text = draw(documents(compact))
        if kind == "one":
            several = [(document, text)]
            if not compact:
                several += draw(st.lists(documents(compact=True), max_size=2))
            wanted += [document for document, _ in several]
            text = draw(st.sampled_from(["", " ", "\t"])).join(text for _, text in several)
            # One that stands after a text belongs to that.
            lines.append(draw(st.sampled_from(["", BOM if good else ""])) + text)
            good = True
        elif kind == "text":
            good = False
            lines += draw(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3))
        elif kind == "cut":
            good = False
            lines.append(text[: text.index('"') + 2])
        else:
            lines.append(draw(st.sampled_from(["", "  ", "\t"])))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    text = "\n".join(lines).replace("\n", newline) + draw(st.sampled_from(["", newline]))
    return text, wanted


def squeezed(text):
    """Leave out byte order marks and blanks."""
    return text.replace(BOM.encode(), b"").translate(None, b" \t\r\n")


def check_stream(text, wanted, framing, encoding, jobs):
    mark = "" if encoding == "utf-8" else BOM
    # At the door the first mark goes, one of UTF-8 goes with the first record.
    raw = text.encode()
    source = (mark + text).encode(encoding)
    letters: list[DeadLetter] = []
    opened, came = io.BytesIO(), io.BytesIO()

    report = expand_file(
        io.BytesIO(source), opened, framing=framing, jobs=jobs, on_dead_letter=letters.append
    )
    expand_file(io.BytesIO(source), came, framing=framing, jobs=jobs, original=True)

    assert [json.loads(line) for line in opened.getvalue().splitlines()] == wanted
    assert (report.written, report.skipped, report.failed) == (len(wanted), 0, len(letters))
    assert report.records == report.written + report.failed
    rest, end = b"", 0
    for letter in letters:
        size = len(letter.raw)
        assert raw[letter.offset : letter.offset + size] == letter.raw
        assert original(letter.encode("x")) == letter.raw
        assert letter.encoding == (None if encoding == "utf-8" else encoding)
        assert letter.line == raw[: letter.offset].count(b"\n") + 1
        rest += raw[end : letter.offset]
        end = letter.offset + size
    assert squeezed(came.getvalue()) == squeezed(rest + raw[end:])


FALSE = (b"null\n", b"false\n", b"[]\n", b"{}\n", b'""\n')
ENCODINGS = ["utf-8", "UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"]


@given(streams(compact=False), st.sampled_from([None, "documents"]), st.sampled_from(ENCODINGS))
def test_each_document_comes_out_once_and_nothing_else(stream, framing, encoding):
    text, wanted = stream
    check_stream(text, wanted, framing, encoding, 1)


@given(streams(compact=True), st.sampled_from([None, "lines"]), st.sampled_from(ENCODINGS))
def test_each_line_comes_out_once_and_nothing_else(stream, framing, encoding):
    text, wanted = stream
    check_stream(text, wanted, framing, encoding, 1)


@pytest.mark.once
@pytest.mark.slow
@given(
    st.lists(streams(compact=False), min_size=1, max_size=4),
    st.sampled_from([None, "documents"]),
    st.sampled_from(ENCODINGS),
    st.sampled_from([1, 300]),
)
@settings(max_examples=int(60 * EFFORT))
def test_two_jobs_find_the_same_documents(several, framing, encoding, times):
    # A cut record ends before a line that begins with a bracket, which a mark is none of.
    # It may stand after blanks.
    texts = [text.lstrip(" \t\r\n") for text, _ in several]
    mark = BOM if texts[0].startswith(BOM) else ""
    text = mark + "".join(f"{text.removeprefix(BOM)}\n" for text in texts) * times
    wanted = [document for _, documents in several for document in documents] * times

    check_stream(text, wanted, framing, encoding, 2)


@given(
    texts,
    st.sampled_from([None, "lines", "documents"]),
    st.sampled_from(["dead", "keep", "wrap"]),
    st.sampled_from([None, "a", "[0]", "a > `0`"]),
    st.booleans(),
)
@settings(max_examples=int(500 * EFFORT))
@example(b'{"a":1}\n{"a":\n1}\n', "lines", "wrap", "a", False)
def test_what_is_written_is_what_the_rules_say(text, framing, malformed, where, as_it_came):
    told_apart = framing or ("documents" if begins_document(text) else "mixed")
    wanted, counts = b"", [0, 0, 0]
    for _, raw, good in oracle.split(text, told_apart):
        if good:
            tree = Decoder().expand(raw)
            chosen = where is None or compact(Decoder().query(where, raw)) not in FALSE
            counts[0 if chosen else 2] += 1
            wanted += (raw + b"\n" if as_it_came else compact(tree)) if chosen else b""
        else:
            counts[1] += 1
            wanted += {"dead": b"", "keep": raw + b"\n", "wrap": wrapped(raw)}[malformed]
    found = io.BytesIO()

    report = expand_file(
        io.BytesIO(text),
        found,
        framing=framing,
        malformed=malformed,
        where=where,
        original=as_it_came,
    )

    good, bad, skipped = counts
    assert found.getvalue() == wanted
    assert report.records == sum(counts)
    assert report.skipped == skipped
    if malformed == "dead":
        assert (report.written, report.malformed, report.failed) == (good, 0, bad)
    else:
        assert (report.written, report.malformed, report.failed) == (good + bad, bad, 0)


def begins_document(text):
    """Return whether the first line that is not blank is the beginning of a document."""
    first, newline, _ = text.removeprefix(b"\xef\xbb\xbf").lstrip(b" \t\r\n").partition(b"\n")
    try:
        oracle.value(first + newline, 0)
    except oracle.GoesOnError:
        return first[:1] in (b"{", b"[")
    except oracle.FailsError:
        return False
    return False


def compact(tree):
    return (
        json.dumps(tree, separators=(",", ":"), ensure_ascii=False).encode(
            "utf-8", "backslashreplace"
        )
        + b"\n"
    )


def wrapped(raw):
    try:
        return compact({"message": raw.decode()})
    except UnicodeDecodeError:
        return compact({"message_base64": base64.b64encode(raw).decode()})


# What people had in their files


def expand(text, *arguments, folder, jobs=1):
    """Run the command; return its output, its letters as they are replayed, and the counts."""
    (folder / "x").write_bytes(text)
    (folder / "dead").unlink(missing_ok=True)
    command = [sys.executable, "-m", "nestdecode"]
    options = ["--dead-letters", "dead", "--summary", "json", "--jobs", str(jobs)]
    done = subprocess.run(
        [*command, "expand", *options, *arguments, "x"],
        capture_output=True,
        cwd=folder,
        check=False,
    )
    letters = (folder / "dead").read_bytes()
    replayed = subprocess.run(
        [*command, "replay", "dead"], capture_output=True, cwd=folder, check=True
    )
    counts = json.loads(done.stderr.splitlines()[-1])

    assert done.returncode == (5 if letters else 0)
    assert counts["in"] == counts["out"] + counts["dead"] + counts["skipped"]
    assert counts["dead"] == letters.count(b"\n")
    return done.stdout, replayed.stdout, [json.loads(line)["line"] for line in letters.splitlines()]


CASES = [
    pytest.param(
        b'WARNING: x\n{\n "c": [\n  1\n ]\n}\n',
        b'{"c":[1]}\n',
        b"WARNING: x\n",
        id="a line of text, then a document",
    ),
    pytest.param(
        b'{\n"a":1\n}\nDone in 3.21 s, 12 files, 0 errors\n{\n"b":2\n}',
        b'{"a":1}\n{"b":2}\n',
        b"Done in 3.21 s, 12 files, 0 errors\n",
        id="a line of text between documents",
    ),
    pytest.param(
        b'{\n"a":1\n}\n one\n\n  two: [10] {x}\n\n{\n"b":2\n}',
        b'{"a":1}\n{"b":2}\n',
        b" one\n\n  two: [10] {x}\n",
        id="text over several lines, with its blanks",
    ),
    pytest.param(
        b'{"n":1}\n{\n "a": [\n  2\n ]\n}\n{"n":3}\n',
        b'{"n":1}\n{"a":[2]}\n{"n":3}\n',
        b"",
        id="lines, with a document over several in the middle",
    ),
    pytest.param(
        b'{"m":"{}"}{"m":"{}"}\n', b'{"m":{}}\n{"m":{}}\n', b"", id="two records on a line"
    ),
    pytest.param(b'{"a":1} {"b":2}\n', b'{"a":1}\n{"b":2}\n', b"", id="with a blank between"),
    pytest.param(
        b'{"a":1} {"b":2\n{"c":3}\n',
        b'{"c":3}\n',
        b'{"a":1} {"b":2\n',
        id="a line of several that is cut short",
    ),
    pytest.param(
        b'[\n{"a":1},\n{"a":2}\n]\n', b'[{"a":1},{"a":2}]\n', b"", id="an array over lines"
    ),
    pytest.param(
        b'{"log":"cut\n{"log":"whole"}\n',
        b'{"log":"whole"}\n',
        b'{"log":"cut\n',
        id="a line that is cut short",
    ),
    pytest.param(
        b'{\n"a":{\n{"n":1}\n{"n":2}\n', b'{"n":1}\n{"n":2}\n', b'{\n"a":{\n', id="a cut document"
    ),
    pytest.param(
        b"2026-01-01 [10] bottles {x}\n[INFO] up\n1 2 3\n",
        b"",
        b"2026-01-01 [10] bottles {x}\n[INFO] up\n1 2 3\n",
        id="text that holds brackets and numbers",
    ),
    pytest.param(
        b'{}\n[\n{"a":1}\n,\n [\n]\n,\n x\n',
        b'{}\n{"a":1}\n[]\n',
        b"[\n,\n,\n x\n",
        id="an indented document after the first line that is whole",
    ),
]


@pytest.mark.slow
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(("text", "records", "dead"), CASES)
def test_nothing_is_invented_and_nothing_is_lost(text, records, dead, jobs, tmp_path):
    out, replayed, lines = expand(text, folder=tmp_path, jobs=jobs)

    assert (out, replayed) == (records, dead)
    assert all(text.split(b"\n")[line - 1].strip() for line in lines)


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("framing", [(), ("--lines",), ("--documents",)], ids=lambda f: "".join(f))
def test_jobs_records_and_letters_are_the_same(framing, tmp_path):
    chance = random.Random(7)
    text = b"\n".join(chance.choice(LINES) for _ in range(40_000)) + b"\n"
    one = expand(text, *framing, folder=tmp_path)

    assert expand(text, *framing, folder=tmp_path, jobs=2) == one
    assert one[0].count(b"\n") > 1000


BROKEN = {
    "members": b'{"a":1,\n',
    "objects": b'{"a":\n',
    "brackets": b"[\n",
    "strings": b'{"a":"x\n',
    "mismatches": b'{"a":1]\n',
    "whole lines in an array": b'{"a":1},\n',
    "whole lines, and brackets": b'{"a":1}\n[\n',
    "documents that fail": b'{\n"a" 1\n}\n',
    "cut log lines": json.dumps({"log": "x" * 3000}).encode()[:1000] + b"\n",
    "text": b"a line of text, 1 2 3\n",
    "multibyte": '{"é":"\u20ac\n'.encode(),
    "several on a line, cut": b'{"a":1} {"b":2} {"c":\n',
    "blanks": b"{\n\n\n   \n",
}


def seconds(text, framing):
    begin = time.process_time()
    for _ in read_batches(pieces_of(text, 0), MANY, framing):
        pass
    return time.process_time() - begin


@pytest.mark.once
@pytest.mark.slow
@pytest.mark.parametrize("framing", ["mixed", "documents"])
@pytest.mark.parametrize("piece", BROKEN.values(), ids=BROKEN)
def test_splitting_is_linear(piece, framing):
    small, large = (piece * (size // len(piece)) for size in (1 << 14, 1 << 18))

    # What else runs on the machine can only add to a time: one of three is enough.
    assert any(seconds(large, framing) < 40 * seconds(small, framing) + 0.1 for _ in range(3))


@pytest.mark.parametrize("most", [1, 2, 5, 2000])
@pytest.mark.parametrize("framing", ["lines", "mixed", "documents"])
@pytest.mark.parametrize("sizes", [0, 1, 2])
def test_of_a_record_that_is_too_long_the_beginning_is_kept(framing, sizes, most):
    text = b'[1]\n{}\n"' + b"x" * 3000 + b'"\n[]\n' + b"[1,2,3,4]\n" + b"[\n1\n]\n"
    parts = [
        (batch.record(index), batch.skipped)
        for batch in read_batches(pieces_of(text, sizes), most, framing)
        for index in range(len(batch.raws))
    ]

    for record, skipped in parts:
        assert text[record.offset :].startswith(record.raw)
        assert len(record.raw) <= max(most, 1024)
        assert skipped == 0 or len(record.raw) == 1024
    if framing != "documents" or most > 2:  # else no line ends the text that is too long
        assert max(len(record.raw) + skipped for record, skipped in parts) == 3002
        assert {b"{}", b"[]"} <= {record.raw for record, _ in parts}
        assert sum(skipped for _, skipped in parts) == 3002 - 1024
