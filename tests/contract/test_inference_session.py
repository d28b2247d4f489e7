"""Every inference library keeps the port's promises.

Other devices take the same tests where there are any: `--device CUDA`, also several times.
"""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as ops

from agent.domain.errors import EngineStartFailed, ModelMissing, ModelWrongHash
from agent.inference.engine.engine_calls import ModelFile
from agent.inference.engine.inference_session import Floats, InferenceSession, Input
from agent.inference.engine.runtime import session_on
from tests.support.onnx_device import ONNX_RUNTIME


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "device" in metafunc.fixturenames:
        metafunc.parametrize("device", ["CPU", *ONNX_RUNTIME, *metafunc.config.getoption("device")])


def saved(model: ov.Model, path: Path) -> ModelFile:
    ov.save_model(model, path, compress_to_fp16=False)
    return ModelFile("net", str(path), hashlib.sha256(path.read_bytes()).hexdigest())


@pytest.fixture
def colours(tmp_path: Path) -> ModelFile:
    """A net that gives the mean of its first channel as `first`, of its last one as `last`, for each 32 by 32 pixels."""
    image = ops.parameter([1, 3, -1, -1], np.float32)
    mean = ops.avg_pool(image, [32, 32], [0, 0], [0, 0], [32, 32], exclude_pad=False)
    results = []
    for name, channel in (("last", 2), ("first", 0)):
        weights = np.zeros((1, 3, 1, 1), np.float32)
        weights[0, channel] = 1
        result = ops.convolution(mean, weights, [1, 1], [0, 0], [0, 0], [1, 1])
        result.output(0).set_names({name})
        results.append(result)
    return saved(ov.Model(results, [image]), tmp_path / "colours.xml")


@pytest.fixture
def doubled(tmp_path: Path) -> ModelFile:
    """A net that doubles each of 112 by 112 values of three channels, of any number of pictures."""
    image = ops.parameter([1, 112, 112, 3], np.float32)
    result = ops.multiply(image, np.full((1, 1, 1, 1), 2, np.float32))
    result.output(0).set_names({"doubled"})
    return saved(ov.Model([result], [image]), tmp_path / "doubled.xml")


@pytest.fixture
def session(device: str, tmp_path: Path) -> InferenceSession:
    return on(device, tmp_path)


def on(device: str, folder: Path) -> InferenceSession:
    return session_on(device=device, precision="f32", threads=1, converted=folder / "converted", cache=folder / "cache")


def red(height: int, width: int) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    pixels = np.zeros((1, height, width, 3), np.uint8)
    pixels[..., 0] = 200
    return pixels


def test_it_says_where_and_how_it_computes(device: str, session: InferenceSession) -> None:
    assert (session.device, session.precision) == (device, "f32")


def test_pixels_come_in_the_colours_that_the_model_was_trained_on(session: InferenceSession, colours: ModelFile) -> None:
    for given, expected in ((Input.PIXELS, (200, 0)), (Input.PIXELS_BLUE_FIRST, (0, 200))):
        first, last = session.compile(colours, given, ("first", "last")).run(red(32, 32))
        assert (first.item(), last.item()) == pytest.approx(expected, abs=1e-3)


def test_outputs_come_by_name_in_any_order_and_all_without_one(session: InferenceSession, colours: ModelFile) -> None:
    assert [out.item() for out in session.compile(colours, Input.PIXELS, ("last", "first")).run(red(32, 32))] == [0, 200]
    assert [out.item() for out in session.compile(colours, Input.PIXELS, ("first",)).run(red(32, 32))] == [200]
    assert len(session.compile(colours, Input.PIXELS).run(red(32, 32))) == 2


