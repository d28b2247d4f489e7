"""What an engine on Linux is granted for an accelerator, and that one on the processor is not."""

import sys
from pathlib import Path

import pytest

if sys.platform != "linux":
    pytest.skip("asks Linux", allow_module_level=True)

from agent.inference.engine.sandbox import landlock, linux
from agent.inference.engine.sandbox.sandbox_paths import SandboxPaths


def test_only_an_accelerators_engine_reaches_device_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "input"):
        (tmp_path / name).touch()
    monkeypatch.setattr(linux, "_DEVICE_FILES", tmp_path)
    granted = [path for path, rights in linux._grants(SandboxPaths((), (), devices=True)) if rights == landlock.DEVICE]
    assert {path.name for path in granted} == {"dri", "accel", "kfd", "dxg", "nvidia0", "nvidiactl", "nvidia-uvm"}
    assert not [path for path, rights in linux._grants(SandboxPaths((), ())) if rights == landlock.DEVICE]
