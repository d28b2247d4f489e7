"""Covered copies of many files: made a few at a time, once each, and gone on with after whatever stopped it."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest
from anyio import CancelScope

from agent.domain.edits import NameFacesEdit, RejectFaces
from agent.domain.errors import (
    AgentError,
    CopyChanged,
    CopyDiskFull,
    CopyMissing,
    CopyUnsupported,
    CopyUnwritable,
    EngineBadAnswer,
    EngineCrashed,
    EngineKilled,
    ImageChanged,
    ImageTruncated,
    KeptDamaged,
    ModelMissing,
    NoSuchName,
    NotFound,
    NotRestorable,
    PassphraseGone,
    PersonUnknown,
    RecognitionOff,
    RestoreKeyWrong,
    SameFile,
    StoreDiskFull,
)
from agent.domain.face import Analysis, Box
from agent.domain.redaction import Cover, Look, PeopleChoice, Reason, Style
from agent.features.redaction.batches import RedactionOrder
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.copy_records import ItemState, RedactionItem
from agent.features.redaction.options import Doubtful, Keeping, Mark
from agent.inference.engine.analyser import Analyse
from agent.inference.engine.renderer import Render, Rendered
from agent.infrastructure.core.files import move_new
from agent.infrastructure.core.settings import RecognitionSettings, Settings
from tests.support.in_process_agent import World


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


def ask(world: World, safe: Path | None, **how: object) -> RedactionOrder:
    return RedactionOrder((str(world.folder),), str(safe) if safe else None, **how)  # type: ignore[arg-type]


async def copies_of(world: World, asked: RedactionOrder) -> dict[str, RedactionItem]:
    """Name of the original -> what came of it."""
    return {Path(each.source).name: each async for each in world.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)}


def left_behind(world: World, asked: RedactionOrder, uid: str = "dead") -> None:
    """A batch that an agent which is no more had only planned."""
    wish = asked.wish(PeopleChoice())
    world.real.plan_copies(uid, wish, CopyFileStore().plan(asked.paths, asked.out, wish, world.real.made_at), now=world.app.now())


def no_further(_: Path) -> None:
    """In the place of a step that a full or failing disk refuses."""
    raise OSError


def content(path: str) -> bytes:
    return Path(path).read_bytes()


def in_folder(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


async def test_each_file_gets_its_copy_and_keeps_what_it_is(world: World, safe: Path) -> None:
    world.file("a.jpg", b"first")
    world.file("图 שלום.jpg", b"second")
    async with world.running():
        made = await copies_of(world, ask(world, safe, strip=True, look=Look(Style.MOSAIC)))

    assert in_folder(safe) == {"a.jpg", "图 שלום.jpg"}
    assert (safe / "a.jpg").read_bytes().endswith(b"strip=True, first")
    assert (world.folder / "a.jpg").read_bytes() == b"first"
    facts = made["a.jpg"].facts
    assert facts is not None and made["a.jpg"].state is ItemState.DONE
    assert facts.sha256 == sha256(b"first").hexdigest()
    assert facts.copy_sha256 == sha256((safe / "a.jpg").read_bytes()).hexdigest()
    assert facts.removed == ("exif", "gps")
    assert [mark.cover.look.style for mark in facts.marks] == [Style.MOSAIC]
    assert all(task.recipe.embedder is None for task in world.analyser.tasks), "who they are was not asked"


async def test_where_no_face_was_found_the_copy_is_made_and_said_to_be_doubtful(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.analyser.faces["a.jpg"] = 0
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()

    assert made.state is ItemState.NEEDS_REVIEW
    assert made.facts is not None and made.facts.doubts == (Doubtful.NO_FACE,)
    assert in_folder(safe) == {"a.jpg"}


async def test_one_bad_file_never_stops_the_rest_and_leaves_nothing(world: World, safe: Path) -> None:
    for name in "abcdef":
        world.file(f"{name}.jpg")
    world.analyser.errors[str(world.folder / "b.jpg")] = [ImageTruncated()]
    world.renderer.errors[str(world.folder / "d.jpg")] = [CopyDiskFull()]
    world.renderer.errors[str(world.folder / "e.jpg")] = [EngineCrashed(), EngineCrashed()]
    world.renderer.errors[str(world.folder / "f.jpg")] = [EngineCrashed()]
    async with world.running():
        made = await copies_of(world, ask(world, safe))

    assert {name: type(item.error) for name, item in made.items() if item.error} == {
        "b.jpg": ImageTruncated,
        "d.jpg": CopyDiskFull,
        "e.jpg": EngineCrashed,
    }
    assert in_folder(safe) == {"a.jpg", "c.jpg", "f.jpg"}


async def test_what_was_made_before_is_passed_over(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        await copies_of(world, ask(world, safe))
        world.file("b.jpg")
        again = await copies_of(world, ask(world, safe))

        assert (again["a.jpg"].passed, again["b.jpg"].passed) == (True, False)
        assert again["a.jpg"].facts is not None
        assert len(world.renderer.tasks) == 2
        await copies_of(world, ask(world, safe, strip=True))
    assert in_folder(safe) == {"a.jpg", "b.jpg", "a (2).jpg", "b (2).jpg"}


async def test_those_that_were_there_are_all_told_while_others_are_being_made(
    world: World, safe: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are read page by page, and what is made meanwhile comes into another order."""
    monkeypatch.setattr("agent.features.redaction.batches.PAGE", 2)
    for number in range(9):
        world.file(f"{number}.jpg")
        world.analyser.faces[f"{number}.jpg"] = number % 2
    async with world.running():
        await copies_of(world, ask(world, safe))
        for number in range(9, 18):
            world.file(f"{number}.jpg")
            world.analyser.faces[f"{number}.jpg"] = 0
        made = await copies_of(world, ask(world, safe))

    assert len(made) == 18
    assert {name for name, item in made.items() if item.passed} == {f"{number}.jpg" for number in range(9)}


