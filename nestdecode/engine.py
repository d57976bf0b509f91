"""What opens documents: built once from a spec and limits, for all ways in."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from functools import partial
from types import MethodType
from typing import TYPE_CHECKING, Any

from nestdecode.errors import POLICIES, DecodeError, Policy, SpecError
from nestdecode.given import check_document, copied
from nestdecode.paths import Address, format_path
from nestdecode.plan import detect
from nestdecode.plan.careful import Plan
from nestdecode.plan.learnt import Learner
from nestdecode.plan.memory import Memory
from nestdecode.plan.run import DROP, Run, Trace
from nestdecode.plan.source import Source
from nestdecode.text.reader import DUPLICATES, NUMBERS, RANGES, Duplicates, Limits, Numbers, Reader
from nestdecode.words import nearest

if TYPE_CHECKING:
    from nestdecode.spec import Spec

__all__ = ["Engine", "Many", "check_function", "check_word"]

# From joined records, and what tells whether they are admitted, to the answers of all of
# them; None if each has to be for itself.
Many = Callable[..., list[Any] | None]


class Engine:
    """
    The compiled functions of a Decoder, and the careful ones that they fall back on.

    Attributes:
        arguments: What ``Decoder`` takes, as it was given.
        spec: Where the layers are; None to find them.
        limits: Of a record.
        numbers: How they are read.
        reader: Reads JSON text within them.
        plan: What the spec comes to; None without one.
        policy: For layers that name none.
        method: Expands one document, its second argument: the first is for what it is a
            method of.
        expand: The same, of one argument.
        expand_many: Expands several that were joined; None if nothing can.
        on_problem: Takes each layer that stays shut; None if nobody does.
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
        check_function("on_problem", on_problem)
        check_word("on_error", on_error, POLICIES)
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
        self.plan: Plan | None = None if self.spec is None else _plan(self.spec, self.policy)
        self.method: Callable[[Any, Any], Any]
        self.expand_many: Many | None
        self.source: Source | None
        self.method, self.expand_many, self.source = self.compiled(
            self.start, self.carefully, quiet=on_problem is None
        )
        self.expand = MethodType(self.method, self)

    def __reduce__(self) -> tuple[Any, ...]:
        return partial(Engine, **self.arguments), ()

    # Expanding

    def compiled(
        self, start: Callable[[], Run], carefully: Callable[[Any], Any], *, quiet: bool
    ) -> tuple[Callable[[Any, Any], Any], Many | None, Source | None]:
        """
        Return the fastest functions that do what *carefully* does.

        Args:
            start: Makes the Run of a record that needs one.
            carefully: Expands any document.
            quiet: Whether nobody is told of layers that stay shut.

        Returns:
            What expands one document, as a method of anything; several; and the source.
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
    ) -> tuple[Callable[[Any, Any], Any], Many | None, Source]:
        """Return what expands by a spec: one, as a method of anything, and several; its source."""
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
            # k layers take 2**k bytes.
            longest = min(longest, 1 << min(self.limits.max_layers, 60))
            known = habits.Habits(place, self.reader, tolerant, longest, unproven, find)
        return known.method(), known.expand_many, source

    def carefully(self, document: Any) -> Any:
        """Expand one document step by step: what all that is compiled is held against."""
        return self.opened(self.read(document))

    def start(self) -> Run:
        """Return what one record is opened with step by step."""
        return Run(self.reader, self.policy, self.on_problem or _ignore)

    def read(self, document: Any) -> Any:
        """Return the tree with its layers closed; it is ours to change."""
        if isinstance(document, (bytes, str, bytearray, memoryview)):
            return self.reader.parse_record(document)
        return self.copied(document)[0]

    def copied(self, document: Any) -> tuple[Any, int]:
        """Copy a document that was parsed before: (tree, its depth)."""
        check_document(document)
        return copied(document, self.limits)

    def copied_for_code(self, document: Any) -> tuple[Any, int]:
        """Do what ``copied`` does; raise LimitError if there may be bytes at a declared layer."""
        check_document(document)
        return copied(document, self.limits, no_bytes=self.plan is not None)

    def check(self, document: Any) -> None:
        """Raise the error of a document that is refused, whatever is asked of it."""
        self.opened(self.read(document), Run(self.reader, self.policy, _ignore))

    def trace(self, raw: bytes) -> Trace:
        """Expand one document again, and note all that is opened, and all that is not."""
        problems: dict[Address, DecodeError] = {}
        reader = Reader(self.limits, self.numbers, self._duplicates)
        run = Run(reader, self.policy, lambda problem: problems.update({run.address(): problem}))
        run.openings = []
        tree = self.opened(self.reader.parse_record(raw), run)
        shapes = () if self.plan is None else self.plan.shapes
        return Trace(tree, run.openings, problems, shapes)

    def opened(self, tree: Any, run: Run | None = None) -> Any:
        """Open the layers of a tree of ours in place, step by step, and return it."""
        run = run or self.start()
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


def check_word(name: str, word: str | None, words: tuple[str, ...]) -> None:
    """Raise ValueError for an argument that is none of the words for it."""
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
