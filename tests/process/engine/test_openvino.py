"""OpenVINO in a process of its own, loaded as the engine loads it."""

import platform
import subprocess
import sys
from pathlib import Path

import pytest

SIGNAL_AFTER_TWO = """
import signal, sys
from pathlib import Path
from agent.inference.engine.runtime import Runtime

folder = Path(sys.argv[1])
runtimes = [Runtime(device="CPU", precision="f32", threads=1, converted=folder, cache=folder) for _ in range(2)]
while runtimes:
    del runtimes[0]
signal.signal(signal.SIGINT, lambda *_: print("heard"))
signal.raise_signal(signal.SIGINT)
"""

CPU_ALONE = """
import sys
from pathlib import Path
from agent.inference.engine.openvino_config import core
from agent.inference.engine.runtime import Runtime

def held():
    return "_gpu_plugin" in Path("/proc/self/maps").read_text()
folder = Path(sys.argv[1])
Runtime(device="CPU", precision="f32", threads=1, converted=folder, cache=folder)
before = held()
core().available_devices
print(before, held())
"""

NO_CPU = """
import sys
from pathlib import Path
from agent.domain.errors import EngineStartFailed
from agent.inference.engine.openvino_config import ov
from agent.inference.engine.runtime import Runtime

def missing(*_):
    raise RuntimeError
ov.Core.get_property = missing
folder = Path(sys.argv[1])
try:
    Runtime(device="CPU", precision="f32", threads=1, converted=folder, cache=folder)
except EngineStartFailed:
    print("named")
"""

INT8 = """
import sys
from pathlib import Path
from agent.inference.engine.openvino_session import adds_bytes_exactly
from agent.inference.engine.runtime import Runtime

folder = Path(sys.argv[1])
print(adds_bytes_exactly(), Runtime(device="CPU", precision="int8", threads=1, converted=folder, cache=folder).precision)
"""


def run(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code, *words], check=False, timeout=60, capture_output=True, text=True)


def test_the_client_for_usage_statistics_is_not_loaded() -> None:
    code = "import sys, agent.inference.engine.openvino_session; sys.exit(sys.modules.get('openvino_telemetry') is not None)"
    assert run(code).returncode == 0


def test_a_signal_is_heard_after_runtimes_went_in_the_order_they_came(tmp_path: Path) -> None:
    told = run(SIGNAL_AFTER_TWO, str(tmp_path))
    assert (told.returncode, told.stdout) == (0, "heard\n")


@pytest.mark.skipif(
    (sys.platform, platform.machine()) != ("linux", "x86_64"), reason="asks Linux what is loaded; other builds drive no GPU"
)
def test_an_engine_on_the_processor_loads_nothing_that_drives_a_gpu(tmp_path: Path) -> None:
    told = run(CPU_ALONE, str(tmp_path))
    assert (told.returncode, told.stdout) == (0, "False True\n"), "asked for all devices, it is loaded"


def test_a_processor_that_can_not_be_used_is_named(tmp_path: Path) -> None:
    told = run(NO_CPU, str(tmp_path))
    assert (told.returncode, told.stdout) == (0, "named\n")


@pytest.mark.skipif(platform.machine().lower() not in ("x86_64", "amd64"), reason="these are instructions of x86")
def test_without_vnni_nothing_is_quantised(tmp_path: Path) -> None:
    code = f"import os; os.environ['ONEDNN_MAX_CPU_ISA'] = 'AVX2'\n{INT8}"
    assert run(code, str(tmp_path)).stdout.split() in (["False", "f32"], ["False", "bf16"])
