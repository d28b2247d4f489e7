"""What is known of alerts and silences."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from agent.domain.severity import Severity


class AlertSource(StrEnum):
    SERVER = "server"
    PROMETHEUS = "prometheus"


class AlertEvent(StrEnum):
    """What a message is about."""

    FIRING = "firing"
    REMINDER = "reminder"
    RESOLVED = "resolved"


class SilenceReason(StrEnum):
    """A choice, because free text would hold names."""

    MAINTENANCE = "maintenance"
    KNOWN = "known"
    BEING_FIXED = "being_fixed"
    FALSE_ALARM = "false_alarm"


@dataclass(frozen=True, slots=True)
class AlertReading:
    """Whether a condition holds now, and the number in its text."""

    active: bool
    number: int


@dataclass(frozen=True, slots=True)
class Alert:
    """`number` is what the text of its name says: percent, hours, photos … `ended_at` is None while it fires."""

    id: int
    source: AlertSource
    name: str
    severity: Severity
    number: int
    began_at: datetime
    seen_at: datetime
    ended_at: datetime | None
    told_at: datetime | None


@dataclass(frozen=True, slots=True)
class Silence:
    id: int
    name: str
    reason: SilenceReason
    until: datetime
    made_at: datetime
    made_by: str
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class ReceivedAlert:
    """An alert as Alertmanager tells it."""

    name: str
    key: str
    severity: Severity
    began_at: datetime
    firing: bool
