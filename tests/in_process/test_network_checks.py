"""What a server's doctor tries of its network: real receivers on this computer, over TLS."""

import json
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from agent.app.health import Finding, NotConfigured, examine
from agent.app.server.network_checks import NAMES, NetworkContext, NetworkEdges, concurrently, network_checks
from agent.domain.errors import AgentError, BucketForbidden, CertificateEnds, DatabaseUnreachable
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.interfaces.web.certificates import Certificates
from agent.server.messages.https import Https
from agent.server.messages.mail import Mail
from tests.support.message_receivers import PASSWORD, MailServer, Receiver
from tests.support.openid_provider import OpenIdProvider

SERVER = {"name": "Photos", "version": "1", "fingerprint": "AA", "authority": ""}
MESSAGES = {"email_to": ["popup@example.org"], "smtp_user": "popup"}


class Operator:
    """The settings, and what the checks say of them."""

    def __init__(self, folder: Path, trust: ssl.SSLContext, certificates: Certificates) -> None:
        self.sections: dict[str, dict[str, Any]] = {}
        self.secrets = FileSecretStore(folder / "keys")
        self.secrets.write("incidents-email", PASSWORD.encode())
        self.now = datetime.now(UTC)
        self.trusted: tuple[Path, ...] = (certificates.trusted,)
        self.buckets: Callable[[], int] = lambda: 0
        self.database: Callable[[], int] = lambda: 16
        self.edges = NetworkEdges(mail=Mail(trust), https=Https(trust))

    def ask(self, language: str = "en") -> dict[str, Finding]:
        settings = Settings.model_validate(self.sections)
        context = NetworkContext(
            lambda: settings,
            lambda: Texts(language),
            lambda _: self.secrets,
            lambda: self.now,
            lambda: self.trusted,
            lambda: self.buckets(),
            lambda: self.database(),
        )
        return {each.name: each for each in examine(network_checks(context, self.edges))}


@pytest.fixture
def operator(tmp_path: Path, trust: ssl.SSLContext, certificates: Certificates) -> Operator:
    return Operator(tmp_path, trust, certificates)


