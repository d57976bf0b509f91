"""What holds for every test."""

from hypothesis import settings

# A machine that does other things as well may take any time for an example.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")
