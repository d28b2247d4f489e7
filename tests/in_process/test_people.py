"""Naming forms opinions from stored prints, never by inference; switching recognition off leaves none."""

from __future__ import annotations

import asyncio
import threading
from contextlib import asynccontextmanager
from itertools import count
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select
from structlog.testing import capture_logs

from agent.domain.edits import DescribePersonEdit, MergePeopleEdit, NameFacesEdit, NameManyEdit, RejectFaces
from agent.domain.errors import (
    EngineCrashed,
    EngineStartFailed,
    FaceUnknown,
    KeyringLocked,
    ModelMissing,
    RecognitionOff,
    SettingsUnwritable,
    StoreBusy,
)
from agent.domain.events import ImageIndexed, PeopleChanged, RecognitionPurged
from agent.domain.identity_matching import Certainty
from agent.domain.image import Recipe
from agent.domain.jobs import JobState, Priority
from agent.features.library.records import UnidentifiedFace
from agent.features.people.identification import Identification
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED
from agent.infrastructure.store.schema import chip, embedding
from tests.support.in_process_agent import NOW

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.support.in_process_agent import World

OFF, ON = Settings(), Settings.model_validate({"recognition": {"enabled": True}})


@asynccontextmanager
async def recognising(world: World, **files: bytes) -> AsyncIterator[dict[str, int]]:
    """Run with recognition on and these files indexed; gives their face ids."""
    world.make(ON)
    async with world.running():
        yield {name: await face_of(world, name, content) for name, content in files.items()}


async def face_of(world: World, name: str, content: bytes) -> int:
    """Have a photo of one face indexed; it is told of when its opinion has been looked at once more."""
    seen = world.file(name, content)
    told = len(world.happened)
    await world.app.ingest.note(seen, Priority.NEW)
    await world.until(lambda: any(isinstance(recorded.event, ImageIndexed) for recorded in world.happened[told:]))
    place = world.real.place(seen.path)
    assert place is not None and place.image_id is not None
    image = world.real.image(place.image_id)
    assert image is not None
    return image.faces[0].id


def identities(world: World) -> dict[int, tuple[str | None, Certainty | None]]:
    faces = [face for image in world.real.images(limit=100) for face in image.faces]
    return {face.id: (face.person, face.identity.certainty if face.identity else None) for face in faces}


MEI = ("Mei", Certainty.CERTAIN)
NOBODY = (None, None)


@pytest.fixture(autouse=True)
def soon_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine's library may be busy once: what waits a minute then, waits a moment here."""
    for module in ("clusters", "editor"):
        monkeypatch.setattr(f"agent.features.people.{module}.RETRY_AFTER_S", 0.05)


