"""What the people room asks of the encrypted library: each query is one transaction."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, func, select

from agent.domain.edits import Edit, EditStep, ForgottenPerson
from agent.domain.errors import PersonUnknown, StoreBusy, StoreError
from agent.domain.events import AlbumsChanged, FavouritesChanged, ImagesHidden, PeopleChanged, StoredEvent
from agent.domain.identity_matching import Identity
from agent.features.library.queries import identity_queries
from agent.features.library.queries.album_queries import ALBUM_ACTIONS
from agent.features.library.queries.library_queries import LibraryQueries
from agent.features.people.queries import (
    consent_queries,
    edit_queries,
    erasure_queries,
    excluded_people,
    person_queries,
    reference_queries,
    team_face_queries,
    team_people_queries,
)
from agent.features.people.queries.cluster_queries import ClusterQueries
from agent.features.people.queries.draft_queries import DraftQueries
from agent.features.people.queries.embedding_queries import EmbeddingQueries
from agent.features.people.queries.erasure_queries import ForgetQueries
from agent.features.people.queries.imported_names import AdoptedQueries
from agent.features.people.queries.people_page import AlbumQueries
from agent.features.people.queries.person_queries import PersonQueries
from agent.features.people.queries.visibility_queries import ReachQueries
from agent.infrastructure.core.access_scope import acting_libraries
from agent.infrastructure.store import audit_libraries, audit_log, event_rows, undo_log
from agent.infrastructure.store.audit_log import AuditQueries
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED, set_flag
from agent.infrastructure.store.path_index import FolderArea
from agent.infrastructure.store.schema import face, identity, image, person


class PeopleQueries(
    PersonQueries,
    ForgetQueries,
    AuditQueries,
    AlbumQueries,
    EmbeddingQueries,
    AdoptedQueries,
    ClusterQueries,
    DraftQueries,
    ReachQueries,
    LibraryQueries,
):
    """People, face prints, opinions about who is who, and the steps that can be undone."""

    def edit(self, wish: Edit, *, now: datetime, note: str | None = None) -> tuple[EditStep, list[StoredEvent]]:
        """Apply an edit of people and faces; `note` is stored with it. Raises PeopleError.

        If that deletes prints, of a person who is never to be recognised, it is noted that backups may still contain them. So do
        undo and redo.
        """
        with self.database.write(durable=True) as tx:
            before = identity_queries.never_recognised(tx)
            step = edit_queries.edit(tx, wish, now)
            return step, concluded(tx, step, before, now, note)

    def undo(self, token: str | None = None, *, now: datetime, note: str | None = None) -> tuple[EditStep, list[StoredEvent]] | None:
        """Undo the token's step, or the latest one. None if there is none: undone already, or too long ago.

        Values that have changed since, or are gone, stay as they are.
        """
        with self.database.write(durable=True) as tx:
            before = identity_queries.never_recognised(tx)
            step = undo_log.undo(tx, token, now)
            return None if step is None else (step, concluded(tx, step, before, now, note, then="taken_back"))

    def do_again(self, *, now: datetime, note: str | None = None) -> tuple[EditStep, list[StoredEvent]] | None:
        """Redo the last undone step, unless another edit followed."""
        with self.database.write(durable=True) as tx:
            before = identity_queries.never_recognised(tx)
            step = undo_log.do_again(tx)
            return None if step is None else (step, concluded(tx, step, before, now, note, then="done_again"))

    def steps(self) -> tuple[EditStep | None, EditStep | None]:
        """Return the steps that would be undone and redone."""
        with self.database.read() as tx:
            return undo_log.steps(tx)

    def uids_of(self, person_id: int) -> list[str]:
        """Return the random ids of a person, and of people merged into them. Raises PersonUnknown."""
        with self.database.read() as tx:
            return erasure_queries.meant(tx, person_id)[1]

    def consents_said(self, person_id: int) -> list[consent_queries.ConsentEntry]:
        """Return all that a person said on consent, newest first."""
        with self.database.read() as tx:
            uid = tx.scalar(select(person.c.uid).where(person.c.id == person_id))
            return consent_queries.history(tx, filter(None, [uid]))

    def note_search(self, faces: int, *, now: datetime) -> None:
        """Record a search by so many faces, in each library that is searched."""
        with self.database.write(durable=True) as tx:
            audit_log.add(tx, "face_searched", None, faces, now, libraries=audit_libraries.of_search(tx))

    def note_export(self, person_id: int | None, *, now: datetime) -> None:
        """Record that data of a person, or of everyone, is about to leave the library, with the number of faces. Raises PersonUnknown."""
        with self.database.write(durable=True) as tx:
            faces = select(func.count()).select_from(identity)
            uid = None
            if person_id is not None:
                faces = faces.where(identity.c.person_id == person_id)
                row = tx.execute(select(person.c.uid).where(person.c.id == person_id)).one_or_none()
                if row is None:
                    raise PersonUnknown
                uid = row.uid
            groups = audit_libraries.of_faces_of(tx, None if person_id is None else [person_id])
            audit_libraries.add_for_each(tx, "exported", uid, groups, tx.scalar(faces) or 0, now, otherwise=acting_libraries())

    def forget_person(self, person_id: int, *, now: datetime, note: str) -> tuple[ForgottenPerson, list[StoredEvent]]:
        """Delete a person, their names, face prints and pictures of faces, with the note in the same transaction; rewrite the file.

        Also deletes people merged into them. Raises PersonUnknown.
        """
        with self.database.write(durable=True) as tx:
            gone = erasure_queries.forget(tx, person_id, now, note=note)
            recorded = event_rows.record(tx, PeopleChanged(action="forget"), now)
        # The data is deleted and overwritten already; there may be no room for a new file beside the old one, and readers keep the
        # log from being emptied: while the note stands, `flush` is pending.
        with suppress(StoreError):
            self.database.compact()
        return gone, [recorded]

    def expire_unnamed(self, *, before: datetime, note: str) -> int:
        """Delete face prints and pictures of unnamed faces of images analysed before then, with the note. Return the number of faces."""
        with self.database.write(durable=True) as tx:
            expired = person_queries.expire_unnamed(tx, before, note)
        if expired:
            with suppress(StoreBusy):
                self.database.flush()
        return expired

    def expire_reference_undo(self, *, before: datetime, note: str) -> int:
        """Forget how references were added and removed before then, with the note. Return how many face prints went with that."""
        with self.database.write(durable=True) as tx:
            expired = reference_queries.drop_undo(tx, before)
            if expired:
                set_flag(tx, note)
        return expired

    def faces_of(self, sha256: str) -> list[int]:
        """Return the faces of the image with that content."""
        with self.database.read() as tx:
            return list(tx.scalars(select(face.c.id).join(image).where(image.c.sha256 == sha256)))

    def faces_of_image(self, image_id: int) -> list[int]:
        with self.database.read() as tx:
            return list(tx.scalars(select(face.c.id).where(face.c.image_id == image_id).order_by(face.c.ordinal)))

    def set_identities(self, identities: Mapping[int, Identity | None], *, now: datetime) -> None:
        """Replace the identities of these faces; the user's confirmations stay.

        A face of a person who is never recognised loses its print, and its identity is not stored.
        """
        with self.database.write() as tx:
            identity_queries.set_identities(tx, identities, now)

    def purge_recognition(
        self, *, now: datetime, keep: Sequence[FolderArea] = (), note: str | None = None, tell_none: bool = False
    ) -> list[StoredEvent]:
        """Delete every embedding, chip and identity, overwrite their pages, record the counts, and take the note if anything was deleted.

        Images with a location in an area to keep, even a missing one, keep theirs. `tell_none` also records it if nothing was there.
        """
        with self.database.write(durable=True) as tx:
            recorded = person_queries.purge_recognition(tx, now, keep, note, tell_none=tell_none)
        if recorded:
            with suppress(StoreBusy):
                self.database.flush()
        return recorded


def follow_never(tx: Connection, step: EditStep, before: frozenset[int], now: datetime) -> None:
    """Delete or restore prints when a person is no longer to be recognised, or again, or when the faces of such a person change."""
    if step.people:
        consent_queries.follow(tx, now)
    after = identity_queries.never_recognised(tx)
    still = sorted(before & after & step.people)
    gone = sum(excluded_people.keep_one(tx, person_id, step.faces) for person_id in still)
    if still:
        excluded_people.let_go(tx, step.faces, now)
    gone += sum(excluded_people.begin(tx, person_id) for person_id in sorted(after - before))
    if after - before:
        gone += reference_queries.drop_undo(tx)
    if gone:
        set_flag(tx, BACKUPS_HOLD_PURGED)
    for person_id in sorted(before - after):
        excluded_people.end(tx, person_id, now)
    if before - after:
        excluded_people.let_go(tx, step.faces, now)


def concluded(
    tx: Connection, step: EditStep, never_before: frozenset[int], now: datetime, note: str | None, *, then: str | None = None
) -> list[StoredEvent]:
    """Complete a step, its undo or its redo (`then`) with derived rows and events."""
    follow_never(tx, step, never_before, now)
    if reference_queries.sweep(tx):
        set_flag(tx, BACKUPS_HOLD_PURGED)
    team_face_queries.note(tx, step.faces, step.people, now)
    team_people_queries.note_renames(tx, step.people, now)
    if note is not None:
        set_flag(tx, note)
    if step.action in ("hide", "unhide"):
        hidden = (step.action == "hide") != (then == "taken_back")
        return [event_rows.record(tx, ImagesHidden(count=step.count, hidden=hidden), now)]
    if step.action in ("favourite", "unfavourite"):
        favourite = (step.action == "favourite") != (then == "taken_back")
        return [event_rows.record(tx, FavouritesChanged(count=step.count, favourite=favourite), now)]
    if step.token is None:
        return []
    if then is not None:
        whole = audit_libraries.of_people(tx, step.people) if step.people else audit_libraries.THE_SERVERS
        audit_libraries.add_for_each(tx, then, None, audit_libraries.of_faces(tx, step.faces), step.count, now, otherwise=whole)
    if step.action in ALBUM_ACTIONS:
        return [event_rows.record(tx, AlbumsChanged(), now)]
    return [event_rows.record(tx, PeopleChanged(action=step.action), now)]
