"""A restored database of its own, in a folder beside: for drills, and until a restore is put in place."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy import make_url

from agent.domain.errors import DatabaseFailed, RestoreFailed, RestoreMomentMissed, RestoreNoRoom
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.log_rotation import rotate
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.core.program_settings import LogSettings
from agent.infrastructure.store.data_directory import Archive
from agent.infrastructure.store.embedded_postgres import ADDRESS_FILE, EmbeddedPostgres, forget_sockets, stop_orphan
from agent.server.backups.pgbackrest import PgBackRest, Repository

_RECOVERS_S = 6 * 3_600.0  # it may replay a week's log
_MB: Final = 1_000_000
_SPARE: Final = 1.3  # of the database's size
_PIECE: Final = 16 * 1024 * 1024
_LOG: Final = 4 * _PIECE  # pieces that are there at the same time while the log is replayed
# PostgreSQL's own words, since version 13; it has no other sign of it. Its programs run with the locale C.
_MISSED: Final = b"recovery ended before configured recovery target was reached"


@dataclass(frozen=True, slots=True)
class RestoredDatabase:
    """It runs. `log_read` is False if the log was replayed only up to a piece that is missing or damaged."""

    url: str
    log_read: bool


@contextmanager
def restored(
    folder: Path, messages: Path, archive: Archive, address: str, repository: int, words: Sequence[str]
) -> Iterator[RestoredDatabase]:
    """Restore into `folder` and yield the running database; it is ended with the block, and the folder stays.

    `address` is the original's, for its password; `words` name the moment. Raises BackupError, StoreError.
    """
    embedded = EmbeddedPostgres(folder, messages, archive, recovers_s=_RECOVERS_S)
    try:
        rotate(messages, LogSettings())
        make_private(folder.parent)
        make_private(folder)
        # Without its socket's folder, which is the original's.
        plain = make_url(address).set(host=None, port=None, query={})
        write_private(folder / ADDRESS_FILE, plain.render_as_string(hide_password=False).encode())
        embedded.home.make()
        said = messages.stat().st_size if messages.exists() else 0
    except OSError as error:
        raise store_error(error) from error
    tool = PgBackRest(embedded.home)
    [found] = tool.info(repository)
    check_room(found, folder)
    tool.restore(repository, words)
    try:
        url = embedded.start()
    except DatabaseFailed as error:
        embedded.stop()
        raise (RestoreMomentMissed if _has_missed(messages, said) else RestoreFailed) from error
    try:
        yield RestoredDatabase(url, log_end(embedded.home.data) >= found.newest_wal)
    finally:
        embedded.stop()


def _has_missed(messages: Path, said: int) -> bool:
    """Whether PostgreSQL has written there, after the first `said` bytes, that its log ends before the moment asked for."""
    with suppress(OSError), messages.open("rb") as file:
        file.seek(said)
        return _MISSED in file.read()
    return False


def check_room(repository: Repository, folder: Path) -> None:
    """Raises RestoreNoRoom if the newest backup does not fit there, StoreError."""
    if not repository.backups:
        return
    needed = int(repository.backups[0].size * _SPARE) + _LOG
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise store_error(error) from error
    if free < needed:
        raise RestoreNoRoom(needed=-(-needed // _MB), free=free // _MB)


def log_end(data: Path) -> str:
    """Return the last piece of the log that a restored cluster replayed, by its name; empty if it replayed none. Raises StoreError."""
    try:
        history = max((data / "pg_wal").glob("*.history"), key=lambda each: each.name, default=None)
        if history is None:
            return ""
        *_, last = (line.split() for line in history.read_text(encoding="ascii").splitlines() if line.strip())
    except OSError as error:
        raise store_error(error) from error
    timeline, place = int(last[0]), last[1]
    high, low = (int(each, 16) for each in place.split("/"))
    number = ((high << 32 | low) - 1) // _PIECE  # an end at a border belongs to the piece before
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def clear(folder: Path) -> None:
    """Delete it, and the folder of its database's socket; the database that a killed program left there is ended. Raises StoreError."""
    try:
        stop_orphan(folder)
        forget_sockets(folder)
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise store_error(error) from error
