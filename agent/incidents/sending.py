"""Sends messages about incidents: kind, severity, time and a link, never a name. What fails is tried again, later and later."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from agent.core.i18n import Texts
from agent.core.server_settings import IncidentSettings
from agent.domain.errors import AgentError, IncidentError, NoWayToTell, WebhookKeyMissing
from agent.incidents.mail import Mail
from agent.incidents.queries import Incident, IncidentQueries, Message
from agent.incidents.webhook import Webhook
from agent.store.key_homes import Home

log = structlog.get_logger()

EMAIL, WEBHOOK = "email", "webhook"
# The accounts under which their secrets are kept beside the library's key.
SECRETS: Final = {EMAIL: "incidents-email", WEBHOOK: "incidents-webhook"}
LOOK_S: Final = 5.0
FIRST_WAIT_S: Final = 60
LONGEST_WAIT_S: Final = 6 * 3_600
MOST_ATTEMPTS: Final = 14  # about a day and a half
_AT_ONCE: Final = 20


def ways_of(settings: IncidentSettings) -> tuple[str, ...]:
    """In which ways the settings want people to be told."""
    email = (EMAIL,) if settings.smtp_host and settings.email_to else ()
    return email + ((WEBHOOK,) if settings.webhook else ())


@dataclass(frozen=True, slots=True)
class Ways:
    mail: Mail
    webhook: Webhook


class Sending:
    """A message is stored with its incident, in one transaction, and marked once it was accepted: it is sent at least once."""

    def __init__(
        self,
        queries: IncidentQueries,
        settings: Callable[[], IncidentSettings],
        secrets: Home,
        address: Callable[[], str],
        texts: Callable[[], Texts],
        clock: Callable[[], datetime],
        ways: Ways | None = None,
    ) -> None:
        """`address` is the server's, for the link."""
        self._queries = queries
        self._settings = settings
        self._secrets = secrets
        self._address = address
        self._texts = texts
        self._clock = clock
        self._by = ways or Ways(Mail(), Webhook())

    async def run(self) -> None:
        """Run until cancelled."""
        while True:
            try:
                await self.send_due()
            except AgentError as error:
                log.warning("incidents.not_sent", code=error.code)
            await asyncio.sleep(LOOK_S)

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        due = await asyncio.to_thread(self._queries.due, self._clock(), _AT_ONCE)
        return sum([await asyncio.to_thread(self._try, message) for message in due])

    async def test(self) -> Sequence[str]:
        """Send a test message in each way. Raises NoWayToTell, and what went wrong."""
        settings = self._settings()
        if not (ways := ways_of(settings)):
            raise NoWayToTell
        for way in ways:
            await asyncio.to_thread(self._send, settings, way, None, f"test-{int(self._clock().timestamp())}")
        return ways

    def _try(self, message: Message) -> bool:
        settings = self._settings()
        if message.way not in ways_of(settings):  # switched off meanwhile
            self._queries.failed(message.id, NoWayToTell.code, None)
            return False
        try:
            self._send(settings, message.way, message.incident, f"incident-{message.incident.id}-{message.id}")
        except AgentError as error:
            attempt = message.attempts + 1
            wait = timedelta(seconds=min(FIRST_WAIT_S * 2**message.attempts, LONGEST_WAIT_S))
            self._queries.failed(message.id, error.code, self._clock() + wait if attempt < MOST_ATTEMPTS else None)
            log.warning("incident.not_told", incident=message.incident.id, way=message.way, code=error.code, attempt=attempt)
            if not isinstance(error, IncidentError):
                raise
            return False
        self._queries.sent(message.id, self._clock())
        return True

    def _send(self, settings: IncidentSettings, way: str, about: Incident | None, number: str) -> None:
        """Raises IncidentError, KeyHomeError, StoreError."""
        secret, link = self._secrets.read(SECRETS[way]), self._link(about)
        if way == EMAIL:
            subject, text = self._words(about, link)
            self._by.mail.send(settings, secret.decode() if secret else None, subject, text, number)
            return
        if secret is None:
            raise WebhookKeyMissing
        told = {"id": number, "kind": about.kind if about else "test", "severity": about.severity if about else "notice"}
        told |= {"at": (about.at if about else self._clock()).isoformat(), "link": link}
        self._by.webhook.send(settings.webhook, secret, told, self._clock().timestamp(), inside=settings.webhook_inside)

    def _link(self, about: Incident | None) -> str:
        return f"{self._address()}/#incidents" + (f"/{about.id}" if about else "")

    def _words(self, about: Incident | None, link: str) -> tuple[str, str]:
        """The subject and the text of an e-mail."""
        texts = self._texts()
        if about is None:
            return texts("incidents.mail.test"), texts("incidents.mail.test_text", link=link)
        kind, severity = texts(f"incidents.kinds.{about.kind}"), texts(f"incidents.severity.{about.severity}")
        at = f"{about.at.astimezone():%Y-%m-%d %H:%M %Z}"
        return texts("incidents.mail.subject", kind=kind), texts("incidents.mail.text", kind=kind, severity=severity, at=at, link=link)
