"""Settings of all tests: Hypothesis profiles and shared fixtures."""

import os
import signal

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
