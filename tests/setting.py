"""
The oracle of ``set``: its meaning written a second time, plainly, and random cases for it.

``python -m tests.setting 100000`` runs that many cases and prints nothing if all pass.
"""

import copy
import io
import json
import random
import re
import sys
from typing import Any, NamedTuple

from nestdecode.cli import main
from tests import oracle

NAMES = ["a", "b", "c=d", "a=", "a:", "a:=b", "x/y", "m~n", "~1", "k.l", "0", "-", "", "é", "a=/b"]
# None of them is a layer.
STRINGS = [
    "01234",
    "12",
    "true",
    "null",
    "{oops",
    "[1",
    "plain",
    "a=b",
    "",
    "é",
    '"q"',
    "/a=1",
    " ",
]
VALUES = [
    *("5", "-0.5", "1E2", "true", "null", "01", "tru", "plain text", "", "a=b", "/a=b", ":=", "=1"),
    *('"12"', '"a\\"b"', '"a" b', '"open', '""', '"é"', '"', ' "12" ', " 7"),
    *('{"n":1}', "[1,2]", '{"a":1', "[", "{}", " {", "[]x", 'x"y', '{"s":"[1]"}'),
]  # fmt: skip


class Layer(NamedTuple):
    """A string that holds a document."""

    inner: Any
    spaced: bool


def written(node: Any, *, spaced: bool) -> str:
    """Return the text of a document as its producer would write it."""
    if isinstance(node, Layer):
        return json.dumps(written(node.inner, spaced=node.spaced), ensure_ascii=False)
    comma, colon = (", ", ": ") if spaced else (",", ":")
    if isinstance(node, dict):
        members = (
            json.dumps(name, ensure_ascii=False) + colon + written(child, spaced=spaced)
            for name, child in node.items()
        )
        return "{" + comma.join(members) + "}"
    if isinstance(node, list):
        return "[" + comma.join(written(child, spaced=spaced) for child in node) + "]"
    return json.dumps(node, ensure_ascii=False)


def opened(node: Any) -> Any:
    """Return the tree of a document."""
    if isinstance(node, Layer):
        return opened(node.inner)
    if isinstance(node, dict):
        return {name: opened(child) for name, child in node.items()}
    return [opened(child) for child in node] if isinstance(node, list) else node


def drawn(chance: random.Random, depth: int = 0) -> Any:
    kind = chance.random()
    if kind < 0.5 and depth < 4:
        if chance.random() < 0.6:
            names = chance.sample(NAMES, chance.randint(0, 4))
            node: Any = {name: drawn(chance, depth + 1) for name in names}
        else:
            node = [drawn(chance, depth + 1) for _ in range(chance.randint(0, 3))]
        return Layer(node, chance.random() < 0.5) if depth and chance.random() < 0.4 else node
    return chance.choice([*STRINGS, 0, 7, 1.5, True, None])


Steps = tuple[str | int, ...]


def all_places(tree: Any, steps: Steps = ()) -> list[Steps]:
    found = [steps]
    members = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    for step, child in members:
        found += all_places(child, (*steps, step))
    return found


def get(tree: Any, steps: Steps) -> Any:
    for step in steps:
        tree = tree[step]
    return tree


# The meaning


def by_pointer(tree: Any, pointer: str, *, new: bool) -> list[Steps]:
    """Return the place that a pointer names, which may be new, in a list; [] if there is none."""
    tokens = [t.replace("~1", "/").replace("~0", "~") for t in pointer.split("/")[1:]]
    steps: Steps = ()
    for number, token in enumerate(tokens):
        value, last = get(tree, steps), number == len(tokens) - 1
        if isinstance(value, dict):
            if token not in value and not (new and last):
                return []
            steps = (*steps, token)
        elif isinstance(value, list):
            if token == "-" and new and last:
                steps = (*steps, len(value))
            elif re.fullmatch("0|[1-9][0-9]*", token) and int(token) < len(value):
                steps = (*steps, int(token))
            else:
                return []
        else:
            return []
    return [steps]


