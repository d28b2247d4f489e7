"""Messages about alerts: name, severity, time, a number and a link, never a name of a person, a photo or a path."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from agent.domain.severity import Severity
from agent.infrastructure.core.settings import Settings
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.records import Alert, AlertEvent
from agent.server.messages.channels import EMAIL, INCIDENT_SECRETS, NTFY, WEBHOOK, Channels, Note, Target
from agent.server.messages.mail import MailServer
from agent.server.messages.queue import Claimed
from agent.server.messages.sending import Sending, Wording

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


class AlertNotes:
    def __init__(self, queries: AlertQueries, wording: Wording) -> None:
        self._queries = queries
        self._wording = wording

    def test(self) -> Note:
        texts, link, now = self._wording.texts(), f"{self._wording.address()}/#alerts", self._wording.clock()
        facts = {"kind": "test", "severity": "notice", "event": "test", "at": now.isoformat()}
        text = texts("alerts.mail.test_text", link=link)
        return Note(f"alert-test-{int(now.timestamp())}", texts("alerts.mail.test"), text, texts("alerts.mail.test"), link, facts)

    def of(self, message: Claimed) -> Note:
        about, event = self._queries.alert(message.about), self._queries.event_of(message.id)
        return self._note(about, event, f"alert-{about.id}-{message.id}")

    def _note(self, about: Alert, event: AlertEvent, number: str) -> Note:
        texts, link = self._wording.texts(), f"{self._wording.address()}/#alerts/{about.id}"
        kind, severity = texts(f"alerts.kinds.{about.name}"), texts(f"incidents.severity.{about.severity}")
        what, began = texts(f"alerts.texts.{about.name}", number=about.number), _moment(about.began_at)
        ended = _moment(about.ended_at or self._wording.clock())
        subject = texts(f"alerts.mail.subject_{event}", kind=kind)
        text = texts(
            f"alerts.mail.text_{event}", kind=kind, severity=severity, what=what, began=began, ended=ended, link=link, page=about.name
        )
        at = about.ended_at if event is AlertEvent.RESOLVED and about.ended_at else about.began_at
        facts = {"kind": about.name, "severity": str(about.severity), "event": str(event), "number": about.number, "at": at.isoformat()}
        priority = _OVER if event is AlertEvent.RESOLVED else _PRIORITIES[about.severity]
        summary = what if event is not AlertEvent.RESOLVED else texts("alerts.mail.lasted", began=began, ended=ended)
        return Note(number, subject, text, summary, link, facts, priority)


def database_full(wording: Wording, now: datetime) -> Note:
    """Return what is sent without being stored."""
    texts, link, kind, severity = wording.texts(), f"{wording.address()}/#alerts", AlertKind.DISK_FULL, Severity.CRITICAL
    subject, what, began = texts("alerts.mail.subject_unstored"), texts("alerts.mail.unstored"), _moment(now)
    said = texts(f"incidents.severity.{severity}")
    text = texts("alerts.mail.text_firing", what=what, severity=said, began=began, link=link, page=str(kind))
    facts = {"kind": str(kind), "severity": str(severity), "event": str(AlertEvent.FIRING), "number": 0, "at": now.isoformat()}
    return Note(f"alert-unstored-{int(now.timestamp())}", subject, text, what, link, facts, _PRIORITIES[severity])


def alert_sending(queries: AlertQueries, settings: Callable[[], Settings], channels: Channels, wording: Wording) -> Sending:
    return Sending(queries.outbox, AlertNotes(queries, wording), lambda: alert_target(settings()), channels, wording)


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M %Z}"
