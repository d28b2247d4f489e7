"""What came from the team, in the library: each query is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, Select, delete, func, insert, select, update

from agent.consent.queries import ConsentQueries
from agent.domain.consent import Consent, ConsentState, Purpose
from agent.domain.edits import DescribePersonEdit, EditStep
from agent.domain.errors import StoreError
from agent.domain.events import PeopleChanged, Recorded
from agent.domain.people import Certainty
from agent.library.queries import identity_rows
from agent.people.naming import IN_DOUBT
from agent.people.queries import consent_rows, edit_rows, team_face_rows, team_rows
from agent.people.queries.people_queries import BACKUPS_HOLD_PURGED, concluded
from agent.store import audit_log, event_rows, journal
from agent.store.facts import free_name
from agent.store.rows import add, take_note
from agent.store.schema import (
    consent,
    face,
    identity,
    image,
    person,
    team_face,
    team_link,
    team_outbox,
    team_person,
    team_photo,
    team_reference,
)
from agent.team import face_queries
from agent.team.face_queries import Keep
from agent.team.records import Conflict, Figures, Left, Link
from agent.web.desk_exchange import FACE_KINDS, MOST_ENTRIES, DeskOperation, DeskResult, PeoplePage, SharedPerson, Sharing

_LINK: Final = tuple(column for column in team_link.c if column.name not in ("id", "joined_at"))


class TeamQueries(ConsentQueries):
    def link(self) -> Link | None:
        """Return the server that was joined."""
        with self.database.read() as tx:
            row = tx.execute(select(*_LINK)).mappings().one_or_none()
            return None if row is None else Link(**{**row, "may_name": bool(row["may_name"])})

    def join(self, link: Link, *, now: datetime) -> None:
        with self.database.write(durable=True) as tx:
            values = {column.name: getattr(link, column.name) for column in _LINK}
            tx.execute(insert(team_link).values(id=1, joined_at=now, **values | {"may_name": int(link.may_name)}))
            audit_log.add(tx, "team_joined", None, 1, now)

    def figures(self) -> Figures:
        with self.database.read() as tx:
            return Figures(
                tx.scalar(select(func.count()).select_from(team_person).where(team_person.c.person_id.is_not(None))) or 0,
                tx.scalar(select(func.count()).select_from(team_reference)) or 0,
                tx.scalar(select(func.count()).select_from(team_outbox).where(team_outbox.c.conflict.is_(None))) or 0,
            )

    # -- people come down --------------------------------------------------------------------------------------------------------
    def people_withdrawn(self, uids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return those of these people who stay here by faces of their own, each with the number of the team's prints."""
        held = select(func.count()).where(team_reference.c.uid == team_person.c.uid).scalar_subquery()
        there = select(team_person.c.uid, team_person.c.person_id, team_person.c.made, held.label("held"))
        there = there.where(team_person.c.uid.in_(list(uids)), team_person.c.person_id.is_not(None))
        with self.database.read() as tx:
            return {row.uid: (row.person_id, row.held) for row in tx.execute(there) if not row.made or _is_confirmed(tx, row.person_id)}

    def people_returned(self, uids: Collection[str], document: str) -> list[int]:
        """Return those of these people who are not recognised here because they had withdrawn at the team."""
        with self.database.read() as tx:
            rows = select(person.c.id, person.c.uid).join(team_person, team_person.c.person_id == person.c.id)
            found = tx.execute(rows.where(team_person.c.uid.in_(list(uids)), person.c.lapsed_at.is_not(None))).all()
            last = {row.id: consent_rows.latest(consent_rows.history(tx, [row.uid])).get(Purpose.RECOGNISE) for row in found}
            return [
                each
                for each, entry in last.items()
                if entry is not None and entry.consent.state is ConsentState.WITHDRAWN and entry.consent.document == document
            ]

    def take(self, page: PeoplePage, deleted: Mapping[str, int], *, now: datetime) -> tuple[EditStep, list[Recorded]]:
        """Write what the team's server told. `deleted` counts prints of withdrawn people that are gone already."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(team_link.c.id)) is None:  # left meanwhile
                return EditStep("describe", 0), []
            taking = _Taking(tx, now)
            if page.reset:
                for uid in tx.scalars(select(team_person.c.uid).where(team_person.c.refused == 0)).all():
                    taking.end(uid)
            for each in page.people:
                if each.state is Sharing.SHARED:
                    taking.shared(each, page.embedder)
                elif (gone := taking.end(each.uid)) is not None and each.state is Sharing.WITHDRAWN:
                    team_rows.send(tx, team_rows.RECEIPT, each.uid, {"deleted": gone + deleted.get(each.uid, 0)}, now)
            tx.execute(update(team_link).values(generation=page.generation, cursor=page.cursor))
            team_face_rows.note_prints(tx, [each.uid for each in page.people if each.state is Sharing.SHARED], now)
            return taking.close()

    # -- names go up -------------------------------------------------------------------------------------------------------------
    def outbox(self) -> list[DeskOperation]:
        """Return what is to be sent, in order."""
        waiting = select(team_outbox).where(team_outbox.c.conflict.is_(None)).order_by(team_outbox.c.id).limit(MOST_ENTRIES)
        with self.database.read() as tx:
            return face_queries.operations(tx, list(tx.execute(waiting)))

    def answered(self, results: Sequence[DeskResult]) -> None:
        """Write what the server answered to what was sent."""
        with self.database.write(durable=True) as tx:
            for each in results:
                sent = tx.execute(select(team_outbox).where(team_outbox.c.uid == each.uid)).one_or_none()
                if sent is None:
                    continue
                if each.state in ("conflict", "taken"):
                    note = face_queries.conflicted if sent.kind in FACE_KINDS else _note_conflict
                    note(tx, sent, each)
                    continue
                tx.execute(delete(team_outbox).where(team_outbox.c.id == sent.id))
                if sent.kind in FACE_KINDS:
                    face_queries.answered(tx, sent, each)
                elif each.state == "done" and sent.kind == team_rows.RENAME:
                    tx.execute(update(team_person).where(team_person.c.uid == sent.person_uid).values(name=each.name))

    def conflicts(self) -> list[Conflict]:
        waiting = select(team_outbox).where(team_outbox.c.conflict.is_not(None)).order_by(team_outbox.c.id)
        with self.database.read() as tx:
            return [_conflict(tx, row) for row in tx.execute(waiting).all()]

    def settle(self, uid: str, keep: Keep, *, now: datetime) -> tuple[EditStep, list[Recorded]] | None:
        """Settle a conflict: send what was said here once more, or take the team's. None if there is none."""
        with self.database.write(durable=True) as tx:
            row = tx.execute(select(team_outbox).where(team_outbox.c.uid == uid, team_outbox.c.conflict.is_not(None))).one_or_none()
            if row is None:
                return None
            never = identity_rows.never_recognised(tx)
            tx.execute(delete(team_outbox).where(team_outbox.c.id == row.id))
            settle = face_queries.settled if row.kind in FACE_KINDS else _settled
            step = settle(tx, row, keep, now)
            return (EditStep("describe", 0), []) if step is None else (step, concluded(tx, step, never, now, IN_DOUBT))

    # -- leaving -----------------------------------------------------------------------------------------------------------------
    def leave(self, *, now: datetime) -> tuple[EditStep, list[Recorded], Left | None]:
        """Delete all that came from the team."""
        with self.database.write(durable=True) as tx:
            server = tx.scalar(select(team_link.c.name))
            if server is None:
                return EditStep("describe", 0), [], None
            taking = _Taking(tx, now)
            for uid in tx.scalars(select(team_person.c.uid).where(team_person.c.merged.is_not(None))).all():
                taking.part(uid)
            rows = tx.execute(select(team_person)).all()
            unsent = tx.scalar(select(func.count()).select_from(team_outbox).where(team_outbox.c.kind == team_rows.RENAME)) or 0
            prints = sum(taking.end(row.uid) or 0 for row in rows)
            there = set(tx.scalars(select(person.c.id)))
            kept = {row.person_id for row in rows} & there
            for row in rows:
                if row.person_id in kept and not row.made:
                    _own_name_again(tx, row.person_id, row.shown, row.own)
            journal.erase(tx, kept)
            tx.execute(update(consent).where(consent.c.document == server).values(document=""))
            for table in (team_outbox, team_reference, team_person, team_face, team_photo, team_link):
                tx.execute(delete(table))
            audit_log.add(tx, "team_left", None, prints, now)
            take_note(tx, BACKUPS_HOLD_PURGED)
            step, events = taking.close()
        with suppress(StoreError):  # deleted and overwritten already, see `forget_person`
            self.database.compact()
        return step, events, Left(server, now, len([row for row in rows if row.person_id is not None]), prints, len(kept), unsent)


