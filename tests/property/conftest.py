"""Properties are tried without a time limit: a busy machine is no failure."""

from hypothesis import settings

# On top of what Hypothesis sets by itself where CI runs.
settings.register_profile("patient", settings(), deadline=None)
settings.load_profile("patient")