async def test_what_ended_before_the_first_look_is_told_once(world: World, safe: Path) -> None:
    for name in ("a.jpg", "b.jpg"):
        world.file(name, name.encode())
    world.analyser.errors[str(world.folder / "a.jpg")] = [ImageTruncated()]
    world.renderer.gate.clear()
    async with world.running(), aclosing(world.app.redaction.copies.redact(ask(world, safe))) as making:
        assert await anext(making) == 2
        await world.until(lambda: ItemState.FAILED in world.real.redaction_batches(limit=1)[0].counts)
        await world.until(lambda: len(world.app.redaction.work._running) == 1)
        world.renderer.gate.set()
        told = [Path(each.source).name async for each in making if isinstance(each, RedactionItem)]
    assert told == ["a.jpg", "b.jpg"]


async def test_nothing_is_begun_if_a_copy_would_take_an_originals_place(world: World) -> None:
    world.file("a.jpg")
    async with world.running():
        with pytest.raises(SameFile):
            await copies_of(world, ask(world, world.folder))
    assert world.analyser.tasks == []


async def test_in_place_the_original_gives_way(world: World) -> None:
    world.file("a.jpg", b"first")
    async with world.running():
        [made] = (await copies_of(world, ask(world, None))).values()

    assert made.source == made.target == str(world.folder / "a.jpg")
    assert (world.folder / "a.jpg").read_bytes().startswith(b"1 covered")
    assert in_folder(world.folder) == {"a.jpg"}


