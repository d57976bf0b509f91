"""The pairs of nestdecode and hand-written code for each workload, their answers checked."""

import copy
import io
import json
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import by_hand
import orjson
from broken import broken, good
from contenders import recursion
from documents import flat_line, lines_of, mixed_line, seed
from measure import Run
from workloads import SEEN, WORKLOADS, Workload, spec_of
from worst import WORST, flat

from nestdecode import DecodeError, Decoder, expand_file

KB = 1 << 10
MB = 10**6


@dataclass(frozen=True)
class Pair:
    """
    Two functions that give the same answers: nestdecode's and the one it is compared with.

    Attributes:
        ours: The runs of nestdecode.
        theirs: The runs of the other.
        documents: The number of documents in one turn.
        source: The other function, whose source is saved; None if it is not hand-written.
        smaller: The runs of nestdecode on a quarter of the size, to see how times grow.
    """

    ours: Run
    theirs: Run
    documents: int
    source: Callable[..., object] | None
    smaller: Run | None = None


def same(what: str, ours: object, theirs: object) -> None:
    if ours != theirs:
        raise SystemExit(f"{what}: not the answer of the hand-written code")


def called(
    load: Workload,
    ours: Callable[[Any], Any],
    entry: Callable[[bytes], Any] | None = None,
    theirs: Callable[[Any], Any] | None = None,
) -> Pair:
    """
    Return the pair of one call per document.

    Documents are bytes, or what *entry* makes of them. It is called anew for each call and
    outside of the clock, since the hand-written code changes the tree that it is given.
    """
    theirs = theirs or load.by_hand
    prepare = entry or bytes
    for raw, answer in zip(load.documents, load.answers, strict=True):
        given = prepare(raw)
        before = copy.deepcopy(given)
        same(load.name, ours(given), answer)
        same(f"{load.name}, the input afterwards", given, before)
        same(load.name, theirs(prepare(raw)), answer)

    def inputs() -> Iterable[Any]:
        return map(entry, load.documents) if entry else load.documents

    return Pair(Run(ours, inputs), Run(theirs, inputs), load.count, theirs)


def declared(name: str, entry: Callable[[bytes], Any] | None = None, theirs: Any = None) -> Pair:
    """Return the pair of a Decoder with a spec."""
    load = WORKLOADS[name]
    return called(load, load.declared(), entry, theirs)


def learnt(name: str, entry: Callable[[bytes], Any] | None = None, theirs: Any = None) -> Pair:
    """Return the pair of a Decoder without a spec that has seen such documents."""
    load = WORKLOADS[name]
    return called(load, load.learnt(entry or bytes), entry, theirs)


def flat_lines(size: int) -> Pair:
    """Return the pair of ``expand_lines`` on log lines without layers."""
    lines = list(lines_of(flat_line, size // 230))
    decoder = Decoder()
    deque(decoder.expand_lines(lines_of(flat_line, SEEN)), 0)
    return _streamed(decoder, lines, orjson.loads, by_hand.each_line)


def seed_lines(spec: str | None) -> Pair:
    """Return the pair of ``expand_lines`` on 1 MB of lines like the repair-results response."""
    lines = list(lines_of(seed, KB * KB // 1550))
    decoder = Decoder(spec)
    deque(decoder.expand_lines(lines_of(seed, SEEN)), 0)
    return _streamed(decoder, lines, by_hand.seed, by_hand.each_seed)


def _streamed(decoder: Decoder, lines: list[bytes], answer: Any, theirs: Any) -> Pair:
    same("expand_lines", list(decoder.expand_lines(lines)), [answer(line) for line in lines])

    def ours(lines: list[bytes]) -> None:
        for _ in decoder.expand_lines(lines):
            pass

    def inputs() -> list[list[bytes]]:
        return [lines]

    return Pair(Run(ours, inputs), Run(theirs, inputs), len(lines), theirs)


def problems() -> Pair:
    """Return the pair of lines of which nine in ten are problems, each of them reported."""
    docs = [line.rstrip() for line in lines_of(mixed_line, 500)]
    spec = spec_of("log: json")
    found: list[DecodeError] = []
    failed: list[tuple[str, ValueError]] = []
    decoder = Decoder(spec, on_problem=found.append)
    answers = [by_hand.told_line(raw, failed.append) for raw in docs]
    same("problems", [decoder.expand(raw) for raw in docs], answers)
    same("problems", [one.pointer for one in found], [pointer for pointer, _ in failed])
    if not 0.85 < len(found) / len(docs) < 0.95:
        raise SystemExit("problems: not in nine of ten")
    # A deque of length 0 forgets each item, and takes as long as appending it to a list.
    decoder = Decoder(spec, on_problem=deque[DecodeError](maxlen=0).append)
    forget = deque[object](maxlen=0).append

    def theirs(raw: bytes) -> object:
        return by_hand.told_line(raw, forget)

    return Pair(
        Run(decoder.expand, lambda: docs), Run(theirs, lambda: docs), len(docs), by_hand.told_line
    )


def opened() -> Pair:
    """Return the pair of ``open`` and ``expand``."""
    decoder, docs = Decoder(), WORKLOADS["seed"].documents
    for _ in range(SEEN // len(docs)):
        trees = [decoder.open(raw).tree for raw in docs]
    same("open", trees, [decoder.expand(raw) for raw in docs])
    return Pair(Run(decoder.open, lambda: docs), Run(decoder.expand, lambda: docs), len(docs), None)


def collapsed() -> Pair:
    """Return the pair of ``collapse`` of an unchanged tree and ``expand``."""
    decoder, docs = Decoder(), WORKLOADS["seed"].documents
    for _ in range(SEEN // len(docs)):
        documents = [decoder.open(raw) for raw in docs]
        deque(map(decoder.expand, docs), 0)
    same("collapse", [document.collapse() for document in documents], docs)

    def collapse(document: Any) -> bytes:
        return document.collapse()

    return Pair(
        Run(collapse, lambda: documents), Run(decoder.expand, lambda: docs), len(docs), None
    )


def malformed(name: str) -> Pair:
    """Return the pair of a file of broken text and one of good text, byte for byte."""
    bad, right = broken(name, MB), good(name, MB)
    reports = [expand_file(io.BytesIO(text), io.BytesIO(), jobs=1) for text in (bad, right)]
    same(name, [report.failed > 0 for report in reports], [True, False])
    same(name, reports[0].records - reports[0].failed, reports[0].written)

    def expand(text: bytes) -> object:
        return expand_file(io.BytesIO(text), io.BytesIO(), jobs=1)

    return Pair(Run(expand, lambda: [bad]), Run(expand, lambda: [right]), 1, None)


def worst(name: str, size: int = MB, *, telling: bool = False) -> Pair:
    """Return the pair of a worst case and a parse of log lines of the same size."""
    decoder = Decoder(on_problem=deque[DecodeError](maxlen=0).append) if telling else Decoder()
    load = WORKLOADS["seed"]
    for _ in range(SEEN // load.count):
        deque(map(decoder.expand, load.documents), 0)
    large, small, plain = WORST[name](size), WORST[name](size // 4), flat(size)

    def ours(raw: bytes) -> object:
        try:
            return decoder.expand(raw)
        except DecodeError:
            return DecodeError

    same(name, ours(small), _by_the_library(small))
    return Pair(
        Run(ours, lambda: [large]),
        Run(orjson.loads, lambda: [plain]),
        1,
        None,
        Run(ours, lambda: [small]),
    )


def _by_the_library(raw: bytes) -> object:
    try:
        return recursion(json.loads)(raw)
    except RecursionError:
        return DecodeError
