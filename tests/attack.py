"""
Attack the library with random documents, specs and queries, by every public function.

    python -m tests.attack --minutes 60 --jobs 2
    python -m tests.attack --seed 7 --cases 1234

The first form runs cases in processes of their own, under PYTHONMALLOC=debug, which ends a
process that writes past a buffer. A case that ends its process, hangs, or gets different
answers from two functions is a finding: it is described in a file of the findings folder,
and the exit code is 1. The second form repeats one case of a seed and prints its content;
``--cases 1000:2000`` repeats several.
"""

import argparse
import contextlib
import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from nestdecode import DecodeError, Decoder, Number, QueryError, Spec, SpecError
from nestdecode.plan.careful import Plan
from nestdecode.plan.run import Run
from nestdecode.queries.functions import REFUSALS
from nestdecode.stream import is_blank
from nestdecode.text.joined import joined
from tests import framing_oracle, fuzz, oracle, query_oracle, strategies, wild
from tests.test_framing import split

PATIENCE = 60
BATCH = 1000
FOLDER = Path(".attack")
SEVERAL = ["[{0}, {1}][0]", "{0}", "[{0} || {1}] | [0]", "[{0}, to_string(@)]", "{{k: {0}}}.*"]
PLACES = ["a", "b[0]", "b[*] | [0]", "b[] | [0]", "c.* | [0]", "b[?@] | [-1]", "a.b", "*.a", "[].b"]


class DisagreementError(Exception):
    """Two functions that must agree gave different answers."""


class Case:
    """
    One case, and a note of its content.

    Attributes:
        chance: The random numbers that decide everything in it.
    """

    def __init__(self, seed: int, number: int, show: Callable[[str], object] | None = None) -> None:
        self.chance = Random(f"{seed}:{number}")
        self._notes: list[str] = []
        self._show = show

    def note(self, name: str, value: Any) -> None:
        """Note a part of the case, for the finding."""
        self._notes.append(f"{name} = {value!r}")
        if self._show:
            self._show(self._notes[-1])

    def hold(self, one: Any, other: Any, what: str) -> None:
        """Raise DisagreementError unless two values are the same."""
        if not oracle.same(plain(one), plain(other)):
            self.note("one", one)
            self.note("other", other)
            raise DisagreementError(what)

    def __str__(self) -> str:
        return "\n".join(self._notes)

    def several(self, place: wild.Place = wild.LEAF, *, short: bool = False) -> list[bytes]:
        """Return documents of one shape, then one like them, and one of any shape."""
        form, chance = self.chance.getrandbits(64), self.chance
        odds = [0.0] * chance.choice([0, 1, 1, 4, 6]) + [0.1, 0.4]
        texts = [
            wild.Writer(Random(form), chance, odd, short=short).document(place) for odd in odds
        ]
        texts.append(wild.Writer(chance, chance, 0.4, short=short).document(place))
        raws = [text.encode() for text in texts]
        if chance.random() < 0.3:
            raws.append(fuzz.broken(chance, raws))
        if chance.random() < 0.1:
            raws[-1] = b"\xef\xbb\xbf" + raws[-1]
        return raws


def replaced(value: Any, leaf: Callable[[Any], Any]) -> Any:
    """Return a copy of a tree with each leaf replaced by what *leaf* gives for it."""
    # With a stack of its own: trees can be deeper than the interpreter's.
    top = [value]
    waiting: list[Any] = [top]
    while waiting:
        container = waiting.pop()
        for key, child in list(
            container.items() if type(container) is dict else enumerate(container)
        ):
            if type(child) in (dict, list):
                container[key] = child.copy()
                waiting.append(container[key])
            else:
                container[key] = leaf(child)
    return top[0]


def plain(value: Any) -> Any:
    """Return a tree with each Number replaced by the oracle's form of it."""
    return replaced(value, lambda leaf: ("number", leaf.text) if type(leaf) is Number else leaf)


def spelled(value: Any) -> Any:
    """Return a tree with each number as the oracle keeps it."""
    return replaced(value, _spelled)


def _spelled(leaf: Any) -> Any:
    if type(leaf) is Number:
        return oracle.NUMERAL + leaf.text
    return oracle.NUMERAL + repr(leaf) if type(leaf) in (int, float) else leaf


