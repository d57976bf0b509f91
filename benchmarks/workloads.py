"""The workloads: documents, the spec or query for each, and the answer of hand-written code."""

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import by_hand
import documents
import orjson

from nestdecode import Decoder, Spec

IMAGES = "data.taskResult[].taskResult.result.data.structData.data[]"
SEEN = 200


@dataclass(frozen=True)
class Workload:
    """
    A workload: documents of one shape, and what is asked of them.

    Attributes:
        make: Makes one document.
        by_hand: The hand-written code: from a document's bytes to the answer.
        spec: The spec, for a Decoder that has one.
        count: The number of different documents that are measured.
        small: Makes smaller documents for a Decoder to learn from; None for the same ones.
        query: The query, from the root of the document; None if documents are expanded.
        focused: The same query, from the spec's focus.
    """

    name: str
    question: str
    make: Callable[[random.Random], bytes]
    by_hand: Callable[[bytes], Any]
    spec: Spec | str
    count: int = 20
    small: Callable[[random.Random], bytes] | None = None
    query: str | None = None
    focused: str | None = None

    @cached_property
    def documents(self) -> list[bytes]:
        """Return the documents that are measured."""
        rng = random.Random(f"nestdecode {self.name}")
        return [self.make(rng) for _ in range(self.count)]

    @cached_property
    def answers(self) -> list[Any]:
        """Return the answers of the hand-written code for these documents."""
        return [self.by_hand(raw) for raw in self.documents]

    def declared(self, **arguments: Any) -> Callable[[Any], Any]:
        """Return the function of a Decoder with the spec."""
        decoder = Decoder(self.spec, **arguments)
        query = self.focused or self.query
        return decoder.compile(query) if query else decoder.expand

    def fresh(self) -> Callable[[Any], Any]:
        """Return the function of a Decoder without a spec that has seen no document."""
        decoder = Decoder()
        return decoder.compile(self.query) if self.query else decoder.expand

    def learnt(self, entry: Callable[[bytes], Any] = bytes) -> Callable[[Any], Any]:
        """Return the function of a Decoder without a spec that has seen 200 such documents."""
        expand = self.fresh()
        rng = random.Random(f"{self.name}, before")
        for _ in range(SEEN):
            expand(entry((self.small or self.make)(rng)))
        return expand


def spec_of(layers: str, more: str = "") -> Spec:
    """Return a spec in the short form."""
    return Spec.parse(f"{{nestdecode: 1, layers: {{{layers}}}{more}}}")


def deep_spec(layers: int = 6) -> Spec:
    """Return the spec of ``deep``."""
    paths = (".".join(["message"] * number) for number in range(1, layers + 1))
    return spec_of(", ".join(f"{path}: json" for path in paths))


LINES = spec_of("log: json?")
LARGE = spec_of("'items[].note': json")

SHOWN = (
    Workload(
        "seed",
        "five layers, three deep, in 1.5 KB: the response that the project was born from",
        documents.seed,
        by_hand.seed,
        "repair-results",
    ),
    Workload(
        "pretty",
        "the same, its outer text indented",
        documents.pretty_seed,
        by_hand.seed,
        "repair-results",
    ),
    Workload(
        "sns",
        "SNS in SQS: three records of two layers each, the outer one indented",
        documents.sns,
        by_hand.sns,
        "aws/sqs-sns",
    ),
    Workload(
        "lines",
        "log lines of 330 bytes, a payload in one of ten",
        documents.mixed_line,
        by_hand.line,
        LINES,
        count=500,
    ),
    Workload(
        "flat lines",
        "log lines of 230 bytes without any layer",
        documents.flat_line,
        orjson.loads,
        LINES,
        count=500,
    ),
    Workload(
        "bracketed lines",
        "the same, but each message begins with `[INFO]`",
        documents.bracketed_line,
        orjson.loads,
        LINES,
        count=500,
    ),
    Workload(
        "large",
        "one document of 4 MB, 250,000 nodes, 10 layers",
        documents.large,
        by_hand.large,
        LARGE,
        count=1,
        small=lambda rng: documents.large(rng, 2500),
    ),
    Workload("deep", "a layer in a layer, six deep", documents.deep, by_hand.deep, deep_spec()),
    Workload(
        "many",
        "200 small layers in one document",
        documents.many,
        by_hand.many,
        spec_of("'events[].map': json"),
    ),
    Workload(
        "query",
        "the seed's image addresses, from raw bytes; by hand only two layers are opened",
        documents.seed,
        by_hand.images,
        "repair-results",
        query=IMAGES,
        focused="structData.data[]",
    ),
)

