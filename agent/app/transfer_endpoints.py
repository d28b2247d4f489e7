"""Opens the two sides of a move: a desktop's library, which is only read, a stopped server's database, and a new desktop library."""

import contextlib
import json
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from agent.app.library_home import home_of_key, key_in_file
from agent.domain.errors import AlreadyRunning, MoveKeyMissing, MoveNoLibrary, MoveTargetTaken, StoreKeyMissing, StoreNewer
from agent.features.people.erasure_list import ErasureList
from agent.infrastructure.core.config_file import SettingsFile
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.instance_lock import SCRATCH
from agent.infrastructure.core.paths import HOME_VARIABLE, AppPaths
from agent.infrastructure.core.settings import KeyHome
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.keys import KEYS_FILE, LibraryKeys
from agent.infrastructure.store.migrator import schema_state, upgrade
from agent.infrastructure.store.open_library import BACKUPS_FOLDER, DATABASE_FILE, open_library
from agent.infrastructure.store.schema import REVISION
from agent.infrastructure.store.secret_stores import FileSecretStore, Home
from agent.interfaces.cli.session import CommandSession
from agent.server.transfer.archived_audit import RECORDS_FOLDER
from agent.server.transfer.move import Side

if TYPE_CHECKING:
    from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres

_MARK = "moving.json"  # in a new library's data folder: which move fills it
_FORGOTTEN = "forgotten"


@dataclass(frozen=True, slots=True)
class OpenSide:
    """A side, with the people who were forgotten there."""

    side: Side
    forgotten: ErasureList
    size: int = 0  # bytes of its file


class _Memory:
    """A key home that forgets: a recovery code opens a library here without leaving its key."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    def read(self, account: str) -> bytes | None:
        return self._secrets.get(account)

    def write(self, account: str, secret: bytes) -> None:
        self._secrets[account] = secret

    def forget(self, account: str) -> None:
        self._secrets.pop(account, None)


def library_folder(path: Path) -> Path:
    """Return the folder of the library that a path means: itself, a backup, or a home around it. Raises MoveNoLibrary."""
    for folder in (path, path / "library", path / "data" / "library"):
        if (folder / DATABASE_FILE).exists() and (folder / KEYS_FILE).exists():
            return folder.absolute()
    raise MoveNoLibrary


@contextlib.contextmanager
def desktop_library(session: CommandSession, path: Path, ask_code: Callable[[], str] | None) -> Iterator[OpenSide]:
    """Open a desktop's library, which nothing changes: an older version's is copied first. `ask_code` asks for its recovery code.

    Raises MoveNoLibrary, MoveKeyMissing, AlreadyRunning, StoreError, KeyHomeError.
    """
    folder = library_folder(path)
    data = folder.parent.parent.parent if folder.parent.name == BACKUPS_FOLDER else folder.parent
    key = _key_of(session, folder, data, ask_code)
    with contextlib.ExitStack() as held:
        if folder.parent == data and data != session.paths.data and (data / "agent.lock").exists():
            try:
                held.enter_context(FileLock(data / "agent.lock", timeout=0))
            except Timeout as error:
                raise AlreadyRunning from error
        database = held.enter_context(contextlib.closing(Database.in_file(folder / DATABASE_FILE, key, read_only=True)))
        state = schema_state(database)
        if state.found is None or state.found > REVISION:
            raise StoreNewer
        state.refuse_too_old()
        if state.found != REVISION:
            scratch = Path(held.enter_context(tempfile.TemporaryDirectory(dir=session.paths.data, prefix=SCRATCH)))
            database.copy_to(scratch / DATABASE_FILE)
            database = held.enter_context(contextlib.closing(Database.in_file(scratch / DATABASE_FILE, key)))
            upgrade(database)
        uid = LibraryKeys(folder, _Memory()).library
        size = (folder / DATABASE_FILE).stat().st_size
        yield OpenSide(Side(database, data / RECORDS_FOLDER, uid), ErasureList(data / _FORGOTTEN), size)


def _key_of(session: CommandSession, folder: Path, data: Path, ask_code: Callable[[], str] | None) -> bytes:
    if ask_code is not None:
        return LibraryKeys(folder, _Memory()).recover(ask_code())
    homes: list[Home] = [FileSecretStore(session.paths.keys), FileSecretStore(data.parent / "config" / "keys")]
    if data == session.paths.data:
        homes.insert(0, home_of_key(session.settings, session.paths))
    for home in homes:
        with contextlib.suppress(StoreKeyMissing):
            return LibraryKeys(folder, home).unlock()
    raise MoveKeyMissing


@contextlib.contextmanager
def stopped_server(session: CommandSession) -> Iterator[Database]:
    """As `stopped_database`, for those who need only the library."""
    with stopped_database(session) as (database, _):
        yield database


@contextlib.contextmanager
def stopped_database(session: CommandSession) -> Iterator[tuple[Database, "EmbeddedPostgres | None"]]:
    """Open the database of this home's server, which must not run: the caller holds the instance's lock. It is made at first use.

    Also yields the process of the one that comes with the program.

    Raises ServerError, StoreError, KeyHomeError.
    """
    from agent.app.server.log_files import SERVER_LOG
    from agent.infrastructure.core import logs
    from agent.infrastructure.store.server_database import database_url, server_database

    file, paths = session.file, session.paths
    file.load()
    embedded: EmbeddedPostgres | None = None
    with contextlib.ExitStack() as running:
        logs.configure(file.snapshot.logs, paths.logs, file=SERVER_LOG)  # otherwise it is written among the command's results
        running.callback(logs.stop)
        if file.snapshot.server.database:
            key_in_file(file, paths)
            url = database_url(file.snapshot, paths.data)
        else:
            url, embedded = running.enter_context(own_postgres(file, paths))
        database = server_database(url, paths.library, home_of_key(file.snapshot, paths))
        yield running.enter_context(contextlib.closing(database)), embedded


@contextlib.contextmanager
def own_postgres(file: SettingsFile, paths: AppPaths) -> "Iterator[tuple[str, EmbeddedPostgres]]":
    """Run the database that comes with the program; its log goes to the backups as when the server runs: otherwise it would have a gap.

    The caller holds the instance's lock. Raises ServerError, StoreError, KeyHomeError.
    """
    from agent.app.server.log_files import POSTGRES_LOG, rotate_or_warn
    from agent.infrastructure.store.embedded_postgres import EmbeddedPostgres
    from agent.infrastructure.store.server_database import POSTGRES_FOLDER
    from agent.server.backups.context import archive_of
    from agent.server.backups.restoring import finish

    finish(paths)
    file.load()
    key_in_file(file, paths)
    archive = archive_of(file.snapshot, paths, home_of_key(file.snapshot, paths))
    rotate_or_warn(paths.logs / POSTGRES_LOG, file.snapshot.logs)
    embedded = EmbeddedPostgres(paths.data / POSTGRES_FOLDER, paths.logs / POSTGRES_LOG, archive)
    try:
        yield embedded.start(), embedded
    finally:
        embedded.stop()


def server_side(session: CommandSession, database: Database, library_id: int) -> OpenSide:
    """Return a server's side; each of its libraries has a folder of its own for records."""
    paths = session.paths
    uid = LibraryKeys(paths.library, _Memory()).library
    side = Side(database, paths.data / RECORDS_FOLDER / str(library_id), uid, library_id)
    return OpenSide(side, ErasureList(paths.data / _FORGOTTEN))


