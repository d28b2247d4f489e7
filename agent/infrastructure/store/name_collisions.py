"""Undo may bring a person back whose name another one has by now: of the two, the one who is nothing but that name goes."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection, and_, delete, select, update

from agent.domain.identity_matching import Certainty
from agent.infrastructure.store.schema import album_person, consent, consent_link, identity, person, rejection, team_person, team_reference

# What every person has, and what follows from the rest.
_ALWAYS: Final = frozenset({"id", "name", "created_at", "uid", "lapsed_at"})


def settle(tx: Connection, restored: Mapping[int, str]) -> None:
    """`restored`: the people who came back, with their names of before; those whose name was taken have a number after it."""
    for person_id, name in restored.items():
        now = tx.scalar(select(person.c.name).where(person.c.id == person_id))
        other = tx.scalar(select(person.c.id).where(person.c.name == name))
        if now is None or other is None or other == person_id:
            continue
        if _is_bare(tx, person_id, other):
            tx.execute(delete(person).where(person.c.id == person_id))
        elif _is_bare(tx, other, person_id):
            tx.execute(delete(person).where(person.c.id == other))
            tx.execute(update(person).where(person.c.id == person_id).values(name=name))


def _is_bare(tx: Connection, person_id: int, namesake: int) -> bool:
    """Return whether nothing is stored of a person but the name, and that faces of the other one are not theirs."""
    known = tx.execute(select(person).where(person.c.id == person_id)).mappings().one()
    if any(value not in (None, "") for column, value in known.items() if column not in _ALWAYS):
        return False
    found = [each.c.person_id == person_id for each in (identity, album_person)]
    found += [each.c.person_uid == known["uid"] for each in (consent, consent_link)]
    found.append(team_reference.c.uid.in_(select(team_person.c.uid).where(team_person.c.person_id == person_id)))
    named = select(identity.c.face_id).where(identity.c.person_id == namesake, identity.c.certainty == Certainty.CONFIRMED)
    found.append(and_(rejection.c.person_id == person_id, rejection.c.face_id.not_in(named)))
    return all(tx.execute(select(1).where(each).limit(1)).first() is None for each in found)
