"""Engines that compute with ONNX Runtime: the same faces behind the same wall, without OpenVINO's memory."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from agent.app.checkup import engine_words
from agent.domain.face import Face
from agent.domain.image import Recipe
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.compute_setup import ComputeSetup
from agent.inference.engine.devices import DeviceChoice, DeviceNote, Fault
from agent.inference.engine.engine_calls import EngineConfig, ModelFile
from agent.inference.engine.model_preparer import ModelPreparer
from agent.inference.engine.pool import EnginePool
from agent.inference.engine.selftest_runs import DeviceSelector
from agent.infrastructure.core.i18n import LANGUAGES, Texts
from agent.infrastructure.core.json_child import own_command
from agent.infrastructure.core.settings import EngineSettings, Precision
from tests.process.engine.test_selftest import choice

pytest.importorskip("onnxruntime")  # there is none for Macs with Intel

SAMPLES = ("obama.jpg", "obama2.jpg", "biden.jpg", "32bit.png")
RECOGNISE = Recipe("centerface-2", "mobilefacenet-2")

# A real engine that loads its models at once, and tells which libraries it has loaded in place of its device.
TELLING = """
import sys
from dataclasses import replace
from agent.inference.engine import engine_worker
class Telling(engine_worker.EngineWorker):
    def offer(self, engine):
        engine.load()
        super().offer(engine)
    def _hello(self, config):
        return replace(super()._hello(config), device=" ".join(name for name in ("openvino", "onnxruntime") if name in sys.modules))
engine_worker.EngineWorker = Telling
raise SystemExit(engine_worker.main())
"""

# An engine whose ONNX Runtime says that it was built for CUDA, which is its processor, but for one lie.
FAKE = """
import os, sys
lie = sys.argv[1]
from agent.inference.engine import engine_worker
class Liar(engine_worker.EngineWorker):
    def _pretend(self):
        from dataclasses import replace
        from agent.inference.engine import onnxruntime_providers as providers
        from agent.inference.engine.onnxruntime_session import OnnxRuntimeNet, OnnxRuntimeSession
        providers.PROVIDERS["CUDA"] = replace(providers.PROVIDERS["ONNX-CPU"], halves=lie == "half")
        if lie == "left out":
            providers.PROVIDERS["CUDA"] = replace(providers.PROVIDERS["CUDA"], name="CUDAExecutionProvider")
            from agent.inference.engine.onnxruntime_session import library
            library().get_available_providers = lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
        run = OnnxRuntimeNet.run
        def lying(net, values):
            found = run(net, values)
            if lie == "count" and len(found) == 4: found[0] = found[0] * 0
            if lie == "no numbers": found[0].flat[0] = float("nan")
            if lie == "prints" and len(found) == 1: found[0] = found[0][:, ::-1]
            if lie == "crash": os.abort()
            return found
        OnnxRuntimeNet.run = lying
    def _accelerators(self, body):
        from dataclasses import replace
        self._pretend()
        return tuple(replace(device, driver=lie) for device in super()._accelerators(body))
    def _self_test(self, body):
        self._pretend()
        return super()._self_test(body)
engine_worker.EngineWorker = Liar
raise SystemExit(engine_worker.main())
"""


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trials of all tests here: the processor's is made once, and each lie is another driver's."""
    return tmp_path_factory.mktemp("trials") / "devices.json"


def pool_on(device: str, models: dict[str, ModelFile], folder: Path, command: Sequence[str] | None = None) -> EnginePool:
    return EnginePool(
        EngineSettings(workers=1, device=device, precision=Precision.F32),
        models,
        ComputeSetup(preparer=ModelPreparer(folder / "prepared", own_command("engine-worker")), scratch=folder / "scratch"),
        command=command,
    )


@pytest_asyncio.fixture
async def engine(engine_models: dict[str, ModelFile], tmp_path: Path) -> AsyncIterator[EnginePool]:
    pool = pool_on("ONNX-CPU", engine_models, tmp_path)
    yield pool
    await pool.close()


