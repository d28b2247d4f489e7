"""Routes of signing in: exchanging a one-time code for a session, listing signed-in browsers, and ending sessions."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response

from agent.domain.errors import NotFound, Unauthorised
from agent.interfaces.web.access import LOCAL, Scope, needs
from agent.interfaces.web.local_auth import Auth, BrowserSession
from agent.interfaces.web.schemas import AccountOut, SessionCode, SessionOut, Sessions, SessionsEnded, SignedIn, SignIn

# In this order: most browsers also include the names of earlier ones.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Vivaldi": "Vivaldi", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}


def cookie_name(port: int | None) -> str:
    """The cookie's name: browsers send cookies to every port of an address, so each agent has its own."""
    return f"ai_popup_{port}"


def session_routes(api: FastAPI, auth: Auth) -> None:
    """Add the routes to `api`."""

    @api.get("/api/account", openapi_extra=needs(Scope.STATUS_READ))
    async def account() -> AccountOut:
        return AccountOut.of(LOCAL)

    @api.post("/api/session/codes", openapi_extra=needs(Scope.DESKTOP))
    async def new_code() -> SessionCode:
        return SessionCode(code=auth.new_code())

    @api.post("/api/session", openapi_extra=needs(Scope.OPEN))
    async def sign_in(
        wanted: SignIn,
        request: Request,
        response: Response,
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
        user_agent: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> SignedIn:
        """Sign in. Open to all: the code grants access."""
        session = auth.exchange(wanted.code, browser_of(user_agent), auth.by_header(authorization))
        if session is None:
            raise Unauthorised
        response.set_cookie(cookie_name(request.url.port), session.cookie, path="/api", httponly=True, samesite="strict")
        return SignedIn(key=session.key, ticket=session.ticket)

    @api.get("/api/sessions", openapi_extra=needs(Scope.DESKTOP))
    async def sessions(request: Request) -> Sessions:
        """The signed-in browsers."""
        here: BrowserSession | None = request.scope.get("session")
        return Sessions(items=[_out(each, here) for each in auth.sessions()])

    def _out(session: BrowserSession, here: BrowserSession | None) -> SessionOut:
        now, ago = datetime.now(UTC), auth.now()
        return SessionOut(
            number=session.number,
            browser=session.browser,
            opened_at=now - timedelta(seconds=ago - session.began),
            seen_at=now - timedelta(seconds=ago - session.seen),
            here=session is here,
        )

    @api.delete("/api/sessions", openapi_extra=needs(Scope.DESKTOP))
    async def end_all() -> SessionsEnded:
        return SessionsEnded(count=auth.end(None))

    @api.delete("/api/sessions/{number}", openapi_extra=needs(Scope.DESKTOP))
    async def end(number: int) -> SessionsEnded:
        count = auth.end(number)
        if count == 0:
            raise NotFound
        return SessionsEnded(count=count)


def browser_of(user_agent: str) -> str:
    """The browser's name; empty if it is unknown."""
    return next((name for word, name in _BROWSERS.items() if f"{word}/" in user_agent), "")