def told(problems: list[DecodeError]) -> list[Any]:
    """Return problems in a form that can be compared."""
    return [[type(p).__name__, p.reason, p.pointer, p.codec] for p in problems]


def meets_limit(problems: list[Any]) -> bool:
    """Return whether one of the problems is of a limit that an argument can set."""
    return any("max_" in problem[1] for problem in problems)


def outcome(function: Callable[[Any], Any], document: Any, problems: list[DecodeError]) -> Any:
    """Return the result of a document, a tree or an error, and its problems."""
    problems.clear()
    try:
        tree = ["tree", function(document)]
    except DecodeError as error:
        tree = ["refused", *told([error])]
    return [tree, told(problems)]


def height(value: Any) -> int:
    """Return how many containers of a tree are inside one another."""
    # A level at a time: trees can be deeper than the interpreter's stack.
    levels, level = 0, [value]
    while level := [node for node in level if type(node) in (dict, list)]:
        levels += 1
        level = [
            child for node in level for child in (node.values() if type(node) is dict else node)
        ]
    return levels


def may_be_deep(raw: bytes) -> bool:
    """Return whether a text may meet a limit: itself, or inside base64 or gzip."""
    if sum(map(raw.count, (b"[", b"{", b"\\"))) >= 100:
        return True
    letters = re.sub(rb"\\+(?:/|u[0-9a-fA-F]{4})", b"x", raw)
    # Whatever gzip makes is longer.
    return re.search(rb"[\w+/-]{26}", letters) is not None


def forms_of(raw: bytes) -> Iterator[Any]:
    """Return a text in each form that a document can have."""
    yield raw
    with contextlib.suppress(UnicodeDecodeError):
        yield raw.decode()
    yield bytearray(raw)
    yield memoryview(raw)


def parsed(raw: bytes, loads: oracle.Loads = oracle.loads) -> tuple[bool, Any]:
    """Return whether a text is JSON by the oracle, and its value."""
    try:
        return True, oracle.decode(raw, loads)
    except (ValueError, RecursionError):
        return False, None


# Decoders


class Taught(NamedTuple):
    """
    A decoder of a case, and the oracle's expectation.

    Attributes:
        decoder: The decoder that reports problems.
        silent: The same decoder without on_problem.
        problems: The problems that were reported.
        expected: Returns the oracle's tree of a document; None if the oracle has none.
        loads: The oracle's reader of a record.
    """

    decoder: Decoder
    silent: Decoder
    problems: list[DecodeError]
    expected: Callable[[Any], Any] | None
    loads: oracle.Loads


def options(case: Case) -> dict[str, Any]:
    """Return random arguments of a decoder, most often none."""
    chance = case.chance
    found: dict[str, Any] = {}
    if chance.random() < 0.2:
        found["numbers"] = "exact"
    if chance.random() < 0.1:
        found["duplicates"] = "error"
    if chance.random() < 0.2:
        found["on_error"] = chance.choice(["keep", "null", "drop", "fail"])
    if chance.random() < 0.15:
        found |= chance.choice(
            [
                {"max_layers": 0},
                {"max_layers": 2},
                {"max_depth": 3},
                {"max_depth": 9},
                {"max_bytes": 30},
                {"max_record_bytes": 200},
            ]
        )
    case.note("options", found)
    return found


def taught(spec: Spec | None, arguments: dict[str, Any], expected: Any = None) -> Taught:
    """Return a decoder in both forms: with on_problem and without."""
    problems: list[DecodeError] = []
    loads = oracle.loads_kept if arguments.get("numbers") == "exact" else oracle.loads
    if arguments.get("duplicates") == "error":
        loads = oracle.loads_unique if loads is oracle.loads else oracle.loads_kept_unique
    limits = ("max_layers", "max_depth", "max_bytes", "max_record_bytes", "on_error")
    both = "numbers" in arguments and "duplicates" in arguments
    if both or any(name in arguments for name in limits) or (spec and loads is not oracle.loads):
        expected = None
    decoder = Decoder(spec, on_problem=problems.append, **arguments)
    return Taught(decoder, Decoder(spec, **arguments), problems, expected, loads)


def found_by(case: Case) -> Taught:
    """Return a decoder that detects layers."""
    arguments = options(case)
    return (way := taught(None, arguments, oracle.expand))._replace(
        expected=way.expected and (lambda value: oracle.expand(value, way.loads))
    )