def by_path(tree: Any, path: list[Any], *, new: bool) -> list[Steps]:
    """Return the places that a path names; wildcards are the one-tuples ("[]",) and ("*",)."""
    found: list[Steps] = [()]
    for number, step in enumerate(path):
        around, found = found, []
        for steps in around:
            value = get(tree, steps)
            if step == ("[]",) and isinstance(value, list):
                found += [(*steps, i) for i in range(len(value))]
            elif step == ("*",) and isinstance(value, dict):
                found += [(*steps, name) for name in value]
            elif isinstance(step, str) and isinstance(value, dict):
                if step in value or (new and number == len(path) - 1):
                    found.append((*steps, step))
            elif isinstance(step, int) and isinstance(value, list) and step < len(value):
                found.append((*steps, step))
    return found


class RefusedError(Exception):
    """The command must exit with 2 and write nothing."""


def parsed(text: str) -> Any:
    try:
        return oracle.loads(text)
    except ValueError:
        return RefusedError


def value_for(text: str, old: Any, *, is_new: bool, is_json: bool) -> Any:
    """Return the value that VALUE means at a place."""
    as_json = parsed(text)
    if is_json:
        if as_json is RefusedError:
            raise RefusedError
        return as_json
    if not is_new and isinstance(old, str):
        is_literal = text[:1] == text[-1:] == '"' and isinstance(as_json, str)
        return as_json if is_literal else text
    if as_json is RefusedError:
        if text.strip()[:1] in ("{", "[", '"') and text.strip():
            raise RefusedError
        return text
    return as_json


def split(argument: str, trees: list[Any], *, adds: bool) -> tuple[str, bool, str]:
    """Return the pointer, whether := follows it, and the value."""
    candidates = []
    for at, character in enumerate(argument):
        if character == "=" and at:
            if argument[at - 1] == ":":
                candidates.append((argument[: at - 1], True, argument[at + 1 :]))
            candidates.append((argument[:at], False, argument[at + 1 :]))
    there = [c for c in candidates if any(by_pointer(t, c[0], new=False) for t in trees)]
    if len(there) == 1:
        return there[0]
    if not there and adds:
        for candidate in candidates:
            if any(by_pointer(tree, candidate[0], new=True) for tree in trees):
                return candidate
    raise RefusedError


class Case(NamedTuple):
    """
    One call of the command.

    Attributes:
        nodes: The records.
        spaced: For each record, whether it is written with spaces.
        argument: PATH=VALUE.
        path: The steps of PATH, whether := follows, and VALUE; None if PATH is a pointer.
        chosen: The indexes of the records that may change; None without a choice.
        words: The options that choose them.
    """

    nodes: list[Any]
    spaced: list[bool]
    argument: str
    path: tuple[list[Any], bool, str] | None
    chosen: list[int] | None
    words: list[str]


def expected(case: Case) -> tuple[list[Any], list[list[Steps]], int]:
    """Return the trees afterwards, the number of places set, and of those that changed."""
    trees = [opened(node) for node in case.nodes]
    adds = case.chosen is not None or len(trees) == 1
    chosen = range(len(trees)) if case.chosen is None else case.chosen
    if case.path is None:
        before = [trees[index] for index in chosen]
        pointer, is_json, value = split(case.argument, before, adds=adds)
    else:
        path, is_json, value = case.path
    places: list[list[Steps]] = [[] for _ in trees]
    changed = 0
    for index in chosen:
        tree = trees[index]
        if case.path is None:
            places[index] = by_pointer(tree, pointer, new=adds)
        else:
            places[index] = by_path(tree, path, new=adds)
        for *around, step in places[index]:
            container = get(tree, tuple(around))
            is_new = (
                step not in container if isinstance(container, dict) else step == len(container)
            )
            old = None if is_new else container[step]
            new = value_for(value, old, is_new=is_new, is_json=is_json)
            changed += is_new or not oracle.same(old, new)
            if is_new and isinstance(container, list):
                container.append(new)
            else:
                container[step] = copy.deepcopy(new)
    if not any(places):
        raise RefusedError
    return trees, places, changed


# Cases