def test_one_net_takes_every_size(session: InferenceSession, colours: ModelFile) -> None:
    net = session.compile(colours, Input.PIXELS, ("first",))
    for height, width in ((64, 96), (32, 32), (96, 64)):
        (first,) = net.run(red(height, width))
        assert first.shape == (1, 1, height // 32, width // 32) and np.allclose(first, 200, atol=1e-3)


def test_sizes_that_recur_give_the_same_as_any_others(session: InferenceSession, colours: ModelFile) -> None:
    net = session.compile(colours, Input.PIXELS, ("last", "first"), sizes=((64, 96), (96, 64)))
    for height, width in [(64, 96), (96, 64), (32, 32)] * 6:
        last, first = net.run(red(height, width))
        assert last.shape == first.shape == (1, 1, height // 32, width // 32)
        assert not last.any() and np.allclose(first, 200, atol=1e-3)
    net.release()
    assert np.allclose(net.run(red(64, 96))[1], 200, atol=1e-3)


def test_sizes_that_recur_need_nothing_prepared(device: str, colours: ModelFile, tmp_path: Path) -> None:
    session = session_on(device=device, precision="f32", threads=1, converted=None, cache=None)
    net = session.compile(colours, Input.PIXELS, ("first",), sizes=((64, 96),))
    net.prepare()
    assert all(np.allclose(net.run(red(64, 96))[0], 200, atol=1e-3) for _ in range(6))


def test_one_net_takes_every_number_of_floats(session: InferenceSession, doubled: ModelFile) -> None:
    net = session.compile(doubled, Input.FLOATS)
    faces = np.random.default_rng(5).standard_normal((4, 112, 112, 3)).astype(np.float32)
    for count in (2, 4, 1):
        (out,) = net.run(faces[:count])
        assert out.dtype == np.float32 and np.allclose(out, 2 * faces[:count], atol=1e-5)


def test_results_stay_when_it_runs_again_and_after_it_gave_its_memory_back(session: InferenceSession, doubled: ModelFile) -> None:
    net = session.compile(doubled, Input.FLOATS)
    ones, zeros = (np.full((2, 112, 112, 3), value, np.float32) for value in (1, 0))
    (kept,) = net.run(ones)
    net.run(zeros)
    net.release()
    assert (kept == 2).all()
    assert (net.run(ones)[0] == 2).all()
    net.release()
    net.release()


def test_a_file_that_is_missing_or_was_changed_is_named(session: InferenceSession, doubled: ModelFile, tmp_path: Path) -> None:
    with pytest.raises(ModelMissing):
        session.compile(replace(doubled, path=str(tmp_path / "gone")), Input.FLOATS)
    with pytest.raises(ModelWrongHash):
        session.compile(replace(doubled, sha256="0" * 64), Input.FLOATS)


def test_what_was_converted_is_read_again_and_made_anew_when_it_is_damaged(device: str, doubled: ModelFile, tmp_path: Path) -> None:
    def ran() -> Floats:
        return on(device, tmp_path).compile(doubled, Input.FLOATS).run(np.ones((1, 112, 112, 3), np.float32))[0]

    ran()
    times = {path: path.stat().st_mtime_ns for path in (tmp_path / "converted").iterdir()}
    ran()
    assert times == {path: path.stat().st_mtime_ns for path in (tmp_path / "converted").iterdir()}
    for path in times:
        if path.suffix != ".bin":
            path.write_bytes(b"<broken")
    assert (ran() == 2).all()
    assert (ran() == 2).all() and {path.name for path in times} == {path.name for path in (tmp_path / "converted").iterdir()}


def test_without_folders_it_works_in_memory(device: str, doubled: ModelFile, tmp_path: Path) -> None:
    session = session_on(device=device, precision="f32", threads=1, converted=None, cache=None)
    before = sorted(tmp_path.iterdir())
    assert (session.compile(doubled, Input.FLOATS).run(np.ones((1, 112, 112, 3), np.float32))[0] == 2).all()
    assert sorted(tmp_path.iterdir()) == before


def test_a_device_that_is_not_there_can_not_be_used(tmp_path: Path) -> None:
    for device in ("GPU.7", "ROCM"):  # no package has ROCm and anything else
        with pytest.raises(EngineStartFailed):
            on(device, tmp_path)
