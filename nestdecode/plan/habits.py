"""
What documents have in common: seen, written as code, proven, and given up.

Documents of a stream look alike: the same members are there, and the same strings hold
layers. A few are watched, ``swift`` writes code that takes what they had in common for
granted, and that has to prove on the next ones that it rarely has to give up. Documents
that it misses are watched in turn: perhaps they have something new in common.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from nestdecode.plan.detect import encoded
from nestdecode.plan.place import SeenPlace
from nestdecode.plan.swift import UnwritableError, Writer
from nestdecode.text.joined import Admits, Joined, Together
from nestdecode.text.reader import Reader

__all__ = ["Habits"]

# Documents that are watched first, and that prove what was written; misses after which it
# is written anew; documents that are left in peace if it is no use.
WATCHED, PROVING, MISSES, SHORTEST_REST, LONGEST_REST = 8, 32, 32, 64, 8192
# Of misses that taught nothing new only every so many is watched, at most.
SELDOM = 64

_alive: weakref.WeakSet[Habits] = weakref.WeakSet()


def _after_fork() -> None:
    # The thread that held a lock is not in this process: it will never give it back.
    for habits in _alive:
        habits.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Habits:
    """
    Expands documents by code that takes for granted what those before had in common.

    Documents are watched, then what was written is on trial, then it is swift; or all rests
    for a while. Safe to share between threads: what they count together may be a little off.

    Args:
        root: Where strings are decided. Whatever is not opened there is shut for good.
        reader: Reads records and what their layers hold; it is plain.
        tolerant: Expands any document.
        longest: How many bytes a record may have.
        unproven: Finishes a tree, given the record, the tree, how many strings were
            decided in it, and whether it may be deep. None if ``root`` has all places of
            layers, so that their count needs no proof.
        find: Adds to ``root`` the places of a record's layers, if there may be others.

    Attributes:
        swift: The function that expands, or None as long as there is none.
    """

    def __init__(
        self,
        root: SeenPlace,
        reader: Reader,
        tolerant: Callable[[Any], Any],
        longest: int,
        unproven: Callable[[bytes, Any, int, bool], Any] | None = None,
        find: Callable[[bytes], None] | None = None,
    ) -> None:
        self._root = root
        self._reader = reader
        self._tolerant = tolerant
        self._longest = longest
        self._unproven = unproven
        self._find = find
        self._lock = threading.Lock()
        self._rest = SHORTEST_REST
        # What expands several at once, and the swift function that it was written for.
        self._many: Together | None = None
        self._many_of: Callable[[Any], Any] | None = None
        self.restart()
        _alive.add(self)

    def restart(self, root: SeenPlace | None = None) -> None:
        """Forget what was written, and watch documents anew."""
        self.swift: Callable[[Any], Any] | None = None
        self._candidate: Callable[[Any], Any] | None = None
        self._text = ""
        self._root = root or self._root
        self._root.forget()
        self._misses, self._every = 0, 1
        self._go_on(self._watched, WATCHED)

    def _go_on(self, stage: Callable[[Any], Any], documents: int) -> None:
        """Do with so many documents what a stage does."""
        self._stage, self._left = stage, documents

    def renew_lock(self) -> None:
        """Forget that another thread was busy when this process was forked."""
        self._lock = threading.Lock()

    def method(self) -> Callable[[Any, Any], Any]:
        """Return what expands a document the fastest way that there is, as a method of anything."""

        def expand(_owner: Any, document: Any) -> Any:
            swift = self.swift
            return self.expand(document) if swift is None else swift(document)

        return expand

    def expand(self, document: Any) -> Any:
        """Expand a document as long as there is nothing swift."""
        return self._stage(document)

    def expand_many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """Expand several documents at once; None if each has to be for itself."""
        swift = self.swift
        if swift is None or joined.is_longer(self._longest):
            return None
        if self._many_of is not swift:
            self._write_many(swift)
        return None if self._many is None else self._many(joined, admits)

    def missed(self, document: Any) -> Any:
        """Expand a document that is not like those before."""
        self._misses += 1
        if self._misses % self._every == 0:
            self._watch(document)
        if self._misses >= MISSES * self._every and self.swift is not None:
            self.swift = None
            self._write()
        return self._tolerant(document)

    # Stages

    def _watched(self, document: Any) -> Any:
        self._left -= 1
        self._watch(document)
        if self._left <= 0:
            self._write()
        return self._tolerant(document)

    def _tried(self, document: Any) -> Any:
        candidate = self._candidate
        if candidate is None:  # another thread started anew
            return self._tolerant(document)
        self._left -= 1
        tree = candidate(document)
        if self._left <= 0:
            self._judge()
        return tree

    def _left_alone(self, document: Any) -> Any:
        self._left -= 1
        if self._left <= 0:
            self._go_on(self._watched, WATCHED)
        return self._tolerant(document)

    # What leads from one to the next

    def _judge(self) -> None:
        """Let what was on trial be swift, or rest: the longer, the less use it has been."""
        if self._misses * 8 > PROVING:
            self.swift = self._candidate = None
            self._text = ""  # the same may be written again, and tried
            self._go_on(self._left_alone, self._rest)
            self._rest = min(2 * self._rest, LONGEST_REST)
        else:
            self.swift, self._misses = self._candidate, 0
            self._rest = max(self._rest // 2, SHORTEST_REST)

    def _watch(self, document: Any) -> None:
        raw = encoded(document)
        if raw is None or len(raw) > self._longest:
            return
        lock = self._lock  # a fork may change it meanwhile
        if lock.acquire(blocking=False):
            try:
                with suppress(RecursionError):  # the caller has used up the stack
                    if self._find is not None:
                        self._find(raw)
                    self._root.watch_record(raw)
            finally:
                lock.release()

    def _write_many(self, swift: Callable[[Any], Any]) -> None:
        """Write what expands several documents at once."""
        lock = self._lock
        if not lock.acquire(blocking=False):
            return
        try:
            self._many = None
            writer = Writer(self._root, self._reader, counted=self._unproven is not None)
            with suppress(UnwritableError, RecursionError):
                source = writer.expand_many()
                self._many = Together(source.build("expand_many", "plan that was learnt"))
            self._many_of = swift
        finally:
            lock.release()

    def _write(self) -> None:
        """Write what was seen, and try it."""
        lock = self._lock
        if not lock.acquire(blocking=False):
            self._go_on(self._watched, 1)
            return
        try:
            writer = Writer(self._root, self._reader, counted=self._unproven is not None)
            try:
                source = writer.expand(self._longest)
            except (UnwritableError, RecursionError):
                self._go_on(self._left_alone, LONGEST_REST)
                return
            self._every = min(2 * self._every, SELDOM) if source.text == self._text else 1
            if source.text != self._text:
                self._text = source.text
                source.names |= {
                    "missed": self.missed,
                    "tolerant": self._tolerant,
                    "unproven": self._unproven,
                }
                self._candidate = source.build("expand", "plan that was learnt")
            self._misses = 0
            self._go_on(self._tried, PROVING)
        finally:
            lock.release()
