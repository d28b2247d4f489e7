"""The status says what the agent does, whenever it changes."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import EngineStartFailed, ImageCorrupt, ModelMissing, SettingsInvalid, StoreBusy, StoreDamaged
from agent.domain.jobs import Priority
from agent.features.library.status import LEAST_INTERVAL_S, MOST_PAUSE_S, AgentState, AgentStatus, ModelsShown, pause_after
from agent.inference.engine.load_limiter import Throttle
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database

if TYPE_CHECKING:
    from agent.features.library.records import Counts
    from agent.features.redaction.queries.redaction_queries import RedactionQueries
    from tests.support.in_process_agent import World


@pytest.fixture
async def told(world: World) -> list[AgentStatus]:
    statuses: list[AgentStatus] = []
    world.app.status.listen(statuses.append)
    return statuses


async def test_from_idle_to_working_to_idle(world: World, told: list[AgentStatus]) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await world.until(lambda: bool(told))
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: told[-1].state is AgentState.WORKING)
        assert told[-1].burst is not None and (told[-1].burst.done, told[-1].burst.total) == (0, 1)
        world.analyser.gate.set()
        await world.until(lambda: told[-1].state is AgentState.IDLE)
    assert told[0].state is AgentState.IDLE and told[0].burst is None
    last = told[-1]
    assert (last.images, last.faces, last.queued) == (1, 1, 0) and last.burst is None


async def test_the_same_status_is_told_once(world: World, told: list[AgentStatus]) -> None:
    async with world.running():
        await world.until(lambda: bool(told))
        asked = world.library.calls.count("counts")
        world.app.status.changed()
        await world.until(lambda: world.library.calls.count("counts") > asked)
        world.app.indexer.pause()
        await world.until(lambda: told[-1].state is AgentState.PAUSED)
    assert [status.state for status in told] == [AgentState.IDLE, AgentState.PAUSED]


async def test_a_library_that_cant_be_counted_is_said_to_be_damaged(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with world.running():
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: world.app.indexer.running == 0 and world.real.counts().images == 1)
        assert (await world.app.status.now()).images == 1

        def damaged() -> Counts:
            raise StoreDamaged

        monkeypatch.setattr(world.real, "counts", damaged)
        status = await world.app.status.now()
    assert (status.state, status.images) == (AgentState.ATTENTION, 1)
    assert isinstance(status.problem, StoreDamaged)


async def test_an_engine_that_does_not_start_is_told_once_a_second_try_was_in_vain(
    world: World, told: list[AgentStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.features.library.indexer.RETRY_AFTER_S", (0.01, 60.0))
    path = world.file("once")
    world.analyser.errors[path.path] = [EngineStartFailed()]
    async with world.running():
        await world.app.ingest.note(path, Priority.NEW)
        await world.until(lambda: bool(told) and told[-1].images == 1)
        assert not any(status.problem for status in told)
        world.analyser.always = EngineStartFailed()
        await world.app.ingest.note(world.file("never"), Priority.NEW)
        await world.until(lambda: isinstance(told[-1].problem, EngineStartFailed))


async def test_paused_it_still_says_what_is_wrong(world: World, told: list[AgentStatus]) -> None:
    world.analyser.always = ModelMissing(model="centerface")
    async with world.running():
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: bool(told) and told[-1].state is AgentState.ATTENTION)
        world.app.indexer.pause()
        # While somebody asks for the model once more it is on its way, and no problem.
        await world.until(lambda: told[-1].state is AgentState.PAUSED and told[-1].problem is world.analyser.always)
        assert told[-1].queued == 1


async def test_refused_settings_need_attention_until_valid_ones_come(world: World, told: list[AgentStatus]) -> None:
    async with world.running():
        world.app.refuse(SettingsInvalid(key="engine.workers", reason="between"))
        await world.until(lambda: bool(told) and told[-1].state is AgentState.ATTENTION)
        await world.app.apply(world.app.settings)
        await world.until(lambda: told[-1].state is AgentState.IDLE)


async def test_files_that_failed_are_counted(world: World, told: list[AgentStatus]) -> None:
    seen = world.file("a")
    world.analyser.errors[seen.path] = [ImageCorrupt()]
    async with world.running():
        await world.app.ingest.note(seen, Priority.NEW)
        await world.until(lambda: bool(told) and told[-1].failed == 1)
        assert await world.app.problems.retry() == 1
        await world.until(lambda: told[-1].failed == 0 and told[-1].images == 1)


async def test_a_change_of_settings_is_told(world: World, told: list[AgentStatus]) -> None:
    async with world.running():
        await world.until(lambda: bool(told))
        await world.app.apply(Settings.model_validate({"general": {"language": "zh-CN"}}))
        await world.until(lambda: told[-1].settings.general.language == "zh-CN")


async def test_while_the_library_is_busy_the_last_status_stands(world: World, told: list[AgentStatus]) -> None:
    async with world.running():
        await world.until(lambda: bool(told))
        world.library.failing["counts"] = StoreBusy()
        asked = world.library.calls.count("counts")
        world.app.indexer.pause()
        await world.until(lambda: world.library.calls.count("counts") > asked)
        world.library.failing.clear()
        world.app.status.changed()
        await world.until(lambda: told[-1].state is AgentState.PAUSED)
    assert len(told) == 2


async def test_on_a_server_the_status_rests_from_what_the_database_did_for_it(
    world: World, told: list[AgentStatus], library: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts, took = library.counts(), list[float]()

    def counted() -> Counts:
        time.sleep(0.05)  # in another process, as far as this one can tell
        return counts

    def pause(counted_s: float, *, shared: bool) -> float:
        assert shared
        took.append(counted_s)
        return 0.0

    monkeypatch.setattr(world.library, "counts", counted)
    monkeypatch.setattr(Database, "is_shared", True)
    monkeypatch.setattr("agent.features.library.status.pause_after", pause)
    async with world.running():
        await world.until(lambda: bool(took))
    assert took[0] >= 0.05


@pytest.mark.parametrize(
    ("counted_s", "shared", "pause_s"),
    [(0.0, False, LEAST_INTERVAL_S), (1.0, False, 20.0), (0.0, True, LEAST_INTERVAL_S), (0.2, True, 4.0), (3.0, True, MOST_PAUSE_S)],
)
def test_counting_keeps_to_its_share(counted_s: float, shared: bool, pause_s: float, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.library.status.MOST_SHARE", 20)
    assert pause_after(counted_s, shared=shared) == pytest.approx(pause_s)


async def test_a_wait_for_a_busy_machine_is_no_work_to_rest_from(
    world: World, told: list[AgentStatus], library: RedactionQueries, monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = library.counts()

    def waiting() -> Counts:
        time.sleep(0.05)
        return counts

    monkeypatch.setattr(world.library, "counts", waiting)
    monkeypatch.setattr("agent.features.library.status.MOST_SHARE", 10_000)
    async with world.running():
        await world.until(lambda: bool(told))
        world.app.indexer.pause()
        await world.until(lambda: told[-1].state is AgentState.PAUSED)


async def test_a_photo_that_ends_while_the_rest_is_counted_is_counted_once(
    world: World, told: list[AgentStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await world.until(lambda: bool(told))
        for name in ("a", "b"):
            await world.app.ingest.note(world.file(name), Priority.NEW)
        await world.until(lambda: told[-1].queued == 2 and world.app.indexer.running > 0)
        early = [await asyncio.to_thread(world.real.counts)]

        def slowly() -> Counts:
            if not early:
                return world.real.counts()
            counted = early.pop()
            world.analyser.gate.set()
            while world.real.counts().images < 2 or world.app.indexer.running:
                time.sleep(0.01)
            return counted

        monkeypatch.setattr(world.library, "counts", slowly)
        asked = await world.app.status.now()
        await world.until(lambda: told[-1].queued == 0)
    assert max(status.burst.total for status in (asked, *told) if status.burst is not None) == 2


async def test_what_slows_the_work_is_counted_for_only_while_there_is_some(
    world: World, told: list[AgentStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    world.analyser.gate.clear()
    async with world.running():
        await world.until(lambda: bool(told))
        asked: list[None] = []
        with monkeypatch.context() as at_rest:
            at_rest.setattr(world.app.status, "changed", lambda: asked.append(None))
            world.app.status.limited(Throttle.BUSY, None)
        assert asked == []
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: told[-1].queued == 1 and told[-1].throttled is Throttle.BUSY)
        world.app.indexer.pause()  # nothing works that could give way
        await world.until(lambda: told[-1].state is AgentState.PAUSED and told[-1].throttled is None)
        world.app.indexer.resume()
        await world.until(lambda: told[-1].throttled is Throttle.BUSY)
        world.app.status.limited(None, None)
        await world.until(lambda: told[-1].throttled is None)
        world.analyser.gate.set()


async def test_who_stops_listening_is_told_no_more(world: World, told: list[AgentStatus]) -> None:
    others: list[AgentStatus] = []
    stop = world.app.status.listen(others.append)
    stop()
    async with world.running():
        await world.until(lambda: bool(told))
    assert others == []


async def test_a_model_that_is_on_its_way_asks_nothing_of_the_user(world: World, told: list[AgentStatus]) -> None:
    world.analyser.always = ModelMissing(model="centerface")
    async with world.running():
        await world.until(lambda: bool(world.supplied))
        world.app.status.models.set(ModelsShown(fetching=True))
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: world.app.indexer.problem is not None)
        now = await world.app.status.now()
        assert now.problem is None and now.state is AgentState.WORKING
        world.app.status.models.set(ModelsShown())
        await world.until(lambda: told[-1].problem is world.analyser.always)


async def test_an_engine_that_started_before_its_model_came_is_no_problem(
    world: World, told: list[AgentStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.features.library.indexer.RETRY_AFTER_S", (0.01, 60.0))
    path = world.file("a")
    world.analyser.errors[path.path] = [ModelMissing(model="mobilefacenet")]
    async with world.running():
        await world.until(lambda: bool(world.supplied))
        await world.app.ingest.note(path, Priority.NEW)
        await world.until(lambda: bool(told) and told[-1].images == 1)
    assert not any(status.problem for status in told)


async def test_groups_that_were_formed_after_the_last_photo_are_told(
    world: World, told: list[AgentStatus], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.features.people.clusters.CALM_S", 0.01)
    async with world.running():
        await world.app.apply(Settings.model_validate({"recognition": {"enabled": True}}))
        await world.index("m1", "m2")
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        await world.until(lambda: told[-1].people_changed > 0 and told[-1].queued == 0)
