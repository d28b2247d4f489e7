"""What the library room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.domain.face import Analysis, Box
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Job, JobState, Priority
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
        """Remember a file. Unchanged files and known contents make no job; a changed file's old job is replaced.

        A failed file that is unchanged is tried again only with priority ASKED; a job that waits is moved forward, never back.
        """
        with self.database.write() as tx:
            return file_rows.note(tx, seen, recipe, priority=priority, now=now, sha256=sha256)

    def known_files(self, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Path and (size, mtime_ns) of every file below a folder that is analysed, has a job or is a clip, so that a rescan passes it over.

        In the order of their paths, read part by part: a change meanwhile may be in it or not. A deferred file's time is -1: each rescan
        tells of it again, in case its content has come.
        """
        with self.database.read() as tx:
            untimed = file_rows.any_untimed(tx)
        after: str | None = ""
        while after is not None:
            with self.database.read() as tx:
                part, after = file_rows.known_part(tx, folder, after, untimed=untimed)
            yield from part

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[Recorded]:
        """Mark these files, and all below them where they are folders, as missing, and drop their jobs."""
        with self.database.write() as tx:
            return file_rows.gone(tx, paths, now)

    def folders_left(self, watched: Sequence[str], *, now: datetime) -> int:
        """Mark what came from folders that are not among those watched as missing, and drop its jobs. Returns how many files that were.

        Files that were only ever scanned by hand stay. A folder that is watched again finds its files as it left them, see `note_file`.
        """
        with self.database.write(durable=True) as tx:
            return file_rows.folders_left(tx, watched, now)

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[Recorded]:
        """Same file, new path: faces stay. If `new` was another known file, that one is replaced. Nothing happens if `old` is not known.

        Note the new file afterwards: only then it is found out whether it also changed, or had been given up as missing.
        """
        with self.database.write() as tx:
            return file_rows.moved(tx, old, new, now)

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[Recorded]:
        with self.database.write() as tx:
            return file_rows.tree_moved(tx, old, new, now)

    def purge_missing(self, *, before: datetime) -> int:
        """Delete places missing since before then, and images left without a place. Returns how many images went."""
        with self.database.write() as tx:
            return file_rows.purge(tx, before)

    def note_clip(self, seen: FileSeen, *, now: datetime, sha256: str | None = None) -> tuple[Noted, int]:
        """Remember a clip of a watched folder, which makes no job: ATTACHED and its place's id if it is new, or another than before.

        HASH_WANTED where only its time may have changed since its folder's rule made a copy of it. Another one has no copy any more.
        """
        with self.database.write() as tx:
            return file_rows.note_clip(tx, seen, now=now, sha256=sha256)

    def lease(self, limit: int, *, now: datetime, until: datetime, under_way: Collection[int] = ()) -> tuple[list[Job], list[Recorded]]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts.

        A lease that ran out ends as a crash does, and that is what is recorded; but not of the jobs (ids) that are `under_way`: the clock
        went forward, or the computer slept.
        """
        with self.database.write() as tx:
            return job_rows.lease(tx, limit, now=now, until=until, under_way=under_way)

    def release_leases(self) -> int:
        """At start-up: the agent that held them is gone. The attempt is given back, for the engine was not to blame."""
        with self.database.write() as tx:
            return job_rows.give_back(tx)

    def release(self, jobs_: Sequence[Job]) -> None:
        """Give leased jobs back untried (pause, quit): the attempt is given back."""
        with self.database.write() as tx:
            job_rows.give_back(tx, jobs_)

    def commit(self, job: Job, analysis: Analysis, identities: Sequence[Identity | None] = (), *, now: datetime) -> list[Recorded]:
        """Faces, who they may be (in the faces' order; empty: nobody is known), place, event and the job's end in one transaction.

        Doing it twice changes nothing, and so does an attempt whose job was taken from it (the file changed or moved meanwhile).
        An image that has all this analysis has stays as it is. While the recipe has no embedder, neither embedding nor chip is stored.
        """
        with self.database.write() as tx:
            return image_rows.commit(tx, job, analysis, identities, now)

    def fail(self, job: Job, state: JobState, error: AgentError, *, now: datetime) -> list[Recorded]:
        """End the attempt: back to the queue, failed or quarantined, with the error's code and parameters kept."""
        with self.database.write() as tx:
            return job_rows.fail(tx, job, state, error, now=now)

    def retry(self, place_ids: Sequence[int] | None = None) -> int:
        """Queue failed and quarantined jobs again with their attempts at zero; all of them without `place_ids`."""
        with self.database.write(durable=True) as tx:
            return job_rows.retry(tx, place_ids)

    def retry_deferred(self, place_id: int | None = None) -> int:
        """Queue this file, or all, whose content lies in a cloud, as asked for. Returns how many."""
        with self.database.write(durable=True) as tx:
            return job_rows.retry_deferred(tx, place_id)

    def clear_problems(self, place_id: int | None = None) -> int:
        """Forget failed and quarantined jobs, of this file or all; it is tried again when it changes or somebody asks. Returns how many."""
        with self.database.write(durable=True) as tx:
            return job_rows.clear_problems(tx, place_id)

    def drop_waiting(self) -> int:
        """Take every waiting job out of the queue; the files stay known, see `queue_unseen`. Returns how many."""
        with self.database.write(durable=True) as tx:
            return job_rows.drop_waiting(tx)

    def queue_unseen(self, *, now: datetime) -> int:
        """Queue the files of watched folders that were never analysed and have no job: dropped or cleared ones. Returns how many."""
        with self.database.write() as tx:
            return job_rows.queue_unseen(tx, now)

    def requeue_outdated(self, recipe: Recipe, *, now: datetime, area: Area = EVERYWHERE) -> int:
        """Queue every image of an area whose analysis lacks the recipe (another detector, or recognition was switched on)."""
        with self.database.write() as tx:
            return job_rows.requeue_outdated(tx, recipe, now, area)

    # what the user does with images

    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Show images no more, or again. Returns a token that takes it back (None if nothing changed), and what happened."""
        with self.database.write(durable=True) as tx:
            return action_rows.set_hidden(tx, image_ids, hidden, now)

    def set_favourite(self, image_ids: Sequence[int], favourite: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        """Make images favourites, or no longer. Returns the same as `set_hidden`."""
        with self.database.write(durable=True) as tx:
            return action_rows.set_favourite(tx, image_ids, favourite, now)

    def look_again(self, image_ids: Sequence[int], *, now: datetime) -> int:
        """Queue images whose analysis is to be made anew, whatever it was made with. Returns how many have a file to look at."""
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
        """Ids and places of the faces of many images, by the images' content."""
        with self.database.read() as tx:
            return image_rows.faces_by_hash(tx, hashes)

    def place(self, path: str) -> PlaceState | None:
        with self.database.read() as tx:
            return location_rows.by_path(tx, path)

    def images_beside(self, sidecar: str) -> list[int]:
        """Those of which a file may have this sidecar: its name without the last ending, or with another one."""
        with self.database.read() as tx:
            return location_rows.images_beside(tx, sidecar)

    def place_by_id(self, place_id: int) -> PlaceState | None:
        with self.database.read() as tx:
            return location_rows.by_id(tx, place_id)

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        """Newest first, by descending image id; `before` is the last id of the page before."""
        with self.database.read() as tx:
            return image_rows.page(tx, limit=limit, before=before)

    def version(self) -> int:
        """Another number after every change, whoever made it: what was read before a change may be kept until the next one."""
        return self.database.version()

    def index(self, shown: Shown) -> Index:
        """All images of which a file is there, in one look."""
        with self.database.read() as tx:
            return index_rows.read(tx, shown)

    def images_by_id(self, image_ids: Sequence[int]) -> list[StoredImage]:
        """In the order asked for; those that are not known are left out."""
        with self.database.read() as tx:
            return image_rows.by_ids(tx, image_ids)

    def hashes(self) -> frozenset[str]:
        """SHA-256 of all images there are, shown or not."""
        with self.database.read() as tx:
            return frozenset(tx.scalars(select(schema.image.c.sha256)))

    def sha256(self, image_id: int) -> str | None:
        with self.database.read() as tx:
            return tx.scalar(select(schema.image.c.sha256).where(schema.image.c.id == image_id))

    def folders_inside(self, folder: str) -> dict[str, tuple[int, bool]]:
        """Each folder directly inside that holds images: its path, how many `index` gives of it, and whether folders are inside it."""
        with self.database.read() as tx:
            return index_rows.folders_inside(tx, folder)

    def count_below(self, folder: str) -> int:
        """How many images `index` shows of a folder."""
        with self.database.read() as tx:
            return index_rows.count_below(tx, folder)

    def count_leaving(self, folder: str, staying: Sequence[str]) -> int:
        """How many images `index` would show no more if a folder were not watched any longer, but for the folders below it that are."""
        with self.database.read() as tx:
            return index_rows.count_leaving(tx, Area(folder, tuple(staying)))

    def problems(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Failed and quarantined files, newest first: all, or those below a folder."""
        with self.database.read() as tx:
            return location_rows.in_states(tx, job_rows.ENDED_BADLY, folder=folder, limit=limit, offset=offset)

    def deferred(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        """Files whose content lies in a cloud, newest first: all, or those below a folder."""
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
        """Whether something was noted under that name."""
        return self.note(name) is not None

    def note(self, name: str) -> int | None:
        """The number that was noted under that name."""
        with self.database.read() as tx:
            return tx.scalar(select(schema.meta.c.value).where(schema.meta.c.name == name))

    def take_notes(self, notes: Mapping[str, int | None]) -> None:
        """Keep a number under each name, in place of the one before; None forgets it. They are on the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name.in_(notes)))
            if kept := [{"name": name, "value": value} for name, value in notes.items() if value is not None]:
                tx.execute(insert(schema.meta), kept)

    def drop_note(self, name: str, value: int) -> None:
        """Forget the number noted under that name, unless it is another one by now. It is so on the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name == name, schema.meta.c.value == value))
