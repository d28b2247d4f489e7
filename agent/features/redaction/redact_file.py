"""Makes one covered copy: detects faces, identifies them if necessary, writes a temporary copy, and moves it into place."""

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from agent.domain.embeddings import UnsavedEmbedding
from agent.domain.errors import (
    CopyUnsupported,
    EngineBadAnswer,
    ImageChanged,
    ImageMissing,
    ImageUnreadable,
    PassphraseGone,
    RedactionError,
)
from agent.domain.face import Analysis, Face
from agent.domain.identity_matching import Certainty, Identity, assign_unique
from agent.domain.image import with_extension
from agent.domain.redaction import PeopleChoice
from agent.domain.video import is_clip
from agent.features.library.recipes import redaction_recipe
from agent.features.people.identification import Identification
from agent.features.redaction.choice_check import ChoiceCheck
from agent.features.redaction.copy_files import PendingCopy
from agent.features.redaction.copy_names import KEPT_ENDING
from agent.features.redaction.copy_records import FollowedTrack, RedactedCopy, RedactionItem
from agent.features.redaction.options import Keeping, RedactionOptions, covered, doubts_of, marks_of
from agent.features.redaction.queries.redaction_queries import RedactionQueries
from agent.features.redaction.recovery_file import Recovery
from agent.features.redaction.restore import RedactionTools
from agent.features.redaction.video.video_copies import Percent, VideoCopies
from agent.inference.engine.analyser import Analyse, Analyser
from agent.inference.engine.renderer import KeptRegion, Render
from agent.infrastructure.core.service_context import Environment
from agent.infrastructure.core.settings import Settings

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Found:
    """The detections in a picture."""

    facts: RedactedCopy  # all but the copy's
    format: str = ""  # the picture's; empty: not scanned
    film: bool = False  # its frames or pages are covered as well


# Minimum intersection over union of a detected face and a face of the library.
_SAME_FACE = 0.5


def redaction_task(settings: Settings, path: str, who: bool) -> Analyse:
    """Return a task that detects every face in a photo, with `who` including embeddings."""
    detection = settings.detection
    return Analyse(path, redaction_recipe(who), detection.min_score, detection.min_face, keep_chips=False, thorough=True)


