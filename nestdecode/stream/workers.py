"""
Worker processes that take tasks in turn, and return results in the order of the tasks.

Workers are forked. They start in a millisecond, with everything that has been compiled and
learnt; a fresh interpreter would import for a tenth of a second, and need all of that pickled.
Fork is safe because the process has one thread. With several threads, or without fork
(Windows), there are no workers: see ``can_fork``.

Output travels through memory that the parent shares with each worker; only short messages go
through pipes. So a worker cannot block another one, and the parent listens to one at a time,
the one whose task comes next.
"""

from __future__ import annotations

import mmap
import os
import pickle
import signal
import struct
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NoReturn

from nestdecode.errors import WorkerError

__all__ = ["Result", "Work", "Workers", "can_fork", "cores"]

# A part of the output of a task, and its report.
Result = tuple["bytes | memoryview", Any]
# From a task to its results.
Work = Callable[[Any], Iterator[Result]]

# The shared memory of one worker: bytes of a slot, and slots. Each holds one result.
SLOT = 4 << 20
SLOTS = 4
_SIZE = struct.Struct("=Q")
_STOPPING = {
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
}
_OUT_OF_MEMORY = 12  # as ENOMEM


def can_fork() -> bool:
    """
    Return whether workers can be forked.

    Not if there are several threads: a lock that another one holds stays locked in the child.
    """
    return hasattr(os, "fork") and threading.active_count() == 1


