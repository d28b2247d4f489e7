"""What the library room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert, select

from agent.domain.events import StoredEvent
from agent.features.library.index_snapshot import WholeIndex
from agent.features.library.queries import index_queries, job_queries
from agent.features.library.queries.action_queries import ActionQueries
from agent.features.library.queries.album_queries import AlbumRows
from agent.features.library.queries.file_queries import FileQueries
from agent.features.library.queries.image_queries import ImageQueries
from agent.features.library.queries.index_queries import IndexQueries
from agent.features.library.queries.job_queries import JobQueries
from agent.features.library.queries.location_queries import LocationQueries
from agent.features.library.records import Counts
from agent.infrastructure.store import event_rows, schema

EVENTS_AT_ONCE: Final = 5_000


class LibraryQueries(FileQueries, JobQueries, ImageQueries, ActionQueries, LocationQueries, IndexQueries, AlbumRows):
    """Files, jobs, images and notes. Safe from any thread and from several processes; a call may block. Raises StoreError."""

    def version(self) -> int:
        """Return a number that changes with every change: data read before stays valid until then."""
        return self.database.version()

    def counts(self) -> Counts:
        with self.database.read() as tx:
            shown, faces, known, doubts = index_queries.count(tx)
            return Counts(shown, faces, known, job_queries.count(tx), doubts)

    def counts_of(self, whole: WholeIndex) -> Counts:
        """The same within the reach of that index, but without jobs that are done."""
        with self.database.read() as tx:
            known, doubts = index_queries.count_people(tx)
            return Counts(len(whole.ids), whole.faces, known, job_queries.count_undone(tx), doubts)

    def events(self, *, after: int, limit: int) -> list[StoredEvent]:
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

    def set_flags(self, notes: Mapping[str, int | None]) -> None:
        """Store a number under each name, replacing the previous one; None deletes it. On the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name.in_(notes)))
            if kept := [{"name": name, "value": value} for name, value in notes.items() if value is not None]:
                tx.execute(insert(schema.meta), kept)

    def drop_note(self, name: str, value: int) -> None:
        """Delete the number noted under that name, unless it has changed. On the disk when this returns."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name == name, schema.meta.c.value == value))
