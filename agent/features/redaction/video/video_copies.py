"""Makes the covered copy of a video for a batch: unsupported options are refused instead of ignored."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.errors import EngineBadAnswer, VideoKeepsNoRegions, VideoMissing, VideoNotEditable
from agent.domain.identity_matching import Identity
from agent.domain.image import Recipe
from agent.domain.redaction import Look, PeopleChoice
from agent.domain.video import CLIP_FORMATS, clip_named_as
from agent.features.library.recipes import redaction_recipe
from agent.features.people.identification import Identification
from agent.features.redaction.choice_check import ChoiceCheck
from agent.features.redaction.copy_files import CopyFileStore
from agent.features.redaction.copy_records import FollowedTrack, RedactedCopy, RedactionItem
from agent.features.redaction.options import Doubtful, Keeping
from agent.features.redaction.video.editable_tracks import covered_along, marks_along, moments_of
from agent.features.redaction.video.video_redactor import ByHand, Naming, VideoCopy, VideoOptions, VideoProgress, VideoRedactor
from agent.features.redaction.video.visibility import Verdict, Why

Percent = Callable[[int], None]


class VideoCopies:
    def __init__(
        self,
        clips: VideoRedactor | None,
        films: VideoRedactor | None,
        copies: CopyFileStore,
        check: ChoiceCheck,
        identification: Identification,
    ) -> None:
        """`films` redacts animations and pages. Without a redactor its kind can't be redacted."""
        self._clips = clips
        self._films = films
        self._copies = copies
        self._check = check
        self._identification = identification

    async def make(self, item: RedactionItem, aside: str, percent: Percent, *, film: bool = False) -> tuple[RedactedCopy, RedactionItem]:
        """Write it to `aside`, a new file; return the item with the copy's possible name.

        Raises RedactionError, ImageError, EngineError, ModelError, PeopleError, StoreError.
        """
        redactor = self._films if film else self._clips
        if redactor is None:
            raise VideoMissing
        if item.wish.keeping is Keeping.REGIONS:
            raise VideoKeepsNoRegions
        recipe = redaction_recipe(item.wish.choice.names_people)
        edited = item.facts if item.edited else None
        naming = await self._naming(item.wish.choice, recipe) if edited is None else None
        format = None if film else _format(item)
        wish = VideoOptions(item.source, aside, item.wish.look, item.wish.strip, format, naming, _by_hand(edited))
        copy = await redactor.redact(wish, _whole(percent))
        digest = await asyncio.to_thread(self._copies.digest, aside)
        if digest is None:
            raise EngineBadAnswer
        if edited is None:
            facts = replace(_facts(copy, item.wish.look), copy_sha256=digest, models=tuple(sorted(recipe.models)))
        else:  # the identifications did not decide this
            facts = replace(edited, copy_sha256=digest, removed=copy.removed, followed=(), zero=copy.clip.zero)
        if not film and (target := clip_named_as(item.target, copy.clip.format)) != item.target:
            # The user did not choose that name, so an existing file with it stays.
            item = replace(item, target=target, wish=replace(item.wish, replace=False))
        return facts, item

    async def still(self, item: RedactionItem, facts: RedactedCopy, side: int, moment: int | None = None, *, copy: bool) -> bytes:
        """Return a video, or its copy, at that moment of the video, or when it shows most faces, as JPEG.

        Raises RedactionError, ImageError, EngineError.
        """
        redactor = self._films if facts.ways_in == "frames" else self._clips
        if redactor is None:
            raise VideoMissing
        seconds = facts.peak if moment is None or facts.moments is None else moment * facts.moments.tick
        if copy:
            return await redactor.still(item.target, max(0.0, seconds - facts.zero), side)
        return await redactor.still(item.source, seconds, side)

    async def _naming(self, choice: PeopleChoice, recipe: Recipe) -> Naming | None:
        """Return the named people; None: everyone is covered, and no face print is computed."""
        if not choice.names_people or recipe.embedder is None:
            return None

        async def who(prints: Sequence[UnsavedEmbedding]) -> list[Identity | None]:
            # Checked for each part: people, consent or settings may change while a long video is processed.
            now = await self._check(choice)
            found = await self._identification.lookalikes(prints)
            return [None if each is not None and each.person_id in choice.keep - now.keep else each for each in found]

        await who(())
        return Naming(choice, recipe.embedder, who)


def _by_hand(edited: RedactedCopy | None) -> ByHand | None:
    if edited is None:
        return None
    if edited.moments is None:
        raise VideoNotEditable
    return ByHand(edited.sha256, covered_along(edited.marks, edited.moments))


def _facts(copy: VideoCopy, look: Look) -> RedactedCopy:
    """Return all facts but the copy's."""
    clip = copy.clip
    first, unit = clip.parts[0].start, 1.0 if clip.film else clip.tick

    def followed(verdict: Verdict) -> FollowedTrack:
        hidden = sum(each.way.knots[-1].moment + 1 - each.way.knots[0].moment for each in verdict.covered)
        visible = max(0, verdict.end + 1 - verdict.start - hidden)
        start, end = ((moment - first) * unit for moment in (verdict.start, verdict.end))
        return FollowedTrack(round(start, 2), round(end, 2), round(visible * unit, 2), verdict.why, verdict.show, verdict.hide)

    named = tuple(map(followed, copy.verdicts)) if copy.named else ()
    found = {
        Doubtful.VISIBLE: any(each.visible > 0 for each in named),
        Doubtful.NO_FACE: not copy.verdicts,
        Doubtful.UNSURE: any(verdict.why is Why.DISAGREE for verdict in copy.verdicts),
        Doubtful.CUT_OFF: clip.truncated,
    }
    doubts = tuple(doubt for doubt, there in found.items() if there)
    moments = moments_of(clip)
    marks = None if moments is None else marks_along(copy.trails, copy.verdicts, look)
    return RedactedCopy(
        clip.sha256,
        "",
        marks or (),
        doubts,
        clip.width,
        clip.height,
        (),
        copy.removed,
        ways=len(copy.verdicts),
        moments=None if marks is None else moments,
        followed=named,
        ways_in="frames" if clip.film else "seconds",
        peak=copy.peak * clip.tick,
        zero=clip.zero,
    )


def _format(item: RedactionItem) -> str | None:
    """Return the required format, if the copy's name is fixed."""
    if item.source != item.target:
        return item.format
    ending = item.target.rpartition(".")[2].lower()
    return CLIP_FORMATS.get(ending, ending)


def _whole(percent: Percent) -> Callable[[VideoProgress], None]:
    """Report each whole percent once."""
    last = 0

    def tell(progress: VideoProgress) -> None:
        nonlocal last
        if (now := 100 * progress.done // progress.total) > last:
            last = now
            percent(now)

    return tell
