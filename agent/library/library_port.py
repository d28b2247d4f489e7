"""The encrypted library, as the use cases see it: one part for each thing that they do with it.

Every call is one transaction and safe from any thread; it may block. Raises StoreError.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from datetime import datetime
from typing import Protocol

from agent.domain.edits import Edit, Step
from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.domain.face import Analysis, Box
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Job, JobState, Priority
from agent.domain.people import Identity
from agent.library.records import EVERYWHERE, Area, Counts, Index, Noted, PlacePage, PlaceState, Shown, StoredImage
from agent.people.register_port import Register
from agent.redaction.copy_records import Redactions

# Noted in the transaction that deletes: also if the agent dies before the backups are without it, the next start knows.
BACKUPS_HOLD_PURGED = "backups_hold_purged"


class Files(Protocol):
    """What is known of files: noted, moved, gone."""

    def note_file(
        self, seen: FileSeen, recipe: Recipe, *, priority: Priority, now: datetime, sha256: str | None = None
    ) -> tuple[Noted, list[Recorded]]:
        """Remember a file. Unchanged files and known contents make no job; a changed file's old job is replaced.

        A failed file that is unchanged is tried again only with priority ASKED; a job that waits is moved forward, never back.
        """
        ...

    def note_clip(self, seen: FileSeen, *, now: datetime, sha256: str | None = None) -> tuple[Noted, int]:
        """Remember a clip of a watched folder, which makes no job: ATTACHED and its place's id if it is new, or another than before.

        HASH_WANTED where only its time may have changed since its folder's rule made a copy of it. Another one has no copy any more.
        """
        ...

    def known_files(self, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Path and (size, mtime_ns) of every file below a folder that is analysed, has a job or is a clip, so that a rescan passes it over.

        In the order of their paths, read part by part: a change meanwhile may be in it or not. A deferred file's time is -1: each rescan
        tells of it again, in case its content has come.
        """
        ...

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[Recorded]:
        """Mark these files, and all below them where they are folders, as missing, and drop their jobs."""
        ...

    def folders_left(self, watched: Sequence[str], *, now: datetime) -> int:
        """Mark what came from folders that are not among those watched as missing, and drop its jobs. Returns how many files that were.

        Files that were only ever scanned by hand stay. A folder that is watched again finds its files as it left them, see `note_file`.
        """
        ...

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[Recorded]:
        """Same file, new path: faces stay. If `new` was another known file, that one is replaced. Nothing happens if `old` is not known.

        Note the new file afterwards: only then it is found out whether it also changed, or had been given up as missing.
        """
        ...

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[Recorded]: ...


