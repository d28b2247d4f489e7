"""What the monitor does with what it measures."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from agent.domain.errors import AgentError, EngineMemory
from agent.inference.engine.load_limiter import FULL, Pace, Power, Throttle
from agent.inference.engine.monitor import MB, WARN_FOR, EngineProcess, EngineUsage, Machine, ResourceMonitor
from agent.inference.engine.sandbox.report import Sandbox
from agent.infrastructure.core.settings import EngineSettings, OnBattery


class FakeEngine:
    """Notes what it is told."""

    size = 2
    restarts = 0
    device_note = None
    gap = None

    def __init__(self) -> None:
        self.processes: list[EngineProcess] = []
        self.governed: list[tuple[bool, bool]] = []
        self.replaced: list[tuple[int, bool]] = []

    def stats(self) -> list[EngineProcess]:
        return self.processes

    async def try_out(self) -> tuple[str, str]:
        return "CPU", "f32"

    async def wall(self) -> Sandbox:
        return Sandbox()

    def govern(self, *, one_core: bool, low_priority: bool) -> None:
        self.governed.append((one_core, low_priority))

    def replace(self, pid: int, *, limit: int, at_once: bool) -> None:
        self.replaced.append((pid, at_once))

    def takes(self, *megabytes: int) -> None:
        self.processes = [EngineProcess(pid, memory * MB, "CPU", "f32") for pid, memory in enumerate(megabytes, 1)]


class Desk:
    """A monitor and its surroundings."""

    def __init__(self) -> None:
        self.engine = FakeEngine()
        self.settings = EngineSettings(max_memory_mb=1000)
        self.power = Power()
        self.others = 0.0
        self.working = False
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.applied: list[tuple[Pace, AgentError | None]] = []
        self.monitor = ResourceMonitor(
            Machine(self.engine, self.usage, lambda: self.power, 16 * 1024 * MB),
            lambda: self.settings,
            working=lambda: self.working,
            apply=lambda pace, warning: self.applied.append((pace, warning)),
            clock=lambda: self.now,
        )

    def usage(self, engine: Sequence[int]) -> EngineUsage:
        return EngineUsage(100 * MB, sum(process.memory for process in self.engine.processes), 0.1, 0.2, self.others)

    def tick(self, seconds: float = 2.0) -> None:
        self.now += timedelta(seconds=seconds)
        self.monitor.measure([process.pid for process in self.engine.stats()])
        self.monitor.check()


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_nothing_is_done_while_nothing_is_wrong(desk: Desk) -> None:
    desk.engine.takes(400, 500)
    for _ in range(20):
        desk.tick()
    assert (desk.applied, desk.engine.governed, desk.engine.replaced) == ([], [], [])


def test_a_process_that_grows_too_large_is_replaced_after_its_task_and_the_user_is_told(desk: Desk) -> None:
    desk.engine.takes(400, 700)
    desk.tick()
    assert desk.engine.replaced == [(2, False)]
    [(pace, warning)] = desk.applied
    assert pace == FULL and isinstance(warning, EngineMemory)
    assert warning.params == {"megabytes": 1100, "limit": 1000}


def test_a_task_that_goes_on_growing_is_ended_with_its_process(desk: Desk) -> None:
    desk.engine.takes(400, 700)
    for _ in range(3):
        desk.tick()
    assert desk.engine.replaced == [(2, False), (2, False), (2, True)]
    desk.engine.replaced.clear()
    desk.engine.takes(2000)
    desk.tick()
    assert desk.engine.replaced == [(1, True)], "half as much again is waited for no longer"


def test_the_warning_goes_away_after_a_while(desk: Desk) -> None:
    desk.engine.takes(1100)
    desk.tick()
    desk.engine.takes(300)
    desk.tick()
    assert desk.monitor.warning is not None
    desk.tick(WARN_FOR.total_seconds())
    assert desk.monitor.warning is None
    assert [warning is None for _, warning in desk.applied] == [False, True]


def test_by_itself_it_allows_a_gigabyte_each_but_never_more_than_half_the_machine(desk: Desk) -> None:
    desk.settings = EngineSettings()
    assert desk.monitor.limit == 2048 * MB
    small = ResourceMonitor(
        Machine(desk.engine, memory=2048 * MB), EngineSettings, working=bool, apply=lambda *_: None, clock=lambda: desk.now
    )
    assert small.limit == 1024 * MB


def test_a_limit_that_no_photo_fits_into_is_not_taken_at_its_word(desk: Desk) -> None:
    desk.settings = EngineSettings(max_memory_mb=1)
    desk.engine.takes(350)
    desk.tick()
    assert desk.engine.replaced == []


def test_on_battery_the_engine_is_told_to_go_gently_and_back(desk: Desk) -> None:
    desk.power = Power(on_battery=True, percent=50)
    desk.tick()
    desk.power = Power()
    desk.tick()
    assert desk.engine.governed == [(True, True), (False, False)]
    assert [pace.why for pace, _ in desk.applied] == [Throttle.BATTERY, None]


def test_a_moment_s_work_of_another_program_changes_nothing_but_a_minute_s_does(desk: Desk) -> None:
    desk.others = 1.0
    desk.tick()
    assert desk.applied == []
    for _ in range(10):
        desk.tick()
    assert [pace.why for pace, _ in desk.applied] == [Throttle.BUSY]


def test_the_user_s_word_counts_more_than_the_battery_until_the_circumstances_change(desk: Desk) -> None:
    desk.settings = EngineSettings(on_battery=OnBattery.PAUSE)
    desk.power = Power(on_battery=True, percent=50)
    desk.tick()
    assert desk.monitor.pace.paused
    desk.monitor.overrule()
    assert not desk.monitor.pace.paused
    desk.tick()
    assert not desk.monitor.pace.paused
    desk.power = Power()
    desk.tick()
    desk.power = Power(on_battery=True, percent=50)
    desk.tick()
    assert desk.monitor.pace.paused


def test_a_history_is_kept_only_while_somebody_looks_or_work_is_under_way(desk: Desk) -> None:
    desk.tick(60)
    assert len(desk.monitor.history) == 0
    desk.monitor.looked()
    desk.tick(10)
    desk.tick(10)
    assert [sample.usage.agent_memory for sample in desk.monitor.history] == [100 * MB] * 2
    desk.tick(600)
    assert len(desk.monitor.history) == 2
    desk.working = True
    desk.monitor.analysed()
    desk.tick(10)
    assert [sample.images for sample in desk.monitor.history] == [0, 0, 1]


def test_the_history_has_a_point_every_ten_seconds_and_goes_back_an_hour(desk: Desk) -> None:
    desk.working = True
    for _ in range(4000):
        desk.tick(2)
    history = desk.monitor.history
    assert len(history) <= 361
    assert {(later.at - earlier.at).total_seconds() for earlier, later in zip(history, list(history)[1:], strict=False)} == {10.0}
    assert (history[-1].at - history[0].at) <= timedelta(hours=1)


@pytest.mark.parametrize(("working", "rested"), [(False, 1), (True, 0)])
async def test_it_rests_only_while_no_work_is_under_way(*, working: bool, rested: int) -> None:
    looks: list[None] = []
    looked = asyncio.Event()

    async def rest() -> None:
        looks.append(None)

    def usage(_: Sequence[int]) -> EngineUsage:
        looked.set()
        return EngineUsage(100 * MB, 0, 0.1, 0.2, 0.0)

    monitor = ResourceMonitor(
        Machine(FakeEngine(), usage, Power, 16 * 1024 * MB),
        EngineSettings,
        working=lambda: working,
        apply=lambda pace, warning: None,
        clock=lambda: datetime(2026, 1, 1, tzinfo=UTC),
        rest=rest,
    )
    running = asyncio.create_task(monitor.run())
    await looked.wait()
    for _ in range(50):
        await asyncio.sleep(0.001)
    running.cancel()
    await asyncio.wait([running])
    assert len(looks) == rested
