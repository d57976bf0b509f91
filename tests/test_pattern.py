"""Patterns of member names: what they match, what is refused, and that none explodes."""

import json
import random
import re
import time

import pytest

from nestdecode import Decoder, Spec, SpecError
from nestdecode.spec.pattern import Pattern
from nestdecode.spec.regular import PatternError

# pattern, names in which it is found, names in which it is not
FOUND = [
    ("", ["", "a"], []),
    ("a", ["a", "bab"], ["", "b"]),
    ("^a", ["ab"], ["ba"]),
    ("a$", ["ba"], ["ab", "a\n"]),
    ("^$", [""], ["a", "\n"]),
    ("^a|b$", ["ac", "cb"], ["cac", "bc"]),
    ("^(a|b)+$", ["abba"], ["", "abc"]),
    ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
    ("^a{2,}$", ["aa", "aaaaa"], ["a"]),
    ("^a{2}?b*?c+?d??$", ["aac", "aabbcd"], ["ac", "aad"]),
    ("^{a}{,2}x{$", ["{a}{,2}x{"], ["a"]),
    ("^[a-c_-]+$", ["a-b_c"], ["d", ""]),
    ("^[^a-c]$", ["d", "\n", "\U0001f600"], ["a", ""]),
    ("[]", [], ["", "a", "]"]),
    ("^[^]$", ["a", "\n"], [""]),
    (r"^[\]\\\-]+$", [r"]-\ ".strip()], ["a"]),
    (r"^[\b]$", ["\b"], ["b"]),
    ("^.$", ["a", "\U0001f600", "\ud800"], ["", "\n", "\r", "\u2028", "\u2029", "ab"]),
    (r"^\d\D$", ["1a"], ["a1", "\u0661a"]),
    (r"^\w\W$", ["_-", "a\xe9"], ["\xe9-", "aa"]),
    (r"^\s\S$", [" a", "\xa0a", "\ufeffa", "\u3000a"], ["aa", "\x1fa", "  "]),
    (r"\bab\b", ["ab", "-ab-", "x ab"], ["xab", "abx", "\xe9ab_"]),
    (r"a\Bb", ["ab"], ["a-b"]),
    (r"^\B$", [""], ["a"]),
    (r"^\t\n\v\f\r\0$", ["\t\n\v\f\r\0"], [""]),
    (r"^\cA\x41\u0042$", ["\x01AB"], ["AB"]),
    (r"^\u{1F600}\ud83d\ude00$", ["\U0001f600\U0001f600"], ["\U0001f600"]),
    (r"^\ud83d$", ["\ud83d"], ["\U0001f600"]),
    (r"^\/\.\$\^\@$", ["/.$^@"], []),
    ("^(?:a)(?<name>b)(c)$", ["abc"], ["ab"]),
    ("^x-", ["x-a"], ["ax-"]),
    ("a^b", [], ["ab", "a\nb"]),
    ("(^a)?b", ["ab", "cb"], ["a"]),
]


@pytest.mark.parametrize(("text", "names", "others"), FOUND, ids=[case[0] for case in FOUND])
def test_a_pattern_is_searched_for_as_ecma_262_says(text, names, others):
    pattern = Pattern(text)

    assert [name for name in (*names, *others) if pattern.search(name)] == names


