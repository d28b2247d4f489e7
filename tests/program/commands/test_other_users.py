"""What another user of the same computer can do to the program: nothing. They are a real one, so root runs this."""

from __future__ import annotations

import os
import socket
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import NotRunning
from agent.interfaces.web.client import Client
from agent.interfaces.web.runtime_file import RuntimeInfo, find, leave, serving_lock
from tests.support.second_user import as_nobody

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.real_program import RealProgram

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux") or os.geteuid() != 0, reason="only root has a second user")

FLOOD = 1_100
PATIENCE_S = 60.0


def test_another_user_gets_no_answer_not_even_with_the_token_and_a_code(program: RealProgram) -> None:
    program.start()
    where = find(program.paths.runtime)
    with program.client() as client:
        page = client.session_url().removeprefix(client.address)

    def ask() -> list[str]:
        said = []
        for path in ("/health", "/api/status", page):
            with socket.create_connection(("127.0.0.1", where.port), timeout=PATIENCE_S) as connection:
                try:
                    head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{where.port}\r\nauthorization: Bearer {where.token}\r\n\r\n"
                    connection.sendall(head.encode())
                    said.append(connection.recv(100).decode())
                except ConnectionError:
                    said.append("")
        return said

    assert as_nobody(ask) == ["", "", ""]
    assert program.status().version


def test_half_sent_requests_of_another_user_keep_nobody_from_the_program(program: RealProgram) -> None:
    program.start()
    where = find(program.paths.runtime)
    opened, over = os.pipe(), os.pipe()
    refused: list[int] = []

    def flood() -> int:
        """They stay open until the agent was asked meanwhile."""
        connections = []
        for _ in range(FLOOD):
            connection = socket.create_connection(("127.0.0.1", where.port), timeout=PATIENCE_S)
            connections.append(connection)
            try:
                connection.sendall(b"GET /health HTTP/1.1\r\n")
            except ConnectionError:
                continue
        os.write(opened[1], b".")
        os.read(over[0], 1)
        return sum(closed(connection) for connection in connections)

    import resource

    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, FLOOD * 2), most))
    try:
        user = threading.Thread(target=lambda: refused.append(as_nobody(flood)))
        user.start()
        os.read(opened[0], 1)
        assert program.status().version and program.run("status").returncode == 0
        os.write(over[1], b".")
        user.join(PATIENCE_S * 2)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert refused == [FLOOD]


def closed(connection: socket.socket) -> bool:
    try:
        return connection.recv(1) == b""
    except ConnectionError:
        return True


@contextmanager
def taken(port: int) -> Iterator[list[str]]:
    """A second user listens on a port; afterwards the list has what was sent there, connection by connection."""
    ready, over = os.pipe(), os.pipe()
    heard: list[str] = []

    def listen() -> list[str]:
        said: list[str] = []
        with socket.socket() as server:
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            server.bind(("127.0.0.1", port))
            server.listen()
            server.setblocking(False)
            os.write(ready[1], b".")
            os.read(over[0], 1)
            while True:
                try:
                    connection, _ = server.accept()
                except BlockingIOError:
                    return said
                connection.settimeout(PATIENCE_S)
                try:
                    said.append(connection.recv(10_000).decode())
                except OSError as error:
                    said.append(type(error).__name__)

    user = threading.Thread(target=lambda: heard.extend(as_nobody(listen)))
    user.start()
    os.read(ready[0], 1)
    try:
        yield heard
    finally:
        os.write(over[1], b".")
        user.join(PATIENCE_S * 2)


def test_a_command_tells_nothing_to_who_took_the_port_of_a_killed_agent(program: RealProgram) -> None:
    program.start()
    where = find(program.paths.runtime)
    program.kill()
    with taken(where.port) as heard:
        said = program.run("status")
        assert said.returncode != 0 and "[agent.not_running]" in said.stderr
        with pytest.raises(NotRunning):
            Client.find(program.paths.runtime)
    assert "".join(heard) == ""


def test_a_client_sends_nothing_to_another_users_listener_though_an_agent_is_starting(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    where = RuntimeInfo(port, "secret", 1)
    leave(tmp_path, where)
    with serving_lock(tmp_path), taken(port) as heard:
        with pytest.raises(NotRunning):
            Client.find(tmp_path)
        with pytest.raises(NotRunning):  # the port is taken between this client's calls
            Client(where).post("/api/restore", {"passphrase": "correct horse"})
    assert "".join(heard) == ""
