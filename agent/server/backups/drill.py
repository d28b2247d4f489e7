"""Restores the newest backup beside the running database and compares both row by row, at the same moment."""

import secrets
import time
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime
from pathlib import Path
from typing import Final

import structlog
from sqlalchemy import Connection, text

from agent.domain.errors import AgentError, DrillDiffers, RepositoryEmpty, RepositoryUnreachable
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.dialects.sqlcipher import KEY_BYTES
from agent.infrastructure.store.embedded_postgres import embedded_address
from agent.infrastructure.store.schema import metadata
from agent.server.backups.restic import Restic
from agent.server.backups.runner import BackupRunner
from agent.server.backups.runs import BackupRun, RunKind, RunQueries
from agent.server.backups.scratch_database import check_room, clear, restored

log = structlog.get_logger()

_ARRIVES_S, _AGAIN_S = 180.0, 0.5
# A sum of the rows' digests, as `agent.server.transfer.canonical.Digest`: it ignores their order, and sees a row that is there twice.
_SUM: Final = (
    "SELECT count(*), coalesce(sum(('x' || left(encode(sha256(convert_to(t::text, 'UTF8')), 'hex'), 15))::bit(60)::bigint), 0)::text"
    ' FROM "{}" AS t'
)


class Drill:
    def __init__(
        self, making: BackupRunner, queries: RunQueries, postgres: Path, folder: Path, messages: Path, clock: Callable[[], datetime]
    ) -> None:
        """`postgres` is the running database's folder; `folder` is this drill's, emptied before and after."""
        self._making = making
        self._queries = queries
        self._postgres = postgres
        self._folder = folder
        self._messages = messages
        self._clock = clock

    def run(self) -> BackupRun:
        """Try each repository; returns the last one's run. Raises BackupError, StoreError of the first that failed."""
        problems: list[AgentError] = []
        for number, (name, restic) in enumerate(self._making.resources(), 1):
            run = self._queries.begin(RunKind.DRILL, name, self._clock())
            try:
                rows, seconds = self._one(number, restic)
            except AgentError as error:
                self._queries.end(run, self._clock(), code=error.code)
                log.error("drill.failed", repository=name, code=error.code)
                problems.append(error)
            else:
                self._queries.end(run, self._clock(), rows=rows, seconds=seconds)
                log.info("drill.done", repository=name, rows=rows, seconds=round(seconds, 1))
        if problems:
            raise problems[0]
        return next(each for each in self._queries.runs() if each.kind is RunKind.DRILL)

    def _one(self, number: int, restic: Restic) -> tuple[int, float]:
        [found] = self._making.tool.info(number)
        if not found.backups:
            raise RepositoryEmpty
        clear(self._folder)
        check_room(found, self._folder.parent)
        self._making.tool.verify(number)
        restic.verify(whole=number == 1)
        name = f"drill-{secrets.token_hex(8)}"
        try:
            here = self._sums_now(number, name)
            began = time.monotonic()
            words = ["--type=name", f"--target={name}", "--target-action=promote"]
            archive, address = self._making.context.archive, embedded_address(self._postgres)
            with restored(self._folder, self._messages, archive, address, number, words) as found_again:
                seconds = time.monotonic() - began
                there = sums(found_again.url)
        finally:
            clear(self._folder)
        differing = [table for table in here if here[table] != there.get(table)]
        if differing:
            raise DrillDiffers(tables=", ".join(differing))
        return sum(rows for rows, _ in here.values()), seconds

    def _sums_now(self, number: int, name: str) -> dict[str, tuple[int, str]]:
        """Name this moment in the log, return the sums of that moment, and wait until the log has arrived in that repository."""
        database = self._queries.database
        with ExitStack() as reading:
            with database.write(durable=True) as tx:  # nothing else is written meanwhile
                tx.execute(text("SELECT pg_create_restore_point(:name)"), {"name": name})
                piece = tx.scalar(text("SELECT pg_walfile_name(pg_current_wal_insert_lsn())")) or ""
                source = reading.enter_context(database.read())
                source.execute(text("SELECT 1 FROM alembic_version")).all()  # its state begins with the first query
            found = _sums(source)
        self._arrive(number, database, piece)
        return found

    def _arrive(self, number: int, database: Database, piece: str) -> None:
        with database.write(durable=True) as tx:
            tx.execute(text("SELECT pg_switch_wal()"))
        until = time.monotonic() + _ARRIVES_S
        while True:
            # PostgreSQL knows only what arrived everywhere, and the other repository may be away.
            if self._making.tool.info(number)[0].newest_wal >= piece:
                return
            if time.monotonic() > until:
                raise RepositoryUnreachable(where=self._making.resources()[number - 1][0])
            time.sleep(_AGAIN_S)


def sums(url: str) -> dict[str, tuple[int, str]]:
    """Return each table's number of rows and the sum of their digests. Raises StoreError."""
    from agent.infrastructure.store.dialects.postgresql import PostgreSql

    with closing(Database(PostgreSql(url, bytes(KEY_BYTES)))) as database, database.read() as tx:
        return _sums(tx)


def _sums(tx: Connection) -> dict[str, tuple[int, str]]:
    return {table.name: tuple(tx.execute(text(_SUM.format(table.name))).one()) for table in metadata.sorted_tables}
