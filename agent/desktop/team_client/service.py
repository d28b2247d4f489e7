"""The team room: joins a server, follows its people, sends what is named here, and leaves."""

import asyncio
import uuid
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Final

import structlog

from agent.desktop.team_client.announced_trust import follow_trust
from agent.desktop.team_client.folder_sharing import FolderSharing
from agent.desktop.team_client.folder_uploads import FolderUploads
from agent.desktop.team_client.invitation import TeamInvitation, granted, invited, proves_itself
from agent.desktop.team_client.queries import TeamQueries
from agent.desktop.team_client.records import Left, Link
from agent.desktop.team_client.retry_policy import repeat
from agent.desktop.team_client.team_alerts import TeamAlerts
from agent.desktop.team_client.team_names import TeamNames
from agent.desktop.team_client.team_session import TeamSession
from agent.domain.errors import (
    AgentError,
    Forbidden,
    SignInRequired,
    TeamEnded,
    TeamJoinedAlready,
    TeamMayNotShare,
    TeamMoveUnproven,
    TeamNotAdmitted,
    TeamNotJoined,
    TeamServerNotFound,
    TeamUnreachable,
)
from agent.infrastructure.core.observable import ChangeSignal, wait_at_most
from agent.infrastructure.core.service_context import Environment
from agent.interfaces.web.announcement import address_of

log = structlog.get_logger()

_LONGEST_PAUSE_S: Final = 30.0
_LEAVING_S: Final = 60.0


