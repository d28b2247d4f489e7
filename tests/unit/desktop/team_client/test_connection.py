"""What a server answers is read up to a limit, whatever was asked."""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest
from structlog.testing import capture_logs

from agent.desktop.team_client import connection
from agent.desktop.team_client.connection import TeamConnection
from agent.domain.errors import AgentError, TeamUnreachable
from agent.infrastructure.core import outgoing_requests
from agent.infrastructure.core.outgoing_requests import OutgoingRequests, Peer

ASKING: dict[str, Callable[[TeamConnection], Awaitable[object]]] = {
    "a document": lambda server: server.libraries(),
    "only headers": lambda server: server.headers("PATCH", "/api/uploads/1", {}),
}


@pytest.mark.parametrize("asked", ASKING)
async def test_an_answer_without_end_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch, asked: str) -> None:
    monkeypatch.setattr(connection, "MOST_BYTES", 1_000)
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(1_000):
            sent += 100
            yield bytes(100)

    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))
    async with httpx.AsyncClient(transport=transport, base_url="https://photos.example") as client:
        with pytest.raises(TeamUnreachable):
            await ASKING[asked](TeamConnection(client))
    assert sent <= 1_100


async def test_a_server_that_does_not_know_this_computer_is_counted_and_logged_without_token_and_names(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(connection, "team_refusals", refusals := Counter[str]())
    monkeypatch.setitem(outgoing_requests.made, Peer.TEAM, made := OutgoingRequests())
    told = {"code": "account.signed_out", "cause": "", "remedy": "", "params": {}}
    transport = httpx.MockTransport(lambda request: httpx.Response(403 if request.url.path == "/api/desk" else 401, json=told))
    async with httpx.AsyncClient(
        transport=transport, base_url="https://photos.example", headers={"authorization": "Bearer aip_x"}
    ) as client:
        with capture_logs() as lines:
            for asked in (TeamConnection(client).libraries, TeamConnection(client).libraries, TeamConnection(client).leave):
                with pytest.raises(AgentError):
                    await asked()
    [code] = refusals
    assert refusals == {code: 2} and made.failures == 3, "another refusal is no 401"
    assert lines == [{"event": "team.not_known", "code": code, "log_level": "warning"}] * 2
