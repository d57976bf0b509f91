"""
The figures that this project promises: times of nestdecode over times of hand-written code.

One process, one thread, the two by turns (A B A B ...). Each round gives one ratio; shown are
the median and the quartiles. The cyclic collector is off for both.
"""

import argparse
import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from contenders import over
from measure import by_turns, save, summary
from workloads import SEEN, WORKLOADS, flat_line, lines_of

from nestdecode import Decoder

KB = 1 << 10


@dataclass(frozen=True)
class Row:
    """One ratio. *most* and *aim* are None where none was promised."""

    name: str
    ours: Callable[[], object]
    theirs: Callable[[], object]
    documents: int
    most: float | None = None
    aim: float | None = None


def single(
    name: str, workload: str, make: str, most: float | None = None, aim: float | None = None
) -> Row:
    """Compare one call a document, after checking the answers."""
    load = WORKLOADS[workload]
    ours = getattr(load, make)()
    answers = [ours(raw) for raw in load.documents]
    if answers != load.answers:
        raise SystemExit(f"{name}: not the answer of the hand-written code")
    docs = load.documents
    return Row(name, over(ours, docs), over(load.by_hand, docs), len(docs), most, aim)


def streamed(name: str, size: int, most: float | None = None, aim: float | None = None) -> Row:
    """Compare expand_lines on *size* bytes of lines with a loop of orjson.loads."""
    lines = list(lines_of(flat_line, size // 230))
    decoder = Decoder()
    exhaust(decoder.expand_lines(lines_of(flat_line, SEEN)))
    if list(decoder.expand_lines(lines)) != [orjson.loads(line) for line in lines]:
        raise SystemExit(f"{name}: not the answer of orjson.loads")
    return Row(
        name,
        lambda: exhaust(decoder.expand_lines(lines)),
        over(orjson.loads, lines),
        len(lines),
        most,
        aim,
    )


def there_and_back() -> list[Row]:
    """Compare opening and putting back with expanding."""
    docs = WORKLOADS["seed"].documents
    decoder = Decoder()
    for _ in range(SEEN // len(docs)):
        documents = [decoder.open(raw) for raw in docs]
    if [document.collapse() for document in documents] != docs:
        raise SystemExit("collapse: not the bytes that came in")
    expand = over(decoder.expand, docs)

    def collapse():
        for document in documents:
            document.collapse()

    return [
        Row("`open` / `expand`, seed", over(decoder.open, docs), expand, len(docs), 1.60, 1.40),
        Row("`collapse` unchanged / `expand`, seed", collapse, expand, len(docs), 1.00, 0.50),
    ]


def exhaust(trees: Iterable[Any]) -> None:
    for _ in trees:
        pass


def rows() -> list[Row]:
    return [
        single("`Decoder(spec).expand`, seed", "seed", "told", 1.20, 1.05),
        single("`Decoder(spec).expand`, SNS in SQS", "sns", "told", 1.20, 1.05),
        single("`Decoder().expand` learnt, seed", "seed", "learnt", 1.40, 1.20),
        single("`Decoder().expand` learnt, SNS in SQS", "sns", "learnt", 1.40, 1.20),
        single(
            "`Decoder().expand` learnt, log lines without layers", "flat lines", "learnt", 1.6, 1.2
        ),
        single("the same, messages begin with `[INFO]`", "bracketed lines", "learnt"),
        single("`Decoder().expand` learnt, log lines with payloads", "lines", "learnt"),
        streamed("`expand_lines`, 64 KB of log lines without layers", 64 * KB, 1.20, 1.05),
        streamed("`expand_lines`, 1 MB of the same", KB * KB, 1.20, 1.05),
        single('`compile("structData.data[]")`, spec', "query", "told", 1.30, 1.05),
        single("the same question without a spec, learnt", "query", "learnt"),
        *there_and_back(),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description="The table of promised ratios.")
    parser.add_argument("--quick", action="store_true", help="few rounds")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args()
    measured = []
    print(f"{'ours / hand-written':52}{'ratio':>7}  {'quartiles':13}{'at most':>8}{'aim':>6}")
    for row in rows():
        times = by_turns({"ours": row.ours, "theirs": row.theirs}, 15 if options.quick else 101)
        ratio = summary([a / b for a, b in zip(times["ours"], times["theirs"], strict=True)])
        per_document = {
            f"{who}_us": round(statistics.median(spent) / row.documents * 1e6, 3)
            for who, spent in times.items()
        }
        measured.append({"row": row.name, "ratio": ratio, "most": row.most, "aim": row.aim})
        measured[-1] |= per_document
        spread = f"{ratio['low']:.2f}-{ratio['high']:.2f}"
        bounds = f"{row.most:8.2f}{row.aim:6.2f}" if row.most and row.aim else f"{'-':>8}{'-':>6}"
        missed = "  missed" if row.most and ratio["median"] > row.most else ""
        print(
            f"{row.name.replace('`', ''):52}{ratio['median']:7.2f}  {spread:13}{bounds}{missed}",
            flush=True,
        )
    save(options.results, "ratios", {"collector": "off for both", "rows": measured})


if __name__ == "__main__":
    main()
