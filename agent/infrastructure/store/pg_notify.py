"""What processes keep of the database in memory: the database itself tells all of them when one changes it, so no query can forget to.

A notice names the table, the row where that matters, and the connection pool that wrote it, which knows already.
"""

import json
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, text

from agent.infrastructure.store.ddl_state import apply_ddl_if_changed
from agent.infrastructure.store.event_rows import ORIGIN
from agent.infrastructure.store.schema import REVISION

CHANNEL: Final = "team_change"
_APPLICATION: Final = "ai-popup"

_FUNCTION: Final = f"""
CREATE OR REPLACE FUNCTION tell_change() RETURNS trigger LANGUAGE plpgsql AS $body$
DECLARE
    about text := '';
BEGIN
    IF TG_LEVEL = 'ROW' THEN
        about := CASE TG_OP WHEN 'DELETE' THEN to_jsonb(OLD) ELSE to_jsonb(NEW) END ->> TG_ARGV[0];
    END IF;
    PERFORM pg_notify('{CHANNEL}', json_build_array(TG_TABLE_NAME, about, current_setting('application_name'))::text);
    RETURN NULL;
END $body$
"""
_OLDER: Final = text(
    "SELECT count(DISTINCT application_name) FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE :program"
    f" AND coalesce(substring(application_name FROM '^{_APPLICATION} ([0-9]{{4}}) '), '') < :revision"
)
# Not what changes with each request: when a session was seen, or which code was used last.
_TRIGGERS: Final = {
    "member": "AFTER UPDATE OF name, display_name, role, locked_at, password_hash, totp_confirmed_at OR DELETE ON member"
    " FOR EACH ROW EXECUTE FUNCTION tell_change('id')",
    "member_session": "AFTER DELETE ON member_session FOR EACH ROW EXECUTE FUNCTION tell_change('id')",
    "api_token": "AFTER DELETE ON api_token FOR EACH ROW EXECUTE FUNCTION tell_change('id')",
    **{
        table: f"AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH STATEMENT EXECUTE FUNCTION tell_change()"
        for table in ("library", "library_source", "library_access")
    },
    "bucket": "AFTER INSERT OR DELETE OR UPDATE OF bucket, prefix, endpoint, region, access, certificate, path_style, minutes ON bucket"
    " FOR EACH STATEMENT EXECUTE FUNCTION tell_change()",
    "shared": "AFTER INSERT OR UPDATE ON shared FOR EACH ROW WHEN (NEW.name = 'paused') EXECUTE FUNCTION tell_change('name')",
}


@dataclass(frozen=True, slots=True)
class Change:
    """In a `table`, or of another kind that processes tell each other; `about` is the row, or empty."""

    table: str
    about: str
    application: str

    @classmethod
    def read(cls, payload: str) -> "Change":
        return cls(*map(str, json.loads(payload)))


def application_of(tx: Connection) -> str:
    """Return the name of this process's connections."""
    return application(str(tx.get_execution_options()[ORIGIN]))


def application(origin: str) -> str:
    """Return the name by which PostgreSQL knows a pool's connections: with the schema that its program knows, for `count_older_clients`."""
    return f"{_APPLICATION} {REVISION} {origin}"


def count_older_clients(tx: Connection, revision: str) -> int:
    """Return how many pools of programs that know no schema as new as `revision` are connected. A name without a schema is older, too."""
    found = tx.scalar(_OLDER, {"program": f"{_APPLICATION} %", "revision": revision})
    return int(found or 0)


def say(tx: Connection, kind: str, about: str = "") -> None:
    """Tell the other processes something when the transaction ends."""
    payload = json.dumps([kind, about, application_of(tx)])
    tx.execute(text(f"SELECT pg_notify('{CHANNEL}', :payload)"), {"payload": payload})


def install_triggers(tx: Connection) -> None:
    """Put the triggers in place, unless these are."""
    statements = [_FUNCTION, *(f"CREATE OR REPLACE TRIGGER tell_{name} {what}" for name, what in _TRIGGERS.items())]
    apply_ddl_if_changed(tx, "shared", statements)
