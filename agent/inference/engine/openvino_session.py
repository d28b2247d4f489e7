"""OpenVINO as the inference library."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from agent.domain.errors import EngineStartFailed
from agent.inference.engine import openvino_models
from agent.inference.engine.devices import unquantised
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Floats, Input, Size, Values
from agent.inference.engine.openvino_config import core, ops, ov

# A size that was met so often gets a net of its own. Loading it takes 120 ms of processor time, each run then saves 2 to 5.
_RECURRING = 4


class OpenVinoSession:
    """An InferenceSession. Raises EngineStartFailed when the device is unusable."""

    def __init__(self, *, device: str, precision: str, threads: int, converted: Path | None, cache: Path | None) -> None:
        """`converted` and `cache` are folders, possibly read-only: missing files are then made for this process alone."""
        self._core = core()
        self._converted = converted
        self.device = device
        able = _abilities(self._core, device)
        # Quantised models were measured on processors only.
        if precision != unquantised(precision) and not (device == "CPU" and adds_bytes_exactly()):
            able.discard("INT8")
        self.precision = choose_precision(precision, able)
        self._options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": unquantised(self.precision),
        }
        self._cached = {} if cache is None else {"CACHE_DIR": str(cache)}
        if device.startswith("CPU"):
            # Several engines and the user's programs share the cores: no engine may pin itself to fixed ones.
            self._options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}

    def compile(self, file: ModelFile, given: Input, outputs: Sequence[str] = (), sizes: Sequence[Size] = ()) -> "OpenVinoNet":
        """Compile a model. Raises ModelError, EngineStartFailed."""

        def fixed(size: Size) -> ov.CompiledModel | None:
            return self._from_cache(openvino_models.with_input(openvino_models.of_size(self._model(file), size), given))

        compiled = self._compile(openvino_models.with_input(self._model(file), given))
        # On accelerators it was not measured.
        return OpenVinoNet(compiled, outputs, sizes if self._cached and self.device == "CPU" else (), fixed)

    def _model(self, file: ModelFile) -> ov.Model:
        return openvino_models.load(file, self._converted, int8=self.precision != unquantised(self.precision))

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        if self._cached and (compiled := self._from_cache(model)) is not None:
            return compiled
        try:
            return self._core.compile_model(model, self.device, self._options)
        except RuntimeError as error:
            raise EngineStartFailed from error

    def _from_cache(self, model: ov.Model) -> ov.CompiledModel | None:
        """Return the model as the cache has it, or gets it; None for a damaged cache, or a read-only one without it."""
        with suppress(RuntimeError):
            return self._core.compile_model(model, self.device, self._options | self._cached)
        return None


class OpenVinoNet:
    """A CompiledNet. One net for all sizes needs the least memory, but adapts its layers at each change of size."""

    def __init__(
        self, compiled: ov.CompiledModel, outputs: Sequence[str], sizes: Sequence[Size], fixed: Callable[[Size], ov.CompiledModel | None]
    ) -> None:
        """`fixed` returns a net for one of `sizes` only, or None."""
        self._any = _Loaded(compiled, outputs)
        self._outputs = outputs
        self._left = set(sizes)
        self._fixed: dict[Size, _Loaded] = {}
        self._compile_fixed = fixed
        self._met = Counter[Size]()

    def run(self, values: Values) -> list[Floats]:
        size = values.shape[1:3]
        if size in self._left:
            self._met[size] += 1
            if self._met[size] == _RECURRING:
                self._settle(size)
        return self._fixed.get(size, self._any).run(values)

    def release(self) -> None:
        for loaded in (self._any, *self._fixed.values()):
            loaded.compiled.release_memory()

    def prepare(self) -> None:
        for size in sorted(self._left):
            self._compile_fixed(size)

    def _settle(self, size: Size) -> None:
        self._left.discard(size)
        if (compiled := self._compile_fixed(size)) is not None:
            self._fixed[size] = _Loaded(compiled, self._outputs)
            self._any.compiled.release_memory()  # the buffers for this size


class _Loaded:
    """A compiled model with its request."""

    def __init__(self, compiled: ov.CompiledModel, outputs: Sequence[str]) -> None:
        self.compiled = compiled
        self._request = compiled.create_infer_request()
        self._outputs = [compiled.output(name) for name in outputs] or compiled.outputs

    def run(self, values: Values) -> list[Floats]:
        self._request.infer({0: values}, share_inputs=True)
        return [np.array(self._request.get_tensor(output).data, np.float32) for output in self._outputs]


def _abilities(core: ov.Core, device: str) -> set[str]:
    """Return the precisions that a device supports. Raises EngineStartFailed if the device does not exist."""
    # Asking for all devices loads the drivers of the others: 40 MB.
    there = [device] if device == "CPU" else core.available_devices
    if device not in {name for full in there for name in (full, full.partition(".")[0])}:
        raise EngineStartFailed
    try:
        return set(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
    except RuntimeError as error:
        raise EngineStartFailed from error


def adds_bytes_exactly() -> bool:
    """Return whether the processor computes int8 nets correctly. Without VNNI it adds products of bytes in 16 bits, which overflow."""
    given = ops.parameter([1, 16, 8, 8], np.float32)
    bytes_ = ops.fake_quantize(given, *(ops.constant(np.float32(bound)) for bound in (0, 255, 0, 255)), 256)
    weights = ops.multiply(ops.convert(ops.constant(np.full((16, 16, 1, 1), 127, np.int8)), "f32"), ops.constant(np.float32(1)))
    net = ov.Model([ops.convolution(bytes_, weights, [1, 1], [0, 0], [0, 0], [1, 1])], [given])
    found = core().compile_model(net, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})({0: np.full((1, 16, 8, 8), 255, np.float32)})[0]
    return bool(np.all(found == 16 * 255 * 127))


def choose_precision(wanted: str, able: set[str]) -> str:
    """Return the precision to use: `wanted` if the device supports it, else half precision where the hardware has it, else f32."""
    needed = {"int8": {"INT8"}, "int8_bf16": {"INT8", "BF16"}, "bf16": {"BF16"}, "f16": {"FP16"}, "f32": {"FP32"}}
    if wanted == "int8_bf16" and not needed[wanted] <= able:
        wanted = "int8"
    if wanted == "int8" and not needed[wanted] <= able:
        wanted = "auto"
    if wanted in needed:
        return wanted if needed[wanted] <= able else "f32"
    return next((name for name in ("bf16", "f16") if needed[name] <= able), "f32")
