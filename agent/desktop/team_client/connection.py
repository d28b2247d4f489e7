"""HTTPS to the team server, trusting nothing but what was pinned when this desktop joined, or the system if it needed no pin."""

import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final, Self, TypeVar

import structlog
from pydantic import BaseModel, TypeAdapter, ValidationError

from agent.domain.errors import (
    AgentError,
    ForeignOrigin,
    TeamAddressUnnamed,
    TeamUnreachable,
    from_code,
)
from agent.infrastructure.core.outgoing_requests import Peer, outgoing, team_refusals
from agent.interfaces.web.desk_exchange import (
    WAIT_S,
    DeskAlerts,
    DeskOperation,
    DeskOperations,
    DeskResults,
    JoinAnswer,
    JoinQuestion,
    JoinRequest,
    JoinRequested,
    PeoplePage,
    ServerOut,
)
from agent.interfaces.web.desk_photos import PhotoResult, PhotoResults, PhotosBack, PhotosTaken, PhotoTaken
from agent.interfaces.web.tls_trust import Trust

if TYPE_CHECKING:
    import httpx

log = structlog.get_logger()

T = TypeVar("T", bound=BaseModel)
_NAMES: Final = TypeAdapter(tuple[str, ...])
MOST_BYTES: Final = 64_000_000
_ANSWER_S, _CONNECT_S = 30.0, 10.0


class TeamConnection:
    """Raises TeamUnreachable, TeamCertificateChanged, TeamCertificateExpired, TeamAddressUnnamed, and what the server refuses with."""

    def __init__(self, http: "httpx.AsyncClient") -> None:
        self._http = http

    @classmethod
    @asynccontextmanager
    async def to(cls, address: str, authority: str, token: str | None = None) -> AsyncIterator[Self]:
        """Connect to a server whose certificate is trusted by `authority`, the text of a `Trust`."""
        import httpx  # loaded only by those who joined

        from agent.desktop.team_client.pinned_transport import PinnedTransport

        try:
            transport = PinnedTransport(address, Trust.parse(authority))
        except ValueError as error:
            raise TeamUnreachable from error
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        timeout = httpx.Timeout(_ANSWER_S, connect=_CONNECT_S)
        async with httpx.AsyncClient(base_url=address, transport=transport, trust_env=False, timeout=timeout, headers=headers) as client:
            yield cls(client)

    async def server(self) -> ServerOut:
        """Return which server this is, and what it wants to be trusted by."""
        return await self.call("GET", "/api/server", ServerOut)

    async def ask_to_join(self, wanted: JoinRequest) -> JoinRequested:
        return await self.call("POST", "/api/join", JoinRequested, wanted)

    async def answer(self, device_code: str) -> JoinAnswer:
        return await self.call("POST", "/api/join/answer", JoinAnswer, JoinQuestion(device_code=device_code))

    async def people(self, generation: int, cursor: int) -> PeoplePage:
        """Return what changed since; if nothing did, wait a while for it."""
        path = f"/api/desk/people?generation={generation}&after={cursor}&wait=true&faces=true"
        return await self.call("GET", path, PeoplePage, wait_s=WAIT_S, peer=Peer.TEAM_NEWS)

    async def operate(self, asked: list[DeskOperation]) -> DeskResults:
        return await self.call("POST", "/api/desk/operations", DeskResults, DeskOperations(items=tuple(asked)))

    async def photos(self, found: Sequence[PhotoResult], library: str) -> tuple[PhotoTaken, ...]:
        """Tell what was found in photos that stay here."""
        return (await self.call("POST", "/api/desk/photos", PhotosTaken, PhotoResults(items=tuple(found), library=library))).items

    async def libraries(self) -> tuple[str, ...]:
        """Return the names of the libraries to which photos can go."""
        content = await _send(self._http, "GET", "/api/desk/libraries", None, _ANSWER_S)
        try:
            return _NAMES.validate_json(content)
        except ValidationError as error:
            raise TeamUnreachable from error

    async def photos_back(self, contents: Sequence[str]) -> None:
        await _send(self._http, "POST", "/api/desk/photos/back", PhotosBack(items=tuple(contents)), _ANSWER_S)

    async def alerts(self, after: int) -> DeskAlerts:
        """Return what fires since that number; if nothing does, wait a while for it."""
        return await self.call("GET", f"/api/desk/alerts?after={after}", DeskAlerts, wait_s=WAIT_S, peer=Peer.TEAM_NEWS)

    async def leave(self) -> None:
        await _send(self._http, "DELETE", "/api/desk", None, _ANSWER_S)

    async def headers(
        self, method: str, path: str, headers: Mapping[str, str], content: AsyncIterator[bytes] | None = None, *, wait_s: float = 0
    ) -> dict[str, str]:
        """Send a request without a document; return the answer's headers."""
        answer, _ = await _answered(self._http, method, path, headers, content, _ANSWER_S + wait_s)
        return {name.lower(): value for name, value in answer.headers.items()}

    async def call(
        self, method: str, path: str, answer: type[T], body: BaseModel | None = None, *, wait_s: float = 0, peer: Peer = Peer.TEAM
    ) -> T:
        content = await _send(self._http, method, path, body, _ANSWER_S + wait_s, peer)
        try:
            return answer.model_validate_json(content)
        except ValidationError as error:
            raise TeamUnreachable from error


