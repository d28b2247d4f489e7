"""Messages about alerts reach real servers of ntfy, webhooks and heartbeats, and say no name."""

from __future__ import annotations

import json
import ssl
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import MagicMock

import pytest

from agent.domain.errors import NoWayToTell, NtfyFailed, NtfyInside, StoreDiskFull, StoreError, StoreUnreachable, WebhookFailed
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.server_settings import AlertSettings, IncidentSettings
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.leases import Leases
from agent.infrastructure.store.migrator import upgrade
from agent.infrastructure.store.secret_stores import FileSecretStore
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.alert_text import ALERT_SECRETS, alert_sending
from agent.server.alerts.conditions import Readings
from agent.server.alerts.disk_full_alert import DirectAlert
from agent.server.alerts.evaluator import AlertWatch
from agent.server.alerts.heartbeat import Heartbeat
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.records import AlertReading, SilenceReason
from agent.server.messages.channels import Channels, Ways
from agent.server.messages.https import Https, NotReached
from agent.server.messages.ntfy import Ntfy
from agent.server.messages.sending import Wording
from agent.server.messages.webhook import Webhook
from tests.support.message_receivers import Receiver

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ORIGIN = "https://photos.example:8443"


class Told:
    """A full disk, and what tells of it."""

    def __init__(self, folder: Path, trust: ssl.SSLContext) -> None:
        self.time = datetime(2026, 11, 30, 10, tzinfo=UTC)
        database = Database.in_file(folder / "library.db", b"k" * 32)
        upgrade(database)
        self.queries = AlertQueries(database)
        self.settings = Settings()
        self.secrets = FileSecretStore(folder / "keys")
        self.full = AlertReading(True, 2)
        self.channels = Channels(self.secrets, lambda: self.time, Ways(webhook=Webhook(trust), ntfy=Ntfy(trust)))
        wording = Wording(lambda: ORIGIN, lambda: Texts("en"), lambda: self.time)
        self.sending = alert_sending(self.queries, lambda: self.settings, self.channels, wording)
        ways, clock = self.sending.ways, lambda: self.time
        self.unstored = DirectAlert(self.look, lambda: self.settings, self.channels, wording)
        looks = [self.look]
        self.watch = AlertWatch(self.queries, Leases(database), looks, lambda: self.settings.alerts, ways, clock, self.unstored)
        looked = lambda: self.watch.looked_at  # noqa: E731
        self.heartbeat = Heartbeat(self.queries, looked, lambda: self.settings.alerts, lambda: self.time, Https(trust))

    def look(self, settings: AlertSettings, now: datetime) -> Readings:
        return {AlertKind.DISK_FULL: self.full}

    def set(self, **values: object) -> None:
        alerts = AlertSettings.model_validate({"hold_s": 0, "inside": True, **values})
        self.settings = Settings(alerts=alerts, incidents=IncidentSettings())


@pytest.fixture
def told(tmp_path: Path, trust: ssl.SSLContext) -> Iterator[Told]:
    made = Told(tmp_path, trust)
    yield made
    made.queries.database.close()


async def test_ntfy_shows_what_where_and_how_urgent_and_then_its_end(told: Told, receiver: Receiver) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    told.secrets.write(ALERT_SECRETS["ntfy"], b"tk_1")
    assert told.watch.look() and await told.sending.send_due() == 1
    told.full = AlertReading(False, 40)
    told.time += timedelta(minutes=9)
    assert told.watch.look() and await told.sending.send_due() == 1 and await told.sending.send_due() == 0
    (headers, first), (_, second) = receiver.received
    assert headers["authorization"] == "Bearer tk_1"
    said = json.loads(first)
    assert (said["topic"], said["title"], said["priority"]) == ("guard", "AI Popup: A disk is almost full", 5)
    assert "2%" in said["message"] and said["click"] == f"{ORIGIN}/#alerts/1"
    assert json.loads(second)["title"] == "AI Popup, over: A disk is almost full"


async def test_ntfy_that_refuses_is_told_by_the_test_and_tried_again(told: Told, receiver: Receiver) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    receiver.status = 403
    with pytest.raises(NtfyFailed) as failed:
        await told.sending.test()
    assert dict(failed.value.params) == {"status": 403}
    told.watch.look()
    assert await told.sending.send_due() == 0
    receiver.status = 200
    told.time += timedelta(minutes=1)
    assert await told.sending.send_due() == 1
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard", inside=False)
    with pytest.raises(NtfyInside):
        await told.sending.test()
    told.set()
    with pytest.raises(NoWayToTell):
        await told.sending.test()


@pytest.mark.parametrize(("status", "params"), [(500, {"status": 500}), (302, {"moved": 302})])
async def test_a_webhook_that_refuses_or_moved_is_told_apart(told: Told, receiver: Receiver, status: int, params: dict[str, int]) -> None:
    told.set(webhook=f"https://localhost:{receiver.port}/alerts")
    told.secrets.write(ALERT_SECRETS["webhook"], b"key")
    receiver.status = status
    with pytest.raises(WebhookFailed) as failed:
        await told.sending.test()
    assert dict(failed.value.params) == params and len(receiver.received) == 1


def test_a_receiver_whose_authority_is_unknown_is_told_from_one_that_is_away(receiver: Receiver) -> None:
    https = Https(ssl.create_default_context(cafile=None))
    with pytest.raises(NotReached) as failed:
        https.send("POST", f"https://localhost:{receiver.port}/", b"{}", {}, inside=True)
    assert failed.value.why == "certificate" and not receiver.received
    with pytest.raises(NotReached) as failed:
        https.send("POST", "https://localhost:1/", b"{}", {}, inside=True)
    assert failed.value.why == "connect"


