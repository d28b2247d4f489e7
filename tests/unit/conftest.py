"""How the unit tests are run."""

import gc


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: to look for rubbish in it over and over costs a third of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
