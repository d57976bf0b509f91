"""
The command in processes of their own that take milliseconds to start: `run` and `start`.

Each is forked from one that has imported all commands. What only a whole start shows stays with
tests that call ``python -m nestdecode``: what is imported and when, variables that Python itself
obeys, signals, memory.
"""

import atexit
import gc
import importlib
import os
import pickle
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from nestdecode import Decoder
from nestdecode.cli import cli, main

PATIENCE = 200


def run(
    *arguments: str | bytes | Path,
    stdin: bytes | int = b"",
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[bytes]:
    """
    Run a command; its streams are pipes.

    Args:
        arguments: Its words.
        stdin: What it reads; or the descriptor that it reads from.
        cwd: The folder it runs in.
        env: All variables of its environment.
    """
    (theirs, ours), (out, their_out), (err, their_err) = (os.pipe() for _ in range(3))
    given = theirs if isinstance(stdin, bytes) else stdin
    child = start(*arguments, streams=(given, their_out, their_err), cwd=cwd, env=env)
    for descriptor in (theirs, their_out, their_err):
        os.close(descriptor)
    with ThreadPoolExecutor(3) as threads:
        threads.submit(_feed, ours, stdin if isinstance(stdin, bytes) else b"")
        said = [threads.submit(_read, descriptor) for descriptor in (out, err)]
        code = child.wait()
    return subprocess.CompletedProcess(arguments, code, *(each.result() for each in said))


def start(
    *arguments: str | bytes | Path,
    streams: tuple[int, int, int],
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> "Parent":
    """Start a command with three descriptors as its streams: `Parent.wait` has to be called."""
    parent = _parent()
    words = [os.fsdecode(argument) for argument in arguments]
    parent.start((words, str(cwd or Path.cwd()), dict(os.environ if env is None else env)), streams)
    return parent


def _feed(descriptor: int, text: bytes) -> None:
    with suppress(BrokenPipeError), open(descriptor, "wb", buffering=0) as file:
        left = memoryview(text)
        while left:
            left = left[file.write(left) :]


def _read(descriptor: int) -> bytes:
    with open(descriptor, "rb") as file:
        return file.read()


class Parent:
    """The process that the others are forked from, one at a time."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair()
        self._socket.settimeout(PATIENCE)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.command", str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                pass_fds=[theirs.fileno()],
                cwd=Path(__file__).parent.parent,
                start_new_session=True,
            )

    def start(self, request: Any, streams: tuple[int, int, int]) -> None:
        """Start a command."""
        text = pickle.dumps(request)
        socket.send_fds(self._socket, [len(text).to_bytes(8, "big")], streams)
        self._socket.sendall(text)

    def wait(self) -> int:
        """Wait until the command ends; return its exit code, or the negative of a signal."""
        try:
            return os.waitstatus_to_exitcode(int.from_bytes(self._socket.recv(8), "big"))
        except BaseException:  # too late, or interrupted: it still runs
            self.end()
            raise

    def end(self) -> None:
        """End it with its command; the next command gets a new one."""
        _parent.cache_clear()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._socket.close()


@cache
def _parent() -> Parent:
    parent = Parent()
    atexit.register(parent.end)
    return parent


def _serve(requests: socket.socket) -> None:
    for name in cli.list_commands(None):  # type: ignore[arg-type] # it looks at no context
        importlib.import_module(f"nestdecode.cli.{name}")
    Decoder("repair-results").query("a", "{}")  # and what specs and queries import late
    gc.freeze()
    while True:
        size, streams, _, _ = socket.recv_fds(requests, 8, 3)
        if not size:
            return
        text = requests.recv(int.from_bytes(size, "big"), socket.MSG_WAITALL)
        child = os.fork()
        if not child:
            requests.close()
            _become(streams, *pickle.loads(text))
        for descriptor in streams:
            os.close(descriptor)
        requests.sendall(os.waitpid(child, 0)[1].to_bytes(8, "big"))


def _become(streams: list[int], words: list[str], cwd: str, env: dict[str, str]) -> None:
    """Run a command as the process that it would be, and end."""
    for number, descriptor in enumerate(streams):
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdout.reconfigure(line_buffering=sys.stdout.isatty())  # type: ignore[union-attr]
    os.environ.clear()
    os.environ.update(env)
    os.chdir(cwd)
    try:
        main(words)
    except SystemExit as end:
        sys.stdout.flush()
        os._exit(end.code)  # type: ignore[arg-type]


if __name__ == "__main__":
    _serve(socket.socket(fileno=int(sys.argv[1])))
