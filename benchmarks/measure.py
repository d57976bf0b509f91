"""Times of functions taken by turns, and the versions and hardware that belong to them."""

import gc
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import stringzilla

ROOT = Path(__file__).parent.parent
LIBRARIES = ("nestdecode", "orjson", "msgspec", "stringzilla", "jmespath", "click", "pyyaml")


def environment() -> dict[str, Any]:
    """Return the commit, the machine and the versions: the provenance of a result."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "cpu": _cpu(),
        # Slowest first: StringZilla takes the last that it has for what it is asked.
        "kernels": list(stringzilla.__capabilities__),
        # The cores that were busy in the last minute: this measurement's own, and others.
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "system": f"{platform.system()} {platform.machine()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "versions": {name: _version(name) for name in LIBRARIES},
    }


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _commit() -> str:
    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", "nestdecode", "specs")
        return git("rev-parse", "--short", "HEAD") + (" and changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _cpu() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text().partition("\n\n")[0]
    except OSError:
        return platform.processor() or platform.machine()
    facts = {
        name.strip(): value.strip()
        for name, _, value in (line.partition(":") for line in text.splitlines())
    }
    name = facts.get("model name") or platform.machine()
    # Cloud machines call every generation by one name.
    numbers = "".join(f", {key} {facts[key]}" for key in ("cpu family", "model") if key in facts)
    return f"{name} ({os.cpu_count()} cores{numbers})"


def summary(values: Sequence[float], digits: int = 4) -> dict[str, Any]:
    """Return the median, the quartiles and the number of values."""
    low, median, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    )
    return {
        "median": round(median, digits),
        "low": round(low, digits),
        "high": round(high, digits),
        "rounds": len(values),
    }


@dataclass(frozen=True)
class Run:
    """
    Calls of one function, one for each of its inputs.

    *inputs* makes them anew, outside of the clock, where the function may change them.
    """

    call: Callable[[Any], object]
    inputs: Callable[[], Iterable[Any]]

    def time(self, repeat: int) -> float:
        """Return the CPU time of this thread for all inputs, in seconds."""
        batches = [[*self.inputs()] for _ in range(repeat)]
        call = self.call
        start = time.thread_time_ns()
        for batch in batches:
            for one in batch:
                call(one)
            # Whoever changed an input filled it: throwing that away belongs to the price.
            batch.clear()
        return (time.thread_time_ns() - start) / repeat / 1e9


def by_turns(
    runs: dict[str, Run], rounds: int, seconds: float = 0.003, budget: float = 10
) -> dict[str, list[float]]:
    """
    Time each run in each round: A B, B A, ... so that the machine's mood strikes all alike.

    A run is repeated within its turn until it fills *seconds*. There are fewer rounds, but at
    least 11, where all of them would take more than *budget*. The cyclic collector is off while
    a run is timed, and runs between the rounds.
    """
    collecting = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        once = {name: min(run.time(1) for _ in range(3)) for name, run in runs.items()}
        repeat = {name: max(1, math.ceil(seconds / spent)) for name, spent in once.items()}
        turn = sum(once[name] * repeat[name] for name in runs)
        rounds = min(rounds, max(11, int(budget / turn)))
        times: dict[str, list[float]] = {name: [] for name in runs}
        for number in range(rounds):
            for name in reversed(runs) if number % 2 else runs:
                times[name].append(runs[name].time(repeat[name]))
            if number % 16 == 15 or turn > 0.1:
                gc.collect()
    finally:
        if collecting:
            gc.enable()
    return times


def save(folder: Path, name: str, result: dict[str, Any]) -> None:
    """Write a result with its provenance to ``NAME.json`` of a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(environment() | result, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n")
