"""Runs again, alone, the few tests that failed in a run of the whole suite: on a busy machine a few in thousands are unsteady.

A test that passes then is named as unsteady, and the run is not failed by it; more than a few, or one that fails again, fail the run.
It is a defect all the same, of the test or of the program: at night and before a release nothing runs twice (decision 0052).
"""

import json
from collections.abc import Sequence
from pathlib import Path

MOST = 3
FAILED = 1  # pytest's exit code when tests failed and nothing else was wrong
AGAIN = ("--last-failed", "--last-failed-no-failures=none")
_CACHE = Path(".pytest_cache/v/cache/lastfailed")


def forget(checkout: Path) -> None:
    """Remove what pytest keeps of earlier runs' failures."""
    (checkout / _CACHE).unlink(missing_ok=True)


def few_failed(checkout: Path, codes: Sequence[int]) -> list[str]:
    """Return the tests that failed since `forget`, if there are so few that they may be unsteady and nothing else went wrong."""
    if not {*codes} <= {0, FAILED} or FAILED not in codes:
        return []
    try:
        failed = sorted(json.loads((checkout / _CACHE).read_text(encoding="utf-8")))
    except (OSError, ValueError):
        return []
    return failed if len(failed) <= MOST else []


def lines(tests: Sequence[str]) -> str:
    """Return what is said of tests that passed the second time."""
    return "\n".join(f"UNSTEADY, failed once and passed alone: {test}" for test in tests)
