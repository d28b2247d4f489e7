"""The encrypted store: its database, schema, migrations, keys and backups."""