def cores() -> int:
    """Return the number of processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Workers:
    """
    Processes that do *work*: a context manager that ends them all.

    Args:
        count: The number of processes. Each is started for its first task.
        work: From a task to its results. It runs in the workers.
        ahead: Tasks that a worker may have at once. More than one only if tasks are short
            messages: a worker does not read them while it works.

    Raises:
        WorkerError: From ``submit`` and ``collect``, if a worker can't be started, or dies.
    """

    def __init__(self, count: int, work: Work, ahead: int = 1) -> None:
        self._count = count
        self._work = work
        self._ahead = ahead
        self._workers: list[_Worker] = []
        self._busy: deque[_Worker] = deque()
        self._turn = 0

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.end()

    @property
    def full(self) -> bool:
        """Whether the next task must wait until one is collected."""
        return len(self._busy) >= self._count * self._ahead

    @property
    def busy(self) -> bool:
        """Whether there is anything to collect."""
        return bool(self._busy)

    def submit(self, task: Any) -> None:
        """Give a task to the worker whose turn it is. Do not call it while ``full``."""
        if len(self._workers) < self._count:
            self._workers.append(_Worker(len(self._workers) + 1, self._work, self._workers))
        worker = self._workers[self._turn]
        self._turn = (self._turn + 1) % self._count
        worker.give(task)
        self._busy.append(worker)

    def collect(self) -> Iterator[Result]:
        """Yield the results of the oldest task. The output of each is valid until the next."""
        worker = self._busy[0]
        yield from worker.results()
        self._busy.popleft()

    @property
    def next_answer(self) -> int:
        """The descriptor that is readable when the oldest task has a result."""
        return self._busy[0].answers


class _Worker:
    """One process, seen from its parent."""

    def __init__(self, number: int, work: Work, others: list[_Worker]) -> None:
        self._number = number
        self._code: int | None = None
        pipes: list[int] = []
        missing = "shared memory"
        try:
            self._memory = mmap.mmap(-1, SLOT * SLOTS)
            missing = "pipes"
            for _ in range(3):
                pipes += os.pipe()
            their_tasks, self._tasks, self.answers, their_answers, their_leave, self._leave = pipes
            missing = "process"
            self._fork(work, (their_tasks, their_answers, their_leave), others)
        except OSError as error:
            reason = error.strerror or str(error)
        else:
            for descriptor in (their_tasks, their_answers, their_leave):
                os.close(descriptor)
            return
        for descriptor in pipes:
            os.close(descriptor)
        raise WorkerError(f"no worker can be started: no {missing}: {reason}")

    def _fork(self, work: Work, ends: tuple[int, int, int], others: list[_Worker]) -> None:
        # Blocked: a signal must not reach the child while it runs the parent's code.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOPPING)
        try:
            self._pid = os.fork()
            if not self._pid:
                # An end that stays open in the child would hide from the others that it closed.
                not_mine = [end for worker in (*others, self) for end in worker._ends()]
                _serve(work, self._memory, ends, not_mine)
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)

    def give(self, task: Any) -> None:
        """Send a task."""
        try:
            _send(self._tasks, task)
        except BrokenPipeError:
            self._died()

    def results(self) -> Iterator[Result]:
        """Yield the results of the oldest task that was sent."""
        memory = memoryview(self._memory)
        while True:
            try:
                message = _receive(self.answers)
            except EOFError:
                self._died()
            if message is None:
                return
            slot, output, report = message
            if slot is None:
                yield output, report
                continue
            start = slot * SLOT
            yield memory[start : start + output], report
            try:
                os.write(self._leave, b"+")
            except BrokenPipeError:
                self._died()

    def end(self) -> None:
        """Kill the process if it still runs, and wait for its end."""
        for descriptor in self._ends():
            os.close(descriptor)
        if self._code is None:
            os.kill(self._pid, signal.SIGKILL)
            self._wait()

    def _wait(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
        return self._code

    def _ends(self) -> tuple[int, ...]:
        return self._tasks, self.answers, self._leave

    def _died(self) -> NoReturn:
        code = self._wait()
        how = f"was killed by {_signal_name(-code)}" if code < 0 else f"exited with {code}"
        if code == _OUT_OF_MEMORY:
            how = "ran out of memory"
        # Without a cause: the closed pipe is only how it was noticed.
        raise WorkerError(f"worker {self._number} (process {self._pid}) {how}") from None


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _serve(
    work: Work, memory: mmap.mmap, ends: tuple[int, int, int], not_mine: list[int]
) -> NoReturn:
    """Work until the parent closes its pipes; never return to the code that forked."""
    code = 1
    try:
        # A signal to a group of processes reaches each of them; only the parent acts on it.
        for number in _STOPPING:
            signal.signal(number, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOPPING)
        for descriptor in not_mine:
            os.close(descriptor)
        _work_on(work, memory, *ends)
    except (EOFError, BrokenPipeError):
        code = 0
    except (MemoryError, SystemError):  # orjson raises the latter
        code = _OUT_OF_MEMORY
    except BaseException:  # noqa: BLE001 - printed, then the process ends
        import traceback

        traceback.print_exc()
    finally:
        os._exit(code)


def _work_on(work: Work, memory: mmap.mmap, tasks: int, answers: int, leave: int) -> NoReturn:
    slot = 0
    free = SLOTS
    while True:
        for output, report in work(_receive(tasks)):
            if not output or len(output) > SLOT:
                _send(answers, (None, bytes(output), report))
                continue
            if not free:
                free = len(os.read(leave, SLOTS))
                if not free:
                    raise EOFError
            memory[slot * SLOT : slot * SLOT + len(output)] = bytes(output)
            free -= 1
            _send(answers, (slot, len(output), report))
            slot = (slot + 1) % SLOTS
        _send(answers, None)


def _send(descriptor: int, message: Any) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    left = memoryview(_SIZE.pack(len(data)) + data)
    while left:
        left = left[os.write(descriptor, left) :]


def _receive(descriptor: int) -> Any:
    (size,) = _SIZE.unpack(_read_exactly(descriptor, _SIZE.size))
    return pickle.loads(_read_exactly(descriptor, size))


def _read_exactly(descriptor: int, size: int) -> bytes:
    pieces = []
    while size:
        piece = os.read(descriptor, min(size, 1 << 20))
        if not piece:
            raise EOFError
        pieces.append(piece)
        size -= len(piece)
    return b"".join(pieces)
