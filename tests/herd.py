"""
Streams of documents that look alike until one differs: for code that learns from documents.

As a program it compares every learnt answer with the oracle, for the time it is given:
``python -m tests.herd --seconds 60 --seed 1``.
"""

import argparse
import copy
import json
import random
import re
import sys
import time
import traceback
from typing import Any

from nestdecode import DecodeError, Decoder, Spec
from nestdecode.plan import habits, learnt
from nestdecode.text import joined as together
from nestdecode.text.depth import is_deeper
from nestdecode.text.joined import joined, joined_lines
from tests import oracle

NAMES = ["a", "b", "c", "d"]
TEXTS = [
    "", " ", "text", "[INFO] up", "{x} [y]", '"quoted"', '"{}"', "{", "[1", "{}", " {}", "\n[1]", "\t {} ",
    '["{}"]', '" [1]"', "\u00e9", "\u2028", "[10] b", '{"a":', '""', "\\", '\\"', "12345678901234567890", "x" * 500,
]  # fmt: skip
NUMBERS = [
    0, -1, 1.5, 1e22, -0.0, 2**63, 2**64 - 1, 2**64, -(2**63), -(2**63) - 1, 10**19, 10**30, 12345678901234567890,
    99999999999999999999, -9999999999999999999, None, True, False,
]  # fmt: skip


def value(chance: random.Random, depth: int) -> Any:
    kind = chance.random()
    if depth <= 0 or kind < 0.25:
        return chance.choice(TEXTS if chance.random() < 0.6 else NUMBERS)
    if kind < 0.5:
        return {
            name: value(chance, depth - 1) for name in chance.sample(NAMES, chance.randint(0, 4))
        }
    if kind < 0.65:
        return [value(chance, depth - 1) for _ in range(chance.randint(0, 3))]
    return Layer(container(chance, depth - 1))


def container(chance: random.Random, depth: int) -> Any:
    while True:
        found = value(chance, depth)
        if isinstance(found, (dict, list)):
            return found
        depth = max(depth, 1)


class Layer:
    """A value that is written as a string of its own text."""

    def __init__(self, content: Any) -> None:
        self.content = content


def written(chance: random.Random, tree: Any, how: dict[str, Any]) -> str:
    """Return the text of a tree; *how* is the style, one for all documents of a herd."""

    def closed(tree: Any) -> Any:
        if isinstance(tree, Layer):
            text = dumped(closed(tree.content), how)
            return chance.choice(BLANKS) + text if chance.random() < how["blank"] else text
        if isinstance(tree, dict):
            return {name: closed(child) for name, child in tree.items()}
        return [closed(child) for child in tree] if isinstance(tree, list) else tree

    text = dumped(closed(tree), how)
    return STRING.sub(lambda token: escaped(chance, token[0], how), text)


STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
CHARACTER = re.compile(r"\\u....|\\?.", re.DOTALL)
BLANKS = [" ", "\n", "\t", "\r\n", "  "]


def dumped(tree: Any, how: dict[str, Any]) -> str:
    text = json.dumps(
        tree, indent=how["indent"], separators=how["separators"], ensure_ascii=how["ascii"]
    )
    if how["quote"]:
        text = text.replace('\\"', "\\u0022")
    return text


def escaped(chance: random.Random, token: str, how: dict[str, Any]) -> str:
    """Return a string token with some characters escaped without need."""

    def unit(character: re.Match[str]) -> str:
        raw = character[0]
        if len(raw) == 1 and (raw in how["escaped"] or chance.random() < how["any"]):
            return f"\\u{ord(raw):04x}" if raw <= "\uffff" else raw
        return raw

    return f'"{CHARACTER.sub(unit, token[1:-1])}"' if how["escaped"] or how["any"] else token


def changed(chance: random.Random, tree: Any) -> Any:
    """Return a tree with up to five places changed."""
    tree = copy.deepcopy(tree)
    for _ in range(chance.choice([0, 1, 1, 2, 5])):
        places = list(slots(tree))
        if not places:
            break
        inside, key = chance.choice(places)
        act = chance.random()
        if act < 0.25 and isinstance(inside, dict):
            del inside[key]
        elif act < 0.4 and isinstance(inside, dict):
            inside[chance.choice(NAMES)] = value(chance, 2)
        elif act < 0.5:
            inside[key] = Layer(inside[key]) if isinstance(inside[key], (dict, list)) else {}
        elif act < 0.6 and isinstance(inside, list):
            inside.append(copy.deepcopy(inside[key]))
        elif act < 0.65:
            inside[key] = nested(chance.randint(190, 210), chance)
        else:
            inside[key] = value(chance, 2)
    return tree


