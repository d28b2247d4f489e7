"""What the people room asks of the encrypted library: each query is one transaction."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from sqlalchemy import Connection, select

from agent.domain.edits import Edit, Forgotten, Step
from agent.domain.embeddings import FacePrint, GroupMember
from agent.domain.errors import StoreBusy, StoreError
from agent.domain.events import FavouritesChanged, ImagesHidden, PeopleChanged, Recorded
from agent.domain.face import Face
from agent.domain.people import Identity
from agent.engine.matcher_port import Groups
from agent.library.queries import identity_rows
from agent.library.queries.library_queries import LibraryQueries
from agent.library.records import Doubt, FaceGroup, FaceRef, Person, PersonFace, PersonFacts, ToJudge
from agent.people.queries import (
    adopted_rows,
    album_rows,
    audit_rows,
    cluster_rows,
    edit_rows,
    embedding_rows,
    forget_rows,
    never_rows,
    person_rows,
)
from agent.store import event_rows, journal
from agent.store.path_ranges import Area
from agent.store.rows import take_note
from agent.store.schema import face, image

PAGE = 5_000  # face prints per transaction


# Written in the transaction that deletes prints, so that the next start replaces the backups even if the agent dies first.
BACKUPS_HOLD_PURGED = "backups_hold_purged"


class PeopleQueries(LibraryQueries):
    """People, face prints, opinions about who is who, and the steps that can be undone."""

    def people(self) -> list[Person]:
        with self.database.read() as tx:
            return person_rows.everybody(tx)

    def edit(self, wish: Edit, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]]:
        """Apply an edit of people and faces; `note` is stored with it. Raises PeopleError.

        If that deletes prints, of a person who is never to be recognised, it is noted that backups may still contain them. So do
        undo and redo.
        """
        with self.database.write(durable=True) as tx:
            before = identity_rows.never_recognised(tx)
            step = edit_rows.edit(tx, wish, now)
            return step, _concluded(tx, step, before, now, note)

    def take_back(self, token: str | None = None, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]] | None:
        """Undo the token's step, or the latest one. None if there is none: undone already, or too long ago.

        Values that have changed since, or are gone, stay as they are.
        """
        with self.database.write(durable=True) as tx:
            before = identity_rows.never_recognised(tx)
            step = journal.take_back(tx, token, now)
            return None if step is None else (step, _concluded(tx, step, before, now, note, then="taken_back"))

    def do_again(self, *, now: datetime, note: str | None = None) -> tuple[Step, list[Recorded]] | None:
        """Redo the last undone step, unless another edit followed."""
        with self.database.write(durable=True) as tx:
            before = identity_rows.never_recognised(tx)
            step = journal.do_again(tx)
            return None if step is None else (step, _concluded(tx, step, before, now, note, then="done_again"))

    def steps(self) -> tuple[Step | None, Step | None]:
        """Return the steps that would be undone and redone."""
        with self.database.read() as tx:
            return journal.steps(tx)

    def uids_of(self, person_id: int) -> list[str]:
        """Return the random ids of a person, and of people merged into them. Raises PersonUnknown."""
        with self.database.read() as tx:
            return forget_rows.meant(tx, person_id)[1]

    def forget_person(self, person_id: int, *, now: datetime, note: str) -> tuple[Forgotten, list[Recorded]]:
        """Delete a person, their names, face prints and pictures of faces, with the note in the same transaction; rewrite the file.

        Also deletes people merged into them. Raises PersonUnknown.
        """
        with self.database.write(durable=True) as tx:
            gone = forget_rows.forget(tx, person_id, now, note=note)
            recorded = event_rows.record(tx, PeopleChanged(action="forget"), now)
        # The data is deleted and overwritten already; there may be no room for a new file beside the old one, and readers keep the
        # log from being emptied: while the note stands, `flush` is pending.
        with suppress(StoreError):
            self.database.compact()
        return gone, [recorded]

    def overdue(self, *, now: datetime, usual_days: int) -> dict[int, datetime]:
        """Return people without a confirmation within their retention time (their own, or the usual), and since when."""
        with self.database.read() as tx:
            return person_rows.overdue(tx, now, usual_days)

    def expire_unnamed(self, *, before: datetime, note: str) -> int:
        """Delete face prints and pictures of unnamed faces of images analysed before then, with the note. Return the number of faces."""
        with self.database.write(durable=True) as tx:
            expired = person_rows.expire_unnamed(tx, before, note)
        if expired:
            with suppress(StoreBusy):
                self.database.flush()
        return expired

    def people_by_uids(self, uids: Iterable[str]) -> list[int]:
        """Return the people with these random ids."""
        with self.database.read() as tx:
            return forget_rows.by_uids(tx, uids)

    def audit_broken_at(self) -> int | None:
        """Return the first audit entry that was changed, or that follows a missing one; None if the log is intact."""
        with self.database.read() as tx:
            return audit_rows.first_broken(tx)

    def person(self, person_id: int) -> PersonFacts | None:
        with self.database.read() as tx:
            return album_rows.person_facts(tx, person_id)

    def person_faces(self, person_id: int, *, limit: int, offset: int = 0) -> tuple[list[PersonFace], int]:
        """Return faces on shown images that are or may be this person, newest first, and the total."""
        with self.database.read() as tx:
            return album_rows.faces_of_person(tx, person_id, limit=limit, offset=offset)

    def faces_held(self, person_id: int, *, after: int, limit: int) -> list[PersonFace]:
        """Return faces that are or may be this person, also on hidden or missing images: by ascending id, starting after `after`."""
        with self.database.read() as tx:
            return album_rows.faces_held(tx, person_id, after=after, limit=limit)

    def face_refs(self, faces: Collection[int]) -> list[FaceRef]:
        """Return those on shown images, in no order."""
        with self.database.read() as tx:
            return album_rows.refs(tx, faces)

    def groups(self, *, limit: int, offset: int = 0) -> tuple[list[FaceGroup], int]:
        """Return clusters of unnamed faces: the largest first, and the total."""
        with self.database.read() as tx:
            return album_rows.groups(tx, limit=limit, offset=offset)

    def group_faces(self, group_id: int) -> list[FaceRef]:
        with self.database.read() as tx:
            return album_rows.faces_of_group(tx, group_id)

    def doubts(self, *, limit: int, person_id: int | None = None) -> tuple[list[Doubt], int]:
        """Return faces that are probably a person, the nearest first, and the total."""
        with self.database.read() as tx:
            return album_rows.doubts(tx, limit=limit, person_id=person_id)

    def rejections(self, face_ids: Sequence[int]) -> dict[int, frozenset[int]]:
        """Return the people whom the user rejected for each of these faces."""
        with self.database.read() as tx:
            return person_rows.rejections(tx, face_ids)

    def faces_of(self, sha256: str) -> list[int]:
        """Return the faces of the image with that content."""
        with self.database.read() as tx:
            return list(tx.scalars(select(face.c.id).join(image).where(image.c.sha256 == sha256)))

    def faces_of_image(self, image_id: int) -> list[int]:
        with self.database.read() as tx:
            return list(tx.scalars(select(face.c.id).where(face.c.image_id == image_id).order_by(face.c.ordinal)))

    def faces_of_people(self, people: Collection[int] | None, *, within: Collection[int] | None = None) -> list[int]:
        """Return faces that the user confirmed as these people (None: as any person), limited to the given faces, if any."""
        with self.database.read() as tx:
            return embedding_rows.confirmed(tx, people, within)

    def faces_adopted(self, within: Collection[int]) -> set[int]:
        """Return those of these faces that have an imported name."""
        with self.database.read() as tx:
            return adopted_rows.among(tx, within)

    def images_of_faces(self, faces: Collection[int]) -> list[int]:
        with self.database.read() as tx:
            return person_rows.images_of(tx, faces)

    def person_names(self) -> dict[int, str]:
        """Return names by id; fast, because no faces are counted."""
        with self.database.read() as tx:
            return person_rows.names(tx)

    def people_watched(self) -> dict[int, str]:
        """Return people who agreed to be named in alerts, by id, without those who are never recognised."""
        with self.database.read() as tx:
            return person_rows.watched(tx)

    def people_kept(self, *, least: int) -> int:
        """Return the number of different people with face prints, named or not; 0, and fast, if there are fewer than `least` prints.

        A face without similar ones counts as a person.
        """
        with self.database.read() as tx:
            return embedding_rows.people_kept(tx, least)

    def faces_thought_of(self, people: Collection[int]) -> list[int]:
        """Return faces that are suggested as these people."""
        with self.database.read() as tx:
            return embedding_rows.thought_of(tx, people)

    def prints(self, embedder: str) -> Iterator[list[FacePrint]]:
        """Yield all face prints, page by page."""
        after = 0
        while True:
            with self.database.read() as tx:
                page = embedding_rows.page(tx, embedder, after=after, limit=PAGE)
            if not page:
                return
            yield page
            after = page[-1].face_id

    def prints_of(self, faces: Collection[int], embedder: str) -> list[FacePrint]:
        with self.database.read() as tx:
            return embedding_rows.of_faces(tx, faces, embedder)

    def unconfirmed(self, embedder: str, *, after: int, limit: int) -> list[int]:
        """Return unconfirmed faces with a print, by ascending id."""
        with self.database.read() as tx:
            return embedding_rows.unconfirmed(tx, embedder, after=after, limit=limit)

    def to_judge(self, faces: Collection[int], embedder: str) -> list[ToJudge]:
        """Return the unconfirmed faces that have a print."""
        with self.database.read() as tx:
            return embedding_rows.to_judge(tx, faces, embedder)

    def ungrouped(self, limit: int) -> list[GroupMember]:
        """Return faces with a print that were neither clustered nor marked as alone, oldest first."""
        with self.database.read() as tx:
            return cluster_rows.ungrouped(tx, limit)

    def grouped(self) -> Groups:
        """Return the clusters of all other faces with a print."""
        with self.database.read() as tx:
            return cluster_rows.grouped(tx)

    def all_members(self) -> Groups:
        """Return both."""
        with self.database.read() as tx:
            return cluster_rows.everything(tx)

    def set_groups(self, groups_of: dict[int, int], *, anew: bool) -> None:
        """Store the cluster of each face, 0 for one that is alone. `anew` discards all earlier ones."""
        with self.database.write() as tx:
            cluster_rows.put(tx, groups_of, anew=anew)

    def image_embeddings(self, image_id: int, embedder: str) -> list[tuple[int, bytes, Face]]:
        with self.database.read() as tx:
            return person_rows.of_image(tx, image_id, embedder)

    def set_identities(self, identities: Mapping[int, Identity | None], *, now: datetime) -> None:
        """Replace the identities of these faces; the user's confirmations stay.

        A face of a person who is never recognised loses its print, and its identity is not stored.
        """
        with self.database.write() as tx:
            identity_rows.set_identities(tx, identities, now)

    def purge_recognition(
        self, *, now: datetime, keep: Sequence[Area] = (), note: str | None = None, tell_none: bool = False
    ) -> list[Recorded]:
        """Delete every embedding, chip and identity, overwrite their pages, record the counts, and take the note if anything was deleted.

        Images with a location in an area to keep, even a missing one, keep theirs. `tell_none` also records it if nothing was there.
        """
        with self.database.write(durable=True) as tx:
            recorded = person_rows.purge_recognition(tx, now, keep, note, tell_none=tell_none)
        if recorded:
            with suppress(StoreBusy):
                self.database.flush()
        return recorded


def _follow_never(tx: Connection, step: Step, before: frozenset[int], now: datetime) -> None:
    """Delete or restore prints when a person's "never recognise" setting, or the faces of such a person, change."""
    after = identity_rows.never_recognised(tx)
    still = sorted(before & after & step.people)
    gone = sum(never_rows.keep_one(tx, person_id, step.faces) for person_id in still)
    if still:
        never_rows.let_go(tx, step.faces, now)
    gone += sum(never_rows.begin(tx, person_id) for person_id in sorted(after - before))
    if gone:
        take_note(tx, BACKUPS_HOLD_PURGED)
    for person_id in sorted(before - after):
        never_rows.end(tx, person_id, now)
    if before - after:
        never_rows.let_go(tx, step.faces, now)


def _concluded(
    tx: Connection, step: Step, never_before: frozenset[int], now: datetime, note: str | None, *, then: str | None = None
) -> list[Recorded]:
    """Complete a step, its undo or its redo (`then`) with derived rows and events."""
    _follow_never(tx, step, never_before, now)
    if note is not None:
        take_note(tx, note)
    if step.action in ("hide", "unhide"):
        hidden = (step.action == "hide") != (then == "taken_back")
        return [event_rows.record(tx, ImagesHidden(count=step.count, hidden=hidden), now)]
    if step.action in ("favourite", "unfavourite"):
        favourite = (step.action == "favourite") != (then == "taken_back")
        return [event_rows.record(tx, FavouritesChanged(count=step.count, favourite=favourite), now)]
    if step.token is None:
        return []
    if then is not None:
        audit_rows.add(tx, then, None, step.count, now)
    return [event_rows.record(tx, PeopleChanged(action=step.action), now)]
