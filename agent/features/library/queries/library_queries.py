"""What the library room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from agent.domain.events import Recorded
from agent.features.library.queries import index_rows, job_rows
from agent.features.library.queries.action_rows import ActionQueries
from agent.features.library.queries.album_rows import AlbumRows
from agent.features.library.queries.file_rows import FileQueries
from agent.features.library.queries.image_rows import ImageQueries
from agent.features.library.queries.index_rows import IndexQueries
from agent.features.library.queries.job_rows import JobQueries
from agent.features.library.queries.location_rows import LocationQueries
from agent.features.library.records import Counts
from agent.features.library.whole_index import WholeIndex
from agent.infrastructure.store import event_rows, schema

EVENTS_AT_ONCE: Final = 5_000


class LibraryQueries(FileQueries, JobQueries, ImageQueries, ActionQueries, LocationQueries, IndexQueries, AlbumRows):
    """Files, jobs, images and notes. Safe from any thread and from several processes; a call may block. Raises StoreError."""

    def version(self) -> int:
        """Return a number that changes with every change: data read before stays valid until then."""
        return self.database.version()

    def counts(self) -> Counts:
        with self.database.read() as tx:
            shown, faces, known, doubts = index_rows.count(tx)
            return Counts(shown, faces, known, job_rows.count(tx), doubts)

    def counts_of(self, whole: WholeIndex) -> Counts:
        """The same within the reach of that index, but without jobs that are done."""
        with self.database.read() as tx:
            known, doubts = index_rows.count_people(tx)
            return Counts(len(whole.ids), whole.faces, known, job_rows.count_undone(tx), doubts)

    def events(self, *, after: int, limit: int) -> list[Recorded]:
        with self.database.read() as tx:
            return event_rows.read(tx, after=after, limit=limit)

    def expire_events(self, *, before: datetime) -> None:
        """Delete events of before that moment, a few thousand at a time: a writer waits for no more than that."""
        while True:
            with self.database.write() as tx:
                if event_rows.expire(tx, before, EVENTS_AT_ONCE) < EVENTS_AT_ONCE:
                    return

    def events_within_reach(self, ids: Collection[int]) -> frozenset[int]:
        """Return the events that the caller may see."""
        with self.database.read() as tx:
            return frozenset(tx.scalars(select(schema.event.c.id).where(schema.event.c.id.in_(list(ids)))))

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