def nested(depth: int, chance: random.Random) -> Any:
    tree: Any = []
    for _ in range(depth // chance.choice([1, 2, 4])):
        tree = [tree] if chance.random() < 0.5 else {"a": tree}
    return Layer(tree) if chance.random() < 0.5 else tree


def slots(tree: Any) -> Any:
    if isinstance(tree, Layer):
        tree = tree.content
    if isinstance(tree, (dict, list)):
        for key, child in tree.items() if isinstance(tree, dict) else enumerate(tree):
            yield tree, key
            yield from slots(child)


def mutated(chance: random.Random, text: str) -> str:
    """Return a text with a few characters changed."""
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(text) + 1)
        what = chance.choice(
            [
                '"',
                "\\",
                "{",
                "}",
                "[",
                "]",
                ",",
                " ",
                "\\u0022",
                "\\u007b",
                "\\u005c",
                "\\n",
                "9" * 20,
                "\\ud800",
                "\\u0031",
                "\\u003a",
                "\\u002c",
                "\\u002d",
                "",
            ]
        )
        text = text[:at] + what + text[at + chance.choice([0, 0, 1]) :]
    return text


def shape_of(tree: Any, chance: random.Random, share: float = 0.95) -> dict[str, Any]:
    """Return a schema that declares the layers of a tree, for a share of its members."""
    if isinstance(tree, Layer):
        inside = shape_of(tree.content, chance, share)
        kind = "array" if isinstance(tree.content, list) else "object"
        layer: dict[str, Any] = {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": {**inside, "type": kind} if chance.random() < 0.5 else inside,
        }
        if chance.random() < 0.2:
            return {"anyOf": [layer, {"type": "string"}]}
        if chance.random() < 0.2:
            return {"anyOf": [layer, {"enum": ["", "text"]}]}
        return layer
    if isinstance(tree, dict):
        told = [name for name in tree if chance.random() < share]
        return {"properties": {name: shape_of(tree[name], chance, share) for name in told}}
    if isinstance(tree, list) and tree:
        return {"items": shape_of(tree[0], chance, share)}
    return {}


# How everything is learnt from very few documents.
HURRY: dict[Any, dict[str, int]] = {
    habits: {
        "WATCHED": 2,
        "PROVING": 2,
        "MOST_MISSES": 3,
        "SHORTEST_REST": 4,
        "LONGEST_REST": 16,
    },
    together: {"LONGEST_APART": 0},
    learnt: {"LEARN_FROM": 2, "TRIAL": 2, "SHORTEST_REST": 2},
}


def herd(chance: random.Random, count: int) -> tuple[Any, list[bytes]]:
    """Return a tree, and texts of the same tree with changes, all in one style."""
    tree = container(chance, chance.randint(1, 5))
    how = {
        "indent": chance.choice([None, None, 1]),
        "separators": chance.choice([(",", ":"), None, (" ,", " : ")]),
        "ascii": chance.random() < 0.5,
        "quote": chance.random() < 0.25,
        "blank": chance.choice([0, 0, 0, 0.3]),
        "escaped": chance.choice(["", "", "", ":", ",", "-", ":,-", "0123456789", "{}[]"]),
        "any": chance.choice([0, 0, 0, 0, 0.01, 0.1]),
    }
    documents = []
    for number in range(count):
        one = tree if number < 12 or chance.random() < 0.4 else changed(chance, tree)
        text = written(chance, one, how)
        if number > 12 and chance.random() < 0.3:
            text = mutated(chance, text)
        documents.append(text.encode("utf-8", "surrogatepass"))
    return tree, documents


class Told(list[tuple[str, str]]):
    """The problems that were reported."""

    def __call__(self, problem: DecodeError) -> None:
        self.append((problem.pointer, problem.reason))


def outcome(function: Any, document: Any) -> Any:
    try:
        return function(document)
    except DecodeError as error:
        return f"{type(error).__name__}: {error}"


def same(one: Any, other: Any) -> bool:
    if isinstance(one, str) or isinstance(other, str):
        return bool(one == other)
    return oracle.same(one, other)