async def test_one_naming_names_every_photo_of_that_face_without_inference(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.app.people.name_face(face["a"], "Mei")
        assert identities(world) == {face["a"]: ("Mei", Certainty.CONFIRMED), face["b"]: MEI, face["c"]: NOBODY}
        assert len(world.analyser.tasks) == 3 and isinstance(world.happened[-1].event, PeopleChanged)
        new = await face_of(world, "d", b"m4")
        assert identities(world)[new] == MEI


@pytest.mark.parametrize(("action", "forgotten"), [("name", 0), ("merge", 0), ("forget", 1), ("consent", 1)])
async def test_who_was_forgotten_on_another_process_leaves_the_memory_of_this_one(world: World, action: str, forgotten: int) -> None:
    async with recognising(world, a=b"m1"):
        before = world.matcher.forgotten
        await world.app.people.changed_elsewhere({action})
        assert world.matcher.forgotten == before + forgotten


async def test_while_recognition_is_off_nobody_can_be_named(world: World) -> None:
    async with world.running():
        with pytest.raises(RecognitionOff):
            await world.app.people.name_face(1, "Mei")


async def test_a_face_that_is_not_there_cant_be_named(world: World) -> None:
    async with recognising(world):
        with pytest.raises(FaceUnknown):
            await world.app.people.name_face(7, "Mei")


async def test_a_naming_is_done_though_the_others_cant_be_compared_yet(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        world.matcher.error = EngineStartFailed()
        with capture_logs() as logged:
            assert await world.app.people.name_face(face["a"], "Mei") > 0
        assert {"code": "engine.start_failed", "action": "name"}.items() <= logged[0].items()
        assert isinstance(world.happened[-1].event, PeopleChanged)
        assert identities(world)[face["a"]] == ("Mei", Certainty.CONFIRMED)
        world.matcher.error = None
        await world.until(lambda: identities(world)[face["b"]] == MEI)


async def test_a_naming_between_judging_and_writing_is_made_good(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"x2") as face:
        await world.app.people.name_face(face["b"], "Xu")

        async def name_meanwhile() -> None:
            await world.app.people.name_face(face["a"], "Mei")

        world.matcher.before = name_meanwhile
        new = await face_of(world, "c", b"m3")
        await world.until(lambda: identities(world)[new] == MEI)


async def test_a_person_who_is_forgotten_between_judging_and_writing_fails_no_photo(world: World) -> None:
    async with recognising(world, a=b"s1") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")

        def forget_meanwhile(called: str) -> None:
            if called == "commit":
                world.real.forget_person(mei, now=NOW, note="backups")

        world.library.called = forget_meanwhile
        second = await asyncio.wait_for(face_of(world, "b", b"s2"), 10)
        assert world.real.counts().jobs[JobState.DONE] == 2
    assert identities(world)[second] == (None, None)


async def test_new_bounds_form_the_opinions_anew(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        await world.app.people.name_face(face["a"], "Mei")
        await world.app.apply(Settings.model_validate({"recognition": {"enabled": True, "certain": 0.05}}))
        await world.until(lambda: identities(world)[face["b"]] == ("Mei", Certainty.PROBABLE))
        assert len(world.analyser.tasks) == 2


async def test_of_two_faces_on_a_photo_only_one_is_somebody(world: World) -> None:
    world.analyser.faces["c"] = 2
    async with recognising(world, a=b"m1") as face:
        await world.app.people.name_face(face["a"], "Mei")
        await face_of(world, "c", b"m3")
        [image] = [image for image in world.real.images(limit=9) if len(image.faces) == 2]
        assert [each.person for each in image.faces] == ["Mei", None]
        await world.app.people.edit(RejectFaces(face_ids=(image.faces[0].id,), person_id=1))
        assert identities(world)[image.faces[0].id] == (None, None) and identities(world)[image.faces[1].id] == MEI


async def test_only_what_may_be_seen_otherwise_is_judged_again(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        judged: list[int] = []
        real = world.real.to_judge

        def to_judge(faces: list[int], embedder: str) -> list[UnidentifiedFace]:
            judged.extend(faces)
            return real(faces, embedder)

        world.library.__dict__["to_judge"] = to_judge
        await world.app.people.name_face(face["a"], "Mei")
        assert sorted(judged) == [face["a"], face["b"]]


async def test_unnamed_faces_are_grouped_when_the_last_photo_has_come(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.clusters.CALM_S", 0.01)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        [group] = world.real.groups(limit=9)[0]
        assert set(group.face_ids) == {face["a"], face["b"]}
        await world.app.people.edit(NameFacesEdit(face_ids=(face["a"], face["b"]), name="Mei"))
        assert world.real.groups(limit=9) == ([], 0)
        seen = len(world.matcher.grouped)
        await face_of(world, "d", b"x4")
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        assert len(world.matcher.grouped) > seen


async def test_what_follows_from_a_great_deal_is_formed_page_by_page_and_others_come_in_between(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("MANY", 1), ("AT_ONCE", 1)):
        monkeypatch.setattr(f"agent.features.people.identification.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3", d=b"x4", e=b"x5", f=b"y6") as face:
        forgotten = world.matcher.forgotten
        await world.app.people.edit(NameManyEdit(people=(("Mei", (face["a"],)), ("Xu", (face["c"],)))))
        assert world.matcher.forgotten == forgotten + 1, "it reads the library anew"
        await world.app.people.name_face(face["f"], "Bo")
        named = dict(zip(face.values(), ("Mei", "Mei", "Xu", "Xu", "Xu", "Bo"), strict=True))
        await world.until(lambda: {each: person for each, (person, _) in identities(world).items()} == named)


async def test_what_was_left_to_form_is_formed_at_the_next_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.identification.MANY", 0)
    async with recognising(world, a=b"m1", b=b"m2") as face:
        world.matcher.error = EngineCrashed()
        await world.app.people.edit(NameFacesEdit(face_ids=(face["a"],), name="Mei"))
    assert identities(world)[face["b"]] == NOBODY
    world.matcher.error = None
    world.make(ON)
    async with world.running():
        await world.until(lambda: identities(world)[face["b"]] == MEI)
        await world.until(lambda: not world.real.noted("opinions_in_doubt"))


async def test_what_was_said_is_in_doubt_until_the_opinions_follow(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        with monkeypatch.context() as held_up:
            held_up.setattr(Identification, "follow", lambda *_: asyncio.Event().wait())
            naming = asyncio.create_task(world.app.people.name_face(face["a"], "Mei"))
            await world.until(lambda: "Mei" in world.real.person_names().values())
            assert world.real.noted("opinions_in_doubt"), "whoever starts after a kill forms them anew"
            naming.cancel()
            await asyncio.wait({naming})
        await world.until(lambda: identities(world)[face["b"]] == MEI)
        await world.until(lambda: not world.real.noted("opinions_in_doubt"))
        await world.app.people.name_face(face["a"], "Bo")
        assert not world.real.noted("opinions_in_doubt")


async def test_a_naming_whose_caller_left_while_it_was_written_has_its_consequences(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        begun, gone = threading.Event(), threading.Event()
        edit = world.real.edit

        def slow(*words: Any, **more: Any) -> Any:
            written = edit(*words, **more)
            begun.set()
            assert gone.wait(30)
            return written

        world.library.__dict__["edit"] = slow
        naming = asyncio.create_task(world.app.people.name_face(face["a"], "Mei"))
        await asyncio.to_thread(begun.wait, 30)
        naming.cancel()
        gone.set()
        await asyncio.wait({naming})
        assert naming.cancelled()
        await world.until(lambda: identities(world)[face["b"]] == MEI)
        await world.until(lambda: not world.real.noted("opinions_in_doubt"))


async def test_groups_formed_from_nothing_are_written_some_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CALM_S", 0.01), ("MANY", 2), ("WRITTEN", 1)):
        monkeypatch.setattr(f"agent.features.people.clusters.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3", d=b"x4", e=b"y5") as face:
        await world.until(lambda: world.real.ungrouped(9) == [])
        groups = {frozenset(group.face_ids) for group in world.real.groups(limit=9)[0]}
        assert groups == {frozenset({face["a"], face["b"]}), frozenset({face["c"], face["d"]})}


async def test_clusters_formed_anew_keep_their_numbers(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.clusters.CALM_S", 0.01)
    async with recognising(world, a=b"x1", b=b"x2") as face:
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        [first] = world.real.groups(limit=9)[0]
        for name, content in (("c", b"m3"), ("d", b"m4"), ("e", b"x5")):
            face[name] = await face_of(world, name, content)
        await world.until(lambda: world.real.ungrouped(9) == [] and world.real.groups(limit=9)[1] == 2)
        groups = {frozenset(group.face_ids): group.id for group in world.real.groups(limit=9)[0]}
        assert groups.keys() == {frozenset({face["a"], face["b"], face["e"]}), frozenset({face["c"], face["d"]})}
        assert groups[frozenset({face["a"], face["b"], face["e"]})] == first.id


async def test_in_a_large_library_new_faces_are_placed_one_by_one(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CALM_S", 0.01), ("FEW", 0)):
        monkeypatch.setattr(f"agent.features.people.clusters.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        [group] = world.real.groups(limit=9)[0]
        assert set(group.face_ids) == {face["a"], face["b"]}


async def test_only_changed_clusters_of_those_formed_anew_are_written(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.clusters.CALM_S", 0.01)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.until(lambda: world.real.ungrouped(9) == [])
        set_groups, written = world.real.set_groups, list[int]()

        def write(groups: dict[int, int]) -> None:
            written.extend(groups)
            set_groups(groups)

        world.library.__dict__["set_groups"] = write
        face["d"] = await face_of(world, "d", b"x4")
        await world.until(lambda: world.real.ungrouped(9) == [] and world.real.groups(limit=9)[1] == 2)
        assert written == [face["c"], face["d"]], "the new one comes last"


async def test_in_a_large_library_many_new_faces_are_placed_unless_they_are_a_good_part_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in (("CALM_S", 0.01), ("FEW", 0), ("MANY", 1), ("SHARE", 2)):
        monkeypatch.setattr(f"agent.features.people.clusters.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3", d=b"y4") as face:
        await world.until(lambda: world.real.ungrouped(9) == [])
        monkeypatch.setattr(world.matcher, "group", lambda _: pytest.fail("one of five is not a good part"))
        face["e"] = await face_of(world, "e", b"x5")
        await world.until(lambda: world.real.ungrouped(9) == [] and world.real.groups(limit=9)[1] == 2)


async def test_who_names_without_a_pause_gets_groups_all_the_same(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CALM_S", 0.2), ("LONGEST_S", 0.5), ("MANY", 2)):
        monkeypatch.setattr(f"agent.features.people.clusters.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:

        async def name_on() -> None:
            for number in count():
                await world.app.people.name_face(face["c"], f"Xu {number}")
                await asyncio.sleep(0.01)

        naming = asyncio.create_task(name_on())
        await world.until(lambda: world.real.groups(limit=9)[1] == 1)
        naming.cancel()
        await asyncio.wait({naming})


async def test_a_long_scan_shows_groups_before_its_end_but_only_of_a_good_part(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("CALM_S", 0.01), ("LONGEST_S", 0.05), ("MANY", 2), ("FEW", 0), ("SHARE_MEANWHILE", 2)):
        monkeypatch.setattr(f"agent.features.people.clusters.{name}", value)
    async with recognising(world, a=b"m1", b=b"m2") as face:
        await world.until(lambda: world.real.ungrouped(9) == [])
        work = world.app.indexer._work
        monkeypatch.setattr(world.matcher, "place", lambda *_: pytest.fail("what comes during a scan waits for its end"))
        work.running += 1  # a photo that takes long
        face |= {name: await face_of(world, name, name.encode() + b"3") for name in ("x", "y")}
        await world.until(lambda: world.real.ungrouped(9) == [])
        face["z"] = await face_of(world, "z", b"y4")
        await asyncio.sleep(0.3)
        assert [each.face_id for each in world.real.ungrouped(9)] == [face["z"]], "one of five"
        monkeypatch.undo()
        monkeypatch.setattr("agent.features.people.clusters.CALM_S", 0.01)
        work.running -= 1
        await world.until(lambda: world.real.ungrouped(9) == [])


async def test_doubt_outlives_the_agent_that_did_not_come_to_its_end(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        await world.app.people.name_face(face["a"], "Mei")
        world.matcher.error = EngineCrashed()
        await world.app.apply(Settings.model_validate({"recognition": {"enabled": True, "certain": 0.05}}))
        await world.until(lambda: world.real.noted("opinions_in_doubt"))
    world.matcher.error = None
    world.make(Settings.model_validate({"recognition": {"enabled": True, "certain": 0.05}}))
    async with world.running():
        await world.until(lambda: identities(world)[face["b"]] == ("Mei", Certainty.PROBABLE))
        await world.until(lambda: not world.real.noted("opinions_in_doubt"))


async def test_doubt_outlives_a_failing_engine(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as face:
        await world.app.people.name_face(face["a"], "Mei")
        world.matcher.error = EngineCrashed()
        await world.app.apply(Settings.model_validate({"recognition": {"enabled": True, "certain": 0.05}}))
        tried = world.matcher.asked
        await world.until(lambda: world.matcher.asked > tried + 1)
        world.matcher.error = None
        await world.until(lambda: identities(world)[face["b"]] == ("Mei", Certainty.PROBABLE))


def prints(world: World, key: bytes) -> int:
    database = Database.in_file(world.folder.parent / "library.db", key)
    try:
        with database.read() as tx:
            return sum(tx.scalar(select(func.count()).select_from(table)) or 0 for table in (embedding, chip))
    finally:
        database.close()


async def test_switched_off_every_print_is_gone_and_none_is_made_again(world: World, library_key: bytes) -> None:
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.app.people.name_face(face["a"], "Mei")
        assert prints(world, library_key) == 6
        world.analyser.gate.clear()
        under_way = world.file("d", b"m4")
        await world.app.ingest.note(under_way, Priority.NEW)
        await world.until(lambda: len(world.analyser.tasks) == 4)
        applying = asyncio.create_task(world.app.apply(OFF))
        await asyncio.sleep(0)
        world.analyser.gate.set()
        await applying
        before = len(world.analyser.tasks)
        assert prints(world, library_key) == 0 and world.analyser.forgotten and world.replaced
        assert isinstance(world.happened[-1].event, RecognitionPurged)
        assert identities(world)[face["b"]] == NOBODY
        await face_of(world, "e", b"m5")
        await world.until(lambda: world.real.counts().jobs.get(JobState.DONE) == 5)
        with pytest.raises(RecognitionOff):
            await world.app.people.name_face(face["b"], "Mei")
    assert prints(world, library_key) == 0
    assert {task.recipe.embedder for task in world.analyser.tasks[before:]} == {None}


async def test_switched_on_again_the_known_are_recognised_again(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2", c=b"x3") as face:
        await world.app.people.name_face(face["a"], "Mei")
        await world.app.apply(OFF)
        await world.app.apply(ON)
        await world.until(lambda: identities(world)[face["b"]] == MEI)
        assert identities(world)[face["a"]] == ("Mei", Certainty.CONFIRMED) and identities(world)[face["c"]] == NOBODY


async def test_a_naming_under_way_ends_before_the_prints_go(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"x2", c=b"m3") as face:
        switching: list[asyncio.Task[None]] = []

        async def switch_meanwhile() -> None:
            switching.append(asyncio.create_task(world.app.apply(OFF)))
            await asyncio.to_thread(world.real.counts)

        await world.app.people.name_face(face["b"], "Xu")
        world.matcher.before = switch_meanwhile
        await world.app.people.name_face(face["a"], "Mei")
        await switching[0]
        assert set(identities(world).values()) <= {("Mei", Certainty.CONFIRMED), ("Xu", Certainty.CONFIRMED), NOBODY}


@pytest.mark.parametrize("trouble", ["library", "keyring"])
async def test_a_purge_that_cant_be_done_at_once_is_done_as_soon_as_it_can(world: World, library_key: bytes, trouble: str) -> None:
    async with recognising(world, a=b"m1"):
        if trouble == "library":
            world.library.failing["purge_recognition"] = StoreBusy()
        else:
            world.backup_error = KeyringLocked()
        applying = asyncio.create_task(world.app.apply(OFF))
        await world.until(lambda: world.app.status.settings_problem is not None)
        await world.app.ingest.note(world.file("b", b"m2"), Priority.NEW)
        assert not applying.done() and len(world.analyser.tasks) == 1
        world.library.failing.clear()
        world.backup_error = None
        await applying
        assert prints(world, library_key) == 0 and len(world.replaced) == 1 and world.app.status.settings_problem is None
        await world.until(lambda: world.real.counts().images == 2)


async def test_at_the_start_what_was_left_of_a_purge_is_purged(world: World, library_key: bytes) -> None:
    async with recognising(world, a=b"m1"):
        pass
    world.make(OFF)
    async with world.running():
        await world.until(lambda: bool(world.supplied) and prints(world, library_key) == 0)


@pytest.mark.parametrize("settings", [OFF, ON], ids=["still off", "on again"])
async def test_backups_that_hold_what_was_purged_are_replaced_at_the_next_start(world: World, settings: Settings) -> None:
    async with recognising(world, a=b"m1"):
        world.backup_error = KeyringLocked()
        applying = asyncio.create_task(world.app.apply(OFF))
        await world.until(lambda: world.app.status.settings_problem is not None)
        applying.cancel()  # the agent dies between the purge and the backups
    world.make(settings)
    async with world.running():
        await world.until(lambda: world.app.status.settings_problem is not None)
        assert world.replaced == []
        world.backup_error = None
        await world.until(lambda: len(world.replaced) == 1)
        await world.until(lambda: world.app.status.settings_problem is None)
    world.make(settings)
    async with world.running():
        await world.until(lambda: len(world.supplied) > 2)
    assert len(world.replaced) == 1, "once is enough"


async def test_who_is_forgotten_while_the_backups_are_replaced_for_another_is_in_none_either(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"x2") as faces:
        mei, xu = [await world.app.people.name_face(faces[file], name) for file, name in (("a", "Mei"), ("b", "Xu"))]

        once = iter((True,))  # several threads call the library

        def forget_meanwhile(called: str) -> None:
            if bool(world.replaced) and next(once, False):  # the new one was copied, and is not told of yet
                world.real.forget_person(xu, now=NOW, note=BACKUPS_HOLD_PURGED)

        world.library.called = forget_meanwhile
        await world.app.people.forget(mei)
        await world.until(lambda: len(world.replaced) == 2)
        await world.until(lambda: not world.real.noted(BACKUPS_HOLD_PURGED))


async def test_backups_are_replaced_where_prints_go_because_somebody_is_never_to_be_recognised(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
        await world.app.people.edit(DescribePersonEdit(person_id=mei, notes="from school"))
        assert world.replaced == []
        await world.app.people.edit(DescribePersonEdit(person_id=mei, never=True))
        await world.until(lambda: len(world.replaced) == 1)


async def test_who_was_thought_to_be_somebody_is_again_once_it_is_taken_back_that_they_are_never_recognised(world: World) -> None:
    async with recognising(world, a=b"m1", b=b"m2") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
        assert identities(world)[faces["b"]] == MEI
        await world.app.people.edit(DescribePersonEdit(person_id=mei, never=True))
        assert set(world.matcher._known or ()) == {faces["a"]}, "nor does the matcher hold the others' prints"
        await world.app.people.undo()
        await world.until(lambda: identities(world)[faces["b"]] == MEI)


async def test_photos_wait_while_the_embedder_is_fetched(world: World) -> None:
    async with world.running():
        await face_of(world, "a", b"m1")
        world.supply_error = world.analyser.always = ModelMissing(model="mobilefacenet")
        await world.app.apply(ON)
        await world.until(lambda: world.supplied[-1] == Recipe("centerface-2", "mobilefacenet-2"))
        await world.until(lambda: world.app.indexer.problem is not None)
        world.supply_error = world.analyser.always = None
        await world.app.problems.retry()
        await world.until(lambda: sum(isinstance(recorded.event, ImageIndexed) for recorded in world.happened) == 2)


@pytest.fixture
def keeping(world: World, tmp_path: Path) -> SettingsFile:
    """A settings file by which Mei stays visible in covered copies; it follows what people are called."""
    file = SettingsFile(tmp_path / "settings.toml", {})
    file.path.write_text('[[folders]]\npath = "/photos"\nredact_keep = ["Mei", "Tom"]\n', encoding="utf-8")
    world.renamed = file.rename_kept
    return file


def kept(file: SettingsFile) -> tuple[str, ...]:
    return file.load().folders[0].redact_keep


async def test_who_stays_visible_in_safe_copies_is_known_by_the_new_name_and_by_the_old_when_it_is_taken_back(
    world: World, keeping: SettingsFile
) -> None:
    async with recognising(world, a=b"M1", b=b"T1") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
        await world.app.people.edit(DescribePersonEdit(person_id=mei, name="小梅"))
        assert kept(keeping) == ("小梅", "Tom")
        await world.app.people.undo()
        assert kept(keeping) == ("Mei", "Tom")
        other = await world.app.people.name_face(faces["b"], "Tom")
        await world.app.people.edit(MergePeopleEdit(person_ids=(other,), into=mei))
        assert kept(keeping) == ("Mei",)


async def test_whom_somebody_was_merged_into_by_mistake_does_not_stay_visible_in_their_stead(world: World, keeping: SettingsFile) -> None:
    async with recognising(world, a=b"M1", b=b"T1", c=b"B1") as faces:
        mei, tom, bo = [await world.app.people.name_face(faces[file], name) for file, name in (("a", "Mei"), ("b", "Tom"), ("c", "Bo"))]
        await world.app.people.edit(MergePeopleEdit(person_ids=(bo,), into=mei))
        await world.app.people.undo()
        assert kept(keeping) == ("Mei", "Tom"), "of the one who stays visible nothing had changed"
        await world.app.people.edit(MergePeopleEdit(person_ids=(tom,), into=bo))
        assert kept(keeping) == ("Mei", "Bo")
        await world.app.people.undo()
        assert kept(keeping) == ("Mei",)


async def test_of_a_forgotten_person_no_name_stays_in_the_settings(world: World, keeping: SettingsFile) -> None:
    async with recognising(world, a=b"M1") as faces:
        await world.app.people.forget(await world.app.people.name_face(faces["a"], "Mei"))
    assert kept(keeping) == ("Tom",) and "Mei" not in keeping.path.read_text(encoding="utf-8")


async def test_the_list_of_forgotten_people_outlives_a_library_that_is_put_back(world: World) -> None:
    async with recognising(world, a=b"m1") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
        uids = frozenset(world.real.uids_of(mei))
        await world.app.people.forget(mei)
    assert uids and world.forgotten.read() == uids


async def test_nobody_is_half_forgotten_while_the_settings_cant_be_written(world: World) -> None:
    def refuse(*_: object) -> None:
        raise SettingsUnwritable

    async with recognising(world, a=b"M1") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
        world.renamed = refuse
        with pytest.raises(SettingsUnwritable):
            await world.app.people.forget(mei)
        assert world.forgotten.read() == frozenset() and identities(world)[faces["a"]] == ("Mei", Certainty.CONFIRMED)
        await world.app.people.edit(DescribePersonEdit(person_id=mei, name="小梅"))
        assert identities(world)[faces["a"]][0] == "小梅"


@pytest.mark.parametrize("writable", [True, False])
async def test_whoever_was_being_forgotten_when_the_agent_was_killed_is_in_no_settings_after_the_next_start(
    world: World, keeping: SettingsFile, writable: bool
) -> None:
    async with recognising(world, a=b"M1") as faces:
        mei = await world.app.people.name_face(faces["a"], "Mei")
    world.forgotten.add(world.real.uids_of(mei))  # and then it was killed

    def refuse(*_: object) -> None:
        raise SettingsUnwritable

    if not writable:
        world.renamed = refuse
    world.make(ON)
    async with world.running():
        await world.until(lambda: not world.real.people())
    assert kept(keeping) == (("Tom",) if writable else ("Mei", "Tom"))
