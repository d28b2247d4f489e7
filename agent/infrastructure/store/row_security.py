"""What a member may see is decided by PostgreSQL itself: each table that holds rows of photos has a policy, so no query can forget one.

A request of a member runs as the role `MEMBER`, which owns nothing, with the libraries it reaches in a setting of its transaction; the
server's own work runs as the owner, who sees everything. `MEMBER` may use the tables named here and no other, so a new table is closed
to members until it is added: to `POLICIES` if it holds anything about photos or people, otherwise to `FREE`.
"""

import contextlib
from collections.abc import Iterator
from typing import Final

from sqlalchemy import Connection, text

from agent.infrastructure.core.access_scope import AccessScope, current_scope
from agent.infrastructure.store import change_cursor, library_triggers, trigram_index
from agent.infrastructure.store.ddl_state import apply_ddl_if_changed
from agent.infrastructure.store.library_triggers import TALLY

MEMBER: Final = "ai_popup_member"
LIBRARIES: Final = "app.libraries"
CURATES: Final = "app.curates"
CONFIDED: Final = "app.confided"
AUDITED: Final = "app.audited"
_REACHED: Final = f"(SELECT string_to_array(current_setting('{LIBRARIES}', true), ',')::int[])::int[]"
_IN_REACH: Final = f"library_id = ANY ({_REACHED})"
_SHARED: Final = f"libraries && {_REACHED}"
_CONFIDED: Final = f"(SELECT string_to_array(current_setting('{CONFIDED}', true), ',')::int[])::int[]"
# Who someone is, is not shown to those without insight into consents if that person is not to be shown inside.
_KEPT_BACK: Final = "(SELECT coalesce(array_agg(kept_back.person_id), '{}') FROM kept_back)::int[]"
_TOLD: Final = f"{_SHARED} AND (libraries && {_CONFIDED} OR person_id <> ALL ({_KEPT_BACK}))"

# Their owner's rights apply inside a view, so that a policy asks once, not again for each table in it.
VIEWS: Final = {
    "seen_face": f"SELECT id AS face_id FROM face WHERE {_SHARED}",
    "seen_image": f"SELECT id AS image_id FROM image WHERE {_SHARED}",
    "kept_back": "SELECT person.id AS person_id FROM person JOIN (SELECT DISTINCT ON (person_uid) person_uid, state, given_on, valid_until"
    " FROM consent WHERE purpose = 'show_inside' ORDER BY person_uid, id DESC) AS said ON said.person_uid = person.uid"
    " WHERE said.state <> 'given' OR said.given_on > current_date OR said.valid_until < current_date",
    "seen_person": f"SELECT person_id FROM {TALLY} WHERE {_TOLD}",
    "any_identity": f"SELECT person_id FROM {TALLY}",
    # Those that would show nothing without people who are not to be shown inside: their names may say who that is.
    "withheld_album": "SELECT album.id AS album_id FROM album JOIN album_person ON album_person.album_id = album.id"
    " LEFT JOIN kept_back ON kept_back.person_id = album_person.person_id GROUP BY album.id, album.match"
    " HAVING count(kept_back.person_id) >= CASE album.match WHEN 'any' THEN count(*) ELSE 1 END",
}


def _of(view: str, column: str, value: str) -> str:
    return f"EXISTS (SELECT FROM {view} WHERE {view}.{column} = {value})"


def _seen_person(value: str) -> str:
    """A person on a photo within reach; for those who curate, also one who is on no photo at all."""
    nowhere = f"(SELECT current_setting('{CURATES}', true)) = '1' AND NOT {_of('any_identity', 'person_id', value)}"
    return f"{_of('seen_person', 'person_id', value)} OR ({nowhere})"


def _payload(key: str, condition: str) -> str:
    return f"(payload->>'{key}' IS NULL OR {condition.format(f'''(event.payload->>'{key}')::int''')})"


_OF_FACE: Final = "EXISTS (SELECT FROM seen_face WHERE seen_face.face_id = {0}.face_id)"
_OF_ALBUM: Final = "EXISTS (SELECT FROM album WHERE album.id = {0}.album_id)"
_ITEM: Final = (
    "EXISTS (SELECT FROM place WHERE place.path = redaction_item.source)"
    " OR EXISTS (SELECT FROM image WHERE image.sha256 = redaction_item.sha256)"
)
POLICIES: Final = {
    "place": _IN_REACH,
    "image": _SHARED,
    "face": _SHARED,
    "identity": _TOLD,
    "job": "EXISTS (SELECT FROM place WHERE place.id = job.place_id)",
    **{
        table: _OF_FACE.format(table)
        for table in ("embedding", "chip", "rejection", "unseen", "ignored", "adopted", "grouping", "draft", "desk_face")
    },
    "person": _seen_person("person.id"),
    "consent": "EXISTS (SELECT FROM person WHERE person.uid = consent.person_uid)",
    "consent_link": "EXISTS (SELECT FROM person WHERE person.uid = consent_link.person_uid)",
    "redaction": "EXISTS (SELECT FROM redaction_item WHERE redaction_item.redaction_id = redaction.id)",
    "redaction_item": _ITEM,
    "event": " AND ".join(
        (
            _payload("image_id", "EXISTS (SELECT FROM seen_image WHERE seen_image.image_id = {0})"),
            _payload("place_id", "EXISTS (SELECT FROM place WHERE place.id = {0})"),
            _payload("person_id", "EXISTS (SELECT FROM seen_person WHERE seen_person.person_id = {0})"),
        )
    ),
    "library": f"id = ANY ({_REACHED})",
    "library_source": _IN_REACH,
    "bucket": "false",  # where it is, and how it is reached, is for administrators alone
    "upload": _IN_REACH,
    "album": f"{_IN_REACH} AND (library_id = ANY ({_CONFIDED}) OR NOT {_of('withheld_album', 'album_id', 'album.id')})",
    "album_image": f"{_OF_ALBUM.format('album_image')} AND {_of('seen_image', 'image_id', 'album_image.image_id')}",
    "album_person": _OF_ALBUM.format("album_person"),
}
# The record: each request adds to it, none changes it, and what is read of it are the entries that concern an audited library.
_ALL_AUDITED: Final = "*"
_AUDITED: Final = f"(SELECT current_setting('{AUDITED}', true))"
RECORD: Final = "audit"
_OF_RECORD: Final = {
    "SELECT": f"USING ({_AUDITED} = '{_ALL_AUDITED}' OR string_to_array(libraries, ',') && string_to_array({_AUDITED}, ','))",
    "INSERT": "WITH CHECK (true)",
}
# Of the server and its members: nothing in them tells of a photo or a person.
FREE: Final = (
    "alembic_version",
    "meta",
    "shared",
    "worker",
    "undo",
    "undo_person",
    "audit_head",
    "member",
    "recovery_code",
    "invitation",
    "member_session",
    "api_token",
    "passkey",
    "provider_link",
    "ceremony",
    "sign_in_attempt",
    "library_access",
    "incident",
    "incident_message",
    "backup_run",
    "alert",
    "alert_message",
    "alert_silence",
    "lease",
    "desk_feed",
    "desk_operation",
    "join_request",
    "team_link",  # these are of a desktop, and empty here
    "team_person",
    "team_reference",
    "team_outbox",
    "team_photo",
    "team_face",
    "team_upload",
)

