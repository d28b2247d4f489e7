"""The way to the team's server: this computer's token, connecting with it, and ending it once the server was left."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import replace
from datetime import datetime
from typing import Final, TypeAlias

import structlog

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.records import Link
from agent.desktop.team_client.team_tokens import Leaving, TeamTokens
from agent.desktop.team_client.upload_connection import UploadConnection
from agent.domain.errors import AgentError, Forbidden, NotFound, SignInRequired
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.web.desk_photos import RemovedOfDesk

# The token ends by itself within a year, and an administrator can end it and delete what was sent at any time.
_TRIED_S: Final = 30 * 86_400.0
_TRY_S: Final = 180.0  # a part of what is to be deleted may take two minutes
log = structlog.get_logger()

# Connects to an address by its authority, with a token.
Connect: TypeAlias = Callable[[str, str, str], AbstractAsyncContextManager[TeamConnection]]


class TeamSession:
    """Raises KeyHomeError, StoreError."""

    def __init__(self, tokens: TeamTokens, connect: Connect = TeamConnection.to, clock: Callable[[], datetime] = utc_now) -> None:
        self.ending = asyncio.Lock()
        """held while a server is being left: what it says then is said to one caller"""
        self.try_s = _TRY_S
        self.tokens = tokens
        self.connect = connect
        self._clock = clock

    async def note_leaving(self, link: Link, *, remove: bool) -> Leaving:
        """Note that the server is to be told of it, before anything else is done."""
        leaving = Leaving(link.uid, link.address, link.authority, remove, self._clock().timestamp())
        await asyncio.to_thread(self.tokens.note_leaving, leaving)
        return leaving

    async def revoke(self, leaving: Leaving) -> RemovedOfDesk | None:
        """End the token, and before that have removed what is to be removed; None if the server is out of reach."""
        removed = RemovedOfDesk(photos=0, results=0, stays=0)
        token = await asyncio.to_thread(self.tokens.read, leaving.uid)
        if token is not None:
            try:
                async with self.connect(leaving.address, leaving.authority, token) as server:
                    if leaving.remove:
                        with suppress(Forbidden):  # the member may no longer send photos: an administrator can remove them
                            removed = await UploadConnection(server).remove_all()
                    await server.leave()
            except (SignInRequired, Forbidden, NotFound):
                pass  # it has ended already
            except AgentError as error:
                log.warning("team.not_revoked", code=error.code)
                return None
        await asyncio.to_thread(self.tokens.forget, leaving.uid)
        return removed

    async def notify_left(self) -> bool:
        """Tell a server that was left while it could not be reached; False if it is to be told later. After 30 days it is given up."""
        async with self.ending:
            leaving = await asyncio.to_thread(self.tokens.leaving)
            if leaving is None:
                return True
            now = self._clock().timestamp()
            if not leaving.since:
                await asyncio.to_thread(self.tokens.note_leaving, replace(leaving, since=now))
            elif now - leaving.since > _TRIED_S:
                await asyncio.to_thread(self.tokens.forget, leaving.uid)
                log.warning("team.never_revoked")
                return True
            revoked = None
            with suppress(TimeoutError):  # a server that ends no answer holds up neither another team nor the program's end
                async with asyncio.timeout(self.try_s):
                    revoked = await self.revoke(leaving)
            if revoked is not None:
                log.info("team.revoked")
            return revoked is not None
