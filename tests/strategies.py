"""Hypothesis strategies: JSON trees, layers around parts of them, and many writing styles."""

import base64
import gzip
import json
import os
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from hypothesis import strategies as st

from tests import oracle

# Of the examples that an ordinary run draws.
EFFORT = float(os.environ.get("NESTDECODE_EXAMPLES", "1"))

Tree = st.SearchStrategy[Any]

STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
NOT_ASCII = re.compile(r"[^\x00-~]")
LONE = re.compile(r"[\ud800-\udfff]")
SHORT = dict(zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True))
# Texts grow exponentially where backslashes are escaped by backslashes.
MAX_TEXT = 4_000

LONGEST_INTEGER = "9" * 4_300
NEAR_MISSES = [
    *("123", "-0", "1.10", "true", "null", "NaN", "Infinity", "", " ", '"', "\\"),
    *(
        '"abc"',
        '"123"',
        '"null"',
        '"\\"abc\\""',
        '""',
        '"{"',
        "'{}'",
        '{"a"}',
        '{"a":}',
    ),
    *("{", "[", "}", "{]", "[}", "[[]", "{}{}", "[],[]", "{0}{1}", "[1,]", '{"a":1,}'),
    *("[10] bottles of beer", "[INFO] started [ok]", "{Resource}", "[APN/1.0]", "['']"),
    *("{'a': 1}", "{a: 1}", "{1: 2}", "[01]", "[+1]", "[.5]", "[1.]", "[1e]", "[0x1]"),
    *('{"a":1} x', 'x {"a":1}', '{"a":1}\x00', "[1]\x00", "[] // no", "/**/ []"),
    *("[NaN]", "[-Infinity]", '{"a":Infinity}', "[1e400]", '{"a":-1e999}', "[tRUE]"),
    *("\ufeff{}", "\ufeff [1]", " \ufeff[]", '"\ufeff{}"', "{}\ufeff", "\\ufeff{}"),
    *("\u00a0{}", "[]\u2028", "\v[]", "\f{}", "[]\x1c", "\u3000{}", "[\u00a01]"),
    *('["\n"]', '["\t"]', '{"a\x00":1}', '["\\x"]', '["\\u12g4"]', '["\\u12"]'),
    *("\\u007b}", "\\n{}", '\\"{}\\"', '[\\"{}\\"]', '{\\"a\\":1}'),
    # What a fast parser leaves to an exact one must be refused by that one, too.
    *('["\\ud800",NaN]', '["é",-Infinity]', '["\\uDC00"]]', '["é"],', '["\ud800",01]'),
    *("[1e5,NaN]", "[1e400,12345678901234567890]", '["é\n"]', '\ufeff["\\ud800"]'),
    f"[9{LONGEST_INTEGER}]",
]
TEXTS_OF_LAYERS = [
    *("{}", "[]", " {}", "[]\n", "\r\n\t {} \t\r\n", "[[]]", '[""]', '{"":{}}'),
    *('"{}"', ' "[1]" ', '"\\"[]\\""', '" {}\\n"', '"\\u007b}"', '"\\t\\u005b1]"'),
    *('["\\n{}"]', '["\\u007b}"]', '["\\"[]\\""]', '{"a":"[1]","b":"\\u005b2]"}'),
    *("[-0]", "[-0.0]", "[1.10]", "[1E5]", "[1e-400]", "[5e-324,1e308]", "[1e22]"),
    *("[18446744073709551616]", "[9223372036854775808]", "[-9223372036854775809]"),
    *("[10000000000000000000000.0]", '{"a":123456789012345678901}'),
    *('["\\ud800"]', '{"\\udc00":"\\ud83d"}', '["\\ud83d\\ude00"]', '["\x7f\u2028"]'),
    *('{"a":1,"a":2}', '{"a":"{}","b":1,"a":"[2]"}', '["[10] bottles"]'),
    *('["\\uD800","é"]', '{"\\uDfFf":"[1]"}', '["\ud800","{}"]', '["é",1e2]'),
    *('["\\ufeff{}"]', f"[{LONGEST_INTEGER}]"),
]

