"""Whole processes: their CPU time and memory, and a bare environment to run them in."""

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from documents import SEED, lines_of, seed
from measure import ROOT
from packaging.requirements import Requirement

MB = 10**6

# Linux counts what a process was before exec into its peak, so commands are started by
# an interpreter that has nothing loaded; 9 MB is the least that it can see.
LAUNCHER = """\
import os, sys, time
start = time.perf_counter()
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
wall = time.perf_counter() - start
print(os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime,
      usage.ru_maxrss, file=sys.stderr)
"""

# Settings of the caller's Python would slow commands down: unbuffered output, no byte code.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@dataclass(frozen=True)
class Usage:
    """Time in seconds, and peak memory of the largest process in bytes, of one command."""

    wall: float
    cpu: float
    peak: int


def run(line: list[str]) -> Usage:
    """Run a command, discard its output, and return its usage."""
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *line]
    stderr = subprocess.run(
        launch,
        env=CLEAN,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    ).stderr.decode()
    code, wall, cpu, peak = stderr.splitlines()[-1].split()
    if code != "0":
        raise SystemExit(f"{line[:3]} failed with {code}:\n{stderr}")
    # macOS counts bytes, all others kilobytes.
    return Usage(float(wall), float(cpu), int(peak) * (1 if sys.platform == "darwin" else 1024))


def output(line: list[str]) -> bytes:
    """Return the standard output of a command."""
    return subprocess.run(line, env=CLEAN, stdout=subprocess.PIPE, check=True).stdout


def write_records(path: Path, size: int) -> Path:
    """Write about *size* bytes of records like the repair-results response; return the path."""
    with path.open("wb") as out:
        out.writelines(lines_of(seed, size // (len(SEED) + 1)))
    return path


@dataclass(frozen=True)
class Bare:
    """An environment that holds nestdecode, what it requires and nothing else."""

    python: str
    nestdecode: str


def bare(folder: Path) -> Bare:
    """Yield a bare environment: the wheel is built, its requirements are copied from this one."""
    quietly = {"check": True, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder)]
    subprocess.run([*build, str(ROOT)], **quietly)
    place = folder / "bare"
    venv.create(place, symlinks=True)
    python = str(place / "bin/python")
    install = [sys.executable, "-m", "pip", "--python", python, "install", "--no-index"]
    quiet = ["--no-deps", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*install, *quiet, *map(str, folder.glob("*.whl"))], **quietly)
    site = Path(sysconfig.get_path("purelib", "venv", {"base": str(place)}))
    for distribution in _required("nestdecode"):
        for file in distribution.files or []:
            if file.parts[0] == "..":
                continue
            target = site / file
            target.parent.mkdir(parents=True, exist_ok=True)
            # With its times: byte code is good for a source of the same age alone.
            shutil.copy2(file.locate(), target)
    return Bare(python, str(place / "bin/nestdecode"))


def _required(name: str) -> Iterator[importlib.metadata.Distribution]:
    for text in importlib.metadata.requires(name) or []:
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield importlib.metadata.distribution(requirement.name)
            yield from _required(requirement.name)
