"""Names of other programs are taken over, ours are written beside the photos, where a folder is set so and nowhere else."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import PIL.Image
import pytest

from agent.domain.edits import DescribePersonEdit, MergePeopleEdit, NameFacesEdit, RejectFaces, UnnameFacesEdit
from agent.domain.errors import EngineStartFailed, StoreBusy
from agent.domain.events import ImageIndexed
from agent.domain.image import is_image
from agent.domain.jobs import Priority
from agent.domain.regions import RegionArea
from agent.features.library.records import StoredFace
from agent.features.people.sidecars.sidecar_conflicts import FoundConflict
from agent.features.people.sidecars.sidecar_store import Sidecars, Written
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.sources.source import SidecarChanged
from tests.support.inline_sidecars import SidecarsNow, ask_here
from tests.support.xmp_packets import FOOT, HEAD, REGIONS, TYPES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from agent.domain.regions import NamedBox
    from agent.inference.engine.fd_passing import Opener
    from agent.inference.engine.rpc import Call
    from tests.support.in_process_agent import World

Q = TypeVar("Q")
A = TypeVar("A")
FACE = RegionArea(0.25, 0.3125, 0.4, 0.5)  # where the analyser of these tests finds the one face
ELSEWHERE = RegionArea(0.8, 0.8, 0.2, 0.2)


def region(name: str, area: RegionArea = FACE) -> str:
    sides = " ".join(f'stArea:{side}="{getattr(area, side)}"' for side in "xywh")
    return f'<rdf:li><rdf:Description mwg-rs:Name="{name}" mwg-rs:Type="Face"><mwg-rs:Area {sides}/></rdf:Description></rdf:li>'


def packet(*regions: str) -> str:
    return (
        f'{HEAD}<rdf:Description rdf:about="" xmlns:mwg-rs="{REGIONS}" {TYPES}><mwg-rs:Regions rdf:parseType="Resource">'
        f"<mwg-rs:RegionList><rdf:Bag>{''.join(regions)}</rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions></rdf:Description>{FOOT}"
    )


def settings(world: World, mode: str, *, recognition: bool = True) -> Settings:
    folder = {"path": str(world.folder), "names_in_sidecars": mode}
    return Settings.model_validate({"folders": [folder], "recognition": {"enabled": recognition}})


@asynccontextmanager
async def running(world: World, mode: str, *, recognition: bool = True) -> AsyncIterator[None]:
    world.make(settings(world, mode, recognition=recognition))
    async with world.running():
        yield


def sidecar(world: World, name: str, *regions: str) -> Path:
    """Beside the photo of that name; another program's, if regions are given."""
    path = world.folder / f"{name}.xmp"
    if regions:
        path.write_text(packet(*regions), encoding="utf-8")
    return path


async def photo(world: World, name: str, content: bytes) -> int:
    """Have it indexed; gives the id of its face."""
    seen = world.file(name, content)
    told = len(world.happened)
    await world.app.ingest.note(seen, Priority.NEW)
    await world.until(lambda: any(isinstance(each.event, ImageIndexed) for each in world.happened[told:]))
    return face(world, name).id


def face(world: World, name: str) -> StoredFace:
    place = world.real.place(str(world.folder / name))
    assert place is not None and place.image_id is not None
    image = world.real.image(place.image_id)
    assert image is not None
    return image.faces[0]


def names(world: World, name: str) -> list[str]:
    """What the sidecar says."""
    return [each.name for each in SidecarsNow().read(world.folder / name).regions.items]


async def settled(world: World) -> None:
    """All that waits is read and written."""
    await world.until(lambda: world.app.sidecars.idle)


async def test_whom_another_program_knows_is_taken_over_as_one_step(world: World) -> None:
    world.analyser.faces["a"] = 2
    async with running(world, "read"):
        sidecar(world, "a", region("Mei"), region("Xu"), region("Bo", ELSEWHERE))
        await photo(world, "a", b"m1")
        await world.until(lambda: sorted(world.real.person_names().values()) == ["Mei", "Xu"])
        assert sidecar(world, "a").read_text(encoding="utf-8") == packet(region("Mei"), region("Xu"), region("Bo", ELSEWHERE))
        back = await world.app.people.undo()
        assert back.count == 2 and world.real.person_names() == {}