async def test_in_place_no_file_gets_another_format_under_its_name(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.file("a.jpg", b"first")
    render = world.renderer.render

    async def as_png(task: Render) -> Rendered:
        return replace(await render(task), format="png")

    monkeypatch.setattr(world.renderer, "render", as_png)
    async with world.running():
        [item] = (await copies_of(world, ask(world, None))).values()

    assert isinstance(item.error, CopyUnsupported) and item.error.params["instead"] == "png"
    assert (world.folder / "a.jpg").read_bytes() == b"first"


async def test_a_copy_of_another_format_has_its_ending(world: World, safe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As some kinds of TIFF can only be written as PNG; a photo whose name never told its format keeps its name."""
    world.file("a.tif", b"first")
    render = world.renderer.render

    async def as_png(task: Render) -> Rendered:
        return replace(await render(task), format="png")

    monkeypatch.setattr(world.renderer, "render", as_png)
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()

    assert made.target == str(safe / "a.png")
    assert in_folder(safe) == {"a.png"}


async def test_a_file_that_changes_meanwhile_is_looked_at_again(world: World, safe: Path) -> None:
    path = world.folder / "a.jpg"
    world.file("a.jpg", b"first")
    world.renderer.gate.clear()

    async with world.running():
        making = asyncio.create_task(copies_of(world, ask(world, safe)))
        await world.renderer.busy.wait()
        path.write_bytes(b"second")
        world.renderer.gate.set()
        [made] = (await making).values()

    assert made.facts is not None and made.facts.sha256 == sha256(b"second").hexdigest()
    assert len(world.analyser.tasks) == 2


async def test_one_that_never_comes_to_rest_fails(world: World, safe: Path) -> None:
    world.file("a.jpg", b"0")
    count = iter(range(1, 1000))
    analyse = world.analyser.analyse

    async def changing(task: Analyse) -> Analysis:
        found = await analyse(task)
        await asyncio.to_thread((world.folder / "a.jpg").write_bytes, b"%d" % next(count))
        return found

    world.analyser.analyse = changing  # type: ignore[method-assign]
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()

    assert isinstance(made.error, ImageChanged)
    assert in_folder(safe) == set()


async def test_a_renderer_whose_word_is_not_true_is_not_believed(world: World, safe: Path) -> None:
    world.file("a.jpg")

    def lies(task: Render) -> None:
        Path(task.output).write_bytes(b"something else")

    world.renderer.rendered = lies
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()

    assert isinstance(made.error, EngineBadAnswer)
    assert in_folder(safe) == set()


async def test_a_report_says_what_was_done_and_no_name_nobody_gave(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        await copies_of(world, ask(world, safe, report=True, strip=True))

    report = json.loads((safe / "a.jpg.redaction.json").read_text(encoding="utf-8"))
    assert report["original_sha256"] == sha256(b"a.jpg").hexdigest()
    assert report["copy_sha256"] == sha256((safe / "a.jpg").read_bytes()).hexdigest()
    assert (report["found"], report["visible"], report["metadata_removed"], report["models"]) == (1, 0, ["exif", "gps"], ["centerface-2"])
    assert [(each["style"], each["reason"], each["score"]) for each in report["covered"]] == [("solid", "face", 0.9)]
    assert "keep" not in report and "only" not in report


# -- whoever is named ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def known(world: World) -> AsyncIterator[World]:
    """Mei is known by a.jpg; b.jpg looks like her, c.jpg does not."""
    world.make(Settings(recognition=RecognitionSettings(enabled=True)))
    seen = [world.file(name, content) for name, content in {"a.jpg": b"M1", "b.jpg": b"M2", "c.jpg": b"X"}.items()]
    async with world.running():
        for each in seen:  # so that the faces' ids are in this order
            [one async for one in world.app.scan([each])]
        await world.app.people.edit(NameFacesEdit(face_ids=(1,), name="Mei"))
        yield world


async def test_whoever_is_kept_stays_visible(known: World, safe: Path) -> None:
    made = await copies_of(known, ask(known, safe, keep=("Mei",), report=True))

    covered = {name: [mark.covered for mark in item.facts.marks] for name, item in made.items() if item.facts}
    assert covered == {"a.jpg": [False], "b.jpg": [False], "c.jpg": [True]}
    report = json.loads((safe / "b.jpg.redaction.json").read_text(encoding="utf-8"))
    assert (report["keep"], report["visible"], report["covered"]) == (["Mei"], 1, [])


async def test_only_those_who_are_named_are_covered(known: World, safe: Path) -> None:
    made = await copies_of(known, ask(known, safe, only=(" Mei ",)))

    covered = {name: [mark.covered for mark in item.facts.marks] for name, item in made.items() if item.facts}
    assert covered == {"a.jpg": [True], "b.jpg": [True], "c.jpg": [False]}


async def test_whoever_is_there_twice_is_covered_twice_and_kept_once(known: World, safe: Path) -> None:
    """In a moving picture each person is in every frame, but the frames can't be matched."""
    known.file("moving.jpg", b"M3")
    known.analyser.faces["moving.jpg"] = 3

    only = await copies_of(known, ask(known, safe, only=("Mei",)))
    keep = await copies_of(known, ask(known, safe, keep=("Mei",)))

    for made, expected in ((only, [True, True, True]), (keep, [False, True, True])):
        facts = made["moving.jpg"].facts
        assert facts is not None and [mark.covered for mark in facts.marks] == expected


async def test_what_the_user_said_of_a_face_counts_more_than_what_it_looks_like(known: World, safe: Path) -> None:
    await known.app.people.edit(RejectFaces(face_ids=(2,), person_id=1))
    await known.app.people.edit(NameFacesEdit(face_ids=(3,), name="Mei"))

    made = await copies_of(known, ask(known, safe, keep=("Mei",)))

    covered = {name: [mark.covered for mark in item.facts.marks] for name, item in made.items() if item.facts}
    assert covered == {"a.jpg": [False], "b.jpg": [True], "c.jpg": [False]}


async def test_a_face_that_its_groups_card_did_not_show_is_covered(known: World, safe: Path) -> None:
    await known.app.people.undo()
    known.real.set_groups({1: 1, 2: 1, 3: 1})
    await known.app.people.edit(NameFacesEdit(face_ids=(1, 3), name="Mei"))

    made = await copies_of(known, ask(known, safe, keep=("Mei",)))

    covered = {name: [mark.covered for mark in item.facts.marks] for name, item in made.items() if item.facts}
    assert covered == {"a.jpg": [False], "b.jpg": [True], "c.jpg": [False]}


async def test_while_it_cannot_be_known_who_they_are_nobody_is_left_visible(known: World, safe: Path) -> None:
    known.matcher.error = EngineCrashed()

    made = await copies_of(known, ask(known, safe, only=("Mei",)))

    assert {type(item.error) for item in made.values()} == {EngineCrashed}
    assert in_folder(safe) == set()


async def test_whoever_was_to_be_covered_and_was_forgotten_meanwhile_is_not_left_visible(known: World, safe: Path) -> None:
    known.renderer.gate.clear()
    making = asyncio.create_task(copies_of(known, ask(known, safe, only=("Mei",))))
    await known.renderer.busy.wait()
    await known.app.people.forget(1)
    known.renderer.gate.set()

    made = await making

    assert any(isinstance(item.error, PersonUnknown) for item in made.values())


async def test_names_need_recognition_and_somebody_who_bears_them(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        with pytest.raises(RecognitionOff):
            await copies_of(world, ask(world, safe, keep=("Mei",)))
        await world.app.apply(Settings(recognition=RecognitionSettings(enabled=True)))
        with pytest.raises(NoSuchName):
            await copies_of(world, ask(world, safe, only=("Mei",)))
    assert in_folder(safe) == set()


# -- whatever stops it ---------------------------------------------------------------------------------------------------------------


async def test_no_more_are_made_at_once_than_there_is_room_for(world: World, safe: Path) -> None:
    for number in range(6):
        world.file(f"{number}.jpg")
    world.renderer.gate.clear()
    async with world.running():
        making = asyncio.create_task(copies_of(world, ask(world, safe)))
        await world.until(lambda: len(world.renderer.tasks) == 2)
        for _ in range(20):
            await asyncio.sleep(0)
        assert len(world.renderer.tasks) == 2
        world.renderer.gate.set()
        assert len(await making) == 6


async def test_whoever_stops_listening_stops_what_was_not_begun(world: World, safe: Path) -> None:
    for number in range(6):
        world.file(f"{number}.jpg")
    async with world.running():
        async with aclosing(world.app.redaction.copies.redact(ask(world, safe))) as making:
            assert await anext(making) == 6
            first = await anext(making)
            assert isinstance(first, RedactionItem)
            world.renderer.gate.clear()
        left = in_folder(safe)
        assert await asyncio.to_thread(world.real.copies_to_make, 9) == []
        world.renderer.gate.set()

    assert in_folder(safe) == left, "what was under way is not finished behind anybody's back"
    assert not any(name.startswith(".") for name in left)


async def test_a_client_that_hangs_up_stops_it_too(world: World, safe: Path) -> None:
    """The server then cancels whatever is awaited, over and over."""
    for number in range(6):
        world.file(f"{number}.jpg")
    async with world.running():
        with CancelScope() as connection:
            async for told in world.app.redaction.copies.redact(ask(world, safe)):
                if isinstance(told, RedactionItem):
                    world.renderer.gate.clear()
                    connection.cancel()
        await world.until(lambda: world.real.copies_to_make(1) == [] and not any(name.startswith(".") for name in in_folder(safe)))
        left = in_folder(safe)
        world.renderer.gate.set()
    assert len(left) < 6 and in_folder(safe) == left


async def test_an_agent_that_ends_in_an_orderly_way_leaves_the_rest_for_the_next_one(world: World, safe: Path) -> None:
    for number in range(6):
        world.file(f"{number}.jpg")
    world.renderer.gate.clear()
    async with world.running():
        listening = asyncio.create_task(copies_of(world, ask(world, safe)))
        await world.renderer.busy.wait()
    listening.cancel()  # its server ends last
    await asyncio.gather(listening, return_exceptions=True)

    world.make(Settings())
    async with world.running():
        await world.until(lambda: in_folder(safe) == {f"{number}.jpg" for number in range(6)})


async def test_a_batch_that_another_one_stops_ends_for_whoever_listens(world: World, safe: Path) -> None:
    for number in range(6):
        world.file(f"{number}.jpg")
    world.renderer.gate.clear()
    async with world.running():
        listening = asyncio.create_task(copies_of(world, ask(world, safe)))
        await world.renderer.busy.wait()
        [batch] = world.real.redaction_batches(limit=1)
        await world.app.redaction.work.stop(batch.uid)
        assert await listening == {}
        await world.until(lambda: not world.app.redaction.work._attempts)
    assert in_folder(safe) == set()


async def test_a_batch_goes_on_after_the_agent_died(world: World, safe: Path) -> None:
    for number in range(4):
        world.file(f"{number}.jpg")
    left_behind(world, ask(world, safe))
    world.renderer.gate.clear()
    async with world.running():
        await world.renderer.busy.wait()
    assert in_folder(safe) <= {"0.jpg", "1.jpg"}, "it ended in the middle, and nothing half-made is left"

    world.make(Settings())
    async with world.running():
        await world.until(lambda: world.real.copies_to_make(1) == [])

    assert in_folder(safe) == {"0.jpg", "1.jpg", "2.jpg", "3.jpg"}


async def test_the_same_request_resumes_what_an_interrupted_one_left(world: World, safe: Path) -> None:
    for number in range(4):
        world.file(f"{number}.jpg")
    left_behind(world, ask(world, safe, keeping=Keeping.ORIGINAL))
    left_behind(world, ask(world, safe, keeping=Keeping.ORIGINAL), uid="dead as well")
    world.renderer.gate.clear()
    async with world.running():
        await world.renderer.busy.wait()  # the work goes on by itself before the request comes
        listening = asyncio.create_task(copies_of(world, ask(world, safe, keeping=Keeping.ORIGINAL)))
        await world.until(lambda: len(world.real.redaction_batches(limit=9)) == 1)
        world.renderer.gate.set()
        made = await listening

    assert {name: item.error for name, item in made.items()} == dict.fromkeys(("0.jpg", "1.jpg", "2.jpg", "3.jpg"))
    assert in_folder(safe) == {f"{number}.jpg{ending}" for number in range(4) for ending in ("", ".aipopup")}


async def test_a_part_of_what_was_left_is_not_made_twice_and_the_rest_stays_planned(world: World, safe: Path) -> None:
    for number in range(3):
        world.file(f"{number}.jpg")
    left_behind(world, ask(world, safe, keeping=Keeping.ORIGINAL))
    part = RedactionOrder((str(world.folder / "1.jpg"),), str(safe), keeping=Keeping.ORIGINAL)
    async with world.running():
        assert set(await copies_of(world, part)) == {"1.jpg"}
        await world.until(lambda: world.real.copies_to_make(1) == [])

    assert in_folder(safe) == {f"{number}.jpg{ending}" for number in range(3) for ending in ("", ".aipopup")}
    assert [sum(each.counts.values()) for each in world.real.redaction_batches(limit=9)] == [1, 2]


async def test_the_same_request_twice_at_once_makes_one_copy_and_outlives_one_that_hangs_up(world: World, safe: Path) -> None:
    for number in range(4):
        world.file(f"{number}.jpg")
    world.renderer.gate.clear()
    async with world.running():
        first = asyncio.create_task(copies_of(world, ask(world, safe, keeping=Keeping.ORIGINAL)))
        await world.renderer.busy.wait()
        second = asyncio.create_task(copies_of(world, ask(world, safe, keeping=Keeping.ORIGINAL)))
        await world.until(lambda: len(world.app.redaction.work.requests(world.real.redaction_batches(limit=1)[0].uid)) == 2)
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        world.renderer.gate.set()
        made = await second

    assert len(made) == 4 and len(world.real.redaction_batches(limit=9)) == 1
    assert in_folder(safe) == {f"{number}.jpg{ending}" for number in range(4) for ending in ("", ".aipopup")}


async def test_in_place_what_is_covered_already_is_left_byte_for_byte(world: World) -> None:
    world.file("a.jpg", b"first")
    path = world.folder / "a.jpg"
    async with world.running():
        await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))
        covered = path.read_bytes()
        [again] = (await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))).values()

    assert (again.error, again.passed, again.facts and again.facts.covered) == (None, True, 1)
    assert path.read_bytes() == covered and len(world.renderer.tasks) == 1


