"""A PostgreSQL server's database: its transactions, its copies and its errors. Needs the extra `server`.

Writers take turns here too, across processes, by an advisory lock held until the end of the transaction: queries read before they
write, and readers of events continue from the last id they saw, so ids must be committed in order. A transaction that is not
`durable` may be lost in a power failure of the server, as with SQLCipher: complete and in order (`synchronous_commit=off`).
"""

import contextlib
import secrets
import selectors
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, ExceptionContext, create_engine, event, exc, func, insert, literal_column, select, text
from sqlalchemy.pool import ConnectionPoolEntry

from agent.domain.errors import (
    AgentError,
    BadRequest,
    StoreBusy,
    StoreDamaged,
    StoreDiskFull,
    StoreError,
    StoreUnreachable,
    StoreUnwritable,
    Unexpected,
)
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.commit_tracking import mark_commit_started
from agent.infrastructure.core.files import store_error
from agent.infrastructure.store import row_security
from agent.infrastructure.store.addresses import connecting
from agent.infrastructure.store.column_encryption import ColumnCipher, bind_cipher
from agent.infrastructure.store.columns import json_value
from agent.infrastructure.store.dialects.sqlcipher import SqlCipher
from agent.infrastructure.store.event_rows import ORIGIN
from agent.infrastructure.store.pg_notify import application
from agent.infrastructure.store.schema import create, metadata

_WAIT_S = 10.0  # for another writing process, and for a table
# Connections: as many are kept as a busy server's threads use at once, for opening one takes longer than most of what is asked.
_KEPT, _MOST = 16, 32
_SORT_MEMORY = "16MB"  # sorts an index of 300,000 photos without a file
_READ_ONLY = "25006"  # SQLSTATE
_BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
_READS = "reads"  # the execution option of such a transaction
_WRITERS = 0x41495055  # the advisory lock's number in the library's database
_TAKE_TURN = text("SELECT set_config('synchronous_commit', :commit, true), pg_advisory_xact_lock(:writers)")
_ALL_TABLES = "SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = current_schema()"
_ROWS = 500  # per step of a copy

# SQLSTATE, or its class if the whole class means the same.
_BY_STATE: dict[str, type[StoreError]] = {
    "08": StoreUnreachable,  # connection
    _READ_ONLY: StoreUnreachable,  # read-only transaction: a standby
    "28": StoreUnwritable,  # authorization
    "3D": StoreUnwritable,  # no such database
    "3F": StoreUnwritable,  # no such schema
    "40001": StoreBusy,  # serialization failure
    "40P01": StoreBusy,  # deadlock
    "42501": StoreUnwritable,  # privilege
    "53": StoreBusy,  # resources
    "53100": StoreDiskFull,
    "55P03": StoreBusy,  # lock timeout
    "57": StoreUnreachable,  # shutdown
    "57014": StoreBusy,  # cancelled
    "58": StoreUnwritable,  # system error
    "XX001": StoreDamaged,  # data
    "XX002": StoreDamaged,  # index
}
_TRUSTED_S = 1.0  # after its last use
_USED = "used"


