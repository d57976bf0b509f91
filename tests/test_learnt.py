"""
The learnt plan: whatever a Decoder has seen before, its answer is that of a fresh one.

And the answer of a fresh one is that of the oracle. Documents that break naive ways of
counting have names; without any one group of refused escapes, a test fails.
"""

import json
import os
import random
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

import nestdecode
from nestdecode import DecodeError, Decoder
from nestdecode.plan import learnt, memory
from nestdecode.text import scan
from tests import oracle, strategies

TRICKS = [
    pytest.param(r'{"a":"{}","b":"\u007b}"}', id="a bracket as an escape"),
    pytest.param(r'{"a":"{}","b":"\n{}"}', id="a newline before the bracket"),
    pytest.param(r'{"a":" {}","b":"[1]"}', id="a blank pays for a bracket"),
    pytest.param(r'{"e":"\"abc\"","b":"{}"}', id="an ETag is counted"),
    pytest.param(r'{"a":"\"{}\""}', id="stringified twice"),
    pytest.param(r'{"a":"{\u0022b\u0022:\u0022{}\u0022}"}', id="quotes as escapes"),
    pytest.param(r'{"a":"[\"\\n{}\"]"}', id="a deeper blank"),
    pytest.param(r'{"a":"[\"\\\u0075007b}\"]"}', id="an escape written with escapes"),
    pytest.param(r'{"a":"{}","b":" \n\"[1]\""}', id="blanks, then twice"),
    pytest.param(r'{"a":"{}","b":"\u0020{}"}', id="a blank as an escape"),
    pytest.param(r'{"a":"{}","b":"\u000a[]"}', id="a newline as an escape"),
    pytest.param(r'{"a":"{}","b":"\u0009[]"}', id="a tab as an escape"),
    pytest.param(r'{"a":"{}","b":"\u000D[]"}', id="a return as an escape"),
    pytest.param(r'{"a":"{}","b":"\u005b]"}', id="an array's bracket as an escape"),
    pytest.param(r'{"a":"[\"\u005cn{}\"]"}', id="a backslash as an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\u00\u0037b}\"]"}', id="a digit of an escape as an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\u007\u0062}\"]"}', id="a letter of an escape as an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\u007\u0042}\"]"}', id="a capital of an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\\u006e{}\"]"}', id="the n of a newline as an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\\u0072{}\"]"}', id="the r of a return as an escape"),
    pytest.param(r'{"a":"{}","b":"[\"\\\u0074{}\"]"}', id="the t of a tab as an escape"),
    pytest.param('{"a":"{}","a":"[1]"}', id="a member twice"),
    pytest.param('{"{}":"{}","[":"[1]"}', id="keys that look like layers"),
    pytest.param('{"a":"{}","b":"say \\"{x}\\" twice"}', id="quoted brackets in a text"),
    pytest.param('{"a":"[INFO] up","b":"{}"}', id="text where a layer was"),
    pytest.param('{"a":{"b":"{}"},"b":"{}"}', id="an object where a layer was"),
    pytest.param('["{}",["[1]"],{"a":"{}"}]', id="an array at the root"),
    pytest.param('{"a":"{\\"n\\":18446744073709551616}","b":"{}"}', id="a long integer inside"),
    pytest.param(r'{"a":"{\"n\":1\u0038446744073709551616}","b":"{}"}', id="one, a digit escaped"),
    pytest.param('{"a":"{}","b":-9223372036854775809}', id="a long negative integer"),
    pytest.param('{"a":"{}","b":[18446744073709551616]}', id="a long integer in an array"),
    pytest.param('{"a":"{\\"x\\":\\"\\\\ud800\\"}"}', id="a lone surrogate inside"),
    pytest.param('{"a": "{}", "b" : " { } "}', id="blanks all over"),
    pytest.param('{"a":"\\t{\\"x\\": \\"\\\\n [1]\\"}"}', id="blanks at every depth"),
    pytest.param('{"a":"{\\"x\\":\\"\\"}","b":"{}"}', id="an empty string inside"),
]

