"""The route that says which server this is. It needs no sign-in."""

from collections.abc import Callable

from fastapi import FastAPI

from agent.web.access import Scope, needs
from agent.web.desk_exchange import ServerOut


def server_routes(api: FastAPI, name: Callable[[], str], version: str, pinned: Callable[[], tuple[str, str]]) -> None:
    """Add the route to `api`. `pinned` returns fingerprint and certificate."""

    @api.get("/api/server", openapi_extra=needs(Scope.OPEN))
    async def server() -> ServerOut:
        fingerprint, authority = pinned()
        return ServerOut(name=name(), version=version, fingerprint=fingerprint, authority=authority)
