"""
Whole commands: nestdecode beside gojq, jq, node and a script that people write.

Every command opens all layers of an NDJSON file of seed-like records and writes one line for
each, to the null device. They run by turns; shown are medians. Those not found are left out.
"""

import argparse
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
from measure import save, summary
from workloads import SEED, large, lines_of, seed, seed_by_hand

MB = 10**6
NESTDECODE = str(Path(sys.executable).parent / "nestdecode")

SCRIPT = """\
import sys

import orjson

{collector}
with open(sys.argv[1], "rb") as lines:
    for line in lines:
        tree = orjson.loads(line)
        for item in tree["data"]["taskResult"]:
            wrapper = item["taskResult"] = orjson.loads(item["taskResult"])
            wrapper["usageMap"] = orjson.loads(wrapper["usageMap"])
            result = wrapper["result"] = orjson.loads(wrapper["result"])
            data = result["data"]
            data["usageMap"] = orjson.loads(data["usageMap"])
            data["structData"]["usageMap"] = orjson.loads(data["structData"]["usageMap"])
        sys.stdout.buffer.write(orjson.dumps(tree, option=orjson.OPT_APPEND_NEWLINE))
"""

JQ = """\
def opened:
  if type == "string" then
    if startswith("{") or startswith("[")
    then . as $text | (try fromjson catch null) | if . == null then $text else opened end
    else . end
  elif type == "array" then map(opened)
  elif type == "object" then %s
  else . end;
opened
"""
# What each runs fastest; jq 1.6 opens nothing inside map_values.
MEMBERS = {
    "gojq": "with_entries({key, value: (.value | opened)})",
    "jq": ". as $old | reduce keys_unsorted[] as $key (.; .[$key] = ($old[$key] | opened))",
}

NODE = """\
const fs = require("fs");
function opened(value) {
  if (typeof value === "string") {
    if (value[0] !== "{" && value[0] !== "[") return value;
    try { return opened(JSON.parse(value)); } catch { return value; }
  }
  if (value !== null && typeof value === "object") {
    for (const key in value) value[key] = opened(value[key]);
  }
  return value;
}
const input = fs.openSync(process.argv[2]), buffer = Buffer.alloc(1 << 20);
const { StringDecoder } = require("string_decoder");
const text = new StringDecoder("utf8");
let rest = "";
for (let size; (size = fs.readSync(input, buffer, 0, buffer.length)) > 0; ) {
  const lines = (rest + text.write(buffer.subarray(0, size))).split("\\n");
  rest = lines.pop();
  let out = "";
  for (const line of lines) if (line) out += JSON.stringify(opened(JSON.parse(line))) + "\\n";
  for (let left = Buffer.from(out); left.length; ) left = left.subarray(fs.writeSync(1, left));
}
"""

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


# Settings of the caller's Python would slow commands down (unbuffered output, no byte code);
# main adds a folder for byte code, which `check` fills before the clock starts.
CLEAN = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


@dataclass(frozen=True)
class Usage:
    """What one run of a command took; *peak* is that of its largest process, in bytes."""

    wall: float
    cpu: float
    peak: int


@dataclass
class Command:
    """A command and the runs of it."""

    name: str
    line: list[str]
    runs: list[Usage] = field(default_factory=list)


def run(line: list[str]) -> Usage:
    """Run a command whose output is thrown away."""
    launch = [sys.executable, "-I", "-S", "-c", LAUNCHER, *line]
    told = subprocess.run(
        launch,
        env=CLEAN,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=True,
    ).stderr.decode()
    code, wall, cpu, peak = told.splitlines()[-1].split()
    if code != "0":
        raise SystemExit(f"{line[:3]} failed with {code}:\n{told}")
    # macOS counts bytes, all others kilobytes.
    return Usage(float(wall), float(cpu), int(peak) * (1 if sys.platform == "darwin" else 1024))