def escaped(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


def case_of(chance: random.Random) -> Case:
    several = chance.choice([1, 1, 2, 3])
    nodes = [{"id": number, "r": drawn(chance), "a": drawn(chance)} for number in range(several)]
    trees = [opened(node) for node in nodes]
    steps = list(chance.choice(all_places(chance.choice(trees))[1:]))
    if chance.random() < 0.25:
        steps = [*steps[: chance.randint(0, len(steps))], chance.choice([*NAMES, "-", "new"])]
    value, sign = chance.choice(VALUES), chance.choice(["=", "=", ":="])
    path = None
    if chance.random() < 0.5:
        argument = "".join(f"/{escaped(step)}" for step in steps) + sign + value
    else:
        marked: list[Any] = [
            step if chance.random() < 0.8 else ("[]",) if isinstance(step, int) else ("*",)
            for step in steps
        ]
        argument = spelled(chance, marked) + sign + value
        path = marked, sign == ":=", value
    chosen, words = None, []
    choice = chance.random()
    if choice < 0.25:
        number = chance.randint(1, several)
        chosen, words = [number - 1], ["--record", str(number)]
    elif choice < 0.5:
        number = chance.randint(0, several)
        chosen, words = list(range(number)), ["--where", f"id < `{number}`"]
    spaced = [chance.random() < 0.5 for _ in nodes]
    return Case(nodes, spaced, argument, path, chosen, words)


def spelled(chance: random.Random, path: list[Any]) -> str:
    text = ""
    for step in path:
        if isinstance(step, int):
            text += f"[{step}]"
        elif step == ("[]",):
            text += chance.choice(["[]", "[*]"])
        else:
            bare = isinstance(step, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", step)
            name = "*" if step == ("*",) else step if bare else json.dumps(step)
            text += f".{name}" if text else name
    return text


def run(words: list[str], stdin: bytes) -> tuple[int, bytes, str]:
    """Run the command in this process; return its exit code, output and messages."""
    streams = sys.stdin, sys.stdout, sys.stderr
    out, err = io.BytesIO(), io.StringIO()
    wrapped = io.TextIOWrapper(io.BytesIO(stdin)), io.TextIOWrapper(out), err
    sys.stdin, sys.stdout, sys.stderr = wrapped
    try:
        main(words)
    except SystemExit as exit_:
        code = exit_.code
        sys.stdout.flush()
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
    assert isinstance(code, int)
    return code, out.getvalue(), err.getvalue()


def replaced(node: Any, steps: Steps, value: Any) -> Any:
    """Return a document with another value at a place, and the rest as it was."""
    if not steps:
        return value
    if isinstance(node, Layer):
        return node._replace(inner=replaced(node.inner, steps, value))
    node = copy.copy(node)
    node[steps[0]] = replaced(node[steps[0]], steps[1:], value)
    return node


def check(case: Case) -> None:
    """Compare the result of the command with its meaning."""
    texts = [written(n, spaced=s).encode() for n, s in zip(case.nodes, case.spaced, strict=True)]
    text = b"\n".join(texts)
    code, out, said = run(["set", *case.words, case.argument], text)
    try:
        trees, places, changed = expected(case)
    except RefusedError:
        assert (code, out) == (2, b""), case
        return
    assert code == 0, (case, said)
    assert f"stdin: changed {changed} place{'' if changed == 1 else 's'}" in said, (case, said)
    lines = out.split(b"\n")
    assert len(lines) == len(trees), case
    for line, tree, old, node, spaced, found in zip(
        lines, trees, texts, case.nodes, case.spaced, places, strict=True
    ):
        # What is set is never a layer, but where it is in one that stays: so says the oracle.
        assert oracle.same(
            ordered(oracle.expand(oracle.decode(line))), ordered(oracle.expand(tree))
        ), case
        before = opened(node)
        if not found or oracle.same(before, tree):
            assert line == old, case
        elif is_plain(before, tree, found):
            for steps in found:
                node = replaced(node, steps, get(tree, steps))
            assert line == written(node, spaced=spaced).encode(), case


def is_plain(before: Any, tree: Any, found: list[Steps]) -> bool:
    """Return whether the producer's text is known: places that exist, and scalars."""
    old = set(all_places(before))
    return all(s in old and not isinstance(get(tree, s), (dict, list)) for s in found)


def ordered(tree: Any) -> Any:
    """Return a tree with sorted members: other tests check where a new one goes."""
    if isinstance(tree, dict):
        return {name: ordered(tree[name]) for name in sorted(tree)}
    return [ordered(child) for child in tree] if isinstance(tree, list) else tree


def many(number: int, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(number):
        check(case_of(chance))


if __name__ == "__main__":
    many(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1)
