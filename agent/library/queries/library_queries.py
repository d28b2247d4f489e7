"""What the library room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete, insert, select

from agent.domain.events import Recorded
from agent.domain.jobs import AGENT, Job, JobState
from agent.library.queries import action_rows, file_rows, image_rows, index_rows, job_rows, location_rows
from agent.library.queries.action_rows import ActionQueries
from agent.library.queries.file_rows import FileQueries
from agent.library.queries.image_rows import ImageQueries
from agent.library.queries.index_rows import IndexQueries
from agent.library.queries.job_rows import JobQueries
from agent.library.queries.location_rows import LocationQueries
from agent.library.records import Counts, PlacePage, StoredImage
from agent.store import event_rows, schema
from agent.store.path_ranges import Area


class LibraryQueries(FileQueries, JobQueries, ImageQueries, ActionQueries, LocationQueries, IndexQueries):
    """Files, jobs, images and notes. Safe from any thread and from several processes; a call may block. Raises StoreError."""

    # files and jobs

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

    def lease(
        self, limit: int, *, worker: str = AGENT, now: datetime, until: datetime, under_way: Collection[int] = ()
    ) -> tuple[list[Job], list[Recorded]]:
        """Take the next jobs: by priority, then fewest attempts, then age. The attempt is counted before the work starts.

        An expired lease ends like a crash, which is recorded; but not for jobs (ids) that are `under_way`: the clock
        went forward, or the computer slept.
        """
        with self.database.write() as tx:
            return job_rows.lease(tx, limit, worker=worker, now=now, until=until, under_way=under_way)

    # the user's actions on images

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

    def version(self) -> int:
        """Return a number that changes with every change: data read before stays valid until then."""
        return self.database.version()

    def hashes(self) -> frozenset[str]:
        """Return the SHA-256 of all images, shown or not."""
        with self.database.read() as tx:
            return frozenset(tx.scalars(select(schema.image.c.sha256)))

    def sha256(self, image_id: int) -> str | None:
        with self.database.read() as tx:
            return tx.scalar(select(schema.image.c.sha256).where(schema.image.c.id == image_id))

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
