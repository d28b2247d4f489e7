"""The library's schema: every table, in types that every database has.

The tables are in `agent/infrastructure/store/tables`, one module per room. Import them from here: only then is `metadata` complete.
`agent/infrastructure/store/migrations` leads to them from `BASELINE`; tests prove that a library of an earlier release gets the same.
"""

from sqlalchemy import Connection, text

from agent.infrastructure.store.tables.accounts import (
    api_token,
    ceremony,
    invitation,
    member,
    member_session,
    passkey,
    provider_link,
    recovery_code,
    sign_in_attempt,
)
from agent.infrastructure.store.tables.albums import album, album_image, album_person
from agent.infrastructure.store.tables.alerts import alert, alert_message, alert_silence, lease
from agent.infrastructure.store.tables.backups import backup_run
from agent.infrastructure.store.tables.base import metadata
from agent.infrastructure.store.tables.consent import consent, consent_link
from agent.infrastructure.store.tables.desks import desk_face, desk_feed, desk_operation, join_request
from agent.infrastructure.store.tables.history import audit, audit_head, undo, undo_person
from agent.infrastructure.store.tables.incidents import incident, incident_message
from agent.infrastructure.store.tables.libraries import bucket, library, library_access, library_source
from agent.infrastructure.store.tables.library import event, face, image, job, meta, place
from agent.infrastructure.store.tables.people import adopted, chip, draft, embedding, grouping, identity, ignored, person, rejection, unseen
from agent.infrastructure.store.tables.redaction import redaction, redaction_item
from agent.infrastructure.store.tables.team import team_face, team_link, team_outbox, team_person, team_photo, team_reference, team_upload
from agent.infrastructure.store.tables.uploads import upload
from agent.infrastructure.store.tables.workers import shared, worker

__all__ = [
    "BASELINE",
    "REVISION",
    "SERVES_FROM",
    "WORKS_FROM",
    "adopted",
    "album",
    "album_image",
    "album_person",
    "alert",
    "alert_message",
    "alert_silence",
    "api_token",
    "audit",
    "audit_head",
    "backup_run",
    "bucket",
    "ceremony",
    "chip",
    "consent",
    "consent_link",
    "create",
    "desk_face",
    "desk_feed",
    "desk_operation",
    "draft",
    "embedding",
    "event",
    "face",
    "grouping",
    "identity",
    "ignored",
    "image",
    "incident",
    "incident_message",
    "invitation",
    "job",
    "join_request",
    "lease",
    "library",
    "library_access",
    "library_source",
    "member",
    "member_session",
    "meta",
    "metadata",
    "passkey",
    "person",
    "place",
    "provider_link",
    "recovery_code",
    "redaction",
    "redaction_item",
    "rejection",
    "shared",
    "sign_in_attempt",
    "team_face",
    "team_link",
    "team_outbox",
    "team_person",
    "team_photo",
    "team_reference",
    "team_upload",
    "undo",
    "undo_person",
    "unseen",
    "upload",
    "worker",
]

# The newest migration: a library at this revision needs none, and Alembic is not even imported.
REVISION = "0040"
# The oldest schema that the migrations start from: that of the first release. What is older is refused before Alembic is asked.
BASELINE = "0040"
# The oldest revision whose program works on this schema: only steps of the kind `contract` raise it. A test compares it with the steps.
WORKS_FROM = "0040"
# The oldest schema on which this program works: REVISION, unless the newest steps are `deferred`, and left for later by a deployment.
SERVES_FROM = REVISION

_KEY = "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)"  # as Alembic creates it


def create(tx: Connection) -> None:
    """Create the tables of the newest schema, without loading Alembic."""
    metadata.create_all(tx, checkfirst=False)
    tx.execute(text(f"CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, {_KEY})"))
    tx.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": REVISION})
