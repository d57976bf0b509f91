"""What else people use: recursions that open layers of any shape, and jmespath.py."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import jmespath
import orjson
from workloads import Workload

Contender = Callable[[bytes], Any]


def recursion(loads: Callable[[Any], Any]) -> Contender:
    """Return the recursive rebuild, with *loads* for the parser."""

    def opened(value):
        if isinstance(value, dict):
            return {key: opened(child) for key, child in value.items()}
        if isinstance(value, list):
            return [opened(child) for child in value]
        if isinstance(value, str) and value[:1] in ("{", "["):
            try:
                return opened(loads(value))
            except ValueError:
                return value
        return value

    return lambda raw: opened(loads(raw))


def interpreted(expression: str, expand: Contender) -> Contender:
    """Return a query by jmespath.py on what *expand* returns."""
    search = jmespath.compile(expression).search
    return lambda raw: search(expand(raw))


# Each makes a contender for a workload, ready to be timed.
EXPANDING = {
    "hand-written orjson": lambda workload: workload.by_hand,
    "nestdecode, spec": Workload.told,
    "nestdecode, learnt": Workload.learnt,
    "recursive orjson": lambda workload: recursion(orjson.loads),
    "recursive json": lambda workload: recursion(json.loads),
}


def contenders(workload: Workload) -> dict[str, Callable[[Workload], Contender]]:
    """Return who competes on a workload."""
    if workload.query is None:
        return EXPANDING
    from workloads import seed_by_hand

    query = workload.query
    return {
        "hand-written orjson": lambda workload: workload.by_hand,
        "nestdecode, spec": Workload.told,
        "nestdecode, learnt": Workload.learnt,
        "hand-written orjson, jmespath.py": lambda _: interpreted(query, seed_by_hand),
        "recursive orjson, jmespath.py": lambda _: interpreted(query, recursion(orjson.loads)),
        "recursive json, jmespath.py": lambda _: interpreted(query, recursion(json.loads)),
    }


def over(contender: Contender, documents: Iterable[bytes]) -> Callable[[], None]:
    """Return a function that gives each document to the contender."""

    def run():
        for raw in documents:
            contender(raw)

    return run
