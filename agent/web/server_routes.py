"""The route that says which server this is. It needs no sign-in."""

from collections.abc import Callable

from fastapi import FastAPI
from pydantic import BaseModel

from agent.web.access import Scope, needs


class ServerOut(BaseModel):
    """`fingerprint` is the SHA-256 of the certificate that agents pin: of the server's own authority, or of the given certificate."""

    name: str
    version: str
    fingerprint: str


def server_routes(api: FastAPI, name: Callable[[], str], version: str, fingerprint: Callable[[], str]) -> None:
    """Add the route to `api`."""

    @api.get("/api/server", openapi_extra=needs(Scope.OPEN))
    async def server() -> ServerOut:
        return ServerOut(name=name(), version=version, fingerprint=fingerprint())
