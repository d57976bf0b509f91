"""
The documents that are measured, and the code that people write for exactly their shapes.

All of them are made from seeded random numbers: two runs see the same bytes.
"""

import random
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

from nestdecode import Decoder, Spec

SAMPLES = Path(__file__).parent.parent / "specs/samples"
IMAGES = "data.taskResult[].taskResult.result.data.structData.data[]"
SEEN = 200


@dataclass(frozen=True)
class Workload:
    """
    Documents of one shape.

    Attributes:
        make: Makes one document.
        by_hand: The hand-written code: from a document's bytes to the answer.
        spec: Where the layers are, for a Decoder that is told.
        count: How many different documents are measured.
        small: Makes the documents that a Decoder learns from, where those measured are large.
        query: What is asked of a document at its root; None if it is expanded.
        focused: The same, asked at the spec's focus.
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
        """Return what the hand-written code makes of them."""
        return [self.by_hand(raw) for raw in self.documents]

    def told(self) -> Callable[[bytes], Any]:
        """Return a Decoder with the spec, as a function."""
        decoder = Decoder(self.spec)
        return decoder.compile(self.focused) if self.focused else decoder.expand

    def fresh(self) -> Callable[[bytes], Any]:
        """Return a Decoder without a spec that has seen nothing."""
        decoder = Decoder()
        return decoder.compile(self.query) if self.query else decoder.expand

    def learnt(self) -> Callable[[bytes], Any]:
        """Return a Decoder without a spec that has seen 200 such documents."""
        expand = self.fresh()
        rng = random.Random(f"{self.name}, before")
        for _ in range(SEEN):
            expand((self.small or self.make)(rng))
        return expand


def _digits(rng: random.Random, length: int) -> str:
    return str(rng.randrange(10 ** (length - 1), 10**length))


def _uuid(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def _json(value: Any) -> str:
    return orjson.dumps(value).decode()


SEED = orjson.dumps(orjson.loads((SAMPLES / "repair-results.json").read_bytes()))
_UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def seed(rng: random.Random) -> bytes:
    """Return the response that the project was born from, with other ids and times."""
    raw = _UUID.sub(lambda _: _uuid(rng).encode(), SEED)
    return re.sub(rb"\d{9,}", lambda match: _digits(rng, len(match[0])).encode(), raw)


def seed_by_hand(raw):
    tree = orjson.loads(raw)
    for item in tree["data"]["taskResult"]:
        wrapper = item["taskResult"] = orjson.loads(item["taskResult"])
        wrapper["usageMap"] = orjson.loads(wrapper["usageMap"])
        result = wrapper["result"] = orjson.loads(wrapper["result"])
        data = result["data"]
        data["usageMap"] = orjson.loads(data["usageMap"])
        data["structData"]["usageMap"] = orjson.loads(data["structData"]["usageMap"])
    return tree


def images_by_hand(raw):
    found = []
    for item in orjson.loads(raw)["data"]["taskResult"]:
        result = orjson.loads(orjson.loads(item["taskResult"])["result"])
        found += result["data"]["structData"]["data"]
    return found


def pretty_seed(rng: random.Random) -> bytes:
    """Return the same as people save it; the layers inside stay as they were sent."""
    return orjson.dumps(orjson.loads(seed(rng)), option=orjson.OPT_INDENT_2)


# The third body of the sample is plain text; here all are notifications.
_RECORDS = orjson.loads((SAMPLES / "aws/sqs-sns.json").read_bytes())["Records"][:2]


def sns(rng: random.Random) -> bytes:
    """Return three notifications; SNS indents its own JSON, publishers do not."""
    records = []
    for record in (*_RECORDS, _RECORDS[0]):
        body = orjson.loads(record["body"])
        message = orjson.loads(body["Message"])
        message["order"]["id"] = _digits(rng, 6)
        body |= {"MessageId": _uuid(rng), "Message": _json(message)}
        text = orjson.dumps(body, option=orjson.OPT_INDENT_2).decode()
        digest = f"{rng.getrandbits(128):032x}"
        records.append(record | {"messageId": _uuid(rng), "body": text, "md5OfBody": digest})
    return orjson.dumps({"Records": records})


def sns_by_hand(raw):
    tree = orjson.loads(raw)
    for record in tree["Records"]:
        body = record["body"] = orjson.loads(record["body"])
        body["Message"] = orjson.loads(body["Message"])
    return tree


def _line(rng: random.Random, log: str, **more: Any) -> bytes:
    second = f"{rng.randrange(86400):05d}"
    line = {
        "time": f"2025-10-10T09:{second[:2]}:{second[2:4]}.{_digits(rng, 6)}Z",
        "level": rng.choice(("info", "info", "info", "warning", "error")),
        "logger": rng.choice(("app.orders", "app.users", "app.http")),
        "log": log,
        "request_id": f"{rng.getrandbits(64):016x}",
        "status": rng.choice((200, 200, 201, 404, 500)),
        "duration_ms": rng.randrange(100_000) / 100,
        "stream": "stdout",
    }
    return orjson.dumps(line | more)


def flat_line(rng: random.Random) -> bytes:
    """Return a log line of some 230 bytes that holds no layer."""
    return _line(rng, f"order {_digits(rng, 6)} accepted for customer {_digits(rng, 8)}, 3 items")


def bracketed_line(rng: random.Random) -> bytes:
    """Return a log line without a layer whose text begins as if it were one."""
    return _line(rng, f"[INFO] order {_digits(rng, 6)} accepted for customer {_digits(rng, 8)}")


def mixed_line(rng: random.Random) -> bytes:
    """Return a log line of some 330 bytes; one in ten is a payload."""
    order = {"event": "order", "id": _digits(rng, 6), "items": [{"sku": "A-17", "quantity": 2}]}
    text = f"order {_digits(rng, 6)} accepted for customer {_digits(rng, 8)}, three items in stock"
    return _line(
        rng,
        _json(order) if rng.random() < 0.1 else text,
        pod=f"orders-{rng.getrandbits(40):010x}",
        namespace="production",
        image="registry.example.com/shop/orders:1.4.2",
    )


def line_by_hand(raw):
    tree = orjson.loads(raw)
    if tree["log"][0] == "{":
        tree["log"] = orjson.loads(tree["log"])
    return tree


LINES = Spec.parse("{nestdecode: 1, layers: {log: json?}}")


def large(rng: random.Random, nodes: int = 250_000, layers: int = 10) -> bytes:
    """Return a catalogue with a layer in a few of its items."""
    count = nodes // 15
    noted = set(rng.sample(range(count), layers))
    items = [
        {
            "id": _digits(rng, 9),
            "name": f"part {_digits(rng, 5)}",
            "price": rng.randrange(100_000) / 100,
            "stock": rng.randrange(1000),
            "tags": ["steel", "m8", f"lot-{_digits(rng, 6)}"],
            "size": {"width": rng.randrange(500), "height": rng.randrange(500), "unit": "mm"},
            "place": {"aisle": rng.randrange(60), "bin": f"{rng.getrandbits(32):08x}"},
            "supplier": f"https://suppliers.example.com/{_digits(rng, 7)}/parts",
            "checked": f"2025-10-10T09:00:00.{_digits(rng, 6)}Z",
            "note": _json({"by": "ann", "hold": True}) if number in noted else None,
        }
        for number in range(count)
    ]
    return orjson.dumps({"generated": "2025-10-10", "items": items})


def large_by_hand(raw):
    tree = orjson.loads(raw)
    for item in tree["items"]:
        if item["note"] is not None:
            item["note"] = orjson.loads(item["note"])
    return tree


def deep(rng: random.Random, layers: int = 6) -> bytes:
    """Return a message that was put into an envelope again and again."""
    message: dict[str, Any] = {"order": _digits(rng, 6), "total": rng.randrange(10_000) / 100}
    for number in range(layers):
        hop = {"id": _uuid(rng), "hop": number, "sent": "2025-10-10T09:00:00Z", "type": "relay"}
        message = hop | {"message": _json(message)}
    return orjson.dumps(message)


def deep_by_hand(raw):
    tree = inner = orjson.loads(raw)
    while "message" in inner:
        inner["message"] = inner = orjson.loads(inner["message"])
    return tree


def deep_spec(layers: int = 6) -> Spec:
    """Return the spec of ``deep``."""
    paths = (".".join(["message"] * number) for number in range(1, layers + 1))
    return Spec.parse(f"{{nestdecode: 1, layers: {{{', '.join(f'{p}: json' for p in paths)}}}}}")


def many(rng: random.Random) -> bytes:
    """Return 200 events with a small layer each."""
    events = [
        {"id": _digits(rng, 9), "kind": "usage", "map": _json({"usage": rng.randrange(100)})}
        for _ in range(200)
    ]
    return orjson.dumps({"events": events})


def many_by_hand(raw):
    tree = orjson.loads(raw)
    for event in tree["events"]:
        event["map"] = orjson.loads(event["map"])
    return tree


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload(
            "seed",
            "five layers, three deep, in 1.5 KB: the response that the project was born from",
            seed,
            seed_by_hand,
            "repair-results",
        ),
        Workload(
            "pretty",
            "the same, its outer text indented",
            pretty_seed,
            seed_by_hand,
            "repair-results",
        ),
        Workload(
            "sns",
            "SNS in SQS: three records of two layers each, the outer one indented",
            sns,
            sns_by_hand,
            "aws/sqs-sns",
        ),
        Workload(
            "lines",
            "log lines of 330 bytes, a payload in one of ten",
            mixed_line,
            line_by_hand,
            LINES,
            count=500,
        ),
        Workload(
            "flat lines",
            "log lines of 230 bytes without any layer",
            flat_line,
            orjson.loads,
            LINES,
            count=500,
        ),
        Workload(
            "bracketed lines",
            "the same, but each message begins with `[INFO]`",
            bracketed_line,
            orjson.loads,
            LINES,
            count=500,
        ),
        Workload(
            "large",
            "one document of 4 MB, 250,000 nodes, 10 layers",
            large,
            large_by_hand,
            Spec.parse("{nestdecode: 1, layers: {'items[].note': json}}"),
            count=1,
            small=lambda rng: large(rng, 2500),
        ),
        Workload("deep", "a layer in a layer, six deep", deep, deep_by_hand, deep_spec()),
        Workload(
            "many",
            "200 small layers in one document",
            many,
            many_by_hand,
            Spec.parse("{nestdecode: 1, layers: {'events[].map': json}}"),
        ),
        Workload(
            "query",
            "the seed's image addresses, from raw bytes; by hand only two layers are opened",
            seed,
            images_by_hand,
            "repair-results",
            query=IMAGES,
            focused="structData.data[]",
        ),
    )
}


def lines_of(make: Callable[[random.Random], bytes], count: int, different: int = 2000):
    """Yield *count* lines, each with its newline; after *different* ones they come again."""
    rng = random.Random("nestdecode lines")
    block = [make(rng) + b"\n" for _ in range(min(count, different))]
    return islice(cycle(block), count)
