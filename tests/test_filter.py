"""``nestdecode filter``: a line out for each line in, the right one, whatever comes."""

import contextlib
import io
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from typing import Any

import pytest

from nestdecode import DecodeError, Decoder
from nestdecode.integrations import rsyslog
from nestdecode.stream.filtering import Filter
from nestdecode.text.joined import joined_lines
from nestdecode.text.write import dump, dump_lines
from tests import command, herd, oracle
from tests.strategies import EFFORT

FILTER = [sys.executable, "-m", "nestdecode", "filter"]


def spawn(**options: Any) -> Any:
    """Start the command, its input and output pipes."""
    return subprocess.Popen(FILTER, stdin=subprocess.PIPE, stdout=subprocess.PIPE, **options)


def run(*options, stdin, **environment):
    """Run the command, and return stdout, stderr and its exit code."""
    done = command.run("filter", *options, stdin=stdin, env={**os.environ, **environment})
    return done.stdout, done.stderr.decode(), done.returncode


BROKEN = b"\n".join(
    [
        b'{"a":"[1]"}',
        b"plain",
        b"",
        b'{"broken":',
        b' {"b": 1} {"c": 2}',
        b"  ",
        rb'{"n":"{\"n\":18446744073709551617}"}',
        b"",
    ]
)
OPENED = BROKEN.replace(rb'"[1]"', b"[1]").replace(
    rb'"{\"n\":18446744073709551617}"', b'{"n":18446744073709551617}'
)


def test_each_line_is_opened_or_goes_as_it_came():
    assert run(stdin=BROKEN) == (OPENED, "", 0)


def test_counts_and_reasons_are_there_for_who_asks():
    _, text, _ = run("--summary", "text", stdin=BROKEN)
    _, figures, _ = run("--summary", "json", stdin=BROKEN)
    _, reasons, _ = run("-v", stdin=BROKEN)

    assert text == "nestdecode: 7 lines: 2 opened, 5 as they came (3 failed)\n"
    assert json.loads(figures) == {"in": 7, "out": 7, "opened": 2, "failed": 3}
    assert [reason.split(": ")[2:4] for reason in reasons.splitlines()] == [
        [f"line {line}", "invalid JSON"] for line in (2, 4, 5)
    ]


def test_the_last_line_may_lack_its_newline():
    assert run(stdin=b'{"a":"[1]"}') == (b'{"a":[1]}\n', "", 0)
    assert run(stdin=b"plain") == (b"plain\n", "", 0)
    assert run(stdin=b"") == (b"", "", 0)


