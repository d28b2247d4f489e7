"""Which photos go to the team's server whole, and which went."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, func, insert, not_, select, update

from agent.desktop.team_client.photo_queries import placed
from agent.domain.errors import AgentError
from agent.features.library.queries.shown_image_queries import is_there
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.path_index import FolderArea
from agent.infrastructure.store.schema import image, place, team_link, team_upload

SENT: Final = "sent"
AGAIN: Final = "again"
"""sent, but the server may have lost it"""
THERE: Final = "there"
FAILED: Final = "failed"
BACK: Final = "back"
MOST: Final = 100
MOST_FAILURES: Final = 20
"""that are shown"""

_SENT: Final = team_upload.c.state.in_((SENT, AGAIN))


@dataclass(frozen=True, slots=True)
class UploadCandidate:
    """A photo to be sent: a file of it, as it was when it was scanned."""

    image_id: int
    sha256: str
    path: str
    size: int
    mtime_ns: int


@dataclass(frozen=True, slots=True)
class FailedUpload:
    """A photo that can't be sent."""

    image_id: int | None
    code: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class UploadCounts:
    sent: int
    """by this computer"""
    there: int
    """the server had them"""
    waiting: int
    waiting_bytes: int
    failed: int
    removable: int
    """sent, in no folder that is uploaded now, and still on this computer"""
    last_copies: int
    """sent, and no longer on this computer"""


class TeamUploadQueries(Queries):
    def unsent(self, areas: Sequence[FolderArea], after: int) -> list[UploadCandidate]:
        """Return the next photos of these folders that were not sent, in the order of their numbers."""
        wanted = select(image.c.id, image.c.sha256).where(image.c.id > after, *_waiting(areas)).order_by(image.c.id).limit(MOST)
        with self.database.read() as tx:
            images = {row.id: row.sha256 for row in tx.execute(wanted)}
            files = select(place).where(place.c.image_id.in_(list(images)), placed_here(areas)).order_by(place.c.id)
            found: dict[int, UploadCandidate] = {}
            for row in tx.execute(files):
                candidate = UploadCandidate(row.image_id, images[row.image_id], row.path, row.size, row.mtime_ns)
                found.setdefault(row.image_id, candidate)
        return [found[each] for each in images if each in found]

    def noted(self, state: str, contents: Collection[str], error: AgentError | None = None) -> None:
        """Remember what became of these photos."""
        if not contents:
            return
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(team_link.c.id)) is None:  # left meanwhile
                return
            tx.execute(delete(team_upload).where(team_upload.c.sha256.in_(list(contents))))
            facts = {"state": state, "code": error and error.code, "params": error and dict(error.params)}
            tx.execute(insert(team_upload), [{"sha256": each, **facts} for each in contents])

    def retry(self) -> int:
        """Let the photos that failed be tried again."""
        with self.database.write(durable=True) as tx:
            return tx.execute(delete(team_upload).where(team_upload.c.state == FAILED)).rowcount

    def take_back(self, areas: Sequence[FolderArea]) -> int:
        """Have the server delete the photos that this computer sent, that are in no uploaded folder now, and that are still here."""
        with self.database.write(durable=True) as tx:
            wanted = tx.scalars(select(team_upload.c.sha256).where(_removable(areas))).all()
            for part in chunks(wanted):
                tx.execute(update(team_upload).where(team_upload.c.sha256.in_(part)).values(state=BACK))
            return len(wanted)

    def to_take_back(self) -> list[str]:
        with self.database.read() as tx:
            return list(tx.scalars(select(team_upload.c.sha256).where(team_upload.c.state == BACK).limit(MOST)))

    def taken_back(self, contents: Collection[str]) -> None:
        """The server deleted these photos."""
        with self.database.write(durable=True) as tx:
            tx.execute(delete(team_upload).where(team_upload.c.sha256.in_(list(contents)), team_upload.c.state == BACK))

    def counts(self, areas: Sequence[FolderArea]) -> UploadCounts:
        with self.database.read() as tx:
            states = select(team_upload.c.state, func.count()).group_by(team_upload.c.state)
            by_state = {state: number for state, number in tx.execute(states)}
            waiting = select(func.count(), func.coalesce(func.sum(image.c.size), 0)).where(*_waiting(areas))
            number, size = tx.execute(waiting).one()
            asked = _count(tx, and_(team_upload.c.state == AGAIN, _in(areas)))
            return UploadCounts(
                by_state.get(SENT, 0) + by_state.get(AGAIN, 0) - asked,
                by_state.get(THERE, 0),
                number,
                int(size),
                by_state.get(FAILED, 0),
                _count(tx, _removable(areas)),
                _count(tx, and_(_SENT, not_(_here()))),
            )

    def failures(self) -> list[FailedUpload]:
        """Return the first of the photos that can't be sent."""
        rows = select(team_upload.c.code, team_upload.c.params, image.c.id)
        rows = rows.outerjoin(image, image.c.sha256 == team_upload.c.sha256).where(team_upload.c.state == FAILED)
        with self.database.read() as tx:
            found = tx.execute(rows.order_by(team_upload.c.sha256).limit(MOST_FAILURES))
            return [FailedUpload(row.id, row.code or "", row.params or {}) for row in found]


def ask_again(tx: Connection) -> None:
    """The server may be of an earlier moment: it is asked what it has of all photos that are still in uploaded folders."""
    tx.execute(update(team_upload).where(team_upload.c.state == SENT).values(state=AGAIN))
    tx.execute(delete(team_upload).where(team_upload.c.state == THERE))


def placed_here(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    return and_(place.c.missing_since.is_(None), placed(areas))


def _waiting(areas: Sequence[FolderArea]) -> tuple[ColumnElement[bool], ...]:
    known = exists().where(team_upload.c.sha256 == image.c.sha256, team_upload.c.state != AGAIN)
    return image.c.hidden_at.is_(None), not_(known), is_there(placed(areas))


def _in(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    return exists().where(image.c.sha256 == team_upload.c.sha256, place.c.image_id == image.c.id, placed_here(areas))


def _here() -> ColumnElement[bool]:
    there = place.c.image_id == image.c.id, place.c.missing_since.is_(None)
    return exists().where(image.c.sha256 == team_upload.c.sha256, *there)


def _removable(areas: Sequence[FolderArea]) -> ColumnElement[bool]:
    return and_(_SENT, _here(), not_(_in(areas)))


def _count(tx: Connection, which: ColumnElement[bool]) -> int:
    return tx.scalar(select(func.count()).select_from(team_upload).where(which)) or 0