async def test_a_known_person_is_the_one_of_that_name_however_it_is_written(world: World) -> None:
    async with running(world, "read"):
        await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei Lin")
        sidecar(world, "b", region("MEI  lin"))
        await photo(world, "b", b"x2")
        await world.until(lambda: face(world, "b").person == "Mei Lin")
        assert world.real.person_names() == {1: "Mei Lin"}


async def test_what_was_taken_over_and_taken_back_stays_away_until_it_is_said_anew(world: World) -> None:
    async def look() -> str | None:
        await world.app.rescan()
        await settled(world)
        return face(world, "a").person

    async with running(world, "read"):
        sidecar(world, "a", region("Mei"))
        await photo(world, "a", b"m1")
        await world.until(lambda: face(world, "a").person == "Mei")
        await world.app.people.undo()
        assert await look() is None and world.real.person_names() == {}
        sidecar(world, "a", region("Bo", ELSEWHERE), region("MEI"))
        assert await look() is None, "the same is said of this face"
        sidecar(world, "a", region("Bo", ELSEWHERE))
        assert await look() is None
        sidecar(world, "a", region("Mei"))
        assert await look() == "Mei", "it was unsaid, and said again"
        await world.app.people.undo()
        sidecar(world, "a", region("Xu"))
        assert await look() == "Xu", "something else is said"


async def test_what_was_taken_back_is_taken_over_again_if_that_is_what_the_user_does(world: World) -> None:
    async with running(world, "read"):
        sidecar(world, "a", region("Mei"))
        await photo(world, "a", b"m1")
        await world.until(lambda: face(world, "a").person == "Mei")
        await world.app.people.undo()
        await world.app.people.do_again()
        assert face(world, "a").person == "Mei"


async def test_a_sidecar_that_changes_is_read_and_what_we_wrote_ourselves_changes_nothing(world: World) -> None:
    async def changed(path: Path) -> None:
        await world.app.ingest.take(SidecarChanged(str(path)))
        await settled(world)

    async with running(world, "both"):
        await photo(world, "a.jpg", b"m1")
        await changed(sidecar(world, "a.jpg", region("Mei")))
        assert face(world, "a.jpg").person == "Mei"
        await photo(world, "b.jpg", b"x2")
        (world.folder / "b.xmp").write_text(packet(region("Xu")), encoding="utf-8")
        await changed(world.folder / "b.xmp")
        assert face(world, "b.jpg").person == "Xu"
        await world.app.people.name_face(await photo(world, "c.jpg", b"z3"), "Bo")
        await settled(world)
        written, steps = sidecar(world, "c.jpg").stat(), world.real.steps()
        await changed(sidecar(world, "c.jpg"))
        await changed(world.folder / "nobodys.xmp")
        assert sidecar(world, "c.jpg").stat() == written and world.real.steps() == steps
        sidecar(world, "a.jpg", region("Anna"))
        await changed(world.folder)  # it is not known which
        assert [each.theirs for each in await world.app.sidecars.conflicts()] == ["Anna"]


@pytest.mark.parametrize(("mode", "recognition"), [("off", True), ("read", False), ("both", False)])
async def test_nothing_is_read_where_it_is_not_wanted(world: World, mode: str, recognition: bool) -> None:
    async with running(world, mode, recognition=recognition):
        sidecar(world, "a", region("Mei"))
        await photo(world, "a", b"m1")
        await settled(world)
        assert world.real.person_names() == {}