async def test_it_finds_the_same_faces_behind_its_wall(
    engine: EnginePool, engine_models: dict[str, ModelFile], samples_folder: Path, tmp_path: Path
) -> None:
    hello = await engine.hello()
    assert (hello.device, hello.precision) == ("ONNX-CPU", "f32")
    assert hello.wall.programs or sys.platform != "linux"
    openvino = pool_on("CPU", engine_models, tmp_path)
    try:
        for name in SAMPLES:
            found, expected = [(await pool.analyse(Analyse(str(samples_folder / name), RECOGNISE))).faces for pool in (engine, openvino)]
            assert len(found) == len(expected) == 1
            assert found[0].box.iou(expected[0].box) > 0.99
            # OpenVINO keeps weights in half precision: eyes a tenth of a pixel apart cut out another picture.
            assert cosine(found[0], expected[0]) > 0.998
    finally:
        await openvino.close()


def cosine(one: Face, other: Face) -> float:
    return float(np.dot(*(np.frombuffer(face.embedding or b"", "<f4") for face in (one, other))))


async def test_its_files_are_made_where_no_photo_is_seen_and_it_loads_no_second_library(
    engine_models: dict[str, ModelFile], tmp_path: Path
) -> None:
    pool = pool_on("ONNX-CPU", engine_models, tmp_path, [sys.executable, "-c", TELLING])
    try:
        assert (await pool.hello()).device == "onnxruntime"
    finally:
        await pool.close()
    (place,) = (tmp_path / "prepared").iterdir()
    hashes = json.loads((place / "hashes.json").read_bytes())
    assert {Path(name).suffix for name in hashes} == {".onnx"} and len(hashes) == 2


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ("count", Fault.COUNT),
        ("no numbers", Fault.NO_NUMBERS),
        ("prints", Fault.PRINTS),
        ("crash", Fault.FAILED),
        ("left out", Fault.FAILED),  # its own libraries are missing, and the library computes elsewhere without a word
    ],
)
async def test_a_provider_that_lies_is_not_used(record: Path, engine_config: EngineConfig, lie: str, fault: Fault) -> None:
    chooser = DeviceSelector(record, [sys.executable, "-c", FAKE, lie])
    assert await choice(chooser, replace(engine_config, device="CUDA")) == DeviceChoice("CPU", "auto", DeviceNote("CUDA", fault))


@pytest.mark.parametrize("lie", ["", "half"])
async def test_an_honest_provider_is_used_in_full_and_half_precision(record: Path, engine_config: EngineConfig, lie: str) -> None:
    chooser = DeviceSelector(record, [sys.executable, "-c", FAKE, lie])
    assert await choice(chooser, replace(engine_config, device="CUDA")) == DeviceChoice("CUDA", "auto")


async def test_a_provider_that_the_package_does_not_have_is_named_with_a_remedy(record: Path, engine_config: EngineConfig) -> None:
    chooser = DeviceSelector(record, own_command("engine-worker"))
    note = DeviceNote("TENSORRT", Fault.ABSENT)
    assert await choice(chooser, replace(engine_config, device="TENSORRT")) == DeviceChoice("CPU", "auto", note)
    for language in LANGUAGES:
        assert "ONNX Runtime" in note.text(Texts(language)) and "TENSORRT" in engine_words("CPU", "f32", note, Texts(language))


WITHOUT = """
import sys
sys.modules["onnxruntime"] = None
import agent.inference.engine.onnxruntime_session as quiet
quiet.find_spec = lambda name: None
from agent.domain.errors import EngineStartFailed
from agent.inference.engine.selftest import devices_for
from agent.inference.engine.runtime import Runtime
print([device.name for device in devices_for("CUDA")])
try:
    Runtime(device="ONNX-CPU", precision="f32", threads=1, converted=None, cache=None)
except EngineStartFailed:
    print("named")
Runtime(device="CPU", precision="f32", threads=1, converted=None, cache=None)
print("onnxruntime" in [name for name, module in sys.modules.items() if module])
"""


def test_without_the_package_no_provider_is_offered_and_openvino_works() -> None:
    told = subprocess.run([sys.executable, "-c", WITHOUT], check=True, timeout=60, capture_output=True, text=True)
    assert told.stdout.split("\n") == ["[]", "named", "False", ""]


def test_an_engine_of_openvino_does_not_load_it() -> None:
    code = (
        "import sys; from agent.inference.engine.runtime import Runtime;"
        "Runtime(device='CPU', precision='f32', threads=1, converted=None, cache=None); print('onnxruntime' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=True, timeout=60, capture_output=True, text=True).stdout == "False\n"
