"""Files and their states: individually, and in pages by the state of their job."""

from collections.abc import Collection

from sqlalchemy import Connection, RowMapping, Select, and_, func, or_, select, union_all

from agent.domain.errors import from_code
from agent.domain.image import SIDECAR_ENDING
from agent.domain.jobs import JobState
from agent.features.library.queries.job_queries import ENDED_BADLY
from agent.features.library.records import LocationPage, LocationState
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.path_index import below
from agent.infrastructure.store.schema import job, place


class LocationQueries(Queries):
    def place(self, path: str) -> LocationState | None:
        with self.database.read() as tx:
            row = tx.execute(_places().where(place.c.path == path)).mappings().one_or_none()
            return None if row is None else _state(row)

    def place_by_id(self, place_id: int) -> LocationState | None:
        with self.database.read() as tx:
            row = tx.execute(_places().where(place.c.id == place_id)).mappings().one_or_none()
            return None if row is None else _state(row)

    def images_beside(self, sidecar: str) -> list[int]:
        """Return the images whose file may have this sidecar: its name without the last extension, or with another one."""
        with self.database.read() as tx:
            stem = sidecar[: -len(SIDECAR_ENDING)]
            its = or_(place.c.path == stem, and_(place.c.path >= f"{stem}.", place.c.path < f"{stem}/"))  # the character after the dot
            return list(
                tx.scalars(select(place.c.image_id).where(its, place.c.image_id.is_not(None), place.c.missing_since.is_(None)).distinct())
            )

    def problems(self, *, limit: int, offset: int = 0, folder: str | None = None) -> LocationPage:
        """Return failed and quarantined files, newest first: all, or those below a folder."""
        with self.database.read() as tx:
            return in_states(tx, ENDED_BADLY, folder=folder, limit=limit, offset=offset)

    def deferred(self, *, limit: int, offset: int = 0, folder: str | None = None) -> LocationPage:
        """Return online-only files, newest first: all, or those below a folder."""
        with self.database.read() as tx:
            return in_states(tx, (JobState.DEFERRED,), folder=folder, limit=limit, offset=offset)


def in_states(tx: Connection, states: Collection[JobState], *, folder: str | None, limit: int, offset: int) -> LocationPage:
    """Return locations whose job has such a state, newest first; `folder` limits them to those below it."""
    # State by state, so that each is read from the end of its index, and only as far as the page needs.
    found = union_all(*(_jobs(state, folder, select(job.c.place_id, job.c.changed_at, job.c.id)) for state in states))
    newest = found.order_by(found.selected_columns.changed_at.desc(), found.selected_columns.id.desc())
    chosen = newest.limit(limit).offset(offset).subquery()
    page = _places().join(chosen, chosen.c.id == job.c.id).order_by(chosen.c.changed_at.desc(), chosen.c.id.desc())
    total = sum(tx.scalar(_jobs(state, folder, select(func.count(job.c.id)))) or 0 for state in states)
    return LocationPage(tuple(_state(row) for row in tx.execute(page).mappings()), total)


def _jobs(state: JobState, folder: str | None, columns: Select[int]) -> Select[int]:
    chosen = columns.where(job.c.state == state)
    return chosen if folder is None else chosen.join(place).where(below(folder))


def _places() -> Select[int]:
    return select(
        place.c.id, place.c.path, place.c.image_id, place.c.noted_at, job.c.state, job.c.error_code, job.c.error_params, job.c.changed_at
    ).outerjoin(job)


def _state(row: RowMapping) -> LocationState:
    return LocationState(
        place_id=row["id"],
        path=row["path"],
        image_id=row["image_id"],
        job=None if row["state"] is None else JobState(row["state"]),
        error=None if row["error_code"] is None else from_code(row["error_code"], row["error_params"]),
        at=row["changed_at"] or row["noted_at"],
    )
