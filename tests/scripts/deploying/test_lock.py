"""One deployment at a time: what a killed one began counts, too."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scripts.deploying.failures import Failed
from scripts.deploying.files import alone, is_held

# Takes the lock, and has a command run until its file is gone.
_DEPLOYS = """
import sys
from pathlib import Path
from scripts.deploying.commands import Processes
from scripts.deploying.files import alone
processes = Processes()
with alone(Path(sys.argv[1])) as lock:
    processes.held = (lock,)
    processes.run([sys.executable, "-c", sys.argv[3], sys.argv[2]])
"""
_COMMAND = """
import sys, time
from pathlib import Path
file = Path(sys.argv[1])
file.touch()
while file.exists():
    time.sleep(0.02)
"""


def test_what_a_killed_deployment_began_keeps_the_next_one_waiting(tmp_path: Path) -> None:
    lock, runs = tmp_path / "lock", tmp_path / "runs"
    deployment = subprocess.Popen([sys.executable, "-c", _DEPLOYS, str(lock), str(runs), _COMMAND])
    until = time.monotonic() + 60
    while not runs.exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    deployment.send_signal(signal.SIGKILL)
    deployment.wait()
    with pytest.raises(Failed, match="another deployment is running"), alone(lock):
        pytest.fail("the command still runs")
    runs.unlink()
    while is_held(lock):
        assert time.monotonic() < until
        time.sleep(0.02)
    with alone(lock):
        pass
