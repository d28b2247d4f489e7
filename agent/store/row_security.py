"""What a member may see is decided by PostgreSQL itself: each table that holds rows of photos has a policy, so no query can forget one.

A request of a member runs as the role `MEMBER`, which owns nothing, with the libraries it reaches in a setting of its transaction; the
server's own work runs as the owner, who sees everything. `MEMBER` may use the tables named here and no other, so a new table is closed
to members until it is added: to `POLICIES` if it holds anything about photos or people, otherwise to `FREE`.
"""

import hashlib
from typing import Final

from sqlalchemy import Connection, text

from agent.core.reach import Reach

MEMBER: Final = "ai_popup_member"
LIBRARIES: Final = "app.libraries"
CURATES: Final = "app.curates"
_IN_REACH: Final = f"library_id = ANY ((SELECT string_to_array(current_setting('{LIBRARIES}', true), ',')::int[])::int[])"

# Their owner's rights apply inside a view, so that a policy asks once, not again for each table in it.
VIEWS: Final = {
    "seen_image": f"SELECT image_id FROM place WHERE {_IN_REACH}",
    "seen_face": f"SELECT face.id AS face_id FROM face JOIN place ON place.image_id = face.image_id WHERE {_IN_REACH}",
    "seen_person": "SELECT person_id FROM identity JOIN face ON face.id = identity.face_id"
    f" JOIN place ON place.image_id = face.image_id WHERE {_IN_REACH}",
    "any_identity": "SELECT person_id FROM identity",
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
_ITEM: Final = (
    "EXISTS (SELECT FROM place WHERE place.path = redaction_item.source)"
    " OR EXISTS (SELECT FROM image WHERE image.sha256 = redaction_item.sha256)"
)
POLICIES: Final = {
    "place": _IN_REACH,
    "image": _of("seen_image", "image_id", "image.id"),
    "face": _of("seen_image", "image_id", "face.image_id"),
    "job": "EXISTS (SELECT FROM place WHERE place.id = job.place_id)",
    **{
        table: _OF_FACE.format(table)
        for table in ("embedding", "chip", "identity", "rejection", "unseen", "ignored", "adopted", "grouping")
    },
    "person": _seen_person("person.id"),
    "consent": "EXISTS (SELECT FROM person WHERE person.uid = consent.person_uid)",
    "redaction": "EXISTS (SELECT FROM redaction_item WHERE redaction_item.redaction_id = redaction.id)",
    "redaction_item": _ITEM,
    "event": " AND ".join(
        (
            _payload("image_id", "EXISTS (SELECT FROM seen_image WHERE seen_image.image_id = {0})"),
            _payload("place_id", "EXISTS (SELECT FROM place WHERE place.id = {0})"),
            _payload("person_id", "EXISTS (SELECT FROM seen_person WHERE seen_person.person_id = {0})"),
        )
    ),
    "library": "id = ANY ((SELECT string_to_array(current_setting('app.libraries', true), ',')::int[])::int[])",
    "library_source": _IN_REACH,
    "upload": _IN_REACH,
}
# Of the server and its members: nothing in them tells of a photo or a person.
FREE: Final = (
    "alembic_version",
    "meta",
    "shared",
    "worker",
    "undo",
    "undo_person",
    "audit",
    "audit_head",
    "member",
    "recovery_code",
    "invitation",
    "member_session",
    "api_token",
    "library_access",
)

# A file belongs to the library of its watched folder; while there is only one library, to that.
_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION place_in_library() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.library_id := (SELECT library_id FROM library_source WHERE root = NEW.folder);
    IF NEW.library_id IS NULL THEN
        SELECT min(id) INTO NEW.library_id FROM library HAVING count(*) = 1;
    END IF;
    RETURN NEW;
END $$
"""
_TRIGGER: Final = """
CREATE OR REPLACE TRIGGER place_in_library BEFORE INSERT OR UPDATE OF folder ON place FOR EACH ROW EXECUTE FUNCTION place_in_library()
"""
_ROLE: Final = f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{MEMBER}') THEN CREATE ROLE {MEMBER} NOLOGIN; END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END $$
"""
_LIMIT: Final = text(
    f"SELECT set_config('role', '{MEMBER}', true), set_config('{LIBRARIES}', :libraries, true), set_config('{CURATES}', :curates, true)"
)


def limit(tx: Connection, reach: Reach) -> None:
    """Let the rest of this transaction see no more than that."""
    joined = ",".join(map(str, sorted(reach.libraries)))
    tx.execute(_LIMIT, {"libraries": joined or "0", "curates": "1" if reach.curates else ""})


def statements() -> list[str]:
    """Put everything in force, whatever was before."""
    made = [_ROLE, f"GRANT {MEMBER} TO CURRENT_USER", f"GRANT USAGE ON SCHEMA public TO {MEMBER}", _FUNCTION, _TRIGGER]
    made += [f"CREATE OR REPLACE VIEW {name} AS {query}" for name, query in VIEWS.items()]
    for table, condition in POLICIES.items():
        made += [
            f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY",
            f"DROP POLICY IF EXISTS within_reach ON {table}",
            f"CREATE POLICY within_reach ON {table} TO {MEMBER} USING ({condition})",
        ]
    tables = ", ".join((*POLICIES, *FREE))
    made += [
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {tables} TO {MEMBER}",
        f"GRANT SELECT ON {', '.join(VIEWS)} TO {MEMBER}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {MEMBER}",
    ]
    return made


def secure(tx: Connection) -> None:
    """Put the policies in force, unless these are. Raises what PostgreSQL raises if its user may make no role."""
    wanted = hashlib.sha256("\n".join(statements()).encode()).hexdigest()
    if tx.scalar(text("SELECT obj_description('place'::regclass)")) == wanted:
        return
    for each in statements():
        tx.exec_driver_sql(each)
    tx.exec_driver_sql(f"COMMENT ON TABLE place IS '{wanted}'")
