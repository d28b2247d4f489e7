"""Makes the covered copy of a clip: looks through its parts, tells whose face goes where, writes the parts, and joins them.

What is finished is kept, so that a run that was killed goes on where it was.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from agent.domain.errors import CopyUnsupported, ImageChanged, VideoUnreadable, reason_of
from agent.domain.people import Identity
from agent.domain.redaction import Choice, Look
from agent.domain.tracks import trails_of
from agent.domain.video import Clip, Covered, Part, Seen, Trail
from agent.engine.video_ports import ClipJob, ClipJobs, ClipRenderer, DrawPart, JoinClip, Joined
from agent.people.identification import AT_ONCE, Lookalikes
from agent.redaction.video.visibility import Verdict, everyone, judged, prints_of, told

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Naming:
    """Some people are to stay visible, or only some to be covered."""

    choice: Choice
    embedder: str  # the name of its recipe
    who: Lookalikes


@dataclass(frozen=True, slots=True)
class ByHand:
    """Somebody said what is covered: nothing is looked for."""

    sha256: str  # of the clip that was meant
    covered: tuple[Covered, ...]


@dataclass(frozen=True, slots=True)
class ClipWish:
    """One copy."""

    path: str
    output: str  # a file that is not there yet: whoever asks moves it into place
    look: Look
    strip: bool = False
    format: str | None = None  # what the copy must be; None: what is fit for it
    naming: Naming | None = None  # None: everyone is covered
    by_hand: ByHand | None = None


@dataclass(frozen=True, slots=True)
class ClipProgress:
    """Steps that are done, of all."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class ClipCopy:
    """What was made."""

    clip: Clip
    verdicts: tuple[Verdict, ...]  # of all ways that faces go: somebody who was out of sight for long is two
    copy_size: int  # bytes
    removed: tuple[str, ...]  # kinds of what is not in the copy
    named: bool = False  # some people were
    peak: int = 0  # when most faces were seen, of several moments the first
    trails: tuple[Trail, ...] = ()  # what the verdicts are about, in their order; both are empty if nothing was looked for


class ClipRedactor:
    def __init__(self, renderer: ClipRenderer, jobs: ClipJobs) -> None:
        self._renderer = renderer
        self._jobs = jobs
        self._turn = asyncio.Lock()

    async def redact(self, wish: ClipWish, progress: Callable[[ClipProgress], None] = lambda _: None) -> ClipCopy:
        """Cancelled or failed, it leaves the original as it was, no output, and what is finished for the next try.

        One clip after the other: its parts are worked on side by side, and two of the same content have one job.
        Raises ImageError, EngineError, ModelError, RedactionError, and whatever `wish.naming` raises.
        """
        async with self._turn:
            return await self._redact(wish, progress)

    async def _redact(self, wish: ClipWish, progress: Callable[[ClipProgress], None]) -> ClipCopy:
        clip = await self._renderer.probe(wish.path)
        if wish.format not in (None, clip.format):
            raise CopyUnsupported(format=wish.format, becomes=clip.format)
        if wish.by_hand is not None and wish.by_hand.sha256 != clip.sha256:
            raise ImageChanged
        steps = _Steps((1 if wish.by_hand else 2) * len(clip.parts) + 1, progress)
        kind = f"{wish.look.style} {wish.look.shape} {wish.strip}"
        seen, trails, verdicts = list[Seen](), list[Trail](), list[Verdict]()
        if wish.by_hand is not None:
            job = await self._job(clip, f"{kind} {_hash(wish.by_hand)}")
        elif (naming := wish.naming) is None:
            job = await self._job(clip, kind)
            seen = await self._for_each(clip.parts, lambda number, part: self._seen(wish, clip, job, number, part), steps)
            trails = _trails(clip, seen)
            verdicts = [everyone(trail.way, wish.look) for trail in trails]
        else:
            # Who somebody is gets written nowhere: after a kill it is looked once more, and what was drawn goes on if that says the same.
            seen = await self._for_each(clip.parts, lambda _, part: self._told(wish, naming, clip, part), steps)
            trails = _trails(clip, seen)
            verdicts = [judged(trail, naming.choice, wish.look, clip.tick, singly=clip.film) for trail in trails]
            job = await self._job(clip, f"{kind} {_hash(verdicts)}")
        covered = wish.by_hand.covered if wish.by_hand else [each for verdict in verdicts for each in verdict.covered]
        await self._for_each(clip.parts, lambda number, part: self._drawn(wish, clip, job, covered, number, part), steps)
        joined = await self._joined(wish, clip, job)
        steps.one()
        await asyncio.to_thread(job.remove)
        removed = tuple(sorted({*clip.removed, *joined.removed}))
        return ClipCopy(clip, tuple(verdicts), joined.copy_size, removed, wish.naming is not None, _peak(clip, seen), tuple(trails))

    async def still(self, path: str, seconds: float, side: int) -> bytes:
        """See ClipRenderer."""
        return await self._renderer.still(path, seconds, side)

    async def _job(self, clip: Clip, kind: str) -> ClipJob:
        return await asyncio.to_thread(self._jobs.job, clip, kind)

    async def _told(self, wish: ClipWish, naming: Naming, clip: Clip, part: Part) -> Seen:
        """As `_seen`, with what is said of each face in the place of its print, which is dropped at once."""
        seen = await self._renderer.look(wish.path, part, clip.tick, naming.embedder)
        prints, who = prints_of(seen.sights), list[Identity | None]()
        for start in range(0, len(prints), AT_ONCE):
            who += await naming.who(prints[start : start + AT_ONCE])
        return replace(seen, sights=told(seen.sights, who, naming.choice))

    async def _seen(self, wish: ClipWish, clip: Clip, job: ClipJob, number: int, part: Part) -> Seen:
        if (kept := await asyncio.to_thread(job.seen, number)) is not None:
            return kept
        seen = await self._renderer.look(wish.path, part, clip.tick)
        await asyncio.to_thread(job.keep_seen, number, seen)
        return seen

    async def _drawn(self, wish: ClipWish, clip: Clip, job: ClipJob, covered: Sequence[Covered], number: int, part: Part) -> None:
        if not await asyncio.to_thread(job.drawn, number):
            output = await asyncio.to_thread(job.part_output, number)
            within = tuple(replace(each, way=way) for each in covered if (way := each.way.within(part)) is not None)
            await self._renderer.draw(DrawPart(wish.path, output, part, within, clip.format, wish.strip))
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


def _peak(clip: Clip, seen: Sequence[Seen]) -> int:
    sights = (sight for each in seen for sight in each.sights)
    most = max(sights, key=lambda sight: len(sight.finds), default=None)
    return clip.parts[0].start if most is None else most.moment


def _hash(said: object) -> str:
    return hashlib.sha256(repr(said).encode()).hexdigest()


def _trails(clip: Clip, seen: Sequence[Seen]) -> list[Trail]:
    sights = [sight for each in seen for sight in each.sights]
    cuts = [cut for each in seen for cut in each.cuts]
    ends = clip.parts[0].start, clip.parts[-1].end
    return trails_of(sights, cuts, (clip.width, clip.height), clip.tick, clip.frame, ends)
