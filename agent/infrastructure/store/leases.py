"""Leases: what only one of a server's processes does at a time."""

from datetime import timedelta

from sqlalchemy import delete, insert, select, update

from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.dialects.functions import database_time
from agent.infrastructure.store.schema import lease


class Leases(Queries):
    def hold(self, name: str, holder: str, lasts: timedelta) -> bool:
        """Take or renew a lease; False if another holder has it. By the database's clock. Raises StoreError."""
        with self.database.write() as tx:
            now = tx.scalar(select(database_time()))
            assert now is not None
            row = tx.execute(select(lease).where(lease.c.name == name).with_for_update()).first()
            if row is None:
                tx.execute(insert(lease).values(name=name, holder=holder, until=now + lasts))
            elif row.holder == holder or row.until < now:
                tx.execute(update(lease).where(lease.c.name == name).values(holder=holder, until=now + lasts))
            else:
                return False
        return True

    def release(self, name: str, holder: str) -> None:
        """Give it back, so that another process can go on at once."""
        with self.database.write() as tx:
            tx.execute(delete(lease).where(lease.c.name == name, lease.c.holder == holder))
