"""The group `kills`: whether a photo is lost or duplicated when processes are killed at random; only with `--long`."""

import subprocess
import sys
from collections.abc import Iterator

from scripts.benchmarks.rows import ROOT, Row, at_most

KILLS = 200
_LIMIT_S = 3600


def rows(long: bool) -> Iterator[Row]:
    """Yield the row. The test compares the library with the files; 1 stands for any difference."""
    if long:
        command = [sys.executable, "-m", "pytest", "-q", "tests/integration/test_kills.py", "--count", str(KILLS)]
        failed = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, timeout=_LIMIT_S, check=False).returncode != 0
        yield at_most("kills_lost", float(failed), 0, [float(failed)])
