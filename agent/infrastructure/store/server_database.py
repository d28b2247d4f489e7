"""The team server's database: where it is, whether its server is new enough, and the library in it."""

import contextlib
import re
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import exc

from agent.domain.errors import (
    DatabaseEncoding,
    DatabaseOld,
    DatabaseRights,
    DatabaseUnreachable,
    OlderVersionsRun,
    Param,
    SchemaNew,
    SchemaOld,
    ServerPackagesMissing,
    StoreKeyMissing,
    StoreUnwritable,
    VectorsOld,
)
from agent.infrastructure.core.paths import SERVER_FOLDER
from agent.infrastructure.core.settings import Settings
from agent.infrastructure.store import pg_notify, row_security
from agent.infrastructure.store.addresses import connecting, libpq_address, sqlalchemy_url
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.embedded_postgres import embedded_address
from agent.infrastructure.store.keys import KEY_BYTES, LibraryKeys
from agent.infrastructure.store.migrator import schema_state, upgrade
from agent.infrastructure.store.schema_version import SchemaState
from agent.infrastructure.store.secret_stores import Home
from agent.infrastructure.store.worker_key import MARK

if TYPE_CHECKING:
    import psycopg

POSTGRES = 16
VECTORS = (0, 8, 4)
UTF8 = "UTF8"
POSTGRES_FOLDER = SERVER_FOLDER
_STARTING = 0x41495057  # an advisory lock's number in the library's database
_NO_RIGHT, _NO_SCHEMA = "42501", "3F000"  # SQLSTATE
# libpq passes on the server's words, in its language, without a SQLSTATE: what is not recognised is only "unreachable".
_REASONS: Final = {
    "sign_in": r"password authentication failed|no password supplied|no pg_hba\.conf entry|role \".*\" (does not exist|is not permitted)",
    "missing": r"database \".*\" does not exist",
    "name": r"failed to resolve host|could not translate host name",
    "encryption": r"\bSSL\b|certificate",
    "busy": r"too many (clients|connections)|remaining connection slots",
    "refused": r"Connection refused|No such file or directory",
    "slow": r"timeout expired|timed out|No route to host|Network is unreachable",
}


class Migrating(StrEnum):
    """What opening a server's database may do to its schema."""

    ANY = "any"
    EXPAND = "expand"  # all but the deferred steps
    NEW = "new"  # only make the tables in an empty database
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Versions:
    """`vectors` is pgvector's that the server could use, `used` the one that the database uses; both empty if there is none."""

    server: int  # PostgreSQL's, as 160004
    vectors: str = ""
    used: str = ""
    encoding: str = UTF8

    def check(self) -> None:
        """Raises DatabaseOld, DatabaseEncoding, VectorsOld."""
        major = self.server // 10_000
        if major < POSTGRES:
            raise DatabaseOld(found=str(major), wanted=str(POSTGRES))
        if self.encoding != UTF8:
            raise DatabaseEncoding(found=self.encoding)
        wanted = ".".join(map(str, VECTORS))
        if not self.vectors:
            raise VectorsOld(wanted=wanted, server=major)
        if _numbers(self.vectors) < VECTORS:
            raise VectorsOld(found=self.used or self.vectors, wanted=wanted, server=major)
        if self.used and _numbers(self.used) < VECTORS:
            raise VectorsOld(found=self.used, ready=self.vectors, wanted=wanted, server=major)


def database_url(settings: Settings, data: Path) -> str:
    """Return the database's address in SQLAlchemy's form: the setting's, or that of the one a server runs in its `data` folder.

    Raises DatabaseUnreachable if no server runs it.
    """
    if not settings.server.database:
        return embedded_address(data / POSTGRES_FOLDER)
    return sqlalchemy_url(settings.server.database)


def server_database(url: str, library: Path, home: Home, migrating: Migrating = Migrating.ANY) -> Database:
    """Open the library in a server's database, made or migrated, with its row security; its keys are in the folder `library`.

    Nothing is touched if the server is too old. Servers that start at once take turns, so that there is one key, and one migration.
    Raises ServerPackagesMissing, DatabaseUnreachable, DatabaseOld, DatabaseEncoding, VectorsOld, SchemaOld, SchemaNew, DatabaseRights,
    StoreError, KeyHomeError.
    """
    versions_of(url).check()
    check_schema(url, migrating)
    from agent.infrastructure.store.dialects.postgresql import PostgreSql  # needs the driver

    with _starting(url) as connection:
        keys = LibraryKeys(library, home)
        if not keys.exist and _has_library(connection):
            raise StoreKeyMissing  # the folder is not the one that the servers of this database share
        key = keys.unlock() if keys.exist else keys.create()[0]
        database = Database(PostgreSql(url, key, durable=True))
        try:
            with _rights(tables=1):
                upgrade(database, deferred=migrating is Migrating.ANY)
            secured(database)
        except BaseException:
            database.close()
            raise
    return database