@contextmanager
def answering(tls: ssl.SSLContext, status: int, body: object) -> Iterator[str]:
    """What answers at the public address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = json.dumps(body).encode()
            self.send_response(status if self.path == "/api/server" else 404)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield f"https://localhost:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def code(found: Finding) -> tuple[str, dict[str, object]]:
    assert found.error is not None
    for language in ("en", "zh-CN"):
        texts = Texts(language)
        for said in (texts.cause(found.error), texts.remedy(found.error)):
            assert said and not said.startswith("errors.") and "{" not in said
    return found.error.code, dict(found.error.params)


def test_what_is_not_configured_is_not_tried(operator: Operator) -> None:
    def unreachable(*_: object) -> list[str]:
        raise AssertionError("the network was tried")

    operator.edges = NetworkEdges(resolve=unreachable, https=Https(resolve=unreachable))
    assert operator.ask() == {}


def test_the_public_address_says_how_long_its_certificate_lasts(operator: Operator, certificates: Certificates) -> None:
    with answering(certificates.context, 200, SERVER) as address:
        operator.sections["server"] = {"address": address}
        found = operator.ask()["address"]
        assert found.state == "ok" and f"{certificates.validity[1].astimezone():%Y-%m-%d}" in found.text
        operator.now = certificates.validity[1] - timedelta(days=5, hours=1)
        found = operator.ask()["address"]
        assert found.state == "warning" and code(found) == ("server.certificate_ends", {"days": 5})
        operator.trusted = ()
        assert code(operator.ask()["address"]) == ("server.address_failed", {"certificate": 1})


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [(502, {}, {"proxy": 502}), (404, {}, {"other": 404}), (200, {"hello": 1}, {"other": 200}), (302, SERVER, {"other": 302})],
)
def test_a_proxy_without_the_server_and_another_program_are_told_apart(
    operator: Operator, certificates: Certificates, status: int, body: object, why: dict[str, int]
) -> None:
    with answering(certificates.context, status, body) as address:
        operator.sections["server"] = {"address": address}
        assert code(operator.ask()["address"]) == ("server.address_failed", why)


def test_an_address_where_nothing_listens(operator: Operator) -> None:
    operator.sections["server"] = {"address": "https://127.0.0.1:1"}
    found = operator.ask()
    assert code(found["address"]) == ("server.address_failed", {}) and "dns" not in found, "an address needs no DNS"


def test_names_without_an_address_are_said_by_their_settings(operator: Operator) -> None:
    def resolve(host: str, _: int) -> list[str]:
        if host == "known.example":
            return ["93.184.216.34"]
        raise OSError

    operator.edges = NetworkEdges(resolve=resolve, https=Https(resolve=lambda *_: []), limit_s=0.5)
    operator.sections["incidents"] = {"webhook": "https://hooks.invalid/secret", **MESSAGES, "smtp_host": "mail.invalid"}
    operator.sections["alerts"] = {"heartbeat_url": "https://known.example/secret"}
    found = operator.ask()["dns"]
    assert code(found) == ("server.name_unresolved", {"settings": "incidents.webhook, incidents.smtp_host"})
    operator.sections.pop("incidents")
    assert operator.ask()["dns"].text == "names with an address: 1"


async def test_the_mail_server_is_signed_in_to_and_gets_no_message(operator: Operator, mail: MailServer) -> None:
    import asyncio

    operator.sections["incidents"] = {**MESSAGES, "smtp_host": "localhost", "smtp_port": mail.port}
    found = (await asyncio.to_thread(operator.ask))["mail"]
    assert found.state == "ok" and not mail.mails
    operator.secrets.write("incidents-email", b"another one")
    assert code((await asyncio.to_thread(operator.ask))["mail"]) == ("message.mail_failed", {"sign_in": 1})


def test_receivers_are_connected_to_and_asked_for_nothing(operator: Operator, receiver: Receiver) -> None:
    url = f"https://localhost:{receiver.port}/x"
    operator.sections["incidents"] = {"webhook": url, "webhook_inside": True}
    operator.sections["alerts"] = {"heartbeat_url": url, "ntfy_server": url, "ntfy_topic": "topic", "inside": True}
    found = operator.ask()
    assert {name: each.state for name, each in found.items()} == dict.fromkeys(("dns", "webhooks", "ntfy", "heartbeat"), "ok")
    assert not receiver.received
    operator.sections["incidents"]["webhook_inside"] = operator.sections["alerts"]["inside"] = False
    found = operator.ask()
    assert code(found["webhooks"])[0] == "message.webhook_inside" and code(found["ntfy"])[0] == "message.ntfy_inside"
    assert code(found["heartbeat"]) == ("message.heartbeat_failed", {"inside": 1})


def test_a_receiver_whose_certificate_is_not_trusted(operator: Operator, receiver: Receiver) -> None:
    operator.edges = NetworkEdges(https=Https(ssl.create_default_context()))
    operator.sections["incidents"] = {"webhook": f"https://localhost:{receiver.port}/x", "webhook_inside": True}
    assert code(operator.ask()["webhooks"]) == ("message.webhook_failed", {"certificate": 1})


def test_the_provider_s_discovery_and_keys(operator: Operator, tmp_path: Path) -> None:
    provider = OpenIdProvider(tmp_path / "provider")
    operator.sections["oidc"] = provider.settings().model_dump()
    try:
        assert operator.ask()["provider"].text == "answers; keys: 1"
    finally:
        provider.close()
    assert code(operator.ask()["provider"])[0] == "account.provider_unreachable"


def test_database_and_buckets_say_what_is_in_the_way(operator: Operator) -> None:
    operator.buckets = lambda: 2
    operator.sections["server"] = {"database": "postgresql://database.example/popup"}
    found = operator.ask()
    assert found["buckets"].text == "listed: 2" and found["database"].text.startswith("PostgreSQL 16, answered in ")

    def failing(error: AgentError) -> Callable[[], int]:
        def fail() -> int:
            raise error

        return fail

    operator.buckets, operator.database = failing(BucketForbidden()), failing(DatabaseUnreachable(slow=1))
    found = operator.ask()
    assert code(found["buckets"])[0] == "bucket.forbidden" and code(found["database"])[1] == {"slow": 1}


def test_all_start_at_once_and_none_is_waited_for_longer_than_the_limit() -> None:
    released, both = threading.Event(), threading.Barrier(2, timeout=5)

    def silent() -> str:
        released.wait(10)
        return ""

    def meets() -> str:
        both.wait()
        return "met"

    def absent() -> str:
        raise NotConfigured

    checks = concurrently({"silent": silent, "one": meets, "other": meets, "absent": absent}, 0.3)
    try:
        for _ in range(2):  # each run asks anew
            found = {each.name: each for each in examine(checks)}
            assert found.keys() == {"silent", "one", "other"}
            assert code(found["silent"])[0] == "server.check_slow" and found["one"].text == found["other"].text == "met"
    finally:
        released.set()


@pytest.mark.parametrize("language", ["en", "zh-CN"])
def test_each_check_has_a_title(language: str) -> None:
    texts = Texts(language)
    assert not any(texts(f"cli.doctor.{name}").startswith("cli.") for name in (*NAMES, "certificate"))
    assert Finding("certificate", error=CertificateEnds(days=3)).state == "warning"
