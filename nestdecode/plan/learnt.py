"""
Learnt plans: detection without a spec at the price of hand-written code.

Documents of a stream look alike. So the places where the documents so far had layers are
compiled into a *plan*: here, the function that ``tries`` makes. It opens these places of the
next document, and returns how many strings it decided: its *tries*. ``scan.visible`` counts
where in the raw bytes layers can begin: V. If tries equal V, the document is finished. If not,
the *walk* (``detect.sweep``) opens what is left of the same tree, and the plan learns from it.

**Claim.** If ``hides(raw)`` is false and the tries of a plan equal V, no layer of the
document is still shut. The numbers below are those of the claims in ``text.scan``.

1. A *place* is a quote in the raw bytes, followed by blanks or nothing, and a bracket. V is
   the number of places, or more (2). Each layer has a place of its own (2).
2. For a string that it opens, the plan counts one place: that of this layer. For a string
   that is surely not a layer it counts the places in it and at its opening quote, or fewer
   (``account``). It counts nothing for a string that it leaves undecided: one that holds a
   string (stringified twice), or that the fast parser refuses.
3. The plan meets each string at most once: a wildcard replaces the members that it stands
   for. So all places that it counts are different, and tries are at most V.
4. If tries equal V, each place was counted. But the place of a layer that is still shut is
   not counted: not for a string that was opened, which counts its own place alone; and not
   for one that is surely not a layer, because a layer is neither such a string nor in one:
   detection looks into the record and into layers, and nowhere else. So there is none.
5. What raises V alone (keys, the first of two members with one name, quotes in plain text)
   costs a walk, never a layer. So does a plan that stops early, or counts too little.

*Limits.* No record is longer than 2**max_layers bytes here, which bounds the layers (4). At
most ``max_depth`` brackets in the raw bytes, or a look at the opened tree, bound the depth
(4). Integers are exact, because ``Reader.loads`` reads them. A record that the parser refuses
goes the careful way. A document that was parsed before has no bytes that could prove
anything: it is walked, and each text in it is looked at.

*Tests.* Each trick in ``test_learnt.py`` is a document that breaks a naive way of counting.
``test_what_was_seen_changes_nothing`` and
``test_mutated_documents_are_expanded_as_the_oracle_does`` compare any document after any
others with the oracle. Each escape that is refused is shown to be needed, as ``scan`` says.
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
from nestdecode.text.joined import Admits, Joined, crowded, read_each
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

# Brackets, and the backslash, which begins any escape of one. A record without a backslash
# that has one bracket is flat.
_OPENING = b"{[\\"
# In longer records, in bytes, counting these takes longer than a plan does.
SHORT = 400


# Documents with layers that are learnt from before the first plan is compiled.
LEARN_FROM = 4
# Misses of a plan in use after which it is on trial again.
FORGIVEN = 4
# Documents of one trial: plan and walk take turns.
TRIAL = 64
# Documents without a plan after a trial that the walk has won; doubled each time.
SHORTEST_REST, LONGEST_REST = 64, 8192


_learners: weakref.WeakSet[Learner] = weakref.WeakSet()


def _after_fork() -> None:
    # The thread that held a lock is not in this process, and will never release it.
    for learner in _learners:
        learner.start_over()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Learner:
    """
    Finds and opens every layer of a document, with the help of the documents before.

    Thread-safe. A plan in use is replaced as a whole; a thread that cannot have the lock
    walks, and learns nothing.

    Args:
        reader: Reads records and the texts of layers.
        carefully: Expands any document, and reports the layers that stay shut.
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
        self._lock = threading.Lock()
        self._memory = Memory(reader)
        self._seen = self._misses = self._since_trial = 0
        self._compile_at = LEARN_FROM
        # The plan in use. None while nothing is learnt, during a trial and during a rest.
        self._plan: Callable[[Any, Loads], int] | None = None
        self._learnt: Callable[[Any, Loads], int] | None = None
        self._trial: list[float] | None = None
        self._trial_left = 0
        self._rest, self._rest_left = SHORTEST_REST, 0
        self._timing = False
        _learners.add(self)
        # n containers inside one another take 2n bytes, and k layers 2**k.
        self._surely_shallow = 2 * limits.max_depth
        self._longest = min(limits.max_record_bytes, 1 << min(limits.max_layers, 60))
        self._copied = copied
        self._guarded = guarded(reader, limits.max_depth // 2, self._longest, all_texts=True)

        def unproven(raw: bytes, tree: Any, tries: int, deep: bool) -> Any:
            return self._layered(raw, tree, tries, reader.loads_for(raw) if deep else reader.loads)

        self._habits = Habits(self._memory.root, reader, self._tolerant(), self._longest, unproven)

    def method(self) -> Callable[[Any, Any], Any]:
        """Return a function that expands its second argument, to be bound as a method."""
        habits, tolerant = self._habits, self._tolerant()
        loads, refused = self._reader.loads, self._reader.refused
        plain, short = self._reader.plain, min(self._longest, SHORT)

        def expand(_owner: Any, document: Any) -> Any:
            # One bracket and no backslash: if this is an object, it is flat.
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
        """Return the function that expands any document, and takes nothing for granted."""
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
            # Outside the handler: an error raised in it would carry the refusal, with the
            # document, as its context.
            if tree.__class__ is not dict and tree.__class__ is not list:
                return carefully(document)
            plan = self._plan
            if plan is None:
                # Mostly flat records: nothing with which a layer could begin.
                if contains(translate(document, FLAT_CLASSES), b'"(') and not is_flat(document):
                    return layered(document, tree, -1, read)
            else:
                # Mostly layered records. The quotes before brackets or blanks are V or
                # more, if no string begins with an escape.
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
        Return the trees of several documents, in order, proven all at once.

        None if that is not possible: then each document is expanded separately.
        """
        trees = self._habits.expand_many(joined, admits)
        return self._flat(joined, admits) if trees is None else trees

    def _flat(self, joined: Joined, admits: Admits | None) -> list[Any] | None:
        """Return the trees of joined records if none of them can have a layer, else None."""
        reader, most = self._reader, self._limits.max_depth
        if not reader.plain or joined.is_longer(self._longest):
            return None
        text, records = joined.text, joined.records
        # A bracket in each record: if all of them are objects, these are their own.
        bare = count_byteset(text, _OPENING) == len(records)
        if not bare:
            if contains(translate(text, FLAT_CLASSES), b'"(') and not is_flat(text):
                return None
            if crowded(joined, most):
                return None
        try:
            trees = read_each(reader.loads, joined, admits)
        except reader.refused:
            return None
        return trees if not bare or set(map(type, trees)) == {dict} else None

    def _parsed(self, document: Any) -> Any:
        """Expand a document that was parsed before: it has no bytes that prove anything."""
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
        """
        Finish the tree of a document that may have layers.

        Args:
            raw: The document.
            tree: What was read of it; a plan may have opened some of its layers.
            tries: What the plan returned, or -1 if none was run.
            read: Reads the texts of layers.
        """
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
            tree = None  # a layer stays shut; the careful way reports it with its address
        if tree is None or (
            count_byteset(raw, BRACKETS) > self._limits.max_depth
            and is_deeper(tree, self._limits.max_depth)
        ):
            return self._carefully(raw)
        return tree

    def _learn_quoted(self, raw: bytes) -> None:
        """Learn from a record with quotes as escapes, which the careful way has expanded."""
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

    def _learn(self, tree: Any, read: Loads) -> None:
        """Walk a tree, remember where strings were decided, and compile a plan when due."""
        lock = self._lock  # a fork may replace the attribute before it is released
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
        """Note that a place where layers were expected has text too, and compile anew."""
        # Never waited for: a signal handler may get here while its own thread learns.
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
        """Forget what another thread was learning when this process was forked."""
        if self._lock.locked():
            self._lock = threading.Lock()
            self._memory = Memory(self._reader)
            self._misses, self._compile_at = 0, LEARN_FROM

    def _begin_trial(self) -> None:
        # Seconds of the walk and of the plan, its misses included: the faster one stays.
        self._trial, self._trial_left, self._timing = [0.0, 0.0], TRIAL, True
        self._plan = None
        self._habits.restart()
        self._since_trial = 0

    def _timed(self, tree: Any, found: int, read: Loads) -> None:
        """Expand by plan and walk in turns, or by the walk while a slower plan rests."""
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
