"""The engine of a Decoder: its arguments checked, its spec compiled, its reader built."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.errors import POLICIES, UNDECLARED, DecodeError, Policy, SpecError, Undeclared
from nestdecode.given import check_document, copied, note_cause
from nestdecode.paths import Address, format_path
from nestdecode.plan import detect
from nestdecode.plan.careful import Plan
from nestdecode.plan.learnt import Learner
from nestdecode.plan.memory import Memory
from nestdecode.plan.run import DROP, Run, Trace
from nestdecode.plan.source import PythonSource
from nestdecode.text.reader import DUPLICATES, NUMBERS, RANGES, Duplicates, Limits, Numbers, Reader
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["Engine", "Many", "check_function", "check_word"]

# Takes joined records, and a function that says whether a record is admitted; returns the
# answers of all of them, or None if they need one call each.
Many = Callable[..., list[Any] | None]


class Engine:
    """
    The compiled functions of a Decoder, and the careful ones that they fall back on.

    Thread-safe; pickled as its arguments.

    Attributes:
        arguments: The arguments of ``Decoder``, as they were given.
        spec: The spec, loaded; None if layers are detected.
        limits: The limits of a record.
        numbers: How numbers are read.
        reader: The reader of JSON text, within the limits.
        plan: The plan of the spec; None without a spec.
        policy: The policy of layers that name none.
        method: Expands its second argument; the first is ignored, so that the function can
            be bound as a method of anything.
        expand: Expands its one argument.
        expand_many: Expands joined records; None if there is no fast way for this spec.
        on_problem: Called with each problem; None if problems are not reported.
        source: The Python source compiled from the spec; None without a spec.
    """

    expand: Callable[[Any], Any]

    def __init__(
        self,
        *,
        spec: Spec | str | os.PathLike[str] | None,
        on_error: Policy | None,
        on_problem: Callable[[DecodeError], None] | None,
        undeclared: Undeclared | None,
        numbers: Numbers | None,
        duplicates: Duplicates | None,
        **limits: int | None,
    ) -> None:
        self.arguments: dict[str, Any] = {
            "spec": spec,
            "on_error": on_error,
            "on_problem": on_problem,
            "undeclared": undeclared,
            "numbers": numbers,
            "duplicates": duplicates,
            **limits,
        }
        check_function("on_problem", on_problem)
        check_word("on_error", on_error, POLICIES)
        check_word("undeclared", undeclared, UNDECLARED)
        check_word("numbers", numbers, NUMBERS)
        check_word("duplicates", duplicates, DUPLICATES)
        self.spec: Spec | None = _loaded(spec)
        self.limits: Limits = _limits(limits, self.spec)
        self.on_problem = on_problem
        self.policy: Policy = on_error or (self.spec.on_error if self.spec else None) or "keep"
        self.numbers: Numbers = numbers or (self.spec.numbers if self.spec else NUMBERS[0])
        self._duplicates = duplicates or (self.spec.duplicates if self.spec else DUPLICATES[0])
        self.reader: Reader = Reader(
            self.limits,
            self.numbers,
            self._duplicates,
            silent=on_problem is None and self.policy == "keep" and self.spec is None,
        )
        self.plan: Plan | None = None
        if self.spec is not None:
            self.plan = _plan(self.spec, self.policy, undeclared or self.spec.undeclared)
        elif undeclared == "keep":
            raise ValueError("undeclared='keep' is for a spec: without one every layer is found")
        self.method: Callable[[Any, Any], Any]
        self.expand_many: Many | None
        self.source: PythonSource | None
        self.method, self.expand_many, self.source = self.compiled(
            self.start, self.carefully, quiet=on_problem is None
        )
        self.expand = MethodType(self.method, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Engine, **self.arguments), ()

    def compiled(
        self, start: Callable[[], Run], carefully: Callable[[Any], Any], *, quiet: bool
    ) -> tuple[Callable[[Any, Any], Any], Many | None, PythonSource | None]:
        """
        Return the fastest functions that give the same trees as *carefully*.

        Args:
            start: Makes the Run of a record that needs one.
            carefully: Expands any document, step by step.
            quiet: Whether problems are not reported.

        Returns:
            As the attributes of the same names: ``method``, ``expand_many``, ``source``.
        """
        if self.plan is None:
            learner = Learner(self.reader, carefully, self.copied)
            return learner.method(), learner.expand_many, None
        return self._by_spec(self.plan, start, carefully, quiet=quiet)

    def _by_spec(
        self,
        plan: Plan,
        start: Callable[[], Run],
        carefully: Callable[[Any], Any],
        *,
        quiet: bool,
    ) -> tuple[Callable[[Any, Any], Any], Many | None, PythonSource]:
        """Return what ``compiled`` does, for a plan."""
        from nestdecode.plan import expected, habits, opening  # late: detection needs no specs

        source = opening.source_of(
            plan, self.reader, start, carefully, self.copied_for_code, quiet=quiet
        )
        tolerant: Callable[[Any], Any] = source.build("expand", "plan")
        place = expected.place_of(plan, self.limits) if self.reader.plain else None
        if place is None:

            def expand(_owner: Any, document: Any) -> Any:
                return tolerant(document)

            return expand, None, source

        def unproven(raw: bytes, _tree: Any, _decided: int, _deep: bool) -> Any:
            return known.missed(raw)

        def find(raw: bytes) -> None:
            with contextlib.suppress(DecodeError):
                memory.note(self.trace(raw))

        longest = self.limits.max_record_bytes
        if plan.undeclared is None:
            known = habits.Habits(place, self.reader, tolerant, longest)
        else:
            memory = Memory(self.reader, place)
            # k layers inside one another take at least 2**k bytes: no record up to this
            # length exceeds max_layers.
            longest = min(longest, 1 << min(self.limits.max_layers, 60))
            known = habits.Habits(place, self.reader, tolerant, longest, unproven, find)
        return known.method(), known.expand_many, source

    def carefully(self, document: Any) -> Any:
        """Return one document expanded step by step: the reference for all compiled code."""
        return self.opened(self.read(document))

    def start(self) -> Run:
        """Return a new Run: the state of one record that is expanded step by step."""
        return Run(self.reader, self.policy, self.on_problem or _ignore)

    def read(self, document: Any) -> Any:
        """Return the tree of a document, its layers shut; the caller may change it."""
        if isinstance(document, (bytes, str, bytearray, memoryview)):
            try:
                return self.reader.parse_record(document)
            except DecodeError as error:
                note_cause(error, document)
                raise
        return self.copied(document)[0]

    def copied(self, document: Any) -> tuple[Any, int]:
        """Return a copy of an already parsed document, and its depth in containers."""
        check_document(document)
        return copied(document, self.limits)

    def copied_for_code(self, document: Any) -> tuple[Any, int]:
        """Return what ``copied`` does; with a spec, raise LimitError if a value is bytes."""
        check_document(document)
        return copied(document, self.limits, no_bytes=self.plan is not None)

    def check(self, document: Any) -> None:
        """Raise the DecodeError of a document that fails to expand; else return."""
        self.opened(self.read(document), Run(self.reader, self.policy, _ignore))

    def trace(self, raw: bytes) -> Trace:
        """Return the Trace of one document: its tree, openings and problems with places."""
        problems: dict[Address, DecodeError] = {}
        reader = Reader(self.limits, self.numbers, self._duplicates)
        run = Run(reader, self.policy, lambda problem: problems.update({run.address(): problem}))
        run.openings = []
        tree = self.opened(self.reader.parse_record(raw), run)
        shapes = () if self.plan is None else self.plan.shapes
        return Trace(tree, run.openings, problems, shapes)

    def opened(self, tree: Any, run: Run | None = None) -> Any:
        """Open the layers of *tree* in place, step by step; return it or what replaces it."""
        run = run or self.start()
        plan = self.plan
        opened = detect.find(tree, 0, 0, run) if plan is None else plan.run(tree, run)
        # Policy drop removes members only: a record that is a string stays.
        return tree if opened is DROP else opened

    def shut(self, document: Any) -> Any:
        """Return what ``read`` does, faster for bytes that are shallow and in the limits."""
        reader, most = self.reader, self.limits.max_record_bytes
        is_plain = document.__class__ is bytes and len(document) <= most
        if is_plain and not reader.may_be_deep(document):
            with contextlib.suppress(*reader.refused):
                return reader.loads(document)
        return self.read(document)


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
    """Do nothing with a problem."""


def check_word(name: str, word: str | None, words: tuple[str, ...]) -> None:
    """Raise ValueError if an argument is neither None nor one of *words*."""
    if word is not None and word not in words:
        raise ValueError(f"{name} is one of {', '.join(words)}, got {word!r}{nearest(word, words)}")


def check_function(name: str, function: object) -> None:
    """Raise TypeError for an argument that can't be called, and is not None."""
    if function is not None and not callable(function):
        raise TypeError(f"{name} is a function or None, got {type(function).__name__}")


def _limits(given: dict[str, int | None], spec: Spec | None) -> Limits:
    chosen: dict[str, int] = dict(spec.limits) if spec else {}
    for name, value in given.items():
        if value is None:
            continue
        least, most = RANGES[name]
        if type(value) is not int or not least <= value <= most:
            why = "; nothing deeper can be written back" if name == "max_depth" else ""
            raise ValueError(f"{name} is an integer from {least} to {most}, got {value!r}{why}")
        chosen[name] = value
    return Limits(**chosen)


def _plan(spec: Spec, policy: Policy, undeclared: Undeclared) -> Plan:
    from nestdecode.spec.shape import outside_objects  # late: detection needs no specs

    plan = Plan(spec.shape, policy, detect.FINDER if undeclared == "open" else None)
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
