"""Many small cases in few tests: what pytest does for a test takes longer than such a case."""

from collections.abc import Callable, Sequence
from functools import wraps
from inspect import Parameter, Signature, signature
from typing import Any

import pytest


def together(names: Sequence[str], cases: Sequence[Any], size: int = 50) -> Callable[..., Any]:
    """
    Return a decorator like ``pytest.mark.parametrize`` that makes one test of several cases.

    Each case is a subtest: those that fail are named, and the others run all the same.

    Args:
        names: The arguments of the test that a case gives.
        cases: Made by ``pytest.param``, with an id.
        size: The cases of one test.
    """
    pieces = [cases[start : start + size] for start in range(0, len(cases), size)]

    def decorate(test: Callable[..., None]) -> Any:
        @wraps(test)
        def tests(piece: Sequence[Any], subtests: pytest.Subtests, **others: Any) -> None:
            for case in piece:
                with subtests.test(case.id):
                    test(**dict(zip(names, case.values, strict=True)), **others)

        added = [Parameter(name, Parameter.KEYWORD_ONLY) for name in ("piece", "subtests")]
        kept = [p for name, p in signature(test).parameters.items() if name not in names]
        kept = [parameter.replace(kind=Parameter.KEYWORD_ONLY) for parameter in kept]
        tests.__signature__ = Signature([*added, *kept])  # type: ignore[attr-defined]
        ids = [f"from {piece[0].id}" for piece in pieces]
        return pytest.mark.parametrize("piece", pieces, ids=ids)(tests)

    return decorate
