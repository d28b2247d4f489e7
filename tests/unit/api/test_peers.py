"""Whose the other end of a connection is, with real ones."""

import os
import socket
import sys
from collections.abc import Iterator

import httpx
import pytest

from agent.api import http
from agent.api.peers import of_another_user
from tests.unit.api.conftest import Served


@pytest.fixture(params=["plain", "mapped"])
def caller(request: pytest.FixtureRequest) -> Iterator[tuple[str, int]]:
    """Who connected, by IPv4 or by IPv6 to the same address."""
    mapped = request.param == "mapped"
    with socket.create_server(("127.0.0.1", 0)) as server, socket.socket(socket.AF_INET6 if mapped else socket.AF_INET) as client:
        host, port = server.getsockname()
        client.connect((f"::ffff:{host}" if mapped else host, port))
        answering, address = server.accept()
        with answering:
            yield address


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux tells")
def test_a_socket_is_of_another_user_or_not(caller: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    assert not of_another_user(caller)
    another = os.geteuid() + 1
    monkeypatch.setattr(os, "geteuid", lambda: another)
    assert of_another_user(caller)


def test_where_the_system_does_not_tell_nobody_is_a_stranger(caller: tuple[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(os, "geteuid", lambda: -1, raising=False)
    assert not of_another_user(caller) and not of_another_user(None)


async def test_another_user_opens_nothing_with_a_code_and_does_not_use_it_up(
    served: Served, owner: httpx.AsyncClient, stranger: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = (await owner.post("/api/session/codes")).json()["code"]
    with monkeypatch.context() as patch:
        patch.setattr(http, "of_another_user", lambda _: True)
        answer = await stranger.get(f"/open?code={code}")
        assert answer.status_code == 401 and "set-cookie" not in answer.headers
    assert (await stranger.get(f"/open?code={code}")).status_code == 303
