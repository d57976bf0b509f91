"""
A parser for syslog-ng's ``python()``: opens a value of each message, in its process.

Put it into a configuration as ``parser { python(class("nestdecode.integrations.syslog_ng.Parser")
options("spec" "aws/sqs-sns")); };``. The options:

- ``spec``: a name or a file; without it all layers are found.
- ``field``: the value that is opened, and gets the result; ``MESSAGE`` by default.
- ``prefix``: opens into values of their own, one for each scalar, instead: with ``nd.`` the
  member ``a`` of ``b`` becomes ``nd.b.a``, and the second element of an array ``nd.b.1``.
- ``on_malformed``: ``keep`` (the default) lets a message that can't be opened go on as it came,
  ``drop`` has syslog-ng drop it.

https://syslog-ng.github.io/admin-guide/120_Parser/022_Python_parser/README
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, MutableMapping
from typing import Any

from nestdecode.errors import NestdecodeError
from nestdecode.integrations.opener import Opener
from nestdecode.text.write import dump
from nestdecode.words import nearest

__all__ = ["Parser"]

_OPTIONS = ("spec", "field", "prefix", "on_malformed")
# A document of a stranger must not fill a message with values.
_MOST_VALUES = 1024


class Parser:
    """
    Opens a value of each message. syslog-ng makes one for each place in its configuration.

    Attributes:
        opener: Counts what was ``opened`` and what ``failed``.
    """

    opener: Opener

    def init(self, options: Any) -> bool:
        """
        Take the options of the configuration.

        Returns:
            Whether they are right. If not, syslog-ng says that it does not start, and the
            reason is on stderr.
        """
        given = {_text(name): _text(value) for name, value in dict(options or {}).items()}
        reason = _mistake(given)
        if not reason:
            try:
                self.opener = Opener(given.get("spec") or None)
            except (NestdecodeError, ValueError) as error:
                reason = str(error)
        if reason:
            print(f"nestdecode: {reason}", file=sys.stderr)  # noqa: T201 - its only way out
            return False
        self._field = given.get("field", "MESSAGE")
        self._prefix = given.get("prefix")
        self._drops = given.get("on_malformed") == "drop"
        return True

    def parse(self, message: MutableMapping[str, Any]) -> bool:
        """
        Open a value of a message, in place. Called from several threads.

        Returns:
            Whether the message goes on; False only if ``on_malformed`` is ``drop``.
        """
        # An error that is raised here would drop the message without a trace.
        try:
            text = message[self._field]
            tree = self.opener.value(text)
            if tree is text:
                return not self._drops
            if self._prefix is None:
                message[self._field] = dump(tree)
            else:
                values = dict(_values(tree, self._prefix.removesuffix(".")))
                for name, value in values.items():
                    message[name] = value
        except Exception:  # noqa: BLE001 - see above
            self.opener.failed += 1
            return not self._drops
        return True


def _text(value: Any) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _mistake(given: dict[str, str]) -> str:
    for name in given:
        if name not in _OPTIONS:
            return f"unknown option {name!r} of the parser{nearest(name, _OPTIONS)}"
    word = given.get("on_malformed", "keep")
    if word not in ("keep", "drop"):
        return f"on_malformed is keep or drop, got {word!r}"
    return ""


def _values(tree: Any, name: str) -> Iterator[tuple[str, bytes | str]]:
    """
    Yield a name and a text for each scalar of a tree, in its order.

    Raises:
        ValueError: If there are too many for a message.
    """
    waiting, count = [(name, tree)], 0
    while waiting:
        name, value = waiting.pop()
        kind = type(value)
        if kind is dict or kind is list:
            pairs = value.items() if kind is dict else enumerate(value)
            waiting += reversed([(f"{name}.{key}", child) for key, child in pairs])
            continue
        count += 1
        if count > _MOST_VALUES:
            raise ValueError(f"more than {_MOST_VALUES} values")
        yield name, value if kind is str else dump(value)
