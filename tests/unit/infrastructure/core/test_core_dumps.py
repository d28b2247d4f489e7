"""A crash leaves no core file, in which the library's key would be."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such limit")

CODE = """
import resource, subprocess, sys
hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
from agent.app.command_line import main
main(["--version"])
own = "import resource; print(*resource.getrlimit(resource.RLIMIT_CORE))"
# With 0, Linux writes no file and still pipes the crash to the program of `core_pattern`; 1 is the value that keeps it from that.
least = "1" if sys.platform == "linux" and hard else "0"
assert subprocess.check_output([sys.executable, "-c", own], text=True).split() == [least, str(hard)]
"""


def test_no_command_and_no_process_that_it_starts_leaves_one() -> None:
    told = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, timeout=100, check=False)
    assert told.returncode == 0, told.stderr
