"""Who may ask for what: scopes, and the roles that have them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal, Protocol

from agent.infrastructure.core.access_scope import AccessScope, Root

SCOPE_KEY: Final = "x-scope"
USAGE: Final = "usage"  # in the request's ASGI scope: the server's `Usage`
PRINCIPAL: Final = "principal"  # in the request's ASGI scope; not set on open routes


class Scope(StrEnum):
    """What a route is about. Each route declares one with `needs`."""

    OPEN = "open"
    """no principal: see `agent.interfaces.web.guard.OPEN`"""
    SELF = "self"
    """one's own password, sessions and tokens"""
    STATUS_READ = "status.read"
    """the state of the work, events, help"""
    SYSTEM_READ = "system.read"
    """the machine: health, files that failed"""
    METRICS_READ = "metrics.read"
    """figures for monitoring, without names or paths"""
    PHOTOS_READ = "photos.read"
    PHOTOS_WRITE = "photos.write"
    """hide photos, mark favourites"""
    PHOTOS_UPLOAD = "photos.upload"
    """add photos from one's own computer or phone"""
    PHOTOS_EXPORT = "photos.export"
    """take originals away"""
    PEOPLE_READ = "people.read"
    PEOPLE_WRITE = "people.write"
    """name, merge, reject, describe"""
    PEOPLE_SEARCH = "people.search"
    """look for the face on a photo of one's own"""
    PEOPLE_ERASE = "people.erase"
    """export all that is stored about a person, and forget them"""
    PEOPLE_RECOGNISE = "people.recognise"
    """take the face prints of people who agreed to one's own computer, and recognise them there"""
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
    INCIDENTS_READ = "incidents.read"
    INCIDENTS_MANAGE = "incidents.manage"
    """take the first step against a member, close incidents"""
    BACKUPS_MANAGE = "backups.manage"
    """back up now, try a restore"""
    ALERTS_READ = "alerts.read"
    ALERTS_MANAGE = "alerts.manage"
    """silence alerts, send a test message"""
    ALERTS_WRITE = "alerts.write"
    """pass on alerts of another program, such as Alertmanager"""
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
        Scope.PHOTOS_UPLOAD,
        Scope.PEOPLE_WRITE,
        Scope.PEOPLE_SEARCH,
        Scope.PEOPLE_ERASE,
        Scope.PEOPLE_RECOGNISE,
        Scope.CONSENT_READ,
        Scope.CONSENT_WRITE,
        Scope.REDACTION_READ,
    },
    Role.EDITOR: _VIEWER
    | {
        Scope.PHOTOS_WRITE,
        Scope.PHOTOS_UPLOAD,
        Scope.PHOTOS_EXPORT,
        Scope.PEOPLE_SEARCH,
        Scope.PEOPLE_RECOGNISE,
        Scope.CONSENT_READ,
        Scope.REDACTION_READ,
        Scope.REDACTION_WRITE,
    },
    Role.VIEWER: _VIEWER,
    Role.AUDITOR: _EVERYONE | {Scope.RECORD_READ, Scope.INCIDENTS_READ},
}
# What a program that acts for a member may get: it never manages accounts, so it can't outlive its own end.
TOKEN_SCOPES: Final = (
    frozenset(Scope) - _NEVER_ON_A_SERVER - {Scope.SELF, Scope.MEMBERS_MANAGE, Scope.INCIDENTS_MANAGE, Scope.ALERTS_MANAGE}
)
# Of the server as a whole. All others hold for the photos and people of those libraries in which a role gives them.
OF_THE_SERVER: Final = frozenset(
    {Scope.SELF, Scope.STATUS_READ, Scope.RECORD_READ, Scope.INCIDENTS_READ, Scope.INCIDENTS_MANAGE}
    | {Scope.ALERTS_READ, Scope.ALERTS_MANAGE, Scope.ALERTS_WRITE}
)


_READ_THE_RECORD: Final = frozenset({Scope.RECORD_READ, Scope.INCIDENTS_READ, Scope.INCIDENTS_MANAGE})
# Of the server, and in a library for what concerns that library.
OF_BOTH: Final = frozenset({Scope.RECORD_READ})


@dataclass(frozen=True, slots=True)
class Grant:
    """What a member may do in one library."""

    library: int
    scopes: frozenset[Scope]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who sent a request. `id` and `role` are a member's, also for their tokens."""

    kind: Literal["local", "member", "token"]
    id: str
    name: str
    role: Role | None
    scopes: frozenset[Scope]
    """in any library"""
    chosen: frozenset[str] | None = None
    """a token's scopes, which limit its member's"""
    grants: tuple[Grant, ...] | None = None
    """by library; None: `scopes` hold everywhere"""
    roots: tuple[Root, ...] = ()
    """the folders of these libraries"""
    audits_all: bool = False
    """reads the whole record, of the server and of each library"""

    def reach(self, scope: Scope | None) -> AccessScope | None:
        """The libraries in which a route of that scope may see and change anything; None: all."""
        if self.grants is None:
            return None
        if scope in _READ_THE_RECORD:
            audited = frozenset(each.library for each in self.grants if Scope.RECORD_READ in each.scopes)
            return AccessScope(frozenset(), audited=audited, audits_all=self.audits_all)
        asked = Scope.PHOTOS_READ if scope in OF_THE_SERVER else scope
        libraries = frozenset(each.library for each in self.grants if asked in each.scopes)
        curates = any(Scope.PEOPLE_WRITE in each.scopes for each in self.grants if each.library in libraries)
        confided = frozenset(each.library for each in self.grants if each.library in libraries and Scope.CONSENT_READ in each.scopes)
        return AccessScope(libraries, confided, curates, self.roots)


# The user of the desktop agent, and commands on this machine.
LOCAL: Final = Principal("local", "", "", None, frozenset(Scope) - {Scope.OPEN})


class Usage(Protocol):
    """Watches over what members ask for."""

    async def entering(self, principal: Principal, scope: Scope) -> None:
        """A request that is allowed begins. Raises TooManyRequests, StoreError."""
        ...

    def refused(self, principal: Principal) -> None:
        """A request was refused for want of a scope."""
        ...

    def taken(self, principal: Principal, about: Mapping[str, str]) -> None:
        """An original or a copy was handed out. `about` are the ids in the route's path."""
        ...


def needs(scope: Scope) -> dict[str, Any]:
    """The declaration of a route's scope: `openapi_extra=needs(Scope.PHOTOS_READ)`."""
    return {SCOPE_KEY: scope.value}


def scopes_of(role: Role, chosen: Collection[str] | None = None) -> frozenset[Scope]:
    """A role's scopes, or for a token those of them that were `chosen` and that tokens may have."""
    return SCOPES[role] if chosen is None else SCOPES[role] & TOKEN_SCOPES & {Scope(each) for each in chosen if each in set(Scope)}
