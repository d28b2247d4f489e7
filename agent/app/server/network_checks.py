"""What the doctor tries of a server's network: only what the settings name, all at once, and none for longer than a time limit.

Nothing is delivered: a mail server is signed in to, of a receiver of messages only the encrypted connection is made.
"""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agent.app.health import Check, NotConfigured
from agent.app.server.address_probe import AddressProbe
from agent.domain.errors import (
    CertificateEnds,
    CheckSlow,
    HeartbeatFailed,
    NameUnresolved,
    NtfyFailed,
    NtfyInside,
    WebhookFailed,
    WebhookInside,
)
from agent.infrastructure.core.abandonable_calls import begin
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.secret_stores import Home
from agent.interfaces.web.client_address import Inside, Resolve, addresses_of
from agent.server.alerts.alert_text import alert_target
from agent.server.messages.channels import EMAIL, NTFY
from agent.server.messages.https import Https, NotReached
from agent.server.messages.mail import Mail

LIMIT_S: Final = 20.0
NAMES: Final = ("dns", "address", "database", "mail", "webhooks", "ntfy", "heartbeat", "provider", "buckets")


@dataclass(frozen=True, slots=True)
class NetworkEdges:
    """What reaches the network."""

    resolve: Resolve = addresses_of
    address: AddressProbe = field(default_factory=AddressProbe)
    mail: Mail = field(default_factory=Mail)
    https: Https = field(default_factory=Https)
    limit_s: float = LIMIT_S


@dataclass(frozen=True, slots=True)
class NetworkContext:
    """What the checks read. `trusted` are files with certificates that are trusted besides the system's; `buckets` tries all and returns
    how many there are; `database` asks the one of the settings for PostgreSQL's major version.
    """

    settings: Callable[[], Settings]
    texts: Callable[[], Texts]
    home: Callable[[Settings], Home]
    clock: Callable[[], datetime]
    trusted: Callable[[], tuple[Path, ...]]
    buckets: Callable[[], int]
    database: Callable[[], int]


def network_checks(context: NetworkContext, edges: NetworkEdges | None = None) -> dict[str, Check]:
    """The checks by name. Each raises NotConfigured if the settings name nothing for it."""
    used = edges or NetworkEdges()
    made = NetworkChecks(context, used)
    return concurrently({name: getattr(made, name) for name in NAMES}, used.limit_s)


def certificate_words(until: datetime, now: datetime, warn_days: int, texts: Texts) -> str:
    """Until when a certificate is valid. Raises CertificateEnds if that is within `warn_days`."""
    days = (until - now).days
    if days < warn_days:
        raise CertificateEnds(days=days)
    return texts("cli.doctor.certificate_until", until=f"{until.astimezone():%Y-%m-%d}", days=days)


def concurrently(checks: Mapping[str, Check], limit_s: float) -> dict[str, Check]:
    """Checks that start together when the first of them is asked, and give up after the time limit. Raise CheckSlow besides their own."""
    lock = threading.Lock()
    running: dict[str, Future[str]] = {}
    until = 0.0

    def answer(name: str) -> str:
        nonlocal until
        with lock:
            if name not in running:  # the first of a run: what an earlier run left is asked anew
                running.update({each: begin(check) for each, check in checks.items()})
                until = time.monotonic() + limit_s
            asked, left_s = running.pop(name), max(0.0, until - time.monotonic())
        try:
            return asked.result(left_s)
        except TimeoutError as error:
            if asked.done():
                raise
            raise CheckSlow(seconds=round(limit_s)) from error

    return {name: partial(answer, name) for name in checks}


