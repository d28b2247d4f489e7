"""Which images changed since they were read, on a server: what is made of 300,000 is brought up to date, and not made again.

Triggers note the images of each transaction, and a reader gets those of transactions that its earlier snapshot didn't hold. So nothing is
missed, however long a transaction takes. The notes are derived, and kept for an hour; they are in no copy of the library.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from agent.infrastructure.store.library_triggers import AS_OWNER

TABLE: Final = "image_change"
MOST: Final = 500  # to read that many one by one takes as long as reading all
_OF_STATEMENT: Final = 1_000  # if one changes more, it is noted as one change of all

_MADE: Final = (
    f"CREATE TABLE IF NOT EXISTS {TABLE} (image_id int,"
    " changed_by xid8 NOT NULL DEFAULT pg_current_xact_id(), changed_at timestamptz NOT NULL DEFAULT now())",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_by_transaction ON {TABLE} (changed_by)",
    f"CREATE INDEX IF NOT EXISTS {TABLE}_by_time ON {TABLE} (changed_at)",
)
# `added` and `removed` are a statement's rows. An image is shown by its places, so a new one without any changes nothing.
_NOTE: Final = f"""
CREATE OR REPLACE FUNCTION images_changed() RETURNS trigger LANGUAGE plpgsql {AS_OWNER} AS $$ DECLARE ids int[]; BEGIN
    IF TG_TABLE_NAME = 'image' AND TG_OP = 'DELETE' THEN
        ids := array(SELECT id FROM removed);
    ELSIF TG_TABLE_NAME = 'image' THEN
        ids := array(SELECT id FROM added JOIN removed USING (id)
            WHERE (added.taken_at, added.width, added.height, added.face_count, added.hidden_at, added.libraries) IS DISTINCT FROM
                (removed.taken_at, removed.width, removed.height, removed.face_count, removed.hidden_at, removed.libraries));
    ELSIF TG_OP = 'INSERT' THEN
        ids := array(SELECT DISTINCT image_id FROM added WHERE image_id IS NOT NULL);
    ELSIF TG_OP = 'DELETE' THEN
        ids := array(SELECT DISTINCT image_id FROM removed WHERE image_id IS NOT NULL);
    ELSE
        ids := array(SELECT DISTINCT changed.image_id FROM added JOIN removed USING (id)
            CROSS JOIN LATERAL (VALUES (added.image_id), (removed.image_id)) AS changed(image_id)
            WHERE changed.image_id IS NOT NULL AND (added.image_id, added.missing_since, added.library_id)
                IS DISTINCT FROM (removed.image_id, removed.missing_since, removed.library_id));
    END IF;
    IF cardinality(ids) = 0 THEN RETURN NULL; END IF;
    INSERT INTO {TABLE} (image_id) SELECT unnest(CASE WHEN cardinality(ids) > {_OF_STATEMENT} THEN ARRAY[NULL::int] ELSE ids END);
    DELETE FROM {TABLE} WHERE ctid = ANY (array(
        SELECT ctid FROM {TABLE} WHERE changed_at < now() - interval '1 hour' LIMIT {2 * _OF_STATEMENT} FOR UPDATE SKIP LOCKED));
    RETURN NULL;
END $$
"""
_TRIGGERS: Final = tuple(
    f"CREATE OR REPLACE TRIGGER {table}_changed_by_{change.lower()} AFTER {change} ON {table} REFERENCING {rows}"
    " FOR EACH STATEMENT EXECUTE FUNCTION images_changed()"
    for table, change, rows in (
        ("image", "UPDATE", "OLD TABLE AS removed NEW TABLE AS added"),
        ("image", "DELETE", "OLD TABLE AS removed"),
        ("place", "INSERT", "NEW TABLE AS added"),
        ("place", "UPDATE", "OLD TABLE AS removed NEW TABLE AS added"),
        ("place", "DELETE", "OLD TABLE AS removed"),
    )
)
_IS_NOTED: Final = text(f"SELECT to_regclass('{TABLE}') IS NOT NULL")
# After a crash the database counts its statistics anew. A snapshot from before it may hold a transaction that was lost.
_MOMENT: Final = text(
    "SELECT CAST(pg_current_snapshot() AS TEXT), concat(pg_postmaster_start_time(), ' ', (SELECT stats_reset FROM pg_stat_wal)),"
    " extract(epoch FROM now())"
)
_SINCE: Final = text(
    f"SELECT DISTINCT image_id FROM {TABLE} WHERE changed_by >= pg_snapshot_xmin(CAST(:snapshot AS pg_snapshot))"
    f" AND NOT pg_visible_in_snapshot(changed_by, CAST(:snapshot AS pg_snapshot)) LIMIT {MOST + 1}"
)
_LONGEST_S: Final = 1_800.0


@dataclass(frozen=True, slots=True)
class Moment:
    """What a transaction saw of the database."""

    snapshot: str
    run: str  # of the database's processes: transactions are numbered on through one of them
    at_s: float


def statements() -> tuple[str, ...]:
    """Put everything in force, whatever was before."""
    return (*_MADE, _NOTE, *_TRIGGERS)


def moment(tx: Connection) -> Moment | None:
    """Return what this transaction sees; None if this database notes no changes."""
    if tx.dialect.name != "postgresql" or not tx.scalar(_IS_NOTED):
        return None
    snapshot, run, at_s = tx.execute(_MOMENT).one()
    return Moment(snapshot, run, float(at_s))


def changed(tx: Connection, since: Moment, now: Moment) -> frozenset[int] | None:
    """Return the images that changed between them, `now` being this transaction's; None if they are too many, or not known any more."""
    if since.run != now.run or not 0 <= now.at_s - since.at_s <= _LONGEST_S:
        return None
    ids = tx.scalars(_SINCE, {"snapshot": since.snapshot}).all()
    return None if None in ids or len(ids) > MOST else frozenset(ids)
