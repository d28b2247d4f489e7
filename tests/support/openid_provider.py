"""An OpenID provider on this computer, over HTTPS by an authority of its own. Tests decide what it answers, right or wrong."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from agent.infrastructure.core.server_settings import OidcSettings
from agent.interfaces.web.certificates import Certificates
from agent.server.accounts.oidc.http_client import MOST_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLIENT, SECRET = "photos", "a secret: of the client"
HELD_S = 60
EVENTS: dict[str, Any] = {"http://schemas.openid.net/event/backchannel-logout": {}}


def new_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"})


@dataclass
class OpenIdProvider:
    """`claims` and `document` replace parts of its statement and its discovery; None leaves one out. `asked`: the paths of requests."""

    folder: Path
    user: dict[str, Any] = field(init=False)
    claims: dict[str, Any] = field(init=False)
    header: dict[str, Any] = field(init=False)
    document: dict[str, Any] = field(init=False)
    token: str | None = field(init=False)
    """in place of a statement that it made"""
    signs_with: RSAKey | None = field(init=False)
    """in place of the key that it publishes"""
    denies: bool = field(init=False)
    ahead_s: int = field(init=False)
    """of its clock"""
    broken: dict[str, str] = field(init=False)
    """what goes wrong at a path: `huge`, `slow`, `elsewhere` (a redirect), `garbage`"""
    released: threading.Event = field(init=False)
    """ends what is slow"""
    asked: list[str] = field(init=False)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def __post_init__(self) -> None:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider._answer(self, b"")

            def do_POST(self) -> None:
                provider._answer(self, self.rfile.read(int(self.headers.get("content-length", 0))))

            def log_message(self, *_: object) -> None: ...

            def date_time_string(self, timestamp: float | None = None) -> str:
                return super().date_time_string((timestamp or time.time()) + provider.ahead_s)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, *_: object) -> None: ...  # a client that went away

        self._first = new_key("first")
        self.released = threading.Event()
        self.reset()
        certificates = Certificates(self.folder, lambda: ("localhost",), lambda: datetime.now(UTC))
        certificates.load()
        self.authority = certificates.trusted
        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.socket = certificates.context.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def issuer(self) -> str:
        return f"https://localhost:{self._server.server_address[1]}"

    def settings(self, **more: Any) -> OidcSettings:
        return OidcSettings(issuer=self.issuer, client_id=CLIENT, name="School", certificate=str(self.authority), **more)

    def reset(self) -> None:
        """As it was at first."""
        self.released.set()
        self.user = {"sub": "u-1", "preferred_username": "Grace", "name": "Grace H."}
        self.claims, self.header, self.document, self.broken, self.asked = {}, {}, {}, {}, []
        self.token, self.denies, self.ahead_s, self.released = None, False, 0, threading.Event()
        self.key, self.signs_with = self._first, None

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def arrives(self, address: str) -> dict[str, str]:
        """What the browser comes back with when it went to `address`, and the user said yes or no."""
        back = self._authorized(_fields(urlsplit(address).query))
        return _fields(urlsplit(back).query)

    def id_token(self, nonce: str) -> str:
        now = int(time.time()) + self.ahead_s
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.user}
        said = {name: value for name, value in (right | self.claims).items() if value is not None}
        key = self.signs_with or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid} | self.header, said, key)

    def logout_token(self, header: dict[str, Any] | None = None, **claims: Any) -> str:
        """What it sends when `sub` or `sid` was signed out. None leaves a claim out."""
        now = int(time.time())
        right = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": f"logout-{next(self._numbers)}", "events": EVENTS}
        said = {name: value for name, value in (right | claims).items() if value is not None}
        key = self.signs_with or self.key
        return jwt.encode({"alg": "RS256", "kid": key.kid, "typ": "logout+jwt"} | (header or {}), said, key)

    def _answer(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        address = urlsplit(request.path)
        self.asked.append(address.path)
        match self.broken.get(address.path):
            case "huge":
                return self._send(request, 200, b'"' + b" " * (MOST_BYTES + 1))
            case "slow":
                self.released.wait(HELD_S)
            case "elsewhere":
                return self._send(request, 302, b"", f"{self.issuer}/hidden")
            case "garbage":
                return self._send(request, 200, b"[" * 100_000)
        given = _fields(address.query)
        match address.path:
            case "/authorize":
                self._send(request, 302, b"", self._authorized(given))
            case "/end":
                self._send(request, 302, b"", given["post_logout_redirect_uri"])
            case "/token":
                self._json(request, *self._exchanged(_fields(body.decode()), request.headers.get("authorization", "")))
            case "/keys":
                self._json(request, 200, {"keys": [{"kty": "unknown"}, self.key.as_dict(private=False)]})
            case "/.well-known/openid-configuration":
                self._json(request, 200, self._discovery())
            case _:
                self._json(request, 404, {})

    def _discovery(self) -> dict[str, Any]:
        names = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys", "end_session_endpoint": "end"}
        right = {"issuer": self.issuer, "code_challenge_methods_supported": ["S256"]}
        said = right | {name: f"{self.issuer}/{path}" for name, path in names.items()} | self.document
        return {name: value for name, value in said.items() if value is not None}

    def _authorized(self, given: dict[str, str]) -> str:
        assert (given["client_id"], given["response_type"], given["code_challenge_method"]) == (CLIENT, "code", "S256")
        assert "openid" in given["scope"].split()
        if self.denies:
            return f"{given['redirect_uri']}?{urlencode({'error': 'access_denied', 'state': given['state'], 'iss': self.issuer})}"
        code = f"code-{len(self.asked)}-{len(self._codes)}"
        self._codes[code] = given
        return f"{given['redirect_uri']}?{urlencode({'code': code, 'state': given['state'], 'iss': self.issuer})}"

    def _exchanged(self, given: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        if authorization:
            name, _, word = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
            shown = _fields(f"name={name}&word={word}")
        else:
            shown = {"name": given.get("client_id", ""), "word": given.get("client_secret", "")}
        if shown != {"name": CLIENT, "word": SECRET}:
            return 401, {"error": "invalid_client"}
        asked = self._codes.pop(given["code"], None)
        proof = base64.urlsafe_b64encode(hashlib.sha256(given["code_verifier"].encode()).digest()).decode().rstrip("=")
        if asked is None or proof != asked["code_challenge"] or given["redirect_uri"] != asked["redirect_uri"]:
            return 400, {"error": "invalid_grant"}
        return 200, {"access_token": "none", "token_type": "Bearer", "id_token": self.token or self.id_token(asked["nonce"])}

    def _json(self, request: BaseHTTPRequestHandler, status: int, body: dict[str, Any]) -> None:
        self._send(request, status, json.dumps(body).encode())

    def _send(self, request: BaseHTTPRequestHandler, status: int, body: bytes, location: str = "") -> None:
        request.send_response(status)
        if location:
            request.send_header("location", location)
        request.send_header("content-type", "application/json")
        request.send_header("content-length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)


def unsigned(claims: dict[str, Any]) -> str:
    """A token that no key has signed."""
    parts = [base64.urlsafe_b64encode(json.dumps(each).encode()).decode().rstrip("=") for each in ({"alg": "none"}, claims)]
    return ".".join([*parts, ""])


def _fields(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query, keep_blank_values=True).items()}
