"""What opens and asks: built once from a spec and limits, for all ways in."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from functools import cached_property, partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.errors import POLICIES, DecodeError, LimitError, Policy, SpecError
from nestdecode.paths import Address, format_path
from nestdecode.plan import detect
from nestdecode.plan.careful import Plan
from nestdecode.plan.facts import policies_of
from nestdecode.plan.learnt import Learner
from nestdecode.plan.run import DROP, Run, Trace
from nestdecode.plan.source import Source
from nestdecode.text.reader import DUPLICATES, NUMBERS, RANGES, Duplicates, Limits, Numbers, Reader
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.queries.expression import Expression
    from nestdecode.queries.focus import Start
    from nestdecode.spec import Spec
    from nestdecode.text.joined import Admits, Joined

    Many = Callable[..., list[Any] | None]

__all__ = ["Engine", "check_expression", "check_word", "is_buffer"]


class Engine:
    """
    The compiled functions of a Decoder, and the careful ones that they fall back on.

    Attributes:
        arguments: What ``Decoder`` takes, as it was given.
        spec: Where the layers are; None to find them.
        limits: Of a record.
        reader: Reads JSON text within them.
        plan: What the spec comes to; None without one.
        policy: For layers that name none.
        method: Expands one document, its second argument: the first is for what it is a
            method of.
        expand: The same, of one argument.
        expand_many: Expands several that were joined; it returns None if it can't tell what
            becomes of them then. None if nothing can.
        source: The Python that expands a document by the spec; None if there is none.
    """

    expand: Callable[[Any], Any]

    def __init__(
        self,
        *,
        spec: Spec | str | os.PathLike[str] | None,
        on_error: Policy | None,
        on_problem: Callable[[DecodeError], None] | None,
        numbers: Numbers | None,
        duplicates: Duplicates | None,
        **limits: int | None,
    ) -> None:
        self.arguments: dict[str, Any] = {
            "spec": spec,
            "on_error": on_error,
            "on_problem": on_problem,
            "numbers": numbers,
            "duplicates": duplicates,
            **limits,
        }
        check_word("on_error", on_error, POLICIES)
        check_word("numbers", numbers, NUMBERS)
        check_word("duplicates", duplicates, DUPLICATES)
        self.spec: Spec | None = _loaded(spec)
        self.limits: Limits = _limits(limits, self.spec)
        self._on_problem = on_problem
        self.policy: Policy = on_error or (self.spec.on_error if self.spec else None) or "keep"
        self._numbers = numbers or (self.spec.numbers if self.spec else NUMBERS[0])
        self._duplicates = duplicates or (self.spec.duplicates if self.spec else DUPLICATES[0])
        self.reader: Reader = Reader(
            self.limits,
            self._numbers,
            self._duplicates,
            silent=on_problem is None and self.policy == "keep" and self.spec is None,
        )
        self.plan: Plan | None = None if self.spec is None else _plan(self.spec, self.policy)
        self._queries: dict[tuple[Any, ...], Expression] = {}
        self._answerers: dict[tuple[Any, ...], tuple[Callable[[Any], Any], Expression]] = {}
        self.source: Source | None = None
        self.expand_many: Many | None = None
        self.method: Callable[[Any, Any], Any] = self._compiled()
        self.expand = MethodType(self.method, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Engine, **self.arguments), ()

    # Expanding

    def _compiled(self) -> Callable[[Any, Any], Any]:
        """Return the fastest function that expands, as a method of anything."""
        if self.plan is None:
            learner = Learner(self.reader, self.carefully, self._copied)
            self.expand_many = learner.expand_many
            return learner.method()
        method, self.expand_many, self.source = self._by_spec(
            self.plan, self._start, self.carefully, quiet=self._on_problem is None
        )
        return method

    def _by_spec(
        self,
        plan: Plan,
        start: Callable[[], Run],
        carefully: Callable[[Any], Any],
        *,
        quiet: bool,
    ) -> tuple[Callable[[Any, Any], Any], Many | None, Source]:
        """Return what expands by a spec: one, as a method of anything, and several; its source."""
        from nestdecode.plan import expected, habits, opening  # late: detection needs no specs

        source = opening.source_of(
            plan, self.reader, start, carefully, self._copied_for_code, quiet=quiet
        )
        tolerant: Callable[[Any], Any] = source.build("expand", "plan")
        place = expected.place_of(plan, self.limits) if self.reader.plain else None
        if place is None:

            def expand(_owner: Any, document: Any) -> Any:
                return tolerant(document)

            return expand, None, source

        def unproven(raw: bytes, _tree: Any, _decided: int, _deep: bool) -> Any:
            return tolerant(raw)

        known = habits.Habits(
            place,
            self.reader,
            tolerant,
            self.limits.max_record_bytes,
            None if plan.undeclared is None else unproven,
        )
        return known.method(), known.expand_many, source

    def carefully(self, document: Any) -> Any:
        """Expand one document step by step: what all that is compiled is held against."""
        return self._open(self.read(document))

    def _start(self) -> Run:
        return Run(self.reader, self.policy, self._on_problem or _ignore)

    def read(self, document: Any) -> Any:
        """Return the tree with its layers closed; it is ours to change."""
        if isinstance(document, (bytes, str, bytearray, memoryview)):
            return self.reader.parse_record(document)
        return self._copied(document)[0]

    def _copied(self, document: Any) -> tuple[Any, int]:
        _check_document(document)
        return _copy(document, self.limits)

    def _copied_for_code(self, document: Any) -> tuple[Any, int]:
        """Do what ``_copied`` does; raise LimitError if there may be bytes at a declared layer."""
        _check_document(document)
        return _copy(document, self.limits, no_bytes=self.plan is not None)

    def check(self, document: Any) -> None:
        """Raise the error of a document that is refused, whatever is asked of it."""
        self._open(self.read(document), Run(self.reader, self.policy, _ignore))

    def trace(self, raw: bytes) -> Trace:
        """Expand one document again, and note all that is opened, and all that is not."""
        problems: dict[Address, DecodeError] = {}
        reader = Reader(self.limits, self._numbers, self._duplicates)
        run = Run(reader, self.policy, lambda problem: problems.update({run.address(): problem}))
        run.openings = []
        tree = self._open(self.reader.parse_record(raw), run)
        shapes = () if self.plan is None else self.plan.shapes
        return Trace(tree, run.openings, problems, shapes)

    def search(self, expression: str, tree: Any) -> Any:
        """Ask a tree; the answer shares nothing with it."""
        from nestdecode.queries.expression import apart
        from nestdecode.queries.functions import REFUSALS

        check_expression(expression)
        compiled = self.expression(expression, None)
        try:
            return apart(compiled.search(tree))
        except REFUSALS as error:
            refusal = compiled.refusal(error)
        # Not in the handler: the cause holds data of the document.
        raise refusal

    def _open(self, tree: Any, run: Run | None = None) -> Any:
        run = run or self._start()
        plan = self.plan
        opened = detect.find(tree, 0, 0, run) if plan is None else plan.run(tree, run)
        # Only a member can go; the record stays what it is.
        return tree if opened is DROP else opened

    def shut(self, document: Any) -> Any:
        """Return what ``read`` does, sooner if nothing needs care."""
        reader, most = self.reader, self.limits.max_record_bytes
        is_plain = document.__class__ is bytes and len(document) <= most
        if is_plain and not reader.may_be_deep(document):
            with contextlib.suppress(*reader.refused):
                return reader.loads(document)
        return self.read(document)

    # Asking

    def answerer(self, text: str, start: Start | None) -> tuple[Callable[[Any], Any], Expression]:
        """Return the function that answers a query for a document, and the query."""
        known = self._answerers.get((text, start))
        if known is None:
            expression = self.expression(text, start)
            known = self._late(expression) or self._early(expression), expression
            if len(self._answerers) >= 256:
                self._answerers.clear()
            self._answerers[text, start] = known
        return known

    def answer_many(self, expression: Expression) -> Many:
        """Return what answers a query for several records, or gives None, as ``expand_many``."""
        from nestdecode.queries.functions import REFUSALS

        late = expression.late_many(
            self._whole_plan, self.reader, self._start, self._copied_for_code
        )
        expand_many = self.expand_many if self._on_problem is None else self._watched[1]
        search = expression.search

        def answer_many(joined: Joined, admits: Admits | None = None) -> list[Any] | None:
            answers = None if late is None else late(joined, admits)
            if answers is not None or expand_many is None:
                return answers
            trees = expand_many(joined, admits)
            if trees is None:
                return None
            try:
                return [search(tree) for tree in trees]
            except REFUSALS:
                return None

        return answer_many

    @property
    def _whole_plan(self) -> Plan:
        """What opens layers, declared or found."""
        return self.plan or Plan(None, self.policy, detect.FINDER)

    def _late(self, expression: Expression) -> Callable[[Any], Any] | None:
        early = self._early(expression)
        return expression.late(
            self._whole_plan, self.reader, self._start, early, self._copied_for_code
        )

    def _early(self, expression: Expression) -> Callable[[Any], Any]:
        """
        Return a function that expands a document and asks it.

        Of a document in which a layer stays shut it must be known whether the query sees
        that layer: it is asked again, step by step.
        """
        search = expression.search
        if self._on_problem is None:
            expand = self.expand
            return lambda document: search(expand(document))
        watched, plan = self._watched[0], self._whole_plan

        def answer(document: Any) -> Any:
            try:
                return search(watched(document))
            except TroubledError:
                pass
            if "fail" in policies_of(plan):
                # Such a layer fails the record, seen or not.
                plan.run(self.read(document), Run(self.reader, self.policy, _ignore))
            return expression.walk(self.read(document), plan, self._start())

        return answer

    @cached_property
    def _watched(self) -> tuple[Callable[[Any], Any], Many | None]:
        """Expand one document, or several; raise TroubledError if a layer of one stays shut."""

        def start() -> Run:
            return Run(self.reader, self.policy, _give_up)

        def carefully(document: Any) -> Any:
            return self._open(self.read(document), start())

        many: Many | None
        if self.plan is None:
            learner = Learner(self.reader, carefully, self._copied)
            method, many = learner.method(), learner.expand_many
        else:
            method, many, _ = self._by_spec(self.plan, start, carefully, quiet=False)
        return MethodType(method, self), many

    def expression(self, text: str, start: Start | None, lent: Spec | None = None) -> Expression:
        """Return a query, compiled; *lent* is a spec whose focus and names it may use."""
        from nestdecode.queries.expression import (
            compile_expression,  # late: expanding needs no grammar
        )

        key = (text, start, None if lent is None else lent.name)
        known = self._queries.get(key)
        if known is None:
            # Without a spec of its own a query starts at the root.
            default: Start = "root" if self.spec is None else "focus"
            known = compile_expression(text, self.spec or lent, start=start, default=default)
            if len(self._queries) >= 256:
                self._queries.clear()
            self._queries[key] = known
        return known


# Types that hold a text, and where they are defined: not imported, only to know them.
_BUFFERS = (("mmap", "mmap"), ("array", "array"))


def is_buffer(value: Any) -> bool:
    """Tell whether a value holds the bytes of a text and is none of the types for that."""
    modules = [(sys.modules.get(module), name) for module, name in _BUFFERS]
    return any(module and isinstance(value, getattr(module, name)) for module, name in modules)


def _check_document(document: Any) -> None:
    """Raise TypeError for what is neither a text nor what one holds, but holds a text itself."""
    if isinstance(document, (dict, list)):
        return
    if isinstance(document, os.PathLike):
        hint = "its text, path.read_bytes()"
    elif is_buffer(document):
        hint = "bytes(...) of it"
    elif hasattr(document, "read"):
        hint = "its text, file.read(), or the file to expand_lines"
    else:
        return
    kind = type(document).__name__
    raise TypeError(f"a document is JSON text, or what that holds, got {kind}; pass {hint}")


def _loaded(spec: Spec | str | os.PathLike[str] | None) -> Spec | None:
    if spec is None:
        return None
    from nestdecode.spec import Spec  # late: detection needs no specs

    if isinstance(spec, (str, os.PathLike)):
        return Spec.load(spec)
    if not isinstance(spec, Spec):
        wanted = "a Spec, a name, a path or None"
        hint = "; Spec.parse makes a Spec of it" if isinstance(spec, (dict, bytes)) else ""
        raise TypeError(f"spec is {wanted}, got {type(spec).__name__}{hint}")
    return spec


def _ignore(_problem: DecodeError) -> None:
    """Do what is done with problems if nobody asks for them."""


class TroubledError(Exception):
    """A layer stays shut."""


def _give_up(_problem: DecodeError) -> None:
    raise TroubledError


def check_expression(expression: Any) -> None:
    """Raise TypeError for what is no expression."""
    if not isinstance(expression, str):
        raise TypeError(f"an expression is a str, got {type(expression).__name__}")


def check_word(name: str, word: str | None, words: tuple[str, ...]) -> None:
    """Raise ValueError for an argument that is none of the words for it."""
    if word is not None and word not in words:
        raise ValueError(f"{name} is one of {', '.join(words)}, got {word!r}{nearest(word, words)}")


def _limits(given: dict[str, int | None], spec: Spec | None) -> Limits:
    chosen: dict[str, int] = dict(spec.limits) if spec else {}
    for name, value in given.items():
        if value is None:
            continue
        least, most = RANGES[name]
        if type(value) is not int or not least <= value <= most:
            raise ValueError(f"{name} is an integer from {least} to {most}, got {value!r}")
        chosen[name] = value
    return Limits(**chosen)


def _plan(spec: Spec, policy: Policy) -> Plan:
    from nestdecode.spec.shape import outside_objects  # late: detection needs no specs

    plan = Plan(spec.shape, policy, detect.FINDER if spec.undeclared == "open" else None)
    for shape, is_content, steps in outside_objects(spec.shape) if policy == "drop" else ():
        if is_content or not shape.alternatives or shape.plain is True:
            continue
        if plan.policy((shape,)) == "drop":
            raise SpecError(
                f"on_error: drop is for members of objects, not for {format_path(steps)}; "
                "give that layer an on-error of its own",
                source=spec.name,
            )
    return plan


def _copy(value: Any, limits: Limits, *, no_bytes: bool = False) -> tuple[Any, int]:
    """
    Copy the containers of an already parsed document as exact dicts and lists.

    A cycle is too deep. What is there at several places is copied for each: of containers
    inside one another that would be no end of them, so that is limited too.

    Returns:
        The copy, and how many containers are inside one another.
    """
    most, deepest = limits.max_depth, limits.max_depth
    copied = 0

    def copy(value: Any, left: int) -> Any:
        nonlocal copied, deepest
        copied += 1
        if left < deepest:
            deepest = left
            if left < 0:
                raise LimitError(f"deeper than max_depth={most}")
        if copied > MOST_UNSEEN:
            see(value)
        left -= 1
        if isinstance(value, dict):
            # The C loop first: most of what is in it is no container.
            members = value.copy() if value.__class__ is dict else dict(value.items())
            for key, child in value.items():
                if child.__class__ not in _SCALARS:
                    members[key] = copy(child, left)
            return members
        if isinstance(value, list):
            if _SCALARS.issuperset(map(type, value)):
                return list(value)
            return [child if child.__class__ in _SCALARS else copy(child, left) for child in value]
        if no_bytes and value.__class__ is bytes:
            raise LimitError("it holds bytes")
        return value

    seen: set[int] = set()
    again = limits.max_record_bytes // 64

    def see(value: Any) -> None:
        nonlocal again
        if id(value) in seen:
            again -= 1
            if again < 0:
                limit = f"max_record_bytes={limits.max_record_bytes}"
                raise LimitError(f"the same parts over and over: beyond {limit}")
        seen.add(id(value))

    if not isinstance(value, (dict, list)):
        return value, 0
    return copy(value, most - 1), most - deepest


_SCALARS = frozenset({str, int, float, bool, type(None)})
# Containers that are copied before it is asked whether they were met before.
MOST_UNSEEN = 100_000
