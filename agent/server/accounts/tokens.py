"""API tokens: what a program shows that acts for a member."""

import asyncio
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from agent.domain.errors import BadRequest, NotFound, StoreError
from agent.infrastructure.core.background import BackgroundTasks
from agent.interfaces.web.access import Principal, Scope, scopes_of
from agent.server.accounts.read_cache import ReadThroughCache
from agent.server.accounts.records import Member, TokenRecord
from agent.server.accounts.secret_tokens import new_id, new_secret, sha256_of
from agent.server.accounts.token_queries import TokenQueries

PREFIX: Final = "aip_"  # by which scanners of source code find a token that was left there
MOST_TOKENS: Final = 50
_TRIAL: Final = timedelta(hours=1)
_TRIED: Final = timedelta(days=365)
"""how long a token lasts that was used within its trial"""
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass
class TokenInUse:
    record: TokenRecord
    principal: Principal
    noted_at: datetime | None
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def member_id(self) -> str:
        return self.record.member.id


class Tokens:
    def __init__(self, queries: TokenQueries, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._clock = clock
        self._loaded = ReadThroughCache(lambda sha256: _used(queries.token(sha256)))
        self._notes = BackgroundTasks()

    async def add(self, member: Member, name: str, scopes: Collection[Scope], days: int | None) -> tuple[TokenRecord, str]:
        """A new token and its secret, which is shown this once.

        Without `days` it lasts a year if it is used within an hour: a program that ended before it kept the secret never uses it.
        Raises BadRequest for scopes that the member or a token can't have, and for too many tokens.
        """
        if not scopes or not frozenset(scopes) <= scopes_of(member.role, [each.value for each in scopes]):
            raise BadRequest(reason="scopes")
        now = self._clock()
        if sum(each.expires_at > now for each in await asyncio.to_thread(self._queries.tokens, member.id)) >= MOST_TOKENS:
            raise BadRequest(reason="tokens")
        secret, lasts = PREFIX + new_secret(), _TRIAL if days is None else timedelta(days=days)
        record = TokenRecord(new_id(), member, name, tuple(sorted(scopes)), now, now + lasts, None)
        await asyncio.to_thread(self._queries.add_token, record, sha256_of(secret))
        return record, secret

    async def by_secret(self, secret: str) -> TokenInUse | None:
        """The token with that secret, now in use; None if it has ended. Raises StoreError."""
        found = await self._loaded.get(sha256_of(secret)) if secret.startswith(PREFIX) else None
        if found is None or not self.stays(found):
            return None
        if found.record.expires_at - found.record.created_at <= _TRIAL:
            until = found.record.created_at + _TRIED
            await asyncio.to_thread(self._queries.extend_token, found.record.id, until)
            found.record = replace(found.record, expires_at=until)
        now = self._clock()
        if found.noted_at is None or now - found.noted_at >= _NOTED_EVERY:
            found.noted_at = now
            self._notes.start(self._note(found.record.id, now))
        return found

    def stays(self, token: TokenInUse) -> bool:
        """False if it has ended."""
        return not token.over.is_set() and self._clock() < token.record.expires_at

    async def of(self, member_id: str) -> tuple[TokenRecord, ...]:
        """A member's tokens, newest first."""
        return await asyncio.to_thread(self._queries.tokens, member_id)

    async def remove(self, member_id: str, token_id: str) -> None:
        """Raises NotFound."""
        if not await asyncio.to_thread(self._queries.remove_token, member_id, token_id, self._clock()):
            raise NotFound
        self._loaded.drop(lambda each: each.record.id == token_id)

    def ended_elsewhere(self, token_id: str) -> None:
        """Another process removed it."""
        self._loaded.drop(lambda each: each.record.id == token_id)

    def reload(self, member_id: str | None = None) -> None:
        """Read the member's tokens, or all, again before they are used again."""
        self._loaded.drop(lambda each: member_id in (None, each.member_id))

    async def _note(self, token_id: str, now: datetime) -> None:
        with suppress(StoreError):  # the next minute's is as good
            await asyncio.to_thread(self._queries.used, {token_id: now})


def _used(found: TokenRecord | None) -> TokenInUse | None:
    if found is None or found.member.locked_at is not None:
        return None
    member, scopes = found.member, scopes_of(found.member.role, found.scopes)
    return TokenInUse(found, Principal("token", member.id, member.name, member.role, scopes, frozenset(found.scopes)), found.used_at)
