"""What the library room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.domain.face import Analysis, Box
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import AGENT, Job, JobState, Priority
from agent.domain.people import Identity
from agent.library.queries import action_rows, file_rows, image_rows, index_rows, job_rows, location_rows
from agent.library.records import Counts, Index, Noted, PlacePage, PlaceState, Shown, StoredImage
from agent.store import event_rows, schema
from agent.store.database import Database
from agent.store.path_ranges import EVERYWHERE, Area


class LibraryQueries:
    """Files, jobs, images and notes. Safe from any thread and from several processes; a call may block. Raises StoreError."""

    def __init__(self, database: Database) -> None:
        self.database = database

    # files and jobs

    def note_file(
        self, seen: FileSeen, recipe: Recipe, *, priority: Priority, now: datetime, sha256: str | None = None
    ) -> tuple[Noted, list[Recorded]]:
        """Register a file. Unchanged files and known contents create no job; a changed file's old job is replaced.

        An unchanged failed file is retried only with priority ASKED; a waiting job moves forward, never back.
        """
        with self.database.write() as tx:
            return file_rows.note(tx, seen, recipe, priority=priority, now=now, sha256=sha256)

    def known_files(self, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield path and (size, mtime_ns) of every file below a folder that is analysed, queued or a video, so that a rescan skips it.

        In path order, read in parts: concurrent changes may be included or not. A deferred file has time -1, so that each rescan
        reports it again, in case it has been downloaded.
        """
        with self.database.read() as tx:
            untimed = file_rows.any_untimed(tx)
        after: str | None = ""
        while after is not None:
            with self.database.read() as tx:
                part, after = file_rows.known_part(tx, folder, after, untimed=untimed)
            yield from part

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[Recorded]:
        """Mark these files, and everything below them if they are folders, as missing, and drop their jobs."""
        with self.database.write() as tx:
            return file_rows.gone(tx, paths, now)

    def folders_left(self, watched: Sequence[str], *, now: datetime) -> int:
        """Mark files of folders that are no longer watched as missing, and drop their jobs. Return the number of files.

        Files that were only scanned by hand stay. A folder that is watched again gets its files back, see `note_file`.
        """
        with self.database.write(durable=True) as tx:
            return file_rows.folders_left(tx, watched, now)

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[Recorded]:
        """Move a file to a new path: faces stay. A known file at the new path is replaced. Does nothing if `old` is unknown.

        Register the new file afterwards: only that detects whether it also changed, or was marked as missing.
        """
        with self.database.write() as tx:
            return file_rows.moved(tx, old, new, now)

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[Recorded]:
        with self.database.write() as tx:
            return file_rows.tree_moved(tx, old, new, now)

    def purge_missing(self, *, before: datetime) -> int:
        """Delete locations missing since before then, and images left without a location. Return the number of images."""
        with self.database.write() as tx:
            return file_rows.purge(tx, before)

    def note_clip(self, seen: FileSeen, *, now: datetime, sha256: str | None = None) -> tuple[Noted, int]:
        """Register a video of a watched folder, without a job: return ATTACHED and its location's id if it is new or changed.

        Returns HASH_WANTED if only its time may have changed since its folder's copy was made. A changed one loses its copy.
        """
        with self.database.write() as tx:
            return file_rows.note_clip(tx, seen, now=now, sha256=sha256)

    def lease(
        self, limit: int, *, worker: str = AGENT, now: datetime, until: datetime, under_way: Collection[int] = ()
    ) -> tuple[list[Job], list[Recorded]]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts.

        An expired lease ends like a crash, which is recorded; but not for jobs (ids) that are `under_way`: the clock
        went forward, or the computer slept.
        """
        with self.database.write() as tx:
            return job_rows.lease(tx, limit, worker=worker, now=now, until=until, under_way=under_way)

    def release_leases(self, worker: str = AGENT) -> int:
        """Return, at a worker's start, the leases that it held when it ended, with their attempts: the engine was not at fault.

        Leases of other workers stay until they expire. Returns how many were returned.
        """
        with self.database.write() as tx:
            return job_rows.give_back_all(tx, worker)

    def release(self, jobs_: Sequence[Job]) -> None:
        """Return leased jobs untried (pause, quit): the attempt is not counted."""
        with self.database.write() as tx:
            job_rows.give_back(tx, jobs_)

    def commit(self, job: Job, analysis: Analysis, identities: Sequence[Identity | None] = (), *, now: datetime) -> list[Recorded]:
        """Store faces, their identities (in the faces' order; empty: none), location, event and the job's end in one transaction.

        Idempotent; does nothing for an attempt whose job was replaced (the file changed or moved meanwhile).
        An image that already has this whole analysis is not changed. While the recipe has no embedder, no embedding or chip is stored.
        """
        with self.database.write() as tx:
            return image_rows.commit(tx, job, analysis, identities, now)

    def fail(self, job: Job, state: JobState, error: AgentError, *, now: datetime) -> list[Recorded]:
        """End the attempt: back to the queue, failed or quarantined, with the error's code and parameters stored."""
        with self.database.write() as tx:
            return job_rows.fail(tx, job, state, error, now=now)

    def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Queue failed and quarantined jobs again with zero attempts; all of them without `place_ids`."""
        with self.database.write(durable=True) as tx:
            return job_rows.retry(tx, place_ids)

    def retry_deferred(self, place_id: int | None = None) -> int:
        """Queue this online-only file, or all of them, as requested. Return the number."""
        with self.database.write(durable=True) as tx:
            return job_rows.retry_deferred(tx, place_id)

    def clear_problems(self, place_id: int | None = None) -> int:
        """Delete failed and quarantined jobs, of this file or all; a file is retried on a change or request. Return the number."""
        with self.database.write(durable=True) as tx:
            return job_rows.clear_problems(tx, place_id)

    def drop_waiting(self) -> int:
        """Remove every waiting job from the queue; the files stay known, see `queue_unseen`. Return the number."""
        with self.database.write(durable=True) as tx:
            return job_rows.drop_waiting(tx)

    def queue_unseen(self, *, now: datetime) -> int:
        """Queue files of watched folders that were never analysed and have no job: dropped or cleared ones. Return the number."""
        with self.database.write() as tx:
            return job_rows.queue_unseen(tx, now)

    def requeue_outdated(self, recipe: Recipe, *, now: datetime, area: Area = EVERYWHERE) -> int:
        """Queue every image of an area whose analysis does not match the recipe (another detector, or recognition was switched on)."""
        with self.database.write() as tx:
            return job_rows.requeue_outdated(tx, recipe, now, area)

    # the user's actions on images

    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Hide or show images. Return an undo token (None if nothing changed), and the events."""
        with self.database.write(durable=True) as tx:
            return action_rows.set_hidden(tx, image_ids, hidden, now)

    def set_favourite(self, image_ids: Sequence[int], favourite: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Mark or unmark favourites. Return the same as `set_hidden`."""
        with self.database.write(durable=True) as tx:
            return action_rows.set_favourite(tx, image_ids, favourite, now)

    def look_again(self, image_ids: Sequence[int], *, now: datetime) -> int:
        """Queue images for a new analysis, whatever the old one used. Return how many have a file."""
        with self.database.write() as tx:
            return action_rows.look_again(tx, image_ids, now)

    # reading

    def image(self, image_id: int) -> StoredImage | None:
        with self.database.read() as tx:
            return image_rows.one(tx, image_id)

    def image_by_hash(self, sha256: str) -> StoredImage | None:
        with self.database.read() as tx:
            image_id = tx.scalar(select(schema.image.c.id).where(schema.image.c.sha256 == sha256))
            return None if image_id is None else image_rows.one(tx, image_id)

    def faces_by_hash(self, hashes: Collection[str]) -> dict[str, list[tuple[int, Box]]]:
        """Return ids and boxes of the faces of many images, by the images' content."""
        with self.database.read() as tx:
            return image_rows.faces_by_hash(tx, hashes)

    def place(self, path: str) -> PlaceState | None:
        with self.database.read() as tx:
            return location_rows.by_path(tx, path)

    def images_beside(self, sidecar: str) -> list[int]:
        """Return the images whose file may have this sidecar: its name without the last extension, or with another one."""
        with self.database.read() as tx:
            return location_rows.images_beside(tx, sidecar)

    def place_by_id(self, place_id: int) -> PlaceState | None:
        with self.database.read() as tx:
            return location_rows.by_id(tx, place_id)

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        """Return images by descending id; `before` is the last id of the previous page."""
        with self.database.read() as tx:
            return image_rows.page(tx, limit=limit, before=before)

    def version(self) -> int:
        """Return a number that changes with every change: data read before stays valid until then."""
        return self.database.version()

    def index(self, shown: Shown) -> Index:
        """Return all images with an existing file, in one pass."""
        with self.database.read() as tx:
            return index_rows.read(tx, shown)

    def images_by_id(self, image_ids: Sequence[int]) -> list[StoredImage]:
        """Return images in the requested order; unknown ones are left out."""
        with self.database.read() as tx:
            return image_rows.by_ids(tx, image_ids)

    def hashes(self) -> frozenset[str]:
        """Return the SHA-256 of all images, shown or not."""
        with self.database.read() as tx:
            return frozenset(tx.scalars(select(schema.image.c.sha256)))

    def sha256(self, image_id: int) -> str | None:
        with self.database.read() as tx:
            return tx.scalar(select(schema.image.c.sha256).where(schema.image.c.id == image_id))

    def folders_inside(self, folder: str) -> dict[str, tuple[int, bool]]:
        """Return each folder with images directly inside: path, number of images in `index`, and whether it has subfolders."""
        with self.database.read() as tx:
            return index_rows.folders_inside(tx, folder)

    def count_below(self, folder: str) -> int:
        """Return the number of a folder's images in `index`."""
        with self.database.read() as tx:
            return index_rows.count_below(tx, folder)

    def count_leaving(self, folder: str, staying: Sequence[str]) -> int:
        """Return how many images would leave `index` with a folder, except those in subfolders that stay watched."""
        with self.database.read() as tx:
            return index_rows.count_leaving(tx, Area(folder, tuple(staying)))

    def problems(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Return failed and quarantined files, newest first: all, or those below a folder."""
        with self.database.read() as tx:
            return location_rows.in_states(tx, job_rows.ENDED_BADLY, folder=folder, limit=limit, offset=offset)

    def deferred(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Return online-only files, newest first: all, or those below a folder."""
        with self.database.read() as tx:
            return location_rows.in_states(tx, (JobState.DEFERRED,), folder=folder, limit=limit, offset=offset)

    def counts(self) -> Counts:
        with self.database.read() as tx:
            shown, faces, known, doubts = index_rows.count(tx)
            return Counts(shown, faces, known, job_rows.count(tx), doubts)

    def events(self, *, after: int, limit: int) -> list[Recorded]:
        with self.database.read() as tx:
            return event_rows.read(tx, after=after, limit=limit)

    def last_event_id(self) -> int:
        with self.database.read() as tx:
            return event_rows.last_id(tx)

    # notes

    def noted(self, name: str) -> bool:
        """Return whether there is a note with that name."""
        return self.note(name) is not None

    def note(self, name: str) -> int | None:
        """Return the number noted under that name."""
        with self.database.read() as tx:
            return tx.scalar(select(schema.meta.c.value).where(schema.meta.c.name == name))

    def take_notes(self, notes: Mapping[str, int | None]) -> None:
        """Store a number under each name, replacing the previous one; None deletes it. On the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name.in_(notes)))
            if kept := [{"name": name, "value": value} for name, value in notes.items() if value is not None]:
                tx.execute(insert(schema.meta), kept)

    def drop_note(self, name: str, value: int) -> None:
        """Delete the number noted under that name, unless it has changed. On the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name == name, schema.meta.c.value == value))