async def first_contact(address: str) -> ServerOut:
    """Ask a server who it is, before anything of it can be trusted: its authority's fingerprint is compared by the user."""
    import httpx

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    async with httpx.AsyncClient(base_url=address, verify=context, trust_env=False, timeout=httpx.Timeout(_CONNECT_S)) as client:
        content = await _send(client, "GET", "/api/server", None, _CONNECT_S)
    try:
        return ServerOut.model_validate_json(content)
    except ValidationError as error:
        raise TeamUnreachable from error


async def _send(http: "httpx.AsyncClient", method: str, path: str, body: BaseModel | None, limit_s: float, peer: Peer = Peer.TEAM) -> bytes:
    content = None if body is None else body.model_dump_json().encode()
    headers = {} if body is None else {"content-type": "application/json"}
    _, received = await _answered(http, method, path, headers, content, limit_s, peer)
    return received


async def _answered(
    http: "httpx.AsyncClient",
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: AsyncIterator[bytes] | bytes | None,
    limit_s: float,
    peer: Peer = Peer.TEAM,
) -> "tuple[httpx.Response, bytes]":
    import httpx

    timeout = httpx.Timeout(limit_s, connect=_CONNECT_S)
    with outgoing(peer):
        return await _asked(http, method, path, headers, content, timeout)


async def _asked(
    http: "httpx.AsyncClient",
    method: str,
    path: str,
    headers: Mapping[str, str],
    content: AsyncIterator[bytes] | bytes | None,
    timeout: "httpx.Timeout",
) -> "tuple[httpx.Response, bytes]":
    import httpx

    try:
        async with http.stream(method, path, content=content, headers=dict(headers), timeout=timeout) as answer:
            received = bytearray()
            async for part in answer.aiter_bytes():
                received += part
                if len(received) > MOST_BYTES:
                    raise TeamUnreachable
    except httpx.HTTPError as error:
        raise TeamUnreachable from error
    if not answer.is_success:
        refused = _refusal(bytes(received))
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            team_refusals[refused.code] += 1
            log.warning("team.not_known", code=refused.code)
        raise refused
    return answer, bytes(received)


def _refusal(content: bytes) -> AgentError:
    try:
        said = json.loads(content)
        refused = from_code(str(said["code"]), dict(said.get("params") or {}))
    except (ValueError, KeyError, TypeError, RecursionError):
        return TeamUnreachable()
    return TeamAddressUnnamed() if isinstance(refused, ForeignOrigin) else refused
