"""Opens a library file: creates its tables, or migrates an older schema with Alembic after copying the file aside."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, text

from agent.domain.errors import StoreDamaged, StoreError, StoreNewer
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import BASELINE, REVISION, SERVES_FROM, WORKS_FROM, create
from agent.infrastructure.store.schema_version import SchemaState, read_min_version, write_min_version

if TYPE_CHECKING:
    from alembic.config import Config

BEFORE_UPGRADE = "before-"
_HEAD = "head"  # Alembic's name for the newest
_MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class UpgradeStep:
    """A migration as data.

    `about` is its sentence in English; `works_from` the oldest program that works after it, None for an `expand` step.
    """

    revision: str
    kind: str
    about: str
    works_from: str | None
    deferred: bool = False
    """a `contract` step without which the program that ships it works too"""


def open_database(path: Path, key: bytes) -> Database:
    """Open the library file `path`: created if it does not exist, copied aside and migrated if it is older.

    Raises StoreDamaged (also if the key belongs to another library), StoreNewer, StoreTooOld, StoreUnwritable, StoreDiskFull.
    """
    _refuse_too_old(path, key)
    database = Database.in_file(path, key)
    try:
        upgrade(database)
    except BaseException:
        database.close()
        raise
    return database


def _refuse_too_old(path: Path, key: bytes) -> None:
    """Raise StoreTooOld, with the file as it is: opening one for writing merges its log, and starts a log for a backup's file."""
    if not path.exists():
        return
    try:
        with closing(Database.in_file(path, key, read_only=True)) as database:
            state = schema_state(database)
    except StoreError:
        return  # opening it for writing says what is wrong, or mends it
    state.refuse_too_old()


def upgrade(database: Database, *, deferred: bool = True) -> None:
    """Create the tables of a new library, or migrate an old one, without the deferred steps if they are left for later.

    Raises StoreNewer, unless this program works on the newer schema, and StoreTooOld; then nothing was changed.
    """
    state = schema_state(database)
    state.refuse_too_old()
    found = state.found
    if state.fits and not (deferred and state.left):
        return
    if found is not None:
        if state.newer:
            raise StoreNewer
        database.keep_copy(f"{BEFORE_UPGRADE}{REVISION}")
    with database.write(durable=True) as tx:
        # Another process may have created it in the meantime.
        if found is None and _revision(tx) is None:
            create(tx)
        else:
            _migrate(tx, _HEAD if deferred else SERVES_FROM)
        write_min_version(tx, WORKS_FROM if deferred or found is None else _works_from())


def schema_state(database: Database) -> SchemaState:
    """Return which schema an open library has. Raises StoreError."""
    with database.read() as tx:
        return SchemaState(_revision(tx), REVISION, read_min_version(tx), SERVES_FROM, BASELINE)


def revision_of(path: Path, key: bytes) -> str | None:
    """The revision of a library, even a newer one, without changes to it. Raises StoreError: StoreDamaged also if any page is damaged."""
    database = Database.in_file(path, key)
    try:
        if not database.sound():
            raise StoreDamaged
        with database.read() as tx:
            return _revision(tx)
    finally:
        database.close()


def revision_in(database: Database) -> str | None:
    """The revision of an open library; None without tables. Raises StoreError."""
    with database.read() as tx:
        return _revision(tx)


def _revision(tx: Connection) -> str | None:
    if not tx.dialect.has_table(tx, "alembic_version"):  # the inspector does much more work for this, at each start
        return None
    found: str | None = tx.scalar(text("SELECT version_num FROM alembic_version"))
    return found


def _works_from() -> str:
    """Return the oldest program that works on the schema without the deferred steps."""
    return works_from([step for step in steps() if step.revision <= SERVES_FROM]) or BASELINE


def _migrate(tx: Connection, to: str = _HEAD) -> None:
    from alembic import command

    config = _alembic()
    config.attributes["connection"] = tx
    command.upgrade(config, to)


def _alembic() -> "Config":
    # Imported only when needed: it costs 0.3 s and some megabytes.
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config


def steps(after: str | None = None) -> list[UpgradeStep]:
    """Return all steps after that revision, the oldest first."""
    from alembic.script import ScriptDirectory

    found = []
    for script in ScriptDirectory.from_config(_alembic()).walk_revisions():
        kind = str(getattr(script.module, "kind", "contract"))  # unknown is taken for the worse
        works_from = str(getattr(script.module, "works_from", script.revision)) if kind == "contract" else None
        deferred = kind == "contract" and bool(getattr(script.module, "deferred", False))
        found.append(UpgradeStep(script.revision, kind, (script.doc or "").strip(), works_from, deferred))
    return [step for step in reversed(found) if after is None or step.revision > after]


def works_from(pending: list[UpgradeStep]) -> str | None:
    """Return the oldest program that works after all of them; None if each does."""
    return max((step.works_from for step in pending if step.works_from is not None), default=None)
