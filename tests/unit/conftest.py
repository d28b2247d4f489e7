"""How the unit tests are run."""

import gc
import sys

# Here, before what is slow to import: hardly any of that is ever rubbish, and to look for it costs more than a tenth of the time it takes.
gc.set_threshold(50_000, 20, 50)

# The program comes without it; where it is there, httpx and structlog load it, which takes longer than they do.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]  # Python's way to say that it can't be had


def pytest_collection_finish() -> None:
    """What was imported and collected stays until the end: to look for rubbish in it over and over costs a third of the time."""
    gc.freeze()
