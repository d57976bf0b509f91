"""Random documents and specs without Hypothesis: fast, and the same for the same seed."""

import base64
import gzip
import json
from collections.abc import Callable
from random import Random
from typing import Any, NamedTuple

from tests import fuzz, oracle, strategies
from tests.strategies import Style

NAMES = ["a", "b", "c"]
ODD_NAMES = ["d.e", "é", "*", "", "a/b", "{}", "\ud800", "[1]", "🦊"]
LAYERS = ["json", "json", "json", "strings", "scalars", "twice", "base64", "gzip", "text", "either"]
CHAINS = [("json",), ("json",), *strategies.CHAINS]
WORDS = ["", "x", "abc", "YWJj", "WVdKag==", "hello world", "é", "🦊", "\u2028", "a\\b", 'say "x"']
# Strings as they stand in a text.
TOKENS = [
    *(r'"\ud800"', r'"\uDFFF\ud800"', r'"\u005b1]"', r'"\u0022[]\u0022"', r'"[\u005d"', r'"\\"'),
    *(r'"\u00e9"', r'"\ud83e\udd8a"', r'"\/"', r'"{\u007d"', r'"\u0000"', r'"\"[1]\""', '"\x7f"'),
]
NUMBERS = [
    *("0", "1", "-1", "7", "12345", "-0", "2.5", "-0.0", "1.10", "1E5", "1e-7", "1e22", "1e16"),
    *(str(-(2**63)), str(2**63), str(-(2**63) - 1), str(2**64 - 1), str(2**64), "9" * 20),
    *("12345678901234567890", "-12345678901234567890", "0.1234567890123456789", "5e-324", "1e-400"),
    *("1.7976931348623157e308", "9007199254740993.0", "1" + "0" * 30, "-" + "8" * 300),
]
UNREADABLE = ["1e400", "-1E+999", "9" * 4301, "01", "1.", "+1", "NaN", "-Infinity"]
BLANKS = ["", "", "", "", " ", "\n", "\t ", "\r\n"]
STYLES = [
    *(Style(), Style(), Style(), Style(ascii=True), Style(ascii=True, uppercase=True)),
    *(Style(slash="\\/"), Style(escaped=frozenset('"\\')), Style(escaped=frozenset("{}[]"))),
    *(Style(escaped=frozenset('<>&"')), Style(escaped=frozenset(" :,0123456789"))),
    *(
        Style(escaped=frozenset(":,-")),
        Style(escaped=frozenset("-")),
        Style(escaped=frozenset(":")),
    ),
]
# Texts grow exponentially where backslashes are escaped by backslashes.
MOST = 3_000


class Place(NamedTuple):
    """
    What a spec declares for a place.

    Attributes:
        kind: leaf, object, array, or the kind of a layer.
        names: The members by name.
        rest: Every other member, every element, or the content of a layer.
        chain: The codecs of a layer, for the short form.
        policy: The policy of a layer, or None.
        optional: Whether a layer may stay a string.
    """

    kind: str
    names: dict[str, "Place"]
    rest: "Place | None" = None
    chain: tuple[str, ...] = ()
    policy: str | None = None
    optional: bool = False


LEAF = Place("leaf", {})


def place(chance: Random, depth: int, parent: str = "object") -> Place:
    """Return a random declaration of a place."""
    kinds = ["object", "object", "array", "array", *LAYERS] if depth else ["leaf", "json", "text"]
    kind = chance.choice([*kinds, "leaf"])
    if kind == "leaf":
        return LEAF
    if kind == "object":
        names = chance.sample([*NAMES, chance.choice(ODD_NAMES[:4])], chance.randrange(1, 4))
        rest = place(chance, depth - 1) if chance.random() < 0.2 else None
        return Place(kind, {name: place(chance, depth - 1) for name in names}, rest)
    if kind == "array":
        return Place(kind, {}, place(chance, depth - 1, kind))
    inside, policies = None, [None] * 5 + ["keep", "null"]
    if depth and kind not in ("strings", "scalars", "text"):
        inside = place(chance, depth - 1, kind)
        inside = inside if inside.kind in ("object", "array") else None
    if parent == "object":
        policies += ["drop", "fail"]
    chain = chance.choice(CHAINS)
    policy, optional = chance.choice(policies), chance.random() < 0.3
    return Place(kind, {}, inside, chain, policy, optional)


def root(chance: Random) -> Place:
    """Return a random declaration of records."""
    if chance.random() < 0.2:
        return Place("array", {}, place(chance, 3, "array"))
    return Place("object", {name: place(chance, 3) for name in NAMES})


def schema_of(place: Place) -> Any:
    """Return a place as JSON Schema."""
    if place.kind == "leaf":
        return {}
    if place.kind == "object":
        schema: Any = {"properties": {n: schema_of(p) for n, p in place.names.items()}}
        return schema | ({"additionalProperties": schema_of(place.rest)} if place.rest else {})
    inside = schema_of(place.rest) if place.rest else {}
    if place.kind == "array":
        return {"items": inside}
    return strategies.layer_schema(place.kind, inside, place.policy, optional=place.optional)


