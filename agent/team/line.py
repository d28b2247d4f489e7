"""The way to the team's server: this computer's token, connecting with it, and ending it once the server was left."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, suppress
from typing import TypeAlias

import structlog

from agent.domain.errors import AgentError, Forbidden, NotFound, SignInRequired
from agent.team.connection import TeamConnection
from agent.team.team_tokens import Leaving, TeamTokens
from agent.team.upload_connection import UploadConnection
from agent.web.desk_photos import RemovedOfDesk

log = structlog.get_logger()

# Connects to an address by its authority, with a token.
Connect: TypeAlias = Callable[[str, str, str], AbstractAsyncContextManager[TeamConnection]]


class TeamLine:
    """Raises KeyHomeError, StoreError."""

    def __init__(self, tokens: TeamTokens, connect: Connect = TeamConnection.to) -> None:
        self.ending = asyncio.Lock()
        """held while a server is being left: what it says then is said to one caller"""
        self.tokens = tokens
        self.connect = connect

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

    async def tell_left(self) -> bool:
        """Tell a server that was left while it could not be reached; False if it still is out of reach."""
        async with self.ending:
            leaving = await asyncio.to_thread(self.tokens.leaving)
            if leaving is None:
                return True
            if revoked := await self.revoke(leaving):
                log.info("team.revoked")
            return revoked is not None