# What a decoder has seen before: it expects layers at a, at b, at e, in all of them.
SCHOOLS = [
    ['{"a":"{}","b":"[1]"}'],
    ['{"a":"{}","b":"x"}', '{"e":"{\\"x\\":\\"{}\\"}"}'],
    ['{"a":"[\\"[1]\\"]"}', '{"a":"[INFO] up"}', '{"a":"{}","b":"{}"}'],
    ['{"' + key + '":"{}"}' for key in "abcdefghijkl"],
    ['{"a":"{\\"b\\":\\"{}\\"}","e":"{}"}'],
    ['["{}",["[1]"],{"a":"{}"}]'],
]


def taught(school):
    decoder = Decoder()
    for i in range(100):
        decoder.expand(school[i % len(school)].encode())
    return decoder


DECODERS = [taught(school) for school in SCHOOLS]


@pytest.mark.parametrize("text", TRICKS)
@pytest.mark.parametrize("decoder", DECODERS, ids=range(len(DECODERS)))
def test_a_trick_is_expanded_as_the_oracle_does(decoder, text):
    expected = oracle.expand(oracle.loads(text))

    assert oracle.same(decoder.expand(text.encode()), expected)


@pytest.mark.parametrize(
    ("group", "text"),
    [
        pytest.param("09", r'{"a":"{}","b":"\u0009{}"}', id="tab"),
        pytest.param("0[aAdD]", r'{"a":"{}","b":"\u000a{}"}', id="newline"),
        pytest.param("2[02]", r'{"a":"{}","b":"\u0020{}"}', id="space"),
        pytest.param("3[0-9]", r'{"a":"{}","b":"[\"\\u00\u0037b}\"]"}', id="digits"),
        pytest.param("4[1-6]", r'{"a":"{}","b":"[\"\\u007\u0042}\"]"}', id="capitals"),
        pytest.param("5[bBcC]", r'{"a":"{}","b":"\u005b]"}', id="bracket"),
        pytest.param("6[1-6]", r'{"a":"{}","b":"[\"\\u007\u0062}\"]"}', id="letters"),
        pytest.param("6[eE]", r'{"a":"{}","b":"[\"\\\u006e{}\"]"}', id="n"),
        pytest.param("7[245]", r'{"a":"{}","b":"[\"\\\u0074{}\"]"}', id="r, t, u"),
        pytest.param("7[bB]", r'{"a":"{}","b":"\u007b}"}', id="brace"),
    ],
)
def test_every_group_of_refused_escapes_is_needed(monkeypatch, group, text):
    decoder = taught(['{"a":"{}","b":"x"}'])
    pattern = scan._HIDING
    without = pattern.replace(group.encode() + b"|", b"").replace(b"|" + group.encode(), b"")
    assert without != pattern
    expected = oracle.expand(oracle.loads(text))
    assert oracle.same(decoder.expand(text.encode()), expected)

    monkeypatch.setattr(scan, "_HIDING", without)

    assert scan.visible(text.encode()) >= 0, "another group refuses it too"


@given(
    st.lists(strategies.documents,
             min_size=1, max_size=4),
    st.randoms(use_true_random=False),
)  # fmt: skip
def test_what_was_seen_changes_nothing(documents, rng):
    decoder = Decoder()
    for _ in range(rng.choice((6, 20, 90))):
        raw = rng.choice(documents).encode()
        try:
            expected = oracle.expand(oracle.decode(raw))
        except ValueError:
            with pytest.raises(DecodeError):
                decoder.expand(raw)
            continue
        assert oracle.same(decoder.expand(raw), expected)


def changed(rng, text):
    """Change a text by a few characters that matter to detection."""
    pieces = ['"', "\\", "{", "}", "[", "]", " ", "\\n", "\\u0022", "\\u005c", "\\u007b", '\\"']
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(text) + 1)
        text = text[:at] + rng.choice(pieces) + text[at + rng.randint(0, 2) :]
    return text


def test_mutated_documents_are_expanded_as_the_oracle_does():
    rng = random.Random(7)
    seeds = [param.values[0] for param in TRICKS] + [text for s in SCHOOLS for text in s]
    decoders = [taught(school) for school in SCHOOLS]
    expanded = 0
    for _ in range(20_000):
        text = changed(rng, rng.choice(seeds))
        try:
            expected = oracle.expand(oracle.loads(text))
        except (ValueError, RecursionError):
            continue
        expanded += 1

        assert oracle.same(rng.choice(decoders).expand(text.encode()), expected), text
    assert expanded > 1000


