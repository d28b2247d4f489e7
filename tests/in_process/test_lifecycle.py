"""The agent starts, follows its settings, looks after itself, and ends."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import KeyringLocked, ModelUnreachable, OffsiteLate, RepositoryUnreachable, StoreDiskFull
from agent.domain.image import NO_FACES, Recipe
from agent.domain.jobs import Priority
from agent.features.library.recipes import DETECTORS, EMBEDDER
from agent.features.library.watched_folders import loud
from agent.infrastructure.core.settings import FaceDetector, Settings
from tests.support.stored_embeddings import image_embeddings

if TYPE_CHECKING:
    from tests.support.in_process_agent import World


async def test_only_what_a_changed_section_concerns_is_told_of_it(world: World) -> None:
    async with world.running():
        await world.app.apply(Settings.model_validate({"general": {"language": "en"}}))
        assert world.reconfigured == []
        new = Settings.model_validate({"popup": {"seconds": 3}})
        await world.app.apply(new)
        assert world.reconfigured == [new] and world.app.settings is new


async def test_the_task_follows_the_settings(world: World) -> None:
    async with world.running():
        await world.app.apply(Settings.model_validate({"detection": {"min_score": 0.8, "min_face": 40}}))
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: bool(world.analyser.tasks))
    (task,) = world.analyser.tasks
    assert (task.min_score, task.min_face, task.recipe.embedder) == (0.8, 40, None)


async def test_a_library_that_cant_be_read_at_the_start_ends_the_run_and_the_engine(world: World) -> None:
    world.library.failing["release_leases"] = StoreDiskFull()
    with pytest.raises(StoreDiskFull):
        await world.app.run()
    assert world.analyser.closed


async def rounds(world: World) -> None:
    """Wait for two whole rounds of the upkeep."""
    seen = len(world.sent)
    await world.until(lambda: len(world.sent) > seen + 2)


async def one_of_two_named(world: World) -> None:
    for name, content in (("a", b"m1"), ("b", b"x2")):
        await world.app.ingest.note(world.file(name, content), Priority.NEW)
    await world.until(lambda: world.real.counts().images == 2)
    await world.app.people.name_face(1, "Mei")


async def leap(world: World, days: timedelta) -> None:
    """A clock that is suddenly ahead counts a day later."""
    world.slept = days
    await rounds(world)
    world.slept = days + timedelta(days=1)


async def test_a_clock_that_is_far_ahead_for_an_hour_deletes_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.upkeep.EVERY_S", 0.01)
    world.make(Settings.model_validate({"recognition": {"enabled": True, "unnamed_days": 7, "person_days": 10}}))
    async with world.running(watch=True):
        await one_of_two_named(world)
        await rounds(world)
        kept = sum(len(part) for part in world.real.prints(EMBEDDER))
        for ahead in (timedelta(days=4_000), timedelta(days=4_000, hours=1), timedelta()):
            world.slept = ahead
            await rounds(world)
        assert sum(len(part) for part in world.real.prints(EMBEDDER)) == kept and world.real.counts().people == 1


async def test_upkeep_goes_on_after_a_failure(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.upkeep.EVERY_S", 0.0)
    world.backup_error = StoreDiskFull()
    async with world.running(watch=True):
        await world.until(lambda: len(world.backups) > 1)
        assert "purge_missing" not in world.library.calls
        world.backup_error = None
        await world.until(lambda: "purge_missing" in world.library.calls)


async def test_a_second_place_that_gets_nothing_is_told_and_keeps_no_deletion_waiting(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.app.upkeep.EVERY_S", 0.01)
    world.send_error = OffsiteLate()
    async with world.running(watch=True):
        await world.until(lambda: len(world.sent) > 1)
        assert "purge_missing" in world.library.calls
        assert (await world.app.status.now()).warning is world.send_error
        world.send_error = RepositoryUnreachable(where="offsite")  # as each time until it is late
        sent = len(world.sent)
        await world.until(lambda: len(world.sent) > sent + 1)
        assert (await world.app.status.now()).warning is not None
        world.send_error = None
        sent = len(world.sent)
        await world.until(lambda: len(world.sent) > sent + 1)
        assert (await world.app.status.now()).warning is None


async def test_what_is_to_be_deleted_by_now_goes_also_while_no_backup_can_be_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.upkeep.EVERY_S", 0.01)
    world.make(Settings.model_validate({"recognition": {"enabled": True, "unnamed_days": 7, "person_days": 10}}))
    async with world.running(watch=True):
        await one_of_two_named(world)
        world.backup_error = KeyringLocked()
        await leap(world, timedelta(days=40))
        await world.until(lambda: not any(world.real.prints(EMBEDDER)) and world.real.counts().people == 0)
        assert world.real.counts().images == 2


async def test_whoever_was_asked_about_for_a_month_is_forgotten(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.app.upkeep.EVERY_S", 0.01)
    world.make(Settings.model_validate({"recognition": {"enabled": True, "person_days": 10}}))
    async with world.running(watch=True):
        await world.app.ingest.note(world.file("a", b"m1"), Priority.NEW)
        await world.until(lambda: world.real.counts().images == 1)
        await world.app.people.name_face(1, "Mei")
        await leap(world, timedelta(days=38))
        await rounds(world)
        assert world.real.counts().people == 1, "she is asked about"
        world.slept = timedelta(days=40)
        await world.until(lambda: world.real.counts().people == 0)


@pytest.mark.parametrize("error", [ModelUnreachable(model="centerface", sources=2), StoreDiskFull()])
async def test_a_model_that_cant_be_had_is_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch, error: ModelUnreachable | StoreDiskFull
) -> None:
    monkeypatch.setattr("agent.app.upkeep.MODELS_RETRY_S", (0.0,))
    world.supply_error = error
    async with world.running():
        await world.until(lambda: len(world.supplied) > 1)
        world.supply_error = None
        tried = len(world.supplied)
        await world.until(lambda: len(world.supplied) > tried)


async def test_files_of_muted_folders_are_not_loud(world: World) -> None:
    (world.folder / "loud").mkdir()
    for name in ("a", "loud/b"):
        await world.app.ingest.note(world.file(name), Priority.NEW)
    assert await loud(world.app.library, world.app.settings.folders, [1, 2, 3]) == [1, 2, 3]
    muted = {"folders": [{"path": str(world.folder), "muted": True}, {"path": str(world.folder / "loud")}]}
    world.app.environment.settings.set(Settings.model_validate(muted))
    assert await loud(world.app.library, world.app.settings.folders, [1, 2, 3]) == [2, 3]


async def test_another_detector_looks_at_every_photo_again(world: World) -> None:
    world.make(Settings())
    async with world.running():
        for name in ("a", "b"):
            await world.app.ingest.note(world.file(name), Priority.NEW)
        await world.until(lambda: world.real.counts().images == 2)
        await world.app.apply(Settings.model_validate({"detection": {"detector": "fast"}}))
        await world.until(lambda: len(world.analyser.tasks) == 4)
        assert {task.recipe for task in world.analyser.tasks[2:]} == {Recipe("yunet-1")} == {world.supplied[-1]}
        await world.until(lambda: [image.recipe for image in world.real.images(limit=9)] == [Recipe("yunet-1")] * 2)


async def test_a_folder_s_own_switches_are_followed_at_once(world: World) -> None:
    def settings(**folder: bool) -> Settings:
        return Settings.model_validate({"recognition": {"enabled": True}, "folders": [{"path": str(world.folder), **folder}]})

    world.make(settings())
    async with world.running():
        await world.app.ingest.note(world.file("a"), Priority.NEW)
        await world.until(lambda: world.real.counts().images == 1)
        assert len(image_embeddings(world.real, 1, EMBEDDER)) == 1
        await world.app.apply(settings(recognition=False))
        assert image_embeddings(world.real, 1, EMBEDDER) == []
        assert len(world.replaced) == 1, "no backup holds them either"
        assert world.analyser.forgotten == 0
        await world.app.ingest.note(world.file("b"), Priority.NEW)
        await world.until(lambda: world.real.counts().images == 2)
        assert world.analyser.tasks[-1].recipe == Recipe(DETECTORS[FaceDetector.THOROUGH])
        await world.app.apply(settings(faces=False))
        await world.app.ingest.note(world.file("c"), Priority.NEW)
        await world.until(lambda: world.real.counts().images == 3)
        assert world.analyser.tasks[-1].recipe == Recipe(NO_FACES)
        seen = len(world.analyser.tasks)
        await world.app.apply(settings())
        await world.until(lambda: len(world.analyser.tasks) == seen + 3)
        await world.until(lambda: all(len(image_embeddings(world.real, each, EMBEDDER)) == 1 for each in (1, 2, 3)))


async def test_recognition_is_said_to_be_on_or_off_only_when_it_is(world: World) -> None:
    on, off = (Settings.model_validate({"recognition": {"enabled": enabled}}) for enabled in (True, False))
    said: dict[str, bool] = {}

    def called(name: str) -> None:
        if name in ("requeue_outdated", "purge_recognition"):
            said[name] = world.app.settings.recognition.enabled

    await world.app.ingest.note(world.file("a"), Priority.NEW)
    async with world.running():
        await world.until(lambda: world.real.counts().images == 1)
        world.library.called = called
        await world.app.apply(on)
        assert said == {"requeue_outdated": False}, "not on before what is to be done is queued"
        world.analyser.gate.clear()
        await world.app.apply(off)
        assert said["purge_recognition"], "not off before the prints are gone"
    switched = [each.action for each in world.real.audit_entries(limit=9) if each.action.startswith("recognition")]
    assert switched == ["recognition_off", "recognition_on"]


async def test_what_new_settings_queued_is_counted_with_them(world: World) -> None:
    on = Settings.model_validate({"recognition": {"enabled": True}})

    def called(name: str) -> None:
        if name == "counts":
            world.app.environment.settings.set(on)  # they change while it counts

    world.library.called = called
    assert not (await world.app.status.now()).settings.recognition.enabled
