"""Passkeys in the database."""

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.domain.errors import NotFound, PasskeysTooMany, PasskeyUnusable
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import member, passkey
from agent.server.accounts.member_rows import require_sign_in_method
from agent.server.accounts.records import Member, Passkey

MOST_PASSKEYS: Final = 20
_COLUMNS: Final = tuple(each for each in passkey.c if each.name not in ("member_id", "credential_sha256"))


def add_passkey(tx: Connection, member_id: str, new: Passkey) -> None:
    """Raises PasskeysTooMany, and PasskeyUnusable if any member has that passkey already."""
    digest = hashlib.sha256(new.credential_id).hexdigest()
    if tx.scalar(select(passkey.c.id).where(passkey.c.credential_sha256 == digest)) is not None:
        raise PasskeyUnusable
    if (tx.scalar(select(func.count()).where(passkey.c.member_id == member_id)) or 0) >= MOST_PASSKEYS:
        raise PasskeysTooMany(most=MOST_PASSKEYS)
    values: dict[str, Any] = {each.name: getattr(new, each.name) for each in _COLUMNS}
    tx.execute(insert(passkey).values(**values, member_id=member_id, credential_sha256=digest))
    audit_log.add(tx, "passkey_added", member_id, 1, new.created_at)


class PasskeyQueries(Queries):
    def passkeys(self, member_id: str) -> tuple[Passkey, ...]:
        """A member's passkeys, oldest first."""
        query = select(*_COLUMNS).where(passkey.c.member_id == member_id).order_by(passkey.c.created_at, passkey.c.id)
        with self.database.read() as tx:
            return tuple(Passkey(**row._mapping) for row in tx.execute(query))

    def passkey_by_credential(self, credential_id: bytes) -> tuple[str, Passkey] | None:
        """The member's id and the passkey."""
        digest = hashlib.sha256(credential_id).hexdigest()
        query = select(passkey.c.member_id, *_COLUMNS).where(passkey.c.credential_sha256 == digest)
        with self.database.read() as tx:
            row = tx.execute(query).first()
            if row is None:
                return None
            values = dict(row._mapping)
            return values.pop("member_id"), Passkey(**values)

    def keep_passkey(self, member_id: str, new: Passkey) -> None:
        """Raises PasskeysTooMany, PasskeyUnusable, and NotFound if the member was removed or locked meanwhile."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(member.c.id).where(member.c.id == member_id, member.c.locked_at.is_(None))) is None:
                raise NotFound
            add_passkey(tx, member_id, new)

    def rename_passkey(self, member_id: str, passkey_id: str, name: str) -> None:
        """Raises NotFound."""
        which = (passkey.c.member_id == member_id, passkey.c.id == passkey_id)
        with self.database.write(durable=True) as tx:
            if tx.execute(update(passkey).where(*which).values(name=name)).rowcount != 1:
                raise NotFound

    def use_passkey(self, used: Passkey, count: int, now: datetime) -> bool:
        """Note a use; False if another use came first, or the passkey was removed."""
        which = (passkey.c.id == used.id, passkey.c.sign_count == used.sign_count)
        with self.database.write(durable=True) as tx:
            return tx.execute(update(passkey).where(*which).values(sign_count=count, used_at=now)).rowcount == 1

    def remove_passkey(self, who: Member, passkey_id: str, now: datetime) -> None:
        """Raises NotFound, and LastWayIn if the member could not sign in without it."""
        which = (passkey.c.member_id == who.id, passkey.c.id == passkey_id)
        with self.database.write(durable=True) as tx:
            if tx.execute(delete(passkey).where(*which)).rowcount != 1:
                raise NotFound
            require_sign_in_method(tx, who.id)
            audit_log.add(tx, "passkey_removed", who.id, 1, now)
