"""Records of redacted copies: planned and finished ones, and how they were made.

With them, a batch resumes after a crash, and no copy is made twice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.domain.errors import AgentError
from agent.features.redaction.options import Doubtful, Mark, RedactionOptions
from agent.features.redaction.video.editable_tracks import Moments
from agent.features.redaction.video.visibility import Why
from agent.infrastructure.core.actor import HERE

EVERYTHING = RedactionOptions()


class ItemState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    NEEDS_REVIEW = "needs_review"  # the copy is made, but something about it is doubtful
    FAILED = "failed"
    STOPPED = "stopped"  # not made, because its batch was stopped


MADE = (ItemState.DONE, ItemState.NEEDS_REVIEW)


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One copy to make, or one that exists already."""

    source: str
    target: str
    format: str | None = None  # None: the source's own
    there: "Made | None" = None  # the existing copy at `target`, from this content with these options
    begun: tuple[int, ...] = ()  # ids of items that earlier requests left planned: the first is resumed, the others are dropped


@dataclass(frozen=True, slots=True)
class Made:
    """A finished copy."""

    sha256: str  # of its source
    copy_sha256: str
    wish: RedactionOptions


@dataclass(frozen=True, slots=True)
class FollowedTrack:
    """One face through a scene of a video in which some people were named."""

    start: float  # seconds since the video began; for animations, frames
    end: float
    visible: float  # how many of them it is not covered
    why: Why
    show: int = 0  # votes that would leave it visible
    hide: int = 0  # votes against that


@dataclass(frozen=True, slots=True)
class RedactedCopy:
    """The facts about a finished copy."""

    sha256: str
    copy_sha256: str
    marks: tuple[Mark, ...]
    doubts: tuple[Doubtful, ...]
    width: int
    height: int
    models: tuple[str, ...]  # of detection and recognition
    removed: tuple[str, ...] = ()  # see `Rendered`
    replaces: str | None = None  # SHA-256 of our copy that it replaces
    ways: int | None = None  # of a video: the number of faces' trajectories
    moments: Moments | None = None  # of an editable video: its trajectories are in `marks`
    followed: tuple[FollowedTrack, ...] = ()  # those trajectories, if some people were named
    ways_in: str = "seconds"  # the unit of their numbers: "seconds" or "frames"
    peak: float = 0.0  # of a video: the time with the most faces, in seconds on its own clock
    zero: float = 0.0  # of a video: seconds on its own clock that are zero in the copy
    before: "RedactedCopy | None" = None  # of the copy that an edited one replaces

    @property
    def found(self) -> int:
        """Return the number of faces."""
        return self.ways if self.ways is not None else sum(mark.score is not None for mark in self.marks)

    @property
    def marked(self) -> bool:
        """Return whether the marks define the covers."""
        return self.ways is None or self.moments is not None

    @property
    def covered(self) -> int:
        """Return the number of covered faces and drawn areas. In a video, of those that are visible nowhere in it."""
        if self.ways is not None and not self.marked:
            return self.ways - sum(way.visible > 0 for way in self.followed)
        return sum(mark.covered and not mark.visible for mark in self.marks)

    @property
    def faces_covered(self) -> int:
        """Return the same without areas."""
        drawn = sum(mark.covered for mark in self.marks if mark.score is None)
        return self.covered - drawn


@dataclass(frozen=True, slots=True)
class RedactionItem:
    """One file of a batch."""

    id: int
    batch: str
    wish: RedactionOptions
    source: str
    target: str
    format: str | None
    state: ItemState
    at: datetime
    facts: RedactedCopy | None = None  # of the copy; while planned, of the copy about to be placed
    edited: bool = False  # by hand: `facts.marks` override detection
    passed: bool = False  # it existed already
    standing: bool = False  # for a watched folder: no request waits for it
    made_by: str = ""  # the member who planned it, by their random id
    edited_by: str = ""  # likewise, the last one
    error: AgentError | None = None
    request_id: str = ""  # of the request that planned it last

    @property
    def is_for_publishing(self) -> bool:
        """Return whether a member of a team planned it for publishing."""
        return self.wish.choice.consented and self.made_by != ""

    def is_published_by(self, member: str) -> bool:
        """Return whether it is for publishing and this member, who is none on the desktop, planned or last edited it."""
        return self.wish.choice.consented and member != HERE and member in (self.made_by, self.edited_by)

    @property
    def awaits_approval(self) -> bool:
        """It is for publishing, and something about it is doubtful, or was edited."""
        return self.state is ItemState.NEEDS_REVIEW and self.is_for_publishing


@dataclass(frozen=True, slots=True)
class RedactionBatch:
    """A request for copies, or the standing batch of a watched folder."""

    uid: str
    at: datetime
    folder: str | None  # the watched folder it belongs to
    counts: Mapping[ItemState, int]
    wish: RedactionOptions = EVERYTHING
    out: str | None = None  # the folder that contains all its copies; None: there are none
    sample: int | None = None  # id of an item that has a copy


@dataclass(frozen=True, slots=True)
class RedactionPage:
    items: tuple[RedactionItem, ...]
    total: int
    changed_at: datetime | None  # the newest change of all items; None without any