class FileRedactor:
    def __init__(
        self,
        library: RedactionQueries,
        analyser: Analyser,
        tools: RedactionTools,
        clips: VideoCopies,
        check: ChoiceCheck,
        identification: Identification,
        environment: Environment,
    ) -> None:
        self._library = library
        self._analyser = analyser
        self._renderer, self._copies, self._keeper = tools.renderer, tools.copies, tools.keeper
        self._clips = clips
        self._check = check
        self._identification = identification
        self._environment = environment

    async def make(self, item: RedactionItem, passphrase: str | None, percent: Percent = lambda _: None) -> None:
        """Make the copy, and record it. If cancelled or failed, it leaves nothing behind, and the original unchanged.

        `percent` receives the progress of long items: 0 while waiting for a slot.

        Raises RedactionError, ImageError, EngineError, ModelError, PeopleError, StoreError.
        """
        aside = await asyncio.to_thread(self._copies.prepare, item.target, f"{item.batch} {item.id}")
        aside_kept = await asyncio.to_thread(self._copies.prepare, item.target, f"{item.batch} {item.id} kept")
        try:
            if item.facts is not None and await self._is_placed(item, item.facts):
                await self._noted(item, item.facts, item.target)
                return
            if item.wish.locked and passphrase is None:
                raise PassphraseGone
            found = None if is_clip(item.source) else await self._found(item)
            if found is None or found.film:
                percent(0)
                facts, item = await self._clips.make(item, aside, percent, film=found is not None)
                facts = replace(facts, replaces=_replaces(item))
                if item.source == item.target and facts.found == 0 and not facts.removed:
                    facts = replace(facts, copy_sha256=facts.sha256)  # it needs no change
                kept = _kept(item, facts)
            else:
                facts, kept, item = await self._rendered(item, aside, found)
            if item.source == item.target and facts.copy_sha256 == facts.sha256:
                if await asyncio.to_thread(self._library.record_pending, item.id, facts, now=self._environment.clock()):
                    await self._noted(item, facts, item.target)
                return
            if kept is not None:
                original = item.source if item.wish.keeping is Keeping.ORIGINAL else None
                await _to_its_end(asyncio.to_thread(self._keeper.keep, aside_kept, kept, original, passphrase))
            if not await asyncio.to_thread(self._library.record_pending, item.id, facts, now=self._environment.clock()):
                return
            frees = kept is not None and await self._nothing_lost(item, facts, passphrase)
            ready = await self._placing(item, facts, aside, aside_kept if kept is not None else None, frees)
            await _to_its_end(self._place(item, facts, ready))
        finally:
            for left in (aside, aside_kept):
                await _to_its_end(asyncio.to_thread(self._copies.discard, left))

    async def _is_placed(self, item: RedactionItem, facts: RedactedCopy) -> bool:
        """Return whether the program ended just after it had placed the copy."""
        if item.edited and facts.replaces is None:
            return False  # these are the facts of the copy to be replaced
        return await asyncio.to_thread(self._copies.digest, item.target) == facts.copy_sha256

    async def _nothing_lost(self, item: RedactionItem, facts: RedactedCopy, passphrase: str | None) -> bool:
        """Return whether the existing recovery file may be replaced.

        It must be of the same original, which is still in place; or this item made it in an attempt that failed or was
        interrupted.
        """
        try:
            kept = await asyncio.to_thread(self._keeper.opened, item.target + KEPT_ENDING, passphrase)
        except (RedactionError, ImageUnreadable):
            return False  # none exists, or it is not ours
        if item.source != item.target and kept.sha256 == facts.sha256:
            return True
        return item.facts is not None and not item.edited and kept.copy_sha256 == item.facts.copy_sha256

    async def _rendered(self, item: RedactionItem, aside: str, seen: "_Found") -> tuple[RedactedCopy, Recovery | None, RedactionItem]:
        """Return the result, its recovery data, and the item, whose copy may get another format than its name says."""
        found, format = seen.facts, seen.format
        keeps_regions = item.wish.keeping is Keeping.REGIONS
        task = Render(item.source, aside, covered(found.marks), item.format, item.wish.strip, keeps_regions)
        rendered = await self._renderer.render(task)
        if rendered.sha256 != found.sha256:
            raise ImageChanged
        if item.source == item.target and not task.covers and not rendered.removed:
            return replace(found, copy_sha256=found.sha256), None, item  # it needs no change
        if item.source == item.target and rendered.format != format:
            raise CopyUnsupported(format=format, instead=rendered.format)  # a JPEG must not be named HEIC
        if await asyncio.to_thread(self._copies.digest, aside) != rendered.copy_sha256:
            raise EngineBadAnswer
        facts = replace(found, copy_sha256=rendered.copy_sha256, removed=rendered.removed, replaces=_replaces(item))
        if item.format is None and format and rendered.format != format:
            # The user did not choose that name, so an existing file with it stays.
            item = replace(item, target=with_extension(item.target, rendered.format), wish=replace(item.wish, replace=False))
        return facts, _kept(item, facts, rendered.regions), item

    async def _found(self, item: RedactionItem) -> "_Found":
        """Return the detections, or the marks set by hand."""
        if item.edited and item.facts is not None:
            return _Found(item.facts, film=item.facts.ways is not None)
        choice = await self._check(item.wish.choice)
        analysis = await self._analyser.analyse(redaction_task(self._environment.settings.value, item.source, choice.names_people))
        identities = await self._who(analysis, choice) if choice.names_people else [None] * len(analysis.faces)
        choice = await self._check(item.wish.choice)  # finding faces takes a while, in which consent may be withdrawn
        marks = marks_of(analysis.faces, identities, choice, item.wish.look)
        models = tuple(sorted(analysis.recipe.models))
        facts = RedactedCopy(analysis.sha256, "", marks, doubts_of(marks), analysis.width, analysis.height, models)
        return _Found(facts, analysis.format, analysis.frames > 1 and item.format in (None, analysis.format))

    async def _who(self, analysis: Analysis, choice: PeopleChoice) -> list[Identity | None]:
        """Return the identities of the faces; the user's confirmations take precedence."""
        alike = await self._identification.lookalikes([UnsavedEmbedding(face.embedding or b"", face.quality) for face in analysis.faces])
        # Only one of two faces can be the visible person. A person to be covered may appear twice, as in frames of an animation.
        judged = alike if choice.only is not None else assign_unique(alike)
        image = await asyncio.to_thread(self._library.image_by_hash, analysis.sha256)
        stored = image.faces if image is not None else ()
        not_them = await asyncio.to_thread(self._library.rejections, [each.id for each in stored])
        unseen = await asyncio.to_thread(self._library.unseen, [each.id for each in stored])

        def said(face: Face, opinion: Identity | None) -> Identity | None:
            same = max(stored, key=lambda each: each.face.box.iou(face.box), default=None)
            if same is None or same.face.box.iou(face.box) < _SAME_FACE:
                return opinion
            if same.identity is not None and same.identity.certainty is Certainty.CONFIRMED:
                return same.identity
            if opinion is None or opinion.person_id in not_them.get(same.id, ()):
                return None
            return replace(opinion, certainty=Certainty.PROBABLE) if opinion.person_id in unseen.get(same.id, ()) else opinion

        return [said(face, opinion) for face, opinion in zip(analysis.faces, judged, strict=True)]

    async def _placing(self, item: RedactionItem, facts: RedactedCopy, aside: str, kept: str | None, frees: bool) -> PendingCopy:
        """Place the copy; with `frees` an existing recovery file may be replaced."""
        there = await asyncio.to_thread(self._copies.digest, item.target)
        if item.source == item.target:
            if there != facts.sha256:
                raise ImageMissing if there is None else ImageChanged
            # A recovery file of an earlier batch is the only original left: it stays even when a failed item is retried.
            return PendingCopy(item.source, aside, item.target, True, kept, kept_replaces=frees)
        gives_way = item.wish.replace or (facts.replaces is not None and there == facts.replaces)
        return PendingCopy(item.source, aside, item.target, gives_way, kept, kept_replaces=frees)

    async def _place(self, item: RedactionItem, facts: RedactedCopy, ready: PendingCopy) -> None:
        target = await asyncio.to_thread(self._copies.place, ready)
        await self._noted(item, facts, target)

    async def _noted(self, item: RedactionItem, facts: RedactedCopy, target: str) -> None:
        if item.wish.report:
            names = await asyncio.to_thread(self._library.person_names)
            await asyncio.to_thread(self._copies.report, target, report_of(item.wish, facts, names))
        # An edited copy has been reviewed: by one person, where publishing may ask for a second one.
        review = self._asks_second(item) if item.edited else bool(facts.doubts)
        await asyncio.to_thread(self._library.copy_made, item.id, target, review=review, now=self._environment.clock())

    def _asks_second(self, item: RedactionItem) -> bool:
        return item.is_for_publishing and self._environment.settings.value.consent.second_person


