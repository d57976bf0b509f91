"""
The contenders on each workload; nestdecode itself is in ratios.py.

Each contender must first give the answer of the hand-written code. One round is all
documents of a workload, one after another; the report divides by their number.
"""

import orjson
import pytest
from contenders import contenders, over
from workloads import SHOWN

CASES = [
    pytest.param(workload, make, id=f"{workload.name}-{contender}")
    for workload in SHOWN
    for contender, make in contenders(workload).items()
]
NAMES = [workload.name for workload in SHOWN]


def describe(benchmark, workload, contender):
    benchmark.group = workload.name
    benchmark.extra_info |= {
        "contender": contender,
        "documents": len(workload.documents),
        "bytes": sum(map(len, workload.documents)),
    }


@pytest.mark.parametrize("workload", SHOWN, ids=NAMES)
def test_floor(benchmark, workload):
    describe(benchmark, workload, "floor")
    benchmark(over(orjson.loads, workload.documents))


@pytest.mark.parametrize(("workload", "make"), CASES)
def test_contender(benchmark, workload, make, request):
    contender = make(workload)

    assert [contender(raw) for raw in workload.documents] == workload.answers

    describe(benchmark, workload, request.node.callspec.id.partition("-")[2])
    benchmark(over(contender, workload.documents))


@pytest.mark.parametrize("workload", SHOWN, ids=NAMES)
def test_fresh(benchmark, workload):
    """A new Decoder's first documents."""
    first = workload.documents[:20]
    fresh = workload.fresh()

    assert [fresh(raw) for raw in first] == workload.answers[:20]

    describe(benchmark, workload, "nestdecode, fresh")
    benchmark.extra_info |= {"documents": len(first), "bytes": sum(map(len, first))}
    benchmark.pedantic(
        lambda run: run(), setup=lambda: ((over(workload.fresh(), first),), {}), rounds=20
    )
