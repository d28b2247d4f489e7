"""What a net took for close looks is given back before the photo is decoded more finely, and all it took on demand."""

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.rpc_worker import _SETTLED
from agent.inference.engine.runtime import Runtime
from agent.inference.engine.service import Engine
from agent.inference.engine.worker_slot import memory_of
from agent.inference.vision.detectors.centerface import CenterFace
from agent.infrastructure.core.settings import EngineSettings as Settings
from tests.support.onnx_device import ONNX_RUNTIME

MB = 2**20


@pytest.mark.parametrize("device", ["CPU", *ONNX_RUNTIME])
def test_a_net_gives_back_what_it_took_for_a_large_input_and_works_on(engine_config: EngineConfig, device: str) -> None:
    runtime = Runtime(device=device, precision="f32", threads=1, converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    net = runtime.detector(engine_config.models["centerface-2"], CenterFace.outputs, blue_first=False)
    image = np.random.default_rng(7).integers(0, 256, (1, 1280, 1280, 3), np.uint8)
    first = net(image)
    swollen = memory_of(os.getpid())
    runtime.slim()
    assert swollen - memory_of(os.getpid()) > 80 * MB
    assert all(np.array_equal(one, other) for one, other in zip(first, net(image), strict=True))


@pytest.mark.parametrize("device", ["CPU", *ONNX_RUNTIME])
def test_a_net_gives_back_on_demand_what_it_took_for_any_input(engine_config: EngineConfig, device: str) -> None:
    runtime = Runtime(device=device, precision="f32", threads=1, converted=Path(engine_config.converted), cache=Path(engine_config.cache))
    net = runtime.detector(engine_config.models["centerface-2"], CenterFace.outputs, blue_first=False)
    image = np.random.default_rng(7).integers(0, 256, (1, 768, 1024, 3), np.uint8)
    first = net(image)
    runtime.slim()
    held = memory_of(os.getpid())
    runtime.release()
    assert held - memory_of(os.getpid()) > 30 * MB
    assert all(np.array_equal(one, other) for one, other in zip(first, net(image), strict=True))


@pytest.mark.parametrize(("embedder", "width", "given_back"), [(None, 4000, 0), ("mobilefacenet-2", 4000, 1), (None, 6000, 1)])
def test_what_a_net_took_is_given_back_where_faces_are_cut_out_and_after_large_photos(
    engine_config: EngineConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: str | None, width: int, given_back: int
) -> None:
    path, times = tmp_path / "photo.jpg", list[Runtime]()
    cv2.imwrite(str(path), np.zeros((3000, width, 3), np.uint8))
    monkeypatch.setattr(Runtime, "slim", lambda runtime: times.append(runtime))
    Engine(engine_config, time.perf_counter).analyse(Analyse(str(path), Recipe("centerface-2", embedder)))
    assert len(times) == given_back


@pytest.mark.skipif(sys.platform != "linux", reason="asks Linux")
async def test_behind_its_wall_it_lets_go_of_code_that_ran_only_while_it_was_loaded(
    engine_models: dict[str, ModelFile], tmp_path: Path
) -> None:
    path, held = tmp_path / "photo.jpg", list[int]()
    cv2.imwrite(str(path), np.zeros((300, 400, 3), np.uint8))
    pool = EnginePool(Settings(workers=1), engine_models, ComputeSetup(converted=tmp_path / "ir", cache=tmp_path / "kernels"))
    try:
        pid = (await pool.hello()).pid
        for _ in range(_SETTLED[0] + 1):  # the greeting was answered too; it is done after an answer was sent
            await pool.analyse(Analyse(str(path), Recipe("centerface-2", None)))
            held.append(of_files(pid))
    finally:
        await pool.close()
    assert held[-1] < held[_SETTLED[0] - 3] - 10 * MB


def of_files(pid: int) -> int:
    """How many bytes of files a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text(encoding="utf-8").split()[2]) * os.sysconf("SC_PAGE_SIZE")
