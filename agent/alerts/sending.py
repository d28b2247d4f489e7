"""Messages about alerts: name, severity, time, a number and a link, never a name of a person, a photo or a path."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final

from agent.alerts.queries import AlertQueries
from agent.alerts.records import Alert, AlertEvent
from agent.core.i18n import Texts
from agent.core.settings import Settings
from agent.domain.errors import NoWayToTell
from agent.domain.severity import Severity
from agent.messages.channels import EMAIL, INCIDENT_SECRETS, NTFY, WEBHOOK, Channels, Note, Target
from agent.messages.delivery import Delivery
from agent.messages.mail import MailServer
from agent.messages.queue import Claimed

ALERT_SECRETS: Final = {WEBHOOK: "alerts-webhook", NTFY: "alerts-ntfy"}
_PRIORITIES: Final = {Severity.NOTICE: 2, Severity.WARNING: 4, Severity.CRITICAL: 5}  # ntfy's
_OVER: Final = 3


def alert_target(settings: Settings) -> Target:
    """Return where messages about alerts go: where those about incidents go, unless the section `alerts` says otherwise."""
    incidents, own = settings.incidents, settings.alerts
    to = own.email_to or incidents.email_to
    return Target(
        mail=MailServer(incidents.smtp_host, incidents.smtp_port, incidents.smtp_security, incidents.smtp_user),
        sender=incidents.email_from or next(iter(incidents.email_to or to), ""),
        to=to,
        webhook=own.webhook or incidents.webhook,
        webhook_inside=own.inside if own.webhook else incidents.webhook_inside,
        secrets={
            EMAIL: INCIDENT_SECRETS[EMAIL],
            WEBHOOK: ALERT_SECRETS[WEBHOOK] if own.webhook else INCIDENT_SECRETS[WEBHOOK],
            NTFY: ALERT_SECRETS[NTFY],
        },
        ntfy=own.ntfy_server,
        topic=own.ntfy_topic,
        ntfy_inside=own.inside,
    )


class AlertSending:
    def __init__(
        self,
        queries: AlertQueries,
        settings: Callable[[], Settings],
        channels: Channels,
        address: Callable[[], str],
        texts: Callable[[], Texts],
        clock: Callable[[], datetime],
    ) -> None:
        """`address` is the server's, for the link."""
        self._queries = queries
        self._settings = settings
        self._channels = channels
        self._address = address
        self._texts = texts
        self._clock = clock
        self._delivery = Delivery(queries.outbox, self._send, self.ways, clock)

    def ways(self) -> tuple[str, ...]:
        """Return those that are set up at present."""
        return alert_target(self._settings()).ways

    async def run(self) -> None:
        """Run until cancelled."""
        await self._delivery.run()

    async def send_due(self) -> int:
        """Send what is due. Returns how many messages were accepted. Raises StoreError."""
        return await self._delivery.send_due()

    async def test(self) -> Sequence[str]:
        """Send a test message in each way. Raises NoWayToTell, and what went wrong."""
        target = alert_target(self._settings())
        if not target.ways:
            raise NoWayToTell
        texts, link, now = self._texts(), f"{self._address()}/#alerts", self._clock()
        facts = {"kind": "test", "severity": "notice", "event": "test", "at": now.isoformat()}
        text = texts("alerts.mail.test_text", link=link)
        note = Note(f"alert-test-{int(now.timestamp())}", texts("alerts.mail.test"), text, texts("alerts.mail.test"), link, facts)
        for way in target.ways:
            await asyncio.to_thread(self._channels.send, way, target, note)
        return target.ways

    def _send(self, message: Claimed) -> None:
        about, event = self._queries.alert(message.about), self._queries.event_of(message.id)
        self._channels.send(message.way, alert_target(self._settings()), self._note(about, event, f"alert-{about.id}-{message.id}"))

    def _note(self, about: Alert, event: AlertEvent, number: str) -> Note:
        texts, link = self._texts(), f"{self._address()}/#alerts/{about.id}"
        kind, severity = texts(f"alerts.kinds.{about.name}"), texts(f"incidents.severity.{about.severity}")
        what, began = texts(f"alerts.texts.{about.name}", number=about.number), _moment(about.began_at)
        ended = _moment(about.ended_at or self._clock())
        subject = texts(f"alerts.mail.subject_{event}", kind=kind)
        text = texts(f"alerts.mail.text_{event}", kind=kind, severity=severity, what=what, began=began, ended=ended, link=link)
        at = about.ended_at if event is AlertEvent.RESOLVED and about.ended_at else about.began_at
        facts = {"kind": about.name, "severity": str(about.severity), "event": str(event), "number": about.number, "at": at.isoformat()}
        priority = _OVER if event is AlertEvent.RESOLVED else _PRIORITIES[about.severity]
        summary = what if event is not AlertEvent.RESOLVED else texts("alerts.mail.lasted", began=began, ended=ended)
        return Note(number, subject, text, summary, link, facts, priority)


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
