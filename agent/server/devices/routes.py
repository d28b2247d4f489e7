"""Routes of desktop agents on a team server, and of the members who let them in; and the one that says which server this is."""

import asyncio
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Path, Query, Request

from agent.domain.errors import Forbidden
from agent.interfaces.web.access import Principal, Scope, needs
from agent.interfaces.web.desk_exchange import (
    DeskOperations,
    DeskResults,
    JoinAnswer,
    JoinAsked,
    JoinDecision,
    JoinQuestion,
    JoinRequest,
    JoinRequested,
    PeoplePage,
    Sequence,
    ServerOut,
)
from agent.interfaces.web.desk_photos import (
    ContentsAsked,
    ContentsKnown,
    ContentsRemoved,
    DesksOut,
    PhotoResults,
    PhotosBack,
    PhotosTaken,
    RemovedOfDesk,
)
from agent.interfaces.web.schemas import MOST
from agent.interfaces.web.scoped_route import Who
from agent.interfaces.web.tls_trust import ServerTrust
from agent.server.accounts.callers import From, OwnSession
from agent.server.accounts.records import TokenRecord
from agent.server.accounts.service import Accounts
from agent.server.accounts.tokens import TokenInUse
from agent.server.devices.join_queries import LASTS
from agent.server.devices.joining import INTERVAL_S
from agent.server.devices.service import Desks

DeskId = Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
UserCode = Annotated[str, Path(max_length=100)]
_RECOGNISE = needs(Scope.PEOPLE_RECOGNISE)
_SHARE = needs(Scope.PHOTOS_UPLOAD)
_MANAGE = needs(Scope.MEMBERS_MANAGE)
PAGE = "#join"


def desk_routes(api: FastAPI, desks: Desks, accounts: Accounts) -> None:
    """Add all of them to `api`."""
    _joining_routes(api, desks, accounts)
    _exchange_routes(api, desks)
    _photo_routes(api, desks)
    _administration_routes(api, desks)


def _joining_routes(api: FastAPI, desks: Desks, accounts: Accounts) -> None:
    @api.post("/api/join", openapi_extra=needs(Scope.OPEN))
    async def join(wanted: JoinRequest, request: Request) -> JoinRequested:
        """A desktop asks to join; a member confirms its code in the browser within ten minutes."""
        device_code, user_code = await desks.joining.ask(wanted.computer, wanted.system, _address(request))
        page = f"{request.url.scheme}://{request.url.netloc}/{PAGE}"
        return JoinRequested(
            device_code=device_code,
            user_code=user_code,
            verification_uri=page,
            verification_uri_complete=f"{page}/{user_code}",
            expires_in=int(LASTS.total_seconds()),
            interval=INTERVAL_S,
        )

    @api.post("/api/join/answer", openapi_extra=needs(Scope.OPEN))
    async def answer(wanted: JoinQuestion) -> JoinAnswer:
        """What became of the request. The token is answered once."""
        asked = await desks.answer(wanted.device_code)
        if asked is None:
            return JoinAnswer(state="expired")
        if asked.decided is None or (asked.decided and asked.grant is None):
            return JoinAnswer(state="pending")
        if asked.grant is None:
            return JoinAnswer(state="denied")
        return JoinAnswer(state="granted", token=asked.grant.token, member=asked.grant.member, may_name=asked.grant.may_name)

    @api.get("/api/join/requests/{user_code}", openapi_extra=_RECOGNISE)
    async def asked(user_code: UserCode, who: Who) -> JoinAsked:
        """Which computer asks."""
        found = await desks.joining.find(user_code, _member(who).id)
        may_name = Scope.PEOPLE_WRITE in who.scopes
        return JoinAsked(computer=found.computer, system=found.system, address=found.address, asked_at=found.at, may_name=may_name)

    @api.post("/api/join/requests/{user_code}", status_code=204, openapi_extra=_RECOGNISE)
    async def decide(user_code: UserCode, wanted: JoinDecision, who: Who, session: OwnSession, caller: From) -> None:
        """Let it in, with an API token of one's own, which outlives the session, so the password is asked for; or refuse it."""
        if wanted.allow:
            await accounts.prove(who.id, wanted.password, session, caller)
        await desks.decide(user_code, who, allow=wanted.allow)