class _Taking:
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
        elif known is not None and known.name != told.name:
            self._rename(told, person_id)
        tx.execute(update(team_person).where(team_person.c.uid == told.uid).values(agreed=1))
        self._people.add(person_id)
        self._faces |= face_queries.take_rejections(tx, told, person_id, self._now)
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
        tx.execute(delete(team_outbox).where(team_outbox.c.person_uid == uid, team_outbox.c.kind == team_rows.RENAME))
        if person_id is None:
            return gone
        self._people.add(person_id)
        if known.merged is not None or tx.scalar(self._others(person_id, uid)) is not None:  # one with someone else here
            tx.execute(update(team_person).where(team_person.c.uid == uid).values(agreed=0))
            return gone
        if known.made and not _is_confirmed(tx, person_id):
            # Their faces are to be identified again, which can't be found afterwards.
            self._faces |= set(tx.scalars(select(identity.c.face_id).where(identity.c.person_id == person_id)))
            journal.erase(tx, [person_id])
            tx.execute(delete(person).where(person.c.id == person_id))
        if not known.refused and not (known.made and _is_confirmed(tx, person_id)):
            tx.execute(delete(team_person).where(team_person.c.uid == uid))
        return gone

    def part(self, uid: str) -> None:
        """Forget that someone of the team was made one with someone else here."""
        self._drop(uid, keep=frozenset())
        self._tx.execute(delete(team_person).where(team_person.c.uid == uid))

    def close(self) -> tuple[EditStep, list[Recorded]]:
        tx = self._tx
        if not self._faces and not self._people:
            return EditStep("describe", 0), []
        if self._deleted:
            take_note(tx, BACKUPS_HOLD_PURGED)
        consent_rows.follow(tx, self._now)
        take_note(tx, IN_DOUBT)
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
        person_id = found if found is not None else edit_rows.make_person(tx, told.name, self._now)
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
        own = select(team_outbox).where(team_outbox.c.person_uid == told.uid, team_outbox.c.kind == team_rows.RENAME)
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