WRONG = [
    ("(", "a parenthesis is not closed"),
    (")", "unbalanced parenthesis"),
    ("[a", "a character class is not closed"),
    ("[b-a]", "a range in a character class is wrong"),
    (r"[\d-x]", "a range in a character class is wrong"),
    ("*a", "nothing to repeat"),
    ("^*", "nothing to repeat"),
    ("a**", "a repetition is repeated"),
    ("a{2,1}", "a repetition's bounds are the wrong way round"),
    ("a\\", "ends in a backslash"),
    (r"\xg0", "an escape is cut short, or no character"),
    (r"\u{110000}", "an escape is cut short, or no character"),
    ("(?=a)", "look-around is not supported"),
    ("(?<!a)", "look-around is not supported"),
    (r"(a)\1", "a back-reference is not supported"),
    (r"(?<n>a)\k<n>", "a back-reference is not supported"),
    (r"\p{L}", r"a class of Unicode (\p) is not supported"),
    ("(?P<n>a)", "unknown group '(?P'"),
    ("(?i)a", "unknown group '(?i'"),
    ("(?<1>a)", "a group's name is wrong"),
    (r"\Aa", r"unknown escape '\A': the ends of a name are ^ and $"),
    (r"\y", r"unknown escape '\y'"),
    ("(" * 51 + ")" * 51, "groups are nested deeper than 50"),
    ("a" * 1025, "longer than 1024 characters"),
    ("a{99999999999}", "takes more than 4000 states: repeat less"),
    ("(?:a{1,1000}){1,1000}", "takes more than 4000 states: repeat less"),
    ("a.{30}b", "takes more than 2000 states: anchor it, or repeat less"),
]


@pytest.mark.parametrize(("text", "reason"), WRONG, ids=[case[0][:30] for case in WRONG])
def test_what_is_no_regular_pattern_is_refused_when_a_spec_is_read(text, reason):
    with pytest.raises(PatternError) as wrong:
        Pattern(text)
    with pytest.raises(SpecError) as caught:
        Spec.parse({"patternProperties": {"^ok$": {}, text: {}}})

    assert str(wrong.value) == reason
    assert caught.value.reason == f"pattern does not compile: {reason}"
    assert caught.value.pointer == f"/patternProperties/{text}"


def written(chance: random.Random, depth: int) -> str:
    """Write a pattern that Python's engine reads alike."""
    kind = chance.random()
    if depth == 0 or kind < 0.3:
        return chance.choice(
            r"a b 1 _ . \d \w \s \W \D [ab] [^a] [a-b1] \- [^\w] \x61 \u0062 [\d_] [^]".split()[:-1]
        )
    inner = written(chance, depth - 1)
    if kind < 0.6:
        return inner + chance.choice(["", "|"]) + written(chance, depth - 1)
    if kind < 0.8:
        return f"({inner}){chance.choice(['', '*', '+', '?', '{2}', '{1,3}', '{2,}', '*?'])}"
    edge = chance.choice(["^", "$", r"\b", r"\B"])
    return edge + inner if kind < 0.9 else inner + edge


def test_patterns_find_what_pythons_engine_finds():
    chance = random.Random(62)
    for _ in range(1_500):
        text = written(chance, chance.randrange(1, 6))
        # Its $ also stands before a last newline.
        python = re.compile(text.replace("$", r"\Z"), re.ASCII | re.DOTALL)
        pattern = Pattern(text)
        # Python before 3.14 finds no \B in a name without characters.
        names = ["".join(chance.choices("ab1_ -", k=chance.randrange(1, 7))) for _ in range(15)]

        assert [bool(python.search(name)) for name in names] == [
            pattern.search(name) for name in names
        ], text


EXPLOSIVE = [
    r"^([a-zA-Z0-9]+[._-]?)+$",
    "^(a+)+$",
    "(a|a)*b",
    "(.*)*x",
    "^(a|aa)+$",
    r"(\w+\s?)*!!",
    "^.*foo.*bar.*baz$",
]


@pytest.mark.parametrize("text", EXPLOSIVE)
def test_no_name_makes_a_pattern_explode(text):
    schema = {
        "properties": {"a" * 40 + "!": {}},
        "patternProperties": {text: {"type": "string", "contentMediaType": "application/json"}},
        "x-nestdecode": {"focus": "x"},
    }
    begin = time.process_time()
    decoder = Decoder(Spec.parse(schema))
    decoder.compile("a" * 40 + "1b")
    document = {"a" * 40 + "-!": "[1]", "a" * 100_000 + "\n": "[1]"}

    assert decoder.expand(json.dumps(document).encode()) == document
    assert time.process_time() - begin < 5  # it is endless if any is followed back