class PostgreSql:
    """Implements `Dialect`: one database of a server."""

    def __init__(self, url: str, key: bytes, *, durable: bool = False, seals: ColumnCipher | None = None) -> None:
        """`url` in SQLAlchemy's form, `postgresql+psycopg://…`. `key` encrypts files beside it, and by `ColumnCipher` what must not be read
        in
        the database; a process without it has `seals` for faces alone.

        `durable` applies to every write: a database that is killed must not forget what living processes believe was written.
        """
        self.key = key
        self._durable = durable
        self._turn = threading.Lock()  # within the process: a waiting thread then needs no connection
        for index in (index for table in metadata.tables.values() for index in table.indexes if "where" in index.info):
            index.dialect_options["postgresql"]["where"] = index.info["where"]
        origin = secrets.token_hex(8)
        arguments = {
            **connecting(url),
            # One answer takes one core: with all cores for one, the others would wait.
            "options": f"-c lock_timeout={round(_WAIT_S * 1000)} -c max_parallel_workers_per_gather=0 -c work_mem={_SORT_MEMORY}",
            "application_name": application(origin),
        }
        self.engine = create_engine(
            url,
            connect_args=arguments,
            pool_size=_KEPT,
            max_overflow=_MOST - _KEPT,
            pool_use_lifo=True,
            json_deserializer=json_value,
            execution_options={ORIGIN: origin},
        )
        event.listen(self.engine, "handle_error", _left_behind)
        check_connections(self.engine)
        bind_cipher(self.engine.dialect, seals or ColumnCipher.of(key))

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        # The driver begins nothing by itself, so that what each reading begins with is one step to the server and back.
        by_hand = {"isolation_level": "AUTOCOMMIT", _READS: True}
        with translated(), self.engine.connect().execution_options(**by_hand) as connection, connection.begin():
            reach = current_scope()
            connection.exec_driver_sql(_BEGIN if reach is None else f"{_BEGIN}; {row_security.limiting(reach)}")
            yield connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        # READ COMMITTED: reads after taking the lock see the previous writer's changes.
        with self._turn, translated(), self.engine.connect() as connection, connection.begin():
            connection.execute(_TAKE_TURN, {"commit": "on" if durable or self._durable else "off", "writers": _WRITERS})
            if (reach := current_scope()) is not None:
                row_security.limit(connection, reach)
            yield connection
            mark_commit_started()

    def version(self) -> int:
        # The ended transactions, including those in the server's other databases: the value may change without a change here.
        with self.reading() as tx:
            seen: str = tx.execute(text("SELECT CAST(pg_current_snapshot() AS TEXT)")).scalar_one()
        return int.from_bytes(seen.encode())

    def flush(self) -> None:
        """Does nothing: the server decides how long it keeps its log."""

    def compact(self) -> None:
        """Remove deleted rows from tables and indexes while everyone reads and writes.

        `FULL` would lock each table for as long as copying it takes, and erase no more: the file it replaces stays in free blocks.
        """
        with translated(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in connection.exec_driver_sql(_ALL_TABLES).scalars().all():  # also what is derived: the embeddings' index
                connection.exec_driver_sql(f"VACUUM (INDEX_CLEANUP ON) {name}")

    def give_back_space(self) -> None:
        self.compact()

    def copy_to(self, target: Path) -> None:
        if target.exists():
            raise StoreUnwritable
        copy = SqlCipher(target, self.key)
        try:
            with self.reading() as source, copy.writing(durable=True) as tx:
                create(tx)
                for table in metadata.sorted_tables:
                    rows = source.execution_options(yield_per=_ROWS).execute(select(table)).mappings()
                    for part in rows.partitions():
                        tx.execute(insert(table), [dict(row) for row in part])
        finally:
            copy.close()

    def keep_copy(self, ending: str) -> None:
        """Makes none: a failed migration leaves no trace, and the server's operator keeps the dumps."""

    def sound(self) -> bool:
        try:
            with self.reading() as tx:
                for name in self._tables():
                    # As text, so that every value is read, including those stored outside their row.
                    tx.execute(select(func.count(literal_column("CAST(t AS TEXT)"))).select_from(text(f"{name} AS t"))).scalar_one()
        except StoreDamaged:
            return False
        return True

    def size_elsewhere(self) -> int:
        with self.reading() as tx:
            size: int = tx.execute(text("SELECT pg_database_size(current_database())")).scalar_one()
        return size

    def close(self) -> None:
        self.engine.dispose()

    def _tables(self) -> list[str]:
        quote = self.engine.dialect.identifier_preparer.quote
        return [quote(table.name) for table in metadata.sorted_tables]


def _left_behind(context: ExceptionContext) -> None:
    """A server that no longer takes writes was replaced by another: connections to it are of no use."""
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY and not _reads(context.connection):
        context.is_disconnect = True


def _reads(connection: Connection | None) -> bool:
    return connection is not None and bool(connection.get_execution_options().get(_READS))


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Convert the server's and the system's errors into StoreError, once; BadRequest for a text that the server can't hold."""
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreBusy from error
    except exc.DBAPIError as error:
        raise _translate(error) from error
    except OSError as error:
        raise store_error(error) from error


def _translate(error: exc.DBAPIError) -> Exception:
    state = getattr(error.orig, "sqlstate", None)
    if state is None:  # the driver's own: no connection, a lost one, or a text with a zero character
        if isinstance(error, exc.DataError):
            return BadRequest(reason="text")
        return StoreUnreachable() if isinstance(error, exc.OperationalError) else error
    kind = _of_state(state)
    # Other errors (a broken constraint, wrong SQL) are defects of the program and propagate unchanged.
    return kind() if kind is not None else error.orig if isinstance(error.orig, Exception) else error


def connection_error(error: Exception) -> AgentError:
    """Return the error that explains why a connection beside the pool of `PostgreSql` was not made, or lost."""
    if isinstance(error, AgentError):
        return error
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None)
    if state is None:  # the driver's own: no connection, or a lost one
        return StoreUnreachable()
    kind = _of_state(state)
    return kind() if kind is not None else Unexpected(kind=type(error).__name__)


def _of_state(state: str) -> type[StoreError] | None:
    return _BY_STATE.get(state) or _BY_STATE.get(state[:2])


def check_connections(engine: Engine) -> None:
    """Replace connections that are lost when they are taken from the pool of `engine`.

    One that was used a moment ago is only looked at: what comes on it unasked is its end, as of a server that was killed. Others are
    asked, which takes a step to the server and back: a machine that is gone says nothing.
    """

    def kept(_: Any, entry: ConnectionPoolEntry) -> None:
        entry.info[_USED] = time.monotonic()

    def taken(connection: Any, entry: ConnectionPoolEntry, _: object) -> None:
        fresh = time.monotonic() - entry.info.get(_USED, time.monotonic()) < _TRUSTED_S
        if fresh and not _has_said(connection):
            return
        try:
            engine.dialect.do_ping(connection)
        except engine.dialect.loaded_dbapi.Error as error:
            raise exc.InvalidatePoolError from error

    event.listen(engine, "checkin", kept)
    event.listen(engine, "checkout", taken)


def _has_said(connection: Any) -> bool:
    if connection.closed:
        return True
    with selectors.DefaultSelector() as selector:
        selector.register(connection.fileno(), selectors.EVENT_READ)
        return bool(selector.select(0))
