"""The server's own alerts: their names and severities, and how long a condition must last."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from agent.domain.severity import Severity


class AlertKind(StrEnum):
    """Each has a page `docs/runbook/KIND.md` in both languages. A Prometheus rule about the same condition has the same name."""

    DISK_LOW = "disk-low"
    DISK_FULL = "disk-full"
    BACKUP_TOO_OLD = "backup-too-old"
    BACKUP_DRILL_FAILED = "backup-drill-failed"
    OFFSITE_COPY_FAILING = "offsite-copy-failing"
    CERTIFICATE_EXPIRING = "certificate-expiring"
    CERTIFICATE_EXPIRED = "certificate-expired"
    QUEUE_STUCK = "queue-stuck"
    WORKERS_MISSING = "workers-missing"
    DATABASE_UNREACHABLE = "database-unreachable"
    MEMORY_HIGH = "memory-high"
    SIGN_IN_REFUSALS_HIGH = "sign-in-refusals-high"
    SOURCE_UNREACHABLE = "source-unreachable"
    MESSAGES_FAILING = "messages-failing"


@dataclass(frozen=True, slots=True)
class KindFacts:
    """`hold`: how long the condition must last, and be over, as a multiple of `alerts.hold_s`."""

    severity: Severity
    hold: float = 0


_QUICK, _SLOW, _LONG = 0.2, 1.0, 6.0

FACTS: Final[Mapping[AlertKind, KindFacts]] = {
    AlertKind.DISK_LOW: KindFacts(Severity.WARNING, _SLOW),
    AlertKind.DISK_FULL: KindFacts(Severity.CRITICAL, _QUICK),
    AlertKind.BACKUP_TOO_OLD: KindFacts(Severity.CRITICAL),
    AlertKind.BACKUP_DRILL_FAILED: KindFacts(Severity.CRITICAL),
    AlertKind.OFFSITE_COPY_FAILING: KindFacts(Severity.WARNING),
    AlertKind.CERTIFICATE_EXPIRING: KindFacts(Severity.WARNING),
    AlertKind.CERTIFICATE_EXPIRED: KindFacts(Severity.CRITICAL),
    AlertKind.QUEUE_STUCK: KindFacts(Severity.WARNING, _QUICK),  # its condition has a duration of its own
    AlertKind.WORKERS_MISSING: KindFacts(Severity.CRITICAL, _SLOW),
    AlertKind.DATABASE_UNREACHABLE: KindFacts(Severity.CRITICAL),  # stored once it is over
    AlertKind.MEMORY_HIGH: KindFacts(Severity.WARNING, _SLOW),
    AlertKind.SIGN_IN_REFUSALS_HIGH: KindFacts(Severity.WARNING),  # counted over ten minutes
    AlertKind.SOURCE_UNREACHABLE: KindFacts(Severity.WARNING, _LONG),
    AlertKind.MESSAGES_FAILING: KindFacts(Severity.WARNING, _QUICK),
}
