"""
Open, change and collapse very many random documents; tests/test_document.py does a few.

    python -m tests.soak replace --count 100000
"""

import argparse
import copy
import random
import sys
from collections.abc import Callable, Iterator
from typing import Any

import nestdecode
from tests import oracle
from tests.strategies import NEAR_MISSES, TEXTS_OF_LAYERS, Style

LAYOUTS: list[dict[str, Any]] = [
    {},
    {"separators": (", ", ": ")},
    {"separators": (",", ": "), "indent": 2},
    {"separators": (",", ": "), "indent": 4},
    {"separators": (",", ": "), "indent": "\t"},
    {"separators": (" ,", " : ")},
    {"separators": (",\r\n", ":\t")},
    {"separators": (" ,\n ", " :"), "indent": 1},
]
ESCAPED = [
    "",
    "",
    "",
    '"',
    "<>&",
    "\\",
    '"\\',
    "{}[]",
    " \n\t\r",
    "".join(map(chr, range(128))),
]
BLANKS = ["", "", " ", "\n", "\t", " \r\n  "]
WORDS = [
    "",
    "a",
    "id",
    "é",
    "日本 語",
    "\U0001f600",
    "a/b",
    "<p>&amp;",
    'say "hi"',
    "back\\slash",
    "\n\t\x01",
]
WORDS += ["\x7f", "\u2028", "123", "true", "x" * 40, "\ud800", *NEAR_MISSES[:20]]
NAMES = ["a", "b", "id", "body", "é", "a/b", 'q"', "{}", "", "\n", "<b>"]
SCALARS = [None, True, False, 0, 1, -1, 1.0, -0.0, 0.1, 1e22, 2**64, -(2**63), 12345.678]
MAX_TEXT = 10_000


class Mixed(Style):
    """A style in which each string is escaped in its own way."""

    def quote(self, text: str) -> str:
        """Return a text as one string token."""
        others = [Style(), Style(slash="\\/", escaped=frozenset('"<>&')), Style(ascii=True)]
        return others[len(text) % 3].quote(text)


def style(rng: random.Random) -> Style:
    """Return a random style of writing JSON."""
    return rng.choice([Style, Style, Style, Mixed])(
        **rng.choice(LAYOUTS),
        ascii=rng.random() < 0.4,
        uppercase=rng.random() < 0.3,
        slash=rng.choice(["/", "/", "\\/"]),
        escaped=frozenset(rng.choice(ESCAPED)),
        before=rng.choice(BLANKS),
        after=rng.choice(BLANKS),
        stringified=rng.choice([0, 0, 0, 0, 0, 1]),
    )


def value(rng: random.Random, depth: int) -> Any:
    """Return a random value without layers."""
    kind = rng.random()
    if depth and kind < 0.35:
        return {rng.choice(NAMES): value(rng, depth - 1) for _ in range(rng.randrange(4))}
    if depth and kind < 0.6:
        return [value(rng, depth - 1) for _ in range(rng.randrange(4))]
    return rng.choice(SCALARS) if kind < 0.75 else rng.choice(WORDS) + rng.choice(WORDS)


def nested(rng: random.Random, inside: Any, layers: int) -> str:
    """Return a document that holds a value inside a number of layers."""
    for left in range(layers, -1, -1):
        for _ in range(rng.randrange(3)):
            if rng.random() < 0.5:
                members = {rng.choice(NAMES): sibling(rng) for _ in range(rng.randrange(3))}
                name = rng.choice(NAMES)
                inside = (
                    {**members, name: inside} if rng.random() < 0.5 else {name: inside, **members}
                )
            else:
                inside = [inside, *(sibling(rng) for _ in range(rng.randrange(3)))]
                rng.shuffle(inside)
        if not isinstance(inside, dict | list):
            inside = [inside]
        text = style(rng).write(inside)
        if not left or len(text) > MAX_TEXT:
            break
        inside = text
    return text


def sibling(rng: random.Random) -> Any:
    """Return a random value to put beside another."""
    if rng.random() < 0.3:
        return rng.choice(TEXTS_OF_LAYERS)
    drawn = value(rng, 2)
    return style(rng).write(drawn) if rng.random() < 0.4 else drawn


def places(tree: Any) -> Iterator[tuple[Any, Any]]:
    """Return the container and key of each value of a tree."""
    for key, child in list(tree.items() if isinstance(tree, dict) else enumerate(tree)):
        yield tree, key
        if isinstance(child, dict | list):
            yield from places(child)


