"""What this process keeps of the team's database in memory follows what the server's other processes change."""

import asyncio

import structlog

from agent.domain.errors import AgentError
from agent.infrastructure.store.pg_notify import Change
from agent.server.accounts.service import Accounts
from agent.server.libraries.buckets import Buckets
from agent.server.libraries.service import Libraries
from agent.server.uploads.partial_files import LET_GO
from agent.server.uploads.service import Uploads
from agent.server.workers.event_relay import EventRelay

log = structlog.get_logger()

_OF_LIBRARIES = frozenset({"library", "library_source", "library_access"})
_BUCKET = "bucket"
_RETRY_S = 1.0


class Following:
    """Rights end at once; what is read again takes a moment. Use it from one event loop."""

    def __init__(self, accounts: Accounts, libraries: Libraries, buckets: Buckets, uploads: Uploads) -> None:
        self._accounts = accounts
        self._libraries = libraries
        self._buckets = buckets
        self._uploads = uploads
        self._stale: set[str] = set()
        self._wake = asyncio.Event()

    def listen(self, relay: EventRelay) -> None:
        relay.changed.subscribe(self._changed)
        relay.deaf.subscribe(lambda _: self._anything())

    async def run(self) -> None:
        """Read again what changed, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            stale, self._stale = self._stale, set()
            try:
                if stale & _OF_LIBRARIES:
                    await self._libraries.read_again()
                if _BUCKET in stale:
                    await self._buckets.changed_elsewhere()
            except AgentError as error:
                log.warning("server.not_followed", code=error.code)
                self._read(*stale)
                await asyncio.sleep(_RETRY_S)

    def _changed(self, change: Change) -> None:
        match change.table:
            case "member":
                self._accounts.members.reload(change.about)
            case "member_session":
                self._accounts.sessions.ended((int(change.about),))
            case "api_token":
                self._accounts.tokens.ended_elsewhere(change.about)
            case _ if change.table == LET_GO:
                self._uploads.let_go(change.about)
            case table if table == _BUCKET or table in _OF_LIBRARIES:
                self._read(table)

    def _anything(self) -> None:
        self._accounts.members.reload()
        self._read(*_OF_LIBRARIES, _BUCKET)

    def _read(self, *tables: str) -> None:
        self._stale |= set(tables)
        self._wake.set()
