"""The models of an engine as functions on arrays, whatever library runs them, and the memory that they hold."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.domain.errors import ModelMissing
from agent.inference.engine.devices import by_onnx_runtime
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import CompiledNet, Floats, InferenceSession, Input, Size
from agent.inference.vision import embedder
from agent.inference.vision.detector import DetectorNet
from agent.infrastructure.core.malloc_tuning import give_back

# Above this many pixels, a net's buffers cost more memory than reallocating costs time: 130 MB at 1280 by 1280 against 50 ms.
_LARGE = 768 * 1024


class Runtime:
    """Makes models callable on one device and precision. Raises EngineStartFailed when the device is unusable."""

    def __init__(
        self, *, device: str, precision: str, threads: int, converted: Path | None, cache: Path | None, scans: bool = True
    ) -> None:
        """`converted` and `cache` are folders, possibly read-only: missing files are then made for this process alone.

        With `scans`, sizes that recur get nets of their own.
        """
        self._scans = scans
        self._session = session_on(device=device, precision=precision, threads=threads, converted=converted, cache=cache)
        self._nets: list[CompiledNet] = []
        self._used: set[CompiledNet] = set()
        self._swollen = False

    @property
    def device(self) -> str:
        return self._session.device

    @property
    def precision(self) -> str:
        return self._session.precision

    def detector(self, file: ModelFile, outputs: Sequence[str], *, blue_first: bool, sizes: Sequence[Size] = ()) -> DetectorNet:
        """A face detection net, its outputs by name; `blue_first` if it was trained on BGR; `sizes` recur.

        Raises ModelError or EngineStartFailed.
        """
        compiled = self._session.compile(
            file, Input.PIXELS_BLUE_FIRST if blue_first else Input.PIXELS, outputs, sizes if self._scans else ()
        )
        self._nets.append(compiled)

        def net(image: NDArray[np.uint8]) -> list[Floats]:
            found = compiled.run(image)
            self._used.add(compiled)
            self._swollen |= image.shape[1] * image.shape[2] > _LARGE
            return found

        return net

    def slim(self) -> None:
        """Free the memory that detectors took for large inputs, if any."""
        if self._swollen:
            self.release()

    def release(self) -> None:
        """Free the memory that detectors took for inputs of any size, and unused heap: some 120 MB after many photos."""
        while self._used:
            self._used.pop().release()
        self._swollen = False
        give_back()

    def prepare(self) -> None:
        """Put what is compiled later into the cache."""
        for net in self._nets:
            net.prepare()

    def embedder(self, file: ModelFile) -> embedder.EmbedderNet:
        """MobileFaceNet. Raises ModelError or EngineStartFailed."""
        compiled = self._session.compile(file, Input.FLOATS)

        def net(faces: Floats) -> Floats:
            # Batch sizes are rounded up to a few values, so that memory does not grow with every new size.
            size = next(size for size in (2, embedder.BATCH) if size >= len(faces))
            batch = np.zeros((size, *faces.shape[1:]), np.float32)
            batch[: len(faces)] = faces
            return compiled.run(batch)[0][: len(faces)]

        return net


def session_on(*, device: str, precision: str, threads: int, converted: Path | None, cache: Path | None) -> InferenceSession:
    """Return a session of the library that drives the device; only this one is loaded. Raises EngineStartFailed."""
    kind: Callable[..., InferenceSession]
    if by_onnx_runtime(device):
        from agent.inference.engine.onnxruntime_session import OnnxRuntimeSession as kind
    else:
        from agent.inference.engine.openvino_session import OpenVinoSession as kind
    return kind(device=device, precision=precision, threads=threads, converted=converted, cache=cache)


def model_for(models: Mapping[str, ModelFile], recipe: str) -> ModelFile:
    """The file for a recipe. Raises ModelMissing."""
    if recipe not in models:
        raise ModelMissing(model=recipe)
    return models[recipe]