async def test_who_was_confirmed_stays_and_the_conflict_is_told_while_there_is_one(world: World) -> None:
    async with running(world, "both"):
        named = await photo(world, "a", b"m1")
        await world.app.people.name_face(named, "Mei")
        await settled(world)
        sidecar(world, "a", region("Anna"))
        await world.app.rescan()
        await settled(world)
        assert face(world, "a").person == "Mei" and names(world, "a") == ["Anna"]
        assert await world.app.sidecars.conflicts() == [FoundConflict(1, named, "Mei", "Anna", 1)]
        await world.app.sidecars.keep([named])
        assert await world.app.sidecars.conflicts() == []
        await world.app.sidecars.keep([named], kept=False)
        assert len(await world.app.sidecars.conflicts()) == 1
        await world.app.sidecars.keep([named])
        await world.app.people.name_face(named, "Lin")
        [otherwise] = await world.app.sidecars.conflicts()
        assert (otherwise.ours, otherwise.theirs) == ("Lin", "Anna"), "what was kept was another name"
        await world.app.people.name_face(named, "anna")
        assert await world.app.sidecars.conflicts() == []


async def test_who_is_ruled_out_or_never_recognised_is_not_taken_over(world: World) -> None:
    async with running(world, "read"):
        await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei")
        ruled_out = await photo(world, "b", b"x2")
        await world.app.people.edit(RejectFaces(face_ids=(ruled_out,), person_id=1))
        sidecar(world, "b", region("Mei"))
        await world.app.rescan()
        await settled(world)
        await world.app.people.name_face(await photo(world, "c", b"y3"), "Xu")
        await world.app.people.edit(DescribePersonEdit(person_id=2, never=True))
        sidecar(world, "d", region("Xu"))
        await photo(world, "d", b"z4")
        await settled(world)
        assert face(world, "b").person is None and face(world, "d").person is None


async def test_confirmed_names_are_written_and_follow_what_the_user_says(world: World) -> None:
    async with running(world, "both"):
        mei, also = await photo(world, "a", b"m1"), await photo(world, "b", b"m2")
        await world.app.people.name_face(mei, "Mei")
        await settled(world)
        assert names(world, "a") == ["Mei"] and not sidecar(world, "b").exists(), "what is only thought is not told"
        await world.app.people.edit(DescribePersonEdit(person_id=1, name="Mei Lin"))
        await settled(world)
        assert names(world, "a") == ["Mei Lin"]
        await world.app.people.name_face(also, "Lin")
        await world.app.people.edit(MergePeopleEdit(person_ids=(1,), into=2))
        await settled(world)
        assert names(world, "a") == names(world, "b") == ["Lin"]
        await world.app.people.undo()
        await settled(world)
        assert names(world, "a") == ["Mei Lin"]
        await world.app.people.edit(UnnameFacesEdit(face_ids=(mei,)))
        await settled(world)
        assert names(world, "a") == [] and names(world, "b") == ["Lin"]


async def test_what_another_process_said_while_a_sidecar_was_written_is_written_after_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(world, "both"):
        person_id = await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei")
        await settled(world)
        write, others = Sidecars.write, ["Xu"]

        async def write_late(self: Sidecars, photo: Path, size: tuple[int, int], faces: Sequence[NamedBox], **more: Any) -> Written:
            if others:
                edit = DescribePersonEdit(person_id=person_id, name=others.pop())
                await asyncio.to_thread(world.real.edit, edit, now=world.app.now(), note="in_doubt")
            return await write(self, photo, size, faces, **more)

        monkeypatch.setattr(Sidecars, "write", write_late)
        await world.app.people.edit(DescribePersonEdit(person_id=person_id, name="Bo"))
        await settled(world)
        assert names(world, "a") == ["Xu"]


async def test_what_was_written_is_no_image_and_is_read_back_as_agreed(world: World) -> None:
    async with running(world, "both"):
        await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei")
        await settled(world)
        written, steps = sidecar(world, "a").stat().st_mtime_ns, world.real.steps()
        assert not is_image(sidecar(world, "a.jpg").name)
        await world.app.rescan()
        await settled(world)
        assert sidecar(world, "a").stat().st_mtime_ns == written and world.real.steps() == steps
        assert await world.app.sidecars.conflicts() == []


async def test_nothing_is_written_in_a_folder_that_is_only_read(world: World) -> None:
    async with running(world, "read"):
        await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei")
        await settled(world)
        assert not sidecar(world, "a").exists()


