"""What a server's database derives for its policies, by triggers: in which libraries an image is, repeated with its faces and who they are.

A policy then reads one value in its own row. All rows of a statement are derived together: a folder may hold 300,000 photos.
"""

from collections.abc import Collection
from typing import Final

from sqlalchemy import Connection, text

TALLY: Final = "person_tally"
"""how many faces each person has, by the libraries of these faces: to list people, or to ask whether a member sees one, would otherwise
read the faces of all; in no copy of the library, so it is none of the schema's tables"""
DERIVED: Final = ("image", "face", "identity")

# A session keeps the plans of a function. Those from when a table was empty would read the whole of it, for each photo that is added.
AS_OWNER: Final = "SECURITY DEFINER SET search_path = public, pg_temp SET enable_seqscan = off"
_COLUMNS: Final = tuple(f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS libraries int[] NOT NULL DEFAULT '{{}}'" for table in DERIVED)
_TALLY: Final = (
    f"CREATE TABLE IF NOT EXISTS {TALLY} (person_id int, libraries int[], faces int NOT NULL, PRIMARY KEY (person_id, libraries))"
)
_SORT_IMAGES: Final = f"""
CREATE OR REPLACE FUNCTION sort_images(wanted int[]) RETURNS void LANGUAGE plpgsql {AS_OWNER} AS $$ BEGIN
    UPDATE image SET libraries = found.libraries FROM (
        SELECT asked.id,
            coalesce(array_agg(DISTINCT library_id ORDER BY library_id) FILTER (WHERE library_id IS NOT NULL), '{{}}') AS libraries
        FROM unnest(wanted) AS asked(id) LEFT JOIN place ON place.image_id = asked.id GROUP BY asked.id
    ) AS found WHERE found.id = image.id AND image.libraries IS DISTINCT FROM found.libraries;
    IF NOT FOUND THEN RETURN; END IF;
    UPDATE face SET libraries = image.libraries FROM unnest(wanted) AS asked(id) JOIN image ON image.id = asked.id
        WHERE face.image_id = asked.id AND face.libraries IS DISTINCT FROM image.libraries;
    UPDATE identity SET libraries = face.libraries FROM unnest(wanted) AS asked(id) JOIN face ON face.image_id = asked.id
        WHERE identity.face_id = face.id AND identity.libraries IS DISTINCT FROM face.libraries;
END $$
"""
# What triggers call. `added` and `removed` are a statement's rows.
_FUNCTIONS: Final = {
    # A photo on a desktop is in the library that it was told for, a reference without a photo in the one that it was added to.
    # A file belongs to the library of its watched folder. A folder without a row belongs to that of the empty root, if there is one.
    "place_in_library": """
    IF NEW.source = 'desk' OR NEW.source = 'reference' AND NEW.library_id IS NOT NULL THEN RETURN NEW; END IF;
    SELECT library_id INTO NEW.library_id FROM library_source WHERE root IN (NEW.folder, '') ORDER BY root DESC LIMIT 1;
    RETURN NEW;""",
    "places_in_libraries": """
    IF TG_OP = 'INSERT' THEN
        PERFORM sort_images(array_agg(DISTINCT image_id)) FROM added WHERE image_id IS NOT NULL HAVING count(*) > 0;
    ELSIF TG_OP = 'DELETE' THEN
        PERFORM sort_images(array_agg(DISTINCT image_id)) FROM removed WHERE image_id IS NOT NULL HAVING count(*) > 0;
    ELSE
        PERFORM sort_images(array_agg(DISTINCT moved.image_id)) FROM added JOIN removed ON removed.id = added.id
            CROSS JOIN LATERAL (VALUES (added.image_id), (removed.image_id)) AS moved(image_id)
            WHERE moved.image_id IS NOT NULL AND (added.image_id, added.library_id) IS DISTINCT FROM (removed.image_id, removed.library_id)
            HAVING count(*) > 0;
    END IF;
    RETURN NULL;""",
    "face_in_libraries": """
    SELECT libraries INTO NEW.libraries FROM image WHERE id = NEW.image_id;
    RETURN NEW;""",
    "identity_in_libraries": """
    SELECT libraries INTO NEW.libraries FROM face WHERE id = NEW.face_id;
    RETURN NEW;""",
    "identities_tallied": f"""
    IF TG_OP = 'INSERT' THEN
        INSERT INTO {TALLY} SELECT person_id, libraries, count(*) FROM added GROUP BY person_id, libraries
            ON CONFLICT (person_id, libraries) DO UPDATE SET faces = {TALLY}.faces + EXCLUDED.faces;
        RETURN NULL;
    ELSIF TG_OP = 'DELETE' THEN
        UPDATE {TALLY} SET faces = {TALLY}.faces - gone.faces
            FROM (SELECT person_id, libraries, count(*) AS faces FROM removed GROUP BY person_id, libraries) AS gone
            WHERE {TALLY}.person_id = gone.person_id AND {TALLY}.libraries = gone.libraries;
    ELSE
        INSERT INTO {TALLY} SELECT person_id, libraries, sum(one) FROM
            (SELECT person_id, libraries, 1 AS one FROM added UNION ALL SELECT person_id, libraries, -1 FROM removed) AS moved
            GROUP BY person_id, libraries HAVING sum(one) <> 0
            ON CONFLICT (person_id, libraries) DO UPDATE SET faces = {TALLY}.faces + EXCLUDED.faces;
        IF NOT FOUND THEN RETURN NULL; END IF;
    END IF;
    DELETE FROM {TALLY} WHERE faces = 0 AND person_id IN (SELECT person_id FROM removed);
    RETURN NULL;""",
}
_TRIGGERS: Final = {
    "place_in_library": ("place_in_library", "BEFORE INSERT OR UPDATE OF folder ON place FOR EACH ROW"),
    "face_in_libraries": ("face_in_libraries", "BEFORE INSERT OR UPDATE OF image_id ON face FOR EACH ROW"),
    "identity_in_libraries": ("identity_in_libraries", "BEFORE INSERT OR UPDATE OF face_id ON identity FOR EACH ROW"),
    **{
        f"{function}_by_{change.lower()}": (function, f"AFTER {change} ON {table} REFERENCING {rows} FOR EACH STATEMENT")
        for table, function in (("place", "places_in_libraries"), ("identity", "identities_tallied"))
        for change, rows in (
            ("INSERT", "NEW TABLE AS added"),
            ("UPDATE", "OLD TABLE AS removed NEW TABLE AS added"),
            ("DELETE", "OLD TABLE AS removed"),
        )
    },
}
# Earlier versions derived row by row.
_FORMER: Final = (
    "DROP TRIGGER IF EXISTS image_in_libraries ON place",
    "DROP TRIGGER IF EXISTS identity_tallied ON identity",
    "DROP FUNCTION IF EXISTS image_in_libraries, identity_tallied, sort_image(int)",
)
_FILL: Final = (
    "SELECT sort_images(array_agg(DISTINCT image_id)) FROM place WHERE image_id IS NOT NULL HAVING count(*) > 0",
    f"TRUNCATE {TALLY}",
    f"INSERT INTO {TALLY} SELECT person_id, libraries, count(*) FROM identity GROUP BY person_id, libraries",
)
_IS_TALLIED: Final = text(f"SELECT to_regclass('{TALLY}') IS NOT NULL")
_ELSEWHERE: Final = text(
    f"SELECT EXISTS (SELECT FROM {TALLY} WHERE person_id = ANY (:people)"
    " AND (libraries = '{}' OR NOT libraries <@ CAST(:libraries AS int[])))"
)


def statements() -> list[str]:
    """Put everything in force, whatever was before."""
    made = [*_COLUMNS, _TALLY, _SORT_IMAGES, *_FORMER]
    for name, body in _FUNCTIONS.items():
        made.append(f"CREATE OR REPLACE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql {AS_OWNER} AS $$ BEGIN {body} END $$")
    made += [f"CREATE OR REPLACE TRIGGER {name} {when} EXECUTE FUNCTION {function}()" for name, (function, when) in _TRIGGERS.items()]
    return [*made, *_FILL]


def tallied(tx: Connection) -> bool:
    """Return whether faces are tallied by person: in a server's database. A connection remembers that they are."""
    if tx.dialect.name != "postgresql":
        return False
    if TALLY not in tx.info and tx.scalar(_IS_TALLIED):
        tx.info[TALLY] = True
    return TALLY in tx.info


def may_be_elsewhere(tx: Connection, people: Collection[int], libraries: Collection[int]) -> bool:
    """Return False if all faces of these people, also uncertain ones, are in these libraries: by a few rows, not by each of the faces."""
    return not tallied(tx) or bool(tx.scalar(_ELSEWHERE, {"people": list(people), "libraries": list(libraries)}))