def declared_by(case: Case, place: wild.Place) -> tuple[Taught, bool]:
    """Return a decoder with the spec of a place, and whether the spec is a short form."""
    layers = wild.declared_by(place)
    paths = {path for path, _, _ in layers}
    if case.chance.random() < 0.4 and layers and len(paths) == len(layers):
        text = strategies.short_form(layers)
        case.note("spec", text)
        spec, expected = Spec.parse(text), lambda value: oracle.expand_declared(value, layers)
        return built(case, spec, expected), True
    schema = wild.schema_of(place)
    if case.chance.random() < 0.15:
        schema["x-nestdecode"] = {"undeclared": "open"}
    case.note("spec", schema)
    return built(case, Spec.parse(json.dumps(schema))), False


def built(case: Case, spec: Spec, expected: Any = None) -> Taught:
    """Return a decoder with a spec, without a policy that the spec rules out."""
    arguments = options(case)
    try:
        return taught(spec, arguments, expected)
    except SpecError:
        if arguments.pop("on_error", None) != "drop":
            raise
        return taught(spec, arguments)


# Roads


def check_expanded(case: Case, way: Taught, raw: bytes) -> None:
    """Expand a text in all its forms; compare with the careful way and with the oracle."""
    is_json, value = parsed(raw, way.loads)
    careful = way.decoder.engine.carefully
    for document in forms_of(raw):
        fast = outcome(way.decoder.expand, document, way.problems)
        slow = outcome(careful, document, way.problems)
        case.hold(fast, slow, f"two ways, {type(document).__name__}")
        case.hold(outcome(way.silent.expand, document, [])[0], slow[0], "silent or not")
        check_oracle(case, way, raw, fast, is_json, value)
    # A string would be read as a text.
    if is_json and way.loads is oracle.loads and type(value) is not str:
        document = oracle.copied(value)
        fast = outcome(way.decoder.expand, document, way.problems)
        slow = outcome(careful, document, way.problems)
        case.hold(fast, slow, "two ways for what is parsed")
        case.hold(document, value, "parsed input stays as it was")
        check_oracle(case, way, raw, fast, is_json, value)


def check_oracle(
    case: Case, way: Taught, raw: bytes, found: Any, is_json: bool, value: Any
) -> None:
    """Compare the result of a text with the oracle."""
    (kind, *rest), problems = found
    if meets_limit([*problems, *rest] if kind == "refused" else problems):
        if way.expected and not may_be_deep(raw):
            raise DisagreementError("there is no limit that this could meet")
        return
    if kind == "refused" and is_json and way.expected:
        raise DisagreementError("refused, but it is JSON")
    if kind == "tree" and not is_json:
        raise DisagreementError("accepted, but it is not JSON")
    if kind == "tree" and way.expected:
        tree = spelled(rest[0]) if way.loads is oracle.loads_kept else rest[0]
        case.hold(tree, way.expected(value), "the oracle")


def road_found(case: Case) -> None:
    """Detect layers, before and after documents of one shape were seen."""
    raws = case.several()
    way = found_by(case)
    for raw in raws:
        case.note("raw", raw)
        check_expanded(case, way, raw)
    letters: list[Any] = []
    lines = [raw for raw in raws if b"\n" not in raw]
    trees = list(way.silent.expand_lines(lines, on_dead_letter=letters.append))
    solid = [line for line in lines if not is_blank(line)]
    alone = [outcome(way.silent.expand, line, [])[0] for line in solid]
    case.hold(trees, [a[1] for a in alone if a[0] == "tree"], "lines together and alone")
    case.hold(len(letters), sum(a[0] == "refused" for a in alone), "letters")


def road_declared(case: Case) -> None:
    """Open the layers that a spec declares."""
    place = wild.root(case.chance)
    way, short = declared_by(case, place)
    for raw in case.several(place, short=short)[-4:]:
        case.note("raw", raw)
        check_expanded(case, way, raw)


def a_query(chance: Random, depth: int) -> str:
    """Return a random query."""
    if depth == 0 or chance.random() < 0.15:
        return chance.choice(query_oracle.ATOMS)
    one = a_query(chance, depth - 1)
    other = a_query(chance, depth - 1) if chance.random() < 0.5 else chance.choice(wild.NAMES)
    return chance.choice(query_oracle.FORMS).format(one, other)