def declared_by(place: Place, path: str = "") -> list[oracle.Declared]:
    """Return the layers of a place for the short form: path, codecs, optional."""
    found: list[oracle.Declared] = []
    if place.kind == "array":
        path += "[]"
    elif place.kind not in ("object", "leaf"):
        found.append((path, place.chain, place.optional))
        if place.chain[-1] != "json":
            return found
        # What is in a layer has the path of the layer.
        return found + (declared_by(place.rest, path) if place.rest else [])
    if place.kind == "array":
        return found + (declared_by(place.rest, path) if place.rest else [])
    for name, child in place.names.items():
        step = name if name.isascii() and name.isalpha() else json.dumps(name, ensure_ascii=False)
        found += declared_by(child, f"{path}.{step}" if path else step)
    if place.rest:
        found += declared_by(place.rest, f"{path}.*" if path else "*")
    return found


class Writer:
    """
    A writer of random documents.

    Args:
        form: The random numbers of the structure: the same for texts of one shape.
        leaf: The random numbers of everything else.
        odd: The share of unusual parts.
        tame: Whether every number can be read and no limit is met.
        short: Whether layers are written as the short form declares them.
    """

    def __init__(
        self, form: Random, leaf: Random, odd: float, *, tame: bool = False, short: bool = False
    ) -> None:
        self.form = form
        self.leaf = leaf
        self.odd = odd
        self.tame = tame
        self.short = short
        self.left = 60

    def document(self, place: Place = LEAF) -> str:
        """Return the text of a document, most often an object or an array."""
        if place is not LEAF:
            text = self.at(place)
        else:
            kinds = [self.object, self.array, self.tower, self.wide, self.layer]
            text = self.form.choices(kinds, [8, 5, 2, 1, 1])[0](4)
        return self.blank() + text + self.blank()

    def value(self, depth: int) -> str:
        """Return the text of a value."""
        self.left -= 1
        if depth <= 0 or self.left < 0:
            return self.scalar()
        kinds: list[Callable[[int], str]]
        kinds = [self.any_scalar, self.object, self.array, self.layer, self.tower, self.wide]
        return self.form.choices(kinds, [5, 4, 4, 6, 0.4, 0.2])[0](depth)

    def any_scalar(self, _depth: int) -> str:
        """Return the text of a scalar, as one kind of value."""
        return self.scalar()

    def scalar(self) -> str:
        """Return the text of a number, a string or a word."""
        kind = self.leaf.random()
        if kind < 0.4:
            return self.number()
        return self.string() if kind < 0.85 else self.leaf.choice(["true", "false", "null"])

    def number(self) -> str:
        """Return the text of a number."""
        if not self.tame and self.leaf.random() < self.odd / 20:
            return self.leaf.choice(UNREADABLE)
        if self.leaf.random() < 0.3:
            return str(self.leaf.randrange(-(10**6), 10**6))
        return self.leaf.choice(NUMBERS)

    def string(self) -> str:
        """Return the text of a string."""
        if self.leaf.random() > self.odd:
            return self.quoted(self.leaf.choice(WORDS))
        if self.leaf.random() < 0.3:
            return self.leaf.choice(TOKENS)
        return self.quoted(
            self.leaf.choice(
                self.leaf.choice([strategies.NEAR_MISSES[:-1], strategies.TEXTS_OF_LAYERS[:-2]])
            )
        )

    def quoted(self, text: str) -> str:
        """Return a string token for a text, in any style."""
        if len(text) < 40 and self.leaf.random() < 0.02:
            return Style(escaped=frozenset(text)).quote(text)
        style = self.leaf.choice(STYLES)
        if len(text) < 400 and self.leaf.random() < 0.05:
            # Each character by itself, as nobody writes.
            every = Style(escaped=frozenset(text))
            if not text.startswith(oracle.NUMERAL):
                units = [self.leaf.choice([style, style, every]).quote(one)[1:-1] for one in text]
                return f'"{"".join(units)}"'
        return style.quote(text)

    def blank(self) -> str:
        """Return white space, most often none."""
        return self.leaf.choice(BLANKS)

    def object(self, depth: int, names: list[str] | None = None) -> str:
        """Return the text of an object."""
        if names is None:
            names = self.form.sample(NAMES, self.form.randrange(4))
            if self.form.random() < 0.1:
                names.append(self.form.choice(ODD_NAMES))
        members = [(name, self.value(depth - 1)) for name in names]
        return self.members(members)

    def members(self, members: list[tuple[str, str]]) -> str:
        """Return the text of an object with given members."""
        if members and self.leaf.random() < self.odd / 3:
            members.insert(self.leaf.randrange(len(members)), (members[0][0], self.string()))
        if self.leaf.random() < self.odd / 2:
            members.append((self.leaf.choice(NAMES + ODD_NAMES), self.scalar()))
        comma, colon = self.blank() + "," + self.blank(), self.blank() + ":" + self.blank()
        texts = [self.quoted(name) + colon + value for name, value in members]
        return "{" + self.blank() + comma.join(texts) + self.blank() + "}"

    def array(self, depth: int) -> str:
        """Return the text of an array."""
        return self.elements([self.value(depth - 1) for _ in range(self.form.randrange(4))])

    def elements(self, elements: list[str]) -> str:
        """Return the text of an array with given elements."""
        comma = self.blank() + "," + self.blank()
        return "[" + self.blank() + comma.join(elements) + self.blank() + "]"

    def tower(self, depth: int) -> str:
        """Return many containers inside one another, with numbers around and some as layers."""
        text = self.value(depth - 2)
        high = [3, 6, 8, 12, 20, 40, 63, 100, 190, 199, 200, 205, 300]
        height = self.form.choice(high[:3] if self.tame else high)
        before = self.form.randrange(2)
        after = self.form.choice([0, 1, 3, 3, 8, 20, 50])
        layered = self.form.choice([0, 0, 0.05, 0.3])
        while height > 0 and len(text) < 20_000:
            height -= 1
            numbers = [self.number() for _ in range(before + after)]
            if self.form.random() < 0.15:
                text = self.members([("a", text), *zip(NAMES[1:], numbers, strict=False)])
            else:
                text = "[" + ",".join([*numbers[:before], text, *numbers[before:]]) + "]"
            if self.form.random() < layered and len(text) < MOST:
                text = self.quoted(text)
        return text

    def wide(self, depth: int) -> str:
        """Return the text of an array of many elements of one kind."""
        count = self.form.choice([20, 50, 200, 600])
        if self.form.random() < 0.5:
            return "[" + ",".join(self.scalar() for _ in range(count)) + "]"
        inside = self.value(depth - 2)
        return "[" + ",".join([inside] * min(count, 1 + 9000 // len(inside))) + "]"

    def layer(self, depth: int) -> str:
        """Return an object or an array as a string token, encoded once or several times."""
        text = self.form.choice([self.object, self.array])(depth - 1)
        for _ in range(self.form.choice([1, 1, 1, 1, 2, 2, 3, 8])):
            if len(text) > MOST:
                break
            text = self.quoted(self.inner(text))
        return text

    def inner(self, text: str) -> str:
        """Return the text of a layer, with white space around it, sometimes broken."""
        if self.leaf.random() < self.odd / 3:
            at = self.leaf.randrange(len(text) + 1)
            piece = self.leaf.choice(
                ["", "x", ",", "]", "\ufeff", "\x00", "\\", '"', "\n", "1e400"]
            )
            return text[:at] + piece + text[at + self.leaf.randrange(2) :]
        return self.blank() + text + self.blank()

    # As a spec declares it, more or less

    def at(self, place: Place) -> str:
        """Return the text of a value for a place."""
        if self.leaf.random() < self.odd / 4:
            return self.value(2)
        if place.kind == "leaf":
            return self.scalar() if self.form.random() < 0.6 else self.value(2)
        if place.kind == "object":
            names = [*place.names, *(["z", "y"] if place.rest else [])]
            names = [n for n in names if self.leaf.random() > self.odd / 2]
            return self.members(
                [(n, self.at(place.names.get(n) or place.rest or LEAF)) for n in names]
            )
        if place.kind == "array":
            return self.elements(
                [self.at(place.rest or LEAF) for _ in range(self.form.randrange(4))]
            )
        return self.quoted(self.closed(place))

    def closed(self, place: Place) -> str:
        """Return the text of a declared layer."""
        if place.kind == "scalars" and not self.short:
            inside = self.scalar()
        elif place.kind == "strings" and not self.short and self.leaf.random() < 0.6:
            inside = self.string()
        elif place.rest:
            inside = self.at(place.rest)
        else:
            inside = self.form.choice([self.object, self.array])(2)
        if len(inside) > MOST:
            inside = "[]"
        chain = place.chain
        if not self.short:
            either = self.leaf.choice([("json",), ("base64", "json")])
            chain = {
                "twice": ("json", "json"),
                "base64": ("base64", "json"),
                "gzip": ("base64", "gzip", "json"),
                "text": ("base64",),
                "either": either,
            }.get(place.kind, ("json",))
        if chain[-1] != "json":
            inside = self.leaf.choice(WORDS)
        if self.leaf.random() < self.odd / 4:
            chain = self.leaf.choice(CHAINS)
        return self.encoded(self.inner(inside), chain)

    def encoded(self, text: str, chain: tuple[str, ...]) -> str:
        """Return a text, encoded so that the codecs decode it."""
        data = text.encode("utf-8", "replace")
        codecs = list(chain[:-1] if chain[-1] == "json" else chain)
        for codec in reversed(codecs):
            if codec == "json":
                data = self.quoted(data.decode()).encode()
            elif codec == "gzip":
                data = gzip.compress(data, 1, mtime=0)
            else:
                data = base64.b64encode(data)
            if self.leaf.random() < self.odd / 10:
                data = fuzz.broken(self.leaf, [data])
        return data.decode("utf-8", "replace")
