"""The way to the team's server: this computer's token, connecting with it, and ending it once the server was left."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeAlias

import structlog

from agent.domain.errors import AgentError, Forbidden, NotFound, SignInRequired
from agent.team.connection import TeamConnection
from agent.team.tokens import Leaving, TeamTokens

log = structlog.get_logger()

# Connects to an address by its authority, with a token.
Connect: TypeAlias = Callable[[str, str, str], AbstractAsyncContextManager[TeamConnection]]


class TeamLine:
    """Raises KeyHomeError, StoreError."""

    def __init__(self, tokens: TeamTokens, connect: Connect = TeamConnection.to) -> None:
        self.tokens = tokens
        self.connect = connect

    async def revoke(self, leaving: Leaving) -> bool:
        """End the token; False if the server is out of reach."""
        token = await asyncio.to_thread(self.tokens.read, leaving.uid)
        if token is not None:
            try:
                async with self.connect(leaving.address, leaving.authority, token) as server:
                    await server.leave()
            except (SignInRequired, Forbidden, NotFound):
                pass  # it has ended already
            except AgentError as error:
                log.warning("team.not_revoked", code=error.code)
                return False
        await asyncio.to_thread(self.tokens.forget, leaving.uid)
        return True

    async def tell_left(self) -> bool:
        """Tell a server that was left while it could not be reached; False if it still is out of reach."""
        leaving = await asyncio.to_thread(self.tokens.leaving)
        if leaving is None:
            return True
        if revoked := await self.revoke(leaving):
            log.info("team.revoked")
        return revoked
