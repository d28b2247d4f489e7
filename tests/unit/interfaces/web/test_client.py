"""The command line's side of the API: finds the agent, says what is wrong, and never goes through a proxy."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import stat
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx
import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from agent.domain.errors import AgentError, AgentNotAnswering, AgentUnreachable, NotRunning, PopupFailed, StoreBusy, Unexpected
from agent.features.library.scan_schemas import ScanLine, ScanRequest
from agent.interfaces.web.client import _SILENT_S, _SOON_S, KEPT_S, Client, _trusting
from agent.interfaces.web.client_keepalive import SILENCE_S
from agent.interfaces.web.runtime_file import FILE, RuntimeInfo, find, forget, leave

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


WHERE = RuntimeInfo(port=8765, token="secret", pid=1)


def answering(answer: Callable[[httpx.Request], httpx.Response]) -> Client:
    return Client(WHERE, httpx.MockTransport(answer))


def scan(answer: Callable[[httpx.Request], httpx.Response]) -> Iterator[ScanLine]:
    return answering(answer).lines("/api/scans", ScanLine, ScanRequest(paths=("/a",)))


@pytest.mark.skipif(os.name != "posix", reason="owner-only by the profile's folder on Windows")
def test_the_word_is_for_the_owners_eyes_only_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        leave(tmp_path, WHERE)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [FILE]


def test_the_word_is_found_replaced_and_forgotten(tmp_path: Path) -> None:
    leave(tmp_path, RuntimeInfo(1, "old", 2))
    (tmp_path / (FILE + ".tmp")).write_text("left behind by a crash")
    leave(tmp_path, WHERE)
    assert find(tmp_path) == WHERE
    forget(tmp_path)
    forget(tmp_path)
    with pytest.raises(NotRunning):
        Client.find(tmp_path)


@pytest.mark.parametrize("act", [lambda runtime: leave(runtime, WHERE), forget], ids=["replaced", "forgotten"])
def test_the_word_can_be_changed_while_a_command_reads_it(
    tmp_path: Path, act: Callable[[Path], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(tmp_path, RuntimeInfo(1, "old", 2))
    with (tmp_path / FILE).open() as reading:  # Windows neither replaces nor deletes it
        monkeypatch.setattr("time.sleep", lambda _: reading.close())
        act(tmp_path)
    monkeypatch.undo()
    assert [path.name for path in tmp_path.iterdir()] == ([] if act is forget else [FILE])
    assert act is forget or find(tmp_path) == WHERE


@pytest.mark.parametrize("error", [ConnectionRefusedError, TimeoutError])
def test_a_word_whose_agent_does_not_listen_any_more_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: type[OSError]) -> None:
    def connect(address: tuple[str, int], timeout: float) -> socket.socket:
        raise error

    leave(tmp_path, WHERE)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(NotRunning):
        Client.find(tmp_path)


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "{}", '{"port": "x", "token": "t", "pid": 1}', '{"port": null, "token": "t", "pid": 1}']
)
def test_a_word_that_cant_be_read_means_that_nobody_is_there(tmp_path: Path, content: str) -> None:
    (tmp_path / FILE).write_text(content)
    with pytest.raises(NotRunning):
        find(tmp_path)


def test_the_token_goes_along_and_errors_come_back_as_they_were() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(503, json={"code": "desktop.popup_failed", "cause": "", "remedy": ""})

    with pytest.raises(PopupFailed):
        answering(answer).post("/api/popup/show")
    assert asked[0].headers["authorization"] == "Bearer secret" and str(asked[0].url) == "http://127.0.0.1:8765/api/popup/show"


def test_to_speak_without_encryption_no_authorities_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read = list[object]()
    monkeypatch.setattr(ssl.SSLContext, "load_verify_locations", lambda *words: read.append(words))
    Client(WHERE).close()
    assert read == []


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"code": "nobody.knows"}'])
def test_an_answer_nobody_knows_is_unexpected(body: bytes) -> None:
    with pytest.raises(Unexpected):
        answering(lambda _: httpx.Response(500, content=body)).post("/api/pause")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"code": 1}'])
def test_somebody_else_behind_the_port_is_no_agent(body: bytes) -> None:
    client = answering(lambda _: httpx.Response(200, content=body))
    with pytest.raises(AgentUnreachable):
        client.status()
    with pytest.raises(AgentUnreachable):
        client.session_url()


@pytest.mark.parametrize(
    ("trouble", "meaning"),
    [
        (httpx.ConnectError("refused"), NotRunning),
        (httpx.ReadTimeout("slow"), AgentUnreachable),
        (httpx.RemoteProtocolError(""), AgentUnreachable),
    ],
)
def test_what_the_network_says_is_translated(trouble: httpx.HTTPError, meaning: type[AgentError]) -> None:
    def fail(_: httpx.Request) -> httpx.Response:
        raise trouble

    with pytest.raises(meaning):
        answering(fail).post("/api/pause")
    with pytest.raises(meaning):
        list(scan(fail))


def test_a_scan_comes_line_by_line_and_may_be_refused() -> None:
    lines = [{"total": 1}, {"image": None}, {"stopped": {"code": "store.busy", "cause": "c", "remedy": "r"}}]
    body = "".join(json.dumps(line) + "\n" for line in lines).encode()
    got = list(scan(lambda _: httpx.Response(200, content=body)))
    assert got[0].total == 1 and got[2].stopped is not None and got[2].stopped.code == "store.busy"
    with pytest.raises(StoreBusy):
        list(
            answering(lambda _: httpx.Response(503, json={"code": "store.busy"})).lines("/api/scans", ScanLine, ScanRequest(paths=("/a",)))
        )


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (
        ("client_keepalive.SILENCE_S", 0.02),
        ("client.SILENCE_S", 0.02),
        ("client._SOON_S", 0.02),
        ("client._SILENT_S", 0.5),
    ):
        monkeypatch.setattr(f"agent.interfaces.web.{name}", value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("goes_on", [False, True])
def test_an_agent_that_takes_connections_and_answers_nothing_is_waited_for_aloud_and_not_for_long(goes_on: bool) -> None:
    """What a stopped one does: the system takes its connections."""
    continued, said = threading.Event(), list[str]()
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as other:

        def answer() -> None:
            continued.wait(60)
            for _ in range(8):  # questions that were given up are answered, too
                connection, _ = server.accept()
                with connection, contextlib.suppress(OSError):
                    asked = connection.recv(65_536)
                    body = b'{"total": 0}\n' if b"/api/scans" in asked else b"{}"
                    connection.sendall(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n%s" % (len(body), body))

        def silent() -> None:
            said.append("waits")
            if goes_on:
                continued.set()

        other.submit(answer)
        client = Client(replace(WHERE, port=server.getsockname()[1]))
        client.on_silence = silent
        begun = time.monotonic()
        lines = client.lines("/api/scans", ScanLine, ScanRequest(paths=("/a",)))
        if goes_on:
            assert [line.total for line in lines] == [0]
        else:
            with pytest.raises(AgentNotAnswering):
                list(lines)
            assert 0.4 < time.monotonic() - begun < 30
            assert said == ["waits"]
        assert said
        client.close()
        continued.set()
        server.shutdown(socket.SHUT_RDWR)


def test_a_stopped_agent_is_told_of_after_three_seconds_and_left_after_fifteen() -> None:
    assert SILENCE_S + _SOON_S == 3.0 and _SILENT_S == 15.0


def test_no_request_goes_out_on_a_connection_that_the_server_is_about_to_close() -> None:
    """The agent is asked at each silence: by then the connection of the question before must not be used again."""
    assert min(SILENCE_S, uvicorn.Config(lambda: None).timeout_keep_alive) > KEPT_S
    with contextlib.closing(Client(WHERE)) as client:
        transport = client._http._transport
        assert isinstance(transport, httpx.HTTPTransport) and transport._pool._keepalive_expiry == KEPT_S


def test_a_server_of_this_computer_is_reached_though_its_certificate_has_expired(tmp_path: Path) -> None:
    """Otherwise no command could help its administrator."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "photos.test")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    ended = made.not_valid_before(now - timedelta(days=2)).not_valid_after(now - timedelta(days=1)).sign(key, hashes.SHA256())
    certificate, private = tmp_path / "certificate.pem", tmp_path / "key.pem"
    certificate.write_bytes(ended.public_bytes(serialization.Encoding.PEM))
    pem, traditional = serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL
    private.write_bytes(key.private_bytes(pem, traditional, serialization.NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificate, private)
    here, there = socket.socketpair()
    with ThreadPoolExecutor(1) as other:
        served = other.submit(server.wrap_socket, there, server_side=True)
        with _trusting(str(certificate)).wrap_socket(here) as reached:
            assert reached.version() == "TLSv1.3"
        served.result().close()