async def test_in_place_a_photo_without_faces_is_left_unless_something_else_goes(world: World) -> None:
    world.file("a.jpg", b"first")
    world.analyser.faces["a.jpg"] = 0
    path = world.folder / "a.jpg"
    async with world.running():
        [left] = (await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))).values()
        assert path.read_bytes() == b"first" and in_folder(world.folder) == {"a.jpg"}
        assert left.state is ItemState.NEEDS_REVIEW and left.facts is not None and left.facts.doubts == (Doubtful.NO_FACE,)

        await copies_of(world, ask(world, None, strip=True))
    assert path.read_bytes() != b"first", "its metadata went"


async def test_a_copy_that_was_in_place_when_the_agent_died_is_not_made_again(world: World, safe: Path) -> None:
    """Twice it would be there as “a (2).jpg”, and in place the covered one would be kept as the original."""
    world.file("a.jpg")
    world.library.failing["copy_made"] = StoreDiskFull()
    async with world.running():
        with pytest.raises(StoreDiskFull):
            await copies_of(world, ask(world, safe, keeping=Keeping.ORIGINAL))
    assert in_folder(safe) == {"a.jpg", "a.jpg.aipopup"}
    del world.library.failing["copy_made"]
    renders = len(world.renderer.tasks)

    world.make(Settings())
    async with world.running():
        await world.until(lambda: world.real.copies_to_make(9) == [])

    assert in_folder(safe) == {"a.jpg", "a.jpg.aipopup"}
    assert len(world.renderer.tasks) == renders
    assert world.real.made_at(str(safe / "a.jpg")) is not None


