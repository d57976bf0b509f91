"""
Learnt plans: detection without a spec at the price of hand-written code.

A stream's documents look alike. So the layers of the documents so far make a plan; it
opens the same places of the next document, and counts each string that it decides. If
it decided as many as can be seen in the raw bytes, none is left, and no walk is needed.

Why that is sound. A layer's text begins with a bracket, so in the raw bytes a quote is
followed by blanks, if any, and a bracket. Blanks are a space, or a backslash sequence
and n, r or t; a bracket and a quote are themselves: an escape that could stand for one
of them, or for a piece of such an escape, is refused at every depth (``scan.hides``), as
the first text in which it occurs has its characters literally in all texts around it.
So each layer has a place of its own in V, the count of what looks like that, or of more;
so has each shut string that the plan counts (``account``). The plan meets a string once
at most. Tries equal to V therefore mean that every place is decided. Keys, doubled
members and quotes inside texts only raise V: that costs a walk, never a layer.

Without refused escapes k layers take 2**k bytes, which bounds layers; as many brackets
as ``max_depth`` in the raw bytes, or a look at the opened tree, bounds depth. What the
fast parser refuses is read carefully, and walked.
"""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable
from time import perf_counter
from typing import Any

from stringzilla import contains, count, count_byteset, translate

from nestdecode.errors import LimitError
from nestdecode.plan.detect import Loads, encoded, guarded, sweep
from nestdecode.plan.habits import Habits
from nestdecode.plan.memory import Memory
from nestdecode.plan.place import SeenPlace
from nestdecode.plan.run import CrowdedError
from nestdecode.plan.tries import compiled
from nestdecode.text.depth import is_deeper
from nestdecode.text.joined import Admits, Joined, apart, crowded
from nestdecode.text.reader import Reader
from nestdecode.text.scan import (
    BRACKETS,
    CLASSES,
    ESCAPE,
    FLAT_CLASSES,
    all_benign,
    hides,
    is_flat,
    visible,
)

__all__ = ["Learner"]

# What a layer, or a container in a record, begins with, or an escape that could.
_OPENING = b"{[\\"
# Of longer records it takes longer to count them than it takes to ask a plan.
SHORT = 400


LEARN_FROM, FORGIVEN, TRIAL, SHORTEST_REST, LONGEST_REST = 4, 4, 64, 64, 8192


_learners: weakref.WeakSet[Learner] = weakref.WeakSet()


