"""The API schemas of covered copies."""

import os
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, Field, FiniteFloat, model_validator

from agent.domain.redaction import Reason, Shape, Style
from agent.features.redaction.options import Doubtful, Keeping
from agent.features.redaction.video.editable_tracks import MOST_KNOTS, MOST_MARKS
from agent.interfaces.web.schema_base import Schema
from agent.interfaces.web.schemas import FilePath, Id, Problem


def _whole(path: str) -> str:
    """Expand a typed path: users know their home, but not the agent's working directory."""
    return os.path.expanduser(path)  # noqa: PTH111  # pathlib fails without a home


PersonName = Annotated[str, Field(min_length=1, max_length=200)]
Passphrase = Annotated[str, Field(min_length=1, max_length=1_000)]
Places = Annotated[float, Field(ge=-1e6, le=1e6)]
Size = Annotated[float, Field(gt=0, le=1e6)]
Moment = Annotated[int, Field(ge=-(2**62), le=2**62)]


class RedactRequest(Schema):
    """Request covered copies of the images and videos below `paths`."""

    paths: Annotated[tuple[FilePath, ...], Field(min_length=1, max_length=10_000)]
    out: FilePath | None = None
    """a file or a folder"""
    in_place: bool = False
    """instead of `out`: the originals give way"""
    style: Style = Style.SOLID
    shape: Shape = Shape.ELLIPSE
    keep: Annotated[tuple[PersonName, ...], Field(max_length=1_000)] = ()
    """people who stay visible"""
    only: Annotated[tuple[PersonName, ...], Field(min_length=1, max_length=1_000)] | None = None
    """people who are covered; null: everyone"""
    keep_consented: bool = False
    """instead of `keep`: people with valid consent to publishing stay visible where they are certainly recognised; all metadata goes"""
    strip: bool = False
    """leave out all metadata"""
    overwrite: bool = False
    """a file that is in a copy's place gives way"""
    report: bool = False
    """write beside each copy what was done"""
    keeping: Keeping = Keeping.NOTHING
    passphrase: Passphrase | None = None
    """for what is kept; null: this computer's key"""
    dry_run: bool = False
    """only tell what would be made"""

    @model_validator(mode="after")
    def _one_place(self) -> "RedactRequest":
        if self.in_place == (self.out is not None):
            raise ValueError("one of out and in_place")
        return self

    @model_validator(mode="after")
    def _one_choice(self) -> "RedactRequest":
        if self.keep_consented and (self.keep or self.only):
            raise ValueError("one of keep_consented, keep and only")
        return self


class CoverRequest(Schema):
    """Request covered copies of photos of the library."""

    images: Annotated[tuple[Id, ...], Field(min_length=1, max_length=10_000)]
    out: Annotated[FilePath, AfterValidator(_whole)]
    """a folder's full path; “~” is the home folder"""
    style: Style = Style.SOLID
    keep: Annotated[tuple[PersonName, ...], Field(max_length=1_000)] = ()
    """people who stay visible"""
    keep_consented: bool = False
    """instead of `keep`: people with valid consent to publishing stay visible where they are certainly recognised; all metadata goes"""
    strip: bool = False
    """leave out all metadata"""

    @model_validator(mode="after")
    def _one_choice(self) -> "CoverRequest":
        if self.keep_consented and self.keep:
            raise ValueError("one of keep_consented and keep")
        return self


class MarkIO(Schema):
    """A detected face, or an area drawn by hand."""

    box: tuple[Places, Places, Size, Size]
    """left, top, width, height in pixels of the upright image: what is covered, before it is tilted"""
    tilt: Annotated[FiniteFloat, Field(ge=-360, le=360)] = 0.0
    """degrees clockwise"""
    style: Style = Style.SOLID
    shape: Shape = Shape.ELLIPSE
    reason: Reason = Reason.HAND
    covered: bool = True
    score: Annotated[float, Field(ge=0, le=1)] | None = None
    """the detector's; null: drawn by hand"""
    doubts: tuple[Doubtful, ...] = ()
    way: Annotated[tuple[tuple[Moment, Places, Places, Size, Size], ...], Field(min_length=1, max_length=MOST_KNOTS)] | None = None
    """in what moves: moment, left, top, width, height, straight from each to the next; null: it stays where it is throughout"""
    visible: Annotated[tuple[tuple[Moment, Moment], ...], Field(max_length=MOST_KNOTS)] = ()
    """first and last moments of stretches in which it shows although it is covered"""

    @model_validator(mode="after")
    def _in_order(self) -> "MarkIO":
        moments = [knot[0] for knot in self.way or ()]
        ends = [moment for stretch in self.visible for moment in stretch]
        if moments != sorted(set(moments)) or ends != sorted(ends):
            raise ValueError("moments are not in order")
        if ends and not (moments and moments[0] <= ends[0] and ends[-1] <= moments[-1]):
            raise ValueError("visible where it is not")
        return self


