"""The group `kills`: whether anything is lost or duplicated when processes are killed at random; only with `--long`."""

import subprocess
import sys
from collections.abc import Iterator

from scripts.benchmarks.rows import ROOT, Row, at_most

KILLS = 200
_LIMIT_S = 7200
TESTS = {"kills_lost": "tests/program/bad_days/test_kills.py", "server_kills_lost": "tests/server/kills/test_server_kills.py"}


def rows(long: bool) -> Iterator[Row]:
    """Yield the rows, of the desktop and of a team server. The tests compare with what went in; 1 stands for any difference."""
    for name, test in TESTS.items() if long else ():
        command = [sys.executable, "-m", "pytest", "-q", test, "--count", str(KILLS)]
        failed = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, timeout=_LIMIT_S, check=False).returncode != 0
        yield at_most(name, float(failed), 0, [float(failed)])
