"""ONNX Runtime against OpenVINO and the embedder's own runtime: whether the same nets compute the same, and at what cost."""

import statistics
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from agent.app.engines import model_files
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.runtime import Runtime
from agent.inference.vision.aligner import align, face_of
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.inference.vision.detection import Detection
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.embedder import BATCH, RECIPE, normalised, prepared
from scripts.benchmarks.rows import Row, at_least, at_most
from scripts.benchmarks.stage import fetched

Floats = NDArray[np.float32]
Chips = NDArray[np.uint8]

_LIMITS = DecodeLimits(megapixels=200, megabytes=500)
_SCORE, _DOUBT = 0.3, 0.05
_FACES = 120
_ROUNDS = 9
_SEED = 3


def rows(_long: bool) -> Iterator[Row]:
    """Yield the rows for ONNX Runtime on the processor, with the samples' faces, varied."""
    yield from compared("ONNX-CPU", None)


def compared(device: str, folder: Path | None) -> Iterator[Row]:
    """Yield the rows for a device of ONNX Runtime, with photos of faces below `folder` instead of the samples."""
    samples, store = fetched()
    models = model_files(store)
    with tempfile.TemporaryDirectory(prefix="ai-popup-bench-", ignore_cleanup_errors=True) as place:
        # OpenVINO's own files would hold the weights in half precision: boxes then differ by a fifth of a percent.
        openvino, onnx = _Nets("CPU", models, None), _Nets(device, models, Path(place))
        paths = sorted(path for path in (folder or samples).rglob("*") if path.is_file())
        chips, ious = [], []
        for path in paths:
            image = decode(path.read_bytes(), _LIMITS)
            found, expected = ([*nets.detector(lambda _, image=image: image, _SCORE)] for nets in (onnx, openvino))  # type: ignore[misc]
            ious += _overlaps(found, expected)
            chips += [face_of(align(image, face.landmarks)) for face in expected]
        faces = np.stack(chips if len(chips) >= _FACES else _varied(chips))
        ours, theirs, reference = onnx.prints(faces), openvino.prints(faces), _by_litert(models[RECIPE], faces)
        cosines = [*_cosines(ours, theirs), *_cosines(ours, reference)]
        yield at_least("parity_onnxruntime", min(cosines), 0.9999, sorted(cosines)[:20])
        yield at_least("parity_onnxruntime_boxes", min(ious), 0.99, sorted(ious)[:20])
        picture = np.random.default_rng(_SEED).integers(0, 256, (1, 480, 640, 3), np.uint8)
        for name, run in (("detect", lambda nets: nets.net(picture)), ("embed", lambda nets: nets.embed(prepared(faces[:BATCH])))):
            ratios = _ratios(lambda run=run: run(onnx), lambda run=run: run(openvino))  # type: ignore[misc]
            yield at_most(f"onnxruntime_{name}_ratio", statistics.median(ratios), 1, ratios)


class _Nets:
    def __init__(self, device: str, models: dict[str, ModelFile], place: Path | None) -> None:
        runtime = Runtime(device=device, precision="f32", threads=1, converted=place, cache=place)
        self.net = runtime.detector(models[CenterFace.recipe], CenterFace.outputs, blue_first=CenterFace.blue_first)
        self.detector = CenterFace(self.net)
        self.embed = runtime.embedder(models[RECIPE])

    def prints(self, faces: Chips) -> Floats:
        return normalised(np.concatenate([self.embed(prepared(faces[at : at + BATCH])) for at in range(0, len(faces), BATCH)]))


def _by_litert(model: ModelFile, faces: Chips) -> Floats:
    """Return what the file itself says, run by the library that it was made for."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=model.path, num_threads=1)
    interpreter.allocate_tensors()
    (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    found = []
    for at in range(0, len(faces), 2):  # its graph takes two
        pair = prepared(faces[[at, min(at + 1, len(faces) - 1)]])
        interpreter.set_tensor(given["index"], pair)
        interpreter.invoke()
        found.append(interpreter.get_tensor(told["index"]).copy())
    return normalised(np.concatenate(found)[: len(faces)])


def _varied(chips: Sequence[Chips]) -> list[Chips]:
    """Return at least `_FACES` different pictures of these faces: mirrored, moved, in another light, with noise."""
    rng = np.random.default_rng(_SEED)
    kept: list[Chips] = []
    while len(kept) < _FACES:
        chip = chips[len(kept) % len(chips)]
        moved = np.roll(chip[:, :: rng.choice((-1, 1))], rng.integers(-6, 7, 2), axis=(0, 1)).astype(np.float32)
        noisy = moved * rng.uniform(0.4, 1.3) + rng.normal(0, rng.uniform(0, 12), moved.shape)
        kept.append(np.clip(noisy, 0, 255).astype(np.uint8))
    return kept


def _overlaps(found: Sequence[Detection], expected: Sequence[Detection]) -> list[float]:
    """Return for each face of either the overlap with its counterpart, 0 without one. Scores at the very bound may fall on either side."""
    return [
        max((face.box.iou(other.box) for other in others), default=0.0)
        for faces, others in ((found, expected), (expected, found))
        for face in faces
        if face.score >= _SCORE + _DOUBT
    ]


def _cosines(ours: Floats, theirs: Floats) -> list[float]:
    return [float(cosine) for cosine in (ours * theirs).sum(axis=1)]


def _ratios(ours: Callable[[], object], theirs: Callable[[], object]) -> list[float]:
    """Return ratios of processor time, taken in turns."""
    found = []
    for _ in range(_ROUNDS + 2):
        spans = []
        for run in (ours, theirs):
            begun = time.process_time()
            run()
            spans.append(time.process_time() - begun)
        found.append(spans[0] / spans[1])
    return found[2:]  # the first ones allocate


if __name__ == "__main__":
    # On other hardware: core_parity.py CUDA [FOLDER]
    asked = sys.argv[1:]
    for row in compared(asked[0] if asked else "ONNX-CPU", Path(asked[1]) if len(asked) > 1 else None):
        print(row)