class RedactedOut(Schema):
    """A file of a batch, and its result."""

    id: int
    batch: str
    source: str
    target: str
    """where the copy is, or is to be"""
    source_uri: str | None = None
    target_uri: str | None = None
    """file:// addresses of paths that are not UTF-8; null for others"""
    clip: bool
    """it moves, or has several pages: its preview is one frame of it"""
    state: str
    """"planned", "done", "needs_review", "failed" or "stopped" """
    percent: int | None = None
    """how far it is, while it is under way and takes long"""
    passed: bool
    """the copy was there already, of the same content"""
    edited: bool
    """its marks were set by hand"""
    editable: bool
    """its copy can be made anew with other marks: those are known, and the original is still there to make it from"""
    found: int
    """faces; 0 does not say that there are none. Of a clip: ways through it; who was out of sight for long has two"""
    covered: int
    doubts: tuple[Doubtful, ...]
    """reasons for the user to check the copy"""
    awaits_colleague: bool = False
    """it is for publishing, and who asks planned or edited it: another member approves it"""
    width: int | None
    height: int | None
    """of the upright image, in pixels"""
    sha256: str | None
    copy_sha256: str | None
    removed: tuple[str, ...]
    """kinds of metadata that went"""
    error: Problem | None
    at: datetime


class UnderWayOut(Schema):
    """The progress of a video's copy."""

    id: int
    source: str
    percent: int


class PlannedOut(Schema):
    """A copy that would be made."""

    source: str
    target: str
    source_uri: str | None = None
    target_uri: str | None = None
    passed: bool
    """it is there already, of the same content"""


class RedactLine(Schema):
    """One line of an answer: the number of files, a video's progress, a file's result, or an error that ended the batch."""

    total: int | None = None
    planned: PlannedOut | None = None
    """in a dry run, for each file"""
    under_way: UnderWayOut | None = None
    item: RedactedOut | None = None
    stopped: Problem | None = None


class RestoreRequest(Schema):
    path: FilePath
    """the copy, or the file beside it in which something is kept"""
    out: FilePath | None = None
    passphrase: Passphrase | None = None


class Restored(Schema):
    path: str


class RedactionBatchOut(Schema):
    uid: str
    at: datetime
    folder: str | None
    """the watched folder with this rule; null: requested by the user"""
    planned: int
    done: int
    needs_review: int
    failed: int
    stopped: int = 0
    """not made, because the batch was stopped"""
    out: str | None = None
    """the folder that holds all copies"""
    style: Style = Style.SOLID
    keep: tuple[str, ...] = ()
    """people who stay visible"""
    keep_consented: bool = False
    """instead: people who agreed to publishing stay visible"""
    only: tuple[str, ...] | None = None
    """people who are covered; null: everyone else too"""
    sample: int | None = None
    """an item that has a copy to show"""
    percent: int | None = None
    """how far it is, clips under way counted by their parts"""
    seconds_left: int | None = None
    """null until there is a pace to go by"""


class RedactionBatches(Schema):
    items: tuple[RedactionBatchOut, ...]
    """newest first"""


class RedactionItems(Schema):
    items: tuple[RedactedOut, ...]
    """the doubtful first, those with most doubts before others"""
    total: int
    changed_at: datetime | None
    """the newest change of a copy, of all in the batch"""


class MomentsOut(Schema):
    """The frames of a video or the pages of a file, numbered by its ticks."""

    first: int
    last: int
    step: int
    """from one to the next, mostly"""
    most: int
    """when most faces show"""
    apart: bool
    """pages: what is drawn on one is not on the others"""


class RedactionDetail(Schema):
    item: RedactedOut
    moments: MomentsOut | None
    """null: it doesn't move, or its covers can't be changed"""
    marks: tuple[MarkIO, ...]
    names: tuple[str | None, ...]
    """who is below each mark, as far as the library knows for certain"""


class MarksEdit(Schema):
    marks: Annotated[tuple[MarkIO, ...], Field(max_length=MOST_MARKS)]
    """all of them: what is left out is neither covered nor known any more"""

    @model_validator(mode="after")
    def _not_too_much(self) -> "MarksEdit":
        if sum(len(mark.way or ()) + len(mark.visible) for mark in self.marks) > 2 * MOST_KNOTS:
            raise ValueError("too many knots")
        return self


class ItemIds(Schema):
    ids: Annotated[tuple[Id, ...], Field(max_length=100_000)] | None = None
    """null: all of the batch"""
    seen: AwareDatetime | None = None
    """the newest change that the caller has seen: copies that changed later are not approved"""


class Count(Schema):
    count: int


class PhotoCopiedOut(Schema):
    """What was copied to the clipboard."""

    covered: int
    """faces"""
    doubtful: bool
    """a face may have been missed: it is to be reviewed before it is shared"""
