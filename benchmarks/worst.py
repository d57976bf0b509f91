"""
The worst cases: for each, a text of a given size that takes the longest.

Each repeats one piece, so that it can be made in any size.
"""

import json
from collections.abc import Callable

from documents import flat_line, lines_of

Maker = Callable[[int], bytes]


def flat(size: int) -> bytes:
    """Return an array of log lines: the ordinary text that the worst cases are compared with."""
    return _array(b"".join(lines_of(flat_line, 1000)).decode().splitlines(), size)


def _array(pieces: list[str], size: int) -> bytes:
    """Return an array of about *size* bytes."""
    times = size // (sum(map(len, pieces)) + len(pieces)) + 1
    length, kept = 2, []
    for piece in pieces * times:
        length += len(piece) + 1
        if length > size:
            break
        kept.append(piece)
    return f"[{','.join(kept)}]".encode()


def _repeated(piece: str) -> Maker:
    return lambda size: _array([piece], size)


def backslashes(size: int) -> bytes:
    return b'{"a":"' + b"\\" * (size // 2 * 2) + b'","b":"{}"}'


def quotes(size: int) -> bytes:
    return b'{"a":"' + rb"\"\\n" * (size // 5) + b'","b":"{}"}'


def brackets(size: int) -> bytes:
    return b"[" * size


def duplicates(size: int) -> bytes:
    member = r'"a":"{\"x\":1}"'
    return b"{" + _array([member], size)[1:-1] + b"}"


def _cut(size: int) -> bytes:
    """Return one layer that fills the text, and is cut short."""
    inner = '[{"k":17,"v":"xxxxxxxxxxxxxxxxxxxx"}'
    text = inner + "".join(f",{inner[1:]}" for _ in range(size // 50))
    return json.dumps({"a": text}, separators=(",", ":")).encode()


def _layers(count: int) -> str:
    """Return layers inside one another; backslashes as ``\\u005c`` do not double."""
    text = '{"a":1}'
    for _ in range(count):
        text = '{"m":"' + text.replace("\\", r"\u005c").replace('"', r"\u0022") + '"}'
    return text


_SURROGATE = json.dumps({"a": json.dumps({"b": "\ud800"})}, separators=(",", ":"))

# What it is: the text of a size.
WORST: dict[str, Maker] = {
    "integers of 4,300 digits": _repeated("9" * 4300),
    "integers of 25 digits": _repeated("1" * 25),
    "opening brackets, refused": brackets,
    "a string of backslashes": backslashes,
    "strings like `[x]`": _repeated('"[x12345]"'),
    'strings like `{"a":1,`': _repeated(r'"{\"a\":1,"'),
    "one layer that ends too early": _cut,
    "quotes before backslashes": quotes,
    r"30 layers, escaped as `\u005c`": _repeated(_layers(30)),
    "layers with escaped lone surrogates": _repeated(_SURROGATE),
    "members of one name, a layer in each": duplicates,
}
