"""Self-tests in real, walled processes: a device that lies in any way is not used, and what was found is remembered."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from agent.domain.errors import EngineKilled
from agent.inference.engine.devices import DeviceChoice, DeviceNote, Fault, precisions
from agent.inference.engine.engine_calls import EngineConfig
from agent.inference.engine.sandbox.sandbox_paths import RANGES
from agent.inference.engine.selftest_runs import DeviceSelector

# An engine whose "GPU" is the processor, but for one lie.
FAKE = """
import os, sys, time
from agent.inference.engine import engine_worker
lie, driver = sys.argv[1:]

class Liar(engine_worker.EngineWorker):
    def _accelerators(self, body):
        from agent.inference.engine.devices import Device
        if lie == "nothing to see":
            os.abort()
        return (Device("GPU", "Fake", driver),)

    def _self_test(self, body):
        assert self.wall is not None and (self.wall.programs or sys.platform != "linux")
        from agent.inference.engine import selftest
        from agent.domain.errors import EngineStartFailed
        honest = selftest.Runtime
        class Lying(honest):
            def __init__(self, *, device, precision, **rest):
                self.lies = device == "GPU" or (lie == "half" and precision != "f32")
                if self.lies and lie == "hang": time.sleep(600)
                if self.lies and lie == "crash": os.abort()
                if self.lies and lie == "start": raise EngineStartFailed
                super().__init__(device="CPU", precision="f32", **rest)
                self.looks = 0
            def detector(self, *args, **options):
                net = super().detector(*args, **options)
                def lying(image):
                    heat, scale, offset, points = net(image)
                    self.looks += 1
                    if self.lies and lie == "count": heat[:, :, :, heat.shape[3] // 2:] = 0
                    if self.lies and lie == "boxes": offset = offset + 6
                    if self.lies and lie == "no numbers": heat[0, 0, 0, 0] = float("nan")
                    if self.lies and lie == "forgets" and self.looks > 2: heat = heat * 0
                    if self.lies and lie == "slow": time.sleep(0.3)
                    return [heat, scale, offset, points]
                return lying
            def embedder(self, file):
                net = super().embedder(file)
                def lying(faces):
                    given = net(faces)
                    if self.lies and lie in ("prints", "half"): given = given[:, ::-1].copy()
                    if self.lies and lie == "batch" and len(given) > 1: given = given[::-1].copy()
                    if self.lies and lie == "no prints": given[-1, -1] = float("inf")
                    return given
                return lying
        selftest.Runtime = Lying
        return super()._self_test(body)

engine_worker.EngineWorker = Liar
raise SystemExit(engine_worker.main())
"""

MakeChooser = Callable[..., DeviceSelector]


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The trials of all tests here: the processor's is made once, and each lie is another driver's."""
    return tmp_path_factory.mktemp("trials") / "devices.json"


def chooser(record: Path, lie: str, driver: str = "", *, limit: float = 60.0, again: bool = False) -> DeviceSelector:
    return DeviceSelector(record, [sys.executable, "-c", FAKE, lie, driver or lie], limit=limit, again=again)


async def choice(chooser: DeviceSelector, config: EngineConfig) -> DeviceChoice:
    """Return the choice. On which processors int8 is faster is not tested here: it counts as "auto", of which it is one."""
    chosen = await chooser.chosen(config)
    automatic = config.precision == "auto" and chosen.precision in precisions("auto")
    return DeviceChoice(chosen.device, "auto" if automatic else chosen.precision, chooser.note)


@pytest.mark.parametrize(
    ("lie", "fault"),
    [
        ("count", Fault.COUNT),
        ("boxes", Fault.BOXES),
        ("no numbers", Fault.NO_NUMBERS),
        ("no prints", Fault.NO_NUMBERS),
        ("prints", Fault.PRINTS),
        ("batch", Fault.BATCH),
        ("forgets", Fault.BATCH),
        ("crash", Fault.FAILED),
        ("start", Fault.FAILED),
    ],
)
async def test_a_device_that_lies_is_not_used(record: Path, engine_config: EngineConfig, lie: str, fault: Fault) -> None:
    for wanted in ("GPU", "AUTO"):
        found = await choice(chooser(record, lie), replace(engine_config, device=wanted))
        assert found == DeviceChoice("CPU", "auto", DeviceNote("GPU", fault))


async def test_a_device_that_hangs_is_ended_and_not_used(record: Path, engine_config: EngineConfig) -> None:
    await choice(chooser(record, "honest"), engine_config)  # the processor's own trial has all the time it needs
    others = psutil.Process().children()  # of tests before this
    hung = chooser(record, "hang", limit=6.0)
    assert await choice(hung, replace(engine_config, device="GPU")) == DeviceChoice("CPU", "auto", DeviceNote("GPU", Fault.HUNG))
    assert [child for child in psutil.Process().children() if child not in others] == []


async def test_a_driver_that_fails_when_it_is_merely_looked_for_costs_nothing_else(record: Path, engine_config: EngineConfig) -> None:
    found = await choice(chooser(record, "nothing to see"), replace(engine_config, device="AUTO"))
    assert found == DeviceChoice("CPU", "auto")


async def test_an_honest_device_is_used_and_tried_again_only_with_another_driver(record: Path, engine_config: EngineConfig) -> None:
    config = replace(engine_config, device="GPU")
    assert await choice(chooser(record, "honest", "1.0"), config) == DeviceChoice("GPU", "auto")
    assert await choice(chooser(record, "crash", "1.0"), config) == DeviceChoice("GPU", "auto"), "it is known, so it is not asked"
    assert await choice(chooser(record, "crash", "1.1"), config) == DeviceChoice("CPU", "auto", DeviceNote("GPU", Fault.FAILED))
    assert await choice(chooser(record, "honest", "1.1"), config) == DeviceChoice("CPU", "auto", DeviceNote("GPU", Fault.FAILED))
    assert await choice(chooser(record, "honest", "1.1", again=True), config) == DeviceChoice("GPU", "auto"), "the doctor asks again"


async def test_what_was_tried_with_other_value_ranges_is_tried_again(
    tmp_path: Path, engine_config: EngineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    ranges = tmp_path / "int8"
    shutil.copytree(RANGES, ranges)
    monkeypatch.setattr("agent.inference.engine.selftest_runs.RANGES", ranges)
    record, config = tmp_path / "devices.json", replace(engine_config, precision="int8")

    async def kept() -> set[str]:
        await choice(chooser(record, "honest"), config)
        return set(json.loads(record.read_text()))

    first = await kept()
    assert await kept() == first
    [measured] = ranges.iterdir()
    measured.write_text(measured.read_text() + " ")
    second = await kept()
    assert second > first and len(second - first) == 1, "what is not quantised is not tried again"
    measured.unlink()
    assert len(await kept() - second) == 1, "nothing is quantised any more"


async def test_by_itself_a_device_is_used_only_if_it_is_faster(record: Path, engine_config: EngineConfig) -> None:
    assert await choice(chooser(record, "slow"), replace(engine_config, device="AUTO")) == DeviceChoice("CPU", "auto")
    assert await choice(chooser(record, "slow"), replace(engine_config, device="GPU")) == DeviceChoice("GPU", "auto"), "it was asked for"


async def test_a_processor_that_computes_too_coarsely_computes_exactly(tmp_path: Path, engine_config: EngineConfig) -> None:
    record = tmp_path / "devices.json"
    assert await choice(chooser(record, "half"), engine_config) == DeviceChoice("CPU", "f32", DeviceNote("CPU", Fault.PRINTS))
    assert [kept["fault"] for kept in json.loads(record.read_text()).values()] == ["prints"] * len(precisions("auto"))


async def test_without_models_there_is_nothing_to_test_and_nothing_is_kept(tmp_path: Path, engine_config: EngineConfig) -> None:
    record = tmp_path / "devices.json"
    assert await choice(chooser(record, "crash"), replace(engine_config, device="GPU", models={})) == DeviceChoice("CPU", "auto")
    lost = {recipe: replace(file, path=str(tmp_path / "gone")) for recipe, file in engine_config.models.items()}
    config = replace(engine_config, models=lost, converted=str(tmp_path))
    assert await choice(chooser(record, "honest"), config) == DeviceChoice("CPU", "auto")
    assert not record.exists()


@pytest.mark.skipif(os.name == "nt", reason="a process that is ended from outside looks like one that ended itself")
async def test_a_trial_that_somebody_ends_says_nothing_of_the_device(tmp_path: Path, engine_config: EngineConfig) -> None:
    record = tmp_path / "devices.json"
    killed = DeviceSelector(record, [sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])
    assert (await killed.chosen(engine_config)).precision == "f32"
    assert not record.exists(), "it is tried again at the next start"


async def test_a_damaged_record_is_made_again(tmp_path: Path, engine_config: EngineConfig) -> None:
    record = tmp_path / "devices.json"
    record.write_text('{"a": 1}')
    assert await choice(chooser(record, "honest"), engine_config) == DeviceChoice("CPU", "auto")
    assert len(json.loads(record.read_text())) == len(precisions("auto"))


async def test_closed_it_starts_nothing(tmp_path: Path, engine_config: EngineConfig) -> None:
    closed = chooser(tmp_path / "devices.json", "honest")
    await closed.close()
    with pytest.raises(EngineKilled):
        await closed.chosen(engine_config)