async def test_a_library_that_cannot_be_written_to_stops_the_work_until_it_can(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.library.failing["record_pending"] = StoreDiskFull()
    async with world.running():
        with pytest.raises(StoreDiskFull):
            await copies_of(world, ask(world, safe))
        assert "a.jpg" not in in_folder(safe)
        world.library.failing.clear()
        world.app.redaction.work.mended()
        await world.until(lambda: in_folder(safe) == {"a.jpg"})


async def test_a_missing_model_is_got_and_the_work_goes_on(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.analyser.errors[str(world.folder / "a.jpg")] = [ModelMissing(name="centerface")]
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
    assert made.state is ItemState.DONE


async def test_what_ended_from_outside_is_tried_again(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.renderer.errors[str(world.folder / "a.jpg")] = [EngineKilled()] * 4
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
    assert made.state is ItemState.DONE


async def test_a_defect_fails_the_file_and_not_the_agent(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.analyser.defect = RuntimeError("a path")
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
    assert made.error is not None and made.error.code == "agent.unexpected"


async def test_what_failed_is_tried_again_when_asked(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.renderer.errors[str(world.folder / "a.jpg")] = [CopyDiskFull()]
    async with world.running():
        [failed] = (await copies_of(world, ask(world, safe))).values()
        assert failed.state is ItemState.FAILED
        assert await world.app.redaction.copies.retry(failed.batch) == 1
        await world.until(lambda: in_folder(safe) == {"a.jpg"})


# -- what is kept --------------------------------------------------------------------------------------------------------------------


async def test_an_original_that_gave_way_comes_back_byte_for_byte(world: World) -> None:
    path = world.folder / "a.jpg"
    world.file("a.jpg", b"first")
    async with world.running():
        await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))
        assert path.read_bytes() != b"first"

        back = await world.app.redaction.restoring.restore(str(path), None, None)

    assert Path(back) == world.folder / "a restored.jpg"
    assert content(back) == b"first"


async def covered_twice(world: World) -> tuple[bytes, RedactionItem]:
    """In its place, its original kept: what it is after the first time, and what came of the second."""
    world.file("a.jpg", b"first")
    await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))
    covered = (world.folder / "a.jpg").read_bytes()
    [again] = (await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL, look=Look(Style.EMOJI)))).values()
    return covered, again


