"""Links by which people see their own data, in the database."""

from datetime import datetime

from sqlalchemy import and_, delete, func, insert, select, update

from agent.domain.errors import PersonUnknown
from agent.infrastructure.core.actor import actor
from agent.infrastructure.store import audit_libraries, audit_log
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import chip, consent_link, embedding, identity, person


class ConsentLinkQueries:
    def __init__(self, database: Database) -> None:
        self._database = database

    def make(self, person_id: int, uid: str, sha256: str, *, expires_at: datetime, now: datetime) -> None:
        """Keep a link, in place of an earlier one; `uid` becomes the person's random id if they have none. Raises PersonUnknown."""
        with self._database.write(durable=True) as tx:
            row = tx.execute(select(person.c.uid).where(person.c.id == person_id)).one_or_none()
            if row is None:
                raise PersonUnknown
            if row.uid is None:
                tx.execute(update(person).where(person.c.id == person_id).values(uid=uid))
            uid = row.uid or uid
            tx.execute(delete(consent_link).where(consent_link.c.person_uid == uid))
            tx.execute(insert(consent_link).values(person_uid=uid, sha256=sha256, made_by=actor.get(), expires_at=expires_at))
            audit_log.add(tx, "consent_link_made", uid, 1, now, libraries=audit_libraries.of_people(tx, [person_id]))

    def end(self, person_id: int, *, now: datetime) -> None:
        """Delete a person's link, if there is one. Raises PersonUnknown."""
        with self._database.write(durable=True) as tx:
            row = tx.execute(select(person.c.uid).where(person.c.id == person_id)).one_or_none()
            if row is None:
                raise PersonUnknown
            if tx.execute(delete(consent_link).where(consent_link.c.person_uid == row.uid)).rowcount:
                audit_log.add(tx, "consent_link_ended", row.uid, 1, now, libraries=audit_libraries.of_people(tx, [person_id]))

    def until(self, person_id: int, now: datetime) -> datetime | None:
        """Return when the person's link ends; None if they have none. Raises PersonUnknown."""
        link = and_(consent_link.c.person_uid == person.c.uid, consent_link.c.expires_at > now)
        found = select(person.c.id, consent_link.c.expires_at).outerjoin(consent_link, link).where(person.c.id == person_id)
        with self._database.read() as tx:
            row = tx.execute(found).one_or_none()
        if row is None:
            raise PersonUnknown
        expires_at: datetime | None = row.expires_at
        return expires_at

    def person(self, sha256: str, now: datetime) -> tuple[int, datetime] | None:
        """Return the id of the person whose link this is, and when it ends."""
        found = select(person.c.id, consent_link.c.expires_at).join(person, person.c.uid == consent_link.c.person_uid)
        with self._database.read() as tx:
            row = tx.execute(found.where(consent_link.c.sha256 == sha256, consent_link.c.expires_at > now)).one_or_none()
            return None if row is None else (row.id, row.expires_at)

    def held(self, person_id: int) -> tuple[int, int]:
        """Return how many embeddings of the person, and how many pictures of their face alone, are stored."""
        with self._database.read() as tx:
            embeddings, pictures = (
                tx.scalar(
                    select(func.count())
                    .select_from(each)
                    .join(identity, identity.c.face_id == each.c.face_id)
                    .where(identity.c.person_id == person_id)
                )
                for each in (embedding, chip)
            )
        return embeddings or 0, pictures or 0