def tree_peak(line: list[str]) -> int | None:
    """Return the peak memory of a command and its workers, shared pages counted once."""
    if not Path("/proc/self/smaps_rollup").exists():
        return None
    child = subprocess.Popen(line, env=CLEAN, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    most, done = 0, threading.Event()
    threading.Thread(target=lambda: (child.wait(), done.set()), daemon=True).start()
    while not done.wait(0.02):
        most = max(most, sum(map(_proportional, _family(child.pid))))
    return most


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _proportional(pid: int) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return next((int(x.split()[1]) << 10 for x in text.splitlines() if x.startswith("Pss:")), 0)


def has_jobs() -> bool:
    told = subprocess.run([NESTDECODE, "expand", "--help"], capture_output=True, check=True)
    return b"--jobs" in told.stdout


def ours(notes: list[str]) -> list[Command]:
    """Return nestdecode, automatic and told, with one job and with two."""
    spec = ["--spec", "repair-results"]
    if not has_jobs():
        notes.append("nestdecode expand has no --jobs yet: one process only")
        return [
            Command("nestdecode, automatic", [NESTDECODE, "expand"]),
            Command("nestdecode, spec", [NESTDECODE, "expand", *spec]),
        ]
    return [
        Command(f"nestdecode, {how}, {many}", [NESTDECODE, "expand", *more, "--jobs", jobs])
        for jobs, many in (("1", "one job"), ("2", "two jobs"))
        for how, more in (("automatic", []), ("spec", spec))
    ]


def scripts(folder: Path) -> list[Command]:
    """Return the hand-written script, as people write it and with its collector off."""
    made = []
    for name, collector in (
        ("hand-written script", ""),
        ("hand-written script, collector off", "import gc\n\ngc.disable()\n"),
    ):
        path = folder / f"by-hand-{len(made)}.py"
        path.write_text(SCRIPT.format(collector=collector))
        made.append(Command(name, [sys.executable, str(path)]))
    return made


def peers(folder: Path, notes: list[str]) -> list[Command]:
    """Return the other tools that this machine has."""
    script = folder / "opened.js"
    script.write_text(NODE)
    for tool, members in MEMBERS.items():
        (folder / f"opened.{tool}").write_text(JQ % members)
    found = []
    for tool, arguments in (
        ("gojq", ["-c", "-f", str(folder / "opened.gojq")]),
        ("jq", ["-c", "-f", str(folder / "opened.jq")]),
        ("node", [str(script)]),
    ):
        path = shutil.which(tool)
        if path is None:
            notes.append(f"{tool} is not on this machine")
            continue
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        version = told.stdout.split("(")[0].strip().removeprefix(tool).strip(" -v")
        found.append(Command(f"{tool} {version}", [path, *arguments]))
    return found


def write_records(path: Path, size: int) -> Path:
    """Write seed-like records of *size* bytes in all."""
    with path.open("wb") as out:
        out.writelines(lines_of(seed, size // (len(SEED) + 1)))
    return path


def check(commands: list[Command], folder: Path) -> None:
    """Make sure that every command writes what the hand-written code makes of each record."""
    sample = write_records(folder / "sample.ndjson", 3 * MB)
    wanted = [seed_by_hand(line) for line in sample.read_bytes().splitlines()]
    for command in commands:
        told = subprocess.run(
            [*command.line, str(sample)], env=CLEAN, capture_output=True, check=True
        )
        if [orjson.loads(line) for line in told.stdout.splitlines()] != wanted:
            raise SystemExit(f"{command.name}: not the output of the hand-written code")


def timed(commands: list[Command], file: Path, rounds: int, title: str) -> list[dict[str, Any]]:
    """Run the commands by turns and tabulate them."""
    for number in range(rounds):
        for command in commands:
            say(f"round {number + 1} of {rounds}: {command.name}")
            command.runs.append(run([*command.line, str(file)]))
    say("")
    size = file.stat().st_size
    first = next(c for c in commands if c.name == "hand-written script").runs
    print(f"\n{title}, {size / MB:.0f} MB, medians of {rounds}")
    print(f"{'':36}{'wall s':>8}{'CPU s':>8}{'MB/s':>7}{'peak MB':>9}{'by hand = 1':>13}")
    rows = []
    for command in commands:
        wall = summary([one.wall for one in command.runs])
        ratio = summary(
            [one.wall / base.wall for one, base in zip(command.runs, first, strict=True)]
        )
        row = {
            "command": command.name,
            "wall": wall,
            "walls": [round(one.wall, 3) for one in command.runs],
            "cpu": statistics.median(one.cpu for one in command.runs),
            "mb_s": size / MB / wall["median"],
            "peak_mb": max(one.peak for one in command.runs) / MB,
            "ratio": ratio,
        }
        rows.append({k: round(v, 3) if isinstance(v, float) else v for k, v in row.items()})
        print(
            f"{command.name:36}{wall['median']:8.2f}{row['cpu']:8.2f}{row['mb_s']:7.1f}"
            f"{row['peak_mb']:9.0f}{ratio['median']:13.2f}"
        )
    return rows


def say(message: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{message}", end="", file=sys.stderr, flush=True)


def started(file: Path, rounds: int) -> dict[str, Any]:
    """Compare the start-up with that of the two imports that it needs."""
    lines = {
        "ours": [NESTDECODE, "expand", str(file)],
        "imports": [sys.executable, "-c", "import orjson, click"],
        "python": [sys.executable, "-c", "pass"],
    }
    runs: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, line in lines.items():
            runs[name].append(run(line).wall * 1000)
    ratio = summary([a / b for a, b in zip(runs["ours"], runs["imports"], strict=True)])
    result = {f"{name}_ms": summary(times, 2) for name, times in runs.items()} | {"ratio": ratio}
    print(
        f"\nstart-up: nestdecode expand FILE {result['ours_ms']['median']:.0f} ms,"
        f" python -c 'import orjson, click' {result['imports_ms']['median']:.0f} ms,"
        f" bare python {result['python_ms']['median']:.0f} ms; ratio {ratio['median']:.2f}"
    )
    return result


# Each reads the file and holds the tree that comes of it.
TREES = {
    "orjson.loads": "import orjson as o; tree = o.loads(open(F, 'rb').read())",
    "orjson.loads, dumps": "import orjson as o; out = o.dumps(o.loads(open(F, 'rb').read()))",
    "Decoder(spec).expand": "import nestdecode as n; s = n.Spec.parse(S); "
    "tree = n.Decoder(s).expand(open(F, 'rb').read())",
    "Decoder().expand": "import nestdecode as n; tree = n.Decoder().expand(open(F, 'rb').read())",
}
LARGE_SPEC = "{nestdecode: 1, layers: {'items[].note': json}}"


def peaks(folder: Path, size: int) -> list[dict[str, Any]]:
    """Measure the peak memory on one large document beside orjson's own."""
    file, spec = folder / "large.json", folder / "large.yaml"
    file.write_bytes(large(random.Random(3), size // 18))
    spec.write_text(LARGE_SPEC)
    lines = {
        name: [sys.executable, "-c", f"F, S = {str(file)!r}, {LARGE_SPEC!r}; {code}"]
        for name, code in TREES.items()
    }
    lines["nestdecode expand --spec"] = [NESTDECODE, "expand", "-s", str(spec), str(file)]
    lines["nestdecode expand"] = [NESTDECODE, "expand", str(file)]
    found = {name: run(line).peak / MB for name, line in lines.items()}
    print(f"\npeak memory on one document of {file.stat().st_size / MB:.0f} MB")
    for name, peak in found.items():
        print(f"{name:36}{peak:8.0f} MB{peak / found['orjson.loads']:7.2f}")
    return [
        {"what": name, "mb": round(peak, 1), "ratio": round(peak / found["orjson.loads"], 3)}
        for name, peak in found.items()
    ]


def stream_peaks(commands: list[Command], file: Path) -> list[dict[str, Any]]:
    """Measure the peak memory on a long stream, workers and all."""
    print(f"\npeak memory on {file.stat().st_size / MB:.0f} MB of NDJSON, workers counted in")
    rows = []
    for command in commands:
        peak = tree_peak([*command.line, str(file)])
        rows.append({"command": command.name, "mb": None if peak is None else round(peak / MB, 1)})
        print(f"{command.name:36}{'-' if peak is None else f'{peak / MB:.0f} MB':>11}")
    return rows


def promised(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Hold what was measured against what was promised; leave out what was not measured."""
    short, long = (
        {row["command"]: row["walls"] for row in result.get(key, [])}
        for key in ("commands", "long")
    )
    gojq = next((name for name in short if name.startswith("gojq")), "")
    one, two = "nestdecode, automatic, one job", "nestdecode, automatic, two jobs"
    told, by_hand = "nestdecode, spec, one job", "hand-written script"
    memory = {row["command"]: row["mb"] for row in result.get("memory", [])}
    document = {row["what"]: row["ratio"] for row in result["document"]}

    def over(times: dict[str, list[float]], above: str, below: str) -> float | None:
        if not (times.get(above) and times.get(below)):
            return None
        pairs = zip(times[above], times[below], strict=True)
        return statistics.median(a / b for a, b in pairs)

    rows: list[tuple[str, float | None, str, float, float | None]] = [
        ("`expand`, one job / script by hand", over(long, one, by_hand), "at most", 1.35, 0.9),
        (
            "`expand --spec`, one job / script by hand",
            over(long, told, by_hand),
            "at most",
            1.2,
            0.9,
        ),
        ("two jobs / one job", over(long, two, one), "at most", 0.65, 0.55),
        ("gojq / `expand`, one job", over(short, gojq, one), "at least", 8, None),
        ("start-up / the two imports", result["start"]["ratio"]["median"], "at most", 1.5, 1.2),
        ("peak memory of a stream, one job, MB", memory.get(one), "at most", 120, None),
        ("peak memory of a stream, two jobs, MB", memory.get(two), "at most", 300, None),
        ("`Decoder().expand`, peak / orjson", document["Decoder().expand"], "at most", 1.15, None),
        ("with a spec, peak / orjson", document["Decoder(spec).expand"], "at most", 1.15, None),
    ]
    names = ("row", "value", "bound", "limit", "aim")
    found = [dict(zip(names, row, strict=True)) for row in rows if row[1] is not None]
    print(f"\n{'promised':44}{'measured':>9}{'bound':>14}{'aim':>6}")
    for row in found:
        missed = (row["value"] > row["limit"]) == (row["bound"] == "at most")
        print(
            f"{row['row'].replace('`', ''):44}{row['value']:9.2f}"
            f"{row['bound'] + ' ' + format(row['limit'], 'g'):>14}{row['aim'] or '-':>6}"
            f"{'  missed' if missed else ''}"
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole commands beside their peers.")
    parser.add_argument("--size", type=int, default=45, help="MB for all commands")
    parser.add_argument("--long", type=int, default=180, help="MB for nestdecode and the script")
    parser.add_argument("--memory", type=int, default=360, help="MB for the peak of a stream")
    parser.add_argument("--document", type=int, default=40, help="MB of the one large document")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4 MB and two rounds of each")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.quick:
        options.size, options.long, options.memory, options.rounds = 4, 0, 8, 2
        options.document = 4
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        CLEAN["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        result = compare(options, folder, notes)
    for note in notes:
        print(f"note: {note}")
    save(options.results, "compare", result | {"notes": notes})


def compare(options: Any, folder: Path, notes: list[str]) -> dict[str, Any]:
    own = ours(notes) + scripts(folder)
    commands = own + peers(folder, notes)
    check(commands, folder)
    result: dict[str, Any] = {"rounds": options.rounds}
    file = write_records(folder / "records.ndjson", options.size * MB)
    result["size_mb"] = options.size
    result["commands"] = timed(commands, file, options.rounds, "every command")
    if options.long:
        write_records(file, options.long * MB)
        result["long_mb"] = options.long
        result["long"] = timed(
            [Command(one.name, one.line) for one in own],
            file,
            options.rounds,
            "a longer stream",
        )
    one = folder / "one.json"
    one.write_bytes(SEED)
    result["start"] = started(one, 5 if options.quick else 31)
    if options.memory:
        write_records(file, options.memory * MB)
        result["memory_mb"] = options.memory
        automatic = [command for command in ours([]) if "automatic" in command.name]
        result["memory"] = stream_peaks(automatic, file)
    result["document"] = peaks(folder, options.document * MB)
    result["promised"] = promised(result)
    return result


if __name__ == "__main__":
    main()