async def test_a_forgotten_name_leaves_the_sidecars_also_while_paused_and_is_not_taken_over_again(world: World) -> None:
    async with running(world, "both"):
        sidecar(world, "b", region("Anna", ELSEWHERE))
        for name in "ab":
            await world.app.people.name_face(await photo(world, name, f"m{name}".encode()), "Mei")
        await settled(world)
        assert names(world, "a") == ["Mei"] and sorted(names(world, "b")) == ["Anna", "Mei"]
        world.app.indexer.pause()
        await world.app.people.forget(1)
        assert names(world, "a") == [] and names(world, "b") == ["Anna"]
        world.app.indexer.resume()
        await settled(world)
        await world.app.rescan()
        await settled(world)
        assert "Mei" not in sidecar(world, "a").read_text(encoding="utf-8") and world.real.person_names() == {}


async def test_while_paused_nothing_is_read_or_written_and_afterwards_all_is(world: World) -> None:
    async with running(world, "both"):
        sidecar(world, "b", region("Xu"))
        named = await photo(world, "a", b"m1")
        world.analyser.gate.clear()  # it is under way when the pause begins, and ends in it
        await world.app.ingest.note(world.file("b", b"x2"), Priority.NEW)
        await world.until(lambda: len(world.analyser.tasks) == 2)
        world.app.indexer.pause()
        world.analyser.gate.set()
        await world.until(lambda: sum(isinstance(each.event, ImageIndexed) for each in world.happened) == 2)
        await world.app.people.name_face(named, "Mei")
        await settled(world)
        assert not sidecar(world, "a").exists() and face(world, "b").person is None
        world.app.indexer.resume()
        await settled(world)
        assert names(world, "a") == ["Mei"] and face(world, "b").person == "Xu"


async def test_a_folder_that_is_switched_on_is_looked_through(world: World) -> None:
    async with running(world, "off"):
        sidecar(world, "b", region("Xu"))
        named, _ = await photo(world, "a", b"m1"), await photo(world, "b", b"x2")
        await world.app.people.name_face(named, "Mei")
        await world.app.apply(settings(world, "both"))
        await settled(world)
        assert names(world, "a") == ["Mei"] and face(world, "b").person == "Xu"


