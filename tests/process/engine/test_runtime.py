"""The runtime with a small net that has YuNet's outputs: they are found by name, and colours come in the order the net wants."""

import hashlib
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.service import detector_of
from agent.inference.vision.codecs import Image
from agent.inference.vision.detector import DetectorNet
from agent.inference.vision.detectors.centerface import CenterFace
from agent.inference.vision.detectors.yunet import YuNet


@pytest.fixture
def blue_finder(tmp_path: Path) -> ModelFile:
    """A net for which every cell that is wholly in its first channel (blue, in BGR) is a face as large as the cell."""
    image = ops.parameter([1, 3, -1, -1], np.float32)
    first = ops.slice(image, [0], [1], [1], [1])
    results = []
    for name in reversed(YuNet.outputs):  # the order says nothing
        kind, _, side = name.partition("_")
        stride = int(side)
        mean = ops.avg_pool(first, [stride] * 2, [0, 0], [0, 0], [stride] * 2, exclude_pad=False)
        column = ops.reshape(ops.divide(mean, np.float32(255)), [1, -1, 1], special_zero=False)
        channels = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}[kind]
        values = column if channels == 1 else ops.tile(ops.multiply(column, np.float32(0)), [1, 1, channels])
        values.output(0).set_names({name})
        results.append(values)
    path = tmp_path / "model.xml"
    ov.save_model(ov.Model(results, [image]), path, compress_to_fp16=False)
    return ModelFile("yunet", str(path), hashlib.sha256(path.read_bytes()).hexdigest())


def test_the_fast_detector_finds_its_outputs_by_name_and_sees_blue_first(blue_finder: ModelFile, tmp_path: Path) -> None:
    pixels = np.zeros((128, 128, 3), np.uint8)
    pixels[:, :, 0] = 255  # red all over
    pixels[32:64, 64:96] = (0, 0, 255)
    runtime = Runtime(device="CPU", precision="f32", threads=1, converted=tmp_path / "converted", cache=tmp_path / "cache")
    found = detector_of(runtime, YuNet.recipe, blue_finder)(lambda _: Image(pixels, 1.0, 128, 128, "png"), 0.5)
    assert {(round(face.box.x + face.box.w / 2), round(face.box.y + face.box.h / 2)) for face in found if face.box.w == 32} == {(64, 32)}
    assert all(60 <= face.box.x + face.box.w / 2 < 96 for face in found)


def test_sizes_that_recur_are_compiled_beforehand_and_change_no_result(engine_config: EngineConfig, tmp_path: Path) -> None:
    def loaded(sizes: tuple[tuple[int, int], ...]) -> tuple[Runtime, DetectorNet]:
        runtime = Runtime(device="CPU", precision="f32", threads=1, converted=tmp_path / "converted", cache=tmp_path / "cache")
        return runtime, runtime.detector(engine_config.models["centerface-2"], CenterFace.outputs, blue_first=False, sizes=sizes)

    loaded(((64, 96), (96, 64)))[0].prepare()
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
    assert len(made) == 3, "for any size, and for each of these"
    (_, net), (_, plain) = loaded(((64, 96), (96, 64))), loaded(())
    image = np.random.default_rng(7).integers(0, 256, (1, 96, 64, 3), np.uint8)
    expected = plain(image)
    for _ in range(6):
        assert all(np.array_equal(one, other) for one, other in zip(net(image), expected, strict=True))
    assert made == {path: path.stat().st_mtime_ns for path in (tmp_path / "cache").iterdir()}
