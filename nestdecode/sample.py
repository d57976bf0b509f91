"""A sample of documents, held against a spec: which of the declared layers are there."""

from __future__ import annotations

import difflib
from collections import deque
from collections.abc import Iterator
from typing import Any

from nestdecode.decoder import Decoder
from nestdecode.errors import DecodeError, Policy
from nestdecode.paths import Step, Wild, format_path
from nestdecode.plan import detect
from nestdecode.plan.run import Run
from nestdecode.spec import Shape, Spec

__all__ = ["Sample"]

# How many paths of a sample are known, and how long each is at most.
MOST_PATHS, LONGEST = 2000, 300
# How many layers are listed.
MOST_MISSING = 20


class _Keeping(Run):
    """A record on its way, whose strings stay if they do not open, whatever a policy says."""

    __slots__ = ()

    def settle(self, problem: DecodeError, text: str | bytes, policy: Policy) -> Any:
        """Return the string."""
        return text


class Sample:
    """
    Documents that a spec is for, and what of the spec is in them.

    Args:
        spec: It says where the layers are; None if there is none that can be read. Then
            only the spelling of paths is known.
    """

    def __init__(self, spec: Spec | None) -> None:
        self._engine = Decoder(spec).engine
        self._spec = spec
        self._met: set[Shape] = set()
        # Paths, and their names without quotes, in small letters.
        self._paths: dict[str, str] = {}

    def add(self, raw: bytes) -> None:
        """
        Add a document.

        Raises:
            DecodeError: If it is refused.
        """
        run = _Keeping(self._engine.reader, "keep", lambda _problem: None)
        plan = self._engine.plan
        tree = self._engine.read(raw)
        if plan is not None:
            tree = plan.run(tree, run)
            self._meet(plan.shapes, tree)
        self._learn(detect.find(tree, 0, 0, run))

    def _meet(self, shapes: tuple[Shape, ...], tree: Any) -> None:
        """Note for which shapes something is there."""
        waiting: list[tuple[tuple[Shape, ...], Any]] = [(shapes, tree)]
        while waiting:
            shapes, value = waiting.pop()
            self._met.update(shapes)
            if type(value) is dict:
                for name, child in value.items():
                    below = tuple(s for shape in shapes for s in shape.members(name))
                    waiting += [(below, child)] if below else []
            elif type(value) is list:
                for index, child in enumerate(value):
                    below = tuple(s for shape in shapes if (s := shape.element(index)) is not None)
                    waiting += [(below, child)] if below else []

    def _learn(self, tree: Any) -> None:
        """Note which paths there are."""
        waiting: list[tuple[tuple[Step, ...], Any]] = [((), tree)]
        while waiting and len(self._paths) < MOST_PATHS:
            steps, value = waiting.pop()
            path = format_path(steps)
            if len(path) > LONGEST:
                continue
            self._paths.setdefault(path, _key(steps))
            if type(value) is dict:
                waiting += reversed([((*steps, name), child) for name, child in value.items()])
            elif type(value) is list:
                # Elements are alike, mostly: of the first few it is known how they are spelled.
                waiting += [((*steps, Wild.ELEMENTS), child) for child in reversed(value[:50])]

    @property
    def has_layer(self) -> bool:
        """Whether something is at the place of a declared layer."""
        return any(shape.alternatives for shape in self._met)

    def missing(self) -> Iterator[tuple[str, str]]:
        """
        List the layers that are declared and nowhere in the sample.

        What is inside such a layer is not listed too.

        Returns:
            The path of each, and a hint at the nearest path that is there, or nothing.
        """
        if self._spec is None:
            return
        seen = {self._spec.shape}
        waiting: deque[tuple[Shape, tuple[Step, ...]]] = deque([(self._spec.shape, ())])
        found = 0
        while waiting and found < MOST_MISSING:
            shape, steps = waiting.popleft()
            if shape.alternatives and shape not in self._met:
                found += 1
                yield format_path(steps), self._hint(format_path(steps), steps)
                continue
            for step, child in shape.children():
                if child not in seen:
                    seen.add(child)
                    waiting.append((child, (*steps, step)))

    def spelled(self, text: str) -> str | None:
        """Return the path of the sample that has the names of a text, however it is quoted."""
        wanted = text.replace('"', "").replace("[*]", "[]").casefold()
        return next((path for path, key in self._paths.items() if key == wanted), None)

    def _hint(self, path: str, steps: tuple[Step, ...]) -> str:
        if path in self._paths:
            return "; it is inside a string that no layer opens: declare that, too"
        key = _key(steps)
        same = [known for known, other in self._paths.items() if other == key]
        if not same:
            keys = {other: known for known, other in self._paths.items()}
            same = [keys[near] for near in difflib.get_close_matches(key, keys, n=1, cutoff=0.6)]
        if not same and steps and isinstance(steps[-1], str):
            end = "." + steps[-1].casefold()
            same = [known for known, other in self._paths.items() if other.endswith(end)]
        return f"; did you mean {same[0]!r}?" if same else ""


def _key(steps: tuple[Step, ...]) -> str:
    """Return the names of a path, unquoted and in small letters."""
    text = ""
    for step in steps:
        if isinstance(step, int) or step is Wild.ELEMENTS:
            text += "[]"
        else:
            name = step.casefold() if isinstance(step, str) else "*"
            text += f".{name}" if text else name
    return text
