"""Messages about incidents reach a real mail server and a real receiver of webhooks, say no name, and are sent again."""

from __future__ import annotations

import hashlib
import hmac
import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from agent.domain.errors import MailFailed, NoWayToTell, WebhookFailed, WebhookKeyMissing
from agent.infrastructure.core.actor import acting_as
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.server_settings import IncidentSettings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.incidents.incident_detector import IncidentWatch
from agent.server.incidents.incident_text import incident_sending
from agent.server.incidents.queries import IncidentQueries
from agent.server.messages.channels import INCIDENT_SECRETS, Channels, Ways
from agent.server.messages.mail import Mail
from agent.server.messages.sending import Sending, Wording
from agent.server.messages.webhook import SIGNATURE, Webhook
from tests.support.message_receivers import PASSWORD, MailServer, Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEI = "a" * 32
KEY = "webhook key"
ORIGIN = "https://photos.example:8443"


class Told:
    """An incident, and what tells of it. `settings` can be changed between."""

    def __init__(self, folder: Path, trust: ssl.SSLContext) -> None:
        self.time = datetime(2026, 11, 30, 10, tzinfo=UTC)
        database = Database.in_file(folder / "library.db", b"k" * 32)
        upgrade(database)
        self.queries = IncidentQueries(database)
        self.settings = IncidentSettings()
        self.secrets = FileSecretStore(folder / "keys")
        self.sending = self.anew(trust)
        self._witness = AuditAnchor(folder / "library.db")

    def anew(self, trust: ssl.SSLContext) -> Sending:
        channels = Channels(self.secrets, lambda: self.time, Ways(Mail(trust), Webhook(trust)))
        wording = Wording(lambda: ORIGIN, lambda: Texts("en"), lambda: self.time)
        return incident_sending(self.queries, lambda: self.settings, channels, wording)

    def keep(self, way: str, secret: str) -> None:
        self.secrets.write(INCIDENT_SECRETS[way], secret.encode())

    def raise_one(self) -> None:
        watch = IncidentWatch(self.queries, self._witness, lambda: self.settings, self.sending.ways, lambda: self.time)
        watch.look()
        with acting_as(MEI):
            self.queries.audit_add("refused", MEI, 50, self.time)
        assert watch.look()


@pytest.fixture
def told(tmp_path: Path, trust: ssl.SSLContext) -> Iterator[Told]:
    made = Told(tmp_path, trust)
    yield made
    made.queries.database.close()


def by_mail(server: MailServer) -> IncidentSettings:
    return IncidentSettings(
        email_to=("guard@school.example",),
        email_from="popup@school.example",
        smtp_host="localhost",
        smtp_port=server.port,
        smtp_user="popup",
    )


def by_webhook(receiver: Receiver) -> IncidentSettings:
    return IncidentSettings(webhook=f"https://localhost:{receiver.port}/hooks?team=1", webhook_inside=True)


async def test_an_email_says_what_when_and_where_and_names_nobody(told: Told, mail: MailServer) -> None:
    told.settings = by_mail(mail)
    told.keep("email", PASSWORD)
    told.raise_one()
    assert await told.sending.send_due() == 1 and await told.sending.send_due() == 0
    [sent] = mail.mails
    content = sent.content.decode() if isinstance(sent.content, bytes) else ""
    assert sent.rcpt_tos == ["guard@school.example"] and sent.mail_from == "popup@school.example"
    assert "Subject: AI Popup: Many refusals" in content and f"{ORIGIN}/#incidents/1" in content and "Warning" in content
    assert MEI not in content and "Message-ID: <incident-1-1@school.example>" in content
    [kept] = told.queries.messages(1)
    assert kept.sent_at == told.time and kept.attempts == 1


