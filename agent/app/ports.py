"""What the use cases need from outside, as types: a module above this floor implements each."""

from collections.abc import Awaitable, Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol, TypeAlias

from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.domain.face import Analysis, Face, StageTimes
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Job, JobState, Priority
from agent.domain.people import Bounds, Candidate, Gallery, Identity

# -- sources ---------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class FileAppeared:
    """New or changed, and steady: size and time have stopped moving."""

    seen: FileSeen
    priority: Priority = Priority.NEW


@dataclass(frozen=True, slots=True)
class FileMoved:
    old: str
    new: FileSeen


@dataclass(frozen=True, slots=True)
class TreeMoved:
    """A folder was renamed inside what is watched."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class FilesGone:
    """Files, or a folder with all that is below it."""

    paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SourceFailed:
    folder: str
    error: AgentError


@dataclass(frozen=True, slots=True)
class SourceRecovered:
    folder: str


Change: TypeAlias = FileAppeared | FileMoved | TreeMoved | FilesGone | SourceFailed | SourceRecovered
Emit: TypeAlias = Callable[[Change], Awaitable[None]]


class Source(Protocol):
    """Where images come from. Implementations: folders told by the system, folders asked at intervals; later the screen."""

    async def run(self, emit: Emit) -> None:
        """Emit changes until cancelled. `emit` waits while the consumer is busy: that is the bound."""
        ...

    async def rescan(self) -> None:
        """Look through everything now and emit what changed since the library last saw it."""
        ...


# -- engine ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Analyse:
    """One image to analyse. With `recipe.embedder` None neither chips nor embeddings are computed."""

    path: str
    recipe: Recipe
    min_score: float = 0.5
    min_face: float = 20.0
    keep_chips: bool = True  # False: embeddings for an output only
    thumbnail: int | None = None  # longer side of a small picture to make along with it, in pixels


class Analyser(Protocol):
    """Turns files into analyses. Implementations: the pool of engine processes, and the same pipeline in this process (tests, tools)."""

    async def analyse(self, task: Analyse) -> Analysis:
        """Raises ImageError, EngineError or ModelError."""
        ...

    async def preview(self, path: str, side: int) -> bytes:
        """The upright image as JPEG, its longer side at most `side` pixels. Raises ImageError or EngineError."""
        ...

    async def match(self, embeddings: Sequence[bytes], gallery: Gallery, bounds: Bounds) -> list[list[Candidate]]:
        """For each embedding its candidates, nearest first. Raises EngineError."""
        ...

    def forget(self) -> None:
        """Hold nothing of people's faces in memory any more: recognition was switched off."""
        ...

    async def close(self) -> None: ...


# -- store -----------------------------------------------------------------------------------------------------------------------


class Noted(StrEnum):
    """What came of telling the library about a file."""

    UNCHANGED = "unchanged"
    QUEUED = "queued"
    ATTACHED = "attached"  # its content is known and analysed: one more place for that image
    HASH_WANTED = "hash_wanted"  # an image of the same size exists: say the hash, it may be the same


@dataclass(frozen=True, slots=True)
class StoredFace:
    id: int
    face: Face  # without embedding and chip
    identity: Identity | None
    person: str | None  # the name of `identity.person_id`


@dataclass(frozen=True, slots=True)
class StoredImage:
    """An image with its places and faces. `id` is the image id that logs use."""

    id: int
    sha256: str
    width: int
    height: int
    size: int
    format: str
    recipe: Recipe
    precision: str
    ms: StageTimes
    indexed_at: datetime
    taken_at: datetime  # by the camera's clock, or else by the file's time on this computer's; without a zone
    hidden: bool
    places: tuple[tuple[int, str], ...]  # (place id, path), those that exist first
    faces: tuple[StoredFace, ...]


@dataclass(frozen=True, slots=True)
class PlaceState:
    """How a file stands: for `scan`, for the list of problems."""

    place_id: int
    path: str
    image_id: int | None
    job: JobState | None
    error: AgentError | None
    at: datetime


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    faces: int  # faces that are or may be this person