def _after_fork() -> None:
    # The thread that held a lock is not in this process: it will never give it back.
    for learner in _learners:
        learner.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Learner:
    """
    Expands documents by what it learnt from those before. Safe to share between threads.

    Args:
        reader: Reads records and what their layers hold.
        carefully: Expands whatever is not plain JSON, and tells of layers that stay shut.
        copied: Copies a document that was parsed before: (tree, its depth). Raises
            LimitError if it is too deep.
    """

    def __init__(
        self,
        reader: Reader,
        carefully: Callable[[Any], Any],
        copied: Callable[[Any], tuple[Any, int]],
    ) -> None:
        limits = reader.limits
        self._limits = limits
        self._reader = reader
        self._carefully = carefully
        # Learnt plans are swapped whole; who can't have the lock does not learn.
        self._lock = threading.Lock()
        self._memory = Memory(reader)
        self._seen = self._misses = self._since_trial = 0
        self._compile_at = LEARN_FROM
        # What is run first: None as long as nothing is learnt, on trial, or too slow.
        self._plan: Callable[[Any, Loads], int] | None = None
        self._learnt: Callable[[Any, Loads], int] | None = None
        self._trial: list[float] | None = None
        self._trial_left = 0
        self._rest, self._rest_left = SHORTEST_REST, 0
        self._timing = False
        _learners.add(self)
        # n containers take 2n characters, and k layers 2**k.
        self._surely_shallow = 2 * limits.max_depth
        self._longest = min(limits.max_record_bytes, 1 << min(limits.max_layers, 60))
        self._copied = copied
        self._guarded = guarded(reader, limits.max_depth // 2, self._longest, all_texts=True)

        def unproven(raw: bytes, tree: Any, tries: int, deep: bool) -> Any:
            return self._layered(raw, tree, tries, reader.loads_for(raw) if deep else reader.loads)

        self._habits = Habits(self._memory.root, reader, self._tolerant(), self._longest, unproven)

    def method(self) -> Callable[[Any, Any], Any]:
        """Return what opens every layer of one document, as a method of anything."""
        habits, tolerant = self._habits, self._tolerant()
        loads, refused = self._reader.loads, self._reader.refused
        plain, short = self._reader.plain, min(self._longest, SHORT)

        def expand(_owner: Any, document: Any) -> Any:
            # One bracket and no escape: a flat object, if it is one.
            if (
                document.__class__ is bytes
                and len(document) <= short
                and count_byteset(document, _OPENING) == 1
            ):
                try:
                    tree = loads(document)
                except refused:
                    tree = None
                if tree.__class__ is dict:
                    return tree
            swift = habits.swift
            if swift is not None:
                return swift(document)
            if plain and self._plan is not None:
                return habits.expand(document)
            return tolerant(document)

        return expand

    def _tolerant(self) -> Callable[[Any], Any]:
        """Return what opens every layer of one document, whatever it is."""
        longest, surely_shallow = self._longest, self._surely_shallow
        carefully, layered, may_be_deep = self._carefully, self._layered, self._reader.may_be_deep
        parsed = self._parsed
        loads, loads_for, refused = self._reader.loads, self._reader.loads_for, self._reader.refused
        deepest = self._limits.max_depth

        def expand(document: Any) -> Any:
            if document.__class__ is not bytes:
                raw = encoded(document)
                return parsed(document) if raw is None else expand(raw)
            if len(document) > longest:
                return carefully(document)
            deep = len(document) > surely_shallow and may_be_deep(document)
            read = loads_for(document) if deep else loads
            try:
                tree = read(document)
            except refused:
                tree = None
            # Not in the handler: what it handles would be the context of what is raised.
            if tree.__class__ is not dict and tree.__class__ is not list:
                return carefully(document)
            plan = self._plan
            if plan is None:
                # Mostly flat: nothing that a layer could begin with.
                if contains(translate(document, FLAT_CLASSES), b'"(') and not is_flat(document):
                    return layered(document, tree, -1, read)
            else:
                # Mostly layered: as many tries as quotes before brackets or blanks.
                classes = translate(document, CLASSES)
                tries = plan(tree, read)
                if (
                    tries != count(classes, b'"(')
                    or (contains(classes, b'"\\') and not all_benign(document))
                    or (contains(document, ESCAPE) and hides(document))
                ):
                    return layered(document, tree, tries, read)
            if deep and is_deeper(tree, deepest):
                return carefully(document)
            return tree

        return expand

    def expand_many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """
        Open every layer of several documents, checked all at once.

        None if they can't be, or are not proven: then each is for itself.
        """
        trees = self._habits.expand_many(joined, admits)
        return self._flat(joined, admits) if trees is None else trees

    def _flat(self, joined: Joined, admits: Admits | None) -> list[Any] | None:
        """Read joined records if none of them can have a layer."""
        reader, most = self._reader, self._limits.max_depth
        if not reader.plain or joined.is_longer(self._longest):
            return None
        text = joined.text
        if contains(translate(text, FLAT_CLASSES), b'"(') and not is_flat(text):
            return None
        if crowded(joined, most):
            return None
        try:
            return apart(reader.loads(text), joined, admits)
        except reader.refused:
            return None

    def _parsed(self, document: Any) -> Any:
        """Expand a document that has no text: no bytes prove that a plan missed nothing."""
        deepest = self._limits.max_depth
        shut: list[Any] = []
        try:
            tree, depth = self._copied(document)
            if tree.__class__ is dict or tree.__class__ is list:
                sweep(tree, self._reader, self._guarded, shut)
                if not shut and (depth <= deepest // 2 or not is_deeper(tree, deepest)):
                    return tree
        except (CrowdedError, LimitError):
            pass
        return self._carefully(document)

    def _layered(self, raw: bytes, tree: Any, tries: int, read: Loads) -> Any:
        """Expand a document that has layers; a plan may have decided some *tries* already."""
        found = visible(raw)
        if found < 0:
            tree = self._carefully(raw)
            found = visible(raw, quoted=True)
            if (
                found >= 0
                and found != tries
                and count_byteset(raw, BRACKETS) <= self._limits.max_depth
            ):
                self._learn_quoted(raw)
            return tree
        try:
            if tries < 0 and self._timing:
                self._timed(tree, found, read)
            elif tries < 0 or tries != found:
                self._by_walk(tree, read)
        except LimitError:
            tree = None  # a layer stays shut, and its address is told
        if tree is None or (
            count_byteset(raw, BRACKETS) > self._limits.max_depth
            and is_deeper(tree, self._limits.max_depth)
        ):
            return self._carefully(raw)
        return tree

    def _learn_quoted(self, raw: bytes) -> None:
        """Learn from a record that no walk may open: its layers are not bound by its size."""
        if self._timing and self._learnt is not None:
            self._accept()
            return
        with contextlib.suppress(LimitError, *self._reader.refused):
            self._by_walk(self._reader.loads(raw), self._reader.loads)

    def _by_walk(self, tree: Any, read: Loads) -> None:
        if self._learnt is None:
            self._seen += 1
            if self._seen == 1:
                sweep(tree, self._reader, read)
                return
        elif self._plan is not None:
            # A plan that misses now and then may still be the faster one.
            self._since_trial += 1
            if self._since_trial >= FORGIVEN:
                self._begin_trial()
        self._learn(tree, read)

    # Learning

    def _learn(self, tree: Any, read: Loads) -> None:
        """Walk a tree, remember where something was decided, and compile now and then."""
        lock = self._lock  # a fork may change it meanwhile
        if not lock.acquire(blocking=False):
            sweep(tree, self._reader, read)
            return
        try:
            self._misses += 1
            self._memory.remember(tree, read)
            if self._misses >= self._compile_at:
                self._compile_at = 4 * self._misses
                self._learnt = compiled(self._memory.root, self._reader, self._mixed)
                self._begin_trial()
        finally:
            lock.release()

    def _mixed(self, place: SeenPlace) -> None:
        """Look before trying, from now on, where a layer was expected and text came."""
        # Never waited for: a signal handler may come here while its own thread learns.
        lock = self._lock
        if place.shut or not lock.acquire(blocking=False):
            return
        try:
            place.shut = True
            learnt = compiled(self._memory.root, self._reader, self._mixed)
            if self._plan is not None:
                self._plan = learnt
                self._habits.restart(self._memory.root)
            self._learnt = learnt
        finally:
            lock.release()

    def start_over(self) -> None:
        """Forget what another thread was about to learn when this process was forked."""
        if self._lock.locked():
            self._lock = threading.Lock()
            self._memory = Memory(self._reader)
            self._misses, self._compile_at = 0, LEARN_FROM

    # Trials: the plan has to be faster than the walk, misses included

    def _begin_trial(self) -> None:
        self._trial, self._trial_left, self._timing = [0.0, 0.0], TRIAL, True
        self._plan = None
        self._habits.restart()
        self._since_trial = 0

    def _timed(self, tree: Any, found: int, read: Loads) -> None:
        """Take turns between plan and walk, or rest from the plan that was the slower."""
        learnt, times = self._learnt, self._trial
        if self._rest_left:
            self._rest_left -= 1
            if not self._rest_left:
                self._begin_trial()
            sweep(tree, self._reader, read)
            return
        if learnt is None or times is None:
            sweep(tree, self._reader, read)
            return
        self._trial_left -= 1
        turn = self._trial_left % 2
        begin = perf_counter()
        if not turn:
            sweep(tree, self._reader, read)
        elif learnt(tree, read) != found:
            self._learn(tree, read)
        times[turn] += perf_counter() - begin
        if self._trial_left <= 0 and times is self._trial:
            if times[1] < times[0]:
                self._accept()
            else:
                self._rest_left = self._rest
                self._rest = min(2 * self._rest, LONGEST_REST)

    def _accept(self) -> None:
        self._habits.restart(self._memory.root)
        self._plan, self._timing, self._rest = self._learnt, False, SHORTEST_REST