keys = st.one_of(
    st.sampled_from(["a", "b", "{}", "[1]", ' {"a":1}', '"{}"', "", "a/b", "é", "0"]),
    st.text(max_size=3),
)
numbers = st.one_of(
    st.integers(),
    st.sampled_from([2**53 + 1, 2**63, 2**64, -(2**63) - 1, 10**30, -(10**400)]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from([0.0, -0.0, 1.0, 1e16, 1e22, 5e-324, 1.7976931348623157e308]),
)
texts = st.one_of(
    st.text(max_size=6),
    st.sampled_from(NEAR_MISSES),
    st.sampled_from(TEXTS_OF_LAYERS),
    st.text('{}[]":,\\ \n\t01eaun', max_size=8),
)
leaves: Tree = st.one_of(st.none(), st.booleans(), numbers, texts)


def _containers(children: Tree) -> Tree:
    return st.one_of(st.lists(children, max_size=4), st.dictionaries(keys, children, max_size=4))


trees = st.recursive(leaves, _containers, max_leaves=10)


@dataclass(frozen=True)
class Style:
    """A way to write values; no choice in it changes what is read back."""

    separators: tuple[str, str] = (",", ":")
    indent: int | str | None = None
    ascii: bool = False
    uppercase: bool = False
    slash: str = "/"
    escaped: frozenset[str] = frozenset()
    before: str = ""
    after: str = ""
    stringified: int = 0

    def write(self, value: Any) -> str:
        """Return a value as one JSON text."""
        text = json.dumps(
            value,
            allow_nan=False,
            ensure_ascii=False,
            indent=self.indent,
            separators=self.separators,
        )
        text = STRING.sub(lambda token: self.quote(json.loads(token[0])), text)
        text = self.before + text + self.after
        for _ in range(self.stringified):
            text = self.before + self.quote(text) + self.after
        return text

    def quote(self, text: str) -> str:
        """Return a text as one string token; a kept number as that number."""
        if text.startswith(oracle.NUMERAL):
            return text.removeprefix(oracle.NUMERAL)
        text = text.translate(self._table)
        return f'"{(NOT_ASCII if self.ascii else LONE).sub(self._units, text)}"'

    @cached_property
    def _table(self) -> dict[int, str]:
        table = {ord("/"): self.slash}
        table |= {code: self._units(chr(code)) for code in range(32)}
        table |= {ord(raw): "\\" + short for raw, short in SHORT.items()}
        return table | {ord(raw): self._units(raw) for raw in self.escaped}

    def _units(self, character: str | re.Match[str]) -> str:
        raw = str(character[0]).encode("utf-16-be", "surrogatepass")
        digits = raw.hex().upper() if self.uppercase else raw.hex()
        return "".join(f"\\u{digits[i : i + 4]}" for i in range(0, len(digits), 4))


COMPACT = Style()
blanks = st.sampled_from(["", "", "", " ", "\n", "\t", "\r\n", " \n\t\r  "])
layouts = st.sampled_from(
    [
        *(((",", ":"), None), ((", ", ": "), None), ((",", ": "), 2), ((",", ": "), 4)),
        *(((",", ": "), "\t"), ((",", ":"), 0), ((" ,", " : "), None)),
        *(((",\r\n", ":\t"), None), ((" ,\n ", " :"), 1)),
    ]
)
escaped_sets: st.SearchStrategy[frozenset[str]] = st.one_of(
    st.just(frozenset()),
    st.sampled_from(
        ['"', "<>&", '"<>&+', "{}[]", "\\", '"\\', " \n\t\r", '"{[\\ \n', ":,-", "-"]
    ).map(frozenset),
    st.just(frozenset(map(chr, range(128)))),
    st.frozensets(st.sampled_from('"\\/{}[]<>& \n\tabefnrtu0159,:-'), max_size=6),
)


@st.composite
def styles(draw: st.DrawFn) -> Style:
    """Draw a style."""
    separators, indent = draw(layouts)
    return Style(
        separators=separators,
        indent=indent,
        ascii=draw(st.booleans()),
        uppercase=draw(st.booleans()),
        slash=draw(st.sampled_from(["/", "\\/"])),
        escaped=draw(escaped_sets),
        before=draw(blanks),
        after=draw(blanks),
        # Most producers encode once.
        stringified=draw(st.sampled_from([0, 0, 0, 0, 1, 2])),
    )


def _wrap(draw: st.DrawFn, value: Any) -> Any:
    if type(value) is dict:
        value = {key: _wrap(draw, child) for key, child in value.items()}
    elif type(value) is list:
        value = [_wrap(draw, child) for child in value]
    else:
        return value
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2, 3]))):
        text = draw(styles()).write(value)
        if len(text) > MAX_TEXT:
            break
        value = text
    return value