class TeamMembership:
    """The server that this desktop joined, if any. For use in the event loop."""

    def __init__(
        self,
        library: TeamQueries,
        names: TeamNames,
        line: TeamSession,
        environment: Environment,
        sharing: FolderSharing,
        uploads: FolderUploads,
        alerts: TeamAlerts,
    ) -> None:
        self.library = library
        self.names = names
        self.sharing, self.uploads = sharing, uploads
        self.line = line
        self.changed = ChangeSignal()
        """what `state` says may be different"""
        self.problem: AgentError | None = None
        self.seen_at: datetime | None = None
        """the last contact"""
        self.invitation: TeamInvitation | None = None
        self._alerts = alerts
        self._environment = environment
        self._waiting: asyncio.Task[None] | None = None
        self._link_changed = asyncio.Event()
        names.began_anew.subscribe(lambda _: self.sharing.begin_anew())
        names.began_anew.subscribe(lambda _: self.uploads.begin_anew())
        self.sharing.said.subscribe(lambda _: names.send_soon())
        for each in (names, self.sharing, self.uploads):
            each.changed.subscribe(lambda _: self.changed.notify())

    # -- joining -----------------------------------------------------------------------------------------------------------------
    async def join(self, address: str) -> TeamInvitation:
        """Ask a server to let this computer in; what a member decides is followed in the background.

        Raises TeamAddressInvalid, TeamJoinedAlready, TeamServerNotFound, TeamCertificateUnknown, TeamCertificateExpired,
        TeamAddressUnnamed, TooManyAttempts.
        """
        wanted = address_of(address)
        if await asyncio.to_thread(self.library.link) is not None:
            raise TeamJoinedAlready
        await self.cancel()
        self.problem = None
        self.invitation = invitation = await invited(wanted, self._environment.clock())
        self._waiting = asyncio.create_task(self._joined(invitation))
        self.changed.notify()
        return invitation

    async def cancel(self) -> None:
        """Wait for no member's decision any more."""
        waiting, self._waiting, self.invitation = self._waiting, None, None
        if waiting is not None:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            self.changed.notify()

    async def _joined(self, invitation: TeamInvitation) -> None:
        try:
            link, token = await granted(invitation, uuid.uuid4().hex)
            await asyncio.to_thread(self.line.tokens.write, link.uid, token)
            await asyncio.to_thread(self.library.join, link, now=self._environment.clock())
            log.info("team.joined")
            self._link_changed.set()
        except AgentError as error:
            log.warning("team.not_joined", code=error.code)
            self.problem = error
        self.invitation = self._waiting = None
        self.changed.notify()

    # -- the way there -----------------------------------------------------------------------------------------------------------
    async def move(self, address: str) -> Link:
        """Follow the server at another address from now on, if it is the one that was joined. What is not sent yet stays.

        It proves that by a pinned key, and by taking this computer's token. Raises TeamAddressInvalid, TeamNotJoined, TeamMoveUnproven,
        TeamServerNotFound, TeamCertificateChanged, TeamAddressUnnamed, TeamNotAdmitted.
        """
        wanted = address_of(address)
        link, token = await self._joined_by()
        if not proves_itself(link, wanted):
            raise TeamMoveUnproven
        try:
            async with self.line.connect(wanted, link.authority, token) as server:
                await server.operate([])
        except TeamUnreachable as error:
            raise TeamServerNotFound from error
        except (SignInRequired, Forbidden) as error:
            raise TeamNotAdmitted from error
        if not await asyncio.to_thread(self.library.move, link.uid, wanted, now=self._environment.clock()):
            raise TeamNotJoined  # left meanwhile
        log.info("team.moved")
        self.problem = None
        self._link_changed.set()
        self.changed.notify()
        return replace(link, address=wanted)

    async def libraries(self) -> tuple[str, ...]:
        """Return the server's libraries to which photos of this computer can go. Raises TeamNotJoined, TeamUnreachable."""
        link, token = await self._joined_by()
        async with self.line.connect(link.address, link.authority, token) as server:
            try:
                return await server.libraries()
            except Forbidden as error:
                raise TeamMayNotShare from error

    async def _joined_by(self) -> tuple[Link, str]:
        """Return the server and its token. Raises TeamNotJoined."""
        link = await asyncio.to_thread(self.library.link)
        token = None if link is None else await asyncio.to_thread(self.line.tokens.read, link.uid)
        if link is None or token is None:
            raise TeamNotJoined
        return link, token

    # -- following ---------------------------------------------------------------------------------------------------------------
    async def run(self) -> None:
        """Follow the server while there is one, until cancelled."""
        bus = self._environment.bus
        with bus.listening(self.sharing.happened), bus.listening(self.uploads.happened):
            try:
                while True:
                    self._link_changed.clear()
                    try:
                        await self._live()
                    except AgentError as error:  # the keyring is locked, or the library can't be written now
                        log.warning("team.blocked", code=error.code)
                        self._found(error)
                        await wait_at_most(self._link_changed, _LONGEST_PAUSE_S)
            finally:
                await self.cancel()

    async def _live(self) -> None:
        """Until the server is another one, or none."""
        await self._left_whole()
        told = await self.line.notify_left()
        link = await asyncio.to_thread(self.library.link)
        if link is not None:
            await self._until_changed(link)
        else:
            if self.problem is None and (unsent := await asyncio.to_thread(self.library.ended, now=self._environment.clock())) is not None:
                self._found(_ended(unsent))  # said until it is joined again, and after a restart, too
            await wait_at_most(self._link_changed, None if told else _LONGEST_PAUSE_S)

    async def _left_whole(self) -> None:
        """Delete what came from a server that was being left when the program ended: it may be out of reach for days."""
        async with self.line.ending:
            leaving, link = await asyncio.to_thread(lambda: (self.line.tokens.leaving(), self.library.link()))
            if leaving is not None and link is not None and link.uid == leaving.uid:
                await self._wipe()

    async def _until_changed(self, link: Link) -> None:
        token = await asyncio.to_thread(self.line.tokens.read, link.uid)
        if token is None:  # an earlier library was restored: that membership is over
            await self._end()
            return
        async with self.line.connect(link.address, link.authority, token) as server:
            works = [
                asyncio.create_task(repeat(work, self._followed, longest_s=_LONGEST_PAUSE_S, ends=(SignInRequired, Forbidden)))
                for work in (lambda: self.names.follow(server), lambda: self.names.send(server))
            ]
            trust = repeat(lambda: follow_trust(link, server, partial(self._trust, link)), lambda _: None, ends=())
            others = self.sharing.run(server), self.uploads.run(server), self._alerts.run(link, server), trust
            works += [asyncio.create_task(each) for each in others]
            changed = asyncio.create_task(self._link_changed.wait())
            try:
                await asyncio.wait([*works, changed], return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in (*works, changed):
                    task.cancel()
                await asyncio.gather(*works, changed, return_exceptions=True)
        for work in works:
            if not work.cancelled() and (error := work.exception()) is not None:
                if not isinstance(error, SignInRequired | Forbidden):
                    raise error
                await self._end()
                return

    async def _trust(self, link: Link, authority: str, fingerprint: str) -> None:
        """Connect by other certificates from now on."""
        if await asyncio.to_thread(self.library.trust, link.uid, authority, fingerprint, now=self._environment.clock()):
            log.info("team.trust_changed")
            self._link_changed.set()

    def _followed(self, problem: AgentError | None) -> None:
        if problem is None:
            self.seen_at = self._environment.clock()
        elif self.problem is None or self.problem.code != problem.code:
            log.warning("team.out_of_reach", code=problem.code)
        self._found(problem)

    def _found(self, problem: AgentError | None) -> None:
        if (problem and problem.code) != (self.problem and self.problem.code):
            self.problem = problem
            self.changed.notify()

    # -- leaving -------------------------------------------------------------------------------------------------------------------
    async def leave(self, *, remove: bool = False) -> Left:
        """Delete all that came from the team, and end the token: later, if the server can't be reached now. Raises TeamNotJoined.

        With `remove`, the server deletes what this computer sent and told of.
        """
        link = await asyncio.to_thread(self.library.link)
        if link is None:
            raise TeamNotJoined
        told, sent = (await self.sharing.state()).sent, (await self.uploads.state()).counts.sent
        async with self.line.ending:
            leaving = await self.line.note_leaving(link, remove=remove)
            receipt, removed = await self._wipe(), None
            with suppress(TimeoutError):  # the rest follows in the background
                async with asyncio.timeout(_LEAVING_S):
                    removed = await self.line.revoke(leaving)
        self.problem = None
        self.changed.notify()
        if receipt is None:
            raise TeamNotJoined
        if removed is None:
            return replace(receipt, stays_photos=sent, stays_results=told)
        stays = max(0, sent - removed.photos), max(0, told - removed.results)
        gone = replace(receipt, revoked=True, removed_photos=removed.photos, removed_results=removed.results)
        return replace(gone, stays_photos=stays[0], stays_results=stays[1])

    async def _end(self) -> None:
        """The server no longer admits this computer: what came from it must not stay."""
        link = await asyncio.to_thread(self.library.link)
        if link is None:
            return
        left = await self._wipe(ended=True)
        await asyncio.to_thread(self.line.tokens.forget, link.uid)
        log.warning("team.ended")
        self.problem = _ended(0 if left is None else left.unsent)
        self.changed.notify()

    async def _wipe(self, *, ended: bool = False) -> Left | None:
        left = await self.names.wipe(ended=ended)
        self._link_changed.set()
        await self._alerts.forget()
        return left


def _ended(unsent: int) -> TeamEnded:
    return TeamEnded(unsent=unsent) if unsent else TeamEnded()
