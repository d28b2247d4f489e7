"""What ONNX Runtime is asked for on hardware that tests don't have, by a stand-in for it."""

import os
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from agent.domain.errors import EngineStartFailed
from agent.inference.engine import onnxruntime_session
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Input
from agent.inference.engine.onnxruntime_session import OnnxRuntimeSession, offered


class Options:
    def __init__(self) -> None:
        self.entries: dict[str, str] = {}

    def add_session_config_entry(self, name: str, value: str) -> None:
        self.entries[name] = value

    add_run_config_entry = add_session_config_entry


class Session:
    """Computes nothing. A provider of `missing` is left out silently, as the library does."""

    missing: tuple[str, ...] = ()
    made: "list[Session]"

    def __init__(self, model: object, options: Any, *, providers: list[tuple[str, Mapping[str, str]]], enable_fallback: int) -> None:
        self.model, self.options, self.providers = model, options, dict(providers)
        self.runs: list[tuple[Any, Any]] = []
        assert not enable_fallback
        self.made.append(self)

    def get_providers(self) -> list[str]:
        return [name for name in self.providers if name not in self.missing]

    def get_inputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="input", type="tensor(uint8)", shape=["n", "h", "w", 3])]

    def get_outputs(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(name="faces")]

    def run(self, outputs: list[str], values: Mapping[str, Any], options: Any = None) -> list[Any]:
        self.runs.append((values["input"].shape, None if options is None else options.entries))
        return [np.zeros(1, np.float32) for _ in outputs]


class Library:
    SessionOptions = RunOptions = Options
    InferenceSession: type[Session]
    preloaded: "list[str]"

    def preload_dlls(self, *, directory: str) -> None:
        self.preloaded.append(directory)

    def get_available_providers(self) -> list[str]:
        names = ("CUDA", "Tensorrt", "MIGraphX", "ROCM", "CoreML", "Dml", "Azure", "CPU")
        return [f"{name}ExecutionProvider" for name in names]


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Session]:
    """The sessions that are made."""
    sessions: list[Session] = []
    monkeypatch.setattr(Library, "InferenceSession", type("Recorded", (Session,), {"made": sessions}), raising=False)
    monkeypatch.setattr(Library, "preloaded", [], raising=False)
    monkeypatch.setattr(onnxruntime_session, "library", Library)
    monkeypatch.setattr(onnxruntime_session, "installed", lambda: True)
    monkeypatch.setattr(onnxruntime_session, "_converted", lambda *_: b"onnx")
    monkeypatch.delenv("CUDA_CACHE_PATH", raising=False)
    return sessions


def compiled(device: str, folder: Path, precision: str = "auto", cache: Path | None = None) -> tuple[Any, OnnxRuntimeSession]:
    model = folder / "model"
    model.touch()
    session = OnnxRuntimeSession(device=device, precision=precision, threads=3, converted=folder / "converted", cache=cache)
    return session.compile(ModelFile("net", str(model), "0" * 64), Input.PIXELS), session


@pytest.mark.parametrize(
    ("device", "providers", "number"),
    [
        ("CUDA", ["CUDAExecutionProvider", "CPUExecutionProvider"], "0"),
        ("CUDA.1", ["CUDAExecutionProvider", "CPUExecutionProvider"], "1"),
        ("TENSORRT.2", ["TensorrtExecutionProvider", "CUDAExecutionProvider", "CPUExecutionProvider"], "2"),
        ("MIGRAPHX", ["MIGraphXExecutionProvider", "CPUExecutionProvider"], "0"),
        ("ROCM.1", ["ROCMExecutionProvider", "CPUExecutionProvider"], "1"),
        ("DIRECTML.1", ["DmlExecutionProvider", "CPUExecutionProvider"], "1"),
    ],
)
def test_each_device_has_its_provider_by_number(
    made: list[Session], tmp_path: Path, device: str, providers: list[str], number: str
) -> None:
    _, session = compiled(device, tmp_path)
    assert list(made[0].providers) == providers
    assert all(options["device_id"] == number for name, options in made[0].providers.items() if name != "CPUExecutionProvider")
    assert (session.device, session.precision) == (device, "f16")