def _settled(tx: Connection, row: Any, keep: Keep, now: datetime) -> EditStep | None:
    """Settle a conflict of two names of a person."""
    theirs = row.conflict["name"]
    tx.execute(update(team_person).where(team_person.c.uid == row.person_uid).values(name=theirs))
    if keep == "mine":
        team_rows.send(tx, team_rows.RENAME, row.person_uid, {"base": theirs, "name": row.content["name"]}, now)
        return None
    person_id = tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == row.person_uid))
    if person_id is None:
        return None
    name = free_name(tx, theirs, person_id)
    tx.execute(update(team_person).where(team_person.c.uid == row.person_uid).values(shown=name))
    return edit_rows.edit(tx, DescribePersonEdit(person_id=person_id, name=name), now)


def _conflict(tx: Connection, row: Any) -> Conflict:
    said, of_face = row.conflict, row.kind in FACE_KINDS
    face_id = face_queries.local(tx, row.content["face"]) if of_face else None
    mine = row.content.get("name", "")
    return Conflict(
        row.uid,
        tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == row.person_uid)),
        (face_queries.name_of(tx, row.person_uid) or mine) if row.kind == team_face_rows.NAME else mine,
        said["name"],
        said["by"],
        None if said["at"] is None else datetime.fromisoformat(said["at"]),
        said["reason"],
        face_id,
        None if face_id is None else tx.scalar(select(face.c.image_id).where(face.c.id == face_id)),
    )


def withdrawn(document: str, on: datetime) -> Consent:
    """What someone said at the team, to be entered here."""
    return Consent(purpose=Purpose.RECOGNISE, state=ConsentState.WITHDRAWN, given_on=consent_rows.day_of(on), document=document)


def _is_confirmed(tx: Connection, person_id: int) -> bool:
    """Return whether the user gave the person's name to a face here."""
    theirs = select(identity.c.face_id).where(identity.c.person_id == person_id, identity.c.certainty == Certainty.CONFIRMED)
    return tx.scalar(theirs.limit(1)) is not None


def _own_name_again(tx: Connection, person_id: int, shown: str, own: str) -> None:
    """A person who was here before gets back the name of then, if the team changed it."""
    if own and own != shown and tx.scalar(select(person.c.name).where(person.c.id == person_id)) == shown:
        tx.execute(update(person).where(person.c.id == person_id).values(name=free_name(tx, own, person_id)))


def _note_conflict(tx: Connection, sent: Any, answer: DeskResult) -> None:
    """One conflict for each person: of several names given here, the last counts."""
    earlier = tx.execute(
        select(team_outbox).where(team_outbox.c.person_uid == sent.person_uid, team_outbox.c.conflict.is_not(None))
    ).one_or_none()
    if earlier is not None:
        tx.execute(delete(team_outbox).where(team_outbox.c.id == sent.id))
        tx.execute(
            update(team_outbox).where(team_outbox.c.id == earlier.id).values(content={**earlier.content, "name": sent.content["name"]})
        )
        return
    said = {"name": answer.name, "by": answer.by, "at": answer.at and answer.at.isoformat(), "reason": answer.state}
    tx.execute(update(team_outbox).where(team_outbox.c.id == sent.id).values(conflict=said))


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