class NetworkChecks:
    """All block."""

    def __init__(self, context: NetworkContext, edges: NetworkEdges) -> None:
        self._context = context
        self._edges = edges

    def dns(self) -> str:
        """Whether each name in the settings has an address. Raises NameUnresolved."""
        wanted = dict(_hosts(self._context.settings()))
        if not wanted:
            raise NotConfigured
        unknown = [setting for setting, (host, port) in wanted.items() if not self._resolves(host, port)]
        if unknown:
            raise NameUnresolved(settings=", ".join(unknown))
        return self._context.texts()("cli.doctor.names", count=len({host for host, _ in wanted.values()}))

    def address(self) -> str:
        """Whether this server answers at its public address, and until when the certificate there is valid.

        Raises AddressFailed, CertificateEnds.
        """
        settings, texts = self._context.settings(), self._context.texts()
        if not settings.server.address:
            raise NotConfigured
        until = self._edges.address.ask(settings.server.address, self._context.trusted())
        return certificate_words(until, self._context.clock(), settings.alerts.certificate_days, texts)

    def database(self) -> str:
        """How long the database takes that workers on other computers use, too. Raises ServerError."""
        if not self._context.settings().server.database:
            raise NotConfigured
        began = time.monotonic()
        version = self._context.database()
        return self._context.texts()("cli.doctor.database_answered", version=version, ms=round((time.monotonic() - began) * 1000))

    def mail(self) -> str:
        """Sign in to the mail server, without a message. Raises MailFailed, KeyHomeError."""
        settings = self._context.settings()
        target = alert_target(settings)
        if EMAIL not in target.ways:
            raise NotConfigured
        password = self._context.home(settings).read(target.secrets[EMAIL])
        self._edges.mail.try_out(target.mail, password.decode() if password else None)
        return self._context.texts()("cli.doctor.answers")

    def webhooks(self) -> str:
        """Raises WebhookInside, WebhookFailed."""
        settings = self._context.settings()
        incidents, alerts = settings.incidents, settings.alerts
        wanted = {url: inside for url, inside in ((incidents.webhook, incidents.webhook_inside), (alerts.webhook, alerts.inside)) if url}
        if not wanted:
            raise NotConfigured
        for url, inside in wanted.items():
            try:
                self._edges.https.connect(url, inside=inside)
            except Inside:
                raise WebhookInside from None
            except NotReached as error:
                raise WebhookFailed(**{error.why: 1}) from error
        return self._context.texts()("cli.doctor.answers")

    def ntfy(self) -> str:
        """Raises NtfyInside, NtfyFailed."""
        target = alert_target(self._context.settings())
        if NTFY not in target.ways:
            raise NotConfigured
        try:
            self._edges.https.connect(target.ntfy, inside=target.ntfy_inside)
        except Inside:
            raise NtfyInside from None
        except NotReached as error:
            raise NtfyFailed(**{error.why: 1}) from error
        return self._context.texts()("cli.doctor.answers")

    def heartbeat(self) -> str:
        """No request is made, which would say that all is well. Raises HeartbeatFailed."""
        alerts = self._context.settings().alerts
        if not alerts.heartbeat_url:
            raise NotConfigured
        try:
            self._edges.https.connect(alerts.heartbeat_url, inside=alerts.inside)
        except Inside:
            raise HeartbeatFailed(inside=1) from None
        except NotReached as error:
            raise HeartbeatFailed(**{error.why: 1}) from error
        return self._context.texts()("cli.doctor.answers")

    def provider(self) -> str:
        """The provider's discovery document and its keys. Raises ProviderUnreachable, ProviderInvalid."""
        settings = self._context.settings()
        if not settings.oidc.on:
            raise NotConfigured
        from agent.server.accounts.oidc.configured import provider_of

        async def keys() -> int:
            return len(await provider_of(settings.oidc, self._context.home(settings)).keys())

        return self._context.texts()("cli.doctor.provider_keys", count=asyncio.run(keys()))

    def buckets(self) -> str:
        """List a page of each bucket with this computer's keys. Raises BucketError, ServerError, StoreError, KeyHomeError."""
        found = self._context.buckets()
        if not found:
            raise NotConfigured
        return self._context.texts()("cli.doctor.buckets_listed", count=found)

    def _resolves(self, host: str, port: int) -> bool:
        try:
            return bool(self._edges.resolve(host, port))
        except (OSError, UnicodeError):
            return False


def _hosts(settings: Settings) -> Iterator[tuple[str, tuple[str, int]]]:
    """By the setting, the names in it; addresses have no need of DNS."""
    target = alert_target(settings)
    urls = {
        "server.address": settings.server.address,
        "incidents.webhook": settings.incidents.webhook,
        "alerts.webhook": settings.alerts.webhook,
        "alerts.ntfy_server": target.ntfy if NTFY in target.ways else "",
        "alerts.heartbeat_url": settings.alerts.heartbeat_url,
        "oidc.issuer": settings.oidc.issuer if settings.oidc.on else "",
    }
    hosts = {setting: (parts.hostname or "", 443) for setting, url in urls.items() if (parts := urlsplit(url))}
    if EMAIL in target.ways:
        hosts["incidents.smtp_host"] = target.mail.host, target.mail.port
    yield from ((setting, (host, port)) for setting, (host, port) in hosts.items() if host and not _is_address(host))


def _is_address(host: str) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError):
            socket.inet_pton(family, host)
            return True
    return False
