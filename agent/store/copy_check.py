"""Checks a copy of a library without changing it."""

from pathlib import Path

from sqlalchemy import func, select, table

from agent.domain.errors import StoreDamaged
from agent.store.database import Database


def check_copy(path: Path, key: bytes) -> int:
    """Read every page of the copy, even of an older version; returns its number of images. Raises StoreDamaged, StoreUnwritable."""
    database = Database.in_file(path, key, read_only=True)
    try:
        if not database.sound():
            raise StoreDamaged
        with database.read() as tx:
            return tx.scalar(select(func.count()).select_from(table("image"))) or 0
    finally:
        database.close()
