"""Follows the alerts of the team's server, and has each told once on an administrator's desktop."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import structlog

from agent.desktop.team_client.connection import TeamConnection
from agent.desktop.team_client.records import Link
from agent.domain.errors import AgentError, Forbidden, NotFound
from agent.infrastructure.core.files import store_error, write_private
from agent.interfaces.web.desk_exchange import DeskAlert

log = structlog.get_logger()

NEXT_S: Final = 1.0
WAITING_S: Final = 60.0
"""while something waits for the end of a quiet time"""
RARELY_S: Final = 3_600.0
"""where the member may not see alerts, which can change, or the server is older than they are"""
_LONGEST_PAUSE_S: Final = 60.0

# Tells alerts of that server; returns the ids of those that were told. The others are offered again while they fire.
Tell: TypeAlias = Callable[[Link, Sequence[DeskAlert]], Awaitable[Collection[int]]]
FILE: Final = "team-alerts.json"


@dataclass(frozen=True, slots=True)
class Told:
    """All up to `after`, and of the newer ones those in `beyond`: others wait for the end of a quiet time."""

    after: int = 0
    beyond: frozenset[int] = frozenset()

    def __contains__(self, alert_id: int) -> bool:
        return alert_id <= self.after or alert_id in self.beyond

    def plus(self, told: Collection[int], waiting: Collection[int]) -> "Told":
        known = self.beyond.union(told)
        first = min(waiting, default=None)
        after = max([self.after, *(each for each in known if first is None or each < first)])
        return Told(after, frozenset(each for each in known if each > after))


class NotifiedAlerts:
    """All methods block and raise StoreError."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / FILE

    def read(self, uid: str) -> Told:
        """Return what was told of the server with that link."""
        try:
            found = json.loads(self._file.read_text(encoding="utf-8"))
            return Told(int(found["after"]), frozenset(map(int, found["beyond"]))) if found["uid"] == uid else Told()
        except FileNotFoundError:
            return Told()
        except (ValueError, TypeError, KeyError):
            return Told()  # damaged: what fires now is told again
        except OSError as error:
            raise store_error(error) from error

    def write(self, uid: str, told: Told) -> None:
        content = {"uid": uid, "after": told.after, "beyond": sorted(told.beyond)}
        try:
            write_private(self._file, json.dumps(content).encode("utf-8"))
        except OSError as error:
            raise store_error(error) from error

    def forget(self) -> None:
        try:
            self._file.unlink(missing_ok=True)
        except OSError as error:
            raise store_error(error) from error


class TeamAlerts:
    """For use in the event loop. The end of an alert is not told: who saw it looks at the server's page."""

    def __init__(self, told: NotifiedAlerts, tell: Tell, rest: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
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
