"""
The careful way: a spec's shape is run over a tree, and each declared layer is opened.

Written code (``opening``) is tested against this, and leaves to it what does not open at once.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from nestdecode.errors import DecodeError, LimitError, Policy
from nestdecode.paths import Address
from nestdecode.plan.run import DROP, Opening, Run
from nestdecode.text.reader import MALFORMED, WHITESPACE, Limits

if TYPE_CHECKING:
    from nestdecode.spec import Alternative, Shape

__all__ = ["CLOSERS", "CONTAINERS", "OPENERS", "Finder", "Plan", "is_blank", "type_name"]


class Finder(NamedTuple):
    """
    The functions that open layers where nothing is declared.

    Both take a value, the containers around it, the layers around it, and the Run.

    Attributes:
        find: Opens every layer in a value in place, and returns what replaces the value.
        open: Opens one string, and no layer in it. Returns its new value, and the layers
            around what is in that.
    """

    find: Callable[[Any, int, int, Run], Any]
    open: Callable[[str, int, int, Run], tuple[Any, int]]


class Plan:
    """
    A spec in its compiled form. Immutable and thread-safe.

    Args:
        shape: What is declared of the record; None if nothing is.
        on_error: Policy for layers that name none.
        undeclared: Opens layers where nothing is declared; None if they stay shut.
    """

    def __init__(self, shape: Shape | None, on_error: Policy, undeclared: Finder | None) -> None:
        self.shapes: tuple[Shape, ...] = () if shape is None else (shape,)
        self.on_error = on_error
        self.undeclared = undeclared
        self._policies: dict[tuple[Shape, ...], Policy] = {}

    def run(self, tree: Any, run: Run) -> Any:
        """
        Open the layers of *tree* in place, and return it, or what replaces it.

        Raises:
            DecodeError: If a layer whose policy is ``fail`` does not open.
        """
        return self.visit(self.shapes, tree, 0, 0, run)

    def open(
        self, shapes: tuple[Shape, ...], given: str | bytes, depth: int, layers: int, run: Run
    ) -> tuple[Any, tuple[Shape, ...], int]:
        """
        Open one string, and no layer in its value. Bytes at a declared layer are its text.

        Args:
            shapes: What is declared of it.
            given: The string.
            depth: Containers around it.
            layers: Layers around it.
            run: The state of the record, at the string's place.

        Returns:
            The new value, the shapes of it, and the layers around what is in it. The value
            is *given* if the string stays, and DROP if its policy drops it.

        Raises:
            DecodeError: If it does not open, and its policy is ``fail``.
        """
        alternatives = tuple(a for shape in shapes for a in shape.alternatives)
        if not alternatives:
            # Nothing is declared of this place ({} or true), or a plain string is.
            finder = None if any(shape.declared for shape in shapes) else self.undeclared
            if finder is None or isinstance(given, bytes):
                return given, (), layers
            value, inside = finder.open(given, depth, layers, run)
            return value, (), inside
        try:
            text = _decode(given) if isinstance(given, bytes) else given
        except DecodeError as error:
            problem = DecodeError(error.reason, run.address(), alternatives[0].codecs[0])
            return run.settle(problem, given, self.policy(shapes)), (), layers
        if is_blank(text):
            return given, (), layers
        optional = all(shape.admits_plain(text) for shape in shapes)
        opened = _open(alternatives, text, depth, layers, run, optional=optional)
        if isinstance(opened, _Shut):
            if not optional:
                problem = opened.problem(run.address())
                return run.settle(problem, given, self.policy(shapes)), (), layers
            if opened.is_limited:
                run.report(opened.problem(run.address()))
            return given, (), layers
        value, chain = opened
        last, _ = chain[-1]
        if run.openings is not None:
            noted = tuple((alternative.codecs, text) for alternative, text in chain)
            noting = Opening(run.address(), layers, noted, last.admits, last.content)
            run.openings.append(noting)
        content = () if last.content is None else (last.content,)
        return value, content, layers + len(chain)

    def visit(
        self, shapes: tuple[Shape, ...], value: Any, depth: int, layers: int, run: Run
    ) -> Any:
        """
        Open the layers at and in a value, in place, and return it, or what replaces it.

        Args:
            shapes: What is declared of the value.
            value: Any value of a tree.
            depth: Containers around it.
            layers: Layers around it.
            run: The state of the record, at the value's place.

        Raises:
            DecodeError: If a layer whose policy is ``fail`` does not open.
        """
        kind = type(value)
        if not shapes:
            if self.undeclared is None:
                return value
            return self.undeclared.find(value, depth, layers, run)
        if kind is str or kind is bytes:
            value, inside, layers = self.open(shapes, value, depth, layers, run)
            # A string that a chain has given is at the end of that chain: no further layer.
            if type(value) is dict or type(value) is list:
                self.visit(inside, value, depth, layers, run)
            return value
        if kind is dict:
            self._visit_object(shapes, value, depth + 1, layers, run)
        elif kind is list:
            self._visit_array(shapes, value, depth + 1, layers, run)
        return value

    def _visit_object(
        self,
        shapes: tuple[Shape, ...],
        value: dict[str, Any],
        depth: int,
        layers: int,
        run: Run,
    ) -> None:
        names: Any = value
        # Problems are reported in the order of the document, not in that of the spec.
        if self.undeclared is None and not any(s.patterns or s.rest for s in shapes):
            declared = {name for shape in shapes for name in shape.names}
            names = [name for name in value if name in declared]
        dropped = []
        for name in names:
            run.path.append(name)
            children = tuple(child for shape in shapes for child in shape.members(name))
            new = old = value[name]
            if type(old) is not str or not run.is_settled(value, name):
                new = self.visit(children, old, depth, layers, run)
            run.path.pop()
            if new is DROP:
                dropped.append(name)
            elif new is not old:
                value[name] = new
        for name in dropped:
            del value[name]

    def _visit_array(
        self,
        shapes: tuple[Shape, ...],
        value: list[Any],
        depth: int,
        layers: int,
        run: Run,
    ) -> None:
        if self.undeclared is None and not any(s.prefix or s.items for s in shapes):
            return
        for index, old in enumerate(value):
            children = tuple(s for shape in shapes if (s := shape.element(index)) is not None)
            run.path.append(index)
            new = old
            if type(old) is not str or not run.is_settled(value, index):
                new = self.visit(children, old, depth, layers, run)
            run.path.pop()
            # Only a member can be dropped; an element stays.
            if new is not old and new is not DROP:
                value[index] = new

    def mistake(
        self, shapes: tuple[Shape, ...], text: str, depth: int, layers: int, run: Run
    ) -> str:
        """
        Return the reason why a string does not open, if one look shows it.

        Empty if the string may open, or if ``open`` has to decide. The arguments are those
        of ``open``.
        """
        if len(shapes) != 1 or layers >= run.limits.max_layers or is_blank(text):
            return ""
        (shape,) = shapes
        is_json = len(shape.alternatives) == 1 and shape.alternatives[0].codecs == _JSON
        return "" if not is_json or shape.admits_plain(text) else run.reader.mistake(text, depth)

    def with_texts(self, tree: Any) -> Any:
        """Replace bytes at declared layers of a tree by their text, in place; return the tree."""
        if type(tree) is not dict and type(tree) is not list:
            return tree
        waiting: list[tuple[tuple[Shape, ...], Any]] = [(self.shapes, tree)]
        while waiting:
            shapes, value = waiting.pop()
            is_object = type(value) is dict
            for key, child in list(value.items() if is_object else enumerate(value)):
                if type(child) not in (dict, list, bytes):
                    continue
                if is_object:
                    below = tuple(s for shape in shapes for s in shape.members(key))
                else:
                    below = tuple(s for shape in shapes if (s := shape.element(key)) is not None)
                if type(child) is not bytes:
                    waiting += [(below, child)] if below else []
                elif any(shape.alternatives for shape in below):
                    with contextlib.suppress(UnicodeDecodeError):
                        value[key] = child.decode()
        return tree

    def policy(self, shapes: tuple[Shape, ...]) -> Policy:
        """Return the policy for a string of these shapes that does not open."""
        known = self._policies.get(shapes)
        if known is None:
            known = self._policies[shapes] = self._policy(shapes)
        return known

    def _policy(self, shapes: tuple[Shape, ...]) -> Policy:
        waiting = list(shapes)
        seen: list[Shape] = []
        # The outermost layer of a chain decides; if it names no policy, the next one in.
        while waiting:
            shape = waiting.pop(0)
            if shape.on_error is not None:
                return shape.on_error
            seen.append(shape)
            waiting += [
                a.content
                for a in shape.alternatives
                if a.content is not None
                and a.content.alternatives
                and "string" in a.admits
                and a.content not in seen
            ]
        return self.on_error


def is_blank(text: str) -> bool:
    """Return whether a string is blank: empty, or JSON white space only."""
    return not text or (text.isspace() and not text.strip(WHITESPACE))


_JSON = ("json",)
# The alternative that opened each layer of a string, and the layer's text.
_Chain = tuple[tuple["Alternative", str], ...]


class _Shut(NamedTuple):
    """Why a string does not open. Not an exception: a record may hold thousands of them."""

    reason: str
    codec: str | None
    is_limited: bool = False

    def problem(self, address: Address) -> DecodeError:
        """Return the problem, with an address."""
        kind = LimitError if self.is_limited else DecodeError
        return kind(self.reason, address, self.codec)


def _open(
    alternatives: tuple[Alternative, ...],
    text: str,
    depth: int,
    layers: int,
    run: Run,
    *,
    optional: bool,
) -> tuple[Any, _Chain] | _Shut:
    """
    Open a string by the first alternative that opens it.

    Args:
        alternatives: At least one.
        text: The string.
        depth: Containers around it.
        layers: Layers around it.
        run: The state of the record.
        optional: Whether it may stay a string. Then only a limit makes a problem of it, and
            only if it may be a layer.

    Returns:
        The value, and the layers around it, outermost first; or why it does not open.
    """
    failures: list[_Shut] = []
    for alternative in alternatives:
        opened = _undo(alternative, text, depth, layers, run, optional=optional)
        if not isinstance(opened, _Shut):
            return opened
        failures.append(opened)
    if optional:
        return next((shut for shut in failures if shut.is_limited), failures[0])
    if len(failures) == 1:
        return failures[0]
    reasons = "; ".join(
        f"{' | '.join(a.codecs)}: {shut.reason}"
        for a, shut in zip(alternatives, failures, strict=True)
    )
    is_limited = any(shut.is_limited for shut in failures)
    return _Shut(f"no alternative opens it: {reasons}", None, is_limited)


def _undo(
    alternative: Alternative, text: str, depth: int, layers: int, run: Run, *, optional: bool
) -> tuple[Any, _Chain] | _Shut:
    """Open a string by one alternative, as ``_open`` does."""
    from nestdecode.codecs import CODECS  # late: detection needs none

    codecs, is_too_far = alternative.codecs, layers >= run.limits.max_layers
    if is_too_far and not optional:
        return _too_far(run.limits, codecs[0])
    if optional and codecs == ("json",) and not alternative.admits - CONTAINERS:
        # Plain text is not a layer, whatever the limits.
        ends = text[:1] in OPENERS and text[-1:] in CLOSERS
        if not ends:
            return _Shut("invalid JSON", "json")
    value: Any = text
    codec = ""
    try:
        for codec in codecs:
            step = CODECS[codec].open
            if step:
                value = step(value, run.budget)
            elif optional and _begins_as(value) not in (*alternative.admits, ""):
                # Nor is a value of a type that is not admitted, however deep it is.
                return _Shut("invalid JSON", codec)
            else:
                value = run.reader.attempt(value, depth, why=not optional)
        if isinstance(value, bytes):
            value, found = _decode(value), ""
        elif value is MALFORMED:
            return _Shut("invalid JSON", codec)
        else:
            found = type_name(value)
    except DecodeError as error:
        return _Shut(error.reason, codec, isinstance(error, LimitError))
    if found and found not in alternative.admits:
        hint = (
            "; a text that is encoded twice is written json | json"
            if found == "string" and codecs[-1] == "json"
            else ""
        )
        return _Shut(f"expected {_wanted(alternative.admits)}, got {found}{hint}", codec)
    if is_too_far:
        return _too_far(run.limits, codecs[0])
    chain: _Chain = ((alternative, text),)
    content = alternative.content
    if found == "string" and content is not None and content.alternatives:
        plain = content.admits_plain(value)
        inner = _open(
            content.alternatives, value, depth, layers + 1, run, optional=optional or plain
        )
        if not isinstance(inner, _Shut):
            value, rest = inner
            chain += rest
        elif inner.is_limited or not plain:
            return inner
    return value, chain


def _begins_as(text: str | bytes) -> str:
    """Return the JSON Schema type that the first character of a text implies; else empty."""
    first = (
        text.lstrip(" \t\r\n")
        if isinstance(text, str)
        else text.lstrip(b" \t\r\n").decode("latin-1")
    )
    return {"{": "object", "[": "array", '"': "string"}.get(first[:1], "")


def _too_far(limits: Limits, codec: str) -> _Shut:
    return _Shut(f"more than max_layers={limits.max_layers} layers", codec, is_limited=True)


def _decode(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    raise DecodeError(f"not UTF-8: byte {start}", "")


# JSON Schema types that a layer may hold unless its content's types exclude them.
CONTAINERS = frozenset({"object", "array"})
_NAMES = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean"}


def type_name(value: Any) -> str:
    """Return the narrowest JSON Schema type of a value."""
    if isinstance(value, float):
        # 1.0 is an integer (JSON Schema 2020-12, validation, section 6.1.1).
        return "integer" if value.is_integer() else "number"
    return "null" if value is None else _NAMES[type(value)]


def _wanted(admits: frozenset[str]) -> str:
    order = ("object", "array", "string", "number", "integer", "boolean", "null")
    names = [n for n in order if n in admits and not (n == "integer" and "number" in admits)]
    named = [n if n == "null" else f"an {n}" if n[0] in "aeiou" else f"a {n}" for n in names]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) or "nothing"


# What the text of an object or array begins and ends with, blanks included.
OPENERS = frozenset("{[ \t\r\n")
CLOSERS = frozenset("}] \t\r\n")