def learner_of(decoder):
    for cell in decoder.engine.method.__closure__ or ():
        if isinstance(cell.cell_contents, learnt.Learner):
            return cell.cell_contents
    raise AssertionError("no learner: was the hot path built another way?")


def places(place):
    below = [*place.members.values(), *filter(None, (place.rest, place.items))]
    return 1 + sum(map(places, below))


WHOLE = [
    *('{"a":1}', "{}", "{ }", "{\t}", "{\n}", "{\r}", "[]", "[ ]", "[\t]", "[\n]", "[\r]"),
    *("[{}]", "[[]]", '[""]', "[-1]", "[true]", "[false]", "[null]"),
    *(f"[{digit}]" for digit in range(10)),
]


@pytest.mark.parametrize("text", WHOLE, ids=repr)
def test_a_container_is_found_however_it_begins(text):
    for before in ([], ["[1}]"], [f"[{'9' * 25},]"]):
        document = json.dumps([*before, text, f" {text}", json.dumps(text), {"a": text}]).encode()
        wanted = json.dumps([*before, *[json.loads(text)] * 3, {"a": json.loads(text)}])

        assert nestdecode.dumps(Decoder().expand(document)).decode() == wanted.replace(" ", "")


@given(st.lists(st.sampled_from([*'{}[]"-1tfn,: x\n\u2028', "true"]), max_size=6).map("".join))
def test_a_text_between_brackets_is_found_as_the_oracle_finds_it(middle):
    document = json.dumps([f"[{middle}]", f"{{{middle}}}", f"[{middle}]"]).encode()

    assert Decoder().expand(document) == oracle.expand(json.loads(document))


def test_memory_is_bounded_by_a_stream_of_ever_new_shapes():
    rng = random.Random(3)
    decoder = Decoder()
    for _ in range(3000):
        closed: object = "[1]"
        for key in rng.choices("abcdefgh", k=8):
            closed = {key: closed}
        text = json.dumps(closed)

        assert decoder.expand(text.encode()) == oracle.expand(closed)

    assert places(learner_of(decoder)._memory.root) <= 2 * memory.MOST_PLACES


def test_lines_that_miss_the_plan_are_expanded_all_the_same():
    decoder = taught(SCHOOLS[0])
    lines = [text.encode() for school in SCHOOLS for text in school] * 200
    expected = [oracle.expand(oracle.loads(line.decode())) for line in lines]

    assert list(decoder.expand_lines(lines)) == expected


def test_a_signal_handler_does_not_wait_for_the_thread_that_it_interrupts():
    decoder = taught(SCHOOLS[0])
    learner = learner_of(decoder)
    for i in range(10_000):
        # A busy machine may have timed the plan badly: it is tried again.
        if learner._plan is not None:
            break
        decoder.expand(SCHOOLS[0][i % len(SCHOOLS[0])].encode())
    assert learner._plan is not None
    # As if a handler ran in a thread that learns: to wait for the lock is to wait for ever.
    with learner._lock:
        trees = [decoder.expand(b'{"a":"text {","b":"[1]"}') for _ in range(50)]

    assert trees == [{"a": "text {", "b": [1]}] * 50


FORK = """
import os, signal, threading
from tests.test_learnt import SCHOOLS, learner_of, taught

decoder = taught(SCHOOLS[0])
learner = learner_of(decoder)
held, go = threading.Event(), threading.Event()

def learn():
    with learner._lock:
        held.set()
        go.wait()

thread = threading.Thread(target=learn)
thread.start()
held.wait()
child = os.fork()
if not child:
    signal.alarm(20)
    for _ in range(100):
        assert decoder.expand(b'{"a":"text {","b":"[1]"}') == {"a": "text {", "b": [1]}
        assert decoder.expand(b'{"e":"{}"}') == {"e": {}}
    assert "e" in learner._memory.root.members, "nothing was learnt"
    os._exit(0)
status = os.waitpid(child, 0)[1]
go.set()
thread.join()
print(status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there are no forks")
def test_a_process_forked_while_a_thread_learns_learns_on():
    command = [sys.executable, "-W", "ignore", "-c", FORK]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    assert (done.stdout, done.stderr) == ("0\n", "")
