"""Partly typed names in a team server's database, encrypted as names are: another process may answer the next request."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, insert, select

from agent.features.people.name_drafts import MOST
from agent.infrastructure.core.access_scope import everything
from agent.infrastructure.core.actor import actor
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import draft, face

LASTS: Final = timedelta(days=7)


class DraftQueries(Queries):
    """Implements `agent.features.people.name_drafts.Drafts`: each member's own, on faces within reach."""

    def put_draft(self, face_id: int, name: str, now: datetime) -> None:
        """Store one in place of an earlier one. The oldest is dropped if there are too many."""
        with self.database.write() as tx:
            if tx.scalar(select(face.c.id).where(face.c.id == face_id)) is None:
                return
            mine = draft.c.actor == actor.get()
            tx.execute(delete(draft).where(mine, draft.c.face_id == face_id))
            tx.execute(insert(draft).values(actor=actor.get(), face_id=face_id, name=name, at=now))
            oldest = tx.scalars(select(draft.c.face_id).where(mine).order_by(draft.c.at.desc(), draft.c.face_id.desc()).offset(MOST)).all()
            if oldest:
                tx.execute(delete(draft).where(mine, draft.c.face_id.in_(oldest)))

    def drop_drafts(self, faces: Collection[int]) -> None:
        """Delete the member's drafts of these faces; writes nothing if there are none."""
        with self.database.read() as tx:
            known = set(tx.scalars(select(draft.c.face_id).where(draft.c.actor == actor.get())))
        if gone := known.intersection(faces):
            with self.database.write() as tx:
                tx.execute(delete(draft).where(draft.c.actor == actor.get(), draft.c.face_id.in_(gone)))

    def clear_drafts(self, before: datetime | None = None) -> None:
        """Delete everyone's, or those of before then; writes nothing if there are none."""
        old = () if before is None else (draft.c.at <= before,)
        with everything():
            with self.database.read() as tx:
                if tx.scalar(select(draft.c.face_id).where(*old).limit(1)) is None:
                    return
            with self.database.write(durable=True) as tx:
                tx.execute(delete(draft).where(*old))

    def drafts(self) -> tuple[tuple[int, str], ...]:
        """Return the member's drafts by face, oldest first."""
        wanted = select(draft.c.face_id, draft.c.name).where(draft.c.actor == actor.get()).order_by(draft.c.at, draft.c.face_id)
        with self.database.read() as tx:
            return tuple((row.face_id, row.name) for row in tx.execute(wanted))
