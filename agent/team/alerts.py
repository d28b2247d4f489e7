"""Follows the alerts of the team's server, and has each told once on an administrator's desktop."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Sequence
from typing import Final, TypeAlias

import structlog

from agent.domain.errors import AgentError, Forbidden, NotFound
from agent.team.connection import TeamConnection
from agent.team.records import Link
from agent.team.told_alerts import Told, ToldAlerts
from agent.web.desk_alerts import DeskAlert

log = structlog.get_logger()

NEXT_S: Final = 1.0
WAITING_S: Final = 60.0
"""while something waits for the end of a quiet time"""
RARELY_S: Final = 3_600.0
"""where the member may not see alerts, which can change, or the server is older than they are"""
_LONGEST_PAUSE_S: Final = 60.0

# Tells alerts of that server; returns the ids of those that were told. The others are offered again while they fire.
Tell: TypeAlias = Callable[[Link, Sequence[DeskAlert]], Awaitable[Collection[int]]]


class TeamAlerts:
    """For use in the event loop. The end of an alert is not told: who saw it looks at the server's page."""

    def __init__(self, told: ToldAlerts, tell: Tell, rest: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._kept = told
        self._tell = tell
        self._rest = rest

    async def run(self, link: Link, server: TeamConnection) -> None:
        """Until cancelled. Nothing that the server refuses here ends the membership: what else it says decides on that."""
        told: Told | None = None
        pause, code = NEXT_S, ""
        while True:
            try:
                if told is None:
                    told = await asyncio.to_thread(self._kept.read, link.uid)
                told, rest = await self._step(link, server, told)
                pause, code = NEXT_S, ""
            except (Forbidden, NotFound):
                rest = RARELY_S
            except AgentError as error:
                if error.code != code:
                    log.warning("team.alerts_unknown", code=error.code)
                rest, pause, code = pause, min(_LONGEST_PAUSE_S, pause * 2), error.code
            await self._rest(rest)

    async def forget(self) -> None:
        """The server was left."""
        try:
            await asyncio.to_thread(self._kept.forget)
        except AgentError as error:
            log.warning("team.alerts_not_forgotten", code=error.code)

    async def _step(self, link: Link, server: TeamConnection, told: Told) -> tuple[Told, float]:
        """Ask, and tell what is new. Returns what is told now, and how long to rest."""
        page = await server.alerts(told.after)
        if not page.watched:
            return told, RARELY_S
        fresh = [each for each in page.items if each.id not in told]
        said = await self._tell(link, fresh) if fresh else ()
        waiting = {each.id for each in fresh}.difference(said)
        now = told.plus(said, waiting)
        if now != told:
            await self._keep(link, now)
        return now, WAITING_S if waiting else NEXT_S

    async def _keep(self, link: Link, now: Told) -> None:
        try:
            await asyncio.to_thread(self._kept.write, link.uid, now)
        except AgentError as error:  # then only this run knows
            log.warning("team.alerts_not_kept", code=error.code)
