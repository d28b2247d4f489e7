"""What the routes of accounts read of a request: who asks, from where, and in which session."""

from typing import Annotated, Final

from fastapi import Depends, Path, Request, Response

from agent.domain.errors import Forbidden
from agent.interfaces.web.access import Scope, needs
from agent.interfaces.web.schemas import SignedIn
from agent.interfaces.web.scoped_route import Who
from agent.interfaces.web.session_routes import browser_of
from agent.server.accounts.member_auth import team_cookie_name
from agent.server.accounts.service import Caller
from agent.server.accounts.sessions import MemberSession, OpenedSession

HexId = Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")]
Secret = Annotated[str, Path(max_length=100)]
SELF: Final = needs(Scope.SELF)
MANAGE: Final = needs(Scope.MEMBERS_MANAGE)


def _member_id(who: Who) -> str:
    """The member who asks. Raises Forbidden for commands on this machine, which are no member's."""
    if who.kind != "member":
        raise Forbidden(scope=Scope.SELF)
    return who.id


def _session(request: Request) -> int | None:
    """The number of the session that asks."""
    found = request.scope["session"]
    return found.record.id if isinstance(found, MemberSession) else None


def _caller(request: Request) -> Caller:
    address = request.client.host.removeprefix("::ffff:") if request.client else ""
    return Caller(browser_of(request.headers.get("user-agent", "")), address)


MemberId = Annotated[str, Depends(_member_id)]
Here = Annotated[int | None, Depends(_session)]
From = Annotated[Caller, Depends(_caller)]


def _own_session(request: Request) -> MemberSession:
    """Raises Forbidden for what is no page."""
    found = request.scope["session"]
    if not isinstance(found, MemberSession):
        raise Forbidden(scope=Scope.SELF)
    return found


OwnSession = Annotated[MemberSession, Depends(_own_session)]


def signed_in(opened: OpenedSession, request: Request, response: Response) -> SignedIn:
    """The answer to a page that signed in, with its cookie."""
    name = team_cookie_name(request.url.port)
    response.set_cookie(name, opened.cookie, path="/", secure=True, httponly=True, samesite="strict")
    return SignedIn(key=opened.key, ticket=opened.ticket)
