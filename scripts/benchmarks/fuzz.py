"""The group `fuzz`: whether mutated photos of every format can end the engine; only with `--long`."""

import subprocess
import sys
from collections.abc import Iterator

from scripts.benchmarks.rows import ROOT, Row, at_most

CASES = 10_000
_LIMIT_S = 3600


def rows(long: bool) -> Iterator[Row]:
    """Yield the row. The test requires each file to end as an image or with a named error; 1 stands for any that does not."""
    if long:
        command = [sys.executable, "-m", "pytest", "-q", "tests/process/engine/test_fuzz.py", "--cases", str(CASES)]
        failed = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, timeout=_LIMIT_S, check=False).returncode != 0
        yield at_most("fuzz_ends", float(failed), 0, [float(failed)])
