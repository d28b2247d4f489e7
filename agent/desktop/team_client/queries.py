"""What came from the team, in the library: each query is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from agent.desktop.team_client import name_corrections, synced_face_queries, team_upload_queries
from agent.desktop.team_client.people_sync import PeopleSync, is_confirmed
from agent.desktop.team_client.photo_queries import REFUSED
from agent.desktop.team_client.records import Figures, Left, Link, TeamConflict, TeamCorrection
from agent.desktop.team_client.synced_face_queries import Keep
from agent.domain.consent import ConsentState, Purpose
from agent.domain.edits import DescribePersonEdit, EditStep
from agent.domain.errors import StoreError
from agent.domain.events import StoredEvent
from agent.features.consent.queries import ConsentQueries
from agent.features.library.queries import identity_queries
from agent.features.people.editor import IN_DOUBT
from agent.features.people.queries import consent_queries, edit_queries, team_face_queries, team_people_queries
from agent.features.people.queries.people_queries import concluded
from agent.infrastructure.store import audit_log, undo_log
from agent.infrastructure.store.facts import free_name
from agent.infrastructure.store.flags import BACKUPS_HOLD_PURGED, set_flag
from agent.infrastructure.store.schema import (
    audit,
    consent,
    face,
    person,
    team_face,
    team_link,
    team_outbox,
    team_person,
    team_photo,
    team_reference,
    team_upload,
)
from agent.interfaces.web.desk_exchange import (
    FACE_KINDS,
    MOST_ENTRIES,
    DeskOperation,
    DeskResult,
    FaceNamed,
    PeoplePage,
    Sharing,
    lost_something,
)

ENDED: Final = "team_ended"
_TOLD: Final = timedelta(days=30)
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

    def move(self, uid: str, address: str, *, now: datetime) -> bool:
        """Note that the server is at another address; False if it was left."""
        with self.database.write(durable=True) as tx:
            if not tx.execute(update(team_link).where(team_link.c.uid == uid).values(address=address)).rowcount:
                return False
            audit_log.add(tx, "team_moved", None, 1, now)
            return True

    def trust(self, uid: str, authority: str, fingerprint: str, *, now: datetime) -> bool:
        """Note by what the server is trusted from now on; False if it was left."""
        with self.database.write(durable=True) as tx:
            wanted = update(team_link).where(team_link.c.uid == uid).values(authority=authority, fingerprint=fingerprint)
            if not tx.execute(wanted).rowcount:
                return False
            audit_log.add(tx, "team_trust_changed", None, 1, now)
            return True

    def figures(self) -> Figures:
        with self.database.read() as tx:
            return Figures(
                tx.scalar(select(func.count()).select_from(team_person).where(team_person.c.person_id.is_not(None))) or 0,
                tx.scalar(select(func.count()).select_from(team_reference)) or 0,
                tx.scalar(select(func.count()).select_from(team_outbox).where(team_outbox.c.conflict.is_(None))) or 0,
                _unsent(tx),
            )

    # -- people come down --------------------------------------------------------------------------------------------------------
    def people_withdrawn(self, uids: Collection[str]) -> dict[str, tuple[int, int]]:
        """Return those of these people who stay here by faces of their own, each with the number of the team's prints."""
        held = select(func.count()).where(team_reference.c.uid == team_person.c.uid).scalar_subquery()
        there = select(team_person.c.uid, team_person.c.person_id, team_person.c.made, held.label("held"))
        there = there.where(team_person.c.uid.in_(list(uids)), team_person.c.person_id.is_not(None))
        with self.database.read() as tx:
            return {row.uid: (row.person_id, row.held) for row in tx.execute(there) if not row.made or is_confirmed(tx, row.person_id)}

    def people_returned(self, uids: Collection[str], document: str) -> list[int]:
        """Return those of these people who are not recognised here because they had withdrawn at the team."""
        with self.database.read() as tx:
            rows = select(person.c.id, person.c.uid).join(team_person, team_person.c.person_id == person.c.id)
            found = tx.execute(rows.where(team_person.c.uid.in_(list(uids)), person.c.lapsed_at.is_not(None))).all()
            last = {row.id: consent_queries.latest(consent_queries.history(tx, [row.uid])).get(Purpose.RECOGNISE) for row in found}
            return [
                each
                for each, entry in last.items()
                if entry is not None and entry.consent.state is ConsentState.WITHDRAWN and entry.consent.document == document
            ]

    def take(self, page: PeoplePage, deleted: Mapping[str, int], *, now: datetime) -> tuple[EditStep, list[StoredEvent]]:
        """Write what the team's server told. `deleted` counts prints of withdrawn people that are gone already."""
        with self.database.write(durable=True) as tx:
            if tx.scalar(select(team_link.c.id)) is None:  # left meanwhile
                return EditStep("describe", 0), []
            sync = PeopleSync(tx, now)
            if page.reset:
                tx.execute(delete(team_photo).where(team_photo.c.state == REFUSED))  # they may be within reach now
                before = tx.scalar(select(team_link.c.generation))
                if before and lost_something(before, page):
                    team_face_queries.tell_again(tx)
                    team_upload_queries.ask_again(tx)
                for uid in tx.scalars(select(team_person.c.uid).where(team_person.c.refused == 0)).all():
                    sync.begin_anew(uid)
            for each in page.people:
                if each.state is Sharing.SHARED:
                    sync.shared(each, page.embedder)
                elif (gone := sync.end(each.uid)) is not None and each.state is Sharing.WITHDRAWN:
                    team_people_queries.send(tx, team_people_queries.RECEIPT, each.uid, {"deleted": gone + deleted.get(each.uid, 0)}, now)
            tx.execute(update(team_link).values(generation=page.generation, cursor=page.cursor))
            for step in name_corrections.correct(tx, page.faces, now):
                sync.corrected(step)
            team_face_queries.note_prints(tx, [each.uid for each in page.people if each.state is Sharing.SHARED], now)
            return sync.close()

    def ready(self, told: Sequence[FaceNamed]) -> tuple[FaceNamed, ...]:
        """Return the faces whose names of the team can be taken now."""
        with self.database.read() as tx:
            return name_corrections.ready(tx, told)

    def corrections(self, *, now: datetime) -> list[TeamCorrection]:
        with self.database.read() as tx:
            return name_corrections.shown(tx, now)

    # -- names go up -------------------------------------------------------------------------------------------------------------
    def outbox(self) -> list[DeskOperation]:
        """Return what is to be sent, in order."""
        waiting = select(team_outbox).where(team_outbox.c.conflict.is_(None)).order_by(team_outbox.c.id).limit(MOST_ENTRIES)
        with self.database.read() as tx:
            return synced_face_queries.operations(tx, list(tx.execute(waiting)))

    def answered(self, results: Sequence[DeskResult]) -> None:
        """Write what the server answered to what was sent."""
        with self.database.write(durable=True) as tx:
            for each in results:
                sent = tx.execute(select(team_outbox).where(team_outbox.c.uid == each.uid)).one_or_none()
                if sent is None:
                    continue
                if each.state in ("conflict", "taken"):
                    note = synced_face_queries.conflicted if sent.kind in FACE_KINDS else _note_conflict
                    note(tx, sent, each)
                    continue
                tx.execute(delete(team_outbox).where(team_outbox.c.id == sent.id))
                if sent.kind in FACE_KINDS:
                    synced_face_queries.answered(tx, sent, each)
                elif each.state == "done" and sent.kind == team_people_queries.RENAME:
                    tx.execute(update(team_person).where(team_person.c.uid == sent.person_uid).values(name=each.name))
                    if sent.content.get(team_people_queries.TOLD, each.name) != each.name:
                        tx.execute(update(team_link).values(generation=0))  # everything is asked for again

    def conflicts(self) -> list[TeamConflict]:
        waiting = select(team_outbox).where(team_outbox.c.conflict.is_not(None)).order_by(team_outbox.c.id)
        with self.database.read() as tx:
            return [_conflict(tx, row) for row in tx.execute(waiting).all()]

    def settle(self, uid: str, keep: Keep, *, now: datetime) -> tuple[EditStep, list[StoredEvent]] | None:
        """Settle a conflict: send what was said here once more, or take the team's. None if there is none."""
        with self.database.write(durable=True) as tx:
            row = tx.execute(select(team_outbox).where(team_outbox.c.uid == uid, team_outbox.c.conflict.is_not(None))).one_or_none()
            if row is None:
                return None
            never = identity_queries.never_recognised(tx)
            tx.execute(delete(team_outbox).where(team_outbox.c.id == row.id))
            settle = synced_face_queries.settled if row.kind in FACE_KINDS else _settled
            step = settle(tx, row, keep, now)
            return (EditStep("describe", 0), []) if step is None else (step, concluded(tx, step, never, now, IN_DOUBT))

    # -- leaving -----------------------------------------------------------------------------------------------------------------
    def leave(self, *, ended: bool = False, now: datetime) -> tuple[EditStep, list[StoredEvent], Left | None]:
        """Delete all that came from the team. `ended`: it was the server that ended it."""
        with self.database.write(durable=True) as tx:
            server = tx.scalar(select(team_link.c.name))
            if server is None:
                return EditStep("describe", 0), [], None
            sync = PeopleSync(tx, now)
            for uid in tx.scalars(select(team_person.c.uid).where(team_person.c.merged.is_not(None))).all():
                sync.part(uid)
            rows = tx.execute(select(team_person)).all()
            unsent = _unsent(tx)
            prints = sum(sync.end(row.uid) or 0 for row in rows)
            there = set(tx.scalars(select(person.c.id)))
            kept = {row.person_id for row in rows} & there
            for row in rows:
                if row.person_id in kept and not row.made:
                    _own_name_again(tx, row.person_id, row.shown, row.own)
            undo_log.erase(tx, kept)
            tx.execute(update(consent).where(consent.c.document == server).values(document=""))
            for table in (team_outbox, team_reference, team_person, team_face, team_photo, team_upload, team_link):
                tx.execute(delete(table))
            audit_log.add(tx, "team_left", None, prints, now)
            if ended:
                audit_log.add(tx, ENDED, None, unsent, now)
            set_flag(tx, BACKUPS_HOLD_PURGED)
            step, events = sync.close()
        with suppress(StoreError):  # deleted and overwritten already, see `forget_person`
            self.database.compact()
        return step, events, Left(server, now, len([row for row in rows if row.person_id is not None]), prints, len(kept), unsent)

    def ended(self, *, now: datetime) -> int | None:
        """Return how much was not sent when the server ended the last membership; None if it didn't, or if that is long ago."""
        entries = select(audit.c.action, audit.c.number).where(audit.c.action.in_(("team_joined", "team_left", ENDED)))
        with self.database.read() as tx:
            last = tx.execute(entries.where(audit.c.at > now - _TOLD).order_by(audit.c.id.desc()).limit(1)).one_or_none()
            return None if last is None or last.action != ENDED else last.number


