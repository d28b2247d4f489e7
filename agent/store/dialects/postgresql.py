"""A PostgreSQL server's database: its transactions, its copies and its errors. Needs the extra `server`.

Writers take turns here too, by an advisory lock that is held until the transaction's end, whatever process they are in: the queries read
before they write, and readers of events go on from the last id they saw, so that ids must be committed in order. A transaction that is not
`durable` may be lost when the server loses power, as with SQLCipher: whole and in order (`synchronous_commit=off`).
"""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, create_engine, exc, func, insert, literal_column, select, text

from agent.core.files import store_error
from agent.domain.errors import StoreBusy, StoreDamaged, StoreDiskFull, StoreError, StoreUnwritable
from agent.store.dialects.sqlcipher import SqlCipher
from agent.store.schema import create, metadata

_WAIT_S = 10.0  # for another process that writes, and for a table
_CONNECT_S = 10
_WRITERS = 0x41495055  # the advisory lock's number in the library's database
_TAKE_TURN = text("SELECT set_config('synchronous_commit', :commit, true), pg_advisory_xact_lock(:writers)")
_ROWS = 500  # in one step of a copy

# SQLSTATE, or its class where all of the class mean the same.
_BY_STATE: dict[str, type[StoreError]] = {
    "08": StoreUnwritable,  # connection
    "25006": StoreUnwritable,  # read-only transaction: a standby
    "28": StoreUnwritable,  # authorization
    "3D": StoreUnwritable,  # no such database
    "40001": StoreBusy,  # serialization failure
    "40P01": StoreBusy,  # deadlock
    "42501": StoreUnwritable,  # privilege
    "53": StoreBusy,  # resources
    "53100": StoreDiskFull,
    "55P03": StoreBusy,  # lock timeout
    "57": StoreUnwritable,  # shutdown
    "57014": StoreBusy,  # cancelled
    "58": StoreUnwritable,  # system error
    "XX001": StoreDamaged,  # data
    "XX002": StoreDamaged,  # index
}


class PostgreSql:
    """Implements `Dialect`: one database of a server."""

    def __init__(self, url: str, key: bytes) -> None:
        """`url` as SQLAlchemy has it, `postgresql+psycopg://…`. `key` encrypts files beside it, not the database: that is the server's."""
        self.key = key
        self._turn = threading.Lock()  # within the process: a waiting thread then needs no connection
        for index in (index for table in metadata.tables.values() for index in table.indexes if "where" in index.info):
            index.dialect_options["postgresql"]["where"] = index.info["where"]
        arguments = {"connect_timeout": _CONNECT_S, "options": f"-c lock_timeout={round(_WAIT_S * 1000)}"}
        self.engine = create_engine(url, connect_args=arguments, pool_size=4, max_overflow=28, pool_use_lifo=True, pool_pre_ping=True)

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        as_one = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with translated(), self.engine.connect().execution_options(**as_one) as connection, connection.begin():
            yield connection

    @contextlib.contextmanager
    def writing(self, *, durable: bool) -> Iterator[Connection]:
        # READ COMMITTED: what is read after the lock was taken holds what the writer before has written.
        with self._turn, translated(), self.engine.connect() as connection, connection.begin():
            connection.execute(_TAKE_TURN, {"commit": "on" if durable else "off", "writers": _WRITERS})
            yield connection

    def version(self) -> int:
        # Which transactions have ended: also those in other databases of the server, so that it may change where nothing did.
        with self.reading() as tx:
            seen: str = tx.execute(text("SELECT CAST(pg_current_snapshot() AS TEXT)")).scalar_one()
        return int.from_bytes(seen.encode())

    def flush(self) -> None:
        """Nothing: how long the log is kept is the server's to say."""

    def compact(self) -> None:
        with self._turn, translated(), self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for name in self._tables():
                connection.exec_driver_sql(f"VACUUM (FULL) {name}")

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
        """None: a migration that fails leaves nothing behind, and the server's operator keeps the dumps."""

    def sound(self) -> bool:
        try:
            with self.reading() as tx:
                for name in self._tables():
                    # As text, so that each value is read, also those that are kept apart from their row.
                    tx.execute(select(func.count(literal_column("CAST(t AS TEXT)"))).select_from(text(f"{name} AS t"))).scalar_one()
        except StoreDamaged:
            return False
        return True

    def close(self) -> None:
        self.engine.dispose()

    def _tables(self) -> list[str]:
        quote = self.engine.dialect.identifier_preparer.quote
        return [quote(table.name) for table in metadata.sorted_tables]


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn the server's and the system's errors into StoreError, once."""
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
    if state is None:  # the driver's own: there is no connection, or none any more
        return StoreUnwritable() if isinstance(error, exc.OperationalError) else error
    kind = _BY_STATE.get(state) or _BY_STATE.get(state[:2])
    # Anything else (a broken constraint, wrong SQL) is a defect of the program: it goes up as it is.
    return kind() if kind is not None else error.orig if isinstance(error.orig, Exception) else error