async def test_a_broken_sidecar_and_a_busy_library_stop_nothing(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.sidecars.sidecar_names.RETRY_AFTER_S", 0.01)
    async with running(world, "both"):
        faces = [await photo(world, name, f"{name}1".encode()) for name in "abc"]
        sidecar(world, "a").write_text("<nothing", encoding="utf-8")
        (world.folder / "c").unlink()
        world.library.failing["image"] = StoreBusy()
        await world.app.people.edit(NameFacesEdit(face_ids=tuple(faces), name="Mei"))
        await world.until(lambda: world.library.calls.count("image") > 2)
        del world.library.failing["image"]
        await settled(world)
        assert sidecar(world, "a").read_text(encoding="utf-8") == "<nothing" and names(world, "b") == ["Mei"]


async def test_without_an_engine_names_wait_and_forgetting_does_not(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.sidecars.sidecar_names.RETRY_AFTER_S", 0.01)
    gone = False

    async def ask(call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
        if gone:
            raise EngineStartFailed
        return await ask_here(call, asked, files)

    world.sidecars = Sidecars(ask)
    async with running(world, "both"):
        await world.app.people.name_face(await photo(world, "a", b"m1"), "Mei")
        await settled(world)
        gone = True
        sidecar(world, "b", region("Xu"))
        await photo(world, "b", b"x2")
        await world.app.people.forget(1)
        assert "Mei" not in world.real.person_names().values() and names(world, "a") == ["Mei"]
        assert not world.app.sidecars.idle
        gone = False
        await settled(world)
        assert names(world, "a") == [] and face(world, "b").person == "Xu"


async def test_names_of_many_photos_are_read_with_few_calls_and_each_is_a_step_of_its_own(world: World) -> None:
    made: list[str] = []

    async def ask(call: Call[Q, A], asked: Q, files: Sequence[Opener] = ()) -> A:
        made.append(call.name)
        return await ask_here(call, asked, files)

    world.sidecars = Sidecars(ask)
    world.make(settings(world, "off"))
    known = [f"{number}.jpg" for number in range(40)]
    world.put(*known)
    for name in known:
        sidecar(world, name, region(f"Person {name}"))
    (world.folder / known[7]).unlink()
    async with running(world, "read"):
        await world.app.rescan()
        await settled(world)
        assert len(world.real.person_names()) == 39
        assert made.count("read_names") <= 3 + 16, "one batch was read again one by one"
        await world.app.people.undo()
        assert len(world.real.person_names()) == 38


async def test_a_full_queue_leaves_out_what_comes_later(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agent.features.people.sidecars.sidecar_names.MOST", 1)
    async with running(world, "both"):
        faces = [await photo(world, name, f"{name}1".encode()) for name in "ab"]
        await world.app.people.edit(NameFacesEdit(face_ids=tuple(faces), name="Mei"))
        await settled(world)
        assert names(world, "a") == ["Mei"] and not sidecar(world, "b").exists()


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="needs libimage-exiftool-perl")
async def test_names_go_to_another_program_and_come_back_from_it(world: World) -> None:
    def exiftool(*words: str | Path) -> str:
        return subprocess.run(["exiftool", *map(str, words)], check=True, capture_output=True, timeout=60, encoding="utf-8").stdout

    def jpeg(colour: str) -> bytes:
        buffer = BytesIO()
        PIL.Image.new("RGB", (100, 80), colour).save(buffer, "JPEG")
        return buffer.getvalue()

    async with running(world, "both"):
        await world.app.people.name_face(await photo(world, "a.jpg", jpeg("red")), "梅")
        await settled(world)
        told = json.loads(exiftool("-struct", "-j", "-XMP:all", sidecar(world, "a.jpg")))[0]["RegionInfo"]
        assert [each["Name"] for each in told["RegionList"]] == ["梅"] and told["AppliedToDimensions"]["W"] == 100
        said = "{Area={X=0.25,Y=0.3125,W=0.4,H=0.5,Unit=normalized},Name=Müller,Type=Face}"
        seen = world.file("b.jpg", jpeg("blue"))
        exiftool("-q", f"-XMP-mwg-rs:RegionInfo={{RegionList=[{said}]}}", "-o", sidecar(world, "b.jpg"), seen.path)
        await photo(world, "b.jpg", jpeg("blue"))
        await world.until(lambda: face(world, "b.jpg").person == "Müller")
        await settled(world)
        assert names(world, "b.jpg") == ["Müller"]
        await world.app.people.forget(1)
        assert "梅" not in exiftool("-struct", "-j", "-XMP:all", sidecar(world, "a.jpg"))


async def test_a_link_beside_a_photo_leads_no_name_out_of_the_watched_folder(world: World) -> None:
    async with running(world, "both"):
        keys = world.folder.parent / "authorized_keys"
        sidecar(world, "a.jpg").symlink_to(keys)
        await world.app.people.name_face(await photo(world, "a.jpg", b"m1"), "Mei")
        await settled(world)
        assert not keys.exists() and sidecar(world, "a.jpg").is_symlink()
        kept = sidecar(world, "b.jpg").resolve().with_name("names.xmp")
        kept.write_text(packet(region("")), encoding="utf-8")
        sidecar(world, "b.jpg").symlink_to(kept)
        await world.app.people.name_face(await photo(world, "b.jpg", b"m2"), "Xu")
        await settled(world)
        assert names(world, "b.jpg") == ["Xu"]


async def test_of_somebody_forgotten_no_other_programs_name_stays_in_memory(world: World) -> None:
    async with running(world, "read"):
        sidecar(world, "a", region("Mei"))
        await photo(world, "a", b"m1")
        await world.until(lambda: "Mei" in world.real.person_names().values())
        [mei] = [person for person, name in world.real.person_names().items() if name == "Mei"]
        await world.app.people.name_face(face(world, "a").id, "Xu")
        world.app.sidecars.look_through()
        await world.until(lambda: bool(world.app.sidecars.found.theirs))
        await world.app.people.forget(mei)
        assert not world.app.sidecars.found.theirs
