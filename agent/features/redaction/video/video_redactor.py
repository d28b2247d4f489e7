"""Makes the covered copy of a video: detects faces in its parts, joins them into tracks, writes the parts, and joins them.

Finished parts are kept, so that a killed run resumes where it was.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from agent.domain.errors import CopyUnproven, CopyUnsupported, ImageChanged, VideoUnreadable, reason_of
from agent.domain.identity_matching import Identity
from agent.domain.redaction import Look, PeopleChoice
from agent.domain.tracks import trails_of
from agent.domain.video import Covered, PartDetections, VerifiedPart, Video, VideoPart, VideoTrack, is_same_frame, parts_of_copy
from agent.features.people.identification import AT_ONCE, Lookalikes
from agent.features.redaction.video.visibility import Verdict, everyone, judged, prints_of, told
from agent.inference.engine.video_ports import DrawPart, Joined, JoinVideo, ProvePart, VideoJob, VideoJobs, VideoRenderer

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Naming:
    """The people who stay visible, or the only ones to be covered."""

    choice: PeopleChoice
    embedder: str  # the name of its recipe
    who: Lookalikes


@dataclass(frozen=True, slots=True)
class ByHand:
    """Covers set by hand: no detection."""

    sha256: str  # of the edited video
    covered: tuple[Covered, ...]


@dataclass(frozen=True, slots=True)
class VideoOptions:
    """The options of one copy."""

    path: str
    output: str  # a new file, which the caller moves into place
    look: Look
    strip: bool = False
    format: str | None = None  # the required format; None: any suitable one
    naming: Naming | None = None  # None: everyone is covered
    by_hand: ByHand | None = None


@dataclass(frozen=True, slots=True)
class VideoProgress:
    """Finished steps of all steps."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class VideoCopy:
    """The result."""

    clip: Video
    verdicts: tuple[Verdict, ...]  # of all trajectories: a person who was out of sight for long has two
    copy_size: int  # bytes
    removed: tuple[str, ...]  # kinds of content that are not in the copy
    named: bool = False  # some people were named
    peak: int = 0  # the first moment with the most detected faces
    trails: tuple[VideoTrack, ...] = ()  # the tracks of the verdicts, in their order; both are empty without detection


