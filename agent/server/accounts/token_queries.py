"""API tokens in the database."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Row, delete, insert, update

from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import api_token, member
from agent.server.accounts.member_rows import COLUMNS, member_of, selected
from agent.server.accounts.records import TokenRecord

_KEPT: Final = timedelta(days=30)
"""how long a token is listed that has ended"""
_OF_TOKEN: Final = tuple(each for each in api_token.c if each.name not in ("member_id", "sha256"))


class TokenQueries(Queries):
    def add_token(self, new: TokenRecord, sha256: str) -> None:
        """Its member's tokens that ended long ago go."""
        values = {"id": new.id, "member_id": new.member.id, "name": new.name, "sha256": sha256, "scopes": list(new.scopes)}
        over = api_token.c.member_id == new.member.id, api_token.c.expires_at < new.created_at - _KEPT
        with self.database.write(durable=True) as tx:
            tx.execute(delete(api_token).where(*over))
            tx.execute(insert(api_token).values(**values, created_at=new.created_at, expires_at=new.expires_at))
            audit_log.add(tx, "token_made", new.member.id, len(new.scopes), new.created_at)

    def token(self, sha256: str) -> TokenRecord | None:
        with self.database.read() as tx:
            row = tx.execute(_tokens().where(api_token.c.sha256 == sha256)).first()
            return _token(row) if row else None

    def tokens(self, member_id: str) -> tuple[TokenRecord, ...]:
        """A member's tokens, newest first, ended ones too."""
        query = _tokens().where(api_token.c.member_id == member_id).order_by(api_token.c.created_at.desc(), api_token.c.id)
        with self.database.read() as tx:
            return tuple(map(_token, tx.execute(query)))

    def used(self, used: Mapping[str, datetime]) -> None:
        """Note when tokens were last used."""
        with self.database.write() as tx:
            for token_id, at in used.items():
                tx.execute(update(api_token).where(api_token.c.id == token_id).values(used_at=at))

    def extend_token(self, token_id: str, until: datetime) -> None:
        with self.database.write(durable=True) as tx:
            tx.execute(update(api_token).where(api_token.c.id == token_id).values(expires_at=until))

    def remove_token(self, member_id: str, token_id: str, now: datetime) -> bool:
        """False if the member has no such token."""
        which = (api_token.c.member_id == member_id, api_token.c.id == token_id)
        with self.database.write(durable=True) as tx:
            removed = tx.execute(delete(api_token).where(*which)).rowcount == 1
            if removed:
                audit_log.add(tx, "token_removed", member_id, 1, now)
            return removed


def _tokens() -> Any:
    return selected(*COLUMNS, *_OF_TOKEN).join(member, member.c.id == api_token.c.member_id)


def _token(row: Row[*tuple[Any, ...]]) -> TokenRecord:
    values: dict[str, Any] = {each.name: row._mapping[each] for each in _OF_TOKEN}
    return TokenRecord(member=member_of(row), **values | {"scopes": tuple(values["scopes"])})
