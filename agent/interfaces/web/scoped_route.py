"""Routes that refuse a principal without their scope: the one place where rights are checked."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Depends, Request
from fastapi.routing import APIRoute
from starlette.routing import Match
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from agent.domain.errors import BadRequest, Forbidden, TooManyRequests
from agent.infrastructure.core.access_scope import reaching
from agent.interfaces.web.access import PRINCIPAL, SCOPE_KEY, USAGE, Principal, Scope, Usage
from agent.interfaces.web.request_counts import record_of

# Bytes of a request's body, which is parsed in memory.
MOST_OF_A_STRANGER: Final = 16_384
MOST_OF_A_MEMBER: Final = 4_000_000
_BATCH: Final = "uid"  # in a route's path: many photos, which are counted one by one, see `count_export`


def principal_of(request: Request) -> Principal:
    """Who sent a request, for routes that are not open."""
    found: Principal = request.scope[PRINCIPAL]
    return found


Who = Annotated[Principal, Depends(principal_of)]


def declared(route: APIRoute) -> Scope | None:
    """The scope that a route declares; None if it declares none."""
    found = (route.openapi_extra or {}).get(SCOPE_KEY)
    return None if found is None else Scope(found)


class ScopedRoute(APIRoute):
    """Refuses, before the body is read, a principal without the route's scope. A route that declares none refuses every request.

    The request then reaches those libraries alone in which the principal has that scope.
    """

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.scope = declared(self)
        self._beginning = self.path.partition("{")[0]

    def matches(self, scope: AsgiScope) -> tuple[Match, AsgiScope]:
        # Each request is compared with hundreds of routes, of which this rules out nearly all at a tenth of the cost of a full comparison.
        if not scope["path"].startswith(self._beginning):
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        principal: Principal | None = scope.get(PRINCIPAL)
        if (record := record_of(scope)) is not None:
            record.route = self.path
            record.member = principal.id if principal is not None else ""
        usage: Usage | None = scope.get(USAGE)
        if self.scope is not Scope.OPEN and (principal is None or self.scope not in principal.scopes):
            if principal is not None and usage is not None:
                usage.refused(principal)
            raise Forbidden(scope=self.scope or "")
        if principal is not None and usage is not None and self.scope is not None:
            await usage.entering(principal, self.scope)
            if self.scope is Scope.PHOTOS_EXPORT and scope["method"] == "GET" and _BATCH not in scope["path_params"]:
                send = noted(send, partial(usage.taken, principal, scope["path_params"]))
        if principal is None:
            receive = limited(receive, MOST_OF_A_STRANGER)
        elif principal.kind != "local" and "requestBody" not in (self.openapi_extra or {}):  # pictures have a limit of their own
            receive = limited(receive, MOST_OF_A_MEMBER)
        with reaching(principal.reach(self.scope) if principal else None):
            await super().handle(scope, receive, send)


async def count_export(request: Request, item_id: int) -> None:
    """Count one of several copies that a request hands out, as if it were a request of its own; wait when they are too many in a minute."""
    usage: Usage | None = request.scope.get(USAGE)
    principal: Principal | None = request.scope.get(PRINCIPAL)
    if usage is None or principal is None:
        return
    while True:
        try:
            await usage.entering(principal, Scope.PHOTOS_EXPORT)
            break
        except TooManyRequests as error:
            await asyncio.sleep(float(error.params["seconds"]))
    usage.taken(principal, {"item_id": str(item_id)})


def noted(send: Send, taken: Callable[[], None]) -> Send:
    """Call `taken` when a file is handed out, whole or in part."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 206):
            taken()
        await send(message)

    return sent


def limited(receive: Receive, most: int) -> Receive:
    """The request's body up to that many bytes. More is answered as a body that can't be parsed."""
    size = 0

    async def checked() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise BadRequest(reason="size")
        return message

    return checked