def road_query(case: Case) -> None:
    """Query: the answer is that of expanding first, with some of its problems."""
    chance = case.chance
    place = wild.root(chance) if chance.random() < 0.8 else wild.LEAF
    way, short = (found_by(case), False) if place is wild.LEAF else declared_by(case, place)
    if "max_bytes" in (given := way.decoder.engine.arguments) and given["max_bytes"] is not None:
        # What a query does not look at takes nothing of that.
        return
    texts = [a_query(chance, chance.randrange(1, 4)) for _ in range(3)]
    texts += [
        chance.choice(SEVERAL).format(f"({chance.choice(PLACES)})", chance.choice(wild.NAMES))
        for _ in range(3)
    ]
    raws = case.several(place, short=short)[-3:]
    for text in texts:
        case.note("query", text)
    for raw in raws:
        case.note("raw", raw)
        (kind, *rest), problems = outcome(way.decoder.expand, raw, way.problems)
        for text in texts:
            if kind == "refused":
                case.hold(answered(way.decoder, text, raw), "DecodeError", f"refused: {text}")
                case.hold(answered(way.silent, text, raw), "DecodeError", f"refused: {text}")
            elif height(rest[0]) < 150:
                check_answer(case, way, text, raw, rest[0], problems)
    for text in texts:
        check_together(case, way, text, raws)


def check_together(case: Case, way: Taught, text: str, raws: list[bytes]) -> None:
    """Query several documents at once: the answers are those of each, or None."""
    records = joined(case.chance.choices(raws, k=case.chance.choice([1, 2, 5])))
    for decoder in (way.decoder, way.silent):
        try:
            query = decoder.compile(text)
        except QueryError:
            return
        answers = query.many(records)
        if answers is None:
            continue
        way.problems.clear()
        alone = [answered(decoder, text, raw) for raw in records.records]
        case.hold([[answer] for answer in answers], alone, f"together: {text}")
        case.hold(told(way.problems), [], f"problems together: {text}")


def answered(decoder: Decoder, text: str, document: Any) -> Any:
    """Return the answer of a query in a list, or the name of its error."""
    try:
        return [decoder.query(text, document)]
    except (QueryError, DecodeError) as error:
        return QueryError.__name__ if isinstance(error, QueryError) else DecodeError.__name__


def check_answer(
    case: Case, way: Taught, text: str, raw: bytes, tree: Any, problems: list[Any]
) -> None:
    """Compare an answer with that of jmespath.py for the expanded tree."""
    exact = (
        "numbers" in way.decoder.engine.arguments
        and way.decoder.engine.arguments["numbers"] == "exact"
    )
    decoder, plan = way.decoder, way.decoder.engine.plan
    if exact:
        # jmespath.py knows no numbers that keep their text: ours is asked of the tree.
        try:
            wanted: Any = [decoder.asker.search(text, tree)]
        except QueryError:
            wanted = QueryError.__name__
    else:
        answer, refused = query_oracle.ask(text, oracle.copied(tree))
        wanted = QueryError.__name__ if refused else [answer]
    way.problems.clear()
    case.hold(answered(decoder, text, raw), wanted, f"lazily, and after expanding: {text}")
    pointers = [p.pointer for p in way.problems]
    if len(set(pointers)) < len(pointers) or not set(pointers) <= {p[2] for p in problems}:
        case.note("problems", (pointers, problems))
        raise DisagreementError(f"problems of the query and of expanding: {text}")
    case.hold(answered(way.silent, text, raw), wanted, f"silent: {text}")
    with contextlib.suppress(UnicodeDecodeError):
        case.hold(answered(way.silent, text, raw.decode()), wanted, f"of a str: {text}")
    if isinstance(plan, Plan):
        expression = decoder.asker.expression(text, "root")
        run = Run(decoder.engine.reader, decoder.engine.policy, list[Any]().append)
        try:
            careful: Any = [expression.walk(decoder.engine.read(raw), plan, run)]
        except REFUSALS:
            careful = QueryError.__name__
        case.hold(careful, wanted, f"the careful way: {text}")