async def test_the_first_original_is_never_lost(world: World) -> None:
    path = world.folder / "a.jpg"
    async with world.running():
        covered, again = await covered_twice(world)
        back = await world.app.redaction.restoring.restore(str(path), None, None)

    assert again.error is not None and again.error.code == "redact.already_kept"
    assert path.read_bytes() == covered
    assert content(back) == b"first"


async def test_nor_is_it_when_what_failed_for_its_sake_is_tried_again(world: World) -> None:
    path = world.folder / "a.jpg"
    async with world.running():
        covered, again = await covered_twice(world)
        await world.app.redaction.copies.retry(again.batch)
        await world.until(lambda: world.real.copies_to_make(1) == [])
        back = await world.app.redaction.restoring.restore(str(path), None, None)

    assert path.read_bytes() == covered
    assert content(back) == b"first"


async def test_nor_where_files_give_way_unless_it_is_the_same_one(world: World, safe: Path) -> None:
    """Made anew in another style, the copy and what is kept take the place of the first; of another original they don't."""
    world.file("a.jpg", b"first")

    async def made(style: Style) -> RedactionItem:
        [item] = (await copies_of(world, ask(world, safe, look=Look(style), keeping=Keeping.ORIGINAL, overwrite=True))).values()
        return item

    async with world.running():
        await made(Style.SOLID)
        assert (await made(Style.EMOJI)).error is None
        copy = content(str(safe / "a.jpg"))
        world.file("a.jpg", b"second")
        refused = await made(Style.SOLID)
        back = await world.app.redaction.restoring.restore(str(safe / "a.jpg"), None, None)

    assert refused.error is not None and refused.error.code == "redact.already_kept"
    assert (content(back), content(str(safe / "a.jpg"))) == (b"first", copy)
    assert in_folder(safe) == {"a.jpg", "a.jpg.aipopup", "a restored.jpg"}


