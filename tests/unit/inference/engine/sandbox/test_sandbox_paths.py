"""What the engine is granted: its program, its models, a scratch folder, and nothing of the user's."""

import subprocess
import sys
from pathlib import Path

import pytest

import agent
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths, program

MODEL, SCRATCH = Path("/m/model.onnx"), Path("/cache/kernels")


def rooms(device: str = "CPU", megapixels: int = 200) -> SandboxPaths:
    return SandboxPaths.of_engine(models=[MODEL], scratch=[SCRATCH], device=device, megapixels=megapixels)


def test_it_reads_its_program_and_its_models_and_writes_in_its_scratch_folder() -> None:
    granted = rooms()
    assert {MODEL, Path(agent.__file__).parent} <= set(granted.read)
    assert granted.write == (SCRATCH,)


def test_the_matcher_reads_its_program_and_writes_nothing() -> None:
    granted = SandboxPaths.of_matcher()
    assert (set(granted.read), granted.write, granted.devices) == (set(program()), (), False) and granted.address_space


def test_nothing_that_holds_more_than_code_is_granted() -> None:
    checkout = Path(agent.__file__).parent.parent
    assert not {Path("/"), Path.home(), Path.cwd(), checkout, Path("/usr"), Path("/etc")} & set(rooms().read)


def test_a_program_in_one_folder_reads_that_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "frozen", True, raising=False)
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/ai-popup/_internal", raising=False)
    monkeypatch.setattr(sys, "executable", "/opt/ai-popup/ai-popup")
    assert {Path("/opt/ai-popup"), Path("/opt/ai-popup/_internal")} <= set(program())


@pytest.mark.parametrize("device", ["GPU", "NPU", "AUTO", "GPU.1", "CUDA", "DIRECTML.1"])
def test_an_accelerator_opens_its_devices_and_lifts_the_limit_of_memory(device: str) -> None:
    assert (rooms(device).devices, rooms(device).address_space) == (True, None)


def test_the_processor_needs_no_device_whatever_computes_on_it() -> None:
    assert rooms("ONNX-CPU") == rooms("CPU")


def test_larger_photos_may_take_more_memory() -> None:
    small, large = rooms(megapixels=100), rooms(megapixels=1000)
    assert not small.devices and small.address_space is not None and large.address_space is not None
    assert small.address_space < large.address_space


def test_it_can_be_loaded_where_there_are_no_limits_of_resources() -> None:
    code = "import sys; sys.modules['resource'] = None; import agent.inference.engine.sandbox"  # as on Windows
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == 0
