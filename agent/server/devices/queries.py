"""What desktop agents are told of people, in an order that they can follow, and what they sent."""

import base64
import hmac
import json
import secrets
from collections.abc import Collection
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from agent.domain import desk_path
from agent.domain.consent import Purpose
from agent.domain.edits import DescribePersonEdit, EditStep
from agent.domain.errors import NameEmpty, NameTaken, NothingToUndo
from agent.domain.events import PeopleChanged, StoredEvent
from agent.domain.face import Quality
from agent.domain.identity_matching import Certainty, trust
from agent.features.library.queries import identity_queries
from agent.features.library.recipes import EMBEDDER
from agent.features.people.queries import consent_queries, edit_queries, team_replies
from agent.features.people.queries.people_queries import PeopleQueries, concluded
from agent.infrastructure.core.access_scope import current_scope
from agent.infrastructure.core.actor import actor
from agent.infrastructure.store import audit_libraries, audit_log, event_rows
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import (
    audit,
    desk_feed,
    desk_operation,
    embedding,
    face,
    identity,
    image,
    meta,
    person,
    place,
    rejection,
)
from agent.interfaces.web.desk_exchange import (
    MOST_ENTRIES,
    MOST_REFERENCES,
    MOST_REJECTIONS,
    DeskOperation,
    DeskResult,
    FaceAt,
    PeoplePage,
    SharedPerson,
    SharedReference,
    Sharing,
    generation_within,
)
from agent.server.devices import operations as faces
from agent.server.devices import renames
from agent.server.devices.operations import NOTHING, Done, Known, said_by

GENERATION: Final = "desk_generation"
_KEPT: Final = timedelta(days=90)
_OURS: Final = frozenset({"token", team_replies.ABOUT})  # kept beside an answer


@dataclass(frozen=True, slots=True)
class _Shared:
    """A person as told: the numbers of the face prints stand for them."""

    name: str
    faces: tuple[int, ...]
    rejected: tuple[int, ...] = ()

    def digest(self, key: bytes) -> str:
        """With a key, so that no name can be guessed from it."""
        told: list[object] = [self.name, self.faces, EMBEDDER, *([self.rejected] if self.rejected else [])]
        return hmac.digest(key, json.dumps(told).encode(), "sha256").hex()


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

    def feed(self, generation: int, after: int, desk_id: str | None = None, *, now: datetime) -> PeoplePage:
        """Return what is numbered higher than `after`, of that generation; everything if it is another or is not that far.

        With it, the faces that are known as others than that desktop knows.
        """
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
            named = () if desk_id is None else renames.changed(tx, desk_id)
            return PeoplePage(generation=current, cursor=cursor, embedder=EMBEDDER, reset=reset, more=more, people=told, faces=named)

    def _key(self) -> bytes:
        return self.database.key_for(b"desk feed")

    def joined(self, computer_scopes: Collection[str], member_id: str, *, now: datetime) -> None:
        """Record that a desktop joined."""
        with self.database.write(durable=True) as tx:
            audit_log.add(tx, "desk_joined", member_id, len(computer_scopes), now)

    def left(self, member_id: str, *, now: datetime) -> None:
        with self.database.write(durable=True) as tx:
            audit_log.add(tx, "desk_left", member_id, 1, now)

    def within_reach(self, asked: DeskOperation) -> Known:
        """Return what of it the caller reaches. What changes a person as a whole needs all of them within reach."""
        with self.database.read() as tx:
            found = faces.known(tx, asked)
            people = tx.scalars(select(person.c.id).where(person.c.uid.in_([asked.person_uid, asked.into]))).all()
            before = tx.scalar(select(desk_operation.c.answer).where(desk_operation.c.uid == asked.of))
        if asked.kind == "unmerge":
            return replace(found, token=self._undoable(before.get("token") if before else None))
        if asked.kind in ("rename", "merge") and self.elsewhere(people):
            return replace(found, person=False, into=False)
        return found

    def _undoable(self, token: str | None) -> str | None:
        """Return the step if the caller may still undo it."""
        try:
            if token is not None:
                self.check_step(token)
        except NothingToUndo:
            return None
        return token

    def operate(
        self, asked: DeskOperation, known: Known, *, may_name: bool, recognises: bool, now: datetime, note: str, desk_id: str | None = None
    ) -> tuple[DeskResult, EditStep, list[StoredEvent]]:
        """Do what was done at a desk, once; the same answer if it was done before."""
        with self.database.write(durable=True) as tx:
            before = tx.scalar(select(desk_operation.c.answer).where(desk_operation.c.uid == asked.uid))
            if before is not None:
                return DeskResult.model_validate({name: each for name, each in before.items() if name not in _OURS}), NOTHING, []
            never, events = identity_queries.never_recognised(tx), list[StoredEvent]()
            if asked.kind == "receipt":
                audit_log.add(tx, "desk_deleted", asked.person_uid, asked.deleted, now)
                done = Done(DeskResult(uid=asked.uid, state="done"))
            elif asked.kind == renames.KNOWN:
                done = Done(DeskResult(uid=asked.uid, state="done"))
            elif not may_name:
                done = Done(DeskResult(uid=asked.uid, state="refused"))
            elif asked.kind == "rename":
                done = _rename(tx, asked, known, now)
            else:
                done = faces.operate(tx, asked, known, now, recognises=recognises)
            if desk_id is not None and known.face_id is not None:
                renames.note(tx, desk_id, known.face_id, asked, done.result)
            if done.step is not NOTHING:
                events = concluded(tx, done.step, never, now, note, then=done.then)
                if done.result.printed and not events:
                    events = [event_rows.record(tx, PeopleChanged(action="desk"), now)]
            about = done.result.person_uid or asked.person_uid
            answer = done.result.model_dump(mode="json") | {"token": done.step.token, team_replies.ABOUT: about}
            tx.execute(insert(desk_operation).values(uid=asked.uid, actor=actor.get(), at=now, answer=answer))
            return done.result, done.step, events


