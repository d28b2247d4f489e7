"""Puts a server's backups together: only the server imports this."""

from collections.abc import Callable
from datetime import datetime

import structlog

from agent.app.library_home import home_of_key
from agent.app.server.log_files import POSTGRES_LOG
from agent.domain.errors import AgentError, BackupDatabaseElsewhere, BackupError, BackupOff, StoreError
from agent.features.consent.queries import ConsentQueries
from agent.infrastructure.core.paths import AppPaths
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store.audit_anchor import AuditAnchor
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
from agent.infrastructure.store.server_database import POSTGRES_FOLDER
from agent.server.backups.context import backup_context
from agent.server.backups.drill import Drill
from agent.server.backups.file_sets import FORGOTTEN, WITHDRAWN
from agent.server.backups.runner import BackupRunner
from agent.server.backups.runs import RunQueries
from agent.server.backups.scratch_database import clear
from agent.server.backups.service import Able, ServerBackups
from agent.server.backups.wal_gaps import MARK as GIVEN_UP
from agent.server.backups.wal_gaps import WalGapLog
from agent.server.backups.withdrawal_list import WithdrawnFile
from agent.server.devices.queries import begin_anew
from agent.server.uploads.queries import UploadQueries

log = structlog.get_logger()

DRILL_FOLDER, DRILL_LOG = "drill", "drill.log"


def backups_of_server(
    database: Database,
    embedded: EmbeddedPostgres | None,
    settings: Callable[[], Settings],
    paths: AppPaths,
    clock: Callable[[], datetime],
) -> ServerBackups:
    """Repositories are those of the start. Raises KeyHomeError, StoreError. Blocks."""
    try:
        clear(paths.data / DRILL_FOLDER)  # a killed trial restore's database: it has people who are forgotten meanwhile
    except StoreError as error:
        log.warning("drill.left_over", code=error.code)  # the next one tries again
    queries = RunQueries(database)
    able: Able | AgentError
    try:
        if embedded is None:
            raise BackupDatabaseElsewhere
        context = backup_context(settings(), paths, home_of_key(settings(), paths))
        if embedded.home.archive is None:
            raise BackupOff
        making = BackupRunner(context, embedded, queries, settings, paths, clock)
        drill = Drill(making, queries, paths.data / POSTGRES_FOLDER, paths.data / DRILL_FOLDER, paths.logs / DRILL_LOG, clock)
        able = Able(making, drill, WalGapLog(paths.logs / POSTGRES_LOG, paths.data / GIVEN_UP, clock))
    except BackupError as error:
        able = error
    withdrawn = WithdrawnFile(paths.data / WITHDRAWN, ConsentQueries(database))
    return ServerBackups(able, queries, withdrawn, paths.data / FORGOTTEN, settings, clock)


def notice_earlier(database: Database, witness: AuditAnchor, now: datetime) -> None:
    """Have desktops ask for everything again if the database may be of an earlier moment: a restore removes the witness.

    Uploads whose files are older than the database, and so not there, can be sent again. Blocks.
    Raises StoreError.
    """
    head = witness.read()
    if head is None or AuditQueries(database).audit_digest(head.number) != head.digest:
        with database.write(durable=True) as tx:
            begin_anew(tx)
        UploadQueries(database).forget_lost(now)