@st.composite
def wrapped(draw: st.DrawFn, trees: Tree = trees) -> Any:
    """Draw a tree in which some containers are written as strings, layers in layers."""
    return _wrap(draw, draw(trees))


@st.composite
def texts_of(draw: st.DrawFn, values: Tree) -> str:
    """Draw a text of a document that holds one of the values."""
    return draw(styles()).write(draw(values))


documents = texts_of(wrapped())

# Numbers as other programs write them, most not as Python does.
numerals = st.one_of(
    st.from_regex(r"-?(0|[1-9][0-9]{0,20})(\.[0-9]{1,20})?([eE][+-]?[0-9]{1,4})?", fullmatch=True),
    st.sampled_from(["1.10", "1.1", "1E9", "1e400", "-0", "-0.0", "1e16", "1e+16", "-1e-400"]),
    st.sampled_from(["0e99999999999999999999", "1e99999999999999999999", "0.30000000000000004441"]),
    st.sampled_from(["1e23", "9.5e15", "9007199254740993.0", "18446744073709551616", "1e999"]),
)
spelled = st.recursive(leaves | numerals.map(oracle.NUMERAL.__add__), _containers, max_leaves=10)
spelled_documents = texts_of(wrapped(spelled))

# An object whose members are drawn from few names, some of them repeated in its text.
repeating = st.lists(st.tuples(st.sampled_from(["a", "b", "é"]), trees), max_size=3).map(
    lambda members: f"{{{','.join(COMPACT.write({k: v})[1:-1] for k, v in members)}}}"
)
repeating_documents = st.one_of(
    repeating, texts_of(wrapped(st.recursive(repeating, _containers, max_leaves=4)))
)

DEPTH = 3
FATES = ["plain", "plain", "opens", "opens", "opens", "broken", "undeclared"]
FIELDS = ["a", "b", "c_1", "d.e", "f-g", "{}", "*", "é"]
CHAINS = [
    ("json",),
    ("json", "json"),
    ("base64", "json"),
    ("base64", "gzip", "json"),
    ("base64",),
]
PLAIN_STYLES = [
    COMPACT,
    Style(separators=(", ", ": "), ascii=True),
    Style(separators=(",", ": "), indent=2, before=" ", after="\n"),
    Style(slash="\\/", escaped=frozenset('"<>&{'), before="\r\n\t"),
]
some_fields = st.lists(st.sampled_from(FIELDS), min_size=1, max_size=3, unique=True)


def encode(value: Any, codecs: tuple[str, ...], style: Style = COMPACT) -> Any:
    """Return the text from which the codecs decode a value."""
    if codecs[-1] != "json":
        value = style.write(value)
    for codec in reversed(codecs):
        if codec == "json":
            value = style.write(value)
        else:
            raw = value.encode() if isinstance(value, str) else value
            value = gzip.compress(raw, mtime=0) if codec == "gzip" else b64(raw)
    return value


LAYER = {"type": "string", "contentMediaType": "application/json"}


def layer_schema(kind: str, content: Any, policy: str | None = None, *, optional: bool) -> Any:
    """
    Return the JSON Schema of a place of layers.

    Args:
        kind: ``json``, the same ``twice``, ``base64`` or ``gzip`` around it, ``either`` json or
            base64, ``strings`` or ``scalars`` as content, or base64 of a ``text``.
        content: The schema of the content.
        policy: The policy of the layers, or None.
        optional: Whether a layer may stay a string.
    """
    layer: Any = LAYER | ({"contentSchema": content} if content else {})
    encoded = layer | {"contentEncoding": "base64"}
    branches = {
        "json": [layer],
        "twice": [LAYER | {"contentSchema": layer}],
        "base64": [encoded],
        "gzip": [encoded | {"contentMediaType": "application/json+gzip"}],
        "either": [layer, encoded],
        "strings": [LAYER | {"contentSchema": {"type": ["string", "object", "array"]}}],
        "scalars": [LAYER | {"contentSchema": {"type": ["number", "boolean", "null"]}}],
        "text": [{"type": "string", "x-nestdecode": {"codecs": "base64"}}],
    }[kind]
    if policy:
        key = "x-nestdecode"
        branches = [b | {key: b.get(key, {}) | {"on-error": policy}} for b in branches]
    if optional:
        branches.append({"type": "string"})
    return branches[0] if len(branches) == 1 else {"anyOf": branches}