class Jobs(Protocol):
    """The queue: what is to be looked at, what came of it."""

    def lease(self, limit: int, *, now: datetime, until: datetime, under_way: Collection[int] = ()) -> tuple[list[Job], list[Recorded]]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts.

        A lease that ran out ends as a crash does, and that is what is recorded; but not of the jobs (ids) that are `under_way`: the clock
        went forward, or the computer slept.
        """
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

    def clear_problems(self, place_id: int | None = None) -> int:
        """Forget failed and quarantined jobs, of this file or all; it is tried again when it changes or somebody asks. Returns how many."""
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


class Wishes(Protocol):
    """What the user does with images."""

    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Show images no more, or again. Returns a token that takes it back (None if nothing changed), and what happened."""
        ...

    def set_favourite(self, image_ids: Sequence[int], favourite: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Make images favourites, or no longer. Returns the same as `set_hidden`."""
        ...

    def edit(self, wish: Edit, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]]:
        """What the user says of people and faces; `note` is taken with it. Raises PeopleError.

        Where that deletes prints, of somebody who is never to be recognised, it is noted that backups may still hold them. So it is where
        something is taken back, or done again.
        """
        ...

    def take_back(self, token: str | None = None, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]] | None:
        """Take back what the token stands for, or else the latest step. None if there is none: taken back already, or too long ago.

        What has changed since, or is gone, stays as it is.
        """
        ...

    def do_again(self, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]] | None:
        """What was taken back last, unless something else was done since."""
        ...

    def steps(self) -> tuple[Step | None, Step | None]:
        """What would be taken back, and what would be done again."""
        ...

    def look_again(self, image_ids: Sequence[int], *, now: datetime) -> int:
        """Queue images whose analysis is to be made anew, whatever it was made with. Returns how many have a file to look at."""
        ...


class Shelf(Protocol):
    """Reading what is there."""

    def image(self, image_id: int) -> StoredImage | None: ...

    def image_by_hash(self, sha256: str) -> StoredImage | None: ...

    def faces_by_hash(self, hashes: Collection[str]) -> dict[str, list[tuple[int, Box]]]:
        """Ids and places of the faces of many images, by the images' content."""
        ...

    def place(self, path: str) -> PlaceState | None: ...

    def images_beside(self, sidecar: str) -> list[int]:
        """Those of which a file may have this sidecar: its name without the last ending, or with another one."""
        ...

    def place_by_id(self, place_id: int) -> PlaceState | None: ...

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        """Newest first, by descending image id; `before` is the last id of the page before."""
        ...

    def version(self) -> int:
        """Another number after every change, whoever made it: what was read before a change may be kept until the next one."""
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

    def folders_inside(self, folder: str) -> dict[str, tuple[int, bool]]:
        """Each folder directly inside that holds images: its path, how many `index` gives of it, and whether folders are inside it."""
        ...

    def count_below(self, folder: str) -> int:
        """How many images `index` shows of a folder."""
        ...

    def count_leaving(self, folder: str, staying: Sequence[str]) -> int:
        """How many images `index` would show no more if a folder were not watched any longer, but for the folders below it that are."""
        ...

    def problems(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Failed and quarantined files, newest first: all, or those below a folder."""
        ...

    def deferred(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Files whose content lies in a cloud, newest first: all, or those below a folder."""
        ...

    def counts(self) -> Counts: ...

    def sound(self) -> bool:
        """Read all of it: whether every page is authentic and well-formed. A few seconds for each gigabyte."""
        ...

    def events(self, *, after: int, limit: int) -> list[Recorded]: ...

    def last_event_id(self) -> int: ...


class Library(Files, Jobs, Wishes, Shelf, Register, Redactions, Protocol):
    """All of it. Implementation: `agent.library.queries.library_queries.SqliteLibrary`; the server's PostgreSQL joins it later."""

    def purge_missing(self, *, before: datetime) -> int:
        """Delete places missing since before then, and images left without a place. Returns how many images went."""
        ...

    def noted(self, name: str) -> bool:
        """Whether something was noted under that name."""
        ...

    def note(self, name: str) -> int | None:
        """The number that was noted under that name."""
        ...

    def take_notes(self, notes: Mapping[str, int | None]) -> None:
        """Keep a number under each name, in place of the one before; None forgets it. They are on the disk when this returns."""
        ...

    def drop_note(self, name: str, value: int) -> None:
        """Forget the number noted under that name, unless it is another one by now. It is so on the disk when this returns."""
        ...

    def close(self) -> None: ...


class ForgottenList(Protocol):
    """The random ids of people who were forgotten, kept apart from the library. Blocks; raises StoreError.

    Implementation: `agent.people.forgotten.ForgottenFile`.
    """

    def read(self) -> frozenset[str]: ...

    def add(self, uids: Sequence[str]) -> None:
        """They are on the disk when this returns."""
        ...


class ThumbnailStore(Protocol):
    """Small pictures, by the hash of their photo. It may lose any at any time, and never raises for trouble with its file. It may block.

    Implementation: `agent.library.thumbnail_store.ThumbnailFile`.
    """

    def get(self, sha256: str) -> bytes | None: ...

    def put(self, sha256: str, jpeg: bytes) -> None: ...

    def keep_only(self, hashes: Set[str]) -> None:
        """Delete all others."""
        ...

    def close(self) -> None: ...
