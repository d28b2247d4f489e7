"""Members' sessions: in the database, so that they outlive a restart, and in memory while they are in use."""

import asyncio
import hmac
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from agent.domain.errors import StoreError, WrongSignIn
from agent.infrastructure.core.background import BackgroundTasks
from agent.interfaces.web.access import Principal, scopes_of
from agent.interfaces.web.local_auth import IDLE_S, LONGEST_S
from agent.server.accounts.queries import SessionQueries
from agent.server.accounts.read_cache import ReadThroughCache
from agent.server.accounts.records import PASSWORD, Member, SessionRecord
from agent.server.accounts.secret_tokens import new_secret, sha256_of

IDLE: Final = timedelta(seconds=IDLE_S)
LONGEST: Final = timedelta(seconds=LONGEST_S)
_NOTED_EVERY: Final = timedelta(minutes=1)


@dataclass
class MemberSession:
    """A session in use. `over` is set when it ends, or its member's rights change: streams that go on with it end."""

    record: SessionRecord
    principal: Principal
    seen_at: datetime
    noted_at: datetime
    over: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def member_id(self) -> str:
        return self.record.member.id


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session's secrets, of which only hashes are kept."""

    session: MemberSession
    key: str
    ticket: str
    cookie: str


class Sessions:
    def __init__(self, queries: SessionQueries, clock: Callable[[], datetime]) -> None:
        self._queries = queries
        self._clock = clock
        self._by_key = ReadThroughCache(lambda sha256: self._used(queries.session_by_key(sha256)))
        self._keys: dict[str, str] = {}  # by ticket, both as hashes
        self._notes = BackgroundTasks()

    async def open(
        self, member: Member, browser: str, address: str, means: str = PASSWORD, provider_session: str | None = None
    ) -> OpenedSession:
        """Raises WrongSignIn if the member was locked or removed, or the password changed, since they were read."""
        key, ticket, cookie, now = new_secret(), new_secret(), new_secret(), self._clock()
        hashes = sha256_of(key), sha256_of(ticket), sha256_of(cookie)
        record = SessionRecord(0, member, *hashes, browser, address, now, now, means, provider_session)
        await asyncio.to_thread(self._queries.end_old_sessions, unused_since=now - IDLE, opened_before=now - LONGEST, now=now)
        stored = await asyncio.to_thread(self._queries.open_session, record)
        session = await self.by_key(key) if stored is not None else None
        if session is None:
            raise WrongSignIn
        return OpenedSession(session, key, ticket, cookie)

    async def by_key(self, key: str) -> MemberSession | None:
        """The session with that key, now in use."""
        return self._in_use(await self._by_key.get(sha256_of(key)))

    async def by_ticket(self, ticket: str, cookie: str) -> MemberSession | None:
        """The session to which both belong, now in use."""
        sha256 = sha256_of(ticket)
        if (key := self._keys.get(sha256)) is None:
            record = await asyncio.to_thread(self._queries.session_by_ticket, sha256)
            if record is None:
                return None
            key = self._keys[sha256] = record.key_sha256
        session = await self._by_key.get(key)
        if session is None or not hmac.compare_digest(session.record.cookie_sha256, sha256_of(cookie)):
            return None
        return self._in_use(session)

    def stays(self, session: MemberSession) -> bool:
        """Mark it as in use; False if it has ended."""
        return self._in_use(session) is not None

    async def of(self, member_id: str) -> tuple[SessionRecord, ...]:
        """A member's sessions that have not ended, oldest first."""
        now = self._clock()
        found = await asyncio.to_thread(self._queries.sessions, member_id)
        return tuple(each for each in found if now - each.seen_at < IDLE and now - each.opened_at < LONGEST)

    async def end(self, member_id: str, *, number: int | None = None, but: int | None = None, means: str | None = None) -> int:
        """End one session of a member, or all `but` one, or those opened by `means`. Returns how many."""
        end = partial(self._queries.end_sessions, member_id, self._clock(), number=number, but=but, means=means)
        ended = await asyncio.to_thread(end)
        self.ended(ended)
        return len(ended)

    def reload(self, member_id: str | None = None) -> None:
        """Read the member's sessions, or all, again before they are used again: their rights changed, or the sessions are gone."""
        self._drop(lambda session: member_id in (None, session.member_id))

    def ended(self, numbers: Collection[int]) -> None:
        """Stop using those: the database has them no more."""
        self._drop(lambda session: session.record.id in numbers)

    def _drop(self, which: Callable[[MemberSession], bool]) -> None:
        self._keys.clear()
        self._by_key.drop(which)

    def _used(self, found: SessionRecord | None) -> MemberSession | None:
        if found is None or found.member.locked_at is not None:
            return None
        member = found.member
        principal = Principal("member", member.id, member.name, member.role, scopes_of(member.role))
        return MemberSession(found, principal, found.seen_at, found.seen_at)

    def _in_use(self, session: MemberSession | None) -> MemberSession | None:
        now = self._clock()
        if session is None or session.over.is_set() or now - session.seen_at >= IDLE or now - session.record.opened_at >= LONGEST:
            return None
        session.seen_at = now
        if now - session.noted_at >= _NOTED_EVERY:
            session.noted_at = now
            self._notes.start(self._note(session.record.id, now))
        return session

    async def _note(self, number: int, now: datetime) -> None:
        with suppress(StoreError):  # the next minute's is as good
            await asyncio.to_thread(self._queries.seen, {number: now})
