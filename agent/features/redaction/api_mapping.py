"""Converts covered copies to API shapes and back."""

import os
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing

from agent.domain.errors import CopyPlaceUnclear
from agent.domain.face import Box
from agent.domain.identity_matching import Certainty
from agent.domain.path_text import printable, uri_of_odd
from agent.domain.reading_order import in_rows
from agent.domain.redaction import Cover, Look, cover_of
from agent.domain.video import Keyframe, Trajectory, is_clip
from agent.features.library.records import StoredFace, StoredImage
from agent.features.redaction.batch_progress import BatchProgress
from agent.features.redaction.batches import RedactionOrder, RedactionRequests
from agent.features.redaction.copy_records import MADE, ItemState, PlannedCopy, RedactedCopy, RedactionBatch, RedactionItem
from agent.features.redaction.options import Mark
from agent.features.redaction.redaction_worker import UnderWay
from agent.features.redaction.schemas import (
    CoverRequest,
    MarkIO,
    MomentsOut,
    PlannedOut,
    RedactedOut,
    RedactionBatchOut,
    RedactionDetail,
    RedactLine,
    RedactRequest,
    UnderWayOut,
)
from agent.infrastructure.core.access_scope import current_scope, shown_path
from agent.infrastructure.core.i18n import Texts
from agent.interfaces.web.schemas import Problem

# Minimum intersection over union of a mark and a face of the library.
_SAME_FACE = 0.5


def asked(request: RedactRequest) -> RedactionOrder:
    return RedactionOrder(
        request.paths,
        request.out,
        Look(request.style, request.shape),
        request.keep,
        request.only,
        request.strip,
        request.overwrite,
        request.report,
        request.keeping,
        request.passphrase,
        request.keep_consented,
    )


def order_from_request(request: CoverRequest, paths: Sequence[str]) -> RedactionOrder:
    """Return the request; a final separator marks a folder, existing or not. Raises CopyPlaceUnclear for a relative path."""
    if not os.path.isabs(request.out):  # noqa: PTH117 - paths are strings throughout
        example = os.path.join(os.path.expanduser("~"), request.out)  # noqa: PTH111, PTH118 - paths are strings throughout
        raise CopyPlaceUnclear(path=printable(request.out), example=printable(os.path.normpath(example)))
    out = os.path.join(request.out, "")  # noqa: PTH118 - a Path has no end that says "folder"
    return RedactionOrder(paths, out, Look(request.style), request.keep, strip=request.strip, keep_consented=request.keep_consented)


async def lines(copies: RedactionRequests, request: RedactRequest, texts: Texts) -> AsyncGenerator[RedactLine, None]:
    """Make the copies, or list them in a dry run. When the client disconnects, copies that were not begun are not made."""
    if request.dry_run:
        plan = await copies.dry_run(asked(request))
        yield RedactLine(total=len(plan))
        for copy in plan:
            yield RedactLine(planned=_planned(copy))
        return
    async with aclosing(copies.redact(asked(request))) as made:
        async for told in made:
            yield line(told, texts)


def _planned(copy: PlannedCopy) -> PlannedOut:
    return PlannedOut(
        source=printable(copy.source),
        target=printable(copy.target),
        source_uri=uri_of_odd(copy.source),
        target_uri=uri_of_odd(copy.target),
        passed=copy.there is not None,
    )


def line(told: int | UnderWay | RedactionItem, texts: Texts) -> RedactLine:
    if isinstance(told, UnderWay):
        return RedactLine(under_way=UnderWayOut(id=told.item_id, source=printable(told.source), percent=told.percent))
    return RedactLine(total=told) if isinstance(told, int) else RedactLine(item=item(told, texts))


def item(known: RedactionItem, texts: Texts, percent: int | None = None, *, awaits_colleague: bool = False) -> RedactedOut:
    facts = known.facts if known.state in MADE or known.edited else None
    moves = is_clip(known.source) or (facts is not None and facts.ways is not None)
    changeable = facts is not None and facts.marked
    return RedactedOut(
        id=known.id,
        batch=known.batch,
        source=shown_path(known.source),
        target=shown_path(known.target),
        source_uri=_uri(known.source),
        target_uri=_uri(known.target),
        clip=moves,
        state=known.state.value,
        percent=percent,
        passed=known.passed,
        edited=known.edited,
        editable=known.state in MADE and known.source != known.target and not known.wish.locked and (not moves or changeable),
        found=facts.found if facts else 0,
        covered=facts.covered if facts else 0,
        doubts=facts.doubts if facts else (),
        awaits_colleague=awaits_colleague,
        width=facts.width if facts else None,
        height=facts.height if facts else None,
        sha256=facts.sha256 if facts else None,
        copy_sha256=facts.copy_sha256 if facts else None,
        removed=facts.removed if facts else (),
        error=Problem.maybe(known.error, texts),
        at=known.at,
    )


