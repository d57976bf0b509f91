"""
When the code of ``swift`` is written, tried, used and given up.

Documents of a stream look alike: the same members are present, and the same strings are
layers. A Decoder passes through these stages, each for a number of documents:

- *watched*: the tolerant way expands each document; what is at the known places is noted.
- *tried*: code is written from that, and expands the next documents. It is kept if it
  misses at most one in eight of them.
- *swift*: the code expands documents. Some of those that it misses are watched; after too
  many misses it is written anew from what was seen, and tried.
- *left alone*: code that missed too many is dropped. The tolerant way expands documents,
  for twice as many each time.

**Claim.** No stage changes an answer. The tolerant way returns it; the code does too, or
calls the tolerant way (the argument is in ``swift``). So nothing here has to be exact, and
threads share the counts without a lock: only what is watched and written takes one. A
thread that cannot have it goes on without. ``test_what_was_seen_changes_no_answer`` compares
every way with the oracle, with small numbers in the place of those below.
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
from nestdecode.plan.source import UnwritableError
from nestdecode.plan.swift import Writer
from nestdecode.text.joined import Admits, Joined, Together
from nestdecode.text.reader import Reader

__all__ = ["Habits"]

# Documents that are watched before code is written, and those that it is tried on.
WATCHED, PROVING = 8, 32
# Documents that the code may miss before it is written anew.
MOST_MISSES = 32
# Documents for which nothing is tried after code that missed too many; doubled each time.
SHORTEST_REST, LONGEST_REST = 64, 8192
# While writing anew changes nothing, only one miss in so many is watched, at most.
SELDOM = 64

_alive: weakref.WeakSet[Habits] = weakref.WeakSet()


def _after_fork() -> None:
    # The thread that held a lock is not in this process, and will never release it.
    for habits in _alive:
        habits.renew_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Habits:
    """
    Expands documents by code that takes for granted what those before had in common.

    Thread-safe.

    Args:
        root: The place of a record, with the places below it where strings are decided.
        reader: Reads records and the texts of layers; it is ``plain``.
        tolerant: Expands any document, and takes nothing for granted.
        longest: Bytes that a record may have; longer ones go the tolerant way.
        unproven: Finishes a tree in which other layers may still be shut. It takes the
            record, the tree, how many strings were decided, and whether the tree may be
            deep. None if all places of layers are below ``root``.
        find: Adds the places of a record's layers to ``root``. None if there are no others.

    Attributes:
        swift: The written function, when it has passed its trial; else None.
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
        # Expands several documents at once; and the swift function of the same places.
        self._many: Together | None = None
        self._many_of: Callable[[Any], Any] | None = None
        self.restart()
        _alive.add(self)

    def restart(self, root: SeenPlace | None = None) -> None:
        """
        Forget what was seen and written, and watch documents anew.

        Args:
            root: Replaces the place of a record; None keeps it.
        """
        self.swift: Callable[[Any], Any] | None = None
        self._candidate: Callable[[Any], Any] | None = None
        self._text = ""
        self._root = root or self._root
        self._root.forget()
        self._misses, self._every = 0, 1
        self._go_on(self._watched, WATCHED)

    def _go_on(self, stage: Callable[[Any], Any], documents: int) -> None:
        """Begin a stage, for a number of documents."""
        self._stage, self._left = stage, documents

    def renew_lock(self) -> None:
        """Replace the lock, which another thread may have held when this process was forked."""
        self._lock = threading.Lock()

    def method(self) -> Callable[[Any, Any], Any]:
        """Return a function that expands its second argument, to be bound as a method."""

        def expand(_owner: Any, document: Any) -> Any:
            swift = self.swift
            return self.expand(document) if swift is None else swift(document)

        return expand

    def expand(self, document: Any) -> Any:
        """Expand a document as the present stage does, while there is no swift function."""
        return self._stage(document)

    def expand_many(self, joined: Joined, admits: Admits | None = None) -> list[Any] | None:
        """Return the trees of several documents, or None if each has to be expanded alone."""
        swift = self.swift
        if swift is None or joined.is_longer(self._longest):
            return None
        if self._many_of is not swift:
            self._write_many(swift)
        return None if self._many is None else self._many(joined, admits)

    def missed(self, document: Any) -> Any:
        """Expand a document that the swift code missed."""
        self._misses += 1
        if self._misses % self._every == 0:
            self._watch(document)
        if self._misses >= MOST_MISSES * self._every and self.swift is not None:
            self.swift = None
            self._write()
        return self._tolerant(document)

    def _watched(self, document: Any) -> Any:
        self._left -= 1
        self._watch(document)
        if self._left <= 0:
            self._write()
        return self._tolerant(document)

    def _tried(self, document: Any) -> Any:
        candidate = self._candidate
        if candidate is None:  # another thread has begun anew
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

    def _judge(self) -> None:
        """End a trial: use the code, or drop it and leave documents alone."""
        if self._misses * 8 > PROVING:
            self.swift = self._candidate = None
            self._text = ""  # or the same code, written again, would not be built
            self._go_on(self._left_alone, self._rest)
            self._rest = min(2 * self._rest, LONGEST_REST)
        else:
            self.swift, self._misses = self._candidate, 0
            self._rest = max(self._rest // 2, SHORTEST_REST)

    def _watch(self, document: Any) -> None:
        raw = encoded(document)
        if raw is None or len(raw) > self._longest:
            return
        lock = self._lock  # a fork may replace the attribute before it is released
        if lock.acquire(blocking=False):
            try:
                with suppress(RecursionError):  # the caller has used up the stack
                    if self._find is not None:
                        self._find(raw)
                    self._root.watch_record(raw)
            finally:
                lock.release()

    def _write_many(self, swift: Callable[[Any], Any]) -> None:
        """Write the code that expands several documents at once, for what is swift now."""
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
        """Write code from what was seen, and begin its trial."""
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