def places_of(value: Any, pointer: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Return the places in a tree: pointer, container, key."""
    if type(value) is dict or type(value) is list:
        for key, child in value.items() if type(value) is dict else enumerate(value):
            inner = f"{pointer}/{oracle.escape(key) if type(key) is str else key}"
            yield inner, value, key
            yield from places_of(child, inner)


def road_changed(case: Case) -> None:
    """Open and collapse: the same bytes without a change, else the value that was set."""
    chance = case.chance
    place = wild.root(chance) if chance.random() < 0.5 else wild.LEAF
    way, short = (found_by(case), False) if place is wild.LEAF else declared_by(case, place)
    for raw in case.several(place, short=short)[-2:]:
        case.note("raw", raw)
        try:
            document = way.silent.open(raw)
        except DecodeError:
            continue
        case.hold(document.collapse(), raw, "nothing changed")
        limits = [
            name for name, value in way.silent.engine.arguments.items() if value and "max" in name
        ]
        # What is new can meet a limit, and stay shut.
        if limits or height(document.tree) > 90:
            continue
        places = list(places_of(document.tree))
        if not places:
            continue
        pointer, container, key = chance.choice(places)
        before = container[key]
        new = chance.choice(
            [
                None,
                True,
                7,
                2.5,
                -(2**63),
                10**20,
                [],
                {},
                "text",
                "é",
                [1, {"a": "x"}],
                {"b": [-1]},
            ]
            + [[[[-(2**63)] * 3] * 3, 10**19], before]
            # A string elsewhere may be a layer there.
            + ([] if has_string(before) else [[before], {"again": before}])
        )
        case.note("set", (pointer, new))
        document.set(pointer, new)
        changed = document.collapse()
        case.note("changed", changed)
        check_read_back(case, way, changed, new, document.tree)
        container[key] = before
        case.hold(document.collapse(), raw, "changed and changed back")


def has_string(value: Any) -> bool:
    """Return whether a value holds a string."""
    if type(value) is dict:
        return any(map(has_string, value.values()))
    return type(value) is str or (type(value) is list and any(map(has_string, value)))


def check_read_back(case: Case, way: Taught, changed: bytes, new: Any, tree: Any) -> None:
    """Check that a written text expands to the tree that it was written from."""
    back, problems = outcome(way.decoder.expand, changed, way.problems)
    if meets_limit(problems + ([back[1]] if back[0] == "refused" else [])):
        return
    if has_string(new) and (problems or back[0] == "refused"):
        # It is where a layer is declared, and a policy has to do with it.
        return
    case.hold(back, ["tree", tree], "what is read back")


def stream_of(case: Case) -> bytes:
    """Return a stream: documents on a line, over lines, other text between them, cut in places."""
    chance = case.chance
    pieces = []
    for _ in range(chance.randrange(1, 9)):
        kind = chance.random()
        if kind < 0.4:
            pieces.append(chance.choice(LINES))
            continue
        writer = wild.Writer(chance, chance, chance.choice([0, 0.1, 0.3]), tame=True)
        writer.left = 8
        text = chance.choice([writer.object, writer.array, writer.layer])(2).encode()
        if kind < 0.75:
            text = text.replace(b"\n", b" ")
        elif kind < 0.85:
            text = fuzz.broken(chance, [text])
        else:
            # Brackets at the beginning of lines are what decides where a text ends.
            text = text.replace(b"[", b"[\n").replace(b"{", b"\n{").replace(b",", b",\n")
        pieces.append(text)
    ends = [b"\n", b"\n", b"\n", b"\r\n", b" ", b""]
    return b"".join(piece + chance.choice(ends) for piece in pieces)[:2500]


LINES = [
    *(b"", b"  ", b"{", b"[", b"}", b"]", b",", b"{}", b"[]", b'{"a":1}', b"[1]", b" {}", b" ["),
    *(b'{"a":', b'"a":1,', b'{"a":1,', b"[{},", b"},", b"] , [", b"} {", b"{}{}", b"[1] {", b"1"),
    *(b'"x"', b'"x', b"1 2", b"true", b"tru", b"text", b"a: {}", b"[10] bottles", b'{"a":"x', b"-"),
    *(b"{oops", b"[1,]", b"{]", b'["\xc3\xa9"]', b'["\xff"]', b"\xff", b"\xef\xbb\xbf{}", b"[]\r"),
]


def road_framed(case: Case) -> None:
    """Split a stream into records, read in pieces of any size."""
    text = stream_of(case)
    framing = case.chance.choice(["lines", "mixed", "documents"])
    case.note("stream", text)
    case.note("framing", framing)
    if re.search(rb"[eE]\+?[0-9]{3}", text):
        # It may be no number for us, though it is JSON.
        return
    sizes, answered = case.chance.getrandbits(32), case.chance.random() < 0.5
    found = split(text, framing, sizes, answered=answered)
    wanted = framing_oracle.split(text, framing)
    case.hold([list(f) for f in found], [list(w) for w in wanted], "the rules of framing")


def command(text: bytes, *arguments: str) -> tuple[bytes, bytes, dict[str, int]]:
    """Run the command on a file; return its output, dead letters and counts."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "x").write_bytes(text)
        environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[1])}
        done = subprocess.run(
            [
                sys.executable,
                "-m",
                "nestdecode",
                "expand",
                "x",
                "--dead-letters",
                "dead",
                "--summary",
                "json",
                *arguments,
            ],
            capture_output=True,
            cwd=folder,
            check=False,
            env=environment,
            timeout=PATIENCE,
        )
        letters = (Path(folder) / "dead").read_bytes()
        if done.returncode != (5 if letters else 0):
            raise DisagreementError(f"exit {done.returncode}: {done.stderr[-2000:]!r}")
        counts = json.loads(done.stderr.splitlines()[-1])
        return done.stdout, letters, {k: v for k, v in counts.items() if type(v) is int}


