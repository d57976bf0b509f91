"""What ``explain`` shows of a record: its layers, and the strings that look like layers."""

from __future__ import annotations

import binascii
import re
import zlib
from base64 import b32decode
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from nestdecode.codecs import undo
from nestdecode.errors import DecodeError
from nestdecode.paths import ROOT, Address
from nestdecode.plan.run import Opening, Trace
from nestdecode.text.reader import WHITESPACE, Reader
from nestdecode.text.tokens import Text

__all__ = [
    "BOM",
    "LOOKS_LIKE",
    "Look",
    "Lookalike",
    "OpenLayer",
    "layers_of",
    "look_at",
    "lookalikes_of",
    "size",
]

BOM = b"\xef\xbb\xbf"
# The beginning of a lookalike's reason that names codecs.
LOOKS_LIKE = "looks like "


class OpenLayer(NamedTuple):
    """
    One layer that was opened. A string that is encoded twice holds two. Immutable.

    Sizes are in bytes of UTF-8. The bytes that a record loses to escaping are the sum of
    ``escaped_size - size`` over its layers.

    Attributes:
        address: The place of its string in the expanded tree; ``pointer`` is its text.
        codecs: The codecs, in the order in which they were undone.
        depth: The number of layers it is in, itself included: 1 in the record's own text.
        text: The original text: the value of the string.
        size: The size of ``text``.
        escaped_size: The size of the string as it is written in the text around it, with
            quotes and escapes.
        decoded_size: The size of the JSON that ``text`` decodes to; of ``text`` itself if
            the only codec is json.
    """

    address: Address
    codecs: tuple[str, ...]
    depth: int
    text: str
    size: int
    escaped_size: int
    decoded_size: int

    @property
    def pointer(self) -> str:
        """The place: JSON Pointer (RFC 6901) into the expanded tree; made on each access."""
        return str(self.address)


class Lookalike(NamedTuple):
    """
    A string that looks like a layer and was not opened. Immutable.

    Attributes:
        address: Its place in the expanded tree; ``pointer`` is its text.
        reason: Why it was not opened: the error of its JSON, ``not declared``, or the
            encoding that it looks like.
        size: The size of the string, in bytes of UTF-8.
    """

    address: Address
    reason: str
    size: int

    @property
    def pointer(self) -> str:
        """The place: JSON Pointer (RFC 6901) into the expanded tree; made on each access."""
        return str(self.address)


class Look(NamedTuple):
    """
    The layers, problems and lookalikes of one record, from one expansion.

    Attributes:
        raw: The record's text.
        layers: The layers that were opened, in document order.
        problems: The layers that stayed shut, in the order of trying.
        lookalikes: The strings that look like layers and were not opened, in document order.
    """

    raw: bytes
    layers: list[OpenLayer]
    problems: list[DecodeError]
    lookalikes: list[Lookalike]


def look_at(raw: bytes, trace: Trace, reader: Reader) -> Look:
    """Return the Look of a record, given its trace."""
    return Look(
        raw,
        list(layers_of(raw, trace.openings)),
        list(trace.problems.values()),
        list(lookalikes_of(trace, reader)),
    )


