"""Challenges of signing in: random, for one purpose, a few minutes, and used once, whichever process answers."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from limits import RateLimitItemPerMinute
from limits.storage import Storage
from sqlalchemy import delete, insert, select

from agent.domain.errors import CeremonyGone
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import ceremony
from agent.server.accounts.rate_limits import AddressLimit
from agent.server.accounts.secret_tokens import new_secret, sha256_of

LASTS: Final = timedelta(minutes=5)
# Begun by one address: an office shares one.
PER_MINUTE: Final = RateLimitItemPerMinute(120, 1, "ceremonies")


class CeremonyQueries(Queries):
    """Challenges in the database."""

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


class CeremonyKind(StrEnum):
    PASSKEY_SIGN_IN = "passkey_sign_in"
    PASSKEY_SECOND = "passkey_second"
    """beside a password or an invitation"""
    PASSKEY_ADD = "passkey_add"
    PASSKEY_INVITATION = "passkey_invitation"
    PROVIDER_SIGN_IN = "provider_sign_in"
    PROVIDER_SECOND = "provider_second"
    """after the provider, for a member with a second factor"""
    PROVIDER_LINK = "provider_link"
    PROVIDER_INVITATION = "provider_invitation"
    LOGOUT_TOKEN = "logout_token"
    """the provider's own, kept so that none works twice"""
    ENDED_SESSION = "ended_session"
    """a session of the provider that ended, kept so that a sign-in on its way opens nothing"""


class ChallengeStore:
    def __init__(self, queries: CeremonyQueries, counted: Storage, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._clock = clock
        self._limit = AddressLimit(counted, PER_MINUTE, clock)

    async def begin(self, kind: CeremonyKind, address: str, about: str = "") -> str:
        """A secret of 256 random bits, of which the database holds the hash. Raises TooManyAttempts."""
        return await asyncio.to_thread(self._begin, kind, address, about)

    def _begin(self, kind: CeremonyKind, address: str, about: str) -> str:
        secret, now = new_secret(), self._clock()
        self._limit.take(address)
        self._queries.begin_ceremony(sha256_of(secret), kind, about, now + LASTS, now)
        return secret

    async def known(self, kind: CeremonyKind, secret: str, about: str = "") -> None:
        """Check one without using it up. Raises CeremonyGone."""
        if await asyncio.to_thread(self._queries.ceremony, sha256_of(secret), self._clock()) != (kind, about):
            raise CeremonyGone

    async def use(self, kind: CeremonyKind, secret: str, about: str = "") -> None:
        """Use it up, also if it was made for something else. Raises CeremonyGone."""
        found = await asyncio.to_thread(self._queries.use_ceremony, sha256_of(secret), self._clock())
        if found != (kind, about):
            raise CeremonyGone
