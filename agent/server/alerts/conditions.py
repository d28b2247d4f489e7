"""The conditions of the server's own alerts: each function reads one thing and returns what it found. All block."""

import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, TypeAlias

from agent.infrastructure.core.server_settings import AlertSettings
from agent.infrastructure.store.backup_dates import is_future
from agent.server.alerts.alert_kinds import AlertKind
from agent.server.alerts.records import AlertReading

Readings: TypeAlias = Mapping[AlertKind, AlertReading]
# Returns nothing about what can't be looked at now. Raises AgentError.
Condition: TypeAlias = Callable[[AlertSettings, datetime], Readings]

SIGN_INS_WITHIN: Final = timedelta(minutes=10)
_CGROUP: Final = Path("/sys/fs/cgroup")


def disks(folders: Callable[[], Iterable[Path]], free_percent: Callable[[Path], float] | None = None) -> Condition:
    """`folders` hold the server's data: those that don't exist yet are left out."""
    measure = free_percent or _free_percent

    def look(settings: AlertSettings, now: datetime) -> Readings:
        free = min((measure(folder) for folder in set(folders()) if folder.is_dir()), default=100.0)
        return {
            AlertKind.DISK_LOW: AlertReading(free < settings.disk_low_percent, int(free)),
            AlertKind.DISK_FULL: AlertReading(free < settings.disk_full_percent, int(free)),
        }

    return look


def certificate(expires: Callable[[], datetime]) -> Condition:
    """`expires` returns the end of the certificate that is served."""

    def look(settings: AlertSettings, now: datetime) -> Readings:
        left = expires() - now
        expired = left <= timedelta()
        soon = not expired and left < timedelta(days=settings.certificate_days)
        return {
            AlertKind.CERTIFICATE_EXPIRING: AlertReading(soon, max(0, left.days)),
            AlertKind.CERTIFICATE_EXPIRED: AlertReading(expired, max(0, -left.days)),
        }

    return look


@dataclass(frozen=True, slots=True)
class Work:
    """The photos that wait, since when the oldest one does, and when the last one was finished."""

    waiting: int
    oldest: datetime | None
    finished: datetime | None


def queue(work: Callable[[], Work], paused: Callable[[], bool]) -> Condition:
    def look(settings: AlertSettings, now: datetime) -> Readings:
        found, limit = work(), now - timedelta(minutes=settings.queue_minutes)
        stuck = found.oldest is not None and found.oldest < limit and (found.finished is None or found.finished < limit)
        return {AlertKind.QUEUE_STUCK: AlertReading(stuck and not paused(), found.waiting)}

    return look


def workers(alive: Callable[[], int], expected: int, work: Callable[[], Work]) -> Condition:
    """`expected` workers are started by the server itself; where that is none, one is missed as soon as photos wait."""

    def look(settings: AlertSettings, now: datetime) -> Readings:
        wanted = expected or (1 if work().waiting else 0)
        missing = max(0, wanted - alive())
        return {AlertKind.WORKERS_MISSING: AlertReading(missing > 0, missing)}

    return look


def memory(used_percent: Callable[[], float] | None = None) -> Condition:
    measure = used_percent or memory_used_percent

    def look(settings: AlertSettings, now: datetime) -> Readings:
        used = measure()
        return {AlertKind.MEMORY_HIGH: AlertReading(used > settings.memory_percent, int(used))}

    return look


def sign_ins(failed_since: Callable[[datetime], int]) -> Condition:
    def look(settings: AlertSettings, now: datetime) -> Readings:
        failed = failed_since(now - SIGN_INS_WITHIN)
        return {AlertKind.SIGN_IN_REFUSALS_HIGH: AlertReading(failed >= settings.failed_sign_ins, failed)}

    return look


def sources(failing: Callable[[], int]) -> Condition:
    """`failing` counts the sources that can't be read now."""

    def look(settings: AlertSettings, now: datetime) -> Readings:
        return {AlertKind.SOURCE_UNREACHABLE: AlertReading(failing() > 0, failing())}

    return look


def messages(failing: Sequence[Callable[[], int]]) -> Condition:
    """`failing` count the messages in each queue that failed several times."""

    def look(settings: AlertSettings, now: datetime) -> Readings:
        count = sum(each() for each in failing)
        return {AlertKind.MESSAGES_FAILING: AlertReading(count > 0, count)}

    return look


@dataclass(frozen=True, slots=True)
class BackupFacts:
    """What is known of the server's backups. `configured_at`: since when there should be one."""

    configured_at: datetime
    newest: datetime | None
    offsite: bool
    newest_offsite: datetime | None
    drill_failed: bool


def backups(facts: Callable[[], BackupFacts | None]) -> Condition:
    """`facts` returns None where the program makes no backups."""

    def look(settings: AlertSettings, now: datetime) -> Readings:
        known = facts()
        if known is None:
            return {}
        age, offsite = (now - _made(each, known.configured_at, now) for each in (known.newest, known.newest_offsite))
        return {
            AlertKind.BACKUP_TOO_OLD: _older(age, settings.backup_hours),
            AlertKind.BACKUP_DRILL_FAILED: AlertReading(known.drill_failed, 1),
            AlertKind.OFFSITE_COPY_FAILING: _older(offsite if known.offsite else timedelta(), settings.offsite_hours),
        }

    return look


def _made(newest: datetime | None, configured_at: datetime, now: datetime) -> datetime:
    """Return since when none was made. A date ahead says nothing: a clock was wrong."""
    return configured_at if newest is None or is_future(newest, now) else newest


def _older(age: timedelta, hours: int) -> AlertReading:
    return AlertReading(0 < hours < age / timedelta(hours=1), int(age / timedelta(hours=1)))


def _free_percent(folder: Path) -> float:
    usage = shutil.disk_usage(folder)
    return 100 * usage.free / usage.total if usage.total else 100.0


def memory_used_percent() -> float:
    """Of the computer, or of the container if that has a limit of its own. What the system can free at once is not in use."""
    try:
        limit = int((_CGROUP / "memory.max").read_text("ascii"))
        used = int((_CGROUP / "memory.current").read_text("ascii"))
        stats = dict(line.split() for line in (_CGROUP / "memory.stat").read_text("ascii").splitlines())
        return 100 * max(0, used - int(stats["inactive_file"])) / limit
    except (OSError, ValueError, KeyError, ZeroDivisionError):
        import psutil

        return float(psutil.virtual_memory().percent)
