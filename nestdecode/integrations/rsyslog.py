"""
What rsyslog's mmexternal asks of a program: one JSON object for each message.

The object holds the properties that are set; ``$!`` is the message's tree, and an empty object
changes nothing. https://www.rsyslog.com/doc/configuration/modules/mmexternal.html
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from nestdecode.decoder import Decoder
from nestdecode.integrations.opener import held_of
from nestdecode.text.reader import Reader
from nestdecode.text.write import dump

__all__ = ["NOTHING", "Interface", "replies"]

# As ``interface.input`` of mmexternal says it.
Interface = Literal["msg", "fulljson"]
# Changes nothing in the message.
NOTHING = b"{}"
# Says that what follows is JSON: https://www.rsyslog.com/doc/historical/lumberjack.html
_COOKIE = b"@cee:"
_BLANKS = b" \t\r\n"


def replies(
    decoder: Decoder, interface: Interface = "msg", under: str | None = None
) -> Callable[[bytes], bytes | None]:
    """
    Return a function from what mmexternal sends for a message to what it is answered.

    The message may begin with a blank, as that of RFC 3164 does, and with ``@cee:``. Integers
    beyond 64 bits become strings: rsyslog would put 9223372036854775807 in their place.
    Surrogates that have no partner become their escapes.

    Args:
        decoder: Opens the messages.
        interface: What is sent: the message, or an object with all of its properties, of which
            ``msg`` is opened.
        under: The name under ``$!`` that gets the tree; None sets the members of the tree,
            which has to be an object then.

    Returns:
        The function. It returns None, or raises DecodeError, for what can't be opened.
    """
    parse = Reader(decoder.limits).parse_record

    def reply(line: bytes) -> bytes | None:
        message = _message(parse(line)) if interface == "fulljson" else line
        if message is None:
            return None
        message = message.strip(_BLANKS).removeprefix(_COOKIE).lstrip(_BLANKS)
        tree = decoder.expand(message)
        if under is None and type(tree) is not dict:
            return None
        tree = held_of(tree, message, decoder)
        return dump({"$!": tree if under is None else {under: tree}})

    return reply


def _message(properties: Any) -> bytes | None:
    message = properties.get("msg") if type(properties) is dict else None
    return message.encode("utf-8", "surrogatepass") if type(message) is str else None
