"""Settings of all tests: Hypothesis profiles and shared fixtures."""

import os
import random
import signal
from collections import defaultdict

import pytest
from hypothesis import HealthCheck, settings

from tests.strategies import EFFORT

settings.register_profile(
    "nestdecode",
    # The same examples in every ordinary run: a failure belongs to a change.
    derandomize=EFFORT <= 1,
    max_examples=int(250 * EFFORT),
    # A machine that does other things as well may take any time for an example.
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
settings.load_profile("nestdecode")

# Whoever runs this in the background may have had them ignored, and children inherit that.
for name in ("SIGINT", "SIGHUP", "SIGTERM", "SIGQUIT"):
    number = getattr(signal, name, None)
    if number is not None and signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL)

# The specs of whoever runs this have no names here.
os.environ["NESTDECODE_SPECS"] = ""


@pytest.hookimpl(tryfirst=True)  # before those that are slow are left out
def pytest_collection_modifyitems(items):
    """Mark as slow what a test with ``sampled(count)`` has beyond so many cases."""
    found = defaultdict(list)
    for item in items:
        for mark in item.iter_markers("sampled"):
            found[item.module.__name__, item.originalname, mark.args[0]].append(item)
    for (*name, count), cases in found.items():
        # One out of each of so many pieces; the same in every run.
        chance, pieces = random.Random(repr(name)), max(1, len(cases) // count)
        for start in range(0, len(cases), pieces):
            piece = cases[start : start + pieces]
            piece.remove(chance.choice(piece))
            for item in piece:
                item.add_marker(pytest.mark.slow)
                item.add_marker(pytest.mark.once)
