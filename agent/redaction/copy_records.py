"""Records of redacted copies: which are to be made, which were made, and how.

So a batch goes on after a crash, and nothing is done twice.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from agent.domain.errors import AgentError
from agent.redaction.options import Doubtful, Mark, Wish
from agent.redaction.video.moving import Moments
from agent.redaction.video.visibility import Why

EVERYTHING = Wish()


class ItemState(StrEnum):
    PLANNED = "planned"
    DONE = "done"
    NEEDS_REVIEW = "needs_review"  # the copy is made, and something about it is doubtful
    FAILED = "failed"
    STOPPED = "stopped"  # not made, because its batch was stopped


MADE = (ItemState.DONE, ItemState.NEEDS_REVIEW)


@dataclass(frozen=True, slots=True)
class PlannedCopy:
    """One copy to make, or one that is there already."""

    source: str
    target: str
    format: str | None = None  # None: the source's own
    there: "Made | None" = None  # the copy at `target`, of this very content and wish
    begun: tuple[int, ...] = ()  # ids of items that earlier requests left planned: the first is resumed, the others are dropped


@dataclass(frozen=True, slots=True)
class Made:
    """A copy that was made."""

    sha256: str  # of what it was made from
    copy_sha256: str
    wish: Wish


@dataclass(frozen=True, slots=True)
class Followed:
    """One face through a scene of a clip on which some people were named."""

    start: float  # seconds since the clip began; of a film frames
    end: float
    visible: float  # for how many of them it is not covered
    why: Why
    show: int = 0  # looks that would leave it visible
    hide: int = 0  # looks that would not


@dataclass(frozen=True, slots=True)
class CopyFacts:
    """What is known once a copy is made."""

    sha256: str
    copy_sha256: str
    marks: tuple[Mark, ...]
    doubts: tuple[Doubtful, ...]
    width: int
    height: int
    models: tuple[str, ...]  # what the faces were found and recognised with
    removed: tuple[str, ...] = ()  # see `Rendered`
    replaces: str | None = None  # SHA-256 of the copy of ours that gives way to it
    ways: int | None = None  # of a clip: on so many ways through it goes a face
    moments: Moments | None = None  # of a clip whose covers can be changed by hand: its ways are `marks`
    followed: tuple[Followed, ...] = ()  # those ways, where some people were named
    ways_in: str = "seconds"  # what their numbers are: these or "frames"
    peak: float = 0.0  # of a clip: when it shows most faces, in seconds by its own clock
    zero: float = 0.0  # of a clip: seconds by its own clock that are nought in the copy
    before: "CopyFacts | None" = None  # of the copy that is to give way to one that was edited

    @property
    def found(self) -> int:
        """Faces."""
        return self.ways if self.ways is not None else sum(mark.score is not None for mark in self.marks)

    @property
    def marked(self) -> bool:
        """Whether the marks say what is covered."""
        return self.ways is None or self.moments is not None

    @property
    def covered(self) -> int:
        """Faces, and areas drawn by hand. Of a clip those that are seen nowhere in it."""
        if self.ways is not None and not self.marked:
            return self.ways - sum(way.visible > 0 for way in self.followed)
        return sum(mark.covered and not mark.visible for mark in self.marks)

    @property
    def faces_covered(self) -> int:
        """The same without areas."""
        drawn = sum(mark.covered for mark in self.marks if mark.score is None)
        return self.covered - drawn


@dataclass(frozen=True, slots=True)
class RedactionItem:
    """One file of a batch."""

    id: int
    batch: str
    wish: Wish
    source: str
    target: str
    format: str | None
    state: ItemState
    at: datetime
    facts: CopyFacts | None = None  # of the copy; while it is planned, of what is about to be put into place
    edited: bool = False  # by hand: `facts.marks` are what somebody wants, whatever is found
    passed: bool = False  # it was there already
    standing: bool = False  # of a watched folder's rule: nobody waits for it
    error: AgentError | None = None


@dataclass(frozen=True, slots=True)
class RedactionBatch:
    """A request for copies, or the standing one of a watched folder."""

    uid: str
    at: datetime
    folder: str | None  # the watched folder whose rule it is
    counts: Mapping[ItemState, int]
    wish: Wish = EVERYTHING
    out: str | None = None  # the folder that holds all its copies; None: there are none
    sample: int | None = None  # id of an item that has a copy


@dataclass(frozen=True, slots=True)
class RedactionPage:
    items: tuple[RedactionItem, ...]
    total: int


class Redactions(Protocol):
    """Batches of copies and their items."""

    def plan_copies(self, uid: str, wish: Wish, copies: Sequence[PlannedCopy], *, now: datetime) -> list[int]:
        """Create the batch, or resume it if it exists, and return the ids of the items of these copies.

        Items that earlier requests left planned move here; a failed item is planned again. Committed to disk when this returns.
        """
        ...

    def copies_begun(self, wish: Wish) -> list[RedactionItem]:
        """Return what requests left planned, or stopped, of copies that look as wished, oldest batch first.

        Rules of folders are no requests.
        """
        ...

    def plan_more(self, uid: str, copies: Sequence[PlannedCopy], *, now: datetime) -> None:
        """Add to a batch. What it has of the same source is planned anew. A batch that is no more stays so."""
        ...

    def folder_batch(self, folder: str, wish: Wish, *, uid: str, now: datetime) -> str:
        """The batch of a watched folder's rule, made as `uid` if there is none. From now on its copies are made as wished."""
        ...

    def uncopied(self, uid: str, *, places: Collection[int] | None = None, limit: int = 1000) -> list[str]:
        """Photos and clips that came to the batch's folder, or changed in it, since there is the batch, and have no copy of it yet.

        Of those places, or of all. A copy that this program made itself is no such file.
        """
        ...

    def copies_to_make(self, limit: int, *, without: Collection[int] = (), clips: bool = True) -> list[RedactionItem]:
        """The next planned ones but those (ids): asked for before those of folders, earlier batches first; clips only if they may be."""
        ...

    def about_to_place(self, item_id: int, facts: CopyFacts, *, now: datetime) -> bool:
        """What is about to be put into place: on the disk when this returns, so that whoever finds it there knows it.

        False if it is not planned any more: the batch was stopped.
        """
        ...

    def copy_made(self, item_id: int, target: str, *, review: bool, now: datetime) -> None:
        """It is in its place."""
        ...

    def copy_failed(self, item_id: int, error: AgentError, *, now: datetime) -> None: ...

    def copy_edited(self, item_id: int, marks: Sequence[Mark], *, now: datetime) -> RedactionItem | None:
        """Plan it anew with these marks. None if there is no such item, or no copy of it was made."""
        ...

    def copies_accepted(self, uid: str, item_ids: Sequence[int] | None, *, now: datetime) -> int:
        """Nothing about these, or all of a batch, is doubtful any more. Returns how many were."""
        ...

    def stop_copies(self, uid: str) -> int:
        """Stop what is planned. What was to be made anew as it was edited is what it was, unless it is just put into place.

        Returns how many are stopped.
        """
        ...

    def retry_copies(self, uid: str, *, now: datetime) -> int:
        """Plan the failed and the stopped ones again."""
        ...

    def made_at(self, target: str) -> Made | None:
        """What the copy in that place was made of, the last time one was."""
        ...

    def redaction(self, item_id: int) -> RedactionItem | None: ...

    def redaction_items(self, uid: str, *, limit: int, offset: int = 0) -> RedactionPage:
        """Return a page of a batch: the doubtful first, and of these the copies with a visible face, then those with most doubts.

        Failed ones follow, then the rest.
        """
        ...

    def copies_ended(self, uid: str, *, after: int, limit: int) -> list[RedactionItem]:
        """Return the items of a batch that are not planned any more, by ascending id, behind the id `after`."""
        ...

    def redaction_batches(self, *, limit: int, offset: int = 0) -> list[RedactionBatch]:
        """Newest first."""
        ...

    def redaction_batch(self, uid: str) -> RedactionBatch | None: ...

    def expire_redactions(self, *, before: datetime, folders: Collection[str]) -> int:
        """Forget batches from before then with nothing left to do, and rules of other folders than these. Returns how many batches."""
        ...
