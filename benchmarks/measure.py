"""Timing by turns, and what a figure needs beside it to mean anything."""

import gc
import importlib.metadata
import json
import math
import os
import platform
import statistics
import subprocess
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
LIBRARIES = ("nestdecode", "orjson", "stringzilla", "jmespath", "click", "pyyaml")


def environment() -> dict[str, Any]:
    """Return the commit, the machine and the versions that belong to every result."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "commit": _commit(),
        "cpu": _cpu(),
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
        text = Path("/proc/cpuinfo").read_text()
        names = [
            line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line
        ]
        return f"{names[0]}, {os.cpu_count()} cores"
    except (OSError, IndexError):
        return platform.processor() or platform.machine()


def summary(values: Sequence[float], digits: int = 4) -> dict[str, Any]:
    """Return median, quartiles and number of some values."""
    low, median, high = (
        statistics.quantiles(values, n=4, method="inclusive") if len(values) > 1 else [*values] * 3
    )
    return {
        "median": round(median, digits),
        "low": round(low, digits),
        "high": round(high, digits),
        "rounds": len(values),
    }


def by_turns(
    runs: dict[str, Callable[[], object]], rounds: int, seconds: float = 0.01
) -> dict[str, list[float]]:
    """
    Time each run in each round: A B A B, so that the machine's mood strikes all alike.

    A run is repeated within its turn until the fastest fills *seconds*. The cyclic collector
    is off while it is timed, and runs between the rounds.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        once = min(min(_time(run, 1) for _ in range(3)) for run in runs.values())
        repeat = max(1, math.ceil(seconds / once))
        times: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(rounds):
            for name, run in runs.items():
                times[name].append(_time(run, repeat))
            gc.collect()
    finally:
        if collecting:
            gc.enable()
    return times


def _time(run: Callable[[], object], repeat: int) -> float:
    start = time.perf_counter()
    for _ in range(repeat):
        run()
    return (time.perf_counter() - start) / repeat


def save(folder: Path, name: str, result: dict[str, Any]) -> None:
    """Write a result, beside where and with what it was measured."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(environment() | result, indent=1, ensure_ascii=False)
    (folder / f"{name}.json").write_text(text + "\n")
