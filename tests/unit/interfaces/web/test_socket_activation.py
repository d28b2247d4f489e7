"""Sockets of a supervisor are found by their names."""

import os
import socket
import sys
from collections.abc import Iterator

import pytest

from agent.interfaces.web import socket_activation as module
from agent.interfaces.web.socket_activation import activated_socket, is_activated

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="systemd is Linux's")


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as held:
        monkeypatch.setattr(module, "_FIRST", held.fileno())
        yield held


def said(**more: str) -> dict[str, str]:
    return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": "https", **more}


def test_a_socket_is_found_by_its_name_as_often_as_it_is_asked_for(held: socket.socket) -> None:
    for _ in range(2):
        found = activated_socket("https", said())
        assert found is not None and found.getsockname() == held.getsockname() and not found.get_inheritable()
        found.close()
    assert is_activated("https", said())
    assert held.getsockname(), "closing what was found leaves it open"


@pytest.mark.parametrize(
    ("name", "environment"),
    [("http", said()), ("", said()), ("https", {}), ("https", said(LISTEN_PID="1")), ("https", said(LISTEN_FDS="0"))],
)
def test_what_was_not_handed_to_this_process_is_not_taken(held: socket.socket, name: str, environment: dict[str, str]) -> None:
    assert activated_socket(name, environment) is None and not is_activated(name, environment)
