"""Write the tables of benchmarks/README.md from the results, between their markers."""

import argparse
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from workloads import SHOWN

HERE = Path(__file__).parent
Result = dict[str, Any]

# The growth above which a time is marked: for four times the text, it takes more than this
# times four times as long.
SUPERLINEAR = 1.5


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    cells = ([cell.replace("|", r"\|") for cell in line] for line in lines)
    return "\n".join(f"| {' | '.join(line)} |" for line in cells)


def provenance(result: Result) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in result["versions"].items())
    return (
        f"Measured on {result['date']} at commit {result['commit']}: {result['python']} on"
        f" {result['cpu']}, load {result['load']}, {result['system']}; StringZilla's kernels:"
        f" {', '.join(result['kernels'])}; {versions}."
    )


def value(row: Result) -> float:
    return row["ratio"]["median"] if "ratio" in row else row["mb"]


def beyond(row: Result) -> bool:
    return row["most"] is not None and value(row) > row["most"]


def superlinear(row: Result) -> bool:
    return row.get("growth", 0) > SUPERLINEAR


def missed(row: Result) -> bool:
    return beyond(row) or superlinear(row)


def figure(row: Result) -> str:
    return f"{value(row):.2f}" if "ratio" in row else f"{value(row):.0f} MB"


def summary(result: Result) -> str:
    """Return the text with a line for each group: its range of figures, and its missed bounds."""
    bound = [row for rows in result["groups"].values() for row in rows if row["most"] is not None]
    lost = sum(map(missed, bound))
    head = (
        f"{len(bound)} figures have a bound: {len(bound) - lost} hold it, {lost} miss it, on"
        f" {result['cpu']} with StringZilla's kernels for {result['kernels'][-1]}. By group, from"
        f" the least to the most, hand-written code being 1:"
    )
    lines = [f"{n}. {group_summary(*group)}" for n, group in enumerate(result["groups"].items(), 1)]
    return "\n".join([head, "", *lines])


def group_summary(group: str, rows: list[Result]) -> str:
    """Return the line of a group; of its missed bounds, it names the three furthest off."""
    ratios = [value(row) for row in rows if "ratio" in row]
    lost = sorted(filter(missed, rows), key=lambda row: row["most"] / value(row))
    worst = "; ".join(f"{row['row']}, {figure(row)} (at most {row['most']:g})" for row in lost[:3])
    more = f"; and {len(lost) - 3} more" if len(lost) > 3 else ""
    end = f"**missed**: {worst}{more}" if lost else "all bounds hold"
    return f"*{group}*: {min(ratios):.2f} to {max(ratios):.2f}; {end}."


def spent(row: Result, who: str) -> str:
    """Return a time as text, with its unit."""
    nanoseconds = row.get(f"{who}_ns")
    if nanoseconds is None:
        return f"{row['mb']:.0f} MB" if who == "ours" and "mb" in row else ""
    if nanoseconds < 1e6:
        return f"{nanoseconds:,} ns"
    return f"{nanoseconds / 1e6:,.1f} ms" if nanoseconds < 1e9 else f"{nanoseconds / 1e9:.2f} s"


def ratios(result: Result) -> str:
    parts = [f"### {group}\n\n{tabled(rows)}" for group, rows in result["groups"].items()]
    code = "\n\n".join(source.strip("\n") for source in result["by_hand"].values())
    return "\n\n".join(
        [
            *parts,
            f"<details>\n<summary>The code by hand</summary>\n\n```python\n{code}\n```\n\n</details>",
            provenance(result),
        ]
    )


def tabled(rows: list[Result]) -> str:
    """Return the table of a group, without columns that are empty in all rows."""
    columns = {
        "": [row["row"] for row in rows],
        "measured": [f"**{figure(row)}**" for row in rows],
        "quartiles": [quartiles(row) for row in rows],
        "at most": [bound(row, "most") + " **missed**" * beyond(row) for row in rows],
        "aim": [bound(row, "aim") for row in rows],
        "ours": [spent(row, "ours") for row in rows],
        "theirs": [spent(row, "theirs") for row in rows],
        "a byte, 1 MB / 256 KB": [growth(row) for row in rows],
        "code": [f"`{row['by_hand']}`" if row.get("by_hand") else "" for row in rows],
    }
    kept = {head: cells for head, cells in columns.items() if any(cells)}
    return table(list(kept), [list(cells) for cells in zip(*kept.values(), strict=True)])


def quartiles(row: Result) -> str:
    ratio = row.get("ratio", {"rounds": 1})
    return f"{ratio['low']:.2f}-{ratio['high']:.2f}" if ratio["rounds"] > 1 else ""


def bound(row: Result, name: str) -> str:
    return "" if row[name] is None else f"{row[name]:.2f}"


def growth(row: Result) -> str:
    if "growth" not in row:
        return ""
    return f"{row['growth']:.2f}" + " **missed**" * superlinear(row)


def workloads(result: Result) -> str:
    """Return the table of workloads: a row for each, and a column for each contender."""
    columns = ("floor", "nestdecode, fresh", "recursive orjson", "recursive json")
    cells: dict[str, dict[str, float]] = {}
    for row in result["rows"]:
        # In the query's group the recursions end in jmespath.py.
        name = row["contender"].removesuffix(", jmespath.py")
        cells.setdefault(row["workload"], {}).setdefault(name, row["median_us"])
    rows = [
        [name, *(f"{found[column] / found['hand-written orjson']:.2f}" for column in columns)]
        for name, found in cells.items()
    ]
    asked = "\n".join(f"- *{load.name}*: {load.question}" for load in SHOWN)
    return f"{asked}\n\n{table(['by hand = 1', *columns], rows)}\n\n{provenance(result)}"


def compare(result: Result) -> str:
    head = [f"{result['size_mb']} MB", "`expand` = 1", "wall, s", "CPU, s", "MB/s", "peak, MB"]
    rows = [
        [
            row["command"],
            f"**{row['ratio']['median']:.2f}**",
            f"{row['wall']['median']:.2f} ({row['wall']['low']:.2f}-{row['wall']['high']:.2f})",
            f"{row['cpu']:.2f}",
            f"{row['mb_s']:.1f}",
            f"{row['peak_mb']:.0f}",
        ]
        for row in result["commands"]
    ]
    notes = "".join(f" Note: {note}." for note in result["notes"])
    return (
        f"{table(head, rows)}\n\nMedians of {result['rounds']} rounds.{notes} {provenance(result)}"
    )


# Place in README.md: the result that it is made of, and how.
TABLES: dict[str, tuple[str, Callable[[Result], str]]] = {
    "summary": ("ratios", summary),
    "ratios": ("ratios", ratios),
    "workloads": ("workloads", workloads),
    "compare": ("compare", compare),
    "scaling": ("scaling", provenance),
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the tables of README.md.")
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--print", action="store_true", help="leave README.md as it is")
    options = parser.parse_args()
    readme = HERE / "README.md"
    text = readme.read_text()
    for name, (of, write) in TABLES.items():
        result = json.loads((options.results / f"{of}.json").read_text())
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
