"""Clips go through the same door as photos: `redact` for a clip, and for a folder that holds both."""

from __future__ import annotations

import asyncio
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from struct import pack
from typing import TYPE_CHECKING, Any

import pytest

from agent.app import wiring
from agent.app.in_process import PROGRAM
from agent.domain.edits import NameFacesEdit
from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.errors import CopyUnsupported, ImageMissing, PersonUnknown, RecognitionOff, VideoKeepsNoRegions, VideoMissing
from agent.domain.face import Box, Quality
from agent.domain.redaction import Look, PeopleChoice, Style
from agent.domain.video import FrameDetections, PartDetections, VerifiedPart, Video, VideoDetection, VideoPart
from agent.features.library.recipes import EMBEDDER, redaction_recipe
from agent.features.redaction import api_mapping
from agent.features.redaction.batches import RedactionOrder
from agent.features.redaction.commands import Report
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.copy_records import ItemState, PlannedCopy, RedactionItem
from agent.features.redaction.options import Doubtful, Keeping, RedactionOptions
from agent.features.redaction.redaction_worker import UnderWay
from agent.features.redaction.schemas import RedactedOut, RedactLine, UnderWayOut
from agent.features.redaction.video.job_files import VideoJobFolder
from agent.features.redaction.video.video_redactor import VideoRedactor
from agent.features.redaction.video.visibility import Why
from agent.inference.engine.video_engine import EngineVideos
from agent.inference.engine.video_ports import DrawPart, Joined, JoinVideo, ProvePart
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import RecognitionSettings, Settings
from agent.interfaces.cli.session import CommandSession
from tests.process.clips.test_clips import blacks, face_clip
from tests.support.in_process_agent import FakeAnalyser, World
from tests.support.inline_engine import InlineAnalyser, InlineEngine
from tests.support.synthetic_clips import Made, made_clip
from tests.unit.interfaces.cli.conftest import analyser, cli

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from agent.app.adapters import ExternalAdapters
    from agent.app.app import App
    from agent.inference.engine.engine_calls import EngineConfig
    from tests.unit.interfaces.cli.conftest import CommandLine

__all__ = ["analyser", "cli"]  # fixtures

# How people are named, what a clip begins with, what becomes of the face in it.
CHOICES = [("keep", b"M", Why.AGREED), ("keep", b"X", Why.AGAINST), ("only", b"M", Why.AGAINST), ("only", b"X", Why.AGREED)]
PARTS = tuple(VideoPart(100 * number, 100 * number + 100) for number in range(2))


def read(path: str | Path) -> bytes:
    return Path(path).read_bytes()


def write(path: str, content: bytes) -> None:
    Path(path).write_bytes(content)


class FakeClips:
    """A clip shows one face; its content says what else it is: "nobody", "cut", "sound" that MP4 can't hold."""

    at_once = 2

    def __init__(self) -> None:
        self.looks: list[VideoPart] = []
        self.draws: list[DrawPart] = []
        self.joins: list[JoinVideo] = []
        self.embedders: set[str | None] = set()
        self.looked: Callable[[], Awaitable[object]] | None = None  # once
        self.gate = asyncio.Event()  # holds up what is drawn
        self.gate.set()

    async def probe(self, path: str) -> Video:
        try:
            content = read(path)
        except OSError as error:
            raise ImageMissing from error
        clip = Video(hashlib.sha256(content).hexdigest(), len(content), 640, 480, 0.01, 0.04, 50, "mp4", PARTS, sound=False)
        return replace(
            clip,
            format="mkv" if b"sound" in content else "mp4",
            truncated=b"cut" in content,
            removed=("subtitles",),
            even=b"uneven" not in content,
        )

    async def look(self, path: str, part: VideoPart, tick: float, embedder: str | None = None) -> PartDetections:
        self.looks.append(part)
        self.embedders.add(embedder)
        if self.looked is not None:
            looked, self.looked = self.looked, None
            await looked()
        content = read(path)
        print = None if embedder is None else UnsavedEmbedding(pack("<f", content[0]), Quality(60, 400, 0, 0))
        find = () if b"nobody" in content else (VideoDetection(Box(100, 100, 60, 60), 0.9, print),)
        return PartDetections(tuple(FrameDetections(at, find) for at in range(part.start, part.end, 10)), ())

    async def draw(self, task: DrawPart) -> int:
        self.draws.append(task)
        await self.gate.wait()
        write(task.output, b"part")
        return 25

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        return f"{path} {seconds} {side}".encode()

    async def prove(self, task: ProvePart) -> VerifiedPart:
        return VerifiedPart(25, next(part.end for part in PARTS if part.start == task.part.start) - 4)

    async def join(self, task: JoinVideo) -> Joined:
        self.joins.append(task)
        copy = b"covered " + read(task.path)
        write(task.output, copy)
        return Joined(len(copy), ("gps",) if task.strip else (), 25 * len(PARTS), PARTS[-1].end - 4)