@pytest.mark.parametrize(
    "start", [b"\x1f\x8b\x08", b"BZh9", b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf"], ids=repr
)
def test_what_begins_like_something_else_is_lines_all_the_same(start):
    stdin = start + b'text\n{"a":"[1]"}\n'

    assert run(stdin=stdin) == (start + b'text\n{"a":[1]}\n', "", 0)


def test_a_line_beyond_the_limit_goes_through_whole_whatever_the_pieces():
    long = b'{"a":"' + b"x" * 300_000 + b'"}'
    stdin = b'{"a":"[1]"}\n' + long + b'\n{"a":"[2]"}\n' + long
    wanted = b'{"a":[1]}\n' + long + b'\n{"a":[2]}\n' + long + b"\n"

    assert run("--max-record-bytes", "100", stdin=stdin)[0] == wanted
    for size in (1, 7, 64, 1 << 16):
        lines = filter_of(Decoder(max_record_bytes=100))
        written = io.BytesIO()
        lines.run(reader(stdin, lambda size=size: size), written.write)
        assert written.getvalue() == wanted
        assert (lines.counts.lines, lines.counts.opened, lines.counts.failed) == (4, 2, 2)


def test_only_the_named_members_are_opened():
    stdin = (
        rb'{"log":"{\"a\":\"[1]\"}", "raw":"{}"}'
        b"\n"
        b'{"log":"up", "raw":"{}"}\n[{"log":"{}"}]\n{"raw":"{}"}\ntext\n{"log": {"a":"[1]"}}\n'
    )
    out, err, code = run("--field", "log", "--summary", "json", stdin=stdin)

    assert out.splitlines() == [
        b'{"log":{"a":[1]},"raw":"{}"}',
        *stdin.splitlines()[1:5],
        b'{"log":{"a":[1]}}',
    ]
    assert (json.loads(err)["opened"], code) == (2, 0)


def test_a_member_that_is_text_is_no_failure_and_one_that_is_cut_has_its_place():
    stdin = b'{"log":"up"}\n{"a":1}\n{"log":"[INFO] up"}\n{"log":"{\\"a\\":"}\n'

    out, err, _ = run("--field", "log", "-v", "--summary", "json", stdin=stdin)

    assert out == stdin
    *reasons, figures = err.splitlines()
    assert [reason.rpartition(" - at ")[2] for reason in reasons] == ["/log", "/log"]
    assert json.loads(figures) == {"in": 4, "out": 4, "opened": 0, "failed": 2}


def test_a_spec_says_what_a_member_holds(tmp_path):
    (tmp_path / "s.yaml").write_text("nestdecode: 1\nlayers: {a: json}\n")
    stdin = b'{"log":"{\\"a\\":\\"[1]\\",\\"b\\":\\"[2]\\"}"}\n'

    out, _, _ = run("-s", str(tmp_path / "s.yaml"), "--field", "log", stdin=stdin)

    assert out == b'{"log":{"a":[1],"b":"[2]"}}\n'


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--under", "a"), "--under needs --for"),
        (("--for", "rsyslog", "--field", "a"), "--field can't be used with --for"),
        (("--for", "rsyslog", "-v"), "rsyslog would take it for a reply"),
        (("--for", "rsyslog", "--summary", "json"), "nothing can go to stderr"),
        (("-q", "-v"), "--verbose and --quiet can't be used together"),
        (("-q", "--summary", "json"), "--summary and --quiet can't be used together"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, message):
    out, err, code = run(*options, stdin=b"")

    assert (out, code) == (b"", 2)
    assert message in err


def test_a_spec_without_layers_is_no_reply(tmp_path):
    (tmp_path / "s.json").write_text("{}")

    out, err, code = run("--for", "rsyslog", "-s", str(tmp_path / "s.json"), stdin=b'{"a":"[1]"}\n')

    assert (out, err, code) == (b'{"$!":{"a":"[1]"}}\n', "", 0)


def test_a_spec_that_is_wrong_is_told_at_once():
    out, err, code = run("-s", "nothing-like-it", stdin=b"text\n")

    assert (out, code) == (b"", 3)
    assert err.startswith("nestdecode: ")


def test_an_answer_is_there_before_the_next_line_is():
    with spawn() as process:
        for number in range(50):
            os.write(process.stdin.fileno(), b'{"a":"[%d]"}\n' % number)
            assert select.select([process.stdout], [], [], 20)[0]
            assert os.read(process.stdout.fileno(), 100) == b'{"a":[%d]}\n' % number
        os.write(process.stdin.fileno(), b'{"a"')
        process.stdin.close()
        assert process.stdout.read() == b'{"a"\n'
        assert process.wait() == 0


def test_sigterm_ends_it_between_two_lines():
    with spawn() as process:
        os.write(process.stdin.fileno(), b'{"a":"[1]"}\n')
        assert os.read(process.stdout.fileno(), 100) == b'{"a":[1]}\n'
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == b""
        assert process.wait() == 143


def test_who_leaves_the_pipe_ends_it():
    with spawn(stderr=subprocess.PIPE) as process:
        process.stdout.close()
        with contextlib.suppress(BrokenPipeError):
            while process.poll() is None:
                os.write(process.stdin.fileno(), b"text\n" * 1000)
        process.stdin.close()
        assert (process.wait(), process.stderr.read()) == (141, b"")


def filter_of(decoder):
    many = decoder.engine.expand_many

    def together(lines):
        trees = many(lines)
        return None if trees is None else dump_lines(trees)

    return Filter(
        lambda line: dump(decoder.expand(line)), together, decoder.limits.max_record_bytes
    )


def reader(text, size):
    """Return what reads a text in pieces of some sizes."""
    at = 0

    def read(_most):
        nonlocal at
        piece = text[at : at + size()]
        at += len(piece)
        return piece

    return read


def lines_of(chance, number):
    """Make lines: documents that look alike, broken ones, text, and bytes."""
    lines: list[bytes] = []
    while len(lines) < number:
        _, documents = herd.herd(chance, 40)
        for document in documents:
            text = document.decode("utf-8", "surrogatepass")
            kind = chance.random()
            if kind < 0.2:
                text = herd.mutated(chance, text)
            raw = text.encode("utf-8", "surrogatepass")
            if kind > 0.95:
                raw = chance.choice([b"", b"  ", b"up", b"[INFO] up", b"\xff", b"1 2", b"{}{}"])
            elif kind > 0.9:
                raw = raw[: chance.randrange(len(raw) + 1)]
            lines.append(raw.replace(b"\n", b" "))
    return lines[:number]


def wanted_for(line):
    """Return what the oracle makes of a line; None where it is to go as it came."""
    try:
        return oracle.expand(oracle.decode(line))
    except (ValueError, RecursionError):
        return None


def check_lines(seed, number):
    chance = random.Random(seed)
    lines = lines_of(chance, number)
    text = b"\n".join([*lines, b""])
    lines_filter = filter_of(Decoder())
    written = io.BytesIO()
    lines_filter.run(reader(text, lambda: chance.choice([1, 50, 4096, 1 << 16])), written.write)
    answers = written.getvalue().split(b"\n")
    assert answers.pop() == b""
    assert len(answers) == len(lines)
    problems: list[DecodeError] = []
    careful = Decoder(on_problem=problems.append)
    for line, answer in zip(lines, answers, strict=True):
        if answer == line:
            wanted = wanted_for(line)
            if wanted is None:
                continue
        problems.clear()
        try:
            tree = careful.expand(line)
        except DecodeError:
            assert answer == line
            continue
        assert answer == dump(tree)
        # The oracle knows no limits.
        wanted = None if problems else wanted_for(line)
        assert wanted is None or oracle.same(json.loads(answer), wanted)
    return lines_filter.counts


def answer_many(number):
    """Check so many lines; a million by ``python -m tests.test_filter``."""
    seen = failed = seed = 0
    while seen < number:
        counts = check_lines(1000 + seed, 5_000)
        seen, failed, seed = seen + counts.lines, failed + counts.failed, seed + 1

    assert seen / 20 < failed < seen / 2


def test_each_answer_is_that_of_the_oracle():
    for seed in range(round(10 * EFFORT)):
        check_lines(seed, 400)


@pytest.mark.once
@pytest.mark.slow
def test_many_lines_are_answered_as_by_the_oracle():
    answer_many(30_000)


def test_joined_lines_are_answered_as_they_are_by_themselves():
    many = filter_of(Decoder())
    text = b'{"a":"[1]"}\n' * 5000

    assert many.lines(text) == b'{"a":[1]}\n' * 5000
    assert len(joined_lines(text).records) == many.counts.opened


REPLIES = [
    pytest.param(rb' {"a":"[1]"}', {"$!": {"a": [1]}}, {"a": [1]}, id="a blank before it"),
    pytest.param(rb' @cee: {"a":"[1]"}', {"$!": {"a": [1]}}, {"a": [1]}, id="the cookie"),
    pytest.param(b"[1]", None, [1], id="an array"),
    pytest.param(
        b'{"n":9223372036854775807,"m":-9223372036854775808}',
        {"$!": {"n": 2**63 - 1, "m": -(2**63)}}, {"n": 2**63 - 1, "m": -(2**63)},
        id="64 bits",
    ),
    pytest.param(
        b'{"n":9223372036854775808,"m":[-9223372036854775809]}',
        {"$!": {"n": "9223372036854775808", "m": ["-9223372036854775809"]}},
        {"n": "9223372036854775808", "m": ["-9223372036854775809"]},
        id="beyond 64 bits",
    ),
    pytest.param(
        rb'{"b":"{\"n\":\u0039223372036854775808}"}',
        {"$!": {"b": {"n": "9223372036854775808"}}}, {"b": {"n": "9223372036854775808"}},
        id="digits as escapes",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("line", "members", "tree"), REPLIES)
def test_a_reply_of_mmexternal_holds_the_tree(line, members, tree):
    full = json.dumps({"msg": line.decode(), "rawmsg": "x"}).encode()
    ways: list[tuple[rsyslog.Interface, bytes]] = [("msg", line), ("fulljson", full)]
    for interface, sent in ways:
        reply = rsyslog.replies(Decoder(), interface)(sent)
        assert (None if reply is None else json.loads(reply)) == members
        under = rsyslog.replies(Decoder(), interface, "doc")(sent)
        assert under is not None
        assert json.loads(under) == {"$!": {"doc": tree}}


@pytest.mark.parametrize(
    "line", [b"{}", b'{"msg":1}', b"[]", b'{"rawmsg":"{}"}', b'{"msg":"text"}', b"text", b'{"msg":']
)
def test_what_is_no_message_with_json_changes_nothing(line):
    out, err, code = run("--for", "rsyslog-fulljson", stdin=line + b"\n")

    assert (out, err, code) == (b"{}\n", "", 0)


def test_integers_in_encoded_layers_are_held_too(tmp_path):
    (tmp_path / "s.yaml").write_text("nestdecode: 1\nlayers: {a: base64 | json}\n")
    stdin = b'{"a":"eyJuIjo5OTk5OTk5OTk5OTk5OTk5OTk5OX0="}\n'

    out, _, _ = run("--for", "rsyslog", "-s", str(tmp_path / "s.yaml"), stdin=stdin)

    assert out == b'{"$!":{"a":{"n":"99999999999999999999"}}}\n'


def test_a_reply_is_one_line_for_a_message_that_is_too_long():
    stdin = b'{"a":"' + b"x" * 200_000 + b'"}\n {"a":"[1]"}\n'

    out, _, _ = run("--for", "rsyslog", "--max-record-bytes", "1000", stdin=stdin)

    assert out == b'{}\n{"$!":{"a":[1]}}\n'


def test_time_is_linear_in_an_unfinished_line():
    def seconds(size):
        text = b'{"a":"' + b"x" * size
        start = time.process_time()
        filter_of(Decoder()).run(reader(text, lambda: 100), lambda _text: None)
        return time.process_time() - start

    assert min(seconds(4 << 20) for _ in range(3)) < 16 * min(seconds(1 << 20) for _ in range(3))


if __name__ == "__main__":
    answer_many(1_000_000)