def test_core_ml_has_no_number_and_the_azure_provider_is_never_used(made: list[Session], tmp_path: Path) -> None:
    compiled("COREML", tmp_path, cache=tmp_path)
    ((name, options), (processor, _)) = made[0].providers.items()
    assert (name, processor) == ("CoreMLExecutionProvider", "CPUExecutionProvider")
    assert options == {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "ModelCacheDirectory": str(tmp_path)}


def test_precision_is_that_of_the_settings_and_the_processors_is_full(made: list[Session], tmp_path: Path) -> None:
    asked = ("auto", "f16", "f32", "bf16")
    assert [compiled("CUDA", tmp_path, each)[1].precision for each in asked] == ["f16", "f16", "f32", "f32"]
    assert [compiled("ONNX-CPU", tmp_path, each)[1].precision for each in asked] == ["f32"] * 4
    assert {Path(str(session.model)).name for session in made} == {
        f"net-{'0' * 16}-pixels-{precision}.onnx" for precision in ("f16", "f32")
    }


def test_nvidias_libraries_are_loaded_from_their_packages_only_where_they_are_needed(made: list[Session], tmp_path: Path) -> None:
    for device in ("ONNX-CPU", "ROCM", "DIRECTML"):
        compiled(device, tmp_path)
    assert Library.preloaded == []
    compiled("CUDA", tmp_path)
    assert Library.preloaded == [""]


def test_threads_are_bounded_and_sleep_while_they_wait(made: list[Session], tmp_path: Path) -> None:
    compiled("ONNX-CPU", tmp_path)
    options = made[0].options
    assert (options.intra_op_num_threads, options.inter_op_num_threads) == (3, 1)
    assert options.entries == {"session.intra_op.allow_spinning": "0"}


def test_what_drivers_compile_is_kept_in_the_folder_for_it(made: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_CACHE_PATH", "")
    for device, option in (("TENSORRT", "trt_engine_cache_path"), ("MIGRAPHX", "migraphx_model_cache_dir")):
        compiled(device, tmp_path, cache=tmp_path / "kernels")
        assert next(iter(made[-1].providers.values()))[option] == str(tmp_path / "kernels")
    assert os.environ["CUDA_CACHE_PATH"] == str(tmp_path / "kernels")


@pytest.mark.parametrize(("device", "memory"), [("CUDA.1", "cpu:0;gpu:1"), ("COREML", "cpu:0"), ("ONNX-CPU", "cpu:0")])
def test_memory_is_given_back_at_the_end_of_the_smallest_run(made: list[Session], tmp_path: Path, device: str, memory: str) -> None:
    net, _ = compiled(device, tmp_path)
    net.run(np.zeros((1, 640, 480, 3), np.uint8))
    net.release()
    assert made[0].runs == [((1, 640, 480, 3), None), ((1, 32, 32, 3), {"memory.enable_memory_arena_shrinkage": memory})]


def test_a_provider_that_the_library_leaves_out_is_no_success(made: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "missing", ("CUDAExecutionProvider",))
    with pytest.raises(EngineStartFailed):
        compiled("CUDA", tmp_path)


def test_a_provider_that_the_package_does_not_have_is_refused(made: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Library, "get_available_providers", lambda _: ["CPUExecutionProvider"])
    with pytest.raises(EngineStartFailed):
        compiled("CUDA", tmp_path)
    assert [device.name for device in offered()] == ["ONNX-CPU"]


def test_what_the_package_has_is_offered_with_the_driver_that_results_depend_on(
    made: list[Session], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "version").write_text("NVRM version: 580.1")
    monkeypatch.setattr(onnxruntime_session, "_NVIDIA_DRIVER", tmp_path / "version")
    devices = {device.name: device.driver for device in offered()}
    assert list(devices) == ["CUDA", "TENSORRT", "MIGRAPHX", "ROCM", "COREML", "DIRECTML", "ONNX-CPU"]
    assert devices["CUDA"] == devices["TENSORRT"] == "NVRM version: 580.1" and devices["MIGRAPHX"] == ""


def test_without_the_package_nothing_is_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnxruntime_session, "installed", lambda: False)
    assert offered() == ()