@dataclass(frozen=True, slots=True)
class Counts:
    """Sizes of the library and of its queue."""

    images: int
    faces: int
    people: int
    jobs: Mapping[JobState, int]


@dataclass(frozen=True, slots=True)
class Shown:
    """Which images the library page shows. Days are those of `taken_at`, inclusive."""

    folder: str | None = None  # only what lies below it
    after: date | None = None
    before: date | None = None
    faces_min: int = 0
    faces_max: int | None = None
    hidden: bool = False  # the hidden ones instead of the others


@dataclass(frozen=True, slots=True)
class Index:
    """Every image shown, newest taken first."""

    ids: tuple[int, ...]
    ratios: tuple[int, ...]  # of the same images: hundredths of width to height
    days: tuple[tuple[date, int], ...]  # in the same order, and how many images each has


@dataclass(frozen=True, slots=True)
class Area:
    """Files below a folder (None: all there are), but not those below folders of their own."""

    root: str | None = None
    without: tuple[str, ...] = ()


EVERYWHERE = Area()


class Library(Protocol):
    """The encrypted library. Every call is one transaction and safe from any thread; it may block. Raises StoreError.

    Implementation: `agent.adapters.store.SqliteLibrary`; the server's PostgreSQL joins it later.
    """

    # files and jobs
    def note_file(
        self, seen: FileSeen, recipe: Recipe, *, priority: Priority, now: datetime, sha256: str | None = None
    ) -> tuple[Noted, list[Recorded]]:
        """Remember a file. Unchanged files and known contents make no job; a changed file's old job is replaced.

        A failed file that is unchanged is tried again only with priority ASKED; a job that waits is moved forward, never back.
        """
        ...

    def known_files(self, folder: str) -> dict[str, tuple[int, int]]:
        """path -> (size, mtime_ns) of every file below a folder that is analysed or has a job, so that a rescan passes it over.

        A deferred file's time is -1: each rescan tells of it again, in case its content has come.
        """
        ...

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[Recorded]:
        """Mark these files, and all below them where they are folders, as missing, and drop their jobs."""
        ...

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[Recorded]:
        """Same file, new path: faces stay. If `new` was another known file, that one is replaced. Nothing happens if `old` is not known.

        Note the new file afterwards: only then it is found out whether it also changed, or had been given up as missing.
        """
        ...

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[Recorded]: ...

    def purge_missing(self, *, before: datetime) -> int:
        """Delete places missing since before then, and images left without a place. Returns how many images went."""
        ...

    def lease(self, limit: int, *, now: datetime, until: datetime) -> list[Job]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts."""
        ...

    def release_leases(self) -> int:
        """At start-up: the agent that held them is gone. The attempt is given back, for the engine was not to blame."""
        ...

    def release(self, jobs: Sequence[Job]) -> None:
        """Give leased jobs back untried (pause, quit): the attempt is given back."""
        ...

    def commit(self, job: Job, analysis: Analysis, identities: Sequence[Identity | None] = (), *, now: datetime) -> list[Recorded]:
        """Faces, who they may be (in the faces' order; empty: nobody is known), place, event and the job's end in one transaction.

        Doing it twice changes nothing, and so does an attempt whose job was taken from it (the file changed or moved meanwhile).
        An image that has all this analysis has stays as it is. While the recipe has no embedder, neither embedding nor chip is stored.
        """
        ...

    def fail(self, job: Job, state: JobState, error: AgentError, *, now: datetime) -> list[Recorded]:
        """End the attempt: back to the queue, failed or quarantined, with the error's code and parameters kept."""
        ...

    def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Queue failed and quarantined jobs again with their attempts at zero; all of them without `place_ids`."""
        ...

    def retry_deferred(self, place_id: int | None = None) -> int:
        """Queue this file, or all, whose content lies in a cloud, as asked for. Returns how many."""
        ...

    def clear_problems(self) -> int:
        """Forget failed and quarantined jobs; their files are tried again when they change or somebody asks. Returns how many."""
        ...

    def drop_waiting(self) -> int:
        """Take every waiting job out of the queue; the files stay known, see `queue_unseen`. Returns how many."""
        ...

    def queue_unseen(self, *, now: datetime) -> int:
        """Queue the files of watched folders that were never analysed and have no job: dropped or cleared ones. Returns how many."""
        ...

    def requeue_outdated(self, recipe: Recipe, *, now: datetime, area: Area = EVERYWHERE) -> int:
        """Queue every image of an area whose analysis lacks the recipe (another detector, or recognition was switched on)."""
        ...

    # what the user does with images
    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, int]:
        """Show images no more, or again. Returns a token that takes it back (None if nothing changed), and how many changed."""
        ...

    def undo(self, token: str, *, now: datetime) -> bool:
        """Take back what the token stands for. False if it is not known: taken back already, or too long ago."""
        ...

    def look_again(self, image_ids: Sequence[int], *, now: datetime) -> int:
        """Queue images whose analysis is to be made anew, whatever it was made with. Returns how many have a file to look at."""
        ...

    # reading
    def image(self, image_id: int) -> StoredImage | None: ...

    def place(self, path: str) -> PlaceState | None: ...

    def place_by_id(self, place_id: int) -> PlaceState | None: ...

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        """Newest first, by descending image id; `before` is the last id of the page before."""
        ...

    def index(self, shown: Shown) -> Index:
        """All images of which a file is there, in one look."""
        ...

    def images_by_id(self, image_ids: Sequence[int]) -> list[StoredImage]:
        """In the order asked for; those that are not known are left out."""
        ...

    def hashes(self) -> frozenset[str]:
        """SHA-256 of all images there are, shown or not."""
        ...

    def sha256(self, image_id: int) -> str | None: ...

    def count_below(self, folder: str) -> int:
        """How many images `index` shows of a folder."""
        ...

    def problems(self, *, limit: int) -> list[PlaceState]:
        """Failed and quarantined files, newest first."""
        ...

    def deferred(self, *, limit: int) -> list[PlaceState]:
        """Files whose content lies in a cloud, newest first."""
        ...

    def counts(self) -> Counts: ...

    def events(self, *, after: int, limit: int) -> list[Recorded]: ...

    def last_event_id(self) -> int: ...

    # people
    def people(self) -> list[Person]: ...

    def name_face(self, face_id: int, name: str, *, now: datetime) -> tuple[int, list[Recorded]]:
        """Confirm a face as the person of that name, made if new. Returns the person id. Raises FaceUnknown."""
        ...

    def gallery(self, embedder: str) -> Gallery: ...

    def embeddings(self, embedder: str, *, after: int, limit: int) -> list[tuple[int, bytes, Face]]:
        """(face id, embedding, face) of faces that nobody confirmed, by ascending face id."""
        ...

    def image_embeddings(self, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]: ...

    def set_identities(self, identities: Mapping[int, Identity | None]) -> None:
        """Replace the opinions about these faces; what the user confirmed stays."""
        ...

    def purge_recognition(self, *, now: datetime, keep: Sequence[Area] = ()) -> list[Recorded]:
        """Delete every embedding and chip and every opinion, overwrite their pages, and record what went.

        Images that have a place in an area to keep, be it missing now, keep theirs.
        """
        ...

    # upkeep
    def noted(self, name: str) -> bool:
        """Whether `take_note` was called for that name, ever."""
        ...

    def take_note(self, name: str) -> None: ...

    def close(self) -> None: ...


class ThumbnailStore(Protocol):
    """Small pictures, by the hash of their photo. It may lose any at any time, and never raises for trouble with its file. It may block.

    Implementation: `agent.adapters.thumbnails.ThumbnailFile`.
    """

    def get(self, sha256: str) -> bytes | None: ...

    def put(self, sha256: str, jpeg: bytes) -> None: ...

    def keep_only(self, hashes: Set[str]) -> None:
        """Delete all others."""
        ...

    def close(self) -> None: ...
