"""A restored database of its own, in a folder beside: for drills, and until a restore is put in place."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import make_url

from agent.backups.pgbackrest import PgBackRest
from agent.core.files import store_error, write_private
from agent.core.log_rotation import rotate
from agent.core.paths import make_private
from agent.core.program_settings import LogSettings
from agent.domain.errors import DatabaseFailed, RestoreFailed
from agent.store.cluster_folder import Archive
from agent.store.embedded_postgres import ADDRESS_FILE, EmbeddedPostgres

_RECOVERS_S = 6 * 3_600.0  # it may replay a week's log


@contextmanager
def restored(folder: Path, messages: Path, archive: Archive, address: str, repository: int, words: Sequence[str]) -> Iterator[str]:
    """Restore into `folder` and yield the address of the running database; it is ended with the block, and the folder stays.

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
    except OSError as error:
        raise store_error(error) from error
    PgBackRest(embedded.home).restore(repository, words)
    try:
        url = embedded.start()
    except DatabaseFailed as error:
        embedded.stop()
        raise RestoreFailed from error
    try:
        yield url
    finally:
        embedded.stop()


def clear(folder: Path) -> None:
    """Raises StoreError."""
    try:
        if folder.exists():
            shutil.rmtree(folder)
    except OSError as error:
        raise store_error(error) from error
