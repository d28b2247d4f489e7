"""What each desktop knows of the faces that it spoke of itself, and which of them have another name by now. Of others it hears nothing.

The desktop says what it took, as an operation; until then it is told again. So nothing is lost if either side ends in between.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Select, and_, delete, func, insert, not_, or_, select

from agent.domain.identity_matching import Certainty
from agent.features.people.queries import consent_queries
from agent.infrastructure.store.facts import chunks
from agent.infrastructure.store.row_security import lifted
from agent.infrastructure.store.schema import audit, desk_face, face, identity, image, person
from agent.interfaces.web.desk_exchange import MOST_ENTRIES, DeskOperation, DeskResult, FaceNamed

KNOWN: Final = "known"


def note(tx: Connection, desk_id: str, face_id: int, asked: DeskOperation, answer: DeskResult) -> None:
    """Remember what the desktop knows of a face after that answer."""
    if (known := _known(asked, answer)) is None:
        return
    tx.execute(delete(desk_face).where(desk_face.c.desk_id == desk_id, desk_face.c.face_id == face_id))
    tx.execute(insert(desk_face).values(desk_id=desk_id, face_id=face_id, person_uid=known))


def _known(asked: DeskOperation, answer: DeskResult) -> str | None:
    """Return the person, or an empty text for none; None if the desktop knows what it knew."""
    if answer.state == "conflict":  # without the name, who has it may be told as soon as the caller may know, or was named meanwhile
        return answer.person_uid if answer.name else ""
    if answer.state != "done":
        return None
    match asked.kind:
        case "name":
            return answer.person_uid
        case "unname":
            return ""
        case "known":
            return asked.base
        case _:
            return None


def changed(tx: Connection, desk_id: str) -> tuple[FaceNamed, ...]:
    """Return the faces within reach that are known as another person than this desktop knows. Call it with the caller's reach.

    A person who was forgotten takes no name away: what desks named themselves stays there, as it did before. One who withdrew from being
    recognised gives none: a desktop that heard of the withdrawal before would recognise them by its own face print. One who is
    beyond the caller's reach is told as no one, unless the desktop itself said who it is.
    """
    uid = func.coalesce(person.c.uid, "")
    rows = _named(select(image.c.sha256, face.c.x, face.c.y, face.c.w, face.c.h, uid.label("uid"), person.c.name))
    rows = rows.join(face, face.c.id == desk_face.c.face_id).join(image, image.c.id == face.c.image_id)
    rows = rows.where(desk_face.c.desk_id == desk_id, uid != desk_face.c.person_uid).order_by(face.c.id)
    found = list[FaceNamed]()
    for chunk in chunks(_other(tx, desk_id)):
        for row in tx.execute(rows.where(face.c.id.in_(chunk)).limit(MOST_ENTRIES - len(found))):
            found.append(FaceNamed(photo=row.sha256, x=row.x, y=row.y, w=row.w, h=row.h, person_uid=row.uid, name=row.name or ""))
        if len(found) == MOST_ENTRIES:
            break
    return tuple(found)


def _other(tx: Connection, desk_id: str) -> Sequence[int]:
    """Return the faces that are another person than this desktop knows, also those beyond reach: a hidden name is not one taken away."""
    forgotten = select(audit.c.subject).where(audit.c.action == "forgotten", audit.c.subject.is_not(None))
    rows = _named(select(desk_face.c.face_id))
    rows = rows.where(desk_face.c.desk_id == desk_id, func.coalesce(person.c.uid, "") != desk_face.c.person_uid)
    rows = rows.where(or_(person.c.uid.is_not(None), and_(identity.c.face_id.is_(None), desk_face.c.person_uid.not_in(forgotten))))
    rows = rows.where(or_(person.c.uid.is_(None), not_(consent_queries.withdrew())))
    with lifted(tx):
        return tx.scalars(rows.order_by(desk_face.c.face_id)).all()


def _named(rows: Select[Any]) -> Select[Any]:
    """Add to faces that a desktop spoke of who they are."""
    confirmed = and_(identity.c.face_id == desk_face.c.face_id, identity.c.certainty == Certainty.CONFIRMED)
    return rows.select_from(desk_face).outerjoin(identity, confirmed).outerjoin(person, person.c.id == identity.c.person_id)
