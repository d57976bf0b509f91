"""
The documents that are measured.

All are made from seeded random numbers, so that every run measures the same bytes.
"""

import base64
import gzip
import json
import random
import re
import uuid
from collections.abc import Callable, Iterator
from itertools import cycle, islice
from pathlib import Path
from typing import Any

import orjson

SAMPLES = Path(__file__).parent.parent / "specs/samples"


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


def deep(rng: random.Random, layers: int = 6) -> bytes:
    """Return a message that was put into an envelope again and again."""
    message: dict[str, Any] = {"order": _digits(rng, 6), "total": rng.randrange(10_000) / 100}
    for number in range(layers):
        hop = {"id": _uuid(rng), "hop": number, "sent": "2025-10-10T09:00:00Z", "type": "relay"}
        message = hop | {"message": _json(message)}
    return orjson.dumps(message)


def many(rng: random.Random) -> bytes:
    """Return 200 events with a small layer each."""
    events = [
        {"id": _digits(rng, 9), "kind": "usage", "map": _json({"usage": rng.randrange(100)})}
        for _ in range(200)
    ]
    return orjson.dumps({"events": events})


def quoted_seed(rng: random.Random) -> bytes:
    """Return the seed as .NET writes it: a quote inside a string is ``\\u0022``."""
    text = json.dumps(orjson.loads(seed(rng)), separators=(",", ":"))
    return text.replace('\\"', r"\u0022").encode()


def accented_seed(rng: random.Random) -> bytes:
    """Return the seed with an ``é``, escaped as writers of ASCII do."""
    return seed(rng).replace(b'"finished"', rb'"achev\u00e9"')


def double_seed(rng: random.Random) -> bytes:
    """Return the seed with two task results."""
    first, second = orjson.loads(seed(rng)), orjson.loads(seed(rng))
    first["data"]["taskResult"] += second["data"]["taskResult"]
    return orjson.dumps(first)


def _order(rng: random.Random) -> str:
    items = [
        {"sku": f"A-{_digits(rng, 3)}", "quantity": rng.randrange(1, 9), "unit": "piece"}
        for _ in range(3)
    ]
    return _json({"id": _digits(rng, 9), "total": rng.randrange(10**6), "items": items})


def basket(rng: random.Random, elements: int) -> bytes:
    """Return a document with so many items, a layer in each."""
    items = [
        {"id": _digits(rng, 9), "kind": "order", "sent": 1760000000 + n, "payload": _order(rng)}
        for n in range(elements)
    ]
    return orjson.dumps({"page": 1, "items": items})


def kinesis(rng: random.Random, records: int) -> bytes:
    """Return an event of Kinesis for Lambda, JSON in base64."""
    return orjson.dumps(
        {
            "Records": [
                {
                    "kinesis": {
                        "partitionKey": _digits(rng, 4),
                        "sequenceNumber": _digits(rng, 56),
                        "data": base64.b64encode(_order(rng).encode()).decode(),
                    },
                    "eventSource": "aws:kinesis",
                    "eventName": "aws:kinesis:record",
                }
                for _ in range(records)
            ]
        }
    )


def firehose(rng: random.Random, records: int) -> bytes:
    """Return an event of Firehose for Lambda, JSON in gzip in base64."""
    return orjson.dumps(
        {
            "invocationId": _uuid(rng),
            "region": "eu-west-1",
            "records": [
                {
                    "recordId": _digits(rng, 40),
                    "approximateArrivalTimestamp": 1760000000000 + number,
                    "data": base64.b64encode(gzip.compress(_order(rng).encode(), mtime=0)).decode(),
                }
                for number in range(records)
            ],
        }
    )


def _bodies(rng: random.Random, make: Callable[[int], str]) -> bytes:
    records = [
        {"messageId": _uuid(rng), "eventSource": "aws:sqs", "body": make(number)}
        for number in range(10)
    ]
    return orjson.dumps({"Records": records})


def plain_or_base64(rng: random.Random) -> bytes:
    """Return ten messages: JSON, and JSON in base64, by turns."""

    def make(number: int) -> str:
        return base64.b64encode(_order(rng).encode()).decode() if number % 2 else _order(rng)

    return _bodies(rng, make)


def half_text(rng: random.Random) -> bytes:
    """Return ten messages: JSON and plain text by turns."""
    return _bodies(
        rng, lambda n: f"order {_digits(rng, 9)} was taken back" if n % 2 else _order(rng)
    )


def services(rng: random.Random) -> bytes:
    """Return ten services, whose names differ from document to document."""
    return orjson.dumps(
        {
            "services": {
                f"orders-{_digits(rng, 6)}": {"replicas": rng.randrange(9), "config": _order(rng)}
                for _ in range(10)
            }
        }
    )


def annotations(rng: random.Random) -> bytes:
    """Return an object of Kubernetes with five JSON annotations among ten."""
    mine = {f"example.com/part-{_digits(rng, 4)}": _order(rng) for _ in range(5)}
    others = {f"other.example/{_digits(rng, 4)}": _digits(rng, 20) for _ in range(5)}
    return orjson.dumps({"kind": "Pod", "metadata": {"annotations": mine | others}})


def comments(rng: random.Random, levels: int = 3) -> bytes:
    """Return a comment, its three replies, theirs and so on; each has a layer."""

    def make(level: int) -> dict[str, Any]:
        replies = [make(level - 1) for _ in range(3)] if level else []
        body = _json({"by": _digits(rng, 6), "text": "agreed", "likes": rng.randrange(99)})
        return {"id": _digits(rng, 9), "body": body, "replies": replies}

    return orjson.dumps(make(levels))


def lines_of(
    make: Callable[[random.Random], bytes], count: int, different: int = 2000
) -> Iterator[bytes]:
    """Yield *count* lines, each with its newline; after *different* ones they come again."""
    rng = random.Random("nestdecode lines")
    block = [make(rng) + b"\n" for _ in range(min(count, different))]
    return islice(cycle(block), count)
