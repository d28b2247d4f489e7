"""Thumbnails on disk: a separate, size-limited encrypted file that may be lost at any time, because thumbnails can be made again."""

import threading
from collections.abc import Callable, Set
from pathlib import Path
from typing import TypeVar

import structlog
from sqlalchemy import BigInteger, Column, Connection, Index, Integer, LargeBinary, MetaData, Table, bindparam, delete, func, select, update
from sqlalchemy import insert as insert_into

from agent.domain.errors import StoreDamaged, StoreError
from agent.infrastructure.core.files import store_error
from agent.infrastructure.core.paths import make_private
from agent.infrastructure.store.database import Database

log = structlog.get_logger()
T = TypeVar("T")

_ROOM = 0.95  # of the bound, after evicting the oldest: so that not every new picture has to evict
_UNWRITTEN_USES = 256
_PAGE = 500

_metadata = MetaData()
_table = Table(
    "thumbnail",
    _metadata,
    Column("id", Integer, primary_key=True),
    Column("sha256", LargeBinary, nullable=False, unique=True),  # of the photo
    Column("used", BigInteger, nullable=False),  # increases with every use
    Column("size", Integer, nullable=False),
    Column("jpeg", LargeBinary, nullable=False),
    Index("thumbnail_by_use", "used", "size"),
)


class ThumbnailFile:
    """Implements `ThumbnailStore`. Faults of the file are logged; a damaged one is replaced by an empty one."""

    def __init__(self, path: Path, open_database: Callable[[Path], Database], max_bytes: int) -> None:
        """`open_database` opens or creates an encrypted file with the library's key. Nothing is opened before the first use."""
        self._path = path
        self._open_database = open_database
        self._max_bytes = max_bytes
        self._turn = threading.RLock()
        self._database: Database | None = None
        self._bytes = 0
        self._uses = 0
        self._used: dict[bytes, int] = {}  # uses not stored yet: a read must not cost a write

    def get(self, sha256: str) -> bytes | None:
        key = bytes.fromhex(sha256)

        def read(database: Database) -> bytes | None:
            with database.read() as tx:
                return tx.scalar(select(_table.c.jpeg).where(_table.c.sha256 == key))

        jpeg = self._surely(read)
        if jpeg is not None:
            with self._turn:
                self._uses += 1
                self._used[key] = self._uses
                if len(self._used) >= _UNWRITTEN_USES:
                    self._surely(self._write_uses)
        return jpeg

    def put(self, sha256: str, jpeg: bytes) -> None:
        key = bytes.fromhex(sha256)

        def write(database: Database) -> None:
            with database.write() as tx:
                gone = tx.scalar(select(_table.c.size).where(_table.c.sha256 == key)) or 0
                tx.execute(delete(_table).where(_table.c.sha256 == key))
                tx.execute(insert_into(_table).values(sha256=key, used=self._uses + 1, size=len(jpeg), jpeg=jpeg))
            self._uses += 1
            self._bytes += len(jpeg) - gone
            self._make_room(database)

        with self._turn:
            self._surely(write)

    def keep_only(self, hashes: Set[str]) -> None:
        def clean(database: Database) -> None:
            with database.write() as tx:
                gone = [row.id for row in tx.execute(select(_table.c.id, _table.c.sha256)) if row.sha256.hex() not in hashes]
                if gone:
                    tx.execute(delete(_table).where(_table.c.id == bindparam("gone")), [{"gone": each} for each in gone])
                self._bytes = _total(tx)

        with self._turn:
            self._surely(clean)

    def bound(self, max_bytes: int) -> None:
        """Apply a changed limit; excess thumbnails are deleted now, and their disk space is released."""

        def shrink(database: Database) -> None:
            if self._make_room(database):
                database.give_back_space()

        with self._turn:
            self._max_bytes = max_bytes
            self._surely(shrink)

    @property
    def uses(self) -> int:
        """Return a number that changes with every use."""
        return 0 if self._database is None else self._database.uses

    def let_go(self) -> None:
        """Release caches."""
        with self._turn:
            if self._database is not None:
                self._database.let_go()

    def close(self) -> None:
        with self._turn:
            if self._database is not None:
                self._surely(self._write_uses)
            if self._database is not None:
                self._database.close()
            self._database = None

    def _surely(self, work: Callable[[Database], T]) -> T | None:
        """Run it without raising faults of the file: None for one."""
        try:
            return work(self._opened())
        except StoreDamaged:
            log.warning("thumbnails.damaged")
            with self._turn:
                self._begin_anew()
        except StoreError as error:
            log.warning("thumbnails.unavailable", code=error.code)
        return None

    def _opened(self) -> Database:
        with self._turn:
            if self._database is None:
                make_private(self._path.parent)
                database = self._open_database(self._path)
                try:
                    with database.write() as tx:
                        _metadata.create_all(tx)
                        self._bytes = _total(tx)
                        self._uses = tx.scalar(select(func.max(_table.c.used))) or 0
                except BaseException:
                    database.close()
                    raise
                self._database = database
            return self._database

    def _begin_anew(self) -> None:
        if self._database is not None:
            self._database.close()
        self._database = None
        self._used.clear()
        try:
            for ending in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + ending).unlink(missing_ok=True)
        except OSError as error:
            log.warning("thumbnails.unavailable", code=store_error(error).code)

    def _write_uses(self, database: Database) -> None:
        if not self._used:
            return
        change = update(_table).where(_table.c.sha256 == bindparam("key")).values(used=bindparam("use"))
        with database.write() as tx:
            tx.execute(change, [{"key": key, "use": use} for key, use in self._used.items()])
        self._used.clear()

    def _make_room(self, database: Database) -> bool:
        """Delete the least recently used until there is room. Return whether any were deleted."""
        if self._bytes <= self._max_bytes:
            return False
        self._write_uses(database)
        with database.write() as tx:
            while self._bytes > self._max_bytes * _ROOM:
                oldest = tx.execute(select(_table.c.id, _table.c.size).order_by(_table.c.used).limit(_PAGE)).all()
                if not oldest:
                    break
                gone: list[int] = []
                for row in oldest:
                    if self._bytes <= self._max_bytes * _ROOM:
                        break
                    gone.append(row.id)
                    self._bytes -= row.size
                tx.execute(delete(_table).where(_table.c.id.in_(gone)))
        return True


def _total(tx: Connection) -> int:
    return int(tx.scalar(select(func.sum(_table.c.size))) or 0)
