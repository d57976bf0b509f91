"""The contenders of any shape: recursions that open layers wherever they are, and jmespath.py."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import jmespath
import orjson
from workloads import Workload

Contender = Callable[[bytes], Any]


def recursion(loads: Callable[[Any], Any]) -> Contender:
    """Return a recursion that rebuilds the tree, with *loads* as its parser."""

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
    """Return a query by jmespath.py of the trees that *expand* returns."""
    search = jmespath.compile(expression).search
    return lambda raw: search(expand(raw))


# Functions from a workload to a contender that is ready to be timed.
Make = Callable[[Workload], Contender]


def contenders(workload: Workload) -> dict[str, Make]:
    """Return the contenders of a workload, by name."""
    found: dict[str, Make] = {"hand-written orjson": lambda workload: workload.by_hand}
    parsers = {"recursive orjson": orjson.loads, "recursive json": json.loads}
    query = workload.query
    if query is None:
        return found | {name: lambda _, p=parser: recursion(p) for name, parser in parsers.items()}
    return found | {
        f"{name}, jmespath.py": lambda _, p=parser: interpreted(query, recursion(p))
        for name, parser in parsers.items()
    }


def over(contender: Contender, documents: Iterable[bytes]) -> Callable[[], None]:
    """Return a function that calls the contender with each document."""

    def run():
        for raw in documents:
            contender(raw)

    return run
