"""The self-test: on drawn people, a device must match the processor at full precision, one by one and in batches."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.inference.engine.devices import AUTO, CPU, EXACT, Device, Fault, Trial, by_onnx_runtime, kind_of
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.inference_session import Size
from agent.inference.engine.onnxruntime_session import offered
from agent.inference.engine.openvino_config import core
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.selftest_sample import group, one
from agent.inference.engine.service import detector_of
from agent.inference.vision import embedder
from agent.inference.vision.aligner import align, face_of
from agent.inference.vision.codecs import Image
from agent.inference.vision.detection import Detection
from agent.inference.vision.detector import Detector, DetectorNet
from agent.inference.vision.detectors import DETECTORS
from agent.inference.vision.embedder import EmbedderNet, normalised, prepared

LEAST_IOU = 0.9
LEAST_COSINE = 0.999
_SCORE = 0.3  # drawn people score lower than real ones
# A face just above the threshold on one device and just below on the other is not an error.
_DOUBT = 0.05
# Enough that one is undisturbed on a busy machine: precisions differ by a third, and the choice is kept.
_ROUNDS = 10

Floats = NDArray[np.float32]


def devices_for(wanted: str) -> tuple[Device, ...]:
    """The devices of the libraries that may drive `wanted`, except OpenVINO's processor. Loads their drivers, which may do anything."""
    onnx_runtimes = offered() if wanted == AUTO or by_onnx_runtime(wanted) else ()
    return (() if by_onnx_runtime(wanted) else accelerators()) + onnx_runtimes


def accelerators() -> tuple[Device, ...]:
    """The devices that OpenVINO offers besides the processor."""
    return tuple(_described(name) for name in core().available_devices if kind_of(name) in ("GPU", "NPU"))


def _described(name: str) -> Device:
    try:
        return Device(name, str(core().get_property(name, "FULL_DEVICE_NAME")), _driver(name))
    except RuntimeError:  # not even its name can be read: its trial will tell, and the others are unaffected
        return Device(name, "", "")


def self_test(config: EngineConfig, clock: Callable[[], float]) -> Trial:
    """Test the device and precision of `config` with the present models. Raises ModelError; EngineStartFailed for an unusable device."""
    exact = _Nets(_runtime(config, CPU, EXACT), config)
    tried = _Nets(_runtime(config, config.device, config.precision), config)
    with np.errstate(all="ignore"):  # a device that returns NaN is reported as such
        return Trial(_compare(exact, tried), tried.precision, round(_time(tried, clock), 2))


def _compare(exact: "_Nets", tried: "_Nets") -> Fault | None:
    chips: list[NDArray[np.uint8]] = []
    for right, given in zip(exact.detectors, tried.detectors, strict=True):
        for place, image in enumerate((one(), group(), one())):
            expected, found = _look(right, image), _look(given, image)
            if not tried.finite:
                return Fault.NO_NUMBERS
            if fault := _other_faces(expected, found):
                return fault if place < 2 else Fault.BATCH
            chips += [face_of(align(image, face.landmarks)) for face in expected]
    if exact.embedder is None or tried.embedder is None or not chips:
        return None
    faces = prepared(np.stack([_varied(chips[i % len(chips)], i) for i in range(embedder.BATCH)]))
    expected_prints = normalised(exact.embedder(faces))
    alone = normalised(np.concatenate([tried.embedder(faces[i : i + 1]) for i in range(2)]))
    together = normalised(tried.embedder(faces))
    if not tried.finite:
        return Fault.NO_NUMBERS
    if _least_cosine(expected_prints[:2], alone) < LEAST_COSINE:
        return Fault.PRINTS
    return Fault.BATCH if _least_cosine(expected_prints, together) < LEAST_COSINE else None


def _other_faces(expected: Sequence[Detection], found: Sequence[Detection]) -> Fault | None:
    """Check that every face found confidently by one of the two also exists in the other's result."""
    sure, sure_found = ([face for face in faces if face.score >= _SCORE + _DOUBT] for faces in (expected, found))
    if min(_overlaps(sure, found) + _overlaps(sure_found, expected), default=1.0) >= LEAST_IOU:
        return None
    return Fault.COUNT if len(sure) != len(sure_found) else Fault.BOXES


def _overlaps(faces: Sequence[Detection], others: Sequence[Detection]) -> list[float]:
    return [max((face.box.iou(other.box) for other in others), default=0.0) for face in faces]


def _look(detector: Detector, image: Image) -> list[Detection]:
    return detector(lambda _: image, _SCORE)


def _least_cosine(expected: Floats, given: Floats) -> float:
    return float((expected * given).sum(axis=1).min())


def _varied(face: NDArray[np.uint8], number: int) -> NDArray[np.uint8]:
    """A different picture for each place in a batch, so that a device that mixes them up is detected."""
    moved = np.roll(face, (number * 5) % 14, axis=1)
    return (moved * (1 - 0.03 * number)).astype(np.uint8)


def _time(nets: "_Nets", clock: Callable[[], float]) -> float:
    """The best time in milliseconds of one detection and one full batch; all code has run once by now."""
    image, faces = group(), np.zeros((embedder.BATCH, 112, 112, 3), np.float32)
    spans = []
    for _ in range(_ROUNDS):
        begun = clock()
        for detector in nets.detectors:
            _look(detector, image)
        if nets.embedder is not None:
            nets.embedder(faces)
        spans.append(clock() - begun)
    return 1000 * min(spans)


def _runtime(config: EngineConfig, device: str, precision: str) -> Runtime:
    converted, cache = (Path(folder) if folder else None for folder in (config.converted, config.cache))
    return Runtime(device=device, precision=precision, threads=config.threads, converted=converted, cache=cache)


def _driver(name: str) -> str:
    """The version of a device's driver, if available."""
    supported = set(core().get_property(name, "SUPPORTED_PROPERTIES"))
    versions = (
        core().get_property(name, key) for key in ("NPU_DRIVER_VERSION", "GPU_DRIVER_VERSION", "DEVICE_DRIVER_VERSION") if key in supported
    )
    plugin = "".join(str(version.build_number) for version in core().get_versions(name).values())
    return " ".join([*map(str, versions), plugin])


class _Nets:
    """The models on one device, checked for NaN results."""

    def __init__(self, runtime: Runtime, config: EngineConfig) -> None:
        self._runtime = runtime
        self.precision = runtime.precision
        self.finite = True
        self.embedder: EmbedderNet | None = None
        self.detectors: list[Detector] = []
        for recipe, file in sorted(config.models.items()):
            if recipe == embedder.RECIPE:
                self.embedder = self._watched_embedder(runtime.embedder(file))
            elif recipe in DETECTORS:
                self.detectors.append(detector_of(self, recipe, file))

    def detector(self, file: ModelFile, outputs: Sequence[str], *, blue_first: bool, sizes: Sequence[Size] = ()) -> DetectorNet:
        net = self._runtime.detector(file, outputs, blue_first=blue_first, sizes=sizes)

        def watched(image: NDArray[np.uint8]) -> Sequence[Floats]:
            given = net(image)
            self.finite &= all(bool(np.isfinite(each).all()) for each in given)
            return given

        return watched

    def _watched_embedder(self, net: EmbedderNet) -> EmbedderNet:
        def watched(faces: Floats) -> Floats:
            given = net(faces)
            self.finite &= bool(np.isfinite(given).all())
            return given

        return watched
