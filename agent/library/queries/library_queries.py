"""The encrypted library: each call of the port as one transaction."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy import delete, insert, select

from agent.domain.errors import AgentError
from agent.domain.events import Recorded
from agent.domain.face import Analysis, Box
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import Job, JobState, Priority
from agent.domain.people import Identity
from agent.library.queries import action_rows, file_rows, image_rows, index_rows, job_rows, location_rows
from agent.library.records import EVERYWHERE, Area, Counts, Index, Noted, PlacePage, PlaceState, Shown, StoredImage
from agent.people.queries.people_queries import PeopleTables
from agent.redaction.queries.redaction_queries import RedactionTables
from agent.store import event_rows, schema
from agent.store.database import Database
from agent.store.upgrade import upgrade


class SqliteLibrary(PeopleTables, RedactionTables):
    """Implements `Library`. Safe from any thread; two processes may have it open, and wait for each other."""

    def __init__(self, path: Path, key: bytes) -> None:
        """Open the library in `path`, made if it is not there; an older one is copied aside, then brought up to date.

        `key` has 32 bytes. Raises StoreDamaged (also when the key is another library's), StoreNewer, StoreUnwritable, StoreDiskFull.
        """
        self._open(Database.in_file(path, key))

    @classmethod
    def over(cls, database: Database) -> "SqliteLibrary":
        """Any database, whatever its dialect."""
        library = cls.__new__(cls)
        library._open(database)
        return library

    def _open(self, database: Database) -> None:
        self._database = database
        try:
            upgrade(database)
        except BaseException:
            database.close()
            raise

    # files and jobs

    def note_file(
        self, seen: FileSeen, recipe: Recipe, *, priority: Priority, now: datetime, sha256: str | None = None
    ) -> tuple[Noted, list[Recorded]]:
        with self._database.write() as tx:
            return file_rows.note(tx, seen, recipe, priority=priority, now=now, sha256=sha256)

    def known_files(self, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
        with self._database.read() as tx:
            untimed = file_rows.any_untimed(tx)
        after: str | None = ""
        while after is not None:
            with self._database.read() as tx:
                part, after = file_rows.known_part(tx, folder, after, untimed=untimed)
            yield from part

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[Recorded]:
        with self._database.write() as tx:
            return file_rows.gone(tx, paths, now)

    def folders_left(self, watched: Sequence[str], *, now: datetime) -> int:
        with self._database.write(durable=True) as tx:
            return file_rows.folders_left(tx, watched, now)

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[Recorded]:
        with self._database.write() as tx:
            return file_rows.moved(tx, old, new, now)

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[Recorded]:
        with self._database.write() as tx:
            return file_rows.tree_moved(tx, old, new, now)

    def purge_missing(self, *, before: datetime) -> int:
        with self._database.write() as tx:
            return file_rows.purge(tx, before)

    def note_clip(self, seen: FileSeen, *, now: datetime, sha256: str | None = None) -> tuple[Noted, int]:
        with self._database.write() as tx:
            return file_rows.note_clip(tx, seen, now=now, sha256=sha256)

    def lease(self, limit: int, *, now: datetime, until: datetime, under_way: Collection[int] = ()) -> tuple[list[Job], list[Recorded]]:
        with self._database.write() as tx:
            return job_rows.lease(tx, limit, now=now, until=until, under_way=under_way)

    def release_leases(self) -> int:
        with self._database.write() as tx:
            return job_rows.give_back(tx)

    def release(self, jobs_: Sequence[Job]) -> None:
        with self._database.write() as tx:
            job_rows.give_back(tx, jobs_)

    def commit(self, job: Job, analysis: Analysis, identities: Sequence[Identity | None] = (), *, now: datetime) -> list[Recorded]:
        with self._database.write() as tx:
            return image_rows.commit(tx, job, analysis, identities, now)

    def fail(self, job: Job, state: JobState, error: AgentError, *, now: datetime) -> list[Recorded]:
        with self._database.write() as tx:
            return job_rows.fail(tx, job, state, error, now=now)

    def retry(self, place_ids: Sequence[int] | None = None) -> int:
        with self._database.write(durable=True) as tx:
            return job_rows.retry(tx, place_ids)

    def retry_deferred(self, place_id: int | None = None) -> int:
        with self._database.write(durable=True) as tx:
            return job_rows.retry_deferred(tx, place_id)

    def clear_problems(self, place_id: int | None = None) -> int:
        with self._database.write(durable=True) as tx:
            return job_rows.clear_problems(tx, place_id)

    def drop_waiting(self) -> int:
        with self._database.write(durable=True) as tx:
            return job_rows.drop_waiting(tx)

    def queue_unseen(self, *, now: datetime) -> int:
        with self._database.write() as tx:
            return job_rows.queue_unseen(tx, now)

    def requeue_outdated(self, recipe: Recipe, *, now: datetime, area: Area = EVERYWHERE) -> int:
        with self._database.write() as tx:
            return job_rows.requeue_outdated(tx, recipe, now, area)

    # what the user does with images

    def set_hidden(self, image_ids: Sequence[int], hidden: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        with self._database.write(durable=True) as tx:
            return action_rows.set_hidden(tx, image_ids, hidden, now)

    def set_favourite(self, image_ids: Sequence[int], favourite: bool, *, now: datetime) -> tuple[str | None, list[Recorded]]:
        with self._database.write(durable=True) as tx:
            return action_rows.set_favourite(tx, image_ids, favourite, now)

    def look_again(self, image_ids: Sequence[int], *, now: datetime) -> int:
        with self._database.write() as tx:
            return action_rows.look_again(tx, image_ids, now)

    # reading

    def image(self, image_id: int) -> StoredImage | None:
        with self._database.read() as tx:
            return image_rows.one(tx, image_id)

    def image_by_hash(self, sha256: str) -> StoredImage | None:
        with self._database.read() as tx:
            image_id = tx.scalar(select(schema.image.c.id).where(schema.image.c.sha256 == sha256))
            return None if image_id is None else image_rows.one(tx, image_id)

    def faces_by_hash(self, hashes: Collection[str]) -> dict[str, list[tuple[int, Box]]]:
        with self._database.read() as tx:
            return image_rows.faces_by_hash(tx, hashes)

    def place(self, path: str) -> PlaceState | None:
        with self._database.read() as tx:
            return location_rows.by_path(tx, path)

    def images_beside(self, sidecar: str) -> list[int]:
        with self._database.read() as tx:
            return location_rows.images_beside(tx, sidecar)

    def place_by_id(self, place_id: int) -> PlaceState | None:
        with self._database.read() as tx:
            return location_rows.by_id(tx, place_id)

    def images(self, *, limit: int, before: int | None = None) -> list[StoredImage]:
        with self._database.read() as tx:
            return image_rows.page(tx, limit=limit, before=before)

    def version(self) -> int:
        return self._database.version()

    def index(self, shown: Shown) -> Index:
        with self._database.read() as tx:
            return index_rows.read(tx, shown)

    def images_by_id(self, image_ids: Sequence[int]) -> list[StoredImage]:
        with self._database.read() as tx:
            return image_rows.by_ids(tx, image_ids)

    def hashes(self) -> frozenset[str]:
        with self._database.read() as tx:
            return frozenset(tx.scalars(select(schema.image.c.sha256)))

    def sha256(self, image_id: int) -> str | None:
        with self._database.read() as tx:
            return tx.scalar(select(schema.image.c.sha256).where(schema.image.c.id == image_id))

    def folders_inside(self, folder: str) -> dict[str, tuple[int, bool]]:
        with self._database.read() as tx:
            return index_rows.folders_inside(tx, folder)

    def count_below(self, folder: str) -> int:
        with self._database.read() as tx:
            return index_rows.count_below(tx, folder)

    def count_leaving(self, folder: str, staying: Sequence[str]) -> int:
        with self._database.read() as tx:
            return index_rows.count_leaving(tx, Area(folder, tuple(staying)))

    def problems(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        with self._database.read() as tx:
            return location_rows.in_states(tx, job_rows.ENDED_BADLY, folder=folder, limit=limit, offset=offset)

    def deferred(self, *, limit: int, offset: int = 0, folder: str | None = None) -> PlacePage:
        with self._database.read() as tx:
            return location_rows.in_states(tx, (JobState.DEFERRED,), folder=folder, limit=limit, offset=offset)

    def counts(self) -> Counts:
        with self._database.read() as tx:
            shown, faces, known, doubts = index_rows.count(tx)
            return Counts(shown, faces, known, job_rows.count(tx), doubts)

    def events(self, *, after: int, limit: int) -> list[Recorded]:
        with self._database.read() as tx:
            return event_rows.read(tx, after=after, limit=limit)

    def last_event_id(self) -> int:
        with self._database.read() as tx:
            return event_rows.last_id(tx)

    # upkeep

    def noted(self, name: str) -> bool:
        return self.note(name) is not None

    def note(self, name: str) -> int | None:
        with self._database.read() as tx:
            return tx.scalar(select(schema.meta.c.value).where(schema.meta.c.name == name))

    def take_notes(self, notes: Mapping[str, int | None]) -> None:
        with self._database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name.in_(notes)))
            if kept := [{"name": name, "value": value} for name, value in notes.items() if value is not None]:
                tx.execute(insert(schema.meta), kept)

    def drop_note(self, name: str, value: int) -> None:
        with self._database.write(durable=True) as tx:
            tx.execute(delete(schema.meta).where(schema.meta.c.name == name, schema.meta.c.value == value))

    def sound(self) -> bool:
        """Whether every page is authentic and well-formed. Reads the whole file."""
        return self._database.sound()

    def copy_to(self, target: Path) -> None:
        """Write a compact copy, encrypted with the same key; `target` must not exist. Others may go on meanwhile. Raises StoreError."""
        self._database.copy_to(target)

    def flush(self) -> None:
        """Empty the write-ahead log, which may hold what was deleted. Raises StoreBusy if somebody reads all the while."""
        self._database.flush()

    def beside(self, path: Path) -> Database:
        """Another file, encrypted with the same key, made if it is not there; it can give its space back."""
        return self._database.beside(path)

    def key_for(self, purpose: bytes) -> bytes:
        """Another key, which whoever can open this library has too."""
        return self._database.key_for(purpose)

    @property
    def uses(self) -> int:
        """Another number whenever it was used."""
        return self._database.uses

    def let_go(self) -> None:
        """Give back the memory that makes the next use quicker. Others may go on meanwhile."""
        self._database.let_go()

    def close(self) -> None:
        self._database.close()