def _exchange_routes(api: FastAPI, desks: Desks) -> None:
    @api.get("/api/desk/people", openapi_extra=_RECOGNISE)
    async def people(
        request: Request,
        generation: Annotated[Sequence, Query()] = 0,
        after: Annotated[int, Query(ge=0, le=MOST)] = 0,
        wait: bool = False,
        faces: bool = False,
    ) -> PeoplePage:
        """Return what changed of the people who agreed to being recognised, with their face prints.

        With `faces`, also the faces of which this desk spoke and that are known as others by now.
        """
        session = request.scope["session"]
        over = asyncio.Event() if session is None else session.over
        return await desks.people(generation, after, over if wait else None, _token_id(request) if faces else None)

    @api.post("/api/desk/operations", openapi_extra=_RECOGNISE)
    async def operations(wanted: DeskOperations, request: Request, who: Who) -> DeskResults:
        """Do what was done at the desk, in this order, each once."""
        return DeskResults(items=tuple([await desks.operate(each, who, _token_id(request)) for each in wanted.items]))

    @api.delete("/api/desk", status_code=204, openapi_extra=_RECOGNISE)
    async def leave(request: Request, who: Who) -> None:
        """A desktop leaves: the token that asks ends."""
        await desks.leave(who, _desk(request).id)


def _photo_routes(api: FastAPI, desks: Desks) -> None:
    @api.get("/api/desk/libraries", openapi_extra=_SHARE)
    async def desk_libraries() -> tuple[str, ...]:
        """Return the names of the libraries to which the desk's photos can go."""
        return tuple(desks.photos.libraries.names())

    @api.post("/api/desk/photos", openapi_extra=_SHARE)
    async def desk_photos(wanted: PhotoResults, request: Request) -> PhotosTaken:
        """Take what was found in photos that stay at the desk."""
        desk = _desk(request)
        taken = await desks.photos.take(wanted.items, wanted.library, desk.id, desk.name)
        return PhotosTaken(items=tuple(taken))

    @api.post("/api/desk/photos/back", status_code=204, openapi_extra=_SHARE)
    async def photos_back(wanted: PhotosBack, request: Request) -> None:
        """Delete what this desk told of these photos."""
        await desks.photos.give_back(wanted.items, _desk(request).id)

    @api.post("/api/desk/uploads/known", openapi_extra=_SHARE)
    async def known_contents(wanted: ContentsAsked, request: Request) -> ContentsKnown:
        """Which of these photos need not be sent."""
        return await desks.uploads.known(wanted.items, wanted.library, _desk(request))

    @api.post("/api/desk/uploads/remove", openapi_extra=_SHARE)
    async def remove_sent(wanted: ContentsRemoved, request: Request) -> RemovedOfDesk:
        """Delete what this desk sent, a part at a time."""
        return await desks.uploads.remove(wanted.items, _desk(request).id)


def _administration_routes(api: FastAPI, desks: Desks) -> None:
    @api.get("/api/desks", openapi_extra=_MANAGE)
    async def all_desks() -> DesksOut:
        """Return the computers that joined, and those that left something behind."""
        return DesksOut(items=tuple(await desks.uploads.desks()))

    @api.post("/api/desks/{desk_id}/remove", openapi_extra=_MANAGE)
    async def remove_all(desk_id: DeskId) -> RemovedOfDesk:
        """Delete all that a computer sent or told of."""
        return await desks.uploads.remove_all(desk_id)


def _desk(request: Request) -> TokenRecord:
    """Return the token by which a desk asks. Raises Forbidden for others."""
    token = request.scope["session"]
    if not isinstance(token, TokenInUse):
        raise Forbidden(scope=Scope.PEOPLE_RECOGNISE)
    return token.record


def _token_id(request: Request) -> str | None:
    """Return the id of the token by which a desk asks; None for a member in a browser."""
    token = request.scope["session"]
    return token.record.id if isinstance(token, TokenInUse) else None


def _member(who: Principal) -> Principal:
    """Only members themselves let a desktop in: a token must not make another one. Raises Forbidden."""
    if who.kind != "member":
        raise Forbidden(scope=Scope.PEOPLE_RECOGNISE)
    return who


def _address(request: Request) -> str:
    return request.client.host.removeprefix("::ffff:") if request.client else ""


def server_routes(api: FastAPI, name: Callable[[], str], version: str, pinned: Callable[[str], ServerTrust]) -> None:
    """Add the route that says which server this is. It needs no sign-in. `pinned` returns what is trusted at a host."""

    @api.get("/api/server", openapi_extra=needs(Scope.OPEN))
    async def server(request: Request) -> ServerOut:
        told = pinned(request.headers.get("host", ""))
        return ServerOut(name=name(), version=version, fingerprint=told.fingerprint, authority=told.authority, trusted=told.trusted)
