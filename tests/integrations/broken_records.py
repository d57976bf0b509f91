"""Records that mean harm, or are merely broken; always the same."""

import gzip
import random

from tests.integrations.conftest import LINES

# What is costly, strange, or in no alphabet.
STRANGE = [
    b"", b" ", b"\n", b"\0", b"\xff\xfe", b"\xef\xbb\xbf{}", b"null", b"NaN", b"-", b"1e400",
    b"9" * 5000, b"[" * 5000, b'{"a":' * 5000, b'{"a":"\\ud800"}', b'{"a":1,"a":2}', b"[]]",
    b'"' * 99, b"\\" * 99, b'{"__class__":"x"}', b'{"a":"' + b'{\\"a\\":' * 300 + b'"}',
    b"\x1f\x8b\x08", gzip.compress(b"[" * 9999), gzip.compress(bytes(1 << 20)),
    gzip.compress(b'{"a":"[1]"}')[:-3],
]  # fmt: skip


def hostile(number=10_000):
    """Return records: the strange ones, and good ones that were changed at random places."""
    chance = random.Random(15)
    records = []
    for index in range(number):
        record = bytearray(chance.choice(LINES) if index % 7 else chance.choice(STRANGE))
        for _ in range(chance.randrange(4)):
            place = chance.randrange(len(record) + 1)
            record[place : place + chance.randrange(3)] = chance.randbytes(chance.randrange(3))
        records.append(bytes(record))
    return records