def check_schema(url: str, migrating: Migrating) -> SchemaState:
    """Return which schema it has.

    Raises SchemaNew, StoreTooOld, or SchemaOld if it would have to change and `migrating` doesn't allow that.
    """
    from agent.infrastructure.store.dialects.postgresql import PostgreSql

    database = Database(PostgreSql(url, bytes(KEY_BYTES)))  # nothing encrypted is read
    try:
        state = schema_state(database)
    finally:
        database.close()
    if state.newer:
        raise SchemaNew(found=str(state.found), program=state.program)
    state.refuse_too_old()
    kept = migrating is Migrating.NONE or (migrating is Migrating.NEW and state.found is not None)
    if not state.fits and kept:
        raise SchemaOld(program=state.program, **({"found": state.found} if state.found is not None else {}))
    return state


def refuse_older(url: str, works_from: str | None) -> None:
    """Raise OlderVersionsRun if a program that does not work from that revision on is connected. None: all work."""
    from agent.infrastructure.store.dialects.postgresql import PostgreSql

    if works_from is None:
        return
    with closing(Database(PostgreSql(url, bytes(KEY_BYTES)))) as database, database.read() as tx:
        count = pg_notify.count_older_clients(tx, works_from)
    if count:
        raise OlderVersionsRun(count=count)


def secured(database: Database) -> None:
    """Put the policies of `row_security` and the triggers of `change_notices` in force.

    Raises DatabaseRights if the database's user may make no role, StoreError.
    """
    with _rights(role=row_security.MEMBER), database.write(durable=True) as tx:
        row_security.secure(tx)
        pg_notify.install_triggers(tx)


@contextlib.contextmanager
def _rights(**lacking: Param) -> Iterator[None]:
    """Raises DatabaseRights with these parameters if the database's user may not do what is done inside."""
    try:
        yield
    except StoreUnwritable as error:
        cause = error.__cause__
        state = getattr(cause.orig, "sqlstate", None) if isinstance(cause, exc.DBAPIError) else None
        if state in (_NO_RIGHT, _NO_SCHEMA):
            raise DatabaseRights(**({"schema": 1} if state == _NO_SCHEMA else lacking)) from None  # its message quotes the statement
        raise


@contextlib.contextmanager
def _starting(url: str) -> Iterator["psycopg.Connection[Any]"]:
    """The time in which no other server opens the library. Raises DatabaseUnreachable."""
    import psycopg

    try:
        connection = psycopg.connect(libpq_address(url), autocommit=True, **connecting(url))
    except psycopg.Error as error:
        raise unreachable(error) from None
    with connection:
        try:
            connection.execute("SELECT pg_advisory_lock(%s)", [_STARTING])
        except psycopg.Error:
            raise DatabaseUnreachable from None
        yield connection


def _has_library(connection: "psycopg.Connection[Any]") -> bool:
    """Whether a server has used the database, and so encrypted what is in it."""
    found = connection.execute("SELECT to_regclass('shared') IS NOT NULL").fetchone()
    if found is None or not found[0]:
        return False
    return connection.execute("SELECT 1 FROM shared WHERE name = %s", [MARK]).fetchone() is not None


def versions_of(url: str) -> Versions:
    """Ask the server. Raises ServerPackagesMissing, DatabaseUnreachable."""
    try:
        import psycopg
    except ImportError as error:
        raise ServerPackagesMissing from error

    try:
        with psycopg.connect(libpq_address(url), **connecting(url)) as connection:
            vectors = connection.execute(
                "SELECT default_version, installed_version FROM pg_available_extensions WHERE name = 'vector'"
            ).fetchone()
            available, used = (str(each or "") for each in vectors or ("", ""))
            encoding = connection.info.parameter_status("server_encoding") or UTF8
            return Versions(connection.info.server_version, available, used, encoding)
    except psycopg.Error as error:
        raise unreachable(error) from None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def unreachable(error: Exception) -> DatabaseUnreachable:
    """Return the error with a parameter of that name. Its message is left out: it names the host and the user."""
    found = next((name for name, words in _REASONS.items() if re.search(words, str(error))), None)
    return DatabaseUnreachable(**{found: 1}) if found else DatabaseUnreachable()