def detail(known: RedactionItem, image: StoredImage | None, texts: Texts, *, awaits_colleague: bool = False) -> RedactionDetail:
    """Return the details; `image` is the original in the library."""
    marks = _in_rows(known.facts) if known.facts else ()
    faces = image.faces if image is not None else ()
    names = tuple(_name(mark, faces) for mark in marks)
    shown = item(known, texts, awaits_colleague=awaits_colleague)
    return RedactionDetail(item=shown, moments=_moments(known.facts), marks=tuple(map(_shown, marks)), names=names)


def _in_rows(facts: RedactedCopy) -> tuple[Mark, ...]:
    """Return the faces of a photo row by row, then what was drawn by hand; of a video, all as they are."""
    if facts.moments is not None:
        return facts.marks
    found = [mark for mark in facts.marks if mark.score is not None]
    drawn = [mark for mark in facts.marks if mark.score is None]
    return (*(found[at] for at in in_rows([_face_below(mark.cover.box) for mark in found])), *drawn)


def _face_below(cover: Box) -> Box:
    """Return about the face below a cover, which is half as large again."""
    return Box(cover.x + cover.w / 6, cover.y + cover.h / 6, cover.w / 1.5, cover.h / 1.5)


def _moments(facts: RedactedCopy | None) -> MomentsOut | None:
    if facts is None or (there := facts.moments) is None:
        return None
    most = min(max(round(facts.peak / there.tick), there.first), there.last)
    return MomentsOut(first=there.first, last=there.last, step=there.step, most=most, apart=there.apart)


def _name(mark: Mark, faces: Sequence[StoredFace]) -> str | None:
    if mark.score is None or mark.way is not None:
        return None  # the library has one picture of a video

    def near(face: StoredFace) -> float:
        return cover_of(face.face, mark.cover.look).box.iou(mark.cover.box)

    face = max(faces, key=near, default=None)
    sure = face is not None and face.identity is not None and face.identity.certainty is not Certainty.PROBABLE
    return face.person if face is not None and sure and near(face) >= _SAME_FACE else None


def batch(known: RedactionBatch, progress: BatchProgress, names: Mapping[int, str]) -> RedactionBatchOut:
    choice = known.wish.choice
    only = None if choice.only is None else _named(choice.only, names)
    return RedactionBatchOut(
        uid=known.uid,
        at=known.at,
        folder=shown_path(known.folder) if known.folder is not None else None,
        planned=known.counts[ItemState.PLANNED],
        done=known.counts[ItemState.DONE],
        needs_review=known.counts[ItemState.NEEDS_REVIEW],
        failed=known.counts[ItemState.FAILED],
        stopped=known.counts[ItemState.STOPPED],
        out=None if known.out is None else shown_path(known.out),
        style=known.wish.look.style,
        keep=() if choice.consented else _named(choice.keep, names),
        keep_consented=choice.consented,
        only=only,
        sample=known.sample,
        percent=progress.percent,
        seconds_left=None if progress.seconds_left is None else round(progress.seconds_left),
    )


def _uri(path: str) -> str | None:
    return uri_of_odd(path) if current_scope() is None else None


def _named(people: Collection[int], names: Mapping[int, str]) -> tuple[str, ...]:
    return tuple(sorted(names[each] for each in people if each in names))


def mark(said: MarkIO) -> Mark:
    cover = Cover(Box(*said.box), Look(said.style, said.shape), said.tilt, said.reason)
    way = None if said.way is None else Trajectory(tuple(Keyframe(moment, Box(*box)) for moment, *box in said.way))
    return Mark(cover, said.covered, said.score, said.doubts, way, said.visible)


def _shown(known: Mark) -> MarkIO:
    cover = known.cover
    return MarkIO.model_construct(  # stored values are valid, even a box larger than a user may draw
        box=(cover.box.x, cover.box.y, cover.box.w, cover.box.h),
        tilt=cover.tilt,
        style=cover.look.style,
        shape=cover.look.shape,
        reason=cover.reason,
        covered=known.covered,
        score=known.score,
        doubts=known.doubts,
        way=None if known.way is None else tuple((at.moment, at.box.x, at.box.y, at.box.w, at.box.h) for at in known.way.knots),
        visible=known.visible,
    )
