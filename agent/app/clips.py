"""Makes the covered copy of a clip: looks through its parts, tells whose face goes where, writes the parts, and joins them.

What is finished is kept, so that a run that was killed goes on where it was.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from agent.app.ports import ClipJob, ClipJobs, ClipRenderer, DrawPart, JoinClip, Joined
from agent.domain.clips import Clip, Covered, Part, Seen, Way
from agent.domain.errors import CopyUnsupported, ImageChanged, VideoUnreadable, reason_of
from agent.domain.redaction import Look
from agent.domain.tracks import ways_of

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ClipWish:
    """One copy."""

    path: str
    output: str  # a file that is not there yet: whoever asks moves it into place
    look: Look
    strip: bool = False
    format: str | None = None  # what the copy must be; None: what is fit for it


@dataclass(frozen=True, slots=True)
class ClipProgress:
    """Steps that are done, of all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ClipCopy:
    """What was made."""

    clip: Clip
    faces: int  # ways that are covered: somebody who was out of sight for long is two
    copy_size: int  # bytes
    removed: tuple[str, ...]  # kinds of what is not in the copy


class ClipRedactor:
    def __init__(self, renderer: ClipRenderer, jobs: ClipJobs) -> None:
        self._renderer = renderer
        self._jobs = jobs
        self._turn = asyncio.Lock()

    async def redact(self, wish: ClipWish, progress: Callable[[ClipProgress], None] = lambda _: None) -> ClipCopy:
        """Cancelled or failed, it leaves the original as it was, no output, and what is finished for the next try.

        One clip after the other: its parts are worked on side by side, and two of the same content have one job.
        Raises ImageError, EngineError, ModelError, RedactionError.
        """
        async with self._turn:
            return await self._redact(wish, progress)

    async def _redact(self, wish: ClipWish, progress: Callable[[ClipProgress], None]) -> ClipCopy:
        clip = await self._renderer.probe(wish.path)
        if wish.format not in (None, clip.format):
            raise CopyUnsupported(format=wish.format)
        job = await asyncio.to_thread(self._jobs.job, clip, f"{wish.look.style} {wish.look.shape}")
        steps = _Steps(2 * len(clip.parts) + 1, progress)
        seen = await self._for_each(clip.parts, lambda number, part: self._seen(wish, clip, job, number, part), steps)
        ways = _ways(clip, seen)
        await self._for_each(clip.parts, lambda number, part: self._drawn(wish, clip, job, ways, number, part), steps)
        joined = await self._joined(wish, clip, job)
        steps.one()
        await asyncio.to_thread(job.remove)
        return ClipCopy(clip, len(ways), joined.copy_size, tuple(sorted({*clip.removed, *joined.removed})))

    async def _seen(self, wish: ClipWish, clip: Clip, job: ClipJob, number: int, part: Part) -> Seen:
        if (kept := await asyncio.to_thread(job.seen, number)) is not None:
            return kept
        seen = await self._renderer.look(wish.path, part, clip.tick)
        await asyncio.to_thread(job.keep_seen, number, seen)
        return seen

    async def _drawn(self, wish: ClipWish, clip: Clip, job: ClipJob, ways: Sequence[Way], number: int, part: Part) -> None:
        if not await asyncio.to_thread(job.drawn, number):
            output = await asyncio.to_thread(job.part_output, number)
            within = tuple(Covered(way, wish.look) for each in ways if (way := each.within(part)) is not None)
            await self._renderer.draw(DrawPart(wish.path, output, part, within, clip.format))
            await asyncio.to_thread(job.keep_part, number)

    async def _joined(self, wish: ClipWish, clip: Clip, job: ClipJob) -> Joined:
        made, pieces = await asyncio.to_thread(job.gather, clip.parts)
        if not pieces:
            raise VideoUnreadable
        if (await self._renderer.probe(wish.path)).sha256 != clip.sha256:
            raise ImageChanged
        return await self._renderer.join(JoinClip(wish.path, str(made), wish.output, pieces, clip.format, wish.strip))

    async def _for_each(self, parts: Sequence[Part], step: Callable[[int, Part], Awaitable[T]], steps: "_Steps") -> list[T]:
        """As many side by side as the renderer takes."""
        turn = asyncio.Semaphore(self._renderer.at_once)

        async def one(number: int, part: Part) -> T:
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
    """Counts."""

    def __init__(self, total: int, progress: Callable[[ClipProgress], None]) -> None:
        self._done, self._total, self._progress = 0, total, progress

    def one(self) -> None:
        self._done += 1
        self._progress(ClipProgress(self._done, self._total))


def _ways(clip: Clip, seen: Sequence[Seen]) -> list[Way]:
    sights = [sight for each in seen for sight in each.sights]
    cuts = [cut for each in seen for cut in each.cuts]
    return ways_of(sights, cuts, (clip.width, clip.height), clip.tick, clip.frame, (clip.parts[0].start, clip.parts[-1].end))
