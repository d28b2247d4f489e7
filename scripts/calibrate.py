"""Measure the value ranges by which the detector is quantised to int8, and write them to assets/models/int8.

The pictures are public: the samples (official portraits in the public domain) and collages drawn from them, mirrored, turned, darkened,
brightened and with noise. None is stored. Run it again when the model, or a rule in agent/inference/engine/quantiser.py, changes:

    .venv/bin/python scripts/calibrate.py [--check]

`--check` measures anew and compares with the asset.
"""

import argparse
import json
import random
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import cv2
import numpy as np
from numpy.typing import NDArray

from agent.inference.engine import openvino_models
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Input
from agent.inference.engine.openvino_config import constant_folded, core
from agent.inference.engine.quantiser import convolutions, layer_name, tensor_name
from agent.inference.vision.codecs import resize
from agent.inference.vision.tiles import padded
from agent.infrastructure.core.resources import resource
from scripts.benchmarks.accuracy_detect import places
from scripts.benchmarks.photos import SAMPLES, background, composed, head
from scripts.benchmarks.stage import fetched

Bytes = NDArray[np.uint8]

MODEL = "centerface"
# The net's four results: boxes and landmarks lose by quantising them, and they cost little.
EXACT = ("536", "538", "539", "540")
EQUALISED = 0.3
DIGITS = 3
# How far a new measurement may be off: decoders and processors round differently.
TOLERANCE = 0.05
COLLAGES, EMPTY, HEADS = 30, 8, 16
GAINS, NOISES = (1.0, 0.5, 1.25, 0.75, 1.6), (0.0, 4.0, 10.0)
CALIBRATION = (
    "75 inputs of 160 to 1280 pixels: the 7 samples of face_recognition 1.3.0 at three sizes, 30 collages of small faces, 8 landscapes, "
    "16 heads that fill the picture, a quarter of them turned; half mirrored, at five brightnesses, with three strengths of noise"
)


def pictures(samples: Path) -> Iterator[Bytes]:
    """Yield the detector's inputs: uint8 [1, height, width, 3]. The same each time."""
    noise = np.random.default_rng(5)

    def varied(pixels: NDArray[np.generic], number: int, side: int) -> Bytes:
        mirrored = pixels[:, ::-1] if number % 2 else pixels
        given = mirrored.astype(np.float32) * GAINS[number % len(GAINS)]
        given += noise.normal(0, NOISES[number % len(NOISES)], given.shape).astype(np.float32)
        height, width = given.shape[:2]
        factor = min(2.0, side / max(height, width))
        whole = np.clip(given, 0, 255).astype(np.uint8)
        return padded(resize(np.ascontiguousarray(whole), max(1, round(width * factor)), max(1, round(height * factor))))

    for number, path in enumerate(sorted(samples.glob("*.[jp][pn]g"))):
        pixels = np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR))[:, :, ::-1]
        for place, side in enumerate((320, 640, 1000)):
            yield varied(pixels, 3 * number + place, side)
    for number in range(COLLAGES):
        chance, size = random.Random(70000 + number), ((1280, 960), (1600, 1200), (960, 1280))[number % 3]
        pixels, _ = composed(samples, 9000 + number, size, places(chance, size), chance)
        yield varied(pixels, number, (640, 1000, 1280)[number % 3])
    for number in range(EMPTY):
        yield varied(background(9100 + number, (1280, 960)), number, (640, 1000)[number % 2])
    for number in range(HEADS):
        cut, _ = head(samples, sorted(SAMPLES)[number % len(SAMPLES)])
        yield varied(np.rot90(cut, 1 + number // 4 % 3) if number % 4 == 3 else cut, number, (160, 256, 320, 640)[number // 4])


def measured(file: ModelFile, inputs: Iterator[Bytes]) -> dict[str, NDArray[np.float64]]:
    """Return the lowest and highest value of each channel, [2, channels], of every tensor that a quantised layer takes."""
    model = constant_folded(openvino_models.read(file))
    sources = {tensor_name(node.input_value(0)): node.input_value(0) for node in convolutions(model) if layer_name(node) not in EXACT}
    given = tensor_name(model.input(0))
    added = [name for name in sources if name != given]
    model.add_outputs(added)
    options = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    request = core().compile_model(openvino_models.with_input(model, Input.PIXELS), "CPU", options).create_infer_request()
    found: dict[str, NDArray[np.float64]] = {given: np.array([[0.0] * 3, [255.0] * 3])}  # bytes: no measurement needed
    for picture in inputs:
        request.infer({0: picture})
        for name in added:
            values = request.get_tensor(name).data[0]
            extremes = np.stack([np.minimum(values.min((1, 2)), 0), np.maximum(values.max((1, 2)), 0)]).astype(np.float64)
            seen = found.get(name, extremes)
            found[name] = np.stack([np.minimum(seen[0], extremes[0]), np.maximum(seen[1], extremes[1])])
    return {name: found[name] for name in sources}


def asset(file: ModelFile, ranges: Mapping[str, NDArray[np.float64]]) -> str:
    """Return the file's text, one tensor per line."""
    facts = {
        "model": file.name,
        "sha256": file.sha256,
        "calibration": CALIBRATION,
        "made_by": "scripts/calibrate.py",
        "equalised": EQUALISED,
        "exact": list(EXACT),
    }
    lines = [f"  {json.dumps(name)}: {json.dumps(value)}," for name, value in facts.items()]
    tensors = [f"    {json.dumps(name)}: {json.dumps(dict(_sides(each)))}" for name, each in ranges.items()]
    return "\n".join(["{", *lines, '  "ranges": {', ",\n".join(tensors), "  }", "}", ""])


def _sides(extremes: NDArray[np.float64]) -> Iterator[tuple[str, list[float]]]:
    for name, values in zip(("low", "high"), extremes, strict=True):
        if name == "high" or values.min() < 0:
            yield name, [float(f"{value:.{DIGITS}g}") for value in values]


def differs(one: Mapping[str, Mapping[str, list[float]]], other: Mapping[str, Mapping[str, list[float]]]) -> list[str]:
    """Return the tensors whose ranges are apart by more than the tolerance, measured by each tensor's widest channel."""
    if one.keys() != other.keys():
        return sorted(one.keys() ^ other.keys())
    apart = []
    for name, sides in one.items():
        for side in ("low", "high"):
            values, others = (np.array(each.get(side, [0.0])) for each in (sides, other[name]))
            if values.shape != others.shape or np.abs(values - others).max() > TOLERANCE * max(np.abs(values).max(), 1e-6):
                apart.append(name)
    return apart


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    samples, models = fetched()
    info = models.info(MODEL)
    file = ModelFile(info.name, str(info.path), info.sha256)
    path = resource("models") / "int8" / f"{MODEL}.json"
    text = asset(file, measured(file, pictures(samples)))
    if not check:
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return 0
    kept = json.loads(path.read_text(encoding="utf-8"))
    if apart := differs(kept["ranges"], json.loads(text)["ranges"]):
        print(f"{path}: other ranges for {', '.join(apart)}")
    return int(bool(apart) or kept["sha256"] != file.sha256)


if __name__ == "__main__":
    sys.exit(main())
