"""
The promised figures: the time of nestdecode divided by the time of hand-written code.

Both run by turns in one process and one thread, and CPU time is measured. Each round gives
one ratio; the median and the quartiles are shown. The cyclic garbage collector is off for
both. Whole commands and memory come last. Words as arguments select rows; --kernels limits
what StringZilla may use. With either of them, nothing is saved.
"""

import argparse
import inspect
import statistics
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import by_hand
import commands
import orjson
import stringzilla
from broken import BROKEN
from measure import by_turns, save, summary
from pairs import (
    KB,
    Pair,
    collapsed,
    declared,
    flat_lines,
    learnt,
    malformed,
    opened,
    problems,
    seed_lines,
    worst,
)
from worst import WORST


@dataclass(frozen=True)
class Row:
    """One ratio; *most* is the promised bound and *aim* the goal, or None."""

    name: str
    most: float | None
    aim: float | None
    make: Callable[[], Pair]


def from_bytes() -> Iterator[Row]:
    for name, load, most in (
        ("seed", "seed", 1.12),
        ("SNS in SQS", "sns", 1.12),
        ("six deep", "deep", 1.10),
        ("200 small layers", "many", 1.18),
    ):
        yield Row(f"`Decoder(spec).expand`, {name}", most, 1.05, partial(declared, load))
    for name, load, most in (
        ("seed", "seed", 1.22),
        ("SNS in SQS", "sns", 1.25),
        ("six deep", "deep", 1.15),
        ("seed, indented", "pretty", 1.22),
        ("seed, quoted `\\u0022`", "quoted", 1.7),
        ("seed with `\\u00e9`", "accented", 1.5),
    ):
        yield Row(f"`Decoder().expand` learnt, {name}", most, 1.15, partial(learnt, load))


def lines() -> Iterator[Row]:
    for name, load, most, aim in (
        ("without layers", "flat lines", 1.15, 1.05),
        ("a payload in one of ten", "lines", 1.15, 1.05),
        ("messages begin with `[INFO]`", "bracketed lines", 1.45, 1.39),
    ):
        yield Row(f"log lines, one call each, {name}", most, aim, partial(learnt, load))
    for name, size in (("64 KB", 64 * KB), ("1 MB", KB * KB)):
        of = f"`expand_lines`, {name} of log lines without layers"
        yield Row(of, 1.02, 0.95, partial(flat_lines, size))
    yield Row("`expand_lines`, 1 MB of the seed", 1.05, 0.95, partial(seed_lines, None))
    spec = partial(seed_lines, "repair-results")
    yield Row("`expand_lines`, 1 MB of the seed, spec", 1.05, 0.95, spec)


def queries() -> Iterator[Row]:
    yield Row('`compile("structData.data[]")`, spec', 1.12, 1.05, partial(declared, "query"))
    yield Row("the same question without a spec, learnt", 1.35, 1.05, partial(learnt, "query"))
    for how, make in (("spec", declared), ("learnt", learnt)):
        for size in (10, 100, 1000, 10_000):
            name = f"`items[].payload.total`, {size:,} elements, {how}"
            yield Row(name, 1.3, 1.1, partial(make, f"items {size}"))


def entries() -> Iterator[Row]:
    parsed = orjson.loads
    for how, make in (("spec", declared), ("learnt", learnt)):
        yield Row(f"seed as `str`, {how}", 1.25, 1.1, partial(make, "seed", bytes.decode))
        changed = partial(make, "seed", parsed, by_hand.seed_parsed)
        yield Row(f"seed as a parsed `dict`, {how}", 1.3, 1.1, changed)
        copied = partial(make, "seed", parsed, by_hand.seed_copied)
        yield Row("the same, by hand the given `dict` stays as it is", None, None, copied)


def codecs() -> Iterator[Row]:
    for name, load in (
        ("`base64 | json`, 1 record", "base64 1"),
        ("`base64 | json`, 50 records", "base64 50"),
        ("`base64 | gzip | json`, 1 record", "gzip 1"),
        ("`base64 | gzip | json`, 50 records", "gzip 50"),
        ("`[json, base64 | json]`, half of ten each", "alternatives"),
        ("`json?`, half of ten are text", "half text"),
    ):
        yield Row(name, 1.25, 1.1, partial(declared, load))


