"""What desktop agents are told of people, in an order that they can follow, and what they sent."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select

from agent.core.actor import actor
from agent.core.reach import current_reach
from agent.domain.consent import Purpose
from agent.domain.edits import DescribePersonEdit, EditStep
from agent.domain.errors import NameEmpty, NameTaken
from agent.domain.events import Recorded
from agent.domain.face import Quality
from agent.domain.people import Certainty, trust
from agent.library.queries import identity_rows
from agent.library.recipes import EMBEDDER
from agent.people.queries import consent_rows, edit_rows
from agent.people.queries.people_queries import PeopleQueries, concluded
from agent.store import audit_log
from agent.store.facts import chunks
from agent.store.rows import add
from agent.store.schema import audit, desk_feed, desk_operation, embedding, face, identity, member, meta, person, undo, undo_person
from agent.web.desk_exchange import (
    MOST_ENTRIES,
    MOST_REFERENCES,
    DeskOperation,
    DeskResult,
    PeoplePage,
    SharedPerson,
    SharedReference,
    Sharing,
)

GENERATION: Final = "desk_generation"
_KEPT: Final = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class _Shared:
    """A person as told: the numbers of the face prints stand for them."""

    person_id: int
    name: str
    faces: tuple[int, ...]

    def digest(self, key: bytes) -> str:
        """With a key, so that no name can be guessed from it."""
        return hmac.digest(key, json.dumps([self.name, self.faces, EMBEDDER]).encode(), "sha256").hex()


class DeskQueries(PeopleQueries):
    def renew_feed(self, *, now: datetime) -> None:
        """Number what has changed since the last time."""
        with self.database.read() as tx:
            if _generation(tx) is not None and not _changes(tx, self._key(), now):
                return
        with self.database.write(durable=True) as tx:
            if _generation(tx) is None:
                tx.execute(insert(meta).values(name=GENERATION, value=secrets.randbits(62)))
            for uid, (state, digest) in _changes(tx, self._key(), now).items():
                tx.execute(delete(desk_feed).where(desk_feed.c.person_uid == uid))
                add(tx, desk_feed, {"person_uid": uid, "state": state, "digest": digest})
            tx.execute(delete(desk_operation).where(desk_operation.c.at < now - _KEPT))

    def feed(self, generation: int, after: int, *, now: datetime) -> PeoplePage:
        """Return what is numbered higher than `after`, of that generation; everything if it is another or is not that far."""
        with self.database.read() as tx:
            current, newest = _within_reach(_generation(tx) or 0), tx.scalar(select(func.max(desk_feed.c.id))) or 0
            reset = generation != current or after > newest
            after = 0 if reset else after
            rows = tx.execute(select(desk_feed).where(desk_feed.c.id > after).order_by(desk_feed.c.id).limit(MOST_ENTRIES + 1)).all()
            page, more = rows[:MOST_ENTRIES], len(rows) > MOST_ENTRIES
            # Read anew: those who no longer agree since the numbers were given are not told.
            shared = _shared(tx, now)
            told = tuple(
                _told(tx, row.person_uid, Sharing(row.state), shared.get(row.person_uid))
                for row in page
                if row.state != Sharing.SHARED or row.person_uid in shared  # otherwise its next number follows
            )
            cursor = page[-1].id if page else after
            return PeoplePage(generation=current, cursor=cursor, embedder=EMBEDDER, reset=reset, more=more, people=told)

    def _key(self) -> bytes:
        return self.database.key_for(b"desk feed")

    def joined(self, computer_scopes: Collection[str], member_id: str, *, now: datetime) -> None:
        """Record that a desktop joined."""
        with self.database.write(durable=True) as tx:
            audit_log.add(tx, "desk_joined", member_id, len(computer_scopes), now)

    def left(self, member_id: str, *, now: datetime) -> None:
        with self.database.write(durable=True) as tx:
            audit_log.add(tx, "desk_left", member_id, 1, now)

    def operate(self, asked: DeskOperation, *, may_name: bool, now: datetime, note: str) -> tuple[DeskResult, EditStep, list[Recorded]]:
        """Do what was done at a desk, once; the same answer if it was done before."""
        nothing = EditStep("describe", 0)
        with self.database.write(durable=True) as tx:
            before = tx.scalar(select(desk_operation.c.answer).where(desk_operation.c.uid == asked.uid))
            if before is not None:
                return DeskResult.model_validate(before), nothing, []
            step, events = nothing, list[Recorded]()
            if asked.kind == "receipt":
                audit_log.add(tx, "desk_deleted", asked.person_uid, asked.deleted, now)
                result = DeskResult(uid=asked.uid, state="done")
            elif not may_name:
                result = DeskResult(uid=asked.uid, state="refused")
            else:
                result, step, events = _rename(tx, asked, now, note)
            answer = result.model_dump(mode="json")
            tx.execute(insert(desk_operation).values(uid=asked.uid, actor=actor.get(), at=now, answer=answer))
            return result, step, events


def _rename(tx: Connection, asked: DeskOperation, now: datetime, note: str) -> tuple[DeskResult, EditStep, list[Recorded]]:
    nothing, uid = EditStep("describe", 0), asked.uid
    row = tx.execute(select(person.c.id, person.c.name).where(person.c.uid == asked.person_uid)).one_or_none()
    if row is None or asked.person_uid not in _shared(tx, now):
        return DeskResult(uid=uid, state="gone"), nothing, []
    if row.name == asked.name:
        return DeskResult(uid=uid, state="done", name=row.name), nothing, []
    if row.name != asked.base:
        return _conflict(tx, asked, row.id, row.name), nothing, []
    never = identity_rows.never_recognised(tx)
    try:
        step = edit_rows.edit(tx, DescribePersonEdit(person_id=row.id, name=asked.name), now)
    except (NameTaken, NameEmpty):  # before anything was written
        return DeskResult(uid=uid, state="taken", name=row.name), nothing, []
    audit_log.add(tx, "desk_renamed", asked.person_uid, 1, now)
    return DeskResult(uid=uid, state="done", name=asked.name), step, concluded(tx, step, never, now, note)


def _conflict(tx: Connection, asked: DeskOperation, person_id: int, name: str) -> DeskResult:
    """With who gave the present name, as far as the steps that can be undone tell."""
    steps = select(undo.c.at, undo.c.actor, undo.c.changes).join(undo_person, undo_person.c.undo_id == undo.c.id)
    steps = steps.where(undo_person.c.person_id == person_id, undo.c.undone_at.is_(None)).order_by(undo.c.id.desc()).limit(100)
    for at, who, changes in tx.execute(steps):
        if any(_names(change, person_id) for change in changes):
            by = tx.scalar(select(member.c.display_name).where(member.c.id == who)) or ""
            return DeskResult(uid=asked.uid, state="conflict", name=name, by=by, at=at)
    return DeskResult(uid=asked.uid, state="conflict", name=name)


def _names(change: Mapping[str, Any], person_id: int) -> bool:
    return change["fact"] in ("name", "person") and person_id in change["keys"]


def _generation(tx: Connection) -> int | None:
    return tx.scalar(select(meta.c.value).where(meta.c.name == GENERATION))


def _within_reach(generation: int) -> int:
    """Return another one for each set of libraries: a member who sees fewer or more of them begins anew."""
    reach = current_reach()
    if reach is None:
        return generation
    seen = f"{generation}:{sorted(reach.libraries)}:{reach.curates}"
    return int(hashlib.sha256(seen.encode()).hexdigest()[:15], 16)


def _shared(tx: Connection, now: datetime) -> dict[str, _Shared]:
    """Return who may be recognised at the desks, by random id: those within reach whose own consent to it is valid.

    The one place that decides.
    """
    agreed = consent_rows.agreed(tx, Purpose.RECOGNISE, now) - identity_rows.never_recognised(tx)
    quality = face.c.size, face.c.sharpness, face.c.yaw, face.c.roll, face.c.covered
    rows = tx.execute(
        select(person.c.id, person.c.uid, person.c.name, face.c.id.label("face_id"), *quality)
        .join_from(person, identity, identity.c.person_id == person.c.id)
        .join(face, face.c.id == identity.c.face_id)
        .join(embedding, embedding.c.face_id == face.c.id)
        .where(identity.c.certainty == Certainty.CONFIRMED, embedding.c.embedder == EMBEDDER, person.c.uid.is_not(None))
    )
    found: dict[tuple[int, str, str], list[tuple[float, int]]] = {}
    for row in rows:
        trusted = trust(Quality(row.size, row.sharpness, row.yaw, row.roll, row.covered))
        if row.id in agreed and trusted > 0:
            found.setdefault((row.id, row.uid, row.name), []).append((-trusted, row.face_id))
    return {
        uid: _Shared(person_id, name, tuple(sorted(face_id for _, face_id in sorted(faces)[:MOST_REFERENCES])))
        for (person_id, uid, name), faces in found.items()
    }


def _changes(tx: Connection, key: bytes, now: datetime) -> dict[str, tuple[Sharing, str]]:
    """Return what is not as it was numbered last: state and digest by person."""
    known = {row.person_uid: (Sharing(row.state), row.digest) for row in tx.execute(select(desk_feed))}
    current = {uid: (Sharing.SHARED, each.digest(key)) for uid, each in _shared(tx, now).items()}
    if known.keys() - current.keys():
        there = {row.uid: row.id for row in tx.execute(select(person.c.id, person.c.uid))}
        agreed = consent_rows.agreed(tx, Purpose.RECOGNISE, now) - identity_rows.never_recognised(tx)
        forgotten = set(tx.scalars(select(audit.c.subject).where(audit.c.action == "forgotten")))
        for uid in known.keys() - current.keys():
            withdrawn = uid in forgotten if uid not in there else there[uid] not in agreed
            current[uid] = (Sharing.WITHDRAWN if withdrawn else Sharing.GONE, "")
    return {uid: each for uid, each in current.items() if known.get(uid) != each}


def _told(tx: Connection, uid: str, state: Sharing, shared: _Shared | None) -> SharedPerson:
    if shared is None or state is not Sharing.SHARED:
        return SharedPerson(uid=uid, state=state)
    rows = [
        row
        for chunk in chunks(shared.faces)
        for row in tx.execute(
            select(face, embedding.c.vector).join(embedding, embedding.c.face_id == face.c.id).where(face.c.id.in_(chunk))
        ).mappings()
    ]
    references = tuple(
        SharedReference(
            number=row["id"],
            vector=base64.b64encode(row["vector"]).decode("ascii"),
            **asdict(Quality(row["size"], row["sharpness"], row["yaw"], row["roll"], row["covered"])),
        )
        for row in rows
    )
    return SharedPerson(uid=uid, state=state, name=shared.name, references=references)
