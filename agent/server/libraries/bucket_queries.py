"""Buckets as sources, in the database: what they are, and what their last listing said."""

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row, delete, func, insert, select, update

from agent.domain.errors import BucketTaken, NotFound
from agent.infrastructure.sources.bucket.bucket import Bucket, BucketAccess, BucketState
from agent.infrastructure.store import audit_log
from agent.infrastructure.store.database import Queries
from agent.infrastructure.store.schema import bucket as table
from agent.infrastructure.store.schema import library, library_source, place
from agent.server.libraries.queries import put_source, sort_in

_USUAL: Final = "bucket-{}"


class BucketQueries(Queries):
    def buckets(self) -> tuple[Bucket, ...]:
        """All, by name."""
        with self.database.read() as tx:
            return tuple(map(_bucket, tx.execute(select(table).order_by(table.c.name))))

    def bucket(self, name: str) -> Bucket | None:
        with self.database.read() as tx:
            row = tx.execute(select(table).where(table.c.name == name)).one_or_none()
            return None if row is None else _bucket(row)

    def states(self) -> dict[str, BucketState]:
        with self.database.read() as tx:
            rows = tx.execute(select(table.c.name, table.c.listed_at, table.c.failing_since, table.c.problem))
            return {row.name: BucketState(row.listed_at, row.failing_since, row.problem) for row in rows}

    def photo_counts(self) -> dict[str, int]:
        """The number of objects with a photo, by root."""
        counted = select(place.c.folder, func.count()).where(place.c.missing_since.is_(None), place.c.folder.in_(self._roots()))
        with self.database.read() as tx:
            return {each: count for each, count in tx.execute(counted.group_by(place.c.folder)) if each is not None}

    def libraries(self) -> dict[str, int]:
        """The library of each root that is in one."""
        chosen = select(library_source.c.root, library_source.c.library_id).where(library_source.c.library_id.is_not(None))
        with self.database.read() as tx:
            return {row.root: row.library_id for row in tx.execute(chosen)}

    def free_name(self) -> str:
        """A name that says nothing of the bucket: members see it."""
        taken = {each.name for each in self.buckets()}
        return next(name for number in range(1, len(taken) + 2) if (name := _USUAL.format(number)) not in taken)

    def add(self, bucket: Bucket, library_id: int, now: datetime) -> None:
        """Raises BucketTaken, NotFound for the library."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(table.c.name).where(table.c.name == bucket.name)) is not None:
                raise BucketTaken(name=bucket.name)
            if tx.scalar(select(library.c.id).where(library.c.id == library_id)) is None:
                raise NotFound
            tx.execute(insert(table).values(**_values(bucket), added_at=now))
            audit_log.add(tx, "bucket_added", None, 1, now, detail=bucket.name)
            put_source(tx, bucket.root, library_id, now)
            sort_in(tx)

    def change(self, bucket: Bucket, now: datetime, what: str) -> None:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            if not tx.execute(update(table).where(table.c.name == bucket.name).values(**_values(bucket))).rowcount:
                raise NotFound
            audit_log.add(tx, "bucket_changed", None, 1, now, detail=f"{bucket.name} {what}"[: audit_log.DETAIL_LENGTH])

    def remove(self, bucket: Bucket, now: datetime) -> None:
        """Raises NotFound."""
        with self.database.write(durable=True) as tx:
            if not tx.execute(delete(table).where(table.c.name == bucket.name)).rowcount:
                raise NotFound
            tx.execute(delete(library_source).where(library_source.c.root == bucket.root))
            audit_log.add(tx, "bucket_removed", None, 1, now, detail=bucket.name)

    def note(self, name: str, state: BucketState) -> None:
        """Keep what a listing said."""
        with self.database.write() as tx:
            tx.execute(update(table).where(table.c.name == name).values(**asdict(state)))

    def _roots(self) -> list[str]:
        return [each.root for each in self.buckets()]


def _values(bucket: Bucket) -> Mapping[str, Any]:
    return asdict(bucket) | {"path_style": int(bucket.path_style), "access": bucket.access.value}


def _bucket(row: Row[Any]) -> Bucket:
    return Bucket(
        row.name,
        row.bucket,
        row.prefix,
        row.endpoint,
        row.region,
        path_style=bool(row.path_style),
        access=BucketAccess(row.access),
        minutes=row.minutes,
        certificate=row.certificate,
    )
