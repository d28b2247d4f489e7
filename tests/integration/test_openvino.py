"""OpenVINO in a process of its own, loaded as the engine loads it."""

import subprocess
import sys
from pathlib import Path

SIGNAL_AFTER_TWO = """
import signal, sys
from pathlib import Path
from agent.engine.runtime import Runtime

folder = Path(sys.argv[1])
runtimes = [Runtime(device="CPU", precision="f32", threads=1, converted=folder, cache=folder) for _ in range(2)]
while runtimes:
    del runtimes[0]
signal.signal(signal.SIGINT, lambda *_: print("heard"))
signal.raise_signal(signal.SIGINT)
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], check=False, timeout=60, capture_output=True, text=True)


def test_the_client_for_usage_statistics_is_not_loaded() -> None:
    code = "import sys, agent.engine.runtime; sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    assert run(code).returncode == 0


def test_a_signal_is_heard_after_runtimes_went_in_the_order_they_came(tmp_path: Path) -> None:
    told = run(SIGNAL_AFTER_TWO, str(tmp_path))
    assert (told.returncode, told.stdout) == (0, "heard\n")
