"""Routes of signing in: a one-time code becomes a session; the browsers that are signed in are listed, and ended."""

from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import FastAPI, Header, Request, Response

from agent.domain.errors import NotFound, Unauthorised
from agent.web.auth import Auth, Session
from agent.web.session_schemas import SessionCode, SessionOut, Sessions, SessionsEnded, SignedIn, SignIn

# In this order: most of them say that they are the later ones, too.
_BROWSERS = {"Edg": "Edge", "OPR": "Opera", "Vivaldi": "Vivaldi", "Firefox": "Firefox", "Chrome": "Chrome", "Safari": "Safari"}


def cookie_name(port: int | None) -> str:
    """Browsers send cookies to every port of an address: each agent has its own."""
    return f"ai_popup_{port}"


def session_routes(api: FastAPI, auth: Auth) -> None:
    """Add the routes to `api`."""

    @api.post("/api/session/codes")
    async def new_code() -> SessionCode:
        return SessionCode(code=auth.new_code())

    @api.post("/api/session")
    async def sign_in(
        wanted: SignIn,
        request: Request,
        response: Response,
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
        user_agent: Annotated[str, Header(include_in_schema=False)] = "",
    ) -> SignedIn:
        """Open to all: the code is the right to come in."""
        session = auth.exchange(wanted.code, browser_of(user_agent), auth.by_header(authorization))
        if session is None:
            raise Unauthorised
        response.set_cookie(cookie_name(request.url.port), session.cookie, path="/api", httponly=True, samesite="strict")
        return SignedIn(key=session.key, ticket=session.ticket)

    @api.get("/api/sessions")
    async def sessions(request: Request) -> Sessions:
        """Browsers that are signed in."""
        here: Session | None = request.scope.get("session")
        return Sessions(items=[_out(each, here) for each in auth.sessions()])

    def _out(session: Session, here: Session | None) -> SessionOut:
        now, ago = datetime.now(UTC), auth.now()
        return SessionOut(
            number=session.number,
            browser=session.browser,
            opened_at=now - timedelta(seconds=ago - session.began),
            seen_at=now - timedelta(seconds=ago - session.seen),
            here=session is here,
        )

    @api.delete("/api/sessions")
    async def end_all() -> SessionsEnded:
        return SessionsEnded(count=auth.end(None))

    @api.delete("/api/sessions/{number}")
    async def end(number: int) -> SessionsEnded:
        count = auth.end(number)
        if count == 0:
            raise NotFound
        return SessionsEnded(count=count)


def browser_of(user_agent: str) -> str:
    """What a browser is called; empty if it is none that we know."""
    return next((name for word, name in _BROWSERS.items() if f"{word}/" in user_agent), "")
