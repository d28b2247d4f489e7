"""Uploads in the database."""

import os
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Final

from sqlalchemy import Row, delete, exists, func, insert, select, update

from agent.domain import desk_path
from agent.domain.errors import UploadGone
from agent.infrastructure.core.request_id import current_id
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.schema import image, place
from agent.infrastructure.store.schema import upload as table
from agent.server.uploads.records import Outcome, Room, Upload

_NAMES: Final = {"library": "library_id"}  # columns that are called otherwise


class UploadQueries(Queries):
    def add(self, new: Upload) -> None:
        with self.database.write(durable=True) as tx:
            tx.execute(insert(table).values({_NAMES.get(each.name, each.name): getattr(new, each.name) for each in fields(new)}))

    def upload(self, upload_id: str, member: str) -> Upload:
        """A member's own. Raises UploadGone."""
        with self.database.read() as tx:
            row = tx.execute(select(table).where(table.c.id == upload_id, table.c.member == member)).one_or_none()
        if row is None:
            raise UploadGone
        return _upload(row)

    def unfinished(self, member: str | None = None) -> Sequence[Upload]:
        """One member's, or all; the oldest first."""
        query = select(table).where(table.c.outcome.is_(None)).order_by(table.c.created_at, table.c.id)
        with self.database.read() as tx:
            return [_upload(row) for row in tx.execute(query if member is None else query.where(table.c.member == member))]

    def room(self) -> Room:
        total = func.coalesce(func.sum(table.c.size), 0)
        with self.database.read() as tx:
            unfinished = tx.scalar(select(total).where(table.c.outcome.is_(None)))
            stored = tx.scalar(select(total).where(table.c.outcome == Outcome.STORED))
        return Room(int(unfinished or 0), int(stored or 0))

    def same_content(self, sha256: str, library_id: int | None) -> tuple[int | None, Sequence[str]]:
        """Return the image with this content that the library has as a file, and the paths of uploads with it.

        What is there may be gone, or another file by now, or not there yet: an upload is planned before its file is moved.

        Of another library nothing is told.
        """
        there = select(image.c.id).join(place, place.c.image_id == image.c.id).where(place.c.source != desk_path.SOURCE)
        if library_id is not None:
            there = there.where(place.c.library_id == library_id)
        sent = select(table.c.target).where(table.c.sha256 == sha256, table.c.target.is_not(None))
        sent = sent.where(table.c.library_id.is_(None) if library_id is None else table.c.library_id == library_id)
        missing = exists().where(place.c.path == table.c.target, place.c.missing_since.is_not(None))
        sent = sent.where(~missing)  # lost, or about to be removed for who sent it
        with self.database.read() as tx:
            found = tx.scalar(there.where(image.c.sha256 == sha256, place.c.missing_since.is_(None)).limit(1))
            return found, list(tx.scalars(sent))

    def plan(self, upload_id: str, sha256: str, target: str) -> None:
        """Note where the file goes, before it is moved: after a kill in between, it is found there and not stored again."""
        with self.database.write(durable=True) as tx:
            tx.execute(update(table).where(table.c.id == upload_id).values(sha256=sha256, target=target, request_id=current_id()))

    def end(self, upload_id: str, outcome: Outcome, sha256: str, now: datetime) -> None:
        """Note what became of it, for the current actor."""
        with self.database.write(durable=True) as tx:
            ended = update(table).where(table.c.id == upload_id, table.c.outcome.is_(None))
            if tx.execute(ended.values(outcome=outcome, sha256=sha256, ended_at=now)).rowcount and outcome is Outcome.STORED:
                libraries = tx.scalars(select(table.c.library_id).where(table.c.id == upload_id, table.c.library_id.is_not(None)))
                audit_log.add(tx, "photo_uploaded", None, 1, now, libraries=libraries)

    def forget_lost(self, now: datetime) -> None:
        """Forget what is stored and counts as there, but has no file: it may be sent again. What was deleted is missing already."""
        there = place.c.source != desk_path.SOURCE, place.c.missing_since.is_(None)
        stored = select(table.c.id, table.c.target).join(place, place.c.path == table.c.target)
        with self.database.read() as tx:
            rows = tx.execute(stored.where(*there, table.c.outcome == Outcome.STORED)).all()
        lost = [row for row in rows if not os.path.lexists(row.target)]
        with self.database.write(durable=True) as tx:
            for part in chunks(lost):
                tx.execute(delete(table).where(table.c.id.in_([row.id for row in part])))
                tx.execute(update(place).where(place.c.path.in_([row.target for row in part]), *there).values(missing_since=now))

    def drop(self, upload_id: str) -> None:
        """Forget an unfinished one."""
        with self.database.write() as tx:
            tx.execute(delete(table).where(table.c.id == upload_id, table.c.outcome.is_(None)))


def _upload(row: Row[object]) -> Upload:
    columns = row._asdict()
    values = {field.name: columns[_NAMES.get(field.name, field.name)] for field in fields(Upload)}
    return Upload(**values | {"outcome": None if row.outcome is None else Outcome(row.outcome)})
