"""A real mail server and a real receiver of web requests, for tests of messages."""

from __future__ import annotations

import asyncio
import ssl
import threading
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

PASSWORD = "mail password"


@dataclass
class MailServer:
    """Takes mail from one user over STARTTLS. While `closed`, it refuses."""

    tls: ssl.SSLContext
    mails: list[Envelope] = field(default_factory=list)
    closed: bool = False

    port: int = 0

    @asynccontextmanager
    async def open(self) -> AsyncIterator[MailServer]:
        """Listen, in the test's event loop."""

        def connection() -> SMTP:
            return SMTP(self, tls_context=self.tls, require_starttls=True, auth_required=True, authenticator=self._authenticate)

        async with await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0) as server:
            self.port = int(server.sockets[0].getsockname()[1])
            yield self

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: object) -> AuthResult:
        right = isinstance(data, LoginPassword) and (data.login, data.password) == (b"popup", PASSWORD.encode())
        return AuthResult(success=right, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        if self.closed:
            return "451 try again later"
        self.mails.append(envelope)
        return "250 OK"


@dataclass
class Receiver:
    """Takes webhooks over HTTPS and answers `status`."""

    tls: ssl.SSLContext
    received: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    status: int = 204

    def __enter__(self) -> Receiver:
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.do_POST()

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                receiver.received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(receiver.status)
                self.send_header("location", "https://127.0.0.1:1/elsewhere")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """It is silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])
