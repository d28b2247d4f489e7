"""Routes of the team that this desktop joined."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import FastAPI, Path

from agent.desktop.team_client.discovery import ServerSearch
from agent.desktop.team_client.invitation import TeamInvitation
from agent.desktop.team_client.records import Link
from agent.desktop.team_client.schemas import (
    ConflictSettled,
    FolderUploadsOut,
    FoundServerOut,
    FoundServersOut,
    JoiningOut,
    SharingOut,
    TakenBack,
    TeamJoin,
    TeamLeave,
    TeamNameConflict,
    TeamNameCorrection,
    TeamOut,
    TeamReceipt,
    UploadsRetried,
)
from agent.desktop.team_client.service import TeamMembership
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.service_context import utc_now
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.announcement import FoundServer, address_of
from agent.interfaces.web.schemas import Problem

Uid = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
_DESKTOP = needs(Scope.DESKTOP)


def team_routes(
    api: FastAPI,
    team: TeamMembership,
    texts: Callable[[], Texts],
    caught_up: Callable[[], Awaitable[None]],
) -> None:
    """Add all of them to `api`."""
    searching = ServerSearch()
    _photo_routes(api, team, caught_up)

    @api.get("/api/team", openapi_extra=_DESKTOP)
    async def state() -> TeamOut:
        """The team that this computer joined, if any."""
        link = await asyncio.to_thread(team.library.link)
        problem = Problem.maybe(team.problem, texts())
        if link is None:
            joining = None if team.invitation is None else _joining(team.invitation)
            return TeamOut(state="none" if joining is None else "joining", joining=joining, problem=problem)
        library, now = team.library, utc_now()
        figures, conflicts, corrected = await asyncio.to_thread(
            lambda: (library.figures(), library.conflicts(), library.corrections(now=now))
        )
        return TeamOut(
            state="joined",
            name=link.name,
            address=link.address,
            fingerprint=link.fingerprint,
            member=link.member,
            may_name=link.may_name,
            people=figures.people,
            prints=figures.prints,
            waiting=figures.waiting,
            unsent=figures.unsent,
            seen_at=team.seen_at,
            problem=problem,
            conflicts=tuple(map(TeamNameConflict.from_record, conflicts)),
            corrections=tuple(map(TeamNameCorrection.from_record, corrected)),
            sharing=SharingOut.from_record(await team.sharing.state(), problem=Problem.maybe(team.sharing.problem, texts())),
            uploads=FolderUploadsOut.of(await team.uploads.state(), team.uploads.problem, texts()),
        )

    @api.get("/api/team/servers", openapi_extra=_DESKTOP)
    async def servers() -> FoundServersOut:
        """Search the local network for servers that announce themselves; the answer takes some seconds."""
        found, link = await searching.servers(), await asyncio.to_thread(team.library.link)
        return FoundServersOut(servers=tuple(_found(each, link) for each in found))

    @api.post("/api/team/join", openapi_extra=_DESKTOP)
    async def join(wanted: TeamJoin) -> JoiningOut:
        """Ask a server to let this computer in; a member confirms the code in the browser."""
        return _joining(await team.join(wanted.address))

    @api.delete("/api/team/join", status_code=204, openapi_extra=_DESKTOP)
    async def cancel() -> None:
        """Wait for no confirmation any more."""
        await team.cancel()

    @api.post("/api/team/address", status_code=204, openapi_extra=_DESKTOP)
    async def move(wanted: TeamJoin) -> None:
        """Follow the server at another address, once it has proved to be the one that was joined."""
        await team.move(wanted.address)

    @api.post("/api/team/conflicts/{uid}", status_code=204, openapi_extra=_DESKTOP)
    async def settle(uid: Uid, wanted: ConflictSettled) -> None:
        """Keep the name given here, for the whole team, or take the team's."""
        await team.names.settle(uid, wanted.keep)

    @api.post("/api/team/leave", openapi_extra=_DESKTOP)
    async def leave(wanted: TeamLeave | None = None) -> TeamReceipt:
        """Delete all that came from the team, and end this computer's access."""
        return TeamReceipt.from_record(await team.leave(remove=wanted is not None and wanted.remove))


def _photo_routes(api: FastAPI, team: TeamMembership, caught_up: Callable[[], Awaitable[None]]) -> None:
    """What goes from this computer's folders to the team."""

    @api.get("/api/team/libraries", openapi_extra=_DESKTOP)
    async def libraries() -> tuple[str, ...]:
        """The server's libraries to which photos of this computer can go."""
        return await team.libraries()

    @api.post("/api/team/take-back", openapi_extra=_DESKTOP)
    async def take_back() -> TakenBack:
        """Have the server forget the photos of folders that are no longer shared, and delete those that were sent and are still here."""
        await caught_up()  # a folder whose sharing was ended a moment ago counts
        return TakenBack(photos=await team.sharing.take_back(), uploads=await team.uploads.take_back())

    @api.post("/api/team/uploads/retry", openapi_extra=_DESKTOP)
    async def retry_uploads() -> UploadsRetried:
        """Try the photos again that could not be sent."""
        return UploadsRetried(photos=await team.uploads.retry())


def _found(server: FoundServer, link: Link | None) -> FoundServerOut:
    joined = link is not None and server.fingerprint == link.fingerprint
    followed = link.address if link is not None and joined and address_of(server.address) != link.address else ""
    return FoundServerOut.from_record(server, joined=joined, followed_at=followed)


def _joining(invitation: TeamInvitation) -> JoiningOut:
    return JoiningOut.from_record(invitation, code=invitation.user_code, system_trusts=invitation.system)