def begin_anew(tx: Connection) -> None:
    """Have each desk ask for everything again: of an earlier moment that was restored, its numbers will be given once more."""
    tx.execute(delete(meta).where(meta.c.name == GENERATION))


def _rename(tx: Connection, asked: DeskOperation, known: Known, now: datetime) -> Done:
    uid, row = asked.uid, tx.execute(select(person.c.id, person.c.name).where(person.c.uid == asked.person_uid)).one_or_none()
    if row is None or not known.person:
        return Done(DeskResult(uid=uid, state="gone"))
    if row.name == asked.name:
        return Done(DeskResult(uid=uid, state="done", name=row.name))
    if row.name != asked.base:
        return Done(_conflict(tx, asked, row.id, row.name))
    try:
        step = edit_queries.edit(tx, DescribePersonEdit(person_id=row.id, name=asked.name), now)
    except (NameTaken, NameEmpty):  # before anything was written
        return Done(DeskResult(uid=uid, state="taken", name=row.name))
    audit_log.add(tx, "desk_renamed", asked.person_uid, 1, now, libraries=audit_libraries.of_people(tx, [row.id]))
    # Numbered even if they have the name of before again by then: the desk that sent this one must hear of it.
    tx.execute(update(desk_feed).where(desk_feed.c.person_uid == asked.person_uid).values(digest=""))
    return Done(DeskResult(uid=uid, state="done", name=asked.name), step)


def _conflict(tx: Connection, asked: DeskOperation, person_id: int, name: str) -> DeskResult:
    """With who gave the present name, as far as the steps that can be undone tell."""
    by, at = said_by(tx, asked.person_uid, lambda change: change["fact"] in ("name", "person") and person_id in change["keys"])
    return DeskResult(uid=asked.uid, state="conflict", name=name, by=by, at=at)


def _generation(tx: Connection) -> int | None:
    return tx.scalar(select(meta.c.value).where(meta.c.name == GENERATION))


def _within_reach(generation: int) -> int:
    """Return another one for each set of libraries: a member who sees fewer or more of them begins anew."""
    reach = current_scope()
    if reach is None:
        return generation
    return generation_within(generation, f"{sorted(reach.libraries)}:{reach.curates}")


def _shared(tx: Connection, now: datetime) -> dict[str, _Shared]:
    """Return who may be recognised at the desks, by random id: those within reach whose own consent to it is valid.

    The one place that decides.
    """
    agreed = consent_queries.agreed(tx, Purpose.RECOGNISE, now) - identity_queries.never_recognised(tx)
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
    # The desks where these were named are to send the face prints.
    named = select(person.c.id, person.c.uid, person.c.name).join(identity, identity.c.person_id == person.c.id)
    named = named.join(face, face.c.id == identity.c.face_id).join(place, place.c.image_id == face.c.image_id)
    named = named.where(identity.c.certainty == Certainty.CONFIRMED, place.c.source == desk_path.SOURCE, person.c.uid.is_not(None))
    for who in tx.execute(named.distinct()):
        if who.id in agreed:
            found.setdefault((who.id, who.uid, who.name), [])
    rejected = _rejected(tx, {person_id for person_id, _, _ in found})
    return {
        uid: _Shared(
            name,
            tuple(sorted(face_id for _, face_id in sorted(shown)[:MOST_REFERENCES])),
            tuple(rejected.get(person_id, ())),
        )
        for (person_id, uid, name), shown in found.items()
    }


def _rejected(tx: Connection, people: Collection[int]) -> dict[int, list[int]]:
    """Return the faces on desks' photos that are not these people, the newest rejections of each."""
    there = exists().where(place.c.image_id == face.c.image_id, place.c.source == desk_path.SOURCE)
    rows = select(rejection.c.person_id, rejection.c.face_id).join(face, face.c.id == rejection.c.face_id).where(there)
    found: dict[int, list[int]] = {}
    for person_id, face_id in tx.execute(rows.order_by(rejection.c.at.desc(), rejection.c.face_id)):
        if person_id in people and len(told := found.setdefault(person_id, [])) < MOST_REJECTIONS:
            told.append(face_id)
    return {person_id: sorted(told) for person_id, told in found.items()}


def _changes(tx: Connection, key: bytes, now: datetime) -> dict[str, tuple[Sharing, str]]:
    """Return what is not as it was numbered last: state and digest by person."""
    known = {row.person_uid: (Sharing(row.state), row.digest) for row in tx.execute(select(desk_feed))}
    current = {uid: (Sharing.SHARED, each.digest(key)) for uid, each in _shared(tx, now).items()}
    if known.keys() - current.keys():
        there = {row.uid: row.id for row in tx.execute(select(person.c.id, person.c.uid))}
        agreed = consent_queries.agreed(tx, Purpose.RECOGNISE, now) - identity_queries.never_recognised(tx)
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
    boxes = select(image.c.sha256, face.c.x, face.c.y, face.c.w, face.c.h).join_from(face, image)
    rejected = tuple(
        FaceAt(photo=sha256, x=x, y=y, w=w, h=h)
        for chunk in chunks(shared.rejected)
        for sha256, x, y, w, h in tx.execute(boxes.where(face.c.id.in_(chunk)).order_by(face.c.id))
    )
    return SharedPerson(uid=uid, state=state, name=shared.name, references=references, rejected=rejected)
