"""How times grow with the number of records, the size of a document, the depth of layers."""

import argparse
import gc
import time
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import Any

import by_hand
import orjson
from contenders import recursion
from documents import deep, large, lines_of, mixed_line
from measure import Run, by_turns, save, summary
from picture import Panel, draw
from workloads import LARGE, LINES, SEEN, Workload, deep_spec

from nestdecode import Decoder

Times = dict[str, list[float]]


def records(counts: list[int], rounds: int) -> list[dict[str, Any]]:
    """
    Return the times of streams of log lines, in microseconds per record.

    A Decoder is new for each stream: what it learns and compiles is in the time.
    """
    ways: dict[str, Callable[[Iterable[bytes]], Iterable[Any]]] = {
        "floor": lambda lines: map(orjson.loads, lines),
        "hand-written orjson": lambda lines: map(by_hand.line, lines),
        "nestdecode, spec": lambda lines: Decoder(LINES).expand_lines(lines),
        "nestdecode, automatic": lambda lines: Decoder().expand_lines(lines),
        "recursive orjson": lambda lines: map(recursion(orjson.loads), lines),
    }
    answers = [by_hand.line(line) for line in lines_of(mixed_line, 2000)]
    for name, way in ways.items():
        if name != "floor" and list(way(lines_of(mixed_line, 2000))) != answers:
            raise SystemExit(f"{name}: not the answer of the hand-written code")
    points = []
    for count in counts:
        times: Times = {name: [] for name in ways}
        for _ in range(rounds if count < 10**6 else 2):
            for name, way in ways.items():
                times[name].append(streamed(way, count) / count * 1e6)
        points.append({"x": count, "us": {k: summary(v, 3) for k, v in times.items()}})
    return points


def streamed(way: Callable[[Iterable[bytes]], Iterable[Any]], count: int) -> float:
    """Return the seconds that a stream takes, without the making of its lines."""
    lines = lines_of(mixed_line, count)
    gc.collect()
    gc.disable()
    start = time.thread_time()
    for _ in way(lines):
        pass
    spent = time.thread_time() - start
    gc.enable()
    return spent


def documents(points: list[tuple[int, Workload]], rounds: int) -> list[dict[str, Any]]:
    """Return the times of documents of each size or depth, in microseconds per document."""
    result = []
    for x, load in points:
        ours = {"nestdecode, spec": load.declared(), "nestdecode, learnt": load.learnt()}
        for name, expand in ours.items():
            if [expand(raw) for raw in load.documents] != load.answers:
                raise SystemExit(f"{load.name}, {name}: not the answer of the hand-written code")
        # The collector runs between the rounds, and would walk the trees if they were kept.
        del load.__dict__["answers"]
        ways = {"floor": orjson.loads, "hand-written orjson": load.by_hand, **ours}
        ways["recursive orjson"] = recursion(orjson.loads)
        runs = {name: Run(way, lambda docs=load.documents: docs) for name, way in ways.items()}
        times = by_turns(runs, rounds, 0.005)
        micro = {k: [t / load.count * 1e6 for t in v] for k, v in times.items()}
        size = sum(map(len, load.documents)) // load.count
        base = micro["hand-written orjson"]
        result.append(
            {
                "x": x,
                "bytes": size,
                "us": {name: summary(spent, 3) for name, spent in micro.items()},
                "ratio": {
                    name: summary([a / b for a, b in zip(spent, base, strict=True)])
                    for name, spent in micro.items()
                },
            }
        )
    return result


def sized(nodes: int) -> Workload:
    """Return the large document in another size."""
    return Workload(
        f"{nodes} nodes",
        "",
        lambda rng: large(rng, nodes),
        by_hand.large,
        LARGE,
        count=max(1, 2000 // nodes),
        small=lambda rng: large(rng, min(nodes, 2500)),
    )


def layered(depth: int) -> Workload:
    """Return the deep document in another depth."""
    return Workload(
        f"{depth} layers",
        "",
        lambda rng: deep(rng, depth),
        partial(by_hand.deep, layers=depth),
        deep_spec(depth),
    )


def panels(result: dict[str, Any]) -> list[Panel]:
    """Return the charts: times per record, speeds, and times divided by the floor's."""

    def series(points: list[dict[str, Any]], x: str, y: Callable[[dict[str, Any], str], float]):
        return {name: [(point[x], y(point, name)) for point in points] for name in points[0]["us"]}

    def micros(point: dict[str, Any], name: str) -> float:
        return point["us"][name]["median"]

    def speed(point: dict[str, Any], name: str) -> float:
        return point["bytes"] / micros(point, name)

    def ratio(point: dict[str, Any], name: str) -> float:
        return point["ratio"][name]["median"]

    counts, sizes, depths = result["records"], result["size"], result["depth"]
    by_hand = "time, hand-written = 1"
    return [
        Panel("log lines, one stream", "records", "µs a record", series(counts, "x", micros)),
        Panel("one document, 10 layers", "bytes", "MB/s", series(sizes, "bytes", speed)),
        Panel("a layer in a layer", "layers", by_hand, series(depths, "x", ratio), log=False),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="Scaling curves.")
    parser.add_argument("--quick", action="store_true", help="small inputs, few rounds")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    quick = options.quick
    rounds = 3 if quick else 15
    counts = [10**3, 10**4] if quick else [10**3, 10**4, 10**5, 10**6]
    nodes = [300, 3000, 30_000] if quick else [300, 1000, 3000, 10_000, 30_000, 100_000, 300_000]
    result = {
        "collector": "off while timing",
        "seen": SEEN,
        "records": records(counts, 3),
        "size": documents([(n, sized(n)) for n in nodes], rounds),
        "depth": documents([(d, layered(d)) for d in range(1, 7 if quick else 11)], rounds),
    }
    save(options.results, "scaling", result)
    (options.results / "scaling.svg").write_text(draw(panels(result)))
    for what in ("records", "size", "depth"):
        for point in result[what]:
            line = ", ".join(f"{name} {us['median']:.1f}" for name, us in point["us"].items())
            print(f"{what} {point['x']:>8}: us: {line}")


if __name__ == "__main__":
    main()
