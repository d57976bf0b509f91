"""Write the tables of README.md from the results, between their markers."""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workloads import WORKLOADS

HERE = Path(__file__).parent
Result = dict[str, Any]


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def provenance(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"Measured on {result['date']} at commit {result['commit']}: {result['python']} on"
        f" {result['cpu']}, load {result['load']}, {result['system']}; {versions}."
    )


def ratios(result: Result) -> str:
    def bound(value: float | None) -> str:
        return "" if value is None else f"{value:.2f}"

    head = ["ours / hand-written", "ratio", "quartiles", "at most", "aim", "ours, µs", "theirs, µs"]
    rows = [
        [
            row["row"],
            f"**{row['ratio']['median']:.2f}**",
            f"{row['ratio']['low']:.2f}-{row['ratio']['high']:.2f}",
            bound(row["most"]),
            bound(row["aim"]),
            f"{row['ours_us']:.2f}",
            f"{row['theirs_us']:.2f}",
        ]
        for row in result["rows"]
    ]
    rounds = result["rows"][0]["ratio"]["rounds"]
    note = f"Medians of {rounds} rounds; µs a document. {provenance(result)}"
    return f"{table(head, rows)}\n\n{note}"


def workloads(result: Result) -> str:
    """Return one table: a row for each workload, a column for each contender."""
    cells: dict[str, dict[str, Result]] = {}
    for row in result["rows"]:
        name = row["contender"]
        # In the query's group the recursions end in jmespath.py.
        cells.setdefault(row["workload"], {})[name.removesuffix(", jmespath.py")] = row
        if name == "hand-written orjson":
            cells[row["workload"]]["by hand"] = row
    columns = {
        "floor": "floor",
        "by hand": "by hand",
        "nestdecode, spec": "spec",
        "nestdecode, learnt": "learnt",
        "nestdecode, fresh": "fresh",
        "recursive orjson": "recursive orjson",
        "recursive json": "recursive json",
    }

    def cell(found: dict[str, Result], column: str) -> str:
        micro = found[column]["median_us"]
        if column == "by hand":
            return f"{micro:.3g} µs" if micro < 1000 else f"{micro / 1000:.3g} ms"
        return f"{micro / found['by hand']['median_us']:.2f}"

    rows = [[name, *(cell(found, column) for column in columns)] for name, found in cells.items()]
    query = cells["query"]
    interpreted = query["hand-written orjson"]["median_us"] / query["by hand"]["median_us"]
    notes = (
        f"*query*: the recursions are followed by jmespath.py; expanding by hand and then"
        f" jmespath.py is {interpreted:.2f}."
    )
    asked = "\n".join(f"- *{name}*: {load.question}" for name, load in WORKLOADS.items())
    return f"{asked}\n\n{table(['', *columns.values()], rows)}\n\n{notes} {provenance(result)}"


def compare(result: Result) -> str:
    parts = []
    for key, size in (("commands", "size_mb"), ("long", "long_mb")):
        if key not in result:
            continue
        head = [f"{result[size]} MB", "by hand = 1", "wall, s", "CPU, s", "MB/s", "peak, MB"]
        rows = [
            [
                row["command"],
                f"**{row['ratio']['median']:.2f}**",
                f"{row['wall']['median']:.2f} ({row['wall']['low']:.2f}-{row['wall']['high']:.2f})",
                f"{row['cpu']:.2f}",
                f"{row['mb_s']:.1f}",
                f"{row['peak_mb']:.0f}",
            ]
            for row in result[key]
        ]
        parts.append(table(head, rows))
    start = result["start"]
    rows = [
        [
            row["row"],
            f"**{row['value']:.2f}**" if row["value"] < 20 else f"**{row['value']:.0f}**",
            f"{row['bound']} {row['limit']:g}",
            f"{row['aim']:g}" if row["aim"] else "",
        ]
        for row in result["promised"]
    ]
    parts.insert(0, table(["promised", "measured", "bound", "aim"], rows))
    parts.append(
        f"Start-up: `nestdecode expand FILE` {start['ours_ms']['median']:.0f} ms,"
        f" `python -c 'import orjson, click'` {start['imports_ms']['median']:.0f} ms, bare Python"
        f" {start['python_ms']['median']:.0f} ms: **{start['ratio']['median']:.2f}** times the two"
        f" imports ({start['ratio']['low']:.2f}-{start['ratio']['high']:.2f})."
    )
    if "memory" in result:
        found = ", ".join(
            f"{row['command'].removeprefix('nestdecode, ')} {row['mb']} MB"
            for row in result["memory"]
        )
        parts.append(
            f"Peak memory on {result['memory_mb']} MB of NDJSON, workers and all: {found}."
        )
    rows = [[row["what"], f"{row['mb']:.0f}", f"{row['ratio']:.2f}"] for row in result["document"]]
    parts.append(table(["peak memory on one large document", "MB", "orjson.loads = 1"], rows))
    notes = "".join(f" Note: {note}." for note in result["notes"])
    parts.append(f"Medians of {result['rounds']} rounds.{notes} {provenance(result)}")
    return "\n\n".join(parts)


TABLES: dict[str, Callable[[Result], str]] = {
    "ratios": ratios,
    "workloads": workloads,
    "compare": compare,
    "scaling": provenance,
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tables of README.md.")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--print", action="store_true", help="leave README.md as it is")
    options = parser.parse_args()
    readme = HERE / "README.md"
    text = readme.read_text()
    for name, write in TABLES.items():
        result = json.loads((options.results / f"{name}.json").read_text())
        between = re.compile(f"(?<=<!-- {name} -->\n).*?(?=<!-- /{name} -->)", re.DOTALL)
        made = f"\n{write(result)}\n\n"
        text, found = between.subn(lambda _, made=made: made, text)
        if found != 1:
            raise SystemExit(f"README.md has no place for the table {name!r}")
    if options.print:
        print(text)
    else:
        readme.write_text(text)


if __name__ == "__main__":
    main()