_TALLY: Final = (
    f"ALTER TABLE {TALLY} ENABLE ROW LEVEL SECURITY",
    f"DROP POLICY IF EXISTS within_reach ON {TALLY}",
    f"CREATE POLICY within_reach ON {TALLY} TO {MEMBER} USING ({_TOLD})",
    f"GRANT SELECT ON {TALLY} TO {MEMBER}",
)
_ROLE: Final = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{MEMBER}') THEN CREATE ROLE {MEMBER} NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
# Who made the role has to grant it to themselves; whom an administrator granted it may not, and need not.
_MEMBERSHIP: Final = f"""
DO $$ BEGIN
    IF NOT pg_has_role(CURRENT_USER, '{MEMBER}', 'SET') THEN GRANT {MEMBER} TO CURRENT_USER; END IF;
END $$
"""
_LIFT: Final = text("SELECT set_config('role', 'none', true)")


def limit(tx: Connection, reach: AccessScope) -> None:
    """Let the rest of this transaction see no more than that."""
    tx.exec_driver_sql(limiting(reach))


def limiting(reach: AccessScope) -> str:
    """Return the statement that does it, for who sends it with others."""
    values = {
        "role": MEMBER,
        LIBRARIES: _joined(reach.libraries),
        CURATES: "1" if reach.curates else "",
        CONFIDED: _joined(reach.confided),
        AUDITED: _ALL_AUDITED if reach.audits_all else _joined(reach.audited),
    }
    return "SELECT " + ", ".join(f"set_config('{name}', '{value}', true)" for name, value in values.items())


@contextlib.contextmanager
def lifted(tx: Connection) -> Iterator[None]:
    """Lift a transaction's limit inside, for what is read there and never shown to the member."""
    reach = current_scope()
    if reach is None or tx.dialect.name != "postgresql":
        yield
        return
    tx.execute(_LIFT)
    yield  # after an error the transaction can't go on, so there is nothing to limit
    limit(tx, reach)


def _joined(libraries: frozenset[int]) -> str:
    return ",".join(map(str, sorted(libraries))) or "0"  # no library has that number


def statements() -> list[str]:
    """Put everything in force, whatever was before, but for the triggers that derive what the policies need."""
    made = [_ROLE, _MEMBERSHIP, f"GRANT USAGE ON SCHEMA public TO {MEMBER}"]
    made += [f"CREATE OR REPLACE VIEW {name} AS {query}" for name, query in VIEWS.items()]
    for table, condition in POLICIES.items():
        made += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS within_reach ON {table}",
            f"CREATE POLICY within_reach ON {table} TO {MEMBER} USING ({condition})",
        ]
    made += _TALLY
    made.append(f"ALTER TABLE {RECORD} ENABLE ROW LEVEL SECURITY")
    for command, condition in _OF_RECORD.items():
        name = f"record_{command.lower()}"
        made += [
            f"DROP POLICY IF EXISTS {name} ON {RECORD}",
            f"CREATE POLICY {name} ON {RECORD} FOR {command} TO {MEMBER} {condition}",
        ]
    # An earlier version let members change what is on record, as far as the database goes.
    made += [f"REVOKE UPDATE, DELETE ON {RECORD} FROM {MEMBER}", f"GRANT SELECT, INSERT ON {RECORD} TO {MEMBER}"]
    tables = ", ".join((*POLICIES, *FREE))
    made += [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {MEMBER}",
        f"GRANT SELECT ON {', '.join(VIEWS)} TO {MEMBER}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {MEMBER}",
    ]
    made += change_cursor.statements()
    made.append(f"GRANT SELECT ON {change_cursor.TABLE} TO {MEMBER}")
    return [*made, *trigram_index.statements()]


def secure(tx: Connection) -> None:
    """Put the policies in force, unless these are. Raises what PostgreSQL raises if its user may make no role."""
    # Apart, because deriving these anew takes minutes in a large library.
    apply_ddl_if_changed(tx, "image", library_triggers.statements())
    apply_ddl_if_changed(tx, "place", statements())
