"""The promised figures of whole commands: CPU time, start-up time and memory."""

import random
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
from documents import SEED, large
from measure import summary
from processes import MB, Bare, Usage, bare, output, run, write_records

SCRIPTS = Path(__file__).parent / "scripts"
SPEC = ["-s", "repair-results"]
QUERY = "structData.data[]"
LARGE_SPEC = "{nestdecode: 1, layers: {'items[].note': json}}"
# The output is thrown away, as that of the commands is.
EXPAND_FILE = "import sys, nestdecode; nestdecode.expand_file(sys.argv[1], '/dev/stdout', jobs=1)"

# Each reads the file and holds the tree that comes of it.
TREES = {
    "orjson": "import orjson as o; tree = o.loads(open(F, 'rb').read())",
    "spec": "import nestdecode as n; s = n.Spec.parse(S); "
    "tree = n.Decoder(s).expand(open(F, 'rb').read())",
    "found": "import nestdecode as n; tree = n.Decoder().expand(open(F, 'rb').read())",
}

Result = dict[str, Any]
Runs = dict[str, list[Usage]]


def sources() -> dict[str, str]:
    """Return the source of the scripts that commands are compared with."""
    return {name: (SCRIPTS / name).read_text() for name in ("expand.py", "query.py")}


def measured(*, quick: bool) -> dict[str, list[Result]]:
    """Return the rows of each group."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        place = bare(folder)
        lines = commands(place)
        check(lines, folder)
        size = 4 if quick else 180
        file = write_records(folder / "records.ndjson", size * MB)
        runs = by_turns({of: [*line, str(file)] for of, line in lines.items()}, 2 if quick else 5)
        waited = there_and_back(place, 200 if quick else 2000)
        started = by_turns(starts(place, folder), 5 if quick else 41)
        held = by_turns(trees(place, folder, (4 if quick else 40) * MB), 1)
    return {
        "Commands": [*costs(runs, f"{size} MB"), waited, start_up(started)],
        "Memory": [*peaks(runs, f"{size} MB"), *document(held)],
    }


def commands(place: Bare) -> dict[str, list[str]]:
    """Return the commands that read a file of records, whose name is to be added."""
    expand = [place.nestdecode, "expand", "-j", "1"]
    query = [place.nestdecode, "query", "-j", "1"]
    return {
        "expand.py": [place.python, str(SCRIPTS / "expand.py")],
        "query.py": [place.python, str(SCRIPTS / "query.py")],
        "expand": expand,
        "expand -s": [*expand, *SPEC],
        "expand --numbers exact": [*expand, "--numbers", "exact"],
        "query": [*query, QUERY],
        "query -s": [*query, *SPEC, QUERY],
        "two jobs": [place.nestdecode, "expand", "-j", "2"],
        # It reads standard input.
        "filter": ["/bin/sh", "-c", f'exec {place.nestdecode} filter < "$0"'],
        "expand_file": [place.python, "-c", EXPAND_FILE],
    }


def check(lines: dict[str, list[str]], folder: Path) -> None:
    """Exit unless all commands that answer one question write the same JSON."""
    sample = str(write_records(folder / "sample.ndjson", 3 * MB))
    wanted: dict[str, list[Any]] = {}
    for name, line in lines.items():
        found = [orjson.loads(text) for text in output([*line, sample]).splitlines()]
        if found != wanted.setdefault("query" if "query" in name else "expand", found):
            raise SystemExit(f"{name}: not the output of the script by hand")


def starts(place: Bare, folder: Path) -> dict[str, list[str]]:
    one = folder / "one.json"
    one.write_bytes(SEED)
    return {
        "ours": [place.nestdecode, "expand", str(one)],
        "imports": [place.python, "-c", "import orjson, click"],
    }


def trees(place: Bare, folder: Path, size: int) -> dict[str, list[str]]:
    file = folder / "large.json"
    file.write_bytes(large(random.Random(3), size // 18))
    lines = {
        name: [place.python, "-c", f"F, S = {str(file)!r}, {LARGE_SPEC!r}; {code}"]
        for name, code in TREES.items()
    }
    return lines | {"command": [place.nestdecode, "expand", str(file)]}


def by_turns(lines: dict[str, list[str]], rounds: int) -> Runs:
    runs: Runs = {name: [] for name in lines}
    for number in range(rounds):
        for name in reversed(lines) if number % 2 else lines:
            runs[name].append(run(lines[name]))
    return runs


def cpu(usage: Usage) -> float:
    return usage.cpu


def wall(usage: Usage) -> float:
    return usage.wall


def over(
    name: str,
    runs: Runs,
    ours: str,
    theirs: str,
    most: float | None,
    aim: float | None,
    of: Callable[[Usage], float] = cpu,
) -> Result:
    """Return the row that compares two commands."""
    pairs = [(of(a), of(b)) for a, b in zip(runs[ours], runs[theirs], strict=True)]
    return {
        "row": name,
        "ratio": summary([a / b for a, b in pairs]),
        "most": most,
        "aim": aim,
        "ours_ns": round(summary([a for a, _ in pairs])["median"] * 1e9),
        "theirs_ns": round(summary([b for _, b in pairs])["median"] * 1e9),
        "by_hand": theirs if theirs.endswith(".py") else None,
    }


def costs(runs: Runs, size: str) -> list[Result]:
    """Return the rows of the commands that read *size* bytes of records."""
    rows = [
        over(f"`{ours}`, one job, {size}, CPU / {theirs}", runs, ours, theirs, most, aim)
        for ours, theirs, most, aim in (
            ("expand", "expand.py", 0.95, 0.85),
            ("expand -s", "expand.py", 0.95, 0.85),
            ("query", "query.py", 1.0, 0.85),
            ("query -s", "query.py", 1.0, 0.85),
            ("expand --numbers exact", "expand.py", None, None),
        )
    ]
    rows.append(
        over("`expand`, two jobs / one job, wall", runs, "two jobs", "expand", 0.6, 0.55, wall)
    )
    name = "`nestdecode.expand_file` / `expand`, one job, CPU"
    rows.append(over(name, runs, "expand_file", "expand", 1.02, None))
    rows.append(over("`filter` / `expand`, one job, CPU", runs, "filter", "expand", 1.1, None))
    return rows


def there_and_back(place: Bare, rounds: int) -> Result:
    """Return the row of one line through a filter that waits for the next one."""
    line, walls = SEED.replace(b"\n", b"") + b"\n", []
    with subprocess.Popen(
        [place.nestdecode, "filter"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        for _ in range(rounds):
            start = time.perf_counter()
            process.stdin.write(line)
            process.stdin.flush()
            process.stdout.readline()
            walls.append(time.perf_counter() - start)
        process.stdin.close()
    median = summary([wall * 1000 for wall in walls])
    return {
        "row": "`filter`, a line there and back, wall / 1 ms",
        "ratio": median,
        "most": 1,
        "aim": None,
    }


def start_up(runs: Runs) -> Result:
    name = "`expand FILE` of 1.5 KB, CPU / `import orjson, click`"
    return over(name, runs, "ours", "imports", 1.3, 1.2)


def peaks(runs: Runs, size: str) -> list[Result]:
    """Return the rows of peak memory, of the largest process of each command."""
    return [
        {
            "row": f"`{name}`, {size}, the largest process",
            "mb": round(max(one.peak for one in runs[of]) / MB, 1),
            "most": 30,
            "aim": None,
        }
        for name, of in (
            ("expand -j 1", "expand"),
            ("expand -j 1 -s", "expand -s"),
            ("query -j 1", "query"),
            ("query -j 1 -s", "query -s"),
            ("expand -j 2", "two jobs"),
        )
    ]


def document(runs: Runs) -> list[Result]:
    """Return the rows of peak memory for one large document, compared with orjson's tree."""
    base = runs["orjson"][0].peak
    return [
        {
            "row": f"{name} / `orjson.loads`, peak on one document",
            "ratio": summary([runs[of][0].peak / base]),
            "most": most,
            "aim": None,
            "mb": round(runs[of][0].peak / MB, 1),
        }
        for name, of, most in (
            ("`Decoder(spec).expand`", "spec", 1.1),
            ("`Decoder().expand`", "found", 1.1),
            ("`nestdecode expand`, which also writes it", "command", None),
        )
    ]
