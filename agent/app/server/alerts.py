"""Puts the alerts of a team server together: only the server imports this."""

from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from agent.app.app import App
from agent.app.library_home import home_of_key
from agent.app.server.addresses import server_address
from agent.app.server.job_coordination import HAS_WORKERS
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.i18n import Texts
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.server_settings import AlertSettings
from agent.infrastructure.core.service_context import utc_now
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.leases import Leases
from agent.server.alerts import conditions
from agent.server.alerts.alert_text import alert_sending
from agent.server.alerts.conditions import BackupFacts, Condition
from agent.server.alerts.disk_full_alert import DirectAlert
from agent.server.alerts.evaluator import AlertWatch
from agent.server.alerts.heartbeat import Heartbeat
from agent.server.alerts.queries import AlertQueries
from agent.server.alerts.service import Alerts
from agent.server.backups.repositories import LOCAL, OFFSITE
from agent.server.backups.runs import RunKind, RunQueries
from agent.server.messages.channels import Channels
from agent.server.messages.queue import MessageQueue
from agent.server.messages.sending import Sending, Wording
from agent.server.workers.queries.worker_rows import WorkerQueries
from agent.server.workers.records import WorkerState

FAILED_OFTEN: Final = 3


@dataclass(frozen=True, slots=True)
class AlertWork:
    alerts: Alerts
    watch: AlertWatch
    sending: Sending
    heartbeat: Heartbeat

    def works(self) -> list[Coroutine[Any, Any, None]]:
        """What runs until it is cancelled in each process, of which one looks, by a lease of its own; `sending` is the leader's."""
        return [self.watch.run(), self.heartbeat.run()]


@dataclass(frozen=True, slots=True)
class Watched:
    """What is asked about the server."""

    workers: WorkerQueries
    certificate: Callable[[], datetime]
    """the end of the certificate that is served"""
    failing_sources: Callable[[], int]
    incident_messages: MessageQueue


def alerts_of(
    database: Database,
    app: App,
    paths: AppPaths,
    channels: Channels,
    wording: Wording,
    watched: Watched,
    unstored: DirectAlert,
) -> AlertWork:
    """Settings take effect at once. Call it inside the event loop."""

    def alerts_now() -> AlertSettings:
        return app.settings.alerts

    queries = AlertQueries(database)
    sending = alert_sending(queries, lambda: app.settings, channels, wording)
    looked = [
        _disks(lambda: app.settings, paths),
        *_conditions(queries, app, watched),
        conditions.backups(lambda: backup_facts(queries, RunQueries(database), app.settings, app.now())),
    ]
    watch = AlertWatch(queries, Leases(database), looked, alerts_now, sending.ways, app.now, unstored)
    alerts = Alerts(queries, app.now)
    watch.changed.subscribe(alerts.happened)
    heartbeat = Heartbeat(queries, lambda: watch.looked_at, alerts_now, app.now)
    return AlertWork(alerts, watch, sending, heartbeat)


def unstored_alert(file: SettingsFile, paths: AppPaths) -> DirectAlert:
    """Return what tells of a full disk while there is no database. It follows the settings."""

    def settings() -> Settings:
        return file.snapshot

    wording = Wording(lambda: server_address(settings(), settings().server.port), lambda: Texts(settings().general.language.value), utc_now)
    return DirectAlert(_disks(settings, paths), settings, Channels(home_of_key(settings(), paths), utc_now), wording)


def _disks(settings: Callable[[], Settings], paths: AppPaths) -> Condition:
    return conditions.disks(lambda: folders_of(settings(), paths))


def _conditions(queries: AlertQueries, app: App, watched: Watched) -> Sequence[Condition]:
    def alive() -> int:
        return sum(each.state is not WorkerState.GONE for each in watched.workers.workers())

    started = app.settings.server.workers  # takes effect at the next start
    of_work = [
        conditions.queue(queries.work, lambda: app.indexer.paused),
        conditions.workers(alive, started, queries.work),
    ]
    return [
        conditions.certificate(watched.certificate),
        *(of_work if HAS_WORKERS else of_work[:1]),
        conditions.memory(),
        conditions.sign_ins(queries.failed_sign_ins),
        conditions.sources(watched.failing_sources),
        conditions.messages([lambda: queries.outbox.failing(FAILED_OFTEN), lambda: watched.incident_messages.failing(FAILED_OFTEN)]),
    ]


def backup_facts(queries: AlertQueries, runs: RunQueries, settings: Settings, now: datetime) -> BackupFacts | None:
    """None where backups are switched off: another program makes them. Blocks. Raises StoreError."""
    if not settings.backup.enabled:
        return None
    good, last = runs.last(good=True), runs.last(good=False)
    newest, offsite = good.get((RunKind.DATABASE, LOCAL)), good.get((RunKind.DATABASE, OFFSITE))
    drills = [last.get((RunKind.DRILL, name)) for name in (LOCAL, *([OFFSITE] if settings.backup.offsite else []))]
    return BackupFacts(
        configured_at=queries.began_at() or now,
        newest=newest.ended_at if newest else None,
        offsite=bool(settings.backup.offsite),
        newest_offsite=offsite.ended_at if offsite else None,
        drill_failed=any(each is not None and each.code for each in drills),
    )


def folders_of(settings: Settings, paths: AppPaths) -> Iterable[Path]:
    """The folders with the server's data: each may be on a disk of its own."""
    return [paths.data, paths.library, paths.cache, paths.logs, *([Path(settings.uploads.folder)] if settings.uploads.folder else [])]
