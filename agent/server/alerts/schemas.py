"""The API schemas of alerts."""

import re
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from agent.domain.severity import Severity
from agent.interfaces.web.desk_exchange import MOST_ALERTS, AlertName
from agent.interfaces.web.schema_base import Schema
from agent.server.alerts.records import Alert, AlertSource, ReceivedAlert, Silence, SilenceReason


class AlertOut(Schema):
    """`number` is what the text of its name says: percent, hours, photos …"""

    id: int
    source: AlertSource
    name: AlertName
    severity: Severity
    number: int
    began_at: datetime
    ended_at: datetime | None
    """null: it fires"""

    @classmethod
    def of(cls, found: Alert) -> Self:
        return cls.from_record(found)


class SilenceOut(Schema):
    id: int
    name: AlertName
    reason: SilenceReason
    until: datetime
    made_at: datetime
    made_by: str
    """a member's random id; empty: on the server's computer"""

    @classmethod
    def of(cls, found: Silence) -> Self:
        return cls.from_record(found)


class AlertsOut(Schema):
    """What fires, newest first, and the silences in force."""

    firing: tuple[AlertOut, ...]
    silences: tuple[SilenceOut, ...]
    names: tuple[str, ...]
    """of the server's own alerts"""
    ways: tuple[str, ...]
    """in which messages are sent"""
    looked_at: datetime | None
    """when this process last looked; null: another one does"""


class AlertHistory(Schema):
    """What ended, newest first."""

    items: tuple[AlertOut, ...]
    before: int | None
    """asks for the page of older ones; null: there are none"""


class AlertCount(Schema):
    firing: int
    """without those that are silenced"""


class AlertMessageOut(Schema):
    way: str
    """`email`, `webhook` or `ntfy`"""
    event: str
    """`firing`, `reminder` or `resolved`"""
    attempts: int
    due_at: datetime | None
    """of the next attempt; null: sent, or given up"""
    sent_at: datetime | None
    error_code: str | None


class AlertMessages(Schema):
    items: tuple[AlertMessageOut, ...]


class SilenceWanted(Schema):
    name: AlertName
    reason: SilenceReason
    until: AwareDatetime


class AlertTestSent(Schema):
    ways: tuple[str, ...]
    """in which a message was sent"""


class _Foreign(BaseModel):
    """Alertmanager may add fields at any time."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class PrometheusAlert(_Foreign):
    status: Literal["firing", "resolved"]
    labels: Annotated[dict[str, str], Field(max_length=100)]
    startsAt: AwareDatetime
    fingerprint: Annotated[str, Field(pattern=r"^[0-9a-f]{1,64}$")]

    def received(self) -> ReceivedAlert:
        """Of the labels only the name and the severity are kept: others may hold names of computers and paths."""
        name = re.sub(r"[^a-z0-9]+", "-", self.labels.get("alertname", "").lower()).strip("-")[:100].strip("-") or "unnamed"
        severity = {"critical": Severity.CRITICAL, "page": Severity.CRITICAL, "warning": Severity.WARNING}
        found = severity.get(self.labels.get("severity", ""), Severity.NOTICE)
        return ReceivedAlert(name, self.fingerprint, found, self.startsAt.astimezone(UTC), self.status == "firing")


class PrometheusAlerts(_Foreign):
    """What Alertmanager posts, version 4 of its webhook."""

    version: Literal["4"]
    alerts: Annotated[tuple[PrometheusAlert, ...], Field(max_length=MOST_ALERTS)]