async def test_an_original_is_kept_before_it_gives_way(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stopped in between, it is not lost, and what was kept is no hindrance to the next try."""
    path = world.folder / "a.jpg"
    world.file("a.jpg", b"first")

    async with world.running():
        with monkeypatch.context() as patch:
            patch.setattr("agent.features.redaction.copy_files.sync_folder", no_further)
            [failed] = (await copies_of(world, ask(world, None, keeping=Keeping.ORIGINAL))).values()
        assert isinstance(failed.error, CopyUnwritable)
        assert path.read_bytes() == b"first"
        assert in_folder(world.folder) == {"a.jpg", "a.jpg.aipopup"}

        await world.app.redaction.copies.retry(failed.batch)
        await world.until(lambda: world.real.copies_to_make(1) == [])
        assert path.read_bytes().startswith(b"1 covered")
        back = await world.app.redaction.restoring.restore(str(path), None, None)
    assert content(back) == b"first"


@pytest.mark.parametrize("keeping", [Keeping.ORIGINAL, Keeping.REGIONS])
async def test_a_copy_that_came_no_further_than_what_is_kept_gets_its_name_all_the_same(
    world: World, safe: Path, monkeypatch: pytest.MonkeyPatch, keeping: Keeping
) -> None:
    """Ended between the two, there would be a second one, “a (2).jpg”, and something kept that belongs to nothing."""
    world.file("a.jpg", b"first")

    def ended(aside: str, target: str) -> None:
        if not target.endswith(".aipopup"):
            raise OSError
        move_new(aside, target)

    async with world.running():
        with monkeypatch.context() as patch:
            patch.setattr("agent.features.redaction.copy_files.move_new", ended)
            [failed] = (await copies_of(world, ask(world, safe, keeping=keeping))).values()
        assert isinstance(failed.error, CopyUnwritable)
        assert in_folder(safe) == {"a.jpg.aipopup"}

        await world.app.redaction.copies.retry(failed.batch)
        await world.until(lambda: world.real.copies_to_make(1) == [])
        assert in_folder(safe) == {"a.jpg", "a.jpg.aipopup"}
        back = await world.app.redaction.restoring.restore(str(safe / "a.jpg"), None, None)
    assert content(back) == (b"first" if keeping is Keeping.ORIGINAL else b"restored 1")


async def test_what_somebody_else_kept_is_never_taken_for_ones_own(world: World, safe: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world.file("a.jpg", b"first")

    async with world.running():
        with monkeypatch.context() as patch:
            patch.setattr("agent.features.redaction.copy_files.sync_file", no_further)
            [failed] = (await copies_of(world, ask(world, safe, keeping=Keeping.ORIGINAL))).values()
        (safe / "a.jpg.aipopup").write_bytes(b"another agent's")

        await world.app.redaction.copies.retry(failed.batch)
        await world.until(lambda: world.real.copies_to_make(1) == [])
    assert in_folder(safe) == {"a.jpg.aipopup", "a (2).jpg", "a (2).jpg.aipopup"}
    assert (safe / "a.jpg.aipopup").read_bytes() == b"another agent's"


async def test_regions_come_back_on_the_copy_they_are_of(world: World, safe: Path, tmp_path: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        await copies_of(world, ask(world, safe, keeping=Keeping.REGIONS, passphrase="right horse battery"))
        restore = world.app.redaction.restoring.restore
        with pytest.raises(RestoreKeyWrong):
            await restore(str(safe / "a.jpg"), None, "wrong")
        back = await restore(str(safe / "a.jpg.aipopup"), str(tmp_path / "back.png"), "right horse battery")
        (safe / "a.jpg").write_bytes(b"somebody drew on it")
        with pytest.raises(CopyChanged):
            await restore(str(safe / "a.jpg"), None, "right horse battery")
        (safe / "a.jpg").unlink()
        with pytest.raises(CopyMissing):
            await restore(str(safe / "a.jpg"), None, "right horse battery")

    assert (tmp_path / "back.png", b"restored 1") == (Path(back), content(back))
    assert in_folder(safe) == {"a.jpg.aipopup"}


async def test_where_nothing_is_kept_nothing_comes_back(world: World) -> None:
    with pytest.raises(NotRestorable):
        await world.app.redaction.restoring.restore(str(world.file("a.jpg").path), None, None)


@pytest.mark.parametrize("name", ["a.jpg", "b.jpg.aipopup", "b.jpg/c.jpg"])
async def test_a_name_that_is_mistyped_is_not_said_to_be_of_a_picture_that_was_not_kept(world: World, name: str) -> None:
    world.file("b.jpg")
    with pytest.raises(CopyMissing):
        await world.app.redaction.restoring.restore(str(world.folder / name), None, None)


@pytest.mark.parametrize("content", [b"", b"overwritten"])
async def test_a_file_that_kept_something_and_was_emptied_is_not_said_to_have_kept_nothing(world: World, content: bytes) -> None:
    copy = world.file("a.jpg").path
    (world.folder / "a.jpg.aipopup").write_bytes(content)
    with pytest.raises(KeptDamaged):
        await world.app.redaction.restoring.restore(str(copy), None, None)


async def test_what_comes_back_goes_where_it_is_wanted(world: World, tmp_path: Path) -> None:
    """Into a folder that is there or is to be, or beside the copy; also if neither has an ending, and what is above them has."""
    folder = tmp_path / "of 2026.05"
    (folder / "there").mkdir(parents=True)
    source = world.file("IMG", b"first").path
    async with world.running():
        asked = RedactionOrder((source,), f"{folder}/", keeping=Keeping.ORIGINAL)
        [made] = (await copies_of(world, asked)).values()
        restore = world.app.redaction.restoring.restore
        back = [await restore(made.target, out, None) for out in (None, str(folder / "there"), f"{folder}/new/", f"{folder}/a.jpg")]

    names = ("IMG restored", "there/IMG restored", "new/IMG restored", "a.jpg")
    assert [Path(each) for each in back] == [folder / name for name in names]
    assert {content(each) for each in back} == {b"first"}


async def test_a_passphrase_is_noted_nowhere(world: World, safe: Path) -> None:
    world.file("a.jpg")
    left_behind(world, ask(world, safe, keeping=Keeping.REGIONS, passphrase="secret horse battery"))

    async with world.running():
        await world.until(lambda: world.real.copies_to_make(1) == [])

    [item] = world.real.redaction_items("dead", limit=9).items
    assert isinstance(item.error, PassphraseGone)
    assert in_folder(safe) == set()


# -- looked at and edited ------------------------------------------------------------------------------------------------------------


def mark(x: float, *, covered: bool = True) -> Mark:
    return Mark(Cover(Box(x, 1, 9, 9), reason=Reason.HAND), covered)


async def test_an_edited_copy_is_made_anew_in_the_place_of_the_first(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.analyser.faces["a.jpg"] = 0
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
        first = (safe / "a.jpg").read_bytes()

        await world.app.redaction.copies.edit(made.id, [mark(1), mark(50, covered=False), mark(70)])
        await world.until(lambda: world.real.copies_to_make(1) == [])

    again = world.real.redaction(made.id)
    assert again is not None and again.facts is not None
    assert (again.state, again.target, again.edited) == (ItemState.DONE, made.target, True)
    assert in_folder(safe) == {"a.jpg"}
    assert (safe / "a.jpg").read_bytes().startswith(b"2 covered") and (safe / "a.jpg").read_bytes() != first
    assert again.facts.copy_sha256 == sha256((safe / "a.jpg").read_bytes()).hexdigest()
    assert len(world.analyser.tasks) == 1, "nothing was looked for again"


async def test_an_edited_copy_never_takes_the_place_of_what_somebody_drew_on(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
        (safe / "a.jpg").write_bytes(b"somebody drew on it")
        await world.app.redaction.copies.edit(made.id, [mark(1)])
        await world.until(lambda: in_folder(safe) == {"a.jpg", "a (2).jpg"})

    assert (safe / "a.jpg").read_bytes() == b"somebody drew on it"


async def test_an_original_that_changed_since_is_not_covered_by_old_marks(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe))).values()
        world.file("a.jpg", b"another")
        await world.app.redaction.copies.edit(made.id, [mark(1)])
        await world.until(lambda: world.real.copies_to_make(1) == [])

    again = world.real.redaction(made.id)
    assert again is not None and isinstance(again.error, ImageChanged)
    assert in_folder(safe) == {"a.jpg"}


async def test_what_was_locked_with_a_passphrase_stays_as_it_is(world: World, safe: Path) -> None:
    world.file("a.jpg")
    async with world.running():
        [made] = (await copies_of(world, ask(world, safe, keeping=Keeping.REGIONS, passphrase="secret horse battery"))).values()
        with pytest.raises(PassphraseGone):
            await world.app.redaction.copies.edit(made.id, [mark(1)])
    after = world.real.redaction(made.id)
    assert after is not None and after.state is ItemState.DONE


async def test_what_has_no_original_any_more_cannot_be_edited(world: World) -> None:
    world.file("a.jpg")
    async with world.running():
        [made] = (await copies_of(world, ask(world, None))).values()
        for item_id, error in ((made.id, NotRestorable), (999, NotFound)):
            with pytest.raises(AgentError) as raised:
                await world.app.redaction.copies.edit(item_id, [mark(1)])
            assert isinstance(raised.value, error)