def specs() -> Iterator[Row]:
    for name, load in (
        ("`undeclared: open`, seed, one layer of five declared", "open"),
        ("`undeclared: open`, seed, all of them found", "all open"),
        ("a wildcard, ten members", "wildcard"),
        ("`patternProperties`, five members of ten", "pattern"),
        ("`$ref` to itself, 40 comments", "comments"),
        ("`$ref` to itself through six layers", "envelopes"),
        ("seed, two task results, spec", "two results"),
    ):
        yield Row(name, 1.4, 1.2, partial(declared, load))
    yield Row("seed, two task results, learnt", 1.4, 1.2, partial(learnt, "two results"))
    yield Row("log lines, nine of ten are problems and told", 3, 2, problems)


def back() -> Iterator[Row]:
    yield Row("`open` / `expand`, seed", 1.6, 1.4, opened)
    yield Row("`collapse` unchanged / `expand`, seed", 1.0, 0.5, collapsed)


def worst_megabyte() -> Iterator[Row]:
    for name in WORST:
        yield Row(name, 20, None, partial(worst, name))
    surrogates = "layers with escaped lone surrogates"
    again = partial(worst, surrogates, telling=True)
    yield Row(f"{surrogates}, `on_problem` given", 20, None, again)


def broken_text() -> Iterator[Row]:
    for name in BROKEN:
        yield Row(name, 2, 1.5, partial(malformed, name))


GROUPS: dict[str, Callable[[], Iterable[Row]]] = {
    "One document, from bytes": from_bytes,
    "Lines": lines,
    "Queries": queries,
    "Other entries": entries,
    "Codecs": codecs,
    "What specs say": specs,
    "There and back": back,
    "Broken text": broken_text,
    "The worst megabyte": worst_megabyte,
}


def measured(row: Row, rounds: int) -> tuple[dict[str, Any], Callable[..., object] | None]:
    """Return a row's figures, and the function that it was compared with."""
    pair = row.make()
    runs = {"ours": pair.ours, "theirs": pair.theirs}
    if pair.smaller:
        runs["smaller"] = pair.smaller
    times = by_turns(runs, rounds)
    found = {
        "row": row.name,
        "ratio": summary([a / b for a, b in zip(times["ours"], times["theirs"], strict=True)]),
        "most": row.most,
        "aim": row.aim,
    }
    for who in ("ours", "theirs"):
        found[f"{who}_ns"] = round(statistics.median(times[who]) / pair.documents * 1e9)
    if pair.smaller:
        pairs = zip(times["ours"], times["smaller"], strict=True)
        found["growth"] = round(statistics.median(a / b / 4 for a, b in pairs), 3)
    return found, pair.source


def source_of(function: Callable[..., object]) -> str:
    try:
        return inspect.getsource(function)
    except TypeError:
        return f"{function.__name__} = {function.__module__}.{function.__name__}\n"


def show(row: dict[str, Any]) -> None:
    ratio = row.get("ratio")
    value = ratio["median"] if ratio else row["mb"]
    spread = f"{ratio['low']:.2f}-{ratio['high']:.2f}" if ratio else "MB"
    bounds = "".join(f"{'-' if b is None else f'{b:.2f}':>8}" for b in (row["most"], row["aim"]))
    missed = "  missed" if row["most"] and value > row["most"] else ""
    name = row["row"].replace("`", "")
    print(f"  {name:60}{value:8.2f}  {spread:13}{bounds}{missed}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="The table of promised ratios.")
    parser.add_argument("words", nargs="*", help="only rows and groups with one of these in them")
    parser.add_argument("--quick", action="store_true", help="few rounds, small files")
    parser.add_argument("--kernels", help="of StringZilla: serial, or serial,haswell")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    if options.kernels:
        stringzilla.reset_capabilities(tuple(options.kernels.split(",")))
    found: dict[str, list[dict[str, Any]]] = {}
    sources: dict[str, str] = {}

    def chosen(*names: str) -> bool:
        text = " ".join(names).lower()
        return not options.words or any(word.lower() in text for word in options.words)

    for group, rows in GROUPS.items():
        for row in rows():
            if not chosen(group, row.name):
                continue
            if group not in found:
                print(group)
            result, source = measured(row, 11 if options.quick else 101)
            if source is not None:
                result["by_hand"] = source.__name__
                sources[source.__name__] = source_of(source)
            found.setdefault(group, []).append(result)
            show(result)
    # Other processes choose their kernels for themselves.
    if chosen("commands memory") and not options.kernels:
        for group, rows in commands.measured(quick=options.quick).items():
            print(group)
            found[group] = rows
            for result in rows:
                show(result)
        sources |= commands.sources()
    if not (options.words or options.kernels):
        result = {"collector": "off for both", "groups": found, "by_hand": sources}
        save(options.results, "ratios", result)


if __name__ == "__main__":
    main()
