"""Files as reported by the sources: seen, missing, moved, deleted."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, case, delete, exists, func, literal, not_, or_, select, update

from agent.domain.errors import BucketError, ImageMissing, leaves
from agent.domain.events import LocationAdded, LocationLost, LocationMoved, StoredEvent
from agent.domain.image import FileSeen, Recipe
from agent.domain.jobs import JobState, Priority
from agent.domain.path_text import BUCKET_START
from agent.features.library.queries import job_queries
from agent.features.library.records import Noted
from agent.infrastructure.store import event_rows
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.path_index import around, at_or_below, below, stem_of, stems_of
from agent.infrastructure.store.schema import image, job, place, redaction, redaction_item, upload

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_OUT_OF_REACH = (ImageMissing.code, *sorted(leaves(BucketError)))
_PART = 2000  # files read at a time


class FileQueries(Queries):
    def note_file(
        self, seen: FileSeen, recipe: Recipe, *, priority: Priority, now: datetime, sha256: str | None = None
    ) -> tuple[Noted, list[StoredEvent]]:
        """Register a file. Unchanged files and known contents create no job; a changed file's old job is replaced.

        An unchanged failed file is retried only with priority ASKED; a waiting job moves forward, never back.
        """
        with self.database.write() as tx:
            known = tx.execute(
                select(place, job.c.state, _was_away().label("was_away"), job_queries.outdated(recipe).label("outdated"))
                .outerjoin(job)
                .outerjoin(image)
                .where(place.c.path == seen.path)
            ).one_or_none()
            if known is not None and (known.size, known.mtime_ns) == (seen.size, seen.mtime_ns):
                return _note_unchanged(tx, known, seen, priority, now), []
            if sha256 is None and _may_be_known(tx, seen.size, recipe):
                return Noted.HASH_WANTED, []
            content = _analysed(tx, sha256, recipe) if sha256 is not None else None
            place_id = _put(tx, known, seen, content, now)
            if content is None:
                job_queries.queue(tx, place_id, priority, now, request_id=_uploaded_by(tx, seen.path))
                return Noted.QUEUED, []
            job_queries.drop(tx, place_id)
            if known is not None and known.image_id == content and known.missing_since is None:
                return Noted.UNCHANGED, []  # only its time changed
            return Noted.ATTACHED, [event_rows.record(tx, LocationAdded(image_id=content, place_id=place_id), now)]

    def note_clip(self, seen: FileSeen, *, now: datetime, sha256: str | None = None) -> tuple[Noted, int]:
        """Register a video of a watched folder, without a job: return ATTACHED and its location's id if it is new or changed.

        Returns HASH_WANTED if only its time may have changed since its folder's copy was made. A changed one loses its copy.
        """
        with self.database.write() as tx:
            known = tx.execute(select(place).where(place.c.path == seen.path)).one_or_none()
            here = {"mtime_ns": seen.mtime_ns, "missing_since": None, "folder": seen.folder}
            if known is not None and (known.size, known.mtime_ns) == (seen.size, seen.mtime_ns):
                if known.missing_since is not None or known.folder != seen.folder:
                    tx.execute(update(place).where(place.c.id == known.id).values(here))
                return Noted.UNCHANGED, int(known.id)
            copies = select(redaction_item.c.id, redaction_item.c.sha256).join(redaction)
            copy = tx.execute(copies.where(redaction.c.folder == seen.folder, redaction_item.c.source == seen.path)).one_or_none()
            if known is not None and copy is not None and known.size == seen.size and copy.sha256 is not None:
                if sha256 is None:
                    return Noted.HASH_WANTED, int(known.id)
                if sha256 == copy.sha256:  # only its time changed
                    tx.execute(update(place).where(place.c.id == known.id).values(here))
                    return Noted.UNCHANGED, int(known.id)
            if copy is not None:  # of the old content: a worker making it now will find that it is obsolete
                tx.execute(delete(redaction_item).where(redaction_item.c.id == copy.id))
            return Noted.ATTACHED, _put(tx, known, seen, None, now)

    def files_gone(self, paths: Sequence[str], *, now: datetime) -> list[StoredEvent]:
        """Mark these files, and everything below them if they are folders, as missing, and drop their jobs."""
        with self.database.write() as tx:
            recorded: list[StoredEvent] = []
            for path in paths:
                lost = tx.scalars(select(place.c.id).where(at_or_below(path), place.c.missing_since.is_(None)).order_by(place.c.id)).all()
                if not lost:
                    continue
                each = [{"lost": place_id} for place_id in lost]
                tx.execute(update(place).where(place.c.id == bindparam("lost")).values(missing_since=now), each)
                tx.execute(delete(job).where(job.c.place_id == bindparam("lost")), each)
                recorded += [event_rows.record(tx, LocationLost(place_id=place_id), now) for place_id in lost]
            return recorded

    def folders_left(self, watched: Sequence[str], *, now: datetime) -> int:
        """Mark files of folders that are no longer watched as missing, and drop their jobs. Return the number of files.

        Files that were only scanned by hand stay. A folder that is watched again gets its files back, see `note_file`.
        """
        with self.database.write(durable=True) as tx:
            left = and_(place.c.folder.is_not(None), not_(below(BUCKET_START)), *(not_(below(folder)) for folder in watched))
            return _leave_folders(tx, left, now)

    def source_left(self, root: str, *, now: datetime) -> int:
        """Do the same for a bucket that is no source any more."""
        with self.database.write(durable=True) as tx:
            return _leave_folders(tx, below(root), now)

    def file_moved(self, old: str, new: FileSeen, *, now: datetime) -> list[StoredEvent]:
        """Move a file to a new path: faces stay. A known file at the new path is replaced. Does nothing if `old` is unknown.

        Register the new file afterwards: only that detects whether it also changed, or was marked as missing.
        """
        with self.database.write() as tx:
            place_id = tx.scalar(select(place.c.id).where(place.c.path == old))
            if place_id is None or old == new.path:
                return []
            # Size, time and "missing" stay unchanged: the next scan detects whether the file also changed or needs a job.
            return _rename(tx, [(place_id, new.path)], now, folder=new.folder)

    def tree_moved(self, old: str, new: str, *, now: datetime) -> list[StoredEvent]:
        with self.database.write() as tx:
            start, target = len(stem_of(old)), stem_of(new)
            rows = tx.execute(select(place.c.id, place.c.path).where(below(old)).order_by(place.c.id)).all()
            return _rename(tx, [(row.id, target + row.path[start:]) for row in rows], now) if stem_of(old) != target else []

    def purge_missing(self, *, before: datetime) -> int:
        """Delete locations missing since before then, and images left without a location. Return the number of images."""
        with self.database.write() as tx:
            expired = place.c.missing_since < before
            tx.execute(update(image).where(image.c.id.in_(select(place.c.image_id).where(expired))).values(left_at=_LONG_AGO))
            tx.execute(delete(place).where(expired))
            unplaced = not_(exists().where(place.c.image_id == image.c.id))
            return tx.execute(delete(image).where(image.c.left_at < before, unplaced)).rowcount

    def known_files(self, folder: str) -> Iterator[tuple[str, tuple[int, int]]]:
        """Yield path and (size, mtime_ns) of every file below a folder that is analysed, queued or a video, so that a rescan skips it.

        In path order, read in parts: concurrent changes may be included or not. A deferred file has time -1, so that each rescan
        reports it again, in case it has been downloaded.
        """
        with self.database.read() as tx:
            untimed = any_untimed(tx)
        after: str | None = ""
        while after is not None:
            with self.database.read() as tx:
                part, after = known_part(tx, folder, after, untimed=untimed)
            yield from part


def _leave_folders(tx: Connection, left: ColumnElement[bool], now: datetime) -> int:
    tx.execute(delete(job).where(job.c.place_id.in_(select(place.c.id).where(left))))
    # One that was missing before keeps that time. Without a folder, a file is back once it is scanned by hand.
    since = func.coalesce(place.c.missing_since, literal(now, place.c.missing_since.type))
    return tx.execute(update(place).where(left).values(missing_since=since, folder=None)).rowcount


def known_part(tx: Connection, folder: str, after: str, *, untimed: bool) -> tuple[list[tuple[str, tuple[int, int]]], str | None]:
    """Return the next known files below a folder after the path `after`, and where to continue; None at the end.

    `untimed`: some may have no valid time, see `any_untimed`; checking the job of each doubles the time.
    """
    there = place.c.missing_since.is_(None)
    if untimed:
        mtime = case((_untimed(), -1), else_=place.c.mtime_ns)
        chosen = select(place.c.path, place.c.size, mtime).outerjoin(job).where(or_(there, job.c.state == JobState.DEFERRED))
    else:
        chosen = select(place.c.path, place.c.size, place.c.mtime_ns).where(there)
    rows = tx.execute(chosen.where(around(folder, after)).order_by(place.c.path).limit(_PART)).all()
    stems = stems_of(folder)
    known = [(path, (size, mtime_ns)) for path, size, mtime_ns in rows if path.startswith(stems)]
    return known, rows[-1][0] if len(rows) == _PART else None


def any_untimed(tx: Connection) -> bool:
    """Return whether there are files that each scan must report: online-only, or missing when they were due."""
    found = select(job.c.id).where(job.c.state.in_((JobState.DEFERRED, JobState.FAILED)), _untimed())
    return tx.scalar(found.limit(1)) is not None


def leave(tx: Connection, image_id: int, now: datetime) -> None:
    """Note that a location of the image got other content; its faces stay for the grace time."""
    tx.execute(update(image).where(image.c.id == image_id).values(left_at=now))


def _note_unchanged(tx: Connection, known: Row[object], seen: FileSeen, priority: Priority, now: datetime) -> Noted:
    folder = seen.folder or known.folder
    if known.missing_since is not None or known.folder != folder:
        tx.execute(update(place).where(place.c.id == known.id).values(missing_since=None, folder=folder))
    if known.state in (JobState.QUEUED, JobState.LEASED):
        job_queries.hurry(tx, known.id, priority)
        return Noted.UNCHANGED
    ended_badly = known.state in (JobState.FAILED, JobState.QUARANTINED)
    if ended_badly and priority is not Priority.ASKED and not known.was_away:
        return Noted.UNCHANGED
    if known.image_id is None or known.outdated or ended_badly:
        job_queries.queue(tx, known.id, priority, now)
        return Noted.QUEUED
    return Noted.UNCHANGED


def _uploaded_by(tx: Connection, path: str) -> str:
    """Return the id of the request that uploaded a file; empty if it came otherwise."""
    return tx.scalar(select(upload.c.request_id).where(upload.c.target == path).order_by(upload.c.created_at.desc()).limit(1)) or ""


def _untimed() -> ColumnElement[bool]:
    return or_(job.c.state == JobState.DEFERRED, _was_away())


def _was_away() -> ColumnElement[bool]:
    """Return a condition for files that were out of reach when they were due, as on an unplugged disk: seeing them brings them back."""
    return and_(job.c.state == JobState.FAILED, job.c.error_code.in_(_OUT_OF_REACH))


def _may_be_known(tx: Connection, size: int, recipe: Recipe) -> bool:
    return tx.scalar(select(image.c.id).where(image.c.size == size, not_(job_queries.outdated(recipe))).limit(1)) is not None


def _analysed(tx: Connection, sha256: str, recipe: Recipe) -> int | None:
    return tx.scalar(select(image.c.id).where(image.c.sha256 == sha256, not_(job_queries.outdated(recipe))))


def _put(tx: Connection, known: Row[object] | None, seen: FileSeen, content: int | None, now: datetime) -> int:
    """Write the location of a new or changed file, and detach its old content. Return its id."""
    facts = {"size": seen.size, "mtime_ns": seen.mtime_ns, "image_id": content, "noted_at": now, "missing_since": None}
    if known is None:
        return add(tx, place, facts | {"path": seen.path, "folder": seen.folder})
    if known.image_id is not None and known.image_id != content:
        leave(tx, known.image_id, now)
    tx.execute(update(place).where(place.c.id == known.id).values(facts | {"folder": seen.folder or known.folder}))
    return int(known.id)


def _rename(tx: Connection, targets: list[tuple[int, str]], now: datetime, folder: str | None = None) -> list[StoredEvent]:
    if not targets:
        return []
    recorded: list[StoredEvent] = []
    moving = {place_id for place_id, _ in targets}
    for place_id, path in targets:
        replaced = tx.execute(select(place.c.id, place.c.image_id).where(place.c.path == path)).one_or_none()
        if replaced is not None and replaced.id not in moving:
            if replaced.image_id is not None:
                leave(tx, replaced.image_id, now)
            tx.execute(delete(place).where(place.c.id == replaced.id))
            recorded.append(event_rows.record(tx, LocationLost(place_id=replaced.id), now))
        facts = {"path": path} if folder is None else {"path": path, "folder": folder}
        tx.execute(update(place).where(place.c.id == place_id).values(facts))
        # A worker reading the old path would not find the file.
        job_queries.restart_leased(tx, now, within=place.c.id == place_id)
    return recorded + [event_rows.record(tx, LocationMoved(place_id=place_id), now) for place_id, _ in targets]
