"""OpenVINO: converts model files to its own format once, compiles them and makes them callable."""

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from agent.core.heap import give_back
from agent.domain.errors import EngineStartFailed, ModelMissing, ModelWrongHash
from agent.engine.engine_calls import ModelFile
from agent.engine.openvino_quiet import core, ov, preprocess
from agent.vision import embedder
from agent.vision.detector import DetectorNet

_PAIR_SHAPE = [2, 192]
# Above this many pixels, a net's buffers cost more memory than reallocating costs time: 130 MB at 1280 by 1280 against 50 ms.
_LARGE = 768 * 1024


class Runtime:
    """Compiles models for one device and precision. Raises EngineStartFailed when the device is unusable."""

    def __init__(self, *, device: str, precision: str, threads: int, converted: Path | None, cache: Path | None) -> None:
        """`converted` and `cache` are folders, possibly read-only: missing files are then made for this process alone."""
        self._core = core()
        self._converted = converted
        self._used: set[ov.CompiledModel] = set()
        self._swollen = False
        self.device = device
        able = _abilities(self._core, device)
        self.precision = choose_precision(precision, able)
        self._options: dict[str, object] = {
            "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_PRECISION_HINT": self.precision,
        }
        self._cached = {} if cache is None else {"CACHE_DIR": str(cache)}
        if device.startswith("CPU"):
            # Several engines and the user's programs share the cores: no engine may pin itself to fixed ones.
            self._options |= {"INFERENCE_NUM_THREADS": threads, "ENABLE_CPU_PINNING": False}

    def detector(self, file: ModelFile, outputs: Sequence[str], *, blue_first: bool) -> DetectorNet:
        """A face detection net, its outputs by name; `blue_first` if it was trained on BGR. Raises ModelError or EngineStartFailed."""
        model = self._load(file)
        # The image stays bytes up to here: the net's first layer converts it in place.
        steps = preprocess.PrePostProcessor(model)
        tensor = steps.input().tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
        if blue_first:
            tensor.set_color_format(preprocess.ColorFormat.RGB)
            steps.input().preprocess().convert_color(preprocess.ColorFormat.BGR)
        steps.input().model().set_layout(ov.Layout("NCHW"))
        compiled = self._compile(steps.build())
        infer = compiled.create_infer_request()

        def net(image: NDArray[np.uint8]) -> list[NDArray[np.float32]]:
            infer.infer({0: image}, share_inputs=True)
            self._used.add(compiled)
            self._swollen |= image.shape[1] * image.shape[2] > _LARGE
            return [infer.get_tensor(name).data.copy() for name in outputs]

        return net

    def slim(self) -> None:
        """Free the memory that detectors took for large inputs, if any."""
        if self._swollen:
            self.release()

    def release(self) -> None:
        """Free the memory that detectors took for inputs of any size, and unused heap: some 120 MB after many photos."""
        while self._used:
            self._used.pop().release_memory()
        self._swollen = False
        give_back()

    def embedder(self, file: ModelFile) -> embedder.EmbedderNet:
        """MobileFaceNet. Raises ModelError or EngineStartFailed."""
        infer = self._compile(self._load(file)).create_infer_request()

        def net(faces: NDArray[np.float32]) -> NDArray[np.float32]:
            # Batch sizes are rounded up to a few values, so that memory does not grow with every new size.
            size = next(size for size in (2, embedder.BATCH) if size >= len(faces))
            batch = np.zeros((size, *faces.shape[1:]), np.float32)
            batch[: len(faces)] = faces
            infer.infer({0: batch}, share_inputs=True)
            return np.array(infer.get_output_tensor(0).data[: len(faces)], np.float32)

        return net

    def _compile(self, model: ov.Model) -> ov.CompiledModel:
        if self._cached:
            with suppress(RuntimeError):  # for example a damaged cache, or a read-only one without this model
                return self._core.compile_model(model, self.device, self._options | self._cached)
        try:
            return self._core.compile_model(model, self.device, self._options)
        except RuntimeError as error:
            raise EngineStartFailed from error

    def _load(self, file: ModelFile) -> ov.Model:
        """The model in OpenVINO's format, converted on first use; the file's hash is checked before reading."""
        if not Path(file.path).is_file():
            raise ModelMissing(model=file.name)
        ready = None if self._converted is None else self._converted / f"{file.name}-{file.sha256[:16]}.xml"
        if ready is not None and ready.is_file():
            try:
                return self._core.read_model(ready)
            except RuntimeError:
                with suppress(OSError):
                    ready.unlink()  # damaged: it is only a copy
        if hashlib.sha256(Path(file.path).read_bytes()).hexdigest() != file.sha256:
            raise ModelWrongHash(model=file.name)
        model = _flexible(self._core.read_model(file.path))
        return model if ready is None else self._kept(model, ready)

    def _kept(self, model: ov.Model, ready: Path) -> ov.Model:
        """The model as read back from its file in OpenVINO's format, if that can be written."""
        # In the same folder: on some kernels a sandboxed engine can't move files between folders.
        fresh = ready.with_name(f"{uuid4().hex}.xml")
        try:
            ready.parent.mkdir(parents=True, exist_ok=True)
            ov.save_model(model, fresh, compress_to_fp16=True)
            # The description goes last: if it exists, the weights do too.
            for suffix in (".bin", ".xml"):
                with suppress(PermissionError):  # Windows: another engine was first and has it open
                    fresh.with_suffix(suffix).replace(ready.with_suffix(suffix))
        except (RuntimeError, OSError):
            return model  # for example on a full disk: the copy only shortens the next start
        finally:
            for suffix in (".bin", ".xml"):
                with suppress(OSError):
                    fresh.with_suffix(suffix).unlink(missing_ok=True)
        return self._core.read_model(ready)


def _abilities(core: ov.Core, device: str) -> set[str]:
    """The precisions that a device supports. Raises EngineStartFailed if the device does not exist."""
    # Asking for all devices loads the drivers of the others: 40 MB.
    there = [device] if device == "CPU" else core.available_devices
    if device not in {name for full in there for name in (full, full.partition(".")[0])}:
        raise EngineStartFailed
    try:
        return set(core.get_property(device, "OPTIMIZATION_CAPABILITIES"))
    except RuntimeError as error:
        raise EngineStartFailed from error


def choose_precision(wanted: str, able: set[str]) -> str:
    """The precision to use: `wanted` if the device supports it, else half precision where the hardware has it, else f32."""
    names = {"bf16": "BF16", "f16": "FP16", "f32": "FP32"}
    if wanted in names:
        return wanted if names[wanted] in able else "f32"
    return next((name for name in ("bf16", "f16") if names[name] in able), "f32")


def model_for(models: Mapping[str, ModelFile], recipe: str) -> ModelFile:
    """The file for a recipe. Raises ModelMissing."""
    if recipe not in models:
        raise ModelMissing(model=recipe)
    return models[recipe]


def _flexible(model: ov.Model) -> ov.Model:
    """The model with variable image and batch sizes: both nets are exported for one fixed shape."""
    for node in model.get_ops():
        if node.get_type_name() != "Reshape":
            continue
        shape = node.input_value(1).get_node()
        if shape.get_type_name() == "Constant" and list(shape.data) == _PAIR_SHAPE:
            # The embedder's graph is built for pairs of faces.
            node.input(1).replace_source_output(ov.opset13.constant(np.array([-1, _PAIR_SHAPE[1]], np.int64)).output(0))
    shape = model.input(0).partial_shape
    channels_last = shape[3].is_static and shape[3].get_length() == 3
    model.reshape([-1, 112, 112, 3] if channels_last else [1, 3, -1, -1])
    return model
