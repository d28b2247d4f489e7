"""The key of a server's workers: it opens faces in the database, but no name. The server keeps it in a file beside its own key; a worker
on another computer needs a copy."""

from pathlib import Path

from sqlalchemy import delete, insert, select

from agent.domain.errors import WorkerKeyUnfit
from agent.infrastructure.core.files import store_error, write_private
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.store.column_encryption import FACES_BYTES, ColumnCipher, seals_of
from agent.infrastructure.store.database import Database
from agent.infrastructure.store.schema import shared

WORKER_KEY_FILE = "worker.key"
MARK = "worker_key"  # the row by which a worker tells whether its key is this database's


def hand_out(database: Database, folder: Path) -> None:
    """Write the key of workers into the folder of keys, unless it is there. Blocks. Raises StoreError."""
    with database.write(durable=True) as tx:
        seals = seals_of(tx.dialect)
        if seals is None:
            return
        content = {"mark": seals.mark}
        if tx.scalar(select(shared.c.content).where(shared.c.name == MARK)) != content:
            tx.execute(delete(shared).where(shared.c.name == MARK))
            tx.execute(insert(shared).values(name=MARK, version=1, content=content))
    path = folder / WORKER_KEY_FILE
    try:
        if not path.exists() or path.read_text() != seals.faces.hex():
            make_private(folder)
            write_private(path, seals.faces.hex().encode())
    except OSError as error:
        raise store_error(error) from error


def worker_seals(folder: Path) -> ColumnCipher:
    """Read the key from the folder of keys. Raises WorkerKeyUnfit."""
    try:
        key = bytes.fromhex((folder / WORKER_KEY_FILE).read_text().strip())
    except (OSError, ValueError) as error:
        raise WorkerKeyUnfit from error
    if len(key) != FACES_BYTES:
        raise WorkerKeyUnfit
    return ColumnCipher(key, None)


def check_mark(database: Database, seals: ColumnCipher) -> None:
    """Raises WorkerKeyUnfit if the key is another database's."""
    with database.read() as tx:
        content = tx.scalar(select(shared.c.content).where(shared.c.name == MARK))
    if content is None or content.get("mark") != seals.mark:
        raise WorkerKeyUnfit
