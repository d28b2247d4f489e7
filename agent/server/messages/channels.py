"""Sends one message in one way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from agent.domain.errors import WebhookKeyMissing
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.secret_stores import Home
from agent.server.messages.mail import Mail, MailServer
from agent.server.messages.ntfy import Ntfy, NtfyNote
from agent.server.messages.webhook import Webhook

EMAIL, WEBHOOK, NTFY = "email", "webhook", "ntfy"


@dataclass(frozen=True, slots=True)
class Target:
    """Where messages go; what is empty is not used. Secrets are named by the accounts under which they are kept."""

    mail: MailServer
    sender: str
    to: tuple[str, ...]
    webhook: str
    webhook_inside: bool
    secrets: Mapping[str, str]
    ntfy: str = ""
    """the server's address"""
    topic: str = ""
    ntfy_inside: bool = False

    @property
    def ways(self) -> tuple[str, ...]:
        """Return the ways that are set up."""
        wanted = {EMAIL: self.mail.host and self.to, WEBHOOK: self.webhook, NTFY: self.ntfy and self.topic}
        return tuple(way for way, is_set in wanted.items() if is_set)


@dataclass(frozen=True, slots=True)
class Note:
    """What a message says: in words, and for programs. `number` is the message's own, the same each time it is sent."""

    number: str
    subject: str
    text: str
    summary: str
    """`text` in a line or two, for phones"""
    link: str
    facts: Mapping[str, object]
    priority: int = 3
    """1 to 5"""


@dataclass(frozen=True, slots=True)
class Ways:
    mail: Mail = field(default_factory=Mail)
    webhook: Webhook = field(default_factory=Webhook)
    ntfy: Ntfy = field(default_factory=Ntfy)


class Channels:
    """`send` blocks."""

    def __init__(self, secrets: Home, clock: Callable[[], datetime], ways: Ways | None = None) -> None:
        self._secrets = secrets
        self._clock = clock
        self._by = ways or Ways()

    def send(self, way: str, target: Target, note: Note) -> None:
        """Raises MessageError, KeyHomeError, StoreError."""
        secret = self._secrets.read(target.secrets[way])
        word = secret.decode() if secret else None
        match way:
            case "email":
                self._by.mail.send(target.mail, word, target.sender, target.to, subject=note.subject, text=note.text, number=note.number)
            case "webhook":
                if secret is None:
                    raise WebhookKeyMissing
                told = {"id": note.number, **note.facts, "link": note.link}
                self._by.webhook.send(target.webhook, secret, told, self._clock().timestamp(), inside=target.webhook_inside)
            case "ntfy":
                said = NtfyNote(note.subject, note.summary, note.link, note.priority)
                self._by.ntfy.send(target.ntfy, target.topic, word, said, inside=target.ntfy_inside)


INCIDENT_SECRETS: Final = {EMAIL: "incidents-email", WEBHOOK: "incidents-webhook"}


def incident_target(settings: IncidentSettings) -> Target:
    """Return where messages about incidents go."""
    return Target(
        mail=MailServer(settings.smtp_host, settings.smtp_port, settings.smtp_security, settings.smtp_user),
        sender=settings.email_from or next(iter(settings.email_to), ""),
        to=settings.email_to,
        webhook=settings.webhook,
        webhook_inside=settings.webhook_inside,
        secrets=INCIDENT_SECRETS,
    )
