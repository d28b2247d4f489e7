"""ONNX Runtime as the inference library: accelerators that OpenVINO does not drive, and the processor."""

import functools
import os
from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from agent.domain.errors import EngineStartFailed, ModelMissing
from agent.inference.engine.devices import Device
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Floats, Input, Size, Values
from agent.inference.engine.onnxruntime_providers import PROVIDERS, ProviderChoice, provider_of

_LEAST_SIDE = 32  # of a picture: detectors halve it five times
_NVIDIA_DRIVER = Path("/proc/driver/nvidia/version")
_FATAL = 4


class OnnxRuntimeSession:
    """An InferenceSession. Raises EngineStartFailed when the library or the device is unusable."""

    def __init__(self, *, device: str, precision: str, threads: int, converted: Path | None, cache: Path | None) -> None:
        """`converted` and `cache` are folders, possibly read-only: missing files are then made for this process alone."""
        self._provider = provider_of(device)
        self._converted = converted
        self._threads = threads
        self.device = device
        self.precision = "f16" if self._provider.halves and precision in ("auto", "f16") else "f32"
        if cache is not None:
            os.environ["CUDA_CACHE_PATH"] = str(cache)  # its usual place is out of reach
        ort = library()
        if self._provider.name not in ort.get_available_providers():
            raise EngineStartFailed
        if self._provider.cuda:
            ort.preload_dlls(directory="")  # those of packages first, else the system's
        self._choice = ProviderChoice(device.partition(".")[2] or "0", self.precision, cache)

    def compile(self, file: ModelFile, given: Input, outputs: Sequence[str] = (), sizes: Sequence[Size] = ()) -> "OnnxRuntimeNet":
        """Compile a model; its net runs all sizes alike. Raises ModelError, EngineStartFailed."""
        if not Path(file.path).is_file():
            raise ModelMissing(model=file.name)
        ready = None if self._converted is None else self._converted / _file_name(file, given, self.precision)
        if ready is not None and ready.is_file():
            try:
                return self._net(ready, outputs)
            except EngineStartFailed:
                with suppress(OSError):
                    ready.unlink()  # perhaps damaged: it is only a copy
        data = _converted(file, given, self.precision)
        return self._net(data if ready is None else _kept(data, ready), outputs)

    def _net(self, model: bytes | Path, outputs: Sequence[str]) -> "OnnxRuntimeNet":
        ort = library()
        options = ort.SessionOptions()
        options.intra_op_num_threads = self._threads
        options.inter_op_num_threads = 1
        # Waiting threads sleep: several engines and the user's programs share the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_mem_pattern = self._provider.fixed_memory
        try:
            session = ort.InferenceSession(
                str(model) if isinstance(model, Path) else model, options, providers=self._provider.all_of(self._choice), enable_fallback=0
            )
        except Exception as error:  # the library's errors have no common type
            raise EngineStartFailed from error
        # A provider whose own libraries are missing is left out silently.
        if session.get_providers()[0] != self._provider.name:
            raise EngineStartFailed
        memory = [f"{self._provider.memory}:{self._choice.number}"] if self._provider.memory else []
        return OnnxRuntimeNet(session, outputs, ";".join(["cpu:0", *memory]))


class OnnxRuntimeNet:
    """A CompiledNet."""

    def __init__(self, session: Any, outputs: Sequence[str], memory: str) -> None:
        """`memory` names the allocators to shrink."""
        self._session = session
        (self._input,) = session.get_inputs()
        self._outputs = list(outputs) or [output.name for output in session.get_outputs()]
        self._memory = memory

    def run(self, values: Values) -> list[Floats]:
        found: list[Floats] = self._session.run(self._outputs, {self._input.name: values})
        return found

    def prepare(self) -> None:
        """Do nothing: the provider compiles while the net runs."""

    def release(self) -> None:
        """Run on the smallest input: only at the end of a run unused memory can be freed."""
        options = library().RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", self._memory)
        self._session.run(self._outputs, {self._input.name: self._smallest()}, options)

    def _smallest(self) -> Values:
        first, *others = self._input.shape
        sides = [side if isinstance(side, int) else _LEAST_SIDE for side in others]
        shape = (first if isinstance(first, int) else 1, *sides)
        return np.zeros(shape, np.uint8) if "uint8" in self._input.type else np.zeros(shape, np.float32)


def offered() -> tuple[Device, ...]:
    """Return the devices that the installed ONNX Runtime was built for, present or not; none without it."""
    if not installed():
        return ()
    there = set(library().get_available_providers())
    return tuple(Device(kind, "", _driver(kind)) for kind, provider in PROVIDERS.items() if provider.name in there)


def _driver(kind: str) -> str:
    """Return the version of a device's driver, if it can be read."""
    if kind in ("CUDA", "TENSORRT"):
        with suppress(OSError):
            return _NVIDIA_DRIVER.read_text(encoding="utf-8", errors="replace")
    return ""


def _file_name(file: ModelFile, given: Input, precision: str) -> str:
    return f"{file.name}-{file.sha256[:16]}-{given.value}-{precision}.onnx"


def _converted(file: ModelFile, given: Input, precision: str) -> bytes:
    """Return the model in ONNX. Raises ModelError, EngineStartFailed."""
    # OpenVINO is loaded only to convert: engines find the converted file ready.
    from agent.inference.engine import openvino_models
    from agent.inference.engine.onnx_writer import UnsupportedOperation, written

    try:
        return written(openvino_models.with_input(openvino_models.read(file), given), half=precision == "f16")
    except UnsupportedOperation as error:
        raise EngineStartFailed from error


def _kept(data: bytes, ready: Path) -> bytes | Path:
    """Return the file with this content, if it can be written, else the content."""
    fresh = ready.with_name(f"{uuid4().hex}.onnx")
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        fresh.write_bytes(data)
        fresh.replace(ready)
    except OSError:  # for example a full disk, or another engine has the file open (Windows)
        return data
    finally:
        with suppress(OSError):
            fresh.unlink(missing_ok=True)
    return ready


def installed() -> bool:
    """Return whether there is an ONNX Runtime, without loading it."""
    return find_spec("onnxruntime") is not None


@functools.cache
def library() -> Any:
    """Return ONNX Runtime, without events for the system's telemetry, and without its log, which may name files.

    Raises EngineStartFailed if it is missing or can't be loaded.
    """
    try:
        import onnxruntime
    except ImportError as error:  # also where a library that it needs is missing
        raise EngineStartFailed from error
    onnxruntime.disable_telemetry_events()
    onnxruntime.set_default_logger_severity(_FATAL)
    return onnxruntime
