"""Syntax trees from text: jmespath.py's grammar, and what no document can answer refused."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator
from typing import Any

from jmespath import exceptions, functions, lexer, parser

from nestdecode.errors import QueryError
from nestdecode.queries.interpreter import Node
from nestdecode.words import nearest

__all__ = ["misquoted", "offences", "offset_of", "parsed"]

# Characters of a query.
MAX_LENGTH = 64 << 10


def parsed(text: str) -> Node:
    """
    Return the syntax tree of a query. It is cached: do not change it.

    Raises:
        QueryError: If it is not JMESPath, or too long.
    """
    if len(text) > MAX_LENGTH:
        raise QueryError(f"longer than {MAX_LENGTH:,} characters", f"{text[:60]}...")
    offset: int | None = None
    try:
        parsed: Node = parser.Parser().parse(text).parsed
        return parsed
    except exceptions.EmptyExpressionError:
        reason = "empty expression: @ is the whole document"
    except exceptions.LexerError as error:
        reason, offset = "unexpected character", error.lexer_position
        if "Unclosed" in error.message or "Unknown token" not in error.message:
            reason = error.message[:1].lower() + error.message[1:].split(":")[0]
    except exceptions.IncompleteExpressionError:
        reason, offset = "incomplete expression", len(text)
    except exceptions.ParseError as error:
        found = repr(error.token_value) if error.token_value != "" else "end"
        reason, offset = f"unexpected {found}", error.lex_position
    except (exceptions.JMESPathError, ValueError):
        reason = "not JMESPath"
    except RecursionError:
        reason = "nested too deep"
    if offset is not None:
        offset = max(0, min(offset, len(text)))
        reason += _meant(text[:offset], text[offset:])
    raise QueryError(reason, text, offset)


# What other languages write, and JMESPath does not.
_OPERATORS = {"and": "&&", "or": "||", "not": "!"}


def _meant(before: str, rest: str) -> str:
    """Say how a query is written that goes wrong between two parts of its text, if that is known."""
    word = re.match(r"\w+", rest)
    if word and word[0] in _OPERATORS:
        return f"; {word[0]} is written {_OPERATORS[word[0]]}"
    if re.search(r"[=!<>]\s*\Z", before) and (number := re.match(r"-?[0-9]+(\.[0-9]+)?", rest)):
        return f"; a number is written in backquotes: `{number[0]}`"
    if rest.startswith("=") and not rest.startswith("=="):
        return "; equality is written =="
    if rest.startswith("$"):
        return "; a path begins with a name, and @ is the root"
    if rest.startswith(".") and not before.strip():
        return "; a path begins with a name, without a dot"
    left, right = re.search(r"[\w/:#%+-]*\Z", before), re.match(r"[/:#%+-][\w/:#%+-]*", rest)
    if left and left[0] and right:
        return f"; a name with such a character is quoted: {json.dumps(left[0] + right[0])}"
    return ""


def offset_of(name: str | None, text: str) -> int | None:
    """Return the offset at which a query calls a function; None if there are several."""
    if not name:
        return None
    # The syntax tree has no offsets.
    found = [m.start() for m in re.finditer(rf"(?<!\w){re.escape(name)}(?=\s*\()", text)]
    # Of several calls, or strings that look like one, any may be meant.
    return found[0] if len(found) == 1 else None


_COMPARES = ("eq", "ne", "lt", "lte", "gt", "gte")
# Tokens after a name that is part of a longer expression.
_GOES_ON = ("dot", "lbracket", "flatten", "filter", "lparen", "colon")


def misquoted(text: str) -> tuple[str, str] | None:
    """
    Return the first name of a query that may be meant as a value, and how that is written.

    That is one in double quotes, or true, false or null, alone to the right of a
    comparison, or as an argument of a function that is not its first.

    >>> misquoted('items[?name=="web"]'), misquoted("items[?done==true]")
    (('web', "'web'"), ('true', '`true`'))
    >>> misquoted("items[?name=='web']")
    """
    try:
        tokens = list(lexer.Lexer().tokenize(text))
    except exceptions.JMESPathError:
        return None  # it does not compile
    brackets: list[str] = []
    for before, token, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before["type"] in ("lparen", "lbrace", "lbracket", "filter"):
            brackets.append(before["type"])
        elif before["type"] in ("rparen", "rbrace", "rbracket") and brackets:
            brackets.pop()
        is_argument = before["type"] == "comma" and brackets[-1:] == ["lparen"]
        if after["type"] in _GOES_ON or not (is_argument or before["type"] in _COMPARES):
            continue
        name: str = token["value"]
        if token["type"] == "quoted_identifier":
            return name, "'" + name.replace("\\", "\\\\").replace("'", "\\'") + "'"
        if token["type"] == "unquoted_identifier" and name in ("true", "false", "null"):
            return name, f"`{name}`"
    return None


def offences(node: Node, parent: str = "") -> Iterator[tuple[str | None, str]]:
    """Yield the mistakes that no document can make right: (function or None, reason)."""
    kind = node["type"]
    if kind == "function_expression":
        name = node["value"]
        known = functions.Functions.FUNCTION_TABLE.get(name)
        if known is None:
            hint = nearest(name, functions.Functions.FUNCTION_TABLE)
            yield name, f"unknown function {name}(){hint}"
            return
        signature, given = known["signature"], len(node["children"])
        variadic = bool(signature) and signature[-1].get("variadic", False)
        if given < len(signature) or (given > len(signature) and not variadic):
            least = "at least " if variadic else ""
            plural = "" if len(signature) == 1 else "s"
            yield (
                name,
                f"{name}() takes {least}{len(signature)} argument{plural}, got {given}",
            )
        for index, child in enumerate(node["children"]):
            # Where any type is admitted, jmespath.py would put the reference in the answer.
            wanted = signature[min(index, len(signature) - 1)]["types"] if signature else ["none"]
            if child["type"] == "expref" and not wanted:
                yield name, f"{name}() takes no expression reference as argument {index + 1}"
    elif kind == "literal" and not _is_finite(node["value"]):
        yield None, "NaN and Infinity are not JSON"
    elif kind == "slice" and node["children"][2] == 0:
        yield None, "the step of a slice can't be 0"
    elif kind == "expref" and parent != "function_expression":
        yield None, "an expression reference (&) can only be an argument of a function"
    for child in node.get("children", ()):
        if isinstance(child, dict):
            yield from offences(child, kind)


def _is_finite(value: Any) -> bool:
    if isinstance(value, list):
        return all(map(_is_finite, value))
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)
