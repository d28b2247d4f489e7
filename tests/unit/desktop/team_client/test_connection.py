"""What a server answers is read up to a limit, whatever was asked."""

from collections.abc import AsyncIterator, Awaitable, Callable

import httpx
import pytest

from agent.desktop.team_client import connection
from agent.desktop.team_client.connection import TeamConnection
from agent.domain.errors import TeamUnreachable

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
