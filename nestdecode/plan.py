"""
A spec's shape run over a tree: each declared layer is opened, nothing else is.

Also the state of one record's pass (``Run``), which detection without a spec shares.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from nestdecode.codecs import CODECS, Budget
from nestdecode.errors import DecodeError, LimitError
from nestdecode.jsontext import Limits, parse
from nestdecode.paths import join_pointer
from nestdecode.spec import Alternative, Policy, Shape

__all__ = ["DROP", "Plan", "Run", "Walker"]

Report = Callable[[DecodeError], None]


class Run:
    """One record on its way: what it may still cost, and where we are in it."""

    __slots__ = ("budget", "limits", "path", "report")

    def __init__(self, limits: Limits, report: Report) -> None:
        self.limits = limits
        self.budget = Budget(limits.max_bytes)
        self.path: list[str | int] = []
        self.report = report

    def here(self, error: DecodeError) -> DecodeError:
        """Return *error* with the address of the place we are at."""
        return type(error)(error.reason, join_pointer(self.path), error.codec)


class _Drop:
    """What stands for a member that is to go."""


DROP = _Drop()

# Opens what it finds in a value: (value, containers around it, layers around it, run).
Walker = Callable[[Any, int, int, Run], Any]


class Plan:
    """
    A spec, ready to run. Immutable, so that threads may share it.

    Args:
        shape: What is declared.
        on_error: Policy for layers that name none.
        undeclared: What opens layers where nothing is declared, or None if nothing may.
    """

    def __init__(self, shape: Shape, on_error: Policy, undeclared: Walker | None) -> None:
        self.shape = shape
        self.on_error = on_error
        self.undeclared = undeclared

    def run(self, tree: Any, run: Run) -> Any:
        """
        Open the layers of *tree* in place, and return it, or what replaces it.

        Raises:
            DecodeError: If a layer whose policy is ``fail`` does not open.
        """
        return self._visit((self.shape,), tree, 0, 0, run)

    def _visit(
        self, shapes: tuple[Shape, ...], value: Any, depth: int, layers: int, run: Run
    ) -> Any:
        """Open what *shapes* declare in a value with *depth* containers around it."""
        kind = type(value)
        if not shapes:
            return value if self.undeclared is None else self.undeclared(value, depth, layers, run)
        if kind is str:
            return self._visit_string(shapes, value, depth, layers, run)
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
        if self.undeclared is None and not any(s.patterns or s.rest for s in shapes):
            names = {name: None for shape in shapes for name in shape.names if name in value}
        dropped = []
        for name in names:
            run.path.append(name)
            children = tuple(child for shape in shapes for child in shape.members(name))
            old = value[name]
            new = self._visit(children, old, depth, layers, run)
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
            new = self._visit(children, old, depth, layers, run)
            run.path.pop()
            if new is not old:
                value[index] = new

    def _visit_string(
        self, shapes: tuple[Shape, ...], text: str, depth: int, layers: int, run: Run
    ) -> Any:
        alternatives = tuple(a for shape in shapes for a in shape.alternatives)
        if not alternatives:
            # Nothing is said of this place ({} or true), or it is a plain string.
            if self.undeclared is None or any(shape.declared for shape in shapes):
                return text
            return self.undeclared(text, depth, layers, run)
        try:
            value, content, layers = _open(alternatives, text, depth, layers, run)
        except DecodeError as error:
            if all(shape.admits_plain(text) for shape in shapes):
                return text
            problem = run.here(error)
        else:
            inside = () if content is None else (content,)
            if type(value) is str:
                return value
            return self._visit(inside, value, depth, layers, run)
        policy = self._policy(shapes)
        if policy == "fail":
            raise problem
        run.report(problem)
        return text if policy == "keep" else None if policy == "null" else DROP

    def _policy(self, shapes: tuple[Shape, ...]) -> Policy:
        waiting = list(shapes)
        seen: list[Shape] = []
        # A chain's outermost layer decides; one further in, if that one is silent.
        while waiting:
            shape = waiting.pop(0)
            if shape.on_error is not None:
                return shape.on_error
            seen.append(shape)
            waiting += [
                a.content
                for a in shape.alternatives
                if a.content is not None and "string" in a.admits and a.content not in seen
            ]
        return self.on_error


def _open(
    alternatives: tuple[Alternative, ...], text: str, depth: int, layers: int, run: Run
) -> tuple[Any, Shape | None, int]:
    """
    Open a string by the first alternative that opens it.

    Returns:
        The value, what is declared of it, and the layers that are now around it.

    Raises:
        DecodeError: If none does; without an address.
    """
    errors: list[DecodeError] = []
    for alternative in alternatives:
        try:
            return _undo(alternative, text, depth, layers, run)
        except DecodeError as error:
            errors.append(error)
    if len(errors) == 1:
        raise errors[0]
    reasons = "; ".join(
        f"{' | '.join(a.codecs)}: {e.reason}" for a, e in zip(alternatives, errors, strict=True)
    )
    limited = any(isinstance(error, LimitError) for error in errors)
    raise (LimitError if limited else DecodeError)(f"no alternative opens it: {reasons}")


def _undo(
    alternative: Alternative, text: str, depth: int, layers: int, run: Run
) -> tuple[Any, Shape | None, int]:
    if layers >= run.limits.max_layers:
        raise LimitError(f"more than max_layers={run.limits.max_layers} layers")
    value: Any = text
    codec = ""
    try:
        for codec in alternative.codecs:
            step = CODECS[codec].open
            value = step(value, run.budget) if step else parse(value, run.limits, depth)
    except DecodeError as error:
        raise type(error)(error.reason, "", codec) from None
    layers += 1
    if isinstance(value, bytes):
        return _decode(value, codec), alternative.content, layers
    found = _type_of(value)
    if found not in alternative.admits:
        hint = (
            "; a text that is encoded twice is written json | json"
            if found == "string" and alternative.codecs[-1] == "json"
            else ""
        )
        raise DecodeError(f"expected {_wanted(alternative.admits)}, got {found}{hint}", "", codec)
    content = alternative.content
    if found == "string" and content is not None and content.alternatives:
        try:
            return _open(content.alternatives, value, depth, layers, run)
        except DecodeError:
            if not content.admits_plain(value):
                raise
    return value, content, layers


def _decode(raw: bytes, codec: str) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        start = error.start
    raise DecodeError(f"not UTF-8: byte {start}", "", codec)


_NAMES = {dict: "object", list: "array", str: "string", int: "integer", bool: "boolean"}


def _type_of(value: Any) -> str:
    if isinstance(value, float):
        # 1.0 is an integer to JSON Schema (2020-12 validation, section 6.1.1).
        return "integer" if value.is_integer() else "number"
    return "null" if value is None else _NAMES[type(value)]


def _wanted(admits: frozenset[str]) -> str:
    order = ("object", "array", "string", "number", "integer", "boolean", "null")
    names = [n for n in order if n in admits and not (n == "integer" and "number" in admits)]
    named = [n if n == "null" else f"an {n}" if n[0] in "aeiou" else f"a {n}" for n in names]
    return " or ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named) or "nothing"
