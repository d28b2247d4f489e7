"""The copy of a clip, made of its parts."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.errors import AgentError, CopyUnproven, EngineCrashed, ImageChanged, VideoUnreadable
from agent.domain.face import Box, Quality
from agent.domain.identity_matching import Certainty, Identity
from agent.domain.redaction import Look, PeopleChoice, Style
from agent.domain.video import FrameDetections, PartDetections, Piece, VerifiedPart, Video, VideoDetection, VideoPart
from agent.features.redaction.video.video_redactor import Naming, VideoOptions, VideoProgress, VideoRedactor
from agent.features.redaction.video.visibility import Why
from agent.inference.engine.video_ports import DrawPart, Joined, JoinVideo, ProvePart

PARTS = tuple(VideoPart(100 * number, 100 * number + 100) for number in range(6))
CLIP = Video("a" * 64, 1000, 640, 480, 1 / 100, 0.04, 150, "mp4", PARTS, sound=True, removed=("subtitles",))
WISH = VideoOptions("clip.mp4", "copy", Look(Style.EMOJI))


class Renderer:
    """Sees a face that goes from the first part to the last."""

    at_once = 2

    def __init__(self) -> None:
        self.busy = self.most = 0
        self.all_busy = asyncio.Event()
        self.clips = [CLIP, CLIP]
        self.draws: list[DrawPart] = []
        self.joins: list[JoinVideo] = []
        self.fails_at: VideoPart | None = None
        self.proofs: list[ProvePart] = []
        self.proof: AgentError | None = None
        self.shown, self.until = 25, 96  # frames in each part of the copy, and the last one's moment
        self.embedders: set[str | None] = set()

    async def probe(self, path: str) -> Video:
        return self.clips.pop(0)

    async def look(self, path: str, part: VideoPart, tick: float, embedder: str | None = None) -> PartDetections:
        await self._work()
        self.embedders.add(embedder)
        print = None if embedder is None else UnsavedEmbedding(b"Mei", Quality(60, 400, 0, 0))
        return PartDetections(
            tuple(FrameDetections(at, (VideoDetection(Box(at / 2, 100, 60, 60), 0.9, print),)) for at in range(part.start, part.end, 16)),
            (),
        )

    async def draw(self, task: DrawPart) -> int:
        await self._work()
        if task.part == self.fails_at:
            raise EngineCrashed
        self.draws.append(task)
        return 25

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        return f"{path} {seconds} {side}".encode()

    async def join(self, task: JoinVideo) -> Joined:
        self.joins.append(task)
        return Joined(5000, ("gps",), 25 * len(PARTS), PARTS[-1].end - 4)

    async def prove(self, task: ProvePart) -> VerifiedPart:
        self.proofs.append(task)
        if self.proof is not None:
            raise self.proof
        return VerifiedPart(self.shown, task.part.start + self.until)

    async def _work(self) -> None:
        self.busy += 1
        self.most = max(self.most, self.busy)
        if self.busy == self.at_once:
            self.all_busy.set()
        await self.all_busy.wait()
        self.busy -= 1


class Job:
    """Implements ClipJob and, for one clip, ClipJobs."""

    def __init__(self) -> None:
        self.sights: dict[int, PartDetections] = {}
        self.parts: set[int] = set()
        self.removed = False
        self.empty = False
        self.wishes: list[str] = []

    def job(self, clip: Video, wish: str) -> "Job":
        self.wishes.append(wish)
        return self

    def seen(self, number: int) -> PartDetections | None:
        return self.sights.get(number)

    def keep_seen(self, number: int, seen: PartDetections) -> None:
        self.sights[number] = seen

    def drawn(self, number: int) -> bool:
        return number in self.parts

    def part_output(self, number: int) -> str:
        return f"part {number}"

    def keep_part(self, number: int) -> None:
        self.parts.add(number)

    def gather(self, parts: tuple[VideoPart, ...]) -> tuple[Path, tuple[Piece, ...]]:
        return Path("made"), () if self.empty else tuple(Piece(part.start, 10 * number, 10) for number, part in enumerate(parts))

    def remove(self) -> None:
        self.removed = True


async def test_all_parts_are_looked_at_before_one_is_drawn_and_the_face_is_one() -> None:
    renderer, job, told = Renderer(), Job(), list[VideoProgress]()
    copy = await VideoRedactor(renderer, job).redact(WISH, told.append)
    assert len(copy.verdicts) == 1
    assert copy.removed == ("gps", "subtitles")
    assert copy.peak == 0
    assert sorted(task.part.start for task in renderer.draws) == [part.start for part in PARTS]
    assert all(len(task.ways) == 1 and task.ways[0].look == WISH.look for task in renderer.draws)
    assert [(each.done, each.total) for each in told] == [(done, 19) for done in range(1, 20)]
    assert job.removed


async def test_a_part_is_given_only_what_it_needs_of_a_long_way() -> None:
    renderer = Renderer()
    await VideoRedactor(renderer, Job()).redact(WISH)
    assert all(len(task.ways[0].way.knots) < 12 for task in renderer.draws)


async def test_as_many_parts_are_worked_on_at_once_as_the_renderer_takes() -> None:
    renderer = Renderer()
    await VideoRedactor(renderer, Job()).redact(WISH)
    assert renderer.most == 2


async def test_a_part_that_fails_is_told_and_the_others_are_kept() -> None:
    renderer, job = Renderer(), Job()
    renderer.fails_at = PARTS[3]
    with pytest.raises(EngineCrashed):
        await VideoRedactor(renderer, job).redact(WISH)
    assert not job.removed
    assert set(job.sights) == set(range(6))
    assert len(job.parts) >= 2  # two are worked on at once: two of the first three were whole when the fourth began
    assert 3 not in job.parts
    kept, renderer.draws = {PARTS[number] for number in job.parts}, []
    renderer.fails_at, renderer.clips = None, [CLIP, CLIP]
    await VideoRedactor(renderer, job).redact(WISH)
    assert not kept & {task.part for task in renderer.draws}
    assert job.parts == set(range(6))


async def test_every_part_of_the_written_copy_is_checked_to_its_last_frame() -> None:
    renderer = Renderer()
    await VideoRedactor(renderer, Job()).redact(WISH)
    last = replace(PARTS[-1], end=PARTS[-1].end + 100)
    assert sorted((task.part for task in renderer.proofs), key=lambda part: part.start) == [*PARTS[:-1], last]
    assert {(task.path, task.copy, len(task.ways)) for task in renderer.proofs} == {("clip.mp4", "copy", 1)}


@pytest.mark.parametrize(("shown", "until", "proof"), [(24, 96, None), (26, 96, None), (25, 90, None), (25, 96, CopyUnproven())])
async def test_a_copy_that_differs_is_not_done_and_its_parts_are_made_anew(shown: int, until: int, proof: AgentError | None) -> None:
    renderer, job = Renderer(), Job()
    renderer.shown, renderer.until, renderer.proof = shown, until, proof
    with pytest.raises(CopyUnproven):
        await VideoRedactor(renderer, job).redact(WISH)
    assert job.removed


async def test_a_check_that_fails_for_another_reason_keeps_the_parts() -> None:
    renderer, job = Renderer(), Job()
    renderer.proof = EngineCrashed()
    with pytest.raises(EngineCrashed):
        await VideoRedactor(renderer, job).redact(WISH)
    assert not job.removed


async def test_a_clip_that_is_another_at_the_end_is_not_joined() -> None:
    renderer = Renderer()
    renderer.clips = [CLIP, replace(CLIP, sha256="b" * 64)]
    with pytest.raises(ImageChanged):
        await VideoRedactor(renderer, Job()).redact(WISH)
    assert renderer.joins == []


async def test_a_clip_of_which_no_frame_can_be_decoded_has_no_copy() -> None:
    job = Job()
    job.empty = True
    with pytest.raises(VideoUnreadable):
        await VideoRedactor(Renderer(), job).redact(WISH)


# -- whoever is named ----------------------------------------------------------------------------------------------------------------


def naming(choice: PeopleChoice, person: int | None = 1) -> Naming:
    """Everybody looks like that person."""

    async def who(prints: Sequence[UnsavedEmbedding]) -> list[Identity | None]:
        assert {each.embedding for each in prints} == {b"Mei"}
        return [None if person is None else Identity(person, Certainty.CERTAIN, 0.3, 3, 3)] * len(prints)

    return Naming(choice, "embedder", who)


@pytest.mark.parametrize(
    ("choice", "person", "why"),
    [
        (PeopleChoice(keep=frozenset({1})), 1, Why.AGREED),
        (PeopleChoice(keep=frozenset({1})), 2, Why.AGAINST),
        (PeopleChoice(only=frozenset({1})), 1, Why.AGAINST),
        (PeopleChoice(only=frozenset({1})), None, Why.AGREED),
    ],
)
async def test_whoever_is_named_is_told_by_prints(choice: PeopleChoice, person: int | None, why: Why) -> None:
    renderer, job = Renderer(), Job()
    copy = await VideoRedactor(renderer, job).redact(replace(WISH, naming=naming(choice, person)))
    assert ([verdict.why for verdict in copy.verdicts], copy.named) == ([why], True)
    shown = [task for task in renderer.draws if not task.ways]
    assert bool(shown) == (why is Why.AGREED)
    assert renderer.embedders == {"embedder"}
    assert job.sights == {}  # who somebody is gets written nowhere


async def test_without_names_no_print_is_asked_for() -> None:
    renderer, job = Renderer(), Job()
    copy = await VideoRedactor(renderer, job).redact(WISH)
    assert renderer.embedders == {None}
    assert (copy.named, [verdict.why for verdict in copy.verdicts]) == (False, [Why.EVERYONE])


async def test_what_was_drawn_goes_on_only_if_the_same_people_show() -> None:
    wishes = []
    for person in (1, 1, 2):
        job = Job()
        await VideoRedactor(Renderer(), job).redact(replace(WISH, naming=naming(PeopleChoice(keep=frozenset({1})), person)))
        wishes += job.wishes
    assert wishes[0] == wishes[1] != wishes[2]
