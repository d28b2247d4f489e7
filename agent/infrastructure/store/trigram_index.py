"""Finds files by a part of their name on a server, without reading all names: by an index of the trigrams of each.

PostgreSQL doesn't use an index before it knows that a member may see a row, so the owner's function asks it and answers with ids alone;
row security decides which of these the member gets. The index is derived, so it is in no copy of the library.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

from agent.infrastructure.store.library_triggers import AS_OWNER

MOST: Final = 5_000  # files; to find more, reading all names takes no longer
_SHORTEST: Final = 3  # bytes
_COMMON: Final = 0.05  # of all names

_INDEX: Final = "place_by_trigrams"
_NAME: Final = "folded_name(path, folder)"
_FIND: Final = text("SELECT files_named(:part, :most)")
_IS_THERE: Final = text(f"SELECT to_regclass('{_INDEX}')")


def statements() -> tuple[str, ...]:
    """Put the index and its function in force, whatever was before."""
    return (
        # Of the file and its folders below the watched one. As in `contains_text`, a byte is a character; only ASCII is folded.
        "CREATE OR REPLACE FUNCTION folded_name(path bytea, folder bytea) RETURNS bytea IMMUTABLE PARALLEL SAFE LANGUAGE sql RETURN"
        " convert_to(lower(convert_from(substr(path, coalesce(length(folder), 0) + 1), 'LATIN1') COLLATE \"C\"), 'LATIN1')",
        "CREATE OR REPLACE FUNCTION trigrams(value bytea) RETURNS int[] IMMUTABLE STRICT PARALLEL SAFE LANGUAGE plpgsql AS $$"
        " DECLARE found int[] := '{}'; BEGIN FOR at IN 0 .. length(value) - 3 LOOP"
        " found := found || ((get_byte(value, at) << 16) | (get_byte(value, at + 1) << 8) | get_byte(value, at + 2));"
        " END LOOP; RETURN found; END $$",
        f"CREATE INDEX IF NOT EXISTS {_INDEX} ON place USING gin (trigrams({_NAME}))",
        # Without those that are in nearly every name, such as a camera's `IMG_`: to go through their entries takes twenty times as long
        # as what the others find. The statistics of the index know them; their last shares belong to no trigram.
        "CREATE OR REPLACE FUNCTION telling_trigrams(part bytea) RETURNS int[] STABLE LANGUAGE plpgsql AS $$"
        " DECLARE every int[] := trigrams(part); telling int[]; BEGIN"
        " SELECT array_agg(one) INTO telling FROM unnest(every) AS one WHERE one NOT IN (SELECT each.trigram FROM pg_stats,"
        " unnest(most_common_elems::text::int[], most_common_elem_freqs) AS each (trigram, share)"
        f" WHERE schemaname = current_schema() AND tablename = '{_INDEX}' AND each.trigram IS NOT NULL AND each.share > {_COMMON});"
        " RETURN coalesce(telling, every); END $$",
        f"CREATE OR REPLACE FUNCTION files_named(part bytea, most int) RETURNS int[] STABLE LANGUAGE sql {AS_OWNER} AS $$"
        " SELECT CASE WHEN count(*) <= most THEN coalesce(array_agg(id), '{}') END FROM"
        f" (SELECT id FROM place WHERE trigrams({_NAME}) @> telling_trigrams(part) AND position(part IN {_NAME}) > 0"
        " LIMIT most + 1) AS found $$",
    )


def files_named(tx: Connection, texts: Collection[str]) -> list[int] | None:
    """Return the files with any of these texts in their name; none of them has an ASCII capital.

    None: there are too many, a text is too short, or this database has no such index.
    """
    parts = [each.encode("utf-8", "surrogatepass") for each in texts]
    if tx.dialect.name != "postgresql" or any(len(part) < _SHORTEST for part in parts) or tx.scalar(_IS_THERE) is None:
        return None
    found: set[int] = set()
    for part in parts:
        ids = tx.scalar(_FIND, {"part": part, "most": MOST})
        if ids is None:
            return None
        found.update(ids)
    return sorted(found)