PATTERNS = """{"properties": {"metadata": {"properties": {"annotations": {"patternProperties": {
    "^example\\\\.com/": {"type": "string", "contentMediaType": "application/json"}}}}}}}"""
COMMENTS = """{"properties": {
    "body": {"type": "string", "contentMediaType": "application/json"},
    "replies": {"items": {"$ref": "#"}}}}"""
ENVELOPES = """{"properties": {"message": {
    "type": "string", "contentMediaType": "application/json", "contentSchema": {"$ref": "#"}}}}"""


def sized(name: str, make: Callable[..., bytes], by_hand: Any, spec: Spec, size: int) -> Workload:
    """Return a workload of documents of *size* elements; a Decoder learns from at most 20."""
    return Workload(
        f"{name} {size}",
        "",
        lambda rng: make(rng, size),
        by_hand,
        spec,
        count=max(2, min(20, 1000 // size)),
        small=lambda rng: make(rng, min(size, 20)),
    )


def items(size: int) -> Workload:
    """Return a workload that queries a layer in each element of an array."""
    spec = spec_of("'items[].payload': json")
    load = sized("items", documents.basket, by_hand.totals, spec, size)
    return replace(load, query="items[].payload.total")


BASE64 = spec_of("'Records[].kinesis.data': base64 | json")
GZIP = spec_of("'records[].data': base64 | gzip | json")
OPEN = spec_of("'data.taskResult[].taskResult': json", ", undeclared: open")
ALL_OPEN = spec_of("'data.extra': json", ", undeclared: open")

WORKLOADS = {
    workload.name: workload
    for workload in (
        *SHOWN,
        Workload("quoted", "", documents.quoted_seed, by_hand.seed, "repair-results"),
        Workload("accented", "", documents.accented_seed, by_hand.seed, "repair-results"),
        Workload("two results", "", documents.double_seed, by_hand.seed, "repair-results"),
        *(items(size) for size in (10, 100, 1000, 10_000)),
        *(sized("base64", documents.kinesis, by_hand.kinesis, BASE64, n) for n in (1, 50)),
        *(sized("gzip", documents.firehose, by_hand.firehose, GZIP, n) for n in (1, 50)),
        Workload(
            "alternatives",
            "",
            documents.plain_or_base64,
            by_hand.plain_or_base64,
            spec_of("'Records[].body': [json, base64 | json]"),
        ),
        Workload(
            "half text",
            "",
            documents.half_text,
            by_hand.half_text,
            spec_of("'Records[].body': json?"),
        ),
        Workload("open", "", documents.seed, by_hand.seed, OPEN),
        Workload("all open", "", documents.seed, by_hand.seed, ALL_OPEN),
        Workload(
            "wildcard",
            "",
            documents.services,
            by_hand.services,
            spec_of("'services.*.config': json"),
        ),
        Workload("pattern", "", documents.annotations, by_hand.annotations, Spec.parse(PATTERNS)),
        Workload("comments", "", documents.comments, by_hand.comments, Spec.parse(COMMENTS)),
        Workload("envelopes", "", documents.deep, by_hand.deep, Spec.parse(ENVELOPES)),
    )
}