@pytest.fixture
def clips(world: World) -> FakeClips:
    """What the world's agent covers clips with."""
    fake = FakeClips()
    world.clips = VideoRedactor(fake, VideoJobFolder(world.folder.parent / "jobs"))
    world.make(world.app.settings)
    return fake


@pytest.fixture
def safe(tmp_path: Path) -> Path:
    return tmp_path / "safe"


async def told(world: World, safe: Path | None, **how: object) -> tuple[dict[str, RedactionItem], list[UnderWay]]:
    """Name of the original -> what came of it; and how far it was meanwhile."""
    asked = RedactionOrder((str(world.folder),), str(safe) if safe else None, **how)  # type: ignore[arg-type]
    heard = [each async for each in world.app.redaction.copies.redact(asked)]
    items = {Path(each.source).name: each for each in heard if isinstance(each, RedactionItem)}
    return items, [each for each in heard if isinstance(each, UnderWay)]


def in_folder(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


async def test_a_folder_that_holds_both_gets_copies_of_both(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.mp4", b"clip")
    world.file("notes.txt")
    async with world.running():
        made, under_way = await told(world, safe, strip=True, look=Look(Style.MOSAIC))

    assert in_folder(safe) == {"a.jpg", "b.mp4"}
    assert read(safe / "b.mp4") == b"covered clip"
    facts = made["b.mp4"].facts
    assert facts is not None and made["b.mp4"].state is ItemState.DONE
    assert (facts.found, facts.covered, len(facts.marks), facts.doubts) == (1, 1, 1, ())
    assert (facts.width, facts.height, facts.removed) == (640, 480, ("gps", "subtitles"))
    assert facts.sha256 == hashlib.sha256(b"clip").hexdigest() and facts.copy_sha256 == hashlib.sha256(b"covered clip").hexdigest()
    assert facts.models
    assert [way.look.style for task in clips.draws for way in task.ways] == [Style.MOSAIC] * 2
    assert [(Path(each.source).name, each.percent) for each in under_way] == [
        ("b.mp4", percent) for percent in (14, 28, 42, 57, 71, 85, 100)
    ]
    assert {Path(task.path).name for task in world.analyser.tasks} == {"a.jpg"}


async def test_what_was_made_before_is_not_made_again(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("b.mp4", b"clip")
    async with world.running():
        await told(world, safe)
        made, _ = await told(world, safe)
    assert made["b.mp4"].passed and len(clips.joins) == 1


async def test_no_face_and_an_early_end_are_doubtful(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("b.mp4", b"nobody, cut")
    async with world.running():
        made, _ = await told(world, safe)
    assert made["b.mp4"].state is ItemState.NEEDS_REVIEW
    assert made["b.mp4"].facts is not None and made["b.mp4"].facts.doubts == (Doubtful.NO_FACE, Doubtful.CUT_OFF)


async def test_a_copy_has_the_ending_of_what_it_is(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("a.avi", b"clip")
    world.file("b.avi", b"sound")
    async with world.running():
        await told(world, safe, overwrite=True)
    assert in_folder(safe) == {"a.mp4", "b.mkv"}


async def test_a_name_that_somebody_chose_is_not_changed(world: World, clips: FakeClips, safe: Path) -> None:
    source = world.file("b.mp4", b"sound").path
    async with world.running():
        asked = RedactionOrder((source,), str(safe / "copy.mp4"))
        [item] = [each async for each in world.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)]
    assert isinstance(item.error, CopyUnsupported) and in_folder(safe) == set()
    assert "becomes mkv" in Texts("en").remedy(item.error)
    assert clips.looks == []
    with pytest.raises(CopyUnsupported):
        CopyFileStore().plan((source,), str(safe / "copy.jpg"), item.wish, lambda _: None)


async def test_in_place_a_clip_gives_way_and_comes_back_whole_if_it_was_kept(world: World, clips: FakeClips) -> None:
    world.file("a.avi", b"clip")
    path = world.file("b.mp4", b"clip").path
    async with world.running():
        made, _ = await told(world, None, keeping=Keeping.ORIGINAL)
        assert isinstance(made["a.avi"].error, CopyUnsupported)
        assert made["b.mp4"].state is ItemState.DONE
        assert read(path) == b"covered clip"
        back = await world.app.redaction.restoring.restore(path, None, None)
    assert Path(back).name == "b restored.mp4" and read(back) == b"clip"
    assert read(world.folder / "a.avi") == b"clip"


async def test_what_is_kept_below_covers_is_refused_and_photos_are_done(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.mp4", b"clip")
    async with world.running():
        made, _ = await told(world, safe, keeping=Keeping.REGIONS)
    assert isinstance(made["b.mp4"].error, VideoKeepsNoRegions) and made["a.jpg"].state is ItemState.DONE
    assert clips.looks == []


@pytest.fixture
async def known(world: World, clips: FakeClips) -> AsyncIterator[World]:
    """Mei is known by a.jpg; a clip shows her if its content begins with "M"."""
    world.make(Settings(recognition=RecognitionSettings(enabled=True)))
    photo = world.file("a.jpg", b"M1")
    async with world.running():
        [one async for one in world.app.scan([photo])]
        await world.app.people.edit(NameFacesEdit(face_ids=(1,), name="Mei"))
        yield world


@pytest.mark.parametrize(("choice", "content", "why"), CHOICES)
async def test_on_a_clip_people_can_be_named(known: World, clips: FakeClips, safe: Path, choice: str, content: bytes, why: Why) -> None:
    path = known.file("b.mp4", content).path
    asked = RedactionOrder((path,), str(safe / "c.mp4"), report=True, **{choice: ("Mei",)})  # type: ignore[arg-type]
    [item] = [each async for each in known.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)]
    visible = why is Why.AGREED
    facts = item.facts
    assert item.error is None and facts is not None
    assert [way.why for way in facts.followed] == [why]
    assert (facts.found, facts.covered) == (1, 0 if visible else 1)
    assert facts.models == tuple(sorted(redaction_recipe(True).models))
    report = json.loads((safe / "c.mp4.redaction.json").read_text(encoding="utf-8"))
    assert (report["found"], report["covered_ways"], report["visible"], report[choice]) == (1, int(not visible), int(visible), ["Mei"])
    assert [(way["why"], way["visible"] > 1, way["from"]) for way in report["ways"]] == [(why.value, visible, 0)]
    assert clips.embedders == {EMBEDDER}


async def test_a_clip_in_whose_batch_recognition_was_switched_off_is_not_looked_through(known: World, clips: FakeClips, safe: Path) -> None:
    copy = PlannedCopy(known.file("b.mp4", b"M").path, str(safe / "b.mp4"))
    await known.app.apply(Settings())
    known.real.plan_copies("named", RedactionOptions(PeopleChoice(keep=frozenset({1}))), [copy], now=known.app.now())
    known.app.redaction.work.wake()
    await known.until(lambda: known.real.redaction_items("named", limit=1).items[0].state is ItemState.FAILED)
    assert isinstance(known.real.redaction_items("named", limit=1).items[0].error, RecognitionOff)
    assert clips.looks == [] and in_folder(safe) == set()


async def test_whoever_is_forgotten_while_a_clip_is_looked_through_does_not_become_visible(
    known: World, clips: FakeClips, safe: Path
) -> None:
    path = known.file("b.mp4", b"M").path
    clips.looked = lambda: known.app.people.forget(1)
    asked = RedactionOrder((path,), str(safe / "c.mp4"), only=("Mei",))
    [item] = [each async for each in known.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)]
    assert isinstance(item.error, PersonUnknown) and clips.draws == [] and in_folder(safe) == set()


@pytest.fixture
def films(world: World) -> FakeClips:
    """What the world's agent covers films with; "a.gif" is one."""
    fake = FakeClips()
    world.films = VideoRedactor(fake, VideoJobFolder(world.folder.parent / "film jobs"))
    world.analyser.frames["a.gif"], world.analyser.formats["a.gif"] = 300, "gif"
    world.make(world.app.settings)
    return fake


async def test_an_animated_picture_is_covered_as_clips_are(world: World, films: FakeClips, safe: Path) -> None:
    world.file("a.gif", b"film")
    world.file("b.jpg")
    async with world.running():
        made, _ = await told(world, safe, strip=True)
    assert in_folder(safe) == {"a.gif", "b.jpg"} and read(safe / "a.gif") == b"covered film"
    facts = made["a.gif"].facts
    assert facts is not None and (facts.ways, len(facts.marks)) == (1, 1)
    assert [(task.strip, bool(task.ways)) for task in films.draws] == [(True, True)] * len(PARTS)
    assert len(world.renderer.tasks) == 1  # of the photo
    shown = api_mapping.item(made["a.gif"], Texts())
    assert (shown.clip, shown.editable) == (True, True)


async def test_of_an_animated_picture_the_first_frame_is_copied_where_another_format_is_asked_for(
    world: World, films: FakeClips, safe: Path
) -> None:
    path = world.file("a.gif", b"film").path
    async with world.running():
        asked = RedactionOrder((path,), str(safe / "a.png"))
        [item] = [each async for each in world.app.redaction.copies.redact(asked) if isinstance(each, RedactionItem)]
    assert item.state is ItemState.DONE and films.looks == [] and len(world.renderer.tasks) == 1


async def test_what_lies_below_the_covers_of_an_animated_picture_is_not_kept(world: World, films: FakeClips, safe: Path) -> None:
    world.file("a.gif", b"film")
    async with world.running():
        made, _ = await told(world, safe, keeping=Keeping.REGIONS)
    assert isinstance(made["a.gif"].error, VideoKeepsNoRegions) and films.looks == []


async def test_two_of_the_same_content_are_made_one_after_the_other(world: World, clips: FakeClips, safe: Path) -> None:
    for name in "ab":
        world.file(f"{name}.mp4", b"clip")
    async with world.running():
        made, _ = await told(world, safe)
    assert {each.state for each in made.values()} == {ItemState.DONE}
    assert in_folder(safe) == {"a.mp4", "b.mp4"}


async def test_photos_do_not_wait_behind_many_clips(world: World, clips: FakeClips, safe: Path) -> None:
    for number in range(6):
        world.file(f"a{number}.mp4", b"clip %d" % number)
        world.file(f"b{number}.jpg")
    clips.gate.clear()
    async with world.running():
        making = asyncio.create_task(told(world, safe))
        await world.until(lambda: len([name for name in in_folder(safe) if name.endswith("jpg")]) == 6)
        assert len({task.path for task in clips.draws}) <= 1
        clips.gate.set()
        made, _ = await making
    assert {item.state for item in made.values()} == {ItemState.DONE} and len(made) == 12


async def test_photos_do_not_wait_behind_animations(world: World, films: FakeClips, safe: Path) -> None:
    for number in range(5):
        world.file(f"a{number}.gif", b"film %d" % number)
        world.analyser.frames[f"a{number}.gif"], world.analyser.formats[f"a{number}.gif"] = 9, "gif"
        world.file(f"b{number}.jpg")
    films.gate.clear()
    async with world.running():
        making = asyncio.create_task(told(world, safe))
        await world.until(lambda: len([name for name in in_folder(safe) if name.endswith("jpg")]) == 5)
        films.gate.set()
        made, _ = await making
    assert {item.state for item in made.values()} == {ItemState.DONE} and len(made) == 10


async def test_of_a_clip_and_of_its_copy_the_moment_with_most_faces_can_be_seen(world: World, clips: FakeClips, safe: Path) -> None:
    source = world.file("b.mp4", b"clip").path
    async with world.running():
        made, _ = await told(world, safe)
        item = made["b.mp4"]
        assert item.facts is not None
        facts, still = replace(item.facts, peak=41_000.0, zero=40_000.0), world.app.redaction.clips.still
        assert await still(item, facts, 300, copy=False) == f"{source} 41000.0 300".encode()
        assert await still(item, facts, 300, copy=True) == f"{item.target} 1000.0 300".encode()


async def test_whoever_comes_late_sees_how_far_it_is(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.mp4", b"clip")
    clips.gate.clear()
    async with world.running():
        uid = await world.app.redaction.copies.begin(RedactionOrder((str(world.folder),), str(safe)))
        await world.until(lambda: len(clips.draws) == len(PARTS) and in_folder(safe) == {"a.jpg"})
        paces, [first, second] = world.app.redaction.work.paces, world.real.redaction_items(uid, limit=2).items
        await world.until(lambda: paces.of(world.real.redaction_batches(limit=1)[0]).percent == 64)  # the photo, two sevenths of the clip
        assert {paces.percent(first.id), paces.percent(second.id)} == {None, 28}
        clips.gate.set()
        await world.until(lambda: paces.of(world.real.redaction_batches(limit=1)[0]).percent == 100)


async def test_what_is_finished_of_a_clip_is_not_done_again_by_the_next_agent(world: World, clips: FakeClips, safe: Path) -> None:
    world.file("b.mp4", b"clip")
    clips.gate.clear()
    async with world.running():
        uid = await world.app.redaction.copies.begin(RedactionOrder((str(world.folder),), str(safe)))
        await world.until(lambda: len(clips.draws) == len(PARTS))
    assert in_folder(safe) == set()
    clips.gate.set()
    world.make(world.app.settings)
    async with world.running():
        await world.until(lambda: world.real.redaction_items(uid, limit=1).items[0].state is ItemState.DONE)
    assert in_folder(safe) == {"b.mp4"}
    assert len(clips.looks) == len(PARTS)


async def test_without_what_covers_clips_they_fail_with_what_to_do(world: World, safe: Path) -> None:
    world.file("a.jpg")
    world.file("b.mp4", b"clip")
    async with world.running():
        made, _ = await told(world, safe)
    assert isinstance(made["b.mp4"].error, VideoMissing) and made["a.jpg"].state is ItemState.DONE
    assert in_folder(safe) == {"a.jpg"}


def test_on_a_terminal_a_clip_moves_the_bar_and_never_back(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    report = Report(CommandSession(AppPaths.find(), PROGRAM), as_json=True)
    with report.progress.showing():
        report.take(RedactLine(total=2))
        for percent in (40, 20, 60):
            report.take(RedactLine(under_way=UnderWayOut(id=1, source="/b.mp4", percent=percent)))
    said = capsys.readouterr().err
    assert "20%" in said and "30%" in said and "0/2" in said
    assert "10%" not in said and "60%" not in said


def test_a_clip_that_was_done_but_for_its_place_counts_on_the_bar_as_soon_as_it_is_there(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    report = Report(CommandSession(AppPaths.find(), PROGRAM), as_json=True)
    made: dict[str, Any] = {"id": 1, "batch": "x", "error": None, "covered": 0, "found": 0, "passed": False, "doubts": ()}
    with report.progress.showing():
        report.take(RedactLine(total=1))
        report.take(RedactLine(under_way=UnderWayOut(id=1, source="/b.mp4", percent=100)))
        report.take(RedactLine(item=RedactedOut.model_construct(**made)))
    assert "1/1" in capsys.readouterr().err


@pytest.fixture
def engine(analyser: FakeAnalyser, monkeypatch: pytest.MonkeyPatch, engine_config: EngineConfig) -> None:
    """The command line's clips are covered by the real engine, in this process."""
    build = wiring.build

    def with_clips(edges: ExternalAdapters) -> ExternalAdapters:
        clips = EngineVideos(InlineEngine(InlineAnalyser(engine_config).engine))
        return replace(edges, redactors=(VideoRedactor(clips, VideoJobFolder(AppPaths.find().cache / "clips")), None))

    def build_with_it(*values: Any, **named: Any) -> App:
        return build(*values, **named, swap=with_clips)

    monkeypatch.setattr(wiring, "build", build_with_it)


def test_a_clip_is_covered_from_the_command_line(cli: CommandLine, engine: None, tmp_path: Path, samples_folder: Path, safe: Path) -> None:
    folder = tmp_path / "both"
    folder.mkdir()
    (folder / "a.jpg").write_bytes(b"photo")
    face_clip(folder / "face.mp4", samples_folder)
    made_clip(folder / "旅行.mov", Made(moments=range(0, 240, 24), size=(160, 120)))

    said = cli("redact", str(folder), "-o", str(safe), "--report")

    assert said.code == 0, said.err
    assert in_folder(safe) == {name + ending for name in ("a.jpg", "face.mp4", "旅行.mov") for ending in ("", ".redaction.json")}
    assert "3 copies, 2 faces covered." in said.err
    assert min(blacks(safe / "face.mp4")) > max(blacks(folder / "face.mp4")) + 0.02
    assert f"{safe / '旅行.mov'}: review before sharing (no face found" in said.err
    report = json.loads((safe / "旅行.mov.redaction.json").read_text(encoding="utf-8"))
    assert (report["found"], report["covered_ways"], report["style"], report["doubts"]) == (0, 0, "solid", ["no_face"])
    assert report["copy_sha256"] == hashlib.sha256((safe / "旅行.mov").read_bytes()).hexdigest()


def test_a_file_that_is_no_clip_fails_and_leaves_nothing(cli: CommandLine, engine: None, tmp_path: Path, safe: Path) -> None:
    (tmp_path / "b.mp4").write_bytes(b"no clip")
    said = cli("redact", str(tmp_path / "b.mp4"), "-o", str(safe / "c.mp4"))
    assert said.code == 1 and "[redact.video_unreadable]" in said.err and in_folder(safe) == set()


def test_without_the_extra_the_command_says_what_to_install(cli: CommandLine, analyser: FakeAnalyser, tmp_path: Path, safe: Path) -> None:
    (tmp_path / "b.mp4").write_bytes(b"clip")
    said = cli("redact", str(tmp_path / "b.mp4"), "-o", str(safe))
    assert said.code == 1 and "[redact.video_missing]" in said.err and "my-ai-popup[video]" in said.err
