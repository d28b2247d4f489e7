"""Challenges in the database."""

from datetime import datetime

from sqlalchemy import delete, insert, select

from agent.store.database import Queries
from agent.store.schema import ceremony


class CeremonyQueries(Queries):
    def begin_ceremony(self, sha256: str, kind: str, about: str, expires_at: datetime, now: datetime) -> None:
        """Keep it, and forget those that ran out."""
        with self.database.write() as tx:
            tx.execute(delete(ceremony).where(ceremony.c.expires_at <= now))
            tx.execute(insert(ceremony).values(sha256=sha256, kind=kind, about=about, expires_at=expires_at))

    def ceremony(self, sha256: str, now: datetime) -> tuple[str, str] | None:
        """Its kind, and what it is about; None if it was used, or is too old."""
        query = select(ceremony.c.kind, ceremony.c.about).where(ceremony.c.sha256 == sha256, ceremony.c.expires_at > now)
        with self.database.read() as tx:
            row = tx.execute(query).first()
            return (row.kind, row.about) if row else None

    def use_ceremony(self, sha256: str, now: datetime) -> tuple[str, str] | None:
        """Its kind, and what it is about; None if it was used, or is too old."""
        used = delete(ceremony).where(ceremony.c.sha256 == sha256).returning(ceremony.c.kind, ceremony.c.about, ceremony.c.expires_at)
        with self.database.write(durable=True) as tx:
            row = tx.execute(used).first()
            return (row.kind, row.about) if row is not None and row.expires_at > now else None