async def test_what_the_mail_server_refuses_is_sent_later(told: Told, mail: MailServer, trust: ssl.SSLContext) -> None:
    told.settings = by_mail(mail)
    told.keep("email", "wrong")
    told.raise_one()
    assert await told.sending.send_due() == 0
    assert told.queries.messages(1)[0].error_code == MailFailed.code
    told.keep("email", PASSWORD)
    mail.closed = True
    told.time += timedelta(seconds=60)
    assert await told.sending.send_due() == 0
    mail.closed = False
    told.time += timedelta(seconds=119)
    assert await told.sending.send_due() == 0, "it waits twice as long after each failure"
    told.time += timedelta(seconds=1)
    anew = told.anew(trust)  # as after a restart
    assert await anew.send_due() == 1
    assert len(mail.mails) == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"smtp_port": 1}, "connect"),
        ({"smtp_security": "tls"}, "encryption"),
        ({"smtp_user": "someone"}, "sign_in"),
        ({"smtp_user": ""}, "refused"),
    ],
)
async def test_a_test_message_tells_what_is_wrong(told: Told, mail: MailServer, change: dict[str, object], reason: str) -> None:
    told.settings = IncidentSettings.model_validate(by_mail(mail).model_dump() | change)
    told.keep("email", PASSWORD)
    with pytest.raises(MailFailed) as failed:
        await told.sending.test()
    assert dict(failed.value.params) == {reason: 1}
    assert mail.mails == []


async def test_an_unknown_certificate_gets_no_password(told: Told, mail: MailServer) -> None:
    told.settings = by_mail(mail)
    told.keep("email", PASSWORD)
    with pytest.raises(MailFailed) as failed:
        await told.anew(ssl.create_default_context()).test()
    assert dict(failed.value.params) == {"encryption": 1}


async def test_a_webhook_is_signed_and_names_nobody(told: Told, receiver: Receiver) -> None:
    told.settings = by_webhook(receiver)
    told.keep("webhook", KEY)
    told.raise_one()
    assert await told.sending.send_due() == 1
    [(headers, body)] = receiver.received
    assert json.loads(body) == {
        "id": "incident-1-1",
        "kind": "many_refusals",
        "severity": "warning",
        "at": "2026-11-30T10:00:00+00:00",
        "link": f"{ORIGIN}/#incidents/1",
    }
    at, mac = headers[SIGNATURE].split(",")
    expected = hmac.new(KEY.encode(), at.removeprefix("t=").encode() + b"." + body, hashlib.sha256).hexdigest()
    assert mac == f"v1={expected}" and headers["host"] == f"localhost:{receiver.port}"


@pytest.mark.parametrize("status", [302, 404, 500])
async def test_no_redirect_is_followed_and_what_was_refused_is_sent_again(told: Told, receiver: Receiver, status: int) -> None:
    told.settings = by_webhook(receiver)
    told.keep("webhook", KEY)
    told.raise_one()
    receiver.status = status
    assert await told.sending.send_due() == 0
    assert told.queries.messages(1)[0].error_code == WebhookFailed.code
    receiver.status = 204
    told.time += timedelta(minutes=1)
    assert await told.sending.send_due() == 1
    assert [json.loads(body)["id"] for _, body in receiver.received] == ["incident-1-1"] * 2, "by which the receiver knows it again"


async def test_a_webhook_inside_is_refused_unless_allowed_and_unsigned_messages_are_not_sent(told: Told, receiver: Receiver) -> None:
    told.settings = by_webhook(receiver)
    with pytest.raises(WebhookKeyMissing):
        await told.sending.test()
    told.keep("webhook", KEY)
    told.settings = told.settings.model_copy(update={"webhook_inside": False})
    told.raise_one()
    assert await told.sending.send_due() == 0
    assert told.queries.messages(1)[0].error_code == "message.webhook_inside"
    assert receiver.received == []
    told.settings = by_webhook(receiver)
    assert await told.sending.test() == ("webhook",)


async def test_it_gives_up_after_a_day_and_a_half_and_without_a_way(told: Told, receiver: Receiver) -> None:
    told.settings = by_webhook(receiver)
    told.keep("webhook", KEY)
    told.raise_one()
    receiver.status = 500
    began = told.time
    while (waits := told.queries.messages(1)[0].due_at) is not None:
        told.time = waits
        assert await told.sending.send_due() == 0
    assert timedelta(days=1) < told.time - began < timedelta(days=2) and len(receiver.received) == 14
    told.settings = IncidentSettings()
    with pytest.raises(NoWayToTell):
        await told.sending.test()