def _values(text: bytes, framing: str) -> Iterator[object]:
    """What comes out, in order. A number that no double can hold is JSON, and refused."""
    for _, raw, good in framing_oracle.split(text, framing):
        if good:
            with contextlib.suppress(ValueError):
                yield oracle.expand(oracle.decode(raw))


def road_command(case: Case) -> None:
    """Expand a stream by the command, with one worker and with two."""
    text = stream_of(case)
    framing = case.chance.choice(["lines", "documents"])
    case.note("stream", text)
    case.note("framing", framing)
    out, letters, counts = command(text, f"--{framing}", "--jobs", "1")
    wanted = list(_values(text, framing))
    case.hold([oracle.decode(line) for line in out.splitlines()], wanted, "what comes out")
    case.hold(counts["in"], counts["out"] + counts["dead"] + counts["skipped"], "the counts")
    case.hold(letters.count(b"\n"), counts["dead"], "the letters")
    # Long enough to be shared out.
    text = (text + b"\n") * (1 + 200_000 // (len(text) + 1))
    chosen = case.chance.choice([[], ["--lines"], ["--documents"]])
    case.note("many", (len(text), chosen))
    one = command(text, "--jobs", "1", *chosen)
    two = command(text, "--jobs", "2", *chosen)
    case.hold(list(one), list(two), "one worker and two")


ROADS: dict[str, tuple[Callable[[Case], None], float]] = {
    "found": (road_found, 25),
    "declared": (road_declared, 25),
    "query": (road_query, 20),
    "changed": (road_changed, 20),
    "framed": (road_framed, 10),
    "command": (road_command, 0.1),
}


def road_of(case: Case) -> str:
    """Return a random function of a case to attack."""
    weights = [weight for _, weight in ROADS.values()]
    return case.chance.choices(list(ROADS), weights)[0]


def attack(seed: int, numbers: range, folder: Path) -> int:
    """Run cases, each announced before it runs; return the number of findings."""
    found = 0
    for number in numbers:
        case = Case(seed, number, print if len(numbers) == 1 else None)
        road = road_of(case)
        os.write(1, f"{number} {road}\n".encode())
        try:
            ROADS[road][0](case)
        except Exception:  # noqa: BLE001 - whatever it is
            found += 1
            write_finding(folder, seed, number, f"{traceback.format_exc()}\n{case}")
            os.write(1, f"{number} !\n".encode())
    return found


def write_finding(folder: Path, seed: int, number: int, what: str) -> None:
    """Write the file of a finding."""
    folder.mkdir(parents=True, exist_ok=True)
    again = f"PYTHONMALLOC=debug python -m tests.attack --seed {seed} --cases {number}"
    text = f"{again}\n\n{what}\n"
    (folder / f"{seed}-{number}.txt").write_text(text, "utf-8", "backslashreplace")


# The process above


class Watch:
    """
    Attacks that run in processes of their own.

    Args:
        command: The command that attacks, given a seed and numbers of cases.
        seed: The seed of all cases.
        folder: The folder of findings.
        patience: Seconds that a case may take.
    """

    def __init__(
        self, command: list[str], seed: int, folder: Path, patience: float = PATIENCE
    ) -> None:
        self.command = command
        self.seed = seed
        self.folder = folder
        self.patience = patience
        self.cases: Counter[str] = Counter()
        self.found = 0

    def watch(self, numbers: range, until: float) -> None:
        """Run some cases, in another process if one ends too early."""
        while numbers and time.monotonic() < until:
            done, what, errors = self._run(numbers, until)
            if what:
                self.found += 1
                first = f"a process that began with case {numbers.start} {what}\n\n{errors}"
                write_finding(self.folder, self.seed, done, first)
            numbers = range(done + 1, numbers.stop)

    def _run(self, numbers: range, until: float) -> tuple[int, str, str]:
        """Return the last case of a process, its end if that is a finding, and its stderr."""
        span = f"{numbers.start}:{numbers.stop}"
        last, left = numbers.start, b""
        with tempfile.TemporaryFile() as errors:
            child = subprocess.Popen(
                [
                    *self.command,
                    "--seed",
                    str(self.seed),
                    "--cases",
                    span,
                    "--folder",
                    str(self.folder),
                ],
                stdout=subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONMALLOC": "debug"},
            )
            assert child.stdout is not None
            what, stopped = "", False
            with child.stdout as stdout:
                while True:
                    soon = max(0, until - time.monotonic())
                    if not select.select([stdout], [], [], min(self.patience, soon))[0]:
                        child.kill()
                        stopped = True
                        what = "" if soon < self.patience else f"hung for {self.patience:g} s"
                        break
                    if not (piece := os.read(stdout.fileno(), 1 << 16)):
                        break
                    *lines, left = (left + piece).split(b"\n")
                    for line in lines:
                        number, road = line.decode().split()
                        last = int(number)
                        if road == "!":
                            self.found += 1
                        else:
                            self.cases[road] += 1
            code = child.wait()
            errors.seek(0)
            text = errors.read().decode("utf-8", "replace")[-4000:]
        if not stopped and (last < numbers.stop - 1 or code not in (0, 1)):
            what = f"ended by {signal.Signals(-code).name if code < 0 else f'exit {code}'}"
        return last, what, text


def hunt(watch: Watch, minutes: float, jobs: int) -> None:
    """Attack from several processes until the time is up."""
    until = time.monotonic() + 60 * minutes
    starts = count(0, BATCH)

    def work(_job: int) -> None:
        while time.monotonic() < until:
            start = next(starts)
            watch.watch(range(start, start + BATCH), until)

    with ThreadPoolExecutor(jobs) as pool:
        list(pool.map(work, range(jobs)))


def main() -> int:
    """Attack for some time, or repeat cases."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--cases", help="one case, or several as FROM:TO", default=None)
    parser.add_argument("--folder", type=Path, default=FOLDER)
    parser.add_argument(
        "--patience", type=float, default=PATIENCE, help="seconds a case may take; more under load"
    )
    given = parser.parse_args()
    seed = time.time_ns() if given.seed is None else given.seed
    if given.cases is not None:
        warnings.simplefilter("ignore", DeprecationWarning)
        first, _, end = given.cases.partition(":")
        numbers = range(int(first), int(end) if end else int(first) + 1)
        return int(attack(seed, numbers, given.folder) > 0)
    command = [sys.executable, "-X", "faulthandler", "-m", "tests.attack"]
    watch = Watch(command, seed, given.folder, given.patience)
    hunt(watch, given.minutes, given.jobs)
    roads = ", ".join(f"{road} {number:,}" for road, number in sorted(watch.cases.items()))
    total = sum(watch.cases.values())
    sys.stdout.write(f"{total:,} cases ({roads}), {watch.found} found, seed {seed}\n")
    if watch.found:
        sys.stdout.write(f"see {given.folder}\n")
    return int(watch.found > 0)


if __name__ == "__main__":
    sys.exit(main())