class VideoRedactor:
    def __init__(self, renderer: VideoRenderer, jobs: VideoJobs) -> None:
        self._renderer = renderer
        self._jobs = jobs
        self._turn = asyncio.Lock()

    async def redact(self, wish: VideoOptions, progress: Callable[[VideoProgress], None] = lambda _: None) -> VideoCopy:
        """Make the copy. If cancelled or failed, it leaves the original unchanged, no output, and the finished parts for the next attempt.

        Videos are processed one after the other, their parts in parallel; two with the same content share one job.
        Raises ImageError, EngineError, ModelError, RedactionError, and any error of `wish.naming`.
        """
        async with self._turn:
            return await self._redact(wish, progress)

    async def _redact(self, wish: VideoOptions, progress: Callable[[VideoProgress], None]) -> VideoCopy:
        clip = await self._renderer.probe(wish.path)
        if wish.format not in (None, clip.format):
            raise CopyUnsupported(format=wish.format, becomes=clip.format)
        if wish.by_hand is not None and wish.by_hand.sha256 != clip.sha256:
            raise ImageChanged
        rounds = (1 if wish.by_hand else 2) + (not clip.film)
        steps = _Steps(rounds * len(clip.parts) + 1, progress)
        kind = f"{wish.look.style} {wish.look.shape} {wish.strip}"
        seen, trails, verdicts = list[PartDetections](), list[VideoTrack](), list[Verdict]()
        if wish.by_hand is not None:
            job = await self._job(clip, f"{kind} {_hash(wish.by_hand)}")
        elif (naming := wish.naming) is None:
            job = await self._job(clip, kind)
            seen = await self._for_each(clip.parts, lambda number, part: self._seen(wish, clip, job, number, part), steps)
            trails = _trails(clip, seen)
            verdicts = [everyone(trail.way, wish.look) for trail in trails]
        else:
            # identities are never stored: after a kill they are computed again, and drawn parts are reused if they are the same
            seen = await self._for_each(clip.parts, lambda _, part: self._told(wish, naming, clip, part), steps)
            trails = _trails(clip, seen)
            verdicts = [judged(trail, naming.choice, wish.look, clip.tick, singly=clip.film) for trail in trails]
            job = await self._job(clip, f"{kind} {_hash(verdicts)}")
        covered = wish.by_hand.covered if wish.by_hand else [each for verdict in verdicts for each in verdict.covered]
        await self._for_each(clip.parts, lambda number, part: self._drawn(wish, clip, job, covered, number, part), steps)
        joined = await self._joined(wish, clip, job)
        steps.one()
        if not clip.film:  # its copy was checked when it was drawn
            try:
                await self._check(wish, clip, job, covered, joined, steps)
            except BaseException:
                await asyncio.to_thread(Path(wish.output).unlink, missing_ok=True)
                raise
        await asyncio.to_thread(job.remove)
        removed = tuple(sorted({*clip.removed, *joined.removed}))
        return VideoCopy(clip, tuple(verdicts), joined.copy_size, removed, wish.naming is not None, _peak(clip, seen), tuple(trails))

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        """See ClipRenderer."""
        return await self._renderer.still(path, seconds, side)

    async def _job(self, clip: Video, kind: str) -> VideoJob:
        return await asyncio.to_thread(self._jobs.job, clip, kind)

    async def _told(self, wish: VideoOptions, naming: Naming, clip: Video, part: VideoPart) -> PartDetections:
        """Return `_seen` with a vote for each face instead of its embedding, which is dropped at once."""
        seen = await self._renderer.look(wish.path, part, clip.tick, naming.embedder)
        prints, who = prints_of(seen.sights), list[Identity | None]()
        for start in range(0, len(prints), AT_ONCE):
            who += await naming.who(prints[start : start + AT_ONCE])
        return replace(seen, sights=told(seen.sights, who, naming.choice))

    async def _seen(self, wish: VideoOptions, clip: Video, job: VideoJob, number: int, part: VideoPart) -> PartDetections:
        if (kept := await asyncio.to_thread(job.seen, number)) is not None:
            return kept
        seen = await self._renderer.look(wish.path, part, clip.tick)
        await asyncio.to_thread(job.keep_seen, number, seen)
        return seen

    async def _drawn(
        self, wish: VideoOptions, clip: Video, job: VideoJob, covered: Sequence[Covered], number: int, part: VideoPart
    ) -> None:
        if not await asyncio.to_thread(job.drawn, number):
            output = await asyncio.to_thread(job.part_output, number)
            await self._renderer.draw(DrawPart(wish.path, output, part, _within(part, covered), clip.format, wish.strip))
            await asyncio.to_thread(job.keep_part, number)

    async def _joined(self, wish: VideoOptions, clip: Video, job: VideoJob) -> Joined:
        made, pieces = await asyncio.to_thread(job.gather, clip.parts)
        if not pieces:
            raise VideoUnreadable
        if (await self._renderer.probe(wish.path)).sha256 != clip.sha256:
            raise ImageChanged
        return await self._renderer.join(JoinVideo(wish.path, str(made), wish.output, pieces, clip.format, wish.strip))

    async def _check(
        self, wish: VideoOptions, clip: Video, job: VideoJob, covered: Sequence[Covered], joined: Joined, steps: "_Steps"
    ) -> None:
        """Decode the copy again. If it differs, its parts are not kept. Raises CopyUnproven."""

        async def proven(_: int, part: VideoPart) -> VerifiedPart:
            return await self._renderer.prove(ProvePart(wish.path, wish.output, part, _within(part, covered)))

        try:
            shown = await self._for_each(parts_of_copy(clip), proven, steps)
            alike = is_same_frame(clip, max(each.last for each in shown), joined.last)
            if sum(each.frames for each in shown) != joined.frames or not alike:
                raise CopyUnproven
        except CopyUnproven:
            await asyncio.to_thread(job.remove)
            raise

    async def _for_each(self, parts: Sequence[VideoPart], step: Callable[[int, VideoPart], Awaitable[T]], steps: "_Steps") -> list[T]:
        """Run as many in parallel as the renderer supports."""
        turn = asyncio.Semaphore(self._renderer.at_once)

        async def one(number: int, part: VideoPart) -> T:
            async with turn:
                result = await step(number, part)
            steps.one()
            return result

        try:
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(one(number, part)) for number, part in enumerate(parts)]
        except ExceptionGroup as errors:
            raise reason_of(errors) from errors
        return [task.result() for task in tasks]


class _Steps:
    """Counts steps."""

    def __init__(self, total: int, progress: Callable[[VideoProgress], None]) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def one(self) -> None:
        self._done += 1
        self._progress(VideoProgress(self._done, self._total))


def _peak(clip: Video, seen: Sequence[PartDetections]) -> int:
    sights = (sight for each in seen for sight in each.sights)
    most = max(sights, key=lambda sight: len(sight.finds), default=None)
    return clip.parts[0].start if most is None else most.moment


def _within(part: VideoPart, covered: Sequence[Covered]) -> tuple[Covered, ...]:
    return tuple(replace(each, way=way) for each in covered if (way := each.way.within(part)) is not None)


def _hash(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _trails(clip: Video, seen: Sequence[PartDetections]) -> list[VideoTrack]:
    sights = [sight for each in seen for sight in each.sights]
    cuts = [cut for each in seen for cut in each.cuts]
    ends = clip.parts[0].start, clip.parts[-1].end
    return trails_of(sights, cuts, (clip.width, clip.height), clip.tick, clip.frame, ends)