def b64(raw: bytes) -> str:
    """Return bytes as base64 text."""
    return base64.b64encode(raw).decode()


def _member(draw: st.DrawFn, path: str, key: str) -> str:
    quoted = json.dumps(key, ensure_ascii=False)
    bare = key if re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", key) else quoted
    step = draw(st.sampled_from([bare, bare, quoted, json.dumps(key), "*"]))
    return f"{path}.{step}" if path else step


def _element(draw: st.DrawFn, path: str, index: int) -> str:
    return path + draw(st.sampled_from(["[]", "[]", "[*]", f"[{index}]"]))


def _declare(draw: st.DrawFn, path: str, depth: int, found: list[oracle.Declared]) -> Any:
    """Draw a value for a path, and note its layers in *found*."""
    kind = "{}" if depth == DEPTH else draw(st.sampled_from(["{}", "{}", "[]", "x"]))
    if kind == "x" or depth == 0:
        value = draw(leaves)
    elif kind == "[]":
        value = [
            _declare(draw, _element(draw, path, index), depth - 1, found)
            for index in range(draw(st.integers(1, 3)))
        ]
    else:
        value = {
            field: _declare(draw, _member(draw, path, field), depth - 1, found)
            for field in draw(some_fields)
        }
    fate = draw(st.sampled_from(FATES))
    if fate == "plain":
        return value
    codecs = draw(st.sampled_from(CHAINS))
    if fate != "undeclared":
        found.append((path or "@", codecs, draw(st.booleans())))
    if fate == "broken":
        codecs = draw(st.sampled_from(CHAINS))
    return encode(value, codecs, draw(st.sampled_from(PLAIN_STYLES)))


@st.composite
def declared(draw: st.DrawFn) -> tuple[Any, list[oracle.Declared]]:
    """Draw a value, and its layers as triples of path, codecs and optional."""
    found: list[oracle.Declared] = []
    value = _declare(draw, "", DEPTH, found)
    # One place named twice is an error, however it is spelled.
    layers = {tuple(oracle.steps(layer[0])): layer for layer in found}
    # And so is a path through a layer that ends in text.
    crossed = {steps[:end] for steps in layers for end in range(len(steps))}
    return value, [
        layer for steps, layer in layers.items() if layer[1][-1] == "json" or steps not in crossed
    ]


def short_form(layers: Iterable[oracle.Declared]) -> str:
    """Return declared layers as a spec in the short form."""
    return json.dumps(
        {
            "nestdecode": 1,
            "layers": {
                path: " | ".join(codecs) + "?" * optional for path, codecs, optional in layers
            },
        },
        ensure_ascii=False,
    )


# Schemas of all kinds, and documents with the same names

NAMES = ["a", "b", "c"]
EVERY_POLICY = ["keep", "null", "drop", "fail"]
CONTENT_TYPES = ["application/json"] * 6 + ["application/json+gzip", "text/plain"]
WORDLESS = [True, {}, {"type": "string"}, {"type": ["object", "string"]}, {"enum": ["x", "[1]", 1]}]


