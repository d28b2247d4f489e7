"""What the team's server tells of people, written into the library."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, delete, insert, select, update

from agent.desktop.team_client import synced_face_queries
from agent.domain.edits import EditStep
from agent.domain.events import PeopleChanged, StoredEvent
from agent.domain.identity_matching import Certainty
from agent.features.people.editor import IN_DOUBT
from agent.features.people.queries import consent_queries, edit_queries, team_people_queries
from agent.infrastructure.store import event_rows, undo_log
from agent.infrastructure.store.facts import free_name
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED, add, set_flag
from agent.infrastructure.store.schema import face, identity, image, person, team_outbox, team_person, team_reference
from agent.interfaces.web.desk_exchange import SharedPerson


class PeopleSync:
    """Collects what changes, so that faces are identified again afterwards."""

    def __init__(self, tx: Connection, now: datetime) -> None:
        self._tx = tx
        self._now = now
        self._faces, self._people = set[int](), set[int]()
        self._deleted = False

    def shared(self, told: SharedPerson, embedder: str) -> None:
        """A person as they are at the team now."""
        tx, known = self._tx, self._row(told.uid)
        if known is not None and known.refused:
            return
        person_id = None if known is None else known.person_id
        if person_id is None:
            person_id = self._begin(told)
        else:
            self._note_unsent(told)
            if known is not None and known.name != told.name:
                self._rename(told, person_id)
        tx.execute(update(team_person).where(team_person.c.uid == told.uid).values(agreed=1))
        self._people.add(person_id)
        self._faces |= synced_face_queries.take_rejections(tx, told, person_id, self._now)
        if tx.scalar(select(person.c.lapsed_at).where(person.c.id == person_id)) is not None:
            self._drop(told.uid, keep=frozenset())
            return
        numbers = frozenset(each.number for each in told.references)
        self._drop(told.uid, keep=numbers)
        there = set(tx.scalars(select(team_reference.c.number).where(team_reference.c.uid == told.uid)))
        fresh = [each for each in told.references if each.number not in there]
        for face_id, each in zip(_reserved(tx, len(fresh), self._now), fresh, strict=True):
            values = each.model_dump(exclude={"vector"}) | {"vector": each.content}
            tx.execute(insert(team_reference).values(id=face_id, uid=told.uid, embedder=embedder, **values))
            self._faces.add(face_id)

    def end(self, uid: str) -> int | None:
        """A person is no longer shared. Returns the number of deleted face prints; None if they were unknown."""
        tx, known = self._tx, self._row(uid)
        if known is None:
            return None
        gone, person_id = self._drop(uid, keep=frozenset()), known.person_id
        tx.execute(delete(team_outbox).where(team_outbox.c.person_uid == uid, team_outbox.c.kind == team_people_queries.RENAME))
        if person_id is None:
            return gone
        self._people.add(person_id)
        if known.merged is not None or tx.scalar(self._others(person_id, uid)) is not None:  # one with someone else here
            tx.execute(update(team_person).where(team_person.c.uid == uid).values(agreed=0))
            return gone
        if known.made and not is_confirmed(tx, person_id):
            # Their faces are to be identified again, which can't be found afterwards.
            self._faces |= set(tx.scalars(select(identity.c.face_id).where(identity.c.person_id == person_id)))
            undo_log.erase(tx, [person_id])
            tx.execute(delete(person).where(person.c.id == person_id))
        if not known.refused and not (known.made and is_confirmed(tx, person_id)):
            tx.execute(delete(team_person).where(team_person.c.uid == uid))
        return gone

    def begin_anew(self, uid: str) -> None:
        """The server tells of everyone again: nothing counts that it told before. A name given here that is not sent or settled stays."""
        named = team_outbox.c.person_uid == uid, team_outbox.c.kind == team_people_queries.RENAME
        if self._tx.scalar(select(team_outbox.c.id).where(*named).limit(1)) is None:
            self.end(uid)
        else:
            self._drop(uid, keep=frozenset())

    def part(self, uid: str) -> None:
        """Forget that someone of the team was made one with someone else here."""
        self._drop(uid, keep=frozenset())
        self._tx.execute(delete(team_person).where(team_person.c.uid == uid))

    def corrected(self, step: EditStep) -> None:
        """Faces that got another name."""
        self._faces |= step.faces
        self._people |= step.people

    def close(self) -> tuple[EditStep, list[StoredEvent]]:
        tx = self._tx
        if not self._faces and not self._people:
            return EditStep("describe", 0), []
        if self._deleted:
            set_flag(tx, BACKUPS_HOLD_PURGED)
        consent_queries.follow(tx, self._now)
        set_flag(tx, IN_DOUBT)
        step = EditStep("describe", len(self._people), frozenset(self._faces), frozenset(self._people))
        return step, [event_rows.record(tx, PeopleChanged(action="team"), self._now)]

    def _others(self, person_id: int, uid: str) -> Select[str]:
        """Other random ids of that person, after a merge here."""
        return select(team_person.c.uid).where(team_person.c.person_id == person_id, team_person.c.uid != uid).limit(1)

    def _row(self, uid: str) -> Any:
        return self._tx.execute(select(team_person).where(team_person.c.uid == uid)).one_or_none()

    def _begin(self, told: SharedPerson) -> int:
        """Link the person of that name, or make one."""
        tx = self._tx
        found = tx.scalar(select(person.c.id).where(person.c.name == told.name))
        made = found is None
        person_id = found if found is not None else edit_queries.make_person(tx, told.name, self._now)
        values = {
            "person_id": person_id,
            "name": told.name,
            "shown": told.name,
            "made": int(made),
            "refused": 0,
            "own": told.name,
            "agreed": 1,
        }
        tx.execute(delete(team_person).where(team_person.c.uid == told.uid))
        tx.execute(insert(team_person).values(uid=told.uid, **values))
        return person_id

    def _rename(self, told: SharedPerson, person_id: int) -> None:
        """Take the team's name, unless another one was given here that is not sent or settled yet."""
        tx, mine = self._tx, team_person.c.uid == told.uid
        tx.execute(update(team_person).where(mine).values(name=told.name))
        if tx.scalar(select(team_person.c.merged).where(mine)) is not None:
            return  # they are someone else here
        own = select(team_outbox).where(team_outbox.c.person_uid == told.uid, team_outbox.c.kind == team_people_queries.RENAME)
        waiting = tx.execute(own).all()
        for row in waiting:
            if row.conflict is None:
                continue
            if row.content["name"] == told.name:
                tx.execute(delete(team_outbox).where(team_outbox.c.id == row.id))
            else:
                tx.execute(update(team_outbox).where(team_outbox.c.id == row.id).values(conflict={**row.conflict, "name": told.name}))
        if waiting:
            return
        name = free_name(tx, told.name, person_id)
        tx.execute(update(person).where(person.c.id == person_id).values(name=name))
        tx.execute(update(team_person).where(mine).values(shown=name))

    def _note_unsent(self, told: SharedPerson) -> None:
        """Note beside a name that is being sent that the team told another one meanwhile: before or after, only the team knows."""
        unsent = team_outbox.c.person_uid == told.uid, team_outbox.c.kind == team_people_queries.RENAME, team_outbox.c.conflict.is_(None)
        for row in self._tx.execute(select(team_outbox.c.id, team_outbox.c.content).where(*unsent)).all():
            self._tx.execute(
                update(team_outbox).where(team_outbox.c.id == row.id).values(content={**row.content, team_people_queries.TOLD: told.name})
            )

    def _drop(self, uid: str, *, keep: Collection[int]) -> int:
        """Delete a person's face prints but for those of these numbers."""
        rows = self._tx.execute(select(team_reference.c.id, team_reference.c.number).where(team_reference.c.uid == uid)).all()
        gone = [row.id for row in rows if row.number not in keep]
        if gone:
            # What was recognised by them can't be found once the matcher has dropped them.
            theirs = select(identity.c.face_id).join(team_person, team_person.c.person_id == identity.c.person_id)
            theirs = theirs.where(team_person.c.uid == uid, identity.c.certainty != Certainty.CONFIRMED)
            self._faces |= {*gone, *self._tx.scalars(theirs)}
            self._tx.execute(delete(team_reference).where(team_reference.c.id.in_(gone)))
            self._deleted = True
        return len(gone)


