"""The nets in each inference library against others, on the samples' own faces, at each precision this device has."""

import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.openvino_config import core
from agent.inference.engine.runtime import Runtime
from agent.inference.vision.aligner import align, face_of
from agent.inference.vision.codecs import DecodeLimits, decode
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.embedder import BATCH, RECIPE, normalised, prepared
from tests.support.onnx_device import ONNX_RUNTIME

Floats = NDArray[np.float32]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        metafunc.parametrize("device", [*ONNX_RUNTIME, *metafunc.config.getoption("device")])


def runtime(config: EngineConfig, precision: str, device: str = "CPU") -> Runtime:
    return Runtime(device=device, precision=precision, threads=1, converted=Path(config.converted), cache=Path(config.cache))


@pytest.fixture(scope="module")
def faces(engine_config: EngineConfig, samples_folder: Path) -> NDArray[np.uint8]:
    """Aligned faces of the samples, each also turned, darkened and mirrored: uint8 [28, 112, 112, 3]."""
    net = runtime(engine_config, "f32").detector(engine_config.models["centerface-2"], CenterFace.outputs, blue_first=False)
    detector = CenterFace(net)
    chips = []
    for path in sorted(samples_folder.iterdir()):
        image = decode(path.read_bytes(), DecodeLimits(megapixels=50, megabytes=50))
        (face,) = detector(lambda side, image=image: image, 0.5)  # type: ignore[misc]  # a default binds the loop's image
        chip = face_of(align(image, face.landmarks))
        chips += [chip, chip[:, ::-1], (chip * 0.5).astype(np.uint8), np.roll(chip, 5, axis=0)]
    return np.stack(chips)


@pytest.fixture(scope="module")
def reference(engine_config: EngineConfig, faces: NDArray[np.uint8]) -> Floats:
    """What the model file itself says, run by the runtime it was made for: float32 [28, 192], rows of length 1."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(model_path=engine_config.models[RECIPE].path)
    interpreter.allocate_tensors()
    (given,), (told,) = interpreter.get_input_details(), interpreter.get_output_details()
    rows = []
    for pair in np.split(prepared(faces), len(faces) // 2):  # the graph takes two at a time
        interpreter.set_tensor(given["index"], pair)
        interpreter.invoke()
        rows.append(interpreter.get_tensor(told["index"]).copy())
    return normalised(np.concatenate(rows))


def least_cosine(config: EngineConfig, precision: str, faces: NDArray[np.uint8], reference: Floats, device: str = "CPU") -> float:
    net = runtime(config, precision, device).embedder(config.models[RECIPE])
    batches = np.split(faces, [1, 3, *range(3 + BATCH, len(faces), BATCH)])  # of every size that there is
    ours = normalised(np.concatenate([net(prepared(batch)) for batch in batches]))
    return float((ours * reference).sum(axis=1).min())


def test_at_forced_f32_it_is_the_same_model(engine_config: EngineConfig, faces: NDArray[np.uint8], reference: Floats) -> None:
    assert least_cosine(engine_config, "f32", faces, reference) >= 0.9999


def test_at_every_precision_the_device_has_it_is_near_enough(
    engine_config: EngineConfig, faces: NDArray[np.uint8], reference: Floats
) -> None:
    able = set(core().get_property("CPU", "OPTIMIZATION_CAPABILITIES"))
    shipped = {"auto", *(name for name, word in (("bf16", "BF16"), ("f16", "FP16")) if word in able)}
    for precision in shipped:
        assert least_cosine(engine_config, precision, faces, reference) >= 0.999, precision


def test_in_onnx_runtime_it_is_the_same_model(
    engine_config: EngineConfig, faces: NDArray[np.uint8], reference: Floats, device: str, tmp_path: Path
) -> None:
    config = replace(engine_config, converted=str(tmp_path))
    assert least_cosine(config, "f32", faces, reference, device) >= 0.9999
    assert least_cosine(config, "auto", faces, reference, device) >= 0.999


def test_in_onnx_runtime_the_detector_sees_the_same(engine_config: EngineConfig, samples_folder: Path, device: str, tmp_path: Path) -> None:
    config = replace(engine_config, converted=str(tmp_path))
    expected, given = (
        CenterFace(runtime(config, "f32", name).detector(config.models["centerface-2"], CenterFace.outputs, blue_first=False))
        for name in ("CPU", device)
    )
    for path in sorted(samples_folder.iterdir()):
        image = decode(path.read_bytes(), DecodeLimits(megapixels=50, megabytes=50))
        right, found = (detector(lambda side, image=image: image, 0.3) for detector in (expected, given))  # type: ignore[misc]  # as above
        assert len(found) == len(right) > 0
        for one, other in zip(right, found, strict=True):
            assert one.box.iou(other.box) >= 0.99 and abs(one.score - other.score) < 0.005


def test_a_damaged_copy_is_made_again(engine_config: EngineConfig, faces: NDArray[np.uint8], reference: Floats, tmp_path: Path) -> None:
    config = replace(engine_config, converted=str(tmp_path / "converted"), cache=str(tmp_path / "cache"))
    runtime(config, "f32").embedder(config.models[RECIPE])
    (copy,) = (tmp_path / "converted").glob("*.xml")
    copy.write_text("<broken")
    assert least_cosine(config, "f32", faces, reference) >= 0.9999
    assert [path.suffix for path in sorted((tmp_path / "converted").iterdir())] == [".bin", ".xml"]