def _layer_schema(draw: st.DrawFn, depth: int, policies: Sequence[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    extension: dict[str, Any] = {}
    if draw(st.booleans()):
        schema["contentMediaType"] = media = draw(st.sampled_from(CONTENT_TYPES))
        if "gzip" in media or draw(st.integers(0, 3)) == 0:
            schema["contentEncoding"] = "base64"
        holder = schema
    else:
        codecs = draw(st.sampled_from(["json", "json", "base64", "base64 | json"]))
        extension["codecs"] = codecs
        holder = extension if codecs.endswith("json") else {}
    if draw(st.booleans()):
        holder["contentSchema"] = _schema(draw, depth - 1, policies)
    if draw(st.integers(0, 2)) == 0:
        extension["on-error"] = draw(st.sampled_from(policies))
    return schema | ({"x-nestdecode": extension} if extension else {})


def _object_schema(draw: st.DrawFn, depth: int, policies: Sequence[str]) -> dict[str, Any]:
    names = draw(st.lists(st.sampled_from(NAMES), max_size=3, unique=True))
    schema: dict[str, Any] = {
        "properties": {name: _schema(draw, depth - 1, policies) for name in names}
    }
    for key, chance in (("additionalProperties", 2), ("unevaluatedProperties", 5)):
        if draw(st.integers(0, chance)) == 0:
            schema[key] = _schema(draw, depth - 1, policies)
    if draw(st.integers(0, 5)) == 0:
        pattern = draw(st.sampled_from(["^a", "b$", "^[bc]"]))
        schema["patternProperties"] = {pattern: _schema(draw, depth - 1, policies)}
    return schema


def _array_schema(draw: st.DrawFn, depth: int, policies: Sequence[str]) -> dict[str, Any]:
    schema: dict[str, Any] = {"items": _schema(draw, depth - 1, policies)}
    if draw(st.integers(0, 5)) == 0:
        schema["prefixItems"] = [_schema(draw, depth - 1, policies)]
    return schema


def _schema(draw: st.DrawFn, depth: int, policies: Sequence[str]) -> Any:
    kind = draw(st.sampled_from("llllloooaajr+")) if depth > 0 else "+"
    if kind == "l":
        return _layer_schema(draw, depth, policies)
    if kind == "o":
        return _object_schema(draw, depth, policies)
    if kind == "a":
        return _array_schema(draw, depth, policies)
    if kind == "j":
        count = draw(st.integers(1, 2))
        branches = [_schema(draw, depth - 1, policies) for _ in range(count)]
        return {draw(st.sampled_from(["anyOf", "oneOf", "allOf"])): branches}
    if kind == "r":
        return {"$ref": draw(st.sampled_from(["#", "#/$defs/D"]))}
    schema = draw(st.sampled_from(WORDLESS))
    if type(schema) is dict and draw(st.integers(0, 7)) == 0:
        return schema | {"x-nestdecode": {"on-error": draw(st.sampled_from(policies))}}
    return schema


@st.composite
def schemas(draw: st.DrawFn, policies: Sequence[str] = EVERY_POLICY) -> dict[str, Any]:
    """Draw a schema of records; some are not valid specs."""
    schema = _object_schema(draw, 4, policies) | {"$defs": {"D": _schema(draw, 2, policies)}}
    extension: dict[str, Any] = {}
    if draw(st.integers(0, 5)) == 0:
        extension["undeclared"] = "open"
    if draw(st.integers(0, 3)) == 0:
        extension["on-error"] = draw(st.sampled_from(policies))
    if draw(st.integers(0, 5)) == 0:
        extension["limits"] = {draw(st.sampled_from(["max-layers", "max-depth"])): 3}
    elif draw(st.integers(0, 5)) == 0:
        extension["limits"] = {"max-bytes": draw(st.integers(0, 40))}
    return schema | ({"x-nestdecode": extension} if extension else {})


def _text(draw: st.DrawFn, value: Any) -> str:
    """Draw a text for a layer, most often one that opens."""
    text = json.dumps(value)
    fate = draw(st.integers(0, 9))
    if fate in (0, 1):
        return base64.b64encode(text.encode()).decode()
    if fate == 2:
        return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return f" {text}\n" if fate == 3 else text[:-1] if fate == 4 else text


def _document(draw: st.DrawFn, depth: int) -> Any:
    kind = draw(st.sampled_from("ooolltttx")) if depth else "x"
    if kind == "o":
        names = draw(st.permutations(NAMES))[: draw(st.integers(0, 3))]
        return {name: _document(draw, depth - 1) for name in names}
    if kind == "l":
        return [_document(draw, depth - 1) for _ in range(draw(st.integers(0, 2)))]
    if kind == "t":
        return _text(draw, _document(draw, depth - 1))
    odd = ["", "x", "[1]", "{", '["\\ud800"]', "[1e400]", "[[[[[]]]]]", "YWJj", "e30=", "/w=="]
    return draw(st.sampled_from([None, 0, 2**64, *odd]))


@st.composite
def records(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a record with the names that ``schemas`` declare."""
    return {name: _document(draw, 4) for name in draw(st.permutations(NAMES))}