def _unsent(tx: Connection) -> int:
    """Return how much was said here that the team does not have."""
    return tx.scalar(select(func.count()).select_from(team_outbox).where(team_outbox.c.kind != team_people_queries.RECEIPT)) or 0


def _settled(tx: Connection, row: Any, keep: Keep, now: datetime) -> EditStep | None:
    """Settle a conflict of two names of a person."""
    theirs = row.conflict["name"]
    tx.execute(update(team_person).where(team_person.c.uid == row.person_uid).values(name=theirs))
    if keep == "mine":
        team_people_queries.send(tx, team_people_queries.RENAME, row.person_uid, {"base": theirs, "name": row.content["name"]}, now)
        return None
    person_id = tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == row.person_uid))
    if person_id is None:
        return None
    name = free_name(tx, theirs, person_id)
    tx.execute(update(team_person).where(team_person.c.uid == row.person_uid).values(shown=name))
    return edit_queries.edit(tx, DescribePersonEdit(person_id=person_id, name=name), now)


def _conflict(tx: Connection, row: Any) -> TeamConflict:
    said, of_face = row.conflict, row.kind in FACE_KINDS
    face_id = synced_face_queries.local(tx, row.content["face"]) if of_face else None
    mine = row.content.get("name", "")
    return TeamConflict(
        row.uid,
        tx.scalar(select(team_person.c.person_id).where(team_person.c.uid == row.person_uid)),
        (team_face_queries.name_of(tx, row.person_uid) or mine) if row.kind == team_face_queries.NAME else mine,
        said["name"],
        said["by"],
        None if said["at"] is None else datetime.fromisoformat(said["at"]),
        said["reason"],
        face_id,
        None if face_id is None else tx.scalar(select(face.c.image_id).where(face.c.id == face_id)),
    )


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