def check_identity(seed: int) -> None:
    """Check that a document collapses to its bytes, unchanged and with members reordered."""
    rng = random.Random(seed)
    raw = nested(rng, value(rng, 3), rng.randrange(7)).encode()
    raw = rng.choice([b"", b"", b"\xef\xbb\xbf"]) + raw
    document = DECODER.open(raw)
    assert document.collapse() == raw
    document.tree = turned(document.tree)
    assert document.collapse() == raw


def check_replace(seed: int) -> None:
    """Change one word; compare with the document whose author wrote the other word."""
    texts = []
    for word in ("OLDVALUE", "NEWVALUE"):
        rng = random.Random(seed)
        text = rng.choice(["", "", *WORDS]) + word + rng.choice(["", "", *WORDS])
        texts.append(nested(rng, {text: 1} if rng.random() < 0.2 else text, rng.randrange(7)))
    old, new = (text.encode() for text in texts)
    if old.count(b"OLDVALUE") == 1:
        assert new == old.replace(b"OLDVALUE", b"NEWVALUE")
    document = DECODER.open(old)
    for container, key in places([document.tree]):
        child = container[key]
        if isinstance(child, str):
            container[key] = child.replace("OLDVALUE", "NEWVALUE")
        elif isinstance(child, dict):
            members = [(name.replace("OLDVALUE", "NEWVALUE"), v) for name, v in child.items()]
            child.clear()
            child.update(members)
    assert document.collapse() == new


def edit(rng: random.Random, tree: Any, moves: bool = True) -> Any:
    """Return a tree changed at one place, by a move or a copy too if *moves* is set."""
    found = list(places(tree)) if isinstance(tree, dict | list) else []
    if not found or rng.random() < 0.03:
        return value(rng, 2)
    container, key = rng.choice(found)
    new = copy.deepcopy(rng.choice(found)[0]) if moves and rng.random() < 0.2 else value(rng, 2)
    kind = rng.choice([*range(7)] if moves else [0, 1, 4])
    if kind == 0:
        del container[key]
    elif kind == 1 and isinstance(container, dict):
        container[rng.choice(NAMES)] = new
    elif kind == 1:
        container.insert(rng.randrange(len(container) + 1), new)
    elif kind == 2 and isinstance(container, dict):
        members = [(rng.choice(NAMES) if name == key else name, v) for name, v in container.items()]
        container.clear()
        container.update(members)
    elif kind == 2:
        rng.shuffle(container)
    elif kind == 3 and isinstance(container, list):
        container.append(copy.deepcopy(container[key]))
    elif kind == 3:
        container[rng.choice(NAMES)] = container.pop(key)
    else:
        container[key] = new
    return tree


def turned(tree: Any) -> Any:
    """Return a tree with the order of members reversed, which does not count."""
    if isinstance(tree, dict):
        return {name: turned(tree[name]) for name in reversed(tree)}
    return [turned(child) for child in tree] if isinstance(tree, list) else tree


def unordered(tree: Any) -> Any:
    """Return a tree with sorted members, since their order does not count."""
    if isinstance(tree, dict):
        return {name: unordered(tree[name]) for name in sorted(tree)}
    return [unordered(child) for child in tree] if isinstance(tree, list) else tree


def check_edit(seed: int) -> None:
    """Change anything; compare the meaning of the collapsed text with the changed tree."""
    rng = random.Random(seed)
    raw = nested(rng, value(rng, 3), rng.randrange(5)).encode()
    document = DECODER.open(raw)
    for _ in range(rng.randrange(1, 4)):
        document.tree = edit(rng, document.tree)
    wanted = oracle.expand(copy.deepcopy(document.tree))
    assert oracle.same(
        unordered(oracle.expand(oracle.decode(document.collapse()))), unordered(wanted)
    )


DECODER = nestdecode.Decoder()
CHECKS: dict[str, Callable[[int], None]] = {
    "edit": check_edit,
    "identity": check_identity,
    "replace": check_replace,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("check", choices=CHECKS)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--first", type=int, default=0, help="seed of the first document")
    options = parser.parse_args()
    failed = 0
    for seed in range(options.first, options.first + options.count):
        try:
            CHECKS[options.check](seed)
        except AssertionError:
            failed += 1
            sys.stderr.write(f"{options.check} fails with seed {seed}\n")
    sys.stdout.write(f"{options.count} documents, {failed} failures\n")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
