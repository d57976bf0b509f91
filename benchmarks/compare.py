"""
Other tools beside nestdecode: gojq, jq, node and a recursion in Python.

Each opens all layers of an NDJSON file of records like the repair-results response, and
writes one line per record to the null device. The tools run by turns; the medians are shown.
Tools that are not installed are left out. The promised figures of commands are in ratios.py.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import by_hand
import orjson
from measure import save, summary
from processes import MB, Bare, Usage, bare, output, run, write_records

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
# The program that is fastest in each tool. In jq 1.6, nothing is opened inside map_values.
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

SCRIPTS = Path(__file__).parent / "scripts"


@dataclass
class Command:
    """A command, and its usage in each run."""

    name: str
    line: list[str]
    runs: list[Usage] = field(default_factory=list)


def ours(place: Bare) -> list[Command]:
    """Return the commands that run in the bare environment: nestdecode, and the recursion."""
    return [
        Command("nestdecode expand, one job", [place.nestdecode, "expand", "-j", "1"]),
        Command("recursive orjson script", [place.python, str(SCRIPTS / "recursion.py")]),
    ]


def peers(folder: Path, notes: list[str]) -> list[Command]:
    """Return the commands of the other tools that are installed."""
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
        printed = subprocess.run([path, "--version"], capture_output=True, text=True, check=True)
        version = printed.stdout.split("(")[0].strip().removeprefix(tool).strip(" -v")
        found.append(Command(f"{tool} {version}", [path, *arguments]))
    return found


def check(commands: list[Command], folder: Path) -> None:
    """Exit unless every command writes the answer of the hand-written code for each record."""
    sample = write_records(folder / "sample.ndjson", 3 * MB)
    wanted = [by_hand.seed(line) for line in sample.read_bytes().splitlines()]
    for command in commands:
        found = [orjson.loads(line) for line in output([*command.line, str(sample)]).splitlines()]
        if found != wanted:
            raise SystemExit(f"{command.name}: not the output of the hand-written code")


def timed(commands: list[Command], file: Path, rounds: int) -> list[dict[str, Any]]:
    """Run the commands by turns, and return the rows of the table."""
    for number in range(rounds):
        for command in commands:
            say(f"round {number + 1} of {rounds}: {command.name}")
            command.runs.append(run([*command.line, str(file)]))
    say("")
    size = file.stat().st_size
    first = commands[0].runs
    print(f"\nevery command, {size / MB:.0f} MB, medians of {rounds}")
    print(f"{'':36}{'wall s':>8}{'CPU s':>8}{'MB/s':>7}{'peak MB':>9}{'expand = 1':>13}")
    rows = []
    for command in commands:
        wall = summary([one.wall for one in command.runs])
        ratio = summary(
            [one.wall / base.wall for one, base in zip(command.runs, first, strict=True)]
        )
        row = {
            "command": command.name,
            "wall": wall,
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


def main() -> None:
    parser = argparse.ArgumentParser(description="Whole commands beside their peers.")
    parser.add_argument("--size", type=int, default=45, help="MB of the file")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="4 MB and two rounds of each")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.quick:
        options.size, options.rounds = 4, 2
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        commands = ours(bare(folder)) + peers(folder, notes)
        check(commands, folder)
        file = write_records(folder / "records.ndjson", options.size * MB)
        rows = timed(commands, file, options.rounds)
    for note in notes:
        print(f"note: {note}")
    found = {"rounds": options.rounds, "size_mb": options.size, "commands": rows, "notes": notes}
    save(options.results, "compare", found)


if __name__ == "__main__":
    main()
