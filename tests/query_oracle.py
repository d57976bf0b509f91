"""The oracle of queries: jmespath.py, corrected where it departs from the specification."""

import json
import math
from typing import Any

from jmespath import exceptions, functions, parser, visitor

ATOMS = [
    *("a", "b", "c", "a", "b", "c", "d", "@", "*", "[0]", "[-1]", "[1]", "[]", "[*]", "[?@]"),
    *("[:1]", "[::-1]", "`[]`", "`null`", "'x'", "'abc'", "`[[1], 2]`", '`{"a": 1}`'),
    *("a[0]", "a[-1]", "b[]", "c[*]", "b.*", "*.a", "[].a", "[*].b", "[?a].b", "a[].b[]"),
]
# Each holds one or two others.
FORMS = [
    *("{0} | {1}", "{0} || {1}", "{0} && {1}", "!({0})", "[{0}]", "[{0}, {1}]", "[{0}, {1}][0]"),
    *("[{0}][-1]", "[{0} || {1}]", "[{0} && {1}, @]", "({0} || {1}).a", "{{a: {0}, b: {1}}}"),
    *("{{a: {0}}}.a", "{{a: {0}, c: {1}}}.*", "[{0}][]", "[{0}, {1}][]", "[{0}][*]", "[{0}][?@]"),
    *("({0})[0]", "({0})[]", "({0})[*]", "({0}).*", "({0})[:2]", "({0}) | [0]", "({0}) | [*]"),
    *("({0}) | *", "({0})[?{1}]", "({0}).a", "({0}).[{1}]", "({0})[].[{1}]", "({0})[*].b"),
    *("({0})[?({1}) == @]", "({0}) == ({1})", "({0}) != 'abc'", "not_null({0}, {1})"),
    *("to_array({0})", "type({0})", "to_string({0})", "length(to_array({0}))"),
    *("map(&({1}), to_array({0}))", "[to_string({0}), {0}]", "[{0}, to_string({0})]"),
    *("merge({0}, {1})", "[{0}, @]", "[@, {0}]", "values(not_null({0}, @))"),
]


class _Functions(functions.Functions):  # type: ignore[misc]
    @functions.signature({"types": []})
    def _func_to_string(self, value):
        return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))

    @functions.signature({"types": ["array", "string"]}, {"types": []})
    def _func_contains(self, subject, search):
        if isinstance(subject, str):
            return search in subject
        return any(equal(element, search) for element in subject)


class _Interpreter(visitor.TreeInterpreter):  # type: ignore[misc]
    def visit_comparator(self, node, value):
        left, right = (self.visit(child, value) for child in node["children"])
        if node["value"] in ("eq", "ne"):
            return equal(left, right) is (node["value"] == "eq")
        if isinstance(left, str) is not isinstance(right, str):
            return None
        return super().visit_comparator(node, value)


def equal(one: Any, other: Any) -> bool:
    """Return whether two values are equal by the specification: true is not 1, at any depth."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(equal(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(equal, one, other))
    return bool(one == other)


def ask(query: str, tree: Any) -> tuple[Any, bool]:
    """Return the answer of jmespath.py, and whether it is a refusal."""
    interpreter = _Interpreter(visitor.Options(custom_functions=_Functions()))
    try:
        answer = interpreter.visit(parser.Parser().parse(query).parsed, tree)
    except (exceptions.JMESPathError, TypeError, ValueError, OverflowError):
        return None, True
    return answer, not _finite(answer)


def _finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_finite, value.values()))
    if isinstance(value, list):
        return all(map(_finite, value))
    return not isinstance(value, float) or math.isfinite(value)
