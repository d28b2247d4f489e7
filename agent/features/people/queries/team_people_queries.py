"""People who came from a team server: their face prints as the matcher needs them, and what their renaming sends to the team.

The rule stands here, where edits are written: a name that the user changes is noted for the team in the same transaction.
"""

import uuid
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, delete, select, update

from agent.domain.embeddings import FaceEmbedding
from agent.domain.face import Quality
from agent.domain.identity_matching import is_clear, trust
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.flags import add
from agent.infrastructure.store.schema import person, team_link, team_outbox, team_person, team_reference

RENAME, RECEIPT = "rename", "receipt"
TOLD = "told"  # in a name that is being sent, for this computer alone: what the team told meanwhile
_QUALITY: Final = tuple(team_reference.c[name] for name in ("size", "sharpness", "yaw", "roll", "covered"))


def references(tx: Connection, embedder: str, among: Collection[int] | None = None) -> list[FaceEmbedding]:
    """Return the team's face prints, or those of them that are `among` these ids."""
    if among is None:
        return _read(tx, embedder, None)
    return [each for chunk in chunks(list(among)) for each in _read(tx, embedder, chunk)]


def of_person(tx: Connection, person_id: int) -> Sequence[str]:
    """Return the random ids that this person has at the team: several after a merge here."""
    return tx.scalars(select(team_person.c.uid).where(team_person.c.person_id == person_id)).all()


def references_of(tx: Connection, people: Collection[int]) -> list[int]:
    """Return the ids of these people's prints."""
    theirs = select(team_reference.c.id).join(team_person, team_person.c.uid == team_reference.c.uid)
    return [each for chunk in chunks(list(people)) for each in tx.scalars(theirs.where(team_person.c.person_id.in_(chunk)))]


def lapsed(tx: Connection, people: Collection[int]) -> bool:
    """Return whether one of these people came from the team and is not recognised for want of consent."""
    theirs = select(person.c.id).join(team_person, team_person.c.person_id == person.c.id).where(person.c.lapsed_at.is_not(None))
    return bool(people) and tx.scalar(theirs.where(person.c.id.in_(list(people))).limit(1)) is not None


def may_name(tx: Connection) -> bool:
    """Tell whether this computer joined a team, with the right to name people there."""
    return bool(tx.scalar(select(team_link.c.may_name).where(team_link.c.id == 1)))


def note_renames(tx: Connection, people: Collection[int], now: datetime) -> None:
    """Put the names that the user gave these people into the outbox."""
    changed = select(team_person.c.uid, team_person.c.name, person.c.name.label("given"))
    changed = changed.join(person, person.c.id == team_person.c.person_id).where(person.c.name != team_person.c.shown)
    changed = changed.where(team_person.c.merged.is_(None))  # of people who are one here, one name goes up
    for chunk in chunks(sorted(people)):
        for row in tx.execute(changed.where(team_person.c.person_id.in_(chunk))).all():
            tx.execute(update(team_person).where(team_person.c.uid == row.uid).values(shown=row.given))
            if may_name(tx):
                _rename(tx, row.uid, row.name, row.given, now)


def send(tx: Connection, kind: str, uid: str, content: dict[str, object], now: datetime) -> str:
    """Put something into the outbox. Returns its random id."""
    made = uuid.uuid4().hex
    add(tx, team_outbox, {"uid": made, "kind": kind, "person_uid": uid, "content": content, "made_at": now})
    return made


def drop_references(tx: Connection) -> int:
    """Delete all face prints of the team: recognition was switched off. They are taken again when it is on."""
    tx.execute(update(team_link).values(cursor=0))
    return tx.execute(delete(team_reference)).rowcount


def forget(tx: Connection, people: Iterable[int]) -> None:
    """Delete all that is stored of these people as members of the team, and never take it again."""
    uids = select(team_person.c.uid).where(team_person.c.person_id.in_(list(people)))
    for table, column in ((team_reference, team_reference.c.uid), (team_outbox, team_outbox.c.person_uid)):
        tx.execute(delete(table).where(column.in_(uids)))
    tx.execute(update(team_person).where(team_person.c.person_id.in_(list(people))).values(name="", shown="", own="", refused=1))


def _rename(tx: Connection, uid: str, at_team: str, given: str, now: datetime) -> None:
    waiting = select(team_outbox.c.id, team_outbox.c.content, team_outbox.c.conflict)
    waiting = waiting.where(team_outbox.c.person_uid == uid, team_outbox.c.kind == RENAME).order_by(team_outbox.c.id.desc())
    last = tx.execute(waiting.limit(1)).one_or_none()
    if last is not None and last.conflict is not None:  # it waits for the user, who changed their mind
        tx.execute(update(team_outbox).where(team_outbox.c.id == last.id).values(content={**last.content, "name": given}))
        return
    base = at_team if last is None else last.content["name"]
    if base != given:
        send(tx, RENAME, uid, {"base": base, "name": given}, now)


def _read(tx: Connection, embedder: str, chunk: Sequence[int] | None) -> list[FaceEmbedding]:
    rows = select(team_reference.c.id, team_reference.c.vector, team_person.c.person_id, *_QUALITY)
    rows = rows.join(team_person, team_person.c.uid == team_reference.c.uid).join(person, person.c.id == team_person.c.person_id)
    rows = rows.where(team_reference.c.embedder == embedder, person.c.lapsed_at.is_(None))
    found = []
    for face_id, vector, person_id, *quality in tx.execute(rows if chunk is None else rows.where(team_reference.c.id.in_(chunk))):
        seen = Quality(*quality)
        found.append(FaceEmbedding(face_id, vector, person_id, trusted := trust(seen), is_clear(seen, trusted)))
    return found
