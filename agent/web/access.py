"""Who may ask for what: scopes, the roles that have them, and the routes that need them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from fastapi.routing import APIRoute
from starlette.types import Message, Receive, Send
from starlette.types import Scope as AsgiScope

from agent.domain.errors import BadRequest, Forbidden

# Bytes of a request's body, which is parsed in memory.
MOST_OF_A_STRANGER: Final = 16_384
MOST_OF_A_MEMBER: Final = 4_000_000
SCOPE_KEY: Final = "x-scope"
PRINCIPAL: Final = "principal"  # in the request's ASGI scope; not set on open routes


class Scope(StrEnum):
    """What a route is about. Each route declares one with `needs`."""

    OPEN = "open"
    """no principal: see `agent.web.guard.OPEN`"""
    SELF = "self"
    """one's own password, sessions and tokens"""
    STATUS_READ = "status.read"
    """the state of the work, events, help"""
    SYSTEM_READ = "system.read"
    """the machine: health, files that failed, metrics"""
    PHOTOS_READ = "photos.read"
    PHOTOS_WRITE = "photos.write"
    """hide photos, mark favourites"""
    PHOTOS_EXPORT = "photos.export"
    """take originals away"""
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    """name, merge, reject, describe"""
    PEOPLE_SEARCH = "people.search"
    """look for the face on a photo of one's own"""
    PEOPLE_ERASE = "people.erase"
    """export all that is stored about a person, and forget them"""
    CONSENT_READ = "consent.read"
    CONSENT_WRITE = "consent.write"
    REDACTION_READ = "redaction.read"
    REDACTION_WRITE = "redaction.write"
    SETTINGS_READ = "settings.read"
    SETTINGS_WRITE = "settings.write"
    WORKERS_MANAGE = "workers.manage"
    """pause, rescan, retry, drain"""
    MEMBERS_MANAGE = "members.manage"
    RECORD_READ = "record.read"
    DESKTOP = "desktop"
    """windows, captures, keys, updates and paths of the machine the program runs on: no role on a server has it"""


class Role(StrEnum):
    ADMINISTRATOR = "administrator"
    CURATOR = "curator"
    EDITOR = "editor"
    VIEWER = "viewer"
    AUDITOR = "auditor"


_EVERYONE: Final = frozenset({Scope.SELF, Scope.STATUS_READ})
_VIEWER: Final = _EVERYONE | {Scope.PHOTOS_READ, Scope.PEOPLE_READ}
_NEVER_ON_A_SERVER: Final = frozenset({Scope.OPEN, Scope.DESKTOP})

SCOPES: Final[Mapping[Role, frozenset[Scope]]] = {
    Role.ADMINISTRATOR: frozenset(Scope) - _NEVER_ON_A_SERVER,
    Role.CURATOR: _VIEWER
    | {
        Scope.PHOTOS_WRITE,
        Scope.PEOPLE_WRITE,
        Scope.PEOPLE_SEARCH,
        Scope.PEOPLE_ERASE,
        Scope.CONSENT_READ,
        Scope.CONSENT_WRITE,
        Scope.REDACTION_READ,
    },
    Role.EDITOR: _VIEWER
    | {
        Scope.PHOTOS_WRITE,
        Scope.PHOTOS_EXPORT,
        Scope.PEOPLE_SEARCH,
        Scope.CONSENT_READ,
        Scope.REDACTION_READ,
        Scope.REDACTION_WRITE,
    },
    Role.VIEWER: _VIEWER,
    Role.AUDITOR: _EVERYONE | {Scope.RECORD_READ},
}
# What a program that acts for a member may get: it never manages accounts, so it can't outlive its own end.
TOKEN_SCOPES: Final = frozenset(Scope) - _NEVER_ON_A_SERVER - {Scope.SELF, Scope.MEMBERS_MANAGE}


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request. `id` and `role` are a member's, also for their tokens."""

    kind: Literal["local", "member", "token"]
    id: str
    name: str
    role: Role | None
    scopes: frozenset[Scope]


# The user of the desktop agent, and commands on this machine.
LOCAL: Final = Principal("local", "", "", None, frozenset(Scope) - {Scope.OPEN})


def needs(scope: Scope) -> dict[str, Any]:
    """The declaration of a route's scope: `openapi_extra=needs(Scope.PHOTOS_READ)`."""
    return {SCOPE_KEY: scope.value}


def declared(route: APIRoute) -> Scope | None:
    """The scope that a route declares; None if it declares none."""
    found = (route.openapi_extra or {}).get(SCOPE_KEY)
    return None if found is None else Scope(found)


def scopes_of(role: Role, chosen: Collection[str] | None = None) -> frozenset[Scope]:
    """A role's scopes, or for a token those of them that were `chosen` and that tokens may have."""
    return SCOPES[role] if chosen is None else SCOPES[role] & TOKEN_SCOPES & {Scope(each) for each in chosen if each in set(Scope)}


class ScopedRoute(APIRoute):
    """Refuses, before the body is read, a principal without the route's scope. A route that declares none refuses everybody."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        self.scope = declared(self)

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        principal: Principal | None = scope.get(PRINCIPAL)
        if self.scope is not Scope.OPEN and (principal is None or self.scope not in principal.scopes):
            raise Forbidden(scope=self.scope or "")
        if principal is None:
            receive = limited(receive, MOST_OF_A_STRANGER)
        elif principal.kind != "local" and "requestBody" not in (self.openapi_extra or {}):  # pictures have a limit of their own
            receive = limited(receive, MOST_OF_A_MEMBER)
        await super().handle(scope, receive, send)


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
