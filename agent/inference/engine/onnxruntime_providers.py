"""ONNX Runtime's providers: which one drives a device, and its options."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from agent.inference.engine.devices import ONNX_CPU, kind_of

Options: TypeAlias = dict[str, str]


@dataclass(frozen=True, slots=True)
class ProviderChoice:
    """A device as one session uses it."""

    number: str  # of several devices of its kind
    precision: str
    cache: Path | None  # folder for compiled code


@dataclass(frozen=True, slots=True)
class OnnxProvider:
    """How ONNX Runtime drives a kind of device."""

    name: str
    options: Callable[[ProviderChoice], Options]
    memory: str = ""  # its allocator, if it keeps freed memory
    halves: bool = True  # computes in half precision
    fixed_memory: bool = True  # memory may be laid out before a run
    helpers: tuple[str, ...] = ()  # providers of operations that it lacks, before the processor
    cuda: bool = False  # needs NVIDIA's libraries, which may be packages

    def all_of(self, choice: ProviderChoice) -> list[tuple[str, Options]]:
        """Return itself and its helpers, with their options."""
        helpers = [(name, {"device_id": choice.number}) for name in self.helpers]
        return [(self.name, self.options(choice)), *helpers, *([(CPU_PROVIDER, _none(choice))] if self.name != CPU_PROVIDER else [])]


CPU_PROVIDER: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"


def _none(_: ProviderChoice) -> Options:
    return {}


def _number(choice: ProviderChoice) -> Options:
    return {"device_id": choice.number}


def _cuda(choice: ProviderChoice) -> Options:
    # Trying every algorithm for each new size takes seconds. Reduced precision is chosen openly, not inside f32.
    return {**_number(choice), "cudnn_conv_algo_search": "HEURISTIC", "arena_extend_strategy": "kSameAsRequested", "use_tf32": "0"}


def _tensorrt(choice: ProviderChoice) -> Options:
    half = {"trt_fp16_enable": "1"} if choice.precision == "f16" else {}
    kept = {} if choice.cache is None else {"trt_engine_cache_enable": "1", "trt_engine_cache_path": str(choice.cache)}
    return {**_number(choice), **half, **kept}


def _migraphx(choice: ProviderChoice) -> Options:
    return {**_number(choice), **({} if choice.cache is None else {"migraphx_model_cache_dir": str(choice.cache)})}


def _coreml(choice: ProviderChoice) -> Options:
    kept = {} if choice.cache is None else {"ModelCacheDirectory": str(choice.cache)}
    return {"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", **kept}


PROVIDERS: Final[Mapping[str, OnnxProvider]] = {
    "CUDA": OnnxProvider(_CUDA, _cuda, memory="gpu", cuda=True),
    "TENSORRT": OnnxProvider("TensorrtExecutionProvider", _tensorrt, memory="gpu", helpers=(_CUDA,), cuda=True),
    "MIGRAPHX": OnnxProvider("MIGraphXExecutionProvider", _migraphx),
    "ROCM": OnnxProvider("ROCMExecutionProvider", _number, memory="gpu"),
    "COREML": OnnxProvider("CoreMLExecutionProvider", _coreml),
    "DIRECTML": OnnxProvider("DmlExecutionProvider", _number, fixed_memory=False),
    ONNX_CPU: OnnxProvider(CPU_PROVIDER, _none, halves=False),
}


def provider_of(device: str) -> OnnxProvider:
    """Return the provider of a device of the settings. Raises KeyError if OpenVINO drives it."""
    return PROVIDERS[kind_of(device)]