def size(text: str) -> int:
    """Return the size of a text in bytes of UTF-8; a lone surrogate counts three."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def layers_of(raw: bytes, openings: list[Opening]) -> Iterator[OpenLayer]:
    """Yield the layers of a record in document order, given its openings."""
    # Positions of containers, by address, in the text that each is in. The text of a layer
    # is scanned only if another layer is in it: most hold none.
    known: dict[Address, tuple[Text, int]] = {}
    texts = {ROOT: raw.removeprefix(BOM).decode()}
    for opening in openings:
        depth = opening.around
        below, address = [], opening.address
        while address not in known and address not in texts and address.around is not None:
            below.append(address)
            address = address.around
        if address in texts:
            entered = Text(texts.pop(address))
            known[address] = entered, entered.root[0]
        around, start = known[address]
        for address in reversed(below):
            start = around.value_of(start, address.step)
            known[address] = around, start
        for codecs, string in opening.layers:
            depth += 1
            escaped = size(around.token(start))
            names = codecs[:-1] if codecs[-1] == "json" else codecs
            inside = undo(names, string)[-1].decode() if names else string
            sizes = size(string), escaped, size(inside)
            yield OpenLayer(opening.address, codecs, depth, string, *sizes)
            around = Text(inside)
            start = around.root[0]
        # Places below this address are in the text of the layer from here on.
        known.pop(opening.address, None)
        texts[opening.address] = around.text


def lookalikes_of(trace: Trace, reader: Reader) -> Iterator[Lookalike]:
    """
    Yield the strings of an expanded record that look like layers, in document order.

    Such a string begins like JSON, as it is or decoded. Problems are left out.
    """
    for address, text in _candidates(trace.tree):
        reason = _likeness(text, reader)
        if reason and address not in trace.problems:
            yield Lookalike(address, reason, size(text))


# A place as a pair: the place around it, and a step. An Address is made of few of them.
_Link = tuple["_Link | None", Any]
_LEAST = 2
# The first characters of a candidate: a bracket, a quote or percent-encoding of either, or
# eight characters of an encoding's alphabet. Of these the first is one to which an encoding
# turns the first byte of JSON, of blanks, of a byte order mark, of gzip or of zlib.
_MAY_LOOK = re.compile(
    r'[ \t\r\n\ufeff]*+(?:[{\["]|%[57][bB])|[01257BCDEHILPWe][A-Za-z0-9+/_-]{7}'
).match


def _candidates(tree: Any) -> Iterator[tuple[Address, str]]:
    """Yield the strings that may be lookalikes, and their addresses, in document order."""
    made: dict[int, tuple[_Link, Address]] = {}
    waiting: list[tuple[_Link | None, Any]] = [(None, tree)]
    while waiting:
        link, value = waiting.pop()
        if type(value) is str:
            if len(value) >= _LEAST and _MAY_LOOK(value):
                yield _address(link, made), value
        elif type(value) is dict:
            found = [((link, key), child) for key, child in value.items() if type(child) in _LOOKED]
            waiting += reversed(found)
        elif type(value) is list:
            found = [((link, i), child) for i, child in enumerate(value) if type(child) in _LOOKED]
            waiting += reversed(found)


_LOOKED = (str, dict, list)


def _address(link: _Link | None, made: dict[int, tuple[_Link, Address]]) -> Address:
    """Return the address of a place; it shares the addresses around it with its neighbours."""
    below: list[_Link] = []
    while link is not None and id(link) not in made:
        below.append(link)
        link = link[0]
    address = ROOT if link is None else made[id(link)][1]
    for number, link in enumerate(reversed(below), 1):
        address = Address(address, link[1])
        # Only containers have places below them. The link is kept, so that its id is not
        # used again for another one.
        if number < len(below):
            made[id(link)] = link, address
    return address


# The beginning of a JSON object or array that is not empty. Possessive quantifiers: without
# backtracking, each match is one pass.
_BEGINS = re.compile(
    r"[ \t\r\n\ufeff]*+(?:\{[ \t\r\n]*+[\"}]"
    r"|\[[ \t\r\n]*+(?:[\"{\[\]]|-?+[0-9]|true|false|null))"
).match


def _likeness(text: str, reader: Reader) -> str:
    """Return the reason of a lookalike, or '' for a string that does not look like a layer."""
    first = text.lstrip(WHITESPACE + "\ufeff")[:1]
    if not first:
        return ""
    if first in '{["':
        return _mistake(text, reader)
    chain = _encoding(text)
    return LOOKS_LIKE + chain if chain else ""


def _mistake(text: str, reader: Reader) -> str:
    """Return the reason for a string that begins with a bracket or a quote, or ''."""
    value: Any = text
    while type(value) is str:
        if not _BEGINS(value) and value.lstrip(WHITESPACE + "\ufeff")[:1] != '"':
            is_escaped = _BEGINS(value[:_HEAD].replace('\\"', '"'))
            return f"{LOOKS_LIKE}escaped JSON" if is_escaped else ""
        try:
            inner = reader.parse(value.strip(WHITESPACE))
        except DecodeError as error:
            return error.reason if _BEGINS(value) else ""
        value = inner
    return "not declared"


# Characters of a text that are decoded to see how it begins. A gzip member can have a file
# name before its data, so it needs more.
_HEAD, _LONG_HEAD = 64, 4096
_GZIP, _ZLIB = b"\x1f\x8b\x08", (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")


def _from_base64(head: str) -> bytes:
    head = head.rstrip("=")
    return binascii.a2b_base64(head[: len(head) - (len(head) % 4 == 1)] + "==")


def _from_base64url(head: str) -> bytes:
    return _from_base64(head.replace("-", "+").replace("_", "/"))


def _from_base32(head: str) -> bytes:
    head = head.rstrip("=")
    return b32decode(head[: len(head) // 8 * 8])


def _from_base16(head: str) -> bytes:
    return bytes.fromhex(head[: len(head) // 2 * 2])


# Codec, pattern of a whole text, and the function that decodes its beginning.
_ALPHABETS: tuple[tuple[str, re.Pattern[str], Callable[[str], bytes]], ...] = (
    ("base16", re.compile(r"(?=[01257eE])(?:[0-9A-Fa-f]{2})++\Z"), _from_base16),
    ("base32", re.compile(r"[5BDELP][A-Z2-7]++={0,6}+\Z"), _from_base32),
    ("base64", re.compile(r"[7CDHIWe][A-Za-z0-9+/]++={0,2}+\Z"), _from_base64),
    ("base64url", re.compile(r"[7CDHIWe][A-Za-z0-9_-]++={0,2}+\Z"), _from_base64url),
)


def _encoding(text: str) -> str:
    """Return the codecs under which a text begins like JSON, as specs write them, or ''."""
    if text.startswith("%"):
        head = re.sub("%([0-9A-Fa-f]{2})", lambda found: chr(int(found[1], 16)), text[:_HEAD])
        return "percent-encoded JSON" if _BEGINS(head) else ""
    for codec, alphabet, decoded in _ALPHABETS:
        head = text[:_HEAD]
        if not alphabet.match(head.rstrip("=")):
            continue
        chain = _chain(codec, decoded, text)
        if chain and alphabet.match(text):
            return chain
    return ""


def _chain(codec: str, decoded: Callable[[str], bytes], text: str) -> str:
    data = decoded(text[:_HEAD])
    if data.startswith(_GZIP):
        data = _inflated(decoded(text[:_LONG_HEAD]), 31)
        return f"{codec} | gzip | json" if _begins(data) else ""
    if data[:2] in _ZLIB:
        data = _inflated(decoded(text[:_LONG_HEAD]), 15)
        return f"{codec} | zlib | json" if _begins(data) else ""
    return f"{codec} | json" if _begins(data) else ""


def _inflated(data: bytes, wbits: int) -> bytes:
    try:
        return zlib.decompressobj(wbits).decompress(data, _HEAD)
    except zlib.error:
        return b""


_NO_TEXT = bytes(set(range(32)) - set(b"\t\r\n"))


def _begins(data: bytes) -> bool:
    """Return whether bytes, which may be cut off, are UTF-8 that begins like JSON."""
    if not data or data.translate(None, _NO_TEXT) != data:
        return False
    try:
        head = data.decode()
    except UnicodeDecodeError as error:
        if error.reason != "unexpected end of data":
            return False
        head = data[: error.start].decode()
    return _BEGINS(head) is not None
