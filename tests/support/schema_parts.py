"""What a schema is made of, however it came to be: to compare a migrated one with a new one."""

from sqlalchemy import Connection, text

_POSTGRES = {
    "columns": "SELECT table_name, column_name, data_type, is_nullable, column_default, collation_name, character_maximum_length"
    " FROM information_schema.columns WHERE table_schema = 'public'",
    "indices": "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
    " WHERE connamespace = 'public'::regnamespace",
}


def postgres_parts(tx: Connection) -> dict[str, set[tuple[object, ...]]]:
    """Return columns, indices and constraints of every table."""
    return {name: {tuple(row) for row in tx.execute(text(query))} for name, query in _POSTGRES.items()}


def sqlite_parts(tx: Connection) -> dict[str, set[object]]:
    """Return columns, keys and indices by table."""
    names = [name for (name,) in tx.execute(text("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"))]
    found: dict[str, set[object]] = {}
    for name in names:
        columns = {tuple(row)[1:] for row in tx.execute(text(f"PRAGMA table_info({name})"))}
        keys = {tuple(row)[2:] for row in tx.execute(text(f"PRAGMA foreign_key_list({name})"))}
        indices = set(tx.execute(text("SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = :name"), {"name": name}).scalars())
        once = " ".join(tx.execute(text("SELECT sql FROM sqlite_master WHERE name = :name"), {"name": name}).scalar_one().split())
        found[name] = {*columns, *keys, *indices, "AUTOINCREMENT" in once, once.count("UNIQUE")}
    return found