def made(spec: Spec | None, limits: dict[str, int], told: Told | None) -> Decoder:
    return Decoder(
        spec,
        on_problem=told,
        max_layers=limits.get("max_layers"),
        max_depth=limits.get("max_depth"),
    )


def compare(chance: random.Random, count: int = 30) -> None:
    """Compare what a learnt plan makes of a herd with the careful way."""
    try:
        tree, documents = herd(chance, count)
    except RecursionError:
        return  # too deep to be written by this
    limits = chance.choice(
        [{}, {}, {}, {"max_layers": chance.randint(0, 3)}, {"max_depth": chance.randint(1, 9)}]
    )
    told, problems = Told(), Told()
    listens = chance.random() < 0.3
    spec = None
    if chance.random() < 0.5:
        if chance.random() < 0.7:
            schema = shape_of(tree, chance)
        else:
            schema = shape_of(tree, chance, chance.choice([0, 0.5, 0.95]))
            schema["x-nestdecode"] = {"undeclared": "open"}
        spec = Spec.parse(json.dumps(schema))
    decoder = made(spec, limits, told if listens else None)
    careful = made(spec, limits, problems if listens else None)
    for number, document in enumerate(documents, 1):
        told.clear()
        problems.clear()
        entry: Any = document
        if chance.random() < 0.1:
            try:
                entry = document.decode()
            except UnicodeDecodeError:
                entry = bytearray(document)
        ours = outcome(decoder.expand, entry)
        wanted = outcome(careful.engine.carefully, document)
        if not same(ours, wanted) or told != problems:
            raise AssertionError(f"{limits}\n{document!r}\n{ours}\n{wanted}\n{told}\n{problems}")
        if spec is None and not limits:
            try:
                expected = oracle.expand(oracle.decode(document))
            except (ValueError, RecursionError):
                expected = None
            found = expected is not None and not is_deeper(expected, 200)
            if found and not oracle.same(ours, expected):
                raise AssertionError(f"{document!r}\n{ours}\n{expected}")
        if number in (12, len(documents)):
            told.clear()
            for _ in range(5):
                compare_batch(chance, decoder, careful, documents)
            if told:
                raise AssertionError(f"{limits}\n{documents}\n{told}")


# Records, and pieces of records, that could be taken for more or fewer than they are.
PIECES = [
    *(b"{}", b"{} {}", b"[]", b"[", b"]", b"{", b"}", b'"', b'""', b"", b" ", b"0", b"1,2", b","),
    *(b"],[", b'"{}"', b'{"a":"', b'"}', b"[[", b"]]", b"null", b"\xef\xbb\xbf{}", b"\\", b'\\"'),
    *(b"[" * 99 + b"]" * 99, b'["\\ud800"]', b"12345678901234567890", b"1234567890", b"1e400"),
]


def compare_batch(
    chance: random.Random, decoder: Decoder, careful: Decoder, documents: list[bytes]
) -> None:
    """Compare several documents of a herd at once with the careful way for each."""
    expand_many = decoder.engine.expand_many
    if expand_many is None:
        return
    batch = chance.choices(documents[:12] if chance.random() < 0.5 else documents, k=5)
    for _ in range(chance.choice([0, 0, 0, 1, 2])):
        batch[chance.randrange(5)] = chance.choice(PIECES)
    if chance.random() < 0.2:
        cut = batch.pop()
        at = chance.randrange(len(cut) + 1)
        batch += [cut[:at], cut[at:]]
    chance.shuffle(batch)
    if not any(b"\n" in document for document in batch) and chance.random() < 0.5:
        records = joined_lines(b"".join(document + b"\n" for document in batch))
    else:
        records = joined(batch)
    trees = expand_many(records)
    if trees is None:
        return
    wanted = [outcome(careful.engine.carefully, document) for document in batch]
    if len(trees) != len(wanted) or not all(map(same, trees, wanted)):
        raise AssertionError(f"{batch}\n{trees}\n{wanted}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    for module, names in HURRY.items():
        for name, number in names.items():
            setattr(module, name, number)
    end = time.monotonic() + options.seconds
    number = 0
    while time.monotonic() < end:
        seed = f"{options.seed}-{number}"
        try:
            compare(random.Random(seed))
        except Exception:  # noqa: BLE001
            raise SystemExit(f"{traceback.format_exc()}\nseed {seed}, {number} herds") from None
        number += 1
    sys.stdout.write(f"{number} herds, {30 * number} documents: nothing found\n")


if __name__ == "__main__":
    main()
