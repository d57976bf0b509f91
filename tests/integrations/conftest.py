"""Hosts, started by the tests: each in a folder and a session of its own, on loopback."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

# With this, what is not installed makes a test fail, not skip.
ALL = os.environ.get("NESTDECODE_HOSTS") == "all"
# Layered, plain, broken, and with an integer beyond 64 bits.
LINES = [
    rb'{"id":"1","body":"{\"a\":\"[1,2]\"}"}',
    b"plain",
    b'{"broken": ',
    rb'{"big":"{\"n\":18446744073709551617}"}',
]


def need(*programs):
    """Skip, or fail, if a program is not installed."""
    missing = [
        program for program in programs if not shutil.which(program) and not Path(program).exists()
    ]
    if missing:
        (pytest.fail if ALL else pytest.skip)(f"not installed: {', '.join(missing)}")


def need_module(name):
    """Import a package; skip, or fail, if it is not installed."""
    return __import__(name, fromlist=["*"]) if ALL else pytest.importorskip(name)


def free_port():
    """Return a port of loopback that nothing listens on."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Host:
    """A program that runs until the test ends."""

    def __init__(self, command, folder, **options):
        self.folder = folder
        with (folder / "log").open("wb") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                start_new_session=True, cwd=folder, **options,
            )  # fmt: skip

    def until(self, what, seconds=20):
        """Wait until a function returns something true, and return that."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise AssertionError(f"exit {self.process.returncode}: {self.said()}")
            try:
                found = what()
            except OSError:
                found = None
            if found:
                return found
            time.sleep(0.02)
        raise AssertionError(f"nothing in {seconds} s: {self.said()}")

    def lines(self, path, number, seconds=20):
        """Wait until a file has so many lines, and return them."""

        def read():
            lines = path.read_bytes().splitlines()
            return lines if len(lines) >= number else None

        return self.until(read, seconds)

    def listens(self, port):
        """Wait until a port is open."""

        def connect():
            with socket.create_connection(("127.0.0.1", port)):
                return True

        self.until(connect)

    def said(self):
        """Return the end of what it wrote."""
        return (self.folder / "log").read_text(errors="replace")[-2000:]

    def stop(self):
        """End it, and whatever it started."""
        if self.process.poll() is None:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(5)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a host; it is stopped at the end."""
    hosts = []

    def run(command, folder=tmp_path, **options):
        hosts.append(Host(list(map(str, command)), folder, **options))
        return hosts[-1]

    yield run
    for host in reversed(hosts):
        host.stop()


def send(port, lines):
    """Send lines as syslog messages of RFC 3164 by TCP."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(
            b"".join(b"<13>Nov 25 10:00:00 host app: " + line + b"\n" for line in lines)
        )
