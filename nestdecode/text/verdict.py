"""Whether a text is JSON, by one parse whose value is dropped."""

from __future__ import annotations

from typing import Literal

import msgspec
import orjson

from nestdecode.text.depth import may_be_deep

__all__ = ["Verdict", "glance", "judge"]

# ``ends``: a JSON text. ``fails``: it is malformed, whatever may follow. ``goes on``: it can
# become one if more follows. ``text follows``: a JSON text, and what begins with no bracket.
Verdict = Literal["ends", "fails", "goes on", "text follows"]

# Makes no value, and is the faster for it. What it says of surrogates is not used.
_pass_over = msgspec.json.Decoder(msgspec.Raw).decode
_MALFORMED = "JSON is malformed: "
_FAILS = tuple(
    _MALFORMED + mistake
    for mistake in ("expected ", "trailing comma", "invalid number", "invalid character (")
)
_BOM = b"\xef\xbb\xbf"
_TRAILS = _MALFORMED + "trailing characters (byte "

# orjson's messages about what the grammar refuses. Others are about what it reads otherwise,
# or not at all: numbers and surrogates, UTF-8, depth, what follows a text.
_SYNTAX = (
    "unexpected character",
    "unexpected control character",
    "trailing comma",
    "invalid escaped sequence",
    "invalid literal",
    "no digit",
    "number with leading zero",
)
_CUT = "unexpected end of data"


def glance(text: bytes) -> Verdict | None:
    """
    Return what a text is at the first look, or None if that needs a closer one: ``judge``.

    It says that a text ends without a look at its UTF-8; what else it says is sure. A line is
    given with its LF: a string or a word that it cuts then fails, as it has to.

    >>> glance(b'{"a": 1}'), glance(b'{"a": 1,}'), glance(b'{"a": "cu\\n')
    ('ends', 'fails', 'fails')
    >>> glance(b'{} # one'), glance(b'{} {}'), glance(b'{"a":\\n')
    ('text follows', None, None)
    """
    if may_be_deep(text):
        return None
    try:
        _pass_over(text)
    except (msgspec.DecodeError, RecursionError) as error:
        message = str(error)
    else:
        return "ends"
    if message.startswith(_FAILS):
        # A byte order mark may begin a line of JSON.
        return None if text.startswith(_BOM) else "fails"
    if message.startswith(_TRAILS):
        # The number is that of the bytes up to the one that is too many.
        return None if text[int(message[len(_TRAILS) : -1]) - 1] in b"{[" else "text follows"
    return None


def judge(text: bytes) -> Verdict | None:
    """
    Return what a text is, or None if that needs more than a parse.

    >>> judge(b'{"a": 1}'), judge(b'{"a":\\n'), judge(b'{} {}'), judge(b'{"a":"\\\\ud800"}')
    ('ends', 'goes on', None, None)
    """
    verdict = glance(text)
    if verdict in ("fails", "text follows"):
        return verdict
    if may_be_deep(text):
        return None
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError as error:
        if error.msg == _CUT:
            return "goes on"
        return "fails" if error.msg.startswith(_SYNTAX) else None
    return "ends"