def is_confirmed(tx: Connection, person_id: int) -> bool:
    """Return whether the user gave the person's name to a face here."""
    theirs = select(identity.c.face_id).where(identity.c.person_id == person_id, identity.c.certainty == Certainty.CONFIRMED)
    return tx.scalar(theirs.limit(1)) is not None


def _reserved(tx: Connection, count: int, now: datetime) -> list[int]:
    """Return ids that no face has or will have: faces of a photo that is deleted at once, whose ids are never used again."""
    if not count:
        return []
    texts, sizes, times = ("sha256", "format", "detector", "precision"), ("size", "width", "height"), ("decode", "detect", "align", "embed")
    no_photo: dict[str, Any] = dict.fromkeys(texts, "") | dict.fromkeys(sizes, 0) | {f"ms_{each}": 0.0 for each in times}
    no_photo |= {"indexed_at": now, "taken_at": now.replace(tzinfo=None)}
    image_id = add(tx, image, no_photo)
    no_face: dict[str, Any] = dict.fromkeys(("x", "y", "w", "h", "score", "size", "sharpness", "yaw", "roll"), 0.0) | {"landmarks": []}
    found = [add(tx, face, no_face | {"image_id": image_id, "ordinal": each}) for each in range(count)]
    tx.execute(delete(image).where(image.c.id == image_id))
    return found