async def _to_its_end(work: Coroutine[None, None, T]) -> T:
    """Finish the work even if cancelled; the cancelling caller waits."""
    task = asyncio.create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.gather(task, return_exceptions=True)
        raise


def _replaces(item: RedactionItem) -> str | None:
    """Return our copy that an edited one replaces, or one that is made again."""
    if item.facts is None:
        return None
    return item.facts.replaces or (item.facts.copy_sha256 if item.edited else None)


def _kept(item: RedactionItem, facts: RedactedCopy, regions: tuple[KeptRegion, ...] = ()) -> Recovery | None:
    if item.wish.keeping is Keeping.NOTHING:
        return None
    name = item.source.replace("\\", "/").rpartition("/")[2]
    return Recovery(facts.copy_sha256, facts.sha256, name, regions, item.wish.keeping is Keeping.ORIGINAL)


def report_of(wish: RedactionOptions, facts: RedactedCopy, names: Mapping[int, str]) -> dict[str, object]:
    """Return the report beside a copy. It contains no names except requested ones, and no paths."""
    asked: Sequence[tuple[str, frozenset[int] | None]] = (
        ("keep", None if wish.choice.consented else wish.choice.keep or None),
        ("only", wish.choice.only),
    )
    return {
        "format": 1,
        "original_sha256": facts.sha256,
        "copy_sha256": facts.copy_sha256,
        "width": facts.width,
        "height": facts.height,
        "found": facts.found,
        "covered": [
            {
                "box": [mark.cover.box.x, mark.cover.box.y, mark.cover.box.w, mark.cover.box.h],
                "tilt": mark.cover.tilt,
                "style": mark.cover.look.style.value,
                "shape": mark.cover.look.shape.value,
                "reason": mark.cover.reason.value,
                "score": mark.score,
            }
            for mark in facts.marks
            if mark.covered and (facts.ways is None or mark.score is None)  # trajectories have as many boxes as frames
        ],
        **(
            {}
            if facts.ways is None
            else {"covered_ways": facts.faces_covered, "style": wish.look.style.value, "shape": wish.look.shape.value}
        ),
        **({"ways": [_way(way) for way in facts.followed], "ways_in": facts.ways_in} if facts.followed else {}),
        "visible": facts.found - facts.faces_covered if facts.ways is not None else sum(not mark.covered for mark in facts.marks),
        "doubts": [doubt.value for doubt in facts.doubts],
        "metadata_removed": list(facts.removed),
        "models": list(facts.models),
        **({"keep_consented": True} if wish.choice.consented else {}),
        **{key: sorted(names[each] for each in people if each in names) for key, people in asked if people is not None},
    }


def _way(way: FollowedTrack) -> dict[str, object]:
    return {
        "from": way.start,
        "to": way.end,
        "visible": way.visible,
        "why": way.why.value,
        "looks_for_showing": way.show,
        "looks_for_covering": way.hide,
    }