async def test_a_test_waits_for_the_settings_that_were_just_saved(told: Told, receiver: Receiver) -> None:
    told.secrets.write(ALERT_SECRETS["webhook"], b"key")
    told.set()

    async def caught_up() -> None:
        told.set(webhook=f"https://localhost:{receiver.port}/alerts")

    wording = Wording(lambda: ORIGIN, lambda: Texts("en"), lambda: told.time, caught_up)
    assert await alert_sending(told.queries, lambda: told.settings, told.channels, wording).test() == ("webhook",)


async def test_a_webhook_of_its_own_is_told(told: Told, receiver: Receiver) -> None:
    told.set(webhook=f"https://localhost:{receiver.port}/alerts")
    told.secrets.write(ALERT_SECRETS["webhook"], b"key")
    told.watch.look()
    assert await told.sending.send_due() == 1
    [(_, body)] = receiver.received
    said = json.loads(body)
    assert (said["id"], said["kind"], said["event"], said["number"]) == ("alert-1-1", "disk-full", "firing", 2)


def test_the_heart_beats_while_all_is_well_and_only_then(told: Told, receiver: Receiver) -> None:
    told.set(heartbeat_url=f"https://localhost:{receiver.port}/ping")
    told.full = AlertReading(False, 40)
    assert not told.heartbeat.beat(), "this process has not looked yet"
    told.watch.look()
    assert told.heartbeat.beat() and not told.heartbeat.beat()
    told.time += timedelta(minutes=5)
    told.full = AlertReading(True, 2)
    told.watch.look()
    assert not told.heartbeat.beat(), "a critical alert fires"
    told.queries.silence("disk-full", SilenceReason.KNOWN, told.time + timedelta(hours=1), told.time)
    assert told.heartbeat.beat()
    told.time += timedelta(minutes=5)
    assert not told.heartbeat.beat(), "it has not looked for too long"
    assert len(receiver.received) == 2


async def test_a_clock_that_was_a_year_ahead_keeps_nothing_back(told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard", heartbeat_url=f"https://localhost:{receiver.port}/ping")
    now, told.time = told.time, told.time + timedelta(days=365)
    told.full = AlertReading(False, 40)
    told.watch.look()
    assert told.heartbeat.beat()
    told.full, receiver.status = AlertReading(True, 2), 500
    told.watch.look()
    assert await told.sending.send_due() == 0 and len(receiver.received) == 2

    told.time, receiver.status = now, 200
    told.watch.look()
    assert await told.sending.send_due() == 2, "the one that failed, and a reminder, since the last one was told nobody knows when"
    told.full = AlertReading(False, 40)
    told.time += timedelta(minutes=9)
    told.watch.look()
    assert told.heartbeat.beat() and await told.sending.send_due() == 1
    assert "over" in json.loads(receiver.received[-1][1])["title"]


async def test_an_end_is_told_though_a_wrong_clock_told_the_beginning(told: Told, receiver: Receiver) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard", remind_hours=0)
    now, told.time = told.time, told.time + timedelta(days=365)
    told.watch.look()
    assert await told.sending.send_due() == 1
    told.time, told.full = now, AlertReading(False, 40)
    told.watch.look()
    told.watch.look()
    assert await told.sending.send_due() == 1 and await told.sending.send_due() == 0


async def test_a_full_disk_is_told_again_after_a_clock_that_was_ahead(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    now, told.time = told.time, told.time + timedelta(days=365)
    told.unstored.tell(StoreDiskFull())
    told.time = now
    told.unstored.tell(StoreDiskFull())
    told.unstored.tell(StoreDiskFull())
    assert len(receiver.received) == 2


@pytest.mark.parametrize(("error", "full"), [(StoreDiskFull, False), (StoreUnreachable, True)])
async def test_a_full_disk_that_takes_no_alert_is_told_all_the_same_and_once(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch, error: type[StoreError], full: bool
) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    told.full = AlertReading(False, 50)
    assert not told.watch.look()

    monkeypatch.setattr(Leases, "hold", MagicMock(side_effect=error))
    told.full = AlertReading(full, 0)
    for _ in range(3):
        told.time += timedelta(seconds=2)
        with pytest.raises(error):
            told.watch.look()
    [(_, body)] = receiver.received
    assert json.loads(body)["title"] == "AI Popup: the database’s disk is full" and json.loads(body)["priority"] == 5


async def test_a_full_disk_that_is_silenced_is_told_when_the_silence_ends(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    told.full = AlertReading(False, 50)
    told.queries.silence("disk-full", SilenceReason.BEING_FIXED, told.time + timedelta(hours=2), told.time)
    told.watch.look()
    monkeypatch.setattr(Leases, "hold", MagicMock(side_effect=StoreDiskFull))
    for hours, messages in ((1, 0), (1, 1)):
        told.time += timedelta(hours=hours)
        with pytest.raises(StoreDiskFull):
            told.watch.look()
        assert len(receiver.received) == messages


async def test_a_database_that_is_away_for_another_reason_is_told_later(
    told: Told, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    told.set(ntfy_server=f"https://localhost:{receiver.port}", ntfy_topic="guard")
    told.full = AlertReading(False, 50)
    told.watch.look()
    monkeypatch.setattr(Leases, "hold", MagicMock(side_effect=StoreUnreachable))
    with pytest.raises(StoreUnreachable):
        told.watch.look()
    assert receiver.received == []