def _is_bare(folder: Path) -> bool:
    """Return whether it holds nothing but the folders of a move that was killed before it had left its mark."""
    files = (each for each in folder.rglob("*") if each.is_symlink() or not each.is_dir())
    return all(each.name.startswith(f".{_MARK}.") and each.suffix == ".tmp" for each in files)


@contextlib.contextmanager
def new_desktop(folder: Path, origin: str) -> Iterator[tuple[OpenSide, SettingsFile, str]]:
    """Make a home with an empty library, or go on with the one that the same move began; also yields its settings and recovery code.

    Raises MoveTargetTaken if there is anything else, AlreadyRunning, StoreError.
    """
    paths = AppPaths.find({HOME_VARIABLE: str(folder)})
    mark = paths.data / _MARK
    try:
        if mark.exists() and json.loads(mark.read_text()) != {"origin": origin}:
            raise MoveTargetTaken
        if not mark.exists() and not _is_bare(folder):
            raise MoveTargetTaken
        paths.create()
        if not mark.exists():
            write_private(mark, json.dumps({"origin": origin}).encode())
    except (OSError, ValueError) as error:
        raise store_error(error) if isinstance(error, OSError) else MoveTargetTaken() from error
    file = SettingsFile(paths.settings, environ={})
    file.put("library.key_home", KeyHome.FILE)
    home = FileSecretStore(paths.keys)
    try:
        with FileLock(paths.lock, timeout=0), contextlib.closing(open_library(paths.library, home)) as database:
            keys = LibraryKeys(paths.library, home)
            side = Side(database, paths.data / RECORDS_FOLDER, keys.library)
            yield OpenSide(side, ErasureList(paths.data / _FORGOTTEN)), file, keys.recovery_code(keys.unlock())
    except Timeout as error:
        raise AlreadyRunning from error
